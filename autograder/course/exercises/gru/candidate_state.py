"""``candidate_state``: what could be written into the state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking.record import Inputs, Mistake, Probe
from autograder.course.exercises.gru.inputs import gate_probes, general_inputs, step_inputs
from autograder.course.exercises.gru.right_cell import right_candidate
from autograder.course.exercises.gru.sections import CANDIDATE, TWO_RESETS
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.course.exercises.shared.drawing import TERMS, small_steps
from autograder.course.exercises.shared.wrong import affine, contract_mistakes, join, sigmoid, split
from autograder.player.contract import Array


def _with_r(draw: Callable) -> Callable:
    def with_r(rng):
        drawn = draw(rng)
        r = rng.uniform(0.1, 0.9, drawn["h_prev"].shape)
        return {"x": drawn["x"], "h_prev": drawn["h_prev"], "r": r, "params": drawn["params"]}

    return with_r


def _small_inputs(rng, B: int, D: int, H: int) -> Inputs:
    drawn = step_inputs(rng, B, D, H)
    return {
        "x": drawn["x"],
        "h_prev": drawn["h_prev"],
        "r": drawn["h_prev"],
        "params": drawn["params"],
    }


def _candidate_probes() -> tuple[Probe, ...]:
    probes = tuple(Probe(p.name, _with_r(p.draw), p.part) for p in gate_probes("h"))

    def open_reset(rng):
        drawn = _with_r(general_inputs)(rng)
        drawn["r"] = np.ones_like(drawn["r"])
        return drawn

    def closed_reset(rng):
        drawn = _with_r(general_inputs)(rng)
        drawn["r"] = np.zeros_like(drawn["r"])
        return drawn

    return (*probes, Probe("r = 1", open_reset), Probe("r = 0", closed_reset))


def reset_after(x, h_prev, r, params):
    """PyTorch's place for r, with the course's one bias."""
    W_hn, W_in = split(params, "h", h_prev)
    return np.tanh(x @ W_in.T + r * (h_prev @ W_hn.T) + params["b_h"])


def _reset_after_with_bias(x, h_prev, r, params):
    W_hn, W_in = split(params, "h", h_prev)
    return np.tanh(x @ W_in.T + r * (h_prev @ W_hn.T + params["b_h"]))


def _reset_on_input(x, h_prev, r, params):
    W_hn, W_in = split(params, "h", h_prev)
    return np.tanh(h_prev @ W_hn.T + r * (x @ W_in.T) + params["b_h"])


def _no_candidate_bias(x, h_prev, r, params):
    return np.tanh(join(r * h_prev, x) @ params["W_h"].T)


def _candidate_reshaped(x, h_prev, r, params):
    W_reshaped = params["W_h"].reshape(params["W_h"].shape[::-1])
    return np.tanh(join(r * h_prev, x) @ W_reshaped + params["b_h"])


def _candidate_mistake(name, says, wrong, where=CANDIDATE, part="candidate"):
    return Mistake(name, says, wrong, where, part)


MISTAKES = (
    _candidate_mistake(
        "reset after the matrix product",
        "You multiply r into W_h h_prev, as PyTorch does; here r multiplies h_prev first. "
        "These are two different models.",
        reset_after,
        TWO_RESETS,
        "r",
    ),
    _candidate_mistake(
        "reset after the matrix product, bias included",
        "You multiply r into W_h h_prev + b_h; here r multiplies h_prev before the product, "
        "and the bias stays outside.",
        _reset_after_with_bias,
        TWO_RESETS,
        "r",
    ),
    _candidate_mistake(
        "bias subtracted",
        "The bias b_h is subtracted; the equation adds it.",
        lambda x, h_prev, r, params: np.tanh(join(r * h_prev, x) @ params["W_h"].T - params["b_h"]),
    ),
    *(
        _candidate_mistake(
            f"{whose} bias",
            f"You add b_{key}; the candidate has a bias of its own, b_h. The weights are right.",
            lambda x, h_prev, r, params, key=key: np.tanh(
                join(r * h_prev, x) @ params["W_h"].T + params[f"b_{key}"]
            ),
        )
        for whose, key in (("the update gate's", "z"), ("the reset gate's", "r"))
    ),
    _candidate_mistake(
        "reset gate not applied",
        "r has no influence: the candidate sees the whole previous state.",
        lambda x, h_prev, r, params: np.tanh(affine(h_prev, x, params, "h")),
        part="r",
    ),
    _candidate_mistake(
        "reset gate applied to the input",
        "r multiplies the input's share; it decides about the previous state: r * h_prev.",
        _reset_on_input,
        part="r",
    ),
    _candidate_mistake(
        "reset gate applied to state and input",
        "r scales the whole weighted sum, input included; it multiplies only h_prev.",
        lambda x, h_prev, r, params: np.tanh(
            r * (join(h_prev, x) @ params["W_h"].T) + params["b_h"]
        ),
        part="r",
    ),
    _candidate_mistake(
        "reset gate applied after tanh",
        "r multiplies the finished candidate; it multiplies h_prev, inside tanh.",
        lambda x, h_prev, r, params: r * np.tanh(affine(h_prev, x, params, "h")),
        part="r",
    ),
    _candidate_mistake(
        "1 - r for r",
        "You multiply h_prev by 1 - r; r near 1 lets the state through.",
        lambda x, h_prev, r, params: right_candidate(x, h_prev, 1 - r, params),
        part="r",
    ),
    _candidate_mistake(
        "reset gate added",
        "You add r to h_prev; a gate multiplies, element by element.",
        lambda x, h_prev, r, params: np.tanh(affine(r + h_prev, x, params, "h")),
        part="r",
    ),
    _candidate_mistake(
        "matrix product for the elementwise product",
        "`r @ h_prev` is a matrix product; the reset gate multiplies element by element: `*`.",
        lambda x, h_prev, r, params: np.tanh(affine(r @ h_prev, x, params, "h")),
        part="r",
    ),
    _candidate_mistake(
        "input and state in the wrong order",
        "You join [x, r * h_prev]; the columns of W_h expect the hidden part first.",
        lambda x, h_prev, r, params: np.tanh(join(x, r * h_prev) @ params["W_h"].T + params["b_h"]),
    ),
    _candidate_mistake(
        "bias missing", "The bias b_h is not added before tanh.", _no_candidate_bias
    ),
    _candidate_mistake(
        "bias outside tanh",
        "The bias b_h is added after tanh; it belongs inside.",
        lambda x, h_prev, r, params: _no_candidate_bias(x, h_prev, r, params) + params["b_h"],
    ),
    _candidate_mistake(
        "sigmoid for tanh",
        "You squash with the sigmoid; the candidate lies in (-1, 1) and needs tanh.",
        lambda x, h_prev, r, params: sigmoid(affine(r * h_prev, x, params, "h")),
    ),
    _candidate_mistake(
        "no tanh",
        "You return the weighted sum itself; the tanh around it is missing.",
        lambda x, h_prev, r, params: affine(r * h_prev, x, params, "h"),
    ),
    _candidate_mistake(
        "the reset gate's weights",
        "You use W_r and b_r; the candidate has its own, W_h and b_h.",
        lambda x, h_prev, r, params: np.tanh(affine(r * h_prev, x, params, "r")),
    ),
    _candidate_mistake(
        "the update gate's weights",
        "You use W_z and b_z; the candidate has its own, W_h and b_h.",
        lambda x, h_prev, r, params: np.tanh(affine(r * h_prev, x, params, "z")),
    ),
    _candidate_mistake(
        "reshape for transpose",
        "W_h is reshaped to (H + D, H); that scrambles its entries. Transpose it: W_h.T.",
        _candidate_reshaped,
    ),
    _candidate_mistake(
        "x ignored",
        "The input has no influence on your candidate.",
        lambda x, h_prev, r, params: np.tanh(
            (r * h_prev) @ split(params, "h", h_prev)[0].T + params["b_h"]
        ),
    ),
)
"""In the candidate itself; ``gru_step`` has them too."""

EXERCISE = gru_exercise(
    name="candidate_state",
    assignment="gru",
    signature="candidate_state(x, h_prev, r, params) -> h_cand",
    points=3,
    section=CANDIDATE,
    equation="h̃ = tanh([r ∗ h_prev, x] W_hᵀ + b_h)",
    hints=(
        "r multiplies h_prev element by element, before anything else happens.",
        "Then the same three moves as in a gate: join, multiply by W_hᵀ, add b_h.",
    ),
    returns=Array("h_cand"),
    probes=_candidate_probes(),
    answer=by_reference("candidate_state", "h_cand"),
    in_numpy=right_candidate,
    small=small_steps(_small_inputs),
    mistakes=(
        *MISTAKES,
        *contract_mistakes(right_candidate, "candidate", CANDIDATE, "h_prev", "r"),
    ),
    parts=TERMS,
    part="candidate",
)
