"""The sections of the book that the exercises of ``gradients`` belong to."""

from __future__ import annotations

from autograder.checking.record import Section

CHAPTER = "Gradients through gates"
PAGE = "book/gru/gradients-through-gates"

DIRECT = Section("direct-carry", "The direct path", CHAPTER, PAGE)
CANDIDATE = Section("candidate-gradient", "Through the candidate", CHAPTER, PAGE)
GATES = Section("gate-gradients", "Through the gates", CHAPTER, PAGE)
THROUGH_TIME = Section("backward-through-time", "Backward through time", CHAPTER, PAGE)
