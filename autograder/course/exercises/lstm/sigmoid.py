"""``sigmoid``: right for every argument, and silent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from autograder.checking.record import Mistake, Outputs, Probe
from autograder.course.exercises.lstm.sections import SIGMOID
from autograder.course.exercises.shared.declared import lstm_exercise
from autograder.course.exercises.shared.drawing import different_sizes
from autograder.course.exercises.shared.wrong import sigmoid, softmax
from autograder.player.contract import FloatOrArray


def _numbers(rng, *shape: int) -> np.ndarray:
    return 3.0 * rng.standard_normal(shape)


def _both_signs(rng, low: float, high: float, sign: float) -> np.ndarray:
    """Some ordinary numbers, and some between ``low`` and ``high`` times ``sign``."""
    return rng.permutation(np.concatenate([_numbers(rng, 3), sign * rng.uniform(low, high, 4)]))


def _number(value: Callable) -> Callable:
    return lambda rng: {"a": float(value(rng))}


def _array(values: Callable) -> Callable:
    return lambda rng: {"a": values(rng)}


_PROBES = (
    Probe("one axis", _array(lambda rng: np.append(_numbers(rng, 6), 0.0)), part="array"),
    Probe("two axes", _array(lambda rng: _numbers(rng, *different_sizes(rng, 2))), part="array"),
    Probe("three axes", _array(lambda rng: _numbers(rng, *different_sizes(rng, 3)))),
    Probe("a single float", _number(lambda rng: rng.normal(0.0, 2.0)), part="number"),
    Probe("a single float near 1000", _number(lambda rng: rng.uniform(900, 1100)), part="large"),
    Probe("a single float near -1000", _number(lambda rng: rng.uniform(-1100, -900)), part="large"),
    Probe("up to 1000", _array(lambda rng: _both_signs(rng, 800, 1200, 1.0)), part="large"),
    Probe("down to -1000", _array(lambda rng: _both_signs(rng, 800, 1200, -1.0)), part="large"),
    Probe(
        "as large as floats go",
        _array(lambda rng: _both_signs(rng, 1e300, 1e308, 1.0) * np.resize([1.0, -1.0], 7)),
        part="large",
    ),
    Probe("integers", _array(lambda rng: rng.integers(-9, 10, (3, 4))), part="dtype"),
    Probe(
        "integers from 0 to 255",
        _array(lambda rng: rng.integers(1, 256, (4, 3)).astype(np.uint8)),
        part="dtype",
    ),
    Probe(
        "integers from -128 to 127",
        _array(lambda rng: np.append(rng.integers(-9, 10, 5), -128).astype(np.int8)),
        part="dtype",
    ),
    Probe("float32", _array(lambda rng: _numbers(rng, 4, 2).astype(np.float32)), part="dtype"),
    Probe("float16", _array(lambda rng: _numbers(rng, 5).astype(np.float16)), part="dtype"),
    Probe("a single entry in two axes", _array(lambda rng: _numbers(rng, 1, 1)), part="array"),
)

_PARTS = (
    ("array", "arrays of float64"),
    ("number", "a single float"),
    ("large", "large arguments, without a warning"),
    ("dtype", "other numeric types, with a result in float64"),
)


def _right_sigmoid(a):
    result = sigmoid(np.asarray(a, dtype=np.float64))
    return result if isinstance(a, np.ndarray) else float(result)


def _answer_sigmoid(inputs: Mapping) -> Outputs:
    import torch

    return {"s": torch.sigmoid(torch.as_tensor(inputs["a"], dtype=torch.float64)).numpy()}


def _to_float64(a):
    return np.asarray(a, dtype=np.float64)


def _plain(a):
    return 1 / (1 + np.exp(-a))


def _exp_over_one_plus_exp(a):
    return np.exp(a) / (1 + np.exp(a))


def _both_branches(a):
    return np.where(a >= 0, 1 / (1 + np.exp(-a)), np.exp(a) / (1 + np.exp(a)))


def _switched_off(a):
    np.seterr(all="ignore")
    return _plain(_to_float64(a))


def _single_numbers(a):
    return 1 / (1 + math.exp(-a))


def _with_if(a):
    if a >= 0:
        return 1 / (1 + np.exp(-a))
    return np.exp(a) / (1 + np.exp(a))


def _masked(a, buffer: Callable):
    result = buffer(a)
    positive = a >= 0
    result[positive] = 1 / (1 + np.exp(-a[positive]))
    e = np.exp(a[~positive])
    result[~positive] = e / (1 + e)
    return result


def _sigmoid_in_place(a):
    result = sigmoid(_to_float64(a))
    if isinstance(a, np.ndarray):
        a[...] = 0
    return result


def _sigmoid_mistake(name, says, wrong, part=None):
    return Mistake(name, says, wrong, SIGMOID, part)


def _formula(name: str, says: str, formula: Callable, part=None) -> tuple[Mistake, Mistake]:
    """A wrong formula, after a conversion to float64 and without it."""
    return (
        _sigmoid_mistake(name, says, lambda a: formula(_to_float64(a)), part),
        _sigmoid_mistake(
            f"{name}, in the input's own type",
            f"{says} Besides, the input's type is kept: convert to float64 first, with "
            "`np.asarray(a, dtype=np.float64)`.",
            formula,
            part,
        ),
    )


_MISTAKES = (
    *_formula(
        "exp overflows below -709",
        "1 / (1 + exp(-a)) is the right number, but exp(-a) overflows for large negative a, and "
        "NumPy warns. Use exp only of numbers that are not positive.",
        _plain,
        "large",
    ),
    *_formula(
        "exp overflows above 709",
        "exp(a) / (1 + exp(a)) turns into inf / inf, which is nan, for large a. Use exp only of "
        "numbers that are not positive.",
        _exp_over_one_plus_exp,
        "large",
    ),
    *_formula(
        "both branches of np.where computed",
        "np.where picks between two results that are both computed for every entry, so each "
        "overflows where the other is right. Take exp(-|a|), which suits both branches.",
        _both_branches,
        "large",
    ),
    _sigmoid_mistake(
        "warnings switched off",
        "np.seterr changes NumPy for the whole program; the next real error goes unseen. Avoid "
        "the overflow instead.",
        _switched_off,
        "large",
    ),
    _sigmoid_mistake(
        "in the input's own type",
        "Your formula is right, but is computed in the type of the input: float32 and float16 lose "
        "digits, and -a wraps around for unsigned integers. Convert to float64 first, with "
        "`np.asarray(a, dtype=np.float64)`.",
        sigmoid,
        "dtype",
    ),
    _sigmoid_mistake(
        "converted to float64 too late",
        "Your formula is right, but you convert the result; by then float16 has lost digits "
        "and unsigned integers have wrapped around. Convert the input.",
        lambda a: np.asarray(sigmoid(a)).astype(np.float64),
        "dtype",
    ),
    _sigmoid_mistake(
        "single numbers only",
        "math.exp takes one number; the gates are arrays. Use np.exp.",
        _single_numbers,
        "array",
    ),
    _sigmoid_mistake(
        "`if` on an array",
        "`if a >= 0` asks one question; an array has as many answers as entries. Use a formula "
        "that is right for both signs, or np.where.",
        _with_if,
        "array",
    ),
    _sigmoid_mistake(
        "arrays only",
        "a[a >= 0] needs an array, and a single float is allowed too: start with "
        "`a = np.asarray(a, dtype=np.float64)`.",
        lambda a: _masked(a, lambda a: np.zeros_like(a, dtype=np.float64)),
        "number",
    ),
    _sigmoid_mistake(
        "arrays only, result in the input's type",
        "np.zeros_like(a) has the type of a, so integers cut the result down to 0; and a single "
        "float has no entries to pick. Start with `a = np.asarray(a, dtype=np.float64)`.",
        lambda a: _masked(a, np.zeros_like),
        "number",
    ),
    _sigmoid_mistake(
        "arrays only, by their shape",
        "a.shape needs an array, and a single float is allowed too: start with "
        "`a = np.asarray(a, dtype=np.float64)`.",
        lambda a: _masked(a, lambda a: np.empty(a.shape)),
        "number",
    ),
    _sigmoid_mistake(
        "a number comes back as an array of one",
        "A single float gives an array of shape (1,); give a single number back.",
        lambda a: sigmoid(np.atleast_1d(_to_float64(a))),
        "number",
    ),
    _sigmoid_mistake(
        "shape lost",
        "The result is flat; it has the shape of a.",
        lambda a: sigmoid(np.ravel(_to_float64(a))),
        "array",
    ),
    *_formula(
        "sign of the exponent",
        "You compute 1 / (1 + exp(a)), which is 1 - sigmoid(a); the exponent is -a.",
        lambda a: 1 / (1 + np.exp(a)),
    ),
    *_formula(
        "negative arguments treated like positive ones",
        "You compute 1 / (1 + exp(-|a|)), which is right for a >= 0 only; for negative a the "
        "numerator is exp(-|a|).",
        lambda a: 1 / (1 + np.exp(-np.abs(a))),
    ),
    *_formula(
        "branches exchanged",
        "Your two branches are exchanged: negative a gives a value above 1/2.",
        lambda a: np.where(a >= 0, np.exp(-np.abs(a)), 1) / (1 + np.exp(-np.abs(a))),
    ),
    *_formula(
        "1 missing in the denominator",
        "You compute 1 / exp(-a); the denominator is 1 + exp(-a).",
        lambda a: 1 / np.exp(-a),
    ),
    *_formula(
        "reciprocal missing",
        "You return 1 + exp(-a); the sigmoid is one over that.",
        lambda a: 1 + np.exp(-a),
    ),
    *_formula(
        "tanh for sigmoid",
        "tanh lies between -1 and 1; the sigmoid between 0 and 1.",
        np.tanh,
    ),
    *_formula(
        "argument of tanh not halved",
        "You compute (1 + tanh(a)) / 2, which is sigmoid(2a); the argument is a / 2.",
        lambda a: 0.5 * (1 + np.tanh(a)),
    ),
    *_formula(
        "tanh not shifted",
        "You return tanh(a / 2), between -1 and 1; add 1 and halve it.",
        lambda a: np.tanh(0.5 * a),
    ),
    *_formula(
        "slope of the sigmoid",
        "You return s (1 - s), the derivative; asked for is s itself.",
        lambda a: sigmoid(a) * (1 - sigmoid(a)),
    ),
    *_formula(
        "softmax for sigmoid",
        "You normalize over the last axis; each entry has a sigmoid of its own.",
        softmax,
    ),
    *_formula(
        "hard sigmoid",
        "You return clip(0.2 a + 0.5, 0, 1), a straight line in place of the curve.",
        lambda a: np.clip(0.2 * a + 0.5, 0, 1),
    ),
    *_formula(
        "argument cut at ±10",
        "You cut a at ±10, where the sigmoid is still 5e-5 away from its limit; that is seen. "
        "Nothing has to be cut when exp is used of negative numbers only.",
        lambda a: 1 / (1 + np.exp(-np.clip(a, -10, 10))),
        "large",
    ),
    *_formula(
        "argument cut at ±20",
        "You cut a at ±20, where the sigmoid is still 2e-9 away from its limit; that is seen. "
        "Nothing has to be cut when exp is used of negative numbers only.",
        lambda a: 1 / (1 + np.exp(-np.clip(a, -20, 20))),
        "large",
    ),
    _sigmoid_mistake(
        "a step at zero",
        "You return 0 or 1; the sigmoid moves smoothly between them.",
        lambda a: np.where(np.asarray(a) > 0, 1.0, 0.0),
    ),
    _sigmoid_mistake(
        "result in float32",
        "Your numbers are right to seven digits but come as float32; the result is float64.",
        lambda a: sigmoid(_to_float64(a)).astype(np.float32),
        "dtype",
    ),
    _sigmoid_mistake(
        "a modified in place",
        "The result is right, but a was changed on the way (as `*=` and `out=a` do). Whoever called "
        "your function still needs it.",
        _sigmoid_in_place,
        "array",
    ),
)

EXERCISE = lstm_exercise(
    name="sigmoid",
    assignment="lstm",
    signature="sigmoid(a) -> array of the shape of a, or one number",
    points=3,
    section=SIGMOID,
    equation="σ(a) = 1 / (1 + exp(−a)) = exp(a) / (1 + exp(a))",
    hints=(
        "Both forms are the same number. exp(−a) is harmless for a ≥ 0, exp(a) for a < 0; "
        "exp(−|a|) is harmless always.",
        "Start with a = np.asarray(a, dtype=np.float64): then numbers, integers and float32 "
        "are all the same to you.",
    ),
    returns=FloatOrArray("s"),
    probes=_PROBES,
    answer=_answer_sigmoid,
    in_numpy=_right_sigmoid,
    mistakes=_MISTAKES,
    parts=_PARTS,
    silent=True,
)
