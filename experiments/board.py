"""The table of the claims on trial: each in words, its effects as dots, its verdict.

The table is complete as it stands, and what a dot says when it is pointed at is in the page already.
``gm-trial.js`` adds choices of a task and of a verdict, and the arrow keys.
"""

from html import escape
from pathlib import Path

import yaml

from autograder.course.figures.palette import css
from autograder.course.figures.prose import minus

from . import results, show
from .claims import BEST, DEFAULT, FAILS, HOLDS, UNSETTLED, WHEN, Finding
from .designs import GRU, READ, WITHOUT_GATE, Contestant, tuning_budget
from .runner import RESULTS
from .yardstick import BETTER, WORSE

SENTENCES = RESULTS.parents[1] / "back" / "claims.yml"
MARKS = {
    HOLDS: ("●", "holds"),
    WHEN: ("◐", "when"),
    FAILS: ("✕", "fails"),
    UNSETTLED: ("○", "open"),
}
"""Of each verdict the sign before its word, and the end of its class in gm-trial.css."""
MEANINGS = {
    HOLDS: "by the rule that was written down before the runs",
    WHEN: "in some settings and not in others; its page says in which",
    FAILS: "in the settings tried here",
    UNSETTLED: "the rule needs a comparison that is still undecided",
}
"""What a verdict means, for the legend."""


def sentences(file: Path = SENTENCES) -> dict[str, str]:
    """Every claim in a sentence, by its id."""
    return {one["id"]: one["claim"] for one in yaml.safe_load(file.read_text(encoding="utf-8"))}


def _signed(value: float) -> str:
    return minus(f"{value:+.2g}")


def nets_of(claim_id: str, name: str) -> list[tuple[str, str, Contestant]]:
    """The nets that an effect compares: what a dot calls each, its setting, and itself."""
    if claim_id == "C19":
        setting, _, family = name.rpartition(", ")
        model = (family.lower(), "hidden")
        return [
            ("with dropout", setting, (model, "dropout")),
            ("without", setting, (model, "none")),
        ]
    if claim_id == "C21":
        gate, _, what = name.partition(" ")
        whole, without = ("GRU", READ), (f"without the {gate} gate", WITHOUT_GATE.format(gate))
        nets = (whole, without) if what == "left out" else (whole,)
        return [(called, setting, (GRU, "best")) for called, setting in nets]
    pair = DEFAULT if claim_id == "C12" else BEST
    return [(who[0][0].upper(), name, who) for who in pair]


def conditions(claim_id: str, name: str) -> str:
    """Start, rate and tuning budget of the nets in a setting; empty where the effect is of no one setting."""
    said = []
    for called, place, who in nets_of(claim_id, name):
        setting = results.trial().settings.get(place)
        if setting is None or who not in setting.contestants:
            return ""
        tuned = results.trial().tuned(place)
        choice, rate = tuned.chosen[who]
        dropout = f", dropout {choice.dropout:g}" if choice.dropout else ""
        said.append(
            f"{called}: start “{choice.start}”, rate {rate:g}{dropout}, "
            f"the best of {tuning_budget(setting, tuned)[who]} tuning runs"
        )
    text = "; ".join(said)
    return text[:1].upper() + text[1:]


def said_of(claim_id: str, name: str) -> str:
    """What a dot says: setting, outcome, difference with its interval, how many runs, how they were tuned."""
    finding, sides = results.finding(claim_id), show.SIDES.get(claim_id, show.CELLS)
    called = show.outcomes(finding)[name]
    outcome = {BETTER: show.ahead(sides[0]), WORSE: show.ahead(sides[1])}.get(called, called)
    middle, low, high = map(_signed, finding.effects[name])
    compared = finding.comparisons.get(name)
    text = f"{claim_id}, {show.label(name)}: {outcome}. Difference {middle} margins"
    if compared is None:
        return f"{text}; the rounds of measurement give {low} to {high}."
    pairs = "voices" if results.by_voice(name) else "paired seeds"
    text += f", interval {low} to {high}, from {len(compared.first)} {pairs}."
    told = conditions(claim_id, name)
    return f"{text} {told}." if told else text


def dots(claim_id: str) -> str:
    """The strip of a claim whose marks say all that is known of them. SVG."""
    finding, sides = results.finding(claim_id), show.SIDES.get(claim_id, show.CELLS)
    said = {name: said_of(claim_id, name) for name in finding.effects}
    return show.strip(finding, sides, said=said)


def verdict(finding: Finding) -> str:
    """A verdict's sign and word. HTML."""
    sign, kind = MARKS[finding.word]
    return f'<span class="gm-word gm-word-{kind}"><i aria-hidden="true">{sign}</i> {escape(show.word(finding))}</span>'


def _dot(color: str, full: bool = True) -> str:
    look = f"fill:{css(color)}" if full else f"fill:none;stroke:{css(color)};stroke-width:1.4"
    return f'<svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="4" style="{look}"/></svg>'


def legend() -> str:
    """What the dots and the verdicts mean. HTML."""
    marks = (
        (_dot("gru"), "GRU ahead"), (_dot("lstm"), "LSTM ahead"), (_dot("muted"), "equivalent"),
        (_dot("muted", full=False), "undecided"),
    )  # fmt: skip
    shapes = "".join(f"<span>{mark} {text}</span>" for mark, text in marks)
    verdicts = "".join(
        f'<dt class="gm-word gm-word-{MARKS[name][1]}"><i aria-hidden="true">{MARKS[name][0]}</i> {escape(name)}</dt>'
        f"<dd>{MEANINGS[name]}</dd>"
        for name in MARKS
    )
    return f'<div class="gm-legend"><p>{shapes}</p><dl>{verdicts}</dl></div>'


def _row(claim_id: str, finding: Finding, sentence: str, page: str) -> str:
    sides = show.SIDES.get(claim_id)
    axis = (
        f"<small>← {escape(show.ahead(sides[0]))} · {escape(show.ahead(sides[1]))} →</small>"
        if sides
        else ""
    )
    return (
        f'<li data-verdict="{MARKS[finding.word][1]}"><a class="gm-board-what" href="{page}#{claim_id.lower()}">'
        f"<b>{claim_id}</b> {escape(sentence)}</a>"
        f'<span class="gm-board-dots">{dots(claim_id)}{axis}</span>{verdict(finding)}</li>'
    )


def board(page: str = "back/claims.html") -> str:
    """The claims on trial as a list with the legend; ``page`` is where a claim's row leads. HTML."""
    said = sentences()
    rows = "".join(
        _row(claim_id, finding, said[claim_id], page)
        for claim_id, finding in results.findings().items()
    )
    return (
        f'<gm-trial class="gm-board">{legend()}'
        '<p class="gm-board-head" aria-hidden="true"><span>the claim</span>'
        "<span><b>← GRU ahead</b><i>margin</i><b>LSTM ahead →</b></span><span>verdict</span></p>"
        f"<ul>{rows}</ul></gm-trial>"
    )
