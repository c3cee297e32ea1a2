"""The figure that listens: a net hears a stream frame by frame for as long as a reader holds a key.

A page of the book shows it with two cells, one of code and one of raw HTML::

    display(HTML(live_listen.listen(listen_data.listen_data(**listen_data.recorded()))))

    ```{raw} html
    <script src="../../_static/gm-elements.js" defer></script>
    <script src="../../_static/gm-ears.js" defer></script>
    <script src="../../_static/gm-listen.js" defer></script>
    ```

It is ``<gm-listen>`` around its data and, without JavaScript, a drawing of the first six seconds. The page
has to credit the voice that is played: Allison Smith, the ten digits of the Asterisk core sounds,
CC BY-SA 3.0. It may say what to do: let go and hold again, carry the state with the net that was trained on
single words, move the threshold and watch alarms and wait, listen to the other voice, try a microphone.

The data, a dict (arrays of `quantized.quantize` are marked Q):

- ``nets``: for "listener" (trained on streams) and "clips" (on single words) the arrays of ``live``, Q of
  weight_ih (3H, 13), weight_hh (3H, H), bias_ih, bias_hh (3H,), readout_weight (11, H), readout_bias (11,);
  class 10 is "nothing";
- ``mean`` and ``spread``, 13 numbers each, which standardize the frames of a sound;
- ``stream``: ``frames``, Q (13, T), standardized, a row for each coefficient, of a voice that neither net
  has heard, and ``spans``: [first frame, frame after the last, digit] of each word;
- ``sound``: the ten digits of another voice, see `listen_data.sound`;
- ``threshold``, at which the slider stands at first;
- ``found`` and ``alarms``, for each of six voices: percent of the words, and false alarms an hour.
"""

import math
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .live import (  # fmt: skip
    _across,
    _arrays,
    _drawing,
    _figure,
    _fill,
    _number,
    _pen,
    _percent,
    _px,
    _tag,
    _text,
    gru_step,
)
from .quantized import dequantize
from .readings import DIGITS, LATE, Heard, held_against, per_hour, reports
from .sound import HOP, PER_SECOND, Listener

SHOWN = 240  # frames in the drawing
DARKEST = 0.8
# From the top and how tall, in pixels, as in gm-listen.js.
COUNTS = 76
SAID, SOUND, GATES, STATE, SCORE, HEARD = (
    (18, 20),
    (63, 65),
    (153, 44),
    (222, 96),
    (343, 108),
    (476, 24),
)
HEIGHT = 518


@dataclass(frozen=True)
class Listened:
    """What a net does along a stream: gates r and z and the state h, each (T, H); probabilities (T, classes)."""

    r: np.ndarray
    z: np.ndarray
    h: np.ndarray
    probabilities: np.ndarray


def run(packed: dict, xs: np.ndarray, cuts: Sequence[int] = ()) -> Listened:
    """A net over standardized frames xs (T, 13), as ``GMListen.run``; its state begins anew at the frames ``cuts``."""
    net, zero = _arrays(packed), np.zeros(packed["weight_hh"]["shape"][1])
    h, steps = zero, []
    for t, x in enumerate(np.asarray(xs, float)):
        step = gru_step(net, x, zero if t in cuts else h)
        h = step["h"]
        steps.append(step)
    r, z, h = (np.array([step[name] for step in steps]) for name in "rzh")
    logits = h @ net["readout_weight"].T + net["readout_bias"]
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return Listened(r, z, h, shares / shares.sum(1, keepdims=True))


def frames(data: dict) -> np.ndarray:
    """The frames of the stream, (T, 13) float64."""
    return dequantize(data["stream"]["frames"]).astype(float).T


def spoken(data: dict) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """The other voice: standardized frames (T, 13) as a `Listener` hears them, and its words, as in a stream."""
    sound = data["sound"]
    waves = np.frombuffer(b64decode(sound["samples"]), "<i2") / 32768
    pieces, spans, at = [], [], 0
    for digit, wave in enumerate(np.split(waves, np.cumsum(sound["lengths"])[:-1])):
        spans.append((at // HOP, -(-(at + len(wave)) // HOP), digit))
        pieces += [wave, np.zeros(sound["pause"])]
        at += len(wave) + sound["pause"]
    raw = Listener().hear(np.concatenate(pieces))
    return (raw - data["mean"]) / data["spread"], spans


@dataclass(frozen=True)
class Excerpt:
    """The stream of the data, heard by the listener with the state carried, at the threshold of the data."""

    data: dict

    @cached_property
    def xs(self) -> np.ndarray:
        """Its frames, (T, 13)."""
        return frames(self.data)

    @cached_property
    def spans(self) -> list[tuple[int, int, int]]:
        """Its words: first frame, frame after the last, digit."""
        return [(first, end, digit) for first, end, digit in self.data["stream"]["spans"]]

    @cached_property
    def heard(self) -> Listened:
        """What the net does."""
        return run(self.data["nets"]["listener"], self.xs)

    @cached_property
    def best(self) -> np.ndarray:
        """The probability of the likeliest digit, (T,)."""
        return self.heard.probabilities[:, :DIGITS].max(1)

    @cached_property
    def reports(self) -> list[tuple[int, int]]:
        """What it reports: frame and digit."""
        return reports(self.heard.probabilities, self.data["threshold"])

    @cached_property
    def held(self) -> Heard:
        """Its reports against what was said."""
        return held_against(self.reports, self.spans)

    def right(self, number: int) -> bool:
        """Whether a report is right, by its number."""
        one_more, before = (held_against(self.reports[:count], self.spans).late for count in (number + 1, number))  # fmt: skip
        return len(one_more) > len(before)

    def look(self, span: tuple[int, int, int]) -> str:
        """How a word stands when the drawing ends: "found", "missed" or, if a report may still come, "said"."""
        if not held_against([r for r in self.reports if r[0] < SHOWN], [span]).missed:
            return "found"
        missed = held_against(self.reports, [span]).missed and span[1] + LATE <= SHOWN
        return "missed" if missed else "said"


def png(values: np.ndarray) -> str:
    """A picture of numbers from 0 to 1, (rows, columns), in 8 bits of gray, as a data URL."""
    pixels = np.floor(255 * np.clip(values, 0, 1) + 0.5).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)
    parts = (b"IHDR" + head, b"IDAT" + zlib.compress(rows, 9), b"IEND")
    chunks = (
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in parts
    )
    file = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    return f"data:image/png;base64,{b64encode(file).decode()}"


def shades(values: np.ndarray, largest: float) -> np.ndarray:
    """How dark the cells of numbers from -largest to largest are: 0 to 0.8, the larger, the darker."""
    return DARKEST * np.clip(0.5 + values / largest / 2, 0, 1)


def _heat(name: str, place: tuple[int, int], values: np.ndarray, color: str) -> str:
    """A cell of a color for each of the shades (rows, columns)."""
    y, height = place
    size = {"y": y, "width": "100%", "height": height}
    image = _tag("image", href=png(values), preserveAspectRatio="none", style="image-rendering:pixelated", **size)  # fmt: skip
    mask = _tag("mask", image, id=f"gm-listen-{name}", maskUnits="userSpaceOnUse", x=0, **size)  # fmt: skip
    return mask + _tag("rect", mask=f"url(#gm-listen-{name})", **size, **_fill(color))


def _at(frame: float) -> float:
    return 100 * frame / SHOWN


def _block(place: tuple[int, int], first: int, end: int, **look) -> str:
    y, height = place
    return _tag("rect", x=_px(_at(first)), y=y, width=_px(_at(end - first)), height=height, **look)


def _curves(place: tuple[int, int], *lines: tuple[np.ndarray, dict]) -> str:
    y, height = place
    drawn = (
        _tag("polyline", fill="none", vector_effect="non-scaling-stroke", **pen,
             points=" ".join(f"{k + 0.5},{_number(height * (1 - value))}" for k, value in enumerate(values)))
        for values, pen in lines
    )  # fmt: skip
    return _tag("svg", *drawn, y=y, width="100%", height=height, viewBox=f"0 0 {SHOWN} {height}", preserveAspectRatio="none")  # fmt: skip


def _words(excerpt: Excerpt) -> str:
    looks = {"said": _fill("line", 0.5), "found": _fill("gru", 0.25), "missed": {"fill": "none"} | _pen("forget", 1.5, "3 2")}  # fmt: skip
    out = []
    for span in excerpt.spans:
        first, end, digit = span[0], min(span[1], SHOWN), span[2]
        if first < SHOWN:
            out.append(_block(SAID, first, end, rx=3, **looks[excerpt.look(span)]))
            if end == span[1]:
                out.append(_text(_px(_at((first + end) / 2)), SAID[0] + 14.5, str(digit), text_anchor="middle"))  # fmt: skip
    return "".join(out)


def _reports(excerpt: Excerpt) -> str:
    out = []
    for number, (frame, digit) in enumerate(excerpt.reports):
        if frame >= SHOWN:
            break
        if excerpt.right(number):
            mark = _tag("circle", r=8.5, **_fill("gru")) + _text(0, 4, str(digit), "paper", text_anchor="middle")  # fmt: skip
        else:
            mark = _tag("path", d="M-5-5l10 10m0-10l-10 10", **_pen("forget", 2)) + _text(8, 4, str(digit))  # fmt: skip
        out.append(_tag("svg", mark, x=_px(_at(frame + 0.5)), y=HEARD[0] + HEARD[1] / 2, overflow="visible"))  # fmt: skip
    return "".join(out)


def _labels(excerpt: Excerpt) -> str:
    digits = excerpt.heard.probabilities[SHOWN - 1, :DIGITS]
    names = {
        SAID: "Said (dashed: missed)", SOUND: "Sound: 13 coefficients a frame", GATES: "Gates:", STATE: "State: 32 units",
        SCORE: f"Likeliest digit (dashed: threshold {excerpt.data['threshold']:.2f})", HEARD: "Reported (crossed: false alarm)",
    }  # fmt: skip
    return "".join(
        [
            *(_text(0, y - 6, name) for (y, _), name in names.items()),
            _text(38, GATES[0] - 6, "taken in (1\u00a0−\u00a0z)", "update"),
            _text(124, GATES[0] - 6, "reset open (r)", "reset"),
            _text("100%", SCORE[0] - 6, f"{digits.argmax()}: {_percent(digits.max())}", "gru", text_anchor="end"),
            *(_text(_px(_at(second * PER_SECOND)), HEIGHT - 3, f"{second}\u00a0s", "muted") for second in range(SHOWN // PER_SECOND)),
        ]
    )  # fmt: skip


def _score(excerpt: Excerpt) -> str:
    threshold = excerpt.data["threshold"]
    limit = SCORE[0] + SCORE[1] * (1 - threshold)
    dashes = _tag("line", x2="100%", y1=_number(limit), y2=_number(limit), **_pen("ink", 1, "5 3"))
    return _curves(SCORE, (excerpt.best[:SHOWN], _pen("gru", 2))) + dashes


def _whole(value: float) -> str:
    """A number without decimals; halves go away from zero, as in JavaScript."""
    return f"{math.copysign(math.floor(abs(value) + 0.5), value):,.0f}".replace("-", "−")


def _counts(excerpt: Excerpt) -> list[tuple[str, str, str]]:
    """What the numbers above the drawing say of the whole excerpt: a name, a value, and its unit."""
    held, length = excerpt.held, len(excerpt.xs)
    late = 1000 * float(np.median(held.late)) / PER_SECOND if held.late else None
    return [
        ("Words found", f"{len(excerpt.spans) - held.missed} of {len(excerpt.spans)}", f"in {length / PER_SECOND:.1f}\u00a0s"),
        ("False alarms", str(held.alarms), f"{_whole(per_hour(held.alarms, length))} an hour"),
        ("Median wait", "–" if late is None else f"{_whole(late)}\u00a0ms", "from a word’s end"),
    ]  # fmt: skip


def listen(data: dict) -> str:
    """The figure in which a net listens while a key is held, as HTML: ``<gm-listen>`` around six seconds.

    ``data``: see above, T at least 240 frames. Without JavaScript these seconds are all that stands there.
    The page that shows it loads gm-elements.js, gm-ears.js and gm-listen.js.
    """
    excerpt = Excerpt(data)
    heard, xs = excerpt.heard, excerpt.xs[:SHOWN]
    counts = _counts(excerpt)
    shown = [span for span in excerpt.spans if span[0] < SHOWN]
    panels = (
        _block(place, first, min(end, SHOWN), **_fill("panel"))
        for first, end, _ in shown
        for place in (GATES, SCORE)
    )
    gates = (
        (1 - heard.z[:SHOWN].mean(1), _pen("update", 1.5)),
        (heard.r[:SHOWN].mean(1), _pen("reset", 1.5, "4 2")),
    )
    drawn = "".join(
        [
            *panels, _labels(excerpt),
            *(_across(edge) for y, height in (GATES, SCORE) for edge in (y, y + height)),
            _heat("sound", SOUND, shades(xs.T, 3), "ink"),
            _heat("state", STATE, shades(heard.h[:SHOWN].T, 1), "gru"),
            _words(excerpt), _curves(GATES, *gates), _score(excerpt), _reports(excerpt),
        ]
    )  # fmt: skip
    numbers = "".join(
        _text(x, 14, name, "muted", 13) + _text(x, 40, value, "ink", 22, font_weight=600) + _text(x, 58, unit, "muted", 12)
        for x, (name, value, unit) in zip(("0%", "34%", "64%"), counts, strict=True)
    )  # fmt: skip
    said = ", ".join(f"{digit} {excerpt.look((first, end, digit))}" for first, end, digit in shown)
    text = (
        f"Six seconds of a voice that the net has never heard. Said: {said}. Reported: "
        + (", ".join(f"{digit} after {frame / PER_SECOND:.1f} s, {'right' if excerpt.right(k) else 'a false alarm'}"
                     for k, (frame, digit) in enumerate(excerpt.reports) if frame < SHOWN) or "nothing")
        + ". Of the whole excerpt: " + "; ".join(f"{name.lower()} {value}, {unit}" for name, value, unit in counts) + "."
    )  # fmt: skip
    svg = _drawing(
        numbers + f'<g transform="translate(0 {COUNTS})">{drawn}</g>',
        "A net listens to spoken digits", text, COUNTS + HEIGHT,
    )  # fmt: skip
    caption = (
        "Time runs to the right, 40 frames a second. From the top: the words as they were said; the frames that the net gets; how much of "
        "the candidate it takes in (1 − <i>z</i> in PyTorch’s convention) and how far its reset gate is open, means over the units; "
        f"its state, from −1 (faint) to 1 (strong); its answer, and what it reports. "
        "The numbers above are of the whole excerpt; in one so short, a single false alarm is "
        f"{per_hour(1, len(excerpt.xs)):,.0f} an hour."
    )
    return _figure("gm-listen", {}, data, svg, caption)
