"""One right step backward, a table of formulas that wrong ones change."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from autograder.checking.record import Mistake
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.shared.wrong import affine, join, sigmoid, split

FORMULAS: dict[str, Callable[[SimpleNamespace], np.ndarray]] = {
    # forward; h is the state before the step
    "z": lambda s: sigmoid(affine(s.h, s.x, s.params, "z")),
    "r": lambda s: sigmoid(affine(s.h, s.x, s.params, "r")),
    "joined": lambda s: join(s.h, s.x),
    "joined_h": lambda s: join(s.r * s.h, s.x),
    "sum_h": lambda s: s.joined_h @ s.params["W_h"].T + s.params["b_h"],
    "c": lambda s: np.tanh(s.sum_h),
    # the blend: three ways for dh to go
    "direct": lambda s: (1 - s.z) * s.dh,
    "dc": lambda s: s.z * s.dh,
    "dz": lambda s: (s.c - s.h) * s.dh,
    # the candidate
    "slope_h": lambda s: 1 - s.c**2,
    "da_h": lambda s: s.dc * s.slope_h,
    "back_h": lambda s: s.da_h @ s.params["W_h"],
    "d_reset": lambda s: s.back_h[:, : s.H],
    "through_h": lambda s: s.d_reset * s.r,
    # the gates
    "slope_z": lambda s: s.z * (1 - s.z),
    "da_z": lambda s: s.dz * s.slope_z,
    "back_z": lambda s: s.da_z @ s.params["W_z"],
    "dr": lambda s: s.d_reset * s.h,
    "slope_r": lambda s: s.r * (1 - s.r),
    "da_r": lambda s: s.dr * s.slope_r,
    "back_r": lambda s: s.da_r @ s.params["W_r"],
    # the results
    "dh_prev": lambda s: s.direct + s.through_h + s.back_z[:, : s.H] + s.back_r[:, : s.H],
    "dx": lambda s: s.back_h[:, s.H :] + s.back_z[:, s.H :] + s.back_r[:, s.H :],
    "W_z": lambda s: s.da_z.T @ s.joined,
    "b_z": lambda s: s.da_z.sum(axis=0),
    "W_r": lambda s: s.da_r.T @ s.joined,
    "b_r": lambda s: s.da_r.sum(axis=0),
    "W_h": lambda s: s.da_h.T @ s.joined_h,
    "b_h": lambda s: s.da_h.sum(axis=0),
}
"""A step forward and back, in the order of computation; each formula reads those above it."""


def step_backward(dh, x, h_prev, params, changes=None):
    """``(dx, dh_prev, grads)`` by the table, with some formulas changed."""
    s = SimpleNamespace(dh=dh, x=x, h=h_prev, params=params, H=h_prev.shape[1])
    for name, formula in (FORMULAS | (changes or {})).items():
        setattr(s, name, formula(s))
    return s.dx, s.dh_prev, {key: getattr(s, key) for key in KEYS}


def _changed(**changes: Callable) -> Callable:
    return lambda **inputs: step_backward(**inputs, changes=changes)


def zero(name: str) -> Callable:
    """This formula's result, all zeros."""
    return lambda s: 0.0 * FORMULAS[name](s)


def times(name: str, factor: float) -> Callable:
    """This formula's result times ``factor``."""
    return lambda s: factor * FORMULAS[name](s)


def half_swapped(name: str) -> Callable:
    """``[h, x]`` cut as if it were ``[x, h]``: the part for x first."""

    def swapped(s):
        whole = FORMULAS[name](s)
        D = s.x.shape[1]
        return join(whole[:, D:], whole[:, :D])

    return swapped


def recurrent_not_transposed(gate: str) -> Callable:
    """Gradients sent back through W^T where W belongs; only the square block allows it."""

    def back(s):
        W_hh, W_hx = split(s.params, gate, s.h)
        da = getattr(s, f"da_{gate}")
        return join(da @ W_hh.T, da @ W_hx)

    return back


def formula_mistake(part, section, name, says, **changes):
    """A mistake in a step backward: the table with some formulas changed."""
    return Mistake(name, says, _changed(**changes), section, part)
