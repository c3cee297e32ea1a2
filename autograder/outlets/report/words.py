"""Text and numbers as the report shows them. Escaping is the templates' affair."""

from __future__ import annotations

import re
from functools import lru_cache

LOOK_NAMES = {
    "missing": "no notebook",
    "unreadable": "not readable",
    "timeout": "out of time",
    "ended": "ended its process",
    "flood": "flood of output",
    "tamper": "tampering",
}
"""The kinds of remarks that need a look, in words for a table."""

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ufdd0-\ufdef\ufffe\uffff]"
)


def clean(value: str, longest: int = 400) -> str:
    """Any text, fit for a page: one line, no controls, no half surrogate pairs, not endless.

    Marks that change the direction of writing go too: they can make one name look like another.
    """
    value = value[: longest + 1]
    if len(value) > longest:
        value = f"{value[:longest]}…"
    return _UNPRINTABLE.sub("\ufffd", re.sub(r"\s+", " ", value))


def prose(text: str) -> list[str]:
    """The catalogue's prose in pieces; every second one stood between backticks and is code."""
    return clean(text, 2000).split("`")


def sentence(name: str) -> str:
    """A mistake's name as a heading; names of variables keep their small letters."""
    word = name.split()[0] if name.split() else ""
    return (
        name[0].upper() + name[1:]
        if word in ("in", "no") or len(word) > 2 and word.isalpha()
        else name
    )


def many(count: int, word: str, words: str = "") -> str:
    """A number and the word that goes with it: ``1 student``, ``2,000 students``."""
    return f"{count:,} {word if count == 1 else words or f'{word}s'}"


@lru_cache
def number(value: float) -> str:
    """Points: two decimals at most."""
    return f"{round(value, 2):,.2f}".rstrip("0").rstrip(".")


def share(count: int, of: int) -> str:
    """A share in percent that says neither nothing nor everything where that is not so."""
    if not of:
        return "0 %"
    percent = 100 * count / of
    if 0 < percent < 1:
        return "<1 %"
    if 99 < percent < 100:
        return ">99 %"
    return f"{percent:.0f} %"


def seconds(value: float) -> str:
    """A running time in the unit that suits it, with two digits."""
    if value < 0.0995:
        return f"{1000 * value:.2g} ms" if value < 0.00995 else f"{1000 * value:.0f} ms"
    if value < 99.5:
        return f"{value:.2g} s" if value < 9.95 else f"{value:.0f} s"
    if value < 5970:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"
