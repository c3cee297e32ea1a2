"""What is read off a trained net: against the library's layer, by hand, and in cases that are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from experiments import designs
from experiments.jobs import DAY, JOBS, WEEK, task_named
from experiments.readings import by_hour, fed_back, rank_correlation, read_gates, read_horizon, walk
from experiments.tasks import Examples, Split, whole
from experiments.training import Run, build, fit, load, train

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = Run("snippets", "gru", 0.01, 0, hidden=4, count=64, epochs=1)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9), st.integers(0, 99))
def test_a_walk_is_what_the_library_s_layer_does(inputs, hidden, steps, seed):
    torch.manual_seed(seed)
    memory, xs = (
        nn.GRU(inputs, hidden, batch_first=True).double(),
        torch.randn(3, steps, inputs).double(),
    )
    seen = walk(memory, xs)
    assert torch.allclose(seen.h, memory(xs)[0], atol=1e-12)
    # A step keeps z of the old state, so that a gate that is held at 1 keeps all of it.
    assert not walk(memory, xs, z=torch.ones(hidden).double()).h.any()
    free = walk(memory, xs, r=seen.r[0, 0], z=seen.z[0, 0])
    assert torch.equal(free.r[1, -1], seen.r[0, 0]) and torch.equal(free.h[0, 0], seen.h[0, 0])


def test_gates_held_at_the_value_that_they_have_change_nothing():
    """Where gates do not move, to hold them at their mean costs nothing, and they pick no words."""
    run = replace(SMALL, reading="gates")
    task, split = task_named("snippets"), load(SMALL)
    net = build(run, task, split)
    with torch.no_grad():
        for weights in (net.memory.weight_ih_l0, net.memory.weight_hh_l0):
            weights[:8] = 0
    found = read_gates(net, task, split)
    assert found["update_frozen"] == found["reset_frozen"] == found["walked"]
    assert abs(found["update_picks"]) < 0.05 and abs(found["reset_picks"]) < 0.05


def test_a_gate_that_opens_for_words_of_weight_is_seen_to_pick_them(monkeypatch):
    from experiments import readings

    task, split = task_named("snippets"), load(SMALL)
    net = build(replace(SMALL, embedding=1), task, split)
    worth = np.random.default_rng(0).normal(size=4000)
    monkeypatch.setattr(readings, "word_weights", lambda split: worth)
    with torch.no_grad():
        net.embedding.weight[:, 0] = torch.tensor(np.abs(worth))
        for weights in net.memory.parameters():
            weights[:8] = 0
        net.memory.weight_ih_l0[:4] = 1  # the reset gate opens with them
        net.memory.weight_ih_l0[4:8] = -1  # z keeps: the update gate takes them in
    found = read_gates(net, task, split)
    assert found["update_picks"] > 0.99 and found["reset_picks"] > 0.99


def test_what_the_walk_answers_is_the_test_measure():
    result = train(replace(SMALL, reading="gates"))
    assert result["walked"] == pytest.approx(result["test"], abs=0.1)


def test_rank_correlation_of_what_does_not_move_is_zero():
    assert rank_correlation(np.ones(5), np.arange(5)) == 0
    assert rank_correlation(np.arange(5), np.arange(5) ** 3) == pytest.approx(1)


def test_a_reading_changes_nothing_else():
    plain, read = train(SMALL), train(replace(SMALL, reading="gates"))
    assert {k: read[k] for k in plain if k != "seconds"} == {
        k: v for k, v in plain.items() if k != "seconds"
    }


class Answers(nn.Module):
    """Answers the last 24 values it sees, and something more."""

    def __init__(self, more: float = 0.0):
        super().__init__()
        self.more = more

    def forward(self, xs, lengths):
        return xs[:, -DAY:, 0] + self.more


def test_an_interval_holds_nine_of_ten_where_errors_are_drawn_alike():
    torch.manual_seed(0)
    xs = torch.zeros(4000, WEEK, 1)
    parts = [whole(xs[:n], torch.randn(n, DAY)) for n in (10, 999, 4000)]
    found = read_horizon(Answers(), JOBS["day"], Split(*parts, scale=2.0))
    assert np.mean(found["covered"]) == pytest.approx(0.9, abs=0.01)
    # Of a normal error nine tenths lie within 1.645 standard deviations.
    assert np.mean(found["half"]) == pytest.approx(2 * 1.645, rel=0.05)
    assert np.mean(found["by_hour"]) == pytest.approx(2, rel=0.05)


def test_the_rank_of_an_interval_by_hand():
    """Of nine errors 1 to 9 the interval takes the largest: nine tenths of ten is the ninth."""
    errors = torch.arange(1.0, 10)[:, None].repeat(1, DAY)
    part = whole(torch.zeros(9, WEEK, 1), errors)
    found = read_horizon(Answers(), JOBS["day"], Split(part, part, part))
    assert found["half"] == [9] * DAY and found["covered"] == [1] * DAY


def test_errors_by_hour():
    errors = torch.tensor([[3.0, 0.0], [-4.0, 0.0]])
    assert by_hour(errors, 10.0) == pytest.approx([10 * 12.5**0.5, 0])


class Next(nn.Module):
    """Answers one more than the last value."""

    def forward(self, xs, lengths):
        return xs[:, -1] + 1


def test_answers_are_fed_back_one_by_one():
    xs = torch.arange(float(WEEK))[None, :, None].repeat(2, 1, 1)
    assert fed_back(Next(), xs).tolist() == [list(range(WEEK, WEEK + DAY))] * 2


# The tasks of part V.


def test_no_address_is_in_two_parts():
    from experiments.jobs import addresses

    table = addresses()
    by_passage = {
        tuple(words[:40]): address
        for words, address in zip(table["words"], table["address"], strict=True)
    }
    assert len(by_passage) == len(table)
    for seed in (0, 900):
        split = JOBS["era"].load(seed, 700)
        years = JOBS["year"].load(seed, 700)
        assert torch.equal(split.test.xs, years.test.xs) and torch.equal(
            split.train.xs, years.train.xs
        )
        since = years.test.ys[:, 0] * years.scale
        assert float(since[split.test.ys == 1].min()) > float(since[split.test.ys == 0].max())


def test_a_day_follows_its_week_and_its_change_counts_from_the_day_before():
    level, change, hour = (JOBS[name].load(0, 200) for name in ("day", "day_change", "hour"))
    for a, b in ((level.test, change.test), (level.train, change.train)):
        assert torch.equal(a.xs, b.xs)
        assert torch.allclose(a.ys - a.xs[:, -DAY:, 0], b.ys, atol=1e-5)
    # The same windows of the test part, as far as a whole day follows.
    first = {
        x.numpy().tobytes(): float(y[0]) for x, y in zip(level.test.xs, level.test.ys, strict=True)
    }
    both = [
        (first[key], float(y[0])) for x, y in zip(hour.test.xs, hour.test.ys, strict=True)
        if (key := x.numpy().tobytes()) in first
    ]  # fmt: skip
    assert len(both) > 50 and all(a == b for a, b in both)


def test_what_is_scaled_before_the_split_knows_the_end_of_the_series():
    split, scaled, shuffled, change = (
        JOBS[f"co2_{care}"].load(0, 1000) for care in ("split", "scaled", "shuffled", "change")
    )
    assert float(split.test.xs.mean()) > float(scaled.test.xs.mean()) + 0.5
    assert scaled.scale > 1.5 * split.scale
    # Shuffled, the test part lies among the training part; cut by time, it lies above all of it.
    assert float(split.test.xs.min()) > float(split.train.xs.max())
    assert float(shuffled.test.xs.min()) < float(shuffled.train.xs.mean())
    assert torch.equal(change.test.xs, split.test.xs)
    assert torch.allclose(change.test.ys + change.test.xs[:, -1], split.test.ys)


def test_a_review_is_padded_or_has_fewer_words_and_nothing_else():
    plain, padded, page = (
        task_named(name).load(3, 100).test for name in ("snippets", "padded", "page")
    )
    assert torch.equal(padded.xs[:, :32], plain.xs) and not padded.xs[:, 32:].any()
    assert (padded.lengths == 100).all() and torch.equal(padded.ys, plain.ys)
    known = plain.xs < 1600
    assert torch.equal(page.xs[known], plain.xs[known]) and (page.xs[~known] == 1).all()
    assert torch.equal(page.lengths, plain.lengths)


# What a run may leave out.


@pytest.mark.parametrize(("gate", "value"), [("reset", 1.0), ("update", 0.0)])
def test_a_gate_that_is_left_out_stays_out(gate, value):
    net, _ = fit(replace(SMALL, without=gate, epochs=2, start="chrono"))
    split = load(SMALL)
    seen = walk(net.memory, net.embedding(split.test.xs[:20]))
    held, other = (seen.r, seen.z) if gate == "reset" else (seen.z, seen.r)
    assert (held == value).all() and other.std() > 0


def test_a_gate_that_does_not_exist_is_named():
    with pytest.raises(
        ValueError, match="no gate 'forget' to do without; there are: reset, update"
    ):
        train(replace(SMALL, without="forget"))


def test_the_mean_state_is_that_of_the_real_steps():
    split = load(SMALL)
    net = build(replace(SMALL, readout="mean"), task_named("snippets"), split).eval()
    part = split.test[:7]
    with torch.no_grad():
        hs, _ = net.memory(net.embedding(part.xs))
        wanted = torch.stack([h[:n].mean(0) for h, n in zip(hs, part.lengths, strict=True)])
        assert torch.allclose(net(part.xs, part.lengths), net.readout(wanted), atol=1e-6)
        longer = Examples(nn.functional.pad(part.xs, (0, 9)), part.lengths, part.ys)
        assert torch.allclose(net(longer.xs, longer.lengths), net(part.xs, part.lengths), atol=1e-6)


def test_every_reading_is_tried_at_a_tiny_size():
    for setting in designs.DESIGNS["series"].settings[:3]:
        run = designs.tiny(setting.run(("gru", "hidden"), designs.Choice(), 0.01, 0))
        assert len(train(run)["by_hour"]) == DAY
