"""Processes on this machine: what becomes of work whose process dies, and of processes left alone."""

from __future__ import annotations

import os
import re
import secrets
import signal
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from cluster_scene import alive, line_with, make_course, start, still_there
from work_scene import SETTINGS, deadly, easy, endless

from autograder.grading import run as grading
from autograder.grading import workers
from autograder.grading.workers import LocalWorkers, WorkerLost, grade_in_worker
from autograder.material import collect
from autograder.material.config import CourseError
from autograder.material.papers import Release

STUDENTS = ("ada", "ben", "mallory", "cleo", "dev", "ulla", "eli", "fay", "gus", "hana")


def class_of(folder: Path, students=STUDENTS, content: str = "") -> list[grading.Submission]:
    for student in students:
        place = folder / "submitted" / student / "gru"
        place.mkdir(parents=True)
        (place / "gru.ipynb").write_text(content, encoding="utf-8")
    return collect.submissions(folder, "gru")


@pytest.fixture
def team():
    team = LocalWorkers(2)
    yield team
    team.close(now=True)


def test_only_the_submission_that_kills_its_process_is_not_graded(tmp_path, team, monkeypatch):
    monkeypatch.setattr(grading, "grade_in_worker", deadly)
    found = class_of(tmp_path, content=str(tmp_path / "once"))
    said, numbers = [], []
    run = grading.ClassRun(
        tmp_path, SETTINGS, say=said.append, progress=lambda *done: numbers.append(done)
    )
    summary = run.perform(found, team)
    assert sorted(summary.graded) == sorted(set(STUDENTS) - {"mallory"})
    assert [problem.student for problem in summary.problems] == ["mallory"]
    assert said == ["mallory: not graded. The process that graded it was killed, repeatedly."]
    assert summary.exit_code == 1
    assert numbers == sorted(numbers) and numbers[-1] == (len(STUDENTS), len(STUDENTS))


def test_what_a_function_raises_is_raised_here_and_the_process_goes_on(team):
    future = team.submit(grade_in_worker, replace(SETTINGS, version="another"), "ada", b"")
    with pytest.raises(CourseError, match=rf"on {os.uname().nodename} has another version"):
        team.result(future)
    elsewhere = replace(SETTINGS, release=Release("gru", "not-installed-here"))
    future = team.submit(grade_in_worker, elsewhere, "ada", b"")
    with pytest.raises(CourseError, match=r"^On .* course 'not-installed-here' is not installed"):
        team.result(future)
    assert team.result(team.submit(easy, SETTINGS, "ben", b""))[0].student == "ben"


def test_a_mistake_in_the_engine_says_where(monkeypatch):
    def divide(settings):
        return 1 / 0

    monkeypatch.setattr(workers, "_engine", divide)
    with pytest.raises(RuntimeError, match=r"(?s)in divide.*ZeroDivisionError"):
        grade_in_worker(SETTINGS, "ada", b"")


def test_an_end_now_does_not_wait_for_work(tmp_path, team):
    pipes = [tmp_path / "one", tmp_path / "two"]
    for pipe in pipes:
        os.mkfifo(pipe)
    busy = [team.submit(endless, SETTINGS, "ada", str(pipe).encode()) for pipe in pipes]
    waiting = team.submit(easy, SETTINGS, "ben", b"")
    assert [pipe.read_text() for pipe in pipes] == ["begun", "begun"]
    team.close(now=True)
    assert all(isinstance(future.exception(), WorkerLost) for future in busy)
    assert waiting.cancelled()


def test_few_submissions_are_in_memory_at_a_time(tmp_path, monkeypatch):
    class Team(workers.Workers):
        number, most, waiting = 2, 0, ()

        def submit(self, function, *work):
            future = Future()
            future.work = work
            self.waiting = [*self.waiting, future]
            self.most = max(self.most, len(self.waiting))
            future.set_result(None)
            return future

        def result(self, future):
            self.waiting = [other for other in self.waiting if other is not future]
            return easy(*future.work)

        def close(self, now=False):
            pass

    team = Team()
    students = [f"s{number:03}" for number in range(100)]
    run = grading.ClassRun(tmp_path, SETTINGS, say=lambda says: None)
    summary = run.perform(class_of(tmp_path, students), team)
    assert len(summary.graded) == 100
    assert team.most <= team.number * grading.WAITING


@pytest.mark.parametrize("how", ["the command is killed", "Ctrl-C"])
def test_no_process_outlives_the_command(tmp_path, how):
    """The first of two submissions is reported while the second, with a loop, is graded."""
    course = make_course(tmp_path / "course", {"a-otto": "otto", "b-hana": "hana", "c-ada": "ada"})
    token = secrets.token_hex(8)
    command = ("autograder", "grade", "gru", "--workers", "1", "--no-gradebook")
    process = start(*command, token=token, cwd=course)
    line_with(process, "a-otto: .*ended its process")
    others = alive(token)
    os.close(others.pop(process.pid))
    assert len(others) >= 3, "a worker, and at least one zygote, which is two processes"
    if how == "Ctrl-C":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.kill()
    out, err = process.communicate(timeout=300)
    assert still_there(others) == []
    if how == "Ctrl-C":
        assert process.returncode == 130
        assert "Interrupted. Run the same command again" in out
        assert "Traceback" not in err
        assert re.search(r"gru: \d graded", out)
