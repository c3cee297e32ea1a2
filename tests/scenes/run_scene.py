"""A class graded in this process, and a gradebook that another process holds."""

from __future__ import annotations

import contextlib
import subprocess
import sys

from engine_scene import Class, Here, environment

from autograder.grading.run import ClassRun, settings_for
from autograder.material.collect import submissions
from autograder.outlets.gradebook import Writer, gradebook_url


def grade(course: Class, *, wait: float = 60, say=None, gradebook=True, force=False, **options):
    """What ``autograder grade`` does, in this process: the summary, and what was said."""
    said = []
    settings = settings_for(course.root, course.assignment, **({"cell_seconds": 10} | options))
    writer = None
    if gradebook:
        writer = Writer(
            gradebook_url(course.root), course.assignment, wait=wait, say=say or said.append
        )
    try:
        found = submissions(course.root, course.assignment)
        summary = ClassRun(course.root, settings, say=said.append, writer=writer).perform(
            found, Here(), force
        )
    finally:
        if writer:
            writer.close()
    return summary, said


def nbgrader(course: Class, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of nbgrader's: its status, and all that it said."""
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course.root,
        env=environment(course.root.parent),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )


@contextlib.contextmanager
def locked(course: Class):
    """Another process holds the gradebook; yields what ends it."""
    program = (
        "import sqlite3, sys\n"
        f"c = sqlite3.connect({str(course.root / 'gradebook.db')!r}, isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE')\nprint('locked', flush=True)\nsys.stdin.readline()\n"
        "c.execute('ROLLBACK')\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def release_it():
        if other.poll() is None:
            other.communicate("\n", timeout=300)

    try:
        assert other.stdout.readline() == "locked\n"
        yield release_it
    finally:
        release_it()
