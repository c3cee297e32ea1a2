"""What a player may ask of the judge: right answers of functions that a student built on and got wrong.

It is asked in one player, which is asked nothing afterwards, and only for what the exercise at hand
builds on: nothing that it could earn points with is among the answers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from autograder.checking.record import Exercise, Inputs
from autograder.player import contract
from autograder.player.observe import first_line

MOST_ASKED = 8_000
"""Questions in one exercise; a right answer to the longest sequence asks some hundreds."""

TIMES_AS_LARGE = 4
"""How many times as many numbers as a whole input one question may have, and how many times as long
an axis of it may be as the longest one there: four gates at once."""


class Answers:
    """Answers for the functions of some exercises, which all have an answer in NumPy.

    Each exercise comes with the inputs of its own probes; ``inputs`` are those on which the exercise
    at hand is tried, and ``deadline`` is when the submission's time is over, by ``time.monotonic``.
    Calling it raises ValueError for a question that is none, or comes too late.
    """

    def __init__(
        self,
        exercises: Sequence[tuple[Exercise, Sequence[Inputs]]],
        inputs: Sequence[Inputs],
        deadline: float = math.inf,
    ):
        self.known = {exercise.name: exercise for exercise, _ in exercises}
        self.names = {exercise.name: tuple(drawn[0]) for exercise, drawn in exercises}
        self.axes = {
            exercise.name: max(len(shape) for one in drawn for shape in _shapes(one))
            for exercise, drawn in exercises
        }
        shapes = [list(_shapes(one)) for one in inputs]
        self.most = TIMES_AS_LARGE * max(sum(map(math.prod, of_one)) for of_one in shapes)
        self.longest = TIMES_AS_LARGE * max(
            (axis for of_one in shapes for shape in of_one for axis in shape), default=1
        )
        self.left, self.deadline = MOST_ASKED, deadline

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
        if exercise.in_numpy is None or time.monotonic() > self.deadline:
            raise ValueError("too late a question")
        shapes = list(_shapes(inputs))
        # Each axis, too: two long ones that meet would make the judge compute their product.
        if sum(map(math.prod, shapes)) > self.most or any(
            len(shape) > self.axes[exercise.name] or max(shape, default=0) > self.longest
            for shape in shapes
        ):
            raise ValueError("too large a question")
        try:
            with np.errstate(all="ignore"):
                value = exercise.in_numpy(**inputs)
            return {"outputs": exercise.returns.flatten(value)}  # type: ignore[attr-defined]
        except Exception as error:  # as a student's own function would on such inputs
            return {"raises": first_line(error)}


def _shapes(inputs: Mapping) -> Iterator[tuple[int, ...]]:
    """The shapes of all arrays and numbers. Raises ValueError for what is neither."""
    for value in inputs.values():
        if isinstance(value, Mapping):
            yield from _shapes(value)
        elif isinstance(value, np.ndarray | bool | int | float):
            yield np.shape(value)
        else:
            raise ValueError("no input")
