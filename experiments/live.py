"""Figures that can be touched: a net that reads reviews, and one that forecasts electricity.

Each is HTML with a custom element of ``book/_static``, inside it its data and a drawing that is
complete without JavaScript. Both are computed from the same quantized weights, here with NumPy, on
the page by ``gm-review.js`` or ``gm-forecast.js``, which draw the same shapes in the same places.
The drawings are as wide as their place: lengths across are in percent, those down in pixels, and
letters keep their size on every screen.

Arrays in the data are dicts of `quantized.quantize`, marked Q; ``net`` has the names and the order of
rows of ``torch.nn.GRU``. A review's data are

- ``words``: the vocabulary in one string; word k has number k + 2, 0 pads, 1 is any other word;
- ``longest``: how many words are read;
- ``net``: Q of embedding (V, E), weight_ih (3H, E), weight_hh (3H, H), bias_ih (3H,), bias_hh (3H,),
  readout_weight (2, H) and readout_bias (2,), whose second row is "good";
- ``bag``: the bag of words, ``weights`` Q (V,) and ``bias``, a number;
- ``examples``: sentences to choose from.

A forecast's data are

- ``net``: Q of weight_ih (3H, 1), weight_hh, bias_ih, bias_hh as above, readout_weight (24, H) and
  readout_bias (24,): the change against the same hour of the day before, in standardized units;
- ``linear``: Q of weights (24, 168) and bias (24,), the same of a linear model;
- ``mean`` and ``scale``, in kW, which standardize;
- ``half``: 24 numbers, half the width of the 90 % interval in kW;
- ``windows``: dicts of ``title``, ``begins`` ("2014-03-03 00:00"), ``load``, 168 numbers in kW, and
  ``next``, the 24 that came.
"""

import json
import math
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape

import numpy as np

from autograder.course.figures.palette import FIGURE_CSS, css

from .quantized import dequantize

SANS = "var(--gm-sans, 'Instrument Sans', system-ui, sans-serif)"
GOOD = 1  # the row of the readout
DAY = 24

# Pixels down the page, and for the words of a review across it.
ROW, HEADS, WORD, ANSWERS = 28, 44, 92, 64
PLOT, STRIP, TITLE, LINE = 230, 40, 26, 29


def sigmoid(a: np.ndarray | float):
    """The logistic function, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(a, float)))


def gru_step(net: dict, x: np.ndarray, h: np.ndarray) -> dict[str, np.ndarray]:
    """One step of ``torch.nn.GRU``: the gates r and z, the candidate n and the new state h, each (H,).

    ``net``: float arrays by the names above; ``x`` (D,), ``h`` (H,). The equations are those of
    PyTorch's documentation: the reset gate comes after the product, z near 1 keeps the old state.
    """
    of_input = np.split(net["weight_ih"] @ x + net["bias_ih"], 3)
    of_state = np.split(net["weight_hh"] @ h + net["bias_hh"], 3)
    r, z = (sigmoid(a + b) for a, b in zip(of_input[:2], of_state[:2], strict=True))
    n = np.tanh(of_input[2] + r * of_state[2])
    return {"r": r, "z": z, "n": n, "h": (1 - z) * n + z * h}


def _arrays(quantized: dict) -> dict[str, np.ndarray]:
    return {name: dequantize(q).astype(float) for name, q in quantized.items()}


def read_review(data: dict, sentence: str) -> dict:
    """What the net and the bag of words make of a sentence, as ``GMReview.read`` does on the page.

    ``z``, ``r``, ``move`` and ``running`` have one number for each step of the net, which is one
    for a sentence without words too; ``tokens``, ``known`` and ``weights`` one for each word.
    """
    net, weights = _arrays(data["net"]), dequantize(data["bag"]["weights"]).astype(float)
    number = {word: k + 2 for k, word in enumerate(data["words"].split())}
    tokens = re.findall(r"[a-z']+", sentence.lower())[: data["longest"]]
    numbers = [number.get(word, 1) for word in tokens]
    h, steps, move, running = np.zeros(net["weight_hh"].shape[1]), [], [], []
    for k in numbers or [0]:
        step = gru_step(net, net["embedding"][k], h)
        logits = net["readout_weight"] @ step["h"] + net["readout_bias"]
        running.append(float(sigmoid(logits[GOOD] - logits[0])))
        move.append(float(np.linalg.norm(step["h"] - h)))
        steps.append(step)
        h = step["h"]
    return {
        "tokens": tokens,
        "known": [word in number for word in tokens],
        "z": [float(step["z"].mean()) for step in steps],
        "r": [float(step["r"].mean()) for step in steps],
        "move": move,
        "running": running,
        "probability": running[-1],
        "weights": weights[numbers].tolist(),
        "bag": float(sigmoid(weights[numbers].sum() + data["bag"]["bias"])),
        "most": float(np.abs(weights).max()) or 1.0,
        "size": len(h),
    }


def forecasts(data: dict, load: Iterable[float]) -> dict[str, np.ndarray]:
    """Four forecasts of 24 hours in kW from 168 hours of load, as ``GMForecast.forecast``."""
    net, linear, week = _arrays(data["net"]), _arrays(data["linear"]), np.array([*load], float)
    x, yesterday = (week - data["mean"]) / data["scale"], week[-DAY:]
    h = np.zeros(net["weight_hh"].shape[1])
    for value in x:
        h = gru_step(net, value[None], h)["h"]
    return {
        "net": yesterday + data["scale"] * (net["readout_weight"] @ h + net["readout_bias"]),
        "linear": yesterday + data["scale"] * (linear["weights"] @ x + linear["bias"]),
        "yesterday": yesterday,
        "lastWeek": week[:DAY],
    }


# Shapes of SVG, as gm-elements.js makes them.


def _tag(name: str, *inside: str, **attributes) -> str:
    pairs = "".join(
        f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items() if value != ""
    )
    return f"<{name}{pairs}>{''.join(inside)}</{name}>"


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _px(percent: float) -> str:
    return f"{_number(percent)}%"


def _fill(color: str, opacity: float = 1) -> dict:
    return {"fill": css(color)} | ({} if opacity == 1 else {"fill_opacity": opacity})


def _pen(color: str, width: float = 1, dash: str = "") -> dict:
    return {"stroke": css(color), "stroke_width": width, "stroke_dasharray": dash}


def _text(
    x: float | str, y: float, content: str, color: str = "ink", size: int = 11, **more
) -> str:
    return _tag("text", escape(content), x=x, y=_number(y), font_size=size, **_fill(color), **more)


def _percent(share: float) -> str:
    """With as many digits as it takes to tell the share from none and from all, as on the page."""
    least = min(share, 1 - share)
    if 0 < least < 1e-4:
        return f"{'less than 0.01' if share < 0.5 else 'more than 99.99'}\u00a0%"
    if least <= 0 or least >= 0.01:
        return f"{math.floor(100 * share + 0.5)}\u00a0%"
    return f"{100 * share:.{1 if least >= 1e-3 else 2}f}\u00a0%"


def _kw(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")


def _figure(element: str, attributes: dict, data: dict, svg: str, caption: str) -> str:
    """The figure of an element; the drawing comes after the data, which take no room."""
    # A "</script>" inside a title must not end the data.
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    pairs = "".join(f' {name}="{escape(str(value))}"' for name, value in attributes.items())
    return (
        f'<figure class="gm-figure"><style>{FIGURE_CSS}</style>'
        f'<{element}{pairs} style="display:block;max-width:44rem;margin:0 auto">'
        f'<script type="application/json">{text}</script>{svg}</{element}>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _drawing(inside: str, title: str, text: str, height: float, left: int = 0) -> str:
    """An SVG as wide as its place, less ``left`` pixels at negative x."""
    return (
        f'<svg role="img" aria-label="{escape(f"{title}. {text}")}" font-family="{SANS}" '
        f'style="display:block;width:calc(100% - {left}px);height:{_number(height)}px;margin-left:{left}px;'
        f'overflow:visible"><title>{escape(title)}</title><desc>{escape(text)}</desc>{inside}</svg>'
    )


# A review: a row for each word.


def _bar(x: float, row: int, width: float, color: str, opacity: float = 1) -> str:
    y = HEADS + ROW * (row + 0.5) - 4
    return _tag("rect", x=_px(x), y=_number(y), width=_px(width), height=8, rx=1.5,
                **_fill(color, opacity))  # fmt: skip


def _head(x: float, anchor: str, *lines: str) -> str:
    return "".join(
        _text(_px(x), 18 + 15 * k, line, text_anchor=anchor) for k, line in enumerate(lines)
    )


def _rule(x: float, rows: int, *paint) -> str:
    return _tag("line", x1=_px(x), x2=_px(x), y1=HEADS, y2=HEADS + ROW * rows, **_pen(*paint))


def _review_gates(read: dict) -> str:
    rows = len(read["tokens"])
    out = [_head(33.5, "start", "Taken", "in"), _head(50, "start", "Reset", "open"),
           _head(66.5, "start", "State", "moved"), _head(100, "end", "In the", "bag"), _rule(91, rows, "line")]  # fmt: skip
    for row in range(rows):
        moved = min(read["move"][row] / math.sqrt(read["size"]), 1)
        weight = min(abs(read["weights"][row]) / read["most"], 1) * 9
        out += [
            _bar(33.5, row, 12, "line", 0.55), _bar(33.5, row, 12 * (1 - read["z"][row]), "update"),
            _bar(50, row, 12, "line", 0.55), _bar(50, row, 12 * read["r"][row], "reset"),
            _bar(66.5, row, 12 * moved, "gru"),
            _bar(91 - (weight if read["weights"][row] < 0 else 0), row, weight, "ink"),
        ]  # fmt: skip
    return "".join(out)


def _review_verdicts(read: dict) -> str:
    rows = len(read["tokens"])
    at = [(_px(1 + 28 * share), _number(HEADS + ROW * (row + 0.5)))
          for row, share in enumerate(read["running"][:rows])]  # fmt: skip
    lines = [
        _tag("line", x1=-WORD, x2="100%", y1=HEADS + ROW * k, y2=HEADS + ROW * k, **_pen("line", 0.5 if k else 1))
        for k in range(rows + 1)
    ]  # fmt: skip
    trace = [
        _tag("line", x1=a[0], x2=b[0], y1=a[1], y2=b[1], **_pen("gru", 2))
        for a, b in zip(at, at[1:], strict=False)
    ]
    dots = [
        _tag("circle", cx=x, cy=y, r=5.5 if k == rows - 1 else 3.5, **_fill("gru"), **_pen("paper", 1.5))
        for k, (x, y) in enumerate(at)
    ]  # fmt: skip
    heads = _head(1, "start", "Verdict", "bad") + _head(29, "end", "", "good")
    return "".join([*lines, _rule(15, rows, "muted", 1, "2 3"), heads, *trace, *dots])


def _review_words(read: dict) -> str:
    out = []
    for row, (word, known) in enumerate(zip(read["tokens"], read["known"], strict=True)):
        shown = word if len(word) <= 12 else f"{word[:10]}…"
        style = {} if known else {"font_style": "italic"}
        y = HEADS + ROW * (row + 0.5) + 5
        out.append(_text(10 - WORD, y, shown, "ink" if known else "muted", 14, **style))
    return "".join(out)


def _review_answers(read: dict) -> str:
    out = []
    for x, color, who, good in (
        (-WORD, "gru", "The net says", read["probability"]),
        ("22%", "ink", "The bag of words says", read["bag"]),
    ):
        out.append(_text(x, 16, who, "muted", 14))
        out.append(_text(x, 45, f"{_percent(good)} good", color, 26, font_weight=600))
    return "".join(out)


def review_figure(data: dict, sentence: str) -> str:
    """The figure in which a reader types a review, as HTML: ``<gm-review>`` around one sentence.

    ``data``: see above. ``sentence`` is what stands there at first, and all that stands there
    without JavaScript. The page that shows it loads gm-elements.js and gm-review.js.
    """
    read = read_review(data, sentence)
    words = "; ".join(
        f"{word}{'' if known else ' (not in the vocabulary)'}: {_percent(1 - z)} taken in, reset gate {_percent(r)} open, "
        f"verdict {_percent(good)} good"
        for word, known, z, r, good in zip(
            read["tokens"], read["known"], read["z"], read["r"], read["running"], strict=False
        )
    )
    text = (
        f"“{sentence}”: the net says {_percent(read['probability'])} good, the bag of words {_percent(read['bag'])}. "
        f"Word by word: {words or 'there is none'}."
    )
    drawn = _review_gates(read) + _review_verdicts(read) + _review_words(read)
    svg = _drawing(
        _review_answers(read) + f'<g transform="translate(0 {ANSWERS})">{drawn}</g>',
        "A review as a net reads it", text, ANSWERS + HEADS + ROW * len(read["tokens"]) + 8, WORD,
    )  # fmt: skip
    caption = (
        "The net reads downward. After each word: the verdict if the review ended here; how much of the candidate is taken in "
        "(1 − <i>z</i> in PyTorch’s convention) and how far the reset gate is open, both averaged over the units; how far the "
        "state moved. At the right, what the word weighs in a bag of words, which knows no order."
    )
    if not all(read["known"]):
        caption += " Words in italics are not in the vocabulary."
    return _figure("gm-review", {"sentence": sentence}, data, svg, caption)


# A forecast: the week, the last day and the next, and a table of one hour.

WAYS = {
    "net": ("GRU", _pen("gru", 2.75)),
    "linear": ("Linear model", _pen("ink", 1.75, "7 4")),
    "yesterday": ("Same hour yesterday", _pen("muted", 2, "2 3")),
    "lastWeek": ("Same hour last week", _pen("muted", 1.5, "9 3 2 3")),
}


def _ticks(values: np.ndarray) -> list[float]:
    """Round numbers in kW with room beyond all values, in which the reader can drag."""
    least, most = values.min(), values.max()
    room = 0.25 * (most - least) + 1
    rough = (most - least + 2 * room) / 4
    ten = 10.0 ** math.floor(math.log10(rough))
    step = ten * next(times for times in (1, 2, 5, 10) if times * ten >= rough)
    first, last = max(0, math.floor((least - room) / step)), math.ceil((most + room) / step)
    return [k * step for k in range(first, last + 1)]


def _frame(hours: int, height: int, *inside: str) -> str:
    return _tag("svg", *inside, width="100%", height=height, viewBox=f"0 0 {hours} {height}",
                preserveAspectRatio="none", aria_hidden="true")  # fmt: skip


def _points(hours: np.ndarray, y: np.ndarray) -> str:
    return " ".join(f"{_number(a)},{_number(b)}" for a, b in zip(hours + 0.5, y, strict=True))


def _line(points: str, pen: dict) -> str:
    return _tag("polyline", points=points, fill="none", vector_effect="non-scaling-stroke", **pen)


def _across(y: float) -> str:
    return _tag("line", x2="100%", y1=_number(y), y2=_number(y), **_pen("line"))


def _week(load: np.ndarray, after: np.ndarray, ticks: list[float], begins: datetime) -> str:
    low, high = ticks[0], ticks[-1]
    hours, y = np.arange(len(load) + DAY), STRIP * (high - np.append(load, after)) / (high - low)
    days = len(hours) // DAY
    last = _tag("rect", x=len(load) - DAY, width=DAY, height=STRIP, **_fill("panel"))
    lines = _line(_points(hours[:-DAY], y[:-DAY]), _pen("ink", 1.25)) + _line(
        _points(hours[-DAY:], y[-DAY:]), _pen("gru", 1.75)
    )
    names = "".join(
        _text(_px(100 * (k + 0.5) / days), STRIP + 15, f"{begins + timedelta(k):%a}",
              "muted" if k < days - 1 else "gru", text_anchor="middle")
        for k in range(days)
    )  # fmt: skip
    return _frame(len(hours), STRIP, last, lines) + _across(STRIP) + names


def _days(
    data: dict, window: dict, made: dict, ticks: list[float], hour: int, begins: datetime
) -> str:
    low, high = ticks[0], ticks[-1]
    last, coming = np.arange(DAY), np.arange(DAY, 2 * DAY)

    def y(values) -> np.ndarray:
        return PLOT * (high - np.asarray(values, float)) / (high - low)

    half = np.array(data["half"])
    band = f"{_points(coming, y(made['net'] + half))} {_points(coming[::-1], y(made['net'] - half)[::-1])}"
    lines = "".join(_line(_points(coming, y(made[key])), WAYS[key][1]) for key in reversed(WAYS))

    def dots(hours: np.ndarray, values, **look) -> str:
        return "".join(
            _tag("circle", cx=_px(100 * (k + 0.5) / (2 * DAY)), cy=_number(v), **look)
            for k, v in zip(hours, y(values), strict=True)
        )

    ring = _fill("paper") | _pen("ink")
    upright = [_px(100 * (k + 0.5) / (2 * DAY)) for k in (hour, DAY + hour)]
    return "".join(
        [
            _tag("rect", width="50%", height=PLOT, **_fill("panel")),
            *(_across(float(y(tick))) for tick in ticks),
            *(_tag("line", x1=x, x2=x, y1=0, y2=PLOT, **_pen("line")) for x in upright),
            _frame(2 * DAY, PLOT, _tag("polygon", points=band, **_fill("gru", 0.16)), lines,
                   _line(_points(last, y(made["yesterday"])), _pen("ink", 2))),
            dots(coming, window["next"], r=3, **ring),
            dots(last, made["yesterday"], r=2.5, **_fill("ink")),
            _text(0, -12, f"Yesterday, {_date(begins + timedelta(6))}"),
            _text("50%", -12, f"Today, {_date(begins + timedelta(7))}", "gru"),
            *(_text(4, float(y(tick)) + 13, _kw(tick) + (" kW" if tick == high else ""), "muted") for tick in ticks[1:]),
            *(_text(_px(100 * (k and k + 0.5) / (2 * DAY)), PLOT + 15, _clock(begins, k)[:2], "muted",
                    text_anchor="middle" if k else "start")  # the first would stand out on a phone
              for k in range(0, 2 * DAY, 6)),
        ]
    )  # fmt: skip


def _date(day: datetime) -> str:
    return f"{day:%a, %b} {day.day}"


def _clock(begins: datetime, hour: int) -> str:
    return f"{begins + timedelta(hours=hour):%H:%M}"


def _table(data: dict, window: dict, made: dict, hour: int, clock: str) -> str:
    """The lines of the drawing by name, what they say for one hour, and how wrong they are on average."""
    happened = np.array(window["next"])
    samples = {key: _tag("line", x2=28, y1=-4, y2=-4, **pen) for key, (_, pen) in WAYS.items()}
    rows = [
        (samples[key], name, _kw(made[key][hour]), _kw(np.abs(made[key] - happened).mean()))
        for key, (name, _) in WAYS.items()
    ]
    band = _tag("rect", y=-10, width=28, height=12, **_fill("gru", 0.2))
    fact = _tag("circle", cx=14, cy=-4, r=3.5, fill="none", **_pen("ink"))
    rows.insert(1, (band, "90\u00a0% interval", f"±\u00a0{_kw(data['half'][hour])}", ""))
    rows.append((fact, "What happened", _kw(happened[hour]), ""))
    rows.insert(0, ("", f"{clock} today, in kW", "forecast", "mean error"))
    out = []
    for k, (sample, name, *cells) in enumerate(rows):
        color = "muted" if k == 0 else "gru" if k == 1 else "ink"
        weight = {"font_weight": 600} if k == 1 else {}
        texts = _text(38, 0, name, color, 14, **weight) + "".join(
            _text("100%", 0, cell, color, 14, text_anchor="end", dx=dx, **weight)
            for cell, dx in zip(cells, (-88, 0), strict=True)
            if cell
        )
        out.append(
            f'<g transform="translate(0 {LINE * k})">{sample}{texts}</g>{_across(LINE * k + 9)}'
        )
    return "".join(out)


def forecast_figure(data: dict, window: int = 0) -> str:
    """The figure in which a reader drags yesterday, as HTML: ``<gm-forecast>`` around one week.

    ``data``: see above; ``window`` is the number of the week that stands there at first, and alone
    without JavaScript. The page that shows it loads gm-elements.js and gm-forecast.js.
    """
    week = data["windows"][window]
    load, begins = np.array(week["load"]), datetime.strptime(week["begins"], "%Y-%m-%d %H:%M")
    made = forecasts(data, load)
    ticks = _ticks(np.concatenate([load, made["net"], made["linear"], week["next"]]))
    hour = int(made["yesterday"].argmax())
    clock = _clock(begins, hour)
    parts = {
        24: _week(load, made["net"], ticks, begins),
        24 + STRIP + 36 + TITLE: _days(data, week, made, ticks, hour, begins),
        24 + STRIP + 36 + TITLE + PLOT + 52: _table(data, week, made, hour, clock),
    }
    inside = _text(0, 12, week["title"], "muted", 14) + "".join(
        f'<g transform="translate(0 {y})">{part}</g>' for y, part in parts.items()
    )
    numbers = ", ".join(f"{name} {_kw(made[key][hour])} kW" for key, (name, _) in WAYS.items())
    text = (
        f"{week['title']}. For {clock} of the day after it, forecast by {numbers}; 90 % interval of the GRU ± "
        f"{_kw(data['half'][hour])} kW; what happened, {_kw(week['next'][hour])} kW."
    )
    height = max(parts) + LINE * (len(WAYS) + 2) + 18
    svg = _drawing(inside, "A week of electricity and four forecasts of the day after it", text, height)  # fmt: skip
    caption = (
        "A week of load, its last day, and the day after it as four forecasters see it. The GRU and the linear model say how "
        "today will differ from yesterday; the band is the GRU’s 90 % interval."
    )
    return _figure("gm-forecast", {"window": window}, data, svg, caption)
