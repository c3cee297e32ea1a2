"""The honest readings of a paper: in which order its cells run, and when its answers are asked for.

A notebook is no program. A name is used again below, cells are run in another order than they stand
in; in Jupyter each check was green all the same. So where a paper as it stands earns less than it
could, it is read in the other ways in which its student may have seen it. They are fixed before
anything runs, four at most, each is played from the beginning, and one of them counts as a whole.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.material.papers import LONGEST_CELL, RAN, Release
from autograder.material.remarks import REPAIRED, Remark

MAGIC = re.compile(
    r"^\s*%(?:(?:reset|run|load|xdel|store|pylab|edit|recall|rerun)\b|[^%\n]*=)", re.MULTILINE
)
"""Magics that can give any name anew, or run code that does."""

NO_PYTHON = re.compile(
    r"\s*%%(?:!|bash|sh|script|cmd|writefile|file|html|HTML|javascript|js|latex|markdown|svg|SVG|perl|ruby)\b"
)
"""Cell magics below which there is no Python of this notebook."""


@dataclass(frozen=True)
class Reading:
    """One way to read a paper."""

    name: str
    """what is done, in words that follow "It is read" """
    order: tuple[int, ...]
    """the places of the code cells, as they are run"""
    asked_in_place: bool = False
    """each answer is asked for where its check stands, and not after all cells"""


AS_IT_STANDS = "as it stands, each function as it is at the end"
AT_THE_CHECKS = "with each function as it was when its check ran"
AS_RUN = "with its cells in the order in which they were run"
AS_GIVEN = "with its cells in the order of the assignment"


def readings(cells: Sequence[Mapping], release: Release) -> list[Reading]:
    """The readings of a paper's code cells, the first as it stands; without those that are alike."""
    stands = tuple(range(len(cells)))
    order, called = _as_run(cells), AS_RUN
    if order is None:
        order, called = _as_given(cells, release), AS_GIVEN
    found = [Reading(AS_IT_STANDS, stands)]
    for cells_in_order, words in ((stands, ""), (order, called)):
        if words and cells_in_order == stands:
            continue
        if words:
            found.append(Reading(words, cells_in_order))
        if _asking_earlier_matters(cells, cells_in_order):
            both = f"{words} and each function as it was when its check ran"
            found.append(Reading(both if words else AT_THE_CHECKS, cells_in_order, True))
    return found


def checks(cells: Sequence[Mapping]) -> dict[int, str]:
    """The places of check cells, and the exercise that each checks."""
    found = {}
    for place, cell in enumerate(cells):
        meta = cell["metadata"].get("nbgrader", {})
        name = str(meta.get("grade_id"))
        if meta.get("grade") and not meta.get("solution") and name.startswith("check-"):
            found[place] = name.removeprefix("check-")
    return found


def _as_run(cells: Sequence[Mapping]) -> tuple[int, ...] | None:
    """The order in which the cells were run last, None where the notebook does not say.

    A cell that was not run follows the one above it.
    """
    counts = [cell["metadata"].get(RAN) for cell in cells]
    if not any(counts):
        return None
    keys, last = [], 0
    for count in counts:
        last = count or last
        keys.append(last)
    return tuple(sorted(range(len(cells)), key=lambda place: (keys[place], place)))


def _as_given(cells: Sequence[Mapping], release: Release) -> tuple[int, ...]:
    """The official cells in the release's order, every other one behind the one above it."""
    rank = {known.name: number for number, known in enumerate(release.official, 1)}
    keys, last = [], 0
    for cell in cells:
        last = rank.get(cell["metadata"].get("nbgrader", {}).get("grade_id"), last)
        keys.append(last)
    return tuple(sorted(range(len(cells)), key=lambda place: (keys[place], place)))


def _asking_earlier_matters(cells: Sequence[Mapping], order: Sequence[int]) -> bool:
    """Whether a function can be another at the end than where its check ran.

    It can where code below the check gives a name anew, or changes what it stands for, that code
    above reads. What cannot be told from the text counts as if it could.
    """
    at = [place for place in order if place in checks(cells)]
    if not at:
        return False
    read: set[str] = set()
    beyond = False
    for place in order:
        names = _names(cells[place]["source"])
        if names is None:
            if beyond:
                return True
            continue
        if beyond and names[1] & read:
            return True
        read |= names[0]
        beyond = beyond or place == at[0]
    return False


def _names(source: str) -> tuple[set[str], set[str]] | None:
    """The names that functions of a cell read or that it defines, and those that it gives anew or
    whose objects it changes; None where that cannot be told.
    """
    if len(source) > LONGEST_CELL:
        return set(), set()  # it is not run
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    if MAGIC.search(source):
        return None
    if NO_PYTHON.match(source):
        return set(), set()
    try:
        tree = ast.parse("\n".join(lines))
        table = symtable.symtable("\n".join(lines), "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return set(), set()  # such a cell does nothing
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in tree.body):
        return None
    given = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
    given |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()}
    defined = {s.get_name() for s in table.get_symbols() if s.is_namespace()}
    read = set(defined)
    for child in _below(table):
        for symbol in child.get_symbols():
            if symbol.is_global():
                read.add(symbol.get_name())
                if symbol.is_assigned():
                    given.add(symbol.get_name())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(
            node.ctx, ast.Store | ast.Del
        ):
            given.add(_root(node))
        elif isinstance(node, ast.Delete):
            given |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("exec", "eval", "globals", "setattr", "vars"):
                return None
    return read, given | defined


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _below(child)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def how_it_was_read(tried: Sequence[tuple[str, float]]) -> list[Remark]:
    """What is said where a paper was not read as it stands."""
    (name, points), *others = tried
    if name == AS_IT_STANDS:
        return []
    stood = dict(others)[AS_IT_STANDS]
    says = f"read {name}: {points:g} points instead of {stood:g}"
    return [Remark(REPAIRED, says)]
