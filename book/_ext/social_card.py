"""Draw the picture that stands beside a shared link: ``python book/_ext/social_card.py``.

The result, ``book/_static/social-card.png``, is committed, because drawing it needs a browser and
nothing in it changes from build to build.
"""

import shutil
from pathlib import Path

from course_site import SUBTITLE, TITLE, logo
from playwright.sync_api import sync_playwright

STATIC = Path(__file__).parent.parent / "_static"

PAGE = f"""<!DOCTYPE html>
<meta charset="utf-8">
<link rel="stylesheet" href="{(STATIC / "course.css").as_uri()}">
<style>
  body {{ margin: 0; width: 1200px; height: 630px; box-sizing: border-box; padding: 88px 96px;
         display: flex; flex-direction: column; justify-content: space-between; }}
  svg {{ width: 132px; height: 132px; margin-left: -8px; }}
  h1 {{ font: 600 118px/1 var(--gm-sans); letter-spacing: -0.035em; margin: 0 0 22px; }}
  p {{ font: 500 38px/1.3 var(--gm-sans); letter-spacing: -0.01em; color: var(--gm-muted); margin: 0;
      text-wrap: balance; }}
</style>
<body>{logo()}<div><h1>{TITLE}</h1><p>{SUBTITLE}</p></div></body>"""


def main():
    page_file = STATIC / "social-card.html"
    page_file.write_text(PAGE, encoding="utf-8")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
                args=["--no-sandbox"],
            )
            page = browser.new_page(viewport={"width": 1200, "height": 630})
            page.goto(page_file.as_uri())
            page.evaluate("document.fonts.ready")
            page.screenshot(path=STATIC / "social-card.png")
            browser.close()
    finally:
        page_file.unlink()


if __name__ == "__main__":
    main()
