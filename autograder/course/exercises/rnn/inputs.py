"""The inputs of a vanilla RNN's walk through time, and its parameters."""

from __future__ import annotations

from autograder.checking.record import Inputs
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.drawing import gated_params, state

KEYS = ("W_h", "b_h")
"""The names of the net's parameters."""


def sequence_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    """xs (T, B, D), h0 (B, H) and the parameters."""
    return {
        "xs": drawing.inputs(rng, T, B, D),
        "h0": state(rng, B, H),
        "params": gated_params(rng, "h", D, H),
    }
