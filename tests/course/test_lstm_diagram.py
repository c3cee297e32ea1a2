"""The LSTM cell: well-formed, colors as variables, grown part by part, gates told apart by line."""

import re
from xml.etree import ElementTree

import pytest

from autograder.course.diagrams import lstm_cell
from autograder.course.diagrams.lstm_diagram import LSTM_PARTS


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("highlight", [None, *LSTM_PARTS])
def test_the_cell_is_well_formed_and_uses_variables_only(highlight, compact):
    svg = lstm_cell(highlight=highlight, compact=compact)
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label")
    assert root.find("title") is not None
    assert "var(--gm-lstm" in svg or highlight
    assert re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', svg) == []


def test_the_cell_grows_part_by_part():
    full = lstm_cell(ghost=False)
    lengths = []
    for count in range(len(LSTM_PARTS)):
        svg = lstm_cell(show=LSTM_PARTS[:count], ghost=False)
        drawn = set(re.findall(r'data-part="(\w+)"', svg)) - {"input"}
        assert drawn == set(LSTM_PARTS[:count])
        lengths.append(len(svg))
    assert [*lengths, len(full)] == sorted({*lengths, len(full)})


def test_the_three_gates_have_three_kinds_of_line():
    def boxes(part):
        group = re.search(rf'<g data-part="{part}">(.*?)</g>', lstm_cell(), re.S).group(1)
        return {re.sub(r".*stroke-dasharray=\"([^\"]+)\".*", r"\1", tag) if "dash" in tag else ""
                for tag in re.findall(r'<rect [^>]*fill="none"[^>]*>', group)}  # fmt: skip

    assert len({frozenset(boxes(gate)) for gate in "fio"}) == 3


@pytest.mark.parametrize("compact", [False, True])
def test_nothing_is_drawn_outside_the_picture(compact):
    root = ElementTree.fromstring(lstm_cell(compact=compact))
    width, height = map(float, root.get("viewBox").split()[2:])
    for box in root.iter("rect"):
        x, y, w, h = (float(box.get(name)) for name in ("x", "y", "width", "height"))
        assert 0 <= x and x + w <= width and 0 <= y and y + h <= height
    for text in root.iter("text"):
        assert 0 <= float(text.get("x")) <= width and 0 <= float(text.get("y")) <= height


def test_unknown_parts_are_refused():
    with pytest.raises(ValueError, match="the parts of the cell are"):
        lstm_cell(show=("f", "z"))
    with pytest.raises(ValueError, match="forget"):
        lstm_cell(highlight="forget")
