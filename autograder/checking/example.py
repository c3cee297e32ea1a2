"""The smallest example on which an answer fails, so that it can be followed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from autograder.checking import answers
from autograder.checking.naming import deviation
from autograder.checking.record import Exercise, Inputs

TRIES = 6
"""Draws of each size that are tried, the first one of ones only."""

INTEGERS = (1.0, 2.0, -1.0)
"""What the numbers of an example are, in the order of preference."""

SHOWS = 1e-3
"""The deviation that a person sees, in numbers of four digits."""

MOST_CHARACTERS = 420
"""Of an example in words; a longer one is not followed by hand."""


def smallest(exercise: Exercise, code: Callable) -> str:
    """The smallest inputs on which ``code`` gives another result than it should, in words.

    Empty where none was found, or the exercise has no small inputs.
    """
    for inputs in _simple_inputs(exercise):
        seen = exercise.observe(code, inputs)
        if seen.status != "ok":
            return ""
        for name, right in answers.right(exercise, inputs).items():
            found = seen.outputs.get(name)
            if found is None or found.shape != right.shape:
                return ""
            if deviation(found, right).max() > SHOWS:
                needed = _without_what_nobody_reads(exercise, code, inputs, found, right, name)
                given = ", ".join(_named(needed))
                says = f"{given}: your {name} is {_plain(found)}, right is {_plain(right)}."
                return says if len(says) <= MOST_CHARACTERS else ""
    return ""


def _simple_inputs(exercise: Exercise) -> Iterator[Inputs]:
    for draw in exercise.small:
        for number in range(TRIES):
            rng = np.random.default_rng(number)
            values = INTEGERS[:1] if number == 0 else INTEGERS
            yield {name: _simple(value, rng, values) for name, value in draw(rng).items()}


def _simple(value: Any, rng: np.random.Generator, values: tuple[float, ...]) -> Any:
    """The same shapes with simple numbers."""
    if isinstance(value, Mapping):
        return {name: _simple(entry, rng, values) for name, entry in value.items()}
    if isinstance(value, np.ndarray):
        return rng.choice(values, value.shape)
    return value


def _without_what_nobody_reads(
    exercise: Exercise,
    code: Callable,
    inputs: Inputs,
    found: np.ndarray,
    right: np.ndarray,
    name: str,
) -> Inputs:
    """The inputs without the entries of dicts that neither the answer nor the right one reads."""
    kept = dict(inputs)
    for outer, entries in inputs.items():
        if not isinstance(entries, Mapping):
            continue
        read = {}
        for key, value in entries.items():
            changed = value + 0.5 + 0.3 * np.arange(np.size(value)).reshape(np.shape(value))
            other = inputs | {outer: {**entries, key: changed}}
            seen = exercise.observe(code, other)
            expected = answers.right(exercise, other)[name]
            same = seen.status == "ok" and np.array_equal(seen.outputs[name], found)
            if not (same and np.array_equal(expected, right)):
                read[key] = value
        kept[outer] = read
    return kept


def _named(inputs: Mapping) -> Iterator[str]:
    for name, value in inputs.items():
        if isinstance(value, Mapping):
            yield from _named(value)
        else:
            yield f"{name} = {_plain(value)}"


def _plain(value: Any) -> str:
    """An array as nested lists of short numbers."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"[{', '.join(map(_plain, value))}]"
    return f"{float(value):.4g}"
