"""The cells that can be touched: a GRU's and an LSTM's step inside a sequence that the reader draws.

Each is HTML with a custom element of ``book/_static``: the cell's drawing with the numbers of one
step, and below it the traces of all steps. Both are complete without JavaScript. The scripts
``gru-cell.js`` and ``lstm-cell.js`` compute the same sequence in the page and draw the traces anew,
by the same measures: lengths across in percent, those down in pixels (``gm-sequence.js``).

Importing this loads no torch; drawing a figure does.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from autograder.course.figures.palette import FIGURE_CSS, css

from .gru_diagram import FULL, gru_cell
from .lstm_diagram import lstm_cell
from .pen import SANS

# A pulse, which a reader replaces by what they draw.
PULSE = [0.0, 0.0, 2.0, 2.0, *[0.0] * 12]

# Two units, since with one it makes no difference where the reset gate acts.
GRU: dict[str, Any] = {
    "xs": PULSE,
    "at": 3,
    "h0": [0.0, 0.0],
    "W_z": [[0.5, 0.0, 1.0], [0.0, 0.5, 1.0]],
    "b_z": [-1.0, -1.0],
    "W_r": [[1.0, 0.0, -0.5], [0.0, -1.0, 1.0]],
    "b_r": [0.0, 0.0],
    "W_h": [[1.0, -2.0, 1.0], [2.0, 1.0, -0.5]],
    "b_h": [0.0, 0.0],
}

LSTM: dict[str, Any] = {
    "xs": PULSE,
    "at": 3,
    "h0": [0.0],
    "c0": [0.5],
    "W_f": [[0.0, 0.0]],
    "b_f": [3.0],
    "W_i": [[0.0, 3.0]],
    "b_i": [-3.0],
    "W_c": [[0.5, 1.0]],
    "b_c": [0.0],
    "W_o": [[0.0, -1.0]],
    "b_o": [1.0],
}

# Each panel of traces: least and largest value, height in pixels, and its curves: the value's name,
# what it is called, its color and its dashes.
INPUT: list = [-2, 2, 72, [["x", "input x, yours to draw", "ink", ""]]]
GRU_PANELS: list = [
    INPUT,
    [0, 1, 64, [["z", "update gate z", "update", ""], ["r", "reset gate r", "reset", "5 3"]]],
    [-1, 1, 88, [["candidate", "candidate", "candidate", "6 3 1.5 3"], ["h", "state h", "gru", ""]]],
]  # fmt: skip
LSTM_PANELS: list = [
    INPUT,
    [0, 1, 64, [["f", "forget f", "forget", ""], ["i", "input i", "input", "5 3"],
                ["o", "output o", "output", "1.5 3"]]],
    [-3, 3, 88, [["candidate", "candidate", "candidate", "6 3 1.5 3"],
                 ["c", "cell state c", "lstm", ""], ["h", "hidden h", "ink", "1.5 2"]]],
]  # fmt: skip

HEAD, GAP, FOOT, GUTTER = 18, 12, 18, 24
_SAMPLES = {"": "\u2501\u2501", "5 3": "\u2505\u2505", "6 3 1.5 3": "\u2501\u2009\u00b7\u2009\u2501",
            "1.5 3": "\u2509\u2509", "1.5 2": "\u2509\u2509"}  # fmt: skip

Rows = Sequence[Mapping[str, float]]


def gru_rows(cell: Mapping, unit: int = 0) -> list[dict[str, float]]:
    """One unit's values at every step of the house convention: x, h_prev, z, r, candidate and h."""
    import torch

    from autograder.course import reference

    params, h = _tensors(cell), torch.tensor([cell["h0"]], dtype=torch.float64)
    rows = []
    for value in cell["xs"]:
        x = torch.tensor([[value]], dtype=torch.float64)
        z, r = reference.update_gate(x, h, params), reference.reset_gate(x, h, params)
        candidate = reference.candidate_state(x, h, r, params)
        new = reference.new_state(h, candidate, z)
        inside = {"h_prev": h, "z": z, "r": r, "candidate": candidate, "h": new}
        rows.append({"x": value} | {name: float(v[0, unit]) for name, v in inside.items()})
        h = new
    return rows


def lstm_rows(cell: Mapping) -> list[dict[str, float]]:
    """The unit's values at every step: x, h_prev, c_prev, f, i, candidate, o, c and h."""
    import torch

    from autograder.course import reference

    params = _tensors(cell)
    h, c = (torch.tensor([cell[name]], dtype=torch.float64) for name in ("h0", "c0"))
    rows = []
    for value in cell["xs"]:
        x = torch.tensor([[value]], dtype=torch.float64)
        inside = {
            "h_prev": h, "c_prev": c, "f": reference.forget_gate(x, h, params),
            "i": reference.input_gate(x, h, params), "o": reference.output_gate(x, h, params),
            "candidate": reference.candidate_cell(x, h, params),
        }  # fmt: skip
        h, c = reference.lstm_step(x, h, c, params)
        rows.append(
            {"x": value} | {k: float(v[0, 0]) for k, v in (inside | {"c": c, "h": h}).items()}
        )
    return rows


def gru_figure() -> str:
    """``<gm-gru-cell>``: a GRU of two units on any of the four conventions, as HTML.

    The page that shows it loads gm-elements.js, gm-sequence.js and gru-cell.js.
    """
    rows, at = gru_rows(GRU), GRU["at"]
    drawing = gru_cell(
        values=rows[at], switches=True,
        title="A GRU cell with the values of its parts at one step; the sentence below says what they are",
    )  # fmt: skip
    caption = (
        "Above, one step: wires are as thick as the share they carry. Below, all steps: draw the input with a finger or the "
        "mouse, or move the sliders. Of two units one is shown; the thin gray curve is what the house convention makes of the same input."
    )
    return _figure("gm-gru-cell", GRU, GRU_PANELS, drawing, rows, caption)


def lstm_figure() -> str:
    """``<gm-lstm-cell>``: an LSTM of one unit whose gates can be held by hand, as HTML.

    The page that shows it loads gm-elements.js, gm-sequence.js and lstm-cell.js.
    """
    rows, at = lstm_rows(LSTM), LSTM["at"]
    drawing = lstm_cell(
        values=rows[at],
        title="An LSTM cell with the values of its parts at one step; the sentence below says what they are",
    )
    caption = (
        "Above, one step: wires are as thick as the share they carry. Below, all steps: draw the input, or move the sliders. "
        "A gate that you move is held at your value at every step, until you let it go."
    )
    return _figure("gm-lstm-cell", LSTM, LSTM_PANELS, drawing, rows, caption)


def _tensors(cell: Mapping) -> dict:
    import torch

    names = (name for name in cell if name.startswith(("W_", "b_")))
    return {name: torch.tensor(cell[name], dtype=torch.float64) for name in names}


def _figure(
    element: str, cell: Mapping, panels: list, drawing: str, rows: Rows, caption: str
) -> str:
    data = escape(json.dumps({**cell, "panels": panels, "stroke": FULL.stroke}), quote=True)
    return (
        f'<figure class="gm-figure"><style>{FIGURE_CSS}</style>'
        f'<{element} cell="{data}" style="display:block;max-width:{FULL.limit}px;margin:0 auto">'
        f"{drawing}{traces(panels, rows, cell['at'])}</{element}>"
        f"<figcaption>{caption} Without JavaScript the figure shows one setting.</figcaption></figure>"
    )


def traces(panels: list, rows: Rows, at: int) -> str:
    """Every value over the steps, one panel below the other, as inline SVG; ``at`` is marked."""
    height = sum(HEAD + panel[2] + GAP for panel in panels) + FOOT
    out = [
        f'<rect x="{_share(at, rows)}" width="{_share(1, rows)}" height="{height - FOOT}" '
        f'fill="{css("line")}" fill-opacity="0.45"/>'
    ]
    top = 0
    for panel in panels:
        out += _panel(panel, rows, at, top)
        top += HEAD + panel[2] + GAP
    out += [
        _text(_share(t + 0.5, rows), top + 6, str(t + 1), "muted", "middle")
        for t in range(0, len(rows), 3)
    ]
    named = "; ".join(name for *_, curves in panels for _, name, *_ in curves)
    text = escape(f"Over {len(rows)} steps: {named}.")  # fmt: skip
    return (
        f'<svg role="img" aria-label="{text}" class="gm-traces" height="{height}" font-family="{SANS}" '
        f'style="display:block;width:calc(100% - {GUTTER}px);margin:12px 0 0 {GUTTER}px;overflow:visible">'
        f"<title>{text}</title>{''.join(out)}</svg>"
    )


def _panel(panel: list, rows: Rows, at: int, top: float) -> Iterable[str]:
    low, high, height, curves = panel
    foot = top + HEAD

    def down(value: float) -> float:
        return height * (high - value) / (high - low)

    legend = "".join(
        f'<tspan dx="{14 * (k > 0)}" fill="{css(color)}">{_SAMPLES[dash]} {name}</tspan>'
        for k, (_, name, color, dash) in enumerate(curves)
    )
    yield _text("0", top + 11, legend, "ink", "start")
    for value in (low, (low + high) / 2, high):
        y = foot + down(value)
        yield f'<line x2="100%" y1="{y:g}" y2="{y:g}" stroke="{css("line")}"/>'
        yield _text("-5", y + 4, f"{value:g}".replace("-", "\u2212"), "muted", "end")
    inside = [
        _curve([(t + 0.5, down(row[key])) for t, row in enumerate(rows)], color, dash)
        for key, _, color, dash in curves
        if key != "x"
    ]
    if curves[0][0] == "x":
        inside = [
            f'<rect x="{t + 0.2:g}" width="0.6" y="{min(down(row["x"]), down(0)) - 1:g}" '
            f'height="{abs(down(row["x"]) - down(0)) + 2:g}" fill="{css("ink")}"/>'
            for t, row in enumerate(rows)
        ]
    yield (
        f'<svg y="{foot}" width="100%" height="{height}" viewBox="0 0 {len(rows)} {height}" '
        f'preserveAspectRatio="none" overflow="visible" aria-hidden="true">{"".join(inside)}</svg>'
    )
    for key, _, color, _ in curves:
        if key != "x":
            yield (
                f'<circle cx="{_share(at + 0.5, rows)}" cy="{foot + down(rows[at][key]):.3f}" '
                f'r="3.5" fill="{css(color)}"/>'
            )


def _curve(points: Sequence[tuple[float, float]], color: str, dash: str) -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    joined = " ".join(f"{x:g},{y:.3f}" for x, y in points)
    return (
        f'<polyline points="{joined}" fill="none" stroke="{css(color)}" stroke-width="2"{dashes} '
        'vector-effect="non-scaling-stroke"/>'
    )


def _share(step: float, rows: Rows) -> str:
    return f"{100 * step / len(rows):g}%"


def _text(x: str, y: float, markup: str, color: str, anchor: str) -> str:
    return (
        f'<text x="{x}" y="{y:g}" text-anchor="{anchor}" font-size="12" fill="{css(color)}">'
        f"{markup}</text>"
    )
