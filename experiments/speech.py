"""Spoken digits: words cut out of a recording, and streams in which somebody says one now and then.

Six people said every digit fifty times. A split at random asks whether a net knows these six; a split
by voice asks whether it understands a seventh. In the latter the seed draws the roles: one voice tests,
another chooses, four train, so that twelve seeds test every voice twice.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from .sound import COEFFICIENTS, PER_SECOND, mfcc, read_wave
from .tasks import DATA, Examples, Split, whole

VOICES, DIGITS, KEPT = 6, 10, 40  # KEPT: frames of a word, 1 s; 20 recordings of 3000 are longer
TESTED, CHOOSING = 500, 500
SPREAD = 1.0  # of the random shifts of a channel, in standard deviations of its coefficients
CENTERED, SHIFTED = "centered", "shifted"


@dataclass(frozen=True)
class Roles(Split):
    """A split of the recordings, and the seed that drew it; what a reading needs to find more of a voice."""

    seed: int = 0

    def to(self, device: str) -> "Roles":
        """The same on a device."""
        split = super().to(device)
        return Roles(split.train, split.validation, split.test, self.scale, self.seed)


@cache
def recordings() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """The frames of every recording, (T, 13) float32 each; its digit (3000,) and its voice (3000,)."""
    file = np.load(DATA / "spoken_digits.npz")
    ends = np.cumsum(file["lengths"], dtype=np.int64)
    frames = np.split(file["X"].astype(np.float32), ends[:-1])
    return frames, file["digit"].astype(np.int64), file["speaker"].astype(np.int64)


def roles(seed: int) -> tuple[int, int]:
    """The voice that tests and the voice that chooses; any six seeds in a row test every voice once."""
    tested = seed % VOICES
    return tested, (tested + 1 + seed // VOICES % (VOICES - 1)) % VOICES


def parts(by_voice: bool, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The numbers of the recordings that train, choose and test: 2000, 500 and 500, in random order."""
    voice = recordings()[2]
    order = np.random.default_rng(60_000 + seed).permutation(len(voice))
    if by_voice:
        tested, chooses = roles(seed)
        test, validation = order[voice[order] == tested], order[voice[order] == chooses]
        return order[~np.isin(voice[order], (tested, chooses))], validation, test
    test = np.random.default_rng(5).permutation(len(voice))[:TESTED]
    rest = order[~np.isin(order, test)]
    return rest[CHOOSING:], rest[:CHOOSING], test


def prepared(features: str) -> list[np.ndarray]:
    """The frames of every recording; where asked for, each coefficient's mean over a recording is taken off."""
    frames = recordings()[0]
    return [x - x.mean(0) for x in frames] if features == CENTERED else frames


def standard(frames: list[np.ndarray], train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each coefficient over the frames of the recordings ``train``."""
    known = np.concatenate([frames[row] for row in train])
    return known.mean(0), known.std(0)


def shifts(count: int, seed: int) -> np.ndarray:
    """Random constants to add to standardized frames, (count, 13): other rooms, other microphones."""
    return (
        np.random.default_rng(61_000 + seed)
        .normal(0, SPREAD, (count, COEFFICIENTS))
        .astype(np.float32)
    )


def words(by_voice: bool, features: str, seed: int, count: int) -> Roles:
    """Which digit was said: xs (N, 40, 13), standardized by the training part.

    ``features``: "raw", "centered" (the mean of each recording taken off) or "shifted" (raw, and every
    training word has a random constant added). Of more than 2000 training words the others are copies.
    """
    frames, (_, digit, _) = prepared(features), recordings()
    train, validation, test = parts(by_voice, seed)
    mean, spread = standard(frames, train)

    def part(rows: np.ndarray, added: np.ndarray | None = None) -> Examples:
        lengths = np.array([min(len(frames[row]), KEPT) for row in rows])
        xs = np.zeros((len(rows), KEPT, COEFFICIENTS), np.float32)
        for place, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            xs[place, :length] = (frames[row][:length] - mean) / spread
            if added is not None:
                xs[place, :length] += added[place]
        return whole(xs, digit[rows], lengths)

    rows = np.resize(train, count)
    added = shifts(count, seed) if features == SHIFTED else None
    return Roles(part(rows, added), part(validation), part(test), seed=seed)


# Streams. Between the words lie frames from the quietest twentieth of the same voice's.

NOTHING = DIGITS  # the class of a frame at which nothing is to be said
BEFORE, AFTER = 6, 6  # frames before and after the end of a word that ask for its digit
GAP = (12, 60)  # frames between two words, 0.3 to 1.5 s
QUIET = 0.05
CLIP, STREAM = 56, 128  # frames of a training example: one word, or about two


@cache
def quiet_frames(voice: int) -> np.ndarray:
    """The frames of a voice with the lowest twentieth of all its loudnesses, (N, 13)."""
    frames, _, voices = recordings()
    mine = np.concatenate([frames[row] for row in np.flatnonzero(voices == voice)])
    return mine[mine[:, 0] <= np.quantile(mine[:, 0], QUIET)]


def laid_out(rows: np.ndarray, source: np.random.Generator, steps: int | None = None) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, int]]]:  # fmt: skip
    """Recordings of one voice one after the other, with gaps: a stream of raw frames.

    Returns frames (T, 13), the class of every frame (T,) int64, and for every word its first frame, the
    frame after its last, and its digit. With ``steps``, T is that number: words that do not fit are left
    out, and what is left is quiet.
    """
    frames, digit, voice = recordings()
    quiet = quiet_frames(int(voice[rows[0]]))

    def gap() -> np.ndarray:
        return source.choice(quiet, source.integers(*GAP))

    pieces, spans = [gap()], []
    if steps is not None:  # the first word always fits
        pieces[0] = pieces[0][: max(1, steps - len(frames[rows[0]]) - AFTER)]
    length = len(pieces[0])
    for row in rows:
        if steps is not None and length + len(frames[row]) + AFTER > steps:
            break
        spans.append((length, length + len(frames[row]), int(digit[row])))
        pieces += [frames[row], gap()]
        length += len(pieces[-2]) + len(pieces[-1])
    if steps is not None:
        pieces.append(source.choice(quiet, max(0, steps - length)))
    xs = np.concatenate(pieces)[:steps]
    ys = np.full(len(xs), NOTHING, np.int64)
    for start, end, said in spans:
        ys[max(start, end - BEFORE) : end + AFTER] = said
    return xs, ys, spans


def streams(steps: int, seed: int, count: int) -> Roles:
    """What to say at every frame, a digit or nothing: xs (N, steps, 13), ys (N, steps), split by voice.

    Every training stream has a random constant added, as "shifted" words have.
    """
    voice, source = recordings()[2], np.random.default_rng(62_000 + seed)
    train, validation, test = parts(True, seed)
    mean, spread = standard(recordings()[0], train)

    def part(rows: np.ndarray, number: int) -> Examples:
        made = []
        while len(made) < number:
            same = rows[voice[rows] == voice[source.choice(rows)]]
            made.append(laid_out(source.permutation(same)[: steps // GAP[0]], source, steps)[:2])
        xs, ys = (np.stack(column) for column in zip(*made, strict=True))
        return whole(((xs - mean) / spread).astype(np.float32), ys)

    fitted = part(train, count)
    moved = fitted.xs + fitted.xs.new_tensor(shifts(count, seed))[:, None]
    number = 200 * STREAM // steps
    fitted = Examples(moved, fitted.lengths, fitted.ys)
    return Roles(fitted, part(validation, number), part(test, number), seed=seed)


@dataclass(frozen=True)
class Stream:
    """A sound to listen to: frames (T, 13), standardized, and for every word its first frame, the frame
    after its last, and its digit."""

    xs: np.ndarray
    spans: tuple[tuple[int, int, int], ...] = ()


def listened(seed: int) -> dict[str, Stream]:
    """What a net is to listen to that was trained with a seed.

    "validation" and "test": all 500 words of the voice that chooses and of that which tests, about
    eleven minutes each, the same for every seed with that voice; "quiet": ten minutes of gap of the voice
    that tests; "speech": sentences of a voice that says no digit.
    """
    voice = recordings()[2]
    mean, spread = standard(recordings()[0], parts(True, seed)[0])

    def scaled(xs: np.ndarray) -> np.ndarray:
        return ((xs - mean) / spread).astype(np.float32)

    found = {}
    for name, mine in zip(("test", "validation"), roles(seed), strict=True):
        source = np.random.default_rng(63_000 + mine)
        xs, _, spans = laid_out(source.permutation(np.flatnonzero(voice == mine)), source)
        found[name] = Stream(scaled(xs), tuple(spans))
    quiet = np.random.default_rng(64_000).choice(quiet_frames(roles(seed)[0]), 600 * PER_SECOND)
    return found | {"quiet": Stream(scaled(quiet)), "speech": Stream(scaled(other_speech()))}


@cache
def other_speech() -> np.ndarray:
    """Some minutes of a telephone's announcements, without digits, as raw frames (T, 13)."""
    return np.load(DATA / "sounds" / "announcements.npz")["X"].astype(np.float32)


@cache
def stranger() -> tuple[np.ndarray, ...]:
    """The raw frames of the ten digits, 0 to 9, of a voice that is not among the six."""
    return tuple(mfcc(read_wave(DATA / "sounds" / f"{digit}.wav")) for digit in range(DIGITS))


def strange_words(features: str, seed: int, by_voice: bool = True) -> Examples:
    """The stranger's ten digits, as `words` prepares those of the test part."""
    mean, spread = standard(prepared(features), parts(by_voice, seed)[0])
    xs, lengths = np.zeros((DIGITS, KEPT, COEFFICIENTS), np.float32), np.zeros(DIGITS, np.int64)
    for digit, frames in enumerate(stranger()):
        centered = frames - frames.mean(0) if features == CENTERED else frames
        lengths[digit] = min(KEPT, len(frames))
        xs[digit, : lengths[digit]] = (centered[:KEPT] - mean) / spread
    return whole(xs, np.arange(DIGITS), lengths)
