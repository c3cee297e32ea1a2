"""Measure grading: ``make bench``, or ``python benchmarks/grading.py --assignments gru --large 0``.

Stock nbgrader and the engine grade the same submissions, taking turns in one run; ratios are of
medians. Everything is included: starting the commands, reading, running, judging, writing the
graded notebooks and the gradebook. The figures go to book/data/grading_speed.json, from which the
guide is made.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

import stages
from big_class import ROOT, hand_in, make_course
from nbgrader.api import Gradebook

from autograder.checking.points import rounded
from autograder.course.gated_memory import COURSE

OUTPUT = ROOT / "book" / "data" / "grading_speed.json"
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("AUTOGRADER_", "MAKE"))}


def command(name: str) -> str:
    """The path of a console script beside this Python."""
    return str(Path(sys.executable).parent / name)


class Course:
    """A course in a scratch folder, in which an assignment is registered."""

    def __init__(self, folder: Path, assignment: str, *, stock: bool = False):
        self.folder, self.assignment = folder, assignment
        make_course(folder, stock=stock)
        self.run("nbgrader", "generate_assignment", assignment)

    def run(self, name: str, *arguments: str) -> float:
        """Seconds a command takes; it has to succeed."""
        start = time.perf_counter()
        done = subprocess.run(
            [command(name), *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{name} {' '.join(arguments)}\n{done.stdout}\n{done.stderr}")
        return time.perf_counter() - start

    def forget(self) -> None:
        """Let everything be ungraded again."""
        for name in ("autograded", "gradebook.db"):
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self.run("nbgrader", "generate_assignment", self.assignment, "--force")

    def scores(self) -> dict[str, float]:
        """Points of every student, as ``nbgrader export`` writes them."""
        self.run("nbgrader", "export")
        with (self.folder / "grades.csv").open(encoding="utf-8") as file:
            return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}

    def scores_in_gradebook(self) -> dict[str, float]:
        """The same, asked of the gradebook at once: the export takes minutes for ten thousand."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            found = gradebook.submission_dicts(self.assignment)
        return {row["student"]: rounded(row["score"]) for row in found}

    def first_after(self, start: float) -> float:
        """How many seconds after ``start``, since the epoch, the first graded notebook was there."""
        paths = self.folder.glob(f"autograded/*/{self.assignment}/{self.assignment}.ipynb")
        return min(path.stat().st_mtime for path in paths) - start

    def graded_at(self) -> list[float]:
        """When each grade was written, in order; seconds since the epoch."""
        paths = self.folder.glob(f"autograded/*/{self.assignment}/grade.json")
        return sorted(path.stat().st_mtime for path in paths)

    def grades(self) -> list[dict]:
        """The engine's grades of all submissions, by student in alphabetical order."""
        paths = sorted(self.folder.glob(f"autograded/*/{self.assignment}/grade.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def compare_with_stock(scratch: Path, assignment: str, few: int, many: int, rounds: int) -> dict:
    """Seconds per submission of both, on classes that begin with the same submissions; seconds
    until the first of them was graded are in ``first``, too."""
    courses = {
        "stock": Course(scratch / f"stock-{assignment}", assignment, stock=True),
        "engine": Course(scratch / f"engine-{assignment}", assignment),
    }
    sizes = {"stock": few, "engine": many}
    grade = {"stock": ("nbgrader", "autograde"), "engine": ("autograder", "grade")}
    seconds: dict[str, list[float]] = {"stock": [], "engine": []}
    first: dict[str, list[float]] = {"stock": [], "engine": []}
    for name, course in courses.items():
        hand_in(course.folder, assignment, sizes[name])
    for number in range(rounds):
        for name, course in courses.items():
            if number:
                course.forget()
            start = time.time()
            seconds[name].append(course.run(*grade[name], assignment) / sizes[name])
            first[name].append(course.first_after(start))
        print(f"  {assignment}, round {number + 1}: {seconds['stock'][-1]:.2f} s and", end=" ")
        print(f"{seconds['engine'][-1] * 1000:.1f} ms a submission, the first one after", end=" ")
        print(f"{first['stock'][-1]:.1f} s and {first['engine'][-1]:.1f} s", flush=True)
    there, here = (course.scores() for course in courses.values())
    different = {name: (there[name], here[name]) for name in there if there[name] != here[name]}
    for name, (theirs, ours) in different.items():
        print(f"  {name}: {theirs!r} points from stock, {ours!r} from the engine")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "assignment": assignment,
        "submissions": sizes,
        "equal_scores": len(there) - len(different),
        "different_scores": different,
        "seconds": {name: [round(v, 4) for v in values] for name, values in seconds.items()},
        "first": {name: [round(v, 2) for v in values] for name, values in first.items()},
        "times_faster": round(medians["stock"] / medians["engine"], 1),
    }


def grow(scratch: Path, assignment: str, sizes: list[int]) -> list[dict]:
    """Cost against the number of submissions, a class of each size graded from nothing."""
    rows = []
    for size in sizes:
        course = Course(scratch / f"class-{size}", assignment)
        hand_in(course.folder, assignment, size)
        row: dict = {"submissions": size}
        with Memory() as memory:
            row["seconds"] = round(course.run("autograder", "grade", assignment), 2)
        row["megabytes"] = memory.peak
        row["again_seconds"] = round(course.run("autograder", "grade", assignment), 2)
        row |= _inside(course)
        print(f"  {size} submissions: {row['seconds']} s, {memory.peak} MB", flush=True)
        rows.append(row)
        shutil.rmtree(course.folder)
    return rows


def _inside(course: Course) -> dict:
    """What the grades of a class say of the time that each took."""
    grades = course.grades()
    code = statistics.fmean(grade["code_seconds"] for grade in grades)
    whole = statistics.fmean(grade["seconds"] for grade in grades)
    return {
        "graded": len(grades),
        "code_ms": round(code * 1000, 2),
        "engine_ms": round(whole * 1000, 2),
    }


def large(scratch: Path, assignment: str, size: int) -> dict:
    """One large class: killed when half is graded, then gone on with by the same command.

    ``progress`` holds how many grades there were after how many seconds, ``memory`` seconds and
    megabytes; both go on where the kill was.
    """
    course = Course(scratch / "large", assignment)
    hand_in(course.folder, assignment, size)
    grade = [command("autograder"), "grade", assignment]
    quiet = {"cwd": course.folder, "env": ENVIRONMENT, "stderr": subprocess.DEVNULL}
    with Memory() as memory:
        start, clock = time.perf_counter(), time.time()
        process = subprocess.Popen(grade, stdout=subprocess.DEVNULL, **quiet)
        while process.poll() is None:
            if len(list(course.folder.glob("autograded/*"))) >= size // 2:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.5)
        process.wait()
        kept = len(course.graded_at())
        killed_after = time.perf_counter() - start
        done = subprocess.run([*grade, "--json"], stdout=subprocess.PIPE, text=True, **quiet)
        seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stdout)
    summary = json.loads(done.stdout)
    if len(summary["unchanged"]) != kept or len(summary["graded"]) != size - kept:
        raise SystemExit("after a kill, some were graded twice or not at all")
    if course.scores_in_gradebook() != summary["scores"] or len(summary["scores"]) != size:
        raise SystemExit("after a kill, the gradebook and the grades differ")
    ends = [at - clock for at in course.graded_at()]
    every = max(1, size // 100)
    found = {
        "assignment": assignment,
        "submissions": size,
        "seconds": round(seconds, 1),
        "killed": {"after": round(killed_after, 1), "kept": kept, "then_graded": size - kept},
        "progress": [[n, round(ends[n - 1], 1)] for n in range(every, size + 1, every)],
        "memory": memory.thinned(),
        "megabytes": memory.peak,
        **_inside(course),
    }
    print(f"  {size} submissions: {found['seconds']} s, {memory.peak} MB", flush=True)
    shutil.rmtree(course.folder)
    return found


class Memory:
    """The sum of private memory of this process's descendants, in megabytes, over time."""

    def __enter__(self) -> Memory:
        self._seen: list[tuple[float, int]] = []
        self._start, self._over = time.perf_counter(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            total = sum(self._private(pid) for pid in self._descendants())
            self._seen.append((time.perf_counter() - self._start, total >> 20))

    @property
    def peak(self) -> int:
        """The largest sum."""
        return max((megabytes for _, megabytes in self._seen), default=0)

    def thinned(self, number: int = 100) -> list[list[float]]:
        """Seconds and the largest sum of each of so many equal spans of time."""
        width = -(-len(self._seen) // number) or 1
        spans = [self._seen[at : at + width] for at in range(0, len(self._seen), width)]
        return [[round(span[0][0], 1), max(mb for _, mb in span)] for span in spans]

    def _descendants(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
        found, left = [], [os.getpid()]
        while left:
            left += (more := children.get(left.pop(), []))
            found += more
        return found

    def _private(self, pid: int) -> int:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            return 0
        return 1024 * sum(int(n.split()[1]) for n in text.splitlines() if n.startswith("Pss:"))


def parsed() -> argparse.Namespace:
    """The options; without any, everything that the guide shows is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assignments", nargs="*", default=list(COURSE.assignments))
    parser.add_argument("--few", type=int, default=8, help="submissions that stock grades")
    parser.add_argument("--many", type=int, default=1000, help="submissions that the engine grades")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--staged", type=int, default=150, help="submissions timed stage by stage")
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 300, 1000])
    parser.add_argument("--large", type=int, default=10_000, help="submissions of the large class")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    return parser.parse_args()


def main() -> None:
    """Measure what the options ask for and write the figures, each part as soon as it is there."""
    options = parsed()
    machine = {
        "cores": len(os.sched_getaffinity(0)),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "torch", "nbgrader", "distributed")},
    }

    def keep(**part) -> None:
        found = with_those_before({"machine": machine, **part}, options.output)
        options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    different = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        print("Stock nbgrader and the engine on the same submissions", flush=True)
        for name in options.assignments:
            row = compare_with_stock(scratch, name, options.few, options.many, options.rounds)
            print(f"  {name}: {row['times_faster']} times as fast as stock", flush=True)
            different += [name] if row["different_scores"] else []
            keep(stock=[row])
        if options.staged:
            print("What a submission's time is made of", flush=True)
            for name in options.assignments:
                keep(stages=[staged(scratch, name, options.staged)])
        if options.sizes:
            print("Classes of different sizes", flush=True)
            keep(sizes=grow(scratch, "lstm", options.sizes))
        if options.large:
            print("A large class, killed half-way", flush=True)
            keep(large=large(scratch, "gru", options.large))
    print(f"Wrote {options.output}")
    if different:
        raise SystemExit(
            f"Other points than stock nbgrader gives: {', '.join(different)}, see above."
        )


def staged(scratch: Path, assignment: str, number: int) -> dict:
    """The table of stages of one assignment, printed as it is made."""
    course = Course(scratch / f"stages-{assignment}", assignment)
    hand_in(course.folder, assignment, number)
    found = stages.stages(course.folder, assignment)
    print(stages.show(found), flush=True)
    return found


def with_those_before(found: dict, file: Path) -> dict:
    """What this call left out keeps its figures, if they are of the same machine and versions."""
    if not file.exists():
        return found
    before = json.loads(file.read_text(encoding="utf-8"))
    if before["machine"] != found["machine"]:
        return found
    merged = {**before, **found}
    for name in ("stock", "stages"):
        rows = {r["assignment"]: r for r in (*before.get(name, ()), *found.get(name, ()))}
        merged[name] = [rows[n] for n in COURSE.assignments if n in rows]
    return merged


if __name__ == "__main__":
    main()
