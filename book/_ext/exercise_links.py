"""Names of exercises lead to the exercises: ``gru_step`` in a sentence is a link to its box.

In every section, and in every box, the first mention is one: in code font, and not in a heading or in
another link. An exercise's box has an anchor for these links, and a link to the hints below it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from docutils import nodes

BOX = re.compile(
    r'(<div class="admonition gm-exercise"[^>]*)>\s*<p [^>]*><strong>Exercise \d+: <code>(\w+)</code>'
)
HINT = re.compile(r"<details>(?=\s*<summary>Hint\b)")
CALL = re.compile(r"(\w+)(?:\(.*\))?")
"""A name in code font, alone or called."""

NO_PLACE = (nodes.title, nodes.rubric, nodes.reference)
"""Headings, lines that unfold a box (a link in one could not be pressed), and links."""
PARTS = tuple(f"book/{part}/" for part in ("start", "memory", "lstm", "gru", "trial", "work"))
EXERCISES = "notebooks/"
"""Where names are links; on an exercise page, those that the page itself asks for."""


def find_exercises(app, env, docnames):
    """Note which page asks for which exercise, by the boxes of the released notebooks."""
    root = Path(app.srcdir)
    app.gm_exercise_pages = {
        name: file.relative_to(root).with_suffix("").as_posix()
        for file in sorted((root / "notebooks").glob("*/*.ipynb"))
        for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]
        for _, name in BOX.findall("".join(cell["source"]))
    }


def name_boxes(doctree) -> dict[str, nodes.Element]:
    """Give a page's boxes their anchors and a link to the hints; returns where each stands."""
    homes: dict[str, nodes.Element] = {}
    name, line = "", None
    for raw in list(doctree.findall(nodes.raw)):
        text = raw.astext()
        if box := BOX.search(text):
            name, line = box[2], raw.next_node(nodes.paragraph, descend=False, siblings=True)
            homes[name] = raw.parent
            raw[:] = [nodes.Text(text.replace(box[1], f'{box[1]} id="exercise-{name}"'))]
        elif line is not None and HINT.search(text):
            raw[:] = [nodes.Text(HINT.sub(f'<details id="hints-{name}">', text, count=1))]
            line += [nodes.Text(" · "), nodes.reference("", "hints", refuri=f"#hints-{name}")]
            line = None
    return homes


def around(node: nodes.Node):
    """The elements that a node stands in, the nearest first."""
    while node := node.parent:
        yield node


def link_names(app, doctree):
    """For Sphinx's ``doctree-read``: make the first mentions in a page links."""
    here = app.env.docname
    if not here.startswith((*PARTS, EXERCISES)):
        return
    homes = name_boxes(doctree)
    mentioned = set()
    for literal in list(doctree.findall(nodes.literal)):
        found = CALL.fullmatch(literal.astext())
        page = app.gm_exercise_pages.get(found[1]) if found else None
        if page is None or here.startswith(EXERCISES) and page != here:
            continue
        name, above = found[1], list(around(literal))
        if any(isinstance(node, NO_PLACE) for node in above):
            continue
        place = next((n for n in above if isinstance(n, nodes.section | nodes.Admonition)), doctree)
        if homes.get(name) in above or (place, name) in mentioned:
            continue
        mentioned.add((place, name))
        address = f"{app.builder.get_relative_uri(here, page)}#exercise-{name}"
        literal.replace_self(nodes.reference("", "", literal.deepcopy(), refuri=address))


def setup(app):
    app.connect("env-before-read-docs", find_exercises)
    app.connect("doctree-read", link_names)
