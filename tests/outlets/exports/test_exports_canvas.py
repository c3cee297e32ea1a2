"""Files for Canvas, as its importer reads them."""

import csv
import io
import re

import pytest
from exports_scene import THREE, somebody
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.material.config import CourseError
from autograder.outlets import exports
from autograder.outlets.exports import Marks

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")


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
