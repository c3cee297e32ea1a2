"""Runs cells in this process for a page of the site, where neither Jupyter nor IPython is.

A page has one session, as a notebook has one kernel. What a cell prints is passed on at once; what its
last line gives is shown as its text, a verdict as its card. Of an error only the reader's own lines are
told. Nothing here judges: a cell that says ``check(...)`` calls the check that every notebook calls.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import json
import linecache
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType, TracebackType

from autograder.checking.render import Card, Misuse, as_html, beside
from autograder.player import flags

COMMAND = re.compile(r"^(\s*)[%!].*$", re.M)
"""A line for Jupyter or for the system's shell, such as ``%pip install``."""

ELSEWHERE = {"torch": "PyTorch", "matplotlib": "Matplotlib"}
"""What every notebook may count on and a browser does not have, by the module's name."""

KEPT = 100_000
"""Characters that one cell may print; what it prints beyond them is not shown."""

Write = Callable[[str], object]


class Session:
    """The names that the cells of a page share, as those of a notebook do."""

    def __init__(self) -> None:
        self.module = ModuleType("__main__")
        self.names = vars(self.module)
        self.watched = False
        """whether NumPy has to be watched, since it cannot warn by itself"""
        self.files: dict[str, str] = {}
        """What cells are called, by the name of the file that Python takes them for."""

    def run(self, cell: str, source: str, write: Write) -> dict:
        """Run one cell and say what came of it, in values that JSON knows.

        ``cell`` is what the page calls it; ``write`` is given what it prints, piece by piece. The
        result has ``id``, ``printed``, ``shown`` (None or its ``kind``, "html" or "text", and
        ``value``) and ``error`` (None or its ``name``, ``message``, ``trace``, and the ``cell`` and
        ``line`` in which the reader's own code was last).
        """
        heard = _Heard(write)
        result: dict = {"id": cell, "shown": None, "error": None}
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            try:
                value = self._value(cell, source)
                if value is not None:
                    result["shown"] = shown(value)
            except BaseException as error:  # also SystemExit, which would end the session
                result["error"] = self._told(error)
        return {**result, "printed": heard.text()}

    def _value(self, cell: str, source: str) -> object:
        """Run it; the value of its last line, None where that is no expression or ends with ``;``."""
        name = f"<{cell}>"
        self.files[name] = cell
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        tree = self._parsed(source, name)
        self._refuse_what_is_elsewhere(tree)
        if self.watched:
            flags.watch(tree)
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr):
            exec(compile(tree, name, "exec", dont_inherit=True), self.names)
            return None
        tree.body.pop()
        exec(compile(tree, name, "exec", dont_inherit=True), self.names)
        value = eval(
            compile(ast.Expression(last.value), name, "eval", dont_inherit=True), self.names
        )
        return None if source.rstrip().endswith(";") else value

    def _parsed(self, source: str, name: str) -> ast.Module:
        """Its statements; lines for Jupyter or the shell are passed over where they are no Python."""
        try:
            return ast.parse(source, name)
        except SyntaxError:
            with contextlib.suppress(SyntaxError):
                return ast.parse(COMMAND.sub(r"\1pass", source), name)
            raise

    def _refuse_what_is_elsewhere(self, tree: ast.AST) -> None:
        """Say at once what needs Jupyter: found while a check tries it, it would look like a mistake.

        Raises ModuleNotFoundError where the code imports what a browser does not have.
        """
        for node in _outside_try(tree):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                named.append(node.module or "")
            for root in (name.partition(".")[0] for name in named):
                known = root in ELSEWHERE or root in sys.stdlib_module_names
                if known and find_spec(root) is None:
                    raise ModuleNotFoundError(
                        f"{ELSEWHERE.get(root, root)} does not exist in a browser. With NumPy alone "
                        "this runs here; with it, work in Jupyter.",
                        name=root,
                    )

    def _told(self, error: BaseException) -> dict:
        """What is said of an error: its type and text, and the reader's own lines."""
        name = type(error).__name__
        if isinstance(error, SyntaxError) and error.filename in self.files:
            cell, line = self.files[error.filename], error.lineno or 0
            lines = traceback.format_exception_only(error)[1:]
            trace = f"line {line}\n" + "".join(lines)
            return {"name": name, "message": error.msg, "trace": trace, "cell": cell, "line": line}
        message = _text_of(error, str)
        own = list(self._own(error.__traceback__))
        told = "".join(f"{at}\n    {code}\n" for _, _, at, code in _shortened(own))
        cell, line = own[-1][:2] if own else ("", 0)
        trace = f"{told}{name}: {message}" if message else f"{told}{name}"
        return {"name": name, "message": message, "trace": trace, "cell": cell, "line": line}

    def _own(self, tb: TracebackType | None) -> Iterable[tuple[str, int, str, str]]:
        """The reader's own lines on the way to an error: cell, line, where that is, and its code."""
        for frame, line in traceback.walk_tb(tb):
            code = frame.f_code
            if code.co_filename in self.files:
                cell = self.files[code.co_filename]
                inside = "" if code.co_name == "<module>" else f", in {code.co_name}"
                text = linecache.getline(code.co_filename, line).strip()
                yield cell, line, f"{cell}, line {line}{inside}", text


def _outside_try(node: ast.AST) -> Iterator[ast.AST]:
    """All of a tree but what stands in the body of a ``try``, which is prepared for a failure."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.Try) and child in node.body):
            yield from _outside_try(child)


def _shortened(own: list[tuple]) -> list[tuple]:
    """The lines of a deep recursion without its middle."""
    if len(own) <= 12:
        return own
    between = ("", 0, f"... {len(own) - 8} lines like these ...", "")
    return [*own[:4], between, *own[-4:]]


def shown(value: object) -> dict:
    """What a page shows of a value: the card of a verdict, of everything else its text."""
    if isinstance(value, Card):
        return {"kind": "html", "value": as_html(value, beside)}
    if isinstance(value, Misuse | HTML):
        return {"kind": "html", "value": value._repr_html_()}
    return {"kind": "text", "value": _text_of(value, _as_jupyter)}


def _as_jupyter(value: object) -> str:
    """The text of a value, with the entries of a long tuple or list below one another."""
    text = repr(value)
    if not isinstance(value, tuple | list) or type(value) not in (tuple, list):
        return text
    if len(text) < 80 and "\n" not in text:
        return text
    entries = ",\n".join(map(_as_jupyter, value)).replace("\n", "\n ")
    if isinstance(value, list):
        return f"[{entries}]"
    return f"({entries},)" if len(value) == 1 else f"({entries})"


def _text_of(value: object, how: Callable[[object], str]) -> str:
    try:
        return how(value)
    except Exception as error:
        return f"<{type(value).__name__}, whose text fails with {type(error).__name__}>"


class _Heard(io.TextIOBase):
    """Passes on what is printed and keeps it, as much as a person reads."""

    def __init__(self, write: Write):
        self._write, self._kept, self._left = write, [], KEPT

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._left > 0:
            kept = text[: self._left]
            self._left -= len(kept)
            self._pass_on(kept)
            if self._left <= 0:
                self._pass_on("\n... what is printed from here on is not shown.\n")
        return len(text)

    def _pass_on(self, text: str) -> None:
        self._kept.append(text)
        self._write(text)

    def text(self) -> str:
        return "".join(self._kept)


def run(session: Session, cells: str, told: Callable[[str, str], object]) -> str:
    """Run cells in their order, up to the first that fails; what came of each, as JSON.

    ``cells`` is a JSON list of objects with ``id`` and ``source``; ``told`` is given a cell's id and a
    piece of text whenever one prints.
    """
    results = []
    for cell in json.loads(cells):
        name = cell["id"]
        results.append(session.run(name, cell["source"], partial(told, name)))
        if results[-1]["error"]:
            break
    return json.dumps(results)


class HTML:
    """Stands in for ``IPython.display.HTML``: markup, which the page makes harmless before it shows it."""

    def __init__(self, data: str = ""):
        self.data = data

    def _repr_html_(self) -> str:
        return self.data


def show(*values: object) -> None:
    """Stands in for IPython's ``display``: prints what a value is shown as."""
    for value in values:
        print(_text_of(value, _as_jupyter))


def lend_display() -> None:
    """Let cells use ``HTML`` and ``display`` of IPython, which is not here."""
    display, package = ModuleType("IPython.display"), ModuleType("IPython")
    display.HTML, display.display = HTML, show  # type: ignore[attr-defined]
    package.display = display  # type: ignore[attr-defined]
    builtins.display = show  # type: ignore[attr-defined]
    package.__spec__ = ModuleSpec("IPython", None)
    sys.modules |= {"IPython": package, "IPython.display": display}


def no_input(prompt: object = "") -> str:
    """Stands in for ``input``: a page has nobody to ask."""
    raise RuntimeError("input() cannot ask on this page; write the value into the code instead.")


def begin() -> Session:
    """A new session, in a process that a page has to itself."""
    builtins.input = no_input
    session = Session()
    session.watched = flags.stand_in()
    sys.argv, sys.modules["__main__"] = [""], session.module
    if find_spec("IPython") is None:
        lend_display()
    return session
