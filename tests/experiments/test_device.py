"""The step on a device: every way to compute it is the same net, and what cannot be had is named."""

import json

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from autograder.course import reference
from experiments import models
from experiments.claims import Missing
from experiments.device import compiled as in_c
from experiments.device import exported as in_onnx
from experiments.device import measured
from experiments.speech import Stream
from experiments.training import Reader, count_parameters

pytestmark = pytest.mark.usefixtures("one_thread")
needs_compiler = pytest.mark.skipif(in_c.compiler() is None, reason="no C compiler here")
FAMILIES = st.sampled_from(["gru", "lstm"])
SMALL = st.integers(1, 7)


def drawn(family: str, inputs: int = 3, hidden: int = 4, classes: int = 3, seed: int = 0) -> Reader:
    torch.manual_seed(seed)
    return Reader(family, inputs, classes, hidden, every_step=True).eval()


def frames(inputs: int, steps: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(steps, inputs)).astype(np.float32)


@torch.no_grad()
def by_torch(net: Reader, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and states of a stream, in the precision of the net, the whole sequence at once."""
    hs = net.memory(torch.from_numpy(xs).to(net.readout.weight.dtype)[None])[0][0]
    return net.readout(hs).softmax(-1).numpy(), hs.numpy()


# The reference.


@settings(deadline=None, max_examples=20)
@given(FAMILIES, SMALL, SMALL, SMALL, st.integers(1, 30), st.integers(0, 99))
def test_the_exact_step_is_torch_in_float64(family, inputs, hidden, classes, steps, seed):
    net, xs = drawn(family, inputs, hidden, classes, seed), frames(inputs, steps, seed)
    probabilities, states = measured.exact(net, xs), measured.exact_states(net, xs)
    wanted, hs = by_torch(net.double(), xs)
    assert np.abs(probabilities - wanted).max() < 1e-13 and np.abs(states - hs).max() < 1e-13


# C.


@needs_compiler
@settings(deadline=None, max_examples=6)
@given(FAMILIES, SMALL, SMALL, SMALL, st.integers(1, 60), st.integers(0, 99))
def test_c_is_torch(family, inputs, hidden, classes, steps, seed):
    """In float32 within 1e-6, and compiled for float64 as exactly as that counts."""
    net, xs = drawn(family, inputs, hidden, classes, seed), frames(inputs, steps, seed)
    with in_c.compiled(net) as single, in_c.compiled(net, in_c.FLOAT64) as double:
        ps, states = single.run(xs)
        exact_ps, exact_states = double.run(xs)
    wanted, hs = by_torch(net, xs)
    assert np.abs(ps - wanted).max() < 1e-6 and np.abs(states[:, :hidden] - hs).max() < 1e-6
    wanted, hs = by_torch(net.double(), xs)
    assert np.abs(exact_ps - wanted).max() < 1e-12
    assert np.abs(exact_states[:, :hidden] - hs).max() < 1e-12


@needs_compiler
@pytest.mark.parametrize("family", ["gru", "lstm"])
def test_a_stream_in_c_goes_on_where_it_stopped(family):
    net, xs = drawn(family), frames(3, 50)
    with in_c.compiled(net) as step:
        ps, states = step.run(xs)
        again = step.run(xs[20:], states[19])[0]
        one_by_one, state = [], None
        for x in xs:
            p, after = step.run(x[None], state)
            one_by_one.append(p[0])
            state = after[0]
    assert np.array_equal(again, ps[20:]) and np.array_equal(one_by_one, ps)
    assert np.array_equal(step.stream(xs), ps)


@needs_compiler
@pytest.mark.parametrize("family", ["gru", "lstm"])
def test_integers_in_c_are_the_course_s(family):
    """A net whose matrices went through `quantize` and back, computed in float32."""
    from experiments.quantized import dequantize, quantize

    net, xs = drawn(family, hidden=9), frames(3, 80)
    with in_c.compiled(net, in_c.INT8) as step:
        ps = step.stream(xs)
    with torch.no_grad():
        for weights in net.parameters():
            if weights.ndim == 2:
                weights.copy_(torch.from_numpy(dequantize(quantize(weights.numpy()))))
    assert np.abs(ps - by_torch(net, xs)[0]).max() < 1e-6


@needs_compiler
@pytest.mark.parametrize("family", ["gru", "lstm"])
def test_large_numbers_stay_finite_in_c(family):
    net = drawn(family)
    with torch.no_grad():
        for weights in net.parameters():
            weights *= 1000
    with in_c.compiled(net) as step:
        ps, states = step.run(1000 * frames(3, 20))
    assert np.isfinite(ps).all() and np.isfinite(states).all() and np.allclose(ps.sum(1), 1)


@needs_compiler
@pytest.mark.parametrize("family", ["gru", "lstm"])
def test_the_footprint_is_what_is_stored(family):
    net = drawn(family)
    found = in_c.footprint(net)
    assert found["weights"] == 4 * count_parameters(net)
    assert found["state"] == (32 if family == "lstm" else 16)
    if "constants" in found:  # the arrays, and a number or two of the code
        assert 0 <= found["constants"] - found["weights"] < 128
        assert 0 < found["code"] < 4096
    integers = in_c.footprint(net, in_c.INT8)
    assert integers["weights"] < found["weights"]


@needs_compiler
def test_what_the_compiler_says_is_told(tmp_path):
    bad = tmp_path / "bad.c"
    bad.write_text("int f(int unused) { return 0; }\n")
    with pytest.raises(RuntimeError, match="unused parameter"):
        in_c.asked(in_c.compiler(), *in_c.FLAGS, "-c", str(bad), "-o", str(tmp_path / "bad.o"))


def test_the_source_names_no_library_but_math():
    for family in ("gru", "lstm"):
        text = (in_c.HERE / f"{family}_step.c").read_text(encoding="utf-8")
        included = [line.split()[1] for line in text.splitlines() if line.startswith("#include")]
        assert included == ["<math.h>", '"net.h"', '"weights.h"'] and len(text.splitlines()) <= 85
        assert "malloc" not in text


@settings(deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_a_weight_in_c_is_that_weight(values):
    text = in_c.in_c(np.array(values, np.float32))
    back = [np.float32(number.rstrip("f")) for number in text.strip("{}").split(",")]
    assert back == [np.float32(value) for value in values]


def test_a_net_that_has_no_source_is_named():
    net = Reader("rnn", 3, 2, 4)
    with pytest.raises(ValueError, match=r"no C source for RNN\(3, 4"):
        in_c.family(net)
    with pytest.raises(ValueError, match="one GRU or LSTM, in one direction"):
        in_c.family(Reader("gru", 3, 2, 4, layers=2))


def test_without_a_compiler_it_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert in_c.compiler() is None and in_c.compiler_version() is None
    with (
        pytest.raises(in_c.NoCompiler, match="none of cc, gcc, clang .* install one"),
        in_c.compiled(drawn("gru")),
    ):
        pass
    with pytest.raises(in_c.NoCompiler):
        in_c.footprint(drawn("gru"))
    with measured.ways(drawn("gru")) as found:
        assert set(measured.TITLES) - set(found) == {"c", "c_int8"}
    assert "recorded, on" in measured.where(measured.recorded())


def test_a_compiler_that_cannot_make_a_library_is_none(tmp_path, monkeypatch):
    """As one without the headers of the C library; the next that works is taken."""
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert in_c.compiler() is None
    with pytest.raises(in_c.NoCompiler):
        in_c.footprint(drawn("gru"))


# ONNX.


@settings(deadline=None, max_examples=10)
@given(FAMILIES, SMALL, SMALL, st.integers(1, 3), st.integers(1, 20), st.integers(0, 99))
def test_steps_and_sequence_are_the_same_model(family, inputs, hidden, batch, steps, seed):
    """Any batch, any length, the state carried over a cut."""
    net = drawn(family, inputs, hidden, seed=seed)
    step, sequence = (
        in_onnx.Session(in_onnx.exported(net, one_step=one_step)) for one_step in (True, False)
    )
    xs = np.random.default_rng(seed).normal(size=(batch, steps, inputs)).astype(np.float32)
    whole, last = sequence(xs, sequence.start(batch))
    state, found = step.start(batch), []
    for t in range(steps):
        answers, state = step(xs[:, t], state)
        found.append(answers)
    assert np.abs(np.stack(found, 1) - whole).max() < 1e-6
    assert all(np.abs(a - b).max() < 1e-6 for a, b in zip(state, last, strict=True))
    assert np.abs(whole[0] - by_torch(net, xs[0])[0]).max() < 1e-6
    cut = steps // 2
    if cut:
        first, state = sequence(xs[:, :cut], sequence.start(batch))
        rest, _ = sequence(xs[:, cut:], state)
        assert np.abs(np.concatenate([first, rest], 1) - whole).max() < 1e-6


def test_every_gru_says_that_its_reset_acts_after_the_product():
    for one_step in (True, False):
        assert in_onnx.check_reset(in_onnx.exported(drawn("gru"), one_step)) == 1
        assert in_onnx.check_reset(in_onnx.exported(drawn("lstm"), one_step)) == 0


@pytest.mark.parametrize(
    ("value", "says"), [(0, "linear_before_reset = 0"), (None, "no linear_before_reset")]
)
def test_another_reset_is_refused(value, says):
    model = in_onnx.with_reset(in_onnx.exported(drawn("gru"), one_step=False), value)
    with pytest.raises(ValueError, match=f"{says}.*torch.nn.GRU is 1.*dynamo=False"):
        in_onnx.check_reset(model)
    assert in_onnx.check_reset(in_onnx.with_reset(model, 1)) == 1


def test_a_gru_inside_another_graph_is_looked_at():
    model = onnx.load_from_string(in_onnx.with_reset(in_onnx.exported(drawn("gru"), False), 0))
    outer = onnx.helper.make_node("If", ["c"], ["y"], then_branch=model.graph)
    graph = onnx.helper.make_graph([outer], "outer", [], [])
    with pytest.raises(ValueError, match="linear_before_reset = 0"):
        in_onnx.check_reset(onnx.helper.make_model(graph).SerializeToString())


def test_reset_before_the_product_is_the_course_s_other_model():
    net, xs = drawn("gru", hidden=6), frames(3, 30)
    model = in_onnx.Session(in_onnx.with_reset(in_onnx.exported(net, one_step=False), 0))
    found = model(xs[None], model.start())[0][0]
    w = {name: p.detach() for name, p in net.memory.named_parameters()}
    h, states = torch.zeros(6), []
    for x in torch.from_numpy(xs):
        a = w["weight_ih_l0"] @ x + w["bias_ih_l0"]
        r, z = torch.sigmoid(a + w["weight_hh_l0"] @ h + w["bias_hh_l0"])[:12].chunk(2)
        before = w["weight_hh_l0"][12:] @ (r * h) + w["bias_hh_l0"][12:]
        h = (1 - z) * torch.tanh(a[12:] + before) + z * h
        states.append(h)
    wanted = net.readout(torch.stack(states)).softmax(-1).detach().numpy()
    assert np.abs(found - wanted).max() < 1e-6
    assert np.abs(found - by_torch(net, xs)[0]).max() > 1e-3
    after = reference.gru_forward(
        torch.from_numpy(xs)[:, None].double(), torch.zeros(1, 6).double(),
        reference.params_from_torch(*(p.double() for p in w.values())), "keep", "after",
    )[:, 0]  # fmt: skip
    assert torch.allclose(after, torch.from_numpy(measured.exact_states(net, xs)), atol=1e-13)


def test_integers_by_onnx_runtime_shrink_the_lstm_alone():
    sizes = {}
    for family in ("gru", "lstm"):
        model = in_onnx.exported(drawn(family, 8, 16), one_step=True)
        integers = in_onnx.in_integers(model)
        sizes[family] = in_onnx.stored(model), in_onnx.stored(integers)
        names = in_onnx.operators(integers)
        assert ("GRU" in names) == (family == "gru")
        assert ("DynamicQuantizeLSTM" in names) == (family == "lstm")
    before, after = sizes["gru"]
    assert after["float32"] >= before["float32"] - 4 * 3 * 16
    before, after = sizes["lstm"]
    assert after["float32"] < 0.3 * before["float32"]
    assert 0 <= after["int8"] - (4 * 16 * 24 + 3 * 16) < 16  # the matrices, and zero points


def test_integers_by_torch_shrink_both():
    for family in ("gru", "lstm"):
        net, xs = drawn(family, 8, 16), frames(8, 40)
        made = measured.quantized_by_torch(net)
        matrices = sum(p.numel() for p in net.parameters() if p.ndim == 2)
        assert measured.bytes_in_torch(made) == 4 * count_parameters(net) - 3 * matrices
        off = np.abs(measured.InTorch(made).stream(xs) - by_torch(net, xs)[0]).max()
        assert 0 < off < 0.05


# What is measured, and what is recorded.


def test_everything_is_measured_for_both_families():
    nets = {family: drawn(family, 3, 4, 11) for family in ("gru", "lstm")}
    xs = frames(3, 150)
    stream = Stream(xs, ((10, 30, 1), (60, 80, 4)))
    found = measured.measure(nets, {"validation": stream, "test": stream}, repeats=1)
    with_c = in_c.compiler() is not None
    names = [name for name in measured.TITLES if with_c or not name.startswith("c")]
    assert [(r["family"], r["way"]) for r in found["rows"]] == [(f, n) for f in nets for n in names]
    assert len(found["times"]) == 2 * len(found["rows"]) and found["words"] == 2
    for row in found["rows"]:
        assert row["misses"] <= 2 and 0 <= row["ends"] <= 100 and row["weights"] > 0
        assert row["off"] < (0.05 if "int8" in row["way"] else 1e-6)
    assert all(row["us"] > 0 for row in found["times"])
    assert len(found["sizes"]) == 4 * with_c


def test_the_threshold_is_that_of_the_fewest_errors(monkeypatch):
    answers = np.zeros((40, 11))
    answers[:, 10] = 1
    answers[20, 3], answers[38, 5] = 0.8, 0.5  # a word, and later a false alarm
    monkeypatch.setattr(measured, "said", lambda net, xs: answers)
    assert measured.chosen_threshold(None, Stream(np.zeros((40, 3)), ((10, 20, 3),))) == 0.55
    assert measured.errors(answers, Stream(np.zeros((40, 3)), ((10, 21, 3),)), 0.45) == {
        "misses": 0, "alarms": 1, "ends": 0.0,
    }  # fmt: skip


def test_what_is_recorded_is_of_the_shipped_nets():
    found = measured.recorded()
    for family, name in measured.NETS.items():
        assert found["nets"][family]["digest"] == measured.digest(models.loaded(name))
        assert found["nets"][family]["key"] == models.run_of(name).key
    rows = {(row["family"], row["way"]): row for row in found["rows"]}
    assert set(rows) == {(f, way) for f in measured.NETS for way in measured.TITLES}
    assert {row["round"] for row in found["times"]} == {"A", "B"}
    assert found["by"]["compiler"] and found["by"]["processor"] and found["by"]["commit"]


def test_the_recorded_bytes_are_those_of_today():
    """Whatever is exact is measured again; without a compiler the rest stands."""
    rows = {(row["family"], row["way"]): row for row in measured.recorded()["rows"]}
    for family, name in measured.NETS.items():
        with measured.ways(models.loaded(name)) as found:
            for way, made in found.items():
                assert rows[family, way]["weights"] == made.weights, (family, way)


def test_what_was_not_recorded_says_how_to_measure_it(tmp_path):
    with pytest.raises(Missing, match=r"device.json is not there; .*experiments device"):
        measured.recorded(tmp_path / "device.json")
    path = tmp_path / "device.json"
    path.write_text(json.dumps({"by": {"processor": "a chip"}}), encoding="utf-8")
    assert measured.recorded(path)["by"]["processor"] == "a chip"


def test_layers_in_torch_s_integers_are_on_their_way_out():
    with pytest.warns(DeprecationWarning, match="torchao"):
        torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.ReLU()), {nn.Linear})
