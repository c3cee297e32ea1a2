"""The catalogue of mistakes, put to the test: is each one caught, and called by its name?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from autograder.checking import answers
from autograder.checking.judge import Questions, decide
from autograder.checking.naming import matching_mistakes
from autograder.checking.record import Exercise, Inputs, Mistake
from autograder.player.observe import Observation


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


@dataclass(frozen=True, eq=False)
class _Remembering(Exercise):
    """An exercise whose mistakes are run once on each input: what they did is remembered.

    A check watches a mistake twice, as what was handed in and as an entry of the catalogue. Where
    a player refuses calls, the first is not the second, and only the second is remembered.
    """

    seen: dict[tuple[Callable, int], Observation] = field(default_factory=dict)
    """by code, and by the identity of the inputs"""

    def play(self, code: Callable, drawn: Iterable[Inputs]) -> Iterator[Observation]:
        for inputs, seen in zip(drawn, super().play(code, drawn), strict=False):
            if not self.refuse:
                self.seen.setdefault((code, id(inputs)), seen)
            yield seen

    def observe(self, code: Callable, inputs: Inputs) -> Observation:
        if (code, id(inputs)) not in self.seen:
            self.seen[code, id(inputs)] = super().observe(code, inputs)
        return self.seen[code, id(inputs)]


def audit(exercise: Exercise, seed: int = answers.PUBLIC_SEED) -> list[Row]:
    """Check every catalogued mistake of ``exercise`` as if a student had handed it in."""
    shared = {f.name: getattr(exercise, f.name) for f in fields(exercise)}
    exercise = _Remembering(**shared)
    questions = Questions.prepare(exercise, seed)
    played = [list(exercise.play(m.wrong, questions.played)) for m in exercise.mistakes]
    return [
        _row(questions, mistake, observed)
        for mistake, observed in zip(exercise.mistakes, played, strict=True)
    ]


def _row(questions: Questions, mistake: Mistake, observed: list[Observation]) -> Row:
    """What a check says of ``mistake``, given what it did while the questions were played."""
    exercise = questions.exercise
    outcomes = [
        exercise.examine(seen) if exercise.examine else seen
        for seen in observed[: len(questions.expected)]
    ]
    alike = matching_mistakes(exercise, questions.seed, outcomes, questions.expected)
    # Only those can be named. To look for them among all mistakes once more would take most of
    # the time of an audit.
    narrowed = replace(exercise, mistakes=tuple(alike) or exercise.mistakes)
    verdict = decide(replace(questions, exercise=narrowed), observed)
    return Row(
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


def as_json(rows: Iterable[Row]) -> str:
    """The table that the page "Mistakes we know" shows, one line a mistake."""
    lines = ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]\n"


TABLE = Path("book/back/mistakes.json")
"""Where the table lies, from the course folder."""
