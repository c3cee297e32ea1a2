"""The sections of the book that the exercises of ``gru`` belong to."""

from __future__ import annotations

from autograder.checking.record import Section

CHAPTER = "Two gates, one state"

UPDATE_GATE = Section("update-gate", "The update gate: what to rewrite", CHAPTER)
RESET_GATE = Section("reset-gate", "The reset gate: what to consult", CHAPTER)
CANDIDATE = Section("candidate-state", "The candidate: a draft", CHAPTER)
NEW_STATE = Section("new-state", "The new state: a blend", CHAPTER)
THROUGH_TIME = Section("through-time", "Through time", CHAPTER)
TWO_CONVENTIONS = Section("two-conventions", "Two conventions for z", CHAPTER)
TWO_RESETS = Section("two-resets", "Two places for r", CHAPTER)
COUNTING = Section("counting-parameters", "Counting parameters", CHAPTER)
LAYER = Section("from-equations-to-a-layer", "From equations to a layer", CHAPTER)
