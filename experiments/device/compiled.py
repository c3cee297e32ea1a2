"""The step in C99: a trained net as two headers, compiled where there is a C compiler, called with ctypes."""

import base64
import ctypes
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from torch import nn

from ..quantized import quantize
from ..training import Reader

HERE = Path(__file__).parent
FLAGS = (
    "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wdouble-promotion",
)  # fmt: skip
COMPILERS = ("cc", "gcc", "clang")
FLOAT32, FLOAT64, INT8 = "float32", "float64", "int8"
NAMES = {
    "weight_ih": "memory.weight_ih_l0", "weight_hh": "memory.weight_hh_l0", "readout_weight": "readout.weight",
    "bias_ih": "memory.bias_ih_l0", "bias_hh": "memory.bias_hh_l0", "readout_bias": "readout.bias",
}  # fmt: skip


class NoCompiler(RuntimeError):
    """No C compiler works on this machine."""


def compiler() -> str | None:
    """The path of the first C compiler that works, or None: one without headers is none."""
    found = filter(None, map(shutil.which, COMPILERS))
    return next((path for path in found if works(path)), None)


@cache
def works(path: str) -> bool:
    """Whether a compiler makes a library of the least that a step needs."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / "least.c"
        source.write_text("#include <math.h>\nfloat least(float x) { return expf(x); }\n")
        made = ("-fPIC", "-shared", str(source), "-o", str(source.with_suffix(".so")), "-lm")
        return not subprocess.run((path, *made), capture_output=True).returncode


def compiler_version() -> str | None:
    """The first line of what the compiler says of itself, or None where there is none."""
    path = compiler()
    return path and asked(path, "--version").splitlines()[0]


def asked(*command: str) -> str:
    """What a program prints. Raises RuntimeError with its complaint where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stderr or done.stdout}")
    return done.stdout


def arrays(net: Reader) -> dict[str, np.ndarray]:
    """The float32 weights of a net by the names that they have in C."""
    state = net.state_dict()
    return {name: state[part].numpy() for name, part in NAMES.items()}


def family(net: Reader) -> str:
    """ "gru" or "lstm". Raises ValueError for a net that the C sources do not compute."""
    kinds = {nn.GRU: "gru", nn.LSTM: "lstm"}
    memory = net.memory
    if type(memory) not in kinds or memory.num_layers > 1 or memory.bidirectional:
        raise ValueError(
            f"no C source for {memory}: it has to be one GRU or LSTM, in one direction"
        )
    return kinds[type(memory)]


def net_header(net: Reader, kind: str) -> str:
    """net.h: sizes, types, and how a stored weight becomes a number."""
    units = net.memory.hidden_size
    sizes = {
        "INPUTS": net.memory.input_size, "UNITS": units, "CLASSES": net.readout.out_features,
        "STATE": 2 * units if family(net) == "lstm" else units,
    }  # fmt: skip
    real = "double" if kind == FLOAT64 else "float"
    lines = [f"#define {name} {value}" for name, value in sizes.items()]
    lines += [f"typedef {real} real;", f"typedef {'signed char' if kind == INT8 else real} weight;"]
    suffix = "" if kind == FLOAT64 else "f"
    lines += [f"#define EXP exp{suffix}", f"#define TANH tanh{suffix}"]
    lines += [f"#define SCALE(array, row) {'array##_scale[row]' if kind == INT8 else '1'}"]
    lines += ["void net_step(const real x[INPUTS], real state[STATE], real p[CLASSES]);"]
    return "\n".join(lines) + "\n"


def in_c(array: np.ndarray) -> str:
    """Numbers as C writes them, every float32 with as many digits as bring it back exactly."""
    if array.ndim == 2:
        return "{" + ",\n".join(in_c(row) for row in array) + "}"
    if array.dtype.kind == "i":
        return "{" + ",".join(map(str, array.tolist())) + "}"
    suffix = "f" if array.dtype == np.float32 else ""
    return "{" + ",".join(np.format_float_scientific(x, unique=True) + suffix for x in array) + "}"


def weights_header(net: Reader, kind: str) -> str:
    """weights.h: the arrays, rows as PyTorch stacks them. Biases are never made integers."""
    lines = []

    def add(type_name: str, name: str, array: np.ndarray) -> None:
        sizes = "".join(f"[{size}]" for size in array.shape)
        lines.append(f"static const {type_name} {name}{sizes} =\n{in_c(array)};")

    for name, array in arrays(net).items():
        if kind == INT8 and array.ndim == 2:
            stored, scale = integers(array)
            add("weight", name, stored)
            add("real", f"{name}_scale", scale)
            continue
        real = array.astype(np.float64) if kind == FLOAT64 else array
        add("weight" if array.ndim == 2 else "real", name, real)
    return "\n".join(lines) + "\n"


def integers(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A matrix as 8-bit integers and the float32 scale of every row, as `quantize` makes them."""
    q = quantize(array)
    data, scale = (base64.b64decode(q[name]) for name in ("data", "scale"))
    return np.frombuffer(data, np.int8).reshape(q["shape"]), np.frombuffer(scale, "<f4")


def stored_bytes(net: Reader, kind: str) -> int:
    """The bytes of the constants in weights.h."""
    each = {FLOAT32: 4, FLOAT64: 8, INT8: 4}[kind]
    total = 0
    for array in arrays(net).values():
        by_row = kind == INT8 and array.ndim == 2
        total += array.size + 4 * len(array) if by_row else each * array.size
    return total


def written(net: Reader, kind: str, folder: Path) -> Path:
    """The C source of a net's step, in a folder with the two headers that it includes."""
    (folder / "net.h").write_text(net_header(net, kind), encoding="utf-8")
    (folder / "weights.h").write_text(weights_header(net, kind), encoding="utf-8")
    for name in (f"{family(net)}_step.c", "stream.c"):
        shutil.copy(HERE / name, folder)
    return folder / f"{family(net)}_step.c"


class Compiled:
    """A net's step, compiled and loaded."""

    def __init__(self, library: ctypes.CDLL, net: Reader, kind: str):
        self.library, self.type = library, np.float64 if kind == FLOAT64 else np.float32
        self.units, self.classes = net.memory.hidden_size, net.readout.out_features
        self.state = 2 * self.units if family(net) == "lstm" else self.units

    def run(self, xs: np.ndarray, state: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """A stream (T, D) frame by frame: probabilities (T, K), states (T, H) or (T, 2H), h first.

        ``state`` is that before the first frame; without it, zeros.
        """
        xs = np.ascontiguousarray(xs, self.type)
        carried = np.zeros(self.state, self.type)
        if state is not None:
            carried[:] = state
        ps = np.empty((len(xs), self.classes), self.type)
        states = np.empty((len(xs), self.state), self.type)

        def at(array: np.ndarray) -> ctypes.c_void_p:
            return array.ctypes.data_as(ctypes.c_void_p)

        self.library.net_stream(at(xs), len(xs), at(carried), at(states), at(ps))
        return ps, states

    def stream(self, xs: np.ndarray) -> np.ndarray:
        """The probabilities alone, (T, K)."""
        return self.run(xs)[0]


@contextmanager
def compiled(net: Reader, kind: str = FLOAT32) -> Iterator[Compiled]:
    """A net compiled into a temporary folder, loaded; the folder goes at the end.

    ``kind``: of the weights, and of all that is computed: "float32", "float64"; or "int8", weights
    of 8 bits with a scale for each row, computed in float32. Raises NoCompiler, and RuntimeError with
    what the compiler says where it complains: every warning is an error.
    """
    path = compiler()
    if path is None:
        raise NoCompiler(
            f"none of {', '.join(COMPILERS)} works on this machine; install one, for example gcc with the headers of the C library"
        )
    with TemporaryDirectory() as folder:
        source = written(net, kind, Path(folder))
        library = Path(folder) / "step.so"
        asked(path, *FLAGS, "-fPIC", "-shared", str(source), str(source.with_name("stream.c")),
              "-o", str(library), "-lm")  # fmt: skip
        yield Compiled(ctypes.CDLL(str(library)), net, kind)


def footprint(net: Reader, kind: str = FLOAT32) -> dict[str, int]:
    """What the compiled step takes, in bytes: ``weights`` and ``state`` counted; ``code``, ``constants``
    and ``stack`` read off the object file and the compiler's report where it can be had.

    ``stack`` is the sum over the functions of the source; what the C library's own need is not in it.
    Raises NoCompiler.
    """
    path = compiler()
    if path is None:
        raise NoCompiler("no compiler works here, so there is no object file to measure")
    units = net.memory.hidden_size
    found = {
        "weights": stored_bytes(net, kind),
        "state": 4 * units * (2 if family(net) == "lstm" else 1),
    }
    with TemporaryDirectory() as folder:
        source = written(net, kind, Path(folder))
        made = source.with_suffix(".o")
        asked(path, *FLAGS, "-fstack-usage", "-c", str(source), "-o", str(made))
        report = source.with_suffix(".su")
        if report.exists():
            lines = report.read_text(encoding="utf-8").splitlines()
            found["stack"] = sum(int(line.split("\t")[1]) for line in lines)
        if tool := shutil.which("size"):
            sections = dict(re.findall(r"^(\.\S+)\s+(\d+)\s", asked(tool, "-A", str(made)), re.M))
            for name, begins in (("code", ".text"), ("constants", ".rodata")):
                sizes = [int(n) for section, n in sections.items() if section.startswith(begins)]
                if any(sizes):  # elsewhere than in ELF files the sections have other names
                    found[name] = sum(sizes)
    return found
