"""A class in which every student met one accident, graded in both ways, and what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import run_scene
from accident_corpus import CORPUS, QUESTION, Accident
from engine_scene import Class, build_course, environment

from autograder.grading.graded import Graded

COURSE = Path(__file__).parents[2]
RESULTS = COURSE / "book" / "data" / "accidents.json"

STUDENTS = {f"s{number:02}": accident for number, accident in enumerate(CORPUS)}
"""Who met what."""


@dataclass(frozen=True)
class Outcome:
    """What one student got."""

    points: float | None
    """None where there is no grade"""
    answered: bool | None
    """whether the written answer was found and waits for its grader"""
    look: bool
    """whether an instructor is asked to look at it"""
    says: tuple[str, ...]

    @property
    def harmless(self) -> bool:
        """Whether the accident cost nothing."""
        return self.points == FULL and self.answered is True and not self.look


FULL = 26.0


def build(folder: Path) -> Class:
    """The course with everything handed in, nothing graded."""
    course = build_course(folder, "gru")
    for student, accident in STUDENTS.items():
        accident.hand_in(course.root / "submitted" / student / "gru")
    return course


def graded_by_engine(course: Class) -> dict[str, Outcome]:
    """By ``autograder grade``, in this process."""
    run_scene.grade(course, gradebook=False)
    return outcomes(course)


def graded_by_nbgrader(course: Class) -> tuple[dict[str, Outcome], int, str]:
    """By ``nbgrader autograde``; also its status and what it said."""
    done = run_scene.nbgrader(course, "autograde", course.assignment)
    return outcomes(course), done.returncode, done.stdout


def graded_by_other(course: Class, command: Path) -> dict[str, Outcome]:
    """By another version, whose ``.venv/bin/autograder`` in its checkout this is."""
    shutil.copy(command.parents[2] / "nbgrader_config.py", course.root)
    subprocess.run(
        [str(command), "--course", str(course.root), "grade", "gru", "--no-gradebook"],
        cwd=course.root,
        env=environment(course.root.parent),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,  # it ends with 1 where something could not be graded
        timeout=900,
    )
    return outcomes(course)


def outcomes(course: Class) -> dict[str, Outcome]:
    """What everybody got; who has no grade got nothing."""
    found = {}
    for student in STUDENTS:
        try:
            found[student] = outcome(
                json.loads((course.folder(student) / "grade.json").read_text())
            )
        except FileNotFoundError:
            found[student] = Outcome(None, None, False, ("not graded",))
    return found


def outcome(grade: dict) -> Outcome:
    """From what ``grade.json`` holds, in this version of it or an earlier one."""
    from autograder.material.remarks import LOOK

    return Outcome(
        round(sum(verdict["points"] for verdict in grade["verdicts"]), 2),
        dict(grade["written"]).get(QUESTION),
        any(remark["kind"] in LOOK for remark in grade["remarks"]),
        tuple(remark["says"] for remark in grade["remarks"]),
    )


def copy_of(course: Class, folder: Path) -> Class:
    """The course once more, in another folder."""
    shutil.copytree(course.root, folder / "course", symlinks=True)
    return Class(folder / "course", course.assignment)


def of(graded: Graded) -> Outcome:
    """The outcome of a grade that is at hand."""
    return outcome(json.loads(graded.to_json()))


def accident_of(name: str) -> Accident:
    """The accident of this name. Raises StopIteration."""
    return next(accident for accident in CORPUS if accident.name == name)
