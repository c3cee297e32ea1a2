"""One graded notebook as plain JSON values, for GitHub Classroom and other tools."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.checking.points import rounded
from autograder.checking.render import as_text
from autograder.grading.graded import Graded
from autograder.outlets.exports.tables import printable
from autograder.outlets.exports.texts import by_person

SCHEMA_VERSION = 1
"""Of what ``verdicts_of`` gives; it goes up when a key changes its meaning or goes away."""


def verdicts_of(graded: Graded, hand_graded: Mapping[str, float] = {}) -> dict:
    """One graded notebook as plain JSON values, for GitHub Classroom and other tools.

    ``status``, ``max_score`` and ``tests`` are what GitHub Classroom's reporter reads of a result,
    so the file can be handed to it as it is. All points are rounded to two decimals.

    schema_version  1
    assignment      its name
    digest          SHA-256 of the notebook, hexadecimal; empty where there was none
    status          ``pass``: full marks of what the checks grade; else ``fail``
    score           points that the checks gave
    max_score       points that they can give
    tests           one for each exercise, in the assignment's order
      name          the exercise
      status        ``pass`` or ``fail``
      score, max_score
      kind          what went wrong, a kind of ``Failure``; null where nothing did
      mistake       the name of the recognized mistake, or null
      message       the verdict as text, several lines
      line_no       0, which tells GitHub's reporter that there is no line to show
    by_person       questions that a person grades, each with ``name`` and ``max_score`` (null where
                    it is not known); not part of the scores above
    remarks         what was noticed about the submission, each with ``kind`` (``LOOK`` in
                    ``autograder.grading.graded``, or ``repaired``) and a sentence ``says``
    needs_look      whether a remark deserves a person's look
    seconds         wall time of grading
    confinement     what kept the student's code apart, empty where nothing did
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "assignment": graded.assignment,
        "digest": graded.digest,
        "status": _status(all(verdict.passed for verdict in graded.verdicts)),
        "score": graded.points,
        "max_score": graded.max_points,
        "tests": [
            {
                "name": verdict.exercise,
                "status": _status(verdict.passed),
                "score": verdict.points,
                "max_score": rounded(verdict.max_points),
                "kind": verdict.failure.kind if verdict.failure else None,
                "mistake": verdict.mistake.name if verdict.mistake else None,
                "message": printable(as_text(verdict)),
                "line_no": 0,
            }
            for verdict in graded.verdicts
        ],
        "by_person": [
            {"name": name, "max_score": most}
            for name, most in by_person(graded, hand_graded).items()
        ],
        "remarks": [
            {"kind": remark.kind, "says": printable(remark.says)} for remark in graded.remarks
        ],
        "needs_look": graded.needs_look,
        "seconds": round(graded.seconds, 3),
        "confinement": list(graded.confinement),
    }


def _status(passed: bool) -> str:
    return "pass" if passed else "fail"
