"""Everything that a submission can do to itself: it says so, and costs nothing else.

Each of these notebooks has every function right, and one accident. The accident is in a cell of
its own, which is then left out; or in the last function, which nothing depends on.
"""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from engine_scene import (
    COURSE,
    added,
    code_cell,
    data,
    full,
    kinds,
    points,
    release,
    says,
    solved,
    written,
)

from autograder.course.gated_memory import COURSE as GATED_MEMORY
from autograder.grading.engine import Engine
from autograder.grading.performing import KEPT_OUTPUT, MOST_RESTARTS
from autograder.grading.stage import PlayersUnavailable
from autograder.material.papers import LONGEST_CODE, MOST_CELLS

LAST = "count_lstm_parameters"


def grade(engine, paper: dict):
    return engine.grade(data(paper), "lstm", "somebody", release("lstm"))


def in_cell(engine, *sources: str):
    return grade(engine, added(solved(), *sources, before="sigmoid"))


def in_function(engine, body: str, setup: str = ""):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = f"{setup}\ndef {LAST}(input_size, hidden_size):\n{lines}"
    return grade(engine, written(solved(), **{LAST: source}))


def verdict(graded, name: str = LAST):
    return next(verdict for verdict in graded.verdicts if verdict.exercise == name)


LOOPS = {
    "plain": "while True:\n    pass",
    "swallowing": "while True:\n    try:\n        while True:\n            pass\n"
    "    except BaseException:\n        pass",
    "finally": "def again():\n    try:\n        while True:\n            pass\n"
    "    finally:\n        again()\nagain()",
    "in C": "sum(iter(int, 1))",
    "huge power": "7 ** 7 ** 12",
    "catastrophic pattern": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "signals ignored": "import signal\nfor n in range(1, 65):\n    try:\n"
    "        signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError):\n        pass\n"
    "while True:\n    pass",
    "waiting": "import threading\nthreading.Lock().__enter__()\n"
    "lock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "joining": "import threading\nt = threading.Thread(target=threading.Event().wait)\n"
    "t.start()\nt.join()",
}


@pytest.mark.parametrize(
    "loop", ["plain", "swallowing", "in C", "huge power", "catastrophic pattern", "signals ignored"]
)
def test_a_cell_that_never_ends_is_left_out(strict, loop):
    graded = in_cell(strict, LOOPS[loop])
    assert points(graded) == full("lstm"), says(graded)
    assert kinds(graded) - {"tamper"} == {"timeout"}
    assert "did not finish in time" in says(graded)
    assert graded.needs_look


@pytest.mark.parametrize(
    "loop", ["swallowing", "finally", "huge power", "catastrophic pattern", "waiting", "joining"]
)
def test_a_function_that_never_ends_costs_its_own_points(strict, loop):
    graded = in_function(strict, LOOPS[loop])
    assert points(graded) == full("lstm") | {LAST: 0}, says(graded)
    assert verdict(graded).failure.kind == "timeout"
    assert kinds(graded) - {"tamper"} == {"timeout"}


ENDS = {
    "exit": ("import os\nos._exit(0)", "exit code 0"),
    "exit with a code": ("import os\nos._exit(77)", "exit code 77"),
    "abort": ("import os\nos.abort()", "SIG"),
    "segmentation fault": ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
    "deep recursion in C": (
        "f = lambda: None\nfor _ in range(10 ** 6):\n    f = [f]\nimport ctypes\n"
        "ctypes.memset(id(f), 255, 1 << 20)",
        "SIG",
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_cell_that_ends_its_process_is_left_out(strict, end):
    source, how = ENDS[end]
    graded = in_cell(strict, source)
    assert points(graded) == full("lstm"), says(graded)
    assert "ended" in kinds(graded)
    assert "ended its process" in says(graded) and how in says(graded)


@pytest.mark.parametrize("end", ["exit", "exit with a code", "segmentation fault"])
def test_a_function_that_ends_its_process_costs_its_own_points(strict, end):
    source, how = ENDS[end]
    graded = in_function(strict, source)
    assert points(graded) == full("lstm") | {LAST: 0}, says(graded)
    assert verdict(graded).failure.kind == "ended"
    assert how in verdict(graded).failure.headline


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nsys.exit()",
        "quit()",
        "raise SystemExit(3)",
        "raise KeyboardInterrupt",
        "import _thread\n_thread.interrupt_main()\nwhile True:\n    pass",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "import os\nos.kill(1, 9)\nos.kill(-1, 9)",
        "def f():\n    return f()\nf()",
    ],
)
def test_leaving_in_an_orderly_way_is_an_error_and_nothing_more(strict, source):
    graded = in_cell(strict, source)
    assert points(graded) == full("lstm"), says(graded)
    assert kinds(graded) <= {"tamper"}
    graded = in_function(strict, source)
    assert points(graded) == full("lstm") | {LAST: 0}, says(graded)
    assert verdict(graded).failure.kind in ("exception", "ended")


def test_every_function_may_end_its_process(strict):
    paper = solved()
    for exercise in full("lstm"):
        paper = written(
            paper, **{exercise: f"def {exercise}(*args):\n    import os\n    os._exit(1)"}
        )
    graded = grade(strict, paper)
    assert {v.failure.kind for v in graded.verdicts} == {"ended"}
    for exercise in full("lstm"):
        assert f"{exercise} ended its process (exit code 1)." in says(graded)


def test_after_too_many_deadly_cells_the_rest_is_given_up(strict):
    deadly = ["import os\nos._exit(1)"] * (MOST_RESTARTS + 3)
    graded, paper = strict.grade_file(
        data(added(solved(), *deadly, before="sigmoid")), "lstm", "somebody", release("lstm")
    )
    assert points(graded) == dict.fromkeys(full("lstm"), 0)
    assert kinds(graded) == {"ended"}
    shown = [output for cell in paper["cells"] for output in cell.get("outputs", [])]
    given_up = [output for output in shown if output.get("ename") == "GivenUp"]
    assert given_up and "Too many cells" in given_up[0]["evalue"]


BOMBS = {
    "list": "x = [0]\nwhile True:\n    x = x + x",
    "text": "x = 'x' * 10 ** 6\nwhile True:\n    x = x + x",
    "bytes": "x = [bytearray(10 ** 8) for _ in range(100)]",
    "numpy": "import numpy as np\nx = [np.ones(10 ** 7) for _ in range(1000)]",
    "numpy at once": "import numpy as np\nnp.ones(10 ** 13)",
    "mmap": "import mmap\nx = [mmap.mmap(-1, 1 << 30) for _ in range(100)]",
    "file": "with open('big', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 20))",
    "files": "for n in range(10 ** 4):\n    open(str(n), 'wb').write(bytes(1 << 20))",
    "generations": "x = {}\nwhile True:\n    x = {n: dict(x) for n in range(50)}",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_fills_neither_memory_nor_disk(strict, bomb):
    graded = in_cell(strict, BOMBS[bomb])
    assert points(graded) == full("lstm"), says(graded)


@pytest.mark.parametrize("bomb", ["list", "numpy", "mmap", "file"])
def test_a_bomb_in_a_function_costs_its_own_points(strict, bomb):
    graded = in_function(strict, BOMBS[bomb])
    assert points(graded) == full("lstm") | {LAST: 0}, says(graded)
    assert verdict(graded).failure.kind in ("exception", "timeout", "ended")


PROCESSES = {
    "fork": "import os\nos.fork()",
    "fork bomb": "import os\nwhile True:\n    os.fork()",
    "daemon": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1e6)",
    "subprocess": "import subprocess\nsubprocess.Popen(['/bin/sleep', '1000'])",
    "multiprocessing": "import multiprocessing\nmultiprocessing.Process(target=print).start()",
    "pool": "from concurrent.futures import ProcessPoolExecutor\n"
    "with ProcessPoolExecutor(2) as pool:\n    pool.submit(print).result()",
    "posix_spawn": "import os\nos.posix_spawn('/bin/sleep', ['sleep', '1000'], {})",
    "exec": "import os\nos.execv('/bin/sleep', ['sleep', '1000'])",
    "C library": "import ctypes\nassert ctypes.CDLL(None).fork() == -1\n1 / 0",
}


@pytest.mark.parametrize("way", PROCESSES)
def test_no_process_is_started(strict, way):
    graded = in_cell(strict, PROCESSES[way])
    assert points(graded) == full("lstm"), says(graded)
    assert kinds(graded) <= {"tamper", "timeout"}
    if way != "pool":  # which stops at a semaphore already
        assert "tamper" in kinds(graded) and "Cell 3 tried to" in says(graded)


def test_threads_that_never_end_end_with_their_player(strict):
    source = """\
import threading
def forever():
    while True:
        pass
threads = []
for daemon in (True, False) * 100:
    thread = threading.Thread(target=forever, daemon=daemon)
    try:
        thread.start()
    except RuntimeError:
        break
    threads.append(thread)
print(len(threads), "threads")
"""
    before = set(children())
    graded = grade(strict, {"nbformat": 4, "cells": [code_cell(source)]})
    assert len(graded.verdicts) == len(full("lstm"))
    assert set(children()) <= before | {pid for pid in children() if not alive(pid)}
    assert points(in_cell(strict, "x = 1")) == full("lstm")


def children() -> list[int]:
    """The processes that this one started, and those that they started."""
    found, left = [], [os.getpid()]
    while left:
        for path in Path(f"/proc/{left.pop()}/task").glob("*/children"):
            try:
                below = [int(word) for word in path.read_text().split()]
            except OSError:  # it has just ended
                continue
            found += below
            left += below
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Floods


def test_fifty_megabytes_that_a_cell_prints_are_not_kept(engine):
    line = "all work and no play makes jack a dull boy\n"
    graded, paper = engine.grade_file(
        data(
            added(
                solved(), f"for _ in range({(50 << 20) // len(line)}):\n    print({line!r}, end='')"
            )
        ),
        "lstm",
        "somebody",
        release("lstm"),
    )
    assert points(graded) == full("lstm")
    assert kinds(graded) == {"flood"} and graded.needs_look
    assert "characters more than are kept" in says(graded)
    assert len(data(paper)) < 200_000


def test_fifty_megabytes_that_a_function_prints_are_counted(engine):
    body = "for _ in range(50):\n    print('x' * (1 << 20))\nreturn 1"
    graded = in_function(engine, body)
    assert points(graded) == full("lstm") | {LAST: verdict(graded).points}
    assert "It printed" in str(verdict(graded))
    assert len(graded.to_json()) < 100_000


def test_fifty_megabytes_of_results_and_pictures_are_not_kept(engine):
    shown = "from IPython.display import Image, display\nfor _ in range(60):\n    display('x' * 10 ** 6)"
    pictures = (
        "from IPython.display import Image, display\npng = b'\\x89PNG' + bytes(700_000)\n"
        "for _ in range(10):\n    display(Image(png, format='png'))"
    )
    graded, paper = engine.grade_file(
        data(added(solved(), shown, *[pictures] * 8)), "lstm", "somebody", release("lstm")
    )
    assert points(graded) == full("lstm"), says(graded)
    assert kinds(graded) == {"flood"}
    assert "showed more than the whole notebook may" in says(graded)
    assert len(data(paper)) < KEPT_OUTPUT + 1_000_000


def test_a_cell_of_five_million_lines_is_not_run(engine):
    paper = added(solved(), "")
    paper["cells"][-1]["source"] = ["x = 1\n"] * 5_000_000
    graded, kept = engine.grade_file(data(paper), "lstm", "somebody", release("lstm"))
    assert points(graded) == full("lstm")
    assert kinds(graded) == {"flood"}
    assert "30,000,000 characters and was not run" in says(graded)
    assert kept["cells"][-1]["outputs"][0]["ename"] == "TooLong"
    assert len(data(kept)) < 200_000


def test_much_code_in_many_cells_is_not_run(engine):
    long = "#" + "x" * (LONGEST_CODE // 3)
    graded = grade(engine, added(solved(), *[long] * 20))
    assert points(graded) == full("lstm")
    assert "was not run, like 17 more." in says(graded)
    many = added(solved(), *["x = 1"] * (MOST_CELLS + 100))
    graded = grade(engine, many)
    assert points(graded) == full("lstm")
    assert f"{MOST_CELLS} are run" in says(graded)


# Replies that are none

FORGE = """\
import json, os, struct
def send(message):
    text = json.dumps(message).encode()
    frame = struct.pack(">4sII", b"GMw1", len(text), 0) + text
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, frame)
        except OSError:
            pass
"""
FORGED = {
    "another player wanted": {"needs": "torch"},
    "broken": {"broken": "\ud800" * 1000},
    "tried": {"tried": ["\ud800", 3, None], "status": "ok", "dropped": 0, "outputs": []},
    "no status": {"status": "perfect", "dropped": 0, "outputs": []},
    "outputs": {"status": "ok", "dropped": 0, "outputs": [{"output_type": "update"}]},
    "dropped": {"status": "ok", "dropped": 10**400, "outputs": []},
    "observations": {"seen": {"status": "ok", "outputs": {"": {"~array": ["<f8", [9], 0]}}}},
    "empty": {},
}


@pytest.mark.parametrize("message", FORGED)
def test_a_forged_reply_gains_nothing_and_ends(engine, message):
    paper = {
        "nbformat": 4,
        "cells": [code_cell(FORGE + f"for _ in range(30):\n    send({FORGED[message]!r})")],
    }
    graded = grade(engine, paper)
    assert graded.points == 0
    graded.to_json().encode()
    assert points(in_cell(engine, "x = 1")) == full("lstm")


# Files that are asked for


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", str(COURSE / "solutions/lstm.py"), "/sys/\udcff", "/proc/1/environ"],
)
def test_a_file_from_elsewhere_is_not_there_and_asking_is_said(strict, path):
    graded = in_cell(strict, f"open({path!r}).read()")
    assert points(graded) == full("lstm")
    assert kinds(graded) == {"tamper"} and " tried to open /" in says(graded)
    graded.to_json().encode()


# The engine's own processes


def test_a_zygote_that_was_killed_is_replaced(confined):
    with Engine(GATED_MEMORY, cell_seconds=10) as engine:
        assert points(in_cell(engine, "x = 1")) == full("lstm")
        os.kill(engine._zygotes["plain"].process.pid, signal.SIGKILL)
        assert points(in_cell(engine, "x = 1")) == full("lstm")
        # now its child, the first process of the namespace, right after it has forked a player
        start = engine.player
        killed = []

        def player(kind):
            made = start(kind)
            if not killed:
                killed.append(engine._zygotes[kind].process.pid)
                below = Path(f"/proc/{killed[0]}/task/{killed[0]}/children").read_text().split()
                os.kill(int(below[0]), signal.SIGKILL)
            return made

        engine.player = player
        graded = in_cell(engine, "x = 1")
        assert killed and points(graded) == full("lstm")
        assert graded.remarks == ()


def test_an_engine_that_cannot_start_players_says_so(confined):
    with Engine(GATED_MEMORY) as engine:
        start = engine.player

        def player(kind):
            made = start(kind)
            engine._zygotes[kind].process.kill()
            engine._zygotes[kind].process.wait()
            return made

        engine.player = player
        with pytest.raises(PlayersUnavailable, match="is gone"):
            in_cell(engine, "x = 1")


def test_nothing_is_left_when_an_engine_is_closed(confined, tmp_path):
    before = set(children())
    with Engine(GATED_MEMORY) as engine:
        in_cell(engine, "x = 1")
        mine = set(children()) - before
        assert mine
    assert not [pid for pid in mine if alive(pid)]
    mounts = subprocess.run(["findmnt", "-rno", "TARGET"], capture_output=True, text=True).stdout
    assert "player" not in mounts
