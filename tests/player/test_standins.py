"""What a notebook needs of its course, its files and IPython is there in grading, or stands in."""

from __future__ import annotations

import os

import pytest
from engine_scene import added, data, full, points, release, says, solved, written

from autograder.course.gated_memory import COURSE
from autograder.grading.engine import Engine

SIGMOID = COURSE.get("sigmoid")


def shown(engine, *sources: str) -> list[str]:
    """What each cell printed, gave or raised."""
    outputs = engine.run(sources, [SIGMOID]).outputs
    return ["".join(map(_text, outputs[number])) for number in range(len(sources))]


def _text(output: dict) -> str:
    data = output.get("data", {}).get("text/plain", "")
    return output.get("text") or data or f"{output['ename']}: {output['evalue']}"


def grade(engine, paper: dict, assignment: str = "lstm"):
    return engine.grade(data(paper), assignment, "somebody", release(assignment))


LOOKS = [
    "assert check(print).passed",
    "assert check(print)",
    "assert check(print).points == check(print).max_points",
    "assert check(print).points > 2 and check(print).points <= 3",
    "assert sum([check(print).points, check(len).points]) == 26",
    "assert sum(check(f) for f in (print, len)) >= 5",
    "assert float(check(print)) == 0.0 and round(check(print).points) == 0",
    "print(check(print), grade(print), f'{check(print).points:.1f} of {check(3).max_points:g}')",
    "assert check(print).failure is None and check(print).mistake is None",
    "for probe in check(print).probes: print(probe.name)",
    "print(check(print, 'sigmoid', course='gated-memory').notes, check(print).to_dict())",
    "total = 0\nfor f in (print, len):\n    total += check(f).points\nassert total == 7",
]


@pytest.mark.parametrize("source", LOOKS)
def test_what_a_check_gave_can_be_looked_at(engine, source):
    first = "from autograder import check, grade\n"
    assert "Error" not in shown(engine, first + source + "\nprint('on')")[0]


def test_a_check_claims_no_knowledge(engine):
    assert shown(engine, "from autograder import *\ncheck(print)") == [
        "This check is made after the notebook has run."
    ]


IMPORTS = [
    "from autograder import convert",
    "import autograder.convert",
    "import autograder.course.convert as c",
    "from autograder import reference",
    "from autograder.course import reference, convert",
    "from autograder.course.reference import sigmoid as theirs",
    "import autograder\nautograder.course.reference.sigmoid",
    "from autograder.checking.judge import judge",
]


@pytest.mark.parametrize("source", IMPORTS)
def test_the_courses_own_modules_can_be_imported_and_nobody_is_accused(engine, source):
    paper = added(solved(), f"{source}\nprint('on')", before="setup")
    graded = grade(engine, paper)
    assert points(graded) == full("lstm"), says(graded)
    assert not graded.needs_look
    assert shown(engine, f"{source}\nprint('on')") == ["on\n"]


CALLS = {
    "the function": "from autograder.course import reference\n"
    "def sigmoid(a):\n    return reference.sigmoid(a)",
    "behind an except": "from autograder import convert\n"
    "def sigmoid(a):\n    try:\n        return convert.convert(a)\n    except Exception:\n        return a",
    "itself": "from autograder.course.reference import sigmoid",
    "imported late": "def sigmoid(a):\n    import autograder.course.reference as r\n    return r.f(a)",
    "something of it": "from autograder.course import reference\n"
    "def sigmoid(a):\n    return reference.TABLE['sigmoid'] + a",
    "a check": "from autograder import check\ndef sigmoid(a):\n    return check(sigmoid).points + a",
}


@pytest.mark.parametrize("way", CALLS)
def test_an_answer_that_calls_them_is_told_so(engine, way):
    verdict = engine.run([CALLS[way]], [SIGMOID]).verdicts["sigmoid"]
    assert (verdict.points, verdict.failure.kind) == (0, "course"), verdict
    assert "which is not there when your notebook is graded" in str(verdict)


def test_a_cell_that_calls_them_says_why_it_ends(engine):
    says = shown(engine, "from autograder import convert\nconvert.convert({}, 'a', 'b')")[0]
    assert "autograder.convert.convert is not there when your notebook is graded" in says


def test_a_missing_package_is_named_in_the_cell_and_on_the_card(engine):
    cells = ["import numpy as np, scipy.special\nx = 1", "def sigmoid(a):\n    return scipy.x(a)"]
    performance = engine.run(cells, [SIGMOID])
    (error,) = performance.outputs[0]
    assert (error["ename"], error["evalue"]) == ("ModuleNotFoundError", "No module named 'scipy'")
    failure = performance.verdicts["sigmoid"].failure
    assert (failure.kind, "the package scipy" in failure.headline) == ("package", True)
    lost = engine.run(["import pandas\ndef sigmoid(a):\n    return a"], [SIGMOID])
    assert lost.verdicts["sigmoid"].failure.kind == "package"


# Files, magics, compilers


def test_a_module_that_a_cell_writes_is_imported_by_the_next(engine):
    right = shown(engine, "%%writefile helper.py\ndef f(a):\n    return 2 * a", "import helper")
    assert right == ["Writing helper.py\n", ""]
    for way in ("%%writefile helper.py\nx = 1", "open('helper.py', 'w').write('x = 1')"):
        cells = ["import sys\ntry:\n    import helper\nexcept ImportError:\n    print('no')"]
        assert shown(engine, *cells, way, "import helper\nprint(helper.x)")[2] == "1\n"
    performance = engine.run(["open('helper.py', 'w').write('x = 1')\nimport helper"], [SIGMOID])
    assert performance.remarks == []


def test_what_is_printed_to_nowhere_costs_nothing(engine):
    source = (
        "import contextlib, os\nimport numpy as np\ndef sigmoid(a):\n"
        "    with open(os.devnull, 'w') as file, contextlib.redirect_stdout(file):\n"
        "        print(a)\n"
    )
    answer = written(solved(), sigmoid=source + RIGHT)
    graded = grade(engine, answer)
    assert points(graded) == full("lstm"), says(graded)
    assert graded.remarks == ()


RIGHT = """\
    a = np.asarray(a, dtype=np.float64)
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, e) / (1.0 + e)
"""

COMPILED = {
    "decorated": "@torch.compile\ndef sigmoid(a):\n" + RIGHT,
    "with options": "@torch.compile(mode='max-autotune', dynamic=True)\ndef sigmoid(a):\n" + RIGHT,
    "called": "def mine(a):\n" + RIGHT + "sigmoid = torch.compile(mine)",
    "a module": "def sigmoid(a):\n" + RIGHT + "l = torch.nn.Linear(1, 1)\nl.compile()\n"
    "torch.compile(l)(torch.ones(1))",
}


@pytest.mark.parametrize("way", COMPILED)
def test_what_is_compiled_does_the_same_and_starts_no_compiler(engine, way):
    performance = engine.run(["import numpy as np, torch\n" + COMPILED[way]], [SIGMOID])
    assert performance.verdicts["sigmoid"].passed, performance.verdicts["sigmoid"]
    assert performance.remarks == [] and performance.code_seconds < 3


MAGICS = [
    "!pip install numpy",
    "!!ls",
    "files = !ls",
    "%pip install numpy",
    "%conda install numpy",
    "%system ls",
    "%sx ls",
    "%matplotlib inline",
    "%matplotlib widget",
    "%load_ext autoreload",
    "%load_ext autoreload\n%autoreload 2",
    "%load_ext line_profiler",
    "%lprun -f f f(1)",
    "%config InlineBackend.figure_format = 'retina'",
    "%timeit -n 1 -r 1 1 + 1",
    "%prun 1 + 1",
    "%who",
    "%precision 3",
    "%env HOME",
]


@pytest.mark.parametrize("source", MAGICS)
def test_a_line_of_ipythons_own_neither_ends_its_cell_nor_accuses(engine, source):
    performance = engine.run([source + "\nprint('on')"], [SIGMOID])
    assert "on\n" in performance.outputs[0][0]["text"], performance.outputs
    assert {remark.kind for remark in performance.remarks} <= {"noticed"}


CELL_MAGICS = ["%%bash\nls", "%%sh\nls", "%%python3\nx", "%%script perl\nx", "%%html\n<b>x</b>"]
CELL_MAGICS += ["%%time\nx = 1", "%%capture\nx = 1", "%%timeit -n 1 -r 1\nx = 1", "%%sql\nselect x"]


@pytest.mark.parametrize("source", CELL_MAGICS)
def test_a_cell_of_ipythons_own_raises_nothing_and_accuses_nobody(engine, source):
    performance = engine.run([source], [SIGMOID])
    assert not [o for o in performance.outputs[0] if o["output_type"] == "error"]
    assert {remark.kind for remark in performance.remarks} <= {"noticed"}


def test_what_stands_under_an_unknown_clock_is_defined(engine):
    cell = "%%memit\nimport numpy as np\ndef sigmoid(a):\n" + RIGHT
    assert engine.run([cell], [SIGMOID]).verdicts["sigmoid"].passed


@pytest.fixture
def with_a_course_on_the_path(confined, monkeypatch, tmp_path):
    """An engine whose processes find modules in the course's folder, as its instructor's do."""
    (tmp_path / "numpy_helpers.py").write_text("x = 1")
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{before}")
    with Engine(COURSE) as engine:
        yield engine


def test_a_course_folder_on_pythons_path_is_not_searched(with_a_course_on_the_path):
    cells = ["import numpy.testing, unittest.mock", "import sys\nprint(sys.path)"]
    cells += ["import numpy_helpers"]
    performance = with_a_course_on_the_path.run(cells, [SIGMOID])
    assert "pytest" not in performance.outputs[1][0]["text"]
    assert performance.outputs[2][0]["ename"] == "ModuleNotFoundError"
    assert [remark.kind for remark in performance.remarks] == ["noticed"]


def test_an_import_from_elsewhere_is_an_error_and_no_accusation(engine):
    graded = grade(engine, added(solved(), "from google.colab import drive", before="sigmoid"))
    assert points(graded) == full("lstm")
    assert not graded.needs_look
    assert "Cell 3 asked for the package google, which is not there in grading" in says(graded)
