# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Differentiate a GRU by hand
#
# You write backpropagation through a GRU by hand: first through one step, then through a whole
# sequence. At the end no part of it is a black box: you can point at the one term that lets a
# gradient survive a hundred steps, and you know what an error in any other term does to training.
#
# About two hours in three steps, {{points gradients}}. The chapter
# [Gradients through gates](../../book/gru/gradients-through-gates.md)
# derives every formula used here; its sections are named where you need them. The forward
# equations are those of [Two gates, one state](../../book/gru/two-gates.md).
#
# **How to work.** Write your code where it says `YOUR CODE HERE`, replace the line that raises
# `NotImplementedError`, run the cell, and run the `check` below it. The check draws its own inputs
# and tells you what it tried. When the answer is wrong, it says which of your results are off and,
# if it is a mistake we have met before, which one. Run it as often as you like.
#
# **How points are counted.** A check tries several *kinds of input* (ordinary sizes, a batch of
# one, large numbers and so on) and the paths of the gradient one by one. All right is all points.
# Else you keep the share that came out right, counted gradient by gradient, and at most three
# quarters; an untouched cell is worth nothing. **One mistake costs once:** where `gru_backward` calls
# a `gru_step_backward` of yours that is not right yet, it is tried again with a right one in its
# place, and keeps what it then earns.
#
# **What you may use.** NumPy, torch's elementary operations and the standard library. Writing the
# gradient is the exercise: `torch.autograd`, `.backward()` and recurrent layers are recognized and
# earn nothing. Finite differences are a fine way to *test* your formulas, but as an answer they
# are not exact enough: you are off by about 1e-15 with formulas and 1e-10 with differences, and
# the check allows {{tolerance gru_step_backward}}.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false} tags=["hide-input"]
# {{setup}}
import numpy as np

from autograder import check

Params = dict[str, np.ndarray]

# %% [markdown]
# ## What you are given
#
# Shapes as everywhere: batch `B`, time `T`, input size `D`, hidden size `H`. In the equations
# $[h, x]$ is the old state and the input side by side, shape (B, H + D), **hidden part first**, and
# $*$ multiplies entry by entry. In the course's convention $z$ near 1 *replaces*, and $r$ acts
# on the state *before* the matrix product:
#
# $$z = \sigma\left([h_{t-1}, x_t]\, W_z^\top + b_z\right)$$
#
# $$r = \sigma\left([h_{t-1}, x_t]\, W_r^\top + b_r\right)$$
#
# $$\tilde h = \tanh\left([r * h_{t-1}, x_t]\, W_h^\top + b_h\right)$$
#
# $$h_t = (1 - z) * h_{t-1} + z * \tilde h$$
#
# The forward pass is written for you. Read it once; the backward pass walks it in reverse.


# %% nbgrader={"grade": false, "grade_id": "forward", "locked": true, "schema_version": 3, "solution": false}
def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a)) for each entry of a, any shape."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(a, dtype=np.float64)))


def gates(
    x: np.ndarray, h_prev: np.ndarray, params: Params
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z, r and the candidate of one step, (B, H) each, from x: (B, D) and h_prev: (B, H)."""
    joined = np.concatenate([h_prev, x], axis=1)
    z = sigmoid(joined @ params["W_z"].T + params["b_z"])
    r = sigmoid(joined @ params["W_r"].T + params["b_r"])
    joined_reset = np.concatenate([r * h_prev, x], axis=1)
    candidate = np.tanh(joined_reset @ params["W_h"].T + params["b_h"])
    return z, r, candidate


def gru_step(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """The state after one step, (B, H)."""
    z, r, candidate = gates(x, h_prev, params)
    return (1 - z) * h_prev + z * candidate


def gru_forward(xs: np.ndarray, h0: np.ndarray, params: Params) -> np.ndarray:
    """All states of a sequence, hs: (T, B, H), from xs: (T, B, D) and h0: (B, H)."""
    hs, h = [], h0
    for x in xs:
        h = gru_step(x, h, params)
        hs.append(h)
    return np.stack(hs)


# %% [markdown]
# ### Five rules are enough
#
# Let $L$ be any number computed from the states, a loss for instance. The gradient of an array is
# an array **of the same shape**: entry by entry, how much $L$ changes when that entry does. In code
# we call it `d` plus the name, so `dh` is $\partial L / \partial h_t$.
#
# Going backward you meet five kinds of operation. Each line says what to do with the gradient `dy`
# that arrives at the result `y`.
#
# | forward | shapes | backward |
# |---|---|---|
# | `y = a * b` | all (B, H) | `da = dy * b`, `db = dy * a` |
# | `y = sigmoid(a)` | (B, H) | `da = dy * y * (1 - y)` |
# | `y = tanh(a)` | (B, H) | `da = dy * (1 - y**2)` |
# | `y = v @ W.T + b` | `v` (B, H + D), `W` (H, H + D), `y` (B, H) | `dv = dy @ W`, `dW = dy.T @ v`, `db = dy.sum(axis=0)` |
# | `y` is used in several places | | add up what comes back from each |
#
# Two things to see before you start. The slopes of $\sigma$ and $\tanh$ are written with the
# *result* `y`, not with the argument. And the fourth line cannot be mistyped unnoticed if you check
# shapes: `dy.T @ v` is (H, B) times (B, H + D), so the batch is summed and what is left has the
# shape of `W`. The bias is the same sum with ones in place of `v`.
#
# Why a **sum** over the batch? The examples share the weights, so each example pulls at them, and
# the pulls add up. A mean would belong to the loss, not to this function.

# %% [markdown]
# ### One tiny example
#
# One unit, one feature, one example, with weights for which every number comes out even. Two facts
# help: $\sigma(\ln 3) = 3/4$, and $\tanh(\ln 2) = 0.6$.

# %% nbgrader={"grade": false, "grade_id": "tiny-example", "locked": true, "schema_version": 3, "solution": false}
tiny = {
    "W_z": np.array([[1.0, -0.5]]),
    "b_z": np.array([np.log(3.0)]),
    "W_r": np.array([[2.0, -1.0]]),
    "b_r": np.array([0.0]),
    "W_h": np.array([[2.0, -0.5]]),
    "b_h": np.array([np.log(2.0)]),
}
tiny_x = np.array([[1.0]])
tiny_h = np.array([[0.5]])
tiny_dh = np.array([[1.0]])

for name, value in zip(("z", "r", "candidate"), gates(tiny_x, tiny_h, tiny), strict=True):
    print(name, value.round(6))
print("h", gru_step(tiny_x, tiny_h, tiny).round(6))

# %% [markdown]
# Every product $[h, x]\,W^\top$ is $0$ here, so the biases alone decide: $z = 0.75$, $r = 0.5$,
# $\tilde h = 0.6$, and $h_t = 0.25 \cdot 0.5 + 0.75 \cdot 0.6 = 0.575$.
#
# ## 1. One step backward
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 1: <code>gru_step_backward</code></strong></p>
#
# 60 minutes · difficulty 4 of 5 · {{points gru_step_backward}}
#
# Why it matters: this is all that training does with a gate. Whatever the cell can learn, it
# learns through these lines.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `dh` | $\partial L / \partial h_t$ | (B, H) | gradient that arrives at the new state |
# | `x`, `h_prev` | $x_t$, $h_{t-1}$ | (B, D), (B, H) | what the step was given |
# | `params` | $W_z, b_z, \dots$ | as above | its weights |
# | result `dx` | $\partial L / \partial x_t$ | (B, D) | gradient at the input |
# | result `dh_prev` | $\partial L / \partial h_{t-1}$ | (B, H) | gradient at the old state |
# | result `grads` | $\partial L / \partial W_z$, … | each as its parameter | a dict with the keys of `params` |
#
# Names for what lies in between, all (B, H). A gradient *before* the squashing function is called
# `da`:
#
# | code name | what it is the gradient of |
# |---|---|
# | `d_candidate`, `da_h` | the candidate, and the weighted sum inside its tanh |
# | `dz`, `da_z` | the update gate, and the weighted sum inside its sigmoid |
# | `d_reset` | the product `r * h_prev` that the candidate reads |
# | `dr`, `da_r` | the reset gate, and the weighted sum inside its sigmoid |
#
# The old state is used in **four** places, so `dh_prev` is a sum of four terms:
#
# $$\mathrm{d}h_{t-1} =
# \underbrace{(1 - z) * \mathrm{d}h}_{\text{direct}}
# + \underbrace{r * \mathrm{d}_{\text{reset}}}_{\text{candidate}}
# + \underbrace{(\mathrm{d}a_z W_z)_{h}}_{\text{update gate}}
# + \underbrace{(\mathrm{d}a_r W_r)_{h}}_{\text{reset gate}}$$
#
# where the index $h$ means the first $H$ columns. The input is used in three places; its columns
# are the last $D$.
#
# Reread: [the direct path](../../book/gru/gradients-through-gates.md#direct-carry),
# [through the candidate](../../book/gru/gradients-through-gates.md#candidate-gradient) and
# [through the gates](../../book/gru/gradients-through-gates.md#gate-gradients).


# %% nbgrader={"grade": false, "grade_id": "gru_step_backward", "locked": false, "schema_version": 3, "solution": true}
def gru_step_backward(
    dh: np.ndarray, x: np.ndarray, h_prev: np.ndarray, params: Params
) -> tuple[np.ndarray, np.ndarray, Params]:
    """Backpropagation through one GRU step (z near 1 replaces, r before the product).

    dh: (B, H), the gradient at the new state; x: (B, D), h_prev: (B, H)
    returns dx: (B, D), dh_prev: (B, H) and grads, a dict with the keys and shapes of params;
    the gradients of the parameters are summed over the batch; no input is changed
    """
    ### BEGIN SOLUTION
    H = h_prev.shape[1]
    z, r, candidate = gates(x, h_prev, params)
    joined = np.concatenate([h_prev, x], axis=1)
    joined_reset = np.concatenate([r * h_prev, x], axis=1)

    # the blend: h = (1 - z) * h_prev + z * candidate
    direct = (1 - z) * dh
    d_candidate = z * dh
    dz = (candidate - h_prev) * dh

    # the candidate
    da_h = d_candidate * (1 - candidate**2)
    d_joined_reset = da_h @ params["W_h"]
    d_reset = d_joined_reset[:, :H]

    # the gates
    da_z = dz * z * (1 - z)
    dr = d_reset * h_prev
    da_r = dr * r * (1 - r)
    d_joined = da_z @ params["W_z"] + da_r @ params["W_r"]

    dx = d_joined_reset[:, H:] + d_joined[:, H:]
    dh_prev = direct + d_reset * r + d_joined[:, :H]
    grads = {
        "W_z": da_z.T @ joined,
        "b_z": da_z.sum(axis=0),
        "W_r": da_r.T @ joined,
        "b_r": da_r.sum(axis=0),
        "W_h": da_h.T @ joined_reset,
        "b_h": da_h.sum(axis=0),
    }
    return dx, dh_prev, grads
    ### END SOLUTION


# %% [markdown]
# **By hand.** With `dh = 1`, $z = 0.75$, $r = 0.5$, $\tilde h = 0.6$, $h_{t-1} = 0.5$:
#
# | line | numbers | result |
# |---|---|---|
# | direct | $0.25 \cdot 1$ | 0.25 |
# | `da_h` | $0.75 \cdot 1 \cdot (1 - 0.36)$ | 0.48 |
# | `da_h @ W_h` | $0.48 \cdot [2, -0.5]$ | $[0.96, -0.24]$, so `d_reset` is 0.96 |
# | `da_z` | $(0.6 - 0.5) \cdot 1 \cdot 0.75 \cdot 0.25$ | 0.01875 |
# | `da_r` | $0.96 \cdot 0.5 \cdot 0.5 \cdot 0.5$ | 0.12 |
# | `dh_prev` | $0.25 + 0.96 \cdot 0.5 + 0.01875 \cdot 1 + 0.12 \cdot 2$ | 0.98875 |
# | `dx` | $-0.24 - 0.01875 \cdot 0.5 - 0.12 \cdot 1$ | −0.369375 |
#
# The weights' gradients are `da` times what the weights met: `W_h` gets
# $0.48 \cdot [0.25, 1] = [0.12, 0.48]$, `W_r` gets $0.12 \cdot [0.5, 1] = [0.06, 0.12]$ and `W_z`
# gets $0.01875 \cdot [0.5, 1] = [0.009375, 0.01875]$. The biases get `da` itself.

# %% tags=["skip-execution"]
dx, dh_prev, grads = gru_step_backward(tiny_dh, tiny_x, tiny_h, tiny)
print("dx", dx.round(6), "dh_prev", dh_prev.round(6))
for key, value in grads.items():
    print(key, value.round(6))

# %% [markdown]
# This example has $B = H = D = 1$, so it cannot see a forgotten sum over the batch or a transposed
# matrix. The check can.
#
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# At the end. The last forward line is $h_t = (1 - z) * h_{t-1} + z * \tilde h$. The array
# `dh` arrives there, and three things want their share of it: $h_{t-1}$ (directly), $\tilde h$ and
# $z$. Use the first rule of the table on each product. For $z$ there are two products, and one has
# a minus sign.
#
# </details>
# <details>
# <summary>Hint 2: and then?</summary>
#
# The candidate came out of tanh and $z$ out of the sigmoid. So multiply `d_candidate` by the slope
# of tanh and `dz` by the slope of the sigmoid. That gives `da_h` and `da_z`. Each of those is the
# `dy` of rule four.
#
# </details>
# <details>
# <summary>Hint 3: how do I get to the reset gate?</summary>
#
# `da_h @ params["W_h"]` has shape (B, H + D). Its last D columns belong to `x`. Its first H columns
# belong to what stood there in the forward pass, and that was `r * h_prev`, not `h_prev`. It is a
# product, so rule one applies: one share goes to `r`, the other to `h_prev`.
#
# </details>
# <details>
# <summary>Hint 4: which array goes with which weight gradient?</summary>
#
# The one the weights met in the forward pass. `W_z` and `W_r` met `[h_prev, x]`, and `W_h` met
# `[r * h_prev, x]`. Then `dW = da.T @ that_array`, `db = da.sum(axis=0)`.
#
# </details>
# <details>
# <summary>Hint 5: almost there</summary>
#
# In this order: `direct = (1 - z) * dh`; `da_h = z * dh * (1 - candidate**2)`;
# `da_z = (candidate - h_prev) * dh * z * (1 - z)`; `back = da_h @ params["W_h"]` and
# `d_reset = back[:, :H]`; `da_r = d_reset * h_prev * r * (1 - r)`. What is left are two sums, with
# four and three terms, and six entries of a dict.
#
# </details>
#
# The check compares with torch autograd in float64. Expected error of a right answer: about 1e-15.
# Allowed deviation: {{tolerance gru_step_backward}}. It also closes paths on purpose, for instance
# with $z = 0$, so it can tell you whether the direct path, the candidate, z or r is off.

# %% nbgrader={"grade": true, "grade_id": "check-gru_step_backward", "locked": true, "schema_version": 3, "solution": false}
check(gru_step_backward)

# %% [markdown]
# ## 2. A sequence backward
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 2: <code>gru_backward</code></strong></p>
#
# 30 minutes · difficulty 3 of 5 · {{points gru_backward}}
#
# Why it matters: the loss may look at every state, and every step shares the same weights. This
# loop is backpropagation through time.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `xs` | $x_1 \dots x_T$ | (T, B, D) | inputs |
# | `h0` | $h_0$ | (B, H) | state before the first step |
# | `hs` | $h_1 \dots h_T$ | (T, B, H) | states of the forward pass, `hs[0]` is $h_1$ |
# | `dhs` | | (T, B, H) | what the loss sends **directly** to each state |
# | result `dxs` | $\partial L / \partial x_t$ | (T, B, D) | `dxs[t]` belongs to `xs[t]` |
# | result `dh0` | $\partial L / \partial h_0$ | (B, H) | gradient at the first state |
# | result `grads` | | each as its parameter | summed over batch **and time** |
#
# A state is used twice: by the loss, and by the next step. So what arrives at it is a sum, too:
#
# $$\mathrm{d}h_t = \mathrm{dhs}_t + \mathrm{d}h_{\mathrm{prev}}\ \text{of step } t + 1$$
#
# At the last state there is no step $t + 1$. The weights are the same at every step, so their
# gradients add up. $T$ is at least 1.
#
# Reread: [backward through time](../../book/gru/gradients-through-gates.md#backward-through-time).


# %% nbgrader={"grade": false, "grade_id": "gru_backward", "locked": false, "schema_version": 3, "solution": true}
def gru_backward(
    xs: np.ndarray, h0: np.ndarray, hs: np.ndarray, dhs: np.ndarray, params: Params
) -> tuple[np.ndarray, np.ndarray, Params]:
    """Backpropagation through a whole sequence, a gradient arriving at every state.

    xs: (T, B, D), h0: (B, H), hs: (T, B, H) from gru_forward, dhs: (T, B, H)
    returns dxs: (T, B, D), dh0: (B, H) and grads, a dict with the keys and shapes of params;
    no input is changed
    """
    ### BEGIN SOLUTION
    dxs = np.zeros_like(xs)
    grads = {key: np.zeros_like(value) for key, value in params.items()}
    dh_next = np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        h_prev = hs[t - 1] if t > 0 else h0
        dxs[t], dh_next, new = gru_step_backward(dhs[t] + dh_next, xs[t], h_prev, params)
        for key in grads:
            grads[key] += new[key]
    return dxs, dh_next, grads
    ### END SOLUTION


# %% [markdown]
# **By hand.** Set every weight and bias to zero. Then $z = r = 0.5$ and $\tilde h = 0$ at every
# step, the state halves each time, and only the direct path leads back: `dh_prev` is half of what
# arrives. Take two steps from $h_0 = 1$, with $x = 1$ and a gradient of 1 at each state.
#
# | step | state before | arriving `dh` | `da_h` $= 0.5\, \mathrm{d}h$ | `da_z` $= -h_{t-1}\, \mathrm{d}h \cdot 0.25$ | `dh_prev` |
# |---|---|---|---|---|---|
# | 2 | 0.5 | $1$ | 0.5 | −0.125 | 0.5 |
# | 1 | 1 | $1 + 0.5 = 1.5$ | 0.75 | −0.375 | 0.75 |
#
# So `dh0` is 0.75, `b_h` gets $0.5 + 0.75 = 1.25$, `b_z` gets $-0.5$, and `W_z` gets
# $-0.125 \cdot [0.5, 1] - 0.375 \cdot [1, 1] = [-0.4375, -0.5]$.

# %% tags=["skip-execution"]
zeros = {key: np.zeros_like(value) for key, value in tiny.items()}
two_xs, one_h0, two_dhs = np.ones((2, 1, 1)), np.ones((1, 1)), np.ones((2, 1, 1))
two_hs = gru_forward(two_xs, one_h0, zeros)
dxs, dh0, grads = gru_backward(two_xs, one_h0, two_hs, two_dhs, zeros)
print("dh0", dh0, "b_h", grads["b_h"], "b_z", grads["b_z"], "W_z", grads["W_z"])

# %% [markdown]
# <details>
# <summary>Hint 1: in which direction?</summary>
#
# From the last step to the first: `for t in reversed(range(len(xs)))`. One variable travels along,
# the gradient handed back by the step after this one. Before the loop it is zero.
#
# </details>
# <details>
# <summary>Hint 2: what does one step need?</summary>
#
# `gru_step_backward(dh, x, h_prev, params)`. The input is `xs[t]`. The gradient is what the loss
# sends to this state plus what travels along. The state *before* step t is `hs[t - 1]`. Careful
# with the first step: `hs[-1]` is no error in Python, it is the last state.
#
# </details>
# <details>
# <summary>Hint 3: what becomes of the three results?</summary>
#
# `dx` is stored in `dxs[t]`. `dh_prev` replaces the variable that travels along. The entries of
# `grads` are added to running sums that start as arrays of zeros.
#
# </details>
# <details>
# <summary>Hint 4: almost there</summary>
#
# Before the loop: `dxs = np.zeros_like(xs)`, `grads = {key: np.zeros_like(value) for key, value in
# params.items()}`, `dh_next = np.zeros_like(h0)`. In the loop: `h_prev = hs[t - 1] if t > 0 else
# h0`, one call with `dhs[t] + dh_next`, then `grads[key] += new[key]` for every key. After the
# loop, what travels along is `dh0`.
#
# </details>
#
# Expected error of a right answer: about 1e-15, and not much more after sixty steps. Allowed
# deviation: {{tolerance gru_backward}}.

# %% nbgrader={"grade": true, "grade_id": "check-gru_backward", "locked": true, "schema_version": 3, "solution": false}
check(gru_backward)

# %% [markdown]
# **What you can do with it.** Not graded. How much of a gradient at the last of fifty states gets
# back to $h_0$? Try three values for the bias of the update gate. Guess first: which one keeps
# most?

# %% tags=["skip-execution"]
rng = np.random.default_rng(0)
T, B, D, H = 50, 8, 4, 16
for bias in (2.0, 0.0, -4.0):
    params = {f"W_{g}": rng.normal(size=(H, H + D)) / np.sqrt(H + D) for g in "zrh"}
    params |= {"b_z": np.full(H, bias), "b_r": np.zeros(H), "b_h": np.zeros(H)}
    xs, h0 = rng.normal(size=(T, B, D)), np.zeros((B, H))
    dhs = np.zeros((T, B, H))
    dhs[-1] = rng.normal(size=(B, H))
    dh0 = gru_backward(xs, h0, gru_forward(xs, h0, params), dhs, params)[1]
    print(f"b_z = {bias:4}: {np.linalg.norm(dh0) / np.linalg.norm(dhs[-1]):.1e} of it arrives")

# %% [markdown]
# <details>
# <summary>What to see</summary>
#
# A closed gate, $b_z = -4$, keeps by far the most, about a third: there $z$ is about 0.02, so the
# direct path alone multiplies by about 0.98 per step, and $0.98^{50} \approx 0.36$. With
# $z$ near 1 every step sends the gradient through tanh and a matrix, and after fifty of them next
# to nothing is left. Nobody has to set $z$ by hand: the cell can learn to close the gate where it
# pays to remember.
#
# </details>
#
# ## 3. In your own words
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Question: alive, and possibly wrong</strong></p>
#
# 20 minutes · difficulty 3 of 5 · {{points alive-and-wrong}}, graded by a person
#
# **(a)** Suppose $z$ is near 0 in all units for a hundred steps. Which term of `dh_prev` keeps the
# gradient alive, and why does it shrink so much less than the gradient of a vanilla RNN does? What
# do the cell's own weights get in such a step?
#
# **(b)** Somebody's `dz` has the wrong sign: `(h_prev - candidate) * dh`. Everything else is right.
# What would you see in training, and how would you find the mistake without this notebook's check?
#
# Six to twelve sentences; formulas are welcome.
#
# </div>

# %% [markdown] nbgrader={"grade": true, "grade_id": "alive-and-wrong", "locked": false, "points": 4, "schema_version": 3, "solution": true}
# **Model answer.** (a) The direct term, $(1 - z) * \mathrm{d}h$. It multiplies by $1 - z$, close
# to 1, and by nothing else: no weight matrix and no slope of a squashing function. Over a hundred
# steps the factor is the product of the $1 - z_t$, for instance $0.99^{100} \approx 0.37$. In a
# vanilla RNN every step multiplies by $W_h$ and by $\tanh' \le 1$, which over a hundred steps
# vanishes or explodes unless the matrix happens to be just right. The price: in such a step the
# candidate's weights (and with them the reset gate's) get a gradient with the factor $z \approx 0$,
# and the update gate's own weights one with the factor $z(1 - z) \approx 0$. So what is remembered
# gets through, but the cell learns little *at* those steps; a gate that is shut completely is hard
# to open again.
#
# (b) There is no error message, and training does not simply climb: `W_h`, `b_h`, everything that
# does not pass through z at this step still gets a right gradient, so the loss usually falls at
# first. But $W_z$ and $b_z$ go uphill: the gate opens where it should close and closes where it
# should open, and through `dh_prev` and `dx` the error spreads to earlier steps. One sees a loss
# that falls more slowly, gets stuck at a worse value or rises again later, and tasks with long
# memory fail. It looks like a poor learning rate. To find it: compare every parameter's gradient
# with finite differences (or autograd) on a tiny GRU in float64, with random weights, non-zero
# state and biases. Those of $W_z$ and $b_z$ come out exactly negated, those of $W_h$ in a single
# step agree, and that points at the line.
#
# **Rubric, 4 points.** One point each, half points allowed:
#
# 1. *The term.* Names $(1 - z) * \mathrm{d}h$ and says that its factor is near 1.
# 2. *Why it survives, and the price.* No weight matrix and no slope on this path, so the product
#    over time is that of the $1 - z$ (half a point); the weights of candidate or gates get almost no
#    gradient there, through $z$ or $z(1 - z)$ (half a point).
# 3. *What it looks like.* Says that training goes on without an error message, partly working
#    (slower, stuck, worse on long memory), **because** the other paths are right while the update
#    gate is pushed the wrong way. "Training diverges" without a reason earns nothing here; with a
#    reason it earns half a point.
# 4. *How to find it.* A gradient check against finite differences or autograd, parameter by
#    parameter. Half a point for "compare gradients" without saying that it is done per parameter
#    or on what kind of input.
#
# Do not take points off for language or length. The numerical example in (a) is not required.
#
# **Graded sample A, 4 of 4.** "(a) dh_prev has four parts and with z = 0 three of them are
# multiplied by something tiny. What stays is (1−z)·dh, which is almost dh. Per step it is only
# scaled by 1−z, e.g. 0.99, and there is no W and no tanh' in it, so after 100 steps there is still
# 0.99^100 = 0.37, while an RNN has W·tanh' a hundred times. But W_h gets z·(...) and W_z gets
# z(1−z)·(...), both nearly zero, so these weights do not learn in such steps. (b) The loss will go
# down for a while since the candidate is trained correctly. Only the update gate learns the
# opposite of what it should, so the net can't learn what to keep, and it will be stuck somewhere.
# You can do a gradient check with (L(w+e)−L(w−e))/2e for each weight on a small random GRU; you will
# see that for W_z all numbers have the wrong sign." *Comment: all four points.*
#
# **Graded sample B, 2 of 4.** "(a) The term with 1−z, because if z is 0 then 1−z is 1 and the
# gradient is copied. In an RNN it would be multiplied by the weights each time and vanish. (b) If a
# sign is wrong the loss goes up instead of down, because gradient descent becomes gradient ascent. I
# would print the gradients and compare them with PyTorch's." *Comment: point 1 earned. Point 2:
# half, since the product without weights is seen, but nothing is said about what the cell's weights
# get. Point 3: nothing; only the update gate ascends, all else descends, so the loss does not
# simply go up. Point 4: half, a comparison with autograd, but no word on comparing parameter by
# parameter or on the inputs.*

# %% [markdown]
# ## What you can do now
#
# - Take any cell's equations and write its backward pass, one rule per operation, with shapes as a
#   safety net.
# - Name the four ways a gradient leads from $h_t$ back to $h_{t-1}$, and say which one is short.
# - Write backpropagation through time: what arrives, what is handed on, what is added up.
# - Test a gradient: exact formulas agree to 1e-15, finite differences to 1e-10, wrong ones not at
#   all.
#
# **If a check is not green yet**, look at its list of what is off and what is right. If all
# parameters are right and `dh_prev` is off, only its sum of four terms can be wrong. If `W_h` is
# right and `W_r` is off, the mistake lies between the two. Fix the step before the sequence: a
# mistake in the step shows in both. Asking for help? Paste the check's message; it contains
# everything somebody needs to help you, and no solution.
#
# **What to read next.** The self-check questions at the end of
# [Gradients through gates](../../book/gru/gradients-through-gates.md), and the [bibliography](../../book/back/bibliography.md) for the papers on vanishing
# gradients.
