"""The trained nets that part V ships: small files, each the run of a setting with the median test measure.

`python -m experiments models` trains them again, holds what comes out against the recorded results,
and writes their weights in 8-bit integers (see `quantized`) into `book/data/work`, with `models.json`,
which says what quantizing changed. Nets that go onto a device keep their float32 weights.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from . import results
from .baselines import fitted_bag, fitted_ridge
from .claims import Missing
from .designs import GRU, LSTM, RNN, Contestant
from .jobs import DAY, LOAD_CUTS, PAGE_WORDS, WEEK, load_kw, task_named
from .people import TESTED
from .quantized import dequantize, quantize
from .runner import ROOT, plain, replace_text
from .tasks import DATA, LONGEST, WORDS
from .training import Run, build, fit, load, measure_of

FOLDER = ROOT / "book" / "data" / "work"


@dataclass(frozen=True)
class Model:
    """A net that is shipped: a contestant of a setting of the trial.

    ``like``: the net whose seed it shares, where the two are shown side by side; else the seed is that
    with the median test measure. ``exact``: its weights stay float32.
    """

    name: str
    setting: str
    who: Contestant = (GRU, "best")
    like: str = ""
    exact: bool = False


MODELS = {
    model.name: model
    for model in (
        Model("reviews", "page"),
        Model("era_rnn", "era", (RNN, "best")),
        Model("era_lstm", "era", (LSTM, "best")),
        Model("era_gru", "era"),
        Model("forecast", "day_change"),
        Model("next_hour", "hour"),
        Model("words", "voice_shifted", like="listener", exact=True),
        Model("clips", "clips", like="listener", exact=True),
        Model("listener", "streams", exact=True),
        Model("listener_lstm", "streams", (LSTM, "best"), like="listener", exact=True),
        Model("numbers", "numbers, attention", (GRU, "default")),
        Model("numbers_alone", "numbers", (GRU, "default")),
        Model("shorter", "shorter, attention", (GRU, "default")),
        Model("house", "turns, carried", (GRU, "default")),
        Model("house_words", "house", (GRU, "default")),
        Model("house_rnn", "house", (RNN, "default")),
        Model("house_lstm", "house", (LSTM, "default")),
        Model("house_mended", "house, mended", (GRU, "default")),
        *(
            Model(f"sounds_{model[0]}", "sounds, attention", (model, "default"))
            for model in (RNN, LSTM, GRU)
        ),
    )
}


def typical(model: Model) -> Run:
    """The run of a contestant whose test measure is the median over the seeds of the first look, or that
    with the seed of the net it is like."""
    trial = results.trial()
    setting, (choice, rate) = (
        trial.settings[model.setting],
        trial.tuned(model.setting).chosen[model.who],
    )
    if model.like:
        return setting.run(model.who[0], choice, rate, typical(MODELS[model.like]).seed)
    runs = [setting.run(model.who[0], choice, rate, seed) for seed in range(setting.first_look)]
    return sorted(runs, key=lambda run: trial.results[run.key]["test"])[(len(runs) - 1) // 2]


def score(net: nn.Module, run: Run) -> float:
    """The test measure of a net on the task of a run."""
    split = load(run)
    return measure_of(task_named(run.task), net, split, split.test)


def ship(name: str, folder: Path = FOLDER) -> dict:
    """Train a net that is shipped, write its file, and say what quantizing changed.

    Raises RuntimeError where the net does not come out as the results say: another processor
    rounds otherwise, so ship from the machine that made them.
    """
    run = typical(MODELS[name])
    net, result = fit(run)
    recorded = results.results()[run.key]["test"]
    if plain(result["test"]) != recorded:
        raise RuntimeError(
            f"{name}: the test measure is {result['test']:.5g} here, {recorded} in the results"
        )
    path = write(name, net, run, folder)
    return {
        "key": run.key, "test": result["test"], "quantized": score(loaded(name, folder), run),
        "bytes": path.stat().st_size,
    }  # fmt: skip


def write(name: str, net: nn.Module, run: Run, folder: Path) -> Path:
    """Write the file of a net; its path."""
    exact = MODELS[name].exact
    arrays = {
        part: float32(weights.numpy()) if exact else quantize(weights.numpy())
        for part, weights in net.state_dict().items()
    }
    path = folder / f"{name}.json"
    replace_text(path, json.dumps({"run": asdict(run), "arrays": arrays}) + "\n")
    return path


def float32(array: np.ndarray) -> dict:
    """A float32 array ready for JSON: ``shape``, and its little-endian bytes in base64 as ``float32``."""
    data = base64.b64encode(array.astype("<f4").tobytes()).decode()
    return {"shape": list(array.shape), "float32": data}


def array_of(entry: dict) -> np.ndarray:
    """The float32 array of an entry, exact or in 8-bit integers."""
    if "float32" not in entry:
        return dequantize(entry)
    data = np.frombuffer(base64.b64decode(entry["float32"]), "<f4")
    return data.astype(np.float32).reshape(entry["shape"])


def run_of(name: str, folder: Path = FOLDER) -> Run:
    """The run that a shipped net came out of."""
    return Run(**json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["run"])


def loaded(name: str, folder: Path = FOLDER) -> nn.Module:
    """A net that is shipped, with the weights of its file, ready to answer.

    Raises Missing where there is no such file.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        raise Missing(f"{path.name} is not there; write it with: python -m experiments models")
    file = json.loads(path.read_text(encoding="utf-8"))
    run = Run(**file["run"])
    net = build(run, task_named(run.task), load(run))
    net.load_state_dict(
        {part: torch.from_numpy(array_of(entry)) for part, entry in file["arrays"].items()}
    )
    return net.eval()


@cache
def shipped() -> dict[str, dict]:
    """What `models.json` says of every net: its run, test measures before and after quantizing, bytes."""
    return json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))


# What the figures in the page are given.

NETS = {
    "memory.weight_ih_l0": "weight_ih", "memory.weight_hh_l0": "weight_hh", "memory.bias_ih_l0": "bias_ih",
    "memory.bias_hh_l0": "bias_hh", "readout.weight": "readout_weight", "readout.bias": "readout_bias",
    "embedding.weight": "embedding",
}  # fmt: skip


def net_for_page(name: str) -> dict[str, dict]:
    """The quantized arrays of a shipped net under the names that the scripts know."""
    file = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return {
        NETS[part]: quantize(array_of(entry)) if "float32" in entry else entry
        for part, entry in file["arrays"].items()
    }


def review_words() -> list[str]:
    """The words that the nets on reviews know, in the order of their numbers, from number 2 on.

    Counted as `tasks` does it: the test part is left out.
    """
    table = pd.read_csv(DATA / "movie_snippets.tsv", sep="\t", quoting=3)
    order = np.random.default_rng(0).permutation(len(table))
    words = table["text"].str.lower().str.findall(r"[a-z']+").iloc[order]
    counts = words.iloc[TESTED:].explode().value_counts()
    return list(counts.index[: WORDS - 2])


def review_data(examples: Sequence[str]) -> dict:
    """All that ``<gm-review>`` needs: words, the net, the bag of words it is compared with, sentences to begin with."""
    run = run_of("reviews")
    bag = fitted_bag(load(run))
    return {
        "words": " ".join(review_words()[: PAGE_WORDS - 2]), "longest": LONGEST, "net": net_for_page("reviews"),
        "bag": {"weights": quantize(bag.coef_[0][:PAGE_WORDS]), "bias": plain(float(bag.intercept_[0]))},
        "examples": list(examples),
    }  # fmt: skip


def forecast_data(begins: Sequence[str]) -> dict:
    """All that ``<gm-forecast>`` needs: the net, the linear model, half widths, and windows of the test part.

    ``begins``: the first hour of each week, as in "2014-03-03 00:00". Raises ValueError for a week
    that does not lie in the test part, with the day after it.
    """
    run = run_of("forecast")
    split, known = load(run), load_kw()[: LOAD_CUTS[0]]
    ridge = fitted_ridge(split)
    table = pd.read_csv(DATA / "electricity_hourly.csv")
    hours = pd.to_datetime(table.iloc[:, 0])
    windows = []
    for begin in begins:
        at = int(hours.searchsorted(pd.Timestamp(begin)))
        if not LOAD_CUTS[1] <= at <= len(table) - WEEK - DAY or hours[at] != pd.Timestamp(begin):
            raise ValueError(
                f"the week from {begin} is not in the test part, which begins at {hours[LOAD_CUTS[1]]}"
            )
        load_kw_then = [round(value) for value in load_kw()[at : at + WEEK + DAY].tolist()]
        windows.append({
            "title": f"{hours[at + WEEK]:%A, %B %-d, %Y}", "begins": begin,
            "load": load_kw_then[:WEEK], "next": load_kw_then[WEEK:],
        })  # fmt: skip
    return {
        "net": net_for_page("forecast"), "mean": float(known.mean()), "scale": float(known.std()),
        "linear": {"weights": quantize(ridge.coef_), "bias": quantize(ridge.intercept_)},
        "half": plain(results.results()[run.key]["half"]), "windows": windows,
    }  # fmt: skip
