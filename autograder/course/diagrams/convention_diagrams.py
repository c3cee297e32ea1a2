"""How the spellings of the GRU differ: where r acts, and how PyTorch stores the weights."""

from autograder.course.figures.palette import css
from autograder.course.figures.phone import growing

from .pen import MATH_FONTS, SANS, TEXT_FONTS, math_svg, tilde_svg


class Sheet:
    """A sheet of SVG elements with the strokes of the cell diagram; ``str`` makes the SVG of it.

    Lengths are user units, which are pixels at the sheet's full width.
    """

    def __init__(self, width: int, height: int, title: str):
        self.head = (
            f'<svg role="img" aria-label="{title}" class="gm-cell" '
            f'viewBox="0 0 {width} {height}" style="max-width:{width}px;width:100%;'
            f'height:auto;font-synthesis:none"><title>{title}</title>'
        )
        self.out: list[str] = []

    def __str__(self) -> str:
        return self.head + "".join(self.out) + "</svg>"

    def wire(self, path: str, color: str = "gru", dashed: bool = False) -> None:
        """A line along an SVG path; ``color`` is a name of the palette."""
        dash = ' stroke-dasharray="6 3.5"' if dashed else ""
        self.out.append(
            f'<path d="{path}" fill="none" stroke="{css(color)}" stroke-width="1.8" '
            f'stroke-linejoin="round"{dash}/>'
        )

    def head_at(self, x: float, y: float, toward: str, color: str = "gru") -> None:
        """An arrowhead with its tip at (x, y); ``toward`` is "right", "up" or "down"."""
        dx, dy = {"right": (1, 0), "up": (0, -1), "down": (0, 1)}[toward]
        corners = [(0, 0), (-7.5, -4), (-7.5, 4)]
        points = " ".join(f"{x + a * dx - b * dy:g},{y + a * dy + b * dx:g}" for a, b in corners)
        self.out.append(f'<polygon points="{points}" fill="{css(color)}"/>')

    def arrow(self, x1: float, x2: float, y: float, color: str = "gru") -> None:
        """A level wire from ``x1`` to an arrowhead with its tip at ``x2``."""
        self.wire(f"M{x1:g} {y:g}H{x2 - 3:g}", color)
        self.head_at(x2, y, "right", color)

    def rect(
        self, x: float, y: float, w: float, h: float, color: str, *, tint=0.1, dashed=False
    ) -> None:
        """A box with its upper left corner at (x, y); ``tint`` is its fill's opacity, 0 to 1."""
        dash = ' stroke-dasharray="6 3.5"' if dashed else ""
        shape = f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="5"'
        self.out.append(f'{shape} fill="{css("paper")}"/>')
        self.out.append(
            f'{shape} fill="{css(color)}" fill-opacity="{tint}" stroke="{css(color)}" '
            f'stroke-width="1.6"{dash}/>'
        )

    def node(self, x: float, y: float, sign: str, color: str = "gru") -> None:
        """A sum ("plus") or a product ("times") of the wires that meet at (x, y)."""
        s = 4.4 if sign == "times" else 5.5
        strokes = (
            f"M{x - s:g} {y - s:g}l{2 * s:g} {2 * s:g}m{-2 * s:g} 0l{2 * s:g} {-2 * s:g}"
            if sign == "times"
            else f"M{x - s:g} {y:g}h{2 * s:g}M{x:g} {y - s:g}v{2 * s:g}"
        )
        self.out.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="11" fill="{css("paper")}" '
            f'stroke="{css(color)}" stroke-width="1.8"/>'
            f'<path d="{strokes}" stroke="{css(color)}" stroke-width="1.8" '
            f'stroke-linecap="round"/>'
        )

    def math(self, x: float, y: float, markup: str, anchor="middle", size=19) -> None:
        """A formula, in the markup of `math_svg`, on the baseline ``y``."""
        self.out.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-family="{MATH_FONTS}" '
            f'font-style="italic" font-size="{size}" fill="{css("ink")}">'
            f"{math_svg(markup, size)}</text>"
        )

    def word(
        self, x: float, y: float, text: str, anchor="middle", size=14, color="ink", bold=False
    ) -> None:
        """Text in the sans serif of labels, on the baseline ``y``; ``text`` is SVG as it stands."""
        weight = ' font-weight="600"' if bold else ""
        self.out.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-family="{SANS}" '
            f'font-size="{size}"{weight} fill="{css(color)}">{text}</text>'
        )

    def function(self, x: float, y: float, text: str, size=19) -> None:
        """The upright name of a function, centered at ``x`` on the baseline ``y``."""
        self.out.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-family="{TEXT_FONTS}" '
            f'font-size="{size}" fill="{css("ink")}">{text}</text>'
        )


def reset_placement() -> str:
    """The candidate's path twice: r before the matrix product, r after it. Inline SVG."""
    title = (
        "Top: the state is multiplied by r, then by the matrix. "
        "Bottom: the state is multiplied by the matrix, then by r."
    )
    sheet = Sheet(520, 292, title)
    for top, heading, before in (
        (0, "Reset before: this course, Cho et al.", True),
        (152, "Reset after: PyTorch, cuDNN, Keras by default", False),
    ):
        y = top + 92
        sheet.word(4, top + 18, heading, anchor="start", size=15, bold=True)
        sheet.math(4, y + 6, "h_t−1", anchor="start")
        half = 34 if before else 66
        times, matrix = (112, 208) if before else (252, 152)
        sheet.wire(f"M{times} {top + 52}V{y - 14}", "reset", dashed=True)
        sheet.head_at(times, y - 11, "down", "reset")
        sheet.math(times, top + 45, "r_t")
        if before:
            sheet.arrow(52, times - 11, y)
            sheet.arrow(times + 11, matrix - 34, y, "candidate")
            sheet.arrow(matrix + 34, 330 - 11, y, "candidate")
        else:
            sheet.arrow(52, matrix - half, y)
            sheet.arrow(matrix + half, times - 11, y, "candidate")
            sheet.arrow(times + 11, 330 - 11, y, "candidate")
        sheet.rect(matrix - half, y - 20, 2 * half, 40, "candidate")
        sheet.math(matrix, y + 6, "W_hn" if before else "W_hn h + b_hn", size=18)
        sheet.node(times, y, "times", "reset")
        sheet.wire(f"M330 {top + 52}V{y - 14}", "candidate")
        sheet.head_at(330, y - 11, "down", "candidate")
        sheet.math(330, top + 45, "W_in x_t + b_h" if before else "W_in x_t + b_in", size=18)
        sheet.node(330, y, "plus", "candidate")
        sheet.arrow(341, 380, y, "candidate")
        sheet.rect(380, y - 20, 64, 40, "candidate")
        sheet.function(412, y + 6, "tanh")
        sheet.arrow(444, 480, y, "candidate")
        sheet.math(486, y + 6, "h_t", anchor="start")
        sheet.out.append(tilde_svg(487.5, y + 6, 19, css("ink")))
    return str(sheet)


def torch_storage() -> str:
    """How ``torch.nn.GRU`` stores the three weight matrices and six biases. Inline SVG."""
    title = (
        "Left: the course keeps three matrices, each with a hidden and an input block. "
        "Right: PyTorch stacks the hidden blocks of r, z, n into weight_hh, the input blocks "
        "into weight_ih, and has two stacked biases."
    )
    sheet = Sheet(520, 300, title)
    hidden, given, row = 66, 40, 54
    rows = (("update", "W_z", False), ("reset", "W_r", True), ("candidate", "W_h", False))
    sheet.word(0, 18, "This course", anchor="start", size=15, bold=True)
    sheet.word(34 + hidden / 2, 62, "H", size=12.5, color="muted")
    sheet.word(34 + hidden + given / 2, 62, "D", size=12.5, color="muted")
    for i, (color, name, dashed) in enumerate(rows):
        y = 72 + i * (row + 20)
        sheet.math(0, y + row / 2 + 6, name, anchor="start", size=18)
        sheet.rect(34, y, hidden, row, color, tint=0.26, dashed=dashed)
        sheet.rect(34 + hidden, y, given, row, color, tint=0.1, dashed=dashed)
    left = 232
    sheet.word(left, 18, "torch.nn.GRU", anchor="start", size=15, bold=True)
    columns = (
        (left, hidden, "weight_hh", "H", 0.26),
        (left + 96, given, "weight_ih", "D", 0.1),
        (left + 176, 20, "bias_hh", "", 0.26),
        (left + 246, 20, "bias_ih", "", 0.1),
    )
    stacked = (("reset", "r", True), ("update", "z", False), ("candidate", "n", False))
    for x, width, name, size, tint in columns:
        sheet.word(x + width / 2, 46, name, size=12.5)
        if size:
            sheet.word(x + width / 2, 62, size, size=12.5, color="muted")
        for i, (color, letter, dashed) in enumerate(stacked):
            y = 72 + i * row
            sheet.rect(x, y, width, row, color, tint=tint, dashed=dashed)
            sheet.math(x + width / 2, y + row / 2 + 6, letter, size=18)
    sheet.word(left, 72 + 3 * row + 26, "3H rows each, stacked r, z, n", anchor="start", size=13)
    return growing(str(sheet), column=430)
