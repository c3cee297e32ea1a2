"""What is read off a trained net beside its test measure.

A run may name one of these; what it returns becomes part of the run's result. GRU equations and
names are PyTorch's: rows r, z, n; z near 1 keeps the old state; the reset acts after the product.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from .house import read_house
from .jobs import DAY, JOBS
from .sound import PER_SECOND
from .speech import CENTERED, DIGITS, Roles, Stream, listened, strange_words
from .tasks import WORDS, Examples, Split, Task, evenly
from .translation import english
from .translator import read_phrases, read_sounds

if TYPE_CHECKING:
    from .training import Reader

RARE, ENOUGH = 1, 5  # the number of rare words; how often a word has to occur to be judged
CONFIDENCE = 0.9  # of the forecast's intervals


@dataclass(frozen=True)
class Walk:
    """What a GRU does step by step: every field (B, T, H)."""

    r: Tensor
    z: Tensor
    h: Tensor


@torch.no_grad()
def walk(memory: nn.GRU, xs: Tensor, r: Tensor | None = None, z: Tensor | None = None) -> Walk:
    """Run a one-layer, batch-first GRU over xs (B, T, D); a gate that is given (H,) stays as it is."""
    h = xs.new_zeros(len(xs), memory.hidden_size)
    rs, zs, hs = [], [], []
    for x in xs.unbind(1):
        inner = nn.functional.linear(x, memory.weight_ih_l0, memory.bias_ih_l0).chunk(3, 1)
        outer = nn.functional.linear(h, memory.weight_hh_l0, memory.bias_hh_l0).chunk(3, 1)
        r_t = torch.sigmoid(inner[0] + outer[0]) if r is None else r.expand_as(h)
        z_t = torch.sigmoid(inner[1] + outer[1]) if z is None else z.expand_as(h)
        h = (1 - z_t) * torch.tanh(inner[2] + r_t * outer[2]) + z_t * h
        rs, zs, hs = [*rs, r_t], [*zs, z_t], [*hs, h]
    return Walk(*(torch.stack(steps, 1) for steps in (rs, zs, hs)))


def word_weights(split: Split) -> np.ndarray:
    """What each word is worth to a bag of words, (WORDS,): its weight in the logistic regression."""
    from .baselines import fitted_bag

    return fitted_bag(split).coef_[0]


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation; 0 where one of the two is constant."""
    from scipy import stats

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


@torch.no_grad()
def read_gates(model: "Reader", task: Task, split: Split) -> dict[str, float]:
    """How a GRU's gates move with words, and what it costs to hold them still.

    ``update_picks``, ``reset_picks``, ``move_picks``: rank correlation over the words that occur
    five times or more in the test part, between the absolute weight of a word in a bag of words
    and how much of the state it replaces (mean of 1 - z), how open the reset gate is (mean of r),
    how far the state moves. ``update_frozen``, ``reset_frozen``: the test measure in percent with
    a gate held at its mean over the words of the training part; ``walked`` the same with both
    gates free.
    """
    model.eval()

    def inside(part: Examples) -> tuple[Tensor, Tensor]:
        real = torch.arange(part.xs.shape[1]) < part.lengths[:, None]
        return model.embedding(part.xs), real

    def wrong(r: Tensor | None, z: Tensor | None) -> float:
        hs = walk(model.memory, model.embedding(split.test.xs), r, z).h
        last = hs[torch.arange(len(hs)), split.test.lengths - 1]
        return 100 * float((model.readout(last).argmax(-1) != split.test.ys).float().mean())

    xs, real = inside(split.train[:2000])
    seen = walk(model.memory, xs)
    mean_r, mean_z = seen.r[real].mean(0), seen.z[real].mean(0)
    xs, real = inside(split.test)
    seen = walk(model.memory, xs)
    before = torch.cat([torch.zeros_like(seen.h[:, :1]), seen.h[:, :-1]], 1)
    words = split.test.xs[real].numpy()
    count = np.bincount(words, minlength=WORDS)
    judged = np.flatnonzero((count >= ENOUGH) & (np.arange(WORDS) > RARE))
    worth = np.abs(word_weights(split))[judged]

    def picks(values: Tensor) -> float:
        total = np.bincount(words, values[real].double().numpy(), minlength=WORDS)
        return rank_correlation(worth, (total[judged] / count[judged]))

    return {
        "update_picks": picks((1 - seen.z).mean(-1)), "reset_picks": picks(seen.r.mean(-1)),
        "move_picks": picks((seen.h - before).norm(dim=-1)),
        "update_frozen": wrong(None, mean_z), "reset_frozen": wrong(mean_r, None), "walked": wrong(None, None),
    }  # fmt: skip


def by_hour(errors: Tensor, scale: float) -> list[float]:
    """Root mean square error of every hour; errors (N, hours)."""
    return (scale * errors.square().mean(0).sqrt()).tolist()


@torch.no_grad()
def read_horizon(model: "Reader", task: Task, split: Split) -> dict[str, list[float] | float]:
    """A forecast hour by hour.

    ``by_hour`` test error in the unit of the task; ``half``: half the width of an interval that
    holds 90 % of the validation part's errors of that hour (split conformal prediction, Vovk et al.
    2005), in the unit of the task; ``covered``: the share of the test part it holds, by hour.
    """
    from .training import answers_to

    off = {
        name: (answers_to(model, part) - part.ys).abs()
        for name, part in (("validation", split.validation), ("test", split.test))
    }
    count = len(off["validation"])
    rank = min(count, int(np.ceil((count + 1) * CONFIDENCE)))
    half = off["validation"].sort(0).values[rank - 1]
    return {
        "by_hour": by_hour(off["test"], split.scale), "half": (split.scale * half).tolist(),
        "covered": (off["test"] <= half).double().mean(0).tolist(),
    }  # fmt: skip


@torch.no_grad()
def fed_back(model: "Reader", xs: Tensor, hours: int = DAY) -> Tensor:
    """Forecast ``hours`` hours one by one, each answer becoming an input: (N, 168, 1) to (N, hours)."""
    from .training import answers_to

    found = []
    for _ in range(hours):
        lengths = torch.full((len(xs),), xs.shape[1])
        found.append(answers_to(model, Examples(xs, lengths, lengths)))
        xs = torch.cat([xs[:, 1:], found[-1][:, None]], 1)
    return torch.cat(found, 1)


def read_fed_back(model: "Reader", task: Task, split: Split) -> dict[str, list[float]]:
    """What a net that knows the next hour makes of 24: ``by_hour`` test error of its own answers fed back."""
    test = evenly(JOBS["day"].load(0, 1).test, 500)
    return {"by_hour": by_hour(fed_back(model, test.xs) - test.ys, split.scale)}


# Spoken digits.

Read = dict[str, float | list[float]]
THRESHOLDS = tuple(np.round(np.arange(0.1, 0.96, 0.05), 2).tolist())
PAUSE = 16  # frames after a report in which there is no other, 0.4 s
LATE = 12  # frames after a word in which its report still counts, 0.3 s
CHUNK = 64  # frames, 1.6 s
WAYS = ("carried", "words", "chunks")


@torch.no_grad()
def said(model: nn.Module, xs: np.ndarray, cuts: Sequence[int] = ()) -> np.ndarray:
    """The probability of every class at every frame of a stream: xs (T, D) to (T, classes).

    The state is carried from one frame to the next, and begins anew at 0 at the frames ``cuts``, in order.
    """
    model.eval()
    pieces = torch.from_numpy(xs).tensor_split(list(cuts))
    lengths = torch.tensor([len(piece) for piece in pieces])
    answers = model(nn.utils.rnn.pad_sequence(pieces, batch_first=True), lengths).softmax(-1)
    return torch.cat([answers[k, : lengths[k]] for k in range(len(pieces))]).numpy()


def reports(probabilities: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """What a listener reports, as (frame, digit): the likeliest digit as soon as its probability reaches
    the threshold, and then none for 16 frames. The last class is "nothing" and never reported."""
    digits = probabilities[:, :-1]
    best, found, silent = digits.argmax(1), [], 0
    for frame in np.flatnonzero(digits.max(1) >= threshold).tolist():
        if frame >= silent:
            found.append((frame, int(best[frame])))
            silent = frame + PAUSE
    return found


@dataclass(frozen=True)
class Heard:
    """Reports held against what was said: words without a report of their digit, reports of what was not
    said, and for each word that was found the frames from its end to its report."""

    missed: int
    alarms: int
    late: tuple[int, ...]


def held_against(found: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int, int]]) -> Heard:
    """A report belongs to a word from its first frame to 12 frames after its last, if it has its digit;
    the second one of a word is an alarm."""
    waiting, late = list(spans), []
    for frame, digit in found:
        for span in waiting:
            if span[0] <= frame < span[1] + LATE and span[2] == digit:
                waiting.remove(span)
                late.append(frame - span[1])
                break
    return Heard(len(waiting), len(found) - len(late), tuple(late))


def cuts_of(way: str, stream: Stream) -> list[int]:
    """Where the state begins anew: never, in the middle of every gap, or every 64 frames."""
    if way == "chunks":
        return list(range(CHUNK, len(stream.xs), CHUNK))
    if way == "words":
        return [(before[1] + span[0]) // 2 for before, span in pairwise(stream.spans)]
    return []


def per_hour(count: int, frames: int) -> float:
    """How many an hour, of those counted in so many frames."""
    return count * 3600 * PER_SECOND / frames


def wrong_at_ends(answers: np.ndarray, spans: Sequence[tuple[int, int, int]]) -> float:
    """Percent of the words whose digit is not the likeliest of the ten at their last frame."""
    wrong = [answers[end - 1, :DIGITS].argmax() != digit for _, end, digit in spans]
    return 100 * float(np.mean(wrong))


def read_listening(model: "Reader", task: Task, split: Split) -> Read:
    """A net on streams of eleven minutes, by the way its state is treated (`WAYS`).

    For each way: ``WAY_misses`` (percent of the words) and ``WAY_alarms`` (an hour) on the voice that
    tests, for every one of `THRESHOLDS`; ``WAY_at``, the number of that which makes the fewest errors
    (misses and alarms) on the voice that chooses; ``WAY_ends``, see `wrong_at_ends`. At ``carried_at``,
    with the state carried: ``late``, the frames from the end of a word to its report, median and ninth
    decile; ``quiet`` and ``speech``, alarms an hour where nobody speaks, and where somebody says other
    things.
    """
    assert isinstance(split, Roles)
    streams, result = listened(split.seed), Read()
    test = streams["test"]
    for way in WAYS:
        heard = {}
        for name in ("validation", "test"):
            stream = streams[name]
            answers = said(model, stream.xs, cuts_of(way, stream))
            heard[name] = [held_against(reports(answers, t), stream.spans) for t in THRESHOLDS]
        at = int(np.argmin([h.missed + h.alarms for h in heard["validation"]]))
        result |= {
            f"{way}_misses": [100 * h.missed / len(test.spans) for h in heard["test"]],
            f"{way}_alarms": [per_hour(h.alarms, len(test.xs)) for h in heard["test"]], f"{way}_at": at,
            f"{way}_ends": wrong_at_ends(answers, test.spans),
        }  # fmt: skip
        if way == "carried":
            late = heard["test"][at].late or (0,)
            result["late"] = [float(np.quantile(late, share)) for share in (0.5, 0.9)]
            for name in ("quiet", "speech"):
                xs = streams[name].xs
                result[name] = per_hour(len(reports(said(model, xs), THRESHOLDS[at])), len(xs))
    return result


class AtEveryStep(nn.Module):
    """A net that answers at the end of a word, asked at every frame."""

    def __init__(self, model: "Reader"):
        super().__init__()
        self.model = model

    def forward(self, xs: Tensor, lengths: Tensor) -> Tensor:
        """(B, T, D) to (B, T, classes)."""
        return self.model.readout(self.model.memory(xs)[0])


def read_words(model: "Reader", task: Task, split: Split) -> Read:
    """A net for whole words elsewhere.

    ``answers``: what it makes of the ten digits of a voice that is not in the data, and ``strange``, the
    percent of them that are wrong. With another voice and frames that can be had on a stream, percent
    wrong at the words' ends in a stream of the voice that tests: ``carried``, the state goes on through
    words and gaps; ``fresh``, it begins at 0 with every word.
    """
    from .training import answers_to

    assert isinstance(split, Roles)
    by_voice, _, features = task.name.rpartition("_")
    part = strange_words(features if by_voice else "raw", split.seed, bool(by_voice))
    answers = answers_to(model, part).argmax(-1)
    result: Read = {
        "answers": answers.tolist(), "strange": 100 * float((answers != part.ys).double().mean()),
    }  # fmt: skip
    if by_voice and features != CENTERED:
        stream, net = listened(split.seed)["test"], AtEveryStep(model)
        starts = [start for start, _, _ in stream.spans]
        for way, cuts in (("carried", []), ("fresh", starts)):
            result[way] = wrong_at_ends(said(net, stream.xs, cuts), stream.spans)
    return result


Reading = Callable[["Reader", Task, Split], dict]
READINGS: dict[str, Reading] = {
    "gates": read_gates,
    "horizon": read_horizon,
    "fed_back": read_fed_back,
    "listening": read_listening,
    "words": read_words,
    "phrases": read_phrases,
    "sounds": partial(read_sounds, english()),
    "house": read_house,
}
