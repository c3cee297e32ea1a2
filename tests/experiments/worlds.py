"""Worlds: what runs would have measured if the world were as a test says.

A world is a function of a run that gives what it measured. `told` asks the designs for the next runs
until there are none, as the runner does, and answers them out of a world.
"""

import zlib
from collections.abc import Callable, Mapping

import numpy as np

from experiments import designs
from experiments.claims import Trial
from experiments.designs import Setting
from experiments.jobs import task_named
from experiments.training import Run

World = Callable[[Run], dict]
SETTINGS = {s.name: s for design in designs.DESIGNS.values() for s in design.settings}


def noise(run: Run, about: str = "") -> float:
    """A standard normal number that depends on nothing but the run."""
    return float(np.random.default_rng(zlib.crc32(f"{run.key} {about}".encode())).normal())


def result(run: Run, *, margins: float = 0.0, spread: float = 0.3, best_rate: float = 0.01,
           solved: bool = True, epochs: float = 1.0) -> dict:  # fmt: skip
    """A result: the test measure so many margins above the best known, the best rate at one place."""
    margin = designs.margin(run.task)
    looks = task_named(run.task).looks
    loss = 1 + abs(np.log(run.rate / best_rate))
    total = 10 * looks
    needed = max(1, round(total * epochs / 2))
    curve = [3 * loss] * (needed - 1) + [loss] * (total - needed + 1)
    if run.target is not None:
        curve = [2.0] * 3 + [run.target * (0.5 if solved else 3.0)]
    test = designs.SCALE[run.task][1] + margin * (20 + margins + spread * noise(run))
    return {"validation": curve, "looks": looks, "test": test, "train": test - 5 * margin}


def told(world: World, settings: Mapping[str, Setting] = SETTINGS, beside: bool = False, looks: int = 3) -> Trial:  # fmt: skip
    """The trial of a world in some settings, run to its end."""
    results: dict[str, dict] = {}
    while True:
        wanted = [run for s in settings.values() for run in designs.missing_in(s, results, looks)]
        if beside and not wanted:
            wanted = designs.missing_beside(results)
        if not wanted:
            return Trial(results, settings)
        results |= {run.key: world(run) for run in wanted}
