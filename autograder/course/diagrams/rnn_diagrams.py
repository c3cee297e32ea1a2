"""The vanilla RNN's cell, and recurrent nets unrolled in time, as hand-drawn SVG.

The language is the GRU cell's: two wires enter the box from below, the hidden part on the left
and the input on the right. Nothing here imports Matplotlib.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.course.figures.palette import css

from .cell_diagram import Pen, describe, framed
from .convention_diagrams import Sheet

RNN_PARTS = ("read", "recall", "state")

_NAMES = {"read": "input", "recall": "old state", "state": "new state"}


@dataclass(frozen=True)
class _Layout:
    """Where things stand, in user units."""

    width: int
    height: int
    frame: tuple[int, int, int, int]  # left, top, right, bottom
    rail: int  # y at which the state enters and leaves
    entry: int  # x where the state turns down and the input enters
    column: int  # x of the box
    box: int  # y of the box's center
    box_size: tuple[int, int]
    bus_h: int
    bus_x: int
    pair: int  # half the distance between the two wires under the box
    node: int
    font: int
    stroke: float
    labels: bool  # label every wire, or the cell's ends only


_FULL = _Layout(
    width=430, height=300, frame=(62, 18, 368, 256), rail=62, entry=112, column=248, box=142,
    box_size=(84, 46), bus_h=204, bus_x=230, pair=19, node=11, font=20, stroke=1.8, labels=True,
)  # fmt: skip
_COMPACT = _Layout(
    width=240, height=174, frame=(36, 8, 204, 144), rail=32, entry=62, column=140, box=80,
    box_size=(52, 32), bus_h=114, bus_x=128, pair=11, node=8, font=17, stroke=1.7, labels=False,
)  # fmt: skip


class _RNNPen(Pen):
    colors = {"input": "rnn", "read": "rnn", "recall": "rnn", "state": "rnn"}


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
    "h_prev" and "h".
    """
    shown = set(show)
    if unknown := (shown | ({highlight} if highlight else set())) - set(RNN_PARTS):
        raise ValueError(
            f"the parts of the cell are {', '.join(RNN_PARTS)}; not {', '.join(sorted(unknown))}"
        )
    at = _COMPACT if compact else _FULL
    pen = _RNNPen(at, shown, highlight, ghost, {} if compact else values or {})
    full, f = at.labels, at.font
    left, top, right, bottom = at.frame
    under, over = at.box + at.box_size[1] / 2, at.box - at.box_size[1] / 2
    radius = 9 if full else 6
    start_h, start_x = left - (18 if full else 12), bottom + (14 if full else 8)
    out_at = right + (18 if full else 14)
    up = f"q{radius} 0 {radius} {-radius}V{under + 3:g}"

    pen.out.append(
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" '
        f'rx="{radius * 1.6:g}" fill="{css("panel")}" stroke="{css("line")}" stroke-width="1"/>'
    )

    if pen.begin("recall"):
        x = at.column - at.pair
        pen.wire(
            f"M{start_h} {at.rail}H{at.entry - radius}q{radius} 0 {radius} {radius}"
            f"V{at.bus_h - radius}q0 {radius} {radius} {radius}H{x - radius}{up}"
        )
        pen.head(x, under, "up")
        pen.end()

    if pen.begin("read"):
        x = at.column + at.pair
        pen.wire(
            f"M{at.entry} {start_x}V{at.bus_x + radius}q0 {-radius} {radius} {-radius}H{x - radius}{up}",
            bridge=full,
        )
        pen.head(x, under, "up")
        pen.box(at.column, "tanh")
        pen.end()

    if pen.begin("state"):
        pen.wire(
            f"M{at.column} {over:g}V{at.rail + radius}q0 {-radius} {radius} {-radius}H{out_at - 3}"
        )
        pen.head(out_at, at.rail, "right")
        pen.end()

    # The cell's ends are named last, over everything.
    pen.begin("input")
    if full:
        pen.text(left - 22, at.rail + f * 0.3, "h_t−1", anchor="end")
        pen.text(out_at + 5, at.rail + f * 0.3, "h_t", anchor="start")
        pen.text(at.entry, at.height - 8, "x_t")
        pen.value("h_prev", left - 18, at.rail + 30, "end")
        pen.value("h", out_at + 2, at.rail + 30, "start")
        pen.value("x", at.entry + 20, at.height - 8, "start")
    else:
        pen.text(1, at.rail - 10, "h_t−1", anchor="start", size=0.95)
        pen.text(at.width - 2, at.rail - 10, "h_t", anchor="end", size=0.95)
        pen.text(at.entry, at.height - 7, "x_t", size=0.95)
    pen.end()

    drawn = [_NAMES[part] for part in RNN_PARTS if part in shown]
    marked = _NAMES[highlight] if highlight else None
    text = title or describe("Vanilla RNN cell", drawn, marked, "Vanilla RNN cell, empty")
    return framed(pen, at.width, at.height, at.width if full else 210, text)


_PITCH = 108  # from one step to the next
_SIDE = 54  # of a box


def unrolled(
    steps: int = 4,
    *,
    box: str = "tanh",
    loop: bool = False,
    reads: Iterable[int] | None = None,
    writes: Iterable[int] = (),
    shared: str = "",
    gradient: bool = False,
    color: str = "rnn",
    words: Mapping[str, str] | None = None,
) -> str:
    """Inline SVG of a recurrent net unrolled in time: one copy of the cell for every step.

    ``box`` is written into every copy. ``loop`` puts the net with its loop in front. ``reads``
    and ``writes`` name the steps, counted from 1, that get an input and give an output (all
    and none by default). ``shared`` labels a line that feeds the same weights to every copy.
    ``gradient`` adds the dashed way back from the last state. ``words`` replaces formulas, by
    their markup (``{"x_1": "to"}``), with words.
    """
    reads, writes = set(range(1, steps + 1) if reads is None else reads), set(writes)
    words = words or {}
    before = 196 if loop else 0
    top = 8 + max(52 if writes else 0, 34 if loop else 0) + (26 if gradient else 0)
    middle = top + _SIDE / 2
    below = top + _SIDE + (62 if shared else 46)
    height = below + (58 if shared else 12)
    first = before + 92 + _SIDE / 2
    width = first + (steps - 1) * _PITCH + _SIDE / 2 + 58
    title = f"A recurrent net unrolled over {steps} steps" + (
        ", with the way of the gradient back from the last state" if gradient else ""
    )
    sheet = Sheet(round(width), round(height), title)

    def name(x: float, y: float, markup: str, anchor: str = "middle") -> None:
        if markup in words:
            sheet.word(x, y, words[markup], anchor=anchor, size=16)
        else:
            sheet.math(x, y, markup, anchor=anchor)

    def cell(x: float) -> None:
        sheet.rect(x - _SIDE / 2, top, _SIDE, _SIDE, color)
        write = sheet.math if len(box) == 1 else sheet.function
        write(x, middle + 6, box, size=17)

    def read(x: float, markup: str) -> None:
        sheet.wire(f"M{x:g} {below - 18:g}V{top + _SIDE + 3:g}", color)
        sheet.head_at(x, top + _SIDE, "up", color)
        name(x, below, markup)

    if loop:
        x: float = 64
        cell(x)
        read(x, "x_t")
        right, over = x + _SIDE / 2, top - 26
        sheet.wire(
            f"M{right:g} {middle:g}h16q9 0 9 -9V{over + 9:g}q0 -9 -9 -9H{x - _SIDE / 2 - 16:g}"
            f"q-9 0 -9 9V{middle - 9:g}q0 9 9 9H{x - _SIDE / 2 - 3:g}",
            color,
        )
        sheet.head_at(x - _SIDE / 2, middle, "right", color)
        sheet.math(right + 40, middle + 6, "h_t")
        sheet.word(before - 20, middle + 7, "=", size=22)

    h0_at = before + 30
    name(h0_at, middle + 6, "h_0")
    sheet.arrow(h0_at + 16, first - _SIDE / 2, middle, color)
    rail = below + 32
    if shared:
        last_x = first + (steps - 1) * _PITCH
        sheet.wire(f"M{first - 20:g} {rail:g}H{last_x - 20:g}", "muted", dashed=True)
        sheet.word((first + last_x) / 2 - 20, rail + 20, shared, size=14, color="muted")
    for t in range(1, steps + 1):
        x = first + (t - 1) * _PITCH
        if shared:
            sheet.wire(f"M{x - 20:g} {rail:g}V{top + _SIDE + 3:g}", "muted", dashed=True)
            sheet.head_at(x - 20, top + _SIDE, "up", "muted")
        cell(x)
        if t in reads:
            read(x, f"x_{t}")
        end = x + (_PITCH if t < steps else 78) - _SIDE / 2
        sheet.arrow(x + _SIDE / 2, end, middle, color)
        if t < steps:
            name(x + _PITCH / 2, middle - 9, f"h_{t}")
        else:
            name(end + 5, middle + 6, f"h_{t}", anchor="start")
        if t in writes:
            sheet.wire(f"M{x:g} {top:g}V{top - 27:g}", color)
            sheet.head_at(x, top - 30, "up", color)
            name(x, top - 40, f"y_{t}")
        if gradient:
            right = end - 2 if t == steps else x + _PITCH
            target = x - _PITCH if t > 1 else h0_at
            y = top - 14
            if t == steps:
                start = right + 12
                sheet.wire(
                    f"M{start:g} {middle - 14:g}Q{start:g} {y:g} {right:g} {y:g}H{x:g}",
                    "update",
                    dashed=True,
                )
            sheet.wire(f"M{x:g} {y:g}H{target + 6:g}", "update", dashed=True)
            sheet.out.append(
                f'<polygon points="{target:g},{y:g} {target + 7.5:g},{y - 4:g} '
                f'{target + 7.5:g},{y + 4:g}" fill="{css("update")}"/>'
            )
    return str(sheet)


def time_major(steps: int = 4, batch: int = 3, inputs: int = 2, units: int = 4) -> str:
    """Inline SVG of ``xs`` (T, B, D) and ``hs`` (T, B, H): one sheet of rows for every step."""
    title = (
        f"Inputs xs and states hs as {steps} sheets each, one sheet for every step. "
        "A sheet has one row for every sequence of the batch; a sheet of xs has D columns, one of hs H columns."
    )
    cell, gap = 19, 30
    pitch = max(inputs, units) * cell + gap
    left, top = 84, 54
    below = top + batch * cell + 50
    sheet = Sheet(left + steps * pitch + 6, below + batch * cell + 44, title)

    def row_of_sheets(y: float, columns: int, name: str, size: str, tint: float) -> None:
        sheet.word(2, y + batch * cell / 2 + 5, name, anchor="start", size=15, bold=True)
        for t in range(steps):
            x = left + t * pitch
            for b in range(batch):
                for d in range(columns):
                    sheet.out.append(
                        f'<rect x="{x + d * cell:g}" y="{y + b * cell:g}" width="{cell}" '
                        f'height="{cell}" fill="{css("rnn")}" '
                        f'fill-opacity="{tint if b else min(1, tint * 3.2):g}" '
                        f'stroke="{css("rnn")}" stroke-width="1"/>'
                    )
            if t == 0:
                sheet.math(x - 12, y + batch * cell / 2 + 6, "B", anchor="end", size=17)
                sheet.math(x + columns * cell / 2, y + batch * cell + 19, size, size=17)

    row_of_sheets(top, inputs, "xs", "D", 0.12)
    row_of_sheets(below, units, "hs", "H", 0.12)
    end = left + (steps - 1) * pitch + units * cell
    sheet.wire(f"M{left} 30H{end - 3:g}", "muted")
    sheet.head_at(end, 30, "right", "muted")
    for t in range(steps):
        sheet.word(left + t * pitch, 20, f"step {t + 1}", anchor="start", size=14, color="muted")
    return str(sheet)
