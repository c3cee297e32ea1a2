"""A notebook that leaves the course folder finds the course's package: its first cell, really run."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from pipeline_course import ASSIGNMENTS, COURSE
from student_python import StudentPython

from autograder.course import gated_memory
from autograder.material import handed_out
from autograder.material import notebooks as nb

URL = "https://github.com/someone/gated-memory"
SITE = "https://someone.github.io/gated-memory/"
WHEEL = handed_out.wheel_name(COURSE)
CELL = handed_out.first_cell(COURSE, gated_memory.COURSE)

WHERE = "print('from', autograder.__file__)"


def test_where_a_repository_has_its_site():
    assert handed_out.site_of(f"{URL}/") == SITE
    assert handed_out.site_of("https://github.com/someone/someone.github.io") == (
        "https://someone.github.io/"
    )
    for elsewhere in ("", "https://gitlab.com/someone/course", "https://github.com/someone"):
        assert handed_out.site_of(elsewhere) == ""


@pytest.fixture
def checkout(tmp_path):
    """What of a checkout says where its package is."""
    (tmp_path / "autograder").mkdir()
    (tmp_path / "autograder" / "__init__.py").touch()
    shutil.copy(COURSE / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("config", "package"),
    [
        ("", ""),
        ('repository: {url: "", branch: main}', ""),
        (f"repository: {{url: {URL}}}", f"{SITE}get/{WHEEL}"),
        ("html: {baseurl: https://course.example/gru}", f"https://course.example/gru/get/{WHEEL}"),
        (
            "repository: {url: https://gitlab.com/a/b, branch: next}",
            "gated-memory @ git+https://gitlab.com/a/b@next",
        ),
    ],
)
def test_the_package_comes_from_the_site_else_from_the_repository(checkout, config, package):
    (checkout / "_config.yml").write_text(config)
    assert handed_out.package_of(checkout, gated_memory.COURSE) == package
    cell = handed_out.first_cell(checkout, gated_memory.COURSE)
    assert f'\nPACKAGE = "{package}"\n' in cell
    assert handed_out.with_package(cell, "") == handed_out.with_package(CELL, "")


def test_another_courses_folder_has_no_wheel_of_this_one(checkout):
    """Its own package needs this one, so it cannot be installed alone."""
    (checkout / "_config.yml").write_text(f"repository: {{url: {URL}}}")
    shutil.rmtree(checkout / "autograder")
    assert handed_out.package_of(checkout, gated_memory.COURSE) == f"gated-memory @ git+{URL}@main"


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_a_copy_differs_in_its_address_alone(name):
    released = nb.release_path(COURSE, name).read_text(encoding="utf-8")
    there = handed_out.copy_of(released, f"{SITE}get/{WHEEL}")
    assert there != released
    assert handed_out.copy_of(there, "") == handed_out.copy_of(released, "")
    lines = [
        (mine, theirs)
        for mine, theirs in zip(released.splitlines(), there.splitlines(), strict=True)
        if mine != theirs
    ]
    assert len(lines) == 1 and f"{SITE}get/{WHEEL}" in lines[0][1]


def test_the_first_cell_is_plain_python():
    """A page without IPython compiles it as it stands."""
    compile(ast.parse(CELL), "first cell", "exec")
    assert CELL.count("PACKAGE = ") == 1


@pytest.fixture(scope="session")
def wheel(once):
    """A wheel of this name that brings ``autograder``, and needs what no index has."""

    def make(folder: Path):
        package = folder / "source"
        (package / "autograder").mkdir(parents=True)
        (package / "autograder" / "__init__.py").write_text("")
        (package / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
            f'[project]\nname = "gated-memory"\nversion = "{WHEEL.split("-")[1]}"\n'
            'dependencies = ["there-is-no-such-package-anywhere"]\n'
        )
        build = f"from setuptools import build_meta; build_meta.build_wheel({str(folder)!r})"
        subprocess.run([sys.executable, "-c", build], cwd=package, check=True, capture_output=True)

    return once("stand-in-wheel", make) / WHEEL


@pytest.fixture
def student(tmp_path):
    return StudentPython(tmp_path)


def test_the_wheel_beside_the_notebook_is_installed_without_a_network(student, wheel):
    shutil.copy(wheel, student.home)
    said = student.run(CELL, WHERE)
    assert f"from {student.home}" in said, said
    again = student.run(CELL, WHERE)
    assert again.strip().startswith(f"from {student.home}")


def test_the_wheel_of_the_site_is_installed(student, wheel, serve):
    package = f"{serve(wheel.parent)}{wheel.name}"
    said = student.run(handed_out.with_package(CELL, package), WHERE)
    assert f"from {student.home}" in said, said


def test_without_a_network_it_says_what_to_do(student):
    said = student.run(handed_out.with_package(CELL, f"http://127.0.0.1:9/get/{WHEEL}"), WHERE)
    assert "Unpack the assignment's zip" in said
    assert f"from {student.home}" not in said


def test_without_an_address_it_says_what_to_do(student):
    said = student.run(CELL)
    assert "Unpack the assignment's zip" in said
    assert "pip install -e ." in said


def test_without_pip_it_says_what_to_do(tmp_path, wheel):
    student = StudentPython(tmp_path, without=("pip",))
    shutil.copy(wheel, student.home)
    said = student.run(CELL)
    assert "No module named pip" in said
    assert "python -m ensurepip" in said


@pytest.mark.parametrize("platform", ["emscripten", "linux"])
def test_where_the_package_is_there_nothing_is_installed(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    exec(CELL, {"get_ipython": None})  # calling it would fail


def test_in_a_browser_pip_is_not_called(monkeypatch):
    """JupyterLite has the package from the start; where it has not, no process can be started."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setitem(sys.modules, "autograder", None)
    with pytest.raises(ModuleNotFoundError, match="is not in this Python"):
        exec(handed_out.with_package(CELL, f"{SITE}get/{WHEEL}"), {"get_ipython": None})


def test_the_wheels_name_is_the_one_that_notebooks_look_for():
    (pattern,) = {
        node.args[0].value
        for node in ast.walk(ast.parse(CELL))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "glob"
    }
    assert fnmatch(WHEEL, pattern)
