"""The GRU's four spellings, and the order in which libraries stack the gates."""

from collections.abc import Mapping, Sequence

from autograder.course.figures.palette import css

from .convention_diagrams import Sheet
from .pen import SANS

_GATES = {"z": "update", "r": "reset", "h": "candidate"}


def four_spellings(members: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """Who writes which of the four GRUs, and which arrows weights can travel. Inline SVG.

    ``members`` maps (update, reset), as in `autograder.course.reference`, to lines of names.
    """
    title = (
        "A two by two table. Up and down, weights travel both ways by flipping the update gate. "
        "From left to right they do not travel."
    )
    width, height, left, top, gap = 186, 118, 92, 44, 56
    sheet = Sheet(530, 2 * height + gap + top + 8, title)
    columns: dict[str, float] = {"before": left, "after": left + width + gap}
    rows = {"replace": top, "keep": top + height + gap}
    for name, x in columns.items():
        sheet.word(x + width / 2, 18, f"r acts {name}", bold=True, size=15)
        sheet.word(x + width / 2, 35, "the matrix product", size=13, color="muted")
    for name, y in rows.items():
        sheet.word(0, y + height / 2 - 8, "z near 1", anchor="start", size=15, bold=True)
        sheet.word(0, y + height / 2 + 11, name + "s", anchor="start", size=15, bold=True)
    for (update, reset), names in members.items():
        x, y = columns[reset], rows[update]
        sheet.rect(x, y, width, height, "gru", tint=0.16 if names else 0.02, dashed=not names)
        lines = names or ("no library we know",)
        start = y + height / 2 + 5 - 9.5 * (len(lines) - 1)
        for i, line in enumerate(lines):
            color = "ink" if names else "muted"
            sheet.word(x + width / 2, start + 19 * i, line, size=13.5, color=color)
    for x in columns.values():
        middle = x + width / 2
        sheet.wire(f"M{middle - 62} {top + height + 10}v{gap - 20}")
        sheet.head_at(middle - 62, top + height + 5, "up")
        sheet.head_at(middle - 62, top + height + gap - 5, "down")
        sheet.word(middle + 14, top + height + 25, "flip W and b", size=13)
        sheet.word(middle + 14, top + height + 41, "of the update gate", size=13)
    for y in rows.values():
        x, s = left + width + gap / 2, 9
        sheet.out.append(
            f'<path d="M{x - s} {y + height / 2 - s}l{2 * s} {2 * s}m{-2 * s} 0l{2 * s} {-2 * s}" '
            f'stroke="{css("update")}" stroke-width="3" stroke-linecap="round"/>'
        )
    return str(sheet)


def gate_strip(order: Sequence[str], letters: Sequence[str]) -> str:
    """The stacked gates of one library as a strip of colored boxes, a small inline SVG.

    ``order`` names the gates as the course does, ``letters`` as the library does.
    """
    side, out = 26, []
    for i, (gate, letter) in enumerate(zip(order, letters, strict=True)):
        color = css(_GATES.get(gate, "lstm"))
        dash = ' stroke-dasharray="4 2.5"' if gate == "r" else ""
        out.append(
            f'<rect x="{i * side + 1}" y="1" width="{side - 2}" height="22" rx="4" fill="{color}" '
            f'fill-opacity=".16" stroke="{color}" stroke-width="1.4"{dash}/>'
            f'<text x="{i * side + side / 2}" y="16.5" text-anchor="middle" font-family="{SANS}" '
            f'font-size="14" fill="{css("ink")}">{letter}</text>'
        )
    label = ", ".join(letters)
    return (
        f'<svg role="img" aria-label="{label}" class="gm-cell" viewBox="0 0 {side * len(order)} 24" '
        f'style="width:{side * len(order)}px;height:24px;vertical-align:middle">{"".join(out)}</svg>'
    )
