"""From one text source to the notebook students open.

``solutions/NAME.py`` (text) → ``_build/source/NAME/NAME.ipynb`` (with answers, for nbgrader) →
``notebooks/NAME/NAME.ipynb`` (without answers, committed). The last step is nbgrader's own
``GenerateAssignment``, run in a scratch folder without a gradebook, so that a failure leaves
the old release in place. The same source gives the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from autograder.checking import courses
from autograder.checking.course import Course
from autograder.material.config import (
    NAMES,
    CourseError,
    course_of,
    find_course,
    listed,
    nbgrader_settings,
    write,
)
from autograder.material.handed_out import first_cell


def assignments(course: Path) -> list[str]:
    """The names of all assignments: one text source each."""
    return sorted(path.stem for path in (course / "solutions").glob("*.py"))


def _text_of(course: Path, name: str) -> str:
    return (course / "solutions" / f"{name}.py").read_text(encoding="utf-8")


def require_assignment(course: Path, name: str) -> None:
    """Raise CourseError, with the names there are, when an assignment has no text source."""
    if name not in assignments(course):
        known = ", ".join(assignments(course)) or "none"
        raise CourseError(f"There is no solutions/{name}.py (assignments here: {known}).")


def release_path(course: Path, name: str) -> Path:
    """Where the notebook for students lies."""
    return course / "notebooks" / name / f"{name}.ipynb"


def source_path(course: Path, name: str) -> Path:
    """Where nbgrader finds the notebook with the answers."""
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
    _add_points(notebook, text.name, course_of(course))
    fill = _Placeholders(course, name, notebook)
    ids: set[str] = set()
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        cell.source = fill(cell.source)
        cell.id = _cell_id(cell, ids)
    if asked_in(notebook) and not any(
        "autograder.begin(" in cell.source for cell in notebook.cells
    ):
        raise CourseError(
            f"{text.name}: its first code cell needs the line `# {{{{setup}}}}`. It becomes what "
            "installs the package and tells `check` what this notebook asks for."
        )
    nbformat.validate(notebook)
    return _dump(notebook)


def asked_in(notebook) -> list[tuple[str, float]]:
    """The exercises that a source or released notebook checks, each with its points, in order."""
    return [
        (meta["grade_id"].removeprefix("check-"), float(meta["points"]))
        for meta in (cell.metadata.get("nbgrader", {}) for cell in notebook.cells)
        if meta.get("grade") and not meta.get("solution")
    ]


def functions_in(course: Path, name: str) -> list[str]:
    """The functions that a text source checks, in order, read without making a notebook of it."""
    return re.findall(r"^check\((\w+)\)\s*$", _text_of(course, name), re.MULTILINE)


def contents(course: Path, name: str) -> str:
    """What an assignment asks for, in words: how many exercises and points, and what it leaves out.

    Left out is what the course declares for an assignment of this name and its source has not.
    """
    import nbformat

    notebook = nbformat.reads(source_notebook(course, name), as_version=4)
    graded = [
        c.metadata.nbgrader for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")
    ]
    asked = [function for function, _ in asked_in(notebook)]
    total = _number(sum(meta.points for meta in graded))
    said = f"{_count(len(asked), 'exercise')}, {_count(total, 'point')}"
    if by_hand := _number(sum(meta.points for meta in graded if meta.get("solution"))):
        said += f", {by_hand} of them given by a person"
    declared = course_of(course).assignments.get(name, ())
    if left_out := [e.name for e in declared if e.name not in asked]:
        said += f"; left out: {listed(left_out)}"
    return said


def solution_page(text: str):
    """A text source as the website's page of solutions, a notebook to be executed.

    MyST-NB calls this for ``solutions/*.py`` (``nb_custom_formats`` in _config.yml).
    """
    import jupytext
    import nbformat

    notebook = jupytext.reads(text, fmt="py:percent")
    folder = find_course()
    _add_points(notebook, "solutions", course_of(folder))
    # Which assignment it is, only its text says here.
    same = (n for n in assignments(folder) if _text_of(folder, n).split() == text.split())
    if (name := next(same, None)) is None:
        raise CourseError("This text is none of the sources in solutions/.")
    fill = _Placeholders(folder, name, notebook)
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
    """Every exercise box of every assignment, those that the course declares first.

    Raises CourseError when a graded cell has no box.
    """
    import nbformat

    declared = list(course_of(course).assignments)
    names = sorted(
        assignments(course),
        key=lambda n: (n not in declared, declared.index(n) if n in declared else 0, n),
    )
    rows = []
    for name in names:
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
    return write(source_path(course, name), source_notebook(course, name))


def refresh_sources(course: Path) -> None:
    """Write every source notebook that is missing or older than what it is made from.

    nbgrader_config.py calls this, so that ``nbgrader generate_assignment`` never meets an
    empty or outdated source folder. A faulty source is reported and has no notebook, and the
    other assignments can still be graded.
    """
    home = courses.home(course_of(course).name)
    shared = [Path(__file__), course / "_config.yml", course / NAMES]
    shared += home.rglob("*.py") if home else ()
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

    config = nbgrader_settings(course)
    config.merge(Config({"SaveCells": {"enabled": False}}))
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "source" / name / f"{name}.ipynb"
        write(made, source_notebook(course, name))
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
    return write(release_path(course, name), release_notebook(course, name))


def is_fresh(course: Path, name: str) -> bool:
    """Whether the committed notebook is what its source gives today."""
    path = release_path(course, name)
    return path.is_file() and path.read_text(encoding="utf-8") == release_notebook(course, name)


def is_worked_in(course: Path, name: str) -> bool:
    """Whether somebody has changed or run a released notebook: what replaces it loses work.

    No other copy and no history is asked: a cell's id or nbgrader's checksum in it is made from
    the content that was given out.
    """
    import nbformat
    from nbgrader.utils import compute_checksum

    path = release_path(course, name)
    if not path.is_file():
        return False
    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception:  # nbformat raises what its reading happens to stumble over
        return True  # it was a notebook when it was given out

    def as_given(cell) -> bool:
        if cell.get("outputs") or cell.get("execution_count"):
            return False
        checksum = cell.metadata.get("nbgrader", {}).get("checksum")
        if checksum:
            return compute_checksum(cell) == checksum
        return str(cell.get("id")).startswith(_plain_id(cell))

    return not all(map(as_given, cells)) and not is_fresh(course, name)


def _add_points(notebook, source: str, course: Course) -> None:
    """What a check is worth stands in its cell, else in the exercise's record."""
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
            declared = course.get(function).points
        except LookupError as error:
            raise CourseError(f"{source}, the cell {meta['grade_id']}: {error}") from None
        points = meta.get("points", declared)
        if type(points) not in (int, float) or not 0 < points < float("inf"):
            raise CourseError(
                f"{source}: the points of {meta['grade_id']} are {points!r}; a positive number is "
                f"meant, or none for the {declared:g} of the record."
            )
        meta["points"] = _number(points)


class _Placeholders:
    """Fills ``{{setup}}``, ``{{points NAME}}``, ``{{tolerance NAME}}`` and what the course adds."""

    def __init__(self, folder: Path, name: str, notebook):
        graded = [
            cell.metadata.nbgrader
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade")
        ]
        self.course = course_of(folder)
        self.points = {meta["grade_id"].removeprefix("check-"): meta["points"] for meta in graded}
        self.total = sum(self.points.values())
        self.setup = first_cell(folder, self.course) + _begin(self.course, name, asked_in(notebook))

    def __call__(self, text: str) -> str:
        text = text.replace("# {{setup}}", self.setup)
        return re.sub(r"\{\{(\w+) ([\w-]+)\}\}", lambda match: self.value(*match.groups()), text)

    def value(self, kind: str, name: str) -> str:
        """What a placeholder stands for. Raises CourseError for an unknown one."""
        if kind == "points":
            return _count(_number(self.points.get(name, self.total)), "point")
        if kind == "tolerance":
            return f"`{self.course.get(name).tolerance:g}`"
        if kind in self.course.placeholders:
            return self.course.placeholders[kind](name)
        raise CourseError(f"Unknown placeholder {{{{{kind} {name}}}}} in a solution source.")


def _begin(course: Course, name: str, asked: list[tuple[str, float]]) -> str:
    """The statement that tells ``check`` what the notebook asks for, and for how many points."""
    if not asked:
        return ""
    points = "".join(f'    "{function}": {_number(worth)},\n' for function, worth in asked)
    return (
        f"\n# What this notebook asks for, and the points of each answer.\n"
        f'autograder.begin("{name}", course="{course.name}", points={{\n{points}}})\n'
    )


def _cell_id(cell, taken: set[str]) -> str:
    """A stable id: the grade_id where there is one, else the kind of cell and its content."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    base = re.sub(r"[^a-zA-Z0-9_-]", "-", grade_id or _plain_id(cell))
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    taken.add(found)
    return found


def _plain_id(cell) -> str:
    """What the id of a cell that nbgrader has no name for is made from."""
    digest = hashlib.sha256(cell.source.encode()).hexdigest()
    return f"{cell.cell_type}-{digest[:8]}"


def _count(number: int | float, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


def _dump(notebook) -> str:
    import nbformat

    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
