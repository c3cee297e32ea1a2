"""How long the students' code ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from autograder.outlets.report.charts import on_log_scale
from autograder.outlets.report.people import Label, Room
from autograder.outlets.report.words import clean


@dataclass(frozen=True)
class ExerciseTime:
    """Median and slowest time of one exercise, and where both stand in its strip."""

    name: str
    median: float
    slowest: float
    whose: Label
    """the slowest"""
    median_at: float
    slowest_at: float


@dataclass(frozen=True)
class SubmissionTime:
    """Times of whole submissions."""

    median: float
    slowest: float
    total: float


@dataclass(frozen=True)
class Times:
    """How long code ran, in seconds."""

    exercises: list[ExerciseTime]
    code: SubmissionTime
    grading: SubmissionTime


def times(room: Room) -> Times:
    """The times of a class with one submission at least; exercises as the assignment has them."""
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for record in room.records:
        for exercise, seconds in record.exercise_seconds:
            found[exercise].append((seconds, record.student))
    ordered = [name for name in room.by_exercise if name in found]
    ordered += [name for name in found if name not in ordered]
    middles = {name: median(seconds for seconds, _ in found[name]) for name in ordered}
    slowest = {name: max(found[name]) for name in ordered}
    rows = []
    if ordered:
        low = max(min(middles.values()), 1e-4)
        high = max(max(most for most, _ in slowest.values()), 10 * low)
        for name in ordered:
            middle, (most, student) = middles[name], slowest[name]
            at = (on_log_scale(value, low, high) for value in (middle, most))
            rows.append(ExerciseTime(clean(name), middle, most, room.labels[student], *at))
    return Times(
        rows,
        _of_submissions([record.code_seconds for record in room.records]),
        _of_submissions([record.seconds for record in room.records]),
    )


def _of_submissions(values: Sequence[float]) -> SubmissionTime:
    return SubmissionTime(median(values), max(values), sum(values))
