"""The way through the course: where a page stands, what comes next, and what was read and solved.

Every page is told its part, its number in it, and the next page with the minutes it takes. What a
reader has read and solved is noted by ``gm-way.js`` in the browser and nowhere else.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

from autograder.material.config import course_of

OVERVIEW = "book/start/how-to"
"""The page with the whole way; written again in every build, for the minutes of the others."""
ASIDE = ("Teach", "Back", "Solutions")
"""Parts that are not on a reader's way from the first chapter to the last."""
MARKER = "<!-- the way -->"


@dataclass(frozen=True)
class Place:
    """A page on the way: its part, which of how many pages it is there, minutes (0: not said)."""

    page: str
    part: str
    number: int
    of: int
    minutes: int
    exercises: int
    """How many of its checks a browser can do."""

    @property
    def takes(self) -> str:
        kind = "exercises" if self.page.startswith("notebooks/") else ""
        time = f"about {minutes(self.minutes)}" if self.minutes else ""
        return ", ".join(filter(None, (kind, time)))


def minutes(count: int) -> str:
    """``25 minutes``, ``1 hour``, ``2½ hours``."""
    if count < 90 and count != 60:
        return f"{count} minutes"
    halves = round(count / 30)
    whole = f"{halves // 2}{'½' * (halves % 2)}"
    return f"{whole} hour{'' if whole == '1' else 's'}"


def minutes_of(text: str, notebook: bool) -> int:
    """What a page says that it takes: one number in a chapter, one for each exercise in a notebook."""
    if notebook:
        return sum(map(int, re.findall(r"(\d+) minutes · difficulty", text)))
    found = re.search(r"^About (\d+) minutes", text, re.M)
    return int(found[1]) if found else 0


def exercises_of(notebook: dict, course) -> int:
    ids = (
        cell["metadata"].get("nbgrader", {})
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    )
    checks = (told["grade_id"].removeprefix("check-") for told in ids if told.get("grade"))
    return sum(not course.get(name).needs_torch for name in checks)


def places(root: Path, site_map, course) -> list[Place]:
    """Every page of the contents in reading order, the landing page left out."""
    found = []
    for tree in site_map.root.subtrees:
        pages = tree.files()
        for number, page in enumerate(pages, 1):
            notebook = page.startswith("notebooks/")
            file = root / f"{page}{'.ipynb' if notebook else '.md'}"
            text = file.read_text(encoding="utf-8")
            checks = exercises_of(json.loads(text), course) if notebook else 0
            time = minutes_of(text, notebook)
            found.append(Place(page, tree.caption or "", number, len(pages), time, checks))
    return found


def find_places(app, env, docnames):
    root = Path(app.srcdir)
    app.gm_places = places(root, env.external_site_map, course_of(root))


def title(app, page: str) -> str:
    return escape(app.env.titles[page].astext())


def add_way(app, pagename, templatename, context, doctree):
    """What the templates of a page's head and end need: ``gm_place``, ``gm_next`` and ``gm_before``."""
    pages = [place.page for place in app.gm_places]
    on_the_way = pagename in pages
    if not on_the_way and pagename != app.config.root_doc:
        return
    at = pages.index(pagename) if on_the_way else -1
    context["gm_page"] = pagename
    context["gm_exercises"] = json.dumps(
        {p.page: p.exercises for p in app.gm_places if p.exercises}
    )
    if on_the_way:
        context["gm_place"] = app.gm_places[at]
    for name, other in (("gm_next", at + 1), ("gm_before", at - 1)):
        if 0 <= other < len(pages):
            place = app.gm_places[other]
            context[name] = {
                "title": title(app, place.page),
                "href": context["pathto"](place.page),
                "place": place,
            }
    beyond = at + 1 < len(pages) and app.gm_places[at + 1].part in ASIDE
    context["gm_is_last"] = on_the_way and beyond and app.gm_places[at].part not in ASIDE
    if MARKER in context.get("body", ""):
        context["body"] = context["body"].replace(MARKER, overview(app, context["pathto"]))


def link(address: str, text: str) -> str:
    """To another page; the name alone of the page it stands on."""
    return text if address == "#" else f'<a href="{escape(address)}">{text}</a>'


def overview(app, pathto) -> str:
    """The whole way as a list, part by part."""
    parts = dict.fromkeys(place.part for place in app.gm_places if place.part not in ASIDE)
    rows = []
    for part in parts:
        here = [place for place in app.gm_places if place.part == part]
        pages = "".join(
            f"<li>{link(pathto(place.page), title(app, place.page))}<span>{place.takes}</span></li>"
            for place in here
        )
        total = minutes(sum(place.minutes for place in here))
        rows.append(
            f"<li><p><strong>{escape(part)}</strong><span>{total}</span></p><ol>{pages}</ol></li>"
        )
    return f'<ol class="gm-way-list">{"".join(rows)}</ol>'


class TheWay(Directive):
    """Every page from the first chapter to the last with its minutes; marked by ``gm-way.js``."""

    def run(self):
        return [nodes.raw("", MARKER, format="html")]


def read_again(app, env, added, changed, removed):
    return [OVERVIEW] if OVERVIEW in env.found_docs else []


def setup(app):
    app.add_directive("the-way", TheWay)
    app.connect("env-get-outdated", read_again)
    app.connect("env-before-read-docs", find_places)
    # Before the theme, which drops what is empty by then.
    app.connect("html-page-context", add_way, priority=100)
