"""``candidate_cell``: what could be written into the cell."""

from __future__ import annotations

from autograder.course.exercises.lstm.confusions import others
from autograder.course.exercises.lstm.inputs import gate_inputs, gate_probes
from autograder.course.exercises.lstm.right_cell import right_candidate
from autograder.course.exercises.lstm.sections import CANDIDATE
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import lstm_exercise
from autograder.course.exercises.shared.drawing import TERMS, small_steps
from autograder.course.exercises.shared.wrong import contract_mistakes
from autograder.course.exercises.shared.wrong_sums import tanh_mistakes
from autograder.player.contract import Array

MISTAKES = tanh_mistakes("c", CANDIDATE, "the candidate", "candidate", others(""))
"""In the candidate itself; ``lstm_step`` has them too."""

EXERCISE = lstm_exercise(
    name="candidate_cell",
    assignment="lstm",
    signature="candidate_cell(x, h_prev, params) -> candidate",
    points=2,
    section=CANDIDATE,
    equation="c̃ = tanh([h_prev, x] W_cᵀ + b_c)",
    hints=(
        "The same weighted sum as in a gate, with W_c and b_c.",
        "It is no gate: what is written may be negative, so tanh takes the sigmoid's place.",
    ),
    returns=Array("candidate"),
    probes=gate_probes("c"),
    answer=by_reference("candidate_cell", "candidate"),
    in_numpy=right_candidate,
    small=small_steps(gate_inputs),
    mistakes=(
        *MISTAKES,
        *contract_mistakes(right_candidate, "candidate", CANDIDATE, "x", "h_prev"),
    ),
    parts=TERMS,
    part="candidate",
)
