"""A name of an exercise leads to the exercise, and from the exercise a link to its hints."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from docutils.core import publish_doctree
from site_pages import HTML_PAGES, extension

from autograder.course.gated_memory import COURSE

ASKED = {name: [e.name for e in group] for name, group in COURSE.assignments.items()}
IN_CHAPTERS = [name for group, names in ASKED.items() if group != "bughunt" for name in names]

TEXT = """\
Title with ``step``
===================

A first ``step``, a second ``step``, ``step(x)``, ``stepped`` and `a link to <there>`_ it.

.. _there: elsewhere

.. rubric:: A line that unfolds, with ``step``

.. admonition:: Now you: ``step``

   Write ``step(x, h)``.

Another
-------

Here ``step`` again, beside ``jump``.
"""


@pytest.fixture
def linked():
    """Links of a text as they are made on one of the site's pages: their address and their words."""

    def go(page, text=TEXT):
        doctree = publish_doctree(text)
        app = SimpleNamespace(
            env=SimpleNamespace(docname=page),
            builder=SimpleNamespace(get_relative_uri=lambda here, there: f"{there}.html"),
            gm_exercise_pages={"step": "notebooks/one/one", "jump": "notebooks/two/two"},
        )
        extension("exercise_links").link_names(app, doctree)
        return [
            (node["refuri"], node.astext())
            for node in doctree.findall(lambda node: node.tagname == "reference")
            if "#exercise-" in node.get("refuri", "")
        ]

    return go


STEP, JUMP = "notebooks/one/one.html#exercise-step", "notebooks/two/two.html#exercise-jump"


def test_the_first_mention_in_every_section_and_box_is_a_link(linked):
    found = [(STEP, "step"), (STEP, "step(x, h)"), (STEP, "step"), (JUMP, "jump")]
    assert linked("book/gru/page") == found


def test_an_exercise_page_links_its_own_exercises_alone(linked):
    assert {address for address, _ in linked("notebooks/one/one")} == {STEP}


@pytest.mark.parametrize("page", ["solutions/one", "book/teach/page"])
def test_other_pages_stay_as_they_are(linked, page):
    assert linked(page) == []


def page_of(html, name) -> BeautifulSoup:
    return BeautifulSoup((html / name).read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("assignment", ASKED)
def test_every_exercise_has_an_anchor_and_leads_to_its_hints(html, assignment):
    page = page_of(html, f"notebooks/{assignment}/{assignment}.html")
    for name in ASKED[assignment]:
        box = page.find(id=f"exercise-{name}")
        assert box.find("code").get_text() == name
        (link,) = box.find_all("a", href=f"#hints-{name}")
        hints = page.find("details", id=f"hints-{name}")
        assert link.get_text() == "hints" and hints.summary.get_text().startswith("Hint")
        following = box.find_next("details", id=lambda found: found and found[:6] == "hints-")
        assert following is hints


def test_the_chapters_lead_to_every_exercise(html):
    chapters = [p for p in HTML_PAGES if p.startswith("book/") and not p.startswith("book/back/")]
    hrefs = [a["href"] for name in chapters for a in page_of(html, name).select("article a[href]")]
    led = {href.rpartition("#exercise-")[2] for href in hrefs if "#exercise-" in href}
    assert led == set(IN_CHAPTERS)


def test_every_exercise_at_a_glance_leads_to_itself(html):
    names = page_of(html, "book/back/exercises.html").select("article td:first-child code")
    found = {code.get_text(): code.parent.get("href") for code in names}
    assert found == {
        name: f"../../notebooks/{group}/{group}.html#exercise-{name}"
        for group, group_names in ASKED.items()
        for name in group_names
    }
