"""Every way to compute a step of the shipped nets: bytes, errors on a stream, deviation, time.

Counts and errors come out the same every time. Times are measured in two rounds, families and ways
taking turns, one sequence, the state carried.
"""

import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from .. import models
from ..claims import Missing
from ..costs import ROUNDS, milliseconds
from ..readings import THRESHOLDS, held_against, reports, said, wrong_at_ends
from ..runner import provenance
from ..speech import Stream, listened
from ..training import Reader, count_parameters
from .compiled import (
    FLOAT32,
    FLOAT64,
    INT8,
    compiled,
    compiler,
    compiler_version,
    footprint,
    stored_bytes,
)
from .exported import Session, exported, in_integers, stored

FILE = models.FOLDER / "device.json"
NETS = {"gru": "listener", "lstm": "listener_lstm"}
TITLES = {
    "torch": "PyTorch, float32", "onnx": "ONNX Runtime, float32", "onnx_int8": "ONNX Runtime, int8",
    "torch_int8": "PyTorch, int8", "c": "C, float32", "c_int8": "C, int8 weights",
}  # fmt: skip
BLOCK = 64  # frames that are timed together, 1.6 s of sound


class Way(Protocol):
    """Anything that takes a stream (T, D) step by step, from a state of zeros, to probabilities (T, K)."""

    def stream(self, xs: np.ndarray) -> np.ndarray:
        """See the class."""


@dataclass(frozen=True)
class Made:
    """A way to compute a net's step: what is called, the bytes of its weights, and of its file if it has one."""

    way: Way
    weights: int
    file: int | None = None


class InTorch:
    """A net, or what `quantized_by_torch` makes of it, one step after the other."""

    def __init__(self, net: nn.Module):
        self.net = net.eval()

    @torch.inference_mode()
    def stream(self, xs: np.ndarray) -> np.ndarray:
        """See `Way`."""
        state, found = None, []
        for x in torch.from_numpy(xs):
            hs, state = self.net.memory(x[None, None], state)
            found.append(self.net.readout(hs[0]).softmax(-1))
        return torch.cat(found).numpy()


def quantized_by_torch(net: Reader) -> nn.Module:
    """The net after PyTorch's dynamic quantization: int8 weights, activations made int8 step by step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, as it says in two ways
        return torch.ao.quantization.quantize_dynamic(
            net, {nn.GRU, nn.LSTM, nn.Linear}, dtype=torch.qint8
        )


def bytes_in_torch(net: nn.Module) -> int:
    """The bytes of the weights and biases of what `quantized_by_torch` made."""
    weights = [*net.memory.get_weight().values(), net.readout.weight()]
    biases = [*net.memory.get_bias().values(), net.readout.bias()]
    return sum(tensor.numel() * tensor.element_size() for tensor in (*weights, *biases))


@contextmanager
def ways(net: Reader) -> Iterator[dict[str, Made]]:
    """Every way to compute a net's step, by the names of `TITLES`; without a compiler none in C."""
    model = exported(net, one_step=True)
    integers, in_torch = in_integers(model), quantized_by_torch(net)
    with ExitStack() as stack:
        found = {
            "torch": Made(InTorch(net), 4 * count_parameters(net)),
            "onnx": Made(Session(model), sum(stored(model).values()), len(model)),
            "onnx_int8": Made(Session(integers), sum(stored(integers).values()), len(integers)),
            "torch_int8": Made(InTorch(in_torch), bytes_in_torch(in_torch)),
        }
        if compiler():
            for name, kind in (("c", FLOAT32), ("c_int8", INT8)):
                made = stack.enter_context(compiled(net, kind))
                found[name] = Made(made, stored_bytes(net, kind))
        yield found


def sigmoid(a: np.ndarray) -> np.ndarray:
    """The logistic function."""
    return 1 / (1 + np.exp(-a))


def exact_states(net: Reader, xs: np.ndarray) -> np.ndarray:
    """The states after every frame of a stream (T, D), in NumPy's float64: (T, H), in an LSTM h alone.

    The equations of ``torch.nn.GRU.__doc__`` and ``torch.nn.LSTM.__doc__``.
    """
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy().astype(float) for p in net.memory.parameters())
    gates = len(w_ih) // net.memory.hidden_size
    h = c = np.zeros(net.memory.hidden_size)
    found = []
    for a in xs.astype(float) @ w_ih.T + b_ih:
        b = w_hh @ h + b_hh
        if gates == 3:
            (r, z, n), (r_h, z_h, n_h) = np.split(a, 3), np.split(b, 3)
            z = sigmoid(z + z_h)
            h = (1 - z) * np.tanh(n + sigmoid(r + r_h) * n_h) + z * h
        else:
            i, f, g, o = np.split(a + b, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        found.append(h)
    return np.stack(found)


def exact(net: Reader, xs: np.ndarray) -> np.ndarray:
    """The probabilities at every frame of a stream (T, D), in NumPy's float64: (T, K)."""
    weight, bias = (p.detach().numpy().astype(float) for p in net.readout.parameters())
    logits = exact_states(net, xs) @ weight.T + bias
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def chosen_threshold(net: Reader, stream: Stream) -> float:
    """That of `THRESHOLDS` with which the float32 net makes the fewest misses and alarms on a stream."""
    answers = said(net, stream.xs)
    heard = [held_against(reports(answers, t), stream.spans) for t in THRESHOLDS]
    return THRESHOLDS[int(np.argmin([h.missed + h.alarms for h in heard]))]


def errors(answers: np.ndarray, stream: Stream, threshold: float) -> dict[str, float]:
    """``misses`` and ``alarms``, counted, and ``ends``, percent wrong at the words' ends."""
    heard = held_against(reports(answers, threshold), stream.spans)
    ends = wrong_at_ends(answers, stream.spans)
    return {"misses": heard.missed, "alarms": heard.alarms, "ends": ends}


def held_in_c(net: Reader, xs: np.ndarray) -> dict[str, float]:
    """The step in C along a stream (T, D): largest deviations of a probability from float64.

    ``double``: compiled for float64, against NumPy. ``once``: in float32, every frame from the state that
    float64 has there. ``carried``: in float32 with its own state. ``torch``: the same against PyTorch on
    the whole sequence. Raises NoCompiler.
    """
    with compiled(net) as single, compiled(net, FLOAT64) as double:
        exact_ps, states = double.run(xs)
        before = np.concatenate([np.zeros((1, states.shape[1])), states[:-1]])
        once = np.concatenate(
            [single.run(x[None], state)[0] for x, state in zip(xs, before, strict=True)]
        )
        ps = single.stream(xs)
    pairs = {
        "double": (exact_ps, exact(net, xs)), "once": (once, exact_ps),
        "carried": (ps, exact_ps), "torch": (ps, said(net, xs)),
    }  # fmt: skip
    return {name: float(np.abs(one - other).max()) for name, (one, other) in pairs.items()}


def digest(net: Reader) -> str:
    """The first twelve hexadecimal digits of the SHA-256 of a net's weights."""
    found = hashlib.sha256()
    for weights in net.state_dict().values():
        found.update(weights.numpy().tobytes())
    return found.hexdigest()[:12]


def times(made: dict[tuple[str, str], Way], xs: np.ndarray, repeats: int) -> list[dict]:
    """Microseconds a step of every (family, way), in two rounds: medians over blocks of 64 frames."""
    tasks = {who: partial(way.stream, xs[:BLOCK]) for who, way in made.items()}
    rows = []
    for name in ROUNDS:
        for (family, way), taken in milliseconds(tasks, repeats, "cpu").items():
            us = 1000 * taken / BLOCK
            rows.append({"round": name, "family": family, "way": way, "us": us})
    return rows


def measure(nets: dict[str, Reader], streams: dict[str, Stream], repeats: int = 300) -> dict:
    """Everything, for the nets of two families on the streams "validation" and "test".

    ``rows``: for every family and way the bytes of ``weights`` and ``file`` (or None), `errors`, and
    ``off``, the largest deviation of a probability from float64; ``times``, see there; ``sizes``: the
    `footprint` of the C step, and ``held``, see `held_in_c`, both empty without a compiler; ``threshold``
    of each family; ``words`` and ``frames`` of the test stream.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    test, rows, sizes, held, thresholds, timed = streams["test"], [], [], {}, {}, {}
    with ExitStack() as stack:
        for family, net in nets.items():
            reference = exact(net, test.xs)
            thresholds[family] = chosen_threshold(net, streams["validation"])
            for name, made in stack.enter_context(ways(net)).items():
                answers = made.way.stream(test.xs)
                rows.append({
                    "family": family, "way": name, "weights": made.weights, "file": made.file,
                    **errors(answers, test, thresholds[family]), "off": float(np.abs(answers - reference).max()),
                })  # fmt: skip
                timed[family, name] = made.way
            if compiler():
                held[family] = held_in_c(net, test.xs)
                sizes += [
                    {"family": family, "kind": kind, **footprint(net, kind)}
                    for kind in (FLOAT32, INT8)
                ]
        found = times(timed, test.xs, repeats)
    torch.set_num_threads(before)
    return {
        "threshold": thresholds, "words": len(test.spans), "frames": len(test.xs),
        "rows": rows, "sizes": sizes, "held": held, "times": found,
    }  # fmt: skip


def measured_here(repeats: int = 300) -> dict:
    """`measure` of the shipped nets, and where, with what and of which weights."""
    nets = {family: models.loaded(name) for family, name in NETS.items()}
    by = provenance("cpu")
    by["packages"] |= {name: version(name) for name in ("onnx", "onnxruntime")}
    return {
        "by": by | {"compiler": compiler_version()},
        "nets": {family: {"key": models.run_of(NETS[family]).key, "digest": digest(net)} for family, net in nets.items()},
        **measure(nets, listened(models.run_of("listener").seed), repeats),
    }  # fmt: skip


def recorded(path: Path = FILE) -> dict:
    """What the last measurement recorded; raises Missing where there is none."""
    if not path.exists():
        raise Missing(f"{path.name} is not there; measure it with: python -m experiments device")
    return json.loads(path.read_text(encoding="utf-8"))


def where(found: dict) -> str:
    """A recorded measurement's machine, for a page: "recorded, on Intel Xeon, with gcc 12"."""
    by = found["by"]
    return f"recorded, on {by['processor']}, with {by['compiler'] or 'no compiler'}"
