"""Predict, then look: what a choice says in a browser, for eye, ear and keyboard, and without a script."""

import gzip
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

STATIC = Path(__file__).parents[2] / "book" / "_static"
PAGE = "book/start/sequences-and-state.html"
CHAPTERS = (
    "start/sequences-and-state memory/vanilla-rnn memory/why-it-forgets "
    "lstm/a-cell-that-carries-memory lstm/what-the-lstm-costs gru/two-gates gru/many-spellings "
    "gru/gradients-through-gates gru/from-cell-to-layer gru/training-recurrent-nets"
).split()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_asks_four_times_and_leads_to_its_results(html, chapter):
    page = BeautifulSoup((html / "book" / f"{chapter}.html").read_text("utf-8"), "html.parser")
    boxes = page.select(".gm-predict")
    assert len(boxes) >= 4
    for box in boxes:
        assert len(box.select("label")) == len(box.select("details li")) in (2, 3, 4)
        assert len(box.select(".gm-right")) == 1
        assert page.find(id=box.select_one(".gm-told")["data-look"])
    assert sum("gm-predict.js" in script.get("src", "") for script in page.select("script")) == 1


def test_a_page_without_questions_loads_nothing_for_them(html):
    assert "gm-predict" not in (html / "book/start/how-to.html").read_text("utf-8")


def test_the_script_is_small():
    assert len(gzip.compress((STATIC / "gm-predict.js").read_bytes())) <= 1500


def test_a_choice_is_answered_and_leads_to_the_result(visit, address):
    page = visit(address + PAGE, size=(390, 780), own=True).page
    box = page.locator(".gm-predict").first
    told = box.get_by_role("status")
    assert told.inner_text() == "" and not box.locator("ul").is_visible()
    radios, marks = (
        box.get_by_role("radio"),
        box.locator("details li .gm-right, details li .gm-wrong"),
    )
    right = [text.endswith("Right.") for text in marks.all_text_contents()]

    radios.first.focus()
    for k in range(radios.count()):
        page.keyboard.press("Space" if k == 0 else "ArrowDown")
        assert radios.nth(k).is_checked()
        mark, because = "✓ Right." if right[k] else "✗ Not so.", box.locator("details li").nth(k)
        assert told.inner_text().startswith(mark)
        assert because.locator("span").last.text_content() in told.text_content()
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0

    told.get_by_role("link").click()
    assert page.url.endswith("#" + told.get_attribute("data-look"))
    assert page.evaluate("() => document.activeElement.id") == told.get_attribute("data-look")


def test_without_a_script_and_in_print_the_answers_are_there(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + PAGE)
    box = page.locator(".gm-predict").first
    assert not box.locator("input").first.is_visible()
    box.locator("summary").click()
    assert box.locator("details li").first.is_visible()
    box.locator("summary").click()
    page.emulate_media(media="print")
    assert box.locator("details li").first.is_visible()
    context.close()
