"""The sections of the book that the exercises of ``rnn`` belong to."""

from __future__ import annotations

from autograder.checking.record import Section

CHAPTER = "The vanilla RNN"
PAGE = "book/memory/vanilla-rnn"
FORGETTING = "Why it forgets"
FORGETTING_PAGE = "book/memory/why-it-forgets"

STEP = Section("rnn-step", "One step of the net", CHAPTER, PAGE)
THROUGH_TIME = Section("rnn-through-time", "Through time", CHAPTER, PAGE)
BACKWARD = Section("rnn-backward", "Backpropagation through time", FORGETTING, FORGETTING_PAGE)
BY_LAG = Section("gradient-by-lag", "The gradient against the lag", FORGETTING, FORGETTING_PAGE)
CLIPPING = Section("clipping", "When it explodes", FORGETTING, FORGETTING_PAGE)
