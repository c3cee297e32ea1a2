"""Drawing for the book: the colors, the Matplotlib style, inline SVG, numbers in prose.

Importing this package imports neither torch nor Matplotlib; Matplotlib loads when a figure of
it is drawn.
"""

from .palette import COLORS, FIGURE_CSS, LINES, css
from .predict import Choice, predict
from .prose import minus, power_of_ten, say
from .style import figure_html, show, show_svg, svg_of, use_style

IN_NO_GRADE = True
"""What is drawn here changes no grade, see ``grading.version``."""

__all__ = [
    "COLORS",
    "FIGURE_CSS",
    "LINES",
    "Choice",
    "css",
    "figure_html",
    "minus",
    "power_of_ten",
    "predict",
    "say",
    "show",
    "show_svg",
    "svg_of",
    "use_style",
]
