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


def each(change: Callable, right: Callable) -> Callable:
    """The right result with every array changed, also within tuples and dicts."""

    def changed(value):
        if isinstance(value, Mapping):
            return {key: changed(entry) for key, entry in value.items()}
        if isinstance(value, tuple):
            return tuple(changed(entry) for entry in value)
        return change(value)

    return lambda **inputs: changed(right(**inputs))


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


def contract_mistakes(
    right: Callable, part: str | None, section: Section, *changed: str, exact: bool = False
):
    """Mistakes against the contract that every function shares.

    With ``exact``, the catalogue has its own entries for answers that are nearly right.
    """
    nearly = Mistake(
        "precision lost on the way",
        "Your numbers are close to right, and off by far more than float64 rounds. Something gives "
        "digits away: np.round, a cast to float32, or an approximation. Keep float64 throughout.",
        each(lambda a: np.round(a, 4), right),
        section,
        None,
        within=1e-3,
    )
    return (
        Mistake(
            "all zero",
            "Every number that you return is zero: what is computed does not reach the result.",
            each(np.zeros_like, right),
            section,
            None,
        ),
        *(() if exact else (nearly,)),
        Mistake(
            "result in float32",
            "Your numbers are right to seven digits but come as float32; keep float64.",
            each(lambda a: a.astype(np.float32), right),
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


def lift(
    mistakes,
    where: str,
    using: Callable,
    skip: tuple[str, ...] = (),
    inside: str = "",
    by_call: Mapping[str, tuple[str, ...]] | None = None,
):
    """The same mistakes, seen through a function that uses the wrong piece.

    ``inside`` is the exercise that asks for the piece. ``by_call`` holds, for some mistakes by their
    names, what the same looks like where the piece is right and called wrongly.
    """

    def lifted(mistake):
        def wrong(**inputs):
            return using(mistake.wrong, **inputs)

        return replace(
            mistake,
            name=f"{where}: {mistake.name}",
            wrong=wrong,
            inside=(inside, *mistake.inside) if inside else mistake.inside,
            by_call=(by_call or {}).get(mistake.name),
        )

    return tuple(lifted(m) for m in mistakes if m.name not in skip)
