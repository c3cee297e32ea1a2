"""Who grades: processes on this machine, or the workers of a Dask cluster.

Both are asked in the same way, ``submit(grade_in_worker, settings, student, data)``, and
``result`` says what came of it. A worker needs the installed package and nothing of the course:
everything else comes with the question.
"""

from __future__ import annotations

import atexit
import gc
import json
import logging
import os
import pickle
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import forkserver, get_context, parent_process
from multiprocessing.connection import Connection

from autograder.checking import courses
from autograder.grading.engine import ConfinementMissing, Engine, confinement, version
from autograder.grading.stage import CELL_SECONDS, PlayersUnavailable
from autograder.material.config import CourseError
from autograder.material.papers import Release

CONNECT_SECONDS = 5
"""Wall time in which a Dask scheduler has to answer."""


class WorkerLost(Exception):
    """The process that graded a submission died, because of it or for another reason."""


@dataclass(frozen=True)
class Settings:
    """What all submissions of a run have in common; the same on every machine."""

    assignment: str
    release: Release
    seed: int
    version: str
    accept_less: bool = False
    cell_seconds: float = CELL_SECONDS


# In a worker

_engines: dict[tuple, Engine] = {}
"""The engine of this process, one at most: it holds two warm processes."""

_agreed: set[str] = set()
"""Versions of a run that are also this process's."""

_layers: tuple[str, ...] | None = None
"""The layers of confinement that work here, where that has been found out already."""

_one_at_a_time = threading.Lock()


def grade_in_worker(settings: Settings, student: str, data: bytes) -> tuple[str, str]:
    """Grade one submission in this process: the grade and the graded notebook, both as JSON.

    Raises CourseError where this machine's package is not the one that settings are from, or
    where it cannot confine submissions as the settings want it; PlayersUnavailable; and
    RuntimeError, which tells where, for a mistake in the engine.
    """
    try:
        with _one_at_a_time:
            graded, paper = _engine(settings).grade_file(
                data, settings.assignment, student, settings.release, settings.version
            )
    except (CourseError, PlayersUnavailable):
        raise
    except Exception as error:
        # As text it can travel to another process, and shows there where it happened.
        raise RuntimeError("".join(traceback.format_exception(error))) from None
    return graded.to_json(), json.dumps(paper, ensure_ascii=False)


def _engine(settings: Settings) -> Engine:
    here = os.uname().nodename
    if settings.version not in _agreed:
        if version(settings.seed, settings.release) != settings.version:
            raise CourseError(
                f"The worker on {here} has another version of the course's package, of NumPy or of "
                "torch: install the same ones there, and start the worker anew."
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


class LocalWorkers:
    """Processes on this machine, ``number`` of them at most, each started when it is needed.

    A thread waits for each, so that one which dies costs nothing but the submission it had.
    """

    def __init__(self, number: int):
        self.number = number
        self._layers = confinement()
        self._threads = ThreadPoolExecutor(number, initializer=_leave_interrupts_to_others)
        self._all: set[_Process] = set()
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, *work) -> Future:
        """Have a function called with arguments, all of which can be pickled."""
        return self._threads.submit(self._ask, work)

    def result(self, future: Future):
        """What the function returned. Raises what it raised, and WorkerLost."""
        return future.result()

    def close(self, now: bool = False) -> None:
        """End all processes: when their work is done, or ``now``, in the middle of it."""
        if not now:
            self._threads.shutdown()
        with self._lock:
            self._closed = True
            processes = list(self._all)
        for process in processes:
            process.end(now)
        self._threads.shutdown(cancel_futures=True)
        for process in processes:
            process.join()

    def _ask(self, work: tuple):
        process = self._take()
        try:
            answer = process.ask(work)
        except (EOFError, OSError) as error:
            with self._lock:
                self._all.discard(process)
            process.end(now=True)
            process.join()
            raise WorkerLost("The process that graded it was killed.") from error
        with self._lock:
            self._idle.append(process)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _take(self) -> _Process:
        with self._lock:
            if self._closed:
                raise CancelledError
            if self._idle:
                return self._idle.pop()
            try:
                process = _Process(self._layers)
            except OSError as error:
                raise PlayersUnavailable(
                    f"No process could be started: {error.strerror}."
                ) from error
            self._all.add(process)
            return process


class _Process:
    """One worker. Between it and this process is a pipe, which ends when either of them does."""

    def __init__(self, layers: tuple[str, ...]):
        self._pipe, theirs = _context.Pipe()
        with theirs:
            self._process = _context.Process(target=_serve, args=(theirs, layers), daemon=True)
            self._process.start()

    def ask(self, work: tuple):
        self._pipe.send(work)
        return self._pipe.recv()

    def end(self, now: bool) -> None:
        if now:
            self._process.kill()
        else:
            self._pipe.close()

    def join(self) -> None:
        self._process.join()
        self._pipe.close()


def _leave_interrupts_to_others() -> None:
    """Ctrl-C is for the main thread, and not for processes that this thread starts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _serve(pipe: Connection, layers: tuple[str, ...]) -> None:
    """A worker's life. It ends with the process that gives the work, however that one ends."""
    global _layers
    _layers = layers
    gc.freeze()  # what was imported stays: nothing to look for, and memory to share
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            function, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = function(*arguments)
        except Exception as error:
            answer = error  # raised on the other side
        pipe.send(answer)


def _end_with_parent() -> None:
    parent_process().join()
    os._exit(1)  # the zygotes see it, and end too


# A Dask cluster


class _Call:
    """Unpickling it calls a function: what ``pickle.loads`` returns is what the function does."""

    def __init__(self, work: tuple):
        self._work = work

    def __reduce__(self):
        function, *arguments = self._work
        return function, tuple(arguments)


class DaskWorkers:
    """The workers of a Dask cluster, found by its scheduler's address.

    Dask gives the work of one that dies to another, and after a few deaths it gives up. ``say``
    gets a sentence whenever there are no workers. Raises CourseError.
    """

    def __init__(self, address: str, say: Callable[[str], None]):
        try:
            from distributed import Client, KilledWorker, Security
            from distributed.comm import get_address_host_port
        except ImportError as error:
            raise CourseError(
                'Grading on a cluster needs Dask: pip install "gated-memory[cluster]", here and on '
                "every worker."
            ) from error
        # What it has to say of connections and versions, the sentences here say.
        for name in ("distributed", "distributed.client", "distributed.gc", "tornado.application"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", module="distributed")
        self.address, self._say, self._killed = address, say, KilledWorker
        try:
            get_address_host_port(address)  # Dask itself notices late, and then waits
        except ValueError as error:
            raise CourseError(
                f"{address} is no address of a Dask scheduler ({error}). `dask scheduler` prints "
                "it when it starts."
            ) from error
        try:
            security = Security()
            certified = security.get_connection_args("client")["ssl_context"]
        except OSError as error:
            raise CourseError(
                f"Dask's TLS certificates cannot be used: {error.strerror}."
            ) from error
        if address.startswith("tls:") and not certified:
            raise CourseError(
                f"{address} wants a certificate: name it in Dask's configuration, under "
                "distributed.comm.tls."
            )
        try:
            self.client = Client(
                address, security=security, timeout=CONNECT_SECONDS, set_as_default=False
            )
        except (OSError, TimeoutError) as error:
            raise CourseError(
                f"No Dask scheduler answers at {address}. Start one with `dask scheduler`, and "
                "give the address that it prints. If one runs there, its log says why it refused."
            ) from error
        self._executor = self.client.get_executor(pure=False)
        self._number, self._asked = -1, -1.0

    @property
    def number(self) -> int:
        """Threads of all workers, at least 1. Workers come and go: it is asked once a second."""
        if time.monotonic() - self._asked > 1:
            try:
                before, self._number = self._number, sum(self.client.nthreads().values())
            except (OSError, TimeoutError) as error:
                raise self._gone() from error
            self._asked = time.monotonic()
            if self._number == 0 and before != 0:
                self._say(f"There are no workers at {self.address}; waiting for one.")
        return max(1, self._number)

    def submit(self, *work) -> Future:
        """Have a function called with arguments, all of which can be pickled."""
        # Sent as bytes, so that the scheduler needs nothing of the course, and so that a worker
        # which lacks it has a task that fails; otherwise Dask would lose the worker.
        return self._executor.submit(pickle.loads, pickle.dumps(_Call(work)))

    def result(self, future: Future):
        """What the function returned. Raises what it raised, WorkerLost and CourseError."""
        try:
            return future.result()
        except self._killed as error:
            raise WorkerLost("The workers that graded it were killed.") from error
        except CancelledError as error:
            raise self._gone() from error
        except ImportError as error:
            raise CourseError(
                f"A worker lacks the course's package or what it needs ({error}): install it there "
                "as it is installed here, and start the worker anew."
            ) from error

    def close(self, now: bool = False) -> None:
        """Leave the cluster: when its work is done, or ``now``."""
        self._executor.shutdown(wait=not now)
        self.client.close()

    def _gone(self) -> CourseError:
        return CourseError(
            f"The Dask scheduler at {self.address} is gone. What is graded is kept: start a "
            "scheduler and workers again, then this command, which goes on where it stopped."
        )
