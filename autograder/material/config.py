"""The course folder: where it is, which course it holds, what its settings say; and how files in
it are written.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from autograder.checking import courses
from autograder.checking.course import Course

MARKER = "nbgrader_config.py"
"""The file that makes a folder a course folder."""

NAMES = "autograder.toml"
"""The file beside it that names the course: ``course = "gated-memory"``."""


class CourseError(Exception):
    """A problem the person at the keyboard can fix; the message says how."""


def find_course(start: Path | None = None) -> Path:
    """The course folder that contains ``start`` (the current folder, unless told)."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / MARKER).is_file() and (folder / "solutions").is_dir():
            return folder
    raise CourseError(
        f"{start} is not inside the course: no folder above it holds {MARKER} and solutions/. "
        "Change to the course folder, or name it with --course."
    )


def course_of(folder: Path | None) -> Course:
    """The course that a folder holds: the one that its ``autograder.toml`` names, else the only one.

    Outside a course folder, None, it is the only one. Raises CourseError where the name cannot be
    read, and where the course is not installed.
    """
    return _course_named(None if folder is None else _name_in(folder / NAMES))


@cache
def _course_named(name: str | None) -> Course:
    try:
        return courses.only() if name is None else courses.find(name)
    except LookupError as error:
        raise CourseError(
            f"{error} A course folder says which course it holds in {NAMES}."
        ) from error


def _name_in(file: Path) -> str | None:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{file} could not be read: {error}.") from error
    name = values.get("course")
    if not isinstance(name, str) or values.keys() != {"course"}:
        raise CourseError(f'{file} has to hold one line, course = "NAME", and nothing else.')
    return name


def nbgrader_settings(folder: Path):
    """What nbgrader_config.py says, without what it does to this process. Raises CourseError."""
    from traitlets.config import PyFileConfigLoader

    environment = os.environ.copy()
    try:
        return PyFileConfigLoader(MARKER, path=str(folder)).load_config()
    except Exception as error:  # it is a program, which may raise anything
        raise CourseError(f"{MARKER} fails: {type(error).__name__}: {error}") from error
    finally:
        os.environ.clear()
        os.environ.update(environment)


def write(path: Path, text: str) -> Path:
    """Replace a file in one step, so that a reader never sees half of it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_text(text, encoding="utf-8", newline="\n")
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    return path


def writable(text: str) -> str:
    """``text`` as it can be written in UTF-8: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def listed(names: Iterable[str], last: str = "and") -> str:
    """Names joined as in prose: ``a, b and c``."""
    *others, final = [*names] or [""]
    return f"{', '.join(others)} {last} {final}" if others else final
