"""Drawing inputs in which no mistake can hide.

States and biases are never zero unless a probe says so, weights are large enough for the
gates to move, and sizes differ from one another, so that no axis can pass for another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from autograder.checking.record import Inputs, Probe

Rng = np.random.Generator

SATURATED = 40.0
"""A pre-activation at which float64 sigmoid and tanh are exactly 1."""

WIDE = (7, 5, 8)
"""B, D and H where inputs are so large that a function may overflow. Which gate did is recognized
by the entries it hits: in a smaller array, two gates could hit the same ones."""

TERMS = (
    ("bias", "the bias b"),
    ("input", "the part of W that meets x"),
    ("hidden", "the part of W that meets h_prev"),
)
"""The parts of one gate, in the order of ``term_probes``."""

FORWARD_PARTS = (
    ("step", "a single step from the initial state"),
    ("carry", "handing the state from one step to the next"),
)
"""The parts of ``sequence_families``."""


def different_sizes(rng: Rng, count: int, low: int = 2, high: int = 6) -> list[int]:
    """``count`` sizes in [low, high], no two alike."""
    return [int(n) for n in rng.permutation(np.arange(low, high + 1))[:count]]


def weights(rng: Rng, *shape: int) -> np.ndarray:
    """Normal weights that give pre-activations of about one, whatever the number of inputs."""
    return rng.standard_normal(shape) * 1.4 / np.sqrt(shape[-1])


def biases(rng: Rng, size: int) -> np.ndarray:
    """Biases of either sign, none closer to zero than 0.3."""
    return rng.choice([-1.0, 1.0], size) * rng.uniform(0.3, 1.2, size)


def state(rng: Rng, *shape: int) -> np.ndarray:
    """A hidden state as tanh leaves it, no entry close to zero."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.2, 0.95, shape)


def orthogonal(rng: Rng, size: int) -> np.ndarray:
    """A random matrix that changes no vector's length."""
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


def cell(rng: Rng, *shape: int) -> np.ndarray:
    """An LSTM's cell: unlike a hidden state it may leave (-1, 1)."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.2, 4.0, shape)


def inputs(rng: Rng, *shape: int) -> np.ndarray:
    """Standard normal inputs."""
    return rng.standard_normal(shape)


def arriving(rng: Rng, *shape: int) -> np.ndarray:
    """Gradients that arrive from a loss, so large that cutting them at 1 or 2 would show."""
    return 3.0 * rng.standard_normal(shape)


def gated_params(rng: Rng, gates: str, D: int, H: int) -> dict[str, np.ndarray]:
    """``W_g`` (H, H + D) and ``b_g`` (H,) for every letter g of ``gates``."""
    params = {}
    for gate in gates:
        params[f"W_{gate}"] = weights(rng, H, H + D)
        params[f"b_{gate}"] = biases(rng, H)
    return params


def fix_gate(params: dict, gate: str, value: object) -> None:
    """Let a gate's pre-activation be ``value``, whatever the input."""
    params[f"W_{gate}"] = np.zeros_like(params[f"W_{gate}"])
    params[f"b_{gate}"] = np.zeros_like(params[f"b_{gate}"]) + value


def known_gate(rng: Rng, H: int) -> np.ndarray:
    """Pre-activations for which a gate is exactly 0, 1/2 or 1, as many of each as there are."""
    return rng.permutation(np.resize([-20 * SATURATED, 0.0, SATURATED], H))


def small_steps(draw: Callable) -> tuple[Callable[[Rng], Inputs], ...]:
    """One step that can be followed by hand; ``draw(rng, B, D, H)``."""
    return tuple(partial(draw, B=1, D=D, H=H) for D, H in ((1, 1), (1, 2)))


def small_sequences(draw: Callable) -> tuple[Callable[[Rng], Inputs], ...]:
    """Two steps that can be followed by hand; ``draw(rng, T, B, D, H)``."""
    return tuple(partial(draw, T=2, B=1, D=D, H=H) for D, H in ((1, 1), (1, 2)))


def general_step(draw: Callable) -> Callable[[Rng], Inputs]:
    """Inputs of ``draw(rng, B, D, H)`` with three different sizes."""
    return lambda rng: draw(rng, *different_sizes(rng, 3))


def step_families(draw: Callable) -> tuple[Probe, ...]:
    """The families every function of one time step is tried on."""
    general = general_step(draw)

    def one_example(rng):
        return draw(rng, 1, *different_sizes(rng, 2))

    def square(rng):
        size = different_sizes(rng, 1, 3, 5)[0]
        return draw(rng, size, size, size)

    def zero_input(rng):
        drawn = draw(rng, *WIDE)  # as the large one: nothing may depend on shapes alone
        drawn["x"] *= 0.0
        return drawn

    def large(rng):
        drawn = draw(rng, *WIDE)
        drawn["x"] *= 10_000.0
        drawn["x"][1] = -drawn["x"][0]  # pre-activations of both signs, in every unit
        return drawn

    return (
        Probe("general", general),
        Probe("one example", one_example),
        Probe("B = D = H", square),
        Probe("zero input", zero_input),
        Probe("input ten thousand times as large", large),
    )


def term_probes(draw: Callable, gate: str) -> tuple[Probe, ...]:
    """Probes of ``[h_prev, x] W^T + b``: each of its three terms alone."""
    general = general_step(draw)

    def without(*names):
        def drawn_without(rng):
            drawn = general(rng)
            for name in names:
                array = drawn["params"][name] if name in drawn["params"] else drawn[name]
                array *= 0.0
            return drawn

        return drawn_without

    return (
        Probe("only the bias", without("x", "h_prev"), part="bias"),
        Probe("only the input part", without("h_prev", f"b_{gate}"), part="input"),
        Probe("only the hidden part", without("x", f"b_{gate}"), part="hidden"),
    )


def sequence_families(draw: Callable) -> tuple[Probe, ...]:
    """The families every function of a sequence is tried on; ``draw(rng, T, B, D, H)``."""

    def general(rng):
        return draw(rng, *different_sizes(rng, 4))

    def one_step(rng):
        return draw(rng, 1, *different_sizes(rng, 3))

    def two_steps(rng):
        return draw(rng, 2, *different_sizes(rng, 3, low=3))

    def one_example(rng):
        T, D, H = different_sizes(rng, 3)
        return draw(rng, T, 1, D, H)

    def all_equal(rng):
        size = different_sizes(rng, 1, 3, 5)[0]
        return draw(rng, size, size, size, size)

    def long(rng):
        return draw(rng, 60, *different_sizes(rng, 3))

    def zero_input(rng):
        drawn = draw(rng, 4, *WIDE)  # as the large one: nothing may depend on shapes alone
        drawn["xs"] *= 0.0
        return drawn

    def large(rng):
        drawn = draw(rng, 4, *WIDE)
        drawn["xs"] *= 10_000.0
        drawn["xs"][:, 1] = -drawn["xs"][:, 0]
        return drawn

    return (
        Probe("one time step", one_step, part="step"),
        Probe("two time steps", two_steps, part="carry"),
        Probe("general", general),
        Probe("one example", one_example),
        Probe("T = B = D = H", all_equal),
        Probe("sixty time steps", long),
        Probe("zero input", zero_input),
        Probe("input ten thousand times as large", large),
    )
