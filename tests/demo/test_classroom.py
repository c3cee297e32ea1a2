"""The made-up class is what its stories say, before anybody grades it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pytest

from autograder import grade
from autograder.course import classroom
from autograder.demo.run import Row, _lost
from autograder.material import notebooks

COURSE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def submitted(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("classroom")
    source = folder / "source.ipynb"
    source.write_text(notebooks.source_notebook(COURSE, "gru"), encoding="utf-8")
    classroom.hand_in(notebooks.release_path(COURSE, "gru"), source, folder / "submitted")
    return folder / "submitted"


def test_everybody_hands_something_in(submitted):
    names = [student.name for student in classroom.CLASS]
    assert len(set(names)) == len(names)
    assert {folder.name for folder in submitted.iterdir()} == set(names)
    assert {
        s.name for s in classroom.CLASS if not list((submitted / s.name / "gru").glob("*.ipynb"))
    } == {"lea"}


def test_no_submission_shows_where_its_answers_come_from(submitted):
    for path in submitted.rglob("*.ipynb"):
        assert "SOLUTION" not in path.read_text(encoding="utf-8"), path


def test_the_untouched_submission_is_the_released_notebook(submitted):
    released = nbformat.read(notebooks.release_path(COURSE, "gru"), as_version=4)
    assert nbformat.read(submitted / "fay" / "gru" / "gru.ipynb", as_version=4) == released


@pytest.mark.parametrize(
    ("name", "source", "mistake"),
    [
        ("gru_step", classroom.SWAPPED_UPDATE, "z and 1 - z swapped"),
        ("candidate_state", classroom.RESET_AFTER, "reset after the matrix product"),
        ("gru_step_torch", classroom.GATES_Z_R_N, "gates read in the order z, r, n"),
    ],
)
def test_the_three_wrong_answers_are_catalogued_mistakes(name, source, mistake):
    space = {"np": np, "sigmoid": lambda a: 0.5 * (1 + np.tanh(0.5 * a))}
    for helper in ("update_gate", "reset_gate", "candidate_state"):
        exec(_solution(helper), space)
    exec(source, space)
    verdict = grade(space[name])
    assert not verdict.passed
    assert verdict.mistake.name == mistake


def _solution(name: str) -> str:
    cells = nbformat.reads(notebooks.source_notebook(COURSE, "gru"), as_version=4).cells
    source = next(c.source for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)
    return "from __future__ import annotations\n" + source


def test_the_table_says_what_was_lost_and_that_a_file_was_not_read():
    known = Row("gus", "", 24, 30, {"It defines none.": ["reset_gate 0/2"]}, False, None)
    assert _lost(known) == ["It defines none: reset_gate 0/2"]
    unread = Row("nia", "", None, 30, {"not written yet": ["all checks"]}, False, None)
    assert _lost(unread) == ["could not be read"]
