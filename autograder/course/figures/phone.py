"""The same figure for a phone: panels below each other, letters of ten pixels and more.

A plot is drawn twice, for a wide and for a narrow column; a diagram is drawn once, and its
letters grow where the column is narrow. ``FIGURE_CSS`` says which of it is seen.
"""

import re
from contextlib import contextmanager

LEAST = 10.2
"""Pixels, the smallest letter of a figure on a phone."""

COLUMN = 304
"""Pixels, the narrowest column that a figure has to fit, in a frame on a screen of 360."""

_INCHES = 4.2  # 302 units: one pixel each
_GROWTH = 1.2
# A letter in a script is this much of the letter it belongs to; Matplotlib's 0.7 is too small here.
_SCRIPT = 0.85
_SCRIPTS = re.compile(r"\$.*[_^]")


@contextmanager
def larger_scripts():
    """In this block Matplotlib draws indices and exponents larger than it does by default."""
    from matplotlib import _mathtext

    default = _mathtext.SHRINK_FACTOR
    _mathtext.SHRINK_FACTOR = _SCRIPT
    try:
        yield
    finally:
        _mathtext.SHRINK_FACTOR = default


def narrow(fig, inches: float = _INCHES) -> bool:
    """Lay a Matplotlib figure out anew for a phone, in place; whether panels changed their places.

    Panels stand below each other and get the labels that they shared with the first of their row;
    squares stay side by side, two in a row. ``inches`` is the width. Call it in ``larger_scripts``.
    """
    fig.canvas.draw()  # only now are the labels of the ticks known
    panels = [ax for ax in fig.axes if ax.get_subplotspec() is not None]
    columns = panels[0].get_subplotspec().get_gridspec().ncols if panels else 1
    height = _restack(fig, panels)
    _enlarge(fig)
    fig.set_size_inches(inches, height)
    fig.canvas.draw()
    for ax in fig.axes:
        height += _break_names(fig, ax)
        _thin_out(ax)
        legend = ax.get_legend()
        if legend and legend._bbox_to_anchor is None:
            legend.set_loc("best")
    fig.set_size_inches(inches, height)
    fig.canvas.draw()
    for legend in [*fig.legends, *(ax.get_legend() for ax in fig.axes if ax.get_legend())]:
        _fit_legend(fig, legend)
    _wrap(fig)
    return columns > 1


def _restack(fig, panels: list) -> float:
    """Put the panels of a grid into one column; the height of the figure in inches."""
    wide, high = fig.get_size_inches()
    if not panels:
        return high
    grid = panels[0].get_subplotspec().get_gridspec()
    rows, columns = grid.nrows, grid.ncols
    whole = all(len({*ax.get_subplotspec().rowspan}) == 1 for ax in panels)
    if columns == 1 or not whole or len(panels) != rows * columns:
        return high + 0.25 if wide < 5.5 else high * (0.6 + 0.4 * _INCHES / wide)
    square = all(ax.get_aspect() != "auto" for ax in panels)
    new_columns = min(2, columns) if square else 1
    new_rows = -(-len(panels) // new_columns)
    panels.sort(key=lambda ax: ax.get_subplotspec().num1)
    for k in range(0, len(panels), columns):
        for ax in panels[k + 1 : k + columns]:
            _on_its_own(ax, panels[k])
    for ax in panels:
        if any(label.get_text() for label in panels[-1].get_xticklabels()):
            ax.tick_params(labelbottom=True)
    ratios = [
        1 if any(ax.axison for ax in panels[k : k + new_columns]) else 0.02
        for k in range(0, len(panels), new_columns)
    ]
    stack = fig.add_gridspec(new_rows, new_columns, height_ratios=ratios)
    for k, ax in enumerate(panels):
        ax.set_subplotspec(stack[k])
    if square:
        return new_rows * (_INCHES / new_columns + 0.15)
    return max(1.75, 0.85 * high / rows) * sum(ratios)


def _on_its_own(ax, first) -> None:
    """Give a panel what it shared with the first one of its row."""
    if not ax.axison or not first.axison:
        return
    if not ax.get_ylabel() and ax.get_shared_y_axes().joined(ax, first):
        ax.set_ylabel(first.get_ylabel())
    names = [label.get_text() for label in first.get_yticklabels()]
    own = [label.get_text() for label in ax.get_yticklabels()]
    if ax.get_shared_y_axes().joined(ax, first):
        ax.tick_params(labelleft=any(names))
    elif any(names) and own and not any(own) and len(own) == len(names):
        ax.set_yticks(first.get_yticks(), names)


def _size(points: float, text: str) -> float:
    """The size of a text on a phone, given its size in a wide column."""
    return max(points * _GROWTH, LEAST / _SCRIPT if _SCRIPTS.search(text) else LEAST)


def _enlarge(fig) -> None:
    from matplotlib.text import Text

    for text in fig.findobj(Text):
        text.set_fontsize(_size(text.get_fontsize(), text.get_text()))
    for ax in fig.findobj(lambda artist: hasattr(artist, "xaxis")):
        for axis in (ax.xaxis, ax.yaxis):
            labels = [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]
            sizes = [label.get_fontsize() for label in labels if label.get_text()]
            if sizes:
                axis.set_tick_params(which="both", labelsize=max(sizes))


def _break_names(fig, ax) -> float:
    """Set the names of rows in two lines where they take too much of the width; inches more."""
    from matplotlib.ticker import FixedLocator

    labels = [label for label in ax.get_yticklabels() if label.get_text()]
    if not labels or not isinstance(ax.yaxis.get_major_locator(), FixedLocator):
        return 0
    if max(label.get_window_extent().width for label in labels) < 0.36 * fig.bbox.width:
        return 0
    names = []
    for text in (label.get_text() for label in ax.get_yticklabels()):
        words = text.split(" ")
        ways = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))]
        long = ways and len(text) > 16 and "\n" not in text
        names.append("\n".join(min(ways, key=lambda way: max(map(len, way)))) if long else text)
    ax.set_yticks(ax.get_yticks(), names, linespacing=0.95)
    room = ax.get_window_extent().height / fig.dpi / len(labels)
    return max(0, 0.4 - room) * len(labels)


def _thin_out(ax) -> None:
    """Leave out every other label along x, as often as they touch."""
    for _ in range(3):
        labels = [label for label in ax.get_xticklabels() if label.get_text()]
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
        near = any(a.x1 + 3 > b.x0 for a, b in zip(boxes, boxes[1:], strict=False))
        if not near or len(boxes) < 4 or any(label.get_rotation() for label in labels):
            return
        low, high = sorted(ax.get_xlim())
        shown = [
            (x, label.get_text())
            for x, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
            if low <= x <= high
        ]
        ax.set_xticks([x for x, _ in shown[::2]], [text for _, text in shown[::2]])
        ax.set_xlim(low, high)


def _fit_legend(fig, legend) -> None:
    """Fewer columns where a legend is wider than the figure."""
    columns = legend._ncols
    while columns > 1 and legend.get_window_extent().width > fig.bbox.width * 0.98:
        columns -= 1
        legend.set_ncols(columns)
        names = [text.get_text() for text in legend.get_texts()]
        sizes = [text.get_fontsize() for text in legend.get_texts()]
        legend._init_legend_box(legend.legend_handles, names)
        legend._set_loc(legend._loc)
        for text, size in zip(legend.get_texts(), sizes, strict=True):
            text.set_fontsize(size)
        fig.canvas.draw()


def _wrap(fig) -> None:
    """Break titles and labels that are longer than their place."""
    for ax in fig.axes:
        box, names = ax.get_window_extent(), (ax.title, ax._left_title, ax._right_title)
        titles = [title for title in names if title.get_text()]
        for title in titles:
            room = fig.bbox.x1 - box.x0 if len(titles) == 1 else box.width / len(titles)
            _break(title, room - 4, "width")
        _break(ax.xaxis.label, fig.bbox.width - 6, "width")
        _break(ax.yaxis.label, box.height * 1.12, "height")


def _break(text, room: float, along: str) -> None:
    """Break a text of one line between words, so that each line has about the same length."""
    words = text.get_text().split(" ")
    length = getattr(text.get_window_extent(), along)
    if not text.get_text() or length <= room or "\n" in text.get_text() or len(words) == 1:
        return
    each = len(text.get_text()) / -(-length // room) * 1.08
    lines = [words[0]]
    for word in words[1:]:
        fits = len(lines[-1]) + len(word) / 2 < each and lines[-1].count("$") % 2 == 0
        if fits or lines[-1].count("$") % 2:
            lines[-1] += " " + word
        else:
            lines.append(word)
    text.set_text("\n".join(lines))


_PLACES = {"Left": "Above", "Right": "Below", "left": "above", "right": "below"}
_PLACE = re.compile(r"\b(?:At the (left|right)|at the (left|right)|(Left|Right))\b")


def stacked(caption: str) -> str:
    """A caption (HTML) that says where panels are that stand side by side or below each other."""

    def both(place: re.Match) -> str:
        word = _PLACES[place[1] or place[2] or place[3]]
        word = word.capitalize() if place[1] else word
        return f'<span class="gm-wide">{place[0]}</span><span class="gm-narrow">{word}</span>'

    return _PLACE.sub(both, caption)


_TAG = re.compile(r"<(text|tspan)\b([^>]*)>")


def growing(svg: str, column: int = COLUMN) -> str:
    """A diagram whose letters say their size to the style sheet, which enlarges small ones.

    The SVG text names the size that its smallest letter must have, in its own units, in
    ``--gm-least``; each text names its own in ``--gm-size``. ``column`` is the width in pixels
    below which it scrolls, for a diagram with more words than a narrow column has room for. In a
    drawing that went through here before, what was added since is told.
    """
    head = svg[: svg.index(">")]
    box = re.search(r'viewBox="0 0 ([\d.]+)', head)
    if not box:
        return svg

    def told(tag: re.Match) -> str:
        size = re.search(r'\sfont-size="([\d.]+)(?:px)?"', tag[2])
        if not size or "--gm-size" in tag[2]:
            return tag[0]
        return f"<{tag[1]}{_styled(tag[2], f'--gm-size:{size[1]}px')}>"

    if "--gm-least" in head:
        return head + _TAG.sub(told, svg[svg.index(">") :])
    style = f"--gm-least:{LEAST * float(box[1]) / column:.1f}px"
    if column > COLUMN:
        style += f";--gm-growth:1;--gm-column:{column}px"
    return _styled(head, style) + _TAG.sub(told, svg[svg.index(">") :])


def _styled(attributes: str, style: str) -> str:
    """An element's attributes with declarations added to its style."""
    if ' style="' in attributes:
        return attributes.replace(' style="', f' style="{style};', 1)
    return f'{attributes} style="{style}"'
