"""Where expected answers come from: the torch reference, or a recording of it.

A recording holds the reference's answers for one seed, so that a process without torch can
run the NumPy checks with the same verdicts. The answers for the public seed ship with the
package; ``record`` writes others.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import io
import os
import zipfile
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from autograder.checking import courses
from autograder.checking.record import Exercise, Inputs, Outputs, Probe

PUBLIC_SEED = 2014
"""The seed of the checks that students run."""

SEED_VARIABLE = "AUTOGRADER_SEED"
RECORDING_VARIABLE = "AUTOGRADER_RECORDING"


def seed() -> int:
    """The seed in force: the instructor's secret one where it is set, else the public one."""
    text = os.environ.get(SEED_VARIABLE, "").strip()
    return as_seed(text) if text else PUBLIC_SEED


def as_seed(text: str) -> int:
    """Any text is a seed: digits count as a number, anything else is hashed (SHA-256)."""
    if text.isdecimal():
        return int(text)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _digest(inputs: Mapping) -> np.ndarray:
    """A fingerprint of the inputs of one probe.

    Rounded, because some inputs are computed (the states that a backward pass is given), and
    their last digits differ from one processor to another.
    """
    digest = hashlib.sha256()

    def add(value):
        if isinstance(value, Mapping):
            for key in sorted(value):
                digest.update(key.encode())
                add(value[key])
        elif isinstance(value, np.ndarray):
            with np.errstate(all="ignore"):  # the largest floats overflow; the others still tell
                rounded = np.round(value.astype(np.float64), 6) + 0.0  # no negative zeros
            digest.update(f"{value.shape}{value.dtype}".encode() + rounded.tobytes())
        else:
            digest.update(repr(value).encode())

    add(inputs)
    return np.frombuffer(digest.digest(), dtype=np.uint8)


def right(exercise: Exercise, inputs: Inputs) -> Outputs:
    """The right answer to any inputs, in NumPy where the exercise has such a one."""
    if exercise.in_numpy is None:
        return exercise.answer(inputs)
    with np.errstate(all="ignore"):
        return exercise.returns.flatten(exercise.in_numpy(**inputs))  # type: ignore[attr-defined]


@cache
def installed_torch() -> str | None:
    """The version of the torch that is installed here, None without; does not import it."""
    if importlib.util.find_spec("torch") is None:
        return None
    try:
        return importlib.metadata.version("torch").partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return ""


class Live:
    """Answers computed now by the torch reference."""

    def expected(self, exercise: Exercise, inputs: list[Inputs]) -> list[Outputs]:
        """The answer to each of ``inputs``, by the names of the results, in their order."""
        return [exercise.answer(drawn) for drawn in inputs]

    def describe(self, exercise: Exercise) -> str:
        """What answers are compared with, in words."""
        version = "none"
        if "{torch}" in exercise.reference:
            import torch

            version = torch.__version__.partition("+")[0]
        return exercise.reference.format(torch=version)


class RecordingError(RuntimeError):
    """A recording that is missing, unreadable or made for other probes."""


class Recorded:
    """Answers read from a file that ``record`` wrote; raises RecordingError when it does not fit."""

    def __init__(self, path: Path):
        try:
            # Of hundreds of arrays a check needs some; the file is small.
            self.stored = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
            self.torch = str(self.stored["torch"])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise RecordingError(
                f"No recorded answers could be read from {path} ({error}). Install torch, or "
                f"record them on a machine that has it: autograder record --output {path}"
            ) from error
        self.path = path

    def expected(self, exercise: Exercise, inputs: list[Inputs]) -> list[Outputs]:
        """The recorded answer to each of ``inputs``, which are one draw of every probe, in order.

        Raises RecordingError where the file holds none for these inputs, or the exercise needs torch.
        """
        if exercise.examine:  # facts about a report, which no reference computes
            return [exercise.answer(drawn) for drawn in inputs]
        if exercise.needs_torch:
            raise RecordingError(f"{exercise.name} is a torch exercise: install torch to check it.")
        if not self.holds(exercise, inputs):
            raise RecordingError(
                f"{self.path} holds no answers for these probes of {exercise.name}: it was "
                "recorded for another seed or another version of the course. Record it again "
                "where torch is installed: autograder record"
            )
        return [self._of(exercise, probe) for probe in exercise.probes]

    def holds(self, exercise: Exercise, inputs: list[Inputs]) -> bool:
        """Whether an answer to each of ``inputs``, one draw of every probe, is recorded."""
        return not exercise.needs_torch and all(
            (name := f"{exercise.name}/{probe.name}/inputs") in self.stored
            and np.array_equal(self.stored[name], _digest(drawn))
            for probe, drawn in zip(exercise.probes, inputs, strict=True)
        )

    def _of(self, exercise: Exercise, probe: Probe) -> Outputs:
        prefix = f"{exercise.name}/{probe.name}/output/"
        found = [key for key in self.stored.files if key.startswith(prefix)]
        return {key.removeprefix(prefix): self.stored[key] for key in found}

    def describe(self, exercise: Exercise) -> str:
        """What answers are compared with, in words: what gave them, here as live."""
        return exercise.reference.format(torch=self.torch)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Recorded:
    return Recorded(path)


def recorded(path: Path) -> Recorded:
    """The recording in ``path``, which is read anew where the file has changed."""
    return _read(path, path.stat().st_mtime_ns if path.is_file() else 0)


def source(exercise: Exercise, seed: int, inputs: list[Inputs]) -> Live | Recorded:
    """What answers these ``inputs``, drawn under ``seed``.

    The recording named in AUTOGRADER_RECORDING; else, for the public seed, what the course has
    recorded with the torch that is installed here, which spares a check the second that importing
    torch takes; else live; else, without torch, what the course has recorded. A course that has no
    recording does without torch. Raises RecordingError and LookupError.
    """
    named = os.environ.get(RECORDING_VARIABLE)
    if named:
        return recorded(Path(named))
    path = courses.find(exercise.course).recording if exercise.course else None
    if path is None:
        return Live()
    installed = installed_torch()
    if installed is None:
        return recorded(path)
    if seed == PUBLIC_SEED and path.is_file():
        known = recorded(path)
        if known.torch == installed and known.holds(exercise, inputs):
            return known
    return Live()


def record(exercises: tuple[Exercise, ...], with_seed: int, path: Path) -> int:
    """Write the reference's answers to the NumPy exercises; returns the number of probes."""
    import torch

    arrays = {"torch": np.array(torch.__version__.partition("+")[0])}
    count = 0
    for exercise in exercises:
        if exercise.needs_torch or exercise.examine:
            continue
        for probe, drawn in zip(exercise.probes, exercise.draw(with_seed), strict=True):
            prefix = f"{exercise.name}/{probe.name}/"
            arrays[prefix + "inputs"] = _digest(drawn)
            for key, value in exercise.answer(drawn).items():
                arrays[f"{prefix}output/{key}"] = value
            count += 1
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # of other keywords
    return count
