"""A warm process from which players are forked.

It has imported what notebooks use (NumPy, Matplotlib, IPython; the second kind PyTorch too), so
that a player costs milliseconds. It is a fresh interpreter, started by the judge, and has never
held a reference or an answer. One player lives at a time; when it ends, whatever the reason, the
zygote says how, and cleans up behind it.

The judge sends one byte and, with ``F``, the player's end of a socket:

``F``  fork a player; answered by ``{"player": pid}`` or ``{"error": sentence}``
``K``  end the player; as every end it is answered by ``{"ended": sentence, "seconds": of CPU time}``
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.testing  # noqa: F401  # so that its functions are there to be compared

from autograder.player import asking, contract, noticing, observe, standins
from autograder.player.confine import Cage, Limits, python_folders
from autograder.player.wire import Channel, Closed, encode

KINDS = ("plain", "torch")

TOGETHER = 0.02
"""Seconds for which observations are kept back, to be sent with the next ones."""

MOST_TOGETHER = 1 << 20
"""Bytes of results that are kept back: a frame has a limit."""


def main() -> None:
    """Run a zygote, as the JSON text in the first argument orders.

    ``control`` is the descriptor of its socket, ``kind`` one of ``KINDS``, ``layers`` those of
    ``confine.LAYERS`` that are wanted, ``limits`` the fields of ``confine.Limits``. ``modules`` are
    the texts of the modules that a course lists as loadable here, by name, ``secret`` the names of
    all packages that hold answers. Of the folders ``hidden``, players see what is in ``shown``. It
    answers ``{"ready": layers}``, or ``{"error": sentence}`` and ends.
    """
    order = json.loads(sys.argv[1])
    control = socket.socket(fileno=int(order["control"]))
    control.set_inheritable(False)
    try:
        stage = _Stage(order)
    except (OSError, ImportError) as error:
        Channel(control).send({"error": f"{type(error).__name__}: {error}"})
        raise
    with suppress(ConnectionError, Closed):  # the judge was killed
        Channel(control).send({"ready": list(stage.cage.active)})
        while True:
            message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not message:
                break
            if message == b"F":
                stage.fork(control, socket.socket(fileno=descriptors[0]))


class _Stage:
    """What players are forked from."""

    def __init__(self, order: Mapping):
        self.kind, self.secret = order["kind"], frozenset(order["secret"])
        readable, hidden, shown = python_folders(), order["hidden"], order["shown"]
        self.readable = (*map(str, readable), *shown)
        self.cage = Cage(readable, hidden, shown, Limits(**order["limits"]), order["layers"])
        self.words = _load(order["modules"], self.secret)
        if self.kind == "torch":
            import torch

            torch.set_num_threads(1)
            observe.warm_torch()
            _leave_uncompiled(torch)
        with tempfile.TemporaryDirectory() as folder:
            os.environ["IPYTHONDIR"] = folder
            # IPython and Matplotlib come with cells.
            from autograder.player.cells import Session, silence_file_descriptors

            self.session = Session()
        _rehearse(self.session, self.kind)
        self.silence = silence_file_descriptors
        checks = standins.hide_course(self.secret)
        _search_only(self.readable)
        self.before = noticing.Before(self.session.shell, checks, self.secret)
        _use_large_pages()
        self.cage.enter()
        gc.collect()
        gc.freeze()

    def fork(self, control: socket.socket, channel: socket.socket) -> None:
        """Let one player live, until it ends or the judge wants its end."""
        talk = Channel(control)
        try:
            pid = self.cage.fork()
        except OSError as error:
            channel.close()
            talk.send({"error": f"{type(error).__name__}: {error}"})
            return
        if pid == 0:
            self._play(control, channel)
        channel.close()
        talk.send({"player": pid})
        watched = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        try:
            self._wait(control, pid, watched)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
            if watched is not None:
                os.close(watched)
            self.cage.clean()
        talk.send({"ended": _how_it_ended(status), "seconds": usage.ru_utime + usage.ru_stime})

    def _wait(self, control: socket.socket, pid: int, watched: int | None) -> None:
        sources: list[socket.socket | int] = [control] if watched is None else [control, watched]
        while True:
            ready, _, _ = select.select(sources, [], [], None if watched else 0.01)
            if control in ready:  # the judge wants an end, or is gone
                control.recv(1)
                return
            if ready or (watched is None and os.waitid(os.P_PID, pid, _ENDED_STILL_THERE)):
                return

    def _play(self, control: socket.socket, channel: socket.socket) -> None:
        """The player's life. It never returns."""
        try:
            control.close()
            self.silence()
            _keep_only(channel.fileno())
            scratch = str(self.cage.scratch)
            self.cage.confine()
            os.environ.clear()
            os.environ.update(HOME=scratch, TMPDIR=scratch, PATH="", LANG="C.UTF-8")
            tempfile.tempdir = scratch
            sys.path.insert(0, scratch)  # a module that a cell writes is found, as in Jupyter
            _Player(Channel(channel), self, scratch).serve()
        except Closed:
            os._exit(0)
        except BaseException as error:  # nothing of the student's may run after a failure here
            with suppress(BaseException):
                channel.sendall(encode({"broken": f"{type(error).__name__}: {error}"}))
            os._exit(70)


_ENDED_STILL_THERE = getattr(os, "WEXITED", 0) | getattr(os, "WNOHANG", 0)
_ENDED_STILL_THERE |= getattr(os, "WNOWAIT", 0)


class _Player:
    """Runs cells and calls functions, as told on the channel."""

    def __init__(self, channel: Channel, stage: _Stage, scratch: str):
        self.channel, self.session, self.kind = channel, stage.session, stage.kind
        self.words, self.before, self.scratch = stage.words, stage.before, scratch
        self.noticed = noticing.Noticed(stage.readable, scratch, stage.secret)
        self.session.without = lambda what: self.noticed.tell(what, look=False)
        self.answers: dict[tuple[str, bytes], dict] = {}
        """the judge's, by what was asked: the same inputs come twice"""
        self.stood: dict[str, Any] = {}
        """the functions in whose place the judge answers, None for those that there are not"""
        self.refused: frozenset[str] = frozenset()
        self.refusing = ExitStack()
        sys.addaudithook(self._audit)

    def serve(self) -> None:
        while True:
            order = self.channel.receive()
            {"cells": self._cells, "call": self._call}[order["do"]](order)

    def _cells(self, order: Mapping) -> None:
        self._refuse(frozenset())
        noticed, last = self.noticed, len(order["cells"])
        for place, (number, source) in enumerate(order["cells"], 1):
            noticed.where, noticed.sources[number] = number, source
            result = self.session.run(number, source, order["seconds"])
            error, self.session.error = self.session.error, None
            if error is not None:
                self._failed(source, error)
            if place == last:
                noticed.where = None
                noticed.compare(self.before, self.session.names)
            self._reply(result)

    def _failed(self, source: str, error: BaseException) -> None:
        """Where a package is missing, keep in mind which names are missing with it."""
        package = observe.missing_package(error)
        if package:
            self.noticed.tell(
                f"asked for the package {package}, which is not there in grading", look=False
            )
            lost = set(self.session.names_bound(source)) - self.session.names.keys()
            observe.absent.update(dict.fromkeys(lost, package))

    def _call(self, order: Mapping) -> None:
        """Answer with one observation for each of the inputs, up to one that is final.

        They are sent together where they come fast: each message wakes the judge.
        """
        self.noticed.where = name = str(order["name"])
        self._refuse(frozenset(order["refuse"]))
        self._put_in_place(order["ask"])
        calls = asking.calls(self.session.names.get(name), order["builds_on"])
        ready, size, sent = [], 0, time.monotonic()
        for seen in self._observations(order):
            ready.append(vars(seen))
            size += sum(array.nbytes for array in seen.outputs.values())
            if time.monotonic() - sent > TOGETHER or size > MOST_TOGETHER:
                self._reply({"seen": ready, "calls": list(calls)})
                ready, size, sent = [], 0, time.monotonic()
        if ready:
            self._reply({"seen": ready, "calls": list(calls)})

    def _refuse(self, names: frozenset[str]) -> None:
        """Keep refusing these from now on, as ``observe.play`` would for each exercise anew."""
        if names != self.refused:
            self.refusing.close()
            self.refusing.enter_context(observe.refused_kernels(names))
            self.refused = names

    def _put_in_place(self, asked: Mapping) -> None:
        """Have the judge answer for these functions of the notebook from now on, and for no others."""
        names = self.session.names
        for name, own in self.stood.items():
            if own is None:
                names.pop(name, None)
            else:
                names[name] = own
        self.stood = {}
        self.answers.clear()
        for name, spec in asked.items():
            own, returns = names.get(name), self._revived(spec["returns"])
            passed = asking.Passed(spec["names"], own, partial(self._asked, name, returns))
            also = asking.names_of(names, name)
            self.stood |= {other: names.get(other) for other in also}
            names.update(dict.fromkeys(also, passed))

    def _asked(self, name: str, returns: Any, inputs: dict) -> Any:
        sent = {key: asking.sendable(value) for key, value in inputs.items()}
        question = name, encode(sent)
        answer = self.answers.get(question)
        if answer is None:
            self._reply({"ask": name, "inputs": sent})
            answer = self.answers[question] = self.channel.receive()
        if "raises" in answer:
            raise ValueError(answer["raises"])
        return returns.build({key: np.array(value) for key, value in answer["outputs"].items()})

    def _revived(self, returns: Mapping) -> object:
        return contract.revive(returns, self.words.__getitem__)

    def _observations(self, order: Mapping) -> Iterator[observe.Observation]:
        code = self.session.names.get(order["name"])
        if code is None:
            package = observe.absent.get(order["name"])
            kind = "package" if package else "undefined"
            yield observe.Observation(kind, message=package or order["name"])
            return
        if not callable(code):
            says = f"{order['name']} is a {contract.describe(code)}, not a function."
            yield from [observe.Observation("type", message=says)] * len(order["inputs"])
            return
        try:
            yield from observe.play(
                code,
                order["inputs"],
                self._revived(order["returns"]),
                self.words[order["call"]],
                frozenset(order["refuse"]),
                order["seconds"],
            )
        except KeyboardInterrupt:  # raised by the code itself: nobody is at the keyboard here
            yield observe.Observation("ended", message="KeyboardInterrupt")

    def _reply(self, message: dict) -> None:
        self.channel.send(self._signed(message))

    def _signed(self, message: dict) -> dict:
        return message | {"tried": self.noticed.plain()}

    def _audit(self, event: str, arguments: tuple) -> None:
        if event == "import":
            self._importing(arguments[0])
        else:
            self.noticed.event(event, arguments)

    def _importing(self, name: str) -> None:
        if name.partition(".")[0] == "torch" and self.kind != "torch":
            # Importing it takes seconds here; the other zygote has it.
            self._reply({"needs": "torch"})
            os._exit(0)
        # A file that was written a moment ago has not changed the folder's time.
        sys.path_importer_cache.pop(self.scratch, None)
        self.noticed.importing(name)


def _load(modules: Mapping[str, str], secret: frozenset[str]) -> dict[str, Callable]:
    """The classes and functions that an order may name, ``module:name``: this package's own, and
    those of the modules whose texts these are.

    Raises ImportError where one of them imports more of a course than is given here.
    """
    loaded = [contract, observe]
    for name, source in modules.items():
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile(source, f"<{name}>", "exec", dont_inherit=True), module.__dict__)
        loaded.append(module)
    of_courses = [
        name
        for name in sys.modules
        if name.partition(".")[0] in secret and name not in modules and not _of_players(name)
    ]
    if of_courses:
        own = {name.partition(".")[0] for name in modules}
        of_courses.sort(key=lambda name: name.partition(".")[0] not in own)  # theirs first
        raise ImportError(
            f"{' or '.join(modules)} imports {' and '.join(of_courses[:2])}: what runs in a player "
            "may import NumPy, torch and autograder.player, and nothing of a course"
        )
    return {
        contract.reference_to(thing): thing
        for module in loaded
        for thing in vars(module).values()
        if callable(thing) and getattr(thing, "__module__", "") == module.__name__
    }


def _of_players(name: str) -> bool:
    return name == "autograder" or name.startswith("autograder.player")


def _search_only(readable: tuple[str, ...]) -> None:
    """Search for modules where players may read, and nowhere else.

    The folders of ``PYTHONPATH`` and of editable packages are needed to find this package, and are
    not there for players.
    """

    def there(folder: str) -> bool:
        real = os.path.realpath(folder)
        return any(
            real == path or real.startswith(f"{path}/") or path.startswith(f"{real}/")
            for path in readable
        )

    sys.path[:] = [folder for folder in sys.path if folder and there(folder)]
    own = ("__editable__", "_EditableFinder")
    sys.meta_path[:] = [f for f in sys.meta_path if not any(o in repr(f) for o in own)]


def _leave_uncompiled(torch: types.ModuleType) -> None:
    """Have ``torch.compile`` give what it is given: the compiler is a program, and takes seconds."""

    def compile(model=None, **options):
        return (lambda given: given) if model is None else model

    torch.compile = compile  # type: ignore[attr-defined]
    torch.nn.Module.compile = lambda self, *options, **more: None


REHEARSED = """
import numpy as np

def rehearsed(x, params):
    return 1 / (1 + np.exp(-np.concatenate([x, x], axis=1) @ params["W"].T - params["b"]))

print(rehearsed(np.ones((1, 1)), {"W": np.ones((3, 2)), "b": np.zeros(3)}).round(4))
"""


REHEARSED_TORCH = """
import torch
from torch import nn

class Rehearsed(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3 * size, size).uniform_(-1, 1))
        self.bias = nn.Parameter(torch.empty(3 * size).uniform_(-1, 1))

    def forward(self, steps, last=None):
        last = steps.new_zeros(steps.shape[1], steps.shape[2]) if last is None else last
        kept = []
        for step in steps:
            a, b, c = (step @ self.weight.T + self.bias).chunk(3, dim=1)
            last = torch.sigmoid(a + last) + torch.tanh(b) * (1 - c)
            kept.append(last)
        return torch.stack(kept), last

with torch.random.fork_rng(devices=[]):  # a GPU that was used once is lost to players
    torch.manual_seed(0)
    for device in (*["meta"] * 10, *["cpu"] * 10):
        layer = Rehearsed(2).to(device)
        layer.load_state_dict(Rehearsed(2).to(device).state_dict())
        kept, last = layer(torch.randn(3, 2, 2, device=device).requires_grad_())
        torch.autograd.grad(kept.sum() + last.sum(), list(layer.parameters()))
        with torch.no_grad():
            for torchs in (nn.RNN, nn.LSTM, nn.GRU):
                torchs(2, 3).to(device)(torch.randn(3, 2, 2, device=device))
    print(kept.abs().max().item(), sum(part.numel() for part in layer.parameters()))
"""


def _rehearse(session, kind: str) -> None:
    """Run a cell, call its function and pack the result, as every player does; then forget them.

    What Python, NumPy and torch do only once, and the memory written by it, players then share.
    """
    names = dict(session.names)
    for cell in (REHEARSED, *([REHEARSED_TORCH] if kind == "torch" else [])):
        done = session.run(0, cell, 60.0)
        if done["status"] != "ok":
            raise ImportError(f"what every player does cannot be done here: {done['outputs']}")
        encode(done)
    given = {"x": np.ones((2, 3)), "params": {"W": np.ones((3, 6)), "b": np.ones(3)}}
    several = [given] * 20  # Python adapts its instructions to what they meet
    for seen in observe.play(session.names["rehearsed"], several, contract.Array("y")):
        encode({"seen": [vars(seen)]})
    session.names.clear()
    session.names.update(names)


_LARGE_PAGE = 2 << 20
_MADV_COLLAPSE = 25


def _use_large_pages() -> None:
    """Hold this process's own memory in large pages where Linux offers that (6.1, madvise(2)).

    A fork copies a table of all pages, and the player's end takes that down again: with 250 MB in
    small ones both together cost many milliseconds. Elsewhere the pages stay small.
    """
    madvise = getattr(ctypes.CDLL(None), "madvise", None)
    maps = Path("/proc/self/maps")
    if madvise is None or not maps.is_file():
        return
    for line in maps.read_text().splitlines():
        place, flags, _, _, _, *name = line.split(None, 5)
        if flags != "rw-p" or name not in ([], ["[heap]"]):
            continue
        first, end = (int(number, 16) for number in place.split("-"))
        for start in range(-(-first // _LARGE_PAGE) * _LARGE_PAGE, end, _LARGE_PAGE):
            if start + _LARGE_PAGE <= end:
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(_LARGE_PAGE), _MADV_COLLAPSE)


def _keep_only(descriptor: int) -> None:
    """Close every inherited file but the standard ones and ``descriptor``."""
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, 4096)


def _how_it_ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return signal.Signals(number).name
        except ValueError:
            return f"signal {number}"
    return f"exit code {os.WEXITSTATUS(status)}"
