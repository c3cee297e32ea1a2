"""``count_gru_parameters``: how many numbers a GRU learns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autograder.checking.record import Mistake, Outputs
from autograder.course.exercises.gru.sections import COUNTING
from autograder.course.exercises.shared.counting import COUNT_PROBES
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.player.contract import Integer


def _answer_count(inputs: Mapping) -> Outputs:
    import torch

    from autograder.course import reference

    with torch.device("meta"):
        layer = reference.GRU(inputs["input_size"], inputs["hidden_size"])
    return {"count": np.asarray(sum(p.numel() for p in layer.parameters()), dtype=np.int64)}


def _count_mistake(name, says, wrong):
    return Mistake(name, says, wrong, COUNTING)


_MISTAKES = (
    _count_mistake(
        "four gates",
        "You count four blocks, as in an LSTM; a GRU has three.",
        lambda input_size, hidden_size: (
            4 * (input_size * hidden_size + hidden_size**2 + hidden_size)
        ),
    ),
    _count_mistake(
        "candidate forgotten",
        "You count the two gates; the candidate has weights and a bias of its own.",
        lambda input_size, hidden_size: (
            2 * (input_size * hidden_size + hidden_size**2 + hidden_size)
        ),
    ),
    _count_mistake(
        "two biases per gate",
        "That is what PyTorch allocates; the formula has one bias per gate.",
        lambda input_size, hidden_size: (
            3 * (input_size * hidden_size + hidden_size**2 + 2 * hidden_size)
        ),
    ),
    _count_mistake(
        "biases forgotten",
        "The three biases of H entries each are missing.",
        lambda input_size, hidden_size: 3 * (input_size * hidden_size + hidden_size**2),
    ),
    _count_mistake(
        "one bias entry per gate",
        "A bias has one entry per unit, H of them, not one per gate.",
        lambda input_size, hidden_size: 3 * (input_size * hidden_size + hidden_size**2 + 1),
    ),
    _count_mistake(
        "input and hidden size exchanged",
        "The recurrent block is H × H, not D × D: the two sizes are exchanged.",
        lambda input_size, hidden_size: 3 * (input_size * hidden_size + input_size**2 + input_size),
    ),
    _count_mistake(
        "recurrent weights forgotten",
        "The H × H recurrent weights are missing.",
        lambda input_size, hidden_size: 3 * (input_size * hidden_size + hidden_size),
    ),
    _count_mistake(
        "input weights forgotten",
        "The H × D input weights are missing.",
        lambda input_size, hidden_size: 3 * (hidden_size**2 + hidden_size),
    ),
    _count_mistake(
        "only one gate",
        "You count one block; the GRU has three: z, r and the candidate.",
        lambda input_size, hidden_size: input_size * hidden_size + hidden_size**2 + hidden_size,
    ),
    _count_mistake(
        "count as a float",
        "The number is right, but a count is an int.",
        lambda input_size, hidden_size: (
            3.0 * (input_size * hidden_size + hidden_size**2 + hidden_size)
        ),
    ),
)

EXERCISE = gru_exercise(
    name="count_gru_parameters",
    assignment="gru",
    signature="count_gru_parameters(input_size, hidden_size) -> int",
    points=1,
    section=COUNTING,
    equation="3 (D H + H H + H)",
    hints=(
        "One block has W of shape (H, H + D) and b of shape (H,).",
        "How many blocks does a GRU have, counting the candidate?",
    ),
    returns=Integer("count"),
    probes=COUNT_PROBES,
    answer=_answer_count,
    in_numpy=lambda input_size, hidden_size: (
        3 * (input_size * hidden_size + hidden_size**2 + hidden_size)
    ),
    mistakes=_MISTAKES,
    tolerance=0.0,
    why_tolerance="a count is exact",
)
