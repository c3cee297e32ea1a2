"""``make check`` runs the tests of what was changed, and of every room that may import it."""

import os
import runpy
import shutil
import subprocess
import sys

import pytest
from site_pages import ROOT

touched = runpy.run_path(str(ROOT / "tests" / "touched.py"))
chosen = touched["chosen"]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("autograder/demo/run.py", {"demo"}),
        ("autograder/outlets/report_page/report.css", {"outlets", "demo", "other_course"}),
        (
            "autograder/grading/run.py",
            {"grading", "outlets", "demo", "accidents", "attacks", "other_course"},
        ),
        (
            "autograder/course/reference.py",
            set(touched["ABOVE"]) - {"player", "checking", "site"},
        ),
        ("experiments/claims.py", {"experiments"}),
        ("tests/attacks/attack_corpus/papers.py", {"attacks"}),
        ("tests/grading/test_dask.py", {"grading/test_dask.py"}),
        ("book/gru/two-gates.md", {"site"}),
        ("Makefile", {"site"}),
        ("CHANGELOG.md", set()),
    ],
)
def test_a_change_runs_its_own_tests_and_those_above(path, wanted):
    assert chosen([path]) == sorted(f"tests/{name}" for name in wanted)


@pytest.mark.parametrize("path", ["pyproject.toml", "tests/scenes/engine_scene.py"])
def test_what_all_depend_on_runs_all(path):
    assert chosen([path]) == sorted(f"tests/{room}" for room in touched["ABOVE"])


def test_a_file_in_a_chosen_folder_is_not_named_twice():
    assert chosen(["tests/grading/test_dask.py", "autograder/outlets/exports.py"]) == [
        "tests/demo",
        "tests/grading/test_dask.py",
        "tests/other_course",
        "tests/outlets",
    ]
    assert "tests/grading/test_dask.py" not in chosen(
        ["tests/grading/test_dask.py", "autograder/grading/run.py"]
    )


def test_every_room_and_every_folder_of_tests_is_in_the_table():
    rooms = {p.parent.name for p in (ROOT / "autograder").glob("*/__init__.py")}
    folders = {
        p.parent.relative_to(ROOT / "tests").parts[0] for p in ROOT.glob("tests/*/test_*.py")
    }
    assert rooms | folders <= set(touched["ABOVE"])
    assert {name for above in touched["ABOVE"].values() for name in above} <= set(touched["ABOVE"])


def test_a_folder_of_tests_is_there_for_every_name():
    named = set(touched["ABOVE"]).union(*touched["ELSEWHERE"].values())
    assert [name for name in named if not (ROOT / "tests" / name).is_dir()] == []


def test_the_files_that_begin_first_or_are_slow_are_there(pytestconfig):
    tests = ROOT / "tests"
    conftest = pytestconfig.pluginmanager.get_plugin(str(tests / "conftest.py"))
    named = {*conftest.LONG, *conftest.SLOW_FILES}
    assert [name for name in named if not (tests / name).is_file()] == []


@pytest.mark.parametrize("around", [False, True], ids=["no history", "another repository's"])
def test_a_copy_without_history_says_so_and_tests_all(tmp_path, around):
    copy = tmp_path / "course" / "tests" / "touched.py"
    copy.parent.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "touched.py", copy)
    if around and shutil.which("git") is None:
        pytest.skip("git is not on this machine")
    if around:
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    done = subprocess.run(
        [sys.executable, copy], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "tests\n"
    assert done.stderr.startswith("Nothing says what differs from main (")
    assert ("the history here is that of" in done.stderr) == around
