"""Answers as students write them who have seen the notebooks only: no full marks for a wrong one,
none lost by a right one, and nothing said that is not true of the code."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from autograder import grade
from autograder.checking.judge import Questions, decide
from autograder.course.gated_memory import COURSE
from autograder.player.observe import Observation


def sigmoid(a):
    return 0.5 * (1.0 + np.tanh(0.5 * a))


def joined(left, right):
    return np.concatenate([left, right], axis=1)


def gate(x, h, params, W="z", b="z"):
    return sigmoid(joined(h, x) @ params[f"W_{W}"].T + params[f"b_{b}"])


def candidate(x, h, r, params):
    return np.tanh(joined(r * h, x) @ params["W_h"].T + params["b_h"])


def step(x, h, params):
    z = gate(x, h, params)
    return (1 - z) * h + z * candidate(x, h, gate(x, h, params, "r", "r"), params)


def walk(xs, h, params):
    states = []
    for x in xs:
        h = step(x, h, params)
        states.append(h)
    return states


def torch_step(x, h, wi, wh, bi, bh):
    i_r, i_z, i_n = np.split(x @ wi.T + bi, 3, axis=1)
    h_r, h_z, h_n = np.split(h @ wh.T + bh, 3, axis=1)
    r, z = sigmoid(i_r + h_r), sigmoid(i_z + h_z)
    return (1 - z) * np.tanh(i_n + r * h_n) + z * h


def logged(function):
    """A decorator as students write it, without functools.wraps."""

    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def one_sigmoid(v):
    return 1 / (1 + np.exp(-v)) if v >= 0 else np.exp(v) / (1 + np.exp(v))


def only_keywords(*, x, h_prev, params):
    return gate(x, h_prev, params)


RIGHT = {
    "decorated, with parameters renamed": ("gru_step_torch", logged(torch_step)),
    "np.vectorize": ("sigmoid", np.vectorize(one_sigmoid, otypes=[float])),
    "a partial": ("reset_gate", functools.partial(gate, W="r", b="r")),
    "keywords only": ("update_gate", only_keywords),
    "any keywords": ("update_gate", lambda **given: gate(*given.values())),
    "states in a generator": (
        "gru_forward",
        lambda xs, h0, params: np.array([h for h in walk(xs, h0, params)]),
    ),
    "counts as NumPy integers": (
        "count_gru_parameters",
        lambda D, H: np.uint32(3 * H * (D + H + 1)),
    ),
}


@pytest.mark.parametrize("what", RIGHT)
def test_a_right_answer_in_an_unusual_style_gets_full_marks(what):
    name, answer = RIGHT[what]
    verdict = grade(answer, name)
    assert verdict.passed, str(verdict)


def remembering(xs, h0, params, states=[]):  # noqa: B006, the mistake
    h = states[-1] if states and states[-1].shape == h0.shape else h0
    for x in xs:
        h = step(x, h, params)
        states.append(h)
    return np.stack(states[-len(xs) :])


def blended(blend):
    def wrong(x, h, params):
        z = gate(x, h, params)
        return blend(z, h, candidate(x, h, gate(x, h, params, "r", "r"), params))

    return wrong


NAMED = {
    "bias of the other gate, after copying the line": (
        "reset_gate",
        lambda x, h, params: gate(x, h, params, "r", "z"),
        "the update gate's bias",
    ),
    "matrix of the other gate, after copying the line": (
        "reset_gate",
        lambda x, h, params: gate(x, h, params, "z", "r"),
        "the update gate's matrix",
    ),
    "the forget gate's bias in the input gate": (
        "input_gate",
        lambda x, h, params: gate(x, h, params, "i", "f"),
        "the forget gate's bias",
    ),
    "candidate at full weight": (
        "gru_step",
        blended(lambda z, h, c: (1 - z) * h + c),
        "candidate not scaled",
    ),
    "both shares z": ("gru_step", blended(lambda z, h, c: z * h + z * c), "z for both shares"),
    "no bias at all": (
        "gru_step_torch",
        lambda x, h, wi, wh, bi, bh: torch_step(x, h, wi, wh, 0 * bi, 0 * bh),
        "both biases dropped",
    ),
    "vstack": (
        "gru_forward",
        lambda xs, h0, params: np.vstack(walk(xs, h0, params)),
        "states joined along the batch axis",
    ),
    "xs[t - 1]": (
        "gru_forward",
        lambda xs, h0, params: np.stack(walk([xs[t - 1] for t in range(len(xs))], h0, params)),
        "inputs one step late",
    ),
}


@pytest.mark.parametrize("what", NAMED)
def test_a_common_mistake_is_named(what):
    name, wrong, mistake = NAMED[what]
    verdict = grade(wrong, name)
    assert not verdict.passed
    assert verdict.points < verdict.max_points
    assert verdict.mistake is not None, str(verdict)
    assert verdict.mistake.name == mistake


def test_a_result_kept_from_call_to_call_is_found():
    verdict = grade(remembering, "gru_forward")
    assert not verdict.passed
    assert verdict.points < verdict.max_points
    assert verdict.failure.kind == "state"
    assert "Called twice with the same inputs" in str(verdict)


FIRST_TIME = {
    "all is well": ("ok", "timeout", "timeout"),
    "an error": ("exception", "timeout", "exception"),
    "an error, then all is well": ("exception", "ok", "state"),
}


@pytest.mark.parametrize("first", FIRST_TIME)
def test_an_end_in_the_second_round_is_no_result_kept(first):
    """A call that ran out of time or memory, only when it was made again, says nothing of what is
    kept from call to call; and two calls that fail may fail differently."""
    before, after, kind = FIRST_TIME[first]
    questions = Questions.prepare(COURSE.get("count_lstm_parameters"))
    right = list(
        questions.exercise.play(
            lambda inputs, hidden: 4 * hidden * (inputs + hidden + 1), questions.played
        )
    )
    count = len(questions.inputs)
    errors = [Observation("exception", message="MemoryError")] * count
    rounds = [
        *(right[:count] if before == "ok" else errors),
        *(right[count:] if after == "ok" else [Observation(after)]),
    ]
    verdict = decide(questions, rounds)
    assert not verdict.passed and verdict.mistake is None
    assert verdict.failure.kind == kind


def test_a_sigmoid_keeps_axes_of_length_one():
    verdict = grade(lambda a: np.squeeze(sigmoid(np.asarray(a, dtype=float))), "sigmoid")
    assert verdict.points < verdict.max_points
    assert "shape ()" in verdict.failure.headline


def test_a_missing_batch_axis_is_not_called_time():
    verdict = grade(lambda x, h, params: gate(x, h, params)[0], "update_gate")
    assert "batch" in verdict.failure.detail
    assert "states" not in verdict.failure.detail


def test_one_error_in_every_part_suspects_one_mistake():
    wrong = blended(lambda z, h, c: (1 - z) * h + z @ c)
    assert len(grade(wrong, "gru_step").suspicions) <= 1


def test_a_missing_h0_in_torchs_defaults_is_named():
    torch = pytest.importorskip("torch")
    from autograder.course.exercises.gru import wrong_layers

    class Layer(wrong_layers.Layer):
        def _first_state(self, xs):
            return torch.zeros(xs.size(1), self.hidden_size)

    verdict = grade(Layer, "GRULayer")
    assert verdict.mistake is not None, str(verdict)
    assert verdict.mistake.name == "missing h0 built in float32 on the CPU"


def test_an_unused_bias_of_a_layer_is_named():
    pytest.importorskip("torch")
    from autograder.course.exercises.gru import wrong_layers

    class Layer(wrong_layers.Layer):
        def _step(self, x, h):
            r_x, z_x, n_x = (x @ self.weight_ih_l0.T + self.bias_ih_l0).chunk(3, dim=1)
            r_h, z_h, n_h = (h @ self.weight_hh_l0.T).chunk(3, dim=1)
            r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
            return (1 - z) * (n_x + r * n_h).tanh() + z * h

    verdict = grade(Layer, "GRULayer")
    assert verdict.mistake is not None, str(verdict)
    assert verdict.mistake.name == "bias_hh_l0 dropped"
