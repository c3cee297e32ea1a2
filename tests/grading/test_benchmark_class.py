"""The classes of the benchmarks can still be made: nothing else runs their code between two benches."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from autograder.grading import workers
from autograder.material.collect import submissions

ROOT = Path(__file__).parents[2]


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    import big_class
    import grading
    import stages

    return big_class, grading, stages


def test_a_class_of_any_size_can_be_made(tmp_path, benchmarks):
    big_class, _, _ = benchmarks
    big_class.make_course(tmp_path / "course")
    big_class.hand_in(tmp_path / "course", "lstm", 3)
    assert len(submissions(tmp_path / "course", "lstm")) == 3


def test_stock_grades_as_nbgrader_does_alone(tmp_path, benchmarks):
    """In particular it finds what was handed in by itself."""
    big_class, grading, _ = benchmarks
    course = grading.Course(tmp_path / "course", "rnn", stock=True)
    big_class.hand_in(course.folder, "rnn", 1)
    course.run("nbgrader", "autograde", "rnn")
    assert set(course.scores()) == {"student00000"}
    graded = (course.folder / "autograded/student00000/rnn/rnn.ipynb").read_text(encoding="utf-8")
    assert '"execution_count": 1' in graded, "a real kernel ran it"


def test_the_stages_add_up_to_the_whole(tmp_path, benchmarks):
    big_class, grading, stages = benchmarks
    course = grading.Course(tmp_path / "course", "rnn")
    big_class.hand_in(course.folder, "rnn", 12)  # some of them right, some wrong
    found = stages.stages(course.folder, "rnn")
    for kind, row in found["ms"].items():
        assert sum(row[name] for name in stages.STAGES) == pytest.approx(row["whole"], abs=0.1)
        assert row["cells"] > 0 and row["calls"] > 0 and row["fork"] > 0 and row["rest"] >= 0
        assert row["own"] <= row["code"] <= row["whole"], kind
    assert all(name in stages.show(found) for name in stages.STAGES.values())


def test_stand_ins_give_everybody_the_grade_that_was_made_before(tmp_path, benchmarks):
    import cluster
    import stand_ins

    course = cluster.StandIns(tmp_path / "course", "rnn", 4)
    with course.graded_by(stand_ins.at_once):
        got = course.perform(course.students(), workers.LocalWorkers(1), gradebook=True)
    assert got["processor_ms"] > got["system_ms"] >= 0
    made = json.loads((course.grade / "grade.json").read_text(encoding="utf-8"))["verdicts"]
    assert [grade["verdicts"] for grade in course.grades()] == [made] * 4
    assert len(set(course.scores().values())) == 1


def test_figures_of_what_was_left_out_are_kept_where_the_machine_is_the_same(tmp_path, benchmarks):
    _, grading, _ = benchmarks
    file = tmp_path / "speed.json"
    before = {"machine": 1, "sizes": [1], "stock": [{"assignment": "lstm", "n": 1}]}
    file.write_text(json.dumps(before), encoding="utf-8")
    now = {"machine": 1, "stock": [{"assignment": "rnn"}, {"assignment": "lstm", "n": 2}]}
    merged = grading.with_those_before(now, file)
    assert merged["sizes"] == [1]
    assert merged["stock"] == [{"assignment": "rnn"}, {"assignment": "lstm", "n": 2}]
    assert grading.with_those_before(now | {"machine": 2}, file) == now | {"machine": 2}
