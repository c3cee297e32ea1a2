"""Verdicts as text and as HTML. Nothing is decided here."""

from __future__ import annotations

import textwrap
from html import escape

from autograder.checking import courses
from autograder.checking.colors import DARK, css, declarations
from autograder.checking.verdict import Diagnosis, Section, Verdict


def points(verdict: Verdict) -> str:
    """``1.5 of 2 points``."""
    return f"{verdict.points:g} of {verdict.max_points:g} points"


def _status(verdict: Verdict) -> str:
    if verdict.passed:
        return "right"
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
    held = sum(probe.passed for probe in verdict.probes)
    rule = f"{held} of {len(verdict.probes)} {verdict.tried} right; each counts the same."
    if any(0 < probe.share < 1 for probe in verdict.probes):
        rule += " Where only some of your results are right, their share counts."
    return rule


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
    """The verdict for a terminal, a log or nbgrader's output; at most 88 columns."""
    head = f"{verdict.exercise}: {_status(verdict)}, {points(verdict)}"
    lines = [head]

    def say(label: str, text: str) -> None:
        lines.append(
            textwrap.fill(
                f"{label}: {text}" if label else text,
                88,
                initial_indent="  ",
                subsequent_indent="    ",
                break_long_words=False,
            )
        )

    if verdict.passed:
        say("", _evidence(verdict))
        say("Reference", verdict.reference)
    elif verdict.why.kind == "not written":
        say("Write", verdict.signature)
    elif verdict.why.kind == "unfinished":
        say("", verdict.why.headline)
    else:
        failure = verdict.why
        say("", failure.headline)
        lines += [f"    {line}" for line in failure.lines]
        if failure.detail:
            say("", failure.detail)
        say("Tried", _tried(verdict))
        if verdict.mistake:
            say("Mistake", f"{verdict.mistake.name}. {verdict.mistake.says}")
            lines.append(f"    {_recognized(verdict, verdict.mistake, 'It')}")
        else:
            if _parts_alone(verdict):
                say("", _parts_title(verdict))
            for name, passed in _parts_alone(verdict):
                lines.append(f"    {'right' if passed else 'off  '}  {name}")
            for one in verdict.suspicions:
                say("Looks like", f"{one.name}. {one.says}")
        say("Compare with", verdict.equation)
        say("Hint", verdict.hint)
        if verdict.section:
            say("Read again", _section(verdict.section))
        if len(verdict.probes) > 1:
            say("Points", _rule(verdict))
    for note in verdict.notes:
        say("Note", note)
    return "\n".join(lines)


_CSS = f"""
.gm-verdict{{font:400 14px/1.5 var(--pst-font-family-heading,
var(--jp-content-font-family,system-ui,sans-serif));color:{css("ink")};
border:1px solid {css("line")};border-left:4px solid var(--v-tone);border-radius:4px;
padding:.7rem 1rem .8rem;max-width:46rem;margin:.25rem 0;background:transparent}}
:where([data-jp-theme-light="false"],body.vscode-dark,html[data-theme="dark"]) .gm-verdict{{
{declarations(DARK)}}}
.gm-verdict.right{{--v-tone:{css("right")}}}.gm-verdict.wrong{{--v-tone:{css("wrong")}}}
.gm-verdict.open{{--v-tone:{css("muted")}}}
.gm-verdict p{{margin:.3rem 0;max-width:none;overflow-wrap:anywhere}}.gm-verdict .head{{display:flex;flex-wrap:wrap;gap:.2rem .8rem;
align-items:baseline;margin:0}}
.gm-verdict .head b{{color:var(--v-tone)}}.gm-verdict .head .pts{{margin-left:auto;color:{css("muted")}}}
.gm-verdict .body{{min-width:0;max-width:none;display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;align-items:flex-start}}
.gm-verdict .say{{flex:1 1 20rem;min-width:0}}.gm-verdict .pic{{flex:0 0 220px;max-width:100%;margin:.2rem 0 0}}
.gm-verdict .pic svg{{width:100%;height:auto;display:block}}
.gm-verdict .pic figcaption{{font-size:12px;color:{css("muted")};text-align:center}}
.gm-verdict dl{{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem .9rem;margin:.5rem 0 0}}
.gm-verdict dt{{color:{css("muted")};font-weight:400;margin:0}}.gm-verdict dd{{margin:0;overflow-wrap:anywhere}}
.gm-verdict code,.gm-verdict pre{{font:13px/1.45 var(--jp-code-font-family,var(--pst-font-family-monospace,monospace));
color:inherit;background:none;border:0;padding:0}}.gm-verdict pre{{margin:.3rem 0;white-space:pre-wrap;overflow-wrap:anywhere}}
.gm-verdict ul{{list-style:none;margin:.4rem 0 0;padding:0}}.gm-verdict li{{margin:0}}
.gm-verdict li.off{{color:{css("wrong")};font-weight:600}}.gm-verdict .quiet{{color:{css("muted")}}}
@media (max-width:480px){{.gm-verdict dl{{display:block}}.gm-verdict dd{{margin-bottom:.35rem}}}}
""".replace("\n", "")


def _picture(verdict: Verdict) -> str:
    """The part to look at, marked in the drawing that the exercise names."""
    if verdict.passed or not verdict.part:
        return ""
    exercise = courses.record_of(verdict.course, verdict.exercise)
    drawing = exercise.picture(verdict.part) if exercise and exercise.picture else ""
    if not drawing:
        return ""
    return f'<figure class="pic">{drawing}<figcaption>where to look</figcaption></figure>'


def as_html(verdict: Verdict) -> str:
    """The verdict as a card that follows the light or dark mode around it."""
    tone = "right" if verdict.passed else "wrong"
    mark = "✓" if verdict.passed else "✗"
    if verdict.failure and verdict.failure.kind in ("not written", "unfinished"):
        tone, mark = "open", "○"
    body, rows = [], []
    if verdict.passed:
        body.append(f"<p>{escape(_evidence(verdict))}</p>")
        body.append(f'<p class="quiet">Compared with {escape(verdict.reference)}.</p>')
    elif verdict.why.kind == "not written":
        rows.append(("Write", f"<code>{escape(verdict.signature)}</code>"))
    elif verdict.why.kind == "unfinished":
        body.append(f"<p>{escape(verdict.why.headline)}</p>")
    else:
        failure = verdict.why
        if verdict.mistake:
            body.append(
                f"<p><b>{escape(_sentence(verdict.mistake.name))}</b> "
                f"{_prose(verdict.mistake.says)}</p>"
                f'<p class="quiet">{_recognized(verdict, verdict.mistake, "This mistake")}</p>'
            )
        body.append(f"<p>{_prose(failure.headline)}</p>")
        if failure.lines:
            body.append(f"<pre>{escape(chr(10).join(failure.lines))}</pre>")
        if failure.detail:
            body.append(f"<p>{_prose(failure.detail)}</p>")
        if parts := _parts_alone(verdict):
            items = "".join(
                f"<li>✓ {escape(name)}</li>" if passed else f'<li class="off">✗ {escape(name)}</li>'
                for name, passed in parts
            )
            body.append(f'<p class="quiet">{_parts_title(verdict)}</p><ul>{items}</ul>')
        for one in verdict.suspicions:
            body.append(f"<p>Looks like <b>{escape(one.name)}</b>: {_prose(one.says)}</p>")
        rows += [
            ("Tried", escape(_tried(verdict))),
            ("Compare with", f"<code>{escape(verdict.equation)}</code>"),
            ("Hint", f"<details><summary>show</summary>{_prose(verdict.hint)}</details>"),
        ]
        if verdict.section:
            rows.append(("Read again", escape(_section(verdict.section))))
        if len(verdict.probes) > 1:
            rows.append(("Points", escape(_rule(verdict))))
    rows += [("Note", escape(note)) for note in verdict.notes]
    table = "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in rows)
    return (
        f"<style>{_CSS}</style>"
        f'<div class="gm-verdict {tone}" role="status">'
        f'<p class="head"><b>{mark} {_status(verdict)}</b> '
        f"<code>{escape(verdict.exercise)}</code>"
        f'<span class="pts">{points(verdict)}</span></p>'
        f'<div class="body"><div class="say">{"".join(body)}'
        f"{f'<dl>{table}</dl>' if table else ''}</div>{_picture(verdict)}</div></div>"
    )


def _sentence(name: str) -> str:
    """A mistake's name as a sentence; names of variables keep their small letters."""
    word = name.split()[0]
    if len(word) > 2 and word.isalpha():
        name = name[0].upper() + name[1:]
    return f"{name}."


def _prose(text: str) -> str:
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
        return as_html(self)


def card(verdict: Verdict) -> Card:
    """The same verdict, to be shown."""
    return Card(**vars(verdict))
