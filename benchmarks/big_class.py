"""Classes of any size for the benchmarks: honest work, right, wrong and missing, every one its own."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path

from autograder.material import config
from autograder.material import notebooks as nb

ROOT = Path(__file__).parents[1]

SLIPS = (
    (r" \+ ", " - "),
    (r"axis=1", "axis=0"),
    (r"\bnp\.tanh\b", "np.sin"),
    (r"\.T\b", ""),
    (r"return ", "return 2 * "),
    (r"h_prev, x\b", "x, h_prev"),
)
"""What students mistype: a pattern and what stands there instead. Where it occurs, once."""


def make_course(folder: Path, *, stock: bool = False) -> None:
    """A course in an empty folder; ``stock`` leaves nbgrader's own steps in its settings."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "solutions", folder / "solutions")
    shutil.copy(ROOT / "_config.yml", folder)
    text = (ROOT / config.MARKER).read_text(encoding="utf-8")
    if stock:
        kept = text.index("# Submissions come damaged"), text.index("# SQLAlchemy remarks")
        text = text[: kept[0]] + text[kept[1] :]
        text = re.sub(r"^(c\.RunConfined.*|    find_as_we_do\(\))\n", "", text, flags=re.MULTILINE)
    (folder / config.MARKER).write_text(text, encoding="utf-8")


def hand_in(folder: Path, assignment: str, number: int, first: int = 0) -> None:
    """Let students ``first`` … ``first + number - 1`` hand in. The same number, the same work."""
    released = json.loads(nb.release_notebook(ROOT, assignment))
    solved = json.loads(nb.source_notebook(ROOT, assignment))
    answers = {
        cell["metadata"]["nbgrader"]["grade_id"]: re.sub(
            r"^ *### (BEGIN|END) SOLUTION\n?", "", _source(cell), flags=re.MULTILINE
        )
        for cell in solved["cells"]
        if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("solution")
    }
    for at in range(first, first + number):
        dice = random.Random(at)
        paper = json.loads(json.dumps(released))
        for cell in paper["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if name in answers:
                cell["source"] = _answer(answers[name], _source(cell), dice, at)
        place = folder / "submitted" / f"student{at:05d}" / assignment
        place.mkdir(parents=True)
        (place / f"{assignment}.ipynb").write_text(json.dumps(paper), encoding="utf-8")
        (place / "timestamp.txt").write_text("2026-03-02 18:00:00 UTC\n", encoding="utf-8")


def _answer(right: str, empty: str, dice: random.Random, student: int) -> str:
    chance = dice.random()
    if chance < 0.08:
        return empty
    text = right
    if chance < 0.2:
        pattern, wrong = dice.choice(SLIPS)
        text = re.sub(pattern, wrong, text, count=1)
    return f"{text}\n# {student}, {dice.randrange(10**9)}"


def _source(cell: dict) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
