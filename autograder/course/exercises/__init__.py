"""The exercises of the course, one declared record each; see ``record.Exercise``."""

from __future__ import annotations

import difflib

from autograder.checking.record import Exercise
from autograder.course.exercises import bughunt, gradients, gru, lstm, rnn

ASSIGNMENTS: dict[str, tuple[Exercise, ...]] = {
    "rnn": rnn.EXERCISES,
    "lstm": lstm.EXERCISES,
    "gru": gru.EXERCISES,
    "gradients": gradients.EXERCISES,
    "bughunt": bughunt.EXERCISES,
}

_BY_NAME = {exercise.name: exercise for group in ASSIGNMENTS.values() for exercise in group}


def get(name: str) -> Exercise:
    """The exercise called ``name``; raises LookupError naming the nearest ones."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.5)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise LookupError(
        f"There is no exercise called {name!r}.{guess} There are: {', '.join(_BY_NAME)}."
    )


def is_exercise(name: str) -> bool:
    """Whether an exercise is called ``name``."""
    return name in _BY_NAME
