"""The engine: grades one submission. It runs the student's cells in a confined player, has the
judge check every function of the assignment, and says what it noticed.

Which functions a student defined decides. All cells run first, in order; then each exercise is
called on the judge's inputs, as it stands at the end of the notebook. A cell or a call that ends
its process costs that cell or exercise, and everything else is played again without it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path

from autograder.checking import answers
from autograder.checking.course import Course
from autograder.checking.judge import Questions
from autograder.checking.points import total
from autograder.checking.record import Exercise
from autograder.checking.verdict import Verdict
from autograder.grading import version as versions
from autograder.grading.graded import Graded
from autograder.grading.performing import (
    NOT_THERE,
    Part,
    Performance,
    Performing,
    follow_through,
)
from autograder.grading.readings import (
    AS_IT_STANDS,
    Reading,
    checks,
    how_it_was_read,
    readings,
)
from autograder.grading.shown import shorten, show_verdicts
from autograder.grading.similarity import fingerprints
from autograder.grading.stage import (
    CELL_SECONDS,
    CallOrder,
    Player,
    PlayersUnavailable,
    Zygote,
)
from autograder.grading.whereabouts import located
from autograder.material import papers, restoring
from autograder.material.papers import (
    LONGEST_CELL,
    NO_RELEASE,
    Paper,
    Release,
)
from autograder.material.remarks import NO_PAPER, REPAIRED, Remark, other_assignment
from autograder.player.confine import LAYERS, MEANS, Limits, available
from autograder.player.observe import TIME_LIMIT

SUBMISSION_SECONDS = 300.0
"""Wall time for all cells and calls of one submission; afterwards the rest counts as timed out."""


class ConfinementMissing(Exception):
    """Layers of confinement that this machine does not offer; the message says what that means."""

    def __init__(self, missing: Sequence[str]):
        lines = "\n".join(f"  {layer}: {MEANS[layer]}" for layer in missing)
        super().__init__(
            f"This machine cannot confine submissions in full. Missing:\n{lines}\n"
            "Grade on another machine, or accept that with --accept-less-confinement, if what "
            "you grade is trusted or this machine holds nothing else (a container made for it)."
        )
        self.missing = tuple(missing)


@cache
def confinement() -> tuple[str, ...]:
    """The layers that work on this machine."""
    return available()


class Engine:
    """Grades submissions, one after the other. Use it as a context manager.

    ``course`` declares what is asked. ``seed`` draws the inputs, by default the one in force; ``layers`` are the layers of
    confinement wanted, by default all that work here. ``cell_seconds`` of wall time are for each
    cell, ``call_seconds`` for each call of an answer. Raises ConfinementMissing where some layers
    are missing, unless ``accept_less`` is true, and PlayersUnavailable.
    """

    def __init__(
        self,
        course: Course,
        *,
        seed: int | None = None,
        accept_less: bool = False,
        layers: Sequence[str] | None = None,
        limits: Limits | None = None,
        cell_seconds: float = CELL_SECONDS,
        call_seconds: float = TIME_LIMIT,
    ):
        self.layers = confinement() if layers is None else tuple(layers)
        missing = [layer for layer in LAYERS if layer not in self.layers]
        if missing and not accept_less:
            raise ConfinementMissing(missing)
        self.course = course
        self.seed = answers.seed() if seed is None else seed
        self.limits = limits or Limits()
        self.cell_seconds, self.call_seconds = cell_seconds, call_seconds
        self._zygotes: dict[str, Zygote] = {}
        self._asked: dict[Exercise, tuple[Questions, CallOrder]] = {}

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        """End the zygotes; the engine starts new ones when it is used again."""
        while self._zygotes:
            self._zygotes.popitem()[1].close()

    def player(self, kind: str) -> Player:
        """A fresh player of a kind (``"plain"`` or ``"torch"``). Raises PlayersUnavailable."""
        if kind not in self._zygotes:
            self._zygotes[kind] = Zygote(self.course, kind, self.layers, self.limits)
        return self._zygotes[kind].player()

    def questions(self, exercise: Exercise) -> tuple[Questions, CallOrder]:
        """What every submission is asked in this exercise, and the order that asks it."""
        if exercise not in self._asked:
            questions = Questions.prepare(exercise, self.seed)
            order = CallOrder.of(exercise, questions.played, self.call_seconds)
            self._asked[exercise] = questions, order
        return self._asked[exercise]

    def run(self, cells: Sequence[str], exercises: Sequence[Exercise]) -> Performance:
        """Run code cells in order and judge the exercises; what they do never raises."""
        reading = Reading(AS_IT_STANDS, tuple(range(len(cells))))
        deadline = time.monotonic() + SUBMISSION_SECONDS
        return self._perform(Part(cells, exercises, reading), deadline)

    def _perform(self, part: Part, deadline: float) -> Performance:
        start = time.monotonic()
        try:
            performance = Performing(self, part, deadline).perform()
        except PlayersUnavailable:  # somebody killed the zygote: once more, with another
            self.close()
            deadline += time.monotonic() - start
            start = time.monotonic()
            performance = Performing(self, part, deadline).perform()
        performance.seconds = time.monotonic() - start
        return performance

    def read(
        self, code: Sequence[Mapping], exercises: Sequence[Exercise], release: Release
    ) -> tuple[Performance, tuple[tuple[str, float], ...]]:
        """Perform a paper's code cells in the way that earns most; every way that was tried, with
        its points, the one that counts first.

        All of them share the time of one submission, and one counts as a whole. An exercise that
        is answered by choosing is asked once: the first verdict on an answer holds in all.
        """
        deadline = time.monotonic() + SUBMISSION_SECONDS
        sources = [cell["source"] for cell in code]
        settled: dict[str, Verdict] = {}
        done: list[tuple[Reading, Performance]] = []

        def perform(reading: Reading) -> float:
            part = Part(sources, exercises, reading, checks(code))
            performance = self._perform(part, deadline)
            for exercise in exercises:
                if not exercise.by_choice:
                    continue
                if exercise.name in settled:
                    performance.verdicts[exercise.name] = settled[exercise.name]
                elif _answered(performance.verdicts[exercise.name]):
                    settled[exercise.name] = performance.verdicts[exercise.name]
            done.append((reading, performance))
            return total(verdict.points for verdict in performance.verdicts.values())

        stands = Reading(AS_IT_STANDS, tuple(range(len(code))))
        most = total(exercise.points for exercise in exercises)
        earned = [perform(stands)]
        if earned[0] < most:
            for reading in readings(code, release)[1:]:
                if max(earned) >= most or time.monotonic() > deadline:
                    break
                earned.append(perform(reading))
        best = earned.index(max(earned))
        reading, performance = done[best]
        self._follow(Part(sources, exercises, reading, checks(code)), performance, deadline)
        earned[best] = total(verdict.points for verdict in performance.verdicts.values())
        tried = [(reading.name, e) for (reading, _), e in zip(done, earned, strict=True)]
        tried.insert(0, tried.pop(best))
        return _together([performance for _, performance in done], best), tuple(tried)

    def _follow(self, part: Part, performance: Performance, deadline: float) -> None:
        """Try once more what builds on wrong functions."""
        start = time.monotonic()
        try:
            follow_through(self, part, performance, deadline)
        except PlayersUnavailable:  # somebody killed the zygote: once more, with another
            self.close()
            follow_through(self, part, performance, deadline)
        performance.seconds += time.monotonic() - start

    def asked(self, assignment: str, release: Release = NO_RELEASE) -> tuple[Exercise, ...]:
        """The exercises of an assignment: those that its release asks for.

        Where no release is at hand, those that the course declares. Raises LookupError.
        """
        if release.official:
            return self.course.asked(assignment, release.asked)
        if assignment not in self.course.assignments:
            known = ", ".join(self.course.assignments)
            raise LookupError(f"There is no assignment {assignment!r}: there are {known}.")
        return self.course.assignments[assignment]

    def grade(
        self,
        submission: bytes | Path,
        assignment: str,
        student: str = "",
        release: Release = NO_RELEASE,
    ) -> Graded:
        """The grade of one submitted file, see ``grade_file``."""
        return self.grade_file(submission, assignment, student, release)[0]

    def grade_file(
        self,
        submission: bytes | Path,
        assignment: str,
        student: str = "",
        release: Release = NO_RELEASE,
        *,
        remarks: Sequence[Remark] = (),
        version: str = "",
    ) -> tuple[Graded, Paper]:
        """Grade one submitted file. Returns the grade and the paper as it was graded.

        ``remarks`` are what was noticed when the file was found. By the ``release`` a damaged paper is put in order, and from it come the exercises and
        their points. Raises LookupError for an unknown assignment, OSError for a path that cannot
        be read.
        """
        start = time.monotonic()
        asked = self.asked(assignment, release)
        data = submission.read_bytes() if isinstance(submission, Path) else submission
        remarks = list(remarks)
        mended: list[str] = []
        try:
            paper = papers.read(data, mended)
        except papers.Unreadable as error:
            remarks.append(Remark("unreadable", f"The file is no notebook. {error}"))
            paper = papers.unreadable_paper(str(error))
        if release.official:
            if restoring.is_of_another(paper, release):
                remarks.append(Remark("unreadable", other_assignment(release.assignment)))
            restored = restoring.restore(paper, release)
            if not any(remark.kind in NO_PAPER for remark in remarks):
                mended += restored.sentences()
        remarks += [Remark(REPAIRED, says) for says in mended]
        graded = self.grade_paper(paper, asked, release, student, remarks, version)
        seconds = round(time.monotonic() - start, 4)
        return replace(graded, digest=sha256(data).hexdigest(), seconds=seconds), paper

    def grade_paper(
        self,
        paper: Paper,
        asked: Sequence[Exercise],
        release: Release,
        student: str,
        remarks: Sequence[Remark] = (),
        version: str = "",
    ) -> Graded:
        """The grade of a paper that is in order. What its cells showed is written into it.

        ``remarks`` are what was noticed before. The grade holds no digest of a file.
        """
        code = [cell for cell in paper["cells"] if cell["cell_type"] == "code"]
        performance, tried = self.read(code, asked, release)
        remarks = [*remarks, *how_it_was_read(tried)]
        sources = [cell["source"][:LONGEST_CELL] for cell in code]
        names = [exercise.name for exercise in asked]
        performance.verdicts = {
            name: located(verdict, sources, performance.outputs, names)
            for name, verdict in performance.verdicts.items()
        }
        for number, cell in enumerate(code):
            cell["outputs"] = performance.outputs.get(number, [])
        show_verdicts(code, performance.verdicts)
        shorten(code, performance.too_long)
        own = [cell["source"] for cell in code if cell["source"] not in release.given]
        return Graded(
            assignment=asked[0].assignment if asked else release.assignment,
            student=student,
            digest="",
            version=version or self.version(release),
            verdicts=tuple(performance.verdicts[exercise.name] for exercise in asked),
            remarks=(*remarks, *performance.remarks),
            seconds=round(performance.seconds, 4),
            code_seconds=round(performance.code_seconds, 4),
            exercise_seconds=tuple(
                (name, round(s, 4)) for name, s in performance.exercise_seconds.items()
            ),
            fingerprints=fingerprints(own, release.given),
            confinement=self.layers,
            written=_written(paper, release, remarks),
            readings=tried,
        )

    def version(self, release: Release = NO_RELEASE) -> str:
        """Everything but the submission that a grade depends on, as one hexadecimal number."""
        return version(
            self.course,
            self.seed,
            release,
            self.cell_seconds,
            self.call_seconds,
            self.limits,
            self.layers,
        )


def version(
    course: Course,
    seed: int,
    release: Release = NO_RELEASE,
    cell_seconds: float = CELL_SECONDS,
    call_seconds: float = TIME_LIMIT,
    limits: Limits | None = None,
    layers: Sequence[str] = LAYERS,
) -> str:
    """The version of what an engine with these settings grades, see ``grading.version``."""
    return versions.version(
        course,
        seed,
        release,
        cell_seconds=cell_seconds,
        call_seconds=call_seconds,
        submission_seconds=SUBMISSION_SECONDS,
        limits=limits or Limits(),
        layers=layers,
    )


def _written(paper: Paper, release: Release, remarks: Sequence[Remark]) -> tuple:
    """What students fill and this one did; nothing where all the text there is comes from us."""
    found = restoring.written(paper, release)
    if any(remark.kind in NO_PAPER for remark in remarks):
        return tuple((name, False) for name, _ in found)
    return found


def _answered(verdict: Verdict) -> bool:
    """Whether there was an answer to judge."""
    return verdict.failure is None or verdict.failure.kind not in (*NOT_THERE, "ended", "timeout")


def _together(performances: Sequence[Performance], best: int) -> Performance:
    """The best of several performances, with what a person has to look at in any of them."""
    result = performances[best]
    for other in performances:
        if other is result:
            continue
        result.remarks += [
            r for r in other.remarks if r.kind == "tamper" and r not in result.remarks
        ]
        result.code_seconds += other.code_seconds
    result.seconds = sum(performance.seconds for performance in performances)
    return result
