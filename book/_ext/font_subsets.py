"""Write the fonts of ``book/_static`` anew, smaller than they come: run by hand, in no build.

    pip install brotli
    python book/_ext/font_subsets.py FOLDER

FOLDER holds the npm packages that ``book/_static/vendor/README.md`` names, unpacked. Of each font stay
the letters that a page or a student's cell may hold, and the weights that the style sheet uses;
``unicode-range`` in ``course.css`` names the same letters, so that another one is taken from the next
font in line without a request.
"""

import io
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

STATIC = Path(__file__).parents[1] / "_static"

LATIN = [
    *range(0x20, 0x7F),
    *range(0xA0, 0x100),
    *(0x141, 0x142, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026, 0x202F, 0x2032),
    *(0x2070, *range(0x2074, 0x207A), 0x207B, 0x2190, 0x2192, 0x2212, 0x2264, 0x2265),
]
GREEK = [*range(0x391, 0x3AA), *range(0x3B1, 0x3CA)]
ITALIC_WEIGHT = 400
AS_IT_COMES = "instrument-sans-latin-wght-normal.woff2"
"""The class report has the same file within itself; it would lose a tenth."""

WEIGHTS = (400, 700)


def reduced(font: TTFont, letters: list[int]) -> TTFont:
    options = subset.Options()
    options.layout_features = ["kern", "liga", "tnum", "pnum", "ccmp", "locl", "mark"]
    options.hinting = False
    tool = subset.Subsetter(options)
    tool.populate(unicodes=letters)
    tool.subset(font)
    return font


def text_font(source: Path) -> TTFont:
    """A font of the pages: the letters, and the weights from normal to bold; italics in one weight."""
    font = TTFont(source)
    weight = ITALIC_WEIGHT if "italic" in source.name else WEIGHTS
    narrowed = instancer.instantiateVariableFont(font, {"wght": weight})
    kept = io.BytesIO()
    narrowed.save(kept)
    kept.seek(0)
    return reduced(TTFont(kept), GREEK if "greek" in source.name else LATIN)


def main(packages: Path):
    """Write every font that is there already, from the file of its name below ``packages``."""
    for old in sorted((STATIC / "fonts").glob("*.woff2")):
        if old.name == AS_IT_COMES:
            continue
        font = text_font(next(packages.rglob(old.name)))
        font.flavor = "woff2"
        font.save(old)
        print(f"{old.stat().st_size:7} {old.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
