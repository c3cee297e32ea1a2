"""The sections of the book that the exercises of ``gradients`` belong to."""

from __future__ import annotations

from autograder.checking.record import Section

CHAPTER = "Gradients through gates"

DIRECT = Section("direct-carry", "The direct path", CHAPTER)
CANDIDATE = Section("candidate-gradient", "Through the candidate", CHAPTER)
GATES = Section("gate-gradients", "Through the gates", CHAPTER)
THROUGH_TIME = Section("backward-through-time", "Backward through time", CHAPTER)
