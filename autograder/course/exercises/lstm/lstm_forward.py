"""``lstm_forward``: the step walked through time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking.record import Inputs, Mistake
from autograder.course.exercises.lstm import lstm_step
from autograder.course.exercises.lstm.inputs import GATES
from autograder.course.exercises.lstm.right_cell import right_step
from autograder.course.exercises.lstm.sections import THROUGH_TIME
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import lstm_exercise
from autograder.course.exercises.shared.drawing import (
    FORWARD_PARTS,
    cell,
    gated_params,
    sequence_families,
    small_sequences,
    state,
)
from autograder.course.exercises.shared.wrong import contract_mistakes, lift
from autograder.player.contract import Arrays


def _sequence_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    return {
        "xs": drawing.inputs(rng, T, B, D),
        "h0": state(rng, B, H),
        "c0": cell(rng, B, H),
        "params": gated_params(rng, GATES, D, H),
    }


_PROBES = sequence_families(_sequence_inputs)


def _forward(xs, h0, c0, params, step=right_step, between=lambda h, c, h0, c0: (h, c)):
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
        xs, h0, c0 = change(xs, h0, c0)
        return _forward(xs, h0, c0, params)

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


_OWN_MISTAKES = (
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

_MISTAKES = (
    *_OWN_MISTAKES,
    *lift(
        # what makes no pair of arrays fails at once in the step's own check
        [m for m in lstm_step.MISTAKES if m.part is not None],
        "in the step",
        lambda wrong, **inputs: _forward(**inputs, step=wrong),
        inside="lstm_step",
    ),
)

EXERCISE = lstm_exercise(
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
    probes=_PROBES,
    answer=by_reference("lstm_forward", "hs", "cs"),
    in_numpy=_forward,
    small=small_sequences(_sequence_inputs),
    mistakes=(
        *_MISTAKES,
        *contract_mistakes(_forward, "carry", THROUGH_TIME, "xs", "h0", "c0"),
    ),
    parts=FORWARD_PARTS,
    builds_on=(
        "lstm_step",
        "forget_gate",
        "input_gate",
        "output_gate",
        "candidate_cell",
        "sigmoid",
    ),
)
