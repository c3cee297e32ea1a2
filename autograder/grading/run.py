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
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from autograder.checking import answers
from autograder.grading.engine import confinement
from autograder.grading.graded import LOOK, Entry, Graded, Remark
from autograder.grading.stage import CELL_SECONDS, PlayersUnavailable
from autograder.grading.workers import (
    DaskWorkers,
    LocalWorkers,
    Settings,
    WorkerLost,
    WorkersGone,
    grade_in_worker,
)
from autograder.material import papers
from autograder.material.config import CourseError, writable, write
from autograder.material.notebooks import require_assignment
from autograder.player.confine import LAYERS

# For jsonschema, which nbformat imports, it would compile a grammar of web addresses, which takes
# most of a second and which nothing in a notebook is checked against.
sys.modules.setdefault("rfc3987_syntax", None)

MOST_OF_A_RECEIPT = 10_000
"""Bytes that are read of ``timestamp.txt`` and ``submission_secret.txt``."""

UNRECORDED = "unrecorded.txt"
"""Lies beside a new grade until the gradebook has it, so that a run which is killed between the two
does not make the next one take the grade for an old one."""

BATCH = 100
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
        """The submitted file, else a notebook that says why there is none. Raises OSError.

        Of a file that is too large to be graded it is the beginning.
        """
        if self.notebook:
            return papers.read_file(self.notebook)
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
    stopped: str = ""
    """why the run ended before everything was graded, empty where nothing stopped it"""

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
            "problems": [{"student": writable(p.student), "says": p.says} for p in self.problems],
            "look": self.look,
            "scores": self.scores,
            "max_points": self.max_points,
            "mistakes": {name: dict(found) for name, found in self.mistakes.items()},
            "seconds": round(self.seconds, 3),
            "gradebook": self.gradebook or "up to date",
            "interrupted": self.interrupted,
            "stopped": self.stopped,
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
    layers = LAYERS
    if accept_less:  # what other machines lack is not known before they grade
        layers = () if elsewhere else confinement()
    seed, release = course_seed(course), papers.release_of(course, assignment)
    settings = Settings(assignment, release, seed, "", accept_less, cell_seconds, layers)
    return replace(settings, version=settings.version_here())


def submissions(course: Path, assignment: str) -> list[Submission]:
    """Everybody's submission, by student. Raises CourseError where there is none."""
    folder = course / "submitted"
    found = [
        _submission(path.parent.name, path, assignment)
        for path in sorted(folder.glob(f"*/{assignment}"))
        if (path.is_dir() or path.is_symlink()) and not path.parent.name.startswith(".")
    ]
    if not found:
        raise CourseError(
            f"There is nothing to grade: no folder submitted/STUDENT/{assignment} in {course}."
        )
    return found


def _submission(student: str, folder: Path, assignment: str) -> Submission:
    """The notebook of one student: the one of the right name, else the newest."""
    wanted = folder / f"{assignment}.ipynb"
    if folder.is_symlink():
        says = "The folder is a link to another one, which is not followed."
        return Submission(student, folder, None, Remark("missing", says))
    try:
        files = [p for p in folder.glob("*.ipynb") if p.is_file() or p.is_symlink()]
        real = [path for path in files if not path.is_symlink()]
        newest = max(real, key=lambda path: (path == wanted, path.lstat().st_mtime), default=None)
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
        self._entries: list[Entry] = []
        self._unfinished: dict[str, Submission] = {}
        self._receipts = True

    def perform(
        self, found: Sequence[Submission], workers: LocalWorkers | DaskWorkers, force: bool = False
    ) -> Summary:
        """Grade what needs it. Ctrl-C ends it early, with everything kept that is done.

        Whatever dies meanwhile, every submission is graded or among the problems, and the next run
        grades those. Raises CourseError where nobody can grade anything.
        """
        start = time.monotonic()
        try:
            todo = list(self._outdated(found, force))
            self._unfinished = {submission.student: submission for submission in todo}
            self._grade(todo, workers)
            workers.close()
        except KeyboardInterrupt:
            self.summary.interrupted = True
            workers.close(now=True)
        except CourseError as error:
            workers.close(now=True)
            if not (self.summary.graded or isinstance(error, WorkersGone)):
                raise
            self._stop(str(error))
        finally:
            self._flush(last=True)
            self.summary.seconds = time.monotonic() - start
        return self.summary

    def _stop(self, why: str) -> None:
        self.summary.stopped = why
        self.say(why)
        for submission in list(self._unfinished.values()):
            self._trouble(submission, "The run ended before it was graded.")

    def _outdated(self, found: Sequence[Submission], force: bool) -> Iterator[Submission]:
        for submission in found:
            if submission.student != writable(submission.student):
                self._trouble(submission, "The name of the folder is no text in UTF-8: rename it.")
                continue
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
            self._done(graded, submission)

    def _grade(self, todo: list[Submission], workers) -> None:
        self.progress(0, len(todo))
        lost = self._attempt(todo, workers, len(todo))
        # A worker that dies can take others' work with it. Alone, it shows whose fault it was.
        for number, submission in enumerate(lost):
            if self._attempt([submission], workers, len(todo), len(todo) - len(lost) + number):
                self._trouble(submission, "The process that graded it was killed, repeatedly.")
                self.progress(len(todo) - len(lost) + number + 1, len(todo))

    def _attempt(
        self, todo: Iterable[Submission], workers, total: int, done: int = 0
    ) -> list[Submission]:
        """Grade these side by side; returns those whose worker died."""
        waiting, running = deque(todo), {}
        lost: list[Submission] = []
        while waiting or running:
            room = workers.number * WAITING - len(running)
            while waiting and room > 0:
                submission = waiting.popleft()
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
                except RuntimeError as error:
                    self._trouble(submission, f"It could not be given to a process: {error}")
                    done += 1
                    continue
                running[future] = submission
                room -= 1
            ended, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in ended:
                submission = running.pop(future)
                try:
                    grade, notebook = workers.result(future)
                except WorkerLost:
                    lost.append(submission)
                    continue
                except PlayersUnavailable as error:
                    self._trouble(submission, str(error))
                except RuntimeError as error:
                    self._trouble(submission, f"This is a fault of the course's engine. {error}")
                else:
                    self._store(submission, Graded.from_json(grade), notebook)
                done += 1
                self.progress(done, total)
        return lost

    def _store(self, submission: Submission, graded: Graded, notebook: str) -> None:
        if submission.problem:
            remarks = () if submission.notebook is None else graded.remarks
            graded = replace(graded, remarks=(submission.problem, *remarks))
        try:
            store(self.course, submission, graded, notebook)
        except OSError as error:
            self._trouble(submission, f"The grade could not be written: {error.strerror}.")
            return
        if submission.notebook:
            try:
                complete_receipt(submission.folder, [submission.notebook])
            except OSError as error:
                if self._receipts:
                    self.say(
                        f"Nothing can be written in {submission.folder} ({error.strerror}): "
                        "nbgrader release_feedback will miss submission_secret.txt there."
                    )
                self._receipts = False
        self.summary.graded.append(submission.student)
        self._unfinished.pop(submission.student, None)
        self._done(graded, submission, new=True)

    def _done(self, graded: Graded, submission: Submission, new: bool = False) -> None:
        self.summary.add(graded)
        if self.writer is not None:
            folder = graded_folder(self.course, submission, self.settings.assignment)
            fresh = (folder / UNRECORDED).exists()
            self._entries.append(entry_of(graded, submission, fresh))
        if new and graded.needs_look:
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
        self._unfinished.pop(submission.student, None)
        self.summary.problems.append(Problem(submission.student, says))
        self.say(f"{submission.student}: not graded. {says}")


def entry_of(graded: Graded, submission: Submission, fresh: bool) -> Entry:
    """What the gradebook is told."""
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

    with contextlib.suppress(OSError, ValueError, OverflowError):
        text = papers.read_file(submission.folder / "timestamp.txt", MOST_OF_A_RECEIPT)
        return parse_utc(text.decode("utf-8").strip())
    if submission.notebook is None:
        return None
    with contextlib.suppress(OSError):
        return _saved(submission.notebook).replace(tzinfo=None)
    return None


def _saved(path: Path) -> datetime:
    """When a file was saved. A time that no calendar has counts as 1970. Raises OSError."""
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


def store(course: Path, submission: Submission, graded: Graded, notebook: str) -> None:
    """Write a grade where nbgrader looks for it, ``grade.json`` last. Raises OSError.

    Whatever a killed run or the submission left in the folder goes away. Where the disk is full,
    the grade that was there stays.
    """
    folder = graded_folder(course, submission, graded.assignment)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{graded.assignment}.ipynb": notebook + "\n"}
    for name in ("timestamp.txt", "submission_secret.txt"):
        with contextlib.suppress(OSError):
            receipt = papers.read_file(submission.folder / name, MOST_OF_A_RECEIPT)
            texts[name] = receipt.decode("utf-8", "replace")
    texts[UNRECORDED] = "The gradebook has not heard of this grade yet.\n"
    texts["grade.json"] = graded.to_json()
    # First everything that takes room, then steps that take none.
    made: dict[str, Path] = {}
    try:
        for name, text in texts.items():
            made[name] = folder / f".{name}.{os.getpid()}"
            made[name].write_text(text, encoding="utf-8", newline="\n")
        (folder / "grade.json").unlink(missing_ok=True)
        for path in folder.iterdir():
            if path.name not in texts and path not in made.values():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for name, path in made.items():
            path.replace(folder / name)
    finally:
        for path in made.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def complete_receipt(folder: Path, notebooks: Sequence[Path]) -> None:
    """What ``nbgrader submit`` leaves beside a notebook, for submissions that were copied.

    ``nbgrader release_feedback`` stops at the first one without it. Raises OSError.
    """
    secret, timestamp = folder / "submission_secret.txt", folder / "timestamp.txt"
    # A link, even one that leads nowhere, would have us write outside the folder.
    if secret.is_symlink() or not secret.exists():
        write(secret, secrets.token_hex(64))
    if timestamp.is_symlink() or not timestamp.exists():
        when = max(map(_saved, notebooks))
        write(timestamp, f"{when:%Y-%m-%d %H:%M:%S.%f} UTC")


def stored_grades(course: Path, assignment: str) -> Iterator[Graded]:
    """Everybody's grade, by student; folders without one are left out."""
    for path in sorted(course.glob(f"autograded/*/{assignment}/grade.json")):
        graded = read_grade(path.parent)
        if graded is not None:
            yield graded


def require_room(course: Path) -> None:
    """Raise CourseError where no grade can be written, before any is made."""
    folder = course / "autograded"
    try:
        folder.mkdir(exist_ok=True)
        scratch = folder / f".writable.{os.getpid()}"
        scratch.touch()
        scratch.unlink()
    except OSError as error:
        raise CourseError(
            f"Nothing can be written in {folder} ({error.strerror}), so nothing was graded."
        ) from error


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
