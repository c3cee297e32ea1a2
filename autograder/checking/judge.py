"""The judge: draws probes, has a player run the code, compares, diagnoses, decides the points.

It never runs student code itself. A wrong answer keeps the share of what came out right, and at
most three quarters of the points; a mistake that the catalogue knows costs everybody the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

import numpy as np

from autograder.checking import answers
from autograder.checking.naming import (
    NOTHING,
    Beneath,
    compared,
    deviation,
    drawn,
    named,
    outcome,
    same_behavior,
    tolerance_for,
    usual_observations,
)
from autograder.checking.points import rounded
from autograder.checking.record import Examined, Exercise, Inputs, Mistake, Outputs, Probe
from autograder.checking.verdict import Diagnosis, Failure, ProbeResult, Verdict
from autograder.player.contract import Arrays, Gradients, Params
from autograder.player.failures import FAILURES, FINAL
from autograder.player.observe import AUTOGRAD, Observation

MOST_KEPT = 0.75
"""The share of an exercise's points that an answer keeps at most while anything in it is wrong."""

KEEPS = (
    "Called twice with the same inputs, it gives two different results.",
    "Something is kept from one call to the next: in a global variable, or in a list or dict that is "
    "a default argument. Start afresh in every call.",
)
"""Headline and detail for an answer that remembers."""

Player = Callable[[list[Inputs]], Iterable[Observation]]
"""Runs the code on these inputs, one after the other, and says what it did on each. It may stop
after a status of ``player.observe.FINAL``, since the others would only say the same."""


def failure_of(
    exercise: Exercise, probe: Probe, inputs: Inputs, seen: Observation, expected: Outputs
) -> Failure | None:
    """What is wrong with one observation, or None."""

    def failure(kind, headline, detail="", lines=()):
        tried = seen.sizes if isinstance(seen, Examined) else exercise.sizes(inputs)
        return Failure(kind, headline, detail, probe.name, tried, tuple(lines))

    if seen.status != "ok":
        return _failed_call(failure, exercise, inputs, seen)
    if seen.modified:
        return failure(
            "mutation",
            f"It changes its input {' and '.join(seen.modified)}.",
            "Whoever called the function still needs it. Write `a = a * b`, not `a *= b`.",
        )
    if exercise.silent and seen.warnings:
        return failure(
            "warning",
            f"It does not stay silent: {seen.warnings[0]}",
            "What raises a warning is only hidden by switching warnings off: avoid computing it.",
        )
    for name, target in expected.items():
        found = seen.outputs.get(name)
        if found is None:
            if seen.device == "meta":
                continue
            return failure("shape", f"There is no {name} to compare.")
        if found.shape != target.shape:
            return failure(
                "shape",
                f"{name} has shape {found.shape}; expected {target.shape}.",
                _shape_advice(exercise, inputs, found.shape, target.shape),
            )
        if found.dtype != target.dtype:
            return failure(
                "dtype",
                f"{name} is {found.dtype}; expected {target.dtype}.",
                _dtype_advice(inputs, found.dtype, target.dtype),
            )
        if seen.device == "meta":
            continue
        error = deviation(found, target)
        if error.max() > tolerance_for(exercise, target):
            if isinstance(seen, Examined):
                return failure("values", *seen.says[name])
            which = _which_hold(exercise, seen.outputs, expected)
            return _value_failure(failure, name, found, target, error, exercise, which)
    return None


def _failed_call(failure, exercise: Exercise, inputs: Inputs, seen: Observation) -> Failure:
    """What is said of a call that gave no result."""
    if seen.status == "exception":
        says = f"It raises {seen.message}"
        return failure("exception", says, _advice(exercise, seen, inputs), seen.lines)
    if seen.status == "device":
        where = "the GPU" if seen.device.startswith("cuda") else "another device than the CPU"
        return failure(
            "device",
            f"It works on the CPU and fails on {where}: {seen.message}",
            "Build tensors where the input is, for instance with `new_zeros` of an input.",
            seen.lines,
        )
    kind, says = seen.status, FAILURES[seen.status].says
    if kind == "library" and seen.message in AUTOGRAD:
        kind, says = "autograd", FAILURES["autograd"].says
    elif kind == "library":
        says = exercise.refusal
    elif kind == "not written" and seen.message != exercise.name and seen.message.isidentifier():
        return failure("unfinished", f"It calls {seen.message}, which is not written yet.")
    return failure(kind, says.format(message=seen.message), lines=seen.lines)


def _sorted_out(
    exercise: Exercise, outputs: Outputs, expected: Outputs
) -> tuple[list[str], list[str]]:
    """The names of the results that are off, and of those that are right."""
    off, right = [], []
    for name, target in expected.items():
        found = outputs[name]
        same = found.shape == target.shape and found.dtype == target.dtype
        held = same and deviation(found, target).max() <= tolerance_for(exercise, target)
        (right if held else off).append(name)
    return off, right


def _which_hold(exercise: Exercise, outputs: Outputs, expected: Outputs) -> str:
    """Where a function has several results: which of them are off and which are right."""
    if not isinstance(exercise.returns, Arrays | Gradients) or len(expected) == 1:
        return ""
    off, right = _sorted_out(exercise, outputs, expected)
    right = [name for name in right if expected[name].any()]  # zeros are nobody's work
    return f" Off: {', '.join(off)}. Right: {', '.join(right) or 'none'}."


def _share(
    exercise: Exercise,
    failure: Failure | None,
    inputs: Inputs,
    seen: Observation,
    expected: Outputs,
) -> float:
    """What one probe is worth, 0 to 1: of several results, the share that is right.

    A result that is zero by construction, or handed through as it came, says nothing about who
    found it, so it does not count.
    """
    if failure is None:
        return 1.0
    if not isinstance(exercise.returns, Gradients | Params):
        return 0.0
    if failure.kind not in ("values", "shape", "dtype"):
        return 0.0
    off, right = _sorted_out(exercise, seen.outputs, expected)
    right = [name for name in right if expected[name].any() and not _given(name, inputs, expected)]
    return len(right) / (len(right) + len(off))


def _given(name: str, inputs: Inputs, expected: Outputs) -> bool:
    """Whether a result is an entry of the inputs, unchanged."""
    found = next((v[name] for v in inputs.values() if isinstance(v, Mapping) and name in v), None)
    return found is not None and np.array_equal(found, expected[name])


def _value_failure(failure, name, found, target, error, exercise, which) -> Failure:
    limit = tolerance_for(exercise, target)
    where = tuple(int(i) for i in np.argwhere(error > limit)[0])
    share = np.count_nonzero(error > limit)
    kind = "gradient" if name.startswith("gradient") else "values"
    if kind == "gradient":
        headline = f"The values are right, the {name} is not."
    elif target.size == 1:
        return failure(kind, f"{name} is {found.item():g}; expected {target.item():g}.")
    else:
        headline = f"{name} differs from the reference in {share} of {target.size} numbers."
    index = f"[{', '.join(map(str, where))}]" if where else ""
    yours, reference = f"{found[where]:.6g}", f"{target[where]:.6g}"
    detail = f"First at {name}{index}: yours {yours}, reference {reference}."
    if yours == reference:
        detail = (
            f"First at {name}{index}, {reference}. You are off by up to {error.max():.0e}; "
            f"allowed is {limit:.0e}."
        )
    if not np.isfinite(found).all():
        detail += " There are infinite or undefined numbers (inf, nan) in yours."
    return failure(kind, headline, detail + which)


def _advice(exercise: Exercise, seen: Observation, inputs: Inputs) -> str:
    text = seen.message
    dicts = (
        list(value)
        for name, value in inputs.items()
        if isinstance(value, Mapping) and name in exercise.signature
    )
    named = next(dicts, None)
    if text.startswith("KeyError") and named:
        *others, last = named
        listed = f"{', '.join(others)} and {last}" if others else last
        return f"The entries of the dict are called {listed}."
    if "matmul" in text or "not aligned" in text or "shapes cannot be multiplied" in text:
        return "In a matrix product the last axis of the left must match the first of the right."
    if "broadcast" in text or "must match the size" in text:
        return "Elementwise operations need equal shapes. Print the shapes of both sides."
    return ""


def _dtype_advice(inputs: Inputs, found: np.dtype, expected: np.dtype) -> str:
    values = [
        v
        for value in inputs.values()
        for v in (value.values() if isinstance(value, Mapping) else [value])
    ]
    if any(isinstance(value, np.ndarray) and value.dtype == found for value in values):
        return f"An input has that type, and {expected} is asked for whatever comes in."
    return "No input has that type: look for a cast, or for an array that was made with it."


def _shape_advice(exercise: Exercise, inputs: Inputs, found: tuple, expected: tuple) -> str:
    if len(found) == len(expected) and found[::-1] == expected:
        return "Your axes are in reverse order."
    if len(expected) > 1 and found == expected[1:]:
        return exercise.first_axis(inputs, expected) or "The first axis is missing."
    if tuple(n for n in found if n != 1) == tuple(n for n in expected if n != 1):
        return "An axis of length 1 is too many or missing."
    return ""


@dataclass(frozen=True)
class Questions:
    """What one exercise is asked under one seed, and the right answers."""

    exercise: Exercise
    seed: int
    inputs: list[Inputs]
    expected: list[Outputs]
    reference: str
    """where the answers come from, in words"""

    @classmethod
    def prepare(cls, exercise: Exercise, seed: int | None = None) -> Questions:
        """Draw the inputs, by default of the seed in force, and compute the answers."""
        seed = answers.seed() if seed is None else seed
        inputs = drawn(exercise, seed)
        source = answers.source(exercise, seed, inputs)
        expected = source.expected(exercise, inputs)
        return cls(exercise, seed, inputs, expected, source.describe(exercise))

    @property
    def played(self) -> list[Inputs]:
        """The inputs in the order in which a player gets them.

        They come twice, the second time in another order: the same inputs have to give the same
        result, whatever was computed before.
        """
        return [*self.inputs, *(self.inputs[index] for index in self.again)]

    @property
    def again(self) -> list[int]:
        """Which inputs come a second time, in order."""
        probes = self.exercise.probes
        return [index for index in reversed(range(len(probes))) if not probes[index].once]


def judge(exercise: Exercise, player: Player, seed: int | None = None) -> Verdict:
    """Check one function or class, which ``player`` runs."""
    questions = Questions.prepare(exercise, seed)
    return decide(questions, player(questions.played))


def passes(questions: Questions, observations: Iterable[Observation]) -> bool:
    """Whether an answer is right, without a word about what is wrong."""
    return _compare(questions, list(observations)).passed


@dataclass(frozen=True)
class _Played:
    """What came of all probes: one of each list for each probe, in order."""

    observed: list[Observation]
    results: list[ProbeResult]
    failures: list[Failure | None]
    complete: bool
    """whether every probe was played, to its end"""
    differs: bool
    """whether the same inputs gave another result, or an end, when they came again"""

    @property
    def passed(self) -> bool:
        return self.complete and not any(self.failures)

    @property
    def first(self) -> Failure | None:
        return next((failure for failure in self.failures if failure), None)

    @property
    def share(self) -> float:
        """Of the points, 0 to 1."""
        if self.passed:
            return 1.0
        if not self.complete:
            return 0.0
        return min(MOST_KEPT, sum(result.share for result in self.results) / len(self.results))


def decide(
    questions: Questions,
    observations: Iterable[Observation],
    beneath: Callable[[], Beneath] = lambda: NOTHING,
) -> Verdict:
    """The verdict on what was observed while ``questions.played`` was played.

    ``beneath`` says, where something is wrong, which other functions of the notebook the answer
    calls, and whether they are right.
    """
    exercise = questions.exercise
    played = _compare(questions, list(observations))
    mistake: Mistake | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    suspicions: tuple[Diagnosis, ...] = ()
    if played.complete and not played.passed and not played.differs:
        mistake, diagnoses, suspicions = named(
            exercise,
            questions.seed,
            played.observed,
            questions.expected,
            played.failures,
            beneath(),
        )
    share = played.share
    if mistake is not None and not exercise.by_choice:
        share = _usual_share(exercise, mistake)
    diagnosis = next(iter(diagnoses), None)
    about = diagnosis or next(iter(suspicions), None)
    return Verdict(
        exercise=exercise.name,
        assignment=exercise.assignment,
        signature=exercise.signature,
        part_names=exercise.parts,
        passed=played.passed,
        points=rounded(exercise.points * share),
        max_points=exercise.points,
        probes=tuple(played.results),
        failure=played.first,
        mistake=diagnosis,
        behavior="" if diagnosis or not played.complete or played.passed else _digest(played),
        alike=diagnoses[1:],
        suspicions=suspicions,
        part=_part(exercise, played.first, diagnosis, played.results),
        equation=exercise.equation,
        hint=exercise.hints[0],
        section=about.section if about else exercise.section,
        largest_error=_largest_error(questions, played),
        tolerance=exercise.tolerance,
        reference=questions.reference,
        notes=_notes(played),
        tried=exercise.tried,
        recognized=exercise.recognized,
        course=exercise.course,
    )


def _digest(played: _Played) -> str:
    """Equal for answers that do the same on every probe, but for rounding."""
    digest = sha256()
    for seen in played.observed:
        did = [seen.status, seen.message, seen.modified, sorted(seen.outputs)]
        digest.update(repr(did).encode("utf-8", "replace"))
        for _, values in sorted(seen.outputs.items()):
            with np.errstate(all="ignore"):
                rounded = np.nan_to_num(np.round(values.astype(np.complex128), 6)) + 0.0
            digest.update(f"{values.shape} {values.dtype}".encode() + rounded.tobytes())
    return digest.hexdigest()[:16]


@cache
def _usual_share(exercise: Exercise, mistake: Mistake) -> float:
    """What a known mistake keeps: what it does under the public seed, whatever is drawn now."""
    seed = answers.PUBLIC_SEED
    inputs = drawn(exercise, seed)
    expected = [answers.right(exercise, one) for one in inputs]
    questions = Questions(exercise, seed, inputs, expected, "")
    played = _compare(questions, list(usual_observations(exercise, mistake, seed)))
    return min(MOST_KEPT, played.share)


def _compare(questions: Questions, observed: list[Observation]) -> _Played:
    """Hold every observation against what was expected of it."""
    exercise, inputs = questions.exercise, questions.inputs
    first, again = observed[: len(inputs)], observed[len(inputs) :]
    observed = [outcome(exercise, seen) for seen in first]
    results, failures = [], []
    for probe, given, target, seen in zip(  # a player may have stopped early
        exercise.probes, inputs, questions.expected, observed, strict=False
    ):
        target = compared(probe, target)
        failure = failure_of(exercise, probe, given, seen, target)
        failures.append(failure)
        share = _share(exercise, failure, given, seen, target)
        tried = seen.sizes if isinstance(seen, Examined) else exercise.sizes(given)
        results.append(ProbeResult(probe.name, failure is None, probe.part, tried, share))

    complete = len(observed) == len(inputs) and observed[-1].status not in FINAL
    differs = False
    for index, seen in zip(questions.again, again, strict=False):
        before, name, tried = first[index], results[index].name, results[index].sizes
        if not complete or "ok" not in (before.status, seen.status):
            continue  # two calls that fail may fail differently: by how much memory is left, say
        if seen.status in FINAL:
            given, target = inputs[index], questions.expected[index]
            failures[index] = failure_of(exercise, exercise.probes[index], given, seen, target)
        elif not same_behavior(exercise, before.outputs, before, seen):
            failures[index] = Failure("state", *KEEPS, name, tried)
        else:
            continue
        differs = True
        results[index] = replace(results[index], passed=False, share=0.0)
    return _Played(observed, results, failures, complete, differs)


def _largest_error(questions: Questions, played: _Played) -> float | None:
    """The largest deviation in float64 over all results that have the right shape."""
    errors = [
        deviation(seen.outputs[name], value).max()
        for probe, target, seen in zip(
            questions.exercise.probes, questions.expected, played.observed, strict=False
        )
        if seen.status == "ok" and seen.device != "meta"
        for name, value in compared(probe, target).items()
        if name in seen.outputs
        and seen.outputs[name].shape == value.shape
        and value.dtype != np.float32
    ]
    return max(map(float, errors), default=None)


def _part(exercise, failure, mistake, results) -> str | None:
    """Where in the cell to look: the mistake's part, else the first that is off alone."""
    if mistake:
        return mistake.part
    if failure is None or failure.kind not in ("values", "gradient", "exception", "shape"):
        return None
    off = next((result.part for result in results if result.part and not result.passed), None)
    return exercise.part or off


def _notes(played: _Played) -> tuple[str, ...]:
    """What is said beside the finding."""
    observed = played.observed
    found_out = (seen.note for seen in observed if isinstance(seen, Examined) and seen.note)
    notes = list(dict.fromkeys(found_out))
    printed = sum(seen.printed_characters for seen in observed)
    if printed > 2000:
        beginning = next(seen.printed for seen in observed if seen.printed)[:60].strip()
        notes.append(
            f"It printed {printed:,} characters, beginning {beginning!r}. They do not count, "
            "but slow everything down."
        )
    on = sorted({seen.device for seen in observed} - {"cpu", "meta"})
    if on:
        import torch

        notes.append(f"Also run on the GPU: {torch.cuda.get_device_name()}.")
    elif any(seen.device == "meta" for seen in observed):
        notes.append("There is no GPU here; tensors on a wrong device were looked for without one.")
    return tuple(notes)
