"""The pages of the site, as ``_toc.yml`` lists them, its extensions, a page of a figure, and what fits on a phone."""

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "book" / "_static"
NAMES = [str(name) for name in parse_toc_yaml(ROOT / "_toc.yml")]
HTML_PAGES = [f"{name}.html" for name in NAMES]
# Made by the theme or by the extension rather than from a source.
EVERY_PAGE = [*HTML_PAGES, "search.html", "404.html"]
EXERCISES = [name for name in NAMES if name.startswith("notebooks/")]

PHONE, DESKTOP = (390, 844), (1280, 900)


def extension(name: str) -> ModuleType:
    """A module of the site's own extensions, which lie on no path."""
    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def figure_page(
    path: Path, figure: str, scripts: Iterable[str] = (), static: str = STATIC.as_uri()
) -> str:
    """Write a page with one figure in the course's style, without the theme; returns its address.

    ``scripts`` are names in ``static``, without their ending.
    """
    tags = "".join(f"<script src='{static}/{name}.js' defer></script>" for name in scripts)
    path.write_text(
        "<!doctype html><html lang='en' data-content_root='./'><head><meta charset='utf-8'><title>Live</title>"
        "<meta name='viewport' content='width=device-width'><link rel='icon' href='data:,'>"
        f"<link rel='stylesheet' href='{static}/course.css'>"
        "<script>document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches "
        f"? 'dark' : 'light'</script>{tags}</head><body style='margin: 0'><main class='bd-main'>"
        "<article class='bd-article' style='max-width: 50rem; margin: auto; padding: 0 1.15rem'>"
        f"<h1>Live</h1>{figure}</article></main></body></html>",
        encoding="utf-8",
    )
    return path.as_uri()


def assert_fits(page) -> None:
    """Nothing is wider than its place, and no letter smaller than ten pixels."""
    found = page.evaluate("""() => {
      const wide = e => e.scrollWidth - e.clientWidth, sizes = [];
      const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const e = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !e.checkVisibility() || e.closest("script, style, title, desc, option")) continue;
        sizes.push(parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM?.().a ?? 1));
      }
      return { page: wide(document.documentElement), figure: wide(document.querySelector("figure")), least: Math.min(...sizes) };
    }""")
    assert found["page"] == 0 and found["figure"] <= 0
    assert found["least"] >= 10


def milliseconds_of_work(page, act: str) -> float:
    """What the page's own thread computes for one call of ``act``, the least of 100.

    Time on the processor and not on the clock, and the least of it: whatever else the machine does
    only adds.
    """
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def so_far() -> float:
        read = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
        return 1000 * read["TaskDuration"]

    spent = []
    for k in range(100):
        before = so_far()
        page.evaluate(act, k)
        spent.append(so_far() - before)
    devtools.detach()
    return min(spent)


def least_letter(page, where: str) -> float:
    """The size in pixels of the smallest letter that can be seen in these places."""
    return page.evaluate(
        """where => Math.min(...[...document.querySelectorAll(where)].flatMap(place => {
          const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT), sizes = [];
          while (texts.nextNode()) {
            const e = texts.currentNode.parentElement;
            if (!texts.currentNode.data.trim() || !e.checkVisibility() || e.closest("style, title, option")) continue;
            sizes.push(parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM?.().a ?? 1));
          }
          return sizes;
        }))""",
        where,
    )
