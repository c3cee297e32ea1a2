"""Mistakes on one of the four paths from h to h_prev."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking.record import Mistake
from autograder.course.exercises.gradients.formulas import (
    formula_mistake,
    recurrent_not_transposed,
    zero,
)
from autograder.course.exercises.gradients.sections import CANDIDATE, DIRECT, GATES
from autograder.course.exercises.gru.sections import TWO_CONVENTIONS, TWO_RESETS
from autograder.course.exercises.shared.wrong import affine, join, sigmoid, split


def _split_candidate(s):
    return split(s.params, "h", s.h)


def _reset_after_changes() -> dict[str, Callable]:
    """The backward pass of the model with r after the matrix product, one bias."""

    def sum_h(s):
        W_hn, W_in = _split_candidate(s)
        return s.r * (s.h @ W_hn.T) + s.x @ W_in.T + s.params["b_h"]

    def back_h(s):
        W_hn, W_in = _split_candidate(s)
        return join((s.da_h * s.r) @ W_hn, s.da_h @ W_in)

    return {
        "sum_h": sum_h,
        "back_h": back_h,
        "through_h": lambda s: s.d_reset,
        "dr": lambda s: s.da_h * (s.h @ _split_candidate(s)[0].T),
        "W_h": lambda s: join((s.da_h * s.r).T @ s.h, s.da_h.T @ s.x),
    }


_KEEP = {
    "direct": lambda s: s.z * s.dh,
    "dc": lambda s: (1 - s.z) * s.dh,
    "dz": lambda s: (s.h - s.c) * s.dh,
}


def _slope_mistakes(gate: str, long: str) -> tuple[Mistake, ...]:
    """The slope of a gate's sigmoid, taken of the wrong value."""
    slope = f"slope_{gate}"

    def activation(s):
        return getattr(s, gate)

    def pre_activation(s):
        return affine(s.h, s.x, s.params, gate)

    def wrong(name, says, formula):
        return formula_mistake(gate, GATES, name, says, **{slope: formula})

    g = gate
    return (
        wrong(
            f"{long}: sigmoid' missing",
            f"You use d{g} as the gradient before the sigmoid; its slope {g} * (1 - {g}) is missing.",
            lambda s: 1.0,
        ),
        wrong(
            f"{long}: {g} for sigmoid'",
            f"You multiply d{g} by {g}; the slope of the sigmoid is {g} * (1 - {g}).",
            activation,
        ),
        wrong(
            f"{long}: 1 - {g} for sigmoid'",
            f"You multiply d{g} by 1 - {g}; the slope of the sigmoid is {g} * (1 - {g}).",
            lambda s: 1 - activation(s),
        ),
        wrong(
            f"{long}: sigmoid' of the gate itself",
            f"You apply the sigmoid to {g} once more before taking its slope; {g} is already the "
            f"sigmoid's value, so the slope is {g} * (1 - {g}).",
            lambda s: sigmoid(activation(s)) * (1 - sigmoid(activation(s))),
        ),
        wrong(
            f"{long}: slope of the weighted sum",
            f"You compute a * (1 - a) with the sum a before the sigmoid; the formula takes the "
            f"value after it: {g} * (1 - {g}).",
            lambda s: pre_activation(s) * (1 - pre_activation(s)),
        ),
        wrong(
            f"{long}: tanh' for sigmoid'",
            f"You multiply by 1 - {g}²; that is the slope of tanh. The sigmoid's is {g} * (1 - {g}).",
            lambda s: 1 - activation(s) ** 2,
        ),
    )


DIRECT_MISTAKES = (
    formula_mistake(
        "state",
        DIRECT,
        "direct path missing",
        "dh_prev lacks (1 - z) * dh: h_prev also reaches h without passing any weights.",
        direct=zero("direct"),
    ),
    formula_mistake(
        "state",
        DIRECT,
        "direct path not scaled",
        "You hand on all of dh; only the share 1 - z of h_prev is kept.",
        direct=lambda s: s.dh,
    ),
    formula_mistake(
        "state",
        DIRECT,
        "z for 1 - z on the direct path",
        "You hand on z * dh; the old state enters h with weight 1 - z.",
        direct=lambda s: s.z * s.dh,
    ),
    formula_mistake(
        "state",
        DIRECT,
        "dh_prev only along the direct path",
        "dh_prev is (1 - z) * dh alone; h_prev also acts through the candidate and both gates.",
        dh_prev=lambda s: s.direct,
    ),
    formula_mistake(
        "state",
        TWO_CONVENTIONS,
        "z and 1 - z swapped",
        "Your step belongs to the other convention, z * h_prev + (1 - z) * candidate. Here z "
        "near 1 replaces: direct path (1 - z) * dh, candidate z * dh.",
        **_KEEP,
    ),
    formula_mistake(
        "state",
        TWO_CONVENTIONS,
        "z and 1 - z swapped in the blend, dz right",
        "The old state's share is 1 - z and the candidate's z; you have them exchanged.",
        direct=_KEEP["direct"],
        dc=_KEEP["dc"],
    ),
    formula_mistake(
        "r",
        TWO_RESETS,
        "PyTorch's equations",
        "You differentiate PyTorch's GRU: z keeps, and r comes after the matrix product. Here z "
        "replaces, and r multiplies h_prev first.",
        **_KEEP,
        **_reset_after_changes(),
    ),
    formula_mistake(
        "state",
        DIRECT,
        "dh not used",
        "Your result does not depend on dh; every path begins with the gradient that arrives.",
        direct=lambda s: 1 - s.z,
        dc=lambda s: s.z,
        dz=lambda s: s.c - s.h,
    ),
)
"""On the direct path, past all weights."""

CANDIDATE_MISTAKES = (
    formula_mistake(
        "candidate",
        CANDIDATE,
        "candidate path missing",
        "No gradient passes through the candidate, so W_h, b_h and the reset gate get none.",
        dc=zero("dc"),
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "candidate's gradient not scaled by z",
        "You send all of dh into the candidate; it enters h with weight z: z * dh.",
        dc=lambda s: s.dh,
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "1 - z for z before the candidate",
        "You send (1 - z) * dh into the candidate; its weight in h is z.",
        dc=lambda s: (1 - s.z) * s.dh,
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "tanh' missing",
        "You use the candidate's gradient as if there were no tanh; its slope is 1 - candidate².",
        slope_h=lambda s: 1.0,
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "1 - tanh for tanh'",
        "You multiply by 1 - candidate; the slope of tanh is 1 - candidate².",
        slope_h=lambda s: 1 - s.c,
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "tanh' of the weighted sum",
        "You compute 1 - a² with the sum a before tanh; the formula takes the value after it.",
        slope_h=lambda s: 1 - s.sum_h**2,
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "tanh' of the candidate itself",
        "You apply tanh to the candidate once more before squaring; it is tanh's value already.",
        slope_h=lambda s: 1 - np.tanh(s.c) ** 2,
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "tanh² for tanh'",
        "You multiply by candidate²; the slope of tanh is 1 - candidate².",
        slope_h=lambda s: s.c**2,
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "sigmoid' for tanh'",
        "You multiply by candidate * (1 - candidate); that is the slope of a sigmoid.",
        slope_h=lambda s: s.c * (1 - s.c),
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "tanh' of the new state",
        "You compute 1 - h² with the new state; tanh made the candidate, not the state.",
        slope_h=lambda s: 1 - ((1 - s.z) * s.h + s.z * s.c) ** 2,
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "h_prev for r * h_prev in the gradient of W_h",
        "W_h met [r * h_prev, x] in the forward pass; its gradient needs the same array.",
        W_h=lambda s: s.da_h.T @ s.joined,
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "dx misses the candidate",
        "dx lacks what comes back through the candidate; x enters both gates and the candidate.",
        dx=lambda s: (s.back_z + s.back_r)[:, s.H :],
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "dh_prev misses the candidate",
        "dh_prev lacks what comes back through the candidate, d(r * h_prev) * r.",
        dh_prev=lambda s: s.direct + (s.back_z + s.back_r)[:, : s.H],
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "b_h's gradient missing",
        "The gradient of b_h is zero; it is the candidate's gradient before tanh, summed over the batch.",
        b_h=zero("b_h"),
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "W_h's gradient joined as [x, r * h_prev]",
        "The columns of the gradient of W_h are in the order [x, r * h_prev]; hidden part first.",
        W_h=lambda s: s.da_h.T @ join(s.x, s.r * s.h),
    ),
    formula_mistake(
        "candidate",
        CANDIDATE,
        "recurrent weights of the candidate transposed on the way back",
        "Forward the state meets W_h transposed, so backward the gradient meets W_h itself.",
        back_h=recurrent_not_transposed("h"),
    ),
)
"""On the path through the candidate."""

UPDATE_MISTAKES = (
    formula_mistake(
        "z",
        GATES,
        "path through z missing",
        "No gradient passes through the update gate: W_z and b_z get none, dx and dh_prev lack it.",
        dz=zero("dz"),
    ),
    formula_mistake(
        "z",
        GATES,
        "sign of dz wrong",
        "Your dz is (h_prev - candidate) * dh; opening z moves h toward the candidate: "
        "(candidate - h_prev) * dh.",
        dz=_KEEP["dz"],
    ),
    formula_mistake(
        "z",
        GATES,
        "old state missing in dz",
        "Your dz is candidate * dh; z also takes away from h_prev: (candidate - h_prev) * dh.",
        dz=lambda s: s.c * s.dh,
    ),
    formula_mistake(
        "z",
        GATES,
        "candidate missing in dz",
        "Your dz is -h_prev * dh; z also brings in the candidate: (candidate - h_prev) * dh.",
        dz=lambda s: -s.h * s.dh,
    ),
    formula_mistake(
        "z",
        GATES,
        "dz with the new state",
        "Your dz is (h - h_prev) * dh with the new state; it takes the candidate instead.",
        dz=lambda s: s.z * (s.c - s.h) * s.dh,
    ),
    *_slope_mistakes("z", "update gate"),
    formula_mistake(
        "z",
        GATES,
        "dx misses the update gate",
        "dx lacks what comes back through z; x enters both gates and the candidate.",
        dx=lambda s: (s.back_h + s.back_r)[:, s.H :],
    ),
    formula_mistake(
        "z",
        GATES,
        "dh_prev misses the update gate",
        "dh_prev lacks what comes back through z; h_prev enters both gates.",
        dh_prev=lambda s: s.direct + s.through_h + s.back_r[:, : s.H],
    ),
    formula_mistake(
        "z",
        GATES,
        "update gate's weights get no gradient",
        "z is treated as a constant where W_z and b_z are concerned: their gradients are zero.",
        W_z=zero("W_z"),
        b_z=zero("b_z"),
    ),
    formula_mistake(
        "z",
        GATES,
        "b_z's gradient missing",
        "The gradient of b_z is zero; it is the gate's gradient before the sigmoid, summed over the batch.",
        b_z=zero("b_z"),
    ),
    formula_mistake(
        "z",
        GATES,
        "W_z's gradient joined as [x, h_prev]",
        "The columns of the gradient of W_z are in the order [x, h_prev]; hidden part first.",
        W_z=lambda s: s.da_z.T @ join(s.x, s.h),
    ),
    formula_mistake(
        "z",
        GATES,
        "r * h_prev for h_prev in the gradient of W_z",
        "The update gate reads h_prev itself; only the candidate reads r * h_prev.",
        W_z=lambda s: s.da_z.T @ s.joined_h,
    ),
    formula_mistake(
        "z",
        GATES,
        "recurrent weights of the update gate transposed on the way back",
        "Forward the state meets W_z transposed, so backward the gradient meets W_z itself.",
        back_z=recurrent_not_transposed("z"),
    ),
    formula_mistake(
        "z",
        GATES,
        "gradients of the two gates exchanged",
        "grads holds the reset gate's gradients under W_z, b_z, and the update gate's under W_r, b_r.",
        W_z=lambda s: s.da_r.T @ s.joined,
        b_z=lambda s: s.da_r.sum(axis=0),
        W_r=lambda s: s.da_z.T @ s.joined,
        b_r=lambda s: s.da_z.sum(axis=0),
    ),
)
"""On the path through the update gate."""
RESET_MISTAKES = (
    formula_mistake(
        "r",
        GATES,
        "reset gate's delta used for its weights only",
        "da_r reaches W_r and b_r and goes no further: through W_r it also leads to x and h_prev.",
        back_r=zero("back_r"),
    ),
    formula_mistake(
        "z",
        GATES,
        "update gate's delta used for its weights only",
        "da_z reaches W_z and b_z and goes no further: through W_z it also leads to x and h_prev.",
        back_z=zero("back_z"),
    ),
    formula_mistake(
        "r",
        GATES,
        "path through r missing",
        "No gradient passes through the reset gate: W_r and b_r get none, dx and dh_prev lack it.",
        dr=zero("dr"),
    ),
    formula_mistake(
        "r",
        CANDIDATE,
        "factor r missing in dh_prev",
        "What comes back through r * h_prev reaches h_prev scaled by r; you add it unscaled.",
        through_h=lambda s: s.d_reset,
    ),
    formula_mistake(
        "r",
        CANDIDATE,
        "1 - r for r in dh_prev",
        "You scale the candidate's share of dh_prev by 1 - r; the candidate read r * h_prev.",
        through_h=lambda s: s.d_reset * (1 - s.r),
    ),
    formula_mistake(
        "r",
        CANDIDATE,
        "h_prev for r in dh_prev",
        "The product rule on r * h_prev: h_prev gets the factor r, and r gets the factor h_prev. "
        "You use h_prev for both.",
        through_h=lambda s: s.d_reset * s.h,
    ),
    formula_mistake(
        "r",
        GATES,
        "factor h_prev missing in dr",
        "dr is what comes back to r * h_prev, times h_prev; you leave out h_prev.",
        dr=lambda s: s.d_reset,
    ),
    formula_mistake(
        "r",
        GATES,
        "r for h_prev in dr",
        "dr is what comes back to r * h_prev, times h_prev; you multiply by r.",
        dr=lambda s: s.d_reset * s.r,
    ),
    formula_mistake(
        "r",
        GATES,
        "the two factors of r * h_prev exchanged",
        "The product rule: h_prev gets d(r * h_prev) * r, and r gets d(r * h_prev) * h_prev. "
        "Yours are the other way round.",
        through_h=lambda s: s.d_reset * s.h,
        dr=lambda s: s.d_reset * s.r,
    ),
    formula_mistake(
        "r",
        GATES,
        "W_h skipped on the way to r",
        "dr is da * h_prev in your code; between tanh and r lies the matrix W_h.",
        dr=lambda s: s.da_h * s.h,
    ),
    formula_mistake(
        "r",
        GATES,
        "candidate for h_prev in dr",
        "You multiply by the candidate; r scales h_prev, so dr takes h_prev.",
        dr=lambda s: s.d_reset * s.c,
    ),
    formula_mistake(
        "r",
        GATES,
        "r treated as if it scaled dh",
        "Your dr is h_prev * dh; r acts only inside the candidate, behind z, tanh and W_h.",
        dr=lambda s: s.dh * s.h,
    ),
    *_slope_mistakes("r", "reset gate"),
    formula_mistake(
        "r",
        TWO_RESETS,
        "reset after the matrix product",
        "You differentiate the model with r after the matrix product, as in PyTorch; here r "
        "multiplies h_prev first.",
        **_reset_after_changes(),
    ),
    formula_mistake(
        "r",
        GATES,
        "reset gate forgotten in the forward pass",
        "Your candidate is computed from h_prev; the forward pass computed it from r * h_prev.",
        r=lambda s: np.ones_like(s.z),
    ),
    formula_mistake(
        "r",
        GATES,
        "dx misses the reset gate",
        "dx lacks what comes back through r; x enters both gates and the candidate.",
        dx=lambda s: (s.back_h + s.back_z)[:, s.H :],
    ),
    formula_mistake(
        "r",
        GATES,
        "dh_prev misses the reset gate",
        "dh_prev lacks what comes back through r; h_prev enters both gates.",
        dh_prev=lambda s: s.direct + s.through_h + s.back_z[:, : s.H],
    ),
    formula_mistake(
        "r",
        GATES,
        "reset gate's weights get no gradient",
        "r is treated as a constant where W_r and b_r are concerned: their gradients are zero.",
        W_r=zero("W_r"),
        b_r=zero("b_r"),
    ),
    formula_mistake(
        "r",
        GATES,
        "b_r's gradient missing",
        "The gradient of b_r is zero; it is the gate's gradient before the sigmoid, summed over the batch.",
        b_r=zero("b_r"),
    ),
    formula_mistake(
        "r",
        GATES,
        "W_r's gradient joined as [x, h_prev]",
        "The columns of the gradient of W_r are in the order [x, h_prev]; hidden part first.",
        W_r=lambda s: s.da_r.T @ join(s.x, s.h),
    ),
    formula_mistake(
        "r",
        GATES,
        "r * h_prev for h_prev in the gradient of W_r",
        "The reset gate reads h_prev itself; only the candidate reads r * h_prev.",
        W_r=lambda s: s.da_r.T @ s.joined_h,
    ),
    formula_mistake(
        "r",
        GATES,
        "recurrent weights of the reset gate transposed on the way back",
        "Forward the state meets W_r transposed, so backward the gradient meets W_r itself.",
        back_r=recurrent_not_transposed("r"),
    ),
)
"""On the path through the reset gate."""
