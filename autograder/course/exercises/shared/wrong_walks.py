"""The catalogue of a walk through time with one state, for any cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from autograder.checking.record import Mistake, Section
from autograder.course.exercises.shared.wrong import walk

_WALKS: tuple[tuple[str, str, str, Callable], ...] = (
    # name, diagnosis, part, what is returned; states(xs, h0) are those of the right walk
    (
        "state not carried",
        "Every step starts again from h0; each must start from the state before it.",
        "carry",
        lambda states, xs, h0: np.stack([states(x[None], h0)[0] for x in xs]),
    ),
    (
        "h0 ignored",
        "You start from zeros; the first step starts from h0.",
        "step",
        lambda states, xs, h0: states(xs, np.zeros_like(h0)),
    ),
    (
        "time walked backwards",
        "The sequence is processed from its end to its start.",
        "carry",
        lambda states, xs, h0: states(xs[::-1], h0)[::-1].copy(),
    ),
    (
        "time walked backwards, states in the order computed",
        "The sequence is processed from its end, and entry 0 holds the state of the last step.",
        "carry",
        lambda states, xs, h0: states(xs[::-1], h0),
    ),
    (
        "states in reverse order",
        "The states are right, but entry 0 holds the last one.",
        "carry",
        lambda states, xs, h0: states(xs, h0)[::-1].copy(),
    ),
    (
        "only the last state returned",
        "You return h_T; all T states are asked for, stacked along a new first axis.",
        "step",
        lambda states, xs, h0: states(xs, h0)[-1],
    ),
    (
        "h0 counted as a state",
        "Your first entry is h0, so there are T + 1; hs holds the states after each step.",
        "step",
        lambda states, xs, h0: np.concatenate([h0[None], states(xs, h0)]),
    ),
    (
        "states one step late",
        "Entry t holds the state before step t; it must hold the state after it.",
        "step",
        lambda states, xs, h0: np.concatenate([h0[None], states(xs, h0)[:-1]]),
    ),
    (
        "batch taken for time",
        "You walk along the batch axis, as xs[:, t] does; xs is (T, B, D), time first: xs[t].",
        "carry",
        lambda states, xs, h0: states(np.swapaxes(xs, 0, 1), h0),
    ),
    (
        "batch axis first in the result",
        "Your result is (B, T, H); the course puts time first: (T, B, H).",
        "carry",
        lambda states, xs, h0: np.swapaxes(states(xs, h0), 0, 1).copy(),
    ),
    (
        "one array for all states",
        "All entries are the last state: the same array was stored T times and overwritten.",
        "carry",
        lambda states, xs, h0: np.stack([states(xs, h0)[-1]] * len(xs)),
    ),
    (
        "only the first input used",
        "Every step reads xs[0]; step t reads xs[t].",
        "carry",
        lambda states, xs, h0: states(np.stack([xs[0]] * len(xs)), h0),
    ),
    (
        "first input left out",
        "You start at xs[1]; the first step reads xs[0], so there are T states.",
        "step",
        lambda states, xs, h0: states(xs[1:], h0),
    ),
    (
        "last input left out",
        "You stop one step early: T inputs give T states, up to xs[T - 1].",
        "step",
        lambda states, xs, h0: states(xs[:-1], h0),
    ),
    (
        "inputs one step late",
        "Step t reads xs[t - 1], and the first step xs[-1], the last input; step t reads xs[t].",
        "carry",
        lambda states, xs, h0: states(np.roll(xs, 1, axis=0), h0),
    ),
    (
        "states joined along the batch axis",
        "The T states are joined along their first axis, which gives (T * B, H); time gets an "
        "axis of its own: np.stack gives (T, B, H).",
        "step",
        lambda states, xs, h0: np.concatenate(list(states(xs, h0))),
    ),
    (
        "a list of states",
        "The states come as a list; stack them into one array of shape (T, B, H).",
        "step",
        lambda states, xs, h0: list(states(xs, h0)),
    ),
)


def time_mistakes(step: Callable, section: Section) -> tuple[Mistake, ...]:
    """The catalogue of ``forward(xs, h0, params) -> hs`` for a cell with one state."""

    def walking(returned: Callable) -> Callable:
        def wrong(xs, h0, params):
            return returned(partial(walk, params=params, step=step), xs, h0)

        return wrong

    return tuple(
        Mistake(name, says, walking(returned), section, part)
        for name, says, part, returned in _WALKS
    )
