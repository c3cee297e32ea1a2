"""Drawings as a page of the site needs them: three quarters of a chapter's bytes are its plots.

A figure is made to be shown in a notebook too, where it brings along what it needs. Here the colors are
those of the site, so that no other has to stand behind them; groups that group nothing go; lines tell the
step to each point instead of the point, since steps repeat and pack well; and what a drawing has as pixels
is a file of its own, which holds up no text.
"""

import hashlib
import re
from base64 import b64decode
from decimal import Decimal
from pathlib import Path

FOLDER = "_static/data"
GROUPS = re.compile(r"<g\b[^>]*>|</g>")
COLOR = r"(?:#[0-9a-f]+|var\(--gm-[\w-]+\))"
FALLBACK = re.compile(rf"var\((--gm-[\w-]+), (?:{COLOR}|var\(--jp-[\w-]+, {COLOR}\))\)")
CODE = re.compile(r"(<pre\b.*?</pre>)", re.S)
"""What a reader reads, and may copy, stays as it is."""
LINES = re.compile(r'(?<= d=")(?:[ML] -?[\d.]+ -?[\d.]+ |z ?)+(?=")')
"""Paths of straight lines, as Matplotlib writes them."""
PART = re.compile(r"([ML]) (\S+) (\S+) |z")
PIXELS = re.compile(r'(<image\b[^>]*?href=")data:image/png;base64,([^"]+)')


def without_plain_groups(html: str) -> str:
    """The same drawings without groups that have no attribute."""
    kept: list[bool] = []

    def keep(found: re.Match) -> str:
        if found[0] != "</g>":
            kept.append(found[0] != "<g>")
            return found[0] if kept[-1] else ""
        return found[0] if kept.pop() else ""

    return GROUPS.sub(keep, html)


def with_own_colors(html: str) -> str:
    """The same without the colors that stand behind the site's own."""
    while FALLBACK.search(html):  # one may stand within another
        html = FALLBACK.sub(r"var(\1)", html)
    return html


def told(number: Decimal) -> str:
    text = f"{number.normalize():f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def in_steps(html: str) -> str:
    """The same lines, each point told from the one before it; not a digit is lost."""

    def steps(found: re.Match) -> str:
        written, last = "", ""
        x = y = begun_x = begun_y = Decimal(0)
        for letter, *point in PART.findall(found[0]):
            if not letter:  # back to where it began
                written, x, y = f"{written}z", begun_x, begun_y
            else:
                to_x, to_y = map(Decimal, point)
                if letter == "M":
                    written += f"M{told(to_x)} {told(to_y)}"
                    begun_x, begun_y = to_x, to_y
                else:
                    written += f"{' ' if last == 'L' else 'l'}{told(to_x - x)} {told(to_y - y)}"
                x, y = to_x, to_y
            last = letter
        return written

    return LINES.sub(steps, html)


def lean(html: str, folder: Path, address: str) -> str:
    """The page's text with lean drawings; pixels go into ``folder``, at ``address`` as seen from the page."""

    def move(found: re.Match) -> str:
        data = b64decode("".join(found[2].split()))
        name = f"{hashlib.sha256(data).hexdigest()[:12]}.png"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        return f"{found[1]}{address}/{name}"

    parts = CODE.split(without_plain_groups(html))
    html = "".join(
        part if k % 2 else in_steps(with_own_colors(part)) for k, part in enumerate(parts)
    )
    return PIXELS.sub(move, html)


def make_lean(app, pagename, templatename, context, doctree):
    if doctree is not None and app.builder.format == "html":
        folder = Path(app.outdir) / FOLDER
        context["body"] = lean(context["body"], folder, context["pathto"](FOLDER, 1))


def setup(app):
    app.connect("html-page-context", make_lean)
