"""Formulas are set while the site is built: nothing is left for the browser to set."""

import html as markup
import re
from types import SimpleNamespace

import pytest
from docutils import nodes
from site_pages import HTML_PAGES, NAMES, PHONE, ROOT

NOT_PROSE = re.compile(r"<(head|code|pre|script|style|svg|textarea)\b.*?</\1>", re.S)
MARKDOWN = re.compile(r".{0,30}(?:\*\w[^*\n]{0,60}\*|`[^`\n]+`|\]\(|\{\w+\}`).{0,30}")
TEX = re.compile(r".{0,30}(?:\\\(|\\\[|\\[a-zA-Z]{2,}|\$[^$\n]{1,80}\$).{0,40}")


@pytest.fixture(scope="module")
def formulas(monkeypatch_module):
    monkeypatch_module.syspath_prepend(str(ROOT / "book" / "_ext"))
    import formulas

    return formulas


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.mark.parametrize("page", HTML_PAGES)
def test_no_page_holds_raw_tex(html, page):
    """Neither as text, which a reader without script would see, nor beside the MathML."""
    text = (html / page).read_text(encoding="utf-8")
    title = re.search(r"<title>(.*?)</title>", text, re.S)[1]
    prose = markup.unescape(re.sub(r"<[^>]*>", "", NOT_PROSE.sub("", text)))
    assert TEX.findall(title) + TEX.findall(prose) == []
    assert "<annotation" not in text and "katex-error" not in text


@pytest.mark.parametrize("page", HTML_PAGES)
def test_no_page_holds_raw_markdown(html, page):
    """What a cell hands to a sentence, or to a table, is not read as Markdown again."""
    text = NOT_PROSE.sub("", (html / page).read_text(encoding="utf-8"))
    assert MARKDOWN.findall(markup.unescape(re.sub(r"<[^>]*>", "", text))) == []


def test_every_formula_is_there_to_see_and_to_hear(html):
    """The formulas of a page are as many as the boxes that were written for them."""
    for name in NAMES:
        text = (html / f"{name}.html").read_text(encoding="utf-8")
        boxes = len(re.findall(r'\bmath notranslate nohighlight"', text))
        assert text.count('<span class="katex-mathml"><math ') == boxes
        assert text.count('<span class="katex-html" aria-hidden="true">') == boxes


def test_what_cannot_be_set_is_told_with_its_formula(formulas, monkeypatch):
    # Not by way of Python's logging: what other tests build leaves Sphinx's part of it in any state.
    told: list[str] = []
    monkeypatch.setattr(
        formulas.logger, "warning", lambda says, *values, **where: told.append(says % values)
    )
    for tex, why in {
        r"\nonsense{x}": "nonsense",
        r"\frac{1": "end of input",
        r"\mathcal{L}": "mathcal",
        r"\href{https://example.org}{x}": "href",
        "ä^2": "Unicode",
    }.items():
        with pytest.raises(formulas.Unsettable, match=why):
            formulas.typeset(tex)
    formulas.set_or_warn(r"\nonsense", False, ("book/start/primer", 7))
    (says,) = told
    assert "formula cannot be set" in says and r"\nonsense" in says


def test_a_gate_keeps_its_color(formulas):
    assert 'class="enclosing gm-z"' in formulas.typeset(r"\class{gm-z}{z_t} = 1")


@pytest.mark.parametrize(
    "text, seen",
    [
        (r"h_t", "h_t"),
        ("a\\\\b", r"\begin{split}a\\b\end{split}"),
        (r"$\displaystyle x$", r"\displaystyle x"),
        ("a\n\nb", r"\begin{gathered}a\\b\end{gathered}"),
    ],
)
def test_the_lines_of_a_block(formulas, text, seen):
    assert formulas.whole(nodes.math_block("", text, nowrap=False)) == seen


def test_what_stands_at_a_formula_stays_with_it(formulas):
    line = nodes.paragraph("", "")
    line += [
        nodes.Text("the state ("),
        nodes.math("", "h"),
        nodes.Text("), then "),
        nodes.math("", "t"),
    ]
    line += nodes.Text("-th – and more")
    formulas.keep_together(SimpleNamespace(), line, "page")
    first, second = line.findall(nodes.math)
    assert (first["gm_before"], first["gm_after"], second["gm_after"]) == ("(", "),", "-th")
    assert [str(n) for n in line.children if isinstance(n, nodes.Text)] == [
        "the state ",
        " then ",
        " – and more",
    ]


def test_no_line_begins_with_the_point_behind_a_formula(visit, address):
    """At any width: the sign stands where the formula ends."""
    page = visit(address + "book/gru/two-gates.html", size=PHONE, own=True).page
    page.add_style_tag(content="section { content-visibility: visible !important }")
    parted = """() => [...document.querySelectorAll(".gm-glue")].filter(glue => glue.checkVisibility()
      && [glue.firstChild, glue.lastChild].some((text, end) => {
        const bases = [...glue.querySelectorAll(".katex-base")], range = document.createRange();
        if (text.nodeType !== Node.TEXT_NODE) return false;
        range.selectNodeContents(text);
        const sign = range.getBoundingClientRect(), base = bases.at(-end).getBoundingClientRect();
        return Math.abs(end ? sign.left - base.right : sign.right - base.left) > 3;
      })).map(glue => glue.textContent)"""
    for width in (320, 390, 450, 620):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(parted) == []
    assert page.locator(".gm-glue").count() > 50
