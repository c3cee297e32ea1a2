"""All that needs a GPU, in at most ten minutes: ``make gpu``, or ``python benchmarks/gpu.py``.

Five steps: what the machine is; the tests that are marked ``gpu``; claim C5, the time of a training
step, GRU over LSTM; a layer of each assignment beside the CPU; and the check of ``GRULayer``. Each
runs in a process of its own with a time limit, so that one that hangs or breaks the GPU's context
takes no other along. What was found is in ``_build/gpu.json``, written whole after every piece.

``--device cpu`` runs the same steps on the CPU, in tiny sizes, to try the way without a GPU.

This file is long because it is the whole of one command: what the steps do, the processes in which
they run, the file in which their results are kept, and the tables in which they are shown.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "_build" / "gpu.json"

Give = Callable[[list[dict], int], None]
"""``give(rows, pieces)``: hands over one piece of a step, of so many; no rows say only how many."""

SEED = 1
"""of the inputs that the exercises draw"""

ROUNDING = 1e-10
"""Largest |GPU - CPU| / (1 + |CPU|) in float64 that passes for a whole layer, as the checks allow."""


# What the machine is


def driver() -> str | None:
    """The version of NVIDIA's driver, None where nothing says it."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        if done.stdout.strip():
            return done.stdout.split()[0]
    except (OSError, subprocess.SubprocessError):
        pass
    try:
        text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"\b\d+\.\d+(\.\d+)?\b", text)
    return found[0] if found else None


def changed() -> bool | None:
    """Whether tracked files differ from the commit; None where git cannot say."""
    command = ["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return bool(done.stdout.strip())


def machine(device: str, give: Give) -> dict:
    """Names and versions: commit, date, processor, GPU, driver, CUDA, PyTorch, TF32 switches."""
    import torch

    from experiments import runner

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch remarks on TF32 when these are touched
        tf32 = {
            "cudnn": torch.backends.cudnn.allow_tf32,
            "matmul": torch.backends.cuda.matmul.allow_tf32,
        }
    row = runner.provenance(device) | {
        "changed": changed(),
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "driver": driver(),
        "tf32": tf32,
    }
    if device == "cpu":
        row["device"] = runner.processor()
    else:
        properties = torch.cuda.get_device_properties(0)
        row["gigabytes"] = properties.total_memory / 2**30
        row["compute_capability"] = f"{properties.major}.{properties.minor}"
    give([row], 1)
    return {}


# The tests


def marked() -> list[str]:
    """The test files that carry the mark ``gpu``."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(path) for path in files if "@pytest.mark.gpu" in path.read_text(encoding="utf-8")]


class Listener:
    """A pytest plugin that hands over each test's outcome; ``rows`` are all of them so far."""

    def __init__(self, give: Give):
        self.give, self.rows, self.count = give, list[dict](), 0

    def pytest_collection_finish(self, session) -> None:
        """Say how many tests there are."""
        self.count = len(session.items)
        self.give([], self.count)

    def pytest_runtest_logreport(self, report) -> None:
        """Hand over what became of a test: of its call, or of what else did not pass."""
        if report.when != "call" and report.outcome == "passed":
            return
        says = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        self.rows.append({
            "test": report.nodeid, "outcome": report.outcome, "seconds": report.duration,
            "says": says[-1500:],
        })  # fmt: skip
        self.give(self.rows[-1:], self.count)


def gpu_tests(device: str, give: Give) -> dict:
    """The suite's tests that need a GPU, each with its outcome. Raises RuntimeError if none ran."""
    import pytest

    listener = Listener(give)
    code = pytest.main(["-m", "gpu", "-p", "no:cacheprovider", *marked()], plugins=[listener])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest ended with {pytest.ExitCode(code).name}")
    # On a GPU a test that is skipped was not tried.
    wanted = ("passed",) if device == "cuda" else ("passed", "skipped")
    rows = [row for row in listener.rows if row["outcome"] not in wanted]
    return {"amiss": [f"{row['test']}: {row['outcome']}" for row in rows]}


# Claim C5


def without_cudnn(device: str, size: int, repeats: int) -> list[dict]:
    """Milliseconds of the library's layers with cuDNN switched off, as ``costs.step_times`` gives them."""
    import torch

    from experiments import costs

    xs = torch.randn(costs.STEPS, costs.BATCH, size, device=device)

    def train_once(run: Callable) -> None:
        run(xs).sum().backward()

    training, reading = {}, {}
    for family in costs.FAMILIES:
        run = costs.ways(family, size, device)["library"][0]
        training[family] = partial(train_once, run)
        reading[family] = torch.no_grad()(partial(run, xs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch remarks on TF32 when this switch is touched
        with torch.backends.cudnn.flags(enabled=False):
            trained = costs.milliseconds(training, repeats, device)
            read = costs.milliseconds(reading, repeats, device)
    return [
        {"family": family, "way": "unfused", "threads": torch.get_num_threads(), "hidden": size,
         "training_ms": trained[family], "reading_ms": read[family]}
        for family in training
    ]  # fmt: skip


def training_steps(device: str, give: Give) -> dict:
    """The rows of ``costs.step_times`` in both rounds, and what the rule of claim C5 makes of them."""
    from experiments import claims, costs

    sizes, repeats = ((8,), 1) if device == "cpu" else (costs.SIZES, 20)
    found: list[dict] = []
    for name in costs.ROUNDS:
        for size in sizes:
            rows = costs.step_times(device, (size,), repeats)
            if not any(row["way"] == "unfused" for row in rows):
                rows += without_cudnn(device, size, repeats)
            rows = [{"round": name, **row} for row in rows]
            found += rows
            give(rows, len(costs.ROUNDS) * len(sizes))
    finding = claims.trains_faster(lambda part: found)
    return {"word": finding.word, "facts": finding.facts}


# A layer of each assignment

EXERCISES = {
    "rnn": ("rnn_forward", "rnn_backward"),
    "lstm": ("lstm_forward",),
    "gru": ("gru_forward", "GRULayer"),
    "gradients": ("gru_backward",),
}
"""By assignment: the exercises about whole sequences, the inputs and answers of which are used."""

VALUES = ("hs", "cs", "h_last")
"""Names of results that are states; all others are gradients."""


def moved(value, device: str):
    """The same with a tensor on ``device`` for every array, in dicts too."""
    import numpy as np
    import torch

    if isinstance(value, Mapping):
        return {name: moved(entry, device) for name, entry in value.items()}
    return torch.from_numpy(value).to(device) if isinstance(value, np.ndarray) else value


def states(function: str, given: dict) -> dict:
    """What a function of the reference gives: ``hs``, and ``cs`` where it has cells."""
    from autograder.course import reference

    result = getattr(reference, function)(**given)
    return dict(zip(VALUES, result if isinstance(result, tuple) else (result,), strict=False))


def gradients(function: str, given: dict) -> dict:
    """The gradients of the reference's states, named as the exercises on backward passes name them."""
    import torch

    from autograder.course import reference

    found = {"dxs": given["xs"], "dh0": given["h0"]}
    found |= {f'grads["{name}"]': value for name, value in given["params"].items()}
    leaves = [value.clone().requires_grad_() for value in found.values()]
    xs, h0, *weights = leaves
    hs = getattr(reference, function)(xs, h0, dict(zip(given["params"], weights, strict=True)))
    result, arriving = (hs, given["dhs"]) if "dhs" in given else (hs[-1], given["dh_last"])
    return dict(zip(found, torch.autograd.grad(result, leaves, arriving), strict=True))


def layer_with_gradients(given: dict) -> dict:
    """What ``GRULayer`` is held to, from the reference with PyTorch's weights and conventions."""
    import torch

    from autograder.course import reference

    found = {name: given[name] for name in ("xs", "h0") if given[name] is not None}
    found |= given["state"]
    leaves = {name: value.clone().requires_grad_() for name, value in found.items()}
    params = reference.params_from_torch(*(leaves[name] for name in given["state"]))
    xs = leaves["xs"]
    h0 = leaves.get("h0", xs.new_zeros(xs.shape[1], given["sizes"][1]))
    hs = reference.gru_forward(xs, h0, params, "keep", "after")
    loss = (hs * given["d_hs"]).sum() + (hs[-1] * given["d_h_last"]).sum()
    names = (f"gradient of {name}" for name in leaves)
    by_leaf = torch.autograd.grad(loss, list(leaves.values()))
    return {"hs": hs, "h_last": hs[-1], **dict(zip(names, by_leaf, strict=True))}


ANSWERS: dict[str, Callable[[dict], dict]] = {
    "rnn_forward": partial(states, "rnn_forward"),
    "rnn_backward": partial(gradients, "rnn_forward"),
    "lstm_forward": partial(states, "lstm_forward"),
    "gru_forward": partial(states, "gru_forward"),
    "GRULayer": layer_with_gradients,
    "gru_backward": partial(gradients, "gru_forward"),
}


def apart(found: Mapping, expected: Mapping) -> dict[str, float]:
    """The largest |found - expected| / (1 + |expected|), of ``values`` and of ``gradients``.

    ``found`` are tensors, ``expected`` arrays. Raises KeyError for what was not found.
    """
    from autograder.checking.naming import deviation

    worst: dict[str, float] = {}
    for name, target in expected.items():
        kind = "values" if name in VALUES else "gradients"
        error = deviation(found[name].detach().cpu().numpy(), target).max()
        worst[kind] = max(worst.get(kind, 0.0), float(error))
    return worst


def on_probes(name: str, device: str) -> dict:
    """An exercise's answers computed on ``device``, beside those that students are held to (CPU)."""
    from autograder.checking.naming import compared
    from autograder.course.gated_memory import COURSE

    exercise = COURSE.get(name)
    row: dict[str, Any] = {"exercise": name, "tolerance": exercise.tolerance, "inputs": 0}
    for probe, inputs in zip(exercise.probes, exercise.draw(SEED), strict=True):
        if inputs.get("dtype") == "float32":
            continue
        expected = compared(probe, exercise.answer(inputs))
        for kind, error in apart(ANSWERS[name](moved(inputs, device)), expected).items():
            row[kind] = max(row.get(kind, 0.0), error)
        row["inputs"] += 1
    return row


def whole_layer(assignment: str, size: int, device: str) -> tuple[Callable, list]:
    """The reference's layer, float64, (H, H), the same weights everywhere: a function and its weights."""
    import torch

    from autograder.course import reference
    from experiments import costs

    torch.manual_seed(0)
    if assignment == "gru":
        layer = reference.GRU(size, size, "keep", "after").double().to(device)
        return lambda xs: layer(xs)[0], list(layer.parameters())
    family = {"gradients": "gru"}.get(assignment, assignment)
    return costs.loop(family, costs.FAMILIES[family](size, size).double().to(device))


def both_ways(assignment: str, shape: tuple[int, int, int], device: str) -> Callable[[], dict]:
    """A forward and a backward pass: ``hs`` and the gradients of their sum by inputs and weights."""
    import torch

    run, weights = whole_layer(assignment, shape[-1], device)
    generator = torch.Generator().manual_seed(0)
    xs = torch.randn(shape, dtype=torch.float64, generator=generator).to(device).requires_grad_()

    def once() -> dict:
        hs = run(xs)
        by_leaf = torch.autograd.grad(hs.sum(), [xs, *weights])
        return {"hs": hs, **{f"gradient {n}": g for n, g in enumerate(by_leaf)}}

    return once


def layers(device: str, give: Give) -> dict:
    """By assignment: how far ``device`` and CPU are apart, and the milliseconds of both passes."""
    from experiments import costs

    shape, repeats = ((5, 2, 4), 2) if device == "cpu" else ((50, 32, 128), 20)
    amiss = []
    for assignment, exercises in EXERCISES.items():
        probes = [on_probes(name, device) for name in exercises]
        passes = {
            place: both_ways(assignment, shape, place) for place in dict.fromkeys(("cpu", device))
        }
        expected = {name: value.detach().numpy() for name, value in passes["cpu"]().items()}
        whole = apart(passes[device](), expected)
        row = {"assignment": assignment, "dtype": "float64", "shape": shape, "probes": probes,
               "whole": whole, "ms": costs.milliseconds(passes, repeats, device)}  # fmt: skip
        for kind in ("values", "gradients"):
            amiss += [
                f"{found['exercise']}: {kind} deviate by {found[kind]:.1g}"
                for found in probes
                if found.get(kind, 0.0) > found["tolerance"]
            ]
            if whole[kind] > ROUNDING:
                amiss.append(f"the layer of {assignment}: {kind} deviate by {whole[kind]:.1g}")
        give([row], len(EXERCISES))
    return {"amiss": amiss}


# The check of GRULayer

RIGHT_STATE = "xs.new_zeros(xs.shape[1], self.hidden_size)"
STATE_ON_CPU = "torch.zeros(xs.shape[1], self.hidden_size, dtype=xs.dtype)"
MISTAKE = "missing h0 built on the CPU"


def solved_layer() -> str:
    """The code of the solution's ``GRULayer``, as a student's notebook would define it."""
    from autograder.material import notebooks as nb

    cells = json.loads(nb.source_notebook(ROOT, "gru"))["cells"]
    text = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell["source"] for cell in cells}
    return "\n".join("".join(text[name]) for name in ("setup-torch", "GRULayer"))


def checked(code: str, of: str) -> dict:
    """The official verdict on a ``GRULayer`` that this code defines."""
    from autograder import grade

    names: dict[str, Any] = {"__name__": "notebook"}
    exec(compile(code, f"<{of}>", "exec"), names)
    verdict = grade(names["GRULayer"], "GRULayer", course="gated-memory")
    return {
        "code": of,
        "passed": verdict.passed,
        "points": verdict.points,
        "of": verdict.max_points,
        "fails_on": [probe.name for probe in verdict.probes if not probe.passed],
        "says": verdict.failure.headline if verdict.failure else "",
        "mistake": verdict.mistake.name if verdict.mistake else None,
        "largest_deviation": verdict.largest_error,
        "notes": list(verdict.notes),
    }


def official_check(device: str, give: Give) -> dict:
    """Two verdicts: on the solution, and on one whose missing h0 is built on the CPU."""
    code = solved_layer()
    if code.count(RIGHT_STATE) != 1:
        raise LookupError(f"solutions/gru.py builds no state with {RIGHT_STATE}")
    right = checked(code, "the solution")
    give([right], 2)
    wrong = checked(code.replace(RIGHT_STATE, STATE_ON_CPU), "its state on the CPU")
    give([wrong], 2)
    amiss = []
    if not right["passed"]:
        amiss.append(f"The solution does not pass: {right['says']}")
    if wrong["mistake"] != MISTAKE or wrong["fails_on"] != ["another device, no h0"]:
        amiss.append(f"The wrong layer is not told as {MISTAKE!r}: {wrong['says'] or 'it passes'}")
    if device == "cuda" and not any("Also run on the GPU" in note for note in right["notes"]):
        amiss.append("The check did not run the solution on the GPU")
    return {"amiss": amiss}


# The steps, each in a process of its own


@dataclass(frozen=True)
class Step:
    """A step: its name in the file, what it is, its limit in seconds, and what it does.

    ``play(device, give)`` returns what is to stand beside the rows; under ``amiss``, sentences on
    what is not as it should be.
    """

    name: str
    title: str
    limit: float
    play: Callable[[str, Give], dict]


STEPS = (
    Step("machine", "the machine", 80, machine),
    Step("tests", "the tests that need a GPU", 140, gpu_tests),
    Step("steps", "the training steps of claim C5", 170, training_steps),
    Step("layers", "a layer of each assignment beside the CPU", 100, layers),
    Step("check", "the check of GRULayer", 80, official_check),
)
"""Their limits add up to less than ten minutes."""

FINISHED = ("done", "amiss")


def play_apart(play: Callable, device: str, log: Path, send: Connection) -> None:
    """The whole life of a step's process: send its pieces, then how it ended; print into ``log``."""
    os.setsid()  # Ctrl-C reaches only the parent, and the parent ends all that was started here
    with log.open("a", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))  # as `python -m pytest` has it
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before PyTorch looks for one
        os.environ["OMP_THREAD_LIMIT"] = "1"  # tiny steps on two threads only wait for each other
    try:
        more = play(device, lambda rows, pieces: send.send(("piece", rows, pieces)))
        send.send(("end", more))
    except BaseException as error:
        traceback.print_exc()
        send.send(("failed", f"{type(error).__name__}: {error}"[:1500]))


def end(process) -> None:
    """Kill a step's process and all that it started, and wait for it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it has ended, or has no group of its own yet
        process.kill()
    process.join()


def follow(
    step: Step, device: str, log: Path, found: dict, tell: Callable[[int, int], None]
) -> None:
    """Run a step to its end or its limit; what comes is put into ``found``.

    ``found``: ``state``, ``rows``, ``seconds``, ``why`` it is not done, and what the step returns.
    ``tell(done, pieces)`` is called after every piece. Raises KeyboardInterrupt on Ctrl-C, with
    what came so far in ``found``.
    """
    context = get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=play_apart, args=(step.play, device, log, send))
    began, pieces = time.monotonic(), 0
    found |= {"state": "under way", "rows": []}
    process.start()
    send.close()
    try:
        while receive.poll(max(0.0, began + step.limit - time.monotonic())):
            kind, *words = receive.recv()
            if kind == "end":
                found |= {"state": "amiss" if words[0].get("amiss") else "done", **words[0]}
                break
            if kind == "failed":
                found |= {"state": "failed", "why": words[0]}
                break
            found["rows"] += words[0]
            pieces += bool(words[0])
            tell(pieces, words[1])
        else:
            found |= {"state": "time limit", "why": f"it took more than {step.limit:g} seconds"}
    except EOFError:
        process.join()
        found |= {"state": "failed", "why": f"its process ended with code {process.exitcode}"}
    except KeyboardInterrupt:
        found |= {"state": "interrupted", "why": "it was interrupted"}
        raise
    finally:
        found["seconds"] = time.monotonic() - began
        end(process)


class Report:
    """What was found so far, and the file in which it is kept."""

    def __init__(self, steps: tuple[Step, ...], device: str, out: Path):
        self.out, self.device, self.steps = out, device, steps
        self.found: dict[str, dict] = {step.name: {"state": "not begun"} for step in steps}

    def missing(self) -> list[str]:
        """The names of the steps that are not finished."""
        return [name for name, found in self.found.items() if found["state"] not in FINISHED]

    def keep(self) -> None:
        """Write the file anew, whole."""
        from experiments.runner import plain, replace_text

        whole = {
            "device": self.device,
            "tiny": self.device == "cpu",
            "missing": self.missing(),
            "steps": self.found,
        }
        replace_text(self.out, json.dumps(plain(whole), indent=1) + "\n")

    def run(self, console: Console) -> None:
        """Run all steps, showing where they are. Raises KeyboardInterrupt, with the file written."""
        log = self.out.with_suffix(".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", encoding="utf-8")
        self.keep()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
            for step in self.steps:
                found = self.found[step.name]
                bar = progress.add_task(step.title, total=None)
                try:
                    follow(step, self.device, log, found, partial(self.tell, progress, bar))
                finally:
                    self.keep()
                    progress.remove_task(bar)
                    seconds = found.get("seconds", 0.0)
                    console.print(f"{step.title}: {found['state']}, {seconds:.0f} s")

    def tell(self, progress: Progress, bar: TaskID, done: int, pieces: int) -> None:
        """Move a step's bar, and keep what came."""
        progress.update(bar, completed=done, total=pieces)
        self.keep()


# What is shown

WAYS = {"library": "library", "unfused": "library, not fused", "loop": "loop"}


def table(title: str, *heads: str, rows: list[tuple], numbers: int = 0) -> Table:
    """A table with a title; its last ``numbers`` columns are aligned on the right."""
    made = Table(title=title, title_justify="left", title_style="bold", show_header=any(heads))
    for n, head in enumerate(heads):
        made.add_column(head, justify="right" if n >= len(heads) - numbers else "left")
    for row in rows:
        made.add_row(*(escape(str(cell)) for cell in row))
    return made


def described(rows: list[dict]) -> Table:
    """Where the figures are from."""
    row = rows[0]
    tf32 = ", ".join(f"{name} {'on' if on else 'off'}" for name, on in row["tf32"].items())
    commit = f"{(row['commit'] or 'unknown')[:12]}{', files changed' if row['changed'] else ''}"
    versions = {"torch": row["packages"]["torch"]}
    versions |= {name: row[name] for name in ("cuda", "cudnn", "driver") if row[name]}
    lines = [
        ("device", row["device"]),
        ("versions", ", ".join(f"{name} {value}" for name, value in versions.items())),
        ("TF32", tf32),
        ("CPU", f"{row['processor']}, {row['threads']} threads"),
        ("commit", commit),
        ("date", row["started"]),
    ]
    return table("The machine", "", "", rows=lines)


def told_tests(rows: list[dict]) -> Table:
    """Each test and its outcome."""
    short = [
        (row["test"].rpartition("::")[2], row["outcome"], f"{row['seconds']:.1f}") for row in rows
    ]
    return table("Tests that need a GPU", "test", "outcome", "seconds", rows=short, numbers=1)


def told_steps(rows: list[dict]) -> Table:
    """Milliseconds of a training step, the mean of both rounds, and GRU over LSTM in each."""
    places: dict[tuple, dict[str, dict[str, float]]] = {}
    for row in rows:
        place = places.setdefault((row["way"], row["hidden"], row["threads"]), {})
        place.setdefault(row["family"], {})[row["round"]] = row["training_ms"]
    lines = []
    for (way, hidden, threads), ms in places.items():
        means = [sum(found.values()) / len(found) for found in (ms["rnn"], ms["lstm"], ms["gru"])]
        ratios = (f"{value / ms['lstm'][name]:.2f}" for name, value in ms["gru"].items())
        cells = (
            WAYS.get(way, way),
            hidden,
            threads,
            *(f"{mean:.3g}" for mean in means),
            ", ".join(ratios),
        )
        lines.append(cells)
    return table(
        "Milliseconds of a training step (claim C5)", "way", "units", "threads", "RNN", "LSTM", "GRU",
        "GRU / LSTM", rows=lines, numbers=6,
    )  # fmt: skip


def told_layers(rows: list[dict]) -> Table:
    """The largest deviations of each assignment, and the milliseconds of both passes."""
    places = list(dict.fromkeys(place for row in rows for place in row["ms"]))
    lines = []
    for row in rows:
        found = [*row["probes"], row["whole"]]
        worst = [max(part.get(kind, 0.0) for part in found) for kind in ("values", "gradients")]
        tried = ", ".join(part["exercise"] for part in row["probes"])
        ms = [f"{row['ms'][place]:.3g}" for place in places]
        lines.append((row["assignment"], tried, *(f"{error:.1e}" for error in worst), *ms))
    heads = ("assignment", "inputs of", "values", "gradients", *(f"ms, {name}" for name in places))
    T, B, H = rows[0]["shape"]
    title = f"Deviation from the CPU in float64; ms at T = {T}, B = {B}, D = H = {H}"
    return table(title, *heads, rows=lines, numbers=2 + len(places))


def told_check(rows: list[dict]) -> Table:
    """Both verdicts."""
    lines = [
        (
            row["code"],
            f"{row['points']:g} of {row['of']:g}",
            row["mistake"] or row["says"] or "passes",
        )
        for row in rows
    ]
    made = table("The check of GRULayer", "GRULayer with", "points", "verdict", rows=lines)
    made.caption = "\n".join(escape(note) for note in rows[0]["notes"])
    made.caption_justify = "left"
    return made


TABLES: dict[str, Callable[[list[dict]], Table]] = {
    "machine": described,
    "tests": told_tests,
    "steps": told_steps,
    "layers": told_layers,
    "check": told_check,
}


def show(report: Report, console: Console) -> None:
    """Print what was found, what is not as it should be, and what is missing."""
    if report.device == "cpu":
        console.print("On the CPU, in tiny sizes: this tries the way, and its times say nothing.")
    for step in report.steps:
        found = report.found[step.name]
        if found.get("rows") and step.name in TABLES:
            console.print(TABLES[step.name](found["rows"]))
        if "word" in found:
            console.print(f'By its rule, claim C5 on this device: "{found["word"]}".')
        for sentence in found.get("amiss", ()):
            console.print(f"Not as it should be: {sentence}", soft_wrap=True, markup=False)
    for step in report.steps:
        if step.name in report.missing():
            why = report.found[step.name].get("why", "its turn did not come")
            console.print(f"Missing: {step.title}; {why}.", soft_wrap=True, markup=False)
    console.print(f"Wrote {report.out}", soft_wrap=True, markup=False)


def no_gpu() -> str:
    """What is said where PyTorch finds no GPU."""
    import torch

    built = "" if torch.version.cuda else ", which is built without CUDA,"
    return (
        f"PyTorch {torch.__version__}{built} finds no GPU here, so none of this was run: "
        f"{', '.join(step.title for step in STEPS[1:-1])} and {STEPS[-1].title}. "
        "To try the same steps on the CPU, in tiny sizes: python benchmarks/gpu.py --device cpu"
    )


@click.command()
@click.option("--device", type=click.Choice(["cuda", "cpu"]), default="cuda", show_default=True,
              help="cpu tries the same steps in tiny sizes.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=OUTPUT,
              help="File of what is found. Default: _build/gpu.json.")  # fmt: skip
def main(device: str, out: Path) -> None:
    """Run all that needs a GPU, in at most ten minutes, and write what was found.

    The exit code is 0 where everything ran and is as it should be, 1 where something is not or is
    missing, 2 without a GPU, and 130 after an interruption, which keeps what was found so far.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        Console(stderr=True).print(no_gpu(), soft_wrap=True, markup=False)
        sys.exit(2)
    report, code = Report(STEPS, device, out), 0
    try:
        report.run(Console(stderr=True))
    except KeyboardInterrupt:
        code = 130
    show(report, Console())
    if code == 0 and any(found["state"] != "done" for found in report.found.values()):
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    main()
