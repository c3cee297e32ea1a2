"""Where grades go: the gradebook, exports, the class report, nbgrader's own commands."""
