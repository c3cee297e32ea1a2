"""The notebooks in real kernels: untouched, solved, and with another seed."""

from __future__ import annotations

import re

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.utils import determine_grade
from pipeline_course import COURSE

from autograder.material import notebooks as nb


def execute(notebook: nbformat.NotebookNode, **environment: str) -> nbformat.NotebookNode:
    """Run every cell, the worked examples too, as nbgrader would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AUTOGRADER_SEED", raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        client = NotebookClient(
            notebook,
            timeout=120,
            allow_errors=True,
            skip_cells_with_tag="none",
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=40"],
        )
        client.execute()
    return notebook


def scores(notebook) -> dict[str, float]:
    """Points by exercise, as nbgrader reads them from the outputs."""
    return {
        cell.metadata.nbgrader.grade_id.removeprefix("check-"): determine_grade(cell)[0]
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }


def printed(cell) -> str:
    """All that a cell printed: a kernel may hand over what was printed in several pieces."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def full_marks(notebook) -> dict[str, float]:
    return {
        cell.metadata.nbgrader.grade_id.removeprefix("check-"): cell.metadata.nbgrader.points
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }


@pytest.fixture(scope="module")
def untouched():
    notebook = nbformat.read(nb.release_path(COURSE, "gru"), as_version=4)
    return execute(notebook, NBGRADER_EXECUTION="autograde")


@pytest.fixture(scope="module")
def solved():
    notebook = nbformat.reads(nb.source_notebook(COURSE, "gru"), as_version=4)
    return execute(notebook, NBGRADER_EXECUTION="autograde")


def test_the_untouched_notebook_earns_nothing(untouched):
    assert scores(untouched) == dict.fromkeys(full_marks(untouched), 0)


def test_the_untouched_notebook_raises_only_not_implemented(untouched):
    for cell in untouched.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                assert output.ename == "NotImplementedError", cell.source
            assert output.get("name") != "stderr", output.text


def test_an_untouched_cell_is_called_not_written_yet(untouched):
    checks = [c for c in untouched.cells if c.source.startswith("check(")]
    assert len(checks) == 9
    for cell in checks:
        assert "not written yet" in printed(cell)
        assert {o.name for o in cell.outputs if o.output_type == "stream"} == {"stdout"}


def test_the_solutions_earn_full_marks(solved):
    assert scores(solved) == full_marks(solved)
    assert sum(scores(solved).values()) == 26


def test_the_solutions_raise_and_warn_about_nothing(solved):
    for cell in solved.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", output
            assert output.get("name") != "stderr", output.text


def test_worked_examples_give_the_numbers_in_the_text(solved):
    examples = 0
    for text, example in zip(solved.cells, solved.cells[1:], strict=False):
        if "skip-execution" not in example.metadata.get("tags", []):
            continue
        promised = re.search(r"you\s+should\s+see\s+`([^`]+)`", text.source)
        if not promised:
            continue
        first = promised.group(1)
        assert re.sub(r"\s+", "", first) in re.sub(r"\s+", "", printed(example)), text.source
        examples += 1
    assert examples == 7


def test_the_layer_example_is_as_close_as_promised(solved):
    example = next(c for c in solved.cells if 'print("largest difference' in c.source)
    assert re.search(r"device: (cpu|cuda)", printed(example))
    assert float(re.search(r"largest difference: (\S+)", printed(example)).group(1)) < 1e-6


def test_the_counts_are_those_of_the_text(solved):
    ours = next(c for c in solved.cells if c.source.startswith("print(count_gru_parameters"))
    theirs = next(c for c in solved.cells if c.source.startswith("print(sum(parameter.numel()"))
    assert printed(ours).split() == ["24", "24"]
    assert printed(theirs).split() == ["30"]
