"""Follow-through: work that is right, given a wrong function that it builds on, keeps its points.

An answer that calls functions of the same notebook that are not right is tried once more, with right
ones in their place. What then is wrong is its own.
"""

from __future__ import annotations

from dataclasses import replace

from autograder.checking.verdict import Failure, Verdict

NO_ANSWER = ("not written", "undefined", "package", "course", "library", "autograd")
"""Failures that no other function is to blame for: such an answer is not tried once more."""


def is_tried_again(verdict: Verdict) -> bool:
    """Whether a wrong function beneath could be what fails."""
    return not verdict.passed and verdict.why.kind not in NO_ANSWER


def with_right_ones(verdict: Verdict, again: Verdict, wrong: tuple[str, ...]) -> Verdict:
    """What is said of an answer that builds on the functions ``wrong``, which are not right.

    ``verdict`` is what it did with them, ``again`` with right ones in their place.
    """
    names = " and ".join(wrong)
    ones = "a right one" if len(wrong) == 1 else "right ones"
    if again.passed:
        failure = Failure(
            "through",
            f"Your {again.exercise} is right; it fails through {names}, whose results are not right yet.",
            f"Tried with {ones} in place of yours, it gives the reference's results, so it keeps "
            "its points.",
            verdict.why.probe,
            verdict.why.sizes,
        )
        return replace(again, passed=False, failure=failure, through=wrong, part=None)
    if again.points < verdict.points or again.why.kind in NO_ANSWER:
        return verdict
    note = (
        f"The results of your {names} are not right yet. This is what {again.exercise} does with {ones} in place "
        "of yours: it is about its own lines."
    )
    return replace(again, through=wrong, notes=(note, *again.notes))
