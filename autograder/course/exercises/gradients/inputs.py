"""Inputs that both exercises are tried on."""

from __future__ import annotations

from collections.abc import Callable

from autograder.checking.record import Inputs, Probe


def cut_state_from_candidate(drawn: Inputs, H: int) -> None:
    """Zero the columns of W_h that meet r * h_prev: the reset gate then has no influence."""
    drawn["params"]["W_h"][:, :H] = 0.0


def large_probe(name: str, general: Callable, *index: object) -> Probe:
    """Most gates saturated. Ten thousand times, as in the forward passes, would do more: a gate
    half open at a sum of 1e4 has an error of 1e-12 before anybody has made a mistake."""

    def large(rng):
        drawn = general(rng)
        drawn[name] *= 30.0
        drawn[name][(*index, 1)] = -drawn[name][(*index, 0)]  # sums of both signs, in every unit
        return drawn

    return Probe("input thirty times as large", large)
