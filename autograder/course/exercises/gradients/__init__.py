"""The assignment ``gradients``: backpropagation through a GRU, one step and a whole sequence.

A step backward is a short table of formulas, each depending on those above it. A wrong
implementation is the same table with a formula or two changed, so every mistake reads as the
line a student would have written. Mistakes of the step appear again in the sequence (``lift``).
"""

from __future__ import annotations

from autograder.course.exercises.gradients import (
    gru_backward,
    gru_step_backward,
)

EXERCISES = (
    gru_step_backward.EXERCISE,
    gru_backward.EXERCISE,
)
