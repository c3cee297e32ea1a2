"""The claims on trial: for each its question, its experiment, its measure and the rule of its verdict.

The rules were written, and committed, before the runs they judge. A rule sees the runs of some
seeds and returns a finding; it is applied to all seeds and to each of the two seed sets alone, and
where these disagree the verdict is "Not settled". The claims in the notes' words, and those that
a chapter settles by a derivation or a measurement of its own, stand in `book/back/claims.yml`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from . import designs, results
from .costs import ROUNDS
from .designs import RATES_WHERE_LONG, REAL, SEED_SETS
from .results import GRU, LSTM, WIDE_GRU, Difference, difference, tuned
from .runner import RESULTS
from .tasks import TASKS

HOLDS, WHEN, FAILS, UNSETTLED = "Holds", "Holds when", "Fails here", "Not settled"


@dataclass(frozen=True)
class Finding:
    """What a rule makes of the runs.

    ``facts`` are the numbers a page may quote, by name. ``effects`` has one number for every
    place the claim was tried, in units of the margin its rule declares: between -1 and 1 the
    two are alike, below that the GRU is ahead (less error, time, memory), above it the LSTM.
    """

    word: str
    facts: dict[str, float | int]
    effects: dict[str, float]
    differences: tuple[Difference, ...] = ()


def from_differences(
    word: str, facts: dict, differences: Sequence[Difference], names=None
) -> Finding:
    """A finding whose effects are differences, named by their tasks or by ``names``."""
    names = names or [d.task for d in differences]
    effects = {name: d.relative for name, d in zip(names, differences, strict=True)}
    return Finding(word, facts, effects, tuple(differences))


@dataclass(frozen=True)
class Claim:
    """An experiment record. ``rule`` takes a function that gives the runs of a design."""

    id: str
    question: str
    designs: tuple[str, ...]
    measure: str
    verdict_rule: str
    rule: Callable[[Callable[..., pd.DataFrame]], Finding]


@dataclass(frozen=True)
class ClaimVerdict:
    """What is said of a claim: its word, the finding of all seeds, and the word of each seed set."""

    claim: Claim
    word: str
    finding: Finding
    by_set: dict[str, str]


def judge(claim: Claim, folder: Path = RESULTS, tiny: bool = False) -> ClaimVerdict:
    """The verdict of a claim: that of all seeds, if either seed set alone gives the same."""

    def runs(seeds: Sequence[int] | None, *names: str) -> pd.DataFrame:
        table = results.table(*names, folder=folder, tiny=tiny)
        return table if seeds is None else table[table["seed"].isin(seeds)]

    if claim.designs:
        found = claim.rule(lambda *names: runs(None, *names))
        by_set = {
            name: claim.rule(lambda *names, seeds=seeds: runs(seeds, *names)).word
            for name, seeds in SEED_SETS.items()
        }
    else:
        found = claim.rule(lambda part: results.costs(folder)[part])
        by_set = {
            name: claim.rule(
                lambda part, name=name: [
                    row for row in results.costs(folder)[part] if row["round"] == name
                ]
            ).word
            for name in ROUNDS
        }
    word = found.word if set(by_set.values()) == {found.word} else UNSETTLED
    return ClaimVerdict(claim, word, found, by_set)


@cache
def verdicts() -> dict[str, ClaimVerdict]:
    """The verdict of every claim on trial, from the results in the repository."""
    return {claim.id: judge(claim) for claim in CLAIMS}


def of(runs: pd.DataFrame, **wanted) -> pd.DataFrame:
    """The runs whose columns have the values wanted."""
    for column, value in wanted.items():
        runs = runs[runs[column] == value]
    return runs


def by_share(hits: int, total: int, holds: float, fails: float) -> str:
    """Holds from the share ``holds`` on, fails up to the share ``fails``, else holds when."""
    return HOLDS if hits >= holds * total else FAILS if hits <= fails * total else WHEN


def in_margins(ratio: float, least: float) -> float:
    """A ratio on a logarithmic scale on which ``least``, the smallest that counts, is -1."""
    return float(np.log(ratio) / -np.log(least))


def similar_accuracy(runs) -> Finding:
    """C9: GRU and LSTM on the real tasks, at equal hidden size and at equal parameters."""
    best = tuned(runs("compare"))
    found = [difference(of(best, task=task), GRU, LSTM) for task in REAL]
    wide = [difference(of(best, task=task), WIDE_GRU, LSTM) for task in REAL]
    alike = sum(d.word == "alike" for d in found)
    wide_alike = sum(d.word == "alike" for d in wide)
    word = by_share(alike, len(REAL), 5 / 7, 3 / 7)
    if by_share(wide_alike, len(REAL), 5 / 7, 3 / 7) != word:
        word = WHEN
    facts = {"alike": alike, "alike_parameters": wide_alike, "tasks": len(REAL),
             "better": sum(d.word == "better" for d in found), "worse": sum(d.word == "worse" for d in found)}  # fmt: skip
    return from_differences(word, facts, found)


COMPLEX, SIMPLE = ("moby_dick", "snippets", "digits"), ("vowels", "sunspots", "adding")


def complex_and_simple(runs) -> Finding:
    """C11: the LSTM's lead on three complex tasks, the GRU's hold on three simple ones."""
    best = tuned(runs("compare"))
    hard = [difference(of(best, task=task), GRU, LSTM) for task in COMPLEX]
    easy = [difference(of(best, task=task), GRU, LSTM) for task in SIMPLE]
    lstm_wins = sum(d.word == "worse" for d in hard)
    gru_holds = sum(d.word in ("alike", "better") for d in easy)
    facts = {"lstm_wins_complex": lstm_wins, "complex": len(COMPLEX), "gru_holds_simple": gru_holds,
             "simple": len(SIMPLE)}  # fmt: skip
    if lstm_wins >= 2 and gru_holds >= 2:
        return from_differences(HOLDS, facts, (*hard, *easy))
    word = FAILS if lstm_wins == 0 or gru_holds == 0 else WHEN
    return from_differences(word, facts, (*hard, *easy))


def fewer_epochs(runs) -> Finding:
    """C6: epochs until a loss that both reach, GRU over LSTM, one ratio for each task."""
    best = tuned(runs("compare"))
    ratios = {}
    for task in (*REAL, "adding"):
        pair = [of(best, task=task, **model) for model in (GRU, LSTM)]
        # The loss that both reach: the larger of the two medians, and two percent of slack.
        target = 1.02 * max(float(rows["best"].median()) for rows in pair)
        epochs = [
            np.median([
                results.epochs_to(v, target, looks)
                for v, looks in zip(rows["validation"], rows["looks"], strict=True)
            ])
            for rows in pair
        ]  # fmt: skip
        ratios[task] = float(epochs[0] / epochs[1])
    fewer = sum(ratio < 0.9 for ratio in ratios.values())
    more = sum(ratio > 1.1 for ratio in ratios.values())
    facts = {"fewer": fewer, "more": more, "tasks": len(ratios),
             "median_ratio": float(np.median(list(ratios.values()))),
             **{f"ratio_{task}": ratio for task, ratio in ratios.items()}}  # fmt: skip
    effects = {task: in_margins(ratio, 0.9) for task, ratio in ratios.items()}
    return Finding(by_share(fewer, len(ratios), 6 / 8, 3 / 8), facts, effects)


def settings_by_size(runs) -> list[tuple[str, int, pd.DataFrame]]:
    """The best runs at each size of the training part, two rates for every model and size."""
    full = runs("compare")
    full = full[full["task"].isin(designs.SMALL) & full["rate"].isin(RATES_WHERE_LONG)]
    full = full[(full["family"] != "rnn") & full["seed"].isin(designs.FEWER)]
    best = tuned(pd.concat([runs("shrink"), full]).drop_duplicates("key"))
    best = best.assign(gap=best["test"] - best["train"])
    return [(task, int(count), rows) for (task, count), rows in best.groupby(["task", "count"])]


def overfits_less(runs) -> Finding:
    """C8: test error minus training error, at every size of the training part."""
    sizes = settings_by_size(runs)
    names = [f"{task}, {count}" for task, count, _ in sizes]
    found = [difference(rows, GRU, LSTM, "gap") for _, _, rows in sizes]
    found = [Difference(d.task, d.first, d.second, results.POINTS) for d in found]
    less = sum(d.word == "better" for d in found)
    more = sum(d.word == "worse" for d in found)
    facts = {"less": less, "more": more, "settings": len(found),
             "median_difference": float(np.median([d.median for d in found]))}  # fmt: skip
    return from_differences(by_share(less, len(found), 2 / 3, 1 / 4), facts, found, names)


def small_and_short(runs) -> Finding:
    """C16: small training parts against the two largest tasks and the longest delays."""
    sizes = settings_by_size(runs)
    full = {TASKS[task].count for task in designs.SMALL}
    small = {
        f"{task}, {count}": difference(rows, GRU, LSTM)
        for task, count, rows in sizes
        if count not in full
    }
    long_runs = tuned(runs("delay"), ("rate", "keep"))
    # Training stops where a task is solved, so an error below that is worth no more.
    floor = np.where(long_runs["task"] == "adding", designs.SOLVED["adding"] ** 0.5, 0.0)
    long_runs = long_runs.assign(test=np.maximum(long_runs["test"], floor))
    large = {
        f"{task}, delay {rows['delay'].max()}": difference(
            of(rows, delay=rows["delay"].max()), GRU, LSTM
        )
        for task, rows in long_runs.groupby("task")
    }
    compared = tuned(runs("compare"))
    for task in ("snippets", "moby_dick"):
        large[f"{task}, all"] = difference(of(compared, task=task), GRU, LSTM)
    good = sum(d.word in ("alike", "better") for d in small.values())
    lost = sum(d.word == "worse" for d in large.values())
    facts = {"good": good, "small": len(small), "lost": lost, "large_or_long": len(large)}
    word = HOLDS if lost >= 2 else WHEN if lost else FAILS
    if good < 0.75 * len(small):
        word = FAILS
    everything = small | large
    return from_differences(word, facts, list(everything.values()), everything)


def regularization_needed(runs) -> Finding:
    """C19: the share of the median test error that the best dropout takes off."""
    table = runs("regularize")
    helped, facts, total = 0, {}, 0
    for (task, count, flipped), rows in table.groupby(["task", "count", "flipped"]):
        for family in ("lstm", "gru"):
            mine = of(rows, family=family)
            plain = tuned(of(mine, dropout=0.0))
            dropped = tuned(mine[mine["dropout"] > 0], ("rate", "dropout"))
            without, with_it = plain["test"].median(), dropped["test"].median()
            gain = 1 - with_it / without
            facts[f"gain_{task}_{count:g}_{flipped:g}_{family}"] = float(gain)
            helped += gain > 0.05
            total += 1
    effects = {name.removeprefix("gain_"): -gain / 0.05 for name, gain in facts.items()}
    facts |= {"helped": int(helped), "settings": total}
    return Finding(by_share(helped, total, 3 / 4, 1 / 4), facts, effects)


def sensitivity(rows: pd.DataFrame) -> float:
    """By how much the rates that are not the best worsen the validation loss, mean of logarithms.

    One value for a model on a task: 0 if every rate were as good as the best. A rate at which
    the loss is ten times the best, or not finite, counts as ten times.
    """
    by_rate = rows.groupby("rate")["best"].median()
    return float(np.log(np.minimum(by_rate / by_rate.min(), 10.0)).mean())


def easier_to_train(runs) -> Finding:
    """C12: how sensitive both are to the learning rate, task by task."""
    compared, wider = runs("compare"), runs("rates")
    facts, effects, easier, harder, total = {}, {}, 0, 0, 0
    for task in (*REAL, "adding"):
        rows = of(compared, task=task, size="hidden")
        if task in set(wider["task"]):
            rows = pd.concat([rows, of(wider, task=task)])
        gru, lstm = (sensitivity(of(rows, family=family)) for family in ("gru", "lstm"))
        facts |= {f"gru_{task}": gru, f"lstm_{task}": lstm}
        # In logarithms: two percent of the loss is the least that counts.
        effects[task] = (gru - lstm) / 0.02
        easier += gru < lstm - 0.02
        harder += gru > lstm + 0.02
        total += 1
    both = pd.concat([compared, wider])
    both = both[both["family"].isin(("gru", "lstm"))]
    facts |= {"easier": easier, "harder": harder, "tasks": total,
              "diverged_gru": int((~of(both, family="gru")["finite"]).sum()),
              "diverged_lstm": int((~of(both, family="lstm")["finite"]).sum()),
              "runs": len(both)}  # fmt: skip
    if easier >= 6 or harder >= 6:
        return Finding(HOLDS, facts, effects)
    return Finding(FAILS if max(easier, harder) <= 4 else WHEN, facts, effects)


def deep_stacks(runs) -> Finding:
    """C18: the deepest stacks of both."""
    best = tuned(runs("depth"))
    found = [
        difference(of(best, task=task, layers=max(designs.LAYERS)), GRU, LSTM)
        for task in ("vowels", "temperature")
    ]
    behind = sum(d.word == "worse" for d in found)
    facts = {"behind": behind, "tasks": len(found)}
    return from_differences(by_share(behind, len(found), 1, 0), facts, found)


def longest_solved(runs: pd.DataFrame, family: str, task: str) -> int:
    """The longest delay at which at least half of the seeds solve the task; 0 if there is none.

    At the best rate and the best start of the gates, chosen by the validation loss.
    """
    best = of(tuned(runs, ("rate", "keep")), family=family, task=task)
    solved = best.groupby("delay")["best"].apply(lambda b: (b < designs.SOLVED[task]).mean())
    return int(max((d for d, share in solved.items() if share >= 0.5), default=0))


def better_on_long(runs) -> Finding:
    """C10: the longest delay that each bridges, and digits followed by silence."""
    table = runs("delay")
    facts, effects, ahead, behind = {}, {}, 0, 0
    for task in designs.DELAYS:
        reach = {f: longest_solved(table, f, task) for f in ("rnn", "lstm", "gru")}
        facts |= {f"{family}_{task}": steps for family, steps in reach.items()}
        # One margin for every doubling of the delay; one step for a delay never bridged.
        effects[task] = float(np.log2(max(reach["lstm"], 1) / max(reach["gru"], 1)))
        ahead += reach["lstm"] > reach["gru"]
        behind += reach["lstm"] < reach["gru"]
    quiet = difference(tuned(runs("silence"), ("rate", "keep")), GRU, LSTM)
    ahead += quiet.word == "worse"
    behind += quiet.word == "better"
    facts |= {"ahead": ahead, "behind": behind, "tasks": 3, "silence": quiet.median}
    word = HOLDS if ahead >= 2 and not behind else FAILS if not ahead else WHEN
    return Finding(word, facts, effects | {"digits, then silence": quiet.relative}, (quiet,))


# Costs are counted or timed: they have no seeds.


def by_ratio(ratios: Sequence[float]) -> str:
    """Less of it everywhere (below 0.95) holds, nowhere fails."""
    less = sum(ratio < 0.95 for ratio in ratios)
    return HOLDS if less == len(ratios) else FAILS if not less else WHEN


def ratios_of(entries: list[dict], value: str, *by: str) -> list[dict]:
    """GRU over LSTM for all entries that agree in ``by``."""
    table = pd.DataFrame(entries)
    wide = table.pivot_table(index=list(by), columns="family", values=value, aggfunc="median")
    return (wide["gru"] / wide["lstm"]).rename("ratio").reset_index().to_dict("records")


def trains_faster(costs) -> Finding:
    """C5: milliseconds of a training step, GRU over LSTM, in every way to compute a layer."""
    ratios = ratios_of(costs("steps"), "training_ms", "way", "threads", "hidden")
    facts = {f"{r['way']}_{r['hidden']}_{r['threads']}": r["ratio"] for r in ratios}
    facts |= {
        f"{way}_{end.__name__}": end(r["ratio"] for r in ratios if r["way"] == way)
        for way in {r["way"] for r in ratios}
        for end in (min, max)
    }
    effects = {
        f"{r['way']}, {r['hidden']} units, {r['threads']} threads": in_margins(r["ratio"], 0.95)
        for r in ratios
    }
    return Finding(by_ratio([r["ratio"] for r in ratios]), facts, effects)


def less_memory(costs) -> Finding:
    """C7: numbers held, GRU over LSTM."""
    ratios = ratios_of(costs("memory"), "numbers", "what")
    facts = {r["what"]: r["ratio"] for r in ratios}
    effects = {what: in_margins(ratio, 0.95) for what, ratio in facts.items()}
    return Finding(by_ratio(list(facts.values())), facts, effects)


def small_devices(costs) -> Finding:
    """C17: on a stream, GRU over LSTM, the time of a step and what has to be kept."""
    ratios = ratios_of(costs("streaming"), "value", "what")
    facts = {r["what"]: r["ratio"] for r in ratios}
    effects = {what: in_margins(ratio, 0.95) for what, ratio in facts.items()}
    return Finding(by_ratio(list(facts.values())), facts, effects)


# fmt: off
CLAIMS = (
    Claim("C5", "Does a training step of a GRU take less time than one of an LSTM of equal hidden size?", (),
          "Time of forward and backward pass, GRU over LSTM, for hidden sizes 32 to 256: library as installed, library without its fused kernel, loops from scratch; one and two threads",
          "Holds if the ratio is below 0.95 in every setting, fails if in none; otherwise holds when, naming the setting.",
          trains_faster),
    Claim("C6", "Does a GRU reach the same validation loss in fewer epochs?", ("compare",),
          "Median epochs until the validation loss that both models reach (the larger of their two medians, plus 2 %), each at its own best rate",
          "A task counts if the GRU needs less than 0.9 of the LSTM's epochs. Holds on 6 of 8 tasks or more, fails on 3 or fewer.",
          fewer_epochs),
    Claim("C7", "Does a GRU take less memory?", (),
          "Numbers held for weights, for the carried state, and for the backward pass, GRU over LSTM",
          "Holds if every ratio is below 0.95, fails if none is.",
          less_memory),
    Claim("C8", "Is a GRU's gap between training and test smaller, above all on small data?", ("shrink", "compare"),
          "Test error minus training error at the epoch chosen by validation, GRU minus LSTM, seed by seed",
          "A setting counts if the median difference is below -2 points and three quarters of the seeds agree. Holds in two thirds of the nine settings, fails in a quarter or fewer.",
          overfits_less),
    Claim("C9", "Are GRU and LSTM about equally accurate?", ("compare",),
          "Test measure at the rate chosen by validation, GRU minus LSTM, seed by seed",
          "Alike means a median difference within 2 points (errors) or 5 % (the rest). Holds if alike on 5 of 7 real tasks or more, fails on 3 or fewer; equal hidden size and equal parameters must agree, or it holds when.",
          similar_accuracy),
    Claim("C10", "Does the LSTM bridge longer delays than the GRU?", ("delay", "silence"),
          "Longest delay that at least half of the seeds solve, at the best rate and start of the gates; error on digits followed by silence",
          "Holds if the LSTM is ahead on at least two of three tasks and behind on none, fails if it is ahead on none.",
          better_on_long),
    Claim("C11", "Is the LSTM more accurate on complex tasks, and the GRU good enough on simple ones?", ("compare",),
          "Test measure, GRU minus LSTM, on three tasks declared complex (text, reviews, digits by pixel) and three declared simple (vowels, sunspots, adding)",
          "Holds if the LSTM is better on 2 of 3 complex tasks and the GRU at least alike on 2 of 3 simple ones; fails if the LSTM is better on no complex task, or the GRU holds its own on no simple one.",
          complex_and_simple),
    Claim("C12", "Is a GRU's training less (note 3) or more (note 5) sensitive to the learning rate?", ("compare", "rates"),
          "Mean logarithm of the validation loss over the best one, over three to six learning rates, GRU against LSTM",
          "A task counts if the two differ by more than 0.02. One of the notes holds if its side wins 6 of 8 tasks; both fail if neither side wins more than 4.",
          easier_to_train),
    Claim("C16", "Does the GRU suit small data and short sequences, and lose on large data or long sequences?", ("shrink", "compare", "delay"),
          "Test measure, GRU minus LSTM, on six small training parts; on the two largest tasks; and at the two longest delays",
          "Holds if the GRU is at least alike in three quarters of the small settings and worse in two or more of the four large or long ones; fails if it loses on small data, or nowhere.",
          small_and_short),
    Claim("C17", "Is the GRU the smaller and faster one on a stream?", (),
          "One step at a time, one sequence: time for a step; numbers of the weights and of the carried state; bytes after dynamic int8 quantization",
          "Holds if every ratio is below 0.95, fails if none is.",
          small_devices),
    Claim("C18", "Do deep stacks of GRUs fall behind deep LSTMs?", ("depth",),
          "Test measure with three layers, GRU minus LSTM, seed by seed",
          "Holds if the GRU is worse on both tasks, fails if on none.",
          deep_stacks),
    Claim("C19", "Does dropout lower the test error on small and on noisy data?", ("regularize",),
          "Median test error with dropout (0.25 or 0.5, chosen by validation) against none, LSTM and GRU on three settings",
          "A setting counts if dropout takes off more than 5 % of the error. Holds in three quarters of the six, fails in a quarter or fewer.",
          regularization_needed),
)
# fmt: on
BY_ID = {claim.id: claim for claim in CLAIMS}
