"""The GRU cell as a hand-drawn SVG (see cell_diagram)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.course.figures.palette import css

from .cell_diagram import CellDiagram
from .pen import Layout, Pen

GRU_PARTS = ("z", "r", "candidate", "state")


@dataclass(frozen=True, kw_only=True)
class _Layout(Layout):
    split: int  # y where z forks towards 1 - z
    z: int
    r: int
    reset: int  # x of the product r * h on the hidden wire
    candidate: int


FULL = _Layout(
    width=560, height=344, limit=560, frame=(62, 18, 498, 300), rail=62, split=122, box=196,
    box_size=(66, 42), bus_h=256, bus_x=278, entry=94, z=168, r=278, reset=338, candidate=446,
    pair=15, node=11, font=20, stroke=1.8, full=True,
)  # fmt: skip
_COMPACT = _Layout(
    width=300, height=196, limit=260, frame=(36, 8, 264, 166), rail=32, split=67, box=109,
    box_size=(44, 30), bus_h=139, bus_x=153, entry=52, z=94, r=157, reset=194, candidate=238,
    pair=9, node=8, font=17, stroke=1.7, full=False,
)  # fmt: skip


def _always(pen: Pen, at: _Layout) -> None:
    """The state on its rail, and the wires under the boxes as far as the parts drawn read them.

    Ghosts carry the wires on.
    """
    if pen.ghost:
        with pen.as_ghost():
            _wires_under_boxes(pen, at, GRU_PARTS)
    _wires_under_boxes(pen, at, pen.shown)
    if pen.shown & {"z", "r", "candidate"}:
        pen.dot(at.entry, at.rail)
    if "state" in pen.shown:
        pen.wire(f"M{at.enter} {at.rail}H{at.z - at.node}")
    else:
        pen.arrow(f"M{at.enter} {at.rail}", at.leave, at.rail, "right")


def _wires_under_boxes(pen: Pen, at: _Layout, readers: Iterable[str]) -> None:
    """The state's and the input's wire, as far as the parts in ``readers`` read them."""
    reach = {
        "z": (at.z - at.pair, at.z + at.pair),
        "r": (at.reset - at.node, at.r + at.pair),
        "candidate": (at.reset - at.node, at.candidate + at.pair - at.radius),
    }
    read = [ends for part, ends in reach.items() if part in readers]
    if read:
        h_end, x_end = map(max, zip(*read, strict=True))
        fall = f"M{at.entry} {at.rail}V{at.bus_h - at.radius}"
        pen.wire(f"{fall}{at.turn('down', 'right')}H{h_end}")
        pen.wire(at.input_to(x_end))


def _taps(pen: Pen, at: _Layout, x: int) -> None:
    """The two wires of a gate's box: hidden left, input right."""
    h_at, x_at = x - at.pair, x + at.pair
    pen.into_box(f"M{h_at} {at.bus_h}", h_at)
    pen.into_box(f"M{x_at} {at.bus_x}", x_at, bridge=True)
    pen.dot(h_at, at.bus_h)
    pen.dot(x_at, at.bus_x)


def _update_gate(pen: Pen, at: _Layout) -> None:
    _taps(pen, at, at.z)
    pen.wire(f"M{at.z} {at.over:g}V{at.split}")
    if "z" in pen.shown and "state" not in pen.shown:
        pen.head(at.z, at.split, "up")
    pen.box(at.z, "σ", name="z")
    if at.full:
        pen.text(at.z - 12, at.split + 34, "z_t", anchor="end")
    else:
        pen.text(at.z - 7, at.split + 19, "z", anchor="end")


def _reset_gate(pen: Pen, at: _Layout) -> None:
    _taps(pen, at, at.r)
    side = at.r + at.box_size[0] / 2
    way = f"M{side:g} {at.box}H{at.reset - at.radius}{at.turn('right', 'down')}"
    pen.arrow(way, at.reset, at.bus_h - at.node, "down", dashed=True)
    pen.box(at.r, "σ", dashed=True, name="r")
    pen.node(at.reset, at.bus_h, "times")
    if at.full:
        pen.text(at.reset + 10, at.box + 9, "r_t", anchor="start")
    else:
        pen.text(at.reset + 5, at.box - 4, "r", anchor="start")


def _candidate(pen: Pen, at: _Layout) -> None:
    x, start = at.candidate, at.reset + at.node
    h_at, x_at = x - at.pair, x + at.pair
    up = at.turn("right", "up")
    pen.into_box(f"M{start} {at.bus_h}H{h_at - at.radius}{up}", h_at, flow="r")
    pen.into_box(f"M{x_at - at.radius} {at.bus_x}{up}", x_at)
    end = at.split + at.node if "state" in pen.shown else at.split
    pen.arrow(f"M{x} {at.over:g}", x, end, "up")
    pen.box(x, "tanh", name="candidate")
    if at.full:
        pen.text(x + 12, at.split + 34, "h_t", anchor="start")
        pen.tilde(x + 13.5, at.split + 34)
        if not pen.values:
            pen.text((start + h_at) / 2, at.bus_h - 9, "r_t * h_t−1", size=0.8)
        with pen.when("after", hidden=True):
            _product_before_reset(pen, at)


def _product_before_reset(pen: Pen, at: _Layout) -> None:
    """The recurrent block of the candidate's weights as a box of its own, ahead of r."""
    x, half = at.reset - at.node - 15, 11
    pen.out.append(
        f'<rect x="{x - half}" y="{at.bus_h - half}" width="{2 * half}" height="{2 * half}" rx="4" '
        f'fill="{css("panel")}" stroke="{pen.color}" stroke-width="{pen.width:g}"/>'
    )
    pen.text(x, at.bus_h + 5.5, "W", size=0.8)


def _new_state(pen: Pen, at: _Layout) -> None:
    """The blend (1 - z) * h + z * candidate: the fork of z, two products and a sum."""
    x, node = at.candidate, at.node
    if "state" in pen.shown:
        pen.arrow(f"M{at.z + node} {at.rail}", x - node, at.rail, "right", flow="keep")
        pen.arrow(f"M{x + node} {at.rail}", at.leave, at.rail, "right")
    pen.arrow(f"M{at.z} {at.split}", at.z, at.rail + node, "up")
    pen.arrow(f"M{at.z} {at.split}", x - node, at.split, "right")
    pen.dot(at.z, at.split)
    pen.arrow(f"M{x} {at.split - node}", x, at.rail + node, "up", flow="take")
    pen.node(at.z, at.rail, "times")
    pen.node(x, at.split, "times")
    pen.node(x, at.rail, "plus")
    if at.full:
        for update, keep, take in (("replace", "1 − z_t", "z_t"), ("keep", "z_t", "1 − z_t")):
            with pen.when(update, hidden=update == "keep"):
                pen.text(at.z + 12, at.rail + 38, keep, anchor="start", size=0.9)
                pen.text((at.z + x) / 2, at.split - 9, take, size=0.9)


def _ends(pen: Pen, at: _Layout) -> None:
    pen.ends_of_one_state(h=(at.width - 2, "end"))


_CELL = CellDiagram(
    name="GRU cell",
    empty="GRU cell: the state passes through unchanged",
    parts={
        "z": "update gate",
        "r": "reset gate",
        "candidate": "candidate state",
        "state": "new state",
    },
    colors={
        "input": "gru",
        "z": "update",
        "r": "reset",
        "candidate": "candidate",
        "state": "gru",
    },
    full=FULL,
    compact=_COMPACT,
    strokes=(
        ("input", _always),
        ("z", _update_gate),
        ("r", _reset_gate),
        ("candidate", _candidate),
        ("state", _new_state),
        ("input", _ends),  # over everything else
    ),
)


def gru_cell(
    show: Iterable[str] = GRU_PARTS,
    highlight: str | None = None,
    *,
    ghost: bool = True,
    compact: bool = False,
    title: str | None = None,
    values: Mapping[str, float] | None = None,
    switches: bool = False,
) -> str:
    """Inline SVG of the GRU cell, house convention, drawn up to the named parts.

    ``show`` names the parts to draw, of "z", "r", "candidate", "state"; parts left out are
    ghosted, or absent with ``ghost=False``. ``highlight`` marks one part and mutes the others.
    ``compact`` is the small drawing of a verdict, made for a width of about 220 pixels.
    ``title`` is the text alternative; by default it names the parts drawn. ``values`` writes
    numbers into the full drawing, by the names "x", "h_prev", "z", "r", "candidate", "h"; they
    and the wires that the gates scale carry ``data-value`` and ``data-flow`` attributes, so that
    a page can change them. ``switches`` adds, hidden, what the other conventions draw: groups
    with ``data-when`` "replace" or "keep", "before" or "after". Raises ValueError for an unknown
    part.
    """
    return _CELL.svg(
        show, highlight, ghost=ghost, compact=compact, title=title, values=values,
        switches=switches,
    )  # fmt: skip
