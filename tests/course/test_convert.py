"""The converters against the libraries: torch, the ONNX evaluator and ONNX Runtime run here;
Keras and Flax are too heavy for every test, their outputs are recorded in tests/course/recordings.

``pytest -rP tests/course/test_convert.py`` prints the largest deviations.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator

from autograder.course import reference
from autograder.course.convert import SPELLINGS, ConversionError, convert, torch_layer
from autograder.course.recordings import load

RECORDINGS = Path(__file__).parent / "recordings"
GRUS = [name for name, record in SPELLINGS.items() if record.cell == "gru"]
LSTMS = [name for name, record in SPELLINGS.items() if record.cell == "lstm"]
COURSE = [name for name in GRUS if name.startswith("course")]
HOUSE = {(SPELLINGS[name].update, SPELLINGS[name].reset): name for name in COURSE}
sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))
seeds = st.integers(0, 2**32 - 1)


def course_params(D, H, seed, cell="gru", dtype=np.float64, inner=False):
    rng = np.random.default_rng(seed)
    gates = "zrh" if cell == "gru" else "fico"
    params = {f"W_{g}": rng.uniform(-1, 1, (H, H + D)).astype(dtype) for g in gates}
    params |= {f"b_{g}": rng.uniform(-1, 1, H).astype(dtype) for g in gates}
    return params | ({"b_hn": rng.uniform(-1, 1, H).astype(dtype)} if inner else {})


def states(params, xs, h0, name="course", c0=None):
    """What the course's reference computes from a dict, in NumPy."""
    given = {key: torch.from_numpy(value) for key, value in params.items()}
    xs, h0 = torch.from_numpy(xs), torch.from_numpy(h0)
    if SPELLINGS[name].cell == "lstm":
        hs, cs = reference.lstm_forward(xs, h0, torch.from_numpy(c0), given)
        return hs.numpy(), cs[-1].numpy()
    record = SPELLINGS[name]
    return reference.gru_forward(xs, h0, given, record.update, record.reset).numpy()


def sequence(D, H, seed=0, T=6, B=3, dtype=np.float64):
    rng = np.random.default_rng(seed)
    draw = rng.normal(size=(T, B, D)), rng.uniform(-1, 1, (B, H)), rng.uniform(-1, 1, (B, H))
    return [array.astype(dtype) for array in draw]


def leaves(weights, path=()):
    if isinstance(weights, dict):
        return {
            k: v for key, value in weights.items() for k, v in leaves(value, (*path, key)).items()
        }
    if isinstance(weights, list):
        return {
            k: v for i, value in enumerate(weights) for k, v in leaves(value, (*path, i)).items()
        }
    return {path: weights}


def assert_same(one, other):
    one, other = leaves(one), leaves(other)
    assert one.keys() == other.keys()
    for key in one:
        assert one[key].dtype == other[key].dtype, key
        assert np.array_equal(one[key], other[key]), key


def same_reset(name):
    """The course's spelling whose equations a library's GRU follows."""
    return HOUSE[SPELLINGS[name].update, SPELLINGS[name].reset]


def report(what, deviation):
    print(f"{what}: largest deviation {deviation:.1e}")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("target", GRUS)
@given(sizes, seeds)
@settings(max_examples=15, deadline=None)
def test_a_gru_returns_from_every_spelling_unchanged(target, dtype, sizes, seed):
    start = same_reset(target)
    inner = SPELLINGS[target].reset == "after" and SPELLINGS[target].biases != "one"
    params = course_params(*sizes, seed, dtype=dtype, inner=inner)
    there = convert(params, start, target)
    back = convert(there, target, start)
    if not inner and SPELLINGS[target].reset == "after":
        assert not back.pop("b_hn").any()
    assert_same(back, params)
    assert_same(convert(there, target, target), there)


@pytest.mark.parametrize("target", LSTMS)
@given(sizes, seeds)
@settings(max_examples=15, deadline=None)
def test_an_lstm_returns_from_every_spelling_unchanged(target, sizes, seed):
    params = course_params(*sizes, seed, cell="lstm")
    there = convert(params, "course LSTM", target)
    assert_same(convert(there, target, "course LSTM"), params)


@given(sizes, seeds, st.sampled_from(GRUS), st.sampled_from(GRUS))
@settings(max_examples=60, deadline=None)
def test_any_two_grus_with_the_same_reset_exchange_weights(sizes, seed, one, other):
    if SPELLINGS[one].reset != SPELLINGS[other].reset:
        return
    params = course_params(*sizes, seed)
    first = convert(params, same_reset(one), one)
    direct = convert(first, one, other)
    assert_same(direct, convert(params, same_reset(one), other))


@given(sizes, seeds, st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_update_conventions_compute_the_same_states(sizes, seed, after):
    reset = ("before", "after")[after]
    params = course_params(*sizes, seed, inner=after)
    xs, h0, _ = sequence(*sizes, seed)
    keep, replace = HOUSE["keep", reset], HOUSE["replace", reset]
    kept = states(convert(params, replace, keep), xs, h0, keep)
    assert np.abs(kept - states(params, xs, h0, replace)).max() < 1e-13


@pytest.mark.parametrize("bias", [True, False])
def test_torch_layers_and_cells(bias):
    xs, h0, c0 = sequence(4, 5, T=40)
    worst = 0.0
    for cell in ("GRU", "LSTM"):
        torch.manual_seed(1)
        layer = getattr(torch.nn, cell)(4, 5, bias=bias).double()
        state = {name: value.numpy() for name, value in layer.state_dict().items()}
        start = torch.from_numpy(h0)[None], torch.from_numpy(c0)[None]
        with torch.no_grad():
            theirs = layer(torch.from_numpy(xs), start if cell == "LSTM" else start[0])[0].numpy()
        course = "course LSTM" if cell == "LSTM" else HOUSE["keep", "after"]
        params = convert(state, f"torch.nn.{cell}", course)
        ours = states(params, xs, h0, course, c0)
        worst = max(worst, np.abs((ours[0] if cell == "LSTM" else ours) - theirs).max())

        single = getattr(torch.nn, f"{cell}Cell")(4, 5).double()
        written = convert(params, course, f"torch.nn.{cell}Cell")
        single.load_state_dict({name: torch.from_numpy(value) for name, value in written.items()})
        carry = torch.from_numpy(h0), torch.from_numpy(c0)
        for x, expected in zip(xs, theirs, strict=True):
            with torch.no_grad():
                new = single(torch.from_numpy(x), carry if cell == "LSTM" else carry[0])
            carry = new if cell == "LSTM" else (new, None)
            worst = max(worst, np.abs(carry[0].numpy() - expected).max())
    report("torch", worst)
    assert worst < 1e-14


def test_one_layer_is_picked_out_of_a_stack():
    torch.manual_seed(2)
    stack = torch.nn.GRU(3, 4, num_layers=2, bidirectional=True).double()
    state = {name: value.numpy() for name, value in stack.state_dict().items()}
    chosen = torch_layer(state, layer=1, reverse=True)
    assert chosen["weight_ih_l0"].shape == (12, 8)
    assert np.array_equal(chosen["bias_hh_l0"], state["bias_hh_l1_reverse"])
    assert convert(chosen, "torch.nn.GRU", "keras.layers.GRU")["kernel"].shape == (8, 12)
    with pytest.raises(ConversionError, match="no array ends in _l2"):
        torch_layer(state, layer=2)


def onnx_model(name, weights, dtype):
    cell, _, attribute = name.removeprefix("onnx.").partition(", ")
    names = ["X", "W", "R", "B", "", "h0"] + ["c0"] * (cell == "LSTM")
    outputs = ["Y", "Y_h"] + ["Y_c"] * (cell == "LSTM")
    H = weights["R"].shape[2]
    options = {"linear_before_reset": int(bool(attribute))} if cell == "GRU" else {}
    node = helper.make_node(cell, names, outputs, hidden_size=H, **options)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        [node],
        "layer",
        [helper.make_tensor_value_info(n, kind, None) for n in names if n],
        [helper.make_tensor_value_info(n, kind, None) for n in outputs],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)


@pytest.mark.parametrize("name", [n for n in SPELLINGS if n.startswith("onnx")])
def test_onnx_evaluator_and_runtime(name):
    record, (xs, h0, c0) = SPELLINGS[name], sequence(4, 5, T=40)
    start = "course LSTM" if record.cell == "lstm" else HOUSE["replace", record.reset]
    params = course_params(4, 5, 3, cell=record.cell, inner=record.reset == "after")
    ours = states(params, xs, h0, start, c0)
    ours = ours[0] if record.cell == "lstm" else ours
    for run, dtype, bound in ((evaluate, np.float64, 1e-14), (execute, np.float32, 2e-6)):
        weights = convert({k: v.astype(dtype) for k, v in params.items()}, start, name)
        model = onnx_model(name, weights, dtype)
        feed = {"X": xs.astype(dtype), "h0": h0[None].astype(dtype), **weights}
        if record.cell == "lstm":
            feed["c0"] = c0[None].astype(dtype)
        deviation = np.abs(run(model, feed) - ours).max()
        report(f"{name}, {run.__name__}d in {np.dtype(dtype)}", deviation)
        assert deviation < bound


def evaluate(model, feed):
    """The specification's own evaluator; it returns all states only for T = 1, so step by step."""
    evaluator, hs, carry = ReferenceEvaluator(model), [], dict(feed)
    for x in feed["X"]:
        found = evaluator.run(None, {**carry, "X": x[None]})
        hs.append(found[1][0])
        carry |= dict(zip(("h0", "c0"), found[1:], strict=False))
    return np.stack(hs)


def execute(model, feed):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["Y"], feed)[0][:, 0]


CASES = [
    pytest.param(case, id=f"{path.stem}-{name}")
    for path in sorted(RECORDINGS.glob("*.npz"))
    for name, case in load(path)[1].items()
    if case.arrays
]


# On its torch back end, keras.ops.matmul turns float64 into float32; only this layer calls it.
BOUNDS = {"keras.layers.GRU, reset_after=False": 1e-6}


@pytest.mark.parametrize("case", CASES)
def test_recorded_libraries(case):
    record, arrays = SPELLINGS[case.spelling], case.arrays
    bound = BOUNDS.get(case.spelling, 1e-14)
    course = "course LSTM" if record.cell == "lstm" else same_reset(case.spelling)
    params = convert(case.weights, case.spelling, course)
    found = states(params, arrays["xs"], arrays["h0"], course, arrays.get("c0"))
    if record.cell == "lstm":
        deviation = max(
            np.abs(found[0] - arrays["hs"]).max(), np.abs(found[1] - arrays["cs"]).max()
        )
    else:
        deviation = np.abs(found - arrays["hs"]).max()
    report(case.spelling, deviation)
    assert deviation < bound


@pytest.mark.parametrize("library, target, name", [
    ("keras", "keras.layers.GRU", "written"),
    ("flax", "flax.linen.GRUCell", "written"),
    ("flax", "flax.nnx.GRUCell", "nnx_written"),
])  # fmt: skip
def test_what_the_libraries_computed_from_our_arrays_is_torch(library, target, name):
    """Weights of torch.nn.GRU, written by the converter, were loaded and run by the library."""
    cases = load(RECORDINGS / f"{library}.npz")[1]
    state, case = dict(cases["torch"].weights), cases[name]
    if SPELLINGS[target].biases == "one":
        state["bias_hh_l0"] = np.zeros_like(state["bias_hh_l0"])
    assert_same(convert(state, "torch.nn.GRU", target), case.weights)
    layer = torch.nn.GRU(state["weight_ih_l0"].shape[1], case.arrays["h0"].shape[1]).double()
    layer.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
    with torch.no_grad():
        live = layer(*(torch.from_numpy(a) for a in (case.arrays["xs"], case.arrays["h0"][None])))[
            0
        ]
    deviation = np.abs(live.numpy() - case.arrays["hs"]).max()
    report(f"torch.nn.GRU in {target}", deviation)
    assert deviation < 1e-14


def test_the_versions_of_the_recordings_are_the_ones_the_scripts_name():
    for library in ("keras", "flax"):
        script = (RECORDINGS / f"record_{library}.py").read_text()
        versions, _ = load(RECORDINGS / f"{library}.npz")
        assert f"{library}=={versions[library]}" in script


AFTER, BEFORE = HOUSE["replace", "after"], "course"


def structured(kind, H=4, D=2, seed=0):
    """Weights for which the two places of r can be exchanged."""
    params = course_params(D, H, seed)
    rng = np.random.default_rng(seed + 1)
    if kind == "diagonal":
        params["W_h"][:, :H] = np.diag(np.diag(params["W_h"][:, :H]))
    elif kind == "permutation":
        params["W_h"][:, :H] = np.eye(H)[rng.permutation(H)] * rng.uniform(0.5, 1, H)
    elif kind == "equal gates":
        params["W_r"][:], params["b_r"][:] = params["W_r"][0], params["b_r"][0]
    elif kind == "constant gates":
        params["W_r"][:] = 0
    elif kind == "two groups":
        params["W_h"][:2, 2:H] = params["W_h"][2:, :2] = 0
        for members in (slice(0, 2), slice(2, 4)):
            params["W_r"][members] = params["W_r"][members][0]
            params["b_r"][members] = params["b_r"][members][0]
    elif kind == "no recurrence":
        params["W_h"][:, :H] = 0
    return params


KINDS = ("diagonal", "permutation", "equal gates", "constant gates", "two groups", "no recurrence")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start, goal", [(BEFORE, AFTER), (AFTER, BEFORE)])
def test_special_weights_change_places(kind, start, goal):
    for seed in range(5):
        params = structured(kind, seed=seed)
        xs, h0, _ = sequence(2, 4, seed)
        ours = states(convert(params, start, goal), xs, h0, goal)
        assert np.abs(ours - states(params, xs, h0, start)).max() < 1e-13


def test_one_unit_changes_places_unless_a_bias_stands_inside():
    params = course_params(3, 1, 5)
    assert_same(convert(convert(params, BEFORE, AFTER), AFTER, BEFORE), params)
    with pytest.raises(ConversionError, match="b_hn"):
        convert(params | {"b_hn": np.ones(1)}, AFTER, BEFORE)


@given(st.integers(1, 4), seeds)
@settings(max_examples=200, deadline=None)
def test_changing_places_is_right_or_refused(H, seed):
    """Sparse W_hn, few different gates: both answers occur, and a conversion is never wrong."""
    rng = np.random.default_rng(seed)
    params = course_params(2, H, seed, inner=True)
    params["W_h"][:, :H] *= rng.random((H, H)) < 0.4
    gates = rng.integers(0, 2, H)
    params["W_r"], params["b_r"] = params["W_r"][gates % H], params["b_r"][gates % H]
    params["W_r"] *= rng.random() < 0.8
    params["b_hn"] *= rng.random(H) < 0.2
    xs, h0, _ = sequence(2, H, seed)
    before = {name: value for name, value in params.items() if name != "b_hn"}
    for weights, start, goal in ((before, BEFORE, AFTER), (params, AFTER, BEFORE)):
        try:
            found = convert(weights, start, goal)
        except ConversionError:
            continue
        assert np.abs(states(found, xs, h0, goal) - states(weights, xs, h0, start)).max() < 1e-12


@pytest.mark.parametrize("name", [n for n in GRUS if SPELLINGS[n].reset == "after"])
def test_ordinary_weights_do_not_change_places(name):
    with pytest.raises(
        ConversionError, match="reset before cannot become reset after.*unit 0 listens"
    ):
        convert(course_params(2, 3, 0), "course", name)


def test_what_nnx_cannot_hold_is_refused():
    params = course_params(2, 3, 0, inner=True)
    with pytest.raises(ConversionError, match="nnx.GRUCell has no bias inside the reset product"):
        convert(params, AFTER, "flax.nnx.GRUCell")
    params["W_r"][:] = 0  # a gate that never moves: the bias can stand outside
    xs, h0, _ = sequence(2, 3)
    there = convert(params, AFTER, "flax.nnx.GRUCell")
    back = convert(there, "flax.nnx.GRUCell", AFTER)
    assert np.abs(states(back, xs, h0, AFTER) - states(params, xs, h0, AFTER)).max() < 1e-14


def test_arrays_are_new_and_inputs_stay():
    for name in SPELLINGS:
        record = SPELLINGS[name]
        start = "course LSTM" if record.cell == "lstm" else same_reset(name)
        weights = convert(course_params(2, 3, 1, cell=record.cell), start, name)
        copies = {key: value.copy() for key, value in leaves(weights).items()}
        for target in (name, start):
            result = convert(weights, name, target)
            for value in leaves(result).values():
                assert not any(np.shares_memory(value, one) for one in leaves(weights).values())
                value[...] = 7
        assert all(np.array_equal(value, copies[key]) for key, value in leaves(weights).items())


@pytest.mark.parametrize("change, words", [
    (lambda s: s.pop("weight_hh_l0"), "'weight_hh_l0' is missing; found weight_ih_l0"),
    (lambda s: s.update(weight_ih_l0=s["weight_ih_l0"].T), "the input needs 9 rows"),
    (lambda s: s.update(weight_hh_l0=s["weight_hh_l0"].T), "it looks transposed"),
    (lambda s: s.update(bias_ih_l0=s["bias_ih_l0"][:6]), "input bias needs 9 rows"),
    (lambda s: s.update(bias_ih_l0=s["bias_ih_l0"][None]), "needs 1 dimension"),
    (lambda s: s.update(bias_ih_l0=s["bias_ih_l0"].astype("f4")), "one dtype, not float32, float64"),
    (lambda s: s.update({k: v.astype(int) for k, v in s.items()}), "floating"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(change, words):
    state = convert(course_params(2, 3, 0), AFTER, "torch.nn.GRU")
    change(state)
    with pytest.raises(ConversionError, match=words):
        convert(state, "torch.nn.GRU", "keras.layers.GRU")


@pytest.mark.parametrize("weights, source, words", [
    ({}, "torch.GRU", "'torch.GRU' is not a spelling; known are: course,"),
    ({}, "torch.nn.LSTM", "an LSTM and onnx.GRU is a GRU"),
    ({}, "keras.layers.GRU", "'kernel' is missing; found nothing"),
    ([], "keras.layers.GRU", "'kernel' is missing"),
    ({"ir": 1}, "flax.linen.GRUCell", "'kernel' is missing"),
    ({}, "flax.nnx.GRUCell", "submodule 'dense_i' is missing"),
    ({"matrices": [np.zeros((2, 2))] * 5}, "cuDNN GRU", "'matrices' must be 6 arrays"),
    ({"W": np.zeros((2, 3, 1)), "R": np.zeros((2, 3, 1))}, "onnx.GRU", "one direction"),
    ({"kernel": np.zeros((1, 3)), "recurrent_kernel": np.zeros((1, 3)), "bias": np.zeros((3, 3))},
     "keras.layers.GRU", r"shape \(3, 3\), not \(2, 3\)"),
])  # fmt: skip
def test_containers_that_do_not_fit_are_refused_by_name(weights, source, words):
    with pytest.raises(ConversionError, match=words):
        convert(weights, source, "onnx.GRU")


def test_the_course_has_b_hn_only_after_the_product():
    with pytest.raises(ConversionError, match="b_hn"):
        convert(course_params(2, 3, 0, inner=True), "course", "onnx.GRU")


def test_importing_the_converters_imports_no_library():
    code = "import sys, autograder.course.convert; print({'torch', 'keras', 'jax', 'onnx'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
