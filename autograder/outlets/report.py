"""The class report: one page that says how a class did and what to teach again.

It is a single HTML file without scripts that asks for nothing else. All that comes from
submissions is hostile text: it is escaped here, and where names are hidden it is left out.
"""

from __future__ import annotations

import builtins
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from importlib.resources import files
from math import log10
from statistics import fmean, median

from autograder.checking.verdict import Diagnosis, Failure, Section, Verdict
from autograder.course.figures.palette import DARK, LIGHT
from autograder.grading.graded import LOOK, REPAIRED, Graded
from autograder.grading.similarity import Alike, alike

FOLDED = 100
"""The table of students is folded where there are more of them."""

MOST_ROWS = 400
"""Rows of a table of submissions that need a look, so that an attack on every one of 10,000
submissions leaves a page that opens; the records have the rest."""

MOST_NAMES = 60
"""Students listed under one section or in one group of similar code."""

MOST_MISTAKES = 6
"""Mistakes of a section that are shown at once; the others are folded."""

MOST_BARS = 14
"""Bars of the histogram, which have to fit a phone with a number over each."""

LOOK_NAMES = {
    "missing": "no notebook",
    "unreadable": "not readable",
    "timeout": "out of time",
    "ended": "ended its process",
    "flood": "flood of output",
    "tamper": "tampering",
}

FAILURES = {
    "not written": "Not written",
    "undefined": "No function of this name in the notebook",
    "unfinished": "It calls a function that is not written",
    "exception": "It raises an exception",
    "timeout": "It did not finish in time",
    "ended": "It ended the process it ran in",
    "library": "It calls a library’s recurrent layer",
    "autograd": "It lets torch differentiate",
    "values": "Wrong numbers, by a mistake that is not in the catalogue",
    "gradient": "Right values, wrong gradients",
    "shape": "Wrong shape",
    "dtype": "Wrong number type",
    "none": "It returns None",
    "type": "It returns another type",
    "missing": "A result is missing",
    "warning": "It does not stay silent",
    "mutation": "It changes its inputs",
    "device": "It fails on a GPU",
    "state": "It keeps something from one call to the next",
    "probe": "Its inputs cannot be given to a cell",
    "reply": "Its results could not be read",
}
"""What the kinds of ``verdict.Failure`` mean, in words for a table."""


# What the records say


@dataclass(frozen=True)
class Made:
    """One catalogued mistake in one exercise, and who made it."""

    exercise: str
    name: str
    says: str
    students: tuple[str, ...]
    """whose answer behaves exactly like it (or, for precision, as closely as can be told)"""
    suspected: tuple[str, ...]
    """whose answer has no name as a whole, but fails in one part like this mistake"""


@dataclass(frozen=True)
class Reteach:
    """A section of the book, and who made a mistake that rereading it would mend."""

    section: Section
    students: tuple[str, ...]
    suspected: tuple[str, ...]
    """students about whom there is only a suspicion"""
    mistakes: tuple[Made, ...]


def reteach(graded: Iterable[Graded]) -> list[Reteach]:
    """The sections in which mistakes were made, the one with most students first.

    A student counts once for a section, and once for a mistake.
    """
    sections: dict[str, Section] = {}
    made: dict[str, dict[tuple[str, str], tuple[Diagnosis, set, set]]] = defaultdict(dict)
    for record in graded:
        for verdict in record.verdicts:
            found = (verdict.mistake,) if verdict.mistake else verdict.suspicions
            for diagnosis in found:
                label = diagnosis.section.label
                sections.setdefault(label, diagnosis.section)
                key = (verdict.exercise, diagnosis.name)
                _, sure, maybe = made[label].setdefault(key, (diagnosis, set(), set()))
                (sure if verdict.mistake else maybe).add(record.student)
    found = []
    for label, mistakes in made.items():
        rows = [
            Made(exercise, name, says.says, tuple(sorted(sure)), tuple(sorted(maybe - sure)))
            for (exercise, name), (says, sure, maybe) in mistakes.items()
        ]
        rows.sort(key=lambda m: (-len(m.students), -len(m.suspected), m.exercise, m.name))
        sure = {student for row in rows for student in row.students}
        maybe = {student for row in rows for student in row.suspected} - sure
        found.append(
            Reteach(sections[label], tuple(sorted(sure)), tuple(sorted(maybe)), tuple(rows))
        )
    return sorted(found, key=lambda r: (-len(r.students), -len(r.suspected), r.section.label))


def similar(graded: Iterable[Graded]) -> list[Alike]:
    """Groups of students with nearly the same code; see ``similarity.alike``."""
    return alike({record.student: record.fingerprints for record in graded if record.fingerprints})


def _by_exercise(graded: Sequence[Graded]) -> dict[str, list[Verdict]]:
    """The verdicts of each exercise, in the order of the assignment."""
    found: dict[str, list[Verdict]] = {}
    for record in graded:
        for verdict in record.verdicts:
            found.setdefault(verdict.exercise, []).append(verdict)
    return found


def _earned(verdict: Verdict) -> str:
    if verdict.points >= verdict.max_points:
        return "full"
    return "partial" if verdict.points > 0 else "zero"


# Words and numbers


_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ufdd0-\ufdef\ufffe\uffff]"
)


def _text(value: str, longest: int = 400) -> str:
    """Any text, fit for HTML: one line, no controls, no half surrogate pairs, not endless.

    Marks that change the direction of writing go too: they can make one name look like another.
    """
    value = value[: longest + 1]
    if len(value) > longest:
        value = f"{value[:longest]}…"
    return escape(_UNPRINTABLE.sub("\ufffd", re.sub(r"\s+", " ", value)))


def _prose(text: str) -> str:
    """The catalogue's prose: `code` between backticks is set as code."""
    pieces = _text(text, 2000).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))


def _sentence(name: str) -> str:
    """A mistake's name as a heading; names of variables keep their small letters."""
    word = name.split()[0] if name.split() else ""
    return (
        name[0].upper() + name[1:]
        if word in ("in", "no") or len(word) > 2 and word.isalpha()
        else name
    )


def _many(count: int, word: str, words: str = "") -> str:
    return f"{count:,} {word if count == 1 else words or f'{word}s'}"


def _number(value: float) -> str:
    """Points: two decimals at most."""
    return f"{round(value, 2):,.2f}".rstrip("0").rstrip(".")


def _share(count: int, of: int) -> str:
    """A share in percent that says neither nothing nor everything where that is not so."""
    if not of:
        return "0 %"
    percent = 100 * count / of
    if 0 < percent < 1:
        return "<1 %"
    if 99 < percent < 100:
        return ">99 %"
    return f"{percent:.0f} %"


def _seconds(value: float) -> str:
    if value < 0.0995:
        return f"{1000 * value:.2g} ms" if value < 0.00995 else f"{1000 * value:.0f} ms"
    if value < 99.5:
        return f"{value:.2g} s" if value < 9.95 else f"{value:.0f} s"
    if value < 5970:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"


# Who is who


def _hidden_order(record: Graded) -> bytes:
    """Stable from one report to the next, and without a relation to names.

    It depends on the file handed in and, through ``version``, on the secret seed, so that who has
    the list of names cannot work out the numbers.
    """
    parts = (record.version, record.digest, record.student)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()


def _labels(
    graded: Sequence[Graded], names: Mapping[str, str], hide_names: bool
) -> tuple[list[Graded], dict[str, str]]:
    """The records in the order of the page, and what each student is called there, as HTML."""
    if hide_names:
        ordered = sorted(graded, key=_hidden_order)
        return ordered, {r.student: f"Student {n}" for n, r in enumerate(ordered, 1)}
    shown = {r.student: names.get(r.student) or r.student for r in graded}
    ordered = sorted(graded, key=lambda r: (shown[r.student].casefold(), r.student))
    often = Counter(shown.values())
    return ordered, {
        r.student: f"<bdi>{_text(shown[r.student], 100)}</bdi>"
        + (f" <small>{_text(r.student, 100)}</small>" if often[shown[r.student]] > 1 else "")
        for r in ordered
    }


@dataclass(frozen=True)
class _Class:
    """All that a part of the page is made from."""

    records: Sequence[Graded]
    labels: Mapping[str, str]
    hidden: bool
    groups: Sequence[Alike]

    @property
    def size(self) -> int:
        return len(self.records)

    def listed(self, students: Iterable[str]) -> str:
        """Students in the order of the page, so that the order gives no name away."""
        wanted = set(students)
        chosen = [r.student for r in self.records if r.student in wanted]
        shown = ", ".join(self.labels[student] for student in chosen[:MOST_NAMES])
        more = len(chosen) - MOST_NAMES
        return f"{shown} and {more:,} more" if more > 0 else shown


# Charts: widths in percent of the page, letters in pixels, so that a phone can read them


def _bar(*pieces: tuple[float, str], tall: int = 8) -> str:
    """Shares of a line, each with the class of its color. The numbers beside it say the same."""
    at, drawn = 0.0, []
    for share, tone in pieces:
        if share > 0:
            drawn.append(f'<rect class="{tone}" x="{at:.2f}%" width="{share:.2f}%" height="100%"/>')
        at += share
    return (
        f'<svg class="bar" width="100%" height="{tall}" aria-hidden="true">{"".join(drawn)}</svg>'
    )


def _bins(maximum: float) -> int:
    """Into how many equal bars 0 to ``maximum`` is cut: at edges that read well, if there are such."""
    for step in (0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 10, 20, 25, 50, 100):
        count = maximum / step
        if 5 <= count <= MOST_BARS and count == round(count):
            return round(count)
    return 10


def _histogram(scores: Sequence[float], maximum: float) -> str:
    """How many submissions have how many points."""
    count = _bins(maximum)
    bars = [0] * count
    for score in scores:
        bars[min(int(score * count / maximum + 1e-9), count - 1)] += 1
    edges = [maximum * number / count for number in range(count + 1)]
    left, wide, low, high = 2.0, 96.0, 210, 150
    unit = wide / maximum
    width = wide / count
    drawn = [f'<line class="axis" x1="{left}%" x2="{left + wide}%" y1="{low}" y2="{low}"/>']
    for number, found in enumerate(bars):
        tall = max(high * found / max(bars), 2)
        if found:
            x = left + width * number
            drawn.append(
                f'<rect class="full" x="{x + 0.35:.2f}%" width="{width - 0.7:.2f}%" '
                f'y="{low - tall:.1f}" height="{tall:.1f}"/>'
                f'<text class="count" x="{x + width / 2:.2f}%" y="{low - tall - 7:.1f}">{found}</text>'
            )
    for edge in edges:
        drawn.append(f'<text x="{left + unit * edge:.2f}%" y="{low + 18}">{_number(edge)}</text>')
    middle = median(scores)
    x, side = left + unit * middle, "end" if middle > maximum / 2 else "start"
    # The line ends above the number over the bars it falls on.
    top = max(
        bars[max(int(middle / maximum * count - 1e-9), 0)],
        bars[min(int(middle / maximum * count + 1e-9), count - 1)],
    )
    above = low - high * top / max(bars) - 22
    drawn.append(
        f'<line class="median" x1="{x:.2f}%" x2="{x:.2f}%" y1="14" y2="{above:.1f}"/>'
        f'<text class="{side}" x="{x:.2f}%" y="11" dx="{-6 if side == "end" else 6}">'
        f"median {_number(middle)}</text>"
    )
    said = "; ".join(
        f"{_number(edges[n])} to {'' if n == count - 1 else 'less than '}{_number(edges[n + 1])} points: {found}"
        for n, found in enumerate(bars)
    )
    return (
        f'<figure><svg class="histogram" width="100%" height="{low + 26}" role="img" '
        f'aria-label="Submissions by points. {said}.">{"".join(drawn)}</svg>'
        f"<figcaption>Submissions by points out of {_number(maximum)}. A bar includes its left "
        "edge; the last one includes full marks.</figcaption></figure>"
    )


def _strip(middle: float, most: float, lowest: float, highest: float) -> str:
    """Median and slowest on a logarithmic scale that all strips of a table share."""

    def at(value: float) -> float:
        span = log10(highest / lowest) or 1.0
        return 2 + 96 * (log10(max(value, lowest) / lowest) / span)

    a, b = at(middle), at(most)
    return (
        '<svg class="strip" width="100%" height="12" aria-hidden="true">'
        '<line class="axis" x1="2%" x2="98%" y1="6" y2="6"/>'
        f'<line class="reach" x1="{a:.2f}%" x2="{b:.2f}%" y1="6" y2="6"/>'
        f'<circle class="slowest" cx="{b:.2f}%" cy="6" r="3.5"/>'
        f'<circle class="full" cx="{a:.2f}%" cy="6" r="4.5"/></svg>'
    )


# Tables


def _table(name: str, head: Sequence[str], rows: Iterable[str], kind: str = "") -> str:
    """A table in a box that scrolls where the screen is narrow.

    All but that of the students fit a phone, so only its box is a stop for the keyboard.
    """
    cells = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    stop = ' tabindex="0"' if kind == "students" else ""
    return (
        f'<div class="box" role="group"{stop} aria-label="{_text(name)}">'
        f'<table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
    )


def _row(first: str, *cells: str) -> str:
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _folded(summary: str, inside: str, kind: str = "") -> str:
    return f'<details class="{kind}"><summary>{summary}</summary>{inside}</details>'


# The parts of the page


def _reteach_part(room: _Class) -> str:
    wrong = [v for record in room.records for v in record.verdicts if not v.passed]
    named = sum(verdict.mistake is not None for verdict in wrong)
    likely = sum(verdict.mistake is None and bool(verdict.suspicions) for verdict in wrong)
    sections = reteach(room.records)
    if not wrong:
        return "<p>No answer is wrong.</p>"
    said = [f"{_many(len(wrong), 'answer is', 'answers are')} not right."]
    if named:
        said.append(
            f"{_many(named, 'behaves', 'behave')} like a mistake of the catalogue on every input tried."
        )
    if likely:
        said.append(
            f"{_many(likely, 'has', 'have')} no name as a whole, but "
            f"{'fails' if likely == 1 else 'fail'} in one part like a catalogued mistake; "
            "“looks like” marks these suspicions."
        )
    if rest := len(wrong) - named - likely:
        said.append(
            f"{_many(rest, 'is', 'are')} listed below as "
            '<a href="#unnamed">failures without a name</a>.'
        )
    intro = f"<p>{' '.join(said)}</p>"
    legend = (
        '<p class="legend"><span><i class="full"></i>makes this mistake</span>'
        '<span><i class="partial"></i>looks like it</span></p>'
    )
    return intro + (legend if sections else "") + "".join(_section(room, s) for s in sections)


def _section(room: _Class, found: Reteach) -> str:
    sure, maybe = len(found.students), len(found.suspected)
    rows = [_mistake(room, made) for made in found.mistakes]
    head = ("Mistake", "Students")
    title = _text(found.section.title)
    body = _table(f"Mistakes that {found.section.title} mends", head, rows[:MOST_MISTAKES], "made")
    if rest := rows[MOST_MISTAKES:]:
        name = f"More mistakes that {found.section.title} mends"
        body += _folded(
            f"{_many(len(rest), 'rarer mistake')}", _table(name, head, rest, "made"), "rest"
        )
    who = ""
    if sure:
        who += f"<p>{room.listed(found.students)}.</p>"
    if maybe:
        who += f"<p>Looks like it: {room.listed(found.suspected)}.</p>"
    also = ""
    if maybe:
        also = f'<p class="also">and {maybe:,} {"more" if sure else ""} where it looks like it</p>'
    return (
        '<article class="section"><div class="weight">'
        f"<p><b>{sure:,}</b> {'student' if sure == 1 else 'students'}</p>"
        f'<p class="also">{_share(sure, room.size)} of the class</p>{also}</div>'
        f'<div><h3>{title}</h3><p class="chapter">Reteach this section of “{_text(found.section.chapter)}”</p>'
        f"{body}{_folded('Who', who, 'who')}</div></article>"
    )


def _mistake(room: _Class, made: Made) -> str:
    sure, maybe = len(made.students), len(made.suspected)
    count = f"{sure:,}" if sure else ""
    if maybe:
        count += f' <span class="like">{"+" if sure else ""}{maybe:,} looks like</span>'
    bar = _bar((100 * sure / room.size, "full"), (100 * maybe / room.size, "partial"), tall=6)
    return _row(
        f"{_text(_sentence(made.name))} <code>{_text(made.exercise)}</code>"
        f"<p>{_prose(made.says)}</p>{bar}",
        count,
    )


def _scores_part(room: _Class) -> str:
    maximum = max((record.max_points for record in room.records), default=0.0)
    if maximum <= 0:
        return "<p>There are no points to show.</p>"
    scores = [record.points for record in room.records]
    return (
        f"<p>Lowest {_number(min(scores))}, median {_number(median(scores))}, mean "
        f"{_number(fmean(scores))}, highest {_number(max(scores))} of {_number(maximum)} "
        f"points.</p>{_histogram(scores, maximum)}"
    )


def _exercises_part(room: _Class) -> str:
    rows = []
    for exercise, verdicts in _by_exercise(room.records).items():
        earned = Counter(map(_earned, verdicts))
        n = len(verdicts)
        tones = ("full", "partial", "zero")
        most = max(verdict.max_points for verdict in verdicts)
        mean = fmean(verdict.points for verdict in verdicts)
        rows.append(
            _row(
                f"<code>{_text(exercise)}</code>"
                + _bar(*((100 * earned[tone] / n, tone) for tone in tones), tall=10),
                *(f"{earned[tone]:,} <small>{_share(earned[tone], n)}</small>" for tone in tones),
                f"{_number(mean)} <small>of {_number(most)}</small>",
            )
        )
    if not rows:
        return "<p>There are no exercises to show.</p>"
    legend = (
        '<p class="legend"><span><i class="full"></i>full points</span>'
        '<span><i class="partial"></i>some points</span><span><i class="zero"></i>none</span></p>'
    )
    head = ("Exercise", "Full", "Some", "None", "Mean")
    return legend + _table("Points by exercise", head, rows, "numbers")


def _unnamed_part(room: _Class) -> str:
    kinds: dict[str, list[tuple[str, Verdict]]] = defaultdict(list)
    for record in room.records:
        for verdict in record.verdicts:
            if not (verdict.passed or verdict.mistake or verdict.suspicions):
                kind = verdict.failure.kind if verdict.failure else ""
                kinds[kind].append((record.student, verdict))
    if not kinds:
        return "<p>Every answer that is not right has a name or a likely one.</p>"
    rows = []
    for kind, found in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0])):
        where = Counter(verdict.exercise for _, verdict in found)
        places = ", ".join(
            f"<code>{_text(name)}</code>&nbsp;{count:,}" for name, count in where.most_common()
        )
        if kind == "exception":
            types = Counter(_exception(verdict.failure) for _, verdict in found)
            places = (
                ", ".join(f"{name}&nbsp;{count:,}" for name, count in types.most_common())
                + f"<br>{places}"
            )
        rows.append(
            _row(
                f"{_text(FAILURES.get(kind, kind or 'Not said'))}<p><small>{places}</small></p>",
                f"{len(found):,}",
                f"{len({student for student, _ in found}):,}",
            )
        )
    head = ("What happened, and where", "Answers", "Students")
    return _table("Failures without a named mistake", head, rows, "numbers wide")


def _exception(failure: Failure) -> str:
    """The type, when it is one of Python's: a student can give one any name, also their own."""
    name = failure.headline.removeprefix("It raises ").partition(":")[0]
    known = getattr(builtins, name, None) if name.isidentifier() else None
    if isinstance(known, type) and issubclass(known, BaseException):
        return f"<code>{name}</code>"
    return "another type"


def _look_part(room: _Class) -> str:
    looked = [record for record in room.records if record.needs_look]
    kinds = Counter(
        kind for record in looked for kind in {remark.kind for remark in record.remarks}
    )
    body = "<h3>Remarks</h3>"
    if looked:
        said = ", ".join(f"{LOOK_NAMES[kind]} {kinds[kind]:,}" for kind in LOOK if kinds[kind])
        body += f"<p>{_many(len(looked), 'submission')}: {said}.</p>"
        if room.hidden:
            body += "<p>What exactly was noticed could name somebody, so only its kind is here.</p>"
        rows = [
            _row(
                room.labels[record.student],
                f'<ul class="why">{"".join(_reasons(record, room.hidden))}</ul>',
                f"{_number(record.points)}",
            )
            for record in looked[:MOST_ROWS]
        ]
        body += _table("Submissions with remarks", ("Student", "Why", "Points"), rows, "look")
        if len(looked) > MOST_ROWS:
            body += (
                f"<p>And {len(looked) - MOST_ROWS:,} more, in the records of the submissions.</p>"
            )
    else:
        body += "<p>Nothing was noticed in any submission.</p>"
    repaired = sum(any(r.kind == REPAIRED for r in record.remarks) for record in room.records)
    if repaired:
        body += (
            f'<p class="quiet">{_many(repaired, "notebook")} had to be put in order before '
            "grading (deleted or moved cells, lost metadata). That needs no look.</p>"
        )
    return body + "<h3>Nearly the same code</h3>" + _similar(room)


def _reasons(record: Graded, hidden: bool) -> list[str]:
    """The first remarks of a submission as list items, without its own words when names are hidden."""
    remarks = [remark for remark in record.remarks if remark.kind in LOOK]
    if hidden:
        kinds = [kind for kind in LOOK if any(remark.kind == kind for remark in remarks)]
        said = [(kind, escape(LOOK[kind])) for kind in kinds]
    else:
        said = [(remark.kind, _text(remark.says)) for remark in remarks]
    items = [f"<li><b>{LOOK_NAMES[kind]}</b> {says}</li>" for kind, says in said[:5]]
    if len(said) > 5:
        items.append(f"<li>and {_many(len(said) - 5, 'remark')} more</li>")
    return items


def _similar(room: _Class) -> str:
    compared = sum(bool(record.fingerprints) for record in room.records)
    if compared < 2:
        return "<p>There are no two submissions to compare.</p>"
    if not room.groups:
        return f"<p>No two of {compared:,} submissions are unusually alike.</p>"
    place = {record.student: number for number, record in enumerate(room.records)}
    digest = {record.student: record.digest for record in room.records}
    groups = sorted(
        room.groups, key=lambda g: (-g.share, -g.pieces, min(place[s] for s in g.students))
    )
    rows = []
    for group in groups[:MOST_ROWS]:
        files_in_group = {digest[student] for student in group.students}
        same = len(files_in_group) == 1 and "" not in files_in_group
        share = "the same file" if same else f"{group.share:.0%}".replace("%", " %")
        rows.append(_row(room.listed(group.students), share))
    more = len(groups) - MOST_ROWS
    return (
        "<p>These submissions share most of what few others wrote, whatever their variables are "
        "called and in whatever order the functions stand. <strong>Being alike is a reason to "
        "look, and no proof</strong>: some worked together as they were allowed to, some read the "
        "same page. Compare the notebooks, then ask.</p>"
        + _table("Similar submissions", ("Students", "In common"), rows, "look")
        + (f"<p>And {_many(more, 'group')} more.</p>" if more > 0 else "")
    )


def _time_part(room: _Class) -> str:
    times: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for record in room.records:
        for exercise, seconds in record.exercise_seconds:
            times[exercise].append((seconds, record.student))
    if not room.records:
        return "<p>There are no times to show.</p>"
    ordered = [name for name in _by_exercise(room.records) if name in times]
    ordered += [name for name in times if name not in ordered]
    found = {name: (median(s for s, _ in times[name]), max(times[name])) for name in ordered}
    body = ""
    if found:
        lowest = max(min(middle for middle, _ in found.values()), 1e-4)
        highest = max(max(most for _, (most, _) in found.values()), 10 * lowest)
        rows = [
            _row(
                f"<code>{_text(name)}</code>{_strip(middle, most, lowest, highest)}",
                _seconds(middle),
                f"{_seconds(most)}<p><small>{room.labels[student]}</small></p>",
            )
            for name, (middle, (most, student)) in found.items()
        ]
        body += (
            "<h3>By exercise</h3><p>How long the students’ own code ran, over all inputs of an "
            "exercise.</p>"
            '<p class="legend"><span><i class="full dot"></i>median</span><span><i class="ring dot">'
            "</i>slowest</span><span>logarithmic scale</span></p>"
            + _table("Time by exercise", ("Exercise", "Median", "Slowest"), rows, "numbers wide")
        )
    rows = []
    for words, values in (
        ("The students’ code", [record.code_seconds for record in room.records]),
        ("Grading in all", [record.seconds for record in room.records]),
    ):
        rows.append(_row(words, *map(_seconds, (median(values), max(values), sum(values)))))
    head = ("Per submission", "Median", "Slowest", "All together")
    return f"{body}<h3>By submission</h3>" + _table("Time by submission", head, rows, "numbers")


def _students_part(room: _Class, flagged: frozenset[str]) -> str:
    if not room.records:
        return "<p>There are no students to show.</p>"
    exercises = list(_by_exercise(room.records))
    head = [
        "Student",
        "Points",
        *(f'<span class="up"><code>{_text(name)}</code></span>' for name in exercises),
        "Code ran",
    ]
    rows = []
    for record in room.records:
        verdicts = {verdict.exercise: verdict for verdict in record.verdicts}
        mark = ' <a class="flag" href="#look">look</a>' if record.student in flagged else ""
        cells = "".join(_cell(verdicts.get(name)) for name in exercises)
        rows.append(
            f'<tr><th scope="row">{room.labels[record.student]}{mark}</th>'
            f"<td>{_number(record.points)}</td>{cells}<td>{_seconds(record.code_seconds)}</td></tr>"
        )
    legend = (
        '<p class="legend"><span><i class="f"></i>full points</span><span><i class="p"></i>some</span>'
        '<span><i class="z"></i>none</span><span>– not written</span></p>'
    )
    table = legend + _table("Students", head, rows, "students")
    if room.size <= FOLDED:
        return table
    return _folded(f"Show all {room.size:,} students", table, "all")


def _cell(verdict: Verdict | None) -> str:
    if verdict is None or (
        verdict.failure and verdict.failure.kind in ("not written", "undefined")
    ):
        return "<td>–</td>"
    tone = {"full": ' class="f"', "partial": ' class="p"', "zero": ' class="z"'}[_earned(verdict)]
    return f"<td{tone}>{_number(verdict.points)}</td>"


def _facts(room: _Class, flagged: frozenset[str]) -> str:
    records = room.records
    maximum = max((record.max_points for record in records), default=0.0)
    full = sum(record.points >= record.max_points > 0 for record in records)
    without = sum(any(r.kind == "missing" for r in record.remarks) for record in records)
    middle = _number(median(record.points for record in records)) if records else "–"
    facts = [
        ("Submissions", f"{room.size:,}", f"{without:,} without a notebook" if without else ""),
        ("Median", middle, f"of {_number(maximum)} points" if records else ""),
        ("Full marks", f"{full:,}", f"{_share(full, room.size)} of the class" if records else ""),
        (
            '<a href="#look">Need a look</a>' if flagged else "Need a look",
            f"{len(flagged):,}",
            f"{_share(len(flagged), room.size)} of the class" if records else "",
        ),
    ]
    items = "".join(
        f"<div><dt>{name}</dt><dd><b>{value}</b>{f' <span>{beside}</span>' if beside else ''}</dd></div>"
        for name, value, beside in facts
    )
    return f'<dl class="facts">{items}</dl>'


def _confinement(records: Sequence[Graded]) -> str:
    """What kept submissions apart; records graded on several machines may differ."""
    found = Counter(record.confinement for record in records)
    lines = []
    for used, count in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        whose = "" if len(found) == 1 else f" ({_many(count, 'submission')})"
        if used:
            means = ", ".join(_text(name, 60) for name in used)
            lines.append(f"<p><strong>Confined</strong>{whose} by {means}.</p>")
        else:
            lines.append(
                f'<p class="alarm"><strong>Not confined</strong>{whose}: the code could do '
                "whatever the grader may. Trust these points as far as you trust the students.</p>"
            )
    if len({record.version for record in records}) > 1:
        lines.append(
            '<p class="alarm"><strong>Graded by different versions</strong> of the exercises or with '
            "different seeds: grade again before you compare.</p>"
        )
    return f'<div class="quiet">{"".join(lines)}</div>' if lines else ""


_LOGO = (
    '<svg class="logo" viewBox="0 0 48 48" width="40" height="40" aria-hidden="true"><path class="old" d="'
    'M6 7v34M15 7v25M24 7v12.5M33 7v.01"/><path class="new" d="M15 41v.01M24 28.5v12.5M33 16v25'
    'M42 7v34"/></svg>'
)
"""The mark of book/_static/logo.svg, in strokes."""


def _style(assignment: str) -> str:
    """Variables of both modes, then the rules. What is printed is light."""
    accent = assignment if assignment in ("rnn", "lstm", "gru") else "gru"

    def variables(colors: Mapping[str, str]) -> str:
        return "".join(f"--gm-{name}:{value};" for name, value in colors.items())

    folder = files("autograder.outlets") / "report_page"
    rules, font = (
        (folder / name).read_text(encoding="utf-8") for name in ("report.css", "font.css")
    )
    return (
        f"<style>{font}\n:root{{{variables(LIGHT)}--accent:var(--gm-{accent})}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{variables(DARK)}}}}}\n{rules}</style>"
    )


def class_report(
    assignment: str,
    graded: Sequence[Graded],
    *,
    names: Mapping[str, str] | None = None,
    hide_names: bool = False,
    when: datetime | None = None,
) -> str:
    """The report on one assignment as an HTML page that needs nothing else.

    ``graded`` has one record of each submission, in any order. ``names`` says what to call
    students other than by their identifier. With ``hide_names`` they are numbered in an order that
    tells nothing, and no text that comes from a submission is shown. ``when`` is the date to print,
    None for none; the same arguments give the same page. Raises ValueError where a record belongs
    to another assignment or a student has two.
    """
    for record in graded:
        if record.assignment != assignment:
            raise ValueError(
                f"The grade of {record.student!r} is one of {record.assignment}, not of "
                f"{assignment}: make one report for each assignment."
            )
    twice = [s for s, count in Counter(record.student for record in graded).items() if count > 1]
    if twice:
        raise ValueError(
            f"There are several grades of {', '.join(map(repr, sorted(twice)))}: give the newest."
        )

    records, labels = _labels(graded, names or {}, hide_names)
    groups = similar(records)
    flagged = frozenset(record.student for record in records if record.needs_look)
    flagged |= {student for group in groups for student in group.students}
    room = _Class(records, labels, hide_names, groups)

    title = f"Class report: {_text(assignment, 100)}"
    about = []
    if when is not None:
        shown = _text(f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".strip())
        about.append(f'<time datetime="{when.isoformat(timespec="minutes")}">{shown}</time>')
    if hide_names:
        about.append("names are hidden, the order of the numbers means nothing")
    if any(record.written for record in records):
        about.append("points of the checks only, without what is graded by hand")
    beside = " · ".join(about)
    parts = (
        ("reteach", "Teach again", "What to teach again", _reteach_part(room)),
        ("points", "Points", "Points", _scores_part(room)),
        ("exercises", "Exercises", "Points by exercise", _exercises_part(room)),
        ("unnamed", "Without a name", "Failures without a name", _unnamed_part(room)),
        ("look", "Need a look", "Submissions that need a look", _look_part(room)),
        ("time", "Time", "Time", _time_part(room)),
        ("students", "Students", "Students", _students_part(room, flagged)),
    )
    facts = f"{_facts(room, flagged)}{_confinement(records)}"
    if not records:
        body = "<p>Nobody has handed in anything yet. Grade the assignment, then make the report again.</p>"
        main = f"{facts}{body}"
    else:
        links = "".join(f'<li><a href="#{key}">{name}</a></li>' for key, name, _, _ in parts)
        sections = "\n".join(
            f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{name}</h2>\n'
            f"{body}</section>"
            for key, _, name, body in parts
        )
        main = f'{facts}<nav aria-label="On this page"><ul>{links}</ul></nav>\n{sections}'
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; font-src data:; img-src data:\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f'<link rel="icon" href="data:,"><title>{title}</title>\n{_style(assignment)}</head>\n'
        f"<body><header>{_LOGO}<div><h1>{title}</h1>"
        f"{f'<p>{beside}</p>' if beside else ''}</div></header>\n<main>{main}</main></body></html>\n"
    )
