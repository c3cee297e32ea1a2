"""The course Gated Memory as one object, for everything that grades, releases and reports."""

from __future__ import annotations

from pathlib import Path

from autograder.checking.course import Course
from autograder.course.exercises import ASSIGNMENTS, bughunt

COURSE = Course(
    name="gated-memory",
    package="gated-memory",
    assignments=ASSIGNMENTS,
    at_play=("autograder.course.at_play",),
    recording=Path(__file__).parent / "recorded" / "public.npz",
    placeholders={
        "boxes": lambda which: bughunt.boxes_as_text(),
        "suspects": bughunt.suspects_as_list,
    },
    sample_class="autograder.course.classroom",
)
