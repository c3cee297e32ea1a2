"""Every letter of every figure can be read on a phone, and what is wider than it scrolls in a box."""

import pytest
from site_pages import HTML_PAGES

SMALL = (360, 780)
"""A phone of the smaller kind, in CSS pixels."""

LEAST = 10
"""Pixels."""


@pytest.fixture
def narrow(visit, address):
    return lambda page: visit(address + page, size=SMALL).page


@pytest.mark.parametrize("page", HTML_PAGES)
def test_letters_of_figures_can_be_read_on_a_phone(narrow, page):
    small = narrow(page).evaluate(
        """least => {
      for (const fold of document.querySelectorAll("article details")) fold.open = true;
      const found = [];
      for (const e of document.querySelectorAll("article svg :is(text, tspan)")) {
        const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
        const drawing = e.ownerSVGElement;
        if (!own || !e.checkVisibility() || !drawing.getBoundingClientRect().width) continue;
        const at = e.closest("text").getScreenCTM();
        const size = parseFloat(getComputedStyle(e).fontSize) * Math.sqrt(Math.abs(at.a * at.d - at.b * at.c));
        if (size < least) found.push([size.toFixed(1), e.textContent, drawing.getAttribute("aria-label")?.slice(0, 60)]);
      }
      return found;
    }""",
        LEAST,
    )
    assert small == []


@pytest.mark.parametrize("page", HTML_PAGES)
def test_no_page_is_wider_than_a_small_phone(narrow, page):
    """Tables, code and wide figures scroll in boxes of their own."""
    found = narrow(page).evaluate("""() => {
      const width = document.documentElement.clientWidth;
      const boxed = e => {
        for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
          if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(p).overflowX)) return true;
        return false;
      };
      const wide = [...document.querySelectorAll("main :is(table, pre, figure, svg, img, p, li, code, mjx-container, .katex)")]
        .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > width + 1 && !boxed(e)
          && !e.closest("mjx-assistive-mml"));
      return { page: document.documentElement.scrollWidth - width, wide: wide.map(e => e.outerHTML.slice(0, 120)) };
    }""")
    assert found == {"page": 0, "wide": []}


def test_one_drawing_of_a_plot_is_seen_on_each_screen(visit, address):
    """Wide on a desk, narrow on a phone, and never both, to a screen reader neither."""
    page = "book/start/primer.html"
    look = """() => [...document.querySelectorAll(".gm-figure > svg.gm-wide, .gm-figure > svg.gm-narrow")]
      .filter(e => e.checkVisibility()).map(e => e.getAttribute("class"))"""
    assert set(visit(address + page).page.evaluate(look)) == {"gm-wide"}
    assert set(visit(address + page, size=SMALL).page.evaluate(look)) == {"gm-narrow"}
