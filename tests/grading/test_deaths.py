"""Whatever of a run dies, and at whichever step: every submission is graded or has a line that says
why not, and the next run grades just those."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from itertools import count
from multiprocessing import forkserver
from pathlib import Path

import pytest
import refusing_fork
from engine_scene import Here
from work_scene import (
    SETTINGS,
    answers_broken,
    answers_with_a_function,
    big,
    easy,
    endless,
    hand_in,
    once_refused,
    raises,
)

from autograder.course.gated_memory import COURSE as GATED_MEMORY
from autograder.grading import run as grading
from autograder.grading import stage, workers
from autograder.grading.engine import Engine
from autograder.grading.stage import PlayersUnavailable
from autograder.grading.workers import LocalWorkers, WorkerLost
from autograder.material.collect import submissions

STUDENTS = [f"s{number}" for number in range(8)]


@pytest.fixture
def course(tmp_path) -> Path:
    return hand_in(tmp_path, STUDENTS)


@pytest.fixture
def team():
    team = LocalWorkers(2)
    yield team
    team.close(now=True)


@pytest.fixture(autouse=True)
def work_without_an_engine(monkeypatch):
    monkeypatch.setattr(grading, "grade_in_worker", easy)


@pytest.fixture(scope="module", autouse=True)
def light_fork_servers():
    """What workers are forked from imports no torch here, and starts the faster."""
    before = list(forkserver._forkserver._preload_modules)
    forkserver._forkserver._stop()
    forkserver.set_forkserver_preload(["autograder.grading.workers"])
    yield
    forkserver._forkserver._stop()
    forkserver.set_forkserver_preload(before)


def run(course: Path, team) -> tuple[grading.Summary, list[str]]:
    said: list[str] = []
    summary = grading.ClassRun(course, SETTINGS, say=said.append).perform(
        submissions(course, "gru"), team
    )
    told = [problem.student for problem in summary.problems]
    done = [*summary.graded, *summary.unchanged]
    assert sorted([*done, *told]) == STUDENTS, "somebody is lost, or told twice"
    assert all(
        any(line.startswith(f"{student}: not graded. ") for line in said) for student in told
    )
    assert summary.exit_code == (1 if told else 0)
    return summary, said


def finish(course: Path, missing: list[str]) -> None:
    """The next run, in which nothing dies."""
    summary, _ = run(course, Here())
    assert sorted(summary.graded) == sorted(missing) and not summary.problems


def once(function):
    """Called the first time only."""
    calls = []

    def called(*arguments):
        if not calls:
            calls.append(arguments)
            function(*arguments)

    called.calls = calls
    return called


def end(pid: int, number: int = signal.SIGKILL) -> None:
    """Kill a process and wait until it is dead, leaving it to its parent."""
    watched = os.pidfd_open(pid)
    os.kill(pid, number)
    assert select.select([watched], [], [], 60)[0]
    os.close(watched)


def end_fork_server() -> None:
    end(forkserver._forkserver._forkserver_pid)


# The process that forks workers


def test_it_is_dead_before_a_worker_is_started(course, team):
    forkserver.ensure_running()
    end_fork_server()
    run(course, team)
    finish(course, [])


def test_it_dies_after_it_was_found_alive(course, team, monkeypatch):
    real = forkserver._forkserver.ensure_running
    kill = once(end_fork_server)

    def ensure_running():
        real()
        kill()

    monkeypatch.setattr(forkserver._forkserver, "ensure_running", ensure_running)
    summary, _ = run(course, team)
    assert kill.calls and not summary.problems


@pytest.mark.parametrize("times", [1, 2, 10**6])
def test_it_dies_while_a_worker_starts(course, team, monkeypatch, times):
    """It has the order and has not forked: the fork server is stopped, told, and killed."""
    real, killed = forkserver.connect_to_new_process, []

    def connect(descriptors):
        if len(killed) >= times:
            return real(descriptors)
        forkserver.ensure_running()
        killed.append(forkserver._forkserver._forkserver_pid)
        os.kill(killed[-1], signal.SIGSTOP)
        try:
            return real(descriptors)
        finally:
            end(killed[-1])

    monkeypatch.setattr(forkserver, "connect_to_new_process", connect)
    summary, said = run(course, team)
    if times <= 2:
        assert len(killed) == times and not summary.problems
        return
    assert len(killed) == workers.MOST_STARTS, "it was tried too often, or not often enough"
    assert summary.graded == []
    assert {line.partition(": ")[2] for line in said} == {
        "not graded. No process could be started: the one that forks it was killed."
    }
    monkeypatch.undo()
    monkeypatch.setattr(grading, "grade_in_worker", easy)
    finish(course, STUDENTS)


def test_it_dies_while_workers_work(course, team, monkeypatch):
    kill = once(end_fork_server)

    def ask(process, question):
        process._pipe.send_bytes(question)
        kill()
        return process._pipe.recv_bytes()

    monkeypatch.setattr(workers._Process, "ask", ask)
    summary, _ = run(course, team)
    assert kill.calls and not summary.problems


def test_after_its_death_an_end_now_ends_the_workers(tmp_path, team):
    """``multiprocessing`` takes them for dead then, and does not kill them."""
    os.mkfifo(tmp_path / "pipe")
    busy = team.submit(endless, SETTINGS, "ada", str(tmp_path / "pipe").encode())
    assert (tmp_path / "pipe").read_text() == "begun"
    (process,) = team._all
    watched = os.pidfd_open(process._process.pid)
    end_fork_server()
    assert team.result(team.submit(easy, SETTINGS, "ben", b""))  # starts one, and forgets the other
    team.close(now=True)
    assert isinstance(busy.exception(), WorkerLost)
    assert select.select([watched], [], [], 60)[0]
    os.close(watched)


# Workers


def test_idle_workers_that_die_are_replaced_unnoticed(course, team, monkeypatch):
    for student in ("ada", "ben"):
        team.result(team.submit(easy, SETTINGS, student, b""))
    idle = [process._process.pid for process in team._idle]
    assert idle
    for pid in idle:
        end(pid)
    lost = []
    real = LocalWorkers.result

    def result(self, future):
        try:
            return real(self, future)
        except WorkerLost:
            lost.append(future)
            raise

    monkeypatch.setattr(LocalWorkers, "result", result)
    summary, _ = run(course, team)
    assert not lost and not summary.problems


STEPS = {
    "before it has the work": lambda process, question: None,
    "with the work": lambda process, question: process._pipe.send_bytes(question),
    "in the middle of its answer": lambda process, question: (
        process._pipe.send_bytes(question),
        process._pipe.poll(None),
    ),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("times", [1, 10**6])
def test_a_worker_is_killed(course, team, monkeypatch, step, times):
    real, killed, turns = workers._Process.ask, [], count()

    def ask(process, question):
        if next(turns) >= times:
            return real(process, question)
        STEPS[step](process, question)
        killed.append(process._process.pid)
        end(process._process.pid)
        if step.startswith("before"):
            process._pipe.send_bytes(question)
        return process._pipe.recv_bytes()

    monkeypatch.setattr(workers._Process, "ask", ask)
    monkeypatch.setattr(grading, "grade_in_worker", big)
    summary, said = run(course, team)
    if times == 1:
        assert len(killed) == 1 and not summary.problems
        return
    assert len(killed) == 2 * len(STUDENTS) and not summary.graded
    assert {line.partition(": ")[2] for line in said} == {
        "not graded. The process that graded it was killed, repeatedly."
    }
    monkeypatch.undo()
    monkeypatch.setattr(grading, "grade_in_worker", easy)
    finish(course, STUDENTS)


@pytest.mark.parametrize("room", [0, 1])
def test_a_machine_without_room_for_workers(course, monkeypatch, tmp_path, room, capfd):
    (tmp_path / "room").write_text(str(room))
    os.mkfifo(tmp_path / "room.refused")
    monkeypatch.setenv("FORKS", str(tmp_path / "room"))
    path = [str(Path(refusing_fork.__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    modules = list(forkserver._forkserver._preload_modules)
    forkserver._forkserver._stop()
    forkserver.set_forkserver_preload([*modules, "refusing_fork"])
    team = LocalWorkers(2)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(grading, "grade_in_worker", once_refused)
            summary, said = run(course, team)
    finally:
        team.close(now=True)
        forkserver._forkserver._stop()
        forkserver.set_forkserver_preload(modules)
    assert "Resource temporarily unavailable" in capfd.readouterr().err, "nothing was refused"
    if room:  # one grades them all
        assert not summary.problems
        return
    assert len(said) == len(STUDENTS) and "No process could be started: " in said[0]
    finish(course, STUDENTS)


# What cannot be sent


@pytest.mark.parametrize(
    "work, says",
    [
        (raises, "Unsendable: no grade"),
        (answers_with_a_function, "Can't"),
        (answers_broken, "cannot be read"),
        (lambda *work: None, "cannot be sent"),
    ],
)
def test_what_cannot_be_sent_is_said(course, team, monkeypatch, work, says):
    def sometimes(function, settings, student, *more):
        return real(work if student == "s3" else easy, settings, student, *more)

    real = team.submit
    monkeypatch.setattr(team, "submit", sometimes)
    summary, said = run(course, team)
    assert [problem.student for problem in summary.problems] == ["s3"]
    assert len(said) == 1 and says in said[0]
    finish(course, ["s3"])


# Players


def test_a_zygote_that_cannot_be_started_is_said(confined, monkeypatch):
    def refuse(*args, **options):
        raise BlockingIOError(11, os.strerror(11))

    with Engine(GATED_MEMORY) as engine:
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", refuse)
            with pytest.raises(PlayersUnavailable, match="did not start: Resource temporarily"):
                engine.player("plain")
        with engine.player("plain") as player:
            assert isinstance(player, stage.Player)
