"""The inputs of an LSTM's gates, and probes that several exercises have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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


def wide(families: tuple[Probe, ...], draw: Callable) -> tuple[Probe, ...]:
    """The same families, the one with large inputs at fixed sizes.

    An overflow is recognized by the entries it hits; in a small array two gates' overflows
    could hit the same.
    """

    def large(rng):
        drawn = draw(rng)
        x = drawn["xs"] if "xs" in drawn else drawn["x"][None]
        x *= 10_000.0
        x[:, 1] = -x[:, 0]
        return drawn

    return tuple(
        replace(probe, draw=large) if probe.name.startswith("input ten thousand") else probe
        for probe in families
    )
