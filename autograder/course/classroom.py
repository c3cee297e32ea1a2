"""A small class with the usual accidents: sample submissions made from the released notebook.

Each student is declared once: what they handed in, in a sentence, and how the notebook was changed.
The tests grade this class with nbgrader's commands, and so does ``autograder demo``.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

ASSIGNMENT = "gru"
NOTEBOOK = f"{ASSIGNMENT}.ipynb"

NUMPY_FUNCTIONS = (
    "update_gate",
    "reset_gate",
    "candidate_state",
    "gru_step",
    "gru_forward",
    "flip_update_gate",
    "gru_step_torch",
)
ALL_FUNCTIONS = (*NUMPY_FUNCTIONS, "GRULayer", "count_gru_parameters")

WRITTEN_ANSWER = (
    "Flipping the sign of W_z and b_z takes care of the update gate. The reset gate is the reason: "
    "I multiply r with the state before the matrix product, torch multiplies the product. "
    "With H = 1 both are the same."
)

SWAPPED_UPDATE = """\
def gru_step(x, h_prev, params):
    z = update_gate(x, h_prev, params)
    r = reset_gate(x, h_prev, params)
    candidate = candidate_state(x, h_prev, r, params)
    return z * h_prev + (1 - z) * candidate
"""

RESET_AFTER = """\
def candidate_state(x, h_prev, r, params):
    H = h_prev.shape[1]
    W_state, W_input = params["W_h"][:, :H], params["W_h"][:, H:]
    return np.tanh(x @ W_input.T + params["b_h"] + r * (h_prev @ W_state.T))
"""

GATES_Z_R_N = """\
def gru_step_torch(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    i_z, i_r, i_n = np.split(x @ weight_ih.T + bias_ih, 3, axis=1)
    h_z, h_r, h_n = np.split(h_prev @ weight_hh.T + bias_hh, 3, axis=1)
    z = sigmoid(i_z + h_z)
    r = sigmoid(i_r + h_r)
    n = np.tanh(i_n + r * h_n)
    return (1 - z) * n + z * h_prev
"""

SYNTAX_ERROR = """\
def reset_gate(x, h_prev, params):
    joined = np.concatenate([h_prev, x], axis=1
    return sigmoid(joined @ params["W_r"].T + params["b_r"])
"""

ENDLESS_LOOP = """\
def gru_forward(xs, h0, params):
    h, t = h0, 0
    while t < len(xs):
        h = gru_step(xs[t], h, params)
    return h
"""

ENDS_THE_KERNEL = """\
import os
os._exit(1)
"""


class Submission:
    """A notebook somebody hands in: the released one, changed cell by cell."""

    def __init__(self, released: NotebookNode, solved: NotebookNode):
        self.notebook = copy.deepcopy(released)
        self._solved = solved
        self.filename: str | None = NOTEBOOK
        self.cut_off = False
        self.extra_files: dict[str, str] = {}

    def cell(self, grade_id: str) -> NotebookNode:
        """The cell with this id of nbgrader's; raises KeyError where there is none."""
        return _cell(self.notebook, grade_id)

    def solve(self, *names: str) -> None:
        """Write the right answer into these solution cells."""
        for name in names:
            self.write(name, _cell(self._solved, name).source)

    def write(self, grade_id: str, source: str) -> None:
        """Replace the source of a cell."""
        self.cell(grade_id).source = source.rstrip("\n")

    def delete(self, *grade_ids: str) -> None:
        """Take cells out of the notebook."""
        gone = [id(self.cell(grade_id)) for grade_id in grade_ids]
        self.notebook.cells = [cell for cell in self.notebook.cells if id(cell) not in gone]

    def insert_before(self, grade_id: str, source: str) -> None:
        """Put a new code cell before the one with this id of nbgrader's."""
        at = [id(cell) for cell in self.notebook.cells].index(id(self.cell(grade_id)))
        self.notebook.cells.insert(at, nbformat.v4.new_code_cell(source.rstrip("\n"), id="extra"))

    def strip_metadata(self) -> None:
        """What some other editors do on saving: no cell metadata, new cell ids."""
        for number, cell in enumerate(self.notebook.cells):
            cell.metadata = NotebookNode()
            cell.id = f"cell-{number}"

    def write_to(self, folder: Path) -> None:
        """Hand in: make ``folder`` and put everything there, with nbgrader's time stamp."""
        folder.mkdir(parents=True)
        (folder / "timestamp.txt").write_text("2026-03-02 18:00:00 UTC\n", encoding="utf-8")
        for name, text in self.extra_files.items():
            (folder / name).write_text(text, encoding="utf-8")
        if self.filename:
            text = nbformat.writes(self.notebook, version=4)
            text = text[: len(text) // 2] if self.cut_off else text
            (folder / self.filename).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Student:
    """Somebody in the class: ``story`` says what they handed in, ``work`` makes it of the release."""

    name: str
    story: str
    work: Callable[[Submission], None] = field(repr=False)


def _perfect(theirs: Submission) -> None:
    theirs.solve(*ALL_FUNCTIONS)
    theirs.write("why-not-torch", WRITTEN_ANSWER)


def _numpy_only(theirs: Submission) -> None:
    theirs.solve("update_gate", "reset_gate", "candidate_state", "gru_step", "count_gru_parameters")


def _wrong(name: str, source: str) -> Callable[[Submission], None]:
    def work(theirs: Submission) -> None:
        theirs.solve(*ALL_FUNCTIONS)
        theirs.write(name, source)

    return work


def _deleted(theirs: Submission) -> None:
    theirs.solve(*ALL_FUNCTIONS)
    theirs.delete("reset_gate", "check-reset_gate", "check-gru_step", "check-count_gru_parameters")


def _edited_checks(theirs: Submission) -> None:
    theirs.solve("update_gate")
    for name in ALL_FUNCTIONS:
        check = theirs.cell(f"check-{name}")
        check.source = f"{float(check.metadata.nbgrader.points)}"
        check.metadata.nbgrader.points = 100


def _renamed(theirs: Submission) -> None:
    theirs.solve(*ALL_FUNCTIONS)
    theirs.filename = "gru (1) final.ipynb"


def _nothing(theirs: Submission) -> None:
    theirs.filename = None


def _stripped(theirs: Submission) -> None:
    theirs.solve(*ALL_FUNCTIONS)
    theirs.strip_metadata()


def _cut_off(theirs: Submission) -> None:
    theirs.solve(*ALL_FUNCTIONS)
    theirs.cut_off = True


def _kernel_ends(theirs: Submission) -> None:
    theirs.solve(*ALL_FUNCTIONS)
    theirs.insert_before("gru_forward", ENDS_THE_KERNEL)


def _duplicated(theirs: Submission) -> None:
    """A first try kept above the right answer, and a file whose name hides a module."""
    theirs.solve(*ALL_FUNCTIONS)
    cells = theirs.notebook.cells
    at = [id(cell) for cell in cells].index(id(theirs.cell("candidate_state")))
    first_try = copy.deepcopy(cells[at])
    first_try.update(source=RESET_AFTER, id="first-try")
    cells.insert(at, first_try)
    theirs.extra_files["random.py"] = "raise ImportError('this is not the standard library')\n"


def _check_redefined(theirs: Submission) -> None:
    theirs.solve("update_gate")
    theirs.insert_before("check-update_gate", "check = print")


CLASS = (
    Student("ada", "everything right, question answered", _perfect),
    Student("ben", "the first four and the count right, the rest empty", _numpy_only),
    Student("cleo", "gru_step with z and 1 - z swapped", _wrong("gru_step", SWAPPED_UPDATE)),
    Student("dev", "reset gate after the product", _wrong("candidate_state", RESET_AFTER)),
    Student("eli", "torch's rows read as z, r, n", _wrong("gru_step_torch", GATES_Z_R_N)),
    Student("fay", "handed in untouched", lambda theirs: None),
    Student("gus", "a missing bracket in reset_gate", _wrong("reset_gate", SYNTAX_ERROR)),
    Student("hana", "an endless loop in gru_forward", _wrong("gru_forward", ENDLESS_LOOP)),
    Student("ivo", "reset_gate and three checks deleted", _deleted),
    Student("june", "checks replaced by their points", _edited_checks),
    Student("kai", "right, but the notebook is renamed", _renamed),
    Student("lea", "an empty folder", _nothing),
    Student("mio", "right, but all cell metadata is lost", _stripped),
    Student("nia", "a file cut off in the middle", _cut_off),
    Student("otto", "a cell that ends the kernel", _kernel_ends),
    Student("pia", "a wrong first try left above the answer", _duplicated),
    Student("quinn", "check redefined as print", _check_redefined),
)


def hand_in(released: Path, solved: Path, submitted: Path, assignment: str = ASSIGNMENT) -> None:
    """Write everybody's submission to ``submitted/<student>/<assignment>/``.

    ``released`` is the notebook for students, ``solved`` the source notebook with the answers.
    """
    empty = nbformat.read(released, as_version=4)
    answers = nbformat.read(solved, as_version=4)
    for cell in answers.cells:
        cell.source = re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", cell.source, flags=re.MULTILINE)
    for student in CLASS:
        theirs = Submission(empty, answers)
        student.work(theirs)
        theirs.write_to(submitted / student.name / assignment)


def _cell(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    raise KeyError(grade_id)
