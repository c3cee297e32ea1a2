"""The four ways of a gradient from h_t back to h_{t−1}, drawn over the GRU cell.

The cell itself is the forward drawing, in gray. A way back follows the forward wires against
their direction; where several share a wire they run side by side, in lanes.
"""

from collections.abc import Iterable

from autograder.course.figures.palette import css

from .gru_diagram import FULL as _CELL
from .gru_diagram import gru_cell
from .pen import MATH_FONTS, math_svg

PATHS = ("direct", "candidate", "z", "r")

_COLOR = {"direct": "gru", "candidate": "candidate", "z": "update", "r": "reset"}
_NAMES = {
    "direct": "the direct path",
    "candidate": "through the candidate",
    "z": "through the update gate",
    "r": "through the reset gate",
}
_DASH = {"direct": "", "candidate": "9 2.4 2 2.4", "z": "", "r": "6 3.5"}

# Which lane a way takes on a shared wire, from the outer edge of the turns inward.
_LANE = {"direct": -8.0, "z": -2.6, "r": 2.8, "candidate": 8.2}


def _legs(path: str) -> list[list[tuple[float, float]]]:
    """The way as polylines in the gradient's direction, broken where it passes a box or a node."""
    at, o = _CELL, _LANE[path]
    over, under = at.box - at.box_size[1] / 2, at.box + at.box_size[1] / 2
    gap = at.node + 1.5
    start, end = at.frame[2] + 18, at.frame[0] - 18
    rail, bus, entry = at.rail + o, at.bus_h + o, at.entry - o
    if path == "direct":
        return [
            [(start, rail), (at.candidate + gap, rail)],
            [(at.candidate - gap, rail), (at.z + gap, rail)],
            [(at.z - gap, rail), (end, rail)],
        ]
    down = at.candidate + o
    arrive = [(start, rail), (at.candidate + gap, rail)]
    fall = [(down, at.rail + gap), (down, at.split - gap)]
    home = [(entry, bus), (entry, rail), (end, rail)]
    if path == "z":
        left = at.z - at.pair
        return [
            arrive,
            fall,
            [(at.candidate - gap, at.split + o), (at.z + o, at.split + o), (at.z + o, over)],
            [(at.candidate - gap, rail), (at.z + gap, rail)],
            [(at.z + o, at.rail + gap), (at.z + o, at.split + o)],
            [(left, under), (left, bus), *home],
        ]
    to_box = [(down, at.split + gap), (down, over)]
    side = at.candidate - at.pair + (o - 5.5)
    if path == "candidate":
        return [
            arrive,
            fall,
            to_box,
            [(side, under), (side, bus), (at.reset + gap, bus)],
            [(at.reset - gap, bus), *home],
        ]
    left = at.r - at.pair
    return [
        arrive,
        fall,
        to_box,
        [(side, under), (side, bus), (at.reset + gap, bus)],
        [(at.reset, at.bus_h - gap), (at.reset, at.box), (at.r + at.box_size[0] / 2, at.box)],
        [(left, under), (left, bus), *home],
    ]


def _rounded(points: list[tuple[float, float]], radius: float = 8.0) -> str:
    """An SVG path through the points, corners rounded; all legs are horizontal or vertical."""
    (x, y), *rest = points
    out = [f"M{x:g} {y:g}"]
    for (px, py), (cx, cy), (nx, ny) in zip(points, points[1:], points[2:], strict=False):
        r = min(radius, abs(cx - px) + abs(cy - py), abs(nx - cx) + abs(ny - cy))
        ax, ay = cx - r * _sign(cx - px), cy - r * _sign(cy - py)
        bx, by = cx + r * _sign(nx - cx), cy + r * _sign(ny - cy)
        out.append(f"L{ax:g} {ay:g}Q{cx:g} {cy:g} {bx:g} {by:g}")
    x, y = rest[-1]
    return "".join(out) + f"L{x:g} {y:g}"


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _head(points: list[tuple[float, float]], size: float) -> str:
    """Corners of an arrowhead at the end of a leg."""
    (px, py), (x, y) = points[-2:]
    dx, dy = _sign(x - px), _sign(y - py)
    a, b = 1.9 * size, 1.05 * size
    corners = ((x, y), (x - a * dx - b * dy, y - a * dy - b * dx),
               (x - a * dx + b * dy, y - a * dy + b * dx))  # fmt: skip
    return " ".join(f"{cx:g},{cy:g}" for cx, cy in corners)


def _shortened(points: list[tuple[float, float]], by: float) -> list[tuple[float, float]]:
    (px, py), (x, y) = points[-2:]
    return [*points[:-1], (x - by * _sign(x - px), y - by * _sign(y - py))]


def _end(x: float, markup: str, anchor: str) -> str:
    """The gradient's name, above the end of the rail."""
    font = 0.85 * _CELL.font
    return (
        f'<text x="{x:g}" y="{_CELL.rail - 22}" text-anchor="{anchor}" font-family="{MATH_FONTS}" '
        f'font-style="italic" font-size="{font:g}" fill="{css("ink")}">{math_svg(markup, font)}</text>'
    )


def gradient_paths(
    show: Iterable[str] = PATHS, highlight: str | None = None, *, title: str | None = None
) -> str:
    """Inline SVG of the GRU cell with the ways of a gradient from h_t back to h_{t−1}.

    ``show`` names the ways to draw, of "direct", "candidate", "z", "r". ``highlight`` draws one
    of them thick and the others thin. ``title`` is the text alternative; by default it names the
    ways drawn. Raises ValueError for an unknown way.
    """
    shown = [path for path in PATHS if path in set(show)]
    if unknown := (set(show) | ({highlight} if highlight else set())) - set(PATHS):
        raise ValueError(f"the ways back are {', '.join(PATHS)}; not {', '.join(sorted(unknown))}")
    if title is None:
        title = "GRU cell with the ways of a gradient back: " + (
            ", ".join(_NAMES[path] for path in shown) or "none yet"
        )
    cell = gru_cell(title=title)
    for name in ("gru", "update", "reset", "candidate"):
        cell = cell.replace(css(name), css("line" if shown else "muted"))

    out = []
    for path in sorted(shown, key=lambda path: path == highlight):
        marked = path == highlight
        width = 3.6 if marked else 2.4 if highlight is None else 1.5
        color, size = css(_COLOR[path]), max(width, 2.2) * 1.7
        dash = f' stroke-dasharray="{_DASH[path]}"' if _DASH[path] else ""
        out.append(f'<g data-path="{path}">')
        for leg in _legs(path):
            drawn = _rounded(_shortened(leg, size))
            out.append(
                f'<path d="{drawn}" fill="none" stroke="{color}" stroke-width="{width:g}"{dash}/>'
                f'<polygon points="{_head(leg, size)}" fill="{color}"/>'
            )
        out.append("</g>")
    if shown:
        out += [_end(_CELL.frame[2] + 20, "dh_t", "start"), _end(1, "dh_t−1", "start")]
    return cell.replace("</svg>", "".join(out) + "</svg>")
