"""A class to grade, and the processes that grade it."""

from __future__ import annotations

import gc
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from autograder.course.classroom import CLASS, Submission
from autograder.material import notebooks as nb

HERE = Path(__file__).parent
COURSE = HERE.parents[1]
PROGRAMS = Path(sys.executable).parent
TOKEN = "CLUSTER_SCENE"
"""The environment variable by which all processes of a scene are found."""

QUICK = ("ben", "cleo", "fay", "june", "quinn")
"""Students of the sample class whose work is graded in no time."""


@pytest.fixture(autouse=True)
def no_connection_left() -> Iterator[None]:
    """A client whose scheduler was killed leaves connections to the garbage collector, which would
    complain of them in the middle of a later test. For the modules that import it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def make_course(folder: Path, students: dict[str, str], registered: Path | None = None) -> Path:
    """A course in which each of ``students`` has handed in what one of the sample class has.

    From ``registered``, where it is given, come a gradebook and what nbgrader released.
    """
    for name in ("nbgrader_config.py", "_config.yml"):
        folder.mkdir(exist_ok=True)
        shutil.copy(COURSE / name, folder)
    for name in ("solutions", "notebooks"):
        shutil.copytree(COURSE / name, folder / name)
    if registered:
        shutil.copy(registered / "gradebook.db", folder)
        shutil.copytree(registered / "_build", folder / "_build")
    (folder / "secret_seed.txt").write_text("20140903\n", encoding="utf-8")
    empty = nbformat.read(nb.release_path(COURSE, "gru"), as_version=4)
    solved = nbformat.reads(nb.source_notebook(COURSE, "gru"), as_version=4)
    for cell in solved.cells:
        cell.source = re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", cell.source, flags=re.M)
    works = {student.name: student.work for student in CLASS}
    for student, like in students.items():
        paper = Submission(empty, solved)
        works[like](paper)
        paper.write_to(folder / "submitted" / student / "gru")
    return folder


def environment(token: str, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AUTOGRADER_", "DASK_"))}
    if "PYTHONPATH" in more:
        more["PYTHONPATH"] = os.pathsep.join([more["PYTHONPATH"], kept.get("PYTHONPATH", "")])
    return kept | {TOKEN: token} | more


def start(*command: str, token: str = "", cwd: Path | None = None, **more: str):
    """Start a program of this environment in a process group of its own."""
    return subprocess.Popen(
        [str(PROGRAMS / command[0]), *command[1:]],
        cwd=cwd,
        env=environment(token, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def line_with(process: subprocess.Popen, pattern: str) -> re.Match:
    """Wait for the line of standard error in which ``pattern`` is found."""
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"It ended without {pattern!r}:\n{''.join(said)}")


@contextmanager
def scheduler(token: str, **more: str) -> Iterator[str]:
    """``dask scheduler`` on this machine; its address."""
    with mortal_scheduler(token, **more) as (_, address):
        yield address


@contextmanager
def mortal_scheduler(
    token: str, port: int = 0, **more: str
) -> Iterator[tuple[subprocess.Popen, str]]:
    """The same, for a test that kills it: its process too."""
    options = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    process = start("dask", "scheduler", *options, token=token, **more)
    try:
        yield process, line_with(process, r"Scheduler at: *(tcp://\S+)").group(1)
    finally:
        stop(process)


@contextmanager
def worker(address: str, *options: str, token: str, **more: str) -> Iterator[subprocess.Popen]:
    """``dask worker`` with one thread, in one process unless ``--nanny`` is an option."""
    one = () if "--nanny" in options else ("--no-nanny",)
    command = ("dask", "worker", address, "--nthreads", "1", "--no-dashboard", *one, *options)
    process = start(*command, token=token, **more)
    try:
        line_with(process, "Registered to")
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def alive(token: str) -> dict[int, int]:
    """Descriptors of all processes of a scene, by process id; each is ready when it ends."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{TOKEN}={token}\0".encode() not in (folder / "environ").read_bytes():
                continue
            if (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
            found[int(folder.name)] = os.pidfd_open(int(folder.name))
        except OSError:  # it has ended, or is another user's
            continue
    return found


def still_there(processes: dict[int, int], but: int = 0, seconds: float = 60) -> list[int]:
    """The processes that do not end, once no more than ``but`` are left or the time is over."""
    deadline, left = time.monotonic() + seconds, dict(processes)
    while len(left) > but and (patience := deadline - time.monotonic()) > 0:
        ended = select.select(list(left.values()), [], [], patience)[0]
        left = {pid: descriptor for pid, descriptor in left.items() if descriptor not in ended}
    for descriptor in processes.values():
        os.close(descriptor)
    return list(left)
