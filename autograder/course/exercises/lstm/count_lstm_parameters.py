"""``count_lstm_parameters``: how many numbers an LSTM learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.checking.record import Mistake, Outputs
from autograder.course.exercises.lstm.sections import COUNTING
from autograder.course.exercises.shared.counting import COUNT_PROBES
from autograder.course.exercises.shared.declared import lstm_exercise
from autograder.player.contract import Integer


def _answer_count(inputs: Mapping) -> Outputs:
    """The parameters of torch.nn.LSTM, less the second bias of its four blocks."""
    import torch

    layer = torch.nn.LSTM(inputs["input_size"], inputs["hidden_size"], device="meta")
    count = sum(p.numel() for p in layer.parameters()) - layer.bias_hh_l0.numel()
    return {"count": np.asarray(count, dtype=np.int64)}


def _count_mistake(name, says, wrong):
    return Mistake(name, says, wrong, COUNTING)


def _blocks(number: float, block: Callable) -> Callable:
    return lambda input_size, hidden_size: number * block(input_size, hidden_size)


def _block(D, H):
    return D * H + H * H + H


_MISTAKES = (
    _count_mistake(
        "three blocks",
        "You count three blocks, as in a GRU. An LSTM has three gates and the candidate: four.",
        _blocks(3, _block),
    ),
    _count_mistake(
        "five blocks",
        "You count five blocks; the cell has no weights of its own. Three gates and the candidate: "
        "four.",
        _blocks(5, _block),
    ),
    _count_mistake(
        "only one block",
        "You count one block; an LSTM has four: three gates and the candidate.",
        _blocks(1, _block),
    ),
    _count_mistake(
        "two biases per gate",
        "That is what PyTorch allocates; the formula has one bias per gate.",
        _blocks(4, lambda D, H: D * H + H * H + 2 * H),
    ),
    _count_mistake(
        "biases forgotten",
        "The four biases of H entries each are missing.",
        _blocks(4, lambda D, H: D * H + H * H),
    ),
    _count_mistake(
        "one bias entry per gate",
        "A bias has one entry per unit, H of them, not one per gate.",
        _blocks(4, lambda D, H: D * H + H * H + 1),
    ),
    _count_mistake(
        "input and hidden size exchanged",
        "The recurrent block is H × H, not D × D: the two sizes are exchanged.",
        _blocks(4, lambda D, H: _block(H, D)),
    ),
    _count_mistake(
        "recurrent weights forgotten",
        "The H × H recurrent weights are missing.",
        _blocks(4, lambda D, H: D * H + H),
    ),
    _count_mistake(
        "input weights forgotten",
        "The H × D input weights are missing.",
        _blocks(4, lambda D, H: H * H + H),
    ),
    _count_mistake(
        "initial state and cell counted",
        "You count h0 and c0; states are not learned here.",
        lambda input_size, hidden_size: 4 * _block(input_size, hidden_size) + 2 * hidden_size,
    ),
    _count_mistake(
        "count as a float",
        "The number is right, but a count is an int.",
        _blocks(4.0, _block),
    ),
)

EXERCISE = lstm_exercise(
    name="count_lstm_parameters",
    assignment="lstm",
    signature="count_lstm_parameters(input_size, hidden_size) -> int",
    points=1,
    section=COUNTING,
    equation="4 (D H + H H + H)",
    hints=(
        "One block has W of shape (H, H + D) and b of shape (H,).",
        "How many blocks does an LSTM have, counting the candidate?",
    ),
    returns=Integer("count"),
    probes=COUNT_PROBES,
    answer=_answer_count,
    in_numpy=lambda input_size, hidden_size: 4 * _block(input_size, hidden_size),
    mistakes=_MISTAKES,
    tolerance=0.0,
    why_tolerance="a count is exact",
)
