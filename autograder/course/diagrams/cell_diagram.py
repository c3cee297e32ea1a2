"""How a recurrent cell is drawn, of whatever family: its parts one after the other, as inline SVG.

Two wires enter every box from below, the hidden part on the left and the input on the right:
the concatenation ``[h, x]`` of the equations, in its order. Nothing here imports Matplotlib, so
that a verdict can carry the drawing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape

from autograder.course.figures.phone import growing

from .pen import Layout, Pen


@dataclass(frozen=True)
class CellDiagram:
    """A family's cell: its parts, what each is called, and who draws it."""

    name: str
    empty: str
    """the text alternative of the cell without parts"""
    parts: Mapping[str, str]
    """part → its name in words"""
    colors: Mapping[str, str]
    """part → its color in the palette; "input" is what is always there"""
    full: Layout
    compact: Layout
    strokes: tuple[tuple[str, Callable[..., None]], ...]
    """(part, function that draws it with a pen, given the pen's layout), in the order drawn"""

    def svg(
        self,
        show: Iterable[str],
        highlight: str | None,
        *,
        ghost: bool,
        compact: bool,
        title: str | None,
        values: Mapping[str, float] | None = None,
        switches: bool = False,
    ) -> str:
        """Inline SVG of the cell; the arguments are those of `gru_cell`.

        Raises ValueError for a part that the cell does not have.
        """
        shown = set(show)
        named = shown if highlight is None else shown | {highlight}
        if unknown := named - set(self.parts):
            raise ValueError(
                f"the parts of the cell are {', '.join(self.parts)}; "
                f"not {', '.join(sorted(unknown))}"
            )
        at = self.compact if compact else self.full
        pen = Pen(
            at, self.colors, shown, highlight, ghost, {} if compact else values or {}, switches
        )
        pen.frame()
        for part, draw in self.strokes:
            if pen.begin(part):
                draw(pen, at)
                pen.end()
        text = escape(title or self._described(shown, highlight), quote=True)
        svg = (
            f'<svg role="img" aria-label="{text}" class="gm-cell" '
            f'viewBox="0 0 {at.width} {at.height}" style="max-width:{at.limit}px;width:100%;'
            f'height:auto;font-synthesis:none"><title>{text}</title>{"".join(pen.out)}</svg>'
        )
        return svg if compact else growing(svg)

    def _described(self, shown: set[str], highlight: str | None) -> str:
        """The text alternative, by default."""
        if not shown:
            return self.empty
        text = f"{self.name} with {', '.join(self.parts[p] for p in self.parts if p in shown)}"
        return f"{text}; marked: {self.parts[highlight]}" if highlight else text
