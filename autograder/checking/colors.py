"""The colors of what is shown about code: one name, a light and a dark value, one CSS variable.

A website may define the variables for both modes, as ``book/_static/course.css`` does; elsewhere
(JupyterLab, a feedback page) the fallbacks below apply.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT = {
    "ink": "#1d2327",
    "muted": "#5a646c",
    "line": "#cdd5da",
    "panel": "#f4f7f8",
    "paper": "#ffffff",
    "right": "#0b7a6b",
    "wrong": "#b4235f",
}

DARK = {
    "ink": "#e8ecee",
    "muted": "#a7b1b8",
    "line": "#465158",
    "panel": "#1c2327",
    "paper": "#14181b",
    "right": "#4fd1b8",
    "wrong": "#ff8db4",
}

# JupyterLab's own colors, where there are any, are better fallbacks: they follow its theme.
_JUPYTER = {
    "ink": "--jp-content-font-color1",
    "muted": "--jp-content-font-color2",
    "line": "--jp-border-color1",
    "panel": "--jp-layout-color1",
    "paper": "--jp-layout-color0",
}


def css(name: str, light: Mapping[str, str] = LIGHT) -> str:
    """The CSS value of a color name: the site's variable with its fallbacks."""
    if name in _JUPYTER:
        return f"var(--gm-{name}, var({_JUPYTER[name]}, {light[name]}))"
    return f"var(--gm-{name}, {light[name]})"


def declarations(colors: Mapping[str, str]) -> str:
    """The variables of these colors, as CSS declares them."""
    return ";".join(f"--gm-{name}:{value}" for name, value in colors.items())
