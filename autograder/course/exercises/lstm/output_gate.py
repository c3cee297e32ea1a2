"""``output_gate``: how much of the cell is shown."""

from __future__ import annotations

from autograder.course.exercises.lstm.confusions import THE_CANDIDATES, others
from autograder.course.exercises.lstm.inputs import gate_inputs, gate_probes
from autograder.course.exercises.lstm.right_cell import right_gate
from autograder.course.exercises.lstm.sections import OUTPUT
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import lstm_exercise
from autograder.course.exercises.shared.drawing import TERMS, small_steps
from autograder.course.exercises.shared.wrong import contract_mistakes
from autograder.course.exercises.shared.wrong_sums import gate_mistakes
from autograder.player.contract import Array

MISTAKES = gate_mistakes("o", OUTPUT, others("o", THE_CANDIDATES))
"""In o itself; ``lstm_step`` has them too."""

EXERCISE = lstm_exercise(
    name="output_gate",
    assignment="lstm",
    signature="output_gate(x, h_prev, params) -> o",
    points=2,
    section=OUTPUT,
    equation="o = σ([h_prev, x] W_oᵀ + b_o)",
    hints=(
        "The output gate is built like the forget gate, from weights of its own.",
        "It reads h_prev and x, as the other gates do; the cell plays no part in it.",
    ),
    returns=Array("o"),
    probes=gate_probes("o"),
    answer=by_reference("output_gate", "o"),
    in_numpy=right_gate("o"),
    small=small_steps(gate_inputs),
    mistakes=(
        *MISTAKES,
        *contract_mistakes(right_gate("o"), "o", OUTPUT, "x", "h_prev"),
    ),
    parts=TERMS,
    part="o",
    builds_on=("sigmoid",),
)
