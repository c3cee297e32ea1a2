"""Points as numbers: rounded here and nowhere else, so that they are the same wherever they stand."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum


def rounded(points: float) -> float:
    """The points to two decimals, the float nearest to them: all that a grade keeps of a share."""
    return round(points, 2)


def total(points: Iterable[float]) -> float:
    """The sum of points, in whatever order they come, to two decimals."""
    return rounded(fsum(points))
