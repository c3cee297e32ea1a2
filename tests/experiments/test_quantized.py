"""Weights in eight bits: what is packed comes back, and what cannot be packed says why."""

import numpy as np
import pytest

from experiments.quantized import dequantize, quantize


@pytest.mark.parametrize("shape", [(9,), (1,), (4, 7), (1, 1), (300, 2)])
def test_quantized_numbers_are_within_half_a_step(shape):
    array = np.random.default_rng(6).normal(size=shape)
    q = quantize(array)
    back = dequantize(q)
    assert back.shape == shape and back.dtype == np.float32 and q["shape"] == list(shape)
    rows = array if array.ndim == 2 else array[None]
    step = np.abs(rows).max(1, keepdims=True) / 127
    assert np.all(np.abs(back.reshape(rows.shape) - rows) <= step / 2 * 1.001)
    assert np.abs(back).max() == pytest.approx(np.abs(array).max(), rel=1e-6)


def test_quantizing_again_changes_nothing():
    back = dequantize(quantize(np.random.default_rng(7).normal(size=(6, 11))))
    assert dequantize(quantize(back)) == pytest.approx(back, rel=1e-6)


def test_rows_of_zeros_have_scale_one():
    q = quantize(np.array([[0.0, 0.0], [1.0, -2.0]]))
    assert dequantize(q).tolist() == [[0, 0], [pytest.approx(1, abs=0.01), -2]]
    assert dequantize(q | {"data": quantize(np.ones((2, 2)))["data"]})[0].tolist() == [127, 127]


@pytest.mark.parametrize(
    ("array", "help"),
    [
        ([1.0, np.nan], "save weights that are finite"), ([[np.inf]], "save weights that are finite"),
        ([1e300], "beyond float32"), (np.zeros((2, 2, 2)), "reshape it"), (3.0, "reshape it"), ([], "leave it out"),
    ],
)  # fmt: skip
def test_what_cannot_be_quantized_says_what_to_do(array, help):
    with pytest.raises(ValueError, match=help):
        quantize(np.array(array))


def test_a_cut_text_is_noticed():
    q = quantize(np.ones((3, 4)))
    with pytest.raises(ValueError, match="quantize it again"):
        dequantize(q | {"shape": [3, 5]})
