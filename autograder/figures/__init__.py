"""Figures of the course: the Matplotlib style, inline SVG, and the cell diagrams.

Importing this package imports neither torch nor Matplotlib; Matplotlib loads when a figure of
it is drawn.
"""

from .cell_diagram import gru_cell
from .convention_diagrams import reset_placement, torch_storage
from .gradient_diagram import gradient_paths
from .layer_diagrams import padded_and_packed, stacked_layers, two_directions
from .lstm_diagram import lstm_cell
from .palette import COLORS, FIGURE_CSS, LINES, css
from .prose import minus, power_of_ten, say
from .rnn_diagrams import rnn_cell, time_major, unrolled
from .spelling_diagrams import four_spellings, gate_strip
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
    "stacked_layers",
    "svg_of",
    "time_major",
    "torch_storage",
    "two_directions",
    "unrolled",
    "use_style",
]
