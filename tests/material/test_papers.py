"""Files as they arrive: what is read, what is refused and why. Nobody's code is run here."""

import json
import os
import tracemalloc

import nbformat
import pytest
from engine_scene import code_cell, data, place, release, solved, text, untouched, written
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course.gated_memory import COURSE
from autograder.grading.graded import Graded
from autograder.material import papers, restoring
from autograder.material.papers import NO_RELEASE, Unreadable, read, read_file
from autograder.material.restoring import restore

ASKED = {name: [e.name for e in group] for name, group in COURSE.assignments.items()}


def assignment_of(paper):
    return papers.assignment_of(paper, ASKED)


def paper_of(*cells: dict, **fields) -> bytes:
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": list(cells)} | fields).encode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"I had no time, sorry", "no complete JSON"),
        (data(solved())[:5000], "no complete JSON"),
        (b"\xff\xfe" + "[]".encode("utf-16-le"), "no notebook"),
        (data(solved()).replace(b"sigmoid", b"sigm\x81id"), "not text in UTF-8"),
        (b"[]", "no notebook"),
        (b"null", "no notebook"),
        (b"7", "no notebook"),
        (b'"text"', "no notebook"),
        (b"[" * 200_000, "no complete JSON|nested too deeply"),
        (b'{"cells":' * 200_000, "no complete JSON|nested too deeply"),
        (b'{"nbformat": 4}', "no list of cells"),
        (paper_of(cells={}), "no list of cells"),
        (b'{"nbformat": 99}', "format, 99, could not be read"),
        (b'{"nbformat": "4"}', "format, '4', could not be read"),
        (b'{"nbformat": [4]}', "could not be read"),
        (b'{"nbformat": 1' + b"0" * 400 + b"}", "could not be read"),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "no complete JSON"),
        (b"<html><body>Sign in to go on</body></html>", "no complete JSON"),
        (b"PK\x03\x04" + bytes(range(256)), "not text in UTF-8"),
        (b'{"cells": [' + b"1," * papers.MOST_VALUES + b"1]}", "values"),
        (b'{"nbformat": 4, "cells": [' + b"{}," * papers.MOST_CELLS_READ + b"{}]}", "cells"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_no_notebook_is_refused_with_the_reason(content, says):
    with pytest.raises(Unreadable, match=says):
        read(content)


def test_a_file_that_is_too_large_is_not_taken_into_memory(tmp_path, monkeypatch):
    file = tmp_path / "lstm.ipynb"
    with file.open("wb") as opened:
        opened.truncate(8 << 30)  # with holes: it takes no disk
    monkeypatch.setattr(papers, "LONGEST_FILE", 1 << 20)
    tracemalloc.start()
    content = read_file(file, papers.LONGEST_FILE + 1)
    with pytest.raises(Unreadable, match="more than 1 megabytes"):
        read(content)
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


def test_only_regular_files_are_read(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "zero").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "zero", "pipe", "folder", "nothing"):
        with pytest.raises(OSError):
            read_file(tmp_path / name)
    assert read_file(tmp_path / "secret") == b"secret"


def test_a_byte_order_mark_is_no_obstacle():
    assert read(b"\xef\xbb\xbf" + data(solved()))["cells"]


def test_fifty_megabytes_of_output_are_left_out():
    paper = solved()
    lines = ["all work and no play\n"] * 2_500_000
    output = {"output_type": "stream", "name": "stdout", "text": lines}
    paper["cells"][place(paper, "sigmoid")]["outputs"] = [output]
    content = data(paper)
    assert len(content) > 50 << 20
    assert len(data(read(content))) < 100_000


def test_a_notebook_of_format_3_is_converted():
    old = nbformat.convert(nbformat.from_dict(solved()), 3)
    content = nbformat.v3.writes_json(old).encode()
    assert json.loads(content)["nbformat"] == 3
    found = [cell["source"] for cell in read(content)["cells"] if cell["cell_type"] == "code"]
    assert found == [text(c) for c in solved()["cells"] if c["cell_type"] == "code"]


def test_what_a_notebook_says_of_its_kernel_and_its_tags_does_not_matter():
    paper = solved()
    paper["metadata"] = {"kernelspec": {"name": "julia-1.9", "language": "julia"}, "x": 1}
    for cell in paper["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "remove-cell"]
    found = read(data(paper))
    assert found["metadata"]["kernelspec"]["name"] == "python3"
    assert found == read(data(solved()))


def test_pasted_pictures_stay_and_other_attachments_go():
    picture = {"image.png": {"image/png": "aGVsbG8="}}
    cell = {"cell_type": "markdown", "metadata": {}, "source": "![](attachment:image.png)"}
    script = {"a.html": {"text/html": "<script>"}}
    broken = {"\ud800": {"image/png": "aGVsbG8="}}
    found = read(
        paper_of(*(cell | {"attachments": a} for a in (picture, script, broken, [1], {"a": 1})))
    )
    assert [cell.get("attachments") for cell in found["cells"]] == [picture, None, None, None, None]


@pytest.mark.parametrize("assignment", ["rnn", "lstm", "gru", "gradients", "bughunt"])
def test_the_assignment_is_recognized_by_its_functions(assignment):
    assert assignment_of(read(data(untouched(assignment)))) == assignment
    assert assignment_of(read(data(solved(assignment)))) == assignment


def test_a_notebook_of_something_else_belongs_to_no_assignment():
    assert assignment_of(read(paper_of(code_cell("def f():\n    return 1")))) is None
    assert assignment_of(read(paper_of())) is None


def test_an_answer_is_changed_when_its_source_is():
    paper = read(data(written(untouched(), sigmoid="def sigmoid(a):\n    return a")))
    restore(paper, release("lstm"))
    changed = dict(restoring.written(paper, release("lstm")))
    assert changed.pop("sigmoid") is True
    assert changed and not any(changed.values())


# Any JSON at all

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
grade_ids = st.sampled_from(["sigmoid", "check-sigmoid", "why-adding-helps"]) | values
cells = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | values,
        "source": st.sampled_from(["sigmoid = 3", "def f(): 3", "\ud800", "\0"]) | values,
        "id": st.sampled_from(["sigmoid", "a", "a", ""]) | values,
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "nbgrader": st.fixed_dictionaries(
                    {},
                    optional={
                        "grade_id": grade_ids,
                        "grade": values,
                        "solution": values,
                        "points": values,
                    },
                )
                | values
            },
        )
        | values,
        "outputs": values,
        "attachments": st.dictionaries(st.text(max_size=4), values, max_size=2) | values,
    },
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "nbformat": st.sampled_from([4, 4, 4, 3, 2, 99, 4.0]) | values,
        "nbformat_minor": values,
        "metadata": values,
        "cells": st.lists(cells | values, max_size=5) | values,
        "worksheets": st.lists(values, max_size=2) | values,
    },
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(documents | values)
def test_any_json_is_a_paper_or_refused_and_can_be_written_again(document):
    try:
        paper = read(json.dumps(document).encode())
    except Unreadable as error:
        assert str(error)
        paper = papers.unreadable_paper(str(error))
    json.dumps(paper, ensure_ascii=False).encode()
    assignment_of(paper)
    restoring.written(paper, NO_RELEASE)
    restoring.is_of_another(paper, release("lstm"))
    restore(paper, release("lstm"))
    json.dumps(paper, ensure_ascii=False).encode()
    nbformat.validate(nbformat.from_dict(paper))
    assert len(restoring.written(paper, release("lstm"))) == 9


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace")))
def test_any_bytes_are_a_paper_or_refused(content):
    try:
        read(content)
    except Unreadable as error:
        assert str(error)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(values)
def test_a_grade_file_of_any_content_is_read_or_refused(value):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Graded.from_json(json.dumps(value))
