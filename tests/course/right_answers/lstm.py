"""Right answers to the assignment ``lstm``, written in many ways; every one earns full marks."""

import itertools
import math

import numpy as np
import torch


def sigmoid_by_tanh(a):
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(a, dtype=np.float64)))


def sigmoid_by_one_exponential(a):
    a = np.asarray(a, dtype=float)
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1, e) / (1 + e)


def sigmoid_by_masks(a):
    values = np.atleast_1d(np.array(a, dtype=np.float64))
    result = np.empty_like(values)
    positive = values >= 0
    result[positive] = 1 / (1 + np.exp(-values[positive]))
    e = np.exp(values[~positive])
    result[~positive] = e / (1 + e)
    return result.reshape(np.shape(a)) if np.ndim(a) else float(result[0])


def sigmoid_by_cutting_the_argument(a):
    return 1 / (1 + np.exp(-np.clip(np.float64(a), -500, 500)))


def sigmoid_by_logaddexp(a):
    return np.exp(-np.logaddexp(0.0, -np.asarray(a, dtype=np.float64)))


def sigmoid_number_by_number(a):
    def one(v):
        e = math.exp(-abs(v))
        return 1 / (1 + e) if v >= 0 else e / (1 + e)

    if isinstance(a, float):
        return one(a)
    return np.array([one(float(v)) for v in a.flat]).reshape(a.shape)


def sigmoid_in_torch(a):
    return torch.sigmoid(torch.as_tensor(a, dtype=torch.float64)).numpy()


def gate_by_concatenation(gate, squash=sigmoid_by_tanh):
    def f(x, h_prev, params):
        joined = np.concatenate([h_prev, x], axis=1)
        return squash(joined @ params[f"W_{gate}"].T + params[f"b_{gate}"])

    return f


def gate_in_blocks(gate, squash=sigmoid_by_one_exponential):
    def f(x, h_prev, params):
        W_h, W_x = np.split(params[f"W_{gate}"], [h_prev.shape[1]], axis=1)
        a = h_prev.dot(W_h.T) + x.dot(W_x.T)
        a += params[f"b_{gate}"]  # a is ours: changing it changes no input
        return squash(a)

    return f


def gate_by_einsum(gate, squash=sigmoid_by_masks):
    def f(x, h_prev, params):
        a = np.einsum("hk,bk->bh", params[f"W_{gate}"], np.hstack((h_prev, x)))
        return squash(a + params[f"b_{gate}"][None, :])

    return f


def gate_in_loops(gate, squash=sigmoid_number_by_number):
    def f(x, h_prev, params):
        W, b = params[f"W_{gate}"], params[f"b_{gate}"]
        out = np.empty_like(h_prev)
        for example, unit in np.ndindex(*out.shape):
            terms = itertools.chain(h_prev[example], x[example])
            products = (w * v for w, v in zip(W[unit], terms, strict=True))
            out[example, unit] = squash(b[unit] + math.fsum(products))
        return out

    return f


def gate_in_torch(gate, squash=torch.sigmoid):
    def f(x, h_prev, params):
        joined = torch.cat([torch.tensor(h_prev), torch.tensor(x)], dim=1)
        W, b = torch.tensor(params[f"W_{gate}"]), torch.tensor(params[f"b_{gate}"])
        return squash(torch.nn.functional.linear(joined, W, b)).numpy()

    return f


def gates(letter):
    ways = (gate_by_concatenation, gate_in_blocks, gate_by_einsum, gate_in_loops, gate_in_torch)
    return [way(letter) for way in ways]


candidates = [
    gate_by_concatenation("c", np.tanh),
    gate_in_blocks("c", lambda a: 2 * sigmoid_by_one_exponential(2 * a) - 1),
    gate_by_einsum("c", np.tanh),
    gate_in_loops("c", math.tanh),
    gate_in_torch("c", torch.tanh),
]


def step_from_pieces(x, h_prev, c_prev, params):
    f, i, o = (gate_by_concatenation(gate)(x, h_prev, params) for gate in "fio")
    c = f * c_prev + i * candidates[0](x, h_prev, params)
    return o * np.tanh(c), c


def step_with_one_product(x, h_prev, c_prev, params):
    """All four sums at once, as libraries do; a list instead of a tuple."""
    H = h_prev.shape[1]
    W = np.concatenate([params[f"W_{gate}"] for gate in "fico"])
    b = np.concatenate([params[f"b_{gate}"] for gate in "fico"])
    f, i, g, o = np.split(np.hstack([h_prev, x]) @ W.T + b, [H, 2 * H, 3 * H], axis=1)
    c = sigmoid_by_tanh(f) * c_prev + sigmoid_by_tanh(i) * np.tanh(g)
    return [sigmoid_by_tanh(o) * np.tanh(c), c]


def step_by_einsum(x, h_prev, c_prev, params):
    joined = np.append(h_prev, x, axis=1)
    W = np.stack([params[f"W_{gate}"] for gate in "fioc"])
    b = np.stack([params[f"b_{gate}"] for gate in "fioc"])
    sums = np.einsum("ghk,bk->gbh", W, joined) + b[:, None]
    f, i, o = sigmoid_by_one_exponential(sums[:3])
    c = np.add(np.multiply(f, c_prev), np.multiply(i, np.tanh(sums[3])))
    return np.multiply(o, np.tanh(c)), c


def step_in_loops(x, h_prev, c_prev, params):
    f, i, o = (gate_in_loops(gate)(x, h_prev, params) for gate in "fio")
    g = gate_in_loops("c", math.tanh)(x, h_prev, params)
    h, c = np.zeros_like(h_prev), np.zeros_like(c_prev)
    for at in np.ndindex(*h.shape):
        c[at] = f[at] * c_prev[at] + i[at] * g[at]
        h[at] = o[at] * math.tanh(c[at])
    return h, c


def step_in_torch(x, h_prev, c_prev, params):
    f, i, o = (torch.from_numpy(gate_in_torch(gate)(x, h_prev, params)) for gate in "fio")
    g = torch.from_numpy(gate_in_torch("c", torch.tanh)(x, h_prev, params))
    c = torch.addcmul(f * torch.from_numpy(c_prev), i, g)
    return (o * c.tanh()).numpy(), c.numpy()


def forward_with_two_lists(xs, h0, c0, params):
    hs, cs, h, c = [], [], h0, c0
    for x in xs:
        h, c = step_from_pieces(x, h, c, params)
        hs.append(h)
        cs.append(c)
    return np.stack(hs), np.stack(cs)


def forward_into_arrays(xs, h0, c0, params):
    T = xs.shape[0]
    hs, cs = np.empty((T, *h0.shape)), np.empty((T, *c0.shape))
    for t in range(T):
        before = (hs[t - 1], cs[t - 1]) if t else (h0, c0)
        hs[t], cs[t] = step_with_one_product(xs[t], *before, params)
    return [hs, cs]


def forward_with_the_inputs_first(xs, h0, c0, params):
    """All input products at once; only the recurrent part is left in the loop."""
    H = h0.shape[1]
    from_input = {g: xs @ params[f"W_{g}"][:, H:].T + params[f"b_{g}"] for g in "fico"}
    h, c, states = h0, c0, []
    for t in range(len(xs)):
        a = {g: from_input[g][t] + h @ params[f"W_{g}"][:, :H].T for g in "fico"}
        c = sigmoid_by_tanh(a["f"]) * c + sigmoid_by_tanh(a["i"]) * np.tanh(a["c"])
        h = sigmoid_by_tanh(a["o"]) * np.tanh(c)
        states.append((h, c))
    hs, cs = zip(*states, strict=True)
    return np.array(hs), np.array(cs)


def forward_by_accumulate(xs, h0, c0, params):
    states = itertools.accumulate(
        xs, lambda state, x: step_by_einsum(x, *state, params), initial=(h0, c0)
    )
    hs, cs = zip(*itertools.islice(states, 1, None), strict=True)
    return np.stack(hs), np.stack(cs)


def forward_by_recursion(xs, h0, c0, params):
    h, c = step_with_one_product(xs[0], h0, c0, params)
    if len(xs) == 1:
        return h[None], c[None]
    hs, cs = forward_by_recursion(xs[1:], h, c, params)
    return np.concatenate([h[None], hs]), np.concatenate([c[None], cs])


def forward_in_torch(xs, h0, c0, params):
    weights = {name: torch.tensor(value) for name, value in params.items()}
    h, c = torch.tensor(h0), torch.tensor(c0)
    hs, cs = [], []
    for x in torch.tensor(xs):
        joined = torch.cat([h, x], dim=1)
        a = {g: joined @ weights[f"W_{g}"].T + weights[f"b_{g}"] for g in "fico"}
        c = a["f"].sigmoid() * c + a["i"].sigmoid() * a["c"].tanh()
        h = a["o"].sigmoid() * c.tanh()
        hs.append(h)
        cs.append(c)
    return torch.stack(hs).numpy(), torch.stack(cs).numpy()


def count_by_formula(input_size, hidden_size):
    return 4 * (input_size * hidden_size + hidden_size * hidden_size + hidden_size)


def count_by_block(input_size, hidden_size):
    return sum(hidden_size * (hidden_size + input_size) + hidden_size for _ in "fico")


def count_by_shapes(input_size, hidden_size):
    shapes = [(hidden_size, hidden_size + input_size), (hidden_size,)] * 4
    return sum(math.prod(shape) for shape in shapes)


def count_by_rows(input_size, hidden_size):
    rows, columns = 4 * hidden_size, hidden_size + input_size + 1
    return rows * columns


def count_in_numpy(input_size, hidden_size):
    sizes = np.array([input_size, hidden_size, 1], dtype=np.int64)
    return np.int64(4) * np.dot(sizes, np.full(3, hidden_size))


RIGHT = {
    "sigmoid": [
        sigmoid_by_tanh,
        sigmoid_by_one_exponential,
        sigmoid_by_masks,
        sigmoid_by_cutting_the_argument,
        sigmoid_by_logaddexp,
        sigmoid_number_by_number,
        sigmoid_in_torch,
    ],
    "forget_gate": gates("f"),
    "input_gate": gates("i"),
    "output_gate": gates("o"),
    "candidate_cell": candidates,
    "lstm_step": [
        step_from_pieces,
        step_with_one_product,
        step_by_einsum,
        step_in_loops,
        step_in_torch,
    ],
    "lstm_forward": [
        forward_with_two_lists,
        forward_into_arrays,
        forward_with_the_inputs_first,
        forward_by_accumulate,
        forward_by_recursion,
        forward_in_torch,
    ],
    "count_lstm_parameters": [
        count_by_formula,
        count_by_block,
        count_by_shapes,
        count_by_rows,
        count_in_numpy,
    ],
}
