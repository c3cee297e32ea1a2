"""The hunt is fair: boxes are what the catalogue says, par is par, and what a check says is so."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from right_answers.bughunt import RIGHT
from unwatched import grade

from autograder.course.exercises.bughunt import packing
from autograder.course.exercises.bughunt.blindness import BLINDNESSES, why_blind
from autograder.course.exercises.bughunt.boxes import BOXES, boxes_as_text, smallest
from autograder.course.exercises.bughunt.inputs import (
    CLEAR,
    difference,
    generic,
    numbers,
    run,
    shows,
)
from autograder.course.exercises.bughunt.records import padded
from autograder.course.exercises.bughunt.suspects import CORRECT, SUSPECTED, SUSPECTS
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.gru.right_cell import right_step
from autograder.course.gated_memory import COURSE as GATED_MEMORY
from autograder.material import notebooks

COURSE = Path(__file__).parents[2]
BROKEN = [box for box in BOXES if box.broken]
GRADED = BOXES[1:]
BOX = {box.letter: box for box in BOXES}

sizes = st.tuples(*[st.integers(1, 4)] * 3)
seeds = st.integers(0, 2**32 - 1)


def letter(box):
    return box.letter


@pytest.fixture(scope="module")
def given_out() -> dict:
    """What the cells of the released notebook define, up to the first box."""
    cells = nbformat.read(notebooks.release_path(COURSE, "bughunt"), as_version=4).cells
    names: dict = {}
    for cell in cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "report_b":
            return names
        if cell.cell_type == "code":
            exec(cell.source, names)
    raise AssertionError("no box B")


# What is in the boxes


@given(sizes=sizes, seed=seeds)
@settings(max_examples=60, deadline=None)
def test_the_notebooks_boxes_are_the_cells_that_are_graded(given_out, sizes, seed):
    inputs = generic(*sizes, seed)
    assert set(given_out["boxes"]) == set(BOX)
    for box in BOXES:
        unpacked = given_out["boxes"][box.letter](*inputs)
        assert np.abs(unpacked - run(box.cell, inputs)).max() <= 1e-15
    assert np.abs(given_out["right_cell"](*inputs) - right_step(*inputs)).max() <= 1e-15


def test_the_broken_cells_are_the_catalogues():
    known = {mistake.name: mistake.wrong for mistake in GATED_MEMORY.get("gru_step").mistakes}
    for box in BROKEN:
        assert known[box.name] is box.cell
    assert {name: known[name] for name in SUSPECTED} == {n: m.wrong for n, m in SUSPECTED.items()}
    assert {box.name for box in BROKEN} <= set(SUSPECTED)


@given(sizes=sizes, seed=seeds)
@settings(max_examples=60, deadline=None)
def test_the_correct_boxes_are_the_right_cell_on_every_input(sizes, seed):
    correct = [box for box in BOXES if not box.broken]
    assert len(correct) == 2
    for box in correct:
        assert difference(box.cell, right_step, generic(*sizes, seed)) < 1e-14


def test_the_right_cell_is_the_torch_reference():
    inputs = generic(4, 3, 4)
    x, h_prev, params = inputs
    reference = GATED_MEMORY.get("gru_step").answer({"x": x, "h_prev": h_prev, "params": params})[
        "h"
    ]
    assert np.abs(right_step(*inputs) - reference).max() < 1e-15


def test_packed_boxes_name_nothing_and_come_out_the_same():
    text = boxes_as_text()
    assert text == boxes_as_text() and text.isascii() and "{{" not in text
    unpacked = packing.unpacked(text)
    assert {key: packing.steps_of(BOX[key].cell) for key in unpacked} == unpacked
    words = {step[0] for steps in unpacked.values() for step in steps}
    assert not any("reset" in word or "gate" in word for word in words)


@pytest.mark.parametrize(
    "cell",
    [
        lambda x, h_prev, params: np.sum(h_prev, axis=0),
        lambda x, h_prev, params: h_prev[0],
        lambda x, h_prev, params: h_prev,
        lambda x, h_prev, params: np.add.reduce(h_prev),
    ],
)
def test_what_boxes_have_no_word_for_is_refused(cell):
    with pytest.raises(packing.Untraceable):
        packing.steps_of(cell)


# Par


def least(cell, most: int) -> int:
    """The fewest numbers not zero that show a cell, tried with every choice of ``most`` places.

    A difference is analytic in the numbers: where generic values show none, no values do.
    """
    rng = np.random.default_rng(0)
    D, H = 1, 2
    shapes = [(1, D), (1, H)] + [(H, H + D), (H,)] * 3
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    for count in range(most + 1):
        for places in itertools.combinations(range(ends[-1]), count):
            flat = np.zeros(ends[-1])
            flat[list(places)] = rng.choice([-1, 1], count) * rng.uniform(0.8, 3, count)
            pieces = np.split(flat, ends[:-1])
            x, h_prev, *params = (p.reshape(s) for p, s in zip(pieces, shapes, strict=True))
            params = dict(zip(KEYS, params, strict=True))
            if difference(cell, right_step, (x, h_prev, params)) > 1e-9:
                return count
    return most + 1


@pytest.mark.parametrize("box", BROKEN, ids=letter)
def test_par_is_the_fewest_numbers_that_will_do(box):
    assert least(box.cell, box.par - 1) == box.par
    inputs = smallest(box)
    assert numbers(inputs) == box.par
    assert difference(box.cell, right_step, inputs) > 5 * CLEAR


def test_boxes_get_harder():
    pars = [box.par for box in BROKEN]
    assert pars == sorted(pars)


# What hides, and why


@pytest.mark.parametrize("box", BROKEN, ids=letter)
def test_a_blindness_hides_what_the_record_says(box):
    for number, blindness in enumerate(BLINDNESSES, 1):
        drawn = [blindness.blind(generic(4, 3, 4, seed)) for seed in range(4)]
        hidden = not any(shows(box.cell, inputs) for inputs in drawn)
        if number in box.hides:
            assert hidden
            assert why_blind([box.cell], drawn[0]) == number


@given(seed=seeds)
@settings(max_examples=40, deadline=None)
def test_on_generic_inputs_every_suspect_shows(seed):
    for name, mistake in SUSPECTED.items():
        apart = difference(mistake.wrong, right_step, generic(4, 4, 4, seed))
        assert apart > 1e-6, name


def test_what_the_owners_say_is_true_and_proves_nothing():
    def passes(box, change=lambda x, h, params: (x, h, params), tolerance=1e-9, H=4):
        cell = BOX[box].cell
        drawn = [change(*generic(2, 3, H, seed)) for seed in range(100)]
        return all(difference(cell, right_step, inputs) < tolerance for inputs in drawn)

    def scaled(by):
        return lambda x, h, params: (x, h, {k: v * by[k[0]] for k, v in params.items()})

    def silent(x, h, params):
        return x, h * [0.0, 1.0], params

    def first_step(x, h, params):
        return x, 0.0 * h, params

    assert passes("B", first_step) and passes("I", first_step)
    assert passes("E", scaled({"W": 1e-4, "b": 1.0}), tolerance=1e-3)
    assert passes("F", scaled({"W": 1.0, "b": 0.0}))
    assert passes("G", H=1) and passes("I", H=1)
    assert passes("I", silent, H=2)
    assert passes("D") and passes("H")
    assert not any(passes(box.letter) for box in BROKEN)


# Points


def with_numbers(report, count):
    """The same report with ``count`` numbers not zero."""

    def longer():
        name, x, h_prev, params = report()
        return name, *padded((x, h_prev, params), count)

    return longer


def with_name(report, name):
    def other():
        return name, *report()[1:]

    return other


def with_inputs(report, *, h=1.0, b=1.0):
    def other():
        name, x, h_prev, params = report()
        return name, x, h * h_prev, {k: v * (b if k[0] == "b" else 1.0) for k, v in params.items()}

    return other


F, G, D = RIGHT["report_f"][0], RIGHT["report_g"][0], RIGHT["report_d"][0]

PARTIAL = [
    ("report_f", F, 4, "exposed"),
    ("report_f", with_numbers(F, 4), 3, "4 numbers that are not zero; 3 can do"),
    ("report_f", with_numbers(F, 6), 3, "6 numbers"),
    ("report_f", with_numbers(F, 7), 2, "7 numbers"),
    ("report_f", with_name(F, "old state missing"), 3, "would give h[0, 0]"),
    ("report_f", with_name(F, "in the reset gate: bias mising"), 3, "not on the list of suspects"),
    ("report_f", with_name(with_numbers(F, 7), "old state missing"), 1, "not by"),
    ("report_f", with_inputs(F, h=0.0), 0, "With h_prev = 0"),
    ("report_f", with_inputs(F, b=0.0), 0, "With all biases zero"),
    ("report_f", with_inputs(F, h=0.0, b=0.0), 0, "it takes more than one change"),
    ("report_f", with_name(F, CORRECT), 0, "is broken, and you call it correct"),
    ("report_d", D, 4, "agrees with the right cell"),
    ("report_d", with_inputs(D, h=0.0), 1, "suspects would have passed"),
    ("report_d", with_name(D, "old state missing"), 0, "is correct, and you accuse it"),
    ("report_d", with_name(D, "I don't know"), 0, "not on the list"),
    ("report_d", with_name(F, CORRECT), 1, "do not prove it"),
]


@pytest.mark.parametrize(("name", "report", "points", "says"), PARTIAL)
def test_points_and_words(name, report, points, says):
    verdict = grade(report, name)
    assert verdict.points == points, verdict
    assert says in " ".join(str(verdict).split()), verdict
    assert says in re.sub(r"<[^>]+>", "", verdict._repr_html_()).replace("&#x27;", "'")
    assert verdict.passed == (points == 4)


def test_names_that_fit_the_inputs_equally_well_are_told_so():
    """A missing bias and foreign weights give box A the same zero; so do two suspects for box C."""
    verdict = grade(with_name(RIGHT["report_c"][0], "in the update gate: bias missing"), "report_c")
    assert verdict.points == 3
    assert "would give what the box gives" in str(verdict).replace("\n   ", "")


def test_a_single_unit_is_given_as_the_reason_only_where_it_is():
    def one_unit(name):
        def report():
            return name, *generic(1, 1, 1)

        return report

    verdict = grade(one_unit(BOX["G"].name), "report_g")
    assert verdict.mistake.name == "only one unit"
    assert "H = 1" in str(verdict)
    # Here another fault hides the box: with one unit it can very well be exposed.
    found = grade(with_inputs(one_unit(BOX["B"].name), h=0.0), "report_b")
    assert found.mistake.name == "h_prev is zero"


def test_hunting_without_thinking_earns_little():
    def all_of(report):
        return sum(grade(report, box.function).points for box in GRADED)

    everywhere = RIGHT["report_d"][1]
    total = sum(GATED_MEMORY.get(box.function).points for box in GRADED)
    assert total == 32
    assert all_of(everywhere) == 8  # "correct", eight times: the two that are
    assert all_of(with_name(everywhere, "old state missing")) <= 6  # exposed, and that is all


def test_a_report_that_changes_is_no_report():
    rng = np.random.default_rng()

    def report():
        name, x, h_prev, params = F()
        return name, x, h_prev * rng.uniform(0.5, 1.0), params

    verdict = grade(report, "report_f")
    assert verdict.failure.kind == "state" and verdict.points == 0


def changed(**changes):
    def report():
        name, x, h_prev, params = F()
        made = {"name": name, "x": x, "h_prev": h_prev, "params": params}
        for key, change in changes.items():
            if key in params:
                params[key] = change(params[key])
            else:
                made[key] = change(made[key])
        return tuple(made.values())

    return report


UNUSABLE = [
    (changed(x=lambda x: x[0]), "probe", "x has shape (1,)"),
    (changed(h_prev=lambda h: h[:, :, None]), "probe", "h_prev has shape (1, 1, 1)"),
    (changed(x=lambda x: np.zeros((2, 1))), "probe", "x holds 2 examples and h_prev 1"),
    (changed(x=lambda x: np.zeros((1, 5)), W_z=lambda W: W), "probe", "D is 5"),
    (changed(x=lambda x: np.zeros((1, 0))), "probe", "D is 0"),
    (changed(W_r=lambda W: W.T), "probe", "W_r has shape (2, 1)"),
    (changed(b_h=lambda b: b[None]), "probe", "b_h has shape (1, 1)"),
    (changed(b_h=lambda b: b + np.nan), "probe", "not finite"),
    (changed(b_r=lambda b: b - 20), "probe", "b_r holds -17"),
    (changed(b_r=lambda b: b + 1j), "probe", "complex"),
    (changed(params=lambda p: {k: v for k, v in p.items() if k != "W_h"}), "missing", "no W_h"),
    (changed(params=list), "type", "params is a list"),
    (changed(x=lambda x: [[1.0]]), "type", "x is a list"),
    (changed(name=lambda name: 3), "type", "The name is a int"),
    (lambda: F()[:3], "type", "return name, x, h_prev, params"),
    (lambda: None, "none", "return"),
]


@pytest.mark.parametrize(("report", "kind", "says"), UNUSABLE)
def test_inputs_that_no_cell_can_take_are_explained(report, kind, says):
    verdict = grade(report, "report_f")
    assert verdict.points == 0
    assert verdict.failure.kind == kind, verdict
    assert says in " ".join(str(verdict).split())


# The notebook


def test_the_notebook_lists_every_suspect_once():
    cells = nbformat.read(notebooks.release_path(COURSE, "bughunt"), as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for name, mistake in SUSPECTED.items():
        assert text.count(f"- **{name}**<br>{mistake.says}") == 1
    assert list(SUSPECTED) == [name for names in SUSPECTS.values() for name in names]


def test_the_notebook_says_of_no_graded_box_what_it_is():
    cells = nbformat.read(notebooks.release_path(COURSE, "bughunt"), as_version=4).cells
    released = "\n".join(cell.source for cell in cells)
    for box in GRADED:
        if box.broken:
            assert released.count(f"**{box.name}**") == 1  # in the list


def test_the_table_of_what_hides_counts_right(given_out):
    rows = dict(given_out["rows"])
    assert rows.pop("nothing zero, H = 4") == 2
    assert max(rows, key=rows.get).startswith("state and biases zero")
    assert rows["state and biases zero: a fresh layer's first step"] == 2 + 5  # as the text says
