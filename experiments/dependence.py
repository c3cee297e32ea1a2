"""Character models of *Moby Dick*, and how much a prediction would change with each character before it.

`python -m experiments dependence` trains an RNN, an LSTM and a GRU with equally many weights on the
trial's own task, by the trial's own loop, for longer than the trial does, and writes their weights
in 8-bit integers with what came out into `book/data/dependence.json`. Of the trial's rates validation chooses one.

What is measured is a *sensitivity*: the norm of the gradient of one log probability with respect to
the vector that a net reads for each earlier character. It says what a small change there would do
here, not what the state holds.
"""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .designs import GRU, LSTM, RATES, RNN
from .models import score
from .quantized import dequantize, quantize
from .registration import current
from .runner import ROOT, plain, processor, replace_text
from .tasks import DATA, TASKS, TEXT
from .training import Reader, Run, build, fit, load

FILE = ROOT / "book" / "data" / "dependence.json"
TASK = "moby_dick"
FAMILIES = tuple(family for family, _ in (RNN, LSTM, GRU))
LONGEST = TEXT + 1  # what is read, and the character that is predicted from it


def wanted(family: str, rate: float) -> Run:
    """A run: as many weights as an LSTM of 37 units has, thirteen times the epochs of the trial."""
    return Run(TASK, family, rate, 0, size="parameters", hidden=37, embedding=16, epochs=40)


def quantized_parts(net: Reader) -> dict[str, dict]:
    """The weights of a net in 8-bit integers, by their names in its state."""
    return {part: quantize(weights.numpy()) for part, weights in net.state_dict().items()}


def trained(family: str) -> dict:
    """A family's entry of the file: ``run``, its ``arrays``, and what came out.

    ``test`` and ``quantized``: bits per character of the test part, before and after quantizing;
    ``validation``: the best validation loss of every rate, in nats.
    """
    outcomes = [(run, *fit(run)) for run in (wanted(family, rate) for rate in RATES)]
    run, net, result = min(outcomes, key=lambda outcome: min(outcome[2]["validation"]))
    entry = {"run": asdict(run), "arrays": quantized_parts(net)}
    return entry | plain({
        "hidden": result["hidden"], "parameters": result["parameters"], "seconds": result["seconds"],
        "validation": {f"{r.rate:g}": min(out["validation"]) for r, _, out in outcomes},
        "test": result["test"], "quantized": score(net_of(entry), run),
    })  # fmt: skip


def write(path: Path = FILE) -> dict[str, dict]:
    """Train all three and write the file; its entries by family."""
    entries = {family: trained(family) for family in FAMILIES}
    by = {"processor": processor(), "torch": torch.__version__, **current()}
    replace_text(path, json.dumps({"by": by, "nets": entries}, separators=(",", ":")) + "\n")
    return entries


@cache
def recorded(path: Path = FILE) -> dict[str, dict]:
    """The entries of the file by family, read once."""
    return json.loads(path.read_text(encoding="utf-8"))["nets"]


def net_of(entry: dict) -> Reader:
    """The net of an entry, in float32, ready to answer."""
    run = Run(**entry["run"])
    net = build(run, TASKS[TASK], load(run))
    net.load_state_dict(
        {part: torch.from_numpy(dequantize(q)) for part, q in entry["arrays"].items()}
    )
    return net.eval()


@cache
def alphabet() -> str:
    """The characters of the book, in the order of their numbers."""
    return "".join(sorted(set((DATA / "moby_dick.txt").read_text(encoding="ascii"))))


def test_text() -> str:
    """The part of the book that no net was trained or chosen on, about a tenth at its end."""
    text = (DATA / "moby_dick.txt").read_text(encoding="ascii")
    pieces = len(text) // LONGEST
    return text[int(pieces * 0.9) * LONGEST : pieces * LONGEST]


def sensitivity(net: Reader, text: str, at: int, output: str = "") -> tuple[np.ndarray, np.ndarray]:
    """How the prediction of one character depends on each before it.

    ``net``: any Reader of characters, computed with in float64. ``text``: characters of the
    alphabet. ``at``: the place that is predicted, from 1 to len(text). ``output``: the character
    whose log probability is taken; without one, that which stands there, or the likeliest where
    the text ends. Returns the gradient's norm for places 0 to at - 1, (at,), and the
    probabilities of the alphabet, (V,), both float64.

    Raises ValueError for a place that has nothing before it, or lies behind the text.
    """
    if not 1 <= at <= len(text):
        raise ValueError(f"place {at} of {len(text)} characters: point at one from 1 on")
    net = net.double()
    xs = torch.tensor([alphabet().index(character) for character in text[:at]])
    vectors = net.embedding(xs).detach().requires_grad_()
    states, _ = net.memory(vectors[None])
    logs: Tensor = net.readout(states[0, -1]).log_softmax(-1)
    output = output or text[at : at + 1]
    number = alphabet().index(output) if output else int(logs.argmax())
    (gradient,) = torch.autograd.grad(logs[number], vectors)
    return gradient.norm(dim=1).numpy(), logs.detach().exp().numpy()


def within(norms: np.ndarray, share: float = 0.5) -> int:
    """How many of the last characters have this share of the sum of the norms, (T,); 0 where all are 0."""
    sums = np.cumsum(norms[::-1])
    return int(np.searchsorted(sums, share * sums[-1])) + 1 if sums[-1] > 0 else 0


def reach(net: Reader, shares: tuple[float, ...], count: int = 101) -> list[float]:
    """For each share the median of `within` over ``count`` places of the test part, at even distances,
    each with 64 characters before it."""
    text = test_text()
    starts = np.linspace(0, len(text) - LONGEST, count).astype(int)
    found = [sensitivity(net, text[k : k + LONGEST], TEXT)[0] for k in starts]
    return [float(np.median([within(norms, share) for norms in found])) for share in shares]
