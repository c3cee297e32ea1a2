"""One run at a time grades an assignment of a course.

The lock is the kernel's, on a file in ``autograded/``, not the file itself: it ends with the
process that holds it, however that one ends, and the file stays. What the file says is only for
whoever finds it locked.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from autograder.material.config import CourseError

CANNOT_LOCK = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EREMOTEIO}
"""How systems say that files of some folder, mostly on another machine, cannot be locked."""

_kept: dict[tuple[Path, str], int] = {}
"""Locks that this process holds until it ends, by course and assignment."""


@contextmanager
def only_run(course: Path, assignment: str, say: Callable[[str], None]) -> Iterator[None]:
    """Keep other runs from grading the assignment meanwhile.

    ``say`` gets a sentence where the course's folder cannot be locked. Raises CourseError where
    another run is grading it, or where nothing can be written.
    """
    descriptor = _locked(course, assignment, say)
    try:
        yield
    finally:
        with suppress(OSError):  # a full disk, or another user's file; it is only for people
            os.truncate(descriptor, 0)
        os.close(descriptor)


def keep_others_out(course: Path, command: Sequence[str], say: Callable[[str], None]) -> None:
    """What ``only_run`` does, until this process ends, for a command ``nbgrader autograde``.

    The assignments are those that the command line names, else all with submissions. Does nothing
    for other commands, nor in a server: it autogrades too, but nbgrader tells it of no end.
    Raises CourseError.
    """
    if "nbgrader" not in command[0] or "autograde" not in command[1:2]:
        return
    known = sorted({path.name for path in course.glob("submitted/*/*") if path.is_dir()})
    said = {word.rpartition("=")[2] for word in command[2:]}
    for assignment in [name for name in known if name in said] or known:
        if (course, assignment) not in _kept:
            _kept[course, assignment] = _locked(course, assignment, say)


def _locked(course: Path, assignment: str, say: Callable[[str], None]) -> int:
    """A descriptor that holds the lock until it is closed."""
    import fcntl  # which Windows lacks, where no class is graded but this package is imported

    path = course / "autograded" / f".{assignment}.lock"
    try:
        path.parent.mkdir(exist_ok=True)
        descriptor = _opened(path)
    except OSError as error:
        raise CourseError(
            f"Nothing can be written in {path.parent} ({error.strerror}), so nothing was graded."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 10_000)
        os.close(descriptor)
        raise CourseError(_in_use(assignment, holder)) from None
    except OSError as error:
        if error.errno not in CANNOT_LOCK:
            os.close(descriptor)
            raise
        say(
            f"Files in {path.parent} cannot be locked ({error.strerror}), as on some network "
            f"folders: see to it that nobody else grades {assignment} meanwhile."
        )
    me = {
        "process": os.getpid(),
        "host": os.uname().nodename,
        "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}",
        "command": Path(sys.argv[0]).name,
    }
    with suppress(OSError):
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(me).encode(), 0)
    return descriptor


def _opened(path: Path) -> int:
    """The lock file's descriptor; only to read where it is another user's, which suffices."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        if not path.exists():
            raise
        return os.open(path, os.O_RDONLY)


def _in_use(assignment: str, holder: bytes) -> str:
    try:
        told = json.loads(holder)
        who = f"{told['command']}, process {told['process']} on {told['host']}"
        who += f", since {told['since']}"
    except (ValueError, KeyError, TypeError):  # it has only just begun
        who = "another process"
    return (
        f"{assignment} is being graded already: {who}. Wait for its end, or end it with Ctrl-C, "
        "which loses nothing; then run this command again. Nothing was graded here."
    )
