"""The reference against torch.nn.GRU, the ONNX evaluator and a step worked by hand."""

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator

from autograder.course import hand_example, reference

F64 = torch.float64
sizes = st.tuples(*(st.integers(1, 6) for _ in range(4)))


def house_params(D, H, generator, reset="before", dtype=F64):
    names = {f"W_{g}": (H, H + D) for g in "zrh"} | {f"b_{g}": (H,) for g in "zrh"}
    if reset == "after":
        names["b_hn"] = (H,)
    return {
        name: torch.randn(shape, generator=generator, dtype=dtype) for name, shape in names.items()
    }


def library_layer(D, H, seed, dtype=F64):
    torch.manual_seed(seed)
    return torch.nn.GRU(D, H).to(dtype)


@given(sizes=sizes, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_keep_after_is_torch_gru_in_values_and_gradients(deviation, sizes, seed):
    T, B, D, H = sizes
    layer = library_layer(D, H, seed)
    xs = torch.randn(T, B, D, dtype=F64, requires_grad=True)
    h0 = torch.randn(B, H, dtype=F64, requires_grad=True)
    weight = torch.randn(T, B, H, dtype=F64)
    leaves = [xs, h0, *layer.parameters()]

    theirs, last = layer(xs, h0[None])
    params = reference.params_from_torch(*layer.parameters())
    ours = reference.gru_forward(xs, h0, params, update="keep", reset="after")

    apart = (ours - theirs).detach().abs().max()
    assert deviation("reference and torch.nn.GRU, states", apart) < 1e-12
    assert torch.equal(theirs[-1], last[0])
    their_gradients = torch.autograd.grad((theirs * weight).sum(), leaves)
    our_gradients = torch.autograd.grad((ours * weight).sum(), leaves)
    for a, b in zip(our_gradients, their_gradients, strict=True):
        apart = (a - b).abs().max() / (1 + b.abs().max())
        assert deviation("reference and torch.nn.GRU, gradients (relative)", apart) <= 1e-12


def onnx_gru(params, xs, h0, linear_before_reset):
    """The states of ONNX's GRU, in float64, by the ``onnx`` package's reference evaluator.

    ONNX stacks z, r, h; its z keeps, so the course's update gate enters with its sign flipped.
    ``linear_before_reset`` 1 is reset after the product, 0 before (ONNX operator GRU-14/22).
    """
    H = h0.shape[1]
    flipped = reference.flip_update_gate(params)
    order = ("z", "r", "h")
    W = np.concatenate([flipped[f"W_{g}"].numpy()[:, H:] for g in order])[None]
    R = np.concatenate([flipped[f"W_{g}"].numpy()[:, :H] for g in order])[None]
    zeros = np.zeros(H)
    recurrent = [zeros, zeros, params["b_hn"].numpy() if "b_hn" in params else zeros]
    bias = np.concatenate([flipped[f"b_{g}"].numpy() for g in order] + recurrent)[None]
    node = helper.make_node(
        "GRU",
        ["X", "W", "R", "B", "", "h0"],
        ["Y", "Y_h"],
        hidden_size=H,
        linear_before_reset=linear_before_reset,
    )
    double = onnx.TensorProto.DOUBLE
    names = ("X", "W", "R", "B", "h0")
    graph = helper.make_graph(
        [node],
        "gru",
        [helper.make_tensor_value_info(name, double, None) for name in names],
        [helper.make_tensor_value_info("Y", double, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])
    feed = {"X": xs.numpy(), "W": W, "R": R, "B": bias, "h0": h0.numpy()[None]}
    states, h = [], feed["h0"]
    for x in feed["X"]:  # the evaluator returns all states of one call only for T = 1
        (y,) = ReferenceEvaluator(model).run(["Y"], {**feed, "X": x[None], "h0": h})
        h = y.reshape(1, *h0.shape)
        states.append(h[0])
    return np.stack(states)


@pytest.mark.parametrize("reset", reference.RESETS)
@pytest.mark.parametrize("update", reference.UPDATES)
def test_all_four_conventions_agree_with_the_onnx_evaluator(deviation, update, reset):
    generator = torch.Generator().manual_seed(3)
    T, B, D, H = 7, 3, 4, 5
    params = house_params(D, H, generator, reset)
    xs = torch.randn(T, B, D, generator=generator, dtype=F64)
    h0 = torch.randn(B, H, generator=generator, dtype=F64)
    ours = reference.gru_forward(xs, h0, params, update, reset)
    same_model = params if update == "replace" else reference.flip_update_gate(params)
    theirs = onnx_gru(same_model, xs, h0, linear_before_reset=int(reset == "after"))
    apart = np.abs(ours.numpy() - theirs).max()
    assert deviation(f"reference and ONNX evaluator, reset {reset}", apart) < 1e-12


def test_the_two_reset_placements_are_different_models():
    generator = torch.Generator().manual_seed(4)
    params = house_params(2, 3, generator)
    x, h = torch.randn(4, 2, generator=generator, dtype=F64), torch.randn(4, 3, dtype=F64)
    before, after = (reference.gru_step(x, h, params, reset=r) for r in reference.RESETS)
    assert (before - after).abs().max() > 0.01


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_with_one_unit_the_two_reset_placements_are_the_same_model(seed):
    generator = torch.Generator().manual_seed(seed)
    params = house_params(3, 1, generator)
    x = torch.randn(2, 3, generator=generator, dtype=F64)
    h = torch.randn(2, 1, generator=generator, dtype=F64)
    before, after = (reference.gru_step(x, h, params, reset=r) for r in reference.RESETS)
    assert (before - after).abs().max() < 1e-14


@given(sizes, st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_flipping_the_update_gate_changes_the_convention_and_nothing_else(sizes, seed):
    T, B, D, H = sizes
    generator = torch.Generator().manual_seed(seed)
    params = house_params(D, H, generator)
    xs = torch.randn(T, B, D, generator=generator, dtype=F64)
    h0 = torch.randn(B, H, generator=generator, dtype=F64)
    replace = reference.gru_forward(xs, h0, params, "replace")
    keep = reference.gru_forward(xs, h0, reference.flip_update_gate(params), "keep")
    assert (replace - keep).abs().max() < 1e-13
    twice = reference.flip_update_gate(reference.flip_update_gate(params))
    assert all(torch.equal(twice[name], params[name]) for name in params)


def test_the_step_worked_by_hand():
    x, h_prev, params = hand_example.arrays()
    given = {name: torch.from_numpy(value) for name, value in params.items()}
    x, h_prev = torch.from_numpy(x), torch.from_numpy(h_prev)
    z, r = reference.update_gate(x, h_prev, given), reference.reset_gate(x, h_prev, given)
    found = {
        "z": z,
        "r": r,
        "candidate": reference.candidate_state(x, h_prev, r, given),
        "h": reference.gru_step(x, h_prev, given),
    }
    for name, value in found.items():
        by_hand = torch.tensor(hand_example.WORKED[name], dtype=F64)
        assert (value - by_hand).abs().max() < hand_example.WORKED_TOLERANCE, name


@pytest.mark.parametrize("reset", reference.RESETS)
@pytest.mark.parametrize("update", reference.UPDATES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_layer_follows_its_dtype_and_equals_the_functions(update, reset, dtype):
    torch.manual_seed(5)
    layer = reference.GRU(3, 4, update, reset).to(dtype)
    xs = torch.randn(6, 2, 3, dtype=dtype)
    hs, last = layer(xs)
    assert hs.dtype == dtype and hs.shape == (6, 2, 4)
    assert torch.equal(hs[-1], last)
    h0 = torch.zeros(2, 4, dtype=dtype)
    assert torch.equal(
        hs, reference.gru_forward(xs, h0, dict(layer.named_parameters()), update, reset)
    )


def test_unknown_conventions_are_refused_by_name():
    with pytest.raises(ValueError, match="'replace', 'keep'"):
        reference.GRU(2, 3, update="replce")
    generator = torch.Generator().manual_seed(6)
    params = house_params(2, 3, generator)
    x, h = torch.zeros(1, 2, dtype=F64), torch.zeros(1, 3, dtype=F64)
    with pytest.raises(ValueError, match="'before', 'after'"):
        reference.gru_step(x, h, params, reset="during")
    with pytest.raises(ValueError, match="'replace', 'keep'"):
        reference.gru_step(x, h, params, update="swap")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_on_the_gpu_the_reference_is_cudnn_in_float64():
    """In float64, which TF32 does not touch."""
    layer = library_layer(5, 8, seed=7).cuda()
    xs = torch.randn(40, 4, 5, dtype=F64, device="cuda")
    h0 = torch.randn(4, 8, dtype=F64, device="cuda")
    params = reference.params_from_torch(*layer.parameters())
    ours = reference.gru_forward(xs, h0, params, "keep", "after")
    assert ours.is_cuda
    assert (ours - layer(xs, h0[None])[0]).abs().max() < 1e-12
