"""Right reports to the assignment ``bughunt``, each written in another style."""

import numpy as np

KEYS = ("W_z", "b_z", "W_r", "b_r", "W_h", "b_h")


def zeros(B, D, H, dtype=float):
    params = {key: np.zeros((H, H + D) if key[0] == "W" else H, dtype) for key in KEYS}
    return np.zeros((B, D), dtype), np.zeros((B, H), dtype), params


def put(arrays, entries):
    x, h_prev, params = arrays
    for name, place, value in entries:
        {"x": x, "h_prev": h_prev, **params}[name][place] = value
    return arrays


def smallest(name, entries):
    """No unit more than the entries need."""

    def report():
        units = [place[1] for key, place, _ in entries if key == "h_prev"]
        units += [np.min(place) for key, place, _ in entries if key[0] in "Wb"]
        H = int(max(units)) + 1
        moved = [
            (key, (place[0], H) if key[0] == "W" and place[1] == 2 else place, value)
            for key, place, value in entries
        ]
        return name, *put(zeros(1, 1, H), moved)

    return report


def whole_numbers(name, entries):
    """Integers, a batch of three of which one is not silent, and a list for the tuple."""

    def report():
        x, h_prev, params = put(zeros(3, 1, 2, int), entries)
        return [name, x, h_prev, params]

    return report


def negative(name, entries):
    """Every number with the other sign, in single precision, the name a NumPy text."""

    def report():
        turned = [(key, place, -value) for key, place, value in entries]
        return np.str_(name), *put(zeros(1, 1, 2, np.float32), turned)

    return report


def other_unit(name, entries):
    """The two units exchanged; more features than are used, and an entry that nobody asked for."""

    def swap(key, place):
        if key == "x":
            return place
        if key == "h_prev":
            return place[0], 1 - place[1]
        if key[0] == "b":
            return 1 - place
        return 1 - place[0], 1 - place[1] if place[1] < 2 else place[1]

    def report():
        x, h_prev, params = put(
            zeros(1, 2, 2), [(key, swap(key, place), value) for key, place, value in entries]
        )
        return name, x, h_prev, {**params, "remark": "found by hand"}

    return report


def louder(name, entries):
    """Larger numbers, four units, the arrays views of one vector."""

    def report():
        B, D, H = 1, 1, 4
        shapes = {"x": (B, D), "h_prev": (B, H)}
        shapes |= {key: (H, H + D) if key[0] == "W" else (H,) for key in KEYS}
        sizes = [int(np.prod(shape)) for shape in shapes.values()]
        pieces = np.split(np.zeros(sum(sizes)), np.cumsum(sizes)[:-1])
        arrays = {
            key: piece.reshape(shapes[key]) for key, piece in zip(shapes, pieces, strict=True)
        }
        for key, place, value in entries:
            if key[0] == "W" and place[1] == 2:
                place = place[0], H  # the input's column
            arrays[key][place] = np.clip(1.5 * value, -10, 10)
        return name, arrays.pop("x"), arrays.pop("h_prev"), arrays

    return report


def accusations(name, *entries):
    styles = (smallest, whole_numbers, negative, other_unit, louder)
    return [style(name, entries) for style in styles]


def drawn(B, D, H, draw, seed):
    def report():
        rng = np.random.default_rng(seed)
        x, h_prev, params = zeros(B, D, H)
        return (
            "correct",
            draw(rng, x.shape),
            np.tanh(draw(rng, h_prev.shape)),
            {key: draw(rng, value.shape) for key, value in params.items()},
        )

    return report


def waves():
    """No chance at all: sines of different lengths."""
    x, h_prev, params = zeros(3, 2, 4)
    everything = (x, h_prev, *params.values())
    for number, array in enumerate(everything):
        array.flat = np.sin(1 + np.arange(array.size) * (1.3 + 0.37 * number))
    return " correct\n", x, h_prev, params


ACQUITTALS = [
    drawn(2, 3, 4, lambda rng, shape: rng.normal(size=shape), 0),
    drawn(4, 4, 4, lambda rng, shape: rng.uniform(-2, 2, shape), 1),
    drawn(4, 3, 4, lambda rng, shape: rng.integers(1, 4, shape) * rng.choice([-1, 1], shape), 2),
    drawn(4, 2, 3, lambda rng, shape: rng.normal(size=shape) * 1.3, 3),
    waves,
]

RIGHT = {
    "report_b": accusations("reset state blended", ("h_prev", (0, 0), 1)),
    "report_c": accusations(
        "update and reset gates exchanged", ("h_prev", (0, 0), 1), ("b_z", 0, 3)
    ),
    "report_d": ACQUITTALS,
    "report_e": accusations(
        "in the candidate: reset gate applied to state and input",
        ("x", (0, 0), 1),
        ("W_h", (0, 2), 2),
    ),
    "report_f": accusations(
        "in the reset gate: bias missing",
        ("h_prev", (0, 0), 1),
        ("b_r", 0, 3),
        ("W_h", (0, 0), 2),
    ),
    "report_g": accusations(
        "in the candidate: reset after the matrix product",
        ("h_prev", (0, 1), 1),
        ("b_r", 0, 3),
        ("W_h", (0, 1), 2),
    ),
    "report_h": ACQUITTALS[::-1],
    "report_i": accusations(
        "in the reset gate: recurrent block not transposed",
        ("h_prev", (0, 0), 1),
        ("h_prev", (0, 1), 1),
        ("W_r", (0, 1), 3),
        ("W_h", (0, 0), 2),
    ),
}
