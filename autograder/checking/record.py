"""What an exercise is: one declared record, with its probes and its catalogue of mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.checking.verdict import Section
from autograder.player.observe import Observation, call_function, observe, play

Inputs = dict[str, Any]
Outputs = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Probe:
    """One family of inputs. ``draw`` makes fresh ones from a random generator.

    A probe with a ``part`` isolates it: everything else in the cell is held at known values,
    so that a failure there points at this part.
    """

    name: str
    draw: Callable[[np.random.Generator], Inputs]
    part: str | None = None
    outputs: tuple[str, ...] | None = None
    """the results compared on this probe, where they are not all"""
    once: bool = False
    """not played a second time: its results may hold no values, which alone could differ"""


@dataclass(frozen=True, eq=False)
class Mistake:
    """A named wrong implementation with the same signature as the exercise."""

    name: str
    says: str
    wrong: Callable
    section: Section
    part: str | None = None
    within: float | None = None
    """how close an answer has to come, where the mistake is one of precision: such mistakes
    round differently in everybody's code. By default only rounding in float64 is allowed for"""
    inside: tuple[str, ...] = ()
    """the exercises in whose functions it is made, where it is seen through one that calls them"""
    by_call: tuple[str, ...] | None = None
    """a name and a diagnosis for the case that those functions are right: how they are called; and,
    where another one is called in their place, its name"""


@dataclass
class Examined(Observation):
    """What was found out about a result that is not compared but put to use."""

    says: dict[str, tuple[str, str]] = field(default_factory=dict)
    """for an outcome that is not as it should be: a headline and a detail"""
    note: str = ""
    """what was found, in a sentence"""
    sizes: str = ""


def shapes_in_words(inputs: Mapping) -> str:
    """The sizes of a probe: every array by its name and shape, every number by its value."""
    said = []
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            said.append(f"{name} {value.shape}")
        elif isinstance(value, int | float):
            said.append(f"{name} = {value:.6g}")
    return ", ".join(said)


@dataclass(frozen=True, eq=False)
class Exercise:
    """Everything the checks, the notebooks and the book need to know about one function.

    There is one of each, so it is compared and hashed as an object: fast, where caches do it often.
    """

    name: str
    assignment: str
    signature: str
    points: float
    section: Section
    equation: str
    hints: tuple[str, ...]
    returns: object
    probes: tuple[Probe, ...]
    answer: Callable[[Mapping], Outputs]
    """the reference's outputs for the inputs of one probe; imports torch when first called"""
    mistakes: tuple[Mistake, ...]
    tolerance: float = 1e-10
    why_tolerance: str = (
        "float64 sums in another order differ by about 1e-15; arithmetic in float32 by 1e-7"
    )
    parts: tuple[tuple[str, str], ...] = ()
    """the parts that probes isolate, in the order of computation, each with its plain name"""
    part: str | None = None
    """the part of the cell that this exercise is about, where it is one part"""
    builds_on: tuple[str, ...] = ()
    """the exercises whose functions a student's answer is likely to call"""
    in_numpy: Callable | None = None
    """a right answer in NumPy, called with the inputs of a probe by name and held to ``answer`` by a
    test; it stands in for a student's own function where another that builds on it is tried once
    more, and for the reference where torch is absent. None where there is none"""
    small: tuple[Callable[[np.random.Generator], Inputs], ...] = ()
    """inputs that a person can follow by hand, the smallest first; only their shapes count"""
    course: str = ""
    """the course that declares it"""
    sizes: Callable[[Mapping], str] = shapes_in_words
    """the sizes of a probe's inputs in words"""
    first_axis: Callable[[Mapping, tuple[int, ...]], str] = lambda inputs, shape: ""
    """what a result of this shape has first, a sentence for whoever left that axis out"""
    picture: Callable[[str], str] | None = None
    """an SVG drawing of the cell in which a part is marked; empty where it has no such part"""
    call: Callable = call_function
    """how an answer is called; a function of ``player.observe`` or of a module that the course
    lists as loadable in players"""
    refuse: frozenset[str] = frozenset()
    """torch functions whose use is not an answer, by name; see also ``player.observe.AUTOGRAD``"""
    refusal: str = "It calls {message}, which does what is to be written here."
    """what is said where one of them was called"""
    silent: bool = False
    """True where a warning, or a change of NumPy's error state, is a mistake"""
    needs_torch: bool = False
    """True where the answer is itself written in torch"""
    examine: Callable[[Observation], Observation] | None = None
    """where many answers are right: puts what was observed to use, and gives the outcome, an
    ``Examined`` whose outputs are compared with ``answer``"""
    tried: str = "kinds of input"
    """what the probes are, in words"""
    recognized: str = ""
    """how a mistake is recognized, a sentence, where it is not by the function's results"""
    reference: str = "the course's reference"
    """what answers are compared with; ``{torch}`` stands for the version of torch"""

    @property
    def by_choice(self) -> bool:
        """Whether it is answered by choosing, so that more than one try would be guessing."""
        return self.examine is not None

    def draw(self, seed: int) -> list[Inputs]:
        """The inputs of all probes. The same seed gives the same inputs, whatever else exists."""
        return [
            probe.draw(np.random.default_rng([seed, *f"{self.name}/{probe.name}".encode()]))
            for probe in self.probes
        ]

    def observe(self, code: Callable, inputs: Inputs) -> Observation:
        """What ``code`` does on one probe, run in this process."""
        return observe(code, inputs, self.returns, self.call, self.refuse)

    def play(self, code: Callable, drawn: Iterable[Inputs]) -> Iterator[Observation]:
        """What ``code`` does on these inputs, one after the other, up to a status that is final."""
        return play(code, drawn, self.returns, self.call, self.refuse)
