"""The vanilla RNN's cell as a hand-drawn SVG, in the language of the GRU's (see cell_diagram)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .cell_diagram import CellDiagram
from .pen import Layout, Pen

RNN_PARTS = ("read", "recall", "state")


@dataclass(frozen=True, kw_only=True)
class _Layout(Layout):
    column: int  # x of the box


_FULL = _Layout(
    width=430, height=300, limit=430, frame=(62, 18, 368, 256), rail=62, entry=112, column=248, box=142,
    box_size=(84, 46), bus_h=204, bus_x=230, pair=19, node=11, font=20, stroke=1.8, full=True,
)  # fmt: skip
_COMPACT = _Layout(
    width=240, height=174, limit=210, frame=(36, 8, 204, 144), rail=32, entry=62, column=140, box=80,
    box_size=(52, 32), bus_h=114, bus_x=128, pair=11, node=8, font=17, stroke=1.7, full=False,
)  # fmt: skip


def _recall(pen: Pen, at: _Layout) -> None:
    """The old state's way into the box."""
    x, r = at.column - at.pair, at.radius
    across = f"M{at.enter} {at.rail}H{at.entry - r}{at.turn('right', 'down')}"
    down = f"V{at.bus_h - r}{at.turn('down', 'right')}"
    pen.into_box(f"{across}{down}H{x - r}{at.turn('right', 'up')}", x)


def _read(pen: Pen, at: _Layout) -> None:
    """The input's way into the box, and the box."""
    x = at.column + at.pair
    pen.into_box(at.input_to(x - at.radius) + at.turn("right", "up"), x, bridge=at.full)
    pen.box(at.column, "tanh")


def _new_state(pen: Pen, at: _Layout) -> None:
    way = f"M{at.column} {at.over:g}V{at.rail + at.radius}{at.turn('up', 'right')}"
    pen.arrow(way, at.leave, at.rail, "right")


def _ends(pen: Pen, at: _Layout) -> None:
    pen.ends_of_one_state(h=(at.leave + 2, "start"))


_CELL = CellDiagram(
    name="Vanilla RNN cell",
    empty="Vanilla RNN cell, empty",
    parts={"read": "input", "recall": "old state", "state": "new state"},
    colors=dict.fromkeys(("input", *RNN_PARTS), "rnn"),
    full=_FULL,
    compact=_COMPACT,
    strokes=(
        ("recall", _recall),
        ("read", _read),
        ("state", _new_state),
        ("input", _ends),  # over everything else
    ),
)


def rnn_cell(
    show: Iterable[str] = RNN_PARTS,
    highlight: str | None = None,
    *,
    ghost: bool = True,
    compact: bool = False,
    title: str | None = None,
    values: Mapping[str, float] | None = None,
) -> str:
    """Inline SVG of the vanilla RNN's cell, drawn up to the named parts.

    ``show`` names the parts to draw, of "read" (the input's wire and the box), "recall" (the old
    state's wire into the box) and "state" (the new state's way out); parts left out are ghosted,
    or absent with ``ghost=False``. ``highlight`` marks one part and mutes the others. ``compact``
    is a drawing for a width of about 200 pixels. ``title`` is the text alternative; by default
    it names the parts drawn. ``values`` writes numbers into the full drawing, by the names "x",
    "h_prev" and "h". Raises ValueError for an unknown part.
    """
    return _CELL.svg(show, highlight, ghost=ghost, compact=compact, title=title, values=values)
