"""After ``autograder.outlets.gradebook`` the gradebook is the one nbgrader itself would have written."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import nbformat
import pytest
import sqlalchemy as sa
from nbgrader.api import Base, Gradebook
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from pipeline_course import Course

from autograder.grading.graded import Entry
from autograder.material.config import CourseError, nbgrader_settings
from autograder.outlets.gradebook import Counts, Writer, gradebook_url, late_penalty, sync
from autograder.outlets.nbgrader_steps import _record_missing

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")

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


@pytest.fixture(scope="module")
def course(tmp_path_factory, registered) -> Course:
    """A course in which nbgrader has registered the assignment; the deadline is DUE."""
    course = Course(tmp_path_factory.mktemp("gradebook"))
    shutil.copy(registered / "gradebook.db", course.root)
    shutil.copytree(registered / "_build", course.root / "_build")
    with Gradebook(gradebook_url(course.root), "gated-memory") as book:
        book.update_or_create_assignment("gru", duedate=DUE)
        book.add_student("ada", first_name="Ada", last_name="King", email="ada@example.org")
        book.add_student("zoe", first_name="Zoe", last_name="Never", lms_user_id="17")
    return course


@pytest.fixture(scope="module")
def released(course) -> nbformat.NotebookNode:
    return course.read("_build/release/gru/gru.ipynb")


@pytest.fixture
def fresh(course, tmp_path):
    """Call it for the address of another copy of the registered, empty gradebook."""

    def copy(name: str = "gradebook") -> str:
        shutil.copy(course.root / "gradebook.db", tmp_path / f"{name}.db")
        return f"sqlite:///{tmp_path / name}.db"

    return copy


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
        if entry.missing:
            (submitted / entry.student / "gru").mkdir(parents=True, exist_ok=True)
            _record_missing(book, submitted, "gru")
            shutil.rmtree(submitted / entry.student)
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


@pytest.fixture(params=RULES)
def both(request, course, fresh, tmp_path, released, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "rules")])
    sys.modules.pop("late", None)
    return Both(course, request.param, fresh, tmp_path, released)


# The same as nbgrader


def test_first_grading_and_regrading(both, released):
    checks, solutions = cells_of(released)
    full = Entry("ada", checks, dict.fromkeys(solutions, True), EARLY, fresh=True)
    empty = Entry(
        "ben", dict.fromkeys(checks, 0), dict.fromkeys(solutions, False), LATE, fresh=True
    )
    some = replace(
        full,
        student="cleo",
        points=checks | {"check-gru_step": 1.37},
        answered=full.answered | {WRITTEN: False, "gru_step": False},
        timestamp=None,
    )
    assert both.grade(full, empty, some) == Counts(new=3)
    worse = replace(full, points=checks | {"check-gru_forward": 0.5})
    assert both.grade(worse, empty, replace(some, timestamp=LATE)) == Counts(changed=2, unchanged=1)
    # What is known about the hand-in time is not forgotten.
    assert both.grade(replace(worse, timestamp=None)) == Counts(unchanged=1)


def test_what_a_person_gave_stays_and_is_looked_at_again(both, released):
    checks, solutions = cells_of(released)
    answered = dict.fromkeys(solutions, True)
    entries = [Entry(who, checks, answered, LATE, fresh=True) for who in ("ada", "eli", "nia")]
    both.grade(*entries)
    both.give_points("ada", WRITTEN, 3.5, 0.25, "A fine answer.")
    both.give_points("eli", "check-gru_step", 1, None, "A slip of the pen.")
    both.give_points("nia", WRITTEN, 0)
    both.compare()
    assert both.grade(*entries) == Counts(changed=3)  # graded anew, with the same result
    both.give_points("ada", WRITTEN, 2)
    unanswered = [replace(entry, answered=answered | {WRITTEN: False}) for entry in entries]
    both.grade(*unanswered)
    both.grade(*entries)


def test_no_notebook(both, released):
    checks, solutions = cells_of(released)
    nothing = Entry("lea", {}, {}, None, fresh=True, missing=True)
    assert both.grade(nothing) == Counts(new=1)
    assert both.grade(nothing) == Counts(unchanged=1)
    later = Entry("lea", checks, dict.fromkeys(solutions, True), LATE, fresh=True)
    both.grade(later)
    both.give_points("lea", WRITTEN, 4)
    both.grade(nothing)


def test_anything_in_any_order(both, released):
    """Random gradings, points from people and extensions: the two gradebooks stay equal."""
    rng = random.Random(20260302)
    present: set[str] = set()
    for _ in range(24):
        student = rng.choice(["ada", "ben", "nia"])
        action = rng.choice(["grade", "grade", "grade", "person", "extend"])
        if action == "grade" or student not in present:
            when = rng.choice([None, EARLY, LATE, LATE + timedelta(days=1)])
            both.grade(some_entry(rng, released, student, when))
            present.add(student)
        elif action == "person":
            cell = rng.choice([WRITTEN, "check-gru_step", "check-GRULayer"])
            both.give_points(student, cell, rng.choice([None, 0, 1.5]), rng.choice([None, 0.5]))
        else:
            both.extend(student, rng.choice([0, 20, 40]))


def test_a_run_that_graded_nothing_leaves_answers_alone(fresh, released):
    """Here nbgrader is not followed: it would put every answer back into the queue."""
    checks, solutions = cells_of(released)
    entry = Entry("ada", checks, dict.fromkeys(solutions, True), EARLY)
    url = fresh()
    assert sync(url, "gru", [entry]) == Counts(new=1)
    give_points(url, "ada", WRITTEN, 3)
    before = tables(url)
    with Writer(url, "gru") as writer:
        assert writer.missing([entry]) == []
        assert writer.missing([replace(entry, fresh=True)]) != []
        again = replace(entry, timestamp=LATE)
        assert writer.missing([entry, again, replace(entry, student="ben")]) == [
            again,
            replace(entry, student="ben"),
        ]
    assert sync(url, "gru", [entry]) == Counts(unchanged=1)
    assert tables(url) == before
    # Handed in again: the answer may be another one.
    assert sync(url, "gru", [again]) == Counts(changed=1)
    with Gradebook(url) as book:
        grade = book.find_grade(WRITTEN, "gru", "gru", "ada")
        assert (grade.manual_score, grade.needs_manual_grade) == (3, True)


def test_penalties_follow_extensions_without_a_regrading(fresh, released):
    checks, solutions = cells_of(released)
    entry = Entry("ada", checks, dict.fromkeys(solutions, False), LATE)
    url = fresh()

    def penalty() -> float:
        sync(url, "gru", [entry], penalty=lambda student, score, late: late / 3600)
        with Gradebook(url) as book:
            return book.find_submission("gru", "ada").late_submission_penalty

    assert penalty() == pytest.approx(30)
    with Gradebook(url) as book:
        book.grant_extension("gru", "ada", hours=20)
    assert penalty() == pytest.approx(10)
    with Gradebook(url) as book:
        book.grant_extension("gru", "ada", days=2)
    assert penalty() == 0


def test_time_zones_become_utc(fresh, released):
    checks, solutions = cells_of(released)
    url = fresh()
    when = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=-8)))
    entry = Entry("ada", checks, dict.fromkeys(solutions, True), when)
    sync(url, "gru", [entry])
    with Gradebook(url) as book:
        assert book.find_submission("gru", "ada").timestamp == datetime(2026, 3, 2, 20)
    assert sync(url, "gru", [replace(entry, timestamp=when.astimezone(UTC))]) == Counts(unchanged=1)


def test_of_several_entries_for_one_student_the_last_counts(fresh, released):
    checks, solutions = cells_of(released)
    first = Entry("ada", checks, dict.fromkeys(solutions, True), EARLY)
    last = replace(first, points=checks | {"check-gru_step": 0.5})
    once, twice, apart = fresh("once"), fresh("twice"), fresh("apart")
    sync(once, "gru", [last])
    sync(twice, "gru", [first, last])
    sync(apart, "gru", [first, last], batch=1)
    assert tables(once) == tables(twice) == tables(apart)


def test_batches_and_repetition_change_nothing(course, fresh):
    entries = some_class(30, str(course.root / "_build/release/gru/gru.ipynb"))
    results = []
    for batch in (1, 7, 100):
        url = fresh(f"by-{batch}")
        assert sync(url, "gru", iter(entries), batch=batch) == Counts(new=30)
        again = [replace(entry, fresh=False) for entry in entries]
        assert sync(url, "gru", again, batch=batch) == Counts(unchanged=30)
        results.append(tables(url))
    assert results[0] == results[1] == results[2]


def test_the_number_of_statements_does_not_grow_with_the_batch(course, fresh):
    entries = some_class(200, str(course.root / "_build/release/gru/gru.ipynb"))

    def statements(number: int) -> int:
        said = []
        with Writer(fresh(str(number)), "gru") as writer:
            sa.event.listen(
                writer._engine,
                "before_cursor_execute",
                lambda *arguments: said.append(arguments[2]),
            )
            writer.write(entries[:number])
        return len(said)

    assert statements(200) == statements(10) < 40


def test_ids_do_not_give_students_away(course, fresh):
    """The formgrader numbers submissions in the order of their ids, and hides the names."""
    url = fresh()
    sync(url, "gru", some_class(200, str(course.root / "_build/release/gru/gru.ipynb")))
    with Gradebook(url) as book:
        notebooks = sorted(book.notebook_submissions("gru", "gru"), key=lambda paper: paper.id)
        students = [paper.student.id for paper in notebooks]
    places = [int(student.removeprefix("student-")) for student in students]
    steps = sum(later > earlier for earlier, later in zip(places, places[1:], strict=False))
    assert 60 < steps < 140


# The course's settings


def test_the_address_comes_from_the_settings(course, tmp_path):
    assert gradebook_url(course.root) == f"sqlite:///{course.root / 'gradebook.db'}"
    settings = tmp_path / "nbgrader_config.py"
    settings.write_text("c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///marks/g.db'\n")
    with pytest.raises(CourseError, match=f"no gradebook {tmp_path}/marks/g.db yet. Register"):
        gradebook_url(tmp_path)
    (tmp_path / "marks").mkdir()
    shutil.copy(course.root / "gradebook.db", tmp_path / "marks" / "g.db")
    assert gradebook_url(tmp_path) == f"sqlite:///{tmp_path}/marks/g.db"
    server = "postgresql://teacher:secret@localhost/grades"
    settings.write_text(f"c = get_config()\nc.CourseDirectory.db_url = {server!r}\n")
    assert gradebook_url(tmp_path) == server
    settings.write_text("c = get_config()\nc.CourseDirectory.db_url = 'gradebook.db'\n")
    with pytest.raises(CourseError, match="'gradebook.db' is no address of a database. Set c.Cou"):
        gradebook_url(tmp_path)


def test_rules_for_late_work(tmp_path):
    settings = tmp_path / "nbgrader_config.py"
    settings.write_text("c = get_config()\n")
    assert late_penalty(tmp_path)("ada", 9.0, 60.0) is None
    settings.write_text(f"c = get_config()\n{RULES['zero']}")
    assert late_penalty(tmp_path)("ada", 9.0, 60.0) == 9
    settings.write_text("c = get_config()\nc.AssignLatePenalties.enabled = False\n")
    assert late_penalty(tmp_path) is None
    settings.write_text("c = get_config()\nc.AssignLatePenalties.plugin_class = 'nowhere.Plugin'\n")
    with pytest.raises(CourseError, match="plugin for late work .* could not be loaded: .*nowhere"):
        late_penalty(tmp_path)
    assert str(tmp_path) not in sys.path


def test_a_plugin_that_fails_is_named(fresh, released, tmp_path, monkeypatch):
    (tmp_path / "faulty_rule.py").write_text(
        "from nbgrader.plugins import BasePlugin\n"
        "class Rule(BasePlugin):\n"
        "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
        "        return 1 / 0\n"
    )
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\nc.AssignLatePenalties.plugin_class = 'faulty_rule.Rule'\n"
    )
    checks, solutions = cells_of(released)
    entry = Entry("ada", checks, dict.fromkeys(solutions, True), LATE)
    url = fresh()
    before = tables(url)
    with pytest.raises(CourseError, match="Rule, failed for ada: ZeroDivisionError"):
        sync(url, "gru", [entry], penalty=late_penalty(tmp_path))
    assert tables(url) == before


# Faults


@pytest.fixture
def entry(released) -> Entry:
    checks, solutions = cells_of(released)
    return Entry("ada", checks, dict.fromkeys(solutions, True), EARLY)


def test_no_gradebook_is_made(entry, tmp_path):
    path = tmp_path / "gradebook.db"
    with pytest.raises(CourseError, match=f"no gradebook {path} yet. Register the assignment"):
        sync(f"sqlite:///{path}", "gru", [entry])
    with pytest.raises(CourseError, match="There is no gradebook"):
        sync("sqlite://", "gru", [entry])
    assert list(tmp_path.iterdir()) == []


def test_a_gradebook_that_vanishes_is_not_made_again(fresh, entry, tmp_path):
    url = fresh()
    with Writer(url, "gru") as writer:
        writer._engine.dispose()
        (tmp_path / "gradebook.db").unlink()
        with pytest.raises(CourseError, match="cannot be opened .*safe in autograded/"):
            writer.write([entry])
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_stays_empty(entry, tmp_path):
    path = tmp_path / "gradebook.db"
    path.touch()
    with pytest.raises(CourseError, match="is no gradebook: it has no tables .*Register the"):
        sync(f"sqlite:///{path}", "gru", [entry])
    assert path.read_bytes() == b""


def test_the_assignment_is_not_registered(fresh, entry):
    with pytest.raises(CourseError, match=r"no assignment lstm \(it has: gru\)\. .*nment lstm$"):
        sync(fresh(), "lstm", [entry])
    url = fresh("bare")
    with Gradebook(url) as book:
        book.add_assignment("rnn")
    with pytest.raises(CourseError, match="rnn has no notebook .* generate_assignment rnn"):
        sync(url, "rnn", [entry])


def test_more_than_one_notebook(fresh, entry):
    url = fresh()
    with Gradebook(url) as book:
        book.add_notebook("appendix", "gru")
    with pytest.raises(CourseError, match="gru has 2 notebooks"):
        sync(url, "gru", [entry])


@pytest.mark.parametrize(
    "wrong, reason",
    [
        (
            lambda e: replace(e, points={**e.points, "check-lstm_step": 1.0, "check-a": 0}),
            r"does not know check-a, check-lstm_step \(ben\)",
        ),
        (
            lambda e: replace(e, answered={**e.answered, "essay": True}),
            r"does not know essay \(ben\)",
        ),
        (
            lambda e: replace(e, answered={}),
            rf"the gradebook also has {WRITTEN} \(ben\)",
        ),
        (
            lambda e: replace(e, points={"check-gru_step": 1.0}),
            r"also has check-GRULayer, .* \(ben\)",
        ),
        (
            lambda e: replace(e, points={**e.points, "check-gru_step": 3.5}),
            r"3.5 points for check-gru_step, where the gradebook allows 0 to 3 \(ben\)",
        ),
        (
            lambda e: replace(e, points={**e.points, "check-gru_step": float("nan")}),
            "nan points for check-gru_step",
        ),
        (lambda e: replace(e, student="b" * 129), r"has 1 to 128 characters \(bbb"),
        (lambda e: replace(e, student="ben\udcff"), "no text that a database takes"),
    ],
)
def test_entries_that_do_not_fit_are_named_and_the_others_written(fresh, entry, wrong, reason):
    ben = wrong(replace(entry, student="ben"))
    others = [entry, replace(entry, student="cleo")]
    expected, url = fresh("expected"), fresh()
    sync(expected, "gru", others)
    with pytest.raises(CourseError, match=reason) as told:
        sync(url, "gru", [others[0], ben, others[1]], batch=1)
    assert "nbgrader generate_assignment gru --force" in str(told.value)
    assert tables(url) == tables(expected)
    with Writer(url, "gru") as writer:
        assert writer.missing([entry, ben]) == [ben]
        assert writer.write([ben]) == Counts(refused=1)


def test_a_locked_gradebook_is_waited_for(fresh, entry, tmp_path):
    url, said = fresh(), []
    other = sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    def say(sentence: str) -> None:
        said.append(sentence)
        other.execute("ROLLBACK")

    assert sync(url, "gru", [entry], say=say) == Counts(new=1)
    other.close()
    assert said == [
        f"Another program is writing to the gradebook {tmp_path}/gradebook.db; waiting for it up "
        "to 300 seconds."
    ]


@pytest.mark.parametrize("lock", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_gradebook_that_stays_locked(fresh, entry, tmp_path, lock):
    url, said = fresh(), []
    before = tables(url)
    other = sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None)
    other.execute(f"BEGIN {lock}")
    with pytest.raises(CourseError, match="stayed locked .* for 0 seconds. The grades are safe in"):
        sync(url, "gru", [entry], wait=0, say=said.append)
    other.close()
    assert len(said) == 1
    assert tables(url) == before
    assert sync(url, "gru", [entry]) == Counts(new=1)


def test_a_reader_that_keeps_the_commit_waiting(fresh, entry, tmp_path):
    """SQLite commits when nobody reads; the batch is then written from the beginning."""
    url, said = fresh(), []
    other = sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM student").fetchall()

    def say(sentence: str) -> None:
        said.append(sentence)
        other.execute("ROLLBACK")

    expected = fresh("expected")
    sync(expected, "gru", [entry])
    assert sync(url, "gru", [entry], say=say) == Counts(new=1)
    other.close()
    assert len(said) == 1
    assert tables(url) == tables(expected)


def as_nobody(folder: Path, work) -> str:
    """What ``work()`` says as a user who may not write everywhere, as root may."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(write, str(work()).encode())
        except BaseException as error:  # the child must not go on as a second pytest
            os.write(write, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


# Python 3.12 and later warn where any earlier test left a thread; the child starts none.
FORKS = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


@FORKS
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_read_only_gradebook(course, entry, what):
    folder = Path(tempfile.mkdtemp(prefix="gradebook-"))  # pytest's folders are closed to others
    path = folder / "gradebook.db"
    try:
        shutil.copy(course.root / "gradebook.db", path)
        before = path.read_bytes()
        path.chmod(0o444 if what == "file" else 0o666)
        folder.chmod(0o777 if what == "file" else 0o555)
        said = as_nobody(folder, lambda: sync(f"sqlite:///{path}", "gru", [entry]))
        assert said.startswith(f"CourseError: The gradebook {path} cannot be opened for writing")
        assert "The grades are safe in autograded/. Give yourself the right" in said
        assert path.read_bytes() == before
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@FORKS
def test_reading_needs_no_right_to_write(course, entry):
    """A run that has nothing to write works on a read-only gradebook."""
    folder = Path(tempfile.mkdtemp(prefix="gradebook-"))
    path = folder / "gradebook.db"
    try:
        shutil.copy(course.root / "gradebook.db", path)
        sync(f"sqlite:///{path}", "gru", [entry])
        path.chmod(0o444)
        folder.chmod(0o555)
        said = as_nobody(folder, lambda: sync(f"sqlite:///{path}", "gru", [entry]))
        assert said == str(Counts(unchanged=1))
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_damaged_gradebook(fresh, entry, tmp_path):
    path = tmp_path / "gradebook.db"
    url = fresh()
    path.write_bytes(b"This is no database." * 1000)
    with pytest.raises(CourseError, match=f"{path} is damaged .*restore it from a backup"):
        sync(url, "gru", [entry])
    fresh()
    with path.open("r+b") as file:  # the header is fine, the rest of it is not
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(CourseError, match=f"{path} is damaged .*safe in autograded/"):
        sync(url, "gru", [entry])


def test_a_gradebook_of_an_older_nbgrader(fresh, entry, tmp_path):
    url = fresh()
    with sqlite3.connect(tmp_path / "gradebook.db") as old:
        old.execute("ALTER TABLE submitted_notebook DROP COLUMN late_submission_penalty")
    old.close()
    with pytest.raises(CourseError, match="another version .*`nbgrader db upgrade`"):
        sync(url, "gru", [entry])


def test_a_full_disk(fresh, entry, tmp_path):
    url = fresh()
    before = tables(url)
    with Writer(url, "gru") as writer:

        @sa.event.listens_for(writer._engine, "connect")
        def no_more_pages(connection, record):
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        writer._engine.dispose()
        with pytest.raises(CourseError, match="database or disk is full.* safe in autograded/"):
            writer.write([replace(entry, student=f"student-{i}") for i in range(200)])
    assert tables(url) == before


def test_a_missing_driver(entry, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CourseError, match=r'driver psycopg is not installed: pip install "psycopg'):
        sync("postgresql://localhost/grades", "gru", [entry])


# Writers that are killed

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
    code = f"import sys, test_gradebook; test_gradebook.{call}(*sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_writer_killed_before_any_statement(course, fresh, tmp_path):
    notebook = str(course.root / "_build/release/gru/gru.ipynb")
    number, batch = KILLED
    entries = some_class(number, notebook)
    undisturbed = fresh("undisturbed")
    states = [tables(undisturbed)]
    for at in range(0, number, batch):
        sync(undisturbed, "gru", entries[at : at + batch])
        states.append(tables(undisturbed))

    folder = tmp_path / "killed"
    folder.mkdir()
    process = in_another_process(
        "kill_at_every_statement", str(course.root / "gradebook.db"), str(folder), notebook
    )
    process.communicate()
    assert process.returncode == 0
    left = sorted(folder.glob("*.db"), key=lambda path: int(path.stem))
    assert len(left) > 30
    reached = []
    for path in left:
        url = f"sqlite:///{path}"
        reached.append(states.index(tables(url)))  # an old or a new state, nothing between
        sync(url, "gru", entries, batch=batch)
        assert tables(url) == states[-1]
    assert reached == sorted(reached)
    assert set(reached) == set(range(len(states)))


def test_a_writer_killed_in_mid_run(course, fresh, tmp_path):
    notebook = str(course.root / "_build/release/gru/gru.ipynb")
    entries = some_class(400, notebook)
    undisturbed, url = fresh("undisturbed"), fresh()
    sync(undisturbed, "gru", entries, batch=40)
    process = in_another_process("write_slowly", url, notebook)
    told = [process.stdout.readline().strip() for _ in range(3)]
    process.kill()
    process.communicate()
    assert told == ["40", "80", "120"] and process.returncode == -signal.SIGKILL
    with Writer(url, "gru") as writer:
        missing = writer.missing([replace(entry, fresh=False) for entry in entries])
    assert len(missing) % 40 == 0 and 0 < len(missing) <= 280
    assert [entry.student for entry in missing] == [e.student for e in entries[-len(missing) :]]
    counts = sync(url, "gru", [replace(entry, fresh=False) for entry in entries])
    assert counts == Counts(new=len(missing), unchanged=400 - len(missing))
    assert tables(url) == tables(undisturbed)


def both_at_once(url: str, notebook: str) -> list[int]:
    """Two processes write the same class; what they exit with."""
    two = [in_another_process("write_slowly", url, notebook) for _ in range(2)]
    for process in two:
        process.communicate()
    return [process.returncode for process in two]


def test_two_writers_at_once_double_nothing(course, fresh):
    notebook = str(course.root / "_build/release/gru/gru.ipynb")
    once, twice = fresh("once"), fresh("twice")
    sync(once, "gru", some_class(400, notebook))
    assert both_at_once(twice, notebook) == [0, 0]
    assert tables(twice) == tables(once)


# A server


def postgres_programs() -> Path | None:
    """The folder with initdb and pg_ctl; Debian keeps them off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "pg_ctl").exists()), None)


@pytest.fixture(scope="module")
def server():
    """The address, without a database, of a PostgreSQL server of our own on a Unix socket."""
    pytest.importorskip("psycopg", reason='no driver: pip install "psycopg[binary]"')
    programs = postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    user = None
    if os.getuid() == 0:  # the server refuses to run as root
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = next((name for name in ("postgres", "nobody") if name in names), None)
        if user is None:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")
    # Not pytest's folder: it is closed to other users, and too long for the name of a socket.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data = folder / "data"
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(programs / program), "-D", str(data), *arguments],
            user=user,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout or (folder / "log").read_text()

    try:
        run("initdb", "-U", "teacher", "--auth=trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -k {folder} -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield lambda name: f"postgresql://teacher@/{name}?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def new_database(server, name: str, template: str = "template1") -> str:
    engine = sa.create_engine(server("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine.dispose()
    return server(name)


@pytest.fixture(scope="module")
def on_server(course, server, tmp_path_factory):
    """Call it for a new database in which nbgrader itself has registered the assignment."""
    folder = tmp_path_factory.mktemp("server")
    course = Course(folder)
    url = new_database(server, "registered")
    with (course.root / "nbgrader_config.py").open("a", encoding="utf-8") as settings:
        settings.write(f"c.CourseDirectory.db_url = {url!r}\n")
    course.run("nbgrader", "generate_assignment", "gru")
    assert not (course.root / "gradebook.db").exists()
    assert gradebook_url(course.root) == url
    with Gradebook(url, "gated-memory") as book:
        book.update_or_create_assignment("gru", duedate=DUE)
        book.add_student("ada", first_name="Ada", last_name="King", email="ada@example.org")
        book.add_student("zoe", first_name="Zoe", last_name="Never", lms_user_id="17")
    return lambda name: new_database(server, name, "registered")


def test_postgresql_gives_the_same_gradebook(course, fresh, on_server, released):
    here, there = fresh(), on_server("same")
    entries = some_class(20, str(course.root / "_build/release/gru/gru.ipynb"))
    rule = late_penalty(course.root)

    def both(*entries: Entry) -> Counts:
        counts = sync(here, "gru", entries, penalty=rule, batch=8)
        assert sync(there, "gru", entries, penalty=rule, batch=8) == counts
        assert tables(there) == tables(here)
        return counts

    assert both(*entries) == Counts(new=20)
    assert both(*(replace(entry, fresh=False) for entry in entries)) == Counts(unchanged=20)
    full = replace(entries[0], answered=dict.fromkeys(entries[0].answered, True))
    both(full)
    for url in (here, there):
        give_points(url, full.student, WRITTEN, 3.5, 0.25, "A fine answer.")
        with Gradebook(url) as book:
            book.grant_extension("gru", entries[1].student, hours=3)
    assert both(full) == Counts(changed=1)
    both(replace(entries[1], timestamp=LATE + timedelta(days=1)))


def test_postgresql_and_nbgrader_agree(on_server, released, tmp_path, course):
    theirs, ours = on_server("theirs"), on_server("ours")
    rng, config = random.Random(5), nbgrader_settings(course.root)
    for student, when in (("ada", EARLY), ("ben", LATE), ("ada", None)):
        entry = some_entry(rng, released, student, when)
        grade_with_nbgrader(theirs, released, entry, config, tmp_path)
        sync(ours, "gru", [entry], penalty=late_penalty(course.root))
        assert tables(ours) == tables(theirs)


def test_a_lock_on_the_server_is_waited_for(on_server, entry):
    url, said = on_server("locked"), []
    sync(url, "gru", [entry])
    changed = replace(entry, points={**entry.points, "check-gru_step": 0.5})
    engine = sa.create_engine(url)
    other = engine.connect()
    other.execute(sa.text("SELECT * FROM grade FOR UPDATE"))

    def say(sentence: str) -> None:
        said.append(sentence)
        other.rollback()

    with pytest.raises(CourseError, match="stayed locked .* The grades are safe"):
        sync(url, "gru", [changed], wait=0, say=lambda sentence: None)
    assert sync(url, "gru", [changed], say=say) == Counts(changed=1)
    assert len(said) == 1 and "Another program is writing" in said[0]
    other.close()
    engine.dispose()


def test_two_writers_at_once_on_a_server(course, fresh, on_server):
    notebook = str(course.root / "_build/release/gru/gru.ipynb")
    once, twice = fresh("once"), on_server("twice")
    sync(once, "gru", some_class(400, notebook))
    assert both_at_once(twice, notebook) == [0, 0]
    assert tables(twice) == tables(once)


def test_a_server_that_ends_in_mid_batch(on_server, entry):
    """The server drops the connection before the commit: the batch is not there, then it is."""
    url = on_server("dropped")
    before = tables(url)
    with Writer(url, "gru") as writer:

        def drop(connection, cursor, statement, *more) -> None:
            if statement.startswith("INSERT INTO comment"):
                pid = cursor.connection.info.backend_pid
                other = sa.create_engine(url)
                with other.connect() as killer:
                    killer.execute(sa.text(f"SELECT pg_terminate_backend({pid}, 10000)"))
                other.dispose()

        sa.event.listen(writer._engine, "before_cursor_execute", drop)
        with pytest.raises(CourseError, match="could not be read or written .*safe in autograded/"):
            writer.write([entry])
        sa.event.remove(writer._engine, "before_cursor_execute", drop)
        assert tables(url) == before
        assert writer.write([entry]) == Counts(new=1)


def test_no_server_no_tables(server, entry):
    with pytest.raises(CourseError, match="is no gradebook: it has no tables"):
        sync(new_database(server, "empty"), "gru", [entry])
    with pytest.raises(
        CourseError, match='could not be read or written .*"nowhere" does not exist'
    ):
        sync(server("nowhere"), "gru", [entry])
    with pytest.raises(CourseError, match="could not be read or written") as told:
        sync("postgresql://teacher:secret@127.0.0.1:1/grades", "gru", [entry])
    assert "secret" not in str(told.value)
