"""What a player notices: where it was, in whose words, and whether a person has to look."""

from __future__ import annotations

import pytest
from engine_scene import added, data, full, points, release, solved, written

from autograder.course.gated_memory import COURSE
from autograder.grading.noticed import remarks_on
from autograder.grading.stage import Tried, _tried
from autograder.material.remarks import LOOK, NOTICED

SIGMOID = COURSE.get("sigmoid")


def noticed(engine, *sources: str) -> list[tuple[str, str]]:
    """The remarks on these cells, as kind and sentence."""
    remarks = engine.run(sources, [SIGMOID]).remarks
    return [(remark.kind, remark.says) for remark in remarks]


LOOKED_AT = {
    "a course's file": ("open('../../solutions/lstm.py')", "tried to open /solutions/lstm.py"),
    "a gradebook": ("open('/data/gradebook.db', 'r+')", "tried to open /data/gradebook.db"),
    "a submission": ("open('../submitted/ada/x.txt')", "tried to open /submitted/ada/x.txt"),
    "proc": ("open('/proc/self/maps')", "tried to open /proc/self/maps"),
    "etc": ("open('/etc/passwd')", "tried to open /etc/passwd"),
    "a home": ("open('/home/ada/.ssh/id_rsa')", "tried to open /home/ada/.ssh/id_rsa"),
    "the package": (f"open({__file__.partition('/tests')[0] + '/autograder/cli.py'!r})", "open"),
    "memory": ("import gc\ngc.get_objects()", "tried to search the memory of its process"),
    "a C library": ("import ctypes\nctypes.CDLL(None)", "tried to load a C library"),
    "a fork": ("import os\nos.fork()", "tried to start another process"),
    "a program": ("import subprocess\nsubprocess.run(['ls'])", "tried to start another program"),
    "network": (
        "import socket\nsocket.create_connection(('127.0.0.1', 9))",
        "tried to open a network connection",
    ),
    "a packet": (
        "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "tried to open a network connection",
    ),
    "moving": ("import os\nos.rename('/submitted/zoe', 'x')", "tried to move /submitted/zoe"),
    "removing": ("from pathlib import Path\nPath('/data/secret_seed.txt').unlink()", "to remove"),
    "a date": ("import os\nos.utime('/submitted/zoe/x', (1, 1))", "tried to change /submitted/zoe"),
    "a folder": ("import os\nos.listdir('/submitted/zoe')", "tried to list /submitted/zoe"),
    "a look around": ("import os\nos.listdir('/proc')", "tried to list /proc"),
    "a database": (
        "import sqlite3\nsqlite3.connect('/data/gradebook.db')",
        "tried to open /data/gradebook.db",
    ),
    "limits": (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))",
        "tried to change what a process may use",
    ),
    "an audit hook": ("import sys\nsys.addaudithook(lambda *a: None)", "to install a hook"),
    "dice": ("import numpy as np\nnp.random.default_rng = None", "replaced numpy.random.default"),
    "a judge": (
        "import sys, types\nsys.modules['autograder.checking'] = types.ModuleType('mine')",
        "replaced the module autograder.checking",
    ),
    "imports": (
        "import sys\nclass F:\n    def find_spec(self, *a): pass\nsys.meta_path.insert(0, F())",
        "replaced how Python imports",
    ),
    "cells": ("get_ipython().run_code = print", "replaced IPython's run_code"),
    "results": (
        "type(get_ipython().displayhook).__call__ = print",
        "replaced what IPython keeps in displayhook",
    ),
    "a callback": (
        "get_ipython().events.register('pre_run_cell', lambda info: None)",
        "replaced what IPython keeps in pre_run_cell",
    ),
    "numpy": ("import numpy as np\nnp.allclose = lambda *a: True", "replaced numpy.allclose"),
    "its algebra": (
        "import numpy as np\nnp.linalg.norm = lambda *a: 0",
        "replaced numpy.linalg.norm",
    ),
    "its testing": (
        "import numpy as np\nnp.testing.assert_allclose = print",
        "replaced numpy.testing.assert_allclose",
    ),
    "builtins": ("import builtins\nbuiltins.sorted = list", "replaced builtins.sorted"),
    "deleted": ("import builtins\ndel builtins.reversed", "replaced builtins.reversed"),
    "torch": ("import torch\ntorch.gru_cell = torch.add", "replaced torch.gru_cell"),
    "a tensor": ("import torch\ntorch.Tensor.sum = None", "replaced torch.Tensor.sum"),
    "a layer": ("import torch\ntorch.nn.Linear = None", "replaced torch.nn.Linear"),
    "a function": (
        "import torch\ntorch.nn.functional.relu = None",
        "replaced torch.nn.functional.relu",
    ),
    "the check": ("import autograder\nautograder.grade = print", "replaced autograder.grade"),
    "a module": (
        "import sys, types\nsys.modules['numpy.linalg'] = types.ModuleType('mine')",
        "replaced the module numpy.linalg",
    ),
    "a trace": ("import sys\nsys.settrace(lambda *a: None)", "replaced the trace function"),
    "a profile": ("import sys\nsys.setprofile(lambda *a: None)", "replaced the profile function"),
    "IPython": (
        "get_ipython().input_transformers_post.append(lambda lines: lines)",
        "replaced what IPython keeps in input_transformers_post",
    ),
}


@pytest.mark.parametrize("what", LOOKED_AT)
def test_what_no_solution_has_a_use_for_asks_for_a_look_and_names_the_cell(engine, what):
    source, says = LOOKED_AT[what]
    ((kind, said),) = noticed(engine, "x = 1", source, "y = 2")
    assert kind == "tamper" and said.startswith("Cell 2 ") and says in said, said


NOT_LOOKED_AT = {
    "a file of data": ("open('data.csv')", "looked for data.csv"),
    "a file in a folder": ("open('data/x.npz')", "looked for data/x.npz"),
    "a file beside": ("open('../data/x.npz')", "looked for /data/x.npz"),
    "a file at home": ("open('/home/ada/Downloads/data.csv')", "looked for /home/ada/Downloads"),
    "a file of numpy's": ("import numpy as np\nnp.load('w.npy')", "looked for w.npy"),
    "writing elsewhere": ("open('/results.txt', 'w')", "wanted to write /results.txt"),
    "a folder elsewhere": (
        "import os\nos.makedirs('/figures')",
        "wanted to make the folder /figures",
    ),
    "a command": ("!ls", "runs a command of the operating system"),
    "pip": ("%pip install numpy", "runs a command of the operating system"),
    "a package": ("import pandas as pd", "asked for the package pandas"),
    "the course": ("import autograder.course.reference", "imported autograder.course.reference"),
    "an own check": ("def check(function):\n    return 0.0", "has a check of its own"),
    "an own grade": ("grade = 3", "has a grade of its own"),
}


@pytest.mark.parametrize("what", NOT_LOOKED_AT)
def test_habits_of_honest_notebooks_are_noticed_and_ask_for_nothing(engine, what):
    source, says = NOT_LOOKED_AT[what]
    ((kind, said),) = noticed(engine, "x = 1", source, "y = 2")
    assert kind == NOTICED and kind not in LOOK
    assert said.startswith("Cell 2 ") and says in said, said


NOTHING = [
    "import numpy as np\nnp.float = float\nnp.int = int\nnp.bool8 = bool",
    "import numpy as np\nnp.random.seed(0)\nnp.set_printoptions(precision=3)\nnp.seterr(all='raise')",
    "import matplotlib.pyplot as plt\nplt.rcParams['figure.dpi'] = 50\nplt.plot([1, 2])\nplt.show()",
    "from autograder import check, grade\nverdict = check(print)",
    "import torch\ntorch.manual_seed(0)\ntorch.set_default_dtype(torch.float64)",
    "import torch.nn.functional as F, torch.optim, torch.utils.data\ntorch.nn.Linear(2, 3)",
    "open('notes.txt', 'w').write('x')\nopen('notes.txt').read()",
    "import tempfile\nwith tempfile.TemporaryFile() as file:\n    file.write(b'x')",
    "import warnings\nwarnings.filterwarnings('ignore')\nimport logging\nlogging.warning('x')",
    "import importlib, numpy\nimportlib.reload(numpy.linalg)",
    "import typing, dataclasses, unittest, json, pickle, sqlite3, email.mime.audio, doctest",
    "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()",
    "import asyncio\nasyncio.new_event_loop().close()",
    "import asyncio\nasync def f():\n    return 1\nawait f()",
    "import os, glob\nos.listdir('.')\nglob.glob('**/*.py', recursive=True)\nos.makedirs('plots')",
    "import os, pathlib\nos.makedirs('a/b')\npathlib.Path('a/x').touch()\nos.remove('a/x')",
    "import collections, inspect\ncollections.namedtuple('P', 'x y')\ninspect.stack()",
    "import logging\nlogging.basicConfig()\nlogging.getLogger('x').warning('y')",
    "import numpy as np\nnp.random.seed(1)\nnp.random.default_rng(1).normal()",
    "import sqlite3\nsqlite3.connect(':memory:')\nsqlite3.connect('mine.db')",
    "import matplotlib.font_manager as m\nm.findfont('DejaVu Sans')",
    "%precision 3\n%matplotlib inline\nget_ipython().ast_node_interactivity = 'all'",
    "1 / 0",
    "def f(:",
    "%load_ext autoreload\n%autoreload 2",
    "%prun 1 + 1",
    "len = 3\nprint = None",
    "assert False, 'x'",
]


@pytest.mark.parametrize("source", NOTHING)
def test_ordinary_work_is_not_remarked_on(engine, source):
    assert noticed(engine, source, "import numpy as np") == []


def test_what_an_answer_tries_names_the_exercise(engine):
    source = "def sigmoid(a):\n    return open('/etc/passwd').read()"
    graded = engine.grade(data(written(solved(), sigmoid=source)), "lstm", "", release("lstm"))
    said = [(remark.kind, remark.says) for remark in graded.remarks]
    assert ("tamper", "Calling sigmoid, it tried to open /etc/passwd.") in said
    assert points(graded)["sigmoid"] == 0


def test_a_place_is_said_once_and_accusations_stand_alone():
    tried = [
        Tried("tried to open /a", 4, True),
        Tried("looked for b", 4, False),
        Tried("tried to start another program", 4, True),
        Tried("replaced len", None, True),
        Tried("tried to open /a", 4, True),
    ]
    assert [(remark.kind, remark.says) for remark in remarks_on(tried)] == [
        ("tamper", "Cell 5 tried to open /a; tried to start another program."),
        (NOTICED, "Cell 5 looked for b."),
        ("tamper", "It replaced len."),
    ]


@pytest.mark.parametrize(
    "thing",
    [None, "x", [], ["x"], ["x", 1], ["x", 1, 1], ["x", -1, True], ["x", True, True], [3, 1, True]]
    + [["x", 1.5, True], ["x", 2**40, True], {"what": "x"}, ["x", [1], True], ["x", 1, True, 2]],
)
def test_a_player_cannot_tell_what_is_no_remark(thing):
    assert _tried(thing) is None


def test_of_each_sort_no_more_is_kept_than_a_person_reads(engine):
    source = "for n in range(60):\n    try:\n        open(f'x{n}.csv')\n    except OSError:\n        pass"
    last = "try:\n    open('/etc/passwd')\nexcept OSError:\n    pass"
    (one, other) = noticed(engine, source, last)
    assert one[1].count("looked for") == 20
    assert other == ("tamper", "Cell 2 tried to open /etc/passwd.")


MEASURE = """\
import sys, time
frame = sys._getframe()
while 'noticed' not in frame.f_locals:
    frame = frame.f_back
player, noticed = frame.f_locals['self'], frame.f_locals['noticed']
start = time.perf_counter()
noticed.compare(player.before, player.session.names)
print(time.perf_counter() - start)
"""


@pytest.mark.parametrize("first", ["", "import torch\n"], ids=["plain", "torch"])
def test_a_compared_library_costs_next_to_nothing(engine, first):
    """In a fresh player, in which every page that is written has to be copied."""
    runs = [engine.run([first + MEASURE], [SIGMOID]) for _ in range(3)]
    assert min(float(run.outputs[0][0]["text"]) for run in runs) < 0.002


def test_a_change_that_is_taken_back_is_none(engine):
    source = "import numpy as np\nkept = np.exp\nnp.exp = None\nnp.exp = kept\nnp.new = 1"
    assert noticed(engine, source) == []


def test_an_honest_paper_with_habits_keeps_its_points_and_needs_no_look(engine):
    cells = ["!pip install numpy", "import numpy as np\nnp.float = float", "open('data.csv')"]
    graded = engine.grade(
        data(added(solved(), *cells, before="setup")), "lstm", "", release("lstm")
    )
    assert points(graded) == full("lstm")
    assert {remark.kind for remark in graded.remarks} == {NOTICED}
    assert not graded.needs_look


def test_the_cell_is_the_one_that_replaced_it_not_one_that_uses_it(engine):
    paper = added(solved(), "np.tanh = None")
    code = [cell for cell in paper["cells"] if cell["cell_type"] == "code"]
    graded = engine.grade(data(paper), "lstm", "somebody", release("lstm"))
    assert f"Cell {len(code)} replaced numpy.tanh." in [remark.says for remark in graded.remarks]
