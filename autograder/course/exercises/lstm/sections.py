"""The sections of the book that the exercises of ``lstm`` belong to."""

from __future__ import annotations

from autograder.checking.record import Section

CHAPTER = "A cell that carries memory"
PAGE = "book/lstm/a-cell-that-carries-memory"

SIGMOID = Section("lstm-sigmoid", "A share between 0 and 1", CHAPTER, PAGE)
FORGET = Section("forget-gate", "The forget gate: what stays", CHAPTER, PAGE)
INPUT = Section("input-gate", "The input gate: what comes in", CHAPTER, PAGE)
OUTPUT = Section("output-gate", "The output gate: what is shown", CHAPTER, PAGE)
CANDIDATE = Section("candidate-cell", "The candidate: what could be written", CHAPTER, PAGE)
STEP = Section("lstm-step", "The whole step", CHAPTER, PAGE)
THROUGH_TIME = Section("lstm-through-time", "Through time", CHAPTER, PAGE)
COUNTING = Section(
    "counting-lstm-parameters",
    "Counting parameters",
    "What the LSTM costs",
    "book/lstm/what-the-lstm-costs",
)
