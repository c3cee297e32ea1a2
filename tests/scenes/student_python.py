"""A student's own Python: NumPy, Jupyter's kernel and pip, and not the course's package."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

RUN = """
import sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for name in sys.argv[1:]:
    shell.run_cell(open(name, encoding="utf-8").read())
"""

THIS_PACKAGE = ("gated", "__editable__")


class StudentPython:
    """An environment in a folder with a space in its name, which is also where its notebooks lie.

    It is shown the packages that are installed here, by links, without those whose name begins with
    one of ``without``. It reaches no index.
    """

    def __init__(self, folder: Path, without: tuple[str, ...] = ()):
        packages = folder / "packages"
        packages.mkdir()
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if not path.name.startswith((*THIS_PACKAGE, *without)) and path.suffix != ".pth":
                (packages / path.name).symlink_to(path)
        self.home = folder / "my course"
        environment = self.home / ".venv"
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True
        )
        (purelib,) = (environment / "lib").glob("python*/site-packages")
        (purelib / "shown.pth").write_text(f"{packages}\n")
        self.python = environment / "bin" / "python"
        self.cells = folder / "cells"
        self.cells.mkdir()
        (self.cells / "run.py").write_text(RUN)

    def run(self, *cells: str, at: str = ".") -> str:
        """Run cells of a notebook that lies in this folder, as a kernel does; what they say."""
        for number, cell in enumerate(cells):
            (self.cells / f"{number}.txt").write_text(cell, encoding="utf-8")
        # IPython also imports what lies in the environment that VIRTUAL_ENV names.
        foreign = ("PIP_", "PYTHON", "VIRTUAL_ENV")
        settings = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        settings |= {
            "PIP_NO_INDEX": "1",
            "PIP_RETRIES": "0",
            "IPYTHONDIR": str(self.cells / "ipython"),
            "NO_COLOR": "1",
        }
        files = [str(self.cells / f"{number}.txt") for number in range(len(cells))]
        done = subprocess.run(
            [str(self.python), str(self.cells / "run.py"), *files],
            cwd=self.home / at,
            env=settings,
            capture_output=True,
            text=True,
        )
        return done.stdout + done.stderr
