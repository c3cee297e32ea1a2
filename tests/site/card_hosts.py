"""Every kind of page that shows a card, as small as it can be and still color what is in it.

Where the host is installed, its own templates and styles are used. The others are rebuilt from
what is public about them: the marks by which they say that they are dark, their ground and ink,
and how they color links and code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from site_pages import ROOT


@dataclass(frozen=True)
class Host:
    """A page around cards."""

    page: Callable[[str], str]
    """the page, given the HTML of its outputs"""
    mode: str = ""
    """what a card has to be in it, "light" or "dark"; empty where the card has no style"""
    forced: bool = False
    """whether the system's own colors replace all others"""


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec and spec.origin
    return Path(spec.origin).parent


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _page(html: str, style: str, body: str = "") -> Callable[[str], str]:
    """A page with these attributes of ``html`` and ``body``, and this style."""
    return lambda outputs: (
        f'<!DOCTYPE html><html {html}><head><meta charset="utf-8"><style>{style}</style></head>'
        f"<body {body}>{outputs}</body></html>"
    )


def _site(theme: str) -> Callable[[str], str]:
    static = "theme/{0}/static/styles"
    styles = [
        _package(name) / static.format(name) / f"{name.replace('_', '-')}.css"
        for name in ("pydata_sphinx_theme", "sphinx_book_theme")
    ]
    style = "\n".join(map(_read, [*styles, ROOT / "book/_static/course.css"]))
    page = _page(
        f'data-theme="{theme}" data-mode="{theme}" data-content_root="../"',
        style,
        'class="bd-body"',
    )
    return lambda outputs: page(
        '<main class="bd-main"><div class="bd-content"><div class="bd-article-container">'
        '<article class="bd-article"><div class="cell docutils container"><div class="cell_output">'
        f'<div class="output text_html">{outputs}</div></div></div></article></div></div></main>'
    )


def _lab(theme: str) -> Callable[[str], str]:
    """JupyterLab, JupyterLite and Notebook 7 share themes, marks and the look of an output."""
    colors = _package("jupyterlab") / f"themes/@jupyterlab/theme-{theme}-extension/index.css"
    style = f"{_read(colors)}\n{_nbconvert_style()}\nbody{{background:var(--jp-layout-color0)}}"
    light = str(theme == "light").lower()
    page = _page("", style, f'class="jp-ThemedContainer" data-jp-theme-light="{light}"')
    return lambda outputs: page(
        '<div class="jp-Notebook"><div class="jp-Cell jp-CodeCell"><div class="jp-OutputArea">'
        '<div class="jp-OutputArea-child"><div class="jp-RenderedHTMLCommon jp-RenderedHTML '
        f'jp-OutputArea-output">{outputs}</div></div></div></div></div>'
    )


@cache
def _nbconvert_style() -> str:
    """JupyterLab's rules for what is in a notebook, from nbconvert's template."""
    (style,) = Path(HTMLExporter(template_name="lab").template_paths[0]).glob("static/index.css")
    return _read(style)


def _converted(template: str, **settings) -> Callable[[str], str]:
    """What nbconvert makes of a notebook with these outputs."""

    def page(outputs: str) -> str:
        output = nbformat.v4.new_output("display_data", data={"text/html": outputs})
        cell = nbformat.v4.new_code_cell("check(update_gate)", outputs=[output])
        exporter = HTMLExporter(template_name=template, embed_images=True, **settings)
        grades = {"notebook": "gru", "score": 1, "max_score": 2, "late_penalty": 0}
        notebook = nbformat.v4.new_notebook(cells=[cell])
        return exporter.from_notebook_node(notebook, {"nbgrader": grades})[0]

    return page


def _feedback() -> Callable[[str], str]:
    """What nbgrader hands back, and what its formgrader shows: Bootstrap around the same cells."""
    grader = _package("nbgrader") / "server_extensions/formgrader"
    return _converted(
        "feedback",
        extra_template_basedirs=[str(grader / "templates")],
        extra_template_paths=[str(grader / "static/node_modules/bootstrap/dist/css")],
    )


def _colors(ground: str, ink: str, link: str, code: str, code_ground: str) -> str:
    return (
        f"body{{background:{ground};color:{ink}}}a,a:hover{{color:{link}}}"
        f"code{{color:{code};background-color:{code_ground}}}"
    )


_DARK = _colors("#1f1f1f", "#d5d5d5", "#8ab4f8", "#e8eaed", "#3c3c3c")
_LIGHT = _colors("#ffffff", "#212121", "#1a73e8", "#b3261e", "#f1f3f4")


def _code(kind: str, *colors: str) -> Callable[[str], str]:
    """A notebook's outputs in VS Code, with its own style for what is in them."""
    # Light high contrast also carries the class of the dark one, as it did before it had its own.
    also = " vscode-high-contrast" if kind == "vscode-high-contrast-light" else ""
    body = f'class="{kind}{also}" data-vscode-theme-kind="{kind}"'
    return _page("", f"{_colors(*colors)}.output a:hover{{text-decoration:underline}}", body)


def _without(kinds: list[str], attributes: bool, page: Callable[[str], str]) -> Callable:
    """The page of a host that drops elements of these kinds, and all attributes if asked to."""

    def sanitized(outputs: str) -> str:
        soup = BeautifulSoup(outputs, "html.parser")
        for element in soup.find_all(kinds):
            element.decompose()
        for element in soup.find_all(True):
            if attributes and "data-card" not in element.attrs:
                element.attrs = {}
        return page(str(soup))

    return sanitized


def _older(page: Callable[[str], str]) -> Callable[[str], str]:
    """The page in a browser that does not know ``light-dark()``."""
    return lambda outputs: page(outputs.replace("light-dark(", "unheard-of("))


_GITHUB = {
    "dark": _page('data-color-mode="dark" data-dark-theme="dark"',
                  _colors("#0d1117", "#f0f6fc", "#4493f8", "#f0f6fc", "#656c7633")),
    "light": _page('data-color-mode="light" data-light-theme="light"',
                   _colors("#ffffff", "#1f2328", "#0969da", "#1f2328", "#818b981f")),
}  # fmt: skip

# What ipywidgets brings along where it finds no JupyterLab: the variables of a light theme.
_WIDGETS = (
    ":root{--jp-content-font-color1:black;--jp-content-font-color2:#616161;"
    "--jp-layout-color0:white;--jp-layout-color1:white;--jp-border-color1:#bdbdbd}"
)

HOSTS = {
    "this site": Host(_site("light"), "light"),
    "this site, dark": Host(_site("dark"), "dark"),
    "JupyterLab": Host(_lab("light"), "light"),
    "JupyterLab, dark": Host(_lab("dark"), "dark"),
    "JupyterLab, dark high contrast": Host(_lab("dark-high-contrast"), "dark"),
    "nbconvert": Host(_converted("lab"), "light"),
    "nbconvert, dark": Host(_converted("lab", theme="dark"), "dark"),
    "classic notebook, nbviewer": Host(_converted("classic"), "light"),
    "nbgrader's feedback": Host(_feedback(), "light"),
    "Colab": Host(_page('theme="light"', _LIGHT), "light"),
    "Colab, dark": Host(_page('theme="dark"', _DARK), "dark"),
    "VS Code": Host(
        _code("vscode-light", "#ffffff", "#3b3b3b", "#005fb8", "#3b3b3b", "#0000001f"), "light"
    ),
    "VS Code, dark": Host(
        _code("vscode-dark", "#1f1f1f", "#cccccc", "#4daafc", "#d0d0d0", "#3c3c3c"), "dark"
    ),
    "VS Code, high contrast": Host(
        _code("vscode-high-contrast", "#000000", "#ffffff", "#21a6ff", "#000000", "#ffffff"), "dark"
    ),
    "VS Code, light high contrast": Host(
        _code("vscode-high-contrast-light", "#ffffff", "#292929", "#0f4a85", "#ffffff", "#09345f"),
        "light",
    ),
    # A card that cannot know where it is has the light colors, all of them.
    "dark without a mark, as Kaggle": Host(_page("", _DARK), "light"),
    "dark with light widgets": Host(_page("", _WIDGETS + _DARK), "light"),
    "dark by its color scheme": Host(_page("", f":root{{color-scheme:dark}}{_DARK}"), "dark"),
    "Colab, dark, in an older browser": Host(_older(_page('theme="dark"', _DARK)), "light"),
    "light for any color scheme": Host(
        _page('data-theme="light"', f":root{{color-scheme:light dark}}{_LIGHT}"), "light"
    ),
    "GitHub": Host(_without(["style", "svg"], True, _GITHUB["light"])),
    "GitHub, dark": Host(_without(["style", "svg"], True, _GITHUB["dark"])),
    "styles dropped, drawings left": Host(_without(["style"], False, _GITHUB["light"])),
    "styles dropped, drawings left, dark": Host(_without(["style"], False, _GITHUB["dark"])),
    "forced colors": Host(_lab("light"), forced=True),
    "forced colors, dark": Host(_lab("dark"), forced=True),
    "forced colors without a mark": Host(_page("", _DARK), forced=True),
}
