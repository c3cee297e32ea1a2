"""The yardstick held against what is known: nets that are the same, nets that differ by a known amount.

Values of one net are drawn again, with replacement, as if other seeds had been trained: twice
from the same net, so that there is no difference, or with a shift of so many margins added to
one of them. The comparison then goes through the same looks as one of the trial.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from . import claims, designs
from .designs import LSTM, RNN
from .speech import VOICES
from .yardstick import BETTER, EQUIVALENT, LEVEL, LOOKS, UNDECIDED, WORSE


def seen_once(each: np.ndarray, margin: float) -> np.ndarray:
    """The names of many comparisons of the same number of pairs; ``each`` (N, pairs)."""
    from scipy import stats

    count = each.shape[1]
    half = stats.t.ppf((1 + LEVEL) / 2, count - 1) * each.std(1, ddof=1) / count**0.5
    low, high = each.mean(1) - half, each.mean(1) + half
    return np.select(
        [(-margin < low) & (high < margin), high < 0, low > 0],
        [EQUIVALENT, BETTER, WORSE], UNDECIDED,
    )  # fmt: skip


def names(each: np.ndarray, margin: float, looks: Sequence[int] = LOOKS) -> np.ndarray:
    """The names of many comparisons, after the looks each of them needs; ``each`` (N, pairs of the last look)."""
    found = np.full(len(each), UNDECIDED, dtype=object)
    for count in looks:
        now = seen_once(each[:, :count], margin)
        found = np.where(found == UNDECIDED, now, found)
    return found


def simulated(values: Sequence[float], margin: float, shift: float, repeats: int = 2000, seed: int = 0,
              looks: Sequence[int] = LOOKS) -> dict[str, float]:  # fmt: skip
    """How often each name is given when the first net's measure is larger by ``shift`` margins."""
    source = np.random.default_rng(seed)
    first, second = source.choice(np.asarray(values), (2, repeats, looks[-1]))
    found = names(first + shift * margin - second, margin, looks)
    return {name: float((found == name).mean()) for name in (EQUIVALENT, BETTER, WORSE, UNDECIDED)}


def simulated_voices(values: Sequence[float], margin: float, shift: float, repeats: int = 2000, seed: int = 0) -> dict[str, float]:  # fmt: skip
    """The same, voice by voice: of each voice its own seeds are drawn again, and six means are compared."""
    source = np.random.default_rng(seed)
    by_voice = np.asarray(values)[: len(values) // VOICES * VOICES].reshape(-1, VOICES)
    drawn = source.integers(len(by_voice), size=(2, repeats, *by_voice.shape))
    first, second = np.take_along_axis(by_voice[None, None], drawn, 2).mean(2)
    found = seen_once(first + shift * margin - second, margin)
    return {name: float((found == name).mean()) for name in (EQUIVALENT, BETTER, WORSE, UNDECIDED)}


@dataclass(frozen=True)
class Held:
    """What the yardstick does on one task; shares of simulated comparisons.

    ``spread`` is the standard deviation of the LSTM over the seeds, in margins. ``wrong``: a name
    other than equivalent or undecided where there is no difference. ``missed``: equivalent where
    the difference is the margin. ``same`` and ``told``: the right name without a difference, and
    with one of two margins.
    """

    spread: float
    wrong: float
    missed: float
    same: float
    told: float


def held(trial: claims.Trial, task: str, condition: str = "default", by_voice: bool = False) -> Held:  # fmt: skip
    """The yardstick on the measured values of the LSTM, as the library starts it or at its best start.

    ``task`` names a setting. Where it has fewer seeds than the first look, these are its only look.
    """
    setting = trial.settings[task]
    values, margin = trial.values(task, (LSTM, condition), designs.measured), designs.margin(setting.base.task)  # fmt: skip
    looks = LOOKS if setting.seeds >= LOOKS[0] else (setting.seeds,)
    draw = simulated_voices if by_voice else partial(simulated, looks=looks)
    none, at, two = (draw(values, margin, shift) for shift in (0, 1, 2))
    return Held(
        spread=float(np.std(values, ddof=1) / margin),
        wrong=none[BETTER] + none[WORSE], missed=at[EQUIVALENT],
        same=none[EQUIVALENT], told=two[WORSE],
    )  # fmt: skip


# Where a vanilla RNN is known to be behind an LSTM, said before any of these runs: as the library
# starts it, over long delays (Hochreiter and Schmidhuber 1997, Bengio et al. 1994), against an
# LSTM at its best start; and on speech (Chung et al. 2014), both as the library starts them.
KNOWN = {
    "spoken": ((RNN, "default"), (LSTM, "default")),
    "adding, delay 200": ((RNN, "default"), (LSTM, "best")),
    "recall, delay 80": ((RNN, "default"), (LSTM, "best")),
}

# The same of part V's languages, said before their runs: handed one state, a vanilla RNN falls behind an
# LSTM (Cho et al. 2014 and Sutskever et al. 2014 both took gated cells for that reason), on numbers and on
# sounds, both as the library starts them.
KNOWN_LATER = {
    "numbers": ((RNN, "default"), (LSTM, "default")),
    "sounds": ((RNN, "default"), (LSTM, "default")),
}
