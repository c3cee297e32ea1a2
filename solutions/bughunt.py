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
# # Find the broken cells
#
# Nine GRU cells in nine black boxes. You may put anything in and look at what comes out, and you may
# not look inside. Most of them are broken, each in one way; some are right and only written
# differently. Which ones? You prove it with as few numbers as possible, and say what is wrong.
#
# About two hours in nine steps, {{points bughunt}}. The equations are those of
# [Two gates, one state](../../book/gru/two-gates.md); nothing else is needed, and nothing has to be
# trained.
#
# **How to work.** For each box you write a *bug report*: a function that returns the name of the
# mistake and the inputs that show it. Run the `check` below it as often as you like. It runs the box
# and the right cell on your inputs, and says what can be seen there and, if nothing can, why not.
#
# **How points are counted.** A report on a **broken** box earns four points, one each: your inputs
# expose the box (the two states differ by at least 0.01); the mistake is named; you need at most
# twice as many numbers as necessary; you need no number too many. Only numbers that are *not zero*
# count; the fewest that will do are called *par*, as in golf, and the check tells you par once a box
# is exposed. A report on a **correct** box earns its four points by acquitting it, on evidence: one for
# accusing nobody, and three for inputs on which every suspect in the step, in the gates and in the
# candidate would have shown. Accusing a correct box earns nothing, and neither does a report whose
# inputs show nothing.
#
# **About the boxes.** They are the same here and in grading, so what the check says is what you get.
# A notebook can hide nothing from somebody who wants to look: the boxes are packed, not locked, and
# a name can be found by trying all of them. You would only spoil your own hunt.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false} tags=["hide-input"]
# {{setup}}
import base64
import bz2
import json

import numpy as np
from IPython.display import HTML

from autograder import check

Params = dict[str, np.ndarray]
Report = tuple[str, np.ndarray, np.ndarray, Params]

# %% [markdown]
# ## What you are given
#
# **The right cell**, in the course's convention: $z$ near 1 *replaces*, $r$ acts on the state
# *before* the matrix product, and the columns of every matrix have the **hidden part first**.
#
# $$z = \sigma\left([h_{t-1}, x_t]\, W_z^\top + b_z\right)$$
#
# $$r = \sigma\left([h_{t-1}, x_t]\, W_r^\top + b_r\right)$$
#
# $$\tilde h = \tanh\left([r * h_{t-1}, x_t]\, W_h^\top + b_h\right)$$
#
# $$h_t = (1 - z) * h_{t-1} + z * \tilde h$$
#
# | code name | symbol | shape | meaning |
# |---|---|---|---|
# | `x` | $x_t$ | (B, D) | input of this step |
# | `h_prev` | $h_{t-1}$ | (B, H) | state before this step |
# | `params` | $W_z, b_z, W_r, b_r, W_h, b_h$ | (H, H + D) and (H,) | a dict, keys `"W_z"`, `"b_z"`, … |


# %% nbgrader={"grade": false, "grade_id": "right-cell", "locked": true, "schema_version": 3, "solution": false}
def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a)) for each entry of a, any shape."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(a, dtype=np.float64)))


def right_cell(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """The state after one step, (B, H), as the course has it."""
    joined = np.concatenate([h_prev, x], axis=1)
    z = sigmoid(joined @ params["W_z"].T + params["b_z"])
    r = sigmoid(joined @ params["W_r"].T + params["b_r"])
    joined_reset = np.concatenate([r * h_prev, x], axis=1)
    candidate = np.tanh(joined_reset @ params["W_h"].T + params["b_h"])
    return (1 - z) * h_prev + z * candidate


# %% [markdown]
# **The boxes**, `boxes["A"]` to `boxes["I"]`: functions that are called like `right_cell`, with any
# B, D and H. The next cell unpacks them from a text, and defines the picture used below. There is
# nothing in it that you need to read.

# %% nbgrader={"grade": false, "grade_id": "boxes", "locked": true, "schema_version": 3, "solution": false} tags=["hide-input"]
KEYS = ("W_z", "b_z", "W_r", "b_r", "W_h", "b_h")

PACKED = """
{{boxes all}}
"""


def _unpacked(letter: str, steps: list):
    """The cell that takes these steps, each on the results of earlier ones."""

    def box(x: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
        H = h_prev.shape[1]
        others = {
            "T": lambda a: a.T,
            "first": lambda a: a[:, :H],
            "others": lambda a: a[:, H:],
            "beside": lambda *parts: np.concatenate(parts, axis=1),
            "below": lambda *parts: np.concatenate(parts, axis=0),
        }
        found = [x, h_prev, *(params[key] for key in KEYS)]
        for name, *parts in steps:
            operands = [found[part] if isinstance(part, int) else part for part in parts]
            found.append((others.get(name) or getattr(np, name))(*operands))
        return found[-1]

    box.__name__ = box.__qualname__ = f"box_{letter}"
    return box


boxes = {
    letter: _unpacked(letter, steps)
    for letter, steps in json.loads(
        bz2.decompress(base64.decodebytes(PACKED.strip().encode()))
    ).items()
}

INK = "var(--gm-ink, var(--jp-content-font-color1, #1d2327))"
QUIET = "var(--gm-muted, var(--jp-content-font-color2, #5a646c))"
LINE = "var(--gm-line, var(--jp-border-color1, #cdd5da))"
GREEN = "var(--gm-gru, #0b7a6b)"
RED = "var(--gm-update, #b4235f)"
FONT = "var(--pst-font-family-heading, var(--jp-ui-font-family, sans-serif))"


def _grid(name: str, array: np.ndarray, after: int = 0) -> str:
    """An array as a grid in which the numbers that are not zero stand out."""
    rows = np.atleast_2d(array)
    squares = ""
    for row in rows:
        for column, number in enumerate(row):
            gap = "margin-left:.5em;" if after and column == after else ""
            look = f"border:1px solid {LINE};color:{QUIET};"
            if number:
                look = f"border:2px solid {GREEN};font-weight:700;color:{INK};"
            squares += (
                f'<span style="{gap}{look}border-radius:3px;text-align:center;'
                f'padding:.15em 0;line-height:1.3">{number:.2g}</span>'
            )
    widths = " ".join("3.1em" if after and i == after else "2.6em" for i in range(rows.shape[1]))
    return (
        f'<div><div style="font-size:.9em;color:{QUIET};margin-bottom:.2em">{name}</div>'
        f'<div style="display:grid;grid-template-columns:{widths};gap:3px;font-size:.85em">'
        f"{squares}</div></div>"
    )


def _bar(name: str, state: np.ndarray, color: str) -> str:
    """The states of all units as bars from -1 to 1."""
    bars = ""
    for number in state.ravel():
        width = 50 * min(abs(float(number)), 1.0)
        left = 50 if number >= 0 else 50 - width
        bars += (
            f'<div style="display:flex;align-items:center;gap:.6em"><div style="position:relative;'
            f"flex:1 1 8em;max-width:16em;height:.8em;border-left:1px solid {LINE};"
            f'border-right:1px solid {LINE}"><div style="position:absolute;left:50%;top:-2px;'
            f'bottom:-2px;border-left:1px solid {QUIET}"></div><div style="position:absolute;'
            f'left:{left:.1f}%;width:{width:.1f}%;top:0;bottom:0;background:{color}"></div></div>'
            f'<span style="min-width:4.5em">{number:.4f}</span></div>'
        )
    return (
        f'<div style="display:flex;gap:.8em;align-items:center;margin:.25em 0">'
        f'<span style="min-width:6em;color:{INK}">{name}</span>'
        f'<div style="flex:1 1 auto">{bars}</div></div>'
    )


def show(letter: str, x: np.ndarray, h_prev: np.ndarray, params: Params) -> HTML:
    """A picture of the inputs, and of the states that the right cell and a box make of them."""
    H = h_prev.shape[1]
    grids = _grid("x", x) + _grid("h_prev", h_prev)
    for key in KEYS:
        matrix = key[0] == "W"
        grids += _grid(f"{key} [h, x]" if matrix else key, params[key], H if matrix else 0)
    bars = _bar("right cell", right_cell(x, h_prev, params), GREEN)
    bars += _bar(f"box {letter}", boxes[letter](x, h_prev, params), RED)
    return HTML(
        f'<div style="color:{INK};font-family:{FONT};max-width:46rem;margin:.5rem 0"><div style="display:flex;'
        f'flex-wrap:wrap;gap:.7em 1.4em;margin-bottom:.9em">{grids}</div>{bars}</div>'
    )


def table(head: tuple, rows: list) -> HTML:
    """Rows of a text and a count, the count also as a bar."""
    most = max(count for _, count in rows)
    lines = "".join(
        f'<tr><td style="text-align:left">{text}</td><td style="text-align:left;width:45%">'
        f'<span style="display:inline-block;height:.75em;width:{70 * count / most:.0f}%;'
        f'background:{GREEN};margin-right:.5em"></span>{count}</td></tr>'
        for text, count in rows
    )
    titles = "".join(f'<th scope="col" style="text-align:left">{title}</th>' for title in head)
    return HTML(
        f'<table class="table" style="width:100%;max-width:46rem"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


# %% [markdown]
# **Four tools.** `empty` and `generic` make inputs, `count` counts the numbers that are not zero,
# `apart` says by how much a box is off. `show(letter, x, h_prev, params)` draws all of it.


# %% nbgrader={"grade": false, "grade_id": "tools", "locked": true, "schema_version": 3, "solution": false}
def empty(B: int = 1, D: int = 1, H: int = 1) -> tuple[np.ndarray, np.ndarray, Params]:
    """x, h_prev and params of these sizes, all zero, for you to fill."""
    params = {key: np.zeros((H, H + D) if key[0] == "W" else H) for key in KEYS}
    return np.zeros((B, D)), np.zeros((B, H)), params


def generic(
    B: int = 2, D: int = 3, H: int = 4, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, Params]:
    """x, h_prev and params of these sizes, no number zero and no two alike."""
    rng = np.random.default_rng(seed)
    x, h_prev, params = empty(B, D, H)
    params = {key: rng.normal(size=value.shape) for key, value in params.items()}
    return rng.normal(size=x.shape), rng.uniform(-1, 1, h_prev.shape), params


def count(x: np.ndarray, h_prev: np.ndarray, params: Params) -> int:
    """How many numbers are not zero."""
    return int(sum(np.count_nonzero(array) for array in (x, h_prev, *params.values())))


def apart(letter: str, x: np.ndarray, h_prev: np.ndarray, params: Params) -> float:
    """The largest difference between the states of a box and of the right cell."""
    difference = boxes[letter](x, h_prev, params) - right_cell(x, h_prev, params)
    return float(np.abs(difference).max())


# %% [markdown]
# ## A test that passes
#
# Here is how a cell is often tested. The layer is fresh, and its biases start at zero, as in Keras.
# The sequence has just begun, so the state is zero too. Two hundred random draws, and all nine
# boxes are compared with the right cell. How many look right?


# %% nbgrader={"grade": false, "grade_id": "what-hides", "locked": true, "schema_version": 3, "solution": false}
def looks_right(letter: str, change, tolerance: float = 1e-9, **sizes: int) -> bool:
    """Whether a box agrees with the right cell on twenty draws, each changed in some way."""
    return all(
        apart(letter, *change(*generic(**sizes, seed=seed))) < tolerance for seed in range(20)
    )


def times(x: float = 1, h: float = 1, W: float = 1, b: float = 1):
    """A change of inputs: each kind of number is multiplied."""
    factor = {"W": W, "b": b}
    return lambda x_t, h_prev, params: (
        x * x_t,
        h * h_prev,
        {key: factor[key[0]] * value for key, value in params.items()},
    )


tests = {
    "state and biases zero: a fresh layer's first step": (times(h=0, b=0), {}),
    "state zero": (times(h=0), {}),
    "biases zero": (times(b=0), {}),
    "input zero": (times(x=0), {}),
    "one unit, H = 1": (times(), {"H": 1}),
    "tiny weights and biases, 0.01, tolerance 0.001": (times(W=0.01, b=0.01), {"tolerance": 1e-3}),
    "nothing zero, H = 4": (times(), {}),
}
rows = []
for name, (change, options) in tests.items():
    rows.append((name, sum(looks_right(letter, change, **options) for letter in boxes)))
table(("what the test feeds", "boxes that look right, of nine"), rows)

# %% [markdown]
# Two of the nine are correct, as the last line shows: there nothing hides. On the first line, the test
# that comes to mind first, five broken cells pass. **A test that passes proves no more than it would
# have caught.** What hides where:
#
# | what is zero or missing | what cannot show |
# |---|---|
# | the state | what is kept of it, and all that the reset gate does |
# | the biases | a forgotten or misplaced bias |
# | the input | a gate or a candidate that ignores it |
# | a second unit | a transpose, the order of products, a gate applied to the wrong unit |
# | size | everything: near zero $\sigma$ is $\frac12$ and tanh is a straight line |
#
# Two uses of inputs follow from this. To **acquit**, use inputs on which any mistake would show:
# nothing zero, nothing alike, several units. To **accuse**, do the opposite: take away all that is
# not needed, until what is left points at the mistake. A report with three numbers in it is one that
# somebody else can follow with pencil and paper.
#
# ## How to hunt
#
# **1. Does it differ at all?** Generic inputs first. If ten draws agree to the last digit, think of
# acquittal.
#
# **2. Start from nothing.** With all numbers zero both gates stand at $\frac12$ and the candidate at
# 0, so $h_t = \frac12 h_{t-1}$. Each number you add moves one thing, and you know which way:
#
# | you set | then the right cell gives |
# |---|---|
# | only `h_prev` | half of it |
# | `h_prev`, a large `b_z` | nothing of it: $z = 1$ replaces |
# | `h_prev`, a large negative `b_z` | all of it: $z = 0$ keeps |
# | only `b_h` | $\frac12 \tanh b_h$ |
# | `x` and a weight in the last columns of `W_h` | $\frac12 \tanh(w x)$ |
# | `h_prev` and a weight in the first columns of `W_h` | $\frac12 h_{t-1} + \frac12 \tanh(\frac12 w\, h_{t-1})$ |
#
# **3. Or start from everything and take away.** From generic inputs that show a difference, set one
# number after the other to zero and keep what still shows it. What cannot be taken away is needed.
#
# **4. Ask for relations instead of values.** Two units that swap places in all arrays must swap in
# the result. A batch must give what its examples give alone. You can check these without knowing a
# single right number.
#
# **5. Predict, then look.** For each suspect that is left, work out what *it* would give. Inputs on
# which two suspects predict different states tell them apart.
#
# ### The suspects
#
# One of these is what is wrong with a broken box. They come from the
# [mistakes we know](../../book/back/mistakes.md): in bold the name, below it what a check says to
# whoever made the mistake. In a report, use the name word for word, for instance `"old state
# missing"`; for a box that is right, write `"correct"`.
#
# **In the step**
#
# {{suspects step}}
#
# **In the gates**
#
# {{suspects gates}}
#
# **In the candidate**
#
# {{suspects candidate}}

# %% [markdown]
# ## Box A, together
#
# Is it broken? Ten generic draws:

# %% nbgrader={"grade": false, "grade_id": "a-differs", "locked": true, "schema_version": 3, "solution": false}
print([round(apart("A", *generic(seed=seed)), 2) for seed in range(10)])

# %% [markdown]
# It is. Now start from nothing, and set one number at a time. The state first, then each bias:

# %% nbgrader={"grade": false, "grade_id": "a-one-number", "locked": true, "schema_version": 3, "solution": false}
for key in ("h_prev", "b_z", "b_r", "b_h"):
    x, h_prev, params = empty()
    array = h_prev if key == "h_prev" else params[key]
    array[...] = 2.0
    print(f"{key:6} = 2 alone: difference {apart('A', x, h_prev, params):.4f}")

# %% [markdown]
# One number is enough, and it is $b_h$. The right cell gives $\frac12 \tanh 2$. The box gives:

# %% nbgrader={"grade": false, "grade_id": "a-picture", "locked": true, "schema_version": 3, "solution": false}
x, h_prev, params = empty()
params["b_h"][0] = 2.0
show("A", x, h_prev, params)

# %% [markdown]
# Zero: to this candidate, $b_h$ does not exist. Who on the list would do that? *Bias missing*, of
# course. But also *the reset gate's weights*: a candidate that reads $W_r$ and $b_r$ does not look at
# $b_h$ either. The report's inputs cannot tell the two apart, other inputs can. Set $b_r$ alone. With
# the reset gate's weights the box would give $\frac12 \tanh 2$, with a missing bias 0:

# %% nbgrader={"grade": false, "grade_id": "a-who", "locked": true, "schema_version": 3, "solution": false}
x, h_prev, params = empty()
params["b_r"][0] = 2.0
print("right cell", right_cell(x, h_prev, params), "box A", boxes["A"](x, h_prev, params))


# %% [markdown]
# So the bias is missing. The report on box A, which is not graded, is three lines:


# %% nbgrader={"grade": false, "grade_id": "report-a", "locked": true, "schema_version": 3, "solution": false}
def report_a() -> Report:
    """What is wrong with box A, and the smallest inputs that show it."""
    x, h_prev, params = empty()
    params["b_h"][0] = 2.0
    return "in the candidate: bias missing", x, h_prev, params


# %% [markdown]
# **Rules for all reports.** Sizes B, D and H from 1 to 4, numbers from −10 to 10. Zeros are free, so
# a second unit costs nothing by itself. Functions are called several times and have to return the
# same each time. If you search with random numbers, fix the seed.
#
# Now it is your turn. The boxes get harder; every one comes with what its owner says about it.
#
# ## 1. Box B
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 1: <code>report_b</code></strong></p>
#
# 10 minutes · difficulty 1 of 5 · {{points report_b}}
#
# Its owner says: “I tested it on the first step of a thousand sequences, from $h_0 = 0$. Not a digit is off.”
#
# </div>


# %% nbgrader={"grade": false, "grade_id": "report_b", "locked": false, "schema_version": 3, "solution": true}
def report_b() -> Report:
    """What is wrong with box B, or "correct", and inputs that show it."""
    ### BEGIN SOLUTION
    x, h_prev, params = empty()
    h_prev[0, 0] = 1.0  # the right cell leaves 1/2 of it, the box 1/4: once r, once 1 - z
    return "reset state blended", x, h_prev, params
    ### END SOLUTION


# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# With `empty()` and one number. `show("B", x, h_prev, params)` draws what both cells make of it.
#
# </details>
# <details>
# <summary>Hint 2: and then?</summary>
#
# The owner's test had no state. Put 1 into `h_prev`. The right cell leaves $\frac12$ of it. What does
# the box leave, and as a product of what?
#
# </details>

# %% nbgrader={"grade": true, "grade_id": "check-report_b", "locked": true, "schema_version": 3, "solution": false}
check(report_b)

# %% [markdown]
# ## 2. Box C
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 2: <code>report_c</code></strong></p>
#
# 10 minutes · difficulty 2 of 5 · {{points report_c}}
#
# Its owner says: “It trains. The loss falls on every task I gave it.”
#
# </div>


# %% nbgrader={"grade": false, "grade_id": "report_c", "locked": false, "schema_version": 3, "solution": true}
def report_c() -> Report:
    """What is wrong with box C, or "correct", and inputs that show it."""
    ### BEGIN SOLUTION
    x, h_prev, params = empty()
    h_prev[0, 0] = 1.0
    params["b_z"][0] = 3.0  # should replace the state; in the box b_r does
    return "update and reset gates exchanged", x, h_prev, params
    ### END SOLUTION


# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# One gate at a time. With zero weights a bias alone says where its gate stands. A state has to be
# there as well, or there is nothing to keep or to replace.
#
# </details>
# <details>
# <summary>Hint 2: and then?</summary>
#
# With a large `b_z` and some `h_prev`, the box behaves as if there were no `b_z`. That fits a
# missing bias, and others. Whom does the box obey instead? Move `b_r` in its place and look.
#
# </details>

# %% nbgrader={"grade": true, "grade_id": "check-report_c", "locked": true, "schema_version": 3, "solution": false}
check(report_c)

# %% [markdown]
# ## 3. Box D
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 3: <code>report_d</code></strong></p>
#
# 10 minutes · difficulty 2 of 5 · {{points report_d}}
#
# Its owner says: “I write it the way PyTorch does: first what is kept, then the rest.”
#
# </div>


# %% nbgrader={"grade": false, "grade_id": "report_d", "locked": false, "schema_version": 3, "solution": true}
def report_d() -> Report:
    """What is wrong with box D, or "correct", and inputs that show it."""
    ### BEGIN SOLUTION
    # 1 - sigmoid(a) = sigmoid(-a): its share to keep is the right one.
    return "correct", *generic()
    ### END SOLUTION


# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# With generic inputs. Does it differ from the right cell? On how many draws of a hundred?
#
# </details>
# <details>
# <summary>Hint 2: and then?</summary>
#
# If it never differs, it is up to your inputs to prove something. Every suspect on the list has to show on them:
# nothing zero, several units, several examples, numbers large enough. This report may be long.
#
# </details>

# %% nbgrader={"grade": true, "grade_id": "check-report_d", "locked": true, "schema_version": 3, "solution": false}
check(report_d)

# %% [markdown]
# ## 4. Box E
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 4: <code>report_e</code></strong></p>
#
# 15 minutes · difficulty 2 of 5 · {{points report_e}}
#
# Its owner says: “Weights of about 0.0001, tolerance a thousandth: it passes.”
#
# </div>


# %% nbgrader={"grade": false, "grade_id": "report_e", "locked": false, "schema_version": 3, "solution": true}
def report_e() -> Report:
    """What is wrong with box E, or "correct", and inputs that show it."""
    ### BEGIN SOLUTION
    x, h_prev, params = empty()
    x[0, 0] = 1.0
    params["W_h"][0, 1] = 2.0  # half of tanh 2 is right; the box gives half of tanh 1
    return "in the candidate: reset gate applied to state and input", x, h_prev, params
    ### END SOLUTION


# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# Try `h_prev` alone, then `x` with one weight in each of the three matrices. Remember the order of
# the columns: hidden part first, so with one unit the input's weight is at `[0, 1]`.
#
# </details>
# <details>
# <summary>Hint 2: and then?</summary>
#
# The input reaches the candidate only by half, as if it had met a gate. Does the state's share meet
# it too? Work out what each suspect gives for `h_prev` and a weight at `[0, 0]`.
#
# </details>

# %% nbgrader={"grade": true, "grade_id": "check-report_e", "locked": true, "schema_version": 3, "solution": false}
check(report_e)

# %% [markdown]
# ## 5. Box F
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 5: <code>report_f</code></strong></p>
#
# 15 minutes · difficulty 3 of 5 · {{points report_f}}
#
# Its owner says: “I compared it with a library's layer, both straight after they were made. Identical.”
#
# </div>


# %% nbgrader={"grade": false, "grade_id": "report_f", "locked": false, "schema_version": 3, "solution": true}
def report_f() -> Report:
    """What is wrong with box F, or "correct", and inputs that show it."""
    ### BEGIN SOLUTION
    x, h_prev, params = empty()
    h_prev[0, 0] = 1.0
    params["b_r"][0] = 3.0  # should open the gate; in the box it stays at 1/2
    params["W_h"][0, 0] = 2.0
    return "in the reset gate: bias missing", x, h_prev, params
    ### END SOLUTION


# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# In many libraries something is zero in a layer straight after it was made, and in no trained one.
# The table in “A test that passes” has a line for it.
#
# </details>
# <details>
# <summary>Hint 2: and then?</summary>
#
# Some mistakes need company. What the reset gate does shows only where three things meet: the gate
# has moved away from $\frac12$, there is an old state, and the candidate has a weight that reads it.
#
# </details>

# %% nbgrader={"grade": true, "grade_id": "check-report_f", "locked": true, "schema_version": 3, "solution": false}
check(report_f)

# %% [markdown]
# ## 6. Box G
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 6: <code>report_g</code></strong></p>
#
# 20 minutes · difficulty 4 of 5 · {{points report_g}}
#
# Its owner says: “I worked through an example by hand, one unit and one input, to six digits.”
#
# </div>


# %% nbgrader={"grade": false, "grade_id": "report_g", "locked": false, "schema_version": 3, "solution": true}
def report_g() -> Report:
    """What is wrong with box G, or "correct", and inputs that show it."""
    ### BEGIN SOLUTION
    x, h_prev, params = empty(H=2)
    h_prev[0, 1] = 1.0
    params["W_h"][0, 1] = 2.0  # unit 1 is read by unit 0
    params["b_r"][0] = 3.0  # unit 0's gate must not matter to what unit 1 hands on
    return "in the candidate: reset after the matrix product", x, h_prev, params
    ### END SOLUTION


# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# With what the owner did not have. In the candidate, what can go wrong between two units that cannot
# go wrong within one?
#
# </details>
# <details>
# <summary>Hint 2: and then?</summary>
#
# Let one unit's old state reach the other through a weight off the diagonal, and give the two units
# different reset gates. Which of the two gates should count, and which one does?
#
# </details>

# %% nbgrader={"grade": true, "grade_id": "check-report_g", "locked": true, "schema_version": 3, "solution": false}
check(report_g)

# %% [markdown]
# ## 7. Box H
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 7: <code>report_h</code></strong></p>
#
# 10 minutes · difficulty 2 of 5 · {{points report_h}}
#
# Its owner says: “Both gates from one matrix product. It is faster, and nobody believes me.”
#
# </div>


# %% nbgrader={"grade": false, "grade_id": "report_h", "locked": false, "schema_version": 3, "solution": true}
def report_h() -> Report:
    """What is wrong with box H, or "correct", and inputs that show it."""
    ### BEGIN SOLUTION
    # W_r and W_z stacked, one product, then cut: the same sums in another order.
    return "correct", *generic(seed=1)
    ### END SOLUTION


# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# What would you do with a cell of which you knew nothing at all? Do that.
#
# </details>
# <details>
# <summary>Hint 2: and then?</summary>
#
# What comes out on generic inputs decides, whatever the owner says. If box and right cell agree, you
# have met this situation before.
#
# </details>

# %% nbgrader={"grade": true, "grade_id": "check-report_h", "locked": true, "schema_version": 3, "solution": false}
check(report_h)

# %% [markdown]
# ## 8. Box I
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Exercise 8: <code>report_i</code></strong></p>
#
# 20 minutes · difficulty 5 of 5 · {{points report_i}}
#
# Its owner says: “One unit: right. First step: right. Two units, one of them silent: right. What more do you want?”
#
# </div>


# %% nbgrader={"grade": false, "grade_id": "report_i", "locked": false, "schema_version": 3, "solution": true}
def report_i() -> Report:
    """What is wrong with box I, or "correct", and inputs that show it."""
    ### BEGIN SOLUTION
    x, h_prev, params = empty(H=2)
    h_prev[0] = 1.0
    params["W_r"][0, 1] = 3.0  # unit 1 opens the gate of unit 0; in the box 0 opens that of 1
    params["W_h"][0, 0] = 2.0  # and only unit 0's gate is looked at
    return "in the reset gate: recurrent block not transposed", x, h_prev, params
    ### END SOLUTION


# %% [markdown]
# <details>
# <summary>Hint 1: where do I start?</summary>
#
# From everything. Find generic inputs that differ by 0.01 or more (try several seeds), then set whole
# arrays to zero. Which ones can go without the difference going too?
#
# </details>
# <details>
# <summary>Hint 2: and then?</summary>
#
# So as for box F you need an old state and a weight of the candidate that reads it. The gate's bias
# is all right. What is left is its matrix: give it a single weight off the diagonal.
#
# </details>
# <details>
# <summary>Hint 3: almost there</summary>
#
# A weight at `[0, 1]` leads from unit 1 to the gate of unit 0. For that you need a state in unit 1,
# and for the gate to matter, one in unit 0 too. Then ask which unit's gate has moved.
#
# </details>

# %% nbgrader={"grade": true, "grade_id": "check-report_i", "locked": true, "schema_version": 3, "solution": false}
check(report_i)

# %% [markdown]
# **What you can do with it.** Not graded. Taking away can be left to the computer: from inputs that
# show a difference, set every number to zero in turn, and put it back where the box then no longer
# differs. Write that loop, let it loose on box A from `generic(B=1, D=2, H=2)`, which has 34 numbers,
# and then on the others. Guess first: does it always end at par?
#
# <details>
# <summary>What to see</summary>
#
# On box A one number is left, $b_h$, whatever you start from. On others it often stops above par: no
# *single* number can go, although two together could. Another order or another seed helps. And it
# never finds a name: what is left is where you start to think. Programmers know the method as *delta
# debugging*; Hypothesis, a library for tests, calls it *shrinking*.
#
# </details>

# %% [markdown]
# ## 9. In your own words
#
# <div class="admonition gm-exercise">
# <p class="admonition-title"><strong>Question: a test worth passing</strong></p>
#
# 20 minutes · difficulty 3 of 5 · {{points good-test}}, graded by a person
#
# Somebody tests a GRU cell against a library: one step, $h_0 = 0$, H = D = 3, the biases of a fresh
# layer (zero), weights of about 0.01, tolerance 0.001. All tests pass.
#
# **(a)** Name two different mistakes that pass this test, and say for each which choice hides it.
#
# **(b)** Which inputs would you choose instead, and what is each choice for?
#
# **(c)** Name one property of the cell that can be tested without a reference, and a mistake that it
# would find.
#
# Six to twelve sentences.
#
# </div>

# %% [markdown] nbgrader={"grade": true, "grade_id": "good-test", "locked": false, "points": 4, "schema_version": 3, "solution": true}
# **Model answer.** (a) A reset gate that is not applied, or applied after the product: with
# $h_0 = 0$ there is no old state for it to act on. A bias that is missing or added in the wrong
# place: all biases are zero. Also hidden by $h_0 = 0$: the share $1 - z$ of the old state forgotten, a
# recurrent block that is not transposed, and, since there is one step, a state that is not handed on.
#
# (b) A state that is not zero, so that what is kept and what is reset shows. Biases that are not zero
# and not equal, so that none can be missing or exchanged. Several units and B, D, H all different,
# so that transposes and swapped axes raise an error or change the result. Weights of about 1, so
# that gates move away from $\frac12$ and tanh bends. Two or more steps, so that a state that is not
# handed on shows. A tolerance near rounding, $10^{-10}$ in float64: wrong cells are off by
# $10^{-2}$ or more, right ones by $10^{-15}$, so nothing is lost by being strict.
#
# (c) For instance: with a large negative $b_z$ the cell must return $h_{t-1}$ unchanged. It finds
# a cell in which $z$ and $1 - z$ are swapped. Or: units renumbered in all arrays give the renumbered
# state, which finds a softmax over units or an ordering by unit that should not be there; a batch
# gives what its examples give one by one, which finds sums over the batch axis; with $W_h = 0$ the
# reset gate's parameters must not matter, which finds exchanged gates.
#
# **Rubric, 4 points.** One point each, half points allowed:
#
# 1. *Mistakes that hide.* Two different ones, both really invisible to this test. Half a point for
#    one.
# 2. *The reason.* For each of them the choice that hides it is named and is the right one. "The test
#    is too small" is no reason.
# 3. *Better inputs.* At least three of: state not zero; biases not zero; several units or different
#    sizes; weights of size 1; several steps; strict tolerance. Each with what it is for; half a point
#    for a list without purposes.
# 4. *A property.* One that holds for every right cell and needs no second implementation (half a
#    point), with a mistake that violates it (half a point).
#
# Do not take points off for language or length, nor for using names of their own for mistakes.
#
# **Graded sample A, 4 of 4.** "(a) If someone forgets the reset gate you don't see it because
# h0 = 0 and r only multiplies h. If someone forgets b_z you don't see it because it's 0 anyway.
# (b) I would draw h0 at random so the old state matters, biases at random too so that each one
# counts, and use B=2, D=3, H=5, so no matrix is square by accident. Weights around 1, since with
# 0.01 every gate is 0.5. (c) Set b_z = −30. Then z = 0 and the output has to be h_prev for any x.
# Whoever mixed up z and 1−z gets the candidate instead." *Comment: all four points.*
#
# **Graded sample B, 2 of 4.** "(a) They could have forgotten the reset gate or a bias. The test
# is just too easy, it only does one step. (b) Use random numbers for everything instead of
# zeros, more steps, bigger weights, and test many times. (c) The output should always be between
# −1 and 1." *Comment: point 1 earned. Point 2: nothing; one step is not what hides these two. Point
# 3: half, a good list, but nothing is said about what each choice is for. Point 4: half; true for
# states that start in (−1, 1), but no mistake is named.*

# %% [markdown]
# ## What you can do now
#
# - Say what a test would have caught before you believe that it passed.
# - Choose inputs that hide nothing, to acquit; and inputs with almost nothing in them, to accuse.
# - Reduce a failure to a few numbers that somebody else can follow by hand.
# - Tell two suspicions apart by inputs on which they predict different results.
#
# **If a check is not green yet**, read which part of the report is off. Nothing is exposed: its
# message says what your inputs lack, and it has tried. Exposed, but not named: work out on paper what
# two suspects give for your inputs. Too many numbers: set them to zero one by one.
#
# **What to read next.** [Mistakes we know](../../book/back/mistakes.md) lists every mistake that this
# course's checks recognize; the checks draw inputs as you now would. In
# [One GRU, many spellings](../../book/gru/many-spellings.md) the cells differ too, and all are right.
