"""Reading a report."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autograder.course.exercises.bughunt.inputs import MOST, CellInputs
from autograder.course.exercises.gru.inputs import KEYS

LARGEST = 10.0
"""The largest number in them."""


class Unusable(Exception):
    """The inputs of a report cannot be given to a cell; the message says why, to the student."""


def inputs_of(outputs: Mapping[str, np.ndarray]) -> CellInputs:
    """The inputs of a report in float64. Raises Unusable."""
    x, h_prev = outputs["x"], outputs["h_prev"]
    for name, array, letters in (("x", x, "(B, D)"), ("h_prev", h_prev, "(B, H)")):
        if array.ndim != 2:
            raise Unusable(
                f"{name} has shape {array.shape}; it has two axes, {letters}. One example is a "
                "batch of one: [[…]]."
            )
    (B, D), H = x.shape, h_prev.shape[1]
    if len(h_prev) != B:
        raise Unusable(f"x holds {B} examples and h_prev {len(h_prev)}; both have the batch first.")
    for letter, size in (("B", B), ("D", D), ("H", H)):
        if not 1 <= size <= MOST:
            raise Unusable(f"{letter} is {size}; sizes from 1 to {MOST} are enough here.")
    for key in KEYS:
        shape = (H, H + D) if key[0] == "W" else (H,)
        if outputs[key].shape != shape:
            raise Unusable(
                f"{key} has shape {outputs[key].shape}; with D = {D} and H = {H} it is {shape}."
            )
    arrays = {}
    for name in ("x", "h_prev", *KEYS):
        if outputs[name].dtype.kind == "c":
            raise Unusable(f"{name} holds complex numbers.")
        arrays[name] = outputs[name].astype(np.float64)
        if not np.isfinite(arrays[name]).all():
            raise Unusable(f"{name} holds a number that is not finite (inf or nan).")
        if np.abs(arrays[name]).max() > LARGEST:
            raise Unusable(
                f"{name} holds {arrays[name].flat[np.abs(arrays[name]).argmax()]:g}; numbers from "
                f"-{LARGEST:g} to {LARGEST:g} are enough here."
            )
    return arrays["x"], arrays["h_prev"], {key: arrays[key] for key in KEYS}
