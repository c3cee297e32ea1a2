"""The player: runs a student's code on given inputs and reports plain data.

It knows no reference, no answer and no points. Whatever the code does (raise, loop, print
megabytes, change its inputs, return nonsense) becomes an ``Observation``.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import linecache
import signal
import sys
import sysconfig
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from autograder.player.contract import Broken, TensorPair

TIME_LIMIT = 10.0
"""Seconds one call may take. Right answers need milliseconds, so a slow machine is no excuse."""

KEPT_OUTPUT = 500
"""Characters of printed output kept for the verdict; the rest is only counted."""

RECURRENT = frozenset(
    "gru gru_cell lstm lstm_cell rnn_tanh rnn_tanh_cell rnn_relu rnn_relu_cell "
    "quantized_gru_cell quantized_lstm_cell mkldnn_rnn_layer _cudnn_rnn miopen_rnn "
    "_thnn_fused_gru_cell _thnn_fused_lstm_cell".split()
)
"""Names of torch's recurrent kernels, which compute the equations a student should write."""

AUTOGRAD = frozenset({"grad", "backward", "_make_dual"})
"""Names under which torch differentiates, for exercises in which the gradient is to be written."""

BACKWARD_KERNELS = frozenset({"sigmoid_backward", "tanh_backward"})
"""Kernels that torch's engine runs when it differentiates a gate, however it was called."""


FINAL = frozenset({"not written", "undefined", "timeout", "library", "ended", "reply"})
"""Statuses after which other inputs would only show the same, a timeout at the same price."""


@dataclass
class Observation:
    """What one call did. ``status`` is ``"ok"`` or the kind of failure (see ``verdict.Failure``)."""

    status: str
    outputs: dict[str, np.ndarray] = field(default_factory=dict)
    message: str = ""
    lines: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    printed: str = ""
    printed_characters: int = 0
    seconds: float = 0.0
    device: str = "cpu"


class Timeout(BaseException):
    """Raised inside the student's code when its time is over; not an Exception, so that
    ``except Exception`` in a loop does not swallow it."""


class _LibraryLayer(BaseException):
    """Raised when a library's recurrent kernel is called where equations should be written."""


class _DeviceFailure(Exception):
    """Raised when a layer only fails after moving to another device."""


class _NoGradient(Exception):
    """Raised when no gradient reaches a tensor that the result depends on."""


class Sink(io.TextIOBase):
    """Takes any amount of text, keeps the beginning and counts the rest."""

    def __init__(self, limit: int = KEPT_OUTPUT):
        self.limit, self.kept, self.characters = limit, "", 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.characters < self.limit:
            self.kept += text[: self.limit - self.characters]
        self.characters += len(text)
        return len(text)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise Timeout in this thread after ``seconds``, again and again until the block ends.

    Again and again, because a bare ``except`` in a loop swallows what reaches it in its ``try``.
    From the second time on the student's frames are traced as well, so that the next line they
    run raises too: that line is the ``except`` itself, and leaves the loop.
    """
    on_main_thread = threading.current_thread() is threading.main_thread()
    if not (on_main_thread and hasattr(signal, "setitimer")):
        # Without timer signals (Windows, other threads) a loop can only be stopped by hand.
        yield
        return
    armed, fired = True, 0
    tracing = sys.gettrace()

    def at_next_line(frame, event, arg):
        if armed and event == "line":
            raise Timeout
        return at_next_line

    def expire(signum, frame):
        nonlocal fired
        if not armed:
            return
        fired += 1
        if fired > 1:
            sys.settrace(lambda *event: None)
            while frame is not None:
                if not _in_library(frame.f_code.co_filename):
                    frame.f_trace = at_next_line
                frame = frame.f_back
        raise Timeout

    before = signal.signal(signal.SIGALRM, expire)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.01)
        try:
            yield
        finally:
            armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            if fired > 1:
                sys.settrace(tracing)
    finally:
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _refused(names: frozenset[str], seen: list[str]) -> Iterator[None]:
    """Refuse the torch functions of these names; those called are added to ``seen``."""
    if sys.modules.get("torch") is None:
        yield
        return
    from torch.overrides import TorchFunctionMode

    class Watch(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            name = getattr(func, "__name__", "").partition(".")[0]
            if name in names:
                seen.append(name)
                raise _LibraryLayer(name)
            return func(*args, **(kwargs or {}))

    with Watch():
        yield


_kernels_called: list[str] = []
"""The refused kernels that were reached since the present call began."""


@contextlib.contextmanager
def _refused_kernels(names: frozenset[str]) -> Iterator[None]:
    """Put kernels that refuse in place of torch's own of these names, for a while.

    ``_refused`` sees calls through torch's Python functions; this sees what reaches the
    dispatcher in another way (``torch.ops``, TorchScript, private modules).
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    kernels = {name: name for name in names - AUTOGRAD}
    if names & AUTOGRAD:
        kernels |= dict.fromkeys(BACKWARD_KERNELS, "backward")

    def refusing(name):
        def kernel(*args, **kwargs):
            _kernels_called.append(name)
            raise _LibraryLayer(name)

        return kernel

    library = torch.library.Library("aten", "IMPL")
    try:
        for operator, name in kernels.items():
            packet = getattr(torch.ops.aten, operator, None)
            for overload in packet.overloads() if packet else ():
                full = operator if overload == "default" else f"{operator}.{overload}"
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # torch remarks on kernels that are replaced
                    for key in ("CPU", "AutogradCPU"):
                        library.impl(full, refusing(name), key)
        yield
    finally:
        library._destroy()


_LIBRARY_FOLDERS = tuple(
    str(Path(folder).resolve())
    for folder in {
        *(sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib")),
        Path(__file__).parents[1],
    }
    if folder
)


def _in_library(filename: str) -> bool:
    """Whether code of this file is not the student's."""
    # As it is first: a path cannot be resolved where a player sees other folders.
    return filename.startswith(("<frozen", *_LIBRARY_FOLDERS)) or str(
        Path(filename).resolve()
    ).startswith(_LIBRARY_FOLDERS)


def _own_frames(error: BaseException) -> list[tuple]:
    """The frames of ``error``'s traceback that run the student's code, with their lines."""
    return [
        (frame, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if not _in_library(frame.f_code.co_filename)
    ]


def own_lines(error: BaseException) -> tuple[str, ...]:
    """The lines of ``error``'s traceback that the student wrote, as ``line 3 in f: code``."""
    lines = []
    for frame, number in _own_frames(error):
        code = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
        lines.append(f"line {number} in {frame.f_code.co_name}: {code}".rstrip(": "))
    return tuple(lines[-6:])


def _changed(now: object, before: object) -> bool:
    if isinstance(before, Mapping):
        return (
            not isinstance(now, Mapping)
            or now.keys() != before.keys()
            or any(_changed(now[key], before[key]) for key in before)
        )
    if isinstance(before, np.ndarray):
        return (
            not isinstance(now, np.ndarray)
            or now.shape != before.shape
            or now.dtype != before.dtype
            or now.tobytes() != before.tobytes()
        )
    return now is not before and now != before


@lru_cache(maxsize=64)
def _by_name(code: Callable, names: tuple[str, ...]) -> bool:
    """Whether to call ``code`` with keywords: it has parameters of these names.

    A student may have renamed them, or hidden them behind ``*args`` (a decorator, np.vectorize);
    then they are given in order. Only a function that takes keywords and nothing else is left.
    """
    try:
        signature = inspect.signature(code)
        signature.bind(**dict.fromkeys(names))
    except (TypeError, ValueError):
        return False
    if set(names) <= signature.parameters.keys():
        return True
    try:
        signature.bind(*names)
    except TypeError:
        return True
    return False


def _called_by_name(code: Callable, names: tuple[str, ...]) -> bool:
    try:
        return _by_name(code, names)
    except TypeError:  # an object that cannot be hashed
        return _by_name.__wrapped__(code, names)


def _copied(value: object) -> object:
    """A copy of an input, down to its arrays."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return copy.deepcopy(value)


def call_function(code: Callable, inputs: Mapping, returns) -> tuple[dict, tuple[str, ...], str]:
    """Call a NumPy function on copies of ``inputs``: (outputs, modified inputs, device)."""
    given = {name: _copied(value) for name, value in inputs.items()}
    value = code(**given) if _called_by_name(code, tuple(given)) else code(*given.values())
    if inspect.iscoroutine(value):
        value.close()
        raise Broken("type", "The function is written with `async def`; write `def`.")
    outputs = returns.flatten(value)
    modified = tuple(name for name in inputs if _changed(given[name], inputs[name]))
    return outputs, modified, "cpu"


def call_layer(
    code: Callable, inputs: Mapping, returns: TensorPair
) -> tuple[dict, tuple[str, ...], str]:
    """Build a torch layer, load ``inputs["state"]``, run it and its gradients.

    ``inputs``: ``sizes`` (D, H); ``state``, the state dict as arrays; ``xs`` (T, B, D);
    ``h0`` (B, H) or None; ``d_hs`` and ``d_h_last``, what arrives from the loss; ``dtype``;
    ``device``: ``"cpu"``, or ``"accelerator"``, meaning CUDA where there is one and else torch's
    ``meta`` device, on which a tensor made in the wrong place fails as it would on a GPU.
    Everything comes back as arrays: both outputs and the gradients of all inputs and weights.
    """
    import torch
    from torch import nn

    device = inputs["device"]
    if device == "accelerator":
        device = "cuda" if torch.cuda.is_available() else "meta"
    dtype = getattr(torch, inputs["dtype"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = code(*inputs["sizes"])
    if not isinstance(layer, nn.Module):
        raise Broken(
            "type", f"{code.__name__} is not a torch.nn.Module: derive it from torch.nn.Module."
        )
    for module in layer.modules():
        if isinstance(module, nn.RNNBase | nn.RNNCellBase):
            library = next(c for c in type(module).__mro__ if c.__module__.startswith("torch."))
            raise _LibraryLayer(f"torch.nn.{library.__name__}")
    expected = {name: tuple(value.shape) for name, value in inputs["state"].items()}
    found = {name: tuple(value.shape) for name, value in layer.state_dict().items()}
    if found != expected:
        raise Broken("missing", _state_dict_difference(found, expected))
    names = dict(layer.named_parameters())
    buffers = [name for name in expected if name not in names]
    if buffers:
        raise Broken("missing", f"{' and '.join(buffers)} must be nn.Parameter, to be trained.")
    layer = layer.to(dtype=dtype)
    layer.load_state_dict({n: torch.as_tensor(v, dtype=dtype) for n, v in inputs["state"].items()})

    def tensor(array, needs_grad=False):
        return torch.tensor(array, dtype=dtype, device=device).requires_grad_(needs_grad)

    try:
        layer = layer.to(device)
        xs = tensor(inputs["xs"], needs_grad=True)
        h0 = None if inputs["h0"] is None else tensor(inputs["h0"], needs_grad=True)
        before = [t.detach().clone() for t in (xs, h0) if t is not None]
        hs, h_last = returns.pair(layer(xs) if h0 is None else layer(xs, h0))
    except Broken:
        raise
    except Exception as error:  # on `meta`, torch raises NotImplementedError too
        if device == "cpu":
            raise
        raise _DeviceFailure(f"{type(error).__name__}: {error}") from error
    names = zip(returns.names, (hs, h_last), strict=True)
    strayed = [name for name, value in names if value.device.type != device]
    if strayed:
        raise _DeviceFailure(f"{' and '.join(strayed)} came back on another device.")
    if device == "meta":
        outputs = {
            name: np.zeros(tuple(value.shape), dtype=str(value.dtype).removeprefix("torch."))
            for name, value in zip(returns.names, (hs, h_last), strict=True)
        }
        return outputs, (), "meta"

    outputs = {
        name: value.detach().cpu().numpy().copy()
        for name, value in zip(returns.names, (hs, h_last), strict=True)
    }
    after = [t for t in (xs, h0) if t is not None]
    modified = tuple(
        name
        for name, old, new in zip(("xs", "h0"), before, after, strict=False)
        if not torch.equal(old, new.detach())
    )
    if hs.shape != inputs["d_hs"].shape or h_last.shape != inputs["d_h_last"].shape:
        return outputs, modified, device  # the judge names the shape; no gradient to compare
    leaves = {"xs": xs} | ({} if h0 is None else {"h0": h0})
    leaves |= {name: value for name, value in layer.named_parameters() if name in expected}
    loss = (hs * tensor(inputs["d_hs"])).sum() + (h_last * tensor(inputs["d_h_last"])).sum()
    if not loss.requires_grad:
        raise _NoGradient(
            "The result is cut off from the weights: no gradient flows back at all. Avoid "
            "`.detach()`, `.data`, `torch.no_grad()` and conversions to NumPy."
        )
    gradients = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    unreached = [name for name, g in zip(leaves, gradients, strict=True) if g is None]
    if unreached:
        raise _NoGradient(
            f"No gradient reaches {', '.join(unreached)}: not used, or cut off, for instance by "
            "`.detach()` or `.data`."
        )
    for name, gradient in zip(leaves, gradients, strict=True):
        outputs[f"gradient of {name}"] = gradient.cpu().numpy().copy()
    return outputs, modified, device


def _state_dict_difference(found: dict, expected: dict) -> str:
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    shapes = [
        f"{name} has shape {found[name]}, expected {expected[name]}"
        for name in expected
        if name in found and found[name] != expected[name]
    ]
    sentences = []
    if missing:
        sentences.append(f"The layer has no parameter {', '.join(missing)}.")
    if extra:
        sentences.append(f"It has {', '.join(extra)}, which torch.nn.GRU does not have.")
    if shapes:
        sentences.append("; ".join(shapes) + ".")
    return " ".join(sentences) + " A state dict of torch.nn.GRU must load into it."


def observe(
    code: Callable,
    inputs: Mapping,
    returns,
    call: Callable = call_function,
    refuse: frozenset[str] = RECURRENT,
    seconds: float | None = None,
) -> Observation:
    """Run ``code`` once on ``inputs`` and report what it did; never raises for what it does.

    ``refuse`` names the torch functions whose use is not an answer; NumPy warnings and changes
    of its error state are reported in ``warnings``, for exercises that promise silence.

    Ctrl-C is passed on, since it is meant for the person's own run.
    """
    sink, seen = Sink(), []
    _kernels_called.clear()
    start = time.perf_counter()

    def report(status: str, **fields) -> Observation:
        return Observation(
            status,
            printed=sink.kept,
            printed_characters=sink.characters,
            seconds=time.perf_counter() - start,
            **fields,
        )

    limit = TIME_LIMIT if seconds is None else seconds
    try:
        with (
            contextlib.redirect_stdout(sink),
            contextlib.redirect_stderr(sink),
            warnings.catch_warnings(record=True) as heard,
            np.errstate(all="warn", under="ignore"),
            _refused(refuse, seen),
        ):
            warnings.simplefilter("always")
            error_state = np.geterr()
            with time_limit(limit):
                outputs, modified, device = call(code, inputs, returns)
            said = [f"{w.category.__name__}: {w.message}" for w in heard]
            if np.geterr() != error_state:
                said.append("NumPy's error state was changed (np.seterr); leave it as it is.")
        seen += _kernels_called
        if seen:
            raise _LibraryLayer(seen[0])
        return report(
            "ok",
            outputs=outputs,
            modified=modified,
            device=device,
            warnings=tuple(dict.fromkeys(said)),
        )
    except Timeout as error:
        return report("timeout", message=f"{limit:g} seconds", lines=own_lines(error))
    except _LibraryLayer as error:
        return report("library", message=str(error), lines=own_lines(error))
    except NotImplementedError as error:
        frames = [frame.f_code.co_name for frame, _ in _own_frames(error)]
        return report("not written", message=frames[-1] if frames else "")
    except Broken as error:
        return report(error.kind, message=str(error))
    except _DeviceFailure as error:
        return report("device", message=str(error), lines=own_lines(error.__cause__ or error))
    except _NoGradient as error:
        return report("gradient", message=str(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit and the like come from the student's code too
        seen += _kernels_called
        if seen:
            return report("library", message=seen[0], lines=own_lines(error))
        return report("exception", message=first_line(error), lines=own_lines(error))


def play(
    code: Callable,
    drawn: Iterable[Mapping],
    returns,
    call: Callable = call_function,
    refuse: frozenset[str] = RECURRENT,
    seconds: float | None = None,
) -> Iterator[Observation]:
    """Run ``code`` on each of the inputs, up to a status that is final; see ``observe``."""
    with _refused_kernels(refuse):
        for inputs in drawn:
            seen = observe(code, inputs, returns, call, refuse, seconds)
            yield seen
            if seen.status in FINAL:
                break


CALLS = {"function": call_function, "layer": call_layer}
"""The ways to call an answer, by the names under which they travel."""


def first_line(error: BaseException) -> str:
    """``ValueError: what it says``; an exception may fail even at saying something."""
    try:
        text = str(error).strip().splitlines()
    except Exception:
        text = []
    return type(error).__name__ + (f": {text[0][:300]}" if text else "")
