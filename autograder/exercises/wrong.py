"""Pieces that the wrong implementations of all assignments are made of, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.exercises.record import Mistake, Section


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


def gate_mistakes(
    gate: str,
    section: Section,
    others: tuple[tuple[str, str], ...],
    complement: Section | None = None,
) -> tuple[Mistake, ...]:
    """The catalogue of one gate, ``sigmoid([h_prev, x] W^T + b)``.

    ``others`` names what its weights can be confused with: pairs of a description ("the reset
    gate's") and a key. ``complement`` is the section about 1 - gate, by default ``section``.
    """
    W, b = f"W_{gate}", f"b_{gate}"

    def naive_sigmoid(x, h_prev, params):
        e = np.exp(affine(h_prev, x, params, gate))
        return e / (1 + e)

    def parts_swapped(x, h_prev, params):
        return sigmoid(join(x, h_prev) @ params[W].T + params[b])

    def no_bias(x, h_prev, params):
        return sigmoid(join(h_prev, x) @ params[W].T)

    def reshaped(x, h_prev, params):
        W_reshaped = params[W].reshape(params[W].shape[::-1])
        return sigmoid(join(h_prev, x) @ W_reshaped + params[b])

    def no_hidden(x, h_prev, params):
        return sigmoid(x @ split(params, gate, h_prev)[1].T + params[b])

    def no_input(x, h_prev, params):
        return sigmoid(h_prev @ split(params, gate, h_prev)[0].T + params[b])

    def mistake(name, says, wrong, where=section):
        return Mistake(name, says, wrong, where, part=gate)

    return (
        mistake(
            f"{gate} and 1 - {gate} swapped",
            f"You return 1 - {gate}: the gate is open where it should be closed.",
            lambda x, h_prev, params: 1 - sigmoid(affine(h_prev, x, params, gate)),
            complement or section,
        ),
        mistake(
            "input and state in the wrong order",
            "You join [x, h_prev]; the columns of W expect the hidden part first: [h_prev, x].",
            parts_swapped,
        ),
        mistake("bias missing", f"The bias {b} is not added before the sigmoid.", no_bias),
        mistake(
            "bias outside the sigmoid",
            f"The bias {b} is added after the sigmoid; it belongs inside.",
            lambda x, h_prev, params: sigmoid(join(h_prev, x) @ params[W].T) + params[b],
        ),
        mistake(
            "bias subtracted",
            f"The bias {b} is subtracted; the equation adds it.",
            lambda x, h_prev, params: sigmoid(join(h_prev, x) @ params[W].T - params[b]),
        ),
        mistake(
            "tanh for sigmoid",
            "You squash with tanh; a gate is a share between 0 and 1 and needs the sigmoid.",
            lambda x, h_prev, params: np.tanh(affine(h_prev, x, params, gate)),
        ),
        mistake(
            "softmax for sigmoid",
            "You normalize over the units with softmax; each unit has a gate of its own: sigmoid.",
            lambda x, h_prev, params: softmax(affine(h_prev, x, params, gate)),
        ),
        mistake(
            "no sigmoid",
            "You return the weighted sum itself; the sigmoid around it is missing.",
            lambda x, h_prev, params: affine(h_prev, x, params, gate),
        ),
        mistake(
            "sigmoid applied twice",
            "The sigmoid is applied to a value that has already been through a sigmoid.",
            lambda x, h_prev, params: sigmoid(sigmoid(affine(h_prev, x, params, gate))),
        ),
        *(
            mistake(
                f"{whose} weights",
                f"You use W_{key} and b_{key}; this gate has its own, {W} and {b}.",
                lambda x, h_prev, params, key=key: sigmoid(affine(h_prev, x, params, key)),
            )
            for whose, key in others
        ),
        mistake(
            "reshape for transpose",
            f"{W} is reshaped to (H + D, H); that scrambles its entries. Transpose it: {W}.T.",
            reshaped,
        ),
        mistake("h_prev ignored", "The previous state has no influence on your gate.", no_hidden),
        mistake("x ignored", "The input has no influence on your gate.", no_input),
        mistake(
            "sigmoid overflows",
            "Your sigmoid turns into nan for large arguments: exp(a) / (1 + exp(a)) overflows. "
            "Use exp only of negative numbers.",
            naive_sigmoid,
        ),
    )


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

        return Mistake(
            f"{where}: {mistake.name}", mistake.says, wrong, mistake.section, mistake.part
        )

    return tuple(lifted(m) for m in mistakes if m.name not in skip)


def tensors(inputs: Mapping) -> dict:
    """The same inputs with torch tensors for arrays; torch loads on the first call."""
    import torch

    def convert(value):
        if isinstance(value, Mapping):
            return {key: convert(entry) for key, entry in value.items()}
        return torch.from_numpy(value) if isinstance(value, np.ndarray) else value

    return {name: convert(value) for name, value in inputs.items()}
