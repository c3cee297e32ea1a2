"""What of this course runs inside a player: how a torch layer is called, and two kinds of answers.

A player loads the text of this module and nothing else of the course, so it imports nothing but
NumPy, torch and ``autograder.player``, and holds no answer; a test sees to that.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from autograder.player.contract import Broken, describe, plain_array
from autograder.player.observe import DeviceFailure, NoGradient, Refused


@dataclass(frozen=True)
class Report:
    """``(name, x, h_prev, params)``: what is wrong with a cell, and the inputs that show it.

    A list counts as a tuple, more keys are ignored. The name becomes an array of its UTF-8 bytes,
    since only numbers travel.
    """

    keys: tuple[str, ...]

    def flatten(self, value: object) -> dict[str, np.ndarray]:
        """The name's UTF-8 bytes (at most 200 characters), ``x``, ``h_prev`` and each of ``keys``.

        Raises Broken for what is no such tuple, or where a parameter is missing.
        """
        if value is None:
            raise Broken("none", "The result is None. Does the function end with `return`?")
        if not isinstance(value, list | tuple) or len(value) != 4:
            raise Broken(
                "type",
                f"The result is a {describe(value)}; a tuple of 4 is expected: "
                "`return name, x, h_prev, params`.",
            )
        name, x, h_prev, params = value
        if isinstance(name, np.ndarray) and name.shape == () and name.dtype.kind == "U":
            name = name.item()
        if not isinstance(name, str):
            raise Broken("type", f"The name is a {describe(name)}; a text is expected.")
        if not isinstance(params, Mapping):
            raise Broken("type", f"params is a {describe(params)}; a dict is expected.")
        missing = [key for key in self.keys if key not in params]
        if missing:
            raise Broken("missing", f"params has no {' and no '.join(missing)}.")
        return {
            "name": np.array(list(name[:200].encode("utf-8", "replace")), dtype=np.uint8),
            "x": plain_array(x, "x"),
            "h_prev": plain_array(h_prev, "h_prev"),
            **{key: plain_array(params[key], f"params[{key!r}]") for key in self.keys},
        }


@dataclass(frozen=True)
class TensorPair:
    """``(hs, h_last)`` of a torch layer; a list of two counts as a tuple."""

    names: tuple[str, str]

    def pair(self, value: object) -> tuple:
        """The two tensors, or Broken. The player needs them unflattened, for gradients."""
        if value is None:
            raise Broken("none", "The layer returned None. Does `forward` end with `return`?")
        both = " and ".join(self.names)
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise Broken(
                "type",
                f"The layer returned a {describe(value)}; a tuple of {both} is expected.",
            )
        for name, part in zip(self.names, value, strict=True):
            if not (type(part).__module__.startswith("torch") and hasattr(part, "requires_grad")):
                raise Broken("type", f"{name} is a {describe(part)}; a torch tensor is expected.")
        return tuple(value)


def call_layer(
    code: Callable, inputs: Mapping, returns: TensorPair
) -> tuple[dict, tuple[str, ...], str]:
    """Build a torch layer, load ``inputs["state"]``, run it and its gradients.

    ``inputs``: ``sizes`` (D, H); ``state``, the state dict as arrays; ``xs`` (T, B, D);
    ``h0`` (B, H) or None; ``d_hs`` and ``d_h_last``, what arrives from the loss; ``dtype``;
    ``device``: ``"cpu"``, or ``"accelerator"``, meaning CUDA where there is one and else torch's
    ``meta`` device, on which a tensor made in the wrong place fails as it would on a GPU.
    Everything comes back as arrays: both outputs and the gradients of all inputs and weights.
    """
    import torch

    device = inputs["device"]
    if device == "accelerator":
        device = "cuda" if torch.cuda.is_available() else "meta"
    dtype = getattr(torch, inputs["dtype"])
    layer = _loaded(code, inputs, dtype)

    def tensor(array, needs_grad=False):
        return torch.tensor(array, dtype=dtype, device=device).requires_grad_(needs_grad)

    try:
        layer = layer.to(device)
        xs = tensor(inputs["xs"], needs_grad=True)
        h0 = None if inputs["h0"] is None else tensor(inputs["h0"], needs_grad=True)
        before = [t.detach().clone() for t in (xs, h0) if t is not None]
        pair = returns.pair(_called(layer, xs, h0))
    except Broken:
        raise
    except Exception as error:  # on `meta`, torch raises NotImplementedError too
        if device == "cpu":
            raise
        raise DeviceFailure(f"{type(error).__name__}: {error}") from error
    found = dict(zip(returns.names, pair, strict=True))
    strayed = [name for name, value in found.items() if value.device.type != device]
    if strayed:
        raise DeviceFailure(f"{' and '.join(strayed)} came back on another device.")
    if device == "meta":
        shapes = {
            name: np.zeros(tuple(value.shape), dtype=str(value.dtype).removeprefix("torch."))
            for name, value in found.items()
        }
        return shapes, (), "meta"

    outputs = {name: value.detach().cpu().numpy().copy() for name, value in found.items()}
    given = {"xs": xs} | ({} if h0 is None else {"h0": h0})
    modified = tuple(
        name
        for (name, new), old in zip(given.items(), before, strict=True)
        if not torch.equal(old, new.detach())
    )
    arriving = [inputs["d_hs"], inputs["d_h_last"]]
    if all(value.shape == d.shape for value, d in zip(pair, arriving, strict=True)):
        leaves = given | {n: p for n, p in layer.named_parameters() if n in inputs["state"]}
        loss = sum((value * tensor(d)).sum() for value, d in zip(pair, arriving, strict=True))
        outputs |= _gradients(loss, leaves)
    # Else the judge names the shape; there is no gradient to compare.
    return outputs, modified, device


def _called(layer, xs, h0):
    """What the layer gives; without h0 the second time: one that keeps its state would go on.

    On ``meta`` there are no values to tell by.
    """
    import torch

    if h0 is not None:
        return layer(xs, h0)
    if xs.device.type == "meta":
        return layer(xs)
    with torch.no_grad():
        layer(xs)
    return layer(xs)


def _loaded(code: Callable, inputs: Mapping, dtype):
    """The student's layer with the weights of ``inputs["state"]`` in it. Raises Broken, Refused."""
    import torch
    from torch import nn

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = code(*inputs["sizes"])
    if not isinstance(layer, nn.Module):
        raise Broken(
            "type", f"{code.__name__} is not a torch.nn.Module: derive it from torch.nn.Module."
        )
    for module in layer.modules():
        if isinstance(module, nn.RNNBase | nn.RNNCellBase):
            library = next(c for c in type(module).__mro__ if c.__module__.startswith("torch."))
            raise Refused(f"torch.nn.{library.__name__}")
    expected = {name: tuple(value.shape) for name, value in inputs["state"].items()}
    found = {name: tuple(value.shape) for name, value in layer.state_dict().items()}
    if found != expected:
        raise Broken("missing", _state_dict_difference(found, expected))
    names = dict(layer.named_parameters())
    buffers = [name for name in expected if name not in names]
    if buffers:
        raise Broken("missing", f"{' and '.join(buffers)} must be nn.Parameter, to be trained.")
    layer = layer.to(dtype=dtype)
    layer.load_state_dict({n: torch.as_tensor(v, dtype=dtype) for n, v in inputs["state"].items()})
    return layer


def _gradients(loss, leaves: Mapping) -> dict[str, np.ndarray]:
    """The gradient of ``loss`` by each of the leaves, as arrays. Raises NoGradient."""
    import torch

    if not loss.requires_grad:
        raise NoGradient(
            "The result is cut off from the weights: no gradient flows back at all. Avoid "
            "`.detach()`, `.data`, `torch.no_grad()` and conversions to NumPy."
        )
    gradients = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    unreached = [name for name, g in zip(leaves, gradients, strict=True) if g is None]
    if unreached:
        raise NoGradient(
            f"No gradient reaches {', '.join(unreached)}: not used, or cut off, for instance by "
            "`.detach()` or `.data`."
        )
    return {
        f"gradient of {name}": gradient.cpu().numpy().copy()
        for name, gradient in zip(leaves, gradients, strict=True)
    }


def _state_dict_difference(found: dict, expected: dict) -> str:
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    shapes = [
        f"{name} has shape {found[name]}, expected {expected[name]}"
        for name in expected
        if name in found and found[name] != expected[name]
    ]
    sentences = []
    if missing:
        sentences.append(f"The layer has no parameter {', '.join(missing)}.")
    if extra:
        sentences.append(f"It has {', '.join(extra)}, which torch.nn.GRU does not have.")
    if shapes:
        sentences.append("; ".join(shapes) + ".")
    return " ".join(sentences) + " A state dict of torch.nn.GRU must load into it."
