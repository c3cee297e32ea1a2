"""The experiments: where models are compared, what is tried for each, and which runs come next.

Every model of a setting is tuned with the same budget: all its starts (three for each family), at
the same learning rates, with two seeds that are used for nothing else. As long as the best rate of
a model stands at the edge of the grid, the grid of the whole setting grows by one rate on that
side, for every model alike. What was chosen is then trained with fresh seeds, the same for every
model, in two conditions: at its best start, and as the library starts it. A comparison that is
undecided after 12 seeds gets more, up to 36.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from . import house
from .jobs import JOBS, task_named
from .training import STARTS, Run
from .translator import ATTENTION
from .yardstick import LOOKS, SHARE, SOLVED_MARGIN, UNDECIDED, Comparison, Proportions

TUNING_SEEDS = (900, 901)
LADDER = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
RATES = (0.003, 0.01, 0.03)
DROPOUTS = (0.0, 0.25, 0.5)
REAL = ("vowels", "spoken", "snippets", "electricity", "temperature", "sunspots", "moby_dick")
# What the trivial predictor reaches, and the best that was known before the first run of this
# trial: the baseline, or the best median of the trial before it. Written by
# `python -m experiments scale`, and part of the rules.
SCALE: dict[str, tuple[float, float]] = {
    "vowels": (90.541, 0.81081),
    "spoken": (90.0, 3.5),
    "snippets": (49.385, 26.538),
    "electricity": (282.7, 63.72),
    "temperature": (5.6808, 2.4074),
    "sunspots": (18.556, 17.085),
    "moby_dick": (4.4379, 2.3988),
    "adding": (0.41701, 0.0),
    "recall": (87.5, 0.0),
    # Part V, registered later; no trial before it, so the best known is the baseline.
    "page": (49.385, 27.615),
    "padded": (49.385, 26.538),
    "era": (50.201, 9.6386),
    "year": (23.074, 10.735),
    "hour": (281.05, 58.427),
    "day": (244.88, 122.13),
    "day_change": (244.88, 122.81),
    "co2_split": (0.51438, 0.42261),
    "co2_scaled": (0.51438, 0.42711),
    "co2_shuffled": (0.49625, 0.36901),
    "co2_change": (0.51342, 0.42017),
    # Registered after that; no trial before it either.
    "known": (90.8, 1.0),
    "voice_raw": (90.0, 49.2),
    "voice_centered": (90.0, 24.2),
    "voice_shifted": (90.0, 24.8),
    "clips": (1.4633, 1.121),
    "streams": (1.2322, 0.83384),
    # Registered after that. A rule of twenty lines says every number right.
    "numbers": (100.0, 0.0),
    "shorter": (100.0, 0.0),
    "sounds": (43.036, 21.362),
    # Registered after that; the best known is the baseline.
    "house_words": (100.0, 72.5),
    "house_hidden": (100.0, 52.7),
    "house_letters": (100.0, 53.5),
    "house_listed": (100.0, 10.4),
    "house_mended": (100.0, 8.2),
    "turns_carried": (98.75, 29.5),
    "turns_reset": (98.75, 29.5),
}
# A task counts as solved when the validation loss falls below this: for adding a squared error
# of 0.01 (always answering the mean: 0.17), for recall a cross entropy of 0.1 (a guess: 2.08).
SOLVED = {"adding": 0.01, "recall": 0.1}
DELAYS = {"adding": (200,), "recall": (40, 80)}
RULED = ("numbers", "shorter")  # a rule without learning makes no error

Results = Mapping[str, dict]
Model = tuple[str, str]  # family, size
LSTM, GRU, RNN = ("lstm", "hidden"), ("gru", "hidden"), ("rnn", "hidden")
WIDE_GRU = ("gru", "parameters")  # as many units as give the LSTM's number of parameters


def margin(task: str) -> float:
    """The margin of a task's measure: a share of the way from trivial to best known."""
    trivial, best = SCALE[task]
    return SHARE * (trivial - best)


@dataclass(frozen=True)
class Choice:
    """What tuning may choose for a model: where it starts, and its dropout."""

    start: str = "default"
    dropout: float = 0.0


# A condition says which choices a model has.
CONDITIONS: dict[str, Callable[[Choice], bool]] = {
    "default": lambda choice: choice.start == "default",
    "best": lambda choice: True,
    "none": lambda choice: choice.dropout == 0,
    "dropout": lambda choice: choice.dropout > 0,
}
Contestant = tuple[Model, str]  # a model, and its condition


@dataclass(frozen=True)
class Setting:
    """One place where models are compared.

    ``base`` is a run whose family, size, rate, seed, start and dropout are filled in. ``pairs``
    are the contestants whose difference decides how many seeds are needed; ``others`` get
    ``seeds`` of them, those of the first look if nothing else is said. ``rates``: the first grid.
    ``tuned_as``: another setting with the same contestants, whose choices are taken over.
    """

    name: str
    base: Run
    pairs: tuple[tuple[Contestant, Contestant], ...]
    others: tuple[Contestant, ...] = ()
    dropouts: tuple[float, ...] = (0.0,)
    seeds: int = LOOKS[0]
    rates: tuple[float, ...] = RATES
    tuned_as: "Setting | None" = None

    @property
    def first_look(self) -> int:
        """How many seeds everybody has before anything is compared."""
        return min(LOOKS[0], self.seeds)

    @property
    def contestants(self) -> tuple[Contestant, ...]:
        """Everybody who takes part, once."""
        return tuple(dict.fromkeys((*(c for pair in self.pairs for c in pair), *self.others)))

    @property
    def solving(self) -> bool:
        """Whether it is counted how many seeds solve the task."""
        return self.base.target is not None

    def choices(self, model: Model) -> list[Choice]:
        """Everything that is tried for a model, at every rate."""
        conditions = {condition for other, condition in self.contestants if other == model}
        starts = STARTS[model[0]] if "best" in conditions else ("default",)
        return [Choice(start, dropout) for start, dropout in product(starts, self.dropouts)]

    def run(self, model: Model, choice: Choice, rate: float, seed: int) -> Run:
        """One run of a model here."""
        return replace(
            self.base, family=model[0], size=model[1], rate=rate, seed=seed,
            start=choice.start, dropout=choice.dropout,
        )  # fmt: skip


def loss(result: dict) -> float:
    """The lowest validation loss of a run; infinite where none was finite."""
    return min((v for v in result["validation"] if np.isfinite(v)), default=np.inf)


def merit(run: Run, result: dict) -> float:
    """What tuning goes by, less is better: the validation loss.

    A run with a target stops where it is reached, so there the earlier one is the better one: from
    -1 (at once) to 0 (with the last update), and the loss where it is not reached.
    """
    if run.target is None or failed(run, result):
        return loss(result)
    looks = (run.epochs or task_named(run.task).epochs) * result["looks"]
    return len(result["validation"]) / looks - 1


def measured(run: Run, result: dict) -> float:
    """The test measure of a run; that of the trivial predictor where no loss was finite."""
    return result["test"] if "test" in result else SCALE[run.task][0]


def failed(run: Run, result: dict) -> float:
    """1 where a run with a target did not reach it, else 0."""
    assert run.target is not None
    return float(not loss(result) < run.target)


@dataclass(frozen=True)
class Tuned:
    """How a setting was tuned: the rates tried, and what was chosen for each contestant."""

    rates: tuple[float, ...]
    chosen: dict[Contestant, tuple[Choice, float]]
    edges: tuple[Contestant, ...]  # those whose best rate is the smallest or the largest tried


def tune(setting: Setting, results: Results) -> Tuned | list[Run]:
    """What was chosen in a setting, or the tuning runs that are still missing."""
    if setting.tuned_as:
        return tune(setting.tuned_as, results)
    rates = setting.rates
    while True:
        models = dict.fromkeys(model for model, _ in setting.contestants)
        wanted = {
            (model, choice, rate): [setting.run(model, choice, rate, seed) for seed in TUNING_SEEDS]
            for model in models for choice in setting.choices(model) for rate in rates
        }  # fmt: skip
        missing = [run for runs in wanted.values() for run in runs if run.key not in results]
        if missing:
            return missing
        mean = {
            what: float(np.mean([merit(run, results[run.key]) for run in runs])) for what, runs in wanted.items()
        }  # fmt: skip
        chosen = {}
        for model, condition in setting.contestants:
            mine = {
                (choice, rate): value for (other, choice, rate), value in mean.items()
                if other == model and CONDITIONS[condition](choice)
            }  # fmt: skip
            chosen[model, condition] = min(mine, key=mine.__getitem__)
        first, last = LADDER.index(rates[0]), LADDER.index(rates[-1])
        # Where nothing solves the task, all rates are as bad, and there is none to look for.
        best = {
            rate for (model, _), (choice, rate) in chosen.items()
            if not setting.solving or any(not failed(run, results[run.key]) for run in wanted[model, choice, rate])
        }  # fmt: skip
        low = max(0, first - (rates[0] in best))
        high = min(len(LADDER) - 1, last + (rates[-1] in best))
        if (low, high) == (first, last):
            edges = (
                who for who, (_, rate) in chosen.items() if rate in best & {rates[0], rates[-1]}
            )
            return Tuned(rates, chosen, tuple(edges))
        rates = LADDER[low : high + 1]


def values(setting: Setting, who: Contestant, tuned: Tuned, results: Results, value, count: int) -> list[float]:  # fmt: skip
    """``value(run, result)`` of the first ``count`` evaluation seeds that have a result."""
    choice, rate = tuned.chosen[who]
    runs = [setting.run(who[0], choice, rate, seed) for seed in range(count)]
    return [value(run, results[run.key]) for run in runs if run.key in results]


def compared(
    setting: Setting, pair: tuple[Contestant, Contestant], tuned: Tuned, results: Results,
    value=None, width: float | None = None, count: int = LOOKS[-1],
) -> Comparison:  # fmt: skip
    """Two contestants seed by seed, over all seeds that both have.

    By default their test measures, or in a setting with a target the shares that fail.
    """
    value = value or (failed if setting.solving else measured)
    first, second = (values(setting, who, tuned, results, value, count) for who in pair)
    both = min(len(first), len(second))
    if width is None:
        width = SOLVED_MARGIN if value is failed else margin(setting.base.task)
    kind = Proportions if value is failed else Comparison
    return kind(setting.name, tuple(first[:both]), tuple(second[:both]), width)


def seeds_wanted(setting: Setting, tuned: Tuned, results: Results, looks: int = len(LOOKS)) -> dict[Contestant, int]:  # fmt: skip
    """How many seeds each contestant needs by what is known so far."""
    wanted = dict.fromkeys(setting.contestants, setting.seeds)
    for pair in setting.pairs:
        for now, more in zip(LOOKS[:looks], LOOKS[1:looks], strict=False):
            have = min(len(values(setting, who, tuned, results, measured, now)) for who in pair)
            if (
                have < now
                or compared(setting, pair, tuned, results, count=now).outcome != UNDECIDED
            ):
                break
            for who in pair:
                wanted[who] = max(wanted[who], more)
    return wanted


def missing_in(setting: Setting, results: Results, looks: int = len(LOOKS)) -> list[Run]:
    """The runs of a setting that come next, given the results so far; none, when it is done."""
    tuned = tune(setting, results)
    if isinstance(tuned, list):
        return tuned
    runs = {}
    for (model, condition), count in seeds_wanted(setting, tuned, results, looks).items():
        choice, rate = tuned.chosen[model, condition]
        for seed in range(count):
            run = setting.run(model, choice, rate, seed)
            if run.key not in results:
                runs[run.key] = run
    return list(runs.values())


def tuning_budget(setting: Setting, tuned: Tuned) -> dict[Contestant, int]:
    """How many tuning runs each contestant could choose from."""
    return {
        (model, condition): len(TUNING_SEEDS) * len(tuned.rates)
        * sum(map(CONDITIONS[condition], setting.choices(model)))
        for model, condition in setting.contestants
    }  # fmt: skip


# The designs.


def base(task: str, **more) -> Run:
    """A run in which everything but the model is set."""
    return Run(task, "", 0.0, -1, **more)


def both(condition: str) -> tuple[Contestant, Contestant]:
    """GRU against LSTM in one condition."""
    return (GRU, condition), (LSTM, condition)


def compare() -> Iterator[Setting]:
    """Every model on the real tasks."""
    for task in REAL:
        yield Setting(
            task, base(task),
            pairs=(both("default"), both("best")),
            others=((WIDE_GRU, "default"), (RNN, "default"), (RNN, "best")),
        )  # fmt: skip


def delay() -> Iterator[Setting]:
    """Longer and longer delays, each run until it is solved."""
    for task, delays in DELAYS.items():
        for steps in delays:
            yield Setting(
                f"{task}, delay {steps}", base(task, delay=steps, target=SOLVED[task]),
                pairs=(both("best"),), others=(*both("default"), (RNN, "default"), (RNN, "best")),
            )  # fmt: skip


SMALL = {"vowels": (27, 81), "spoken": (100, 300)}


def shrink() -> Iterator[Setting]:
    """The gated models on less training data."""
    for task, counts in SMALL.items():
        for count in counts:
            yield Setting(f"{task}, {count}", base(task, count=count), pairs=(both("best"),))


DEEP, LAYERS = ("vowels", "temperature"), 3


def depth() -> Iterator[Setting]:
    """Stacks of three layers."""
    for task in DEEP:
        yield Setting(f"{task}, {LAYERS} layers", base(task, layers=LAYERS), pairs=(both("best"),))


# (task, training sequences, share of labels replaced)
HARD_DATA = (("vowels", 81, 0.0), ("vowels", 216, 0.3), ("spoken", 100, 0.0))


def regularize() -> Iterator[Setting]:
    """Dropout, and none, on small training parts and on one with wrong labels."""
    for task, count, flipped in HARD_DATA:
        name = f"{task}, {count}, " + ("wrong labels" if flipped else "dropout")
        yield Setting(
            name, base(task, count=count, flipped=flipped), dropouts=DROPOUTS,
            pairs=tuple(((model, "dropout"), (model, "none")) for model in (LSTM, GRU)),
        )  # fmt: skip


# Part V.


READ, WITHOUT_GATE, MEAN = "reviews, gates read", "reviews, no {}", "reviews, mean state"
GATES = ("update", "reset")


def reviews() -> Iterator[Setting]:
    """A GRU on reviews: its gates read, without one of them, padded, from its mean state, in small."""
    alone, many = ((GRU, "best"),), LOOKS[1]
    yield Setting(READ, base("snippets", reading="gates"), (), alone, seeds=many)
    for gate in GATES:
        without = base("snippets", without=gate)
        yield Setting(WITHOUT_GATE.format(gate), without, (), alone, seeds=many)
    every = tuple((model, "best") for model in (RNN, LSTM, GRU))
    yield Setting(MEAN, base("snippets", readout="mean"), (), every)
    yield Setting("padded", base("padded"), (), ((GRU, "default"), (GRU, "best")))
    yield Setting("page", base("page", embedding=16, hidden=24), (), alone)


LONG_TEXTS = ("era", "year")


def texts() -> Iterator[Setting]:
    """Every model on passages of 250 words."""
    for name in LONG_TEXTS:
        yield Setting(
            name, base(name), pairs=(both("best"),), others=(*both("default"), (RNN, "default"), (RNN, "best")),
        )  # fmt: skip


def series() -> Iterator[Setting]:
    """A day of electricity, as a level and as a change; the next hour; four ways to split a series."""
    yield Setting(
        "day_change", base("day_change", reading="horizon"), pairs=(both("best"),), others=((RNN, "best"),),
    )  # fmt: skip
    for name, reading in (("day", "horizon"), ("hour", "fed_back")):
        yield Setting(name, base(name, reading=reading), (), ((GRU, "best"),))
    for name in JOBS:
        if name.startswith("co2"):
            yield Setting(name, base(name), (), ((GRU, "default"),))


# The seeds draw who tests: 12 test every voice twice, 24 four times.
EVERY_MODEL = tuple((model, "best") for model in (RNN, LSTM, GRU))
ANOTHER_VOICE = ("voice_raw", "voice_centered", "voice_shifted")
LISTENING = ("clips", "streams")


def voices() -> Iterator[Setting]:
    """Spoken digits: known voices, another voice heard in three ways, and listening to streams."""
    yield Setting("known", base("known", reading="words"), (), EVERY_MODEL)
    for name in ANOTHER_VOICE:
        seeds = LOOKS[1 if name == "voice_shifted" else 0]
        yield Setting(name, base(name, reading="words"), (), EVERY_MODEL, seeds=seeds)
    for name in LISTENING:
        yield Setting(name, base(name, reading="listening"), (), EVERY_MODEL[1:])


# Two rates to begin with: one of them is best, so that the grid grows until the best lies inside.
TWO_RATES = (0.003, 0.01)
AS_DRAWN = tuple((model, "default") for model in (RNN, LSTM, GRU))
FEW_SEEDS = 6


def languages() -> Iterator[Setting]:
    """Numbers into words and spelling into sounds, without and with attention; longer numbers than trained."""
    more: dict = {"seeds": FEW_SEEDS, "rates": TWO_RATES}
    spoken = base("numbers", reading="phrases", hidden=64, embedding=16)
    heard = base("sounds", reading="sounds", hidden=64)
    yield Setting("numbers", spoken, (), AS_DRAWN, **more)
    looking = Setting("numbers, attention", replace(spoken, net=ATTENTION), (), AS_DRAWN, **more)
    yield looking
    yield Setting(
        "shorter, attention", replace(looking.base, task="shorter"), (), AS_DRAWN, seeds=FEW_SEEDS, tuned_as=looking
    )  # fmt: skip
    yield Setting("sounds", heard, (), AS_DRAWN, **more)
    yield Setting("sounds, attention", replace(heard, net=ATTENTION), (), AS_DRAWN, **more)


def houses() -> Iterator[Setting]:
    """What is wanted of a house: names never seen and what mends them, one direction, a second turn."""
    two = base("house_words", reading="house", hidden=64, net=house.TWO)
    words = Setting("house", two, (), AS_DRAWN, seeds=FEW_SEEDS, rates=TWO_RATES)
    yield words
    more: dict = {"seeds": FEW_SEEDS, "tuned_as": words}
    alone = AS_DRAWN[2:]
    yield Setting("house, one direction", replace(two, net=""), (), alone, **more)
    for form in ("hidden", "letters", "listed", "mended"):
        yield Setting(f"house, {form}", replace(two, task=f"house_{form}"), (), alone, **more)
    yield Setting("turns, carried", replace(two, task="turns_carried"), (), AS_DRAWN, **more)
    yield Setting("turns, reset", replace(two, task="turns_reset"), (), alone, **more)


@dataclass(frozen=True)
class Design:
    """Settings that answer one question."""

    name: str
    title: str
    settings: tuple[Setting, ...]


DESIGNS = {
    design.name: design
    for design in (
        Design("compare", "Seven real tasks, four models", tuple(compare())),
        Design("delay", "Longer and longer delays", tuple(delay())),
        Design("shrink", "Less and less training data", tuple(shrink())),
        Design("regularize", "Dropout on small and on noisy data", tuple(regularize())),
        Design("depth", "Three layers", tuple(depth())),
        Design("reviews", "A GRU on reviews, taken apart", tuple(reviews())),
        Design("texts", "Long texts", tuple(texts())),
        Design("series", "Series: a day of electricity, and the splits", tuple(series())),
        Design("voices", "Spoken digits, by voice", tuple(voices())),
        Design("languages", "One sequence into another", tuple(languages())),
        Design("houses", "What is wanted of a house", tuple(houses())),
    )
}

# Rates beside the best, for LSTM and GRU as the library starts them.
BESIDE = ("vowels", "spoken", "temperature", "sunspots")


def beside(tuned: Tuned, who: Contestant) -> tuple[float, float]:
    """The rates of the ladder next to the best, below and above it."""
    at = LADDER.index(tuned.chosen[who][1])
    return LADDER[max(at - 1, 0)], LADDER[min(at + 1, len(LADDER) - 1)]


def missing_beside(results: Results) -> list[Run]:
    """The runs at the rates beside the best that have no result; none where tuning is not done."""
    runs = []
    for setting in DESIGNS["compare"].settings:
        tuned = tune(setting, results) if setting.name in BESIDE else []
        if isinstance(tuned, Tuned):
            for who in both("default"):
                runs += [
                    setting.run(who[0], Choice(), rate, seed)
                    for rate in beside(tuned, who) for seed in range(LOOKS[0])
                ]  # fmt: skip
    return [run for run in runs if run.key not in results]


def missing(results: Results, names: tuple[str, ...] = (), looks: int = len(LOOKS)) -> list[Run]:
    """The runs that come next in the named designs (all, if none is named); none, when all is done."""
    unknown = set(names) - {*DESIGNS, "beside"}
    if unknown:
        known = ", ".join((*DESIGNS, "beside"))
        raise ValueError(f"no design {', '.join(sorted(unknown))}; there are: {known}")
    runs = [
        run for name in names or DESIGNS if name in DESIGNS
        for setting in DESIGNS[name].settings for run in missing_in(setting, results, looks)
    ]  # fmt: skip
    if not names or "beside" in names:
        runs += missing_beside(results)
    return list({run.key: run for run in runs}.values())


def tiny(run: Run) -> Run:
    """The same run, small enough for a test of the whole path."""
    count = run.count or task_named(run.task).count
    return replace(
        run, count=max(12, count // 20), hidden=4, epochs=1,
        delay=None if run.delay is None else run.delay // 10,
    )  # fmt: skip
