"""Lays the parts that run Python in a page beside the pages, and tells each page where they are."""

import json
import shutil
from pathlib import Path


def parts(app) -> Path:
    return Path(app.srcdir) / "_build" / "browser" / "run"


def look(app, config):
    """Where parts appear or vanish, every page has to be written anew."""
    config.gm_parts = (parts(app) / "parts.json").is_file()


def tell(app, pagename, templatename, context, doctree):
    """Say in the head of a page where the parts are; a page that is not told says that it cannot run."""
    if app.config.gm_parts:
        address = json.dumps(context["pathto"]("run/parts.json", 1))
        told = f"\n<script>document.documentElement.dataset.gmRun = {address};</script>"
        context["metatags"] = (context.get("metatags") or "") + told


def copy(app, exception):
    """One release at a time lies on the site."""
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir) / "run"
    shutil.rmtree(target, ignore_errors=True)
    if app.config.gm_parts:
        shutil.copytree(parts(app), target)


def setup(app):
    app.add_config_value("gm_parts", False, "html")
    app.connect("config-inited", look)
    app.connect("html-page-context", tell)
    app.connect("build-finished", copy)
