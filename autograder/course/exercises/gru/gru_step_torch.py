"""``gru_step_torch``: one step by PyTorch's equations and stacked weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.checking.record import Inputs, Mistake, Outputs, Probe
from autograder.course.exercises.gru.inputs import PARTS
from autograder.course.exercises.gru.sections import LAYER, TWO_RESETS
from autograder.course.exercises.gru.stacked import CHANGES, keep_to_replace, stacked_weights
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.answers import tensors
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.course.exercises.shared.drawing import (
    SATURATED,
    general_step,
    known_gate,
    state,
    step_families,
)
from autograder.course.exercises.shared.wrong import contract_mistakes, sigmoid
from autograder.player.contract import Array


def _torch_step(rng, B: int, D: int, H: int) -> Inputs:
    return {
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        **stacked_weights(rng, D, H),
    }


_torch_general = general_step(_torch_step)


def _fixed_torch(drawn: Inputs, gate: str, value: object) -> None:
    """Let the pre-activation of gate r, z or n be ``value``, whatever the input."""
    H = drawn["h_prev"].shape[1]
    rows = slice(H * "rzn".index(gate), H * ("rzn".index(gate) + 1))
    for name in ("weight_ih", "weight_hh", "bias_hh"):
        drawn[name][rows] = 0.0
    drawn["bias_ih"][rows] = value


def _torch_blend(rng) -> Inputs:
    drawn = _torch_general(rng)
    _fixed_torch(drawn, "z", known_gate(rng, drawn["h_prev"].shape[1]))
    _fixed_torch(drawn, "n", SATURATED)
    return drawn


def _torch_z(rng) -> Inputs:
    drawn = _torch_general(rng)
    _fixed_torch(drawn, "n", SATURATED)
    return drawn


def _torch_candidate(rng) -> Inputs:
    drawn = _torch_general(rng)
    _fixed_torch(drawn, "z", -2.0)
    _fixed_torch(drawn, "r", SATURATED)
    return drawn


def _torch_r(rng) -> Inputs:
    drawn = _torch_general(rng)
    _fixed_torch(drawn, "z", -2.0)
    return drawn


_PROBES = (
    Probe("z and candidate known", _torch_blend, part="state"),
    Probe("candidate held at 1", _torch_z, part="z"),
    Probe("z known, r held at 1", _torch_candidate, part="candidate"),
    Probe("z known", _torch_r, part="r"),
    *step_families(_torch_step),
)


def _answer_torch_step(inputs: Mapping) -> Outputs:
    from autograder.course import reference

    given = tensors(inputs)
    x, h_prev = given.pop("x"), given.pop("h_prev")
    params = reference.params_from_torch(**given)
    return {"h": reference.gru_step(x, h_prev, params, "keep", "after").numpy()}


def _torch_gates(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh, order="rzn"):
    """The six pre-activations, input and recurrent, by gate name."""
    from_x = np.split(x @ weight_ih.T + bias_ih, 3, axis=-1)
    from_h = np.split(h_prev @ weight_hh.T + bias_hh, 3, axis=-1)
    return dict(zip(order, from_x, strict=True)), dict(zip(order, from_h, strict=True))


def _torch_cell(
    x,
    h_prev,
    weight_ih,
    weight_hh,
    bias_ih,
    bias_hh,
    order="rzn",
    candidate=lambda i, h, r: np.tanh(i + r * h),
    blend=lambda z, n, h: (1 - z) * n + z * h,
    gate=sigmoid,
):
    i, h = _torch_gates(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh, order)
    r, z = gate(i["r"] + h["r"]), gate(i["z"] + h["z"])
    return blend(z, candidate(i["n"], h["n"], r), h_prev)


def _torch_cell_with(**changes) -> Callable:
    return lambda **inputs: _torch_cell(**inputs, **changes)


def _reset_before_torch(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    i, h = _torch_gates(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z = sigmoid(i["r"] + h["r"]), sigmoid(i["z"] + h["z"])
    H = h_prev.shape[-1]
    n = np.tanh(i["n"] + (r * h_prev) @ weight_hh[2 * H :].T + bias_hh[2 * H :])
    return (1 - z) * n + z * h_prev


def _own_step_in_torch(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    i, h = _torch_gates(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z = sigmoid(i["r"] + h["r"]), sigmoid(i["z"] + h["z"])
    H = h_prev.shape[-1]
    n = np.tanh(i["n"] + (r * h_prev) @ weight_hh[2 * H :].T + bias_hh[2 * H :])
    return (1 - z) * h_prev + z * n


def _bias_outside(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[-1]
    b_hn = bias_hh[2 * H :]
    return _torch_cell(
        x,
        h_prev,
        weight_ih,
        weight_hh,
        bias_ih,
        bias_hh,
        candidate=lambda i, h, r: np.tanh(i + r * (h - b_hn) + b_hn),
    )


def _dropped(name: str, rows: slice | None = None) -> Callable:
    def without(**inputs):
        bias = inputs[name].copy()
        H = inputs["h_prev"].shape[-1]
        bias[slice(None) if rows is None else slice(rows.start * H, rows.stop * H)] = 0.0
        return _torch_cell(**{**inputs, name: bias})

    return without


def _no_biases(**inputs):
    zeros = np.zeros_like(inputs["bias_ih"])
    return _torch_cell(**{**inputs, "bias_ih": zeros, "bias_hh": zeros})


def _recurrent_not_transposed(**inputs):
    H = inputs["h_prev"].shape[-1]
    blocks = [inputs["weight_hh"][k * H : (k + 1) * H].T for k in range(3)]
    return _torch_cell(**{**inputs, "weight_hh": np.concatenate(blocks)})


def _biases_swapped(**inputs):
    swapped = {"bias_ih": inputs["bias_hh"], "bias_hh": inputs["bias_ih"]}
    return _torch_cell(**{**inputs, **swapped})


def _interleaved(**inputs):
    H = inputs["h_prev"].shape[-1]
    order = np.arange(3 * H).reshape(H, 3).T.ravel()
    rows = {k: inputs[k][order] for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    return _torch_cell(**{**inputs, **rows})


def _torch_mistake(name, says, wrong, where=LAYER, part=None):
    return Mistake(name, says, wrong, where, part)


def _numpy_candidate(changes: dict) -> dict:
    """Wrap the candidate's argument in NumPy's tanh; the layers use torch's."""
    if "candidate" not in changes:
        return changes
    inside = changes["candidate"]
    return {"candidate": lambda i, h, r: np.tanh(inside(i, h, r))}


_MISTAKES = (
    *(
        _torch_mistake(name, says, _torch_cell_with(**_numpy_candidate(changes)), where, part)
        for name, says, where, part, changes in CHANGES
    ),
    _torch_mistake(
        "reset before the matrix product",
        "You multiply r * h_prev before the product, as in the course's own step; PyTorch "
        "multiplies r into W_hn h_prev + b_hn. These are two different models.",
        _reset_before_torch,
        TWO_RESETS,
        "r",
    ),
    _torch_mistake(
        "b_hn outside the reset product",
        "r multiplies W_hn h_prev only; b_hn stands inside the bracket with it.",
        _bias_outside,
        TWO_RESETS,
        "r",
    ),
    _torch_mistake("bias_ih dropped", "bias_ih has no influence.", _dropped("bias_ih")),
    _torch_mistake("bias_hh dropped", "bias_hh has no influence.", _dropped("bias_hh")),
    _torch_mistake(
        "both biases dropped",
        "Neither bias_ih nor bias_hh has an influence.",
        _no_biases,
    ),
    _torch_mistake(
        "the course's own step",
        "Your z replaces and r comes before the matrix product, as in the course's own step; in "
        "PyTorch z keeps, and r multiplies W_hn h_prev + b_hn.",
        _own_step_in_torch,
        TWO_RESETS,
        "state",
    ),
    _torch_mistake(
        "gates read in the order z, r, n, and z and 1 - z swapped",
        "Two things at once: you read the rows as z, r, n, but torch stacks them r, z, n; and "
        "your z replaces, but in PyTorch z near 1 keeps.",
        _torch_cell_with(order="zrn", blend=keep_to_replace),
        part="z",
    ),
    _torch_mistake(
        "b_hn dropped",
        "The last third of bias_hh, b_hn, has no influence.",
        _dropped("bias_hh", slice(2, 3)),
        part="candidate",
    ),
    _torch_mistake(
        "b_in dropped",
        "The last third of bias_ih, b_in, has no influence.",
        _dropped("bias_ih", slice(2, 3)),
        part="candidate",
    ),
    _torch_mistake(
        "the two biases exchanged",
        "bias_ih and bias_hh are exchanged; for n that matters, since r multiplies only b_hn.",
        _biases_swapped,
        part="candidate",
    ),
    _torch_mistake(
        "recurrent weights not transposed",
        "Each H × H block of weight_hh is used without its transpose; it is square, so no shape "
        "complains. Use h_prev @ weight_hh.T.",
        _recurrent_not_transposed,
    ),
    _torch_mistake(
        "rows read interleaved",
        "You take every third row; the gates are stacked in blocks of H rows.",
        _interleaved,
    ),
    _torch_mistake(
        "sigmoid for tanh",
        "The candidate n is squashed with the sigmoid; it needs tanh.",
        _torch_cell_with(candidate=lambda i, h, r: sigmoid(i + r * h)),
        part="candidate",
    ),
    _torch_mistake(
        "no tanh",
        "The tanh around the candidate n is missing.",
        _torch_cell_with(candidate=lambda i, h, r: i + r * h),
        part="candidate",
    ),
    _torch_mistake(
        "tanh for sigmoid",
        "The gates are squashed with tanh; they need the sigmoid.",
        _torch_cell_with(gate=np.tanh),
        part="z",
    ),
    *contract_mistakes(_torch_cell, None, LAYER, "h_prev"),
)

EXERCISE = gru_exercise(
    name="gru_step_torch",
    assignment="gru",
    signature="gru_step_torch(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh) -> h",
    points=4,
    section=LAYER,
    equation="n = tanh(W_in x + b_in + r ∗ (W_hn h_prev + b_hn)),  h = (1 − z) ∗ n + z ∗ h_prev",
    hints=(
        "np.split(…, 3) cuts the stacked rows into r, z and n.",
        "For r and z the two biases simply add; for n, b_hn stays with the recurrent part.",
    ),
    returns=Array("h"),
    probes=_PROBES,
    answer=_answer_torch_step,
    in_numpy=_torch_cell,
    mistakes=_MISTAKES,
    parts=PARTS,
)
