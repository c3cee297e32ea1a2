"""The inputs of an LSTM's gates, and probes that several exercises have."""

from __future__ import annotations

from autograder.checking.record import Inputs, Probe
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.drawing import (
    gated_params,
    state,
    step_families,
    term_probes,
)

GATES = "fico"
"""Forget, input, candidate, output: the letters of the parameters."""


def gate_inputs(rng, B: int, D: int, H: int) -> Inputs:
    """Inputs of one gate, x (B, D) and h_prev (B, H), and the parameters of all four."""
    return {
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        "params": gated_params(rng, GATES, D, H),
    }


def gate_probes(gate: str) -> tuple[Probe, ...]:
    """Each of the gate's three terms alone, then all together."""
    return (*term_probes(gate_inputs, gate), *step_families(gate_inputs))
