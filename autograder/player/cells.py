"""Runs the code cells of a notebook in this process, as Jupyter would: magics, display, plots.

IPython translates magics and formats results; running a cell is plain ``exec``, since IPython's
own loop costs more than most cells do. Only text and PNG images are kept of what a cell shows:
HTML and scripts of a submission have no business on an instructor's pages.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import contextlib
import inspect
import io
import linecache
import os
import sys
import types
import warnings
from collections.abc import Callable

from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder.player.observe import Sink, Timeout, first_line, own_lines, time_limit

KEPT_TEXT = 20_000
"""Characters of printed text and of each shown result that a cell keeps."""

KEPT_SHOWN = 30
"""Results and images that a cell keeps."""

KEPT_IMAGE = 1 << 20
"""Bytes of the largest image kept."""

MIMETYPES = ("text/plain", "image/png")

WITHOUT_COMMANDS = {
    "line": "pip conda mamba micromamba uv",
    "cell": "bash sh script perl ruby python python2 python3 pypy",
}
"""Magics of IPython that start a program, by their kind."""

Output = dict
"""An output as notebooks store it (nbformat 4)."""


class _Publisher(DisplayPublisher):
    """Keeps what ``display`` shows."""

    session: Session

    def publish(self, data, metadata=None, **kwargs):  # type: ignore[override]  # IPython calls by name
        self.session.show("display_data", data)

    def clear_output(self, wait=False):
        self.session.outputs.clear()


class Session:
    """A namespace in which cells run one after the other. There is one in a process."""

    def __init__(self):
        module = types.ModuleType("__main__")
        self.names = module.__dict__
        # A history would be a file, and a thread that writes it.
        settings = Config({"HistoryManager": {"enabled": False}})
        shell = InteractiveShell.instance(config=settings, user_module=module, user_ns=self.names)
        shell.display_pub = _Publisher()
        shell.display_pub.session = self
        shell.display_formatter.active_types = list(MIMETYPES)  # type: ignore[union-attr]
        sys.modules["__main__"] = module
        self.shell = shell
        self.outputs: list[Output] = []
        self.dropped = 0
        self.error: BaseException | None = None
        """what the last cell ended in"""
        self.without: Callable[[str], None] = lambda what: None
        """told of what a cell uses in Jupyter and has to do without here"""
        self._prepare_magics()
        self._prepare_plots()

    def run(self, number: int, source: str, seconds: float) -> dict:
        """Run cell ``number``: its outputs, what it left out and how it ended.

        Returns ``outputs``; ``status``, ``"ok"``, ``"error"`` or ``"timeout"``; and ``dropped``,
        how many characters and results of the output are not among them.
        """
        self.outputs, self.dropped, self.error = [], 0, None
        sink = Sink(KEPT_TEXT)
        status = "ok"
        try:
            with (
                contextlib.redirect_stdout(sink),
                contextlib.redirect_stderr(sink),
                time_limit(seconds),
            ):
                try:
                    self._run(f"<cell {number}>", source)
                finally:
                    self._show_plots()
        except Timeout as error:
            status = "timeout"
            self._fail("Timeout", f"The cell did not finish within {seconds:g} seconds.", error)
        except (
            BaseException
        ) as error:  # also SystemExit and KeyboardInterrupt of the student's code
            status, self.error = "error", error
            name, _, says = first_line(error).partition(": ")
            self._fail(name, says, error)
        outputs = self.outputs
        if sink.kept:
            printed = {"output_type": "stream", "name": "stdout", "text": sink.kept}
            outputs.insert(0, printed)
        self.dropped += sink.characters - len(sink.kept)
        return {"outputs": outputs, "status": status, "dropped": self.dropped}

    def show(self, kind: str, data: dict) -> None:
        """Keep what a cell shows, its text and image only."""
        kept = {}
        text = data.get("text/plain")
        if isinstance(text, str):
            kept["text/plain"] = text[:KEPT_TEXT]
            self.dropped += max(0, len(text) - KEPT_TEXT)
        image = data.get("image/png")
        if isinstance(image, bytes):
            image = base64.b64encode(image).decode()
        if isinstance(image, str) and len(image) <= KEPT_IMAGE:
            kept["image/png"] = image
        if not kept or len(self.outputs) >= KEPT_SHOWN:
            self.dropped += 1
            return
        output: Output = {"output_type": kind, "data": kept, "metadata": {}}
        if kind == "execute_result":
            output["execution_count"] = None
        self.outputs.append(output)

    def _run(self, filename: str, source: str) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                tree = ast.parse(source, filename)
        except (SyntaxError, ValueError):
            source = self.shell.transform_cell(source)
            tree = ast.parse(source, filename)
        lines = source.splitlines(keepends=True)
        linecache.cache[filename] = (len(source), None, lines, filename)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body[-1].value)
            del tree.body[-1]
        self._execute(compile(tree, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
        if last is not None:
            code = compile(last, filename, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            value = self._execute(code)
            if value is not None and not source.rstrip().endswith(";"):
                self.names["_"] = value
                shown = self.shell.display_formatter
                data, _ = shown.format(value, include=MIMETYPES)  # type: ignore[union-attr]
                self.show("execute_result", data)

    def names_bound(self, source: str) -> set[str]:
        """The names that a cell's statements define, import or assign; none where it is no Python."""
        try:
            tree = ast.parse(self.shell.transform_cell(source))
        except (SyntaxError, ValueError):
            return set()
        names: set[str] = set()
        for statement in tree.body:
            match statement:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    names.add(name)
                case ast.Import(names=found) | ast.ImportFrom(names=found):
                    names |= {a.asname or a.name.partition(".")[0] for a in found}
                case ast.Assign(targets=targets):
                    inner = (node for target in targets for node in ast.walk(target))
                    names |= {node.id for node in inner if isinstance(node, ast.Name)}
        return names

    def _execute(self, code):
        value = eval(code, self.names)
        if code.co_flags & inspect.CO_COROUTINE:
            return asyncio.run(value)
        return value

    def _fail(self, name: str, says: str, error: BaseException) -> None:
        lines = own_lines(error)
        if isinstance(error, SyntaxError) and error.text:
            lines = (f"line {error.lineno}: {error.text.strip()}",)
        says = says[:KEPT_TEXT]
        self.outputs.append(
            {
                "output_type": "error",
                "ename": name,
                "evalue": says,
                "traceback": [f"{name}: {says}", *lines],
            }
        )

    def _no_commands(self, *args, **kwargs) -> str:
        print("Commands of the operating system are not run here.")
        self.without("runs a command of the operating system, which is left out in grading")
        return ""

    def _prepare_magics(self) -> None:
        """Have what is of no use here do nothing, in place of failing: a cell goes on behind it."""
        shell = self.shell
        for name in ("system", "system_raw", "system_piped", "getoutput"):
            setattr(shell, name, self._no_commands)
        for kind, names in WITHOUT_COMMANDS.items():
            for name in names.split():
                shell.register_magic_function(self._no_commands, kind, name)  # type: ignore[arg-type]
        for name in ("matplotlib", "gui"):
            shell.register_magic_function(lambda line: None, "line", name)  # type: ignore[arg-type]
        for name in ("load_ext", "reload_ext"):
            shell.register_magic_function(self._load_extension, "line", name)  # type: ignore[arg-type]
        run_line, run_cell = shell.run_line_magic, shell.run_cell_magic

        def line_magic(name: str, line: str, _stack_depth: int = 1):
            if shell.find_line_magic(name) is None:
                return self._unknown_magic(name)
            return run_line(name, line, _stack_depth + 1)

        def cell_magic(name: str, line: str, cell: str):
            if shell.find_cell_magic(name) is not None:
                return run_cell(name, line, cell)
            self._unknown_magic(name)
            with contextlib.suppress(SyntaxError):  # a clock or a profiler runs what it is put upon
                exec(compile(cell, f"<cell %%{name}>", "exec"), self.names)

        for name, run in (("run_line_magic", line_magic), ("run_cell_magic", cell_magic)):
            setattr(shell, name, run)

    def _unknown_magic(self, name: str) -> None:
        print(f"The magic {name} is not there in grading.")
        self.without(f"uses the magic {name[:100]}, which is not there in grading")

    def _load_extension(self, line: str) -> None:
        name = line.strip()
        try:
            self.shell.extension_manager.load_extension(name)  # type: ignore[union-attr]
        except ImportError:
            print(f"The extension {name} is not there in grading.")
            self.without(f"uses the extension {name[:100]}, which is not there in grading")

    def _prepare_plots(self) -> None:
        from matplotlib import pyplot

        self.pyplot = pyplot
        pyplot.show = lambda *args, **kwargs: self._show_plots()

    def _show_plots(self) -> None:
        """Show the figures that are open, as Jupyter does after a cell.

        They are closed whatever happens: one that takes too long to draw must not meet the next
        cell too.
        """
        try:
            for number in self.pyplot.get_fignums():
                image = io.BytesIO()
                figure = self.pyplot.figure(number)
                figure.savefig(image, format="png", dpi=72, bbox_inches="tight")
                self.show("display_data", {"image/png": image.getvalue(), "text/plain": "<Figure>"})
        finally:
            self.pyplot.close("all")


def silence_file_descriptors() -> None:
    """Let C code and subinterpreters write where nobody reads; Python's printing is kept."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
