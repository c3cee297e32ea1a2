"""Measure what surrounds the grading: ``python benchmarks/cluster.py``.

--coordinator  processor time that the command itself needs for a submission, on processes of this
               machine and on a Dask cluster; workers return a grade that was made before
--sleeping     Dask workers whose grading of a submission is a sleep, so many against one
--players      real players: two Dask workers against one, taking turns

Starts are measured apart. What is asked for is measured, everything where nothing is asked for. The
figures go to book/data/cluster_speed.json, from which the guide is made; what is not measured this
time keeps its figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import stand_ins
from big_class import ROOT, hand_in
from grading import ENVIRONMENT, Course, command

from autograder.grading import run as grading
from autograder.grading.cluster import DaskWorkers
from autograder.grading.workers import LocalWorkers
from autograder.material import collect
from autograder.outlets.gradebook import Writer, gradebook_url, late_penalty
from autograder.terminal import Display

OUTPUT = ROOT / "book" / "data" / "cluster_speed.json"

WARM = 100
"""Submissions that are graded before any time is taken: what is imported and opened once."""


class StandIns(Course):
    """A class whose submissions are not played: all get the grade that the first one was given."""

    def __init__(self, folder: Path, assignment: str, size: int):
        super().__init__(folder, assignment)
        hand_in(folder, assignment, size)
        self.run("autograder", "grade", assignment, "--no-gradebook", "--student", "student00000")
        made = folder / "autograded" / "student00000" / assignment
        self.grade = Path(shutil.move(made, folder / "made_before"))
        shutil.rmtree(folder / "autograded")
        self.settings = grading.settings_for(folder, assignment)

    @contextmanager
    def graded_by(self, work: Callable):
        """In the block, workers do this instead of grading."""
        with mock.patch.object(grading, "grade_in_worker", partial(work, str(self.grade))):
            yield

    def perform(self, students: Sequence[str], team, *, gradebook: bool) -> dict[str, float]:
        """Seconds that it takes, and processor milliseconds of this process for a submission, from
        finding to storing; ``system_ms`` of them the kernel's, most of it the file system's."""
        display, writer = Display(self.assignment), None
        start, clock = os.times(), time.perf_counter()
        found = collect.only(collect.submissions(self.folder, self.assignment), students)
        if gradebook:
            url, penalty = gradebook_url(self.folder), late_penalty(self.folder)
            writer = Writer(url, self.assignment, penalty=penalty, say=display.say)
        run = grading.ClassRun(
            self.folder, self.settings, say=display.say, progress=display.progress, writer=writer
        )
        with display.running():
            summary = run.perform(found, team)
        if writer:
            writer.close()
        if summary.exit_code or sorted(summary.graded) != sorted(students):
            raise SystemExit(f"not everybody was graded: {summary.to_dict()}")
        end, each = os.times(), 1000 / len(students)
        return {
            "seconds": time.perf_counter() - clock,
            "processor_ms": each * (end.user - start.user + end.system - start.system),
            "system_ms": each * (end.system - start.system),
        }

    def students(self) -> list[str]:
        """Everybody who handed in."""
        return sorted(path.name for path in (self.folder / "submitted").iterdir())


class KeptOpen:
    """A team that stays when a run ends, for the next one."""

    def __init__(self, team: LocalWorkers | DaskWorkers):
        self._team = team

    def __getattr__(self, name: str):
        return getattr(self._team, name)

    def close(self, now: bool = False) -> None:
        """Nothing: the owner closes it."""


def coordinator(scratch: Path, assignment: str, size: int) -> dict:
    """Processor milliseconds of the main process for each further submission of a class."""
    course = StandIns(scratch / "coordinator", assignment, WARM + size)
    students, found = course.students(), {}

    def measured(team) -> dict[str, float]:
        kept, milliseconds = KeptOpen(team), {}
        with closing(team):
            for name, gradebook in (("grades", False), ("grades and gradebook", True)):
                course.forget()
                course.perform(students[:WARM], kept, gradebook=gradebook)
                got = course.perform(students[WARM:], kept, gradebook=gradebook)
                milliseconds[name] = round(got["processor_ms"], 2)
                milliseconds[f"{name}, in the kernel"] = round(got["system_ms"], 2)
        return milliseconds

    with course.graded_by(stand_ins.at_once):
        found["processes"] = measured(LocalWorkers(2))
        with dask_cluster(2, stand_in=True) as (address, _):
            found["dask"] = measured(DaskWorkers(address, print))
    for name, milliseconds in found.items():
        print(f"  {name}: {milliseconds} ms", flush=True)
    return {"assignment": assignment, "submissions": size, "processor_ms": found}


def sleeping(scratch: Path, assignment: str, size: int, many: int) -> dict:
    """The same class on one worker and on so many, each asleep while it grades."""
    course = StandIns(scratch / "sleeping", assignment, size)
    row: dict = {"workers": many, "submissions": size, "sleep_ms": 1000 * stand_ins.SLEEP}
    row |= {"start_seconds": {}, "seconds": {}, "processor_ms": {}}
    with course.graded_by(stand_ins.asleep):
        for number in (many, 1):
            with dask_cluster(number, stand_in=True) as (address, started):
                team = DaskWorkers(address, print)
                with closing(team):
                    kept = KeptOpen(team)
                    course.perform(course.students()[: 2 * number], kept, gradebook=False)
                    course.forget()
                    got = course.perform(course.students(), kept, gradebook=True)
            row["start_seconds"][str(number)] = round(started, 2)
            row["seconds"][str(number)] = round(got["seconds"], 2)
            row["processor_ms"][str(number)] = round(got["processor_ms"], 2)
            course.forget()
            print(f"  {number} asleep: {got['seconds']:.2f} s", flush=True)
    row["times_faster"] = round(row["seconds"]["1"] / row["seconds"][str(many)], 2)
    return row


def players(scratch: Path, assignment: str, size: int, rounds: int) -> dict:
    """One and two Dask workers with real players on the same class, taking turns."""
    course = Course(scratch / "players", assignment)
    hand_in(course.folder, assignment, size)
    names = sorted(path.name for path in (course.folder / "submitted").iterdir())
    seconds: dict[int, list[float]] = {1: [], 2: []}
    starts: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(rounds):
        for number in (1, 2) if turn % 2 == 0 else (2, 1):
            with dask_cluster(number) as (address, started):
                arguments = ("grade", assignment, "--scheduler", address, "--no-gradebook")
                # The first few wake the workers, whose start is not the question.
                few = [part for name in names[: 8 * number] for part in ("--student", name)]
                started += course.run("autograder", *arguments, *few)
                shutil.rmtree(course.folder / "autograded")
                settled = course.run("autograder", *arguments, *few, "--force")
                took = course.run("autograder", *arguments, "--force")
                shutil.rmtree(course.folder / "autograded")
            # What a few take is the command's own start, and hardly anything else.
            seconds[number].append((took - settled) / (size - 8 * number))
            starts[number].append(started)
            print(f"  {number}: {1000 * seconds[number][-1]:.1f} ms a submission", flush=True)
    one, two = (statistics.median(seconds[number]) for number in (1, 2))
    return {
        "assignment": assignment,
        "submissions": size,
        "ms": {str(n): [round(1000 * v, 2) for v in values] for n, values in seconds.items()},
        "start_seconds": {str(n): round(statistics.median(v), 2) for n, v in starts.items()},
        "times_faster": round(one / two, 2),
    }


@contextmanager
def dask_cluster(workers: int, *, stand_in: bool = False):
    """A scheduler and so many workers on this machine: its address, and seconds to start it.

    Workers that only stand in find ``stand_ins``, and are one process each.
    """
    start = time.perf_counter()
    environment = ENVIRONMENT
    if stand_in:
        path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.getenv("PYTHONPATH"))))
        environment = {**ENVIRONMENT, "PYTHONPATH": path}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scheduler.json"
        quiet: dict = {"cwd": folder, "env": environment, "stderr": subprocess.DEVNULL}
        scheduler = [command("dask"), "scheduler", "--host", "127.0.0.1", "--port", "0"]
        scheduler += ["--no-dashboard", "--scheduler-file", str(file)]
        processes = [subprocess.Popen(scheduler, **quiet)]
        try:
            while not file.exists() or not file.read_text():
                time.sleep(0.1)
            address = json.loads(file.read_text())["address"]
            worker = [command("dask"), "worker", address, "--nthreads", "1", "--no-dashboard"]
            worker += ["--no-nanny"] if stand_in else []
            processes += [subprocess.Popen(worker, **quiet) for _ in range(workers)]
            from distributed import Client

            with Client(address, set_as_default=False) as client:
                client.wait_for_workers(workers)
            yield address, time.perf_counter() - start
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in reversed(processes):
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:  # a worker may wait for its scheduler for ever
                    process.kill()
                    process.wait()


def machine() -> dict:
    """What figures can be compared on."""
    names = "numpy", "torch", "nbgrader", "distributed"
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def main() -> None:
    """Measure what the options ask for and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    many, on = {"type": int, "nargs": "?", "metavar": "N"}, {"action": "store_true"}
    parser.add_argument("--coordinator", **on)
    parser.add_argument("--sleeping", const=16, help="so many workers against one", **many)
    parser.add_argument("--players", const=400, help="so many submissions", **many)
    parser.add_argument("--size", type=int, default=400, help="submissions of the first two")
    parser.add_argument("--rounds", type=int, default=3, help="turns of the last one")
    parser.add_argument("--assignment", default="lstm")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    if not (options.coordinator or options.sleeping or options.players):
        options.coordinator, options.sleeping, options.players = True, 16, 400
    found: dict = {"machine": machine()}
    with tempfile.TemporaryDirectory() as folder:
        scratch, name = Path(folder), options.assignment
        if options.coordinator:
            print("The coordinator's own processor time")
            found["coordinator"] = coordinator(scratch, name, options.size)
        if options.sleeping:
            print(f"{options.sleeping} workers asleep, and one")
            found["sleeping"] = sleeping(scratch, name, options.size, options.sleeping)
            print(f"  {found['sleeping']['times_faster']} times as fast")
        if options.players:
            print("Two workers with players, and one")
            found["players"] = players(scratch, name, options.players, options.rounds)
            print(f"  {found['players']['times_faster']} times as fast")
    if options.output.exists():
        before = json.loads(options.output.read_text(encoding="utf-8"))
        if before["machine"] == found["machine"]:
            found = {**before, **found}
    options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"Wrote {options.output}")


if __name__ == "__main__":
    main()
