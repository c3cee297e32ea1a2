"""What the gradebook is told of a submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Entry:
    """What one graded submission says, ready for the gradebook."""

    student: str
    points: Mapping[str, float]
    """score of each cell that is graded automatically, by its grade_id (``check-update_gate``)"""
    answered: Mapping[str, bool]
    """whether the student changed a solution cell, by its grade_id. Those graded by hand have to be
    there; of the others, those that are there get or lose nbgrader's "No response." """
    timestamp: datetime | None
    """when it was handed in: UTC and naive, as nbgrader stores it, or with a time zone. None, where
    that is not known, leaves what the gradebook has."""
    fresh: bool = False
    """graded since the gradebook last heard of it: what a person gave points to is to be looked at
    again"""
    missing: bool = False
    """there was no notebook: every cell has 0 points and waits for nobody"""
