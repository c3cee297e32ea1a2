"""Made-up submissions, what nbgrader would enter of them, and writers to be killed."""

import os
import random
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import sqlalchemy as sa
from nbgrader.api import Base, Gradebook
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from pipeline_course import Course

from autograder.grading.graded import Entry
from autograder.material.config import nbgrader_settings
from autograder.outlets.gradebook import Counts, Writer, late_penalty, sync

DUE = datetime(2026, 3, 2, 12)
EARLY, LATE = DUE - timedelta(hours=5), DUE + timedelta(hours=30, microseconds=7)
WRITTEN = "why-not-torch"

HALF_A_POINT_AN_HOUR = """\
from nbgrader.plugins import BasePlugin


class HalfAPointAnHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        if student_id == "nia":
            return -3  # nbgrader makes 0 of it
        return None if student_id == "eli" else total_seconds_late / 7200
"""
RULES = {
    "none": "",
    "zero": "c.LateSubmissionPlugin.penalty_method = 'zero'\n",
    "plugin": "c.AssignLatePenalties.plugin_class = 'late.HalfAPointAnHour'\n",
}


def cells_of(notebook) -> tuple[dict[str, float], list[str]]:
    """Points of the check cells, and the names of all solution cells."""
    metas = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    checks = {m.grade_id: float(m.points) for m in metas if m.grade and not m.solution}
    return checks, [m.grade_id for m in metas if m.solution]


def some_entry(rng: random.Random, notebook, student: str, timestamp) -> Entry:
    """A submission with random points; whatever is left over is not answered."""
    checks, solutions = cells_of(notebook)
    points = {
        name: round(rng.choice([0, most, most * rng.random()]), 2) for name, most in checks.items()
    }
    answered = {name: rng.random() < 0.6 for name in solutions}
    return Entry(student, points, answered, timestamp, fresh=True)


def some_class(number: int, path: str) -> list[Entry]:
    """``number`` submissions of the assignment in this notebook, a third of them late."""
    notebook, rng = nbformat.read(path, as_version=4), random.Random(4)
    return [
        some_entry(rng, notebook, f"student-{i:05}", rng.choice([EARLY, EARLY, LATE]))
        for i in range(number)
    ]


def tables(url: str) -> dict[str, list]:
    """Everything in a gradebook, with names in place of ids, in an order of its own."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = {
            name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            for name, table in Base.metadata.tables.items()
        }
    engine.dispose()
    names = {}
    for table in ("assignment", "notebook", "base_cell", "source_cell"):
        for row in found[table]:
            names[row["id"]] = f"{table} {row['name']} {row.get('type', '')}"
    for row in found["submitted_assignment"]:
        names[row["id"]] = f"{row['student_id']}'s {names[row['assignment_id']]}"
    for row in found["submitted_notebook"]:
        names[row["id"]] = f"{names[row['assignment_id']]}, {names[row['notebook_id']]}"
    for table in ("grade", "comment"):
        for row in found[table]:
            del row["id"]

    def plain(value):
        return round(value, 9) if isinstance(value, float) else names.get(value, value)

    return {
        table: sorted(
            (tuple((key, plain(value)) for key, value in sorted(row.items())) for row in rows),
            key=repr,
        )
        for table, rows in found.items()
    }


def grade_with_nbgrader(url: str, notebook, entry: Entry, config, submitted: Path) -> None:
    """What ``nbgrader autograde`` does to the gradebook once a submission has been run."""
    with Gradebook(url, "gated-memory") as book:
        if entry.missing:  # Autograde.init_assignment, where there is no file
            book.update_or_create_student(entry.student)
            submission = book.update_or_create_submission("gru", entry.student)
            for paper in submission.notebooks:
                for grade in paper.grades:
                    grade.auto_score, grade.needs_manual_grade = 0, False
            book.db.commit()
            return
        book.update_or_create_student(entry.student)
        when = {} if entry.timestamp is None else {"timestamp": entry.timestamp}
        book.update_or_create_submission("gru", entry.student, **when)
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in entry.points:
            cell.outputs = [
                nbformat.v4.new_output(
                    "execute_result", {"text/plain": repr(entry.points[name])}, execution_count=1
                )
            ]
        if entry.answered.get(name):
            cell.source += "\nsomething the student wrote"
    resources = {
        "nbgrader": {
            "notebook": "gru",
            "assignment": "gru",
            "student": entry.student,
            "db_url": url,
        }
    }
    SaveAutoGrades(config=config).preprocess(notebook, resources)
    AssignLatePenalties(config=config).preprocess(notebook, resources)


def give_points(url: str, student: str, cell: str, points, extra=None, comment=None) -> None:
    """What the formgrader does when a person has looked at an answer."""
    with Gradebook(url) as book:
        grade = book.find_grade(cell, "gru", "gru", student)
        grade.manual_score, grade.extra_credit = points, extra
        grade.needs_manual_grade = points is None and grade.auto_score is None
        if comment:
            book.find_comment(
                cell.removeprefix("check-"), "gru", "gru", student
            ).manual_comment = comment
        book.db.commit()


class Both:
    """Two copies of one gradebook: nbgrader writes to one, ``sync`` to the other."""

    def __init__(self, course: Course, rule: str, fresh, tmp_path: Path, notebook):
        self.root = tmp_path / "rules"
        self.root.mkdir()
        settings = (course.root / "nbgrader_config.py").read_text(encoding="utf-8")
        (self.root / "nbgrader_config.py").write_text(settings + RULES[rule], encoding="utf-8")
        (self.root / "late.py").write_text(HALF_A_POINT_AN_HOUR, encoding="utf-8")
        self.penalty = late_penalty(self.root)
        self.config = nbgrader_settings(self.root)
        self.notebook, self.tmp_path = notebook, tmp_path
        self.theirs, self.ours = fresh("theirs"), fresh("ours")

    def grade(self, *entries: Entry) -> Counts:
        for entry in entries:
            grade_with_nbgrader(
                self.theirs, self.notebook, entry, self.config, self.tmp_path / "submitted"
            )
        counts = sync(self.ours, "gru", entries, penalty=self.penalty)
        self.compare()
        return counts

    def give_points(self, *arguments, **more) -> None:
        give_points(self.theirs, *arguments, **more)
        give_points(self.ours, *arguments, **more)

    def extend(self, student: str, hours: int) -> None:
        for url in (self.theirs, self.ours):
            with Gradebook(url) as book:
                book.grant_extension("gru", student, hours=hours)

    def compare(self) -> None:
        assert tables(self.ours) == tables(self.theirs)


KILLED = 6, 2
"""Submissions and batch size where a writer is killed before every single statement."""


def kill_at_every_statement(template: str, folder: str, notebook: str) -> None:
    """In the 1st, 2nd … child, SIGKILL comes before the 1st, 2nd … statement or commit."""
    number, batch = KILLED
    entries = some_class(number, notebook)
    done = False
    step = 0
    while not done:
        shutil.copy(template, f"{folder}/{step}.db")
        child = os.fork()
        if child == 0:
            left = step

            def die(*arguments) -> None:
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1

            sa.event.listen(sa.Engine, "before_cursor_execute", die)
            sa.event.listen(sa.Engine, "commit", die)
            sync(f"sqlite:///{folder}/{step}.db", "gru", entries, batch=batch)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        done = os.WIFEXITED(status)
        step += 1


def write_slowly(url: str, notebook: str) -> None:
    """Says what is written, batch by batch."""
    entries = some_class(400, notebook)
    with Writer(url, "gru") as writer:
        for at in range(0, len(entries), 40):
            writer.write(entries[at : at + 40])
            print(at + 40, flush=True)


def in_another_process(call: str, *arguments: str) -> subprocess.Popen:
    code = f"import sys, gradebook_scene; gradebook_scene.{call}(*sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    )


def both_at_once(url: str, notebook: str) -> list[int]:
    """Two processes write the same class; what they exit with."""
    two = [in_another_process("write_slowly", url, notebook) for _ in range(2)]
    for process in two:
        process.communicate()
    return [process.returncode for process in two]
