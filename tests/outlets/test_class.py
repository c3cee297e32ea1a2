"""A class goes through the stock nbgrader commands, from release to export, with real kernels."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from pipeline_course import COURSE, Course

from autograder import grade
from autograder.course.classroom import ALL_FUNCTIONS, CLASS, RESET_AFTER, SWAPPED_UPDATE, hand_in
from autograder.demo.run import DEMO_SEED

SECRET = DEMO_SEED
GUIDE = (COURSE / "book" / "teach" / "grade-a-class.md").read_text(encoding="utf-8")
FULL = {
    "update_gate": 2,
    "reset_gate": 2,
    "candidate_state": 3,
    "gru_step": 3,
    "gru_forward": 3,
    "flip_update_gate": 2,
    "gru_step_torch": 4,
    "GRULayer": 6,
    "count_gru_parameters": 1,
}

# What every student loses, and nothing else: the points that are left, check by check.
NONE = dict.fromkeys(FULL, 0)
LEFT = {
    "ada": {},
    "ben": {"gru_forward": 0, "flip_update_gate": 0, "gru_step_torch": 0, "GRULayer": 0},
    "cleo": {"gru_step": 0},
    "eli": {"gru_step_torch": 0},
    "fay": NONE,
    "gus": {"reset_gate": 0},
    "hana": {"gru_forward": 0},
    "ivo": {"reset_gate": 0},
    "june": NONE | {"update_gate": 2},
    "kai": {},
    "lea": NONE,
    "mio": {},
    "nia": NONE,
    "otto": {},
    "pia": {},
    "quinn": NONE | {"update_gate": 2},
}

REMARKS: tuple[str, ...] = ()
"""What the commands may warn about in this class: an empty folder."""


def warnings_in(said: str) -> list[str]:
    """Everything a person would have to read twice, except what this class deserves."""
    lines = [line for line in said.splitlines() if re.search(r"WARN|ERROR|Warning|Traceback", line)]
    return [line for line in lines if not any(re.search(remark, line) for remark in REMARKS)]


class GradedClass:
    """The course after all commands, and what each of them said."""

    def __init__(self, course: Course, exchange: Path, home: Path):
        self.course, self.said = course, {}
        # What an administrator writes for everybody on a shared server.
        settings = Path(course.environment["JUPYTER_CONFIG_DIR"])
        settings.mkdir()
        (settings / "nbgrader_config.py").write_text(
            "c = get_config()\n"
            f"c.Exchange.root = {str(exchange)!r}\n"
            "c.CourseDirectory.course_id = 'gated-memory'\n",
            encoding="utf-8",
        )
        (course.root / "secret_seed.txt").write_text(SECRET + "\n", encoding="utf-8")

        roster = re.search(r"```text\n(id,.*?)```", GUIDE, re.DOTALL).group(1)
        (course.root / "roster.csv").write_text(roster, encoding="utf-8")
        self.nbgrader("db", "student", "import", "roster.csv")
        self.nbgrader("generate_assignment", "gru")
        self.nbgrader("validate", "_build/source/gru/gru.ipynb")
        self.nbgrader("release_assignment", "gru")

        # One student uses the exchange.
        self.nbgrader("fetch_assignment", "gru", cwd=home)
        self.fetched = (home / "gru" / "gru.ipynb").read_bytes()
        write_probe_of_the_seed(home / "gru" / "gru.ipynb")
        self.nbgrader("submit", "gru", cwd=home)
        self.nbgrader("collect", "gru")
        self.online = next((course.root / "submitted").iterdir()).name

        # The others send files, which the instructor copies.
        released = course.root / "_build" / "release" / "gru" / "gru.ipynb"
        source = course.root / "_build" / "source" / "gru" / "gru.ipynb"
        hand_in(released, source, course.root / "submitted")

        self.nbgrader("autograde", "gru")
        self.nbgrader("generate_feedback", "gru")
        self.nbgrader("release_feedback", "gru")
        self.nbgrader("fetch_feedback", "gru", cwd=home)
        self.nbgrader("export")
        self.home = home

    def nbgrader(self, *arguments: str, cwd: Path | None = None) -> None:
        self.said[arguments[0]] = self.course.run("nbgrader", *arguments, cwd=cwd)

    def scores(self, student: str) -> dict[str, float]:
        with self.gradebook() as gradebook:
            paper = gradebook.find_submission_notebook("gru", "gru", student)
            return {
                grade.name.removeprefix("check-"): grade.score
                for grade in paper.grades
                if grade.name.startswith("check-")
            }

    def gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.course.root / 'gradebook.db'}")

    def feedback(self, student: str) -> str:
        page = self.course.root / "feedback" / student / "gru" / "gru.html"
        return " ".join(page.read_text(encoding="utf-8").split())


def write_probe_of_the_seed(notebook: Path) -> None:
    """Cells that look for the seed: in the environment, in the package, in the course's folder."""
    paper = nbformat.read(notebook, as_version=4)
    course = notebook.parents[2] / "course"
    for source in (
        "import os; print('seed', os.environ.get('AUTOGRADER_SEED'))",
        "from autograder import answers; print('seed', answers.seed())",
        f"print('seed', open({str(course / 'secret_seed.txt')!r}).read())",
    ):
        paper.cells.append(nbformat.v4.new_code_cell(source))
    nbformat.write(paper, notebook)


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> GradedClass:
    folder = tmp_path_factory.mktemp("class")
    exchange, home = folder / "exchange", folder / "home"
    exchange.mkdir()
    exchange.chmod(0o777)
    home.mkdir()
    return GradedClass(Course(folder), exchange, home)


def test_every_command_is_quiet(graded):
    for command, said in graded.said.items():
        assert warnings_in(said) == [], command


def test_what_is_released_is_what_is_committed(graded):
    committed = (graded.course.root / "notebooks" / "gru" / "gru.ipynb").read_bytes()
    released = (graded.course.root / "_build" / "release" / "gru" / "gru.ipynb").read_bytes()
    assert released == committed == graded.fetched


def test_the_solved_source_validates(graded):
    assert "Success! Your notebook passes all the tests." in graded.said["validate"]


@pytest.mark.parametrize("student", LEFT)
def test_scores(graded, student):
    assert graded.scores(student) == FULL | LEFT[student]


def test_partial_scores_are_those_of_the_students_own_check(graded, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_SEED", SECRET)
    solved = graded.course.read("_build/source/gru/gru.ipynb")
    space: dict = {"__name__": "paper"}
    for cell in solved.cells:
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution"):
            exec(cell.source, space)
        elif cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("locked"):
            if not cell.source.startswith("check("):
                exec(cell.source, space)
    exec(RESET_AFTER, space)
    expected = {name: grade(space[name]).points for name in ALL_FUNCTIONS}
    assert graded.scores("dev") == expected
    assert 0 < expected["candidate_state"] < 3
    assert expected["gru_step"] == 3, "it is right, and builds on what is not"
    assert expected["GRULayer"] == 6


def test_everybody_is_in_the_export(graded):
    with (graded.course.root / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == {student.name for student in CLASS} | {graded.online}
    for student in LEFT.keys() - {"nia"}:
        assert float(rows[student]["score"]) == sum((FULL | LEFT[student]).values())
        assert float(rows[student]["max_score"]) == 30
    unread = {student for student, row in rows.items() if row["score"] == row["raw_score"] == ""}
    assert unread == {"nia"}, "a file that could not be read has no points instead of 0"


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("ada", "update_gate: right, 2 of 2 points"),
        ("cleo", "Mistake: z and 1 - z swapped."),
        ("dev", "Mistake: reset after the matrix product."),
        ("eli", "Mistake: gates read in the order z, r, n."),
        ("fay", "update_gate: not written yet, 0 of 2 points"),
        ("gus", "SyntaxError"),
        ("hana", "It did not finish within the time limit"),
        ("ivo", "reset_gate: not written yet, 0 of 2 points"),
        ("nia", "This file could not be read as a notebook."),
        ("otto", "This cell ended its process (exit code 1) and was left out."),
        ("quinn", "update_gate: right, 2 of 2 points"),
    ],
)
def test_the_feedback_page_says_what_happened(graded, student, says):
    assert says in graded.feedback(student)


def test_the_guide_quotes_a_real_verdict(graded):
    quoted = re.search(r"```text\n(gru_step: .*?)```", GUIDE, re.DOTALL).group(1)
    assert html.escape(" ".join(quoted.split()), quote=False) in graded.feedback("cleo")


def test_every_command_of_the_guide_is_driven_here(graded):
    blocks = "\n".join(re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL)) + GUIDE
    named = set(re.findall(r"[$`] ?nbgrader (\w+)", blocks))
    assert {"generate_assignment", "autograde", "generate_feedback", "export"} <= named
    assert named <= set(graded.said)


def test_the_feedback_quotes_no_answer(graded):
    for student in ("fay", "ivo", "june"):
        assert 'sigmoid(joined @ params["W_r"]' not in graded.feedback(student)


def test_what_was_repaired_is_reported(graded):
    said = graded.said["autograde"]
    assert "ivo: missing and put back: reset_gate, check-reset_gate, check-gru_step, " in said
    assert (
        "june: edited, what was typed there ran first, then the original: check-update_gate" in said
    )
    assert "kai: 'gru (1) final.ipynb' is graded as gru.ipynb" in said
    assert re.search(r"nia/gru/gru\.ipynb is no notebook", said)


def test_only_a_written_answer_waits_for_a_person(graded):
    with graded.gradebook() as gradebook:
        waiting = {
            student.name
            for student in CLASS
            if gradebook.find_submission("gru", student.name).needs_manual_grade
        }
    assert waiting == {"ada", "nia"}  # what nia handed in cannot be read


def test_the_secret_seed_draws_the_inputs_and_no_submission_can_read_it(graded, monkeypatch):
    found = re.search(r"yours \S+, reference \S+", graded.feedback("cleo")).group()
    said = {}
    for name, value in (("secret", SECRET), ("public", "")):
        monkeypatch.setenv("AUTOGRADER_SEED", value)
        space: dict = {"__name__": "paper"}
        exec("import numpy as np\n", space)
        for name_of_answer in ("sigmoid", "update_gate", "reset_gate", "candidate_state"):
            exec(answer(graded.course, name_of_answer), space)
        exec(SWAPPED_UPDATE, space)
        said[name] = str(grade(space["gru_step"]))
    assert found in said["secret"]
    assert found not in said["public"]

    paper = graded.course.read(f"autograded/{graded.online}/gru/gru.ipynb")
    outputs = [cell.outputs[0] for cell in paper.cells[-3:]]
    assert outputs[0].text == "seed None\n"
    assert [output.ename for output in outputs[1:]] == ["CourseCalled", "FileNotFoundError"]
    assert SECRET not in str(paper)


def answer(course: Course, name: str) -> str:
    """The solution's source of one function, or of the cell that defines it."""
    solved = course.read("_build/source/gru/gru.ipynb")
    return next(c.source for c in solved.cells if re.search(rf"^def {name}\b", c.source, re.M))


def test_both_ways_of_grading_give_the_same_grades(graded):
    before = {s: graded.scores(s) for s in LEFT}
    versions = {
        path.parts[-3]: json.loads(path.read_text(encoding="utf-8"))["version"]
        for path in graded.course.root.glob("autograded/*/gru/grade.json")
    }
    said = graded.course.run("autograder", "grade", "gru", status=1)  # nia has no grade
    assert "18 unchanged" in said and "0 graded" in said
    assert {s: graded.scores(s) for s in LEFT} == before
    assert len(set(versions.values())) == 1


def test_feedback_comes_back_through_the_exchange(graded):
    pages = list((graded.home / "gru" / "feedback").rglob("gru.html"))
    assert len(pages) == 1
    assert "update_gate: not written yet" in pages[0].read_text(encoding="utf-8")


def test_grading_by_hand_completes_the_score(graded):
    with graded.gradebook() as gradebook:
        answer = gradebook.find_grade("why-not-torch", "gru", "gru", "ada")
        answer.manual_score, answer.needs_manual_grade = 3.5, False
        gradebook.db.commit()
        assert gradebook.find_submission("gru", "ada").score == 29.5
    shutil.rmtree(graded.course.root / "feedback" / "ada")
    graded.nbgrader("generate_feedback", "gru", "--student", "ada")
    assert "(Score: 29.5 / 30.0)" in graded.feedback("ada")


def test_autograding_again_changes_nothing_and_names_keep_their_points(graded):
    graded.nbgrader("autograde", "gru", "--student", "cleo", "--force")
    assert graded.scores("cleo") == FULL | LEFT["cleo"]
