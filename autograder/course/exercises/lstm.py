"""The assignment ``lstm``: a safe sigmoid, three gates, a cell, and its walk through time.

A wrong step is the table of the cell's formulas with a line or two changed. Mistakes made in a
gate appear again in every function that uses the gate (``lift``), so that a student who checks
only ``lstm_step`` still hears which gate is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from autograder.checking.record import Inputs, Mistake, Outputs, Probe, Section
from autograder.course.exercises import drawing
from autograder.course.exercises.drawing import (
    FORWARD_PARTS,
    SATURATED,
    TERMS,
    cell,
    different_sizes,
    fix_gate,
    gated_params,
    general_step,
    known_gate,
    sequence_families,
    state,
    step_families,
    term_stages,
)
from autograder.course.exercises.shared.declared import lstm_exercise
from autograder.course.exercises.wrong import (
    affine,
    contract_mistakes,
    gate_mistakes,
    lift,
    sigmoid,
    softmax,
    tanh_mistakes,
    tensors,
)
from autograder.player.contract import Array, Arrays, FloatOrArray, Integer

CHAPTER = "A cell that carries memory"

SIGMOID = Section("lstm-sigmoid", "A share between 0 and 1", CHAPTER)
FORGET = Section("forget-gate", "The forget gate: what stays", CHAPTER)
INPUT = Section("input-gate", "The input gate: what comes in", CHAPTER)
OUTPUT = Section("output-gate", "The output gate: what is shown", CHAPTER)
CANDIDATE = Section("candidate-cell", "The candidate: what could be written", CHAPTER)
STEP = Section("lstm-step", "The whole step", CHAPTER)
THROUGH_TIME = Section("lstm-through-time", "Through time", CHAPTER)
COUNTING = Section("counting-lstm-parameters", "Counting parameters", "What the LSTM costs")

GATES = "fico"
"""Forget, input, candidate, output: the letters of the parameters."""


def _numbers(rng, *shape: int) -> np.ndarray:
    return 3.0 * rng.standard_normal(shape)


def _both_signs(rng, low: float, high: float, sign: float) -> np.ndarray:
    """Some ordinary numbers, and some between ``low`` and ``high`` times ``sign``."""
    return rng.permutation(np.concatenate([_numbers(rng, 3), sign * rng.uniform(low, high, 4)]))


def _number(value: Callable) -> Callable:
    return lambda rng: {"a": float(value(rng))}


def _array(values: Callable) -> Callable:
    return lambda rng: {"a": values(rng)}


_SIGMOID_PROBES = (
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

SIGMOID_PARTS = (
    ("array", "arrays of float64"),
    ("number", "a single float"),
    ("large", "large arguments, without a warning"),
    ("dtype", "other numeric types, with a result in float64"),
)


def _gate_inputs(rng, B: int, D: int, H: int) -> Inputs:
    return {
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        "params": gated_params(rng, GATES, D, H),
    }


def _step_inputs(rng, B: int, D: int, H: int) -> Inputs:
    drawn = _gate_inputs(rng, B, D, H)
    return {"x": drawn["x"], "h_prev": drawn["h_prev"], "c_prev": cell(rng, B, H)} | drawn


def _gate_probes(gate: str) -> tuple[Probe, ...]:
    """Each of the gate's three terms alone, then all together."""
    return (*term_stages(_gate_inputs, gate), *step_families(_gate_inputs))


_general = general_step(_step_inputs)


def _with_fixed(**gates: Callable | float) -> Callable:
    """General inputs with the sums of some gates held at a number, or at ``value(rng, H)``."""

    def fixed(rng):
        drawn = _general(rng)
        H = drawn["h_prev"].shape[1]
        for gate, value in gates.items():
            fix_gate(drawn["params"], gate, value(rng, H) if callable(value) else value)
        if gates.get("c") == SATURATED:
            # held by the first input too, in case the bias is what is forgotten
            drawn["x"][:, 0] = 1.0
            drawn["params"]["W_c"][:, H] = SATURATED
        return drawn

    return fixed


# Gates are held where no two of them are alike and none is 0 or 1, so that a gate with another's
# weights does not look like a missing term.
_STAGES = (
    Probe(
        "f and i known, candidate held at 1",
        _with_fixed(f=known_gate, i=known_gate, c=SATURATED),
        "cell",
        ("c",),
    ),
    Probe("i known, candidate held at 0", _with_fixed(i=-2.0, c=0.0), "f", ("c",)),
    Probe("f known, candidate held at 1", _with_fixed(f=-2.0, c=SATURATED), "i", ("c",)),
    Probe("f and i known", _with_fixed(f=-2.0, i=1.5), "candidate", ("c",)),
    Probe("cell and o known", _with_fixed(f=2.0, i=-1.0, c=0.0, o=known_gate), "state", ("h",)),
    Probe("cell known", _with_fixed(f=2.0, i=-1.0, c=0.0), "o", ("h",)),
)

PARTS = (
    ("cell", "the new cell, from old cell and candidate"),
    ("f", "forget gate f"),
    ("i", "input gate i"),
    ("candidate", "candidate"),
    ("state", "the new state, from the cell"),
    ("o", "output gate o"),
)


def _wide(families: tuple[Probe, ...], draw: Callable) -> tuple[Probe, ...]:
    """The same families, the one with large inputs at fixed sizes.

    An overflow is recognized by the entries it hits; in a small array two gates' overflows
    could hit the same.
    """

    def large(rng):
        drawn = draw(rng)
        x = drawn["xs"] if "xs" in drawn else drawn["x"][None]
        x *= 10_000.0
        x[:, 1] = -x[:, 0]
        return drawn

    return tuple(
        replace(probe, draw=large) if probe.name.startswith("input ten thousand") else probe
        for probe in families
    )


_STEP_PROBES = (
    *_STAGES,
    *_wide(step_families(_step_inputs), lambda rng: _step_inputs(rng, 5, 3, 6)),
)


def _sequence_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    return {
        "xs": drawing.inputs(rng, T, B, D),
        "h0": state(rng, B, H),
        "c0": cell(rng, B, H),
        "params": gated_params(rng, GATES, D, H),
    }


_FORWARD_PROBES = _wide(
    sequence_families(_sequence_inputs), lambda rng: _sequence_inputs(rng, 4, 5, 3, 6)
)


def _sizes_probe(name: str, draw: Callable) -> Probe:
    def sizes(rng):
        input_size, hidden_size = draw(rng)
        return {"input_size": int(input_size), "hidden_size": int(hidden_size)}

    return Probe(name, sizes)


_COUNT_PROBES = (
    _sizes_probe("D < H", lambda rng: (rng.integers(2, 9), rng.integers(10, 40))),
    _sizes_probe("D > H", lambda rng: (rng.integers(40, 90), rng.integers(2, 30))),
    _sizes_probe("large", lambda rng: (rng.integers(300, 900), rng.integers(1000, 2000))),
    _sizes_probe("D = 1", lambda rng: (1, rng.integers(4, 20))),
    _sizes_probe("H = 1", lambda rng: (rng.integers(4, 20), 1)),
)


def _answer_sigmoid(inputs: Mapping) -> Outputs:
    import torch

    return {"s": torch.sigmoid(torch.as_tensor(inputs["a"], dtype=torch.float64)).numpy()}


def _answer(function: str, *names: str) -> Callable[[Mapping], Outputs]:
    def answer(inputs: Mapping) -> Outputs:
        from autograder.course import reference

        result = getattr(reference, function)(**tensors(inputs))
        results = result if isinstance(result, tuple) else (result,)
        return {name: value.numpy() for name, value in zip(names, results, strict=True)}

    return answer


def _answer_count(inputs: Mapping) -> Outputs:
    """The parameters of torch.nn.LSTM, less the second bias of its four blocks."""
    import torch

    layer = torch.nn.LSTM(inputs["input_size"], inputs["hidden_size"], device="meta")
    count = sum(p.numel() for p in layer.parameters()) - layer.bias_hh_l0.numel()
    return {"count": np.asarray(count, dtype=np.int64)}


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


_SIGMOID_MISTAKES = (
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


_NAMES = {"f": "the forget gate's", "i": "the input gate's", "o": "the output gate's"}


def _others(own: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return (*((name, key) for key, name in _NAMES.items() if key != own), *more)


_CELLS_WEIGHTS = ("the candidate's", "c")

_FORGET_MISTAKES = (
    *gate_mistakes("f", FORGET, _others("f", _CELLS_WEIGHTS)),
    Mistake(
        "1 added to the bias",
        "You add 1 inside the sigmoid. Starting the forget bias at 1 is done once, in b_f, when "
        "the weights are made; the gate only reads b_f.",
        lambda x, h_prev, params: sigmoid(affine(h_prev, x, params, "f") + 1),
        FORGET,
        "f",
    ),
)
_INPUT_MISTAKES = gate_mistakes("i", INPUT, _others("i", _CELLS_WEIGHTS))
_OUTPUT_MISTAKES = gate_mistakes("o", OUTPUT, _others("o", _CELLS_WEIGHTS))
_CANDIDATE_MISTAKES = tanh_mistakes("c", CANDIDATE, "the candidate", "candidate", _others(""))


def _gate(letter: str) -> Callable:
    return lambda x, h_prev, params: sigmoid(affine(h_prev, x, params, letter))


def _candidate(x, h_prev, params):
    return np.tanh(affine(h_prev, x, params, "c"))


FORMULAS: dict[str, Callable[[SimpleNamespace], object]] = {
    "f": lambda s: sigmoid(affine(s.h_prev, s.x, s.params, "f")),
    "i": lambda s: sigmoid(affine(s.h_prev, s.x, s.params, "i")),
    "candidate": lambda s: np.tanh(affine(s.h_prev, s.x, s.params, "c")),
    "c": lambda s: s.f * s.c_prev + s.i * s.candidate,
    "o": lambda s: sigmoid(affine(s.h_prev, s.x, s.params, "o")),
    "h": lambda s: s.o * np.tanh(s.c),
    "result": lambda s: (s.h, s.c),
}


def _step(x, h_prev, c_prev, params, changes=None):
    """``(h, c)`` by the table, with some formulas changed."""
    s = SimpleNamespace(x=x, h_prev=h_prev, c_prev=c_prev, params=params)
    for name, formula in (FORMULAS | (changes or {})).items():
        setattr(s, name, formula(s))
    return s.result


def _changed(**changes: Callable) -> Callable:
    return lambda **inputs: _step(**inputs, changes=changes)


def _reading(source: str, *gates: str) -> dict[str, Callable]:
    """Gates that read ``source`` where h_prev belongs."""

    def reads(gate):
        squash, letter = (np.tanh, "c") if gate == "candidate" else (sigmoid, gate)
        return lambda s: squash(affine(getattr(s, source), s.x, s.params, letter))

    return {gate: reads(gate) for gate in gates}


def _step_mistake(part, name, says, where=STEP, **changes):
    return Mistake(name, says, _changed(**changes), where, part)


def _exchanged(one: str, other: str) -> dict[str, Callable]:
    return {one: FORMULAS[other], other: FORMULAS[one]}


_OWN_STEP_MISTAKES = (
    _step_mistake(
        "cell",
        "forget and input gates exchanged",
        "f does the work of i and i the work of f: f multiplies the old cell, i the candidate.",
        **_exchanged("f", "i"),
    ),
    _step_mistake(
        "cell",
        "forget and output gates exchanged",
        "f does the work of o and o the work of f: f multiplies the old cell, o what is shown.",
        **_exchanged("f", "o"),
    ),
    _step_mistake(
        "cell",
        "input and output gates exchanged",
        "i does the work of o and o the work of i: i multiplies the candidate, o what is shown.",
        **_exchanged("i", "o"),
    ),
    _step_mistake(
        "f",
        "1 - i for the forget gate",
        "You keep the share 1 - i, as a GRU does with its one gate; the LSTM has a forget gate of "
        "its own.",
        f=lambda s: 1 - FORMULAS["i"](s),
    ),
    _step_mistake(
        "i",
        "1 - f for the input gate",
        "You write the share 1 - f, as a GRU does with its one gate; the LSTM has an input gate of "
        "its own.",
        i=lambda s: 1 - s.f,
    ),
    _step_mistake(
        "cell",
        "forget gate not applied",
        "The whole old cell is kept, as in the LSTM of 1997; here f multiplies it.",
        c=lambda s: s.c_prev + s.i * s.candidate,
    ),
    _step_mistake(
        "cell",
        "input gate not applied",
        "The whole candidate is written; i decides how much of it.",
        c=lambda s: s.f * s.c_prev + s.candidate,
    ),
    _step_mistake(
        "cell",
        "nothing written into the cell",
        "Your new cell is f * c_prev; the new part, i * candidate, is missing.",
        c=lambda s: s.f * s.c_prev,
    ),
    _step_mistake(
        "cell",
        "old cell missing",
        "Your new cell is i * candidate; the kept part, f * c_prev, is missing.",
        c=lambda s: s.i * s.candidate,
    ),
    _step_mistake(
        "cell",
        "forget gate applied to the sum",
        "f multiplies the candidate too; it decides about the old cell alone.",
        c=lambda s: s.f * (s.c_prev + s.i * s.candidate),
    ),
    _step_mistake(
        "cell",
        "forget and input gates added to the cell",
        "You add the gates; a gate multiplies, element by element.",
        c=lambda s: (s.f + s.c_prev) + (s.i + s.candidate),
    ),
    _step_mistake(
        "cell",
        "matrix product for the elementwise product",
        "`f @ c_prev` is a matrix product; a gate multiplies element by element: `*`.",
        c=lambda s: s.f @ s.c_prev + s.i @ s.candidate,
    ),
    _step_mistake(
        "cell",
        "old state where the old cell belongs",
        "Your cell starts from f * h_prev; what it carries on is c_prev.",
        c=lambda s: s.f * s.h_prev + s.i * s.candidate,
    ),
    _step_mistake(
        "cell",
        "h_prev and c_prev exchanged",
        "The gates read c_prev and the cell starts from h_prev: the two are exchanged.",
        c=lambda s: s.f * s.h_prev + s.i * s.candidate,
        **_reading("c_prev", "f", "i", "candidate", "o"),
    ),
    _step_mistake(
        "f",
        "gates read the cell",
        "Gates and candidate are computed from c_prev; they read h_prev. The cell itself is only "
        "scaled and added to.",
        **_reading("c_prev", "f", "i", "candidate", "o"),
    ),
    _step_mistake(
        "candidate",
        "candidate reads the cell",
        "The candidate is computed from c_prev; it reads h_prev.",
        CANDIDATE,
        **_reading("c_prev", "candidate"),
    ),
    _step_mistake(
        "f",
        "forget gate reads the cell",
        "f is computed from c_prev; it reads h_prev.",
        FORGET,
        **_reading("c_prev", "f"),
    ),
    _step_mistake(
        "i",
        "input gate reads the cell",
        "i is computed from c_prev; it reads h_prev.",
        INPUT,
        **_reading("c_prev", "i"),
    ),
    _step_mistake(
        "o",
        "output gate reads the new cell",
        "o is computed from the new c; it reads h_prev, like the other gates.",
        OUTPUT,
        **_reading("c", "o"),
    ),
    _step_mistake(
        "o",
        "output gate reads the old cell",
        "o is computed from c_prev; it reads h_prev, like the other gates.",
        OUTPUT,
        **_reading("c_prev", "o"),
    ),
    _step_mistake(
        "state",
        "tanh missing on the cell",
        "You return o * c; the cell may be large, and tanh brings it into (-1, 1) before o.",
        h=lambda s: s.o * s.c,
    ),
    _step_mistake(
        "state",
        "tanh of the old cell",
        "You show tanh(c_prev); the new state shows the new cell, tanh(c).",
        h=lambda s: s.o * np.tanh(s.c_prev),
    ),
    _step_mistake(
        "state",
        "candidate shown instead of the cell",
        "You return o * tanh(candidate); the new state shows the cell, tanh(c).",
        h=lambda s: s.o * np.tanh(s.candidate),
    ),
    _step_mistake(
        "state",
        "tanh around the product",
        "You return tanh(o * c); tanh comes first, then o multiplies: o * tanh(c).",
        h=lambda s: np.tanh(s.o * s.c),
    ),
    _step_mistake(
        "state",
        "output gate not applied",
        "You return tanh(c); o decides how much of it is shown.",
        h=lambda s: np.tanh(s.c),
    ),
    _step_mistake(
        "state",
        "output gate added",
        "You add o to tanh(c); a gate multiplies, element by element.",
        h=lambda s: s.o + np.tanh(s.c),
    ),
    _step_mistake(
        "state",
        "sigmoid on the cell",
        "You squash the cell with the sigmoid; it may be negative: tanh.",
        h=lambda s: s.o * sigmoid(s.c),
    ),
    _step_mistake(
        "cell",
        "tanh stored in the cell",
        "You return tanh(f * c_prev + i * candidate) as the cell. It is stored as it is, so that "
        "it can carry; tanh is only for what is shown.",
        c=lambda s: np.tanh(FORMULAS["c"](s)),
    ),
    _step_mistake(
        "cell",
        "tanh of the cell returned as the cell",
        "h is right, but the returned cell is tanh(c); the next step needs c itself.",
        result=lambda s: (s.h, np.tanh(s.c)),
    ),
    _step_mistake(
        "state",
        "output gate applied to the cell",
        "h is right, but the returned cell is o * c; o decides what is shown, not what is kept.",
        result=lambda s: (s.h, s.o * s.c),
    ),
    _step_mistake(
        "cell",
        "old cell returned",
        "h is right, but you return c_prev beside it; the next step needs the new c.",
        result=lambda s: (s.h, s.c_prev.copy()),
    ),
    _step_mistake(
        "state",
        "results in the wrong order",
        "You return (c, h); the order is (h, c).",
        result=lambda s: (s.c, s.h),
    ),
    _step_mistake(
        "state",
        "state returned twice",
        "You return (h, h); the second result is the cell, c.",
        result=lambda s: (s.h, s.h.copy()),
    ),
    _step_mistake(
        None,
        "only the state returned",
        "You return h alone; the next step needs the cell too: `return h, c`.",
        result=lambda s: s.h,
    ),
    _step_mistake(
        None,
        "state and cell stacked",
        "You return one array that holds both; return a tuple: `return h, c`.",
        result=lambda s: np.stack([s.h, s.c]),
    ),
    _step_mistake(
        None,
        "gates returned too",
        "You return more than (h, c); the gates stay inside the step.",
        result=lambda s: (s.h, s.c, s.f, s.i, s.o),
    ),
)


def _using(name: str) -> Callable:
    """A step in which one gate is computed by a wrong function."""

    def step(wrong, **inputs):
        def piece(s):
            return wrong(x=s.x, h_prev=s.h_prev, params=s.params)

        return _step(**inputs, changes={name: piece})

    return step


_STEP_MISTAKES = (
    *_OWN_STEP_MISTAKES,
    *lift(_FORGET_MISTAKES, "in the forget gate", _using("f")),
    *lift(_INPUT_MISTAKES, "in the input gate", _using("i")),
    *lift(_OUTPUT_MISTAKES, "in the output gate", _using("o")),
    *lift(_CANDIDATE_MISTAKES, "in the candidate", _using("candidate")),
)


def _forward(xs, h0, c0, params, step=_step, between=lambda h, c, h0, c0: (h, c)):
    """``(hs, cs)``; ``between`` says what the next step is given."""
    hs, cs, given = [], [], (h0, c0)
    for x in xs:
        h, c = step(x=x, h_prev=given[0], c_prev=given[1], params=params)
        hs.append(h)
        cs.append(c)
        given = between(h, c, h0, c0)
    return np.stack(hs), np.stack(cs)


def _handing(between: Callable) -> Callable:
    return lambda **inputs: _forward(**inputs, between=between)


def _given(change: Callable) -> Callable:
    """The right walk from changed inputs; ``change(xs, h0, c0)`` gives the changed ones."""

    def wrong(xs, h0, c0, params):
        return _forward(*change(xs, h0, c0), params)

    return wrong


def _after(change: Callable) -> Callable:
    """The right states, then ``change(inputs, hs, cs)``."""
    return lambda **inputs: change(inputs, *_forward(**inputs))


def _each(change: Callable) -> Callable:
    """The same change of both results; ``change(states, first)`` with h0 or c0 as ``first``."""
    return _after(lambda i, hs, cs: (change(hs, i["h0"]), change(cs, i["c0"])))


def _walked_backwards(turn: bool) -> Callable:
    def wrong(xs, h0, c0, params):
        hs, cs = _forward(xs[::-1], h0, c0, params)
        return (hs[::-1].copy(), cs[::-1].copy()) if turn else (hs, cs)

    return wrong


def _time_mistake(name, says, wrong, part="carry"):
    return Mistake(name, says, wrong, THROUGH_TIME, part)


_OWN_FORWARD_MISTAKES = (
    _time_mistake(
        "neither state nor cell carried",
        "Every step starts again from h0 and c0; each must start where the one before it ended.",
        _handing(lambda h, c, h0, c0: (h0, c0)),
    ),
    _time_mistake(
        "state not carried",
        "Every step gets h0; the cell is handed on, but the state has to be too.",
        _handing(lambda h, c, h0, c0: (h0, c)),
    ),
    _time_mistake(
        "cell not carried",
        "Every step gets c0; the state is handed on, but the cell, the memory itself, is not.",
        _handing(lambda h, c, h0, c0: (h, c0)),
    ),
    _time_mistake(
        "state and cell exchanged between steps",
        "The next step gets c as its state and h as its cell; `h, c = lstm_step(x, h, c, params)`.",
        _handing(lambda h, c, h0, c0: (c, h)),
    ),
    _time_mistake(
        "state handed on as the cell",
        "The next step gets h as its cell; the cell c is lost.",
        _handing(lambda h, c, h0, c0: (h, h)),
    ),
    _time_mistake(
        "h0 and c0 ignored",
        "You start from zeros; the first step starts from h0 and c0.",
        _given(lambda xs, h0, c0: (xs, 0 * h0, 0 * c0)),
        "step",
    ),
    _time_mistake(
        "h0 ignored",
        "Your first state is zero; it is h0.",
        _given(lambda xs, h0, c0: (xs, 0 * h0, c0)),
        "step",
    ),
    _time_mistake(
        "c0 ignored",
        "Your first cell is zero; it is c0.",
        _given(lambda xs, h0, c0: (xs, h0, 0 * c0)),
        "step",
    ),
    _time_mistake(
        "h0 and c0 exchanged",
        "The first step gets c0 as its state and h0 as its cell.",
        _given(lambda xs, h0, c0: (xs, c0, h0)),
        "step",
    ),
    _time_mistake(
        "h0 for c0",
        "The first step's cell is h0; it is c0.",
        _given(lambda xs, h0, c0: (xs, h0, h0)),
        "step",
    ),
    _time_mistake(
        "batch taken for time",
        "You walk along the batch axis; xs is (T, B, D), time first.",
        _given(lambda xs, h0, c0: (np.swapaxes(xs, 0, 1), h0, c0)),
    ),
    _time_mistake(
        "only the first input used",
        "Every step reads xs[0]; step t reads xs[t].",
        _given(lambda xs, h0, c0: (np.stack([xs[0]] * len(xs)), h0, c0)),
    ),
    _time_mistake(
        "inputs one step late",
        "Step t reads xs[t - 1], and the first step xs[-1], the last input; step t reads xs[t].",
        _given(lambda xs, h0, c0: (np.roll(xs, 1, axis=0), h0, c0)),
    ),
    _time_mistake(
        "time walked backwards",
        "The sequence is processed from its end to its start.",
        _walked_backwards(True),
    ),
    _time_mistake(
        "time walked backwards, states in the order computed",
        "The sequence is processed from its end, and entry 0 holds the state of the last step.",
        _walked_backwards(False),
    ),
    _time_mistake(
        "states in reverse order",
        "States and cells are right, but entry 0 holds the last one.",
        _each(lambda states, first: states[::-1].copy()),
    ),
    _time_mistake(
        "only the last state and cell returned",
        "You return h_T and c_T; all T of each are asked for, stacked along a new first axis.",
        _each(lambda states, first: states[-1]),
        "step",
    ),
    _time_mistake(
        "states joined along the batch axis",
        "The T states, and the T cells, are joined along their first axis, which gives (T * B, H); "
        "time gets an axis of its own: np.stack gives (T, B, H).",
        _each(lambda states, first: np.concatenate(list(states))),
        "step",
    ),
    _time_mistake(
        "only the last cell returned",
        "hs is right, but beside it you return c_T; all T cells are asked for.",
        _after(lambda i, hs, cs: (hs, cs[-1])),
        "step",
    ),
    _time_mistake(
        "h0 and c0 counted",
        "Your first entries are h0 and c0, so there are T + 1; hs and cs hold what comes after "
        "each step.",
        _each(lambda states, first: np.concatenate([first[None], states])),
        "step",
    ),
    _time_mistake(
        "states one step late",
        "Entry t holds state and cell before step t; it must hold those after it.",
        _each(lambda states, first: np.concatenate([first[None], states[:-1]])),
        "step",
    ),
    _time_mistake(
        "batch axis first in the results",
        "Your results are (B, T, H); the course puts time first: (T, B, H).",
        _each(lambda states, first: np.swapaxes(states, 0, 1).copy()),
    ),
    _time_mistake(
        "one array for all states",
        "All entries are the last one: the same array was stored T times and overwritten.",
        _each(lambda states, first: np.stack([states[-1]] * len(states))),
    ),
    _time_mistake(
        "lists of states",
        "The states come as lists; stack each into one array of shape (T, B, H).",
        _each(lambda states, first: list(states)),
        "step",
    ),
    _time_mistake(
        "results in the wrong order",
        "You return (cs, hs); the order is (hs, cs).",
        _after(lambda i, hs, cs: (cs, hs)),
        "step",
    ),
    _time_mistake(
        "states returned twice",
        "You return (hs, hs); the second result holds the cells.",
        _after(lambda i, hs, cs: (hs, hs.copy())),
        "step",
    ),
    _time_mistake(
        "only the states returned",
        "You return hs alone; return both: `return hs, cs`.",
        _after(lambda i, hs, cs: hs),
        "step",
    ),
    _time_mistake(
        "states and cells stacked",
        "You return one array that holds both; return a tuple: `return hs, cs`.",
        _after(lambda i, hs, cs: np.stack([hs, cs])),
        "step",
    ),
    _time_mistake(
        "PyTorch's form of the result",
        "You return (hs, (h_last, c_last)), as torch.nn.LSTM does; here it is (hs, cs).",
        _after(lambda i, hs, cs: (hs, (hs[-1], cs[-1]))),
        "step",
    ),
    _time_mistake(
        "a list of pairs",
        "You return one pair (h, c) per step; collect the states in hs and the cells in cs.",
        _after(lambda i, hs, cs: list(zip(hs, cs, strict=True))),
        "step",
    ),
)

_FORWARD_MISTAKES = (
    *_OWN_FORWARD_MISTAKES,
    *lift(
        # what makes no pair of arrays fails at once in the step's own check
        [m for m in _STEP_MISTAKES if m.part is not None],
        "in the step",
        lambda wrong, **inputs: _forward(**inputs, step=wrong),
    ),
)


def _count_mistake(name, says, wrong):
    return Mistake(name, says, wrong, COUNTING)


def _blocks(number: float, block: Callable) -> Callable:
    return lambda input_size, hidden_size: number * block(input_size, hidden_size)


def _block(D, H):
    return D * H + H * H + H


_COUNT_MISTAKES = (
    _count_mistake(
        "three blocks",
        "You count three blocks, as in a GRU. An LSTM has three gates and the candidate: four.",
        _blocks(3, _block),
    ),
    _count_mistake(
        "five blocks",
        "You count five blocks; the cell has no weights of its own. Three gates and the candidate: "
        "four.",
        _blocks(5, _block),
    ),
    _count_mistake(
        "only one block",
        "You count one block; an LSTM has four: three gates and the candidate.",
        _blocks(1, _block),
    ),
    _count_mistake(
        "two biases per gate",
        "That is what PyTorch allocates; the formula has one bias per gate.",
        _blocks(4, lambda D, H: D * H + H * H + 2 * H),
    ),
    _count_mistake(
        "biases forgotten",
        "The four biases of H entries each are missing.",
        _blocks(4, lambda D, H: D * H + H * H),
    ),
    _count_mistake(
        "one bias entry per gate",
        "A bias has one entry per unit, H of them, not one per gate.",
        _blocks(4, lambda D, H: D * H + H * H + 1),
    ),
    _count_mistake(
        "input and hidden size exchanged",
        "The recurrent block is H × H, not D × D: the two sizes are exchanged.",
        _blocks(4, lambda D, H: _block(H, D)),
    ),
    _count_mistake(
        "recurrent weights forgotten",
        "The H × H recurrent weights are missing.",
        _blocks(4, lambda D, H: D * H + H),
    ),
    _count_mistake(
        "input weights forgotten",
        "The H × D input weights are missing.",
        _blocks(4, lambda D, H: H * H + H),
    ),
    _count_mistake(
        "initial state and cell counted",
        "You count h0 and c0; states are not learned here.",
        lambda input_size, hidden_size: 4 * _block(input_size, hidden_size) + 2 * hidden_size,
    ),
    _count_mistake(
        "count as a float",
        "The number is right, but a count is an int.",
        _blocks(4.0, _block),
    ),
)


def _gate_exercise(name, gate, section, hints, mistakes):
    """The record of one of the three gates."""
    return lstm_exercise(
        name=name,
        assignment="lstm",
        signature=f"{name}(x, h_prev, params) -> {gate}",
        points=2,
        section=section,
        equation=f"{gate} = σ([h_prev, x] W_{gate}ᵀ + b_{gate})",
        hints=hints,
        returns=Array(gate),
        probes=_gate_probes(gate),
        answer=_answer(name, gate),
        mistakes=(
            *mistakes,
            *contract_mistakes(_gate(gate), gate, section, "x", "h_prev"),
        ),
        parts=TERMS,
        part=gate,
        builds_on=("sigmoid",),
    )


EXERCISES = (
    lstm_exercise(
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
        probes=_SIGMOID_PROBES,
        answer=_answer_sigmoid,
        mistakes=_SIGMOID_MISTAKES,
        parts=SIGMOID_PARTS,
        silent=True,
    ),
    _gate_exercise(
        "forget_gate",
        "f",
        FORGET,
        (
            "Join h_prev and x along the last axis, the hidden part first.",
            "W_f is (H, H + D), so the joined (B, H + D) meets its transpose.",
        ),
        _FORGET_MISTAKES,
    ),
    _gate_exercise(
        "input_gate",
        "i",
        INPUT,
        (
            "The input gate is built like the forget gate, from weights of its own.",
            "W_i is (H, H + D), so the joined (B, H + D) meets its transpose.",
        ),
        _INPUT_MISTAKES,
    ),
    _gate_exercise(
        "output_gate",
        "o",
        OUTPUT,
        (
            "The output gate is built like the forget gate, from weights of its own.",
            "It reads h_prev and x, as the other gates do; the cell plays no part in it.",
        ),
        _OUTPUT_MISTAKES,
    ),
    lstm_exercise(
        name="candidate_cell",
        assignment="lstm",
        signature="candidate_cell(x, h_prev, params) -> candidate",
        points=2,
        section=CANDIDATE,
        equation="c̃ = tanh([h_prev, x] W_cᵀ + b_c)",
        hints=(
            "The same weighted sum as in a gate, with W_c and b_c.",
            "It is no gate: what is written may be negative, so tanh takes the sigmoid's place.",
        ),
        returns=Array("candidate"),
        probes=_gate_probes("c"),
        answer=_answer("candidate_cell", "candidate"),
        mistakes=(
            *_CANDIDATE_MISTAKES,
            *contract_mistakes(_candidate, "candidate", CANDIDATE, "x", "h_prev"),
        ),
        parts=TERMS,
        part="candidate",
    ),
    lstm_exercise(
        name="lstm_step",
        assignment="lstm",
        signature="lstm_step(x, h_prev, c_prev, params) -> (h, c)",
        points=5,
        section=STEP,
        equation="c = f ∗ c_prev + i ∗ c̃,   h = o ∗ tanh(c)",
        hints=(
            "Compute f, i, o and the candidate with the functions you have written; all four read "
            "x and h_prev.",
            "First the new cell, then the new state from it. Return both, h first.",
        ),
        returns=Arrays(("h", "c")),
        probes=_STEP_PROBES,
        answer=_answer("lstm_step", "h", "c"),
        mistakes=(*_STEP_MISTAKES, *contract_mistakes(_step, "cell", STEP, "h_prev", "c_prev")),
        parts=PARTS,
        builds_on=("forget_gate", "input_gate", "output_gate", "candidate_cell"),
    ),
    lstm_exercise(
        name="lstm_forward",
        assignment="lstm",
        signature="lstm_forward(xs, h0, c0, params) -> (hs, cs)",
        points=4,
        section=THROUGH_TIME,
        equation="h_t, c_t = lstm_step(x_t, h_(t−1), c_(t−1)), for t = 1 … T, from h_0 and c_0",
        hints=(
            "One step per entry of xs; each starts from the state and the cell the last one returned.",
            "Collect states and cells in two lists and stack each along a new first axis.",
        ),
        returns=Arrays(("hs", "cs")),
        probes=_FORWARD_PROBES,
        answer=_answer("lstm_forward", "hs", "cs"),
        mistakes=(
            *_FORWARD_MISTAKES,
            *contract_mistakes(_forward, "carry", THROUGH_TIME, "xs", "h0", "c0"),
        ),
        parts=FORWARD_PARTS,
        builds_on=("lstm_step",),
    ),
    lstm_exercise(
        name="count_lstm_parameters",
        assignment="lstm",
        signature="count_lstm_parameters(input_size, hidden_size) -> int",
        points=1,
        section=COUNTING,
        equation="4 (D H + H H + H)",
        hints=(
            "One block has W of shape (H, H + D) and b of shape (H,).",
            "How many blocks does an LSTM have, counting the candidate?",
        ),
        returns=Integer("count"),
        probes=_COUNT_PROBES,
        answer=_answer_count,
        mistakes=_COUNT_MISTAKES,
        tolerance=0.0,
        why_tolerance="a count is exact",
    ),
)
