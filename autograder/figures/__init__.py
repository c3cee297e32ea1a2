"""Figures of the course: the Matplotlib style, inline SVG, and the cell diagrams.

Importing this package imports neither torch nor Matplotlib; Matplotlib loads when a figure of
it is drawn.
"""

from .cell_diagram import gru_cell
from .palette import COLORS, FIGURE_CSS, LINES, css
from .style import figure_html, show, show_svg, svg_of, use_style

__all__ = [
    "COLORS",
    "FIGURE_CSS",
    "LINES",
    "css",
    "figure_html",
    "gru_cell",
    "show",
    "show_svg",
    "svg_of",
    "use_style",
]
