"""The assignment ``gru``: nine records, their probes and their catalogues of mistakes.

The wrong implementations are NumPy, short, and wrong in one way each. Mistakes made in a gate
appear again in every function that uses the gate (``lift``), so that a student who checks only
``gru_step`` still hears which gate is wrong.
"""

from __future__ import annotations

from autograder.course.exercises.gru import (
    candidate_state,
    count_gru_parameters,
    flip_update_gate,
    gru_forward,
    gru_layer,
    gru_step,
    gru_step_torch,
    reset_gate,
    update_gate,
)

EXERCISES = (
    update_gate.EXERCISE,
    reset_gate.EXERCISE,
    candidate_state.EXERCISE,
    gru_step.EXERCISE,
    gru_forward.EXERCISE,
    flip_update_gate.EXERCISE,
    gru_step_torch.EXERCISE,
    gru_layer.EXERCISE,
    count_gru_parameters.EXERCISE,
)
