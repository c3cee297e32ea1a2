"""Every page, as a reader meets it: in light and dark mode, on a desk and on a phone."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from site_pages import EVERY_PAGE, HTML_PAGES, PHONE, extension

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_loads_quietly_and_from_one_host(visit, address, page):
    seen = visit(address + page)
    assert seen.errors == []
    assert seen.hosts == {urlsplit(address).netloc}


@pytest.mark.parametrize("page", HTML_PAGES)
def test_loads_only_what_it_uses(visit, address, page):
    """Neither the theme's icon script nor its icon fonts, which would be half of every page."""
    seen = visit(address + page)
    weights = seen.page.evaluate(
        "() => performance.getEntriesByType('resource').map(r => [r.name, r.decodedBodySize])"
    )
    assert [name for name, _ in weights if "fontawesome/" in name] == []
    assert all(size < 1000 for name, size in weights if "fontawesome.js" in name)


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_fits_a_phone(visit, address, page):
    """Nothing is wider than the screen, unless it scrolls inside a box that is not."""
    found = visit(address + page, size=PHONE).page.evaluate("""() => {
      const width = document.documentElement.clientWidth;
      const boxed = e => {
        for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
          if (["auto", "scroll", "hidden"].includes(getComputedStyle(p).overflowX)) return true;
        return false;
      };
      const visible = e => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
      const wide = [...document.querySelectorAll("main *")].filter(e => visible(e)
        && e.getBoundingClientRect().right > width + 1 && !e.closest("svg, .katex-mathml") && !boxed(e));
      return { page: document.documentElement.scrollWidth - width,
               wide: wide.map(e => e.outerHTML.slice(0, 120)) };
    }""")
    assert found == {"page": 0, "wide": []}


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_every_picture_has_words(visit, address, page):
    found = visit(address + page).page.evaluate("""() => {
      // A figure needs a sentence; a small drawing in a line of text is named by a word.
      const named = e => (e.getAttribute("aria-label") ?? "").trim().length > (e.closest("figure") ? 10 : 0);
      const bad = [...document.querySelectorAll("img")].filter(e => (e.getAttribute("alt") ?? "").trim().length < 10);
      const drawings = [...document.querySelectorAll("svg")].filter(e => !e.closest("button") && !e.parentElement.closest("svg"));  // one within another is part of it
      for (const e of drawings)
        // a bracket in a formula, which MathML names; and a group of dots, each with a name
        if (e.getAttribute("aria-hidden") !== "true" && !e.closest(".katex") && !(["img", "group"].includes(e.getAttribute("role")) && named(e))) bad.push(e);
      const uncaptioned = [...document.querySelectorAll("figure")].filter(f => !f.querySelector("figcaption")?.textContent.trim());
      return [...bad, ...uncaptioned].map(e => e.outerHTML.slice(0, 160));
    }""")
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", EVERY_PAGE)
def test_accessible(visit, address, page, scheme):
    """axe finds nothing: contrast, names, order of headings, landmarks, reachable boxes.

    The dark page is the same but for its colors.
    """
    page = visit(address + page, scheme).page
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    # Boxes far from the window become reachable with the first use of the key that reaches them.
    page.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'Tab' }))")
    page.evaluate(AXE)
    # The contents stand at the page's own line, some of them half under the search above them.
    page.evaluate("document.querySelector('.bd-sidebar-primary')?.scrollTo(0, 0)")
    rules = RULES if scheme == "light" else {"type": "rule", "values": ["color-contrast"]}
    found = page.evaluate(
        "rules => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", rules
    )["violations"]
    assert [
        f"{problem['id']}: {node['html'][:160]} — {node['failureSummary'][:300]}"
        for problem in found
        for node in problem["nodes"]
        # axe does not count MathML as text; a screen reader does.
        if not (
            problem["id"] == "empty-table-header"
            and page.locator(node["target"][0]).locator("math").count()
        )
    ] == []


@pytest.mark.parametrize("page", HTML_PAGES)
def test_icons_are_drawn(visit, address, page):
    """Each icon the theme asks for has a drawing in course.css."""
    missing = visit(address + page).page.evaluate("""() =>
      [...document.querySelectorAll("[class*='fa-']")]
        .filter(e => getComputedStyle(e).maskImage === "none").map(e => e.className)""")
    assert missing == []


def test_mode_can_be_switched(visit, address):
    page = visit(address + "book/index.html", own=True).page
    colors = {}
    for _ in range(3):
        page.locator(".theme-switch-button:visible").click()
        mode = page.evaluate("document.documentElement.dataset.mode")
        colors[mode] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert page.locator(f".theme-switch[data-mode={mode}]:visible").count() == 1
    assert colors.keys() == {"light", "dark", "auto"}
    assert colors["light"] == colors["auto"] != colors["dark"]


@pytest.mark.parametrize(
    "kind",
    ["div.math", ".gm-figure", ".pst-scrollable-table-container", "article pre"],
)
def test_wide_boxes_are_reachable_from_the_keyboard(visit, address, kind):
    """A box that scrolls sideways takes the focus; where it fits it is no stop on the way."""
    look = """kind => [...document.querySelectorAll(kind)].filter(box => box.checkVisibility())
      .map(box => [box.scrollWidth > box.clientWidth + 1, box.tabIndex === 0])"""
    found = []
    for size in ((240, 800), (1280, 900)):
        page = visit(address + "book/gru/two-gates.html", size=size).page
        for _ in range(
            2
        ):  # before that, those far from the window are not measured, nor have they fonts
            page.keyboard.press("Tab")
            page.evaluate("document.fonts.ready.then(() => true)")
        found.append(page.evaluate(look, kind))
    narrow, wide = found
    assert [True, True] in narrow
    assert [True, False] not in narrow + wide
    assert [False, True] not in wide


def test_wide_boxes_near_the_window_say_so_without_a_keyboard(visit, address):
    """On a phone what is wider than its box is shaded, by the same attribute."""
    page = visit(address + "book/gru/two-gates.html", size=(240, 800), own=True).page
    box = page.locator("div.math").nth(2)
    box.scroll_into_view_if_needed()
    page.wait_for_function("box => box.tabIndex === 0", arg=box.element_handle())


def test_what_is_far_waits_and_an_address_still_leads_to_its_section(visit, address):
    """A section far below takes about the room that it will need, and nothing of it is laid out."""
    page = visit(address + "book/gru/two-gates.html#counting-parameters", own=True).page
    page.wait_for_function(
        "Math.abs(document.querySelector('#counting-parameters').getBoundingClientRect().top) < innerHeight / 2"
    )
    told = page.evaluate(
        """() => [...document.querySelectorAll(".bd-article > section > section")].map(one => {
             const guess = one.getBoundingClientRect().height, shown = getComputedStyle(one).contentVisibility;
             one.style.contentVisibility = "visible";
             return [shown, guess, one.getBoundingClientRect().height]; })"""
    )
    assert {shown for shown, _, _ in told} == {"auto"}
    guess, real = (sum(column) for column in list(zip(*told, strict=True))[1:])
    assert 0.75 < guess / real < 1.33


def test_far_sections_are_told_their_height_and_nothing_else_changes():
    inner = '<section id="c"><h3>C</h3><p>' + "word " * 100 + "</p></section>"
    body = f'<section id="a"><h1>A</h1><p>x</p><section class="k" id="b"><h2>B</h2>{inner}</section></section>'
    far_sections = extension("far_sections")
    told = far_sections.told(body)
    style = re.search(r' style="--gm-text:(\d+)px;--gm-rest:0px"', told)
    assert told.replace(style[0], "") == body and f'id="b"{style[0]}>' in told
    assert 200 < int(style[1]) < 400
    code = far_sections.height("<h2>B</h2><pre>a\nb</pre><svg><text>long</text></svg>")
    assert code == (far_sections.LINE, 3 * far_sections.LINE_OF_CODE)


def test_wrong_address(visit, address):
    """The page for a wrong address stands on its own: it is served at any depth."""
    page = visit(address + "404.html", own=True).page
    page.get_by_role("link").first.click()
    page.wait_for_url("**/book/index.html")
