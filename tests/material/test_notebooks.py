"""The notebooks students open: fresh, reproducible, and without a word of the answers."""

from __future__ import annotations

import re
import shutil

import nbformat
import pytest
from click.testing import CliRunner
from pipeline_course import ASSIGNMENTS, COURSE

from autograder.cli import main
from autograder.course import exercises, gated_memory
from autograder.material import notebooks as nb

HIDDEN = re.compile(
    r"### BEGIN SOLUTION\n(.*?)### END SOLUTION"
    r'|# %% \[markdown\] nbgrader=\{[^\n]*"solution": true[^\n]*\n(.*?)(?=\n# %%)',
    re.DOTALL,
)
"""What a student must not see of a source: solution regions and model answers."""


def hidden_and_visible(name: str) -> tuple[set[str], str]:
    """The lines a student must not see, and the text of the source around them."""
    text = (COURSE / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    blocks = ["".join(filter(None, match.groups())) for match in HIDDEN.finditer(text)]
    assert len(blocks) >= len(exercises.ASSIGNMENTS[name])
    lines = {line.strip().lstrip("# ") for block in blocks for line in block.split("\n")}
    return {line for line in lines if len(line) > 12}, HIDDEN.sub("", text)


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_what_is_committed_is_what_the_source_gives(name):
    assert nb.is_fresh(COURSE, name), f"run: autograder notebooks {name}"


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_same_source_gives_the_same_bytes(name):
    assert nb.source_notebook(COURSE, name) == nb.source_notebook(COURSE, name)
    assert nb.release_notebook(COURSE, name) == nb.release_notebook(COURSE, name)


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_nothing_of_the_answers_reaches_the_students(name):
    # The raw file: cell sources, metadata, outputs and attachments alike.
    released = nb.release_path(COURSE, name).read_text(encoding="utf-8")
    plain = released.replace('\\"', '"').replace("\\\\", "\\")
    hidden, visible = hidden_and_visible(name)
    # A hint may quote a line on purpose; it then stands in the visible part of the source.
    leaked = {line for line in hidden if plain.count(line) > visible.count(line)}
    assert not leaked
    for word in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "Rubric", "{{"):
        assert word not in released

    for cell in nbformat.reads(released, as_version=4).cells:
        assert set(cell.metadata) <= {"nbgrader", "deletable", "editable", "tags"}
        assert set(cell.metadata.get("nbgrader", {})) <= {
            "grade",
            "grade_id",
            "locked",
            "points",
            "schema_version",
            "solution",
            "cell_type",
            "checksum",
        }
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_exercise_has_its_cells_and_its_points(name):
    cells = nbformat.read(nb.release_path(COURSE, name), as_version=4).cells
    by_id = {c.metadata.nbgrader.grade_id: c for c in cells if "nbgrader" in c.metadata}
    functions = [exercise.name for exercise in exercises.ASSIGNMENTS[name]]
    for function in functions:
        answer, check = by_id[function], by_id[f"check-{function}"]
        assert answer.metadata.nbgrader.solution
        assert "raise NotImplementedError()" in answer.source
        assert re.search(rf"^(def|class) {function}\b", answer.source, re.MULTILINE)
        assert check.source == f"check({function})"
        assert check.metadata.nbgrader.points == gated_memory.COURSE.get(function).points
        assert check.metadata.editable is False
        box = next(c.source for c in cells if f"<code>{function}</code>" in c.source)
        points = gated_memory.COURSE.get(function).points
        assert f"{points:g} point{'s' if points != 1 else ''}" in box
        assert re.search(r"\d+ minutes · difficulty [1-5] of 5", box)
    checks = [key.removeprefix("check-") for key in by_id if key.startswith("check-")]
    assert checks == functions


def test_the_gru_is_worth_thirty_points():
    cells = nbformat.read(nb.release_path(COURSE, "gru"), as_version=4).cells
    graded = [c.metadata.nbgrader for c in cells if c.metadata.get("nbgrader", {}).get("grade")]
    assert sum(meta.points for meta in graded) == 30
    assert [meta.points for meta in graded if meta.solution] == [4]


def test_links_lead_somewhere():
    for cell in nbformat.read(nb.release_path(COURSE, "gru"), as_version=4).cells:
        for target, anchor in re.findall(r"\]\(([^)#]+\.md)(?:#([\w-]+))?\)", cell.source):
            page = (COURSE / "notebooks" / "gru" / target).resolve()
            assert page.is_file(), target
            if anchor:
                assert f"({anchor})=" in page.read_text(encoding="utf-8"), f"{target}#{anchor}"


@pytest.fixture
def copy(tmp_path):
    """A course with the sources only."""
    for name in ("nbgrader_config.py", "_config.yml"):
        shutil.copy(COURSE / name, tmp_path)
    shutil.copytree(COURSE / "solutions", tmp_path / "solutions")
    return tmp_path


def command(course, *arguments):
    return CliRunner().invoke(main, ["--course", str(course), *arguments])


def test_stale_notebooks_are_reported_with_the_command_that_helps(copy):
    assert command(copy, "notebooks").exit_code == 0
    assert command(copy, "notebooks", "--check").exit_code == 0
    source = copy / "solutions" / "gru.py"
    source.write_text(
        source.read_text(encoding="utf-8").replace("# # Build a GRU", "# # A GRU"), encoding="utf-8"
    )
    stale = command(copy, "notebooks", "--check")
    assert stale.exit_code == 1
    assert "Run: autograder notebooks gru" in stale.output


def test_a_failure_leaves_the_old_release_in_place(copy):
    assert command(copy, "notebooks").exit_code == 0
    release = nb.release_path(copy, "gru")
    before = release.read_bytes()
    source = copy / "solutions" / "gru.py"
    source.write_text(
        source.read_text(encoding="utf-8").replace("check(gru_step)", "check(gru)"),
        encoding="utf-8",
    )
    failed = command(copy, "notebooks")
    assert failed.exit_code == 2
    assert "check-gru_step has to read check(gru_step)" in failed.output
    assert release.read_bytes() == before


def run(notebook):
    notebook.cells[1].execution_count = 1


def answer(notebook):
    next(c for c in notebook.cells if "NotImplementedError" in c.source).source = "z = 1"


def add(notebook):
    notebook.cells.append(nbformat.v4.new_code_cell("z = 1"))


def reword(notebook):
    notebook.cells[0].source += "\nMy notes."


@pytest.mark.parametrize("work", [run, answer, add, reword])
def test_a_notebook_that_somebody_has_worked_in_is_not_overwritten(copy, work):
    """It needs no history to tell: `copy` has none."""
    assert command(copy, "notebooks").exit_code == 0
    release = nb.release_path(copy, "gru")
    worked_in = nbformat.read(release, as_version=4)
    work(worked_in)
    nbformat.write(worked_in, release)
    before = release.read_bytes()
    kept = command(copy, "notebooks")
    assert kept.exit_code == 1
    assert "somebody's work may be in it" in kept.output
    passed_over = command(copy, "notebooks", "--keep")
    assert passed_over.exit_code == 0
    assert "kept: somebody has worked in it" in passed_over.output
    assert passed_over.output.count("written") == len(ASSIGNMENTS) - 1
    assert release.read_bytes() == before
    assert command(copy, "notebooks", "--force").exit_code == 0
    assert release.read_bytes() != before


@pytest.mark.parametrize("damaged", [b"", b"{}", b"[]", b'{"cells": [', b"\xff\xfe"])
def test_what_is_no_notebook_any_more_is_somebodys_too(copy, damaged):
    nb.release_path(copy, "gru").parent.mkdir(parents=True)
    nb.release_path(copy, "gru").write_bytes(damaged)
    assert nb.is_worked_in(copy, "gru")


def test_a_fresh_notebook_of_another_text_is_nobodys_work(copy):
    """As where a copy without history was given another address before its first `make`."""
    assert command(copy, "notebooks").exit_code == 0
    for name, old, new in (
        ("_config.yml", 'url: ""', 'url: "https://github.com/someone/course"'),
        ("solutions/gru.py", "# # Build a GRU", "# # A GRU"),
    ):
        text = (copy / name).read_text(encoding="utf-8")
        assert old in text
        (copy / name).write_text(text.replace(old, new), encoding="utf-8")
    for name in ASSIGNMENTS:
        assert not nb.is_fresh(copy, name)
        assert not nb.is_worked_in(copy, name)
    assert command(copy, "notebooks").output.count("written") == len(ASSIGNMENTS)


def test_opening_and_saving_a_notebook_is_no_work(copy):
    assert command(copy, "notebooks").exit_code == 0
    release = nb.release_path(copy, "gru")
    opened = nbformat.read(release, as_version=4)
    opened.metadata.language_info.version = "3.13.1"
    nbformat.write(opened, release)
    assert not nb.is_fresh(copy, "gru")
    assert not nb.is_worked_in(copy, "gru")


def test_unknown_assignments_and_places_are_explained(copy, tmp_path_factory):
    unknown = command(copy, "notebooks", "gur")
    assert unknown.exit_code == 2
    assert f"assignments here: {', '.join(ASSIGNMENTS)}" in unknown.output
    nowhere = command(tmp_path_factory.mktemp("nowhere"), "notebooks")
    assert nowhere.exit_code == 2
    assert "not inside the course" in nowhere.output


def test_a_secret_seed_is_made_once(copy):
    assert command(copy, "secret-seed").exit_code == 0
    first = (copy / "secret_seed.txt").read_text(encoding="utf-8")
    assert int(first) >= 0
    assert command(copy, "secret-seed").exit_code == 1
    assert (copy / "secret_seed.txt").read_text(encoding="utf-8") == first


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_page_of_solutions_shows_every_answer_and_runs_every_cell(name, monkeypatch):
    monkeypatch.chdir(COURSE)
    text = (COURSE / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    page = nb.solution_page(text)
    shown = "\n".join(cell.source for cell in page.cells)
    assert page.cells[0].source.splitlines()[0].endswith(": solutions")
    assert "BEGIN SOLUTION" not in shown and "{{" not in shown
    assert "](../../" not in shown
    for exercise in exercises.ASSIGNMENTS[name]:
        assert f"check({exercise.name})" in shown
    assert all(cell.metadata in ({}, {"tags": ["hide-input"]}) for cell in page.cells)


def test_the_table_of_exercises_holds_every_exercise_once_with_its_points():
    rows = nb.exercise_table(COURSE)
    checked = [row for row in rows if row.graded_by == "its check"]
    records = [exercise for group in exercises.ASSIGNMENTS.values() for exercise in group]
    assert [row.title for row in checked] == [f"<code>{e.name}</code>" for e in records]
    assert [row.points for row in checked] == [e.points for e in records]
    by_hand = {row.assignment for row in rows if row.graded_by == "a person"}
    assert by_hand == set(exercises.ASSIGNMENTS)
    assert all(row.minutes >= 5 and 1 <= row.difficulty <= 5 for row in rows)
