"""The pen that draws cells as SVG, in the course's house convention, and where it may draw.

Nothing here imports Matplotlib, so that a verdict can carry a drawing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from autograder.course.figures.palette import css

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
    "f": lambda values: values["f"],
    "i": lambda values: values["i"],
    "o": lambda values: values["o"],
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


_TOWARD = {"right": (1, 0), "up": (0, -1), "down": (0, 1)}
_ARROW_GAP = 3  # a wire ends this much before the tip of its arrowhead


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the things stand that every cell has, in user units; y grows downward."""

    width: int
    height: int
    limit: int  # the largest width on a page, in pixels
    frame: tuple[int, int, int, int]  # left, top, right, bottom
    rail: int  # y at which the upper state enters and leaves
    entry: int  # x where the input enters
    box: int  # y of the boxes' centers
    box_size: tuple[int, int]
    bus_h: int  # y of the hidden state's wire below the boxes
    bus_x: int  # y of the input's
    pair: int  # half the distance between the two wires under a box
    node: int  # radius of a node
    font: int
    stroke: float
    full: bool  # label every wire, or the cell's ends only

    @property
    def over(self) -> float:
        """y of the boxes' upper edges."""
        return self.box - self.box_size[1] / 2

    @property
    def under(self) -> float:
        """y of the boxes' lower edges."""
        return self.box + self.box_size[1] / 2

    @property
    def radius(self) -> int:
        """Radius of a wire's turns."""
        return 9 if self.full else 6

    @property
    def enter(self) -> int:
        """x at which the old states' wires begin, left of the frame."""
        return self.frame[0] - (18 if self.full else 12)

    @property
    def leave(self) -> int:
        """x of the tips of the new states' arrows, right of the frame."""
        return self.frame[2] + (18 if self.full else 14)

    @property
    def below(self) -> int:
        """y at which the input's wire begins, below the frame."""
        return self.frame[3] + (14 if self.full else 8)

    def turn(self, before: str, after: str) -> str:
        """The path of a rounded corner, from one direction ("right", "up", "down") to another."""
        (a, b), (c, d), r = _TOWARD[before], _TOWARD[after], self.radius
        return f"q{a * r} {b * r} {(a + c) * r} {(b + d) * r}"

    def input_to(self, x: float) -> str:
        """The path of the input's wire: from below the frame up, and right as far as ``x``."""
        turn = self.turn("up", "right")
        return f"M{self.entry} {self.below}V{self.bus_x + self.radius}{turn}H{x:g}"


class Pen:
    """Collects SVG elements; knows which part they belong to and how that part is drawn.

    ``colors`` names each part's color in the palette; "input" is what is always there. Parts
    that are not ``shown`` are ghosts, or absent without ``ghost``; a ``highlight`` mutes all
    parts but one. ``values`` are the numbers to write, by their names. With ``switches``, what
    another convention would draw is there as well, and hidden (see ``when``).
    """

    def __init__(
        self,
        layout: Layout,
        colors: Mapping[str, str],
        shown: set[str],
        highlight: str | None,
        ghost: bool,
        values: Mapping[str, float],
        switches: bool = False,
    ):
        self.at, self.colors, self.values, self.switches = layout, colors, values, switches
        self.shown, self.highlight, self.ghost = shown, highlight, ghost
        # A drawing with numbers is read at every width; 16 units are ten pixels on a phone.
        self.least = 16 if values else 0
        self.out: list[str] = []

    def begin(self, part: str) -> bool:
        """Open the group of a part; False when it is not drawn at all."""
        self.part = part
        base = part == "input"
        self.hidden = not base and part not in self.shown
        if self.hidden and not self.ghost:
            return False
        self.marked = part == self.highlight
        muted = bool(self.highlight) and not self.marked
        self.color = css("line" if self.hidden else "muted" if muted else self.colors[part])
        self.width = self.at.stroke * (1.6 if self.marked else 1) * (0.8 if self.hidden else 1)
        self.out.append(f'<g data-part="{part}">')
        return True

    def end(self) -> None:
        """Close the group that ``begin`` opened."""
        self.out.append("</g>")

    @contextmanager
    def as_ghost(self) -> Iterator[None]:
        """What is drawn in this block has the color of parts that are not shown."""
        own, self.color = self.color, css("line")
        yield
        self.color = own

    @contextmanager
    def when(self, convention: str, *, hidden: bool = False) -> Iterator[None]:
        """What is drawn in this block belongs to one convention, which a page can choose.

        Without ``switches`` nothing that is ``hidden`` at first is drawn at all.
        """
        before = len(self.out)
        yield
        drawn = "".join(self.out[before:])
        del self.out[before:]
        if self.switches:
            unseen = ' style="display:none"' if hidden else ""
            drawn = f'<g data-when="{convention}"{unseen}>{drawn}</g>'
        if self.switches or not hidden:
            self.out.append(drawn)

    def frame(self) -> None:
        """The cell's outline, which is drawn first."""
        left, top, right, bottom = self.at.frame
        self.out.append(
            f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" '
            f'rx="{self.at.radius * 1.6:g}" fill="{css("panel")}" stroke="{css("line")}" '
            f'stroke-width="1"/>'
        )

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

    def arrow(self, path: str, x: float, y: float, toward: str, **how) -> None:
        """A wire that goes on from the end of ``path`` to an arrowhead with its tip at (x, y).

        ``toward`` is the direction of this last leg: "right", "up" or "down". ``how`` goes to
        ``wire``.
        """
        dx, dy = _TOWARD[toward]
        leg = f"H{x - _ARROW_GAP * dx:g}" if dx else f"V{y - _ARROW_GAP * dy:g}"
        self.wire(path + leg, **how)
        self.head(x, y, toward)

    def into_box(self, path: str, x: float, **how) -> None:
        """An arrow that goes on from the end of ``path`` up into a box, at ``x``."""
        self.arrow(path, x, self.at.under, "up", **how)

    def head(self, x: float, y: float, toward: str) -> None:
        """An arrowhead whose tip is at (x, y)."""
        a, b = self.at.stroke * 4.2, self.at.stroke * 2.3
        dx, dy = _TOWARD[toward]
        points = [(x, y), (x - a * dx - b * dy, y - a * dy - b * dx),
                  (x - a * dx + b * dy, y - a * dy + b * dx)]  # fmt: skip
        text = " ".join(f"{px:g},{py:g}" for px, py in points)
        self.out.append(f'<polygon points="{text}" fill="{self.color}"/>')

    def dot(self, x: float, y: float) -> None:
        """Where a wire branches off another one."""
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
        """A function with weights, centered at ``x``; with the value called ``name`` below it.

        ``dashed`` is the outline's, as in ``wire``.
        """
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
            self.text(x, self.at.box - 5, label, upright=True, size=0.8)
            self.value(name, x, self.at.box + 14)
        else:
            self.text(x, self.at.box + self.at.font * 0.3, label, upright=True)

    def node(self, x: float, y: float, sign: str) -> None:
        """A sum ("plus") or a product ("times") of the wires that meet at (x, y)."""
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
        font = max(self.at.font * size, self.least)
        if upright:
            body, family, style = markup, TEXT_FONTS, "normal"
        else:
            body, family, style = math_svg(markup, font, self.least), MATH_FONTS, "italic"
        self.out.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-family="{family}" '
            f'font-style="{style}" font-size="{font:g}" fill="{color}">{body}</text>'
        )

    def tilde(self, x: float, y: float) -> None:
        """The tilde over a letter that stands at (x, y), see `tilde_svg`."""
        self.out.append(tilde_svg(x, y, self.at.font, self.color if self.hidden else css("ink")))

    def ends_of_one_state(self, h: tuple[float, str]) -> None:
        """Name the ends of a cell whose only state is h; ``h`` places the new state's value."""
        at, f = self.at, self.at.font
        if at.full:
            self.text(at.frame[0] - 22, at.rail + f * 0.3, "h_t−1", anchor="end")
            self.text(at.leave + 5, at.rail + f * 0.3, "h_t", anchor="start")
            self.text(at.entry, at.height - 8, "x_t")
            self.value("h_prev", at.enter, at.rail + 30, "end")
            self.value("h", h[0], at.rail + 30, h[1])
            self.value("x", at.entry + 20, at.height - 8, "start")
        else:
            self.text(1, at.rail - 10, "h_t−1", anchor="start", size=0.95)
            self.text(at.width - 2, at.rail - 10, "h_t", anchor="end", size=0.95)
            self.text(at.entry, at.height - 7, "x_t", size=0.95)


def tilde_svg(x: float, y: float, font: float, color: str) -> str:
    """The tilde over an h at (x, y): drawn, since text fonts lack the accented letter."""
    a, top = font * 0.17, y - font * 0.83
    rise = f"c{a:g} {-a * 1.3:g} {a:g} {-a * 1.3:g} {a * 1.6:g} {-a * 0.5:g}"
    fall = f"s{a * 0.7:g} {a * 0.8:g} {a * 1.6:g} {-a * 0.5:g}"
    return (
        f'<path class="gm-tilde" d="M{x:g} {top + a / 2:g}{rise}{fall}" fill="none" stroke="{color}" '
        f'stroke-width="{font * 0.065:g}" stroke-linecap="round"/>'
    )


def math_svg(markup: str, font: float, least: float = 0) -> str:
    """`h_t-1` as SVG: italic letters, upright digits and signs, the subscript lowered.

    No letter is smaller than ``least``.
    """
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
            out.append(
                f'<tspan dy="{drop:g}" font-size="{max(font * 0.7, least):g}">{letters}</tspan>'
            )
    return "".join(out)
