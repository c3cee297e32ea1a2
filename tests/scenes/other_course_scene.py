"""The second course, installed beside the first one in a Python of its own, and its folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "tests" / "other_course"

KINDS = ("wheel", "editable")
"""How a package can be installed: copied into the packages' folder, or left where it is."""

SECRET = "quagga-" + "7091"
"""Put into every module that holds answers; nobody may find it."""

KNOWN = "okapi-" + "5503"
"""Put into the module that players load: whoever searches well finds it."""


def marked(folder: Path) -> Path:
    """A copy of the second course's package and folder, with the markers in it."""
    copy = folder / "regression"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "test_*.py")
    shutil.copytree(EXAMPLE, copy, ignore=ignored)
    for module in (copy / "other_course").glob("*.py"):
        text = module.read_text(encoding="utf-8")
        if module.stem == "at_play":
            text += f'\n\nNOTHING_SECRET = "{KNOWN}"\n'
        else:
            text += f'\n\nANSWER = "{SECRET}"\n'
        module.write_text(text, encoding="utf-8")
    shutil.copy(REPOSITORY / "nbgrader_config.py", copy)
    return copy


COMMANDS = {
    name: f"from {module} import main\n\nif __name__ == '__main__':\n    main()\n"
    for name, module in (
        ("autograder", "autograder.cli"),
        ("nbgrader", "nbgrader.apps.nbgraderapp"),
    )
}
"""As pip installs them: no folder but that of the command is on the path of modules."""


class Installed:
    """A Python that has the packages of this one and the second course."""

    def __init__(self, folder: Path, kind: str):
        self.kind, self.project = kind, marked(folder)
        self.home = folder / "python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.home)], check=True)
        self.python = str(self.home / "bin" / "python")
        self.packages = next(self.home.glob("lib/python*/site-packages"))
        line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        (self.packages / "these.pth").write_text(line, encoding="utf-8")
        # VIRTUAL_ENV names the Python of the tests; IPython remarks on being another one.
        others = ("AUTOGRADER_", "VIRTUAL_ENV")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(others)}
        self.environment = kept | {
            "PYTHONPATH": str(REPOSITORY),
            "PATH": os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"])),
            "JUPYTER_CONFIG_DIR": str(folder / "jupyter-config"),
            "JUPYTER_DATA_DIR": str(folder / "jupyter-data"),
            "JUPYTER_PATH": str(Path(sysconfig.get_path("data"), "share", "jupyter")),
            "IPYTHONDIR": str(folder / "ipython"),
        }
        for name, start in COMMANDS.items():
            (self.home / "bin" / name).write_text(start, encoding="utf-8")
        self.install(self.project)
        self.course = self.project
        """the course folder: beside the package, as in this repository, where that is editable"""
        if kind == "wheel":
            self.course = folder / "class"
            self.course.mkdir()
            for name in ("autograder.toml", "nbgrader_config.py"):
                (self.project / name).rename(self.course / name)
            (self.project / "solutions").rename(self.course / "solutions")

    def install(self, project: Path) -> None:
        """Install a project with pip, without a network."""
        offline = ("--no-index", "--no-deps", "--no-build-isolation", "--quiet")
        how = ("--editable",) if self.kind == "editable" else ()
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", self.python)
        done = subprocess.run(
            [*pip, "install", *offline, *how, str(project)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout

    def run(self, *arguments: str, cwd: Path | None = None, code: int = 0, input: str = "") -> str:
        """Run this Python and return what it says, standard error last. Fails for another code."""
        done = subprocess.run(
            [self.python, *arguments],
            cwd=cwd or self.course,
            env=self.environment,
            input=input,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == code, f"{' '.join(arguments)[:300]}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def command(self, name: str, *arguments: str, code: int = 0) -> str:
        """Run ``autograder`` or ``nbgrader`` in the course folder."""
        return self.run(str(self.home / "bin" / name), *arguments, code=code)

    def in_player(self, *cells: str, exercise: str = "predict", **more) -> list[str]:
        """What each of these cells prints in one player, or the error it ends with; then the verdict.

        The player is of the kind that the exercise needs. ``more``: ``course``, by default the
        second one, and what ``Engine`` takes.
        """
        asked = {"course": "regression", "cells": cells, "exercise": exercise, **more}
        return json.loads(self.run(__file__, input=json.dumps(asked)))


def hand_in(installed: Installed, student: str, solved: bool, **answers: str) -> Path:
    """Write a submission: the released notebook with right answers, or with these."""
    import nbformat

    name = "regression"
    paper = nbformat.read(installed.course / f"notebooks/{name}/{name}.ipynb", as_version=4)
    source = nbformat.read(installed.course / f"_build/source/{name}/{name}.ipynb", as_version=4)
    right = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in source.cells}
    for cell in paper.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell.source = answers[grade_id]
        elif solved and grade_id:
            cell.source = re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", right[grade_id])
    path = installed.course / "submitted" / student / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(paper, path)
    return path


def main() -> None:
    """Run the cells that standard input names in a player, and print what they say."""
    from autograder.checking import courses
    from autograder.checking.render import as_text
    from autograder.grading.engine import Engine

    asked = json.load(sys.stdin)
    course, cells = courses.find(asked.pop("course")), asked.pop("cells")
    exercise = course.get(asked.pop("exercise"))
    with Engine(course, accept_less=True, **asked) as engine:
        done = engine.run(cells, [exercise])
    said = [
        "".join(o.get("text") or f"{o.get('ename')}: {o.get('evalue')}" for o in done.outputs[n])
        for n in range(len(cells))
    ]
    print(json.dumps([*said, as_text(done.verdicts[exercise.name])]))


if __name__ == "__main__":
    main()
