"""The right walk back through time, a table of formulas that wrong ones change."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from autograder.course.exercises.rnn.inputs import KEYS
from autograder.course.exercises.shared.wrong import join

FORMULAS: dict[str, Callable[[SimpleNamespace], np.ndarray]] = {
    # one step backward: dh is what arrives at h, the state after step t
    "h": lambda s: s.hs[s.t],
    "h_prev": lambda s: s.hs[s.t - 1] if s.t else s.h0,
    "x": lambda s: s.xs[s.t],
    "slope": lambda s: 1 - s.h**2,
    "da": lambda s: s.dh * s.slope,
    "back": lambda s: s.da @ s.W,
    "dh_prev": lambda s: s.back[:, : s.H],
    "dx": lambda s: s.back[:, s.H :],
    "W_h": lambda s: s.da.T @ join(s.h_prev, s.x),
    "b_h": lambda s: s.da.sum(axis=0),
    "carried": lambda s: s.dh_prev,
}
"""One step back, in the order of computation; each formula reads those above it."""


def _last_to_first(T: int):
    return range(T - 1, -1, -1)


def right_backward(
    xs,
    h0,
    hs,
    dh_last,
    params,
    changes=None,
    order=_last_to_first,
    add=lambda key, so_far, new: so_far + new,
):
    """``(dxs, dh0, grads)`` by the table, with some formulas changed."""
    s = SimpleNamespace(xs=xs, h0=h0, hs=hs, dh_last=dh_last, params=params, dh=dh_last)
    s.W, s.H, s.T = params["W_h"], h0.shape[1], len(xs)
    dxs, grads = np.zeros_like(xs), {}
    for t in order(s.T):
        s.t = t
        for name, formula in (FORMULAS | (changes or {})).items():
            setattr(s, name, formula(s))
        dxs[t] = s.dx
        for key in KEYS:
            new = getattr(s, key)
            grads[key] = add(key, grads[key], new) if key in grads else new
        s.dh = s.carried
    for key in KEYS:  # where no step was walked
        grads.setdefault(key, np.zeros_like(params[key]))
    return dxs, s.dh, grads


def changed(order=_last_to_first, add=lambda key, so_far, new: so_far + new, **changes):
    """The walk back with some formulas, the order of the steps or the adding up changed."""
    return lambda **inputs: right_backward(**inputs, changes=changes, order=order, add=add)


def after(change: Callable) -> Callable:
    """The right gradients, then ``change(inputs, dxs, dh0, grads)``."""
    return lambda **inputs: change(inputs, *right_backward(**inputs))
