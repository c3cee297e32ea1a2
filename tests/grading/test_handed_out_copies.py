"""What is handed in is mostly a copy that the site handed out: it earns what the release earns."""

import json

import pytest
from engine_scene import added, data, full, kinds, points, release, solved, text, untouched

from autograder.course.exercises import ASSIGNMENTS
from autograder.material import handed_out, papers, restoring

PACKAGES = (
    "https://someone.github.io/course/get/gated_memory-9.8.7-py3-none-any.whl",
    "gated-memory @ git+https://git.example/a/b@main",
)


def handed(paper: dict, package: str = PACKAGES[0]) -> dict:
    """The paper as a site hands it out, under this address."""
    there = json.loads(handed_out.copy_of(json.dumps(paper), package))
    assert f'PACKAGE = "{package}"' in "".join(map(text, there["cells"]))
    return there


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_solved_copy_earns_what_the_solved_release_earns(engine, assignment):
    for given, wanted in (
        (solved(assignment), full(assignment)),
        (untouched(assignment), dict.fromkeys(full(assignment), 0)),
    ):
        copy = engine.grade(data(handed(given)), assignment, "somebody", release(assignment))
        plain = engine.grade(data(given), assignment, "somebody", release(assignment))
        assert points(copy) == points(plain) == wanted
        assert copy.remarks == plain.remarks == ()


@pytest.mark.parametrize("package", PACKAGES)
def test_an_address_is_nothing_that_a_student_typed(package):
    paper = papers.read(data(handed(untouched(), package)))
    restored = restoring.restore(paper, release("lstm"))
    assert restored.sentences() == []
    assert paper["cells"][1]["source"] == release("lstm").official[0].source


def test_a_release_with_an_address_knows_copies_without_one():
    """A course that has moved, or had no address when its notebooks went out."""
    known = release("lstm")
    there = handed(solved())
    with_address = papers.Official(**{**vars(known.official[0]), "source": text(there["cells"][1])})
    moved = papers.Release(
        known.assignment, known.course, (with_address, *known.official[1:]), known.given
    )
    for copy in (solved(), handed(solved(), PACKAGES[1])):
        paper = papers.read(data(copy))
        assert restoring.restore(paper, moved).sentences() == []
        assert paper["cells"][1]["source"] == with_address.source


@pytest.mark.parametrize(
    "typed",
    [
        'PACKAGE = ""; import numpy',
        'PACKAGE = "x" or exit()',
        'PACKAGE = "x\\" + exit() + \\""',
        "PACKAGE = f''",
    ],
)
def test_more_than_an_address_is_an_edit_as_ever(typed):
    paper = solved()
    setup = paper["cells"][1]
    setup["source"] = text(setup).replace('PACKAGE = ""', typed)
    edited = restoring.restore(papers.read(data(paper)), release("lstm"))
    assert edited.edited == ("setup",)


def test_what_else_was_typed_into_the_first_cell_still_runs(engine):
    paper = handed(solved())
    paper["cells"][1]["source"] = f"{text(paper['cells'][1])}\nMINE = 1"
    paper = added(paper, "assert MINE == 1")
    graded = engine.grade(data(paper), "lstm", "somebody", release("lstm"))
    assert points(graded) == full("lstm")
    assert kinds(graded)
