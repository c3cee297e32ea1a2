"""Grading a class: which submissions there are, which of them need grading, who does it, and
where the grades go.

A grade is a file, ``autograded/<student>/<assignment>/grade.json``, written last of all beside the
graded notebook. It holds the digest of what was handed in and the version of everything else it
depends on, so that a submission is graded when, and only when, one of the two has changed. The
gradebook is made to agree with these files. A run can be killed at any moment: the next one does
what is missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from autograder import answers, papers
from autograder.engine import confinement, version
from autograder.exercises import ASSIGNMENTS
from autograder.graded import LOOK, Graded, Remark
from autograder.notebooks import CourseError
from autograder.player.confine import LAYERS
from autograder.players import PlayersUnavailable
from autograder.workers import MOST_TRIES, DaskWorkers, LocalWorkers, Settings, grade_in_worker

BATCH = 50
"""Submissions that are written to the gradebook in one transaction."""

WAITING = 3
"""Submissions that wait for each worker, so that none is idle; more would only fill memory."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the file to grade, or why there is none."""

    student: str
    folder: Path
    notebook: Path | None
    problem: Remark | None = None

    def read(self) -> bytes:
        """The submitted file, else a notebook that says why there is none. Raises OSError."""
        if self.notebook:
            return self.notebook.read_bytes()
        return json.dumps(papers.paper_that_says(self.problem.says)).encode()


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

    @property
    def exit_code(self) -> int:
        """0: everything is graded and in the gradebook; 1: not everything; 130: interrupted."""
        if self.interrupted:
            return 130
        return 1 if self.problems or self.gradebook else 0

    def add(self, graded: Graded) -> None:
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
            "problems": [{"student": p.student, "says": p.says} for p in self.problems],
            "look": self.look,
            "scores": self.scores,
            "max_points": self.max_points,
            "mistakes": {name: dict(found) for name, found in self.mistakes.items()},
            "seconds": round(self.seconds, 3),
            "gradebook": self.gradebook or "up to date",
            "interrupted": self.interrupted,
        }


# What there is to grade


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


def settings_for(course: Path, assignment: str, **options) -> Settings:
    """The settings of a run in this course. Raises CourseError."""
    if assignment not in ASSIGNMENTS:
        raise CourseError(
            f"There is no assignment {assignment!r}: there are {', '.join(ASSIGNMENTS)}."
        )
    release, seed = papers.release_of(course, assignment), course_seed(course)
    return Settings(assignment, release, seed, version(seed, release), **options)


def submissions(course: Path, assignment: str) -> list[Submission]:
    """Everybody's submission, by student. Raises CourseError where there is none."""
    folder = course / "submitted"
    found = [
        _submission(path.parent.name, path, assignment)
        for path in sorted(folder.glob(f"*/{assignment}"))
        if path.is_dir() and not path.parent.name.startswith(".")
    ]
    if not found:
        raise CourseError(
            f"There is nothing to grade: no folder submitted/STUDENT/{assignment} in {course}."
        )
    return found


def _submission(student: str, folder: Path, assignment: str) -> Submission:
    """The notebook of one student: the one of the right name, else the newest."""
    wanted = folder / f"{assignment}.ipynb"
    try:
        files = [p for p in folder.glob("*.ipynb") if p.is_file() or p.is_symlink()]
        real = [path for path in files if not path.is_symlink()]
        newest = max(real, key=lambda path: (path == wanted, path.stat().st_mtime), default=None)
    except OSError as error:
        says = f"The folder could not be read: {error.strerror}."
        return Submission(student, folder, None, Remark("unreadable", says))
    if newest is not None:
        problem = None
        if len(real) > 1:
            says = f"There were {len(real)} notebooks; {newest.name} is graded."
            problem = Remark("repaired", says)
        elif newest != wanted:
            problem = Remark("repaired", f"{newest.name!r} is graded as {wanted.name}.")
        return Submission(student, folder, newest, problem)
    if files:
        problem = Remark(
            "missing", "The notebook is a link to another file, which is not followed."
        )
    else:
        problem = Remark("missing", "There was no notebook in the folder.")
    return Submission(student, folder, None, problem)


def graded_folder(course: Path, submission: Submission, assignment: str) -> Path:
    return course / "autograded" / submission.student / assignment


def read_grade(folder: Path) -> Graded | None:
    """The grade in a folder, None where there is none that can be read: it is made anew."""
    try:
        return Graded.from_json((folder / "grade.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


# The run


class Run:
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
        self._entries: list = []
        self._receipts = True

    def perform(
        self, found: Sequence[Submission], workers: LocalWorkers | DaskWorkers, force: bool = False
    ) -> Summary:
        """Grade what needs it. Ctrl-C ends it early, with everything kept that is done."""
        start = time.monotonic()
        try:
            todo = list(self._outdated(found, force))
            self._grade(todo, workers)
            workers.close()
        except KeyboardInterrupt:
            self.summary.interrupted = True
            workers.close(now=True)
        finally:
            self._flush()
            self.summary.seconds = time.monotonic() - start
        return self.summary

    def _outdated(self, found: Sequence[Submission], force: bool) -> Iterator[Submission]:
        for submission in found:
            try:
                digest = sha256(submission.read()).hexdigest()
            except OSError as error:
                self._trouble(submission, f"The notebook could not be read: {error.strerror}.")
                continue
            graded = read_grade(graded_folder(self.course, submission, self.settings.assignment))
            if (
                graded is None
                or force
                or (graded.digest, graded.version) != (digest, self.settings.version)
            ):
                yield submission
                continue
            self.summary.unchanged.append(submission.student)
            self._done(graded, submission, fresh=False)

    def _grade(self, todo: list[Submission], workers) -> None:
        total, done = len(todo), 0
        tries: Counter[str] = Counter()
        waiting = list(reversed(todo))
        running: dict[Future, Submission] = {}
        self.progress(0, total)
        while waiting or running:
            # After a worker has died, its suspects go one by one, so that the culprit shows.
            suspect = bool(waiting) and tries[waiting[-1].student] > 0
            room = 1 if suspect else workers.number * WAITING
            while waiting and len(running) < room:
                if not suspect and tries[waiting[-1].student] and running:
                    break
                submission = waiting.pop()
                try:
                    data = submission.read()
                except OSError as error:
                    self._trouble(submission, f"The notebook could not be read: {error.strerror}.")
                    done += 1
                    continue
                try:
                    future = workers.submit(
                        grade_in_worker, self.settings, submission.student, data
                    )
                except BrokenProcessPool:
                    workers.replace()
                    waiting.append(submission)
                    continue
                running[future] = submission
            ended, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in ended:
                submission = running.pop(future)
                try:
                    grade, notebook = future.result()
                except BrokenProcessPool:
                    workers.replace()
                    tries[submission.student] += 1
                    if tries[submission.student] < MOST_TRIES:
                        waiting.append(submission)
                        continue
                    self._trouble(submission, "The process that graded it was killed, repeatedly.")
                except CourseError:
                    raise
                except PlayersUnavailable as error:
                    self._trouble(submission, str(error))
                except Exception as error:
                    if not type(error).__module__.startswith("distributed"):
                        raise
                    self._trouble(submission, f"{type(error).__name__}: {error}")
                else:
                    self._store(submission, Graded.from_json(grade), notebook)
                done += 1
                self.progress(done, total)

    def _store(self, submission: Submission, graded: Graded, notebook: str) -> None:
        if submission.problem:
            remarks = () if submission.notebook is None else graded.remarks
            graded = replace(graded, remarks=(submission.problem, *remarks))
        try:
            store(self.course, submission, graded, notebook)
        except OSError as error:
            self._trouble(submission, f"The grade could not be written: {error.strerror}.")
            return
        if submission.notebook and self._receipts:
            try:
                complete_receipt(submission.folder, [submission.notebook])
            except OSError as error:
                self._receipts = False
                self.say(
                    f"Nothing can be written in {submission.folder.parents[1]} ({error.strerror}): "
                    "nbgrader release_feedback will miss submission_secret.txt there."
                )
        self.summary.graded.append(submission.student)
        self._done(graded, submission, fresh=True)

    def _done(self, graded: Graded, submission: Submission, fresh: bool) -> None:
        self.summary.add(graded)
        if fresh and graded.needs_look:
            self.say(f"{graded.student}: {' '.join(self.summary.look[graded.student])}")
        if self.writer is None:
            return
        self._entries.append(entry_of(graded, submission, fresh))
        if len(self._entries) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        """Bring the gradebook up to date. Where that fails, grading goes on and says so."""
        entries, self._entries = self._entries, []
        if not entries or self.writer is None:
            return
        try:
            self.writer.write(entries)
        except CourseError as error:
            self.summary.gradebook = str(error)
            self.say(str(error))
            self.writer = None

    def _trouble(self, submission: Submission, says: str) -> None:
        self.summary.problems.append(Problem(submission.student, says))
        self.say(f"{submission.student}: not graded. {says}")


def entry_of(graded: Graded, submission: Submission, fresh: bool):
    """What the gradebook is told."""
    from autograder.gradebook import Entry

    return Entry(
        graded.student,
        {f"check-{verdict.exercise}": verdict.points for verdict in graded.verdicts},
        dict(graded.written),
        _handed_in(submission),
        fresh,
        missing=any(remark.kind == "missing" for remark in graded.remarks),
    )


def _handed_in(submission: Submission) -> datetime | None:
    """From nbgrader's ``timestamp.txt``, else when the notebook was saved; UTC."""
    from nbgrader.utils import parse_utc

    with contextlib.suppress(OSError, ValueError):
        return parse_utc((submission.folder / "timestamp.txt").read_text(encoding="utf-8").strip())
    if submission.notebook is None:
        return None
    with contextlib.suppress(OSError):
        saved = submission.notebook.stat().st_mtime
        return datetime.fromtimestamp(saved, UTC).replace(tzinfo=None)
    return None


def store(course: Path, submission: Submission, graded: Graded, notebook: str) -> None:
    """Write a grade where nbgrader looks for it, ``grade.json`` last. Raises OSError.

    Whatever a killed run or the submission left in the folder goes away.
    """
    folder = graded_folder(course, submission, graded.assignment)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "grade.json", None)
    _write(folder / f"{graded.assignment}.ipynb", notebook + "\n")
    kept = {f"{graded.assignment}.ipynb"}
    for name in ("timestamp.txt", "submission_secret.txt"):
        receipt = submission.folder / name
        if receipt.is_file() and not receipt.is_symlink():
            _write(folder / name, receipt.read_text(encoding="utf-8", errors="replace"))
            kept.add(name)
    for path in folder.iterdir():
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    _write(folder / "grade.json", graded.to_json())


def complete_receipt(folder: Path, notebooks: Sequence[Path]) -> None:
    """What ``nbgrader submit`` leaves beside a notebook, for submissions that were copied.

    ``nbgrader release_feedback`` stops at the first one without it. Raises OSError.
    """
    secret, timestamp = folder / "submission_secret.txt", folder / "timestamp.txt"
    if not secret.exists():
        secret.write_text(secrets.token_hex(64), encoding="utf-8")
    if not timestamp.exists():
        saved = max(path.lstat().st_mtime for path in notebooks)
        when = datetime.fromtimestamp(saved, UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        timestamp.write_text(when, encoding="utf-8")


def _write(path: Path, text: str | None) -> None:
    """Replace a file in one step; None removes it."""
    if text is None:
        path.unlink(missing_ok=True)
        return
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_text(text, encoding="utf-8", newline="\n")
        scratch.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise


def stored_grades(course: Path, assignment: str) -> Iterator[Graded]:
    """Everybody's grade, by student; folders without one are left out."""
    for path in sorted(course.glob(f"autograded/*/{assignment}/grade.json")):
        graded = read_grade(path.parent)
        if graded is not None:
            yield graded


def missing_layers() -> list[str]:
    """The layers of confinement that this machine does not offer."""
    return [layer for layer in LAYERS if layer not in confinement()]


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def only(found: Iterable[Submission], students: Sequence[str]) -> list[Submission]:
    """The submissions of these students, of all when none are named. Raises CourseError."""
    found = list(found)
    known = {submission.student for submission in found}
    unknown = [student for student in students if student not in known]
    if unknown:
        raise CourseError(f"Nothing was handed in by {', '.join(unknown)}.")
    return [s for s in found if not students or s.student in students]
