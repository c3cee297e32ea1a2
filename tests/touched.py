"""Which tests a change may break: ``make check`` runs the fast ones among them.

    python tests/touched.py

prints the folders and files of tests for everything that differs from ``main``, or from the commit
before where this is ``main``; uncommitted changes count. A change in a room of the code runs its own
tests and those of every room that may import it. A copy without a history, such as a downloaded zip,
differs from nothing that can be named: it says so and runs all.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Each room, and what lies right above it in the house; demo is where the command's tests are.
ABOVE = {
    "player": ("checking", "attacks", "accidents"),
    "checking": ("course",),
    "course": ("material", "experiments"),
    "material": ("grading",),
    "grading": ("outlets", "attacks", "accidents", "other_course"),
    "outlets": ("demo", "other_course"),
    "demo": (),
    "experiments": (),
    "attacks": (),
    "accidents": (),
    "other_course": (),
    "site": (),
}

# What else is tested, and where; the first that fits counts.
ELSEWHERE = {
    "autograder/cli.py": ("demo", "grading", "outlets"),
    "autograder/terminal.py": ("grading",),
    "book/data/": ("experiments", "site"),
    "book/teach/": ("site", "demo", "outlets"),
    "book/": ("site",),
    "notebooks/": ("material",),
    "solutions/": ("material", "outlets"),
    "nbgrader_config.py": ("outlets",),
    "Makefile": ("site",),
    "_toc.yml": ("site",),
    "_config.yml": ("site",),
    ".gitignore": (),
    ".github/": ("site",),
    ".binder/": ("site",),
    ".ci/": ("site",),
    "browser/": ("site",),
}

# Every test may depend on these.
EVERYTHING = (
    "autograder/__init__.py",
    "pyproject.toml",
    "requirements.txt",
    "constraints.txt",
    "tests/conftest.py",
    "tests/scenes/",
)


def upwards(room: str) -> set[str]:
    """The room and all rooms above it."""
    return {room}.union(*(upwards(above) for above in ABOVE[room]))


def tests_of(path: str) -> set[str]:
    """Names in ``tests/`` of what a change of this file may break."""
    top, *rest = path.split("/")
    if path.startswith(EVERYTHING):
        return set(ABOVE)
    if top == "tests":
        room = rest[0]
        if rest[-1].startswith("test_"):
            return {"/".join(rest)}
        return {room} if room in ABOVE else {"site"}
    if top == "autograder" and rest[0] in ABOVE:
        return upwards(rest[0])
    if top in ABOVE:
        return upwards(top)
    return set(next((places for start, places in ELSEWHERE.items() if path.startswith(start)), ()))


def chosen(paths: Iterable[str]) -> list[str]:
    """What pytest is to run for these changes: folders, and files that lie in none of them."""
    found = set().union(*map(tests_of, paths))
    return sorted(f"tests/{name}" for name in found if not found & set(Path(name).parent.parts))


def git(*words: str) -> list[str]:
    """The lines that git says. Raises CalledProcessError, and FileNotFoundError without git."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


class NoHistory(Exception):
    """Says why git cannot tell what differs."""


def changed() -> list[str]:
    """What differs from ``main``, or from the commit before where nothing was committed since.

    Raises NoHistory, also where the history is that of another repository around this copy.
    """
    try:
        (top,) = git("rev-parse", "--show-toplevel")
        if not ROOT.samefile(top):
            raise NoHistory(f"the history here is that of {top}")
        return since_main()
    except FileNotFoundError as error:
        raise NoHistory("git is not on this machine") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()
        raise NoHistory(f"git says: {said[0] if said else error}") from error


def since_main() -> list[str]:
    (here,) = git("rev-parse", "HEAD")
    branches = git(
        "for-each-ref", "--format=%(refname)", "refs/heads/main", "refs/remotes/origin/main"
    )
    (base,) = git("merge-base", branches[0], "HEAD") if branches else [here]
    if base == here:
        base = "HEAD~1"
    return [*git("diff", "--name-only", base), *git("ls-files", "--others", "--exclude-standard")]


def main() -> None:
    """Print what to run; everything, and why, where git cannot say what changed."""
    try:
        paths = changed()
    except NoHistory as reason:
        print(f"Nothing says what differs from main ({reason}): all are run.", file=sys.stderr)
        print("tests")
        return
    there = [name for name in chosen(paths) if (ROOT / name).exists()]
    if paths:
        there.append("tests/test_house.py")  # the rules of the house are read off every file
    print("\n".join(there))


if __name__ == "__main__":
    main()
