"""The classes of the benchmarks can still be made: nothing else runs their code between two benches."""

from __future__ import annotations

import sys
from pathlib import Path

from autograder.material.collect import submissions

ROOT = Path(__file__).parents[2]


def test_a_class_of_any_size_can_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    import big_class
    import grading  # noqa: F401  (the benchmark itself: its imports have to resolve)

    big_class.make_course(tmp_path / "course")
    big_class.hand_in(tmp_path / "course", "lstm", 3)
    assert len(submissions(tmp_path / "course", "lstm")) == 3
