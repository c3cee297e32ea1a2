"""The tasks: nothing leaks from the test part, seeds draw what they should, answers are right."""

import numpy as np
import pytest
import torch

from experiments.tasks import SYMBOLS, TASKS, Examples

COUNTS = {name: min(task.count, 400) for name, task in TASKS.items()}
SPLITS = [(name, seed) for name in TASKS for seed in (0, 100)]


def rows(part: Examples) -> set[bytes]:
    return {
        x.numpy().tobytes() + y.numpy().tobytes() for x, y in zip(part.xs, part.ys, strict=True)
    }


@pytest.mark.parametrize("name,seed", SPLITS)
def test_no_sequence_is_in_two_parts(name, seed):
    split = TASKS[name].load(seed, min(COUNTS[name], 216))
    parts = [split.train, split.validation, split.test]
    found = [rows(part) for part in parts]
    shared = [
        len(a & b) for a, b in ((found[0], found[2]), (found[1], found[2]), (found[0], found[1]))
    ]
    # The review snippets and the recall of a symbol repeat themselves here and there.
    assert max(shared) <= (5 if name == "snippets" else 0)


@pytest.mark.parametrize("name", TASKS)
def test_a_seed_draws_the_same_again_and_another_something_else(name):
    first, again, other = (TASKS[name].load(seed, 200).train for seed in (1, 1, 2))
    assert torch.equal(first.xs, again.xs) and torch.equal(first.ys, again.ys)
    assert not (torch.equal(first.xs, other.xs) and torch.equal(first.ys, other.ys))


@pytest.mark.parametrize("name", TASKS)
def test_the_test_part_is_the_same_for_every_seed(name):
    one, other = (TASKS[name].load(seed, 50).test for seed in (0, 103))
    assert torch.equal(one.xs, other.xs) and torch.equal(one.ys, other.ys)


@pytest.mark.parametrize("name", TASKS)
def test_shapes_and_types(name):
    task, split = TASKS[name], TASKS[name].load(0, 50)
    for part in (split.train, split.validation, split.test):
        assert part.lengths.min() >= 1 and part.lengths.max() <= part.xs.shape[1]
        if task.vocabulary:
            assert (
                part.xs.dtype == torch.int64
                and 0 <= part.xs.min() <= part.xs.max() < task.vocabulary
            )
        else:
            assert part.xs.dtype == torch.float32 and part.xs.isfinite().all()
        if task.kind == "numbers":
            assert part.ys.shape == (len(part), 1) and part.ys.dtype == torch.float32
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


@pytest.mark.parametrize("name", TASKS)
def test_the_baseline_beats_knowing_nothing(name):
    task = TASKS[name]
    split = task.load(0, COUNTS[name])
    found = task.baseline(split)
    if task.kind == "classes":
        counts = torch.bincount(split.test.ys)
        trivial = 100 * (1 - float(counts.max() / counts.sum()))
    elif task.kind == "numbers":
        trivial = split.scale * float(
            (split.test.ys - split.train.ys.mean()).square().mean().sqrt()
        )
    else:
        trivial = float(np.log2(task.outputs))
    if name in ("adding", "recall"):
        assert found == pytest.approx(trivial, rel=0.05)
    else:
        assert 0 < found < trivial
