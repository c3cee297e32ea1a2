"""``gradient_by_lag``: how large the gradient is, step by step into the past."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking.record import Inputs, Mistake, Probe
from autograder.course.exercises.rnn.sections import BY_LAG
from autograder.course.exercises.shared.answers import by_reference
from autograder.course.exercises.shared.declared import RECURRENT, rnn_exercise
from autograder.course.exercises.shared.drawing import (
    different_sizes,
    gated_params,
    orthogonal,
    state,
)
from autograder.course.exercises.shared.wrong import contract_mistakes
from autograder.player.contract import Array
from autograder.player.observe import AUTOGRAD


def _lag_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    """States as such: inputs that lead to them exist, and the gradient does not depend on them."""
    return {"hs": state(rng, T, B, H), "params": gated_params(rng, "h", D, H)}


def _lag_general(rng) -> Inputs:
    return _lag_inputs(rng, *different_sizes(rng, 4, low=3))


def _flat_tanh(rng) -> Inputs:
    drawn = _lag_general(rng)
    drawn["hs"] *= 0.0
    return drawn


def _identity(rng) -> Inputs:
    drawn = _lag_general(rng)
    H = drawn["hs"].shape[-1]
    drawn["params"]["W_h"][:, :H] = np.eye(H)
    return drawn


def _lag_square(rng) -> Inputs:
    size = different_sizes(rng, 1, 3, 5)[0]
    return _lag_inputs(rng, size, size, size, size)


def _growing(rng) -> Inputs:
    """Each step multiplies the gradient by about 1.3: what is called exploding."""
    drawn = _lag_inputs(rng, 30, *different_sizes(rng, 3))
    H = drawn["hs"].shape[-1]
    drawn["hs"] *= 0.3
    drawn["params"]["W_h"][:, :H] = 1.4 * orthogonal(rng, H)
    return drawn


_PROBES = (
    Probe("all states zero, so tanh' is 1", _flat_tanh, part="product"),
    Probe("recurrent block the identity", _identity, part="slope"),
    Probe("general", _lag_general),
    Probe(
        "one example",
        lambda rng: _lag_inputs(
            rng, different_sizes(rng, 1, low=3)[0], 1, *different_sizes(rng, 2)
        ),
    ),
    Probe("T = B = D = H", _lag_square),
    Probe("two time steps", lambda rng: _lag_inputs(rng, 2, *different_sizes(rng, 3, low=3))),
    Probe("sixty time steps", lambda rng: _lag_inputs(rng, 60, *different_sizes(rng, 3))),
    Probe("thirty time steps, growing", _growing),
)

_PARTS = (
    ("product", "multiplying the recurrent blocks"),
    ("slope", "the slope of tanh"),
)


def _jacobians(hs, params):
    """dh_t/dh_(t-1) for t = T … 2, each (B, H, H)."""
    recurrent = params["W_h"][:, : hs.shape[-1]]
    return [(1 - h**2)[:, :, None] * recurrent for h in hs[:0:-1]]


def _spectral(matrices):
    return np.linalg.norm(matrices, 2, axis=(-2, -1))


def _by_lag(
    hs,
    params,
    jacobians=_jacobians,
    multiply=lambda product, jacobian: product @ jacobian,
    norm=_spectral,
    summary=lambda norms: norms.mean(),
):
    _, B, H = hs.shape
    product = np.broadcast_to(np.eye(H), (B, H, H))
    entries = [summary(norm(product))]
    for jacobian in jacobians(hs, params):
        product = multiply(product, jacobian)
        entries.append(summary(norm(product)))
    return np.array(entries)


def _lag_with(**options: Callable) -> Callable:
    return lambda hs, params: _by_lag(hs, params, **options)


def _frobenius_from_one(hs, params):
    entries = _by_lag(hs, params, norm=lambda m: np.linalg.norm(m, axis=(-2, -1)))
    entries[0] = 1.0
    return entries


def _with_slope(slope: Callable) -> Callable:
    """Jacobians with another slope; ``slope(h, h_prev)``."""

    def jacobians(hs, params):
        recurrent = params["W_h"][:, : hs.shape[-1]]
        pairs = zip(hs[:0:-1], hs[-2::-1], strict=True)
        return [slope(h, h_prev)[:, :, None] * recurrent for h, h_prev in pairs]

    return _lag_with(jacobians=jacobians)


def _with_block(block: Callable) -> Callable:
    """Jacobians with another matrix; ``block(W, H)``."""

    def jacobians(hs, params):
        matrix = block(params["W_h"], hs.shape[-1])
        return [(1 - h**2)[:, :, None] * matrix for h in hs[:0:-1]]

    return _lag_with(jacobians=jacobians)


def _slope_on_columns(hs, params):
    recurrent = params["W_h"][:, : hs.shape[-1]]
    return [recurrent * (1 - h**2)[:, None, :] for h in hs[:0:-1]]


def _power_of_the_norm(hs, params):
    bound = np.linalg.norm(params["W_h"][:, : hs.shape[-1]], 2)
    return bound ** np.arange(len(hs), dtype=float)


def _product_of_norms(hs, params):
    norms = [_spectral(jacobian) for jacobian in _jacobians(hs, params)]
    return np.array([1.0, *np.cumprod(norms, axis=0).mean(axis=1)])


def _sum_of_units(matrices):
    return np.linalg.norm(matrices.sum(axis=-2), axis=-1)


def _lag_mistake(name, says, wrong, part=None):
    return Mistake(name, says, wrong, BY_LAG, part)


_MISTAKES = (
    _lag_mistake(
        "tanh' missing",
        "You multiply the recurrent blocks alone; each step also multiplies by the slope 1 - h_t².",
        _with_slope(lambda h, h_prev: np.ones_like(h)),
        "slope",
    ),
    _lag_mistake(
        "tanh' taken of the old state",
        "Your slope for the step from h_(t-1) to h_t is 1 - h_(t-1)²; it belongs to h_t.",
        _with_slope(lambda h, h_prev: 1 - h_prev**2),
        "slope",
    ),
    _lag_mistake(
        "tanh applied to h_t once more",
        "Your slope is 1 - tanh(h_t)²; h_t already is the tanh's value: 1 - h_t².",
        _with_slope(lambda h, h_prev: 1 - np.tanh(h) ** 2),
        "slope",
    ),
    _lag_mistake(
        "1 - h for tanh'",
        "You multiply by 1 - h_t; the slope of tanh is 1 - h_t², with a square.",
        _with_slope(lambda h, h_prev: 1 - h),
        "slope",
    ),
    _lag_mistake(
        "sigmoid' for tanh'",
        "You multiply by h_t (1 - h_t), the slope of a sigmoid; that of tanh is 1 - h_t².",
        _with_slope(lambda h, h_prev: h * (1 - h)),
        "slope",
    ),
    _lag_mistake(
        "slope on the columns",
        "1 - h_t² multiplies the columns of W_hh; row i makes unit i of h_t, so it scales row i.",
        _lag_with(jacobians=_slope_on_columns),
        "slope",
    ),
    _lag_mistake(
        "recurrent weights transposed",
        "You use W_hhᵀ with its rows scaled; entry (i, j) of dh_t/dh_(t-1) is (1 - h_i²) W_hh[i, j].",
        _with_block(lambda W, H: W[:, :H].T),
        "product",
    ),
    _lag_mistake(
        "last columns of W_h",
        "You take the last H columns of W_h; the hidden part is the first H.",
        _with_block(lambda W, H: np.resize(W[:, -H:], (H, H))),
        "product",
    ),
    _lag_mistake(
        "product in the wrong order",
        "You multiply each new Jacobian from the left. Walking back, it comes from the right: "
        "J_T J_(T-1) ….",
        _lag_with(multiply=lambda product, jacobian: jacobian @ product),
        "product",
    ),
    _lag_mistake(
        "elementwise product",
        "You multiply the Jacobians element by element; the chain rule is a matrix product, `@`.",
        _lag_with(multiply=lambda product, jacobian: product * jacobian),
        "product",
    ),
    _lag_mistake(
        "one step at a time",
        "Entry k is the norm of a single step's Jacobian; it must be the norm of the product of k.",
        _lag_with(multiply=lambda product, jacobian: jacobian),
        "product",
    ),
    _lag_mistake(
        "sum of the Jacobians",
        "You add the Jacobians; the chain rule multiplies them.",
        _lag_with(multiply=lambda product, jacobian: product + jacobian),
        "product",
    ),
    _lag_mistake(
        "product of the norms",
        "You multiply the norms of the single steps; that is an upper bound. Multiply the "
        "matrices first, then take the norm.",
        _product_of_norms,
        "product",
    ),
    _lag_mistake(
        "powers of the norm of W_hh",
        "You return ‖W_hh‖ᵏ, the textbook bound; asked for is the norm of the actual product.",
        _power_of_the_norm,
        "product",
    ),
    _lag_mistake(
        "measured from the first state",
        "Entry k is the norm of dh_(1+k)/dh_1; lags count back from the end: dh_T/dh_(T-k).",
        _lag_with(
            jacobians=lambda hs, params: _jacobians(hs, params)[::-1],
            multiply=lambda product, jacobian: jacobian @ product,
        ),
        "product",
    ),
    _lag_mistake(
        "Jacobians from the first step on",
        "You start with the Jacobian of the first steps; lag 1 is the last step, from h_(T-1) to h_T.",
        _lag_with(jacobians=lambda hs, params: _jacobians(hs, params)[::-1]),
        "product",
    ),
    _lag_mistake(
        "Frobenius norm",
        "You take the Frobenius norm, np.linalg.norm's default; the spectral norm is the largest "
        "singular value: ord=2.",
        _lag_with(norm=lambda m: np.linalg.norm(m, axis=(-2, -1))),
    ),
    _lag_mistake(
        "Frobenius norm divided by its value at lag 0",
        "You take the Frobenius norm, scaled so that entry 0 is 1; the spectral norm is the "
        "largest singular value: ord=2.",
        _lag_with(norm=lambda m: np.linalg.norm(m, axis=(-2, -1)) / np.sqrt(m.shape[-1])),
    ),
    _lag_mistake(
        "Frobenius norm, entry 0 set to 1",
        "You take the Frobenius norm, np.linalg.norm's default; the spectral norm is the largest "
        "singular value: ord=2.",
        _frobenius_from_one,
    ),
    _lag_mistake(
        "nuclear norm",
        "You add the singular values up; the spectral norm is the largest of them.",
        _lag_with(norm=lambda m: np.linalg.svd(m, compute_uv=False).sum(axis=-1)),
    ),
    _lag_mistake(
        "largest eigenvalue",
        "You take the largest |eigenvalue|, the spectral radius; the spectral norm is the largest "
        "singular value.",
        _lag_with(norm=lambda m: np.abs(np.linalg.eigvals(m)).max(axis=-1)),
    ),
    _lag_mistake(
        "smallest singular value",
        "You take the smallest singular value; the spectral norm is the largest.",
        _lag_with(norm=lambda m: np.linalg.svd(m, compute_uv=False)[..., -1]),
    ),
    _lag_mistake(
        "mean singular value",
        "You average the singular values; the spectral norm is the largest of them.",
        _lag_with(norm=lambda m: np.linalg.svd(m, compute_uv=False).mean(axis=-1)),
    ),
    _lag_mistake(
        "norm squared",
        "You take the largest eigenvalue of JᵀJ; the spectral norm is its square root.",
        _lag_with(norm=lambda m: _spectral(m) ** 2),
    ),
    _lag_mistake(
        "largest entry",
        "You take the largest entry of the matrix; the spectral norm is its largest singular value.",
        _lag_with(norm=lambda m: np.abs(m).max(axis=(-2, -1))),
    ),
    _lag_mistake(
        "row-sum norm",
        "You take the largest row sum (ord=inf); the spectral norm is ord=2.",
        _lag_with(norm=lambda m: np.abs(m).sum(axis=-1).max(axis=-1)),
    ),
    _lag_mistake(
        "column-sum norm",
        "You take the largest column sum (ord=1); the spectral norm is ord=2.",
        _lag_with(norm=lambda m: np.abs(m).sum(axis=-2).max(axis=-1)),
    ),
    _lag_mistake(
        "gradient of the sum of the units",
        "You take the norm of the gradient of the sum over all units of h_T; asked for is the "
        "spectral norm of the whole Jacobian.",
        _lag_with(norm=_sum_of_units),
    ),
    _lag_mistake(
        "norm of the mean Jacobian",
        "You average the Jacobians over the batch and take one norm; take a norm per example and "
        "average the norms.",
        _lag_with(norm=lambda m: _spectral(m.mean(axis=0))),
    ),
    _lag_mistake(
        "sum over the batch",
        "You add the examples' norms; average them.",
        _lag_with(summary=lambda norms: norms.sum()),
    ),
    _lag_mistake(
        "largest norm in the batch",
        "You take the largest norm in the batch; average them.",
        _lag_with(summary=lambda norms: norms.max()),
    ),
    _lag_mistake(
        "first example only",
        "Only the first example of the batch counts in your result; average over all.",
        _lag_with(summary=lambda norms: norms[0]),
    ),
    _lag_mistake(
        "not averaged over the batch",
        "You return one column per example, (T, B); average over the batch: (T,).",
        _lag_with(summary=lambda norms: norms),
    ),
    _lag_mistake(
        "lags in reverse order",
        "Entry 0 belongs to the first state; it must be lag 0, which is 1.",
        lambda hs, params: _by_lag(hs, params)[::-1].copy(),
    ),
    _lag_mistake(
        "lag 0 missing",
        "Your first entry is lag 1; entry 0 is lag 0, dh_T/dh_T, whose norm is 1.",
        lambda hs, params: _by_lag(hs, params)[1:],
    ),
    _lag_mistake(
        "lags one off",
        "Entry k is the norm at lag k + 1; entry 0 is lag 0, dh_T/dh_T, whose norm is 1.",
        lambda hs, params: np.append(_by_lag(hs, params)[1:], 0.0),
    ),
    *contract_mistakes(_by_lag, None, BY_LAG, "hs"),
)

EXERCISE = rnn_exercise(
    name="gradient_by_lag",
    assignment="rnn",
    signature="gradient_by_lag(hs, params) -> norms of shape (T,)",
    points=3,
    section=BY_LAG,
    equation="dh_T/dh_(T−k) = J_T J_(T−1) … J_(T−k+1),   J_t = diag(1 − h_t²) W_hh",
    hints=(
        "Keep one (H, H) product per example. It starts as the identity, lag 0; each step back "
        "multiplies one more Jacobian from the right.",
        "W_hh is the first H columns of W_h. The spectral norm is the largest singular value: "
        "np.linalg.norm(J, 2, axis=(-2, -1)).",
    ),
    returns=Array("norms"),
    probes=_PROBES,
    answer=by_reference("gradient_by_lag", "norms"),
    in_numpy=_by_lag,
    mistakes=_MISTAKES,
    why_tolerance=(
        "products of sixty matrices in float64, taken in another order, differ by about 1e-13 "
        "of their size"
    ),
    parts=_PARTS,
    refuse=RECURRENT | AUTOGRAD,
)
