"""The workers of a Dask cluster, asked as ``workers`` are asked on this machine."""

from __future__ import annotations

import logging
import pickle
import time
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial

from autograder.grading.stage import PlayersUnavailable
from autograder.grading.workers import HandOutAgain, WorkerLost, Workers, WorkersGone
from autograder.material.config import CourseError

CONNECT_SECONDS = 5
"""Wall time in which a Dask scheduler has to answer."""

SCHEDULER_SECONDS = 600.0
"""How long a run waits where the scheduler went away: whoever restarts it needs no second command."""

LATE_SECONDS = 60.0
"""After which a submission that a cluster still has is given to an idle worker, too."""


class _Call:
    """Unpickling it calls a function: what ``pickle.loads`` returns is what the function does."""

    def __init__(self, work: tuple):
        self._work = work

    def __reduce__(self):
        function, *arguments = self._work
        return function, tuple(arguments)


class DaskWorkers(Workers):
    """The workers of a Dask cluster, found by its scheduler's address.

    Dask gives the work of one that dies to another, and after a few deaths it gives up. Where the
    scheduler dies, a new one is waited for at the same address. ``say`` gets a sentence whenever
    there are no workers or no scheduler. Raises CourseError.
    """

    late_seconds = LATE_SECONDS

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
        self._connected = partial(Client, address, security=security, set_as_default=False)
        self._restarts = 0
        self._ever: set[str] = set()
        self._present: set[str] = set()
        try:
            self._connect(CONNECT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise CourseError(
                f"No Dask scheduler answers at {address}. Start one with `dask scheduler`, and "
                "give the address that it prints. If one runs there, its log says why it refused."
            ) from error

    def _connect(self, seconds: float) -> None:
        self.client = self._connected(timeout=seconds)
        self._executor = self.client.get_executor(pure=False)
        self._out: set[Future] = set()
        self._scheduler = ""
        self._number, self._asked = -1, -1.0

    @property
    def number(self) -> int:
        """Threads of all workers, at least 1. Workers come and go: it is asked once a second."""
        if time.monotonic() - self._asked > 1:
            try:
                threads, scheduler = self.client.nthreads(), self.client.scheduler_info()["id"]
            except (OSError, TimeoutError, RuntimeError) as error:  # the last: it gave up before
                raise self._lost() from error
            if self._scheduler not in ("", scheduler):  # the client found a new one by itself
                raise self._lost()
            self._scheduler = scheduler
            before, self._number = self._number, sum(threads.values())
            self._asked = time.monotonic()
            self._saw(set(threads))
            if self._number == 0 and before != 0:
                self._say(f"There are no workers at {self.address}; waiting for one.")
        return max(1, self._number)

    def submit(self, *work) -> Future:
        """Have a function called with arguments, all of which can be pickled.

        Raises HandOutAgain, WorkersGone, and RuntimeError for what cannot be sent.
        """
        # Sent as bytes, so that the scheduler needs nothing of the course, and so that a worker
        # which lacks it has a task that fails; otherwise Dask would lose the worker.
        try:
            sent = pickle.dumps(_Call(work))
        except Exception as error:
            raise RuntimeError(f"The work cannot be sent to a worker: {error}") from error
        try:
            future = self._executor.submit(pickle.loads, sent)
        except (OSError, TimeoutError, RuntimeError) as error:
            raise self._lost() from error
        self._out.add(future)
        return future

    def result(self, future: Future):
        """What the function returned. Raises what it raised, WorkerLost, HandOutAgain, WorkersGone
        and CourseError; RuntimeError for an answer that cannot be read."""
        present = future in self._out
        self._out.discard(future)
        try:
            return future.result()
        except (CourseError, PlayersUnavailable, RuntimeError):
            raise
        except self._killed as error:
            raise WorkerLost("The workers that graded it were killed.") from error
        except (CancelledError, OSError, TimeoutError) as error:
            if not present:  # an earlier scheduler's
                raise HandOutAgain from error
            raise self._lost() from error
        except ImportError as error:
            raise CourseError(
                f"A worker lacks the course's package or what it needs ({error}): install it there "
                "as it is installed here, and start the worker anew."
            ) from error
        except Exception as error:
            raise RuntimeError("".join(traceback.format_exception(error))) from error

    def close(self, now: bool = False) -> None:
        """Leave the cluster: when its work is done, or ``now``."""
        with suppress(OSError, TimeoutError, RuntimeError):
            self._saw(set(self.client.nthreads()))
        self._executor.shutdown(wait=not now)
        self.client.close()

    def noticed(self) -> list[str]:
        """Which workers and how many schedulers went away in the meantime."""
        said = []
        if self._restarts:
            times = "once" if self._restarts == 1 else f"{self._restarts} times"
            said.append(f"The Dask scheduler went away {times} and came back.")
        if left := len(self._ever - self._present):
            which = "worker" if left == 1 else "workers"
            said.append(f"{left} Dask {which} went away; others did the work.")
        return said

    def _saw(self, present: set[str]) -> None:
        self._ever |= present
        self._present = present

    def _lost(self) -> Exception:
        """Wait for a scheduler at the same address: what to raise when that is over."""
        if SCHEDULER_SECONDS:
            self._say(
                f"The Dask scheduler at {self.address} is gone. What is graded is kept. Waiting "
                f"up to {SCHEDULER_SECONDS:g} seconds for a scheduler and workers there."
            )
        before, out = self.client, self._out
        deadline = time.monotonic() + SCHEDULER_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            started = time.monotonic()
            try:
                self._connect(min(CONNECT_SECONDS, left))
            except (OSError, TimeoutError):
                time.sleep(max(0.0, min(1.0, left) - (time.monotonic() - started)))
                continue
            before.close(timeout=CONNECT_SECONDS)
            for future in out:  # those of which the old client has not said so
                future.cancel()
            self._restarts += 1
            self._say(f"A scheduler answers at {self.address} again; grading goes on.")
            return HandOutAgain()
        return WorkersGone(
            f"The Dask scheduler at {self.address} is gone. What is graded is kept: start a "
            "scheduler and workers again, then this command, which goes on where it stopped."
        )
