"""Other functions of a notebook: which of them an answer calls, and what answers in their place.

An answer that builds on a wrong function is tried once more with a right one in its place. A player
holds no right one: here is only what passes a call on, and gives back what comes.
"""

from __future__ import annotations

import contextlib
import dis
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FunctionType
from typing import Any

import numpy as np

_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})


def calls(code: object, wanted: Iterable[str]) -> tuple[str, ...]:
    """Those of the functions ``wanted`` that ``code`` calls by their names, itself or through
    functions of the same notebook that are not wanted.
    """
    wanted = tuple(wanted)
    met: set[str] = set()
    if wanted:
        with contextlib.suppress(Exception):  # an object may fail at every question
            for function in _functions(code):
                _follow(function.__code__, function.__globals__, frozenset(wanted), met)
    return tuple(name for name in wanted if name in met)


def _functions(code: object) -> list[FunctionType]:
    code = inspect.unwrap(code) if callable(code) else code
    members = vars(code).values() if isinstance(code, type) else [code]
    return [member for member in members if isinstance(member, FunctionType)]


def _follow(code: CodeType, names: Mapping, wanted: frozenset[str], met: set[str]) -> None:
    for inner in (part for part in code.co_consts if isinstance(part, CodeType)):
        _follow(inner, names, wanted, met)
    loaded = {i.argval for i in dis.get_instructions(code) if i.opname in _LOADS} - met
    met |= loaded
    for name in loaded - wanted:  # a second name for a wanted function
        met |= {other for other in wanted if _same(names, name, other)}
    for name in loaded - wanted:
        helper = names.get(name)
        if isinstance(helper, FunctionType) and helper.__globals__ is names:
            _follow(helper.__code__, names, wanted, met)


def _same(names: Mapping, one: str, other: str) -> bool:
    return one in names and other in names and names[one] is names[other]


def names_of(names: Mapping[str, object], name: str) -> list[str]:
    """All names under which a notebook has the function ``name``."""
    if name not in names:
        return [name]
    return [other for other, value in names.items() if value is names[name]]


class Passed:
    """Stands where a function of the notebook stood: passes each call on, as inputs by name.

    ``names`` are those of the inputs, ``own`` is the function whose place it takes, by which
    arguments are told apart, and ``answer`` gives the result.
    """

    def __init__(self, names: Iterable[str], own: object, answer: Callable[[dict], Any]):
        self.names, self.own, self.answer = tuple(names), own, answer

    def __call__(self, *arguments: object, **named: object) -> Any:
        """What ``answer`` gives. Raises TypeError where arguments are too few or too many."""
        values = self._in_order(arguments, named)
        if len(values) != len(self.names):
            raise TypeError(f"{len(self.names)} arguments are needed: {', '.join(self.names)}.")
        return self.answer(dict(zip(self.names, values, strict=True)))

    def _in_order(self, arguments: tuple, named: Mapping[str, object]) -> list:
        try:
            bound = inspect.signature(self.own).bind(*arguments, **named)  # type: ignore[arg-type]
        except (TypeError, ValueError):  # it has no signature, or another one
            return [*arguments, *(named[n] for n in self.names[len(arguments) :] if n in named)]
        given = bound.arguments
        if given.keys() >= set(self.names):  # also in another order
            return [given[name] for name in self.names]
        return [*arguments, *named.values()]


def sendable(value: object) -> object:
    """An argument as it travels: arrays, numbers, and dicts of them by name."""
    if isinstance(value, Mapping):
        return {str(key): sendable(entry) for key, entry in value.items()}
    if isinstance(value, bool | int | float):
        return value
    return np.array(value, subok=False)
