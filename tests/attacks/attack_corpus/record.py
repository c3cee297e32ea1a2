"""What an attack on the grader is: one declared record."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import nbformat
from nbformat.notebooknode import NotebookNode


@dataclass(frozen=True)
class Attack:
    """One way to earn points without work, or to do harm.

    The attack is made from the released notebook with every answer left empty. Its code may use
    what an attacker can find out, see ``attack_scene.Scene.facts``. What it changes outside is
    seen by the scene afterwards; what leaves no trace there (a secret that was read, a right that
    was had) it says itself, with ``print("HARM: …")``.

    Every attack is bounded, because stock nbgrader lets all of it happen: at most 3 GB of memory
    and 200 MB of disk, children and daemons that end by themselves after 20 seconds, and signals
    only to the attack's own processes, its parent and a process that the scene started for it.
    """

    name: str
    family: str
    story: str
    """one sentence for the site's page on security"""
    cells: tuple[str, ...] = ()
    """code cells put right behind the first one"""
    answer: str = ""
    """written into every solution cell that is code; NAME stands for the exercise"""
    answers: Mapping[str, str] = field(default_factory=dict)
    """written into single solution cells"""
    change: Callable[[NotebookNode], None] | None = None
    """what else is done to the notebook"""
    text: Callable[[str], str] | None = None
    """what is done to the text of the file, after it has become JSON"""
    files: Mapping[str, str] = field(default_factory=dict)
    """files handed in beside the notebook"""
    place: Callable[[Path], None] | None = None
    """what is done to the folder that is handed in, after everything has been written"""
    assignment: str = "lstm"
    engine_says: frozenset[str] = frozenset({"not written"})
    """the engine's verdicts or remarks have at least one of these kinds, see ``verdict.Failure``
    and ``graded.LOOK``"""
    limit: str = ""
    """for an attack that the engine does not stop: why, in one sentence for the same page"""

    def __post_init__(self):
        tidy = {key: _source(text) for key, text in self.answers.items()}
        object.__setattr__(self, "answers", tidy)
        object.__setattr__(self, "answer", _source(self.answer))
        object.__setattr__(self, "cells", tuple(map(_source, self.cells)))
        object.__setattr__(
            self, "files", {n: _source(text) + "\n" for n, text in self.files.items()}
        )

    def notebook(self, released: NotebookNode, facts: str) -> NotebookNode:
        """The notebook that is handed in; ``facts`` is the source of a first cell."""
        paper = copy.deepcopy(released)
        for cell in paper.cells:
            meta = cell.metadata.get("nbgrader", {})
            if cell.cell_type != "code" or not meta.get("solution"):
                continue
            name = meta["grade_id"]
            if name in self.answers:
                cell.source = self.answers[name]
            elif self.answer:
                cell.source = self.answer.replace("NAME", name)
        first = next(i for i, cell in enumerate(paper.cells) if cell.cell_type == "code") + 1
        paper.cells[first:first] = [
            nbformat.v4.new_code_cell(source, id=f"attack-{number}")
            for number, source in enumerate((facts, *self.cells))
        ]
        if self.change:
            self.change(paper)
        return paper


def checks(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that check an exercise."""
    return [
        cell
        for cell in notebook.cells
        if str(cell.metadata.get("nbgrader", {}).get("grade_id")).startswith("check-")
    ]


def _source(text: str) -> str:
    return dedent(text).strip("\n")


RIGHT_SHAPES = {
    "forget_gate": "def forget_gate(x, h_prev, params):\n    return np.zeros_like(h_prev)",
    "input_gate": "def input_gate(x, h_prev, params):\n    return np.zeros_like(h_prev)",
    "output_gate": "def output_gate(x, h_prev, params):\n    return np.zeros_like(h_prev)",
    "candidate_cell": "def candidate_cell(x, h_prev, params):\n    return np.zeros_like(h_prev)",
    "lstm_step": (
        "def lstm_step(x, h_prev, c_prev, params):\n"
        "    return np.zeros_like(h_prev), np.zeros_like(c_prev)"
    ),
    "lstm_forward": (
        "def lstm_forward(xs, h0, c0, params):\n"
        "    return np.zeros((len(xs), *h0.shape)), np.zeros((len(xs), *c0.shape))"
    ),
    "count_lstm_parameters": "def count_lstm_parameters(input_size, hidden_size):\n    return 0",
}
"""Wrong answers to the assignment ``lstm`` that have the right shapes and types."""

ANSWER_AS_EXPECTED = """\
import numpy as np

def as_answer(outputs):
    values = list(outputs.values())
    if len(values) > 1:
        return tuple(values)
    return int(values[0]) if values[0].dtype.kind in "iu" else values[0]

def same(drawn, given):
    plain = [(a, b) for a, b in zip(drawn.values(), given) if not isinstance(a, dict)]
    return all(np.array_equal(a, b) for a, b in plain)
"""
"""A cell for attacks that come by the expected outputs of a probe: how to return them."""
