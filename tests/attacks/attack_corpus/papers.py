"""Attacks by the notebook itself: its cells, their metadata, its format."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from attack_corpus.record import RIGHT_SHAPES, Attack, checks

FAMILY = "The notebook as an attack"


def _each_check(do):
    def change(paper: NotebookNode) -> None:
        for cell in checks(paper):
            do(paper, cell)

    return change


def _tag(paper, cell):
    cell.metadata["tags"] = ["skip-execution"]


def _rewrite(paper, cell):
    cell.source = "'all right'"


def _unlock(paper, cell):
    cell.source = "'all right'"
    cell.metadata["nbgrader"] |= {"locked": False, "grade": False, "solution": True}


def _unlock_graded(paper, cell):
    cell.source = "'all right'"
    cell.metadata["nbgrader"] |= {"locked": False, "checksum": "0" * 32}


def _more_points(paper, cell):
    cell.metadata["nbgrader"]["points"] = 1000


def _delete(paper, cell):
    paper.cells.remove(cell)


def _double(paper, cell):
    twin = nbformat.from_dict(cell)
    twin.source, twin.id = "'all right'", f"{cell.id}-twin"
    paper.cells.insert(0, twin)


def _move(paper, cell):
    paper.cells.remove(cell)
    paper.cells.insert(0, cell)


def _markdown(paper, cell):
    cell.cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)


def _raw(paper, cell):
    cell.cell_type = "raw"
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)


def _other_type_in_metadata(paper, cell):
    cell.metadata["nbgrader"]["cell_type"] = "markdown"


def _by_hand(paper, cell):
    cell.metadata["nbgrader"] |= {"task": True, "solution": False, "grade": True}


def _result(paper, cell):
    points = cell.metadata["nbgrader"]["points"]
    data = {"text/plain": str(points)}
    cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]
    cell.execution_count = 1
    cell.metadata["tags"] = ["skip-execution"]


def _swap(paper):
    found = checks(paper)
    ids = [cell.metadata["nbgrader"]["grade_id"] for cell in found]
    for cell, grade_id in zip(found, ids[1:] + ids[:1], strict=True):
        cell.metadata["nbgrader"]["grade_id"] = grade_id


def _bonus(paper):
    cell = nbformat.v4.new_code_cell("100.0", id="bonus")
    cell.metadata["nbgrader"] = {
        "grade_id": "check-bonus",
        "grade": True,
        "locked": True,
        "solution": False,
        "points": 100,
        "schema_version": 3,
        "task": False,
        "cell_type": "code",
        "checksum": "0" * 32,
    }
    paper.cells.append(cell)


def _strip(paper):
    paper.metadata = nbformat.from_dict({})
    for cell in paper.cells:
        cell.metadata = nbformat.from_dict({})


def _kernel(name):
    def change(paper):
        paper.metadata["kernelspec"] = {"name": name, "display_name": name, "language": "cobol"}
        paper.metadata["language_info"] = {"name": "cobol"}

    return change


def _same_ids(paper):
    for cell in paper.cells:
        cell.id = "same"


def _script_in_words(paper):
    for cell in paper.cells:
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = "Because.\n\n<script>alert('instructor')</script>"


def _schema(version):
    def do(paper, cell):
        cell.metadata["nbgrader"]["schema_version"] = version

    return _each_check(do)


def _wrong_types(paper):
    for number, cell in enumerate(paper.cells):
        cell.metadata["nbgrader"] = ([], 7, "x", None, {"grade_id": ["a"], "points": "many"})[
            number % 5
        ]


def _old_format(text: str) -> str:
    cells = [
        {"cell_type": "code", "input": cell["source"], "outputs": [], "language": "python"}
        for cell in json.loads(text)["cells"]
        if cell["cell_type"] == "code"
    ]
    paper = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    return json.dumps(paper)


def _format(number):
    return lambda text: text.replace('"nbformat": 4', f'"nbformat": {number}')


def _metadata(value: str):
    return lambda text: text.replace('"kernelspec"', f'"size": {value}, "kernelspec"', 1)


def _huge(paper: Path) -> None:
    with paper.open("wb") as file:
        file.truncate(1000 << 20)


def _instead_of_it(make):
    def place(folder: Path) -> None:
        paper = next(folder.glob("*.ipynb"))
        paper.unlink()
        make(paper)

    return place


TAMPERED = (
    Attack(
        "A tag on every check",
        FAMILY,
        "Cells tagged `skip-execution` are not run, and a test without output counts as passed.",
        change=_each_check(_tag),
    ),
    Attack(
        "Results written in advance",
        FAMILY,
        "Every check comes with the result of a perfect answer and a tag that keeps it.",
        change=_each_check(_result),
    ),
    Attack(
        "Checks rewritten",
        FAMILY,
        "The source of every check is replaced by a word.",
        change=_each_check(_rewrite),
    ),
    Attack(
        "Checks unlocked",
        FAMILY,
        "The metadata of every check claims that it is an answer, and may be rewritten.",
        change=_each_check(_unlock),
    ),
    Attack(
        "Checks unlocked but graded",
        FAMILY,
        "The metadata claims that a check counts but is not locked.",
        change=_each_check(_unlock_graded),
    ),
    Attack(
        "Points raised",
        FAMILY,
        "Every check claims to be worth 1,000 points.",
        change=_each_check(_more_points),
    ),
    Attack(
        "Checks deleted",
        FAMILY,
        "What is not there cannot fail.",
        change=_each_check(_delete),
    ),
    Attack(
        "Checks twice",
        FAMILY,
        "Every check has a twin of the same name that is content with everything.",
        change=_each_check(_double),
    ),
    Attack(
        "Checks moved to the top",
        FAMILY,
        "All checks come before everything that they need.",
        change=_each_check(_move),
    ),
    Attack(
        "Checks turned into text",
        FAMILY,
        "Every check becomes a Markdown cell, which is not run.",
        change=_each_check(_markdown),
    ),
    Attack(
        "Checks turned into raw cells",
        FAMILY,
        "Every check becomes a raw cell, which is not run.",
        change=_each_check(_raw),
    ),
    Attack(
        "Checks of another type in the metadata",
        FAMILY,
        "The metadata calls every check Markdown, and the cell is code.",
        change=_each_check(_other_type_in_metadata),
    ),
    Attack(
        "Checks to be graded by hand",
        FAMILY,
        "The metadata of every check calls it a task, which only a person can grade.",
        change=_each_check(_by_hand),
    ),
    Attack(
        "Names of checks exchanged",
        FAMILY,
        "Every check carries the name of its neighbor, to earn the points of another exercise.",
        change=_swap,
    ),
    Attack(
        "A check of one's own",
        FAMILY,
        "A new cell claims to be a check worth 100 points, and to be passed.",
        change=_bonus,
    ),
    Attack(
        "Metadata stripped",
        FAMILY,
        "Nothing tells any more which cell is an answer and which a check.",
        change=_strip,
    ),
    Attack(
        "Metadata of the wrong types",
        FAMILY,
        "Where a table belongs, the metadata holds lists, numbers and words.",
        change=_wrong_types,
        answers=RIGHT_SHAPES,
        engine_says=frozenset({"values"}),
    ),
    Attack(
        "A metadata version from the future",
        FAMILY,
        "The metadata claims to be written by an nbgrader that does not exist yet.",
        change=_schema(99),
    ),
    Attack(
        "A kernel that is not there",
        FAMILY,
        "The notebook asks for a kernel for COBOL.",
        change=_kernel("cobol"),
    ),
    Attack(
        "A kernel by its path",
        FAMILY,
        "The name of the kernel leads out of the folder in which kernels are looked for.",
        change=_kernel("../../../../tmp/kernel"),
    ),
    Attack(
        "One id for all cells",
        FAMILY,
        "All cells have the same id.",
        change=_same_ids,
    ),
)

ABSURD = (
    Attack(
        "A format from the future",
        FAMILY,
        "The file claims to be a notebook of version 99.",
        text=_format(99),
        engine_says=frozenset({"unreadable", "not written", "undefined"}),
    ),
    Attack(
        "A format below zero",
        FAMILY,
        "The file claims to be a notebook of version −1.",
        text=_format(-1),
        engine_says=frozenset({"unreadable", "not written", "undefined"}),
    ),
    Attack(
        "A format of long ago",
        FAMILY,
        "The file is a notebook of version 3, from 2011.",
        text=_old_format,
        engine_says=frozenset({"not written", "undefined", "unreadable"}),
    ),
    Attack(
        "A file that breaks off",
        FAMILY,
        "The second half of the file is missing.",
        text=lambda text: text[: len(text) // 2],
        engine_says=frozenset({"unreadable"}),
    ),
    Attack(
        "Not a number",
        FAMILY,
        "The metadata holds NaN and infinity, which JSON does not know.",
        text=_metadata("[NaN, Infinity, -Infinity, 1e999]"),
    ),
    Attack(
        "A number of a million digits",
        FAMILY,
        "The metadata holds a number that takes long to read and that Python refuses to write.",
        text=_metadata("9" * 1_000_000),
        engine_says=frozenset({"not written", "unreadable"}),
    ),
    Attack(
        "Brackets a hundred thousand deep",
        FAMILY,
        "The metadata is a list in a list in a list, too deep for what reads it by recursion.",
        text=_metadata("[" * 100_000 + "]" * 100_000),
        engine_says=frozenset({"not written", "unreadable"}),
    ),
    Attack(
        "Half a character",
        FAMILY,
        "A cell holds one half of a surrogate pair, which cannot be written as UTF-8.",
        text=lambda text: text.replace('"source": "', '"source": "\\ud800', 1),
        engine_says=frozenset({"not written", "unreadable"}),
    ),
    Attack(
        "A cell of five million lines",
        FAMILY,
        "One cell has five million lines of `pass`.",
        cells=("pass\n" * 5_000_000,),
        engine_says=frozenset({"not written", "timeout", "ended", "unreadable"}),
    ),
    Attack(
        "Code too deep to read",
        FAMILY,
        "An expression with a hundred thousand brackets is to be parsed.",
        cells=("x = " + "-(" * 100_000 + "1" + ")" * 100_000,),
        engine_says=frozenset({"not written", "timeout", "ended"}),
    ),
    Attack(
        "A folder in place of the notebook",
        FAMILY,
        "What is called `lstm.ipynb` is a folder.",
        place=_instead_of_it(lambda paper: paper.mkdir()),
        engine_says=frozenset({"unreadable", "missing"}),
    ),
    Attack(
        "A pipe in place of the notebook",
        FAMILY,
        "What is called `lstm.ipynb` is a named pipe: whoever reads it waits forever.",
        place=_instead_of_it(os.mkfifo),
        engine_says=frozenset({"unreadable", "missing"}),
    ),
    Attack(
        "A notebook of a gigabyte",
        FAMILY,
        "The file is a gigabyte of nothing, and whoever reads it needs memory for all of it.",
        place=_instead_of_it(_huge),
        engine_says=frozenset({"unreadable", "missing"}),
    ),
    Attack(
        "A link to a device",
        FAMILY,
        "What is called `lstm.ipynb` is a link to a device, here the harmless one that is empty.",
        place=_instead_of_it(lambda paper: paper.symlink_to("/dev/null")),
        engine_says=frozenset({"unreadable", "missing"}),
    ),
    Attack(
        "A link to a classmate's notebook",
        FAMILY,
        "What is called `lstm.ipynb` is a link to what somebody else has handed in.",
        place=_instead_of_it(lambda paper: paper.symlink_to("../../zoe/lstm/lstm.ipynb")),
        engine_says=frozenset({"unreadable", "missing"}),
    ),
    Attack(
        "A link to the source with the answers",
        FAMILY,
        "What is called `lstm.ipynb` is a link to the notebook from which the release was made.",
        place=_instead_of_it(
            lambda paper: paper.symlink_to("../../../_build/source/lstm/lstm.ipynb")
        ),
        engine_says=frozenset({"unreadable", "missing"}),
    ),
)

SCRIPTS = (
    Attack(
        "A script as a result",
        FAMILY,
        "A cell shows HTML with a script, which runs when the instructor opens the page.",
        cells=(
            """
            from IPython.display import HTML, Javascript, display
            display(HTML("<script>alert('instructor')</script><img src=x onerror=alert(1)>"))
            display(Javascript("alert('instructor')"))
            """,
        ),
    ),
    Attack(
        "A script in a picture",
        FAMILY,
        "A cell shows an SVG that carries a script.",
        cells=(
            """
            from IPython.display import SVG, display
            display(SVG("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"))
            """,
        ),
    ),
    Attack(
        "A script in an exception",
        FAMILY,
        "The message of an exception is HTML with a script; the diagnosis quotes it.",
        answer="def NAME(*args, **inputs):\n    raise ValueError('<script>alert(1)</script>')",
        engine_says=frozenset({"exception"}),
    ),
    Attack(
        "A script in an answer in words",
        FAMILY,
        "The Markdown of an answer that a person grades holds a script, which runs on their page.",
        change=_script_in_words,
    ),
    Attack(
        "A script already in the notebook",
        FAMILY,
        "Outputs with a script come with the notebook; nobody has to run anything.",
        change=lambda paper: paper.cells[1].outputs.append(
            nbformat.v4.new_output(
                "display_data", data={"text/html": "<script>alert('instructor')</script>"}
            )
        ),
    ),
)

PAPERS = (*TAMPERED, *ABSURD, *SCRIPTS)
