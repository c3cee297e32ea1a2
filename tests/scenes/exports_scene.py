"""A class in a real gradebook of nbgrader, and what spreadsheets and Gradescope make of a file."""

import csv
import io
import json
import math
import re
import shutil
from datetime import datetime
from pathlib import Path

from hypothesis import strategies as st
from nbgrader.api import Gradebook
from right_answers import gru as right

import autograder
from autograder.course.exercises import ASSIGNMENTS
from autograder.grading.graded import Graded
from autograder.material.remarks import REPAIRED, Remark
from autograder.outlets import exports
from autograder.outlets.exports import DELIMITERS, Mark, Part

WRITTEN = "why-not-torch"
CONFIG = """\
import os
c = get_config()
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
"""


def swapped(x, h_prev, params):
    z, r = (
        way(x, h_prev, params) for way in (right.gate_in_blocks("z"), right.gate_in_blocks("r"))
    )
    candidate = right.candidate_in_blocks(x, h_prev, r, params)
    return z * h_prev + (1 - z) * candidate


def fails_with_markup(x, h_prev, r, params):
    raise ValueError("<lambda> met 1 < 2;=HYPERLINK(1)")


def some_grade() -> Graded:
    """Everything right but two: a named mistake, and an error whose text is hostile."""
    answers = {name: ways[0] for name, ways in right.RIGHT.items()}
    answers |= {"gru_step": swapped, "candidate_state": fails_with_markup}
    verdicts = tuple(autograder.grade(answers[e.name], e.name) for e in ASSIGNMENTS["gru"])
    return Graded(
        "gru",
        "ada",
        "0" * 64,
        "v",
        verdicts,
        (Remark("timeout", "Cell 3 did not end."), Remark(REPAIRED, "A cell was put back.")),
        seconds=1.23456,
        confinement=("limits",),
    )


def wrong(graded: Graded) -> list[str]:
    return [verdict.exercise for verdict in graded.verdicts if not verdict.passed]


def make_gradebook(path: Path) -> None:
    """nbgrader's gradebook with two assignments and nobody in it; making one takes seconds."""
    with Gradebook(f"sqlite:///{path}", "gated-memory") as book:
        book.add_assignment("gru", duedate=datetime(2026, 3, 2))
        book.add_notebook("gru", "gru")
        for exercise in reversed(ASSIGNMENTS["gru"]):
            name = f"check-{exercise.name}"
            book.add_grade_cell(name, "gru", "gru", max_score=exercise.points, cell_type="code")
        book.add_grade_cell(WRITTEN, "gru", "gru", max_score=4, cell_type="markdown")
        book.add_assignment("rnn")


class Classroom:
    """A course with a gradebook in which some submissions are graded."""

    def __init__(self, root: Path, gradebook: Path):
        self.root = root
        self.root.mkdir()
        self.configure()
        self.book = root / "gradebook.db"
        shutil.copy(gradebook, self.book)

    def configure(self, url: str = "") -> None:
        line = f"c.CourseDirectory.db_url = {url!r}\n" if url else ""
        (self.root / "nbgrader_config.py").write_text(CONFIG + line, encoding="utf-8")

    def add(self, student: str, points=None, written=None, penalty=0.0, manual=None, **about):
        """``points`` by exercise, None where nobody graded; ``written`` what a person gave."""
        with Gradebook(f"sqlite:///{self.book}", "gated-memory") as book:
            book.update_or_create_student(student, **about)
            if points == "nothing":
                return
            submission = book.add_submission("gru", student)
            (notebook,) = submission.notebooks
            notebook.late_submission_penalty = penalty
            for grade in notebook.grades:
                if points is None:
                    continue
                if grade.name == WRITTEN:
                    grade.manual_score = written
                    grade.needs_manual_grade = written is None
                else:
                    name = grade.name.removeprefix("check-")
                    grade.auto_score = points.get(name, 0.0)
                    grade.manual_score = (manual or {}).get(name)
                    grade.needs_manual_grade = False
            book.db.commit()

    def record(self, student: str, text: str | bytes) -> Path:
        path = self.root / "autograded" / student / "gru" / "grade.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def marks(self) -> dict[str, Mark]:
        return {mark.student: mark for mark in exports.read_marks(self.root, "gru").students}


def awkward_class(root: Path, gradebook: Path, graded: Graded) -> Classroom:
    """A class whose names and points are as awkward as names and points are."""
    room = Classroom(root, gradebook)
    points = {verdict.exercise: verdict.points for verdict in graded.verdicts}
    room.add(
        "ada",
        points,
        written=2.5,
        manual={"gru_step": 1.0},
        first_name="Ada",
        last_name="Larsson, Countess",
        email="Ada@example.org",
        lms_user_id="101",
    )
    room.record("ada", graded.to_json())
    room.add("ben", {"update_gate": 1 / 3, "reset_gate": 1 / 3}, written=0.0, penalty=0.125)
    room.add("cleo", {"update_gate": 0.5}, written=1.0, penalty=9.0, email="cleo@example.org")
    room.add("-dev", {}, written=0.0, first_name="=1+1", last_name="Ødegård 張", lms_user_id="a7")
    room.add("eli", "nothing", email="eli@example.org", lms_user_id="104")
    room.add("fay")
    return room


def somebody(student: str, points: float, **about) -> Mark:
    return Mark(student, parts=(Part("check-gru_step", points, 30.0),), **about)


THREE = (
    somebody("ada", 27.5),
    somebody("ben", 12.0, email="Ben@Example.org"),
    somebody("cleo", 3.0),
    somebody("dev", 1.0),
)


TRIGGERS = "=+-@＝＋－＠"
texts = st.text(
    st.one_of(
        st.sampled_from(TRIGGERS + ",;\t\r\n\"' \0|<&"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)


def computed(cell: str) -> bool:
    """Whether a spreadsheet would compute the cell. An identifier such as -ada can do nothing."""
    return bool(re.match(rf"[\s\0]*[{re.escape(TRIGGERS)}]", cell)) and not re.match(
        r"\s*[+\-@][\w.@+-]*([,;\t]|$)", cell
    )


def cells_seen_by_a_spreadsheet(text: str) -> list[str]:
    """The file's cells as read with every delimiter, also one it was not written with."""
    found = []
    for delimiter in DELIMITERS.values():
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            found += row
    return found


TOP = {
    "score", "execution_time", "output", "output_format", "test_output_format",
    "test_name_format", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard",
}  # fmt: skip
TEST = {
    "score", "max_score", "status", "name", "name_format", "number", "output", "output_format",
    "tags", "visibility", "extra_data",
}  # fmt: skip
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
VISIBLE = {"hidden", "after_due_date", "after_published", "visible"}


def require_gradescopes_format(results: dict) -> None:
    """The constraints of "Autograder specifications", Gradescope."""
    assert results == json.loads(json.dumps(results, allow_nan=False))
    assert set(results) <= TOP
    assert "score" in results or all("score" in test for test in results["tests"])
    assert "tests" in results or "score" in results
    for one in (results, *results.get("tests", ())):
        assert set(one) <= TOP if one is results else set(one) <= TEST
        for key, value in one.items():
            if key.endswith("_format"):
                assert value in FORMATS
            elif key.endswith("visibility"):
                assert value in VISIBLE
            elif key in ("score", "max_score", "execution_time"):
                assert isinstance(value, (int, float)) and math.isfinite(value) and value >= 0
            elif key == "status":
                assert value in ("passed", "failed")
            elif key in ("output", "name"):
                assert isinstance(value, str) and "\r" not in value
        if "max_score" in one:
            assert one["score"] <= one["max_score"]
