"""``results.json`` for Gradescope: of one graded notebook, and of a class."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.checking.points import rounded
from autograder.checking.render import as_text
from autograder.grading.graded import Graded
from autograder.outlets.exports.files import write
from autograder.outlets.exports.marks import Mark
from autograder.outlets.exports.tables import number, printable
from autograder.outlets.exports.texts import (
    about_submission,
    by_person,
    remarks,
    said_of,
    verdicts_by_exercise,
)


def results_of(graded: Graded, hand_graded: Mapping[str, float] = {}) -> dict:
    """Gradescope's ``results.json`` for one graded notebook, one test per exercise.

    ``hand_graded`` gives the points of the questions that a person grades. These, and those in
    ``graded.written``, are named on top and are no tests: Gradescope marks a test with less than
    its ``max_score`` as failed, and a test without a score needs a status, passed or failed; an
    answer that waits is neither. Their points belong to questions of their own, made with
    Gradescope's "Manual grading". So the score is out of ``graded.max_points``, which is what the
    assignment's autograder points have to be.
    """
    about = remarks(graded)
    if questions := by_person(graded, hand_graded):
        names = ", ".join(
            name if most is None else f"{name} ({number(most)})" for name, most in questions.items()
        )
        about.append(f"Graded by a person, points not counted here: {names}.")
    tests = [
        _test(verdict.exercise, verdict.points, verdict.max_points, as_text(verdict))
        for verdict in graded.verdicts
    ]
    return _results(tests, graded.points, about, graded.seconds)


def gradescope(mark: Mark) -> dict:
    """One student's ``results.json`` from the gradebook: graded answers, lateness and all."""
    verdicts = verdicts_by_exercise(mark)
    tests = [
        _test(
            part.exercise,
            part.points,
            part.max_points,
            said_of(part, verdicts.get(part.exercise)),
        )
        for part in mark.parts
        if not part.waits
    ]
    return _results(
        tests, mark.points, about_submission(mark), mark.graded.seconds if mark.graded else 0.0
    )


def _test(name: str, points: float, max_points: float, output: str) -> dict:
    """One test of a ``results.json``. Its text is shown as it is: nothing in it is rendered."""
    return {
        "name": printable(name),
        "score": rounded(points),
        "max_score": rounded(max_points),
        "output": printable(output),
        "output_format": "text",
        "visibility": "visible",
    }


def _results(tests: list[dict], score: float, about: list[str], seconds: float) -> dict:
    """A whole ``results.json``. The score stands on top, because it overrides the tests' sum.

    What is printed while grading stays with the instructor: it may name paths of the machine.
    """
    return {
        "score": rounded(score),
        "execution_time": round(seconds, 3),
        "output": printable("\n".join(about)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


EMAILS = "emails.json"
"""In the folder for Gradescope: which student has which email, by which Gradescope knows them."""


def write_results(folder: Path, students: Sequence[Mark]) -> tuple[int, list[str]]:
    """Write a folder for each student and ``EMAILS``.

    Returns how many were written, and a sentence for everybody who was not, or whom Gradescope
    cannot know. Raises CourseError.
    """
    written, said = 0, []
    emails: dict[str, str] = {}
    same = Counter(mark.email.strip().casefold() for mark in students)
    for mark in students:
        if mark.student in (".", "..", EMAILS) or re.search(r"[/\\\0]", mark.student):
            said.append(f"{mark.student!r}: not exported, no folder can have this name.")
            continue
        text = json.dumps(gradescope(mark), indent=1)
        write(folder / mark.student / "results.json", text + "\n")
        written += 1
        email = mark.email.strip().casefold()
        if email and same[email] == 1:
            emails[email] = mark.student
        else:
            why = f"more than one student has the email {email}" if email else "it has no email"
            said.append(f"{mark.student}: Gradescope cannot know whose this is, {why} here.")
    write(folder / EMAILS, json.dumps(emails, indent=1) + "\n")
    return written, said
