"""``update_gate``: how much of each unit is rewritten."""

from __future__ import annotations

from autograder.course.exercises.gru.inputs import gate_probes, step_inputs
from autograder.course.exercises.gru.right_cell import right_update
from autograder.course.exercises.gru.sections import TWO_CONVENTIONS, UPDATE_GATE
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.course.exercises.shared.drawing import TERMS, small_steps
from autograder.course.exercises.shared.wrong import contract_mistakes
from autograder.course.exercises.shared.wrong_sums import gate_mistakes
from autograder.player.contract import Array

MISTAKES = gate_mistakes(
    "z",
    UPDATE_GATE,
    others=(("the reset gate's", "r"), ("the candidate's", "h")),
    complement=TWO_CONVENTIONS,
)
"""In z itself; ``gru_step`` has them too."""

EXERCISE = gru_exercise(
    name="update_gate",
    assignment="gru",
    signature="update_gate(x, h_prev, params) -> z",
    points=2,
    section=UPDATE_GATE,
    equation="z = σ([h_prev, x] W_zᵀ + b_z)",
    hints=(
        "Join h_prev and x along the last axis, the hidden part first.",
        "W_z is (H, H + D), so the joined (B, H + D) meets its transpose.",
    ),
    returns=Array("z"),
    probes=gate_probes("z"),
    answer=by_reference("update_gate", "z"),
    in_numpy=right_update,
    small=small_steps(step_inputs),
    mistakes=(
        *MISTAKES,
        *contract_mistakes(right_update, "z", UPDATE_GATE, "x", "h_prev"),
    ),
    parts=TERMS,
    part="z",
)
