"""What a person has to look at: remarks, code that is alike, and what did not confine it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.grading.graded import Graded
from autograder.material.remarks import LOOK, REPAIRED
from autograder.outlets.report.people import Label, Listed, Room
from autograder.outlets.report.words import LOOK_NAMES, clean

MOST_ROWS = 400
"""Rows of a table of submissions that need a look, so that an attack on every one of 10,000
submissions leaves a page that opens; the records have the rest."""

MOST_REASONS = 5
"""Remarks shown of one submission."""


@dataclass(frozen=True)
class Looked:
    """One submission with remarks."""

    label: Label
    reasons: list[tuple[str, str]]
    """the kind of a remark in words, and what it says"""
    more: int
    points: float


@dataclass(frozen=True)
class Remarks:
    """The submissions in which something was noticed."""

    submissions: int
    kinds: list[tuple[str, int]]
    """in how many submissions there is a remark of which kind"""
    rows: list[Looked]
    repaired: int
    """notebooks that were put in order before grading"""

    @property
    def more(self) -> int:
        """Submissions that have no row."""
        return self.submissions - len(self.rows)


def remarks(room: Room) -> Remarks:
    """What was noticed, without any submission's own words when names are hidden."""
    looked = [record for record in room.records if record.needs_look]
    kinds = Counter(
        kind for record in looked for kind in {remark.kind for remark in record.remarks}
    )
    return Remarks(
        len(looked),
        [(LOOK_NAMES[kind], kinds[kind]) for kind in LOOK if kinds[kind]],
        [_looked(room, record) for record in looked[:MOST_ROWS]],
        sum(any(r.kind == REPAIRED for r in record.remarks) for record in room.records),
    )


def _looked(room: Room, record: Graded) -> Looked:
    found = [remark for remark in record.remarks if remark.kind in LOOK]
    if room.hidden:
        present = {remark.kind for remark in found}
        said = [(kind, LOOK[kind]) for kind in LOOK if kind in present]
    else:
        said = [(remark.kind, remark.says) for remark in found]
    shown = [(LOOK_NAMES[kind], clean(says)) for kind, says in said[:MOST_REASONS]]
    return Looked(room.labels[record.student], shown, len(said) - len(shown), record.points)


@dataclass(frozen=True)
class Similar:
    """The groups of students with nearly the same code."""

    compared: int
    rows: list[tuple[Listed, float | None]]
    """who, and the share that they have in common; None where it is the same file"""
    more: int
    """groups that have no row"""


def similar(room: Room) -> Similar:
    """The groups, those with most in common first."""
    place = {record.student: number for number, record in enumerate(room.records)}
    digest = {record.student: record.digest for record in room.records}
    groups = sorted(
        room.groups, key=lambda g: (-g.share, -g.pieces, min(place[s] for s in g.students))
    )
    rows = []
    for group in groups[:MOST_ROWS]:
        files = {digest[student] for student in group.students}
        same = len(files) == 1 and "" not in files
        rows.append((room.listed(group.students), None if same else group.share))
    compared = sum(bool(record.fingerprints) for record in room.records)
    return Similar(compared, rows, len(groups) - len(rows))


@dataclass(frozen=True)
class Confinement:
    """What kept submissions apart; records graded on several machines may differ."""

    means: list[tuple[list[str], int]]
    """how some submissions were confined (empty: not at all), and how many they are"""
    versions_differ: bool


def confinement(records: Sequence[Graded]) -> Confinement:
    """The ways in which submissions were confined, the one of most submissions first."""
    found = Counter(record.confinement for record in records)
    ways = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return Confinement(
        [([clean(name, 60) for name in used], count) for used, count in ways],
        len({record.version for record in records}) > 1,
    )
