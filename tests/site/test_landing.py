"""The landing page: what one gets is on the first screen, and nothing of it is made up."""

import re
from pathlib import Path

import pytest
from site_pages import PHONE, least_letter

from autograder.material.config import find_course
from autograder.material.notebooks import exercise_table

BOOK = Path(__file__).parents[2] / "book"
INDEX = "book/index.html"
FIRST_SCREEN = (
    "#gated-memory > h1",
    ".gm-subtitle",
    ".gm-facts",
    ".gm-begin a",
    ".gm-check",
    ".gm-parts",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_screen_holds_what_it_is_for_whom_how_long_and_the_check(visit, address, scheme):
    page = visit(address + INDEX, scheme, (1280, 800)).page
    for part in FIRST_SCREEN:
        box = page.locator(part).first.bounding_box()
        assert box and box["y"] + box["height"] <= 800, part
    facts = page.locator("dl.gm-facts dt").all_inner_texts()
    assert facts == ["For whom", "How long", "In the end"]
    assert page.locator(".gm-begin a").count() <= 2


def test_two_screens_of_a_phone_hold_the_same(visit, address):
    page = visit(address + INDEX, "light", PHONE).page
    box = page.locator(".gm-parts").bounding_box()
    assert box["y"] + box["height"] <= 2 * PHONE[1]
    assert least_letter(page, ".gm-first, .gm-parts") >= 10
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_the_hours_are_those_of_the_chapters_and_exercises(html):
    text = (html / INDEX).read_text(encoding="utf-8")
    facts = re.sub(r"<[^>]*>", "", text[text.index("gm-facts") :].split("</dl>")[0])
    read, written, exercises = map(int, re.findall(r"\d+", facts)[:3])
    chapters = [BOOK / f"{name}.md" for name in re.findall(r"file: book/(\S+)", toc())]
    minutes = [
        int(found[1])
        for chapter in chapters
        if chapter.parent.name not in ("teach", "back")
        and (found := re.search(r"^About (\d+) minutes", chapter.read_text("utf-8"), re.M))
    ]
    assert read == round(sum(minutes) / 60)
    rows = exercise_table(find_course())
    assert written == round(sum(row.minutes for row in rows) / 60)
    assert exercises > 30


def toc() -> str:
    return (BOOK.parent / "_toc.yml").read_text(encoding="utf-8")


def test_every_part_of_the_course_is_named_with_a_line(html):
    text = (html / INDEX).read_text(encoding="utf-8")
    parts = text[text.index("gm-parts") :].split("</ul>")[0]
    named = re.findall(r">([^<>]+)</a>|<span[^>]*>([^<]+)</span></a>", parts)
    names = ["".join(pair).strip() for pair in named]
    captions = re.findall(r"caption: (.+)", toc())
    assert names == [c for c in captions if c not in ("Back", "Solutions")]
