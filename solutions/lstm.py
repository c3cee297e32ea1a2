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
# # Build an LSTM
#
# You write a long short-term memory cell from its equations: a sigmoid that never overflows, three
# gates, a candidate, and the one line that makes it all worthwhile, in which the cell is carried on by
# multiplication and addition only. At the end you can say what each gate does, why the cell can
# remember, and what it costs.
#
# About two hours in nine short steps, {{points lstm}}. The chapter
# [A cell that carries memory](../../book/lstm/a-cell-that-carries-memory.md) explains every equation
# used here, and [What the LSTM costs](../../book/lstm/what-the-lstm-costs.md) counts them.
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
# **What you may use.** NumPy, torch's elementary operations and the standard library. Writing the
# equations is the exercise: a call to `torch.nn.LSTM`, `torch.nn.LSTMCell` or any other library's
# recurrent layer is recognized and earns nothing.

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
# An LSTM carries **two** arrays from step to step. The *cell* $c$ is its memory; it may hold any
# number. The *state* $h$ is the part of the memory that it shows, to the world and to its own gates; it
# stays in (−1, 1). (The chapter calls them *cell state* and *hidden state*.)
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input of this step |
# | `h_prev` | $h_{t-1}$ | (B, H) | state before this step |
# | `c_prev` | $c_{t-1}$ | (B, H) | cell before this step |
# | `params["W_f"]`, `params["b_f"]` | $W_f$, $b_f$ | (H, H + D), (H,) | forget gate |
# | `params["W_i"]`, `params["b_i"]` | $W_i$, $b_i$ | (H, H + D), (H,) | input gate |
# | `params["W_c"]`, `params["b_c"]` | $W_c$, $b_c$ | (H, H + D), (H,) | candidate |
# | `params["W_o"]`, `params["b_o"]` | $W_o$, $b_o$ | (H, H + D), (H,) | output gate |
#
# In the equations $[h, x]$ is the old state and the input side by side, shape (B, H + D), **hidden
# part first**, and $*$ multiplies entry by entry.
#
# One tiny LSTM serves all worked examples: one input feature, one unit, one example. These values are
# all you need to follow it by hand:
#
# | $a$ | −1 | 0 | 1 | 1.843 |
# |---|---|---|---|---|
# | $\sigma(a)$ | 0.2689 | 0.5 | 0.7311 | |
# | $\tanh(a)$ | −0.7616 | 0 | 0.7616 | 0.9511 |

# %% nbgrader={"grade": false, "grade_id": "tiny-example", "locked": true, "schema_version": 3, "solution": false}
tiny = {
    "W_f": np.array([[3.0, 1.0]]),
    "b_f": np.array([-1.5]),
    "W_i": np.array([[2.0, -1.0]]),
    "b_i": np.array([0.0]),
    "W_c": np.array([[2.0, 0.5]]),
    "b_c": np.array([-0.5]),
    "W_o": np.array([[-2.0, -1.0]]),
    "b_o": np.array([1.0]),
}
tiny_x = np.array([[1.0]])
tiny_h = np.array([[0.5]])
tiny_c = np.array([[2.0]])

# %% [markdown]
# ## 1. A sigmoid that never overflows
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 1: <code>sigmoid</code></strong></p>
#
# 20 minutes · difficulty 2 of 5 · {{points sigmoid}}
#
# Why it matters: every gate is this function. Written the obvious way it warns, or returns nan, on
# the day a weight grows large, and one nan in a state spoils every state after it.
#
# </div>
#
# $$\sigma(a) = \frac{1}{1 + e^{-a}} = \frac{e^{a}}{1 + e^{a}}$$
#
# Both forms are the same number. In float64, $e^{710}$ is already too large to be represented, so the
# first form overflows for $a < -709$ and the second for $a > 709$. Numbers too *small* to be
# represented are harmless: they become 0, which is right.
#
# | code name | shape and type | meaning |
# |---|---|---|
# | `a` | a float, or an array of any shape and numeric type | argument |
# | result | a float, or an array of that shape, **float64** whatever the type of `a` | $\sigma(a)$, each entry in [0, 1] |
#
# At ±1000 the result is right and NumPy stays **silent**: no overflow is computed, so none has to be
# hidden. Leave NumPy's settings (`np.seterr`) as they are. Reread:
# [a share between 0 and 1](../../book/lstm/a-cell-that-carries-memory.md#lstm-sigmoid).


# %% nbgrader={"grade": false, "grade_id": "sigmoid", "locked": false, "schema_version": 3, "solution": true}
def sigmoid(a: float | np.ndarray) -> float | np.ndarray:
    """1 / (1 + exp(-a)) for each entry of a, without overflow.

    a: a float or an array of any shape and numeric type
    returns the same shape in float64, each entry in [0, 1]
    """
    ### BEGIN SOLUTION
    a = np.asarray(a, dtype=np.float64)
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, e) / (1.0 + e)
    ### END SOLUTION


# %% [markdown]
# **By hand.** $\sigma(0) = 1/2$. At $a = \ln 3$ the second form gives $3 / (1 + 3) = 0.75$, and at
# $-\ln 3$ the first gives $1 / (1 + 3) = 0.25$. At ±1000 it is 0 or 1 to sixteen digits and far beyond.
# So you should see `[0.   0.25 0.5  0.75 1.  ]`, then `0.75`, and no warning.

# %% tags=["skip-execution"]
print(sigmoid(np.array([-1000.0, -np.log(3.0), 0.0, np.log(3.0), 1000.0])).round(4))
print(round(float(sigmoid(np.log(3.0))), 4))

# %% [markdown]
# <details>
# <summary>Hint 1: when is which form harmless?</summary>
#
# The first needs $e^{-a}$, which is at most 1 for $a \ge 0$. The second needs $e^{a}$, which is at most 1
# for $a \le 0$. Both times you use exp of a number that is not positive.
#
# </details>
# <details>
# <summary>Hint 2: but an array has entries of both signs</summary>
#
# `np.where(a >= 0, first, second)` picks entry by entry, but computes *both* for every entry, overflow
# included. Compute something that is harmless for both signs before you pick: $e^{-|a|}$.
#
# </details>
# <details>
# <summary>Hint 3: numbers, integers, float32?</summary>
#
# One line at the top, `a = np.asarray(a, dtype=np.float64)`, makes them all the same. Without it
# unsigned integers wrap around when you write `-a`, and float16 has three digits.
#
# </details>
# <details>
# <summary>Hint 4: almost there</summary>
#
# With `e = np.exp(-np.abs(a))` the denominator is `1 + e` for both signs. The numerator is 1 where
# $a \ge 0$ and `e` elsewhere. (There is another way: $\sigma(a) = (1 + \tanh(a/2)) / 2$.)
#
# </details>
#
# Allowed deviation: {{tolerance sigmoid}}; a right answer is closer to 1e-16. Here a warning counts as
# an error.

# %% nbgrader={"grade": true, "grade_id": "check-sigmoid", "locked": true, "schema_version": 3, "solution": false}
check(sigmoid)

# %% [markdown]
# ## 2. The forget gate
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 2: <code>forget_gate</code></strong></p>
#
# 10 minutes · difficulty 1 of 5 · {{points forget_gate}}
#
# Why it matters: a cell keeps a fact for a hundred steps when this gate stays near 1 for a hundred
# steps, and drops it in one.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input |
# | `h_prev` | $h_{t-1}$ | (B, H) | old state |
# | result | $f_t$ | (B, H) | forget gate, each entry in (0, 1) |
#
# $$f_t = \sigma\left([h_{t-1}, x_t]\, W_f^\top + b_f\right)$$
#
# $f$ near 1: the cell is **kept**. $f$ near 0: it is forgotten. (The name says the opposite of what a
# large value does.) The gate reads the state $h$, not the cell. Reread:
# [the forget gate](../../book/lstm/a-cell-that-carries-memory.md#forget-gate).


# %% nbgrader={"grade": false, "grade_id": "forget_gate", "locked": false, "schema_version": 3, "solution": true}
def forget_gate(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """How much of each cell is kept.

    x: (B, D), h_prev: (B, H), params["W_f"]: (H, H + D), params["b_f"]: (H,)
    returns f: (B, H), float64, each entry in (0, 1)
    """
    ### BEGIN SOLUTION
    joined = np.concatenate([h_prev, x], axis=1)
    return sigmoid(joined @ params["W_f"].T + params["b_f"])
    ### END SOLUTION


# %% [markdown]
# **By hand.** The joined row is $[0.5, 1]$. The sum is $3 \cdot 0.5 + 1 - 1.5 = 1$. So you should see
# `[[0.7311]]`.

# %% tags=["skip-execution"]
print(forget_gate(tiny_x, tiny_h, tiny).round(4))

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
# `np.concatenate([..., ...], axis=1)` joins along the second axis, the features.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# With `joined` of shape (B, H + D) and a weight matrix of shape (H, H + D), the product
# `joined @ W.T` has shape (B, H). Add the bias, then apply your `sigmoid`.
#
# </details>
#
# The check compares with a torch implementation in float64. Allowed deviation:
# {{tolerance forget_gate}}.

# %% nbgrader={"grade": true, "grade_id": "check-forget_gate", "locked": true, "schema_version": 3, "solution": false}
check(forget_gate)

# %% [markdown]
# ## 3. The input gate
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 3: <code>input_gate</code></strong></p>
#
# 5 minutes · difficulty 1 of 5 · {{points input_gate}}
#
# Why it matters: a memory that writes down everything remembers nothing. This gate decides, unit by
# unit, what is worth writing.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x`, `h_prev` | $x_t$, $h_{t-1}$ | (B, D), (B, H) | input, old state |
# | result | $i_t$ | (B, H) | input gate, each entry in (0, 1) |
#
# $$i_t = \sigma\left([h_{t-1}, x_t]\, W_i^\top + b_i\right)$$
#
# $i$ near 1: the candidate is written into the cell. $i$ near 0: it is not. Reread:
# [the input gate](../../book/lstm/a-cell-that-carries-memory.md#input-gate).


# %% nbgrader={"grade": false, "grade_id": "input_gate", "locked": false, "schema_version": 3, "solution": true}
def input_gate(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """How much of the candidate is written.

    x: (B, D), h_prev: (B, H), params["W_i"]: (H, H + D), params["b_i"]: (H,)
    returns i: (B, H), float64, each entry in (0, 1)
    """
    ### BEGIN SOLUTION
    joined = np.concatenate([h_prev, x], axis=1)
    return sigmoid(joined @ params["W_i"].T + params["b_i"])
    ### END SOLUTION


# %% [markdown]
# **By hand.** $2 \cdot 0.5 - 1 + 0 = 0$. So you should see `[[0.5]]`.

# %% tags=["skip-execution"]
print(input_gate(tiny_x, tiny_h, tiny).round(4))

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
# Take your `forget_gate` line by line and read `"W_i"` and `"b_i"` instead.
#
# </details>
#
# Allowed deviation: {{tolerance input_gate}}.

# %% nbgrader={"grade": true, "grade_id": "check-input_gate", "locked": true, "schema_version": 3, "solution": false}
check(input_gate)

# %% [markdown]
# ## 4. The output gate
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 4: <code>output_gate</code></strong></p>
#
# 5 minutes · difficulty 1 of 5 · {{points output_gate}}
#
# Why it matters: it lets the cell keep a secret. What is stored need not be shown, neither to the next
# layer nor to the gates, until it is needed.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x`, `h_prev` | $x_t$, $h_{t-1}$ | (B, D), (B, H) | input, old state |
# | result | $o_t$ | (B, H) | output gate, each entry in (0, 1) |
#
# $$o_t = \sigma\left([h_{t-1}, x_t]\, W_o^\top + b_o\right)$$
#
# It decides about the new cell, but like the others it is computed from the *old state* and the input.
# Reread:
# [the output gate](../../book/lstm/a-cell-that-carries-memory.md#output-gate).


# %% nbgrader={"grade": false, "grade_id": "output_gate", "locked": false, "schema_version": 3, "solution": true}
def output_gate(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """How much of the cell is shown.

    x: (B, D), h_prev: (B, H), params["W_o"]: (H, H + D), params["b_o"]: (H,)
    returns o: (B, H), float64, each entry in (0, 1)
    """
    ### BEGIN SOLUTION
    joined = np.concatenate([h_prev, x], axis=1)
    return sigmoid(joined @ params["W_o"].T + params["b_o"])
    ### END SOLUTION


# %% [markdown]
# **By hand.** $-2 \cdot 0.5 - 1 + 1 = -1$. So you should see `[[0.2689]]`.

# %% tags=["skip-execution"]
print(output_gate(tiny_x, tiny_h, tiny).round(4))

# %% [markdown]
# <details>
# <summary>Hint: what changes?</summary>
#
# Again only the two keys. If you have written the same lines three times by now, a small helper
# function of your own is welcome; put it in the cell of the forget gate.
#
# </details>
#
# Allowed deviation: {{tolerance output_gate}}.

# %% nbgrader={"grade": true, "grade_id": "check-output_gate", "locked": true, "schema_version": 3, "solution": false}
check(output_gate)

# %% [markdown]
# ## 5. The candidate
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 5: <code>candidate_cell</code></strong></p>
#
# 5 minutes · difficulty 1 of 5 · {{points candidate_cell}}
#
# Why it matters: the gates only say how much. This is the *what*: the content that could be written
# into the memory.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x`, `h_prev` | $x_t$, $h_{t-1}$ | (B, D), (B, H) | input, old state |
# | result | $\tilde c_t$ | (B, H) | candidate, each entry in (−1, 1) |
#
# $$\tilde c_t = \tanh\left([h_{t-1}, x_t]\, W_c^\top + b_c\right)$$
#
# It may be negative: a memory must be able to go down as well as up. This is the whole step of a vanilla
# RNN; here it is only a proposal. Reread:
# [the candidate](../../book/lstm/a-cell-that-carries-memory.md#candidate-cell).


# %% nbgrader={"grade": false, "grade_id": "candidate_cell", "locked": false, "schema_version": 3, "solution": true}
def candidate_cell(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """What could be written into the cell.

    x: (B, D), h_prev: (B, H), params["W_c"]: (H, H + D), params["b_c"]: (H,)
    returns candidate: (B, H), float64, each entry in (-1, 1)
    """
    ### BEGIN SOLUTION
    joined = np.concatenate([h_prev, x], axis=1)
    return np.tanh(joined @ params["W_c"].T + params["b_c"])
    ### END SOLUTION


# %% [markdown]
# **By hand.** $2 \cdot 0.5 + 0.5 - 0.5 = 1$. So you should see `[[0.7616]]`.

# %% tags=["skip-execution"]
print(candidate_cell(tiny_x, tiny_h, tiny).round(4))

# %% [markdown]
# <details>
# <summary>Hint: is this a gate?</summary>
#
# The weighted sum is built as in a gate, from `"W_c"` and `"b_c"`. The function around it is another one:
# a share lies between 0 and 1, a content between −1 and 1.
#
# </details>
#
# Allowed deviation: {{tolerance candidate_cell}}.

# %% nbgrader={"grade": true, "grade_id": "check-candidate_cell", "locked": true, "schema_version": 3, "solution": false}
check(candidate_cell)

# %% [markdown]
# ## 6. One step
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 6: <code>lstm_step</code></strong></p>
#
# 20 minutes · difficulty 3 of 5 · {{points lstm_step}}
#
# Why it matters: the first of its two lines has no matrix and no squashing function between the old
# cell and the new one. That gap is the invention.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x`, `h_prev` | $x_t$, $h_{t-1}$ | (B, D), (B, H) | input, old state |
# | `c_prev` | $c_{t-1}$ | (B, H) | old cell |
# | `f`, `i`, `o`, `candidate` | $f_t$, $i_t$, $o_t$, $\tilde c_t$ | (B, H) each | from exercises 2 to 5 |
# | result `h` | $h_t$ | (B, H) | new state |
# | result `c` | $c_t$ | (B, H) | new cell |
#
# $$c_t = f_t * c_{t-1} + i_t * \tilde c_t$$
#
# $$h_t = o_t * \tanh(c_t)$$
#
# The two gates of the first line are independent: a cell can keep everything and write everything. Return
# both results as a tuple, the state first. Reread:
# [the whole step](../../book/lstm/a-cell-that-carries-memory.md#lstm-step).


# %% nbgrader={"grade": false, "grade_id": "lstm_step", "locked": false, "schema_version": 3, "solution": true}
def lstm_step(
    x: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray, params: Params
) -> tuple[np.ndarray, np.ndarray]:
    """One step of the LSTM.

    x: (B, D), h_prev: (B, H), c_prev: (B, H), params: all eight entries
    returns (h, c): (B, H) each, float64
    """
    ### BEGIN SOLUTION
    f = forget_gate(x, h_prev, params)
    i = input_gate(x, h_prev, params)
    o = output_gate(x, h_prev, params)
    c = f * c_prev + i * candidate_cell(x, h_prev, params)
    h = o * np.tanh(c)
    return h, c
    ### END SOLUTION


# %% [markdown]
# **By hand.** With the values from above, $c = 0.7311 \cdot 2 + 0.5 \cdot 0.7616 = 1.843$ and
# $h = 0.2689 \cdot \tanh(1.843) = 0.2689 \cdot 0.9511 = 0.2558$. So you should see
# `h [[0.256]] c [[1.843]]`.

# %% tags=["skip-execution"]
h, c = lstm_step(tiny_x, tiny_h, tiny_c, tiny)
print("h", h.round(3), "c", c.round(3))

# %% [markdown]
# <details>
# <summary>Hint 1: do I write everything again?</summary>
#
# No. Call your four functions. You may also write the equations out here; the check looks at
# results, not at style.
#
# </details>
# <details>
# <summary>Hint 2: what depends on what?</summary>
#
# Gates and candidate need only `x` and `h_prev`. The new cell needs `f`, `i`, the candidate and the old
# cell. The new state needs `o` and the *new* cell.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# Six lines: four calls, `c = …`, `h = …`. The tanh is around the cell, and `o` multiplies afterwards. What
# you return as the cell is `c` itself, without tanh. `return h, c` makes the tuple.
#
# </details>
#
# The check also tries the parts one by one, so it can tell you whether a gate, the candidate, the cell's
# line or the state's line is off. Allowed deviation: {{tolerance lstm_step}}.

# %% nbgrader={"grade": true, "grade_id": "check-lstm_step", "locked": true, "schema_version": 3, "solution": false}
check(lstm_step)

# %% [markdown]
# ## 7. Through time
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 7: <code>lstm_forward</code></strong></p>
#
# 15 minutes · difficulty 2 of 5 · {{points lstm_forward}}
#
# Why it matters: two things have to be handed on now. Forget one of them and the net still runs, still
# trains, and remembers next to nothing.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `xs` | $x_1 \dots x_T$ | (T, B, D) | inputs, time first |
# | `h0`, `c0` | $h_0$, $c_0$ | (B, H) each | state and cell before the first step |
# | result `hs` | $h_1 \dots h_T$ | (T, B, H) | all states, `hs[0]` is $h_1$ |
# | result `cs` | $c_1 \dots c_T$ | (T, B, H) | all cells, `cs[0]` is $c_1$ |
#
# $$h_t, c_t = \mathrm{LSTM}(x_t, h_{t-1}, c_{t-1}), \qquad t = 1, \dots, T$$
#
# $h_0$ and $c_0$ are not part of the results. $T$ is at least 1. (PyTorch returns something else,
# `(hs, (h_last, c_last))`.) Reread:
# [through time](../../book/lstm/a-cell-that-carries-memory.md#lstm-through-time).


# %% nbgrader={"grade": false, "grade_id": "lstm_forward", "locked": false, "schema_version": 3, "solution": true}
def lstm_forward(
    xs: np.ndarray, h0: np.ndarray, c0: np.ndarray, params: Params
) -> tuple[np.ndarray, np.ndarray]:
    """All states and all cells of a sequence.

    xs: (T, B, D), h0: (B, H), c0: (B, H), params: all eight entries
    returns (hs, cs): (T, B, H) each, float64; hs[t] and cs[t] are those after xs[t]
    """
    ### BEGIN SOLUTION
    hs, cs = [], []
    h, c = h0, c0
    for x in xs:
        h, c = lstm_step(x, h, c, params)
        hs.append(h)
        cs.append(c)
    return np.stack(hs), np.stack(cs)
    ### END SOLUTION


# %% [markdown]
# **By hand.** Set every weight and bias to zero. All gates are then 0.5 and the candidate is 0, whatever
# the input. So each step halves the cell: 8 becomes 4, 2, 1. The states are half the tanh of that:
# $0.5 \tanh(4) = 0.4997$, $0.5 \tanh(2) = 0.482$, $0.5 \tanh(1) = 0.3808$. You should see
# `[0.4997 0.482  0.3808] [4. 2. 1.]`.

# %% tags=["skip-execution"]
zeros = {key: np.zeros_like(value) for key, value in tiny.items()}
hs, cs = lstm_forward(np.ones((3, 1, 1)), np.array([[0.5]]), np.array([[8.0]]), zeros)
print(hs.ravel().round(4), cs.ravel().round(4))

# %% [markdown]
# <details>
# <summary>Hint 1: what has to survive from one step to the next?</summary>
#
# Two variables, `h` and `c`. They start as `h0` and `c0`, and every round replaces both.
#
# </details>
# <details>
# <summary>Hint 2: how do I take both results of a step?</summary>
#
# `h, c = lstm_step(x, h, c, params)` unpacks the tuple, in the order in which you return it.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# Two lists, one for the states and one for the cells; append to both in every round. After the loop,
# `np.stack` each and return the two arrays.
#
# </details>
#
# Allowed deviation: {{tolerance lstm_forward}}, also after sixty steps.

# %% nbgrader={"grade": true, "grade_id": "check-lstm_forward", "locked": true, "schema_version": 3, "solution": false}
check(lstm_forward)

# %% [markdown]
# **Watch it remember.** Not graded. Write 1 into the cell and wait 100 steps without input. The weights
# are zero except for the forget bias, the number that decides what happens when nothing is known. Guess
# first: how much is left for a bias of 0, 1, 2 and 5?

# %% tags=["skip-execution"]
for bias in (0.0, 1.0, 2.0, 5.0):
    waiting = {**zeros, "b_f": np.array([bias])}
    _, cs = lstm_forward(np.zeros((100, 1, 1)), np.zeros((1, 1)), np.ones((1, 1)), waiting)
    print(f"forget bias {bias:.0f}: f = {sigmoid(bias):.4f}, after 100 steps {cs[-1].item():.1e}")

# %% [markdown]
# <details>
# <summary>What it shows</summary>
#
# What is left after 100 steps is $f^{100}$. With bias 0 it is below $10^{-30}$, and even with bias 2
# hardly anything. Only when the gate is pushed very close to 1 does the cell hold. So an LSTM does not
# remember by itself: it has to *learn* to keep the gate open, and a forget bias of 1 at the start of
# training makes that easier.
#
# </details>
#
# ## 8. What it costs
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 8: <code>count_lstm_parameters</code></strong></p>
#
# 5 minutes · difficulty 1 of 5 · {{points count_lstm_parameters}}
#
# Why it matters: comparing two models is only fair when you know how big they are.
#
# </div>
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `input_size` | $D$ | integer | input size |
# | `hidden_size` | $H$ | integer | hidden size |
# | result | | integer | entries in all eight arrays of `params` together |
#
# Count **one bias per gate**, as in the equations of exercises 2 to 5: how many arrays are there, and how
# many entries has each? Reread:
# [counting parameters](../../book/lstm/what-the-lstm-costs.md#counting-lstm-parameters).


# %% nbgrader={"grade": false, "grade_id": "count_lstm_parameters", "locked": false, "schema_version": 3, "solution": true}
def count_lstm_parameters(input_size: int, hidden_size: int) -> int:
    """How many numbers an LSTM learns, with one bias per gate."""
    ### BEGIN SOLUTION
    return 4 * (input_size * hidden_size + hidden_size * hidden_size + hidden_size)
    ### END SOLUTION


# %% [markdown]
# **By hand.** The tiny LSTM has $D = H = 1$: four matrices of 1 × 2 and four biases of 1, so
# $8 + 4 = 12$. Both numbers below should be 12.

# %% tags=["skip-execution"]
print(count_lstm_parameters(1, 1), sum(value.size for value in tiny.values()))

# %% [markdown]
# <details>
# <summary>Hint: what does each product stand for?</summary>
#
# For one gate: $D H$ weights look at the input, $H H$ look at the state, and $H$ are biases. There are
# four such sets: three gates and the candidate. The cell itself has none.
#
# </details>
#
# Counts are exact: no deviation is allowed, and the result has to be an integer.

# %% nbgrader={"grade": true, "grade_id": "check-count_lstm_parameters", "locked": true, "schema_version": 3, "solution": false}
check(count_lstm_parameters)

# %% [markdown]
# ## 9. In your own words
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Question: why adding helps</strong></p>
#
# 20 minutes · difficulty 3 of 5 · {{points why-adding-helps}}, graded by a person
#
# **Why can an LSTM's cell carry a gradient over a hundred steps when a vanilla RNN's state, as a rule,
# cannot, and why does a new LSTM still fail to do so?**
#
# Look at the direct path from $c_{t-1}$ to $c_t$, with the gates taken as given numbers. What is its
# derivative, and what are the derivatives of a hundred such steps? Compare with one step of the vanilla
# RNN, $h_t = \tanh([h_{t-1}, x_t]\, W_h^\top + b_h)$. Then say what a forget bias of 0 does to a
# freshly made LSTM, with a number, and what a forget bias of 1 or more changes. Five to ten sentences;
# formulas are welcome.
#
# </div>

# %% [markdown] nbgrader={"grade": true, "grade_id": "why-adding-helps", "locked": false, "points": 4, "schema_version": 3, "solution": true}
# **Model answer.** With the gates as given, $c_t = f_t * c_{t-1} + i_t * \tilde c_t$ is linear in
# $c_{t-1}$, and its derivative is $\mathrm{diag}(f_t)$: no weight matrix, no slope of a squashing function.
# Over $k$ steps the path multiplies $f_t * f_{t-1} * \cdots$, each unit by itself. If a unit's gate
# stays at 0.99, $0.99^{100} = 0.37$ is left after 100 steps; at 1 nothing is lost. A step of the vanilla RNN has the
# derivative $\mathrm{diag}(1 - h_t^2)\, W_{hh}$. The slopes are at most 1 and usually well below, and the
# same matrix is multiplied in again and again, so the product shrinks or grows geometrically, and no input
# can decide otherwise for one unit and one stretch of time. The gate can, because it is computed anew in
# every step. A fresh LSTM has small weights and, with bias 0, $f \approx \sigma(0) = 0.5$. Then
# $0.5^{100} \approx 10^{-30}$: as little comes back on this path as in the RNN. With bias 1, $f \approx 0.73$, and
# with bias 3, 0.95. That does not reach 100 steps either, but the gradient of distant steps is large
# enough for training to find out that keeping the gate open pays.
#
# **Rubric, 4 points.** One point each, half points allowed:
#
# 1. *The path.* The derivative along the cell is $f_t$ (or $\mathrm{diag}(f_t)$), and over many steps
#    the product of the forget gates.
# 2. *The RNN.* Its derivative contains the recurrent matrix and the slope of tanh in every step, so the
#    product shrinks or grows geometrically.
# 3. *A fresh LSTM.* $f$ is near 0.5, with a number for what is left after some stated number of steps.
# 4. *The bias.* A larger forget bias brings $f$ nearer to 1 from the start (0.73 for 1), so that distant
#    gradients are large enough to learn from. Saying that the LSTM "remembers automatically"
#    loses this point.
#
# The other paths (through the gates and the state) may be left out. Do not take points off for language
# or length.
#
# **Graded sample A, 4 of 4.** "dc_t/dc_(t−1) = f, just a number per unit, so over 100 steps you get the
# product of 100 f's. For the RNN you get 100 times tanh' times W, tanh' ≤ 1, and unless W is special that
# goes to zero or explodes. But f is sigmoid of something, at the start about 0.5, and 0.5^100 = 8e-31, so
# no better. With b_f = 1 it is 0.73^100 = 2e-14. That is still small but for 20 steps it is 0.002 and
# not 1e-6, so it starts to learn to hold on and then f goes up." *Comment: all four points.*
#
# **Graded sample B, 2 of 4.** "The LSTM has a cell state like a conveyor belt where information flows
# unchanged, because it is added and not multiplied. The derivative of a sum is 1. In an RNN the
# gradients are multiplied by W and tanh' many times and vanish. The forget bias should be 1 so that the LSTM
# forgets less in the beginning, because sigmoid(1) = 0.73 is more than 0.5." *Comment: point 1 is wrong,
# the derivative is f and not 1. Point 2 earned. Point 3: 0.5 is named, what it does over many steps is
# not; half a point. Point 4: nearer to 1, but why that helps learning is missing; half a point.*

# %% [markdown]
# ## What you can do now
#
# - Write a sigmoid you never have to think about again.
# - Say what each of three gates does at 0 and at 1, and which array it acts on.
# - Write an LSTM step and its walk through time, with state and cell kept apart.
# - Explain why the cell *can* remember, and why it has to learn to.
#
# **If a check is not green yet**, read its message from the top: the first difference usually
# explains the rest. Fix the gates before the step and the step before the sequence, because later
# functions call earlier ones. Asking for help? Paste the check's message; it contains everything
# somebody needs to help you, and no solution.
#
# **What to read next.** The GRU keeps the idea with two gates and without a second array:
# [Two gates, one state](../../book/gru/two-gates.md), and the assignment `gru`.
