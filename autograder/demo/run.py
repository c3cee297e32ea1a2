"""``autograder demo``: a small class, graded with nbgrader's commands, from release to feedback."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import nbformat
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.checking.colors import DARK, LIGHT
from autograder.grading.keep import read_grade, stored_grades
from autograder.material import config
from autograder.material import notebooks as nb
from autograder.outlets.report import class_report
from autograder.outlets.templates import environment

DEMO_SEED = "271828182845"
"""Stands for an instructor's secret seed; fixed, so that every demonstration gives one result."""


def sample_of(course: Path) -> ModuleType:
    """The module with the made-up class of the course that a folder holds.

    It has ``ASSIGNMENT``, what the class works on; ``CLASS``, students with a ``name`` and a
    ``story``, a sentence on what each handed in; and ``hand_in(released, solved, submitted)``, which
    writes their work. Raises CourseError for a course without one.
    """
    declared = config.course_of(course)
    if not declared.sample_class:
        raise config.CourseError(f"The course {declared.name} has no made-up class to grade.")
    return importlib.import_module(declared.sample_class)


@dataclass(frozen=True)
class Row:
    """What the gradebook says about one student."""

    student: str
    story: str
    score: float | None
    """None where there is no grade, which is something else than 0"""
    max_score: float
    lost: dict[str, list[str]]
    """what the checks said about lost points: a reason, and ``name got/maximum`` for each check,
    or ``all checks``"""
    waiting: bool
    """an answer waits for a person"""
    feedback: Path | None


def build(course: Path, folder: Path, sample: ModuleType) -> None:
    """Make ``folder`` a course of its own, in which the class has handed in its work."""
    assignment = sample.ASSIGNMENT
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name in (config.MARKER, config.NAMES):
        if (course / name).exists():
            shutil.copy(course / name, folder)
    source = nb.source_path(folder, assignment)
    source.parent.mkdir(parents=True)
    source.write_text(nb.source_notebook(course, assignment), encoding="utf-8")
    released = folder / "notebooks" / f"{assignment}.ipynb"
    released.parent.mkdir()
    released.write_text(nb.release_notebook(course, assignment), encoding="utf-8")
    (folder / "secret_seed.txt").write_text(DEMO_SEED + "\n", encoding="utf-8")
    sample.hand_in(released, source, folder / "submitted")


def nbgrader(folder: Path, *arguments: str) -> Iterator[str]:
    """Run a nbgrader command in ``folder`` and yield its lines as they come.

    Raises CourseError with everything it said when it fails.
    """
    environment = {k: v for k, v in os.environ.items() if k != "AUTOGRADER_SEED"}
    process = subprocess.Popen(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = []
    assert process.stdout is not None  # it is a pipe
    for line in process.stdout:
        said.append(line)
        yield line.rstrip("\n")
    if process.wait():
        raise config.CourseError(f"nbgrader {' '.join(arguments)} failed:\n{''.join(said)}")


def results(folder: Path, sample: ModuleType) -> list[Row]:
    """One row per student of the class, read from nbgrader's gradebook."""
    from nbgrader.api import Gradebook, MissingEntry

    rows, assignment = [], sample.ASSIGNMENT
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for student in sample.CLASS:
            try:
                submission = gradebook.find_submission(assignment, student.name)
            except MissingEntry:
                rows.append(Row(student.name, student.story, 0, 0, {"not graded": []}, False, None))
                continue
            grades = {grade.name: grade for paper in submission.notebooks for grade in paper.grades}
            graded = folder / "autograded" / student.name / assignment
            page = folder / "feedback" / student.name / assignment / f"{assignment}.html"
            rows.append(
                Row(
                    student.name,
                    student.story,
                    None if _has_no_grade(graded) else submission.score,
                    submission.max_score,
                    _lost_points(graded, grades),
                    submission.needs_manual_grade,
                    page if page.exists() else None,
                )
            )
    return rows


def _has_no_grade(folder: Path) -> bool:
    record = read_grade(folder)
    return record is not None and bool(record.no_grade)


def _lost_points(folder: Path, grades: dict) -> dict[str, list[str]]:
    path = folder / f"{folder.name}.ipynb"
    if not path.exists():
        return {"no notebook": []}
    lost: dict[str, list[str]] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        grade = grades.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if grade and cell.cell_type == "code" and grade.score < grade.max_score:
            name = grade.name.removeprefix("check-")
            lost.setdefault(_reason(cell), []).append(f"{name} {grade.score:g}/{grade.max_score:g}")
    everything = sum(name.startswith("check-") for name in grades)
    return {
        reason: ["all checks"] if len(checks) == everything else checks
        for reason, checks in lost.items()
    }


def _reason(cell) -> str:
    """What a check said, in a few words: the mistake it named, else its first finding."""
    for output in cell.outputs:
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}"
    said = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    if "not written yet" in said:
        return "not written yet"
    named = re.search(r"Mistake: (?:in the [\w ]+: )*(.+?)\. [A-Z]", " ".join(said.split()))
    if named:
        return named.group(1)
    finding = re.match(r".* points\n {2}(.*(?:\n {4}(?!line \d).*)*)", said)
    if not finding:
        return "points lost"
    first = " ".join(finding.group(1).split()).removeprefix("It raises ")
    return re.split(r"(?<=[^A-Z])[.?] (?=[A-Z])", first)[0]


def run(course: Path, show: bool = True) -> None:
    """Grade the class in ``_build/demo`` and present the result."""
    console, sample = Console(), sample_of(course)
    folder = course / "_build" / "demo"
    steps = [
        ("generate_assignment", "release the assignment"),
        ("autograde", "autograde"),
        ("generate_feedback", "write feedback"),
    ]
    with Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
        console=console,
    ) as progress:
        task = progress.add_task("hand in the work", total=len(sample.CLASS), now="")
        build(course, folder, sample)
        progress.update(task, completed=len(sample.CLASS))
        for command, label in steps:
            total = 1 if command == "generate_assignment" else len(sample.CLASS)
            task = progress.add_task(label, total=total, now="")
            seen: set[str] = set()
            for line in nbgrader(folder, command, sample.ASSIGNMENT):
                student = re.search(r"Converting notebook .*/(?:submitted|autograded)/(\w+)/", line)
                if student:
                    seen.add(student.group(1))
                    progress.update(task, completed=len(seen) - 1, now=student.group(1))
            progress.update(task, completed=total, now="")
    report = _write_report(folder, sample.ASSIGNMENT)
    rows = results(folder, sample)
    console.print(_table(rows, console.width))
    page = folder / "index.html"
    page.write_text(_page(rows, folder, report), encoding="utf-8")
    console.print(
        "* an answer waits to be graded by a person, in JupyterLab: menu Nbgrader, Formgrader.\n"
        f"Feedback as the students get it: [bold]{page}[/bold]",
        soft_wrap=True,
        highlight=False,
    )
    if show and _has_screen():
        webbrowser.open(page.as_uri())


def _write_report(folder: Path, assignment: str) -> Path:
    """The class report, as ``autograder report`` makes it."""
    graded = list(stored_grades(folder, assignment))
    return config.write(folder / "reports" / f"{assignment}.html", class_report(assignment, graded))


def _score(row: Row) -> str:
    if row.score is None:
        return "no grade"
    return f"{row.score:g} / {row.max_score:g}{'*' if row.waiting else ''}"


def _lost(row: Row) -> list[str]:
    if row.score is None:
        return ["could not be read"]
    lines = []
    for reason, checks in row.lost.items():
        lines.append(f"{reason.rstrip('.')}: {', '.join(checks)}" if checks else reason)
    return lines or ["nothing lost"]


def _table(rows: list[Row], width: int) -> Table:
    table = Table(title="What the gradebook says", title_justify="left", width=min(width, 120))
    table.add_column("student", no_wrap=True)
    table.add_column("handed in")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("what the checks said")
    for row in rows:
        table.add_row(row.student, row.story, _score(row), "\n".join(_lost(row)))
    return table


def _page(rows: list[Row], folder: Path, report: Path) -> str:
    """The page that leads to everybody's feedback."""
    shown = [
        {
            "student": row.student,
            "feedback": row.feedback and row.feedback.relative_to(folder).as_posix(),
            "story": row.story,
            "score": _score(row),
            "said": _lost(row),
        }
        for row in rows
    ]
    template = environment("autograder.demo").get_template("index.html.j2")
    return template.render(
        rows=shown,
        report=report.relative_to(folder).as_posix(),
        accent={"light": LIGHT["right"], "dark": DARK["right"]},
    )


def _has_screen() -> bool:
    return sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
