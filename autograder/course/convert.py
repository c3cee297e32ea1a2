"""Weights of GRU and LSTM layers from one library's storage into another's.

One function does it all::

    from autograder.course import convert

    state = {name: value.numpy() for name, value in layer.state_dict().items()}
    keras_weights = convert.convert(state, "torch.nn.GRU", "keras.layers.GRU")

NumPy arrays in, NumPy arrays out, in the containers the libraries themselves use; no library is
imported. ``SPELLINGS`` declares every storage that is known: order of the gates, convention of
the update gate, place of the reset gate, biases, layout. The converter reads these spellings and
nothing else, so a table made from them is the truth about it.

**Sizes.** D is the input size, H the hidden size, G the number of blocks (3 in a GRU, 4 in an
LSTM). One layer and one direction at a time; ``torch_layer`` picks one out of a larger
``state_dict``.

**Dtype.** Floating arrays of one dtype; the result has it too. Arrays are new, inputs unchanged.

**Exact and not exact.** A gate is moved, transposed or negated, which is exact to the last bit;
so going from the course's dict to any spelling and back returns the same numbers, wherever it is
possible. Two operations round: adding two biases that only ever act as a sum (``b_ir + b_hr``),
and absorbing a reset gate that does not depend on anything. How a library had split such a
sum between its two biases is not kept: the whole sum is written as the input's bias.

**Impossible.** ``ConversionError``, a ``ValueError``, says why. There are two reasons, and both
go back to r multiplying before or after the matrix product:

- Before becomes after only if every unit listens, through ``W_hn``, to units with one and the same
  reset gate; after becomes before only if every unit is heard by units with one and the same
  reset gate. This includes H = 1, a diagonal ``W_hn``, a reset gate equal for all units, and a
  ``W_hn`` that is a permutation. Sameness is tested exactly, not within a tolerance.
- A storage without a bias inside the reset product (reset before, or ``flax.nnx.GRUCell``) takes
  ``b_hn`` only where it is zero or its reset gate is constant.

Everything else that raises is a missing array, a wrong shape, a wrong dtype or an unknown name.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]


class ConversionError(ValueError):
    """These weights cannot be what was asked for; the message says why."""


@dataclass(frozen=True)
class Stacked:
    """One layer with its gates stacked along the rows, in the order of a spelling.

    ``input`` (G H, D), ``recurrent`` (G H, H), ``input_bias`` and ``recurrent_bias`` (G H,).
    """

    input: np.ndarray
    recurrent: np.ndarray
    input_bias: np.ndarray
    recurrent_bias: np.ndarray


@dataclass(frozen=True)
class Spelling:
    """How one library stores one layer.

    ``order`` names the gates as the course does (z, r, h; f, i, c, o) in the library's order,
    ``letters`` as the library does. ``biases`` is "one" for each gate, "one, and b_hn" or "two".
    ``layout`` says how the matrices lie, ``evidence`` what the tests hold this spelling to.
    ``suffix`` is what the library appends to its names: PyTorch the layer, nnx an underscore to
    words that Python reserves.
    """

    name: str
    cell: str
    order: tuple[str, ...]
    letters: tuple[str, ...]
    biases: str
    layout: str
    unpack: Callable[[Spelling, Arrays], Stacked]
    pack: Callable[[Spelling, Stacked], dict[str, Any]]
    evidence: str
    update: str | None = None
    reset: str | None = None
    suffix: str = ""

    @property
    def blocks(self) -> int:
        """Gates stacked in one matrix: G, 3 in a GRU and 4 in an LSTM."""
        return len(self.order)


def convert(weights: Arrays, source: str, target: str) -> dict[str, Any]:
    """The same layer in another spelling; ``source`` and ``target`` are names in ``SPELLINGS``.

    Returns new arrays in the containers of ``target``. Raises ConversionError where no weights
    of ``target`` compute the same function, and for arrays that do not fit ``source``.
    """
    start, goal = spelling(source), spelling(target)
    if start.cell != goal.cell:
        raise ConversionError(
            f"{source} is {_article(start.cell)} and {target} is {_article(goal.cell)}: "
            "their equations differ, whatever the weights."
        )
    params = _read(start, weights)
    if start.cell == "gru":
        if start.update != goal.update:
            params = {**params, "W_z": -params["W_z"], "b_z": -params["b_z"]}
        if start.reset != goal.reset:
            params = _after(params) if goal.reset == "after" else _before(params)
        if goal.biases == "one":
            params = _without_inner_bias(params, goal.name)
    return goal.pack(goal, _stack(goal, params))


def spelling(name: str) -> Spelling:
    """The spelling of that name; raises ConversionError, with all names, when there is none."""
    if name not in SPELLINGS:
        raise ConversionError(f"{name!r} is not a spelling; known are: {', '.join(SPELLINGS)}.")
    return SPELLINGS[name]


def torch_layer(state: Arrays, layer: int = 0, reverse: bool = False) -> dict[str, np.ndarray]:
    """One layer, one direction of a ``state_dict`` of ``torch.nn.GRU`` or ``LSTM``.

    The four arrays return under the names of a single layer, ``weight_ih_l0`` and so on.
    """
    suffix = f"_l{layer}" + "_reverse" * reverse
    chosen = {
        name.removesuffix(suffix) + "_l0": np.asarray(value)
        for name, value in state.items()
        if name.endswith(suffix)
    }
    if not chosen:
        raise ConversionError(
            f"no array ends in {suffix}: found {', '.join(sorted(state)) or 'nothing'}."
        )
    return chosen


def _read(spelling: Spelling, weights: Arrays) -> dict[str, np.ndarray]:
    """The course's dict, still in the spelling's own conventions for z and r."""
    stacked = spelling.unpack(spelling, weights)
    G = spelling.blocks
    rows, H = stacked.recurrent.shape
    if rows != G * H:
        hint = "; it looks transposed" if H == G * rows else ""
        raise ConversionError(
            f"{spelling.name}: the recurrent weights have shape {stacked.recurrent.shape} with the "
            f"gates along the rows; {G} blocks of (H, H) are needed{hint}."
        )
    shapes = {
        "input": (rows, stacked.input.shape[1]),
        "input_bias": (rows,),
        "recurrent_bias": (rows,),
    }
    for part, expected in shapes.items():
        found = getattr(stacked, part).shape
        if found != expected:
            raise ConversionError(
                f"{spelling.name}: with H = {H} in the recurrent weights, the {part.replace('_', ' ')} "
                f"needs {rows} rows, gates along the rows; its shape is {found}."
            )
    kinds = {part.dtype for part in vars(stacked).values()}
    if len(kinds) > 1 or not np.issubdtype(next(iter(kinds)), np.floating):
        raise ConversionError(
            f"{spelling.name}: weights must be floating numbers of one dtype, not "
            f"{', '.join(sorted(map(str, kinds)))}."
        )
    return _cut(spelling, stacked)


def _cut(spelling: Spelling, stacked: Stacked) -> dict[str, np.ndarray]:
    """The course's dict from a stack; biases that only act as a sum are added."""
    parts = (stacked.input, stacked.recurrent, stacked.input_bias, stacked.recurrent_bias)
    W_i, W_h, b_i, b_h = (
        dict(zip(spelling.order, np.split(part, spelling.blocks), strict=True)) for part in parts
    )
    params = {
        f"W_{gate}": np.concatenate([W_h[gate], W_i[gate]], axis=1) for gate in spelling.order
    }
    for gate in spelling.order:
        apart = gate == "h" and spelling.reset == "after"
        params[f"b_{gate}"] = b_i[gate].copy() if apart else b_i[gate] + b_h[gate]
    if spelling.reset == "after":
        params["b_hn"] = b_h["h"].copy()
    return params


def _stack(spelling: Spelling, params: Mapping[str, np.ndarray]) -> Stacked:
    """The course's dict, stacked; every bias as the input's, except ``b_hn``."""
    H = len(params[f"b_{spelling.order[0]}"])
    matrices = [params[f"W_{gate}"] for gate in spelling.order]
    none = np.zeros(H, matrices[0].dtype)
    inner = {"h": params["b_hn"]} if "b_hn" in params else {}
    return Stacked(
        np.concatenate([W[:, H:] for W in matrices]),
        np.concatenate([W[:, :H] for W in matrices]),
        np.concatenate([params[f"b_{gate}"] for gate in spelling.order]),
        np.concatenate([inner.get(gate, none) for gate in spelling.order]),
    )


def _sigmoid(a: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * a))


def _regate(params: Mapping[str, np.ndarray], listening: bool) -> dict[str, np.ndarray]:
    """Give every unit the reset gate that the units on the other side of ``W_hn`` share.

    ``listening``: r moves from the senders to the receiver (before to after); otherwise back.
    Exact unless constant gates have to be absorbed into ``W_hn``.
    """
    W_r, b_r, W_h = params["W_r"].copy(), params["b_r"].copy(), params["W_h"].copy()
    H = len(b_r)
    links = W_h[:, :H] if listening else W_h[:, :H].T  # row: a unit, columns: its partners
    for unit, row in enumerate(links):
        partners = np.flatnonzero(row).tolist()
        if not partners:
            continue
        first, *others = partners
        for other in others:
            same = np.array_equal(params["W_r"][first], params["W_r"][other])
            equal = params["b_r"][first] == params["b_r"][other]
            constant = not params["W_r"][first].any()
            if not same or not (equal or constant):
                raise ConversionError(_different_gates(unit, first, other, listening))
            if not equal:
                row[other] *= _sigmoid(params["b_r"][other]) / _sigmoid(params["b_r"][first])
        W_r[unit], b_r[unit] = params["W_r"][first], params["b_r"][first]
    return {**params, "W_r": W_r, "b_r": b_r, "W_h": W_h}


def _different_gates(unit: int, one: int, other: int, listening: bool) -> str:
    if listening:
        return (
            f"reset before cannot become reset after: unit {unit} listens to units {one} and {other}, "
            "whose reset gates differ, and after the product it has one gate for both. It would be "
            "possible with H = 1, a diagonal W_hn, or units with equal reset gates."
        )
    return (
        f"reset after cannot become reset before: unit {unit} is heard by units {one} and {other}, "
        "whose reset gates differ, and before the product it has one gate for both. It would be "
        "possible with H = 1, a diagonal W_hn, or units with equal reset gates."
    )


def _after(params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {**_regate(params, listening=True), "b_hn": np.zeros_like(params["b_h"])}


def _before(params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    regated = _regate(params, listening=False)
    del regated["b_hn"]
    return {**regated, "b_h": _without_inner_bias(params, "reset before")["b_h"]}


def _without_inner_bias(params: Mapping[str, np.ndarray], goal: str) -> dict[str, np.ndarray]:
    """Drop ``b_hn`` where it is zero, absorb it where its reset gate is constant."""
    params = dict(params)
    inner = params.pop("b_hn", None)
    if inner is None or not inner.any():
        return params
    varying = np.flatnonzero((inner != 0) & params["W_r"].any(axis=1))
    if len(varying):
        raise ConversionError(
            f"{goal} has no bias inside the reset product, and b_hn is {inner[varying[0]]:.3g} in "
            f"unit {varying[0]}. The gate multiplies it by something else at every step, so no bias "
            "outside can stand for it. Only b_hn = 0 can be left out."
        )
    params["b_h"] = params["b_h"] + _sigmoid(params["b_r"]) * inner
    return params


# Containers: one pair of functions for each way to store.


def _take(spelling: Spelling, weights: Any, name: str, ndim: int) -> np.ndarray:
    if not isinstance(weights, Mapping) or name not in weights:
        found = ", ".join(map(str, weights)) if isinstance(weights, Mapping) else type(weights)
        raise ConversionError(f"{spelling.name}: {name!r} is missing; found {found or 'nothing'}.")
    array = np.asarray(weights[name])
    if array.ndim != ndim:
        raise ConversionError(
            f"{spelling.name}: {name!r} has shape {array.shape}; it needs {ndim} dimensions."
        )
    return array


def _bias(spelling: Spelling, weights: Any, name: str, like: np.ndarray) -> np.ndarray:
    """A bias (G H,), zeros where a layer was made without one."""
    if name not in weights:
        return np.zeros(like.shape[0], like.dtype)
    return _take(spelling, weights, name, 1)


def _unpack_course(spelling: Spelling, weights: Arrays) -> Stacked:
    biases = [_take(spelling, weights, f"b_{gate}", 1) for gate in spelling.order]
    matrices = [_take(spelling, weights, f"W_{gate}", 2) for gate in spelling.order]
    H = len(biases[0])
    for gate, W, b in zip(spelling.order, matrices, biases, strict=True):
        if W.shape != matrices[0].shape or W.shape[0] != H or W.shape[1] <= H or len(b) != H:
            raise ConversionError(
                f"{spelling.name}: W_{gate} has shape {W.shape} and b_{gate} {b.shape}; all "
                f"matrices are (H, H + D) and all biases (H,), here with H = {H}."
            )
    if "b_hn" in weights:
        if spelling.reset != "after":
            raise ConversionError(f"{spelling.name} has no b_hn: that is a bias of reset after.")
        if _take(spelling, weights, "b_hn", 1).shape != (H,):
            raise ConversionError(f"{spelling.name}: b_hn must have shape ({H},).")
    return _stack(spelling, {name: np.asarray(value) for name, value in weights.items()})


def _pack_course(spelling: Spelling, stacked: Stacked) -> dict[str, np.ndarray]:
    # Reading the stack back is what packs it: the dict is the form everything goes through.
    return _cut(spelling, stacked)


def _unpack_torch(spelling: Spelling, weights: Arrays) -> Stacked:
    suffix = spelling.suffix
    W_i = _take(spelling, weights, f"weight_ih{suffix}", 2)
    return Stacked(
        W_i,
        _take(spelling, weights, f"weight_hh{suffix}", 2),
        _bias(spelling, weights, f"bias_ih{suffix}", W_i),
        _bias(spelling, weights, f"bias_hh{suffix}", W_i),
    )


def _pack_torch(spelling: Spelling, stacked: Stacked) -> dict[str, np.ndarray]:
    suffix = spelling.suffix
    return {
        f"weight_ih{suffix}": stacked.input,
        f"weight_hh{suffix}": stacked.recurrent,
        f"bias_ih{suffix}": stacked.input_bias,
        f"bias_hh{suffix}": stacked.recurrent_bias,
    }


def _unpack_keras(spelling: Spelling, weights: Arrays) -> Stacked:
    W_i = _take(spelling, weights, "kernel", 2).T
    W_h = _take(spelling, weights, "recurrent_kernel", 2).T
    none = np.zeros(W_i.shape[0], W_i.dtype)
    if "bias" not in weights:
        return Stacked(W_i, W_h, none, none)
    if spelling.biases == "two":
        pair = _take(spelling, weights, "bias", 2)
        if len(pair) != 2:
            raise ConversionError(
                f"{spelling.name}: 'bias' has shape {pair.shape}, not (2, {W_i.shape[0]})."
            )
        return Stacked(W_i, W_h, *pair)
    return Stacked(W_i, W_h, _take(spelling, weights, "bias", 1), none)


def _pack_keras(spelling: Spelling, stacked: Stacked) -> dict[str, np.ndarray]:
    one, two = stacked.input_bias, stacked.recurrent_bias
    return {
        "kernel": np.ascontiguousarray(stacked.input.T),
        "recurrent_kernel": np.ascontiguousarray(stacked.recurrent.T),
        "bias": np.stack([one, two]) if spelling.biases == "two" else one,
    }


def _dense(spelling: Spelling, weights: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (out, in) and bias of a Flax submodule, zeros where it has none."""
    if not isinstance(weights, Mapping) or name not in weights:
        raise ConversionError(f"{spelling.name}: the submodule {name!r} is missing.")
    W = _take(spelling, weights[name], "kernel", 2).T
    return W, _bias(spelling, weights[name], "bias", W)


def _unpack_gates(spelling: Spelling, weights: Arrays) -> Stacked:
    def stack(side):
        names = [_gate_name(spelling, side, letter) for letter in spelling.letters]
        matrices, biases = zip(*(_dense(spelling, weights, name) for name in names), strict=True)
        return np.concatenate(matrices), np.concatenate(biases)

    (W_i, b_i), (W_h, b_h) = stack("i"), stack("h")
    return Stacked(W_i, W_h, b_i, b_h)


def _gate_name(spelling: Spelling, side: str, letter: str) -> str:
    return side + letter + spelling.suffix * keyword.iskeyword(side + letter)


def _pack_gates(spelling: Spelling, stacked: Stacked) -> dict[str, dict[str, np.ndarray]]:
    H = stacked.recurrent.shape[1]
    biased = "i" if spelling.cell == "gru" else "h"
    params: dict[str, dict[str, np.ndarray]] = {}
    for side, W in (("i", stacked.input), ("h", stacked.recurrent)):
        for position, letter in enumerate(spelling.letters):
            rows = slice(position * H, (position + 1) * H)
            entry = {"kernel": np.ascontiguousarray(W[rows].T)}
            if side == biased:
                entry["bias"] = stacked.input_bias[rows].copy()
            elif spelling.cell == "gru" and letter == "n":
                entry["bias"] = stacked.recurrent_bias[rows].copy()
            params[_gate_name(spelling, side, letter)] = entry
    return params


def _unpack_dense(spelling: Spelling, weights: Arrays) -> Stacked:
    W_i, b_i = _dense(spelling, weights, "dense_i")
    W_h, b_h = _dense(spelling, weights, "dense_h")
    return Stacked(W_i, W_h, b_i, b_h)


def _pack_dense(spelling: Spelling, stacked: Stacked) -> dict[str, dict[str, np.ndarray]]:
    params = {
        "dense_i": {"kernel": np.ascontiguousarray(stacked.input.T)},
        "dense_h": {"kernel": np.ascontiguousarray(stacked.recurrent.T)},
    }
    params["dense_i" if spelling.cell == "gru" else "dense_h"]["bias"] = stacked.input_bias
    return params


def _unpack_onnx(spelling: Spelling, weights: Arrays) -> Stacked:
    W, R = _take(spelling, weights, "W", 3), _take(spelling, weights, "R", 3)
    if len(W) != 1 or len(R) != 1:
        raise ConversionError(
            f"{spelling.name}: W has shape {W.shape}; take one direction, with 1 in front."
        )
    rows = W.shape[1]
    if "B" not in weights:
        none = np.zeros(rows, W.dtype)
        return Stacked(W[0], R[0], none, none)
    B = _take(spelling, weights, "B", 2)
    if B.shape != (1, 2 * rows):
        raise ConversionError(f"{spelling.name}: 'B' has shape {B.shape}, not (1, {2 * rows}).")
    return Stacked(W[0], R[0], B[0, :rows], B[0, rows:])


def _pack_onnx(spelling: Spelling, stacked: Stacked) -> dict[str, np.ndarray]:
    bias = np.concatenate([stacked.input_bias, stacked.recurrent_bias])
    return {"W": stacked.input[None], "R": stacked.recurrent[None], "B": bias[None]}


def _unpack_cudnn(spelling: Spelling, weights: Arrays) -> Stacked:
    G, parts = spelling.blocks, []
    for name, ndim in (("matrices", 2), ("biases", 1)):
        arrays = [np.asarray(array) for array in weights.get(name, ())]
        if len(arrays) != 2 * G or any(array.ndim != ndim for array in arrays):
            raise ConversionError(
                f"{spelling.name}: {name!r} must be {2 * G} arrays of {ndim} dimensions, one for "
                f"each linLayerID; found shapes {[array.shape for array in arrays]}."
            )
        if len({array.shape for array in arrays[:G]}) > 1 or len({a.shape for a in arrays[G:]}) > 1:
            raise ConversionError(f"{spelling.name}: the {name} of the gates differ in shape.")
        parts += [np.concatenate(arrays[:G]), np.concatenate(arrays[G:])]
    return Stacked(*parts)


def _pack_cudnn(spelling: Spelling, stacked: Stacked) -> dict[str, list[np.ndarray]]:
    def cut(*parts):
        return [block for part in parts for block in np.split(part, spelling.blocks)]

    return {
        "matrices": cut(stacked.input, stacked.recurrent),
        "biases": cut(stacked.input_bias, stacked.recurrent_bias),
    }


_COURSE: dict[str, Any] = {
    "order": ("z", "r", "h"),
    "letters": ("z", "r", "h"),
    "layout": "a dict: W (H, H + D), hidden part first, and b (H,) for each gate",
    "unpack": _unpack_course,
    "pack": _pack_course,
    "evidence": "the reference",
}
_TORCH: dict[str, Any] = {
    "biases": "two",
    "unpack": _unpack_torch,
    "pack": _pack_torch,
    "evidence": "torch, run by the tests",
}
_KERAS: dict[str, Any] = {
    "layout": "columns: kernel (D, {G}H), recurrent_kernel (H, {G}H)",
    "unpack": _unpack_keras,
    "pack": _pack_keras,
    "evidence": "Keras, recorded",
}
_GATES: dict[str, Any] = {
    "layout": "a kernel (D, H) or (H, H) for each gate",
    "unpack": _unpack_gates,
    "pack": _pack_gates,
    "evidence": "Flax, recorded",
}
_DENSE: dict[str, Any] = {
    "biases": "one",
    "layout": "columns: dense_i (D, {G}H), dense_h (H, {G}H)",
    "unpack": _unpack_dense,
    "pack": _pack_dense,
    "evidence": "Flax, recorded",
}
_ONNX: dict[str, Any] = {
    "biases": "two",
    "layout": "rows: W (1, {G}H, D), R (1, {G}H, H)",
    "unpack": _unpack_onnx,
    "pack": _pack_onnx,
    "evidence": "the ONNX evaluator, run by the tests",
}
_CUDNN: dict[str, Any] = {
    "biases": "two",
    "layout": "(H, D) or (H, H) for each linLayerID, the input's first",
    "unpack": _unpack_cudnn,
    "pack": _pack_cudnn,
    "evidence": "its documentation",
}
_ZRH, _RZN, _IFGO = ("z", "r", "h"), ("r", "z", "n"), ("i", "f", "g", "o")
_KEEP_AFTER: dict[str, Any] = {"cell": "gru", "update": "keep", "reset": "after"}
_KEEP_BEFORE: dict[str, Any] = {"cell": "gru", "update": "keep", "reset": "before"}
_GRU_RZN: dict[str, Any] = {"order": ("r", "z", "h"), "letters": _RZN, **_KEEP_AFTER}
_LSTM_IFGO: dict[str, Any] = {"cell": "lstm", "order": ("i", "f", "c", "o"), "letters": _IFGO}
_ROWS = "rows: weight_ih ({G}H, D), weight_hh ({G}H, H)"


def _spellings() -> list[Spelling]:
    course = [
        Spelling("course" if (u, r) == ("replace", "before") else f"course, {u}, {r}",
                 cell="gru", update=u, reset=r,
                 biases="one, and b_hn" if r == "after" else "one", **_COURSE)
        for u in ("replace", "keep")
        for r in ("before", "after")
    ]  # fmt: skip
    return [
        *course,
        Spelling("torch.nn.GRU", suffix="_l0", layout=_ROWS, **_GRU_RZN, **_TORCH),
        Spelling("torch.nn.GRUCell", layout=_ROWS, **_GRU_RZN, **_TORCH),
        Spelling("keras.layers.GRU", order=_ZRH, letters=_ZRH, biases="two", **_KEEP_AFTER, **_KERAS),
        Spelling(
            "keras.layers.GRU, reset_after=False",
            order=_ZRH, letters=_ZRH, biases="one", **_KEEP_BEFORE, **_KERAS,
        ),
        Spelling("flax.linen.GRUCell", biases="one, and b_hn", **_GRU_RZN, **_GATES),
        Spelling("flax.nnx.GRUCell", **_GRU_RZN, **_DENSE),
        Spelling(
            "onnx.GRU, linear_before_reset=1", order=_ZRH, letters=_ZRH, **_KEEP_AFTER, **_ONNX
        ),
        Spelling("onnx.GRU", order=_ZRH, letters=_ZRH, **_KEEP_BEFORE, **_ONNX),
        Spelling("cuDNN GRU", order=("r", "z", "h"), letters=("r", "i", "h′"), **_KEEP_AFTER, **_CUDNN),
        Spelling(
            "course LSTM", cell="lstm", biases="one",
            **_COURSE | {"order": ("f", "i", "c", "o"), "letters": ("f", "i", "c", "o")},
        ),
        Spelling("torch.nn.LSTM", suffix="_l0", layout=_ROWS, **_LSTM_IFGO, **_TORCH),
        Spelling("torch.nn.LSTMCell", layout=_ROWS, **_LSTM_IFGO, **_TORCH),
        Spelling("keras.layers.LSTM", biases="one",
                 **_LSTM_IFGO | {"letters": ("i", "f", "c", "o")}, **_KERAS),
        Spelling("flax.linen.LSTMCell", biases="one", **_LSTM_IFGO, **_GATES),
        Spelling("flax.nnx.LSTMCell", biases="one", suffix="_", **_LSTM_IFGO, **_GATES),
        Spelling("flax.nnx.OptimizedLSTMCell", **_LSTM_IFGO, **_DENSE),
        Spelling("onnx.LSTM", cell="lstm", order=("i", "o", "f", "c"), letters=("i", "o", "f", "c"), **_ONNX),
        Spelling("cuDNN LSTM", **_LSTM_IFGO | {"letters": ("i", "f", "c′", "o")}, **_CUDNN),
    ]  # fmt: skip


SPELLINGS: dict[str, Spelling] = {one.name: one for one in _spellings()}
"""Every storage the converter knows, by name."""


def _article(cell: str) -> str:
    return {"gru": "a GRU", "lstm": "an LSTM"}[cell]
