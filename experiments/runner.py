"""Run what has no result yet, on all cores, and keep every result as soon as it is there.

Results are lines of `runs.jsonl`, one for each run, in the folder `book/data/trial`. A line is
written whole; after a kill the next call goes on where this one stopped. Who measured what
(commit, versions, hardware) stands in `provenance.json`, and every line names its entry, and the
digests of the rules and of the instrument it was made under.
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import torch

from . import registration
from .training import Run, train

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "book" / "data" / "trial"
PACKAGES = ("torch", "numpy", "scikit-learn", "scipy", "statsmodels", "pandas")


def plain(value):
    """Numbers with five significant digits: more would only make the files longer."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def provenance(device: str) -> dict:
    """Where and with what results are being measured."""

    def git(*words: str) -> str | None:
        done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    return {
        "commit": git("rev-parse", "HEAD"),
        **registration.current(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "processor": processor(),
        "cores": os.cpu_count(),
        "device": torch.cuda.get_device_name() if device.startswith("cuda") else "cpu",
    }


def replace_text(path: Path, text: str) -> None:
    """Write a file so that it is either the old or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)


def read_lines(path: Path) -> dict[str, dict]:
    """The results of a file by key. A last line that was cut off by a kill is left out."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[-1]:
        replace_text(path, "".join(f"{line}\n" for line in lines[:-1]))
    return {entry["key"]: entry for entry in map(json.loads, lines[:-1])}


def write_lines(path: Path, results: dict[str, dict]) -> None:
    """Write results, one line of JSON each, in the order of their keys."""
    replace_text(path, "".join(f"{json.dumps(results[key])}\n" for key in sorted(results)))


def log_provenance(folder: Path, device: str) -> int:
    """The number of this machine's entry in `provenance.json`; it is added if it is not there."""
    path = folder / "provenance.json"
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    mine = provenance(device)
    for number, entry in enumerate(entries):
        if {**entry, "started": ""} == {**mine, "started": ""}:
            return number
    replace_text(path, json.dumps([*entries, mine], indent=1) + "\n")
    return len(entries)


def one_thread() -> None:
    """Set up a worker: runs in parallel, each on one core."""
    torch.set_num_threads(1)


def timed(run: Run, device: str) -> dict:
    """Train, and add the seconds of wall time, loading the data included, as ``wall``."""
    started = time.perf_counter()
    result = train(run, device)
    return {**result, "wall": time.perf_counter() - started}


def run_missing(
    wanted: Iterable[Run],
    folder: Path = RESULTS,
    *,
    jobs: int | None = None,
    device: str = "cpu",
    again: bool = False,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Run every wanted run that has no result in ``folder``; how many were run.

    ``tell(done, total)`` is called at the start and after every run. An interruption loses the
    runs that were under way and nothing else. ``again`` gives up the results of the wanted runs
    first, and of no others. An error in a run stops the others and is raised with its name.
    """
    path = folder / "runs.jsonl"
    wanted, results = list(wanted), read_lines(path)
    if again:
        for run in wanted:
            results.pop(run.key, None)
        write_lines(path, results)
    missing = [run for run in wanted if run.key not in results]
    tell(0, len(missing))
    if not missing:
        return 0
    by = log_provenance(folder, device)
    under = registration.current()
    pool = ProcessPoolExecutor(
        jobs or os.cpu_count(), mp_context=get_context("spawn"), initializer=one_thread
    )
    waiting = iter(missing)
    under_way = {}

    def start_one() -> None:
        if (run := next(waiting, None)) is not None:
            under_way[pool.submit(timed, run, device)] = run

    try:
        for _ in range(2 * (jobs or os.cpu_count() or 1)):
            start_one()
        with path.open("a", encoding="utf-8") as file:
            done = 0
            while under_way:
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    run = under_way.pop(future)
                    try:
                        result = future.result()
                    except Exception as error:
                        raise RuntimeError(f"the run {run.key!r} failed: {error}") from error
                    file.write(
                        json.dumps(plain({"key": run.key, "by": by, **under, **result})) + "\n"
                    )
                    file.flush()
                    start_one()
                    done += 1
                    tell(done, len(missing))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    write_lines(path, read_lines(path))
    return len(missing)
