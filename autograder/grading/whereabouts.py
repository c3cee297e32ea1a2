"""Where in a notebook the reason for a verdict stands: the cell and the line that a student has to
look at, when it is not the answer itself that is at fault but where, or whether, it was defined.
"""

from __future__ import annotations

import builtins
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autograder.checking.verdict import Verdict

CLOSE = 0.75
"""How alike two names have to be for one to be taken for the other, from 0 to 1."""


@dataclass(frozen=True)
class _Failed:
    """A cell that raised an error."""

    number: int
    """from 1, among the code cells"""
    source: str
    says: str
    """``SyntaxError: '(' was never closed``"""
    line: str
    """the student's own line, empty where it is not known"""

    def __str__(self) -> str:
        """``Cell 5 raises ModuleNotFoundError: …``, with the line."""
        at = f" ({self.line})" if self.line else ""
        return f"Cell {self.number} raises {self.says}{at}"


def located(
    verdict: Verdict,
    sources: Sequence[str],
    outputs: Mapping[int, Sequence[Mapping]],
    others: Sequence[str] = (),
) -> Verdict:
    """The verdict with notes on where its reason stands, as it is where nothing can be added.

    ``sources`` are the notebook's code cells, ``outputs`` what they showed, by place; ``others``
    are names that are no misspelling of this one.
    """
    if verdict.failure is None:
        return verdict
    name, failed = verdict.exercise, _failed(sources, outputs)
    if verdict.failure.kind == "undefined":
        found = _undefined(name, sources, failed, others)
    elif verdict.failure.kind == "package":
        found = _without_package(name, verdict.failure.headline, failed)
    else:
        found = [*_lacking(verdict.failure.headline, failed), *_defined_again(name, sources)]
    return replace(verdict, notes=(*found, *verdict.notes)) if found else verdict


def _failed(sources: Sequence[str], outputs: Mapping[int, Sequence[Mapping]]) -> list[_Failed]:
    found = []
    for place, shown in sorted(outputs.items()):
        for output in shown:
            if (
                output.get("output_type") == "error"
                and output.get("ename") != "NotImplementedError"
            ):
                lines = [str(line) for line in output.get("traceback", [])[1:]]
                says = f"{output['ename']}: {output['evalue']}".rstrip(": ")[:300]
                found.append(_Failed(place + 1, sources[place], says, lines[-1] if lines else ""))
                break
    return found


def _undefined(
    name: str, sources: Sequence[str], failed: Sequence[_Failed], others: Sequence[str]
) -> list[str]:
    """Why nothing of this name was there."""
    for cell in failed:
        if _line_of(cell.source, name):
            return [f"{cell}; so {name} was never defined."]
    for number, source in enumerate(sources, 1):
        at = _line_of(source, name, indented=True)
        if at:
            inside = f"Cell {number}, line {at} defines {name} inside of something else"
            return [f"{inside}: begin the line at the left margin."]
    spelled = [n for n in _definitions(sources) if n not in others]
    for close in difflib.get_close_matches(name, spelled, 1, CLOSE):
        number, at = _definitions(sources)[close][-1]
        return [f"Cell {number}, line {at} defines {close}. Its name has to be {name}."]
    return []


def _without_package(name: str, headline: str, failed: Sequence[_Failed]) -> list[str]:
    """The cell that asks for a package which is not there, and what was lost with it."""
    for cell in failed:
        package = re.search(r"No module named '([\w.]+)'", cell.says)
        if package and package.group(1).partition(".")[0] in headline:
            lost = (
                f"{name} was never" if _line_of(cell.source, name) else "what follows there was not"
            )
            return [f"{cell}; so {lost} defined."]
    return []


def _lacking(headline: str, failed: Sequence[_Failed]) -> list[str]:
    """The cell that should have defined the name which an answer could not find."""
    missing = re.match(r".*NameError: (?:global )?name '(\w+)' is not defined", headline, re.DOTALL)
    if not missing or hasattr(builtins, missing.group(1)):
        return []
    name = re.escape(missing.group(1))
    gives = re.compile(
        rf"^\s*(from\s+\S+\s+)?import\b.*\b{name}\b|^\s*(def|class)\s+{name}\b|^\s*{name}\s*=",
        re.MULTILINE,
    )
    for cell in failed:
        if gives.search(cell.source):
            return [f"{cell}; so {missing.group(1)} was never defined."]
    return []


def _defined_again(name: str, sources: Sequence[str]) -> list[str]:
    """That there are several definitions, and which one was judged."""
    places = _definitions(sources).get(name, [])
    if len({number for number, _ in places}) < 2:
        return []
    *before, (number, at) = places
    cells = sorted({other for other, _ in before} - {number})
    earlier = f"cell {cells[0]}" if len(cells) == 1 else f"cells {', '.join(map(str, cells))}"
    return [
        f"{name} is defined in {earlier} and again in cell {number}, line {at}; the last one counts."
    ]


def _definitions(sources: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Where names are defined at the left margin: cells from 1 and lines from 1, in order."""
    found: dict[str, list[tuple[int, int]]] = {}
    pattern = re.compile(r"^(?:async +def|def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=(?!=)")
    for number, source in enumerate(sources, 1):
        for line, text in enumerate(source.splitlines(), 1):
            match = pattern.match(text)
            if match:
                found.setdefault(match.group(1) or match.group(2), []).append((number, line))
    return found


def _line_of(source: str, name: str, indented: bool = False) -> int:
    """The line, from 1, in which a cell defines ``name``; 0 where it does not."""
    margin = r"\s+" if indented else r"\s*"
    pattern = re.compile(rf"^{margin}(async +def|def|class)\s+{re.escape(name)}\b")
    lines = enumerate(source.splitlines(), 1)
    return next((number for number, line in lines if pattern.match(line)), 0)
