"""Damaged submissions are put in order, whatever happened to them. No kernels here."""

from __future__ import annotations

import copy
import json
import logging
import os
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import MetadataValidator
from pipeline_course import COURSE

from autograder.material import notebooks as nb
from autograder.outlets.nbgrader_steps import (
    ExportWithGaps,
    RestoreCells,
    TolerantExporter,
    _settle,
    prepare_submissions,
    safe_markdown,
)


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    """The released notebook, and the resources nbgrader passes with a submission of it."""
    root = tmp_path_factory.mktemp("gradebook")
    # A new gradebook asks alembic, by its bare name, for its version.
    scripts = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    source = root / "source" / "gru" / "gru.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(nb.source_notebook(COURSE, "gru"), encoding="utf-8")
    course = CourseDirectory(root=str(root), assignment_id="gru")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", scripts)
        GenerateAssignment(coursedir=course).start()
    released = nbformat.read(root / "release" / "gru" / "gru.ipynb", as_version=4)
    info = {"student": "someone", "assignment": "gru", "notebook": "gru", "db_url": course.db_url}
    with Gradebook(course.db_url) as gradebook:
        official = [c.name for c in gradebook.find_notebook("gru", "gru").source_cells]
    return released, {"nbgrader": info}, official


def test_an_assignment_that_is_not_registered_is_named_with_what_to_do(
    assignment, tmp_path, monkeypatch, caplog
):
    _, resources, _ = assignment
    address = resources["nbgrader"]["db_url"]
    monkeypatch.setattr("autograder.outlets.nbgrader_steps._gradebook_url", lambda course: address)
    monkeypatch.setattr("autograder.outlets.nbgrader_steps.get_logger", logging.getLogger)
    notebook = tmp_path / "submitted" / "ada" / "lstm" / "lstm.ipynb"
    prepare_submissions(
        assignment="lstm", student="*", notebooks=[str(notebook)], course=str(tmp_path)
    )
    assert "Register lstm first: nbgrader generate_assignment lstm" in caplog.text
    assert "released already, add --force" in caplog.text  # nbgrader skips it otherwise


def restore(paper, resources):
    restored, _ = RestoreCells().preprocess(paper, resources)
    return restored


def graded(paper) -> dict[str, int]:
    """Where each cell of the assignment stands."""
    return {
        cell.metadata.nbgrader.grade_id: place
        for place, cell in enumerate(paper.cells)
        if "nbgrader" in cell.metadata
    }


def assert_in_order(paper, official):
    MetadataValidator().validate_nb(paper)
    places = graded(paper)
    assert set(places) == set(official)
    for name in official:
        if name.startswith("check-"):
            assert paper.cells[places[name]].source == f"check({name.removeprefix('check-')})"


def test_a_sound_submission_stays_as_it_is(assignment):
    released, resources, official = assignment
    paper = restore(copy.deepcopy(released), resources)
    assert [c.source for c in paper.cells] == [c.source for c in released.cells]
    assert list(graded(paper)) == official


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"nbgrader": None},
        {"nbgrader": {}},
        {"nbgrader": {"grade_id": 7}},
        {"nbgrader": {"grade_id": "somewhere-else", "schema_version": 1}},
    ],
)
def test_lost_and_broken_metadata_is_written_again(assignment, metadata):
    released, resources, official = assignment
    paper = copy.deepcopy(released)
    for number, cell in enumerate(paper.cells):
        cell.metadata = nbformat.from_dict(metadata)
        cell.id = f"new-{number}"
    paper = restore(paper, resources)
    places = graded(paper)
    assert_in_order(paper, official)
    functions = [name for name in official if f"check-{name}" in official]
    for name in functions:
        assert f"{name}(" in paper.cells[places[name]].source
        assert places[name] < places[f"check-{name}"]


def test_a_function_written_elsewhere_counts(assignment):
    released, resources, official = assignment
    paper = copy.deepcopy(released)
    at = graded(paper)["update_gate"]
    paper.cells[at] = nbformat.v4.new_code_cell("def update_gate(x, h_prev, params):\n    return 1")
    paper = restore(paper, resources)
    assert paper.cells[graded(paper)["update_gate"]].source.endswith("return 1")


def test_of_two_copies_the_one_that_was_changed_counts(assignment):
    released, resources, _ = assignment
    paper = copy.deepcopy(released)
    at = graded(paper)["gru_step"]
    second = copy.deepcopy(paper.cells[at])
    second.update(source="def gru_step(x, h_prev, params):\n    return 2", id="second")
    paper.cells.insert(at + 1, second)
    paper = restore(paper, resources)
    assert paper.cells[graded(paper)["gru_step"]].source.endswith("return 2")
    assert len(paper.cells) == len(released.cells)  # the first was as given out


def test_a_tag_cannot_keep_a_check_from_running(assignment):
    released, resources, _ = assignment
    paper = copy.deepcopy(released)
    check = paper.cells[graded(paper)["check-gru_step"]]
    check.metadata.tags = ["skip-execution"]
    paper = restore(paper, resources)
    assert "tags" not in paper.cells[graded(paper)["check-gru_step"]].metadata


def test_a_code_cell_turned_into_text_is_code_again(assignment):
    released, resources, official = assignment
    paper = copy.deepcopy(released)
    cell = paper.cells[graded(paper)["update_gate"]]
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]
    paper = restore(paper, resources)
    nbformat.validate(paper)
    assert paper.cells[graded(paper)["update_gate"]].cell_type == "code"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_shuffle_of_damages_is_survived(assignment, data):
    released, resources, official = assignment
    paper = copy.deepcopy(released)
    draw = data.draw
    for _ in range(draw(st.integers(0, 12))):
        if not paper.cells:
            break
        at = draw(st.integers(0, len(paper.cells) - 1))
        damage = draw(st.sampled_from(["delete", "copy", "strip", "edit", "move", "type"]))
        cell = paper.cells[at]
        if damage == "delete":
            del paper.cells[at]
        elif damage == "copy":
            paper.cells.insert(at, copy.deepcopy(cell))
        elif damage == "strip":
            cell.metadata = nbformat.from_dict({})
        elif damage == "edit":
            cell.source = draw(
                st.sampled_from(["", "1/0", "def gru_step(): pass", cell.source * 2])
            )
        elif damage == "move":
            paper.cells.append(paper.cells.pop(at))
        else:
            cell.cell_type = "raw"
    assert_in_order(restore(paper, resources), official)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "not a notebook",
        json.dumps({"cells": 3}),
        "\ufeff{}",
        b"\xff\xfe{",
        json.dumps({"nbformat": 99, "nbformat_minor": 0, "metadata": {}}),
    ],
)
def test_a_file_that_is_no_notebook_becomes_one_that_says_so(assignment, content, tmp_path):
    _, resources, official = assignment
    file = tmp_path / "gru.ipynb"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    text, _ = TolerantExporter().from_filename(str(file))
    paper = nbformat.reads(text, as_version=4)
    assert "could not be read as a notebook" in paper.cells[0].source
    assert_in_order(restore(paper, resources), official)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
        "[a](javascript:alert(1))",
        "<JavaScript:alert(1)>",
        "[a]: javascript:alert(1)\n\n[x][a]",
        "[a](data:text/html,<script>alert(1)</script>)",
        '![x](x.png "t\\" onerror=alert(1)")',
        "| a |\n|---|\n| <script>alert(1)</script> |",
        "$<script>alert(1)</script>$",
        "`<script>`",
    ],
)
def test_no_script_of_a_text_cell_reaches_a_page(text):
    soup = BeautifulSoup(safe_markdown({}, text), "html.parser")
    assert not soup.find_all(["script", "iframe", "svg", "object", "style"])
    for tag in soup.find_all(True):
        assert set(tag.attrs) <= {"href", "src", "class", "id", "alt", "title"}
        for name in ("href", "src"):
            address = tag.attrs.get(name, "").lower()
            assert not address.startswith(("javascript:", "data:text", "vbscript:"))


def test_text_cells_keep_what_markdown_makes():
    cell = {"attachments": {"plot.png": {"image/png": "aGk="}}}
    text = (
        "**b** [a](https://example.org) $a<b$\n\n```python\nx = 1\n```\n\n![p](attachment:plot.png)"
    )
    soup = BeautifulSoup(safe_markdown({"cell": cell}, text), "html.parser")
    assert soup.strong.text == "b" and soup.a["href"] == "https://example.org"
    assert "$a<b$" in soup.text and "x = 1" in soup.text
    assert soup.img["src"].startswith("data:image/png;base64,aGk=")


def test_the_course_has_pages_use_it():
    settings = nb.nbgrader_settings(COURSE)
    path = settings.TemplateExporter.filters["markdown2html"]
    assert path == f"{safe_markdown.__module__}.{safe_markdown.__name__}"


def result(text):
    return nbformat.v4.new_output("execute_result", data={"text/plain": text})


@pytest.mark.parametrize(
    ("outputs", "kept"),
    [
        ([result("1.5")], True),
        ([nbformat.v4.new_output("stream", name="stderr", text="a warning"), result("2.0")], True),
        ([nbformat.v4.new_output("stream", name="stdout", text="text"), result("0.0")], True),
        ([], False),
        ([result("np.float64(2.0)")], False),
        ([result("'2.0'")], False),
        ([result("200")], False),
        ([result("-1")], False),
        ([result("nan")], False),
        ([result("2.0"), result("2.0")], False),
    ],
)
def test_a_check_leaves_one_number_within_its_points_or_an_error(outputs, kept):
    meta = {"nbgrader": {"grade": True, "solution": False, "points": 2}}
    cell = nbformat.v4.new_code_cell("check(update_gate)", outputs=outputs, metadata=meta)
    _settle(cell)
    assert all(output.get("name") != "stderr" for output in cell.outputs)
    assert any(output.output_type == "error" for output in cell.outputs) is not kept


@pytest.mark.filterwarnings("ignore:Object of type <Submitted")
def test_sums_in_an_export_have_two_decimals_and_gaps_stay(assignment, tmp_path):
    """0.1 + 0.2 is 0.30000000000000004 for a database, and no sum where something waits."""
    _, resources, official = assignment
    checks = [name for name in official if name.startswith("check-")]
    with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
        for student, points in {"tenths": 0.0, "waiting": None}.items():
            gradebook.add_student(student)
            gradebook.add_submission("gru", student)
            for name in checks:
                grade = gradebook.find_grade(name, "gru", "gru", student)
                grade.auto_score = 0.0
            for name, value in zip(checks, (0.1, 0.2, points), strict=False):
                gradebook.find_grade(name, "gru", "gru", student).auto_score = value
        gradebook.add_student("absent")
        gradebook.db.commit()
        plugin = ExportWithGaps()
        plugin.to = str(tmp_path / "grades.csv")
        plugin.export(gradebook)
        raw = gradebook.find_submission("gru", "tenths").score
        gradebook.remove_student("tenths")
        gradebook.remove_student("waiting")
        gradebook.remove_student("absent")
    assert raw != 0.3, "the database's own sum is off"
    lines = (tmp_path / "grades.csv").read_text().splitlines()[1:]
    found = {line.split(",")[3]: line.split(",")[7:10] for line in lines}
    assert found == {
        "tenths": ["0.3", "0.0", "0.3"],
        "waiting": ["", "0.0", ""],
        "absent": ["0.0", "0.0", "0.0"],
    }
