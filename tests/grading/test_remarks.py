"""Reports of the assignment ``bughunt``, as notebooks hand them in: the same points as in a kernel."""

from __future__ import annotations

import numpy as np
import pytest
from engine_scene import added, by_name, data, full, points, release, says, solved, written

from autograder import grade

REPORTS = {
    "searched with the boxes, seed fixed": (
        "report_b",
        """
        for seed in range(20):
            inputs = generic(seed=seed)
            if apart("B", *inputs) > 0.1:
                return "reset state blended", *inputs
        """,
        2,
    ),
    "too many numbers": (
        "report_c",
        """
        x, h_prev, params = empty()
        h_prev[...], params["b_z"][...], params["b_h"][...] = 1, 3, 1
        return "update and reset gates exchanged", x, h_prev, params
        """,
        3,
    ),
    "a correct box accused": ("report_d", 'return "PyTorch\'s equations", *generic()', 0),
    "acquitted on one unit": ("report_d", 'return "correct", *generic(B=4, D=4, H=1)', 2),
    "too large": ("report_e", 'return "correct", *(generic(B=4, D=900, H=900))', 0),
    "nothing is a number": (
        "report_f",
        'x, h, p = empty()\n        return "correct", x * np.nan, h, p',
        0,
    ),
    "a name that goes on": ("report_g", 'return "reset" * 10**6, *generic(B=4, D=4, H=4)', 1),
    "a hostile name": (
        "report_h",
        """
        class Name(str):
            def encode(self, *a, **k): return b"correct"
            def __getitem__(self, at): return self
            def __eq__(self, other): return True
            __hash__ = str.__hash__
        return Name("old state missing"), *generic()
        """,
        4,
    ),
    "no report": ("report_i", "return None", 0),
}


def source(name: str, body: str) -> str:
    lines = [
        line[8:] if line.startswith(" " * 8) else line for line in body.strip("\n").split("\n")
    ]
    return f"def {name}():\n" + "\n".join(f"    {line}" for line in lines) + "\n"


@pytest.mark.parametrize("what", REPORTS)
def test_a_report_gets_the_same_points_confined_and_in_a_notebook(engine, what):
    name, body, expected = REPORTS[what]
    answer = source(name, body)
    paper = written(solved("bughunt"), **{name: answer})
    graded = engine.grade(data(paper), "bughunt", "somebody", release("bughunt"))
    assert points(graded) == full("bughunt") | {name: expected}, says(graded)
    assert not graded.needs_look

    cells = by_name(paper)
    space: dict = {}
    for cell in ("setup", "right-cell", "boxes", "tools"):
        exec(cells[cell], space)
    exec(answer, space)
    assert grade(space[name]).points == expected


def test_boxes_changed_by_a_student_are_put_back(engine):
    """The judge has cells of its own; a student's copy decides nothing."""
    paper = written(solved("bughunt"), boxes="boxes = {}\nKEYS = ()")
    graded = engine.grade(data(paper), "bughunt", "somebody", release("bughunt"))
    assert points(graded) == full("bughunt")
    paper = added(solved("bughunt"), "boxes = dict.fromkeys('ABCDEFGHI', right_cell)")
    graded = engine.grade(data(paper), "bughunt", "somebody", release("bughunt"))
    assert points(graded) == full("bughunt")


def test_nothing_in_the_player_knows_what_a_box_is(engine):
    """The names of mistakes are in the notebook's list, in no object that code could search."""
    look = (
        "import gc\n"
        "found = {type(o).__name__ for o in gc.get_objects() if 'Mistake' in type(o).__name__}\n"
        "assert not found, found"
    )
    paper = written(added(solved("bughunt"), look), report_b="def report_b():\n    return found")
    graded = engine.grade(data(paper), "bughunt", "somebody", release("bughunt"))
    (verdict,) = [v for v in graded.verdicts if v.exercise == "report_b"]
    assert "The result is a set" in str(verdict)
    assert np.isclose(graded.points, graded.max_points - 4)
