"""Pieces that the wrong implementations of all assignments are made of, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from autograder.checking.record import Mistake, Section


def sigmoid(a):
    """Stable for any finite argument."""
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, e) / (1.0 + e)


def softmax(a):
    """Over the last axis."""
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def join(left, right):
    """``[left, right]`` along the last axis."""
    return np.concatenate([left, right], axis=-1)


def affine(h, x, params, gate):
    """``[h, x] W^T + b`` of one gate, (B, H)."""
    return join(h, x) @ params[f"W_{gate}"].T + params[f"b_{gate}"]


def split(params, gate, h):
    """A gate's weights as a recurrent (H, H) and an input block (H, D)."""
    W = params[f"W_{gate}"]
    return W[:, : h.shape[-1]], W[:, h.shape[-1] :]


def in_place(wrong: Callable, *targets: str) -> Callable:
    """The same result, but the named inputs are changed on the way."""

    def changes_inputs(**inputs):
        result = wrong(**inputs)
        for target in targets:
            inputs[target] *= 0.5
        return result

    return changes_inputs


def as_float32(right: Callable) -> Callable:
    """The same result in single precision, also within tuples and dicts."""

    def rounded(value):
        if isinstance(value, Mapping):
            return {key: rounded(entry) for key, entry in value.items()}
        if isinstance(value, tuple):
            return tuple(rounded(entry) for entry in value)
        return value.astype(np.float32)

    return lambda **inputs: rounded(right(**inputs))


def walk(xs, h0, params, step: Callable):
    """All states of a cell with one state, (T, B, H)."""
    hs, h = [], h0
    for x in xs:
        h = step(x, h, params)
        hs.append(h)
    return np.stack(hs)


def by_name(step: Callable) -> Callable:
    """The step, given its inputs by name, as wrong ones ask for them."""
    return lambda x, h_prev, params: step(x=x, h_prev=h_prev, params=params)


def contract_mistakes(right: Callable, part: str | None, section: Section, *changed: str):
    """Mistakes against the contract that every function shares."""
    return (
        Mistake(
            "result in float32",
            "Your numbers are right to seven digits but come as float32; keep float64.",
            as_float32(right),
            section,
            part,
        ),
        *(
            Mistake(
                f"{name} modified in place",
                f"The result is right, but {name} was changed on the way (as `*=` and `+=` do). "
                "Whoever called your function still needs it.",
                in_place(right, name),
                section,
                part,
            )
            for name in changed
        ),
    )


def lift(mistakes, where: str, using: Callable, skip: tuple[str, ...] = ()):
    """The same mistakes, seen through a function that uses the wrong piece."""

    def lifted(mistake):
        def wrong(**inputs):
            return using(mistake.wrong, **inputs)

        return replace(mistake, name=f"{where}: {mistake.name}", wrong=wrong)

    return tuple(lifted(m) for m in mistakes if m.name not in skip)
