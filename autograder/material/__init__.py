"""Notebooks on their way out to students and back: sources, releases, submissions, papers."""
