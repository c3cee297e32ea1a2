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
    folder = graded_folder(course, submission, graded.assignment)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{graded.assignment}.ipynb": notebook + "\n"}
    for name in ("timestamp.txt", "submission_secret.txt"):
        with contextlib.suppress(OSError):
            receipt = papers.read_file(submission.folder / name, MOST_OF_A_RECEIPT)
            texts[name] = receipt.decode("utf-8", "replace")
    texts[UNRECORDED] = "The gradebook has not heard of this grade yet.\n"
    texts["grade.json"] = graded.to_json()
    # First everything that takes room, then steps that take none.
    made: dict[str, Path] = {}
    try:
        for name, text in texts.items():
            made[name] = folder / f".{name}.{os.getpid()}"
            made[name].write_text(text, encoding="utf-8", newline="\n")
        (folder / "grade.json").unlink(missing_ok=True)
        for path in folder.iterdir():
            if path.name not in texts and path not in made.values():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for name, path in made.items():
            path.replace(folder / name)
    finally:
        for path in made.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


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
