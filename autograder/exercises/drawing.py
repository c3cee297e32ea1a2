"""Drawing inputs in which no mistake can hide.

States and biases are never zero unless a probe says so, weights are large enough for the
gates to move, and sizes differ from one another, so that no axis can pass for another.
"""

from __future__ import annotations

import numpy as np

Rng = np.random.Generator


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


def inputs(rng: Rng, *shape: int) -> np.ndarray:
    """Standard normal inputs."""
    return rng.standard_normal(shape)
