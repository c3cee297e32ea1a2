"""The exercises of the course, one declared record each; see ``checking.record.Exercise``."""

from __future__ import annotations

from autograder.checking.record import Exercise
from autograder.course.exercises import bughunt, gradients, gru, lstm, rnn

ASSIGNMENTS: dict[str, tuple[Exercise, ...]] = {
    "rnn": rnn.EXERCISES,
    "lstm": lstm.EXERCISES,
    "gru": gru.EXERCISES,
    "gradients": gradients.EXERCISES,
    "bughunt": bughunt.EXERCISES,
}
