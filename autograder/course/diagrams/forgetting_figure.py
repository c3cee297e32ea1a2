"""The figure of forgetting: how far back a vanilla RNN's gradient reaches, by scale and depth.

HTML with the custom element ``<gm-forgetting>`` around the weights of two small nets, as whole
numbers, and a drawing that is complete without JavaScript. ``gm-forgetting.js`` computes the same
curves in the page and draws them by the same measures.

Importing this loads no torch; drawing does.
"""

import base64
import json
import math
from html import escape
from typing import Any

from autograder.course.figures.palette import FIGURE_CSS, css
from autograder.course.figures.prose import power_of_ten

from .pen import SANS

UNITS, LAYERS, STEPS = 16, 3, 61
GRID = 2.0**-13
"""All weights and inputs are whole multiples of it, so that the page has the very same numbers."""

LOW, HIGH = -40, 30  # powers of ten at the foot and the head of the plot
HEAD, PLOT, FOOT, GUTTER = 22, 236, 34, 36

START: dict[str, Any] = {"start": 0, "scale": 1.0, "depth": 1}
STARTS = ("orthogonal", "pytorch")


def nets() -> dict:
    """The weights of both starts and the inputs, as lists of whole multiples of `GRID`.

    ``xs`` (T,) is one sequence of a single feature. Under each name of `STARTS` stands a list of
    layers with ``W_hh`` (H, H), ``W_ih`` (H, 1) in the first and (H, H) in the others, ``b`` (H,),
    all float64. "orthogonal": recurrent matrices with all singular values 1, input weights by which a
    unit hears a sum of variance 1, no biases. "pytorch": as ``torch.nn.RNN`` starts.
    """
    import torch

    draw = torch.Generator().manual_seed(0)
    bound = UNITS**-0.5

    def normal(*shape):
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    def uniform(*shape):
        return bound * (2 * torch.rand(*shape, generator=draw, dtype=torch.float64) - 1)

    made: dict = {"xs": normal(STEPS), "orthogonal": [], "pytorch": []}
    for layer in range(LAYERS):
        fan_in = UNITS if layer else 1
        made["orthogonal"].append(
            {"W_hh": torch.linalg.qr(normal(UNITS, UNITS))[0],
             "W_ih": normal(UNITS, fan_in) / fan_in**0.5, "b": torch.zeros(UNITS, dtype=torch.float64)}
        )  # fmt: skip
        made["pytorch"].append(
            {"W_hh": uniform(UNITS, UNITS), "W_ih": uniform(UNITS, fan_in), "b": uniform(UNITS) + uniform(UNITS)}
        )  # fmt: skip
    return {
        name: _rounded(value) if name == "xs" else [{k: _rounded(w) for k, w in one.items()} for one in value]
        for name, value in made.items()
    }  # fmt: skip


def _rounded(values):
    return (values / GRID).round() * GRID


def gradient_and_bound(made: dict, start: str, scale: float, depth: int) -> tuple[list, list]:
    """The norm of dh_T/dh_(T-k) for lags k = 0 … T-1, by autograd, and its bound, each (T,).

    h_T is the last state of the top of ``depth`` layers, h_(T-k) a state of the first layer;
    ``scale`` multiplies the recurrent matrices. The bound replaces every matrix by its largest
    singular value and every slope of tanh by 1, and adds up all the ways from the one state to the
    other: with one layer it is that of Pascanu, Mikolov and Bengio (2013), sigma**k.
    """
    import torch

    layers = [{**layer, "W_hh": scale * layer["W_hh"].clone()} for layer in made[start][:depth]]
    below, first = [x.reshape(1) for x in made["xs"]], []
    for number, layer in enumerate(layers):
        h, states = torch.zeros(UNITS, dtype=torch.float64), []
        for x in below:
            h = torch.tanh(layer["W_ih"] @ x + layer["W_hh"] @ h + layer["b"])
            if number == 0:
                h.requires_grad_()
                first.append(h)
            states.append(h)
        below = states
    rows = [
        torch.autograd.grad(value, first, retain_graph=True, allow_unused=True)
        for value in below[-1]
    ]
    norms = [
        float(torch.linalg.matrix_norm(torch.stack([row[t] for row in rows]), ord=2))
        for t in reversed(range(STEPS))
    ]
    largest = [[float(torch.linalg.matrix_norm(layer[name], ord=2)) for name in ("W_hh", "W_ih")] for layer in layers]  # fmt: skip
    return norms, _bound(largest)


def _bound(largest: list[list[float]]) -> list[float]:
    """From each layer's largest singular values, of W_hh and of W_ih, bottom layer first."""
    ways = [0.0] * len(largest)
    out = []
    for _ in range(STEPS):
        above, ways_now = 0.0, []
        for number in reversed(range(len(largest))):
            top = number == len(largest) - 1
            stays = largest[number][0] * ways[number] if out else float(top)
            above = stays + (0.0 if top else largest[number + 1][1] * above)
            ways_now.append(above)
        ways = ways_now[::-1]
        out.append(ways[0])
    return out


def forgetting_figure() -> str:
    """``<gm-forgetting>``: gradient norm against lag beside its bound, as HTML.

    The page that shows it loads gm-elements.js and gm-forgetting.js.
    """
    made = nets()
    norms, bound = gradient_and_bound(made, STARTS[START["start"]], START["scale"], START["depth"])
    parts = [made["xs"], *(layer[k] for start in STARTS for layer in made[start] for k in ("W_hh", "W_ih", "b"))]  # fmt: skip
    whole = [round(float(v) / GRID) for part in parts for v in part.reshape(-1)]
    packed = base64.b64encode(
        b"".join(v.to_bytes(2, "little", signed=True) for v in whole)
    ).decode()
    data = json.dumps({"weights": packed, "grid": GRID, "units": UNITS, "layers": LAYERS, "steps": STEPS, "start": START,
                       "plot": [LOW, HIGH, HEAD, PLOT]}, separators=(",", ":"))  # fmt: skip
    said = (
        f"At lag {STEPS - 1} the gradient norm is {power_of_ten(norms[-1], 0)}, the bound {bound[-1]:.0f}, "
        f"for an orthogonal start, scale {START['scale']:g}, one layer."
    )
    return (
        f'<figure class="gm-figure"><style>{FIGURE_CSS}</style>'
        f'<gm-forgetting style="display:block;max-width:560px;margin:0 auto">'
        f'<script type="application/json">{data}</script>{_drawing(norms, bound, said)}</gm-forgetting>'
        f"<figcaption>Norm of the derivative of the last state by a state <i>k</i> steps earlier, on a logarithmic axis, and its bound "
        f"(dashed): one net of {UNITS} units that reads random inputs. With more layers the last state is the top one’s, the earlier one "
        "the bottom one’s. Without JavaScript the figure shows one setting.</figcaption></figure>"
    )


def _drawing(norms: list[float], bound: list[float], said: str) -> str:
    text = escape(f"Gradient norm and its bound against the lag. {said}", quote=True)
    out = [
        _text("0", 12, "\u2501\u2501 gradient norm", "rnn", "start"),
        _text("100%", 12, "\u2505\u2505 bound", "muted", "end"),
    ]
    for power in range(LOW, HIGH + 1, 10):
        y = HEAD + _down(10.0**power)
        width = ' stroke-width="1.6"' if power == 0 else ""
        out.append(f'<line x2="100%" y1="{y:g}" y2="{y:g}" stroke="{css("line")}"{width}/>')
        out.append(_text("-6", y + 4, "1" if power == 0 else power_of_ten(10.0**power, 0), "muted", "end"))  # fmt: skip
    for lag in range(0, STEPS, 10):
        out.append(_text(f"{100 * lag / (STEPS - 1):g}%", HEAD + PLOT + 14, str(lag), "muted", "end" if lag == STEPS - 1 else "middle"))  # fmt: skip
    out.append(_text("100%", HEAD + PLOT + 30, "lag k", "muted", "end"))
    curves = _curve(bound, "muted", ' stroke-dasharray="6 4"') + _curve(norms, "rnn", "")
    out.append(
        f'<svg y="{HEAD}" width="100%" height="{PLOT}" viewBox="0 0 {STEPS - 1} {PLOT}" '
        f'preserveAspectRatio="none" aria-hidden="true">{curves}</svg>'
    )
    return (
        f'<svg role="img" aria-label="{text}" class="gm-plot" height="{HEAD + PLOT + FOOT}" font-family="{SANS}" '
        f'style="display:block;width:calc(100% - {GUTTER}px);margin-left:{GUTTER}px;overflow:visible">'
        f"<title>{text}</title>{''.join(out)}</svg>"
    )


def _down(value: float) -> float:
    return PLOT * (HIGH - math.log10(max(value, 1e-300))) / (HIGH - LOW)


def _curve(values: list[float], color: str, more: str) -> str:
    points = " ".join(f"{lag},{_down(value):.3f}" for lag, value in enumerate(values))
    return (
        f'<polyline points="{points}" fill="none" stroke="{css(color)}" stroke-width="2"{more} '
        'vector-effect="non-scaling-stroke"/>'
    )


def _text(x: str, y: float, markup: str, color: str, anchor: str) -> str:
    return (
        f'<text x="{x}" y="{y:g}" text-anchor="{anchor}" font-size="12" fill="{css(color)}">'
        f"{markup}</text>"
    )
