"""The judge's side of a player: starts zygotes, sends cells and inputs, reads what comes back.

Everything that a player sends may be forged by the student's code. It is data of declared types,
or it is ``Ended``.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from autograder.checking import courses
from autograder.checking.course import Course
from autograder.checking.record import Exercise, Inputs
from autograder.material.config import writable
from autograder.player import contract, packages
from autograder.player.confine import Limits, python_folders
from autograder.player.failures import FINAL, OBSERVED
from autograder.player.observe import TIME_LIMIT, Observation
from autograder.player.wire import Channel, Closed, TooLate, WireError, encode

CELL_SECONDS = 30.0
"""Wall time that one cell may take; the released notebooks need less than a second."""

GRACE = 2.0
"""Seconds beyond a limit in which a player may say itself that time is over, before it is ended."""

START_SECONDS = 120.0
"""Wall time that a zygote may take to import what notebooks use."""


class PlayersUnavailable(Exception):
    """No player can be started here; the message says why."""


class Ended(Exception):
    """A player is gone. ``kind`` is ``"ended"``, ``"timeout"`` or ``"reply"``; the message says how."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


class NeedsTorch(Exception):
    """A cell imports torch: the other kind of player has it."""


@dataclass(frozen=True)
class CellResult:
    """What running one cell gave: outputs as notebooks store them, text and images only."""

    outputs: tuple[dict, ...]
    status: str
    """``"ok"``, ``"error"`` or ``"timeout"``"""
    dropped: int
    """characters and results that were not kept"""


@dataclass(frozen=True)
class Tried:
    """Something that a player noticed of the code in it."""

    what: str
    """a sentence without its subject, as ``tried to open /etc/passwd``"""
    where: int | str | None
    """the place among the code cells, the exercise whose answer was called, or None"""
    look: bool
    """whether a person has to look at it"""


MOST_TRIED = 20
"""Things of each of the two sorts that are kept of one player."""


@dataclass(frozen=True)
class CallOrder:
    """What a player is told to call: a frame that is the same for every submission."""

    frame: bytes
    inputs: int
    """how many there are"""
    seconds: float
    """that each call may take"""

    @classmethod
    def of(
        cls,
        exercise: Exercise,
        inputs: Sequence[Inputs],
        seconds: float = TIME_LIMIT,
        ask: Mapping[str, dict] | None = None,
    ) -> CallOrder:
        """The order to call an exercise's answer on these inputs, ``seconds`` for each call.

        For the functions ``ask``, as ``Answers.asked`` describes them, the judge answers.
        """
        order = {
            "do": "call",
            "name": exercise.name,
            "inputs": list(inputs),
            "returns": contract.plain(exercise.returns),
            "call": contract.reference_to(exercise.call),
            "refuse": sorted(exercise.refuse),
            "seconds": seconds,
            "builds_on": list(exercise.builds_on),
            "ask": dict(ask or {}),
        }
        return cls(encode(order), len(inputs), seconds)


@cache
def _known_to_players(course: Course) -> dict:
    """What of the installed packages and of the course a zygote is told."""
    modules = {}
    for name in course.at_play:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.origin:
            raise PlayersUnavailable(f"{course.name} lists {name} for players; there is none.")
        modules[name] = Path(spec.origin).read_text(encoding="utf-8")
    shown = packages.paths_of(packages.with_dependencies((*packages.ALWAYS, *course.packages)))
    secret = courses.secret_folders()
    shown = [path for path in shown if path not in secret]  # a course may depend on another
    hidden = {*packages.package_folders(python_folders()), *secret}
    hidden |= {path.parent for path in shown}
    return {
        "modules": modules,
        "secret": sorted(courses.secret_packages()),
        "hidden": sorted(map(str, hidden)),
        "shown": sorted(map(str, shown)),
    }


class Zygote:
    """A process from which confined players are forked, one at a time.

    ``course`` is whose answers will be called, ``kind`` is ``"plain"`` or ``"torch"``, ``layers``
    come from ``confine.LAYERS``. Raises PlayersUnavailable.
    """

    def __init__(self, course: Course, kind: str, layers: Sequence[str], limits: Limits):
        ours, theirs = socket.socketpair()
        order = {
            "control": theirs.fileno(),
            "kind": kind,
            "layers": list(layers),
            "limits": asdict(limits),
            **_known_to_players(course),
        }
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        secret = ("AUTOGRADER_", "NBGRADER_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(secret)}
        program = "from autograder.player.zygote import main; main()"
        with theirs:
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-c", program, json.dumps(order)],
                    pass_fds=[theirs.fileno()],
                    env=environment | threads | {"MPLBACKEND": "Agg"},
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the judge, who ends its players
                )
            except OSError as error:
                ours.close()
                raise PlayersUnavailable(
                    f"The process that runs submissions did not start: {error.strerror}."
                ) from error
        self.kind, self.control = kind, Channel(ours)
        try:
            ready = self.control.receive(START_SECONDS)
        except (Closed, TooLate, WireError) as error:
            self.close()
            raise PlayersUnavailable(
                f"The process that runs submissions did not start ({type(error).__name__})."
            ) from error
        if "error" in ready:
            self.close()
            raise PlayersUnavailable(
                f"The process that runs submissions did not start: {ready['error']}"
            )
        self.confinement = tuple(ready["ready"])

    def player(self) -> Player:
        """Fork a player. Raises PlayersUnavailable when the zygote is gone or cannot fork."""
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self.control.socket, [b"F"], [theirs.fileno()])
            answer = self.control.receive(START_SECONDS)
        except (OSError, Closed, TooLate) as error:
            ours.close()
            raise PlayersUnavailable("The process that runs submissions is gone.") from error
        finally:
            theirs.close()
        if "error" in answer:
            ours.close()
            raise PlayersUnavailable(f"No player could be started: {answer['error']}")
        return Player(self, Channel(ours))

    def close(self) -> None:
        """End the zygote, and with it whatever lives in it."""
        self.control.close()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Player:
    """One submission's process. Use it as a context manager, which ends it."""

    def __init__(self, zygote: Zygote, channel: Channel):
        self.zygote, self.channel = zygote, channel
        self.tried: dict[Tried, None] = {}
        """what was noticed, in the order in which it was"""
        self.calls: tuple[str, ...] = ()
        """which functions of the notebook the answer asked last calls, as its player says"""
        self.alive = True

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *error) -> None:
        self.end()

    def run_cells(
        self, cells: Sequence[tuple[int, str]], seconds: float = CELL_SECONDS
    ) -> Iterator[CellResult]:
        """Run cells in order; each comes with its number. Raises NeedsTorch and Ended."""
        order = {"do": "cells", "cells": [list(cell) for cell in cells], "seconds": seconds}
        self._send(encode(order))
        for _ in cells:
            yield _checked(self, _cell_result, self._receive(seconds))

    def call(
        self, order: CallOrder, answer: Callable[[Mapping], dict] | None = None
    ) -> Iterator[Observation]:
        """Call the student's answer to an exercise on inputs, one after the other.

        It stops after an observation that is final. ``answer`` answers what the player asks
        meanwhile, and raises ValueError for what nobody may ask. Raises NeedsTorch and Ended.
        """
        self._send(order.frame)
        self.calls = ()
        left = order.inputs
        while left:
            reply = self._receive(order.seconds)
            if answer is not None and "ask" in reply:
                self._send(encode(_checked(self, answer, reply)))
                continue
            several = _checked(self, _observations, reply)[:left]
            self.calls = _checked(self, _names, reply)
            left -= len(several)
            for seen in several:
                yield seen
                if seen.status in FINAL:
                    return

    def end(self) -> str:
        """End the process and whatever it started; how it ended, ``"SIGKILL"`` if by this."""
        if not self.alive:
            return ""
        self.alive = False
        self.channel.close()
        control = self.zygote.control
        try:
            control.socket.settimeout(START_SECONDS)
            control.socket.sendall(b"K")
            answer = control.receive(START_SECONDS)
        except (OSError, Closed, TooLate) as error:
            raise PlayersUnavailable("The process that runs submissions is gone.") from error
        return str(answer["ended"])

    def _send(self, frame: bytes) -> None:
        try:
            self.channel.send_frame(frame, START_SECONDS)
        except (Closed, TooLate) as error:
            raise self._gone() from error

    def _receive(self, seconds: float) -> dict:
        try:
            reply = self.channel.receive(seconds + GRACE)
        except Closed as error:
            raise self._gone() from error
        except TooLate as error:
            self.end()
            raise Ended("timeout", f"{seconds:g} seconds") from error
        except WireError as error:
            self.end()
            raise Ended("reply", str(error)) from error
        if "broken" in reply:
            self.end()
            raise Ended("ended", writable(str(reply["broken"])[:300]))
        tried = reply.get("tried", [])
        for thing in tried[: 2 * MOST_TRIED] if isinstance(tried, list) else []:
            found = _tried(thing)
            if found and sum(t.look is found.look for t in self.tried) < MOST_TRIED:
                self.tried[found] = None
        if reply.get("needs") == "torch" and self.zygote.kind != "torch":
            raise NeedsTorch
        return reply

    def _gone(self) -> Ended:
        return Ended("ended", self.end())


def _tried(thing: object) -> Tried | None:
    """What a player says that it noticed, None where it is not said as it should be."""
    match thing:
        case [str(what), int() | str() | None as where, bool(look)] if type(where) is not bool:
            if isinstance(where, str):
                where = writable(where[:100])
            elif where is not None and not 0 <= where < 2**31:
                return None
            return Tried(writable(what[:300]), where, look)
    return None


def _checked(player: Player, read, reply: dict):
    try:
        return read(reply)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        player.end()
        raise Ended("reply", f"{type(error).__name__} in it") from error


def _cell_result(reply: Mapping) -> CellResult:
    status, dropped = reply["status"], reply["dropped"]
    if status not in ("ok", "error", "timeout") or type(dropped) is not int:
        raise ValueError(status)
    return CellResult(tuple(map(_output, reply["outputs"][:100])), status, dropped)


def _output(output: Mapping) -> dict:
    """One output of a notebook, made of nothing but text and PNG images."""
    kind = output["output_type"]
    if kind == "stream":
        return {"output_type": kind, "name": "stdout", "text": _text(output["text"])}
    if kind == "error":
        lines = [_text(line) for line in output["traceback"][:20]]
        names = {key: _text(output[key]) for key in ("ename", "evalue")}
        return {"output_type": kind, **names, "traceback": lines}
    if kind in ("display_data", "execute_result"):
        data = {k: _text(v) for k, v in output["data"].items() if k in ("text/plain", "image/png")}
        if "image/png" in data:  # pages put it into an attribute as it is
            base64.b64decode(data["image/png"], validate=True)
        kept = {"output_type": kind, "data": data, "metadata": {}}
        return kept | ({"execution_count": None} if kind == "execute_result" else {})
    raise ValueError(kind)


def _observations(reply: Mapping) -> list[Observation]:
    """One at least: a player that says nothing must not be asked for ever."""
    several = [_observation(values) for values in reply["seen"]]
    if not several:
        raise ValueError("none")
    return several


def _names(reply: Mapping) -> tuple[str, ...]:
    return tuple(_text(name)[:100] for name in reply["calls"][:50])


def _observation(values: Mapping) -> Observation:
    seen = Observation(**values)
    if seen.status not in OBSERVED or seen.device not in ("cpu", "meta", "cuda"):
        raise ValueError(seen.status)
    if not all(
        isinstance(key, str) and isinstance(value, np.ndarray)
        for key, value in seen.outputs.items()
    ):
        raise TypeError("outputs")
    seen.message, seen.printed = _text(seen.message)[:2000], _text(seen.printed)[:2000]
    for name in ("lines", "modified", "warnings"):
        setattr(seen, name, tuple(_text(item)[:500] for item in getattr(seen, name)[:20]))
    if type(seen.printed_characters) is not int or type(seen.seconds) not in (int, float):
        raise TypeError("numbers")
    return seen


def _text(value: object) -> str:
    """A text that can be written in UTF-8."""
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return writable(value)
