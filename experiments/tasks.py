"""What the nets have to do: tasks with data, a split and a measure.

A measure is always "less is better": the share of wrong answers in percent, the root mean square
error in the unit of the data, or bits per character. The test part of a task is fixed. What a
seed draws is the training part, the validation part where the data have no order in time, the
initial weights and the order of the batches.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

FAMILIES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
DATA = Path(__file__).parents[1] / "book" / "data"


@dataclass(frozen=True)
class Examples:
    """Sequences and their targets.

    ``xs`` (N, T, D) float32, or (N, T) int64 for symbols. ``lengths`` (N,) int64: where each
    sequence ends. ``ys`` (N,) int64 for classes, (N, K) float32 for numbers, or (N, T) int64
    where every step has a next symbol.
    """

    xs: Tensor
    lengths: Tensor
    ys: Tensor

    def __len__(self) -> int:
        return len(self.xs)

    def __getitem__(self, rows) -> "Examples":
        return Examples(self.xs[rows], self.lengths[rows], self.ys[rows])

    def to(self, device: str) -> "Examples":
        """Copies on a device of PyTorch's."""
        return Examples(self.xs.to(device), self.lengths.to(device), self.ys.to(device))


@dataclass(frozen=True)
class Split:
    """``scale`` is what one unit of a number target is worth in the unit of the task."""

    train: Examples
    validation: Examples
    test: Examples
    scale: float = 1.0

    def to(self, device: str) -> "Split":
        """The same on a device."""
        train, validation, test = (
            part.to(device) for part in (self.train, self.validation, self.test)
        )
        return Split(train, validation, test, self.scale)


@dataclass(frozen=True)
class Own:
    """What a task brings that is not answered by one symbol, one row of numbers or one symbol a step.

    ``net(run, split)`` is the untrained net. ``loss(net, part)`` is the mean loss of a part, in nats, to be
    trained and to choose the epoch by; ``measure(net, part)`` what is told of a part, less is better.
    """

    net: Callable[..., nn.Module]
    loss: Callable[[nn.Module, Examples], Tensor]
    measure: Callable[[nn.Module, Examples], float]


@dataclass(frozen=True)
class Task:
    """One task; ``load(seed, count)`` gives the split with ``count`` training sequences.

    ``delayed`` tasks also take how many steps lie between the input and the answer. A task of the kind
    "own" brings its net, loss and measure.
    """

    name: str
    title: str
    kind: str  # "classes" | "numbers" | "symbols" | "own"
    unit: str
    load: Callable[..., Split]
    outputs: int
    count: int
    epochs: int
    batch: int
    vocabulary: int | None = None
    looks: int = 1  # how often an epoch is interrupted to look at the validation part
    delayed: str | None = None  # name of that argument of ``load``
    own: Own | None = None


def whole(xs: np.ndarray | Tensor, ys: np.ndarray | Tensor, lengths=None) -> Examples:
    """Examples of these arrays; without ``lengths``, every sequence goes to its last step."""
    xs, ys = torch.as_tensor(xs), torch.as_tensor(ys)
    if lengths is None:
        lengths = torch.full((len(xs),), xs.shape[1])
    return Examples(xs, torch.as_tensor(lengths), ys)


def drawn(pool: Examples, seed: int, count: int, held_out: int) -> tuple[Examples, Examples]:
    """``count`` training and ``held_out`` validation sequences, drawn from ``pool`` by ``seed``."""
    if count + held_out > len(pool):
        raise ValueError(f"{count} + {held_out} sequences wanted, {len(pool)} are there")
    order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(seed))
    return pool[order[:count]], pool[order[count : count + held_out]]


@cache
def _vowels() -> tuple[Examples, Examples]:
    file = np.load(DATA / "japanese_vowels.npz")
    ends = np.cumsum(file["lengths"])
    longest = int(file["lengths"].max())
    xs = np.zeros((len(ends), longest, file["X"].shape[1]), np.float32)
    for row, (end, length) in enumerate(zip(ends, file["lengths"], strict=True)):
        xs[row, :length] = file["X"][end - length : end]
    labels = file["y"].astype(np.int64)
    labels -= labels.min()
    known = int(file["n_train"])
    mean, spread = file["X"][: ends[known - 1]].mean(0), file["X"][: ends[known - 1]].std(0)
    real = np.arange(longest)[None, :, None] < file["lengths"][:, None, None]
    xs = (((xs - mean) / spread) * real).astype(np.float32)
    everything = whole(xs, labels, file["lengths"].astype(np.int64))
    return everything[slice(None, known)], everything[slice(known, None)]


def vowels(seed: int, count: int) -> Split:
    """Which of nine speakers says a vowel: xs (N, 29, 12), standardized; the data's own test part."""
    pool, test = _vowels()
    return Split(*drawn(pool, seed, count, 54), test)


SPOKEN_FRAMES = 40


@cache
def _spoken() -> tuple[Examples, Examples]:
    file = np.load(DATA / "spoken_digits.npz")
    ends = np.cumsum(file["lengths"], dtype=np.int64)
    lengths = np.minimum(file["lengths"], SPOKEN_FRAMES).astype(np.int64)
    later = file["take"] >= 10
    frames = file["X"].astype(np.float32)
    known = frames[np.repeat(later, file["lengths"])]
    frames = (frames - known.mean(0)) / known.std(0)
    xs = np.zeros((len(ends), SPOKEN_FRAMES, frames.shape[1]), np.float32)
    for row, (end, whole_length, length) in enumerate(
        zip(ends, file["lengths"], lengths, strict=True)
    ):
        start = end - whole_length
        xs[row, :length] = frames[start : start + length]
    everything = whole(xs, file["digit"].astype(np.int64), lengths)
    return everything[later], everything[~later]


def spoken(seed: int, count: int) -> Split:
    """Which digit was said: xs (N, 40, 13), standardized MFCC; the first ten takes of each are the test part."""
    pool, test = _spoken()
    return Split(*drawn(pool, seed, count, 300), test)


@cache
def _digits() -> tuple[Examples, Examples]:
    file = np.load(DATA / "digits.npz")
    xs = (file["X"].reshape(len(file["X"]), 64, 1) / 16).astype(np.float32)
    everything = whole(xs, file["y"].astype(np.int64))
    return everything[slice(None, 1300)], everything[slice(1300, None)]


def digits(seed: int, count: int, silence: int = 0) -> Split:
    """Pixel by pixel, then ``silence`` steps of zeros before the answer is asked for."""
    pool, test = _digits()
    parts = Split(*drawn(pool, seed, count, 300), test)

    def quiet(part: Examples) -> Examples:
        return whole(torch.nn.functional.pad(part.xs, (0, 0, 0, silence)), part.ys)

    return Split(quiet(parts.train), quiet(parts.validation), quiet(parts.test))


WORDS, LONGEST = 4000, 32


@cache
def _snippets() -> tuple[Examples, Examples]:
    table = pd.read_csv(DATA / "movie_snippets.tsv", sep="\t", quoting=3)
    words = table["text"].str.lower().str.findall(r"[a-z']+")
    order = np.random.default_rng(0).permutation(len(table))
    words, ratings = words.iloc[order], table["mean_rating"].iloc[order]
    tested = 2600
    counts = words.iloc[tested:].explode().value_counts()
    known = {word: number + 2 for number, word in enumerate(counts.index[: WORDS - 2])}
    xs = np.zeros((len(words), LONGEST), np.int64)  # 0 pads, 1 is a rare word
    lengths = np.ones(len(words), np.int64)
    for row, sentence in enumerate(words):
        numbers = [known.get(word, 1) for word in sentence[:LONGEST]]
        xs[row, : len(numbers)] = numbers
        lengths[row] = max(len(numbers), 1)
    everything = whole(xs, (ratings.to_numpy() > 0).astype(np.int64), lengths)
    return everything[slice(tested, None)], everything[slice(None, tested)]


def snippets(seed: int, count: int) -> Split:
    """Whether a review is good: numbers of words (N, 32), 0 pads and 1 is a rare word."""
    pool, test = _snippets()
    return Split(*drawn(pool, seed, count, 1500), test)


# Tasks with numbers: series, cut by time into train, validation and test.


def windows(series: np.ndarray, target: np.ndarray, length: int, ahead: int) -> Examples:
    """Every window of ``length`` rows, and ``target`` ``ahead`` steps after its last row."""
    starts = np.arange(len(series) - length - ahead + 1)
    rows = starts[:, None] + np.arange(length)
    return whole(
        series[rows].astype(np.float32),
        target[starts + length + ahead - 1][:, None].astype(np.float32),
    )


def evenly(part: Examples, count: int) -> Examples:
    """At most ``count`` examples, at even distances."""
    return part[np.linspace(0, len(part) - 1, min(count, len(part))).astype(int)]


@cache
def _series(name: str) -> tuple[tuple[Examples, Examples, Examples], float]:
    """The windows of the three parts of a series, scaled by the first, and that scale."""
    if name == "electricity":
        target = pd.read_csv(DATA / "electricity_hourly.csv")["load_kw"].to_numpy()
        series, ends, length, ahead = target[:, None], (13_000, 17_500), 48, 1
    elif name == "temperature":
        table = pd.read_csv(DATA / "beijing_hourly.csv", parse_dates=["time"])
        hour = table["time"].dt.hour * 2 * np.pi / 24
        columns = [table["temp"], table["dewp"], table["pres"], np.log1p(table["iws"])]
        series = np.stack([*columns, np.sin(hour), np.cos(hour)], axis=1)
        target, ends, length, ahead = table["temp"].to_numpy(float), (26_000, 35_000), 24, 6
    else:
        target = pd.read_csv(DATA / "sunspots_monthly.csv")["sunspots"].to_numpy()
        series, ends, length, ahead = target[:, None], (1500, 2000), 36, 1
    known = slice(None, ends[0])
    series = (series - series[known].mean(0)) / series[known].std(0)
    scale = float(target[known].std())
    target = (target - target[known].mean()) / scale
    cuts = itertools.pairwise((0, *ends, len(series)))
    train, validation, test = (windows(series[a:b], target[a:b], length, ahead) for a, b in cuts)
    return (train, validation, test), scale


def forecast(name: str, seed: int, count: int) -> Split:
    """A series some steps ahead: windows (N, T, D), standardized by the part that trains."""
    (train, validation, test), scale = _series(name)
    drawn_part, _ = drawn(train, seed, count, 0)
    return Split(drawn_part, evenly(validation, 700), evenly(test, 1500), scale)


TEXT = 64


@cache
def _text() -> tuple[Tensor, tuple[str, ...]]:
    text = (DATA / "moby_dick.txt").read_text(encoding="ascii")
    alphabet = tuple(sorted(set(text)))
    number = {character: i for i, character in enumerate(alphabet)}
    return torch.tensor([number[c] for c in text]), alphabet


def moby_dick(seed: int, count: int) -> Split:
    """The next character at each of 64 steps; the book's first 80 % train, its last 10 % test."""
    text, _ = _text()
    pieces = text[: len(text) // (TEXT + 1) * (TEXT + 1)].view(-1, TEXT + 1)
    cuts = int(len(pieces) * 0.8), int(len(pieces) * 0.9)
    pool, validation, test = (
        whole(part[:, :-1], part[:, 1:]) for part in torch.tensor_split(pieces, cuts)
    )
    train, _ = drawn(pool, seed, count, 0)
    return Split(train, evenly(validation, 300), evenly(test, 600))


def adding(seed: int, count: int, delay: int = 50) -> Split:
    """Two marked numbers of a sequence of ``delay`` steps, one in each half: their sum.

    Hochreiter and Schmidhuber (1997), experiment 4, in the form with a fixed length. An epoch
    sees ``count`` sequences, and every epoch the same.
    """

    def draw(number: int, source: torch.Generator) -> Examples:
        value = torch.rand(number, delay, generator=source)
        marker = torch.zeros(number, delay)
        rows = torch.arange(number)
        for start, end in ((0, delay // 2), (delay // 2, delay)):
            marker[rows, torch.randint(start, end, (number,), generator=source)] = 1
        return whole(torch.stack([value, marker], -1), (value * marker).sum(1)[:, None])

    source = torch.Generator().manual_seed(10_000 + seed)
    fixed = torch.Generator().manual_seed(77)
    return Split(draw(count, source), draw(300, source), draw(1000, fixed))


SYMBOLS = 8


def recall(seed: int, count: int, delay: int = 50) -> Split:
    """One of eight symbols, then ``delay`` steps of noise: which symbol was it?

    The copy task of Hochreiter and Schmidhuber (1997) reduced to one symbol, so that nothing but
    the delay makes it hard. Inputs (T, 9): the symbol one-hot at the first step, noise in the
    ninth feature afterward.
    """

    def draw(number: int, source: torch.Generator) -> Examples:
        ys = torch.randint(SYMBOLS, (number,), generator=source)
        xs = torch.zeros(number, delay + 1, SYMBOLS + 1)
        xs[torch.arange(number), 0, ys] = 1
        xs[:, 1:, SYMBOLS] = torch.randn(number, delay, generator=source)
        return whole(xs, ys)

    source = torch.Generator().manual_seed(20_000 + seed)
    fixed = torch.Generator().manual_seed(78)
    return Split(draw(count, source), draw(300, source), draw(1000, fixed))


WRONG, BITS = "% wrong", "bits per character"
# fmt: off
TASKS = {task.name: task for task in (
    Task("vowels", "Who speaks?", "classes", WRONG, vowels,
         outputs=9, count=216, epochs=24, batch=16),
    Task("spoken", "Spoken digits", "classes", WRONG, spoken,
         outputs=10, count=1000, epochs=16, batch=32),
    Task("digits", "Digits, pixel by pixel", "classes", WRONG, digits,
         outputs=10, count=1000, epochs=24, batch=32, delayed="silence"),
    Task("snippets", "Movie reviews", "classes", WRONG, snippets,
         outputs=2, count=6000, epochs=4, batch=64, looks=4, vocabulary=WORDS),
    Task("electricity", "Electricity, one hour ahead", "numbers", "kW", partial(forecast, "electricity"),
         outputs=1, count=3000, epochs=8, batch=64, looks=2),
    Task("temperature", "Temperature, six hours ahead", "numbers", "°C", partial(forecast, "temperature"),
         outputs=1, count=4000, epochs=8, batch=64, looks=2),
    Task("sunspots", "Sunspots, one month ahead", "numbers", "spots", partial(forecast, "sunspots"),
         outputs=1, count=1400, epochs=14, batch=64),
    Task("moby_dick", "Moby Dick, next character", "symbols", BITS, moby_dick,
         outputs=len(_text()[1]), count=6400, epochs=3, batch=64, looks=4, vocabulary=len(_text()[1])),
    Task("adding", "Adding two marked numbers", "numbers", "", adding,
         outputs=1, count=6400, epochs=3, batch=32, looks=8, delayed="delay"),
    Task("recall", "Recall of a symbol", "classes", WRONG, recall,
         outputs=SYMBOLS, count=6400, epochs=3, batch=32, looks=8, delayed="delay"),
)}
# fmt: on
