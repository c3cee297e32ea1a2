"""The experiments: which runs there are.

Every model of a comparison gets the same learning rates and the same seeds, so the same number
of tries. Seeds come in two sets that share nothing: a verdict has to come out the same on both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

from .tasks import TASKS
from .training import Run

SEED_SETS = {"A": (0, 1, 2, 3), "B": (100, 101, 102, 103)}
SEEDS = SEED_SETS["A"] + SEED_SETS["B"]
FEWER = SEED_SETS["A"][:3] + SEED_SETS["B"][:3]  # where a run is long

RATES = (0.003, 0.01, 0.03)
REAL = ("vowels", "digits", "snippets", "electricity", "temperature", "sunspots", "moby_dick")
# Equal hidden size, and a GRU that is as large as the LSTM in parameters.
CONTESTANTS = (("rnn", "hidden"), ("lstm", "hidden"), ("gru", "hidden"), ("gru", "parameters"))
GATED = CONTESTANTS[1:]

SMALL = {"vowels": (27, 81), "digits": (100, 320), "snippets": (500, 1700)}
RATES_WHERE_LONG = (0.003, 0.01)
WIDER = (0.0003, 0.001, 0.1)
LAYERS = (2, 3)
DELAYS = {"adding": (50, 100, 200), "recall": (20, 40, 80)}
# A task counts as solved when the validation loss falls below this: for adding a squared error
# of 0.01 (always answering the mean: 0.17), for recall a cross entropy of 0.1 (a guess: 2.08).
SOLVED = {"adding": 0.01, "recall": 0.1}
STARTS = (("rnn", 0.0), ("lstm", 0.0), ("lstm", 1.0), ("lstm", "chrono"),
          ("gru", 0.0), ("gru", 1.0), ("gru", "chrono"))  # fmt: skip
SILENCE = 96
DROPOUTS = (0.0, 0.25, 0.5)
# (task, training sequences, share of labels replaced)
HARD_DATA = (("vowels", 81, 0.0), ("vowels", 216, 0.3), ("snippets", 500, 0.0))


@dataclass(frozen=True)
class Design:
    """Runs that are compared with one another; ``runs`` gives them one by one."""

    name: str
    title: str
    runs: Callable[[], Iterator[Run]]


def compare() -> Iterator[Run]:
    """Every model on the real tasks and on adding, at three rates."""
    tasks = (*REAL, "adding")
    for task, (family, size), rate, seed in product(tasks, CONTESTANTS, RATES, SEEDS):
        yield Run(task, family, rate, seed, size=size)


def shrink() -> Iterator[Run]:
    """The gated models on less training data, at two rates."""
    for task, (family, size), rate, seed in product(SMALL, GATED, RATES_WHERE_LONG, FEWER):
        for count in SMALL[task]:
            yield Run(task, family, rate, seed, size=size, count=count)


def rates() -> Iterator[Run]:
    """LSTM and GRU of equal hidden size at three rates far from the best."""
    tasks = ("vowels", "temperature", "sunspots")
    for task, (family, size), rate, seed in product(tasks, CONTESTANTS[1:3], WIDER, SEEDS):
        yield Run(task, family, rate, seed, size=size)


def depth() -> Iterator[Run]:
    """Stacks of LSTMs and of GRUs."""
    tasks = ("vowels", "temperature")
    for task, family, layers, rate, seed in product(
        tasks, ("lstm", "gru"), LAYERS, RATES_WHERE_LONG, FEWER
    ):
        yield Run(task, family, rate, seed, layers=layers)


def regularize() -> Iterator[Run]:
    """Dropout, and none, on small training parts and on one with wrong labels."""
    for (task, count, flipped), family, dropout, rate, seed in product(
        HARD_DATA, ("lstm", "gru"), DROPOUTS, RATES_WHERE_LONG, FEWER
    ):
        yield Run(task, family, rate, seed, count=count, flipped=flipped, dropout=dropout)


def delay() -> Iterator[Run]:
    """Longer and longer delays, from every start of the gates, each run until it is solved."""
    for task, (family, keep), rate, seed in product(DELAYS, STARTS, RATES_WHERE_LONG, FEWER):
        for steps in DELAYS[task]:
            yield Run(task, family, rate, seed, delay=steps, keep=keep, target=SOLVED[task])


def silence() -> Iterator[Run]:
    """Digits, then steps of zeros before the answer, from two starts of the gates."""
    for (family, keep), rate, seed in product(STARTS, RATES_WHERE_LONG, FEWER):
        if keep != 1.0:
            yield Run("digits", family, rate, seed, delay=SILENCE, keep=keep)


DESIGNS = {
    design.name: design
    for design in (
        Design("compare", "Eight tasks, four models", compare),
        Design("shrink", "Less and less training data", shrink),
        Design("rates", "Learning rates far from the best", rates),
        Design("depth", "Two and three layers", depth),
        Design("regularize", "Dropout on small and on noisy data", regularize),
        Design("delay", "Longer and longer delays", delay),
        Design("silence", "Digits, then silence", silence),
    )
}


def runs_of(*names: str) -> dict[str, Run]:
    """Every run of the named designs (of all, if none is named), by key."""
    unknown = set(names) - set(DESIGNS)
    if unknown:
        raise ValueError(f"no design {', '.join(sorted(unknown))}; there are: {', '.join(DESIGNS)}")
    return {run.key: run for name in names or DESIGNS for run in DESIGNS[name].runs()}


def tiny(run: Run) -> Run:
    """The same run, small enough for a test of the whole path."""
    count = run.count or TASKS[run.task].count
    return replace(
        run,
        count=max(3, count // 20),
        hidden=4,
        epochs=1,
        delay=None if run.delay is None else run.delay // 10,
    )
