"""Who grades: processes on this machine, or the workers of a Dask cluster.

Both are asked in the same way, ``submit(grade_in_worker, settings, student, data)``, and answer
with a future. A worker needs the installed package and nothing of the course: everything else
comes with the question.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from autograder.engine import ConfinementMissing, Engine, version
from autograder.notebooks import CourseError
from autograder.papers import Release
from autograder.players import CELL_SECONDS

MOST_TRIES = 3
"""How often a submission is given to a worker that then dies."""


@dataclass(frozen=True)
class Settings:
    """What all submissions of a run have in common; the same on every machine."""

    assignment: str
    release: Release
    seed: int
    version: str
    accept_less: bool = False
    cell_seconds: float = CELL_SECONDS


_engines: dict[tuple, Engine] = {}
_one_at_a_time = threading.Lock()


def grade_in_worker(settings: Settings, student: str, data: bytes) -> tuple[str, str]:
    """Grade one submission in this process: the grade and the graded notebook, both as JSON.

    Raises CourseError where this machine's package is not the one that settings are from.
    """
    key = (settings.seed, settings.accept_less, settings.cell_seconds)
    with _one_at_a_time:
        if key not in _engines:
            here = version(settings.seed, settings.release)
            if here != settings.version:
                raise CourseError(
                    f"The worker on {os.uname().nodename} has another version of the course or its "
                    "libraries: install the same ones there."
                )
            try:
                _engines[key] = Engine(
                    seed=settings.seed,
                    accept_less=settings.accept_less,
                    cell_seconds=settings.cell_seconds,
                )
            except ConfinementMissing as error:
                raise CourseError(f"On {os.uname().nodename}: {error}") from error
        graded, paper = _engines[key].grade_paper(
            data, settings.assignment, student, settings.release, settings.version
        )
    return graded.to_json(), json.dumps(paper, ensure_ascii=False, indent=1)


def _start_worker() -> None:
    """Leave Ctrl-C to the process that gave the work, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class LocalWorkers:
    """Processes on this machine. One that dies is replaced, and its submission tried again."""

    def __init__(self, number: int):
        self.number = number
        self._pool: Executor | None = None

    def submit(self, *work) -> Future:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.number, mp_context=get_context("spawn"), initializer=_start_worker
            )
        return self._pool.submit(*work)

    def replace(self) -> None:
        """After a worker has died: the others of its pool are useless too."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None

    def close(self, now: bool = False) -> None:
        if self._pool is None:
            return
        workers = list((self._pool._processes or {}).values()) if now else []
        self._pool.shutdown(wait=not now, cancel_futures=now)
        for process in workers:
            process.kill()


class DaskWorkers:
    """The workers of a Dask cluster, found by its scheduler's address. Dask replaces lost work."""

    def __init__(self, address: str, say: Callable[[str], None]):
        try:
            from distributed import Client
        except ImportError as error:
            raise CourseError(
                'Grading on a cluster needs Dask: pip install "gated-memory[cluster]", here and on '
                "every worker."
            ) from error
        try:
            self.client = Client(address, timeout=15, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise CourseError(f"No Dask scheduler answers at {address}: {error}") from error
        self.number = sum(self.client.nthreads().values()) or 1
        if not self.client.nthreads():
            say(f"{address} has no workers yet; waiting for the first.")
        self._executor = self.client.get_executor(pure=False, retries=MOST_TRIES)

    def submit(self, *work) -> Future:
        return self._executor.submit(*work)

    def replace(self) -> None:
        pass

    def close(self, now: bool = False) -> None:
        self._executor.shutdown(wait=not now)
        self.client.close()
