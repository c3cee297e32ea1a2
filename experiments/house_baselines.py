"""What is reached on the house without recurrence: a bag of bigrams for the intent, a window for each slot."""

from collections.abc import Iterator

import numpy as np

from .house import END, NONE, PAD, House
from .tasks import Examples, Split

AROUND = 2  # words on either side that a window sees
STRENGTHS = (0.1, 1.0)

Token = tuple[int, ...]  # a word's number, or those of its pieces: one feature in either case
Features = set[str]


def tokens(turn: np.ndarray) -> list[Token]:
    """The words of one turn, (T,) or (T, pieces), without its end mark."""
    rows = turn.reshape(len(turn), -1)
    return [tuple(row[row != PAD].tolist()) for row in rows if row[0] not in (PAD, END)]


def read(part: Examples) -> Iterator[tuple[list[Token], list[Token], list[int]]]:
    """Every turn that is asked for: the words before it, its own, and the answers with the intent last."""
    two_turns = part.ys.ndim == 3
    for xs, ys in zip(part.xs.numpy(), part.ys.numpy(), strict=True):
        before: list[Token] = []
        for turn, asked in zip(xs, ys, strict=True) if two_turns else ((xs, ys),):
            words = tokens(turn)
            if asked[0] != NONE:
                yield before, words, asked[: len(words) + 1].tolist()
            before = words


def bag(before: list[Token], words: list[Token]) -> Features:
    """Words and pairs of words, those of the turn before marked as such."""
    return {
        f"{mark}{k}" for mark, said in (("b", before), ("", words))
        for k in (*said, *zip(said, said[1:], strict=False))
    }  # fmt: skip


def window(before: list[Token], words: list[Token], at: int) -> Features:
    """The word at a place and its neighbors, each with its distance, and the words of the turn before."""
    near = range(max(0, at - AROUND), min(len(words), at + AROUND + 1))
    found = {f"{k - at}:{words[k]}" for k in near}
    return (
        found | {f"b{word}" for word in before} | {f"first:{at == 0} last:{at == len(words) - 1}"}
    )


class Linear:
    """A linear support vector classifier of sets of features."""

    def __init__(self, strength: float):
        from sklearn.svm import LinearSVC

        self.model, self.columns = LinearSVC(C=strength, random_state=0), dict[str, int]()

    def matrix(self, rows: list[Features]):
        """One row for each set of features; a feature that did not train has no column."""
        from scipy.sparse import csr_array

        found = [[self.columns[name] for name in row if name in self.columns] for row in rows]
        ends = np.cumsum([0, *map(len, found)], dtype=np.int32)
        columns = np.fromiter((column for row in found for column in row), np.int32)
        return csr_array(
            (np.ones(len(columns), np.float32), columns, ends), (len(rows), len(self.columns))
        )

    def fit(self, rows: list[Features], ys: list[int]) -> None:
        """Learn which class each set has."""
        for name in (name for row in rows for name in row):
            self.columns.setdefault(name, len(self.columns))
        self.model.fit(self.matrix(rows), ys)

    def predict(self, rows: list[Features]) -> list[int]:
        """The class of each set."""
        return self.model.predict(self.matrix(rows)).tolist()


class BagAndWindow:
    """Two linear classifiers: one for the intent of a turn, one for the tag of each of its words."""

    def __init__(self, train: Examples, strength: float):
        said = list(read(train))
        self.intent, self.tag = Linear(strength), Linear(strength)
        self.intent.fit([bag(b, w) for b, w, _ in said], [ys[-1] for *_, ys in said])
        self.tag.fit(
            [window(b, w, k) for b, w, _ in said for k in range(len(w))],
            [y for *_, ys in said for y in ys[:-1]],
        )

    def right(self, part: Examples) -> np.ndarray:
        """For every turn that is asked for, whether the intent is right and whether all slots are, (N, 2)."""
        said = list(read(part))
        intents = self.intent.predict([bag(b, w) for b, w, _ in said])
        tags = iter(self.tag.predict([window(b, w, k) for b, w, _ in said for k in range(len(w))]))
        return np.array([
            (intent == ys[-1], all([next(tags) == y for y in ys[:-1]]))
            for intent, (_, _, ys) in zip(intents, said, strict=True)
        ])  # fmt: skip

    def wrong(self, part: Examples) -> float:
        """Percent of the turns that are not wholly right."""
        return 100 * float(1 - self.right(part).all(1).mean())


def fitted(split: Split) -> BagAndWindow:
    """The two classifiers, their strength chosen by validation."""
    models = [BagAndWindow(split.train, strength) for strength in STRENGTHS]
    return min(models, key=lambda model: model.wrong(split.validation))


def bag_and_window(split: Split) -> float:
    """Percent of the test part that is not wholly right."""
    return fitted(split).wrong(split.test)


def most_frequent(split: Split) -> float:
    """Percent wrong of who always says the most frequent intent, and no slot."""
    frequent = np.bincount([ys[-1] for *_, ys in read(split.train)]).argmax()
    right = [ys[-1] == frequent and not any(ys[:-1]) for *_, ys in read(split.test)]
    return 100 * float(1 - np.mean(right))


def by_part(split: House, name: str) -> dict[str, tuple[float, ...]]:
    """Percent wrong of the two classifiers on every part that tests: wholly, in the intent, in a slot.

    ``name``: what the test part is called.
    """
    model, found = fitted(split), {}
    for part, examples in {name: split.test, **split.others}.items():
        right = model.right(examples)
        found[part] = tuple(
            float(100 * (1 - r.mean())) for r in (right.all(1), right[:, 0], right[:, 1])
        )
    return found
