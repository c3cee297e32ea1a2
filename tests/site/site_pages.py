"""The pages of the site, as ``_toc.yml`` lists them."""

from pathlib import Path

from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).parents[2]
NAMES = [str(name) for name in parse_toc_yaml(ROOT / "_toc.yml")]
HTML_PAGES = [f"{name}.html" for name in NAMES]
# Made by the theme or by the extension rather than from a source.
EVERY_PAGE = [*HTML_PAGES, "search.html", "404.html"]
EXERCISES = [name for name in NAMES if name.startswith("notebooks/")]

PHONE, DESKTOP = (390, 844), (1280, 900)
