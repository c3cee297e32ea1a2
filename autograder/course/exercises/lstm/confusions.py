"""Whose weights can be taken for whose."""

from __future__ import annotations

_NAMES = {"f": "the forget gate's", "i": "the input gate's", "o": "the output gate's"}


def others(own: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Whose weights can be taken for those of gate ``own``: the other gates', and ``more``."""
    return (*((name, key) for key, name in _NAMES.items() if key != own), *more)


THE_CANDIDATES = ("the candidate's", "c")
"""The candidate's weights, as one of ``others``."""
