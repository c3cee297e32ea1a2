"""``input_gate``: how much comes into the cell."""

from __future__ import annotations

from autograder.course.exercises.lstm.confusions import THE_CANDIDATES, others
from autograder.course.exercises.lstm.inputs import gate_inputs, gate_probes
from autograder.course.exercises.lstm.right_cell import right_gate
from autograder.course.exercises.lstm.sections import INPUT
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import lstm_exercise
from autograder.course.exercises.shared.drawing import TERMS, small_steps
from autograder.course.exercises.shared.wrong import contract_mistakes
from autograder.course.exercises.shared.wrong_sums import gate_mistakes
from autograder.player.contract import Array

MISTAKES = gate_mistakes("i", INPUT, others("i", THE_CANDIDATES))
"""In i itself; ``lstm_step`` has them too."""

EXERCISE = lstm_exercise(
    name="input_gate",
    assignment="lstm",
    signature="input_gate(x, h_prev, params) -> i",
    points=2,
    section=INPUT,
    equation="i = σ([h_prev, x] W_iᵀ + b_i)",
    hints=(
        "The input gate is built like the forget gate, from weights of its own.",
        "W_i is (H, H + D), so the joined (B, H + D) meets its transpose.",
    ),
    returns=Array("i"),
    probes=gate_probes("i"),
    answer=by_reference("input_gate", "i"),
    in_numpy=right_gate("i"),
    small=small_steps(gate_inputs),
    mistakes=(
        *MISTAKES,
        *contract_mistakes(right_gate("i"), "i", INPUT, "x", "h_prev"),
    ),
    parts=TERMS,
    part="i",
    builds_on=("sigmoid",),
)
