"""What to write so that the gradebook agrees with graded submissions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import (
    Comment,
    Grade,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.utils import parse_utc
from sqlalchemy import Connection, bindparam, insert, update

from autograder.grading.graded import Entry
from autograder.outlets.gradebook.settings import Penalty
from autograder.outlets.gradebook.state import Present, Registered

NO_RESPONSE = "No response."
"""nbgrader's comment beside a solution cell that was handed in as it was given out."""


class Plan:
    """Rows to write, by table, and what becomes of which student."""

    def __init__(self):
        self.rows: dict[Any, list[dict]] = {
            mapped: []
            for mapped in (Student, SubmittedAssignment, SubmittedNotebook, Grade, Comment)
        }
        self.changes: dict[Any, list[dict]] = {mapped: [] for mapped in self.rows}
        self.size = 0
        self.new: list[str] = []
        self.changed: list[str] = []
        self.refused: dict[str, str] = {}

    def add(self, mapped, **row) -> str:
        """Add a row to a table, with an id of its own where it has none; returns the id."""
        if "id" not in row:
            row["id"] = new_uuid()
        self.rows[mapped].append(row)
        self.size += 1
        return row["id"]

    def change(self, mapped, key: str, **values) -> None:
        """Change values of the row whose id is ``key``."""
        self.changes[mapped].append({"key": key, **values})
        self.size += 1

    def execute(self, connection: Connection) -> None:
        """Write all of it."""
        for mapped, rows in self.rows.items():
            if rows:
                connection.execute(insert(mapped.__table__), rows)
        for mapped, rows in self.changes.items():
            if rows:
                table = mapped.__table__
                values = {name: bindparam(name) for name in rows[0] if name != "key"}
                statement = update(table).where(table.c.id == bindparam("key")).values(values)
                connection.execute(statement, rows)


def compare(
    plan: Plan, entry: Entry, there: Present, registered: Registered, penalty: Penalty | None
) -> None:
    """Add to the plan what nbgrader would make of the entry and the gradebook does not have."""
    timestamp = there.timestamp if entry.timestamp is None else parse_utc(entry.timestamp)
    scores, comments = _scores(entry, there, registered), _comments(entry, there, registered)
    anew = (
        entry.fresh
        or timestamp != there.timestamp
        or any(
            cell not in there.grades or there.grades[cell].auto_score != score
            for cell, score in scores.items()
        )
        or any(
            cell not in there.comments or there.comments[cell].auto_comment != text
            for cell, text in comments.items()
        )
    )
    points = there.penalty
    late = _late(timestamp, there.extension, registered.duedate)
    if penalty is not None and not entry.missing and not entry.no_grade:
        total = math.fsum(_counted(score, there.grades.get(cell)) for cell, score in scores.items())
        points = penalty(entry.student, total, late) if late > 0 else None
    paper = _paper(plan, entry.student, there, registered, timestamp, points)
    tasks = set(registered.tasks.values())
    for cell, score in scores.items():
        needs = _needs(score, there.grades.get(cell), anew, entry.missing, cell in tasks)
        _enter(plan, Grade, there.grades, paper, cell, auto_score=score, needs_manual_grade=needs)
    for cell, text in comments.items():
        _enter(plan, Comment, there.comments, paper, cell, auto_comment=text)


def _paper(
    plan: Plan,
    student: str,
    there: Present,
    registered: Registered,
    timestamp: datetime | None,
    penalty: float | None,
) -> str:
    """The id of the submission's notebook, once the plan has what belongs to the whole of it."""
    submission = there.id
    if submission is None:
        submission = plan.add(
            SubmittedAssignment,
            assignment_id=registered.assignment,
            student_id=student,
            timestamp=timestamp,
        )
    elif timestamp != there.timestamp:
        plan.change(SubmittedAssignment, submission, timestamp=timestamp)
    if there.notebook is None:
        return plan.add(
            SubmittedNotebook,
            assignment_id=submission,
            notebook_id=registered.notebook,
            flagged=False,
            late_submission_penalty=penalty,
        )
    if penalty != there.penalty:
        plan.change(SubmittedNotebook, there.notebook, late_submission_penalty=penalty)
    return there.notebook


def _enter(plan: Plan, mapped, rows: Mapping[str, Any], paper: str, cell: str, **values) -> None:
    """Add what the row of one cell has to say, where it does not say so already."""
    row = rows.get(cell)
    if row is None:
        plan.add(mapped, id=_id_in(paper, cell), cell_id=cell, notebook_id=paper, **values)
    elif any(getattr(row, name) != value for name, value in values.items()):
        plan.change(mapped, row.id, **values)


def _id_in(paper: str, cell: str) -> str:
    """An id for a row of one cell in one submission's notebook.

    As random as nbgrader's, but the rows of a notebook lie side by side in the table's index:
    otherwise every row would touch a page of its own, and a large class would cost more a head.
    """
    return paper[:16] + cell[:16]


def _scores(entry: Entry, there: Present, registered: Registered) -> dict[str, float | None]:
    """The automatic score of every graded cell; None where a person has to give one."""
    if entry.missing:
        return dict.fromkeys(registered.graded, 0.0)
    if entry.no_grade:
        return dict.fromkeys(registered.graded)
    scores: dict[str, float | None] = {
        cell: float(entry.points[name]) for name, (cell, _) in registered.tested.items()
    }
    for name, cell in registered.by_hand.items():
        scores[cell] = 0.0 if entry.answered[name] is False else None
    for cell in registered.tasks.values():  # nbgrader never scores a task
        scores[cell] = there.grades[cell].auto_score if cell in there.grades else None
    return scores


def _comments(entry: Entry, there: Present, registered: Registered) -> dict[str, str | None]:
    """The automatic comment of every cell that has one."""
    comments = {}
    for name, cell in registered.solutions.items():
        row = there.comments.get(cell)
        comments[cell] = row.auto_comment if row else None
        if name in entry.answered and not entry.missing and not entry.no_grade:
            comments[cell] = NO_RESPONSE if entry.answered[name] is False else None
    for cell in registered.tasks.values():
        comments[cell] = None
    return comments


def _needs(score: float | None, row, anew: bool, missing: bool, task: bool) -> bool:
    """Whether a cell waits for a person: ``SaveAutoGrades._add_score`` and ``autograde.py``."""
    if missing:
        return False
    if row is None:
        return score is None
    if task:
        return row.needs_manual_grade
    if row.manual_score is None:
        return score is None
    return anew or row.needs_manual_grade


def _counted(auto: float | None, row) -> float:
    """What counts of one cell: ``nbgrader.api.Grade.score``."""
    manual, extra = (row.manual_score, row.extra_credit) if row else (None, None)
    counts = auto if manual is None else manual
    return 0.0 if counts is None else counts + (extra or 0.0)


def _late(handed_in: datetime | None, extension: timedelta | None, due: datetime | None) -> float:
    """Seconds past the deadline: ``nbgrader.api.SubmittedAssignment.total_seconds_late``."""
    if handed_in is None or due is None:
        return 0.0
    return max(0.0, (handed_in - due - (extension or timedelta())).total_seconds())
