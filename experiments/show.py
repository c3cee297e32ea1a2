"""What the pages show of the verdicts: numbers to quote, a picture of the effects, a thumbnail.

Pages render from the results in the repository; a number that is not there cannot be quoted,
because the page then names something that was never glued, and the build fails.
"""

import json
from html import escape

import numpy as np

from autograder.course.figures.palette import css

from . import claims, designs, results
from .runner import RESULTS
from .tasks import TASKS

# What a result is called on a page.
WAYS = {"library": "library", "unfused": "library, not fused", "loop": "from scratch"}
WHAT = {
    "weights": "weights",
    "state": "carried state",
    "kept_library": "backward pass, library",
    "kept_unfused": "backward pass, not fused",
    "kept_loop": "backward pass, from scratch",
    "onnx_bytes": "file",
    "int8_bytes": "file in int8",
    "torch_step_ms": "step, PyTorch",
    "onnx_step_ms": "step, ONNX Runtime",
}
CLIP = 6.0
# Who is ahead left of the band, and right of it.
CELLS = ("GRU", "LSTM")
SIDES = {"C19": ("dropout", "no dropout")}


def label(name: str) -> str:
    """The name of an effect as a reader would call it."""
    first, _, rest = name.partition(", ")
    if name in WHAT:
        return WHAT[name]
    if first in WAYS:
        return f"{WAYS[first]}, {rest}"
    if first in TASKS:
        return TASKS[first].title + (f", {rest}" if rest else "")
    return name[0].upper() + name[1:]


def word(verdict: claims.ClaimVerdict) -> str:
    """The verdict's word for a page; an ellipsis stands for the condition of "holds when"."""
    return f"{verdict.word} …" if verdict.word == claims.WHEN else verdict.word


def quotable(claim_id: str) -> dict[str, float | int | str]:
    """Everything a page may quote about a claim, by the name it is glued under."""
    verdict = claims.verdicts()[claim_id]
    name = claim_id.lower()
    return {
        f"{name}_word": verdict.word,
        f"{name}_sets": ", ".join(f"{s}: {w.lower()}" for s, w in verdict.by_set.items()),
        **{f"{name}_{fact}": value for fact, value in verdict.finding.facts.items()},
    }


def quote(*claim_ids: str) -> None:
    """Glue what may be quoted, for ``{glue:text}`` in the page."""
    from myst_nb import glue

    for claim_id in claim_ids:
        for name, value in quotable(claim_id).items():
            glue(name, value, display=False)


def provenance() -> dict:
    """Where the results were measured: the latest entry they name, and all their ``commits``."""
    entries = json.loads((RESULTS / "provenance.json").read_text(encoding="utf-8"))
    used = {entry["by"] for entry in results.results().values()} | {results.costs()["by"]}
    named = [entries[number] for number in sorted(used)]
    return {**named[-1], "commits": list(dict.fromkeys(entry["commit"] for entry in named))}


# Effects: one picture for every claim.


def _x(effect: float, width: float) -> float:
    """Where an effect lies: the band of "alike" takes the middle, the ends are cut off."""
    bounded = max(-CLIP, min(CLIP, effect))
    return width / 2 * (1 + bounded / (CLIP + 0.6))


def strip(effects: dict[str, float], sides: tuple[str, str] = CELLS, width: float = 220,
          height: float = 30) -> str:  # fmt: skip
    """The effects of a claim as dots on one line, as an SVG text.

    The band in the middle is one margin to either side. Left of it the first of ``sides`` is
    ahead, right of it the second. An effect beyond six margins is an arrowhead at the end.
    """
    middle, radius = height / 2, 3.2
    left, right = _x(-1, width), _x(1, width)
    marks = []
    for name, effect in sorted(effects.items(), key=lambda item: item[1]):
        family = "gru" if effect < -1 else "lstm"
        color = css("muted" if abs(effect) <= 1 else family if sides == CELLS else "ink")
        x = _x(effect, width)
        if abs(effect) > CLIP:
            way = 4 if effect > 0 else -4
            shape = f'<path d="M{x:.1f} {middle - 4:.1f}l{way} 4l{-way} 4z"'
        else:
            shape = f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="{radius}"'
        marks.append(
            f'{shape} style="fill:{color};fill-opacity:.75"><title>{escape(label(name))}</title>'
            f"{'</path>' if abs(effect) > CLIP else '</circle>'}"
        )
    return (
        f'<svg class="gm-strip" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'role="img" aria-label="{escape(summary(effects, sides))}">'
        f'<rect x="{left:.1f}" y="3" width="{right - left:.1f}" height="{height - 6:g}" rx="3" '
        f'style="fill:{css("line")};fill-opacity:.55"/>'
        f'<path d="M{width / 2:g} 3V{height - 3:g}" style="stroke:{css("muted")};stroke-width:1"/>'
        f"{''.join(marks)}</svg>"
    )


def counted(effects: dict[str, float]) -> tuple[int, int, int]:
    """In how many settings the left side is ahead, the two are alike, the right side is ahead."""
    left = sum(effect < -1 for effect in effects.values())
    right = sum(effect > 1 for effect in effects.values())
    return left, len(effects) - left - right, right


def summary(effects: dict[str, float], sides: tuple[str, str] = CELLS) -> str:
    """The strip in words, for those who cannot see it."""
    left, alike, right = counted(effects)
    return (
        f"{sides[0]} ahead in {left} of {len(effects)} settings, {sides[1]} ahead in {right}, "
        f"alike in {alike}"
    )


def tally(claim_id: str) -> str:
    """The strip of a claim on trial as three counts."""
    left, alike, right = counted(claims.verdicts()[claim_id].finding.effects)
    first, second = SIDES.get(claim_id, CELLS)
    return f"{first} {left} · alike {alike} · {second} {right}"


def picture(claim_id: str) -> str:
    """The strip of a claim on trial."""
    effects = claims.verdicts()[claim_id].finding.effects
    return strip(effects, SIDES.get(claim_id, CELLS))


def sketch(drawing: dict[str, str], width: float = 220, height: float = 30) -> str:
    """The small picture of a claim that was derived: a formula, or a gradient against lag."""
    frame = f'<svg class="gm-strip" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img"'
    if "formula" in drawing:
        text = escape(drawing["formula"])
        return (
            f'{frame} aria-label="{text}"><text x="{width / 2:g}" y="{height / 2 + 5:g}" text-anchor="middle" '
            f'style="fill:{css("ink")};font-size:15px;font-style:italic;font-family:var(--gm-serif, serif)">{text}</text></svg>'
        )
    family = drawing["curve"]
    file = json.loads((RESULTS.parent / "gradient_flow.json").read_text(encoding="utf-8"))
    cell = next(c for c in file["cells"] if c["family"] == family and c["keep"] == 0)
    part = "c" if family == "lstm" else "h"
    paths = []
    for when, color in (("before", "muted"), ("after", family)):
        series = np.median([flow[part] for flow in cell[when]], axis=0)
        x = np.linspace(4, width - 4, len(series))
        y = 4 + (height - 8) * np.clip(-np.log10(series) / 20, 0, 1)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        paths.append(
            f'<polyline points="{points}" style="fill:none;stroke:{css(color)};stroke-width:1.6"/>'
        )
    return f'{frame} aria-label="gradient against lag, before and after training">{"".join(paths)}</svg>'


SHORT = {
    "C5": "time of a step",
    "C6": "epochs",
    "C7": "memory",
    "C8": "overfitting",
    "C9": "accuracy",
    "C10": "long delays",
    "C11": "complex and simple tasks",
    "C12": "sensitivity to the learning rate",
    "C16": "small data, long sequences",
    "C17": "small devices, streams",
    "C18": "depth",
    "C19": "what dropout gains",
}


def effects_figure(claim_id: str, caption: str = "") -> None:
    """Display the effects of one claim, a row for each setting, as a figure of the site."""
    import matplotlib.pyplot as plt

    from autograder.course.figures import COLORS, show, use_style

    use_style()
    verdict = claims.verdicts()[claim_id]
    effects = dict(sorted(verdict.finding.effects.items(), key=lambda item: -item[1]))
    fig, ax = plt.subplots(figsize=(5.2, 0.85 + 0.235 * len(effects)))
    ax.axvspan(-1, 1, color=COLORS["line"], alpha=0.45, lw=0)
    ax.axvline(0, color=COLORS["muted"], lw=0.8)
    for row, effect in enumerate(effects.values()):
        name = "gru" if effect < -1 else "lstm" if effect > 1 else "muted"
        bounded = max(-CLIP, min(CLIP, effect))
        marker = "o" if bounded == effect else ">" if effect > 0 else "<"
        ax.plot([0, bounded], [row, row], color=COLORS[name], lw=1.2)
        ax.plot(bounded, row, marker, color=COLORS[name], ms=5)
    ax.set(xlim=(-CLIP - 0.6, CLIP + 0.6), ylim=(-0.7, len(effects) - 0.3),
           xlabel="difference, in margins")  # fmt: skip
    ax.set_yticks(range(len(effects)), [label(name) for name in effects])
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    ax.set_title("← GRU ahead", loc="left", color=COLORS["gru"])
    ax.set_title("LSTM ahead →", loc="right", color=COLORS["lstm"])
    rows = "; ".join(f"{label(name)} {effect:+.1f}" for name, effect in effects.items())
    show(fig, alt=f"{claim_id}, {summary(effects)}. In margins: {rows}.", caption=caption)


def scoreboard() -> str:
    """All claims on trial, a row for each: what was tried, the strip, the verdict. HTML."""
    rows = []
    for claim_id, verdict in claims.verdicts().items():
        rows.append(
            f'<li><a class="gm-score" href="back/claims.html#{claim_id.lower()}">'
            f'<span class="gm-score-id">{claim_id}</span>'
            f'<span class="gm-score-what">{escape(SHORT[claim_id])}</span>'
            f"{picture(claim_id)}"
            f'<span class="gm-score-word">{escape(word(verdict))}</span></a></li>'
        )
    return f'<ul class="gm-scoreboard">{"".join(rows)}</ul>'


def record(claim_id: str) -> str:
    """The experiment record of a claim as an HTML list: what was declared before the run."""
    claim = claims.BY_ID[claim_id]
    verdict = claims.verdicts()[claim_id]
    tried = (
        "; ".join(
            f"{designs.DESIGNS[name].title} ({len(designs.runs_of(name)):,} runs)"
            for name in claim.designs
        )
        or "measured on the untrained layers, in two rounds"
    )
    lines = {
        "Question": claim.question,
        "Experiment": tried,
        "Measure": claim.measure,
        "Rule": claim.verdict_rule,
        "On each seed set": ", ".join(f"{s}: {w.lower()}" for s, w in verdict.by_set.items()),
    }
    items = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in lines.items())
    return f'<dl class="gm-record">{items}</dl>'
