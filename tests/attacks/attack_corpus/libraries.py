"""Attacks that let a library do what the exercise asks for.

They write no equation: a library's recurrent layer, or its differentiation where the gradient is
to be written, gives the right numbers.
"""

from textwrap import indent

from attack_corpus.record import Attack

FAMILY = "A library does the work"

LIBRARY = frozenset({"library", "autograd"})
ABSENT = frozenset({"exception", "undefined", "not written"})

SAME_PROCESS = (
    "What watches over torch runs in the same process as the student's code, and can be replaced "
    "by it; such code is plain to see for a person who reads it."
)

LSTM_WEIGHTS = """
import numpy as np
import torch
from torch import nn

def stacked(params, H, order="ifco"):
    \"\"\"The course's parameters in the order of a library, input and state apart.\"\"\"
    W = np.concatenate([params["W_" + gate] for gate in order])
    b = np.concatenate([params["b_" + gate] for gate in order])
    return [torch.tensor(part) for part in (W[:, H:], W[:, :H], b, np.zeros_like(b))]
"""


def _lstm(name: str, story: str, work: str, prepare: str = "", says=LIBRARY, **more) -> Attack:
    """``work`` computes h and c from the tensors x, h, c and the weights w (input, state, biases)."""
    cells = (LSTM_WEIGHTS, prepare) if prepare else (LSTM_WEIGHTS,)
    answer = (
        "def lstm_step(x, h_prev, c_prev, params):\n"
        "    x, h, c = (torch.tensor(part) for part in (x, h_prev, c_prev))\n"
        "    w = stacked(params, h_prev.shape[1])\n"
        f"{indent(work, '    ')}\n"
        "    return np.array(h), np.array(c)"
    )
    answers = {"lstm_step": answer}
    return Attack(name, FAMILY, story, cells, answers=answers, engine_says=says, **more)


def _gru(name: str, story: str, work: str, prepare: str = "") -> Attack:
    """``work`` computes the new h from the tensors x, h and the weights w."""
    answer = (
        "def gru_step_torch(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):\n"
        "    import torch\n"
        "    from torch import nn\n"
        "    x, h, *w = map(torch.tensor, (x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh))\n"
        f"{indent(work, '    ')}\n"
        "    return h.detach().numpy()"
    )
    return Attack(
        name,
        FAMILY,
        story,
        (prepare,) if prepare else (),
        answers={"gru_step_torch": answer},
        assignment="gru",
        engine_says=LIBRARY,
    )


LAYER = """
class GRULayer(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        own = nn.GRU(input_size, hidden_size)
        for name, value in own.named_parameters():
            setattr(self, name, nn.Parameter(value.detach().clone()))
        HIDE

    def forward(self, xs, h0=None):
        w = [self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0]
        h = xs.new_zeros(xs.shape[1], w[1].shape[1]) if h0 is None else h0
        WORK
"""


def _layer(name: str, story: str, work: str, hide: str = "") -> Attack:
    source = LAYER.strip("\n").replace("HIDE", hide or "pass").replace("WORK", work)
    return Attack(
        name, FAMILY, story, answers={"GRULayer": source}, assignment="gru", engine_says=LIBRARY
    )


TORCH_STEP = """
import numpy as np
import torch

def torch_step(x, h, p, sigmoid=torch.sigmoid, tanh=torch.tanh):
    joined = torch.cat([h, x], 1)
    z = sigmoid(joined @ p["W_z"].T + p["b_z"])
    r = sigmoid(joined @ p["W_r"].T + p["b_r"])
    candidate = tanh(torch.cat([r * h, x], 1) @ p["W_h"].T + p["b_h"])
    return (1 - z) * h + z * candidate
"""


def _gradient(name: str, story: str, work: str, prepare: str = "", says=LIBRARY, **more) -> Attack:
    """``work`` sets found to the gradients of x, h and the parameters p in their order."""
    answer = (
        "def gru_step_backward(dh, x, h_prev, params):\n"
        "    dh, x, h = (torch.tensor(part) for part in (dh, x, h_prev))\n"
        "    p = {key: torch.tensor(value) for key, value in params.items()}\n"
        "    leaves = [x, h, *p.values()]\n"
        f"{indent(work, '    ')}\n"
        "    dx, dh_prev, *rest = (np.array(part.detach()) for part in found)\n"
        "    return dx, dh_prev, dict(zip(p, rest))"
    )
    return Attack(
        name,
        FAMILY,
        story,
        (TORCH_STEP, prepare) if prepare else (TORCH_STEP,),
        answers={"gru_step_backward": answer},
        assignment="gradients",
        engine_says=says,
        **more,
    )


TRACKED = "for leaf in leaves:\n    leaf.requires_grad_()\n"
LOSS = TRACKED + "loss = (torch_step(x, h, p) * dh).sum()\n"

LSTM_CELL = (
    "cell = nn.LSTMCell(x.shape[1], h.shape[1], dtype=torch.float64)\n"
    "cell.load_state_dict(dict(zip(cell.state_dict(), w)))\n"
    "with torch.no_grad():\n"
    "    h, c = cell(x, (h, c))"
)

RECURRENT = (
    _lstm("nn.LSTMCell", "torch's own LSTM cell, with the weights put in its order.", LSTM_CELL),
    _lstm(
        "nn.LSTM",
        "torch's own LSTM layer, on a sequence of length one.",
        "layer = nn.LSTM(x.shape[1], h.shape[1], dtype=torch.float64)\n"
        "layer.load_state_dict(dict(zip(layer.state_dict(), w)))\n"
        "with torch.no_grad():\n"
        "    _, (h, c) = layer(x[None], (h[None], c[None]))\n"
        "h, c = h[0], c[0]",
    ),
    _lstm(
        "torch.lstm_cell",
        "The function behind the cell, which is not in torch's documentation.",
        "h, c = torch.lstm_cell(x, (h, c), *w)",
    ),
    _lstm(
        "torch._VF.lstm_cell",
        "The same function in a private module, past the hooks of the public one.",
        "from torch import _VF\nh, c = _VF.lstm_cell(x, (h, c), *w)",
    ),
    _lstm(
        "torch.ops.aten.lstm_cell",
        "The same operator, called by its name in the dispatcher.",
        "h, c = torch.ops.aten.lstm_cell(x, [h, c], *w)",
    ),
    _lstm(
        "torch.ops.aten.lstm",
        "The operator for a whole sequence, called by its name in the dispatcher.",
        "_, h, c = torch.ops.aten.lstm.input(\n"
        "    x[None], [h[None], c[None]], list(w), True, 1, 0.0, False, False, False)\n"
        "h, c = h[0], c[0]",
    ),
    _lstm(
        "Compiled by TorchScript",
        "TorchScript runs the operator without Python, where Python's hooks see nothing.",
        "h, c = scripted(x, h, c, w[0], w[1], w[2], w[3])",
        prepare="""
            from typing import Tuple

            def by_torch(x: torch.Tensor, h: torch.Tensor, c: torch.Tensor, a: torch.Tensor,
                         b: torch.Tensor, d: torch.Tensor, e: torch.Tensor
                         ) -> Tuple[torch.Tensor, torch.Tensor]:
                return torch.lstm_cell(x, [h, c], a, b, d, e)

            text = '''
            def by_torch(x: Tensor, h: Tensor, c: Tensor, a: Tensor, b: Tensor, d: Tensor, e: Tensor):
                return torch.lstm_cell(x, [h, c], a, b, d, e)
            '''
            import textwrap, warnings
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scripted = torch.jit.CompilationUnit(textwrap.dedent(text)).by_torch
        """,
    ),
    _lstm(
        "In another thread",
        "A thread, in which hooks of the main one do not hold, runs torch's cell.",
        "box = []\n"
        "def work(x=x, h=h, c=c):\n"
        "    with torch.no_grad():\n"
        "        box.append(torch.lstm_cell(x, (h, c), *w))\n"
        "import threading\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "thread.join()\n"
        "h, c = box[0]",
        says=LIBRARY | {"exception"},
    ),
    _lstm(
        "In another process, started before",
        "A process forked before the check asks torch, and answers through a pipe.",
        "asked.send((x.numpy(), h.numpy(), c.numpy(), [part.numpy() for part in w]))\n"
        "h, c = asked.recv()",
        prepare="""
            import multiprocessing, os
            asked, answers = multiprocessing.Pipe()

            def serve():
                import time
                end = time.monotonic() + 20
                while time.monotonic() < end:
                    if not answers.poll(1):
                        continue
                    x, h, c, w = answers.recv()
                    x, h, c, *w = map(torch.tensor, (x, h, c, *w))
                    answers.send(tuple(part.numpy() for part in torch.lstm_cell(x, (h, c), *w)))

            if os.fork() == 0:
                try:
                    serve()
                finally:
                    os._exit(0)
        """,
        says=ABSENT,
    ),
    _lstm(
        "In a Python of its own",
        "Another Python is started, in which nobody watches, and runs torch's cell.",
        "import subprocess, sys, io\n"
        "store = io.BytesIO()\n"
        "np.savez(store, x=x, h=h, c=c, a=w[0], b=w[1], d=w[2], e=w[3])\n"
        "done = subprocess.run([sys.executable, '-c', program], input=store.getvalue(),\n"
        "                      stdout=subprocess.PIPE, timeout=9)\n"
        "h, c = np.load(io.BytesIO(done.stdout)).values()",
        prepare="""
            program = '''
            import io, sys
            import numpy as np, torch
            given = np.load(io.BytesIO(sys.stdin.buffer.read()))
            x, h, c, *w = (torch.tensor(given[key]) for key in "xhcabde")
            h, c = torch.lstm_cell(x, (h, c), *w)
            store = io.BytesIO()
            np.savez(store, h=h, c=c)
            sys.stdout.buffer.write(store.getvalue())
            '''
            import textwrap
            program = textwrap.dedent(program)
        """,
        says=ABSENT,
    ),
    _lstm(
        "The watch over torch disarmed",
        "What would recognize the call is replaced before the check begins.",
        "h, c = torch.lstm_cell(x, (h, c), *w)",
        prepare="""
            import torch.library, torch.overrides
            torch.library.Library.impl = lambda *rest, **more: None
            torch.overrides.TorchFunctionMode.__enter__ = lambda self: self
            torch.overrides.TorchFunctionMode.__exit__ = lambda self, *rest: None
        """,
        limit=SAME_PROCESS,
    ),
    _lstm(
        "The watch's memory erased",
        "Functions above the student's in the stack are searched for what they noted.",
        "import sys\n"
        "try:\n"
        "    h, c = torch.ops.aten.lstm_cell(x, [h, c], *w)\n"
        "except BaseException:\n"
        "    frame = sys._getframe()\n"
        "    while frame is not None:\n"
        "        for value in (*frame.f_locals.values(), *frame.f_globals.values()):\n"
        "            if isinstance(value, list) and 'lstm_cell' in value:\n"
        "                value.clear()\n"
        "        library = frame.f_locals.get('library')\n"
        "        if hasattr(library, '_destroy'):\n"
        "            library._destroy()\n"
        "        frame = frame.f_back\n"
        "    h, c = torch.ops.aten.lstm_cell(x, [h, c], *w)",
        says=LIBRARY | {"exception"},
    ),
    _lstm(
        "ONNX Runtime",
        "Another library's LSTM, in float32.",
        "w_ih, w_hh, b, zero = (part.float().numpy()[None] for part in stacked(params, len(h[0]), 'iofc'))\n"
        "feed = dict(X=x.float().numpy()[None], W=w_ih, R=w_hh, B=np.concatenate([b, zero], 1),\n"
        "            h=h.float().numpy()[None], c=c.float().numpy()[None])\n"
        "_, h, c = (part.astype(float) for part in run(len(h[0]), feed))\n"
        "h, c = h[0], c[0]",
        prepare="""
            def run(H, feed):
                import onnx, onnxruntime
                from onnx import TensorProto as T, helper
                outputs = ["Y", "Yh", "Yc"]
                node = helper.make_node(
                    "LSTM", ["X", "W", "R", "B", "", "h", "c"], outputs, hidden_size=H)
                graph = helper.make_graph(
                    [node], "g",
                    [helper.make_tensor_value_info(k, T.FLOAT, v.shape) for k, v in feed.items()],
                    [helper.make_tensor_value_info(k, T.FLOAT, None) for k in outputs])
                model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
                model.ir_version = 8
                return onnxruntime.InferenceSession(
                    model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feed)
        """,
        says=ABSENT,
    ),
    _lstm(
        "ONNX's reference evaluator",
        "Another library's LSTM, in float64.",
        "w_ih, w_hh, b, zero = (part.numpy()[None] for part in stacked(params, len(h[0]), 'iofc'))\n"
        "feed = dict(X=x.numpy()[None], W=w_ih, R=w_hh, B=np.concatenate([b, zero], 1),\n"
        "            h=h.numpy()[None], c=c.numpy()[None])\n"
        "_, h, c = run(len(h[0]), feed)\n"
        "h, c = h[0], c[0]",
        prepare="""
            def run(H, feed):
                import onnx.reference
                from onnx import TensorProto as T, helper
                outputs = ["Y", "Yh", "Yc"]
                node = helper.make_node(
                    "LSTM", ["X", "W", "R", "B", "", "h", "c"], outputs, hidden_size=H)
                graph = helper.make_graph(
                    [node], "g",
                    [helper.make_tensor_value_info(k, T.DOUBLE, v.shape) for k, v in feed.items()],
                    [helper.make_tensor_value_info(k, T.DOUBLE, None) for k in outputs])
                model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
                return onnx.reference.ReferenceEvaluator(model).run(None, feed)
        """,
        says=ABSENT,
    ),
    _lstm(
        "Keras",
        "The LSTM of a library that is not installed here.",
        "import keras\ncell = keras.layers.LSTMCell(h.shape[1])\nh, (_, c) = cell(x, [h, c])",
        says=ABSENT,
    ),
    _gru(
        "nn.GRUCell",
        "torch's own GRU cell.",
        "cell = nn.GRUCell(x.shape[1], h.shape[1], dtype=torch.float64)\n"
        "cell.load_state_dict(dict(zip(cell.state_dict(), w)))\n"
        "h = cell(x, h)",
    ),
    _gru(
        "torch.gru_cell",
        "The function behind torch's GRU cell.",
        "h = torch.gru_cell(x, h, *w)",
    ),
    _gru(
        "torch.ops.aten.gru_cell",
        "The operator behind it, called by its name in the dispatcher.",
        "h = torch.ops.aten.gru_cell(x, h, *w)",
    ),
    _gru(
        "A kernel under another name",
        "The function is kept under another name before anybody can watch it.",
        "h = innocent(x, h, *w)",
        prepare="import torch\ninnocent = torch._C._VariableFunctions.gru_cell\n"
        "torch.gru_cell = torch.add",
    ),
    _layer(
        "GRULayer is nn.GRU",
        "The layer to write is torch's own, in a coat.",
        "hs, h = self.own(xs, h[None])\n        return hs, h[0]",
        hide="self.own = own",
    ),
    _layer(
        "nn.GRU hidden in a list",
        "torch's layer is kept where a search among the modules does not find it.",
        "import torch\n"
        "        own = self.kept[0]\n"
        "        own = torch.func.functional_call\n"
        "        values = dict(zip(dict(self.kept[0].named_parameters()), w))\n"
        "        hs, h = own(self.kept[0].to(xs), values, (xs, h[None]))\n"
        "        return hs, h[0]",
        hide="self.kept = [own]",
    ),
    _layer(
        "torch.gru",
        "The function behind torch's layer, called with the layer's own weights.",
        "import torch\n"
        "        hs, h = torch.gru(xs, h[None], w, True, 1, 0.0, False, False, False)\n"
        "        return hs, h[0]",
    ),
    _layer(
        "torch.ops.aten.gru",
        "The operator behind it, called by its name in the dispatcher.",
        "import torch\n"
        "        hs, h = torch.ops.aten.gru.input(\n"
        "            xs, h[None], w, True, 1, 0.0, False, False, False)\n"
        "        return hs, h[0]",
    ),
)

DIFFERENTIATION = (
    _gradient(
        "torch.autograd.grad",
        "torch differentiates what is to be differentiated by hand.",
        LOSS + "found = torch.autograd.grad(loss, leaves)",
    ),
    _gradient(
        "backward",
        "The same by the method that every training loop calls.",
        LOSS + "loss.backward()\nfound = [leaf.grad for leaf in leaves]",
    ),
    _gradient(
        "torch.func.vjp",
        "The same by torch's functional interface.",
        "def step(x, h, *rest):\n"
        "    return torch_step(x, h, dict(zip(p, rest)))\n"
        "_, pull = torch.func.vjp(step, *leaves)\n"
        "found = pull(dh)",
    ),
    _gradient(
        "torch.autograd.functional.vjp",
        "The same by torch's older functional interface.",
        "def step(x, h, *rest):\n"
        "    return torch_step(x, h, dict(zip(p, rest)))\n"
        "_, found = torch.autograd.functional.vjp(step, tuple(leaves), dh)",
    ),
    _gradient(
        "Forward mode",
        "torch pushes one direction after the other through the step, and never goes backward.",
        "def loss(*values):\n"
        "    return (torch_step(values[0], values[1], dict(zip(p, values[2:]))) * dh).sum()\n"
        "found = torch.func.jacfwd(loss, tuple(range(len(leaves))))(*leaves)",
    ),
    _gradient(
        "The engine itself",
        "The C++ engine behind `backward` is called directly.",
        LOSS + "engine = torch.autograd.Variable._execution_engine\n"
        "found = engine.run_backward(\n"
        "    (loss,), (torch.ones_like(loss),), False, False, tuple(leaves),\n"
        "    allow_unreachable=True, accumulate_grad=False)",
    ),
    _gradient(
        "The engine with gates of other operations",
        "The gates are spelled with `exp`, so that no gate's own gradient kernel is called.",
        TRACKED
        + "loss = (torch_step(x, h, p, by_exp, lambda a: 2 * by_exp(2 * a) - 1) * dh).sum()\n"
        "engine = torch.autograd.Variable._execution_engine\n"
        "found = engine.run_backward(\n"
        "    (loss,), (torch.ones_like(loss),), False, False, tuple(leaves),\n"
        "    allow_unreachable=True, accumulate_grad=False)",
        prepare="by_exp = lambda a: 1 / (1 + torch.exp(-a))",
        limit=(
            "Whoever calls torch's engine past its Python interface is not seen; such code is plain "
            "to see for a person who reads it."
        ),
    ),
    _gradient(
        "Differentiation in another thread",
        "A thread, in which hooks of the main one do not hold, calls `backward`.",
        LOSS + "import threading\n"
        "thread = threading.Thread(target=loss.backward)\n"
        "thread.start()\n"
        "thread.join()\n"
        "found = [leaf.grad for leaf in leaves]",
        says=LIBRARY | {"exception"},
    ),
    _gradient(
        "Compiled differentiation",
        "TorchScript traces the step and differentiates it.",
        TRACKED
        + "loss = (traced(x, h, *p.values()) * dh).sum()\n"
        + "loss.backward()\nfound = [leaf.grad for leaf in leaves]",
        prepare="""
            import warnings
            KEYS = ("W_z", "b_z", "W_r", "b_r", "W_h", "b_h")
            def flat(x, h, a, b, c, d, e, f):
                return torch_step(x, h, dict(zip(KEYS, (a, b, c, d, e, f))))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                example = [torch.zeros(s, dtype=torch.float64) for s in
                           ((1, 2), (1, 3), *[(3, 5), (3,)] * 3)]
                traced = torch.jit.trace(flat, example)
        """,
    ),
)

LIBRARIES = (*RECURRENT, *DIFFERENTIATION)
