"""The course's drawings of cells, layers and conventions, as inline SVG."""

from .convention_diagrams import reset_placement, torch_storage
from .gradient_diagram import gradient_paths
from .gru_diagram import gru_cell
from .guide_diagrams import confinement, grading_round, ways_to_a_platform
from .layer_diagrams import padded_and_packed, stacked_layers, two_directions
from .lstm_diagram import lstm_cell
from .rnn_diagram import rnn_cell
from .spelling_diagrams import four_spellings, gate_strip
from .unrolled_diagrams import time_major, unrolled

IN_NO_GRADE = True
"""What is drawn here changes no grade, see ``grading.version``."""

__all__ = [
    "confinement",
    "four_spellings",
    "gate_strip",
    "gradient_paths",
    "grading_round",
    "gru_cell",
    "lstm_cell",
    "padded_and_packed",
    "reset_placement",
    "rnn_cell",
    "stacked_layers",
    "time_major",
    "torch_storage",
    "two_directions",
    "unrolled",
    "ways_to_a_platform",
]
