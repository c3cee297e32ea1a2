"""The drawings of spellings and layers: well-formed, in the page's colors, and true to what is drawn."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from autograder.course import reference
from autograder.course.diagrams import (
    confinement,
    four_spellings,
    gate_strip,
    grading_round,
    padded_and_packed,
    stacked_layers,
    two_directions,
    ways_to_a_platform,
)

ROOT = Path(__file__).parents[2]
NAMES = {(u, r): [f"{u} and {r}"] for u in reference.UPDATES for r in reference.RESETS}
DRAWINGS = {
    "four_spellings": four_spellings(NAMES | {("replace", "after"): []}),
    "gate_strip": gate_strip(("r", "z", "h"), ("r", "i", "h′")),
    "padded_and_packed": padded_and_packed((5, 4, 2, 1)),
    "stacked_layers": stacked_layers(),
    "two_directions": two_directions(),
    "grading_round": grading_round(),
    "ways_to_a_platform": ways_to_a_platform(),
    "confinement": confinement(),
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


def test_the_guide_draws_every_layer_and_the_commands_of_its_page():
    page = (ROOT / "book" / "teach" / "grade-a-class.md").read_text(encoding="utf-8")
    commands = [
        text for text in words(grading_round()) if text.startswith(("nbgrader ", "autograder "))
    ]
    assert len(commands) == 5 and all(command.split(",")[0] in page for command in commands)
    assert {"namespaces", "Landlock", "seccomp", "limits"} <= set(words(confinement()))


@pytest.mark.parametrize("name", ["grading_round", "ways_to_a_platform", "confinement"])
def test_the_guide_can_be_read_on_a_phone(name):
    svg = DRAWINGS[name]
    width = float(re.search(r'viewBox="0 0 (\d+)', svg)[1])
    assert min(map(float, re.findall(r'font-size="([\d.]+)"', svg))) * 340 / width > 10
