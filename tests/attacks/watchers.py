"""Who would be harmed by an attack, and sees it: files, a stranger's process, doors to the network."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import socket
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Container, Iterator
from pathlib import Path

from attacked_course import SEED, environment, python, unprivileged

SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")

WITHOUT_MEANING = re.compile(
    r"(^|/)(runtime|__pycache__|\.cache|matplotlib|log)(/|$)"
    r"|history\.sqlite|nbsignatures\.db|\.db-journal$|\.nbgrader\.log$|\.ipynb_checkpoints"
)
"""Files that every run of nbgrader and Jupyter changes."""


class Files:
    """Every file below a folder as it was, but for those that the attacker may change."""

    def __init__(self, root: Path, own: set[str]):
        self.root, self.own = root, own
        self.before = dict(self._now())

    def _now(self) -> Iterator[tuple[str, tuple]]:
        for entry in walk(self.root, self.own):
            name, path = entry.name, Path(entry.path)
            if str(path) not in self.own:
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

    def changed(self) -> Iterator[str]:
        """What happened to which file, in words."""
        after = dict(self._now())
        for path in sorted(self.before.keys() | after.keys()):
            if any(str(parent) not in self.before for parent in list(Path(path).parents)[:-1]):
                continue  # its folder is new, and named
            if path not in after:
                yield f"removed {path}"
            elif path not in self.before:
                yield f"made {path}"
            elif after[path] != self.before[path]:
                yield f"changed {path}"


class Bystander:
    """Somebody else's process, which holds a secret seed and something in its memory."""

    def __init__(self, root: Path):
        program = (
            "import ctypes, sys\n"
            "kept = ctypes.create_string_buffer(b'as it was', 16)\n"
            "print(ctypes.addressof(kept), flush=True)\n"
            "sys.stdin.read()\n"
        )
        self.process = subprocess.Popen(
            [python(), "-c", program],
            env=environment(root) | {"AUTOGRADER_SEED": SEED},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            start_new_session=True,
            **unprivileged(),
        )
        self.address = int(self.process.stdout.readline())
        self.state = self._state()

    def _state(self) -> dict[str, object]:
        folder = Path("/proc", str(self.process.pid))
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

    def damage(self) -> list[str]:
        """What was done to it, in words."""
        if self.process.poll() is not None:
            return ["killed another process"]
        now = self._state()
        return [what for what, value in self.state.items() if now[what] != value]

    def end(self) -> None:
        """Kill it, and close what it was spoken to through."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Doors:
    """What listens on this machine: a TCP and a UDP port, and a socket without a file."""

    def __init__(self, mark: str):
        tcp = socket.create_server(("127.0.0.1", 0))
        self.port = tcp.getsockname()[1]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", self.port))
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind("\0" + mark)
        abstract.listen()
        self.doors = (tcp, udp, abstract)
        for door in self.doors:
            door.setblocking(False)

    def connections(self) -> Iterator[str]:
        """Through which of them somebody came."""
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

    def close(self) -> None:
        """Listen no longer."""
        for door in self.doors:
            door.close()


class Traces:
    """What an attack may leave outside of the course, found by the mark that it is told to use."""

    def __init__(self, root: Path, mark: str, segment: int):
        self.root, self.mark, self.segment = root, mark, segment

    def found(self) -> list[str]:
        """What it left, in words."""
        found = [f"left a file in {path.parent}" for path in self._files()]
        found += ["left shared memory" for _ in self._segments()]
        return found + [f"mounted over {Path(path).name}" for path in self._mounts()]

    def remove(self) -> None:
        """Take all of it away."""
        for mount in self._mounts():
            subprocess.run(["umount", "--lazy", mount], check=True)
        for path in self._files():
            path.unlink()
        for identifier in self._segments():
            ctypes.CDLL(None).shmctl(identifier, 0, None)

    def _files(self) -> list[Path]:
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


class Gradebook:
    """nbgrader's gradebook of the course."""

    def __init__(self, course: Path, attacker: str):
        self.path, self.attacker = course / "gradebook.db", attacker

    def grades_of_others(self) -> object:
        """All that the gradebook holds except what belongs to the attacker."""
        try:
            with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as book:
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
                    (self.attacker,),
                ).fetchall()
        except sqlite3.Error as error:
            return f"{type(error).__name__}: {error}"

    def points(self, assignment: str) -> float:
        """The points of the attacker's checks, as nbgrader's gradebook has them."""
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as book:
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
                (self.attacker, assignment),
            ).fetchone()
        return float(found or 0)


def left_for_the_grader(folder: Path, page: Callable[[str], str]) -> Iterator[str]:
    """A folder of graded notebooks that swells, and pages on which a script would run."""
    size = count = 0
    for entry in walk(folder):
        count += 1
        size += entry.stat(follow_symlinks=False).st_blocks * 512
    if size > 20 << 20:
        yield f"left {size >> 20} MB among the graded notebooks"
    if count > 500:
        yield f"left {count} files among the graded notebooks"
    for path in folder.glob("*/*.ipynb"):
        yield from said(path, page)


def walk(folder: Path, without: Container[str] = ()) -> Iterator[os.DirEntry]:
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
