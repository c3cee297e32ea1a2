"""What a course is: one object, which everything else that grades, releases and reports asks."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.checking.record import Exercise

MOST_LISTED = 15
"""Exercises that are listed where a name is unknown; more are no help."""


@dataclass(frozen=True, eq=False)
class Course:
    """A course: its exercises, and what of it others have to know.

    Everything that a record says of itself (how sizes are put into words, which calls are refused,
    which picture its parts have) is asked of the record. There is one object of each course.
    """

    name: str
    """as its entry point in the group ``autograder.courses`` is called"""
    package: str
    """the distribution that brings it, as pip knows it"""
    assignments: Mapping[str, tuple[Exercise, ...]]
    """the exercises as declared, by the assignment that asks for them when nobody says otherwise"""
    at_play: tuple[str, ...] = ()
    """modules that run inside players. A player loads their text and nothing else of the course:
    they import NumPy, torch and ``autograder.player``, and hold no answer"""
    packages: tuple[str, ...] = ()
    """distributions that students' code may import beside NumPy, torch, Matplotlib and IPython"""
    recording: Path | None = None
    """the reference's answers under the public seed, for where torch is not installed"""
    placeholders: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    """words that a source notebook may have filled in: ``{{kind argument}}``"""
    sample_class: str = ""
    """the module with a made-up class, for ``autograder demo``; see ``demo.run``"""

    @cached_property
    def records(self) -> dict[str, Exercise]:
        """All exercises by name. Raises ValueError where two have the same name."""
        records: dict[str, Exercise] = {}
        for exercise in (e for group in self.assignments.values() for e in group):
            if exercise.name in records:
                raise ValueError(f"{self.name} declares {exercise.name} twice.")
            records[exercise.name] = exercise
        return records

    @cached_property
    def _asked(self) -> dict[tuple, tuple[Exercise, ...]]:
        return {}

    def get(self, name: str) -> Exercise:
        """The exercise called ``name``; raises LookupError naming the nearest one."""
        if name not in self.records:
            raise no_exercise(self.records, name)
        return self.records[name]

    def asked(self, assignment: str, wanted: Iterable[tuple[str, float]]) -> tuple[Exercise, ...]:
        """The exercises that a released notebook asks for: names, with the points they are worth.

        Each is the record with those points, and builds on nothing that is not asked for. The
        same question gets the same objects. Raises LookupError for a name without a record.
        """
        wanted = tuple((name, float(points)) for name, points in wanted)
        if (assignment, wanted) not in self._asked:
            names = {name for name, _ in wanted}
            self._asked[assignment, wanted] = tuple(
                _as_asked(self.get(name), assignment, points, names) for name, points in wanted
            )
        return self._asked[assignment, wanted]


def _as_asked(exercise: Exercise, assignment: str, points: float, names: set[str]) -> Exercise:
    builds_on = tuple(name for name in exercise.builds_on if name in names)
    asked: dict[str, Any] = {"assignment": assignment, "points": points, "builds_on": builds_on}
    if all(getattr(exercise, key) == value for key, value in asked.items()):
        return exercise
    return replace(exercise, **asked)


class NoExercise(LookupError):
    """No exercise has this name."""


def no_exercise(known: Iterable[str], name: str) -> NoExercise:
    """The error that says that no exercise is called ``name``, and which one is meant perhaps."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    guess = f" Did you mean {near[0]}?" if near else ""
    listed = f" There are: {', '.join(known)}." if len(known) <= MOST_LISTED else ""
    return NoExercise(f"There is no exercise called {name!r}.{guess}{listed}")
