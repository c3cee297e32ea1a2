"""The reference RNN and LSTM against torch, the ONNX evaluator and steps worked by hand."""

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator

from autograder.course import reference

F64 = torch.float64
sizes = st.tuples(*(st.integers(1, 6) for _ in range(4)))
seeds = st.integers(0, 2**32 - 1)


def house_params(gates, D, H, generator, dtype=F64):
    shapes = {f"W_{g}": (H, H + D) for g in gates} | {f"b_{g}": (H,) for g in gates}
    return {
        name: torch.randn(shape, generator=generator, dtype=dtype) for name, shape in shapes.items()
    }


def close(ours, theirs):
    return (ours - theirs).abs().max() <= 1e-12 * (1 + theirs.abs().max())


@given(sizes, seeds)
@settings(max_examples=40, deadline=None)
def test_the_rnn_is_torch_rnn_in_values_and_gradients(sizes, seed):
    T, B, D, H = sizes
    torch.manual_seed(seed)
    layer = torch.nn.RNN(D, H).to(F64)
    xs = torch.randn(T, B, D, dtype=F64, requires_grad=True)
    h0 = torch.randn(B, H, dtype=F64, requires_grad=True)
    weight = torch.randn(T, B, H, dtype=F64)
    leaves = [xs, h0, *layer.parameters()]

    theirs, _ = layer(xs, h0[None])
    ours = reference.rnn_forward(xs, h0, reference.rnn_params_from_torch(*layer.parameters()))

    assert close(ours, theirs)
    for mine, other in zip(
        torch.autograd.grad((ours * weight).sum(), leaves),
        torch.autograd.grad((theirs * weight).sum(), leaves),
        strict=True,
    ):
        assert close(mine, other)


@given(sizes, seeds)
@settings(max_examples=40, deadline=None)
def test_the_lstm_is_torch_lstm_in_values_and_gradients(sizes, seed):
    T, B, D, H = sizes
    torch.manual_seed(seed)
    layer = torch.nn.LSTM(D, H).to(F64)
    xs = torch.randn(T, B, D, dtype=F64, requires_grad=True)
    h0, c0 = (torch.randn(B, H, dtype=F64, requires_grad=True) for _ in range(2))
    weight, cell_weight = torch.randn(T, B, H, dtype=F64), torch.randn(B, H, dtype=F64)
    leaves = [xs, h0, c0, *layer.parameters()]

    theirs, (_, their_cell) = layer(xs, (h0[None], c0[None]))
    hs, cs = reference.lstm_forward(
        xs, h0, c0, reference.lstm_params_from_torch(*layer.parameters())
    )

    assert close(hs, theirs) and close(cs[-1], their_cell[0])
    our_loss = (hs * weight).sum() + (cs[-1] * cell_weight).sum()
    their_loss = (theirs * weight).sum() + (their_cell[0] * cell_weight).sum()
    for mine, other in zip(
        torch.autograd.grad(our_loss, leaves),
        torch.autograd.grad(their_loss, leaves),
        strict=True,
    ):
        assert close(mine, other)


def onnx_states(operator, order, params, xs, *initial):
    """All states that an ONNX recurrent operator gives, in float64, step by step.

    ``order`` names the gates in the operator's order of rows; its second bias stays zero.
    """
    H = initial[0].shape[1]
    W = np.concatenate([params[f"W_{gate}"].numpy()[:, H:] for gate in order])[None]
    R = np.concatenate([params[f"W_{gate}"].numpy()[:, :H] for gate in order])[None]
    b = np.concatenate([params[f"b_{gate}"].numpy() for gate in order])
    feed = {"X": xs.numpy(), "W": W, "R": R, "B": np.concatenate([b, 0 * b])[None]}
    state_names = ["h", "c"][: len(initial)]
    outputs = ["Y", *(f"Y_{name}" for name in state_names)]
    node = helper.make_node(operator, [*feed, "", *state_names], outputs, hidden_size=H)
    double = onnx.TensorProto.DOUBLE
    graph = helper.make_graph(
        [node],
        operator,
        [helper.make_tensor_value_info(name, double, None) for name in (*feed, *state_names)],
        [helper.make_tensor_value_info(name, double, None) for name in outputs[1:]],
    )
    evaluator = ReferenceEvaluator(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])
    )
    states = [value.numpy()[None] for value in initial]
    steps = []
    for x in feed["X"]:  # the evaluator returns all states of one call only for T = 1
        given = dict(zip(state_names, states, strict=True))
        found = evaluator.run(outputs[1:], {**feed, "X": x[None], **given})
        states = [value.reshape(1, *initial[0].shape) for value in found]
        steps.append(states)
    return [np.concatenate(values) for values in zip(*steps, strict=True)]


def test_the_rnn_agrees_with_the_onnx_evaluator():
    generator = torch.Generator().manual_seed(3)
    T, B, D, H = 7, 3, 4, 5
    params = house_params("h", D, H, generator)
    xs = torch.randn(T, B, D, generator=generator, dtype=F64)
    h0 = torch.randn(B, H, generator=generator, dtype=F64)
    (theirs,) = onnx_states("RNN", "h", params, xs, h0)
    assert np.abs(reference.rnn_forward(xs, h0, params).numpy() - theirs).max() < 1e-12


def test_the_lstm_agrees_with_the_onnx_evaluator():
    generator = torch.Generator().manual_seed(4)
    T, B, D, H = 7, 3, 4, 5
    params = house_params("fico", D, H, generator)
    xs = torch.randn(T, B, D, generator=generator, dtype=F64)
    h0, c0 = (torch.randn(B, H, generator=generator, dtype=F64) for _ in range(2))
    hs, cs = reference.lstm_forward(xs, h0, c0, params)
    their_hs, their_cs = onnx_states("LSTM", "iofc", params, xs, h0, c0)
    assert np.abs(hs.numpy() - their_hs).max() < 1e-12
    assert np.abs(cs.numpy() - their_cs).max() < 1e-12


def tensor(rows):
    return torch.tensor(rows, dtype=F64)


def test_an_rnn_step_worked_by_hand():
    """Sums 0.5 * 2 + 0 + 1 - 1 = 1 and 0 - 0.5 + 1 - 0.5 = 0; tanh(1) = 0.7616."""
    params = {"W_h": tensor([[2, 0, 1], [0, 1, 1]]), "b_h": tensor([-1, -0.5])}
    h = reference.rnn_step(tensor([[1]]), tensor([[0.5, -0.5]]), params)
    assert (h - tensor([[0.7616, 0]])).abs().max() < 5e-5


def test_an_lstm_step_worked_by_hand():
    """One unit: f = σ(1) = 0.7311, i = σ(0) = 0.5, candidate = tanh(1) = 0.7616, o = σ(-1) = 0.2689.

    c = 0.7311 * 2 + 0.5 * 0.7616 = 1.8430; tanh(c) = 0.9511; h = 0.2689 * 0.9511 = 0.2558.
    """
    params = {
        "W_f": tensor([[1, 1]]),
        "b_f": tensor([-0.5]),
        "W_i": tensor([[2, -1]]),
        "b_i": tensor([0]),
        "W_c": tensor([[2, 0.5]]),
        "b_c": tensor([-0.5]),
        "W_o": tensor([[-2, -1]]),
        "b_o": tensor([1]),
    }
    x, h_prev, c_prev = tensor([[1]]), tensor([[0.5]]), tensor([[2]])
    found = {
        "f": reference.forget_gate(x, h_prev, params),
        "i": reference.input_gate(x, h_prev, params),
        "candidate": reference.candidate_cell(x, h_prev, params),
        "o": reference.output_gate(x, h_prev, params),
    }
    found["h"], found["c"] = reference.lstm_step(x, h_prev, c_prev, params)
    worked = {"f": 0.7311, "i": 0.5, "candidate": 0.7616, "o": 0.2689, "h": 0.2558, "c": 1.8430}
    for name, value in worked.items():
        assert abs(found[name].item() - value) < 1e-4, name


@given(sizes, seeds)
@settings(max_examples=20, deadline=None)
def test_gradient_by_lag_is_the_norm_of_the_jacobian_that_autograd_finds(sizes, seed):
    T, B, D, H = sizes
    generator = torch.Generator().manual_seed(seed)
    params = house_params("h", D, H, generator)
    xs = torch.randn(T, B, D, generator=generator, dtype=F64)
    h0 = torch.randn(B, H, generator=generator, dtype=F64)
    hs = reference.rnn_forward(xs, h0, params)
    found = reference.gradient_by_lag(hs, params)
    assert found[0] == 1
    for lag in range(1, T):
        norms = []
        for b in range(B):
            later = xs[T - lag :, b : b + 1]

            def last(h, later=later):
                return reference.rnn_forward(later, h[None], params)[-1, 0]

            jacobian = torch.autograd.functional.jacobian(last, hs[T - 1 - lag, b])
            norms.append(torch.linalg.matrix_norm(jacobian, ord=2))
        assert close(found[lag], torch.stack(norms).mean())


def test_gradients_are_clipped_by_one_global_norm():
    """Norm sqrt(3² + 4² + 12²) = 13."""
    grads = {"W_h": tensor([[3, 0], [0, 4]]), "b_h": tensor([12, 0])}
    clipped = reference.clip_gradients(grads, 6.5)
    assert torch.equal(clipped["W_h"], tensor([[1.5, 0], [0, 2]]))
    assert torch.equal(clipped["b_h"], tensor([6, 0]))
    for max_norm in (13.0, 26.0):
        assert all(
            torch.equal(v, grads[k]) for k, v in reference.clip_gradients(grads, max_norm).items()
        )
    zero = reference.clip_gradients({"b_h": torch.zeros(3, dtype=F64)}, 1.0)
    assert torch.equal(zero["b_h"], torch.zeros(3, dtype=F64))


@given(seeds, st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_clipping_is_torch_clip_grad_norm_without_its_small_constant(seed, max_norm):
    generator = torch.Generator().manual_seed(seed)
    grads = house_params("h", 3, 4, generator)
    leaves = [torch.nn.Parameter(torch.zeros_like(g)) for g in grads.values()]
    for leaf, g in zip(leaves, grads.values(), strict=True):
        leaf.grad = g.clone()
    torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    for leaf, ours in zip(leaves, reference.clip_gradients(grads, max_norm).values(), strict=True):
        assert (leaf.grad - ours).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_functions_follow_the_dtype_of_their_inputs(dtype):
    generator = torch.Generator().manual_seed(5)
    params = house_params("hfico", 3, 4, generator, dtype)
    xs, h0 = torch.ones(6, 2, 3, dtype=dtype), torch.ones(2, 4, dtype=dtype)
    hs = reference.rnn_forward(xs, h0, params)
    both = reference.lstm_forward(xs, h0, h0, params)
    assert {value.dtype for value in (hs, *both)} == {dtype}
    assert {tuple(value.shape) for value in (hs, *both)} == {(6, 2, 4)}
    assert torch.equal(hs[0], reference.rnn_step(xs[0], h0, params))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_on_the_gpu_the_references_are_cudnn_in_float64():
    """In float64, which TF32 does not touch."""
    torch.manual_seed(7)
    xs = torch.randn(40, 4, 5, dtype=F64, device="cuda")
    h0, c0 = (torch.randn(4, 8, dtype=F64, device="cuda") for _ in range(2))
    rnn, lstm = torch.nn.RNN(5, 8).to(xs), torch.nn.LSTM(5, 8).to(xs)
    ours = reference.rnn_forward(xs, h0, reference.rnn_params_from_torch(*rnn.parameters()))
    assert ours.is_cuda and close(ours, rnn(xs, h0[None])[0])
    params = reference.lstm_params_from_torch(*lstm.parameters())
    hs, cs = reference.lstm_forward(xs, h0, c0, params)
    theirs, (_, their_cell) = lstm(xs, (h0[None], c0[None]))
    assert hs.is_cuda and close(hs, theirs) and close(cs[-1], their_cell[0])
