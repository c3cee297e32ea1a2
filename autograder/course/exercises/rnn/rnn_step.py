"""``rnn_step``: one step of the net."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autograder.checking.record import Inputs, Mistake
from autograder.course.exercises.rnn.right_cell import right_step
from autograder.course.exercises.rnn.sections import STEP
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import rnn_exercise
from autograder.course.exercises.shared.drawing import (
    TERMS,
    gated_params,
    small_steps,
    state,
    step_families,
    term_probes,
)
from autograder.course.exercises.shared.wrong import affine, contract_mistakes
from autograder.course.exercises.shared.wrong_sums import tanh_mistakes
from autograder.player.contract import Array


def _step_inputs(rng, B: int, D: int, H: int) -> Inputs:
    return {
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        "params": gated_params(rng, "h", D, H),
    }


def _step_mistake(name, says, wrong):
    return Mistake(name, says, wrong, STEP, part="read")


_OF_THE_OLD_STATE = ("h_prev ignored", "recurrent block not transposed")

MISTAKES = (
    *(
        replace(mistake, part="recall") if mistake.name in _OF_THE_OLD_STATE else mistake
        for mistake in tanh_mistakes("h", STEP, "the new state", part="read")
    ),
    _step_mistake(
        "old state added",
        "You add tanh(…) to h_prev; a vanilla RNN replaces the whole state.",
        lambda x, h_prev, params: h_prev + right_step(x, h_prev, params),
    ),
    _step_mistake(
        "old state and candidate averaged",
        "You return the mean of h_prev and tanh(…); a vanilla RNN has no gate and replaces the "
        "whole state.",
        lambda x, h_prev, params: 0.5 * (h_prev + right_step(x, h_prev, params)),
    ),
    _step_mistake(
        "bias added twice",
        "The bias b_h is counted twice; this RNN has one bias (PyTorch's has two).",
        lambda x, h_prev, params: np.tanh(affine(h_prev, x, params, "h") + params["b_h"]),
    ),
)
"""In the state that the step gives; ``rnn_forward`` has them too."""

EXERCISE = rnn_exercise(
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
    probes=(*term_probes(_step_inputs, "h"), *step_families(_step_inputs)),
    answer=by_reference("rnn_step", "h"),
    in_numpy=right_step,
    small=small_steps(_step_inputs),
    mistakes=(*MISTAKES, *contract_mistakes(right_step, "read", STEP, "x", "h_prev")),
    parts=TERMS,
    part="read",
)
