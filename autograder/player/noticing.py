"""What a player notices of the code that it runs, for a person to read.

It stops nothing: the confinement does. Two things are told apart: what no solution has a use for,
which deserves a look, and habits of honest notebooks that come to nothing here, which do not.
"""

from __future__ import annotations

import builtins
import ctypes
import linecache
import operator
import os
import re
import socket
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np

from autograder.player.standins import AbsentModule

MOST = 20
"""Things that are told of one player, of each of the two sorts."""

TRIED = {
    "socket.connect": "to open a network connection",
    "socket.bind": "to open a network connection",
    "socket.getaddrinfo": "to open a network connection",
    "socket.sendto": "to open a network connection",
    "socket.sendmsg": "to open a network connection",
    "subprocess.Popen": "to start another program",
    "os.system": "to start another program",
    "os.exec": "to start another program",
    "os.posix_spawn": "to start another program",
    "os.fork": "to start another process",
    "os.forkpty": "to start another process",
    "os.kill": "to signal a process",
    "os.killpg": "to signal a process",
    "signal.pthread_kill": "to signal a process",
    "ctypes.dlopen": "to load a C library",
    "gc.get_objects": "to search the memory of its process",
    "gc.get_referrers": "to search the memory of its process",
    "os.symlink": "to make a link",
    "os.link": "to make a link",
    "os.chmod": "to change rights of a file",
    "os.chown": "to change rights of a file",
    "resource.setrlimit": "to change what a process may use",
    "resource.prlimit": "to change what a process may use",
    "sys.addaudithook": "to install a hook of its own for all that Python does",
}
"""Python's audit events that no exercise has a use for, and what they mean."""

TOUCHED = {
    "os.rename": "to move",
    "os.remove": "to remove",
    "os.rmdir": "to remove",
    "os.mkdir": "to make the folder",
    "os.truncate": "to change",
    "os.utime": "to change",
    "os.setxattr": "to change",
    "os.listdir": "to list",
    "os.scandir": "to list",
    "sqlite3.connect": "to open",
}
"""The audit events that come with a path, other than ``open``, and what is done to it."""

OF_ITS_OWN = ("run_cell", "run_cell_async", "run_code", "run_ast_nodes", "transform_cell")
"""Methods with which IPython runs a cell; nobody gives its shell others."""

THE_SYSTEMS = re.compile(r"/(proc|sys|etc|dev|root|boot|run|var|usr|bin|sbin)(/|$)")
"""Where the files of a machine lie, of which no notebook needs one."""

SOMEBODYS = re.compile(r"/(home|Users|mnt|media|srv)/")
"""Where people's files lie: on one's own computer one's own, in grading somebody else's."""

OF_A_COURSE = re.compile(
    r"solution|submitted|autograded|gradebook|feedback|release|nbgrader|secret|seed|autograder|\.ipynb|\.db$",
    re.IGNORECASE,
)
"""Words in the paths of what a course keeps."""

DATA = re.compile(
    r"\.(csv|tsv|txt|json|npy|npz|pkl|pt|pth|mat|h5|hdf5|xlsx?|parquet|png|jpe?g|gif|svg|pdf|md|log|zip|gz)$"
)
"""How files of data end, which people read by the path that they have at home."""

ANEW = {"torch.Storage", "numpy.test", "numpy.linalg.test", "numpy.testing.test"}
"""What libraries put in place of their own: for another default dtype, and when reloaded."""

LISTED = ("/usr/share/", "/var/cache/")
"""Folders that libraries look through on their own, for fonts above all."""

_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")

_OF_PYTHON = {
    "_",
    "__all__",
    "__cached__",
    "__doc__",
    "__file__",
    "__loader__",
    "__path__",
    "__spec__",
}
_OF_PYTHON |= {"__warningregistry__"}

_MODULES = (
    "builtins sys os math random types functools inspect warnings numpy.random IPython".split()
)

_DELETED = object()


class Noticed:
    """What was noticed so far, and where the code is that runs now."""

    def __init__(self, readable: tuple[str, ...], scratch: str, secret: frozenset[str]):
        self.allowed, self.scratch, self.secret = (
            (scratch, *readable, *_DEVICES, "<"),
            scratch,
            secret,
        )
        self.where: int | str | None = None
        """the number of the cell that runs, or the name of the answer that is called"""
        self.sources: dict[int, str] = {}
        """of the cells that have run, by their numbers"""
        self.told: dict[tuple[str, int | str | None, bool], None] = {}

    def compare(self, before: Before, names: Mapping[str, object]) -> None:
        """Note what the cells have put in place of parts of libraries, and where it may have been."""
        for what in before.replaced():
            self.tell(f"replaced {what[:200]}", look=True, where=self._cell_with(name_in(what)))
        for name in before.redefined(names):
            self.tell(f"has a {name} of its own", look=False, where=self._cell_with(name))

    def _cell_with(self, name: str) -> int | None:
        """The first cell that gives something of this name anew, else the first that has the name."""
        word = rf"(?<!\w){re.escape(name)}(?!\w)"
        for pattern in (
            rf"{word}\s*=(?!=)|(def|class|import|as)\s+{word}|[\"']{word}[\"']\s*,",
            word,
        ):
            for number, source in self.sources.items():
                if re.search(pattern, source):
                    return number
        return None

    def tell(self, what: str, look: bool, where: int | str | None = None) -> None:
        """Note something: a sentence without its subject, as ``tried to open /etc/passwd``.

        ``where`` is the cell or answer, by default the one that runs.
        """
        if sum(told[2] is look for told in self.told) < MOST:
            self.told[what, self.where if where is None else where, look] = None

    def plain(self) -> list[list]:
        """Everything as JSON values: what, where, and whether a person has to look."""
        return [list(told) for told in self.told]

    def event(self, event: str, arguments: tuple) -> None:
        """One of Python's audit events, but for imports."""
        if event == "open":
            self._opening(*arguments)
        elif event in TRIED:
            self.tell(f"tried {TRIED[event]}", look=True)
        elif event in TOUCHED:
            self._touching(TOUCHED[event], arguments[0])
        elif event == "socket.__new__":
            if arguments[1] != getattr(socket, "AF_UNIX", None):
                self.tell("tried to open a network connection", look=True)

    def importing(self, name: str) -> None:
        """A module is imported that was not there yet."""
        if name.partition(".")[0] in self.secret and name != "autograder":
            self.tell(f"imported {name[:100]}, of which nothing is there in grading", look=False)

    def _touching(self, what: str, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike) or _opened_by_python():
            return
        path = os.path.abspath(os.fsdecode(path))
        if path.startswith((*self.allowed, *LISTED)):
            return
        if _is_elsewhere(path):
            self.tell(f"tried {what} {path[:200]}", look=True)
        elif what == TOUCHED["os.mkdir"]:
            self.tell(f"wanted {what} {path[:200]}, which is not kept in grading", look=False)

    def _opening(self, path: object, mode: object = None, flags: object = 0) -> None:
        if not isinstance(path, str | bytes | os.PathLike) or _opened_by_python():
            return
        path = os.path.abspath(os.fsdecode(path))
        writing = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        if path.startswith(self.allowed):
            if path.startswith(self.scratch + "/") and not writing and not os.path.exists(path):
                name = path.removeprefix(self.scratch + "/")
                if not name.startswith("<"):  # the source of a cell, asked for by its name
                    self.tell(f"looked for {name[:200]}, which is not there in grading", look=False)
        elif _is_elsewhere(path):
            self.tell(f"tried to open {path[:200]}", look=True)
        elif writing:
            self.tell(f"wanted to write {path[:200]}, which is not kept in grading", look=False)
        else:
            self.tell(f"looked for {path[:200]}, which is not there in grading", look=False)


def _is_elsewhere(path: str) -> bool:
    """Whether no honest notebook asks for this file outside of its folder."""
    if OF_A_COURSE.search(path) or THE_SYSTEMS.match(path):
        return True
    return bool(SOMEBODYS.match(path)) and not DATA.search(path)


def _opened_by_python() -> bool:
    """Whether a file is opened to import it, or to show a line of it in a traceback."""
    frame: types.FrameType | None = sys._getframe(4)
    for _ in range(3):
        if frame is None:
            return False
        name = frame.f_code.co_filename
        if name == linecache.__file__ or name.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


class Before:
    """How the libraries were before a cell ran, to find what has been put in place of their parts.

    What is only added, as ``np.float = float``, is a habit of notebooks made for older versions.
    """

    def __init__(self, shell: Any, ours: Mapping[str, Callable], secret: Iterable[str]):
        """``ours`` are the functions with which a notebook has its answers checked, and ``secret``
        the packages of which there are only stand-ins.
        """
        self.shell, self.ours, self.secret = shell, ours, secret
        spaces = {
            "numpy": np,
            "numpy.linalg": np.linalg,
            "numpy.random": np.random,
            "builtins": builtins,
        }
        wanted = ("numpy.testing", "torch", "torch.nn", "torch.nn.functional", "autograder")
        spaces |= {name: sys.modules[name] for name in wanted if name in sys.modules}
        self.tensor: Any = None
        if "torch" in sys.modules:
            self.tensor = spaces["torch.Tensor"] = sys.modules["torch"].Tensor
        self.of_a_tensor = set(vars(self.tensor)) if self.tensor else set()
        self.spaces = [_Space(name, vars(space)) for name, space in spaces.items()]
        self.modules = {name: sys.modules.get(name) for name in (*spaces, *_MODULES)}
        self.count = len(sys.modules)
        self.hooks = {name: list(hooks) for name, hooks in _hooks(shell)}

    def replaced(self) -> Iterable[str]:
        """The names of what is not what it was."""
        for space in self.spaces:
            yield from space.replaced()
        for name, module in self.modules.items():
            if module is not None and sys.modules.get(name, module) is not module:
                yield f"the module {name}"
        # The youngest only: to look at all of them would copy their pages, too.
        for name in list(islice(sys.modules.__reversed__(), max(0, len(sys.modules) - self.count))):
            secret = name.partition(".")[0] in self.secret
            if secret and type(sys.modules.get(name)) is not AbsentModule:
                yield f"the module {name}"
        for name in OF_ITS_OWN:
            if name in vars(self.shell):
                yield f"IPython's {name}"
        for finder in (*sys.meta_path, *sys.path_hooks):
            if "__main__" in (getattr(finder, "__module__", ""), type(finder).__module__):
                yield "how Python imports, in sys.meta_path"
        if self.tensor and len(vars(self.tensor)) > len(self.of_a_tensor):
            for name in vars(self.tensor).keys() - self.of_a_tensor:
                if any(name in vars(base) for base in self.tensor.__mro__[1:]):
                    yield f"torch.Tensor.{name}"
        if sys.gettrace() is not None:
            yield "the trace function, by settrace"
        if sys.getprofile() is not None:
            yield "the profile function, by setprofile"
        for name, hooks in _hooks(self.shell):
            if list(hooks) != self.hooks.get(name):
                yield f"what IPython keeps in {name}"

    def redefined(self, names: Mapping[str, object]) -> Iterable[str]:
        """Those of the functions that a notebook calls for its checks of which it has its own."""
        for name, function in self.ours.items():
            if name in names and names[name] is not function:
                yield name


class _Space:
    """The names of a module or class, and what they stood for."""

    def __init__(self, name: str, now: Mapping[str, object]):
        kept = {key: value for key, value in now.items() if key not in _OF_PYTHON}
        self.name, self.now, self.keys, self.values = name, now, list(kept), list(kept.values())
        self.table = _table(now)

    def replaced(self) -> Iterable[str]:
        """The full names of what now stands for something else."""
        if self.table and self.table == _table(self.now):
            return
        if all(map(operator.is_, map(self.now.get, self.keys), self.values)):
            return
        for key, value in zip(self.keys, self.values, strict=True):
            full = f"{self.name}.{key}"
            if self.now.get(key, _DELETED) is not value and full not in ANEW:
                yield full


def _table_of(space: dict) -> bytes:
    """The memory in which a dict keeps its entries, behind what it counts of them.

    To look at every object writes its count of references, and the page with it is copied from the
    zygote's: a millisecond for each thousand. To compare this memory touches none of them.
    """
    start = ctypes.c_void_p.from_address(id(space) + 4 * ctypes.sizeof(ctypes.c_void_p)).value
    size = sys.getsizeof(space) - sys.getsizeof({})
    return ctypes.string_at(start + 32, size - 32) if start and size > 32 else b""


def _tables_can_be_read() -> bool:
    """Whether this Python lays its dicts out so that ``_table_of`` sees a change."""
    if sys.implementation.name != "cpython" or sys.version_info >= (3, 14):
        return False
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    tried = {f"name {n}": object() for n in range(100)}
    first = _table_of(tried)
    tried["name 50"], kept = object(), tried["name 50"]
    second = _table_of(tried)
    tried["name 50"] = kept
    return bool(first) and first != second and first == _table_of(tried)


_READABLE = _tables_can_be_read()


def _table(space: Mapping[str, object]) -> bytes:
    return _table_of(space) if _READABLE and type(space) is dict else b""


def _hooks(shell: Any) -> Iterable[tuple[str, list]]:
    """The lists of what IPython does with a cell's text before it runs."""
    manager = shell.input_transformer_manager
    yield "displayhook", [type(shell.displayhook).__call__]
    for name in ("pre_execute", "pre_run_cell"):
        found = shell.events.callbacks[name]
        yield name, [call for call in found if getattr(call, "__module__", "") == "__main__"]
    yield "ast_transformers", shell.ast_transformers
    yield "input_transformers_post", shell.input_transformers_post
    for name in ("cleanup_transforms", "line_transforms", "token_transformers"):
        yield name, getattr(manager, name)


def name_in(what: str) -> str:
    """The last name in what ``Before.replaced`` says, by which its cell is found."""
    return re.split(r"[\s.]", what)[-1]
