"""The tasks: nothing leaks from the test part, seeds draw what they should, answers are right."""

import numpy as np
import pytest
import torch

from experiments import baselines, designs
from experiments.baselines import WITHOUT, without_recurrence
from experiments.jobs import JOBS
from experiments.tasks import SPOKEN_FRAMES, SYMBOLS, TASKS, Examples, whole

ALL = TASKS | JOBS
COUNTS = {name: min(task.count, 400) for name, task in ALL.items()}
SPLITS = [(name, seed) for name in ALL for seed in (0, 100)]


def rows(part: Examples) -> set[bytes]:
    return {
        x.numpy().tobytes() + y.numpy().tobytes() for x, y in zip(part.xs, part.ys, strict=True)
    }


# Names that were never seen are one unknown word to these, so that new sentences may look alike; that
# no sentence is in two parts before that, test_smart_home tries.
UNKNOWN = ("house_words", "house_hidden", "house_listed", "house_mended")


@pytest.mark.parametrize("name,seed", [split for split in SPLITS if split[0] not in UNKNOWN])
def test_no_sequence_is_in_two_parts(name, seed):
    split = ALL[name].load(seed, min(COUNTS[name], 216))
    parts = [split.train, split.validation, split.test]
    found = [rows(part) for part in parts]
    shared = [
        len(a & b) for a, b in ((found[0], found[2]), (found[1], found[2]), (found[0], found[1]))
    ]
    # Some review snippets occur twice, more with a smaller vocabulary; shuffled windows only overlap.
    assert max(shared) <= {"snippets": 5, "padded": 5, "page": 8}.get(name, 0)


@pytest.mark.parametrize("name", ALL)
def test_a_seed_draws_the_same_again_and_another_something_else(name):
    first, again, other = (ALL[name].load(seed, 200).train for seed in (1, 1, 2))
    assert torch.equal(first.xs, again.xs) and torch.equal(first.ys, again.ys)
    assert not (torch.equal(first.xs, other.xs) and torch.equal(first.ys, other.ys))


# Here the seed draws who tests, what the same recordings are scaled by (see test_speech), or which
# templates and names test (see test_smart_home).
DRAWN = ("known", "voice_raw", "voice_centered", "voice_shifted", "clips", "streams", *UNKNOWN)
DRAWN += ("house_letters", "turns_carried", "turns_reset")


@pytest.mark.parametrize("name", [name for name in ALL if name not in DRAWN])
def test_the_test_part_is_the_same_for_every_seed(name):
    one, other = (ALL[name].load(seed, 50).test for seed in (0, 103))
    assert torch.equal(one.xs, other.xs) and torch.equal(one.ys, other.ys)


@pytest.mark.parametrize("name", ALL)
def test_shapes_and_types(name):
    task, split = ALL[name], ALL[name].load(0, 50)
    for part in (split.train, split.validation, split.test):
        if task.kind == "own":  # symbols in, symbols out, in one turn or two; some steps are asked
            assert part.lengths.min() >= 1 and part.lengths.max() <= max(part.xs.shape[1:])
            assert part.xs.dtype == torch.int64 == part.ys.dtype and part.xs.min() >= 0
            assert (part.ys.flatten(1).max(1).values >= 0).all()
            continue
        assert part.lengths.min() >= 1 and part.lengths.max() <= part.xs.shape[1]
        if task.vocabulary:
            assert (
                part.xs.dtype == torch.int64
                and 0 <= part.xs.min() <= part.xs.max() < task.vocabulary
            )
        else:
            assert part.xs.dtype == torch.float32 and part.xs.isfinite().all()
        if task.kind == "numbers":
            assert part.ys.shape == (len(part), task.outputs) and part.ys.dtype == torch.float32
        else:
            assert (
                part.ys.dtype == torch.int64 and 0 <= part.ys.min() <= part.ys.max() < task.outputs
            )


def test_too_many_sequences_are_refused():
    with pytest.raises(ValueError, match="5000 [+] 54 sequences wanted, 270 are there"):
        TASKS["vowels"].load(0, 5000)


@pytest.mark.parametrize("delay", [6, 50, 101])
def test_the_sum_is_that_of_the_two_marked_numbers(delay):
    part = TASKS["adding"].load(3, 40, delay=delay).train
    value, marker = part.xs.unbind(-1)
    assert part.xs.shape[1] == delay
    assert (marker[:, : delay // 2].sum(1) == 1).all() and (
        marker[:, delay // 2 :].sum(1) == 1
    ).all()
    assert torch.allclose((value * marker).sum(1), part.ys[:, 0])


def test_the_symbol_to_recall_stands_in_the_first_step_alone():
    part = TASKS["recall"].load(3, 40, delay=20).train
    assert torch.equal(part.xs[:, 0, :SYMBOLS].argmax(1), part.ys)
    assert (part.xs[:, 1:, :SYMBOLS] == 0).all() and part.xs.shape[1] == 21


def test_silence_follows_the_digit():
    loud, quiet = (TASKS["digits"].load(0, 30, **more).train for more in ({}, {"silence": 9}))
    assert torch.equal(quiet.xs[:, :64], loud.xs) and (quiet.xs[:, 64:] == 0).all()
    assert quiet.xs.shape[1] == 73 and (quiet.lengths == 73).all()


def test_a_window_ends_before_its_target():
    """One hour ahead: the target of a window is the last value of the next."""
    from experiments.tasks import windows

    series = np.arange(30.0)
    for ahead in (1, 6):
        part = windows(series[:, None], series, 8, ahead)
        assert torch.equal(part.ys[:, 0], part.xs[:, -1, 0] + ahead)


def test_a_recording_is_a_person_s_take_of_a_digit_cut_at_forty_frames():
    split = TASKS["spoken"].load(0, 200)
    assert len(split.test) == 6 * 10 * 10 and torch.bincount(split.test.ys).tolist() == [60] * 10
    assert split.test.lengths.max() == SPOKEN_FRAMES == split.test.xs.shape[1]
    for x, length in zip(split.test.xs, split.test.lengths, strict=True):
        assert (x[length:] == 0).all() and (x[length - 1] != 0).any()


# What is reached without recurrence.


# The same digits through the same code as "known", each ten seconds and more: `make experiments` runs them.
LONG = ("voice_raw", "voice_centered", "voice_shifted", "clips", "streams")


def test_every_task_has_a_trivial_predictor_and_a_baseline():
    assert set(WITHOUT) == set(ALL)


@pytest.mark.parametrize("name", [name for name in designs.SCALE if name not in LONG])
def test_the_registered_scale_is_what_is_measured(name):
    trivial, baseline = without_recurrence(ALL[name])
    registered, best = designs.SCALE[name]
    assert trivial == pytest.approx(registered, rel=1e-3)
    # Another version of a solver may move the last digits; the best known is never worse.
    assert best <= baseline * 1.02
    if name not in designs.DELAYS:
        assert baseline < 0.95 * trivial


def test_the_scale_knows_the_first_trial():
    """The best known is the baseline, or the best median of the trial before."""
    from experiments.results import first

    for name, medians in first()["medians"].items():
        if name in designs.SCALE and name != "adding":
            assert designs.SCALE[name][1] <= min(medians.values()) * 1.001


def test_frames_are_taken_at_even_distances_between_the_ends():
    xs = torch.arange(10.0)[None, :, None].repeat(2, 1, 1)
    part = whole(xs, torch.zeros(2, dtype=torch.int64), torch.tensor([10, 4]))
    found = baselines.resampled(part, frames=3)
    assert found.tolist() == [[0, 4.5, 9], [0, 1.5, 3]]


def test_interpolated_counts_by_hand():
    """Training text a b a b a, alphabet of 2: after "a" always "b".

    Order 1: the targets b a b a and the first a give a 3, b 2 of 5, two kinds: P(b) = (2 + 2/2) / 7.
    Order 2: after a, b twice, one kind: P(b | a) = (2 + 3/7) / 3.
    """
    train = whole(torch.tensor([[0, 1, 0, 1]]), torch.tensor([[1, 0, 1, 0]]))
    tables = [baselines.counted(train, order) for order in (1, 2)]
    asked = whole(torch.tensor([[0]]), torch.tensor([[1]]))
    assert baselines.bits(asked, tables[:1], 2) == pytest.approx(-np.log2(3 / 7))
    assert baselines.bits(asked, tables, 2) == pytest.approx(-np.log2((2 + 3 / 7) / 3))


def test_interpolated_counts_are_a_distribution():
    split = TASKS["moby_dick"].load(0, 300)
    size = TASKS["moby_dick"].outputs
    tables = [baselines.counted(split.train, order) for order in (1, 2, 3)]
    x = split.test.xs[:1, :3]
    shares = [
        2
        ** -(
            3
            * baselines.bits(
                whole(x, torch.cat([x[:, 1:], torch.tensor([[last]])], 1)), tables, size
            )
        )
        for last in range(size)
    ]
    first_two = 2 ** -(2 * baselines.bits(whole(x[:, :2], x[:, 1:]), tables, size))
    assert sum(shares) == pytest.approx(first_two)


def test_the_settings_of_a_baseline_are_chosen_by_validation():
    assert baselines.best_by_validation([(2.0, 1.0), (1.0, 5.0), (3.0, 0.0)]) == 5.0
