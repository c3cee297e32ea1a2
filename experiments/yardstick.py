"""The yardstick: what a difference between two models is called, and how far the name can be trusted.

Two models are compared seed by seed. The difference has an interval and a margin, and so one of
four names: *equivalent* (the whole interval lies within the margin), *better* or *worse* (it lies
on one side of zero), or *undecided*. Who is undecided gets more seeds, up to a budget.

The interval may be looked at after 12, 24 and 36 seeds. So that three looks together err no more
often than one would, each has a third of the five percent (Bonferroni).
"""

import math
from dataclasses import dataclass

import numpy as np

EQUIVALENT, BETTER, WORSE, UNDECIDED = "equivalent", "better", "worse", "undecided"
WORDS = (EQUIVALENT, BETTER, WORSE)
LOOKS = (12, 24, 36)
ERROR = 0.05
LEVEL = 1 - ERROR / len(LOOKS)
# The margin of a measure: this share of the way from the trivial predictor to the best known.
SHARE = 0.02
# Where solved runs are counted: a quarter of the runs. Where times are compared: a tenth.
SOLVED_MARGIN = 0.25
RATIO_MARGIN = math.log(1 / 0.9)


def named(low: float, high: float, margin: float) -> str:
    """The name of a difference with this interval; below zero the first model is better."""
    if -margin < low and high < margin:
        return EQUIVALENT
    if high < 0:
        return BETTER
    return WORSE if low > 0 else UNDECIDED


@dataclass(frozen=True)
class Comparison:
    """One model's measure against another's, a value for each seed; less is better.

    ``margin`` is in the unit of the measure.
    """

    name: str
    first: tuple[float, ...]
    second: tuple[float, ...]
    margin: float

    def __post_init__(self):
        if len(self.first) != len(self.second) or len(self.first) < 2:
            raise ValueError(
                f"{self.name}: two or more pairs are needed, not {len(self.first)} and {len(self.second)}"
            )

    @property
    def each(self) -> np.ndarray:
        """First minus second for every seed."""
        return np.array(self.first) - np.array(self.second)

    @property
    def mean(self) -> float:
        """The mean difference, in the unit of the measure."""
        return float(self.each.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the mean difference: Student's t over the pairs, at the level of a look."""
        from scipy import stats

        if np.ptp(self.each) == 0:
            return self.mean, self.mean
        found = stats.ttest_rel(self.first, self.second).confidence_interval(LEVEL)
        return float(found.low), float(found.high)

    @property
    def outcome(self) -> str:
        """One of the four names."""
        return named(*self.interval, self.margin)

    @property
    def in_margins(self) -> tuple[float, float, float]:
        """Mean, lower and upper end of the interval, in margins."""
        low, high = self.interval
        return self.mean / self.margin, low / self.margin, high / self.margin

    def seeds_needed(self, most: int = 100_000) -> int:
        """How many seeds it would take if mean and spread stayed as they are (at most ``most``).

        An interval around this mean gets a name as soon as it is short enough to leave out
        either zero or the nearer end of the margin.
        """
        from scipy import stats

        spread = float(self.each.std(ddof=1))
        reach = max(abs(self.mean), self.margin - abs(self.mean))
        count = len(self.each)
        while (
            count < most and stats.t.ppf((1 + LEVEL) / 2, count - 1) * spread / count**0.5 >= reach
        ):
            count += max(1, count // 50)
        return count


@dataclass(frozen=True)
class Proportions(Comparison):
    """Shares of runs that fail, 1 for a run that fails and 0 for one that succeeds."""

    @property
    def interval(self) -> tuple[float, float]:
        """Newcombe's interval of the difference of two shares; that of no difference has a width, too."""
        from statsmodels.stats.proportion import confint_proportions_2indep

        low, high = confint_proportions_2indep(
            sum(self.first), len(self.first), sum(self.second), len(self.second),
            compare="diff", method="newcomb", alpha=1 - LEVEL,
        )  # fmt: skip
        return float(low), float(high)
