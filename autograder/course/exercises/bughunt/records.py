"""The records of the reports, made from the table of boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from autograder.checking.record import Exercise, Mistake, Outputs, Probe
from autograder.course.at_play import Report
from autograder.course.exercises.bughunt.blindness import BLINDNESSES, ONE_UNIT, TINY
from autograder.course.exercises.bughunt.boxes import BOXES, Box, smallest
from autograder.course.exercises.bughunt.inputs import CellInputs, generic, multiplied, numbers
from autograder.course.exercises.bughunt.judging import BROKEN_PARTS, RIGHT_PARTS, examine_report
from autograder.course.exercises.bughunt.suspects import CORRECT
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.gru.sections import NEW_STATE, TWO_RESETS
from autograder.course.exercises.shared.declared import exercise


def _reporting(name: str, inputs: CellInputs) -> Callable:
    """A function that makes this report, with arrays of its own each time."""

    def report():
        x, h_prev, params = inputs
        return name, x.copy(), h_prev.copy(), {k: v.copy() for k, v in params.items()}

    return report


def padded(inputs: CellInputs, count: int) -> CellInputs:
    """The inputs with ``count`` numbers not zero, the added ones too small to matter."""
    x, h_prev, params = multiplied(inputs)
    for array in (params["b_z"], params["b_h"], params["W_z"]):
        for place in np.ndindex(array.shape):
            if numbers((x, h_prev, params)) < count and not array[place]:
                array[place] = 1e-6
    return x, h_prev, params


def _blind_mistakes(name: str, numbers_of: Iterable[int], part: str) -> tuple[Mistake, ...]:
    telling = generic(4, 3, 4)
    return tuple(
        Mistake(
            BLINDNESSES[n - 1].name,
            BLINDNESSES[n - 1].says,
            _reporting(name, BLINDNESSES[n - 1].blind(telling)),
            TWO_RESETS if n == ONE_UNIT else NEW_STATE,
            part,
        )
        for n in numbers_of
    )


def _nothing() -> CellInputs:
    return multiplied(generic(1, 1, 2), 0.0, 0.0, 0.0, 0.0)


def _broken_mistakes(box: Box) -> tuple[Mistake, ...]:
    def mistake(name, says, report, part):
        return Mistake(name, says, report, NEW_STATE, part)

    inputs = smallest(box)
    return (
        *_blind_mistakes(box.name, box.hides, "exposed"),
        mistake(
            "nothing but zeros",
            "All your numbers are zero, so every gate is 1/2, and the candidate and the state are 0.",
            _reporting(box.name, _nothing()),
            "exposed",
        ),
        mistake(
            "broken box called correct",
            "You acquit a box that is broken. Agreement on some inputs is no proof.",
            _reporting(CORRECT, inputs),
            "exposed",
        ),
        mistake(
            "another mistake named",
            "Your inputs expose the box, and what you say of it is not what is wrong with it.",
            _reporting("old state missing", inputs),
            "named",
        ),
        mistake(
            "name not on the list",
            "Your inputs expose the box; its mistake has to be named as the list names it.",
            _reporting("something is wrong", inputs),
            "named",
        ),
        mistake(
            "more than twice as many numbers as needed",
            "Most of your numbers have nothing to do with the mistake.",
            _reporting(box.name, padded(inputs, 2 * box.par + 1)),
            "twice par",
        ),
        mistake(
            "one number too many",
            "At least one of your numbers could be zero, and the box would still show.",
            _reporting(box.name, padded(inputs, box.par + 1)),
            "par",
        ),
    )


def _right_mistakes() -> tuple[Mistake, ...]:
    def mistake(name, says, report):
        return Mistake(name, says, report, NEW_STATE, "cleared")

    return (
        mistake(
            "correct box accused",
            "You accuse a box that gives the right state on every input.",
            _reporting("z and 1 - z swapped", generic(4, 3, 4)),
        ),
        mistake(
            "name not on the list",
            f'Name a suspect as the list does, or write "{CORRECT}".',
            _reporting("fine", generic(4, 3, 4)),
        ),
        *_blind_mistakes(CORRECT, range(ONE_UNIT, TINY + 1), "step"),
        mistake(
            "nothing but zeros",
            "All your numbers are zero: hardly anything that could be wrong with the box would show.",
            _reporting(CORRECT, _nothing()),
        ),
    )


def _facts(parts: tuple[tuple[str, str], ...]) -> Callable[[Mapping], Outputs]:
    facts = {part: 1 for part, _ in parts} | {"why": 0}
    return lambda inputs: {name: np.asarray(value, np.int64) for name, value in facts.items()}


_HINTS = {
    "B": (
        "Start with the emptiest inputs there are: zeros everywhere, and one number in h_prev.",
        "Compute by hand what the right cell makes of them, and what is left in the box's state.",
    ),
    "C": (
        "Move one gate at a time. With zero weights, a bias alone decides where its gate stands.",
        "A large b_z should replace the old state. What does it do here, and what does a large b_r?",
    ),
    "D": (
        "Does it differ from the right cell on generic inputs? On ten of them?",
        "A box that agrees is acquitted by inputs on which no suspect would: random numbers, of "
        "about 1, everywhere, and more than one unit.",
    ),
    "E": (
        "Take the old state away first: with h_prev = 0 only the input speaks.",
        "What should the reset gate do to the input's share of the candidate?",
    ),
    "F": (
        "What r does shows only where three things come together: r itself, an old state, and a "
        "weight of the candidate that reads it.",
        "With zero weights in the gate, r is σ(b_r). Is it, in the box?",
    ),
    "G": (
        "With one unit the box and the right cell are the same model. Take H = 2.",
        "Give the two units different reset gates, and let one unit's old state reach the other.",
    ),
    "H": (
        "Does it differ from the right cell on generic inputs? On ten of them?",
        "Your inputs for another acquittal serve here as well.",
    ),
    "I": (
        "Give a gate a single weight that leads from one unit to the other.",
        "For r to show you need an old state in both units and a weight of the candidate.",
    ),
}


def _exercise(box: Box) -> Exercise:
    parts = BROKEN_PARTS if box.broken else RIGHT_PARTS
    first = parts[0][0]

    def probe(part: str, title: str) -> Probe:
        compared = (first, "why") if part == first and box.broken else (first, part)
        return Probe(title, lambda rng: {}, part, tuple(dict.fromkeys(compared)))

    return exercise(
        name=box.function,
        assignment="bughunt",
        signature=f"{box.function}() -> (name, x, h_prev, params)",
        points=4,
        section=NEW_STATE,
        equation="h = (1 − z) ∗ h_prev + z ∗ h̃,  z, r = σ([h_prev, x] Wᵀ + b),  "
        "h̃ = tanh([r ∗ h_prev, x] W_hᵀ + b_h)",
        hints=_HINTS[box.letter],
        returns=Report(KEYS),
        probes=tuple(probe(part, title) for part, title in parts),
        answer=_facts(parts),
        mistakes=_broken_mistakes(box) if box.broken else _right_mistakes(),
        tolerance=0.0,
        why_tolerance="a report does what is asked for or does not",
        parts=parts,
        examine=lambda seen: examine_report(box, seen),
        tried="parts of the report",
        recognized="Found by putting your report to use.",
        reference="the right cell in NumPy, float64",
    )


RECORDS = tuple(_exercise(box) for box in BOXES[1:])
"""One record a graded box."""
