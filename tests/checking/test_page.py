"""Cells of a page, run as the page's worker runs them."""

import json
import subprocess
import sys

import numpy as np
import pytest
from IPython.lib.pretty import pretty

from autograder.checking import page

WRONG = """\
import numpy as np
from autograder import check
def rnn_step(x, h_prev, params):
    return np.tanh(np.concatenate([h_prev, x], 1) @ params["W_h"].T - params["b_h"])
check(rnn_step)
"""


@pytest.fixture
def session():
    return page.Session()


def ran(session: page.Session, *sources: str) -> list[dict]:
    cells = [{"id": f"cell {k}", "source": source} for k, source in enumerate(sources, 1)]
    return json.loads(page.run(session, json.dumps(cells), lambda name, text: None))


def error(session: page.Session, *sources: str) -> dict:
    return ran(session, *sources)[-1]["error"]


def test_cells_share_their_names_and_the_last_line_is_shown(session):
    first, second, third = ran(session, "x = 3", "x + 4", "x + 4;")
    assert first["shown"] is None
    assert second["shown"] == {"kind": "text", "value": "7"}
    assert third["shown"] is None


def test_what_is_printed_is_passed_on_as_it_comes_and_kept(session):
    heard = []
    cells = [{"id": "a", "source": "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)"}]
    (result,) = json.loads(
        page.run(session, json.dumps(cells), lambda name, text: heard.append((name, text)))
    )
    assert "".join(text for _, text in heard) == result["printed"] == "1\n2\n3\n"
    assert {name for name, _ in heard} == {"a"}


def test_a_loop_that_prints_is_cut_and_says_so(session):
    (result,) = ran(session, "for n in range(200_000):\n    print(n)\n'done'")
    assert result["shown"]["value"] == "'done'"
    assert len(result["printed"]) < page.KEPT + 100
    assert result["printed"].endswith("not shown.\n")


def test_the_first_cell_that_fails_is_the_last_that_runs(session):
    results = ran(session, "a = 1", "1 / 0", "b = 2")
    assert [bool(result["error"]) for result in results] == [False, True]
    assert "b" not in session.names


def test_a_verdict_is_shown_as_its_card(session):
    (result,) = ran(session, WRONG)
    assert result["shown"]["kind"] == "html"
    assert (
        "gm-verdict" in result["shown"]["value"]
        and "the equation adds it" in result["shown"]["value"]
    )


@pytest.mark.parametrize(
    "source",
    [
        "class Own:\n    def _repr_html_(self): return '<script>1</script>'\nOwn()",
        "class Own:\n    def __repr__(self): raise ValueError\nOwn()",
    ],
)
def test_a_readers_own_object_is_shown_as_text(session, source):
    (result,) = ran(session, source)
    assert result["shown"]["kind"] == "text" and "Own" in result["shown"]["value"]
    assert "script" not in result["shown"]["value"]


@pytest.mark.parametrize(
    "value",
    [(1, 2), (np.eye(2), np.zeros(3)), [0.123456789] * 12, (np.eye(3), [np.ones((2, 2)), "a"]), (np.eye(2),), 3.5, ((1, 2), "long " * 20)],
    ids=str,
)  # fmt: skip
def test_values_look_as_in_jupyter(value):
    assert page.shown(value)["value"] == pretty(value)


def test_an_error_tells_the_readers_lines_only(session):
    told = error(
        session, "import json\ndef read(text):\n    return json.loads(text)", "\nread('{')"
    )
    assert told["name"] == "JSONDecodeError"
    assert told["trace"].splitlines() == [
        "cell 2, line 2", "    read('{')", "cell 1, line 3, in read", "    return json.loads(text)",
        f"JSONDecodeError: {told['message']}",
    ]  # fmt: skip
    assert (told["cell"], told["line"]) == ("cell 1", 3)


def test_a_line_that_is_no_python_is_pointed_at(session):
    told = error(session, "x = 1\ny = (x +\n")
    assert (told["name"], told["cell"], told["line"]) == ("SyntaxError", "cell 1", 2)
    assert told["trace"].startswith("line 2\n") and "^" in told["trace"]


def test_a_deep_recursion_is_told_shortly(session):
    told = error(session, "def f(n): return f(n + 1)\nf(0)")
    assert told["name"] == "RecursionError" and len(told["trace"].splitlines()) < 30
    assert "lines like these" in told["trace"]


@pytest.mark.parametrize(
    "source, name",
    [("raise SystemExit(3)", "SystemExit"), ("raise KeyboardInterrupt", "KeyboardInterrupt"), ("raise ExceptionGroup('a', [ValueError()])", "ExceptionGroup")],
)  # fmt: skip
def test_nothing_that_is_raised_ends_the_session(session, source, name):
    assert error(session, source)["name"] == name
    assert ran(session, "1")[0]["shown"]["value"] == "1"


def test_commands_for_jupyter_are_passed_over_where_they_stand(session):
    (result,) = ran(
        session, "try:\n    import nothing_here\nexcept ImportError:\n    %pip install x\n!ls\n5"
    )
    assert result["shown"]["value"] == "5"


def test_a_continued_line_may_begin_like_a_command(session):
    (result,) = ran(session, 'print("%d of %d"\n      % (1, 2))')
    assert result["printed"] == "1 of 2\n"


def test_a_cell_is_compiled_as_in_jupyter(session):
    """Nothing of how this course's own modules are compiled is passed on to it."""
    assert error(session, "def f(x: ndarray): return x")["name"] == "NameError"


def test_what_a_browser_lacks_may_be_tried(session, monkeypatch):
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    (result,) = ran(session, "try:\n    import torch\nexcept ImportError:\n    torch = None\n1")
    assert result["shown"]["value"] == "1"
    told = error(session, "import sqlite3")
    assert told["message"].startswith("sqlite3 does not exist in a browser")


ALONE = """\
import json, sys
sys.modules["torch"] = sys.modules["matplotlib"] = None
import importlib.util
found = importlib.util.find_spec
def without(name, *rest):
    return None if name.partition(".")[0] in ("torch", "matplotlib", "IPython") else found(name, *rest)
importlib.util.find_spec = without
from autograder.checking import page
session = page.begin()
cells = [{"id": f"cell {k}", "source": source} for k, source in enumerate(json.loads(sys.stdin.read()))]
print(page.run(session, json.dumps(cells), lambda name, text: None))
"""


def alone(*sources: str) -> list[dict]:
    """Run where neither torch nor Matplotlib nor IPython is, as in a browser."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE], input=json.dumps(sources), capture_output=True, text=True, check=True
    )  # fmt: skip
    return json.loads(done.stdout)


def test_it_needs_neither_torch_nor_matplotlib_nor_ipython():
    (result,) = alone(WRONG)
    assert result["error"] is None and "the equation adds it" in result["shown"]["value"]


@pytest.mark.parametrize(
    "source",
    ["import torch", "def f():\n    from torch.nn import GRU", "import matplotlib.pyplot as plt"],
)
def test_what_does_not_exist_in_a_browser_is_said_at_once(source):
    (result,) = alone(source)
    assert result["error"]["name"] == "ModuleNotFoundError"
    assert "does not exist in a browser" in result["error"]["message"]
    assert "Jupyter" in result["error"]["message"]


def test_display_prints():
    (result,) = alone("from IPython.display import display\ndisplay(3)\ndisplay('a', (1, 2))")
    assert result["printed"] == "3\n'a'\n(1, 2)\n"


def test_markup_is_shown_as_jupyter_shows_it_and_the_page_makes_it_harmless():
    (result,) = alone("from IPython.display import HTML\nHTML('<b>one</b>')")
    assert result["shown"] == {"kind": "html", "value": "<b>one</b>"}


def test_nobody_can_be_asked_and_main_is_the_session():
    asked, module, names = alone("x = 1", "import __main__\n__main__.x", "input('name?')")
    assert module["shown"]["value"] == "1"
    assert "cannot ask on this page" in names["error"]["message"]
