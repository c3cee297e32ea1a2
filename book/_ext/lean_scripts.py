"""The scripts of figures that can be touched, as a reader's browser gets them: a local Sphinx extension.

In ``book/_static`` they explain themselves to whoever reads them. On the site they come without
their comments, which no browser needs.
"""

import re
from pathlib import Path

STATIC = Path(__file__).parents[1] / "_static"

# Whole lines only: what stands behind code may be part of a string.
_COMMENTS = re.compile(r"^[ \t]*(?://[^\n]*|/\*\*.*?\*/[ \t]*)\n", re.MULTILINE | re.DOTALL)


def lean(script: str) -> str:
    """The script without the lines that are nothing but comments."""
    return _COMMENTS.sub("", script)


def elements() -> list[Path]:
    """The scripts of the figures: those that share ``window.GM`` or define an element."""
    found = re.compile(r"window\.GM\b|customElements\.define")
    return sorted(p for p in STATIC.glob("*.js") if found.search(p.read_text(encoding="utf-8")))


def write(app, exception) -> None:
    """Replace the copies that Sphinx has laid out."""
    for path in elements() if exception is None else ():
        copy = Path(app.outdir) / "_static" / path.name
        if copy.exists():
            copy.write_text(lean(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app):
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
