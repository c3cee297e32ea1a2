"""What the listening figure is given in tests: random nets, frames and sounds."""

from base64 import b64encode

import numpy as np
import torch

from experiments import live_listen
from experiments.quantized import dequantize, quantize
from experiments.readings import reports
from experiments.training import Reader

HIDDEN, FRAMES = 32, 500
NAMES = {"weight_ih": "memory.weight_ih_l0", "weight_hh": "memory.weight_hh_l0", "bias_ih": "memory.bias_ih_l0",
         "bias_hh": "memory.bias_hh_l0", "readout_weight": "readout.weight", "readout_bias": "readout.bias"}  # fmt: skip


def packed(seed: int) -> dict:
    """A random net, as it travels in a page."""
    rng = np.random.default_rng(seed)
    shapes = {"weight_ih": (96, 13), "weight_hh": (96, 32), "bias_ih": (96,), "bias_hh": (96,),
              "readout_weight": (11, 32), "readout_bias": (11,)}  # fmt: skip
    return {name: quantize(rng.uniform(-0.7, 0.7, shape)) for name, shape in shapes.items()}


def reader(net: dict) -> Reader:
    """The same net in PyTorch."""
    made = Reader("gru", 13, 11, HIDDEN, every_step=True)
    made.load_state_dict({NAMES[name]: torch.from_numpy(dequantize(q)) for name, q in net.items()})
    return made


def figure_data() -> dict:
    """Random nets and frames, and words of which a random net finds every other one."""
    rng = np.random.default_rng(1)
    nets = {"listener": packed(2), "clips": packed(3)}
    frames = quantize(rng.normal(size=(13, FRAMES)).cumsum(1) / 4)
    found = reports(live_listen.run(nets["listener"], dequantize(frames).T).probabilities, 0.3)
    assert len(found) > 8
    spans = [[max(0, frame - 4), frame, digit if k % 2 else 9 - digit] for k, (frame, digit) in enumerate(found)]  # fmt: skip
    wave = rng.integers(-9000, 9000, 2500)
    return {
        "nets": nets, "mean": [1.0] * 13, "spread": [2.0] * 13, "stream": {"frames": frames, "spans": spans},
        "sound": {"samples": b64encode(wave.astype("<i2").tobytes()).decode(), "lengths": [1100, 1400], "pause": 400},
        "threshold": 0.3, "found": [60.4, 90.0], "alarms": [20.0, 100.0],
    }  # fmt: skip
