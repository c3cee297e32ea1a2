"""Tables that no phone has room for scroll from the first drawing on.

Which boxes scroll, ``course.js`` measures once a page is loaded; a table that is laid out anew then moves what
stands below it. Where the longest words of the columns alone are wider than any phone, no measuring is needed:
the box is marked here as the script would, and takes the mark off again where a window is wide.
"""

import re

BOX = re.compile(r'(<div class="pst-scrollable-table-container")(>\s*<table.*?</table>)', re.S)
ROW = re.compile(r"<tr.*?</tr>", re.S)
CELL = re.compile(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", re.S)
NARROW_LETTER, PADDING = 7, 14
"""Pixels: fewer than a letter takes on average, and what stands between two columns."""
MOST_ROOM = 395
"""Pixels that a table has on the widest phone, held upright."""


def least_width(table: str) -> int:
    """Pixels below which the table cannot be drawn, by the longest word of each column; formulas may break."""
    words: dict[int, int] = {}
    for row in ROW.findall(table):
        for column, cell in enumerate(CELL.findall(row)):
            text = "" if "katex" in cell else re.sub(r"<[^>]*>|&[#\w]+;", " ", cell)
            longest = max(map(len, re.findall(r"\w+", text)), default=0)
            words[column] = max(words.get(column, 0), longest)
    return sum(NARROW_LETTER * word + PADDING for word in words.values())


def marked(html: str) -> str:
    """The page's text with the boxes of such tables open to the keyboard, which the style takes as a sign."""
    return BOX.sub(
        lambda found: (
            f'{found[1]} tabindex="0"{found[2]}' if least_width(found[2]) > MOST_ROOM else found[0]
        ),
        html,
    )


def mark(app, pagename, templatename, context, doctree):
    if doctree is not None and app.builder.format == "html":
        context["body"] = marked(context["body"])


def setup(app):
    app.connect("html-page-context", mark)
