"""Mistakes on several paths, and in adding up over paths and examples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking.record import Mistake
from autograder.course.exercises.gradients.formulas import (
    FORMULAS,
    formula_mistake,
    half_swapped,
    recurrent_not_transposed,
    times,
    zero,
)
from autograder.course.exercises.gradients.grads import BIASES, WEIGHTS
from autograder.course.exercises.gradients.sections import DIRECT, GATES
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.shared.wrong import join, sigmoid


def _in_wrong_order_forward() -> dict[str, Callable]:
    """``[x, h]`` for ``[h, x]`` throughout, forward and backward: consistent, and another model."""

    def gate(name):
        return lambda s: sigmoid(join(s.x, s.h) @ s.params[f"W_{name}"].T + s.params[f"b_{name}"])

    return {
        "z": gate("z"),
        "r": gate("r"),
        "joined": lambda s: join(s.x, s.h),
        "joined_h": lambda s: join(s.x, s.r * s.h),
        "back_h": half_swapped("back_h"),
        "back_z": half_swapped("back_z"),
        "back_r": half_swapped("back_r"),
    }


def _only(which: str, keeps: str, means: str, **changes) -> Mistake:
    return formula_mistake(
        None,
        GATES,
        f"{which} overwritten: only {keeps} left",
        f"{which} is the sum of what comes back along every path; yours is overwritten and keeps "
        f"only {means}.",
        **changes,
    )


def _per_key(keys: tuple[str, ...], change: Callable) -> dict[str, Callable]:
    return {key: change(key) for key in keys}


def _transposed(key):
    return lambda s: FORMULAS[key](s).T.copy()


def _mean(key):
    return lambda s: FORMULAS[key](s) / len(s.dh)


def _unsummed_bias(key):
    return lambda s: getattr(s, f"da_{key[-1]}").copy()


def _unsummed_weights(key):
    source = "joined_h" if key == "W_h" else "joined"
    return lambda s: getattr(s, f"da_{key[-1]}")[:, :, None] * getattr(s, source)[:, None, :]


def _kept_dim(key):
    return lambda s: FORMULAS[key](s)[None]


def _first_example(key):
    da = f"da_{key[-1]}"
    if key in BIASES:
        return lambda s: getattr(s, da)[0].copy()
    source = "joined_h" if key == "W_h" else "joined"
    return lambda s: np.outer(getattr(s, da)[0], getattr(s, source)[0])


SUM_MISTAKES = (
    _only(
        "dh_prev",
        "the reset gate's path",
        "the path through r",
        dh_prev=lambda s: s.back_r[:, : s.H].copy(),
    ),
    _only(
        "dh_prev",
        "the update gate's path",
        "the path through z",
        dh_prev=lambda s: s.back_z[:, : s.H].copy(),
    ),
    _only(
        "dh_prev",
        "the candidate's path",
        "the path through the candidate",
        dh_prev=lambda s: s.through_h,
    ),
    _only(
        "dx", "the reset gate's path", "the path through r", dx=lambda s: s.back_r[:, s.H :].copy()
    ),
    _only(
        "dx", "the update gate's path", "the path through z", dx=lambda s: s.back_z[:, s.H :].copy()
    ),
    _only(
        "dx",
        "the candidate's path",
        "the path through the candidate",
        dx=lambda s: s.back_h[:, s.H :].copy(),
    ),
    formula_mistake(
        "r",
        GATES,
        "gates' paths missing in dx and dh_prev",
        "The gates' weights get their gradients, but z and r hand nothing on to x and h_prev.",
        dx=lambda s: s.back_h[:, s.H :].copy(),
        dh_prev=lambda s: s.direct + s.through_h,
    ),
    formula_mistake(
        "z",
        GATES,
        "gates treated as constants",
        "No gradient passes through z or r at all; both depend on x, h_prev and their weights.",
        dz=zero("dz"),
        dr=zero("dr"),
    ),
    formula_mistake(
        "z",
        GATES,
        "sigmoid' missing in both gates",
        "You use dz and dr as the gradients before the sigmoid; the slopes z * (1 - z) and "
        "r * (1 - r) are missing.",
        slope_z=lambda s: 1.0,
        slope_r=lambda s: 1.0,
    ),
    formula_mistake(
        "z",
        GATES,
        "z and r for sigmoid'",
        "You multiply dz by z and dr by r; the slope of the sigmoid is z * (1 - z), r * (1 - r).",
        slope_z=lambda s: s.z,
        slope_r=lambda s: s.r,
    ),
    formula_mistake(
        "z",
        GATES,
        "sigmoid' of the gates themselves",
        "You apply the sigmoid to z and r once more before taking its slope; they are already the "
        "sigmoid's values.",
        slope_z=lambda s: sigmoid(s.z) * (1 - sigmoid(s.z)),
        slope_r=lambda s: sigmoid(s.r) * (1 - sigmoid(s.r)),
    ),
    formula_mistake(
        None,
        GATES,
        "batch not summed for the biases",
        "A bias has one gradient for the whole batch, (H,): sum the (B, H) array over axis 0.",
        **_per_key(BIASES, _unsummed_bias),
    ),
    formula_mistake(
        None,
        GATES,
        "batch not summed for the weights",
        "Each example has a weight gradient of its own in your result; add them up over the batch.",
        **_per_key(WEIGHTS, _unsummed_weights),
    ),
    formula_mistake(
        None,
        GATES,
        "batch not summed at all",
        "Each example has gradients of its own in your grads; add them up over the batch.",
        **_per_key(WEIGHTS, _unsummed_weights),
        **_per_key(BIASES, _unsummed_bias),
    ),
    formula_mistake(
        None,
        GATES,
        "biases with a batch axis of one",
        "Your bias gradients have shape (1, H), from keepdims=True; a bias is (H,).",
        **_per_key(BIASES, _kept_dim),
    ),
    formula_mistake(
        None,
        GATES,
        "mean over the batch",
        "grads holds the mean over the batch; the gradient of a sum of losses is the sum.",
        **_per_key(KEYS, _mean),
    ),
    formula_mistake(
        None,
        GATES,
        "mean over the batch for the biases",
        "The bias gradients are means over the batch; they are sums, like those of the weights.",
        **_per_key(BIASES, _mean),
    ),
    formula_mistake(
        None,
        GATES,
        "mean over the batch for the weights",
        "The weight gradients are means over the batch; they are sums, like those of the biases.",
        **_per_key(WEIGHTS, _mean),
    ),
    formula_mistake(
        None,
        GATES,
        "only the first example counted",
        "grads holds the first example's gradients; add those of the whole batch.",
        **_per_key(KEYS, _first_example),
    ),
    formula_mistake(
        None,
        GATES,
        "weight gradients transposed",
        "Your weight gradients are (H + D, H); a gradient has the shape of its weights. Write "
        "da.T @ joined.",
        **_per_key(WEIGHTS, _transposed),
    ),
    formula_mistake(
        None,
        GATES,
        "weight gradients joined as [x, h]",
        "The columns of your weight gradients are in the order [x, h]; hidden part first.",
        W_z=lambda s: s.da_z.T @ join(s.x, s.h),
        W_r=lambda s: s.da_r.T @ join(s.x, s.h),
        W_h=lambda s: s.da_h.T @ join(s.x, s.r * s.h),
    ),
    *(
        formula_mistake(
            part,
            GATES,
            f"gradient through W_{gate} cut in the wrong order",
            f"You take the first columns of da_{gate} @ W_{gate} for x; the first H belong to h_prev.",
            **{f"back_{gate}": half_swapped(f"back_{gate}")},
        )
        for part, gate in (("z", "z"), ("r", "r"), ("candidate", "h"))
    ),
    formula_mistake(
        None,
        GATES,
        "joined gradient cut in the wrong order",
        "You take the first D columns of da @ W for x; the first H columns belong to h_prev.",
        back_h=half_swapped("back_h"),
        back_z=half_swapped("back_z"),
        back_r=half_swapped("back_r"),
    ),
    formula_mistake(
        None,
        GATES,
        "input and state in the wrong order throughout",
        "You join [x, h_prev], forward and backward; the columns of W expect the hidden part first.",
        **_in_wrong_order_forward(),
    ),
    formula_mistake(
        None,
        GATES,
        "recurrent weights transposed on the way back",
        "Forward the state meets W transposed, so backward the gradient meets W itself: da @ W.",
        back_h=recurrent_not_transposed("h"),
        back_z=recurrent_not_transposed("z"),
        back_r=recurrent_not_transposed("r"),
    ),
    formula_mistake(
        None,
        GATES,
        "bias gradients zero",
        "All bias gradients are zero; each is its gate's gradient before the squashing function, "
        "summed over the batch.",
        **_per_key(BIASES, zero),
    ),
    formula_mistake(
        None,
        GATES,
        "bias gradients doubled",
        "Your bias gradients are twice too large, as if there were two biases per gate.",
        **_per_key(BIASES, lambda key: times(key, 2.0)),
    ),
    formula_mistake(
        None,
        DIRECT,
        "signs of all gradients reversed",
        "Everything comes out negated; stepping downhill is the optimizer's business.",
        **_per_key(("dx", "dh_prev", *KEYS), lambda key: times(key, -1.0)),
    ),
)
"""On several paths at once, and where paths and examples are added up."""
