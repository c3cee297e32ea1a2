"""Checking one function: what an exercise is, the judge, the verdict and how it is shown."""
