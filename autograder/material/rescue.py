"""The text of a notebook file as editors, systems and version control leave it: encodings, marks
of a merge, what stands behind its end. What is mended is said; what the student wrote stays.
"""

from __future__ import annotations

import json
import re

CONFLICT = re.compile(
    r"^<<<<<<<[^\n]*\n(.*?)(?:^\|\|\|\|\|\|\|[^\n]*\n.*?)?^=======[^\n]*\n(.*?)^>>>>>>>[^\n]*(?:\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
"""A conflict that git left: one side, perhaps what both came from, the other side."""

MOST_CONFLICTS = 1000
"""Conflicts that are looked at in one text."""


def decoded(data: bytes) -> tuple[str, str]:
    """The text in a file, and what was mended to read it (empty where nothing was).

    JSON is UTF-8; some editors save UTF-16 or UTF-32, with their mark or without, or the code page
    of Windows. Raises UnicodeDecodeError for what is no text.
    """
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8" or b"\0" in data:
            raise
        return data.decode("cp1252"), "It was saved in Windows-1252 instead of UTF-8."
    if encoding in ("utf-8", "utf-8-sig"):
        return text, ""
    return text, f"It was saved in {encoding.upper()} instead of UTF-8."


def parsed(text: str) -> tuple[object, str]:
    """The JSON document a text begins with, and what was mended to read it.

    Where git left a conflict in the file, the side counts that makes it JSON, the first before the
    second. What follows a complete document is left out. Raises ValueError and RecursionError.
    """
    try:
        return json.loads(text), ""
    except ValueError as error:
        first = error
    for side, called in ((1, "first"), (2, "second")):
        if "<<<<<<<" not in text:
            break
        try:
            document = json.loads(_side(text, side))
        except ValueError:
            continue
        return document, f"A merge left its conflict in the file; the {called} side counts."
    try:
        start = len(text) - len(text.lstrip())
        document, end = json.JSONDecoder().raw_decode(text, start)
    except ValueError:
        raise first from None
    if not (isinstance(document, dict) and document.get("cells")):
        raise first from None
    return document, f"Behind its end stood {len(text) - end:,} more characters; they do not count."


def without_conflict(source: str, given: frozenset[str] = frozenset()) -> str:
    """A cell's text with conflicts resolved: of two sides the one that is not as given out.

    ``given`` are lines of the released notebook. The first side counts where both are new.
    """
    if "<<<<<<<" not in source or not CONFLICT.search(source):
        return source

    def chosen(conflict: re.Match) -> str:
        first, second = conflict.group(1), conflict.group(2)
        as_given = not _new(first, given)
        return second if as_given and _new(second, given) else first

    # A text cell may quote such lines; there they are harmless and stay readable.
    return CONFLICT.sub(chosen, source, count=MOST_CONFLICTS)


def _side(text: str, side: int) -> str:
    return CONFLICT.sub(lambda conflict: conflict.group(side), text, count=MOST_CONFLICTS)


def _new(text: str, given: frozenset[str]) -> bool:
    return any(line.strip() and line.strip() not in given for line in text.splitlines())


def values_in(data: bytes, enough: int) -> int:
    """About how many values a JSON text holds; texts are looked into only where it matters.

    What cells print may have as many commas as it likes: only those outside of strings count.
    """
    marks = (b",", b"[", b"{")
    crude = sum(map(data.count, marks))
    if crude <= enough:
        return crude
    bare = re.sub(rb'"[^"\\]*(?:\\.[^"\\]*)*"', b"", data, flags=re.DOTALL)
    return sum(map(bare.count, marks))
