"""Figures of the course: the Matplotlib style, inline SVG, and the cell diagrams.

Importing this package imports neither torch nor Matplotlib; Matplotlib loads when a figure of
it is drawn.
"""

from .cell_diagram import gru_cell
from .convention_diagrams import reset_placement, torch_storage
from .gradient_diagram import gradient_paths
from .lstm_diagram import lstm_cell
from .palette import COLORS, FIGURE_CSS, LINES, css
from .prose import minus, power_of_ten, say
from .rnn_diagrams import rnn_cell, unrolled
from .spelling_diagrams import four_spellings, gate_strip, padded_and_packed
from .style import figure_html, show, show_svg, svg_of, use_style

__all__ = [
    "COLORS",
    "FIGURE_CSS",
    "LINES",
    "css",
    "figure_html",
    "four_spellings",
    "gate_strip",
    "gradient_paths",
    "gru_cell",
    "lstm_cell",
    "minus",
    "padded_and_packed",
    "power_of_ten",
    "reset_placement",
    "rnn_cell",
    "say",
    "show",
    "show_svg",
    "svg_of",
    "torch_storage",
    "unrolled",
    "use_style",
]
