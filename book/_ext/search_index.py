"""The search of the site: an index of sections, in place of Sphinx's index of pages.

After the pages are written, every section of every page becomes one entry of ``search-index.js``: its
heading, its anchor, its text as a reader sees it, formulas in plain letters, code left out. A term of
the glossary is a section too. What a chapter is about, its ``keywords``, is found there first. Pages of
solutions are left out. ``gm-search.js`` asks for the index when
a reader searches, and for nothing before. It is a script that sets one variable, because a page that
is opened from a folder may not fetch anything.
"""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

FILE = "search-index.js"
WEIGHTS = {"book/back/": 0.45, "book/teach/": 0.6, "notebooks/": 0.55, "book/start/": 0.9}
"""What a page's sections count for beside those of a chapter, by where the page lies."""
TERM = 1.3
"""How much more an entry of the glossary counts than other sections of its page."""
AT_HAND = {
    "bptt": "backpropagation through time",
    "tbptt": "truncated backpropagation through time",
    "rnn": "recurrent",
    "adding task": "adding problem",
}
"""Spellings that no initials of a term give."""

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
UNREAD = {"script", "style", "svg", "button", "select", "template", "noscript", "pre"}
HIDDEN = {
    "headerlink",
    "gm-workplace",
    "katex-html",
    "katex-display",
    "MathJax_Preview",
    "gm-way-end",
}
HEADINGS = {"h1", "h2", "h3", "h4"}
IN_LINE = {"a", "abbr", "b", "code", "em", "i", "kbd", "math", "q", "small", "span", "strong"}
IN_LINE |= {"sub", "sup", "annotation", "semantics"}

LETTERS = dict(
    zip(
        "alpha beta gamma delta epsilon eta theta lambda mu rho sigma tau phi omega ell".split(),
        "α β γ δ ε η θ λ μ ρ σ τ φ ω ℓ".split(),
        strict=True,
    )
) | {
    "cdot": "·",
    "times": "×",
    "le": "≤",
    "leq": "≤",
    "ge": "≥",
    "approx": "≈",
    "pm": "±",
    "to": "→",
}


def plain(tex: str) -> str:
    """A formula in a line of text as letters: ``\\sigma(W_z h)`` as ``σ(W_z h)``."""
    text = re.sub(r"\\([A-Za-z]+)", lambda found: LETTERS.get(found[1], "") + " ", tex)
    text = re.sub(r"\\(.)|[{}]", lambda found: " " if found[1] else "", text)
    return re.sub(r" (?=[_^),])|(?<=\() ", "", " ".join(text.split()))


def told_of(page: str, name: str) -> str:
    """What the head of a page says under a name."""
    found = re.search(rf'<meta content="([^"]*)" name="{name}"', page)
    return unescape(found[1]) if found else ""


class Sections(HTMLParser):
    """What a page's article says, section by section.

    A label, ``(reset-gate)=`` in the source, is what the author calls the section: it is searched, too. The
    first section, the page's own, has the page's description in its place.
    """

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.found: list[list] = []
        self.open: list[tuple[str, bool]] = []  # elements, and whether each hides its text
        self.anchors: list[str] = []
        self.heading: str | None = None
        self.label = ""
        self.about = told_of(page, "description")
        article = re.search(r'<article class="bd-article">(.*?)</article>', page, re.S)
        # Drawings are most of a page and none of its text.
        self.feed(
            re.sub(r"<(svg|style|script)\b.*?</\1>", " ", article[1] if article else "", flags=re.S)
        )
        self.close()

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        classes = set((told.get("class") or "").split())
        if tag in VOID:
            self.handle_data(" ")
            return
        hides = tag in UNREAD or bool(classes & HIDDEN) or (tag == "div" and "math" in classes)
        # Of a formula that is set already, its source is read and its letters are not.
        hides = hides or tag in ("mrow", "mi", "mo", "mn", "mtext")
        self.open.append((tag, hides))
        if tag == "section":
            self.anchors.append(told.get("id") or "")
            self.label = ""
        if tag == "span" and told.get("id"):
            self.label = told["id"].replace("-", " ")
        if tag in HEADINGS or (tag == "dt" and (told.get("id") or "").startswith("term-")):
            anchor = told.get("id") if tag == "dt" else (self.anchors or [""])[-1]
            label = self.label if self.found else self.about
            self.found.append(["", anchor, "", tag == "dt", "" if tag == "dt" else label])
            self.heading = tag
        if tag == "annotation":
            self.handle_data("\\(")
        elif tag not in IN_LINE:
            self.handle_data(" ")

    def handle_endtag(self, tag):
        if tag in VOID or tag not in [name for name, _ in self.open]:
            return
        if tag == "annotation":
            self.handle_data("\\)")
        while self.open.pop()[0] != tag:
            pass
        if tag == "section" and self.anchors:
            self.anchors.pop()
        if tag == self.heading:
            self.heading = None
        if tag not in IN_LINE:
            self.handle_data(" ")

    def handle_data(self, data):
        if self.found and not any(hides for _, hides in self.open):
            self.found[-1][0 if self.heading else 2] += data

    def texts(self) -> list[tuple[str, str, str, str, bool]]:
        """The sections as (heading, anchor, label, text, whether it is a term)."""

        def read(text: str) -> str:
            text = re.sub(r"\\\((.*?)\\\)", lambda found: plain(found[1]), text, flags=re.S)
            return re.sub(r"\s+([.,;:)])", r"\1", " ".join(text.split()))

        return [
            (read(t), anchor, label, read(text), term)
            for t, anchor, text, term, label in self.found
        ]


def weight_of(docname: str) -> float:
    return next((w for place, w in WEIGHTS.items() if docname.startswith(place)), 1.0)


def abbreviations(terms: list[str]) -> dict[str, str]:
    """What stands for a term of the glossary: its initials, or what follows it in parentheses."""
    found = dict(AT_HAND)
    for term in terms:
        name, _, short = term.partition(" (")
        words = re.findall(r"\w+", name)
        if short or len(words) > 2:
            key = short.rstrip(")").lower() or "".join(word[0] for word in words).lower()
            found.setdefault(key, name.lower())
    return found


def parts_of(site_map) -> dict[str, str]:
    """The part that each page stands in, in reading order; the landing page in none."""
    listed = {site_map.root.docname: ""}
    for tree in site_map.root.subtrees:
        listed |= dict.fromkeys(tree.files(), tree.caption or "")
    return listed


def index_of(html: Path, parts: dict[str, str]) -> dict:
    """The index of the pages written in a folder; ``parts`` says which, and the part of each.

    Pages are [title, part, address, weight, keywords]; sections [number of its page, heading, anchor,
    label, text, weight beside its page].
    """
    pages, sections, terms = [], [], []
    for docname, part in parts.items():
        file = html / f"{docname}.html"
        page = file.read_text(encoding="utf-8") if file.is_file() else ""
        found = Sections(page).texts()
        if not found:
            continue
        for title, anchor, label, text, term in found:
            weight = TERM if term else 1
            sections.append([len(pages), title, anchor, label, text, weight])
            terms += [title] if term else []
        about = [word.strip() for word in told_of(page, "keywords").split(",") if word.strip()]
        pages.append([found[0][0], part, f"{docname}.html", weight_of(docname), about])
    return {"pages": pages, "sections": sections, "short": abbreviations(terms)}


def write(app, exception):
    if exception or app.builder.format != "html":
        return
    index = index_of(Path(app.outdir), parts_of(app.env.external_site_map))
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / FILE).write_text(f"window.gmSearchIndex={text};\n", encoding="utf-8")


def no_index_of_pages(app):
    app.builder.search = False


def no_script_of_sphinx(app, pagename, templatename, context, doctree):
    """What Sphinx's search and its marks on a page would need is not loaded."""
    unwanted = ("doctools.js", "sphinx_highlight.js", "searchtools.js", "language_data.js")

    def wanted(script) -> bool:
        return not str(getattr(script, "filename", script)).endswith(unwanted)

    context["script_files"] = [script for script in context["script_files"] if wanted(script)]


def page(app):
    yield "search", {"title": "Search"}, "search.html"


def setup(app):
    app.connect("builder-inited", no_index_of_pages)
    app.connect("html-collect-pages", page)
    app.connect("html-page-context", no_script_of_sphinx, priority=950)
    app.connect("build-finished", write)
