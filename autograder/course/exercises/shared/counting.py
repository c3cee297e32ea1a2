"""Inputs of the exercises that count parameters."""

from __future__ import annotations

from collections.abc import Callable

from autograder.checking.record import Probe


def _sizes_probe(name: str, draw: Callable) -> Probe:
    def sizes(rng):
        input_size, hidden_size = draw(rng)
        return {"input_size": int(input_size), "hidden_size": int(hidden_size)}

    return Probe(name, sizes)


COUNT_PROBES = (
    _sizes_probe("D < H", lambda rng: (rng.integers(2, 9), rng.integers(10, 40))),
    _sizes_probe("D > H", lambda rng: (rng.integers(40, 90), rng.integers(2, 30))),
    _sizes_probe("large", lambda rng: (rng.integers(300, 900), rng.integers(1000, 2000))),
    _sizes_probe("D = 1", lambda rng: (1, rng.integers(4, 20))),
    _sizes_probe("H = 1", lambda rng: (rng.integers(4, 20), 1)),
)
"""``input_size`` and ``hidden_size`` of any order and size, as ints."""
