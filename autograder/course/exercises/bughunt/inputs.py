"""A report's inputs, and what cells make of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.course.exercises.gru.inputs import step_inputs
from autograder.course.exercises.gru.right_cell import right_step

CLEAR = 0.01
"""A difference between two states that nobody takes for rounding."""

ROUNDING = 1e-12
"""A difference that is nothing else."""

MOST = 4
"""The largest batch, input and hidden size of a report's inputs."""

Cell = Callable[..., np.ndarray]
CellInputs = tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]
"""x (B, D), h_prev (B, H) and params, in float64."""


def generic(B: int, D: int, H: int, seed: int = 0) -> CellInputs:
    """Inputs without a zero and without two numbers alike, in which nothing hides for H > 1."""
    drawn = step_inputs(np.random.default_rng([B, D, H, seed]), B, D, H)
    return drawn["x"], drawn["h_prev"], drawn["params"]


def multiplied(inputs: CellInputs, x=1.0, h_prev=1.0, W=1.0, b=1.0) -> CellInputs:
    """The inputs, their kinds of numbers multiplied."""
    factor = {"W": W, "b": b}
    params = {key: value * factor[key[0]] for key, value in inputs[2].items()}
    return inputs[0] * x, inputs[1] * h_prev, params


def run(cell: Cell, inputs: CellInputs) -> np.ndarray:
    """The state that a cell gives, from copies of the inputs."""
    x, h_prev, params = inputs
    with np.errstate(all="ignore"):
        return cell(x=x.copy(), h_prev=h_prev.copy(), params=dict(params))


def difference(one: Cell, other: Cell, inputs: CellInputs) -> float:
    """The largest difference between the states that two cells give."""
    return float(np.abs(run(one, inputs) - run(other, inputs)).max())


def shows(cell: Cell, inputs: CellInputs) -> bool:
    """Whether a cell clearly differs from the right one on these inputs."""
    return difference(cell, right_step, inputs) >= CLEAR


def numbers(inputs: CellInputs) -> int:
    """How many numbers of the inputs are not zero."""
    return sum(int(np.count_nonzero(array)) for array in (*inputs[:2], *inputs[2].values()))
