"""Every attack on the engine: nothing gained, nothing harmed, and the next student graded.

Stock nbgrader takes seconds for each; its half of the comparison is made by ``compare.py``, and
three attacks here prove that the scene and the attacks are real.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import attack_runs
import numpy as np
import pytest
from attack_corpus import CORPUS, UNTOLD, Attack
from attack_corpus.libraries import LIBRARIES
from attack_corpus.resources import OWN_PROCESSES
from attack_scene import Scene
from attacked_course import TOKEN, build_template
from compare import RESULTS, most

from autograder.checking.judge import judge
from autograder.course import gated_memory
from autograder.grading.workers import close_engine, grade_in_worker

NAMES = [attack.name for attack in CORPUS]

NOBODY_IS_TOLD_OF = {name for names in UNTOLD.values() for name in names}


@pytest.fixture(scope="module")
def template():
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        Path(folder).chmod(0o755)
        yield build_template(Path(folder) / "template")


@pytest.fixture(scope="module", autouse=True)
def _one_engine():
    """The engine of this process stays from attack to attack, and ends with this file."""
    yield
    close_engine()


@pytest.mark.parametrize("attack", CORPUS, ids=NAMES)
def test_an_attack_gains_nothing_and_harms_nobody(attack, template):
    outcome = attack_runs.engine(attack, template)
    assert outcome.ended == "graded"
    if attack.limit:
        succeeds = outcome.points > 0 or outcome.damage
        assert succeeds, "the engine stops this now: take the limit out of its record"
    else:
        assert outcome.damage == ()
        assert outcome.points == 0
        # A function of the attack that gives up is one that is not written, too.
        said = {"not written" if kind == "unfinished" else kind for kind in outcome.kinds}
        assert said & attack.engine_says, sorted(outcome.kinds)
    if attack.name not in NOBODY_IS_TOLD_OF:
        assert outcome.told, "the instructor is told, or the page on security says why not"
    next_student = attack_runs.grade_honest()
    assert next_student.points == next_student.max_points
    assert not next_student.needs_look


def test_nothing_outlives_the_engine(template, monkeypatch):
    stays = Attack("", "", "", cells=(OWN_PROCESSES, "detached(lambda: time.sleep(20))"))
    close_engine()
    with Scene(template) as scene:
        monkeypatch.setenv(TOKEN, scene.token)
        paper = scene.hand_in(stays).read_bytes()
        grade_in_worker(attack_runs.settings("lstm"), "mallory", paper)
        assert scene.survivors(), "the engine's own processes are found by their environment"
        close_engine()
        assert scene.survivors() == []


# The scene sees what it should


def test_an_untouched_notebook_is_no_attack(template):
    outcome = attack_runs.engine(Attack("", "", ""), template)
    assert (outcome.points, outcome.damage) == (0, ())
    assert outcome.kinds == {"not written"}


def test_what_an_attack_says_of_itself_is_heard_through_the_engine(template):
    boast = Attack("", "", "", cells=("print('HARM: none really')",))
    assert attack_runs.engine(boast, template).damage == ("none really",)


QUICK = {
    "A tag on every check": (21, ()),
    "The gradebook": (0, ("changed other students' grades",)),
    "A network connection": (0, ("was connected to a port",)),
}


@pytest.mark.stock
@pytest.mark.parametrize("name", QUICK)
def test_the_same_attack_succeeds_against_stock_nbgrader(name, template):
    attack = next(attack for attack in CORPUS if attack.name == name)
    outcome = attack_runs.stock(attack, template, most(attack))
    assert (outcome.points, outcome.damage) == QUICK[name]


# The records


def test_the_corpus_is_as_large_as_promised():
    assert len(CORPUS) >= 40
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("attack", CORPUS, ids=NAMES)
def test_a_story_is_one_sentence(attack):
    assert re.fullmatch(r"[^\n]+[^.]\.", attack.story)
    assert not re.search(r"[.!?] [A-Z]", attack.story.replace("`", ""))


@pytest.mark.parametrize("attack", CORPUS, ids=NAMES)
def test_the_code_of_an_attack_is_python(attack):
    """Else an attack would fail for no merit of the engine."""
    from IPython.core.inputtransformer2 import TransformerManager

    if attack.name in ("A cell of five million lines", "Code too deep to read"):
        return
    sources = [*attack.cells, *attack.answers.values(), attack.answer.replace("NAME", "name")]
    sources += [text for name, text in attack.files.items() if name.endswith(".py")]
    for source in sources:
        compile(TransformerManager().transform_cell(source), attack.name, "exec")


def test_the_published_comparison_holds_exactly_this_corpus():
    """After a change: python tests/attacks/compare.py --missing"""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["attacks"]
    told = [(row["name"], row["family"], row["story"], row["limit"]) for row in rows]
    assert told == [(a.name, a.family, a.story, a.limit) for a in CORPUS]
    silent = [row["name"] for row in rows if not row["engine"]["told"]]
    assert set(silent) == NOBODY_IS_TOLD_OF
    for row in rows:
        succeeds = row["engine"]["points"] > 0 or row["engine"]["damage"] != []
        assert row["stock"] and succeeds == bool(row["limit"]), row["name"]


ALONE = {
    "In another process, started before": "forks, which a test that has threads should not",
    "In a Python of its own": "needs seconds for each of its many calls",
    "Keras": "is not installed",
    "ONNX Runtime": "computes in float32, too coarse for full points",
    "GRULayer is nn.GRU": "is recognized by its modules, however it was called",
    "The engine with gates of other operations": "overflows for large inputs; 7.2 of 8 points",
}


@pytest.mark.parametrize(
    "attack", [a for a in LIBRARIES if a.name not in ALONE], ids=lambda attack: attack.name
)
def test_a_library_would_give_the_right_answer(attack, monkeypatch):
    """Where nobody watches, these attacks earn full points: it is the watch that stops them."""
    import torch

    for owner, name in (
        (torch.library.Library, "impl"),
        (torch.overrides.TorchFunctionMode, "__enter__"),
        (torch.overrides.TorchFunctionMode, "__exit__"),
        (torch, "gru_cell"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # put back what is replaced
    names = {"__name__": "__main__", "np": np, "torch": torch, "nn": torch.nn}
    for cell in attack.cells:
        exec(cell, names)
    ((name, answer),) = attack.answers.items()
    exec(answer, names)
    exercise = replace(gated_memory.COURSE.get(name), refuse=frozenset())
    verdict = judge(exercise, lambda drawn: exercise.play(names[name], drawn))
    assert verdict.passed, verdict
