"""``rnn_forward``: the step walked through time."""

from __future__ import annotations

from autograder.course.exercises.rnn import rnn_step
from autograder.course.exercises.rnn.inputs import sequence_inputs
from autograder.course.exercises.rnn.right_cell import right_forward, right_step
from autograder.course.exercises.rnn.sections import THROUGH_TIME
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import rnn_exercise
from autograder.course.exercises.shared.drawing import (
    FORWARD_PARTS,
    sequence_families,
    small_sequences,
)
from autograder.course.exercises.shared.wrong import by_name, contract_mistakes, lift
from autograder.course.exercises.shared.wrong_walks import time_mistakes
from autograder.player.contract import Array

_MISTAKES = (
    *time_mistakes(right_step, THROUGH_TIME),
    *lift(
        rnn_step.MISTAKES,
        "in the step",
        lambda wrong, **i: right_forward(**i, step=by_name(wrong)),
        inside="rnn_step",
        by_call={
            "input and state in the wrong order": (
                "x and h exchanged in the call of rnn_step",
                "Your rnn_step is right; the walk hands it the state first and the input second.",
            ),
            "h_prev ignored": (
                "the step gets no state",
                "Your rnn_step is right; every step gets zeros in place of the state before it.",
            ),
            "x ignored": (
                "the step gets no input",
                "Your rnn_step is right; every step gets zeros in place of its input.",
            ),
        },
    ),
)

EXERCISE = rnn_exercise(
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
    probes=sequence_families(sequence_inputs),
    answer=by_reference("rnn_forward", "hs"),
    in_numpy=right_forward,
    small=small_sequences(sequence_inputs),
    mistakes=(
        *_MISTAKES,
        *contract_mistakes(right_forward, "carry", THROUGH_TIME, "xs", "h0"),
    ),
    parts=FORWARD_PARTS,
    builds_on=("rnn_step",),
)
