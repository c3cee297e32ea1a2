"""What a page loads: one style sheet, and the scripts that it uses, none of which holds up its text."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

import styles
from sphinx.builders.html._assets import _JavaScript

THEME = ["styles/theme.css", "styles/pydata-sphinx-theme.css"]
"""Those that the theme writes into its template rather than on the list."""

NEEDED_WHERE = {
    "togglebutton.js": re.compile(
        r'class="(?:[^"]* )?(?:toggle|admonition [^"]*dropdown)[ "]|class="[^"]*dropdown admonition'
    ),
    "design-tabs.js": re.compile("sd-tab-set"),
    "clipboard.min.js": re.compile("<pre"),
    "copybutton.js": re.compile("<pre"),
}
"""Scripts of extensions, and what a page with something for them to do contains."""

BEFORE_A_SCRIPT = {"togglebutton.js": re.compile("toggleHint|toggleOpen|togglebutton")}
"""What stands in the page for the sake of a script, and goes with it."""

OF_SPHINX_SEARCH = {"doctools.js", "sphinx_highlight.js"}
"""What Sphinx's own search builds on, at once; there is none of it where the theme's is off."""


def names_of_sheets(app) -> list[str]:
    """Every style sheet of the site, in the order in which they would be linked.

    One for print alone stays a link of its own, which holds up no page.
    """
    listed = sorted(app.builder._css_files, key=lambda sheet: sheet.priority)
    listed = [sheet for sheet in listed if "media" not in sheet.attributes]
    names = [str(sheet.filename).removeprefix("_static/") for sheet in listed]
    return [*THEME, *dict.fromkeys(name for name in names if "thebe" not in name)]


def lighten(app, pagename, templatename, context, doctree):
    """Take the style sheets that are in the one off the page's list, and the scripts it has no use for."""
    together = {f"_static/{name}" for name in names_of_sheets(app)}
    context["css_files"] = [
        sheet for sheet in context["css_files"] if str(sheet.filename) not in together
    ]
    body = context.get("body") or ""
    unused = {name for name, needs in NEEDED_WHERE.items() if not needs.search(body)}
    if app.config.html_theme_options.get("disable_search"):
        unused |= OF_SPHINX_SEARCH
    kept = [_JavaScript("", body=options_of(app, pagename))]
    for script in context["script_files"]:
        name = str(script.filename or "").removeprefix("_static/")
        text = script.attributes.get("body", "")
        if name in unused or name == "documentation_options.js" or "DOCUMENTATION_OPTIONS" in text:
            continue
        if any(name in unused and words.search(text) for name, words in BEFORE_A_SCRIPT.items()):
            continue
        if name and name not in OF_SPHINX_SEARCH:
            script.attributes.setdefault("defer", "defer")
        if script not in kept:
            kept.append(script)
    context["script_files"] = kept


def options_of(app, pagename: str) -> str:
    """What Sphinx keeps in a file of its own and the theme's scripts read, and the page's name."""
    options = {
        "VERSION": app.config.release,
        "LANGUAGE": app.config.language,
        "COLLAPSE_INDEX": False,
        "BUILDER": "html",
        "FILE_SUFFIX": ".html",
        "LINK_SUFFIX": ".html",
        "HAS_SOURCE": False,
        "SOURCELINK_SUFFIX": "",
        "NAVIGATION_WITH_KEYS": False,
        "SHOW_SEARCH_SUMMARY": True,
        "ENABLE_SEARCH_SHORTCUTS": True,
        "pagename": pagename,
        "search_as_you_type": False,
    }
    return f"const DOCUMENTATION_OPTIONS = {json.dumps(options, separators=(',', ':'))};"


def pages_of(site: Path) -> list[Path]:
    """The pages that the theme dresses."""
    return sorted(
        [*site.glob("book/**/*.html"), *site.glob("notebooks/**/*.html"), *site.glob("*.html")]
    )


SCRIPT = re.compile(r'<script\b[^>]*?\bsrc="[^"]*?([\w.-]+\.js)[?"]')
LINK = re.compile(r'(_static/site\.css)(?:\?v=\w+)?"')


ALL_AT_ONCE = '"complete"===document.readyState?I():window.addEventListener("load",I)'
"""What the theme's script begins when a page is loaded: it measures every box that may scroll, and lays out
the whole page for it. ``course.js`` does the same for the boxes that come near the window."""


def spare_the_boxes(app, exception):
    """Take it out of the theme's script, which Sphinx lays out anew in every build or leaves as it was."""
    if exception or app.builder.format != "html":
        return
    file = Path(app.outdir) / "_static" / "scripts" / "pydata-sphinx-theme.js"
    script = file.read_text(encoding="utf-8")
    if ALL_AT_ONCE in script:
        file.write_text(script.replace(ALL_AT_ONCE, "/*course.js*/0"), encoding="utf-8")
    elif "/*course.js*/" not in script:
        raise ValueError("pydata-sphinx-theme.js is another than the one page_load.py knows.")


def scripts_of(static: Path, pages: Iterable[str]) -> list[str]:
    """The texts of the scripts that some page loads, or that a script which is loaded names."""
    there = {file.name: file for file in [*static.glob("*.js"), *static.glob("scripts/*.js")]}
    found: dict[str, str] = {}
    waiting = {name for page in pages for name in SCRIPT.findall(page)}
    while names := waiting & (there.keys() - found.keys()):
        found |= {name: there[name].read_text(encoding="utf-8") for name in names}
        waiting = {name for name in there if any(name in found[by] for by in names)}
    return list(found.values())


def write_sheet(app, exception):
    """Write ``site.css`` and put its digest behind its address, on pages of earlier builds too."""
    if exception or app.builder.format != "html":
        return
    site, static = Path(app.outdir), Path(app.outdir) / "_static"
    known = styles.Vocabulary()
    texts = {page: page.read_text(encoding="utf-8") for page in pages_of(site)}
    for text in texts.values():
        known.read_page(text)
    for script in scripts_of(static, texts.values()):
        known.read_script(script)
    sheet = styles.one_sheet(static, names_of_sheets(app), known)
    (static / "site.css").write_text(sheet, encoding="utf-8")
    digest = hashlib.sha256(sheet.encode()).hexdigest()[:8]
    for page, text in texts.items():
        if (stamped := LINK.sub(rf'\1?v={digest}"', text)) != text:
            page.write_text(stamped, encoding="utf-8")


def setup(app):
    # After live_cells and the theme have added theirs.
    app.connect("html-page-context", lighten, priority=950)
    app.connect("build-finished", spare_the_boxes)
    app.connect("build-finished", write_sheet, priority=900)
