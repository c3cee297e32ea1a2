"""The inputs of one step of a GRU, and its parts."""

from __future__ import annotations

from autograder.checking.record import Inputs, Probe
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.drawing import (
    gated_params,
    general_step,
    state,
    step_families,
    term_probes,
)

PARTS = (
    ("state", "blending old state and candidate"),
    ("z", "update gate z"),
    ("candidate", "candidate"),
    ("r", "reset gate r inside the candidate"),
)
"""The parts of a step that probes isolate, in the order in which to look."""


def step_inputs(rng, B: int, D: int, H: int) -> Inputs:
    """Inputs of one step, x (B, D) and h_prev (B, H), and the parameters of all three gates."""
    return {
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        "params": gated_params(rng, "zrh", D, H),
    }


def gate_probes(gate: str) -> tuple[Probe, ...]:
    """Each of the gate's three terms alone, then all together."""
    return (*term_probes(step_inputs, gate), *step_families(step_inputs))


general_inputs = general_step(step_inputs)
"""Inputs of one step with three different sizes."""

KEYS = ("W_z", "b_z", "W_r", "b_r", "W_h", "b_h")
"""The names of a GRU's parameters."""
