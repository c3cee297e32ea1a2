"""The training loop: what is held equal is equal, what is recorded comes out again."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from experiments import designs, training
from experiments.runner import RESULTS, plain, read_lines
from experiments.tasks import TASKS
from experiments.training import Run, build, count_parameters, load, train

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = Run("vowels", "gru", 0.01, 0, hidden=4, count=20, epochs=1)


def built(run):
    return build(run, TASKS[run.task], load(run))


@pytest.mark.parametrize("task", designs.REAL)
def test_as_many_parameters_as_the_lstm(task):
    lstm = count_parameters(built(Run(task, "lstm", 0.01, 0, count=20)))
    wide = built(Run(task, "gru", 0.01, 0, count=20, size="parameters"))
    assert count_parameters(wide) == pytest.approx(lstm, rel=0.03)
    assert wide.memory.hidden_size > 32


def test_the_same_seed_gives_the_same_run_to_the_digit():
    first, again = train(SMALL), train(SMALL)
    first.pop("seconds"), again.pop("seconds")
    assert first == again
    assert train(replace(SMALL, seed=1))["training"] != first["training"]


def test_models_that_are_compared_see_the_same_sequences():
    gru, lstm = (load(Run("snippets", family, 0.01, 5, count=60)) for family in ("gru", "lstm"))
    assert torch.equal(gru.train.xs, lstm.train.xs)


@pytest.mark.parametrize("count", [20, 100, None])
def test_every_size_of_the_training_part_gets_the_same_updates(count):
    result = train(Run("vowels", "rnn", 0.01, 0, hidden=2, count=count, epochs=2))
    assert result["updates_per_look"] == round(216 / 16)
    assert len(result["training"]) == len(result["validation"]) == 2


def test_the_epoch_is_chosen_by_validation_and_the_test_part_sees_only_that():
    """At an absurd rate the best look is an early one; its weights give the test measure."""
    result = train(Run("vowels", "gru", 0.5, 0, hidden=8, epochs=6))
    best = min(result["validation"])
    assert result["validation"].index(best) < 5
    shorter = train(
        Run("vowels", "gru", 0.5, 0, hidden=8, epochs=result["validation"].index(best) + 1)
    )
    assert shorter["test"] == result["test"] and shorter["train"] == result["train"]


def test_training_stops_at_the_target():
    result = train(Run("recall", "rnn", 0.01, 0, delay=2, target=0.1, epochs=3))
    assert result["validation"][-1] < 0.1 <= min(result["validation"][:-1])
    assert len(result["validation"]) < 3 * TASKS["recall"].looks


def test_a_loss_that_is_not_finite_ends_the_run_and_is_said():
    result = train(Run("sunspots", "rnn", math.inf, 0, hidden=2, epochs=2))
    assert not result["finite"]
    assert len(result["validation"]) == 1


@pytest.mark.parametrize(("family", "rows"), [("lstm", slice(8, 16)), ("gru", slice(8, 16))])
def test_a_bias_that_keeps_the_state_stands_on_the_gate_that_keeps_it(family, rows):
    run = Run("vowels", family, 0.01, 0, hidden=8, count=20)
    plain_net, kept = built(run).memory, built(replace(run, start="keep")).memory
    off = (kept.bias_ih_l0 - plain_net.bias_ih_l0).detach()
    assert torch.allclose(off[rows], torch.ones(8))
    assert off.abs().sum() == pytest.approx(8)


def test_chrono_biases_reach_from_one_step_to_the_whole_sequence():
    run = Run("recall", "lstm", 0.01, 0, hidden=64, count=20, delay=100, start="chrono")
    memory = built(run).memory
    i, f, _, _ = memory.bias_ih_l0.detach().chunk(4)
    assert torch.equal(i, -f)
    assert 0 <= f.min() < 2 and 4 < f.max() <= math.log(100)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("start", ["orthogonal", "identity"])
def test_a_vanilla_net_can_start_without_stretching_or_shrinking(start, layers):
    memory = built(
        Run("vowels", "rnn", 0.01, 0, hidden=8, count=20, start=start, layers=layers)
    ).memory
    for layer in range(layers):
        weights = getattr(memory, f"weight_hh_l{layer}").detach()
        assert torch.allclose(weights @ weights.T, torch.eye(8), atol=1e-5)
        assert torch.equal(weights, torch.eye(8)) == (start == "identity")
        assert (
            not getattr(memory, f"bias_hh_l{layer}").any()
            and not getattr(memory, f"bias_ih_l{layer}").any()
        )


def test_every_start_draws_the_readout_as_the_default_does_not_need():
    """A start changes the weights of the memory and nothing else that was drawn before it."""
    for family, starts in training.STARTS.items():
        nets = [
            built(Run("vowels", family, 0.01, 3, hidden=4, count=20, start=start))
            for start in starts
        ]
        assert all(torch.equal(net.readout.weight, nets[0].readout.weight) for net in nets)
        assert all(
            torch.equal(net.memory.weight_ih_l0, nets[0].memory.weight_ih_l0) for net in nets
        )


def test_an_unknown_start_is_named():
    with pytest.raises(
        ValueError, match="no start 'chrono' for rnn; there are: default, orthogonal, identity"
    ):
        built(Run("vowels", "rnn", 0.01, 0, count=20, start="chrono"))


def test_an_unknown_size_rule_is_named():
    with pytest.raises(ValueError, match="'memory'; it can be 'hidden' or 'parameters'"):
        built(replace(SMALL, size="memory"))


def test_flipped_labels_are_only_those_of_the_training_part():
    clean, noisy = (load(Run("vowels", "gru", 0.01, 0, flipped=f)) for f in (0.0, 0.3))
    changed = (clean.train.ys != noisy.train.ys).float().mean()
    assert 0.15 < changed < 0.4  # 0.3 times 8/9 in the mean
    assert torch.equal(clean.validation.ys, noisy.validation.ys)
    assert torch.equal(clean.test.ys, noisy.test.ys)


def test_the_answer_is_read_where_the_sequence_ends():
    """What stands behind the end of a shorter sequence changes nothing."""
    net = built(Run("vowels", "lstm", 0.01, 0, hidden=4, count=20)).eval()
    xs, lengths = torch.randn(3, 9, 12), torch.tensor([4, 9, 6])
    changed = xs.clone()
    changed[0, 4:], changed[2, 6:] = 7.0, -7.0
    with torch.no_grad():
        assert torch.equal(net(xs, lengths), net(changed, lengths))


def test_the_name_of_a_run_says_what_differs():
    assert Run("adding", "gru", 0.01, 3, start="chrono", delay=50).key == (
        "task=adding family=gru rate=0.01 seed=3 delay=50 start=chrono"
    )


def test_a_run_makes_as_many_updates_as_it_says():
    run = Run("snippets", "rnn", 0.01, 0, hidden=2, count=60, epochs=1)
    result = train(run)
    assert result["updates_per_look"] * len(result["training"]) == training.updates(run)


@pytest.mark.gpu
def test_a_gpu_gives_the_same_curve_within_rounding():
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    cpu, gpu = train(SMALL), train(SMALL, "cuda")
    assert gpu["training"] == pytest.approx(cpu["training"], rel=1e-3)


RECORDED = [
    Run("vowels", "lstm", 0.01, 900),
    Run("vowels", "gru", 0.01, 901, size="parameters"),
    Run("sunspots", "rnn", 0.003, 900, start="orthogonal"),
    Run("recall", "lstm", 0.01, 900, delay=40, target=0.1, start="chrono"),
]


@pytest.mark.parametrize("run", RECORDED, ids=lambda run: run.key)
def test_recorded_runs_come_out_again(run):
    """Drawn from the file of results: the code that wrote it is the code that is here.

    Another processor rounds otherwise, and training amplifies it, so the first look has to agree
    closely and the test measure roughly.
    """
    recorded = read_lines(RESULTS / "runs.jsonl")[run.key]
    found = plain(train(run))
    assert found["parameters"] == recorded["parameters"]
    assert found["training"][0] == pytest.approx(recorded["training"][0], rel=1e-3)
    assert found["validation"][0] == pytest.approx(recorded["validation"][0], rel=1e-2)
    assert found["test"] == pytest.approx(recorded["test"], rel=0.3, abs=2)


def test_the_layers_are_the_library_s():
    assert training.FAMILIES == {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
