"""Recurrent nets unrolled in time, and their inputs and states as sheets of numbers, as inline SVG."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.course.figures.palette import css

from .convention_diagrams import Sheet

_PITCH = 108  # from one step to the next
_SIDE = 54  # of a box


@dataclass(frozen=True)
class _Net:
    """What the copies of the cell have in common, and where they stand on their sheet."""

    sheet: Sheet
    steps: int
    box: str
    color: str
    words: Mapping[str, str]
    top: float  # y of the copies' upper edges
    below: float  # y of the inputs' names
    before: float  # x where the unrolled net begins; left of it is the net with its loop

    @property
    def middle(self) -> float:
        """y of the wire from copy to copy."""
        return self.top + _SIDE / 2

    @property
    def start(self) -> float:
        """x of the initial state's name."""
        return self.before + 30

    def x(self, step: int) -> float:
        """x of the middle of a step's copy; steps are counted from 1."""
        return self.before + 92 + _SIDE / 2 + (step - 1) * _PITCH

    def name(self, x: float, y: float, markup: str, anchor: str = "middle") -> None:
        """A formula, or the word that stands for it."""
        if markup in self.words:
            self.sheet.word(x, y, self.words[markup], anchor=anchor, size=16)
        else:
            self.sheet.math(x, y, markup, anchor=anchor)

    def cell(self, x: float) -> None:
        """One copy of the cell."""
        self.sheet.rect(x - _SIDE / 2, self.top, _SIDE, _SIDE, self.color)
        write = self.sheet.math if len(self.box) == 1 else self.sheet.function
        write(x, self.middle + 6, self.box, size=17)

    def read(self, x: float, markup: str) -> None:
        """The input of a copy, from below."""
        end = self.top + _SIDE
        self.sheet.wire(f"M{x:g} {self.below - 18:g}V{end + 3:g}", self.color)
        self.sheet.head_at(x, end, "up", self.color)
        self.name(x, self.below, markup)

    def write(self, x: float, markup: str) -> None:
        """The output of a copy, above it."""
        self.sheet.wire(f"M{x:g} {self.top:g}V{self.top - 27:g}", self.color)
        self.sheet.head_at(x, self.top - 30, "up", self.color)
        self.name(x, self.top - 40, markup)


def _with_loop(net: _Net) -> None:
    """The net as one cell whose state comes back to it, and an equals sign."""
    sheet, color, middle, x = net.sheet, net.color, net.middle, 64
    net.cell(x)
    net.read(x, "x_t")
    left, right, over = x - _SIDE / 2, x + _SIDE / 2, net.top - 26
    sheet.wire(
        f"M{right:g} {middle:g}h16q9 0 9 -9V{over + 9:g}q0 -9 -9 -9H{left - 16:g}"
        f"q-9 0 -9 9V{middle - 9:g}q0 9 9 9H{left - 3:g}",
        color,
    )
    sheet.head_at(left, middle, "right", color)
    sheet.math(right + 40, middle + 6, "h_t")
    sheet.word(net.before - 20, middle + 7, "=", size=22)


def _weights_line(net: _Net, label: str) -> None:
    """The line below the copies that brings all of them the same weights."""
    start, end, y = net.x(1) - 20, net.x(net.steps) - 20, net.below + 32
    net.sheet.wire(f"M{start:g} {y:g}H{end:g}", "muted", dashed=True)
    net.sheet.word((start + end) / 2, y + 20, label, size=14, color="muted")


def _weights(net: _Net, x: float) -> None:
    """The way from that line into a copy."""
    end = net.top + _SIDE
    net.sheet.wire(f"M{x - 20:g} {net.below + 32:g}V{end + 3:g}", "muted", dashed=True)
    net.sheet.head_at(x - 20, end, "up", "muted")


def _pass_on(net: _Net, step: int) -> float:
    """A copy's new state, on its way to the next copy or out; returns x of the arrow's end."""
    x, last = net.x(step), step == net.steps
    end = x + (78 if last else _PITCH) - _SIDE / 2
    net.sheet.arrow(x + _SIDE / 2, end, net.middle, net.color)
    if last:
        net.name(end + 5, net.middle + 6, f"h_{step}", anchor="start")
    else:
        net.name(x + _PITCH / 2, net.middle - 9, f"h_{step}")
    return end


def _gradient_back(net: _Net, step: int, end: float) -> None:
    """The gradient's way back over a copy; from ``end`` of the last state's arrow at the last."""
    sheet, x, y = net.sheet, net.x(step), net.top - 14
    target = x - _PITCH if step > 1 else net.start
    if step == net.steps:
        start = end + 10
        sheet.wire(
            f"M{start:g} {net.middle - 14:g}Q{start:g} {y:g} {end - 2:g} {y:g}H{x:g}",
            "update",
            dashed=True,
        )
    sheet.wire(f"M{x:g} {y:g}H{target + 6:g}", "update", dashed=True)
    sheet.out.append(
        f'<polygon points="{target:g},{y:g} {target + 7.5:g},{y - 4:g} '
        f'{target + 7.5:g},{y + 4:g}" fill="{css("update")}"/>'
    )


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
    counted = range(1, steps + 1)
    reads, writes = set(counted if reads is None else reads), set(writes)
    before = 196 if loop else 0
    top = 8 + max(52 if writes else 0, 34 if loop else 0) + (26 if gradient else 0)
    below = top + _SIDE + (62 if shared else 46)
    width = before + 92 + (steps - 1) * _PITCH + _SIDE + 58
    way_back = ", with the way of the gradient back from the last state" if gradient else ""
    title = f"A recurrent net unrolled over {steps} steps{way_back}"
    sheet = Sheet(width, below + (58 if shared else 12), title)
    net = _Net(sheet, steps, box, color, words or {}, top, below, before)

    if loop:
        _with_loop(net)
    net.name(net.start, net.middle + 6, "h_0")
    sheet.arrow(net.start + 16, net.x(1) - _SIDE / 2, net.middle, color)
    if shared:
        _weights_line(net, shared)
    for step in counted:
        x = net.x(step)
        if shared:
            _weights(net, x)
        net.cell(x)
        if step in reads:
            net.read(x, f"x_{step}")
        end = _pass_on(net, step)
        if step in writes:
            net.write(x, f"y_{step}")
        if gradient:
            _gradient_back(net, step, end)
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
