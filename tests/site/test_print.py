"""A page on paper: its title first, what was folded open, nothing that stands around the text."""

import pytest
from site_pages import EXERCISES

PAGE = "book/gru/two-gates.html"


@pytest.fixture(scope="module")
def sheet(visit, address):
    page = visit(address + PAGE, own=True).page
    page.emulate_media(media="print")
    return page


def test_begins_with_its_title(sheet):
    heading = sheet.locator("article h1").bounding_box()
    first = sheet.locator("article p").first.bounding_box()
    assert heading["y"] < first["y"] and heading["y"] < 200
    assert sheet.locator("#jb-print-toc").count() == 0


def test_shows_the_text_alone(sheet):
    around = (
        ".bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .gm-way-end, .gm-footer"
    )
    shown = sheet.evaluate(
        "around => [...document.querySelectorAll(around)].filter(e => e.checkVisibility()).length",
        around,
    )
    assert shown == 0
    width = sheet.evaluate(
        "document.querySelector('article').getBoundingClientRect().width / innerWidth"
    )
    assert width > 0.9


def test_folds_are_open_without_a_script_too(sheet):
    """By the style alone, and for browsers whose folds it cannot open, by the script before printing."""
    closed = "document.querySelectorAll('details:not([open])').length"
    before = sheet.evaluate(closed)
    assert before > 3
    heights = sheet.evaluate(
        """[...document.querySelectorAll("details:not([open]) > :not(summary)")]
             .map(one => one.getBoundingClientRect().height)"""
    )
    assert all(height > 10 for height in heights)
    sheet.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert sheet.evaluate(closed) == 0
    sheet.evaluate("dispatchEvent(new Event('afterprint'))")
    assert sheet.evaluate(closed) == before


def test_folded_code_is_seen_at_once_when_the_script_opens_it(sheet):
    """A printer does not wait for it to fade in."""
    sheet.emulate_media(media="print", reduced_motion="no-preference")
    seen = sheet.evaluate(
        """() => {
          dispatchEvent(new Event("beforeprint"));
          const code = [...document.querySelectorAll("details.hide > :not(summary)")];
          const seen = code.map(one => getComputedStyle(one).opacity);
          dispatchEvent(new Event("afterprint"));
          return seen;
        }"""
    )
    assert seen and set(seen) == {"1"}


def test_code_is_wrapped_and_buttons_are_left_out(sheet):
    found = sheet.evaluate(
        """() => ({
          wide: [...document.querySelectorAll("article pre")].filter(e => e.scrollWidth > e.clientWidth + 1).length,
          buttons: [...document.querySelectorAll("article button")].filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 80)),
        })"""
    )
    assert found == {"wide": 0, "buttons": []}


def test_an_open_editor_is_printed_whole_and_wrapped(visit, address, parts):
    """On a screen it holds the lines that can be seen, and scrolls; on paper it holds all, none cut off."""
    page = visit(address + EXERCISES[0] + ".html", own=True).page
    page.get_by_role("button", name="Write your answer here").first.click()
    editor = page.locator(".cm-editor").first
    editor.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("\n".join(f"line_{k} = {k}  # {'long ' * 60}" for k in range(150)))
    assert editor.locator(".cm-line").count() < 100
    page.emulate_media(media="print")
    page.wait_for_function("document.querySelectorAll('.cm-editor .cm-line').length === 150")
    cut_off = editor.evaluate(
        """editor => [editor, ...editor.querySelectorAll(".cm-scroller, .cm-content, .cm-line")]
             .filter(one => one.scrollWidth > one.clientWidth + 1).length"""
    )
    assert cut_off == 0
    last = editor.locator(".cm-line").last.bounding_box()
    box = editor.bounding_box()
    assert last["y"] + last["height"] <= box["y"] + box["height"] + 1
