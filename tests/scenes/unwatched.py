"""A check of code that is the course's own, which a student's check would refuse."""

from __future__ import annotations

from collections.abc import Callable

from autograder.checking import courses
from autograder.checking.judge import judge
from autograder.checking.render import card
from autograder.checking.verdict import Verdict


def grade(code: Callable, name: str) -> Verdict:
    """The verdict on ``code`` as the answer to exercise ``name``, wherever it is from."""
    exercise = courses.with_exercise(name).get(name)
    return card(judge(exercise, lambda drawn: exercise.play(code, drawn)))
