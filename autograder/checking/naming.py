"""Naming a mistake: which wrong implementations of the catalogue behave exactly like an answer.

They go through the same player as the answer did, and are held against it probe by probe: the same
values within tolerance, or the same error, the same modified inputs. A mistake is sought where it can
be: not in a function that the answer calls and that is right by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from autograder.checking.record import Exercise, Inputs, Mistake, Outputs, Probe
from autograder.checking.verdict import Diagnosis, Failure
from autograder.player.failures import FINAL
from autograder.player.observe import Observation

FLOAT32_TOLERANCE = 2e-5
"""Used where an answer is in float32 by contract, in which rounding leaves about 1e-7 a step."""

SAME = 1e-9
"""Two wrong answers this close come from the same mistake: different ones are 1e-2 apart, and
rounding grows with the size of a wrong number."""

RUNAWAY = np.float64(1e6)
"""States live in (-1, 1); beyond this size, and at nan, only "not a state" can be compared."""

MOST_ALIKE = 2
"""Further mistakes that are said to look the same from outside."""

OF_SHAPES = re.compile(
    r"shape|dimension|broadcast|matmul|aligned|must match|concatenate|out of bounds|size"
)
"""Words of the errors that arrays of the wrong shape raise, in NumPy and torch."""


@dataclass(frozen=True)
class Beneath:
    """The functions of the same notebook that an answer calls, of those that it builds on."""

    right: frozenset[str] = frozenset()
    wrong: tuple[str, ...] = ()


NOTHING = Beneath()


def tolerance_for(exercise: Exercise, expected: np.ndarray) -> float:
    """Largest |answer - reference| / (1 + |reference|) that passes."""
    return FLOAT32_TOLERANCE if expected.dtype == np.float32 else exercise.tolerance


def deviation(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """|found - expected| / (1 + |expected|), element by element; not a number counts as inf."""
    with np.errstate(all="ignore"):
        difference = np.abs(found - expected) / (1 + np.abs(expected))
    return np.where(np.isnan(difference), np.inf, difference)


def compared(probe: Probe, expected: Outputs) -> Outputs:
    """The results that count on this probe."""
    if probe.outputs is None:
        return expected
    return {name: expected[name] for name in probe.outputs}


@cache
def drawn(exercise: Exercise, seed: int) -> list[Inputs]:
    """The inputs of all probes under a seed."""
    return exercise.draw(seed)


def outcome(exercise: Exercise, seen: Observation) -> Observation:
    """What is compared: what was observed, or what it turned out to be worth."""
    return exercise.examine(seen) if exercise.examine else seen


def same_behavior(
    exercise: Exercise,
    expected: Outputs,
    one: Observation,
    other: Observation,
    within: float | None = None,
    any_shape_error: bool = False,
) -> bool:
    """Whether two observations on the same probe cannot be told apart.

    ``within`` is the largest deviation between them, by default what rounding leaves. With
    ``any_shape_error``, two errors about shapes are the same whatever they say: which operation
    complains first depends on how a function is written.
    """
    if (one.status, one.modified, one.device) != (other.status, other.modified, other.device):
        return False
    if one.message != other.message and not (
        any_shape_error and OF_SHAPES.search(one.message) and OF_SHAPES.search(other.message)
    ):
        return False
    if exercise.silent and bool(one.warnings) != bool(other.warnings):
        return False
    if one.outputs.keys() != other.outputs.keys():
        return False
    for name, left in one.outputs.items():
        if name not in expected:
            continue
        right = other.outputs[name]
        if left.shape != right.shape or left.dtype != right.dtype:
            return False
        limit = max(10 * tolerance_for(exercise, left), SAME) if within is None else within
        with np.errstate(all="ignore"):
            close = np.abs(left - right) / (1 + np.abs(right)) <= limit
        # Numbers that run away amplify rounding: that both run away is what they share.
        wild = ~close & ~(np.abs(left) < RUNAWAY) & ~(np.abs(right) < RUNAWAY)
        if not (close | wild).all():
            return False
    return True


@cache
def _mistaken(mistake: Mistake, exercise: Exercise, seed: int, index: int) -> Observation:
    return outcome(exercise, exercise.observe(mistake.wrong, drawn(exercise, seed)[index]))


def _diagnosis(mistake: Mistake, beneath: Beneath) -> Diagnosis:
    name, says = mistake.name, mistake.says
    if mistake.by_call:
        of_call, says_of_call, *instead = mistake.by_call
        called = {*beneath.right, *beneath.wrong}
        misplaced = beneath.right.intersection(instead) and not called.intersection(mistake.inside)
        if misplaced or beneath.right.intersection(mistake.inside):
            name, says = of_call, says_of_call
    return Diagnosis(name, says, mistake.part, mistake.section, mistake.within is None)


def _can_be(mistake: Mistake, beneath: Beneath) -> bool:
    """Whether a mistake can be there: not in a function that is called, and right by itself.

    That it is called in a wrong way can be, where the mistake says how.
    """
    return bool(mistake.by_call) or not beneath.right.intersection(mistake.inside)


def matching_mistakes(
    exercise: Exercise,
    seed: int,
    observed: Sequence[Observation],
    expected: Sequence[Outputs],
    indices: Sequence[int] | None = None,
    beneath: Beneath = NOTHING,
) -> list[Mistake]:
    """The catalogued mistakes that behave like ``observed`` on every probe (or on ``indices``).

    A mistake of precision is only named when no closer one does the same.
    """
    # Probes that fail tell mistakes apart best: look at those first.
    if indices is not None:
        expected = [compared(p, e) for p, e in zip(exercise.probes, expected, strict=True)]
    else:
        indices = sorted(range(len(observed)), key=lambda i: exercise.probes[i].part is not None)
    # Values that are wrong in the same way say enough to leave the words of an error aside.
    telling = any(
        observed[i].status == "ok" and not same_as_right(exercise, observed[i], expected[i])
        for i in indices
    )
    found = [
        mistake
        for mistake in exercise.mistakes
        if _can_be(mistake, beneath)
        and all(
            same_behavior(
                exercise,
                expected[i],
                observed[i],
                _mistaken(mistake, exercise, seed, i),
                mistake.within,
                telling,
            )
            for i in indices
        )
    ]
    closest = min((mistake.within or 0.0 for mistake in found), default=0.0)
    return [mistake for mistake in found if (mistake.within or 0.0) == closest]


def same_as_right(exercise: Exercise, seen: Observation, expected: Outputs) -> bool:
    """Whether a call that gave results gave the right ones."""
    return all(
        name in seen.outputs
        and seen.outputs[name].shape == target.shape
        and seen.outputs[name].dtype == target.dtype
        and bool((deviation(seen.outputs[name], target) <= tolerance_for(exercise, target)).all())
        for name, target in expected.items()
    )


def named(
    exercise: Exercise,
    seed: int,
    observed: Sequence[Observation],
    expected: Sequence[Outputs],
    failures: Sequence[Failure | None],
    beneath: Beneath = NOTHING,
) -> tuple[Mistake | None, tuple[Diagnosis, ...], tuple[Diagnosis, ...]]:
    """The mistake that explains everything with those that look the same, or what parts look like.

    Returns the mistake, diagnoses of it and of those alike, and what single parts look like.
    """
    found = matching_mistakes(exercise, seed, observed, expected, None, beneath)
    if found:
        diagnoses = dict.fromkeys(_diagnosis(mistake, beneath) for mistake in found)
        return found[0], tuple(diagnoses)[: 1 + MOST_ALIKE], ()
    return None, (), _suspicions(exercise, seed, observed, expected, failures, beneath)


def _suspicions(exercise, seed, observed, expected, failures, beneath) -> tuple[Diagnosis, ...]:
    """For each part that is off alone: the one mistake in that part which alone explains it, if any."""
    found: dict[tuple[str, str], Diagnosis] = {}
    errors: set[str] = set()
    for index, (probe, failure) in enumerate(zip(exercise.probes, failures, strict=True)):
        if probe.part is None or failure is None:
            continue
        if failure.kind == "exception":  # the same error in every part has one cause, not many
            if failure.headline.partition(":")[0] in errors:
                continue
            errors.add(failure.headline.partition(":")[0])
        candidates = [
            m
            for m in matching_mistakes(exercise, seed, observed, expected, [index], beneath)
            if m.part == probe.part
        ]
        if len(candidates) == 1 and _explains(candidates[0], exercise, seed, expected, failures):
            one = _diagnosis(candidates[0], beneath)
            found.setdefault((one.name, one.says), one)
    return tuple(found.values())


def _explains(mistake: Mistake, exercise: Exercise, seed: int, expected, failures) -> bool:
    """Whether nothing contradicts a suspicion: wherever the mistake would show, the answer fails."""
    for index, (probe, failure) in enumerate(zip(exercise.probes, failures, strict=True)):
        if failure is None:
            seen = _mistaken(mistake, exercise, seed, index)
            if seen.status != "ok" or seen.modified:
                return False
            if not same_as_right(exercise, seen, compared(probe, expected[index])):
                return False
    return True


@cache
def usual_observations(exercise: Exercise, mistake: Mistake, seed: int) -> list[Observation]:
    """What a mistake does on all probes under a seed, up to a status that is final."""
    seen = []
    for index in range(len(exercise.probes)):
        seen.append(_mistaken(mistake, exercise, seed, index))
        if seen[-1].status in FINAL:
            break
    return seen
