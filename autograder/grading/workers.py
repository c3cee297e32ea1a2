"""Who grades: processes on this machine, or the workers of a Dask cluster (``cluster``).

Both are asked in the same way, ``submit(grade_in_worker, settings, student, data)``, and
``result`` says what came of it. A worker needs the installed package and nothing of the course:
everything else comes with the question.
"""

from __future__ import annotations

import atexit
import gc
import json
import math
import os
import pickle
import select
import signal
import threading
import traceback
import zlib
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from multiprocessing import forkserver, get_context, parent_process
from multiprocessing.connection import Connection

from autograder.checking import courses
from autograder.grading.engine import ConfinementMissing, Engine, confinement, version
from autograder.grading.graded import Graded
from autograder.grading.stage import CELL_SECONDS, PlayersUnavailable
from autograder.grading.version import known_digests
from autograder.material.config import CourseError
from autograder.material.papers import Release
from autograder.material.remarks import Remark
from autograder.player.confine import LAYERS

MOST_STARTS = 3
"""How often in a row a process may fail to start before no more is tried."""


class WorkerLost(Exception):
    """The process that graded a submission died, because of it or for another reason."""


class HandOutAgain(Exception):
    """The work went away with the scheduler that had it, through no fault of its own; there is a new
    one."""


class WorkersGone(CourseError):
    """Nobody is there to grade any more; the message says who it was and what to do."""


@dataclass(frozen=True)
class Settings:
    """What all submissions of a run have in common; the same on every machine."""

    assignment: str
    release: Release
    seed: int
    version: str
    accept_less: bool = False
    cell_seconds: float = CELL_SECONDS
    layers: tuple[str, ...] = LAYERS
    """of confinement that are sure; with ``accept_less`` there may be fewer"""

    def __reduce__(self):
        return _unpacked, (self._packed,)

    @cached_property
    def _packed(self) -> bytes:
        """What is sent with every submission: made, and shrunk to a third, once for a run."""
        return zlib.compress(pickle.dumps([getattr(self, field.name) for field in fields(self)]))

    def version_here(self) -> str:
        """The version that grades with these settings have in this process."""
        course = courses.find(self.release.course)
        return version(course, self.seed, self.release, self.cell_seconds, layers=self.layers)


@lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> Settings:
    return Settings(*pickle.loads(zlib.decompress(packed)))


# In a worker

_engines: dict[tuple, Engine] = {}
"""The engine of this process, one at most: it holds two warm processes."""

_agreed: set[str] = set()
"""Versions of a run that are also this process's."""

_layers: tuple[str, ...] | None = None
"""The layers of confinement that work here, where that has been found out already."""

_one_at_a_time = threading.Lock()


def grade_in_worker(
    settings: Settings, student: str, data: bytes, remarks: Sequence[Remark] = ()
) -> tuple[Graded, str]:
    """Grade one submission in this process: the grade, and the graded notebook as JSON.

    ``remarks`` are what was noticed when it was found.

    Raises CourseError where this machine's package is not the one that settings are from, or
    where it cannot confine submissions as the settings want it; PlayersUnavailable; and
    RuntimeError, which tells where, for a mistake in the engine.
    """
    try:
        with _one_at_a_time:
            graded, paper = _engine(settings).grade_file(
                data,
                settings.assignment,
                student,
                settings.release,
                remarks=remarks,
                version=settings.version,
            )
    except (CourseError, PlayersUnavailable):
        raise
    except Exception as error:
        # As text it can travel to another process, and shows there where it happened.
        raise RuntimeError("".join(traceback.format_exception(error))) from None
    graded.to_json()  # here, where many do it at a time, and not where all grades are stored
    return graded, json.dumps(paper, ensure_ascii=False)


def _engine(settings: Settings) -> Engine:
    here = os.uname().nodename
    if settings.version not in _agreed:
        try:
            version_here = settings.version_here()
        except LookupError as error:  # the course's package is missing here
            raise CourseError(f"On {here}: {error}") from error
        if version_here != settings.version:
            raise CourseError(
                f"The worker on {here} has another version of the course's package, of Python, of "
                "NumPy or of torch: install the same ones there, and start the worker anew."
            )
        _agreed.add(settings.version)
    key = (settings.release.course, settings.seed, settings.accept_less, settings.cell_seconds)
    if key not in _engines:
        close_engine()
        try:
            _engines[key] = Engine(
                courses.find(settings.release.course),
                seed=settings.seed,
                accept_less=settings.accept_less,
                layers=_layers,
                cell_seconds=settings.cell_seconds,
            )
        except ConfinementMissing as error:
            raise CourseError(f"On {here}: {error}") from error
    return _engines[key]


@atexit.register
def close_engine() -> None:
    """End the warm processes of this process's engine, if it has one."""
    while _engines:
        _engines.popitem()[1].close()


# Processes on this machine

# All are forked from one process, which imports once, for all of them, what takes long.
_context = get_context("forkserver")
_context.set_forkserver_preload(["autograder.grading.workers", "torch"])


def start_early() -> None:
    """Have that process import what it has to while this one does something else."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # it inherits that
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Workers:
    """Who grades; what is the same for all of them."""

    late_seconds = math.inf
    """after which one that is not back may be given to another, when nothing else is to be done"""

    @property
    def number(self) -> int:
        """How many submissions they grade at a time."""
        return 1

    def submit(self, *work) -> Future:
        """Have a function called with arguments, all of which can be pickled."""
        raise NotImplementedError

    def result(self, future: Future):
        """What the function returned, or raise what it raised."""
        raise NotImplementedError

    def close(self, now: bool = False) -> None:
        """End it: when the work is done, or ``now``, in the middle of it."""
        raise NotImplementedError

    def noticed(self) -> list[str]:
        """What an instructor should know of how the work went, in sentences."""
        return []


class LocalWorkers(Workers):
    """Processes on this machine, ``number`` of them at most, each started when it is needed.

    A thread waits for each, so that one which dies costs nothing but the submission it had.
    Where no more can be started, those that live do the work.
    """

    def __init__(self, number: int):
        self._most = number
        self._layers = confinement()
        self._threads = ThreadPoolExecutor(number, initializer=_leave_interrupts_to_others)
        self._all: set[_Process] = set()
        self._idle: list[_Process] = []
        self._changed = threading.Condition()
        self._failed_starts, self._why = 0, ""
        self._closed = False

    @property
    def number(self) -> int:
        """How many there are at most."""
        return self._most

    def submit(self, *work) -> Future:
        """Have a function called with arguments, all of which can be pickled."""
        return self._threads.submit(self._ask, work)

    def result(self, future: Future):
        """What the function returned. Raises CourseError, PlayersUnavailable and RuntimeError as it
        did, its other exceptions and what cannot be sent as RuntimeError; PlayersUnavailable, too,
        where no process can be started; and WorkerLost."""
        return future.result()

    def close(self, now: bool = False) -> None:
        """End all processes: when their work is done, or ``now``, in the middle of it."""
        if not now:
            self._threads.shutdown()
        with self._changed:
            self._closed = True
            processes, self._all = self._all, set()
            self._changed.notify_all()
        for process in processes:
            process.end(now)
        self._threads.shutdown(cancel_futures=True)
        for process in processes:
            process.join()

    def _ask(self, work: tuple):
        try:
            question = pickle.dumps(work)
        except Exception as error:
            raise RuntimeError(f"The work cannot be sent to a process: {error}") from error
        process = self._take()
        try:
            answer = process.ask(question)
        except (EOFError, OSError) as error:
            self._lose(process)
            raise WorkerLost("The process that graded it was killed.") from error
        with self._changed:
            self._idle.append(process)
            self._changed.notify()
        try:
            answer = pickle.loads(answer)
        except Exception as error:
            raise RuntimeError(f"The answer of a process cannot be read: {error}") from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _take(self) -> _Process:
        """A process without work: an idle one, a new one, or one that gets done."""
        while True:
            with self._changed:
                if self._closed:
                    raise CancelledError
                process = self._idle.pop() if self._idle else self._started()
                if process is None:
                    if not self._all:
                        raise PlayersUnavailable(f"No process could be started: {self._why}.")
                    self._changed.wait()
                    continue
            if process.lives():
                return process
            self._lose(process)

    def _started(self) -> _Process | None:
        """A new process, None where none can be started."""
        while self._failed_starts < MOST_STARTS:
            try:
                process = _Process(self._layers)
            except (EOFError, ConnectionError):
                self._failed_starts += 1
                self._why = "the one that forks it was killed"
            except OSError as error:
                self._failed_starts += 1
                self._why = error.strerror or str(error)
            else:
                self._failed_starts = 0
                self._all.add(process)
                return process
        return None

    def _lose(self, process: _Process) -> None:
        """Forget a process that is dead or out of step; there may be room for another one now."""
        with self._changed:
            mine = process in self._all
            self._all.discard(process)
            self._failed_starts = min(self._failed_starts, MOST_STARTS - 1)
            self._changed.notify_all()
        if mine:  # else it is ended by ``close``
            process.end(now=True)
            process.join()


class _Process:
    """One worker. Between it and this process is a pipe, which ends when either of them does.

    Raises OSError and EOFError where it cannot be started.
    """

    def __init__(self, layers: tuple[str, ...]):
        self._pipe, theirs = _context.Pipe()
        try:
            with theirs:
                told = theirs, layers, known_digests
                self._process = _context.Process(target=_serve, args=told, daemon=True)
                self._process.start()
            assert self._process.pid is not None  # it was started
            self._watched = _watched(self._process.pid)
        except BaseException:
            self._pipe.close()  # a worker that was forked all the same ends with it
            raise

    def ask(self, question: bytes) -> bytes:
        self._pipe.send_bytes(question)
        return self._pipe.recv_bytes()

    def lives(self) -> bool:
        if self._watched is None:
            return self._process.is_alive()
        return not select.select([self._watched], [], [], 0)[0]

    def end(self, now: bool) -> None:
        if not now:
            self._pipe.close()
        elif self._watched is None:
            self._process.kill()
        else:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._watched, signal.SIGKILL)

    def join(self) -> None:
        if self._watched is not None:
            select.select([self._watched], [], [])
            os.close(self._watched)
        self._process.join()
        self._pipe.close()


def _watched(pid: int) -> int | None:
    """A descriptor that tells when the process ends, None where the system has none.

    ``multiprocessing`` hears that from the process that forks, and where that one was killed it
    takes all its children for dead. Raises EOFError for a process that has ended already.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError as error:
        raise EOFError from error


def _leave_interrupts_to_others() -> None:
    """Ctrl-C is for the main thread, and not for processes that this thread starts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _serve(pipe: Connection, layers: tuple[str, ...], digests: dict) -> None:
    """A worker's life. It ends with the process that gives the work, however that one ends."""
    global _layers
    _layers = layers
    known_digests.update(digests)
    gc.freeze()  # what was imported stays: nothing to look for, and memory to share
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the other end is closed
        while True:
            pipe.send_bytes(_answered(pipe.recv_bytes()))


def _answered(question: bytes) -> bytes:
    """The answer to a question: what the function returns, or what is raised on the other side."""
    try:
        function, *arguments = pickle.loads(question)
        return pickle.dumps(function(*arguments))
    except (CourseError, PlayersUnavailable, RuntimeError) as error:
        return pickle.dumps(error)
    except Exception as error:  # as text: not every exception can be made again elsewhere
        return pickle.dumps(RuntimeError("".join(traceback.format_exception(error))))


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
    os._exit(1)  # the zygotes see it, and end too
