"""One GRU step small enough to work by hand: one home for the numbers of chapter and tests.

Batch 1, one input feature, two hidden units; house convention (z near 1 replaces, reset before
the product). The weights are chosen so that every gate's sum comes out a whole number. The
first unit updates, the second keeps what it has.
"""

X = [[2.0]]
H_PREV = [[0.5, -1.0]]

PARAMS = {
    "W_z": [[1.0, 0.0, 0.5], [0.0, 1.0, 1.0]],
    "b_z": [-0.5, -3.0],
    "W_r": [[2.0, 1.0, 0.5], [0.0, -1.0, 1.0]],
    "b_r": [-1.0, -1.0],
    "W_h": [[2.0, 1.0, 0.5], [-1.0, 1.0, 0.5]],
    "b_h": [0.5, -0.5],
}

# Worked with a pocket calculator, four decimals carried in every line.
WORKED = {
    "sum_z": [[1.0, -2.0]],
    "z": [[0.7311, 0.1192]],
    "sum_r": [[0.0, 2.0]],
    "r": [[0.5, 0.8808]],
    "reset_state": [[0.25, -0.8808]],
    "sum_candidate": [[1.1192, -0.6308]],
    "candidate": [[0.8073, -0.5586]],
    "h": [[0.7246, -0.9474]],
}

# What rounding every line to four decimals can do to the last line.
WORKED_TOLERANCE = 2e-4


def arrays():
    """``(x, h_prev, params)`` as NumPy float64 arrays: (1, 1), (1, 2) and the house dict."""
    import numpy as np

    params = {name: np.array(value) for name, value in PARAMS.items()}
    return np.array(X), np.array(H_PREV), params
