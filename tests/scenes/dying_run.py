"""Runs that are killed at every one of their steps, one after the other, and the runs after them.

``python dying_run.py COURSE GRADE`` works on copies of a course beside it; GRADE holds a grade and a
graded notebook of a solved paper, which stand for what grading gives. A step is an change of
a file below ``autograded/`` or of the gradebook, and the kill comes right before it. For each
killed run one line of JSON says what was there afterwards and what the next run did.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from hashlib import sha256
from itertools import count
from pathlib import Path

from engine_scene import Class, Here
from sqlalchemy import Engine, event
from work_scene import as_sampled

from autograder.grading import run as grading
from autograder.grading.keep import read_grade
from autograder.material.collect import submissions
from autograder.outlets.gradebook import Writer

FILES = {"open", "os.mkdir", "os.remove", "os.rename", "shutil.rmtree"}
"""Python's audit events of operations on files."""

WRITES = os.O_WRONLY | os.O_RDWR
"""Flags of files that are opened to write."""


def die_before(step: int, folder: Path) -> None:
    """Have this process kill itself before its operation of this number."""
    steps = count(1)

    def one_more(*args) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(name: str, arguments: tuple) -> None:
        if name in FILES and str(arguments[0]).startswith(str(folder)):
            if name != "open" or arguments[2] & WRITES:
                one_more()

    def execute(connection, cursor, statement: str, *rest) -> None:
        if not statement.startswith("SELECT"):
            one_more()

    sys.addaudithook(audit)
    event.listen(Engine, "before_cursor_execute", execute)
    event.listen(Engine, "commit", one_more)


def perform(course: Class, settings) -> grading.Summary:
    root = course.root
    with Writer(f"sqlite:///{root / 'gradebook.db'}", "lstm", say=lambda says: None) as writer:
        run = grading.ClassRun(root, settings, say=lambda says: None, writer=writer)
        return run.perform(submissions(root, "lstm"), Here())


def in_a_child(work) -> int:
    """Call it in a process of its own; the status that this one ends with."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def current(course: Class) -> list[str]:
    """Whose grade is that of what lies in ``submitted/``; each lies beside its own notebook."""
    found = []
    for submission in submissions(course.root, "lstm"):
        folder = course.folder(submission.student)
        graded = read_grade(folder)
        if graded is None:
            continue
        paper = json.loads((folder / "lstm.ipynb").read_text(encoding="utf-8"))
        assert paper["metadata"]["of"] == graded.digest, "a grade beside another one's notebook"
        if graded.digest == sha256(submission.read()).hexdigest():
            found.append(submission.student)
    return found


def main() -> None:
    original = Class(Path(sys.argv[1]).resolve())
    copy = Class(original.root.parent / "copy")
    settings = grading.settings_for(original.root, "lstm")
    sample = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    grading.grade_in_worker, grading.BATCH = as_sampled(sample), 2
    for step in count(1):
        shutil.rmtree(copy.root, ignore_errors=True)
        shutil.copytree(original.root, copy.root)

        def dying(step=step) -> None:
            die_before(step, copy.root / "autograded")
            perform(copy, settings)

        status = in_a_child(dying)
        if not os.WIFSIGNALED(status):
            assert status == 0
            return
        there = current(copy)

        def next_run(step=step, there=there) -> None:
            summary = perform(copy, settings)
            copy.agree()
            assert all((copy.folder(s) / "lstm.ipynb").is_file() for s in copy.grades())
            said = {
                "step": step,
                "there": there,
                "graded": sorted(summary.graded),
                "unchanged": sorted(summary.unchanged),
                "code": summary.exit_code,
                "points": {student: g.points for student, g in copy.grades().items()},
            }
            print(json.dumps(said), flush=True)

        assert in_a_child(next_run) == 0


if __name__ == "__main__":
    main()
