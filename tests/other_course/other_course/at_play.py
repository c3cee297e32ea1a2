"""What of this course runs inside a player: how its torch model is called. It holds no answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.player.contract import Array, Broken, describe
from autograder.player.observe import NoGradient


def call_model(
    code: Callable, inputs: Mapping[str, np.ndarray], returns: Array
) -> tuple[dict[str, np.ndarray], tuple[str, ...], str]:
    """Build ``code(features)``, load ``w`` and ``b`` into it, and run it on ``X``.

    Gives the result in float64, and the gradients of its sum by both parameters. Raises Broken for
    what is no such model, and NoGradient.
    """
    import torch

    model = code(inputs["X"].shape[1])
    if not isinstance(model, torch.nn.Module):
        raise Broken("type", f"The model is a {describe(model)}; a torch.nn.Module is expected.")
    given = {name: torch.tensor(inputs[name], dtype=torch.float64) for name in ("w", "b")}
    expected = {name: tuple(value.shape) for name, value in given.items()}
    found = {name: tuple(value.shape) for name, value in model.named_parameters()}
    if found != expected:
        raise Broken("missing", f"Its parameters are {found or 'none'}; expected are {expected}.")
    model = model.to(torch.float64)
    model.load_state_dict(given)
    result = model(torch.tensor(inputs["X"], dtype=torch.float64))
    if not isinstance(result, torch.Tensor):
        raise Broken("type", f"The result is a {describe(result)}; a tensor is expected.")
    outputs = returns.flatten(result.detach().numpy())
    gradients = [None]
    if result.requires_grad:
        gradients = torch.autograd.grad(result.sum(), [model.w, model.b], allow_unused=True)
    if any(gradient is None for gradient in gradients):
        raise NoGradient("No gradient reaches w and b: training would change nothing.")
    for name, gradient in zip(("w", "b"), gradients, strict=True):
        outputs[f"gradient of {name}"] = gradient.numpy().copy()
    return outputs, (), "cpu"
