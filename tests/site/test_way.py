"""Where a page stands, what comes next, what the browser keeps, and what is said of every page."""

import json
import re
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from site_pages import EVERY_PAGE, HTML_PAGES, NAMES, ROOT, extension
from sphinx_external_toc.parsing import parse_toc_yaml

READ, SOLVED = (
    re.compile("Two gates, one state.*, read"),
    re.compile("Build a GRU.*, 1 of 8 solved"),
)
CHAPTER, EXERCISE = "book/gru/two-gates", "notebooks/gru/gru"


@pytest.fixture(scope="module")
def extensions():
    names = ("way", "published", "descriptions")
    return SimpleNamespace(**{name: extension(name) for name in names})


def test_solutions_are_kept_back(extensions):
    site_map = parse_toc_yaml(ROOT / "_toc.yml")
    patterns = [f"{name}.*" for name in (*site_map, *site_map.globs())]
    assert [pattern for pattern in patterns if pattern.startswith("solutions/")]
    left = extensions.published.without_solutions(site_map, patterns)
    assert [name.removesuffix(".*") for name in left] == NAMES
    assert site_map.globs() == set()


@pytest.mark.parametrize("published", [False, True])
def test_one_switch_publishes_them(extensions, published):
    site_map = parse_toc_yaml(ROOT / "_toc.yml")
    config = SimpleNamespace(
        solutions_published=published,
        external_site_map=site_map,
        include_patterns=["book/index.*", "solutions/*.*"],
    )
    extensions.published.keep_back(None, config)
    assert ("solutions/*.*" in config.include_patterns) == published
    assert bool(site_map.globs()) == published


def test_no_solution_is_on_the_site(html):
    assert not list(html.glob("solutions/*.html"))
    for page in HTML_PAGES:
        text = (html / page).read_text(encoding="utf-8")
        assert "solutions/" not in "".join(
            a.get("href", "") for a in BeautifulSoup(text, "html.parser").select(".bd-links a")
        )


@pytest.mark.parametrize(
    ("count", "words"),
    [(25, "25 minutes"), (60, "1 hour"), (65, "65 minutes"), (90, "1½ hours"), (118, "2 hours")],
)
def test_minutes_in_words(extensions, count, words):
    assert extensions.way.minutes(count) == words


def test_minutes_are_those_a_page_names(extensions):
    assert extensions.way.minutes_of("x\nAbout 40 minutes. You need\nAbout 9 minutes", False) == 40
    assert (
        extensions.way.minutes_of("10 minutes · difficulty 1 … 25 minutes · difficulty", True) == 35
    )
    assert extensions.way.minutes_of("nothing", False) == 0


def test_every_page_leads_to_the_next(html):
    """From the landing page to the last, in the order of the contents, each with its place."""
    for name, following in zip(NAMES, [*NAMES[1:], None], strict=True):
        page = html / f"{name}.html"
        end = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select_one(
            ".gm-way-end"
        )
        if following is None:
            assert end.select_one(".gm-next") is None
            continue
        link = end.select_one(".gm-next")
        assert (page.parent / link["href"]).resolve() == (html / f"{following}.html").resolve()
        label = " ".join(link.select_one(".gm-next-label").text.split())
        assert ("exercises, about" in label) == following.startswith("notebooks/"), label
        assert " of " in link.select_one(".gm-next-place").text


@pytest.mark.parametrize("page", [page for page in EVERY_PAGE if page != "404.html"])
def test_has_a_description(html, page):
    soup = BeautifulSoup((html / page).read_text(encoding="utf-8"), "html.parser")
    (description,) = soup.find_all("meta", attrs={"name": "description"})
    assert 30 <= len(description["content"]) <= 300
    card = soup.find("meta", property="og:description")
    assert card["content"] == description["content"]


def test_a_description_is_made_of_whole_sentences(extensions):
    body = '<div class="x admonition"><p>No.</p></div><p>One <b>bold</b> &amp; short. Two.</p>'
    assert extensions.descriptions.sentences(body) == "One bold & short. Two."
    assert extensions.descriptions.sentences(f"<p>One. {'long ' * 80}.</p>") == "One."


LOCK = 'void navigator.locks?.request("gm-lite", { mode: "shared" }, () => new Promise(() => {}));'


def test_what_was_read_and_solved_is_marked_and_forgotten(visit, address):
    seen = visit(f"{address}{CHAPTER}.html", own=True)
    page = seen.page
    contents = page.locator(".bd-links")
    assert contents.locator(".gm-mark").count() == 0
    page.locator(".gm-way-end").scroll_into_view_if_needed()
    contents.locator(".gm-mark").first.wait_for()
    right = json.dumps({"text": "a", "stub": "b", "right": "a"})
    wrong = json.dumps({"text": "a", "stub": "b", "right": "c"})
    page.evaluate(
        """([page, right, wrong]) => { localStorage[`gm-work/${page}/reset_gate`] = right;
             localStorage[`gm-work/${page}/gru_step`] = wrong; localStorage.other = 1; }""",
        [EXERCISE, right, wrong],
    )
    page.reload()
    assert contents.get_by_role("link", name=READ).count() == 1
    assert contents.get_by_role("link", name=SOLVED).count() == 1

    page.get_by_role("button", name="What this browser keeps").click()
    dialog = page.get_by_role("dialog", name="What this browser keeps")
    assert "(1)" in dialog.inner_text() and "2 cells" in dialog.inner_text()
    dialog.get_by_role("button", name="What I have read").click()
    assert contents.get_by_role("link", name=READ).count() == 0
    assert contents.get_by_role("link", name=SOLVED).count() == 1

    page.get_by_role("button", name="What this browser keeps").click()
    dialog.get_by_role("button", name="Everything, my answers too").click()
    assert "cannot be brought back" in dialog.inner_text()
    with page.expect_navigation():
        dialog.get_by_role("button", name="Forget everything").click()
    kept = page.evaluate("Object.keys(localStorage)")
    assert "other" in kept and not [key for key in kept if key.startswith("gm-")]
    assert seen.errors == []


STORE = """name => new Promise((done, failed) => {
  const asked = indexedDB.open(name);
  asked.onupgradeneeded = () => asked.result.createObjectStore("files");
  asked.onsuccess = () => { asked.result.close(); done(true); };
  asked.onerror = failed;
})"""
STORES = "indexedDB.databases().then(all => all.map(({ name }) => name).sort())"


def test_notebooks_are_forgotten_and_not_while_one_is_open(visit, address):
    """JupyterLite's stores, one for each release, as gm-lite.js names them."""
    page = visit(f"{address}{CHAPTER}.html", own=True).page
    for name in ("Gated Memory 0.1.0-old", "Gated Memory 0.1.0-new", "of another site"):
        page.evaluate(STORE, name)
    page.evaluate("localStorage.mode = localStorage.theme = 'dark'")
    notebook = page.context.new_page()
    notebook.goto(f"{address}404.html")
    assert notebook.evaluate(LOCK) is None
    page.get_by_role("button", name="What this browser keeps").click()
    dialog = page.get_by_role("dialog", name="What this browser keeps")
    assert "JupyterLite (some)" in dialog.inner_text()
    dialog.get_by_role("button", name="Everything, my answers too").click()
    forget = dialog.get_by_role("button", name="Forget everything")
    forget.click()
    dialog.get_by_text("Close that tab first").wait_for()
    assert len(page.evaluate(STORES)) == 3
    notebook.close()
    with page.expect_navigation():
        forget.click()
    assert page.evaluate(STORES) == ["of another site"]
    assert page.evaluate("document.documentElement.dataset.mode") == "auto"


def test_an_open_notebook_says_that_it_is():
    """The same lock as in the test above."""
    bar = (ROOT / "browser" / "lite" / "bar.js").read_text(encoding="utf-8")
    assert LOCK.removeprefix("void ") in bar


def test_works_where_nothing_can_be_kept(browser, address):
    context = browser.new_context()
    context.add_init_script(
        "Storage.prototype.getItem = Storage.prototype.setItem = () => { throw new Error('no'); }"
    )
    page = context.new_page()
    # The theme's own scripts may fail; the way may not.
    errors = []
    page.on("pageerror", lambda error: errors.append(error.stack or ""))
    page.goto(f"{address}{CHAPTER}.html")
    page.locator(".gm-way-end").scroll_into_view_if_needed()
    assert page.locator(".gm-next").is_visible()
    assert not [stack for stack in errors if "gm-way" in stack]
    context.close()
