"""What ``make`` does again and what it leaves alone, with stand-ins for the programs it runs."""

import os
import shutil
import subprocess

import pytest
from site_pages import ROOT

STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> calls.log
case "$(basename "$0") $1" in
  "autograder notebooks") test -e solutions/gru.py && cp solutions/gru.py notebooks/gru/gru.ipynb ;;
  "jupyter-book build")
    mkdir -p _build/.jupyter_cache _build/.doctrees _build/html/book
    test ! -e fail ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout with one chapter, one exercise and a .venv of programs that only take notes."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (
        "requirements.txt",
        "constraints.txt",
        "pyproject.toml",
        "_config.yml",
        "_toc.yml",
        "autograder/course/reference.py",
        "solutions/gru.py",
        "book/gru/two-gates.md",
        "book/_ext/course_site.py",
        "notebooks/gru/gru.ipynb",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("torch==0\n")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "pip", "autograder", "jupyter-book"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    (tmp_path / ".gitignore").write_text("_build\n.venv\n*.log\n")
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "start"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def make(checkout, *, fails=False) -> list[str]:
    """Run make; the programs it called, in order."""
    log = checkout / "calls.log"
    log.unlink(missing_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make"], cwd=checkout, capture_output=True, text=True, env=environment)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return (
        [" ".join(line.split()[:2]) for line in log.read_text().splitlines()]
        if log.exists()
        else []
    )


def edit(path):
    path.write_text(path.read_text() + "changed\n")


@pytest.fixture
def built(checkout):
    """The checkout after a first make, all of it a minute ago."""
    make(checkout)
    for path in checkout.rglob("*"):
        if ".git" not in path.parts:
            stat = path.stat()
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - 60 * 10**9))
    return checkout


def test_first_make_does_everything(checkout):
    assert make(checkout) == [
        "python -m",
        "python -m",
        "python -m",
        "autograder notebooks",
        "jupyter-book build",
    ]


def test_second_make_does_nothing(built):
    assert make(built) == []


def test_an_edited_chapter_keeps_what_was_executed(built):
    edit(built / "book" / "gru" / "two-gates.md")
    (built / "_build" / ".jupyter_cache" / "result").touch()
    assert make(built) == ["jupyter-book build"]
    assert (built / "_build" / ".jupyter_cache" / "result").exists()


@pytest.mark.parametrize("name", ["autograder/course/reference.py", "constraints.txt"])
def test_results_are_forgotten_when_code_or_versions_change(built, name):
    (built / "_build" / ".jupyter_cache" / "result").touch()
    (built / "_build" / ".doctrees" / "page").touch()
    edit(built / name)
    assert make(built)[-1] == "jupyter-book build"
    assert not (built / "_build" / ".jupyter_cache" / "result").exists()
    assert not (built / "_build" / ".doctrees" / "page").exists()


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


def test_notebooks_follow_their_source(built):
    for _ in range(2):  # the second time they differ from what is committed, as written by make
        edit(built / "solutions" / "gru.py")
        assert make(built) == ["autograder notebooks", "jupyter-book build"]
        for path in (built / "_build" / "stamps").iterdir():
            os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10 * 10**9))


def test_a_students_work_is_not_overwritten(built):
    work = built / "notebooks" / "gru" / "gru.ipynb"
    edit(work)
    edit(built / "solutions" / "gru.py")
    assert make(built) == ["jupyter-book build"]
    assert work.read_text().endswith("changed\n")
