"""Right answers to the assignment ``rnn``, written in many ways; every one earns full marks."""

import itertools
import math

import numpy as np
import torch


def step_by_concatenation(x, h_prev, params):
    joined = np.concatenate([h_prev, x], axis=1)
    return np.tanh(joined @ params["W_h"].T + params["b_h"])


def step_in_blocks(x, h_prev, params):
    H = h_prev.shape[1]
    W_hh, W_hx = np.split(params["W_h"], [H], axis=1)
    return np.tanh(h_prev.dot(W_hh.T) + x.dot(W_hx.T) + params["b_h"])


def step_by_einsum(x, h_prev, params):
    a = np.einsum("hk,bk->bh", params["W_h"], np.hstack((h_prev, x)))
    a += params["b_h"]  # a is ours: changing it changes no input
    return np.tanh(a, out=a)


def step_in_loops(x, h_prev, params):
    W, b = params["W_h"], params["b_h"]
    out = np.empty_like(h_prev)
    for example, unit in np.ndindex(*out.shape):
        terms = itertools.chain(h_prev[example], x[example])
        products = (w * v for w, v in zip(W[unit], terms, strict=True))
        out[example, unit] = math.tanh(b[unit] + math.fsum(products))
    return out


def step_in_torch(x, h_prev, params):
    joined = torch.cat([torch.tensor(h_prev), torch.tensor(x)], dim=1)
    W, b = torch.tensor(params["W_h"]), torch.tensor(params["b_h"])
    return torch.tanh(torch.nn.functional.linear(joined, W, b)).numpy()


def step_with_the_bias_as_a_column(x, h_prev, params):
    ones = np.ones((len(x), 1))
    return np.tanh(np.c_[h_prev, x, ones] @ np.c_[params["W_h"], params["b_h"]].T)


def forward_with_a_list(xs, h0, params):
    hs = [h0]
    for x in xs:
        hs.append(step_by_concatenation(x, hs[-1], params))
    return np.stack(hs[1:])


def forward_into_an_array(xs, h0, params):
    T, B, _ = xs.shape
    hs = np.zeros((T, B, h0.shape[1]))
    h = h0.copy()
    for t in range(T):
        h = step_in_blocks(xs[t], h, params)
        hs[t] = h
    return hs


def forward_with_the_inputs_first(xs, h0, params):
    """All input products at once; only the recurrent part is left in the loop."""
    H = h0.shape[1]
    from_input = xs @ params["W_h"][:, H:].T + params["b_h"]
    hs, h = [], h0
    for a in from_input:
        h = np.tanh(a + h @ params["W_h"][:, :H].T)
        hs.append(h)
    return np.array(hs)


def forward_by_accumulate(xs, h0, params):
    states = itertools.accumulate(xs, lambda h, x: step_by_concatenation(x, h, params), initial=h0)
    return np.stack(list(states)[1:])


def forward_by_recursion(xs, h0, params):
    h = step_by_einsum(xs[0], h0, params)
    if len(xs) == 1:
        return h[None]
    return np.concatenate([h[None], forward_by_recursion(xs[1:], h, params)])


def forward_in_torch(xs, h0, params):
    W, b = torch.from_numpy(params["W_h"]), torch.from_numpy(params["b_h"])
    hs, h = [], torch.from_numpy(h0)
    for x in torch.from_numpy(xs):
        h = torch.tanh(torch.cat([h, x], dim=1) @ W.T + b)
        hs.append(h)
    return torch.stack(hs).numpy()


def backward_in_a_loop(xs, h0, hs, dh_last, params):
    W, H = params["W_h"], h0.shape[1]
    dxs = np.zeros_like(xs)
    grads = {key: np.zeros_like(value) for key, value in params.items()}
    dh = dh_last
    for t in reversed(range(len(xs))):
        da = dh * (1 - hs[t] ** 2)
        h_prev = hs[t - 1] if t > 0 else h0
        grads["W_h"] += da.T @ np.concatenate([h_prev, xs[t]], axis=1)
        grads["b_h"] += da.sum(axis=0)
        joined = da @ W
        dh, dxs[t] = joined[:, :H], joined[:, H:]
    return dxs, dh, grads


def backward_in_blocks(xs, h0, hs, dh_last, params):
    """A list instead of a tuple, weights split, dxs collected backwards and turned."""
    H = h0.shape[1]
    W_hh, W_hx = params["W_h"][:, :H], params["W_h"][:, H:]
    before = [h0, *hs[:-1]]
    dh, dxs, dW_hh, dW_hx, db = dh_last.copy(), [], 0, 0, 0
    for x, h, h_prev in zip(xs[::-1], hs[::-1], before[::-1], strict=True):
        da = (1 - h * h) * dh
        dW_hh = dW_hh + np.outer(da[0], h_prev[0])
        for example in range(1, len(x)):
            dW_hh = dW_hh + np.outer(da[example], h_prev[example])
        dW_hx = dW_hx + np.dot(da.T, x)
        db = db + da.sum(0)
        dxs.append(np.dot(da, W_hx))
        dh = np.dot(da, W_hh)
    return [np.array(dxs[::-1]), dh, {"W_h": np.hstack([dW_hh, dW_hx]), "b_h": db}]


def backward_all_sums_first(xs, h0, hs, dh_last, params):
    """One loop for da, then every gradient in one einsum."""
    H = h0.shape[1]
    W_hh, W_hx = params["W_h"][:, :H], params["W_h"][:, H:]
    das = np.empty_like(hs)
    dh = dh_last
    for t in range(len(xs) - 1, -1, -1):
        das[t] = dh * (1 - hs[t] ** 2)
        dh = das[t] @ W_hh
    before = np.concatenate([h0[None], hs[:-1]])
    joined = np.concatenate([before, xs], axis=2)
    grads = {
        "W_h": np.einsum("tbi,tbj->ij", das, joined),
        "b_h": np.einsum("tbi->i", das),
        "note": "extra entries are ignored",
    }
    return das @ W_hx, dh, grads


def backward_by_recursion(xs, h0, hs, dh_last, params):
    H = h0.shape[1]
    h_prev = hs[-2] if len(hs) > 1 else h0
    da = dh_last * (1 - hs[-1] ** 2)
    back = da @ params["W_h"]
    dW, db = da.T @ np.hstack([h_prev, xs[-1]]), da.sum(axis=0)
    dx = back[None, :, H:]
    if len(xs) == 1:
        return dx, back[:, :H], {"W_h": dW, "b_h": db}
    dxs, dh0, grads = backward_by_recursion(xs[:-1], h0, hs[:-1], back[:, :H], params)
    return (
        np.concatenate([dxs, dx]),
        dh0,
        {"W_h": grads["W_h"] + dW, "b_h": grads["b_h"] + db},
    )


def backward_in_torch(xs, h0, hs, dh_last, params):
    """Elementary torch operations; nothing is differentiated by torch."""
    xs, h0, hs, dh = (torch.from_numpy(a) for a in (xs, h0, hs, dh_last))
    W, H = torch.from_numpy(params["W_h"]), h0.shape[1]
    dxs, dW, db = torch.zeros_like(xs), torch.zeros_like(W), torch.zeros(H, dtype=xs.dtype)
    for t in range(len(xs) - 1, -1, -1):
        da = dh * (1 - hs[t].square())
        dW += da.T @ torch.cat([hs[t - 1] if t else h0, xs[t]], dim=1)
        db += da.sum(dim=0)
        dh, dxs[t] = torch.split(da @ W, [H, xs.shape[2]], dim=1)
    return dxs.numpy(), dh.numpy(), {"W_h": dW.numpy(), "b_h": db.numpy()}


def backward_one_example_at_a_time(xs, h0, hs, dh_last, params):
    W, H = params["W_h"], h0.shape[1]
    T, B, _ = xs.shape
    dxs, dh0 = np.empty(xs.shape), np.empty(h0.shape)
    dW, db = np.zeros(W.shape), np.zeros(H)
    for b in range(B):
        dh = dh_last[b]
        for t in range(T - 1, -1, -1):
            da = np.diag(1 - hs[t, b] ** 2) @ dh
            dW += np.outer(da, np.append(hs[t - 1, b] if t else h0[b], xs[t, b]))
            db += da
            dh, dxs[t, b] = np.split(W.T @ da, [H])
        dh0[b] = dh
    return dxs, dh0, dict(W_h=dW, b_h=db)


def lags_in_a_loop(hs, params):
    T, B, H = hs.shape
    W_hh = params["W_h"][:, :H]
    result = np.zeros(T)
    for b in range(B):
        product = np.eye(H)
        result[0] += 1.0
        for k in range(1, T):
            product = product @ np.diag(1 - hs[T - k, b] ** 2) @ W_hh
            result[k] += np.linalg.norm(product, ord=2)
    return result / B


def lags_for_the_batch(hs, params):
    T, B, H = hs.shape
    product = np.tile(np.eye(H), (B, 1, 1))
    norms = [1.0]
    for h in hs[:0:-1]:
        product = product @ ((1 - h**2)[:, :, None] * params["W_h"][:, :H])
        norms.append(np.linalg.norm(product, 2, axis=(1, 2)).mean())
    return np.array(norms)


def lags_by_singular_values(hs, params):
    T, B, H = hs.shape
    W_hh = params["W_h"][:, :H]
    norms = np.ones((T, B))
    for b in range(B):
        for k in range(1, T):
            product = np.eye(H)
            for t in range(T - 1, T - 1 - k, -1):
                product = product.dot((1 - hs[t, b] ** 2).reshape(-1, 1) * W_hh)
            norms[k, b] = np.linalg.svd(product)[1][0]
    return norms.mean(axis=1)


def lags_by_eigenvalues(hs, params):
    """The root of the largest eigenvalue of J Jᵀ; J is built from its transpose."""
    T, B, H = hs.shape
    J = np.broadcast_to(np.eye(H), (B, H, H))
    result = [np.float64(1)]
    for t in range(T - 1, 0, -1):
        J = np.einsum("bij,bj,jk->bik", J, 1 - hs[t] ** 2, params["W_h"][:, :H])
        largest = np.linalg.eigvalsh(J @ J.transpose(0, 2, 1))[:, -1]
        result.append(np.sqrt(np.maximum(largest, 0)).mean())
    return np.asarray(result)


def lags_in_torch(hs, params):
    hs = torch.from_numpy(hs)
    T, B, H = hs.shape
    W_hh = torch.from_numpy(params["W_h"])[:, :H]
    J = torch.eye(H, dtype=hs.dtype).repeat(B, 1, 1)
    norms = [torch.ones(B, dtype=hs.dtype)]
    for t in range(T - 1, 0, -1):
        J = J @ torch.diag_embed(1 - hs[t] ** 2) @ W_hh
        norms.append(torch.linalg.svdvals(J)[:, 0])
    return torch.stack(norms).mean(dim=1).numpy()


def clip_by_the_formula(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    if norm <= max_norm:
        return dict(grads)
    return {name: g * (max_norm / norm) for name, g in grads.items()}


def clip_with_minimum(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads.values()]))
    factor = min(1.0, max_norm / norm) if norm > 0 else 1.0
    return {name: factor * g for name, g in grads.items()}


def clip_by_norm_of_norms(grads, max_norm):
    total = math.hypot(*(np.linalg.norm(g) for g in grads.values()))
    scale = max_norm / max(total, max_norm)
    clipped = {}
    for name in grads:
        clipped[name] = grads[name].copy()
        clipped[name] *= scale
    return clipped


def clip_entry_by_entry(grads, max_norm):
    total = math.sqrt(math.fsum(float(v) ** 2 for g in grads.values() for v in g.flat))
    factor = 1 if total < max_norm else max_norm / total
    return {name: np.multiply(g, factor) for name, g in grads.items()}


def clip_in_torch(grads, max_norm):
    tensors = {name: torch.tensor(g) for name, g in grads.items()}
    norm = torch.stack([t.norm() for t in tensors.values()]).norm()
    if norm > max_norm:
        tensors = {name: t * max_norm / norm for name, t in tensors.items()}
    return {name: t.numpy() for name, t in tensors.items()}


def clip_and_let_numpy_divide_by_zero(grads, max_norm):
    norm = np.sqrt(np.sum([np.vdot(g, g) for g in grads.values()]))
    with np.errstate(divide="ignore"):
        factor = np.minimum(1.0, np.float64(max_norm) / norm)
    return {name: g * factor for name, g in grads.items()} | {"norm": norm}


RIGHT = {
    "rnn_step": [
        step_by_concatenation,
        step_in_blocks,
        step_by_einsum,
        step_in_loops,
        step_in_torch,
        step_with_the_bias_as_a_column,
    ],
    "rnn_forward": [
        forward_with_a_list,
        forward_into_an_array,
        forward_with_the_inputs_first,
        forward_by_accumulate,
        forward_by_recursion,
        forward_in_torch,
    ],
    "rnn_backward": [
        backward_in_a_loop,
        backward_in_blocks,
        backward_all_sums_first,
        backward_by_recursion,
        backward_in_torch,
        backward_one_example_at_a_time,
    ],
    "gradient_by_lag": [
        lags_in_a_loop,
        lags_for_the_batch,
        lags_by_singular_values,
        lags_by_eigenvalues,
        lags_in_torch,
    ],
    "clip_gradients": [
        clip_by_the_formula,
        clip_with_minimum,
        clip_by_norm_of_norms,
        clip_entry_by_entry,
        clip_in_torch,
        clip_and_let_numpy_divide_by_zero,
    ],
}
