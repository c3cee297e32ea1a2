"""Honest work gets its points, whatever happened to the notebook around it."""

import copy
import json
import re

import nbformat
import pytest
from engine_scene import (
    SEED,
    added,
    by_name,
    code_cell,
    data,
    full,
    kinds,
    place,
    points,
    reads_as_nbgrader_does,
    release,
    says,
    solved,
    untouched,
    without_times,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course.exercises import ASSIGNMENTS
from autograder.course.gated_memory import COURSE
from autograder.grading.engine import Engine, version
from autograder.material.papers import NO_RELEASE

NUMPY_ONLY = ("rnn", "lstm", "gradients", "bughunt")


def grade(engine, paper: dict | bytes, assignment: str = "lstm", given_out: bool = True):
    content = paper if isinstance(paper, bytes) else data(paper)
    return engine.grade(
        content, assignment, "somebody", release(assignment) if given_out else NO_RELEASE
    )


@pytest.mark.parametrize("given_out", [True, False], ids=["in a course", "alone"])
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_right_answers_get_all_points_and_none_get_none(engine, assignment, given_out):
    right = grade(engine, solved(assignment), assignment, given_out)
    assert points(right) == full(assignment)
    assert right.remarks == ()
    empty = grade(engine, untouched(assignment), assignment, given_out)
    assert points(empty) == dict.fromkeys(full(assignment), 0)
    assert empty.remarks == ()
    assert {verdict.failure.kind for verdict in empty.verdicts} == {"not written"}


def test_the_scores_stand_under_the_checks_as_nbgrader_reads_them(engine):
    paper = written(solved(), input_gate="def input_gate(x, h_prev, params):\n    return x")
    graded, kept = engine.grade_file(data(paper), "lstm", "somebody", release("lstm"))
    nbformat.validate(nbformat.from_dict(kept))
    assert dict(reads_as_nbgrader_does(kept)) == points(graded)
    assert graded.points < graded.max_points
    shown = kept["cells"][place(kept, "check-input_gate")]["outputs"][0]["text"]
    assert "input_gate: not right yet" in shown


def test_a_grade_is_the_same_for_the_same_seed_and_its_times_make_sense(engine):
    paper = written(
        solved(), lstm_step="def lstm_step(x, h_prev, c_prev, params):\n    return 1, 2"
    )
    one, two = grade(engine, paper), grade(engine, paper)
    assert without_times(one) == without_times(two)
    assert one.digest and one.version == version(COURSE, SEED, release("lstm"))
    assert 0 < sum(seconds for _, seconds in one.exercise_seconds) <= one.code_seconds
    assert one.code_seconds < one.seconds
    with Engine(COURSE, seed=SEED + 1) as other:
        assert other.version(release("lstm")) != one.version
        assert points(grade(other, solved())) == full("lstm")


# Damaged notebooks

ANSWERS = {exercise.name for exercise in ASSIGNMENTS["lstm"]}


@pytest.mark.parametrize(
    ("story", "damage"),
    [
        ("checks deleted", lambda c: None if named(c).startswith("check-") else c),
        ("checks made text", lambda c: c | {"cell_type": "markdown"} if is_check(c) else c),
        ("checks made raw", lambda c: c | {"cell_type": "raw"} if is_check(c) else c),
        ("checks give their points", lambda c: c | {"source": "26.0"} if is_check(c) else c),
        ("checks tagged", lambda c: tagged(c) if is_check(c) else c),
        ("checks worth 100", lambda c: worth(c, 100) if is_check(c) else c),
        (
            "answers made text",
            lambda c: c | {"cell_type": "markdown"} if named(c) in ANSWERS else c,
        ),
        ("all metadata lost", lambda c: c | {"metadata": {}}),
        ("metadata of nonsense", lambda c: c | {"metadata": {"nbgrader": [1, {"grade_id": 3}]}}),
        ("no ids", lambda c: {key: value for key, value in c.items() if key != "id"}),
        ("all ids the same", lambda c: c | {"id": "same"}),
        ("texts deleted", lambda c: None if c["cell_type"] == "markdown" else c),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_which_cells_survived_does_not_matter(engine, story, damage):
    paper = solved()
    damaged = [damage(copy.deepcopy(cell)) for cell in paper["cells"]]
    paper["cells"] = [cell for cell in damaged if cell is not None]
    assert points(grade(engine, paper)) == full("lstm")


def named(cell: dict) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def is_check(cell: dict) -> bool:
    return named(cell).startswith("check-")


def tagged(cell: dict) -> dict:
    cell["metadata"]["tags"] = ["skip-execution"]
    return cell


def worth(cell: dict, much: float) -> dict:
    cell["metadata"]["nbgrader"]["points"] = much
    return cell


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.data())
def test_any_damage_to_everything_but_the_answers_changes_nothing(engine, data):
    paper = solved()
    draw = data.draw
    if draw(st.booleans()):
        paper["metadata"] = draw(st.sampled_from([{}, {"kernelspec": {"name": "R"}}, [], None]))
    for _ in range(draw(st.integers(1, 12))):
        at = draw(st.integers(0, len(paper["cells"]) - 1))
        cell = paper["cells"][at]
        precious = named(cell) in ANSWERS | {"setup", "tiny-example"} or cell.get("precious")
        damage = draw(
            st.sampled_from(
                ["delete", "copy", "strip", "edit", "move", "type", "tag", "id", "kind"]
            )
        )
        if damage == "copy":
            paper["cells"].insert(at + 1, copy.deepcopy(cell))
        elif damage == "strip":
            cell["precious"] = precious
            cell["metadata"] = {}
        elif damage == "tag":
            tagged(cell)
        elif damage == "id":
            cell["id"] = draw(st.sampled_from(["same", "", "ü", 7, None, "x" * 100]))
        elif damage == "kind" and named(cell):
            worth(cell, draw(st.sampled_from([0, 100, -1, "many"])))
        elif precious:
            continue
        elif damage == "delete" and len(paper["cells"]) > 20:
            del paper["cells"][at]
        elif damage == "edit":
            cell["source"] = draw(st.sampled_from(["", "1/0", "import x", "26.0", "\0", "%%bash"]))
        elif damage == "move":
            paper["cells"].insert(draw(st.integers(0, len(paper["cells"]))), paper["cells"].pop(at))
        elif damage == "type":
            cell["cell_type"] = draw(st.sampled_from(["code", "markdown", "raw", "heading", 5]))
    graded = engine.grade(json.dumps(paper).encode(), "lstm", "somebody", release("lstm"))
    assert points(graded) == full("lstm"), says(graded)


def test_what_was_put_in_order_is_said(engine):
    paper = solved()
    del paper["cells"][place(paper, "check-sigmoid")]
    paper = written(paper, **{"check-lstm_step": "3.0"})
    graded = grade(engine, paper)
    assert points(graded) == full("lstm")
    assert kinds(graded) == {"repaired"} and not graded.needs_look
    assert "typed there ran first, then the original: check-lstm_step" in says(graded)
    assert "missing and put back: check-sigmoid" in says(graded)


# Which definition counts

WRONG = "def sigmoid(a):\n    return a\n"
RIGHT = by_name(solved())["sigmoid"]


@pytest.mark.parametrize(
    ("sources", "gained"),
    [
        ((WRONG, RIGHT), True),
        ((RIGHT, WRONG), False),
        ((RIGHT, "sigmoid = lambda a: a"), False),
        ((WRONG, RIGHT.replace("def sigmoid", "def mine") + "\nsigmoid = mine"), True),
        ((RIGHT, "del sigmoid"), True),  # its check was put back above
        ((RIGHT, "sigmoid = 0.5"), False),
        ((RIGHT, "sigmoid = None"), False),
        ((WRONG, "if True:\n    " + RIGHT.replace("\n", "\n    ")), True),
        ((RIGHT, "def sigmoid(a):\n    return a)"), True),
    ],
)
def test_the_last_definition_counts(engine, sources, gained):
    *others, last = (exercise.name for exercise in ASSIGNMENTS["lstm"])
    paper = {"nbformat": 4, "cells": [code_cell("import numpy as np"), *map(code_cell, sources)]}
    graded = grade(engine, paper)
    assert (points(graded)["sigmoid"] == full("lstm")["sigmoid"]) is gained
    assert points(graded)[last] == 0


def test_an_answer_may_be_written_and_used_anywhere(engine):
    """All functions in one cell at the end, as people do who work in a file."""
    sources = by_name(solved())
    names = [exercise.name for exercise in ASSIGNMENTS["lstm"]]
    setup = re.sub(r"^# Run.*?\n", "", sources["setup"])
    one = "\n\n".join([setup, *(sources[name] for name in reversed(names))])
    assert points(grade(engine, added(untouched(), one))) == full("lstm")
    paper = untouched()
    paper["cells"] = [cell for cell in paper["cells"] if named(cell) not in ANSWERS]
    assert points(grade(engine, added(paper, one, before="check-sigmoid"))) == full("lstm")
    assert points(grade(engine, added(paper, one))) == full("lstm")
    paper["cells"] = [code_cell(one)]
    assert points(grade(engine, paper)) == full("lstm")


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline",
        "%%time\nx = 1",
        "!pip install numpy",
        "%pip install numpy",
        "x = !ls",
        "sigmoid?",
        "from IPython.display import display, HTML\ndisplay(HTML('<b>hello</b>'))",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "await __import__('asyncio').sleep(0)",
        "input('your name? ')",
        "print('grün ✓ 🎉 \\ud800')",
        "'\\ud800'",
        "raise ValueError('\\ud800')",
        "raise type('\\ud800', (Exception,), {})()",
        "1/0",
        "def broken(:",
        "import pandas",
        "from autograder import check\ncheck(print)\ncheck(3)\ncheck()",
        "class Liar:\n    __repr__ = lambda self: 1/0\nLiar()",
        "class Odd(Exception):\n    __str__ = lambda self: 1/0\nraise Odd",
        "get_ipython().run_line_magic('who', '')",
        "globals().clear()",
    ],
)
def test_a_cell_of_any_kind_costs_nothing_else(engine, source):
    graded = grade(engine, added(solved(), source, before="setup"))
    assert points(graded) == full("lstm"), says(graded)
    graded.to_json().encode()


# Libraries

WITH_TORCH = """\
import torch


def sigmoid(a):
    return torch.sigmoid(torch.as_tensor(a, dtype=torch.float64)).numpy()[()]
"""
LATE = WITH_TORCH.replace("import torch\n", "").replace(
    "    return", "    import torch\n    return"
)


@pytest.mark.parametrize("source", [WITH_TORCH, LATE], ids=["at once", "when called"])
def test_elementary_torch_is_as_good_as_numpy(engine, source):
    graded = grade(engine, written(solved(), sigmoid=source))
    assert points(graded) == full("lstm"), says(graded)
    assert graded.remarks == ()


LIBRARY_STEPS = {
    "nn": """\
    cell = torch.nn.LSTMCell(x.shape[1], h_prev.shape[1]).double()
    h, c = cell(torch.tensor(x), (torch.tensor(h_prev), torch.tensor(c_prev)))
""",
    "function": """\
    w = torch.ones(4 * h_prev.shape[1], x.shape[1], dtype=torch.float64)
    u = torch.ones(4 * h_prev.shape[1], h_prev.shape[1], dtype=torch.float64)
    h, c = torch.lstm_cell(torch.tensor(x), (torch.tensor(h_prev), torch.tensor(c_prev)), w, u)
""",
    "operator": """\
    w = torch.ones(4 * h_prev.shape[1], x.shape[1], dtype=torch.float64)
    u = torch.ones(4 * h_prev.shape[1], h_prev.shape[1], dtype=torch.float64)
    states = [torch.tensor(h_prev), torch.tensor(c_prev)]
    h, c = torch.ops.aten.lstm_cell(torch.tensor(x), states, w, u)
""",
    "scripted": """\
    cell = torch.jit.script(torch.nn.LSTMCell(x.shape[1], h_prev.shape[1]).double())
    h, c = cell(torch.tensor(x), (torch.tensor(h_prev), torch.tensor(c_prev)))
""",
    "sequence": """\
    layer = torch.nn.LSTM(x.shape[1], h_prev.shape[1]).double()
    states = torch.tensor(h_prev)[None], torch.tensor(c_prev)[None]
    _, (h, c) = layer(torch.tensor(x)[None], states)
    h, c = h[0], c[0]
""",
    "swallowed": """\
    try:
        torch.nn.LSTMCell(x.shape[1], h_prev.shape[1]).double()(torch.tensor(x))
    except BaseException:
        pass
    h, c = torch.tensor(h_prev), torch.tensor(c_prev)
""",
}


@pytest.mark.parametrize("way", LIBRARY_STEPS)
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_librarys_recurrent_layer_is_no_answer(engine, way):
    source = "import torch\n\ndef lstm_step(x, h_prev, c_prev, params):\n" + LIBRARY_STEPS[way]
    source += "    return h.detach().numpy(), c.detach().numpy()\n"
    graded = grade(engine, written(solved(), lstm_step=source))
    step = next(v for v in graded.verdicts if v.exercise == "lstm_step")
    assert (step.points, step.failure.kind) == (0, "library"), step
    assert "library's recurrent layer" in str(step)
    others = {n: p for n, p in points(graded).items() if n not in ("lstm_step", "lstm_forward")}
    assert others.items() <= full("lstm").items()


BY_AUTOGRAD = {
    "backward": "    loss.backward()\n    g = [t.grad for t in leaves]\n",
    "grad": "    g = torch.autograd.grad(loss, leaves)\n",
    "func": "    g = torch.func.grad(run, argnums=(0, 1))(*leaves)\n",
}


@pytest.mark.parametrize("way", BY_AUTOGRAD)
def test_letting_torch_differentiate_is_no_answer(engine, way):
    source = f"""\
import torch


def gru_step_backward(dh, x, h_prev, params):
    p = {{k: torch.tensor(v) for k, v in params.items()}}

    def run(x, h):
        z = torch.sigmoid(torch.cat([h, x], 1) @ p["W_z"].T + p["b_z"])
        r = torch.sigmoid(torch.cat([h, x], 1) @ p["W_r"].T + p["b_r"])
        n = torch.tanh(torch.cat([r * h, x], 1) @ p["W_h"].T + p["b_h"])
        return (((1 - z) * h + z * n) * torch.tensor(dh)).sum()

    leaves = [torch.tensor(a, requires_grad=True) for a in (x, h_prev)]
    loss = run(*leaves)
{BY_AUTOGRAD[way]}
    return g[0].numpy(), g[1].numpy(), {{k: 0 * v for k, v in params.items()}}
"""
    graded = grade(engine, written(solved("gradients"), gru_step_backward=source), "gradients")
    step = next(v for v in graded.verdicts if v.exercise == "gru_step_backward")
    assert (step.points, step.failure.kind) == (0, "autograd"), step


def test_a_call_takes_no_longer_than_it_may(strict):
    source = "def sigmoid(a):\n    while True:\n        pass"
    graded = grade(strict, {"nbformat": 4, "cells": [code_cell(source)]})
    verdict = graded.verdicts[0]
    assert verdict.failure.kind == "timeout" and "1 seconds" in verdict.failure.headline
    assert 0.9 < dict(graded.exercise_seconds)["sigmoid"] < 5
