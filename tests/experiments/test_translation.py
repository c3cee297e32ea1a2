"""Number words, their split, and what is measured of a sentence."""

import hashlib

import pytest

from experiments import translation
from experiments.translation import CHOOSING, END, FEW, GERMAN, PAD, TESTED, english, german, pieces
from experiments.translator import distance, sentences


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "null"), (1, "eins"), (12, "zwölf"), (16, "sechzehn"), (17, "siebzehn"), (21, "einundzwanzig"),
        (30, "dreißig"), (66, "sechsundsechzig"), (77, "siebenundsiebzig"), (101, "einhunderteins"),
        (1001, "eintausendeins"), (101_001, "einhunderteinstausendeins"), (1_000_000, "eine Million"),
        (2_000_021, "zwei Millionen einundzwanzig"), (101_000_000, "einhunderteins Millionen"),
    ],
)  # fmt: skip
def test_german_by_hand(number, words):
    assert german(number) == words


def test_german_is_what_num2words_says():
    """The digest is that of ``num2words(n, lang="de")`` of version 0.5.14, one line a number."""
    numbers = [*range(30_000), *range(0, 10**6, 97), *range(10**6, 10**9, 654_321)]
    said = "\n".join(map(german, numbers)).encode()
    assert hashlib.sha256(said).hexdigest() == DIGEST


DIGEST = "0abae04462ed258b6ababdfe62f978a42e115b9107b1d0762b221e9902f0373a"


@pytest.mark.parametrize("number", [-1, 10**9])
def test_other_numbers_are_refused(number):
    with pytest.raises(ValueError, match="not between 0 and 999,999,999"):
        german(number)


def test_pieces_lose_nothing_and_hundred_is_not_cut_at_its_und():
    assert pieces("einhunderteinundzwanzig") == ["ein", "hundert", "ein", "und", "zwan", "zig"]
    for number in (*range(2001), *range(2001, 10**6, 1237)):
        found = pieces(german(number))
        assert "".join(found) == german(number) and set(found) <= set(GERMAN.spoken)
        assert len(found) < translation.STEPS


def test_a_sentence_goes_into_numbers_and_back():
    part = GERMAN.part([("23", pieces("dreiundzwanzig"))], 6, 14)
    assert part.xs.tolist() == [[3, 4, 0, 0, 0, 0]] and part.lengths.tolist() == [2]
    row = part.ys[0].tolist()
    assert row[4] == END and set(row[5:]) == {PAD}
    assert GERMAN.said(row) == ["drei", "und", "zwan", "zig"]
    assert GERMAN.said([END, 5]) == []


@pytest.mark.parametrize("longest", [5, 6])
def test_no_number_is_in_two_parts_and_lengths_are_as_told(longest):
    split = translation.numbers(longest, 3, 3000)
    rows = [
        {tuple(row) for row in part.xs.tolist()}
        for part in (split.train, split.validation, split.test)
    ]
    assert [len(mine) for mine in rows] == [3000, sum(CHOOSING[d] for d in CHOOSING if d <= longest), sum(TESTED.values())]  # fmt: skip
    assert not rows[0] & rows[1] and not rows[0] & rows[2] and not rows[1] & rows[2]
    trained = split.train.lengths.bincount(minlength=7)[1:].tolist()
    assert trained[:3] == list(FEW.values()) and (trained[5] == 0) == (longest == 5)
    assert split.test.lengths.bincount()[2:].tolist() == list(TESTED.values())


def test_the_test_part_is_the_same_for_every_seed_and_the_training_part_is_not():
    first, second = (translation.numbers(6, seed, 3000) for seed in (0, 1))
    assert first.test.xs.equal(second.test.xs) and not first.train.xs.equal(second.train.xs)
    first, second = (translation.sounds(seed, 4000) for seed in (0, 1))
    assert first.test.ys.equal(second.test.ys) and not first.train.ys.equal(second.train.ys)


def test_words_that_test_are_the_files_own():
    split = translation.sounds(0, 4000)
    table = translation.spellings()
    assert len(split.test) == (table["split"] == "test").sum() == 2000
    words = table[table["split"] == "test"]
    for row in (0, 1, 1999):
        assert english().said(split.test.ys[row].tolist()) == words["phones"].iloc[row].split()
        assert split.test.lengths[row] == len(words["word"].iloc[row])


def test_numbers_that_never_train_have_their_length():
    for digits in (7, 8, 9):
        assert {len(str(number)) for number in translation.unseen(digits)} == {digits}


@pytest.mark.parametrize(
    ("first", "second", "edits"), [("", "", 0), ("abc", "abc", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)]
)  # fmt: skip
def test_edit_distance_by_hand(first, second, edits):
    assert distance(first, second) == distance(second, first) == edits


def test_a_sentence_ends_at_its_end():
    import torch

    assert sentences(torch.tensor([[5, 6, END, 7], [5, 6, 7, 8]])) == [[5, 6], [5, 6, 7, 8]]
