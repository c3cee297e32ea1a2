"""The search: what its index holds, what it finds, and that nothing of it is loaded before it is used."""

import json
import re
from urllib.parse import urlsplit

import pytest
from site_pages import NAMES, PHONE, extension

PAGE = "book/gru/many-spellings.html"


@pytest.fixture(scope="module")
def search_index():
    return extension("search_index")


@pytest.fixture(scope="module")
def index(html) -> dict:
    text = (html / "search-index.js").read_text(encoding="utf-8")
    return json.loads(text.partition("=")[2].rstrip(";\n"))


def test_every_page_is_indexed_by_section(index):
    pages = [address.removesuffix(".html") for _, _, address, *_ in index["pages"]]
    assert set(NAMES) <= set(pages)
    assert not [page for page in pages if page.startswith("solutions/")]
    assert len(index["sections"]) > 5 * len(pages)


def test_sections_lead_somewhere(index, html):
    anchors = {}
    for page, title, anchor, *_ in index["sections"]:
        address = index["pages"][page][2]
        text = anchors.setdefault(address, (html / address).read_text(encoding="utf-8"))
        assert title and f'id="{anchor}"' in text, (address, title)


def test_texts_are_what_a_reader_sees(index):
    text = " ".join(section[4] for section in index["sections"])
    for unread in ("\\tilde", "\\sigma", "\\(", "gm-figure", "Link to this heading"):
        assert unread not in text
    assert "h_t" in text and "σ(" in text.replace("σ (", "σ(")


def test_abbreviations_come_from_the_glossary(index, search_index):
    assert index["short"]["lstm"] == "long short-term memory"
    assert index["short"]["bptt"] == "backpropagation through time"
    assert search_index.abbreviations(["a b", "mean squared error (MSE)", "time-major"]) == {
        **search_index.AT_HAND,
        "mse": "mean squared error",
    }


def test_a_page_is_read_as_its_sections(search_index):
    page = """<article class="bd-article"><section id="a"><h1>A <em>page</em><a class="headerlink">#</a></h1>
      <p>One<svg><text>no</text></svg> \\(\\tilde h_{t-1}\\).</p><section id="b-c"><span id="label-b"></span><h2>B</h2>
      <pre>no</pre><p>Two</p></section></section>
      <dl><dt id="term-x">x</dt><dd>Three</dd></dl></article><p>no</p>"""
    assert search_index.Sections(page).texts() == [
        ("A page", "a", "", "One h_t-1.", False),
        ("B", "b-c", "label b", "Two", False),
        ("x", "term-x", "", "Three", True),
    ]


@pytest.fixture(scope="module")
def dialog(visit, address):
    """A page on which the search was opened from the middle of the text, after what it loaded before."""
    seen = visit(address + PAGE, own=True)
    page, asked = seen.page, []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path.rpartition("/")[2]))
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert not [name for name in loaded if "search-index" in name or "minisearch" in name]
    page.evaluate("scrollTo(0, 3000)")
    assert page.locator(".bd-sidebar-primary .gm-search-open").is_visible()
    page.evaluate("document.fonts.ready.then(() => true)")
    asked.clear()  # fonts of the formulas there
    page.keyboard.press("/")
    page.wait_for_function("() => window.gmSearchIndex && window.MiniSearch")
    assert sorted(asked) == ["minisearch.min.js", "search-index.js"]
    return seen


def found(page, text: str) -> list[str]:
    page.locator(".gm-search-dialog input").fill(text)
    page.wait_for_function(
        """text => document.querySelector(".gm-search-dialog input").value === text
             && /sections?[.;]|found/.test(document.querySelector(".gm-search-dialog [role=status]").textContent)""",
        arg=text,
    )
    return [a.get_attribute("href") for a in page.locator("#gm-search-list a").all()]


@pytest.mark.parametrize(
    ("text", "place", "within"),
    [
        ("reset gate", "book/gru/two-gates.html#the-reset-gate-what-to-consult", 1),
        ("BPTT", "book/memory/why-it-forgets.html#", 3),
        ("vanishng gradient", "book/memory/why-it-forgets.html", 3),
        ("clipping gradients", "book/memory/why-it-forgets.html#clipping", 3),
        ("forget bias", "book/lstm/a-cell-that-carries-memory.html#the-forget-bias", 1),
        ("MFCC", "book/work/speech.html", 3),
    ],
)
def test_finds_the_chapter_that_teaches_it(dialog, text, place, within):
    best = found(dialog.page, text)[:within]
    assert [href for href in best if place in href], best


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("LSTM", "book/lstm/a-cell-that-carries-memory"),
        ("GRU", "book/gru/two-gates"),
        ("RNN", "book/memory/vanilla-rnn"),
        ("long short term memory", "book/lstm/a-cell-that-carries-memory"),
        ("vanishing gradient", "book/memory/why-it-forgets"),
        ("exploding gradients", "book/memory/why-it-forgets"),
        ("cell state", "book/lstm/a-cell-that-carries-memory"),
        ("output gate", "book/lstm/a-cell-that-carries-memory.html#the-output-gate"),
        ("update gate", "book/gru/two-gates.html#the-update-gate"),
        ("candidate state", "book/gru/two-gates.html#the-candidate"),
        ("truncated backpropagation", "book/gru/training-recurrent-nets"),
        ("layer norm", "book/gru/training-recurrent-nets"),
        ("chrono initialization", "book/gru/training-recurrent-nets"),
        ("bidirectonal", "book/gru/from-cell-to-layer"),
        ("singular value", "book/start/primer"),
        ("bits per character", "book/start/primer"),
        ("keyword spotting", "book/work/speech"),
        ("quantization", "book/work/small-device"),
        ("prediction interval", "book/work/time-series"),
        ("Keras GRU", "book/gru/many-spellings"),
        ("masking", "book/work/movie-reviews"),
        ("fused kernel", "book/gru/from-cell-to-layer"),
    ],
)
def test_what_a_chapter_is_about_is_found_there_first(dialog, text, place):
    """Before the glossary, which only says what it is."""
    best = found(dialog.page, text)
    assert place in best[0], best[:3]


def test_chapters_say_what_they_are_about(index):
    """No two of them the same thing, or the first would take all who ask for it."""
    told = {address: about for _, _, address, _, about in index["pages"] if about}
    chapters = [name for name in NAMES if re.match(r"book/(memory|lstm|gru|trial|work)/", name)]
    assert {f"{name}.html" for name in chapters} - set(told) <= {"book/work/jobs.html"}
    words = [word.lower() for about in told.values() for word in about]
    assert len(words) == len(set(words)) > 60


def test_shows_the_match(dialog):
    found(dialog.page, "forget bias")
    first = dialog.page.locator("#gm-search-list li").first
    marks = [mark.inner_text().lower() for mark in first.locator(".gm-search-text mark").all()]
    assert {mark[:4] for mark in marks} == {"forg", "bias"}


def test_is_used_with_the_keyboard(dialog):
    page = dialog.page
    found(page, "reset gate")
    field = page.locator(".gm-search-dialog input")
    assert field.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    active = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    assert active.get_attribute("aria-selected") == "true"
    assert "two-gates" in active.locator("a").get_attribute("href")
    found(page, "qqqqxzqq")
    assert field.get_attribute("aria-expanded") == "false"
    page.keyboard.press("Escape")
    assert page.locator(".gm-search-dialog").is_hidden()
    page.keyboard.press("Control+k")
    found(page, "reset gate")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/two-gates.html#the-reset-gate-what-to-consult")
    assert dialog.errors == []


def test_its_own_page_waits_for_a_word(visit, address):
    page = visit(address + "search.html", own=True).page
    assert page.evaluate("document.activeElement.name") == "q"
    assert page.evaluate("window.gmSearchIndex") is None
    page.keyboard.type("reset gate")
    page.wait_for_function("document.querySelectorAll('#search-results li').length > 5")
    assert "two-gates" in page.locator("#search-results li a").first.get_attribute("href")


def test_a_phone_has_it_in_the_header(visit, address):
    page = visit(address + PAGE, size=PHONE, own=True).page
    page.locator(".bd-header-article .gm-search-open").click()
    assert found(page, "reset gate")
    box = page.locator(".gm-search-dialog").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0]
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=reset+gate")
    first = page.locator("#search-results li a").first
    first.wait_for()
    assert "two-gates" in first.get_attribute("href")


def test_without_script_it_says_what_it_needs(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + PAGE)
    page.locator(".bd-header-article .gm-search-open").click()
    assert "needs JavaScript" in page.locator("main").inner_text()
    context.close()
