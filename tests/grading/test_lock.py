"""Two runs at once on one assignment: the second says who is first, and writes nothing."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from engine_scene import COURSE, Class, Command, added, run, solved
from run_scene import nbgrader

from autograder.grading.lock import keep_others_out, only_run
from autograder.material.config import CourseError

SLOW = "while True:\n    pass"


def everything(course: Class) -> dict[str, tuple[int, bytes]]:
    """All files of grades, but for what only the holder of the lock may write."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in [course.root / "gradebook.db", *course.root.glob("autograded/*/*/*")]
    }


def test_a_second_run_says_who_is_first_and_writes_nothing(course):
    course.hand_in("a", None)
    course.hand_in("b", added(solved(), SLOW))
    command = ("grade", "lstm", "--workers", "1", "--no-gradebook")
    with Command(course, *command, "--cell-seconds", "1000") as first:
        first.wait_for("a: There was no notebook")
        before = everything(course)
        code, out, err = run(course, "grade", "lstm", "--workers", "1")
        assert (code, out) == (2, ""), err
        assert err.startswith("Error: lstm is being graded already: autograder, process ")
        assert f"process {first.process.pid} on {os.uname().nodename}, since 20" in err
        assert "Wait for its end, or end it with Ctrl-C" in err and len(err.splitlines()) == 1
        done = nbgrader(course, "autograde", "lstm", "--force")
        assert done.returncode != 0
        assert f"lstm is being graded already: autograder, process {first.process.pid}" in (
            done.stdout
        )
        assert everything(course) == before
        first.process.kill()
        first.process.wait()
        code, out, err = run(course, "grade", "lstm", "--student", "a", "--no-gradebook")
        assert code == 0, err


HOLD = """
import sys
from pathlib import Path
from autograder.grading.lock import keep_others_out
keep_others_out(Path(sys.argv[1]), ["nbgrader", *sys.argv[2:]], print)
print("held", flush=True)
sys.stdin.read()
"""


def holding(root: Path, *arguments: str) -> subprocess.Popen:
    """A process that grades as nbgrader does: it holds the lock until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=COURSE,
    )
    assert process.stdout.readline() == "held\n"
    return process


def lock(root: Path, assignment: str) -> None:
    with only_run(root, assignment, pytest.fail):
        pass


@pytest.fixture
def root(tmp_path) -> Path:
    for assignment in ("gru", "lstm"):
        (tmp_path / "submitted" / "ada" / assignment).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    "arguments, held",
    [
        (["autograde", "lstm"], {"lstm"}),
        (["autograde", "--assignment=lstm", "--force"], {"lstm"}),
        (["autograde", "--CourseDirectory.assignment_id=lstm"], {"lstm"}),
        (["autograde"], {"lstm", "gru"}),
        (["generate_feedback", "lstm"], set()),
    ],
)
def test_nbgrader_holds_the_assignments_that_it_grades_until_it_ends(root, arguments, held):
    with holding(root, *arguments) as process:
        for assignment in ("lstm", "gru"):
            if assignment in held:
                with pytest.raises(CourseError, match=f"{assignment} .* process {process.pid} on"):
                    lock(root, assignment)
            else:
                lock(root, assignment)
        process.kill()
        process.wait()
    lock(root, "lstm")  # what a dead process wrote into the file blocks nobody
    lock(root, "gru")


def test_other_programs_with_nbgrader_in_them_hold_nothing(root):
    keep_others_out(root, ["jupyter-lab", "autograde"], pytest.fail)
    keep_others_out(root, ["nbgrader"], pytest.fail)
    assert not (root / "autograded").exists()


def test_a_file_that_says_nothing_yet_is_still_a_lock(root):
    with holding(root, "autograde", "lstm") as process:
        (root / "autograded" / ".lstm.lock").write_text("")
        with pytest.raises(CourseError, match="lstm is being graded already: another process"):
            lock(root, "lstm")
        process.kill()


def test_what_the_file_says_is_gone_afterwards(root):
    path = root / "autograded" / ".lstm.lock"
    with only_run(root, "lstm", pytest.fail):
        assert json.loads(path.read_text())["process"] == os.getpid()
    assert path.read_text() == ""


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_folder_without_locks_is_said_and_graded_in(root, monkeypatch, number):
    def refuse(descriptor, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    said = []
    with only_run(root, "lstm", said.append):
        assert len(said) == 1 and "cannot be locked" in said[0]
        assert "see to it that nobody else grades lstm meanwhile" in said[0]


def test_a_folder_that_cannot_be_written_in_is_said(root):
    (root / "autograded").write_text("a file")
    with pytest.raises(CourseError, match="Nothing can be written in .*so nothing was graded"):
        lock(root, "lstm")
