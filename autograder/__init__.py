"""Checks for the exercises of the course Gated Memory.

``check(update_gate)`` is all a student calls. Importing this package does not import torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from autograder.checking.verdict import Verdict

__all__ = ["Verdict", "check", "grade"]


def grade(code: Callable, name: str | None = None) -> Verdict:
    """Check a function or class and return the verdict.

    ``name`` says which exercise it answers; by default the name it was defined with. Raises
    LookupError when there is no such exercise.
    """
    from autograder.checking.judge import judge
    from autograder.course import exercises

    if not callable(code):
        raise TypeError(
            f"check needs the function itself, not {type(code).__name__}: "
            "write check(update_gate), without calling it."
        )
    exercise = exercises.get(name or getattr(code, "__name__", type(code).__name__))
    return judge(exercise, lambda drawn: exercise.play(code, drawn))


def check(code: Callable, name: str | None = None) -> Verdict | float:
    """Check a function or class, right under its code.

    In a notebook the verdict is shown as a card, in a terminal as text. When nbgrader executes
    the notebook, the diagnosis is printed on standard output and the points are returned as a
    plain float, which is how an nbgrader test cell reports partial credit.
    """
    verdict = grade(code, name)
    if os.environ.get("NBGRADER_EXECUTION"):
        print(verdict)
        return float(verdict.points)
    return verdict
