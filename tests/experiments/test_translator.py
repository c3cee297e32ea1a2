"""Encoder, decoder and attention held against arithmetic by hand; greedy and beam search against search of everything."""

import itertools

import pytest
import torch
from torch import nn

from experiments.jobs import task_named
from experiments.tasks import FAMILIES, Examples
from experiments.training import Run, build, fit, load, measure_of, part_loss
from experiments.translation import END, GERMAN, PAD, START
from experiments.translator import (
    Translator,
    beam,
    forced_loss,
    forced_wrong,
    greedy,
    sentences,
    wrong_sentences,
    wrong_symbols,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def net_of(family: str, attention: bool, spoken: int = 7) -> Translator:
    torch.manual_seed(3)
    net = Translator(family, 5, spoken, 6, 4, attention).double().eval()
    with torch.no_grad():
        for weights in net.parameters():
            weights += 0.5 * torch.randn_like(
                weights
            )  # as the library draws them, all say nearly the same
    return net


XS = torch.tensor([[1, 2, 3, 4], [4, 1, 0, 0], [2, 2, 1, 0]])
LENGTHS = torch.tensor([4, 2, 3])
YS = torch.tensor([[3, 4, 5, END], [6, END, 0, 0], [5, 5, END, 0]])


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_phrase_alone_is_answered_as_in_a_batch(family, attention):
    net = net_of(family, attention)
    together = net(XS, LENGTHS, YS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = net(XS[row : row + 1, :length], LENGTHS[row : row + 1], YS[row : row + 1])
        assert torch.allclose(alone[0], together[row], atol=1e-12)


@torch.no_grad()
def test_a_gru_with_attention_step_by_step():
    net = net_of("gru", True)
    cells = []
    for layer in (net.encoder, net.decoder):
        cell = nn.GRUCell(4, 6).double()
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name).copy_(getattr(layer, f"{name}_l0"))
        cells.append(cell)
    state, states = torch.zeros(1, 6).double(), []
    for symbol in XS[2, :3]:
        state = cells[0](net.source.weight[symbol][None], state)
        states.append(state[0])
    seen = torch.stack(states)  # (3, 6)
    expected = []
    for before in (START, 5, 5):
        state = cells[1](net.target.weight[before][None], state)
        weights = (seen @ net.scores.weight.T @ state[0]).softmax(0)
        both = torch.cat([state[0], weights @ seen])
        expected.append(net.readout.weight @ torch.tanh(net.mix.weight @ both + net.mix.bias))
    expected = torch.stack(expected) + net.readout.bias
    assert torch.allclose(net(XS, LENGTHS, YS)[2, :3], expected, atol=1e-12)


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_greedy_says_what_teacher_forcing_finds_likeliest_after_its_own_words(family, attention):
    net = net_of(family, attention)
    said, weights = greedy(net, XS, LENGTHS, 6)
    again = net(XS, LENGTHS, said).argmax(-1)
    real = said != PAD
    assert again[real].equal(said[real])
    ends = (said == END).long().cumsum(1) - (said == END).long()
    assert not real[ends > 0].any()  # nothing after the end
    if attention:
        assert torch.allclose(weights.sum(-1), torch.ones(()).double())
        assert (weights[1, :, 2:] == 0).all()  # places that pad are not looked at


@torch.no_grad()
def sum_of(net: Translator, row: int, symbols: tuple[int, ...]) -> float:
    """The sum of log probabilities of a sentence."""
    ys = torch.tensor([symbols])
    logs = net(XS[row : row + 1], LENGTHS[row : row + 1], ys).log_softmax(-1)
    return float(logs[0, range(len(symbols)), list(symbols)].sum())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_wide_beam_finds_the_best_of_all_sentences(family):
    net, most = net_of(family, True, spoken=5), 3
    for row in range(len(XS)):
        every = [
            (*body, END) if len(body) < most else body
            for length in range(most + 1)
            for body in itertools.product((0, 1, 3, 4), repeat=length)
        ]
        best = max(every, key=lambda symbols: sum_of(net, row, symbols) / len(symbols))
        found = beam(net, XS[row : row + 1], LENGTHS[row : row + 1], most, width=5**most)
        # PAD may be said like any symbol here, so compare scores, not lengths.
        top = float(found.scores[0, 0]) / len(best)
        assert top == pytest.approx(sum_of(net, row, best) / len(best), abs=1e-9)


@torch.no_grad()
def test_a_beam_of_one_is_greedy_and_rows_do_not_mix():
    net = net_of("lstm", True)
    said = greedy(net, XS, LENGTHS, 6)[0]
    one = beam(net, XS, LENGTHS, 6, width=1)
    assert sentences(one.symbols[:, 0]) == sentences(said)
    together = beam(net, XS, LENGTHS, 6)
    for row in range(len(XS)):
        alone = beam(net, XS[row : row + 1], LENGTHS[row : row + 1], 6)
        width = alone.symbols.shape[-1]
        assert alone.symbols[0].equal(together.symbols[row, :, :width])
        assert torch.allclose(alone.scores[0], together.scores[row])
    assert (together.scores.diff(dim=1) <= 1e-9).any()


@torch.no_grad()
def test_what_pads_does_not_count_in_the_loss():
    net = net_of("gru", False)
    part = Examples(XS, LENGTHS, YS)
    logs = net(XS, LENGTHS, YS).log_softmax(-1)
    expected = -logs.gather(2, YS[:, :, None])[:, :, 0][YS != PAD].mean()
    assert float(forced_loss(net, part)) == pytest.approx(float(expected))
    right = net(XS, LENGTHS, YS).argmax(-1) == YS
    assert forced_wrong(net, part) == pytest.approx(100 * float((~right[YS > END]).double().mean()))


def test_errors_by_hand():
    said = torch.tensor([[3, 4, END, 0], [6, 6, END, 0], [5, END, 0, 0]])
    ys = torch.tensor([[3, 4, END, 0], [6, END, 0, 0], [5, 5, 3, END]])
    assert wrong_sentences(said, ys) == pytest.approx(200 / 3)
    assert wrong_symbols(said, ys) == pytest.approx(100 * (0 + 1 + 2) / (2 + 1 + 3))


def test_a_task_of_its_own_is_trained_by_the_one_loop():
    run = Run(
        "numbers",
        "gru",
        0.01,
        0,
        hidden=8,
        embedding=4,
        count=128,
        epochs=1,
        net="attention",
        reading="phrases",
    )
    net, found = fit(run)
    assert isinstance(net, Translator) and net.attention and found["hidden"] == 8
    assert found["validation"][0] < found["training"][0] * 1.2 and 0 < found["test"] <= 100
    assert len(found["by_digits"]) == 5 and found["unseen"] == [100.0] * 3
    task, split = task_named("numbers"), load(run)
    assert measure_of(task, net, split, split.test) == found["test"]
    assert part_loss(task, net, split.test) == pytest.approx(found["test_loss"])


def test_a_start_reaches_encoder_and_decoder():
    run = Run("numbers", "gru", 0.01, 0, hidden=8, embedding=4, count=64)
    plain, kept = (build(Run(**{**vars(run), "start": start}), task_named("numbers"), load(run)) for start in ("default", "keep"))  # fmt: skip
    for one, two in ((plain.encoder, kept.encoder), (plain.decoder, kept.decoder)):
        rows = two.bias_ih_l0 - one.bias_ih_l0
        assert rows[8:16].tolist() == pytest.approx([1.0] * 8) and not rows[:8].any()
    assert not plain.attention and GERMAN.longest == 24
