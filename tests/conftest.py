"""How the tests share work between processes, and what is printed at the end of a run.

``make test`` runs them in half as many more processes as the machine has cores. The tests of a file stay
together in one process, where they share what its fixtures built. What several files
need is made once by ``once`` and found there by all processes.
"""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from engine_fixtures import confined, course, engine, registered, strict, template  # noqa: F401
from filelock import FileLock
from hypothesis import settings

import autograder

# The same examples every time: what fails here fails everywhere.
settings.register_profile("seeded", derandomize=True)
settings.load_profile("seeded")

# Files that take minutes begin first, so that no process is left with one at the end.
LONG = (
    "attacks/test_attacks.py",
    "site/test_pages.py",
    "site/test_run.py",
    "site/test_live_cells.py",
    "site/test_lite.py",
    "site/test_same_verdict.py",
    "grading/test_grade_command.py",
    "outlets/test_class.py",
    "other_course/test_answers_stay_away.py",
    "demo/test_guide.py",
)

# What takes more than about five seconds and is left out by `make check`: whole files, and every test
# that asks for one of these fixtures. A single test says ``@pytest.mark.slow`` itself.
SLOW_FILES = (
    "accidents/test_accidents.py",
    "attacks/test_attacks.py",
    "grading/test_dask.py",
    "grading/test_cluster_failures.py",
    "grading/test_deaths.py",
    "grading/test_faults.py",
    "grading/test_grade_command.py",
    "grading/test_killed_stores.py",
    "grading/test_local_workers.py",
    "other_course/test_answers_stay_away.py",
    "other_course/test_guide_page.py",
    "other_course/test_other_course.py",
    "outlets/gradebook/test_gradebook_killed.py",
    "outlets/gradebook/test_gradebook_server.py",
    "outlets/test_as_stock.py",
    "outlets/test_class.py",
    "outlets/test_execution.py",
    "player/test_confinement.py",
)
SLOW_FIXTURES = {"browser", "followed", "html", "html_with_address", "installed", "tiny"}

_LARGEST: dict[str, float] = {}


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "slow: takes more than about five seconds; `make check` leaves it out"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Long files first, and the slow tests marked."""
    here = Path(__file__).parent

    def file_of(item) -> str:
        return item.path.relative_to(here).as_posix()

    ranks = {name: rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(file_of(item), len(ranks)))
    for item in items:
        if file_of(item) in SLOW_FILES or SLOW_FIXTURES & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def no_notebook_at_hand():
    """A test that runs a notebook's first cell here leaves ``check`` as it was."""
    yield
    autograder._asked.clear()


@pytest.fixture(scope="session")
def once(tmp_path_factory, worker_id) -> Callable[[str, Callable[[Path], object]], Path]:
    """Call it with a name and a function that fills a folder: the folder, filled once in this run.

    Whoever comes first makes it, in whichever process; the others wait and find it. Nobody may
    change what is in it.
    """
    common = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        common = common.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = common / f"once-{name}", common / f"once-{name}.done"
        with FileLock(common / f"once-{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of an attempt that failed
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def deviation():
    """Call it with what was compared and how far the two were apart; the largest is printed."""

    def note(what: str, value) -> float:
        _LARGEST[what] = max(_LARGEST.get(what, 0.0), float(value))
        return float(value)

    return note


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deviations"] = _LARGEST


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for what, value in getattr(node, "workeroutput", {}).get("deviations", {}).items():
        _LARGEST[what] = max(_LARGEST.get(what, 0.0), value)


def pytest_terminal_summary(terminalreporter):
    """Deviations that the tests measure are printed, so that they can be quoted."""
    if _LARGEST:
        terminalreporter.section("largest deviations")
        for what, value in sorted(_LARGEST.items()):
            terminalreporter.write_line(f"{value:9.2g}  {what}")


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def serve():
    """Serve a folder on a free port of this machine; returns its address, ending in a slash."""
    servers = []

    def start(folder: Path) -> str:
        handler = functools.partial(QuietHandler, directory=str(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def one_thread():
    """As the recorded runs were made: PyTorch on one core."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
