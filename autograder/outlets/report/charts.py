"""Where the marks of a chart stand: across in percent of the page, down in pixels.

Letters are in pixels too, so that a phone can read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10
from statistics import median

from autograder.outlets.report.words import number

MOST_BARS = 14
"""Bars of the histogram, which have to fit a phone with a number over each."""

LEFT, WIDE = 2.0, 96.0
"""Where the axis of a chart begins, and how long it is."""

GROUND, HIGH = 210, 150
"""Where the bars of the histogram stand, and how tall the tallest is."""


@dataclass(frozen=True)
class Piece:
    """A part of a line, with the class of its color."""

    tone: str
    at: float
    share: float


def line(shares: Iterable[tuple[float, str]]) -> list[Piece]:
    """Shares in percent one after the other. The numbers beside the line say the same."""
    at, pieces = 0.0, []
    for share, tone in shares:
        if share > 0:
            pieces.append(Piece(tone, at, share))
        at += share
    return pieces


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram."""

    found: int
    x: float
    width: float
    tall: float

    @property
    def middle(self) -> float:
        """Where the number over it stands."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Histogram:
    """How many submissions have how many points."""

    maximum: float
    bars: tuple[Bar, ...]
    edges: tuple[tuple[float, float], ...]
    """where each edge stands, and how many points it means"""
    median: float
    median_at: float
    median_top: float
    """the lower end of its line, above the number over the bars that it falls on"""
    said: str
    """all of it as text"""
    left: float = LEFT
    right: float = LEFT + WIDE
    ground: int = GROUND

    @property
    def side(self) -> str:
        """On which side of its line the median is written."""
        return "end" if self.median > self.maximum / 2 else "start"


def histogram(scores: Sequence[float], maximum: float) -> Histogram:
    """The histogram of ``scores``, of which there is one at least, each from 0 to ``maximum``."""
    count = _bins(maximum)
    found = [0] * count
    for score in scores:
        found[min(int(score * count / maximum + 1e-9), count - 1)] += 1
    edges = [maximum * n / count for n in range(count + 1)]
    unit, width, most = WIDE / maximum, WIDE / count, max(found)
    bars = tuple(
        Bar(f, LEFT + width * n, width, max(HIGH * f / most, 2)) for n, f in enumerate(found) if f
    )
    middle = median(scores)
    top = max(
        found[max(int(middle / maximum * count - 1e-9), 0)],
        found[min(int(middle / maximum * count + 1e-9), count - 1)],
    )
    said = "; ".join(
        f"{number(edges[n])} to {'' if n == count - 1 else 'less than '}{number(edges[n + 1])} points: {f}"
        for n, f in enumerate(found)
    )
    return Histogram(
        maximum,
        bars,
        tuple((LEFT + unit * edge, edge) for edge in edges),
        middle,
        LEFT + unit * middle,
        GROUND - HIGH * top / most - 22,
        said,
    )


def _bins(maximum: float) -> int:
    """Into how many equal bars 0 to ``maximum`` is cut: at edges that read well, if there are such."""
    for step in (0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 10, 20, 25, 50, 100):
        count = maximum / step
        if 5 <= count <= MOST_BARS and count == round(count):
            return round(count)
    return 10


def on_log_scale(value: float, lowest: float, highest: float) -> float:
    """Where a time stands on the logarithmic scale that all strips of a table share."""
    span = log10(highest / lowest) or 1.0
    return LEFT + WIDE * (log10(max(value, lowest) / lowest) / span)
