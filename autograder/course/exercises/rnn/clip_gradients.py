"""``clip_gradients``: all gradients scaled down by one factor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.checking.record import Inputs, Mistake, Outputs, Probe
from autograder.course.exercises.rnn.inputs import KEYS
from autograder.course.exercises.rnn.sections import CLIPPING
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.answers import tensors
from autograder.course.exercises.shared.declared import rnn_exercise
from autograder.course.exercises.shared.drawing import different_sizes
from autograder.player.contract import Params


def _clip_inputs(rng, share: float, size: float = 1.0) -> Inputs:
    """Gradients of an RNN and an output layer; ``max_norm`` is ``share`` of their norm."""
    D, H, K = different_sizes(rng, 3)
    shapes = {"W_h": (H, H + D), "b_h": (H,), "W_y": (K, H), "b_y": (K,)}
    grads = {name: size * drawing.inputs(rng, *shape) for name, shape in shapes.items()}
    return {"grads": grads, "max_norm": float(share * _norm(grads))}


def _norm(grads: Mapping[str, np.ndarray]) -> float:
    return np.sqrt(sum((g**2).sum() for g in grads.values()))


def _one_large_tensor(rng) -> Inputs:
    drawn = _clip_inputs(rng, 1.0)
    drawn["grads"]["b_h"] *= 50.0
    drawn["max_norm"] = float(rng.uniform(0.1, 0.3) * _norm(drawn["grads"]))
    return drawn


def _all_zero(rng) -> Inputs:
    drawn = _clip_inputs(rng, 1.0)
    drawn["grads"] = {name: 0.0 * g for name, g in drawn["grads"].items()}
    return drawn


_PROBES = (
    Probe("norm above max_norm", lambda rng: _clip_inputs(rng, rng.uniform(0.2, 0.6)), "above"),
    Probe("norm below max_norm", lambda rng: _clip_inputs(rng, rng.uniform(1.5, 4.0)), "below"),
    Probe("all zero", _all_zero, "zero"),
    Probe("norm just above max_norm", lambda rng: _clip_inputs(rng, 0.999)),
    Probe("norm just below max_norm", lambda rng: _clip_inputs(rng, 1.001)),
    Probe("norm far below max_norm", lambda rng: _clip_inputs(rng, 1e6, 1e-6)),
    Probe("exploded", lambda rng: _clip_inputs(rng, 1e-8, 1e8)),
    Probe("one tensor much larger than the others", _one_large_tensor),
)

_PARTS = (
    ("above", "gradients above max_norm"),
    ("below", "gradients below max_norm"),
    ("zero", "gradients that are all zero"),
)


def _answer_clip(inputs: Mapping) -> Outputs:
    from autograder.course import reference

    clipped = reference.clip_gradients(**tensors(inputs))
    return {name: g.numpy() for name, g in clipped.items()}


def _scaled(grads, factor):
    return {name: g * factor for name, g in grads.items()}


def _clip(grads, max_norm, norm=_norm):
    n = norm(grads)
    return _scaled(grads, max_norm / n if n > max_norm else 1.0)


def _clip_with(norm: Callable) -> Callable:
    return lambda grads, max_norm: _clip(grads, max_norm, norm)


def _clip_when_above(change: Callable) -> Callable:
    """``change(grads, norm, max_norm)`` where the norm is above max_norm."""

    def clip(grads, max_norm):
        n = _norm(grads)
        return change(grads, n, max_norm) if n > max_norm else _scaled(grads, 1.0)

    return clip


def _with_small_constant(constant: float) -> Callable:
    return lambda grads, max_norm: _scaled(grads, min(1.0, max_norm / (_norm(grads) + constant)))


def _each_alone(grads, max_norm):
    return {name: _clip({name: g}, max_norm)[name] for name, g in grads.items()}


def _always_scaled(grads, max_norm):
    with np.errstate(divide="ignore", invalid="ignore"):
        return _scaled(grads, np.float64(max_norm) / _norm(grads))


def _biases_untouched(grads, n, max_norm):
    return {k: g * (max_norm / n) if k.startswith("W") else g for k, g in grads.items()}


def _clip_in_place(grads, max_norm):
    for name, g in _clip(grads, max_norm).items():
        grads[name] = g
    return grads


def _only_the_cell(grads, max_norm):
    return _clip({key: grads[key] for key in KEYS}, max_norm)


def _norm_of(keep: Callable) -> Callable:
    return lambda grads: _norm({k: g for k, g in grads.items() if keep(k)})


def _clip_mistake(name, says, wrong, part="above"):
    return Mistake(name, says, wrong, CLIPPING, part)


_MISTAKES = (
    _clip_mistake(
        "each tensor clipped alone",
        "Every tensor is clipped to max_norm by its own norm, which turns the direction of the "
        "step. Take one norm over all of them and one factor.",
        _each_alone,
    ),
    _clip_mistake(
        "small gradients scaled up",
        "You always scale to max_norm; gradients that are small already stay as they are: "
        "min(1, max_norm / norm).",
        _always_scaled,
        "below",
    ),
    _clip_mistake(
        "small gradients scaled up, zeros left alone",
        "You always scale to max_norm, but for zeros; gradients that are small already stay as they "
        "are: min(1, max_norm / norm).",
        lambda grads, max_norm: _scaled(grads, max_norm / n if (n := _norm(grads)) else 1.0),
        "below",
    ),
    _clip_mistake(
        "1e-6 added to the norm",
        "You divide by norm + 1e-6, as PyTorch does; here nothing is added. When the norm "
        "is above max_norm it is not zero.",
        _with_small_constant(1e-6),
    ),
    _clip_mistake(
        "1e-8 added to the norm",
        "You divide by norm + 1e-8; here nothing is added. When the norm is above max_norm it "
        "is not zero.",
        _with_small_constant(1e-8),
    ),
    _clip_mistake(
        "entries clipped",
        "Every entry is cut to ±max_norm; that is clipping by value. Here all entries are scaled "
        "by one factor, which keeps the direction.",
        lambda grads, max_norm: {k: np.clip(g, -max_norm, max_norm) for k, g in grads.items()},
    ),
    _clip_mistake(
        "largest tensor norm for the global norm",
        "Your factor comes from the largest of the tensors' norms; the global norm is that of "
        "all entries together.",
        _clip_with(lambda grads: max(_norm({k: g}) for k, g in grads.items())),
    ),
    _clip_mistake(
        "norms added",
        "You add the tensors' norms; add their squares, then take the root.",
        _clip_with(lambda grads: sum(_norm({k: g}) for k, g in grads.items())),
    ),
    _clip_mistake(
        "square root missing",
        "You compare the sum of squares with max_norm; the norm is its square root.",
        _clip_with(lambda grads: _norm(grads) ** 2),
    ),
    _clip_mistake(
        "sum of absolute values for the norm",
        "You add absolute values; the norm is the root of the sum of squares.",
        _clip_with(lambda grads: sum(np.abs(g).sum() for g in grads.values())),
    ),
    _clip_mistake(
        "largest entry for the norm",
        "You take the largest absolute entry; the norm is the root of the sum of squares.",
        _clip_with(lambda grads: max(np.abs(g).max() for g in grads.values())),
    ),
    _clip_mistake(
        "root of the mean square",
        "You average the squares; the norm is the root of their sum.",
        _clip_with(lambda grads: _norm(grads) / np.sqrt(sum(g.size for g in grads.values()))),
    ),
    _clip_mistake(
        "mean of the tensors' norms",
        "You average the tensors' norms; the global norm is that of all entries together.",
        _clip_with(lambda grads: sum(_norm({k: g}) for k, g in grads.items()) / len(grads)),
    ),
    _clip_mistake(
        "biases left out of the norm",
        "Only the weights count in your norm; it is taken over all gradients.",
        _clip_with(_norm_of(lambda key: key.startswith("W"))),
    ),
    _clip_mistake(
        "norm of the first tensor only",
        "Your norm is that of the first entry of the dict; it is taken over all gradients.",
        _clip_with(_norm_of(lambda key: key == "W_h")),
    ),
    _clip_mistake(
        "norm of the last tensor only",
        "Your norm is that of the last entry of the dict (is a variable overwritten in the "
        "loop?); it is taken over all gradients.",
        _clip_with(_norm_of(lambda key: key == "b_y")),
    ),
    _clip_mistake(
        "norm of the RNN's gradients only",
        "Your norm is that of W_h and b_h; it is taken over all entries of the dict.",
        _clip_with(_norm_of(lambda key: key in KEYS)),
    ),
    _clip_mistake(
        "biases not scaled",
        "Only the weights are scaled; all gradients get the same factor.",
        _clip_when_above(_biases_untouched),
    ),
    _clip_mistake(
        "scaled to norm 1",
        "Where the norm is above max_norm you scale to norm 1; scale to max_norm.",
        _clip_when_above(lambda grads, n, max_norm: _scaled(grads, 1 / n)),
    ),
    _clip_mistake(
        "factor upside down",
        "Where the norm is above max_norm you multiply by norm / max_norm, which makes it larger "
        "still.",
        _clip_when_above(lambda grads, n, max_norm: _scaled(grads, n / max_norm)),
    ),
    _clip_mistake(
        "multiplied by max_norm",
        "Where the norm is above max_norm you multiply by max_norm; the factor is max_norm / norm.",
        _clip_when_above(lambda grads, n, max_norm: _scaled(grads, max_norm)),
    ),
    _clip_mistake(
        "maximum for minimum",
        "Your factor is max(1, max_norm / norm): it never scales down, and scales small "
        "gradients up. It is the minimum.",
        lambda grads, max_norm: _scaled(
            grads, max(1.0, max_norm / _norm(grads)) if _norm(grads) else 1.0
        ),
    ),
    _clip_mistake(
        "large gradients dropped",
        "Where the norm is above max_norm you return zeros; scale down to max_norm.",
        _clip_when_above(lambda grads, n, max_norm: _scaled(grads, 0.0)),
    ),
    _clip_mistake(
        "nothing clipped",
        "The gradients come back unchanged; where the norm is above max_norm they are scaled down.",
        lambda grads, max_norm: _scaled(grads, 1.0),
    ),
    _clip_mistake(
        "only W_h and b_h returned",
        "Your dict holds W_h and b_h alone; clip every entry of the given dict, whatever its name.",
        _only_the_cell,
        None,
    ),
    _clip_mistake(
        "a list instead of a dict",
        "You return the clipped arrays as a list; the result is a dict with the same keys.",
        lambda grads, max_norm: list(_clip(grads, max_norm).values()),
        None,
    ),
    _clip_mistake(
        "given dict changed",
        "The result is right, but the given dict or its arrays are changed too; build a new dict "
        "of new arrays.",
        _clip_in_place,
        None,
    ),
    Mistake(
        "result in float32",
        "Your numbers are right to seven digits but come as float32; keep float64.",
        lambda grads, max_norm: {
            k: g.astype(np.float32) for k, g in _clip(grads, max_norm).items()
        },
        CLIPPING,
    ),
)

EXERCISE = rnn_exercise(
    name="clip_gradients",
    assignment="rnn",
    signature="clip_gradients(grads, max_norm) -> grads",
    points=2,
    section=CLIPPING,
    equation="g ← g · min(1, max_norm / norm),   norm = √(sum of squares of all entries)",
    hints=(
        "Add the squares of all entries of all arrays, then take one square root.",
        "Multiply every array by the same factor. A norm of zero needs no factor at all.",
    ),
    returns=Params(("W_h", "b_h", "W_y", "b_y")),
    probes=_PROBES,
    answer=_answer_clip,
    in_numpy=_clip,
    mistakes=_MISTAKES,
    why_tolerance="the order of a sum changes the norm by about 1e-15 of its size",
    parts=_PARTS,
)
