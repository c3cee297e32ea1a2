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


def each(task: str, who: designs.Contestant) -> tuple[float, ...]:
    """The test measures of a net: one for each seed, or for each voice its mean over the seeds."""
    if by_voice(task):
        return claims.by_voice(trial(), task, who)
    return tuple(trial().values(task, who, designs.measured))


def each_baseline(task: str) -> tuple[float, ...]:
    """The same of the baseline."""
    found = baselines()[task]
    if by_voice(task):
        return tuple(float(np.mean(found[voice::VOICES])) for voice in range(VOICES))
    return tuple(found)


def compared(task: str, pair: tuple[designs.Contestant, designs.Contestant]) -> Comparison:
    """Two nets seed by seed, or voice by voice."""
    if by_voice(task):
        return claims.across_voices(trial(), task, pair)
    return trial().compared(task, pair)


def against_baseline(task: str, who: designs.Contestant) -> Comparison:
    """A net against the baseline of its task, seed by seed or voice by voice: below zero, the net is better."""
    base = each_baseline(task)
    return Comparison(task, each(task, who)[: len(base)], base, designs.margin(task))


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
