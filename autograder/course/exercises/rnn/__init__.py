"""The assignment ``rnn``: a vanilla RNN forward and backward, and what becomes of its gradients.

The wrong implementations are NumPy, short, and wrong in one way each. The backward pass is a
table of formulas for one step; a mistake is the same table with a line or two changed.
"""

from __future__ import annotations

from autograder.course.exercises.rnn import (
    clip_gradients,
    gradient_by_lag,
    rnn_backward,
    rnn_forward,
    rnn_step,
)

EXERCISES = (
    rnn_step.EXERCISE,
    rnn_forward.EXERCISE,
    rnn_backward.EXERCISE,
    gradient_by_lag.EXERCISE,
    clip_gradients.EXERCISE,
)
