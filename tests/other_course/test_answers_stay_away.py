"""A search for the second course's answers from inside a player, however the course is installed.

Each search also looks for something that is there, so that one which finds nothing has searched.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from other_course_scene import EXAMPLE, KNOWN, REPOSITORY, SECRET, Installed

from autograder.player.confine import LAYERS

ATTACK = (EXAMPLE / "attack.py").read_text(encoding="utf-8")

WITHOUT_NAMESPACES = tuple(layer for layer in LAYERS if layer != "namespaces")

MODULES = """
other_course other_course.course other_course.at_play regression regression_course
autograder.course autograder.course.gated_memory autograder.course.exercises autograder.checking
autograder.checking.courses autograder.course.reference
""".split()


TEXTS = {"secret": SECRET, "known": KNOWN, "pandas": "data analysis and manipulation library"}
"""What is looked for: the first must be found nowhere, the others where they are."""


def places(installed: Installed) -> list[str]:
    """Where the answers lie, told to whoever looks for them."""
    folders = [installed.packages, installed.project, installed.course, REPOSITORY]
    files = [*installed.home.rglob("other_course/*.py*"), *installed.home.rglob("other_course/*/*")]
    files += installed.project.rglob("*.py*")
    files += installed.course.rglob("solutions/*.py")
    files += (REPOSITORY / "autograder" / "course").glob("*.py")
    assert any(path.name == "course.py" for path in files)
    assert any(path.match("course.*.pyc") for path in files)
    return sorted(map(str, (*folders, *files)))


WAYS = {
    "wheel, torch": ("LinearModel", LAYERS),
    "wheel, plain, no namespaces": ("predict", WITHOUT_NAMESPACES),
    "editable, torch": ("LinearModel", LAYERS),
    "editable, plain": ("predict", LAYERS),
}
"""How the course is installed, and an exercise for the kind of player; the layers."""


@pytest.fixture(scope="module")
def installed(confined, tmp_path_factory) -> Callable[[str], Installed]:
    """The second course, installed in this way."""
    return cache(lambda kind: Installed(tmp_path_factory.mktemp(kind), kind))


@pytest.fixture(scope="module", params=WAYS)
def found(request, installed) -> dict[str, list[str]]:
    """What each search found in one player: in files, by name, in objects, in memory pages."""
    exercise, layers = WAYS[request.param]
    installed = installed(request.param.partition(",")[0])
    installed.run("-m", "compileall", "-q", str(installed.project / "other_course"))
    halves = {
        name: (text[: len(text) // 2].encode(), text[len(text) // 2 :].encode())
        for name, text in TEXTS.items()
    }
    there = places(installed)
    _, _, *said, _ = installed.in_player(
        "import pandas",
        ATTACK,
        f"in_files({halves}, {there})",
        f"in_objects({halves})",
        f"in_pages({halves})",
        f"by_name({[*MODULES, 'pandas']}, {there}, 'autograder.courses')",
        exercise=exercise,
        layers=layers,
        cell_seconds=120,
    )
    searches = ("files", "objects", "pages", "names")
    return {search: text.splitlines() for search, text in zip(searches, said, strict=True)}


def test_no_file_that_can_be_opened_holds_an_answer(found):
    assert not [line for line in found["files"] if not line.startswith("pandas ")]
    assert any(line.endswith("/pandas/__init__.py") for line in found["files"])


@pytest.mark.parametrize("search", ["objects", "pages"])
def test_no_answer_is_in_memory(found, search):
    assert {line.partition(" ")[0] for line in found[search]} == {"known", "pandas"}


def test_no_name_leads_to_an_answer(found):
    assert set(found["names"]) == {"import pandas", "source of pandas"}
