"""`python -m experiments`: run everything that has no result yet."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import costs, designs
from .results import table
from .runner import RESULTS, log_provenance, plain, replace_text, run_missing


@click.command()
@click.argument("names", nargs=-1, metavar="[DESIGN|costs]...")
@click.option("--jobs", type=click.IntRange(1), help="Runs at a time. Default: one for each core.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--again", is_flag=True, help="Run what is named anew, even if it has results.")
@click.option("--tiny", is_flag=True, help="Every run cut down to seconds, to try out the path.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=RESULTS,
              help="Folder of the results. Default: book/data/trial.")  # fmt: skip
def main(names, jobs, device, again, tiny, out):
    """Run the experiments that have no result yet: all, or the DESIGNs named, and "costs".

    An interrupted call loses nothing but the runs under way; call it again to go on.
    """
    if tiny and out == RESULTS:
        raise click.UsageError("--tiny needs --out: its results are not those of the course.")
    if device.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            raise click.UsageError("--device cuda: PyTorch finds no GPU here. Use --device cpu.")
        if out == RESULTS:
            raise click.UsageError("--device cuda needs --out: the course's results are the CPU's.")
    unknown = set(names) - {*designs.DESIGNS, "costs"}
    if unknown:
        known = ", ".join((*designs.DESIGNS, "costs"))
        raise click.UsageError(f"no design {', '.join(sorted(unknown))}. There are: {known}.")
    console = Console(stderr=True)
    trained = [name for name in names if name != "costs"]
    if trained or not names:
        runs = list(designs.runs_of(*trained).values())
        if tiny:
            first = [seeds[0] for seeds in designs.SEED_SETS.values()]
            few = [run for run in runs if run.seed in first]
            runs = list({small.key: small for small in map(designs.tiny, few)}.values())
        with Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
        ) as progress:
            bar = progress.add_task("", total=None)
            ran = run_missing(
                runs, out, jobs=jobs, device=device, again=again,
                tell=lambda done, total: progress.update(bar, completed=done, total=total),
            )  # fmt: skip
        console.print(f"{ran} runs, {len(runs) - ran} had their result.")
    path = out / "costs.json"
    if "costs" in names or (not names and (again or not path.exists())):
        # After the training, so that nothing else keeps the cores busy.
        console.print("Timing the layers: about two minutes. Leave the machine alone.")
        by = log_provenance(out, device)
        small: dict[str, Any] = {"sizes": (8, 16), "repeats": 2} if tiny else {}
        replace_text(path, json.dumps({"by": by, **plain(costs.measure(device, **small))}) + "\n")
    if not tiny and not names:
        table(folder=out)  # complains if a result is missing


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; call it again to go on")
