"""What the commands show in a terminal: progress, sentences, tables."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from autograder.grading.run import Summary


def printable(text: str) -> str:
    """Without control characters: a submission's words cannot move the cursor or ring the bell.

    What is no text in UTF-8, as a file's name may be, becomes question marks.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", " ", text)


class _Rate(ProgressColumn):
    """Submissions per second."""

    def render(self, task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


class Display:
    """Progress and sentences on standard error, so that standard output is for results."""

    def __init__(self, title: str):
        self.console = Console(stderr=True, highlight=False)
        self.title = title
        self._bar: Progress | None = None
        self._task = TaskID(0)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show the bar while the block runs."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate())
        with Progress(*columns, TimeRemainingColumn(), console=self.console) as self._bar:
            self._task = self._bar.add_task(self.title, total=None)
            yield

    def progress(self, done: int, total: int) -> None:
        """Move the bar: ``done`` of ``total`` submissions."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar, without control characters."""
        self.console.print(Text(printable(sentence)), soft_wrap=True)


def show_summary(summary: Summary) -> None:
    """The table at the end of ``autograder grade``."""
    console = Console(highlight=False)
    rate = len(summary.graded) / summary.seconds if summary.seconds and summary.graded else 0
    parts = [f"{len(summary.graded)} graded", f"{len(summary.unchanged)} unchanged"]
    if summary.look:
        parts.append(f"{len(summary.look)} to look at")
    if summary.problems:
        parts.append(f"{len(summary.problems)} not graded")
    took = f"{summary.seconds:.1f} s" + (f", {rate:.1f} a second" if rate else "")
    if summary.by_exercise:
        table = Table(
            title=f"{summary.assignment}: {', '.join(parts)}; {took}", title_justify="left"
        )
        table.add_column("exercise")
        for column in ("right", "partly", "nothing", "mean"):
            table.add_column(column, justify="right")
        table.add_column("most common mistake")
        for name, shares in summary.by_exercise.items():
            full, none = sum(s == 1 for s in shares), sum(s == 0 for s in shares)
            common = summary.mistakes.get(name)
            what = (
                f"{common.most_common(1)[0][0]} ({common.most_common(1)[0][1]})" if common else ""
            )
            partly = len(shares) - full - none
            mean = f"{statistics.fmean(shares):.0%}"
            table.add_row(name, str(full), str(partly), str(none), mean, Text(what))
        console.print(table)
        scores = list(summary.scores.values())
        console.print(
            f"Points: median {statistics.median(scores):g}, mean {statistics.fmean(scores):.1f} "
            f"of {summary.max_points:g} that checks give."
        )
    else:
        console.print(f"{summary.assignment}: {', '.join(parts)}; {took}")
    if summary.gradebook:
        console.print(Text(printable(f"Gradebook: {summary.gradebook}")))
    for note in summary.notes:
        console.print(Text(printable(note)))
    if summary.stopped:
        console.print(
            f"Stopped, with {len(summary.problems)} not graded. Run the same command again: it "
            "goes on where it stopped."
        )
    if summary.interrupted:
        console.print("Interrupted. Run the same command again: it goes on where it stopped.")
