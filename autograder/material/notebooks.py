"""From one text source to the notebook students open.

``solutions/gru.py`` (text) → ``_build/source/gru/gru.ipynb`` (with answers, for nbgrader) →
``notebooks/gru/gru.ipynb`` (without answers, committed). The last step is nbgrader's own
``GenerateAssignment``, run in a scratch folder without a gradebook, so that a failure leaves
the old release in place. The same source gives the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

MARKER = "nbgrader_config.py"
"""The file that makes a folder a course."""

NOT_INSTALLED = """\
# Run this cell first.
try:
    import autograder
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        "The course's package is not installed in this Python. In a "
        "terminal, go to the course folder, run `pip install -e .`, "
        "then restart this notebook's kernel."
    ) from None
"""

INSTALL = """\
# Run this cell first.
try:
    import autograder
except ModuleNotFoundError:  # on Colab, for instance: install the course's package once
    %pip install --quiet "gated-memory @ git+{url}@{branch}"
"""


class CourseError(Exception):
    """A problem the person at the keyboard can fix; the message says how."""


def find_course(start: Path | None = None) -> Path:
    """The course folder that contains ``start`` (the current folder, unless told)."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / MARKER).is_file() and (folder / "solutions").is_dir():
            return folder
    raise CourseError(
        f"{start} is not inside the course: no folder above it holds {MARKER} and solutions/. "
        "Change to the course folder, or name it with --course."
    )


def assignments(course: Path) -> list[str]:
    """The names of all assignments: one text source each."""
    return sorted(path.stem for path in (course / "solutions").glob("*.py"))


def require_assignment(course: Path, name: str) -> None:
    """Raise CourseError, with the names there are, when an assignment has no text source."""
    if name not in assignments(course):
        known = ", ".join(assignments(course)) or "none"
        raise CourseError(f"There is no solutions/{name}.py (assignments here: {known}).")


def release_path(course: Path, name: str) -> Path:
    return course / "notebooks" / name / f"{name}.ipynb"


def source_path(course: Path, name: str) -> Path:
    return course / "_build" / "source" / name / f"{name}.ipynb"


def source_notebook(course: Path, name: str) -> str:
    """The source notebook as JSON: answers in, points and cell ids filled in."""
    import jupytext
    import nbformat

    require_assignment(course, name)
    text = course / "solutions" / f"{name}.py"
    notebook = jupytext.read(text, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}}
    )
    _add_points(notebook, text.name)
    fill = _Placeholders(course, notebook)
    ids: set[str] = set()
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        cell.source = fill(cell.source)
        cell.id = _cell_id(cell, ids)
    nbformat.validate(notebook)
    return _dump(notebook)


def solution_page(text: str):
    """A text source as the website's page of solutions, a notebook to be executed.

    MyST-NB calls this for ``solutions/*.py`` (``nb_custom_formats`` in _config.yml).
    """
    import jupytext
    import nbformat

    notebook = jupytext.reads(text, fmt="py:percent")
    _add_points(notebook, "solutions")
    fill = _Placeholders(find_course(), notebook)
    for cell in notebook.cells:
        tags = [tag for tag in cell.metadata.get("tags", []) if tag == "hide-input"]
        # No other tag: none keeps a cell from being executed.
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        cell.source = fill(re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", cell.source, flags=re.M))
        cell.source = cell.source.replace("](../../", "](../").rstrip()
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = f"{title}: solutions\n{rest}"
    return notebook


@dataclass(frozen=True)
class ExerciseRow:
    """What the box above an exercise says about it."""

    assignment: str
    assignment_title: str
    title: str
    """HTML, as in the box"""
    minutes: int
    difficulty: int
    points: float
    graded_by: str


_BOX = re.compile(
    r'admonition-title"><strong>(?:Exercise \d+: )?(?P<title>.+?)</strong>.*?'
    r"(?P<minutes>\d+) minutes · difficulty (?P<difficulty>\d) of 5 · (?P<points>[\d.]+) points?"
    r"(?P<hand>, graded by a person)?",
    re.DOTALL,
)


def exercise_table(course: Path) -> list[ExerciseRow]:
    """Every exercise box of every assignment, in the order of ``autograder.course.exercises``.

    Raises CourseError when a graded cell has no box.
    """
    import nbformat

    from autograder.course.exercises import ASSIGNMENTS

    rows = []
    for name in ASSIGNMENTS:
        notebook = nbformat.reads(source_notebook(course, name), as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        title = notebook.cells[0].source.partition("\n")[0].lstrip("# ")
        boxes = list(_BOX.finditer(text))
        graded = sum(bool(c.metadata.get("nbgrader", {}).get("grade")) for c in notebook.cells)
        if len(boxes) != graded:
            raise CourseError(
                f"solutions/{name}.py has {graded} graded cells and {len(boxes)} exercise boxes "
                "that give minutes, difficulty and points."
            )
        rows += [
            ExerciseRow(
                name,
                title,
                box["title"],
                int(box["minutes"]),
                int(box["difficulty"]),
                float(box["points"]),
                "a person" if box["hand"] else "its check",
            )
            for box in boxes
        ]
    return rows


def write_source(course: Path, name: str) -> Path:
    """Write the source notebook where nbgrader looks for it. Returns its path."""
    return _write(source_path(course, name), source_notebook(course, name))


def refresh_sources(course: Path) -> None:
    """Write every source notebook that is missing or older than what it is made from.

    nbgrader_config.py calls this, so that ``nbgrader generate_assignment`` never meets an
    empty or outdated source folder. A faulty source is reported and has no notebook, and the
    other assignments can still be graded.
    """
    package = Path(__file__).parents[1]
    shared = [Path(__file__), course / "_config.yml", *package.glob("course/exercises/**/*.py")]
    for name in assignments(course):
        made, text = source_path(course, name), course / "solutions" / f"{name}.py"
        inputs = [path.stat().st_mtime for path in (text, *shared) if path.is_file()]
        if not made.is_file() or made.stat().st_mtime < max(inputs):
            try:
                write_source(course, name)
            except CourseError as error:
                made.unlink(missing_ok=True)
                print(f"Assignment {name} is left out: {error}", file=sys.stderr)


def release_notebook(course: Path, name: str) -> str:
    """The notebook for students as JSON, made by nbgrader from the source notebook."""
    import nbformat
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = _nbgrader_settings(course)
    config.merge(Config({"SaveCells": {"enabled": False}}))
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "source" / name / f"{name}.ipynb"
        _write(made, source_notebook(course, name))
        folder = CourseDirectory(
            root=str(Path(scratch).resolve()),
            source_directory="source",
            release_directory="release",
            assignment_id=name,
            config=config,
        )
        GenerateAssignment(coursedir=folder, config=config, no_database=True).start()
        released = Path(scratch) / "release" / name / f"{name}.ipynb"
        return _dump(nbformat.read(released, as_version=4))


def write_release(course: Path, name: str) -> Path:
    """Make the notebook for students and write it to ``notebooks/``. Returns its path."""
    return _write(release_path(course, name), release_notebook(course, name))


def is_fresh(course: Path, name: str) -> bool:
    """Whether the committed notebook is what its source gives today."""
    path = release_path(course, name)
    return path.is_file() and path.read_text(encoding="utf-8") == release_notebook(course, name)


def has_been_run(path: Path) -> bool:
    """Whether a notebook shows results: a fresh one never does, a student's work does."""
    import nbformat

    if not path.is_file():
        return False
    cells = nbformat.read(path, as_version=4).cells
    return any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def _nbgrader_settings(course: Path):
    """What nbgrader_config.py says, without what it does to this process."""
    from traitlets.config import PyFileConfigLoader

    environment = os.environ.copy()
    try:
        return PyFileConfigLoader(MARKER, path=str(course)).load_config()
    except Exception as error:  # it is a program, which may raise anything
        raise CourseError(f"{MARKER} fails: {type(error).__name__}: {error}") from error
    finally:
        os.environ.clear()
        os.environ.update(environment)


def _add_points(notebook, source: str) -> None:
    """Points live in the exercise records; a check cell carries them as nbgrader metadata."""
    from autograder.course.exercises import get

    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if not meta.get("grade") or meta.get("solution"):
            continue
        function = meta["grade_id"].removeprefix("check-")
        if cell.source.strip() != f"check({function})":
            raise CourseError(
                f"{source}: the cell {meta['grade_id']} has to read check({function})."
            )
        try:
            meta["points"] = _number(get(function).points)
        except (KeyError, ValueError, LookupError):
            raise CourseError(f"{source}: there is no exercise record {function!r}.") from None


class _Placeholders:
    """Fills ``{{points NAME}}``, ``{{tolerance NAME}}``, ``{{suspects WHERE}}``, ``{{boxes all}}``
    and ``{{setup}}``.
    """

    def __init__(self, course: Path, notebook):
        graded = [
            cell.metadata.nbgrader
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade")
        ]
        self.points = {meta["grade_id"].removeprefix("check-"): meta["points"] for meta in graded}
        self.total = sum(self.points.values())
        self.setup = _setup(course)

    def __call__(self, text: str) -> str:
        text = text.replace("# {{setup}}", self.setup)
        return re.sub(r"\{\{(\w+) ([\w-]+)\}\}", lambda match: self.value(*match.groups()), text)

    def value(self, kind: str, name: str) -> str:
        if kind == "points":
            points = _number(self.points[name] if name in self.points else self.total)
            return f"{points} point" if points == 1 else f"{points} points"
        if kind == "tolerance":
            from autograder.course.exercises import get

            return f"`{get(name).tolerance:g}`"
        if kind in ("boxes", "suspects"):
            from autograder.course.exercises.bughunt import boxes, suspects

            return boxes.boxes_as_text() if kind == "boxes" else suspects.suspects_as_list(name)
        raise CourseError(f"Unknown placeholder {{{{{kind} {name}}}}} in a solution source.")


def _setup(course: Path) -> str:
    """The first code cell: install the package where the repository's address allows it."""
    import yaml

    config = course / "_config.yml"
    settings = yaml.safe_load(config.read_text(encoding="utf-8")) if config.is_file() else {}
    repository = (settings or {}).get("repository") or {}
    url = (repository.get("url") or "").rstrip("/")
    if not url:
        return NOT_INSTALLED
    return INSTALL.format(url=url, branch=repository.get("branch") or "main")


def _cell_id(cell, taken: set[str]) -> str:
    """A stable id: the grade_id where there is one, else the kind of cell and its content."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    digest = hashlib.sha256(cell.source.encode()).hexdigest()
    base = re.sub(r"[^a-zA-Z0-9_-]", "-", grade_id or f"{cell.cell_type}-{digest[:8]}")
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    taken.add(found)
    return found


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


def _dump(notebook) -> str:
    import nbformat

    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def _write(path: Path, text: str) -> Path:
    """Replace a file in one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_text(text, encoding="utf-8", newline="\n")
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    return path
