"""Tests of the tests: what earns full marks, what loses points, and what it is called."""

import importlib
import json
import os
import random
import re
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.checking.answers import PUBLIC_SEED
from autograder.checking.catalogue import TABLE, Row, as_json, audit
from autograder.checking.judge import judge
from autograder.course.exercises import ASSIGNMENTS
from autograder.course.gated_memory import COURSE

EXERCISES = [exercise for group in ASSIGNMENTS.values() for exercise in group]
RIGHT = {
    name: answers
    for assignment in ASSIGNMENTS
    for name, answers in importlib.import_module(f"right_answers.{assignment}").RIGHT.items()
}
SECRET = 20_260_722
# How many more seeds the catalogue is tried at; a seed takes about 15 s of processor time.
MORE_SEEDS = [
    random.Random(n).getrandbits(64) for n in range(int(os.environ.get("MISTAKE_SEEDS", "2")))
]
TABLE_TEXT = (Path(__file__).parents[2] / TABLE).read_text(encoding="utf-8")
SHOWN = {
    name: list(rows)
    for name, rows in groupby(
        (Row(**entry) for entry in json.loads(TABLE_TEXT)), attrgetter("exercise")
    )
}
seeds = st.integers(min_value=0, max_value=2**64 - 1)


def verdict(exercise, code, seed=PUBLIC_SEED):
    return judge(exercise, lambda drawn: exercise.play(code, drawn), seed)


def names(exercise):
    return exercise.name


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_five_differently_written_right_answers_earn_full_marks(exercise):
    assert len(RIGHT[exercise.name]) >= 5
    for code in RIGHT[exercise.name]:
        for seed in (PUBLIC_SEED, SECRET):
            found = verdict(exercise, code, seed)
            assert found.passed, found
            assert found.points == exercise.points
            assert found.failure is None and found.mistake is None


def is_one_to_one(rows):
    """Fail unless each mistake loses points, is called by its name, and behaves as no other."""
    for row in rows:
        assert row.caught, f"{row.mistake} earns all points"
        assert row.also == (), f"{row.mistake} cannot be told from {row.also}"
        assert row.named == row.mistake


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_every_mistake_is_named_and_confused_with_no_other(exercise):
    """At the public seed, at which the table on the site shows what is found."""
    rows = audit(exercise)
    titles = [mistake.name for mistake in exercise.mistakes]
    assert [row.mistake for row in rows] == titles and len(titles) >= 5
    assert len(set(titles)) == len(titles)
    is_one_to_one(rows)
    assert as_json(rows) == as_json(SHOWN[exercise.name]), "stale; run: autograder mistakes"


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
@pytest.mark.parametrize("seed", MORE_SEEDS)
def test_so_it_is_at_other_seeds(exercise, seed):
    is_one_to_one(audit(exercise, seed))


def test_mistakes_that_cannot_be_told_apart_are_found():
    """One of two names of the same function, and a right answer that is called a mistake."""
    exercise = COURSE.get("update_gate")
    first, *others = exercise.mistakes
    twin = replace(first, name="the same by another name")
    right = replace(first, name="no mistake at all", wrong=RIGHT[exercise.name][0])
    rows = audit(replace(exercise, mistakes=(first, *others, twin, right)))
    assert rows[0].also == (twin.name,) and rows[0].named == first.name
    assert rows[-2].also == (first.name,) and rows[-2].named == first.name
    assert [row.mistake for row in rows if not row.caught] == [right.name]
    is_one_to_one(rows[1:-2])


@given(seed=seeds)
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_a_right_answer_is_right_for_every_seed(exercise, seed):
    assert verdict(exercise, RIGHT[exercise.name][0], seed).passed


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_an_exercise_that_is_not_written_earns_nothing(exercise):
    cell = {}
    exec(f"def {exercise.name}(*args, **kwargs):\n    raise NotImplementedError", cell)
    found = verdict(exercise, cell[exercise.name])
    assert (found.points, found.failure.kind) == (0, "not written")


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_a_record_is_complete(exercise):
    assert exercise.points > 0
    assert exercise.signature.startswith(exercise.name)
    assert exercise.equation and exercise.why_tolerance
    assert len(exercise.hints) >= 2
    known = {part for part, _ in exercise.parts}
    assert {probe.part for probe in exercise.probes} - {None} <= known
    assert len({probe.name for probe in exercise.probes}) == len(exercise.probes) >= 3
    for mistake in exercise.mistakes:
        assert mistake.says.endswith("."), mistake.name
        assert mistake.section.label and mistake.section.chapter


@pytest.mark.parametrize("exercise", EXERCISES, ids=names)
def test_the_same_seed_draws_the_same_probes_and_another_draws_others(exercise):
    one, same, other = (exercise.draw(seed) for seed in (1, 1, 2))
    assert repr(one) == repr(same)
    if exercise.examine:
        assert not any(one)  # a report is asked for with nothing in hand
    else:
        assert repr(one) != repr(other)


@given(seed=seeds)
@settings(max_examples=50, deadline=None)
def test_probes_leave_no_mistake_a_place_to_hide(seed):
    """Different sizes, states and biases away from zero, in the general family of gru_step."""
    exercise = COURSE.get("gru_step")
    index = [probe.name for probe in exercise.probes].index("general")
    drawn = exercise.draw(seed)[index]
    (B, D), H = drawn["x"].shape, drawn["h_prev"].shape[1]
    assert len({B, D, H}) == 3 and min(B, D, H) > 1
    assert np.abs(drawn["h_prev"]).min() >= 0.2
    assert min(np.abs(drawn["params"][f"b_{gate}"]).min() for gate in "zrh") >= 0.3


def test_two_mistakes_at_once_are_told_by_part():
    """Unknown as a whole, but each part tried alone behaves like a known mistake."""
    from autograder.course.exercises.shared.wrong import affine, join, sigmoid

    def two_mistakes(x, h_prev, params):
        z = sigmoid(join(x, h_prev) @ params["W_z"].T + params["b_z"])
        h_cand = np.tanh(affine(h_prev, x, params, "h"))
        return (1 - z) * h_prev + z * h_cand

    found = verdict(COURSE.get("gru_step"), two_mistakes)
    assert found.mistake is None
    assert [suspicion.name for suspicion in found.suspicions] == [
        "in the update gate: input and state in the wrong order",
        "in the candidate: reset gate not applied",
    ]
    off = {probe.part for probe in found.probes if probe.part and not probe.passed}
    assert off == {"z", "r"}


def test_an_unknown_mistake_shows_the_first_part_that_is_off():
    from autograder.course.exercises.shared.wrong import affine, sigmoid

    def odd_candidate(x, h_prev, params):
        z = sigmoid(affine(h_prev, x, params, "z"))
        r = sigmoid(affine(h_prev, x, params, "r"))
        return (1 - z) * h_prev + z * np.tanh(1.01 * affine(r * h_prev, x, params, "h"))

    found = verdict(COURSE.get("gru_step"), odd_candidate)
    assert found.mistake is None and found.part == "candidate"
    assert 0 < found.points < 3


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(LookupError, match="Did you mean update_gate"):
        COURSE.get("upate_gate")


def test_the_table_on_the_site_has_all_exercises_in_order():
    shown = [row for exercise in EXERCISES for row in SHOWN[exercise.name]]
    assert TABLE_TEXT == as_json(shown), "the table is stale; run: autograder mistakes"


def test_every_section_to_reread_exists_under_its_label_and_title():
    book = Path(__file__).parents[2] / "book"
    titles = {}
    for page in book.glob("*/*.md"):
        text = page.read_text(encoding="utf-8")
        for heading in re.finditer(r"((?:^\([\w-]+\)=\n)+)#+ (.+)$", text, re.MULTILINE):
            for label in re.findall(r"\(([\w-]+)\)=", heading[1]):
                chapter = re.search(r"^# (.+)$", text, re.MULTILINE)[1]
                titles[label] = (heading[2], chapter)
    for exercise in EXERCISES:
        for section in {exercise.section, *(mistake.section for mistake in exercise.mistakes)}:
            assert titles.get(section.label) == (section.title, section.chapter), section
