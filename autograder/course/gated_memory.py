"""The course Gated Memory as one object, for everything that grades, releases and reports."""

from __future__ import annotations

from pathlib import Path

from autograder.checking.course import Course
from autograder.course.exercises import ASSIGNMENTS
from autograder.course.exercises.bughunt import boxes, suspects

COURSE = Course(
    name="gated-memory",
    package="gated-memory",
    assignments=ASSIGNMENTS,
    at_play=("autograder.course.at_play",),
    recording=Path(__file__).parent / "recorded" / "public.npz",
    placeholders={
        "boxes": lambda which: boxes.boxes_as_text(),
        "suspects": suspects.suspects_as_list,
    },
    sample_class="autograder.course.classroom",
)
