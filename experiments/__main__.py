"""`python -m experiments`: run everything that has no result yet."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from . import costs, designs
from .baselines import WITHOUT, without_recurrence
from .jobs import JOBS, task_named
from .registration import EARLIER, current
from .results import first, results
from .runner import (
    RESULTS,
    log_provenance,
    one_thread,
    plain,
    processor,
    read_lines,
    replace_text,
    run_missing,
)
from .training import Run, load, train
from .yardstick import LOOKS

DESIGNS = (*designs.DESIGNS, "beside")
UNQUOTED = ("house_letters",)  # its baseline takes a minute a seed, and no page quotes it


def tell_progress(progress: Progress, bar: TaskID, done: int, total: int) -> None:
    """Move a bar."""
    progress.update(bar, completed=done, total=total)


def measure_baselines(out: Path) -> None:
    """Write `baselines.json`: for every real task and every job the baseline's measure, a value for each seed
    of the first look, of which jobs with nets of their own have fewer.

    What is there stays; remove a task from the file to measure it again.
    """
    path = out / "baselines.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in (*designs.REAL, *JOBS):
        if name not in (*found, *UNQUOTED):
            task = task_named(name)
            seeds = designs.FEW_SEEDS if task.own else LOOKS[0]
            found[name] = plain(
                [WITHOUT[name][1](task.load(seed, task.count)) for seed in range(seeds)]
            )
            replace_text(path, json.dumps(found) + "\n")
        if name in found:
            print(f"{name}: {min(found[name]):.4g} to {max(found[name]):.4g}", flush=True)


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Run the experiments of the trial; without a command, `run`."""
    if context.invoked_subcommand is None:
        context.invoke(run)


@main.command()
@click.argument("names", nargs=-1, metavar="[DESIGN|costs]...")
@click.option("--jobs", type=click.IntRange(1), help="Runs at a time. Default: one for each core.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--looks", type=click.IntRange(1, len(LOOKS)), default=len(LOOKS), show_default=True,
              help="How often an undecided comparison may get more seeds.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=RESULTS,
              help="Folder of the results. Default: book/data/trial.")  # fmt: skip
def run(names: tuple[str, ...] = (), jobs: int | None = None, device: str = "cpu",
        looks: int = len(LOOKS), out: Path = RESULTS) -> None:  # fmt: skip
    """Run what has no result yet: all, or the DESIGNs named, and "costs".

    An interrupted call loses nothing but the runs under way; call it again to go on.
    """
    if device.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            raise click.UsageError("--device cuda: PyTorch finds no GPU here. Use --device cpu.")
        if out == RESULTS:
            raise click.UsageError("--device cuda needs --out: the course's results are the CPU's.")
    unknown = set(names) - {*DESIGNS, "costs"}
    if unknown:
        known = ", ".join((*DESIGNS, "costs"))
        raise click.UsageError(f"no design {', '.join(sorted(unknown))}. There are: {known}.")
    console = Console(stderr=True)
    trained = tuple(name for name in names if name != "costs")
    if trained or not names:
        # What comes next depends on what came out: tuning, then seeds, then more of them.
        while wanted := designs.missing(read_lines(out / "runs.jsonl"), trained, looks):
            with Progress(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=console,
            ) as progress:
                tell = partial(tell_progress, progress, progress.add_task("", total=None))
                run_missing(wanted, out, jobs=jobs, device=device, tell=tell)
        console.print("Every run that is wanted has its result.")
    path = out / "costs.json"
    if "costs" in names or (not names and not path.exists()):
        # After the training, so that nothing else keeps the cores busy.
        console.print("Timing the layers: about two minutes. Leave the machine alone.")
        by = log_provenance(out, device)
        replace_text(path, json.dumps({"by": by, **plain(costs.measure(device))}) + "\n")
    if not names:
        measure_baselines(out)


@main.command()
def scale() -> None:
    """Print what SCALE in designs.py has to say: trivial predictor and best known, by task."""
    medians = first()["medians"]
    for name in designs.SCALE:
        trivial, baseline = without_recurrence(task_named(name))
        same_task = name in medians and name != "adding"
        best = min([baseline, *(medians[name].values() if same_task else ())])
        if name in (*designs.DELAYS, *designs.RULED):
            best = 0.0
        print(f"{name}: ({trivial:.5g}, {best:.5g}), of which the baseline {baseline:.5g}")


@main.command()
def baselines() -> None:
    """Measure the baseline of every task that has none yet, on the training part of each seed of the first look."""
    measure_baselines(RESULTS)


@main.command()
@click.argument("names", nargs=-1, metavar="[NET]...")
def models(names: tuple[str, ...]) -> None:
    """Train and write the nets that part V ships: all, or the NETs named."""
    from .models import FOLDER, MODELS, ship

    if unknown := set(names) - set(MODELS):
        raise click.UsageError(
            f"no net {', '.join(sorted(unknown))}. There are: {', '.join(MODELS)}."
        )
    one_thread()
    path = FOLDER / "models.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in names or MODELS:
        told[name] = plain(ship(name))
        replace_text(path, json.dumps(told, indent=1) + "\n")
        print(f"{name}: {told[name]}", flush=True)


@main.command()
def dependence() -> None:
    """Train and write the character models whose gradients a page shows: about five minutes."""
    from .dependence import write

    one_thread()
    for family, entry in write().items():
        print(
            f"{family}: {entry['test']:.3f}, quantized {entry['quantized']:.3f} bits per character"
        )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def sounds(folder: Path) -> None:
    """Take the sounds of one more voice from FOLDER, the English sounds of asterisk-core-sounds-en-wav."""
    from .sounds import collect

    print(f"ten digits, and {collect(folder):.0f} s of announcements")


@main.command()
def house() -> None:
    """Draw the sentences of the house; needs home-assistant-intents 2026.10.27 and hassil 3.13.0."""
    from .house_sentences import collect

    print(f"{collect()} sentences")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def features(folder: Path) -> None:
    """Hold our features against those of the spoken digits, on the recordings in FOLDER."""
    from .models import FOLDER
    from .sounds import held_against_recordings

    found = plain(held_against_recordings(folder))
    replace_text(FOLDER / "features.json", json.dumps(found) + "\n")
    print(found)


@main.command()
def device() -> None:
    """Measure every way to compute a step of the shipped listeners; write `device.json`. Leave the machine alone."""
    from .device.measured import FILE, measured_here

    one_thread()
    found = plain(measured_here())
    replace_text(FILE, json.dumps(found, indent=1) + "\n")
    for row in found["rows"]:
        print(row)


def repeatable() -> list[Run]:
    """One run of an earlier registration for every family on every task: that with the least seed."""
    found: dict[tuple[str, str], Run] = {}
    for design in designs.DESIGNS.values():
        for setting in design.settings:
            if isinstance(tuned := designs.tune(setting, results()), list):
                continue
            for (model, condition), (choice, rate) in tuned.chosen.items():
                run = setting.run(model, choice, rate, 0)
                made = results().get(run.key, {})
                if condition == "best" and made.get("instrument") in EARLIER["instrument"]:
                    found.setdefault((run.task, run.family), run)
    return list(found.values())


# Runs with the code of another checkout: it may know fewer fields of a run, so that only those that
# differ from the defaults are told.
AGAIN = """
import json, sys, torch
from experiments.runner import plain
from experiments.training import Run, train
torch.set_num_threads(1)
print(json.dumps([plain(train(Run(**told))) for told in json.load(sys.stdin)]))
"""


def told(wanted: Run) -> dict:
    """The fields of a run that are set."""
    defaults = asdict(Run("", "", 0.0, -1))
    return {name: value for name, value in asdict(wanted).items() if value != defaults[name]}


@main.command()
@click.argument("before", type=click.Path(path_type=Path, exists=True, file_okay=False))
def repeat(before: Path) -> None:
    """Repeat runs of earlier registrations; write into `earlier.json` what came out.

    BEFORE is a checkout of the code as it was when the last registration was closed. Both train every
    run here, since another processor than that of the record rounds otherwise.
    """
    one_thread()
    path = RESULTS / "earlier.json"
    earlier = json.loads(path.read_text(encoding="utf-8"))
    wanted = repeatable()
    with subprocess.Popen(
        [sys.executable, "-c", AGAIN], cwd=before, env={**os.environ, "PYTHONPATH": str(before)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as old:  # fmt: skip
        assert old.stdin and old.stdout
        old.stdin.write(json.dumps([told(run) for run in wanted]))
        old.stdin.close()
        new = [plain(train(run)) for run in wanted]
        was = json.loads(old.stdout.read())
    rows = []
    for run, then, now in zip(wanted, was, new, strict=True):
        # Times differ from run to run; everything else has to be the same.
        same = all(then[name] == value for name, value in now.items() if name != "seconds")
        rows.append({"key": run.key, "same": same, "was": then["test"], "is": now["test"]})
        print(f"{run.key}: {'the same' if same else 'different'}", flush=True)
    by = {"processor": processor(), **current()}
    replace_text(path, json.dumps({**earlier, "repeated": {"by": by, "runs": rows}}) + "\n")


@main.command()
@click.option(
    "--jobs", type=click.IntRange(1), default=2, show_default=True, help="Runs at a time."
)
def budget(jobs: int) -> None:
    """Say how long everything takes from scratch, from a few updates of every kind of run."""
    one_thread()
    seconds: dict[tuple, tuple[float, float]] = {}

    def timed(short: Run) -> float:
        started = time.perf_counter()
        train(short)
        return time.perf_counter() - started

    def cost(wanted: Run) -> float:
        kind = (wanted.task, wanted.family, wanted.size, wanted.layers, wanted.delay)
        if kind not in seconds:
            one = replace(wanted, epochs=1, target=None)
            load(one)  # the data are read once
            once, twice = timed(one), timed(replace(one, epochs=2))
            seconds[kind] = (once, max(twice - once, 0.0))
        once, more = seconds[kind]
        return once + (task_named(wanted.task).epochs - 1) * more

    for name, design in designs.DESIGNS.items():
        tuning = least = most = 0.0
        for setting in design.settings:
            first_grid = designs.tune(setting, {})
            assert isinstance(first_grid, list)
            # Two rates more than the first grid has are usual.
            share = 1 + 2 / len(designs.RATES)
            tuning += share * sum(map(cost, first_grid))
            for model, _ in setting.contestants:
                each = cost(setting.run(model, designs.Choice(), 0.01, 0))
                least += LOOKS[0] * each
            extra = {who for pair in setting.pairs for who in pair}
            most += sum(
                (LOOKS[-1] - LOOKS[0]) * cost(setting.run(model, designs.Choice(), 0.01, 0))
                for model, _ in extra
            )
        print(
            f"{name}: tuning {tuning / jobs / 60:.0f} min, {LOOKS[0]} seeds {least / jobs / 60:.0f} min, "
            f"up to {LOOKS[-1]} seeds {most / jobs / 60:.0f} min more", flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; call it again to go on")
