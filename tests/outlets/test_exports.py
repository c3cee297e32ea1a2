"""Files for Canvas, Moodle, Gradescope and GitHub Classroom, from a real gradebook of nbgrader.

What the platforms accept is taken from the sources that ``autograder/outlets/exports.py`` names.
"""

import csv
import html
import io
import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import unicodedata
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin
from right_answers import gru as right

import autograder
from autograder.course.exercises import ASSIGNMENTS
from autograder.grading.graded import Graded
from autograder.material.config import CourseError
from autograder.material.remarks import REPAIRED, Remark
from autograder.outlets import exports
from autograder.outlets.exports import DELIMITERS, MOODLE_IDENTITIES, Mark, Marks, Part

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")

PAGE = Path(__file__).parents[2] / "book" / "teach" / "lms.md"
WRITTEN = "why-not-torch"
CONFIG = """\
import os
c = get_config()
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
"""


@pytest.fixture(scope="module", autouse=True)
def alembic():
    """nbgrader calls alembic by its bare name, which an environment that is not active hides."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield


def swapped(x, h_prev, params):
    z, r = (
        way(x, h_prev, params) for way in (right.gate_in_blocks("z"), right.gate_in_blocks("r"))
    )
    candidate = right.candidate_in_blocks(x, h_prev, r, params)
    return z * h_prev + (1 - z) * candidate


def fails_with_markup(x, h_prev, r, params):
    raise ValueError("<lambda> met 1 < 2;=HYPERLINK(1)")


@pytest.fixture(scope="module")
def graded() -> Graded:
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


# A class in a gradebook


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory) -> Path:
    """nbgrader's gradebook with two assignments and nobody in it; making one takes seconds."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    with Gradebook(f"sqlite:///{path}", "gated-memory") as book:
        book.add_assignment("gru", duedate=datetime(2026, 3, 2))
        book.add_notebook("gru", "gru")
        for exercise in reversed(ASSIGNMENTS["gru"]):
            name = f"check-{exercise.name}"
            book.add_grade_cell(name, "gru", "gru", max_score=exercise.points, cell_type="code")
        book.add_grade_cell(WRITTEN, "gru", "gru", max_score=4, cell_type="markdown")
        book.add_assignment("rnn")
    return path


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


@pytest.fixture(scope="module")
def lessons(tmp_path_factory, gradebook, graded) -> Classroom:
    """Everybody reads it, nobody changes it."""
    return awkward_class(tmp_path_factory.mktemp("class") / "course", gradebook, graded)


@pytest.fixture
def tiny(tmp_path, gradebook) -> Classroom:
    return Classroom(tmp_path / "course", gradebook)


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


# CSV

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
        r"[+\-@][\w.@+-]*([,;\t]|$)", cell
    )


def cells_seen_by_a_spreadsheet(text: str) -> list[str]:
    """The file's cells as read with every delimiter, also one it was not written with."""
    found = []
    for delimiter in DELIMITERS.values():
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            found += row
    return found


@given(st.lists(st.lists(texts, min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_tables_survive_csv(table):
    for delimiter in DELIMITERS.values():
        assert exports.read_table(exports.write_table(table, delimiter), delimiter) == table


@given(st.lists(texts, min_size=3, max_size=3), texts, st.sampled_from(list(DELIMITERS.values())))
@settings(max_examples=500, deadline=None)
def test_no_spreadsheet_computes_a_name_or_a_diagnosis(names, diagnosis, delimiter):
    row = [*map(exports.plain, names), "2.5", exports.plain_html(diagnosis)]
    text = exports.write_table([row, row], delimiter)
    assert [cell for cell in cells_seen_by_a_spreadsheet(text) if computed(cell)] == []


@given(texts)
@settings(max_examples=300, deadline=None)
def test_a_browser_shows_the_diagnosis_unchanged(text):
    shown = html.unescape(exports.plain_html(text))
    kept = [a == b or unicodedata.category(b) == "Cc" for a, b in zip(shown, text, strict=True)]
    assert all(kept)


@pytest.mark.parametrize(
    "name", ["Ada", "O'Neil-Ødegård", "張偉", "Larsson, Ada", "-ada", "@b", ""]
)
def test_honest_names_stay_as_they_are(name):
    assert exports.plain(name) == name


@given(st.floats(0, 1e6, allow_nan=False))
def test_points_are_written_as_every_platform_reads_them(points):
    text = exports.number(points)
    assert re.fullmatch(r"\d+(\.\d{1,2})?", text)
    assert float(text) == pytest.approx(points, abs=0.005001)


def test_what_is_no_csv_is_explained():
    with pytest.raises(CourseError, match="no CSV file"):
        exports.read_table('"a"b,c\n')


# Canvas


def as_canvas_reads(table: list[list[str]], title: str) -> dict[str, str]:
    """What ``lib/gradebook_importer.rb`` takes from a file: the score by its key to a student."""
    header = table[0]
    assert len(header) > 3 and "Student" in header[0] and "ID" in header[1]
    assert header[2:4] == ["SIS User ID", "SIS Login ID"] and header[4] == "Section"
    column = header.index(title)
    scores = {}
    for row in table[1:]:
        if "Points Possible" in row[0] or all(
            re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell, re.I) for cell in row
        ):
            continue
        key = int(row[1]) if row[1] else row[2] or row[3]
        scores[key] = row[column].strip()
    return scores


def test_a_canvas_file_of_our_own(lessons):
    path, written, said = exports.export(lessons.root, "gru", "canvas")
    assert path == lessons.root / "exports" / "gru-canvas.csv"
    assert path.read_bytes().count(b"\r\n") == 2 + written == 6
    table = exports.read_table(path.read_bytes().decode())
    marks = lessons.marks()
    assert as_canvas_reads(table, "gru") == {
        101: exports.number(marks["ada"].points),
        "ben": exports.number(marks["ben"].points),
        "cleo": "0",
        "a7": "0",
    }
    assert table[1][0].strip() == "Points Possible" and table[1][5] == "30"
    assert len(said) == 2


FROM_CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Notes,Essay (7),GRU from scratch (12),Final Score
,,,,,,,Manual Posting,
    Points Possible,,,,,(read only),10.00,30.00,(read only)
"Larsson, Ada",101,s1,ada,Monday,"says ""hi"" twice",9.00,,90.00
"Okoye, Ben",102,s2,ben@example.org,Monday,,N/A,4.00,40.00
"Excused, Cleo",103,cleo,c,Monday,,8.00,EX,80.00
"Unknown, Zoe",109,s9,zoe,Monday,,7.00,5.00,70.00
"Student, Test",110,,,Monday,,,,
"""


def exported(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def somebody(student: str, points: float, **about) -> Mark:
    return Mark(student, parts=(Part("check-gru_step", points, 30.0),), **about)


THREE = (
    somebody("ada", 27.5),
    somebody("ben", 12.0, email="Ben@Example.org"),
    somebody("cleo", 3.0),
    somebody("dev", 1.0),
)


def test_a_file_from_canvas_gets_its_column(tmp_path):
    table = exported(FROM_CANVAS)
    marks = Marks("gru", 30.0, THREE)
    filled, written, said = exports.fill_canvas(table, marks, THREE, "gru FROM scratch")
    changed = [
        (r, c, filled[r][c])
        for r, row in enumerate(table)
        for c, cell in enumerate(row)
        if filled[r][c] != cell
    ]
    assert changed == [(3, 7, "27.5"), (4, 7, "12")]
    assert written == 2
    assert said == [
        "3 students matched: 2 by SIS Login ID, 1 by SIS User ID.",
        "dev: 1 points not exported, nobody in the file matches.",
        "cleo: excused in Canvas (EX); left as it is.",
        "Unknown, Zoe: in the file, without a grade here; left alone.",
        "Student, Test: in the file, without a grade here; left alone.",
    ]


def test_a_new_column_is_added_where_no_title_fits():
    marks = Marks("gru", 30.0, THREE)
    filled, written, said = exports.fill_canvas(exported(FROM_CANVAS), marks, THREE, "GRU")
    assert [row[-1] for row in filled] == ["GRU", "", "30", "27.5", "12", "3", "", ""]
    assert written == 3
    assert said[0].startswith("The file has no column 'GRU': Canvas will offer")


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_delimiter_and_byte_order_mark_stay(lessons, tmp_path, delimiter, bom):
    roster = tmp_path / "roster.csv"
    text = exports.write_table(exported(FROM_CANVAS), delimiter)
    roster.write_bytes(bom + text.encode())
    path, written, said = exports.export(
        lessons.root, "gru", "canvas", roster=roster, output=tmp_path / "out.csv", name="GRU"
    )
    data = path.read_bytes()
    assert data.startswith(bom + b"Student" + delimiter.encode())
    table = exports.read_table(data.removeprefix(bom).decode(), delimiter)
    assert table[3][-1] == exports.number(lessons.marks()["ada"].points)
    assert written == 2 and any(line.startswith("-dev: 0 points not exported") for line in said)


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        (FROM_CANVAS, "Final Score", "Canvas ignores a column called 'Final Score'"),
        (FROM_CANVAS, "Essay", "'Essay .7.' counts 10.00 points, here it is out of 30"),
        (FROM_CANVAS, "Notes", "'Notes' counts .read only. points"),
        (FROM_CANVAS.replace("Essay (7)", "GRU (7)").replace("GRU from scratch", "gru"), "gru",
         "Several columns of the file could be meant by 'gru': 'GRU .7.', 'gru .12.'"),
        ("name,points\nada,3\n", "gru", "no gradebook exported from Canvas"),
        ("", "gru", "no gradebook exported from Canvas"),
        (FROM_CANVAS.replace("    Points Possible", "    Points"), "gru", "Points Possible"),
        ("\n".join(FROM_CANVAS.splitlines()[:3]), "gru", "Nobody in this file"),
    ],
)  # fmt: skip
def test_what_canvas_would_misunderstand_is_refused(text, name, says):
    with pytest.raises(CourseError, match=says):
        exports.fill_canvas(exported(text), Marks("gru", 30.0, THREE), THREE, name)


@pytest.mark.parametrize("name", ["ID", "Section", "Student"])
def test_columns_about_the_student_are_never_filled(name):
    table = exported(FROM_CANVAS)
    filled, _, _ = exports.fill_canvas(table, Marks("gru", 30.0, THREE), THREE, name)
    assert [row[: len(table[0])] for row in filled] == table


keys = st.sampled_from(["", "a", "A", "b", "1", "2"])
people = st.lists(st.tuples(keys, keys, keys), max_size=5)


@given(rows=people, marks=people)
@settings(max_examples=300, deadline=None)
def test_points_never_go_to_somebody_who_could_be_another(rows, marks):
    """Whatever ids coincide: a filled cell is claimed by one student, who claims no other."""
    table = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "gru (1)"]]
    table.append(["    Points Possible", "", "", "", "", "100.00"])
    table += [[f"row {n}", *row, "Monday", ""] for n, row in enumerate(rows)]
    students = [
        somebody(name or f"nobody {n}", n + 1.0, email=email, lms_id=lms_id)
        for n, (name, email, lms_id) in enumerate(marks)
    ]
    students = list({mark.student: mark for mark in students}.values())
    try:
        filled, written, said = exports.fill_canvas(
            table, Marks("gru", 100.0, tuple(students)), students, "gru"
        )
    except CourseError:
        return
    by_points = {exports.number(mark.points): mark for mark in students}
    got = [by_points[row[5]] for row in filled[2:] if row[5]]
    assert len(got) == len(set(got)) == written
    for row in filled[2:]:
        if row[5]:
            mark = by_points[row[5]]
            own = {mark.student, mark.email, mark.lms_id} - {""}
            assert {cell.casefold() for cell in row[1:4]} & {text.casefold() for text in own}
    assert [row[:5] for row in filled] == [row[:5] for row in table]
    left_out = {line.partition(":")[0] for line in said if "not exported" in line}
    assert left_out == {mark.student for mark in students} - {mark.student for mark in got}


def test_two_students_of_one_identity_get_nothing():
    twins = (somebody("x", 1.0, lms_id="101"), somebody("y", 2.0, lms_id="101"), THREE[1])
    filled, written, said = exports.fill_canvas(
        exported(FROM_CANVAS), Marks("gru", 30.0, twins), twins, "GRU"
    )
    assert written == 1 and filled[3][-1] == ""
    assert "x: 1 points not exported, ID 101 could be more than one." in said
    assert "y: 2 points not exported, ID 101 could be more than one." in said


# Moodle


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


# Gradescope

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


def test_one_graded_notebook_for_gradescope(graded):
    results = exports.results_of(graded, {WRITTEN: 4.0})
    require_gradescopes_format(results)
    assert results["score"] == graded.points
    assert [test["name"] for test in results["tests"]] == [e.name for e in ASSIGNMENTS["gru"]]
    assert sum(test["max_score"] for test in results["tests"]) == graded.max_points
    failed = [t["name"] for t in results["tests"] if t["score"] < t["max_score"]]
    assert failed == wrong(graded)
    by_name = {test["name"]: test["output"] for test in results["tests"]}
    assert "z and 1 - z swapped" in by_name["gru_step"]
    assert results["output"] == (
        "Cell 3 did not end.\nGraded by a person, points not counted here: why-not-torch (4)."
    )
    assert "person" not in exports.results_of(graded)["output"]
    found = exports.results_of(replace(graded, written=((WRITTEN, True),)))
    assert found["output"].endswith(f"points not counted here: {WRITTEN}.")


@given(texts, texts)
@settings(max_examples=50, deadline=None)
def test_whatever_a_student_wrote_gradescope_can_read_it(graded, says, detail):
    verdict = next(v for v in graded.verdicts if v.failure)
    hostile = replace(verdict, failure=replace(verdict.failure, headline=says, lines=(detail,)))
    other = replace(graded, verdicts=(hostile,), remarks=(Remark("tamper", says + "\ud800"),))
    require_gradescopes_format(exports.results_of(other))
    json.dumps(exports.verdicts_of(other)).encode()


def test_a_folder_for_gradescope(tmp_path, gradebook, graded):
    room = awkward_class(tmp_path / "course", gradebook, graded)
    room.add("gus/../x", {}, written=0.0, email="gus@example.org")
    room.add("hal", {}, written=0.0, email="hal@example.org")
    room.add("ivo", {}, written=0.0, email="Hal@example.org")
    folder, written, said = exports.export(room.root, "gru", "gradescope")
    assert folder == room.root / "exports" / "gru-gradescope"
    found = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/*.json")}
    assert set(found) == {"ada", "ben", "cleo", "-dev", "hal", "ivo"} and written == 6
    for student, results in found.items():
        require_gradescopes_format(results)
        assert results["score"] == room.marks()[student].points
    assert found["ada"]["tests"][-1]["name"] == WRITTEN
    assert "Handed in late: 9 points less." in found["cleo"]["output"]
    emails = json.loads((folder / "emails.json").read_text())
    assert emails == {"ada@example.org": "ada", "cleo@example.org": "cleo"}
    assert "'gus/../x': not exported, no folder can have this name." in said
    assert "hal: Gradescope cannot know whose this is, more than one student has the email" in (
        "\n".join(said)
    )


def test_answers_that_wait_are_no_failed_tests(tiny):
    tiny.add("ben", {"update_gate": 2.0})
    folder, _, _ = exports.export(tiny.root, "gru", "gradescope", partial=True)
    results = json.loads((folder / "ben" / "results.json").read_text())
    require_gradescopes_format(results)
    assert WRITTEN not in {test["name"] for test in results["tests"]}
    assert f"{WRITTEN} waits for a person" in results["output"]


def test_an_export_of_nobody_and_an_unwritable_folder_are_explained(tiny, tmp_path):
    tiny.add("eli", "nothing")
    with pytest.raises(CourseError, match="Nobody .* has a grade for gru yet. eli: nothing"):
        exports.export(tiny.root, "gru", "canvas")
    tiny.add("ada", {}, written=0.0)
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="could not be written"):
        exports.export(tiny.root, "gru", "canvas", output=tmp_path / "file" / "out.csv")
    with pytest.raises(CourseError, match="could not be read"):
        exports.export(tiny.root, "gru", "canvas", roster=tmp_path / "missing.csv")


# GitHub Classroom and others


def test_verdicts_for_other_tools(graded):
    found = exports.verdicts_of(graded, {WRITTEN: 4.0})
    assert found == json.loads(json.dumps(found, allow_nan=False))
    assert found["schema_version"] == exports.SCHEMA_VERSION == 1
    assert set(found) == documented("top") and set(found["tests"][0]) == documented("tests")
    assert found["status"] == "fail" and found["needs_look"]
    by_name = {test["name"]: test for test in found["tests"]}
    assert [name for name, test in by_name.items() if test["status"] == "fail"] == wrong(graded)
    assert by_name["gru_step"]["mistake"] == "z and 1 - z swapped"
    assert by_name["candidate_state"]["kind"] == "exception"
    assert by_name["update_gate"]["kind"] is None
    assert found["by_person"] == [{"name": WRITTEN, "max_score": 4.0}]
    unknown = exports.verdicts_of(replace(graded, written=((WRITTEN, False),)))
    assert unknown["by_person"] == [{"name": WRITTEN, "max_score": None}]
    perfect = replace(graded, verdicts=tuple(v for v in graded.verdicts if v.passed))
    assert exports.verdicts_of(perfect)["status"] == "pass"


def documented(where: str) -> set[str]:
    """The keys that the docstring of ``verdicts_of`` names: of all, or of one test."""
    text = exports.verdicts_of.__doc__
    if where == "top":
        return set(re.findall(r"^    (\w+)  ", text, re.M)) | {"confinement"}
    line = re.search(r"^    tests .*\n((?:      .*\n)+)", text, re.M)[1]
    names = re.findall(r"^      ((?:\w+, )*\w+)(?:  |$)", line, re.M)
    return {name for group in names for name in group.split(", ")}


def test_githubs_reporter_finds_what_it_reads(graded):
    """``src/main.js``, ``console-results.js`` and ``notify-classroom.js`` of the reporter."""
    found = exports.verdicts_of(graded)
    assert found["status"] in ("pass", "fail", "error") and found["max_score"] > 0
    assert sum(test["score"] for test in found["tests"]) == pytest.approx(found["score"])
    for test in found["tests"]:
        assert test["name"] and test["status"] in ("pass", "fail", "error")
        assert test["line_no"] == 0 and not test.get("test_code")


# The page


def blocks() -> list[tuple[str, str, str]]:
    """Language, caption and text of every block of code on the page."""
    page = PAGE.read_text(encoding="utf-8")
    found = re.findall(
        r"^```(?:\{code-block\} )?(\w+)\n(?::caption: ([^\n]*)\n)?(.*?)^```$", page, re.M | re.S
    )
    boxes = len(re.findall(r"^```\{admonition\}", page, re.M))
    assert 2 * (len(found) + boxes) == len(re.findall(r"^```", page, re.M))
    return found


def block(caption: str) -> str:
    (text,) = (text for _, found, text in blocks() if found == caption)
    return text


def workflow() -> dict:
    return yaml.safe_load(block(".github/workflows/classroom.yml"))


def scripts() -> list[str]:
    """Everything on the page that a shell runs."""
    found = [text for language, _, text in blocks() if language == "bash"]
    for language, _, text in blocks():
        if language == "console":
            lines = text.replace("\\\n", "\\\n$ ").splitlines()
            found.append("\n".join(line.removeprefix("$ ") for line in lines))
    steps = workflow()["jobs"]["autograding"]["steps"]
    return found + [step["run"] for step in steps if "run" in step]


def commands() -> list[list[str]]:
    """Every ``autograder …`` on the page, as words."""
    found = []
    for script in scripts():
        for line in script.replace("\\\n", " ").splitlines():
            words = shlex.split(line.split("||")[0], comments=True)
            if words and Path(words[0]).name == "autograder":
                found.append(words[1:])
    assert {words[0] for words in found} == {"export", "grade-one", "check"}
    return found


@pytest.mark.parametrize("script", scripts(), ids=lambda text: text[:40])
def test_shell_on_the_page_parses(script):
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    assert done.returncode == 0 and not done.stderr


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_on_the_page_exist(words):
    from autograder.cli import main

    with click.Context(main) as context:
        command = main.get_command(context, words[0])
        assert command is not None
        parser = command.make_parser(click.Context(command, parent=context))
        _, left, _ = parser.parse_args(words[1:])  # an unknown option is an error
    taken = [option for option in command.params if isinstance(option, click.Argument)]
    assert left == [] and len(taken) == (2 if words[0] == "export" else 1)


def test_options_in_the_prose_exist():
    from autograder.cli import main

    def options(command) -> set[str]:
        inner = command.commands.values() if isinstance(command, click.Group) else ()
        own = {name for option in command.params for name in option.opts}
        return own.union(*(options(one) for one in inner))

    ours = set(re.findall(r"`(--[a-z-]+)", PAGE.read_text(encoding="utf-8"))) - {"--add-file"}
    assert ours and ours <= options(main)


def test_the_workflow_hands_the_result_to_the_reporter():
    (job,) = workflow()["jobs"].values()
    *_, grade, report = job["steps"]
    (variable,) = report["env"]
    runner = report["with"]["runners"]
    assert runner == grade["id"] and variable == f"{runner.upper()}_RESULTS"
    assert report["env"][variable] == f"${{{{ steps.{runner}.outputs.result }}}}"
    assert 'echo "result=' in grade["run"]


def test_the_json_on_the_page_is_what_we_write(graded):
    (shown,) = (json.loads(text) for language, _, text in blocks() if language == "json")
    real = exports.verdicts_of(graded, {WRITTEN: 4.0})
    assert set(shown) <= set(real) and shown["schema_version"] == real["schema_version"]
    assert set(shown["tests"][0]) == set(real["tests"][0])
    assert shown["by_person"] == real["by_person"]
    assert shown["max_score"] == real["max_score"] > shown["score"]
    (test,) = shown["tests"]
    ours = next(t for t in real["tests"] if t["name"] == test["name"])
    assert {**test, "message": ""} == {**ours, "message": ""}
    assert ours["message"].startswith(test["message"].partition("\n")[0])


class Container:
    """Gradescope's folders, with a script from the page in them."""

    def __init__(self, root: Path, caption: str):
        self.root = root / "autograder"
        for name in ("submission", "results", "source/course"):
            (self.root / name).mkdir(parents=True)
        text = (
            block(caption)
            .replace("/autograder/", f"{self.root}/")
            .replace('"/autograder"', f'"{self.root}"')
        )
        self.script = self.root / "run_autograder"
        # The engine lies elsewhere: /opt/autograder/bin.
        self.script.write_text(text.replace(f"/opt{self.root}/", f"{root}/opt/"))
        self.engine = root / "opt" / "bin" / "autograder"
        self.engine.parent.mkdir(parents=True)

    def run(self) -> subprocess.CompletedProcess:
        first = self.script.read_text().partition("\n")[0]
        program = "bash" if first.endswith("bash") else sys.executable
        return subprocess.run([program, str(self.script)], text=True, capture_output=True)

    def results(self) -> dict | None:
        path = self.root / "results" / "results.json"
        return json.loads(path.read_text()) if path.exists() else None


ENGINE = """\
#!/usr/bin/env bash
echo "$PWD|$*" > {log}
while [ "$1" != --output ]; do shift; done
echo '{{"score": 1}}' > "$2"
exit {code}
"""


@pytest.mark.parametrize("code", [0, 1, 2])
def test_gradescope_gets_results_or_an_error(tmp_path, code):
    box = Container(tmp_path, "gradescope/run_autograder")
    box.engine.write_text(ENGINE.format(log=tmp_path / "log", code=code))
    box.engine.chmod(0o755)
    notebook = box.root / "submission" / "my gru.ipynb"
    notebook.write_text("{}")
    (box.root / "submission" / ".ipynb_checkpoints").mkdir()
    (box.root / "submission" / ".ipynb_checkpoints" / "gru.ipynb").write_text("{}")
    done = box.run()
    where, words = (tmp_path / "log").read_text().strip().split("|")
    assert where == str(box.root / "source" / "course")
    assert words.startswith(f"grade-one {notebook} --assignment gru")
    assert (done.returncode, box.results()) == ((2, None) if code == 2 else (0, {"score": 1}))


@pytest.mark.parametrize("number", [0, 2])
def test_gradescope_students_are_told_what_to_hand_in(tmp_path, number):
    box = Container(tmp_path, "gradescope/run_autograder")
    for n in range(number):
        (box.root / "submission" / f"{n}.ipynb").write_text("{}")
    assert box.run().returncode == 0
    require_gradescopes_format(box.results())
    assert box.results()["output"].endswith(f"Here are {number}.")


@pytest.mark.parametrize("email", ["ADA@example.org", "nobody@example.org"])
def test_results_from_home_are_handed_out(lessons, tmp_path, email):
    box = Container(tmp_path, "hand-out/run_autograder")
    exports.export(lessons.root, "gru", "gradescope", output=box.root / "source")
    users = [{"id": 1, "name": "Ada", "email": email}]
    (box.root / "submission_metadata.json").write_text(json.dumps({"users": users}))
    done = box.run()
    assert done.returncode == 0, done.stderr
    require_gradescopes_format({"score": 0} | box.results())
    if email.startswith("ADA"):
        assert box.results()["score"] == lessons.marks()["ada"].points
    else:
        assert box.results()["tests"][0]["status"] == "failed"
