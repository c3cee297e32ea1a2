"""The class report: one page that says how a class did and what to teach again.

It is a single HTML file without scripts that asks for nothing else. The modules beside this one
compute facts from the records, the templates show them. All that comes from submissions is
hostile text: the facts hold it shortened and without controls, the templates escape it, and where
names are hidden it is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from autograder.checking.colors import DARK, LIGHT, declarations
from autograder.grading.graded import Graded
from autograder.grading.similarity import alike
from autograder.outlets.report import words
from autograder.outlets.report.look import confinement, done, remarks, similar
from autograder.outlets.report.mistakes import own_mistakes, reteach, unnamed
from autograder.outlets.report.people import Room, label
from autograder.outlets.report.points import exercises, headline, scores, students
from autograder.outlets.report.times import times
from autograder.outlets.report.words import LOOK_NAMES
from autograder.outlets.templates import environment

__all__ = ["LOOK_NAMES", "class_report"]


def class_report(
    assignment: str,
    graded: Sequence[Graded],
    *,
    names: Mapping[str, str] | None = None,
    hide_names: bool = False,
    when: datetime | None = None,
) -> str:
    """The report on one assignment as an HTML page that needs nothing else.

    ``graded`` has one record of each submission, in any order. ``names`` says what to call
    students other than by their identifier. With ``hide_names`` they are numbered in an order that
    tells nothing, and no text that comes from a submission is shown. ``when`` is the date to print,
    None for none; the same arguments give the same page. Raises ValueError where a record belongs
    to another assignment or a student has two.
    """
    _require_one_each(assignment, graded)
    records, labels = label(graded, names or {}, hide_names)
    groups = alike({r.student: r.fingerprints for r in records if r.fingerprints})
    flagged = frozenset(record.student for record in records if record.needs_look)
    flagged |= {student for group in groups for student in group.students}
    room = Room(records, labels, hide_names, groups)
    scored = replace(room, records=[record for record in records if not record.no_grade])
    facts = {
        "headline": headline(room, scored, flagged),
        "confinement": confinement(records),
    }
    if records:
        facts |= {
            "reteach": reteach(scored),
            "scores": scores(scored) if scored.records else None,
            "exercises": exercises(scored),
            "unnamed": unnamed(scored),
            "own": own_mistakes(scored),
            "remarks": remarks(room),
            "done": done(room),
            "similar": similar(room),
            "times": times(room),
            "students": students(room, flagged),
        }
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            assignment=words.clean(assignment, 100),
            style=_style(),
            when=when,
            hidden=hide_names,
            by_hand=any(record.written for record in records),
            size=room.size,
            **facts,
        )
    )


def _require_one_each(assignment: str, graded: Sequence[Graded]) -> None:
    for record in graded:
        if record.assignment != assignment:
            raise ValueError(
                f"The grade of {record.student!r} is one of {record.assignment}, not of "
                f"{assignment}: make one report for each assignment."
            )
    twice = [s for s, count in Counter(record.student for record in graded).items() if count > 1]
    if twice:
        raise ValueError(
            f"There are several grades of {', '.join(map(repr, sorted(twice)))}: give the newest."
        )


@cache
def _templates() -> Environment:
    templates = environment(__name__)
    templates.filters |= {
        "many": words.many,
        "number": words.number,
        "share": words.share,
        "seconds": words.seconds,
        "clean": words.clean,
        "whole": "{:,}".format,
        "percent": "{:.2f}%".format,
        "pixels": "{:.1f}".format,
    }
    return templates


@cache
def _style() -> Markup:
    """Variables of both modes, then the rules. What is printed is light.

    This is the only text that templates do not escape: it is the package's own.
    """
    folder = files(__name__)
    rules, font = (
        (folder / name).read_text(encoding="utf-8") for name in ("report.css", "font.css")
    )
    return Markup(
        f"{font}\n:root{{{declarations(LIGHT)};--accent:var(--gm-right);--alarm:var(--gm-wrong)}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{declarations(DARK)}}}}}\n{rules}"
    )
