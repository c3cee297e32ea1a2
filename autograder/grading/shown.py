"""What grading writes into a graded notebook, where its reader and nbgrader look for it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence

from autograder.checking.render import as_text


def show_verdicts(cells: Sequence[dict], verdicts: Mapping) -> None:
    """Write each verdict under its check cell, as nbgrader reads a score: text, then a number."""
    for cell in cells:
        meta = cell["metadata"].get("nbgrader", {})
        if not meta.get("grade") or meta.get("solution"):
            continue
        verdict = verdicts.get(str(meta.get("grade_id")).removeprefix("check-"))
        if verdict is None:
            continue
        points = {"text/plain": repr(float(verdict.points))}
        cell["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": as_text(verdict) + "\n"},
            {
                "output_type": "execute_result",
                "execution_count": None,
                "data": points,
                "metadata": {},
            },
        ]


def shorten(cells: Sequence[MutableMapping], too_long: Sequence[int]) -> None:
    """Keep only the beginning of code cells that were too long to be run."""
    for number in too_long:
        cells[number]["source"] = cells[number]["source"][:1000] + "\n# … the rest is not kept"
