"""The GRU cell as a hand-drawn SVG, in the course's house convention.

Two wires enter every box from below, the hidden part on the left and the input on the right:
the concatenation ``[h, x]`` of the equations, in its order. Nothing here imports Matplotlib, so
that a verdict can carry the drawing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from autograder.course.figures.palette import css

PARTS = ("z", "r", "candidate", "state")

_NAMES = {
    "z": "update gate",
    "r": "reset gate",
    "candidate": "candidate state",
    "state": "new state",
}
_COLOR = {
    "input": "gru",
    "z": "update",
    "r": "reset",
    "candidate": "candidate",
    "state": "gru",
}

_OPERATORS = {"*": "∗", "−": "−", "+": "+"}

# Same stacks as the plots (style.SERIF), written for an SVG attribute.
MATH_FONTS = (
    "KaTeX_Math,KaTeX_Main,MJXTEX-I,MJXTEX,'Source Serif 4','Source Serif 4 Variable',"
    "'STIX Two Text',Cambria,Georgia,serif"
)
TEXT_FONTS = "KaTeX_Main,MJXTEX,'Source Serif 4','Source Serif 4 Variable',Cambria,Georgia,serif"


SANS = "'Instrument Sans','Instrument Sans Variable',system-ui,sans-serif"

# How much of what a wire could carry it carries: shares between 0 and 1.
_FLOWS = {
    "keep": lambda values: 1 - values["z"],
    "take": lambda values: values["z"],
    "r": lambda values: values["r"],
}


def flow_width(share: float) -> float:
    """The width of a wire that carries a share, as a multiple of the plain one."""
    return 0.3 + 3 * share


def written(value: float) -> str:
    """A number of the drawing: two decimals, a minus sign, no negative zero."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def _dash(dashed: bool | str) -> str:
    pattern = "6 3.5" if dashed is True else dashed
    return f' stroke-dasharray="{pattern}"' if pattern else ""


@dataclass(frozen=True)
class _Layout:
    """Where things stand, in user units."""

    width: int
    height: int
    frame: tuple[int, int, int, int]  # left, top, right, bottom
    rail: int  # y of the state's rail
    split: int  # y where z forks towards 1 - z
    box: int  # y of the boxes' centers
    box_size: tuple[int, int]
    bus_h: int
    bus_x: int
    entry: int  # x where the hidden wire leaves the rail and the input enters
    z: int
    r: int
    reset: int  # x of the product r * h on the hidden wire
    candidate: int
    pair: int  # half the distance between the two wires under a box
    node: int  # radius of a node
    font: int
    stroke: float
    labels: bool  # label every wire, or the cell's ends only


_FULL = _Layout(
    width=560, height=344, frame=(62, 18, 498, 300), rail=62, split=122, box=196,
    box_size=(66, 42), bus_h=256, bus_x=278, entry=94, z=168, r=278, reset=338, candidate=446,
    pair=15, node=11, font=20, stroke=1.8, labels=True,
)  # fmt: skip
_COMPACT = _Layout(
    width=300, height=196, frame=(36, 8, 264, 166), rail=32, split=67, box=109,
    box_size=(44, 30), bus_h=139, bus_x=153, entry=52, z=94, r=157, reset=194, candidate=238,
    pair=9, node=8, font=17, stroke=1.7, labels=False,
)  # fmt: skip


class Pen:
    """Collects SVG elements; knows which part they belong to and how that part is drawn.

    A cell of another family names its parts' colors in ``colors``; "input" is what is always
    there.
    """

    colors: Mapping[str, str] = _COLOR

    def __init__(
        self,
        layout: Any,  # each family of cells has a _Layout of its own
        shown: set[str],
        highlight: str | None,
        ghost: bool,
        values: Mapping[str, float],
    ):
        self.at, self.shown, self.highlight, self.ghost = layout, shown, highlight, ghost
        self.values = values
        self.out: list[str] = []

    def begin(self, part: str) -> bool:
        """Open the group of a part; False when it is not drawn at all."""
        self.part = part
        base = part == "input"
        self.hidden = not base and part not in self.shown
        if self.hidden and not self.ghost:
            return False
        self.marked = part == self.highlight
        own = self.colors[part]
        if self.hidden:
            name = "line"
        elif self.highlight and not self.marked:
            name = "muted"
        else:
            name = own
        self.color = css(name)
        self.width = self.at.stroke * (1.6 if self.marked else 1) * (0.8 if self.hidden else 1)
        self.out.append(f'<g data-part="{part}">')
        return True

    def end(self) -> None:
        self.out.append("</g>")

    def wire(
        self, path: str, *, bridge: bool = False, dashed: bool | str = False, flow: str = ""
    ) -> None:
        """A wire; ``flow`` names the share that scales what it carries.

        ``dashed`` may be a pattern of its own, as an SVG dash array.
        """
        if bridge:
            self.out.append(
                f'<path d="{path}" fill="none" stroke="{css("panel")}" '
                f'stroke-width="{self.width + 5:g}"/>'
            )
        dash = _dash(dashed)
        width, data = self.width, ""
        if flow and flow in _FLOWS and self.values:
            width = self.width * flow_width(_FLOWS[flow](self.values))
            data = f' data-flow="{flow}"'
        self.out.append(
            f'<path d="{path}" fill="none" stroke="{self.color}" stroke-width="{width:g}" '
            f'stroke-linejoin="round"{dash}{data}/>'
        )

    def head(self, x: float, y: float, toward: str) -> None:
        """An arrowhead whose tip is at (x, y)."""
        a, b = self.at.stroke * 4.2, self.at.stroke * 2.3
        dx, dy = {"right": (1, 0), "up": (0, -1), "down": (0, 1)}[toward]
        points = [(x, y), (x - a * dx - b * dy, y - a * dy - b * dx),
                  (x - a * dx + b * dy, y - a * dy + b * dx)]  # fmt: skip
        text = " ".join(f"{px:g},{py:g}" for px, py in points)
        self.out.append(f'<polygon points="{text}" fill="{self.color}"/>')

    def dot(self, x: float, y: float) -> None:
        r = self.at.stroke * 1.7
        self.out.append(f'<circle cx="{x}" cy="{y}" r="{r:g}" fill="{self.color}"/>')

    def value(self, name: str, x: float, y: float, anchor: str = "middle") -> None:
        """The number called ``name``, where there is one."""
        if name in self.values:
            self.out.append(
                f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" data-value="{name}" '
                f'font-family="{SANS}" font-size="17" font-weight="600" '
                f'style="font-variant-numeric:tabular-nums" fill="{css("ink")}">'
                f"{written(self.values[name])}</text>"
            )

    def box(self, x: float, label: str, *, dashed: bool | str = False, name: str = "") -> None:
        w, h = self.at.box_size
        left, top = x - w / 2, self.at.box - h / 2
        shape = f'<rect x="{left:g}" y="{top:g}" width="{w}" height="{h}" rx="{h * 0.2:g}"'
        dash = _dash(dashed)
        self.out.append(f'{shape} fill="{css("panel")}"/>')
        if not self.hidden:
            tint = 0.26 if self.marked else 0.1
            self.out.append(f'{shape} fill="{self.color}" fill-opacity="{tint}"/>')
        self.out.append(
            f'{shape} fill="none" stroke="{self.color}" stroke-width="{self.width:g}"{dash}/>'
        )
        if name in self.values:
            self.text(x, self.at.box - 5, label, upright=True, size=0.68)
            self.value(name, x, self.at.box + 14)
        else:
            self.text(x, self.at.box + self.at.font * 0.3, label, upright=True)

    def node(self, x: float, y: float, sign: str) -> None:
        r, s = self.at.node, self.at.node * 0.5
        self.out.append(
            f'<circle cx="{x}" cy="{y}" r="{r}" fill="{css("panel")}" stroke="{self.color}" '
            f'stroke-width="{self.width:g}"/>'
        )
        if sign == "times":
            s *= 0.8
            down, up = f"M{x - s:g} {y - s:g}L{x + s:g} {y + s:g}", f"M{x - s:g} {y + s:g}"
            strokes = f"{down}{up}L{x + s:g} {y - s:g}"
        else:
            strokes = f"M{x - s:g} {y}H{x + s:g}M{x} {y - s:g}V{y + s:g}"
        self.out.append(
            f'<path d="{strokes}" stroke="{self.color}" stroke-width="{self.width:g}" '
            f'stroke-linecap="round"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        markup: str,
        *,
        anchor: str = "middle",
        upright: bool = False,
        size: float = 1.0,
    ) -> None:
        """A formula as `math_svg` reads it, or upright text as it stands."""
        color = self.color if self.hidden else css("ink")
        font = self.at.font * size
        if upright:
            body, family, style = markup, TEXT_FONTS, "normal"
        else:
            body, family, style = math_svg(markup, font), MATH_FONTS, "italic"
        self.out.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-family="{family}" '
            f'font-style="{style}" font-size="{font:g}" fill="{color}">{body}</text>'
        )

    def tilde(self, x: float, y: float) -> None:
        self.out.append(tilde_svg(x, y, self.at.font, self.color if self.hidden else css("ink")))


def tilde_svg(x: float, y: float, font: float, color: str) -> str:
    """The tilde over an h at (x, y): drawn, since text fonts lack the accented letter."""
    a, top = font * 0.17, y - font * 0.83
    rise = f"c{a:g} {-a * 1.3:g} {a:g} {-a * 1.3:g} {a * 1.6:g} {-a * 0.5:g}"
    fall = f"s{a * 0.7:g} {a * 0.8:g} {a * 1.6:g} {-a * 0.5:g}"
    return (
        f'<path d="M{x:g} {top + a / 2:g}{rise}{fall}" fill="none" stroke="{color}" '
        f'stroke-width="{font * 0.065:g}" stroke-linecap="round"/>'
    )


def math_svg(markup: str, font: float) -> str:
    """`h_t-1` as SVG: italic letters, upright digits and signs, the subscript lowered."""
    out, drop, operator = [], 0.0, False
    for token in markup.split(" "):
        base, _, sub = token.partition("_")
        gap = font * 0.22 if operator or (out and base in _OPERATORS) else 0.0
        shift = (f' dx="{gap:g}"' if gap else "") + (f' dy="{-drop:g}"' if drop else "")
        upright = ' font-style="normal"' if base in _OPERATORS or base.isdigit() else ""
        out.append(f"<tspan{shift}{upright}>{_OPERATORS.get(base, base)}</tspan>")
        operator, drop = base in _OPERATORS, 0.0
        if sub:
            drop = font * 0.22
            letters = "".join(
                c if c.isalpha() else f'<tspan font-style="normal">{c}</tspan>' for c in sub
            )
            out.append(f'<tspan dy="{drop:g}" font-size="{font * 0.7:g}">{letters}</tspan>')
    return "".join(out)


def gru_cell(
    show: Iterable[str] = PARTS,
    highlight: str | None = None,
    *,
    ghost: bool = True,
    compact: bool = False,
    title: str | None = None,
    values: Mapping[str, float] | None = None,
) -> str:
    """Inline SVG of the GRU cell, house convention, drawn up to the named parts.

    ``show`` names the parts to draw, of "z", "r", "candidate", "state"; parts left out are
    ghosted, or absent with ``ghost=False``. ``highlight`` marks one part and mutes the others.
    ``compact`` is the small drawing of a verdict, made for a width of about 220 pixels.
    ``title`` is the text alternative; by default it names the parts drawn. ``values`` writes
    numbers into the full drawing, by the names "x", "h_prev", "z", "r", "candidate", "h"; they
    and the wires that the gates scale carry ``data-value`` and ``data-flow`` attributes, so that
    a page can change them.
    """
    shown = set(show)
    if unknown := (shown | ({highlight} if highlight else set())) - set(PARTS):
        raise ValueError(
            f"the parts of the cell are {', '.join(PARTS)}; not {', '.join(sorted(unknown))}"
        )
    at = _COMPACT if compact else _FULL
    pen = Pen(at, shown, highlight, ghost, {} if compact else values or {})
    full = at.labels
    f = at.font
    left, top, right, bottom = at.frame
    w, h = at.box_size
    under, over = at.box + h / 2, at.box - h / 2
    radius = 9 if full else 6

    pen.out.append(
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" '
        f'rx="{radius * 1.6:g}" fill="{css("panel")}" stroke="{css("line")}" stroke-width="1"/>'
    )

    # What is always there: the state on its rail, the two wires under the boxes, the input. The
    # wires reach as far as the parts drawn read them; ghosts carry them on.
    start_h, start_x = left - (18 if full else 12), bottom + (14 if full else 8)
    out_at = right + (18 if full else 14)
    all_h = {"z": at.z - at.pair, "r": at.reset - at.node, "candidate": at.reset - at.node}
    turn_x = at.candidate + at.pair - radius
    all_x = {"z": at.z + at.pair, "r": at.r + at.pair, "candidate": turn_x}
    pen.begin("input")
    own = pen.color

    def wires(parts: Iterable[str]) -> None:
        read = [part for part in all_h if part in parts]
        if read:
            pen.wire(
                f"M{at.entry} {at.rail}V{at.bus_h - radius}q0 {radius} {radius} {radius}"
                f"H{max(all_h[p] for p in read)}"
            )
            pen.wire(
                f"M{at.entry} {start_x}V{at.bus_x + radius}q0 {-radius} {radius} {-radius}"
                f"H{max(all_x[p] for p in read)}"
            )

    if ghost:
        pen.color = css("line")
        wires(PARTS)
        pen.color = own
    wires(shown)
    if shown & set(all_h):
        pen.dot(at.entry, at.rail)
    if "state" in shown:
        pen.wire(f"M{start_h} {at.rail}H{at.z - at.node}")
    else:
        pen.wire(f"M{start_h} {at.rail}H{out_at - 3}")
        pen.head(out_at, at.rail, "right")
    pen.end()

    def taps(x: int) -> None:
        """The two wires of a box: hidden left, input right."""
        pen.wire(f"M{x - at.pair} {at.bus_h}V{under + 3:g}")
        pen.head(x - at.pair, under, "up")
        pen.wire(f"M{x + at.pair} {at.bus_x}V{under + 3:g}", bridge=True)
        pen.head(x + at.pair, under, "up")
        pen.dot(x - at.pair, at.bus_h)
        pen.dot(x + at.pair, at.bus_x)

    if pen.begin("z"):
        taps(at.z)
        pen.wire(f"M{at.z} {over:g}V{at.split}")
        if "z" in shown and "state" not in shown:
            pen.head(at.z, at.split, "up")
        pen.box(at.z, "σ", name="z")
        if full:
            pen.text(at.z - 12, at.split + 34, "z_t", anchor="end")
        else:
            pen.text(at.z - 7, at.split + 19, "z", anchor="end")
        pen.end()

    if pen.begin("r"):
        taps(at.r)
        side = at.r + w / 2
        down = f"q{radius} 0 {radius} {radius}V{at.bus_h - at.node - 3}"
        pen.wire(f"M{side:g} {at.box}H{at.reset - radius}{down}", dashed=True)
        pen.head(at.reset, at.bus_h - at.node, "down")
        pen.box(at.r, "σ", dashed=True, name="r")
        pen.node(at.reset, at.bus_h, "times")
        if full:
            pen.text(at.reset + 10, at.box + 9, "r_t", anchor="start")
        else:
            pen.text(at.reset + 5, at.box - 4, "r", anchor="start")
        pen.end()

    if pen.begin("candidate"):
        x = at.candidate
        start = at.reset + at.node
        up = f"q{radius} 0 {radius} {-radius}V{under + 3:g}"
        pen.wire(f"M{start} {at.bus_h}H{x - at.pair - radius}{up}", flow="r")
        pen.head(x - at.pair, under, "up")
        pen.wire(f"M{turn_x} {at.bus_x}{up}")
        pen.head(x + at.pair, under, "up")
        end = at.split + at.node if "state" in shown else at.split
        pen.wire(f"M{x} {over:g}V{end + 3}")
        pen.head(x, end, "up")
        pen.box(x, "tanh", name="candidate")
        if full:
            pen.text(x + 12, at.split + 34, "h_t", anchor="start")
            pen.tilde(x + 13.5, at.split + 34)
            pen.text((start + x - at.pair) / 2, at.bus_h - 9, "r_t * h_t−1", size=0.8)
        pen.end()

    if pen.begin("state"):
        x = at.candidate
        if "state" in shown:
            pen.wire(f"M{at.z + at.node} {at.rail}H{x - at.node - 3}", flow="keep")
            pen.head(x - at.node, at.rail, "right")
            pen.wire(f"M{x + at.node} {at.rail}H{out_at - 3}")
            pen.head(out_at, at.rail, "right")
        pen.wire(f"M{at.z} {at.split}V{at.rail + at.node + 3}")
        pen.head(at.z, at.rail + at.node, "up")
        pen.wire(f"M{at.z} {at.split}H{x - at.node - 3}")
        pen.head(x - at.node, at.split, "right")
        pen.dot(at.z, at.split)
        pen.wire(f"M{x} {at.split - at.node}V{at.rail + at.node + 3}", flow="take")
        pen.head(x, at.rail + at.node, "up")
        pen.node(at.z, at.rail, "times")
        pen.node(x, at.split, "times")
        pen.node(x, at.rail, "plus")
        if full:
            pen.text(at.z + 12, at.rail + 38, "1 − z_t", anchor="start", size=0.9)
            pen.text((at.z + x) / 2, at.split - 9, "z_t", size=0.9)
        pen.end()

    # The cell's ends are named last, over everything.
    pen.begin("input")
    h_size = 1.0 if full else 0.95
    if full:
        pen.text(left - 22, at.rail + f * 0.3, "h_t−1", anchor="end", size=h_size)
        pen.text(out_at + 5, at.rail + f * 0.3, "h_t", anchor="start")
        pen.text(at.entry, at.height - 8, "x_t")
        pen.value("h_prev", left - 18, at.rail + 30, "end")
        pen.value("h", at.width - 2, at.rail + 30, "end")
        pen.value("x", at.entry + 20, at.height - 8, "start")
    else:
        pen.text(1, at.rail - 10, "h_t−1", anchor="start", size=h_size)
        pen.text(at.width - 2, at.rail - 10, "h_t", anchor="end", size=h_size)
        pen.text(at.entry, at.height - 7, "x_t", size=h_size)
    pen.end()

    drawn = [_NAMES[part] for part in PARTS if part in shown]
    marked = _NAMES[highlight] if highlight else None
    text = title or describe(
        "GRU cell", drawn, marked, "GRU cell: the state passes through unchanged"
    )
    return framed(pen, at.width, at.height, 560 if full else 260, text)


def describe(cell: str, parts: list[str], marked: str | None, empty: str) -> str:
    """The text alternative of a cell's drawing; ``empty`` is the one for a cell without parts."""
    if not parts:
        return empty
    text = f"{cell} with {', '.join(parts)}"
    return f"{text}; marked: {marked}" if marked else text


def framed(pen: Pen, width: float, height: float, limit: float, text: str) -> str:
    """What ``pen`` drew as one inline SVG, at most ``limit`` pixels wide."""
    text = escape(text, quote=True)
    return (
        f'<svg role="img" aria-label="{text}" class="gm-cell" viewBox="0 0 {width} {height}" '
        f'style="max-width:{limit}px;width:100%;height:auto;font-synthesis:none"><title>{text}</title>'
        f"{''.join(pen.out)}</svg>"
    )
