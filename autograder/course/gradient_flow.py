"""How much of a gradient at the last state gets back to earlier ones, for all three families.

One question, asked of the cells in ``reference``: by what factor does a change of the memory
k steps ago move the memory now? The chapter "Gradients through gates" asks it of nets as they are
initialized; ``experiments/gradient_flow.py`` asks it again after training.

Shapes as in ``reference``; S is the size of what a step hands on, H for the vanilla RNN and the
GRU, 2H for the LSTM, whose hidden state comes first.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from autograder.course import reference

GATES = {"rnn": "h", "lstm": "fico", "gru": "zrh"}


def initial_params(
    family: str, input_size: int, hidden_size: int, seed: int, keep: float = 0.0
) -> dict[str, Tensor]:
    """The dict of a fresh cell, uniform in ±1/sqrt(H) as in PyTorch, float64.

    ``keep`` is added to the bias of the gate that keeps: to ``b_f`` of an LSTM, subtracted from
    ``b_z`` of a GRU, whose gate replaces. Raises ValueError for a vanilla RNN with ``keep``.
    """
    if keep and family == "rnn":
        raise ValueError("a vanilla RNN has no gate whose bias could be moved")
    source = torch.Generator().manual_seed(seed)
    bound = hidden_size**-0.5

    def uniform(*shape: int) -> Tensor:
        return (2 * torch.rand(*shape, generator=source, dtype=torch.float64) - 1) * bound

    params = {}
    for gate in GATES[family]:
        params[f"W_{gate}"] = uniform(hidden_size, hidden_size + input_size)
        params[f"b_{gate}"] = uniform(hidden_size)
    if family == "lstm":
        params["b_f"] += keep
    if family == "gru":
        params["b_z"] -= keep
    return params


def step(family: str, x: Tensor, memory: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """One step of what is handed on: (B, D) and (B, S) to (B, S)."""
    if family == "rnn":
        return reference.rnn_step(x, memory, params)
    if family == "gru":
        return reference.gru_step(x, memory, params)
    h_prev, c_prev = memory.chunk(2, dim=-1)
    return torch.cat(reference.lstm_step(x, h_prev, c_prev, params), dim=-1)


def memories(family: str, xs: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """What each step hands on, from a start at zero: (T, B, D) to (T, B, S)."""
    hidden_size = params["b_h" if family != "lstm" else "b_f"].shape[-1]
    size = hidden_size * (2 if family == "lstm" else 1)
    memory, series = xs.new_zeros(xs.shape[1], size), []
    for x in xs:
        memory = step(family, x, memory, params)
        series.append(memory)
    return torch.stack(series)


def step_jacobians(family: str, xs: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """Entry t is dm_t/dm_(t-1) for every example, m what is handed on: (T, B, S, S)."""
    after = memories(family, xs, params)
    before = torch.cat([torch.zeros_like(after[:1]), after[:-1]])

    def one(x: Tensor, memory: Tensor) -> Tensor:
        return step(family, x[None], memory[None], params)[0]

    return vmap(vmap(jacrev(one, argnums=1)))(xs, before).detach()


def norm_by_lag(jacobians: Tensor, rows: slice = slice(None)) -> Tensor:
    """Spectral norm of dm_T/dm_(T-k) for k = 0 … T-1, averaged over the batch, shape (T,).

    ``rows`` chooses a part of the memory, the same at both ends: of an LSTM's, the first H
    entries are the hidden state and the rest is the cell.
    """
    steps, batch, size, _ = jacobians.shape
    product = torch.eye(size, dtype=jacobians.dtype).expand(batch, -1, -1)
    norms = []
    for t in range(steps - 1, -1, -1):
        norms.append(torch.linalg.matrix_norm(product[:, rows, rows], ord=2).mean())
        product = product @ jacobians[t]
    return torch.stack(norms)


def flow(family: str, xs: Tensor, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`norm_by_lag` of the hidden state, under "h", and of an LSTM's cell, under "c"."""
    jacobians = step_jacobians(family, xs, params)
    hidden_size = jacobians.shape[-1] // (2 if family == "lstm" else 1)
    found = {"h": norm_by_lag(jacobians, slice(hidden_size))}
    if family == "lstm":
        found["c"] = norm_by_lag(jacobians, slice(hidden_size, None))
    return found
