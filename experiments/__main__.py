"""`python -m experiments`: run everything that has no result yet."""

import json
import sys
import time
from dataclasses import replace
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
from .results import first
from .runner import (
    RESULTS,
    log_provenance,
    one_thread,
    plain,
    read_lines,
    replace_text,
    run_missing,
)
from .tasks import TASKS
from .training import Run, load, train
from .yardstick import LOOKS

DESIGNS = (*designs.DESIGNS, "beside")


def tell_progress(progress: Progress, bar: TaskID, done: int, total: int) -> None:
    """Move a bar."""
    progress.update(bar, completed=done, total=total)


def measure_baselines(out: Path) -> None:
    """Write `baselines.json`: for every real task the baseline's measure, a value for each seed."""
    found = {}
    for name in designs.REAL:
        task = TASKS[name]
        found[name] = [WITHOUT[name][1](task.load(seed, task.count)) for seed in range(LOOKS[0])]
        print(f"{name}: {min(found[name]):.4g} to {max(found[name]):.4g}", flush=True)
    replace_text(out / "baselines.json", json.dumps(plain(found)) + "\n")


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
    if not names and not (out / "baselines.json").exists():
        measure_baselines(out)


@main.command()
def scale() -> None:
    """Print what SCALE in designs.py has to say: trivial predictor and best known, by task."""
    medians = first()["medians"]
    for name in designs.SCALE:
        trivial, baseline = without_recurrence(TASKS[name])
        same_task = name in medians and name != "adding"
        best = min([baseline, *(medians[name].values() if same_task else ())])
        if name in designs.DELAYS:
            best = 0.0
        print(f"{name}: ({trivial:.5g}, {best:.5g}), of which the baseline {baseline:.5g}")


@main.command()
def baselines() -> None:
    """Measure the baseline of every real task on the training part of each seed of the first look."""
    measure_baselines(RESULTS)


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
        return once + (TASKS[wanted.task].epochs - 1) * more

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
