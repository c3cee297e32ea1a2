"""The results in the repository: the runs, the costs, the findings, and the first trial's verdicts."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from . import claims, designs
from .claims import Claim, Finding, Missing, Trial
from .registration import EARLIER
from .runner import RESULTS, read_lines
from .speech import VOICES
from .yardstick import Comparison

__all__ = [
    "Missing",
    "against_baseline",
    "baselines",
    "by_voice",
    "compared",
    "costs",
    "each",
    "each_baseline",
    "earlier",
    "finding",
    "findings",
    "first",
    "of_the_trial",
    "results",
    "task_of",
    "trial",
]


@cache
def results(folder: Path = RESULTS) -> dict[str, dict]:
    """The results of all runs by key, read once."""
    return read_lines(folder / "runs.jsonl")


def of_the_trial() -> dict[str, dict]:
    """The results made under the first registration, that of the trial of C5 to C19."""
    return {
        key: entry for key, entry in results().items() if entry.get("rules") == EARLIER["rules"][0]
    }


@cache
def costs(folder: Path = RESULTS) -> dict:
    """The costs measured, by part, read once; raises Missing where there is no file."""
    path = folder / "costs.json"
    if not path.exists():
        raise Missing(f"{path.name} is not there; measure it with: make experiments")
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def baselines() -> dict[str, list[float]]:
    """The measure of the baseline of every real task, for each seed of the first look."""
    return json.loads((RESULTS / "baselines.json").read_text(encoding="utf-8"))


@cache
def trial(folder: Path = RESULTS) -> Trial:
    """The trial with the results of a folder."""
    settings = {s.name: s for design in designs.DESIGNS.values() for s in design.settings}
    return Trial(results(folder), settings)


@cache
def finding(claim_id: str, folder: Path = RESULTS) -> Finding:
    """What a claim's rule makes of the results of a folder; raises Missing where some are missing."""
    claim: Claim = claims.BY_ID[claim_id]
    return claims.judge(claim, trial(folder), costs(folder))


def by_voice(task: str) -> bool:
    """Whether the seeds of a task draw the voice that tests, so that six voices are compared, not seeds."""
    return task in (*designs.ANOTHER_VOICE, *designs.LISTENING)


def task_of(name: str) -> str:
    """The task of a setting; most settings are called by it."""
    return trial().settings[name].base.task


def each(name: str, who: designs.Contestant) -> tuple[float, ...]:
    """The test measures of a net in a setting: one for each seed, or for each voice its mean over the seeds."""
    if by_voice(name):
        return claims.by_voice(trial(), name, who)
    return tuple(trial().values(name, who, designs.measured))


def each_baseline(name: str) -> tuple[float, ...]:
    """The same of the baseline of its task."""
    found = baselines()[task_of(name)]
    if by_voice(name):
        return tuple(float(np.mean(found[voice::VOICES])) for voice in range(VOICES))
    return tuple(found)


def compared(name: str, pair: tuple[designs.Contestant, designs.Contestant]) -> Comparison:
    """Two nets of a setting seed by seed, or voice by voice."""
    if by_voice(name):
        return claims.across_voices(trial(), name, pair)
    return trial().compared(name, pair)


def against_baseline(name: str, who: designs.Contestant) -> Comparison:
    """A net against the baseline of its task, seed by seed or voice by voice: below zero, the net is better."""
    net, base = each(name, who), each_baseline(name)
    both = min(len(net), len(base))
    return Comparison(name, net[:both], base[:both], designs.margin(task_of(name)))


def findings(folder: Path = RESULTS) -> dict[str, Finding]:
    """The finding of every claim on trial."""
    return {claim.id: finding(claim.id, folder) for claim in claims.CLAIMS}


@cache
def first() -> dict:
    """The first trial: its verdicts, its medians and what was wrong with its grid, as it left them."""
    return json.loads((RESULTS / "first.json").read_text(encoding="utf-8"))


@cache
def earlier() -> dict:
    """What earlier registrations led to: every finding, and runs that were repeated with the present code."""
    return json.loads((RESULTS / "earlier.json").read_text(encoding="utf-8"))
