"""Right gradients in a wrong form."""

from __future__ import annotations

from collections.abc import Callable

from autograder.checking.record import Mistake, Section
from autograder.course.exercises.gradients.grads import BIASES


def _afterwards(right: Callable, change: Callable) -> Callable:
    """The right gradients, handed over wrongly."""
    return lambda **inputs: change(*right(**inputs))


def _without(*keys: str) -> Callable:
    return lambda first, second, grads: (
        first,
        second,
        {key: value for key, value in grads.items() if key not in keys},
    )


def returning_mistakes(right: Callable, first: str, second: str, section: Section):
    """Right gradients in a wrong form, for either function."""

    def mistake(name, says, change):
        return Mistake(name, says, _afterwards(right, change), section)

    return (
        mistake(
            "biases missing in grads",
            "grads holds the weights alone; the biases have gradients too: b_z, b_r, b_h.",
            _without(*BIASES),
        ),
        mistake(
            "reset gate missing in grads",
            "grads has no W_r and b_r; the reset gate has parameters of its own.",
            _without("W_r", "b_r"),
        ),
        mistake(
            "update gate missing in grads",
            "grads has no W_z and b_z; the update gate has parameters of its own.",
            _without("W_z", "b_z"),
        ),
        mistake(
            "keys renamed",
            'Your keys are "dW_z", "db_z", …; grads uses the names of params.',
            lambda a, b, grads: (a, b, {f"d{key}": value for key, value in grads.items()}),
        ),
        mistake(
            f"{first} and {second} exchanged",
            f"You return ({second}, {first}, grads); the order is ({first}, {second}, grads).",
            lambda a, b, grads: (b, a, grads),
        ),
        mistake(
            "grads first",
            f"You return (grads, {first}, {second}); the order is ({first}, {second}, grads).",
            lambda a, b, grads: (grads, a, b),
        ),
        mistake(
            "only grads returned",
            f"You return grads alone; {first} and {second} belong before it.",
            lambda a, b, grads: grads,
        ),
        mistake(
            "grads not returned",
            f"You return {first} and {second}; grads comes third.",
            lambda a, b, grads: (a, b),
        ),
        mistake(
            "eight arrays instead of a dict",
            "You return every gradient as an item of one long tuple; collect those of the "
            "parameters in a dict.",
            lambda a, b, grads: (a, b, *grads.values()),
        ),
    )
