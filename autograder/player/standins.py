"""What stands in a player for the packages that hold answers: everything can be imported and read,
and nothing can be called.

A notebook that imports a course's converters, or looks at what ``check`` gave, goes on as it did in
Jupyter. There is no knowledge here: a check is made when all cells have run, by somebody else.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

from autograder.player.observe import not_there

SAYS = "This check is made after the notebook has run."
"""What a check says of itself here."""

CHECKS = ("check", "grade")
"""The functions of the package that students call, and that give an ``Unsaid``."""


class CourseCalled(Exception):
    """Something of a course was called; the message says what it means."""

    def __init__(self, name: str):
        super().__init__(
            f"{name} is not there when your notebook is graded: the course's own functions are "
            "not an answer."
        )


def _refuse(name: str) -> CourseCalled:
    """Note, for the answer that is being called, what it uses: it may swallow the error."""
    not_there.append(("course", name.rpartition(".")[0]))
    return CourseCalled(name)


class Unknown(float):
    """A number that nobody knows yet: 0.0, of which every comparison holds."""

    def _holds(self, other: object) -> bool:
        return True

    def _unknown(self, *others: object) -> Unknown:
        return Unknown(0.0)

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _holds
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _unknown
    __truediv__ = __rtruediv__ = __neg__ = __abs__ = _unknown
    __hash__ = float.__hash__


class Unsaid(Unknown):
    """What a check gives here: it reads as a verdict, or as the points of one, and says nothing."""

    failure = mistake = part = section = largest_error = None
    passed = True
    """so that ``assert check(f).passed`` goes on; it claims nothing"""
    probes = suspicions = part_names = notes = ()
    exercise = assignment = signature = equation = hint = reference = course = tried = ""

    def __getattr__(self, name: str) -> Any:
        """Numbers for whatever else is asked; raises AttributeError for Python's own names."""
        if name.startswith("_"):
            raise AttributeError(name)
        return Unknown(0.0)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return SAYS

    __str__ = __repr__

    def to_dict(self) -> dict:
        """Nothing, as a dict."""
        return {}


class Thing:
    """Anything of a course, by its dotted name. It has every attribute, and refuses to be used."""

    def __init__(self, name: str):
        self.__name__ = self.__qualname__ = name

    def __getattr__(self, name: str) -> Thing:
        """Raises AttributeError for the names with which Python asks what an object can do."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Thing(f"{self.__name__}.{name}")

    def __repr__(self) -> str:
        return f"<{self.__name__}, which is not there when your notebook is graded>"

    def _used(self, *arguments: object, **named: object) -> Any:
        raise _refuse(self.__name__)

    __call__ = __getitem__ = __iter__ = __len__ = __array__ = __mro_entries__ = _used
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = __rmatmul__ = _used
    __truediv__ = __rtruediv__ = __float__ = __enter__ = __contains__ = _used


class AbsentModule(types.ModuleType):
    """A module of a course: everything in it is a ``Thing``."""

    def __getattr__(self, name: str) -> Thing:
        """Raises AttributeError for what every module may or may not have."""
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return Thing(f"{self.__name__}.{name}")


class Finder(MetaPathFinder, Loader):
    """Finds an ``AbsentModule`` for every module of the ``secret`` packages."""

    def __init__(self, secret: Iterable[str]):
        self.secret = frozenset(secret)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for a module of a course, None for others."""
        if fullname.partition(".")[0] not in self.secret:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """The module, empty."""
        return AbsentModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is in it."""


def _check(code: object = None, name: str | None = None, *, course: str | None = None) -> Unsaid:
    not_there.append(
        ("course", "autograder")
    )  # an answer that calls it is no answer, here as in a check
    return Unsaid(0.0)


def _begin(assignment: str, *, course: str, points: object) -> None:
    return None


def hide_course(secret: Iterable[str]) -> dict[str, Callable]:
    """Leave of the courses' packages, by their names, only stand-ins.

    Returns the functions that notebooks call, by name.
    """
    secret = frozenset(secret)
    for name in [name for name in sys.modules if name.partition(".")[0] in secret]:
        del sys.modules[name]
    course = AbsentModule("autograder", "The checks are made after the notebook has run.")
    course.__path__ = []
    functions: dict[str, Callable] = {**dict.fromkeys(CHECKS, _check), "begin": _begin}
    vars(course).update(functions, __all__=["begin", "check", "convert", "grade"])
    sys.modules["autograder"] = course
    sys.meta_path.insert(0, Finder(secret))
    return functions
