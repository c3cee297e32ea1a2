"""Work for workers that needs no engine, and is soon imported: to see what becomes of it."""

from __future__ import annotations

import json
import os
import pickle
import signal
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from autograder.grading.graded import Graded
from autograder.grading.workers import Settings
from autograder.material.papers import Release

SETTINGS = Settings("gru", Release("gru", "gated-memory"), 0, "version")


def hand_in(course: Path, students: Iterable[str], text: str = "") -> Path:
    """Let each of them have handed in a file with this text. The course."""
    for student in students:
        place = course / "submitted" / student / "gru"
        place.mkdir(parents=True)
        (place / "gru.ipynb").write_text(text)
    return course


def easy(settings: Settings, student: str, data: bytes, remarks=()) -> tuple[Graded, str]:
    digest = sha256(data).hexdigest()
    graded = Graded(settings.assignment, student, digest, settings.version, ())
    return graded, "{}"


def deadly(settings: Settings, student: str, data: bytes, remarks=()) -> tuple[Graded, str]:
    """Kills the process when it is mallory's work, and, once, when it is ulla's."""
    once = data.decode()
    if student == "mallory" or (student == "ulla" and not os.path.exists(once)):
        Path(once).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return easy(settings, student, data)


def endless(settings: Settings, student: str, data: bytes, remarks=()) -> tuple[Graded, str]:
    """Tells the reader of a named pipe that it has begun, and never ends."""
    Path(data.decode()).write_text("begun")
    while True:
        signal.pause()


def big(settings, student: str, data: bytes, remarks=()) -> tuple[Graded, str]:
    """An answer that fits into no pipe."""
    return easy(settings, student, data)[0], " " * 10_000_000 + "{}"


_refused: list[bytes] = []


def once_refused(settings, student: str, data: bytes, remarks=()) -> tuple[Graded, str]:
    """Waits, the first time, until ``refusing_fork`` has refused another process."""
    if not _refused:
        with Path(f"{os.environ['FORKS']}.refused").open("rb", buffering=0) as pipe:
            _refused.append(pipe.read(1))
    return easy(settings, student, data)


def never_where_told(settings, student: str, data: bytes, remarks=()) -> tuple[Graded, str]:
    """Never ends in a process that the environment tells to be so."""
    while "HANGS" in os.environ:
        signal.pause()
    return easy(settings, student, data)


class Unsendable(Exception):
    """Made again, as pickle does it, it fails."""

    def __init__(self, one: str, two: str):
        super().__init__(one + two)


def raises(settings, student: str, data: bytes, remarks=()):
    raise Unsendable("no ", "grade")


def answers_with_a_function(settings, student: str, data: bytes, remarks=()):
    return (lambda: student), "{}"


class Broken:
    """Sent well, and not to be read."""

    def __reduce__(self):
        return pickle.loads, (b"broken",)


def answers_broken(settings, student: str, data: bytes, remarks=()):
    return Broken(), "{}"


def as_sampled(sample: tuple[str, str]):
    """Grades everybody as the sample was graded; the notebook says of which file it is."""

    def grade(settings: Settings, student: str, data: bytes, remarks=()) -> tuple[Graded, str]:
        digest = sha256(data).hexdigest()
        graded = replace(Graded.from_json(sample[0]), student=student, digest=digest)
        paper = json.loads(sample[1])
        paper["metadata"]["of"] = digest
        return graded, json.dumps(paper)

    return grade
