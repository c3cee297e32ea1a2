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
# # Build a GRU
#
# You write a gated recurrent unit from its equations: two gates and one state in NumPy, then the
# dialect PyTorch speaks, then a layer that loads PyTorch's own weights and runs on a GPU.
# At the end you can say exactly where your GRU and `torch.nn.GRU` part ways, and why.
#
# About two and a half hours in ten short steps, {{points gru}}. The chapter
# [Two gates, one state](../../book/gru/two-gates.md) explains every equation used here.
#
# **How to work.** Write your code where it says `YOUR CODE HERE`, replace the line that raises
# `NotImplementedError`, run the cell, and run the `check` below it. The check draws its own inputs
# and tells you what it tried. When the answer is wrong, it says where it first differs and, if it
# is a mistake we have met before, which one. Run it as often as you like.
#
# **How points are counted.** A check tries several *kinds of input* (ordinary sizes, a batch of
# one, large numbers and so on) and, where a step has parts, the parts one by one. All right is all
# points. Else you keep the share that came out right, and at most three quarters; an untouched cell
# is worth nothing. **One mistake costs once:** where a function calls another one of yours that is
# not right yet, it is tried again with a right one in its place, and keeps what it then earns.
#
# **What you may use.** NumPy, torch and the standard library. Writing the equations is the
# exercise: a call to `torch.nn.GRU`, `torch.nn.GRUCell` or any other library's recurrent layer is
# recognized and earns nothing.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false} tags=["hide-input"]
# {{setup}}
import numpy as np

from autograder import check

Params = dict[str, np.ndarray]

# %% [markdown]
# ## What you are given
#
# Shapes are the same in every step: batch `B`, time `T`, input size `D`, hidden size `H`. One
# example is a batch of one, never a bare vector.
#
# The parameters travel in a plain dict. Each gate acts on the old state and the input joined side
# by side, **hidden part first**, so its weights have `H + D` columns.
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input of this step |
# | `h_prev` | $h_{t-1}$ | (B, H) | state before this step |
# | `params["W_z"]`, `params["b_z"]` | $W_z$, $b_z$ | (H, H + D), (H,) | update gate |
# | `params["W_r"]`, `params["b_r"]` | $W_r$, $b_r$ | (H, H + D), (H,) | reset gate |
# | `params["W_h"]`, `params["b_h"]` | $W_h$, $b_h$ | (H, H + D), (H,) | candidate |
#
# In the equations $[h, x]$ is that joined array of shape (B, H + D), $*$ multiplies entry by
# entry, and $\sigma$ is the function below. It maps any number into (0, 1) and, written with
# `tanh`, overflows nowhere.

# %% nbgrader={"grade": false, "grade_id": "sigmoid", "locked": true, "schema_version": 3, "solution": false}
def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a)) for each entry of a, any shape."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(a, dtype=np.float64)))


# %% [markdown]
# One tiny GRU serves all worked examples: one input feature, two hidden units, one example. These
# five values are all you need to follow it by hand:
#
# | $a$ | −1 | 0 | 1 |
# |---|---|---|---|
# | $\sigma(a)$ | 0.2689 | 0.5 | 0.7311 |
# | $\tanh(a)$ | −0.7616 | 0 | 0.7616 |

# %% nbgrader={"grade": false, "grade_id": "tiny-example", "locked": true, "schema_version": 3, "solution": false}
tiny = {
    "W_z": np.array([[1.0, 0.0, 1.0], [0.0, 2.0, 1.0]]),
    "b_z": np.array([-0.5, 0.0]),
    "W_r": np.array([[-1.0, 1.0, 0.5], [1.0, 1.0, -1.0]]),
    "b_r": np.array([0.5, 0.0]),
    "W_h": np.array([[2.0, 0.0, 0.5], [2.0, 1.0, 0.5]]),
    "b_h": np.array([0.0, -0.5]),
}
tiny_x = np.array([[1.0]])
tiny_h = np.array([[0.5, -0.5]])

# %% [markdown]
# ## 1. The update gate
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Exercise 1: <code>update_gate</code></strong></p>
#
# 10 minutes · difficulty 1 of 5 · {{points update_gate}}
#
# Why it matters: this gate decides, for each unit and at each step, how much of the memory is
# replaced. It is what lets a GRU carry a fact across a hundred steps.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input |
# | `h_prev` | $h_{t-1}$ | (B, H) | old state |
# | result | $z_t$ | (B, H) | update gate, each entry in (0, 1) |
#
# $$z_t = \sigma\left([h_{t-1}, x_t]\, W_z^\top + b_z\right)$$
#
# **Which way does it point?** In this course $z$ near 1 means *replace* the old state, $z$ near 0
# means *keep* it. PyTorch and Keras have it the other way round. You will cross that bridge in
# exercise 6. Reread: [the update gate](../../book/gru/two-gates.md#update-gate).

# %% nbgrader={"grade": false, "grade_id": "update_gate", "locked": false, "schema_version": 3, "solution": true}
def update_gate(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """How much of each unit is replaced in this step.

    x: (B, D), h_prev: (B, H), params["W_z"]: (H, H + D), params["b_z"]: (H,)
    returns z: (B, H), float64, each entry in (0, 1)
    """
    ### BEGIN SOLUTION
    joined = np.concatenate([h_prev, x], axis=1)
    return sigmoid(joined @ params["W_z"].T + params["b_z"])
    ### END SOLUTION


# %% [markdown]
# **By hand.** The joined row is $[0.5, -0.5, 1]$. Unit 1: $0.5 + 0 + 1 - 0.5 = 1$. Unit 2:
# $0 - 1 + 1 + 0 = 0$. So you should see `[[0.7311 0.5   ]]`.

# %% tags=["skip-execution"]
print(update_gate(tiny_x, tiny_h, tiny).round(4))

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
# With `joined` of shape (B, H + D) and a weight matrix of shape (H, H + D), the product
# `joined @ W.T` has shape (B, H). Add the bias, then apply `sigmoid`.
#
# </details>

# %% [markdown]
# The check compares with a torch implementation in float64. Allowed deviation:
# {{tolerance update_gate}}; a right answer is closer to 1e-16.

# %% nbgrader={"grade": true, "grade_id": "check-update_gate", "locked": true, "schema_version": 3, "solution": false}
check(update_gate)

# %% [markdown]
# ## 2. The reset gate
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Exercise 2: <code>reset_gate</code></strong></p>
#
# 5 minutes · difficulty 1 of 5 · {{points reset_gate}}
#
# Why it matters: the same formula with its own weights does a different job. This gate decides how
# much of the past the *proposal* for a new state may look at.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input |
# | `h_prev` | $h_{t-1}$ | (B, H) | old state |
# | result | $r_t$ | (B, H) | reset gate, each entry in (0, 1) |
#
# $$r_t = \sigma\left([h_{t-1}, x_t]\, W_r^\top + b_r\right)$$
#
# $r$ near 0: the proposal ignores the past. $r$ near 1: it sees all of it.
# Reread: [the reset gate](../../book/gru/two-gates.md#reset-gate).

# %% nbgrader={"grade": false, "grade_id": "reset_gate", "locked": false, "schema_version": 3, "solution": true}
def reset_gate(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """How much of the old state the candidate may see.

    x: (B, D), h_prev: (B, H), params["W_r"]: (H, H + D), params["b_r"]: (H,)
    returns r: (B, H), float64, each entry in (0, 1)
    """
    ### BEGIN SOLUTION
    joined = np.concatenate([h_prev, x], axis=1)
    return sigmoid(joined @ params["W_r"].T + params["b_r"])
    ### END SOLUTION


# %% [markdown]
# **By hand.** Unit 1: $-0.5 - 0.5 + 0.5 + 0.5 = 0$. Unit 2: $0.5 - 0.5 - 1 + 0 = -1$. So you
# should see `[[0.5    0.2689]]`.

# %% tags=["skip-execution"]
print(reset_gate(tiny_x, tiny_h, tiny).round(4))

# %% [markdown]
# <details>
# <summary>Hint 1: what changes?</summary>
#
# Only the weights and the bias. Which keys of `params` belong to this gate?
#
# </details>
# <details>
# <summary>Hint 2: almost there</summary>
#
# Take your `update_gate` line by line and read `"W_r"` and `"b_r"` instead. The joined array is the
# same.
#
# </details>

# %% [markdown]
# Allowed deviation: {{tolerance reset_gate}}.

# %% nbgrader={"grade": true, "grade_id": "check-reset_gate", "locked": true, "schema_version": 3, "solution": false}
check(reset_gate)

# %% [markdown]
# ## 3. The candidate state
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Exercise 3: <code>candidate_state</code></strong></p>
#
# 15 minutes · difficulty 2 of 5 · {{points candidate_state}}
#
# Why it matters: one pair of brackets in this equation separates two models that are both called
# GRU. The last question of this notebook asks you to explain why.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input |
# | `h_prev` | $h_{t-1}$ | (B, H) | old state |
# | `r` | $r_t$ | (B, H) | reset gate, given to you |
# | result | $\tilde h_t$ | (B, H) | candidate, each entry in (−1, 1) |
#
# $$\tilde h_t = \tanh\left([r_t * h_{t-1}, x_t]\, W_h^\top + b_h\right)$$
#
# **Where the reset gate acts.** Here $r$ multiplies the old state *before* the matrix product, as in
# Cho et al. (2014), and it touches the state only, never the input. PyTorch applies it *after* the
# product. Those are two different models.
# Reread: [the candidate state](../../book/gru/two-gates.md#candidate-state) and
# [the two resets](../../book/gru/two-gates.md#two-resets).

# %% nbgrader={"grade": false, "grade_id": "candidate_state", "locked": false, "schema_version": 3, "solution": true}
def candidate_state(
    x: np.ndarray, h_prev: np.ndarray, r: np.ndarray, params: Params
) -> np.ndarray:
    """The proposal for a new state.

    x: (B, D), h_prev: (B, H), r: (B, H), params["W_h"]: (H, H + D), params["b_h"]: (H,)
    returns candidate: (B, H), float64, each entry in (-1, 1)
    """
    ### BEGIN SOLUTION
    joined = np.concatenate([r * h_prev, x], axis=1)
    return np.tanh(joined @ params["W_h"].T + params["b_h"])
    ### END SOLUTION


# %% [markdown]
# **By hand.** Take $r = [0.5, 1]$ to keep the numbers round: $r * h = [0.25, -0.5]$. Unit 1:
# $2 \cdot 0.25 + 0 + 0.5 + 0 = 1$. Unit 2: $0.5 - 0.5 + 0.5 - 0.5 = 0$. So you should see
# `[[0.7616 0.    ]]`. (With $r$ applied after the product, unit 1 still gives 0.7616, but unit 2
# gives $\tanh(0.5) = 0.4621$.)

# %% tags=["skip-execution"]
tiny_r = np.array([[0.5, 1.0]])
print(candidate_state(tiny_x, tiny_h, tiny_r, tiny).round(4))

# %% [markdown]
# <details>
# <summary>Hint 1: where does r go?</summary>
#
# Look at what stands inside the square brackets of the equation. Build exactly that array first.
#
# </details>
# <details>
# <summary>Hint 2: how are r and h_prev combined?</summary>
#
# Both are (B, H), and so is `r * h_prev`, entry by entry. No matrix product is involved yet.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# Join `r * h_prev` with `x`, multiply by `params["W_h"].T`, add `params["b_h"]`. The function around
# it all is not `sigmoid` this time: a candidate may be negative.
#
# </details>

# %% [markdown]
# Allowed deviation: {{tolerance candidate_state}}.

# %% nbgrader={"grade": true, "grade_id": "check-candidate_state", "locked": true, "schema_version": 3, "solution": false}
check(candidate_state)

# %% [markdown]
# ## 4. One step
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Exercise 4: <code>gru_step</code></strong></p>
#
# 15 minutes · difficulty 2 of 5 · {{points gru_step}}
#
# Why it matters: this is the whole cell. Everything else in this notebook repeats it, translates it
# or makes it fast.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input |
# | `h_prev` | $h_{t-1}$ | (B, H) | old state |
# | `z`, `r`, `candidate` | $z_t$, $r_t$, $\tilde h_t$ | (B, H) each | from exercises 1 to 3 |
# | result | $h_t$ | (B, H) | new state |
#
# $$h_t = (1 - z_t) * h_{t-1} + z_t * \tilde h_t$$
#
# Each unit slides from its old value toward its candidate: not at all at $z = 0$, all the way at
# $z = 1$. That is the *replace* convention of this course and of Chung et al. (2014).
# Reread: [the new state](../../book/gru/two-gates.md#new-state).

# %% nbgrader={"grade": false, "grade_id": "gru_step", "locked": false, "schema_version": 3, "solution": true}
def gru_step(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """One step of the GRU in the house convention: z near 1 replaces.

    x: (B, D), h_prev: (B, H), params: all six entries
    returns h: (B, H), float64
    """
    ### BEGIN SOLUTION
    z = update_gate(x, h_prev, params)
    r = reset_gate(x, h_prev, params)
    candidate = candidate_state(x, h_prev, r, params)
    return (1 - z) * h_prev + z * candidate
    ### END SOLUTION


# %% [markdown]
# **By hand.** With the gates from above, $z = [0.7311, 0.5]$ and $r = [0.5, 0.2689]$. The candidate
# is $\tanh(1) = 0.7616$ for unit 1 and $\tanh(0.5 - 0.1345 + 0.5 - 0.5) = \tanh(0.3655) = 0.3501$
# for unit 2. Unit 1: $0.2689 \cdot 0.5 + 0.7311 \cdot 0.7616 = 0.6912$. Unit 2:
# $0.5 \cdot (-0.5) + 0.5 \cdot 0.3501 = -0.075$. So you should see `[[ 0.6912 -0.075 ]]`.

# %% tags=["skip-execution"]
print(gru_step(tiny_x, tiny_h, tiny).round(4))

# %% [markdown]
# <details>
# <summary>Hint 1: do I write everything again?</summary>
#
# No. Call your three functions. You may also write the equations out here; the check looks at
# results, not at style.
#
# </details>
# <details>
# <summary>Hint 2: what depends on what?</summary>
#
# Both gates need only `x` and `h_prev`. The candidate needs the reset gate. The new state needs the
# update gate, the old state and the candidate.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# Four lines: `z = …`, `r = …`, `candidate = …`, and a weighted mean of `h_prev` and `candidate`. Ask
# yourself which of the two must vanish when `z` is 1.
#
# </details>

# %% [markdown]
# The check also tries the parts one by one, so it can tell you whether a gate, the candidate or the
# final mixture is off. Allowed deviation: {{tolerance gru_step}}.

# %% nbgrader={"grade": true, "grade_id": "check-gru_step", "locked": true, "schema_version": 3, "solution": false}
check(gru_step)

# %% [markdown]
# ## 5. Through time
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Exercise 5: <code>gru_forward</code></strong></p>
#
# 15 minutes · difficulty 2 of 5 · {{points gru_forward}}
#
# Why it matters: a cell becomes a memory only when its output is its next input. The same weights
# serve every step.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `xs` | $x_1 \dots x_T$ | (T, B, D) | inputs, time first |
# | `h0` | $h_0$ | (B, H) | state before the first step |
# | result `hs` | $h_1 \dots h_T$ | (T, B, H) | all states, `hs[0]` is $h_1$ |
#
# $$h_t = \mathrm{GRU}(x_t, h_{t-1}), \qquad t = 1, \dots, T$$
#
# $h_0$ itself is not part of the result. $T$ is at least 1.
# Reread: [through time](../../book/gru/two-gates.md#through-time).

# %% nbgrader={"grade": false, "grade_id": "gru_forward", "locked": false, "schema_version": 3, "solution": true}
def gru_forward(xs: np.ndarray, h0: np.ndarray, params: Params) -> np.ndarray:
    """All states of a sequence.

    xs: (T, B, D), h0: (B, H), params: all six entries
    returns hs: (T, B, H), float64, hs[t] is the state after xs[t]
    """
    ### BEGIN SOLUTION
    hs = []
    h = h0
    for x in xs:
        h = gru_step(x, h, params)
        hs.append(h)
    return np.stack(hs)
    ### END SOLUTION


# %% [markdown]
# **By hand.** Set every weight and bias to zero. Both gates are then $\sigma(0) = 0.5$ and the
# candidate is $\tanh(0) = 0$, whatever the input. So each step halves the state: starting from
# $[1, -1]$ you should see `[ 0.5 -0.5]`, then `[ 0.25 -0.25]`, then `[ 0.125 -0.125]`.

# %% tags=["skip-execution"]
zeros = {key: np.zeros_like(value) for key, value in tiny.items()}
print(gru_forward(np.ones((3, 1, 1)), np.array([[1.0, -1.0]]), zeros))

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
# One variable, say `h`. It starts as `h0` and is replaced by the result of `gru_step` in every round.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# Append each new `h` to a list. After the loop, `np.stack` turns T arrays of shape (B, H) into one
# of shape (T, B, H).
#
# </details>

# %% [markdown]
# Allowed deviation: {{tolerance gru_forward}}, also after many steps.

# %% nbgrader={"grade": true, "grade_id": "check-gru_forward", "locked": true, "schema_version": 3, "solution": false}
check(gru_forward)

# %% [markdown]
# ## 6. The other convention
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Exercise 6: <code>flip_update_gate</code></strong></p>
#
# 10 minutes · difficulty 2 of 5 · {{points flip_update_gate}}
#
# Why it matters: Cho et al. (2014), PyTorch, Keras and ONNX read $z$ the other way. Flip it, and only
# the place of $r$ is left to compare before weights can travel.
#
# </div>
#
# In the *keep* convention the last line of the cell reads
#
# $$h_t = z_t * h_{t-1} + (1 - z_t) * \tilde h_t$$
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `params` | $W_z, b_z, \dots$ | as above | parameters in one convention |
# | result | | as above | parameters of the **same model** in the other convention |
#
# The function works in both directions, because flipping twice leads back. One identity is all you
# need:
#
# $$1 - \sigma(a) = \sigma(-a)$$
#
# Reread: [two conventions](../../book/gru/two-gates.md#two-conventions).

# %% nbgrader={"grade": false, "grade_id": "flip_update_gate", "locked": false, "schema_version": 3, "solution": true}
def flip_update_gate(params: Params) -> Params:
    """The same GRU with z read the other way round (replace <-> keep).

    params: all six entries, left unchanged
    returns a new dict with the same six keys and shapes
    """
    ### BEGIN SOLUTION
    return {**params, "W_z": -params["W_z"], "b_z": -params["b_z"]}
    ### END SOLUTION


# %% [markdown]
# **By hand.** The update gate of the tiny GRU was $z = [0.7311, 0.5]$. With flipped parameters it has
# to be $1 - z$, so you should see `[[0.2689 0.5   ]]`. The last line prints `True` when your function
# left the original alone.

# %% tags=["skip-execution"]
before = tiny["W_z"].copy()
print(update_gate(tiny_x, tiny_h, flip_update_gate(tiny)).round(4))
print(np.array_equal(before, tiny["W_z"]))

# %% [markdown]
# <details>
# <summary>Hint 1: which parameters decide z?</summary>
#
# Two of the six. The other four stay as they are.
#
# </details>
# <details>
# <summary>Hint 2: how do I turn σ(a) into σ(−a)?</summary>
#
# $a$ is linear in $W_z$ and $b_z$. What happens to $a$ when you change the sign of both?
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# Start from `dict(params)`, a new dict with the same entries, and replace two of them. `-array` makes
# a new array; `array *= -1` would change the caller's.
#
# </details>

# %% [markdown]
# Allowed deviation: {{tolerance flip_update_gate}}; changing signs is exact.

# %% nbgrader={"grade": true, "grade_id": "check-flip_update_gate", "locked": true, "schema_version": 3, "solution": false}
check(flip_update_gate)

# %% [markdown]
# ## 7. The step PyTorch computes
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Exercise 7: <code>gru_step_torch</code></strong></p>
#
# 25 minutes · difficulty 3 of 5 · {{points gru_step_torch}}
#
# Why it matters: one day you will load somebody's GRU weights. Four details decide whether you get
# their model or noise: the order of the rows, the two biases, where the reset gate acts, and which way
# the update gate points.
#
# </div>
#
# PyTorch keeps input and recurrent weights apart and stacks the three gates on top of each other,
# in the order **r, z, n** (it calls the candidate $n$). Each gate has *two* biases.
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x`, `h_prev` | $x$, $h$ | (B, D), (B, H) | input, old state |
# | `weight_ih` | $W_{ir}, W_{iz}, W_{in}$ | (3H, D) | input weights, rows stacked r, z, n |
# | `weight_hh` | $W_{hr}, W_{hz}, W_{hn}$ | (3H, H) | recurrent weights, same order |
# | `bias_ih` | $b_{ir}, b_{iz}, b_{in}$ | (3H,) | biases of the input side |
# | `bias_hh` | $b_{hr}, b_{hz}, b_{hn}$ | (3H,) | biases of the recurrent side |
# | result | $h'$ | (B, H) | new state |
#
# $$r = \sigma\left(x W_{ir}^\top + b_{ir} + h W_{hr}^\top + b_{hr}\right)$$
#
# $$z = \sigma\left(x W_{iz}^\top + b_{iz} + h W_{hz}^\top + b_{hz}\right)$$
#
# $$n = \tanh\left(x W_{in}^\top + b_{in} + r * (h W_{hn}^\top + b_{hn})\right)$$
#
# $$h' = (1 - z) * n + z * h$$
#
# Read the last two lines twice. Here **z keeps**, and **r acts after** the product, on
# $h W_{hn}^\top + b_{hn}$ as a whole. The inputs are NumPy arrays, and so is the result. Reread:
# [two conventions](../../book/gru/two-gates.md#two-conventions),
# [two resets](../../book/gru/two-gates.md#two-resets).

# %% nbgrader={"grade": false, "grade_id": "gru_step_torch", "locked": false, "schema_version": 3, "solution": true}
def gru_step_torch(
    x: np.ndarray,
    h_prev: np.ndarray,
    weight_ih: np.ndarray,
    weight_hh: np.ndarray,
    bias_ih: np.ndarray,
    bias_hh: np.ndarray,
) -> np.ndarray:
    """One step of the GRU as PyTorch defines and stores it: rows r, z, n; z near 1 keeps.

    x: (B, D), h_prev: (B, H)
    weight_ih: (3H, D), weight_hh: (3H, H), bias_ih: (3H,), bias_hh: (3H,)
    returns h: (B, H), float64
    """
    ### BEGIN SOLUTION
    from_input = x @ weight_ih.T + bias_ih
    from_state = h_prev @ weight_hh.T + bias_hh
    i_r, i_z, i_n = np.split(from_input, 3, axis=1)
    h_r, h_z, h_n = np.split(from_state, 3, axis=1)
    r = sigmoid(i_r + h_r)
    z = sigmoid(i_z + h_z)
    n = np.tanh(i_n + r * h_n)
    return (1 - z) * n + z * h_prev
    ### END SOLUTION


# %% [markdown]
# **By hand.** One unit, one feature, $x = 0$, $h = 0.5$. All weights and biases are zero except
# $W_{hn} = 2$ and $b_{hn} = 1$. Then $r = z = 0.5$, $n = \tanh(0.5 \cdot (2 \cdot 0.5 + 1)) =
# \tanh(1) = 0.7616$, and $h' = 0.5 \cdot 0.7616 + 0.5 \cdot 0.5 = 0.6308$. So you should see
# `[[0.6308]]`.

# %% tags=["skip-execution"]
tiny_torch = {
    "weight_ih": np.zeros((3, 1)),
    "weight_hh": np.array([[0.0], [0.0], [2.0]]),
    "bias_ih": np.zeros(3),
    "bias_hh": np.array([0.0, 0.0, 1.0]),
}
print(gru_step_torch(np.array([[0.0]]), np.array([[0.5]]), **tiny_torch).round(4))

# %% [markdown]
# <details>
# <summary>Hint 1: how do I get the three gates out of a stacked array?</summary>
#
# Multiply first, cut later: `x @ weight_ih.T` has shape (B, 3H). `np.split(a, 3, axis=1)` cuts it
# into three arrays of shape (B, H), in the order they were stacked.
#
# </details>
# <details>
# <summary>Hint 2: why two separate products?</summary>
#
# For r and z you could add everything up. For n you cannot: r multiplies the recurrent product and its
# bias, but not the input side. So keep "from the input" and "from the state" apart.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# `i_r, i_z, i_n = np.split(x @ weight_ih.T + bias_ih, 3, axis=1)`, and the same with `h_prev`,
# `weight_hh`, `bias_hh` for `h_r, h_z, h_n`. Then the four equations are four lines; in the third one
# `r` multiplies only `h_n`.
#
# </details>

# %% [markdown]
# The check compares with `torch.nn.GRU` itself, in float64. Allowed deviation:
# {{tolerance gru_step_torch}}.

# %% nbgrader={"grade": true, "grade_id": "check-gru_step_torch", "locked": true, "schema_version": 3, "solution": false}
check(gru_step_torch)

# %% [markdown]
# ## 8. A layer
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Exercise 8: <code>GRULayer</code></strong></p>
#
# 35 minutes · difficulty 4 of 5 · {{points GRULayer}}
#
# Why it matters: as a `torch.nn.Module` your equations learn. Autograd differentiates them, an
# optimizer updates them, a GPU runs them, and PyTorch's own weights fit into them.
#
# </div>
#
# The parameters are set up for you, with PyTorch's names. You write `forward`: the equations of
# exercise 7, in torch, for a whole sequence.
#
# This exercise needs PyTorch; the others do not, and a browser does not have it. Where the next
# cell does not find it, run `%pip install torch` in a cell of its own.
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `xs` | $x_1 \dots x_T$ | (T, B, D) | inputs, time first |
# | `h0` | $h_0$ | (B, H), or `None` | first state; `None` means zeros |
# | `self.weight_ih_l0`, `self.weight_hh_l0` | | (3H, D), (3H, H) | rows stacked r, z, n |
# | `self.bias_ih_l0`, `self.bias_hh_l0` | | (3H,) each | both biases |
# | result `hs` | $h_1 \dots h_T$ | (T, B, H) | all states |
# | result `h_last` | $h_T$ | (B, H) | the last state |
#
# Two things to mind. A missing `h0` has to have the dtype **and the device** of `xs`, or the layer
# breaks on a GPU. And gradients must reach every parameter and the inputs, so build the result from
# new tensors instead of writing into old ones, and leave out `.detach()`, `.data` and `.item()`.
# Reread: [from equations to a layer](../../book/gru/two-gates.md#from-equations-to-a-layer).

# %% nbgrader={"grade": false, "grade_id": "setup-torch", "locked": true, "schema_version": 3, "solution": false}
import torch
from torch import Tensor, nn


# %% nbgrader={"grade": false, "grade_id": "GRULayer", "locked": false, "schema_version": 3, "solution": true}
class GRULayer(nn.Module):
    """One GRU layer with PyTorch's equations and parameter names.

    forward(xs, h0=None) with xs: (T, B, D), h0: (B, H) or None for zeros
    returns hs: (T, B, H) and h_last: (B, H), in the dtype and on the device of xs
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        bound = hidden_size**-0.5  # PyTorch's own range for a fresh layer

        def fresh(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))

        self.weight_ih_l0 = fresh(3 * hidden_size, input_size)
        self.weight_hh_l0 = fresh(3 * hidden_size, hidden_size)
        self.bias_ih_l0 = fresh(3 * hidden_size)
        self.bias_hh_l0 = fresh(3 * hidden_size)

    def forward(self, xs: Tensor, h0: Tensor | None = None) -> tuple[Tensor, Tensor]:
        ### BEGIN SOLUTION
        h = xs.new_zeros(xs.shape[1], self.hidden_size) if h0 is None else h0
        hs = []
        for x in xs:
            i_r, i_z, i_n = (x @ self.weight_ih_l0.T + self.bias_ih_l0).chunk(3, dim=1)
            h_r, h_z, h_n = (h @ self.weight_hh_l0.T + self.bias_hh_l0).chunk(3, dim=1)
            r = torch.sigmoid(i_r + h_r)
            z = torch.sigmoid(i_z + h_z)
            n = torch.tanh(i_n + r * h_n)
            h = (1 - z) * n + z * h
            hs.append(h)
        return torch.stack(hs), h
        ### END SOLUTION


# %% [markdown]
# **Try it.** Give your layer the weights of a `torch.nn.GRU` and compare, on the GPU if there is one.
# In float32 on the CPU you should see a largest difference below `1e-6`. On a GPU it can be several
# hundred times as large, since PyTorch's layer rounds its factors there unless told not to: see
# [how many digits are right](../../book/gru/from-cell-to-layer.md#precision).

# %% tags=["skip-execution"]
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
theirs = nn.GRU(input_size=3, hidden_size=5).to(device)
mine = GRULayer(3, 5).to(device)
mine.load_state_dict(theirs.state_dict())
xs = torch.randn(7, 2, 3, device=device)
with torch.no_grad():
    hs, h_last = mine(xs)
    print("device:", hs.device)
    print("largest difference:", (hs - theirs(xs)[0]).abs().max().item())

# %% [markdown]
# <details>
# <summary>Hint 1: how much of exercise 7 can I reuse?</summary>
#
# Nearly all of it, with `torch.sigmoid`, `torch.tanh` and `.chunk(3, dim=1)` in place of `sigmoid`,
# `np.tanh` and `np.split(…, 3, axis=1)`. The loop is that of exercise 5.
#
# </details>
# <details>
# <summary>Hint 2: how do I make a zero state on the right device?</summary>
#
# `xs.new_zeros(B, H)` makes a tensor with the dtype and the device of `xs`. `torch.zeros(B, H)` makes
# one in float32 on the CPU, whatever `xs` is.
#
# </details>
# <details>
# <summary>Hint 3: how do I collect the states?</summary>
#
# Append each `h` to a list and call `torch.stack(hs)` at the end. Assigning `hs[t] = h` into a
# prepared tensor also works in torch, but it is slower and easier to get wrong.
#
# </details>
# <details>
# <summary>Hint 4: almost there</summary>
#
# Inside the loop: two stacked products, two `.chunk(3, dim=1)`, then the four lines of exercise 7 with
# `h` instead of `h_prev`. After it: `return torch.stack(hs), h`.
#
# </details>

# %% [markdown]
# The check loads the weights of a `torch.nn.GRU` in float64, then compares values and all gradients,
# and says on which device. Allowed deviation: {{tolerance GRULayer}}.

# %% nbgrader={"grade": true, "grade_id": "check-GRULayer", "locked": true, "schema_version": 3, "solution": false}
check(GRULayer)

# %% [markdown]
# ## 9. How many parameters?
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Exercise 9: <code>count_gru_parameters</code></strong></p>
#
# 5 minutes · difficulty 1 of 5 · {{points count_gru_parameters}}
#
# Why it matters: comparing two models is only fair when you know how big they are.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `input_size` | $D$ | integer | input size |
# | `hidden_size` | $H$ | integer | hidden size |
# | result | | integer | entries in $W_z, b_z, W_r, b_r, W_h, b_h$ together |
#
# Count **one bias per gate**, as in the equations of exercises 1 to 4: how many arrays are there, and how
# many entries has each?
# Reread: [counting parameters](../../book/gru/two-gates.md#counting-parameters).

# %% nbgrader={"grade": false, "grade_id": "count_gru_parameters", "locked": false, "schema_version": 3, "solution": true}
def count_gru_parameters(input_size: int, hidden_size: int) -> int:
    """How many numbers a GRU learns, with one bias per gate."""
    ### BEGIN SOLUTION
    return 3 * (input_size * hidden_size + hidden_size * hidden_size + hidden_size)
    ### END SOLUTION


# %% [markdown]
# **By hand.** The tiny GRU has $D = 1$ and $H = 2$: three matrices of 2 × 3 and three biases of 2,
# so $18 + 6 = 24$. Both numbers below should be 24.

# %% tags=["skip-execution"]
print(count_gru_parameters(1, 2), sum(value.size for value in tiny.values()))

# %% [markdown]
# <details>
# <summary>Hint: what does each product stand for?</summary>
#
# For one gate: $D H$ weights look at the input, $H H$ look at the state, and $H$ are biases. There are
# three such sets: two gates and the candidate.
#
# </details>

# %% [markdown]
# Counts are exact: no deviation is allowed, and the result has to be an integer.

# %% nbgrader={"grade": true, "grade_id": "check-count_gru_parameters", "locked": true, "schema_version": 3, "solution": false}
check(count_gru_parameters)

# %% [markdown]
# **And in PyTorch?** Not graded. Guess first: how many parameters does `torch.nn.GRU(1, 2)` hold?
# Then count them.

# %% tags=["skip-execution"]
print(sum(parameter.numel() for parameter in nn.GRU(1, 2).parameters()))

# %% [markdown]
# <details>
# <summary>Answer</summary>
#
# 30, which is 6 more. PyTorch stores two biases per gate, `bias_ih_l0` and `bias_hh_l0`, so it
# allocates $3\,(DH + HH + 2H)$. For r and z the second bias adds nothing a single one could not do,
# because the two are only ever summed. For the candidate it does: $b_{hn}$ stands inside the product
# with $r$, so it cannot be merged into $b_{in}$.
#
# </details>
#
# ## 10. In your own words
#
# <div class="admonition gm-exercise" style="border-top: 3px solid #0b7a6b">
# <p class="admonition-title"><strong>Question: two models with one name</strong></p>
#
# 15 minutes · difficulty 3 of 5 · {{points why-not-torch}}, graded by a person
#
# **Why can no choice of weights make your `gru_step` equal `torch.nn.GRU`?**
#
# The two differ in two places. Say which of the two differences a change of weights can undo, and
# how; say why it cannot undo the other one, with an argument or a small example; and name one
# special case in which the two models do agree. Five to ten sentences; formulas are welcome.
#
# </div>

# %% [markdown] nbgrader={"grade": true, "grade_id": "why-not-torch", "locked": false, "points": 4, "schema_version": 3, "solution": true}
# **Model answer.** The update gate is not the reason. The course reads $z$ near 1 as *replace*,
# PyTorch as *keep*; since $1 - \sigma(a) = \sigma(-a)$, changing the sign of $W_z$ and $b_z$
# translates one into the other exactly. The reset gate is the reason. With $U$ the recurrent block of
# $W_h$, my candidate contains $(r * h)\,U^\top$ and PyTorch's contains $r * (h\,U^\top)$.
# Entry $i$ of the first is $\sum_j U_{ij} r_j h_j$: every source unit $j$ passes its own gate, then
# they are added. Entry $i$ of the second is $r_i \sum_j U_{ij} h_j$: first the sum, then the one gate
# of the target unit. So with two non-zero entries in a row of $U$, the first is a sum of two sigmoids
# of different inputs, the second one sigmoid times a number that does not depend on $r$. The gates
# move with the input while the weights stand still, so no constant weights make these equal for all
# inputs. The models agree when $U$ is diagonal, which includes $H = 1$, and wherever all entries of
# $r$ are equal, for instance $r = 1$.
#
# **Rubric, 4 points.** One point each, half points allowed:
#
# 1. *Update gate cleared.* Says that the z convention is not the cause, and that flipping the sign of
#    $W_z$ and $b_z$ translates it.
# 2. *Reset gate named.* Says that here r multiplies the state before the matrix product, and in
#    PyTorch the product itself.
# 3. *Argument.* Shows why weights cannot undo it: row versus column scaling, or r varies with the
#    input while weights are fixed, or a numerical counterexample that is right. "They are different
#    formulas" alone earns nothing here.
# 4. *Special case.* Names one: $H = 1$, diagonal recurrent block, all entries of r equal
#    (in particular r = 1), zero state, zero recurrent block. One non-zero entry per row of the
#    recurrent block, with the reset weights reordered, is right too.
#
# Do not take points off for language, length or for leaving out $b_{hn}$. Blaming the two biases as
# the *only* reason: point 2 is lost, the others can still be earned.
#
# **Graded sample A, 4 of 4.** "Two things differ. z is read the other way, but that is harmless:
# negate W_z and b_z and 1 − z becomes z. The real difference is r. My code computes W·(r*h), torch
# computes r*(W·h). In mine r_j scales column j of W, in torch r_i scales row i. Take W = [[1, 1], [1,
# 1]], h = [1, 1]: mine gives r_1 + r_2 in both units, torch gives 2 r_1 and 2 r_2. For torch to copy
# me, its r would have to be the mean of two different sigmoids for every x, and that is not a
# sigmoid of a linear function. With H = 1 there is one row and one column and both are the same."
# *Comment: all four points; the example is right.*
#
# **Graded sample B, 2 of 4.** "torch uses z for keeping and I use it for replacing, so one has to
# flip W_z and b_z. Also torch has the reset gate after the matrix multiplication and we have it
# before. Because the formulas are different, they can never be the same." *Comment: points 1 and 2
# earned. Point 3: "the formulas are different" does not show that weights cannot make up for it (the
# z formulas differ too, and there they can). Point 4: no special case.*

# %% [markdown]
# ## What you can do now
#
# - Write the GRU from its equations, with shapes you can defend.
# - Say what each gate does at 0 and at 1, and read both conventions of $z$.
# - Load PyTorch's weights into your own layer and get PyTorch's numbers, gradients included.
# - Explain why "a GRU" can mean two models, and which one you have in front of you.
#
# **If a check is not green yet**, read its message from the top: the first difference usually
# explains the rest. Fix the gates before the step and the step before the sequence, because later
# functions call earlier ones. Asking for help? Paste the check's message; it contains everything
# somebody needs to help you, and no solution.
#
# **What to read next.** The self-check questions at the end of
# [Two gates, one state](../../book/gru/two-gates.md), then
# [One GRU, many spellings](../../book/gru/many-spellings.md), which takes exercises 6 and 7 to other
# libraries, and the [bibliography](../../book/back/bibliography.md) for the papers by Cho et al. and
# Chung et al.
