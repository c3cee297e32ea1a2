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
        shapes: list[tuple[int, ...]]
        shapes = [(3 * hidden_size, input_size), (3 * hidden_size, hidden_size)]
        shapes += [(3 * hidden_size,)] * 2
        for name, shape in zip(NAMES, shapes, strict=True):
            self._register(name, shape)

    def _register(self, name, shape):
        self.register_parameter(name, nn.Parameter(torch.randn(shape) * 0.1))

    def _candidate(self, i, h, r):
        return i + r * h

    def _blend(self, z, n, h):
        return (1 - z) * n + z * h

    def _reset(self, r):
        return r

    squash, gate = staticmethod(torch.tanh), staticmethod(torch.sigmoid)

    def _step(self, x, h):
        W_i, W_h, b_i, b_h = self._weights()
        i = dict(zip(self.order, (x @ W_i.T + b_i).chunk(3, dim=-1), strict=True))
        g = dict(zip(self.order, (h @ W_h.T + b_h).chunk(3, dim=-1), strict=True))
        r = self._reset(self.gate(i["r"] + g["r"]))
        z = self.gate(i["z"] + g["z"])
        return self._blend(z, self.squash(self._candidate(i["n"], g["n"], r)), h)

    def _weights(self):
        return [getattr(self, name) for name in NAMES]

    def _first_state(self, xs):
        return xs.new_zeros(xs.shape[1], self.hidden_size)

    def _states(self, xs, h):
        hs = []
        for x in xs:
            h = self._step(x, h)
            hs.append(h)
        return torch.stack(hs)

    def _results(self, hs):
        return hs, hs[-1]

    def forward(self, xs, h0=None):
        """``(hs, h_last)``, (T, B, H) and (B, H), from ``h0`` or from zeros."""
        return self._results(self._states(xs, self._first_state(xs) if h0 is None else h0))


class Cell(Layer):
    """Changes to single pieces, given as functions."""

    def __init__(self, input_size, hidden_size, order="rzn", candidate=None, blend=None):
        super().__init__(input_size, hidden_size)
        self.order = order
        for piece, change in (("_candidate", candidate), ("_blend", blend)):
            if change:
                setattr(self, piece, change)


class ResetBefore(Layer):
    """r multiplies h before the matrix product, as in the course's own step."""

    def _step(self, x, h):
        W_i, W_h, b_i, b_h = self._weights()
        H = self.hidden_size
        gates = torch.sigmoid((x @ W_i.T + b_i + h @ W_h.T + b_h)[:, : 2 * H])
        r, z = gates.chunk(2, dim=-1)
        n = torch.tanh(x @ W_i[2 * H :].T + b_i[2 * H :] + (r * h) @ W_h[2 * H :].T + b_h[2 * H :])
        return self._blend(z, n, h)


class BiasOutside(Layer):
    """b_hn stands outside the product with r."""

    def _candidate(self, i, h, r):
        b_hn = self.bias_hh_l0[2 * self.hidden_size :]
        return i + r * (h - b_hn) + b_hn


class NotTransposed(Layer):
    """Each recurrent block is used without its transpose."""

    def _weights(self):
        W_i, W_h, b_i, b_h = super()._weights()
        return W_i, torch.cat([block.T for block in W_h.chunk(3)]), b_i, b_h


class NoBiasIh(Layer):
    """bias_ih_l0 has no influence."""

    def _weights(self):
        W_i, W_h, b_i, b_h = super()._weights()
        return W_i, W_h, torch.zeros_like(b_i), b_h


class NoBiasHh(Layer):
    """bias_hh_l0 has no influence."""

    def _weights(self):
        W_i, W_h, b_i, b_h = super()._weights()
        return W_i, W_h, b_i, torch.zeros_like(b_h)


class NotCarried(Layer):
    """Every step starts from the first state."""

    def _states(self, xs, h):
        return torch.stack([self._step(x, h) for x in xs])


class H0Ignored(Layer):
    """A given h0 is taken for zeros."""

    def forward(self, xs, h0=None):
        """The right states from zeros, whatever ``h0`` is."""
        return super().forward(xs, None if h0 is None else 0 * h0)


class Backwards(Layer):
    """Time is walked from its end."""

    def _states(self, xs, h):
        return super()._states(xs.flip(0), h).flip(0)


class BatchFirst(Layer):
    """The batch axis is taken for time."""

    def _states(self, xs, h):
        return super()._states(xs.transpose(0, 1), h)


class LastOnly(Layer):
    """The last state alone stands for all states."""

    def _results(self, hs):
        return hs[-1], hs[-1]


class LayerAxis(Layer):
    """The last state has a layer axis, as torch.nn.GRU's has."""

    def _results(self, hs):
        return hs, hs[-1][None]


class WrongOrder(Layer):
    """The two results are exchanged."""

    def _results(self, hs):
        return hs[-1], hs


class FirstAsLast(Layer):
    """The first state is returned as the last."""

    def _results(self, hs):
        return hs, hs[0]


class Detached(Layer):
    """The state is detached between steps."""

    def _states(self, xs, h):
        hs = []
        for x in xs:
            h = self._step(x, h)
            hs.append(h)
            h = h.detach()
        return torch.stack(hs)


class SquashesExchanged(Layer):
    """The gates go through tanh and the candidate through the sigmoid."""

    squash, gate = staticmethod(torch.sigmoid), staticmethod(torch.tanh)


class GatesThroughTanh(Layer):
    """The gates go through tanh."""

    gate = staticmethod(torch.tanh)


class CandidateThroughSigmoid(Layer):
    """The candidate goes through the sigmoid."""

    squash = staticmethod(torch.sigmoid)


class BackwardsAsComputed(Layer):
    """Time is walked from its end, and entry 0 holds the last step's state."""

    def _states(self, xs, h):
        return super()._states(xs.flip(0), h)


class ReverseOrder(Layer):
    """The states are right and stand in reverse order."""

    def _results(self, hs):
        return hs.flip(0), hs[-1]


class BatchFirstResult(Layer):
    """The states come as (B, T, H)."""

    def _results(self, hs):
        return hs.transpose(0, 1), hs[-1]


class StateInPlace(Layer):
    """The given h0 is overwritten, step by step."""

    def _states(self, xs, h):
        hs, state = [], h.detach()
        for x in xs:
            h = self._step(x, h)
            hs.append(h)
        with torch.no_grad():
            state.copy_(hs[-1])
        return torch.stack(hs)


class NoRecurrentBiasFirst(Layer):
    """Without h0, the first step leaves the recurrent part out, b_hn with it."""

    def forward(self, xs, h0=None):
        """The right states, but for the first bias where ``h0`` is missing."""
        if h0 is not None:
            return super().forward(xs, h0)
        W_i, _, b_i, b_h = self._weights()
        H = self.hidden_size
        i = (xs[0] @ W_i.T + b_i).chunk(3, dim=-1)
        r, z = torch.sigmoid(i[0] + b_h[:H]), torch.sigmoid(i[1] + b_h[H : 2 * H])
        first = (1 - z) * torch.tanh(i[2] + 0 * r)
        if len(xs) == 1:
            return self._results(first[None])
        return self._results(torch.cat([first[None], self._states(xs[1:], first)]))


class Remembers(Layer):
    """The last state is kept, and the next sequence goes on from it."""

    kept = None

    def _first_state(self, xs):
        kept = self.kept
        if kept is not None and kept.shape == (xs.shape[1], self.hidden_size):
            return kept.to(xs.device)
        return super()._first_state(xs)

    def _results(self, hs):
        self.kept = hs[-1].detach()
        return hs, hs[-1]


class ResetGateDetached(Layer):
    """No gradient flows through r."""

    def _reset(self, r):
        return r.detach()


class NoGrad(Layer):
    """The states are computed without gradients."""

    def _states(self, xs, h):
        with torch.no_grad():
            return super()._states(xs, h)


class Float32H0(Layer):
    """A missing h0 is built in torch's default dtype, on the right device."""

    def _first_state(self, xs):
        return torch.zeros(xs.shape[1], self.hidden_size, device=xs.device)


class DefaultH0(Layer):
    """A missing h0 is built in torch's default dtype and on its default device."""

    def _first_state(self, xs):
        return torch.zeros(xs.shape[1], self.hidden_size)


class CpuH0(Layer):
    """A missing h0 is built on the CPU, in the right dtype."""

    def _first_state(self, xs):
        return torch.zeros(xs.shape[1], self.hidden_size, dtype=xs.dtype)


class CpuResult(Layer):
    """The states are collected on the CPU."""

    def _states(self, xs, h):
        hs = torch.empty(*xs.shape[:2], self.hidden_size, dtype=xs.dtype)
        for t, x in enumerate(xs):
            h = self._step(x, h)
            hs[t] = h
        return hs


class AlwaysFloat64(Layer):
    """Everything is computed in float64."""

    def _weights(self):
        return [weight.double() for weight in super()._weights()]

    def forward(self, xs, h0=None):
        """The right states, in float64."""
        return super().forward(xs.double(), None if h0 is None else h0.double())


class PlainTensors(Layer):
    """The weights are no parameters."""

    def _register(self, name, shape):
        setattr(self, name, torch.randn(shape))


class OtherNames(Layer):
    """The parameters' names lack _l0."""

    def _register(self, name, shape):
        super()._register(name.removesuffix("_l0"), shape)


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
    "squashes exchanged": SquashesExchanged,
    "gates through tanh": GatesThroughTanh,
    "candidate through sigmoid": CandidateThroughSigmoid,
    "backwards as computed": BackwardsAsComputed,
    "reverse order": ReverseOrder,
    "batch first result": BatchFirstResult,
    "state in place": StateInPlace,
    "no recurrent bias first": NoRecurrentBiasFirst,
    "remembers": Remembers,
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
