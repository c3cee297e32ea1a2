"""The sections of the book that the exercises of ``gru`` belong to."""

from __future__ import annotations

from autograder.checking.record import Section

CHAPTER = "Two gates, one state"
PAGE = "book/gru/two-gates"

UPDATE_GATE = Section("update-gate", "The update gate: what to rewrite", CHAPTER, PAGE)
RESET_GATE = Section("reset-gate", "The reset gate: what to consult", CHAPTER, PAGE)
CANDIDATE = Section("candidate-state", "The candidate: a draft", CHAPTER, PAGE)
NEW_STATE = Section("new-state", "The new state: a blend", CHAPTER, PAGE)
THROUGH_TIME = Section("through-time", "Through time", CHAPTER, PAGE)
TWO_CONVENTIONS = Section("two-conventions", "Two conventions for z", CHAPTER, PAGE)
TWO_RESETS = Section("two-resets", "Two places for r", CHAPTER, PAGE)
COUNTING = Section("counting-parameters", "Counting parameters", CHAPTER, PAGE)
LAYER = Section("from-equations-to-a-layer", "From equations to a layer", CHAPTER, PAGE)
