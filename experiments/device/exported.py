"""The net as ONNX files: one step or a sequence, the state going in and coming out.

Written by PyTorch's older exporter (TorchScript), which needs no further package and writes
``linear_before_reset``; `check_reset` looks whether it did.
"""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from ..training import Reader

OPSET = 17  # ONNX Runtime 1.31 reads it, and so do runtimes of some years ago
RESET = "linear_before_reset"


class Carried(nn.Module):
    """A net that is given its state and returns it.

    ``forward(xs, *state)``: xs (B, D) for one step, or (B, T, D); state h, or h and c, (1, B, H)
    each. Returns the probabilities, (B, K) or (B, T, K), and the state afterward.
    """

    def __init__(self, net: Reader, one_step: bool):
        super().__init__()
        self.net, self.one_step = net, one_step

    def forward(self, xs: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        if self.one_step:
            xs = xs[:, None]
        hs, after = self.net.memory(xs, state if len(state) == 2 else state[0])
        answers = self.net.readout(hs[:, 0] if self.one_step else hs).softmax(-1)
        return (answers, *(after if isinstance(after, tuple) else (after,)))


def state_names(net: Reader) -> tuple[str, ...]:
    """What is carried: h, and in an LSTM c."""
    return ("h", "c") if isinstance(net.memory, nn.LSTM) else ("h",)


def exported(net: Reader, one_step: bool) -> bytes:
    """The net as an ONNX model, ``x`` (B, D) or ``xs`` (B, T, D) and the state in, ``p`` and the state out.

    B and T may be any. The outputs' names of the state end in ``_after``. Raises ValueError where
    a GRU came out with the wrong reset.
    """
    states = state_names(net)
    x = "x" if one_step else "xs"
    shape = (1, net.memory.input_size) if one_step else (1, 3, net.memory.input_size)
    free = {0: "B"} if one_step else {0: "B", 1: "T"}
    after = [f"{name}_after" for name in states]
    example = torch.zeros(shape), *(torch.zeros(1, 1, net.memory.hidden_size) for _ in states)
    file = io.BytesIO()
    with warnings.catch_warnings():
        # It announces its successor, and warns of a fixed batch where no state is an input.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Carried(net, one_step).eval(), example, file, dynamo=False, opset_version=OPSET,
            input_names=[x, *states], output_names=["p", *after],
            dynamic_axes={x: free, "p": free, **{name: {1: "B"} for name in (*states, *after)}},
        )  # fmt: skip
    model = file.getvalue()
    check_reset(model)
    return model


def all_nodes(graph) -> Iterator:
    """The nodes of an ONNX graph and of every graph inside it."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from all_nodes(inner)


def gru_nodes(model) -> list:
    """Every GRU node of a loaded ONNX model, those in functions included."""
    graphs = (model.graph, *model.functions)
    return [node for graph in graphs for node in all_nodes(graph) if node.op_type == "GRU"]


def check_reset(model: bytes) -> int:
    """How many GRU nodes there are, all of which reset after the product, as PyTorch does.

    Raises ValueError, with the node and what it says, where one does not: without the attribute ONNX
    resets before the product, which is another model.
    """
    import onnx

    nodes = gru_nodes(onnx.load_from_string(model))
    for node in nodes:
        found = {attribute.name: attribute.i for attribute in node.attribute}
        if found.get(RESET, 0) != 1:
            says = f"{RESET} = {found[RESET]}" if RESET in found else f"no {RESET}, which means 0"
            raise ValueError(
                f"the GRU node {node.name or node.output[0]!r} says {says}; torch.nn.GRU is 1. "
                "Export with torch.onnx.export(..., dynamo=False), or a newer exporter, and compare numbers"
            )
    return len(nodes)


def with_reset(model: bytes, value: int | None) -> bytes:
    """The model with another ``linear_before_reset`` in every GRU node; None leaves it out."""
    import onnx

    loaded = onnx.load_from_string(model)
    for node in gru_nodes(loaded):
        kept = [attribute for attribute in node.attribute if attribute.name != RESET]
        more = [] if value is None else [onnx.helper.make_attribute(RESET, value)]
        del node.attribute[:]
        node.attribute.extend([*kept, *more])
    return loaded.SerializeToString()


def in_integers(model: bytes) -> bytes:
    """The model after ONNX Runtime's dynamic quantization to int8."""
    import logging

    from onnxruntime.quantization import quantize_dynamic

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises a preprocessing that changes nothing here
    try:
        with TemporaryDirectory() as folder:
            before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
            before.write_bytes(model)
            quantize_dynamic(before, after)
            return after.read_bytes()
    finally:
        root.setLevel(level)


def stored(model: bytes) -> dict[str, int]:
    """The bytes of the numbers in a model, by their type: ``{"float32": 18732}``."""
    import onnx

    found: dict[str, int] = {}
    for tensor in onnx.load_from_string(model).graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        found[str(array.dtype)] = found.get(str(array.dtype), 0) + array.nbytes
    return found


def operators(model: bytes) -> list[str]:
    """The names of a model's operators, in order."""
    import onnx

    return [node.op_type for node in onnx.load_from_string(model).graph.node]


class Session:
    """An ONNX model in ONNX Runtime, on one thread."""

    def __init__(self, model: bytes):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.runtime = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self.x, *self.states = (entry.name for entry in self.runtime.get_inputs())
        self.units = self.runtime.get_inputs()[1].shape[2]

    def start(self, batch: int = 1) -> list[np.ndarray]:
        """The state before the first frame: zeros."""
        return [np.zeros((1, batch, self.units), np.float32) for _ in self.states]

    def __call__(self, xs: np.ndarray, state: list[np.ndarray]) -> tuple[np.ndarray, list]:
        """Probabilities and the state afterward."""
        answers, *after = self.runtime.run(
            None, {self.x: xs, **dict(zip(self.states, state, strict=True))}
        )
        return answers, after

    def stream(self, xs: np.ndarray) -> np.ndarray:
        """A stream (T, D), one step after the other by a model of one step: (T, K)."""
        state, found = self.start(), []
        for x in xs:
            answers, state = self(x[None], state)
            found.append(answers[0])
        return np.stack(found)
