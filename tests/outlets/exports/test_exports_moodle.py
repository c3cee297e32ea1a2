"""Files for Moodle."""

import html

import pytest
from exports_scene import THREE, WRITTEN, cells_seen_by_a_spreadsheet, computed, somebody

from autograder.outlets import exports
from autograder.outlets.exports import DELIMITERS, MOODLE_IDENTITIES, Marks

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_a_moodle_file_holds_points_and_diagnoses(lessons, graded, tmp_path, delimiter):
    path, written, said = exports.export(
        lessons.root, "gru", "moodle", output=tmp_path / "moodle.csv", delimiter=delimiter
    )
    rows = exports.read_table(path.read_bytes().decode(), DELIMITERS[delimiter])
    assert rows[0] == ["Username", "First name", "Last name", "gru", "gru (Feedback)"]
    assert len(rows) == written + 1 == 5 and len(said) == 2
    marks = lessons.marks()
    assert {row[0]: float(row[3]) for row in rows[1:]} == {
        name: marks[name].points for name in ("ada", "ben", "cleo", "-dev")
    }
    feedback = {row[0]: html.unescape(row[4]) for row in rows[1:]}
    assert feedback["ada"] == exports.feedback(marks["ada"])
    assert "Mistake: z and 1 - z swapped" in feedback["ada"]
    assert "Points changed by a person: 1 of 3 points." in feedback["ada"]
    assert f"{WRITTEN}: 2.5 of 4 points" in feedback["ada"]
    assert "Cell 3 did not end." in feedback["ada"] and "put back" not in feedback["ada"]
    assert "Handed in late: 9 points less." in feedback["cleo"]
    text = next(row[4] for row in rows if row[0] == "ada")
    assert "&lt;lambda&gt;" in text and "<lambda>" not in text
    assert [c for c in cells_seen_by_a_spreadsheet(path.read_text()) if computed(c)] == []


@pytest.mark.parametrize("identity", MOODLE_IDENTITIES)
def test_nobody_in_a_moodle_file_is_nameless_or_another(identity):
    students = (
        somebody("ada", 1.0, email="ada@example.org", lms_id="1"),
        somebody("ben", 2.0, email=" "),
        somebody("cleo", 3.0, email="two@example.org", lms_id="2"),
        somebody("dev", 4.0, email="Two@example.org", lms_id="2"),
    )
    table, said = exports.moodle(Marks("gru", 30.0, students), students, "gru", identity)
    if identity == "username":
        assert [row[3] for row in table[1:]] == ["1", "2", "3", "4"] and said == []
        return
    assert [row[3] for row in table[1:]] == ["1"]
    assert [line.partition(":")[0] for line in said] == ["ben", "cleo", "dev"]
    assert "has no" in said[0] and "more than one student" in said[1]


def test_moodles_limit_is_said():
    _, said = exports.moodle(Marks("gru", 120.0, THREE), THREE, "gru")
    assert said == ["Moodle refuses grades above 100 unless its administrator allows them."]
