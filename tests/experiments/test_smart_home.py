"""The house: what is drawn, what is kept apart, what a net is asked, and that the state goes on."""

import numpy as np
import pytest
import torch

from experiments import house, house_baselines
from experiments.house import NONE, RARE, Sentence


@pytest.fixture(scope="module")
def sentences() -> dict[str, list[Sentence]]:
    """The sentences of seed 0 with a small training part."""
    return house.said(0, 400)


def test_every_sentence_is_tagged_word_by_word(sentences):
    """As many tags as words, every answer among the labels, and a slot begins with B."""
    for sentence in (s for part in sentences.values() for s in part):
        assert len(sentence.tags) == len(sentence.words)
        assert set(sentence.answers) <= set(house.labels())
        for before, tag in zip(("O", *sentence.tags), sentence.tags, strict=False):
            assert tag[0] != "I" or before[2:] == tag[2:]


def test_a_slot_holds_what_was_filled_in():
    """The words of a name are its slot, a number lies in its range, and the rest is O."""
    source = np.random.default_rng(0)
    made = house.filled(
        "X",
        "turn {light:name} to {=warm white:color} or {30:n} now",
        {"light": ["big lamp"]},
        source,
    )
    assert made.words[:6] == ("turn", "big", "lamp", "to", "warm", "white")
    assert made.tags == ("O", "B-name", "I-name", "O", "B-color", "I-color", "O", "B-n", "O")
    assert made.named == (1, 2)
    assert made.kinds == ("light",)
    assert 1 <= int(made.words[7]) <= 30


def test_parts_share_no_template_and_no_name():
    """For any seed: three parts without overlap, and every intent and kind of name trains."""
    table = house.templates()
    for seed in (0, 1, 900):
        cast = house.cast(seed)
        of = {part: set(table["template"].iloc[rows]) for part, rows in cast.rows.items()}
        assert sum(map(len, of.values())) == table["template"].nunique()
        assert set(table["intent"].iloc[cast.rows["train"]]) == set(table["intent"])
        for kind, known in house.names().items():
            drawn = [cast.names[part][kind] for part in ("train", "choose", "test")]
            assert sorted(name for part in drawn for name in part) == sorted(known)
            assert all(drawn)


def test_what_tests_was_not_trained(sentences):
    """No sentence of the part "known" trains, and no name of the part "names" does."""
    trained = {s.words for s in sentences["train"]}
    assert not trained & {s.words for s in sentences["known"]}
    tested = house.cast(0).names["test"]
    assert all(s.named for s in sentences["names"])
    kept = {kind: {n for n in house.names()[kind]} - set(tested[kind]) for kind in tested}
    assert not set(tested["light"]) & kept["light"]


def test_a_list_takes_the_longest_name():
    """A name of two words is one name, and another word stays."""
    assert house.looked_up("open the garage door".split()) == ["open", "the", "<cover>", "<cover>"]
    assert house.looked_up("in the garage".split()) == ["in", "the", "<area>"]
    assert "floor" in house.looked_up(["garden"])[0]


def test_hiding_hides_names_and_only_names(sentences):
    """Every second training sentence has its names as unknown words; nothing else changes."""
    plain, hidden = (house.known_from(sentences["train"], form) for form in ("words", "hidden"))
    assert plain.numbers == hidden.numbers
    seen, hiding = (house.encoded(sentences["train"], known, True).xs for known in (plain, hidden))
    for row, sentence in enumerate(sentences["train"]):
        changed = (seen[row] != hiding[row]).nonzero().flatten().tolist()
        assert set(changed) <= (set(sentence.named) if row % 2 else set())
        if row % 2:
            assert (hiding[row, list(sentence.named)] == RARE).all()


def test_letters_meet_in_pieces():
    """A word is its runs of three letters, ends marked; an unknown word shares some with known ones."""
    assert house.pieces_of("tv") == ["<tv", "tv>"]
    assert house.pieces_of("a") == ["<a>"]
    assert set(house.pieces_of("lamps")) & set(house.pieces_of("lamp"))


def test_too_long_a_sentence_is_told():
    """A sentence that does not fit is an error, not a shorter sentence."""
    words = ("on",) * house.LONGEST
    with pytest.raises(ValueError, match="steps"):
        house.encoded([Sentence(words, ("O",) * len(words), "TurnOn")], house.Known("words", {}))


def test_second_turns_mean_what_the_rules_say():
    """The same intent, the opposite one, or its own; a number goes to the slot that had one."""
    for name, first, after in house.dialogues(0, 300)["train"]:
        if name == "undo":
            assert house.OPPOSITE[first.intent] == after.intent
        elif name != house.NEW:
            assert after.intent == first.intent
        if name == "number":
            assert f"B-{house.number_slot(first)}" in after.tags
        if name == "other":
            assert set(after.tags) == {"O"}


def net(two: bool, carry: bool, family: type = torch.nn.GRU) -> house.Tagger:
    """A small net with drawn weights."""
    torch.manual_seed(0)
    return house.Tagger(family, 7, 8, vocabulary=20, embedding=5, two=two, carry=carry).eval()


@pytest.mark.parametrize("family", [torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU])
def test_padding_and_what_is_behind_the_end_change_nothing(family):
    """In two directions: the answers to a sentence do not depend on how far it is padded."""
    model = net(True, False, family)
    short = torch.tensor([[3, 4, 5, 2]])
    padded = torch.nn.functional.pad(short, (0, 6))
    lengths = torch.tensor([4])
    torch.testing.assert_close(model(padded, lengths)[:, :4], model(short, lengths))


@pytest.mark.parametrize("two", [False, True])
def test_only_a_carried_state_tells_the_second_turn_of_the_first(two):
    """Another first turn changes the second one's answers if the state is carried, and else not."""
    turns = torch.tensor([[[3, 4, 2], [5, 6, 2]], [[7, 8, 2], [5, 6, 2]]])
    lengths = torch.tensor([3, 3])
    for carry in (False, True):
        answers = net(two, carry)(turns, lengths)[:, 1]
        assert torch.allclose(answers[0], answers[1]) is not carry


def test_the_direction_that_reads_backward_carries_nothing():
    """The state that goes on is zero there."""
    _, state = net(True, True).turn(torch.tensor([[3, 4, 2]]))
    assert state[0].abs().max() > 0
    assert state[1].abs().max() == 0


def test_a_sentence_is_right_only_as_a_whole():
    """One wrong tag spoils it; a step that is not asked for does not; the intent is the last answer."""
    ys = torch.tensor([[1, 2, 5, NONE], [1, 2, 5, NONE]])
    answers = torch.nn.functional.one_hot(torch.tensor([[1, 2, 5, 0], [1, 0, 5, 3]]), 6).float()
    assert house.all_right(answers, ys).tolist() == [True, False]
    assert house.intent_right(answers, ys).tolist() == [True, True]
    answers[1, 2] = answers[1, 0]
    assert house.intent_right(answers, ys).tolist() == [True, False]


def test_the_baseline_learns_what_neighbors_tell():
    """On a part of the data it beats always answering the same by far, and sees the turn before."""
    split = house.house("listed", 0, 600)
    assert house_baselines.bag_and_window(split) < 60 < house_baselines.most_frequent(split)
    turns = house.turns(0, 200)
    before = [b for b, *_ in house_baselines.read(turns.test)]
    assert all(before)
