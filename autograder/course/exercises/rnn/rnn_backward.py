"""``rnn_backward``: backpropagation through time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.checking.record import Inputs, Mistake, Outputs, Probe
from autograder.course.exercises.rnn.formulas import after, changed, right_backward
from autograder.course.exercises.rnn.inputs import KEYS, sequence_inputs
from autograder.course.exercises.rnn.right_cell import right_forward
from autograder.course.exercises.rnn.sections import BACKWARD
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.answers import tensors
from autograder.course.exercises.shared.declared import RECURRENT, rnn_exercise
from autograder.course.exercises.shared.drawing import (
    different_sizes,
    orthogonal,
    sequence_families,
)
from autograder.course.exercises.shared.wrong import affine, contract_mistakes, join, split
from autograder.player.contract import Gradients
from autograder.player.observe import AUTOGRAD


def _lasting(rng) -> Inputs:
    """Twenty steps on which the gradient keeps its size: an orthogonal block, small states."""
    B, D, H = different_sizes(rng, 3)
    drawn = sequence_inputs(rng, 20, B, D, H)
    drawn["xs"] *= 0.1
    drawn["h0"] *= 0.2
    drawn["params"]["W_h"][:, :H] = orthogonal(rng, H)
    drawn["params"]["b_h"] *= 0.1
    return drawn


def _with_states(draw: Callable, scale: float = 1.0) -> Callable:
    """What a backward pass gets: also the states, and the gradient that arrives at the last.

    The first example's gradient is ``scale`` times as large as the others'.
    """

    def with_states(rng):
        drawn = draw(rng)
        xs, h0, params = drawn["xs"], drawn["h0"], drawn["params"]
        dh_last = drawing.arriving(rng, *h0.shape)
        dh_last[0] *= scale
        hs = right_forward(xs, h0, params)
        return {"xs": xs, "h0": h0, "hs": hs, "dh_last": dh_last, "params": params}

    return with_states


def _general(rng) -> Inputs:
    return sequence_inputs(rng, *different_sizes(rng, 4, low=3))


def _flat(rng) -> Inputs:
    """Inputs that keep every state at zero, so that the slope of tanh is 1; h0 is not zero."""
    T, B, H = different_sizes(rng, 3, low=3)
    D = H + 2
    drawn = sequence_inputs(rng, T, B, D, H)
    W, b = drawn["params"]["W_h"], drawn["params"]["b_h"]
    inverse = np.linalg.pinv(W[:, H:])
    unseen = np.eye(D) - inverse @ W[:, H:]  # what an input may contain without being noticed
    wanted = np.broadcast_to(-b, (T, B, H)).copy()
    wanted[0] -= drawn["h0"] @ W[:, :H].T
    drawn["xs"] = wanted @ inverse.T + drawn["xs"] @ unseen
    return drawn


def _identity_step(rng) -> Inputs:
    B, D, H = different_sizes(rng, 3)
    drawn = sequence_inputs(rng, 1, B, D, H)
    drawn["params"]["W_h"][:, :H] = np.eye(H)
    return drawn


def _probes() -> tuple[Probe, ...]:
    families = {probe.name: probe for probe in sequence_families(sequence_inputs)}
    flat = _with_states(_flat)
    return (
        Probe(
            "one time step, recurrent block the identity",
            _with_states(_identity_step),
            "slope",
            ("dh0",),
        ),
        Probe("states zero, dh0 alone", flat, "dh0", ("dh0",)),
        Probe("states zero, dxs alone", flat, "dxs", ("dxs",)),
        Probe('states zero, grads["W_h"] alone', flat, "W_h", ('grads["W_h"]',)),
        Probe('states zero, grads["b_h"] alone', flat, "b_h", ('grads["b_h"]',)),
        *(
            Probe(name, _with_states(families[name].draw))
            for name in (
                "general",
                "one time step",
                "two time steps",
                "one example",
                "T = B = D = H",
                "zero input",
            )
        ),
        Probe("twenty time steps", _with_states(_lasting)),
        Probe(
            "one example's gradient a hundred times as large",
            _with_states(_general, scale=100.0),
        ),
    )


_PARTS = (
    ("slope", "the slope of tanh"),
    ("dh0", "handing the gradient back, dh0"),
    ("dxs", "the gradient of the inputs, dxs"),
    ("W_h", 'adding up grads["W_h"]'),
    ("b_h", 'adding up grads["b_h"]'),
)


def _answer_backward(inputs: Mapping) -> Outputs:
    """torch autograd through the reference's forward pass, in float64."""
    import torch

    from autograder.course import reference

    given = tensors(inputs)
    values = {"dxs": given["xs"], "dh0": given["h0"]}
    values |= {f'grads["{key}"]': given["params"][key] for key in KEYS}
    leaves = [value.clone().requires_grad_() for value in values.values()]
    xs, h0, *weights = leaves
    hs = reference.rnn_forward(xs, h0, dict(zip(KEYS, weights, strict=True)))
    gradients = torch.autograd.grad(hs[-1], leaves, given["dh_last"])
    return {name: g.numpy() for name, g in zip(values, gradients, strict=True)}


def _back_through_transpose(s):
    recurrent, from_input = split(s.params, "h", s.h)
    return join(s.da @ recurrent.T, s.da @ from_input)


def _slope_after_product(s):
    recurrent, from_input = split(s.params, "h", s.h)
    return join((s.dh @ recurrent) * s.slope, s.da @ from_input)


def _halves_exchanged(s):
    whole = s.da @ s.W
    D = s.x.shape[1]
    return join(whole[:, D:], whole[:, :D])


def _at_first_state(inputs, dxs, dh0, grads):
    """The gradient that arrives at h_1, before step 1 is walked back."""
    if len(dxs) == 1:
        return dxs, inputs["dh_last"].copy(), grads
    rest = {name: inputs[name][1:] for name in ("xs", "hs")}
    rest |= {"h0": inputs["hs"][0], "dh_last": inputs["dh_last"], "params": inputs["params"]}
    return dxs, right_backward(**rest)[1], grads


def _first_da(inputs, dxs, dh0, grads):
    """What arrives at the sum of step 1: dh_1 times the slope there."""
    arriving = _at_first_state(inputs, dxs, dh0, grads)[1]
    return dxs, arriving * (1 - inputs["hs"][0] ** 2), grads


def _after_last_step(inputs, dxs, dh0, grads):
    last = {name: inputs[name][-1:] for name in ("xs", "hs")}
    before = inputs["hs"][-2] if len(dxs) > 1 else inputs["h0"]
    last |= {"h0": before, "dh_last": inputs["dh_last"], "params": inputs["params"]}
    return dxs, right_backward(**last)[1], grads


def _scaled_grads(factor: Callable) -> Callable:
    def scaled(inputs, dxs, dh0, grads):
        return dxs, dh0, {key: g * factor(inputs["xs"].shape) for key, g in grads.items()}

    return after(scaled)


def _differences(step: float, central: bool) -> Callable:
    """Finite differences of sum(dh_last * h_T), number by number."""

    def estimate(xs, h0, hs, dh_last, params):
        leaves = [np.array(v) for v in (xs, h0, params["W_h"], params["b_h"])]

        def loss():
            h_last = right_forward(leaves[0], leaves[1], dict(zip(KEYS, leaves[2:], strict=True)))[
                -1
            ]
            return (dh_last * h_last).sum()

        here = loss()
        slopes = []
        for leaf in leaves:
            slope = np.empty_like(leaf)
            for index in np.ndindex(*leaf.shape):
                kept = leaf[index]
                leaf[index] = kept + step
                ahead = loss()
                if central:
                    leaf[index] = kept - step
                    slope[index] = (ahead - loss()) / (2 * step)
                else:
                    slope[index] = (ahead - here) / step
                leaf[index] = kept
            slopes.append(slope)
        dxs, dh0, dW, db = slopes
        return dxs, dh0, {"W_h": dW, "b_h": db}

    return estimate


def _back_mistake(part, name, says, wrong, within=None):
    return Mistake(name, says, wrong, BACKWARD, part, within)


_MISTAKES = (
    _back_mistake(
        "W_h",
        "gradients overwritten instead of accumulated",
        "grads keeps only what the step walked last, t = 1, contributes. All steps share the "
        "weights, so their gradients add up: `+=`, starting from zeros.",
        changed(add=lambda key, so_far, new: new),
    ),
    _back_mistake(
        "W_h",
        'grads["W_h"] overwritten instead of accumulated',
        'grads["W_h"] keeps only what step 1 contributes; all steps share W_h, so add them up.',
        changed(add=lambda key, so_far, new: new if key == "W_h" else so_far + new),
    ),
    _back_mistake(
        "b_h",
        'grads["b_h"] overwritten instead of accumulated',
        'grads["b_h"] keeps only what step 1 contributes; all steps share b_h, so add them up.',
        changed(add=lambda key, so_far, new: new if key == "b_h" else so_far + new),
    ),
    _back_mistake(
        "W_h",
        "only the last step's gradients in grads",
        "grads holds what step T contributes; the earlier steps use the same weights and add to it.",
        changed(add=lambda key, so_far, new: so_far),
    ),
    _back_mistake(
        "slope",
        "tanh' missing",
        "You send dh through the weights as it is; the slope of tanh, 1 - h_t², multiplies it first.",
        changed(slope=lambda s: 1.0),
    ),
    _back_mistake(
        "slope",
        "tanh' taken of the old state",
        "Your slope is 1 - h_(t-1)²; it belongs to the state that tanh gave, h_t.",
        changed(slope=lambda s: 1 - s.h_prev**2),
    ),
    _back_mistake(
        "slope",
        "tanh' of the weighted sum",
        "You compute 1 - a² with the sum a before tanh; the formula takes the value after it: "
        "1 - h_t².",
        changed(slope=lambda s: 1 - affine(s.h_prev, s.x, s.params, "h") ** 2),
    ),
    _back_mistake(
        "slope",
        "tanh applied to h_t once more",
        "Your slope is 1 - tanh(h_t)²; h_t already is the tanh's value: 1 - h_t².",
        changed(slope=lambda s: 1 - np.tanh(s.h) ** 2),
    ),
    _back_mistake(
        "slope",
        "1 - h for tanh'",
        "You multiply by 1 - h_t; the slope of tanh is 1 - h_t², with a square.",
        changed(slope=lambda s: 1 - s.h),
    ),
    _back_mistake(
        "slope",
        "h² for tanh'",
        "You multiply by h_t²; the slope of tanh is 1 - h_t².",
        changed(slope=lambda s: s.h**2),
    ),
    _back_mistake(
        "slope",
        "sigmoid' for tanh'",
        "You multiply by h_t (1 - h_t), the slope of a sigmoid; that of tanh is 1 - h_t².",
        changed(slope=lambda s: s.h * (1 - s.h)),
    ),
    _back_mistake(
        "dh0",
        "tanh' after the matrix product",
        "On the way to h_(t-1) you multiply by the weights first and by the slope afterwards. "
        "Going back, the slope comes first: da = dh * (1 - h_t²), then da @ W_hh.",
        changed(back=_slope_after_product),
    ),
    _back_mistake(
        "dh0",
        "recurrent weights transposed",
        "The gradient goes back through W_hhᵀ; the forward pass used the transpose, so the way "
        "back uses W_hh itself. The block is square, so no shape complains.",
        changed(back=_back_through_transpose),
    ),
    _back_mistake(
        "dh0",
        "columns of W_h cut as [x, h]",
        "You take the first columns of da @ W_h for x; they belong to h_prev, the hidden part.",
        changed(back=_halves_exchanged),
    ),
    _back_mistake(
        "W_h",
        'grads["W_h"] with [x, h] joined',
        'For grads["W_h"] you join [x, h_prev]; its columns are in the order of W_h, hidden part '
        "first.",
        changed(W_h=lambda s: s.da.T @ join(s.x, s.h_prev)),
    ),
    _back_mistake(
        "W_h",
        'grads["W_h"] transposed',
        'Your grads["W_h"] is the transpose; a gradient has the shape of its parameter, (H, H + D).',
        after(lambda i, dxs, dh0, g: (dxs, dh0, {"W_h": g["W_h"].T.copy(), "b_h": g["b_h"]})),
    ),
    _back_mistake(
        "W_h",
        "hs[t] for the state before the step",
        'For grads["W_h"] you join h_t; what met W_h in step t was the state before it, h_(t-1).',
        changed(W_h=lambda s: s.da.T @ join(s.h, s.x)),
    ),
    _back_mistake(
        "W_h",
        "hs[-1] before the first step",
        "At t = 0, hs[t - 1] is hs[-1], the last state; Python counts from the end. Use h0 there.",
        changed(h_prev=lambda s: s.hs[s.t - 1]),
    ),
    _back_mistake(
        "W_h",
        "hs[0] before the first step",
        "At the first step you take hs[0] as the state before it; that is h0.",
        changed(h_prev=lambda s: s.hs[max(s.t - 1, 0)]),
    ),
    _back_mistake(
        "W_h",
        "h0 ignored",
        "You take zeros as the state before the first step; it is h0.",
        changed(h_prev=lambda s: s.hs[s.t - 1] if s.t else 0 * s.h0),
    ),
    _back_mistake(
        "W_h",
        "h0 before every step",
        'For grads["W_h"] every step takes h0; after the first the state before it is hs[t - 1].',
        changed(h_prev=lambda s: s.h0),
    ),
    _back_mistake(
        "dh0",
        "gradient not handed back",
        "Only the last step gets a gradient. What da @ W_h says about h_(t-1) is the dh of the "
        "step before: hand it on.",
        changed(carried=lambda s: 0 * s.dh),
    ),
    _back_mistake(
        "dh0",
        "the same dh at every step",
        "dh is never replaced, so every step gets dh_last; it changes on its way, step by step.",
        changed(carried=lambda s: s.dh),
    ),
    _back_mistake(
        "dh0",
        "dh_last added at every step",
        "dh_last arrives again at every state; here the loss looks at h_T only, so it arrives once.",
        changed(carried=lambda s: s.dh_prev + (s.dh_last if s.t else 0.0)),
    ),
    _back_mistake(
        "dh0",
        "dh added up instead of replaced",
        "You hand on dh + da @ W_hh; a vanilla RNN has no direct path, so the new dh replaces the "
        "old one.",
        changed(carried=lambda s: s.dh + s.dh_prev),
    ),
    _back_mistake(
        "dh0",
        "da handed back without the weights",
        "You hand on da = dh * (1 - h_t²) itself; h_(t-1) acts through the recurrent weights.",
        changed(carried=lambda s: s.da),
    ),
    _back_mistake(
        "dh0",
        "first step left out",
        "You stop before t = 0: the first step, from h0 to h_1, is walked back like all others.",
        changed(order=lambda T: range(T - 1, 0, -1)),
    ),
    _back_mistake(
        "dh0",
        "last step left out",
        "You begin at step T - 1; dh_last arrives at h_T, the state after the last step.",
        changed(order=lambda T: range(T - 2, -1, -1)),
    ),
    _back_mistake(
        "dh0",
        "time walked forwards",
        "You go from t = 1 to T; a gradient travels from the last step to the first.",
        changed(order=range),
    ),
    _back_mistake(
        "dxs",
        "path to the inputs missing",
        "dxs is all zeros; each x_t acts through the last D columns of W_h.",
        changed(dx=lambda s: 0 * s.x),
    ),
    _back_mistake(
        "dxs",
        "tanh' missing in dxs",
        "dxs is dh times the input columns; the slope 1 - h_t² belongs before them: da.",
        changed(dx=lambda s: s.dh @ s.W[:, s.H :]),
    ),
    _back_mistake(
        "dxs",
        "dxs in reverse order",
        "dxs is in the order in which you walked, from the end; dxs[t] belongs to xs[t].",
        after(lambda i, dxs, dh0, grads: (dxs[::-1].copy(), dh0, grads)),
    ),
    _back_mistake(
        "dxs",
        "only the last input's gradient",
        "dxs is zero before the last step; all inputs have acted on h_T.",
        changed(dx=lambda s: s.back[:, s.H :] * (s.t == s.T - 1)),
    ),
    _back_mistake(
        "dxs",
        "dxs summed over time",
        "dxs has no time axis: each x_t has a gradient of its own, unlike the shared weights.",
        after(lambda i, dxs, dh0, grads: (dxs.sum(axis=0), dh0, grads)),
    ),
    _back_mistake(
        "dxs",
        "a list of dx",
        "The entries are right, but come as a list; stack them into one array of shape (T, B, D).",
        after(lambda i, dxs, dh0, grads: (list(dxs), dh0, grads)),
    ),
    _back_mistake(
        "dh0",
        "gradient of the first state returned as dh0",
        "Your dh0 is what arrives at h_1; one more step back, through step 1, leads to h0.",
        after(_at_first_state),
    ),
    _back_mistake(
        "dh0",
        "da of the first step returned as dh0",
        "Your dh0 is what arrives at the first step's sum; through W_hh it leads on to h0.",
        after(_first_da),
    ),
    _back_mistake(
        "dh0",
        "dh0 one step after h_T",
        "Your dh0 is what step T hands back; it is what remains after all steps, at h0.",
        after(_after_last_step),
    ),
    _back_mistake(
        "dh0",
        "dh0 zero",
        "Your dh0 is zero; it is what step 1 hands back.",
        after(lambda i, dxs, dh0, grads: (dxs, 0 * dh0, grads)),
    ),
    _back_mistake(
        "b_h",
        "bias gradient zero",
        'grads["b_h"] is zero; the bias enters the same sum as the weights: add up da over the '
        "batch and over time.",
        changed(b_h=lambda s: 0 * s.da.sum(axis=0)),
    ),
    _back_mistake(
        "b_h",
        "bias gradient missing",
        'grads has no "b_h"; every parameter has a gradient.',
        after(lambda i, dxs, dh0, grads: (dxs, dh0, {"W_h": grads["W_h"]})),
    ),
    _back_mistake(
        "b_h",
        "bias gradient without tanh'",
        'grads["b_h"] adds up dh; the slope of tanh comes before it: add up da.',
        changed(b_h=lambda s: s.dh.sum(axis=0)),
    ),
    _back_mistake(
        "b_h",
        "bias gradient not summed over the batch",
        'grads["b_h"] has a batch axis; all examples share the bias: sum over axis 0.',
        changed(b_h=lambda s: s.da),
    ),
    _back_mistake(
        "b_h",
        "bias gradient summed over the units",
        'grads["b_h"] is summed over the last axis; sum over the batch, axis 0.',
        changed(b_h=lambda s: s.da.sum(axis=1)),
    ),
    _back_mistake(
        "b_h",
        "mean over the batch for the bias",
        'grads["b_h"] is a mean over the batch; gradients add up: sum.',
        changed(b_h=lambda s: s.da.mean(axis=0)),
    ),
    _back_mistake(
        "W_h",
        "weight gradient not summed over the batch",
        'grads["W_h"] has a batch axis; all examples share the weights: da.T @ joined adds them up.',
        changed(W_h=lambda s: s.da[:, :, None] * join(s.h_prev, s.x)[:, None, :]),
    ),
    _back_mistake(
        "W_h",
        "mean over the batch",
        "grads is divided by B; the gradient is the sum over the examples. A loss that is a mean "
        "has put its 1/B into dh_last already.",
        _scaled_grads(lambda shape: 1 / shape[1]),
    ),
    _back_mistake(
        "W_h",
        "mean over time",
        "grads is divided by T; the gradient is the sum over all steps.",
        _scaled_grads(lambda shape: 1 / shape[0]),
    ),
    _back_mistake(
        None,
        "keys renamed",
        'Your keys are "dW_h" and "db_h"; grads uses the names of params.',
        after(lambda i, dxs, dh0, g: (dxs, dh0, {f"d{key}": v for key, v in g.items()})),
    ),
    _back_mistake(
        None,
        "dxs and dh0 exchanged",
        "You return (dh0, dxs, grads); the order is (dxs, dh0, grads).",
        after(lambda i, dxs, dh0, grads: (dh0, dxs, grads)),
    ),
    _back_mistake(
        None,
        "grads first",
        "You return (grads, dxs, dh0); the order is (dxs, dh0, grads).",
        after(lambda i, dxs, dh0, grads: (grads, dxs, dh0)),
    ),
    _back_mistake(
        None,
        "dh0 not returned",
        "You return (dxs, grads); dh0 stands between them.",
        after(lambda i, dxs, dh0, grads: (dxs, grads)),
    ),
    _back_mistake(
        None,
        "four arrays instead of a dict",
        "You return both parameters' gradients as items of the tuple; collect them in a dict.",
        after(lambda i, dxs, dh0, grads: (dxs, dh0, *grads.values())),
    ),
    *contract_mistakes(right_backward, None, BACKWARD, "dh_last", "hs", exact=True),
    # Recognized by the size of their error; the more exact one first.
    _back_mistake(
        None,
        "central finite differences",
        "Your numbers are close, but their error is far above rounding: it looks like finite "
        "differences, (f(a + e) - f(a - e)) / 2e. The exercise asks for the formulas, which are "
        "exact and much faster.",
        _differences(1e-5, central=True),
        within=2e-7,
    ),
    _back_mistake(
        None,
        "finite differences",
        "Your numbers are close to right, and off by far more than rounding. It looks like finite "
        "differences, one-sided or with a step that is too large or too small, or like float32 on "
        "the way. Write the formulas, and keep float64.",
        _differences(1e-6, central=False),
        within=1e-3,
    ),
)

EXERCISE = rnn_exercise(
    name="rnn_backward",
    assignment="rnn",
    signature="rnn_backward(xs, h0, hs, dh_last, params) -> (dxs, dh0, grads)",
    points=6,
    section=BACKWARD,
    equation="da_t = dh_t ∗ (1 − h_t²),   [dh_(t−1), dx_t] = da_t W_h",
    hints=(
        "Walk from the last step to the first. In each: dh to da through the slope of tanh, da "
        "to h_prev, x, W_h and b_h through the sum inside it.",
        "All steps share W_h and b_h: their gradients add up, over the batch and over time.",
    ),
    returns=Gradients(("dxs", "dh0"), KEYS),
    probes=_probes(),
    answer=_answer_backward,
    in_numpy=right_backward,
    reference="torch autograd through the reference, torch {torch}, float64 on the CPU",
    mistakes=_MISTAKES,
    tolerance=1e-12,
    why_tolerance="formulas in float64 differ by about 1e-15, finite differences by 1e-11 and more",
    parts=_PARTS,
    refuse=RECURRENT | AUTOGRAD,
)
