# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Fit a line
#
# Five functions, {{points regression}}. Write each where it says `YOUR CODE HERE`.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
# {{setup}}
import numpy as np
import torch

from autograder import check

# %% [markdown]
# ## The line, {{points predict}}
#
# `X` holds an example in each row; `w` has an entry for each column, `b` is one number.


# %% nbgrader={"grade": false, "grade_id": "predict", "locked": false, "schema_version": 3, "solution": true}
def predict(X, w, b):
    """X: (examples, features), w: (features,), b: () -> (examples,)"""
    ### BEGIN SOLUTION
    return X @ w + b
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-predict", "locked": true, "schema_version": 3, "solution": false}
check(predict)

# %% [markdown]
# ## Its gradient, {{points gradient}}
#
# Of the mean squared error, by `w` and by `b`.


# %% nbgrader={"grade": false, "grade_id": "gradient", "locked": false, "schema_version": 3, "solution": true}
def gradient(X, y, w, b):
    """X: (examples, features), y: (examples,) -> dw: (features,), db: ()"""
    ### BEGIN SOLUTION
    error = predict(X, w, b) - y
    return 2 * X.T @ error / len(y), np.asarray(2 * error.mean())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-gradient", "locked": true, "schema_version": 3, "solution": false}
check(gradient)

# %% [markdown]
# ## A step, {{points descend}}


# %% nbgrader={"grade": false, "grade_id": "descend", "locked": false, "schema_version": 3, "solution": true}
def descend(params, grads, rate):
    """params, grads: arrays of one shape, rate: a float -> new params"""
    ### BEGIN SOLUTION
    return params - rate * grads
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-descend", "locked": true, "schema_version": 3, "solution": false}
check(descend)

# %% [markdown]
# ## From a number to a share, {{points sigmoid}}


# %% nbgrader={"grade": false, "grade_id": "sigmoid", "locked": false, "schema_version": 3, "solution": true}
def sigmoid(x):
    """x: an array of any shape -> entries between 0 and 1"""
    ### BEGIN SOLUTION
    return 1 / (1 + np.exp(-x))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-sigmoid", "locked": true, "schema_version": 3, "solution": false}
check(sigmoid)

# %% [markdown]
# ## The line in torch, {{points LinearModel}}


# %% nbgrader={"grade": false, "grade_id": "LinearModel", "locked": false, "schema_version": 3, "solution": true}
class LinearModel(torch.nn.Module):
    """With the parameters w: (features,) and b: ()."""

    def __init__(self, features):
        super().__init__()
        ### BEGIN SOLUTION
        self.w = torch.nn.Parameter(torch.zeros(features))
        self.b = torch.nn.Parameter(torch.zeros(()))
        ### END SOLUTION

    def forward(self, X):
        ### BEGIN SOLUTION
        return X @ self.w + self.b
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-LinearModel", "locked": true, "schema_version": 3, "solution": false}
check(LinearModel)
