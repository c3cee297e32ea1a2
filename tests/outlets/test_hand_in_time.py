"""When a notebook came: the time of the file that is graded, whatever was packed beside it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
import run_scene
from engine_scene import solved, untouched
from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc

from autograder.material.collect import Submission, handed_in

DUE = datetime(2026, 3, 1, 12)
BEFORE, AFTER = DUE - timedelta(hours=3), DUE + timedelta(hours=5)


def hand_in(course, paper, when: datetime, receipt: str = "") -> None:
    folder = course.hand_in("ada", paper)
    stamp = when.replace(tzinfo=UTC).timestamp()
    os.utime(folder / "lstm.ipynb", (stamp, stamp))
    if receipt:
        (folder / "timestamp.txt").write_text(receipt, encoding="utf-8")


def by_engine(course) -> None:
    run_scene.grade(course)


def by_nbgrader(course) -> None:
    done = run_scene.nbgrader(course, "autograde", course.assignment)
    assert done.returncode == 0, done.stdout


def gradebook(course) -> Gradebook:
    return Gradebook(f"sqlite:///{course.root / 'gradebook.db'}")


def late(course) -> float:
    """By how many seconds, as the gradebook has it."""
    with gradebook(course) as book:
        return book.find_submission("lstm", "ada").total_seconds_late


@pytest.fixture
def due(course):
    with gradebook(course) as book:
        book.update_or_create_assignment("lstm", duedate=DUE)
    return course


@pytest.mark.parametrize("grade", [by_engine, by_nbgrader])
def test_a_fix_after_the_due_date_is_late(due, grade):
    hand_in(due, untouched(), BEFORE)
    grade(due)
    assert late(due) == 0
    hand_in(due, solved(), AFTER)
    grade(due)
    assert late(due) == (AFTER - DUE).total_seconds()
    assert due.grade("ada").points > 0, "the fix is what is graded"


@pytest.mark.parametrize("grade", [by_engine, by_nbgrader])
@pytest.mark.parametrize("receipt", ["2020-01-01 00:00:00 UTC", "yesterday", "9" * 400])
def test_a_receipt_that_was_packed_to_look_early_never_helps(due, grade, receipt):
    hand_in(due, solved(), AFTER, receipt)
    grade(due)
    assert late(due) == (AFTER - DUE).total_seconds()


def test_a_receipt_of_nbgraders_own_is_later_than_the_file_and_counts(due):
    hand_in(due, solved(), BEFORE, f"{AFTER:%Y-%m-%d %H:%M:%S.%f} UTC")
    by_engine(due)
    assert late(due) == (AFTER - DUE).total_seconds()


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 18:00:00 UTC",
        "2026-03-02 18:00:00.000123 UTC",
        "2026-03-02 18:00:00.5 UTC",
        "2026-03-02 24:00:00 UTC",
        "2026-02-30 18:00:00 UTC",
        "2026-03-02 18:00:00.123456 CET",
        "2026-03-02 18:00:00 -0500",
        "2 March 2026, 6 pm",
        "no time",
    ],
)
def test_a_receipt_is_read_as_nbgrader_reads_it(tmp_path, text):
    receipt = tmp_path / "timestamp.txt"
    receipt.write_text(text, encoding="utf-8")
    try:
        expected = parse_utc(text)
    except ValueError:
        expected = None
    assert handed_in(Submission("ada", tmp_path, None)) == expected


def test_what_was_handed_in_stays_as_it_is_and_a_renamed_fix_is_found(due):
    """A copy left beside it would later stand in the way of the fix."""
    folder = due.hand_in("ada", untouched(), "lstm (1).ipynb")
    by_nbgrader(due)
    assert {path.name for path in folder.glob("*.ipynb")} == {"lstm (1).ipynb"}
    due.hand_in("ada", solved(), "lstm (1).ipynb")
    by_nbgrader(due)
    assert due.grade("ada").points == due.grade("ada").max_points
