"""What a player may ask of the judge: right answers of functions that a student built on and got wrong.

It is asked in one player, which is asked nothing afterwards, and only for what the exercise at hand
builds on: nothing that it could earn points with is among the answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from autograder.checking.record import Exercise, Inputs
from autograder.player import contract
from autograder.player.observe import first_line

MOST_ASKED = 8_000
"""Questions in one exercise; a right answer to the longest sequence asks some hundreds."""

TIMES_AS_LARGE = 4
"""How many times as many numbers as a whole input one question may have: four gates at once."""


class Answers:
    """Answers for the functions of some exercises, which all have an answer in NumPy.

    ``inputs`` are those on which the exercise at hand is tried. Calling it raises ValueError for a
    question that is none.
    """

    def __init__(self, exercises: Iterable[tuple[Exercise, Inputs]], inputs: Iterable[Inputs]):
        self.known = {exercise.name: exercise for exercise, _ in exercises}
        self.names = {exercise.name: tuple(drawn) for exercise, drawn in exercises}
        self.most = TIMES_AS_LARGE * max(map(_numbers, inputs))
        self.left = MOST_ASKED

    @property
    def asked(self) -> dict[str, dict]:
        """What a player has to know of each function: the names of its inputs, what it returns."""
        return {
            name: {"names": list(self.names[name]), "returns": contract.plain(exercise.returns)}
            for name, exercise in self.known.items()
        }

    def __call__(self, question: Mapping) -> dict:
        """The outputs of one call, or what it raises."""
        self.left -= 1
        exercise, inputs = self.known.get(question["ask"]), question["inputs"]
        if self.left < 0 or exercise is None or tuple(inputs) != self.names[exercise.name]:
            raise ValueError("no question")
        if _numbers(inputs) > self.most or exercise.in_numpy is None:
            raise ValueError("too large a question")
        try:
            with np.errstate(all="ignore"):
                value = exercise.in_numpy(**inputs)
            return {"outputs": exercise.returns.flatten(value)}  # type: ignore[attr-defined]
        except Exception as error:  # as a student's own function would on such inputs
            return {"raises": first_line(error)}


def _numbers(inputs: Mapping) -> int:
    """How many numbers inputs hold. Raises ValueError for what is no input."""
    count = 0
    for value in inputs.values():
        if isinstance(value, Mapping):
            count += _numbers(value)
        elif isinstance(value, np.ndarray):
            count += math.prod(value.shape)
        elif isinstance(value, bool | int | float):
            count += 1
        elif value is not None and not isinstance(value, str | list | tuple):
            raise ValueError("no input")
    return count
