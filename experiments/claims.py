"""The claims on trial: for each its question, its experiment, its measure and the rule of its verdict.

The rules were registered before the runs they judge: every result carries their digest (see
`registration`). A rule turns comparisons, each with one of the yardstick's four names, into a word.
Where a comparison is undecided, the rule is asked for every name it could still get; where these
words differ, the claim is "Not settled". The claims in the notes' words, and those that a chapter
settles by a derivation or a measurement of its own, stand in `book/back/claims.yml`.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd

from . import designs
from .costs import ROUNDS
from .designs import GRU, LSTM, REAL, RNN, WIDE_GRU, Choice, Contestant, Setting, Tuned
from .speech import VOICES
from .training import Run
from .yardstick import (
    BETTER,
    EQUIVALENT,
    LOOKS,
    RATIO_MARGIN,
    UNDECIDED,
    WORDS,
    WORSE,
    Comparison,
)

HOLDS, WHEN, FAILS, UNSETTLED = "Holds", "Holds when", "Fails here", "Not settled"
DEFAULT, BEST = designs.both("default"), designs.both("best")


class Missing(LookupError):
    """A result that was asked for is not in the file."""


@dataclass(frozen=True)
class Trial:
    """The results, and how every setting was tuned; ``settings`` by name."""

    results: Mapping[str, dict]
    settings: Mapping[str, Setting]
    _tuned: dict[str, Tuned] = field(default_factory=dict)

    def tuned(self, name: str) -> Tuned:
        """What was chosen in a setting; raises Missing where tuning is not done."""
        if name not in self._tuned:
            found = designs.tune(self.settings[name], self.results)
            if isinstance(found, list):
                raise Missing(
                    f"{name}: {len(found)} tuning runs have no result; run what is missing with: make experiments"
                )
            self._tuned[name] = found
        return self._tuned[name]

    def compared(self, name: str, pair: tuple[Contestant, Contestant], value=None, width: float | None = None) -> Comparison:  # fmt: skip
        """Two contestants of a setting; raises Missing where a seed of the first look has no result."""
        setting, tuned = self.settings[name], self.tuned(name)
        wanted = setting.first_look
        for who in pair:
            have = len(self.values(name, who, designs.measured, wanted))
            if have < wanted:
                raise Missing(
                    f"{name}: {wanted - have} runs of {who} have no result; run what is missing with: make experiments"
                )
        return designs.compared(setting, pair, tuned, self.results, value, width)

    def values(self, name: str, who: Contestant, value, count: int = LOOKS[-1]) -> list[float]:
        """``value(run, result)`` of a contestant, in the order of the seeds."""
        return designs.values(
            self.settings[name], who, self.tuned(name), self.results, value, count
        )


@dataclass(frozen=True)
class Finding:
    """What a rule makes of the results.

    ``facts`` are the numbers a page may quote, by name. ``effects`` has for every place the claim
    was tried its effect and the two ends of its interval, in margins: below -1 the GRU is ahead
    (less error, time, memory), above 1 the LSTM.
    """

    word: str
    facts: dict[str, float | int]
    effects: dict[str, tuple[float, float, float]]
    comparisons: dict[str, Comparison] = field(default_factory=dict)


Rule = Callable[[Mapping[str, str]], str]


def settled(rule: Rule, outcomes: Mapping[str, str]) -> str:
    """The word of a rule, or "Not settled" where an undecided comparison could still change it."""
    open_ones = [name for name, outcome in outcomes.items() if outcome == UNDECIDED]
    words = {
        rule(dict(outcomes) | dict(zip(open_ones, names, strict=True)))
        for names in product(WORDS, repeat=len(open_ones))
    }
    return words.pop() if len(words) == 1 else UNSETTLED


def tally(outcomes: Mapping[str, str], *names: str) -> Counter[str]:
    """How often each outcome occurs, in all places or in those named."""
    return Counter(outcomes[name] for name in names or outcomes)


def judged(rule: Rule, comparisons: dict[str, Comparison], more: dict | None = None) -> Finding:
    """A finding of comparisons: the word, and how often each outcome occurs."""
    outcomes = {name: comparison.outcome for name, comparison in comparisons.items()}
    counts = tally(outcomes)
    facts = {name: counts[name] for name in (*WORDS, UNDECIDED)} | {"settings": len(outcomes)}
    effects = {name: comparison.in_margins for name, comparison in comparisons.items()}
    return Finding(settled(rule, outcomes), facts | (more or {}), effects, comparisons)


@dataclass(frozen=True)
class Claim:
    """An experiment record.

    ``rule`` takes the Trial where there are ``designs``, and where something is ``timed`` a function
    that gives the rows of a part of the costs. ``before`` says what was wrong with the rule before.
    """

    id: str
    question: str
    designs: tuple[str, ...]
    measure: str
    verdict_rule: str
    rule: Callable[..., Finding]
    before: str = ""
    timed: bool = False


def by_share(hits: int, total: int, holds: float, fails: float) -> str:
    """Holds from the share ``holds`` on, fails up to the share ``fails``, else holds when."""
    return HOLDS if hits >= holds * total else FAILS if hits <= fails * total else WHEN


def most_alike(outcomes: Mapping[str, str]) -> str:
    """C9: equivalent on five of seven, or on three at most."""
    return by_share(tally(outcomes)[EQUIVALENT], len(outcomes), 5 / 7, 3 / 7)


def similar_accuracy(trial: Trial) -> Finding:
    """C9: GRU and LSTM on the real tasks, as the library starts them and at their best starts."""
    best = {task: trial.compared(task, BEST) for task in REAL}
    plain = {task: trial.compared(task, DEFAULT) for task in REAL}
    wide = {task: trial.compared(task, ((WIDE_GRU, "default"), (LSTM, "default"))) for task in REAL}
    vanilla = {task: trial.compared(task, ((RNN, "best"), (LSTM, "best"))) for task in REAL}
    words = {judged(most_alike, found).word for found in (best, plain)}
    word = words.pop() if len(words) == 1 else UNSETTLED if UNSETTLED in words else WHEN
    more = {}
    for name, found in (("default", plain), ("wide", wide), ("rnn", vanilla)):
        counts = tally({task: comparison.outcome for task, comparison in found.items()})
        more |= {f"{name}_{outcome}": counts[outcome] for outcome in (*WORDS, UNDECIDED)}
    finding = judged(most_alike, best, more)
    return Finding(word, finding.facts, finding.effects, finding.comparisons)


COMPLEX, SIMPLE = ("moby_dick", "snippets", "spoken"), ("vowels", "sunspots", "electricity")


def lstm_where_complex(outcomes: Mapping[str, str]) -> str:
    """C11: the LSTM better on two complex tasks, the GRU not worse on two simple ones."""
    wins = tally(outcomes, *COMPLEX)[WORSE]
    held = len(SIMPLE) - tally(outcomes, *SIMPLE)[WORSE]
    if wins >= 2 and held >= 2:
        return HOLDS
    return FAILS if wins == 0 or held == 0 else WHEN


def complex_and_simple(trial: Trial) -> Finding:
    """C11: the LSTM's lead on three complex tasks, the GRU's hold on three simple ones."""
    found = {task: trial.compared(task, BEST) for task in (*COMPLEX, *SIMPLE)}
    outcomes = {task: comparison.outcome for task, comparison in found.items()}
    more = {"complex": len(COMPLEX), "simple": len(SIMPLE)}
    for name, tasks in (("complex", COMPLEX), ("simple", SIMPLE)):
        more |= {
            f"{name}_{outcome}": tally(outcomes, *tasks)[outcome] for outcome in (*WORDS, UNDECIDED)
        }
    return judged(lstm_where_complex, found, more)


def epochs_to(validation: Sequence[float], target: float, looks: int) -> float:
    """Epochs until the validation loss is at most ``target``; all there were, if it never is."""
    for look, value in enumerate(validation, start=1):
        if value <= target:
            return look / looks
    return len(validation) / looks


def fewer_on_most(outcomes: Mapping[str, str]) -> str:
    """C6: fewer epochs on five of seven tasks, or on three at most."""
    return by_share(tally(outcomes)[BETTER], len(outcomes), 5 / 7, 3 / 7)


def fewer_epochs(trial: Trial) -> Finding:
    """C6: epochs until a loss that both reach, GRU over LSTM, seed by seed."""
    found, more = {}, {}
    for task in REAL:
        losses = [
            float(np.median(trial.values(task, who, lambda run, result: designs.loss(result))))
            for who in BEST
        ]
        # The loss that both reach: the larger of the two medians, and two percent of slack.
        target = 1.02 * max(losses)

        def epochs(run: Run, result: dict, target=target) -> float:
            return math.log(epochs_to(result["validation"], target, result["looks"]))

        found[task] = trial.compared(task, BEST, epochs, RATIO_MARGIN)
        more[f"ratio_{task}"] = math.exp(found[task].mean)
    return judged(fewer_on_most, found, more)


def gap(run: Run, result: dict) -> float:
    """Test measure minus training measure."""
    return result["test"] - result["train"] if "test" in result else 0.0


def smaller_on_most(outcomes: Mapping[str, str]) -> str:
    """C8: a smaller gap in two thirds of the settings, or in a quarter at most."""
    return by_share(tally(outcomes)[BETTER], len(outcomes), 2 / 3, 1 / 4)


def overfits_less(trial: Trial) -> Finding:
    """C8: test error minus training error, at every size of the training part."""
    places = [f"{task}, {count}" for task, counts in designs.SMALL.items() for count in counts]
    return judged(
        smaller_on_most,
        {place: trial.compared(place, BEST, gap) for place in (*places, *designs.SMALL)},
    )


def never_worse(outcomes: Mapping[str, str]) -> str:
    """C16: worse nowhere, or in half of the settings and more."""
    worse = tally(outcomes)[WORSE]
    return HOLDS if not worse else FAILS if worse >= len(outcomes) / 2 else WHEN


SHORT = ("vowels", "spoken", "snippets", "temperature", "sunspots")


def small_and_short(trial: Trial) -> Finding:
    """C16: small training parts, and short sequences."""
    places = [f"{task}, {count}" for task, counts in designs.SMALL.items() for count in counts]
    return judged(never_worse, {place: trial.compared(place, BEST) for place in (*places, *SHORT)})


def dropout_helps(outcomes: Mapping[str, str]) -> str:
    """C19: better with dropout in three quarters of the settings, or in a quarter at most."""
    return by_share(tally(outcomes)[BETTER], len(outcomes), 3 / 4, 1 / 4)


def regularization_needed(trial: Trial) -> Finding:
    """C19: the best dropout against none, for both cells."""
    found = {}
    for setting in designs.DESIGNS["regularize"].settings:
        for model in (LSTM, GRU):
            pair = ((model, "dropout"), (model, "none"))
            found[f"{setting.name}, {model[0].upper()}"] = trial.compared(setting.name, pair)
    return judged(dropout_helps, found)


def one_side(outcomes: Mapping[str, str]) -> str:
    """C12: one note's side on three of four tasks, or neither on more than one."""
    counts = tally(outcomes)
    most = max(counts[BETTER], counts[WORSE])
    return HOLDS if most >= 3 else FAILS if most <= 1 else WHEN


def easier_to_train(trial: Trial) -> Finding:
    """C12: what the rates beside the best one cost, as the library starts both cells."""
    found = {}
    for task in designs.BESIDE:
        setting, tuned = trial.settings[task], trial.tuned(task)
        costs = []
        for who in DEFAULT:
            rates = (tuned.chosen[who][1], *designs.beside(tuned, who))
            runs = [
                [setting.run(who[0], Choice(), rate, seed) for seed in range(LOOKS[0])]
                for rate in rates
            ]
            absent = [run.key for row in runs for run in row if run.key not in trial.results]
            if absent:
                raise Missing(
                    f"{task}: {len(absent)} runs beside the best rate have no result; run what is missing with: make experiments"
                )
            best, *others = [
                [designs.measured(run, trial.results[run.key]) for run in row] for row in runs
            ]
            costs.append(np.mean(others, axis=0) - best)
        found[task] = Comparison(task, tuple(costs[0]), tuple(costs[1]), designs.margin(task))
    return judged(one_side, found)


def behind_everywhere(outcomes: Mapping[str, str]) -> str:
    """C18: worse in every stack, or in none."""
    return by_share(tally(outcomes)[WORSE], len(outcomes), 1, 0)


def deep_stacks(trial: Trial) -> Finding:
    """C18: stacks of three layers."""
    return judged(behind_everywhere, {
        setting.name: trial.compared(setting.name, BEST) for setting in designs.DESIGNS["depth"].settings
    })  # fmt: skip


def lstm_on_long(outcomes: Mapping[str, str]) -> str:
    """C10: the GRU worse at two delays and better at none, or worse at none."""
    counts = tally(outcomes)
    if not counts[WORSE]:
        return FAILS
    return HOLDS if counts[WORSE] >= 2 and not counts[BETTER] else WHEN


def better_on_long(trial: Trial) -> Finding:
    """C10: how many seeds solve a long delay, at the best start."""
    found, more = {}, {}
    for setting in designs.DESIGNS["delay"].settings:
        found[setting.name] = trial.compared(setting.name, BEST)
        task, steps = setting.base.task, setting.base.delay
        for model in (RNN, LSTM, GRU):
            for condition in ("default", "best"):
                missed = trial.values(setting.name, (model, condition), designs.failed)
                more[f"{model[0]}_{condition}_{task}_{steps}"] = len(missed) - int(sum(missed))
                more[f"{model[0]}_{condition}_{task}_{steps}_of"] = len(missed)
    return judged(lstm_on_long, found, more)


MODERATE = 0.3  # the rank correlation from which a gate is said to pick words
RANK_MARGIN = 0.05


def gates_pick(outcomes: Mapping[str, str]) -> str:
    """C21: a gate does its part if it moves with words and something is lost when it is held still."""
    does = [
        outcomes[f"{gate} picks"] != WORSE and outcomes[f"{gate} held"] == BETTER
        for gate in designs.GATES
    ]
    return HOLDS if all(does) else WHEN if any(does) else FAILS


def gates_and_words(trial: Trial) -> Finding:
    """C21: what the gates of a trained GRU do with words, and what a GRU without one of them loses."""
    who = GRU, "best"

    def seen(name: str, value) -> tuple[float, ...]:
        return tuple(trial.values(name, who, value, LOOKS[1]))

    found, more = {}, {}
    free = seen(designs.READ, lambda run, result: result["walked"])
    for gate in designs.GATES:
        rank = seen(designs.READ, lambda run, result, gate=gate: result[f"{gate}_picks"])
        held = seen(designs.READ, lambda run, result, gate=gate: result[f"{gate}_frozen"])
        without = seen(designs.WITHOUT_GATE.format(gate), designs.measured)
        threshold = (MODERATE,) * len(rank)
        width = designs.margin("snippets")
        found[f"{gate} picks"] = Comparison(f"{gate} picks", threshold, rank, RANK_MARGIN)
        found[f"{gate} held"] = Comparison(f"{gate} held", free, held, width)
        found[f"{gate} left out"] = Comparison(f"{gate} left out", free, without, width)
        more |= {
            f"{gate}_rank": float(np.mean(rank)), f"{gate}_held": -found[f"{gate} held"].mean,
            f"{gate}_left_out": -found[f"{gate} left out"].mean,
        }  # fmt: skip
    return judged(gates_pick, found, more)


def lstm_somewhere(outcomes: Mapping[str, str]) -> str:
    """C22: the GRU worse on one long text task or more; "sometimes" asks for no more than that."""
    counts = tally(outcomes)
    return FAILS if not counts[WORSE] else WHEN if counts[BETTER] else HOLDS


def whole_documents(trial: Trial) -> Finding:
    """C22: GRU and LSTM on passages of 250 words, each at its best start."""
    found = {name: trial.compared(name, BEST) for name in designs.LONG_TEXTS}
    plain = {name: trial.compared(name, DEFAULT).outcome for name in designs.LONG_TEXTS}
    counts = tally(plain)
    more = {f"default_{outcome}": counts[outcome] for outcome in (*WORDS, UNDECIDED)}
    return judged(lstm_somewhere, found, more)


# Costs are counted or timed: they have no seeds, and no interval but their two rounds.


def by_ratio(ratios: Sequence[float]) -> str:
    """Less of it everywhere (below 0.95) holds, nowhere fails."""
    less = sum(ratio < 0.95 for ratio in ratios)
    return HOLDS if less == len(ratios) else FAILS if not less else WHEN


def ratios_of(entries: list[dict], value: str, *by: str) -> dict[tuple, list[float]]:
    """GRU over LSTM for all entries that agree in ``by``: in the median, and in each round."""
    wide = pd.DataFrame(entries).pivot_table(index=[*by, "round"], columns="family", values=value)
    rounds = (wide["gru"] / wide["lstm"]).groupby(level=list(by))
    return {
        place if isinstance(place, tuple) else (place,): list(values) for place, values in rounds
    }


def costs_judged(ratios: Mapping[str, list[float]], more: dict | None = None) -> Finding:
    """A finding of ratios by place, a value for each round; both rounds must give one word."""
    words = {by_ratio(values) for values in zip(*ratios.values(), strict=True)}
    middle = {place: float(np.mean(values)) for place, values in ratios.items()}

    def in_margins(ratio: float) -> float:
        return float(np.log(ratio) / -np.log(0.95))

    effects = {
        place: (in_margins(middle[place]), in_margins(min(values)), in_margins(max(values)))
        for place, values in ratios.items()
    }
    word = words.pop() if len(words) == 1 else UNSETTLED
    return Finding(word, middle | (more or {}), effects)


def trains_faster(costs) -> Finding:
    """C5: milliseconds of a training step, GRU over LSTM, in every way to compute a layer."""
    found = ratios_of(costs("steps"), "training_ms", "way", "threads", "hidden")
    ratios = {
        f"{way}, {hidden} units, {threads} threads": values
        for (way, threads, hidden), values in found.items()
    }
    more = {}
    for (way, threads, hidden), values in found.items():
        more[f"{way}_{hidden}_{threads}"] = float(np.mean(values))
    for way in dict.fromkeys(way for way, _, _ in found):
        mine = [float(np.mean(values)) for (other, _, _), values in found.items() if other == way]
        more |= {f"{way}_min": min(mine), f"{way}_max": max(mine)}
    return costs_judged(ratios, more)


def less_memory(costs) -> Finding:
    """C7: numbers held, GRU over LSTM."""
    found = ratios_of(costs("memory"), "numbers", "what")
    return costs_judged({what: values for (what,), values in found.items()})


def cheaper_on_a_stream(costs) -> Finding:
    """On a stream, GRU over LSTM, the time of a step and what has to be kept."""
    found = ratios_of(costs("streaming"), "value", "what")
    return costs_judged({what: values for (what,), values in found.items()})


def by_voice(trial: Trial, name: str, who: Contestant, value=designs.measured) -> tuple[float, ...]:
    """The mean of a value over the seeds that tested each of the six voices."""
    values = trial.values(name, who, value)
    return tuple(float(np.mean(values[voice::VOICES])) for voice in range(VOICES))


def across_voices(trial: Trial, name: str, pair: tuple[Contestant, Contestant], value=designs.measured, width: float | None = None) -> Comparison:  # fmt: skip
    """Two contestants voice by voice: six pairs, since another seed is not another voice."""
    first, second = (by_voice(trial, name, who, value) for who in pair)
    return Comparison(name, first, second, designs.margin(name) if width is None else width)


def small_devices(trial: Trial, costs) -> Finding:
    """C17: the costs on a stream, and the accuracy on voices that were never heard."""
    spent = cheaper_on_a_stream(costs)
    heard = {name: across_voices(trial, name, BEST) for name in ("voice_shifted", "streams")}
    outcomes = {name: comparison.outcome for name, comparison in heard.items()}

    def word(outcomes: Mapping[str, str]) -> str:
        return FAILS if WORSE in outcomes.values() else spent.word

    effects = spent.effects | {name: comparison.in_margins for name, comparison in heard.items()}
    return Finding(settled(word, outcomes), spent.facts, effects, heard)


NO_TEST = "A median inside the margin was called alike, which is no test of equivalence, and the margin was so wide that a vanilla RNN was alike the LSTM on three of seven tasks. "
ONE_START = "The LSTM ran with PyTorch's forget bias near 0 only. "
EDGES = "Half of the best learning rates stood at the edge of the grid. "

FRESH = "Not tried in the first trial."

# fmt: off
CLAIMS = (
    Claim("C5", "Does a training step of a GRU take less time than one of an LSTM of equal hidden size?", (),
          "Time of forward and backward pass, GRU over LSTM, for hidden sizes 32 to 256: library as installed, library without its fused kernel, loops from scratch; one and two threads",
          "Holds if the ratio is below 0.95 in every setting, fails if in none; otherwise holds when, naming the setting. Two rounds must agree.",
          trains_faster, timed=True),
    Claim("C6", "Does a GRU reach the same validation loss in fewer epochs?", ("compare",),
          "Epochs until the validation loss that both reach (the larger of their two medians, plus 2 %), GRU over LSTM, seed by seed, each at its own best rate and start",
          "Margin: a tenth. Fewer on 5 of 7 tasks or more holds, on 3 or fewer fails.",
          fewer_epochs, ONE_START + EDGES + "Medians were compared, without an interval."),
    Claim("C7", "Does a GRU take less memory?", (),
          "Numbers held for weights, for the carried state, and for the backward pass, GRU over LSTM",
          "Holds if every ratio is below 0.95, fails if none is. Two rounds must agree.",
          less_memory, timed=True),
    Claim("C8", "Is a GRU's gap between training and test smaller, above all on small data?", ("shrink", "compare"),
          "Test error minus training error at the epoch chosen by validation, GRU minus LSTM, seed by seed, on two tasks at three sizes of the training part",
          "Holds if the gap is smaller in two thirds of the six settings, fails if in a quarter or fewer.",
          overfits_less, NO_TEST + ONE_START + "Settings in which neither net had learned anything were counted."),
    Claim("C9", "Are GRU and LSTM about equally accurate on most tasks?", ("compare",),
          "Test measure on seven real tasks, GRU minus LSTM, seed by seed: as the library starts them, and each at its best start",
          "Holds if equivalent on 5 of 7 tasks or more, fails if on 3 or fewer; the two conditions must agree, or it holds when.",
          similar_accuracy, NO_TEST + ONE_START + EDGES),
    Claim("C10", "Does the LSTM bridge longer delays than the GRU?", ("delay",),
          "Share of the seeds that do not solve adding at 200 steps and recall at 40 and 80, each net at its best rate and start",
          "Margin: a quarter of the seeds. Holds if the GRU is worse at two delays or more and better at none, fails if worse at none.",
          better_on_long, "The longest delay that half of six seeds solved was compared: a step function without an interval. The vanilla RNN had no orthogonal start. Digits after a silence counted as a third task and compared when learning began, not how long a memory lasts."),
    Claim("C11", "Is the LSTM more accurate on complex tasks, and the GRU good enough on simple ones?", ("compare",),
          "Test measure at the best start, GRU minus LSTM, on three tasks declared complex (text, reviews, speech) and three declared simple (vowels, sunspots, electricity)",
          "Holds if the LSTM is better on 2 of 3 complex tasks and the GRU not worse on 2 of 3 simple ones; fails if the LSTM is better on no complex task, or the GRU worse on every simple one.",
          complex_and_simple, NO_TEST + ONE_START + "Digits read pixel by pixel counted as complex: that is a delay. Adding counted as simple: that is one, too."),
    Claim("C12", "Is a GRU's training less (note 3) or more (note 5) sensitive to the learning rate?", ("compare", "beside"),
          "What the two rates beside the best one cost in the test measure, mean of the two, GRU minus LSTM, seed by seed, on four tasks, as the library starts both",
          "One of the notes holds if its side wins 3 of 4 tasks; both fail if neither side wins more than 1.",
          easier_to_train, "Rates a factor of ten apart were averaged as a logarithm of the validation loss, relative to each model's own best, with no interval; a model with a better best had more to lose."),
    Claim("C16", "Is the GRU at least as good as the LSTM on small data and on short sequences?", ("shrink", "compare"),
          "Test measure at the best start, GRU minus LSTM, on four small training parts and on five tasks of at most 40 steps",
          "Holds if the GRU is worse nowhere, fails if worse in half of the settings or more.",
          small_and_short, NO_TEST + "The rule also asked the GRU to lose on large data and long sequences, which the notes do not say."),
    Claim("C17", "Is the GRU the smaller and faster one on a stream, and as accurate?", ("voices",),
          "One step at a time, one sequence: time for a step; numbers of the weights and of the carried state; bytes after dynamic int8 quantization. And the test measure on spoken digits by voices that were never heard, GRU minus LSTM, voice by voice, as whole words and as a stream",
          "Holds if every ratio is below 0.95 and the GRU worse on neither words nor streams, fails if no ratio is or if it is worse on one of the two. Two rounds of the costs must agree.",
          small_devices, "Costs alone were judged: a smaller net that hears less would have won.", timed=True),
    Claim("C18", "Do deep stacks of GRUs fall behind deep LSTMs?", ("depth",),
          "Test measure with three layers at the best start, GRU minus LSTM, seed by seed",
          "Holds if the GRU is worse on both tasks, fails if on none.",
          deep_stacks, NO_TEST + ONE_START + EDGES),
    Claim("C19", "Does dropout lower the test error on small and on noisy data?", ("regularize",),
          "Test measure with dropout (0.25 or 0.5, chosen by validation) minus without, seed by seed, LSTM and GRU on three settings",
          "Holds if dropout is better in three quarters of the six, fails if in a quarter or fewer.",
          regularization_needed, "A share of the median error was taken, without an interval; a setting in which neither net had learned anything was counted."),
    Claim("C21", "In a classifier, does the update gate pick the words that matter and the reset gate drop the others?", ("reviews",),
          "A GRU trained on reviews, at its best start, 24 seeds. Picks: rank correlation between what a word is worth to a bag of words and how much of the state it replaces (update) or how open the gate is (reset). Held: test error free, minus with the gate at its mean. Left out, for comparison: the same for a net trained without the gate",
          "A gate does its part if the correlation is not below 0.3 (margin 0.05) and holding it still makes the test error worse. Holds if both do, fails if neither.",
          gates_and_words, FRESH),
    Claim("C22", "Is the LSTM sometimes better for whole documents?", ("texts",),
          "Test measure on two questions about passages of 250 words (era and year of an address, none of its passages seen in training), GRU minus LSTM, seed by seed, each at its best start",
          "Holds if the GRU is worse on one of the two or more and better on none, holds when if one is ahead on each, fails if the GRU is worse on none.",
          whole_documents, FRESH),
)
# fmt: on
BY_ID = {claim.id: claim for claim in CLAIMS}


def judge(claim: Claim, trial: Trial, costs: Mapping[str, list[dict]]) -> Finding:
    """The finding of a claim, from the runs or from the costs."""
    assert all(
        {row["round"] for row in rows} <= set(ROUNDS)
        for rows in costs.values()
        if isinstance(rows, list)
    )
    needed = [trial] if claim.designs else []
    return claim.rule(*needed, *([costs.__getitem__] if claim.timed else []))
