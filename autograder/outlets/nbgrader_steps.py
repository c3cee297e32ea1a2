"""Submissions as they really arrive, made fit for nbgrader.

Stock nbgrader stops at a renamed notebook, crashes on stripped metadata, forgets an empty
folder, loses a whole submission when one cell ends the kernel, and gives full marks to a check
that printed no number. The pieces below go into its documented extension points (see
``nbgrader_config.py``):

``find_as_we_do``        before all: which file of a submission counts, whatever it is called
``prepare_submissions``  before a submission is read: an assignment that is not registered
``TolerantExporter``     reading it: a file that is no notebook
``RestoreCells``         putting it in order: deleted, edited, duplicated cells, lost metadata
``RunConfined``          grading it with the course's engine, confined
``SaveWhatWaits``        afterwards: what is no grade, or waits for a person
``keep_what_is_ours``    afterwards: files that came along
``ExportWithGaps``       ``nbgrader export``: no number where there is no grade
``ExecuteCells``         running it as nbgrader does, unconfined: a kernel that dies, a check
                         without a score
"""

from __future__ import annotations

import atexit
import contextlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from glob import glob
from hashlib import sha256
from pathlib import Path

import bleach
import nbformat
from jinja2 import pass_context
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.exporters import NotebookExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.notebooknode import NotebookNode
from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from nbgrader.preprocessors.execute import UnresponsiveKernelError
from sqlalchemy.engine import make_url
from traitlets import Bool, Float
from traitlets.log import get_logger

from autograder.checking.points import rounded
from autograder.grading.engine import Engine
from autograder.grading.graded import Graded
from autograder.grading.stage import CELL_SECONDS
from autograder.material import papers, restoring
from autograder.material.collect import (
    MOST_OF_A_RECEIPT,
    RECEIPTS,
    Submission,
    complete_receipt,
    submission_in,
)
from autograder.material.config import CourseError, course_of, nbgrader_settings
from autograder.material.papers import Release
from autograder.material.remarks import NO_PAPER, REPAIRED, Remark, other_assignment

BESIDE = ("timestamp.txt", "submission_secret.txt", "grade.json")
"""The files that belong beside a graded notebook."""

MOST_RESTARTS = 3
"""How often a submission may end its kernel before the rest of it is given up."""


_at_hand: dict[str, Submission] = {}
"""What was handed in, by the path at which nbgrader reads it."""


HANDED_IN = "_build/handed_in"
"""Where nbgrader finds each submission as one notebook of the assignment's name."""


def find_as_we_do() -> None:
    """Let ``nbgrader autograde`` and the formgrader find what was handed in as ``autograder`` does.

    nbgrader looks for ``*.ipynb`` before it asks any of its extension points: what goes by another
    name, a folder in the folder or an empty one would never be graded, and nobody would know.
    """
    Autograde.start = _start


_nbgraders_own = Autograde.start


def _start(self: Autograde) -> None:
    """Grade copies of what counts: what was handed in, and whatever lies beside it, stays as it is."""
    course = self.coursedir
    submitted = course.submitted_directory
    folders = sorted(glob(self._format_source(course.assignment_id, course.student_id)))
    _at_hand.clear()
    try:
        if folders and course.notebook_id == "*":
            course.submitted_directory = HANDED_IN
            made = cache(lambda name: _made_or_none(Path(course.root), name))
            for folder in map(Path, folders):
                if folder.is_dir() or folder.is_symlink():
                    _lay_out(self, folder, partial(made, folder.name))
        _nbgraders_own(self)
    finally:  # the formgrader goes on using this object
        course.submitted_directory = submitted


def _lay_out(self: Autograde, folder: Path, release: Callable[[], Release]) -> None:
    """Copy the notebook that counts, and its receipts, to where nbgrader looks. Raises OSError."""
    student, name = folder.parent.name, folder.name
    found = submission_in(student, folder, name, release)
    place = Path(self._format_source(name, student))
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if not folder.is_symlink():
        try:
            complete_receipt(found)
        except OSError as error:
            get_logger().warning("Nothing can be written in %s (%s)", folder, error.strerror)
    for receipt in RECEIPTS:
        with contextlib.suppress(OSError):
            (place / receipt).write_bytes(papers.read_file(folder / receipt, MOST_OF_A_RECEIPT))
    notebook = place / f"{name}.ipynb"
    notebook.touch()  # what is in it, ``TolerantExporter`` reads where it was handed in
    _at_hand[str(notebook)] = found


def prepare_submissions(
    *, assignment: str, student: str, notebooks: list[str], course: str
) -> None:
    """nbgrader's hook before each submission. ``notebooks`` are its files."""
    del assignment, student  # the patterns of the whole run, not of this submission
    for notebook in notebooks[:1]:
        name = Path(notebook).parent.name
        with Gradebook(_gradebook_url(Path(course))) as gradebook:
            try:
                gradebook.find_assignment(name)
            except MissingEntry:
                get_logger().error(
                    "Register %s first: nbgrader generate_assignment %s (where it is released "
                    "already, add --force)",
                    name,
                    name,
                )


@cache
def _gradebook_url(course: Path) -> str:
    """Where nbgrader itself keeps the gradebook; it makes one where there is none."""
    configured = CourseDirectory(config=nbgrader_settings(course)).db_url
    url = make_url(configured)
    if url.get_backend_name() == "sqlite" and url.database:
        url = url.set(database=str(course / url.database))
    return url.render_as_string(hide_password=False)


class TolerantExporter(NotebookExporter):
    """Reads a notebook; a file that is none becomes a notebook that says so."""

    def from_filename(self, filename, resources=None, **kw):
        """The notebook in a file, as nbconvert hands it on; see the class."""
        path = Path(filename)
        data, reason = b"", ""
        mended: list[str] = []
        found = _at_hand.get(str(path))
        problem = found.problem if found else None
        try:
            data = found.read() if found else papers.read_file(path)
            paper = papers.read(data, mended)
        except OSError as error:
            reason = f"It could not be opened ({error.strerror})."
        except papers.Unreadable as error:
            reason = str(error)
        if reason:
            self.log.info("%s is no notebook. %s", path, reason)
            paper = papers.unreadable_paper(reason)
        paper["metadata"]["submitted"] = {
            "digest": sha256(data).hexdigest(),
            "unreadable": reason,
            "mended": mended,
            "problem": vars(problem) if problem else None,
        }
        resources = dict(resources or {})
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        return self.from_notebook_node(nbformat.from_dict(paper), resources=resources, **kw)


_noticed: dict[tuple[str, str], tuple[str, list[Remark], Release]] = {}
"""Digest, remarks and release of a submission between nbgrader's two passes, by assignment and
student."""


class RestoreCells(NbGraderPreprocessor):
    """Gives every graded cell its place, its metadata and, where locked, its original source.

    What belongs to the assignment is what the gradebook recorded from the released notebook.
    """

    def preprocess(self, nb, resources):
        """Put a submitted notebook in order, by what the gradebook has of the released one."""
        info = resources["nbgrader"]
        with Gradebook(info["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(info["notebook"], info["assignment"])
            points = {cell.name: cell.max_score for cell in notebook.grade_cells}
            solutions = {cell.name for cell in notebook.solution_cells}
            official = [
                papers.Official(
                    cell.name,
                    cell.cell_type,
                    cell.source,
                    cell.locked,
                    cell.name in solutions,
                    points.get(cell.name),
                    cell.checksum,
                )
                for cell in notebook.source_cells
            ]
        submitted = dict(nb.metadata.pop("submitted", {}))
        problem = submitted.get("problem")
        remarks = [Remark(**problem)] if problem else []
        mended = list(submitted.get("mended", ()))
        release = _release(self.config, info["assignment"], tuple(official))
        if restoring.is_of_another(nb, release):
            remarks.append(Remark("unreadable", other_assignment(release.assignment)))
        restored = restoring.restore(nb, release)
        if submitted.get("unreadable"):
            says = f"The file is no notebook. {submitted['unreadable']}"
            remarks.append(Remark("unreadable", says))
        if not any(remark.kind in NO_PAPER for remark in remarks):
            mended += restored.sentences()
        remarks += [Remark(REPAIRED, says) for says in mended]
        for remark in remarks:
            self.log.info("%s: %s", info["student"], remark.says)
        _noticed[info["assignment"], info["student"]] = (
            submitted.get("digest", ""),
            remarks,
            release,
        )
        return nbformat.from_dict(nb), resources


_made = cache(papers.release_of)


def _made_or_none(course: Path, assignment: str) -> Release:
    """What students were given, or nothing where the course has no source of it."""
    try:
        return _made(course, assignment)
    except CourseError:
        return papers.NO_RELEASE


def _release(config, assignment: str, official: tuple[papers.Official, ...]) -> Release:
    """What students were given: the graded and locked cells as the gradebook has them, and all
    others from the assignment's source, where it still is what was given out.
    """
    code = tuple(cell.source for cell in official if cell.cell_type == "code")
    recorded = Release(assignment=assignment, official=official, given=code)
    made = _made_or_none(Path(CourseDirectory(config=config).root), assignment)
    return made if made.official == official else recorded


class RunConfined(NbGraderPreprocessor):
    """Grades a submission with the course's engine, in place of nbgrader's ``Execute``.

    The verdicts become the outputs of the check cells, where nbgrader reads the scores. Beside
    the graded notebook it leaves ``grade.json``, from which the class report is made.
    """

    accept_less_confinement = Bool(
        False, help="Grade also where submissions cannot be confined in full."
    ).tag(config=True)
    cell_seconds = Float(CELL_SECONDS, help="Seconds that a cell may take.").tag(config=True)

    def preprocess(self, nb, resources):
        """Grade a submitted notebook that is in order, and leave its grade beside it."""
        info = resources["nbgrader"]
        nb.metadata.pop("submitted", None)  # of the copy between the two passes
        digest, remarks, release = _noticed.pop(
            (info["assignment"], info["student"]), ("", [], papers.NO_RELEASE)
        )
        _require_checks(release)
        folder = Path(CourseDirectory(config=self.config).root)
        engine = _shared_engine(folder, self.accept_less_confinement, self.cell_seconds)
        asked = engine.asked(info["assignment"], release)
        graded = engine.grade_paper(nb, asked, release, info["student"], remarks)
        for remark in graded.remarks[len(remarks) :]:
            self.log.info("%s: %s", info["student"], remark.says)
        Path(resources["metadata"]["path"], "grade.json").write_text(
            replace(graded, digest=digest).to_json(), encoding="utf-8"
        )
        return nbformat.from_dict(nb), resources


class SaveWhatWaits(NbGraderPreprocessor):
    """Settles what waits for a person: what could not be read, and a written answer that was
    changed, or that nobody can find. It comes after nbgrader's ``SaveAutoGrades``, which knows
    changed cells only.
    """

    def preprocess(self, nb, resources):
        """Give back the scores in question; the notebook stays as it is."""
        info = resources["nbgrader"]
        path = Path(resources["metadata"]["path"], "grade.json")
        graded = Graded.from_json(path.read_text(encoding="utf-8"))
        written = dict(graded.written)
        with Gradebook(info["db_url"]) as gradebook:
            found = gradebook.find_submission_notebook(
                info["notebook"], info["assignment"], info["student"]
            )
            for grade in found.grades:
                if graded.no_grade or written.get(grade.name, "") is None:
                    grade.auto_score, grade.needs_manual_grade = None, True
                elif written.get(grade.name) is False and grade.manual_score is None:
                    grade.auto_score, grade.needs_manual_grade = 0.0, False
            for comment in found.comments:
                if graded.no_grade or written.get(comment.name, "") is None:
                    comment.auto_comment = None
            gradebook.db.commit()
        return nb, resources


class ExportWithGaps(CsvExportPlugin):
    """nbgrader's table of points, with empty scores where a submission has no grade: nbgrader
    itself counts a check without a score as 0. Sums of points have the two decimals that points have.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to ``self.to``, or to ``grades.csv``."""
        super().export(gradebook)
        path = Path(self.to or "grades.csv")
        titles, *lines = path.read_text().splitlines()
        waiting = _waiting(gradebook)
        for number, line in enumerate(lines):
            assignment, _, _, student, *_ = line.split(",")
            fields, raw, penalty, score, most = line.rsplit(",", 4)
            if (assignment, student) in waiting:
                raw = score = ""
            else:  # the database adds up as it comes: 0.1 + 0.2 is 0.30000000000000004
                raw, score = (str(rounded(float(points))) for points in (raw, score))
            lines[number] = f"{fields},{raw},{penalty},{score},{most}"
        path.write_text("\n".join([titles, *lines]) + "\n")


def _waiting(gradebook: Gradebook) -> set[tuple[str, str]]:
    """Assignment and student of every submission in which a check has no score, neither nbgrader's
    nor a person's; one question to the database, however large the class."""
    scores = gradebook.db.query(Assignment.name, SubmittedAssignment.student_id)
    scores = scores.join(SubmittedAssignment, SubmittedAssignment.assignment_id == Assignment.id)
    scores = scores.join(
        SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id
    )
    scores = scores.join(Grade, Grade.notebook_id == SubmittedNotebook.id)
    scores = scores.join(BaseCell, BaseCell.id == Grade.cell_id)
    unscored = Grade.auto_score.is_(None), Grade.manual_score.is_(None)
    found = scores.filter(BaseCell.name.startswith("check-"), *unscored).distinct()
    return {(assignment, student) for assignment, student in found}


def _require_checks(release: Release) -> None:
    """Raise NbGraderException where a graded cell is a test of another kind than a check."""
    for known in release.official:
        if known.points is not None and not known.solution and not known.function:
            raise NbGraderException(
                f"{release.assignment}: the test {known.name} is no check of an exercise, and what "
                "else it does cannot be graded apart from the student's code. To run this "
                "assignment's tests as nbgrader does, unconfined, put ExecuteCells in place of "
                "RunConfined in nbgrader_config.py."
            )


@cache
def _shared_engine(folder: Path, accept_less: bool, cell_seconds: float) -> Engine:
    """One engine for all submissions of this process: its zygotes stay warm."""
    engine = Engine(course_of(folder), accept_less=accept_less, cell_seconds=cell_seconds)
    atexit.register(engine.close)
    return engine


def keep_what_is_ours(*, assignment: str, student: str, notebooks: list[str], course: str) -> None:
    """nbgrader's hook after each submission: remove files that came along with the notebook.

    nbgrader copies them, links followed, and later copies them on to the feedback folder.
    """
    del assignment, student
    for notebook in notebooks:
        submitted = Path(notebook)
        graded = Path(course, "autograded", *submitted.parts[-3:-1])
        for path in sorted(graded.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            elif path.name not in (submitted.name, *BESIDE):
                path.unlink()


class ExecuteCells(Execute):
    """Runs a submission. A cell that ends the kernel is left out, and the rest is run again."""

    def preprocess(self, nb, resources=None, km=None):
        """Run a notebook in a kernel, as often as it takes to get past what ends the kernel."""
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
        """Run one cell, or say why it was left out."""
        self.running = index
        if index not in self.deadly:
            return super().preprocess_cell(cell, resources, index)
        if cell.cell_type == "code":
            cell.outputs = [
                _error(self.deadly[index], "This cell ended the kernel and was left out.")
            ]
        return cell, resources


@pass_context
def safe_markdown(context, source: str) -> str:
    """HTML of a text cell, of tags that can do nothing but show text, with no link to a script.

    nbgrader's pages leave out the step with which nbconvert cleans HTML.
    """
    attachments = (context.get("cell") or {}).get("attachments") or {}
    renderer = IPythonRenderer(escape=False, attachments=attachments)
    html = MarkdownWithMath(renderer=renderer).render(source)
    return bleach.clean(html, _MARKDOWN_TAGS, _harmless, {"http", "https", "mailto", "data"})


_MARKDOWN_TAGS = set(
    "p h1 h2 h3 h4 h5 h6 a img em strong del code pre blockquote ul ol li hr br div span "
    "table thead tbody tr th td details summary b i u s sub sup kbd small".split()
)


def _harmless(tag: str, name: str, value: str) -> bool:
    if name in ("href", "src"):
        return tag == "img" or not value.strip().lower().startswith("data:")
    return name in ("class", "id", "alt", "title")


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
