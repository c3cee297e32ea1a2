"""Wrong torch layers, one per entry of GRULayer's catalogue. Imported only when one is needed."""

from __future__ import annotations

import torch
from torch import nn

NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


class Layer(nn.Module):
    """A right layer whose pieces the subclasses below break one at a time."""

    order = "rzn"

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        shapes = [(3 * hidden_size, input_size), (3 * hidden_size, hidden_size)]
        shapes += [(3 * hidden_size,)] * 2
        for name, shape in zip(NAMES, shapes, strict=True):
            self.register(name, shape)

    def register(self, name, shape):
        self.register_parameter(name, nn.Parameter(torch.randn(shape) * 0.1))

    def candidate(self, i, h, r):
        return i + r * h

    def blend(self, z, n, h):
        return (1 - z) * n + z * h

    def reset(self, r):
        return r

    def step(self, x, h):
        W_i, W_h, b_i, b_h = self.weights()
        i = dict(zip(self.order, (x @ W_i.T + b_i).chunk(3, dim=-1), strict=True))
        g = dict(zip(self.order, (h @ W_h.T + b_h).chunk(3, dim=-1), strict=True))
        r = self.reset(torch.sigmoid(i["r"] + g["r"]))
        z = torch.sigmoid(i["z"] + g["z"])
        return self.blend(z, torch.tanh(self.candidate(i["n"], g["n"], r)), h)

    def weights(self):
        return [getattr(self, name) for name in NAMES]

    def first_state(self, xs):
        return xs.new_zeros(xs.shape[1], self.hidden_size)

    def states(self, xs, h):
        hs = []
        for x in xs:
            h = self.step(x, h)
            hs.append(h)
        return torch.stack(hs)

    def forward(self, xs, h0=None):
        hs = self.states(xs, self.first_state(xs) if h0 is None else h0)
        return hs, hs[-1]


class Cell(Layer):
    """Changes to single pieces, given as functions."""

    def __init__(self, input_size, hidden_size, order="rzn", candidate=None, blend=None):
        super().__init__(input_size, hidden_size)
        self.order = order
        self.candidate = candidate or self.candidate
        self.blend = blend or self.blend


class ResetBefore(Layer):
    def step(self, x, h):
        W_i, W_h, b_i, b_h = self.weights()
        H = self.hidden_size
        gates = torch.sigmoid((x @ W_i.T + b_i + h @ W_h.T + b_h)[:, : 2 * H])
        r, z = gates.chunk(2, dim=-1)
        n = torch.tanh(x @ W_i[2 * H :].T + b_i[2 * H :] + (r * h) @ W_h[2 * H :].T + b_h[2 * H :])
        return self.blend(z, n, h)


class BiasOutside(Layer):
    def candidate(self, i, h, r):
        b_hn = self.bias_hh_l0[2 * self.hidden_size :]
        return i + r * (h - b_hn) + b_hn


class NotTransposed(Layer):
    def weights(self):
        W_i, W_h, b_i, b_h = super().weights()
        return W_i, torch.cat([block.T for block in W_h.chunk(3)]), b_i, b_h


class NoBiasIh(Layer):
    def weights(self):
        W_i, W_h, b_i, b_h = super().weights()
        return W_i, W_h, torch.zeros_like(b_i), b_h


class NoBiasHh(Layer):
    def weights(self):
        W_i, W_h, b_i, b_h = super().weights()
        return W_i, W_h, b_i, torch.zeros_like(b_h)


class NotCarried(Layer):
    def states(self, xs, h):
        return torch.stack([self.step(x, h) for x in xs])


class H0Ignored(Layer):
    def forward(self, xs, h0=None):
        return super().forward(xs, None if h0 is None else 0 * h0)


class Backwards(Layer):
    def states(self, xs, h):
        return super().states(xs.flip(0), h).flip(0)


class BatchFirst(Layer):
    def states(self, xs, h):
        return super().states(xs.transpose(0, 1), h)


class LastOnly(Layer):
    def forward(self, xs, h0=None):
        _, h_last = super().forward(xs, h0)
        return h_last, h_last


class LayerAxis(Layer):
    def forward(self, xs, h0=None):
        hs, h_last = super().forward(xs, h0)
        return hs, h_last[None]


class WrongOrder(Layer):
    def forward(self, xs, h0=None):
        return super().forward(xs, h0)[::-1]


class FirstAsLast(Layer):
    def forward(self, xs, h0=None):
        hs, _ = super().forward(xs, h0)
        return hs, hs[0]


class Detached(Layer):
    def states(self, xs, h):
        hs = []
        for x in xs:
            h = self.step(x, h)
            hs.append(h)
            h = h.detach()
        return torch.stack(hs)


class ResetGateDetached(Layer):
    def reset(self, r):
        return r.detach()


class NoGrad(Layer):
    def states(self, xs, h):
        with torch.no_grad():
            return super().states(xs, h)


class Float32H0(Layer):
    def first_state(self, xs):
        return torch.zeros(xs.shape[1], self.hidden_size, device=xs.device)


class DefaultH0(Layer):
    def first_state(self, xs):
        return torch.zeros(xs.shape[1], self.hidden_size)


class CpuH0(Layer):
    def first_state(self, xs):
        return torch.zeros(xs.shape[1], self.hidden_size, dtype=xs.dtype)


class CpuResult(Layer):
    def states(self, xs, h):
        hs = torch.empty(*xs.shape[:2], self.hidden_size, dtype=xs.dtype)
        for t, x in enumerate(xs):
            h = self.step(x, h)
            hs[t] = h
        return hs


class AlwaysFloat64(Layer):
    def weights(self):
        return [weight.double() for weight in super().weights()]

    def forward(self, xs, h0=None):
        return super().forward(xs.double(), None if h0 is None else h0.double())


class PlainTensors(Layer):
    def register(self, name, shape):
        setattr(self, name, torch.randn(shape))


class OtherNames(Layer):
    def register(self, name, shape):
        super().register(name.removesuffix("_l0"), shape)


WRONG = {
    "cell": Cell,
    "reset before": ResetBefore,
    "bias outside": BiasOutside,
    "not transposed": NotTransposed,
    "no bias_ih": NoBiasIh,
    "no bias_hh": NoBiasHh,
    "not carried": NotCarried,
    "h0 ignored": H0Ignored,
    "backwards": Backwards,
    "batch first": BatchFirst,
    "last only": LastOnly,
    "layer axis": LayerAxis,
    "wrong order": WrongOrder,
    "first as last": FirstAsLast,
    "detached": Detached,
    "reset gate detached": ResetGateDetached,
    "no grad": NoGrad,
    "float32 h0": Float32H0,
    "default h0": DefaultH0,
    "cpu h0": CpuH0,
    "cpu result": CpuResult,
    "always float64": AlwaysFloat64,
    "plain tensors": PlainTensors,
    "other names": OtherNames,
}
