"""A description for every page that has none of its own: the first sentences of its text."""

import re
from html import escape, unescape

LONGEST = 200
OF_PAGES = {
    "search": "Search every section of the course: chapters, exercises, glossary and mistakes.",
}
"""For pages that have no text of their own."""


def sentences(body: str) -> str:
    """The sentences at the beginning of a page's first paragraph, as far as they fit."""
    body = re.sub(r'<div class="(?:gm-workplace|[^"]*admonition)".*?</div>', "", body, flags=re.S)
    found = re.search(r"<p>(.*?)</p>", body, re.S)
    text = " ".join(unescape(re.sub(r"<[^>]*>", "", found[1] if found else "")).split())
    whole = re.match(rf".{{1,{LONGEST}}}[.!?](?= |$)", text)
    return whole[0] if whole else text[:LONGEST].rpartition(" ")[0]


def describe(app, pagename, templatename, context, doctree):
    tags = context.get("metatags") or ""
    if 'name="description"' in tags:
        return
    text = OF_PAGES.get(pagename) or (sentences(context["body"]) if doctree is not None else "")
    if text:
        context["metatags"] = f'{tags}\n<meta content="{escape(text)}" name="description" />'


def setup(app):
    # Before course_site puts the description on the card of a shared link.
    app.connect("html-page-context", describe, priority=850)
