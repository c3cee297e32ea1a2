"""What a class has for one assignment, and whose points are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autograder.checking.points import total
from autograder.grading.graded import Graded
from autograder.material.config import CourseError


@dataclass(frozen=True)
class Part:
    """One graded cell of a submission, as the gradebook has it."""

    name: str
    points: float
    max_points: float
    waits: bool = False
    """nobody has given it points yet"""

    @property
    def exercise(self) -> str:
        """The exercise that the cell checks, or the question it answers."""
        return self.name.removeprefix("check-")


@dataclass(frozen=True)
class Mark:
    """What one student has for one assignment."""

    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    """the gradebook's ``lms_user_id``: the student's number in Canvas or Moodle"""
    handed_in: bool = True
    parts: tuple[Part, ...] = ()
    """empty where nothing was handed in, or nothing of it is graded"""
    penalty: float = 0.0
    """points lost for handing in late"""
    graded: Graded | None = None
    """what the checks said, None where another engine graded"""

    @property
    def points(self) -> float:
        """The final score, never below 0, as nbgrader's own export computes it."""
        return max(0.0, total((*(part.points for part in self.parts), -self.penalty)))

    @property
    def waiting(self) -> tuple[str, ...]:
        """The answers that nobody has graded yet."""
        return tuple(part.exercise for part in self.parts if part.waits)

    @property
    def name(self) -> str:
        """``Last, First`` as in Canvas, or the id where the gradebook has no name."""
        return ", ".join(filter(None, (self.last_name, self.first_name))) or self.student


@dataclass(frozen=True)
class Marks:
    """What a class has for one assignment."""

    assignment: str
    max_points: float
    students: tuple[Mark, ...]
    remarks: tuple[str, ...] = ()
    """a sentence for every record that could not be read"""


def select(
    marks: Marks, partial: bool = False, missing_zero: bool = False
) -> tuple[tuple[Mark, ...], list[str]]:
    """The students whose final score is known, and a sentence for everybody else.

    An answer that waits for a person would make a total too small, so it stops the export unless
    ``partial`` says that points so far are wanted. Students who handed in nothing are left out
    unless ``missing_zero`` gives them 0 points.

    Raises CourseError when answers wait and ``partial`` is False.
    """
    waiting = {mark.student: mark.waiting for mark in marks.students if mark.waiting}
    answers = sum(map(len, waiting.values()))
    if waiting and not partial:
        raise CourseError(
            f"{count(answers, 'answer')} of {count(len(waiting), 'student')} still "
            f"{_wait(answers)} for a person: {_names(waiting)}. Give them points in the "
            "formgrader, or export the points so far with --partial."
        )
    kept, said = [], list(marks.remarks)
    for mark in marks.students:
        if mark.parts:
            kept.append(mark)
            if mark.waiting:
                said.append(f"{mark.student}: {so_far(mark)}")
        elif mark.handed_in:
            said.append(f"{mark.student}: handed in, but not graded; left out.")
        elif missing_zero:
            kept.append(mark)
            said.append(f"{mark.student}: nothing handed in; 0 points.")
        else:
            said.append(f"{mark.student}: nothing handed in; left out.")
    return tuple(kept), said


def so_far(mark: Mark) -> str:
    """That the mark's points are not all, and what they lack."""
    waiting = mark.waiting
    return f"points so far; {', '.join(waiting)} {_wait(len(waiting))} for a person."


def _wait(number: int) -> str:
    return "waits" if number == 1 else "wait"


def count(number: int, what: str) -> str:
    """A number and what it counts: ``1 answer``, ``2 answers``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _names(names: Iterable[str], most: int = 8) -> str:
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
