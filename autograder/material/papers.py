"""Submissions as they really arrive, read and put in order: papers.

A paper is a notebook as JSON has it, a dict. Files are damaged, cells deleted, edited, duplicated
or stripped of their metadata; which function a student defined decides, not which cells survived.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.material import rescue
from autograder.material.config import course_of, nbgrader_settings, writable

LONGEST_FILE = 100 << 20
"""Bytes of a submission that is read at all; outputs, which do not count, may fill megabytes."""

MOST_VALUES = 10_000_000
"""Values in the JSON of a submission. Each takes up to 72 bytes of the judge's memory."""

LONGEST_CELL = 500_000
"""Characters of a cell that is run; a released notebook has less than 20,000 in all its cells."""

LONGEST_CODE = 1_000_000
"""Characters of all cells that are run."""

MOST_CELLS = 1000
"""Code cells that are run."""

MOST_CELLS_READ = 20_000
"""Cells of a submission that is read at all."""

RAN = "ran"
"""The entry of a cell's metadata that keeps its ``execution_count`` as it was handed in."""

Paper = MutableMapping
"""``cells``, ``metadata``, ``nbformat``, ``nbformat_minor``: the notebook format, version 4."""


class Unreadable(Exception):
    """The file is no notebook; the message says what is wrong with it."""


def number(cells: list) -> None:
    """Give every cell an id of its own."""
    taken: set[str] = set()
    for place, cell in enumerate(cells):
        if cell.get("id") in taken or "id" not in cell:
            cell["id"] = f"cell-{place}"
        while cell["id"] in taken:
            cell["id"] += "-x"
        taken.add(cell["id"])


@dataclass(frozen=True)
class Official:
    """One graded or locked cell of the released notebook."""

    name: str
    """its grade_id"""
    cell_type: str
    source: str
    locked: bool
    solution: bool
    points: float | None
    """None where the cell is not graded"""
    checksum: str

    @property
    def function(self) -> str | None:
        """The function that a check cell checks."""
        checked = re.match(r"check\((\w+)\)", self.source)
        return checked.group(1) if checked else None


@dataclass(frozen=True)
class Release:
    """What students were given."""

    assignment: str = ""
    course: str = ""
    """the course that declares its exercises"""
    official: tuple[Official, ...] = ()
    given: tuple[str, ...] = ()
    """the sources of all its code cells"""
    sources: tuple[str, ...] = ()
    """the sources of all its cells, in order"""

    @property
    def asked(self) -> tuple[tuple[str, float], ...]:
        """The functions that its checks are about, each with its points, in order."""
        return tuple(
            (known.function, known.points)
            for known in self.official
            if known.function and known.points is not None
        )


NO_RELEASE = Release()
"""Where only the submission is at hand: it is graded as it stands."""


def release_of(course: Path, assignment: str) -> Release:
    """The assignment's release, made as nbgrader makes it.

    Raises CourseError for an unknown assignment or a faulty source.
    """
    import nbformat
    from nbgrader.preprocessors import ClearSolutions, ComputeChecksums, LockCells

    from autograder.material.notebooks import source_notebook

    notebook = nbformat.reads(source_notebook(course, assignment), as_version=4)
    config = nbgrader_settings(course)
    for step in (ClearSolutions, LockCells, ComputeChecksums):
        notebook, _ = step(config=config).preprocess(notebook, {})
    official = []
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if not (meta.get("grade") or meta.get("solution") or meta.get("locked")):
            continue
        official.append(
            Official(
                meta["grade_id"],
                cell.cell_type,
                cell.source,
                bool(meta["locked"]),
                bool(meta["solution"]),
                float(meta["points"]) if meta.get("grade") else None,
                meta.get("checksum", ""),
            )
        )
    given = tuple(cell.source for cell in notebook.cells if cell.cell_type == "code")
    sources = tuple(cell.source for cell in notebook.cells)
    return Release(assignment, course_of(course).name, tuple(official), given, sources)


def read_file(path: Path, most: int = LONGEST_FILE + 1) -> bytes:
    """The first ``most`` bytes of a regular file. Raises OSError, also for a link or a device.

    What was handed in is not trusted: a link would lead out of its folder, and reading a pipe or
    ``/dev/zero`` would never end. One byte more than may be read is how ``read`` knows.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        return file.read(most)


def read(data: bytes, told: list[str] | None = None) -> Paper:
    """The paper in a submitted file. Raises Unreadable.

    What had to be mended to read it is added to ``told``, a sentence each.
    """
    mended = [] if told is None else told
    if len(data) > LONGEST_FILE:
        raise Unreadable(f"It has more than {LONGEST_FILE >> 20} megabytes.")
    if not data.strip():
        raise Unreadable("It is empty.")
    if rescue.values_in(data, MOST_VALUES) > MOST_VALUES:
        raise Unreadable(f"It may hold more than {MOST_VALUES:,} values.")
    try:
        text, how = rescue.decoded(data)
    except UnicodeDecodeError as error:
        raise Unreadable(f"It is not text in UTF-8 (byte {error.start:,}).") from error
    try:
        paper, which = rescue.parsed(text)
    except ValueError as error:
        raise Unreadable(f"It is no complete JSON ({error}).") from error
    except RecursionError as error:
        raise Unreadable("Its JSON is nested too deeply.") from error
    mended += [says for says in (how, which) if says]
    if not isinstance(paper, dict):
        raise Unreadable("It is JSON, but no notebook.")
    if paper.get("nbformat") != 4 and not isinstance(paper.get("cells"), list):
        paper = _converted(paper)
    cells = paper.get("cells")
    if not isinstance(cells, list):
        raise Unreadable("It has no list of cells.")
    if len(cells) > MOST_CELLS_READ:
        raise Unreadable(f"It has {len(cells):,} cells.")
    return _paper([_tidy(cell) for cell in cells if isinstance(cell, dict)])


def _paper(cells: list) -> Paper:
    """A notebook of these cells. What it says of its kernel and its editor does not matter."""
    number(cells)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _converted(paper: dict) -> dict:
    """A notebook of another format, brought to version 4 by nbformat."""
    import nbformat

    version = paper.get("nbformat")
    try:
        return nbformat.reads(json.dumps(paper), as_version=4)
    except Exception as error:  # nbformat raises what its conversion happens to stumble over
        raise Unreadable(f"Its notebook format, {version!r:.20}, could not be read.") from error


def _tidy(cell: dict) -> dict:
    """A cell with the parts that every reader counts on, of the types it counts on."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    kind = cell.get("cell_type")
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader = metadata.get("nbgrader")
    named = isinstance(nbgrader, dict) and isinstance(nbgrader.get("grade_id"), str)
    tidy: dict[str, Any] = {
        "cell_type": kind if kind in ("code", "markdown", "raw") else "markdown",
        "id": cell.get("id"),
        "metadata": {"nbgrader": nbgrader} if named else {},
        "source": source if isinstance(source, str) else "",
    }
    if tidy["cell_type"] == "markdown" and _are_attachments(cell.get("attachments")):
        tidy["attachments"] = cell["attachments"]
    if not isinstance(tidy["id"], str) or not re.fullmatch(r"[\w-]{1,64}", tidy["id"], re.A):
        del tidy["id"]
    # Halves of surrogate pairs cannot be written again; Windows ends lines in its own way.
    tidy["source"] = writable(tidy["source"]).replace("\r\n", "\n").replace("\r", "\n")
    if tidy["cell_type"] == "code":
        ran = cell.get("execution_count") or metadata.get(RAN)
        if isinstance(ran, int) and 0 < ran < 10**9:
            tidy["metadata"][RAN] = ran
        tidy.update(execution_count=None, outputs=[])
    return tidy


def _are_attachments(value: object) -> bool:
    """Whether these are pictures pasted into a text: name → type → base64."""
    return isinstance(value, dict) and all(
        name == writable(name)
        and isinstance(kinds, dict)
        and all(
            kind.startswith("image/") and isinstance(data, str) and (kind + data).isascii()
            for kind, data in kinds.items()
        )
        for name, kinds in value.items()
    )


def unreadable_paper(reason: str) -> Paper:
    """A paper that says that the file is none."""
    return paper_that_says(
        f"**This file could not be read as a notebook.** {reason} It may have been cut off while "
        "it was uploaded. Open your notebook in Jupyter, save it, and hand it in again."
    )


def paper_that_says(text: str) -> Paper:
    """A paper of one cell of text, in place of one that is not there."""
    return _paper([{"cell_type": "markdown", "id": "remark", "metadata": {}, "source": text}])


def assignment_of(paper: Paper, asked: Mapping[str, Iterable[str]]) -> str | None:
    """The assignment whose functions a notebook defines or checks, None where it is none.

    ``asked`` are the functions that each assignment asks for.
    """
    named = set()
    for cell in paper["cells"]:
        if cell["cell_type"] == "code":
            named |= set(re.findall(r"^(?:def|class)\s+(\w+)", cell["source"], re.MULTILINE))
            named |= set(re.findall(r"^check\((\w+)\)", cell["source"], re.MULTILINE))
    # The share, since an assignment may give what another one asks for.
    share = {}
    for name, functions in asked.items():
        wanted = set(functions)
        share[name] = len(wanted & named) / len(wanted) if wanted else 0.0
    best = max(share, key=share.__getitem__, default=None)
    return best if best and share[best] else None
