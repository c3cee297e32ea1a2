"""What the two exercises with torch's stacked weights share."""

from __future__ import annotations

import numpy as np

from autograder.course.exercises.gru.sections import LAYER, TWO_CONVENTIONS, TWO_RESETS
from autograder.course.exercises.shared.drawing import biases, weights


def stacked_weights(rng, D: int, H: int) -> dict[str, np.ndarray]:
    """The four arrays of a torch layer, the rows of r, z and n stacked."""
    return {
        "weight_ih": weights(rng, 3 * H, D),
        "weight_hh": weights(rng, 3 * H, H),
        "bias_ih": biases(rng, 3 * H),
        "bias_hh": biases(rng, 3 * H),
    }


def keep_to_replace(z, n, h):
    """The course's own blend, in which z replaces."""
    return (1 - z) * h + z * n


CHANGES = (
    # name, diagnosis, section, part, changes to the cell
    (
        "z and 1 - z swapped",
        "Your z replaces, as in the course's own convention; in PyTorch z near 1 keeps: "
        "(1 - z) * n + z * h_prev.",
        TWO_CONVENTIONS,
        "state",
        {"blend": keep_to_replace},
    ),
    (
        "gates read in the order z, r, n",
        "You read the rows as z, r, n (Keras's order); torch stacks them r, z, n.",
        LAYER,
        "z",
        {"order": "zrn"},
    ),
    (
        "gates read in the order r, n, z",
        "You read the rows as r, n, z; torch stacks them r, z, n.",
        LAYER,
        "z",
        {"order": "rnz"},
    ),
    (
        "gates read in the order z, n, r",
        "You read the rows as z, n, r; torch stacks them r, z, n.",
        LAYER,
        "z",
        {"order": "znr"},
    ),
    (
        "gates read in the order n, z, r",
        "You read the rows as n, z, r; torch stacks them r, z, n.",
        LAYER,
        "r",
        {"order": "nzr"},
    ),
    (
        "gates read in the order n, r, z",
        "You read the rows as n, r, z; torch stacks them r, z, n.",
        LAYER,
        "z",
        {"order": "nrz"},
    ),
    (
        "reset gate not applied",
        "r has no influence: in PyTorch it multiplies W_hn h_prev + b_hn.",
        TWO_RESETS,
        "r",
        {"candidate": lambda i, h, r: i + h},
    ),
    (
        "reset gate applied to the input",
        "r multiplies W_in x + b_in; it belongs to the recurrent part, W_hn h_prev + b_hn.",
        TWO_RESETS,
        "r",
        {"candidate": lambda i, h, r: r * i + h},
    ),
    (
        "reset gate applied to both parts",
        "r multiplies the whole sum; it belongs to the recurrent part alone.",
        TWO_RESETS,
        "r",
        {"candidate": lambda i, h, r: r * (i + h)},
    ),
    (
        "1 - r for r",
        "You multiply by 1 - r; r near 1 lets the recurrent part through.",
        TWO_RESETS,
        "r",
        {"candidate": lambda i, h, r: i + (1 - r) * h},
    ),
    (
        "candidate returned as state",
        "You return n; the new state is (1 - z) * n + z * h_prev.",
        LAYER,
        "state",
        {"blend": lambda z, n, h: n},
    ),
    (
        "old state not scaled",
        "You add (1 - z) * n to the whole h_prev; h_prev keeps only its share z.",
        LAYER,
        "state",
        {"blend": lambda z, n, h: (1 - z) * n + h},
    ),
    (
        "old state missing",
        "Your new state is (1 - z) * n; the kept share z * h_prev is missing.",
        LAYER,
        "state",
        {"blend": lambda z, n, h: (1 - z) * n},
    ),
)
"""Mistakes that ``gru_step_torch`` and ``GRULayer`` share, as changes to the cell."""
