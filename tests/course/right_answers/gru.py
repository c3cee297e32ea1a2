"""Right answers to the assignment ``gru``, written in many ways; every one earns full marks."""

import itertools
import math

import numpy as np
import torch
from torch import nn


def sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


def gate_by_concatenation(gate):
    def f(x, h_prev, params):
        joined = np.concatenate([h_prev, x], axis=1)
        return sigmoid(joined @ params[f"W_{gate}"].T + params[f"b_{gate}"])

    return f


def gate_in_blocks(gate):
    def f(x, h_prev, params):
        hidden_size = h_prev.shape[1]
        W, b = params[f"W_{gate}"], params[f"b_{gate}"]
        a = h_prev.dot(W[:, :hidden_size].T) + x.dot(W[:, hidden_size:].T)
        a += b  # a is ours: changing it changes no input
        return 1 / (1 + np.exp(-a))

    return f


def gate_by_einsum(gate):
    def f(x, h_prev, params):
        a = np.einsum("hk,bk->bh", params[f"W_{gate}"], np.hstack((h_prev, x)))
        return sigmoid(a + params[f"b_{gate}"][None, :])

    return f


def gate_in_loops(gate):
    def f(x, h_prev, params):
        W, b = params[f"W_{gate}"], params[f"b_{gate}"]
        out = np.empty_like(h_prev)
        for example, unit in np.ndindex(*out.shape):
            terms = itertools.chain(h_prev[example], x[example])
            a = b[unit] + math.fsum(w * v for w, v in zip(W[unit], terms, strict=True))
            out[example, unit] = 1 / (1 + math.exp(-a)) if a > -700 else 0.0
        return out

    return f


def gate_in_torch(gate):
    def f(x, h_prev, params):
        joined = torch.cat([torch.tensor(h_prev), torch.tensor(x)], dim=1)
        W, b = torch.tensor(params[f"W_{gate}"]), torch.tensor(params[f"b_{gate}"])
        return torch.sigmoid(nn.functional.linear(joined, W, b)).numpy()

    return f


def gate_column_wise(gate):
    def f(x, h_prev, params):
        column = np.vstack([h_prev.T, x.T])
        with np.errstate(over="ignore"):
            e = np.exp(-(params[f"W_{gate}"] @ column + params[f"b_{gate}"].reshape(-1, 1)))
        return (1.0 / (1.0 + e)).T

    return f


GATES = (
    gate_by_concatenation,
    gate_in_blocks,
    gate_by_einsum,
    gate_in_loops,
    gate_in_torch,
    gate_column_wise,
)


def candidate_by_concatenation(x, h_prev, r, params):
    return np.tanh(np.concatenate([r * h_prev, x], axis=-1) @ params["W_h"].T + params["b_h"])


def candidate_in_blocks(x, h_prev, r, params):
    W_hh, W_hx = np.split(params["W_h"], [h_prev.shape[1]], axis=1)
    return np.tanh(np.matmul(np.multiply(r, h_prev), W_hh.T) + x @ W_hx.T + params["b_h"])


def candidate_by_example(x, h_prev, r, params):
    rows = []
    for x_i, h_i, r_i in zip(x, h_prev, r, strict=True):
        rows.append(np.tanh(params["W_h"] @ np.r_[r_i * h_i, x_i] + params["b_h"]))
    return np.array(rows)


def candidate_from_exponentials(x, h_prev, r, params):
    a = np.einsum("bk,hk->bh", np.c_[r * h_prev, x], params["W_h"]) + params["b_h"]
    return 2 / (1 + np.exp(-2 * np.clip(a, -300, 300))) - 1


def candidate_in_torch(x, h_prev, r, params):
    x, h_prev, r = map(torch.from_numpy, (x, h_prev, r))
    W, b = torch.from_numpy(params["W_h"]), torch.from_numpy(params["b_h"])
    return (torch.hstack([h_prev * r, x]) @ W.mT + b).tanh().numpy()


def candidate_changing_copies(x, h_prev, r, params):
    state = h_prev.copy()
    state *= r
    return np.tanh(np.append(state, x, axis=1) @ params["W_h"].transpose() + params["b_h"])


CANDIDATES = (
    candidate_by_concatenation,
    candidate_in_blocks,
    candidate_by_example,
    candidate_from_exponentials,
    candidate_in_torch,
    candidate_changing_copies,
)


def step_from(gate, candidate, blend):
    def f(x, h_prev, params):
        z, r = gate("z")(x, h_prev, params), gate("r")(x, h_prev, params)
        return blend(z, h_prev, candidate(x, h_prev, r, params))

    return f


BLENDS = (
    lambda z, h, c: (1 - z) * h + z * c,
    lambda z, h, c: h + z * (c - h),
    lambda z, h, c: c * z - h * z + h,
    lambda z, h, c: np.add(np.multiply(1.0 - z, h), np.multiply(z, c)),
    lambda z, h, c: c - (1 - z) * (c - h),
    lambda z, h, c: np.where(z > 0.5, c + (1 - z) * (h - c), h + z * (c - h)),
)

STEPS = tuple(step_from(*pieces) for pieces in zip(GATES, CANDIDATES, BLENDS, strict=True))


def forward_with_list(xs, h0, params):
    hs = []
    for x in xs:
        hs.append(STEPS[0](x, hs[-1] if hs else h0, params))
    return np.stack(hs)


def forward_into_array(xs, h0, params):
    T, B, _ = xs.shape
    hs = np.zeros((T, B, h0.shape[1]))
    h = h0
    for t in range(T):
        h = hs[t] = STEPS[1](xs[t], h, params)
    return hs


def forward_recursively(xs, h0, params):
    h = STEPS[2](xs[0], h0, params)[None]
    return h if len(xs) == 1 else np.concatenate([h, forward_recursively(xs[1:], h[0], params)])


def forward_by_accumulate(xs, h0, params):
    states = itertools.accumulate(xs, lambda h, x: STEPS[0](x, h, params), initial=h0)
    return np.array(list(states)[1:])


def forward_in_torch(xs, h0, params):
    h, hs = h0, []
    for t in range(xs.shape[0]):
        h = STEPS[4](xs[t], h, params)
        hs.append(torch.tensor(h))
    return torch.stack(hs).numpy()


def flip_with_dict(params):
    return {**params, "W_z": -params["W_z"], "b_z": -params["b_z"]}


def flip_copies(params):
    new = {key: value.copy() for key, value in params.items()}
    new["W_z"] *= -1
    new["b_z"] *= -1
    return new


def flip_by_name(params):
    return {key: -value if key.endswith("_z") else value for key, value in params.items()}


def flip_with_update(params):
    new = dict(params)
    new.update(W_z=np.negative(params["W_z"]), b_z=0 - params["b_z"])
    return new


def flip_with_extras(params):
    return params | {"W_z": params["W_z"] * -1.0, "b_z": params["b_z"] * -1.0, "note": "flipped"}


def torch_step_split(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    i_r, i_z, i_n = np.split(x @ weight_ih.T + bias_ih, 3, axis=1)
    h_r, h_z, h_n = np.split(h_prev @ weight_hh.T + bias_hh, 3, axis=1)
    r, z = sigmoid(i_r + h_r), sigmoid(i_z + h_z)
    n = np.tanh(i_n + r * h_n)
    return (1 - z) * n + z * h_prev


def torch_step_sliced(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[1]
    gates = x @ weight_ih[: 2 * H].T + h_prev @ weight_hh[: 2 * H].T
    gates = sigmoid(gates + bias_ih[: 2 * H] + bias_hh[: 2 * H])
    r, z = gates[:, :H], gates[:, H:]
    n = np.tanh(
        x @ weight_ih[2 * H :].T
        + bias_ih[2 * H :]
        + r * (h_prev @ weight_hh[2 * H :].T + bias_hh[2 * H :])
    )
    return n + z * (h_prev - n)


def torch_step_reshaped(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    B, H = h_prev.shape
    i = (x @ weight_ih.T + bias_ih).reshape(B, 3, H)
    h = (h_prev @ weight_hh.T + bias_hh).reshape(B, 3, H)
    r, z = np.moveaxis(sigmoid(i[:, :2] + h[:, :2]), 1, 0)
    return (1 - z) * np.tanh(i[:, 2] + r * h[:, 2]) + z * h_prev


def torch_step_by_example(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    rows = [
        torch_step_split(x[[i]], h_prev[[i]], weight_ih, weight_hh, bias_ih, bias_hh)[0]
        for i in range(len(x))
    ]
    return np.vstack(rows)


def torch_step_in_torch(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    x, h, W_i, W_h, b_i, b_h = map(
        torch.tensor, (x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh)
    )
    i = nn.functional.linear(x, W_i, b_i).chunk(3, 1)
    g = nn.functional.linear(h, W_h, b_h).chunk(3, 1)
    r, z = torch.sigmoid(i[0] + g[0]), torch.sigmoid(i[1] + g[1])
    return torch.lerp(torch.tanh(i[2] + r * g[2]), h, z).numpy()


class GRULayer(nn.Module):
    """Chunks, a list of states, torch.stack."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.empty(3 * hidden_size, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(3 * hidden_size))
        self.bias_hh_l0 = nn.Parameter(torch.empty(3 * hidden_size))
        for weight in self.parameters():
            nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5)

    def start(self, xs, h0):
        return xs.new_zeros(xs.shape[1], self.hidden_size) if h0 is None else h0

    def forward(self, xs, h0=None):
        h, hs = self.start(xs, h0), []
        for x in xs:
            i_r, i_z, i_n = (x @ self.weight_ih_l0.T + self.bias_ih_l0).chunk(3, -1)
            h_r, h_z, h_n = (h @ self.weight_hh_l0.T + self.bias_hh_l0).chunk(3, -1)
            r, z = torch.sigmoid(i_r + h_r), torch.sigmoid(i_z + h_z)
            h = (1 - z) * torch.tanh(i_n + r * h_n) + z * h
            hs.append(h)
        return torch.stack(hs), h


class InputsFirst(GRULayer):
    """All input products at once, outside the loop; a list for a tuple."""

    def forward(self, xs, h0=None):
        from_inputs = nn.functional.linear(xs, self.weight_ih_l0, self.bias_ih_l0)
        h, hs = self.start(xs, h0), []
        for i in from_inputs.unbind(0):
            g = nn.functional.linear(h, self.weight_hh_l0, self.bias_hh_l0)
            H = self.hidden_size
            r = (i[:, :H] + g[:, :H]).sigmoid()
            z = (i[:, H : 2 * H] + g[:, H : 2 * H]).sigmoid()
            h = torch.lerp((i[:, 2 * H :] + r * g[:, 2 * H :]).tanh(), h, z)
            hs += [h[None]]
        return [torch.cat(hs), hs[-1][0]]


class WithSubmodule(GRULayer):
    """The step as a method, the states written into a tensor that follows the input."""

    def step(self, x, h):
        W_ir, W_iz, W_in = self.weight_ih_l0.split(self.hidden_size)
        W_hr, W_hz, W_hn = self.weight_hh_l0.split(self.hidden_size)
        b_ir, b_iz, b_in = self.bias_ih_l0.split(self.hidden_size)
        b_hr, b_hz, b_hn = self.bias_hh_l0.split(self.hidden_size)
        r = torch.sigmoid(x @ W_ir.T + b_ir + h @ W_hr.T + b_hr)
        z = torch.sigmoid(x @ W_iz.T + b_iz + h @ W_hz.T + b_hz)
        n = torch.tanh(x @ W_in.T + b_in + r * (h @ W_hn.T + b_hn))
        return n - z * n + z * h

    def forward(self, xs, h0=None):
        h = self.start(xs, h0)
        hs = torch.zeros(*xs.shape[:2], self.hidden_size, dtype=xs.dtype, device=xs.device)
        for t in range(xs.shape[0]):
            h = self.step(xs[t], h)
            hs[t] = h
        return hs, hs[-1]


class ByEinsum(GRULayer):
    """einsum over gates; torch.zeros_like of a product for the missing state."""

    def start(self, xs, h0):
        return (
            torch.zeros_like(xs[0] @ self.weight_ih_l0[: self.hidden_size].T) if h0 is None else h0
        )

    def forward(self, xs, h0=None):
        H, h, hs = self.hidden_size, self.start(xs, h0), []
        W_i, W_h = self.weight_ih_l0.view(3, H, -1), self.weight_hh_l0.view(3, H, H)
        b_i, b_h = self.bias_ih_l0.view(3, 1, H), self.bias_hh_l0.view(3, 1, H)
        for x in xs:
            i = torch.einsum("ghd,bd->gbh", W_i, x) + b_i
            g = torch.einsum("ghk,bk->gbh", W_h, h) + b_h
            r, z = torch.sigmoid(i[:2] + g[:2])
            h = (1 - z) * torch.tanh(i[2] + r * g[2]) + z * h
            hs.append(h)
        return torch.stack(hs, dim=0), h.clone()


class WithBuffer(GRULayer):
    """Weights made in a loop, addmm, F.pad; h0 with a default of None kept by keyword."""

    def __init__(self, input_size, hidden_size):
        nn.Module.__init__(self)
        self.hidden_size = hidden_size
        shapes = {"weight_ih": input_size, "weight_hh": hidden_size, "bias_ih": 0, "bias_hh": 0}
        for name, columns in shapes.items():
            shape = (3 * hidden_size, columns) if columns else (3 * hidden_size,)
            self.register_parameter(f"{name}_l0", nn.Parameter(torch.randn(*shape)))

    def forward(self, xs, h0=None):
        h = self.start(xs, h0)
        states = []
        for x in xs:
            i = torch.addmm(self.bias_ih_l0, x, self.weight_ih_l0.t())
            g = torch.addmm(self.bias_hh_l0, h, self.weight_hh_l0.t())
            i_r, i_z, i_n = torch.tensor_split(i, 3, dim=1)
            h_r, h_z, h_n = torch.tensor_split(g, 3, dim=1)
            r, z = 1 / (1 + torch.exp(-i_r - h_r)), 1 / (1 + torch.exp(-i_z - h_z))
            h = h + (1 - z) * (torch.tanh(i_n + r * h_n) - h)
            states.append(h)
        return tuple([torch.stack(states), states[-1]])


RIGHT = {
    "update_gate": [gate("z") for gate in GATES],
    "reset_gate": [gate("r") for gate in GATES],
    "candidate_state": list(CANDIDATES),
    "gru_step": list(STEPS),
    "gru_forward": [
        forward_with_list,
        forward_into_array,
        forward_recursively,
        forward_by_accumulate,
        forward_in_torch,
    ],
    "flip_update_gate": [
        flip_with_dict,
        flip_copies,
        flip_by_name,
        flip_with_update,
        flip_with_extras,
    ],
    "gru_step_torch": [
        torch_step_split,
        torch_step_sliced,
        torch_step_reshaped,
        torch_step_by_example,
        torch_step_in_torch,
    ],
    "GRULayer": [GRULayer, InputsFirst, WithSubmodule, ByEinsum, WithBuffer],
    "count_gru_parameters": [
        lambda input_size, hidden_size: 3 * hidden_size * (input_size + hidden_size + 1),
        lambda input_size, hidden_size: np.int64(
            3 * (input_size * hidden_size + hidden_size**2 + hidden_size)
        ),
        lambda input_size, hidden_size: sum(
            hidden_size * (hidden_size + input_size) + hidden_size for _ in "zrh"
        ),
        lambda input_size, hidden_size: int(
            np.prod([3, hidden_size, input_size + hidden_size + 1])
        ),
        lambda input_size, hidden_size: (
            3 * np.empty((hidden_size, hidden_size + input_size)).size + 3 * hidden_size
        ),
    ],
}
