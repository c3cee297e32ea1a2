"""What grading one submission is made of: wall time of each stage, one process, no other work.

The stages are those of ``autograder.grading.engine``. A call's own time is what its player measured;
what is left of the time that the judge waited is transport. Of cells nobody in the player measures
the time: as many empty cells show what transport they need.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from autograder.checking import courses
from autograder.grading import engine as engines
from autograder.grading import performing, stage
from autograder.grading.engine import Engine
from autograder.grading.graded import Graded
from autograder.grading.run import settings_for
from autograder.material import papers, restoring

STAGES = {
    "read": "read the file and put it in order",
    "fork": "fork a player and confine it",
    "cells": "the student's cells",
    "calls": "the student's functions",
    "transport": "send cells, inputs and results",
    "judge": "compare and name mistakes",
    "through": "ask again above wrong functions",
    "end": "end the player",
    "rest": "remarks, fingerprints, the graded notebook",
}
"""What the stages are called in the table, in order."""

OWN = ("cells", "calls")


class Clock:
    """Seconds by stage of the submission that is graded now."""

    def __init__(self):
        self.seconds: dict[str, float] = defaultdict(float)
        self.cells = 0
        self._inside = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time within as this stage's, unless it is a part of another stage."""
        self._inside += 1
        start = time.perf_counter()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self.seconds[name] += time.perf_counter() - start

    def of(self, name: str, function: Callable) -> Callable:
        """The function, its time counted."""

        def timed(*given, **named):
            with self.stage(name):
                return function(*given, **named)

        return timed


@contextmanager
def watched(clock: Clock) -> Iterator[None]:
    """Count the time of everything that an engine in this process does."""
    observed, run_cells = performing.Performing._observed, performing.Performing._run_cells

    def calls(self, *given):
        with clock.stage("calls"):
            seen = list(observed(self, *given))
        return iter(seen)

    def cells(self, player, several):
        if not clock._inside:
            clock.cells += len(several)
        with clock.stage("cells"):
            return run_cells(self, player, several)

    def call(self, *given):
        for seen in played(self, *given):
            clock.seconds["in calls"] += seen.seconds if clock._inside == 1 else 0.0
            yield seen

    played = stage.Player.call
    with (
        mock.patch.object(papers, "read", clock.of("read", papers.read)),
        mock.patch.object(restoring, "restore", clock.of("read", restoring.restore)),
        mock.patch.object(Engine, "player", clock.of("fork", Engine.player)),
        mock.patch.object(stage.Player, "end", clock.of("end", stage.Player.end)),
        mock.patch.object(stage.Player, "call", call),
        mock.patch.object(performing.Performing, "_run_cells", cells),
        mock.patch.object(performing.Performing, "_observed", calls),
        mock.patch.object(performing, "decide", clock.of("judge", performing.decide)),
        mock.patch.object(engines, "follow_through", clock.of("through", engines.follow_through)),
    ):
        yield


def stages(course: Path, assignment: str) -> dict:
    """Milliseconds of each stage, for each submission of a class: means over the right and the wrong.

    The first submission of each kind warms what later ones find ready, and is not counted.
    """
    settings = settings_for(course, assignment)
    files = sorted(course.glob(f"submitted/*/{assignment}/{assignment}.ipynb"))
    rows: dict[str, list[dict[str, float]]] = {"right": [], "wrong": []}
    with Engine(courses.find(settings.release.course), seed=settings.seed) as engine:
        start = time.perf_counter()
        engine.grade_file(files[0], assignment, "", settings.release, version=settings.version)
        first = time.perf_counter() - start
        empty = _empty_cell(engine, "torch" if _needs_torch(engine, assignment) else "plain")
        for file in files:
            clock = Clock()
            with watched(clock):
                start = time.perf_counter()
                graded, _ = engine.grade_file(
                    file, assignment, "", settings.release, version=settings.version
                )
                whole = time.perf_counter() - start
            rows[_kind(graded)].append(_row(clock, whole, graded, empty))
    table = {
        kind: {
            name: round(1000 * statistics.fmean(row[name] for row in several[1:]), 2)
            for name in several[0]
        }
        for kind, several in rows.items()
        if len(several) > 1
    }
    counted = {kind: len(several) - 1 for kind, several in rows.items()}
    return {"assignment": assignment, "start": round(first, 2), "counted": counted, "ms": table}


def show(found: dict) -> str:
    """The table, as ``make bench`` prints it."""
    kinds = list(found["ms"])
    lines = [
        f"{found['assignment']}: ms a submission".ljust(48)
        + "".join(f"{kind} ({found['counted'][kind]})".rjust(14) for kind in kinds)
    ]
    for name, says in {**STAGES, "whole": "together"}.items():
        values = [found["ms"][kind][name] for kind in kinds]
        lines.append(f"  {says}".ljust(48) + "".join(f"{value:14.1f}" for value in values))
    right = found["ms"].get("right")
    if right:
        lines += [
            f"  of the student's own time {right['whole'] / right['code']:.2f} times, as the grade counts it;",
            f"  without transport and waiting {right['whole'] / right['own']:.2f} times",
        ]
    if len(kinds) > 1:
        ratio = found["ms"]["wrong"]["whole"] / found["ms"]["right"]["whole"]
        lines.append(f"  a wrong one takes {ratio:.2f} times as long as a right one")
    return "\n".join(lines)


def _row(clock: Clock, whole: float, graded: Graded, empty: float) -> dict[str, float]:
    found = dict.fromkeys(STAGES, 0.0) | {n: s for n, s in clock.seconds.items() if n in STAGES}
    calls = min(clock.seconds["in calls"], found["calls"])
    cells = min(empty * clock.cells, found["cells"])
    found["transport"] = found["calls"] - calls + cells
    found["calls"], found["cells"] = calls, found["cells"] - cells
    found["rest"] = whole - sum(found.values())
    own = sum(found[name] for name in OWN)
    return {**found, "whole": whole, "code": graded.code_seconds, "own": own}


def _kind(graded: Graded) -> str:
    return "right" if all(verdict.passed for verdict in graded.verdicts) else "wrong"


def _empty_cell(engine: Engine, kind: str, number: int = 200) -> float:
    """Seconds that a cell with nothing in it takes, from order to result."""
    with engine.player(kind) as player:
        start = time.perf_counter()
        for _ in player.run_cells([(k, "") for k in range(number)]):
            pass
        return (time.perf_counter() - start) / number


def _needs_torch(engine: Engine, assignment: str) -> bool:
    return any(exercise.needs_torch for exercise in engine.course.assignments[assignment])
