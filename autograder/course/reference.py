"""The reference: vanilla RNN, LSTM and GRU in torch, with every convention named.

Shapes as in the book: batch ``B``, time ``T``, input size ``D``, hidden size ``H``.
``x`` is (B, D), ``h_prev`` and ``c_prev`` (B, H), ``xs`` (T, B, D), ``hs`` and ``cs`` (T, B, H).
A parameter dict holds ``W`` (H, H + D), the hidden part first, and ``b`` (H,) for every gate:
``W_h, b_h`` for the RNN; ``W_f, b_f, W_i, b_i, W_c, b_c, W_o, b_o`` for the LSTM;
``W_z, b_z, W_r, b_r, W_h, b_h`` for the GRU. Every function works for any floating dtype, on the
CPU or CUDA, and is differentiable.

The LSTM has a forget gate (Gers, Schmidhuber and Cummins 2000) and no peepholes; its equations
are those of the documentation of ``torch.nn.LSTM``.

Two switches name the four models that are all called "GRU":

``update``
    ``"replace"``: ``h = (1 - z) * h_prev + z * candidate`` (the course; Chung et al. 2014, eq. 5).
    ``"keep"``: ``h = z * h_prev + (1 - z) * candidate`` (Cho et al. 2014, eq. 7; PyTorch; Keras).
``reset``
    ``"before"``: r multiplies the state before the matrix product (the course; Cho et al. 2014, eq. 8).
    ``"after"``: r multiplies the product, ``r * (W_hn h_prev + b_hn)`` (PyTorch, cuDNN, Keras's default).

``("keep", "after")`` is ``torch.nn.GRU``; ONNX calls the second switch ``linear_before_reset``.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def affine(x: Tensor, h_prev: Tensor, params: Mapping[str, Tensor], gate: str) -> Tensor:
    """``[h_prev, x] W^T + b`` with the weights of one gate, shape (B, H)."""
    return torch.cat([h_prev, x], dim=-1) @ params[f"W_{gate}"].T + params[f"b_{gate}"]


def rnn_step(x: Tensor, h_prev: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """One step of the vanilla RNN (Elman 1990): (B, D) and (B, H) to (B, H)."""
    return torch.tanh(affine(x, h_prev, params, "h"))


def rnn_forward(xs: Tensor, h0: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """All states h_1 … h_T: (T, B, D) and (B, H) to (T, B, H); T is at least 1."""
    hs, h = [], h0
    for x in xs:
        h = rnn_step(x, h, params)
        hs.append(h)
    return torch.stack(hs)


def gradient_by_lag(hs: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """How far back the last state of a vanilla RNN depends on its past, shape (T,).

    Entry k is the spectral norm of dh_T/dh_(T-k), one norm per example, averaged over the
    batch; entry 0 is 1. The Jacobian of one step is diag(1 - h_t^2) times the recurrent block
    of ``W_h`` (compare Pascanu, Mikolov and Bengio 2013, eq. 5); only the states are needed.
    """
    hidden_size = hs.shape[-1]
    recurrent = params["W_h"][:, :hidden_size]
    product = torch.eye(hidden_size, dtype=hs.dtype, device=hs.device).expand(hs.shape[1], -1, -1)
    norms = [hs.new_ones(())]
    for h in hs[1:].flip(0):
        product = product @ ((1 - h**2)[:, :, None] * recurrent)
        norms.append(torch.linalg.matrix_norm(product, ord=2).mean())
    return torch.stack(norms)


def clip_gradients(grads: Mapping[str, Tensor], max_norm: float) -> dict[str, Tensor]:
    """The same gradients, scaled down together where their global norm exceeds ``max_norm``.

    One factor for all tensors, min(1, max_norm / norm) (Pascanu, Mikolov and Bengio 2013,
    algorithm 1); unlike ``torch.nn.utils.clip_grad_norm_``, nothing is added to the norm.
    """
    norm = torch.sqrt(sum(g.square().sum() for g in grads.values()))
    factor = max_norm / norm if norm > max_norm else 1.0
    return {name: g * factor for name, g in grads.items()}


def forget_gate(x: Tensor, h_prev: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """How much of each cell is kept, f in (0, 1), shape (B, H)."""
    return torch.sigmoid(affine(x, h_prev, params, "f"))


def input_gate(x: Tensor, h_prev: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """How much of the candidate is written, i in (0, 1), shape (B, H)."""
    return torch.sigmoid(affine(x, h_prev, params, "i"))


def output_gate(x: Tensor, h_prev: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """How much of the cell is shown, o in (0, 1), shape (B, H)."""
    return torch.sigmoid(affine(x, h_prev, params, "o"))


def candidate_cell(x: Tensor, h_prev: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """What could be written into the cell, in (-1, 1), shape (B, H)."""
    return torch.tanh(affine(x, h_prev, params, "c"))


def lstm_step(
    x: Tensor, h_prev: Tensor, c_prev: Tensor, params: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """One LSTM step: (B, D) and twice (B, H) to the new ``(h, c)``, each (B, H)."""
    f = forget_gate(x, h_prev, params)
    i = input_gate(x, h_prev, params)
    o = output_gate(x, h_prev, params)
    c = f * c_prev + i * candidate_cell(x, h_prev, params)
    return o * torch.tanh(c), c


def lstm_forward(
    xs: Tensor, h0: Tensor, c0: Tensor, params: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """All states and all cells, ``(hs, cs)``, each (T, B, H); T is at least 1."""
    hs, cs, h, c = [], [], h0, c0
    for x in xs:
        h, c = lstm_step(x, h, c, params)
        hs.append(h)
        cs.append(c)
    return torch.stack(hs), torch.stack(cs)


def rnn_params_from_torch(
    weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> dict[str, Tensor]:
    """The course's dict for the weights of ``torch.nn.RNN`` with ``nonlinearity="tanh"``.

    ``weight_ih`` (H, D), ``weight_hh`` (H, H), two biases (H,) which only ever add up.
    """
    return {"W_h": torch.cat([weight_hh, weight_ih], dim=1), "b_h": bias_ih + bias_hh}


def lstm_params_from_torch(
    weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> dict[str, Tensor]:
    """The course's dict for ``torch.nn.LSTM`` weights.

    ``weight_ih`` (4H, D), ``weight_hh`` (4H, H), ``bias_ih`` and ``bias_hh`` (4H,), rows
    stacked i, f, g, o, where g is the candidate (documentation of ``torch.nn.LSTM``).
    """
    joined = torch.cat([weight_hh, weight_ih], dim=1).chunk(4)
    summed = (bias_ih + bias_hh).chunk(4)
    order = ("i", "f", "c", "o")
    return {f"W_{gate}": W for gate, W in zip(order, joined, strict=True)} | {
        f"b_{gate}": b for gate, b in zip(order, summed, strict=True)
    }


UPDATES = ("replace", "keep")
RESETS = ("before", "after")


def update_gate(x: Tensor, h_prev: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """How far each unit moves, z in (0, 1), shape (B, H)."""
    return torch.sigmoid(affine(x, h_prev, params, "z"))


def reset_gate(x: Tensor, h_prev: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """How much of the state the candidate sees, r in (0, 1), shape (B, H)."""
    return torch.sigmoid(affine(x, h_prev, params, "r"))


def candidate_state(
    x: Tensor, h_prev: Tensor, r: Tensor, params: Mapping[str, Tensor], reset: str = "before"
) -> Tensor:
    """The proposed new state in (-1, 1), shape (B, H).

    With ``reset="after"`` the optional entry ``b_hn`` (H,) is the bias inside the reset
    product; it counts as zero when absent. Raises ValueError for an unknown ``reset``.
    """
    if reset == "before":
        return torch.tanh(affine(x, r * h_prev, params, "h"))
    if reset == "after":
        hidden_size = h_prev.shape[-1]
        W_hn, W_in = params["W_h"][:, :hidden_size], params["W_h"][:, hidden_size:]
        recurrent = h_prev @ W_hn.T + params.get("b_hn", 0.0)
        return torch.tanh(x @ W_in.T + params["b_h"] + r * recurrent)
    raise ValueError(f"reset must be one of {RESETS}, not {reset!r}")


def new_state(h_prev: Tensor, candidate: Tensor, z: Tensor, update: str = "replace") -> Tensor:
    """Blend old state and candidate, shape (B, H). Raises ValueError for an unknown ``update``."""
    if update == "replace":
        return (1 - z) * h_prev + z * candidate
    if update == "keep":
        return z * h_prev + (1 - z) * candidate
    raise ValueError(f"update must be one of {UPDATES}, not {update!r}")


def gru_step(
    x: Tensor,
    h_prev: Tensor,
    params: Mapping[str, Tensor],
    update: str = "replace",
    reset: str = "before",
) -> Tensor:
    """One GRU step: (B, D) and (B, H) to (B, H)."""
    z = update_gate(x, h_prev, params)
    r = reset_gate(x, h_prev, params)
    candidate = candidate_state(x, h_prev, r, params, reset)
    return new_state(h_prev, candidate, z, update)


def gru_forward(
    xs: Tensor,
    h0: Tensor,
    params: Mapping[str, Tensor],
    update: str = "replace",
    reset: str = "before",
) -> Tensor:
    """All states h_1 … h_T: (T, B, D) and (B, H) to (T, B, H); T is at least 1."""
    hs, h = [], h0
    for x in xs:
        h = gru_step(x, h, params, update, reset)
        hs.append(h)
    return torch.stack(hs)


def flip_update_gate(params: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same model in the other update convention, since 1 - sigmoid(a) = sigmoid(-a)."""
    return {**params, "W_z": -params["W_z"], "b_z": -params["b_z"]}


def params_from_torch(
    weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> dict[str, Tensor]:
    """The course's dict for ``torch.nn.GRU`` weights; use it with ("keep", "after").

    ``weight_ih`` (3H, D), ``weight_hh`` (3H, H), ``bias_ih`` and ``bias_hh`` (3H,), rows
    stacked r, z, n (documentation of ``torch.nn.GRU``). Two biases per gate become one for
    z and r; for the candidate they stay apart, because r multiplies only ``b_hn``.
    """
    W_ir, W_iz, W_in = weight_ih.chunk(3)
    W_hr, W_hz, W_hn = weight_hh.chunk(3)
    b_ir, b_iz, b_in = bias_ih.chunk(3)
    b_hr, b_hz, b_hn = bias_hh.chunk(3)
    return {
        "W_z": torch.cat([W_hz, W_iz], dim=1),
        "b_z": b_iz + b_hz,
        "W_r": torch.cat([W_hr, W_ir], dim=1),
        "b_r": b_ir + b_hr,
        "W_h": torch.cat([W_hn, W_in], dim=1),
        "b_h": b_in,
        "b_hn": b_hn,
    }


class GRU(nn.Module):
    """One GRU layer in any of the four conventions, with the course's parameters.

    Calling it maps ``xs`` (T, B, D) and ``h0`` (B, H), zero when absent, to
    ``(hs, h_last)``: all states (T, B, H) and the last one (B, H). Initial values are
    uniform in ±1/sqrt(H), as in ``torch.nn.GRU``.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        update: str = "replace",
        reset: str = "before",
    ):
        super().__init__()
        if update not in UPDATES or reset not in RESETS:
            raise ValueError(
                f"update must be one of {UPDATES} and reset one of {RESETS}, "
                f"not {update!r} and {reset!r}"
            )
        self.input_size, self.hidden_size = input_size, hidden_size
        self.update, self.reset = update, reset
        bound = hidden_size**-0.5
        shapes: dict[str, tuple[int, ...]]
        shapes = {f"W_{gate}": (hidden_size, hidden_size + input_size) for gate in "zrh"}
        shapes |= {f"b_{gate}": (hidden_size,) for gate in "zrh"}
        if reset == "after":
            shapes["b_hn"] = (hidden_size,)
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def forward(self, xs: Tensor, h0: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The states (T, B, H) and the last one (B, H), from xs (T, B, D) and h0 (B, H) or zeros."""
        if h0 is None:
            h0 = xs.new_zeros(xs.shape[1], self.hidden_size)
        hs = gru_forward(xs, h0, dict(self.named_parameters()), self.update, self.reset)
        return hs, hs[-1]
