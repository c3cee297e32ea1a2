"""A second course, on linear regression: the example of "Teach your own course with it"."""
