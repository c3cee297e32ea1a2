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

from pathlib import Path

from autograder.material.config import CourseError
from autograder.outlets.exports.files import write
from autograder.outlets.exports.marks import Mark, Marks, Part, select
from autograder.outlets.exports.reading import read_marks
from autograder.outlets.exports.tables import (
    DELIMITERS,
    Table,
    number,
    plain,
    plain_html,
    read_table,
    write_table,
)
from autograder.outlets.exports.texts import feedback
from autograder.outlets.exports.to_canvas import CANVAS_COLUMNS, canvas, fill_canvas, read_canvas
from autograder.outlets.exports.to_gradescope import EMAILS, gradescope, results_of, write_results
from autograder.outlets.exports.to_moodle import MOODLE_IDENTITIES, moodle
from autograder.outlets.exports.to_tools import SCHEMA_VERSION, verdicts_of

__all__ = [
    "CANVAS_COLUMNS",
    "DELIMITERS",
    "EMAILS",
    "MOODLE_IDENTITIES",
    "PLATFORMS",
    "SCHEMA_VERSION",
    "Mark",
    "Marks",
    "Part",
    "Table",
    "canvas",
    "export",
    "feedback",
    "fill_canvas",
    "gradescope",
    "moodle",
    "number",
    "plain",
    "plain_html",
    "read_canvas",
    "read_marks",
    "read_table",
    "results_of",
    "select",
    "verdicts_of",
    "write_table",
]

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
        written, more = write_results(path, students)
    elif platform == "moodle":
        table, more = moodle(marks, students, name, identity)
        written = len(table) - 1
        write(path, write_table(table, DELIMITERS[delimiter]))
    elif roster is None:
        written, more = len(students), []
        write(path, write_table(canvas(marks, students, name)))
    else:
        table, separator, bom = read_canvas(roster)
        table, written, more = fill_canvas(table, marks, students, name)
        write(path, "\ufeff" * bom + write_table(table, separator))
    return path, written, said + more
