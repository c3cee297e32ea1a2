"""What is far from the window is not laid out: a chapter has ten thousand elements, and a screen few.

``course.css`` leaves the sections of a page to the browser with ``content-visibility``; here each is told
about how tall it is, so that the bar at the side of the window is nearly right before they were seen.
"""

import re

SECTION = re.compile(r"<section\b[^>]*>|</section>")
UNSEEN = re.compile(
    r"<(svg|style|script|math|select)\b.*?</\1>|<details\b(?![^>]*\bopen).*?</summary>.*?</details>",
    re.S,
)
LETTERS_OF_A_LINE, LINE, LINE_OF_CODE, FIGURE, FOLD = 66, 32, 23, 420, 100
"""In a wide column: letters of text, and pixels of a line, a line of code, a figure and what is folded.

Rather too much than too little: what is too tall for its place would lie over the next section.
"""


def height(html: str) -> tuple[int, int]:
    """About how many pixels the text of a section takes in a wide column, and code and figures."""
    figures, folds = html.count('<figure class="gm-figure'), html.count("<details")
    html = UNSEEN.sub("", html)
    code = re.findall(r"<pre\b.*?</pre>", html, re.S)
    lines = sum(block.count("\n") + 2 for block in code)
    text = re.sub(r"<pre\b.*?</pre>", "", html, flags=re.S)
    blocks = len(re.findall(r"<(?:p|li|h2|h3|tr|dt)\b", text))
    letters = len(" ".join(re.sub(r"<[^>]*>", "", text).split()))
    told = LINE * (letters / LETTERS_OF_A_LINE + blocks)
    return round(told), lines * LINE_OF_CODE + figures * FIGURE + folds * FOLD


def told(body: str) -> str:
    """The page's text whose sections of the second level say how tall they are."""
    parts, depth, at = [], 0, 0
    for found in SECTION.finditer(body):
        opens = not found[0].startswith("</")
        if opens and depth == 1:
            parts.append(body[at : found.end() - 1])
            at = found.end() - 1
        depth += 1 if opens else -1
        if not opens and depth == 1:
            text, rest = height(body[at : found.start()])
            parts.append(f' style="--gm-text:{text}px;--gm-rest:{rest}px"')
            parts.append(body[at : found.end()])
            at = found.end()
    return "".join([*parts, body[at:]])


def tell(app, pagename, templatename, context, doctree):
    if doctree is not None and app.builder.format == "html":
        context["body"] = told(context["body"])


def setup(app):
    # After all that changes a page's text.
    app.connect("html-page-context", tell, priority=990)
