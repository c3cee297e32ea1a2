"""The cell and line that a card names when an answer is not where it should be."""

from __future__ import annotations

import pytest
from engine_scene import added, by_name, data, place, release, solved, written

RIGHT = by_name(solved("gru"))
GOOD = RIGHT["update_gate"]


def graded(engine, paper):
    grade = engine.grade(data(paper), "gru", "somebody", release("gru"))
    return {verdict.exercise: verdict for verdict in grade.verdicts}


def cell_number(paper, grade_id: str) -> int:
    """The number of a cell, from 1, among code cells."""
    at = place(paper, grade_id)
    return sum(cell["cell_type"] == "code" for cell in paper["cells"][: at + 1])


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            GOOD.replace("def update_gate", "def update_gat"),
            "defines update_gat. Its name has to be",
        ),
        (
            GOOD.replace("def update_gate", "def updategate"),
            "defines updategate. Its name has to be",
        ),
        (GOOD + "\nprint((1", "raises SyntaxError: '(' was never closed"),
        ("import seaborn\n" + GOOD, "raises ModuleNotFoundError: No module named 'seaborn'"),
        (
            "1 / 0\n" + GOOD,
            "raises ZeroDivisionError: division by zero (line 1 in <module>: 1 / 0)",
        ),
        ("def mine():\n    " + GOOD.replace("\n", "\n    "), "line 2 defines update_gate inside"),
    ],
)
def test_a_function_that_is_not_there_is_looked_for(engine, source, says):
    paper = written(solved("gru"), update_gate=source)
    verdict = graded(engine, paper)["update_gate"]
    assert verdict.failure.kind in ("undefined", "package")
    assert says in " ".join(verdict.notes), verdict.notes
    assert f"Cell {cell_number(paper, 'update_gate')}" in " ".join(verdict.notes)
    assert says.split()[-1] in " ".join(str(verdict).split())


def test_a_name_that_a_failed_cell_should_have_given_is_traced_to_it(engine):
    source = GOOD.replace("np.concatenate", "stacked")
    paper = added(
        solved("gru"),
        "import seaborn\nfrom numpy import concatenate as stacked",
        before="update_gate",
    )
    verdict = graded(engine, written(paper, update_gate=source))["update_gate"]
    at = cell_number(paper, "update_gate") - 1
    assert verdict.notes[0].startswith(
        f"Cell {at} raises ModuleNotFoundError: No module named 'seaborn'"
    )
    assert verdict.notes[0].endswith("so what follows there was not defined.")


def test_a_name_from_a_cell_that_fails_in_another_way_is_traced_too(engine):
    source = GOOD.replace("np.concatenate", "stacked")
    cell = "print(1 / 0)\nfrom numpy import concatenate as stacked"
    paper = added(solved("gru"), cell, before="update_gate")
    verdict = graded(engine, written(paper, update_gate=source))["update_gate"]
    assert "ZeroDivisionError" in verdict.notes[0]
    assert verdict.notes[0].endswith("so stacked was never defined.")


def test_of_two_definitions_the_card_says_which_one_counts(engine):
    wrong = GOOD.replace("return ", "return 1 - ")
    paper = written(added(solved("gru"), wrong, before="check-update_gate"), update_gate=GOOD)
    verdict = graded(engine, paper)["update_gate"]
    first = cell_number(paper, "update_gate")
    assert not verdict.passed
    note = f"update_gate is defined in cell {first} and again in cell "
    assert verdict.notes[0].startswith(note), verdict.notes
    assert verdict.notes[0].endswith("line 1; the last one counts.")


def test_a_right_paper_has_no_such_notes(engine):
    assert not any("defined" in " ".join(v.notes) for v in graded(engine, solved("gru")).values())
