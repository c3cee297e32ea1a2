"""Grades out to where they live: files for Canvas, Moodle, Gradescope and GitHub Classroom.

A class's points come from nbgrader's gradebook, which alone knows answers graded by a person,
changed points and penalties for late work; what the checks said comes from the ``grade.json``
beside each graded notebook. Whoever could not be exported is reported, one sentence each. A
single graded notebook (``autograder grade-one``) needs no gradebook: ``results_of`` and
``verdicts_of``.

Sources of the formats:

Canvas      the importer and the exporter of its gradebook, ``lib/gradebook_importer.rb`` and
            ``lib/gradebook_exporter.rb`` in instructure/canvas-lms
Moodle      "Grade import", https://docs.moodle.org/en/Grade_import, and the importer itself,
            ``grade/import/csv/classes/load_data.php`` in moodle/moodle
Gradescope  "Autograder specifications" and "Submission metadata",
            https://gradescope-autograders.readthedocs.io/en/latest/specs/
GitHub      the reporter that hands points to GitHub Classroom, ``src/main.js`` and
            ``src/notify-classroom.js`` in classroom-resources/autograding-grading-reporter
Cells that a spreadsheet would compute: "CSV injection", OWASP,
https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from autograder.checking.render import as_text
from autograder.checking.verdict import Verdict
from autograder.grading.graded import REPAIRED, Graded
from autograder.material.config import CourseError
from autograder.material.notebooks import assignments, functions_in

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
"""The delimiters that Moodle's import offers and that spreadsheets write."""

Table = list[list[str]]
"""Rows of cells, all of them text; the first row names the columns."""


@dataclass(frozen=True)
class Part:
    """One graded cell of a submission, as the gradebook has it."""

    name: str
    points: float
    max_points: float
    waits: bool = False
    """nobody has given it points yet"""

    @property
    def exercise(self) -> str:
        return self.name.removeprefix("check-")


@dataclass(frozen=True)
class Mark:
    """What one student has for one assignment."""

    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    """the gradebook's ``lms_user_id``: the student's number in Canvas or Moodle"""
    handed_in: bool = True
    parts: tuple[Part, ...] = ()
    """empty where nothing was handed in, or nothing of it is graded"""
    penalty: float = 0.0
    """points lost for handing in late"""
    graded: Graded | None = None
    """what the checks said, None where another engine graded"""

    @property
    def points(self) -> float:
        """The final score, never below 0, as nbgrader's own export computes it."""
        return round(max(0.0, sum(part.points for part in self.parts) - self.penalty), 2)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The answers that nobody has graded yet."""
        return tuple(part.exercise for part in self.parts if part.waits)

    @property
    def name(self) -> str:
        """``Last, First`` as in Canvas, or the id where the gradebook has no name."""
        return ", ".join(filter(None, (self.last_name, self.first_name))) or self.student


@dataclass(frozen=True)
class Marks:
    """What a class has for one assignment."""

    assignment: str
    max_points: float
    students: tuple[Mark, ...]
    remarks: tuple[str, ...] = ()
    """a sentence for every record that could not be read"""


# Reading the gradebook


def read_marks(course: Path, assignment: str) -> Marks:
    """Everybody's marks from the gradebook, with the diagnoses found in ``autograded/``.

    The gradebook may be any database that ``c.CourseDirectory.db_url`` names; it is only read. A
    damaged ``grade.json`` costs the diagnoses, not the points, and is named in the remarks.
    Raises CourseError where there is no gradebook, or it has no such assignment.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    from autograder.outlets.gradebook import gradebook_url

    url = gradebook_url(course)
    try:
        # nbgrader's own Gradebook would add a row or tables that are missing.
        engine = create_engine(url)
        try:
            with Session(engine) as session:
                marks = _read(session, assignment, _order(course, assignment))
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise CourseError(
            f"The gradebook could not be read ({said}). If another program is writing to it, wait "
            f"and try again. If it is new, register the assignment: nbgrader generate_assignment "
            f"{assignment}"
        ) from error
    except ModuleNotFoundError as error:
        raise CourseError(
            f"Reading the gradebook takes the Python package {error.name}, which is not installed."
        ) from error
    students, remarks = [], []
    for mark in marks.students:
        graded, remark = _diagnoses(course, assignment, mark) if mark.parts else (None, "")
        students.append(replace(mark, graded=graded))
        remarks += filter(None, [remark])
    return replace(marks, students=tuple(students), remarks=tuple(remarks))


def _order(course: Path, assignment: str) -> list[str]:
    """The exercises as the assignment's source asks for them; empty where it is not here."""
    return functions_in(course, assignment) if assignment in assignments(course) else []


def _read(session, assignment: str, order: Sequence[str]) -> Marks:
    from nbgrader.api import (
        Assignment,
        BaseCell,
        Grade,
        Student,
        SubmittedAssignment,
        SubmittedNotebook,
    )

    entry = session.query(Assignment).filter(Assignment.name == assignment).one_or_none()
    if entry is None:
        known = ", ".join(sorted(name for (name,) in session.query(Assignment.name))) or "none"
        raise CourseError(
            f"The gradebook has no assignment {assignment} (it has: {known}). Register it with: "
            f"nbgrader generate_assignment {assignment}"
        )
    # One query for the whole class: an object for each of ten thousand students takes minutes.
    rows = (
        session.query(
            SubmittedAssignment.student_id,
            BaseCell.name,
            Grade.score,
            Grade.max_score,
            Grade.needs_manual_grade,
            Grade.auto_score,
            Grade.manual_score,
        )
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .filter(SubmittedAssignment.assignment_id == entry.id)
    )
    parts: dict[str, list[Part]] = {}
    touched = set()  # nbgrader enters every cell, without points, before it grades
    for student, name, score, most, needs, auto, manual in rows:
        untouched = auto is None and manual is None
        part = Part(name, float(score), float(most), bool(needs) or untouched)
        parts.setdefault(student, []).append(part)
        if not untouched:
            touched.add(student)
    late = dict(
        session.query(SubmittedAssignment.student_id, SubmittedAssignment.late_submission_penalty)
        .filter(SubmittedAssignment.assignment_id == entry.id)
        .all()
    )
    roster = session.query(
        Student.id, Student.first_name, Student.last_name, Student.email, Student.lms_user_id
    ).order_by(Student.last_name, Student.first_name, Student.id)
    students = []
    for student, *about in roster:
        mine = parts.get(student, []) if student in touched else []
        mine.sort(key=lambda part: (_place(order, part.exercise), part.name))
        students.append(
            Mark(
                student,
                *(text or "" for text in about),
                handed_in=student in late,
                parts=tuple(mine),
                penalty=float(late.get(student) or 0.0),
            )
        )
    return Marks(assignment, float(entry.max_score), tuple(students))


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _diagnoses(course: Path, assignment: str, mark: Mark) -> tuple[Graded | None, str]:
    """What the checks said, and a sentence where that cannot be read."""
    path = course / "autograded" / mark.student / assignment / "grade.json"
    try:
        return Graded.from_json(path.read_text(encoding="utf-8")), ""
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return None, (
            f"{mark.student}: exported without diagnoses, {path.relative_to(course)} cannot be "
            f"read ({type(error).__name__}). Grade this submission again to get them back."
        )


# Who is exported


def select(
    marks: Marks, partial: bool = False, missing_zero: bool = False
) -> tuple[tuple[Mark, ...], list[str]]:
    """The students whose final score is known, and a sentence for everybody else.

    An answer that waits for a person would make a total too small, so it stops the export unless
    ``partial`` says that points so far are wanted. Students who handed in nothing are left out
    unless ``missing_zero`` gives them 0 points.

    Raises CourseError when answers wait and ``partial`` is False.
    """
    waiting = {mark.student: mark.waiting for mark in marks.students if mark.waiting}
    answers = sum(map(len, waiting.values()))
    if waiting and not partial:
        raise CourseError(
            f"{_count(answers, 'answer')} of {_count(len(waiting), 'student')} still "
            f"{_wait(answers)} for a person: {_names(waiting)}. Give them points in the "
            "formgrader, or export the points so far with --partial."
        )
    kept, said = [], list(marks.remarks)
    for mark in marks.students:
        if mark.parts:
            kept.append(mark)
            if mark.waiting:
                said.append(f"{mark.student}: {_so_far(mark)}")
        elif mark.handed_in:
            said.append(f"{mark.student}: handed in, but not graded; left out.")
        elif missing_zero:
            kept.append(mark)
            said.append(f"{mark.student}: nothing handed in; 0 points.")
        else:
            said.append(f"{mark.student}: nothing handed in; left out.")
    return tuple(kept), said


def _so_far(mark: Mark) -> str:
    waiting = mark.waiting
    return f"points so far; {', '.join(waiting)} {_wait(len(waiting))} for a person."


def _wait(number: int) -> str:
    return "waits" if number == 1 else "wait"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _names(names: Iterable[str], most: int = 8) -> str:
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


# CSV

_TRIGGERS = "=+\\-@＝＋－＠"
_COMPUTED = re.compile(rf'(\A|[,;])(?=[\s"]*[{_TRIGGERS}])')
_COMPUTED_LINE = re.compile(rf'(?:\A|[,;\t\n])[\s"{_TRIGGERS}]+')
_HARMLESS = re.compile(r"[+\-@][\w.@+-]*")


def plain(text: str) -> str:
    """A name or an identifier as a cell that no spreadsheet computes.

    Where text begins with ``=``, ``+``, ``-`` or ``@`` an apostrophe goes before it, as OWASP
    advises; also after a comma and a semicolon, because a spreadsheet that expects the other
    delimiter begins a new cell there. Identifiers such as ``-ada`` or ``@ada`` stay as they are:
    they can do nothing, and with an apostrophe they would name nobody.
    """
    text = re.sub(r"\s", " ", _printable(text))
    return text if _HARMLESS.fullmatch(text) else _COMPUTED.sub(r"\1'", text)


def plain_html(text: str) -> str:
    """Any text as HTML for a cell that no spreadsheet computes; a browser shows it unchanged.

    What could begin a computed cell, at the start and after every delimiter and line break, is
    written as a character reference.
    """

    def refer(found: re.Match) -> str:
        return re.sub(f"[{_TRIGGERS}]", lambda sign: f"&#{ord(sign[0])};", found[0])

    return _COMPUTED_LINE.sub(refer, escape(_printable(text), quote=False))


def _printable(text: str) -> str:
    """Without control characters and halves of surrogate pairs, which a diagnosis may quote."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", " ", text)


def number(points: float) -> str:
    """Points as text: at most two decimals, as many as Canvas keeps, and a decimal point."""
    return f"{round(points, 2):.10g}"


def write_table(table: Table, delimiter: str = ",") -> str:
    """The table as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(table)
    return text.getvalue()


def read_table(text: str, delimiter: str = ",") -> Table:
    """The table that ``write_table`` wrote; raises CourseError for what is no CSV."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise CourseError(f"This is no CSV file: {error}.") from error


# Canvas

CANVAS_COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_CANVAS_TOTALS = re.compile(
    r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)"
)  # the importer skips every column whose name contains one of these
_CANVAS_MATCHES = (
    ("SIS Login ID", "student"),
    ("SIS Login ID", "email"),
    ("SIS User ID", "lms_id"),
    ("SIS User ID", "student"),
    ("ID", "lms_id"),
    ("ID", "student"),
)
"""In which column a student is looked for, and with what, in this order."""


def canvas(marks: Marks, students: Iterable[Mark], name: str) -> Table:
    """A gradebook file for Canvas, made without one exported from there.

    Canvas recognizes students by ID (its own number), then by SIS User ID, by SIS Login ID and by
    name. The gradebook's lms_user_id is an ID where it is a number, else an SIS User ID: Canvas
    reads the digits in front of any text as a number. ``name`` is the column's header: ``Title
    (number)`` for an assignment that exists there, anything else for a new one.
    """
    _refuse_total(name)
    table = [[*CANVAS_COLUMNS, plain(name)]]
    table.append(["    Points Possible", "", "", "", "", number(marks.max_points)])
    for mark in students:
        its_number = re.fullmatch(r"[0-9]+", mark.lms_id)
        known_as = [mark.lms_id, ""] if its_number else ["", plain(mark.lms_id)]
        who = [plain(mark.name), *known_as, plain(mark.student), ""]
        table.append([*who, number(mark.points)])
    return table


def fill_canvas(
    table: Table, marks: Marks, students: Iterable[Mark], name: str
) -> tuple[Table, int, list[str]]:
    """A file exported from Canvas with the assignment's column filled.

    Every other cell stays as it is. Students are looked for by SIS Login ID, SIS User ID and ID;
    nobody's cell is changed where more than one row, or more than one student, could be meant.
    Cells that say ``EX`` (excused) or ``N/A`` (not assigned) are kept. Returns the table, how
    many cells were filled, and what there is to say about the others.

    Raises CourseError for a file that is no Canvas export, for a column that several headers
    could mean, where Canvas counts the assignment out of other points, and where nobody matches.
    """
    _refuse_total(name)
    table = [list(row) for row in table]
    header = table[0] if table else []
    possible = [row for row in table[1:] if row and "Points Possible" in row[0]]
    if not {"ID", "SIS Login ID", "Section"} <= set(header) or len(possible) != 1:
        raise CourseError(
            "This is no gradebook exported from Canvas: its first line has to name the columns "
            "ID, SIS Login ID and Section, and a line Points Possible has to follow. Choose "
            "Export in the Canvas gradebook."
        )
    for row in table[1:]:
        row += [""] * (len(header) - len(row))
    column = _canvas_column(header, name)
    said = []
    if column is None:
        column = len(header)
        for row in table:
            row.insert(column, "")
        header[column], possible[0][column] = plain(name), number(marks.max_points)
        said.append(
            f"The file has no column {name!r}: Canvas will offer to make a new assignment. To "
            "fill an existing one, name it with --assignment-name."
        )
    else:
        _require_points(possible[0][column], marks.max_points, header[column])
    people = [
        line
        for line, row in enumerate(table)
        if line and row is not possible[0] and not all(map(_CANVAS_NOTE.fullmatch, row))
    ]
    found, ways, more = _match(table, people, students)
    if not found:
        raise CourseError(
            "Nobody in this file is in the gradebook, by SIS Login ID, SIS User ID or ID: are the "
            "two of the same course?"
        )
    filled = 0
    for line, mark in found.items():
        before = table[line][column].strip()
        if before.upper() in ("EX", "N/A"):
            meaning = "excused" if before.upper() == "EX" else "not assigned"
            more.append(f"{mark.student}: {meaning} in Canvas ({before}); left as it is.")
        else:
            table[line][column] = number(mark.points)
            filled += 1
    for line in people:
        if line not in found:
            more.append(f"{table[line][0].strip()}: in the file, without a grade here; left alone.")
    by = ", ".join(f"{count} by {way}" for way, count in ways.items())
    return table, filled, [*said, f"{_count(len(found), 'student')} matched: {by}.", *more]


_CANVAS_NOTE = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE)
"""The cells of the line that says which assignments are hidden."""


def _refuse_total(name: str) -> None:
    if _CANVAS_TOTALS.search(name):
        raise CourseError(
            f"Canvas ignores a column called {name!r}, as it does its own totals: choose another "
            "name with --assignment-name."
        )


def _canvas_column(header: list[str], name: str) -> int | None:
    """The column of the assignment, None where there is none."""
    candidates = range(header.index("Section") + 1, len(header))
    found = [i for i in candidates if header[i] == name] or [
        i
        for i in candidates
        if re.sub(r"\s*\(\d+\)$", "", header[i]).strip().casefold() == name.strip().casefold()
    ]
    if len(found) > 1:
        several = ", ".join(repr(header[i]) for i in found)
        raise CourseError(
            f"Several columns of the file could be meant by {name!r}: {several}. Name one of them "
            "in full with --assignment-name."
        )
    return found[0] if found else None


def _require_points(there: str, most: float, title: str) -> None:
    try:
        same = float(there.strip().replace(",", ".")) == round(most, 2)
    except ValueError:
        same = False
    if not same:
        raise CourseError(
            f"In Canvas {title!r} counts {there.strip() or 'no'} points, here it is out of "
            f"{number(most)}; Canvas does not convert. Set the assignment in Canvas to "
            f"{number(most)} points and export its gradebook again."
        )


def _match(
    table: Table, people: list[int], students: Iterable[Mark]
) -> tuple[dict[int, Mark], Counter, list[str]]:
    """The students by line of the table, how many were found in which column, and who was not."""
    header, found, ways = table[0], {}, Counter()
    left = {mark.student: mark for mark in students}
    doubtful: dict[str, str] = {}
    for title, attribute in _CANVAS_MATCHES:
        if title not in header:
            continue
        column = header.index(title)
        lines: dict[str, list[int]] = {}
        for line in people:
            lines.setdefault(table[line][column].strip().casefold(), []).append(line)
        wanted: dict[str, list[Mark]] = {}
        for mark in left.values():
            wanted.setdefault(getattr(mark, attribute).strip().casefold(), []).append(mark)
        for key in wanted:
            if not key or key not in lines:
                continue
            line = lines[key][0]
            if len(lines[key]) > 1 or len(wanted[key]) > 1 or line in found:
                shown = f"{title} {table[line][column].strip()}"
                doubtful |= {mark.student: shown for mark in wanted[key]}
            else:
                found[line] = wanted[key][0]
                ways[title] += 1
                del left[found[line].student]
    said = []
    for mark in left.values():
        reason = doubtful.get(mark.student)
        why = f"{reason} could be more than one" if reason else "nobody in the file matches"
        said.append(f"{mark.student}: {number(mark.points)} points not exported, {why}.")
    return found, ways, said


def read_canvas(path: Path) -> tuple[Table, str, bool]:
    """A file exported from Canvas: its cells, its delimiter, and whether it begins with a BOM."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise CourseError(f"{path} could not be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise CourseError(
            f"{path} is not in UTF-8. Use the file as Canvas exported it, or save it from your "
            "spreadsheet as CSV UTF-8."
        ) from None
    bom = text.startswith("\ufeff")
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    return read_table(text, delimiter), delimiter, bom


# Moodle

MOODLE_IDENTITIES = {
    "username": ("Username", "student"),
    "email": ("Email address", "email"),
    "id": ("ID number", "lms_id"),
}
"""How Moodle may recognize a student: the column's header, and where its value is found."""


def moodle(
    marks: Marks, students: Iterable[Mark], name: str, identity: str = "username"
) -> tuple[Table, list[str]]:
    """A grade file for Moodle, with feedback, and a sentence for everybody who is left out.

    A row without an identification is never written: Moodle's importer would give its grade to
    the student of the row before. Nor are rows that name the same person.
    """
    title, attribute = MOODLE_IDENTITIES[identity]
    field = {"student": "id", "lms_id": "lms_user_id"}.get(attribute, attribute)
    students = tuple(students)
    same = Counter(getattr(mark, attribute).strip().casefold() for mark in students)
    table = [[title, "First name", "Last name", plain(name), plain(f"{name} (Feedback)")]]
    said = []
    for mark in students:
        who = getattr(mark, attribute).strip()
        if not who or same[who.casefold()] > 1:
            why = f"more than one student has the {field} {who}" if who else f"it has no {field}"
            said.append(
                f"{mark.student}: {number(mark.points)} points not exported, in the gradebook "
                f"{why}."
            )
            continue
        names = [plain(mark.first_name), plain(mark.last_name)]
        table.append([plain(who), *names, number(mark.points), plain_html(feedback(mark))])
    if marks.max_points > 100:
        said.append("Moodle refuses grades above 100 unless its administrator allows them.")
    return table, said


def feedback(mark: Mark) -> str:
    """The diagnoses as plain text, with what a person or the deadline did to the points."""
    verdicts = _verdicts(mark)
    return "\n\n".join(
        [*_about(mark), *(_said(part, verdicts.get(part.exercise)) for part in mark.parts)]
    )


def _about(mark: Mark) -> list[str]:
    """What there is to say about the whole submission."""
    pieces = [] if mark.graded is None else _remarks(mark.graded)
    if not mark.handed_in:
        pieces.append("Nothing was handed in.")
    if mark.waiting:
        pieces.append(f"These are {_so_far(mark)}")
    if mark.penalty:
        pieces.append(f"Handed in late: {number(mark.penalty)} points less.")
    return pieces


def _verdicts(mark: Mark) -> dict[str, Verdict]:
    return {} if mark.graded is None else {v.exercise: v for v in mark.graded.verdicts}


def _remarks(graded: Graded) -> list[str]:
    """What the student should know about the whole submission."""
    return [remark.says for remark in graded.remarks if remark.kind != REPAIRED]


def _said(part: Part, verdict: Verdict | None) -> str:
    if part.waits:
        return f"{part.exercise}: waits for a person, {number(part.max_points)} points at most"
    score = f"{number(part.points)} of {number(part.max_points)} points"
    if verdict is None:
        return f"{part.exercise}: {score}"
    text = as_text(verdict)
    if abs(verdict.points - part.points) >= 0.005:
        text += f"\n  Points changed by a person: {score}."
    return text


# Gradescope


def results_of(graded: Graded, hand_graded: Mapping[str, float] = {}) -> dict:
    """Gradescope's ``results.json`` for one graded notebook, one test per exercise.

    ``hand_graded`` gives the points of the questions that a person grades. These, and those in
    ``graded.written``, are named on top and are no tests: Gradescope marks a test with less than its ``max_score`` as failed, and a
    test without a score needs a status, passed or failed; an answer that waits is neither. Their
    points belong to questions of their own, made with Gradescope's "Manual grading". So the score
    is out of ``graded.max_points``, which is what the assignment's autograder points have to be.
    """
    about = _remarks(graded)
    if by_person := _by_person(graded, hand_graded):
        names = ", ".join(
            name if most is None else f"{name} ({number(most)})" for name, most in by_person.items()
        )
        about.append(f"Graded by a person, points not counted here: {names}.")
    tests = [
        _test(verdict.exercise, verdict.points, verdict.max_points, as_text(verdict))
        for verdict in graded.verdicts
    ]
    return _results(tests, graded.points, about, graded.seconds)


def _by_person(graded: Graded, hand_graded: Mapping[str, float]) -> dict[str, float | None]:
    """The questions that a person grades, with their points where these are known."""
    return {name: None for name, _ in graded.written} | dict(hand_graded)


def gradescope(mark: Mark) -> dict:
    """One student's ``results.json`` from the gradebook: graded answers, lateness and all."""
    verdicts = _verdicts(mark)
    tests = [
        _test(
            part.exercise,
            part.points,
            part.max_points,
            _said(part, verdicts.get(part.exercise)),
        )
        for part in mark.parts
        if not part.waits
    ]
    return _results(tests, mark.points, _about(mark), mark.graded.seconds if mark.graded else 0.0)


def _test(name: str, points: float, max_points: float, output: str) -> dict:
    """One test of a ``results.json``. Its text is shown as it is: nothing in it is rendered."""
    return {
        "name": _printable(name),
        "score": round(points, 2),
        "max_score": round(max_points, 2),
        "output": _printable(output),
        "output_format": "text",
        "visibility": "visible",
    }


def _results(tests: list[dict], score: float, about: list[str], seconds: float) -> dict:
    """A whole ``results.json``. The score stands on top, because it overrides the tests' sum.

    What is printed while grading stays with the instructor: it may name paths of the machine.
    """
    return {
        "score": round(score, 2),
        "execution_time": round(seconds, 3),
        "output": _printable("\n".join(about)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


# Other tools

SCHEMA_VERSION = 1
"""Of what ``verdicts_of`` gives; it goes up when a key changes its meaning or goes away."""


def verdicts_of(graded: Graded, hand_graded: Mapping[str, float] = {}) -> dict:
    """One graded notebook as plain JSON values, for GitHub Classroom and other tools.

    ``status``, ``max_score`` and ``tests`` are what GitHub Classroom's reporter reads of a result,
    so the file can be handed to it as it is. All points are rounded to two decimals.

    schema_version  1
    assignment      its name
    digest          SHA-256 of the notebook, hexadecimal; empty where there was none
    status          ``pass``: full marks of what the checks grade; else ``fail``
    score           points that the checks gave
    max_score       points that they can give
    tests           one for each exercise, in the assignment's order
      name          the exercise
      status        ``pass`` or ``fail``
      score, max_score
      kind          what went wrong, a kind of ``Failure``; null where nothing did
      mistake       the name of the recognized mistake, or null
      message       the verdict as text, several lines
      line_no       0, which tells GitHub's reporter that there is no line to show
    by_person       questions that a person grades, each with ``name`` and ``max_score`` (null where
                    it is not known); not part of the scores above
    remarks         what was noticed about the submission, each with ``kind`` (``LOOK`` in
                    ``autograder.grading.graded``, or ``repaired``) and a sentence ``says``
    needs_look      whether a remark deserves a person's look
    seconds         wall time of grading
    confinement     what kept the student's code apart, empty where nothing did
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "assignment": graded.assignment,
        "digest": graded.digest,
        "status": _status(all(verdict.passed for verdict in graded.verdicts)),
        "score": graded.points,
        "max_score": graded.max_points,
        "tests": [
            {
                "name": verdict.exercise,
                "status": _status(verdict.passed),
                "score": round(verdict.points, 2),
                "max_score": round(verdict.max_points, 2),
                "kind": verdict.failure.kind if verdict.failure else None,
                "mistake": verdict.mistake.name if verdict.mistake else None,
                "message": _printable(as_text(verdict)),
                "line_no": 0,
            }
            for verdict in graded.verdicts
        ],
        "by_person": [
            {"name": name, "max_score": most}
            for name, most in _by_person(graded, hand_graded).items()
        ],
        "remarks": [
            {"kind": remark.kind, "says": _printable(remark.says)} for remark in graded.remarks
        ],
        "needs_look": graded.needs_look,
        "seconds": round(graded.seconds, 3),
        "confinement": list(graded.confinement),
    }


def _status(passed: bool) -> str:
    return "pass" if passed else "fail"


# All of it

PLATFORMS = ("canvas", "moodle", "gradescope")


def export(
    course: Path,
    assignment: str,
    platform: str,
    *,
    roster: Path | None = None,
    output: Path | None = None,
    name: str | None = None,
    identity: str = "username",
    delimiter: str = "comma",
    partial: bool = False,
    missing_zero: bool = False,
) -> tuple[Path, int, list[str]]:
    """Write the file (for Gradescope, the folder) for one of ``PLATFORMS``.

    ``roster`` is a gradebook exported from Canvas, ``identity`` a key of ``MOODLE_IDENTITIES``
    and ``delimiter`` one of ``DELIMITERS``, both for Moodle. Returns where the file is, how many
    students' points are in it, and what there is to say about the others. Raises CourseError.
    """
    marks = read_marks(course, assignment)
    students, said = select(marks, partial, missing_zero)
    if not students:
        raise CourseError(
            " ".join([f"Nobody in the gradebook has a grade for {assignment} yet.", *said])
        )
    name = name or assignment
    ending = "" if platform == "gradescope" else ".csv"
    path = output or course / "exports" / f"{assignment}-{platform}{ending}"
    if platform == "gradescope":
        written, more = _write_results(path, students)
    elif platform == "moodle":
        table, more = moodle(marks, students, name, identity)
        written = len(table) - 1
        _write(path, write_table(table, DELIMITERS[delimiter]))
    elif roster is None:
        written, more = len(students), []
        _write(path, write_table(canvas(marks, students, name)))
    else:
        table, separator, bom = read_canvas(roster)
        table, written, more = fill_canvas(table, marks, students, name)
        _write(path, "\ufeff" * bom + write_table(table, separator))
    return path, written, said + more


EMAILS = "emails.json"
"""In the folder for Gradescope: which student has which email, by which Gradescope knows them."""


def _write_results(folder: Path, students: Sequence[Mark]) -> tuple[int, list[str]]:
    written, said = 0, []
    emails: dict[str, str] = {}
    same = Counter(mark.email.strip().casefold() for mark in students)
    for mark in students:
        if mark.student in (".", "..", EMAILS) or re.search(r"[/\\\0]", mark.student):
            said.append(f"{mark.student!r}: not exported, no folder can have this name.")
            continue
        text = json.dumps(gradescope(mark), indent=1)
        _write(folder / mark.student / "results.json", text + "\n")
        written += 1
        email = mark.email.strip().casefold()
        if email and same[email] == 1:
            emails[email] = mark.student
        else:
            why = f"more than one student has the email {email}" if email else "it has no email"
            said.append(f"{mark.student}: Gradescope cannot know whose this is, {why} here.")
    _write(folder / EMAILS, json.dumps(emails, indent=1) + "\n")
    return written, said


def _write(path: Path, text: str) -> None:
    from autograder.material.config import write as write_in_one_step

    try:
        write_in_one_step(path, text)
    except OSError as error:
        raise CourseError(f"{path} could not be written: {error.strerror}.") from error
