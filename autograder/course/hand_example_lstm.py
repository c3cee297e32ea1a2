"""One LSTM step small enough to work by hand: one home for the numbers of chapter and tests.

Batch 1, one input feature, two hidden units. The weights are chosen so that the sum in front of
every gate and of the candidate is a whole number. The first unit adds to what it stores, the
second keeps it and hides it. The forget biases are 1, as is usual.
"""

X = [[2.0]]
H_PREV = [[0.5, -0.5]]
C_PREV = [[1.0, -2.0]]

PARAMS = {
    "W_f": [[2.0, 2.0, 0.5], [1.0, -1.0, 0.5]],
    "b_f": [1.0, 1.0],
    "W_i": [[1.0, -1.0, 0.5], [0.0, 2.0, -0.5]],
    "b_i": [-1.0, 0.0],
    "W_c": [[2.0, 0.0, 0.5], [0.0, 2.0, 0.5]],
    "b_c": [0.0, -1.0],
    "W_o": [[2.0, 0.0, -0.5], [1.0, 1.0, -0.5]],
    "b_o": [0.0, -2.0],
}

# Worked with a pocket calculator, four decimals carried in every line.
WORKED = {
    "sum_f": [[2.0, 3.0]],
    "f": [[0.8808, 0.9526]],
    "sum_i": [[1.0, -2.0]],
    "i": [[0.7311, 0.1192]],
    "sum_candidate": [[2.0, -1.0]],
    "candidate": [[0.9640, -0.7616]],
    "c": [[1.5856, -1.9960]],
    "sum_o": [[0.0, -3.0]],
    "o": [[0.5, 0.0474]],
    "tanh_c": [[0.9195, -0.9637]],
    "h": [[0.4598, -0.0457]],
}

# What rounding every line to four decimals can do to the last line.
WORKED_TOLERANCE = 2e-4


def arrays():
    """``(x, h_prev, c_prev, params)``: float64 arrays (1, 1), (1, 2), (1, 2) and the dict."""
    import numpy as np

    params = {name: np.array(value) for name, value in PARAMS.items()}
    return np.array(X), np.array(H_PREV), np.array(C_PREV), params
