"""The assignment ``gradients``: backpropagation through a GRU, one step and a whole sequence.

A step backward is a short table of formulas, each depending on those above it. A wrong
implementation is the same table with a formula or two changed, so every mistake reads as the
line a student would have written. Mistakes of the step appear again in the sequence (``lift``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from autograder.checking.record import Inputs, Mistake, Outputs, Probe, Section
from autograder.course.exercises import drawing
from autograder.course.exercises.drawing import (
    SATURATED,
    different_sizes,
    fix_gate,
    gated_params,
    general_step,
    sequence_families,
    state,
    step_families,
)
from autograder.course.exercises.shared.declared import RECURRENT, gru_exercise
from autograder.course.exercises.wrong import (
    affine,
    contract_mistakes,
    join,
    lift,
    sigmoid,
    split,
    tensors,
)
from autograder.player.contract import Gradients
from autograder.player.observe import AUTOGRAD

CHAPTER = "Gradients through gates"

DIRECT = Section("direct-carry", "The direct path", CHAPTER)
CANDIDATE = Section("candidate-gradient", "Through the candidate", CHAPTER)
GATES = Section("gate-gradients", "Through the gates", CHAPTER)
THROUGH_TIME = Section("backward-through-time", "Backward through time", CHAPTER)
TWO_CONVENTIONS = Section("two-conventions", "Two conventions for z", "Two gates, one state")
TWO_RESETS = Section("two-resets", "Two places for r", "Two gates, one state")

KEYS = ("W_z", "b_z", "W_r", "b_r", "W_h", "b_h")
PARAMETERS = tuple(f'grads["{key}"]' for key in KEYS)
BIASES, WEIGHTS = ("b_z", "b_r", "b_h"), ("W_z", "W_r", "W_h")

TOLERANCE = 1e-12
WHY_TOLERANCE = (
    "the formulas in float64, written differently, differ by less than 1e-13; central differences "
    "with the best step size come to 1e-11, which is not exact enough"
)

PARTS = (
    ("state", "the direct path, (1 - z) * dh"),
    ("candidate", "the path through the candidate"),
    ("z", "the path through the update gate z"),
    ("r", "the path through the reset gate r"),
)

TIME_PARTS = (
    ("step", "a single step, which the other parts build on"),
    ("sum", "adding up the parameters' gradients over time"),
    ("carry", "handing dh to the step before"),
    ("arriving", "adding the gradient that arrives at each step"),
)


def _forward_step(x, h_prev, params):
    z = sigmoid(affine(h_prev, x, params, "z"))
    r = sigmoid(affine(h_prev, x, params, "r"))
    return (1 - z) * h_prev + z * np.tanh(affine(r * h_prev, x, params, "h"))


def _forward(xs, h0, params):
    hs, h = [], h0
    for x in xs:
        h = _forward_step(x, h, params)
        hs.append(h)
    return np.stack(hs)


def _step_inputs(rng, B: int, D: int, H: int) -> Inputs:
    return {
        "dh": drawing.inputs(rng, B, H),
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        "params": gated_params(rng, "zrh", D, H),
    }


_general = general_step(_step_inputs)


def _cut_state_from_candidate(drawn: Inputs, H: int) -> None:
    """Zero the columns of W_h that meet r * h_prev: the reset gate then has no influence."""
    drawn["params"]["W_h"][:, :H] = 0.0


def _direct_alone(rng) -> Inputs:
    """z = 0, and the candidate equals h_prev: all other paths carry nothing, whatever their slopes."""
    drawn = _general(rng)
    fix_gate(drawn["params"], "z", -20 * SATURATED)
    drawn["params"]["W_h"] *= 0.0
    drawn["h_prev"] = np.tanh(drawn["params"]["b_h"]) + 0.0 * drawn["h_prev"]
    return drawn


def _candidate_alone(rng) -> Inputs:
    """z = 1, and the candidate equals h_prev and does not read it: both gates' paths are dead."""
    drawn = _general(rng)
    fix_gate(drawn["params"], "z", SATURATED)
    _cut_state_from_candidate(drawn, drawn["h_prev"].shape[1])
    drawn["h_prev"] = np.tanh(affine(drawn["h_prev"], drawn["x"], drawn["params"], "h"))
    return drawn


def _update_alone(rng) -> Inputs:
    """The candidate does not read the state: the reset gate's path is dead."""
    drawn = _general(rng)
    _cut_state_from_candidate(drawn, drawn["h_prev"].shape[1])
    return drawn


def _reset_alone(rng) -> Inputs:
    """z = 1: the direct path and the update gate's are dead."""
    drawn = _general(rng)
    fix_gate(drawn["params"], "z", SATURATED)
    return drawn


def _large(name: str, general: Callable, *index: object) -> Probe:
    """Most gates saturated. Ten thousand times, as in the forward passes, would do more: a gate
    half open at a sum of 1e4 has an error of 1e-12 before anybody has made a mistake."""

    def large(rng):
        drawn = general(rng)
        drawn[name] *= 30.0
        drawn[name][(*index, 1)] = -drawn[name][(*index, 0)]  # sums of both signs, in every unit
        return drawn

    return Probe("input thirty times as large", large)


def _one_large_gradient(rng) -> Inputs:
    drawn = _general(rng)
    drawn["dh"][0] *= 100.0
    return drawn


_STEP_PROBES = (
    Probe("z = 0, candidate = h_prev", _direct_alone, part="state"),
    Probe("z = 1, candidate = h_prev, which it does not read", _candidate_alone, part="candidate"),
    Probe(
        "candidate does not read h_prev",
        _update_alone,
        part="z",
        outputs=("dh_prev", 'grads["W_z"]', 'grads["b_z"]'),
    ),
    Probe("z = 1", _reset_alone, part="r"),
    *step_families(_step_inputs)[:-1],
    _large("x", _general),
    Probe("one example's gradient a hundred times as large", _one_large_gradient),
)


def _sequence_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    return {
        "xs": drawing.inputs(rng, T, B, D),
        "h0": state(rng, B, H),
        "dhs": drawing.inputs(rng, T, B, H),
        "params": gated_params(rng, "zrh", D, H),
    }


def _three_steps(rng) -> Inputs:
    return _sequence_inputs(rng, 3, *different_sizes(rng, 3))


def _several_steps(rng) -> Inputs:
    return _sequence_inputs(rng, *different_sizes(rng, 4))


def _no_recurrence(rng) -> Inputs:
    """States that do not depend on one another: nothing is handed back, only added up."""
    drawn = _three_steps(rng)
    H = drawn["h0"].shape[1]
    fix_gate(drawn["params"], "z", SATURATED)
    _cut_state_from_candidate(drawn, H)
    return drawn


def _last_gradient_only(rng) -> Inputs:
    drawn = _three_steps(rng)
    drawn["dhs"][:-1] = 0.0
    return drawn


def _with_states(draw: Callable) -> Callable:
    """The inputs of ``draw`` and the states that the forward pass makes of them."""

    def with_states(rng):
        drawn = draw(rng)
        hs = _forward(drawn["xs"], drawn["h0"], drawn["params"])
        return {"xs": drawn["xs"], "h0": drawn["h0"], "hs": hs} | drawn

    return with_states


def _sequence_probes() -> tuple[Probe, ...]:
    one_step, two_steps, *others, _ = sequence_families(_sequence_inputs)
    probes = (
        one_step,
        Probe("states that do not depend on one another", _no_recurrence, "sum", PARAMETERS),
        Probe("a gradient at the last step only", _last_gradient_only, "carry", ("dxs", "dh0")),
        replace(two_steps, part="arriving", outputs=("dxs", "dh0")),
        *others,
        _large("xs", _several_steps, slice(None)),
    )
    return tuple(replace(probe, draw=_with_states(probe.draw)) for probe in probes)


def _differentiate(inputs: Mapping, forward: str, first: str, second: str) -> tuple:
    """torch autograd through the reference, in float64: both inputs' gradients, then KEYS'."""
    import torch

    from autograder.course import reference

    given = tensors(inputs)
    params = {key: given["params"][key] for key in KEYS}
    leaves = [t.clone().requires_grad_() for t in (given[first], given[second], *params.values())]
    result = getattr(reference, forward)(
        leaves[0], leaves[1], dict(zip(KEYS, leaves[2:], strict=True))
    )
    arriving = given["dh"] if "dh" in given else given["dhs"]
    gradients = torch.autograd.grad(result, leaves, arriving)
    return tuple(gradient.numpy() for gradient in gradients)


def _named(names: tuple[str, str], gradients: tuple) -> Outputs:
    return dict(zip((*names, *PARAMETERS), gradients, strict=True))


def _answer_step(inputs: Mapping) -> Outputs:
    return _named(("dx", "dh_prev"), _differentiate(inputs, "gru_step", "x", "h_prev"))


def _answer_sequence(inputs: Mapping) -> Outputs:
    return _named(("dxs", "dh0"), _differentiate(inputs, "gru_forward", "xs", "h0"))


FORMULAS: dict[str, Callable[[SimpleNamespace], np.ndarray]] = {
    # forward; h is the state before the step
    "z": lambda s: sigmoid(affine(s.h, s.x, s.params, "z")),
    "r": lambda s: sigmoid(affine(s.h, s.x, s.params, "r")),
    "joined": lambda s: join(s.h, s.x),
    "joined_h": lambda s: join(s.r * s.h, s.x),
    "sum_h": lambda s: s.joined_h @ s.params["W_h"].T + s.params["b_h"],
    "c": lambda s: np.tanh(s.sum_h),
    # the blend: three ways for dh to go
    "direct": lambda s: (1 - s.z) * s.dh,
    "dc": lambda s: s.z * s.dh,
    "dz": lambda s: (s.c - s.h) * s.dh,
    # the candidate
    "slope_h": lambda s: 1 - s.c**2,
    "da_h": lambda s: s.dc * s.slope_h,
    "back_h": lambda s: s.da_h @ s.params["W_h"],
    "d_reset": lambda s: s.back_h[:, : s.H],
    "through_h": lambda s: s.d_reset * s.r,
    # the gates
    "slope_z": lambda s: s.z * (1 - s.z),
    "da_z": lambda s: s.dz * s.slope_z,
    "back_z": lambda s: s.da_z @ s.params["W_z"],
    "dr": lambda s: s.d_reset * s.h,
    "slope_r": lambda s: s.r * (1 - s.r),
    "da_r": lambda s: s.dr * s.slope_r,
    "back_r": lambda s: s.da_r @ s.params["W_r"],
    # the results
    "dh_prev": lambda s: s.direct + s.through_h + s.back_z[:, : s.H] + s.back_r[:, : s.H],
    "dx": lambda s: s.back_h[:, s.H :] + s.back_z[:, s.H :] + s.back_r[:, s.H :],
    "W_z": lambda s: s.da_z.T @ s.joined,
    "b_z": lambda s: s.da_z.sum(axis=0),
    "W_r": lambda s: s.da_r.T @ s.joined,
    "b_r": lambda s: s.da_r.sum(axis=0),
    "W_h": lambda s: s.da_h.T @ s.joined_h,
    "b_h": lambda s: s.da_h.sum(axis=0),
}


def _step_backward(dh, x, h_prev, params, changes=None):
    """``(dx, dh_prev, grads)`` by the table, with some formulas changed."""
    s = SimpleNamespace(dh=dh, x=x, h=h_prev, params=params, H=h_prev.shape[1])
    for name, formula in (FORMULAS | (changes or {})).items():
        setattr(s, name, formula(s))
    return s.dx, s.dh_prev, {key: getattr(s, key) for key in KEYS}


def _changed(**changes: Callable) -> Callable:
    return lambda **inputs: _step_backward(**inputs, changes=changes)


def _zero(name: str) -> Callable:
    return lambda s: 0.0 * FORMULAS[name](s)


def _times(name: str, factor: float) -> Callable:
    return lambda s: factor * FORMULAS[name](s)


def _half_swapped(name: str) -> Callable:
    """``[h, x]`` cut as if it were ``[x, h]``: the part for x first."""

    def swapped(s):
        whole = FORMULAS[name](s)
        D = s.x.shape[1]
        return join(whole[:, D:], whole[:, :D])

    return swapped


def _recurrent_not_transposed(gate: str) -> Callable:
    """Gradients sent back through W^T where W belongs; only the square block allows it."""

    def back(s):
        W_hh, W_hx = split(s.params, gate, s.h)
        da = getattr(s, f"da_{gate}")
        return join(da @ W_hh.T, da @ W_hx)

    return back


def _split_candidate(s):
    return split(s.params, "h", s.h)


def _reset_after_changes() -> dict[str, Callable]:
    """The backward pass of the model with r after the matrix product, one bias."""

    def sum_h(s):
        W_hn, W_in = _split_candidate(s)
        return s.r * (s.h @ W_hn.T) + s.x @ W_in.T + s.params["b_h"]

    def back_h(s):
        W_hn, W_in = _split_candidate(s)
        return join((s.da_h * s.r) @ W_hn, s.da_h @ W_in)

    return {
        "sum_h": sum_h,
        "back_h": back_h,
        "through_h": lambda s: s.d_reset,
        "dr": lambda s: s.da_h * (s.h @ _split_candidate(s)[0].T),
        "W_h": lambda s: join((s.da_h * s.r).T @ s.h, s.da_h.T @ s.x),
    }


_KEEP = {
    "direct": lambda s: s.z * s.dh,
    "dc": lambda s: (1 - s.z) * s.dh,
    "dz": lambda s: (s.h - s.c) * s.dh,
}


def _in_wrong_order_forward() -> dict[str, Callable]:
    """``[x, h]`` for ``[h, x]`` throughout, forward and backward: consistent, and another model."""

    def gate(name):
        return lambda s: sigmoid(join(s.x, s.h) @ s.params[f"W_{name}"].T + s.params[f"b_{name}"])

    return {
        "z": gate("z"),
        "r": gate("r"),
        "joined": lambda s: join(s.x, s.h),
        "joined_h": lambda s: join(s.x, s.r * s.h),
        "back_h": _half_swapped("back_h"),
        "back_z": _half_swapped("back_z"),
        "back_r": _half_swapped("back_r"),
    }


def _mistake(part, section, name, says, **changes):
    return Mistake(name, says, _changed(**changes), section, part)


def _slope_mistakes(gate: str, long: str) -> tuple[Mistake, ...]:
    """The slope of a gate's sigmoid, taken of the wrong value."""
    slope = f"slope_{gate}"

    def activation(s):
        return getattr(s, gate)

    def pre_activation(s):
        return affine(s.h, s.x, s.params, gate)

    def wrong(name, says, formula):
        return _mistake(gate, GATES, name, says, **{slope: formula})

    g = gate
    return (
        wrong(
            f"{long}: sigmoid' missing",
            f"You use d{g} as the gradient before the sigmoid; its slope {g} * (1 - {g}) is missing.",
            lambda s: 1.0,
        ),
        wrong(
            f"{long}: {g} for sigmoid'",
            f"You multiply d{g} by {g}; the slope of the sigmoid is {g} * (1 - {g}).",
            activation,
        ),
        wrong(
            f"{long}: 1 - {g} for sigmoid'",
            f"You multiply d{g} by 1 - {g}; the slope of the sigmoid is {g} * (1 - {g}).",
            lambda s: 1 - activation(s),
        ),
        wrong(
            f"{long}: sigmoid' of the gate itself",
            f"You apply the sigmoid to {g} once more before taking its slope; {g} is already the "
            f"sigmoid's value, so the slope is {g} * (1 - {g}).",
            lambda s: sigmoid(activation(s)) * (1 - sigmoid(activation(s))),
        ),
        wrong(
            f"{long}: slope of the weighted sum",
            f"You compute a * (1 - a) with the sum a before the sigmoid; the formula takes the "
            f"value after it: {g} * (1 - {g}).",
            lambda s: pre_activation(s) * (1 - pre_activation(s)),
        ),
        wrong(
            f"{long}: tanh' for sigmoid'",
            f"You multiply by 1 - {g}²; that is the slope of tanh. The sigmoid's is {g} * (1 - {g}).",
            lambda s: 1 - activation(s) ** 2,
        ),
    )


_DIRECT_MISTAKES = (
    _mistake(
        "state",
        DIRECT,
        "direct path missing",
        "dh_prev lacks (1 - z) * dh: h_prev also reaches h without passing any weights.",
        direct=_zero("direct"),
    ),
    _mistake(
        "state",
        DIRECT,
        "direct path not scaled",
        "You hand on all of dh; only the share 1 - z of h_prev is kept.",
        direct=lambda s: s.dh,
    ),
    _mistake(
        "state",
        DIRECT,
        "z for 1 - z on the direct path",
        "You hand on z * dh; the old state enters h with weight 1 - z.",
        direct=lambda s: s.z * s.dh,
    ),
    _mistake(
        "state",
        DIRECT,
        "dh_prev only along the direct path",
        "dh_prev is (1 - z) * dh alone; h_prev also acts through the candidate and both gates.",
        dh_prev=lambda s: s.direct,
    ),
    _mistake(
        "state",
        TWO_CONVENTIONS,
        "z and 1 - z swapped",
        "Your step belongs to the other convention, z * h_prev + (1 - z) * candidate. Here z "
        "near 1 replaces: direct path (1 - z) * dh, candidate z * dh.",
        **_KEEP,
    ),
    _mistake(
        "state",
        TWO_CONVENTIONS,
        "z and 1 - z swapped in the blend, dz right",
        "The old state's share is 1 - z and the candidate's z; you have them exchanged.",
        direct=_KEEP["direct"],
        dc=_KEEP["dc"],
    ),
    _mistake(
        "r",
        TWO_RESETS,
        "PyTorch's equations",
        "You differentiate PyTorch's GRU: z keeps, and r comes after the matrix product. Here z "
        "replaces, and r multiplies h_prev first.",
        **_KEEP,
        **_reset_after_changes(),
    ),
    _mistake(
        "state",
        DIRECT,
        "dh not used",
        "Your result does not depend on dh; every path begins with the gradient that arrives.",
        direct=lambda s: 1 - s.z,
        dc=lambda s: s.z,
        dz=lambda s: s.c - s.h,
    ),
)

_CANDIDATE_MISTAKES = (
    _mistake(
        "candidate",
        CANDIDATE,
        "candidate path missing",
        "No gradient passes through the candidate, so W_h, b_h and the reset gate get none.",
        dc=_zero("dc"),
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "candidate's gradient not scaled by z",
        "You send all of dh into the candidate; it enters h with weight z: z * dh.",
        dc=lambda s: s.dh,
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "1 - z for z before the candidate",
        "You send (1 - z) * dh into the candidate; its weight in h is z.",
        dc=lambda s: (1 - s.z) * s.dh,
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "tanh' missing",
        "You use the candidate's gradient as if there were no tanh; its slope is 1 - candidate².",
        slope_h=lambda s: 1.0,
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "1 - tanh for tanh'",
        "You multiply by 1 - candidate; the slope of tanh is 1 - candidate².",
        slope_h=lambda s: 1 - s.c,
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "tanh' of the weighted sum",
        "You compute 1 - a² with the sum a before tanh; the formula takes the value after it.",
        slope_h=lambda s: 1 - s.sum_h**2,
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "tanh' of the candidate itself",
        "You apply tanh to the candidate once more before squaring; it is tanh's value already.",
        slope_h=lambda s: 1 - np.tanh(s.c) ** 2,
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "tanh² for tanh'",
        "You multiply by candidate²; the slope of tanh is 1 - candidate².",
        slope_h=lambda s: s.c**2,
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "sigmoid' for tanh'",
        "You multiply by candidate * (1 - candidate); that is the slope of a sigmoid.",
        slope_h=lambda s: s.c * (1 - s.c),
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "tanh' of the new state",
        "You compute 1 - h² with the new state; tanh made the candidate, not the state.",
        slope_h=lambda s: 1 - ((1 - s.z) * s.h + s.z * s.c) ** 2,
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "h_prev for r * h_prev in the gradient of W_h",
        "W_h met [r * h_prev, x] in the forward pass; its gradient needs the same array.",
        W_h=lambda s: s.da_h.T @ s.joined,
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "dx misses the candidate",
        "dx lacks what comes back through the candidate; x enters both gates and the candidate.",
        dx=lambda s: (s.back_z + s.back_r)[:, s.H :],
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "dh_prev misses the candidate",
        "dh_prev lacks what comes back through the candidate, d(r * h_prev) * r.",
        dh_prev=lambda s: s.direct + (s.back_z + s.back_r)[:, : s.H],
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "b_h's gradient missing",
        "The gradient of b_h is zero; it is the candidate's gradient before tanh, summed over the batch.",
        b_h=_zero("b_h"),
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "W_h's gradient joined as [x, r * h_prev]",
        "The columns of the gradient of W_h are in the order [x, r * h_prev]; hidden part first.",
        W_h=lambda s: s.da_h.T @ join(s.x, s.r * s.h),
    ),
    _mistake(
        "candidate",
        CANDIDATE,
        "recurrent weights of the candidate transposed on the way back",
        "Forward the state meets W_h transposed, so backward the gradient meets W_h itself.",
        back_h=_recurrent_not_transposed("h"),
    ),
)

_UPDATE_MISTAKES = (
    _mistake(
        "z",
        GATES,
        "path through z missing",
        "No gradient passes through the update gate: W_z and b_z get none, dx and dh_prev lack it.",
        dz=_zero("dz"),
    ),
    _mistake(
        "z",
        GATES,
        "sign of dz wrong",
        "Your dz is (h_prev - candidate) * dh; opening z moves h toward the candidate: "
        "(candidate - h_prev) * dh.",
        dz=_KEEP["dz"],
    ),
    _mistake(
        "z",
        GATES,
        "old state missing in dz",
        "Your dz is candidate * dh; z also takes away from h_prev: (candidate - h_prev) * dh.",
        dz=lambda s: s.c * s.dh,
    ),
    _mistake(
        "z",
        GATES,
        "candidate missing in dz",
        "Your dz is -h_prev * dh; z also brings in the candidate: (candidate - h_prev) * dh.",
        dz=lambda s: -s.h * s.dh,
    ),
    _mistake(
        "z",
        GATES,
        "dz with the new state",
        "Your dz is (h - h_prev) * dh with the new state; it takes the candidate instead.",
        dz=lambda s: s.z * (s.c - s.h) * s.dh,
    ),
    *_slope_mistakes("z", "update gate"),
    _mistake(
        "z",
        GATES,
        "dx misses the update gate",
        "dx lacks what comes back through z; x enters both gates and the candidate.",
        dx=lambda s: (s.back_h + s.back_r)[:, s.H :],
    ),
    _mistake(
        "z",
        GATES,
        "dh_prev misses the update gate",
        "dh_prev lacks what comes back through z; h_prev enters both gates.",
        dh_prev=lambda s: s.direct + s.through_h + s.back_r[:, : s.H],
    ),
    _mistake(
        "z",
        GATES,
        "update gate's weights get no gradient",
        "z is treated as a constant where W_z and b_z are concerned: their gradients are zero.",
        W_z=_zero("W_z"),
        b_z=_zero("b_z"),
    ),
    _mistake(
        "z",
        GATES,
        "b_z's gradient missing",
        "The gradient of b_z is zero; it is the gate's gradient before the sigmoid, summed over the batch.",
        b_z=_zero("b_z"),
    ),
    _mistake(
        "z",
        GATES,
        "W_z's gradient joined as [x, h_prev]",
        "The columns of the gradient of W_z are in the order [x, h_prev]; hidden part first.",
        W_z=lambda s: s.da_z.T @ join(s.x, s.h),
    ),
    _mistake(
        "z",
        GATES,
        "r * h_prev for h_prev in the gradient of W_z",
        "The update gate reads h_prev itself; only the candidate reads r * h_prev.",
        W_z=lambda s: s.da_z.T @ s.joined_h,
    ),
    _mistake(
        "z",
        GATES,
        "recurrent weights of the update gate transposed on the way back",
        "Forward the state meets W_z transposed, so backward the gradient meets W_z itself.",
        back_z=_recurrent_not_transposed("z"),
    ),
    _mistake(
        "z",
        GATES,
        "gradients of the two gates exchanged",
        "grads holds the reset gate's gradients under W_z, b_z, and the update gate's under W_r, b_r.",
        W_z=lambda s: s.da_r.T @ s.joined,
        b_z=lambda s: s.da_r.sum(axis=0),
        W_r=lambda s: s.da_z.T @ s.joined,
        b_r=lambda s: s.da_z.sum(axis=0),
    ),
)

_RESET_MISTAKES = (
    _mistake(
        "r",
        GATES,
        "path through r missing",
        "No gradient passes through the reset gate: W_r and b_r get none, dx and dh_prev lack it.",
        dr=_zero("dr"),
    ),
    _mistake(
        "r",
        CANDIDATE,
        "factor r missing in dh_prev",
        "What comes back through r * h_prev reaches h_prev scaled by r; you add it unscaled.",
        through_h=lambda s: s.d_reset,
    ),
    _mistake(
        "r",
        CANDIDATE,
        "1 - r for r in dh_prev",
        "You scale the candidate's share of dh_prev by 1 - r; the candidate read r * h_prev.",
        through_h=lambda s: s.d_reset * (1 - s.r),
    ),
    _mistake(
        "r",
        CANDIDATE,
        "h_prev for r in dh_prev",
        "The product rule on r * h_prev: h_prev gets the factor r, and r gets the factor h_prev. "
        "You use h_prev for both.",
        through_h=lambda s: s.d_reset * s.h,
    ),
    _mistake(
        "r",
        GATES,
        "factor h_prev missing in dr",
        "dr is what comes back to r * h_prev, times h_prev; you leave out h_prev.",
        dr=lambda s: s.d_reset,
    ),
    _mistake(
        "r",
        GATES,
        "r for h_prev in dr",
        "dr is what comes back to r * h_prev, times h_prev; you multiply by r.",
        dr=lambda s: s.d_reset * s.r,
    ),
    _mistake(
        "r",
        GATES,
        "the two factors of r * h_prev exchanged",
        "The product rule: h_prev gets d(r * h_prev) * r, and r gets d(r * h_prev) * h_prev. "
        "Yours are the other way round.",
        through_h=lambda s: s.d_reset * s.h,
        dr=lambda s: s.d_reset * s.r,
    ),
    _mistake(
        "r",
        GATES,
        "W_h skipped on the way to r",
        "dr is da * h_prev in your code; between tanh and r lies the matrix W_h.",
        dr=lambda s: s.da_h * s.h,
    ),
    _mistake(
        "r",
        GATES,
        "candidate for h_prev in dr",
        "You multiply by the candidate; r scales h_prev, so dr takes h_prev.",
        dr=lambda s: s.d_reset * s.c,
    ),
    _mistake(
        "r",
        GATES,
        "r treated as if it scaled dh",
        "Your dr is h_prev * dh; r acts only inside the candidate, behind z, tanh and W_h.",
        dr=lambda s: s.dh * s.h,
    ),
    *_slope_mistakes("r", "reset gate"),
    _mistake(
        "r",
        TWO_RESETS,
        "reset after the matrix product",
        "You differentiate the model with r after the matrix product, as in PyTorch; here r "
        "multiplies h_prev first.",
        **_reset_after_changes(),
    ),
    _mistake(
        "r",
        GATES,
        "reset gate forgotten in the forward pass",
        "Your candidate is computed from h_prev; the forward pass computed it from r * h_prev.",
        r=lambda s: np.ones_like(s.z),
    ),
    _mistake(
        "r",
        GATES,
        "dx misses the reset gate",
        "dx lacks what comes back through r; x enters both gates and the candidate.",
        dx=lambda s: (s.back_h + s.back_z)[:, s.H :],
    ),
    _mistake(
        "r",
        GATES,
        "dh_prev misses the reset gate",
        "dh_prev lacks what comes back through r; h_prev enters both gates.",
        dh_prev=lambda s: s.direct + s.through_h + s.back_z[:, : s.H],
    ),
    _mistake(
        "r",
        GATES,
        "reset gate's weights get no gradient",
        "r is treated as a constant where W_r and b_r are concerned: their gradients are zero.",
        W_r=_zero("W_r"),
        b_r=_zero("b_r"),
    ),
    _mistake(
        "r",
        GATES,
        "b_r's gradient missing",
        "The gradient of b_r is zero; it is the gate's gradient before the sigmoid, summed over the batch.",
        b_r=_zero("b_r"),
    ),
    _mistake(
        "r",
        GATES,
        "W_r's gradient joined as [x, h_prev]",
        "The columns of the gradient of W_r are in the order [x, h_prev]; hidden part first.",
        W_r=lambda s: s.da_r.T @ join(s.x, s.h),
    ),
    _mistake(
        "r",
        GATES,
        "r * h_prev for h_prev in the gradient of W_r",
        "The reset gate reads h_prev itself; only the candidate reads r * h_prev.",
        W_r=lambda s: s.da_r.T @ s.joined_h,
    ),
    _mistake(
        "r",
        GATES,
        "recurrent weights of the reset gate transposed on the way back",
        "Forward the state meets W_r transposed, so backward the gradient meets W_r itself.",
        back_r=_recurrent_not_transposed("r"),
    ),
)


def _only(which: str, keeps: str, means: str, **changes) -> Mistake:
    return _mistake(
        None,
        GATES,
        f"{which} overwritten: only {keeps} left",
        f"{which} is the sum of what comes back along every path; yours is overwritten and keeps "
        f"only {means}.",
        **changes,
    )


def _per_key(keys: tuple[str, ...], change: Callable) -> dict[str, Callable]:
    return {key: change(key) for key in keys}


def _transposed(key):
    return lambda s: FORMULAS[key](s).T.copy()


def _mean(key):
    return lambda s: FORMULAS[key](s) / len(s.dh)


def _unsummed_bias(key):
    return lambda s: getattr(s, f"da_{key[-1]}").copy()


def _unsummed_weights(key):
    source = "joined_h" if key == "W_h" else "joined"
    return lambda s: getattr(s, f"da_{key[-1]}")[:, :, None] * getattr(s, source)[:, None, :]


def _kept_dim(key):
    return lambda s: FORMULAS[key](s)[None]


def _first_example(key):
    da = f"da_{key[-1]}"
    if key in BIASES:
        return lambda s: getattr(s, da)[0].copy()
    source = "joined_h" if key == "W_h" else "joined"
    return lambda s: np.outer(getattr(s, da)[0], getattr(s, source)[0])


_WHOLE_MISTAKES = (
    _only(
        "dh_prev",
        "the reset gate's path",
        "the path through r",
        dh_prev=lambda s: s.back_r[:, : s.H].copy(),
    ),
    _only(
        "dh_prev",
        "the update gate's path",
        "the path through z",
        dh_prev=lambda s: s.back_z[:, : s.H].copy(),
    ),
    _only(
        "dh_prev",
        "the candidate's path",
        "the path through the candidate",
        dh_prev=lambda s: s.through_h,
    ),
    _only(
        "dx", "the reset gate's path", "the path through r", dx=lambda s: s.back_r[:, s.H :].copy()
    ),
    _only(
        "dx", "the update gate's path", "the path through z", dx=lambda s: s.back_z[:, s.H :].copy()
    ),
    _only(
        "dx",
        "the candidate's path",
        "the path through the candidate",
        dx=lambda s: s.back_h[:, s.H :].copy(),
    ),
    _mistake(
        "r",
        GATES,
        "gates' paths missing in dx and dh_prev",
        "The gates' weights get their gradients, but z and r hand nothing on to x and h_prev.",
        dx=lambda s: s.back_h[:, s.H :].copy(),
        dh_prev=lambda s: s.direct + s.through_h,
    ),
    _mistake(
        "z",
        GATES,
        "gates treated as constants",
        "No gradient passes through z or r at all; both depend on x, h_prev and their weights.",
        dz=_zero("dz"),
        dr=_zero("dr"),
    ),
    _mistake(
        "z",
        GATES,
        "sigmoid' missing in both gates",
        "You use dz and dr as the gradients before the sigmoid; the slopes z * (1 - z) and "
        "r * (1 - r) are missing.",
        slope_z=lambda s: 1.0,
        slope_r=lambda s: 1.0,
    ),
    _mistake(
        "z",
        GATES,
        "z and r for sigmoid'",
        "You multiply dz by z and dr by r; the slope of the sigmoid is z * (1 - z), r * (1 - r).",
        slope_z=lambda s: s.z,
        slope_r=lambda s: s.r,
    ),
    _mistake(
        "z",
        GATES,
        "sigmoid' of the gates themselves",
        "You apply the sigmoid to z and r once more before taking its slope; they are already the "
        "sigmoid's values.",
        slope_z=lambda s: sigmoid(s.z) * (1 - sigmoid(s.z)),
        slope_r=lambda s: sigmoid(s.r) * (1 - sigmoid(s.r)),
    ),
    _mistake(
        None,
        GATES,
        "batch not summed for the biases",
        "A bias has one gradient for the whole batch, (H,): sum the (B, H) array over axis 0.",
        **_per_key(BIASES, _unsummed_bias),
    ),
    _mistake(
        None,
        GATES,
        "batch not summed for the weights",
        "Each example has a weight gradient of its own in your result; add them up over the batch.",
        **_per_key(WEIGHTS, _unsummed_weights),
    ),
    _mistake(
        None,
        GATES,
        "batch not summed at all",
        "Each example has gradients of its own in your grads; add them up over the batch.",
        **_per_key(WEIGHTS, _unsummed_weights),
        **_per_key(BIASES, _unsummed_bias),
    ),
    _mistake(
        None,
        GATES,
        "biases with a batch axis of one",
        "Your bias gradients have shape (1, H), from keepdims=True; a bias is (H,).",
        **_per_key(BIASES, _kept_dim),
    ),
    _mistake(
        None,
        GATES,
        "mean over the batch",
        "grads holds the mean over the batch; the gradient of a sum of losses is the sum.",
        **_per_key(KEYS, _mean),
    ),
    _mistake(
        None,
        GATES,
        "mean over the batch for the biases",
        "The bias gradients are means over the batch; they are sums, like those of the weights.",
        **_per_key(BIASES, _mean),
    ),
    _mistake(
        None,
        GATES,
        "mean over the batch for the weights",
        "The weight gradients are means over the batch; they are sums, like those of the biases.",
        **_per_key(WEIGHTS, _mean),
    ),
    _mistake(
        None,
        GATES,
        "only the first example counted",
        "grads holds the first example's gradients; add those of the whole batch.",
        **_per_key(KEYS, _first_example),
    ),
    _mistake(
        None,
        GATES,
        "weight gradients transposed",
        "Your weight gradients are (H + D, H); a gradient has the shape of its weights. Write "
        "da.T @ joined.",
        **_per_key(WEIGHTS, _transposed),
    ),
    _mistake(
        None,
        GATES,
        "weight gradients joined as [x, h]",
        "The columns of your weight gradients are in the order [x, h]; hidden part first.",
        W_z=lambda s: s.da_z.T @ join(s.x, s.h),
        W_r=lambda s: s.da_r.T @ join(s.x, s.h),
        W_h=lambda s: s.da_h.T @ join(s.x, s.r * s.h),
    ),
    _mistake(
        None,
        GATES,
        "joined gradient cut in the wrong order",
        "You take the first D columns of da @ W for x; the first H columns belong to h_prev.",
        back_h=_half_swapped("back_h"),
        back_z=_half_swapped("back_z"),
        back_r=_half_swapped("back_r"),
    ),
    _mistake(
        None,
        GATES,
        "input and state in the wrong order throughout",
        "You join [x, h_prev], forward and backward; the columns of W expect the hidden part first.",
        **_in_wrong_order_forward(),
    ),
    _mistake(
        None,
        GATES,
        "recurrent weights transposed on the way back",
        "Forward the state meets W transposed, so backward the gradient meets W itself: da @ W.",
        back_h=_recurrent_not_transposed("h"),
        back_z=_recurrent_not_transposed("z"),
        back_r=_recurrent_not_transposed("r"),
    ),
    _mistake(
        None,
        GATES,
        "bias gradients zero",
        "All bias gradients are zero; each is its gate's gradient before the squashing function, "
        "summed over the batch.",
        **_per_key(BIASES, _zero),
    ),
    _mistake(
        None,
        GATES,
        "bias gradients doubled",
        "Your bias gradients are twice too large, as if there were two biases per gate.",
        **_per_key(BIASES, lambda key: _times(key, 2.0)),
    ),
    _mistake(
        None,
        DIRECT,
        "signs of all gradients reversed",
        "Everything comes out negated; stepping downhill is the optimizer's business.",
        **_per_key(("dx", "dh_prev", *KEYS), lambda key: _times(key, -1.0)),
    ),
)

_VALUE_MISTAKES = (
    *_DIRECT_MISTAKES,
    *_CANDIDATE_MISTAKES,
    *_UPDATE_MISTAKES,
    *_RESET_MISTAKES,
    *_WHOLE_MISTAKES,
)


def _afterwards(right: Callable, change: Callable) -> Callable:
    """The right gradients, handed over wrongly."""
    return lambda **inputs: change(*right(**inputs))


def _without(*keys: str) -> Callable:
    return lambda first, second, grads: (
        first,
        second,
        {key: value for key, value in grads.items() if key not in keys},
    )


def _returning_mistakes(right: Callable, first: str, second: str, section: Section):
    """Right gradients in a wrong form, for either function."""

    def mistake(name, says, change):
        return Mistake(name, says, _afterwards(right, change), section)

    return (
        mistake(
            "biases missing in grads",
            "grads holds the weights alone; the biases have gradients too: b_z, b_r, b_h.",
            _without(*BIASES),
        ),
        mistake(
            "reset gate missing in grads",
            "grads has no W_r and b_r; the reset gate has parameters of its own.",
            _without("W_r", "b_r"),
        ),
        mistake(
            "update gate missing in grads",
            "grads has no W_z and b_z; the update gate has parameters of its own.",
            _without("W_z", "b_z"),
        ),
        mistake(
            "keys renamed",
            'Your keys are "dW_z", "db_z", …; grads uses the names of params.',
            lambda a, b, grads: (a, b, {f"d{key}": value for key, value in grads.items()}),
        ),
        mistake(
            f"{first} and {second} exchanged",
            f"You return ({second}, {first}, grads); the order is ({first}, {second}, grads).",
            lambda a, b, grads: (b, a, grads),
        ),
        mistake(
            "grads first",
            f"You return (grads, {first}, {second}); the order is ({first}, {second}, grads).",
            lambda a, b, grads: (grads, a, b),
        ),
        mistake(
            "only grads returned",
            f"You return grads alone; {first} and {second} belong before it.",
            lambda a, b, grads: grads,
        ),
        mistake(
            "grads not returned",
            f"You return {first} and {second}; grads comes third.",
            lambda a, b, grads: (a, b),
        ),
        mistake(
            "eight arrays instead of a dict",
            "You return every gradient as an item of one long tuple; collect those of the "
            "parameters in a dict.",
            lambda a, b, grads: (a, b, *grads.values()),
        ),
    )


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

    h, loss = given["h0"], 0.0
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


def _step_differences(step: float, central: bool) -> Callable:
    def wrong(dh, x, h_prev, params):
        dxs, dh0, grads = _differences(x[None], h_prev, dh[None], params, step, central)
        return dxs[0], dh0, grads

    return wrong


def _sequence_differences(step: float, central: bool) -> Callable:
    return lambda xs, h0, hs, dhs, params: _differences(xs, h0, dhs, params, step, central)


def _precision_mistakes(right: Callable, differences: Callable) -> tuple[Mistake, ...]:
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
            "Your numbers are right to a few digits only. It looks like finite differences, "
            "(f(a + e) - f(a)) / e or with too large a step, or like float32 on the way. Write "
            "the formulas, and keep float64.",
            differences(1e-6, False),
            GATES,
            within=1e-2,
        ),
    )


def _through_time(
    xs,
    h0,
    hs,
    dhs,
    params,
    step=_step_backward,
    order=lambda T: range(T - 1, -1, -1),
    before=lambda h0, hs, t: hs[t - 1] if t else h0,
    given=lambda xs, t: xs[t],
    total=lambda dhs, t, carry: dhs[t] + carry,
    carried=lambda dh_prev, total: dh_prev,
    add=lambda so_far, new: so_far + new,
):
    """``(dxs, dh0, grads)``; the options say how a step is fed and what becomes of its results."""
    dxs, carry, grads = np.zeros_like(xs), np.zeros_like(h0), {}
    for t in order(len(xs)):
        dh = total(dhs, t, carry)
        dxs[t], dh_prev, new = step(dh=dh, x=given(xs, t), h_prev=before(h0, hs, t), params=params)
        grads = {key: add(grads[key], g) if grads else g for key, g in new.items()}
        carry = carried(dh_prev, dh)
    return dxs, carry, grads


def _in_time(**options: Callable) -> Callable:
    return lambda **inputs: _through_time(**inputs, **options)


def _time_mistake(part, name, says, wrong):
    return Mistake(name, says, wrong, THROUGH_TIME, part)


def _after_time(change: Callable) -> Callable:
    return lambda **inputs: change(inputs, *_through_time(**inputs))


def _start_from_params(inputs, dxs, dh0, grads):
    return dxs, dh0, {key: grads[key] + inputs["params"][key] for key in KEYS}


def _mean_over_time(inputs, dxs, dh0, grads):
    return dxs, dh0, {key: grads[key] / len(dxs) for key in KEYS}


def _mean_over_both(inputs, dxs, dh0, grads):
    count = dxs.shape[0] * dxs.shape[1]
    return dxs, dh0, {key: grads[key] / count for key in KEYS}


def _dh_of_first_state(inputs, dxs, dh0, grads):
    """What arrives at h_1, before the first step is walked back."""
    if len(dxs) == 1:
        return dxs, inputs["dhs"][0].copy(), grads
    rest = {
        "xs": inputs["xs"][1:],
        "h0": inputs["hs"][0],
        "hs": inputs["hs"][1:],
        "dhs": inputs["dhs"][1:],
        "params": inputs["params"],
    }
    return dxs, inputs["dhs"][0] + _through_time(**rest)[1], grads


def _dh0_after_one_step(inputs, dxs, dh0, grads):
    """dh_prev of the step at T, the first one walked."""
    last = {key: value[-1:] for key, value in inputs.items() if key in ("xs", "hs", "dhs")}
    h_prev = inputs["hs"][-2] if len(dxs) > 1 else inputs["h0"]
    return dxs, _through_time(h0=h_prev, params=inputs["params"], **last)[1], grads


def _each_step_alone(summed: bool) -> Callable:
    """Every step's own dh_prev, none handed on; dh0 is their sum or the last one's."""

    def wrong(xs, h0, hs, dhs, params):
        before = [h0, *hs[:-1]]
        steps = [_step_backward(dh, x, h, params) for dh, x, h in zip(dhs, xs, before, strict=True)]
        dxs = np.stack([step[0] for step in steps])
        grads = {key: sum(step[2][key] for step in steps) for key in KEYS}
        return dxs, sum(step[1] for step in steps) if summed else steps[0][1], grads

    return wrong


_TIME_MISTAKES = (
    _time_mistake(
        "sum",
        "gradients overwritten, those of the first step left",
        "grads is replaced at every step, so only the step walked last, t = 1, is left; the weights "
        "are shared, so their gradients add up over time.",
        _in_time(add=lambda so_far, new: new),
    ),
    _time_mistake(
        "sum",
        "only the last step's gradients",
        "grads holds what step T contributes; the weights are shared, so all steps add to it.",
        _in_time(add=lambda so_far, new: so_far),
    ),
    _time_mistake(
        "sum",
        "mean over time",
        "grads is divided by T; the gradient is the sum over all steps.",
        _after_time(_mean_over_time),
    ),
    _time_mistake(
        "sum",
        "mean over time and batch",
        "grads is divided by T * B; the gradient is the sum over all steps and examples.",
        _after_time(_mean_over_both),
    ),
    _time_mistake(
        "sum",
        "sum started from the parameters",
        "grads starts as a copy of params, so the parameters are added in; start from zeros.",
        _after_time(_start_from_params),
    ),
    _time_mistake(
        "carry",
        "time walked forwards",
        "You go from t = 1 to T; a gradient travels from the last step to the first.",
        _in_time(order=range),
    ),
    _time_mistake(
        "carry",
        "dh not handed on",
        "Each step gets dhs[t] alone; dh_prev of the step after it has to be added.",
        _each_step_alone(False),
    ),
    _time_mistake(
        "carry",
        "dh not handed on, dh_prev summed",
        "Each step gets dhs[t] alone, and all dh_prev end up in dh0; each belongs to the step before.",
        _each_step_alone(True),
    ),
    _time_mistake(
        "carry",
        "dh kept instead of replaced by dh_prev",
        "You hand on dh + dh_prev; what a step hands on is dh_prev, which replaces its dh.",
        _in_time(carried=lambda dh_prev, total: total + dh_prev),
    ),
    _time_mistake(
        "carry",
        "dh handed on unchanged",
        "You hand dh itself to the step before; what a step hands on is its dh_prev.",
        _in_time(carried=lambda dh_prev, total: total),
    ),
    _time_mistake(
        "arriving",
        "only the last arriving gradient used",
        "Only dhs[-1] counts in your result; dhs[t] arrives at every step and is added to the "
        "gradient handed back.",
        lambda xs, h0, hs, dhs, params: _through_time(
            xs, h0, hs, np.concatenate([0 * dhs[:-1], dhs[-1:]]), params
        ),
    ),
    _time_mistake(
        "arriving",
        "only the first arriving gradient used",
        "Only dhs[0] counts in your result; dhs[t] arrives at every step.",
        lambda xs, h0, hs, dhs, params: _through_time(
            xs, h0, hs, np.concatenate([dhs[:1], 0 * dhs[1:]]), params
        ),
    ),
    _time_mistake(
        "arriving",
        "last arriving gradient forgotten",
        "dhs[-1] has no influence: the walk back begins with it, not with zero.",
        lambda xs, h0, hs, dhs, params: _through_time(
            xs, h0, hs, np.concatenate([dhs[:-1], 0 * dhs[-1:]]), params
        ),
    ),
    _time_mistake(
        "arriving",
        "last arriving gradient counted twice",
        "You start from dhs[-1] and add it again at the last step; start from zero or from step T - 1.",
        lambda xs, h0, hs, dhs, params: _through_time(
            xs, h0, hs, np.concatenate([dhs[:-1], 2 * dhs[-1:]]), params
        ),
    ),
    _time_mistake(
        "arriving",
        "all arriving gradients added at the end",
        "You sum dhs over time and start from the sum; dhs[t] arrives at its own step.",
        lambda xs, h0, hs, dhs, params: _through_time(
            xs, h0, hs, np.concatenate([0 * dhs[:-1], dhs.sum(axis=0, keepdims=True)]), params
        ),
    ),
    _time_mistake(
        "arriving",
        "arriving gradients in reverse order",
        "Step t gets dhs[T - 1 - t]; dhs[t] belongs to hs[t].",
        lambda xs, h0, hs, dhs, params: _through_time(xs, h0, hs, dhs[::-1], params),
    ),
    _time_mistake(
        "arriving",
        "arriving gradients one step off",
        "Step t gets dhs[t - 1]; dhs[t] is the gradient at hs[t], the state after step t.",
        _in_time(total=lambda dhs, t, carry: dhs[t - 1] + carry),
    ),
    _time_mistake(
        "step",
        "hs[t] for the state before the step",
        "You take hs[t] as h_prev; that is the state after step t. Before it was hs[t - 1].",
        _in_time(before=lambda h0, hs, t: hs[t]),
    ),
    _time_mistake(
        "step",
        "hs[-1] before the first step",
        "At t = 0, hs[t - 1] is hs[-1], the last state; Python counts from the end. Use h0 there.",
        _in_time(before=lambda h0, hs, t: hs[t - 1]),
    ),
    _time_mistake(
        "step",
        "hs[0] before the first step",
        "At the first step you take hs[0] as h_prev; the state before it is h0.",
        _in_time(before=lambda h0, hs, t: hs[max(t - 1, 0)]),
    ),
    _time_mistake(
        "step",
        "h0 ignored",
        "You take zeros as the state before the first step; it is h0.",
        _in_time(before=lambda h0, hs, t: hs[t - 1] if t else 0 * h0),
    ),
    _time_mistake(
        "carry",
        "h0 before every step",
        "Every step takes h0 as the state before it; after the first it is hs[t - 1].",
        _in_time(before=lambda h0, hs, t: h0),
    ),
    _time_mistake(
        "carry",
        "inputs one step off",
        "Step t reads xs[t - 1]; it belongs to the step before.",
        _in_time(given=lambda xs, t: xs[t - 1]),
    ),
    _time_mistake(
        "carry",
        "dxs in reverse order",
        "dxs is in the order in which you walked, from the end; dxs[t] belongs to xs[t].",
        _after_time(lambda i, dxs, dh0, grads: (dxs[::-1].copy(), dh0, grads)),
    ),
    _time_mistake(
        "carry",
        "one array for all dxs",
        "All entries of dxs are the same: those of the step walked last.",
        _after_time(lambda i, dxs, dh0, grads: (np.stack([dxs[0]] * len(dxs)), dh0, grads)),
    ),
    _time_mistake(
        "step",
        "only the first step's dx",
        "You return dx of one step, (B, D); dxs holds all T, stacked along a new first axis.",
        _after_time(lambda i, dxs, dh0, grads: (dxs[0].copy(), dh0, grads)),
    ),
    _time_mistake(
        "step",
        "a list of dx",
        "The entries are right, but come as a list; stack them into one array of shape (T, B, D).",
        _after_time(lambda i, dxs, dh0, grads: (list(dxs), dh0, grads)),
    ),
    _time_mistake(
        "step",
        "batch axis first in dxs",
        "Your dxs is (B, T, D); the course puts time first, as in xs.",
        _after_time(lambda i, dxs, dh0, grads: (np.swapaxes(dxs, 0, 1).copy(), dh0, grads)),
    ),
    _time_mistake(
        "step",
        "gradient of the first state returned as dh0",
        "Your dh0 is what arrives at h_1; one more step back, through step 1, leads to h0.",
        _after_time(_dh_of_first_state),
    ),
    _time_mistake(
        "carry",
        "dh0 of the step walked first",
        "Your dh0 is dh_prev of step T; it is what the walk ends with, dh_prev of step 1.",
        _after_time(_dh0_after_one_step),
    ),
    _time_mistake(
        "step",
        "dh0 zero",
        "Your dh0 is zero; it is what step 1 hands back, its dh_prev.",
        _after_time(lambda i, dxs, dh0, grads: (dxs, 0 * dh0, grads)),
    ),
    _time_mistake(
        "step",
        "arriving gradient added to dh0",
        "You add dhs[0] to dh0; it arrived at h_1 and has been walked back already.",
        _after_time(lambda i, dxs, dh0, grads: (dxs, dh0 + i["dhs"][0], grads)),
    ),
)


EXERCISES = (
    gru_exercise(
        name="gru_step_backward",
        assignment="gradients",
        signature="gru_step_backward(dh, x, h_prev, params) -> (dx, dh_prev, grads)",
        reference="torch autograd through the reference, torch {torch}, float64 on the CPU",
        points=8,
        section=GATES,
        equation="h = (1 - z) ∗ h_prev + z ∗ h̃,   h̃ = tanh([r ∗ h_prev, x] W_hᵀ + b_h)",
        hints=(
            "List every place where h_prev appears in the forward equations: there are four, and "
            "dh_prev is the sum of four terms. x appears in three.",
            "Walk the equations from the last line to the first and write one line for each.",
        ),
        returns=Gradients(("dx", "dh_prev"), KEYS),
        probes=_STEP_PROBES,
        answer=_answer_step,
        mistakes=(
            *_VALUE_MISTAKES,
            *_returning_mistakes(_step_backward, "dx", "dh_prev", GATES),
            *contract_mistakes(_step_backward, None, GATES, "dh", "x", "h_prev"),
            *_precision_mistakes(_step_backward, _step_differences),
        ),
        tolerance=TOLERANCE,
        why_tolerance=WHY_TOLERANCE,
        parts=PARTS,
        refuse=RECURRENT | AUTOGRAD,
    ),
    gru_exercise(
        name="gru_backward",
        assignment="gradients",
        signature="gru_backward(xs, h0, hs, dhs, params) -> (dxs, dh0, grads)",
        reference="torch autograd through the reference, torch {torch}, float64 on the CPU",
        points=8,
        section=THROUGH_TIME,
        equation="dh = dhs[t] + dh_prev of step t + 1;   grads = sum over all steps",
        hints=(
            "Walk from the last step to the first. What a step hands back, its dh_prev, is added "
            "to what arrives at the state before it.",
            "The state before step t is hs[t - 1], and h0 for the first step.",
        ),
        returns=Gradients(("dxs", "dh0"), KEYS),
        probes=_sequence_probes(),
        answer=_answer_sequence,
        mistakes=(
            *_TIME_MISTAKES,
            *lift(
                _VALUE_MISTAKES,
                "in the step",
                lambda wrong, **inputs: _through_time(**inputs, step=wrong),
            ),
            *_returning_mistakes(_through_time, "dxs", "dh0", THROUGH_TIME),
            *contract_mistakes(_through_time, None, THROUGH_TIME, "xs", "h0", "hs", "dhs"),
            *_precision_mistakes(_through_time, _sequence_differences),
        ),
        tolerance=TOLERANCE,
        why_tolerance=WHY_TOLERANCE,
        parts=TIME_PARTS,
        refuse=RECURRENT | AUTOGRAD,
    ),
)
