"""Made-up results: what a design's runs would have measured in a world in which all is alike but
for what a test says.

A world is a function of a run that gives what it measured, as far as it differs from ``ALIKE``.
In none of them has one learning rate the better validation loss, unless a test says so.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache

import numpy as np
import pandas as pd
import pytest

from experiments import designs, results
from experiments.designs import SEED_SETS, SOLVED
from experiments.results import table as read_table
from experiments.tasks import TASKS
from experiments.training import Run

World = Callable[[Run], dict]

ALIKE = {"validation": [1.0], "looks": 1, "train": 10.0, "finite": True}
# The measure of all models where nothing else is said, and by how much another may be off and
# still count as alike: 2 points where it is a share of wrong answers, 5 % of it elsewhere.
WRONG, OTHER = (40.0, 2.0), (20.0, 1.0)


def usual(run: Run) -> tuple[float, float]:
    """The measure of a run's test part, and the margin, where nothing else is said."""
    return WRONG if TASKS[run.task].unit.startswith("%") else OTHER


def result(run: Run, world: World) -> dict:
    """What a run measured, as a file of results holds it, but for its key."""
    return {**ALIKE, "test": usual(run)[0], **world(run)}


def from_a_file(names: tuple[str, ...], world: World) -> pd.DataFrame:
    """The runs of some designs, as ``results.table`` makes them of a file."""
    made = {key: {"key": key, **result(run, world)} for key, run in designs.runs_of(*names).items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "results", lambda folder: made)
        return read_table(*names)


@cache
def _settings(*names: str) -> tuple[list[Run], pd.DataFrame]:
    """The runs of some designs, and their table without what they measured."""
    table = from_a_file(names, alike)
    runs = designs.runs_of(*names)
    measures = [*result(next(iter(runs.values())), alike), "best"]
    return [runs[key] for key in table["key"]], table.drop(columns=measures)


def table(names: tuple[str, ...], world: World) -> pd.DataFrame:
    """The same as ``from_a_file``, a hundred times as fast: the settings are made once."""
    runs, settings = _settings(*names)
    found = [result(run, world) for run in runs]
    for entry in found:
        entry["best"] = min(entry["validation"])
    return settings.assign(**pd.DataFrame(found, index=settings.index))


def place(run: Run) -> str:
    """Where a run was tried: its task, and what its design varies there."""
    more = [f"{run.count}"] if run.count else []
    more += [f"delay {run.delay}"] if run.delay else []
    more += [f"{run.layers} layers"] if run.layers > 1 else []
    return ", ".join([run.task, *more])


def alike(run: Run) -> dict:
    """The world in which all models measure the same."""
    return {}


def off(
    places: Iterable[str],
    margins: float,
    *,
    size: str | None = None,
    but: Iterable[int] = (),
    also: World = alike,
    train: bool = False,
) -> World:
    """The GRU is off by so many margins in these places.

    ``size`` is the GRU of which this is so (both, if it is None). With the seeds ``but`` it is off
    to the other side. ``train``: the training part is off by as much. Elsewhere is ``also``.
    """

    def world(run: Run) -> dict:
        if run.family != "gru" or place(run) not in places or size not in (None, run.size):
            return also(run)
        base, margin = usual(run)
        by = margins * margin * (-1 if run.seed in but else 1)
        return {"test": base + by} | ({"train": ALIKE["train"] + by} if train else {})

    return world


def reached(epochs: Mapping[str, int], loss: float = 1.0) -> World:
    """Of twenty epochs, the GRU needs so many for its lowest ``loss`` (the LSTM: 20, for 1)."""

    def world(run: Run) -> dict:
        mine = run.family == "gru"
        needed = epochs.get(run.task, 20) if mine else 20
        return {"validation": [9.0] * (needed - 1) + [loss if mine else 1.0] * (21 - needed)}

    return world


RATES = {
    task: {run.rate for run in designs.runs_of("compare", "rates").values() if run.task == task}
    for task in (*designs.REAL, "adding")
}


def sensitive(tasks: Iterable[str], by: float) -> World:
    """On these tasks the GRU's mean logarithm of the loss is off by ``by`` from the LSTM's, 0.1."""

    def world(run: Run) -> dict:
        count = len(RATES[run.task])
        mean = 0.1 + (by if run.family == "gru" and run.task in tasks else 0.0)
        return {"validation": [1.0 if run.rate == 0.01 else np.exp(mean * count / (count - 1))]}

    return world


def at_the_largest_rate(gru: float, lstm: float) -> World:
    """All rates are equally good but 0.03, at which the two have these losses."""

    def world(run: Run) -> dict:
        return {"validation": [{"gru": gru, "lstm": lstm}.get(run.family, 1.0)]} if (
            run.rate == 0.03
        ) else {}  # fmt: skip

    return world


def bridged(
    reach: Mapping[tuple[str, str], int],
    *,
    but: Iterable[int] = (),
    share: float = 0.5,
    silence: float = 0.0,
) -> World:
    """The longest delays solved, by family and task; 20 or 50 steps where none is given.

    With the seeds ``but`` nothing longer than that is solved. ``share`` is the loss of a task that
    is solved, as a share of what counts as solved; ``silence`` by how many margins the GRU is off
    on digits, then silence.
    """

    def world(run: Run) -> dict:
        if run.task not in SOLVED:
            return off([place(run)], silence)(run)
        shortest = min(designs.DELAYS[run.task])
        longest = shortest if run.seed in but else reach.get((run.family, run.task), shortest)
        return {"validation": [SOLVED[run.task] * (share if run.delay <= longest else 2.0)]}

    return world


def helped(settings: Iterable[tuple], gain: float, at: float = 0.25, chosen: float = 0.25) -> World:
    """Dropout ``at`` takes the share ``gain`` off the error in these settings.

    A setting is (task, training sequences, share of labels replaced, family); ``chosen`` is the
    dropout with the lowest validation loss.
    """

    def world(run: Run) -> dict:
        found = {"validation": [0.9 if run.dropout == chosen else 1.0]}
        if (run.task, run.count, run.flipped, run.family) in settings and run.dropout == at:
            found["test"] = usual(run)[0] * (1 - gain)
        return found

    return world


def by_set(of_a: World, of_b: World) -> World:
    """One world for the seeds of set A, another for those of set B."""
    return lambda run: (of_a if run.seed in SEED_SETS["A"] else of_b)(run)
