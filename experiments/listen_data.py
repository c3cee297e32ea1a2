"""What the figure ``<gm-listen>`` is given: two nets, streams to listen to, and how much to expect of it.

A page calls ``listen_data(**recorded())``; `live_listen` draws what comes out and says what it holds.
"""

import base64
from collections.abc import Sequence

import numpy as np

from . import models, results
from .claims import Missing, by_voice
from .designs import GRU
from .quantized import quantize
from .readings import LATE, THRESHOLDS
from .runner import plain
from .sound import PER_SECOND, RATE, read_wave
from .speech import DIGITS, parts, recordings, standard
from .speech import listened as streams_of
from .tasks import DATA

SECONDS = 75  # of the voice that tests
PAUSE = RATE // 2  # samples of silence between two of the stranger's digits
NETS = ("listener", "clips")


def recorded() -> dict:
    """The arguments of `listen_data` from the recorded results.

    ``threshold``: that of the shipped listener on the voice that chooses, with the state carried.
    ``found``, percent of the words, and ``alarms``, false ones an hour: for each of the six voices, the
    mean over the seeds that tested it, of nets like it at thresholds chosen in the same way. Raises
    Missing where there are no such results.
    """
    run = models.run_of("listener")
    own = results.results().get(run.key)
    if own is None:
        raise Missing(
            f"no result of the shipped listener, {run.key}: make experiments, then python -m experiments models"
        )

    def at(what: str) -> tuple[float, ...]:
        return by_voice(results.trial(), "streams", (GRU, "best"), lambda _, result: result[f"carried_{what}"][result["carried_at"]])  # fmt: skip

    return {
        "threshold": THRESHOLDS[own["carried_at"]],
        "found": [100 - missed for missed in at("misses")], "alarms": at("alarms"),
    }  # fmt: skip


def excerpt(seed: int, seconds: float = SECONDS) -> tuple[np.ndarray, list[list[int]]]:
    """The first words of the voice that tests: standardized frames (T, 13), and [first frame, frame
    after the last, digit] of each. The excerpt ends where a report of its last word no longer counts."""
    stream = streams_of(seed)["test"]
    spans = [[*span] for span in stream.spans if span[1] + LATE <= seconds * PER_SECOND]
    return stream.xs[: spans[-1][1] + LATE], spans


def sound() -> dict:
    """The stranger's ten digits, 0 to 9, as samples: ``samples``, little-endian 16-bit integers in
    base64, and ``lengths``, how many each digit has; ``pause`` samples of silence follow each."""
    waves = [read_wave(DATA / "sounds" / f"{digit}.wav") for digit in range(DIGITS)]
    data = np.concatenate(waves) * 32768
    return {
        "samples": base64.b64encode(data.astype("<i2").tobytes()).decode(),
        "lengths": [len(wave) for wave in waves], "pause": PAUSE,
    }  # fmt: skip


def listen_data(threshold: float, found: Sequence[float], alarms: Sequence[float]) -> dict:
    """All that ``<gm-listen>`` needs; see `live_listen` for what is in it, `recorded` for the arguments.

    Raises ValueError where the two nets were trained with different seeds: then one of them may have
    heard the voice that tests.
    """
    seeds = {models.run_of(name).seed for name in NETS}
    if len(seeds) > 1:
        raise ValueError(f"the nets have seeds {sorted(seeds)}: ship {NETS[1]} like {NETS[0]}")
    seed = seeds.pop()
    xs, spans = excerpt(seed)
    mean, spread = standard(recordings()[0], parts(True, seed)[0])
    return {
        "nets": {name: models.net_for_page(name) for name in NETS},
        "mean": [plain(float(value)) for value in mean], "spread": [plain(float(value)) for value in spread],
        "stream": {"frames": quantize(xs.T), "spans": spans}, "sound": sound(),
        "threshold": threshold, "found": [plain(float(value)) for value in found],
        "alarms": [plain(float(value)) for value in alarms],
    }  # fmt: skip
