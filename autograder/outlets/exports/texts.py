"""What a student is told of a submission, as plain text."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.checking.render import as_text
from autograder.checking.verdict import Verdict
from autograder.grading.graded import Graded
from autograder.material.remarks import REPAIRED
from autograder.outlets.exports.marks import Mark, Part, so_far
from autograder.outlets.exports.tables import number


def feedback(mark: Mark) -> str:
    """The diagnoses as plain text, with what a person or the deadline did to the points."""
    verdicts = verdicts_by_exercise(mark)
    return "\n\n".join(
        [
            *about_submission(mark),
            *(said_of(part, verdicts.get(part.exercise)) for part in mark.parts),
        ]
    )


def about_submission(mark: Mark) -> list[str]:
    """What there is to say about the whole submission."""
    pieces = [] if mark.graded is None else remarks(mark.graded)
    if not mark.handed_in:
        pieces.append("Nothing was handed in.")
    if mark.waiting:
        pieces.append(f"These are {so_far(mark)}")
    if mark.penalty:
        pieces.append(f"Handed in late: {number(mark.penalty)} points less.")
    return pieces


def verdicts_by_exercise(mark: Mark) -> dict[str, Verdict]:
    """What the checks said, empty where another engine graded."""
    return {} if mark.graded is None else {v.exercise: v for v in mark.graded.verdicts}


def remarks(graded: Graded) -> list[str]:
    """What the student should know about the whole submission."""
    return [remark.says for remark in graded.remarks if remark.kind != REPAIRED]


def said_of(part: Part, verdict: Verdict | None) -> str:
    """What is said of one graded cell."""
    if part.waits:
        return f"{part.exercise}: waits for a person, {number(part.max_points)} points at most"
    score = f"{number(part.points)} of {number(part.max_points)} points"
    if verdict is None:
        return f"{part.exercise}: {score}"
    text = as_text(verdict)
    if abs(verdict.points - part.points) >= 0.005:
        text += f"\n  Points changed by a person: {score}."
    return text


def by_person(graded: Graded, hand_graded: Mapping[str, float]) -> dict[str, float | None]:
    """The questions that a person grades, with their points where these are known."""
    return {name: None for name, _ in graded.written} | dict(hand_graded)
