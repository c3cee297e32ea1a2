"""How this course speaks of inputs and shapes: B examples, T steps, D inputs, H units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def sizes(inputs: Mapping) -> str:
    """The sizes of a probe in words, read off its arrays: ``B = 3, D = 2, H = 4``."""
    found: dict[str, Any] = {}
    if "hidden_size" in inputs:
        found = {"D": inputs["input_size"], "H": inputs["hidden_size"]}
    elif "sizes" in inputs:
        T, B, _ = inputs["xs"].shape
        found = {"T": T, "B": B, "D": inputs["sizes"][0], "H": inputs["sizes"][1]}
    elif "xs" in inputs:
        T, B, D = inputs["xs"].shape
        found = {"T": T, "B": B, "D": D, "H": inputs["h0"].shape[1]}
    elif "x" in inputs:
        B, D = inputs["x"].shape
        found = {"B": B, "D": D, "H": inputs["h_prev"].shape[1]}
    elif "hs" in inputs:
        T, B, H = inputs["hs"].shape
        found = {"T": T, "B": B, "H": H}
    elif "params" in inputs:
        H, joined = next(iter(inputs["params"].values())).shape
        found = {"D": joined - H, "H": H}
    elif "grads" in inputs:
        norm = np.sqrt(sum(np.sum(g**2) for g in inputs["grads"].values()))
        found = {"norm": f"{norm:.3g}", "max_norm": f"{inputs['max_norm']:.3g}"}
    elif "a" in inputs:
        a = inputs["a"]
        return f"shape {a.shape}, {a.dtype}" if isinstance(a, np.ndarray) else f"a = {a:.6g}"
    return ", ".join(f"{letter} = {size}" for letter, size in found.items())


def first_axis(inputs: Mapping, shape: tuple[int, ...]) -> str:
    """What a result of this shape has first, for whoever left that axis out: time or the batch."""
    state = inputs.get("h_prev", inputs.get("h0"))
    if state is not None and len(shape) == 3:
        return "The first axis, time, is missing."
    if state is not None and shape[0] == len(state):
        return "The first axis, the batch, is missing: one example is a batch of one."
    return ""
