"""What code in a player can do and what it cannot, with all layers and with fewer.

Every question is asked by code in a cell, which prints what it managed.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from engine_scene import COURSE, SEED, code_cell, data, full, points, release, says, solved

from autograder.course.gated_memory import COURSE as GATED_MEMORY
from autograder.grading.engine import ConfinementMissing, Engine, confinement
from autograder.player.confine import LAYERS, MEANS, Limits, python_folders

FEWER = {
    "all": LAYERS,
    "no namespaces": ("landlock", "seccomp", "limits"),
    "no landlock": ("namespaces", "seccomp", "limits"),
    "no seccomp": ("namespaces", "landlock", "limits"),
    "only limits": ("limits",),
    "nothing": (),
}


@pytest.fixture(scope="module", params=FEWER)
def any_engine(request, confined):
    with Engine(GATED_MEMORY, seed=SEED, layers=FEWER[request.param], accept_less=True) as engine:
        yield engine


@pytest.fixture(scope="module")
def without_namespaces(confined):
    with Engine(GATED_MEMORY, seed=SEED, layers=FEWER["no namespaces"], accept_less=True) as engine:
        yield engine


@pytest.fixture(params=["all layers", "no namespaces"])
def caged(request, engine, without_namespaces):
    """The two sets of layers in which submissions are kept from everything."""
    return engine if request.param == "all layers" else without_namespaces


def said(engine, source: str) -> str:
    """What a cell printed, or raised."""
    (outputs,) = engine.run([source], [GATED_MEMORY.get("sigmoid")]).outputs.values()
    return "".join(o.get("text") or f"{o.get('ename')}: {o.get('evalue')}" for o in outputs)


def trying(action: str) -> str:
    """Code that says what ``action``, an expression, gives or which error it meets."""
    return f"""\
import ctypes, os, shutil, signal, socket, subprocess, sys, threading
try:
    print("DONE", {action})
except BaseException as error:
    print("NOT", type(error).__name__, getattr(error, "errno", ""))
"""


def test_honest_work_gets_all_points_with_any_layers(any_engine):
    graded = any_engine.grade(data(solved()), "lstm", "somebody", release("lstm"))
    assert points(graded) == full("lstm"), says(graded)
    assert graded.remarks == ()
    assert graded.confinement == any_engine.layers


@pytest.mark.parametrize("layers", [LAYERS, FEWER["no namespaces"]], ids=["all", "no namespaces"])
def test_torch_works_with_the_layers_of_confinement(engine, without_namespaces, layers):
    chosen = engine if layers == LAYERS else without_namespaces
    graded = chosen.grade(data(solved("gru")), "gru", "somebody", release("gru"))
    assert points(graded) == full("gru"), says(graded)


@pytest.mark.parametrize("missing", LAYERS)
def test_less_than_all_layers_has_to_be_accepted(missing):
    layers = [layer for layer in LAYERS if layer != missing]
    with pytest.raises(ConfinementMissing) as refused:
        Engine(GATED_MEMORY, layers=layers)
    assert f"{missing}: {MEANS[missing]}" in str(refused.value)
    assert "--accept-less-confinement" in str(refused.value)
    assert not any(f"{layer}: " in str(refused.value) for layer in layers)


def test_this_machine_offers_all_layers(confined):
    assert confinement() == LAYERS


@pytest.fixture(scope="module")
def neighbor(tmp_path_factory) -> Path:
    """Somebody else's submission, readable and writable by everybody."""
    folder = tmp_path_factory.mktemp("class")
    for path in (folder, *folder.parents):
        if path != Path("/") and path.owner() == Path.home().owner():
            path.chmod(path.stat().st_mode | 0o055)
    folder.chmod(0o777)
    file = folder / "lstm.ipynb"
    file.write_text("theirs")
    file.chmod(0o666)
    return file


NOT_READ = [
    "/etc/passwd",
    "/etc/hostname",
    str(COURSE / "solutions/lstm.py"),
    str(COURSE / "autograder/course/reference.py"),
    str(COURSE / "autograder/course/exercises/lstm/lstm_step.py"),
    str(COURSE / "autograder/course/recorded/public.npz"),
    str(Path(sys.executable)),
    "/proc/self/environ",
    "/proc/1/cmdline",
    "/dev/tty",
]


@pytest.mark.parametrize("path", NOT_READ)
def test_no_file_but_pythons_is_read(caged, path):
    assert said(caged, trying(f"open({path!r}, 'rb').read(10)")).startswith("NOT")
    assert said(caged, trying(f"os.open({path!r}, os.O_RDONLY)")).startswith("NOT")


@pytest.mark.parametrize("path", ["/", "/etc", "/proc", "/tmp", "/home", str(COURSE)])
def test_no_folder_is_listed_but_pythons(engine, without_namespaces, path):
    assert said(without_namespaces, trying(f"os.listdir({path!r})")).startswith("NOT")
    shown = said(engine, trying(f"os.listdir({path!r})"))
    assert shown.startswith(("NOT", "DONE []"))


def test_pythons_own_files_are_read_so_that_imports_work(caged):
    assert said(caged, "import email.mime.audio, sqlite3\nprint('DONE')") == "DONE\n"
    assert said(caged, trying(f"len(open({os.__file__!r}).read()) > 1000")) == "DONE True\n"


def test_a_package_that_is_not_installed_is_missing_as_everywhere(caged):
    source = "try:\n    import surely_not_installed\nexcept ModuleNotFoundError:\n    print('no')"
    assert said(caged, source) == "no\n"


def test_the_courses_package_is_not_there(caged):
    for module in ("reference", "exercises", "judge", "exercises.lstm"):
        whole = f"__import__('importlib').import_module('autograder.course.{module}')"
        assert said(caged, trying(f"{whole}.__file__")).startswith("NOT AttributeError")
        assert said(caged, trying(f"{whole}.anything()")).startswith("NOT CourseCalled")
    assert (
        said(caged, "import autograder\nautograder.check(3)\nprint(autograder.__path__)") == "[]\n"
    )


def test_another_submission_is_neither_read_nor_written(caged, neighbor):
    for action in (
        f"open({str(neighbor)!r}).read()",
        f"open({str(neighbor)!r}, 'a').write('x')",
        f"open({str(neighbor)!r}, 'w')",
        f"os.truncate({str(neighbor)!r}, 0)",
        f"os.remove({str(neighbor)!r})",
        f"os.rename({str(neighbor)!r}, 'mine')",
        f"os.link({str(neighbor)!r}, 'mine')",
        f"open({str(neighbor.parent / 'new')!r}, 'w')",
        f"os.mkdir({str(neighbor.parent / 'new')!r})",
        f"os.symlink('/etc', {str(neighbor.parent / 'new')!r})",
        f"os.chmod({str(neighbor)!r}, 0)",
        f"os.utime({str(neighbor)!r}, (0, 0))",
        f"os.chown({str(neighbor)!r}, 0, 0)",
        f"os.setxattr({str(neighbor)!r}, 'user.x', b'1')",
    ):
        assert said(caged, trying(action)).startswith("NOT"), action
    assert neighbor.read_text() == "theirs"
    assert [path.name for path in neighbor.parent.iterdir()] == ["lstm.ipynb"]


@pytest.mark.parametrize(
    "folder", ["/tmp", "/var/tmp", "/dev/shm", "/", os.path.dirname(os.__file__)]
)
def test_nothing_is_written_outside_the_scratch_folder(caged, folder):
    name = os.path.join(folder, "written-by-a-submission")
    shown = said(caged, trying(f"open({name!r}, 'w')"))
    packages_there = any(Path("/tmp") in path.parents for path in python_folders())
    if folder == "/tmp" and "namespaces" in caged.layers and not packages_there:
        assert shown.startswith("DONE")  # there, it is the scratch folder's other name
    else:
        assert shown.startswith("NOT")
    assert not os.path.exists(name)


def test_the_scratch_folder_is_empty_for_everybody_and_gone_afterwards(caged):
    assert said(caged, trying("os.listdir('.')")) == "DONE []\n"
    write = "open('kept', 'w').write('for a friend') and not os.mkdir('folder')"
    shown = said(caged, trying(f"{write} and os.path.abspath('kept')"))
    assert shown.startswith("DONE /")
    assert said(caged, trying("os.listdir('.')")) == "DONE []\n"
    assert not os.path.exists(shown.split()[1])


def test_no_connection_is_opened(caged):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for action in (
            f"socket.create_connection(('127.0.0.1', {port}), 1)",
            "socket.create_connection(('1.1.1.1', 53), 1)",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_UNIX)",
            "socket.create_server(('127.0.0.1', 0))",
        ):
            assert said(caged, trying(action)).startswith("NOT"), action


@pytest.mark.parametrize(
    "action",
    [
        "os.fork()",
        "os.forkpty()",
        "subprocess.run([sys.executable, '-c', ''])",
        "os.execv(sys.executable, ['python'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.memfd_create('x')",
        "os.unshare(0x10000000)" if hasattr(os, "unshare") else "1 / 0",
    ],
)
def test_no_program_is_started(caged, action):
    assert said(caged, trying(action)).startswith("NOT")
    assert said(caged, trying("os.system('true')")) in ("DONE -1\n", "DONE 32512\n", "DONE 65280\n")


SYSTEM_CALLS = {
    "ptrace": 101,
    "kill": 62,
    "tgkill": 234,
    "mount": 165,
    "unshare": 272,
    "setns": 308,
    "bpf": 321,
    "keyctl": 250,
    "io_uring_setup": 425,
    "process_vm_readv": 310,
    "perf_event_open": 298,
    "userfaultfd": 323,
    "memfd_create": 319,
    "shmget": 29,
    "execve": 59,
    "setuid": 105,
    "chroot": 161,
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86-64")
def test_the_kernel_is_asked_for_nothing_but_computing(caged):
    for name, number in SYSTEM_CALLS.items():
        source = (
            "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            f"print(libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno())"
        )
        assert said(caged, source) == "-1 1\n", name  # EPERM


def test_no_process_is_seen_or_signaled(caged):
    victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        for action in (
            f"os.kill({victim.pid}, signal.SIGKILL)",
            "os.kill(os.getppid(), signal.SIGKILL)",
            "os.kill(-1, signal.SIGKILL)",
            f"os.pidfd_open({victim.pid})",
            f"open('/proc/{victim.pid}/cmdline').read()",
            f"os.listdir('/proc/{victim.pid}')",
        ):
            assert said(caged, trying(action)).startswith("NOT"), action
        assert victim.poll() is None
    finally:
        victim.communicate(b"\n")


def test_with_namespaces_it_is_alone(engine):
    assert said(engine, trying("os.getpid(), os.getppid()")) == "DONE 1 0\n"
    assert said(engine, trying("socket.gethostname()")) == "DONE player\n"
    assert said(engine, trying("os.getuid() != 0, os.path.exists('/home')")) == "DONE True False\n"


def test_rights_and_secrets_are_gone(caged):
    assert said(caged, trying("sorted(os.environ)")) == "DONE ['HOME', 'LANG', 'PATH', 'TMPDIR']\n"
    assert said(caged, trying("os.setuid(0)")).startswith("NOT")
    count = """\
import os
found = []
for number in range(256):
    try:
        os.fstat(number)
        found.append(number)
    except OSError:
        pass
print(len(found))
"""
    assert said(caged, count) == "4\n"  # the standard three, which lead nowhere, and the judge's


def test_a_player_cannot_raise_its_limits(caged):
    for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_NPROC", "RLIMIT_FSIZE"):
        raised = f"__import__('resource').setrlimit(__import__('resource').{name}, (-1, -1))"
        assert said(caged, trying(raised)).startswith("NOT"), name


def test_limits_alone_bound_memory_and_files():
    limits = Limits(memory=100 << 20, file_size=1 << 20)
    with Engine(GATED_MEMORY, layers=("limits",), accept_less=True, limits=limits) as engine:
        assert said(engine, trying("len(bytearray(1 << 30))")) == "NOT MemoryError \n"
        shown = said(engine, trying("open('big', 'wb').write(bytes(2 << 20))"))
        assert shown.startswith("NOT OSError") or "1048576" in shown


def test_one_submission_leaves_nothing_in_the_next(caged):
    change = (
        "import builtins, numpy, sys\nbuiltins.len = lambda x: 7\nnumpy.tanh = None\n"
        "sys.modules['json'] = None\nimport os\nos.environ['X'] = '1'"
    )
    caged.run([change], ())
    check = "import numpy, json, os\nprint(len([1]), numpy.tanh(0), os.environ.get('X'))"
    assert said(caged, check) == "1 0.0 None\n"
    graded = caged.grade(data({"nbformat": 4, "cells": [code_cell(change)]}), "lstm")
    assert graded.points == 0
    assert points(caged.grade(data(solved()), "lstm", "x", release("lstm"))) == full("lstm")


@pytest.mark.parametrize("place", ["tmp", "proc", "player"])
def test_packages_may_lie_below_any_folder(confined, tmp_path, place):
    """A course in /tmp, for instance, closed to others: its packages are read all the same."""
    packages = tmp_path / place / "packages"
    packages.mkdir(parents=True)
    packages.parent.chmod(0o700)
    (packages / "word.txt").write_text("readable", encoding="utf-8")
    program = f"""
import os, sys
from pathlib import Path
from autograder.player.confine import Cage, python_folders
packages = Path({str(packages)!r})
cage = Cage([*python_folders(), packages])
cage.enter()
if cage.fork() == 0:
    cage.confine()
    (Path.cwd() / "mine.txt").write_text("written")
    os.write(1, (packages / "word.txt").read_bytes())
    os._exit(0)
os.wait()
cage.clean()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("readable", "")
