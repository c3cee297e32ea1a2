"""What a cell of a page builds on, and whether a browser's Python can run that. Nothing is run here.

A browser has the standard library, NumPy and, of this course, what works without torch and Matplotlib.
A cell runs there if all the statements that it builds on do, also those of cells that the page hides.
They are found by names, statement by statement: who binds a name, who changes what it stands for.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from executed_code import PACKAGES, imported

ROOT = Path(__file__).parents[2]
ROOMS = ("autograder.checking", "autograder.course", "autograder.player")
"""The rooms of the package that a page of the site loads."""

NOT_IN_A_BROWSER = frozenset(
    "asyncio ctypes curses fcntl multiprocessing pty resource socket sqlite3 ssl subprocess "
    "termios threading tkinter venv webbrowser".split()
)
FILES = frozenset({"open", "input", "pathlib", "glob", "shutil", "tempfile"})
"""Functions and modules that need what a page has not: the course's files, or somebody to ask."""

STAND_INS = frozenset({"IPython.display.HTML"})
"""What a page brings in place of a package that it has not; see ``autograder.checking.page``."""

COMPREHENSIONS = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
OTHER = "more than a browser has"
NAMED = {
    "torch": "torch",
    "keras": "Keras",
    "matplotlib": "Matplotlib",
    "files": "files of the course",
}
"""What a reader is told is missing, in the order of what is told first; all else is OTHER."""


@dataclass
class Statement:
    """One statement at the top of a cell, an import of several names taken apart."""

    cell: int
    source: str
    binds: set[str] = field(default_factory=set)
    replaces: bool = True
    """whether what it binds had no use before, in whatever way it runs"""
    changes: set[str] = field(default_factory=set)
    """names that stay and stand for something else afterwards: ``a[0] = 1``, ``np.seterr(...)``"""
    now: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    """names that it uses when it runs, and those that functions it defines use when they are called"""
    missing: set[str] = field(default_factory=set)
    """what it needs and a browser has not"""


@dataclass(frozen=True)
class Needs:
    """What one cell builds on: statements by the cell that they stand in, in the page's order."""

    before: tuple[tuple[int, str], ...]
    missing: str
    """what keeps a browser from running the cell, in a word; empty where nothing does"""


def statements(cell: int, source: str) -> list[Statement]:
    """The statements of a cell. Raises SyntaxError, also for what only Jupyter reads."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            texts = [ast.unparse(ast.Import([alias])) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            texts = [ast.unparse(ast.ImportFrom(node.module, [a], node.level)) for a in node.names]
        else:
            texts = [_text(source, node)]
        found += [_read(cell, text) for text in texts]
    return found


def needs(cells: Iterable[tuple[int, str]], always: Iterable[str] = ("np",)) -> dict[int, Needs]:
    """What each cell builds on, of those given with their numbers, in the order of the page.

    ``always`` are names that every cell gets where the page has bound them by then.
    """
    so_far: list[Statement] = []
    found = {}
    for number, source in cells:
        try:
            own = statements(number, source)
        except SyntaxError:
            found[number] = Needs((), OTHER)
            continue
        before, unknown = _beneath(own, so_far, set(always))
        missing = {thing for one in (*before, *own) for thing in one.missing} | unknown
        found[number] = Needs(tuple(_joined(before)), _told(missing))
        so_far += own
    return found


def _without_rescue(node: ast.stmt) -> str:
    """A statement's code, without what it does where a package is not installed."""
    if isinstance(node, ast.Try) and node.handlers:
        caught = [ast.unparse(handler.type) for handler in node.handlers if handler.type]
        if caught and set(caught) <= {"ImportError", "ModuleNotFoundError"}:
            return ast.unparse(ast.Module(node.body, []))
    return ast.unparse(node)


def _text(source: str, node: ast.stmt) -> str:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    if first < node.lineno:
        return "\n".join(source.splitlines()[first - 1 : node.end_lineno])
    return ast.get_source_segment(source, node) or ""


def _read(cell: int, source: str) -> Statement:
    node = ast.parse(source).body[0]
    text = _without_rescue(node)
    sure = not isinstance(node, ast.For | ast.While | ast.If | ast.Try)
    one = Statement(cell, source, replaces=sure)
    top = symtable.symtable(text, "<cell>", "exec")
    for symbol in top.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            one.binds.add(symbol.get_name())
        if symbol.is_referenced():
            one.now.add(symbol.get_name())
    for inner in top.get_children():
        _look_into(inner, one, inner.get_type() == "function")
    for inside in _at_once(node):
        _note(inside, one)
    one.missing |= {module for name in imported(text) for module in missing_for(name)}
    if FILES & (one.now | one.later | {name.partition(".")[0] for name in imported(text)}):
        one.missing.add("files")
    return one


def _look_into(table: symtable.SymbolTable, one: Statement, later: bool) -> None:
    later = later and table.get_name() not in COMPREHENSIONS
    free = {s.get_name() for s in table.get_symbols() if s.is_global()}
    (one.later if later else one.now).update(free)
    for inner in table.get_children():
        _look_into(inner, one, later or inner.get_type() == "function")


def _at_once(node: ast.AST) -> Iterator[ast.AST]:
    """What runs with a statement: all within it but the bodies of functions."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for inner in ast.iter_child_nodes(node):
            yield from _at_once(inner)


def _note(inside: ast.AST, one: Statement) -> None:
    """Add the names whose values this part of a statement changes."""
    if isinstance(inside, ast.AugAssign) and isinstance(inside.target, ast.Name):
        one.now.add(inside.target.id)
        one.replaces = False
    elif isinstance(inside, ast.Attribute | ast.Subscript):
        if not isinstance(inside.ctx, ast.Load):
            one.changes |= _root(inside)
    elif isinstance(inside, ast.Expr) and isinstance(inside.value, ast.Call):
        if isinstance(inside.value.func, ast.Attribute):
            one.changes |= _root(inside.value.func)


def _root(node: ast.AST) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _beneath(
    own: list[Statement], so_far: list[Statement], wanted: set[str]
) -> tuple[list[Statement], set[str]]:
    """The statements that a cell builds on, and names that nothing has bound."""
    bound: set[str] = set()
    for one in own:
        wanted |= one.now - bound
        bound |= one.binds if one.replaces else set()
    wanted |= {name for one in own for name in one.later} - bound
    bindable = {name for one in (*so_far, *own) for name in one.binds}
    generators = {
        n for s in so_far if re.search(r"\b(default_rng|Random)\(", s.source) for n in s.binds
    }
    while True:
        open_names, taken = set(wanted), []
        for one in reversed(so_far):
            changes = one.changes | (generators & one.now)  # who draws leaves a generator elsewhere
            if (one.binds | changes) & open_names:
                taken.append(one)
                if one.replaces:
                    open_names -= one.binds
                open_names |= one.now | one.later
        called = {name for one in taken for name in one.later}
        if called <= wanted:  # what functions use may be bound after them
            unknown = {n for s in own for n in s.now} - bindable - set(dir(builtins))
            return taken[::-1], {"a name"} if unknown else set()
        wanted |= called


def _joined(before: list[Statement]) -> Iterator[tuple[int, str]]:
    """Statements of one cell as one text."""
    for number in dict.fromkeys(one.cell for one in before):
        texts = [one.source for one in before if one.cell == number]
        yield number, "\n".join(texts)


def _told(missing: set[str]) -> str:
    return next((said for name, said in NAMED.items() if name in missing), OTHER if missing else "")


@cache
def missing_for(name: str) -> frozenset[str]:
    """The packages that importing a module (or a name of one) needs and a browser has not."""
    top = name.partition(".")[0]
    if name in STAND_INS:
        return frozenset()
    if top not in PACKAGES:
        there = top == "numpy" or (top in sys.stdlib_module_names and top not in NOT_IN_A_BROWSER)
        return frozenset() if there else frozenset({top})
    seen: set[Path] = set()
    waiting = [name]
    found: set[str] = set()
    while waiting:
        module, file = _file_of(waiting.pop())
        if file is None or file in seen or module == "autograder":  # the front door imports nothing
            continue
        seen.add(file)
        if not module.startswith(ROOMS):
            found.add(module.partition(".")[0])
        text = file.read_text(encoding="utf-8")
        for inner in imported(text, module, file.name == "__init__.py"):
            if inner.partition(".")[0] in PACKAGES:
                waiting.append(inner)
            else:
                found |= missing_for(inner)
    return frozenset(found)


def _file_of(name: str) -> tuple[str, Path | None]:
    """The module that a dotted name leads to, and its file."""
    while name:
        place = ROOT.joinpath(*name.split("."))
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                return name, file
        name = name.rpartition(".")[0]
    return name, None
