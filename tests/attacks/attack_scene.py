"""A place where attacks can do harm and be seen to: a small course, a classmate, a stranger."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Container, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from attack_corpus import Attack

from autograder.checking.answers import as_seed
from autograder.checking.render import as_html
from autograder.grading import keep
from autograder.grading import run as grading
from autograder.grading.engine import version as engine_version
from autograder.grading.graded import Graded
from autograder.grading.workers import Settings, grade_in_worker
from autograder.material import collect
from autograder.material import notebooks as nb
from autograder.material.papers import release_of
from autograder.outlets.nbgrader_steps import safe_markdown

COURSE = Path(__file__).parents[2]
ASSIGNMENTS = ("lstm", "gru", "gradients")
BYSTANDER = "zoe"
ATTACKER = "mallory"
SEED = "20140903"
"""Stands for an instructor's secret seed."""

SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
TOKEN = "ATTACK_SCENE"
"""The environment variable by which processes that an attack leaves are found."""

NOBODY = 65534

STOCK_SECONDS = 60
"""Wall time in which stock nbgrader has to grade one notebook, or it hangs; it needs 8 seconds."""

CELL_SECONDS = 3.0
"""Wall time that the engine gives a cell here; outside of tests it has more patience."""

ENGINE_SECONDS = 90
"""Wall time in which the engine has to grade one notebook, or it hangs."""

SETTLE_SECONDS = 12
"""Wall time for which processes that an attack left are watched before they are ended."""

STOCK_CONFIG = '''\
"""Stock nbgrader: its own steps and settings, and only the folders of the course."""

import os
from pathlib import Path

ROOT = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault("AUTOGRADER_SEED", Path(ROOT, "secret_seed.txt").read_text().strip())

c = get_config()
c.CourseDirectory.root = ROOT
c.CourseDirectory.course_id = "attacked"
c.CourseDirectory.source_directory = "_build/source"
c.CourseDirectory.release_directory = "_build/release"
c.CourseDirectory.solution_directory = "_build/solution"
c.Execute.extra_arguments = ["--IPKernelApp.log_level=40"]
c.ClearSolutions.text_stub = "*Your answer here: double-click this cell, write, and run it.*"
'''

WITHOUT_MEANING = re.compile(
    r"(^|/)(runtime|__pycache__|\.cache|matplotlib|log)(/|$)"
    r"|history\.sqlite|nbsignatures\.db|\.db-journal$|\.nbgrader\.log$|\.ipynb_checkpoints"
)
"""Files that every run of nbgrader and Jupyter changes."""


@dataclass(frozen=True)
class Outcome:
    """What an attack brought its author and everybody else."""

    points: float
    max_points: float
    damage: tuple[str, ...]
    ended: str = "graded"
    """``graded``, ``failed`` (this submission was given up), ``killed`` or ``hung``"""
    seconds: float = 0.0
    kinds: frozenset[str] = frozenset()
    """what the engine's verdicts and remarks say, by their kinds"""


def build_template(folder: Path) -> Path:
    """A course with a stock configuration, in which one student handed in and was graded."""
    course = folder / "course"
    course.mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(STOCK_CONFIG, encoding="utf-8")
    (course / "secret_seed.txt").write_text(SEED + "\n", encoding="utf-8")
    for name in ("solutions", "notebooks"):
        shutil.copytree(COURSE / name, course / name)
    for name in ("home", "ipython", "jupyter-config", "jupyter-data"):
        (folder / name).mkdir()
    for assignment in ASSIGNMENTS:
        source = course / "_build" / "source" / assignment / f"{assignment}.ipynb"
        source.parent.mkdir(parents=True)
        source.write_text(nb.source_notebook(COURSE, assignment), encoding="utf-8")
    theirs = course / "submitted" / BYSTANDER / "lstm" / "lstm.ipynb"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(nb.source_notebook(COURSE, "lstm"), encoding="utf-8")
    _own(folder)
    for assignment in ASSIGNMENTS:
        _template_run(folder, "generate_assignment", assignment)
    _template_run(folder, "autograde", "lstm", "--student", BYSTANDER)
    return folder


def _template_run(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [python(), "-m", "nbgrader", *arguments],
        cwd=folder / "course",
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        **unprivileged(),
    )
    if done.returncode:
        raise RuntimeError(f"nbgrader {' '.join(arguments)} failed:\n{done.stdout}")


def _environment(folder: Path) -> dict[str, str]:
    packages = Path(sysconfig.get_path("data"))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AUTOGRADER_", TOKEN))}
    return kept | {
        "HOME": str(folder / "home"),
        "PATH": os.pathsep.join((os.path.dirname(python()), os.environ.get("PATH", os.defpath))),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter-config"),
        "JUPYTER_PATH": str(packages / "share" / "jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter-data"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _own(folder: Path) -> None:
    """Give a folder to the user that stock nbgrader runs as."""
    if unprivileged():
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


@cache
def unprivileged() -> dict:
    """How to start stock nbgrader where the tests are root, which an instructor is not: as nobody."""
    if os.geteuid() != 0 or _python_for_nobody() is None:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


@cache
def python() -> str:
    """The Python for stock nbgrader, with the packages of this one."""
    found = _python_for_nobody() if os.geteuid() == 0 else None
    return found or sys.executable


@cache
def _python_for_nobody() -> str | None:
    """This Python if everybody may start it, else the system's if it has the same version.

    None where the packages lie in a folder that is closed to others.
    """
    packages = Path(sysconfig.get_path("purelib")).resolve()
    if not all(folder.stat().st_mode & 0o001 for folder in (packages, *packages.parents)):
        return None
    own = Path(sys.executable).resolve()
    if all(folder.stat().st_mode & 0o001 for folder in own.parents):
        return sys.executable
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if not os.path.exists(system):
        return None
    folder = Path(tempfile.mkdtemp(prefix="attacked-python-"))
    atexit.register(shutil.rmtree, folder)
    folder.chmod(0o755)
    subprocess.run([system, "-m", "venv", "--without-pip", str(folder)], check=True)
    site_packages = next(folder.glob("lib/python*/site-packages"))
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (site_packages / "packages.pth").write_text(line, encoding="utf-8")
    alembic = folder / "bin" / "alembic"  # which nbgrader calls by its bare name
    start = "from alembic.config import main; main()"
    alembic.write_text(
        f"#!/bin/sh\nexec {folder}/bin/python -c '{start}' \"$@\"\n", encoding="utf-8"
    )
    alembic.chmod(0o755)
    return str(folder / "bin" / "python")


class Scene:
    """A copy of the template for one attack. Use it as a context manager."""

    def __init__(self, template: Path):
        self.template = template

    def __enter__(self) -> Scene:
        # Not below pytest's own folder, which only its user may enter.
        self.root = Path(tempfile.mkdtemp(prefix="attacked-"))
        self.root.chmod(0o755)
        shutil.copytree(self.template, self.root, dirs_exist_ok=True, symlinks=True)
        _own(self.root)
        self.course = self.root / "course"
        self.token = secrets.token_hex(8)
        self.mark = f"attack-{self.token[:8]}"
        self.segment = int(self.token[:7], 16)
        self._listen()
        self._start_bystander()
        self.grades = self._grades_of_others()
        return self

    def __exit__(self, *error) -> None:
        for door in self.doors:
            door.close()
        self.bystander.kill()
        self.bystander.wait()
        self.bystander.stdin.close()
        self.bystander.stdout.close()
        for process in self.survivors():
            _kill(process)
        for mount in self._mounts():
            subprocess.run(["umount", "--lazy", mount], check=True)
        for path in self._left_in_shared_folders():
            path.unlink()
        for identifier in self._segments():
            ctypes.CDLL(None).shmctl(identifier, 0, None)
        # Attacks make folders too deep for shutil.rmtree.
        subprocess.run(["chmod", "-R", "u+rwx", str(self.root)], check=False)
        subprocess.run(["rm", "-rf", str(self.root)], check=True)

    # What the attacker has

    @property
    def facts(self) -> str:
        """The source of a first cell: what an attacker can find out about this place."""
        return "\n".join(
            (
                "from pathlib import Path",
                f"COURSE = Path({str(self.course)!r})",
                f"BYSTANDER_PID = {self.bystander.pid}",
                f"BYSTANDER_ADDRESS = {self.address}",
                f"PORT = {self.port}",
                f"MARK = {self.mark!r}",
                f"SEGMENT = {self.segment}",
            )
        )

    def hand_in(self, attack: Attack) -> Path:
        """Put what the attacker hands in where it belongs, and remember what there was before."""
        folder = self.course / "submitted" / ATTACKER / attack.assignment
        folder.mkdir(parents=True)
        released = nbformat.read(
            self.course / "_build" / "release" / attack.assignment / f"{attack.assignment}.ipynb",
            as_version=4,
        )
        text = json.dumps(attack.notebook(released, self.facts), ensure_ascii=False)
        if attack.text:
            text = attack.text(text)
        paper = folder / f"{attack.assignment}.ipynb"
        paper.write_text(text, encoding="utf-8")
        for name, content in attack.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        if attack.place:
            attack.place(folder)
        _own(folder.parent)
        self.before = dict(self._files())
        return paper

    # What the attack did

    def damage(self, page: Callable[[str], str] = str) -> list[str]:
        """What happened outside of the attacker's own submission, in words.

        ``page`` makes HTML of a text cell; nbgrader's own pages leave HTML in it as it is.
        """
        found = [f"{what} {path}" for what, path in self._changed_files()]
        if self._grades_of_others() != self.grades:
            found.append("changed other students' grades")
        found += self._damage_to_the_bystander()
        found += [f"was connected to {what}" for what in self._connections()]
        found += [f"left a file in {path.parent}" for path in self._left_in_shared_folders()]
        found += ["left shared memory" for _ in self._segments()]
        found += [f"mounted over {Path(path).name}" for path in self._mounts()]
        found += self._bulk(page)
        return found

    def survivors(self) -> list[int]:
        """Processes that the attack started and that still run."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                named = (entry / "comm").read_text().strip() == self.mark[:15]
                ours = f"{TOKEN}={self.token}".encode() in (entry / "environ").read_bytes()
                ended = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except OSError:  # it ended meanwhile, or belongs to somebody else
                continue
            if (named or ours) and not ended:
                found.append(int(entry.name))
        return found

    def _files(self) -> Iterator[tuple[str, tuple]]:
        own = {self.course / part / ATTACKER for part in ("submitted", "autograded", "feedback")}
        own = set(map(str, own))
        for entry in _walk(self.root, own):
            name, path = entry.name, Path(entry.path)
            if str(path) not in own:
                relative = str(path.relative_to(self.root))
                if WITHOUT_MEANING.search(relative):
                    continue
                status = path.lstat()
                facts = [oct(status.st_mode), status.st_uid]
                if not stat.S_ISLNK(status.st_mode):
                    facts.append(tuple(sorted(os.listxattr(path))))
                if stat.S_ISREG(status.st_mode):
                    facts.append(status.st_nlink)
                    if name != "gradebook.db":
                        facts += [status.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()]
                elif stat.S_ISLNK(status.st_mode):
                    facts.append(os.readlink(path))
                yield relative, tuple(facts)

    def _changed_files(self) -> Iterator[tuple[str, str]]:
        after = dict(self._files())
        for path in sorted(self.before.keys() | after.keys()):
            if any(str(parent) not in self.before for parent in list(Path(path).parents)[:-1]):
                continue  # its folder is new, and named
            if path not in after:
                yield "removed", path
            elif path not in self.before:
                yield "made", path
            elif after[path] != self.before[path]:
                yield "changed", path

    def _grades_of_others(self) -> object:
        """All that the gradebook holds except what belongs to the attacker."""
        try:
            with sqlite3.connect(f"file:{self.course / 'gradebook.db'}?mode=ro", uri=True) as book:
                return book.execute(
                    """
                    SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score,
                        grade.manual_score, grade.needs_manual_grade, grade_cells.max_score
                    FROM grade JOIN base_cell ON base_cell.id = grade.cell_id
                    JOIN grade_cells ON grade_cells.id = grade.cell_id
                    JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
                    JOIN submitted_assignment
                        ON submitted_assignment.id = submitted_notebook.assignment_id
                    WHERE submitted_assignment.student_id != ? ORDER BY 1, 2
                    """,
                    (ATTACKER,),
                ).fetchall()
        except sqlite3.Error as error:
            return f"{type(error).__name__}: {error}"

    def points(self, assignment: str) -> float:
        """The points of the attacker's checks, as nbgrader's gradebook has them."""
        with sqlite3.connect(f"file:{self.course / 'gradebook.db'}?mode=ro", uri=True) as book:
            (found,) = book.execute(
                """
                SELECT SUM(grade.auto_score) FROM grade
                JOIN base_cell ON base_cell.id = grade.cell_id
                JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
                JOIN submitted_assignment
                    ON submitted_assignment.id = submitted_notebook.assignment_id
                JOIN assignment ON assignment.id = submitted_assignment.assignment_id
                WHERE submitted_assignment.student_id = ? AND assignment.name = ?
                    AND base_cell.name LIKE 'check-%'
                """,
                (ATTACKER, assignment),
            ).fetchone()
        return float(found or 0)

    # The stranger

    def _start_bystander(self) -> None:
        program = (
            "import ctypes, sys\n"
            "kept = ctypes.create_string_buffer(b'as it was', 16)\n"
            "print(ctypes.addressof(kept), flush=True)\n"
            "sys.stdin.read()\n"
        )
        self.bystander = subprocess.Popen(
            [python(), "-c", program],
            env=_environment(self.root) | {"AUTOGRADER_SEED": SEED},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            start_new_session=True,
            **unprivileged(),
        )
        self.address = int(self.bystander.stdout.readline())
        self.state = self._bystander_state()

    def _bystander_state(self) -> dict[str, object]:
        folder = Path("/proc", str(self.bystander.pid))
        with (folder / "mem").open("rb", buffering=0) as memory:
            memory.seek(self.address)
            kept = memory.read(16)
        state = (folder / "stat").read_text().rpartition(")")[2].split()
        return {
            "wrote into another process": kept,
            "stopped another process": state[0] == "T",
            "slowed another process down": state[16],
            "marked another process to be sacrificed": (folder / "oom_score_adj").read_text(),
            "took resources from another process": (folder / "limits").read_text(),
        }

    def _damage_to_the_bystander(self) -> list[str]:
        if self.bystander.poll() is not None:
            return ["killed another process"]
        now = self._bystander_state()
        return [what for what, value in self.state.items() if now[what] != value]

    # The network

    def _listen(self) -> None:
        tcp = socket.create_server(("127.0.0.1", 0))
        self.port = tcp.getsockname()[1]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", self.port))
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind("\0" + self.mark)
        abstract.listen()
        self.doors = (tcp, udp, abstract)
        for door in self.doors:
            door.setblocking(False)

    def _connections(self) -> Iterator[str]:
        tcp, udp, abstract = self.doors
        for door, what in ((tcp, "a port"), (abstract, "a socket without a file")):
            try:
                line, _ = door.accept()
            except BlockingIOError:
                continue
            line.close()
            yield what
        try:
            udp.recv(1)
        except BlockingIOError:
            return
        yield "a port, by a datagram"

    # Traces elsewhere

    def _left_in_shared_folders(self) -> list[Path]:
        return [
            path
            for folder in SHARED_FOLDERS
            if os.path.isdir(folder)
            for path in Path(folder).glob(f"{self.mark}*")
        ]

    def _segments(self) -> list[int]:
        try:
            lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
        except OSError:
            return []
        rows = (line.split() for line in lines)
        return [int(row[1]) for row in rows if int(row[0]) == self.segment]

    def _mounts(self) -> list[str]:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        return [line.split()[4] for line in lines if str(self.root) in line.split()[4]]

    def _bulk(self, page: Callable[[str], str]) -> Iterator[str]:
        """A grader's folder that swells, and pages on which a script would run."""
        folder = self.course / "autograded" / ATTACKER
        size = count = 0
        for entry in _walk(folder):
            count += 1
            size += entry.stat(follow_symlinks=False).st_blocks * 512
        if size > 20 << 20:
            yield f"left {size >> 20} MB among the graded notebooks"
        if count > 500:
            yield f"left {count} files among the graded notebooks"
        for path in folder.glob("*/*.ipynb"):
            yield from said(path, page)


def _walk(folder: Path, without: Container[str] = ()) -> Iterator[os.DirEntry]:
    """Everything below a folder, to any depth; ``os.walk`` of Python 3.11 recurses."""
    folders = [str(folder)] if folder.is_dir() else []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False) and entry.path not in without:
                    folders.append(entry.path)


def said(path: Path, page: Callable[[str], str]) -> list[str]:
    """Harm that shows in a graded notebook: what the attack says itself, and scripts."""
    try:
        paper = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    found = []
    for cell in paper.get("cells", []):
        if cell.get("cell_type") == "markdown" and "<script" in page("".join(cell["source"])):
            found.append("left a script on the instructor's page")
        for output in cell.get("outputs", []):
            text = "".join(output.get("text", ""))
            found += re.findall(r"^HARM: (.+)$", text, re.MULTILINE)
            for kind, value in output.get("data", {}).items():
                script = kind != "text/plain" and "<script" in "".join(value)
                if script or kind == "application/javascript":
                    found.append("left a script on the instructor's page")
    return list(dict.fromkeys(found))


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass


SAFETY_BELT = ("prlimit", f"--as={12 << 30}", f"--fsize={4 << 30}")
"""Bounds far above what stock nbgrader needs, so that no attack can take the machine."""


def stock(attack: Attack, template: Path, max_points: float) -> Outcome:
    """Hand in and let plain ``nbgrader autograde`` grade it, with nbgrader's own settings."""
    with Scene(template) as scene, tempfile.TemporaryFile() as log:
        scene.hand_in(attack)
        start = time.monotonic()
        process = subprocess.Popen(
            [*SAFETY_BELT, python(), "-m", "nbgrader", "autograde", attack.assignment]
            + ["--student", ATTACKER],
            cwd=scene.course,
            env=_environment(scene.root) | {TOKEN: scene.token},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **unprivileged(),
        )
        try:
            code = process.wait(STOCK_SECONDS)
            ended = "killed" if code < 0 else "failed" if code else "graded"
        except subprocess.TimeoutExpired:
            ended = "hung"
            for survivor in scene.survivors():
                _kill(survivor)
            process.wait()
        seconds = time.monotonic() - start
        damage = []
        if ended == "graded" and scene.survivors():
            damage.append("left a process running")
        # What stays may do its harm later: watch it.
        deadline = time.monotonic() + SETTLE_SECONDS
        while scene.survivors() and time.monotonic() < deadline:
            time.sleep(0.5)
        for survivor in scene.survivors():
            _kill(survivor)
        if ended == "hung":
            damage.append("the run does not end")
        if ended == "killed":
            damage.append("the run is killed")
        damage += scene.damage()
        points = scene.points(attack.assignment)
    return Outcome(points, max_points, tuple(damage), ended, round(seconds, 1))


@cache
def settings(assignment: str) -> Settings:
    """How the engine grades here: as ``autograder grade`` does, with less patience for a cell."""
    release, seed = release_of(COURSE, assignment), as_seed(SEED)
    version = engine_version(seed, release, CELL_SECONDS)
    return Settings(assignment, release, seed, version, cell_seconds=CELL_SECONDS)


class _InThisProcess:
    """Workers for ``grading.ClassRun``: this process, whose engine stays from attack to attack."""

    number = 1

    def submit(self, work, *arguments) -> Future:
        future = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def result(self, future: Future):
        return future.result()

    def close(self, now: bool = False) -> None:
        pass


class _Gradebook:
    """Takes what the gradebook would be told."""

    def write(self, entries) -> None:
        pass

    def finish(self) -> None:
        pass


class _Hung(BaseException):
    """The engine did not come back in time; nothing in it may swallow this."""


@contextlib.contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Raise _Hung in this thread where a block takes longer."""

    def expire(signum, frame):
        raise _Hung

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def engine(attack: Attack, template: Path) -> Outcome:
    """Hand in and let the course's engine grade it, as ``autograder grade`` does."""
    with Scene(template) as scene:
        scene.hand_in(attack)
        start = time.monotonic()
        run = grading.ClassRun(
            scene.course, settings(attack.assignment), say=lambda says: None, writer=_Gradebook()
        )
        ended = "graded"
        try:
            with _patience(ENGINE_SECONDS):
                found = collect.submissions(scene.course, attack.assignment)
                theirs = [submission for submission in found if submission.student == ATTACKER]
                summary = run.perform(theirs, _InThisProcess())
                if summary.problems or summary.gradebook:
                    ended = "failed"
        except _Hung:
            ended = "hung"
        seconds = time.monotonic() - start
        damage = ["the run does not end"] if ended == "hung" else []
        if scene.survivors():
            damage.append("left a process running")
        damage += scene.damage(page=lambda source: safe_markdown({}, source))
        folder = scene.course / "autograded" / ATTACKER / attack.assignment
        graded = keep.read_grade(folder)
    if graded is None:
        return Outcome(0, 0, tuple(damage), ended, round(seconds, 1))
    failures = (verdict.failure for verdict in graded.verdicts)
    kinds = {failure.kind for failure in failures if failure}
    kinds |= {remark.kind for remark in graded.remarks}
    if any("<script" in as_html(verdict) for verdict in graded.verdicts):
        damage.append("left a script on the instructor's page")
    return Outcome(
        graded.points, graded.max_points, tuple(damage), ended, round(seconds, 1), frozenset(kinds)
    )


def grade_honest(assignment: str = "lstm") -> Graded:
    """An honest submission, graded by the engine that has just graded attacks."""
    data = nb.source_notebook(COURSE, assignment).encode()
    return grade_in_worker(settings(assignment), "ada", data)[0]
