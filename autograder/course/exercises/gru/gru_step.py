"""``gru_step``: one step, the blend of old state and candidate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking.record import Mistake, Probe
from autograder.course.exercises.gru import candidate_state, reset_gate, update_gate
from autograder.course.exercises.gru.candidate_state import reset_after
from autograder.course.exercises.gru.inputs import PARTS, general_inputs, step_inputs
from autograder.course.exercises.gru.right_cell import (
    right_candidate,
    right_reset,
    right_step,
    right_update,
)
from autograder.course.exercises.gru.sections import NEW_STATE, TWO_CONVENTIONS, TWO_RESETS
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.course.exercises.shared.drawing import (
    SATURATED,
    fix_gate,
    known_gate,
    small_steps,
    step_families,
)
from autograder.course.exercises.shared.wrong import contract_mistakes, lift
from autograder.player.contract import Array


def _blend_alone(draw: Callable) -> Callable:
    def blend(rng):
        drawn = draw(rng)
        fix_gate(drawn["params"], "z", known_gate(rng, drawn["h_prev"].shape[1]))
        fix_gate(drawn["params"], "h", SATURATED)
        return drawn

    return blend


def _z_alone(draw: Callable) -> Callable:
    def z(rng):
        drawn = draw(rng)
        fix_gate(drawn["params"], "h", SATURATED)
        return drawn

    return z


def _candidate_alone(draw: Callable) -> Callable:
    def candidate(rng):
        drawn = draw(rng)
        fix_gate(drawn["params"], "z", 2.0)
        fix_gate(drawn["params"], "r", SATURATED)
        return drawn

    return candidate


def _r_alone(draw: Callable) -> Callable:
    def r(rng):
        drawn = draw(rng)
        fix_gate(drawn["params"], "z", 2.0)
        return drawn

    return r


def _part_probes(draw: Callable) -> tuple[Probe, ...]:
    """One probe per part of the cell, the other parts held at known values."""
    return (
        Probe("z and candidate known", _blend_alone(draw), part="state"),
        Probe("candidate held at 1", _z_alone(draw), part="z"),
        Probe("z known, r held at 1", _candidate_alone(draw), part="candidate"),
        Probe("z known", _r_alone(draw), part="r"),
    )


_PROBES = (*_part_probes(general_inputs), *step_families(step_inputs))


def _state_mistake(name, says, wrong, where=NEW_STATE, part="state"):
    return Mistake(name, says, wrong, where, part)


def _pieces(x, h_prev, params):
    z, r = right_update(x, h_prev, params), right_reset(x, h_prev, params)
    return z, r, right_candidate(x, h_prev, r, params)


def _keep_convention(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return z * h_prev + (1 - z) * candidate


def _gates_swapped(x, h_prev, params):
    return right_step(x, h_prev, params, update=right_reset, reset=right_update)


def _candidate_as_state(x, h_prev, params):
    return _pieces(x, h_prev, params)[2]


def _not_blended(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return h_prev + z * candidate


def _only_new(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return z * candidate


def _squashed_again(x, h_prev, params):
    return np.tanh(right_step(x, h_prev, params))


def _blend_of_reset_state(x, h_prev, params):
    z, r, candidate = _pieces(x, h_prev, params)
    return (1 - z) * (r * h_prev) + z * candidate


def _update_sees_reset_state(x, h_prev, params):
    z, r, candidate = _pieces(x, h_prev, params)
    z = right_update(x, r * h_prev, params)
    return (1 - z) * h_prev + z * candidate


def _update_as_matrix(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return (1 - z) @ h_prev + z @ candidate


def _torch_equations(x, h_prev, params):
    z, r = right_update(x, h_prev, params), right_reset(x, h_prev, params)
    return z * h_prev + (1 - z) * reset_after(x, h_prev, r, params)


def _candidate_not_scaled(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return (1 - z) * h_prev + candidate


def _candidate_subtracted(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return (1 - z) * h_prev - z * candidate


def _kept_share_negative(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return (z - 1) * h_prev + z * candidate


def _same_share(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return z * h_prev + z * candidate


def _parentheses_forgotten(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return 1 - z * h_prev + z * candidate


def _reset_twice(x, h_prev, params):
    z, r, _ = _pieces(x, h_prev, params)
    return (1 - z) * h_prev + z * right_candidate(x, r * h_prev, r, params)


def _without_biases(x, h_prev, params):
    silent = {key: 0.0 * value if key[0] == "b" else value for key, value in params.items()}
    return right_step(x, h_prev, silent)


_OWN_MISTAKES = (
    _state_mistake(
        "z and 1 - z swapped",
        "Your step keeps where z is near 1, as Cho et al. and PyTorch do; here z near 1 "
        "replaces: (1 - z) * h_prev + z * candidate.",
        _keep_convention,
        TWO_CONVENTIONS,
    ),
    _state_mistake(
        "PyTorch's equations",
        "Your step computes PyTorch's GRU: z keeps, and r comes after the matrix product. "
        "Here z replaces, and r multiplies h_prev first.",
        _torch_equations,
        TWO_RESETS,
    ),
    _state_mistake(
        "update and reset gates exchanged",
        "z does the work of r and r the work of z: their weights, or their places, are swapped.",
        _gates_swapped,
        part="z",
    ),
    _state_mistake(
        "candidate returned as state",
        "You return the candidate; the new state blends it with h_prev by z.",
        _candidate_as_state,
    ),
    _state_mistake(
        "old state not scaled",
        "You add z * candidate to the whole h_prev; h_prev keeps only its share 1 - z.",
        _not_blended,
    ),
    _state_mistake(
        "old state missing",
        "Your new state is z * candidate; the kept share (1 - z) * h_prev is missing.",
        _only_new,
    ),
    _state_mistake(
        "candidate not scaled",
        "You add the whole candidate to (1 - z) * h_prev; the candidate's share is z.",
        _candidate_not_scaled,
    ),
    _state_mistake(
        "candidate subtracted",
        "You subtract z * candidate from the kept share; the two shares are added.",
        _candidate_subtracted,
    ),
    _state_mistake(
        "z - 1 for 1 - z",
        "You weight h_prev with z - 1, which is negative; its share is 1 - z.",
        _kept_share_negative,
    ),
    _state_mistake(
        "z for both shares",
        "h_prev and the candidate both get the share z; what h_prev keeps is 1 - z.",
        _same_share,
    ),
    _state_mistake(
        "all biases missing",
        "None of the three biases, b_z, b_r and b_h, is added.",
        _without_biases,
        part=None,
    ),
    _state_mistake(
        "parentheses forgotten",
        "You compute 1 - z * h_prev + z * candidate; without parentheses the product comes first: "
        "(1 - z) * h_prev.",
        _parentheses_forgotten,
    ),
    _state_mistake(
        "reset twice",
        "The candidate gets r * h_prev and multiplies it by r once more; hand it h_prev itself.",
        _reset_twice,
        part="r",
    ),
    _state_mistake(
        "tanh applied to the state",
        "The blend is squashed once more by tanh; it is the new state as it stands.",
        _squashed_again,
    ),
    _state_mistake(
        "reset state blended",
        "You blend r * h_prev; r only changes what the candidate sees, the blend takes h_prev.",
        _blend_of_reset_state,
    ),
    _state_mistake(
        "update gate reads the reset state",
        "z is computed from r * h_prev; both gates read h_prev itself.",
        _update_sees_reset_state,
        part="z",
    ),
    _state_mistake(
        "matrix product for the elementwise product",
        "`z @ candidate` is a matrix product; the blend multiplies element by element: `*`.",
        _update_as_matrix,
    ),
)


def _exchanged(gate: str) -> tuple[str, str]:
    return (
        f"x and h_prev exchanged in the call of {gate}",
        f"Your {gate} is right; the step hands it h_prev and x in the wrong order: x comes first.",
    )


def _not_handed(gate: str, name: str) -> tuple[str, str]:
    return (
        f"{gate} gets no {name}",
        f"Your {gate} is right; the step hands it zeros, or something else, in place of {name}.",
    )


MISTAKES = (
    *_OWN_MISTAKES,
    # 1 - z in the update gate gives the same states as a swapped blend: one entry for both.
    *lift(
        update_gate.MISTAKES,
        "in the update gate",
        lambda wrong, **i: right_step(**i, update=wrong),
        skip=("z and 1 - z swapped",),
        inside="update_gate",
        by_call={
            "input and state in the wrong order": _exchanged("update_gate"),
            "the reset gate's weights": (
                "r taken for z",
                "Your gates are right; the blend uses r, or what reset_gate gives, where z belongs.",
                "reset_gate",
            ),
            "h_prev ignored": _not_handed("update_gate", "h_prev"),
            "x ignored": _not_handed("update_gate", "x"),
        },
    ),
    # likewise 1 - r
    *lift(
        reset_gate.MISTAKES,
        "in the reset gate",
        lambda wrong, **i: right_step(**i, reset=wrong),
        skip=("r and 1 - r swapped",),
        inside="reset_gate",
        by_call={
            "input and state in the wrong order": _exchanged("reset_gate"),
            "the update gate's weights": (
                "z handed to the candidate",
                "Your gates are right; candidate_state gets z, or what update_gate gives, where r "
                "belongs.",
                "update_gate",
            ),
            "h_prev ignored": _not_handed("reset_gate", "h_prev"),
            "x ignored": _not_handed("reset_gate", "x"),
        },
    ),
    *lift(
        candidate_state.MISTAKES,
        "in the candidate",
        lambda wrong, **i: right_step(**i, candidate=wrong),
        inside="candidate_state",
        by_call={
            "input and state in the wrong order": _exchanged("candidate_state"),
            "1 - r for r": (
                "1 - r handed to the candidate",
                "Your candidate_state is right and gets 1 - r; hand it r.",
            ),
            "reset gate not applied": (
                "the candidate gets no r",
                "Your candidate_state is right and gets ones where r belongs.",
            ),
        },
    ),
)
"""In the state that the step gives; ``gru_forward`` has them too, and ``bughunt`` its suspects."""

EXERCISE = gru_exercise(
    name="gru_step",
    assignment="gru",
    signature="gru_step(x, h_prev, params) -> h",
    points=3,
    section=NEW_STATE,
    equation="h = (1 − z) ∗ h_prev + z ∗ h̃",
    hints=(
        "Compute z, r and the candidate with the functions you have written.",
        "z near 1 replaces: the candidate gets z, the old state what is left.",
    ),
    returns=Array("h"),
    probes=_PROBES,
    answer=by_reference("gru_step", "h"),
    in_numpy=right_step,
    small=small_steps(step_inputs),
    mistakes=(*MISTAKES, *contract_mistakes(right_step, "state", NEW_STATE, "h_prev")),
    parts=PARTS,
    builds_on=("update_gate", "reset_gate", "candidate_state"),
)
