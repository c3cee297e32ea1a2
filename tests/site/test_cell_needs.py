"""What a page says of its cells: that they run in a browser, and what they build on, is true."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from site_pages import EXERCISES, NAMES

from autograder.course.exercises import ASSIGNMENTS
from autograder.material import notebooks as nb

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
from cell_needs import OTHER, missing_for, needs  # noqa: E402

WITHOUT = """\
import json, sys
NOT_THERE = ("torch", "matplotlib", "IPython", "keras", "scipy", "pandas", "experiments")
sys.modules |= dict.fromkeys(NOT_THERE)
from autograder.checking import page
said = []
for cells in json.load(sys.stdin):
    sys.modules |= dict.fromkeys(NOT_THERE)
    said.append(json.loads(page.run(page.begin(), json.dumps(cells), lambda name, text: None)))
json.dump(said, sys.__stdout__)
"""
"""Runs cells as a page's worker does, in a Python that has no more than a browser's."""


def ran(sessions: list[list[tuple[str, str]]]) -> list[list[dict]]:
    cells = [[{"id": name, "source": source} for name, source in cells] for cells in sessions]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], input=json.dumps(cells), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def pages(html) -> dict[str, BeautifulSoup]:
    """The pages that have live cells."""
    found = {}
    for name in NAMES:
        text = (html / f"{name}.html").read_text(encoding="utf-8")
        if 'id="gm-cells"' in text:
            found[name] = BeautifulSoup(text, "html.parser")
    return found


def data(page: BeautifulSoup) -> dict:
    return json.loads(page.find(id="gm-cells").string)


def test_pages_and_their_data_are_in_step(pages):
    assert set(EXERCISES) <= set(pages)
    for name, page in pages.items():
        for cell in data(page)["cells"]:
            (place,) = page.select(f".gm-n-{cell['n']}")
            if cell["role"] == "question":
                assert place.get_text().strip() == cell["source"].strip("*")
            else:
                shown = place.select_one(".cell_input pre").get_text()
                assert shown.strip("\n") == cell["source"].strip("\n"), (name, cell["n"])


def test_no_cell_of_an_assignment_is_left_out(pages):
    for name in EXERCISES:
        notebook = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
        solved = [c.id for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")]
        cells = data(pages[name])["cells"]
        assert [c["id"] for c in cells if c["role"] in ("answer", "question")] == solved
        assert sum(c["role"] == "setup" for c in cells) == 1


def test_only_the_layer_needs_torch(pages):
    lacking = {
        cell["id"]: cell["lacks"]
        for name in EXERCISES
        for cell in data(pages[name])["cells"]
        if "lacks" in cell and cell["role"] in ("answer", "check", "given")
    }
    assert lacking == dict.fromkeys(["setup-torch", "GRULayer", "check-GRULayer"], "torch")


def answers(name: str) -> dict[str, str]:
    notebook = nbformat.reads(nb.source_notebook(ROOT, name), as_version=4)
    return {cell.id: cell.source for cell in notebook.cells}


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_right_answers_get_all_points_without_torch(pages, name):
    """Every cell of an assignment that is said to run does, in the page's order."""
    cells = [c for c in data(pages[f"notebooks/{name}/{name}"])["cells"] if "lacks" not in c]
    code = [c for c in cells if c["role"] != "question"]
    right = answers(name)
    texts = [(c["id"], right[c["id"]] if c["role"] == "answer" else c["source"]) for c in code]
    (results,) = ran([texts])
    assert [r["error"] for r in results] == [None] * len(code)
    verdicts = [r["shown"]["value"] for r, c in zip(results, code, strict=True) if c["role"] == "check"]  # fmt: skip
    assert len(verdicts) == sum(not e.needs_torch for e in ASSIGNMENTS[name])
    assert all('class="gm-verdict right"' in verdict for verdict in verdicts)


def printed(place) -> str:
    """What a page shows under a cell, as text without spaces: Jupyter breaks lines elsewhere."""
    return "".join(pre.get_text() for pre in place.select(".cell_output pre"))


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_snippets_print_what_the_build_printed(pages):
    """Every snippet of a chapter that is said to run does, with what it builds on and nothing else."""
    sessions, places = [], []
    for name, page in pages.items():
        for cell in data(page)["cells"]:
            if cell["role"] == "snippet" and "lacks" not in cell:
                before = [(f"before {k}", text) for k, (_, text) in enumerate(cell["before"])]
                sessions.append([*before, ("cell", cell["source"])])
                places.append((name, page.select_one(f".gm-n-{cell['n']}")))
    assert len(sessions) >= 20
    for (name, place), results in zip(places, ran(sessions), strict=True):
        last = results[-1]
        assert last["error"] is None and last["id"] == "cell", (name, last)
        told = last["printed"] + (last["shown"]["value"] if last["shown"] else "")
        assert squeezed(told) == squeezed(printed(place)), name


def test_what_is_said_to_need_more_says_what(pages):
    said = {
        cell["lacks"] for page in pages.values() for cell in data(page)["cells"] if "lacks" in cell
    }
    assert said <= {"torch", "Keras", "Matplotlib", "files of the course", OTHER}
    assert {"torch", "Keras"} <= said


# The analysis


def before(*cells: str) -> str:
    """What the last of several cells builds on."""
    found = needs(enumerate(cells), always=())[len(cells) - 1]
    assert not found.missing
    return "\n".join(text for _, text in found.before)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["a = 1\nb = 2", "a"], "a = 1"),
        (["a = 1\na = 2", "a"], "a = 2"),
        (["a = 1\na += 2", "a"], "a = 1\na += 2"),
        (["a = {}", "a['b'] = 1", "c = 3", "a"], "a = {}\na['b'] = 1"),
        (["a = []\na.append(1)\nb = []\nb.append(2)", "a"], "a = []\na.append(1)"),
        (["import math, json", "math.pi"], "import math"),
        (["from math import pi, tau as turn", "turn"], "from math import tau as turn"),
        (["def f():\n    return g()\ndef g():\n    return 1", "f()"], "def f():\n    return g()\ndef g():\n    return 1"),
        (["def f(a):\n    b = a\n    return b\nb = 2", "f(1)"], "def f(a):\n    b = a\n    return b"),
        (["a, b = 1, 2", "[a for b in range(3)]"], "a, b = 1, 2"),
        (["for a in range(3):\n    pass", "a"], "for a in range(3):\n    pass"),
        (["from random import Random\nr = Random(0)", "x = r.random()", "r.random()"],
         "from random import Random\nr = Random(0)\nx = r.random()"),
        (["import functools\n@functools.cache\ndef f(): return 1", "f()"], "import functools\n@functools.cache\ndef f(): return 1"),
        (["a = 1", "a = 2\na"], ""),
        (["x = 1", "y = lambda: x", "x = 3", "y()"], "x = 1\ny = lambda: x\nx = 3"),
    ],
)  # fmt: skip
def test_what_a_cell_builds_on(cells, expected):
    found = before(*cells)
    if expected.startswith("x = 1\ny"):  # the later x is what counts; the earlier one does no harm
        assert found.endswith("y = lambda: x\nx = 3")
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("cells", "missing"),
    [
        (["import torch"], "torch"),
        (["import torch\na = torch.ones(2)", "a"], "torch"),
        (["from autograder.course import reference"], "torch"),
        (["from autograder.course import hand_example"], ""),
        (["import matplotlib.pyplot as plt"], "Matplotlib"),
        (["open('x')"], "files of the course"),
        (["from pathlib import Path"], "files of the course"),
        (["from experiments import tasks"], "torch"),
        (["%matplotlib inline"], OTHER),
        (["nobody_bound_this"], OTHER),
        (["import torch", "a = 1", "a"], ""),
        (["try:\n    import autograder\nexcept ModuleNotFoundError:\n    import torch", "autograder"], ""),
        (["from autograder import check"], ""),
        (["import subprocess"], OTHER),
    ],
)  # fmt: skip
def test_what_a_browser_lacks(cells, missing):
    assert needs(enumerate(cells))[len(cells) - 1].missing == missing


def test_a_module_of_the_course_is_followed_to_what_it_imports():
    assert "torch" in missing_for("autograder.course.gradient_flow")
    assert not missing_for("autograder.course.convert")
    assert not missing_for("numpy.linalg")
    assert missing_for("scipy.signal") == {"scipy"}
