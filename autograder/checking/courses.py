"""Finding a course: installed packages name theirs in the entry point group ``autograder.courses``."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from autograder.checking.course import Course, no_exercise
from autograder.checking.record import Exercise

GROUP = "autograder.courses"
"""The group of entry points. Each is called as its course and leads to a ``Course``."""


@cache
def installed() -> dict[str, EntryPoint]:
    """The entry points of all courses that are installed here, by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def find(name: str) -> Course:
    """The course called ``name``. Raises LookupError where it is not installed or does not load."""
    if name not in installed():
        known = ", ".join(sorted(installed())) or "none"
        raise LookupError(
            f"The course {name!r} is not installed in this Python (installed: {known}). Install "
            "its package: pip install PACKAGE"
        )
    try:
        course = installed()[name].load()
    except (ImportError, AttributeError) as error:
        raise LookupError(f"The course {name!r} does not load: {error}.") from error
    if not isinstance(course, Course) or course.name != name:
        raise LookupError(
            f"The entry point {name!r} of {GROUP} has to lead to a Course of that name, not to "
            f"{course!r:.80}."
        )
    return course


def only() -> Course:
    """The course, where there is one. Raises LookupError where there is none or are several."""
    names = sorted(installed())
    if len(names) != 1:
        found = f"several courses are installed: {', '.join(names)}" if names else "none is"
        raise LookupError(f"Which course this is has to be said, since {found}.")
    return find(names[0])


def with_exercise(name: str) -> Course:
    """The one course that has an exercise called ``name``.

    Raises LookupError where none has, naming the nearest exercise, and where several have.
    """
    having = [course for course in sorted(installed()) if name in find(course).records]
    if len(having) == 1:
        return find(having[0])
    if having:
        raise LookupError(
            f"The courses {' and '.join(having)} both have an exercise {name}. Say which one is "
            f'meant: check({name}, course="{having[0]}"). A released notebook says so in its '
            "first cell: run that one."
        )
    everything = {}
    for course in installed():
        everything |= find(course).records
    raise no_exercise(everything, name)


def record_of(course: str, exercise: str) -> Exercise | None:
    """A record, None where its course is not installed (any more) or has lost it."""
    if course not in installed():
        return None
    return find(course).records.get(exercise)


def declared_in(name: str) -> str:
    """The module in which a course is declared. Raises LookupError where it is not installed."""
    find(name)
    return installed()[name].module


def pages(name: str) -> str:
    """Where a course's pages are published, with a slash at the end; empty where that is not known.

    Its package says so in its metadata, under ``Documentation``.
    """
    package = installed()[name].dist if name in installed() else None
    for entry in package.metadata.get_all("Project-URL", []) if package else ():
        label, _, address = entry.partition(", ")
        if label == "Documentation":
            return f"{address.rstrip('/')}/"
    return ""


def home(name: str) -> Path | None:
    """The folder of the module in which an installed course is declared, None where it is gone."""
    spec = find_spec(installed()[name].module)
    return Path(spec.origin).parent if spec and spec.origin else None


def secret_packages() -> frozenset[str]:
    """The top-level packages that declare courses, and this one: they hold answers."""
    return frozenset({"autograder", *(p.module.partition(".")[0] for p in installed().values())})


def secret_folders() -> list[Path]:
    """The folders of those packages."""
    found = []
    for name in sorted(secret_packages()):
        spec = find_spec(name)
        found += [
            Path(place).resolve() for place in (spec and spec.submodule_search_locations) or ()
        ]
    return found
