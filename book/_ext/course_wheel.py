"""The course's package as a wheel, made from a copy: a checkout stays as it is.

The same files give the same bytes: the copy has no times and no permissions of its own.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TIME = "315532800"
"""Seconds since 1970 at the first moment of 1980, the earliest that a zip file can tell."""

FILES = ("pyproject.toml", "README.md", "LICENSE")
PACKAGES = ("autograder", "experiments")

BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


class NoWheel(Exception):
    """The wheel could not be made; the message says why, and what helps."""


def write_wheel(root: Path, folder: Path, site: str = "") -> Path:
    """Make the wheel of the checkout at ``root`` and lay it into ``folder``. Returns its path.

    ``site`` is the address of the course's pages, which the cards of its checks then lead to.
    Nothing is fetched: setuptools, which PyTorch and nbgrader need too, is the one installed here.
    Raises NoWheel, with what setuptools said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch) / "source", Path(scratch) / "out"
        copy_package(root, source)
        if site:
            with (source / "pyproject.toml").open("a", encoding="utf-8") as project:
                project.write(f'\n[project.urls]\nDocumentation = "{site}"\n')
        out.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", BUILD, str(out)],
            cwd=source,
            env={**os.environ, "SOURCE_DATE_EPOCH": TIME},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = done.stderr.strip().splitlines()[-15:]
            raise NoWheel(
                "The course's wheel could not be made. setuptools 77 or newer does it; "
                f"`{sys.executable} -m pip install --upgrade setuptools` brings it. It said:\n"
                + "\n".join(said)
            )
        (wheel,) = out.glob("*.whl")
        return Path(shutil.copyfile(wheel, folder / wheel.name))


def copy_package(root: Path, target: Path) -> None:
    """Copy what the wheel is made from, contents alone, so that no umask is seen in it."""
    target.mkdir()
    for name in FILES:
        shutil.copyfile(root / name, target / name)
    for name in PACKAGES:
        shutil.copytree(
            root / name,
            target / name,
            copy_function=shutil.copyfile,
            ignore=shutil.ignore_patterns("__pycache__", ".*"),
        )
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
