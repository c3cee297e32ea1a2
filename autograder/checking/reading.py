"""Reads what an answer's code refers to, without running it.

Functions written in C, such as another package's, leave no frame that could be seen when they run.
"""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType

import numpy as np

from autograder.player.observe import in_library

Found = tuple[str, str]
"""The kind of failure and a name, as in ``player.observe.not_there``."""

MOST_FUNCTIONS = 200
"""Functions of a notebook that are read for one answer."""

HARMLESS = sys.stdlib_module_names | {"numpy", "torch", "matplotlib", "IPython"}
"""Packages that are there in grading; to know it of the others takes longer."""

OUR_OWN = ("autograder", "autograder.checking.locally")
"""Modules whose functions a notebook may refer to without using them in an answer."""


def first_use(code: object, judged: Callable[[str], Found | None]) -> Found | None:
    """The first thing that ``code``, or what it calls of the notebook's, takes from a module that
    ``judged`` names; None where there is none.
    """
    waiting, seen = [code], set()
    while waiting and len(seen) < MOST_FUNCTIONS:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        module = _module_of(thing)
        found = judged(module) if module and module not in OUR_OWN else None
        if found:
            return found
        if isinstance(thing, FunctionType):
            if in_library(thing.__code__.co_filename):
                continue
            found = _imported(thing.__code__, judged)
            if found:
                return found
            waiting += _referred(thing)
        else:
            waiting += _parts(thing)
    return None


def _harmless(thing: object) -> bool:
    """Whether a value need not be looked at: NumPy and the like, and what is no code."""
    if isinstance(thing, ModuleType):
        return thing.__name__.partition(".")[0] in HARMLESS
    return isinstance(thing, np.ndarray | dict | list | tuple | str | int | float | None)


def _is_own(thing: object) -> bool:
    return isinstance(thing, FunctionType) and not in_library(thing.__code__.co_filename)


def _module_of(thing: object) -> str:
    """The name of the module that ``thing`` comes from, empty where that is not said."""
    if isinstance(thing, ModuleType):
        return thing.__name__
    if isinstance(thing, np.ufunc):
        return _home_of(thing)
    owner = thing if callable(thing) and not isinstance(thing, functools.partial) else type(thing)
    module = getattr(owner, "__module__", None)
    return module if isinstance(module, str) else ""


def _home_of(ufunc: np.ufunc) -> str:
    """Ufuncs do not say where they are from: they are looked up under their name."""
    name = ufunc.__name__
    if getattr(np, name, None) is ufunc:
        return "numpy"
    homes = [m for m, module in list(sys.modules.items()) if _holds(module, name, ufunc)]
    return homes[0] if homes else ""


def _holds(module: object, name: str, thing: object) -> bool:
    return isinstance(module, ModuleType) and vars(module).get(name) is thing


def _parts(thing: object) -> Iterator[object]:
    """What an object that is called calls in turn."""
    if isinstance(thing, ModuleType):
        return
    if isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, MethodType):
        yield thing.__func__
    elif isinstance(thing, np.vectorize):
        yield thing.pyfunc
    elif isinstance(thing, type):
        if not _of_a_library(thing):
            yield from (f for f in vars(thing).values() if isinstance(f, FunctionType))
    elif callable(thing):
        yield type(thing)


def _of_a_library(thing: type) -> bool:
    if thing.__module__.partition(".")[0] in sys.stdlib_module_names - {"__main__"}:
        return True
    file = getattr(sys.modules.get(thing.__module__), "__file__", None)
    return isinstance(file, str) and in_library(file)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _imported(code: CodeType, judged: Callable[[str], Found | None]) -> Found | None:
    """A package that a function imports, unless it says what to do without it.

    Bytecode is read only where a name in it may be such a package's: reading it takes long.
    """
    for part in _codes(code):
        names = set(part.co_names)
        if {"ImportError", "ModuleNotFoundError"} & names:
            continue
        for name in sorted(names):
            found = judged(name) if name.partition(".")[0] in sys.modules else None
            if found and found[0] == "package" and name in _loaded(part, "IMPORT_NAME"):
                return found
    return None


def _loaded(code: CodeType, *how: str) -> set[str]:
    return {step.argval for step in dis.get_instructions(code) if step.opname in how}


def _referred(function: FunctionType) -> Iterator[object]:
    """The values of the global names that a function loads, and of those of its closure."""
    space = function.__globals__
    for part in _codes(function.__code__):
        names = [name for name in part.co_names if name in space and not _harmless(space[name])]
        # The notebook's own functions are read themselves, perhaps in vain.
        own = [name for name in names if _is_own(space[name])]
        loaded = _loaded(part, "LOAD_GLOBAL", "LOAD_NAME") if len(own) < len(names) else ()
        yield from (space[name] for name in names if name in own or name in loaded)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    wrapped = getattr(function, "__wrapped__", None)
    if wrapped is not None:
        yield wrapped
