"""The catalogue of mistakes, put to the test: is each one caught, and called by its name?"""

from __future__ import annotations

from dataclasses import dataclass

from autograder import answers
from autograder.exercises.record import Exercise
from autograder.judge import judge, matching_mistakes


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
        return self.points < self.max_points


def audit(exercise: Exercise, seed: int = answers.PUBLIC_SEED) -> list[Row]:
    """Check every catalogued mistake of ``exercise`` as if a student had handed it in."""
    rows = []
    for mistake in exercise.mistakes:
        observed = []

        def player(inputs, mistake=mistake, observed=observed):
            observed.append(exercise.observe(mistake.wrong, inputs))
            return observed[-1]

        verdict = judge(exercise, player, seed)
        expected = answers.source().expected(exercise, exercise.draw(seed))
        alike = matching_mistakes(exercise, seed, observed, expected)
        rows.append(
            Row(
                exercise.assignment,
                exercise.name,
                mistake.name,
                mistake.says,
                mistake.section.label,
                verdict.points,
                verdict.max_points,
                verdict.mistake.name if verdict.mistake else "",
                tuple(other.name for other in alike if other.name != mistake.name),
            )
        )
    return rows
