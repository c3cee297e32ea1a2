"""One mistake costs once, and is named where it is: functions that call one another."""

from __future__ import annotations

import re
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import grade
from autograder.checking.judge import deviation
from autograder.course.gated_memory import COURSE
from autograder.player.asking import Passed, calls

HAS_NUMPY = [exercise for exercise in COURSE.records.values() if exercise.in_numpy]

NOTEBOOK = """
def sigmoid(a):
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(a, dtype=np.float64)))

def join(left, right):
    return np.concatenate([left, right], axis=1)

def update_gate(x, h_prev, params):
    return sigmoid(join(h_prev, x) @ params["W_z"].T + params["b_z"])

def reset_gate(x, h_prev, params):
    return sigmoid(join(h_prev, x) @ params["W_r"].T + params["b_r"])

def candidate_state(x, h_prev, r, params):
    return np.tanh(join(r * h_prev, x) @ params["W_h"].T + params["b_h"])

def gru_step(x, h_prev, params):
    z = update_gate(x, h_prev, params)
    r = reset_gate(x, h_prev, params)
    candidate = candidate_state(x, h_prev, r, params)
    return (1 - z) * h_prev + z * candidate

def gru_forward(xs, h0, params):
    hs = []
    h = h0
    for t in range(len(xs)):
        h = gru_step(xs[t], h, params)
        hs.append(h)
    return np.stack(hs)

def rnn_step(x, h_prev, params):
    return np.tanh(join(h_prev, x) @ params["W_h"].T + params["b_h"])

def rnn_forward(xs, h0, params):
    hs = []
    h = h0
    for t in range(len(xs)):
        h = rnn_step(xs[t], h, params)
        hs.append(h)
    return np.stack(hs)
"""


def notebook(*changes: tuple[str, str]) -> dict:
    """The names of a notebook that is right but for some changes of its text."""
    source = NOTEBOOK
    for before, after in changes:
        assert source.count(before) == 1, before
        source = source.replace(before, after)
    names: dict = {"np": np}
    exec(dedent(source), names)
    return names


def test_all_of_the_notebook_is_right():
    names = notebook()
    for name in COURSE.records.keys() & names.keys():
        assert grade(names[name]).passed, name


UPDATE = 'return sigmoid(join(h_prev, x) @ params["W_z"].T + params["b_z"])'

BLAMED = {
    # what was changed, what is asked for, its points, the mistake's name, through what it fails
    "1 - z in the gate": (
        [(UPDATE, UPDATE.replace("return ", "return 1 - "))],
        "gru_step",
        3,
        None,
        ("update_gate",),
    ),
    "a gate that raises": (
        [(UPDATE, "return x @ h_prev @ x")],
        "gru_step",
        3,
        None,
        ("update_gate",),
    ),
    "a gate that is not written": (
        [(UPDATE, "raise NotImplementedError")],
        "gru_step",
        3,
        None,
        ("update_gate",),
    ),
    "the gate, two calls away": (
        [(UPDATE, UPDATE.replace("return ", "return 1 - "))],
        "gru_forward",
        3,
        None,
        ("gru_step",),
    ),
    "the gate under a second name": (
        [
            (UPDATE, UPDATE.replace("return ", "return 1 - ") + "\n\nopening = update_gate"),
            ("z = update_gate(", "z = opening("),
        ],
        "gru_step",
        3,
        None,
        ("update_gate",),
    ),
    "z handed to the candidate": (
        [("(x, h_prev, r, params)\n    return (1", "(x, h_prev, z, params)\n    return (1")],
        "gru_step",
        None,
        "z handed to the candidate",
        (),
    ),
    "arguments exchanged": (
        [("z = update_gate(x, h_prev, params)", "z = update_gate(h_prev, x, params)")],
        "gru_step",
        None,
        "x and h_prev exchanged in the call of update_gate",
        (),
    ),
    "one gate called in another's place": (
        [("r = reset_gate(x, h_prev, params)", "r = update_gate(x, h_prev, params)")],
        "gru_step",
        None,
        "z handed to the candidate",
        (),
    ),
    "parentheses forgotten": (
        [("(1 - z) * h_prev + z", "1 - z * h_prev + z")],
        "gru_step",
        None,
        "parentheses forgotten",
        (),
    ),
    "own mistake, over a wrong gate": (
        [
            (UPDATE, UPDATE.replace("sigmoid(", "np.tanh(")),
            ("(1 - z) * h_prev + z", "h_prev + z"),
        ],
        "gru_step",
        None,
        "old state not scaled",
        ("update_gate",),
    ),
    "a right loop over a wrong step": (
        [('params["W_h"].T + params["b_h"])\n\ndef rnn_f', 'params["W_h"].T)\n\ndef rnn_f')],
        "rnn_forward",
        3,
        None,
        ("rnn_step",),
    ),
    "batch axis first": (
        [("rnn_step(xs[t]", "rnn_step(xs[:, t]")],
        "rnn_forward",
        None,
        "batch taken for time",
        (),
    ),
    "starts at 1": (
        [
            (
                "range(len(xs)):\n        h = rnn_step",
                "range(1, len(xs)):\n        h = rnn_step",
            )
        ],
        "rnn_forward",
        None,
        "first input left out",
        (),
    ),
}


@pytest.mark.parametrize("what", BLAMED)
def test_a_mistake_is_sought_where_it_can_be(what):
    changes, name, points, mistake, through = BLAMED[what]
    verdict = grade(notebook(*changes)[name])
    assert not verdict.passed and verdict.through == through
    assert (verdict.mistake and verdict.mistake.name) == mistake, str(verdict)
    if points is None:
        assert verdict.points < 0.76 * verdict.max_points
    else:
        assert verdict.points == points and verdict.failure.kind == "through"
        assert f"{name}: right, but for {through[0]}, 3 of 3 points" in str(verdict)
        said = re.sub(r"\s+", " ", str(verdict))
        assert f"it fails through {through[0]}, whose results are not right yet" in said
    assert verdict == type(verdict).from_dict(verdict.to_dict())


def test_the_notebook_is_as_it_was_after_another_try():
    names = notebook((UPDATE, UPDATE.replace("return ", "return 1 - ")))
    before = dict(names)
    assert grade(names["gru_step"]).points == 3
    assert all(names[name] is value for name, value in before.items())


def test_what_looks_the_same_from_outside_is_said():
    """Written out in one function, a wrong gate and a gate in the wrong place are the same."""

    def gru_step(x, h_prev, params):
        def gate(key):
            a = np.concatenate([h_prev, x], axis=1) @ params[f"W_{key}"].T + params[f"b_{key}"]
            return 1 / (1 + np.exp(-a))

        z = gate("z")
        joined = np.concatenate([z * h_prev, x], axis=1)
        return (1 - z) * h_prev + z * np.tanh(joined @ params["W_h"].T + params["b_h"])

    verdict = grade(gru_step)
    assert verdict.mistake.name == "in the reset gate: the update gate's weights"


@pytest.mark.parametrize("exercise", HAS_NUMPY, ids=lambda e: e.name)
@given(seed=st.integers(0, 2**64 - 1))
@settings(max_examples=10, deadline=None)
def test_the_reference_in_numpy_is_the_torch_one(exercise, seed):
    for inputs in exercise.draw(seed):
        with np.errstate(all="ignore"):
            value = exercise.in_numpy(**inputs)
        found, expected = exercise.returns.flatten(value), exercise.answer(inputs)
        assert found.keys() == expected.keys()
        for name, right in expected.items():
            assert found[name].dtype == right.dtype and found[name].shape == right.shape
            assert deviation(found[name], right).max() < 1e-12, name
        again = exercise.returns.flatten(exercise.returns.build(found))
        assert all(np.array_equal(again[name], found[name]) for name in found)


def test_every_numpy_exercise_has_a_reference_in_numpy():
    lacking = {e.name for e in COURSE.records.values() if not e.in_numpy}
    assert lacking == {"GRULayer", *(name for name in COURSE.records if name.startswith("report"))}


# Which functions are called


def test_calls_are_found_in_helpers_and_inner_functions_and_not_in_attributes():
    names: dict = {"np": np}
    exec(
        dedent(
            """
            def gate(x): return x
            def other(x): return x
            def helper(x): return gate(x)
            def answer(x):
                def inner(y): return [helper(v) for v in y]
                return inner(x)
            def attribute(x): return np.other(x)
            class Layer:
                def forward(self, x): return other(x)
            """
        ),
        names,
    )
    wanted = ("gate", "other")
    assert calls(names["answer"], wanted) == ("gate",)
    assert calls(names["attribute"], wanted) == ()
    assert calls(names["Layer"], wanted) == ("other",)
    assert calls(np.tanh, wanted) == calls(None, wanted) == calls(3, wanted) == ()


def own(h_prev, x, params=None):
    return None


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((1, 2, 3), {}),
        ((1, 2), {"params": 3}),
        ((), {"x": 2, "h_prev": 1, "params": 3}),
    ],
)
def test_arguments_go_where_the_students_own_function_has_them(arguments, named):
    passed = Passed(["x", "h_prev", "params"], own, lambda inputs: inputs)
    assert passed(*arguments, **named) == {"x": 2, "h_prev": 1, "params": 3}


def test_too_few_arguments_are_refused():
    with pytest.raises(TypeError, match="3 arguments are needed"):
        Passed(["x", "h_prev", "params"], own, lambda inputs: inputs)(1)


# Probes nothing slips through


def cached(function):
    kept: dict = {}

    def by_shape(xs, h0, params):
        return kept.setdefault((xs.shape, h0.shape), function(xs, h0, params))

    return by_shape


class Remembering:
    """Starts from the state that the call before it left, where that has the right shape."""

    def __init__(self, step):
        self.step, self.last = step, None

    def __call__(self, xs, h0, params):
        h = h0 if self.last is None or self.last.shape != h0.shape else self.last
        self.last = h0
        hs = []
        for x in xs:
            h = self.step(x, h, params)
            hs.append(h)
        return np.stack(hs)


def clipped_cell(limit):
    right = COURSE.get("lstm_step").in_numpy
    o = COURSE.get("output_gate").in_numpy

    def lstm_step(x, h_prev, c_prev, params):
        c = np.clip(right(x, h_prev, c_prev, params)[1], -limit, limit)
        return o(x, h_prev, params) * np.tanh(c), c

    return lstm_step


def clipped_gradients(name, limit):
    right = COURSE.get(name).in_numpy

    def wrong(**inputs):
        first, second, grads = right(**inputs)
        cut = {key: np.clip(g, -limit, limit) for key, g in grads.items()}
        return first, second, cut

    return wrong


def test_answers_that_know_only_shapes_or_remember_do_not_pass():
    names = notebook()
    from autograder.checking.judge import judge

    for name in ("gru_forward", "rnn_forward"):
        exercise = COURSE.get(name)
        step = names[name.replace("forward", "step")]
        for wrong in (cached(names[name]), Remembering(step)):
            verdict = judge(exercise, lambda drawn, e=exercise, w=wrong: e.play(w, drawn))
            assert not verdict.passed, (name, wrong)


@pytest.mark.parametrize("limit", [1.0, 2.0, 3.0])
def test_a_cut_cell_does_not_pass(limit):
    exercise = COURSE.get("lstm_step")
    for seed in range(20):
        found = list(exercise.play(clipped_cell(limit), exercise.draw(seed)))
        right = [exercise.answer(inputs) for inputs in exercise.draw(seed)]
        assert any(
            deviation(seen.outputs["c"], answer["c"]).max() > 1e-6
            for seen, answer in zip(found, right, strict=True)
        )


@pytest.mark.parametrize("limit", [1.0, 2.0])
@pytest.mark.parametrize("name", ["rnn_backward", "gru_step_backward", "gru_backward"])
def test_cut_gradients_do_not_pass(name, limit):
    import unwatched

    assert not unwatched.grade(clipped_gradients(name, limit), name).passed


def test_parameters_in_another_order_are_named():
    def update_gate(h_prev, x, params):
        return 1 / (1 + np.exp(-(np.hstack([h_prev, x]) @ params["W_z"].T + params["b_z"])))

    verdict = grade(update_gate)
    assert verdict.failure.kind == "parameters" and verdict.points == 0
    assert "Its parameters are (h_prev, x, params)" in verdict.failure.headline


# Points


@pytest.mark.parametrize("name", ["update_gate", "lstm_step", "rnn_backward", "clip_gradients"])
@given(data=st.data(), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=15, deadline=None)
def test_a_known_mistake_costs_the_same_whatever_is_drawn(name, data, seed):
    from autograder.checking.answers import PUBLIC_SEED
    from autograder.checking.judge import judge

    exercise = COURSE.get(name)
    mistake = data.draw(st.sampled_from(exercise.mistakes))

    def points(under):
        return judge(exercise, lambda drawn: exercise.play(mistake.wrong, drawn), under).points

    assert points(seed) == points(PUBLIC_SEED) <= 0.75 * exercise.points + 0.01


def test_half_of_a_flip_keeps_half():
    def flip_update_gate(params):
        return {**params, "W_z": -params["W_z"], "b_z": params["b_z"].copy()}

    assert grade(flip_update_gate).points == 1


def test_the_card_says_which_kinds_were_right():
    names = notebook((UPDATE, UPDATE.replace(' + params["b_z"]', "")))
    verdict = grade(names["update_gate"])
    right = [probe.name for probe in verdict.probes if probe.passed]
    said = re.sub(r"\s+", " ", str(verdict))
    assert right and all(name in said for name in right)


# The smallest example


def test_the_numbers_shown_can_be_followed_by_hand():
    names = notebook((UPDATE, UPDATE.replace("return ", "return 1 - ")))
    example = grade(names["update_gate"]).example
    assert example == (
        "x = [[1]], h_prev = [[1]], W_z = [[1, 1]], b_z = [1]: "
        "your z is [[0.04743]], right is [[0.9526]]."
    )
    z = 1 / (1 + np.exp(-(1 * 1 + 1 * 1 + 1)))
    assert f"{z:.4g}" == "0.9526" and "By hand: x = [[1]]" in str(grade(names["update_gate"]))


SMALL = [exercise for exercise in COURSE.records.values() if exercise.small]


@pytest.mark.parametrize("exercise", SMALL, ids=lambda e: e.name)
def test_an_example_shows_most_mistakes_and_no_right_answer(exercise):
    from autograder.checking.example import smallest

    assert smallest(exercise, exercise.in_numpy) == ""
    shown = [bool(smallest(exercise, mistake.wrong)) for mistake in exercise.mistakes]
    assert sum(shown) > 0.6 * len(shown)


def test_only_answers_that_do_the_same_have_a_behavior_in_common():
    def answers(line: str) -> str:
        names = notebook((UPDATE, line))
        return grade(names["update_gate"]).behavior

    wrong = "return 0.37 + 0.1 * sigmoid(join(h_prev, x) @ params['W_z'].T)"
    assert answers(wrong) == answers(wrong.replace("0.37 + ", "1 - 0.63 + ")) != ""
    assert answers(wrong) != answers(wrong.replace("0.37", "0.38"))
    assert answers("return missing") != answers("return absent") != ""
