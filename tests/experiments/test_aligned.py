"""Aligned n-grams: what is found where the right alignment is known."""

import pytest

from experiments import aligned
from experiments.aligned import Table, contexts, expected, forward
from experiments.tasks import Examples
from experiments.translation import GERMAN, Language

# 1 becomes 5, 2 becomes nothing, 3 becomes 6 and 7.
BECOMES = {1: (5,), 2: (), 3: (6, 7)}
READ = [(1, 2, 3), (3, 1), (2, 2, 1), (1, 3, 3, 2), (1,), (3,), (3, 2), (2, 1)]
PAIRS = [(read, tuple(s for symbol in read for s in BECOMES[symbol])) for read in READ]


def test_ways_are_counted_by_hand():
    # Two symbols into three: each may become none to three of them.
    assert forward(((1, 2), (5, 6, 7)), None)[-1][-1] == 4
    assert forward(((1,), (5, 6, 7, 8)), None)[-1][-1] == 0  # four are more than one may become


def test_shares_of_a_symbol_sum_to_one_and_find_what_it_becomes():
    shares = None
    for _ in range(12):
        shares = expected(PAIRS, shares)
    for symbol, chunk in BECOMES.items():
        mine = {found: share for (who, found), share in shares.items() if who == symbol}
        assert sum(mine.values()) == pytest.approx(1)
        assert max(mine, key=mine.get) == chunk
    for pair in PAIRS:
        assert aligned.aligned(pair, shares) == [BECOMES[symbol] for symbol in pair[0]]


def test_no_way_is_said():
    assert aligned.aligned(((1,), (5, 6, 7, 8)), {(1, (5,)): 1.0}) is None


def test_contexts_go_from_wide_to_narrow_and_know_the_ends():
    found = contexts((7, 8, 9), 0, 1)
    assert found == [(1, -1, 7, 8), (0, -1, 7), (0, 7)]
    assert len(set(contexts((7, 8, 9), 1, 4))) == len(contexts((7, 8, 9), 1, 4))


def test_a_table_backs_off_where_neighbors_are_new(monkeypatch):
    monkeypatch.setattr(aligned, "ROUNDS", 12)
    table = Table(PAIRS)
    assert table.say((2, 3, 1, 2), 4) == [6, 7, 5]
    assert table.say((4,), 4) == []  # a symbol that was never read says nothing


def test_neighbors_decide_where_they_were_seen(monkeypatch):
    monkeypatch.setattr(aligned, "ROUNDS", 12)
    table = Table([((1, 2), (5,)), ((1, 3), (6,)), ((2,), ()), ((3,), ())] * 3)
    assert table.say((1, 2), 1) == [5] and table.say((1, 3), 1) == [6]
    assert table.say((1, 2), 0) == table.say((1, 3), 0)


def test_measures_by_hand():
    found = [([1, 2], [1, 2]), ([1], [1, 3]), ([], [4])]
    assert aligned.phrases_wrong(found) == pytest.approx(200 / 3)
    assert aligned.symbols_wrong(found) == pytest.approx(100 * 2 / 5)


def test_pairs_are_what_a_part_holds():
    tongue = Language(("a", "b"), ("x", "y"), 5)
    part: Examples = tongue.part([("ab", ["x"]), ("b", [])], 3, 2)
    assert aligned.pairs_of(part) == [([1, 2], [3]), ([2], [])]
    assert GERMAN.numbers("09") == [1, 10]
