"""The colors of the course: one name, a light and a dark value, one CSS variable.

The website defines the variables for both modes in ``book/_static/course.css``; elsewhere
(JupyterLab, a feedback page) the fallbacks below apply.
"""

import re

from autograder.checking import colors

PLAIN = ("ink", "muted", "line", "panel", "paper")
"""The names shared with what is shown about code."""

LIGHT = {name: colors.LIGHT[name] for name in PLAIN} | {
    "rnn": "#8a5a00",
    "lstm": "#3f51b5",
    "gru": "#0b7a6b",
    "update": "#b4235f",
    "reset": "#1b6ca8",
    "candidate": "#5c6b0f",
    "forget": "#a83c1c",
    "input": "#7a35a8",
    "output": "#0a6a86",
}

DARK = {name: colors.DARK[name] for name in PLAIN} | {
    "rnn": "#f0b04a",
    "lstm": "#a9b6ff",
    "gru": "#4fd1b8",
    "update": "#ff8db4",
    "reset": "#7cc4f5",
    "candidate": "#c5d15a",
    "forget": "#ff9c7d",
    "input": "#dba0ff",
    "output": "#76d0ea",
}

# Matplotlib draws with the light values; `css_variables` turns them into variables, so each
# value must belong to one name only.
COLORS = dict(LIGHT)

# Every family and every part of the cell has a line style as well, so that a figure reads in
# grayscale. Values are Matplotlib's.
LINES = {
    "rnn": (0, (1, 1.6)),
    "lstm": (0, (5, 2)),
    "gru": "solid",
    "update": "solid",
    "reset": (0, (4, 1.8)),
    "candidate": (0, (6, 1.6, 1.2, 1.6)),
    "forget": "solid",
    "input": (0, (4, 1.8)),
    "output": (0, (1.4, 1.6)),
}

_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")


def css(name: str) -> str:
    """The CSS value of a color name: the site's variable with its fallbacks."""
    return colors.css(name, LIGHT)


_BY_HEX = {value: css(name) for name, value in LIGHT.items()}


def css_variables(svg: str) -> str:
    """Replace every color of the palette in an SVG text by its CSS variable."""
    return _HEX.sub(lambda m: _BY_HEX.get(m.group().lower(), m.group()), svg)


# Shipped with every figure. `:where` has no specificity, so the website's own rules win; the
# dark values apply where the host says that it is dark.
FIGURE_CSS = (
    ":where(.gm-figure){margin:1.25rem 0}"
    ":where(.gm-figure>svg){display:block;width:100%;height:auto;margin:0 auto}"
    f":where(.gm-figure>figcaption){{max-width:44rem;margin:.5rem auto 0;"
    f"font-size:.92em;line-height:1.45;color:{css('muted')}}}"
    ".gm-figure .gm-narrow{display:none}"
    "@media screen and (max-width:700px){.gm-figure>svg.gm-narrow{display:block}"
    ".gm-figure span.gm-narrow{display:inline}.gm-figure .gm-wide{display:none}"
    # the smallest letters grow most; ``phone.growing`` says which sizes they have
    ".gm-cell [style*=--gm-size]{"
    "font-size:max(calc(var(--gm-growth,1.2)*var(--gm-size)),var(--gm-least))}"
    ".gm-cell .gm-tilde{transform:translateY(-3.4px)}}"
    f":where({colors.DARK_HOSTS}) :where(.gm-figure,.gm-cell){{{colors.declarations(DARK)}}}"
)

CARD_CSS = colors.own(".gm-verdict svg", LIGHT, DARK)
"""For a drawing on the card of a verdict."""
