"""The vanilla RNN's cell and the unrolled net: well formed, growing, in the page's colors."""

import re
from xml.etree import ElementTree

import pytest

from autograder.course.diagrams import rnn_cell, time_major, unrolled
from autograder.course.diagrams.rnn_diagram import RNN_PARTS


def assert_drawing(svg: str) -> None:
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label")
    assert root.find("title") is not None
    assert re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', svg) == []


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("highlight", [None, *RNN_PARTS])
def test_the_cell_is_well_formed_and_uses_variables_only(highlight, compact):
    svg = rnn_cell(highlight=highlight, compact=compact)
    assert_drawing(svg)
    assert "var(--gm-rnn" in svg and "--gm-gru" not in svg


def test_the_cell_grows_part_by_part():
    full = rnn_cell(ghost=False)
    for count in range(len(RNN_PARTS)):
        svg = rnn_cell(show=RNN_PARTS[:count], ghost=False)
        assert set(re.findall(r'data-part="(\w+)"', svg)) - {"input"} == set(RNN_PARTS[:count])
        assert len(svg) < len(full)


def test_the_title_names_what_is_drawn():
    title = ElementTree.fromstring(rnn_cell(("read", "state"), "read")).get("aria-label")
    assert title == "Vanilla RNN cell with input, new state; marked: input"


def test_numbers_are_written_at_the_ends():
    svg = rnn_cell(values={"x": 1.0, "h_prev": -0.5, "h": 0.25})
    for name, text in (("x", "1.00"), ("h_prev", "−0.50"), ("h", "0.25")):
        assert re.search(rf'data-value="{name}"[^>]*>{text}<', svg)
    assert "data-value" not in rnn_cell(compact=True, values={"x": 1.0})


def test_unknown_parts_are_refused():
    with pytest.raises(ValueError, match="the parts of the cell are read, recall, state"):
        rnn_cell(show=("read", "forget"))


@pytest.mark.parametrize("steps", [1, 3, 6])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loop": True},
        {"gradient": True},
        {"shared": "weights"},
        {"writes": (1,)},
        {"reads": ()},
    ],
    ids=str,
)
def test_an_unrolled_net_has_one_copy_of_the_cell_for_every_step(steps, options):
    svg = unrolled(steps, **options)
    assert_drawing(svg)
    assert svg.count(">tanh</text>") == steps + bool(options.get("loop"))
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    for x, y in re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)"', svg):
        assert 0 <= float(x) <= width and 0 <= float(y) <= height


def test_words_may_replace_formulas():
    svg = unrolled(2, words={"x_1": "to", "x_2": "be"}, writes=(2,))
    assert ">to</text>" in svg and ">be</text>" in svg


def test_sequences_are_drawn_with_one_sheet_for_every_step():
    svg = time_major(steps=3, batch=2, inputs=1, units=4)
    assert_drawing(svg)
    assert svg.count("<rect") == 3 * 2 * (1 + 4)
