"""An attack, graded by stock nbgrader and by the course's engine, and what came of it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from attack_corpus import Attack
from attack_scene import ATTACKER, Scene, kill
from attacked_course import COURSE, SEED, TOKEN, environment, python, unprivileged

from autograder.checking.answers import as_seed
from autograder.checking.render import as_html
from autograder.grading import keep
from autograder.grading import run as grading
from autograder.grading.graded import Graded
from autograder.grading.workers import Settings, Workers, grade_in_worker
from autograder.material import collect
from autograder.material import notebooks as nb
from autograder.material.papers import release_of
from autograder.outlets.nbgrader_steps import safe_markdown

STOCK_SECONDS = 60
"""Wall time in which stock nbgrader has to grade one notebook, or it hangs; it needs 8 seconds."""

CELL_SECONDS = 3.0
"""Wall time that the engine gives a cell here; outside of tests it has more patience."""

ENGINE_SECONDS = 90
"""Wall time in which the engine has to grade one notebook, or it hangs."""

SETTLE_SECONDS = 12
"""Wall time for which processes that an attack left are watched before they are ended."""

SAFETY_BELT = ("prlimit", f"--as={12 << 30}", f"--fsize={4 << 30}")
"""Bounds far above what stock nbgrader needs, so that no attack can take the machine."""


@dataclass(frozen=True)
class Outcome:
    """What an attack brought its author and everybody else."""

    points: float
    max_points: float
    damage: tuple[str, ...]
    ended: str = "graded"
    """``graded``, ``failed`` (this submission was given up), ``killed`` or ``hung``"""
    seconds: float = 0.0
    kinds: frozenset[str] = frozenset()
    """what the engine's verdicts and remarks say, by their kinds"""
    told: tuple[str, ...] = ()
    """the kinds of the engine's remarks: what the instructor is told"""
    look: bool = False
    """whether the instructor is asked to look"""


def stock(attack: Attack, template: Path, max_points: float) -> Outcome:
    """Hand in and let plain ``nbgrader autograde`` grade it, with nbgrader's own settings."""
    with Scene(template) as scene, tempfile.TemporaryFile() as log:
        scene.hand_in(attack)
        start = time.monotonic()
        process = subprocess.Popen(
            [*SAFETY_BELT, python(), "-m", "nbgrader", "autograde", attack.assignment]
            + ["--student", ATTACKER],
            cwd=scene.course,
            env=environment(scene.root) | {TOKEN: scene.token},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **unprivileged(),
        )
        try:
            code = process.wait(STOCK_SECONDS)
            ended = "killed" if code < 0 else "failed" if code else "graded"
        except subprocess.TimeoutExpired:
            ended = "hung"
            for survivor in scene.survivors():
                kill(survivor)
            process.wait()
        seconds = time.monotonic() - start
        damage = []
        if ended == "graded" and scene.survivors():
            damage.append("left a process running")
        # What stays may do its harm later: watch it.
        deadline = time.monotonic() + SETTLE_SECONDS
        while scene.survivors() and time.monotonic() < deadline:
            time.sleep(0.5)
        for survivor in scene.survivors():
            kill(survivor)
        if ended == "hung":
            damage.append("the run does not end")
        if ended == "killed":
            damage.append("the run is killed")
        damage += scene.damage()
        points = scene.gradebook.points(attack.assignment)
    return Outcome(points, max_points, tuple(damage), ended, round(seconds, 1))


@cache
def settings(assignment: str) -> Settings:
    """How the engine grades here: as ``autograder grade`` does, with less patience for a cell."""
    release, seed = release_of(COURSE, assignment), as_seed(SEED)
    unversioned = Settings(assignment, release, seed, version="", cell_seconds=CELL_SECONDS)
    return replace(unversioned, version=unversioned.version_here())


class _InThisProcess(Workers):
    """Workers for ``grading.ClassRun``: this process, whose engine stays from attack to attack."""

    number = 1

    def submit(self, work, *arguments) -> Future:
        future = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def result(self, future: Future):
        return future.result()

    def close(self, now: bool = False) -> None:
        pass


class _Gradebook:
    """Takes what the gradebook would be told."""

    def write(self, entries) -> None:
        pass

    def finish(self) -> None:
        pass


class _Hung(BaseException):
    """The engine did not come back in time; nothing in it may swallow this."""


@contextlib.contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Raise _Hung in this thread where a block takes longer."""

    def expire(signum, frame):
        raise _Hung

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def engine(attack: Attack, template: Path) -> Outcome:
    """Hand in and let the course's engine grade it, as ``autograder grade`` does."""
    with Scene(template) as scene:
        scene.hand_in(attack)
        start = time.monotonic()
        run = grading.ClassRun(
            scene.course, settings(attack.assignment), say=lambda says: None, writer=_Gradebook()
        )
        ended = "graded"
        try:
            with _patience(ENGINE_SECONDS):
                found = collect.submissions(scene.course, attack.assignment)
                theirs = [submission for submission in found if submission.student == ATTACKER]
                summary = run.perform(theirs, _InThisProcess())
                if ATTACKER not in summary.graded or summary.gradebook:  # what is no grade is told
                    ended = "failed"
        except _Hung:
            ended = "hung"
        seconds = time.monotonic() - start
        damage = ["the run does not end"] if ended == "hung" else []
        if scene.survivors():
            damage.append("left a process running")
        damage += scene.damage(page=lambda source: safe_markdown({}, source))
        folder = scene.course / "autograded" / ATTACKER / attack.assignment
        graded = keep.read_grade(folder)
    if graded is None:
        return Outcome(0, 0, tuple(damage), ended, round(seconds, 1))
    failures = (verdict.failure for verdict in graded.verdicts)
    kinds = {failure.kind for failure in failures if failure}
    kinds |= {remark.kind for remark in graded.remarks}
    if any("<script" in as_html(verdict) for verdict in graded.verdicts):
        damage.append("left a script on the instructor's page")
    return Outcome(
        graded.points,
        graded.max_points,
        tuple(damage),
        ended,
        round(seconds, 1),
        frozenset(kinds),
        told=tuple(sorted({remark.kind for remark in graded.remarks})),
        look=graded.needs_look,
    )


def grade_honest(assignment: str = "lstm") -> Graded:
    """An honest submission, graded by the engine that has just graded attacks."""
    data = nb.source_notebook(COURSE, assignment).encode()
    return grade_in_worker(settings(assignment), "ada", data)[0]
