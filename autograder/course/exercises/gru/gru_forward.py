"""``gru_forward``: the step walked through time."""

from __future__ import annotations

from autograder.checking.record import Inputs, Mistake
from autograder.course.exercises.gru import gru_step
from autograder.course.exercises.gru.right_cell import right_forward, right_step
from autograder.course.exercises.gru.sections import THROUGH_TIME
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.course.exercises.shared.drawing import (
    FORWARD_PARTS,
    gated_params,
    sequence_families,
    small_sequences,
    state,
)
from autograder.course.exercises.shared.wrong import by_name, contract_mistakes, lift
from autograder.course.exercises.shared.wrong_walks import time_mistakes
from autograder.player.contract import Array


def _sequence_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    return {
        "xs": drawing.inputs(rng, T, B, D),
        "h0": state(rng, B, H),
        "params": gated_params(rng, "zrh", D, H),
    }


_MISTAKES = (
    *time_mistakes(right_step, THROUGH_TIME),
    Mistake(
        "x and h exchanged in the call of the step",
        "The walk hands the step the state first and the input second; x comes first.",
        lambda xs, h0, params: right_forward(xs, h0, params, lambda x, h, p: right_step(h, x, p)),
        THROUGH_TIME,
        "carry",
    ),
    *lift(
        gru_step.MISTAKES,
        "in the step",
        lambda wrong, **i: right_forward(**i, step=by_name(wrong)),
        inside="gru_step",
    ),
)

EXERCISE = gru_exercise(
    name="gru_forward",
    assignment="gru",
    signature="gru_forward(xs, h0, params) -> hs",
    points=3,
    section=THROUGH_TIME,
    equation="h_t = gru_step(x_t, h_(t−1)), for t = 1 … T, from h_0",
    hints=(
        "One step per entry of xs; each starts from the state the last one returned.",
        "Collect the states in a list and stack them along a new first axis.",
    ),
    returns=Array("hs"),
    probes=sequence_families(_sequence_inputs),
    answer=by_reference("gru_forward", "hs"),
    in_numpy=right_forward,
    small=small_sequences(_sequence_inputs),
    mistakes=(
        *_MISTAKES,
        *contract_mistakes(right_forward, "carry", THROUGH_TIME, "xs", "h0"),
    ),
    parts=FORWARD_PARTS,
    builds_on=("gru_step", "update_gate", "reset_gate", "candidate_state"),
)
