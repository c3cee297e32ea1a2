"""A class graded on a real Dask cluster: a scheduler and workers, started by their commands."""

from __future__ import annotations

import json
import secrets
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from cluster_scene import (
    HERE,
    QUICK,
    alive,
    line_with,
    make_course,
    mortal_scheduler,
    no_connection_left,  # noqa: F401
    scheduler,
    start,
    still_there,
    worker,
)
from engine_scene import Here
from nbgrader.api import Gradebook
from work_scene import SETTINGS, deadly, easy, hand_in

from autograder import terminal
from autograder.cli import main
from autograder.grading import cluster
from autograder.grading import run as grading
from autograder.grading.cluster import DaskWorkers
from autograder.grading.workers import grade_in_worker
from autograder.material import collect
from autograder.material.config import CourseError

STUDENTS = {f"{like}-{number}": like for number in range(6) for like in QUICK}
KILL_AFTER = 7


@pytest.fixture(scope="module")
def token():
    return secrets.token_hex(8)


@pytest.fixture(scope="module")
def address(token):
    with scheduler(token) as address:
        yield address


@pytest.fixture(scope="module")
def course(tmp_path_factory, registered):
    return make_course(tmp_path_factory.mktemp("cluster") / "course", STUDENTS, registered)


def grades(course: Path) -> dict[str, dict]:
    """What everybody's grade says, without what differs from run to run."""
    found = {}
    for path in sorted(course.glob("autograded/*/gru/grade.json")):
        values = json.loads(path.read_text(encoding="utf-8"))
        for name in ("seconds", "code_seconds", "exercise_seconds", "student"):
            del values[name]
        found[path.parts[-3]] = values
    return found


def test_without_workers_it_waits_and_says_so(course, address):
    command = ("autograder", "grade", "gru", "--scheduler", address, "--no-gradebook")
    process = start(*command, cwd=course)
    line_with(process, f"There are no workers at {address}; waiting for one.")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert "Interrupted. Run the same command again" in out
    assert "Traceback" not in err and "distributed" not in err


def test_a_worker_killed_in_mid_run_costs_nothing(course, address, token, tmp_path, monkeypatch):
    local = make_course(tmp_path / "local", {like: like for like in QUICK})
    command = ["--course", str(local), "grade", "gru", "--workers", "2", "--no-gradebook"]
    assert CliRunner().invoke(main, command).exit_code == 0
    expected = grades(local)

    with worker(address, token=token) as first, worker(address, token=token):
        family = {}

        def progress(display, done: int, total: int) -> None:
            if done == KILL_AFTER:
                family.update(alive(token))
                first.send_signal(signal.SIGKILL)

        monkeypatch.setattr(terminal.Display, "progress", progress)
        command = ["--course", str(course), "grade", "gru", "--scheduler", address]
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 0, done.output
        assert f"{len(STUDENTS)} graded" in done.output
        assert "distributed" not in done.output
        assert first.poll() == -signal.SIGKILL or first.wait(300) == -signal.SIGKILL
    left = still_there(family, but=1)
    assert len(family) >= 6 and len(left) == 1, "of two workers and a scheduler, with zygotes"

    found = grades(course)
    assert found == {student: expected[like] for student, like in STUDENTS.items()}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        written = gradebook.assignment_submissions("gru")
        assert sorted(one.student.id for one in written) == sorted(STUDENTS)
        for one in written:
            points = sum(verdict["points"] for verdict in found[one.student.id]["verdicts"])
            assert one.score == pytest.approx(points)


def test_no_scheduler_at_the_address(course, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listened on
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        done = CliRunner().invoke(
            main, ["--course", str(course), "grade", "gru", "--scheduler", address]
        )
    assert done.exit_code == 2
    assert done.output.startswith(f"Error: No Dask scheduler answers at {address}. Start one")
    assert len(done.output.splitlines()) == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "carrier-pigeon://dovecote:1"])
def test_no_address(course, address):
    command = ["--course", str(course), "grade", "gru", "--scheduler", address]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2
    assert done.output.startswith(f"Error: {address} is no address of a Dask scheduler (")


def test_tls_without_a_certificate(course):
    command = ["--course", str(course), "grade", "gru", "--scheduler", "tls://127.0.0.1:8786"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2
    assert done.output.startswith("Error: tls://127.0.0.1:8786 wants a certificate")


def ask(address: str, settings=SETTINGS):
    team = DaskWorkers(address, lambda says: None)
    try:
        return team.result(team.submit(grade_in_worker, settings, "ada", b""))
    finally:
        team.close(now=True)


def test_workers_that_cannot_grade_say_why(course, address, token, tmp_path):
    settings = grading.settings_for(course, "gru")
    (tmp_path / "pyseccomp.py").write_text("raise ImportError('no libseccomp')\n")
    with worker(address, token=token, PYTHONPATH=str(tmp_path)):
        with pytest.raises(CourseError, match="has another version of the course's package"):
            ask(address, replace(settings, version="another"))
        with pytest.raises(CourseError, match=r"(?s)^On .*cannot confine .*\n  seccomp: "):
            ask(address, settings)


def test_a_worker_without_the_package_says_so(address, token, tmp_path):
    (tmp_path / "autograder").mkdir()
    missing = "raise ModuleNotFoundError(\"No module named 'autograder'\")\n"
    (tmp_path / "autograder" / "__init__.py").write_text(missing)
    with worker(address, token=token, PYTHONPATH=str(tmp_path)):
        with pytest.raises(CourseError, match="lacks the course's package .*No module named"):
            ask(address)


def test_a_submission_that_kills_workers_and_then_the_scheduler_ends(tmp_path, monkeypatch, token):
    """Its deaths take others' work with them, which is graded all the same."""
    monkeypatch.setattr(cluster, "SCHEDULER_SECONDS", 0)
    monkeypatch.setattr(grading, "grade_in_worker", deadly)
    hand_in(tmp_path, ("ada", "ben", "mallory", "cleo", "dev", "eli"), str(tmp_path / "once"))
    found = collect.submissions(tmp_path, "gru")
    strict = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    path = {"PYTHONPATH": str(HERE)}
    with scheduler(token, **strict) as address:
        with worker(address, "--nanny", token=token, **path):
            team = DaskWorkers(address, lambda says: None)
            said: list[str] = []
            run = grading.ClassRun(tmp_path, SETTINGS, say=said.append)
            summary = run.perform(found, team)
        assert said == ["mallory: not graded. The process that graded it was killed, repeatedly."]
        assert sorted(summary.graded) == ["ada", "ben", "cleo", "dev", "eli"]
        team = DaskWorkers(address, lambda says: None)
        waiting = team.submit(deadly, SETTINGS, "ada", b"")
    with pytest.raises(CourseError, match=r"scheduler at \S+ is gone. What is graded is kept"):
        team.result(waiting)
    team.close(now=True)


@pytest.mark.parametrize("step", ["submit", "result", "number", "close"])
def test_a_scheduler_that_is_killed_costs_what_was_not_graded_yet(
    tmp_path, monkeypatch, token, step
):
    """It dies when it is asked for the third time, or when all is done, and no other comes."""
    monkeypatch.setattr(cluster, "SCHEDULER_SECONDS", 0)
    monkeypatch.setattr(grading, "grade_in_worker", easy)
    students = [f"s{number}" for number in range(8)]
    hand_in(tmp_path, students)
    found = collect.submissions(tmp_path, "gru")
    said: list[str] = []
    with mortal_scheduler(token) as (process, address):
        with worker(address, token=token, PYTHONPATH=str(HERE)):
            team = DaskWorkers(address, lambda says: None)
            real, calls = getattr(DaskWorkers, step), []

            def dying(team, *arguments, **options):
                calls.append(arguments)
                if len(calls) == 3 or step == "close":
                    process.kill()
                    process.wait()
                    team._asked = 0.0  # it is asked anew how many workers there are
                return (real.fget if step == "number" else real)(team, *arguments, **options)

            dies = property(dying) if step == "number" else dying
            monkeypatch.setattr(DaskWorkers, step, dies)
            summary = grading.ClassRun(tmp_path, SETTINGS, say=said.append).perform(found, team)
            monkeypatch.setattr(DaskWorkers, step, real)
    told = [problem.student for problem in summary.problems]
    assert sorted([*summary.graded, *told]) == students
    if step == "close":
        assert summary.exit_code == 0
        return
    assert summary.exit_code == 1 and told
    assert f"scheduler at {address} is gone. What is graded is kept" in summary.stopped
    assert said == [
        summary.stopped,
        *(f"{student}: not graded. The run ended before it was graded." for student in told),
    ]
    again = grading.ClassRun(tmp_path, SETTINGS, say=said.append).perform(found, Here())
    assert sorted(again.graded) == sorted(told) and again.exit_code == 0
