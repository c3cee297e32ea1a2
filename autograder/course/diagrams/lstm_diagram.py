"""The LSTM cell as a hand-drawn SVG, in the language of the GRU's (see cell_diagram).

Two rails: the cell state above, the hidden state below. Two wires enter every box from below,
the hidden state on the left and the input on the right, in the order of the concatenation
``[h, x]``. Boxes have weights; the pill has none. Nothing here imports Matplotlib.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .cell_diagram import Pen, css, describe, framed

LSTM_PARTS = ("f", "i", "candidate", "cell", "o", "state")

_NAMES = {
    "f": "forget gate",
    "i": "input gate",
    "candidate": "candidate cell",
    "cell": "new cell state",
    "o": "output gate",
    "state": "new hidden state",
}
_DASHES = {"i": "6 3.5", "o": "2 3.2"}


@dataclass(frozen=True)
class _Layout:
    """Where things stand, in user units."""

    width: int
    height: int
    frame: tuple[int, int, int, int]  # left, top, right, bottom
    rail: int  # y of the cell state's rail
    split: int  # y where i meets the candidate
    pill: int  # y of the tanh without weights
    pill_size: tuple[int, int]
    box: int  # y of the boxes' centers
    box_size: tuple[int, int]
    bus_h: int  # y of the hidden state, which is its rail
    bus_x: int
    entry: int  # x where the input enters
    f: int
    i: int
    candidate: int
    o: int
    out: int  # x of the way down from the cell state to the hidden state
    pair: int  # half the distance between the two wires under a box
    node: int  # radius of a node
    font: int
    stroke: float
    labels: bool  # label every wire, or the cell's ends only


_FULL = _Layout(
    width=560, height=344, frame=(63, 18, 503, 304), rail=60, split=118, pill=122,
    pill_size=(50, 30), box=196, box_size=(62, 42), bus_h=256, bus_x=279, entry=87, f=135,
    i=216, candidate=299, o=384, out=464, pair=15, node=11, font=20, stroke=1.8, labels=True,
)  # fmt: skip
_COMPACT = _Layout(
    width=300, height=196, frame=(30, 8, 272, 166), rail=30, split=66, pill=66,
    pill_size=(34, 19), box=109, box_size=(39, 28), bus_h=139, bus_x=153, entry=44, f=70,
    i=116, candidate=162, o=208, out=248, pair=8, node=8, font=16, stroke=1.7, labels=False,
)  # fmt: skip


class _Pen(Pen):
    colors = {
        "input": "lstm",
        "f": "forget",
        "i": "input",
        "candidate": "candidate",
        "cell": "lstm",
        "o": "output",
        "state": "lstm",
    }

    def pill(self, x: float, y: float, label: str) -> None:
        """A function without weights."""
        w, h = self.at.pill_size
        from_css = f'fill="{css("panel")}" stroke="{self.color}" stroke-width="{self.width:g}"'
        self.out.append(
            f'<rect x="{x - w / 2:g}" y="{y - h / 2:g}" width="{w}" height="{h}" '
            f'rx="{h / 2:g}" {from_css}/>'
        )
        self.text(x, y + self.at.font * 0.23, label, upright=True, size=0.8)


def lstm_cell(
    show: Iterable[str] = LSTM_PARTS,
    highlight: str | None = None,
    *,
    ghost: bool = True,
    compact: bool = False,
    title: str | None = None,
) -> str:
    """Inline SVG of the LSTM cell, drawn up to the named parts.

    ``show`` names the parts to draw, of "f", "i", "candidate", "cell", "o", "state"; parts left
    out are ghosted, or absent with ``ghost=False``. ``highlight`` marks one part and mutes the
    others. ``compact`` is the small drawing of a verdict, made for a width of about 220 pixels.
    ``title`` is the text alternative; by default it names the parts drawn.
    """
    shown = set(show)
    if unknown := (shown | ({highlight} if highlight else set())) - set(LSTM_PARTS):
        raise ValueError(
            f"the parts of the cell are {', '.join(LSTM_PARTS)}; not {', '.join(sorted(unknown))}"
        )
    at = _COMPACT if compact else _FULL
    pen = _Pen(at, shown, highlight, ghost, {})
    full = at.labels
    f = at.font
    left, top, right, bottom = at.frame
    w, h = at.box_size
    under, over = at.box + h / 2, at.box - h / 2
    radius = 9 if full else 6
    start, start_x = left - (18 if full else 12), bottom + (14 if full else 8)
    out_at = right + (18 if full else 14)

    pen.out.append(
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" '
        f'rx="{radius * 1.6:g}" fill="{css("panel")}" stroke="{css("line")}" stroke-width="1"/>'
    )

    # What is always there: the cell state on its rail, and the hidden state and the input as far
    # as the parts drawn read them; ghosts carry them on.
    readers = {"f": at.f, "i": at.i, "candidate": at.candidate, "o": at.o}
    up = f"q{radius} 0 {radius} {-radius}V{under + 3:g}"
    pen.begin("input")
    own = pen.color

    def wires(parts: Iterable[str]) -> None:
        read = [part for part in readers if part in parts]
        x = max((readers[part] for part in read), default=at.entry + radius)
        turn = radius if "o" in read else 0
        pen.wire(f"M{start} {at.bus_h}H{x - (at.pair if read else 0) - turn}")
        pen.wire(
            f"M{at.entry} {start_x}V{at.bus_x + radius}q0 {-radius} {radius} {-radius}"
            f"H{x + (at.pair if read else 0) - turn}"
        )

    if ghost:
        pen.color = css("line")
        wires(LSTM_PARTS)
        pen.color = own
    wires(shown)
    pen.wire(f"M{start} {at.rail}H{out_at - 3}")
    pen.head(out_at, at.rail, "right")
    pen.end()

    def taps(x: int) -> None:
        """The two wires of a box: hidden left, input right."""
        last = x == at.o
        pen.wire(
            f"M{x - at.pair - radius} {at.bus_h}{up}"
            if last
            else f"M{x - at.pair} {at.bus_h}V{under + 3:g}"
        )
        pen.head(x - at.pair, under, "up")
        if last:
            pen.wire(f"M{x + at.pair - radius} {at.bus_x}{up}")
        else:
            pen.wire(f"M{x + at.pair} {at.bus_x}V{under + 3:g}", bridge=True)
            pen.dot(x - at.pair, at.bus_h)
            pen.dot(x + at.pair, at.bus_x)
        pen.head(x + at.pair, under, "up")

    label_y = at.split + 38

    if pen.begin("f"):
        taps(at.f)
        pen.wire(f"M{at.f} {over:g}V{at.rail + at.node + 3}")
        pen.head(at.f, at.rail + at.node, "up")
        pen.box(at.f, "σ")
        pen.node(at.f, at.rail, "times")
        if full:
            pen.text(at.f - 11, label_y, "f_t", anchor="end")
        pen.end()

    if pen.begin("i"):
        taps(at.i)
        into = at.candidate - at.node
        pen.wire(
            f"M{at.i} {over:g}V{at.split + radius}q0 {-radius} {radius} {-radius}H{into - 3}",
            dashed=_DASHES["i"],
        )
        pen.head(into, at.split, "right")
        pen.box(at.i, "σ", dashed=_DASHES["i"])
        if full:
            pen.text(at.i - 11, label_y, "i_t", anchor="end")
        pen.end()

    if pen.begin("candidate"):
        taps(at.candidate)
        pen.wire(f"M{at.candidate} {over:g}V{at.split + at.node + 3}")
        pen.head(at.candidate, at.split + at.node, "up")
        pen.box(at.candidate, "tanh")
        if full:
            pen.text(at.candidate + 11, label_y, "c_t", anchor="start")
            pen.tilde(at.candidate + 11, label_y + f * 0.22)
        pen.end()

    if pen.begin("cell"):
        x = at.candidate
        pen.wire(f"M{x} {at.split - at.node}V{at.rail + at.node + 3}")
        pen.head(x, at.rail + at.node, "up")
        if "cell" in shown:
            pen.wire(f"M{at.f + at.node} {at.rail}H{x - at.node - 3}")
            pen.head(x - at.node, at.rail, "right")
            pen.wire(f"M{x + at.node} {at.rail}H{out_at - 3}")
            pen.head(out_at, at.rail, "right")
        pen.node(x, at.split, "times")
        pen.node(x, at.rail, "plus")
        if full:
            pen.text((at.f + x) / 2, at.rail - 9, "f_t * c_t−1", size=0.8)
        pen.end()

    if pen.begin("o"):
        taps(at.o)
        pen.wire(f"M{at.o + w / 2:g} {at.box}H{at.out - at.node - 3}", dashed=_DASHES["o"])
        pen.head(at.out - at.node, at.box, "right")
        pen.box(at.o, "σ", dashed=_DASHES["o"])
        if full:
            pen.text((at.o + w / 2 + at.out - at.node) / 2 - 1, at.box - 13, "o_t")
        pen.end()

    if pen.begin("state"):
        x = at.out
        half = at.pill_size[1] / 2
        pen.wire(f"M{x} {at.rail}V{at.pill - half:g}")
        pen.wire(f"M{x} {at.pill + half:g}V{at.box - at.node - 3}")
        pen.head(x, at.box - at.node, "down")
        pen.wire(
            f"M{x} {at.box + at.node}V{at.bus_h - radius}q0 {radius} {radius} {radius}H{out_at - 3}"
        )
        pen.head(out_at, at.bus_h, "right")
        pen.dot(x, at.rail)
        pen.pill(x, at.pill, "tanh")
        pen.node(x, at.box, "times")
        pen.end()

    # The cell's ends are named last, over everything.
    pen.begin("input")
    faded = css("line") if "state" not in shown else None
    if full:
        pen.text(start - 3, at.rail + f * 0.3, "c_t−1", anchor="end")
        pen.text(out_at + 5, at.rail + f * 0.3, "c_t", anchor="start")
        pen.text(start - 3, at.bus_h + f * 0.3, "h_t−1", anchor="end")
        pen.text(at.entry, at.height - 8, "x_t")
        end = (out_at + 5, at.bus_h + f * 0.3, "start")
    else:
        pen.text(1, at.rail - 10, "c_t−1", anchor="start")
        pen.text(at.width - 2, at.rail - 10, "c_t", anchor="end")
        pen.text(1, at.bus_h - 9, "h_t−1", anchor="start")
        pen.text(at.entry, at.height - 7, "x_t")
        end = (at.width - 2, at.bus_h - 9, "end")
    if faded is None or ghost:
        pen.hidden, pen.color = faded is not None, faded or pen.color
        pen.text(end[0], end[1], "h_t", anchor=end[2])
    pen.end()

    drawn = [_NAMES[part] for part in LSTM_PARTS if part in shown]
    marked = _NAMES[highlight] if highlight else None
    text = title or describe(
        "LSTM cell", drawn, marked, "LSTM cell: the cell state passes through unchanged"
    )
    return framed(pen, at.width, at.height, 560 if full else 260, text)
