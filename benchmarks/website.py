"""Measure building the website on this machine: ``make bench-site``.

Works on a copy of the checkout that shares its environment, so nothing here is rebuilt or lost.
"""

import gzip
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).parents[1]
NAMES = [str(name) for name in parse_toc_yaml(ROOT / "_toc.yml")]
COPIED = (
    "Makefile",
    "_config.yml",
    "_toc.yml",
    "requirements.txt",
    "constraints.txt",
    "pyproject.toml",
    "nbgrader_config.py",
    "autograder",
    "book",
    "notebooks",
    "solutions",
    "tests",
)


def make(folder: Path) -> float:
    """Seconds one ``make`` takes."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    start = time.perf_counter()
    # The environment is shared and complete, whatever the times of the copied files say.
    done = subprocess.run(
        ["make", "-o", ".venv/.installed", "-o", "_build/stamps/notebooks"],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - start


def weight(html: Path, page: str) -> tuple[int, int]:
    """Bytes of a page's text, plain and compressed."""
    data = (html / page).read_bytes()
    return len(data), len(gzip.compress(data))


def main():
    """Build a copy of the site four times, and print the seconds and the pages' sizes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "course"
        folder.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy(source, folder / name)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        (folder / "_build" / "stamps").mkdir(parents=True)
        (folder / "_build" / "stamps" / "notebooks").touch()

        chapter = folder / "book" / "gru" / "two-gates.md"
        rows = [
            (f"make, everything new ({len(NAMES)} pages)", make(folder)),
            ("make, nothing changed", make(folder)),
        ]
        chapter.write_text(chapter.read_text() + "\nOne more sentence.\n")
        rows.append(("make, one sentence of a chapter changed", make(folder)))
        text = chapter.read_text()
        first = text.index("```{code-cell}")
        end = text.index("\n```", first)
        chapter.write_text(text[:end] + "\nunused = 1" + text[end:])
        rows.append(("make, one cell of a chapter changed", make(folder)))
        for what, seconds in rows:
            print(f"{seconds:8.1f} s  {what}")
        for name in NAMES:
            page = f"{name}.html"
            plain, packed = weight(folder / "_build" / "html", page)
            print(f"{plain / 1000:8.0f} kB  {packed / 1000:5.0f} kB gzipped  {page}")


if __name__ == "__main__":
    main()
