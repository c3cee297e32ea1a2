"""What a person has to look at: remarks, code that is alike, and what did not confine it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.grading.graded import Graded
from autograder.grading.readings import AS_IT_STANDS
from autograder.material.remarks import LOOK, NOTICED, REPAIRED
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
    points: float | None
    """None where there is no grade"""


@dataclass(frozen=True)
class Remarks:
    """The submissions in which something was noticed."""

    submissions: int
    kinds: list[tuple[str, int]]
    """in how many submissions there is a remark of which kind"""
    rows: list[Looked]

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
    )


@dataclass(frozen=True)
class Helped:
    """One submission for which something was done, or of which something honest was noticed."""

    label: Label
    says: list[str]
    points: float
    stood: float | None
    """the points as the notebook stands, None where it was not read otherwise"""


@dataclass(frozen=True)
class Done:
    """What was done for whom. None of it needs a look."""

    submissions: int
    rows: list[Helped]
    """none where names are hidden: what is said could give one away"""
    gained: float
    """points that came from reading notebooks in another way"""

    @property
    def more(self) -> int:
        """Submissions that have no row."""
        return self.submissions - len(self.rows)


def done(room: Room) -> Done:
    """The submissions that were put in order or read in another way, with their points."""
    rows = []
    for record in room.records:
        says = [clean(r.says) for r in record.remarks if r.kind in (REPAIRED, NOTICED)]
        if says:
            stood = dict(record.readings).get(AS_IT_STANDS)
            stood = None if stood == record.points else stood
            rows.append(Helped(room.labels[record.student], says, record.points, stood))
    gained = sum(row.points - row.stood for row in rows if row.stood is not None)
    shown = [] if room.hidden else rows[:MOST_ROWS]
    return Done(len(rows), shown, gained)


def _looked(room: Room, record: Graded) -> Looked:
    found = [remark for remark in record.remarks if remark.kind in LOOK]
    if room.hidden:
        present = {remark.kind for remark in found}
        said = [(kind, LOOK[kind]) for kind in LOOK if kind in present]
    else:
        said = [(remark.kind, remark.says) for remark in found]
    shown = [(LOOK_NAMES[kind], clean(says)) for kind, says in said[:MOST_REASONS]]
    points = None if record.no_grade else record.points
    return Looked(room.labels[record.student], shown, len(said) - len(shown), points)


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
