"""Large data of figures in files of their own: whoever reads a page does not wait for a net to play with.

A figure that can be touched is an element ``<gm-…>`` around its data, as JSON, and a drawing. Where the data
are large, the page gets their address in their place, and ``GM.Live`` of ``gm-elements.js`` asks for them
when the figure comes near the window. They are a script that sets one entry of ``gmData``, because a page that
is opened from a folder may not fetch anything; its name is made of what is in it.
"""

import gzip
import hashlib
import re
from pathlib import Path

FOLDER = "_static/data"
MOST = 10_000
"""Bytes, compressed, that a page may carry for one figure."""

DATA = re.compile(
    r'(<gm-[\w-]+\b[^>]*>)<script type="application/json">(.*?)</script>', flags=re.DOTALL
)


def moved(body: str, folder: Path, address: str) -> str:
    """The page's text without its large data.

    They are written into ``folder``, which is at ``address`` as seen from the page.
    """

    def move(found: re.Match) -> str:
        data = found[2].encode()
        size = len(gzip.compress(data))
        if size <= MOST:
            return found[0]
        name = hashlib.sha256(data).hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.js").write_bytes(
            b'(self.gmData??={})["%s"]=%s;\n' % (name.encode(), data)
        )
        told = f'data-name="{name}" data-from="{address}/{name}.js" data-kilobytes="{size // 1000}"'
        return f'{found[1]}<script type="application/json" {told}></script>'

    return DATA.sub(move, body)


def move_out(app, pagename, templatename, context, doctree):
    if doctree is not None and app.builder.format == "html":
        address = context["pathto"](FOLDER, 1)
        context["body"] = moved(context["body"], Path(app.outdir) / FOLDER, address)


def tidy(app, exception):
    """Remove what pages of earlier builds asked for."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    wanted = {
        name
        for page in site.glob("*/**/*.html")
        for name in re.findall(r"/data/(\w+\.(?:js|png))\"", page.read_text(encoding="utf-8"))
    }
    for file in (site / FOLDER).glob("*.*"):
        if file.name not in wanted:
            file.unlink()


def setup(app):
    app.connect("html-page-context", move_out)
    app.connect("build-finished", tidy)
