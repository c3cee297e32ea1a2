"""Marks from nbgrader's gradebook, and the diagnoses beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autograder.grading.graded import Graded
from autograder.material.config import CourseError, course_of
from autograder.material.notebooks import assignments, functions_in
from autograder.outlets.exports.marks import Mark, Marks, Part


def read_marks(course: Path, assignment: str) -> Marks:
    """Everybody's marks from the gradebook, with the diagnoses found in ``autograded/``.

    The gradebook may be any database that ``c.CourseDirectory.db_url`` names; it is only read. A
    damaged ``grade.json`` costs the diagnoses, not the points, and is named in the remarks.
    Raises CourseError where there is no gradebook, or it has no such assignment.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    from autograder.outlets.gradebook import gradebook_url

    url = gradebook_url(course)
    try:
        # nbgrader's own Gradebook would add a row or tables that are missing.
        engine = create_engine(url)
        try:
            with Session(engine) as session:
                marks = _read(session, assignment, _order(course, assignment))
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise CourseError(
            f"The gradebook could not be read ({said}). If another program is writing to it, wait "
            f"and try again. If it is new, register the assignment: nbgrader generate_assignment "
            f"{assignment}"
        ) from error
    except ModuleNotFoundError as error:
        raise CourseError(
            f"Reading the gradebook takes the Python package {error.name}, which is not installed."
        ) from error
    students, remarks = [], []
    for mark in marks.students:
        graded, remark = _diagnoses(course, assignment, mark) if mark.parts else (None, "")
        students.append(replace(mark, graded=graded))
        remarks += filter(None, [remark])
    return replace(marks, students=tuple(students), remarks=tuple(remarks))


def _order(course: Path, assignment: str) -> list[str]:
    """The functions of an assignment in the order of its source, else as the course declares them."""
    if assignment in assignments(course):
        return functions_in(course, assignment)
    return [exercise.name for exercise in course_of(course).assignments.get(assignment, ())]


def _read(session, assignment: str, order: Sequence[str]) -> Marks:
    from nbgrader.api import Assignment, Student, SubmittedAssignment

    entry = session.query(Assignment).filter(Assignment.name == assignment).one_or_none()
    if entry is None:
        known = ", ".join(sorted(name for (name,) in session.query(Assignment.name))) or "none"
        raise CourseError(
            f"The gradebook has no assignment {assignment} (it has: {known}). Register it with: "
            f"nbgrader generate_assignment {assignment}"
        )
    parts = _parts(session, entry.id)
    late = dict(
        session.query(SubmittedAssignment.student_id, SubmittedAssignment.late_submission_penalty)
        .filter(SubmittedAssignment.assignment_id == entry.id)
        .all()
    )
    roster = session.query(
        Student.id, Student.first_name, Student.last_name, Student.email, Student.lms_user_id
    ).order_by(Student.last_name, Student.first_name, Student.id)
    students = []
    for student, *about in roster:
        first, last, email, number = (text or "" for text in about)
        mine = parts.get(student, [])
        mine.sort(key=lambda part: (_place(order, part.exercise), part.name))
        students.append(
            Mark(
                student,
                first,
                last,
                email,
                number,
                handed_in=student in late,
                parts=tuple(mine),
                penalty=float(late.get(student) or 0.0),
            )
        )
    return Marks(assignment, float(entry.max_score), tuple(students))


def _parts(session, assignment: str) -> dict[str, list[Part]]:
    """The graded cells of every submission that was graded; ``assignment`` is an id."""
    from nbgrader.api import BaseCell, Grade, SubmittedAssignment, SubmittedNotebook

    # One query for the whole class: an object for each of ten thousand students takes minutes.
    rows = (
        session.query(
            SubmittedAssignment.student_id,
            BaseCell.name,
            Grade.score,
            Grade.max_score,
            Grade.needs_manual_grade,
            Grade.auto_score,
            Grade.manual_score,
        )
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .filter(SubmittedAssignment.assignment_id == assignment)
    )
    parts: dict[str, list[Part]] = {}
    touched = set()  # nbgrader enters every cell, without points, before it grades
    for student, name, score, most, needs, auto, manual in rows:
        untouched = auto is None and manual is None
        part = Part(name, float(score), float(most), bool(needs) or untouched)
        parts.setdefault(student, []).append(part)
        if not untouched:
            touched.add(student)
    return {student: found for student, found in parts.items() if student in touched}


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _diagnoses(course: Path, assignment: str, mark: Mark) -> tuple[Graded | None, str]:
    """What the checks said, and a sentence where that cannot be read."""
    path = course / "autograded" / mark.student / assignment / "grade.json"
    try:
        return Graded.from_json(path.read_text(encoding="utf-8")), ""
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return None, (
            f"{mark.student}: exported without diagnoses, {path.relative_to(course)} cannot be "
            f"read ({type(error).__name__}). Grade this submission again to get them back."
        )
