"""Grading a class: the run, its workers, the engine, the stage on which players perform."""
