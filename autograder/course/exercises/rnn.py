"""The assignment ``rnn``: a vanilla RNN forward and backward, and what becomes of its gradients.

The wrong implementations are NumPy, short, and wrong in one way each. The backward pass is a
table of formulas for one step; a mistake is the same table with a line or two changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from autograder.checking.record import Inputs, Mistake, Outputs, Probe, Section
from autograder.course.exercises import drawing
from autograder.course.exercises.drawing import (
    FORWARD_PARTS,
    TERMS,
    different_sizes,
    gated_params,
    orthogonal,
    sequence_families,
    state,
    step_families,
    term_stages,
)
from autograder.course.exercises.shared.declared import RECURRENT, rnn_exercise
from autograder.course.exercises.wrong import (
    affine,
    contract_mistakes,
    join,
    lift,
    split,
    tanh_mistakes,
    tensors,
    time_mistakes,
    walk,
)
from autograder.player.contract import Array, Gradients, Params
from autograder.player.observe import AUTOGRAD

CHAPTER = "The vanilla RNN"
FORGETTING = "Why it forgets"

STEP = Section("rnn-step", "One step of the net", CHAPTER)
THROUGH_TIME = Section("rnn-through-time", "Through time", CHAPTER)
BACKWARD = Section("rnn-backward", "Backpropagation through time", FORGETTING)
BY_LAG = Section("gradient-by-lag", "The gradient against the lag", FORGETTING)
CLIPPING = Section("clipping", "When it explodes", FORGETTING)

KEYS = ("W_h", "b_h")


def _step_inputs(rng, B: int, D: int, H: int) -> Inputs:
    return {
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        "params": gated_params(rng, "h", D, H),
    }


def _sequence_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    return {
        "xs": drawing.inputs(rng, T, B, D),
        "h0": state(rng, B, H),
        "params": gated_params(rng, "h", D, H),
    }


def _lasting(rng) -> Inputs:
    """Twenty steps on which the gradient keeps its size: an orthogonal block, small states."""
    B, D, H = different_sizes(rng, 3)
    drawn = _sequence_inputs(rng, 20, B, D, H)
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
        dh_last = drawing.inputs(rng, *h0.shape)
        dh_last[0] *= scale
        hs = _forward(xs, h0, params)
        return {"xs": xs, "h0": h0, "hs": hs, "dh_last": dh_last, "params": params}

    return with_states


def _general(rng) -> Inputs:
    return _sequence_inputs(rng, *different_sizes(rng, 4, low=3))


def _flat(rng) -> Inputs:
    """Inputs that keep every state at zero, so that the slope of tanh is 1; h0 is not zero."""
    T, B, H = different_sizes(rng, 3, low=3)
    D = H + 2
    drawn = _sequence_inputs(rng, T, B, D, H)
    W, b = drawn["params"]["W_h"], drawn["params"]["b_h"]
    inverse = np.linalg.pinv(W[:, H:])
    unseen = np.eye(D) - inverse @ W[:, H:]  # what an input may contain without being noticed
    wanted = np.broadcast_to(-b, (T, B, H)).copy()
    wanted[0] -= drawn["h0"] @ W[:, :H].T
    drawn["xs"] = wanted @ inverse.T + drawn["xs"] @ unseen
    return drawn


def _identity_step(rng) -> Inputs:
    B, D, H = different_sizes(rng, 3)
    drawn = _sequence_inputs(rng, 1, B, D, H)
    drawn["params"]["W_h"][:, :H] = np.eye(H)
    return drawn


def _backward_probes() -> tuple[Probe, ...]:
    families = {probe.name: probe for probe in sequence_families(_sequence_inputs)}
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


BACKWARD_PARTS = (
    ("slope", "the slope of tanh"),
    ("dh0", "handing the gradient back, dh0"),
    ("dxs", "the gradient of the inputs, dxs"),
    ("W_h", 'adding up grads["W_h"]'),
    ("b_h", 'adding up grads["b_h"]'),
)


def _lag_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    """States as such: inputs that lead to them exist, and the gradient does not depend on them."""
    return {"hs": state(rng, T, B, H), "params": gated_params(rng, "h", D, H)}


def _lag_general(rng) -> Inputs:
    return _lag_inputs(rng, *different_sizes(rng, 4, low=3))


def _flat_tanh(rng) -> Inputs:
    drawn = _lag_general(rng)
    drawn["hs"] *= 0.0
    return drawn


def _identity(rng) -> Inputs:
    drawn = _lag_general(rng)
    H = drawn["hs"].shape[-1]
    drawn["params"]["W_h"][:, :H] = np.eye(H)
    return drawn


def _lag_square(rng) -> Inputs:
    size = different_sizes(rng, 1, 3, 5)[0]
    return _lag_inputs(rng, size, size, size, size)


def _growing(rng) -> Inputs:
    """Each step multiplies the gradient by about 1.3: what is called exploding."""
    drawn = _lag_inputs(rng, 30, *different_sizes(rng, 3))
    H = drawn["hs"].shape[-1]
    drawn["hs"] *= 0.3
    drawn["params"]["W_h"][:, :H] = 1.4 * orthogonal(rng, H)
    return drawn


_LAG_PROBES = (
    Probe("all states zero, so tanh' is 1", _flat_tanh, part="product"),
    Probe("recurrent block the identity", _identity, part="slope"),
    Probe("general", _lag_general),
    Probe(
        "one example",
        lambda rng: _lag_inputs(rng, *different_sizes(rng, 1, low=3), 1, *different_sizes(rng, 2)),
    ),
    Probe("T = B = D = H", _lag_square),
    Probe("two time steps", lambda rng: _lag_inputs(rng, 2, *different_sizes(rng, 3, low=3))),
    Probe("sixty time steps", lambda rng: _lag_inputs(rng, 60, *different_sizes(rng, 3))),
    Probe("thirty time steps, growing", _growing),
)

LAG_PARTS = (
    ("product", "multiplying the recurrent blocks"),
    ("slope", "the slope of tanh"),
)


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


_CLIP_PROBES = (
    Probe("norm above max_norm", lambda rng: _clip_inputs(rng, rng.uniform(0.2, 0.6)), "above"),
    Probe("norm below max_norm", lambda rng: _clip_inputs(rng, rng.uniform(1.5, 4.0)), "below"),
    Probe("all zero", _all_zero, "zero"),
    Probe("norm just above max_norm", lambda rng: _clip_inputs(rng, 0.999)),
    Probe("norm just below max_norm", lambda rng: _clip_inputs(rng, 1.001)),
    Probe("norm far below max_norm", lambda rng: _clip_inputs(rng, 1e6, 1e-6)),
    Probe("exploded", lambda rng: _clip_inputs(rng, 1e-8, 1e8)),
    Probe("one tensor much larger than the others", _one_large_tensor),
)

CLIP_PARTS = (
    ("above", "gradients above max_norm"),
    ("below", "gradients below max_norm"),
    ("zero", "gradients that are all zero"),
)


def _answer(output: str, function: str) -> Callable[[Mapping], Outputs]:
    def answer(inputs: Mapping) -> Outputs:
        from autograder.course import reference

        return {output: getattr(reference, function)(**tensors(inputs)).numpy()}

    return answer


def _answer_clip(inputs: Mapping) -> Outputs:
    from autograder.course import reference

    clipped = reference.clip_gradients(**tensors(inputs))
    return {name: g.numpy() for name, g in clipped.items()}


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


def _step(x, h_prev, params):
    return np.tanh(affine(h_prev, x, params, "h"))


def _forward(xs, h0, params, step=_step):
    return walk(xs, h0, params, step)


def _step_mistake(name, says, wrong):
    return Mistake(name, says, wrong, STEP, part="read")


_OF_THE_OLD_STATE = ("h_prev ignored", "recurrent block not transposed")

_STEP_MISTAKES = (
    *(
        replace(mistake, part="recall") if mistake.name in _OF_THE_OLD_STATE else mistake
        for mistake in tanh_mistakes("h", STEP, "the new state", part="read")
    ),
    _step_mistake(
        "old state added",
        "You add tanh(…) to h_prev; a vanilla RNN replaces the whole state.",
        lambda x, h_prev, params: h_prev + _step(x, h_prev, params),
    ),
    _step_mistake(
        "old state and candidate averaged",
        "You return the mean of h_prev and tanh(…); a vanilla RNN has no gate and replaces the "
        "whole state.",
        lambda x, h_prev, params: 0.5 * (h_prev + _step(x, h_prev, params)),
    ),
    _step_mistake(
        "bias added twice",
        "The bias b_h is counted twice; this RNN has one bias (PyTorch's has two).",
        lambda x, h_prev, params: np.tanh(affine(h_prev, x, params, "h") + params["b_h"]),
    ),
)


def _named(step: Callable) -> Callable:
    return lambda x, h_prev, params: step(x=x, h_prev=h_prev, params=params)


_FORWARD_MISTAKES = (
    *time_mistakes(_step, THROUGH_TIME),
    *lift(_STEP_MISTAKES, "in the step", lambda wrong, **i: _forward(**i, step=_named(wrong))),
)


FORMULAS: dict[str, Callable[[SimpleNamespace], np.ndarray]] = {
    # one step backward: dh is what arrives at h, the state after step t
    "h": lambda s: s.hs[s.t],
    "h_prev": lambda s: s.hs[s.t - 1] if s.t else s.h0,
    "x": lambda s: s.xs[s.t],
    "slope": lambda s: 1 - s.h**2,
    "da": lambda s: s.dh * s.slope,
    "back": lambda s: s.da @ s.W,
    "dh_prev": lambda s: s.back[:, : s.H],
    "dx": lambda s: s.back[:, s.H :],
    "W_h": lambda s: s.da.T @ join(s.h_prev, s.x),
    "b_h": lambda s: s.da.sum(axis=0),
    "carried": lambda s: s.dh_prev,
}


def _last_to_first(T: int):
    return range(T - 1, -1, -1)


def _backward(
    xs,
    h0,
    hs,
    dh_last,
    params,
    changes=None,
    order=_last_to_first,
    add=lambda key, so_far, new: so_far + new,
):
    """``(dxs, dh0, grads)`` by the table, with some formulas changed."""
    s = SimpleNamespace(xs=xs, h0=h0, hs=hs, dh_last=dh_last, params=params, dh=dh_last)
    s.W, s.H, s.T = params["W_h"], h0.shape[1], len(xs)
    dxs, grads = np.zeros_like(xs), {}
    for t in order(s.T):
        s.t = t
        for name, formula in (FORMULAS | (changes or {})).items():
            setattr(s, name, formula(s))
        dxs[t] = s.dx
        for key in KEYS:
            new = getattr(s, key)
            grads[key] = add(key, grads[key], new) if key in grads else new
        s.dh = s.carried
    return dxs, s.dh, grads


def _changed(order=_last_to_first, add=lambda key, so_far, new: so_far + new, **changes):
    return lambda **inputs: _backward(**inputs, changes=changes, order=order, add=add)


def _after(change: Callable) -> Callable:
    """The right gradients, then ``change(inputs, dxs, dh0, grads)``."""
    return lambda **inputs: change(inputs, *_backward(**inputs))


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
    return dxs, _backward(**rest)[1], grads


def _after_last_step(inputs, dxs, dh0, grads):
    last = {name: inputs[name][-1:] for name in ("xs", "hs")}
    before = inputs["hs"][-2] if len(dxs) > 1 else inputs["h0"]
    last |= {"h0": before, "dh_last": inputs["dh_last"], "params": inputs["params"]}
    return dxs, _backward(**last)[1], grads


def _scaled_grads(factor: Callable) -> Callable:
    def scaled(inputs, dxs, dh0, grads):
        return dxs, dh0, {key: g * factor(inputs["xs"].shape) for key, g in grads.items()}

    return _after(scaled)


def _differences(step: float, central: bool) -> Callable:
    """Finite differences of sum(dh_last * h_T), number by number."""

    def estimate(xs, h0, hs, dh_last, params):
        leaves = [np.array(v) for v in (xs, h0, params["W_h"], params["b_h"])]

        def loss():
            h_last = _forward(leaves[0], leaves[1], dict(zip(KEYS, leaves[2:], strict=True)))[-1]
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


_BACKWARD_MISTAKES = (
    _back_mistake(
        "W_h",
        "gradients overwritten instead of accumulated",
        "grads keeps only what the step walked last, t = 1, contributes. All steps share the "
        "weights, so their gradients add up: `+=`, starting from zeros.",
        _changed(add=lambda key, so_far, new: new),
    ),
    _back_mistake(
        "W_h",
        'grads["W_h"] overwritten instead of accumulated',
        'grads["W_h"] keeps only what step 1 contributes; all steps share W_h, so add them up.',
        _changed(add=lambda key, so_far, new: new if key == "W_h" else so_far + new),
    ),
    _back_mistake(
        "b_h",
        'grads["b_h"] overwritten instead of accumulated',
        'grads["b_h"] keeps only what step 1 contributes; all steps share b_h, so add them up.',
        _changed(add=lambda key, so_far, new: new if key == "b_h" else so_far + new),
    ),
    _back_mistake(
        "W_h",
        "only the last step's gradients in grads",
        "grads holds what step T contributes; the earlier steps use the same weights and add to it.",
        _changed(add=lambda key, so_far, new: so_far),
    ),
    _back_mistake(
        "slope",
        "tanh' missing",
        "You send dh through the weights as it is; the slope of tanh, 1 - h_t², multiplies it first.",
        _changed(slope=lambda s: 1.0),
    ),
    _back_mistake(
        "slope",
        "tanh' taken of the old state",
        "Your slope is 1 - h_(t-1)²; it belongs to the state that tanh gave, h_t.",
        _changed(slope=lambda s: 1 - s.h_prev**2),
    ),
    _back_mistake(
        "slope",
        "tanh' of the weighted sum",
        "You compute 1 - a² with the sum a before tanh; the formula takes the value after it: "
        "1 - h_t².",
        _changed(slope=lambda s: 1 - affine(s.h_prev, s.x, s.params, "h") ** 2),
    ),
    _back_mistake(
        "slope",
        "tanh applied to h_t once more",
        "Your slope is 1 - tanh(h_t)²; h_t already is the tanh's value: 1 - h_t².",
        _changed(slope=lambda s: 1 - np.tanh(s.h) ** 2),
    ),
    _back_mistake(
        "slope",
        "1 - h for tanh'",
        "You multiply by 1 - h_t; the slope of tanh is 1 - h_t², with a square.",
        _changed(slope=lambda s: 1 - s.h),
    ),
    _back_mistake(
        "slope",
        "h² for tanh'",
        "You multiply by h_t²; the slope of tanh is 1 - h_t².",
        _changed(slope=lambda s: s.h**2),
    ),
    _back_mistake(
        "slope",
        "sigmoid' for tanh'",
        "You multiply by h_t (1 - h_t), the slope of a sigmoid; that of tanh is 1 - h_t².",
        _changed(slope=lambda s: s.h * (1 - s.h)),
    ),
    _back_mistake(
        "dh0",
        "tanh' after the matrix product",
        "On the way to h_(t-1) you multiply by the weights first and by the slope afterwards. "
        "Going back, the slope comes first: da = dh * (1 - h_t²), then da @ W_hh.",
        _changed(back=_slope_after_product),
    ),
    _back_mistake(
        "dh0",
        "recurrent weights transposed",
        "The gradient goes back through W_hhᵀ; the forward pass used the transpose, so the way "
        "back uses W_hh itself. The block is square, so no shape complains.",
        _changed(back=_back_through_transpose),
    ),
    _back_mistake(
        "dh0",
        "columns of W_h cut as [x, h]",
        "You take the first columns of da @ W_h for x; they belong to h_prev, the hidden part.",
        _changed(back=_halves_exchanged),
    ),
    _back_mistake(
        "W_h",
        'grads["W_h"] with [x, h] joined',
        'For grads["W_h"] you join [x, h_prev]; its columns are in the order of W_h, hidden part '
        "first.",
        _changed(W_h=lambda s: s.da.T @ join(s.x, s.h_prev)),
    ),
    _back_mistake(
        "W_h",
        'grads["W_h"] transposed',
        'Your grads["W_h"] is the transpose; a gradient has the shape of its parameter, (H, H + D).',
        _after(lambda i, dxs, dh0, g: (dxs, dh0, {"W_h": g["W_h"].T.copy(), "b_h": g["b_h"]})),
    ),
    _back_mistake(
        "W_h",
        "hs[t] for the state before the step",
        'For grads["W_h"] you join h_t; what met W_h in step t was the state before it, h_(t-1).',
        _changed(W_h=lambda s: s.da.T @ join(s.h, s.x)),
    ),
    _back_mistake(
        "W_h",
        "hs[-1] before the first step",
        "At t = 0, hs[t - 1] is hs[-1], the last state; Python counts from the end. Use h0 there.",
        _changed(h_prev=lambda s: s.hs[s.t - 1]),
    ),
    _back_mistake(
        "W_h",
        "hs[0] before the first step",
        "At the first step you take hs[0] as the state before it; that is h0.",
        _changed(h_prev=lambda s: s.hs[max(s.t - 1, 0)]),
    ),
    _back_mistake(
        "W_h",
        "h0 ignored",
        "You take zeros as the state before the first step; it is h0.",
        _changed(h_prev=lambda s: s.hs[s.t - 1] if s.t else 0 * s.h0),
    ),
    _back_mistake(
        "W_h",
        "h0 before every step",
        'For grads["W_h"] every step takes h0; after the first the state before it is hs[t - 1].',
        _changed(h_prev=lambda s: s.h0),
    ),
    _back_mistake(
        "dh0",
        "gradient not handed back",
        "Only the last step gets a gradient. What da @ W_h says about h_(t-1) is the dh of the "
        "step before: hand it on.",
        _changed(carried=lambda s: 0 * s.dh),
    ),
    _back_mistake(
        "dh0",
        "the same dh at every step",
        "dh is never replaced, so every step gets dh_last; it changes on its way, step by step.",
        _changed(carried=lambda s: s.dh),
    ),
    _back_mistake(
        "dh0",
        "dh_last added at every step",
        "dh_last arrives again at every state; here the loss looks at h_T only, so it arrives once.",
        _changed(carried=lambda s: s.dh_prev + (s.dh_last if s.t else 0.0)),
    ),
    _back_mistake(
        "dh0",
        "dh added up instead of replaced",
        "You hand on dh + da @ W_hh; a vanilla RNN has no direct path, so the new dh replaces the "
        "old one.",
        _changed(carried=lambda s: s.dh + s.dh_prev),
    ),
    _back_mistake(
        "dh0",
        "da handed back without the weights",
        "You hand on da = dh * (1 - h_t²) itself; h_(t-1) acts through the recurrent weights.",
        _changed(carried=lambda s: s.da),
    ),
    _back_mistake(
        "dh0",
        "time walked forwards",
        "You go from t = 1 to T; a gradient travels from the last step to the first.",
        _changed(order=range),
    ),
    _back_mistake(
        "dxs",
        "path to the inputs missing",
        "dxs is all zeros; each x_t acts through the last D columns of W_h.",
        _changed(dx=lambda s: 0 * s.x),
    ),
    _back_mistake(
        "dxs",
        "tanh' missing in dxs",
        "dxs is dh times the input columns; the slope 1 - h_t² belongs before them: da.",
        _changed(dx=lambda s: s.dh @ s.W[:, s.H :]),
    ),
    _back_mistake(
        "dxs",
        "dxs in reverse order",
        "dxs is in the order in which you walked, from the end; dxs[t] belongs to xs[t].",
        _after(lambda i, dxs, dh0, grads: (dxs[::-1].copy(), dh0, grads)),
    ),
    _back_mistake(
        "dxs",
        "only the last input's gradient",
        "dxs is zero before the last step; all inputs have acted on h_T.",
        _changed(dx=lambda s: s.back[:, s.H :] * (s.t == s.T - 1)),
    ),
    _back_mistake(
        "dxs",
        "dxs summed over time",
        "dxs has no time axis: each x_t has a gradient of its own, unlike the shared weights.",
        _after(lambda i, dxs, dh0, grads: (dxs.sum(axis=0), dh0, grads)),
    ),
    _back_mistake(
        "dxs",
        "a list of dx",
        "The entries are right, but come as a list; stack them into one array of shape (T, B, D).",
        _after(lambda i, dxs, dh0, grads: (list(dxs), dh0, grads)),
    ),
    _back_mistake(
        "dh0",
        "gradient of the first state returned as dh0",
        "Your dh0 is what arrives at h_1; one more step back, through step 1, leads to h0.",
        _after(_at_first_state),
    ),
    _back_mistake(
        "dh0",
        "dh0 one step after h_T",
        "Your dh0 is what step T hands back; it is what remains after all steps, at h0.",
        _after(_after_last_step),
    ),
    _back_mistake(
        "dh0",
        "dh0 zero",
        "Your dh0 is zero; it is what step 1 hands back.",
        _after(lambda i, dxs, dh0, grads: (dxs, 0 * dh0, grads)),
    ),
    _back_mistake(
        "b_h",
        "bias gradient zero",
        'grads["b_h"] is zero; the bias enters the same sum as the weights: add up da over the '
        "batch and over time.",
        _changed(b_h=lambda s: 0 * s.da.sum(axis=0)),
    ),
    _back_mistake(
        "b_h",
        "bias gradient missing",
        'grads has no "b_h"; every parameter has a gradient.',
        _after(lambda i, dxs, dh0, grads: (dxs, dh0, {"W_h": grads["W_h"]})),
    ),
    _back_mistake(
        "b_h",
        "bias gradient without tanh'",
        'grads["b_h"] adds up dh; the slope of tanh comes before it: add up da.',
        _changed(b_h=lambda s: s.dh.sum(axis=0)),
    ),
    _back_mistake(
        "b_h",
        "bias gradient not summed over the batch",
        'grads["b_h"] has a batch axis; all examples share the bias: sum over axis 0.',
        _changed(b_h=lambda s: s.da),
    ),
    _back_mistake(
        "b_h",
        "bias gradient summed over the units",
        'grads["b_h"] is summed over the last axis; sum over the batch, axis 0.',
        _changed(b_h=lambda s: s.da.sum(axis=1)),
    ),
    _back_mistake(
        "b_h",
        "mean over the batch for the bias",
        'grads["b_h"] is a mean over the batch; gradients add up: sum.',
        _changed(b_h=lambda s: s.da.mean(axis=0)),
    ),
    _back_mistake(
        "W_h",
        "weight gradient not summed over the batch",
        'grads["W_h"] has a batch axis; all examples share the weights: da.T @ joined adds them up.',
        _changed(W_h=lambda s: s.da[:, :, None] * join(s.h_prev, s.x)[:, None, :]),
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
        _after(lambda i, dxs, dh0, g: (dxs, dh0, {f"d{key}": v for key, v in g.items()})),
    ),
    _back_mistake(
        None,
        "dxs and dh0 exchanged",
        "You return (dh0, dxs, grads); the order is (dxs, dh0, grads).",
        _after(lambda i, dxs, dh0, grads: (dh0, dxs, grads)),
    ),
    _back_mistake(
        None,
        "grads first",
        "You return (grads, dxs, dh0); the order is (dxs, dh0, grads).",
        _after(lambda i, dxs, dh0, grads: (grads, dxs, dh0)),
    ),
    _back_mistake(
        None,
        "dh0 not returned",
        "You return (dxs, grads); dh0 stands between them.",
        _after(lambda i, dxs, dh0, grads: (dxs, grads)),
    ),
    _back_mistake(
        None,
        "four arrays instead of a dict",
        "You return both parameters' gradients as items of the tuple; collect them in a dict.",
        _after(lambda i, dxs, dh0, grads: (dxs, dh0, *grads.values())),
    ),
    *contract_mistakes(_backward, None, BACKWARD, "dh_last", "hs"),
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
        "Your numbers are right to about five digits: that is how exact one-sided finite "
        "differences are, (f(a + e) - f(a)) / e. (Arithmetic in float32 on the way would look "
        "alike.) Write the formulas, and keep float64.",
        _differences(1e-6, central=False),
        within=1e-3,
    ),
)


def _jacobians(hs, params):
    """dh_t/dh_(t-1) for t = T … 2, each (B, H, H)."""
    recurrent = params["W_h"][:, : hs.shape[-1]]
    return [(1 - h**2)[:, :, None] * recurrent for h in hs[:0:-1]]


def _spectral(matrices):
    return np.linalg.norm(matrices, 2, axis=(-2, -1))


def _by_lag(
    hs,
    params,
    jacobians=_jacobians,
    multiply=lambda product, jacobian: product @ jacobian,
    norm=_spectral,
    summary=lambda norms: norms.mean(),
):
    _, B, H = hs.shape
    product = np.broadcast_to(np.eye(H), (B, H, H))
    entries = [summary(norm(product))]
    for jacobian in jacobians(hs, params):
        product = multiply(product, jacobian)
        entries.append(summary(norm(product)))
    return np.array(entries)


def _lag_with(**options: Callable) -> Callable:
    return lambda hs, params: _by_lag(hs, params, **options)


def _with_slope(slope: Callable) -> Callable:
    """Jacobians with another slope; ``slope(h, h_prev)``."""

    def jacobians(hs, params):
        recurrent = params["W_h"][:, : hs.shape[-1]]
        pairs = zip(hs[:0:-1], hs[-2::-1], strict=True)
        return [slope(h, h_prev)[:, :, None] * recurrent for h, h_prev in pairs]

    return _lag_with(jacobians=jacobians)


def _with_block(block: Callable) -> Callable:
    """Jacobians with another matrix; ``block(W, H)``."""

    def jacobians(hs, params):
        matrix = block(params["W_h"], hs.shape[-1])
        return [(1 - h**2)[:, :, None] * matrix for h in hs[:0:-1]]

    return _lag_with(jacobians=jacobians)


def _slope_on_columns(hs, params):
    recurrent = params["W_h"][:, : hs.shape[-1]]
    return [recurrent * (1 - h**2)[:, None, :] for h in hs[:0:-1]]


def _power_of_the_norm(hs, params):
    bound = np.linalg.norm(params["W_h"][:, : hs.shape[-1]], 2)
    return bound ** np.arange(len(hs), dtype=float)


def _product_of_norms(hs, params):
    norms = [_spectral(jacobian) for jacobian in _jacobians(hs, params)]
    return np.array([1.0, *np.cumprod(norms, axis=0).mean(axis=1)])


def _sum_of_units(matrices):
    return np.linalg.norm(matrices.sum(axis=-2), axis=-1)


def _lag_mistake(name, says, wrong, part=None):
    return Mistake(name, says, wrong, BY_LAG, part)


_LAG_MISTAKES = (
    _lag_mistake(
        "tanh' missing",
        "You multiply the recurrent blocks alone; each step also multiplies by the slope 1 - h_t².",
        _with_slope(lambda h, h_prev: np.ones_like(h)),
        "slope",
    ),
    _lag_mistake(
        "tanh' taken of the old state",
        "Your slope for the step from h_(t-1) to h_t is 1 - h_(t-1)²; it belongs to h_t.",
        _with_slope(lambda h, h_prev: 1 - h_prev**2),
        "slope",
    ),
    _lag_mistake(
        "tanh applied to h_t once more",
        "Your slope is 1 - tanh(h_t)²; h_t already is the tanh's value: 1 - h_t².",
        _with_slope(lambda h, h_prev: 1 - np.tanh(h) ** 2),
        "slope",
    ),
    _lag_mistake(
        "1 - h for tanh'",
        "You multiply by 1 - h_t; the slope of tanh is 1 - h_t², with a square.",
        _with_slope(lambda h, h_prev: 1 - h),
        "slope",
    ),
    _lag_mistake(
        "sigmoid' for tanh'",
        "You multiply by h_t (1 - h_t), the slope of a sigmoid; that of tanh is 1 - h_t².",
        _with_slope(lambda h, h_prev: h * (1 - h)),
        "slope",
    ),
    _lag_mistake(
        "slope on the columns",
        "1 - h_t² multiplies the columns of W_hh; row i makes unit i of h_t, so it scales row i.",
        _lag_with(jacobians=_slope_on_columns),
        "slope",
    ),
    _lag_mistake(
        "recurrent weights transposed",
        "You use W_hhᵀ with its rows scaled; entry (i, j) of dh_t/dh_(t-1) is (1 - h_i²) W_hh[i, j].",
        _with_block(lambda W, H: W[:, :H].T),
        "product",
    ),
    _lag_mistake(
        "last columns of W_h",
        "You take the last H columns of W_h; the hidden part is the first H.",
        _with_block(lambda W, H: np.resize(W[:, -H:], (H, H))),
        "product",
    ),
    _lag_mistake(
        "product in the wrong order",
        "You multiply each new Jacobian from the left. Walking back, it comes from the right: "
        "J_T J_(T-1) ….",
        _lag_with(multiply=lambda product, jacobian: jacobian @ product),
        "product",
    ),
    _lag_mistake(
        "elementwise product",
        "You multiply the Jacobians element by element; the chain rule is a matrix product, `@`.",
        _lag_with(multiply=lambda product, jacobian: product * jacobian),
        "product",
    ),
    _lag_mistake(
        "one step at a time",
        "Entry k is the norm of a single step's Jacobian; it must be the norm of the product of k.",
        _lag_with(multiply=lambda product, jacobian: jacobian),
        "product",
    ),
    _lag_mistake(
        "sum of the Jacobians",
        "You add the Jacobians; the chain rule multiplies them.",
        _lag_with(multiply=lambda product, jacobian: product + jacobian),
        "product",
    ),
    _lag_mistake(
        "product of the norms",
        "You multiply the norms of the single steps; that is an upper bound. Multiply the "
        "matrices first, then take the norm.",
        _product_of_norms,
        "product",
    ),
    _lag_mistake(
        "powers of the norm of W_hh",
        "You return ‖W_hh‖ᵏ, the textbook bound; asked for is the norm of the actual product.",
        _power_of_the_norm,
        "product",
    ),
    _lag_mistake(
        "measured from the first state",
        "Entry k is the norm of dh_(1+k)/dh_1; lags count back from the end: dh_T/dh_(T-k).",
        _lag_with(
            jacobians=lambda hs, params: _jacobians(hs, params)[::-1],
            multiply=lambda product, jacobian: jacobian @ product,
        ),
        "product",
    ),
    _lag_mistake(
        "Jacobians from the first step on",
        "You start with the Jacobian of the first steps; lag 1 is the last step, from h_(T-1) to h_T.",
        _lag_with(jacobians=lambda hs, params: _jacobians(hs, params)[::-1]),
        "product",
    ),
    _lag_mistake(
        "Frobenius norm",
        "You take the Frobenius norm, np.linalg.norm's default; the spectral norm is the largest "
        "singular value: ord=2.",
        _lag_with(norm=lambda m: np.linalg.norm(m, axis=(-2, -1))),
    ),
    _lag_mistake(
        "Frobenius norm divided by its value at lag 0",
        "You take the Frobenius norm, scaled so that entry 0 is 1; the spectral norm is the "
        "largest singular value: ord=2.",
        _lag_with(norm=lambda m: np.linalg.norm(m, axis=(-2, -1)) / np.sqrt(m.shape[-1])),
    ),
    _lag_mistake(
        "largest eigenvalue",
        "You take the largest |eigenvalue|, the spectral radius; the spectral norm is the largest "
        "singular value.",
        _lag_with(norm=lambda m: np.abs(np.linalg.eigvals(m)).max(axis=-1)),
    ),
    _lag_mistake(
        "smallest singular value",
        "You take the smallest singular value; the spectral norm is the largest.",
        _lag_with(norm=lambda m: np.linalg.svd(m, compute_uv=False)[..., -1]),
    ),
    _lag_mistake(
        "mean singular value",
        "You average the singular values; the spectral norm is the largest of them.",
        _lag_with(norm=lambda m: np.linalg.svd(m, compute_uv=False).mean(axis=-1)),
    ),
    _lag_mistake(
        "norm squared",
        "You take the largest eigenvalue of JᵀJ; the spectral norm is its square root.",
        _lag_with(norm=lambda m: _spectral(m) ** 2),
    ),
    _lag_mistake(
        "largest entry",
        "You take the largest entry of the matrix; the spectral norm is its largest singular value.",
        _lag_with(norm=lambda m: np.abs(m).max(axis=(-2, -1))),
    ),
    _lag_mistake(
        "row-sum norm",
        "You take the largest row sum (ord=inf); the spectral norm is ord=2.",
        _lag_with(norm=lambda m: np.abs(m).sum(axis=-1).max(axis=-1)),
    ),
    _lag_mistake(
        "column-sum norm",
        "You take the largest column sum (ord=1); the spectral norm is ord=2.",
        _lag_with(norm=lambda m: np.abs(m).sum(axis=-2).max(axis=-1)),
    ),
    _lag_mistake(
        "gradient of the sum of the units",
        "You take the norm of the gradient of the sum over all units of h_T; asked for is the "
        "spectral norm of the whole Jacobian.",
        _lag_with(norm=_sum_of_units),
    ),
    _lag_mistake(
        "norm of the mean Jacobian",
        "You average the Jacobians over the batch and take one norm; take a norm per example and "
        "average the norms.",
        _lag_with(norm=lambda m: _spectral(m.mean(axis=0))),
    ),
    _lag_mistake(
        "sum over the batch",
        "You add the examples' norms; average them.",
        _lag_with(summary=lambda norms: norms.sum()),
    ),
    _lag_mistake(
        "largest norm in the batch",
        "You take the largest norm in the batch; average them.",
        _lag_with(summary=lambda norms: norms.max()),
    ),
    _lag_mistake(
        "first example only",
        "Only the first example of the batch counts in your result; average over all.",
        _lag_with(summary=lambda norms: norms[0]),
    ),
    _lag_mistake(
        "not averaged over the batch",
        "You return one column per example, (T, B); average over the batch: (T,).",
        _lag_with(summary=lambda norms: norms),
    ),
    _lag_mistake(
        "lags in reverse order",
        "Entry 0 belongs to the first state; it must be lag 0, which is 1.",
        lambda hs, params: _by_lag(hs, params)[::-1].copy(),
    ),
    _lag_mistake(
        "lag 0 missing",
        "Your first entry is lag 1; entry 0 is lag 0, dh_T/dh_T, whose norm is 1.",
        lambda hs, params: _by_lag(hs, params)[1:],
    ),
    _lag_mistake(
        "lags one off",
        "Entry k is the norm at lag k + 1; entry 0 is lag 0, dh_T/dh_T, whose norm is 1.",
        lambda hs, params: np.append(_by_lag(hs, params)[1:], 0.0),
    ),
    *contract_mistakes(_by_lag, None, BY_LAG, "hs"),
)


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


_CLIP_MISTAKES = (
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


EXERCISES = (
    rnn_exercise(
        name="rnn_step",
        assignment="rnn",
        signature="rnn_step(x, h_prev, params) -> h",
        points=2,
        section=STEP,
        equation="h = tanh([h_prev, x] W_hᵀ + b_h)",
        hints=(
            "Join h_prev and x along the last axis, the hidden part first.",
            "W_h is (H, H + D), so the joined (B, H + D) meets its transpose.",
        ),
        returns=Array("h"),
        probes=(*term_stages(_step_inputs, "h"), *step_families(_step_inputs)),
        answer=_answer("h", "rnn_step"),
        mistakes=(*_STEP_MISTAKES, *contract_mistakes(_step, "read", STEP, "x", "h_prev")),
        parts=TERMS,
        part="read",
    ),
    rnn_exercise(
        name="rnn_forward",
        assignment="rnn",
        signature="rnn_forward(xs, h0, params) -> hs",
        points=3,
        section=THROUGH_TIME,
        equation="h_t = rnn_step(x_t, h_(t−1)), for t = 1 … T, from h_0",
        hints=(
            "One step per entry of xs; each starts from the state the last one returned.",
            "Collect the states in a list and stack them along a new first axis.",
        ),
        returns=Array("hs"),
        probes=sequence_families(_sequence_inputs),
        answer=_answer("hs", "rnn_forward"),
        mistakes=(
            *_FORWARD_MISTAKES,
            *contract_mistakes(_forward, "carry", THROUGH_TIME, "xs", "h0"),
        ),
        parts=FORWARD_PARTS,
        builds_on=("rnn_step",),
    ),
    rnn_exercise(
        name="rnn_backward",
        assignment="rnn",
        signature="rnn_backward(xs, h0, hs, dh_last, params) -> (dxs, dh0, grads)",
        reference="torch autograd through the reference, torch {torch}, float64 on the CPU",
        points=6,
        section=BACKWARD,
        equation="da_t = dh_t ∗ (1 − h_t²),   [dh_(t−1), dx_t] = da_t W_h",
        hints=(
            "Walk from the last step to the first. In each: dh to da through the slope of tanh, da "
            "to h_prev, x, W_h and b_h through the sum inside it.",
            "All steps share W_h and b_h: their gradients add up, over the batch and over time.",
        ),
        returns=Gradients(("dxs", "dh0"), KEYS),
        probes=_backward_probes(),
        answer=_answer_backward,
        mistakes=_BACKWARD_MISTAKES,
        tolerance=1e-12,
        why_tolerance="formulas in float64 differ by about 1e-15, finite differences by 1e-11 and more",
        parts=BACKWARD_PARTS,
        refuse=RECURRENT | AUTOGRAD,
    ),
    rnn_exercise(
        name="gradient_by_lag",
        assignment="rnn",
        signature="gradient_by_lag(hs, params) -> norms of shape (T,)",
        points=3,
        section=BY_LAG,
        equation="dh_T/dh_(T−k) = J_T J_(T−1) … J_(T−k+1),   J_t = diag(1 − h_t²) W_hh",
        hints=(
            "Keep one (H, H) product per example. It starts as the identity, lag 0; each step back "
            "multiplies one more Jacobian from the right.",
            "W_hh is the first H columns of W_h. The spectral norm is the largest singular value: "
            "np.linalg.norm(J, 2, axis=(-2, -1)).",
        ),
        returns=Array("norms"),
        probes=_LAG_PROBES,
        answer=_answer("norms", "gradient_by_lag"),
        mistakes=_LAG_MISTAKES,
        why_tolerance=(
            "products of sixty matrices in float64, taken in another order, differ by about 1e-13 "
            "of their size"
        ),
        parts=LAG_PARTS,
        refuse=RECURRENT | AUTOGRAD,
    ),
    rnn_exercise(
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
        probes=_CLIP_PROBES,
        answer=_answer_clip,
        mistakes=_CLIP_MISTAKES,
        why_tolerance="the order of a sum changes the norm by about 1e-15 of its size",
        parts=CLIP_PARTS,
    ),
)
