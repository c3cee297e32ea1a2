"""Right answers to the assignment ``gradients``, each written in another style."""

from collections import defaultdict

import numpy as np
import torch


def sigmoid(a):
    return 0.5 * (1.0 + np.tanh(0.5 * a))


def step_by_the_book(dh, x, h_prev, params):
    H = h_prev.shape[1]
    joined = np.concatenate([h_prev, x], axis=1)
    z = sigmoid(joined @ params["W_z"].T + params["b_z"])
    r = sigmoid(joined @ params["W_r"].T + params["b_r"])
    joined_h = np.concatenate([r * h_prev, x], axis=1)
    candidate = np.tanh(joined_h @ params["W_h"].T + params["b_h"])

    da_h = dh * z * (1 - candidate**2)
    d_joined_h = da_h @ params["W_h"]
    d_reset = d_joined_h[:, :H]
    da_z = dh * (candidate - h_prev) * z * (1 - z)
    da_r = d_reset * h_prev * r * (1 - r)
    d_joined = da_z @ params["W_z"] + da_r @ params["W_r"]

    dh_prev = dh * (1 - z) + d_reset * r + d_joined[:, :H]
    dx = d_joined_h[:, H:] + d_joined[:, H:]
    grads = {
        "W_z": da_z.T @ joined,
        "b_z": da_z.sum(axis=0),
        "W_r": da_r.T @ joined,
        "b_r": da_r.sum(axis=0),
        "W_h": da_h.T @ joined_h,
        "b_h": da_h.sum(axis=0),
    }
    return dx, dh_prev, grads


def step_example_by_example(dh, x, h_prev, params):
    """Loops over the batch and the units; a list for the tuple; gradients started from zeros."""
    B, H = h_prev.shape
    D = x.shape[1]
    dx, dh_prev = np.zeros((B, D)), np.zeros((B, H))
    grads = {key: np.zeros_like(value) for key, value in params.items()}
    for n in range(B):
        v = list(h_prev[n]) + list(x[n])
        z = [sigmoid(np.dot(params["W_z"][i], v) + params["b_z"][i]) for i in range(H)]
        r = [sigmoid(np.dot(params["W_r"][i], v) + params["b_r"][i]) for i in range(H)]
        u = [r[i] * h_prev[n, i] for i in range(H)] + list(x[n])
        c = [np.tanh(np.dot(params["W_h"][i], u) + params["b_h"][i]) for i in range(H)]
        du = np.zeros(H + D)
        dv = np.zeros(H + D)
        for i in range(H):
            a = dh[n, i] * z[i] * (1 - c[i]) * (1 + c[i])
            grads["W_h"][i] += [a * number for number in u]
            grads["b_h"][i] += a
            du += a * params["W_h"][i]
            a = dh[n, i] * (c[i] - h_prev[n, i]) * z[i] * (1 - z[i])
            grads["W_z"][i] += [a * number for number in v]
            grads["b_z"][i] += a
            dv += a * params["W_z"][i]
        for i in range(H):
            a = du[i] * h_prev[n, i] * r[i] * (1 - r[i])
            grads["W_r"][i] += [a * number for number in v]
            grads["b_r"][i] += a
            dv += a * params["W_r"][i]
            dh_prev[n, i] += du[i] * r[i] + dh[n, i] * (1 - z[i])
        dh_prev[n] += dv[:H]
        dx[n] = du[H:] + dv[H:]
    return [dx, dh_prev, grads]


def step_with_split_weights(dh, x, h_prev, params):
    """Recurrent and input blocks apart, einsum for every sum, extra entries in grads."""
    H = h_prev.shape[1]
    W = {gate: params[f"W_{gate}"][:, :H] for gate in "zrh"}
    U = {gate: params[f"W_{gate}"][:, H:] for gate in "zrh"}

    def total(gate, state):
        return (
            np.einsum("bj,ij->bi", state, W[gate])
            + np.einsum("bd,id->bi", x, U[gate])
            + params[f"b_{gate}"]
        )

    z, r = sigmoid(total("z", h_prev)), sigmoid(total("r", h_prev))
    candidate = np.tanh(total("h", r * h_prev))
    delta = {"h": np.einsum("bi,bi,bi->bi", dh, z, 1 - np.square(candidate))}
    d_reset = np.einsum("bi,ij->bj", delta["h"], W["h"])
    delta["z"] = np.einsum("bi,bi,bi->bi", dh, candidate - h_prev, z - z**2)
    delta["r"] = np.einsum("bi,bi,bi->bi", d_reset, h_prev, r - r**2)
    dx = sum(np.einsum("bi,id->bd", delta[gate], U[gate]) for gate in "zrh")
    dh_prev = (1 - z) * dh + d_reset * r
    for gate in "zr":
        dh_prev = dh_prev + np.einsum("bi,ij->bj", delta[gate], W[gate])
    grads = {"dx": dx, "note": "more entries than asked for"}
    for gate in "zrh":
        seen = r * h_prev if gate == "h" else h_prev
        grads[f"b_{gate}"] = np.einsum("bi->i", delta[gate])
        grads[f"W_{gate}"] = np.hstack(
            [np.einsum("bi,bj->ij", delta[gate], seen), np.einsum("bi,bd->id", delta[gate], x)]
        )
    return dx, dh_prev, grads


def step_in_torch(dh, x, h_prev, params):
    """The formulas in elementary torch operations."""
    dh, x, h_prev = (torch.from_numpy(a) for a in (dh, x, h_prev))
    p = {key: torch.from_numpy(value) for key, value in params.items()}
    H = h_prev.shape[1]
    joined = torch.cat([h_prev, x], dim=1)
    z = torch.sigmoid(torch.addmm(p["b_z"], joined, p["W_z"].T))
    r = torch.sigmoid(torch.addmm(p["b_r"], joined, p["W_r"].T))
    joined_h = torch.cat([r * h_prev, x], dim=1)
    candidate = torch.tanh(torch.addmm(p["b_h"], joined_h, p["W_h"].T))
    da_h = dh * z * (1 - candidate.pow(2))
    back = da_h @ p["W_h"]
    da_z = dh * (candidate - h_prev) * z * (1 - z)
    da_r = back[:, :H] * h_prev * r * (1 - r)
    gates = da_z @ p["W_z"] + da_r @ p["W_r"]
    dh_prev = dh - dh * z + back[:, :H] * r + gates[:, :H]
    grads = {}
    for gate, da, seen in (("z", da_z, joined), ("r", da_r, joined), ("h", da_h, joined_h)):
        grads[f"W_{gate}"] = torch.einsum("bi,bj->ij", da, seen).numpy()
        grads[f"b_{gate}"] = da.sum(dim=0).numpy()
    return (back[:, H:] + gates[:, H:]).numpy(), dh_prev.numpy(), grads


def step_with_stacked_gates(dh, x, h_prev, params):
    """Both gates in one product, a column of ones for the bias, padded arrays for the candidate."""
    B, H = h_prev.shape
    ones = np.ones((B, 1))
    joined = np.hstack([h_prev, x, ones])
    gates = np.vstack([np.column_stack([params[f"W_{g}"], params[f"b_{g}"]]) for g in "zr"])
    W_h = np.column_stack([params["W_h"], params["b_h"]])
    z, r = np.split(1 / (1 + np.exp(-np.clip(joined @ gates.T, -700, 700))), 2, axis=1)
    joined_h = joined.copy()
    joined_h[:, :H] *= r
    candidate = np.tanh(joined_h @ W_h.T)

    through_tanh = z * dh * (1 - candidate) * (1 + candidate)
    back = through_tanh @ W_h
    d_gates = np.hstack(
        [(candidate - h_prev) * dh * z * (1 - z), back[:, :H] * h_prev * r * (1 - r)]
    )
    d_joined = d_gates @ gates
    d_joined[:, :H] += back[:, :H] * r + (1 - z) * dh
    d_joined[:, H:] += back[:, H:]
    dW = np.vstack([d_gates.T @ joined, through_tanh.T @ joined_h])
    grads = {}
    for gate, rows in zip("zrh", np.split(dW, 3), strict=True):
        grads[f"W_{gate}"], grads[f"b_{gate}"] = rows[:, :-1], rows[:, -1]
    return d_joined[:, H:-1], d_joined[:, :H], grads


class _Tape:
    """A few dozen lines of reverse-mode differentiation written by hand."""

    def __init__(self):
        self.steps = []
        self.grad = defaultdict(float)

    def put(self, value, *backward):
        node = np.array(value)
        self.steps.append((node, backward))
        return node

    def run(self, node, seed):
        self.grad[id(node)] = seed
        for value, backward in reversed(self.steps):
            for parent, rule in backward:
                self.grad[id(parent)] = self.grad[id(parent)] + rule(self.grad[id(value)])


def step_by_a_tape(dh, x, h_prev, params):
    tape, H = _Tape(), h_prev.shape[1]

    def join(a, b):
        return tape.put(np.concatenate([a, b], 1), (a, lambda g: g[:, :H]), (b, lambda g: g[:, H:]))

    def affine(a, gate):
        W, b = params[f"W_{gate}"], params[f"b_{gate}"]
        return tape.put(
            a @ W.T + b,
            (a, lambda g: g @ W),
            (W, lambda g: g.T @ a),
            (b, lambda g: g.sum(0)),
        )

    def times(a, b):
        return tape.put(a * b, (a, lambda g: g * b), (b, lambda g: g * a))

    def squash(function, slope, a):
        value = function(a)
        return tape.put(value, (a, lambda g: g * slope(value)))

    joined = join(h_prev, x)
    z = squash(sigmoid, lambda s: s * (1 - s), affine(joined, "z"))
    r = squash(sigmoid, lambda s: s * (1 - s), affine(joined, "r"))
    candidate = squash(np.tanh, lambda t: 1 - t * t, affine(join(times(r, h_prev), x), "h"))
    change = tape.put(candidate - h_prev, (candidate, lambda g: g), (h_prev, lambda g: -g))
    moved = times(z, change)
    h = tape.put(h_prev + moved, (h_prev, lambda g: g), (moved, lambda g: g))
    tape.run(h, dh)
    grads = {key: tape.grad[id(value)] for key, value in params.items()}
    return tape.grad[id(x)], tape.grad[id(h_prev)], grads


def backward_by_the_book(xs, h0, hs, dhs, params):
    dxs = np.zeros_like(xs)
    grads = {key: np.zeros_like(value) for key, value in params.items()}
    dh = np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        h_prev = hs[t - 1] if t > 0 else h0
        dxs[t], dh, step_grads = step_by_the_book(dhs[t] + dh, xs[t], h_prev, params)
        for key in grads:
            grads[key] += step_grads[key]
    return dxs, dh, grads


def backward_from_a_list(xs, h0, hs, dhs, params):
    """Collects from the end, turns the list round, sums at the end; returns a list."""
    before = [h0, *hs[:-1]]
    dxs, collected, dh = [], [], 0.0
    for x, h_prev, arriving in list(zip(xs, before, dhs, strict=True))[::-1]:
        dx, dh, step_grads = step_in_torch(arriving + dh, x, h_prev, params)
        dxs.append(dx)
        collected.append(step_grads)
    grads = {key: sum(step[key] for step in collected) for key in params}
    return [np.stack(dxs[::-1]), dh, grads]


def backward_by_recursion(xs, h0, hs, dhs, params):
    """The rest of the sequence first, then this step."""
    if len(xs) == 0:
        return xs, 0.0, {}
    later_dxs, carried, later = backward_by_recursion(xs[1:], hs[0], hs[1:], dhs[1:], params)
    dx, dh0, grads = step_with_stacked_gates(dhs[0] + carried, xs[0], h0, params)
    grads = {key: value + later.get(key, 0.0) for key, value in grads.items()}
    return np.concatenate([dx[None], later_dxs]), dh0, grads


def backward_without_hs(xs, h0, hs, dhs, params):
    """Runs the forward pass again and ignores the given states; extra entries in grads."""
    H = h0.shape[1]
    states = [h0]
    for x in xs:
        h = states[-1]
        joined = np.hstack([h, x])
        z = sigmoid(joined @ params["W_z"].T + params["b_z"])
        r = sigmoid(joined @ params["W_r"].T + params["b_r"])
        candidate = np.tanh(np.hstack([r * h, x]) @ params["W_h"].T + params["b_h"])
        states.append(h + z * (candidate - h))
    grads = {key: np.zeros_like(value) for key, value in params.items()}
    grads["steps"] = np.arange(len(xs))
    dxs, dh = np.empty(xs.shape), np.zeros((len(h0), H))
    t = len(xs)
    while t > 0:
        t -= 1
        dh += dhs[t]
        dxs[t], dh, new = step_with_split_weights(dh, xs[t], states[t], params)
        for key in params:
            grads[key] = grads[key] + new[key]
    return dxs, dh, grads


def backward_all_steps_at_once(xs, h0, hs, dhs, params):
    """Gates of all steps in one product; only dh walks; weight gradients in one product at the end."""
    T, B, D = xs.shape
    H = h0.shape[1]
    before = np.concatenate([h0[None], hs[:-1]])
    joined = np.concatenate([before, xs], axis=-1)
    z = sigmoid(joined @ params["W_z"].T + params["b_z"])
    r = sigmoid(joined @ params["W_r"].T + params["b_r"])
    joined_h = np.concatenate([r * before, xs], axis=-1)
    c = np.tanh(joined_h @ params["W_h"].T + params["b_h"])
    da = {gate: np.empty((T, B, H)) for gate in "zrh"}
    dxs, carried = np.empty((T, B, D)), np.zeros((B, H))
    for t in range(T - 1, -1, -1):
        dh = dhs[t] + carried
        da["h"][t] = dh * z[t] * (1 - c[t] ** 2)
        back = da["h"][t] @ params["W_h"]
        da["z"][t] = dh * (c[t] - before[t]) * z[t] * (1 - z[t])
        da["r"][t] = back[:, :H] * before[t] * r[t] * (1 - r[t])
        gates = da["z"][t] @ params["W_z"] + da["r"][t] @ params["W_r"]
        dxs[t] = back[:, H:] + gates[:, H:]
        carried = dh * (1 - z[t]) + back[:, :H] * r[t] + gates[:, :H]
    grads = {}
    for gate in "zrh":
        seen = joined_h if gate == "h" else joined
        grads[f"W_{gate}"] = da[gate].reshape(T * B, H).T @ seen.reshape(T * B, H + D)
        grads[f"b_{gate}"] = da[gate].sum(axis=(0, 1))
    return dxs, carried, grads


def backward_example_by_example(xs, h0, hs, dhs, params):
    """One sequence after the other, each as a batch of one."""
    dxs, dh0 = np.zeros_like(xs), np.zeros_like(h0)
    grads = {key: 0.0 for key in params}
    for n in range(xs.shape[1]):
        one = slice(n, n + 1)
        dh = dhs[-1][one].copy()
        for t in range(len(xs) - 1, -1, -1):
            h_prev = (hs[t - 1] if t else h0)[one]
            dx, dh, new = step_by_a_tape(dh, xs[t][one], h_prev, params)
            dxs[t, n] = dx[0]
            grads = {key: grads[key] + new[key] for key in params}
            if t:
                dh = dh + dhs[t - 1][one]
        dh0[n] = dh[0]
    return dxs, dh0, grads


RIGHT = {
    "gru_step_backward": [
        step_by_the_book,
        step_example_by_example,
        step_with_split_weights,
        step_in_torch,
        step_with_stacked_gates,
        step_by_a_tape,
    ],
    "gru_backward": [
        backward_by_the_book,
        backward_from_a_list,
        backward_by_recursion,
        backward_without_hs,
        backward_all_steps_at_once,
        backward_example_by_example,
    ],
}
