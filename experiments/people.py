"""What people reach on the reviews: one rater asked what the others say.

The reviews were rated from -4 to 4 by 15 to 29 people each (Hutto and Gilbert 2014). A review counts
as good if its mean rating is above zero.
"""

from functools import cache

import numpy as np

from .tasks import DATA

NONE = -9  # where a rating is missing
TESTED = 2600  # how many reviews, in the drawn order, are the test part of the task


@cache
def ratings() -> np.ndarray:
    """All single ratings, (10603, 29) float64, row by row of `movie_snippets.tsv`; NaN where there is none."""
    with np.load(DATA / "movie_ratings.npz") as file:
        values = file["ratings"].astype(float)
    values[values == NONE] = np.nan
    return values


def one_against_others(rows: np.ndarray | None = None) -> np.ndarray:
    """How often a rater disagrees with the sign of all the others' mean, in percent, for each review.

    ``rows`` are the reviews asked about, all if nothing is said. A rating of 0 takes no side and
    counts as half a mistake. Returns (rows,) float64.
    """
    values = ratings() if rows is None else ratings()[rows]
    count = np.isfinite(values).sum(1, keepdims=True)
    others = (np.nansum(values, 1, keepdims=True) - values) / (count - 1)
    good = others > 0
    wrong = np.where(values == 0, 0.5, (values > 0) != good)
    return 100 * np.nanmean(np.where(np.isfinite(values), wrong, np.nan), 1)


def tested_reviews() -> np.ndarray:
    """The rows of the reviews in the test part, in its order, (2600,)."""
    return np.random.default_rng(0).permutation(len(ratings()))[:TESTED]
