"""Time, memory and streaming of RNN, LSTM and GRU layers: counted or timed, not trained.

Two rounds, A and B, measure everything again, families side by side, so that a verdict can be
asked to come out the same twice. A time is the median of many repetitions.
"""

import io
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from autograder.course import reference

from .training import FAMILIES, count_parameters

BATCH, STEPS = 32, 50
SIZES = (32, 64, 128, 256)
ROUNDS = ("A", "B")


def loop(family: str, layer: nn.Module) -> tuple[Callable[[Tensor], Tensor], list[Tensor]]:
    """The equations of the chapters, one step after the other, with the weights of a layer."""
    made = {
        "rnn": reference.rnn_params_from_torch,
        "lstm": reference.lstm_params_from_torch,
        "gru": reference.params_from_torch,
    }[family](*(p.detach() for p in layer.parameters()))
    # Reset before the product: the equations as the notes write them.
    params = {name: p.clone().requires_grad_() for name, p in made.items() if name != "b_hn"}

    def run(xs: Tensor) -> Tensor:
        zero = xs.new_zeros(xs.shape[1], layer.hidden_size)
        if family == "lstm":
            return reference.lstm_forward(xs, zero, zero, params)[0]
        forward = {"rnn": reference.rnn_forward, "gru": reference.gru_forward}[family]
        return forward(xs, zero, params)

    return run, list(params.values())


def without_onednn(run: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The same function with oneDNN, PyTorch's fused kernels on the CPU, switched off."""

    def wrapped(xs: Tensor) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch remarks on TF32 when this switch is touched
            with torch.backends.mkldnn.flags(enabled=False):
                return run(xs)

    return wrapped


def ways(family: str, size: int, device: str) -> dict[str, tuple[Callable, list[Tensor]]]:
    """The ways to compute a layer: name to (function of xs, its parameters)."""
    torch.manual_seed(0)
    layer = FAMILIES[family](size, size).to(device)
    own = list(layer.parameters())
    found = {"library": (lambda xs: layer(xs)[0], own)}
    if device == "cpu":
        found["unfused"] = (without_onednn(lambda xs: layer(xs)[0]), own)
    found["loop"] = loop(family, layer)
    return found


def milliseconds(
    tasks: Mapping[Any, Callable[[], object]], repeats: int, device: str
) -> dict[Any, float]:
    """The median time of each task; the tasks take turns, so that a busy moment hits all."""

    def once(task: Callable[[], object]) -> float:
        started = time.perf_counter()
        task()
        if device != "cpu":
            torch.cuda.synchronize()
        return 1000 * (time.perf_counter() - started)

    for task in tasks.values():
        once(task), once(task)
    times = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            times[name].append(once(task))
    return {name: statistics.median(found) for name, found in times.items()}


def step_times(device: str, sizes: tuple[int, ...], repeats: int) -> list[dict]:
    """Forward, and forward with backward pass, for every family, size, way and thread count."""
    rows = []
    before = torch.get_num_threads()
    for threads in (1, 2) if device == "cpu" else (before,):
        torch.set_num_threads(threads)
        for size in sizes:
            xs = torch.randn(STEPS, BATCH, size, device=device)
            training, reading = {}, {}

            def train_once(run, xs=xs):
                run(xs).sum().backward()

            for family in FAMILIES:
                for way, (run, _) in ways(family, size, device).items():
                    training[family, way] = partial(train_once, run)
                    reading[family, way] = torch.no_grad()(partial(run, xs))
            trained, read = (
                milliseconds(training, repeats, device),
                milliseconds(reading, repeats, device),
            )
            rows += [
                {"family": family, "way": way, "threads": threads, "hidden": size,
                 "training_ms": trained[family, way], "reading_ms": read[family, way]}
                for family, way in training
            ]  # fmt: skip
    torch.set_num_threads(before)
    return rows


def kept_for_backward(run: Callable[[Tensor], Tensor], own: list[Tensor], xs: Tensor) -> float:
    """How many numbers are put aside for the backward pass, weights and inputs not counted."""
    skip = {t.untyped_storage().data_ptr() for t in (xs, *own)}
    kept = {}

    def put_aside(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in skip:
            # The tensor is kept alive, so that no address is used twice.
            # In numbers of the inputs' size: oneDNN keeps its workspace as bytes.
            kept[storage.data_ptr()] = (storage.nbytes() / xs.element_size(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(put_aside, lambda tensor: tensor):
        run(xs)
    return sum(count for count, _ in kept.values())


def memory(device: str, size: int = 128) -> list[dict]:
    """Numbers held: weights, the state that is carried, what the backward pass needs."""
    rows = []
    xs = torch.randn(STEPS, BATCH, size, device=device)
    for family, kind in FAMILIES.items():
        counts: dict[str, float]
        counts = {"weights": count_parameters(kind(size, size)),
                  "state": (2 if family == "lstm" else 1) * size}  # fmt: skip
        for way, (run, own) in ways(family, size, device).items():
            counts[f"kept_{way}"] = kept_for_backward(run, own, xs)
        rows += [{"family": family, "what": what, "numbers": n} for what, n in counts.items()]
    return rows


def onnx_layer(family: str, size: int) -> bytes:
    """A layer as an ONNX model with one node, random weights, sequences of any length."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    gates = {"lstm": 4, "gru": 3}[family]
    source = np.random.default_rng(0)
    weights = {
        "W": (1, gates * size, size),
        "R": (1, gates * size, size),
        "B": (1, 2 * gates * size),
    }
    more: dict[str, Any] = {"linear_before_reset": 1} if family == "gru" else {}
    outputs = ["Y", "Y_h", "Y_c"] if family == "lstm" else ["Y", "Y_h"]
    states = ["h", "c"] if family == "lstm" else ["h"]
    node = helper.make_node(
        family.upper(), ["X", "W", "R", "B", "", *states], outputs, hidden_size=size, **more
    )
    graph = helper.make_graph(
        [node],
        family,
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["T", 1, size])]
        + [helper.make_tensor_value_info(s, TensorProto.FLOAT, [1, 1, size]) for s in states],
        [
            helper.make_tensor_value_info(
                o, TensorProto.FLOAT, ["T", 1, 1, size] if o == "Y" else [1, 1, size]
            )
            for o in outputs
        ],
        [
            numpy_helper.from_array(source.uniform(-0.1, 0.1, shape).astype(np.float32), name)
            for name, shape in weights.items()
        ],
    )
    # Versions that ONNX Runtime 1.31 reads.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def quantized(model: bytes) -> bytes:
    """The model after ONNX Runtime's dynamic quantization to int8."""
    import logging

    from onnxruntime.quantization import quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)  # it advises a preprocessing that changes nothing
    with TemporaryDirectory() as folder:
        before, after = Path(folder) / "a.onnx", Path(folder) / "b.onnx"
        before.write_bytes(model)
        quantize_dynamic(before, after)
        return after.read_bytes()


def streaming(device: str, size: int = 64, repeats: int = 2000) -> list[dict]:
    """One sequence, one step at a time, as on a stream: time a step, and what has to be kept.

    Times for PyTorch's cells and for ONNX Runtime, both on one thread.
    """
    import numpy as np
    import onnxruntime

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    rows: list[dict] = []
    torch_steps, onnx_steps = {}, {}
    for family in ("lstm", "gru"):
        layer = FAMILIES[family](size, size)
        cell = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}[family](size, size)
        model = onnx_layer(family, size)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        states = ("h", "c") if family == "lstm" else ("h",)
        zero = torch.zeros(1, size)
        state = (zero, zero) if family == "lstm" else zero
        x = torch.randn(1, size)
        fed = {"X": x[None].numpy(), **{s: np.zeros((1, 1, size), np.float32) for s in states}}
        torch_steps[family] = torch.no_grad()(lambda cell=cell, x=x, state=state: cell(x, state))
        onnx_steps[family] = lambda session=session, fed=fed: session.run(None, fed)
        file = io.BytesIO()
        torch.save(layer.state_dict(), file)
        rows += [
            {"family": family, "what": what, "value": value}
            for what, value in {
                "weights": count_parameters(layer),
                "state": len(states) * size,
                "onnx_bytes": len(model),
                "int8_bytes": len(quantized(model)),
            }.items()
        ]
    for what, steps in (("torch_step_ms", torch_steps), ("onnx_step_ms", onnx_steps)):
        found = milliseconds(steps, repeats, "cpu")
        rows += [{"family": f, "what": what, "value": value} for f, value in found.items()]
    torch.set_num_threads(before)
    return rows


def measure(device: str = "cpu", *, sizes: tuple[int, ...] = SIZES, repeats: int = 20) -> dict:
    """Everything above, in two rounds: ``{"steps": [...], "memory": [...], "streaming": [...]}``."""
    found = {"steps": [], "memory": [], "streaming": []}
    for name in ROUNDS:
        for part, rows in (
            ("steps", step_times(device, sizes, repeats)),
            ("memory", memory(device)),
            ("streaming", streaming(device, repeats=100 * repeats)),
        ):
            found[part] += [{"round": name, **row} for row in rows]
    return found
