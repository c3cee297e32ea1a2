"""Large data of a figure lie beside the page: they come when the figure does, and nothing moves for them."""

import json
import re

import pytest
from site_pages import DESKTOP, HTML_PAGES, PHONE, extension

SHIFT = """new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(e => { if (!e.hadRecentInput) sum += e.value; }))
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
})"""
TAG = re.compile(r'<(gm-[\w-]+)[^>]*><script type="application/json" data-name="(\w+)"')


@pytest.fixture(scope="module")
def figure_data():
    return extension("figure_data")


@pytest.fixture(scope="module")
def figures(html) -> dict[str, str]:
    """Page and element of every figure whose data lie beside its page."""
    found = {}
    for page in HTML_PAGES:
        for element, _ in TAG.findall((html / page).read_text(encoding="utf-8")):
            found[page] = element
    return found


@pytest.fixture(scope="module", params=["speech", "gradients-through-gates", "movie-reviews"])
def figure(request, figures) -> tuple[str, str]:
    return next((page, element) for page, element in figures.items() if request.param in page)


def test_large_data_move_and_small_ones_stay(figure_data, tmp_path):
    small = '<gm-a x="1"><script type="application/json">{"a":1}</script><svg></svg></gm-a>'
    numbers = json.dumps([k**3 % 9973 for k in range(9000)])
    large = small.replace('{"a":1}', numbers)
    body = figure_data.moved(f"<p>{small}{large}</p>", tmp_path / "data", "../data")
    (file,) = (tmp_path / "data").iterdir()
    assert body.startswith(f"<p>{small}") and f'data-from="../data/{file.name}"' in body
    assert numbers not in body and body.endswith("</script><svg></svg></gm-a></p>")
    assert file.read_text() == f'(self.gmData??={{}})["{file.stem}"]={numbers};\n'


def test_every_file_of_data_has_a_figure(html):
    named = {
        name
        for page in HTML_PAGES
        for _, name in TAG.findall((html / page).read_text(encoding="utf-8"))
    }
    assert named and {file.stem for file in (html / "_static" / "data").glob("*.js")} == named


CODE = "<pre>QUIET = var(--gm-muted, var(--jp-content-font-color2, #5a646c))</pre>"
"""What a reader copies: it stays as it is."""


def test_a_drawing_keeps_what_it_shows(tmp_path):
    """Plain groups, colors for other hosts and pixels within the page are gone, and nothing else."""
    body = (
        '<svg><g><g id="a"><path style="fill: var(--gm-line, var(--jp-border-color1, #cdd5da))"/></g></g>'
        '<svg><g transform="x"><g></g><text style="fill: var(--gm-ink, var(--jp-a, var(--gm-ink, #1d2327)))">t</text></g></svg>'
        '<image width="1" xlink:href="data:image/png;base64,AAEC"/></svg><p>&lt;g&gt;</p>' + CODE
    )
    found = extension("lean_drawings").lean(body, tmp_path / "data", "../_static/data")
    (file,) = (tmp_path / "data").iterdir()
    assert file.read_bytes() == b"\x00\x01\x02"
    assert found == (
        '<svg><g id="a"><path style="fill: var(--gm-line)"/></g>'
        '<svg><g transform="x"><text style="fill: var(--gm-ink)">t</text></g></svg>'
        f'<image width="1" xlink:href="../_static/data/{file.name}"/></svg><p>&lt;g&gt;</p>' + CODE
    )


def test_lines_are_told_in_steps_and_stay_where_they_are(browser):
    """The browser draws the same line from both; curves stay as they are."""
    lines = (
        "M 48.7 54 L 53.6 53.9 L 53.6 60.12 L 40 60.12 z L 50 -0.5 M 1 1 L 1 2 z M 3 3 L 0.3 0.25 "
    )
    curve = "M 0 0 C 1 1 2 2 3 3 "
    body = f'<path d="{lines}"/><path id="x" d="{curve}"/>'
    found = extension("lean_drawings").in_steps(body)
    told = re.findall(r' d="([^"]*)"', found)
    assert told == ["M48.7 54l4.9 -.1 0 6.22 -13.6 0zl1.3 -54.5M1 1l0 1zM3 3l-2.7 -2.75", curve]
    page = browser.new_page()
    along = page.evaluate(
        """paths => paths.map(d => { const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
          path.setAttribute("d", d); const long = path.getTotalLength();
          return [long, ...[...Array(50).keys()].flatMap(k => {
            const { x, y } = path.getPointAtLength(long * k / 49); return [x, y]; })]; })""",
        [lines, told[0]],
    )
    page.close()
    assert along[0] == pytest.approx(along[1], abs=1e-3) and along[0][0] > 50


def test_no_page_carries_pixels_or_colors_of_other_hosts(html):
    for page in HTML_PAGES:
        body = (html / page).read_text(encoding="utf-8").partition("<article")[2]
        drawings = "".join(re.findall(r"<svg.*?</svg>", body, re.S))
        assert (
            "data:image/png" not in drawings and "--jp-" not in drawings and "<g>" not in drawings
        )


class Held:
    """Keeps what a page asks of the site's data until it is told what to do with it."""

    def __init__(self, page):
        self.routes = []
        page.route("**/_static/data/*.js", lambda route: self.routes.append(route))

    def wait(self, page):
        page.wait_for_function("document.querySelector('.gm-later')?.textContent")
        while not self.routes:
            page.evaluate("1")  # lets Playwright see what was asked
        return self.routes.pop()


def here(page, element: str) -> None:
    page.evaluate("name => document.querySelector(name).scrollIntoView()", element)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_data_come_with_the_figure_and_nothing_moves(browser, address, figure, size):
    path, element = figure
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    held = Held(page)
    page.goto(address + path)
    page.evaluate("document.fonts.ready.then(() => true)")
    assert not held.routes and page.locator(element).get_by_role("img").first.is_visible()
    here(page, element)
    route = held.wait(page)
    tall = page.evaluate("document.documentElement.scrollHeight")
    before = page.evaluate(SHIFT)
    route.continue_()
    page.wait_for_function("name => document.querySelector(name).data", arg=element)
    assert page.evaluate(SHIFT) - before < 0.05
    assert abs(page.evaluate("document.documentElement.scrollHeight") - tall) < 40
    assert page.locator(".gm-later").count() == 0
    page.close()


def test_what_does_not_arrive_is_said_and_asked_for_again(browser, address, figure):
    path, element = figure
    page = browser.new_page()
    held = Held(page)
    page.goto(address + path)
    here(page, element)
    held.wait(page).abort()
    again = page.get_by_role("button", name="Try again")
    again.wait_for()
    assert "did not arrive" in page.locator(".gm-later").inner_text()
    assert page.locator(element).get_by_role("img").first.is_visible()
    again.click()
    held.wait(page).continue_()
    page.wait_for_function("name => document.querySelector(name).data", arg=element)
    page.close()


def test_works_from_a_folder(browser, html, figure):
    path, element = figure
    page = browser.new_page()
    page.goto((html / path).as_uri())
    here(page, element)
    page.wait_for_function("name => document.querySelector(name).data", arg=element)
    assert page.locator(f"{element} .gm-says").first.inner_text()
    page.close()


def test_paper_and_browsers_without_script_get_the_drawing(browser, address, figure):
    path, element = figure
    for script in (True, False):
        context = browser.new_context(java_script_enabled=script)
        page = context.new_page()
        page.route("**/_static/data/*.js", lambda route: route.abort())
        page.goto(address + path)
        page.emulate_media(media="print")
        box = page.locator(element).bounding_box()
        drawn = page.locator(element).get_by_role("img").first.bounding_box()
        assert drawn["height"] > 100 and box["height"] - drawn["height"] < 60
        context.close()
