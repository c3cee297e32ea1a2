"""Whatever is wrong with a gradebook is explained, and nothing is half written."""

import os
import shutil
import sqlite3
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from gradebook_scene import WRITTEN, tables
from nbgrader.api import Gradebook

from autograder.material.config import CourseError
from autograder.outlets.gradebook import Counts, Writer, sync

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")


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
