"""``<gm-depends>``: which earlier characters a prediction depends on, for three trained nets, as HTML.

Inside the element stand its data and, complete without JavaScript, what `sensitivity` makes of one
passage with PyTorch's autograd. ``book/_static/gm-depends.js`` computes the same by its own way back
through time from the same quantized weights, and makes the same HTML. The data are

- ``alphabet``: the characters in one string, character k has number k;
- ``longest``: how many characters are taken;
- ``nets``: by family, the arrays of `quantized.quantize` under the names of `models.NETS`;
- ``passages``: dicts of ``title``, ``text`` and ``at``, the place that is pointed at first.
"""

import json
import math
from html import escape

import numpy as np

from autograder.course.figures.palette import FIGURE_CSS, css

from .dependence import FAMILIES, LONGEST, alphabet, net_of, recorded, sensitivity, within
from .models import NETS

NAMES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
DASH = {"rnn": "2 4", "lstm": "7 4", "gru": "none"}
DECADES = 6  # of the logarithmic scale
PLOT = 150  # pixels

# A character is a cell: its bar above it, its color behind it, both by --v, its share of the largest.
STYLE = """
gm-depends { display: block; max-width: 44rem; margin: 0 auto; font: 400 .9375rem/1.4 var(--gm-sans, system-ui, sans-serif); color: INK; }
gm-depends .net { margin: .9rem 0; }
gm-depends .who { display: flex; flex-wrap: wrap; gap: 0 1.1rem; align-items: center; color: MUTED; }
gm-depends .who b { color: var(--c); font-size: 1.0625rem; }
gm-depends .who svg { width: 30px; height: 8px; margin-left: -.4rem; }
gm-depends .text { display: flex; flex-wrap: wrap; padding: 1px; touch-action: pan-y; cursor: pointer; user-select: none; -webkit-user-select: none; }
gm-depends i { box-sizing: border-box; width: 10.4px; height: 54px; padding-top: 30px; text-align: center; white-space: pre;
  font: 400 14px/24px var(--gm-mono, monospace); print-color-adjust: exact; -webkit-print-color-adjust: exact;
  background: linear-gradient(var(--c) 0 0) 50% calc(28px - 28px * var(--v)) / 7px calc(28px * var(--v)) no-repeat,
    linear-gradient(color-mix(in srgb, var(--c) calc(48% * var(--v)), transparent) 0 0) 0 100% / 100% 24px no-repeat; }
gm-depends .at { color: var(--gm-paper, #fff); font-weight: 700; background: linear-gradient(var(--c) 0 0) 0 100% / 100% 24px no-repeat; }
gm-depends .at ~ i { color: MUTED; }
gm-depends .drawn text { font: 400 12px var(--gm-sans, system-ui, sans-serif); fill: MUTED; }
gm-depends .lags { display: block; width: 100%; height: 212px; overflow: visible; }
gm-depends textarea { display: block; box-sizing: border-box; width: 100%; margin: .25rem 0 .5rem; padding: .5rem .75rem; border: 1px solid MUTED;
  border-radius: .45rem; background: none; color: inherit; font: 400 1rem/1.4 var(--gm-mono, monospace); resize: none; }
gm-depends .own { display: block; margin: .75rem 0 0; }
gm-depends .gm-note:not(:empty) { color: MUTED; margin-bottom: .4rem; }
@media (max-width: 30rem) { gm-depends i { width: 14px; font-size: 15px; } }
""".replace("INK", css("ink")).replace("MUTED", css("muted"))  # fmt: skip


def _shown(character: str) -> str:
    return "\u21b5" if character == "\n" else character


def _named(character: str) -> str:
    """A character in a sentence."""
    named = {" ": "space", "\n": "line break", '"': "quotation mark"}
    return named.get(character, f"\u201c{character}\u201d")


def _percent(share: float) -> str:
    """As ``GM.percent`` writes it, and below a half percent that it is less than one."""
    return f"{math.floor(100 * share + 0.5)}\u00a0%" if share >= 0.005 else "<\u00a01\u00a0%"


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def depends_data(passages: list[dict]) -> dict:
    """All that ``<gm-depends>`` needs. Raises ValueError for a passage that it cannot show."""
    for passage in passages:
        text, at = passage["text"], passage["at"]
        if not 1 <= at < len(text) <= LONGEST or set(text) - set(alphabet()):
            raise ValueError(f"{passage['title']!r}: {len(text)} characters, pointed at {at}")
    nets = {
        family: {NETS[part]: q for part, q in recorded()[family]["arrays"].items()}
        for family in FAMILIES
    }
    return {"alphabet": alphabet(), "longest": LONGEST, "nets": nets, "passages": passages}


def read_passage(text: str, at: int) -> dict[str, dict]:
    """By family: ``norms`` (at,), ``probabilities`` (V,) and ``half``, all float64, from the shipped weights."""
    found = {}
    for family in FAMILIES:
        norms, probabilities = sensitivity(net_of(recorded()[family]), text, at)
        found[family] = {
            "norms": norms, "probabilities": probabilities, "half": within(norms)
        }  # fmt: skip
    return found


def _sample(family: str) -> str:
    return f'<svg aria-hidden="true"><line x2="30" y1="4" y2="4" stroke="var(--c)" stroke-width="2" stroke-dasharray="{DASH[family]}"/></svg>'


def _net(family: str, read: dict, text: str, at: int) -> str:
    norms, probabilities = read["norms"], read["probabilities"]
    first = np.argsort(-probabilities, kind="stable")[:3]
    guesses = ", ".join(
        f"{escape(_named(alphabet()[k]))} {escape(_percent(probabilities[k]))}" for k in first
    )
    here = probabilities[alphabet().index(text[at])]
    values = [*(norms / (norms.max() or 1)), *[0.0] * (len(text) - at)]
    cells = "".join(
        f'<i style="--v:{_number(value)}"{" class=at" if k == at else ""}>{escape(_shown(character))}</i>'
        for k, (character, value) in enumerate(zip(text, values, strict=True))
    )
    return (
        f'<div class="net" style="--c:{css(family)}"><div class="who"><b>{NAMES[family]}</b>{_sample(family)}'
        f"<span>{escape(_named(text[at]))} has {escape(_percent(here))}</span><span>first guesses: {guesses}</span></div>"
        f'<div class="text">{cells}</div></div>'
    )


def _line(norms: np.ndarray, family: str, half: int) -> str:
    """The share of the sum that lies on each lag, on a logarithmic scale, and a dot where half is reached."""
    shares = norms[::-1] / (norms.sum() or 1)
    # What lies below the foot is cut off by the frame.
    y = [-PLOT * math.log10(max(share, 1e-99)) / DECADES for share in shares]
    points = " ".join(f"{k + 0.5:g},{_number(value)}" for k, value in enumerate(y))
    dot = (
        f'<circle cx="{_number(100 * (half - 0.5) / (LONGEST - 1))}%" cy="{_number(y[half - 1])}" r="5" '
        f'fill="{css(family)}" stroke="{css("paper")}" stroke-width="1.5"/>'
        if half
        else ""
    )
    return (
        f'<svg width="100%" height="{PLOT}" viewBox="0 0 {LONGEST - 1} {PLOT}" preserveAspectRatio="none">'
        f'<polyline points="{points}" fill="none" stroke="{css(family)}" stroke-width="2" '
        f'stroke-dasharray="{DASH[family]}" vector-effect="non-scaling-stroke"/></svg>{dot}'
    )


def _lags(found: dict[str, dict]) -> str:
    rows = "".join(
        f'<line x2="100%" y1="{y:g}" y2="{y:g}" stroke="{css("line")}"/>'
        f'<text x="100%" y="{y - 4:g}" text-anchor="end">{label}</text>'
        for y, label in ((0, "100 %"), (50, "1 %"), (100, "0.01 %"), (150, "0.0001 %"))
    )
    last = LONGEST - 1
    columns = (
        "".join(
            f'<text x="{_number(100 * (lag - 0.5) / last)}%" y="{PLOT + 16}" text-anchor="middle">{lag}</text>'
            for lag in (1, 8, 16, 24, 32, 40, 48, 56)
        )
        + f'<text x="100%" y="{PLOT + 16}" text-anchor="end">{last}</text>'
    )
    lines = "".join(_line(read["norms"], family, read["half"]) for family, read in found.items())
    return (
        '<svg class="lags" aria-hidden="true"><svg y="22" overflow="visible">'
        f"{rows}{columns}{lines}"
        f'<text y="-6">share of the sum</text><text y="{PLOT + 34}">characters back</text></svg></svg>'
    )


def half_sentence(found: dict[str, dict]) -> str:
    """Where half of the sensitivity lies, in words, as the element says it."""
    first, *others = (f"for the {NAMES[family]}" for family in found)
    counts = [read["half"] for read in found.values()]
    more = [f"{count} {who}" for count, who in zip(counts[1:], others, strict=True)]
    noun = "character" if counts[0] == 1 else "characters"
    return f"Half of the sensitivity lies on the last {counts[0]} {noun} {first}, {' and '.join(more)}."


def depends_figure(data: dict, number: int = 0) -> str:
    """The figure around one passage, ``number`` in the data, as HTML.

    The page that shows it loads gm-elements.js and gm-depends.js.
    """
    passage = data["passages"][number]
    text, at = passage["text"], passage["at"]
    found = read_passage(text, at)
    most = "; ".join(
        f"{NAMES[family]}: " + ", ".join(
            f"{_named(text[k])} {at - k} back" for k in np.argsort(-read["norms"])[:3])
        for family, read in found.items()
    )  # fmt: skip
    alt = (
        f"Character {at + 1} of \u201c{text}\u201d, {_named(text[at])}, predicted by three nets. {half_sentence(found)} "
        f"The largest gradients: {most}."
    )
    nets = "".join(_net(family, read, text, at) for family, read in found.items())
    caption = (
        "Bar and shade of a character: the norm of the gradient of one log probability, that of the character in full color, with "
        "respect to the vector that the net reads there; the largest of each net is full. Below: each character’s share of the sum, by how far back it "
        "stands; the dot marks the lag within which half of the sum lies."
    )
    # A "</script>" inside a text must not end the data.
    inside = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<figure class="gm-figure"><style>{FIGURE_CSS}{STYLE}</style>'
        f'<gm-depends passage="{number}"><script type="application/json">{inside}</script>'
        f'<div class="drawn" role="img" aria-label="{escape(alt)}">{nets}{_lags(found)}</div></gm-depends>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
