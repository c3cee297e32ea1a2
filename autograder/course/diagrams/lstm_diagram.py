"""The LSTM cell as a hand-drawn SVG, in the language of the GRU's (see cell_diagram).

Two rails: the cell state above, the hidden state below. Boxes have weights; the pill has none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.course.figures.palette import css

from .cell_diagram import CellDiagram
from .pen import Layout, Pen

LSTM_PARTS = ("f", "i", "candidate", "cell", "o", "state")

_DASHES = {"i": "6 3.5", "o": "2 3.2"}


@dataclass(frozen=True, kw_only=True)
class _Layout(Layout):
    """The rail is the cell state's; the hidden state's is ``bus_h``."""

    split: int  # y where i meets the candidate
    pill: int  # y of the tanh without weights
    pill_size: tuple[int, int]
    f: int
    i: int
    candidate: int
    o: int
    out: int  # x of the way down from the cell state to the hidden state

    @property
    def label(self) -> int:
        """y of the gates' symbols."""
        return self.split + 38


_FULL = _Layout(
    width=560, height=344, limit=560, frame=(63, 18, 503, 304), rail=60, split=118, pill=122,
    pill_size=(50, 30), box=196, box_size=(62, 42), bus_h=256, bus_x=279, entry=87, f=135,
    i=216, candidate=299, o=384, out=464, pair=15, node=11, font=20, stroke=1.8, full=True,
)  # fmt: skip
_COMPACT = _Layout(
    width=300, height=196, limit=260, frame=(30, 8, 272, 166), rail=30, split=66, pill=66,
    pill_size=(34, 19), box=109, box_size=(39, 28), bus_h=139, bus_x=153, entry=44, f=70,
    i=116, candidate=162, o=208, out=248, pair=8, node=8, font=16, stroke=1.7, full=False,
)  # fmt: skip


def _always(pen: Pen, at: _Layout) -> None:
    """The cell state on its rail, and the wires under the boxes as far as parts drawn read them.

    Ghosts carry the wires on.
    """
    if pen.ghost:
        with pen.as_ghost():
            _wires_under_boxes(pen, at, LSTM_PARTS)
    _wires_under_boxes(pen, at, pen.shown)
    if pen.values:  # the rail is as thick as what is kept, from the forget gate on
        pen.wire(f"M{at.enter} {at.rail}H{at.f - at.node}")
    else:
        pen.arrow(f"M{at.enter} {at.rail}", at.leave, at.rail, "right")


def _wires_under_boxes(pen: Pen, at: _Layout, readers: Iterable[str]) -> None:
    """The hidden state's and the input's wire, as far as the parts in ``readers`` read them."""
    boxes = {"f": at.f, "i": at.i, "candidate": at.candidate, "o": at.o}
    read = [x for part, x in boxes.items() if part in readers]
    x = max(read, default=at.entry + at.radius)
    pair = at.pair if read else 0
    turn = at.radius if "o" in readers else 0
    pen.wire(f"M{at.enter} {at.bus_h}H{x - pair - turn}")
    pen.wire(at.input_to(x + pair - turn))


def _taps(pen: Pen, at: _Layout, x: int) -> None:
    """The two wires of a box, hidden left, input right, that branch off below it."""
    h_at, x_at = x - at.pair, x + at.pair
    pen.into_box(f"M{h_at} {at.bus_h}", h_at)
    pen.wire(f"M{x_at} {at.bus_x}V{at.under + 3:g}", bridge=True)
    pen.dot(h_at, at.bus_h)
    pen.dot(x_at, at.bus_x)
    pen.head(x_at, at.under, "up")


def _forget_gate(pen: Pen, at: _Layout) -> None:
    _taps(pen, at, at.f)
    pen.arrow(f"M{at.f} {at.over:g}", at.f, at.rail + at.node, "up")
    pen.box(at.f, "σ", name="f")
    pen.node(at.f, at.rail, "times")
    if at.full:
        pen.text(at.f - 11, at.label, "f_t", anchor="end")


def _input_gate(pen: Pen, at: _Layout) -> None:
    _taps(pen, at, at.i)
    way = f"M{at.i} {at.over:g}V{at.split + at.radius}{at.turn('up', 'right')}"
    pen.arrow(way, at.candidate - at.node, at.split, "right", dashed=_DASHES["i"])
    pen.box(at.i, "σ", dashed=_DASHES["i"], name="i")
    if at.full:
        pen.text(at.i - 11, at.label, "i_t", anchor="end")


def _candidate(pen: Pen, at: _Layout) -> None:
    x = at.candidate
    _taps(pen, at, x)
    pen.arrow(f"M{x} {at.over:g}", x, at.split + at.node, "up")
    pen.box(x, "tanh", name="candidate")
    if at.full:
        pen.text(x + 11, at.label, "c_t", anchor="start")
        pen.tilde(x + 11, at.label + at.font * 0.22)


def _new_cell_state(pen: Pen, at: _Layout) -> None:
    """The sum f * c + i * candidate, on the cell state's rail."""
    x, node = at.candidate, at.node
    pen.arrow(f"M{x} {at.split - node}", x, at.rail + node, "up", flow="i")
    if "cell" in pen.shown:
        pen.arrow(f"M{at.f + node} {at.rail}", x - node, at.rail, "right", flow="f")
        pen.arrow(f"M{x + node} {at.rail}", at.leave, at.rail, "right")
    pen.node(x, at.split, "times")
    pen.node(x, at.rail, "plus")
    if at.full and not pen.values:
        pen.text((at.f + x) / 2, at.rail - 9, "f_t * c_t−1", size=0.8)


def _output_gate(pen: Pen, at: _Layout) -> None:
    """The last box: both wires under it end here, in a turn up."""
    h_at, x_at, up = at.o - at.pair, at.o + at.pair, at.turn("right", "up")
    pen.into_box(f"M{h_at - at.radius} {at.bus_h}{up}", h_at)
    pen.into_box(f"M{x_at - at.radius} {at.bus_x}{up}", x_at)
    side, end = at.o + at.box_size[0] / 2, at.out - at.node
    pen.arrow(f"M{side:g} {at.box}", end, at.box, "right", dashed=_DASHES["o"])
    pen.box(at.o, "σ", dashed=_DASHES["o"], name="o")
    if at.full:
        pen.text((side + end) / 2 - 1, at.box - 13, "o_t")


def _new_hidden_state(pen: Pen, at: _Layout) -> None:
    """The product o * tanh(c), on the way down from one rail to the other."""
    x, half = at.out, at.pill_size[1] / 2
    pen.wire(f"M{x} {at.rail}V{at.pill - half:g}")
    pen.arrow(f"M{x} {at.pill + half:g}", x, at.box - at.node, "down")
    way = f"M{x} {at.box + at.node}V{at.bus_h - at.radius}{at.turn('down', 'right')}"
    pen.arrow(way, at.leave, at.bus_h, "right", flow="o")
    pen.dot(x, at.rail)
    _pill(pen, at, x, at.pill, "tanh")
    pen.node(x, at.box, "times")


def _pill(pen: Pen, at: _Layout, x: float, y: float, label: str) -> None:
    """A function without weights."""
    w, h = at.pill_size
    pen.out.append(
        f'<rect x="{x - w / 2:g}" y="{y - h / 2:g}" width="{w}" height="{h}" rx="{h / 2:g}" '
        f'fill="{css("panel")}" stroke="{pen.color}" stroke-width="{pen.width:g}"/>'
    )
    pen.text(x, y + at.font * 0.23, label, upright=True, size=0.8)


def _ends(pen: Pen, at: _Layout) -> None:
    """The names of what enters and leaves; the new hidden state's is a ghost until it is drawn."""
    if at.full:
        left, right, drop = at.enter - 3, at.leave + 5, at.font * 0.3
        pen.text(left, at.rail + drop, "c_t−1", anchor="end")
        pen.text(right, at.rail + drop, "c_t", anchor="start")
        pen.text(left, at.bus_h + drop, "h_t−1", anchor="end")
        pen.text(at.entry, at.height - 8, "x_t")
        pen.value("c_prev", at.enter, at.rail + 30, "end")
        pen.value("h_prev", at.enter, at.bus_h + 30, "end")
        pen.value("c", at.width - 2, at.rail + 30, "end")
        pen.value("h", at.width - 2, at.bus_h + 30, "end")
        pen.value("x", at.entry + 20, at.height - 8, "start")
        x, y, anchor = right, at.bus_h + drop, "start"
    else:
        pen.text(1, at.rail - 10, "c_t−1", anchor="start")
        pen.text(at.width - 2, at.rail - 10, "c_t", anchor="end")
        pen.text(1, at.bus_h - 9, "h_t−1", anchor="start")
        pen.text(at.entry, at.height - 7, "x_t")
        x, y, anchor = at.width - 2, at.bus_h - 9, "end"
    if "state" in pen.shown:
        pen.text(x, y, "h_t", anchor=anchor)
    elif pen.ghost:
        pen.hidden = True
        with pen.as_ghost():
            pen.text(x, y, "h_t", anchor=anchor)


_CELL = CellDiagram(
    name="LSTM cell",
    empty="LSTM cell: the cell state passes through unchanged",
    parts={
        "f": "forget gate",
        "i": "input gate",
        "candidate": "candidate cell",
        "cell": "new cell state",
        "o": "output gate",
        "state": "new hidden state",
    },
    colors={
        "input": "lstm",
        "f": "forget",
        "i": "input",
        "candidate": "candidate",
        "cell": "lstm",
        "o": "output",
        "state": "lstm",
    },
    full=_FULL,
    compact=_COMPACT,
    strokes=(
        ("input", _always),
        ("f", _forget_gate),
        ("i", _input_gate),
        ("candidate", _candidate),
        ("cell", _new_cell_state),
        ("o", _output_gate),
        ("state", _new_hidden_state),
        ("input", _ends),  # over everything else
    ),
)


def lstm_cell(
    show: Iterable[str] = LSTM_PARTS,
    highlight: str | None = None,
    *,
    ghost: bool = True,
    compact: bool = False,
    title: str | None = None,
    values: Mapping[str, float] | None = None,
) -> str:
    """Inline SVG of the LSTM cell, drawn up to the named parts.

    ``show`` names the parts to draw, of "f", "i", "candidate", "cell", "o", "state"; parts left
    out are ghosted, or absent with ``ghost=False``. ``highlight`` marks one part and mutes the
    others. ``compact`` is the small drawing of a verdict, made for a width of about 220 pixels.
    ``title`` is the text alternative; by default it names the parts drawn. ``values`` writes
    numbers into the full drawing, by the names "x", "h_prev", "c_prev", "f", "i", "candidate",
    "o", "c", "h", as in `gru_cell`. Raises ValueError for an unknown part.
    """
    return _CELL.svg(show, highlight, ghost=ghost, compact=compact, title=title, values=values)
