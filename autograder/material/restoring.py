"""Papers put in order: every official cell gets its place, its metadata and what was written for it.

Cells are deleted, edited, copied, moved or stripped of their metadata. Which copy counts is decided
by place and by having been changed, never by points; what a student typed into a locked cell is run
before the cell as it was given out; and what was given out never replaces an answer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache

from autograder.material import handed_out, rescue
from autograder.material.papers import LONGEST_CELL, RAN, Official, Paper, Release, number

FEW_WORDS = 5
"""A code cell of fewer words is no written answer."""

Cell = MutableMapping
"""A cell as ``papers.read`` leaves it."""


@dataclass(frozen=True)
class Restored:
    """What was put in order: names of cells."""

    edited: tuple[str, ...] = ()
    """locked cells that were changed"""
    deleted: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    """cells that said of themselves what the release does not say: a type, or points"""
    doubled: tuple[str, ...] = ()
    """locked cells of which there was another one, with other content"""
    reordered: bool = False
    """whether the cells stood in another order than they were given out"""
    copies: tuple[str, ...] = ()
    """answers of which an untouched copy was left out"""
    moved: tuple[str, ...] = ()
    """written answers that stood in another cell"""
    merged: int = 0
    """cells in which a merge had left its conflict"""
    of: int = 0
    """how many official cells there are"""

    def sentences(self) -> list[str]:
        """What was put in order, for the instructor."""
        said = []
        if self.edited:
            names = ", ".join(self.edited)
            said.append(f"edited, what was typed there ran first, then the original: {names}")
        if self.deleted:
            which = "all cells" if len(self.deleted) == self.of else ", ".join(self.deleted)
            said.append(f"missing and put back: {which}")
        if self.claimed:
            names = ", ".join(self.claimed)
            said.append(f"of another type or worth other points, as given out again: {names}")
        if self.doubled:
            names = ", ".join(self.doubled)
            said.append(f"there twice, the cell that was given out counts: {names}")
        if self.reordered:
            said.append("its cells stood in another order than they were given out")
        if self.copies:
            said.append(f"a copy as given out does not count: {', '.join(self.copies)}")
        if self.moved:
            said.append(f"answered in another cell, taken from there: {', '.join(self.moved)}")
        if self.merged:
            cells = "a cell" if self.merged == 1 else f"{self.merged} cells"
            said.append(f"a merge had left its conflict in {cells}; one side of it counts")
        return said


def restore(paper: Paper, release: Release) -> Restored:
    """Give every official cell its place, its metadata and, where locked, its source, in place.

    A student's answer is found by its metadata, else by the name it defines, else by its cell id.
    """
    cells, official = paper["cells"], release.official
    merged = _resolve_conflicts(cells, release)
    _forget_addresses(cells, official)
    claims = {id(cell): _claim(cell) for cell in cells}
    found = _by_grade_id(cells, {known.name: known for known in official})
    taken = {id(cell) for cell in found.values()}
    for known in official:
        if known.name not in found:
            match = _adopt(known, cells, taken)
            if match is not None:
                found[known.name] = match
                taken.add(id(match))
    deleted = tuple(known.name for known in official if known.name not in found)
    claimed = tuple(
        known.name
        for known in official
        if known.name in found
        and _claims_otherwise(found[known.name], claims[id(found[known.name])], known)
    )
    doubled = _doubled(cells, claims, found, official)
    place = {id(cell): number for number, cell in enumerate(cells)}
    places = [place[id(found[known.name])] for known in official if known.name in found]
    moved = _take_written(cells, release, found)
    copies = _leave_out_copies(cells, official, found)
    _insert_missing(cells, official, found)
    edited = _keep_what_was_typed(cells, official, found)
    for known in official:
        _stamp(found[known.name], known)
    number(cells)
    missing = tuple(name for name in deleted if name not in moved)
    return Restored(
        edited,
        missing,
        claimed,
        doubled,
        places != sorted(places),
        copies,
        moved,
        merged,
        len(official),
    )


def _doubled(
    cells: list, claims: Mapping[int, Mapping], found: dict, official: Iterable[Official]
) -> tuple[str, ...]:
    """The locked cells beside which another cell, with other content, says to be them."""
    locked = {known.name: known.source for known in official if known.locked}
    names = set()
    for cell in cells:
        name = claims[id(cell)].get("grade_id")
        if (
            name in locked
            and cell is not found.get(name)
            and not same(cell["source"], locked[name])
        ):
            names.add(name)
    return tuple(name for name in locked if name in names)


def _claims_otherwise(cell: Cell, said: Mapping, known: Official) -> bool:
    """Whether a cell has another type, or its metadata other points or another part, than it was
    given out with. Metadata that says nothing was lost, not changed.
    """
    if cell["cell_type"] != known.cell_type:
        return True
    given: dict = {
        "points": known.points,
        "grade": known.points is not None,
        "solution": known.solution,
    }
    given |= {"task": False, "cell_type": known.cell_type}
    return any(said.get(key, value) != value for key, value in given.items() if value is not None)


def same(one: str, other: str) -> bool:
    """Whether two sources are the same but for space at the ends of lines."""
    if one == other:
        return True
    # Space at the ends of lines does not make a text many times as long; a huge cell is not read.
    short, long = sorted((len(one), len(other)))
    return long <= 10 * short + 1000 and _bare(one) == _bare(other)


@lru_cache(maxsize=256)  # each is held against many
def _bare(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _resolve_conflicts(cells: list, release: Release) -> int:
    """Resolve what a merge left in cells; in how many."""
    given = frozenset(
        line.strip()
        for source in (*release.given, *(known.source for known in release.official))
        for line in source.splitlines()
    )
    merged = 0
    for cell in cells:
        if "<<<<<<<" in cell["source"]:
            source = rescue.without_conflict(cell["source"], given)
            merged += source != cell["source"]
            cell["source"] = source
    return merged


def _forget_addresses(cells: list, official: Iterable[Official]) -> None:
    """Make a first cell that names another address of the package what was given out here.

    A site puts its own address there, and moves.
    """
    for known in official:
        if not (known.locked and handed_out.PACKAGE_LINE.search(known.source)):
            continue
        given = handed_out.with_package(known.source, "")
        for cell in cells:
            short = len(cell["source"]) <= LONGEST_CELL
            if short and same(handed_out.with_package(cell["source"], ""), given):
                cell["source"] = known.source


def _claim(cell: Mapping) -> Mapping:
    """What a cell says of itself to nbgrader; nothing where it does not say which cell it is."""
    found = cell["metadata"].get("nbgrader")
    named = isinstance(found, Mapping) and isinstance(found.get("grade_id"), str)
    return found if named else {}


def _by_grade_id(cells: list, known: Mapping[str, Official]) -> dict[str, Cell]:
    """The cells by grade_id. All others lose their nbgrader metadata.

    Of copies the last counts in which an answer was changed; of a locked cell, one that was not.
    """
    copies: dict[str, list[Cell]] = {}
    for cell in cells:
        grade_id = _claim(cell).get("grade_id", "")
        cell["metadata"].pop("nbgrader", None)
        if grade_id in known:
            copies.setdefault(grade_id, []).append(cell)
    return {name: _counting(known[name], found) for name, found in copies.items()}


def _counting(known: Official, copies: list[Cell]) -> Cell:
    """Of several copies of a cell the one that counts; the others stay where they are."""

    def rank(place: int) -> tuple[bool, bool, int]:
        untouched = same(copies[place]["source"], known.source)
        blank = not copies[place]["source"].strip()
        return (untouched == known.locked, not blank, place)

    return copies[max(range(len(copies)), key=rank)]


def _adopt(known: Official, cells: list, taken: set[int]) -> Cell | None:
    """The cell that plays the part of ``known`` although its metadata is lost."""
    free = [cell for cell in reversed(cells) if id(cell) not in taken]
    tests = [
        lambda cell: cell.get("id") == known.name,
        lambda cell: same(cell["source"], known.source),
    ]
    if known.solution and known.cell_type == "code":
        tests.insert(
            0,
            lambda cell: (
                defines(cell["source"], known.name) and not same(cell["source"], known.source)
            ),
        )
        free.sort(key=lambda cell: cell["cell_type"] != "code")
    return next((cell for test in tests for cell in free if test(cell)), None)


def defines(source: str, name: str) -> bool:
    """Whether a cell defines ``name`` at its outermost level."""
    name = re.escape(name)
    return (
        re.search(
            rf"^(async +)?(def|class)\s+{name}\b|^{name}\s*(:[^=\n]+)?=(?!=)", source, re.MULTILINE
        )
        is not None
    )


def _leave_out_copies(cells: list, official: Iterable[Official], found: dict) -> tuple[str, ...]:
    """Keep what was given out from replacing an answer; the names of the answers concerned.

    An untouched copy goes away. An untouched answer cell below an answer that was written in
    another cell goes before it: read from above, the answer is what remains.
    """
    names = []
    counting = {id(cell) for cell in found.values()}
    for known in official:
        if not (known.solution and known.source.strip()):
            continue
        extra = [
            cell
            for cell in cells
            if id(cell) not in counting and same(cell["source"], known.source)
        ]
        for cell in extra:
            cells[:] = [other for other in cells if other is not cell]
        own = found.get(known.name)
        moved = False
        if own is not None and known.cell_type == "code" and same(own["source"], known.source):
            others = [i for i in _definitions(cells, known.name) if cells[i] is not own]
            at = _position(cells, own)
            if others and min(others) < at:
                cells.insert(min(others), cells.pop(at))
                moved = True
        if extra or moved:
            names.append(known.name)
    return tuple(names)


def _keep_what_was_typed(cells: list, official: Iterable[Official], found: dict) -> tuple[str, ...]:
    """Put what a student made of a locked code cell into a cell before it; the cells' names."""
    edited = []
    for known in official:
        cell = found[known.name]
        if not known.locked or same(cell["source"], known.source):
            continue
        edited.append(known.name)
        if known.cell_type == "code" and cell["cell_type"] == "code" and cell["source"].strip():
            ran = {RAN: cell["metadata"][RAN]} if RAN in cell["metadata"] else {}
            typed = {
                "cell_type": "code",
                "metadata": ran,
                "source": cell["source"],
                "outputs": [],
                "execution_count": None,
            }
            cells.insert(_position(cells, cell), typed)
    return tuple(edited)


def _insert_missing(cells: list, official: Iterable[Official], found: dict) -> None:
    """Put deleted cells back behind the one that precedes them in the assignment."""
    previous = None
    for known in official:
        if known.name not in found:
            at = _position(cells, found.get(previous)) + 1
            if known.function:
                at = max(at, *(place + 1 for place in _definitions(cells, known.function)), 0)
            elif known.solution and known.cell_type == "code":
                # What students were given must not replace what one wrote in another cell.
                at = min(at, *_definitions(cells, known.name), len(cells))
            found[known.name] = {
                "cell_type": known.cell_type,
                "id": known.name,
                "metadata": {},
                "source": known.source,
            }
            cells.insert(at, found[known.name])
        previous = known.name


def _definitions(cells: list, name: str) -> list[int]:
    """Where ``name`` is defined."""
    return [
        i for i, c in enumerate(cells) if c["cell_type"] == "code" and defines(c["source"], name)
    ]


def _position(cells: list, cell: Cell | None) -> int:
    return next((i for i, other in enumerate(cells) if other is cell), -1)


def _stamp(cell: Cell, known: Official) -> None:
    """Give a cell the type, the metadata and, where locked, the source it has to have."""
    cell["cell_type"] = known.cell_type
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)
    if known.cell_type == "code":
        cell.pop("attachments", None)
        cell.update(outputs=[], execution_count=None)
    if known.locked:
        cell["source"] = known.source
    meta = {
        "cell_type": known.cell_type,
        "checksum": known.checksum,
        "grade": known.points is not None,
        "grade_id": known.name,
        "locked": known.locked,
        "schema_version": 3,
        "solution": known.solution,
        "task": False,
    }
    if known.points is not None:
        meta["points"] = int(known.points) if known.points == int(known.points) else known.points
    # Nothing else survives but when it was run: a tag on a check cell could keep it from running.
    ran = {RAN: cell["metadata"][RAN]} if RAN in cell["metadata"] else {}
    cell["metadata"] = {"nbgrader": meta} | ran


# Written answers


def _take_written(cells: list, release: Release, found: dict) -> tuple[str, ...]:
    """Take written answers from where they stand, into the cells that ask for them; which ones.

    A question's answer is new text between what was given out before and after it.
    """
    moved = []
    for known in release.official if release.sources else ():  # else nobody knows what is new
        if not (known.solution and known.cell_type == "markdown"):
            continue
        own = found.get(known.name)
        if own is not None and not same(own["source"], known.source) and own["source"].strip():
            continue
        texts = _new_texts_at(cells, release, found, known)
        if not texts:
            continue
        source = "\n\n".join(cell["source"].strip() for cell in texts)
        keep = texts[0]
        if own is None:
            own = found[known.name] = keep
        own["source"] = source
        own["cell_type"] = "markdown"
        # A question that was answered in its own cell stays; it is the text given out and more.
        gone = {id(c) for c in texts if c is not own and not _holds_given(c, release)}
        cells[:] = [cell for cell in cells if id(cell) not in gone]
        moved.append(known.name)
    return tuple(moved)


def _new_texts_at(cells: list, release: Release, found: dict, known: Official) -> list[Cell]:
    """The cells of new text nearest to a question: between the given cells around its place."""
    official = {id(cell) for cell in found.values()}
    own = found.get(known.name)

    def given(cell: Cell) -> bool:
        return (id(cell) in official and cell is not own) or _was_given(cell["source"], release)

    at = _position(cells, own)
    if own is None:
        at = _place_of_question(cells, release, found, known)
    first = next((i + 1 for i in range(at - 1, -1, -1) if given(cells[i])), 0)
    last = next((i for i in range(at + 1, len(cells)) if given(cells[i])), len(cells))
    if own is None:
        first = min(at + 1, len(cells))
    return [
        cell
        for cell in cells[first:last]
        if cell is not own and is_text(cell) and not _was_given(cell["source"], release)
    ]


def _place_of_question(cells: list, release: Release, found: dict, known: Official) -> int:
    """Where the given cell before a question stands, -1 where none of them is left."""
    order = release.sources
    at = next((i for i, source in enumerate(order) if source == known.source), len(order))
    for source in reversed(order[:at]):
        for i in range(len(cells) - 1, -1, -1):
            if same(cells[i]["source"], source):
                return i
    names = [other.name for other in release.official]
    for name in reversed(names[: names.index(known.name)]):
        if name in found:
            return _position(cells, found[name])
    return -1


def _was_given(source: str, release: Release) -> bool:
    if len(source) > LONGEST_CELL:
        return False
    return _bare(source) in _given_of(release) or not source.strip()


@lru_cache(maxsize=8)
def _given_of(release: Release) -> frozenset[str]:
    sources = (*release.given, *release.sources, *(known.source for known in release.official))
    return frozenset(map(_bare, sources))


def _holds_given(cell: Cell, release: Release) -> bool:
    """Whether a text that was given out is part of a cell: what was written below a question."""
    texts = set(release.sources) - set(release.given)
    return any(_bare(text) in _bare(cell["source"]) for text in texts if len(text) > 40)


def is_text(cell: Cell) -> bool:
    """Whether a cell holds prose: as text, or in a code cell, as a comment or as no Python."""
    source = cell["source"]
    if cell["cell_type"] != "code":
        return bool(source.strip())
    if len(source) > LONGEST_CELL:
        return False
    if len(source.split()) < FEW_WORDS or source.lstrip().startswith(("%", "!")):
        return False
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return not re.search(r"^\s*(def|class|import|from|for|return)\b|=", source, re.MULTILINE)
    return all(
        isinstance(part, ast.Expr)
        and isinstance(part.value, ast.Constant)
        and isinstance(part.value.value, str)
        for part in body
    )


def is_of_another(paper: Paper, release: Release) -> bool:
    """Whether a notebook, as it was handed in, is none of this assignment: there is code in it, and
    neither a function that is asked for, nor a check of one, nor a cell for them that was given out.
    """
    asked = [name for name, _ in release.asked]
    code = [c["source"] for c in paper["cells"] if c["cell_type"] == "code" and c["source"].strip()]
    if not asked or not any(
        re.search(r"^(def|class)\s+\w+", source, re.MULTILINE) for source in code
    ):
        return False
    known = {cell.name for cell in release.official if cell.solution or cell.function}
    for cell in paper["cells"]:
        if _claim(cell).get("grade_id") in known:
            return False
    words = re.compile(rf"\b({'|'.join(map(re.escape, asked))})\b")
    return not any(words.search(source) for source in code)


def written(paper: Paper, release: Release) -> tuple[tuple[str, bool | None], ...]:
    """For each cell that is for students to fill: did they change it?

    None says of a written answer that nobody can find it: the cell is as given out, and the
    notebook holds new text at another place, which a person has to read.
    """
    filled = [known for known in release.official if known.solution]
    if not filled:
        return ()
    by_name = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in official_cells(paper)}
    elsewhere = any(
        is_text(cell) and not _was_given(cell["source"], release)
        for cell in paper["cells"]
        if "nbgrader" not in cell["metadata"]
    )
    said: list[tuple[str, bool | None]] = []
    for known in filled:
        changed: bool | None = not same(by_name[known.name]["source"], known.source)
        by_hand = known.cell_type == "markdown" and known.points is not None
        if by_hand and not changed and elsewhere and release.sources:
            changed = None
        said.append((known.name, changed))
    return tuple(said)


def official_cells(paper: Paper) -> list[Cell]:
    """The cells that nbgrader's metadata name."""
    return [
        cell
        for cell in paper["cells"]
        if isinstance(cell["metadata"].get("nbgrader", {}).get("grade_id"), str)
    ]
