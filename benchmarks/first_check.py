"""Measure what a student waits for in a fresh kernel: ``make bench`` runs it.

The first check of a right function; the first mistake that no catalogue knows, for which every known
one has to be played; and the first check of a torch layer, beyond the import of torch, which the
notebook does itself. In five kernels, as Jupyter starts them.
"""

import statistics

import jupytext
from big_class import ROOT
from jupyter_client.manager import start_new_kernel

RIGHT = """\
import numpy as np
from autograder import check
def update_gate(x, h_prev, params):
    a = np.concatenate([h_prev, x], axis=1) @ params["W_z"].T + params["b_z"]
    return 1 / (1 + np.exp(-a))
def reset_gate(x, h_prev, params):
    a = np.concatenate([h_prev, x], axis=1) @ params["W_r"].T + params["b_r"]
    return 1 / (1 + np.exp(-a))
def candidate_state(x, h_prev, r, params):
    return np.tanh(np.concatenate([r * h_prev, x], axis=1) @ params["W_h"].T + params["b_h"])
"""
CHECK = "check(update_gate)"
UNKNOWN = """\
def gru_step(x, h_prev, params):
    z, r = update_gate(x, h_prev, params), reset_gate(x, h_prev, params)
    return (1 - z) * h_prev + z * z * candidate_state(x, h_prev, r, params)
check(gru_step)
"""

TIMED = """\
import time as _time
_start = _time.perf_counter()
{source}
print("took", _time.perf_counter() - _start)
"""


def waits(source: str, client) -> float:
    """Seconds that a cell takes in a kernel, as the kernel measures it. Raises RuntimeError."""
    heard: list[str] = []

    def hook(message):
        content = message["content"]
        if message["msg_type"] == "error":
            raise RuntimeError("\n".join(content["traceback"]))
        heard.append(content.get("text", ""))

    client.execute_interactive(TIMED.format(source=source), output_hook=hook, timeout=120)
    return float("".join(heard).rpartition("took ")[2])


def layer() -> str:
    """The right torch layer, and the imports above it."""
    cells = jupytext.read(ROOT / "solutions" / "gru.py").cells
    source = next(cell.source for cell in cells if "class GRULayer" in cell.source)
    return f"import torch\nfrom torch import Tensor, nn\n{source}"


def main() -> None:
    """Print the medians of five kernels."""
    seconds: dict[str, list[float]] = {}
    for _ in range(5):
        quiet = ["--IPKernelApp.log_level=40"]
        manager, client = start_new_kernel(kernel_name="python3", extra_arguments=quiet)
        try:
            waits(RIGHT, client)
            seconds.setdefault("first check", []).append(waits(CHECK, client))
            seconds.setdefault("first unknown mistake", []).append(waits(UNKNOWN, client))
            waits(layer(), client)
            check = waits("check(GRULayer)", client)
            seconds.setdefault("first check of a torch layer", []).append(check)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    for says, several in seconds.items():
        print(f"  {says} in a fresh kernel: {statistics.median(several):.2f} s, median of five")


if __name__ == "__main__":
    main()
