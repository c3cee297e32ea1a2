"""What was handed in: which submissions there are, which file of each counts, and when it came."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.material import papers
from autograder.material.config import CourseError, write
from autograder.material.remarks import Remark

MOST_OF_A_RECEIPT = 10_000
"""Bytes that are read of ``timestamp.txt`` and ``submission_secret.txt``."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the file to grade, or why there is none."""

    student: str
    folder: Path
    notebook: Path | None
    problem: Remark | None = None

    def read(self) -> bytes:
        """The submitted file, else a notebook that says why there is none. Raises OSError.

        Of a file that is too large to be graded it is the beginning.
        """
        if self.notebook:
            return papers.read_file(self.notebook)
        says = self.problem.says if self.problem else ""
        return json.dumps(papers.paper_that_says(says)).encode()


def submissions(course: Path, assignment: str) -> list[Submission]:
    """Everybody's submission, by student. Raises CourseError where there is none."""
    folder = course / "submitted"
    found = [
        _submission(path.parent.name, path, assignment)
        for path in sorted(folder.glob(f"*/{assignment}"))
        if (path.is_dir() or path.is_symlink()) and not path.parent.name.startswith(".")
    ]
    if not found:
        raise CourseError(
            f"There is nothing to grade: no folder submitted/STUDENT/{assignment} in {course}."
        )
    return found


def _submission(student: str, folder: Path, assignment: str) -> Submission:
    """The notebook of one student: the one of the right name, else the newest."""
    wanted = folder / f"{assignment}.ipynb"
    if folder.is_symlink():
        says = "The folder is a link to another one, which is not followed."
        return Submission(student, folder, None, Remark("missing", says))
    try:
        files = [p for p in folder.glob("*.ipynb") if p.is_file() or p.is_symlink()]
        real = [path for path in files if not path.is_symlink()]
        newest = max(real, key=lambda path: (path == wanted, path.lstat().st_mtime), default=None)
    except OSError as error:
        says = f"The folder could not be read: {error.strerror}."
        return Submission(student, folder, None, Remark("unreadable", says))
    if newest is not None:
        problem = None
        if len(real) > 1:
            says = f"There were {len(real)} notebooks; {newest.name} is graded."
            problem = Remark("repaired", says)
        elif newest != wanted:
            problem = Remark("repaired", f"{newest.name!r} is graded as {wanted.name}.")
        return Submission(student, folder, newest, problem)
    if files:
        problem = Remark(
            "missing", "The notebook is a link to another file, which is not followed."
        )
    else:
        problem = Remark("missing", "There was no notebook in the folder.")
    return Submission(student, folder, None, problem)


def only(found: Iterable[Submission], students: Sequence[str]) -> list[Submission]:
    """The submissions of these students, of all when none are named. Raises CourseError."""
    found = list(found)
    known = {submission.student for submission in found}
    unknown = [student for student in students if student not in known]
    if unknown:
        raise CourseError(f"Nothing was handed in by {', '.join(unknown)}.")
    return [s for s in found if not students or s.student in students]


def handed_in(submission: Submission) -> datetime | None:
    """From nbgrader's ``timestamp.txt``, else when the notebook was saved; UTC."""
    from nbgrader.utils import parse_utc

    with contextlib.suppress(OSError, ValueError, OverflowError):
        text = papers.read_file(submission.folder / "timestamp.txt", MOST_OF_A_RECEIPT)
        return parse_utc(text.decode("utf-8").strip())
    if submission.notebook is None:
        return None
    with contextlib.suppress(OSError):
        return _saved(submission.notebook).replace(tzinfo=None)
    return None


def _saved(path: Path) -> datetime:
    """When a file was saved. A time that no calendar has counts as 1970. Raises OSError."""
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


def complete_receipt(folder: Path, notebooks: Sequence[Path]) -> None:
    """What ``nbgrader submit`` leaves beside a notebook, for submissions that were copied.

    ``nbgrader release_feedback`` stops at the first one without it. Raises OSError.
    """
    secret, timestamp = folder / "submission_secret.txt", folder / "timestamp.txt"
    # A link, even one that leads nowhere, would have us write outside the folder.
    if secret.is_symlink() or not secret.exists():
        write(secret, secrets.token_hex(64))
    if timestamp.is_symlink() or not timestamp.exists():
        when = max(map(_saved, notebooks))
        write(timestamp, f"{when:%Y-%m-%d %H:%M:%S.%f} UTC")
