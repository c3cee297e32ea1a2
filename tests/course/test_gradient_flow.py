"""The norm of a gradient by lag, held to autograd over the whole sequence and to the RNN's own."""

import pytest
import torch

from autograder.course import gradient_flow, reference

T, B, D, H = 6, 3, 2, 4


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def inputs():
    return torch.randn(T, B, D, generator=torch.Generator().manual_seed(5))


def by_autograd(family, xs, params, lag, rows):
    """The norm for one lag, from one long graph instead of a product of matrices."""
    norms = []
    for n in range(B):
        one = xs[:, n : n + 1]
        memory = gradient_flow.memories(family, one, params)[T - 1 - lag]

        def rest(m, one=one):
            for x in one[T - lag :]:
                m = gradient_flow.step(family, x, m, params)
            return m

        jacobian = torch.autograd.functional.jacobian(rest, memory)[0, :, 0, :]
        norms.append(torch.linalg.matrix_norm(jacobian[rows, rows], ord=2))
    return torch.stack(norms).mean()


@pytest.mark.parametrize(
    "family, part, rows",
    [
        ("rnn", "h", slice(None)),
        ("gru", "h", slice(None)),
        ("lstm", "h", slice(H)),
        ("lstm", "c", slice(H, None)),
    ],
)
def test_products_of_jacobians_agree_with_one_long_graph(family, part, rows):
    params = gradient_flow.initial_params(family, D, H, seed=3)
    found = gradient_flow.flow(family, inputs(), params)[part]
    wanted = torch.stack([by_autograd(family, inputs(), params, lag, rows) for lag in range(T)])
    assert found.shape == (T,) and torch.allclose(found, wanted, rtol=1e-12, atol=0)


def test_the_vanilla_rnn_agrees_with_the_reference():
    params = gradient_flow.initial_params("rnn", D, H, seed=3)
    hs = reference.rnn_forward(inputs(), torch.zeros(B, H), params)
    found = gradient_flow.flow("rnn", inputs(), params)["h"]
    assert torch.allclose(found, reference.gradient_by_lag(hs, params), rtol=1e-12, atol=0)


def test_keep_moves_one_bias_and_nothing_else():
    for family, gate, sign in (("lstm", "b_f", 1), ("gru", "b_z", -1)):
        plain = gradient_flow.initial_params(family, D, H, seed=1)
        moved = gradient_flow.initial_params(family, D, H, seed=1, keep=2.0)
        for name in plain:
            shift = sign * 2.0 if name == gate else 0.0
            assert torch.equal(moved[name], plain[name] + shift)
    with pytest.raises(ValueError, match="no gate"):
        gradient_flow.initial_params("rnn", D, H, seed=1, keep=2.0)
