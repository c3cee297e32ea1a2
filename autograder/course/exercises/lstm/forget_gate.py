"""``forget_gate``: what stays in the cell."""

from __future__ import annotations

from autograder.checking.record import Mistake
from autograder.course.exercises.lstm.confusions import THE_CANDIDATES, others
from autograder.course.exercises.lstm.inputs import gate_inputs, gate_probes
from autograder.course.exercises.lstm.right_cell import right_gate
from autograder.course.exercises.lstm.sections import FORGET
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import lstm_exercise
from autograder.course.exercises.shared.drawing import TERMS, small_steps
from autograder.course.exercises.shared.wrong import affine, contract_mistakes, sigmoid
from autograder.course.exercises.shared.wrong_sums import gate_mistakes
from autograder.player.contract import Array

MISTAKES = (
    *gate_mistakes("f", FORGET, others("f", THE_CANDIDATES)),
    Mistake(
        "1 added to the bias",
        "You add 1 inside the sigmoid. Starting the forget bias at 1 is done once, in b_f, when "
        "the weights are made; the gate only reads b_f.",
        lambda x, h_prev, params: sigmoid(affine(h_prev, x, params, "f") + 1),
        FORGET,
        "f",
    ),
)
"""In f itself; ``lstm_step`` has them too."""

EXERCISE = lstm_exercise(
    name="forget_gate",
    assignment="lstm",
    signature="forget_gate(x, h_prev, params) -> f",
    points=2,
    section=FORGET,
    equation="f = σ([h_prev, x] W_fᵀ + b_f)",
    hints=(
        "Join h_prev and x along the last axis, the hidden part first.",
        "W_f is (H, H + D), so the joined (B, H + D) meets its transpose.",
    ),
    returns=Array("f"),
    probes=gate_probes("f"),
    answer=by_reference("forget_gate", "f"),
    in_numpy=right_gate("f"),
    small=small_steps(gate_inputs),
    mistakes=(
        *MISTAKES,
        *contract_mistakes(right_gate("f"), "f", FORGET, "x", "h_prev"),
    ),
    parts=TERMS,
    part="f",
    builds_on=("sigmoid",),
)
