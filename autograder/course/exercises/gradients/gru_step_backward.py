"""``gru_step_backward``: the gradients of one step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autograder.checking.record import Inputs, Outputs, Probe
from autograder.course.exercises.gradients.finite_differences import (
    precision_mistakes,
    step_differences,
)
from autograder.course.exercises.gradients.formulas import step_backward
from autograder.course.exercises.gradients.grads import (
    TOLERANCE,
    WHY_TOLERANCE,
    differentiate,
    named,
)
from autograder.course.exercises.gradients.inputs import cut_state_from_candidate, large_probe
from autograder.course.exercises.gradients.sections import GATES
from autograder.course.exercises.gradients.wrong_paths import (
    CANDIDATE_MISTAKES,
    DIRECT_MISTAKES,
    RESET_MISTAKES,
    UPDATE_MISTAKES,
)
from autograder.course.exercises.gradients.wrong_returns import returning_mistakes
from autograder.course.exercises.gradients.wrong_sums import SUM_MISTAKES
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.declared import RECURRENT, gru_exercise
from autograder.course.exercises.shared.drawing import (
    SATURATED,
    fix_gate,
    gated_params,
    general_step,
    state,
    step_families,
)
from autograder.course.exercises.shared.wrong import affine, contract_mistakes
from autograder.player.contract import Gradients
from autograder.player.observe import AUTOGRAD

_PARTS = (
    ("state", "the direct path, (1 - z) * dh"),
    ("candidate", "the path through the candidate"),
    ("z", "the path through the update gate z"),
    ("r", "the path through the reset gate r"),
)


def _step_inputs(rng, B: int, D: int, H: int) -> Inputs:
    return {
        "dh": drawing.arriving(rng, B, H),
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        "params": gated_params(rng, "zrh", D, H),
    }


_general = general_step(_step_inputs)


def _direct_alone(rng) -> Inputs:
    """z = 0, and the candidate equals h_prev: all other paths carry nothing, whatever their slopes."""
    drawn = _general(rng)
    fix_gate(drawn["params"], "z", -20 * SATURATED)
    drawn["params"]["W_h"] *= 0.0
    drawn["h_prev"] = np.tanh(drawn["params"]["b_h"]) + 0.0 * drawn["h_prev"]
    return drawn


def _candidate_alone(rng) -> Inputs:
    """z = 1, and the candidate equals h_prev and does not read it: both gates' paths are dead."""
    drawn = _general(rng)
    fix_gate(drawn["params"], "z", SATURATED)
    cut_state_from_candidate(drawn, drawn["h_prev"].shape[1])
    drawn["h_prev"] = np.tanh(affine(drawn["h_prev"], drawn["x"], drawn["params"], "h"))
    return drawn


def _update_alone(rng) -> Inputs:
    """The candidate does not read the state: the reset gate's path is dead."""
    drawn = _general(rng)
    cut_state_from_candidate(drawn, drawn["h_prev"].shape[1])
    return drawn


def _reset_alone(rng) -> Inputs:
    """z = 1: the direct path and the update gate's are dead."""
    drawn = _general(rng)
    fix_gate(drawn["params"], "z", SATURATED)
    return drawn


def _one_large_gradient(rng) -> Inputs:
    drawn = _general(rng)
    drawn["dh"][0] *= 100.0
    return drawn


_PROBES = (
    Probe("z = 0, candidate = h_prev", _direct_alone, part="state"),
    Probe("z = 1, candidate = h_prev, which it does not read", _candidate_alone, part="candidate"),
    Probe(
        "candidate does not read h_prev",
        _update_alone,
        part="z",
        outputs=("dh_prev", 'grads["W_z"]', 'grads["b_z"]'),
    ),
    Probe("z = 1", _reset_alone, part="r"),
    *step_families(_step_inputs)[:-1],
    large_probe("x", _general),
    Probe("one example's gradient a hundred times as large", _one_large_gradient),
)


def _answer(inputs: Mapping) -> Outputs:
    return named(("dx", "dh_prev"), differentiate(inputs, "gru_step", "x", "h_prev"))


MISTAKES = (
    *DIRECT_MISTAKES,
    *CANDIDATE_MISTAKES,
    *UPDATE_MISTAKES,
    *RESET_MISTAKES,
    *SUM_MISTAKES,
)
"""In the numbers of one step; ``gru_backward`` has them too."""

EXERCISE = gru_exercise(
    name="gru_step_backward",
    assignment="gradients",
    signature="gru_step_backward(dh, x, h_prev, params) -> (dx, dh_prev, grads)",
    points=8,
    section=GATES,
    equation="h = (1 - z) ∗ h_prev + z ∗ h̃,   h̃ = tanh([r ∗ h_prev, x] W_hᵀ + b_h)",
    hints=(
        "List every place where h_prev appears in the forward equations: there are four, and "
        "dh_prev is the sum of four terms. x appears in three.",
        "Walk the equations from the last line to the first and write one line for each.",
    ),
    returns=Gradients(("dx", "dh_prev"), KEYS),
    probes=_PROBES,
    answer=_answer,
    in_numpy=step_backward,
    reference="torch autograd through the reference, torch {torch}, float64 on the CPU",
    mistakes=(
        *MISTAKES,
        *returning_mistakes(step_backward, "dx", "dh_prev", GATES),
        *contract_mistakes(step_backward, None, GATES, "dh", "x", "h_prev", exact=True),
        *precision_mistakes(step_backward, step_differences),
    ),
    tolerance=TOLERANCE,
    why_tolerance=WHY_TOLERANCE,
    parts=_PARTS,
    refuse=RECURRENT | AUTOGRAD,
)
