"""A course is changed where its text is: everything follows the source notebook.

Three changes in a copy of this course: seven of nine exercises left out, points of one's own, and
an assignment with exercises of several.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from engine_scene import COURSE, Class, environment
from engine_scene import run as run_command

from autograder.course.gated_memory import COURSE as GATED_MEMORY
from autograder.material import notebooks as nb

HEAD = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # {title}
#
# {{{{points {name}}}}}.

# %% nbgrader={{"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}}
# {{{{setup}}}}
import numpy as np

from autograder import check

Params = dict[str, np.ndarray]
"""

CHECK = '"grade_id": "check-{name}"'


def exercise_in(assignment: str, name: str) -> str:
    """The two cells of an exercise, as its own assignment's source has them."""
    text = (COURSE / "solutions" / f"{assignment}.py").read_text(encoding="utf-8")
    cells = [f"# %%{cell}" for cell in text.split("\n# %%")[1:]]
    wanted = (f'"grade_id": "{name}"', CHECK.format(name=name))
    return "\n".join(cell for cell in cells if any(grade_id in cell for grade_id in wanted))


def source(name: str, title: str, *exercises: tuple[str, str]) -> str:
    """A source notebook of one's own, with exercises (assignment and name) of this course."""
    cells = "\n\n".join(exercise_in(*exercise).strip() for exercise in exercises)
    return f"{HEAD.format(title=title, name=name)}\n{cells}\n"


def with_points(text: str, name: str, points: float) -> str:
    """The source in which a check's cell says what it is worth."""
    changed = text.replace(
        CHECK.format(name=name), f'"points": {points}, {CHECK.format(name=name)}'
    )
    assert changed != text
    return changed


def without_cells(text: str, *kept: str) -> str:
    """The source with none of the graded cells but those of these exercises, texts left alone."""
    head, *cells = re.split(r"\n(?=# %%)", text)
    gone = {e.name for e in GATED_MEMORY.assignments["gru"]} - set(kept)

    def stays(cell: str) -> bool:
        found = re.search(r'"grade_id": "([\w-]+)"', cell)
        name = found.group(1).removeprefix("check-") if found else ""
        return name not in gone and name != "why-not-torch"

    left = [cell for cell in cells if stays(cell)]
    pointless = {f"{{{{points {name}}}}}" for name in gone | {"why-not-torch"}}
    return "\n".join([head, *(c for c in left if not any(word in c for word in pointless))])


SOURCES = {
    "gru": without_cells(
        (COURSE / "solutions" / "gru.py").read_text(encoding="utf-8"), "update_gate", "gru_step"
    ),
    "lstm": with_points(
        source("lstm", "Two of eight", ("lstm", "forget_gate"), ("lstm", "sigmoid")),
        "forget_gate",
        5,
    ),
    "week1": source(
        "week1",
        "The first week",
        ("rnn", "rnn_step"),
        ("gru", "update_gate"),
        ("lstm", "sigmoid"),
    ),
}

POINTS = {
    "gru": {"update_gate": 2, "gru_step": 3},
    "lstm": {"forget_gate": 5, "sigmoid": 3},
    "week1": {"rnn_step": 2, "update_gate": 2, "sigmoid": 3},
}
"""Those of the records, but for forget_gate."""


WHOLE_STEP = """\
def gru_step(x, h_prev, params):
    joined = np.concatenate([h_prev, x], axis=1)
    z = sigmoid(joined @ params["W_z"].T + params["b_z"])
    r = sigmoid(joined @ params["W_r"].T + params["b_r"])
    reset = np.concatenate([r * h_prev, x], axis=1)
    return (1 - z) * h_prev + z * np.tanh(reset @ params["W_h"].T + params["b_h"])
"""
"""The step for who has written none of its parts."""


class Own(Class):
    """A course folder with these sources; ada has everything right, ben nothing."""

    def __init__(self, folder: Path):
        self.folder_of_all = folder
        super().__init__(folder / "course", "week1")
        (self.root / "solutions").mkdir(parents=True)
        for name in ("nbgrader_config.py", "_config.yml", "autograder.toml"):
            (self.root / name).write_bytes((COURSE / name).read_bytes())
        for name, text in SOURCES.items():
            (self.root / "solutions" / f"{name}.py").write_text(text, encoding="utf-8")
        self.said = self.autograder("notebooks")
        for name in SOURCES:
            self.assignment = name
            solved = nbformat.reads(nb.source_notebook(self.root, name), as_version=4)
            for cell in solved.cells:
                cell.source = re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", cell.source)
                if cell.metadata.get("nbgrader", {}).get("grade_id") == "gru_step":
                    cell.source = WHOLE_STEP
            released = nb.release_path(self.root, name).read_bytes()
            self.hand_in("ada", nbformat.writes(solved).encode())
            self.hand_in("ben", released)
            self.nbgrader("generate_assignment", name)

    def autograder(self, *arguments: str) -> str:
        code, out, err = run_command(self, *arguments)
        assert code == 0, out + err
        return out

    def nbgrader(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=self.root,
            env=environment(self.folder_of_all),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout

    def points(self, assignment: str) -> dict[str, dict[str, tuple[float, float]]]:
        """By student and exercise: points, and points at most, in the grade's order."""
        found = {}
        for path in sorted(self.root.glob(f"autograded/*/{assignment}/grade.json")):
            verdicts = json.loads(path.read_text(encoding="utf-8"))["verdicts"]
            found[path.parents[1].name] = {
                v["exercise"]: (v["points"], v["max_points"]) for v in verdicts
            }
        return found


@pytest.fixture(scope="module")
def own(confined, tmp_path_factory) -> Own:
    return Own(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def graded(own) -> Own:
    for name in SOURCES:
        own.autograder("grade", name)
    return own


def expected(assignment: str) -> dict:
    return {
        "ada": {name: (most, most) for name, most in POINTS[assignment].items()},
        "ben": {name: (0, most) for name, most in POINTS[assignment].items()},
    }


def test_making_the_notebooks_says_what_was_found(own):
    gru, lstm, week1 = (line.split("ipynb ")[1] for line in own.said.strip().splitlines())
    assert gru.startswith("written: 2 exercises, 5 points; left out: reset_gate, candidate_state,")
    assert not {"update_gate", "gru_step"} & set(re.findall(r"\w+", gru.split("left out")[1]))
    assert lstm.startswith("written: 2 exercises, 8 points; left out: input_gate,")
    assert week1 == "written: 3 exercises, 7 points"


@pytest.mark.parametrize("name", SOURCES)
def test_the_released_notebook_counts_the_points_of_its_source(own, name):
    text = nb.release_path(own.root, name).read_text(encoding="utf-8")
    cells = nbformat.reads(text, as_version=4).cells
    assert dict(nb.asked_in(nbformat.reads(text, as_version=4))) == POINTS[name]
    start = next(c.source for c in cells if "autograder.begin(" in c.source)
    for function, points in POINTS[name].items():
        assert f'"{function}": {points},' in start
    assert f"{sum(POINTS[name].values())} points" in cells[0].source


def test_check_speaks_of_this_notebooks_exercises_only(own):
    """gru_step builds on three parts; two of them are not asked here, so nothing is said of them."""
    cells = nbformat.read(nb.release_path(own.root, "gru"), as_version=4).cells
    start = next(c.source for c in cells if "autograder.begin(" in c.source)
    program = (
        f"{start}\n"
        "def update_gate(x, h_prev, params):\n    return x\n"
        "def candidate_state(x, h_prev, r, params):\n    return x\n"
        "def gru_step(x, h_prev, params):\n    z = update_gate(x, h_prev, params)\n"
        "    return z + candidate_state(x, h_prev, z, params)\n"
        "verdict = check(gru_step)\nprint(verdict)\nprint(verdict.max_points)\n"
        "print(check(lambda x: x, 'reset_gate'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=own.root
    )
    assert done.returncode == 0, done.stderr
    assert "gru_step: not right yet, 0 of 3 points" in done.stdout
    assert "The results of your update_gate are not right yet." in done.stdout
    assert "There are: update_gate, gru_step." in done.stdout
    assert "your candidate_state" not in done.stdout


@pytest.mark.parametrize("name", SOURCES)
def test_the_engine_follows_the_source(graded, name):
    assert graded.points(name) == expected(name)


@pytest.mark.parametrize("name", SOURCES)
def test_gradebook_and_exports_follow_the_source(graded, name):
    graded.assignment = name
    total = sum(POINTS[name].values())
    assert graded.in_gradebook() == {"ada": total, "ben": 0}
    for platform in ("canvas", "moodle", "gradescope"):
        graded.autograder("export", platform, name)
    results = graded.root / f"exports/{name}-gradescope/ada/results.json"
    tests = json.loads(results.read_text(encoding="utf-8"))["tests"]
    assert {t["name"]: t["max_score"] for t in tests} == POINTS[name]
    assert [t["name"] for t in tests] == list(POINTS[name])
    with open(graded.root / f"exports/{name}-moodle.csv", encoding="utf-8") as file:
        assert [float(row[name]) for row in csv.DictReader(file)] == [total, 0]
    graded.autograder("report", name)
    page = (graded.root / f"reports/{name}.html").read_text(encoding="utf-8")
    asked = {e for e in GATED_MEMORY.records if f"<code>{e}</code>" in page}
    assert asked <= set(POINTS[name]) and f"of {total}" in re.sub(r"<[^>]+>", "", page)


def test_a_single_notebook_is_graded_by_its_source(graded):
    notebook = "submitted/ada/week1/week1.ipynb"
    made = json.loads(graded.autograder("grade-one", notebook, "--assignment", "week1"))
    assert {t["name"]: t["score"] for t in made["tests"]} == POINTS["week1"]


@pytest.mark.parametrize("name", SOURCES)
def test_nbgraders_own_command_follows_the_source(graded, name):
    """Comes last: it grades everything anew, into the same folder."""
    for path in graded.root.glob(f"autograded/*/{name}/grade.json"):
        path.unlink()
    graded.nbgrader("autograde", name, "--force")
    assert graded.points(name) == expected(name)


def test_an_assignment_that_is_not_there_is_named(own):
    code, _, err = run_command(own, "grade", "week2")
    assert code == 2
    assert "There is no solutions/week2.py (assignments here: gru, lstm, week1)." in err
