"""What an instructor is told about a submission: the kinds of remarks, in one table."""

from __future__ import annotations

from dataclasses import dataclass

LOOK = {
    "missing": "There was no notebook.",
    "unreadable": "The file could not be read as a notebook.",
    "timeout": "Something did not finish in time.",
    "ended": "Something ended the process it ran in.",
    "flood": "There was more output than is kept.",
    "tamper": "Something was tried that a solution has no use for.",
}
"""The kinds of remarks that deserve a person's look, and what each means."""

NO_PAPER = frozenset({"missing", "unreadable"})
"""Those of submissions in which there is nothing to put in order."""

REPAIRED = "repaired"
"""The kind of remark that says what was put in order; it deserves no look."""

NOTICED = "noticed"
"""The kind of remark on what an honest notebook does and what comes to nothing in grading; it deserves
no look."""


@dataclass(frozen=True)
class Remark:
    """Something noticed about a submission: its kind (a key of ``LOOK``, ``REPAIRED`` or
    ``NOTICED``) and a sentence."""

    kind: str
    says: str


def other_assignment(name: str) -> str:
    """What is said of a notebook that is none of the assignment of this name."""
    return f"This is no notebook of {name}: none of its functions is in it."
