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
# # Build a vanilla RNN, and watch its gradient vanish
#
# You write the simplest recurrent net from its one equation, run it through time, and send a
# gradient all the way back by hand. Then you measure what is left of that gradient after each step.
# At the end you know in numbers how far back such a net can learn, and what clipping can do about it.
# (Learning to hold something and holding it are two things; the second chapter keeps them apart.)
#
# About two hours in six short steps, {{points rnn}}. The chapters
# [The vanilla RNN](../../book/memory/vanilla-rnn.md) and
# [Why it forgets](../../book/memory/why-it-forgets.md) explain every equation used here.
#
# **How to work.** Write your code where it says `YOUR CODE HERE`, replace the line that raises
# `NotImplementedError`, run the cell, and run the `check` below it. The check draws its own inputs
# and tells you what it tried. When the answer is wrong, it says where it first differs and, if it
# is a mistake we have met before, which one. Run it as often as you like.
#
# **How points are counted.** A check tries several *kinds of input* (ordinary sizes, a batch of
# one, large numbers and so on) and, where an answer has parts, the parts one by one. All right is all
# points. Else you keep the share that came out right, and at most three quarters; an untouched cell
# is worth nothing. **One mistake costs once:** where a function calls another one of yours that is
# not right yet, it is tried again with a right one in its place, and keeps what it then earns.
#
# **What you may use.** NumPy, torch's elementary operations and the standard library. Writing the
# equations is the exercise: `torch.nn.RNN` and other recurrent layers are recognized and earn
# nothing, and neither does `torch.autograd` where you are asked for a gradient.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false} tags=["hide-input"]
# {{setup}}
import numpy as np

from autograder import check

Params = dict[str, np.ndarray]

# %% [markdown]
# ## What you are given
#
# Shapes are the same in the whole course: batch `B`, time `T`, input size `D`, hidden size `H`. One
# example is a batch of one, never a bare vector.
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input of this step |
# | `h_prev` | $h_{t-1}$ | (B, H) | state before this step |
# | `params["W_h"]` | $W_h$ | (H, H + D) | weights, the columns for the state first |
# | `params["b_h"]` | $b_h$ | (H,) | biases |
#
# $W_h$ is two blocks side by side: the first H columns, the **recurrent block** $W_{hh}$ of shape
# (H, H), meet the old state; the last D columns, the input block $W_{hx}$ of shape (H, D), meet the
# input.
#
# One tiny net serves the first examples: one input feature, two units, one example.
#
# | $a$ | −1 | 0 | 1 |
# |---|---|---|---|
# | $\tanh(a)$ | −0.7616 | 0 | 0.7616 |

# %% nbgrader={"grade": false, "grade_id": "tiny-example", "locked": true, "schema_version": 3, "solution": false}
tiny = {
    "W_h": np.array([[2.0, 0.0, 0.5], [-2.0, 4.0, 1.0]]),
    "b_h": np.array([-0.5, 2.0]),
}
tiny_x = np.array([[1.0]])
tiny_h = np.array([[0.5, -0.5]])

# %% [markdown]
# ## 1. One step
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 1: <code>rnn_step</code></strong></p>
#
# 10 minutes · difficulty 1 of 5 · {{points rnn_step}}
#
# Why it matters: one line makes a net that remembers. The LSTM and the GRU are this line with
# gates around it.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input |
# | `h_prev` | $h_{t-1}$ | (B, H) | old state |
# | result | $h_t$ | (B, H) | new state, each entry in (−1, 1) |
#
# $$h_t = \tanh\left([h_{t-1}, x_t]\, W_h^\top + b_h\right)$$
#
# $[h_{t-1}, x_t]$ is the old state and the input side by side, shape (B, H + D), **hidden part
# first**. Reread: [one step of the net](../../book/memory/vanilla-rnn.md#rnn-step).


# %% nbgrader={"grade": false, "grade_id": "rnn_step", "locked": false, "schema_version": 3, "solution": true}
def rnn_step(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """One step of the vanilla RNN.

    x: (B, D), h_prev: (B, H), params["W_h"]: (H, H + D), params["b_h"]: (H,)
    returns h: (B, H), float64, each entry in (-1, 1)
    """
    ### BEGIN SOLUTION
    joined = np.concatenate([h_prev, x], axis=1)
    return np.tanh(joined @ params["W_h"].T + params["b_h"])
    ### END SOLUTION


# %% [markdown]
# **By hand.** The joined row is $[0.5, -0.5, 1]$. Unit 1: $1 + 0 + 0.5 - 0.5 = 1$. Unit 2:
# $-1 - 2 + 1 + 2 = 0$. So you should see `[[0.7616 0.    ]]`.

# %% tags=["skip-execution"]
print(rnn_step(tiny_x, tiny_h, tiny).round(4))

# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# Make one array of shape (B, H + D) out of `h_prev` and `x`. The order is in the equation.
#
# </details>
# <details>
# <summary>Hint 2: which NumPy function joins them?</summary>
#
# `np.concatenate([..., ...], axis=1)` joins along the second axis, the features. The first axis,
# the batch, stays.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# With `joined` of shape (B, H + D) and `W_h` of shape (H, H + D), the product `joined @ W_h.T` has
# shape (B, H). Add the bias, then apply `np.tanh` to the sum.
#
# </details>
#
# The check compares with a torch implementation in float64. Allowed deviation:
# {{tolerance rnn_step}}; a right answer is closer to 1e-16.

# %% nbgrader={"grade": true, "grade_id": "check-rnn_step", "locked": true, "schema_version": 3, "solution": false}
check(rnn_step)

# %% [markdown]
# ## 2. Through time
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 2: <code>rnn_forward</code></strong></p>
#
# 15 minutes · difficulty 2 of 5 · {{points rnn_forward}}
#
# Why it matters: a step becomes a memory only when its output is its next input. The same weights
# serve every step, however long the sequence is.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `xs` | $x_1 \dots x_T$ | (T, B, D) | inputs, time first |
# | `h0` | $h_0$ | (B, H) | state before the first step |
# | result `hs` | $h_1 \dots h_T$ | (T, B, H) | all states, `hs[0]` is $h_1$ |
#
# $$h_t = \mathrm{RNN}(x_t, h_{t-1}), \qquad t = 1, \dots, T$$
#
# $h_0$ itself is not part of the result. $T$ is at least 1.
# Reread: [through time](../../book/memory/vanilla-rnn.md#rnn-through-time).


# %% nbgrader={"grade": false, "grade_id": "rnn_forward", "locked": false, "schema_version": 3, "solution": true}
def rnn_forward(xs: np.ndarray, h0: np.ndarray, params: Params) -> np.ndarray:
    """All states of a sequence.

    xs: (T, B, D), h0: (B, H), params: W_h and b_h
    returns hs: (T, B, H), float64, hs[t] is the state after xs[t]
    """
    ### BEGIN SOLUTION
    hs = []
    h = h0
    for x in xs:
        h = rnn_step(x, h, params)
        hs.append(h)
    return np.stack(hs)
    ### END SOLUTION


# %% [markdown]
# **By hand.** One unit whose recurrent weight is 0, input weight 1, bias 0 keeps nothing: its states
# are $\tanh(x_t)$. With recurrent weight 1 and inputs $1, 0, 0$ it keeps a trace:
# $\tanh(0 + 1) = 0.7616$, then $\tanh(0.7616) = 0.642$, then $\tanh(0.642) = 0.5663$. You should see
# `[0.7616 0.642  0.5663]`.

# %% tags=["skip-execution"]
trace = {"W_h": np.array([[1.0, 1.0]]), "b_h": np.array([0.0])}
one_then_nothing = np.array([1.0, 0.0, 0.0]).reshape(3, 1, 1)
print(rnn_forward(one_then_nothing, np.zeros((1, 1)), trace).ravel().round(4))

# %% [markdown]
# <details>
# <summary>Hint 1: how do I walk through time?</summary>
#
# `for x in xs` gives one step after the other, each of shape (B, D).
#
# </details>
# <details>
# <summary>Hint 2: what has to survive from one step to the next?</summary>
#
# One variable, say `h`. It starts as `h0` and is replaced by the result of `rnn_step` in every round.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# Append each new `h` to a list. After the loop, `np.stack` turns T arrays of shape (B, H) into one
# of shape (T, B, H).
#
# </details>
#
# Allowed deviation: {{tolerance rnn_forward}}, also after sixty steps.

# %% nbgrader={"grade": true, "grade_id": "check-rnn_forward", "locked": true, "schema_version": 3, "solution": false}
check(rnn_forward)

# %% [markdown]
# ## 3. Backward through time
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 3: <code>rnn_backward</code></strong></p>
#
# 40 minutes · difficulty 4 of 5 · {{points rnn_backward}}
#
# Why it matters: training is nothing but this function, called again and again. Once you have
# written it, "the gradient vanishes" is no longer a saying but a line of your own code.
#
# </div>
#
# Let $L$ be a number computed from the **last** state, a loss for instance. You get its gradient
# there, `dh_last` = $\partial L / \partial h_T$, and return its gradient at everything that went into
# $h_T$. A gradient has the same shape as what it is the gradient of. In code its name is `d` plus
# that name.
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `xs`, `h0` | $x_1 \dots x_T$, $h_0$ | (T, B, D), (B, H) | what the forward pass was given |
# | `hs` | $h_1 \dots h_T$ | (T, B, H) | what it returned |
# | `dh_last` | $\partial L / \partial h_T$ | (B, H) | gradient that arrives at the last state |
# | result `dxs` | $\partial L / \partial x_t$ | (T, B, D) | gradient at each input |
# | result `dh0` | $\partial L / \partial h_0$ | (B, H) | gradient at the first state |
# | result `grads` | $\partial L / \partial W_h$, $\partial L / \partial b_h$ | as the parameters | a dict with the keys of `params` |
#
# Three rules carry you through one step. Each says what to do with the gradient `dy` that arrives at
# a result `y`:
#
# | forward | backward |
# |---|---|
# | `y = np.tanh(a)` | `da = dy * (1 - y**2)` |
# | `y = v @ W.T + b` | `dv = dy @ W`, `dW = dy.T @ v`, `db = dy.sum(axis=0)` |
# | something is used in several places | add up what comes back from each |
#
# With $a_t$ for the weighted sum inside the tanh, and $*$ for the product entry by entry, one step
# backward is
#
# $$\mathrm{d}a_t = \mathrm{d}h_t * (1 - h_t^2)$$
#
# $$[\mathrm{d}h_{t-1}, \mathrm{d}x_t] = \mathrm{d}a_t\, W_h$$
#
# and its contribution to the parameters is
#
# $$\mathrm{d}a_t^\top\, [h_{t-1}, x_t] \quad\text{for } W_h, \qquad
# \textstyle\sum_{\text{batch}} \mathrm{d}a_t \quad\text{for } b_h$$
#
# All steps and all examples share $W_h$ and $b_h$, so by the third rule their contributions **add
# up**. Only the last state is looked at by the loss, so nothing arrives at the others but what you
# send back yourself. Reread:
# [backpropagation through time](../../book/memory/why-it-forgets.md#rnn-backward).


# %% nbgrader={"grade": false, "grade_id": "rnn_backward", "locked": false, "schema_version": 3, "solution": true}
def rnn_backward(
    xs: np.ndarray, h0: np.ndarray, hs: np.ndarray, dh_last: np.ndarray, params: Params
) -> tuple[np.ndarray, np.ndarray, Params]:
    """Backpropagation through time, from a gradient at the last state.

    xs: (T, B, D), h0: (B, H), hs: (T, B, H) from rnn_forward, dh_last: (B, H)
    returns dxs: (T, B, D), dh0: (B, H) and grads, a dict with W_h: (H, H + D) and b_h: (H,),
    summed over time and batch; no input is changed
    """
    ### BEGIN SOLUTION
    H = h0.shape[1]
    dxs = np.zeros_like(xs)
    grads = {"W_h": np.zeros_like(params["W_h"]), "b_h": np.zeros_like(params["b_h"])}
    dh = dh_last
    for t in reversed(range(len(xs))):
        h_prev = hs[t - 1] if t > 0 else h0
        da = dh * (1 - hs[t] ** 2)
        grads["W_h"] += da.T @ np.concatenate([h_prev, xs[t]], axis=1)
        grads["b_h"] += da.sum(axis=0)
        back = da @ params["W_h"]
        dh = back[:, :H]
        dxs[t] = back[:, H:]
    return dxs, dh, grads
    ### END SOLUTION


# %% [markdown]
# **By hand.** One unit, one feature, two steps, with recurrent weight 0.5, input weight 2, bias 0.
# The inputs are chosen so that $h_1 = 0$ and $h_2 = 0.5$, from $h_0 = 0.4$. A gradient of 1 arrives
# at $h_2$.
#
# | step | `da` | `dx` | `dh` handed back | adds to `W_h` | adds to `b_h` |
# |---|---|---|---|---|---|
# | 2 | $1 \cdot (1 - 0.25) = 0.75$ | $0.75 \cdot 2 = 1.5$ | $0.75 \cdot 0.5 = 0.375$ | $0.75 \cdot [0, 0.2747]$ | 0.75 |
# | 1 | $0.375 \cdot (1 - 0) = 0.375$ | 0.75 | 0.1875 | $0.375 \cdot [0.4, -0.1]$ | 0.375 |
#
# So you should see `dxs [0.75 1.5 ]`, `dh0 [0.1875]`, `W_h [0.15   0.1685]` and `b_h [1.125]`.

# %% tags=["skip-execution"]
two_steps = {"W_h": np.array([[0.5, 2.0]]), "b_h": np.array([0.0])}
two_xs = np.array([-0.1, np.arctanh(0.5) / 2]).reshape(2, 1, 1)
two_hs = np.array([0.0, 0.5]).reshape(2, 1, 1)
dxs, dh0, grads = rnn_backward(two_xs, np.array([[0.4]]), two_hs, np.array([[1.0]]), two_steps)
print("dxs", dxs.ravel().round(4), "dh0", dh0.ravel().round(4))
for key, value in grads.items():
    print(key, value.ravel().round(4))

# %% [markdown]
# This example has $B = H = D = 1$, so it cannot see a forgotten sum over the batch or a transposed
# matrix. The check can.
#
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# At the end: `for t in reversed(range(len(xs)))`. One variable, `dh`, holds what has arrived at
# $h_t$. Before the loop it is `dh_last`.
#
# </details>
# <details>
# <summary>Hint 2: what happens inside one step?</summary>
#
# First through the tanh: `da = dh * (1 - hs[t]**2)`. Then through the weighted sum: one product,
# `da @ W_h` of shape (B, H + D), holds both the gradient at the old state and the gradient at the
# input. Which columns are which?
#
# </details>
# <details>
# <summary>Hint 3: what was the state before step t?</summary>
#
# `hs[t - 1]`, except for the first step, where it was `h0`. Mind that `hs[-1]` is no error in Python:
# it is the last state.
#
# </details>
# <details>
# <summary>Hint 4: how do the parameters' gradients add up?</summary>
#
# Start with arrays of zeros of their shapes and use `+=` in every round. `da.T @ joined` has already
# summed over the batch; for the bias you sum `da` over axis 0.
#
# </details>
# <details>
# <summary>Hint 5: almost there</summary>
#
# In every round: `h_prev`, `da`, two `+=`, `back = da @ params["W_h"]`, then `dh = back[:, :H]` for
# the next round and `dxs[t] = back[:, H:]`. After the loop, what is left in `dh` is the gradient at
# $h_0$.
#
# </details>
#
# The check compares with torch autograd in float64. Expected error of a right answer: about 1e-15.
# Allowed deviation: {{tolerance rnn_backward}}. Finite differences are a fine way to *test* your
# formulas, but as an answer they are not exact enough: they are off by 1e-11 and more. The check
# also looks at `dxs`, `dh0` and each parameter alone, so it can tell you which of them is off.

# %% nbgrader={"grade": true, "grade_id": "check-rnn_backward", "locked": true, "schema_version": 3, "solution": false}
check(rnn_backward)

# %% [markdown]
# ## 4. What is left of the gradient
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 4: <code>gradient_by_lag</code></strong></p>
#
# 25 minutes · difficulty 3 of 5 · {{points gradient_by_lag}}
#
# Why it matters: this is the measurement behind the most quoted sentence about recurrent nets. You
# will use it on other cells too, and see what gates change.
#
# </div>
#
# How strongly does the last state depend on the state $k$ steps earlier? The derivative of one with
# respect to the other is a matrix, the Jacobian. For a single step, entry $(i, j)$ says how much unit
# $i$ of the new state changes with unit $j$ of the old one:
#
# $$J_t = \frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t^2)\; W_{hh}$$
#
# Row $i$ of the recurrent block is scaled by the slope of unit $i$. Over $k$ steps the chain rule
# multiplies:
#
# $$\frac{\partial h_T}{\partial h_{T-k}} = J_T\, J_{T-1} \cdots J_{T-k+1}$$
#
# One number says how much the product can stretch a vector: its **spectral norm**, the largest
# singular value. At lag 0 the product is the identity, with norm 1.
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `hs` | $h_1 \dots h_T$ | (T, B, H) | states |
# | `params["W_h"]` | $W_h$ | (H, H + D) | its first H columns are $W_{hh}$ |
# | result | | (T,) | entry k: the norm at lag k, one per example, averaged over the batch |
#
# A small norm says that nothing can be *learned* from that far back. It does not say that the state has
# lost what was there: a unit that has snapped to 1 or −1 may hold its bit, and its norm is near 0.
#
# The inputs are not needed: all they did is in the states. Reread:
# [the gradient against the lag](../../book/memory/why-it-forgets.md#gradient-by-lag).


# %% nbgrader={"grade": false, "grade_id": "gradient_by_lag", "locked": false, "schema_version": 3, "solution": true}
def gradient_by_lag(hs: np.ndarray, params: Params) -> np.ndarray:
    """How much of a small change of an earlier state reaches the last one.

    hs: (T, B, H), params["W_h"]: (H, H + D)
    returns norms: (T,), float64; norms[k] is the spectral norm of dh_T/dh_(T-k), averaged
    over the batch, so norms[0] is 1
    """
    ### BEGIN SOLUTION
    T, B, H = hs.shape
    recurrent = params["W_h"][:, :H]
    product = np.tile(np.eye(H), (B, 1, 1))
    norms = [1.0]
    for t in range(T - 1, 0, -1):
        jacobian = (1 - hs[t] ** 2)[:, :, None] * recurrent
        product = product @ jacobian
        norms.append(np.linalg.norm(product, 2, axis=(1, 2)).mean())
    return np.array(norms)
    ### END SOLUTION


# %% [markdown]
# **By hand.** Two units that do not talk to each other: $W_{hh} = \mathrm{diag}(0.5, 2)$, three
# states. The last state is $[0, 0.9487]$, so its slopes are $[1, 0.1]$; the two before are zero, with
# slopes 1. For a diagonal matrix the spectral norm is the largest absolute entry.
#
# | lag | product | norm |
# |---|---|---|
# | 0 | $\mathrm{diag}(1, 1)$ | 1 |
# | 1 | $\mathrm{diag}(0.5, 0.2)$ | 0.5 |
# | 2 | $\mathrm{diag}(0.5 \cdot 0.5,\; 0.2 \cdot 2) = \mathrm{diag}(0.25, 0.4)$ | 0.4 |
#
# You should see `[1.  0.5 0.4]`. Multiplying the norms of the single steps instead would give
# $0.5 \cdot 2 = 1$ at lag 2: an upper bound, and a poor one.

# %% tags=["skip-execution"]
apart = {"W_h": np.array([[0.5, 0.0, 1.0], [0.0, 2.0, 1.0]]), "b_h": np.zeros(2)}
three_hs = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, np.sqrt(0.9)]]).reshape(3, 1, 2)
print(gradient_by_lag(three_hs, apart).round(4))

# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# With the identity matrix and lag 0. Then walk back from the last state: one more Jacobian for each
# lag, T − 1 of them in all.
#
# </details>
# <details>
# <summary>Hint 2: which state belongs to which Jacobian?</summary>
#
# The slope is that of the state the step arrives at. From lag 0 to lag 1 you need the step from
# $h_{T-1}$ to $h_T$, so `hs[T - 1]`. The last Jacobian uses `hs[1]`; `hs[0]` is never needed.
#
# </details>
# <details>
# <summary>Hint 3: how do I scale rows?</summary>
#
# For one example, `(1 - h**2)[:, None] * W_hh` scales row i by entry i. For the whole batch at once,
# `(1 - hs[t]**2)[:, :, None] * W_hh` has shape (B, H, H), and `@` multiplies matrix by matrix. A loop
# over the examples is just as right.
#
# </details>
# <details>
# <summary>Hint 4: almost there</summary>
#
# `product = product @ jacobian`, new factors from the right. The norms of a whole batch are
# `np.linalg.norm(product, 2, axis=(1, 2))`; without the 2 NumPy gives another norm. Take the norm of
# each example first and the mean afterwards.
#
# </details>
#
# The check compares with a torch implementation in float64, also where the gradient vanishes over
# sixty steps or grows a thousandfold over thirty. Expected error: about 1e-15, relative to the
# number where that is above 1. Allowed deviation: {{tolerance gradient_by_lag}}.

# %% nbgrader={"grade": true, "grade_id": "check-gradient_by_lag", "locked": true, "schema_version": 3, "solution": false}
check(gradient_by_lag)

# %% [markdown]
# **Look at it.** Not graded. A net of 16 units reads 50 steps of noise. The recurrent block is a random
# orthogonal matrix times `scale`, so that without the tanh a gradient would be multiplied by exactly
# `scale` in each step. Guess first: what is left at lag 49 for the scales 1.0 and 1.3? Without the tanh it
# would be 1 and 380,000.

# %% tags=["skip-execution"]
rng = np.random.default_rng(0)
T, B, D, H = 50, 2, 3, 16
orthogonal = np.linalg.qr(rng.standard_normal((H, H)))[0]
noise = rng.standard_normal((T, B, D))
for scale in (0.5, 0.9, 1.0, 1.3):
    net = {
        "W_h": np.concatenate([scale * orthogonal, 0.3 * rng.standard_normal((H, D))], axis=1),
        "b_h": np.zeros(H),
    }
    norms = gradient_by_lag(rnn_forward(noise, np.zeros((B, H)), net), net)
    print(f"scale {scale}: lag 1 {norms[1]:.2f}, lag 10 {norms[10]:.1e}, lag 49 {norms[49]:.1e}")

# %% [markdown]
# <details>
# <summary>What it shows</summary>
#
# At scale 1.0 the slopes of tanh alone take the gradient down to about 2e-5, and even at 1.3 it is about two
# hundredths: where a gradient would grow, large states push the tanh flat, and its slopes pull the gradient
# down. Now multiply `noise` by 0.01 and run the cell again. The states stay small, the slopes near 1,
# and you see both: at scale 1.0 a gradient that lasts, at 1.3 one that explodes.
#
# </details>
#
# ## 5. Clipping
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 5: <code>clip_gradients</code></strong></p>
#
# 15 minutes · difficulty 2 of 5 · {{points clip_gradients}}
#
# Why it matters: one exploded gradient can undo hours of training in a single update. Every recipe
# for training recurrent nets has this function in it.
#
# </div>
#
# Think of all gradients together as one long arrow. Clipping shortens it to length `max_norm` if it is
# longer, and **keeps its direction**. So there is one norm and one factor for all arrays:
#
# $$\text{norm} = \sqrt{\textstyle\sum (\text{every entry of every array})^2}$$
#
# $$g \leftarrow g \cdot \min\left(1, \frac{\text{max norm}}{\text{norm}}\right)$$
#
# | code name | shape | meaning |
# |---|---|---|
# | `grads` | any dict of arrays | gradients; the names and shapes are up to the caller |
# | `max_norm` | positive number | the longest arrow allowed |
# | result | the same keys and shapes | a **new** dict; the given one and its arrays stay as they are |
#
# Gradients that are short enough come back as they are; they are never made longer. Nothing is added
# to the norm (PyTorch adds 1e-6), and gradients that are all zero come back as zeros. Reread:
# [when it explodes](../../book/memory/why-it-forgets.md#clipping).


# %% nbgrader={"grade": false, "grade_id": "clip_gradients", "locked": false, "schema_version": 3, "solution": true}
def clip_gradients(grads: Params, max_norm: float) -> Params:
    """The gradients, scaled down together where their global norm exceeds max_norm.

    grads: a dict of arrays of any shape, left unchanged; max_norm > 0
    returns a new dict with the same keys and shapes
    """
    ### BEGIN SOLUTION
    norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    factor = max_norm / norm if norm > max_norm else 1.0
    return {key: g * factor for key, g in grads.items()}
    ### END SOLUTION


# %% [markdown]
# **By hand.** The entries 3, 4 and 12 give the norm $\sqrt{9 + 16 + 144} = 13$. With `max_norm` 6.5
# everything is halved; with 20 nothing changes. So you should see `[1.5 2. ] [6.]`, then
# `[3. 4.] [12.]`.

# %% tags=["skip-execution"]
long_arrow = {"W_h": np.array([3.0, 4.0]), "b_h": np.array([12.0])}
for max_norm in (6.5, 20.0):
    clipped = clip_gradients(long_arrow, max_norm)
    print(clipped["W_h"], clipped["b_h"])

# %% [markdown]
# <details>
# <summary>Hint 1: how do I get one norm out of many arrays?</summary>
#
# `np.sum(g**2)` adds the squares of one array, whatever its shape. Add those numbers over
# `grads.values()`, then take one square root.
#
# </details>
# <details>
# <summary>Hint 2: what about a norm of zero?</summary>
#
# Only divide when the norm is above `max_norm`; then it cannot be zero.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# A factor, either `max_norm / norm` or 1, and `{key: g * factor for key, g in grads.items()}`. `g * factor`
# makes a new array; `g *= factor` would change the caller's.
#
# </details>
#
# Allowed deviation: {{tolerance clip_gradients}}; expected: about 1e-16.

# %% nbgrader={"grade": true, "grade_id": "check-clip_gradients", "locked": true, "schema_version": 3, "solution": false}
check(clip_gradients)

# %% [markdown]
# ## 6. In your own words
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Question: clipping the other way</strong></p>
#
# 15 minutes · difficulty 3 of 5 · {{points why-not-scale-up}}, graded by a person
#
# A classmate says: "Clipping cures exploding gradients by making long ones shorter. So let us cure
# vanishing gradients the same way: whenever the norm is below `max_norm`, scale the gradient **up**
# to `max_norm`. Then the net will remember things from 50 steps ago."
#
# **Why does clipping work, and why does this not?** Say what one common factor does to a gradient
# and what it leaves alone. Remember that `grads["W_h"]` is a sum over all steps, and use numbers from
# your `gradient_by_lag`. Then name one change to the *net* that does help, and why. Five to ten
# sentences; formulas are welcome.
#
# </div>

# %% [markdown] nbgrader={"grade": true, "grade_id": "why-not-scale-up", "locked": false, "points": 4, "schema_version": 3, "solution": true}
# **Model answer.** A common factor changes the length of the gradient and leaves its direction alone.
# An exploded gradient often still points downhill; it is only far too long, so that one update
# throws the weights away. Making it shorter is all that is needed. A vanished gradient is a different
# illness. The gradient of $W_h$ is a sum over steps, $\sum_t \mathrm{d}a_t^\top [h_{t-1}, x_t]$, and
# $\mathrm{d}a_t$ contains the product of Jacobians from $T$ back to $t$. In my measurement at
# scale 0.9 the norm falls from 1 to $1.4 \cdot 10^{-7}$ at lag 49. So that step contributes about
# $10^{-7}$ of what the last step does. A common factor multiplies both, and the share stays
# $10^{-7}$; at scale 0.5 it is $10^{-18}$, which float32 loses in rounding before any factor is applied. The scaled gradient
# would point where the last few steps point, only longer. It would also make every update long, near
# a minimum too, where the gradient is small because nothing is left to do, so training would never
# settle. What helps is to change the product: a path on which the state is carried on by addition
# or through a gate near 1, as in an LSTM or GRU, has Jacobians near the identity, so distant steps
# keep their share. (An orthogonal recurrent block keeps the product's norm for a while, for the
# same reason.)
#
# **Rubric, 4 points.** One point each, half points allowed:
#
# 1. *Clipping.* One factor keeps the direction and limits the length; that suffices when only the
#    length is wrong.
# 2. *Proportions.* The gradient is a sum over steps (or lags), and a common factor leaves the share
#    of the distant steps as small as it was.
# 3. *Numbers.* Uses measured or computed values for that share, of the right order of magnitude and
#    with the lag stated; or derives the geometric decay. "Very small" alone earns nothing here.
# 4. *The net.* Names a change that acts on the Jacobians (additive path, gates, forget bias,
#    orthogonal or identity initialization, skip connections) and says why distant steps keep their
#    share. "Use an LSTM" without a reason: half a point.
#
# An answer that shows the harm of scaling up near a minimum, instead of point 1's second half, earns
# that point. Do not take points off for language or length.
#
# **Graded sample A, 4 of 4.** "If you multiply the gradient by a number it points in the same
# direction. For exploding that is great: the direction is OK and the step is too long. For vanishing
# the problem is not that the total is short. dW is the sum of T terms. At scale 0.9 my lag 10 norm
# is about 0.08 and lag 49 about 1e-7. If I multiply dW by ten million, the lag 49 term is 1 and the lag
# 0 term is ten million, so the update is still all about the recent past. You need J close to
# the identity. An LSTM with f near 1 does c = f*c + ..., so dc/dc_prev = f, and the product of 50 f's
# is not small." *Comment: all four points; the figures are of the right order.*
#
# **Graded sample B, 2 of 4.** "Clipping only makes the gradient smaller but keeps the direction. If we
# scale up small gradients, we also scale up noise and when we are at the minimum it would jump away
# from it. The information from 50 steps ago is already lost in the gradient because it vanished, so
# we should use an LSTM or GRU because they have gates." *Comment: point 1 in full. Point 2: "already
# lost" is half of it, since what matters is the share in the sum; half a point. Point 3: no number.
# Point 4: no reason why gates help; half a point.*

# %% [markdown]
# ## What you can do now
#
# - Write a vanilla RNN forward and backward, with every gradient summed where weights are shared.
# - Say why a gradient shrinks or grows with lag, and measure by how much.
# - Tell the bound from the fact: a product of norms is not the norm of the product.
# - Clip gradients by their global norm, and say what clipping cannot do.
#
# **If a check is not green yet**, read its message from the top: the first difference usually
# explains the rest. Fix the step before the sequence. The backward pass needs neither of your
# functions, only its own inputs. Asking for help? Paste the check's message; it contains everything
# somebody needs to help you, and no solution.
#
# **What to read next.** Part II of the book, on the LSTM, changes one thing about the product of
# Jacobians you have measured. The assignment `lstm` builds it.
