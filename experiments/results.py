"""The results in the repository: the runs, the costs, the findings, and the first trial's verdicts."""

import json
from functools import cache
from pathlib import Path

from . import claims, designs
from .claims import Claim, Finding, Missing, Trial
from .runner import RESULTS, read_lines
from .yardstick import Comparison

__all__ = [
    "Missing",
    "against_baseline",
    "baselines",
    "costs",
    "finding",
    "findings",
    "first",
    "results",
    "trial",
]


@cache
def results(folder: Path = RESULTS) -> dict[str, dict]:
    """The results of all runs by key, read once."""
    return read_lines(folder / "runs.jsonl")


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


def against_baseline(task: str, who: designs.Contestant) -> Comparison:
    """A net against the baseline of its task, seed by seed: below zero, the net is better."""
    base = baselines()[task]
    net = trial().values(task, who, designs.measured, len(base))
    return Comparison(task, tuple(net), tuple(base), designs.margin(task))


def findings(folder: Path = RESULTS) -> dict[str, Finding]:
    """The finding of every claim on trial."""
    return {claim.id: finding(claim.id, folder) for claim in claims.CLAIMS}


@cache
def first() -> dict:
    """The first trial: its verdicts, its medians and what was wrong with its grid, as it left them."""
    return json.loads((RESULTS / "first.json").read_text(encoding="utf-8"))
