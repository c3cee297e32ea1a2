"""The character models of a page, and how far back a prediction looks."""

import numpy as np
import pytest
import torch

from experiments import dependence, live_depends
from experiments.dependence import FAMILIES, FILE, net_of, recorded, sensitivity, within
from experiments.designs import RATES
from experiments.models import score
from experiments.tasks import TASKS
from experiments.training import Run

pytestmark = pytest.mark.usefixtures("one_thread")
TEXT = 'spoke. "There she blows!'


@pytest.mark.parametrize("family", FAMILIES)
def test_a_net_scores_what_its_record_says(family):
    entry = recorded()[family]
    run = Run(**entry["run"])
    assert entry["validation"].keys() == {f"{rate:g}" for rate in RATES}
    best = min(entry["validation"], key=entry["validation"].get)
    assert run == dependence.wanted(family, float(best))
    assert score(net_of(entry), run) == pytest.approx(entry["quantized"], rel=2e-3)
    assert entry["quantized"] == pytest.approx(entry["test"], abs=0.02)


def test_the_file_is_small_and_its_nets_are_equally_large():
    assert FILE.stat().st_size <= 60_000
    sizes = [entry["parameters"] for entry in recorded().values()]
    assert max(sizes) / min(sizes) < 1.02


def test_the_passages_may_come_from_the_part_that_tests():
    xs = TASKS["moby_dick"].load(0, 10).test.xs
    text = dependence.test_text()
    first = "".join(dependence.alphabet()[k] for k in xs[0])
    assert text.startswith(first) and len(text) % dependence.LONGEST == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sensitivity_is_what_a_small_step_of_the_input_does(family):
    """The gradient's norm is the steepest slope: no random direction is steeper, its own reaches it."""
    net, at = net_of(recorded()[family]).double(), len(TEXT) - 1
    norms, probabilities = sensitivity(net, TEXT, at)
    number = dependence.alphabet().index(TEXT[at])
    xs = torch.tensor([dependence.alphabet().index(c) for c in TEXT[:at]])
    vectors = net.embedding(xs).detach()

    def log_probability(moved: torch.Tensor) -> float:
        with torch.no_grad():
            states, _ = net.memory(moved[None])
            return float(net.readout(states[0, -1]).log_softmax(-1)[number])

    assert np.exp(log_probability(vectors)) == pytest.approx(probabilities[number])
    for place in (at - 1, at - 4):
        slopes = []
        for axis in torch.eye(vectors.shape[1], dtype=torch.float64):
            step = torch.zeros_like(vectors)
            step[place] = 1e-5 * axis
            slopes.append((log_probability(vectors + step) - log_probability(vectors - step)) / 2e-5)  # fmt: skip
        assert np.linalg.norm(slopes) == pytest.approx(norms[place], rel=1e-5)


def test_the_likeliest_character_is_asked_about_where_the_text_ends():
    net = net_of(recorded()["gru"])
    norms, probabilities = sensitivity(net, TEXT, len(TEXT))
    likeliest = dependence.alphabet()[probabilities.argmax()]
    assert np.array_equal(norms, sensitivity(net, TEXT, len(TEXT), likeliest)[0])


@pytest.mark.parametrize("at", [0, len(TEXT) + 1])
def test_a_place_without_a_past_is_refused(at):
    with pytest.raises(ValueError, match=f"place {at} of {len(TEXT)} characters"):
        sensitivity(net_of(recorded()["rnn"]), TEXT, at)


@pytest.mark.parametrize(
    ("norms", "wanted"),
    [((1, 1, 1, 1), 2), ((0, 0, 5), 1), ((9, 0, 1), 3), ((3,), 1), ((0, 0), 0)],
)
def test_where_half_lies_by_hand(norms, wanted):
    assert within(np.array(norms, float)) == wanted


def test_where_nine_tenths_lie_is_no_nearer_than_half():
    half, ninety = dependence.reach(net_of(recorded()["lstm"]), (0.5, 0.9), count=5)
    assert 1 <= half <= ninety <= 64
    assert within(np.array([1.0, 2.0, 7.0]), 0.9) == 2


def test_a_passage_that_cannot_be_shown_is_refused():
    for text, at in (("a", 1), ("ab", 0), ("a" * 66, 3), ("caf\u00e9", 2)):
        with pytest.raises(ValueError, match="'mine'"):
            live_depends.depends_data([{"title": "mine", "text": text, "at": at}])
