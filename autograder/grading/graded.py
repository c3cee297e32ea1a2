"""What grading one submission gives: data, written to a file and read again without loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from autograder.checking.points import total
from autograder.checking.verdict import Verdict
from autograder.material.remarks import LOOK, Remark


@dataclass(frozen=True)
class Graded:
    """One graded submission."""

    assignment: str
    student: str
    digest: str
    """SHA-256 of the submitted file, empty where there was none"""
    version: str
    """of everything else that a grade depends on: exercises, judge, player, seed"""
    verdicts: tuple[Verdict, ...]
    """one for each exercise of the assignment, in its order"""
    remarks: tuple[Remark, ...] = ()
    seconds: float = 0.0
    """wall time from reading the file to the last verdict"""
    code_seconds: float = 0.0
    """how much of it the submission's own code ran"""
    exercise_seconds: tuple[tuple[str, float], ...] = ()
    """running time of each exercise's code over all probes"""
    fingerprints: tuple[int, ...] = ()
    """of the code, to find submissions that are alike; see ``similarity``"""
    confinement: tuple[str, ...] = ()
    """what kept the player apart from everything else, empty where nothing did"""
    written: tuple[tuple[str, bool | None], ...] = ()
    """the cells that students fill, by grade_id, and whether this one did, None where nobody can
    tell. A person grades those that no verdict is about"""
    readings: tuple[tuple[str, float], ...] = ()
    """the ways in which the notebook was read, each with its points; the first one counts"""

    @property
    def points(self) -> float:
        """What the checks give, to two decimals."""
        return total(verdict.points for verdict in self.verdicts)

    @property
    def max_points(self) -> float:
        """What the checks can give."""
        return total(verdict.max_points for verdict in self.verdicts)

    @property
    def no_grade(self) -> str:
        """Why this is no grade, empty where it is one: what could not be read is not worth 0."""
        return next((remark.says for remark in self.remarks if remark.kind == "unreadable"), "")

    @property
    def needs_look(self) -> bool:
        """Whether something was noticed that a person should look at."""
        return any(remark.kind in LOOK for remark in self.remarks)

    def to_json(self) -> str:
        """The grade as JSON, from which ``from_json`` makes it again. Where it has been made, it
        travels with the grade to another process."""
        return self._json

    @cached_property
    def _json(self) -> str:
        # Dataclasses are shown as their fields; dataclasses.asdict would first copy everything.
        return json.dumps(vars(self), ensure_ascii=False, default=vars)

    @classmethod
    def from_json(cls, text: str) -> Graded:
        """The record that ``to_json`` wrote; raises ValueError, KeyError or TypeError for others."""
        values = json.loads(text)
        values["verdicts"] = tuple(Verdict.from_dict(v) for v in values["verdicts"])
        values["remarks"] = tuple(Remark(**remark) for remark in values["remarks"])
        for name in ("exercise_seconds", "written", "readings"):
            values[name] = tuple(map(tuple, values[name]))
        for name in ("fingerprints", "confinement"):
            values[name] = tuple(values[name])
        return cls(**values)


@dataclass(frozen=True)
class Entry:
    """What one graded submission tells the gradebook."""

    student: str
    points: Mapping[str, float]
    """score of each cell that is graded automatically, by its grade_id (``check-`` and its name)"""
    answered: Mapping[str, bool | None]
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
    no_grade: bool = False
    """what was handed in could not be read: no cell has points, and all wait for a person"""
