"""The judge: draws probes, has a player run the code, compares, diagnoses, decides the points.

It never runs student code itself. The catalogue's own wrong implementations go through the
same player, so that a mistake is recognized by behaving exactly like the student's code on
every probe: same values within tolerance, or the same error, the same modified inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from autograder.checking import answers
from autograder.checking.record import Examined, Exercise, Inputs, Mistake, Outputs, Probe
from autograder.checking.verdict import Diagnosis, Failure, ProbeResult, Verdict
from autograder.player.contract import Arrays, Gradients
from autograder.player.failures import FAILURES, FINAL
from autograder.player.observe import AUTOGRAD, Observation

FLOAT32_TOLERANCE = 2e-5
"""Used where an answer is in float32 by contract, in which rounding leaves about 1e-7 a step."""

SAME = 1e-9
"""Two wrong answers this close come from the same mistake: different ones are 1e-2 apart, and
rounding grows with the size of a wrong number."""

RUNAWAY = np.float64(1e6)
"""States live in (-1, 1); beyond this size, and at nan, only "not a state" can be compared."""

Player = Callable[[list[Inputs]], Iterable[Observation]]
"""Runs the code on these inputs, one after the other, and says what it did on each. It may stop
after a status of ``player.observe.FINAL``, since the others would only say the same."""


def tolerance_for(exercise: Exercise, expected: np.ndarray) -> float:
    """Largest |answer - reference| / (1 + |reference|) that passes."""
    return FLOAT32_TOLERANCE if expected.dtype == np.float32 else exercise.tolerance


def deviation(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """|found - expected| / (1 + |expected|), element by element; not a number counts as inf."""
    with np.errstate(all="ignore"):
        difference = np.abs(found - expected) / (1 + np.abs(expected))
    return np.where(np.isnan(difference), np.inf, difference)


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
                "Nothing in the inputs has that type: where does it come from?",
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


def compared(probe: Probe, expected: Outputs) -> Outputs:
    """The results that count on this probe."""
    if probe.outputs is None:
        return expected
    return {name: expected[name] for name in probe.outputs}


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
    return f" Off: {', '.join(off)}. Right: {', '.join(right) or 'none'}."


def _share(exercise: Exercise, failure: Failure | None, seen: Observation, expected: Outputs):
    """What one probe is worth, 0 to 1: for gradients, the share of the results that are right.

    A result that is zero by construction says nothing about who found it, so it does not count.
    """
    if failure is None:
        return 1.0
    if not isinstance(exercise.returns, Gradients) or failure.kind not in ("values", "shape"):
        return 0.0
    off, right = _sorted_out(exercise, seen.outputs, expected)
    right = [name for name in right if expected[name].any()]
    return len(right) / (len(right) + len(off))


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
            f"First at {name}{index}, {reference}: you are off by {error[where]:.0e}, "
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


def _shape_advice(exercise: Exercise, inputs: Inputs, found: tuple, expected: tuple) -> str:
    if len(found) == len(expected) and found[::-1] == expected:
        return "Your axes are in reverse order."
    if len(expected) > 1 and found == expected[1:]:
        return exercise.first_axis(inputs, expected) or "The first axis is missing."
    if tuple(n for n in found if n != 1) == tuple(n for n in expected if n != 1):
        return "An axis of length 1 is too many or missing."
    return ""


def same_behavior(
    exercise: Exercise,
    expected: Outputs,
    one: Observation,
    other: Observation,
    within: float | None = None,
) -> bool:
    """Whether two observations on the same probe cannot be told apart.

    ``within`` is the largest deviation between them, by default what rounding leaves.
    """
    if (one.status, one.message, one.modified, one.device) != (
        other.status,
        other.message,
        other.modified,
        other.device,
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
def _drawn(exercise: Exercise, seed: int) -> list[Inputs]:
    return exercise.draw(seed)


@cache
def _mistaken(mistake: Mistake, exercise: Exercise, seed: int, index: int) -> Observation:
    return _outcome(exercise, exercise.observe(mistake.wrong, _drawn(exercise, seed)[index]))


def _outcome(exercise: Exercise, seen: Observation) -> Observation:
    """What is compared: what was observed, or what it turned out to be worth."""
    return exercise.examine(seen) if exercise.examine else seen


def _diagnosis(mistake: Mistake) -> Diagnosis:
    return Diagnosis(
        mistake.name, mistake.says, mistake.part, mistake.section, mistake.within is None
    )


def matching_mistakes(
    exercise: Exercise,
    seed: int,
    observed: list[Observation],
    expected: list[Outputs],
    indices: list[int] | None = None,
) -> list[Mistake]:
    """The catalogued mistakes that behave like ``observed`` on every probe (or on ``indices``).

    A mistake of precision is only named when no closer one does the same.
    """
    # Probes that fail tell mistakes apart best: look at those first.
    if indices is not None:
        expected = [compared(p, e) for p, e in zip(exercise.probes, expected, strict=True)]
    else:
        indices = sorted(range(len(observed)), key=lambda i: exercise.probes[i].part is not None)
    found = [
        mistake
        for mistake in exercise.mistakes
        if all(
            same_behavior(
                exercise,
                expected[i],
                observed[i],
                _mistaken(mistake, exercise, seed, i),
                mistake.within,
            )
            for i in indices
        )
    ]
    closest = min((mistake.within or 0.0 for mistake in found), default=0.0)
    return [mistake for mistake in found if (mistake.within or 0.0) == closest]


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
        source = answers.source(exercise.course)
        inputs = _drawn(exercise, seed)
        expected = source.expected(exercise, inputs)
        return cls(exercise, seed, inputs, expected, source.describe(exercise))

    @property
    def played(self) -> list[Inputs]:
        """The inputs in the order in which a player gets them.

        The last ones come twice: the same inputs have to give the same result.
        """
        return [*self.inputs, self.inputs[-1]]


def judge(exercise: Exercise, player: Player, seed: int | None = None) -> Verdict:
    """Check one function or class, which ``player`` runs."""
    questions = Questions.prepare(exercise, seed)
    return decide(questions, player(questions.played))


@dataclass(frozen=True)
class _Played:
    """What came of all probes: one of each list for each probe, in order."""

    observed: list[Observation]
    results: list[ProbeResult]
    failures: list[Failure | None]
    complete: bool
    """whether every probe was played, to its end"""
    remembers: bool
    """whether the same inputs gave another result when they came again"""

    @property
    def passed(self) -> bool:
        return self.complete and not any(self.failures)

    @property
    def first(self) -> Failure | None:
        return next((failure for failure in self.failures if failure), None)

    @property
    def share(self) -> float:
        """Of the points, 0 to 1."""
        if not self.complete:
            return 0.0
        return sum(result.share for result in self.results) / len(self.results)


def decide(questions: Questions, observations: Iterable[Observation]) -> Verdict:
    """The verdict on what was observed while ``questions.played`` was played."""
    exercise = questions.exercise
    played = _compare(questions, list(observations))
    mistake, suspicions = None, ()
    if played.complete and not played.passed and not played.remembers:
        mistake, suspicions = _named(questions, played)
    named = mistake or next(iter(suspicions), None)
    return Verdict(
        exercise=exercise.name,
        assignment=exercise.assignment,
        signature=exercise.signature,
        part_names=exercise.parts,
        passed=played.passed,
        points=round(exercise.points * played.share, 2),
        max_points=exercise.points,
        probes=tuple(played.results),
        failure=played.first,
        mistake=mistake,
        suspicions=suspicions,
        part=_part(exercise, played.first, mistake, played.results),
        equation=exercise.equation,
        hint=exercise.hints[0],
        section=named.section if named else exercise.section,
        largest_error=_largest_error(questions, played),
        tolerance=exercise.tolerance,
        reference=questions.reference,
        notes=_notes(exercise, played, mistake),
        tried=exercise.tried,
        recognized=exercise.recognized,
        course=exercise.course,
    )


def _compare(questions: Questions, observed: list[Observation]) -> _Played:
    """Hold every observation against what was expected of it."""
    exercise, inputs = questions.exercise, questions.inputs
    again = observed[len(inputs) :]
    del observed[len(inputs) :]
    as_seen = observed[-1:]
    observed = [_outcome(exercise, seen) for seen in observed]
    results, failures = [], []
    for probe, drawn, target, seen in zip(  # a player may have stopped early
        exercise.probes, inputs, questions.expected, observed, strict=False
    ):
        target = compared(probe, target)
        failure = failure_of(exercise, probe, drawn, seen, target)
        failures.append(failure)
        share = _share(exercise, failure, seen, target)
        tried = seen.sizes if isinstance(seen, Examined) else exercise.sizes(drawn)
        results.append(ProbeResult(probe.name, failure is None, probe.part, tried, share))

    complete = len(observed) == len(inputs) and observed[-1].status not in FINAL
    remembers = (
        complete
        and not any(failures)
        and not same_behavior(exercise, as_seen[0].outputs, as_seen[0], again[0])
    )
    if remembers:
        last = results[-1]
        failures[-1] = Failure(
            "state",
            "Called twice with the same inputs, it gives two different results.",
            "Something is kept from one call to the next: in a global variable, or in a list or "
            "dict that is a default argument. Start afresh in every call.",
            last.name,
            last.sizes,
        )
        results[-1] = replace(last, passed=False, share=0.0)
    return _Played(observed, results, failures, complete, remembers)


def _named(questions: Questions, played: _Played) -> tuple[Diagnosis | None, tuple]:
    """The mistake that explains everything, or what single parts look like."""
    exercise, seed, expected = questions.exercise, questions.seed, questions.expected
    found = matching_mistakes(exercise, seed, played.observed, expected)
    if found:
        return _diagnosis(found[0]), ()
    return None, _suspicions(exercise, seed, played.observed, expected, played.failures)


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


def _suspicions(exercise, seed, observed, expected, failures) -> tuple[Diagnosis, ...]:
    """For each part that is off alone: the one mistake in that part which alone explains it, if any."""
    found, errors = [], set()
    for index, (probe, failure) in enumerate(zip(exercise.probes, failures, strict=True)):
        if probe.part is None or failure is None:
            continue
        if failure.kind == "exception":  # the same error in every part has one cause, not many
            if failure.headline.partition(":")[0] in errors:
                continue
            errors.add(failure.headline.partition(":")[0])
        candidates = [
            m
            for m in matching_mistakes(exercise, seed, observed, expected, [index])
            if m.part == probe.part
        ]
        if len(candidates) == 1:
            found.append(_diagnosis(candidates[0]))
    return tuple(found)


def _notes(exercise: Exercise, played: _Played, mistake: Diagnosis | None) -> tuple[str, ...]:
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
    first = played.first
    if exercise.builds_on and first and first.kind in ("values", "exception") and not mistake:
        notes.append(
            f"If it calls your {' or '.join(exercise.builds_on)}, make the check there green "
            "first: what is wrong there shows here too."
        )
    return tuple(notes)
