"""The course that is attacked: a template with a stock configuration, and who runs nbgrader in it."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from functools import cache
from pathlib import Path

from autograder.material import notebooks as nb

COURSE = Path(__file__).parents[2]
ASSIGNMENTS = ("lstm", "gru", "gradients")
BYSTANDER = "zoe"
SEED = "20140903"
"""Stands for an instructor's secret seed."""

TOKEN = "ATTACK_SCENE"
"""The environment variable by which processes that an attack leaves are found."""

NOBODY = 65534

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
    hand_over(folder)
    for assignment in ASSIGNMENTS:
        _template_run(folder, "generate_assignment", assignment)
    _template_run(folder, "autograde", "lstm", "--student", BYSTANDER)
    return folder


def _template_run(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [python(), "-m", "nbgrader", *arguments],
        cwd=folder / "course",
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        **unprivileged(),
    )
    if done.returncode:
        raise RuntimeError(f"nbgrader {' '.join(arguments)} failed:\n{done.stdout}")


def environment(folder: Path) -> dict[str, str]:
    """The variables that nbgrader starts with in a copy of the template, nothing of its user's."""
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


def hand_over(folder: Path) -> None:
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
