"""Grades as files: where a grade lies, how it is written whole or not at all, and read again."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from autograder.grading.graded import Graded
from autograder.material import papers
from autograder.material.collect import MOST_OF_A_RECEIPT, Submission
from autograder.material.config import CourseError

UNRECORDED = "unrecorded.txt"
"""Lies beside a new grade until the gradebook has it, so that a run which is killed between the two
does not make the next one take the grade for an old one."""


def graded_folder(course: Path, submission: Submission, assignment: str) -> Path:
    """Where the grade of a submission lies."""
    return course / "autograded" / submission.student / assignment


def read_grade(folder: Path) -> Graded | None:
    """The grade in a folder, None where there is none that can be read: it is made anew."""
    try:
        return Graded.from_json((folder / "grade.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def store(course: Path, submission: Submission, graded: Graded, notebook: str) -> None:
    """Write a grade where nbgrader looks for it, ``grade.json`` last. Raises OSError.

    Whatever a killed run or the submission left in the folder goes away. Where the disk is full,
    the grade that was there stays.
    """
    folder = str(graded_folder(course, submission, graded.assignment))
    new = not os.path.isdir(folder)
    if new:
        os.makedirs(folder)
    texts = {f"{graded.assignment}.ipynb": (notebook + "\n").encode()}
    for name in ("timestamp.txt", "submission_secret.txt"):
        with contextlib.suppress(OSError):
            receipt = papers.read_file(submission.folder / name, MOST_OF_A_RECEIPT)
            texts[name] = receipt.decode("utf-8", "replace").encode()
    texts[UNRECORDED] = b"The gradebook has not heard of this grade yet.\n"
    texts["grade.json"] = graded.to_json().encode()
    # First everything that takes room, then steps that take none. What an empty folder gets takes
    # its place at once: it counts for nothing without its grade.
    made: dict[str, str] = {}
    try:
        for name, text in texts.items():
            scratch = name if new and name != "grade.json" else f".{name}.{os.getpid()}"
            made[name] = os.path.join(folder, scratch)
            _write(made[name], text)
        if not new:
            _clear(folder, {*texts, *map(os.path.basename, made.values())})
        for name, path in made.items():
            if path != (place := os.path.join(folder, name)):
                os.replace(path, place)
    except BaseException as error:
        for path in made.values():
            # Ctrl-C may come when everything is in its place, a failure does not.
            if isinstance(error, OSError) or os.path.basename(path).startswith("."):
                with contextlib.suppress(OSError):
                    os.unlink(path)
        raise


def _write(path: str, data: bytes) -> None:
    """Write a file in three system calls, where Python's own way takes twice as many: at each of
    them another thread may take the interpreter. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)


def _clear(folder: str, but: set[str]) -> None:
    """Remove the grade, then everything with another name than these. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, "grade.json"))
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name in but:
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def stored_grades(course: Path, assignment: str) -> Iterator[Graded]:
    """Everybody's grade, by student; folders without one are left out."""
    for path in sorted(course.glob(f"autograded/*/{assignment}/grade.json")):
        graded = read_grade(path.parent)
        if graded is not None:
            yield graded


def require_room(course: Path) -> None:
    """Raise CourseError where no grade can be written, before any is made."""
    folder = course / "autograded"
    try:
        folder.mkdir(exist_ok=True)
        scratch = folder / f".writable.{os.getpid()}"
        scratch.touch()
        scratch.unlink()
    except OSError as error:
        raise CourseError(
            f"Nothing can be written in {folder} ({error.strerror}), so nothing was graded."
        ) from error
