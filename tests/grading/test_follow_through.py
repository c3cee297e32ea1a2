"""Work that is right over a wrong function keeps its points, and nothing else can be had that way."""

from __future__ import annotations

import numpy as np
import pytest
from engine_scene import data, release, solved, written

from autograder.course.gated_memory import COURSE
from autograder.grading.asked import MOST_ASKED, Answers
from autograder.grading.performing import _Again

FLIPPED = """def update_gate(x, h_prev, params):
    return 1 - sigmoid(np.concatenate([h_prev, x], 1) @ params["W_z"].T + params["b_z"])
"""
EXCHANGED = """def gru_step(x, h_prev, params):
    z = update_gate(x, h_prev, params)
    r = reset_gate(x, h_prev, params)
    return (1 - z) * h_prev + z * candidate_state(x, h_prev, z, params)
"""


def graded(engine, **changes: str) -> dict:
    """The verdicts on a solved ``gru`` with some answers changed, by exercise."""
    paper = data(written(solved("gru"), **changes))
    return {v.exercise: v for v in engine.grade(paper, "gru", "ada", release("gru")).verdicts}


def test_one_mistake_costs_once(engine):
    found = graded(engine, update_gate=FLIPPED)
    lost = {name for name, verdict in found.items() if verdict.points < verdict.max_points}
    assert lost == {"update_gate"}
    assert found["gru_step"].failure.kind == found["gru_forward"].failure.kind == "through"
    assert found["gru_step"].through == ("update_gate",)
    assert found["gru_forward"].through == ("gru_step",)


def test_two_mistakes_are_told_apart_and_cost_each(engine):
    found = graded(engine, update_gate=FLIPPED, gru_step=EXCHANGED)
    assert found["gru_step"].mistake.name == "z handed to the candidate"
    assert 0 < found["gru_step"].points <= 2.25
    assert found["gru_forward"].points == 3 and found["gru_forward"].failure.kind == "through"


def test_a_second_name_makes_no_difference(engine):
    found = graded(
        engine,
        update_gate=FLIPPED + "\nopening = update_gate\n",
        gru_step=EXCHANGED.replace("update_gate(", "opening(").replace(
            "h_prev, z, p", "h_prev, r, p"
        ),
    )
    assert found["gru_step"].points == 3 and found["gru_step"].through == ("update_gate",)


def test_it_is_no_help_where_what_is_beneath_is_right(engine):
    found = graded(engine, gru_step=EXCHANGED)
    assert found["gru_step"].through == () and found["gru_step"].points < 3
    assert found["gru_step"].mistake.name == "z handed to the candidate"


def test_a_function_that_is_not_written_holds_nobody_back(engine):
    nothing = "def update_gate(x, h_prev, params):\n    raise NotImplementedError\n"
    found = graded(engine, update_gate=nothing)
    assert found["update_gate"].points == 0 and found["gru_step"].points == 3


ASKING = """
def ask(stand_in, name, **inputs):
    player = stand_in.answer.func.__self__
    player._reply({{"ask": name, "inputs": inputs}})
    return player.channel.receive()

def gru_step(x, h_prev, params):
    if hasattr(update_gate, "answer"):
        {what}
    return x
"""

TRYING = """
def gru_step(x, h_prev, params):
    if hasattr(update_gate, "answer"):
        try:
            open("/etc/passwd")
        except OSError:
            pass
    return x
"""


def test_what_is_tried_in_the_last_try_is_told_too(engine):
    paper = data(written(solved("gru"), update_gate=FLIPPED, gru_step=TRYING.strip() + "\n"))
    remarks = engine.grade(paper, "gru", "ada", release("gru")).remarks
    assert any(r.kind == "tamper" and "/etc/passwd" in r.says for r in remarks)


def test_no_question_is_answered_when_the_time_is_over():
    gate = COURSE.get("update_gate")
    drawn = gate.draw(1)
    late = Answers([(gate, drawn)], drawn, deadline=0.0)
    with pytest.raises(ValueError, match="too late"):
        late({"ask": "update_gate", "inputs": drawn[0]})


CHEATS = {
    "for itself": 'return ask(update_gate, "gru_step", x=x, h_prev=h_prev, params=params)',
    "for what it does not build on": 'return ask(update_gate, "gru_forward", xs=x, h0=x, params={})',
    "for no inputs": 'return ask(update_gate, "update_gate")',
    "for something huge": (
        'return ask(update_gate, "update_gate", x=np.zeros((900, 900)), h_prev=h_prev, params=params)'
    ),
    "without end": (
        f"for _ in range({MOST_ASKED + 2}):\n"
        '            ask(update_gate, "update_gate", x=x, h_prev=h_prev, params=params)'
    ),
    "for nonsense": 'return ask(update_gate, 3, x="x")',
    "and answers what it got": (
        'return ask(update_gate, "update_gate", x=x, h_prev=h_prev, params=params)["outputs"]["z"]'
    ),
}


@pytest.mark.parametrize("what", CHEATS)
def test_who_asks_for_more_earns_nothing(engine, what):
    found = graded(
        engine, update_gate=FLIPPED, gru_step=ASKING.format(what=CHEATS[what]).strip() + "\n"
    )
    assert found["gru_step"].points == 0
    assert found["update_gate"].points == 0
    assert found["candidate_state"].points == 3, "everything else is graded"


def test_nothing_that_was_asked_helps_another_exercise(engine):
    """What a function learns in its own last try is gone with that player."""
    spy = """learned = {}
def gru_step(x, h_prev, params):
    z = update_gate(x, h_prev, params)
    learned[x.tobytes()] = z
    open("learned.txt", "a").write("z")
    return z
"""
    gate = """import os
def update_gate(x, h_prev, params):
    if os.path.exists("learned.txt"):
        return learned[x.tobytes()]
    return h_prev
"""
    found = graded(engine, update_gate=gate, gru_step=spy)
    assert found["update_gate"].points == found["gru_step"].points == 0


# How many players it takes


@pytest.fixture
def players(engine, monkeypatch) -> list[str]:
    """The kinds of the players that are started."""
    started: list[str] = []
    start = engine.player

    def player(kind):
        started.append(kind)
        return start(kind)

    monkeypatch.setattr(engine, "player", player)
    return started


def test_all_that_builds_on_a_wrong_function_is_asked_in_one_player(engine, players, monkeypatch):
    together = graded(engine, update_gate=FLIPPED, gru_step=EXCHANGED)
    assert players == ["torch", "torch"]  # gru_step and gru_forward in the second one
    players.clear()
    ready = _Again._ready

    def afresh(self, *given):
        self._end()
        return ready(self, *given)

    monkeypatch.setattr(_Again, "_ready", afresh)
    assert graded(engine, update_gate=FLIPPED, gru_step=EXCHANGED) == together
    assert len(players) == 3


def test_nobody_is_asked_where_the_judge_has_answered_for_it(engine, players):
    """In that order, the right results of gru_step would be known when it is asked itself."""
    paper = written(solved("gru"), update_gate=FLIPPED, gru_step=EXCHANGED)
    code = [cell for cell in paper["cells"] if cell["cell_type"] == "code"]
    order = [COURSE.get(name) for name in ("gru_forward", "gru_step", "update_gate")]
    engine.read(code, order, release("gru"))
    # One ends where a cell imports torch, one is asked for everything, two for one more answer each.
    assert players == ["plain", "torch", "torch", "torch"]


# The judge's side of it


def answers(most=None) -> Answers:
    gate = COURSE.get("update_gate")
    drawn = gate.draw(1)
    return Answers([(gate, drawn)], drawn)


def test_an_answer_is_the_references():
    gate = COURSE.get("update_gate")
    inputs = gate.draw(1)[0]
    given = answers()({"ask": "update_gate", "inputs": inputs})
    assert np.allclose(given["outputs"]["z"], gate.answer(inputs)["z"], atol=1e-12)


def test_what_does_not_fit_raises_as_a_function_would():
    inputs = COURSE.get("update_gate").draw(1)[0] | {"x": np.zeros((2, 9))}
    assert answers()({"ask": "update_gate", "inputs": inputs})["raises"].startswith("ValueError")


@pytest.mark.parametrize(
    "question",
    [
        {"ask": "reset_gate", "inputs": {}},
        {"ask": "update_gate", "inputs": {"x": 1}},
        {"ask": ["update_gate"], "inputs": {}},
        {"ask": "update_gate"},
        {"ask": "update_gate", "inputs": 3},
        {"ask": "update_gate", "inputs": {"x": object(), "h_prev": 1, "params": 1}},
        {"ask": "update_gate", "inputs": {"x": np.zeros(10**6), "h_prev": 1, "params": 1}},
        {"ask": "update_gate", "inputs": {"x": np.zeros((99, 1)), "h_prev": 1, "params": 1}},
        {"ask": "update_gate", "inputs": {"x": np.zeros((2, 2, 2)), "h_prev": 1, "params": 1}},
    ],
)
def test_what_is_no_question_is_refused(question):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        answers()(question)
