"""Which submissions are unusually alike: fingerprints of code, compared by what is rare in a class.

Fingerprints are made by winnowing: S. Schleimer, D. S. Wilkerson and A. Aiken, "Winnowing: local
algorithms for document fingerprinting", SIGMOD 2003. The libraries that implement it compare
every pair of files; here an index from fingerprints to students finds the few pairs worth it.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from math import isqrt

import numpy as np

GRAM = 10
"""Tokens in one piece of code that is hashed: about a line. Shorter matches are never seen."""

WINDOW = 6
"""Of so many pieces in a row the one with the smallest hash is kept, so that every match of
``GRAM + WINDOW - 1`` tokens shares a fingerprint."""

MOST = 256
"""Fingerprints kept of one submission: the smallest, so that two submissions keep the same ones."""

LONGEST = 200_000
"""Characters looked at in one submission; a notebook of this course has less than 20,000."""

NEAR = 16
"""A name is written as the number of tokens since its last use, when it is not further back."""

FEWEST = 12
"""Rare fingerprints that two submissions must share before they are compared."""

SHARE = 0.8
"""The share of the smaller submission that two must have in common, rare pieces counting more."""

RARE = 1 / 3
"""How many of the smaller submission's fingerprints must be among the rare ones that they share:
two who write everything as most others do are alike, too."""

# Every character belongs to some token, and every pattern matches without going back: text that
# is no Python costs no more than text that is. A string that is a statement of its own is a
# docstring, whatever it says.
_STRING = r"""(?:[rRbBuUfF]{0,2}(?:
    \"\"\"(?:[^"\\]|\\.|"(?!""))*+(?:\"\"\"|\Z) | '''(?:[^'\\]|\\.|'(?!''))*+(?:'''|\Z)
  | "(?:[^"\\\n]|\\.)*+"? | '(?:[^'\\\n]|\\.)*+'?))"""
_TOKEN = re.compile(
    rf"""(?P<skip>\#[^\n]* | \\\r?\n | ^[ \t]*+(?:{_STRING}[ \t\r]*+(?=[\n\#]|\Z) | [%!][^\n]*) | \n | [^\S\n]+)
  | (?P<string>{_STRING})
  | (?P<number>(?:\d|\.\d)(?:[eE][+-]|[\w.])*+)
  | (?P<name>[^\W\d]\w*+)
  | (?P<other>\*\*=?|//=?|->|:=|[-+*/%@&|^=!<>]=|.)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_PLAIN = frozenset(keyword.kwlist) | frozenset(dir(builtins)) - {"_"}


def fingerprints(sources: Sequence[str], given: Sequence[str] = ()) -> tuple[int, ...]:
    """At most ``MOST`` 64-bit integers, sorted, that stand for what somebody wrote.

    ``sources`` are the code cells of one submission, ``given`` those of the released notebook,
    whose code does not count. Comments, white space, magics and docstrings are ignored, variables
    may be renamed and functions may change places. Takes any text and time linear in its length.
    """
    ours = _given(tuple(given))
    chosen: set[int] = set()
    left = LONGEST
    for source in sources:
        hashes = [h for h in _hashes(source[:left]) if h not in ours]
        left -= min(left, len(source))
        if hashes:
            last = max(1, len(hashes) - WINDOW + 1)
            chosen.update(min(hashes[at : at + WINDOW]) for at in range(last))
    return tuple(sorted(chosen)[:MOST])


@lru_cache(maxsize=8)
def _given(sources: tuple[str, ...]) -> frozenset[int]:
    return frozenset(value for source in sources for value in _hashes(source[:LONGEST]))


def _hashes(source: str) -> Iterator[int]:
    """The hash of every piece of ``GRAM`` tokens; a shorter source is one piece."""
    tokens = list(_tokens(source))
    for at in range(max(1, len(tokens) - GRAM + 1) if tokens else 0):
        piece = "\n".join(tokens[at : at + GRAM]).encode("utf-8", "replace")
        yield int.from_bytes(blake2b(piece, digest_size=8).digest(), "big")


def _tokens(source: str) -> Iterator[str]:
    """Tokens in which names that a student chose are replaced by how long ago they were used.

    Names after a dot are an interface's and stay, except on ``self``; strings stay where they
    could be keys, such as ``"W"``.
    """
    seen: dict[str, int] = {}
    count, last, before = 0, "", ""
    for found in _TOKEN.finditer(source):
        kind, text = found.lastgroup, found.group()
        if kind == "skip":
            continue
        token = text
        if kind == "string":
            token = text.strip("\"'")
            token = f'"{token}"' if token.isidentifier() else '""'
        elif kind == "name" and text not in _PLAIN and (last != "." or before == "self"):
            ago = count - seen.get(text, -NEAR)
            token = f"name {ago}" if ago < NEAR else "name"
            seen[text] = count
        yield token
        before, last = last, text
        count += 1


@dataclass(frozen=True)
class Alike:
    """Submissions that share much of what few others wrote."""

    students: tuple[str, ...]
    share: float
    """of the smaller submission, in the pair that is most alike; 0 to 1, rare pieces count more"""
    pieces: int
    """rare fingerprints which that pair has in common"""


def alike(found: Mapping[str, Sequence[int]]) -> list[Alike]:
    """Groups of students whose code is unusually alike, the most alike first.

    ``found`` has the fingerprints of each student. Only who shares ``FEWEST`` pieces that are
    rare, written by no more than √n of n students (three in a small class), is compared at all:
    the rest is how one writes it. To be alike is a reason to look and no proof, and a solution
    that has spread to more than √n students looks like common knowledge.
    """
    students = list(found)
    n = len(students)
    values = [np.unique(np.asarray(found[name], dtype=np.uint64)) for name in students]
    _, index, count = np.unique(
        np.concatenate([np.empty(0, np.uint64), *values]), return_inverse=True, return_counts=True
    )
    pieces = np.split(index, np.cumsum([len(v) for v in values])[:-1]) if n else []
    weight = np.log((n + 1) / count)
    total = [weight[mine].sum() for mine in pieces]

    telling = (count > 1) & (count <= max(3, isqrt(n)))
    owner = np.repeat(np.arange(n), [len(mine) for mine in pieces])
    by_piece = np.split(owner[np.argsort(index, kind="stable")], np.cumsum(count)[:-1])

    group = np.arange(n)
    best: dict[int, tuple[float, int]] = {}
    for one, mine in enumerate(pieces):
        rare = mine[telling[mine]]
        if len(rare) < FEWEST:
            continue
        others, in_common = np.unique(
            np.concatenate([by_piece[piece] for piece in rare]), return_counts=True
        )
        near = (others > one) & (in_common >= FEWEST)
        for other, shared in zip(others[near], in_common[near], strict=True):
            both = np.intersect1d(mine, pieces[other], assume_unique=True)
            share = float(weight[both].sum() / min(total[one], total[other]))
            if share < SHARE or shared < RARE * min(len(mine), len(pieces[other])):
                continue
            first, second = sorted((group[one], group[other]))
            group[group == second] = first
            best[first] = max((share, int(shared)), *(best.get(g, (0, 0)) for g in (first, second)))
    labels, sizes = np.unique(group, return_counts=True)
    groups = [
        Alike(tuple(students[i] for i in np.flatnonzero(group == label)), *best[label])
        for label in labels[sizes > 1]
    ]
    return sorted(groups, key=lambda group: (-group.share, -group.pieces, group.students))
