"""From a sound to what a net hears: thirteen mel-frequency cepstral coefficients, forty times a second.

The recipe is that of the spoken digits in ``book/data`` (which were made with librosa), written out:
frames, their power at every frequency, bands as wide as the ear's, a logarithm, a cosine transform.
`mfcc` sees a whole recording. `Listener` gets the samples as they come, and cannot know how loud the
loudest moment will be.
"""

import wave
from functools import cache
from pathlib import Path

import numpy as np

RATE = 8000  # samples a second
FRAME, HOP = 400, 200  # samples: 50 ms, and a new frame every 25 ms
BANDS, COEFFICIENTS = 128, 13
FLOOR, RANGE = (
    1e-10,
    80.0,
)  # the least power; how far below the loudest a band is still told apart, dB
PER_SECOND = RATE // HOP


def read_wave(path: Path) -> np.ndarray:
    """The samples of a sound file, (N,) float64 in [-1, 1).

    Raises ValueError unless it holds one channel of 16 bits at 8000 samples a second, not empty.
    """
    with wave.open(str(path)) as file:
        found = file.getnchannels(), 8 * file.getsampwidth(), file.getframerate()
        data = file.readframes(file.getnframes())
    if found != (1, 16, RATE):
        raise ValueError(
            f"{path.name} has {found[0]} channels of {found[1]} bits at {found[2]} Hz; "
            f"convert it to one channel of 16 bits at {RATE} Hz"
        )
    if not data:
        raise ValueError(f"{path.name} holds no sample")
    return np.frombuffer(data, "<i2") / 32768


def mel(hertz: np.ndarray | float) -> np.ndarray | float:
    """Frequencies in mel, by the formula of the HTK book: 2595 log10(1 + f / 700)."""
    return 2595 * np.log10(1 + np.asarray(hertz, float) / 700)


@cache
def bands() -> np.ndarray:
    """The triangles of the mel bands, (128, 201): each rises to 1 over its neighbor below and falls over that above."""
    edges = 700 * (10 ** (np.linspace(0, mel(RATE / 2), BANDS + 2) / 2595) - 1)
    frequencies = np.linspace(0, RATE / 2, FRAME // 2 + 1)
    low, top, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - low) / (top - low), (high - frequencies) / (high - top)
    return np.maximum(0, np.minimum(rising, falling))


@cache
def cosines() -> np.ndarray:
    """The first rows of the orthonormal cosine transform (DCT-II), (13, 128)."""
    rows, columns = np.arange(COEFFICIENTS)[:, None], np.arange(BANDS)[None]
    matrix = np.sqrt(2 / BANDS) * np.cos(np.pi * rows * (2 * columns + 1) / (2 * BANDS))
    matrix[0] /= np.sqrt(2)
    return matrix


def decibels(frames: np.ndarray) -> np.ndarray:
    """The power in every mel band, in dB, at least -100: frames (T, 400) to (T, 128)."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    power = np.abs(np.fft.rfft(frames * window, axis=-1)) ** 2
    return 10 * np.log10(np.maximum(FLOOR, power @ bands().T))


def cut(samples: np.ndarray) -> np.ndarray:
    """Frames (1 + N // 200, 400) around every 200th sample; beyond its ends the sound is reflected.

    Raises ValueError for samples (N,) that are fewer than a frame or not finite.
    """
    samples = np.asarray(samples, float)
    if samples.ndim != 1 or len(samples) < FRAME:
        raise ValueError(
            f"samples of shape {samples.shape}: one axis with {FRAME} or more is needed, {1000 * FRAME // RATE} ms"
        )
    if not np.isfinite(samples).all():
        raise ValueError(
            "NaN or infinity among the samples: read the file again as numbers in [-1, 1)"
        )
    padded = np.pad(samples, FRAME // 2, mode="reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]


def mfcc(samples: np.ndarray) -> np.ndarray:
    """The coefficients of a whole recording, (N,) samples in [-1, 1) to (1 + N // 200, 13).

    A band that lies more than 80 dB below the loudest of the recording is raised to that level, as
    librosa's ``power_to_db`` does.
    """
    loud = decibels(cut(samples))
    return np.maximum(loud, loud.max() - RANGE) @ cosines().T


class Listener:
    """The coefficients of a sound that is still going on.

    The floor lies 80 dB below the loudest band so far. Before the first sample lies silence.
    """

    def __init__(self):
        self._rest, self._loudest = np.zeros(FRAME - HOP), -np.inf

    def hear(self, samples: np.ndarray) -> np.ndarray:
        """The frames that are complete with these samples (N,), in order: (T, 13), T may be 0."""
        self._rest = np.concatenate([self._rest, np.asarray(samples, float)])
        count = max(0, (len(self._rest) - FRAME) // HOP + 1)
        if not count:
            return np.zeros((0, COEFFICIENTS))
        loud = decibels(np.lib.stride_tricks.sliding_window_view(self._rest, FRAME)[::HOP][:count])
        self._rest = self._rest[count * HOP :]
        loudest = np.maximum(np.maximum.accumulate(loud.max(1)), self._loudest)
        self._loudest = loudest[-1]
        return np.maximum(loud, loudest[:, None] - RANGE) @ cosines().T
