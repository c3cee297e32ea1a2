"""What a report's inputs can be blind to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.course.exercises.bughunt.inputs import (
    MOST,
    ROUNDING,
    Cell,
    CellInputs,
    difference,
    generic,
    multiplied,
    numbers,
    shows,
)
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.gru.right_cell import right_step


@dataclass(frozen=True)
class Blindness:
    """One way in which inputs show nothing."""

    name: str
    says: str
    cure: str
    blind: Callable[[CellInputs], CellInputs]
    """telling inputs with just this fault"""


BLINDNESSES = (
    Blindness(
        "only one unit",
        "Your cell has one unit, H = 1. Then every matrix is a number: an order of products, a "
        "transpose or a gate applied to the wrong unit cannot show.",
        "Give the cell a second unit",
        lambda inputs: generic(1, inputs[0].shape[1], 1),
    ),
    Blindness(
        "h_prev is zero",
        "With h_prev = 0 nothing that is done to the old state shows: neither what is kept of it "
        "nor what the reset gate does to it.",
        "Put numbers into h_prev",
        lambda inputs: multiplied(inputs, h_prev=0.0),
    ),
    Blindness(
        "all biases are zero",
        "With all biases zero, what is done with a bias cannot show, and a gate that receives "
        "nothing else stands at 1/2.",
        "Give the biases numbers",
        lambda inputs: multiplied(inputs, b=0.0),
    ),
    Blindness(
        "x is zero",
        "With x = 0 nothing that is done to the input shows.",
        "Put numbers into x",
        lambda inputs: multiplied(inputs, x=0.0),
    ),
    Blindness(
        "all weights are zero",
        "With all matrices zero, gates and candidate see neither x nor h_prev.",
        "Give the matrices numbers",
        lambda inputs: multiplied(inputs, W=0.0),
    ),
    Blindness(
        "all numbers are tiny",
        "Your numbers are so small that every gate stays near 1/2 and tanh is a straight line: "
        "differences are there, and too small to accuse anybody. Numbers around 2 speak louder.",
        "Make all your numbers larger",
        lambda inputs: multiplied(inputs, 1e-3, 1e-3, 1e-3, 1e-3),
    ),
)

ONE_UNIT, ZERO_STATE, ZERO_BIASES, ZERO_INPUT, ZERO_WEIGHTS, TINY = range(1, 7)
"""Numbers of the blindnesses in the outcome ``why``; 0 is none."""

NOTHING, SEVERAL, ACCUSED, ACQUITTED, UNKNOWN = range(7, 12)
"""Other reasons why a report shows nothing: inputs of zeros, several blindnesses, an innocent
accused, a culprit acquitted, a name that is not on the list."""

DRAWS = 4
"""How many draws stand for all values that numbers could have."""


def mend(number: int, inputs: CellInputs, seed: int = 0) -> CellInputs | None:
    """The inputs without this blindness, or None where they do not have it."""
    x, h_prev, params = inputs
    (B, D), H = x.shape, h_prev.shape[1]
    telling = generic(B, D, H, seed)
    matrices, biases = ([v for k, v in params.items() if k[0] == kind] for kind in "Wb")
    if number == ONE_UNIT and H == 1:
        return generic(MOST, D, MOST, seed)
    if number == ZERO_STATE and not h_prev.any():
        return x, telling[1], params
    if number == ZERO_BIASES and not np.any(biases):
        return x, h_prev, params | {key: telling[2][key] for key in KEYS if key[0] == "b"}
    if number == ZERO_INPUT and not x.any():
        return telling[0], h_prev, params
    if number == ZERO_WEIGHTS and not any(map(np.any, matrices)):
        return x, h_prev, params | {key: telling[2][key] for key in KEYS if key[0] == "W"}
    if number == TINY:
        largest = max(np.abs(a).max() for a in (x, h_prev, *params.values()))
        if 0 < largest <= 0.5:
            return multiplied(inputs, *[2 / largest] * 4)
    return None


def why_blind(cells: list[Cell], inputs: CellInputs) -> int:
    """The blindness that hides these cells: without it, the same inputs would show most of them.

    Nothing is guessed: each blindness that the inputs have is mended, and the cells are run again.
    """
    if not numbers(inputs):
        return NOTHING
    shown = {}
    for number in range(1, len(BLINDNESSES) + 1):
        mended = [one for seed in range(DRAWS) if (one := mend(number, inputs, seed))]
        if not mended:
            continue
        hidden = cells
        if number == ONE_UNIT:
            # With one unit these are the right cell, whatever its numbers are.
            alone = generic(inputs[0].shape[0], inputs[0].shape[1], 1)
            hidden = [c for c in cells if difference(c, right_step, alone) < ROUNDING]
        shown[number] = max(sum(shows(cell, one) for cell in hidden) for one in mended)
    best = max(shown, key=shown.__getitem__, default=SEVERAL)
    return best if shown.get(best) else SEVERAL
