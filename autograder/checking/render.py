"""Verdicts as text and as HTML. Nothing is decided here."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from autograder.checking import courses
from autograder.checking.colors import DARK, LIGHT, css, follow, own
from autograder.checking.judge import MOST_KEPT
from autograder.checking.verdict import Diagnosis, Section, Verdict


def points(verdict: Verdict) -> str:
    """``1.5 of 2 points``."""
    return f"{verdict.points:g} of {verdict.max_points:g} points"


MOST_LINES = 15
"""Lines of a verdict as text; what matters least is left out first."""

HINTED = ("values", "gradient", "none", "shape")
"""The failures for which a hint at the equations can help."""


def _status(verdict: Verdict) -> str:
    if verdict.passed:
        return "right"
    if verdict.failure and verdict.why.kind == "through":
        return f"right, but for {' and '.join(verdict.through)}"
    if verdict.failure and verdict.why.kind == "not written":
        return "not written yet"
    return "not right yet"


def _evidence(verdict: Verdict) -> str:
    tried = f"{len(verdict.probes)} {verdict.tried}"
    if verdict.tolerance == 0:
        return f"{tried}, all exactly right."
    return f"{tried}; largest error {verdict.largest_error:.1g}, tolerance {verdict.tolerance:.0g}."


def _section(section: Section) -> str:
    return f"“{section.title}” in the chapter “{section.chapter}”"


def _rule(verdict: Verdict) -> str:
    right = [probe.name for probe in verdict.probes if probe.passed]
    off = [probe.name for probe in verdict.probes if not probe.passed]
    which = f": {'; '.join(right)}" if right else ""
    if len(off) < len(right):
        which = f": all but {'; '.join(off)}"
    rule = f"{len(right)} of {len(verdict.probes)} {verdict.tried} right{which}."
    if any(0 < probe.share < 1 for probe in verdict.probes):
        rule += " Of several results, the share that is right counts."
    if sum(probe.share for probe in verdict.probes) > MOST_KEPT * len(verdict.probes):
        rule += " What is not quite right keeps at most three quarters."
    return rule


def _hint(verdict: Verdict) -> str:
    """A hint where it fits what fails; a mistake that has a name says itself what to do."""
    if verdict.mistake or verdict.suspicions or verdict.why.kind not in HINTED:
        return ""
    return verdict.hint


def _alike(verdict: Verdict) -> str:
    return "; ".join(one.name for one in verdict.alike)


def _tried(verdict: Verdict) -> str:
    failure = verdict.why
    return f"{failure.probe} ({failure.sizes})" if failure.sizes else failure.probe


def _parts_alone(verdict: Verdict) -> list[tuple[str, bool]]:
    """The parts tried alone and whether they held; nothing where that would say nothing."""
    informative = verdict.why.kind in ("values", "gradient")
    if verdict.mistake or not (informative or any(probe.passed for probe in verdict.probes)):
        return []
    held: dict[str, bool] = {}
    for probe in verdict.probes:
        if probe.part:
            held[probe.part] = held.get(probe.part, True) and probe.passed
    names = dict(verdict.part_names)
    return [(names[part], passed) for part, passed in held.items()]


def _recognized(verdict: Verdict, mistake: Diagnosis, it: str) -> str:
    if verdict.recognized:
        return verdict.recognized
    does = "gives exactly your output" if mistake.exact else "leaves errors as small as yours"
    return f"{it} {does}, on every input tried."


def _parts_title(verdict: Verdict) -> str:
    """Parts build on one another: where several are off, the first may explain the rest."""
    off = sum(not passed for _, passed in _parts_alone(verdict))
    return "Each part tried alone" + ("; mend the first that is off:" if off > 1 else ":")


def as_text(verdict: Verdict) -> str:
    """The verdict for a terminal, a log or nbgrader's output; at most 88 columns and 15 lines."""
    blocks: list[tuple[int, list[str]]] = []

    def say(label: str, text: str, matters: int = 9) -> None:
        text = textwrap.fill(
            f"{label}: {text}" if label else text,
            88,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
        )
        blocks.append((matters, text.splitlines()))

    blocks.append((9, [f"{verdict.exercise}: {_status(verdict)}, {points(verdict)}"]))
    kind = verdict.failure.kind if verdict.failure else ""
    if verdict.passed:
        say("", _evidence(verdict))
        say("Reference", verdict.reference)
    elif kind == "not written":
        say("Write", verdict.signature)
    elif kind == "through":
        say("", verdict.why.headline)
        say("", verdict.why.detail)
    elif kind == "unfinished":
        say("", verdict.why.headline)
    else:
        _say_what_fails(verdict, say, blocks)
    for note in verdict.notes:
        say("Note", note, 6)
    return "\n".join(_fitting(blocks))


def _say_what_fails(verdict: Verdict, say, blocks: list[tuple[int, list[str]]]) -> None:
    failure = verdict.why
    say("", failure.headline)
    blocks.append((5, [f"    {line}" for line in failure.lines[-3:]]))
    if failure.detail:
        say("", failure.detail, 6)
    if verdict.example:
        say("By hand", verdict.example, 3)
    say("Tried", _tried(verdict), 1)
    if verdict.mistake:
        say("Mistake", f"{verdict.mistake.name}. {verdict.mistake.says}")
        blocks.append((0, [f"    {_recognized(verdict, verdict.mistake, 'It')}"]))
        if verdict.alike:
            say("From outside it looks the same as", _alike(verdict), 7)
    else:
        parts = _parts_alone(verdict)
        if parts:
            say("", _parts_title(verdict), 3)
        marks = [f"    {'right' if passed else 'off  '}  {name}" for name, passed in parts]
        blocks.append((3, marks))
        for one in verdict.suspicions:
            say("Looks like", f"{one.name}. {one.says}", 7)
    say("Compare with", verdict.equation, 4)
    if _hint(verdict):
        say("Hint", _hint(verdict), 2)
    if verdict.section:
        say("Read again", _section(verdict.section), 4)
    if len(verdict.probes) > 1:
        say("Points", _rule(verdict), 2)


def _fitting(blocks: list[tuple[int, list[str]]]) -> list[str]:
    """The lines of as many blocks as fit, without those that matter least."""
    while sum(len(lines) for _, lines in blocks) > MOST_LINES and len(blocks) > 1:
        least = min(range(len(blocks)), key=lambda place: (blocks[place][0], -place))
        blocks = [block for place, block in enumerate(blocks) if place != least]
    return [line for _, lines in blocks for line in lines][:MOST_LINES]


# Hosts have rules of their own for links, code and lists, JupyterLab by selectors stronger than a
# class and a name; `!important` keeps these in the card's ink and place.
_CSS = f"""
{own(".gm-verdict", LIGHT, DARK)}{follow(".gm-verdict")}
.gm-verdict{{font:400 14px/1.5 var(--pst-font-family-heading,
var(--jp-content-font-family,system-ui,sans-serif));color:var(--gm-ink);background:var(--gm-paper);
border:1px solid var(--gm-line);border-left:4px solid var(--v-tone);border-radius:4px;
padding:.8em 1.15em .9em;max-width:52.5em;margin:.3em 0}}
.gm-verdict :not(svg *){{color:inherit;background:none}}
.gm-verdict.right{{--v-tone:var(--gm-right)}}.gm-verdict.wrong{{--v-tone:var(--gm-wrong)}}
.gm-verdict.open{{--v-tone:var(--gm-muted)}}
.gm-verdict p{{margin:.35em 0;max-width:none;overflow-wrap:anywhere}}.gm-verdict .head{{display:flex;flex-wrap:wrap;gap:.25em .9em;
align-items:baseline;margin:0}}
.gm-verdict .head b{{color:var(--v-tone)}}.gm-verdict .head .pts{{margin-left:auto;color:var(--gm-muted)}}
.gm-verdict .body{{min-width:0;max-width:none;display:flex;flex-wrap:wrap;gap:.45em 1.6em;align-items:flex-start}}
.gm-verdict .say{{flex:1 1 23em;min-width:0}}.gm-verdict .pic{{flex:0 0 220px;max-width:100%;margin:.25em 0 0}}
.gm-verdict .pic svg{{width:100%;height:auto;display:block}}
.gm-verdict .pic figcaption{{font-size:12px;font-weight:400;margin:0;color:var(--gm-muted);text-align:center}}
.gm-verdict dl{{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25em 1em;margin:.6em 0 0}}
.gm-verdict dt{{color:var(--gm-muted);font-weight:400;margin:0;width:auto}}.gm-verdict dd{{margin:0;width:auto;overflow-wrap:anywhere}}
.gm-verdict code,.gm-verdict pre{{font:13px/1.45 var(--jp-code-font-family,var(--pst-font-family-monospace,monospace));
border:0!important;padding:0!important}}.gm-verdict pre{{margin:.35em 0;white-space:pre-wrap;overflow-wrap:anywhere}}
.gm-verdict :is(a,code,pre){{color:inherit!important;background:none!important}}
.gm-verdict a{{text-decoration:underline!important;text-underline-offset:.15em}}
.gm-verdict summary{{display:list-item;cursor:pointer}}
.gm-verdict ul{{list-style:none;margin:.45em 0 0;padding:0!important}}.gm-verdict li{{margin:0}}
.gm-verdict li.off{{color:var(--gm-wrong);font-weight:600}}.gm-verdict .quiet{{color:var(--gm-muted)}}
@media (max-width:480px){{.gm-verdict dl{{display:block}}.gm-verdict dd{{margin-bottom:.4em}}}}
""".replace("\n", "")

# Where a sanitizer drops style elements and leaves drawings, these have their ground still.
_GROUND = f'style="background:{css("paper")};color:{css("ink")}"'


def _picture(verdict: Verdict) -> str:
    """The part to look at, marked in the drawing that the exercise names."""
    if verdict.passed or not verdict.part:
        return ""
    exercise = courses.record_of(verdict.course, verdict.exercise)
    drawing = exercise.picture(verdict.part) if exercise and exercise.picture else ""
    if not drawing:
        return ""
    caption = "<figcaption>where to look</figcaption>"
    return f'<figure class="pic" {_GROUND}>{drawing}{caption}</figure>'


def beside(section: Section) -> str:
    """Where a section is from a notebook's folder; a page of the site puts its own address there."""
    return f"../../{section.page}.md#{section.label}"


def as_html(verdict: Verdict, where: Callable[[Section], str] | None = None) -> str:
    """The verdict as a card with its own ground and ink, light or dark like what is around it.

    ``where`` gives a section's address, empty where that is not known; the section is then a link.
    """
    tone = "right" if verdict.passed else "wrong"
    mark = "✓" if verdict.passed else "✗"
    kind = verdict.failure.kind if verdict.failure else ""
    if kind in ("not written", "unfinished", "through"):
        tone, mark = "open", "○"
    body: list[str] = []
    rows: list[tuple[str, str]] = []
    more: list[tuple[str, str]] = []
    if verdict.passed:
        body.append(f"<p>{escape(_evidence(verdict))}</p>")
        body.append(f'<p class="quiet">Compared with {escape(verdict.reference)}.</p>')
    elif kind == "not written":
        rows.append(("Write", f"<code>{escape(verdict.signature)}</code>"))
    elif kind in ("unfinished", "through"):
        body.append(f"<p>{escape(verdict.why.headline)}</p>")
        if verdict.why.detail:
            body.append(f"<p>{escape(verdict.why.detail)}</p>")
    else:
        _show_what_fails(verdict, where, body, rows, more)
    rows += [("Note", escape(note)) for note in verdict.notes]
    hidden = _folded("What was tried", _rows(more)) if more else ""
    return (
        f"<style>{_CSS}</style>"
        f'<div class="gm-verdict {tone}" role="status">'
        f'<p class="head"><b>{mark} {_status(verdict)}</b> '
        f"<code>{escape(verdict.exercise)}</code> "
        f'<span class="pts">{points(verdict)}</span></p>'
        f'<div class="body"><div class="say">{"".join(body)}{_rows(rows)}{hidden}'
        f"</div>{_picture(verdict)}</div></div>"
    )


def _folded(label: str, inside: str) -> str:
    """HTML behind a label; the class keeps it out of a site's rules for what it folds itself."""
    return f'<details class="gm-more"><summary>{label}</summary>{inside}</details>'


def _rows(rows: list[tuple[str, str]]) -> str:
    """Pairs of a label and HTML, as a list of definitions."""
    said = "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in rows)
    return f"<dl>{said}</dl>" if rows else ""


def _show_what_fails(
    verdict: Verdict,
    where: Callable[[Section], str] | None,
    body: list[str],
    rows: list,
    more: list,
) -> None:
    failure = verdict.why
    if verdict.mistake:
        body.append(
            f"<p><b>{escape(_sentence(verdict.mistake.name))}</b> {prose(verdict.mistake.says)}</p>"
            f'<p class="quiet">{_recognized(verdict, verdict.mistake, "This mistake")}</p>'
        )
        if verdict.alike:
            rows.append(("Looks the same", escape(_alike(verdict))))
    body.append(f"<p>{prose(failure.headline)}</p>")
    if failure.lines:
        body.append(f"<pre>{escape(chr(10).join(failure.lines))}</pre>")
    if failure.detail:
        body.append(f"<p>{prose(failure.detail)}</p>")
    if parts := _parts_alone(verdict):
        items = "".join(
            f"<li>✓ {escape(name)}</li>" if passed else f'<li class="off">✗ {escape(name)}</li>'
            for name, passed in parts
        )
        body.append(f'<p class="quiet">{_parts_title(verdict)}</p><ul>{items}</ul>')
    for one in verdict.suspicions:
        body.append(f"<p>Looks like <b>{escape(one.name)}</b>: {prose(one.says)}</p>")
    if verdict.example:
        rows.append(("By hand", escape(verdict.example)))
    rows.append(("Compare with", f"<code>{escape(verdict.equation)}</code>"))
    if hint := _hint(verdict):
        rows.append(("Hint", _folded("show", prose(hint))))
    if verdict.section:
        said = escape(_section(verdict.section))
        if address := where(verdict.section) if where and verdict.section.page else "":
            said = f'<a href="{escape(address)}">{said}</a>'
        rows.append(("Read again", said))
    more.append(("Tried", escape(_tried(verdict))))
    if len(verdict.probes) > 1:
        more.append(("Points", escape(_rule(verdict))))


def _sentence(name: str) -> str:
    """A mistake's name as a sentence; names of variables keep their small letters."""
    word = name.split()[0]
    if len(word) > 2 and word.isalpha():
        name = name[0].upper() + name[1:]
    return f"{name}."


def prose(text: str) -> str:
    """Escaped, with `code` between backticks set as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))


class Card(Verdict):
    """A verdict as ``check`` returns it: Jupyter shows it as a card, a terminal as text."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verdict) and vars(self) == vars(other)

    __hash__ = Verdict.__hash__

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self, self._where)

    def _where(self, section: Section) -> str:
        """In the course folder its page, elsewhere that of the published site, if there is one."""
        if Path(f"../../{section.page}.md").is_file():
            return beside(section)
        site = courses.pages(self.course)
        return f"{site}{section.page}.html#{section.label}" if site else ""


@dataclass(frozen=True)
class Misuse:
    """What ``check`` says, in one line, where it was given nothing that it can check."""

    says: str
    passed = False
    points = 0.0

    def __repr__(self) -> str:
        return self.says

    def _repr_html_(self) -> str:
        return f'<style>{_CSS}</style><div class="gm-verdict open">{prose(self.says)}</div>'


def card(verdict: Verdict) -> Card:
    """The same verdict, to be shown."""
    return Card(**vars(verdict))
