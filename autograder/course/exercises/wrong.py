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

    def block_not_transposed(x, h_prev, params):
        recurrent, from_input = split(params, gate, h_prev)
        return sigmoid(h_prev @ recurrent + x @ from_input.T + params[b])

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
        *(
            mistake(
                f"{whose} bias",
                f"You add b_{key}; this gate has a bias of its own, {b}. The weights are right.",
                lambda x, h_prev, params, key=key: sigmoid(
                    join(h_prev, x) @ params[W].T + params[f"b_{key}"]
                ),
            )
            for whose, key in others
        ),
        *(
            mistake(
                f"{whose} matrix",
                f"You multiply by W_{key}; this gate has a matrix of its own, {W}. The bias is "
                "right.",
                lambda x, h_prev, params, key=key: sigmoid(
                    join(h_prev, x) @ params[f"W_{key}"].T + params[b]
                ),
            )
            for whose, key in others
        ),
        mistake(
            "reshape for transpose",
            f"{W} is reshaped to (H + D, H); that scrambles its entries. Transpose it: {W}.T.",
            reshaped,
        ),
        mistake(
            "recurrent block not transposed",
            f"The block {W}[:, :H] is used without its transpose; it is square, so no shape "
            "complains.",
            block_not_transposed,
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


def tanh_mistakes(
    key: str,
    section: Section,
    what: str,
    part: str | None,
    others: tuple[tuple[str, str], ...] = (),
) -> tuple[Mistake, ...]:
    """The catalogue of ``tanh([h_prev, x] W^T + b)``; ``what`` it gives ("the new state").

    ``others`` as for ``gate_mistakes``.
    """
    W, b = f"W_{key}", f"b_{key}"

    def parts_swapped(x, h_prev, params):
        return np.tanh(join(x, h_prev) @ params[W].T + params[b])

    def without_bias(x, h_prev, params):
        return join(h_prev, x) @ params[W].T

    def reshaped(x, h_prev, params):
        W_reshaped = params[W].reshape(params[W].shape[::-1])
        return np.tanh(join(h_prev, x) @ W_reshaped + params[b])

    def block_not_transposed(x, h_prev, params):
        recurrent, from_input = split(params, key, h_prev)
        return np.tanh(h_prev @ recurrent + x @ from_input.T + params[b])

    def no_hidden(x, h_prev, params):
        return np.tanh(x @ split(params, key, h_prev)[1].T + params[b])

    def no_input(x, h_prev, params):
        return np.tanh(h_prev @ split(params, key, h_prev)[0].T + params[b])

    def two_tanhs(x, h_prev, params):
        recurrent, from_input = split(params, key, h_prev)
        return np.tanh(h_prev @ recurrent.T) + np.tanh(x @ from_input.T + params[b])

    def softsign(x, h_prev, params):
        a = affine(h_prev, x, params, key)
        return a / (1 + np.abs(a))

    def from_exponentials(x, h_prev, params):
        a = affine(h_prev, x, params, key)
        return (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))

    def mistake(name, says, wrong):
        return Mistake(name, says, wrong, section, part)

    return (
        mistake(
            "input and state in the wrong order",
            f"You join [x, h_prev]; the columns of {W} expect the hidden part first: [h_prev, x].",
            parts_swapped,
        ),
        mistake(
            "bias missing",
            f"The bias {b} is not added before tanh.",
            lambda x, h_prev, params: np.tanh(without_bias(x, h_prev, params)),
        ),
        mistake(
            "bias outside tanh",
            f"The bias {b} is added after tanh; it belongs inside.",
            lambda x, h_prev, params: np.tanh(without_bias(x, h_prev, params)) + params[b],
        ),
        mistake(
            "bias subtracted",
            f"The bias {b} is subtracted; the equation adds it.",
            lambda x, h_prev, params: np.tanh(without_bias(x, h_prev, params) - params[b]),
        ),
        mistake(
            "sigmoid for tanh",
            f"You squash with the sigmoid; {what} lies in (-1, 1) and needs tanh.",
            lambda x, h_prev, params: sigmoid(affine(h_prev, x, params, key)),
        ),
        mistake(
            "relu for tanh",
            f"You cut negative sums off (relu); {what} may be negative: tanh.",
            lambda x, h_prev, params: np.maximum(affine(h_prev, x, params, key), 0.0),
        ),
        mistake(
            "softsign for tanh",
            "You squash with a / (1 + |a|), which looks like tanh and is another curve.",
            softsign,
        ),
        mistake(
            "no tanh",
            "You return the weighted sum itself; the tanh around it is missing.",
            lambda x, h_prev, params: affine(h_prev, x, params, key),
        ),
        mistake(
            "tanh applied twice",
            "The tanh is applied to a value that has already been through a tanh.",
            lambda x, h_prev, params: np.tanh(np.tanh(affine(h_prev, x, params, key))),
        ),
        mistake(
            "one tanh for each part",
            "You squash the part from h_prev and the part from x separately; add first, then tanh.",
            two_tanhs,
        ),
        mistake(
            "reshape for transpose",
            f"{W} is reshaped to (H + D, H); that scrambles its entries. Transpose it: {W}.T.",
            reshaped,
        ),
        mistake(
            "recurrent block not transposed",
            f"The block {W}[:, :H] is used without its transpose; it is square, so no shape "
            "complains.",
            block_not_transposed,
        ),
        mistake("h_prev ignored", f"The previous state has no influence on {what}.", no_hidden),
        mistake("x ignored", f"The input has no influence on {what}.", no_input),
        *(
            mistake(
                f"{whose} weights",
                f"You use W_{other} and b_{other}; {what} has its own, {W} and {b}.",
                lambda x, h_prev, params, other=other: np.tanh(affine(h_prev, x, params, other)),
            )
            for whose, other in others
        ),
        *(
            mistake(
                f"{whose} bias",
                f"You add b_{other}; {what} has a bias of its own, {b}. The weights are right.",
                lambda x, h_prev, params, other=other: np.tanh(
                    without_bias(x, h_prev, params) + params[f"b_{other}"]
                ),
            )
            for whose, other in others
        ),
        mistake(
            "tanh overflows",
            "Your tanh turns into nan for large arguments: exp overflows. Use np.tanh.",
            from_exponentials,
        ),
    )


def walk(xs, h0, params, step: Callable):
    """All states of a cell with one state, (T, B, H)."""
    hs, h = [], h0
    for x in xs:
        h = step(x, h, params)
        hs.append(h)
    return np.stack(hs)


def time_mistakes(step: Callable, section: Section) -> tuple[Mistake, ...]:
    """The catalogue of ``forward(xs, h0, params) -> hs`` for a cell with one state."""

    def forward(xs, h0, params):
        return walk(xs, h0, params, step)

    def mistake(name, says, wrong, part="carry"):
        return Mistake(name, says, wrong, section, part)

    return (
        mistake(
            "state not carried",
            "Every step starts again from h0; each must start from the state before it.",
            lambda xs, h0, params: np.stack([step(x, h0, params) for x in xs]),
        ),
        mistake(
            "h0 ignored",
            "You start from zeros; the first step starts from h0.",
            lambda xs, h0, params: forward(xs, np.zeros_like(h0), params),
            "step",
        ),
        mistake(
            "time walked backwards",
            "The sequence is processed from its end to its start.",
            lambda xs, h0, params: forward(xs[::-1], h0, params)[::-1].copy(),
        ),
        mistake(
            "time walked backwards, states in the order computed",
            "The sequence is processed from its end, and entry 0 holds the state of the last step.",
            lambda xs, h0, params: forward(xs[::-1], h0, params),
        ),
        mistake(
            "states in reverse order",
            "The states are right, but entry 0 holds the last one.",
            lambda xs, h0, params: forward(xs, h0, params)[::-1].copy(),
        ),
        mistake(
            "only the last state returned",
            "You return h_T; all T states are asked for, stacked along a new first axis.",
            lambda xs, h0, params: forward(xs, h0, params)[-1],
            "step",
        ),
        mistake(
            "h0 counted as a state",
            "Your first entry is h0, so there are T + 1; hs holds the states after each step.",
            lambda xs, h0, params: np.concatenate([h0[None], forward(xs, h0, params)]),
            "step",
        ),
        mistake(
            "states one step late",
            "Entry t holds the state before step t; it must hold the state after it.",
            lambda xs, h0, params: np.concatenate([h0[None], forward(xs, h0, params)[:-1]]),
            "step",
        ),
        mistake(
            "batch taken for time",
            "You walk along the batch axis; xs is (T, B, D), time first.",
            lambda xs, h0, params: forward(np.swapaxes(xs, 0, 1), h0, params),
        ),
        mistake(
            "batch axis first in the result",
            "Your result is (B, T, H); the course puts time first: (T, B, H).",
            lambda xs, h0, params: np.swapaxes(forward(xs, h0, params), 0, 1).copy(),
        ),
        mistake(
            "one array for all states",
            "All entries are the last state: the same array was stored T times and overwritten.",
            lambda xs, h0, params: np.stack([forward(xs, h0, params)[-1]] * len(xs)),
        ),
        mistake(
            "only the first input used",
            "Every step reads xs[0]; step t reads xs[t].",
            lambda xs, h0, params: forward(np.stack([xs[0]] * len(xs)), h0, params),
        ),
        mistake(
            "inputs one step late",
            "Step t reads xs[t - 1], and the first step xs[-1], the last input; step t reads xs[t].",
            lambda xs, h0, params: forward(np.roll(xs, 1, axis=0), h0, params),
        ),
        mistake(
            "states joined along the batch axis",
            "The T states are joined along their first axis, which gives (T * B, H); time gets an "
            "axis of its own: np.stack gives (T, B, H).",
            lambda xs, h0, params: np.concatenate(list(forward(xs, h0, params))),
            "step",
        ),
        mistake(
            "a list of states",
            "The states come as a list; stack them into one array of shape (T, B, H).",
            lambda xs, h0, params: list(forward(xs, h0, params)),
            "step",
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

        return replace(mistake, name=f"{where}: {mistake.name}", wrong=wrong)

    return tuple(lifted(m) for m in mistakes if m.name not in skip)


def tensors(inputs: Mapping) -> dict:
    """The same inputs with torch tensors for arrays; torch loads on the first call."""
    import torch

    def convert(value):
        if isinstance(value, Mapping):
            return {key: convert(entry) for key, entry in value.items()}
        return torch.from_numpy(value) if isinstance(value, np.ndarray) else value

    return {name: convert(value) for name, value in inputs.items()}
