"""``gru_backward``: the gradients of a whole sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from autograder.checking.record import Inputs, Mistake, Outputs, Probe
from autograder.course.exercises.gradients import gru_step_backward
from autograder.course.exercises.gradients.finite_differences import (
    precision_mistakes,
    sequence_differences,
)
from autograder.course.exercises.gradients.formulas import step_backward
from autograder.course.exercises.gradients.grads import (
    PARAMETERS,
    TOLERANCE,
    WHY_TOLERANCE,
    differentiate,
    named,
)
from autograder.course.exercises.gradients.inputs import cut_state_from_candidate, large_probe
from autograder.course.exercises.gradients.sections import THROUGH_TIME
from autograder.course.exercises.gradients.wrong_returns import returning_mistakes
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.gru.right_cell import right_forward
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.declared import RECURRENT, gru_exercise
from autograder.course.exercises.shared.drawing import (
    SATURATED,
    different_sizes,
    fix_gate,
    gated_params,
    sequence_families,
    state,
)
from autograder.course.exercises.shared.wrong import contract_mistakes, lift
from autograder.player.contract import Gradients
from autograder.player.observe import AUTOGRAD

_PARTS = (
    ("step", "a single step, which the other parts build on"),
    ("sum", "adding up the parameters' gradients over time"),
    ("carry", "handing dh to the step before"),
    ("arriving", "adding the gradient that arrives at each step"),
)


def _sequence_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    return {
        "xs": drawing.inputs(rng, T, B, D),
        "h0": state(rng, B, H),
        "dhs": drawing.arriving(rng, T, B, H),
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
    cut_state_from_candidate(drawn, H)
    return drawn


def _last_gradient_only(rng) -> Inputs:
    drawn = _three_steps(rng)
    drawn["dhs"][:-1] = 0.0
    return drawn


def _with_states(draw: Callable) -> Callable:
    """The inputs of ``draw`` and the states that the forward pass makes of them."""

    def with_states(rng):
        drawn = draw(rng)
        hs = right_forward(drawn["xs"], drawn["h0"], drawn["params"])
        return {"xs": drawn["xs"], "h0": drawn["h0"], "hs": hs} | drawn

    return with_states


def _probes() -> tuple[Probe, ...]:
    one_step, two_steps, *others, _ = sequence_families(_sequence_inputs)
    probes = (
        one_step,
        Probe("states that do not depend on one another", _no_recurrence, "sum", PARAMETERS),
        Probe("a gradient at the last step only", _last_gradient_only, "carry", ("dxs", "dh0")),
        replace(two_steps, part="arriving", outputs=("dxs", "dh0")),
        *others,
        large_probe("xs", _several_steps, slice(None)),
    )
    return tuple(replace(probe, draw=_with_states(probe.draw)) for probe in probes)


def _answer(inputs: Mapping) -> Outputs:
    return named(("dxs", "dh0"), differentiate(inputs, "gru_forward", "xs", "h0"))


def _through_time(
    xs,
    h0,
    hs,
    dhs,
    params,
    step=step_backward,
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
        steps = [step_backward(dh, x, h, params) for dh, x, h in zip(dhs, xs, before, strict=True)]
        dxs = np.stack([step[0] for step in steps])
        grads = {key: sum(step[2][key] for step in steps) for key in KEYS}
        return dxs, sum(step[1] for step in steps) if summed else steps[0][1], grads

    return wrong


_MISTAKES = (
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

EXERCISE = gru_exercise(
    name="gru_backward",
    assignment="gradients",
    signature="gru_backward(xs, h0, hs, dhs, params) -> (dxs, dh0, grads)",
    points=8,
    section=THROUGH_TIME,
    equation="dh = dhs[t] + dh_prev of step t + 1;   grads = sum over all steps",
    hints=(
        "Walk from the last step to the first. What a step hands back, its dh_prev, is added "
        "to what arrives at the state before it.",
        "The state before step t is hs[t - 1], and h0 for the first step.",
    ),
    returns=Gradients(("dxs", "dh0"), KEYS),
    probes=_probes(),
    answer=_answer,
    in_numpy=_through_time,
    reference="torch autograd through the reference, torch {torch}, float64 on the CPU",
    mistakes=(
        *_MISTAKES,
        *lift(
            gru_step_backward.MISTAKES,
            "in the step",
            lambda wrong, **inputs: _through_time(**inputs, step=wrong),
            inside="gru_step_backward",
        ),
        *returning_mistakes(_through_time, "dxs", "dh0", THROUGH_TIME),
        *contract_mistakes(_through_time, None, THROUGH_TIME, "xs", "h0", "hs", "dhs", exact=True),
        *precision_mistakes(_through_time, sequence_differences),
    ),
    tolerance=TOLERANCE,
    why_tolerance=WHY_TOLERANCE,
    parts=_PARTS,
    builds_on=("gru_step_backward",),
    refuse=RECURRENT | AUTOGRAD,
)
