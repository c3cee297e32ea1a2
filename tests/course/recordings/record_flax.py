"""Record what Flax's GRU and LSTM cells compute, in ``flax.npz`` beside this file.

Needs an environment of its own, since JAX is too heavy for every test:

    pip install -e . jax==0.10.2 flax==0.12.8
    python tests/course/recordings/record_flax.py

Both interfaces, linen and nnx, in float64 on the CPU.
"""

import os
from pathlib import Path

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1"

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from autograder.course import convert
from autograder.course.recordings import Case, save

T, B, D, H = 40, 3, 4, 5


def walk(step, xs, carry):
    """Carry a cell along a sequence; the outputs (T, B, H) and the last carry, in NumPy."""
    outputs = []
    for x in xs:
        carry, y = step(carry, jnp.asarray(x))
        outputs.append(np.asarray(y))
    return np.stack(outputs), jax.tree.map(np.asarray, carry)


def linen(cell_type, carry, rng, weights=None):
    cell = cell_type(features=H, param_dtype=jnp.float64)
    start = cell.init(jax.random.key(0), carry, jnp.zeros((B, D)))["params"]
    if weights is None:
        weights = jax.tree.map(lambda leaf: rng.uniform(-1, 1, leaf.shape), start)
    assert jax.tree.structure(weights) == jax.tree.structure(dict(start))
    return weights, lambda carry, x: cell.apply({"params": weights}, carry, x)


def with_nnx(cell_type, rng, weights=None):
    cell = cell_type(D, H, param_dtype=jnp.float64, rngs=nnx.Rngs(0))
    state = nnx.to_pure_dict(nnx.state(cell, nnx.Param))
    if weights is None:
        weights = jax.tree.map(lambda leaf: rng.uniform(-1, 1, leaf.shape), state)
    assert jax.tree.structure(weights) == jax.tree.structure(state)
    nnx.update(cell, jax.tree.map(jnp.asarray, weights))
    return weights, cell


def main():
    rng = np.random.default_rng(32)
    xs = rng.normal(size=(T, B, D))
    h0, c0 = rng.uniform(-1, 1, (2, B, H))
    gru_carry, lstm_carry = jnp.asarray(h0), (jnp.asarray(c0), jnp.asarray(h0))
    facts = {"docstring shows b_hn": str("b_{hn}" in nnx.GRUCell.__doc__)}
    cases = {}

    def record(name, spelling, weights, step, carry, facts=None):
        hs, last = walk(step, xs, carry)
        arrays = {"xs": xs, "h0": h0, "hs": hs}
        if carry is lstm_carry:
            arrays |= {"c0": c0, "cs": last[0]}
        cases[name] = Case(spelling, weights, arrays, facts or {})

    record("linen_gru", "flax.linen.GRUCell", *linen(nn.GRUCell, gru_carry, rng), gru_carry)
    record("linen_lstm", "flax.linen.LSTMCell", *linen(nn.LSTMCell, lstm_carry, rng), lstm_carry)
    record("nnx_gru", "flax.nnx.GRUCell", *with_nnx(nnx.GRUCell, rng), gru_carry, facts)
    record("nnx_lstm", "flax.nnx.LSTMCell", *with_nnx(nnx.LSTMCell, rng), lstm_carry)
    record(
        "nnx_optimized_lstm",
        "flax.nnx.OptimizedLSTMCell",
        *with_nnx(nnx.OptimizedLSTMCell, rng),
        lstm_carry,
    )

    # The other direction: weights of PyTorch, converted, loaded into Flax.
    shapes = {"weight_ih_l0": (3 * H, D), "weight_hh_l0": (3 * H, H)}
    shapes |= {"bias_ih_l0": (3 * H,), "bias_hh_l0": (3 * H,)}
    state = {name: rng.uniform(-1, 1, shape) for name, shape in shapes.items()}
    cases["torch"] = Case("torch.nn.GRU", state, {})
    written = convert.convert(state, "torch.nn.GRU", "flax.linen.GRUCell")
    record("written", "flax.linen.GRUCell", *linen(nn.GRUCell, gru_carry, rng, written), gru_carry)
    state = {**state, "bias_hh_l0": np.zeros(3 * H)}
    written = convert.convert(state, "torch.nn.GRU", "flax.nnx.GRUCell")
    record("nnx_written", "flax.nnx.GRUCell", *with_nnx(nnx.GRUCell, rng, written), gru_carry)

    versions = {"flax": flax.__version__, "jax": jax.__version__}
    save(Path(__file__).with_name("flax.npz"), versions, cases)


if __name__ == "__main__":
    main()
