"""What the gradebook has: the assignment as it is registered, and its submissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    GradeCell,
    Notebook,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import Connection, select

from autograder.grading.graded import Entry
from autograder.material.config import CourseError
from autograder.outlets.gradebook.database import named


@dataclass(frozen=True)
class Registered:
    """One assignment as it is registered: ids of its cells by grade_id."""

    assignment: str
    notebook: str
    duedate: datetime | None
    tested: dict[str, tuple[str, float]]
    """cells with tests, and the most points each gives"""
    by_hand: dict[str, str]
    solutions: dict[str, str]
    """cells to write in, those graded by hand among them; ids of their other half"""
    tasks: dict[str, str]
    """nbgrader's third kind, a description of work to be done in cells of one's own"""

    @property
    def graded(self) -> list[str]:
        """The cells that have points, by their ids."""
        return [
            *(cell for cell, _ in self.tested.values()),
            *self.by_hand.values(),
            *self.tasks.values(),
        ]

    @property
    def commented(self) -> list[str]:
        """The cells that have a comment, by their ids."""
        return [*self.solutions.values(), *self.tasks.values()]

    def objection(self, entry: Entry) -> str | None:
        """Why the entry cannot be written, None where it can."""
        try:
            entry.student.encode()
        except UnicodeEncodeError:
            return f"{entry.student!r} is no text that a database takes as a name"
        if not 0 < len(entry.student) <= 128:
            return "a student's id has 1 to 128 characters"
        unknown = (set(entry.points) - set(self.tested)) | (
            set(entry.answered) - set(self.solutions)
        )
        if unknown:
            return f"the gradebook does not know {named(sorted(unknown))}"
        if entry.missing:
            return None
        lacking = (set(self.tested) - set(entry.points)) | (set(self.by_hand) - set(entry.answered))
        if lacking:
            return f"the gradebook also has {named(sorted(lacking))}"
        for name, points in sorted(entry.points.items()):
            most = self.tested[name][1]
            if not 0 <= points <= most:  # also what is no number
                return f"{points:g} points for {name}, where the gradebook allows 0 to {most:g}"
        return None


def registered_as(connection: Connection, assignment: str) -> Registered:
    """The assignment as ``nbgrader generate_assignment`` recorded it.

    Raises CourseError where it is not registered, or not with one notebook.
    """
    writing = connection.get_execution_options().get("gradebook_write")
    query = select(Assignment.__table__.c["id", "duedate"]).where(
        Assignment.__table__.c.name == assignment
    )
    # On a server this makes writers of one assignment take turns; SQLite does so by itself.
    found = connection.execute(query.with_for_update() if writing else query).first()
    remedy = f"Register it with: nbgrader generate_assignment {assignment}"
    if found is None:
        names = connection.scalars(select(Assignment.__table__.c.name)).all()
        known = ", ".join(sorted(names)) or "none"
        raise CourseError(
            f"The gradebook has no assignment {assignment} (it has: {known}). {remedy}"
        )
    notebooks = connection.scalars(
        select(Notebook.__table__.c.id).where(Notebook.__table__.c.assignment_id == found.id)
    ).all()
    if not notebooks:
        raise CourseError(f"{assignment} has no notebook in the gradebook. {remedy}")
    if len(notebooks) > 1:
        raise CourseError(
            f"{assignment} has {len(notebooks)} notebooks in the gradebook; assignments "
            "of this course have one. Remove the others with `nbgrader db assignment remove "
            f"{assignment}` and register it again."
        )
    (notebook,) = notebooks

    # In nbgrader's own order: a database adds up a submission's points in the order of their
    # rows, and the last digit of a sum of floats depends on it.
    cell = BaseCell.__table__
    ids = connection.scalars(select(cell.c.id).where(cell.c.notebook_id == notebook)).all()
    place = {id: number for number, id in enumerate(ids)}

    def cells(kind, *columns):
        query = select(kind.name, kind.id, *columns).where(kind.notebook_id == notebook)
        return sorted(connection.execute(query), key=lambda row: place[row.id])

    solutions = {name: cell for name, cell in cells(SolutionCell)}
    graded = cells(GradeCell, GradeCell.max_score, GradeCell.cell_type)
    return Registered(
        assignment=found.id,
        notebook=notebook,
        duedate=found.duedate,
        tested={
            name: (cell, most)
            for name, cell, most, kind in graded
            if name not in solutions and kind == "code"
        },
        by_hand={name: cell for name, cell, _, _ in graded if name in solutions},
        solutions=solutions,
        tasks={name: cell for name, cell in cells(TaskCell)},
    )


@dataclass
class Present:
    """What the gradebook has of one submission. The defaults: it has nothing."""

    id: str | None = None
    timestamp: datetime | None = None
    extension: timedelta | None = None
    notebook: str | None = None
    penalty: float | None = None
    grades: dict[str, Any] = field(default_factory=dict)
    """rows of table grade by cell id"""
    comments: dict[str, Any] = field(default_factory=dict)


def present_of(
    connection: Connection, registered: Registered, students: list[str]
) -> dict[str, Present]:
    """What the gradebook has of these students' submissions, in three queries."""
    if not students:
        return {}
    handed, paper = SubmittedAssignment.__table__.c, SubmittedNotebook.__table__.c
    rows = connection.execute(
        select(
            handed.student_id,
            handed.id,
            handed.timestamp,
            handed.extension,
            paper.id,
            paper.late_submission_penalty,
        )
        .outerjoin_from(
            SubmittedAssignment.__table__,
            SubmittedNotebook.__table__,
            (paper.assignment_id == handed.id) & (paper.notebook_id == registered.notebook),
        )
        .where(handed.assignment_id == registered.assignment, handed.student_id.in_(students))
    )
    present = {student: Present(*values) for student, *values in rows}
    papers = {there.notebook: there for there in present.values() if there.notebook}
    if papers:
        # Both conditions, because the gradebook's only index on these tables is on both columns.
        grade, comment = Grade.__table__.c, Comment.__table__.c
        columns = "notebook_id", "cell_id", "id", "auto_score", "manual_score", "extra_credit"
        query = select(*(grade[name] for name in columns), grade.needs_manual_grade).where(
            grade.cell_id.in_(registered.graded), grade.notebook_id.in_(papers)
        )
        if connection.get_execution_options().get("gradebook_write"):
            query = query.with_for_update()  # a person may be giving points at this moment
        for row in connection.execute(query):
            papers[row.notebook_id].grades[row.cell_id] = row
        query = select(comment["notebook_id", "cell_id", "id", "auto_comment"]).where(
            comment.cell_id.in_(registered.commented), comment.notebook_id.in_(papers)
        )
        for row in connection.execute(query):
            papers[row.notebook_id].comments[row.cell_id] = row
    return present


def known_students(connection: Connection, students: list[str]) -> set[str]:
    """Those of these students whom the gradebook has."""
    if not students:
        return set()
    return set(connection.scalars(select(Student.id).where(Student.id.in_(students))))
