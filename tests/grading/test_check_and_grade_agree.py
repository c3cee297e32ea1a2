"""What a check says in Jupyter is what grading says: the same points, the same failure.

Each answer is run twice, in a namespace of its own in this process, as a notebook's kernel does,
and by the engine in a confined player. Both ask the same inputs.
"""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from engine_scene import SEED, by_name, solved
from sigmoids import FIRST, FORMS, RESULTS, RIGHT, of_right

from autograder import grade
from autograder.checking import locally
from autograder.checking.judge import judge
from autograder.course.gated_memory import COURSE

SIGMOID = COURSE.get("sigmoid")
GATE = COURSE.get("forget_gate")
STEP = COURSE.get("lstm_step")
COUNT = COURSE.get("count_lstm_parameters")

DEEDS = {
    "prints": of_right("r", "print('x' * 1_000_000)"),
    "warns": of_right("r", "warnings.warn('look')"),
    "seterr": of_right("r", "np.seterr(all='ignore')"),
    "errstate": of_right("r", "with np.errstate(all='ignore'): pass"),
    "changes inputs": of_right("r", "if isinstance(a, np.ndarray): a *= 0"),
    "threads": of_right(
        "box[0]",
        "import threading",
        "box = []",
        "t = threading.Thread(target=lambda: box.append(right(a)))",
        "t.start()",
        "t.join()",
    ),
    "a file": of_right("np.load('kept.npy')[()] + 0 * r", "r = right(a)", "np.save('kept.npy', r)"),
    "a temporary file": of_right(
        "r", "import tempfile", "with tempfile.TemporaryFile() as f: f.write(b'x')"
    ),
    "devnull": of_right("r", "with open(os.devnull, 'w') as f: print(a, file=f)"),
    "a missing file": of_right("r", "open('surely/not/there.csv')"),
    "a program": of_right("r", "import subprocess", "subprocess.run(['true'])"),
    "a shell": of_right("r", "assert os.system('true') == 0"),
    "a socket": of_right("r", "import socket", "socket.socket().close()"),
    "a caught socket": of_right(
        "r", "import socket", "try: socket.socket().close()", "except OSError: pass"
    ),
    "exit": of_right("sys.exit(0)"),
    "recursion": "def sigmoid(a):\n    return sigmoid(a)",
    "memory": of_right("r + np.zeros(4_000_000)[0]"),
    "divides": of_right("r * (1 / 0)"),
    "asserts": "def sigmoid(a):\n    assert False, 'no'",
    "a global": "calls = 0\n"
    + of_right("r * (1 if calls < 3 else 2)", "global calls", "calls += 1"),
    "random": of_right("r + np.random.random()"),
    "time": of_right("r", "import time", "time.sleep(0.01)"),
}

ELSEWHERE = {
    "scipy": (
        "import scipy.special\ndef sigmoid(a):\n    return scipy.special.expit(a)",
        "package",
    ),
    "scipy by name": (
        "from scipy.special import expit\ndef sigmoid(a):\n    return expit(a)",
        "package",
    ),
    "scipy itself": ("from scipy.special import expit as sigmoid", "package"),
    "scipy in a partial": (
        "import functools\nfrom scipy.special import expit\nsigmoid = functools.partial(expit)",
        "package",
    ),
    "scipy late": (
        "def sigmoid(a):\n    from scipy.special import expit\n    return expit(a)",
        "package",
    ),
    "scipy in another function": (
        "import scipy.special as s\ndef f(a):\n    return s.expit(a)\ndef sigmoid(a):\n    return f(a)",
        "package",
    ),
    "pandas": (
        "import pandas as pd\n"
        + RIGHT
        + "def sigmoid(a):\n    return pd.Series(right(a).ravel()).to_numpy().reshape(np.shape(a))",
        "package",
    ),
    "the reference": (
        "from autograder.course import reference\n" + RIGHT + "def sigmoid(a):\n"
        "    reference.affine({}, {}, {}, a)\n    return right(a)",
        "course",
    ),
    "the answer": (
        "def sigmoid(a):\n    from autograder.course.gated_memory import COURSE\n"
        "    return COURSE.get('sigmoid').answer({'a': a})['s']",
        "course",
    ),
    "converters": (
        "from autograder import convert\n" + RIGHT + "def sigmoid(a):\n    try:\n"
        "        convert.spelling('torch')\n    except Exception:\n        pass\n    return right(a)",
        "course",
    ),
    "a drawing's function": (
        "from autograder.course.exercises.shared.wrong import sigmoid",
        "course",
    ),
    "a check": (
        "from autograder import check\n"
        + RIGHT
        + "def sigmoid(a):\n    check(right, 'sigmoid')\n    return right(a)",
        "course",
    ),
}


def in_a_kernel(source: str, exercise, tmp_path, monkeypatch):
    """The verdict of a check, on an answer that a cell defines here."""
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__main__"}
    exec(compile(FIRST + source, "<cell 1>", "exec"), names)
    code = names[exercise.name]
    if not callable(code):
        return None
    return judge(exercise, lambda drawn: locally.play(exercise, code, drawn), SEED)


def agree(engine, source: str, exercise, tmp_path, monkeypatch):
    """Run an answer both ways and compare; the verdict of grading."""
    here = in_a_kernel(source, exercise, tmp_path, monkeypatch)
    graded = engine.run([FIRST, source], [exercise]).verdicts[exercise.name]
    if here is None:
        assert graded.points == 0
        return graded
    assert here.points == graded.points, (here, graded)
    assert (here.failure and here.failure.kind) == (graded.failure and graded.failure.kind)
    named = [v.mistake and v.mistake.name for v in (here, graded)]
    assert named[0] == named[1]
    return graded


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RESULTS)
def test_whatever_an_answer_returns(engine, name, tmp_path, monkeypatch):
    graded = agree(engine, RESULTS[name], SIGMOID, tmp_path, monkeypatch)
    if name in ("right", "longdouble", "big endian", "Fortran order", "no axes", "read-only"):
        assert graded.passed, graded


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FORMS)
def test_whatever_form_an_answer_has(engine, name, tmp_path, monkeypatch):
    agree(engine, FORMS[name], SIGMOID, tmp_path, monkeypatch)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", DEEDS)
def test_whatever_an_answer_does(engine, name, tmp_path, monkeypatch):
    agree(engine, DEEDS[name], SIGMOID, tmp_path, monkeypatch)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_not_there_in_grading_is_refused_by_the_check(engine, name, tmp_path, monkeypatch):
    source, kind = ELSEWHERE[name]
    graded = agree(engine, source, SIGMOID, tmp_path, monkeypatch)
    assert (graded.points, graded.failure.kind) == (0, kind), graded
    here = in_a_kernel(source, SIGMOID, tmp_path, monkeypatch)
    assert "which is not there when your notebook is graded" in here.failure.headline


@pytest.mark.parametrize("exercise", [GATE, STEP, COUNT], ids=lambda exercise: exercise.name)
def test_other_exercises_as_well(engine, exercise, tmp_path, monkeypatch):
    cells = by_name(solved())
    gates = ("sigmoid", "forget_gate", "input_gate", "output_gate", "candidate_cell", "lstm_step")
    source = "\n\n".join(cells[name] for name in (*gates, "count_lstm_parameters"))
    assert agree(engine, source, exercise, tmp_path, monkeypatch).passed
    changed = (
        source + f"\nkept = {exercise.name}\ndef {exercise.name}(*a):\n    return kept(*a) * 1"
    )
    agree(engine, changed, exercise, tmp_path, monkeypatch)


def test_an_import_with_a_way_out_is_nobodys_mistake(engine, tmp_path, monkeypatch):
    source = RIGHT + (
        "def sigmoid(a):\n    try:\n        import surely_not_installed\n"
        "    except ImportError:\n        pass\n    return right(a)"
    )
    assert agree(engine, source, SIGMOID, tmp_path, monkeypatch).passed


def test_a_package_that_is_first_imported_in_the_answer_is_seen(tmp_path):
    program = f"""
from autograder.checking import locally
from autograder.checking.judge import judge
from autograder.course.gated_memory import COURSE
exercise = COURSE.get("sigmoid")
names = {{"__name__": "__main__"}}
exec({FIRST + ELSEWHERE["scipy late"][0]!r}, names)
print(judge(exercise, lambda d: locally.play(exercise, names["sigmoid"], d), 1).failure.headline)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "It uses the package scipy" in done.stdout, done


def test_an_import_that_is_not_used_is_no_failure(tmp_path, monkeypatch):
    source = "import pandas, scipy\nfrom autograder import convert, check\n" + of_right("r")
    assert in_a_kernel(source, SIGMOID, tmp_path, monkeypatch).passed


@pytest.mark.parametrize("name", ["sigmoid", "lstm_step"])
def test_being_watched_takes_little_of_a_checks_time(name, monkeypatch):
    names: dict = {"__name__": "__main__"}
    exec(FIRST + "\n\n".join(by_name(solved())[key] for key in WANTED), names)
    watched = locally.play

    def alone(exercise, code, drawn):
        return exercise.play(code, drawn)

    def seconds(play) -> float:
        monkeypatch.setattr(locally, "play", play)
        start = time.perf_counter()
        assert grade(names[name]).passed
        return time.perf_counter() - start

    spent = [(seconds(watched), seconds(alone)) for _ in range(60)]
    assert min(w for w, _ in spent) < 1.5 * min(a for _, a in spent) + 0.005


WANTED = ("sigmoid", "forget_gate", "input_gate", "output_gate", "candidate_cell", "lstm_step")


def test_what_a_collection_calls_is_not_the_answers():
    """A package that listens to the garbage collector is called from within the answer's frames."""
    import gc

    from hypothesis.internal import conjecture  # a package that is not there in grading

    code = compile("def listens(phase, info):\n    pass", f"{conjecture.__file__}", "exec")
    names: dict = {}
    exec(code, names)
    gc.callbacks.append(names["listens"])
    try:
        paper: dict = {"__name__": "__main__"}
        much = "def sigmoid(a):\n    for _ in range(5000):\n        x = []\n        x.append(x)\n"
        exec(FIRST + much + "    return 1 / (1 + np.exp(-a))", paper)
        assert grade(paper["sigmoid"]).why.kind not in ("package", "course")
    finally:
        gc.callbacks.remove(names["listens"])
