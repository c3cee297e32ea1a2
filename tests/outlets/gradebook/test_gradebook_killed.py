"""Writers that are killed, and two at once."""

import signal
from dataclasses import replace

import pytest
from gradebook_scene import KILLED, both_at_once, in_another_process, some_class, tables

from autograder.outlets.gradebook import Counts, Writer, sync

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")


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


def test_two_writers_at_once_double_nothing(course, fresh):
    notebook = str(course.root / "_build/release/gru/gru.ipynb")
    once, twice = fresh("once"), fresh("twice")
    sync(once, "gru", some_class(400, notebook))
    assert both_at_once(twice, notebook) == [0, 0]
    assert tables(twice) == tables(once)
