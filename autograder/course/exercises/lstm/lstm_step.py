"""``lstm_step``: one step, the new cell and the new state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking.record import Inputs, Mistake, Probe
from autograder.course.exercises.lstm import candidate_cell, forget_gate, input_gate, output_gate
from autograder.course.exercises.lstm.inputs import gate_inputs
from autograder.course.exercises.lstm.right_cell import FORMULAS, right_step
from autograder.course.exercises.lstm.sections import CANDIDATE, FORGET, INPUT, OUTPUT, STEP
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import lstm_exercise
from autograder.course.exercises.shared.drawing import (
    SATURATED,
    cell,
    fix_gate,
    general_step,
    known_gate,
    small_steps,
    step_families,
)
from autograder.course.exercises.shared.wrong import affine, contract_mistakes, lift, sigmoid
from autograder.player.contract import Arrays


def _step_inputs(rng, B: int, D: int, H: int) -> Inputs:
    drawn = gate_inputs(rng, B, D, H)
    return {"x": drawn["x"], "h_prev": drawn["h_prev"], "c_prev": cell(rng, B, H)} | drawn


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
_PART_PROBES = (
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

_PARTS = (
    ("cell", "the new cell, from old cell and candidate"),
    ("f", "forget gate f"),
    ("i", "input gate i"),
    ("candidate", "candidate"),
    ("state", "the new state, from the cell"),
    ("o", "output gate o"),
)

_PROBES = (*_PART_PROBES, *step_families(_step_inputs))


def _changed(**changes: Callable) -> Callable:
    return lambda **inputs: right_step(**inputs, changes=changes)


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


_OWN_MISTAKES = (
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

        return right_step(**inputs, changes={name: piece})

    return step


def _called_wrongly(where: str, function: str) -> dict[str, tuple[str, ...]]:
    """What a gate's mistakes look like where the gate is right and the step calls it wrongly."""
    calls: dict[str, tuple[str, ...]] = {
        "input and state in the wrong order": (
            f"x and h_prev exchanged in the call of {function}",
            f"Your {function} is right; the step hands it h_prev and x in the wrong order: x comes "
            "first.",
        ),
        "h_prev ignored": (
            f"{function} gets no h_prev",
            f"Your {function} is right; the step hands it something else in place of h_prev.",
        ),
        "x ignored": (
            f"{function} gets no x",
            f"Your {function} is right; the step hands it something else in place of x.",
        ),
    }
    for whose in ("forget", "input", "output"):
        calls[f"the {whose} gate's weights"] = (
            f"the {whose} gate used as the {where}",
            f"Your gates are right; what {whose}_gate gives stands where the {where} belongs.",
            f"{whose}_gate",
        )
    return calls


MISTAKES = (
    *_OWN_MISTAKES,
    *(
        mistake
        for part, where, piece in (
            ("f", "forget gate", forget_gate),
            ("i", "input gate", input_gate),
            ("o", "output gate", output_gate),
            ("candidate", "candidate", candidate_cell),
        )
        for mistake in lift(
            piece.MISTAKES,
            f"in the {where}",
            _using(part),
            inside=piece.EXERCISE.name,
            by_call=_called_wrongly(where, piece.EXERCISE.name),
        )
    ),
)
"""In what the step gives; ``lstm_forward`` has them too."""

EXERCISE = lstm_exercise(
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
    probes=_PROBES,
    answer=by_reference("lstm_step", "h", "c"),
    in_numpy=right_step,
    small=small_steps(_step_inputs),
    mistakes=(*MISTAKES, *contract_mistakes(right_step, "cell", STEP, "h_prev", "c_prev")),
    parts=_PARTS,
    builds_on=("forget_gate", "input_gate", "output_gate", "candidate_cell", "sigmoid"),
)
