"""Engines and a course that many tests share."""

import shutil
from functools import partial
from pathlib import Path

import pytest
from engine_scene import SEED, Class, build_course

from autograder.course.gated_memory import COURSE
from autograder.grading.engine import Engine, confinement
from autograder.player.confine import LAYERS, Limits


@pytest.fixture(scope="session")
def confined() -> None:
    if confinement() != LAYERS:
        pytest.skip("this machine cannot confine submissions in full")


@pytest.fixture(scope="session")
def engine(confined):
    """With the limits of real grading."""
    with Engine(COURSE, seed=SEED) as engine:
        yield engine


@pytest.fixture(scope="session")
def strict(confined):
    """With short limits, for what never ends and what takes all memory."""
    limits = Limits(memory=600 << 20)
    with Engine(COURSE, seed=SEED, cell_seconds=1.5, call_seconds=1, limits=limits) as engine:
        yield engine


@pytest.fixture(scope="session")
def template(confined, once) -> Class:
    """A course with a gradebook, to be copied; one for all processes."""
    return Class(once("lstm-course", build_course) / "course")


@pytest.fixture(scope="session")
def registered(once) -> Path:
    """A course folder in which nbgrader has released ``gru``, to be copied from: what it wrote is
    ``gradebook.db`` and ``_build``. One for all processes."""
    return once("gru-course", partial(build_course, assignment="gru")) / "course"


@pytest.fixture
def course(template, tmp_path) -> Class:
    """A course in which nothing has been handed in yet."""
    shutil.copytree(template.root, tmp_path / "course")
    return Class(tmp_path / "course")
