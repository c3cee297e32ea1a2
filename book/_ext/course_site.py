"""What the course's website needs beyond Jupyter Book: a local Sphinx extension.

Everything that depends on the repository's address is derived here from one key,
``repository: url:`` in ``_config.yml``. While it is empty, no page carries a link or a button that
leads nowhere.
"""

import logging
import re
import tomllib
from html import escape
from pathlib import Path
from urllib.parse import quote, urlsplit

import descriptions
import exercise_links
import far_sections
import figure_data
import formulas
import handouts
import lean_drawings
import lite
import mistake_cards
import page_load
import published
import python_in_pages
import search_index
import way
import wide_tables
from docutils import nodes
from sphinx_external_toc.parsing import parse_toc_yaml

from autograder.material.handed_out import site_of

HERE = Path(__file__).parent
TITLE = "Gated Memory"
SUBTITLE = "From the vanilla RNN through the LSTM to the GRU, by building them"


class Repository:
    """The address of the repository, taken apart; false while it is unset."""

    def __init__(self, url: str, branch: str):
        self.url = (url or "").rstrip("/")
        self.branch = branch or "main"
        self.owner, self.name = self.url.rsplit("/", 2)[-2:] if self.url else ("", "")

    def __bool__(self) -> bool:
        return bool(self.url)

    @property
    def site(self) -> str:
        """Where GitHub Pages serves the site."""
        return site_of(self.url)

    def file(self, path: str) -> str:
        return f"{self.url}/blob/{self.branch}/{path}"

    def launchers(self, path: str) -> list[tuple[str, str]]:
        """Name and address of every place that opens a notebook without an installation."""
        if not self.site:
            return []
        place = f"{self.owner}/{self.name}"
        return [
            (
                "Binder",
                f"https://mybinder.org/v2/gh/{place}/{self.branch}?urlpath="
                + quote(f"lab/tree/{path}", safe=""),
            ),
            (
                "Colab",
                f"https://colab.research.google.com/github/{place}/blob/{self.branch}/{path}",
            ),
        ]


def configure(app, config):
    """Build the pages of ``_toc.yml`` and nothing else; derive the addresses.

    Sphinx looks for listed files only. Jupyter Book's ``only_build_toc_files`` would walk the whole
    checkout instead, the virtual environment included.
    """
    toc = parse_toc_yaml(Path(app.srcdir) / "_toc.yml")
    config.include_patterns = [f"{name}.*" for name in (*toc, *toc.globs())]
    config.templates_path = [str(HERE / "templates"), *config.templates_path]

    options = config.html_theme_options
    repository = Repository(options.get("repository_url"), options.get("repository_branch"))
    options["use_repository_button"] = bool(repository)
    if not config.html_baseurl:
        config.html_baseurl = repository.site
    app.gm_repository = repository


def let_links_name_labels(app, doctree):
    """Let ``page.md#label`` reach a label, ``(label)=``, and not only the slug of a heading.

    Notebooks and verdicts point to labels, which stay when a heading is reworded.
    """
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for section in doctree.findall(nodes.section):
        for name in section["ids"]:
            slugs.setdefault(name, (section.line, name, section[0].astext()))


def logo() -> str:
    """The logo as inline SVG without its own colors, so that it follows the page's mode."""
    svg = (HERE.parent / "_static" / "logo.svg").read_text(encoding="utf-8")
    svg = re.sub(r"<style>.*?</style>|<title>.*?</title>|<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r"\s*\n\s*", "", svg)
    return svg.replace("<svg ", '<svg class="gm-logo" aria-hidden="true" focusable="false" ', 1)


def course_version(app) -> str:
    project = tomllib.loads((Path(app.srcdir) / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["version"]


def add_context(app, pagename, templatename, context, doctree):
    repository = app.gm_repository
    context["gm_logo"] = logo()
    context["gm_title"], context["gm_subtitle"] = TITLE, SUBTITLE
    context["gm_repository"] = repository
    context["gm_version"] = course_version(app)
    drop_thebe(context)
    if doctree is not None:
        smooth(context)
    add_social_tags(repository, pagename, context)
    if pagename == app.config.root_doc:
        context["body"] = context["body"].replace("<h1>", f"<h1>{context['gm_logo']}", 1)
    if pagename.startswith("notebooks/") and doctree is not None:
        add_workplace(repository, pagename, context)


# What the builders of notebooks and bibliographies write that a screen reader stumbles over: a name
# that hides the text of a fold, and an entry that is no item of the list it stands in.
STUMBLES = {
    ' aria-label="Toggle hidden content"': "",
    ' role="doc-biblioentry"': ' role="listitem"',
}


# No line ends within a number: "7 × 10⁻³", "98 %". Code and data stay as they are.
CODE = re.compile(r"(<(script|pre)\b.*?</\2>)", re.S)
IN_NUMBERS = re.compile(r"(?<=\d) (?=%)|(?<=\d) (?=× 10[⁻⁰¹²³⁴-⁹])|(?<=\d ×) (?=10[⁻⁰¹²³⁴-⁹])")


def smooth(context):
    for text, better in STUMBLES.items():
        context["body"] = context["body"].replace(text, better)
    pieces = CODE.split(context["body"])  # text, code, its tag, text, …
    pieces[::3] = (IN_NUMBERS.sub("\u00a0", text) for text in pieces[::3])
    del pieces[2::3]
    context["body"] = "".join(pieces)


def drop_thebe(context):
    """sphinx-thebe adds its script twice to every page even when Thebe is off: a JavaScript error."""

    def wanted(asset) -> bool:
        text = str(getattr(asset, "filename", asset)) + getattr(asset, "attributes", {}).get(
            "body", ""
        )
        return "thebe" not in text.lower()

    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context[kind] if wanted(asset)]


def add_social_tags(repository, pagename, context):
    """Title, description and card for a link that is shared; absolute, so only with an address."""
    title = re.sub(r"<[^>]*>", "", context.get("title") or TITLE)
    if title != TITLE:
        title = f"{title} · {TITLE}"
    found = re.search(r'<meta content="([^"]*)" name="description"', context.get("metatags") or "")
    description = found.group(1) if found else SUBTITLE
    tags = {
        "og:type": "website",
        "og:site_name": TITLE,
        "og:title": title,
        "og:description": description,
    }
    if repository.site:
        tags |= {
            "og:url": f"{repository.site}{pagename}.html",
            "og:image": f"{repository.site}_static/social-card.png",
            "og:image:alt": f"{TITLE}. {SUBTITLE}.",
            "twitter:card": "summary_large_image",
        }
    context["metatags"] = (context.get("metatags") or "") + "".join(
        f'\n<meta property="{key}" content="{escape(value, quote=True)}" />'
        for key, value in tags.items()
    )


def add_workplace(repository, pagename, context):
    """Put a line under an exercise page's title that says where the notebook can be worked on."""
    path = f"{pagename}.ipynb"
    links = [
        f'<a class="gm-button" href="{escape(url)}">Open in {name}</a>'
        for name, url in repository.launchers(path)
    ]
    name = pagename.rpartition("/")[2]
    for text, file in (
        ("Download with all it needs", f"get/{name}.zip"),
        ("Download the notebook", f"_downloads/{path}"),
    ):
        address = escape(context["pathto"](file, 1))
        links.append(f'<a class="gm-button" href="{address}" download>{text}</a>')
    ways = escape(context["pathto"](handouts.PAGE))
    bar = (
        '<div class="gm-workplace"><p>This page is a notebook to work in: write the functions, run '
        f'the checks. <a href="{ways}">Get the course</a> shows where that can be done.</p>'
        f'<p class="gm-buttons">{"".join(links)}</p></div>'
    )
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{bar}", 1)


def extra_pages(app):
    """The page for a wrong address, and the entrance that leads to the landing page."""
    home = urlsplit(app.config.html_baseurl).path or "/"
    style = (HERE.parent / "_static" / "course.css").read_text(encoding="utf-8")
    tokens = re.search(r"/\* tokens \*/(.*?)/\* end of tokens \*/", style, flags=re.S).group(1)
    yield "404", {"gm_home": home, "gm_tokens": tokens}, "not-found.html"
    yield "index", {"gm_home": home, "title": TITLE}, "entrance.html"


CARD_LINK = re.compile(r'href="\.\./\.\./(book/[\w/-]+)\.md#([\w-]+)"')
"""How a card links to a section: by the page's path from a notebook's folder, see ``render.beside``."""


def let_cards_lead_to_pages(app, pagename, templatename, context, doctree):
    """On the site a card's section is another page, not a file beside the notebook's folder."""
    if "gm-verdict" in context.get("body", ""):
        context["body"] = CARD_LINK.sub(
            lambda found: f'href="{context["pathto"](found[1])}#{found[2]}"', context["body"]
        )


def setup(app):
    # It reports that our scripts/fontawesome.js takes the place of the theme's, which is the point.
    logging.getLogger("sphinx.sphinx.util.osutil").setLevel(logging.WARNING)
    app.connect("config-inited", configure)
    app.connect("doctree-read", let_links_name_labels)
    # After the theme and sphinx-thebe have had their say.
    app.connect("html-page-context", add_context, priority=900)
    app.connect("html-page-context", let_cards_lead_to_pages)
    app.connect("html-collect-pages", extra_pages)
    figure_data.setup(app)
    lean_drawings.setup(app)
    formulas.setup(app)
    handouts.setup(app)
    python_in_pages.setup(app)
    search_index.setup(app)
    mistake_cards.setup(app)
    exercise_links.setup(app)
    published.setup(app)
    way.setup(app)
    descriptions.setup(app)
    far_sections.setup(app)
    wide_tables.setup(app)
    page_load.setup(app)
    app.connect("build-finished", lite.build)  # out of what the two before it have laid out
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
