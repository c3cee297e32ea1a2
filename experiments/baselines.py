"""What is reached without recurrence: a trivial predictor and a tuned simple model for each task.

A baseline gets the training part to fit and the validation part to choose its settings, as a net
does, and is measured on the same test part.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from .aligned import aligned_ngrams, phrases_wrong, says_nothing, symbol_by_symbol, symbols_wrong
from .house_baselines import bag_and_window, most_frequent
from .jobs import DAY, JOBS, WEEK
from .tasks import SYMBOLS, TASKS, WORDS, Examples, Split, Task


def wrong(answers: np.ndarray, part: Examples) -> float:
    """The share of wrong answers, in percent."""
    return 100 * float((answers != part.ys.numpy()).mean())


def off(answers: np.ndarray, part: Examples, scale: float = 1.0) -> float:
    """The root mean square error of answers (N,), in the unit of the task."""
    return scale * float(np.sqrt(((answers - part.ys.numpy().ravel()) ** 2).mean()))


def best_by_validation(found: Iterable[tuple[float, float]]) -> float:
    """Of (validation, test) measures, the test measure where that of validation is lowest."""
    return min(found, key=lambda pair: pair[0])[1]


# Trivial predictors: what a net has to beat to have done anything at all.


def majority(split: Split) -> float:
    """The most frequent class, whatever the input."""
    counts = np.bincount(split.train.ys.numpy().ravel())
    return wrong(np.full(len(split.test), counts.argmax()), split.test)


def last_value(split: Split) -> float:
    """The last value seen."""
    # The target is the first feature some steps ahead, in the same units.
    return off(split.test.xs[:, -1, 0].numpy(), split.test, split.scale)


def mean_value(split: Split) -> float:
    """The mean of the training targets, whatever the input."""
    return off(np.full(len(split.test), float(split.train.ys.mean())), split.test, split.scale)


def frequencies(split: Split) -> float:
    """How frequent each character is, whatever came before."""
    return ngrams(split, orders=(1,))


def guess(split: Split) -> float:
    """A guess."""
    return 100 * (1 - 1 / SYMBOLS)


# Baselines: simple models that are tuned, too.


def resampled(part: Examples, frames: int = 8) -> np.ndarray:
    """Every sequence (T, D) at ``frames`` even distances between its ends, (N, frames * D)."""
    xs, lengths = part.xs.numpy(), part.lengths.numpy()
    at = np.linspace(0, 1, frames)[None] * (lengths[:, None] - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, lengths[:, None] - 1)
    share = (at - low)[:, :, None]
    rows = np.arange(len(xs))[:, None]
    return ((1 - share) * xs[rows, low] + share * xs[rows, high]).reshape(len(xs), -1)


def resampled_frames(split: Split) -> float:
    """Support vectors or logistic regression on eight resampled frames."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    models = [
        *(LogisticRegression(C=c, max_iter=2000) for c in (0.01, 0.1, 1.0)),
        *(SVC(C=c) for c in (1.0, 10.0, 100.0)),
    ]
    parts = [resampled(part) for part in (split.train, split.validation, split.test)]
    found = []
    for model in models:
        fitted = make_pipeline(StandardScaler(), model).fit(parts[0], split.train.ys.numpy())
        found.append((
            wrong(fitted.predict(parts[1]), split.validation), wrong(fitted.predict(parts[2]), split.test),
        ))  # fmt: skip
    return best_by_validation(found)


def pixels(split: Split) -> float:
    """Logistic regression on all pixels at once."""
    from sklearn.linear_model import LogisticRegression

    flat = [part.xs.flatten(1).numpy() for part in (split.train, split.validation, split.test)]
    found = []
    for c in (0.01, 0.1, 1.0, 10.0):
        model = LogisticRegression(C=c, max_iter=2000).fit(flat[0], split.train.ys.numpy())
        found.append(
            (
                wrong(model.predict(flat[1]), split.validation),
                wrong(model.predict(flat[2]), split.test),
            )
        )
    return best_by_validation(found)


def bag(part: Examples):
    """Word counts, a sparse matrix (N, WORDS)."""
    from scipy.sparse import csr_matrix

    rows = np.repeat(np.arange(len(part)), part.xs.shape[1])
    columns = part.xs.flatten().numpy()
    real = columns > 0
    return csr_matrix((np.ones(real.sum()), (rows[real], columns[real])), shape=(len(part), WORDS))


def fitted_bag(split: Split):
    """Logistic regression on word counts, its strength chosen by validation."""
    from sklearn.linear_model import LogisticRegression

    train, validation = bag(split.train), bag(split.validation)
    models = [
        LogisticRegression(C=c, max_iter=2000).fit(train, split.train.ys.numpy())
        for c in (0.03, 0.1, 0.3, 1.0, 3.0)
    ]
    return min(models, key=lambda model: wrong(model.predict(validation), split.validation))


def bag_of_words(split: Split) -> float:
    """Logistic regression on word counts."""
    return wrong(fitted_bag(split).predict(bag(split.test)), split.test)


def ridge_on_words(split: Split) -> float:
    """Ridge regression on the logarithms of word counts."""
    from sklearn.linear_model import Ridge

    bags = [bag(part).log1p() for part in (split.train, split.validation, split.test)]
    found = []
    for strength in 10.0 ** np.arange(-1, 4):
        model = Ridge(strength).fit(bags[0], split.train.ys.numpy().ravel())
        found.append((
            off(model.predict(bags[1]), split.validation),
            off(model.predict(bags[2]), split.test, split.scale),
        ))  # fmt: skip
    return best_by_validation(found)


def linear_or_seasonal(split: Split) -> float:
    """Ridge regression on the whole window, or the value of a day or a year ago."""
    from sklearn.linear_model import Ridge

    flat = [part.xs.flatten(1).numpy() for part in (split.train, split.validation, split.test)]
    found = []
    for strength in 10.0 ** np.arange(-3, 5):
        model = Ridge(strength).fit(flat[0], split.train.ys.numpy().ravel())
        found.append(
            (
                off(model.predict(flat[1]), split.validation),
                off(model.predict(flat[2]), split.test, split.scale),
            )
        )
    for back in range(1, split.test.xs.shape[1] + 1):
        found.append((
            off(split.validation.xs[:, -back, 0].numpy(), split.validation),
            off(split.test.xs[:, -back, 0].numpy(), split.test, split.scale),
        ))  # fmt: skip
    return best_by_validation(found)


def off_by_hour(answers: np.ndarray, part: Examples, scale: float = 1.0) -> float:
    """The root mean square error of answers (N, hours) over all hours, in the unit of the task."""
    return scale * float(np.sqrt(((answers - part.ys.numpy()) ** 2).mean()))


def seasonal(back: int, change: bool, part: Examples) -> np.ndarray:
    """The same hours ``back`` hours ago, (N, hours); as a difference to the day before where asked."""
    load, hours = part.xs[:, :, 0].numpy(), part.ys.shape[1]
    then = load[:, WEEK - back : WEEK - back + hours]
    return then - load[:, WEEK - DAY : WEEK - DAY + hours] if change else then


def last_week(change: bool, split: Split) -> float:
    """The same hours a week ago."""
    return off_by_hour(seasonal(WEEK, change, split.test), split.test, split.scale)


def fitted_ridge(split: Split):
    """Ridge regression on the whole window for two hours or more, its strength chosen by validation."""
    from sklearn.linear_model import Ridge

    train, validation = (part.xs.flatten(1).numpy() for part in (split.train, split.validation))
    models = [Ridge(c).fit(train, split.train.ys.numpy()) for c in 10.0 ** np.arange(-3, 5)]
    return min(models, key=lambda model: off_by_hour(model.predict(validation), split.validation))


def linear_day(split: Split) -> float:
    """Ridge regression on the whole week, one model an hour."""
    answers = fitted_ridge(split).predict(split.test.xs.flatten(1).numpy())
    return off_by_hour(answers, split.test, split.scale)


def mean_change(split: Split) -> float:
    """The last value, and the mean change of the training part."""
    return off(np.full(len(split.test), float(split.train.ys.mean())), split.test, split.scale)


Counts = dict[tuple[int, ...], Counter[int]]


def counted(part: Examples, order: int) -> Counts:
    """What followed each context of ``order`` - 1 characters in the training windows, how often."""
    found: Counts = defaultdict(Counter)
    for x, y in zip(part.xs.tolist(), part.ys.tolist(), strict=True):
        text = [x[0], *y]
        for end in range(order - 1, len(text)):
            found[tuple(text[end - order + 1 : end])][text[end]] += 1
    return found


def bits(part: Examples, tables: list[Counts], size: int) -> float:
    """Bits per character of interpolated n-grams on the targets of a part.

    The estimate of each order is mixed with that of the next lower one, which counts as many times
    as different characters followed the context (Witten and Bell 1991, method C); the lowest is
    mixed with the uniform distribution over ``size`` characters.
    """
    total, count = 0.0, 0
    for x, y in zip(part.xs.tolist(), part.ys.tolist(), strict=True):
        for step, wanted in enumerate(y):
            share = 1 / size
            for order, table in enumerate(tables, start=1):
                start = step + 2 - order
                seen = table.get(tuple(x[start : step + 1])) if start >= 0 else None
                if seen is None:
                    break
                share = (seen[wanted] + len(seen) * share) / (seen.total() + len(seen))
            total, count = total - np.log2(share), count + 1
    return float(total / count)


def ngrams(split: Split, orders: tuple[int, ...] = (3, 4, 5, 6)) -> float:
    """Interpolated counts of the last characters."""
    size = TASKS["moby_dick"].outputs
    tables = [counted(split.train, order) for order in range(1, max(orders) + 1)]
    found = [
        (bits(split.validation, tables[:order], size), bits(split.test, tables[:order], size))
        for order in orders
    ]
    return best_by_validation(found)


def nothing_or_how_often(split: Split) -> float:
    """Bits per frame of a listener who knows how often each class is right, and hears nothing."""
    counts = np.bincount(split.train.ys.flatten().numpy(), minlength=int(split.train.ys.max()) + 1)
    return float(-np.log2(counts / counts.sum())[split.test.ys.numpy()].mean())


HEARD, EVERY = 20, 4  # frames that a window classifier hears; every fourth frame trains it


def recent(xs: np.ndarray) -> np.ndarray:
    """The last 20 frames at every frame, (N, T, D) to (N, T, 20 D); before the first one there are zeros."""
    padded = np.pad(xs, ((0, 0), (HEARD - 1, 0), (0, 0)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, HEARD, axis=1)
    return seen.reshape(*xs.shape[:2], -1)


def fitted_window(split: Split):
    """Logistic regression on the last half second, its strength chosen by validation."""
    from sklearn.linear_model import LogisticRegression

    xs = recent(split.train.xs.numpy())[:, ::EVERY]
    models = [
        LogisticRegression(C=c, max_iter=100).fit(
            xs.reshape(-1, xs.shape[-1]), split.train.ys.numpy()[:, ::EVERY].ravel()
        )
        for c in (0.0003, 0.003)
    ]
    return min(models, key=lambda model: bits_of(model, split.validation))


def bits_of(model, part: Examples) -> float:
    """Bits per frame of a window classifier."""
    xs = recent(part.xs.numpy())
    logs = model.predict_log_proba(xs.reshape(-1, xs.shape[-1]))
    return float(-logs[np.arange(len(logs)), part.ys.flatten().numpy()].mean() / np.log(2))


def window_classifier(split: Split) -> float:
    """Logistic regression on the last half second."""
    return bits_of(fitted_window(split), split.test)


Predictor = Callable[[Split], float]
# For each task: a trivial predictor, and the best that was found without recurrence.
WITHOUT: dict[str, tuple[Predictor, Predictor]] = {
    "vowels": (majority, resampled_frames),
    "spoken": (majority, resampled_frames),
    "digits": (majority, pixels),
    "snippets": (majority, bag_of_words),
    "electricity": (last_value, linear_or_seasonal),
    "temperature": (last_value, linear_or_seasonal),
    "sunspots": (last_value, linear_or_seasonal),
    "moby_dick": (frequencies, ngrams),
    "adding": (mean_value, mean_value),
    "recall": (guess, guess),
    "page": (majority, bag_of_words),
    "padded": (majority, bag_of_words),
    "era": (majority, bag_of_words),
    "year": (mean_value, ridge_on_words),
    "hour": (last_value, linear_or_seasonal),
    "day": (partial(last_week, False), linear_day),
    "day_change": (partial(last_week, True), linear_day),
    "co2_split": (last_value, linear_or_seasonal),
    "co2_scaled": (last_value, linear_or_seasonal),
    "co2_shuffled": (last_value, linear_or_seasonal),
    "co2_change": (mean_change, linear_or_seasonal),
    "known": (majority, resampled_frames),
    "voice_raw": (majority, resampled_frames),
    "voice_centered": (majority, resampled_frames),
    "voice_shifted": (majority, resampled_frames),
    "clips": (nothing_or_how_often, window_classifier),
    "streams": (nothing_or_how_often, window_classifier),
    "numbers": (says_nothing, partial(aligned_ngrams, phrases_wrong)),
    "shorter": (says_nothing, partial(aligned_ngrams, phrases_wrong)),
    **{
        name: (most_frequent, bag_and_window)
        for name in JOBS
        if name.startswith(("house_", "turns_"))
    },
    "sounds": (partial(symbol_by_symbol, symbols_wrong), partial(aligned_ngrams, symbols_wrong)),
}


def without_recurrence(task: Task, seed: int = 0) -> tuple[float, float]:
    """The measures of the trivial predictor and of the baseline on a task's test part."""
    split = task.load(seed, task.count)
    trivial, baseline = WITHOUT[task.name]
    return trivial(split), baseline(split)
