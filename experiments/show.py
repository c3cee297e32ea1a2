"""What the pages show of the verdicts: numbers to quote, a picture of the effects, a thumbnail.

Pages render from the results in the repository; a number that is not there cannot be quoted,
because the page then names something that was never glued, and the build fails.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape

import numpy as np

from autograder.course.figures.palette import css

from . import claims, results
from .claims import Finding
from .designs import DESIGNS, TUNING_SEEDS, tuning_budget
from .runner import RESULTS
from .tasks import TASKS
from .yardstick import BETTER, EQUIVALENT, LOOKS, UNDECIDED, WORSE

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
SIDES = {"C19": ("dropout", "no dropout"), "C21": ("the gate does its part", "it does not")}


# The tasks as a sentence calls them.
NAMES = {
    "vowels": "vowels", "spoken": "spoken digits", "snippets": "reviews", "electricity": "electricity",
    "temperature": "temperature", "sunspots": "sunspots", "moby_dick": "Moby Dick", "adding": "adding", "recall": "recall",
    "era": "era of an address", "year": "year of an address", "day_change": "a day of electricity",
    "voice_shifted": "words of another voice", "streams": "a stream of another voice",
    "padded": "reviews, padded without a mask", "page": "reviews, the net in the page",
    "day": "a day of electricity, its level", "hour": "the next hour of electricity",
    "co2_split": "carbon dioxide, split then scaled", "co2_scaled": "carbon dioxide, scaled then split",
    "co2_shuffled": "carbon dioxide, windows shuffled", "co2_change": "carbon dioxide, the change",
    "known": "words of known voices", "voice_raw": "words of another voice, without shifts",
    "voice_centered": "words of another voice, mean taken off", "clips": "a stream, trained on single words",
}  # fmt: skip


def listed(tasks: Iterable[str]) -> str:
    """Tasks as a sentence lists them: "vowels, reviews and Moby Dick", or "none"."""
    names = [NAMES[task] for task in tasks]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "none"


def label(name: str) -> str:
    """The name of an effect as a reader would call it."""
    first, _, rest = name.partition(", ")
    if first in NAMES:
        # A bare number is the size of a training part.
        parts = [f"{part} sequences" if part.isdigit() else part for part in rest.split(", ")]
        return ", ".join(filter(None, (f"{NAMES[first][0].upper()}{NAMES[first][1:]}", *parts)))
    if name in WHAT:
        return WHAT[name]
    if first in WAYS:
        return f"{WAYS[first]}, {rest}"
    return name[0].upper() + name[1:]


def title(task: str) -> str:
    """A task as the head of a row or a panel: what a reader calls it, and what is asked."""
    called, asked = label(task), TASKS[task].title
    if called.lower() in asked.lower():
        return asked
    return f"{called}: {asked[0].lower()}{asked[1:]}"


def task_of(name: str) -> str:
    """The task that an effect was measured on, as a reader calls it; costs are on no task."""
    first = name.partition(", ")[0]
    if first.split()[0] in ("update", "reset"):
        return NAMES["snippets"]
    return NAMES.get(first, "time and memory")


def word(finding: Finding) -> str:
    """The finding's word for a page; an ellipsis stands for the condition of "holds when"."""
    return f"{finding.word} …" if finding.word == claims.WHEN else finding.word


def outcomes(finding: Finding) -> dict[str, str]:
    """What each place of a finding is called; of a cost, by the side on which both rounds lie."""
    return {
        name: finding.comparisons[name].outcome if name in finding.comparisons
        else BETTER if high < -1 else WORSE if low > 1 else EQUIVALENT if -1 <= low and high <= 1 else UNDECIDED
        for name, (_, low, high) in finding.effects.items()
    }  # fmt: skip


def ahead(side: str) -> str:
    """A side of a picture as a heading: a net that is ahead, or a sentence as it is."""
    return side if side in SIDES["C21"] else f"{side} ahead"


def counted(finding: Finding) -> tuple[int, int, int, int]:
    """In how many places the left side is ahead, the two are alike, the right side is ahead, and none of these."""
    found = list(outcomes(finding).values())
    better, alike, worse, undecided = (
        found.count(name) for name in (BETTER, EQUIVALENT, WORSE, UNDECIDED)
    )
    return better, alike, worse, undecided


def first_word(claim_id: str) -> str:
    """The first trial's verdict, or that there is none."""
    return results.first()["verdicts"].get(claim_id, {"word": "not tried"})["word"]


def quotable(claim_id: str) -> dict[str, float | int | str]:
    """Everything a page may quote about a claim, by the name it is glued under."""
    finding = results.finding(claim_id)
    name = claim_id.lower()
    better, alike, worse, undecided = counted(finding)
    return {
        f"{name}_word": finding.word,
        f"{name}_first": first_word(claim_id),
        f"{name}_better": better, f"{name}_equivalent": alike, f"{name}_worse": worse, f"{name}_undecided": undecided,
        f"{name}_settings": len(finding.effects),
        **{f"{name}_{fact}": value for fact, value in finding.facts.items()},
    }  # fmt: skip


def quote(*claim_ids: str) -> None:
    """Glue what may be quoted, for ``{glue:text}`` in the page."""
    from myst_nb import glue

    for claim_id in claim_ids:
        for name, value in quotable(claim_id).items():
            glue(name, value, display=False)


def provenance() -> list[dict]:
    """Where the results of the trial were measured: the entries that its runs name."""
    entries = json.loads((RESULTS / "provenance.json").read_text(encoding="utf-8"))
    wanted = {entry["by"] for entry in results.results().values() if "rules" in entry}
    return [entries[number] for number in sorted(wanted)]


def machines() -> str:
    """The registrations, machines and versions that the results name, as HTML."""
    found = {
        (e["rules"], e["processor"], e["cores"], e["device"], e["python"], tuple(e["packages"].items())): e
        for e in provenance()
    }  # fmt: skip
    paragraphs = "".join(
        f"<p>Under the rules <code>{e['rules']}</code> and with the instrument <code>{e['instrument']}</code> (digests of their code), "
        f"on {escape(e['processor'])}, {e['cores']} cores, {escape(e['device'])}; Python {e['python']}, "
        + ", ".join(f"{name} {number.split('+')[0]}" for name, number in e["packages"].items())
        + ".</p>"
        for e in found.values()
    )
    return (
        paragraphs
        + "<p><code>make experiments</code> runs it again; the results are in <code>book/data/trial</code>.</p>"
    )


# Effects: one picture for every claim.


def _x(effect: float, width: float) -> float:
    """Where an effect lies: the band of "equivalent" takes the middle, the ends are cut off."""
    bounded = max(-CLIP, min(CLIP, effect))
    return width / 2 * (1 + bounded / (CLIP + 0.6))


FAMILY = {BETTER: "gru", WORSE: "lstm", EQUIVALENT: "muted", UNDECIDED: "muted"}


def strip(finding: Finding, sides: tuple[str, str] = CELLS, width: float = 220,
          height: float = 30, said: Mapping[str, str] | None = None) -> str:  # fmt: skip
    """The effects of a claim as dots on one line, as an SVG text.

    The band in the middle is one margin to either side. Left of it the first of ``sides`` is
    ahead, right of it the second. A hollow dot is undecided. An effect beyond six margins is an
    arrowhead at the end. ``said`` is what each mark says by the name of its effect; a mark that
    says something also carries its task, for ``gm-trial.js``.
    """
    middle, radius = height / 2, 3.2
    left, right = _x(-1, width), _x(1, width)
    names, marks = outcomes(finding), []
    for name, (effect, _, _) in sorted(finding.effects.items(), key=lambda item: item[1]):
        called = names[name]
        plain = "ink" if called in (BETTER, WORSE) else "muted"
        color = css(FAMILY[called] if sides == CELLS else plain)
        x = _x(effect, width)
        told = said[name] if said else f"{label(name)}: {called}"
        task = f' data-task="{escape(task_of(name))}"' if said else ""
        if abs(effect) > CLIP:
            way = 4 if effect > 0 else -4
            shape = f'<path d="M{x:.1f} {middle - 4:.1f}l{way} 4l{-way} 4z"'
        else:
            shape = f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="{radius}"'
        fill = (
            f"fill:none;stroke:{color};stroke-width:1.2"
            if called == UNDECIDED
            else f"fill:{color};fill-opacity:.75"
        )
        marks.append(
            f'{shape} style="{fill}"{task}><title>{escape(told)}</title>'
            f"{'</path>' if abs(effect) > CLIP else '</circle>'}"
        )
    return (
        f'<svg class="gm-strip" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'role="img" aria-label="{escape(summary(finding, sides))}">'
        f'<rect x="{left:.1f}" y="3" width="{right - left:.1f}" height="{height - 6:g}" rx="3" '
        f'style="fill:{css("line")};fill-opacity:.55"/>'
        f'<path d="M{width / 2:g} 3V{height - 3:g}" style="stroke:{css("muted")};stroke-width:1"/>'
        f"{''.join(marks)}</svg>"
    )


def summary(finding: Finding, sides: tuple[str, str] = CELLS) -> str:
    """The strip in words, for those who cannot see it."""
    left, alike, right, undecided = counted(finding)
    return (
        f"{ahead(sides[0])} in {left} of {len(finding.effects)} settings, {ahead(sides[1])} in {right}, "
        f"equivalent in {alike}, undecided in {undecided}"
    )


def tally(claim_id: str) -> str:
    """The strip of a claim on trial as counts."""
    left, alike, right, undecided = counted(results.finding(claim_id))
    first, second = SIDES.get(claim_id, CELLS)
    return f"{first} {left} · equivalent {alike} · {second} {right}" + (
        f" · undecided {undecided}" if undecided else ""
    )


def picture(claim_id: str) -> str:
    """The strip of a claim on trial."""
    return strip(results.finding(claim_id), SIDES.get(claim_id, CELLS))


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


def rows_figure(effects: dict[str, tuple[float, float, float]], names: dict[str, str], sides: tuple[str, str] = CELLS,
                colors: tuple[str, str] = ("gru", "lstm"), xlabel: str = "difference, in margins"):  # fmt: skip
    """A matplotlib figure with a row for each effect: its mean, its interval, the band of a margin."""
    import matplotlib.pyplot as plt

    from autograder.course.figures import COLORS, use_style

    use_style()
    rows = sorted(effects.items(), key=lambda item: -item[1][0])
    fig, ax = plt.subplots(figsize=(5.2, 0.85 + 0.235 * len(rows)))
    ax.axvspan(-1, 1, color=COLORS["line"], alpha=0.45, lw=0)
    ax.axvline(0, color=COLORS["muted"], lw=0.8)
    for row, (name, (effect, low, high)) in enumerate(rows):
        called = names[name]
        color = COLORS[{BETTER: colors[0], WORSE: colors[1]}.get(called, "muted")]
        bounded = max(-CLIP, min(CLIP, effect))
        marker = "o" if bounded == effect else ">" if effect > 0 else "<"
        ax.plot(
            [max(low, -CLIP - 0.6), min(high, CLIP + 0.6)],
            [row, row],
            color=color,
            lw=1.4,
            solid_capstyle="butt",
        )
        ax.plot(
            bounded,
            row,
            marker,
            color=color,
            ms=5,
            mfc=COLORS["paper"] if called == UNDECIDED else color,
        )
    ax.set(xlim=(-CLIP - 0.6, CLIP + 0.6), ylim=(-0.7, len(rows) - 0.3), xlabel=xlabel)
    ax.set_yticks(range(len(rows)), [label(name) for name, _ in rows])
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    ax.set_title(f"← {ahead(sides[0])}", loc="left", color=COLORS[colors[0]])
    ax.set_title(f"{ahead(sides[1])} →", loc="right", color=COLORS[colors[1]])
    return fig


def told(effects: dict[str, tuple[float, float, float]], names: dict[str, str]) -> str:
    """A figure of effects in words."""
    return "; ".join(
        f"{label(name)} {effect:+.1f} ({low:+.1f} to {high:+.1f}), {names[name]}"
        for name, (effect, low, high) in effects.items()
    )


def effects_figure(claim_id: str, caption: str = "") -> None:
    """Display the effects of one claim, a row for each setting with its interval, as a figure of the site."""
    from autograder.course.figures import show

    finding = results.finding(claim_id)
    names, sides = outcomes(finding), SIDES.get(claim_id, CELLS)
    colors = ("gru", "lstm") if sides == CELLS else ("ink", "ink")
    fig = rows_figure(finding.effects, names, sides, colors)
    alt = f"{claim_id}, {summary(finding, sides)}. In margins: {told(finding.effects, names)}."
    show(fig, alt=alt, caption=caption)


def runs_in(design: str) -> int:
    """How many runs of a design have a result."""
    trial, found = results.trial(), set()
    for setting in DESIGNS[design].settings:
        tuned = trial.tuned(setting.name)
        for model in dict.fromkeys(model for model, _ in setting.contestants):
            for choice in setting.choices(model):
                for rate in tuned.rates:
                    for seed in (*TUNING_SEEDS, *range(LOOKS[-1])):
                        key = setting.run(model, choice, rate, seed).key
                        if key in trial.results:
                            found.add(key)
    return len(found)


def record(claim_id: str) -> str:
    """The experiment record of a claim as an HTML list: what was declared before the run."""
    claim = claims.BY_ID[claim_id]
    tried = (
        "; ".join(
            f"{DESIGNS[name].title} ({runs_in(name):,} runs, tuning included)" if name in DESIGNS
            else "the rates beside the best one"
            for name in claim.designs
        )
        or "measured on the untrained layers, in two rounds"
    )  # fmt: skip
    lines = {
        "Question": claim.question,
        "Experiment": tried,
        "Measure": claim.measure,
        "Rule": claim.verdict_rule,
        "First trial": f"{first_word(claim_id)}. " + (claim.before or "The rule is the same."),
    }
    items = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in lines.items())
    return f'<dl class="gm-record">{items}</dl>'


def before_and_after() -> str:
    """Every claim on trial: the first trial's verdict, the new one, the effect, what was wrong. HTML."""
    rows = []
    for claim_id, finding in results.findings().items():
        if claim_id not in results.first()["verdicts"]:
            continue
        rows.append(
            f'<tr><th scope="row">{claim_id}</th><td>{escape(first_word(claim_id))}</td>'
            f"<td>{escape(word(finding))}</td><td>{picture(claim_id)}"
            f'<small class="gm-tally">{tally(claim_id)}</small></td>'
            f"<td>{escape(claims.BY_ID[claim_id].before or 'The rule is the same.')}</td></tr>"
        )
    return (
        '<div class="table-scroll" tabindex="0" role="region" aria-label="The first trial and this one">'
        '<table class="table gm-before"><thead><tr><th scope="col">id</th><th scope="col">first trial</th>'
        '<th scope="col">now</th><th scope="col">effect</th><th scope="col">what was wrong with the rule</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def grids() -> str:
    """How every setting was tuned: the rates, the tries of each net, what was chosen. HTML."""
    trial, rows = results.trial(), []
    for design in DESIGNS.values():
        for setting in design.settings:
            tuned = trial.tuned(setting.name)
            budget = tuning_budget(setting, tuned)
            chosen = "; ".join(
                f"{model[0].upper()}{' (larger)' if model[1] == 'parameters' else ''} {condition}: {rate:g}, {choice.start}"
                + (f", dropout {choice.dropout:g}" if choice.dropout else "")
                for (model, condition), (choice, rate) in tuned.chosen.items()
            )
            tries = ", ".join(map(str, dict.fromkeys(sorted(budget.values()))))
            rows.append(
                f"<tr><td>{escape(label(setting.name))}</td><td>{tuned.rates[0]:g} to {tuned.rates[-1]:g}</td>"
                f"<td>{tries}</td><td>{len(tuned.edges)}</td><td>{escape(chosen)}</td></tr>"
            )
    return (
        '<details class="gm-fold"><summary>How every setting was tuned, and what was chosen</summary>'
        '<div class="table-scroll" tabindex="0" role="region" aria-label="How every setting was tuned">'
        '<table class="table"><thead><tr><th scope="col">setting</th><th scope="col">rates</th>'
        '<th scope="col">tuning runs for each net and condition</th><th scope="col">best at the edge</th>'
        f'<th scope="col">chosen: rate, start</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div></details>'
    )
