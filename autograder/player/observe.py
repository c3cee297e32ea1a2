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
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from autograder.player.contract import Broken
from autograder.player.failures import FINAL

TIME_LIMIT = 10.0
"""Seconds one call may take. Right answers need milliseconds, so a slow machine is no excuse."""

KEPT_OUTPUT = 500
"""Characters of printed output kept for the verdict; the rest is only counted."""

AUTOGRAD = frozenset({"grad", "backward", "_make_dual"})
"""Names under which torch differentiates, for exercises in which the gradient is to be written."""

BACKWARD_KERNELS = frozenset({"sigmoid_backward", "tanh_backward"})
"""Kernels that torch's engine runs when it differentiates a gate, however it was called."""


Within = Callable[[], contextlib.AbstractContextManager]
"""Gives a context for one call, in which whoever calls may watch it."""


@dataclass
class Observation:
    """What one call did. ``status`` is one of ``failures.OBSERVED``."""

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


class Refused(BaseException):
    """Raised when something is called that does what a student should write."""


class DeviceFailure(Exception):
    """Raised when code that works on the CPU fails on another device."""


class NoGradient(Exception):
    """Raised when no gradient reaches a tensor that the result depends on."""


class Sink(io.TextIOBase):
    """Takes any amount of text, keeps the beginning and counts the rest."""

    def __init__(self, limit: int = KEPT_OUTPUT):
        self.limit, self.kept, self.characters = limit, "", 0

    def writable(self) -> bool:
        """True, as every stream for output says."""
        return True

    def write(self, text: str) -> int:
        """Keep what fits of ``text``; the number of characters, as of every stream."""
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
                if not in_library(frame.f_code.co_filename):
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
    if not names or sys.modules.get("torch") is None:
        yield
        return
    from torch.overrides import TorchFunctionMode

    class Watch(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            name = getattr(func, "__name__", "").partition(".")[0]
            if name in names:
                seen.append(name)
                raise Refused(name)
            return func(*args, **(kwargs or {}))

    with Watch():
        yield


_kernels_called: list[str] = []
"""The refused kernels that were reached since the present call began."""


not_there: list[tuple[str, str]] = []
"""What was called since the present call began that is not there in grading: the kind of failure,
``"course"`` or ``"package"``, and a name."""

absent: dict[str, str] = {}
"""Names that a notebook lacks because a package is missing here, and that package's name."""


def missing_package(error: BaseException) -> str:
    """The package for want of which this error was raised, empty where there is no such."""
    name = getattr(error, "name", None)
    if not isinstance(name, str):
        return ""
    if isinstance(error, ModuleNotFoundError):
        package = name.partition(".")[0]
        return "" if package in sys.modules else package[:100]
    return absent.get(name, "") if isinstance(error, NameError) else ""


_in_place: dict[frozenset[str], frozenset[str]] = {}
"""The names for which kernels refuse just now, and those of them that are left for ``_refused``."""


@contextlib.contextmanager
def refused_kernels(names: frozenset[str]) -> Iterator[frozenset[str]]:
    """Put kernels that refuse in place of torch's own of these names, for a while.

    ``_refused`` sees calls through torch's Python functions, and costs time at each of them; this
    sees whatever reaches the dispatcher, in any way (also ``torch.ops``, TorchScript, private
    modules), and costs nothing but to begin. Gives the names that are left for ``_refused`` to see.
    Within another one for the same names it does nothing.
    """
    torch = sys.modules.get("torch")
    if not names or torch is None or names in _in_place:
        yield _in_place.get(names, names)
        return
    kernels = {name: name for name in names - AUTOGRAD}
    if names & AUTOGRAD:
        kernels |= dict.fromkeys(BACKWARD_KERNELS, "backward")
    library = torch.library.Library("aten", "IMPL")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch remarks on kernels that are replaced
            seen = {name for name in kernels if _replace(torch, library, name, kernels[name])}
        _in_place[names] = names - seen
        yield _in_place[names]
    finally:
        _in_place.pop(names, None)
        library._destroy()


def _replace(torch, library, operator: str, name: str) -> bool:
    """Have every kernel of an operator refuse under a name; whether torch has such an operator."""

    def kernel(*args, **kwargs):
        _kernels_called.append(name)
        raise Refused(name)

    packet = getattr(torch.ops.aten, operator, None)
    for overload in packet.overloads() if packet else ():
        full = operator if overload == "default" else f"{operator}.{overload}"
        for key in ("CPU", "AutogradCPU"):
            library.impl(full, kernel, key)
    return packet is not None


_LIBRARY_FOLDERS = tuple(
    str(Path(folder).resolve())
    for folder in {
        *map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib")),
        str(Path(__file__).parents[1]),
        str(Path(inspect.__file__).parent),  # in a browser a zip file
    }
    if folder
)


@lru_cache(maxsize=1024)
def in_library(filename: str) -> bool:
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
        if not in_library(frame.f_code.co_filename)
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
    Raises Broken where the parameters stand in another order than the exercise's: whoever calls
    the function by position, as its signature is printed, would hand it the wrong things.
    """
    try:
        signature = inspect.signature(code)
        signature.bind(**dict.fromkeys(names))
    except (TypeError, ValueError):
        return False
    if set(names) <= signature.parameters.keys():
        keywords = inspect.Parameter.KEYWORD_ONLY
        positional = [n for n, p in signature.parameters.items() if p.kind is not keywords]
        if set(names) <= set(positional) and [n for n in positional if n in names] != list(names):
            raise Broken(
                "parameters",
                f"Its parameters are ({', '.join(positional)}); the exercise has them in the order "
                f"({', '.join(names)}), in which others call it.",
            )
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


@cache
def warm_torch() -> None:
    """Have torch import what it imports late: for gradients, and for its ``meta`` device.

    That takes seconds, and what a time limit interrupts stays half imported: from then on torch
    raises errors of its own, for which the code would be blamed.
    """
    import torch
    import torch.overrides

    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        for device in ("cpu", "meta"):
            x = torch.ones(2, 3, dtype=torch.float64, device=device, requires_grad=True)
            layer = torch.nn.Linear(3, 6, dtype=torch.float64, device=device)
            joined = torch.cat([layer(x), x @ x.new_ones(3, 3).T], dim=1)
            parts = torch.sigmoid(joined).chunk(3, dim=1)
            h = torch.stack([torch.tanh(parts[0]) * parts[1], 1 - parts[2]])
            torch.autograd.grad((h * x.new_zeros(h.shape)).sum(), [x, *layer.parameters()])


def _make_ready(call: Callable) -> None:
    """Before a clock runs: whoever calls in a way of their own may need all of torch."""
    if call is not call_function and "torch" in sys.modules:
        warm_torch()


def observe(
    code: Callable,
    inputs: Mapping,
    returns,
    call: Callable = call_function,
    refuse: frozenset[str] = frozenset(),
    seconds: float | None = None,
    within: Within = contextlib.nullcontext,
) -> Observation:
    """Run ``code`` once on ``inputs`` and report what it did; never raises for what it does.

    ``refuse`` names the torch functions whose use is not an answer; NumPy warnings and changes
    of its error state are reported in ``warnings``, for exercises that promise silence. The call
    is made ``within`` a context.

    Ctrl-C is passed on, since it is meant for the person's own run.
    """
    sink, seen = Sink(), []
    _kernels_called.clear()
    not_there.clear()
    _make_ready(call)
    start = time.perf_counter()
    limit = TIME_LIMIT if seconds is None else seconds
    try:
        with _listening(sink) as heard, _refused(refuse, seen):
            error_state = np.geterr()
            with time_limit(limit), within():
                outputs, modified, device = call(code, inputs, returns)
            said = [f"{w.category.__name__}: {w.message}" for w in heard]
            if np.geterr() != error_state:
                said.append("NumPy's error state was changed (np.seterr); leave it as it is.")
        seen += _kernels_called
        if seen:
            raise Refused(seen[0])
        done = Observation("ok", outputs, modified=modified, device=device)
        done.warnings = tuple(dict.fromkeys(said))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit and the like come from the student's code too
        done = _failed(error, seen, limit)
    if not_there:  # also where it swallowed the refusal
        kind, name = not_there[0]
        done = Observation(kind, message=name, lines=done.lines)
    done.printed, done.printed_characters = sink.kept, sink.characters
    done.seconds = time.perf_counter() - start
    return done


@contextlib.contextmanager
def _listening(sink: Sink) -> Iterator[list[warnings.WarningMessage]]:
    """Everything that is printed goes to ``sink``; gives the list in which warnings appear."""
    with (
        contextlib.redirect_stdout(sink),
        contextlib.redirect_stderr(sink),
        warnings.catch_warnings(record=True) as heard,
        np.errstate(all="warn", under="ignore"),
    ):
        warnings.simplefilter("always")
        yield heard


def _failed(error: BaseException, seen: list[str], limit: float) -> Observation:
    """What an exception says of a call; ``seen`` are the refused functions that were called."""
    lines = own_lines(error)
    match error:
        case Timeout():
            return Observation("timeout", message=f"{limit:g} seconds", lines=lines)
        case Refused():
            return Observation("library", message=str(error), lines=lines)
        case NotImplementedError():
            frames = [frame.f_code.co_qualname for frame, _ in _own_frames(error)]
            where = frames[-1].rpartition("<locals>.")[2] if frames else ""
            return Observation("not written", message=where)
        case Broken():
            return Observation(error.kind, message=str(error))
        case DeviceFailure():
            lines = own_lines(error.__cause__ or error)
            return Observation("device", message=str(error), lines=lines)
        case NoGradient():
            return Observation("gradient", message=str(error))
    seen += _kernels_called
    if seen:
        return Observation("library", message=seen[0], lines=lines)
    if package := missing_package(error):
        return Observation("package", message=package, lines=lines)
    return Observation("exception", message=first_line(error), lines=lines)


def play(
    code: Callable,
    drawn: Iterable[Mapping],
    returns,
    call: Callable = call_function,
    refuse: frozenset[str] = frozenset(),
    seconds: float | None = None,
    within: Within = contextlib.nullcontext,
) -> Iterator[Observation]:
    """Run ``code`` on each of the inputs, up to a status that is final; see ``observe``."""
    _make_ready(call)
    with refused_kernels(refuse) as left:
        for inputs in drawn:
            seen = observe(code, inputs, returns, call, left, seconds, within)
            yield seen
            if seen.status in FINAL:
                break


def first_line(error: BaseException) -> str:
    """``ValueError: what it says``; an exception may fail even at saying something."""
    try:
        text = str(error).strip().splitlines()
    except Exception:
        text = []
    return type(error).__name__ + (f": {text[0][:300]}" if text else "")
