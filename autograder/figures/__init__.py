"""Figures of the course: the Matplotlib style, inline SVG, and the cell diagrams.

Importing this package imports neither torch nor Matplotlib; Matplotlib loads when a figure of
it is drawn.
"""

from .cell_diagram import gru_cell
from .convention_diagrams import reset_placement, torch_storage
from .palette import COLORS, FIGURE_CSS, LINES, css
from .style import figure_html, show, show_svg, svg_of, use_style

__all__ = [
    "COLORS",
    "FIGURE_CSS",
    "LINES",
    "css",
    "figure_html",
    "gru_cell",
    "reset_placement",
    "show",
    "show_svg",
    "svg_of",
    "torch_storage",
    "use_style",
]
