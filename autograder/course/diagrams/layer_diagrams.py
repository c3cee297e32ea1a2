"""From a cell to a layer: packed batches, stacks, two directions. Inline SVG."""

from collections.abc import Sequence

from autograder.course.figures.palette import css

from .convention_diagrams import Sheet


def padded_and_packed(lengths: Sequence[int]) -> str:
    """A padded batch beside the same batch packed, with the batch size of every step. Inline SVG.

    ``lengths`` are the sequences' lengths, longest first.
    """
    title = (
        "Left: a rectangle of steps and sequences, with padding. Right: the same steps without it."
    )
    T, B, side, left = max(lengths), len(lengths), 34, 0
    second = left + T * side + 60
    height = 46 + B * side + 66
    sheet = Sheet(second + T * side + 8, height, title)
    sheet.word(left, 18, "Padded", anchor="start", size=15, bold=True)
    sheet.word(second, 18, "Packed", anchor="start", size=15, bold=True)
    for b, length in enumerate(lengths):
        for t in range(T):
            x, y = t * side, 34 + b * side
            if t < length:
                for at in (left, second):
                    sheet.rect(at + x + 2, y + 2, side - 4, side - 4, "gru", tint=0.16)
                    sheet.math(
                        at + x + side / 2,
                        y + side / 2 + 6,
                        chr(ord("a") + b) + f"_{t + 1}",
                        size=16,
                    )
            else:
                sheet.rect(left + x + 2, y + 2, side - 4, side - 4, "line", tint=0.25, dashed=True)
                sheet.word(left + x + side / 2, y + side / 2 + 5, "0", color="muted")
    y = 34 + B * side + 22
    for t in range(T):
        alive = sum(length > t for length in lengths)
        sheet.word(left + t * side + side / 2, y, str(B), size=14, color="muted")
        sheet.word(second + t * side + side / 2, y, str(alive), size=14)
    for at, total in ((left, B * T), (second, sum(lengths))):
        sheet.word(
            at, y + 24, f"rows at each step, {total} in all", anchor="start", size=13, color="muted"
        )
    return str(sheet)


def stacked_layers(steps: int = 4) -> str:
    """Two layers through time, dropout on the wires between them only. Inline SVG."""
    title = "Two rows of cells. Wires go right within a row and up from row to row; the upward ones carry dropout."
    dx, w, h, rows = 112, 62, 40, (200, 96)
    sheet = Sheet(66 + steps * dx, 284, title)
    for row, y in enumerate(rows):
        sheet.word(0, y + 5, f"layer {row + 1}", anchor="start", size=14, bold=True)
        for t in range(steps):
            x = 74 + t * dx
            if t:
                sheet.arrow(x - dx + w, x, y)
            sheet.wire(
                f"M{x + w / 2} {y + h / 2 + 34}V{y + h / 2 + 4}",
                "gru" if row == 0 else "reset",
                dashed=row == 1,
            )
            sheet.head_at(x + w / 2, y + h / 2 + 1, "up", "gru" if row == 0 else "reset")
            if row == 1:
                sheet.wire(f"M{x + w / 2} {rows[0] - h / 2}v-14", "reset", dashed=True)
                sheet.out.append(
                    f'<circle cx="{x + w / 2}" cy="{(rows[0] + y) / 2 + 4}" r="10" fill="{css("paper")}" '
                    f'stroke="{css("reset")}" stroke-width="1.6" stroke-dasharray="4 2.5"/>'
                )
                sheet.word(x + w / 2, (rows[0] + y) / 2 + 8.5, "d", size=13)
                sheet.wire(f"M{x + w / 2} {y - h / 2}v-22")
                sheet.head_at(x + w / 2, y - h / 2 - 26, "up")
                sheet.math(x + w / 2, y - h / 2 - 34, f"y_{t + 1}", size=18)
            else:
                sheet.math(x + w / 2, y + h / 2 + 52, f"x_{t + 1}", size=18)
            sheet.rect(x, y - h / 2, w, h, "gru", tint=0.16)
            sheet.word(x + w / 2, y + 5, "GRU", size=14)
    return str(sheet)


def two_directions(lengths: Sequence[int] = (4, 2)) -> str:
    """Which way the two directions read sequences of unequal length. Inline SVG.

    ``lengths`` are those of the sequences drawn, longest first.
    """
    title = "Each sequence is read forward from its first step and backward from its last real step, not from the padding."
    side, left, T = 62, 118, max(lengths)
    sheet = Sheet(left + T * side + 8, 8 + len(lengths) * 108, title)
    for b, length in enumerate(lengths):
        y = 36 + b * 108
        name = chr(ord("a") + b)
        sheet.word(0, y - 14, "forward", anchor="start", size=14)
        sheet.word(0, y + 54, "backward", anchor="start", size=14)
        for t in range(T):
            x = left + t * side
            real = t < length
            sheet.rect(
                x + 3,
                y,
                side - 6,
                36,
                "gru" if real else "line",
                tint=0.16 if real else 0.25,
                dashed=not real,
            )
            if real:
                sheet.math(x + side / 2, y + 24, f"{name}_{t + 1}", size=18)
            else:
                sheet.word(x + side / 2, y + 23, "0", color="muted")
        sheet.arrow(left + 4, left + length * side - 4, y - 18)
        end = left + length * side - 4
        sheet.wire(f"M{end} {y + 50}H{left + 9}", "reset", dashed=True)
        sheet.out.append(
            f'<polygon points="{left + 4},{y + 50} {left + 11.5},{y + 46} {left + 11.5},{y + 54}" fill="{css("reset")}"/>'
        )
    return str(sheet)
