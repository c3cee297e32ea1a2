"""Runs that are interrupted, and runs whose processes are killed: nothing is lost or left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from engine_scene import Class, Command, added, run, solved, without_times, written
from run_scene import grade, locked

from autograder.grading import keep
from autograder.grading.workers import close_engine
from autograder.outlets.gradebook import gradebook_url

PATIENCE = "5"
"""Seconds for a cell: enough to be killed in, and the same in all runs, as they are part of the
version."""


@pytest.fixture(scope="module", autouse=True)
def end_the_engine_of_this_process():
    yield
    close_engine()


SLOW = "while True:\n    pass"


def long_class(course: Class) -> list[str]:
    """A class in which the first has no notebook, which is said at once, and two take long."""
    course.hand_in("a", None)
    course.hand_in("b", added(solved(), SLOW))
    for name in ("c", "d", "e", "f"):
        course.hand_in(name, written(solved(), sigmoid="def sigmoid(a):\n    return a"))
    course.hand_in("g", added(solved(), SLOW))
    course.hand_in("h", solved())
    return list("abcdefgh")


@pytest.fixture(scope="module")
def undisturbed(template, tmp_path_factory) -> dict[str, dict]:
    """The grades of that class after a run that nobody disturbs."""
    root = tmp_path_factory.mktemp("undisturbed") / "course"
    shutil.copytree(template.root, root)
    course = Class(root)
    students = long_class(course)
    summary, _ = grade(course, cell_seconds=float(PATIENCE))
    assert sorted(summary.graded) == students
    return {student: without_times(graded) for student, graded in course.grades().items()}


def differences(course: Class, undisturbed: dict) -> list[tuple]:
    """Where the grades are not those of the undisturbed run."""
    found = {student: without_times(graded) for student, graded in course.grades().items()}
    assert set(found) == set(undisturbed)
    return [
        (student, key, value, undisturbed[student][key])
        for student, values in found.items()
        for key, value in values.items()
        if value != undisturbed[student][key]
    ]


def finish(course: Class, undisturbed: dict) -> None:
    """Run again: what is missing is graded, nothing else, and the end is as if undisturbed."""
    done = course.grades()
    code, out, err = run(
        course, "grade", "lstm", "--json", "--workers", "2", "--cell-seconds", PATIENCE
    )
    assert code == 0, err
    summary = json.loads(out)
    assert sorted(summary["unchanged"]) == sorted(done)
    assert sorted(summary["graded"]) == sorted(set(undisturbed) - set(done))
    assert differences(course, undisturbed) == []
    course.agree()


LONG = ("grade", "lstm", "--json", "--cell-seconds", PATIENCE)


def test_a_judge_that_is_killed_leaves_no_process_and_no_half_a_grade(course, undisturbed):
    long_class(course)
    with Command(course, *LONG, "--workers", "2") as command:
        command.wait_for("a: There was no notebook")
        assert len(command.living()) > 1
        command.process.kill()
        command.process.wait()
        assert command.leftovers() == {}
    assert "a" in course.grades() and len(course.grades()) < len(undisturbed)
    finish(course, undisturbed)


@pytest.mark.parametrize("whom", ["the judge", "everybody"])
def test_ctrl_c_ends_the_run_in_order(course, undisturbed, whom):
    long_class(course)
    with Command(course, *LONG, "--workers", "2") as command:
        command.wait_for("a: There was no notebook")
        if whom == "the judge":
            command.process.send_signal(signal.SIGINT)
        else:  # as a terminal does
            os.killpg(command.process.pid, signal.SIGINT)
        code, out, err = command.finish()
        assert command.leftovers() == {}
    assert code == 130
    assert "Traceback" not in err
    summary = json.loads(out)
    assert summary["interrupted"] and "a" in summary["graded"]
    course.agree(interrupted=True)
    finish(course, undisturbed)


def test_ctrl_c_before_anything_is_graded(course):
    long_class(course)
    with locked(course):
        with Command(course, *LONG) as command:
            command.wait_for("Another program is writing to the gradebook")
            command.process.send_signal(signal.SIGINT)
            code, out, err = command.finish()
            assert command.leftovers() == {}
    assert (code, out) == (130, "") and "Traceback" not in err


def test_a_worker_that_is_killed_is_replaced(course, undisturbed):
    long_class(course)
    with Command(course, *LONG, "--workers", "2") as command:
        command.wait_for("a: There was no notebook")
        os.kill(workers(command)[0], signal.SIGKILL)
        command.process.send_signal(signal.SIGINT)
        code, out, err = command.finish()
        assert code == 130, err
        assert command.leftovers() == {}
    course.agree(interrupted=True)
    finish(course, undisturbed)


def test_a_class_survives_the_death_of_a_worker(course, undisturbed):
    long_class(course)
    arguments = ("grade", "lstm", "--json", "--cell-seconds", PATIENCE, "--workers", "2")
    with Command(course, *arguments) as command:
        command.wait_for("a: There was no notebook")
        os.kill(workers(command)[0], signal.SIGKILL)
        code, out, err = command.finish()
        assert command.leftovers() == {}
    assert code == 0, err
    assert differences(course, undisturbed) == []
    course.agree()


def test_a_class_survives_the_death_of_its_zygotes(course, undisturbed):
    long_class(course)
    arguments = ("grade", "lstm", "--json", "--cell-seconds", PATIENCE, "--workers", "2")
    with Command(course, *arguments) as command:
        command.wait_for("a: There was no notebook")
        for pid, line in command.living().items():
            if "zygote" in line:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        code, out, err = command.finish()
        assert command.leftovers() == {}
    assert code == 0, err
    assert differences(course, undisturbed) == []
    course.agree()


def test_a_class_survives_the_death_of_what_workers_are_forked_from(course, undisturbed):
    long_class(course)
    arguments = ("grade", "lstm", "--json", "--cell-seconds", PATIENCE, "--workers", "2")
    with Command(course, *arguments) as command:
        command.wait_for("a: There was no notebook")
        one, *_ = workers(command)
        os.kill(parent(one), signal.SIGKILL)
        os.kill(one, signal.SIGKILL)
        code, out, err = command.finish()
        assert command.leftovers() == {}
    assert code == 0, err
    assert differences(course, undisturbed) == []
    course.agree()


def workers(command: Command) -> list[int]:
    """The processes that have started zygotes, as soon as there are any."""
    while True:
        living = command.living()
        zygotes = {pid for pid, line in living.items() if "zygote" in line}
        if found := ({parent(pid) for pid in zygotes} & living.keys()) - zygotes:
            return sorted(found)
        assert command.process.poll() is None, "it has ended"


def parent(pid: int) -> int | None:
    """Who started that process, None where it has ended by now."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def test_a_kill_before_the_gradebook_was_told_makes_no_old_grade_of_a_new_one(course):
    from nbgrader.api import Gradebook

    question = "why-adding-helps"

    def stored(**values):
        with Gradebook(gradebook_url(course.root)) as gradebook:
            grade_of_answer = gradebook.find_grade(question, "lstm", "lstm", "zoe")
            for name, value in values.items():
                setattr(grade_of_answer, name, value)
            gradebook.db.commit()
            return grade_of_answer.needs_manual_grade

    course.hand_in("zoe", written(solved(), **{question: "Because of the sum."}))
    assert grade(course)[0].exit_code == 0
    assert stored()
    assert not stored(manual_score=2.0, needs_manual_grade=False)
    assert grade(course)[0].unchanged == ["zoe"]
    assert not stored()  # nothing is new: what the person gave stands

    # The text changes and the time of handing in does not; then everything is as after a kill.
    course.hand_in("zoe", written(solved(), **{question: "Another answer."}))
    grade(course, gradebook=False)
    assert (course.folder("zoe") / keep.UNRECORDED).exists()
    assert not stored()

    assert grade(course)[0].unchanged == ["zoe"]
    assert stored()
    assert not (course.folder("zoe") / keep.UNRECORDED).exists()
    course.agree()
