"""Grading a class: which submissions need grading, who does it, and where the grades go.

A submission goes one way, each step once: it is found (``material.collect``), read, given to a
worker that plays, judges and grades it (``engine``), and kept (``keep``); then the gradebook hears
of it.

A grade is a file, ``autograded/<student>/<assignment>/grade.json``, written last of all beside the
graded notebook. It holds the digest of what was handed in and the version of everything else it
depends on, so that a submission is graded when, and only when, one of the two has changed. The
gradebook is made to agree with these files. A run can be killed at any moment: the next one does
what is missing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue

from autograder.checking import answers
from autograder.grading.engine import confinement
from autograder.grading.graded import Entry, Graded
from autograder.grading.keep import UNRECORDED, graded_folder, read_grade, store
from autograder.grading.stage import CELL_SECONDS, PlayersUnavailable
from autograder.grading.workers import (
    HandOutAgain,
    Settings,
    WorkerLost,
    Workers,
    WorkersGone,
    grade_in_worker,
)
from autograder.material import papers
from autograder.material.collect import Submission, complete_receipt, handed_in
from autograder.material.config import CourseError, writable
from autograder.material.notebooks import require_assignment
from autograder.material.remarks import LOOK
from autograder.player.confine import LAYERS

# For jsonschema, which nbformat imports, it would compile a grammar of web addresses, which takes
# most of a second and which nothing in a notebook is checked against.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # "it is not there"

BATCH = 100
"""Submissions that are written to the gradebook in one transaction."""

WAITING = 3
"""Submissions that wait for each worker, so that none is idle; more would only fill memory."""


NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Errors after which no other grade can be written either."""

Task = tuple[Submission, bytes]
"""A submission that needs grading, and its file's content."""


class DiskFull(CourseError):
    """No grade can be written any more; the message says where."""


@dataclass(frozen=True)
class Problem:
    """A submission that could not be graded, and why."""

    student: str
    says: str


@dataclass
class Summary:
    """How a run ended."""

    assignment: str
    graded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    look: dict[str, list[str]] = field(default_factory=dict)
    """what was noticed about the submissions that deserve a person's look"""
    scores: dict[str, float] = field(default_factory=dict)
    max_points: float = 0.0
    by_exercise: dict[str, list[float]] = field(default_factory=dict)
    """the share of its points that each submission has, for each exercise"""
    mistakes: dict[str, Counter] = field(default_factory=dict)
    seconds: float = 0.0
    gradebook: str = ""
    """what stands between the grades and the gradebook, empty where nothing does"""
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)
    """what went wrong and cost nothing: who died meanwhile, and what became of the work"""
    stopped: str = ""
    """why the run ended before everything was graded, empty where nothing stopped it"""

    @property
    def exit_code(self) -> int:
        """0: everything is graded and in the gradebook; 1: not everything; 130: interrupted."""
        if self.interrupted:
            return 130
        return 1 if self.problems or self.gradebook else 0

    def add(self, graded: Graded) -> None:
        """Count one grade."""
        self.scores[graded.student] = graded.points
        self.max_points = graded.max_points
        if graded.needs_look:
            self.look[graded.student] = [r.says for r in graded.remarks if r.kind in LOOK]
        for verdict in graded.verdicts:
            share = verdict.points / verdict.max_points if verdict.max_points else 0.0
            self.by_exercise.setdefault(verdict.exercise, []).append(share)
            if verdict.mistake:
                self.mistakes.setdefault(verdict.exercise, Counter())[verdict.mistake.name] += 1

    def to_dict(self) -> dict:
        """Plain values, for ``--json``."""
        return {
            "assignment": self.assignment,
            "graded": self.graded,
            "unchanged": self.unchanged,
            "problems": [{"student": writable(p.student), "says": p.says} for p in self.problems],
            "look": self.look,
            "scores": self.scores,
            "max_points": self.max_points,
            "mistakes": {name: dict(found) for name, found in self.mistakes.items()},
            "seconds": round(self.seconds, 3),
            "gradebook": self.gradebook or "up to date",
            "interrupted": self.interrupted,
            "notes": self.notes,
            "stopped": self.stopped,
        }


def course_seed(course: Path) -> int:
    """The seed for grading: ``AUTOGRADER_SEED``, else ``secret_seed.txt``, else the public one.

    Raises CourseError when the file cannot be read.
    """
    file = course / "secret_seed.txt"
    if os.environ.get(answers.SEED_VARIABLE, "").strip() or not file.is_file():
        return answers.seed()
    try:
        return answers.as_seed(file.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise CourseError(f"{file.name} could not be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CourseError(f"{file.name} is no text: it has to hold one number.") from error


def settings_for(
    course: Path,
    assignment: str,
    *,
    accept_less: bool = False,
    elsewhere: bool = False,
    cell_seconds: float = CELL_SECONDS,
) -> Settings:
    """The settings of a run in this course, on other machines if ``elsewhere``.

    Raises CourseError.
    """
    require_assignment(course, assignment)
    layers: tuple[str, ...] = LAYERS
    if accept_less:  # what other machines lack is not known before they grade
        layers = () if elsewhere else confinement()
    seed, release = course_seed(course), papers.release_of(course, assignment)
    settings = Settings(assignment, release, seed, "", accept_less, cell_seconds, layers)
    return replace(settings, version=settings.version_here())


class _Out:
    """What workers have: futures, and the submission that each is for."""

    def __init__(self):
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._tasks: dict[Future, Task] = {}
        self._since: dict[str, float] = {}
        self._twice: set[str] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, future: Future, task: Task) -> None:
        """Somebody has it; or a second one, too."""
        student = task[0].student
        if self.has(task):
            self._twice.add(student)
        else:
            self._since[student] = time.monotonic()
        self._tasks[future] = task
        future.add_done_callback(self._ended.put)

    def next(self) -> tuple[Task, Future] | tuple[None, None]:
        """One that is back; nothing where none is within a second."""
        try:
            future = self._ended.get(timeout=1.0)
        except Empty:
            return None, None
        task = self._tasks.pop(future, None)
        return (None, None) if task is None else (task, future)

    def has(self, task: Task) -> bool:
        """Whether somebody has this one."""
        return any(other is task for other in self._tasks.values())

    def forget(self, task: Task) -> None:
        """It is done: whoever else has it works for nothing."""
        if task[0].student in self._twice:
            for future in [future for future, other in self._tasks.items() if other is task]:
                del self._tasks[future]
                future.cancel()

    def late(self, seconds: float) -> list[Task]:
        """Those that one worker alone has for so long."""
        then = time.monotonic() - seconds
        tasks = self._tasks.values()
        return [
            task
            for task in tasks
            if self._since[task[0].student] < then and task[0].student not in self._twice
        ]


class ClassRun:
    """Grades one assignment's class. ``say`` gets a sentence at a time, ``progress`` numbers."""

    def __init__(
        self,
        course: Path,
        settings: Settings,
        *,
        say: Callable[[str], None],
        progress: Callable[[int, int], None] = lambda done, total: None,
        writer=None,
    ):
        self.course, self.settings = course, settings
        self.say, self.progress, self.writer = say, progress, writer
        self.summary = Summary(settings.assignment)
        self._entries: list[Entry] = []
        self._running: dict[str, Submission] = {}
        """given to a worker, and neither graded nor among the problems yet"""
        self._total = self._settled = 0
        self._receipts = True
        self._counts: Counter[str] = Counter()
        """how many submissions went another way than the straight one, by what happened"""

    def perform(
        self, found: Sequence[Submission], workers: Workers, force: bool = False
    ) -> Summary:
        """Grade what needs it. Ctrl-C ends it early, with everything kept that is done.

        Whatever dies meanwhile, every submission is graded or among the problems, and the next run
        grades those. Raises CourseError where nobody can grade anything.
        """
        start = time.monotonic()
        self._total, self._settled = len(found), 0
        waiting = self._outdated(found, force)
        try:
            self._grade(waiting, workers)
            workers.close()
        except KeyboardInterrupt:
            self.summary.interrupted = True
            workers.close(now=True)
        except CourseError as error:
            workers.close(now=True)
            if not (self.summary.graded or isinstance(error, WorkersGone | DiskFull)):
                raise
            self._stop(str(error), waiting)
        finally:
            self._flush(last=True)
            self.summary.notes = [
                *workers.noticed(),
                *(f"{counted(number)} {what}." for what, number in self._counts.items()),
            ]
            self.summary.seconds = time.monotonic() - start
        return self.summary

    def _stop(self, why: str, waiting: Iterator[Task]) -> None:
        self.summary.stopped = why
        self.say(why)
        for submission in [*self._running.values(), *(submission for submission, _ in waiting)]:
            self._trouble(submission, "The run ended before it was graded.")

    def _outdated(self, found: Sequence[Submission], force: bool) -> Iterator[Task]:
        """The submissions that need grading, each with its file's content, read only here."""
        for submission in found:
            if submission.student != writable(submission.student):
                self._trouble(submission, "The name of the folder is no text in UTF-8: rename it.")
                continue
            try:
                data = submission.read()
            except OSError as error:
                self._trouble(submission, f"The notebook could not be read: {error.strerror}.")
                continue
            graded = read_grade(graded_folder(self.course, submission, self.settings.assignment))
            now = (sha256(data).hexdigest(), self.settings.version)
            if graded is None or force or (graded.digest, graded.version) != now:
                yield submission, data
                continue
            self.summary.unchanged.append(submission.student)
            self._settle()
            self._done(graded, submission)

    def _grade(self, waiting: Iterator[Task], workers) -> None:
        self.progress(0, self._total)
        # A worker that dies can take others' work with it. Alone, it shows whose fault it was.
        for task in self._attempt(waiting, workers):
            self._counts["tried again alone, after the process that graded it had died"] += 1
            for submission, _ in self._attempt(iter([task]), workers):
                self._trouble(submission, "The process that graded it was killed, repeatedly.")

    def _attempt(self, waiting: Iterator[Task], workers) -> list[Task]:
        """Grade these side by side; returns those whose worker died."""
        out, again, lost = _Out(), deque[Task](), []
        while True:
            task = None
            try:
                self._hand_out(out, again, waiting, workers)
                if not len(out):
                    return lost
                task, future = out.next()
                if task is None or future is None:
                    continue
                if self._take(task[0], future, workers):
                    out.forget(task)
                elif not out.has(task):
                    lost.append(task)
            except HandOutAgain:
                if task is not None and not out.has(task):
                    self._counts["handed out again, because the scheduler had gone"] += 1
                    again.append(task)

    def _hand_out(
        self, out: _Out, again: deque[Task], waiting: Iterator[Task], workers: Workers
    ) -> None:
        """Give everybody enough to do; where nothing waits, give what is late to another, too."""
        while len(out) < workers.number * WAITING:
            if not again:
                task = next(waiting, None)
                if task is None:
                    break
                again.append(task)
            future = self._submit(again[0], workers)  # where that fails it stays among these
            task = again.popleft()
            if future is not None:
                out.add(future, task)
        else:
            return
        for task in out.late(workers.late_seconds) if workers.number > 1 else ():
            if len(out) < 2 * workers.number * WAITING and (future := self._submit(task, workers)):
                self._counts["given to a second worker, because the first took long"] += 1
                out.add(future, task)

    def _submit(self, task: Task, workers) -> Future | None:
        submission, data = task
        self._running[submission.student] = submission
        remarks = (submission.problem,) if submission.problem else ()
        try:
            return workers.submit(grade_in_worker, self.settings, submission.student, data, remarks)
        except RuntimeError as error:
            self._trouble(submission, f"It could not be given to a process: {error}")
            return None

    def _take(self, submission: Submission, future: Future, workers) -> bool:
        """Take a grade from whoever made it; False where that one died."""
        try:
            graded, notebook = workers.result(future)
        except WorkerLost:
            return False
        except PlayersUnavailable as error:
            self._trouble(submission, str(error))
        except RuntimeError as error:
            self._trouble(submission, f"This is a fault of the course's engine. {error}")
        else:
            self._store(submission, graded, notebook)
        return True

    def _store(self, submission: Submission, graded: Graded, notebook: str) -> None:
        try:
            store(self.course, submission, graded, notebook)
        except OSError as error:
            self._trouble(submission, f"The grade could not be written: {error.strerror}.")
            if error.errno in NO_ROOM:
                raise DiskFull(
                    f"There is no room for grades in {self.course / 'autograded'} "
                    f"({error.strerror}). What is graded is kept: make room, then start this "
                    "command again, which goes on where it stopped."
                ) from error
            return
        when = None
        if submission.notebook:
            try:
                when = complete_receipt(submission)
            except OSError as error:
                if self._receipts:
                    self.say(
                        f"Nothing can be written in {submission.folder} ({error.strerror}): "
                        "nbgrader release_feedback will miss submission_secret.txt there."
                    )
                self._receipts = False
        self.summary.graded.append(submission.student)
        self._running.pop(submission.student, None)
        self._settle()
        self._done(graded, submission, new=True, when=when)

    def _settle(self) -> None:
        self._settled += 1
        self.progress(self._settled, self._total)

    def _done(
        self,
        graded: Graded,
        submission: Submission,
        new: bool = False,
        when: datetime | None = None,
    ) -> None:
        if graded.no_grade:
            self.summary.problems.append(Problem(graded.student, graded.no_grade))
        else:
            self.summary.add(graded)
        if self.writer is not None:
            folder = graded_folder(self.course, submission, self.settings.assignment)
            fresh = new or (folder / UNRECORDED).exists()
            self._entries.append(entry_of(graded, when or handed_in(submission), fresh))
        if new and graded.no_grade:
            self.say(f"{graded.student}: no grade. {graded.no_grade}")
        elif new and graded.needs_look:
            self.say(f"{graded.student}: {' '.join(self.summary.look[graded.student])}")
        if len(self._entries) >= BATCH:
            self._flush()

    def _flush(self, last: bool = False) -> None:
        """Bring the gradebook up to date. Where that fails, grading goes on and says so."""
        entries, self._entries = self._entries, []
        if self.writer is None:
            return
        try:
            if entries:
                self.writer.write(entries)
                for entry in entries:
                    self._recorded(entry.student)
            if last:
                self.writer.finish()
        except CourseError as error:
            self.summary.gradebook = str(error)
            self.say(str(error))
            self.writer = None

    def _recorded(self, student: str) -> None:
        folder = self.course / "autograded" / student / self.settings.assignment
        # Where it cannot be removed, the next run tells the gradebook again, which changes nothing
        # but that a person is asked to look again.
        with contextlib.suppress(OSError):
            (folder / UNRECORDED).unlink(missing_ok=True)

    def _trouble(self, submission: Submission, says: str) -> None:
        self._running.pop(submission.student, None)
        self._settle()
        self.summary.problems.append(Problem(submission.student, says))
        self.say(f"{submission.student}: not graded. {says}")


def counted(submissions: int) -> str:
    """So many submissions, and the verb after them."""
    return "1 submission was" if submissions == 1 else f"{submissions} submissions were"


def missing_layers() -> list[str]:
    """The layers of confinement that this machine does not offer."""
    return [layer for layer in LAYERS if layer not in confinement()]


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def entry_of(graded: Graded, when: datetime | None, fresh: bool) -> Entry:
    """What the gradebook is told. ``when`` it was handed in, UTC and naive."""
    return Entry(
        graded.student,
        {f"check-{verdict.exercise}": verdict.points for verdict in graded.verdicts},
        dict(graded.written),
        when,
        fresh,
        missing=any(remark.kind == "missing" for remark in graded.remarks),
        no_grade=bool(graded.no_grade),
    )
