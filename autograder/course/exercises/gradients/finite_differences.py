"""Gradients by finite differences, which are recognized by the size of their error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking.record import Mistake
from autograder.course.exercises.gradients.sections import GATES
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.shared.wrong import join, sigmoid


def _copies(rows: np.ndarray, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Rows of numbers as named arrays with one copy per row, (P, …)."""
    found, start = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        found[name] = rows[:, start : start + size].reshape(-1, *shape)
        start += size
    return found


def _losses(rows, shapes, dhs) -> np.ndarray:
    """The sum of dhs * hs for every row of numbers."""
    given = _copies(rows, shapes)

    def sums(h, x, gate):
        W, b = given[f"W_{gate}"], given[f"b_{gate}"]
        return join(h, x) @ W.swapaxes(1, 2) + b[:, None]

    h, loss = given["h0"], np.zeros(len(rows))
    for t, dh in enumerate(dhs):
        x = given["xs"][:, t]
        z, r = sigmoid(sums(h, x, "z")), sigmoid(sums(h, x, "r"))
        h = (1 - z) * h + z * np.tanh(sums(r * h, x, "h"))
        loss = loss + (dh * h).sum(axis=(1, 2))
    return loss


def _differences(xs, h0, dhs, params, step: float, central: bool):
    """Finite differences of the loss, number by number."""
    leaves = {"xs": xs, "h0": h0} | {key: params[key] for key in KEYS}
    shapes = {name: value.shape for name, value in leaves.items()}
    point = np.concatenate([value.ravel() for value in leaves.values()])
    slopes = []
    for shift in np.array_split(np.eye(point.size) * step, max(1, point.size // 500)):
        behind = (
            _losses(point - shift, shapes, dhs) if central else _losses(point[None], shapes, dhs)
        )
        ahead = _losses(point + shift, shapes, dhs)
        slopes.append((ahead - behind) / (2 * step if central else step))
    found = {name: v[0] for name, v in _copies(np.concatenate(slopes)[None], shapes).items()}
    return found["xs"], found["h0"], {key: found[key] for key in KEYS}


def step_differences(step: float, central: bool) -> Callable:
    """``gru_step_backward`` by finite differences."""

    def wrong(dh, x, h_prev, params):
        dxs, dh0, grads = _differences(x[None], h_prev, dh[None], params, step, central)
        return dxs[0], dh0, grads

    return wrong


def sequence_differences(step: float, central: bool) -> Callable:
    """``gru_backward`` by finite differences."""
    return lambda xs, h0, hs, dhs, params: _differences(xs, h0, dhs, params, step, central)


def precision_mistakes(right: Callable, differences: Callable) -> tuple[Mistake, ...]:
    """Recognized by the size of their error: no two people's rounding is the same."""
    return (
        Mistake(
            "central finite differences",
            "Your numbers are close, but their error is far above rounding. It looks like finite "
            "differences, (f(a + e) - f(a - e)) / 2e, or like float32 on the way. The exercise "
            "asks for the formulas, which are exact and hundreds of times faster.",
            differences(1e-5, True),
            GATES,
            within=1e-6,
        ),
        Mistake(
            "finite differences",
            "Your numbers are close to right, and off by far more than rounding. It looks like "
            "finite differences, (f(a + e) - f(a)) / e or with too large a step, or like float32 "
            "on the way. Write the formulas, and keep float64.",
            differences(1e-6, False),
            GATES,
            within=1e-2,
        ),
    )
