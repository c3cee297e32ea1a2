"""One submission on its way through the players: its cells run, and every exercise is asked.

Where an answer calls functions that are not right, it is asked once more at the very end, in a fresh
player in which the judge answers for those.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from autograder.checking.judge import Questions, decide
from autograder.checking.naming import Beneath
from autograder.checking.record import Exercise, Inputs
from autograder.checking.through import is_tried_again, with_right_ones
from autograder.grading.asked import Answers
from autograder.grading.noticed import remarks_on
from autograder.grading.readings import Reading
from autograder.grading.stage import CallOrder, Ended, NeedsTorch, Player, Tried
from autograder.material.papers import LONGEST_CELL, LONGEST_CODE, MOST_CELLS
from autograder.material.remarks import Remark
from autograder.player.failures import FINAL
from autograder.player.observe import Observation

MOST_RESTARTS = 20
"""How many cells of a submission may end their process before the rest of them is given up."""

NOT_THERE = ("undefined", "package", "not written")
"""The failures of an answer of which there is nothing to judge."""

KEPT_OUTPUT = 32 << 20
"""Characters that all cells of a submission may show together, images included."""


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
    left_out: set[int] = field(default_factory=set)
    """the cells that have to be left out, since they end their process or are too long"""
    calls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """which functions of the notebook an exercise's answer calls, of those that it builds on"""


@dataclass(frozen=True)
class Part:
    """What is played: code cells, exercises, the way to read them, and where checks stand."""

    cells: Sequence[str]
    exercises: Sequence[Exercise]
    reading: Reading
    checks: Mapping[int, str] = field(default_factory=dict)


class Stage(Protocol):
    """What a performance needs of the engine."""

    cell_seconds: float
    call_seconds: float

    def player(self, kind: str) -> Player:
        """A fresh player."""
        ...

    def questions(self, exercise: Exercise) -> tuple[Questions, CallOrder]:
        """What is asked in an exercise, and the order that asks it."""
        ...


class Performing:
    """One submission on its way through the players."""

    def __init__(self, engine: Stage, part: Part, deadline: float):
        cells, exercises = part.cells, part.exercises
        self.engine, self.exercises, self.deadline = engine, exercises, deadline
        self.asked_at = part.checks if part.reading.asked_in_place else {}
        self.kind = "torch" if any(exercise.needs_torch for exercise in exercises) else "plain"
        self.result = Performance()
        self.tried: dict[Tried, None] = {}
        self.left_out = self.result.left_out
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
        """Run the cells and ask for every exercise; what the code does never raises."""
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
        seen = list(self._observed(player, questions, order, gone))
        self.result.calls[exercise.name] = player.calls
        verdict = decide(questions, seen, lambda: beneath(exercise, self.result))
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


def beneath(exercise: Exercise, done: Performance) -> Beneath:
    """The functions that an answer calls, by the verdicts that there are on them."""
    right, wrong = [], []
    for name in done.calls.get(exercise.name, ()):
        if name in exercise.builds_on and name in done.verdicts:
            (right if done.verdicts[name].passed else wrong).append(name)
    return Beneath(frozenset(right), tuple(wrong))


def follow_through(engine: Stage, part: Part, done: Performance, deadline: float) -> None:
    """Ask once more for answers that build on wrong functions; see ``checking.through``.

    One that is gone before the end changes nothing.
    """
    known = {exercise.name: exercise for exercise in part.exercises}
    with _Again(engine, part, done) as again:
        for exercise in part.exercises:
            below = beneath(exercise, done)
            wrong = tuple(name for name in below.wrong if known[name].in_numpy)
            if not wrong or not is_tried_again(done.verdicts[exercise.name]):
                continue
            if time.monotonic() > deadline:
                return
            questions = engine.questions(exercise)[0]
            beneath_it = [(known[name], engine.questions(known[name])[0].inputs) for name in wrong]
            answers = Answers(beneath_it, questions.inputs, deadline)
            start = time.monotonic()
            try:
                seen = again.ask(exercise, wrong, answers)
            except Ended as error:
                if error.kind == "reply":
                    says = f"{exercise.name} asked the judge for what is no question ({error})."
                    done.remarks.append(Remark("tamper", says))
                continue
            finally:
                done.code_seconds += time.monotonic() - start
            called = Beneath(below.right | set(wrong))
            verdict = decide(questions, seen, lambda called=called: called)  # type: ignore[misc]
            done.verdicts[exercise.name] = with_right_ones(
                done.verdicts[exercise.name], verdict, wrong
            )


class _Again:
    """Where answers are asked once more: a player in which the judge answers for some functions.

    It serves for the next answer as long as it lives, has run the cells which that one needs, and
    the judge has not answered in it for that one itself: that could be kept and given back.
    """

    def __init__(self, engine: Stage, part: Part, done: Performance):
        self.engine, self.part, self.done = engine, part, done
        self.player: Player | None = None
        self.ran: list[tuple[int, str]] = []
        self.answered: set[str] = set()

    def __enter__(self) -> _Again:
        return self

    def __exit__(self, *error) -> None:
        self._end()

    def ask(
        self, exercise: Exercise, wrong: tuple[str, ...], answers: Answers
    ) -> list[Observation]:
        """What an answer does while the judge answers for the functions ``wrong``. Raises Ended."""
        inputs = self.engine.questions(exercise)[0].played
        order = CallOrder.of(exercise, inputs, self.engine.call_seconds, answers.asked)
        cells = self._cells(exercise)
        # A player without torch costs less to start, and is in vain where a cell imports torch.
        imported = any("torch" in source for _, source in cells)
        for kind in ("torch",) if imported else ("plain", "torch"):
            try:
                player = self._ready(kind, cells, exercise.name)
                self.answered |= {*wrong}
                seen = player.call(order, answers)
                return [_believable(s, i) for s, i in zip(seen, inputs, strict=False)]
            except NeedsTorch:
                self._end()
            finally:
                self._note()
        raise Ended("ended", "no player has torch")

    def _cells(self, exercise: Exercise) -> list[tuple[int, str]]:
        reading, checks = self.part.reading, self.part.checks
        until = next((at for at, name in checks.items() if name == exercise.name), None)
        cells = [(number, self.part.cells[number]) for number in reading.order]
        if reading.asked_in_place and until in reading.order:
            cells = cells[: reading.order.index(until) + 1]
        return [cell for cell in cells if cell[0] not in self.done.left_out]

    def _ready(self, kind: str, cells: list[tuple[int, str]], name: str) -> Player:
        player = self.player
        if player is not None and player.alive and name not in self.answered and self.ran == cells:
            return player
        self._end()
        self.player = player = self.engine.player(kind)
        self.ran, self.answered = cells, set()
        for _ in player.run_cells(cells, self.engine.cell_seconds):
            pass
        return player

    def _note(self) -> None:
        if self.player is not None:
            for remark in remarks_on(self.player.tried):
                if remark not in self.done.remarks:
                    self.done.remarks.append(remark)

    def _end(self) -> None:
        if self.player is not None:
            self.player.end()
        self.player = None


def _believable(seen: Observation, inputs: Inputs) -> Observation:
    """Without results, a call says nothing: only the probe for other devices may have none."""
    if seen.status == "ok" and seen.device != "cpu" and inputs.get("device") != "accelerator":
        return replace(seen, status="reply", message=f"results on the device {seen.device}")
    return seen


assert {"timeout", "ended", "reply"} <= FINAL, "a player that is gone makes no more observations"
