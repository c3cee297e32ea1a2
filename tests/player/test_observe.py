"""Whatever student code does becomes a plain observation."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

from autograder.course.exercises.shared.declared import RECURRENT
from autograder.course.gated_memory import COURSE
from autograder.player.contract import Array, Integer, Params
from autograder.player.observe import (
    AUTOGRAD,
    KEPT_OUTPUT,
    Refused,
    observe,
    play,
    refused_kernels,
)

INPUTS = {"a": np.arange(6.0).reshape(2, 3), "params": {"W": np.eye(3)}}


def run(code, returns=None, **options):
    return observe(code, INPUTS, returns or Array("out"), **{"refuse": RECURRENT} | options)


def test_a_plain_answer_is_reported_as_arrays():
    seen = run(lambda a, params: a @ params["W"])
    assert (seen.status, seen.modified) == ("ok", ())
    np.testing.assert_array_equal(seen.outputs["out"], INPUTS["a"])


def test_an_answer_cannot_change_after_it_was_given():
    kept = []

    def code(a, params):
        kept.append(a * 1)
        return kept[0]

    seen = run(code)
    kept[0][:] = 99
    assert seen.outputs["out"].max() == 5


@pytest.mark.parametrize(
    ("change", "modified"),
    [
        (lambda a, params: a.__imul__(2), ("a",)),
        (lambda a, params: params["W"].__iadd__(1), ("params",)),
        (lambda a, params: params.pop("W"), ("params",)),
        (lambda a, params: params.update(W2=a), ("params",)),
        (lambda a, params: params.update(W=None), ("params",)),
        (lambda a, params: a + 0, ()),
    ],
)
def test_modified_inputs_are_named_and_the_originals_survive(change, modified):
    seen = run(lambda a, params: (change(a, params), np.ones(2))[1])
    assert seen.modified == modified
    np.testing.assert_array_equal(INPUTS["a"], np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(INPUTS["params"]["W"], np.eye(3))
    assert list(INPUTS["params"]) == ["W"]


def test_an_exception_is_reported_with_the_students_own_lines_only():
    def inner(a):
        return np.matmul(a, np.ones((4, 4)))

    def code(a, params):
        return inner(a)

    seen = run(code)
    assert seen.status == "exception"
    assert seen.message.startswith("ValueError: matmul")
    assert [line.partition(": ")[2] for line in seen.lines] == [
        "return inner(a)",
        "return np.matmul(a, np.ones((4, 4)))",
    ]


@pytest.mark.parametrize("error", [SystemExit("bye"), GeneratorExit(), RecursionError("deep")])
def test_ways_to_leave_are_ordinary_failures(error):
    def code(a, params):
        raise error

    assert run(code).status == "exception"


def test_an_exception_that_cannot_speak_is_still_a_failure():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def code(a, params):
        raise Mute

    assert run(code).message == "Mute"


def test_parameters_may_be_renamed():
    assert run(lambda first, second: first @ second["W"]).status == "ok"


def test_async_functions_are_told_what_they_are(recwarn):
    async def code(a, params):
        return a

    seen = run(code)
    assert seen.status == "type" and "async def" in seen.message
    assert not recwarn.list


def test_ctrl_c_is_for_the_person():
    def code(a, params):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(code)


def loop_plainly(a, params):
    while True:
        pass


def loop_swallowing_exceptions(a, params):
    while True:
        try:
            np.ones(10).sum()
        except Exception:
            pass


def loop_swallowing_everything(a, params):
    while True:
        try:
            np.ones(10).sum()
        except:  # noqa: E722
            continue


def loop_asleep_in_its_try(a, params):
    while True:
        try:
            time.sleep(1)
            print("awake")
        except:  # noqa: E722
            pass


@pytest.mark.parametrize(
    "code",
    [
        loop_plainly,
        loop_swallowing_exceptions,
        loop_swallowing_everything,
        loop_asleep_in_its_try,
    ],
)
def test_an_endless_loop_is_stopped(code):
    start = time.process_time()
    seen = run(code, seconds=0.3)
    assert seen.status == "timeout" and seen.lines
    assert time.process_time() - start < 20
    assert sys.gettrace() is None


def test_the_alarm_is_put_back():
    import signal

    before = signal.getsignal(signal.SIGALRM)
    run(loop_plainly, seconds=0.1)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_it_runs_off_the_main_thread_too():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(run(lambda a, params: a)))
    thread.start()
    thread.join()
    assert seen[0].status == "ok"


def test_printed_megabytes_are_counted_and_not_kept(capfd):
    def code(a, params):
        for _ in range(50):
            print("x" * 100_000)
        print("to stderr", file=sys.stderr)
        return a * 1

    seen = run(code)
    assert seen.status == "ok"
    assert seen.printed_characters > 5_000_000 and len(seen.printed) <= KEPT_OUTPUT
    assert capfd.readouterr() == ("", "")


def test_warnings_are_heard_and_do_not_count(capfd):
    seen = run(lambda a, params: np.exp(a * 1000))
    assert seen.status == "ok"
    assert any("overflow" in warning for warning in seen.warnings)
    assert capfd.readouterr().err == ""


def test_a_changed_error_state_is_reported_and_undone():
    before = np.geterr()
    seen = run(lambda a, params: (np.seterr(all="ignore"), a * 1)[1])
    assert "np.seterr" in seen.warnings[-1]
    assert np.geterr() == before


@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [
        (None, "none", "return"),
        ([[1.0, 2.0]], "type", "np.stack"),
        ((np.ones(2),), "type", "tuple of 1"),
        (torch.ones(2), "type", ".numpy()"),
        ("text", "type", "NumPy array"),
        (1.5, "type", "NumPy array"),
        (np.array(["a"]), "type", "not numbers"),
        (np.ma.masked_array([1.0]), "type", "NumPy array"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_described(value, kind, says):
    seen = run(lambda a, params: value)
    assert seen.status == kind and says in seen.message


def test_a_lying_subclass_is_seen_for_what_it_holds():
    class Liar(np.ndarray):
        def __array_finalize__(self, other):
            pass

        def __sub__(self, other):
            return np.zeros(self.shape)

        def __eq__(self, other):
            return np.ones(self.shape, bool)

    seen = run(lambda a, params: np.full((2, 3), 7.0).view(Liar))
    assert type(seen.outputs["out"]) is np.ndarray
    assert seen.outputs["out"].min() == 7


@pytest.mark.parametrize("value", [3, np.int32(3), np.array(3), 3 + 2**40])
def test_whole_numbers_are_counts(value):
    seen = run(lambda a, params: value, Integer("count"))
    assert seen.outputs["count"] == int(value)


@pytest.mark.parametrize("value", [3.0, np.float64(3), True, "3", np.array([3]), 2**70])
def test_other_numbers_are_not(value):
    assert run(lambda a, params: value, Integer("count")).status == "type"


def test_dicts_may_hold_more_and_must_not_hold_less():
    keys = Params(("W",))
    assert run(lambda a, params: {**params, "extra": "text"}, keys).status == "ok"
    seen = run(lambda a, params: {"V": a}, keys)
    assert seen.status == "missing" and "no W" in seen.message


def library_cell(a, params):
    return torch.nn.GRUCell(3, 3).double()(torch.tensor(a), torch.tensor(a)).detach().numpy()


def library_function(a, params):
    cell = torch.nn.GRUCell(3, 3).double()
    weights = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
    return torch.gru_cell(torch.tensor(a), torch.tensor(a), *weights).detach().numpy()


def library_behind_except(a, params):
    try:
        return library_cell(a, params)
    except:  # noqa: E722
        return a * 1


def library_lstm(a, params):
    return torch.nn.LSTM(3, 3).double()(torch.tensor(a))[0].detach().numpy()


def library_op(a, params):
    layer = torch.nn.GRU(3, 3).double()
    h0 = torch.zeros(1, 2, 3, dtype=torch.float64)
    xs = torch.tensor(a)[None]
    flat = list(layer.parameters())
    return torch.ops.aten.gru.input(xs, h0, flat, True, 1, 0.0, False, False, False)[0].numpy()


@pytest.mark.parametrize(
    "code",
    [library_cell, library_function, library_behind_except, library_lstm, library_op],
)
def test_a_librarys_recurrent_layer_is_recognized(code):
    assert run(code).status == "library"


def test_what_torch_imports_late_is_there_before_a_clock_runs():
    """An import that a time limit breaks off stays half done, and torch is broken from then on."""
    code = (
        "import sys, numpy as np, torch\n"
        "from autograder.player.observe import observe\n"
        "def call(code, inputs, returns):\n"
        "    before = set(sys.modules)\n"
        "    x = torch.ones(2, 3, device='meta')\n"
        "    (torch.nn.Linear(3, 3, device='meta')(x) + x).sum()\n"
        "    return {'late': np.array(len(set(sys.modules) - before))}, (), 'cpu'\n"
        "assert 'sympy' not in sys.modules\n"
        "state = torch.random.get_rng_state()\n"
        "seen = observe(None, {}, None, call)\n"
        "assert torch.equal(state, torch.random.get_rng_state())\n"
        "print(seen.status, seen.outputs['late'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("ok 0\n", "")


def test_elementary_torch_is_not():
    seen = run(lambda a, params: torch.sigmoid(torch.tensor(a) @ torch.eye(3).double()).numpy())
    assert seen.status == "ok"


def differentiate(a, params):
    t = torch.tensor(a, requires_grad=True)
    (t * t).sum().backward()
    return t.grad.numpy()


def differentiate_functionally(a, params):
    return torch.func.grad(lambda t: (t * t).sum())(torch.tensor(a)).numpy()


@pytest.mark.parametrize("code", [differentiate, differentiate_functionally])
def test_autograd_is_refused_where_the_gradient_is_the_exercise(code):
    assert run(code).status == "ok"
    assert run(code, refuse=RECURRENT | AUTOGRAD).status == "library"


def test_a_layer_made_from_the_library_is_recognized():
    class Wrapped(torch.nn.GRU):
        pass

    exercise = COURSE.get("GRULayer")
    inputs = exercise.draw(1)[0]
    for code in (torch.nn.GRU, Wrapped, torch.nn.GRUCell):
        assert exercise.observe(code, inputs).status == "library"


def test_a_layer_on_the_wrong_device_is_caught_without_a_gpu():
    from autograder.course.exercises.gru.wrong_layers import CpuH0

    exercise = COURSE.get("GRULayer")
    index = [probe.name for probe in exercise.probes].index("another device, no h0")
    seen = exercise.observe(CpuH0, exercise.draw(1)[index])
    assert seen.status == "device"


def test_a_result_that_leaves_the_device_is_caught():
    from autograder.course.exercises.gru.wrong_layers import Layer

    class ComesBack(Layer):
        def forward(self, xs, h0=None):
            hs, h_last = super().forward(xs, h0)
            return hs, torch.zeros(h_last.shape, dtype=h_last.dtype)

    exercise = COURSE.get("GRULayer")
    index = [probe.name for probe in exercise.probes].index("another device")
    seen = exercise.observe(ComesBack, exercise.draw(1)[index])
    assert seen.status == "device" and "h_last came back" in seen.message


def test_kernels_refuse_until_the_outermost_block_ends():
    gru = torch.nn.GRU(2, 3)
    cell = lambda: gru(torch.zeros(1, 1, 2))  # noqa: E731
    with refused_kernels(RECURRENT) as left:
        assert not left & RECURRENT, "all of them reach the dispatcher"
        for _ in range(2):
            (seen,) = play(lambda x: cell(), [{"x": 1}], Array("out"), refuse=RECURRENT)
            assert (seen.status, seen.message) == ("library", "gru")
        with pytest.raises(Refused):
            cell()
    assert cell()[0].shape == (1, 1, 3)


def test_what_has_no_kernel_is_left_to_be_watched():
    with refused_kernels(RECURRENT | AUTOGRAD | {"no_such_operator"}) as left:
        assert left == AUTOGRAD | {"no_such_operator"}
