"""Formulas are set while the site is built, by KaTeX in an embedded JavaScript engine.

A page then holds HTML to look at and MathML to be read aloud, and no script has anything to do. What
KaTeX cannot set, or would need a font that the site does not ship, is a warning with page and formula,
and a warning fails the build.
"""

import json
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

KATEX = Path(__file__).parent / "vendor" / "katex.min.js"

SETTER = r"""
var settings = {
  macros: {"\\class": "\\htmlClass{#1}{#2}"},
  trust: context => {
    if (context.command === "\\htmlClass") return true;
    throw new Error(context.command + " is not for this course");
  },
  strict: code => code === "htmlExtension" ? "ignore" : "error",
};
function trySetting(tex, display) {
  const now = {...settings, displayMode: display, macros: {...settings.macros}};
  try { return JSON.stringify({html: katex.renderToString(tex, now)}); }
  catch (error) { return JSON.stringify({error: String(error.message)}); }
}
"""
"""MathJax's ``class`` becomes KaTeX's ``htmlClass``: exercises are read in JupyterLab too, which has the former."""

UNSHIPPED = {"mathcal", "mathfrak", "mathscr", "mathsf", "textsf", "boldsymbol", "textboldfrak"}
"""Classes that KaTeX gives to letters of fonts that are not in ``book/_static/vendor/katex``."""

SOURCE = re.compile(r"<semantics>(.*)<annotation[^>]*>.*?</annotation></semantics>", re.S)
"""KaTeX keeps the TeX beside the MathML; some readers and every search would find it."""

AFTER = re.compile(r"[’'-]\w{1,3}\b|[^\s\w—–/]+")
BEFORE = re.compile(r"[(\[“‘\"]+$")

logger = logging.getLogger(__name__)


class Unsettable(ValueError):
    """A formula that cannot be set as it stands; the text says why."""


@cache
def engine() -> MiniRacer:
    """One JavaScript engine with KaTeX in it, in each process that writes pages."""
    made = MiniRacer()
    made.eval(KATEX.read_text(encoding="utf-8"))
    made.eval(SETTER)
    return made


@cache
def typeset(tex: str, display: bool = False) -> str:
    """HTML and MathML of a formula.

    Raises Unsettable for what KaTeX does not know and for letters of a font that is not shipped.
    """
    result = json.loads(engine().call("trySetting", tex, display))
    if "error" in result:
        raise Unsettable(result["error"])
    markup = SOURCE.sub(r"\1", result["html"])
    classes = {name for found in re.findall(r'class="([^"]*)"', markup) for name in found.split()}
    if missing := classes & UNSHIPPED:
        raise Unsettable(f"the font of {', '.join(sorted(missing))} is not on the site")
    return markup


def set_or_warn(tex: str, display: bool, node) -> str:
    try:
        return typeset(tex, display)
    except Unsettable as problem:
        logger.warning("formula cannot be set: %s\n%s", problem, tex, location=node)
        return ""


def visit_inline(writer, node):
    """A formula in a sentence, and what must not be parted from it: see ``keep_together``."""
    before, after = node.get("gm_before", ""), node.get("gm_after", "")
    if before or after:
        writer.body.append(f'<span class="gm-glue">{writer.encode(before)}')
    writer.body.append(writer.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    markup = set_or_warn(node.astext(), False, node)
    writer.body.append((last_part_held(markup) if after else markup) + "</span>")
    if before or after:
        writer.body.append(f"{writer.encode(after)}</span>")
    raise nodes.SkipNode


def last_part_held(markup: str) -> str:
    """A formula that may break at its signs, but not behind its last part."""
    start, end = markup.rfind('<span class="katex-base">'), len(markup) - len("</span></span>")
    return f'{markup[:start]}<span class="gm-last">{markup[start:end]}</span>{markup[end:]}'


def visit_block(writer, node):
    """A formula on lines of its own, in a box that scrolls sideways where it is too narrow."""
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        number = get_node_equation_number(writer, node)
        writer.body.append(f'<span class="eqno">({number})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body.append(set_or_warn(whole(node), True, node) + "</div>\n")
    raise nodes.SkipNode


def whole(node) -> str:
    """The TeX of a block: several paragraphs are lines of one formula, as are those of one."""
    if node["nowrap"]:
        return node.astext()
    # What comes out of a cell is TeX between dollars.
    parts = [part.strip().strip("$") for part in node.astext().split("\n\n") if part.strip()]
    lines = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    if len(lines) == 1:
        return lines[0]
    return r"\begin{gathered}" + r"\\".join(lines) + r"\end{gathered}"


def keep_together(app, doctree, docname):
    """A line begins with no full stop: what stands at a formula stays on its line."""
    for node in doctree.findall(nodes.math):
        place = node.parent.index(node)
        if place + 1 < len(node.parent) and isinstance(
            following := node.parent[place + 1], nodes.Text
        ):
            if found := AFTER.match(following):
                node["gm_after"] = found[0]
                node.parent[place + 1] = nodes.Text(following[found.end() :])
        if place and isinstance(earlier := node.parent[place - 1], nodes.Text):
            if found := BEFORE.search(earlier):
                node["gm_before"] = found[0]
                node.parent[place - 1] = nodes.Text(earlier[: found.start()])


def setup(app):
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect("doctree-resolved", keep_together)
