"""``flip_update_gate``: parameters for the other convention for z."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autograder.checking.record import Mistake, Outputs, Probe
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.gru.sections import TWO_CONVENTIONS
from autograder.course.exercises.shared.answers import tensors
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.course.exercises.shared.drawing import biases, different_sizes, gated_params
from autograder.player.contract import Params


def _answer_flip(inputs: Mapping) -> Outputs:
    from autograder.course import reference

    flipped = reference.flip_update_gate(tensors(inputs)["params"])
    return {key: value.numpy() for key, value in flipped.items() if key in KEYS}


def _negated(*keys: str) -> Callable:
    return lambda params: {
        key: -value if key in keys else value.copy() for key, value in params.items()
    }


def _one_minus(params):
    return {**params, "W_z": 1 - params["W_z"], "b_z": 1 - params["b_z"]}


def _swapped_entries(params):
    return {**params, "W_z": params["W_r"], "b_z": params["b_r"]}


def _flip_in_place(params):
    params["W_z"] *= -1
    params["b_z"] *= -1
    return params


def _only_flipped(params):
    return {"W_z": -params["W_z"], "b_z": -params["b_z"]}


def _flip_hidden_only(params):
    W = params["W_z"].copy()
    W[:, : W.shape[0]] *= -1
    return {**params, "W_z": W, "b_z": -params["b_z"]}


def _inverse_bias(params):
    return {**params, "W_z": -params["W_z"], "b_z": 1 - params["b_z"]}


def _flip_mistake(name, says, wrong):
    return Mistake(name, says, wrong, TWO_CONVENTIONS, part="z")


_MISTAKES = (
    _flip_mistake(
        "bias not flipped",
        "W_z changes its sign but b_z does not; 1 - sigmoid(a) = sigmoid(-a) needs all of a.",
        _negated("W_z"),
    ),
    _flip_mistake(
        "weights not flipped",
        "b_z changes its sign but W_z does not; 1 - sigmoid(a) = sigmoid(-a) needs all of a.",
        _negated("b_z"),
    ),
    _flip_mistake("nothing flipped", "The parameters come back unchanged.", _negated()),
    _flip_mistake(
        "1 - W for -W",
        "You return 1 - W_z and 1 - b_z; it is the gate that becomes 1 - z, the weights change sign.",
        _one_minus,
    ),
    _flip_mistake(
        "1 - b for -b",
        "You return 1 - b_z; like W_z, the bias only changes its sign.",
        _inverse_bias,
    ),
    _flip_mistake(
        "reset gate flipped",
        "You change the sign of W_r and b_r; the update gate is W_z and b_z.",
        _negated("W_r", "b_r"),
    ),
    _flip_mistake(
        "both gates flipped",
        "The reset gate changes sign too; only the update gate differs between the conventions.",
        _negated("W_z", "b_z", "W_r", "b_r"),
    ),
    _flip_mistake(
        "candidate flipped too",
        "W_h and b_h change sign too; only the update gate differs between the conventions.",
        _negated("W_z", "b_z", "W_h", "b_h"),
    ),
    _flip_mistake(
        "all parameters flipped",
        "Everything changes sign; only the update gate differs between the conventions.",
        _negated(*KEYS),
    ),
    _flip_mistake(
        "update gate replaced by the reset gate",
        "W_z and b_z are filled with W_r and b_r; flip their sign instead.",
        _swapped_entries,
    ),
    _flip_mistake(
        "only the recurrent part flipped",
        "Only the columns of W_z that meet h_prev change sign; those that meet x must too.",
        _flip_hidden_only,
    ),
    _flip_mistake(
        "only the flipped entries returned",
        "The returned dict holds W_z and b_z alone; the other parameters belong in it too.",
        _only_flipped,
    ),
    _flip_mistake(
        "params modified in place",
        "The result is right, but the given dict was changed too; return a new one.",
        _flip_in_place,
    ),
)

EXERCISE = gru_exercise(
    name="flip_update_gate",
    assignment="gru",
    signature="flip_update_gate(params) -> params",
    points=2,
    section=TWO_CONVENTIONS,
    equation="1 − σ(a) = σ(−a), with a = [h_prev, x] W_zᵀ + b_z",
    hints=(
        "Which parameters make up a? All of them change sign, no others do.",
        "Start from a new dict, for instance dict(params), and replace entries in it.",
    ),
    returns=Params(KEYS),
    probes=(
        Probe("H ≠ D", lambda rng: {"params": gated_params(rng, "zrh", *different_sizes(rng, 2))}),
        Probe(
            "H = D",
            lambda rng: {"params": gated_params(rng, "zrh", *different_sizes(rng, 1, 3, 5) * 2)},
        ),
        Probe(
            "an extra entry",
            lambda rng: {
                "params": gated_params(rng, "zrh", *different_sizes(rng, 2))
                | {"b_hn": biases(rng, 3)}
            },
        ),
    ),
    answer=_answer_flip,
    in_numpy=_negated("W_z", "b_z"),
    mistakes=_MISTAKES,
    tolerance=1e-15,
    why_tolerance="a change of sign is exact",
)
