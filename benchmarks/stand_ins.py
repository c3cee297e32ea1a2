"""Work for workers that plays nothing: the grade of a submission is one that was made before.

What is left of a run is then what it costs to hand work out, to store what comes back and to tell
the gradebook. A worker imports this module and no torch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path

from autograder.grading.graded import Graded
from autograder.material.remarks import Remark

SLEEP = 0.3
"""Seconds that grading takes where it is a sleep."""


@cache
def _made_before(folder: str) -> tuple[Graded, dict]:
    graded = Graded.from_json(Path(folder, "grade.json").read_text(encoding="utf-8"))
    notebook = Path(folder, f"{graded.assignment}.ipynb")
    return graded, json.loads(notebook.read_text(encoding="utf-8"))


def at_once(
    folder: str, settings, student: str, data: bytes, remarks: Sequence[Remark] = ()
) -> tuple[Graded, str]:
    """As ``grade_in_worker``, without any grading: the grade and the notebook in ``folder``, which
    is one of ``autograded/``."""
    graded, paper = _made_before(folder)
    graded = replace(
        graded, student=student, digest=sha256(data).hexdigest(), version=settings.version
    )
    graded.to_json()  # made by the worker, as there
    return graded, json.dumps(paper, ensure_ascii=False)


def asleep(
    folder: str, settings, student: str, data: bytes, remarks: Sequence[Remark] = ()
) -> tuple[Graded, str]:
    """The same after ``SLEEP`` seconds, in which the worker's process does nothing."""
    time.sleep(SLEEP)
    return at_once(folder, settings, student, data, remarks)
