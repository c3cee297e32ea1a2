"""The pages of the site, as ``_toc.yml`` lists them, and what fits on a phone."""

from pathlib import Path

from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).parents[2]
NAMES = [str(name) for name in parse_toc_yaml(ROOT / "_toc.yml")]
HTML_PAGES = [f"{name}.html" for name in NAMES]
# Made by the theme or by the extension rather than from a source.
EVERY_PAGE = [*HTML_PAGES, "search.html", "404.html"]
EXERCISES = [name for name in NAMES if name.startswith("notebooks/")]

PHONE, DESKTOP = (390, 844), (1280, 900)


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
