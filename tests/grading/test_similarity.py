"""Copies are found however they are disguised; people who think alike are left in peace."""

import inspect
import io
import keyword
import random
import textwrap
import time
import tokenize
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from right_answers import bughunt, gradients, gru, lstm, rnn

from autograder.grading.similarity import FEWEST, LONGEST, MOST, SHARE, Alike, alike, fingerprints

ASSIGNMENTS = {
    module.__name__.rpartition(".")[2]: module for module in (gru, lstm, rnn, gradients, bughunt)
}

OWN = (
    '''\
def update_gate(x, h_prev, params):
    """Rows of the gate, one unit at a time."""
    rows = []
    for unit in range(h_prev.shape[1]):
        state_row, input_row = np.split(params["W_z"][unit], [h_prev.shape[1]])
        total = (h_prev * state_row).sum(axis=1) + (x * input_row).sum(axis=1)
        rows.append(total + params["b_z"][unit])
    return np.reciprocal(1.0 + np.exp(np.negative(np.transpose(rows))))
''',
    """\
def candidate_state(x, h_prev, r, params):
    damped = np.copy(h_prev)
    damped *= r  # in place, on a copy
    both = np.empty((len(x), damped.shape[1] + x.shape[1]))
    both[:, : damped.shape[1]], both[:, damped.shape[1] :] = damped, x
    out = np.full((len(x), len(params["b_h"])), params["b_h"])
    np.add(out, np.inner(both, params["W_h"]), out=out)
    return np.sinh(out) / np.cosh(out)
""",
    """\
def gru_forward(xs, h0, params):
    track = {-1: h0}
    for moment, frame in enumerate(xs):
        track[moment] = gru_step(frame, track[moment - 1], params)
    del track[-1]
    return np.asarray([track[key] for key in sorted(track)])
""",
    """\
def count_gru_parameters(input_size, hidden_size):
    widths = (hidden_size + input_size + 1,) * 3
    total = 0
    while widths:
        first, *widths = widths
        total = total + hidden_size * first
    return total
""",
)
"""Somebody's answers, written as nobody else would."""


@cache
def source_of(answer) -> str:
    return textwrap.dedent(inspect.getsource(answer))


def one_of_each(module, choose) -> list[str]:
    """A submission put together from right answers; ``choose`` picks among the ways."""
    return [source_of(choose(ways)) for ways in module.RIGHT.values()]


@cache
def of_one_cell(source: str) -> tuple[int, ...]:
    return fingerprints([source])


def classmates(number: int, seed: int = 0, module=gru) -> dict[str, tuple[int, ...]]:
    """Everybody picks, for every exercise, one of five or six ways to write it."""
    rng = random.Random(seed)
    found = {}
    for n in range(number):
        cells = one_of_each(module, rng.choice)
        found[f"mate {n:03}"] = tuple(sorted(set().union(*map(of_one_cell, cells))))[:MOST]
    return found


def disguised(sources, rng: random.Random) -> list[str]:
    """The same code with other variables, comments, line breaks and another order."""
    return rng.sample([renamed(source, rng) for source in sources], len(sources))


def renamed(source: str, rng: random.Random) -> str:
    kept = {"np", "params", "len", "range", "enumerate", "sorted"} | set(keyword.kwlist)
    names: dict[str, str] = {}
    words, before, depth = [], "", 0
    for kind, text, *_ in tokenize.generate_tokens(io.StringIO(source).readline):
        if kind == tokenize.COMMENT:
            text = "# " + "".join(rng.choices("abc def=()+", k=rng.randrange(30)))
        elif kind == tokenize.STRING and text.startswith('"""'):
            text = '"""' + "".join(rng.choices("abc def\n    ", k=rng.randrange(30))) + '"""'
        elif kind == tokenize.NAME and before != "." and text not in kept:
            fresh = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(1, 9)))
            text = names.setdefault(text, f"{fresh}_{len(names)}")
        elif kind in (tokenize.NEWLINE, tokenize.NL) and depth == 0 and rng.random() < 0.3:
            text = f"  # {rng.random()}\n"
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text, 0)
        words.append((kind, text))
        before = text
    return tokenize.untokenize(words)


# Copies


@given(st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_a_disguised_copy_is_found(rng):
    copy = disguised(OWN, rng)
    assert sorted(copy) != sorted(OWN)
    found = {**CLASS, "author": fingerprints(OWN), "copyist": fingerprints(copy)}
    (pair,) = alike(found)
    assert pair.students == ("author", "copyist")
    assert pair.share > 0.9 and pair.pieces >= FEWEST


CLASS = classmates(150, seed=8)


def test_the_class_without_the_copyist_is_unsuspicious():
    assert alike({**CLASS, "author": fingerprints(OWN)}) == []


def test_names_and_comments_and_docstrings_change_nothing():
    """Only where the cells are cut differs from one order to another."""
    for seed in range(20):
        rng = random.Random(seed)
        assert fingerprints([renamed(text, rng) for text in OWN]) == fingerprints(OWN)
    assert fingerprints(OWN[::-1]) == fingerprints(OWN)
    indented = "def f(a):\n    b = a + 1\n    return b * a - (a, b)[0]\n"
    documented = indented.replace("(a):\n", '(a):\n    """What\n    it does."""\n')
    assert fingerprints([documented]) == fingerprints([indented])
    magic = indented.replace("    return", "    %time a\n    return")
    assert fingerprints([magic]) == fingerprints([indented])


def test_functions_in_one_cell_may_change_places():
    first, last = "\n".join(OWN), "\n".join(OWN[::-1])
    one, other = set(fingerprints([first])), set(fingerprints([last]))
    assert len(one & other) > 0.7 * min(len(one), len(other))


def test_half_a_copy_in_an_answer_of_ones_own_is_no_pair():
    mine = [OWN[0], *one_of_each(gru, lambda ways: ways[0])[4:]]
    found = {**CLASS, "author": fingerprints(OWN), "other": fingerprints(mine)}
    assert not [group for group in alike(found) if "author" in group.students]


def test_three_who_shared_one_solution_are_one_group():
    copies = {f"copy {n}": fingerprints(disguised(OWN, random.Random(n))) for n in range(3)}
    (group,) = alike({**CLASS, **copies})
    assert group.students == ("copy 0", "copy 1", "copy 2")
    assert SHARE <= group.share <= 1


def test_the_most_alike_come_first_whatever_the_order_of_the_class():
    lazy = {"a": fingerprints(OWN), "b": fingerprints(OWN)}
    other = one_of_each(rnn, lambda ways: ways[1])
    changed = [*one_of_each(rnn, lambda ways: ways[3])[:1], *other[1:]]
    pairs = lazy | {"c": fingerprints(other), "d": fingerprints(changed)}
    found = CLASS | pairs
    names = list(found)
    random.Random(5).shuffle(names)
    groups = alike(found)
    assert [group.students for group in groups] == [("a", "b"), ("c", "d")]
    assert groups[0].share == 1.0 > groups[1].share
    again = alike({name: found[name] for name in names})
    assert [set(group.students) for group in again] == [{"a", "b"}, {"c", "d"}]


# People who think alike


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_right_answers_written_apart_are_not_alike(name):
    """Five or six people, each of whom solves every exercise in another way."""
    ways = min(map(len, ASSIGNMENTS[name].RIGHT.values()))
    found = {
        f"student {n}": fingerprints(one_of_each(ASSIGNMENTS[name], lambda w, n=n: w[n]))
        for n in range(ways)
    }
    assert alike(found) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("number", [150, 400])
@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_a_class_that_solves_exercises_in_the_same_few_ways_is_not_alike(name, number, seed):
    """Word for word the same answers meet by chance; in a class they are how one writes it."""
    assert alike(classmates(number, seed, ASSIGNMENTS[name])) == []


def test_fingerprints_of_cells_add_up():
    cells = one_of_each(gru, lambda ways: ways[3])
    together = tuple(sorted(set().union(*map(of_one_cell, cells))))[:MOST]
    assert fingerprints(cells) == together


def test_the_released_notebook_counts_for_nobody():
    given_cells = OWN[:3]
    assert fingerprints(given_cells, given_cells) == ()
    mine = "def mine(a):\n    return [a ** k for k in range(7) if k % 2 == 0]\n"
    assert fingerprints([*given_cells, mine], given_cells) == fingerprints([mine])


def test_empty_submissions_are_not_alike():
    empty = {f"student {n}": fingerprints(["", "# nothing\n"]) for n in range(30)}
    assert set(empty.values()) == {()} and alike(empty) == []
    assert alike({}) == []
    assert alike({"alone": fingerprints(OWN)}) == []


def test_short_answers_that_agree_are_not_alike():
    short = fingerprints(["def f(x):\n    return x + 1\n"])
    assert alike({"a": short, "b": short, **CLASS}) == []


# Anything at all, of any size


@given(st.lists(st.text(max_size=200), max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_text_has_fingerprints(sources):
    found = fingerprints(sources)
    assert list(found) == sorted(set(found)) and len(found) <= MOST
    assert all(0 <= value < 2**64 for value in found)
    assert fingerprints(sources) == found


@pytest.mark.parametrize(
    "piece",
    ['"', "'''", '"""x', "#\n", "\\\n", "((((", "a.", "  \n", "é" * 5, "0x", "\0", "b'\\", "%x\n"],
)
def test_time_is_linear_whatever_the_text(piece):
    text = piece * (LONGEST // len(piece))
    start = time.process_time()
    fingerprints([text * 3])
    assert time.process_time() - start < 10  # a pattern that goes back would take hours


sets = st.dictionaries(
    st.integers(0, 9).map(str), st.frozensets(st.integers(0, 40), max_size=30).map(sorted)
)


@given(sets, st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_groups_are_disjoint_and_do_not_depend_on_the_order(found, seed):
    groups = alike(found)
    members = [student for group in groups for student in group.students]
    assert len(members) == len(set(members)) and set(members) <= set(found)
    for group in groups:
        assert len(group.students) > 1 and SHARE <= group.share <= 1 + 1e-9
        assert group.pieces >= FEWEST
    names = random.Random(seed).sample(list(found), len(found))
    again = alike({name: found[name] for name in names})

    def plain(groups: list[Alike]):
        return sorted((sorted(g.students), round(g.share, 9), g.pieces) for g in groups)

    assert plain(again) == plain(groups)


def drawn(students: int, rng: np.random.Generator) -> dict[str, tuple[int, ...]]:
    """Fingerprints as a class has them: a third common, a third shared by few, a third one's own."""
    common = rng.integers(0, 2**64, 300, dtype=np.uint64)
    few = rng.integers(0, 2**64, students * 10, dtype=np.uint64)
    found = {}
    for n in range(students):
        own = rng.integers(0, 2**64, 86, dtype=np.uint64)
        mine = np.concatenate([rng.choice(common, 85), rng.choice(few, 85), own])
        found[f"student {n:05}"] = tuple(np.unique(mine).tolist())
    return found


def test_ten_thousand_students_are_compared_in_seconds():
    found = drawn(10_000, np.random.default_rng(4))
    names = list(found)
    copies = [(names[n], names[n + 5_000]) for n in range(0, 5_000, 500)]
    for one, other in copies:
        found[other] = found[one][:240]
    start = time.process_time()
    groups = alike(found)
    assert time.process_time() - start < 60  # about 4 on one idle core
    assert sorted(group.students for group in groups) == sorted(copies)
