"""One sequence into another: numbers into German words, and English spelling into sounds.

Number words are cut into pieces, of which some twenty say every number below a million. Which numbers
train, choose and test is drawn by length, so that a part does not consist of six-digit numbers alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from .tasks import DATA, Split, whole

PAD, START, END = 0, 1, 2  # the first symbols of every language that is spoken

UNITS = ("null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")  # fmt: skip
SHORT = {
    2: "zwan",
    6: "sech",
    7: "sieb",
}  # before "zig" and "zehn", where it is not the word itself


def below_hundred(number: int) -> str:
    """The words of 1 to 99 as they stand before another word: "ein", not "eins"."""
    tens, ones = divmod(number, 10)
    if number < len(UNITS):
        return UNITS[number]
    if tens == 1:
        return SHORT.get(ones, UNITS[ones]) + "zehn"
    end = "ßig" if tens == 3 else "zig"
    before = f"{UNITS[ones]}und" if ones else ""
    return before + SHORT.get(tens, UNITS[tens]) + end


def below_thousand(number: int) -> str:
    """The words of 1 to 999; a last "ein" is "eins" unless it is all there is."""
    hundreds, rest = divmod(number, 100)
    words = f"{UNITS[hundreds]}hundert" if hundreds else ""
    if rest:
        words += "eins" if rest == 1 and hundreds else below_hundred(rest)
    return words


def german(number: int) -> str:
    """A number from 0 to 999,999,999 in German words, to the letter as the package num2words 0.5.14 says it.

    That says "einhunderteinstausend", where most speakers say "einhunderteintausend". Raises ValueError
    for any other number.
    """
    if not 0 <= number < 10**9:
        raise ValueError(f"{number} is not between 0 and 999,999,999")
    if number == 0:
        return UNITS[0]
    millions, rest = divmod(number, 10**6)
    thousands, last = divmod(rest, 1000)
    words = f"{below_thousand(thousands)}tausend" if thousands else ""
    words += "eins" if last == 1 else below_thousand(last) if last else ""
    if not millions:
        return words
    head = "eine Million" if millions == 1 else f"{below_thousand(millions)} Millionen"
    return f"{head} {words}".strip()


CUT = re.compile("(hundert|tausend|zehn|zig|ßig|und|Millionen|Million| )")


def pieces(words: str) -> list[str]:
    """Number words cut at what joins them: "dreiundzwanzig" is drei, und, zwan, zig."""
    return [piece for piece in CUT.split(words) if piece.strip()]


@dataclass(frozen=True)
class Language:
    """The symbols of a task: those read, from number 1 on, and those spoken, from number 3 on."""

    read: tuple[str, ...]
    spoken: tuple[str, ...]
    longest: int  # how many symbols may be spoken

    def numbers(self, symbols: Sequence[str]) -> list[int]:
        """What is read, as numbers."""
        return [self.read.index(symbol) + 1 for symbol in symbols]

    def said(self, numbers: Sequence[int]) -> list[str]:
        """What was spoken up to the end, as symbols."""
        found = [*numbers, END]
        return [self.spoken[n - 3] for n in found[: found.index(END)] if n > END]

    def part(self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]], width: int, steps: int):
        """Examples of pairs: xs (N, ``width``) and ys (N, ``steps``) int64, the end in ys, 0 after it."""
        place = {symbol: number + 3 for number, symbol in enumerate(self.spoken)}
        xs, ys = np.zeros((len(pairs), width), np.int64), np.zeros((len(pairs), steps), np.int64)
        lengths = np.array([len(read) for read, _ in pairs])
        for row, (read, spoken) in enumerate(pairs):
            xs[row, : len(read)] = self.numbers(read)
            ys[row, : len(spoken) + 1] = [*(place[symbol] for symbol in spoken), END]
        return whole(xs, ys, lengths)


# Numbers.

DIGITS = 6  # the longest number of the training part
GERMAN = Language(
    tuple("0123456789"),
    tuple(sorted({piece for number in range(2001) for piece in pieces(german(number))})), 24,
)  # fmt: skip
STEPS = 14  # the longest has 13 pieces, and the end
TESTED = {2: 20, 3: 150, 4: 250, 5: 250, 6: 250}
CHOOSING = {2: 10, 3: 50, 4: 80, 5: 80, 6: 80}
# How many of 3000 training numbers have one digit, two, three; the rest is shared by the longer ones.
FEW = {1: 10, 2: 60, 3: 500}


def pair(number: int) -> tuple[str, list[str]]:
    """Digits and pieces."""
    return str(number), pieces(german(number))


@cache
def tested(digits: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of so many digits that test, and all others; the same for every seed."""
    low = 10 ** (digits - 1) if digits > 1 else 0
    order = low + np.random.default_rng(70_000 + digits).permutation(10**digits - low)
    return order[:count], order[count:]


def numbers(longest: int, seed: int, count: int) -> Split:
    """Numbers of up to ``longest`` digits and their words: xs (N, 6), ys (N, 14).

    The test part has numbers of up to six digits, whatever trains.
    """
    source = np.random.default_rng(71_000 + seed)
    lengths = range(1, longest + 1)
    longer = [digits for digits in lengths if digits not in FEW]
    share = -(-(3000 - sum(FEW.values())) // len(longer))
    train, validation, test = [], [], []
    for digits in lengths:
        mine, rest = tested(digits, TESTED.get(digits, 0))
        rest = rest[source.permutation(len(rest))]
        choosing, fitted = CHOOSING.get(digits, 0), FEW.get(digits, share)
        validation += rest[:choosing].tolist()
        train += rest[choosing : choosing + fitted].tolist()
        test += mine.tolist()
    if longest < DIGITS:
        test = [
            number for digits in TESTED for number in tested(digits, TESTED[digits])[0].tolist()
        ]
    train = [train[row] for row in source.permutation(len(train))]

    def part(chosen: list[int]):
        return GERMAN.part([pair(number) for number in chosen], DIGITS, STEPS)

    return Split(part(train[:count]), part(validation), part(test))


@cache
def unseen(digits: int, count: int = 200) -> tuple[int, ...]:
    """Numbers of a length that never trains."""
    drawn = np.random.default_rng(72_000).integers(10 ** (digits - 1), 10**digits, count)
    return tuple(drawn.tolist())


# Spelling.

VALIDATION_WORDS = 500


@cache
def spellings() -> pd.DataFrame:
    """One row a word: ``split`` (train or test), ``word``, ``phones``."""
    return pd.read_csv(DATA / "cmudict_small.tsv", sep="\t", keep_default_na=False)


@cache
def english() -> Language:
    """26 letters, 39 phones."""
    phones = sorted(set(" ".join(spellings()["phones"]).split()))
    return Language(tuple("abcdefghijklmnopqrstuvwxyz"), tuple(phones), 24)


LETTERS, PHONES = 10, 16


def sounds(seed: int, count: int) -> Split:
    """English words and their phones: xs (N, 10), ys (N, 16); the data's own test part."""
    table = spellings()
    every = list(zip(table["word"], table["phones"].str.split(), strict=True))
    whole_part = english().part(every, LETTERS, PHONES)
    test = (table["split"] == "test").to_numpy()
    order = np.random.default_rng(73_000 + seed).permutation(np.flatnonzero(~test))
    return Split(
        whole_part[order[VALIDATION_WORDS:][:count]], whole_part[order[:VALIDATION_WORDS]],
        whole_part[np.flatnonzero(test)],
    )  # fmt: skip
