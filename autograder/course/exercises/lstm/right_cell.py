"""The right LSTM in NumPy, a table of formulas that wrong ones change."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograder.course.exercises.shared.wrong import affine, sigmoid


def right_gate(letter: str) -> Callable:
    """The gate of this letter, as a function that gives (B, H)."""
    return lambda x, h_prev, params: sigmoid(affine(h_prev, x, params, letter))


def right_candidate(x, h_prev, params):
    """The candidate, (B, H)."""
    return np.tanh(affine(h_prev, x, params, "c"))


FORMULAS: dict[str, Callable[[SimpleNamespace], Any]] = {
    "f": lambda s: sigmoid(affine(s.h_prev, s.x, s.params, "f")),
    "i": lambda s: sigmoid(affine(s.h_prev, s.x, s.params, "i")),
    "candidate": lambda s: np.tanh(affine(s.h_prev, s.x, s.params, "c")),
    "c": lambda s: s.f * s.c_prev + s.i * s.candidate,
    "o": lambda s: sigmoid(affine(s.h_prev, s.x, s.params, "o")),
    "h": lambda s: s.o * np.tanh(s.c),
    "result": lambda s: (s.h, s.c),
}
"""The step, in the order of computation; each formula reads those above it."""


def right_step(x, h_prev, c_prev, params, changes=None):
    """``(h, c)`` by the table, with some formulas changed."""
    s = SimpleNamespace(x=x, h_prev=h_prev, c_prev=c_prev, params=params)
    for name, formula in (FORMULAS | (changes or {})).items():
        setattr(s, name, formula(s))
    return s.result
