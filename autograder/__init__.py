"""Checks for the exercises of a course.

``check(a_function)`` is all a student calls. Importing this package imports neither torch nor a
course; the course is found when it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.checking.record import Exercise
    from autograder.checking.render import Misuse
    from autograder.checking.verdict import Verdict

__all__ = ["begin", "check", "convert", "grade"]

_asked: dict[str, Exercise] = {}
"""The exercises of the notebook at hand, where it has said which they are."""


def begin(assignment: str, *, course: str, points: Mapping[str, float]) -> None:
    """Say what the notebook at hand asks for; a released notebook does so in its first cell.

    ``points`` are what each exercise is worth, by its name. Raises LookupError where the course is
    not installed or has no such exercise.
    """
    from autograder.checking import courses

    asked = courses.find(course).asked(assignment, points.items())
    _asked.clear()
    _asked.update({exercise.name: exercise for exercise in asked})


def _record(name: str, course: str | None) -> Exercise:
    from autograder.checking import courses
    from autograder.checking.course import no_exercise

    if course is not None:
        return courses.find(course).get(name)
    if not _asked:
        return courses.with_exercise(name).get(name)
    if name not in _asked:
        raise no_exercise(_asked, name)
    return _asked[name]


def grade(code: Callable, name: str | None = None, *, course: str | None = None) -> Verdict:
    """Check a function or class and return the verdict.

    ``name`` says which exercise it answers; by default the name it was defined with. ``course``
    is the course that asks for it; by default the one of the notebook at hand, else the one that
    has such an exercise. Raises LookupError when there is no such exercise, or are several.
    """
    return _verdict_on(_answered(code, name, course), code)


def _verdict_on(exercise: Exercise, code: Callable) -> Verdict:
    from autograder.checking import courses, locally
    from autograder.checking.render import card

    others = _asked or courses.find(exercise.course).records
    return card(locally.judged(exercise, code, others))


def _answered(code: object, name: str | None, course: str | None) -> Exercise:
    """The exercise that ``code`` answers. Raises TypeError for what is no function, and LookupError."""
    if isinstance(code, str):
        raise TypeError(f"check needs the function itself: write check({code}), without quotes.")
    if not callable(code):
        raise TypeError(
            f"check needs the function itself, not what it returns ({type(code).__name__}): "
            "write check(the_function), without calling it."
        )
    from autograder.checking.course import NoExercise

    called = name or str(getattr(code, "__name__", type(code).__name__))
    try:
        return _record(called, course)
    except NoExercise as error:
        if name is not None:
            raise
        raise NoExercise(
            f"{error.args[0]} Under another name, say which one it answers: "
            f'check({called}, "its name").'
        ) from None


def check(
    code: Callable, name: str | None = None, *, course: str | None = None
) -> Verdict | Misuse | float:
    """Check a function or class, right under its code.

    In a notebook the verdict is shown as a card, in a terminal as text. When nbgrader executes
    the notebook, the diagnosis is printed on standard output and the points are returned as a
    plain float, which is how an nbgrader test cell reports partial credit. What is no function, or
    answers no exercise, is told in one line.
    """
    from autograder.checking.render import Misuse

    verdict: Verdict | Misuse
    try:
        exercise = _answered(code, name, course)
    except (TypeError, LookupError) as error:
        verdict = Misuse(str(error.args[0]))
    else:
        verdict = _verdict_on(exercise, code)
    if os.environ.get("NBGRADER_EXECUTION"):
        print(verdict)
        return float(verdict.points)
    return verdict


def __getattr__(name: str):
    """``from autograder import convert``: the converters of the course that comes with this package."""
    if name == "convert":
        from autograder.course import convert

        return convert
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
