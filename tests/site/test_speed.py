"""A page is as light as a page of text should be, and stands still while it loads."""

import gzip
import re
from urllib.parse import urlsplit

import pytest
from site_pages import EXERCISES, HTML_PAGES, PHONE, extension

KILOBYTE = 1000
MOST = {"book/index.html": 250 * KILOBYTE}
MOST_ELSEWHERE = 450 * KILOBYTE
SLOW_LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 200_000,
    "uploadThroughput": 90_000,
}
LINKED = re.compile(r'<(?:link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)"[^>]*>')
LOADED = re.compile(r'<script|rel="(?:stylesheet|preload|icon)"|<img')
FACE = re.compile(r"@font-face\{([^}]*)\}")


def packed(path) -> int:
    data = path.read_bytes()
    return min(len(data), len(gzip.compress(data)))


@pytest.fixture(scope="module")
def sheet(html) -> str:
    return (html / "_static" / "site.css").read_text(encoding="utf-8")


# A font of formulas, and what is in the text of a page that uses it. Size1 to Size4 are large brackets.
USED_WHERE = {
    "KaTeX_AMS": r'class="[^"]*\bamsrm',
    "KaTeX_Main-Bold": r'class="[^"]*\bmathbf|textbf',
    "KaTeX_Main-Italic": r"mathit|textit",
    "KaTeX_Main-Regular": r'class="katex"',
    "KaTeX_Math-Italic": "mathnormal",
    "KaTeX_Size1": r"delimsizing size1|small-op|delim-size1",
    "KaTeX_Size2": r"delimsizing size2|large-op",
    "KaTeX_Size3": r"delimsizing size3",
    "KaTeX_Size4": r"delimsizing (?:size4|mult)|delim-size4",
    "KaTeX_Typewriter": "texttt|mathtt",
    "-greek-": "[Α-Ωα-ω]",
}


def loads(html, sheet: str, page: str) -> dict[str, int]:
    """Bytes of each file that a page loads by itself; of the fonts, those its text may need."""
    text = (html / page).read_text(encoding="utf-8")
    folder = (html / page).parent
    found = {page: packed(html / page)}
    for tag in LINKED.finditer(text):
        if LOADED.search(tag[0]) and not (address := urlsplit(tag[1])).scheme:
            path = (folder / address.path).resolve()
            found[path.relative_to(html).as_posix()] = packed(path)
    for address in re.findall(r'<image\b[^>]*?href="([^":]+)"', text):  # pixels within a drawing
        path = (folder / address).resolve()
        found[path.relative_to(html).as_posix()] = packed(path)
    for face in FACE.findall(sheet):
        for name in re.findall(r'url\("?([^")]+\.woff2)', face):
            needs = next((words for part, words in USED_WHERE.items() if part in name), "")
            if re.search(needs, text):
                found[f"_static/{name}"] = packed(html / "_static" / name)
    return found


@pytest.mark.parametrize("page", HTML_PAGES)
def test_a_page_is_light(html, sheet, page):
    found = loads(html, sheet, page)
    assert sum(found.values()) <= MOST.get(page, MOST_ELSEWHERE), found


def test_the_estimate_leaves_nothing_out(html, sheet, browser, address):
    """What a browser asks for by itself is among what the files say."""
    pages = ("book/index.html", "book/gru/two-gates.html", "book/work/speech.html")
    for page in (*pages, EXERCISES[0] + ".html"):
        context = browser.new_context()
        tab, asked = context.new_page(), set()
        tab.on("request", lambda request, asked=asked: asked.add(urlsplit(request.url).path[1:]))
        tab.goto(address + page)
        tab.evaluate("() => document.fonts.ready.then(() => true)")
        assert asked - set(loads(html, sheet, page)) == set()
        context.close()


@pytest.mark.parametrize("page", HTML_PAGES)
def test_no_script_holds_up_the_text(html, page):
    """One style sheet; scripts wait; what is fetched first is used, and pictures say their size."""
    text = (html / page).read_text(encoding="utf-8")
    sheets = re.findall(r'<link\b[^>]*rel="stylesheet"[^>]*>', text)
    assert len([sheet for sheet in sheets if 'media="print"' not in sheet]) == 1
    holding = [tag for tag in re.findall(r"<script\b[^>]*\bsrc=[^>]*>", text) if "defer" not in tag]
    assert holding == []
    assert "bootstrap.js" not in text
    for image in re.findall(r"<img\b[^>]*>", text):
        assert re.search(r"\bwidth[=:]", image) and re.search(r"\bheight[=:]", image), image


@pytest.mark.parametrize(
    "page",
    [
        "book/index.html",
        "book/gru/two-gates.html",
        "book/start/get-the-course.html",
        EXERCISES[0] + ".html",
    ],
)
def test_nothing_moves_while_a_page_loads(browser, address, page):
    """On a phone and a slow line, where fonts and scripts come long after the text."""
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, is_mobile=True, has_touch=True
    )
    tab = context.new_page()
    tab.set_default_timeout(120_000)
    line = context.new_cdp_session(tab)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW_LINE)
    tab.goto(address + page)
    shift = tab.evaluate("""async () => {
      await document.fonts.ready;
      let sum = 0;
      new PerformanceObserver(list => list.getEntries().forEach(e => { if (!e.hadRecentInput) sum += e.value; }))
        .observe({ type: "layout-shift", buffered: true });
      await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
      return sum;
    }""")
    context.close()
    assert shift < 0.05


def test_a_table_that_no_phone_has_room_for_scrolls_from_the_start():
    box = '<div class="pst-scrollable-table-container"><table class="t"><tr>{}</tr></table></div>'
    many = "<td><p>everything</p></td>" * 5
    formulas = '<td><span class="katex">everything</span></td>' * 5
    apart = "<td>every-thing, every/thing</td>" * 5
    told = extension("wide_tables").marked("".join(map(box.format, (many, formulas, apart))))
    assert told.count(' tabindex="0"') == 1
    assert told.replace(' tabindex="0"', "", 1) == "".join(map(box.format, (many, formulas, apart)))
    assert told.index(' tabindex="0"') < told.index("<table")


def test_such_tables_do_scroll_on_a_phone_and_give_their_mark_back_elsewhere(
    browser, html, address
):
    """What the build marks, the script would have marked: nothing is laid out anew."""
    marked = '<div class="pst-scrollable-table-container" tabindex="0">'
    told = {name: (html / name).read_text(encoding="utf-8").count(marked) for name in HTML_PAGES}
    assert told["book/start/get-the-course.html"] == 1
    for width in (430, 1280):
        page = browser.new_page(viewport={"width": width, "height": 900})
        for name in (name for name, count in told.items() if count):
            page.goto(address + name)
            page.keyboard.press("Tab")  # every box is measured
            boxes = page.locator(".pst-scrollable-table-container[tabindex]")
            wide = boxes.evaluate_all("all => all.map(box => box.scrollWidth > box.clientWidth)")
            assert all(wide), name
            assert width > 430 or len(wide) >= told[name], name
        page.close()


@pytest.mark.parametrize("kept", ["light", "dark", None])
def test_the_mode_is_known_before_anything_is_drawn(browser, address, kept):
    """No flash of the other mode: no script has to be fetched for it."""
    context = browser.new_context(color_scheme="dark")
    tab = context.new_page()
    tab.route("**/*.js*", lambda route: route.abort())
    if kept:
        tab.add_init_script(f"localStorage.mode = localStorage.theme = '{kept}'")
    tab.goto(address + "book/index.html")
    assert tab.evaluate("document.documentElement.dataset.theme") == (kept or "dark")
    context.close()


def test_letters_of_the_pages_are_in_their_fonts(html, sheet):
    """What a page writes in its own words is in the range of the fonts it was cut to."""
    ranges = []
    for face in FACE.findall(sheet):
        if "source-serif" in face and "normal" in face:
            for part in re.search(r"unicode-range:([^;}]*)", face)[1].split(","):
                low, _, high = part.strip()[2:].partition("-")
                ranges.append((int(low, 16), int(high or low, 16)))
    missing = set()
    for page in HTML_PAGES:
        text = (html / page).read_text(encoding="utf-8")
        for paragraph in re.findall(r"<p>([^<]*)</p>", text):
            missing |= {c for c in paragraph if not any(a <= ord(c) <= b for a, b in ranges)}
    assert {c for c in missing if not c.isspace()} <= set("∗∂√∞≈")


@pytest.fixture(scope="module")
def styles():
    return extension("styles")


SHEET = """
:root { --read: 1px; --unread: 2px; }
@charset "utf-8";
.on-page > a:hover::before, .nowhere { margin: var(--read) }
.made-by-script { color: red !important }
:is(.nowhere, #here) b { top: 0 }
:is(.nowhere) b { top: 1px }
video { width: 1px }
a:not(.nowhere) { left: url("data:a  b") }
.gm-new { left: 0 }
@media print { .nowhere { a: b } p { animation: turns 1s } }
@keyframes turns { to { rotate: 1turn } }
@keyframes still { to { rotate: 1turn } }
@font-face { font-family: "Unused"; src: url(x.woff2) }
"""


def test_only_rules_that_could_match_stay(styles, tmp_path):
    known = styles.Vocabulary()
    known.read_page('<p id="here" class="on-page"><a href="#">x</a><b>y</b></p>')
    known.read_script("e.className = 'made-by-script';")
    (tmp_path / "one.css").write_text(SHEET, encoding="utf-8")
    text = styles.one_sheet(tmp_path, ["one.css"], known)
    for gone in ("unread", "nowhere{", "1px;top", "video", "still", "Unused", "top:1px", "charset"):
        assert gone not in text
    assert ".on-page > a:hover::before{margin:var(--read)}" in text
    assert ".made-by-script{color:red!important}" in text
    assert ":is(.nowhere, #here) b{top:0}" in text
    assert 'a:not(.nowhere){left:url("data:a  b")}' in text
    assert "@media print{p{animation:turns 1s}}@keyframes turns" in text


def test_only_scripts_that_a_page_loads_are_read(tmp_path):
    (tmp_path / "scripts").mkdir()
    for name, text in {
        "linked.js": "new Worker('worker.js')",
        "worker.js": "worked",
        "alone.js": "import 'alone.js'; 'linked.js'",
        "scripts/theme.js": "themed",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    pages = [
        '<script defer src="../_static/linked.js?v=1"></script>',
        '<script src="_static/x.js">',
    ]
    pages.append('<script src="../_static/scripts/theme.js"></script>')
    found = extension("page_load").scripts_of(tmp_path, pages)
    assert sorted(found) == ["new Worker('worker.js')", "themed", "worked"]


def test_an_unknown_kind_of_style_is_told(styles):
    with pytest.raises(ValueError, match="does not know"):
        list(styles.rules("@unheard-of x { a { b: c } }", styles.Vocabulary()))
