"""On honest work the engine and stock execution, a real kernel, give the same points.

All variants of all assignments run one after the other in one kernel, each in a namespace that
``%reset`` has emptied, with the check cells as they were released; the engine gets each as a
notebook of its own. nbgrader reads the kernel's scores.
"""

from pathlib import Path

import nbformat
import pytest
from engine_scene import (
    SEED,
    added,
    by_name,
    data,
    place,
    points,
    release,
    solved,
    text,
    untouched,
    written,
)
from nbclient import NotebookClient
from nbgrader.utils import determine_grade

from autograder.course.exercises import ASSIGNMENTS

RIGHT_ANSWERS = Path(__file__).parents[1] / "course" / "right_answers"

AROUND = {
    "in float32": "return each(lambda a: a.astype(np.float32), right(*a, **k))",
    "off by a little": "return each(lambda a: a + 1e-7, right(*a, **k))",
    "only for small batches": "return each(lambda a: a if len(np.atleast_2d(a)) < 4 else 0 * a, right(*a, **k))",
    "changed input": "result = right(*a, **k); first(a, k)[...] = 0; return result",
    "printing": "print('x' * 5000); return right(*a, **k)",
    "warning": "warnings.warn('not so fast'); return right(*a, **k)",
    "counting": "calls.append(1); return each(lambda a: a + len(calls), right(*a, **k))",
    "raising": "raise ValueError('shapes (3,4) and (5,6) not aligned')",
    "nothing": "right(*a, **k)",
}
"""Half-right functions: what is done around a right one. Of every assignment's functions the first,
third and so on are wrapped, so that the others show whether they are still right."""

WRAPPER = """\
import functools, warnings
import numpy as np

def each(change, result):
    if isinstance(result, tuple):
        return tuple(each(change, part) for part in result)
    if isinstance(result, dict):
        return {{name: each(change, part) for name, part in result.items()}}
    return change(np.asarray(result))

def first(a, k):
    return next(v for v in (*a, *k.values()) if isinstance(v, np.ndarray) and v.ndim)

def wrapped(right):
    calls = []
    @functools.wraps(right)
    def f(*a, **k):
        {body}
    return f
"""

SWAPS = {
    "plus for minus": (" + ", " - "),
    "untransposed": (".T", ""),
    "sine for tanh": ("np.tanh", "np.sin"),
    "elementwise": (" @ ", " * "),
}
"""Slips in the right answers: the first such text in every function is replaced by another."""


def variants(assignment: str) -> dict[str, dict]:
    """Notebooks by what they are."""
    right, names = solved(assignment), [exercise.name for exercise in ASSIGNMENTS[assignment]]
    found = {"solved": right, "untouched": untouched(assignment)}
    module = (RIGHT_ANSWERS / f"{assignment}.py").read_text(encoding="utf-8")
    for number in range(5):
        chosen = "\n".join(
            f"{name} = RIGHT[{name!r}][{number}]\n{name}.__name__ = {name!r}" for name in names
        )
        found[f"right answers {number}"] = added(
            untouched(assignment), module, chosen, before=f"check-{names[0]}"
        )
        for name in names:  # the released stubs would come after it
            del found[f"right answers {number}"]["cells"][
                place(found[f"right answers {number}"], name)
            ]
    some = [name for name in names[::2] if name != "GRULayer"]
    for what, body in AROUND.items():
        paper = right
        for name in some:
            paper = added(paper, f"{name} = wrapped({name})", before=f"check-{name}")
        wrapper = WRAPPER.format(body=body.replace("; ", "\n        "))
        found[what] = added(paper, wrapper, before=f"check-{names[0]}")
    answers = by_name(right)
    for what, (old, new) in SWAPS.items():
        found[what] = written(right, **{name: answers[name].replace(old, new, 1) for name in names})
    return found


def by_a_kernel(papers: dict[tuple, dict]) -> dict[tuple, dict[str, float]]:
    """The points of each variant, from one kernel."""
    cells, sections = [], []
    for what, paper in papers.items():
        reset = nbformat.v4.new_code_cell("%reset -f\nimport matplotlib\nmatplotlib.use('agg')")
        section = [reset]
        for cell in paper["cells"]:
            if cell["cell_type"] != "code" or "skip-execution" in cell["metadata"].get("tags", []):
                continue
            made = nbformat.v4.new_code_cell(text(cell))
            made.metadata = nbformat.from_dict(cell["metadata"])
            section.append(made)
        cells += section
        sections.append((what, section))
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook,
        timeout=120,
        allow_errors=True,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=40", "--HistoryManager.hist_file=:memory:"],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_SEED", str(SEED))
        patch.setenv("NBGRADER_EXECUTION", "autograde")
        client.execute()
    return {what: dict(scores(section)) for what, section in sections}


def scores(cells):
    for cell in cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade") and not meta.get("solution"):
            yield meta.grade_id.removeprefix("check-"), determine_grade(cell)[0]


@pytest.fixture(scope="module")
def papers() -> dict[tuple[str, str], dict]:
    return {(name, what): p for name in ASSIGNMENTS for what, p in variants(name).items()}


@pytest.fixture(scope="module")
def by_stock(papers) -> dict[tuple[str, str], dict[str, float]]:
    return by_a_kernel(papers)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_points_are_those_of_a_real_kernel(engine, papers, by_stock, assignment):
    stock = {what: scored for (name, what), scored in by_stock.items() if name == assignment}
    ours = {
        what: points(engine.grade(data(paper), assignment, "somebody", release(assignment)))
        for (name, what), paper in papers.items()
        if name == assignment
    }
    assert ours == stock
    full = {exercise.name: exercise.points for exercise in ASSIGNMENTS[assignment]}
    assert stock["solved"] == full
    assert set(stock["untouched"].values()) == {0}
    for number in range(5):
        assert stock[f"right answers {number}"] == full
    between = [scored for scored in stock.values() if 0 < sum(scored.values()) < sum(full.values())]
    assert len(between) >= (2 if assignment == "gradients" else 6)
