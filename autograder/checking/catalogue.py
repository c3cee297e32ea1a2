"""The catalogue of mistakes, put to the test: is each one caught, and called by its name?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.checking import answers
from autograder.checking.judge import judge, matching_mistakes
from autograder.checking.record import Exercise


@dataclass(frozen=True)
class Row:
    """One mistake in one exercise."""

    assignment: str
    exercise: str
    mistake: str
    says: str
    section: str
    points: float
    max_points: float
    named: str
    """what the check calls it, empty when it finds no name"""
    also: tuple[str, ...]
    """other mistakes that behave in the same way on every probe"""

    @property
    def caught(self) -> bool:
        """Whether the mistake costs any points."""
        return self.points < self.max_points


def audit(exercise: Exercise, seed: int = answers.PUBLIC_SEED) -> list[Row]:
    """Check every catalogued mistake of ``exercise`` as if a student had handed it in."""
    rows = []
    for mistake in exercise.mistakes:
        observed = []

        def player(drawn, mistake=mistake, observed=observed):
            observed += exercise.play(mistake.wrong, drawn)
            return observed

        verdict = judge(exercise, player, seed)
        expected = answers.source(exercise.course).expected(exercise, exercise.draw(seed))
        alike = matching_mistakes(exercise, seed, observed[: len(expected)], expected)
        rows.append(
            Row(
                exercise.assignment,
                exercise.name,
                mistake.name,
                mistake.says,
                f"{mistake.section.title} ({mistake.section.chapter})",
                verdict.points,
                verdict.max_points,
                verdict.mistake.name if verdict.mistake else "",
                tuple(other.name for other in alike if other.name != mistake.name),
            )
        )
    return rows


def as_json(rows: Iterable[Row]) -> str:
    """The table that the page "Mistakes we know" shows, one line a mistake."""
    lines = ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]\n"


TABLE = Path("book/back/mistakes.json")
"""Where the table lies, from the course folder."""
