"""The kinds of failure: for each its words for the student and for the class report, whether other
inputs are still tried, and whether a player may claim it. This is the one table of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One way in which an answer fails."""

    called: str
    """what the class report calls it"""
    says: str = "{message}"
    """the headline of the card, where the judge has no better one"""
    final: bool = False
    """whether other inputs would only show the same, a timeout at the same price"""
    observed: bool = True
    """whether a player says so of a call; the others are found by comparing"""
    look: str = ""
    """the kind of remark with which a person is asked to look at the submission"""


FAILURES: dict[str, Kind] = {
    "not written": Kind("Not written", "Not written yet.", final=True),
    "undefined": Kind(
        "No function of this name in the notebook",
        "The notebook defines no {message}.",
        final=True,
    ),
    "unfinished": Kind("It calls a function that is not written", observed=False),
    "through": Kind(
        "Right, and builds on a function that is not",
        "It is right, and fails through your {message}.",
        observed=False,
    ),
    "exception": Kind("It raises an exception"),
    "timeout": Kind(
        "It did not finish in time",
        "It did not finish within the time limit of {message}. Is there a loop that never ends?",
        final=True,
        look="timeout",
    ),
    "ended": Kind(
        "It ended the process it ran in",
        "It ends the process it runs in ({message}).",
        final=True,
        look="ended",
    ),
    "library": Kind("It calls what does the exercise’s work", final=True),
    "course": Kind(
        "It uses the course’s own code",
        "It uses {message}, which is not there when your notebook is graded.",
        final=True,
    ),
    "package": Kind(
        "It uses a package that is not there",
        "It uses the package {message}, which is not there when your notebook is graded.",
        final=True,
    ),
    "autograd": Kind(
        "It lets torch differentiate",
        "It lets torch differentiate ({message}). Writing this gradient is the exercise.",
        observed=False,
    ),
    "values": Kind("Wrong numbers, by a mistake that is not in the catalogue", observed=False),
    "gradient": Kind("Right values, wrong gradients"),
    "shape": Kind("Wrong shape", observed=False),
    "dtype": Kind("Wrong number type", observed=False),
    "none": Kind("It returns None"),
    "type": Kind("It returns another type"),
    "missing": Kind("A result is missing"),
    "parameters": Kind("Its parameters stand in another order", final=True),
    "warning": Kind("It does not stay silent", observed=False),
    "mutation": Kind("It changes its inputs", observed=False),
    "device": Kind("It fails on a GPU"),
    "state": Kind("It keeps something from one call to the next", observed=False),
    "probe": Kind("Its inputs cannot be put to use", observed=False),
    "reply": Kind(
        "Its results could not be read",
        "Its results could not be read: {message}.",
        final=True,
        observed=False,
        look="tamper",
    ),
}

FINAL = frozenset(name for name, kind in FAILURES.items() if kind.final)
"""Statuses after which other inputs would only show the same."""

OBSERVED = frozenset({"ok", *(name for name, kind in FAILURES.items() if kind.observed)})
"""What a player may say of a call."""
