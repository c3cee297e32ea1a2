"""The assignment ``lstm``: a safe sigmoid, three gates, a cell, and its walk through time.

A wrong step is the table of the cell's formulas with a line or two changed. Mistakes made in a
gate appear again in every function that uses the gate (``lift``), so that a student who checks
only ``lstm_step`` still hears which gate is wrong.
"""

from __future__ import annotations

from autograder.course.exercises.lstm import (
    candidate_cell,
    count_lstm_parameters,
    forget_gate,
    input_gate,
    lstm_forward,
    lstm_step,
    output_gate,
    sigmoid,
)

EXERCISES = (
    sigmoid.EXERCISE,
    forget_gate.EXERCISE,
    input_gate.EXERCISE,
    output_gate.EXERCISE,
    candidate_cell.EXERCISE,
    lstm_step.EXERCISE,
    lstm_forward.EXERCISE,
    count_lstm_parameters.EXERCISE,
)
