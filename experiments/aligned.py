"""Aligned n-grams: sequences put into others without a net, by a table of what each symbol becomes.

Expectation maximization finds what each symbol read was said as: nothing, or one symbol or more (the
one-to-many alignment of Damper et al. 2005). Then a table holds what a symbol becomes between its
neighbors; where they were never seen together, fewer of them are asked for.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from .tasks import Examples, Split
from .translator import distance, sentences

Pair = tuple[Sequence[int], Sequence[int]]
Chunk = tuple[int, ...]
MOST = 3  # symbols that one symbol may become
ROUNDS = 3
SIDES = (0, 1, 2, 3, 4)  # neighbors looked at on either side, at most


def pairs_of(part: Examples) -> list[Pair]:
    """What is read and what is said, without padding and end."""
    read = [
        row[:length] for row, length in zip(part.xs.tolist(), part.lengths.tolist(), strict=True)
    ]
    return list(zip(read, sentences(part.ys), strict=True))


Shares = dict[tuple[int, Chunk], float]


def forward(pair: Pair, shares: Shares | None, best: bool = False) -> list[list[float]]:
    """For every count of symbols read and said: the probability of getting there, or that of the best way."""
    read, said = pair
    table = [[0.0] * (len(said) + 1) for _ in range(len(read) + 1)]
    table[0][0] = 1.0
    for i, symbol in enumerate(read):
        for j in range(len(said) + 1):
            here = table[i][j]
            for end in range(j, min(j + MOST, len(said)) + 1) if here else ():
                share = 1.0 if shares is None else shares.get((symbol, tuple(said[j:end])), 0.0)
                way = here * share
                table[i + 1][end] = max(table[i + 1][end], way) if best else table[i + 1][end] + way
    return table


def expected(pairs: Iterable[Pair], shares: Shares | None) -> Shares:
    """What each symbol becomes, how often, by the present shares; as shares."""
    counts: dict[int, dict[Chunk, float]] = defaultdict(lambda: defaultdict(float))
    for read, said in pairs:
        ahead = forward((read, said), shares)
        whole = ahead[-1][-1]
        if not whole:
            continue
        after = [0.0] * len(said) + [1.0]
        for i in reversed(range(len(read))):
            now = [0.0] * (len(said) + 1)
            for j in range(len(said) + 1):
                for end in range(j, min(j + MOST, len(said)) + 1):
                    chunk = tuple(said[j:end])
                    share = 1.0 if shares is None else shares.get((read[i], chunk), 0.0)
                    now[j] += share * after[end]
                    if ahead[i][j] and share and after[end]:
                        counts[read[i]][chunk] += ahead[i][j] * share * after[end] / whole
            after = now
    return {
        (symbol, chunk): count / sum(mine.values())
        for symbol, mine in counts.items() for chunk, count in mine.items()
    }  # fmt: skip


def aligned(pair: Pair, shares: Shares) -> list[Chunk] | None:
    """What each symbol became on the likeliest way; None where there is none."""
    read, said = pair
    table = forward(pair, shares, best=True)
    if not table[-1][-1]:
        return None
    found, end = [], len(said)
    for i in reversed(range(len(read))):
        begin = max(
            range(max(0, end - MOST), end + 1),
            key=lambda j: table[i][j] * shares.get((read[i], tuple(said[j:end])), 0.0),
        )
        found.append(tuple(said[begin:end]))
        end = begin
    return found[::-1]


def contexts(read: Sequence[int], at: int, widest: int) -> list[tuple[int, ...]]:
    """A symbol between its neighbors, from many to none; -1 stands for no neighbor."""
    around = [*[-1] * widest, *read, *[-1] * widest]
    sizes = [
        (side, right) for side in range(widest, -1, -1) for right in (side, side - 1) if right >= 0
    ]
    return [(right, *around[at + widest - left : at + widest + right + 1]) for left, right in sizes]


class Table:
    """What a symbol becomes between its neighbors: fitted on the training part."""

    def __init__(self, pairs: Sequence[Pair]):
        shares = None
        for _ in range(ROUNDS):
            shares = expected(pairs, shares)
        assert shares is not None
        self.counts: dict[tuple[int, ...], Counter[Chunk]] = defaultdict(Counter)
        for read, said in pairs:
            for at, chunk in enumerate(aligned((read, said), shares) or ()):
                for context in contexts(read, at, SIDES[-1]):
                    self.counts[context][chunk] += 1

    def say(self, read: Sequence[int], widest: int) -> list[int]:
        """The most frequent chunk of every symbol in the widest context that was seen."""
        said: list[int] = []
        for at in range(len(read)):
            known = (self.counts.get(context) for context in contexts(read, at, widest))
            if seen := next((table for table in known if table), None):
                said += seen.most_common(1)[0][0]
        return said


def answers(table: Table, part: Examples, widest: int) -> list[tuple[list[int], list[int]]]:
    """What the table says of a part, and what is right."""
    return [(table.say(read, widest), list(said)) for read, said in pairs_of(part)]


def phrases_wrong(found: Sequence[tuple[list[int], list[int]]]) -> float:
    """Percent of the answers that are not right as a whole."""
    return 100 * sum(said != right for said, right in found) / len(found)


def symbols_wrong(found: Sequence[tuple[list[int], list[int]]]) -> float:
    """Edit distance over the length of what is right, in percent."""
    return 100 * sum(distance(*pair) for pair in found) / sum(len(right) for _, right in found)


def fitted(split: Split, error) -> tuple[Table, int]:
    """The table of a training part, and how many neighbors validation chose to look at."""
    table = Table(pairs_of(split.train))
    return table, min(SIDES, key=lambda side: error(answers(table, split.validation, side)))


def aligned_ngrams(error, split: Split) -> float:
    """What aligned n-grams reach on the test part."""
    table, widest = fitted(split, error)
    return error(answers(table, split.test, widest))


def symbol_by_symbol(error, split: Split) -> float:
    """What is reached where each symbol always becomes the same."""
    return error(answers(Table(pairs_of(split.train)), split.test, 0))


def says_nothing(split: Split) -> float:
    """Nothing is said, and so everything is wrong."""
    return 100.0
