"""A small made-up class, graded with nbgrader's own commands."""
