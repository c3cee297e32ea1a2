"""Submissions as they really arrive, made fit for nbgrader.

Stock nbgrader stops at a renamed notebook, crashes on stripped metadata, forgets an empty
folder, loses a whole submission when one cell ends the kernel, and gives full marks to a check
that printed no number. The pieces below go into its documented extension points (see
``nbgrader_config.py``):

``prepare_submissions``  before a submission is read: renamed and missing notebooks
``TolerantExporter``     reading it: a file that is no notebook
``RestoreCells``         putting it in order: deleted, edited, duplicated cells, lost metadata
``ExecuteCells``         running it: a kernel that dies, a check without a score
"""

from __future__ import annotations

import re
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.exporters import NotebookExporter
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from nbgrader.preprocessors.execute import UnresponsiveKernelError
from traitlets.log import get_logger

UNREADABLE = (
    "**This file could not be read as a notebook.** It may have been cut off while it was "
    "uploaded. Open your notebook in Jupyter, save it, and hand it in again."
)

MOST_RESTARTS = 3
"""How often a submission may end its kernel before the rest of it is given up."""


def prepare_submissions(
    *, assignment: str, student: str, notebooks: list[str], course: str
) -> None:
    """nbgrader's hook before each submission. ``notebooks`` are its files, changed in place."""
    del assignment, student  # the patterns of the whole run, not of this submission
    if not notebooks:
        return
    folder = Path(notebooks[0]).parent
    with Gradebook(f"sqlite:///{Path(course, 'gradebook.db')}") as gradebook:
        try:
            expected = [n.name for n in gradebook.find_assignment(folder.name).notebooks]
        except MissingEntry:
            name = folder.name
            get_logger().error("Register %s first: nbgrader generate_assignment %s", name, name)
            return
        _record_missing(gradebook, folder.parents[1], folder.name)
    if len(expected) == 1:
        _recognize_renamed(folder, expected[0], notebooks)
    _complete_receipt(folder, notebooks)


def _recognize_renamed(folder: Path, name: str, notebooks: list[str]) -> None:
    """A single expected notebook that goes by another name, such as ``gru (1).ipynb``."""
    wanted = folder / f"{name}.ipynb"
    if wanted.exists() or not notebooks:
        return
    newest = max(notebooks, key=lambda path: Path(path).stat().st_mtime)
    shutil.copy2(newest, wanted)
    notebooks[:] = [str(wanted)]
    get_logger().info("%s: %r is graded as %s", folder.parent.name, Path(newest).name, wanted.name)


def _complete_receipt(folder: Path, notebooks: list[str]) -> None:
    """What ``nbgrader submit`` leaves beside a notebook, for submissions that were copied.

    ``nbgrader release_feedback`` stops at the first one without it.
    """
    secret, timestamp = folder / "submission_secret.txt", folder / "timestamp.txt"
    if not secret.exists():
        secret.write_text(secrets.token_hex(64), encoding="utf-8")
    if not timestamp.exists():
        saved = max(Path(path).stat().st_mtime for path in notebooks)
        when = datetime.fromtimestamp(saved, UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        timestamp.write_text(when, encoding="utf-8")
        get_logger().info("%s: no timestamp.txt; the file was saved %s", folder.parent.name, when)


def _record_missing(gradebook: Gradebook, submitted: Path, assignment: str) -> None:
    """A folder without a notebook counts as handed in with no points, instead of vanishing."""
    for folder in sorted(submitted.glob(f"*/{assignment}")):
        if not folder.is_dir() or any(folder.glob("*.ipynb")):
            continue
        student = folder.parent.name
        gradebook.update_or_create_student(student)
        submission = gradebook.update_or_create_submission(assignment, student)
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                grade.auto_score, grade.needs_manual_grade = 0, False
        gradebook.db.commit()


class TolerantExporter(NotebookExporter):
    """Reads a notebook; a file that is none becomes a notebook that says so."""

    def from_filename(self, filename, resources=None, **kw):
        self.filename = filename
        return super().from_filename(filename, resources, **kw)

    def from_file(self, file_stream, resources=None, **kw):
        try:
            notebook = nbformat.read(file_stream, as_version=4)
            for cell in notebook.cells:
                cell.setdefault("metadata", NotebookNode())
                cell["source"] = "".join(cell["source"])
                if cell["cell_type"] == "code":
                    cell.setdefault("execution_count", None)
                    cell.setdefault("outputs", [])
        except Exception:  # truncated JSON, wrong encoding, another format: all the same here
            self.log.info("%s is no notebook", self.filename)
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(UNREADABLE)])
        return self.from_notebook_node(notebook, resources=resources, **kw)


class RestoreCells(NbGraderPreprocessor):
    """Gives every graded cell its place, its metadata and, where locked, its original source.

    What belongs to the assignment is what the gradebook recorded from the released notebook. A
    student's answer is found by its metadata, else by its cell id, else by the name it defines.
    """

    def preprocess(self, nb, resources):
        info = resources["nbgrader"]
        with Gradebook(info["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(info["notebook"], info["assignment"])
            points = {cell.name: cell.max_score for cell in notebook.grade_cells}
            solutions = {cell.name for cell in notebook.solution_cells}
            official = [_Official(cell, points, solutions) for cell in notebook.source_cells]

        student = info["student"]
        found = _by_grade_id(nb.cells, {cell.name for cell in official})
        for cell in official:
            if cell.name not in found:
                match = _adopt(cell, nb.cells, found)
                if match is not None:
                    found[cell.name] = match
        edited = [
            known.name
            for known in official
            if known.locked and known.name in found and found[known.name].source != known.source
        ]
        if edited:
            self.log.info("%s: edited, the original counts: %s", student, ", ".join(edited))
        deleted = [known.name for known in official if known.name not in found]
        if deleted:
            which = "all cells" if len(deleted) == len(official) else ", ".join(deleted)
            self.log.info("%s: missing and put back: %s", student, which)
        self._insert_missing(nb, official, found)
        for known in official:
            known.stamp(found[known.name])
        return nb, resources

    def _insert_missing(self, nb, official, found):
        """Put deleted cells back behind the one that precedes them in the assignment."""
        previous = None
        for known in official:
            if known.name not in found:
                at = _position(nb.cells, found.get(previous)) + 1
                if known.function:
                    at = max(at, _last_definition(nb.cells, known.function) + 1)
                found[known.name] = known.new_cell()
                nb.cells.insert(at, found[known.name])
            previous = known.name


class _Official:
    """One cell of the released notebook, as the gradebook recorded it."""

    def __init__(self, cell, points: dict[str, float], solutions: set[str]):
        self.name, self.cell_type = cell.name, cell.cell_type
        self.source, self.locked = cell.source, cell.locked
        self.points, self.solution = points.get(cell.name), cell.name in solutions
        self.checksum = cell.checksum
        checked = re.match(r"check\((\w+)\)", self.source)
        self.function = checked.group(1) if checked else None
        """the function that a check cell checks"""

    def new_cell(self) -> NotebookNode:
        make = (
            nbformat.v4.new_code_cell if self.cell_type == "code" else nbformat.v4.new_markdown_cell
        )
        return make(self.source, id=self.name)

    def stamp(self, cell: NotebookNode) -> None:
        """Give a cell the type, the metadata and, where locked, the source it has to have."""
        if cell.cell_type != self.cell_type:
            cell.cell_type = self.cell_type
            for key in ("outputs", "execution_count", "attachments"):
                cell.pop(key, None)
            if self.cell_type == "code":
                cell.update(outputs=[], execution_count=None)
        if self.locked:
            cell.source = self.source
        meta = {
            "cell_type": self.cell_type,
            "checksum": self.checksum,
            "grade": self.points is not None,
            "grade_id": self.name,
            "locked": self.locked,
            "schema_version": 3,
            "solution": self.solution,
            "task": False,
        }
        if self.points is not None:
            meta["points"] = self.points
        # Nothing else survives: a tag on a check cell could keep it from being run.
        cell.metadata = nbformat.from_dict({"nbgrader": meta})


def _by_grade_id(cells: list[NotebookNode], known: set[str]) -> dict[str, NotebookNode]:
    """The cells by grade_id, the last of duplicates. All others lose their nbgrader metadata."""
    found: dict[str, NotebookNode] = {}
    for cell in reversed(cells):
        meta = cell.metadata.pop("nbgrader", None)
        grade_id = meta.get("grade_id") if isinstance(meta, dict) else None
        if isinstance(grade_id, str) and grade_id in known and grade_id not in found:
            found[grade_id] = cell
    return found


def _adopt(known: _Official, cells: list[NotebookNode], found: dict) -> NotebookNode | None:
    """The cell that plays the part of ``known`` although its metadata is lost."""
    taken = {id(cell) for cell in found.values()}
    free = [cell for cell in reversed(cells) if id(cell) not in taken]
    tests = [
        lambda cell: cell.get("id") == known.name,
        lambda cell: cell.source.strip() == known.source.strip(),
    ]
    if known.solution and known.cell_type == "code":
        tests.insert(0, lambda cell: cell.cell_type == "code" and _defines(cell.source, known.name))
    return next((cell for test in tests for cell in free if test(cell)), None)


def _defines(source: str, name: str) -> bool:
    return re.search(rf"^(def|class)\s+{name}\b|^{name}\s*=", source, re.MULTILINE) is not None


def _last_definition(cells: list[NotebookNode], name: str) -> int:
    defining = (
        i for i, c in enumerate(cells) if c.cell_type == "code" and _defines(c.source, name)
    )
    return max(defining, default=-1)


def _position(cells: list[NotebookNode], cell: NotebookNode | None) -> int:
    return next((i for i, other in enumerate(cells) if other is cell), -1)


class ExecuteCells(Execute):
    """Runs a submission. A cell that ends the kernel is left out, and the rest is run again."""

    def preprocess(self, nb, resources=None, km=None):
        self.deadly: dict[int, str] = {}
        while True:
            try:
                nb, resources = super().preprocess(nb, resources, km)
                break
            except (
                DeadKernelError,
                UnresponsiveKernelError,
                CellTimeoutError,
                TimeoutError,
            ) as error:
                self.deadly[self.running] = type(error).__name__
                self.log.info("Cell %d ended the kernel; running without it", self.running + 1)
                if len(self.deadly) > MOST_RESTARTS:
                    self.deadly.update(
                        {i: "GivenUp" for i in range(len(nb.cells)) if i not in self.deadly}
                    )
        for cell in nb.cells:
            _settle(cell)
        return nb, resources

    def preprocess_cell(self, cell, resources, index):
        self.running = index
        if index not in self.deadly:
            return super().preprocess_cell(cell, resources, index)
        if cell.cell_type == "code":
            cell.outputs = [
                _error(self.deadly[index], "This cell ended the kernel and was left out.")
            ]
        return cell, resources


def _settle(cell: NotebookNode) -> None:
    """Leave a check cell with exactly one score: a number within its points, or an error.

    nbgrader would count anything on stderr as a failure, no output at all as success, and crash
    on a number above the maximum.
    """
    meta = cell.metadata.get("nbgrader", {})
    if not meta.get("grade") or meta.get("solution") or cell.cell_type != "code":
        return
    kept = [o for o in cell.outputs if not (o.output_type == "stream" and o.name == "stderr")]
    if not any(output.output_type == "error" for output in kept):
        scores = [o.data.get("text/plain", "") for o in kept if o.output_type == "execute_result"]
        try:
            valid = len(scores) == 1 and 0 <= float(scores[0]) <= float(meta["points"])
        except ValueError:
            valid = False
        if not valid:
            kept.append(_error("NoScore", "This check gave no score. Was `check` redefined above?"))
    cell.outputs = kept


def _error(name: str, message: str) -> NotebookNode:
    return nbformat.v4.new_output(
        "error", ename=name, evalue=message, traceback=[f"{name}: {message}"]
    )
