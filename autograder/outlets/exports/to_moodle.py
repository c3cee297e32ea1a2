"""A grade file for Moodle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from autograder.outlets.exports.marks import Mark, Marks
from autograder.outlets.exports.tables import Table, number, plain, plain_html
from autograder.outlets.exports.texts import feedback

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
