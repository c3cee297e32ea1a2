"""Linear regression in five exercises, each declared with its answer and its known mistakes."""

from __future__ import annotations

from functools import partial

import numpy as np

from autograder.checking.course import Course
from autograder.checking.record import Exercise, Inputs, Mistake, Probe
from autograder.checking.verdict import Section
from autograder.player.contract import Array, Arrays
from other_course.at_play import call_model

LINE = Section("line", "A line through points", "Linear regression")
DOWNHILL = Section("downhill", "Downhill, step by step", "Linear regression")

exercise = partial(
    Exercise, course="regression", assignment="regression", reference="the course's own NumPy"
)
"""Declares an exercise of this course."""


def points(rng: np.random.Generator, examples: int, features: int, *names: str) -> Inputs:
    """Random inputs and the parameters of a line, as far as they are among ``names``."""
    X, w = rng.standard_normal((examples, features)), rng.standard_normal(features)
    drawn = {"X": X, "y": rng.standard_normal(examples), "w": w, "b": rng.standard_normal(())}
    return {name: drawn[name] for name in names}


def sizes(*names: str) -> tuple[Probe, ...]:
    """The same questions with three sizes."""
    return (
        Probe("seven examples", lambda rng: points(rng, 7, 3, *names)),
        Probe("one example", lambda rng: points(rng, 1, 4, *names)),
        Probe("one feature", lambda rng: points(rng, 5, 1, *names)),
    )


def right_gradient(X, y, w, b):
    """By w and by b, of the mean squared error."""
    error = X @ w + b - y
    return 2 * X.T @ error / len(y), np.asarray(2 * error.mean())


def wrong_gradient(factor):
    """The gradient times ``factor(n)``."""

    def gradient(X, y, w, b):
        return tuple(np.asarray(factor(len(y)) * d) for d in right_gradient(X, y, w, b))

    return gradient


def wrong_model(forward):
    """A torch model with the right parameters, whose ``forward(X, w, b)`` is another."""

    def build(features):
        from torch import nn, zeros

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.w, self.b = nn.Parameter(zeros(features)), nn.Parameter(zeros(()))

            def forward(self, X):
                return forward(X, self.w, self.b)

        return Model()

    return build


PREDICT = exercise(
    name="predict",
    signature="predict(X, w, b) -> prediction",
    points=2,
    section=LINE,
    equation="prediction = X w + b",
    hints=("X @ w is one number for each example.",),
    returns=Array("prediction"),
    probes=sizes("X", "w", "b"),
    answer=lambda given: {"prediction": given["X"] @ given["w"] + given["b"]},
    mistakes=(
        Mistake("b is left out", "The line goes through 0.", lambda X, w, b: X @ w, LINE),
        Mistake("b is subtracted", "Its sign is wrong.", lambda X, w, b: X @ w - b, LINE),
    ),
)

GRADIENT = exercise(
    name="gradient",
    signature="gradient(X, y, w, b) -> dw, db",
    points=4,
    section=DOWNHILL,
    equation="error = X w + b - y, dw = 2/n Xᵀ error, db = 2 mean(error)",
    hints=("The error of each example meets its row of X.",),
    returns=Arrays(("dw", "db")),
    probes=sizes("X", "y", "w", "b"),
    answer=lambda given: dict(zip(("dw", "db"), right_gradient(**given), strict=True)),
    mistakes=(
        Mistake(
            "the sum in place of the mean",
            "A class twice as large takes steps twice as long.",
            wrong_gradient(lambda n: n),
            DOWNHILL,
        ),
        Mistake(
            "the 2 is left out",
            "The square has a derivative.",
            wrong_gradient(lambda n: 1 / 2),
            DOWNHILL,
        ),
        Mistake(
            "y minus the prediction",
            "This points uphill.",
            wrong_gradient(lambda n: -1),
            DOWNHILL,
        ),
    ),
    builds_on=("predict",),
)

DESCEND = exercise(
    name="descend",
    signature="descend(params, grads, rate) -> params",
    points=1,
    section=DOWNHILL,
    equation="params - rate * grads",
    hints=("Against the gradient.",),
    returns=Array("params"),
    probes=(
        Probe(
            "five numbers",
            lambda rng: {"params": rng.normal(size=5), "grads": rng.normal(size=5), "rate": 0.1},
        ),
    ),
    answer=lambda given: {"params": given["params"] - given["rate"] * given["grads"]},
    mistakes=(
        Mistake(
            "uphill",
            "It adds the gradient.",
            lambda params, grads, rate: params + rate * grads,
            DOWNHILL,
        ),
        Mistake(
            "rate is not used",
            "Its step is too long.",
            lambda params, grads, rate: params - grads,
            DOWNHILL,
        ),
    ),
)

SIGMOID = exercise(
    name="sigmoid",
    signature="sigmoid(x) -> share",
    points=1,
    section=LINE,
    equation="1 / (1 + exp(-x))",
    hints=("np.exp takes a whole array.",),
    returns=Array("share"),
    probes=(Probe("a table", lambda rng: {"x": rng.standard_normal((2, 3))}),),
    answer=lambda given: {"share": 1 / (1 + np.exp(-given["x"]))},
    mistakes=(
        Mistake("x without its minus", "It falls.", lambda x: 1 / (1 + np.exp(x)), LINE),
        Mistake("tanh", "It lies between -1 and 1.", np.tanh, LINE),
    ),
)

LINEAR_MODEL = exercise(
    name="LinearModel",
    signature="class LinearModel(nn.Module): __init__(features), forward(X)",
    points=2,
    section=LINE,
    equation="prediction = X w + b, with nn.Parameter w (features,) and b ()",
    hints=("nn.Parameter(torch.zeros(features)) can be trained.",),
    returns=Array("prediction"),
    probes=sizes("X", "w", "b"),
    answer=lambda given: {
        **PREDICT.answer(given),
        "gradient of w": given["X"].sum(axis=0),
        "gradient of b": np.asarray(float(len(given["X"]))),
    },
    mistakes=(
        Mistake(
            "b is subtracted", "Its sign is wrong.", wrong_model(lambda X, w, b: X @ w - b), LINE
        ),
        Mistake(
            "a detached w",
            "No gradient reaches what is detached.",
            wrong_model(lambda X, w, b: X @ w.detach() + b),
            LINE,
        ),
    ),
    call=call_model,
    needs_torch=True,
)

COURSE = Course(
    name="regression",
    package="regression-course",
    assignments={"regression": (PREDICT, GRADIENT, DESCEND, SIGMOID, LINEAR_MODEL)},
    at_play=("other_course.at_play",),
    packages=("pandas",),
)
