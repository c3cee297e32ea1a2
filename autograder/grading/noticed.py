"""What players noticed, as remarks: each names the cell or the answer, and says it once."""

from __future__ import annotations

from collections.abc import Iterable

from autograder.grading.stage import Tried
from autograder.material.remarks import NOTICED, Remark


def remarks_on(tried: Iterable[Tried]) -> list[Remark]:
    """One remark for each place and sort, in the order in which they were noticed.

    Of kind ``"tamper"`` where a person has to look, else ``NOTICED``, in words that accuse nobody.
    """
    said: dict[tuple[bool, int | str | None], list[str]] = {}
    for thing in dict.fromkeys(tried):
        said.setdefault((thing.look, thing.where), []).append(thing.what)
    return [
        Remark("tamper" if look else NOTICED, f"{_subject(where)} {'; '.join(things)}.")
        for (look, where), things in said.items()
    ]


def _subject(where: int | str | None) -> str:
    if where is None:
        return "It"
    return f"Cell {where + 1}" if isinstance(where, int) else f"Calling {where}, it"
