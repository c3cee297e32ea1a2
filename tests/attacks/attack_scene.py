"""A place where attacks can do harm and be seen to: a small course, a classmate, a stranger."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
from attack_corpus import Attack
from attacked_course import TOKEN, hand_over
from watchers import Bystander, Doors, Files, Gradebook, Traces, left_for_the_grader

ATTACKER = "mallory"


class Scene:
    """A copy of the template for one attack. Use it as a context manager."""

    def __init__(self, template: Path):
        self.template = template

    def __enter__(self) -> Scene:
        # Not below pytest's own folder, which only its user may enter.
        self.root = Path(tempfile.mkdtemp(prefix="attacked-"))
        self.root.chmod(0o755)
        shutil.copytree(self.template, self.root, dirs_exist_ok=True, symlinks=True)
        hand_over(self.root)
        self.course = self.root / "course"
        self.token = secrets.token_hex(8)
        self.mark = f"attack-{self.token[:8]}"
        self.segment = int(self.token[:7], 16)
        self.doors = Doors(self.mark)
        self.bystander = Bystander(self.root)
        self.traces = Traces(self.root, self.mark, self.segment)
        self.gradebook = Gradebook(self.course, ATTACKER)
        self.grades = self.gradebook.grades_of_others()
        return self

    def __exit__(self, *error) -> None:
        self.doors.close()
        self.bystander.end()
        for process in self.survivors():
            kill(process)
        self.traces.remove()
        # Attacks make folders too deep for shutil.rmtree.
        subprocess.run(["chmod", "-R", "u+rwx", str(self.root)], check=False)
        subprocess.run(["rm", "-rf", str(self.root)], check=True)

    @property
    def facts(self) -> str:
        """The source of a first cell: what an attacker can find out about this place."""
        return "\n".join(
            (
                "from pathlib import Path",
                f"COURSE = Path({str(self.course)!r})",
                f"BYSTANDER_PID = {self.bystander.process.pid}",
                f"BYSTANDER_ADDRESS = {self.bystander.address}",
                f"PORT = {self.doors.port}",
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
        hand_over(folder.parent)
        theirs = (self.course / part / ATTACKER for part in ("submitted", "autograded", "feedback"))
        self.files = Files(self.root, own=set(map(str, theirs)))
        return paper

    def damage(self, page: Callable[[str], str] = str) -> list[str]:
        """What happened outside of the attacker's own submission, in words.

        ``page`` makes HTML of a text cell; nbgrader's own pages leave HTML in it as it is.
        """
        found = list(self.files.changed())
        if self.gradebook.grades_of_others() != self.grades:
            found.append("changed other students' grades")
        found += self.bystander.damage()
        found += [f"was connected to {what}" for what in self.doors.connections()]
        found += self.traces.found()
        found += left_for_the_grader(self.course / "autograded" / ATTACKER, page)
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


def kill(process: int) -> None:
    """End a process that may have ended by itself."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass
