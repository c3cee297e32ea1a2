"""No accident that happens to a right notebook costs its student a point, on either path."""

from __future__ import annotations

import copy
import json

import accident_runs as runs
import pytest
from accident_corpus import CORPUS, PAPERS, QUESTION, RIGHT, Accident, as_given, complete
from engine_scene import added, code_cell, data, place, release, solved, untouched, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

IDS = [accident.name for accident in CORPUS]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return runs.build(tmp_path_factory.mktemp("accidents"))


@pytest.fixture(scope="module")
def by_nbgrader(course, tmp_path_factory):
    return runs.graded_by_nbgrader(runs.copy_of(course, tmp_path_factory.mktemp("nbgrader")))


@pytest.fixture(scope="module")
def by_engine(course, by_nbgrader):
    return runs.graded_by_engine(course)


@pytest.mark.parametrize("student", runs.STUDENTS, ids=IDS)
def test_an_accident_costs_nothing(by_engine, student):
    found = by_engine[student]
    assert (found.points, found.answered) == (runs.FULL, True), found.says
    assert not found.look, found.says


@pytest.mark.parametrize("student", runs.STUDENTS, ids=IDS)
def test_both_paths_say_the_same(by_engine, by_nbgrader, student):
    assert by_nbgrader[0][student] == by_engine[student]


def test_nbgrader_ends_well(by_nbgrader):
    _, status, said = by_nbgrader
    assert status == 0, said


def test_the_page_shows_what_happens(by_engine):
    rows = json.loads(runs.RESULTS.read_text(encoding="utf-8"))["accidents"]
    assert [row["name"] for row in rows] == IDS, "run tests/accidents/compare.py"
    for row, found in zip(rows, by_engine.values(), strict=True):
        now = {"points": found.points, "answered": found.answered, "look": found.look}
        assert row["now"] == now and row["done"] == list(found.says), row["name"]


def test_what_is_done_for_a_student_never_sounds_like_an_accusation(by_engine):
    accusing = ("tamper", "tried to", "cheat", "attack", "suspicious", "forbidden", "illegal")
    for found in by_engine.values():
        assert not any(word in says.lower() for says in found.says for word in accusing), found.says


MILD = [accident for accident in PAPERS if accident.name != "fifty megabytes of output"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(MILD), min_size=2, max_size=2, unique_by=lambda a: a.name))
def test_two_accidents_cost_no_more_than_one(engine, pair):
    paper = complete()
    for accident in pair:
        try:
            paper = accident.change(paper)
        except (LookupError, StopIteration):  # the first left the second nothing to happen to
            return
    found = runs.of(engine.grade(data(paper), "gru", "somebody", release("gru")))
    assert (found.points, found.answered, found.look) == (runs.FULL, True, False), found.says


# What the readings must not do


def test_a_wrong_paper_stays_wrong_in_every_reading(engine):
    wrong = RIGHT["update_gate"].replace("return ", "return 1 - ")
    paper = added(written(solved("gru"), update_gate=wrong), "np = np", before="GRULayer")
    graded = engine.grade(data(paper), "gru", "somebody", release("gru"))
    assert len(graded.readings) > 1
    assert graded.verdicts[0].points < graded.verdicts[0].max_points


def test_an_untouched_paper_earns_nothing_and_its_question_is_not_answered(engine):
    graded = engine.grade(data(untouched("gru")), "gru", "somebody", release("gru"))
    assert graded.points == 0 and dict(graded.written)[QUESTION] is False


def test_a_written_answer_that_nobody_can_find_waits_for_a_person(engine):
    paper = complete()
    paper["cells"][place(paper, QUESTION)] = as_given(QUESTION)
    cell = {"cell_type": "markdown", "id": "far", "metadata": {}, "source": "See my notes, please."}
    paper["cells"].insert(2, cell)
    graded = engine.grade(data(paper), "gru", "somebody", release("gru"))
    assert dict(graded.written)[QUESTION] is None


def test_guesses_hidden_in_readings_gain_nothing(engine):
    """A wrong report, a right one above the check, and the wrong one again: readings differ."""
    paper = copy.deepcopy(untouched("bughunt"))
    graded = engine.grade(data(paper), "bughunt", "honest", release("bughunt"))
    name = graded.verdicts[0].exercise
    right = solved("bughunt")
    good = right["cells"][place(right, name)]
    guess = "def NAME():\n    return 'correct', *REPORT".replace("NAME", name)
    first = written(paper, **{name: guess.replace("*REPORT", "None, None, None")})
    first = added(first, "".join(good["source"]), before=f"check-{name}")
    first = added(first, guess.replace("*REPORT", "None, None, None"))
    hidden = engine.grade(data(first), "bughunt", "hides", release("bughunt"))
    alone = added(written(paper, **{name: guess.replace("*REPORT", "None, None, None")}))
    shown = engine.grade(data(alone), "bughunt", "shows", release("bughunt"))
    assert len(hidden.readings) > 1, "the good one is asked for where its check stands"
    assert hidden.verdicts[0].points == shown.verdicts[0].points
    best = engine.grade(data(right), "bughunt", "right", release("bughunt"))
    assert best.verdicts[0].points > hidden.verdicts[0].points


def test_the_notebook_of_another_assignment_is_no_grade(engine):
    graded = engine.grade(data(solved("rnn")), "gru", "somebody", release("gru"))
    assert "no notebook of gru" in graded.no_grade
    own = {"nbformat": 4, "cells": [code_cell("def hello():\n    return check(update_gate)")]}
    assert not engine.grade(data(own), "gru", "somebody", release("gru")).no_grade
    assert not engine.grade(data(untouched("gru")), "gru", "somebody", release("gru")).no_grade


def test_readings_share_the_time_of_one_submission(engine, monkeypatch):
    monkeypatch.setattr("autograder.grading.engine.SUBMISSION_SECONDS", 0.0)
    paper = added(solved("gru"), "sigmoid = 3")
    graded = engine.grade(data(paper), "gru", "somebody", release("gru"))
    assert len(graded.readings) == 1


def test_an_accident_is_what_it_says():
    """Each accident changes the file that a right solution is."""
    plain = Accident("", "").change(complete())
    for accident in PAPERS:
        assert accident.change(complete()) != plain, accident.name
