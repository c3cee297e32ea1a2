"""Looks, from inside a player, for texts that none of its own code holds in one piece.

The text of this module is a cell. A text is given by a name and in two halves, so that whoever
looks for it does not find itself. For each that is found, a line says its name and where it is.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping

Halves = tuple[bytes, bytes]
Texts = Mapping[str, Halves]

warnings.simplefilter("ignore")  # of modules that remark on being looked at

READ = (".py", ".pyc", ".json", ".txt", ".toml", ".pth", ".ipynb", "METADATA", "RECORD")
"""The endings of files that are read: in none of the others does Python keep code or its names."""

PAGE = 4096


def holds(data: bytes, halves: Halves) -> bool:
    """Whether both halves stand in ``data``, the second right behind the first."""
    first, second = halves
    at = data.find(first)
    while at >= 0:
        if data.startswith(second, at + len(first)):
            return True
        at = data.find(first, at + 1)
    return False


def say(where: str, data: bytes, texts: Texts) -> None:
    """Say which of the texts are in ``data``."""
    for name, halves in texts.items():
        if holds(data, halves):
            print(name, where)


def in_files(texts: Texts, places: Iterable[str]) -> None:
    """Walk everything that can be listed, and open what is said to be there."""
    loaded = {path for module in [*sys.modules.values()] for path in _folders_of(module)}
    roots = ["/", *sys.path, os.path.dirname(os.__file__), *sorted(loaded), *places]
    seen = set()
    for root in roots:
        paths = [root] if root.endswith(READ) else _files_below(root, seen)
        for path in paths:
            try:
                with open(path, "rb") as file:
                    data = file.read(4 << 20)
            except OSError:
                continue
            say(path, data, texts)


def _folders_of(module) -> list[str]:
    paths = getattr(module, "__path__", None)
    return paths if isinstance(paths, list) else []


def _files_below(root: str, seen: set) -> Iterator[str]:
    for folder, below, names in os.walk(root or "."):
        if folder in seen:
            below.clear()
            continue
        seen.add(folder)
        yield from (os.path.join(folder, name) for name in names if name.endswith(READ))


def by_name(names: Iterable[str], places: Iterable[str], group: str) -> None:
    """Import these modules in every way that Python has."""
    sys.path[:0] = [place for place in places if not place.endswith(READ)]
    for name in (*names, *(m.name for m in pkgutil.iter_modules() if m.name in names)):
        # What stands in for a course's modules comes from no file.
        _try("import", name, lambda name: importlib.import_module(name).__file__)
        _try("source of", name, lambda name: pkgutil.get_loader(name).get_source(name)[0])
    for path in places:
        if path.endswith(".py"):
            _try("load", path, _load)
    for point in importlib.metadata.entry_points(group=group):
        print("entry point", point.name)
        _try("load", point.name, lambda name, point=point: point.load())


def _load(path: str) -> None:
    spec = importlib.util.spec_from_file_location("stolen", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _try(what: str, name: str, action) -> None:
    try:
        action(name)
    except (ImportError, OSError, AttributeError, IndexError, TypeError, ValueError):
        return
    print(what, name)


def in_objects(texts: Texts) -> None:
    """Follow every reference from modules, frames, the course's functions and the collector."""
    import autograder

    gc.unfreeze()
    waiting = [sys.modules, autograder.check, autograder.begin, *gc.get_objects()]
    frame = sys._getframe()
    while frame is not None:
        waiting += [frame, frame.f_locals, frame.f_globals, frame.f_builtins]
        frame = frame.f_back
    seen = {id(waiting)}
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, str | bytes):
            data = thing if isinstance(thing, bytes) else thing.encode("utf-8", "replace")
            say(f"in a text of {len(thing)}", data, texts)
        else:
            waiting += gc.get_referents(thing)


def in_pages(texts: Texts) -> None:
    """Read the memory of the process, page by page, whatever it holds and held.

    The kernel reads it into a pipe, and refuses where there is no page.
    """
    libc = ctypes.CDLL(None)
    libc.sbrk.restype = ctypes.c_void_p
    read, write = os.pipe()

    def page(number: int) -> bytes | None:
        count = libc.write(write, ctypes.c_void_p(number * PAGE), PAGE)
        return os.read(read, PAGE) if count > 0 else None

    gc.unfreeze()
    starts = {id(thing) // PAGE for thing in (*gc.get_objects(), *map(vars, sys.modules.values()))}
    starts |= {libc.sbrk(0) // PAGE - 1}
    starts |= {ctypes.c_void_p.in_dll(libc, "environ").value // PAGE}
    done: set[int] = set()
    for start in starts:
        for step in (1, -1):
            number, before = start, b""
            while number not in done and (data := page(number)) is not None:
                done.add(number)
                joined = before + data if step == 1 else data + before
                say(f"at {number * PAGE:x}", joined, texts)
                before, number = data, number + step
