"""The colors of what is shown about code: one name, a light and a dark value, one CSS variable.

A website may define the variables for both modes, as ``book/_static/course.css`` does; elsewhere
(JupyterLab, a feedback page) the fallbacks below apply. What has to be readable anywhere brings
its colors along instead, ground and ink alike, see ``own``.
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


DARK_HOSTS = (
    '[data-theme="dark"],[theme="dark"],[data-jp-theme-light="false"],.vscode-dark,'
    ".vscode-high-contrast:not(.vscode-high-contrast-light)"
)
"""Where a host says that it is dark: this site, Colab, Jupyter, VS Code (which gives its light high
contrast the class of the dark one as well)."""

LIGHT_HOSTS = (
    '[data-theme="light"],[theme="light"],[data-jp-theme-light="true"],.vscode-light,'
    ".vscode-high-contrast-light"
)
"""Where it says that it is light."""

_GROUNDS = ("paper", "panel")


def own(selector: str, light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    """CSS by which what the selector finds has these colors of its own, whatever lies around it.

    Which of the two is its ``color-scheme``'s to say, see ``follow``; a browser without
    ``light-dark()`` has the light ones. Forced colors leave a drawing's shapes as they are but not
    its letters, so there every color is the system's.
    """
    both = ";".join(f"--gm-{name}:light-dark({light[name]},{dark[name]})" for name in light)
    forced = {name: "Canvas" if name in _GROUNDS else "CanvasText" for name in light}
    return (
        f"{selector}{{{declarations(light)}}}"
        f"@supports (color:light-dark(red,red)){{{selector}{{{both}}}}}"
        f"@media (forced-colors:active){{{selector}{{{declarations(forced)}}}}}"
    )


def follow(selector: str) -> str:
    """CSS by which what the selector finds is light or dark as its host says it is.

    Where a host has no mark that we know, its ``color-scheme`` is inherited; where it has none
    either, that is light. The reader's system is not asked; paper is light.
    """
    return (
        f":where({DARK_HOSTS}) {selector}{{color-scheme:dark}}"
        f":where({LIGHT_HOSTS}) {selector}{{color-scheme:light}}"
        f"@media print{{{selector}{{color-scheme:light}}}}"
    )
