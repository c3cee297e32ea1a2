"""A real Dask cluster of which something fails: nothing is lost, nothing is stored twice, it is said."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
from collections import Counter
from concurrent.futures import Future
from pathlib import Path

import pytest
from cluster_scene import (
    HERE,
    mortal_scheduler,
    no_connection_left,  # noqa: F401
    scheduler,
    worker,
)
from engine_scene import Here
from work_scene import SETTINGS, big, easy, hand_in, never_where_told

from autograder.grading import run as grading
from autograder.grading.cluster import DaskWorkers
from autograder.material.collect import submissions

STUDENTS = [f"s{number:02}" for number in range(24)]
PATH = {"PYTHONPATH": str(HERE)}


@pytest.fixture
def token():
    return secrets.token_hex(8)


@pytest.fixture
def course(tmp_path) -> Path:
    return hand_in(tmp_path, STUDENTS)


@pytest.fixture
def stored(monkeypatch) -> Counter:
    """How often each student's grade was stored."""
    real, counted = grading.store, Counter()

    def store(course, submission, *arguments):
        real(course, submission, *arguments)
        counted[submission.student] += 1

    monkeypatch.setattr(grading, "store", store)
    return counted


def run(course: Path, address: str, at: int = 0, happens=lambda: None):
    """Grade the class; when so many are done something happens. The summary, and what was said."""
    said: list[str] = []
    happened = []

    def progress(done: int, total: int) -> None:
        if done == at and not happened:
            happened.append(done)
            happens()

    team = DaskWorkers(address, said.append)
    one = grading.ClassRun(course, SETTINGS, say=said.append, progress=progress)
    return one.perform(submissions(course, "gru"), team), said


def test_a_worker_that_is_killed(course, token, stored, monkeypatch):
    monkeypatch.setattr(grading, "grade_in_worker", easy)
    with scheduler(token) as address:
        with worker(address, token=token, **PATH) as first, worker(address, token=token, **PATH):

            def kill() -> None:
                first.kill()
                first.wait()

            summary, said = run(course, address, 5, kill)
    assert stored == Counter(STUDENTS) and sorted(summary.graded) == STUDENTS
    assert summary.exit_code == 0 and said == []
    assert summary.notes == ["1 Dask worker went away; others did the work."]


def test_a_scheduler_that_is_killed_and_started_again(course, token, stored, monkeypatch):
    """Its workers end with it; whoever starts it again starts them, too."""
    monkeypatch.setattr(grading, "grade_in_worker", easy)
    with contextlib.ExitStack() as stack:
        process, address = stack.enter_context(mortal_scheduler(token))
        stack.enter_context(worker(address, token=token, **PATH))

        def restart() -> None:
            process.kill()
            process.wait()
            port = int(address.rpartition(":")[2])
            stack.enter_context(mortal_scheduler(token, port))
            stack.enter_context(worker(address, token=token, **PATH))

        summary, said = run(course, address, 5, restart)
    assert stored == Counter(STUDENTS) and sorted(summary.graded) == STUDENTS
    assert summary.exit_code == 0 and not summary.stopped
    first, *others = summary.notes
    assert first.startswith("The Dask scheduler went away ") and first.endswith(" and came back.")
    for note in others:  # whether any was on its way in that moment is chance
        assert note == "1 Dask worker went away; others did the work." or note.endswith(
            "handed out again, because the scheduler had gone."
        )
    gone = f"The Dask scheduler at {address} is gone. What is graded is kept."
    assert any(line.startswith(gone) for line in said)
    assert f"A scheduler answers at {address} again; grading goes on." in said


def test_a_worker_that_hangs_holds_nobody_up(course, token, stored, monkeypatch):
    monkeypatch.setattr(grading, "grade_in_worker", never_where_told)
    monkeypatch.setattr(DaskWorkers, "late_seconds", 1.0)
    with scheduler(token) as address:
        with worker(address, token=token, HANGS="1", **PATH) as hanging:
            with worker(address, token=token, **PATH):
                summary, said = run(course, address)
                hanging.send_signal(signal.SIGKILL)
    assert stored == Counter(STUDENTS) and sorted(summary.graded) == STUDENTS
    assert summary.exit_code == 0 and said == []
    (note,) = summary.notes
    assert "given to a second worker, because the first took long." in note


class FirstIsSlow(Here):
    """Two workers of which the first answers only when the second has the same submission, too."""

    number = 2
    late_seconds = 0.0

    def __init__(self, *, wins: bool):
        self._wins = wins
        self._slow: Future = Future()
        self._work: tuple | None = None
        self.asked: Counter = Counter()

    def submit(self, *work) -> Future:
        self.asked[work[2]] += 1
        if self._work is None:
            self._work = work
            return self._slow
        if self._wins and work[2] == self._work[2]:
            self._answer()
        return super().submit(*work)

    def result(self, future: Future):
        if future is not self._slow and self._work and self.asked[self._work[2]] == 2:
            self._answer()
        return super().result(future)

    def _answer(self) -> None:
        if not self._slow.done():
            self._slow.set_result(super().submit(*self._work).result())


@pytest.mark.parametrize("wins", [True, False])
def test_the_answer_of_a_slow_worker_is_stored_only_where_it_is_the_first(
    course, stored, monkeypatch, wins
):
    monkeypatch.setattr(grading, "grade_in_worker", easy)
    team = FirstIsSlow(wins=wins)
    one = grading.ClassRun(course, SETTINGS, say=lambda says: None)
    summary = one.perform(submissions(course, "gru"), team)
    assert team.asked[STUDENTS[0]] == 2
    assert stored == Counter(STUDENTS) and sorted(summary.graded) == STUDENTS
    assert summary.exit_code == 0
    (note,) = summary.notes
    assert note.endswith("given to a second worker, because the first took long.")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_a_disk_that_is_full_ends_the_run_and_the_next_one_grades_the_rest(
    course, token, stored, monkeypatch
):
    """Room for three notebooks of ten megabytes, then for all."""
    monkeypatch.setattr(grading, "grade_in_worker", big)
    folder = course / "autograded"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=35m", "tmpfs", str(folder)], check=True)
    try:
        with scheduler(token) as address, worker(address, token=token, **PATH):
            first, said = run(course, address)
            assert len(first.graded) == 3 and sorted(stored) == sorted(first.graded)
            assert first.stopped in said and first.stopped.startswith(
                f"There is no room for grades in {folder} (No space left on device)."
            )
            told = [problem.student for problem in first.problems]
            assert sorted([*first.graded, *told]) == STUDENTS and first.exit_code == 1

            subprocess.run(["mount", "-o", "remount,size=1g", str(folder)], check=True)
            monkeypatch.setattr(grading, "grade_in_worker", easy)
            second, said = run(course, address)
        assert sorted(second.graded) == sorted(told) and second.exit_code == 0
        assert sorted(second.unchanged) == sorted(first.graded)
        assert stored == Counter(STUDENTS) and said == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)
