"""Notebooks as students hand them in, and a small course in which a class of them is graded."""

from __future__ import annotations

import copy
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import cache
from pathlib import Path

from autograder.course.exercises import ASSIGNMENTS
from autograder.grading.graded import Graded
from autograder.grading.keep import UNRECORDED
from autograder.grading.workers import Workers
from autograder.material import notebooks as nb
from autograder.material.papers import release_of

COURSE = Path(__file__).parents[2]
SEED = 20_141_027
"""Stands for an instructor's secret seed."""

MARKERS = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)

release = cache(lambda assignment: release_of(COURSE, assignment))


def full(assignment: str) -> dict[str, float]:
    """The points of every exercise."""
    return {exercise.name: exercise.points for exercise in ASSIGNMENTS[assignment]}


def points(graded: Graded) -> dict[str, float]:
    return {verdict.exercise: verdict.points for verdict in graded.verdicts}


def says(graded: Graded) -> str:
    """Everything that a grade says in words: its remarks and verdicts."""
    return "\n".join([*(remark.says for remark in graded.remarks), *map(str, graded.verdicts)])


def kinds(graded: Graded) -> set[str]:
    return {remark.kind for remark in graded.remarks}


# Notebooks


@cache
def _solved(assignment: str) -> str:
    paper = json.loads(nb.source_notebook(COURSE, assignment))
    for cell in paper["cells"]:
        cell["source"] = MARKERS.sub("", text(cell))
    return json.dumps(paper)


def solved(assignment: str = "lstm") -> dict:
    """The notebook with every function right."""
    return json.loads(_solved(assignment))


def untouched(assignment: str = "lstm") -> dict:
    return json.loads(nb.release_path(COURSE, assignment).read_text(encoding="utf-8"))


def text(cell: dict) -> str:
    return "".join(cell["source"])


def code_cell(source: str, name: str = "new") -> dict:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def place(paper: dict, grade_id: str) -> int:
    """Where a cell stands. Raises LookupError."""
    for number, cell in enumerate(paper["cells"]):
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
            return number
    raise LookupError(grade_id)


def written(paper: dict, **sources: str) -> dict:
    """The paper with these answers in place of what it has."""
    paper = copy.deepcopy(paper)
    for name, source in sources.items():
        paper["cells"][place(paper, name)]["source"] = source
    return paper


def added(paper: dict, *sources: str, before: str | None = None) -> dict:
    """The paper with cells of this code at its end, or before a cell."""
    paper = copy.deepcopy(paper)
    at = len(paper["cells"]) if before is None else place(paper, before)
    paper["cells"][at:at] = [code_cell(s, f"new-{n}") for n, s in enumerate(sources)]
    return paper


def data(paper: dict) -> bytes:
    return json.dumps(paper).encode()


def by_name(paper: dict) -> dict[str, str]:
    """The sources of the cells that have a grade_id."""
    found = ((c["metadata"].get("nbgrader", {}).get("grade_id"), text(c)) for c in paper["cells"])
    return {name: source for name, source in found if name}


# A course


class Class:
    """A course with what a class handed in for ``lstm``, or another assignment."""

    def __init__(self, root: Path, assignment: str = "lstm"):
        self.root, self.assignment = root, assignment

    def hand_in(self, student: str, content: dict | bytes | None, name: str = "") -> Path:
        """Write a submission and return its folder; None hands in an empty one."""
        folder = self.root / "submitted" / student / self.assignment
        folder.mkdir(parents=True, exist_ok=True)
        if content is not None:
            file = folder / (name or f"{self.assignment}.ipynb")
            file.write_bytes(content if isinstance(content, bytes) else data(content))
        return folder

    def folder(self, student: str) -> Path:
        return self.root / "autograded" / student / self.assignment

    def grade(self, student: str) -> Graded:
        return Graded.from_json((self.folder(student) / "grade.json").read_text(encoding="utf-8"))

    def grades(self) -> dict[str, Graded]:
        found = self.root.glob(f"autograded/*/{self.assignment}/grade.json")
        return {path.parents[1].name: self.grade(path.parents[1].name) for path in found}

    def in_gradebook(self) -> dict[str, float]:
        """What the gradebook says that the checks gave, by student."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}") as gradebook:
            return {
                submission.student_id: sum(
                    grade.auto_score or 0.0
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                )
                for submission in gradebook.assignment_submissions(self.assignment)
            }

    def agree(self, interrupted: bool = False) -> None:
        """Assert that files and gradebook say the same, and that nothing is half-written.

        After an interruption the gradebook may lack what the next run brings there.
        """
        grades = self.grades()
        expected = {name: grade.points for name, grade in grades.items()}
        found = self.in_gradebook()
        if interrupted:
            expected = {name: points for name, points in expected.items() if name in found}
        assert found == expected
        for student in grades:
            names = {path.name for path in self.folder(student).iterdir()}
            assert {f"{self.assignment}.ipynb", "grade.json"} <= names
            allowed = {"grade.json", "timestamp.txt", "submission_secret.txt"}
            if interrupted:
                allowed.add(UNRECORDED)
            assert names <= allowed | {f"{self.assignment}.ipynb"}
            paper = json.loads((self.folder(student) / f"{self.assignment}.ipynb").read_text())
            assert paper["nbformat"] == 4


def build_course(folder: Path, assignment: str = "lstm") -> Class:
    """A course whose gradebook knows the assignment."""
    root = folder / "course"
    root.mkdir(parents=True)
    for name in ("nbgrader_config.py", "_config.yml"):
        shutil.copy(COURSE / name, root)
    (root / "solutions").mkdir()
    shutil.copy(COURSE / "solutions" / f"{assignment}.py", root / "solutions")
    (root / "secret_seed.txt").write_text(f"{SEED}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", assignment],
        cwd=root,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return Class(root, assignment)


def environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}
    return kept | {
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter-config"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter-data"),
        "IPYTHONDIR": str(folder / "ipython"),
    }


class Here(Workers):
    """Grades in this process, as one worker would in its own, so that a test starts no process
    but the players' zygotes."""

    number = 1

    def submit(self, function: Callable, *arguments) -> Future:
        future: Future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def result(self, future: Future):
        return future.result()

    def close(self, now: bool = False) -> None:
        pass


# Commands in processes of their own

MARK = "ENGINE_TEST"
"""The environment variable by which everything that a command starts is found again."""


class Command:
    """``autograder`` in a process group of its own. Use it as a context manager."""

    def __init__(self, course: Class, *arguments: str, prefix: tuple[str, ...] = ()):
        self.mark = f"{course.root}-{time.monotonic_ns()}"
        self.process = subprocess.Popen(
            [*prefix, str(Path(sys.executable).parent / "autograder"), *arguments],
            cwd=course.root,
            env=environment(course.root.parent) | {MARK: self.mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *error) -> None:
        self.process.kill()
        self.process.communicate()

    def wait_for(self, wanted: str, seconds: float = 300) -> str:
        """Read what it says until ``wanted`` is there."""
        said = b""
        deadline = time.monotonic() + seconds
        stream = self.process.stderr.fileno()
        while wanted.encode() not in said:
            ready, _, _ = select.select([stream], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(stream, 65536) if ready else b""
            assert piece, f"it never said {wanted!r}, but:\n{said.decode()}"
            said += piece
        return said.decode()

    def finish(self, seconds: float = 600) -> tuple[int, str, str]:
        """Exit code, standard output and the rest of standard error."""
        out, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, out.decode(), err.decode()

    def living(self) -> dict[int, str]:
        """The processes that it started and that live: their command lines by their ids."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                marked = f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes()
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:  # it has just ended, or is none of ours
                continue
            if marked and line:
                found[int(folder.name)] = line
        return found

    def leftovers(self, seconds: float = 60) -> dict[int, str]:
        """What still lives of it after so long."""
        deadline = time.monotonic() + seconds
        while (living := self.living()) and time.monotonic() < deadline:
            for pid in living:
                try:
                    descriptor = os.pidfd_open(pid)
                except ProcessLookupError:
                    continue
                waiting = select.poll()
                waiting.register(descriptor, select.POLLIN)
                waiting.poll(max(0, 1000 * (deadline - time.monotonic())))
                os.close(descriptor)
        return living


def run(course: Class, *arguments: str, prefix: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Run ``autograder`` to its end: exit code, standard output, standard error."""
    with Command(course, *arguments, prefix=prefix) as command:
        return command.finish()


def without_times(graded: Graded) -> dict:
    """A grade as plain values, without what no two runs share."""
    values = json.loads(graded.to_json())
    for name in ("seconds", "code_seconds", "exercise_seconds"):
        del values[name]
    return values


def reads_as_nbgrader_does(paper: dict) -> Iterator[tuple[str, float | None]]:
    """Each check cell's exercise and the score that nbgrader reads off its outputs."""
    import nbformat
    from nbgrader.utils import determine_grade

    for cell in nbformat.from_dict(paper).cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade") and not meta.get("solution"):
            yield meta.grade_id.removeprefix("check-"), determine_grade(cell)[0]
