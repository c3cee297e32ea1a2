"""Who is who on the page: its order, and what each student is called there."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from autograder.checking.verdict import Verdict
from autograder.grading.graded import Graded
from autograder.grading.similarity import Alike
from autograder.outlets.report.words import clean

MOST_NAMES = 60
"""Students listed under one section or in one group of similar code."""


@dataclass(frozen=True)
class Label:
    """What a student is called on the page."""

    name: str
    also: str = ""
    """the identifier, where several students have this name"""
    hidden: bool = False
    """the name is a number given for this page"""


@dataclass(frozen=True)
class Listed:
    """Some students in the order of the page, and how many more there are."""

    labels: tuple[Label, ...]
    more: int


@dataclass(frozen=True)
class Room:
    """All that a part of the page is made from."""

    records: Sequence[Graded]
    """in the order of the page"""
    labels: Mapping[str, Label]
    hidden: bool
    groups: Sequence[Alike]

    @property
    def size(self) -> int:
        """How many submissions there are."""
        return len(self.records)

    def listed(self, students: Iterable[str]) -> Listed:
        """Students in the order of the page, so that the order gives no name away."""
        wanted = set(students)
        chosen = [r.student for r in self.records if r.student in wanted]
        shown = tuple(self.labels[student] for student in chosen[:MOST_NAMES])
        return Listed(shown, len(chosen) - len(shown))

    @cached_property
    def points(self) -> list[float]:
        """The points of every record, in its order."""
        return [record.points for record in self.records]

    @cached_property
    def by_exercise(self) -> dict[str, list[Verdict]]:
        """The verdicts of each exercise, in the order of the assignment."""
        found: dict[str, list[Verdict]] = {}
        for record in self.records:
            for verdict in record.verdicts:
                found.setdefault(verdict.exercise, []).append(verdict)
        return found


def label(
    graded: Sequence[Graded], names: Mapping[str, str], hide_names: bool
) -> tuple[list[Graded], dict[str, Label]]:
    """The records in the order of the page, and what each student is called there."""
    if hide_names:
        ordered = sorted(graded, key=_hidden_order)
        return ordered, {
            r.student: Label(f"Student {n}", hidden=True) for n, r in enumerate(ordered, 1)
        }
    shown = {r.student: names.get(r.student) or r.student for r in graded}
    ordered = sorted(graded, key=lambda r: (shown[r.student].casefold(), r.student))
    often = Counter(shown.values())
    return ordered, {
        r.student: Label(
            clean(shown[r.student], 100),
            clean(r.student, 100) if often[shown[r.student]] > 1 else "",
        )
        for r in ordered
    }


def _hidden_order(record: Graded) -> bytes:
    """Stable from one report to the next, and without a relation to names.

    It depends on the file handed in and, through ``version``, on the secret seed, so that who has
    the list of names cannot work out the numbers.
    """
    parts = (record.version, record.digest, record.student)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
