"""The right GRU in NumPy, in pieces that a wrong one can be put together from."""

from __future__ import annotations

import numpy as np

from autograder.course.exercises.shared.wrong import affine, sigmoid, walk


def right_update(x, h_prev, params):
    """z, (B, H)."""
    return sigmoid(affine(h_prev, x, params, "z"))


def right_reset(x, h_prev, params):
    """r, (B, H)."""
    return sigmoid(affine(h_prev, x, params, "r"))


def right_candidate(x, h_prev, r, params):
    """The candidate, (B, H); r multiplies h_prev before the matrix product."""
    return np.tanh(affine(r * h_prev, x, params, "h"))


def right_step(
    x, h_prev, params, update=right_update, reset=right_reset, candidate=right_candidate
):
    """The new state, (B, H), with a wrong gate or candidate in place of the right one if given."""
    z = update(x, h_prev, params)
    r = reset(x, h_prev, params)
    return (1 - z) * h_prev + z * candidate(x, h_prev, r, params)


def right_forward(xs, h0, params, step=right_step):
    """All states, (T, B, H), of ``step`` walked through time."""
    return walk(xs, h0, params, step)
