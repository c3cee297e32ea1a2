"""Verdicts are data: what a check found, ready to be rendered, stored or sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Section:
    """A place in the book: its MyST label, its title and its chapter's title."""

    label: str
    title: str
    chapter: str
    page: str = ""
    """the chapter's page, as ``book/part/chapter``, from the course folder"""


@dataclass(frozen=True)
class ProbeResult:
    """One probe: did the answer hold there?"""

    name: str
    passed: bool
    part: str | None = None
    """the part of the cell that this probe isolates, None for a whole-answer family"""
    sizes: str = ""
    """the sizes tried, for instance ``B = 3, D = 2, H = 4``"""
    share: float = 0.0
    """what it earns: 1 where it holds, less where only some of several results are right"""


@dataclass(frozen=True)
class Failure:
    """Where the answer first differs."""

    kind: str
    """a key of ``player.failures.FAILURES``"""
    headline: str
    detail: str = ""
    probe: str = ""
    sizes: str = ""
    lines: tuple[str, ...] = ()
    """the student's own lines, for an exception"""


@dataclass(frozen=True)
class Diagnosis:
    """A catalogued mistake that gives exactly this output."""

    name: str
    says: str
    part: str | None
    section: Section
    exact: bool = True
    """False for a mistake of precision, which is recognized by its size"""


@dataclass(frozen=True)
class Verdict:
    """The outcome of checking one function or class."""

    exercise: str
    assignment: str
    signature: str
    passed: bool
    points: float
    max_points: float
    probes: tuple[ProbeResult, ...] = ()
    failure: Failure | None = None
    mistake: Diagnosis | None = None
    alike: tuple[Diagnosis, ...] = ()
    """other mistakes that look the same from outside"""
    through: tuple[str, ...] = ()
    """functions of the notebook that are not right, and were tried with right ones in their place"""
    behavior: str = ""
    """a digest of wrong results that have no name: equal for answers that do the same, under one seed"""
    example: str = ""
    """the smallest inputs on which it fails, and what is right there, to be followed by hand"""
    suspicions: tuple[Diagnosis, ...] = ()
    """for an unknown mistake: what single parts behave like when tested alone"""
    part_names: tuple[tuple[str, str], ...] = ()
    """the parts that probes isolate, each with its plain name"""
    part: str | None = None
    """the part of the cell to look at first, None when that is not known"""
    equation: str = ""
    hint: str = ""
    section: Section | None = None
    largest_error: float | None = None
    tolerance: float = 0.0
    reference: str = ""
    notes: tuple[str, ...] = field(default=())
    tried: str = "kinds of input"
    """what the probes are, in words"""
    recognized: str = ""
    """how the mistake was recognized, where it is not by its results on every input"""
    course: str = ""
    """the course that declares the exercise"""

    @property
    def wrong(self) -> bool:
        """Whether something in the answer itself is not right."""
        return not self.passed and self.why.kind != "through"

    @property
    def why(self) -> Failure:
        """The failure of a verdict that is not passed. Raises ValueError for one that is."""
        if self.failure is None:
            raise ValueError(f"{self.exercise} has not failed")
        return self.failure

    def to_dict(self) -> dict:
        """A dict of plain values, as for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping) -> Verdict:
        """The verdict whose ``to_dict`` gave ``values``, also when JSON made lists of its tuples."""

        def section(found):
            return found and Section(**found)

        def diagnosis(found):
            return found and Diagnosis(**{**found, "section": section(found["section"])})

        failure = values["failure"]
        return cls(
            **{
                **values,
                "probes": tuple(ProbeResult(**probe) for probe in values["probes"]),
                "failure": failure and Failure(**{**failure, "lines": tuple(failure["lines"])}),
                "mistake": diagnosis(values["mistake"]),
                "alike": tuple(diagnosis(found) for found in values["alike"]),
                "through": tuple(values["through"]),
                "suspicions": tuple(diagnosis(found) for found in values["suspicions"]),
                "part_names": tuple(map(tuple, values["part_names"])),
                "section": section(values["section"]),
                "notes": tuple(values["notes"]),
            }
        )
