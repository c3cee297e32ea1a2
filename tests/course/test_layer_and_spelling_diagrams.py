"""The drawings of spellings and layers: well-formed, in the page's colors, and true to what is drawn."""

import re
import xml.etree.ElementTree as ET

import pytest

from autograder.course import reference
from autograder.course.diagrams import (
    four_spellings,
    gate_strip,
    padded_and_packed,
    stacked_layers,
    two_directions,
)

NAMES = {(u, r): [f"{u} and {r}"] for u in reference.UPDATES for r in reference.RESETS}
DRAWINGS = {
    "four_spellings": four_spellings(NAMES | {("replace", "after"): []}),
    "gate_strip": gate_strip(("r", "z", "h"), ("r", "i", "h′")),
    "padded_and_packed": padded_and_packed((5, 4, 2, 1)),
    "stacked_layers": stacked_layers(),
    "two_directions": two_directions(),
}


def words(svg):
    root = ET.fromstring(re.sub(r"\sxmlns=\"[^\"]*\"", "", svg))
    return ["".join(node.itertext()) for node in root.iter() if node.tag == "text"]


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_well_formed_labelled_and_follow_the_mode(name):
    svg = DRAWINGS[name]
    assert words(svg)
    assert 'role="img"' in svg and re.search(r'aria-label="[^"]+"', svg)
    painted = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) - {"none"}
    assert painted and all(color.startswith("var(--gm-") for color in painted)


def test_every_combination_of_conventions_has_its_box():
    found = words(DRAWINGS["four_spellings"])
    assert {"replace and before", "keep and before", "keep and after"} <= set(found)
    assert "no library we know" in found


@pytest.mark.parametrize("lengths", [(5, 4, 2, 1), (3, 3), (1,)])
def test_the_packed_batch_counts_what_is_there(lengths):
    found = words(padded_and_packed(lengths))
    assert f"rows at each step, {max(lengths) * len(lengths)} in all" in found
    assert f"rows at each step, {sum(lengths)} in all" in found
    assert found.count("0") == max(lengths) * len(lengths) - sum(lengths)
