"""A gradebook file for Canvas: one of our own, or a column of one exported there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.checking.points import rounded
from autograder.material.config import CourseError
from autograder.outlets.exports.marks import Mark, Marks, count
from autograder.outlets.exports.tables import Table, number, plain, read_table

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
    column, said = _column_to_fill(table, possible[0], marks, name)
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
    filled, kept = _fill(table, column, found)
    alone = [
        f"{table[line][0].strip()}: in the file, without a grade here; left alone."
        for line in people
        if line not in found
    ]
    by = ", ".join(f"{n} by {way}" for way, n in ways.items())
    said.append(f"{count(len(found), 'student')} matched: {by}.")
    return table, filled, [*said, *more, *kept, *alone]


def _column_to_fill(
    table: Table, possible: list[str], marks: Marks, name: str
) -> tuple[int, list[str]]:
    """The assignment's column, made where there is none, and what there is to say about that.

    ``possible`` is the table's line Points Possible.
    """
    header = table[0]
    column = _canvas_column(header, name)
    if column is not None:
        _require_points(possible[column], marks.max_points, header[column])
        return column, []
    column = len(header)
    for row in table:
        row.insert(column, "")
    header[column], possible[column] = plain(name), number(marks.max_points)
    return column, [
        f"The file has no column {name!r}: Canvas will offer to make a new assignment. To "
        "fill an existing one, name it with --assignment-name."
    ]


def _fill(table: Table, column: int, found: Mapping[int, Mark]) -> tuple[int, list[str]]:
    """Write the points, and say whose cell stays as it is; returns how many were written."""
    filled, said = 0, []
    for line, mark in found.items():
        before = table[line][column].strip()
        if before.upper() in ("EX", "N/A"):
            meaning = "excused" if before.upper() == "EX" else "not assigned"
            said.append(f"{mark.student}: {meaning} in Canvas ({before}); left as it is.")
        else:
            table[line][column] = number(mark.points)
            filled += 1
    return filled, said


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
        same = float(there.strip().replace(",", ".")) == rounded(most)
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
