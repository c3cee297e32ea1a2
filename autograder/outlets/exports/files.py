"""Files of an export, each written in one step."""

from __future__ import annotations

from pathlib import Path

from autograder.material import config


def write(path: Path, text: str) -> None:
    """Write the file, all of it or nothing. Raises CourseError where that cannot be done."""
    try:
        config.write(path, text)
    except OSError as error:
        raise config.CourseError(f"{path} could not be written: {error.strerror}.") from error
