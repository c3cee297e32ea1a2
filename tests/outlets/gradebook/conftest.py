"""A course whose assignment nbgrader has registered, which the tests of the gradebook share."""

import shutil
import sys

import nbformat
import pytest
from gradebook_scene import DUE, EARLY, RULES, Both, cells_of
from nbgrader.api import Gradebook
from pipeline_course import Course

from autograder.grading.graded import Entry
from autograder.outlets.gradebook import gradebook_url


@pytest.fixture(scope="module")
def course(tmp_path_factory, registered) -> Course:
    """A course in which nbgrader has registered the assignment; the deadline is DUE."""
    course = Course(tmp_path_factory.mktemp("gradebook"))
    shutil.copy(registered / "gradebook.db", course.root)
    shutil.copytree(registered / "_build", course.root / "_build")
    with Gradebook(gradebook_url(course.root), "gated-memory") as book:
        book.update_or_create_assignment("gru", duedate=DUE)
        book.add_student("ada", first_name="Ada", last_name="King", email="ada@example.org")
        book.add_student("zoe", first_name="Zoe", last_name="Never", lms_user_id="17")
    return course


@pytest.fixture(scope="module")
def released(course) -> nbformat.NotebookNode:
    return course.read("_build/release/gru/gru.ipynb")


@pytest.fixture
def fresh(course, tmp_path):
    """Call it for the address of another copy of the registered, empty gradebook."""

    def copy(name: str = "gradebook") -> str:
        shutil.copy(course.root / "gradebook.db", tmp_path / f"{name}.db")
        return f"sqlite:///{tmp_path / name}.db"

    return copy


@pytest.fixture
def entry(released) -> Entry:
    checks, solutions = cells_of(released)
    return Entry("ada", checks, dict.fromkeys(solutions, True), EARLY)


@pytest.fixture(params=RULES)
def both(request, course, fresh, tmp_path, released, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "rules")])
    sys.modules.pop("late", None)
    return Both(course, request.param, fresh, tmp_path, released)
