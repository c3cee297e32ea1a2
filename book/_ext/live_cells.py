"""Tells gm-cells.js which cells of a page can be edited and run: a local Sphinx extension.

Every code cell that a page shows is given the class ``gm-n-<its number in the notebook>``; the page's
data, one ``<script id="gm-cells">``, speak of cells by that number, so that the two cannot get out of
step. Without JavaScript a page looks as it would without this extension.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import nbformat
from cell_needs import Needs, needs
from course_site import course_version
from docutils import nodes
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook

from autograder.checking.render import Misuse
from autograder.course.figures.palette import CARD_CSS
from autograder.material.config import course_of

WAYS = "book/start/get-the-course"
"""The page that says where else the course can be worked on."""

EXERCISES = ("gm-lite", "gm-notebook")
"""Scripts of exercise pages: the way of one's work to JupyterLite, and into a notebook."""

CARD = "".join(re.findall("<style>(.*?)</style>", Misuse("")._repr_html_(), re.S)) + CARD_CSS
"""The look of a verdict's card: a page takes it from here, and from no result."""

KINDS = ("notebooks/", "book/")
"""Where pages with live cells lie; those of solutions/ are there to be read."""


def setup(app):
    app.connect("doctree-read", number_cells)
    # Before course_site takes the lists of scripts and styles.
    app.connect("html-page-context", add_cells, priority=800)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def source_of(path: Path):
    """The notebook that a page is made from, None where it is made from none."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return nbformat.reads(text, as_version=4)
    if path.suffix == ".md" and is_myst_markdown_notebook(text):
        return read_myst_markdown_notebook(text)
    return None


def role_of(cell) -> str:
    """What a cell of an assignment is for; empty where it is text to be read."""
    told = cell.metadata.get("nbgrader", {})
    if cell.cell_type != "code":
        return "question" if told.get("grade") and told.get("solution") else ""
    if told.get("grade"):
        return "check"
    if told.get("solution"):
        return "answer"
    if told.get("locked"):
        return "setup" if told.get("grade_id") == "setup" else "given"
    return "try"


def is_shown(cell) -> bool:
    return not {"remove-cell", "remove-input"} & set(cell.metadata.get("tags", []))


def shows(source: str) -> bool:
    """Whether a cell has something to show when it is run: it prints, or its last line is a value."""
    return isinstance(ast.parse(source).body[-1], ast.Expr) or "print(" in source


def number_cells(app, doctree):
    """Mark the page's code cells, and the paragraphs that stand for answers in words."""
    docname = app.env.docname
    if not docname.startswith(KINDS):
        return
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            node["classes"].append(f"gm-n-{node['cell_index']}")
    if docname.startswith("notebooks/"):
        number_questions(app, docname, doctree)


def number_questions(app, docname, doctree):
    notebook = source_of(Path(app.env.doc2path(docname)))
    paragraphs = doctree.findall(nodes.paragraph)
    for number, cell in enumerate(notebook.cells):
        if role_of(cell) == "question":
            text = cell.source.strip("*_ \n")
            found = next((p for p in paragraphs if p.astext() == text), None)
            if found is None:
                raise ValueError(f"{docname}: no paragraph stands for the question {cell.id}.")
            found["classes"].append(f"gm-n-{number}")


def add_cells(app, pagename, templatename, context, doctree):
    if doctree is None or not pagename.startswith(KINDS):
        return
    shown = [int(number) for number in re.findall(r'[" ]gm-n-(\d+)[" ]', context["body"])]
    if not shown or (notebook := source_of(Path(app.env.doc2path(pagename)))) is None:
        return
    if pagename.startswith("notebooks/"):
        data = of_exercises(pagename, notebook, shown, course_of(Path(app.srcdir)))
        links = app.gm_repository.launchers(f"{pagename}.ipynb")
        data["notebook"] = context["pathto"](f"_downloads/{pagename}.ipynb", 1)
        data["open"] = [[name, url] for name, url in links]
    else:
        data = of_chapter(notebook, shown)
    if not data["cells"]:
        return
    data |= {"page": pagename, "release": course_version(app), "style": CARD}
    if WAYS in app.env.found_docs:
        data["ways"] = context["pathto"](WAYS)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    context["body"] += f'<script type="application/json" id="gm-cells">{text}</script>\n'
    for name in ("gm-run", "gm-cells", *(EXERCISES if data["kind"] == "exercises" else ())):
        app.add_js_file(f"{name}.js", loading_method="defer")


def of_exercises(pagename: str, notebook, shown: list[int], course) -> dict:
    """An assignment's cells in order: number, id, role, text, and what they lack in a browser."""
    code = [(n, cell.source) for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    found = needs(code)
    lacks = {number: what.missing for number, what in found.items()}
    cells = []
    for number in shown:
        cell = notebook.cells[number]
        told = cell.metadata.get("nbgrader", {})
        one = {"n": number, "id": cell.id, "role": role_of(cell), "source": cell.source}
        if one["role"] == "check":
            one["id"] = told["grade_id"]
            exercise = course.get(told["grade_id"].removeprefix("check-"))
            if exercise.needs_torch:
                lacks[number] = "torch"
        if lacks.get(number):
            one["lacks"] = lacks[number]
        if one["role"] == "given" and shows(cell.source):
            one["shows"] = True
        if one["role"] == "try":
            before = {n for n, _ in found[number].before}
            one["tries"] = [n for n in sorted(before) if role_of(notebook.cells[n]) == "try"]
        cells.append(one)
    if sorted(shown) != [one["n"] for one in cells]:
        raise ValueError(f"{pagename}: its cells are not in the notebook's order.")
    return {"kind": "exercises", "name": pagename.rpartition("/")[2], "cells": cells}


def of_chapter(notebook, shown: list[int]) -> dict:
    """A chapter's cells: number, text, and what has to run before or what a browser lacks for it."""
    code = [(n, cell.source) for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    found = needs(code)
    cells = []
    for number in shown:
        cell = notebook.cells[number]
        if not is_shown(cell):
            continue
        one = {"n": number, "id": "this cell", "role": "snippet", "source": cell.source}
        cells.append(one | _told(found[number], notebook))
    return {"kind": "chapter", "cells": cells}


def _told(found: Needs, notebook) -> dict:
    if found.missing:
        return {"lacks": found.missing}
    return {"before": [[number, text] for number, text in found.before]}
