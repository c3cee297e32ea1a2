"""Marks are those of nbgrader's gradebook, and nobody is left out silently."""

import csv
import io

import pytest
from exports_scene import WRITTEN
from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from autograder.course.exercises import ASSIGNMENTS
from autograder.material.config import CourseError
from autograder.outlets import exports

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")


def test_marks_are_what_nbgrader_exports(lessons, tmp_path):
    plugin, target = CsvExportPlugin(), tmp_path / "grades.csv"
    plugin.to = str(target)
    with Gradebook(f"sqlite:///{lessons.book}", "gated-memory") as book:
        plugin.export(book)
    theirs = {
        row["student_id"]: row
        for row in csv.DictReader(io.StringIO(target.read_text()), restkey="more")
        if row["assignment"] == "gru" and not row.get("more")
    }
    marks = lessons.marks()
    assert set(marks) == {"ada", "ben", "cleo", "-dev", "eli", "fay"}
    compared = 0
    for student, row in theirs.items():
        if row["score"]:
            assert marks[student].points == pytest.approx(float(row["score"]), abs=0.005)
            compared += 1
    assert compared >= 3  # the name with a comma breaks a line of nbgrader's file
    assert marks["ada"].points == sum(
        {**{p.exercise: p.points for p in marks["ada"].parts}, "gru_step": 1.0}.values()
    )
    assert marks["cleo"].points == 0.0


def test_everything_about_a_student_is_read(lessons, graded):
    ada = lessons.marks()["ada"]
    assert (ada.name, ada.email, ada.lms_id) == ("Larsson, Countess, Ada", "Ada@example.org", "101")
    assert [part.exercise for part in ada.parts] == [e.name for e in ASSIGNMENTS["gru"]] + [WRITTEN]
    assert ada.graded == graded
    assert ada.handed_in and not ada.waiting
    assert lessons.marks()["ben"].penalty == 0.125
    assert exports.read_marks(lessons.root, "gru").max_points == 30.0


def test_the_gradebook_is_only_read(lessons):
    before = lessons.book.read_bytes()
    exports.read_marks(lessons.root, "gru")
    assert lessons.book.read_bytes() == before
    assert [path.name for path in lessons.root.glob("gradebook.db*")] == ["gradebook.db"]


@pytest.mark.parametrize("where", ["sqlite:///elsewhere.db", "sqlite:///{root}/elsewhere.db"])
def test_the_gradebook_may_be_elsewhere(tiny, where, monkeypatch, tmp_path):
    tiny.add("ada", {"update_gate": 1.0}, written=0.0)
    tiny.book.rename(tiny.root / "elsewhere.db")
    tiny.configure(where.format(root=tiny.root))
    monkeypatch.chdir(tmp_path)
    assert tiny.marks()["ada"].points == 1.0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:///nowhere.db", "no gradebook"),
        ("not an address", "no address of a database"),
        ("nosuchdatabase://teacher:secret@localhost/grades", "could not be read"),
        ("postgresql://teacher:secret@127.0.0.1:1/grades", "could not be read|takes the Python"),
    ],
)
def test_an_unreachable_gradebook_is_explained(tiny, url, says):
    tiny.configure(url)
    with pytest.raises(CourseError, match=says) as caught:
        exports.read_marks(tiny.root, "gru")
    assert "secret" not in str(caught.value)


def test_an_unknown_assignment_and_a_damaged_gradebook_are_explained(tiny):
    with pytest.raises(CourseError, match="no assignment lstm .it has: gru, rnn.*Register it"):
        exports.read_marks(tiny.root, "lstm")
    tiny.book.write_bytes(b"no database" * 100)
    with pytest.raises(CourseError, match="could not be read .*not a database"):
        exports.read_marks(tiny.root, "gru")
    tiny.book.write_bytes(b"")
    with pytest.raises(CourseError, match="no such table.*register the assignment"):
        exports.read_marks(tiny.root, "gru")


DAMAGE = {
    "cut off": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "a list": lambda text: "[]",
    "verdicts of text": lambda text: '{"verdicts": ["x"], "remarks": []}',
    "no remarks": lambda text: text.replace('"remarks"', '"marks"'),
    "not UTF-8": lambda text: b"\xff\xfe" + text.encode(),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_record_is_reported_and_costs_no_points(tiny, graded, how):
    tiny.add("ada", {"update_gate": 2.0}, written=1.0)
    tiny.record("ada", DAMAGE[how](graded.to_json()))
    marks = exports.read_marks(tiny.root, "gru")
    kept, said = exports.select(marks)
    assert [mark.points for mark in kept] == [3.0]
    assert kept[0].graded is None
    (sentence,) = said
    assert sentence.startswith("ada: exported without diagnoses, autograded/ada/gru/grade.json")


# Who is exported


def test_answers_that_wait_stop_the_export_unless_points_so_far_are_wanted(tiny):
    tiny.add("ada", {"update_gate": 2.0}, written=1.0)
    tiny.add("ben", {"update_gate": 2.0})
    marks = exports.read_marks(tiny.root, "gru")
    with pytest.raises(CourseError, match="1 answer of 1 student still waits for a person: ben"):
        exports.select(marks)
    kept, said = exports.select(marks, partial=True)
    assert {mark.student: mark.points for mark in kept} == {"ada": 3.0, "ben": 2.0}
    assert said == [f"ben: points so far; {WRITTEN} waits for a person."]


def test_nobody_is_left_out_silently(lessons):
    marks = exports.read_marks(lessons.root, "gru")
    kept, said = exports.select(marks)
    assert {mark.student for mark in kept} == {"ada", "ben", "cleo", "-dev"}
    assert said == [
        "eli: nothing handed in; left out.",
        "fay: handed in, but not graded; left out.",
    ]
    kept, said = exports.select(marks, missing_zero=True)
    assert [mark.points for mark in kept if mark.student == "eli"] == [0.0]
    assert "eli: nothing handed in; 0 points." in said
    assert "fay" not in {mark.student for mark in kept}
