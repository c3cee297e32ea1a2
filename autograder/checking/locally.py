"""The player of a check: the code runs in this process, and is held to what grading will have.

In grading there is no course and no other package than those that every notebook may count on. What
an answer uses beyond them is found here by reading its code and by watching its first call, and fails
as it will there; what it returns goes the way on which a player's results come.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import FrameType

import numpy as np

from autograder.checking import courses, reading
from autograder.checking.example import smallest
from autograder.checking.judge import Questions, decide, passes
from autograder.checking.naming import NOTHING, Beneath
from autograder.checking.record import Exercise, Inputs
from autograder.checking.through import is_tried_again, with_right_ones
from autograder.checking.verdict import Verdict
from autograder.player import asking, observe, packages, wire
from autograder.player.observe import Observation, in_library, not_there

NOTEBOOKS_OWN = frozenset(
    "ipykernel comm zmq jupyter_client jupyter_core traitlets tornado matplotlib_inline debugpy "
    "coverage pytest _pytest pluggy _distutils_hack nbclient".split()
)
"""Packages that run a notebook, which works without them in grading."""

QUICKLY = ("numpy", "torch", "matplotlib", "IPython")
"""Packages that are there, for which no list has to be made."""

PROGRAMS = {
    ("_posixsubprocess", "fork_exec"),
    *(("posix", name) for name in ("fork", "forkpty", "system", "posix_spawn", "posix_spawnp")),
    *(("posix", name) for name in ("execv", "execve", "kill", "killpg")),
}
"""Functions of Python that fail in grading, by module and name."""


def play(exercise: Exercise, code: Callable, drawn: Iterable[Inputs]) -> Iterator[Observation]:
    """What ``code`` does on these inputs, as a player in grading would say it.

    It stops after a status that is final.
    """
    files = _files(exercise)
    found = reading.first_use(code, files.of_value)
    if found:
        yield Observation(found[0], message=found[1])
        return
    loaded = len(sys.modules)
    asked = (exercise.returns, exercise.call, exercise.refuse)
    for seen in observe.play(code, drawn, *asked, within=_Watch(files)):
        if len(sys.modules) > loaded:  # it imported something: now it can be told from where
            loaded = len(sys.modules)
            found = reading.first_use(code, files.of_value)
            if found:
                yield Observation(found[0], message=found[1])
                return
        yield as_sent(seen)


def judged(exercise: Exercise, code: Callable, others: Mapping[str, Exercise]) -> Verdict:
    """The verdict on an answer in this process; ``others`` are the exercises of the same notebook.

    Whether the functions that it calls are right is found out where it fails.
    """
    questions = Questions.prepare(exercise)
    names = getattr(code, "__globals__", {})
    beneath = NOTHING

    def look() -> Beneath:
        nonlocal beneath
        called = [n for n in asking.calls(code, exercise.builds_on) if n in others and n in names]
        right = {name for name in called if _is_right(others[name], names[name])}
        beneath = Beneath(frozenset(right), tuple(n for n in called if n not in right))
        return beneath

    verdict = decide(questions, play(exercise, code, questions.played), look)
    if not is_tried_again(verdict):
        return verdict
    if verdict.why.kind == "values":
        verdict = replace(verdict, example=smallest(exercise, code))
    if beneath is NOTHING:
        look()
    mended = {n: _right_one(others[n], names[n]) for n in beneath.wrong if others[n].in_numpy}
    if not mended:
        return verdict
    placed = {also: mended[n] for n in mended for also in asking.names_of(names, n)}
    before = {name: names[name] for name in placed}
    names.update(placed)
    try:
        observed = list(exercise.play(code, questions.played))
        example = smallest(exercise, code)
    finally:
        names.update(before)
    called = beneath.right | mended.keys()
    again = decide(questions, map(as_sent, observed), lambda: Beneath(called))
    if again.failure and again.why.kind == "values":
        again = replace(again, example=example)
    return with_right_ones(verdict, again, tuple(mended))


def _is_right(exercise: Exercise, code: object) -> bool:
    questions = Questions.prepare(exercise)
    return callable(code) and passes(questions, play(exercise, code, questions.played))


def _right_one(exercise: Exercise, own: object) -> asking.Passed:
    """What stands in for a student's function: the reference in NumPy."""
    names = tuple(Questions.prepare(exercise).inputs[0])
    return asking.Passed(names, own, lambda inputs: exercise.in_numpy(**inputs))  # type: ignore[misc]


def as_sent(seen: Observation) -> Observation:
    """An observation as it arrives from a player: its arrays in the dtypes that travel."""
    if all(_travels_as_it_is(array) for array in seen.outputs.values()):
        return seen
    frame = wire.encode(vars(seen))
    _, text, _ = wire.HEAD.unpack_from(frame)
    start = wire.HEAD.size
    arrived = Observation(**wire.decode(frame[start : start + text], frame[start + text :]))
    for name in ("lines", "modified", "warnings"):
        setattr(arrived, name, tuple(getattr(arrived, name)))
    return arrived


def _travels_as_it_is(array: np.ndarray) -> bool:
    kept = array.dtype.char in wire.DTYPES and array.dtype.isnative
    return kept and array.nbytes <= wire.MOST_OF_AN_ARRAY


class _Files:
    """Says of a file or module whether it is there in grading, for the answers of one exercise."""

    def __init__(self, exercise: Exercise):
        course = courses.find(exercise.course) if exercise.course in courses.installed() else None
        at_play = (exercise.call.__module__, type(exercise.returns).__module__)
        self.at_play = frozenset((*at_play, *(course.at_play if course else ())))
        self.packages = course.packages if course else ()
        self.known: dict[str, tuple[str, str] | None] = {}

    def of_file(self, filename: str) -> tuple[str, str] | None:
        """``("course", module)``, ``("package", name)``, or None for what is there."""
        if filename not in self.known:
            self.known[filename] = self._judged(filename)
        return self.known[filename]

    def of_value(self, module: str) -> tuple[str, str] | None:
        """The same for a module, by its name, which need not be loaded."""
        root = module.partition(".")[0]
        if root in QUICKLY or root in sys.stdlib_module_names or root == "__main__":
            return None
        file = getattr(sys.modules.get(module) or sys.modules.get(root), "__file__", None)
        return self.of_file(file) if isinstance(file, str) else None

    def _judged(self, filename: str) -> tuple[str, str] | None:
        if filename.startswith("<"):
            return None
        path = Path(filename)
        for folder in _secret():
            if folder in path.parents:
                inside = path.relative_to(folder.parent).with_suffix("")
                name = ".".join(inside.parts).removesuffix(".__init__")
                players = name in self.at_play or name.startswith("autograder.player")
                return None if players else ("course", name)
        for folder in _package_folders():
            if folder in path.parents:
                root = path.relative_to(folder).parts[0]
                name = root.partition(".")[0]
                there = name in (*QUICKLY, *NOTEBOOKS_OWN) or name.startswith("__editable__")
                there = there or folder / root in _shown(self.packages)
                return None if there else ("package", name)
        return None


@cache
def _files(exercise: Exercise) -> _Files:
    return _Files(exercise)


@cache
def _secret() -> tuple[Path, ...]:
    return tuple(courses.secret_folders())


@cache
def _package_folders() -> tuple[Path, ...]:
    return tuple(packages.package_folders())


@cache
def _shown(more: tuple[str, ...]) -> frozenset[Path]:
    """The files and folders of the packages that are there in grading."""
    wanted = packages.with_dependencies((*packages.ALWAYS, *more))
    return frozenset(packages.paths_of(wanted))


class _Watch:
    """Watches calls of an answer: the first one, and all where something was found in it.

    A profile function sees every call, which costs too much to watch them all.
    """

    def __init__(self, files: _Files):
        self.files, self.first, self.found = files, True, False

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        # A collection calls what other packages have asked it to, from within the answer's frames.
        collecting = gc.isenabled()
        gc.disable()
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            if collecting:
                gc.enable()

    def __call__(self) -> contextlib.AbstractContextManager:
        wanted, self.first = self.first or self.found, False
        if not wanted or sys.getprofile() is not None:  # somebody measures
            return contextlib.nullcontext()
        return self._watching()

    def _profile(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            code = frame.f_code
            found = self.files.known.get(code.co_filename, "new")
            if found == "new":
                found = self.files.of_file(code.co_filename)
            if found is not None and found != "new":
                self._meet(frame, found)  # type: ignore[arg-type]
            elif code.co_name == "__init__" and code.co_qualname == "socket.__init__":
                self._refuse()
        elif event == "c_call":
            called = (getattr(argument, "__module__", None), getattr(argument, "__name__", None))
            if called in PROGRAMS:
                self._refuse()

    def _meet(self, frame: FrameType, found: tuple[str, str]) -> None:
        """Something that is not there is called: by the answer, or by what Python does for it?"""
        if found[1] == "autograder" and frame.f_code.co_name not in ("check", "grade"):
            return
        caller = frame.f_back
        while caller is not None and _passes_on(caller.f_code.co_filename):
            caller = caller.f_back
        if caller is None:
            return
        name = caller.f_code.co_filename
        if not in_library(name) or "/autograder/player/" in name.replace("\\", "/"):
            not_there.append(found)

    def _refuse(self) -> None:
        """Fail as the confinement has it fail."""
        self.found = True
        raise PermissionError(1, "Operation not permitted, as when your notebook is graded")


@cache
def _passes_on(filename: str) -> bool:
    """Whether this file calls what it is given: NumPy's ``vectorize``, a partial function."""
    return in_library(filename) and any(
        f"/{name}/" in filename or filename.endswith(f"/{name}.py")
        for name in ("numpy", "torch", "functools")
    )
