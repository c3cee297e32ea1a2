"""What was handed in: which submissions there are, which file of each counts, and when it came."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import secrets
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from autograder.material import papers, restoring
from autograder.material.config import CourseError, write
from autograder.material.papers import Release
from autograder.material.remarks import Remark

RECEIPTS = ("timestamp.txt", "submission_secret.txt")
"""What nbgrader leaves beside a notebook that was handed in."""

MOST_OF_A_RECEIPT = 10_000
"""Bytes that are read of ``timestamp.txt`` and ``submission_secret.txt``."""


MOST_CANDIDATES = 50
"""Files of a folder, or of a zip in it, that are looked into."""

MOST_LEVELS = 4
"""Folders below the submission's own in which a notebook is looked for."""

MOST_UNPACKED = 200 << 20
"""Bytes of all the files of a submission that are looked into."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the file to grade, or why there is none."""

    student: str
    folder: Path
    notebook: Path | None
    problem: Remark | None = None
    member: str = ""
    """which file of ``notebook``, where that is a zip"""

    def read(self) -> bytes:
        """The submitted file, else a notebook that says why there is none. Raises OSError.

        Of a file that is too large to be graded it is the beginning.
        """
        if self.notebook and self.member:
            return _member(self.notebook, self.member)
        if self.notebook:
            return papers.read_file(self.notebook)
        says = self.problem.says if self.problem else ""
        return json.dumps(papers.paper_that_says(says)).encode()


@dataclass(frozen=True)
class _File:
    """A file that could be the notebook."""

    path: Path
    member: str
    name: str
    """its place in what was handed in, with ``/`` between folders"""
    saved: float

    def read(self) -> bytes:
        return _member(self.path, self.member) if self.member else papers.read_file(self.path)


def submissions(course: Path, assignment: str, release: Release | None = None) -> list[Submission]:
    """Everybody's submission, by student. Raises CourseError where there is none.

    ``release`` tells which of several notebooks was worked on; by default it is made where needed.
    """
    folder = course / "submitted"
    made = cache(lambda: release or release_of(course, assignment))
    found = [
        submission_in(student, folder / student / name, assignment, made)
        for student in _folders_in(folder)
        if not student.startswith(".")
        for name in _folders_in(folder / student)
        if _alike(name, assignment)
    ]
    if not found:
        raise CourseError(
            f"There is nothing to grade: no folder submitted/STUDENT/{assignment} in {course}."
        )
    return found


def _folders_in(place: Path) -> list[str]:
    """The names of folders, and of whatever is a link, in order; none where it cannot be read."""
    try:
        with os.scandir(place) as entries:
            return sorted(entry.name for entry in entries if entry.is_symlink() or entry.is_dir())
    except OSError:
        return []


def submission_in(
    student: str, folder: Path, assignment: str, release: Callable[[], Release]
) -> Submission:
    """The notebook that counts of what lies in a student's folder, and what was noticed.

    ``release`` gives what the assignment's students were given; it is asked where it is needed.
    Whatever reads as a notebook may be it, whatever it is called. Of several, one that was worked
    on counts before one as it was given out; then its name and its place decide, then its age.
    """
    wanted = f"{assignment}.ipynb"
    if folder.is_symlink():
        says = "The folder is a link to another one, which is not followed."
        return Submission(student, folder, None, Remark("missing", says))
    try:
        files, linked = _files(folder)
    except OSError as error:
        says = f"The folder could not be read: {error.strerror}."
        return Submission(student, folder, None, Remark("unreadable", says))
    if len(files) == 1 and files[0].name == wanted:
        return Submission(student, folder, files[0].path)
    made = release()
    ranked = sorted(
        ((_worth(file, made, assignment), file) for file in files),
        key=lambda both: both[0],
        reverse=True,
    )
    readable = [(worth, file) for worth, file in ranked if worth[0] > _NOTHING]
    if readable:
        return _chosen(student, folder, wanted, readable)
    if files:  # damaged, all of them: which one is said
        _, file = ranked[0]
        says = f"{file.name!r} is graded as {wanted}."
        problem = None if file.name == wanted else Remark("repaired", says)
        named = [file for file in files if _looks_like_a_notebook(file.name)]
        if named:
            return Submission(student, folder, file.path, problem, file.member)
        names = ", ".join(repr(file.name) for file in files[:5])
        says = f"There was no notebook in the folder, but {names}."
        return Submission(student, folder, None, Remark("unreadable", says))
    says = "There was no notebook in the folder."
    if linked:
        says = "The notebook is a link to another file, which is not followed."
    return Submission(student, folder, None, Remark("missing", says))


def _chosen(student: str, folder: Path, wanted: str, readable: list) -> Submission:
    """The first of these, and what is said about the choice."""
    worth, file = readable[0]
    problem = None
    if len(readable) > 1:
        says = f"There were {len(readable)} notebooks; {file.name} is graded."
        untouched = [other.name for value, other in readable[1:] if value[0] == _UNTOUCHED]
        if untouched and worth[0] == _WORKED_ON:
            as_given = ", ".join(untouched[:3])
            says = (
                says[:-1] + f", {as_given} {'is' if len(untouched) == 1 else 'are'} as given out."
            )
        problem = Remark("repaired", says)
    elif file.name != wanted:
        problem = Remark("repaired", f"{file.name!r} is graded as {wanted}.")
    return Submission(student, folder, file.path, problem, file.member)


_NOTHING, _OTHER, _UNTOUCHED, _WORKED_ON = range(4)


def _worth(file: _File, release: Release, assignment: str) -> tuple:
    """What speaks for a file, the most important first: larger is better."""
    try:
        paper = papers.read(file.read())
    except (papers.Unreadable, OSError, ValueError, RecursionError):
        state = _NOTHING
    else:
        state = _state(paper, release)
    parts = file.name.split("/")
    checkpoint = ".ipynb_checkpoints" in parts
    exact = parts[-1] == f"{assignment}.ipynb"
    usual = _looks_like_a_notebook(file.name)
    # A notebook that Jupyter put aside counts only where no other one does.
    return (state, not checkpoint, exact and len(parts) == 1, usual, exact, -len(parts), file.saved)


def _state(paper: papers.Paper, release: Release) -> int:
    """Whether a notebook is this assignment's, and whether somebody worked on it."""
    code = [cell["source"] for cell in paper["cells"] if cell["cell_type"] == "code"]
    asked = [name for name, _ in release.asked]
    if asked and not any(restoring.defines(source, name) for source in code for name in asked):
        return _OTHER
    given = {source.strip() for source in release.sources}
    return _WORKED_ON if any(s.strip() and s.strip() not in given for s in code) else _UNTOUCHED


def release_of(course: Path, assignment: str) -> Release:
    """What students were given, or nothing where the course has no such source any more."""
    try:
        return papers.release_of(course, assignment)
    except CourseError:
        return papers.NO_RELEASE


def _alike(one: str, other: str) -> bool:
    """Whether two names are the same to people: however composed, large letters or small."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _looks_like_a_notebook(name: str) -> bool:
    return ".ipynb" in _folded(name)


def _files(folder: Path) -> tuple[list[_File], bool]:
    """The regular files in a folder that may be notebooks, and whether a link is called like
    one. Zips are looked into. Raises OSError.
    """
    found: list[_File] = []
    linked = False
    waiting = [(folder, 0)]
    room = MOST_UNPACKED
    while waiting and len(found) < MOST_CANDIDATES:
        place, level = waiting.pop(0)
        for path in sorted(place.iterdir()):
            state = path.lstat()
            if stat.S_ISDIR(state.st_mode) and level < MOST_LEVELS and path.name != "__MACOSX":
                waiting.append((path, level + 1))
            elif stat.S_ISLNK(state.st_mode):
                linked = linked or _looks_like_a_notebook(path.name)
            elif not stat.S_ISREG(state.st_mode):
                continue
            elif not path.name.startswith("._") and path.name not in RECEIPTS:
                name = path.relative_to(folder).as_posix() if level else path.name
                name = name.replace("\\", "/")
                if path.suffix.lower() == ".zip":
                    found += _members(path, name)
                elif state.st_size <= room or _looks_like_a_notebook(name):
                    room -= state.st_size
                    found.append(_File(path, "", name, state.st_mtime))
    return found[:MOST_CANDIDATES], linked


def _members(path: Path, name: str) -> list[_File]:
    """The files in a zip that may be notebooks; none where it is no zip or is too large."""
    saved = path.lstat().st_mtime
    try:
        with zipfile.ZipFile(io.BytesIO(papers.read_file(path))) as archive:
            inside = [
                member
                for member in archive.infolist()
                if _looks_like_a_notebook(member.filename)
                and not member.filename.rpartition("/")[2].startswith("._")
                and "__MACOSX" not in member.filename
                and member.file_size <= papers.LONGEST_FILE
            ]
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return []
    if sum(member.file_size for member in inside) > MOST_UNPACKED:
        return []
    names = [member.filename for member in inside[:MOST_CANDIDATES]]
    return [_File(path, n, f"{name}/{n}".replace("\\", "/"), saved) for n in names]


def _member(path: Path, member: str) -> bytes:
    """A file in a zip, as far as it is read. Raises OSError."""
    try:
        with zipfile.ZipFile(io.BytesIO(papers.read_file(path))) as archive:
            with archive.open(member) as file:
                return file.read(papers.LONGEST_FILE + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError, zlib.error) as error:
        raise OSError(errno.EIO, f"{member} in {path.name}: {error}") from error


def only(found: Iterable[Submission], students: Sequence[str]) -> list[Submission]:
    """The submissions of these students, of all when none are named. Raises CourseError."""
    found = list(found)
    known = {submission.student for submission in found}
    unknown = [student for student in students if student not in known]
    if unknown:
        raise CourseError(f"Nothing was handed in by {', '.join(unknown)}.")
    return [s for s in found if not students or s.student in students]


def handed_in(submission: Submission) -> datetime | None:
    """When the file that is graded came; UTC and naive. None where there is none.

    That is when it was saved. ``timestamp.txt`` counts where it is later: what ``nbgrader submit``
    leaves always is, and one that somebody packed to look early never helps.
    """
    return _handed_in(submission, _receipt(submission.folder / "timestamp.txt"))


def _handed_in(submission: Submission, receipt: datetime | None) -> datetime | None:
    times = [] if receipt is None else [receipt]
    if submission.notebook is not None:
        with contextlib.suppress(OSError):
            times.append(_saved(submission.notebook).replace(tzinfo=None))
    return max(times, default=None)


def _saved(path: Path) -> datetime:
    """When a file was saved. A time that no calendar has counts as 1970. Raises OSError."""
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


def complete_receipt(submission: Submission) -> datetime | None:
    """What ``nbgrader submit`` leaves beside a notebook, for submissions that were copied.

    ``nbgrader release_feedback`` stops at the first one without it, and ``nbgrader autograde``
    believes it: a time from before the file was saved is written anew. Returns when it was handed
    in, which is not worked out twice. Raises OSError.
    """
    secret, timestamp = (submission.folder / name for name in reversed(RECEIPTS))
    # A link, even one that leads nowhere, would have us write outside the folder.
    if secret.is_symlink() or not secret.exists():
        write(secret, secrets.token_hex(64))
    told = _receipt(timestamp)
    when = _handed_in(submission, told)
    if when is not None and told != when:
        write(timestamp, f"{when:%Y-%m-%d %H:%M:%S.%f} UTC")
    return when


_AS_NBGRADER_WRITES = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?) UTC", re.ASCII)


def _receipt(path: Path) -> datetime | None:
    from nbgrader.utils import parse_utc

    if path.is_symlink():
        return None
    try:
        text = papers.read_file(path, MOST_OF_A_RECEIPT).decode("utf-8").strip()
        # nbgrader reads any time in any words, and takes a hundred times as long for its own.
        usual = _AS_NBGRADER_WRITES.fullmatch(text)
        return datetime.fromisoformat(usual[1]) if usual else parse_utc(text)
    except (OSError, ValueError, OverflowError):
        return None
