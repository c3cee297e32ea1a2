"""The results as tables, and the statistics that the verdicts use.

Every function that compares takes a table of runs, so that a verdict can be drawn from all seeds
or from one set of them.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from . import designs
from .runner import RESULTS, read_lines
from .tasks import TASKS

# How far apart two models may be and still count as alike: two points where the measure is a
# share of wrong answers, five percent of the LSTM's median elsewhere.
POINTS, SHARE = 2.0, 0.05


class Missing(LookupError):
    """A result that was asked for is not in the file."""


@cache
def results(folder: Path = RESULTS) -> dict[str, dict]:
    """The results of all runs by key, read once."""
    return read_lines(folder / "runs.jsonl")


@cache
def costs(folder: Path = RESULTS) -> dict:
    """The costs measured, by part, read once; raises Missing where there is no file."""
    path = folder / "costs.json"
    if not path.exists():
        raise Missing(f"{path.name} is not there; measure it with: make experiments")
    return json.loads(path.read_text(encoding="utf-8"))


def table(*names: str, folder: Path = RESULTS, tiny: bool = False) -> pd.DataFrame:
    """The runs of some designs: a row for each, with its settings and its results.

    ``best`` is the lowest validation loss. A run without a finite loss has infinite measures.
    Missing runs raise: a table with holes would compare models on unequal terms.
    """
    wanted = list(designs.runs_of(*names).values())
    if tiny:
        first = [seeds[0] for seeds in designs.SEED_SETS.values()]
        wanted = [designs.tiny(run) for run in wanted if run.seed in first]
    found, rows, absent = results(folder), [], []
    for run in wanted:
        if run.key not in found:
            absent.append(run.key)
            continue
        entry = {"test": np.inf, "train": np.inf, **found[run.key]}
        finite = [loss for loss in entry["validation"] if np.isfinite(loss)]
        task = TASKS[run.task]
        count = run.count or task.count
        settings = {**asdict(run), "count": count, "delay": run.delay or 0}
        rows.append({**entry, **settings, "best": min(finite, default=np.inf)})
    if absent:
        raise Missing(
            f"{len(absent)} runs have no result, the first of them: {absent[0]!r}; "
            "run what is missing with: make experiments"
        )
    return pd.DataFrame(rows).drop_duplicates("key")


SETTINGS = ["task", "count", "delay", "flipped", "layers", "family", "size"]


def tuned(runs: pd.DataFrame, tune: tuple[str, ...] = ("rate",)) -> pd.DataFrame:
    """The runs at the best setting of ``tune``: that with the lowest median validation loss.

    Chosen for each model in each setting, over all its seeds, never by the test part. The
    measure of the test part is what remains to be compared.
    """
    medians = runs.groupby([*SETTINGS, *tune], dropna=False)["best"].median().reset_index()
    best = medians.loc[medians.groupby(SETTINGS, dropna=False)["best"].idxmin()]
    return runs.merge(best[[*SETTINGS, *tune]], on=[*SETTINGS, *tune])


@dataclass(frozen=True)
class Difference:
    """One model's measure minus another's, seed by seed; below zero, the first is better."""

    task: str
    first: tuple[float, ...]
    second: tuple[float, ...]
    margin: float

    @property
    def each(self) -> np.ndarray:
        """First minus second for every seed, in the unit of the measure."""
        return np.array(self.first) - np.array(self.second)

    @property
    def median(self) -> float:
        """The median over the seeds, in the unit of the measure."""
        return float(np.median(self.each))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean difference (Student's t over the seeds)."""
        from scipy import stats

        each = self.each
        if np.ptp(each) == 0:
            return float(each[0]), float(each[0])
        found = stats.ttest_1samp(each, 0.0).confidence_interval()
        return float(found.low), float(found.high)

    @property
    def relative(self) -> float:
        """The median difference in margins: between -1 and 1 the two are alike."""
        return self.median / self.margin

    @property
    def word(self) -> str:
        """ "better", "worse", "alike", or "unclear": beyond the margin, but the seeds disagree."""
        if abs(self.median) <= self.margin:
            return "alike"
        agree = np.mean(np.sign(self.each) == np.sign(self.median))
        if agree < 0.75:
            return "unclear"
        return "better" if self.median < 0 else "worse"


def difference(runs: pd.DataFrame, first: dict, second: dict, measure: str = "test") -> Difference:
    """Compare two selections of ``runs`` seed by seed; the selections name columns and values."""

    def selected(wanted: dict) -> pd.Series:
        rows = runs
        for column, value in wanted.items():
            rows = rows[rows[column] == value]
        if rows.empty:
            raise Missing(f"no run with {wanted}")
        if rows["seed"].duplicated().any():
            raise ValueError(f"{wanted} leaves several runs for a seed")
        return rows.set_index("seed")[measure]

    one, other = selected(first), selected(second)
    seeds = sorted(set(one.index) & set(other.index))
    if len(seeds) != len(one) or len(seeds) != len(other):
        raise ValueError("the two have different seeds")
    tasks = set(runs["task"])
    if len(tasks) != 1:
        raise ValueError(f"one task at a time, not {sorted(tasks)}")
    task = tasks.pop()
    margin = POINTS if TASKS[task].unit.startswith("%") else SHARE * float(other.median())
    return Difference(task, tuple(one[seeds]), tuple(other[seeds]), margin)


LSTM = {"family": "lstm", "size": "hidden"}
GRU = {"family": "gru", "size": "hidden"}
WIDE_GRU = {"family": "gru", "size": "parameters"}
RNN = {"family": "rnn", "size": "hidden"}


def epochs_to(validation: list[float], target: float, looks: int) -> float:
    """Epochs until the validation loss is at most ``target``; all there were, if it never is."""
    for look, loss in enumerate(validation, start=1):
        if loss <= target:
            return look / looks
    return len(validation) / looks
