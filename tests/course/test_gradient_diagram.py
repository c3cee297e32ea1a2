"""The four ways back: well-formed, colors as variables, grown way by way, inside the picture."""

import re
from xml.etree import ElementTree

import pytest

from autograder.course.diagrams import gradient_paths
from autograder.course.diagrams.gradient_diagram import PATHS, _legs


@pytest.mark.parametrize("highlight", [None, *PATHS])
def test_the_drawing_is_well_formed_and_uses_variables_only(highlight):
    svg = gradient_paths(highlight=highlight)
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label")
    assert re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', svg) == []


def test_the_ways_are_drawn_one_by_one():
    for count in range(len(PATHS) + 1):
        svg = gradient_paths(show=PATHS[:count])
        assert set(re.findall(r'data-path="(\w+)"', svg)) == set(PATHS[:count])


@pytest.mark.parametrize("path", PATHS)
def test_a_way_leads_from_right_to_left_along_horizontal_and_vertical_lines(path):
    legs = _legs(path)
    for leg in legs:
        for (x, y), (nx, ny) in zip(leg, leg[1:], strict=False):
            assert x == nx or y == ny
    points = [point for leg in legs for point in leg]
    assert legs[0][0][0] == max(x for x, _ in points)
    assert legs[-1][-1][0] == min(x for x, _ in points) > 0


def test_unknown_ways_are_refused():
    with pytest.raises(ValueError, match="the ways back are"):
        gradient_paths(show=("direct", "cell"))
    with pytest.raises(ValueError, match="update"):
        gradient_paths(highlight="update")
