"""What both exercises are asked for, how exactly, and where the answers come from."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.checking.record import Outputs
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.shared.answers import tensors

PARAMETERS = tuple(f'grads["{key}"]' for key in KEYS)
"""The names of the parameters' gradients among the results that are compared."""

BIASES = ("b_z", "b_r", "b_h")
WEIGHTS = ("W_z", "W_r", "W_h")

TOLERANCE = 1e-12
WHY_TOLERANCE = (
    "the formulas in float64, written differently, differ by less than 1e-13; central differences "
    "with the best step size come to 1e-11, which is not exact enough"
)
"""What ``TOLERANCE`` lets pass and what it does not."""


def differentiate(inputs: Mapping, forward: str, first: str, second: str) -> tuple:
    """torch autograd through the reference, in float64: both inputs' gradients, then KEYS'."""
    import torch

    from autograder.course import reference

    given = tensors(inputs)
    params = {key: given["params"][key] for key in KEYS}
    leaves = [t.clone().requires_grad_() for t in (given[first], given[second], *params.values())]
    result = getattr(reference, forward)(
        leaves[0], leaves[1], dict(zip(KEYS, leaves[2:], strict=True))
    )
    arriving = given["dh"] if "dh" in given else given["dhs"]
    gradients = torch.autograd.grad(result, leaves, arriving)
    return tuple(gradient.numpy() for gradient in gradients)


def named(names: tuple[str, str], gradients: tuple) -> Outputs:
    """The results that are compared: both inputs' gradients by ``names``, then the parameters'."""
    return dict(zip((*names, *PARAMETERS), gradients, strict=True))
