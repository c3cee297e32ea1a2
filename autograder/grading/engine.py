"""The engine: grades one submission. It runs the student's cells in a confined player, has the
judge check every function of the assignment, and says what it noticed.

Which functions a student defined decides. All cells run first, in order; then each exercise is
called on the judge's inputs, as it stands at the end of the notebook. A cell or a call that ends
its process costs that cell or exercise, and everything else is played again without it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path

from autograder.checking import answers
from autograder.checking.course import Course
from autograder.checking.judge import Questions, decide
from autograder.checking.record import Exercise, Inputs
from autograder.checking.verdict import Verdict
from autograder.grading import version as versions
from autograder.grading.graded import Graded
from autograder.grading.noticed import remarks_on
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
    Ended,
    NeedsTorch,
    Player,
    PlayersUnavailable,
    Tried,
    Zygote,
)
from autograder.grading.whereabouts import located
from autograder.material import papers, restoring
from autograder.material.papers import (
    LONGEST_CELL,
    LONGEST_CODE,
    MOST_CELLS,
    NO_RELEASE,
    Paper,
    Release,
)
from autograder.material.remarks import NO_PAPER, REPAIRED, Remark, other_assignment
from autograder.player.confine import LAYERS, MEANS, Limits, available
from autograder.player.failures import FINAL
from autograder.player.observe import TIME_LIMIT, Observation

SUBMISSION_SECONDS = 300.0
"""Wall time for all cells and calls of one submission; afterwards the rest counts as timed out."""

MOST_RESTARTS = 20
"""How many cells of a submission may end their process before the rest of them is given up."""

NOT_THERE = ("undefined", "package", "not written")
"""The failures of an answer of which there is nothing to judge."""

KEPT_OUTPUT = 32 << 20
"""Characters that all cells of a submission may show together, images included."""


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


@dataclass
class Performance:
    """What a submission did: what its cells showed, a verdict per exercise, what was noticed."""

    outputs: dict[int, list[dict]] = field(default_factory=dict)
    """by the cell's place among the code cells"""
    verdicts: dict = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    seconds: float = 0.0
    code_seconds: float = 0.0
    exercise_seconds: dict[str, float] = field(default_factory=dict)
    too_long: list[int] = field(default_factory=list)
    """the cells that were not run because they are too long"""


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
        return self._perform(_Part(cells, exercises, reading), deadline)

    def _perform(self, part: _Part, deadline: float) -> Performance:
        start = time.monotonic()
        try:
            performance = _Performing(self, part, deadline).perform()
        except PlayersUnavailable:  # somebody killed the zygote: once more, with another
            self.close()
            deadline += time.monotonic() - start
            start = time.monotonic()
            performance = _Performing(self, part, deadline).perform()
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
            part = _Part(sources, exercises, reading, checks(code))
            performance = self._perform(part, deadline)
            for exercise in exercises:
                if not exercise.by_choice:
                    continue
                if exercise.name in settled:
                    performance.verdicts[exercise.name] = settled[exercise.name]
                elif _answered(performance.verdicts[exercise.name]):
                    settled[exercise.name] = performance.verdicts[exercise.name]
            done.append((reading, performance))
            return sum(verdict.points for verdict in performance.verdicts.values())

        stands = Reading(AS_IT_STANDS, tuple(range(len(code))))
        most = sum(exercise.points for exercise in exercises)
        earned = [perform(stands)]
        if earned[0] < most:
            for reading in readings(code, release)[1:]:
                if max(earned) >= most or time.monotonic() > deadline:
                    break
                earned.append(perform(reading))
        best = earned.index(max(earned))
        tried = [(reading.name, round(e, 2)) for (reading, _), e in zip(done, earned, strict=True)]
        tried.insert(0, tried.pop(best))
        return _together([performance for _, performance in done], best), tuple(tried)

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


@dataclass(frozen=True)
class _Part:
    """What is played: code cells, exercises, the way to read them, and where checks stand."""

    cells: Sequence[str]
    exercises: Sequence[Exercise]
    reading: Reading
    checks: Mapping[int, str] = field(default_factory=dict)


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


class _Performing:
    """One submission on its way through the players."""

    def __init__(self, engine: Engine, part: _Part, deadline: float):
        cells, exercises = part.cells, part.exercises
        self.engine, self.exercises, self.deadline = engine, exercises, deadline
        self.asked_at = part.checks if part.reading.asked_in_place else {}
        self.kind = "torch" if any(exercise.needs_torch for exercise in exercises) else "plain"
        self.result = Performance()
        self.tried: dict[Tried, None] = {}
        self.left_out: set[int] = set()
        self.cells = [(number, cells[number]) for number in part.reading.order]
        self.shown: dict[int, int] = {}
        room = LONGEST_CODE
        for number, source in self.cells:
            if len(source) <= min(room, LONGEST_CELL):
                room -= len(source)
                continue
            says = f"The cell was not run: it has {len(source):,} characters."
            self._leave_out(number, "TooLong", says)
            self.result.too_long.append(number)
        if self.result.too_long:
            first, *others = self.result.too_long
            says = f"Cell {first + 1} has {len(cells[first]):,} characters and was not run"
            self._remark("flood", says + (f", like {len(others)} more." if others else "."))
        for number, _ in self.cells[MOST_CELLS:]:
            self._leave_out(number, "TooMany", f"Only {MOST_CELLS} cells are run.")
        if len(cells) > MOST_CELLS:
            self._remark("flood", f"There are {len(cells):,} code cells; {MOST_CELLS} are run.")

    def perform(self) -> Performance:
        left = list(self.exercises)
        while left:
            try:
                with self.engine.player(self.kind) as player:
                    self._play(player, left)
                    self._note(player)
            except NeedsTorch:
                self.kind = "torch"
        for remark in remarks_on(self.tried):
            self._remark(remark.kind, remark.says)
        self.result.verdicts = {e.name: self.result.verdicts[e.name] for e in self.exercises}
        return self.result

    def _play(self, player: Player, left: list[Exercise]) -> None:
        """Run the cells and judge what is left, until done or the player is gone."""
        for cells, name in self._stretches():
            if not self._run_cells(player, cells):
                return
            for exercise in [e for e in left if name in (None, e.name)]:
                if not self._ask(player, exercise, left, last=name is None):
                    return

    def _stretches(self) -> Iterator[tuple[list[tuple[int, str]], str | None]]:
        """The cells up to each check, and whose; those after the last one, and None for all."""
        cells: list[tuple[int, str]] = []
        for number, source in self.cells:
            cells.append((number, source))
            if number in self.asked_at:
                yield cells, self.asked_at[number]
                cells = []
        yield cells, None

    def _ask(self, player: Player, exercise: Exercise, left: list[Exercise], last: bool) -> bool:
        """Judge one exercise; False where the player is gone.

        What is not there yet when its check runs is asked for again after all cells.
        """
        gone: list[Ended] = []
        questions, order = self.engine.questions(exercise)
        verdict = decide(questions, self._observed(player, questions, order, gone))
        kind = verdict.failure.kind if verdict.failure else ""
        if kind in NOT_THERE and not last:
            return True
        self.result.verdicts[exercise.name] = verdict
        left.remove(exercise)
        if kind == "timeout":
            self._remark("timeout", f"{exercise.name} did not finish in time.")
        if gone:
            if kind == "reply":
                self._remark("tamper", f"{exercise.name} sent what is no result ({gone[0]}).")
            elif kind != "timeout":
                self._remark("ended", f"{exercise.name} ended its process ({gone[0]}).")
        return not gone

    def _run_cells(self, player: Player, cells: Sequence[tuple[int, str]]) -> bool:
        """Whether these cells ran; else one more is left out, and all has to be run again."""
        cells = [cell for cell in cells if cell[0] not in self.left_out]
        results = player.run_cells(cells, self.engine.cell_seconds)
        for number, _ in cells:
            start = time.monotonic()
            try:
                result = next(results)
            except Ended as error:
                self._note(player)
                self._ended_in(number, error)
                return False
            finally:
                self.result.code_seconds += time.monotonic() - start
            self.result.outputs[number] = self._kept(number, result.outputs)
            if result.status == "timeout":
                self._remark("timeout", f"Cell {number + 1} did not finish in time.")
            if result.dropped:
                self._remark(
                    "flood",
                    f"Cell {number + 1} showed {result.dropped:,} characters more than are kept.",
                )
            if any(output.get("ename") == "MemoryError" for output in result.outputs):
                # What it took may still be held, and the next cells and calls would lack it.
                self.left_out.add(number)
                self._remark("ended", f"Cell {number + 1} took all memory and was left out.")
                self._enough()
                return False
            if time.monotonic() > self.deadline:
                self._give_up("The submission's time is used up.")
                break
        return True

    def _kept(self, number: int, outputs: Sequence[dict]) -> list[dict]:
        """What a cell showed, as far as there is room left for it in the graded notebook."""
        kept = []
        room = KEPT_OUTPUT - sum(size for cell, size in self.shown.items() if cell != number)
        self.shown[number] = 0
        for output in outputs:
            size = len(json.dumps(output))
            if self.shown[number] + size > room:
                says = f"Cell {number + 1} showed more than the whole notebook may."
                self._remark("flood", says)
                break
            self.shown[number] += size
            kept.append(output)
        return kept

    def _ended_in(self, number: int, error: Ended) -> None:
        if error.kind == "timeout":
            self._leave_out(number, "Timeout", f"The cell did not finish within {error}.")
            self._remark("timeout", f"Cell {number + 1} did not finish in time.")
        elif error.kind == "reply":
            self._leave_out(number, "Reply", f"This cell's results could not be read: {error}.")
            self._remark("tamper", f"Cell {number + 1} sent what is no result ({error}).")
        else:
            self._leave_out(
                number, "Ended", f"This cell ended its process ({error}) and was left out."
            )
            self._remark("ended", f"Cell {number + 1} ended its process ({error}).")
        self._enough()

    def _enough(self) -> None:
        """Give up the rest of the cells where too many have been left out."""
        if len(self.left_out) > MOST_RESTARTS or time.monotonic() > self.deadline:
            self._give_up("Too many cells before ended their process.")

    def _give_up(self, why: str) -> None:
        done = self.result.outputs
        for number, _ in self.cells:
            if number not in self.left_out and number not in done:
                self._leave_out(number, "GivenUp", why)

    def _leave_out(self, number: int, name: str, says: str) -> None:
        self.left_out.add(number)
        error = {"output_type": "error", "ename": name, "evalue": says}
        self.result.outputs[number] = [error | {"traceback": [f"{name}: {says}"]}]

    def _observed(
        self, player: Player, questions: Questions, order: CallOrder, gone: list[Ended]
    ) -> Iterator[Observation]:
        """The player's observations; one whose process is gone says so and is the last."""
        if time.monotonic() > self.deadline:
            yield Observation("timeout", message="the whole submission")
            return
        start = time.monotonic()
        try:
            for seen, inputs in zip(player.call(order), questions.played, strict=False):
                yield _believable(seen, inputs)
        except Ended as error:
            self._note(player)
            gone.append(error)
            yield Observation(error.kind, message=str(error))
        finally:
            spent = time.monotonic() - start
            self.result.code_seconds += spent
            self.result.exercise_seconds[questions.exercise.name] = spent

    def _note(self, player: Player) -> None:
        self.tried |= player.tried

    def _remark(self, kind: str, says: str) -> None:
        remark = Remark(kind, says)
        if remark not in self.result.remarks:
            self.result.remarks.append(remark)


def _believable(seen: Observation, inputs: Inputs) -> Observation:
    """Without results, a call says nothing: only the probe for other devices may have none."""
    if seen.status == "ok" and seen.device != "cpu" and inputs.get("device") != "accelerator":
        return replace(seen, status="reply", message=f"results on the device {seen.device}")
    return seen


assert {"timeout", "ended", "reply"} <= FINAL, "a player that is gone makes no more observations"
