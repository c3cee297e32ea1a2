"""Takes the pictures of a class report that the guide shows, from the made-up class of `autograder demo`.

    autograder demo --keep-closed && python tests/scenes/picture_the_report.py

Needs Playwright and Chromium. The digest of what a report is made from is written beside the pictures;
`test_report_pictures.py` says when they have to be taken again.
"""

import hashlib
import io
import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "book" / "_static" / "pictures"
MADE_FROM = ROOT / "autograder" / "outlets" / "report"
KINDS = {"wide": 760, "phone": 390}
PARTS = {"head": ("body", "#reteach article:nth-of-type(2)"), "points": ("#points", "#unnamed")}
"""Each part reaches from the top of one element to the top of another."""


def digest() -> str:
    """Of the style and the templates of a report, in hexadecimal."""
    text = b"".join(
        path.read_bytes() for path in sorted(MADE_FROM.glob("*.j2")) + [MADE_FROM / "report.css"]
    )
    return hashlib.sha256(text).hexdigest()[:16]


def small(picture: bytes) -> bytes:
    """A PNG with at most 48 colors, which is all that a report has."""
    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


def main() -> None:
    """Write a picture for each part, width and mode, and their sizes."""
    from playwright.sync_api import sync_playwright

    report = ROOT / "_build" / "demo" / "reports" / "gru.html"
    sizes = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        for kind, width in KINDS.items():
            for mode in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": width, "height": 900},
                    color_scheme=mode,
                    device_scale_factor=1.5,
                )
                page.goto(report.as_uri())
                tops = {
                    where: page.locator(where).first.evaluate(
                        "e => e.getBoundingClientRect().top + scrollY"
                    )
                    for where in {w for pair in PARTS.values() for w in pair}
                }
                for part, (first, last) in PARTS.items():
                    top, bottom = (
                        round(tops[first]) + (40 if part == "points" else 0),
                        round(tops[last]),
                    )
                    name = f"class-report-{part}-{kind}-{mode}.png"
                    picture = small(
                        page.screenshot(
                            full_page=True,
                            clip={"x": 0, "y": top, "width": width, "height": bottom - top},
                        )
                    )
                    (FOLDER / name).write_bytes(picture)
                    sizes[name] = [width, bottom - top]
        browser.close()
    (FOLDER / "class-report.json").write_text(
        json.dumps({"made_from": digest(), "sizes": sizes}, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
