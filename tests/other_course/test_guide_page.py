"""The page "Teach your own course with it", followed word by word with an editable install."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from other_course_scene import EXAMPLE, REPOSITORY, Installed, hand_in

PAGE = (REPOSITORY / "book/teach/your-own-course.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def followed(confined, tmp_path_factory) -> tuple[Installed, dict[str, str]]:
    """The course after every command of the page, and what each of them said."""
    installed = Installed(tmp_path_factory.mktemp("editable"), "editable")
    said = {}
    for line in "".join(blocks("console")).splitlines():
        program, *words = shlex.split(line.removeprefix("$ "))
        if program == "pip":
            continue  # done: without a network it takes other options
        said[line.removeprefix("$ ")] = installed.command(program, *words)
        if words[0] == "notebooks":
            hand_in(installed, "ada", solved=True)
    return installed, said


def test_quoted_output_is_what_is_printed(followed):
    _, said = followed
    mistakes, notebooks = [block for block in blocks("text") if re.match(r"predict|\[1", block)]
    for line in mistakes.splitlines():
        assert line in said["autograder mistakes"].splitlines()
    assert flat(notebooks) == flat(said["autograder notebooks"])


def test_its_submission_is_graded_and_exported(followed):
    installed, _ = followed
    grade = json.loads((installed.course / "autograded/ada/regression/grade.json").read_text())
    assert sum(v["points"] for v in grade["verdicts"]) == 10
    assert (installed.course / "exports/regression-moodle.csv").is_file()
    assert (installed.course / "reports/regression.html").is_file()


def test_the_listed_files_are_the_files(followed):
    installed, _ = followed
    names = [line.split()[0] for line in blocks("text")[0].splitlines()]
    assert all((installed.course / name).is_file() for name in names)
    here = {p.relative_to(EXAMPLE).as_posix() for p in EXAMPLE.rglob("*") if p.is_file()}
    here = {n for n in here if "test_" not in n and n != "attack.py" and "__" not in n}
    assert here == {n for n in names if n != "nbgrader_config.py"}


def test_code_on_the_page_is_included_from_the_example():
    """Every included piece begins and ends somewhere: Sphinx would show all or nothing."""
    included = re.findall(r"^```\{literalinclude\} (.+)\n((?::.+\n)*)```", PAGE, re.MULTILINE)
    assert len(included) == 6
    for path, options in included:
        text = (REPOSITORY / "book/teach" / path).resolve().read_text(encoding="utf-8")
        for _, mark in re.findall(r':(start-at|end-before): "?([^"\n]+)"?', options):
            assert text.count(mark) == 1, mark


def test_points_and_exercises_follow_the_source(followed):
    """The table: another number of points, and an exercise left out."""
    installed, _ = followed
    source = installed.course / "solutions" / "regression.py"
    before = source.read_text(encoding="utf-8")
    head, *cells = re.split(r"\n(?=# %%)", before)
    kept = [cell for cell in cells if "descend" not in cell]
    text = "\n".join([head, *kept])
    mark = '"grade_id": "check-predict"'
    try:
        source.write_text(text.replace(mark, f'"points": 5, {mark}'), encoding="utf-8")
        said = installed.command("autograder", "notebooks", "--force")
    finally:
        source.write_text(before, encoding="utf-8")
    assert said.endswith("written: 4 exercises, 12 points; left out: descend\n")


def test_the_quoted_question_is_asked(followed):
    installed, _ = followed
    program = "from autograder import check\ndef sigmoid(x):\n    return x\nprint(check(sigmoid))"
    said = installed.run("-P", "-c", program)
    assert flat(blocks("text")[-1]) in flat(said)
