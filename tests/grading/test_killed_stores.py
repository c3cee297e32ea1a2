"""A run that is killed (-9) before any of its operations on files and gradebook loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from engine_scene import Here, data, environment, full, solved, written
from work_scene import as_sampled

from autograder.grading import run as grading
from autograder.grading.workers import close_engine, grade_in_worker
from autograder.material.collect import submissions

SCENES = Path(__file__).parents[1] / "scenes"
FULL = sum(full("lstm").values())


def test_a_kill_at_any_step_of_storing_and_of_the_gradebook_loses_nothing(
    course, tmp_path, monkeypatch
):
    """ada has a grade and handed in something else since, ben has none, dev is done."""
    right = data(solved())
    settings = grading.settings_for(course.root, "lstm")
    try:
        graded, paper = grade_in_worker(settings, "sample", right)
    finally:
        close_engine()
    sample = graded.to_json(), paper
    (tmp_path / "sample.json").write_text(json.dumps(sample), encoding="utf-8")
    for student in ("ada", "dev"):
        course.hand_in(student, solved())
    run = grading.ClassRun(course.root, settings, say=lambda says: None)
    monkeypatch.setattr(grading, "grade_in_worker", as_sampled(sample))
    run.perform(submissions(course.root, "lstm"), Here())
    course.hand_in("ada", written(solved(), sigmoid="def sigmoid(a):\n    return 1 / (1 + 0)"))
    course.hand_in("ben", solved())

    path = os.pathsep.join([str(SCENES), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [
            sys.executable,
            str(SCENES / "dying_run.py"),
            str(course.root),
            str(tmp_path / "sample.json"),
        ],
        env=environment(tmp_path) | {"PYTHONPATH": path.strip(os.pathsep)},
        capture_output=True,
        text=True,
        cwd=course.root,
    )
    assert done.returncode == 0, done.stderr
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert [run["step"] for run in runs] == list(range(1, len(runs) + 1))
    everybody = {"ada", "ben", "dev"}
    for run in runs:
        assert set(run["graded"]) == everybody - set(run["there"]), run
        assert set(run["unchanged"]) == set(run["there"]), run
        assert run["code"] == 0 and run["points"] == dict.fromkeys(everybody, FULL), run
    # At all stages: before any grade, between grades, and when only the gradebook was missing.
    assert {len(run["there"]) for run in runs} == {1, 2, 3}
    assert len(runs) > 25
