"""Record what Keras's GRU and LSTM layers compute, in ``keras.npz`` beside this file.

Needs an environment of its own, since Keras is too heavy for every test:

    pip install -e . keras==3.15.0
    python tests/course/recordings/record_keras.py

Keras runs here on its torch back end, in float64.
"""

import inspect
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

from autograder.course import convert
from autograder.course.recordings import Case, save

T, B, D, H = 40, 3, 4, 5


def run(layer, weights, xs, states):
    """Batch-major, as Keras wants it, on the CPU; NumPy in and out."""
    layer.build((B, T, D))
    layer.set_weights(list(weights.values()))
    tensors = [torch.from_numpy(state) for state in states]
    with torch.no_grad(), keras.device("cpu"):
        outputs, *last = layer(torch.from_numpy(xs.transpose(1, 0, 2)), initial_state=tensors)
    return outputs.numpy().transpose(1, 0, 2), [state.numpy() for state in last]


def drawn(layer, rng):
    layer.build((B, T, D))
    names = ("kernel", "recurrent_kernel", "bias")
    shapes = [weight.shape for weight in layer.get_weights()]
    return {name: rng.uniform(-1, 1, shape) for name, shape in zip(names, shapes, strict=True)}


def main():
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(31)
    xs = rng.normal(size=(T, B, D))
    h0, c0 = rng.uniform(-1, 1, (2, B, H))
    how = {"units": H, "return_sequences": True, "return_state": True, "dtype": "float64"}
    signature = inspect.signature(keras.layers.GRU.__init__).parameters["reset_after"]
    prose = " ".join(keras.layers.GRU.__doc__.split())
    facts = {
        "default of reset_after": str(signature.default),
        "docstring calls reset before the default": str(
            "The default one is based on [v3]" in prose
            and "reset gate applied to hidden state before matrix multiplication" in prose
        ),
    }
    cases = {}
    for name, spelling, reset_after in (
        ("gru", "keras.layers.GRU", True),
        ("gru_reset_before", "keras.layers.GRU, reset_after=False", False),
    ):
        layer = keras.layers.GRU(reset_after=reset_after, **how)
        weights = drawn(layer, rng)
        hs, _ = run(layer, weights, xs, [h0])
        cases[name] = Case(spelling, weights, {"xs": xs, "h0": h0, "hs": hs}, facts)
    layer = keras.layers.LSTM(**how)
    weights = drawn(layer, rng)
    hs, (_, last) = run(layer, weights, xs, [h0, c0])
    arrays = {"xs": xs, "h0": h0, "c0": c0, "hs": hs, "cs": last}
    cases["lstm"] = Case("keras.layers.LSTM", weights, arrays)

    # The other direction: weights of PyTorch, converted, loaded into Keras.
    shapes = {"weight_ih_l0": (3 * H, D), "weight_hh_l0": (3 * H, H)}
    shapes |= {"bias_ih_l0": (3 * H,), "bias_hh_l0": (3 * H,)}
    state = {name: rng.uniform(-1, 1, shape) for name, shape in shapes.items()}
    written = convert.convert(state, "torch.nn.GRU", "keras.layers.GRU")
    hs, _ = run(keras.layers.GRU(**how), written, xs, [h0])
    cases["torch"] = Case("torch.nn.GRU", state, {})
    cases["written"] = Case("keras.layers.GRU", written, {"xs": xs, "h0": h0, "hs": hs})

    versions = {"keras": keras.__version__, "torch": torch.__version__.partition("+")[0]}
    save(Path(__file__).with_name("keras.npz"), versions, cases)


if __name__ == "__main__":
    main()
