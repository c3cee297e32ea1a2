"""What the guide for teachers describes: the round of an assignment, ways to a platform, confinement. Inline SVG.

Drawn narrow, with letters of 14 units or more, so that they can be read on a phone.
"""

from autograder.course.figures.palette import css

from .convention_diagrams import Sheet

_WIDTH = 460


class _Flow(Sheet):
    """A sheet with boxes of two lines and arrows between them; two units are left at every edge for strokes."""

    def __init__(self, height: int, title: str):
        super().__init__(_WIDTH + 4, height + 4, title)

    def __str__(self) -> str:
        return f'{self.head}<g transform="translate(2 2)">{"".join(self.out)}</g></svg>'

    def step(
        self, x: float, y: float, w: float, name: str, how: str = "", color: str = "gru"
    ) -> None:
        """A box 56 units high: a name, and in the second line how it is done."""
        self.rect(x, y, w, 56, color)
        self.word(x + w / 2, y + (24 if how else 33), name, size=15.5, bold=True)
        if how:
            self.word(x + w / 2, y + 44, how, size=14)

    def level(
        self, x1: float, x2: float, y: float, color: str = "gru", dashed: bool = False
    ) -> None:
        """A level arrow from ``x1`` to its tip at ``x2``, to the right or to the left."""
        way = 1 if x2 > x1 else -1
        self.wire(f"M{x1:g} {y:g}H{x2 - 3 * way:g}", color, dashed)
        if way > 0:
            self.head_at(x2, y, "right", color)
        else:
            self.out.append(
                f'<polygon points="{x2:g},{y:g} {x2 + 7.5:g},{y - 4:g} {x2 + 7.5:g},{y + 4:g}" fill="{css(color)}"/>'
            )

    def upright(
        self, x: float, y1: float, y2: float, color: str = "gru", dashed: bool = False
    ) -> None:
        """An arrow from ``y1`` to its tip at ``y2``, down or up."""
        way = 1 if y2 > y1 else -1
        self.wire(f"M{x:g} {y1:g}V{y2 - 3 * way:g}", color, dashed)
        self.head_at(x, y2, "down" if way > 0 else "up", color)


def grading_round() -> str:
    """From the release of an assignment to feedback and export: who does what, with which command. Inline SVG."""
    title = (
        "Two columns. You: release, collect, grade, grade by hand and read the report, return feedback, export. "
        "Your students: solve and check, read the feedback, and where you allow it hand in again."
    )
    sheet = _Flow(508, title)
    sheet.word(136, 18, "you", size=15, color="muted")
    sheet.word(396, 18, "your students", size=15, color="muted")
    steps = (
        ("Release", "nbgrader generate_assignment gru"),
        ("Collect", "submitted/ada/gru/gru.ipynb"),
        ("Grade", "autograder grade gru"),
        ("Look, and grade by hand", "autograder report gru, formgrader"),
        ("Return feedback", "nbgrader generate_feedback gru"),
        ("Export", "autograder export canvas gru"),
    )
    for row, (name, how) in enumerate(steps):
        y = 32 + 80 * row
        sheet.step(0, y, 272, name, how)
        if row:
            sheet.upright(136, y - 24, y)
    sheet.step(336, 32, 124, "Solve", "check(gru_step)", "reset")
    sheet.level(272, 336, 60)
    sheet.wire("M380 88V140H300", "reset")
    sheet.level(302, 272, 140, "reset")
    sheet.step(336, 352, 124, "Read it", "the same cards", "reset")
    sheet.level(272, 336, 380)
    sheet.upright(420, 352, 88, "reset", dashed=True)
    sheet.word(412, 226, "hand in", anchor="end", size=14, color="muted")
    sheet.word(412, 244, "again", anchor="end", size=14, color="muted")
    return str(sheet)


def ways_to_a_platform() -> str:
    """Two ways for grades to reach a platform: exported by you, or made there, notebook by notebook. Inline SVG."""
    title = (
        "Above: you grade the class, and the gradebook is exported to Canvas, Moodle or Gradescope. "
        "Below: a student hands in a notebook, and the platform runs grade-one in its own container."
    )
    sheet = _Flow(430, title)
    sheet.word(0, 18, "You grade, then export", anchor="start", size=16, bold=True)
    sheet.step(0, 84, 126, "The class", "autograder grade")
    sheet.level(126, 158, 112)
    sheet.step(158, 84, 126, "Gradebook", "by hand, late")
    for row, (name, how) in enumerate(
        (("Canvas", "a column"), ("Moodle", "with feedback"), ("Gradescope", "test by test"))
    ):
        y = 32 + 64 * row
        sheet.step(334, y, 126, name, how, "reset")
        sheet.wire(f"M284 112H309V{y + 28}H312")
        sheet.level(309, 334, y + 28)
    sheet.word(0, 262, "The platform grades each notebook", anchor="start", size=16, bold=True)
    sheet.rect(146, 282, 204, 112, "line", tint=0.12, dashed=True)
    sheet.word(248, 306, "Gradescope, GitHub", size=14, color="muted")
    sheet.word(248, 387, "a container for it alone", size=14, color="muted")
    sheet.step(0, 314, 108, "A student", "hands in", "reset")
    sheet.level(108, 166, 342, "reset")
    sheet.step(166, 314, 164, "One notebook", "autograder grade-one")
    sheet.level(330, 372, 342)
    sheet.step(372, 314, 88, "Points", "and why", "reset")
    sheet.wire("M416 370V428H54V373", "reset", dashed=True)
    sheet.head_at(54, 370, "up", "reset")
    sheet.word(235, 421, "while there is time to improve", size=14, color="muted")
    return str(sheet)


def confinement() -> str:
    """The judge, and the player inside its four layers; what passes between them, and what is out of reach. Inline SVG."""
    title = (
        "Left the judge, with answers, seed and points. Right the player with the student's code, inside four frames: "
        "limits, seccomp, Landlock, namespaces. Inputs go in, numbers come out. Files, network, gradebook and other "
        "submissions lie outside and cannot be reached."
    )
    sheet = _Flow(420, title)
    layers = ("namespaces", "Landlock", "seccomp", "limits")
    for depth, name in enumerate(layers):
        inset = 26 * depth
        sheet.rect(
            176 + 0.5 * inset,
            4 + inset,
            284 - inset,
            300 - 1.5 * inset,
            "lstm",
            tint=0.07,
            dashed=True,
        )
        sheet.word(
            190 + 0.5 * inset, 22 + inset, name, anchor="start", size=14, color="lstm", bold=True
        )
    sheet.rect(250, 126, 136, 92, "reset", tint=0.16)
    sheet.word(318, 152, "Player", size=15.5, bold=True)
    sheet.word(318, 174, "the student’s", size=14)
    sheet.word(318, 192, "cells, functions", size=14)
    sheet.rect(0, 96, 132, 140, "gru", tint=0.16)
    sheet.word(66, 124, "Judge", size=15.5, bold=True)
    for row, text in enumerate(
        ("inputs, answers,", "seed, points;", "runs no code", "of a student")
    ):
        sheet.word(66, 148 + 20 * row, text, size=14)
    sheet.level(132, 250, 150)
    sheet.word(154, 141, "in", size=14, color="muted")
    sheet.level(250, 132, 198, "reset")
    sheet.word(154, 218, "out", size=14, color="muted")
    sheet.wire("M318 218V328", "forget")
    sheet.wire("M309 319l18 18m0 -18l-18 18", "forget")
    sheet.rect(60, 348, 400, 66, "muted", tint=0.06)
    sheet.word(260, 374, "Out of reach: your files, the network, the gradebook,", size=14.5)
    sheet.word(260, 396, "other submissions, other processes", size=14.5)
    return str(sheet)
