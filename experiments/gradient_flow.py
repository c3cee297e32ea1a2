"""Gradient flow before and after training: RNN, LSTM and GRU on the adding problem.

    python experiments/gradient_flow.py

writes book/data/gradient_flow.json, which the chapter "Gradients through gates" reads. One core,
about ten minutes. Each entry holds, for every seed, the error on new sequences and the norm of
the gradient by lag (`autograder.course.gradient_flow.flow`) before and after training. Every family is
trained at every learning rate; the curves are kept for the rate with the smallest median error.
"""

import json
import platform
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.func import vmap

from autograder.course import gradient_flow

OUT = Path(__file__).parents[1] / "book" / "data" / "gradient_flow.json"

LENGTH, HIDDEN, BATCH, UPDATES = 60, 32, 32, 1000
SEEDS = range(8)
RATES = (0.01, 0.03)
CELLS = (("rnn", 0.0), ("lstm", 0.0), ("lstm", 2.0), ("gru", 0.0), ("gru", 2.0))


def adding(count: int, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inputs (T, count, 2), a value in (0, 1) and a marker, and the sum of the two marked values.

    One marker stands in the first half and one in the second (Hochreiter and Schmidhuber 1997,
    experiment 4, in the form with a fixed length).
    """
    value = torch.rand(LENGTH, count, generator=source)
    marker = torch.zeros(LENGTH, count)
    examples = torch.arange(count)
    for start, end in ((0, LENGTH // 2), (LENGTH // 2, LENGTH)):
        marker[torch.randint(start, end, (count,), generator=source), examples] = 1
    return torch.stack([value, marker], dim=-1), (value * marker).sum(0)


def answer(family: str, xs: Tensor, params: dict[str, Tensor]) -> Tensor:
    """What a linear readout makes of the last hidden state, shape (B,)."""
    hidden = gradient_flow.memories(family, xs, params)[-1][:, :HIDDEN]
    return (hidden @ params["W_y"].T + params["b_y"])[:, 0]


def fresh(family: str, seed: int, keep: float) -> dict[str, Tensor]:
    """Initial parameters of a cell and its readout, W_y (1, H) and b_y (1,), in float32."""
    params = gradient_flow.initial_params(family, 2, HIDDEN, seed, keep)
    source, bound = torch.Generator().manual_seed(500 + seed), HIDDEN**-0.5
    for name, shape in (("W_y", (1, HIDDEN)), ("b_y", (1,))):
        params[name] = (2 * torch.rand(shape, generator=source) - 1) * bound
    return {name: value.float() for name, value in params.items()}


def train(family: str, keep: float, rate: float) -> dict[str, Tensor]:
    """All seeds at once: every parameter has the seed as its first axis. Adam, global norm 1."""
    starts = [fresh(family, seed, keep) for seed in SEEDS]
    params = {name: torch.stack([p[name] for p in starts]).requires_grad_() for name in starts[0]}
    sources = [torch.Generator().manual_seed(1000 + seed) for seed in SEEDS]
    optimizer = torch.optim.Adam(params.values(), lr=rate)
    for update in range(UPDATES):
        inputs, targets = map(torch.stack, zip(*(adding(BATCH, s) for s in sources), strict=True))
        answers = vmap(lambda xs, p: answer(family, xs, p))(inputs, params)
        losses = (answers - targets).square().mean(dim=1)
        optimizer.zero_grad()
        losses.sum().backward()
        norm = sum(p.grad.flatten(1).square().sum(1) for p in params.values()).sqrt()
        for p in params.values():
            p.grad *= (1 / norm).clamp(max=1).view(-1, *[1] * (p.dim() - 1))
        optimizer.step()
        if (update + 1) % 250 == 0:
            print(f"    {update + 1}: median loss {losses.median():.4f}", flush=True)
    return {name: value.detach() for name, value in params.items()}


def of_seed(params: dict[str, Tensor], index: int) -> dict[str, Tensor]:
    """One seed's parameters out of those of all, in float64."""
    return {name: value[index].double() for name, value in params.items()}


def rounded(series: Tensor) -> list[float]:
    """A series (N,) as plain numbers of three digits."""
    return [float(f"{value:.3g}") for value in series.tolist()]


def main() -> None:
    """Train every cell at every rate, measure the flow before and after, and write the file."""
    torch.set_num_threads(1)
    started = time.time()
    new, wanted = adding(1000, torch.Generator().manual_seed(77))
    watched = new[:, :16].double()
    cells = []
    for family, keep in CELLS:
        trained, errors = {}, {}
        for rate in RATES:
            print(f"{family}, keep {keep:g}, rate {rate:g}", flush=True)
            trained[rate] = train(family, keep, rate)
            with torch.no_grad():
                answers = [
                    answer(family, new.double(), of_seed(trained[rate], i))
                    for i in range(len(SEEDS))
                ]
            errors[rate] = rounded(
                torch.stack([(a - wanted).square().mean().sqrt() for a in answers])
            )
        best = min(RATES, key=lambda rate: statistics.median(errors[rate]))
        flows = {"before": [], "after": []}
        for i, seed in enumerate(SEEDS):
            for when, params in (
                ("before", {n: v.double() for n, v in fresh(family, seed, keep).items()}),
                ("after", of_seed(trained[best], i)),
            ):
                found = gradient_flow.flow(family, watched, params)
                flows[when].append({part: rounded(series) for part, series in found.items()})
        cells.append(
            {"family": family, "keep": keep, "rate": best, "errors": errors[best],
             "errors_by_rate": {f"{rate:g}": errors[rate] for rate in RATES}, **flows}
        )  # fmt: skip
    result = {
        "written_by": "experiments/gradient_flow.py",
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "minutes": round((time.time() - started) / 60, 1),
        "task": {"length": LENGTH, "always_the_mean": rounded(wanted.std(correction=0)[None])[0]},
        "training": {"hidden_size": HIDDEN, "batch": BATCH, "updates": UPDATES,
                     "rates": list(RATES), "seeds": len(SEEDS)},
        "cells": cells,
    }  # fmt: skip
    OUT.write_text(
        json.dumps(result, separators=(",", ":")).replace('{"family"', '\n{"family"') + "\n"
    )


if __name__ == "__main__":
    main()
