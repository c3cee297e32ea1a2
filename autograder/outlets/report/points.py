"""Points: of the class, of each exercise, and of each student."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import fmean, median
from typing import NamedTuple

from autograder.checking.verdict import Verdict
from autograder.outlets.report.charts import Histogram, Piece, histogram, line
from autograder.outlets.report.people import Label, Room
from autograder.outlets.report.words import clean

FOLDED = 100
"""The table of students is folded where there are more of them."""

TONES = ("full", "partial", "zero")
"""How much of an exercise's points an answer got, as the class of its color."""


@dataclass(frozen=True)
class Headline:
    """The facts on top of the page."""

    size: int
    without: int
    """submissions without a notebook"""
    unread: int
    """those that could not be read: they have no points and count in none of the figures"""
    median: float | None
    """None where there are no submissions"""
    maximum: float
    full: int
    look: int


def headline(room: Room, scored: Room, flagged: frozenset[str]) -> Headline:
    """The facts on top, of ``room``; ``scored`` are those of its records that are grades, and
    ``flagged`` the students whose submission needs a look.
    """
    records, all_of_them, room = scored.records, room, scored
    return Headline(
        all_of_them.size,
        sum(any(r.kind == "missing" for r in record.remarks) for record in records),
        all_of_them.size - scored.size,
        median(room.points) if records else None,
        _maximum(room),
        sum(
            points >= record.max_points > 0
            for points, record in zip(room.points, records, strict=True)
        ),
        len(flagged),
    )


def _maximum(room: Room) -> float:
    return max((record.max_points for record in room.records), default=0.0)


@dataclass(frozen=True)
class Scores:
    """How the points of the class are distributed."""

    lowest: float
    median: float
    mean: float
    highest: float
    maximum: float
    histogram: Histogram


def scores(room: Room) -> Scores | None:
    """None where there are no points to be had."""
    maximum = _maximum(room)
    if maximum <= 0:
        return None
    points = room.points
    return Scores(
        min(points), median(points), fmean(points), max(points), maximum, histogram(points, maximum)
    )


@dataclass(frozen=True)
class Exercise:
    """How many answers to one exercise got all, some and none of its points."""

    name: str
    bar: list[Piece]
    earned: tuple[int, ...]
    """by ``TONES``"""
    answers: int
    mean: float
    most: float


def exercises(room: Room) -> list[Exercise]:
    """Every exercise in the order of the assignment."""
    rows = []
    for name, verdicts in room.by_exercise.items():
        counts = Counter(map(_earned, verdicts))
        n = len(verdicts)
        rows.append(
            Exercise(
                clean(name),
                line((100 * counts[tone] / n, tone) for tone in TONES),
                tuple(counts[tone] for tone in TONES),
                n,
                fmean(verdict.points for verdict in verdicts),
                max(verdict.max_points for verdict in verdicts),
            )
        )
    return rows


def _earned(verdict: Verdict) -> str:
    if verdict.points >= verdict.max_points:
        return "full"
    return "partial" if verdict.points > 0 else "zero"


class Student(NamedTuple):
    """One student's row; a tuple, because the template takes ten thousand of them apart."""

    label: Label
    flagged: bool
    points: float | None
    """None where there is no grade"""
    answers: list[tuple[str, float]]
    """the first letter of the tone and the points of each exercise, in the order of the head; no
    letter: not written"""
    code_seconds: float


@dataclass(frozen=True)
class Students:
    """The table of everybody."""

    exercises: list[str]
    rows: list[Student]

    @property
    def folded(self) -> bool:
        """Whether it is too long to be open from the beginning."""
        return len(self.rows) > FOLDED


def students(room: Room, flagged: frozenset[str]) -> Students:
    """Everybody's points; ``flagged`` are the students whose submission needs a look."""
    names = list(room.by_exercise)
    rows = []
    for record, points in zip(room.records, room.points, strict=True):
        verdicts = {verdict.exercise: verdict for verdict in record.verdicts}
        rows.append(
            Student(
                room.labels[record.student],
                record.student in flagged,
                None if record.no_grade else points,
                [_answer(verdicts.get(name)) for name in names],
                record.code_seconds,
            )
        )
    return Students([clean(name) for name in names], rows)


def _answer(verdict: Verdict | None) -> tuple[str, float]:
    if verdict is None or (
        verdict.failure and verdict.failure.kind in ("not written", "undefined")
    ):
        return "", 0.0
    return _earned(verdict)[0], verdict.points
