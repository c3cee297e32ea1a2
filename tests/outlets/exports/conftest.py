"""One gradebook and two classes in it, which the tests of the exports share."""

import os
import sys
from pathlib import Path

import pytest
from exports_scene import Classroom, awkward_class, make_gradebook, some_grade

from autograder.grading.graded import Graded


@pytest.fixture(scope="module", autouse=True)
def alembic():
    """nbgrader calls alembic by its bare name, which an environment that is not active hides."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def graded() -> Graded:
    """Everything right but two."""
    return some_grade()


@pytest.fixture(scope="module")
def gradebook(once) -> Path:
    """nbgrader's gradebook with two assignments and nobody in it; making one takes seconds."""
    made = once("gradebook", lambda folder: make_gradebook(folder / "gradebook.db"))
    return made / "gradebook.db"


@pytest.fixture(scope="module")
def lessons(tmp_path_factory, gradebook, graded) -> Classroom:
    """Everybody reads it, nobody changes it."""
    return awkward_class(tmp_path_factory.mktemp("class") / "course", gradebook, graded)


@pytest.fixture
def tiny(tmp_path, gradebook) -> Classroom:
    return Classroom(tmp_path / "course", gradebook)
