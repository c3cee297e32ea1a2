"""The packages on which a notebook may count, in Jupyter as in grading."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from autograder.course.gated_memory import COURSE
from autograder.player import packages

REPOSITORY = Path(__file__).parents[2]


def declared() -> dict[str, Requirement]:
    """What the course's package needs, by name."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [Requirement(text) for text in project["dependencies"]]
    return {requirement.name: requirement for requirement in found}


def locked() -> dict[str, str]:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("==") for line in lines if "==" in line and line[0] != "#")
    return {name.lower(): version.split()[0] for name, _, version in pairs}


COUNTED_ON = packages.counted_on(COURSE.packages)


def test_the_list_has_everything_that_is_promised():
    assert {name for name, _ in COUNTED_ON} == {*packages.ALWAYS, *COURSE.packages}
    assert all(metadata.version(name) == version for name, version in COUNTED_ON)
    assert packages.counted_on(["surely-not-installed"]) == packages.counted_on()


@pytest.mark.parametrize(("name", "version"), COUNTED_ON)
def test_who_installs_the_course_has_them_in_jupyter(name, version):
    assert declared()[name].specifier.contains(version)
    assert locked()[name] == version.partition("+")[0], (
        "grading and Jupyter are tested with this version"
    )


def test_the_guide_lists_them():
    guide = (REPOSITORY / "book" / "teach" / "grade-a-class.md").read_text(encoding="utf-8")
    table = guide.partition("(packages-counted-on)=")[2].partition("(autograde)=")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    assert [tuple(row) for row in rows[1:]] == [
        (name, version.partition("+")[0]) for name, version in COUNTED_ON
    ]


@pytest.mark.parametrize("name", ["numpy", "torch", "matplotlib", "IPython"])
def test_they_can_be_imported_in_grading(engine, name):
    performance = engine.run([f"import {name}"], [COURSE.get("sigmoid")])
    assert performance.outputs[0] == [] and performance.remarks == []
