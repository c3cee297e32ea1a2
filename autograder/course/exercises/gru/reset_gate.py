"""``reset_gate``: how much of the old state the candidate sees."""

from __future__ import annotations

from autograder.course.exercises.gru.inputs import gate_probes, step_inputs
from autograder.course.exercises.gru.right_cell import right_reset
from autograder.course.exercises.gru.sections import RESET_GATE
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.course.exercises.shared.drawing import TERMS, small_steps
from autograder.course.exercises.shared.wrong import contract_mistakes
from autograder.course.exercises.shared.wrong_sums import gate_mistakes
from autograder.player.contract import Array

MISTAKES = gate_mistakes(
    "r", RESET_GATE, others=(("the update gate's", "z"), ("the candidate's", "h"))
)
"""In r itself; ``gru_step`` has them too."""

EXERCISE = gru_exercise(
    name="reset_gate",
    assignment="gru",
    signature="reset_gate(x, h_prev, params) -> r",
    points=2,
    section=RESET_GATE,
    equation="r = σ([h_prev, x] W_rᵀ + b_r)",
    hints=(
        "The reset gate is built like the update gate, from weights of its own.",
        "W_r is (H, H + D), so the joined (B, H + D) meets its transpose.",
    ),
    returns=Array("r"),
    probes=gate_probes("r"),
    answer=by_reference("reset_gate", "r"),
    in_numpy=right_reset,
    small=small_steps(step_inputs),
    mistakes=(
        *MISTAKES,
        *contract_mistakes(right_reset, "r", RESET_GATE, "x", "h_prev"),
    ),
    parts=TERMS,
    part="r",
)
