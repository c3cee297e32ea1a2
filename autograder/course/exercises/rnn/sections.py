"""The sections of the book that the exercises of ``rnn`` belong to."""

from __future__ import annotations

from autograder.checking.record import Section

CHAPTER = "The vanilla RNN"
FORGETTING = "Why it forgets"

STEP = Section("rnn-step", "One step of the net", CHAPTER)
THROUGH_TIME = Section("rnn-through-time", "Through time", CHAPTER)
BACKWARD = Section("rnn-backward", "Backpropagation through time", FORGETTING)
BY_LAG = Section("gradient-by-lag", "The gradient against the lag", FORGETTING)
CLIPPING = Section("clipping", "When it explodes", FORGETTING)
