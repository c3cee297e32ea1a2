"""A second course goes all the way, from its source to the exports, without an edit in autograder/.

It is installed as a wheel, in a Python that has this course too. How it fares as an editable
install, tests/other_course/test_guide_page.py shows.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from other_course_scene import REPOSITORY, Installed, hand_in

POINTS = {"predict": 2, "gradient": 4, "descend": 1, "sigmoid": 1, "LinearModel": 2}

WRONG = {
    "predict": "def predict(X, w, b):\n    return X @ w",
    "descend": "def descend(params, grads, rate):\n    params -= rate * grads\n    return params",
    "sigmoid": "def sigmoid(x):\n    return np.tanh(x)",
}
"""What ben hands in; the rest he has right, but gradient calls predict."""

EXPECTED = {
    "ada": POINTS,
    "ben": {"predict": 0, "gradient": 0, "descend": 0, "sigmoid": 0, "LinearModel": 2},
    "cleo": dict.fromkeys(POINTS, 0),
}


@pytest.fixture(scope="module")
def installed(confined, tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def released(installed) -> str:
    """What making the notebook says."""
    return installed.command("autograder", "notebooks")


def points_of(installed: Installed) -> dict[str, dict[str, float]]:
    """The points of everybody's exercises, from the files that grading left."""
    found = {}
    for path in sorted(installed.course.glob("autograded/*/regression/grade.json")):
        verdicts = json.loads(path.read_text(encoding="utf-8"))["verdicts"]
        found[path.parents[1].name] = {v["exercise"]: v["points"] for v in verdicts}
    return found


@pytest.fixture(scope="module")
def graded(installed, released) -> dict[str, dict[str, float]]:
    """Everybody's points as the engine gives them."""
    hand_in(installed, "ada", solved=True)
    hand_in(installed, "ben", solved=True, **WRONG)
    hand_in(installed, "cleo", solved=False)
    installed.command("nbgrader", "generate_assignment", "regression")
    installed.command("autograder", "grade", "regression")
    return points_of(installed)


def test_making_the_notebook_says_what_it_asks_for(released):
    assert released.split("ipynb ")[1].strip() == "written: 5 exercises, 10 points"


def test_the_released_notebook_holds_no_answer_and_names_its_course(installed, released):
    text = (installed.course / "notebooks/regression/regression.ipynb").read_text(encoding="utf-8")
    assert 'course=\\"regression\\"' in text and "2 * X.T" not in text
    assert text.count("raise NotImplementedError()") == len(POINTS) + 1  # of two methods


def test_the_engine_gives_the_points(graded):
    assert graded == EXPECTED


def test_mistakes_of_the_second_course_are_called_by_their_names(installed, graded):
    path = installed.course / "autograded/ben/regression/grade.json"
    verdicts = {v["exercise"]: v for v in json.loads(path.read_text(encoding="utf-8"))["verdicts"]}
    assert verdicts["predict"]["mistake"]["name"] == "b is left out"
    assert verdicts["sigmoid"]["mistake"]["name"] == "tanh"
    assert verdicts["descend"]["failure"]["headline"] == "It changes its input params."
    assert verdicts["sigmoid"]["failure"]["sizes"] == "x (2, 3)"
    assert {v["course"] for v in verdicts.values()} == {"regression"}


def test_the_report_and_the_exports_show_them(installed, graded):
    installed.command("autograder", "report", "regression")
    page = (installed.course / "reports/regression.html").read_text(encoding="utf-8")
    assert "b is left out" in page and "A line through points" in page
    for platform in ("canvas", "moodle", "gradescope"):
        installed.command("autograder", "export", platform, "regression")
    with open(installed.course / "exports/regression-moodle.csv", encoding="utf-8") as file:
        rows = {row["Username"]: row for row in csv.DictReader(file)}
    assert {name: float(row["regression"]) for name, row in rows.items()} == {
        name: sum(points.values()) for name, points in EXPECTED.items()
    }
    said = rows["ben"]["regression (Feedback)"]
    assert [said.index(f"{name}: ") for name in POINTS] == sorted(
        said.index(f"{name}: ") for name in POINTS
    )
    results = installed.course / "exports/regression-gradescope/ada/results.json"
    assert [t["name"] for t in json.loads(results.read_text())["tests"]] == list(POINTS)


def test_one_notebook_is_graded_as_json(installed, graded):
    notebook = "submitted/ada/regression/regression.ipynb"
    made = json.loads(installed.command("autograder", "grade-one", notebook))
    assert made["assignment"] == "regression"
    assert {t["name"]: t["score"] for t in made["tests"]} == POINTS


def test_nbgraders_own_command_gives_the_same_points(installed, graded):
    """Last of those that read the engine's grades: it writes its own in their place."""
    for path in installed.course.glob("autograded/*/regression/grade.json"):
        path.unlink()
    installed.command("nbgrader", "autograde", "regression", "--force")
    assert points_of(installed) == EXPECTED


def test_check_in_a_kernel_knows_the_notebooks_course_and_points(installed, released):
    """Both courses have an exercise called sigmoid; the first cell has said which is meant."""
    notebook = installed.course / "notebooks/regression/regression.ipynb"
    program = f"""
import json, nbclient, nbformat
paper = nbformat.read({str(notebook)!r}, as_version=4)
for cell in paper.cells:
    if cell.metadata.get("nbgrader", {{}}).get("grade_id") == "sigmoid":
        cell.source = "def sigmoid(x):\\n    return 1 / (1 + np.exp(-x))"
nbclient.NotebookClient(paper, kernel_name="python3", allow_errors=True).execute()
for cell in paper.cells:
    if cell.source.startswith("check("):
        print(cell.outputs[-1].get("data", cell.outputs[-1])["text/plain"])
"""
    said = installed.run("-c", program)
    assert "sigmoid: right, 1 of 1 points\n  1 kinds of input" in said
    assert "gradient: not written yet, 0 of 4 points" in said
    assert said.count("not written yet") == len(POINTS) - 1


def test_without_the_notebook_a_name_of_both_courses_has_to_be_told(installed):
    program = """
import numpy as np
from autograder import begin, check
def sigmoid(x):
    return 1 / (1 + np.exp(-x))
def predict(X, w, b):
    return X @ w + b
print(check(predict).points)
print(check(sigmoid))
print(check(sigmoid, course="regression").points, check(sigmoid, course="gated-memory").points)
begin("regression", course="regression", points={"sigmoid": 7})
print(check(sigmoid).points)
print(check(predict))
"""
    first, both, each, told, other = installed.run("-P", "-c", program).splitlines()
    assert first == "2.0"
    assert "gated-memory and regression both have an exercise sigmoid" in both
    assert 'course="gated-memory"' in both
    assert float(each.split()[0]) == 1 and told == "7.0"
    assert other.startswith("There is no exercise called 'predict'. There are: sigmoid. ")


def test_answers_are_recorded_for_where_torch_is_missing(installed, tmp_path):
    said = installed.command("autograder", "record", "--output", str(tmp_path / "answers.npz"))
    assert "answers to 8 probes" in said  # three, three, one and one; torch's are not recorded
    program = "from autograder import check\ndef predict(X, w, b):\n    return X @ w + b\n"
    program += "print(check(predict, course='regression').reference)\n"
    program += "from autograder.checking import answers, courses\n"
    program += "asked, seed = courses.find('regression').get('predict'), answers.seed()\n"
    program += "print(type(answers.source(asked, seed, asked.draw(seed))).__name__)"
    installed.environment["AUTOGRADER_RECORDING"] = str(tmp_path / "answers.npz")
    try:
        assert installed.run("-P", "-c", program) == "the course's own NumPy\nRecorded\n"
    finally:
        del installed.environment["AUTOGRADER_RECORDING"]


def test_every_mistake_is_caught_and_named(installed):
    said = installed.command("autograder", "mistakes")
    counted = re.findall(r"(\w+): (\d+) mistakes, (\d+) caught, (\d+) named", said)
    assert [name for name, *_ in counted] == list(POINTS)
    assert all(number == caught == named for _, number, caught, named in counted)


def test_a_course_without_a_made_up_class_says_so(installed):
    said = installed.command("autograder", "demo", code=2)
    assert "The course regression has no made-up class to grade." in said


def test_nothing_in_the_package_names_it():
    """The seam holds as long as the second course needs no line in the package."""
    words = ("other_course", "LinearModel", "regression-course")
    for path in Path(REPOSITORY, "autograder").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not [word for word in words if word in text], path


ALLOWED = (
    "numpy",
    "torch",
    "matplotlib",
    "matplotlib.pyplot",
    "IPython",
    "sympy",
    "PIL",
    "traitlets",
)
"""Modules of the packages that every notebook may count on, and of what they depend on."""

NOT_ALLOWED = (
    "nbgrader", "onnx", "onnxruntime", "sklearn", "scipy", "keras", "distributed", "other_course",
    "nbformat", "sqlalchemy", "click", "rich", "pip",
)  # fmt: skip


@pytest.mark.parametrize("course", ["regression", "gated-memory"])
def test_players_read_a_list_of_packages(installed, course):
    wanted = ("pandas", *ALLOWED, *NOT_ALLOWED)
    cells = [f"import {name}\nprint('imported')" for name in wanted]
    exercise = {"regression": "LinearModel", "gated-memory": "GRULayer"}[course]
    *said, _ = installed.in_player(*cells, exercise=exercise, course=course)
    imported = {name for name, text in zip(wanted, said, strict=True) if text == "imported\n"}
    stands_in = {"other_course"}  # importing it succeeds, and nothing of it can be called
    assert imported == {*ALLOWED, *stands_in, *(["pandas"] if course == "regression" else [])}
    missing = dict(zip(wanted, said, strict=True))["nbgrader"]
    assert missing == "ModuleNotFoundError: No module named 'nbgrader'"


def test_a_module_at_play_that_imports_an_answer_is_refused(installed, graded):
    module = installed.packages / "other_course" / "at_play.py"
    honest = module.read_text(encoding="utf-8")
    module.write_text(f"{honest}\nimport numpy, other_course.course\n", encoding="utf-8")
    try:
        said = installed.command(
            "autograder", "check", "submitted/ada/regression/regression.ipynb", code=2
        )
    finally:
        module.write_text(honest, encoding="utf-8")
    page = (REPOSITORY / "book/teach/your-own-course.md").read_text(encoding="utf-8")
    (quoted,) = re.findall(r"^other_course.at_play imports.*$", page, re.MULTILINE)
    assert quoted in " ".join(said.split())
