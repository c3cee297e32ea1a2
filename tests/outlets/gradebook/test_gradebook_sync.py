"""After ``autograder.outlets.gradebook`` the gradebook is the one nbgrader itself would have written."""

import random
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from gradebook_scene import (
    EARLY,
    LATE,
    RULES,
    WRITTEN,
    cells_of,
    give_points,
    some_class,
    some_entry,
    tables,
)
from nbgrader.api import Gradebook

from autograder.grading.graded import Entry
from autograder.material.config import CourseError
from autograder.outlets.gradebook import Counts, Writer, gradebook_url, late_penalty, sync

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")


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


def scores(url: str) -> dict[str, float]:
    """Everybody's score, as the database adds it up for nbgrader's exports."""
    with Gradebook(url, "gated-memory") as book:
        return {paper.student_id: paper.score for paper in book.assignment_submissions("gru")}


@pytest.mark.parametrize("both", ["none"], indirect=True)
def test_a_database_adds_up_the_same_points_to_the_last_digit(both, released):
    rng = random.Random(19)
    entries = [some_entry(rng, released, f"student-{i}", EARLY) for i in range(40)]
    both.grade(*entries)
    assert scores(both.ours) == scores(both.theirs)
    assert any(score != round(score, 2) for score in scores(both.ours).values())


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
