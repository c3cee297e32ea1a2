"""What went wrong: mistakes by the section that mends them, and failures without a name."""

from __future__ import annotations

import builtins
from collections import Counter, defaultdict
from dataclasses import dataclass

from autograder.checking.verdict import Diagnosis, Failure, Section, Verdict
from autograder.outlets.report.charts import Piece, line
from autograder.outlets.report.people import Listed, Room
from autograder.outlets.report.words import clean, prose, sentence
from autograder.player.failures import FAILURES

MOST_MISTAKES = 6
"""Mistakes of a section that are shown at once; the others are folded."""

MOST_OWN = 12
"""Mistakes without a name that are shown, those that most students share."""


@dataclass(frozen=True)
class Made:
    """One catalogued mistake in one exercise, and how many made it."""

    exercise: str
    name: str
    says: list[str]
    """pieces of text; every second one is code"""
    sure: int
    """whose answer behaves exactly like it (or, for precision, as closely as can be told)"""
    maybe: int
    """whose answer has no name as a whole, but fails in one part like this mistake"""
    bar: list[Piece]


@dataclass(frozen=True)
class ToReread:
    """A section of the book, and who made a mistake that rereading it would mend."""

    title: str
    chapter: str
    table: str
    """what its table of mistakes is called"""
    more: str
    """what its table of rarer mistakes is called"""
    sure: int
    maybe: int
    """students about whom there is only a suspicion"""
    made_by: Listed
    suspected: Listed
    mistakes: list[Made]
    rarer: list[Made]


@dataclass(frozen=True)
class Reteach:
    """What to teach again. The counts are of answers."""

    wrong: int
    named: int
    likely: int
    sections: list[ToReread]

    @property
    def unnamed(self) -> int:
        """The answers about which there is not even a suspicion."""
        return self.wrong - self.named - self.likely


def reteach(room: Room) -> Reteach:
    """The sections in which mistakes were made, the one with most students first.

    A student counts once for a section, and once for a mistake.
    """
    wrong = [v for record in room.records for v in record.verdicts if v.wrong]
    found = [_section(room, section, made) for section, made in _by_section(room)]
    found.sort(key=lambda item: item[0])
    return Reteach(
        len(wrong),
        sum(verdict.mistake is not None for verdict in wrong),
        sum(verdict.mistake is None and bool(verdict.suspicions) for verdict in wrong),
        [section for _, section in found],
    )


@dataclass
class _Makers:
    """Who made one mistake, and who is only suspected of it."""

    diagnosis: Diagnosis
    sure: set[str]
    maybe: set[str]


def _by_section(room: Room) -> list[tuple[Section, dict[tuple[str, str], _Makers]]]:
    """Every section with its mistakes, each known by its exercise and its name."""
    sections: dict[str, tuple[Section, dict[tuple[str, str], _Makers]]] = {}
    for record in room.records:
        for verdict in record.verdicts:
            for diagnosis in (verdict.mistake,) if verdict.mistake else verdict.suspicions:
                section = diagnosis.section
                _, made = sections.setdefault(section.label, (section, {}))
                key = (verdict.exercise, diagnosis.name)
                makers = made.setdefault(key, _Makers(diagnosis, set(), set()))
                (makers.sure if verdict.mistake else makers.maybe).add(record.student)
    return list(sections.values())


def _section(
    room: Room, section: Section, made: dict[tuple[str, str], _Makers]
) -> tuple[tuple, ToReread]:
    """One section, and its place among the others."""
    rows = sorted(
        made.items(),
        key=lambda item: (-len(item[1].sure), -len(item[1].maybe - item[1].sure), item[0]),
    )
    sure = {student for makers in made.values() for student in makers.sure}
    maybe = {student for makers in made.values() for student in makers.maybe} - sure
    mistakes = [_mistake(room, exercise, name, makers) for (exercise, name), makers in rows]
    return (-len(sure), -len(maybe), section.label), ToReread(
        clean(section.title),
        clean(section.chapter),
        clean(f"Mistakes that {section.title} mends"),
        clean(f"More mistakes that {section.title} mends"),
        len(sure),
        len(maybe),
        room.listed(sure),
        room.listed(maybe),
        mistakes[:MOST_MISTAKES],
        mistakes[MOST_MISTAKES:],
    )


def _mistake(room: Room, exercise: str, name: str, makers: _Makers) -> Made:
    sure, maybe = len(makers.sure), len(makers.maybe - makers.sure)
    return Made(
        clean(exercise),
        clean(sentence(name)),
        prose(makers.diagnosis.says),
        sure,
        maybe,
        line([(100 * sure / room.size, "full"), (100 * maybe / room.size, "partial")]),
    )


@dataclass(frozen=True)
class Kind:
    """One kind of failure: in how many answers, of how many students, and where."""

    says: str
    exceptions: list[tuple[str, int]]
    """Python's own exceptions by their type; an empty type for all others"""
    places: list[tuple[str, int]]
    """exercises"""
    answers: int
    students: int


def unnamed(room: Room) -> list[Kind]:
    """The failures about which there is neither a name nor a suspicion, by their kind."""
    kinds: dict[str, list[tuple[str, Verdict]]] = defaultdict(list)
    for record in room.records:
        for verdict in record.verdicts:
            if verdict.wrong and not (verdict.mistake or verdict.suspicions):
                kind = verdict.failure.kind if verdict.failure else ""
                kinds[kind].append((record.student, verdict))
    rows = []
    for kind, found in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0])):
        types = Counter(_exception(verdict.why) for _, verdict in found if kind == "exception")
        where = Counter(verdict.exercise for _, verdict in found)
        rows.append(
            Kind(
                clean(FAILURES[kind].called if kind in FAILURES else kind or "Not said"),
                types.most_common(),
                [(clean(name), count) for name, count in where.most_common()],
                len(found),
                len({student for student, _ in found}),
            )
        )
    return rows


@dataclass(frozen=True)
class OwnMistake:
    """Wrong results without a name that several students have in common, to the last digit."""

    exercise: str
    example: str
    """what is said of one of them; empty where names are hidden, since it may quote a submission"""
    students: int
    made_by: Listed


def own_mistakes(room: Room) -> list[OwnMistake]:
    """The mistakes of this class that the catalogue does not know, the most common first."""
    found: dict[tuple[str, str], list[tuple[str, Verdict]]] = defaultdict(list)
    for record in room.records:
        for verdict in record.verdicts:
            if verdict.wrong and verdict.behavior:
                found[verdict.exercise, verdict.behavior].append((record.student, verdict))
    groups = [group for group in found.values() if len(group) > 1]
    groups.sort(key=lambda group: (-len(group), group[0][1].exercise, group[0][0]))
    return [
        OwnMistake(
            clean(group[0][1].exercise),
            "" if room.hidden else clean(f"{group[0][1].why.headline} {group[0][1].why.detail}"),
            len(group),
            room.listed({student for student, _ in group}),
        )
        for group in groups[:MOST_OWN]
    ]


def _exception(failure: Failure) -> str:
    """The type, when it is one of Python's: a student can give one any name, also their own."""
    name = failure.headline.removeprefix("It raises ").partition(":")[0]
    known = getattr(builtins, name, None) if name.isidentifier() else None
    return name if isinstance(known, type) and issubclass(known, BaseException) else ""
