"""The sections of the book that the exercises of ``lstm`` belong to."""

from __future__ import annotations

from autograder.checking.record import Section

CHAPTER = "A cell that carries memory"

SIGMOID = Section("lstm-sigmoid", "A share between 0 and 1", CHAPTER)
FORGET = Section("forget-gate", "The forget gate: what stays", CHAPTER)
INPUT = Section("input-gate", "The input gate: what comes in", CHAPTER)
OUTPUT = Section("output-gate", "The output gate: what is shown", CHAPTER)
CANDIDATE = Section("candidate-cell", "The candidate: what could be written", CHAPTER)
STEP = Section("lstm-step", "The whole step", CHAPTER)
THROUGH_TIME = Section("lstm-through-time", "Through time", CHAPTER)
COUNTING = Section("counting-lstm-parameters", "Counting parameters", "What the LSTM costs")
