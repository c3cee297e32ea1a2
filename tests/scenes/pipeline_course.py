"""A copy of the course in which the tests run real commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

COURSE = Path(__file__).parents[2]
ASSIGNMENTS = sorted(path.stem for path in (COURSE / "solutions").glob("*.py"))


class Course:
    """A copy of the course in a folder of its own, with its own Jupyter settings."""

    def __init__(self, folder: Path):
        self.root = folder / "course"
        self.root.mkdir()
        for name in ("nbgrader_config.py", "_config.yml"):
            shutil.copy(COURSE / name, self.root)
        for name in ("solutions", "notebooks"):
            shutil.copytree(COURSE / name, self.root / name)
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("AUTOGRADER_")
        }
        self.environment |= {
            "JUPYTER_CONFIG_DIR": str(folder / "jupyter-config"),
            "JUPYTER_DATA_DIR": str(folder / "jupyter-data"),
            "IPYTHONDIR": str(folder / "ipython"),
        }

    def run(self, *command: str, cwd: Path | None = None, status: int = 0) -> str:
        """Run a command and return all it said; fail the test where it ends in another status."""
        program = Path(sys.executable).parent / command[0]
        done = subprocess.run(
            [str(program), *command[1:]],
            cwd=cwd or self.root,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=600,
        )
        assert done.returncode == status, f"{' '.join(command)}\n{done.stdout}"
        return done.stdout

    def read(self, path: str) -> nbformat.NotebookNode:
        return nbformat.read(self.root / path, as_version=4)
