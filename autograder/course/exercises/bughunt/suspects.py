"""Who can have done it: mistakes of the catalogue of ``gru_step``."""

from __future__ import annotations

from autograder.checking.record import Mistake
from autograder.course.exercises.gru import gru_step

CORRECT = "correct"
"""The name in a report that accuses nobody."""

SUSPECTS: dict[str, tuple[str, ...]] = {
    "step": (
        "z and 1 - z swapped",
        "PyTorch's equations",
        "update and reset gates exchanged",
        "candidate returned as state",
        "old state missing",
        "old state not scaled",
        "reset state blended",
        "update gate reads the reset state",
        "tanh applied to the state",
    ),
    "gates": (
        "in the update gate: bias missing",
        "in the update gate: input and state in the wrong order",
        "in the update gate: recurrent block not transposed",
        "in the update gate: x ignored",
        "in the reset gate: bias missing",
        "in the reset gate: input and state in the wrong order",
        "in the reset gate: recurrent block not transposed",
        "in the reset gate: h_prev ignored",
    ),
    "candidate": (
        "in the candidate: bias missing",
        "in the candidate: reset gate not applied",
        "in the candidate: reset gate applied to the input",
        "in the candidate: reset gate applied to state and input",
        "in the candidate: reset after the matrix product",
        "in the candidate: reset after the matrix product, bias included",
        "in the candidate: 1 - r for r",
        "in the candidate: the reset gate's weights",
    ),
}
"""Names in the catalogue of ``gru_step``, by where in the cell to look."""

_CATALOGUE = {mistake.name: mistake for mistake in gru_step.MISTAKES}

SUSPECTED: dict[str, Mistake] = {
    name: _CATALOGUE[name] for names in SUSPECTS.values() for name in names
}
"""The suspects themselves, by name."""


def suspects_as_list(where: str) -> str:
    """The suspects in one part of ``SUSPECTS`` as a list in Markdown; names may be long."""
    return "\n".join(f"- **{name}**<br>{SUSPECTED[name].says}" for name in SUSPECTS[where])
