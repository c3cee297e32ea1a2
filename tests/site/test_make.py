"""What ``make`` does again and what it leaves alone, with stand-ins for the programs it runs."""

import os
import shutil
import subprocess
import sys

import pytest
from site_pages import ROOT

STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> calls.log
case "$(basename "$0") $1" in
  "autograder notebooks") test "$2" = --keep && cp solutions/gru.py notebooks/gru/gru.ipynb ;;
  "jupyter-book build")
    mkdir -p _build/.jupyter_cache _build/.doctrees _build/html/book
    test ! -e fail ;;
esac
"""


WRITTEN = {
    "requirements.txt": "torch==0\n",
    "constraints.txt": "torch==0\n",
    "pyproject.toml": "[project]\n",
    "_config.yml": "nb_custom_formats: {.py: autograder.material.notebooks.page}\n",
    "_toc.yml": "root: book/gru/two-gates\n",
    "autograder/__init__.py": "",
    "autograder/course/__init__.py": "",
    "autograder/course/reference.py": "def late():\n    from .figures import style\n",
    "autograder/course/figures/style.py": "",
    "autograder/material/notebooks.py": "",
    "autograder/grading/run.py": "from autograder.course import reference\n",
    "autograder/outlets/exports.py": "",
    "autograder/demo/run.py": "",
    "solutions/gru.py": "from autograder import check\n",
    "book/gru/two-gates.md": (
        "```{code-cell} ipython3\n:tags: [hide-input]\n%matplotlib inline\n"
        "from autograder.course import reference\n```\n"
    ),
    "book/_ext/course_site.py": "",
    "book/_ext/course_wheel.py": "",
    "book/_ext/run_parts.py": "",
    "notebooks/gru/gru.ipynb": "from autograder import check\n",
}


@pytest.fixture
def copy(tmp_path):
    """A course with one chapter, one exercise and a .venv of programs that only take notes."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name, text in WRITTEN.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    shutil.copy(ROOT / "book" / "_ext" / "executed_code.py", tmp_path / "book" / "_ext")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "pip", "autograder", "jupyter-book"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    return tmp_path


PARTS = "python book/_ext/run_parts.py"
"""Writes what the pages run."""


def make(copy, *, fails=False) -> list[str]:
    """Run make; the programs it called, in order."""
    log = copy / "calls.log"
    log.unlink(missing_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", f"PYTHON={sys.executable}"],
        cwd=copy,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return (
        [" ".join(line.split()[:2]) for line in log.read_text().splitlines()]
        if log.exists()
        else []
    )


def edit(path):
    path.write_text(path.read_text() + "# changed\n")


@pytest.fixture
def built(copy):
    """The course after a first make, all of it a minute ago."""
    make(copy)
    for path in copy.rglob("*"):
        stat = path.stat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - 60 * 10**9))
    return copy


def test_first_make_does_everything_without_a_history(copy):
    assert make(copy) == [
        "python -m",
        "python -m",
        "python -m",
        "autograder notebooks",
        PARTS,
        "jupyter-book build",
    ]


def test_second_make_does_nothing(built):
    assert make(built) == []


def test_an_edited_chapter_keeps_what_was_executed(built):
    edit(built / "book" / "gru" / "two-gates.md")
    (built / "_build" / ".jupyter_cache" / "result").touch()
    assert make(built) == ["jupyter-book build"]
    assert (built / "_build" / ".jupyter_cache" / "result").exists()


IMPORTED = ("autograder/course/reference.py", "autograder/course/figures/style.py")


@pytest.mark.parametrize("name", [*IMPORTED, "constraints.txt"])
def test_results_are_forgotten_when_code_or_versions_change(built, name):
    (built / "_build" / ".jupyter_cache" / "result").touch()
    (built / "_build" / ".doctrees" / "page").touch()
    edit(built / name)
    assert make(built)[-1] == "jupyter-book build"
    assert not (built / "_build" / ".jupyter_cache" / "result").exists()
    assert not (built / "_build" / ".doctrees" / "page").exists()


@pytest.mark.parametrize("name", ["grading/run.py", "outlets/exports.py", "demo/run.py"])
def test_code_that_no_page_imports_executes_nothing_again(built, name):
    """The site hands out the package, so it is built."""
    (built / "_build" / ".jupyter_cache" / "result").touch()
    edit(built / "autograder" / name)
    assert make(built) == [PARTS, "jupyter-book build"]
    assert (built / "_build" / ".jupyter_cache" / "result").exists()


def executed_code() -> set[str]:
    """The files on which the results of this course's pages depend."""
    script = ROOT / "book" / "_ext" / "executed_code.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_book_depends_on_what_it_computes_with_and_not_on_grading():
    found = executed_code()
    wanted = {
        "autograder/course/reference.py",
        "autograder/course/figures/style.py",
        "experiments/show.py",
    }
    assert wanted <= found
    rooms = {"/".join(name.split("/")[:2]) for name in found}
    assert not rooms & {"autograder/grading", "autograder/outlets", "autograder/demo"}


def test_everything_that_the_imports_of_the_pages_load_is_found():
    """What Python itself loads for them, in a process of its own; the walk may find more."""
    code = """
import runpy, sys
walk = runpy.run_path("book/_ext/executed_code.py")
from pathlib import Path
import importlib
for name in walk["beginnings"](Path(".")):
    if name.split(".")[0] in walk["PACKAGES"]:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            importlib.import_module(name.rpartition(".")[0])
for name, module in sorted(sys.modules.items()):
    if name.split(".")[0] in walk["PACKAGES"] and getattr(module, "__file__", None):
        print(Path(module.__file__).relative_to(Path.cwd()).as_posix())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert len(loaded) > 20
    assert loaded <= executed_code()


def test_changed_templates_write_every_page_again(built):
    (built / "_build" / "html" / "old.html").touch()
    edit(built / "book" / "_ext" / "course_site.py")
    assert make(built) == ["jupyter-book build"]
    assert not (built / "_build" / "html" / "old.html").exists()


def test_a_failed_build_fails_make_again(built):
    (built / "fail").touch()
    edit(built / "book" / "gru" / "two-gates.md")
    assert make(built, fails=True) == ["jupyter-book build"]
    # Otherwise Sphinx would say nothing about pages it has read, and the second make would pass.
    assert not (built / "_build" / ".doctrees").exists()
    assert make(built, fails=True) == ["jupyter-book build"]


@pytest.mark.parametrize("name", ["solutions/gru.py", "pyproject.toml"])
def test_notebooks_follow_what_they_are_made_from(built, name):
    edit(built / name)
    assert "autograder notebooks" in make(built)


def test_notebooks_follow_the_address(built):
    edit(built / "_config.yml")
    assert make(built) == ["autograder notebooks", PARTS, "jupyter-book build"]
