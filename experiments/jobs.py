"""The tasks of part V, where a reader arrives with data of their own.

They are tasks like those of the trial (see `tasks`), added after it: reviews as other programs read
them, texts long enough to matter, a day of electricity from a week of it, a series that rises, and spoken digits (see `speech`).
"""

import itertools
from functools import cache, partial

import numpy as np
import pandas as pd

from . import house, speech, translation
from .tasks import (
    DATA,
    TASKS,
    WORDS,
    WRONG,
    Examples,
    Split,
    Task,
    drawn,
    evenly,
    snippets,
    whole,
    windows,
)
from .translator import translating, wrong_sentences, wrong_symbols

# What the net on the page knows: the most frequent words, so that it fits into the page.
PAGE_WORDS = 1600
FRAME_BITS = "bits per frame"
WRONG_PHRASES, PHONE_ERROR = "% of the phrases wrong", "% of the phones wrong"
WRONG_SENTENCES, WRONG_TURNS = "% of the sentences wrong", "% of the turns wrong"
PADDED = 100  # how many words the notes' model reads, however many a review has


def page_reviews(seed: int, count: int) -> Split:
    """The reviews of the trial with a smaller vocabulary: any other word is number 1."""

    def smaller(part: Examples) -> Examples:
        return Examples(part.xs.where(part.xs < PAGE_WORDS, 1), part.lengths, part.ys)

    split = snippets(seed, count)
    return Split(smaller(split.train), smaller(split.validation), smaller(split.test))


def padded_reviews(seed: int, count: int) -> Split:
    """The reviews filled up with zeros to 100 words and read to the very end, as without a mask."""

    def longer(part: Examples) -> Examples:
        xs = part.xs.new_zeros(len(part), PADDED)
        xs[:, : part.xs.shape[1]] = part.xs
        return whole(xs, part.ys)

    split = snippets(seed, count)
    return Split(longer(split.train), longer(split.validation), longer(split.test))


# Long texts: passages of addresses to the Congress of the United States.

ADDRESS_WORDS, ADDRESS_LENGTH = 4000, 250
MIDDLE = 1978  # about as many passages before as since


@cache
def addresses() -> pd.DataFrame:
    """One row a passage, in the order of time; ``words``: its first 250 words in lower case."""
    table = pd.read_csv(DATA / "addresses.tsv", sep="\t", quoting=3)
    table["words"] = table["text"].str.lower().str.findall(r"[a-z']+").str[:ADDRESS_LENGTH]
    table["address"] = table["year"].astype(str) + " " + table["president"]
    return table


def in_numbers(words: pd.Series, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of words (N, 250) and lengths (N,); the vocabulary is that of the rows ``known``."""
    counts = words[known].explode().value_counts()
    number = {word: place + 2 for place, word in enumerate(counts.index[: ADDRESS_WORDS - 2])}
    xs = np.zeros((len(words), ADDRESS_LENGTH), np.int64)  # 0 pads, 1 is a rare word
    for row, passage in enumerate(words):
        xs[row, : len(passage)] = [number.get(word, 1) for word in passage]
    return xs, words.str.len().to_numpy().astype(np.int64)


def passages(label: str, seed: int, count: int) -> Split:
    """Passages of 250 words, and when they were spoken.

    ``label``: "era" (1 since 1978, 0 before) or "year" (a number, standardized). No two parts share
    an address. The test part is the same for every seed, the vocabulary that of everything else.
    """
    table = addresses()
    years = table["year"].to_numpy(float)
    names = np.random.default_rng(5).permutation(sorted(set(table["address"])))
    held, rest = np.split(names, [round(len(names) / 5)])
    rest = np.random.default_rng(50_000 + seed).permutation(rest)
    test = table["address"].isin(held).to_numpy()
    validation = table["address"].isin(rest[: round(len(rest) / 5)]).to_numpy()
    xs, lengths = in_numbers(table["words"], ~test)
    scale, ys = 1.0, (years >= MIDDLE).astype(np.int64)
    if label == "year":
        scale = float(years[~test].std())
        ys = ((years - years[~test].mean()) / scale)[:, None].astype(np.float32)
    everything = whole(xs, ys, lengths)
    train, _ = drawn(everything[np.flatnonzero(~test & ~validation)], seed, count, 0)
    return Split(
        train, everything[np.flatnonzero(validation)], everything[np.flatnonzero(test)], scale
    )


# Electricity, from a whole week.

WEEK, DAY = 168, 24
LOAD_CUTS = (13_000, 17_500)  # hours that train, hours that choose; as in the trial


@cache
def load_kw() -> np.ndarray:
    """The hourly load in kW, (26304,)."""
    return pd.read_csv(DATA / "electricity_hourly.csv")["load_kw"].to_numpy()


def next_hours(hours: int, change: bool, seed: int, count: int) -> Split:
    """The load of the next hours from a week of it: xs (N, 168, 1), ys (N, ``hours``).

    ``change``: asked is the difference to the same hour of the day before.
    """
    load = load_kw()
    known = load[: LOAD_CUTS[0]]
    scale = float(known.std())
    series = (load - known.mean()) / scale
    parts = []
    for begin, end in itertools.pairwise((0, *LOAD_CUTS, len(series))):
        part = series[begin:end]
        ys = np.lib.stride_tricks.sliding_window_view(part[WEEK:], hours)
        xs = np.lib.stride_tricks.sliding_window_view(part, WEEK)[: len(ys)]
        if change:
            ys = ys - xs[:, WEEK - DAY : WEEK - DAY + hours]
        parts.append(whole(xs[:, :, None].astype(np.float32), ys.astype(np.float32)))
    train, _ = drawn(parts[0], seed, count, 0)
    return Split(train, evenly(parts[1], 600), evenly(parts[2], 1500), scale)


# A series that rises: carbon dioxide at Mauna Loa, and what a careless split makes of it.

YEAR, CO2_CUTS = 52, (1300, 1700)


@cache
def co2() -> np.ndarray:
    """Weekly carbon dioxide in ppm, (2284,); missing weeks lie on a line between their neighbors."""
    return pd.read_csv(DATA / "co2_weekly.csv")["co2"].interpolate().to_numpy()


def next_week(care: str, seed: int, count: int) -> Split:
    """Next week's carbon dioxide from a year of it: xs (N, 52, 1), ys (N, 1).

    ``care``: "split" (cut by time, scaled by the training part), "scaled" (scaled by the whole
    series, then cut by time), "shuffled" (scaled by the whole series, windows drawn at random), or
    "change" (as "split", and asked is the difference to the last week).
    """
    series = co2()
    known = series if care in ("scaled", "shuffled") else series[: CO2_CUTS[0]]
    scale = float(known.std())
    series = (series - known.mean()) / scale
    if care == "shuffled":
        everything = windows(series[:, None], series, YEAR, 1)
        order = np.random.default_rng(5).permutation(len(everything))
        parts = [everything[rows] for rows in np.split(order, CO2_CUTS)]
    else:
        cuts = itertools.pairwise((0, *CO2_CUTS, len(series)))
        parts = [windows(series[a:b, None], series[a:b], YEAR, 1) for a, b in cuts]
    if care == "change":
        parts = [Examples(p.xs, p.lengths, p.ys - p.xs[:, -1]) for p in parts]
    train, _ = drawn(parts[0], seed, count, 0)
    return Split(train, parts[1], parts[2], scale)


# fmt: off
JOBS = {task.name: task for task in (
    Task("page", "Movie reviews, small vocabulary", "classes", WRONG, page_reviews,
         outputs=2, count=6000, epochs=4, batch=64, looks=4, vocabulary=PAGE_WORDS),
    Task("padded", "Movie reviews, padded to 100", "classes", WRONG, padded_reviews,
         outputs=2, count=6000, epochs=4, batch=64, looks=4, vocabulary=WORDS),
    Task("era", "Addresses: before or since 1978", "classes", WRONG, partial(passages, "era"),
         outputs=2, count=700, epochs=10, batch=32, looks=2, vocabulary=ADDRESS_WORDS),
    Task("year", "Addresses: which year", "numbers", "years", partial(passages, "year"),
         outputs=1, count=700, epochs=10, batch=32, looks=2, vocabulary=ADDRESS_WORDS),
    Task("hour", "Electricity, the next hour", "numbers", "kW", partial(next_hours, 1, False),
         outputs=1, count=3000, epochs=10, batch=64, looks=2),
    Task("day", "Electricity, the next 24 hours", "numbers", "kW", partial(next_hours, DAY, False),
         outputs=DAY, count=3000, epochs=10, batch=64, looks=2),
    Task("day_change", "Electricity, the change of 24 hours", "numbers", "kW", partial(next_hours, DAY, True),
         outputs=DAY, count=3000, epochs=10, batch=64, looks=2),
    *(Task(f"co2_{care}", f"Carbon dioxide, {title}", "numbers", "ppm", partial(next_week, care),
           outputs=1, count=1200, epochs=20, batch=64)
      for care, title in (("split", "split, then scaled"), ("scaled", "scaled, then split"),
                          ("shuffled", "windows shuffled"), ("change", "asked for the change"))),
    Task("known", "Spoken digits, known voices", "classes", WRONG, partial(speech.words, False, "raw"),
         outputs=speech.DIGITS, count=2000, epochs=12, batch=32),
    *(Task(f"voice_{features}", f"Spoken digits, {title}", "classes", WRONG, partial(speech.words, True, features),
           outputs=speech.DIGITS, count=count, epochs=24_000 // count, batch=32)
      for features, title, count in (("raw", "another voice", 2000), ("centered", "another voice, means off", 2000),
                                     ("shifted", "another voice, trained with shifts", 8000))),
    *(Task(name, f"Listening, trained on {title}", "symbols", FRAME_BITS, partial(speech.streams, steps),
           outputs=speech.DIGITS + 1, count=count, epochs=10, batch=batch)
      for name, title, steps, count, batch in (("clips", "single words", speech.CLIP, 2288, 36),
                                               ("streams", "streams", speech.STREAM, 1000, 16))),
    *(Task(name, f"Numbers into German words, {title}", "own", WRONG_PHRASES, partial(translation.numbers, longest),
           outputs=len(translation.GERMAN.spoken), count=3000, epochs=12, batch=64,
           own=translating(translation.GERMAN, wrong_sentences))
      for name, title, longest in (("numbers", "up to six digits", 6), ("shorter", "trained up to five digits", 5))),
    Task("sounds", "Spelling to sound", "own", PHONE_ERROR, translation.sounds,
         outputs=len(translation.english().spoken), count=4000, epochs=8, batch=64,
         own=translating(translation.english(), wrong_symbols)),
    *(Task(f"house_{form}", f"A house, names never seen: {title}", "own", WRONG_SENTENCES, partial(house.house, form),
           outputs=len(house.labels()), count=4000, epochs=6, batch=32, own=house.tagging())
      for form, title in (("words", "words"), ("hidden", "names hidden in training"), ("letters", "letters"),
                          ("listed", "names looked up"), ("mended", "looked up and hidden"))),
    *(Task(name, f"A house, the second turn, state {title}", "own", WRONG_TURNS, house.turns,
           outputs=len(house.labels()), count=4000, epochs=6, batch=32, own=house.tagging(carry))
      for name, title, carry in (("turns_carried", "carried", True), ("turns_reset", "reset", False))),
)}
# fmt: on


def task_named(name: str) -> Task:
    """A task of the trial or of part V."""
    return TASKS.get(name) or JOBS[name]
