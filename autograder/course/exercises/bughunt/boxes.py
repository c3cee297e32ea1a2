"""The nine boxes, the cells in them, and the smallest inputs that show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograder.course.exercises.bughunt.blindness import (
    ONE_UNIT,
    TINY,
    ZERO_BIASES,
    ZERO_STATE,
    ZERO_WEIGHTS,
)
from autograder.course.exercises.bughunt.inputs import Cell, CellInputs
from autograder.course.exercises.bughunt.packing import packed
from autograder.course.exercises.bughunt.suspects import CORRECT, SUSPECTED
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.shared.wrong import affine, join, sigmoid, split


def keep_first(x, h_prev, params):
    """The right cell, as PyTorch writes it: a share to keep, and split weights."""
    keep = sigmoid(-affine(h_prev, x, params, "z"))
    r = sigmoid(affine(h_prev, x, params, "r"))
    W_hn, W_in = split(params, "h", h_prev)
    candidate = np.tanh(x @ W_in.T + params["b_h"] + (r * h_prev) @ W_hn.T)
    return candidate + keep * (h_prev - candidate)


def fused(x, h_prev, params):
    """The right cell with both gates from one matrix product, and the sigmoid through tanh."""
    W = np.concatenate([params["W_r"], params["W_z"]], axis=0)
    joined = join(h_prev, x) @ W.T
    r = 0.5 + 0.5 * np.tanh(0.5 * (joined[:, : h_prev.shape[-1]] + params["b_r"]))
    z = 0.5 + 0.5 * np.tanh(0.5 * (joined[:, h_prev.shape[-1] :] + params["b_z"]))
    candidate = np.tanh(join(r * h_prev, x) @ params["W_h"].T + params["b_h"])
    return h_prev + z * (candidate - h_prev)


@dataclass(frozen=True)
class Box:
    """One black box: the cell in it, and how few numbers show it."""

    letter: str
    name: str
    """in the catalogue, or ``CORRECT``"""
    cell: Cell
    par: int = 0
    """the fewest numbers, other than zero, on which it differs from the right cell"""
    hides: tuple[int, ...] = ()
    """the blindnesses that alone keep it hidden"""

    @property
    def broken(self) -> bool:
        """Whether a mistake is in it."""
        return self.name != CORRECT

    @property
    def function(self) -> str:
        """The function that reports on it."""
        return f"report_{self.letter.lower()}"


def _broken(letter: str, name: str, par: int, *hides: int) -> Box:
    return Box(letter, name, SUSPECTED[name].wrong, par, hides)


_UNSEEN = ZERO_WEIGHTS, TINY

BOXES = (
    _broken("A", "in the candidate: bias missing", 1, ZERO_BIASES, TINY),
    _broken("B", "reset state blended", 1, ZERO_STATE, TINY),
    _broken("C", "update and reset gates exchanged", 2, TINY),
    Box("D", CORRECT, keep_first),
    _broken("E", "in the candidate: reset gate applied to state and input", 2, *_UNSEEN),
    _broken("F", "in the reset gate: bias missing", 3, ZERO_STATE, ZERO_BIASES, *_UNSEEN),
    _broken(
        "G", "in the candidate: reset after the matrix product", 3, ONE_UNIT, ZERO_STATE, *_UNSEEN
    ),
    Box("H", CORRECT, fused),
    _broken(
        "I", "in the reset gate: recurrent block not transposed", 4, ONE_UNIT, ZERO_STATE, *_UNSEEN
    ),
)
"""From easy to hard. Box A is the worked example of the notebook; the others are graded."""


def boxes_as_text() -> str:
    """What the notebook unpacks into its boxes."""
    return packed({box.letter: box.cell for box in BOXES})


def smallest(box: Box) -> CellInputs:
    """Inputs with ``box.par`` numbers that expose the box, as the solutions have them."""
    B, D, H = 1, 1, 2
    x, h_prev = np.zeros((B, D)), np.zeros((B, H))
    params = {key: np.zeros((H, H + D) if key[0] == "W" else H) for key in KEYS}
    arrays = {"x": x, "h_prev": h_prev, **params}
    for name, index in _SMALLEST[box.letter].items():
        for place, value in index:
            arrays[name][place] = value
    return x, h_prev, params


_SMALLEST: dict[str, dict] = {
    "A": {"b_h": [(0, 2.0)]},
    "B": {"h_prev": [((0, 0), 1.0)]},
    "C": {"h_prev": [((0, 0), 1.0)], "b_z": [(0, 3.0)]},
    "E": {"x": [((0, 0), 1.0)], "W_h": [((0, 2), 2.0)]},
    "F": {"h_prev": [((0, 0), 1.0)], "b_r": [(0, 3.0)], "W_h": [((0, 0), 2.0)]},
    "G": {"h_prev": [((0, 1), 1.0)], "b_r": [(0, 3.0)], "W_h": [((0, 1), 2.0)]},
    "I": {
        "h_prev": [((0, 0), 1.0), ((0, 1), 1.0)],
        "W_r": [((0, 1), 3.0)],
        "W_h": [((0, 0), 2.0)],
    },
}
