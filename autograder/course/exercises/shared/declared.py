"""What all records of this course have in common, said once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from autograder.checking.record import Exercise
from autograder.course.words import first_axis, sizes

RECURRENT = frozenset(
    "gru gru_cell lstm lstm_cell rnn_tanh rnn_tanh_cell rnn_relu rnn_relu_cell "
    "quantized_gru_cell quantized_lstm_cell mkldnn_rnn_layer _cudnn_rnn miopen_rnn "
    "_thnn_fused_gru_cell _thnn_fused_lstm_cell".split()
)
"""Names of torch's recurrent kernels, which compute the equations a student should write."""

exercise = partial(
    Exercise,
    course="gated-memory",
    sizes=sizes,
    first_axis=first_axis,
    refuse=RECURRENT,
    refusal="It calls a library's recurrent layer ({message}). Writing these equations is the "
    "exercise: use elementary operations.",
    reference="the torch reference, torch {torch}, float64 on the CPU",
)
"""Declares an exercise of this course: ``Exercise`` with the fields above filled in."""


def _drawing(name: str) -> tuple[tuple[str, ...], Callable[..., str]]:
    """The parts of a cell's diagram, and the function that draws it."""
    from autograder.course.diagrams import gru_diagram, lstm_diagram, rnn_diagram

    return {
        "rnn": (rnn_diagram.RNN_PARTS, rnn_diagram.rnn_cell),
        "lstm": (lstm_diagram.LSTM_PARTS, lstm_diagram.lstm_cell),
        "gru": (gru_diagram.GRU_PARTS, gru_diagram.gru_cell),
    }[name]


def picture(cell: str, part: str) -> str:
    """The diagram of a cell with a part marked; empty for what is no part of it."""
    from autograder.course.figures.palette import CARD_CSS

    parts, draw = _drawing(cell)
    return f"<style>{CARD_CSS}</style>{draw(highlight=part, compact=True)}" if part in parts else ""


rnn_exercise = partial(exercise, picture=partial(picture, "rnn"))
lstm_exercise = partial(exercise, picture=partial(picture, "lstm"))
gru_exercise = partial(exercise, picture=partial(picture, "gru"))
