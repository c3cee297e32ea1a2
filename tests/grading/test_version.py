"""A grade's version: what changes it, and what does not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
from engine_scene import COURSE, data, release, solved

from autograder.checking import courses
from autograder.course.gated_memory import COURSE as GATED_MEMORY
from autograder.grading.engine import Engine
from autograder.grading.engine import version as engine_version
from autograder.grading.version import MAKERS, digest_of, sources, version
from autograder.material.papers import NO_RELEASE
from autograder.player.confine import LAYERS, Limits

ROOTS = (*MAKERS, courses.declared_in("gated-memory"), *GATED_MEMORY.at_play)
PACKAGE = COURSE / "autograder"
FOUND = sorted(sources(ROOTS, {"autograder": PACKAGE}))
OTHERS = [
    "cli.py",
    "terminal.py",
    "outlets/report/__init__.py",
    "outlets/gradebook/writer.py",
    "demo/run.py",
    "course/figures/palette.py",
    "course/figures/style.py",
    "course/diagrams/cell_diagram.py",
    "checking/catalogue.py",
]
"""Files whose code is in no grade."""


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("package") / "autograder"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def digest(package: Path) -> str:
    return digest_of(sources(ROOTS, {"autograder": package}))


@pytest.fixture
def changed(copied):
    """Changes a byte of a file of the copy, and changes it back in the end."""
    before = []

    def change(path: Path) -> None:
        before.append((path, path.read_bytes()))
        path.write_bytes(before[0][1] + b"\n")

    yield change
    for path, content in before:
        path.write_bytes(content)


@pytest.mark.parametrize("name", FOUND)
def test_a_byte_of_what_can_change_a_grade_gives_another_version(copied, changed, name):
    before = digest(copied)
    changed(sources(ROOTS, {"autograder": copied})[name])
    assert digest(copied) != before


@pytest.mark.parametrize("path", OTHERS)
def test_a_byte_of_what_is_in_no_grade_gives_the_same_version(copied, changed, path):
    before = digest(copied)
    changed(copied / path)
    assert digest(copied) == before


def test_a_module_that_is_added_or_imported_in_a_function_counts(copied, changed):
    before = digest(copied)
    (copied / "grading" / "added.py").write_text("x = 1\n")
    assert digest(copied) == before
    engine = copied / "grading" / "engine.py"
    changed(engine)
    text = engine.read_text()
    engine.write_text(text + "\n\ndef late():\n    if late:\n        from . import added\n")
    with_import = digest(copied)
    (copied / "grading" / "added.py").write_text("x = 2\n")
    assert len({before, with_import, digest(copied)}) == 3


def test_the_answers_that_are_recorded_count():
    assert "autograder.course/recorded/public.npz" in FOUND


LOADED = """
import json, sys
from autograder.checking import courses
from autograder.course.gated_memory import COURSE as GATED_MEMORY
from autograder.grading.engine import Engine

def no_drawing(*args, **options):
    raise AssertionError("a grade is drawn")

for name, module in list(sys.modules.items()):
    for key, value in list(vars(module).items()) if name.startswith("autograder") else ():
        where = str(getattr(value, "__module__", ""))
        if callable(value) and where.startswith(("autograder.course.figures", "autograder.course.diag")):
            setattr(module, key, no_drawing)
with Engine(GATED_MEMORY, cell_seconds=10) as engine:
    graded, paper = engine.grade_file(sys.stdin.buffer.read(), "lstm")
assert graded.points, graded
names = {name for name in sys.modules if name.partition(".")[0] == "autograder"}
print(json.dumps(sorted(names)))
"""

IN_A_PLAYER = """
import json, sys
import autograder.player.zygote, autograder.player.cells
print(json.dumps(sorted(n for n in sys.modules if n.partition(".")[0] == "autograder")))
"""


@pytest.mark.parametrize("program", [LOADED, IN_A_PLAYER], ids=["the judge", "a player"])
def test_grading_loads_nothing_else_and_draws_nothing(confined, program):
    """So what is found by walking imports is all there is, and drawings are rightly left out."""
    done = subprocess.run(
        [sys.executable, "-c", program], input=data(solved()), capture_output=True, cwd=COURSE
    )
    assert done.returncode == 0, done.stderr.decode()
    drawings = ("autograder.course.figures", "autograder.course.diagrams")
    loaded = {name for name in json.loads(done.stdout) if not name.startswith(drawings)}
    assert loaded and loaded <= set(FOUND)


def test_a_module_that_is_not_there_is_said():
    with pytest.raises(LookupError, match="no module autograder.nothing"):
        sources(["autograder.nothing"], {"autograder": PACKAGE})


def test_another_course_counts_wherever_it_lies(tmp_path):
    (tmp_path / "other.py").write_text("import helper, numpy\nfrom autograder.player import wire\n")
    (tmp_path / "helper.py").write_text("")
    packages = {"autograder": PACKAGE, "other": tmp_path / "other.py"}
    found = sources(["other"], packages)
    assert {"other", "autograder", "autograder.player", "autograder.player.wire"} <= set(found)
    assert "helper" not in found and "numpy" not in found


# What is no code


def base(**changes) -> str:
    given = {
        "course": GATED_MEMORY,
        "seed": 1,
        "release": NO_RELEASE,
        "cell_seconds": 30.0,
        "call_seconds": 10.0,
        "submission_seconds": 300.0,
        "limits": Limits(),
        "layers": LAYERS,
    }
    return version(**given | changes)


CHANGES = {
    "seed": 2,
    "release": release("lstm"),
    "cell_seconds": 40,
    "call_seconds": 11,
    "submission_seconds": 301,
    "layers": LAYERS[1:],
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_setting_that_can_change_a_grade_gives_another_version(what):
    assert base(**{what: CHANGES[what]}) != base() == base(cell_seconds=30)


@pytest.mark.parametrize("limit", [field.name for field in fields(Limits)])
def test_a_limit_of_the_player_gives_another_version(limit):
    more = replace(Limits(), **{limit: getattr(Limits(), limit) + 1})
    assert base(limits=more) != base()


def test_a_library_a_python_and_a_recording_give_another_version(monkeypatch, tmp_path):
    from importlib import metadata

    versions = {base()}
    installed = metadata.version
    for library in ("numpy", "torch"):
        with monkeypatch.context() as patch:
            patch.setattr(
                metadata,
                "version",
                lambda name, library=library: "0" if name == library else installed(name),
            )
            versions.add(base())
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (3, 99, 0))
        versions.add(base())
    for content in (b"one", b"two"):
        (tmp_path / "answers.npz").write_bytes(content)
        monkeypatch.setenv("AUTOGRADER_RECORDING", str(tmp_path / "answers.npz"))
        versions.add(base())
    assert len(versions) == 6


def test_an_engine_has_the_version_of_its_own_settings(confined):
    official = release("lstm")
    with Engine(GATED_MEMORY, seed=3, cell_seconds=7, call_seconds=4) as engine:
        assert engine.version(official) == engine_version(GATED_MEMORY, 3, official, 7.0, 4.0)
        assert engine.version(official) != engine_version(GATED_MEMORY, 3, official)
