"""The yardstick: intervals by hand, four names, and that it errs as seldom as it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import validation
from experiments.yardstick import (
    BETTER,
    EQUIVALENT,
    ERROR,
    LOOKS,
    UNDECIDED,
    WORSE,
    Comparison,
    Proportions,
    named,
)

NUMBERS = st.floats(-100, 100, allow_nan=False)


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        (-0.9, 0.9, EQUIVALENT), (0.1, 0.9, EQUIVALENT), (-0.9, -0.1, EQUIVALENT), (0.1, 1.1, WORSE), (1.2, 3, WORSE),
        (-1.1, -0.1, BETTER), (-3, -2, BETTER), (-1.1, 0.5, UNDECIDED), (-0.5, 1.0, UNDECIDED), (-2, 2, UNDECIDED),
        (0.0, 1.5, UNDECIDED),
    ],
)  # fmt: skip
def test_four_names(low, high, name):
    assert named(low, high, 1.0) == name


def test_the_interval_is_that_of_student_at_the_level_of_a_look():
    """Differences -1, 0, 1, 2: mean 0.5, standard error 0.6455; t(3) at 1 - 0.05/6 is 4.8567."""
    low, high = Comparison("x", (0, 1, 2, 3), (1, 1, 1, 1), 2.0).interval
    assert (low, high) == pytest.approx((0.5 - 3.1350, 0.5 + 3.1350), abs=1e-3)


def test_newcombe_by_hand():
    """0 of 12 against 0 of 12: Wilson's upper end is z^2 / (n + z^2), z = 2.394."""
    low, high = Proportions("x", (0.0,) * 12, (0.0,) * 12, 0.25).interval
    assert high == pytest.approx(2.394**2 / (12 + 2.394**2), abs=1e-3) == -low


def test_nobody_is_equivalent_from_twelve_seeds_that_all_succeed():
    for count, name in zip(LOOKS, (UNDECIDED, EQUIVALENT, EQUIVALENT), strict=True):
        assert Proportions("x", (0.0,) * count, (0.0,) * count, 0.25).outcome == name


@settings(deadline=None)  # the first call imports SciPy
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=12), st.floats(0.1, 50))
def test_turning_a_comparison_around_turns_its_name_around(pairs, margin):
    one, other = zip(*pairs, strict=True)
    there, back = Comparison("x", one, other, margin), Comparison("x", other, one, margin)
    assert back.outcome == {BETTER: WORSE, WORSE: BETTER}.get(there.outcome, there.outcome)
    assert back.mean == pytest.approx(-there.mean)
    low, high = there.interval
    assert low <= there.mean + 1e-9 and there.mean <= high + 1e-9


def test_the_simulation_names_as_the_comparison_does():
    source = np.random.default_rng(0)
    each = source.normal(
        source.choice([0, 1, 2], (200, 1)), source.uniform(0.2, 4, (200, 1)), (200, LOOKS[-1])
    )
    found = validation.names(each, 1.0)
    for row, name in zip(each, found, strict=True):
        looks = [Comparison("x", tuple(row[:n]), (0.0,) * n, 1.0).outcome for n in LOOKS]
        assert name == next((look for look in looks if look != UNDECIDED), UNDECIDED)
    assert set(found) == {EQUIVALENT, BETTER, WORSE, UNDECIDED}


@pytest.mark.parametrize("spread", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("shape", ["normal", "skewed", "two lumps"])
def test_it_errs_as_seldom_as_it_says(spread, shape):
    """Without a difference no side is named, and with one of a margin nobody is called equivalent."""
    source = np.random.default_rng(1)
    values = {
        "normal": source.normal(size=500), "skewed": source.exponential(size=500),
        "two lumps": source.choice([-1.0, 1.0], 500),
    }[shape]  # fmt: skip
    values = spread * values / values.std()
    none, at = (validation.simulated(values, 1.0, shift) for shift in (0, 1))
    allowed = ERROR + 3 * (ERROR * (1 - ERROR) / 2000) ** 0.5
    assert none[BETTER] + none[WORSE] <= allowed and at[EQUIVALENT] <= allowed


def test_it_can_tell_what_it_is_said_to_tell():
    values = np.random.default_rng(2).normal(scale=0.5, size=500)
    assert validation.simulated(values, 1.0, 0)[EQUIVALENT] > 0.95
    assert validation.simulated(values, 1.0, 2)[WORSE] > 0.95
    # And with a spread of six margins it cannot, and says so.
    assert validation.simulated(12 * values, 1.0, 0)[UNDECIDED] > 0.8


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 2.0), (0.5, 2.0), (1.5, 4.0)])
def test_as_many_seeds_as_it_would_take(mean, spread):
    def world(count):
        row = np.tile([1.0, -1.0], (count + 1) // 2)[:count]
        row = (row - row.mean()) / row.std(ddof=1)
        return Comparison("x", tuple(mean + spread * row), (0.0,) * count, 1.0)

    assert world(12).outcome == UNDECIDED
    needed = world(12).seeds_needed()
    assert needed > 12 and world(needed).outcome != UNDECIDED
    assert world(round(0.9 * needed)).outcome == UNDECIDED


def test_a_comparison_needs_pairs():
    with pytest.raises(ValueError, match="x: two or more pairs are needed, not 2 and 3"):
        Comparison("x", (1, 2), (1, 2, 3), 1.0)
