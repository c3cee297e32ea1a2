"""Weights small enough to travel inside a page: 8-bit integers and one scale for each row.

``book/_static/gm-elements.js`` reads what `quantize` writes, with the same float32 numbers as
`dequantize`.
"""

import base64
from math import prod

import numpy as np

LARGEST = 127  # of an int8, on both sides of zero


def quantize(array: np.ndarray) -> dict:
    """An array as 8-bit integers, ready for JSON.

    ``array``: numbers of any real type, (N,) or (N, M), not empty. Returns ``shape``, a list;
    ``data``, the int8 numbers in C order; and ``scale``, little-endian float32 numbers, one for
    each row of two axes, one in all for one axis; the latter two in base64. A value is its integer
    times its scale: the largest magnitude of a row divided by 127, or 1 in a row of zeros.

    Raises ValueError when the array has not one or two axes, is empty, or is not finite in float32.
    """
    # What is too large for float32 becomes infinite, which the next check reports.
    with np.errstate(over="ignore"):
        values = np.asarray(array).astype(np.float32)
    if values.ndim not in (1, 2):
        raise ValueError(
            f"an array of {values.ndim} axes: reshape it to one axis or two, since a scale belongs to a row"
        )
    if not values.size:
        raise ValueError(f"an array of shape {values.shape} has no numbers: leave it out")
    if not np.isfinite(values).all():
        raise ValueError(
            "NaN, infinity or a number beyond float32 in the array: train with a smaller rate, "
            "or clip gradients, and save weights that are finite"
        )
    rows = values.reshape(-1, values.shape[-1])
    scale = np.abs(rows).max(1) / np.float32(LARGEST)
    scale[scale == 0] = 1
    data = np.clip(np.rint(rows / scale[:, None]), -LARGEST, LARGEST).astype(np.int8)
    return {
        "shape": list(values.shape),
        "scale": base64.b64encode(scale.astype("<f4").tobytes()).decode(),
        "data": base64.b64encode(data.tobytes()).decode(),
    }


def dequantize(q: dict) -> np.ndarray:
    """The float32 array that `quantize` made ``q`` of, of the shape it says.

    Raises ValueError when the numbers are not as many as the shape wants: the text was cut.
    """
    shape = tuple(q["shape"])
    data = np.frombuffer(base64.b64decode(q["data"]), np.int8)
    scale = np.frombuffer(base64.b64decode(q["scale"]), "<f4").astype(np.float32)
    rows = shape[0] if len(shape) == 2 else 1
    if len(data) != prod(shape) or len(scale) != rows:
        raise ValueError(
            f"{len(data)} integers and {len(scale)} scales for an array of shape {shape}: quantize it again"
        )
    return (data.reshape(rows, -1) * scale[:, None]).reshape(shape)
