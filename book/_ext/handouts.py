"""What the site hands out: the course's wheel, each assignment as a zip, each notebook by itself.

Written into the built site before its pages are, since one of them tells how large they are. The
first cell of every notebook that leaves the site installs the package from the wheel beside it, else
from the site, where its address is known.
"""

import json
import re
import zipfile
from html import escape
from pathlib import Path

from course_wheel import NoWheel, write_wheel
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.errors import ExtensionError

from autograder.material import handed_out

PAGE = "book/start/get-the-course"
"""The page that shows the ways to work; read again in every build, for the sizes."""

ALWAYS = ("numpy", "matplotlib", "packaging", "ipykernel", "jupyterlab")
"""What of requirements.txt every notebook needs on somebody's own machine."""

README = """\
{title}
{line}

In this folder: the notebook {name}.ipynb, the course's package ({wheel}),
and the versions of everything else that the notebook needs (requirements.txt).

You need Python 3.11 or newer. Open a terminal in this folder and type three lines.

Windows:

    py -m venv .venv
    .venv\\Scripts\\python -m pip install -r requirements.txt
    .venv\\Scripts\\python -m jupyter lab {name}.ipynb

macOS and Linux:

    python3 -m venv .venv
    .venv/bin/python -m pip install -r requirements.txt
    .venv/bin/python -m jupyter lab {name}.ipynb

The first two lines are for the first time; the third opens the notebook. In VS Code, open this
folder, then the notebook, and choose .venv as its kernel.

Run the notebook's first cell. It installs the package from the file beside it and needs no network.
To work without a network in a Python that has NumPy and Jupyter already, open the notebook right away.

To hand in, hand in {name}.ipynb alone.
{torch}{address}
Code: MIT. Text and exercises: CC BY 4.0.
"""

TORCH = """
One exercise is in PyTorch, which requirements.txt installs last and which is large. To begin without
it, delete its line there.
"""

UNITS = ((1_000_000, "MB"), (1_000, "kB"))


def size(count: int) -> str:
    """A number of bytes as a reader takes it in: ``705 kB``, with a space that no line ends at."""
    scale, unit = next(((s, u) for s, u in UNITS if count >= s), (1, "bytes"))
    value = count / scale
    digits = 1 if value < 10 and scale > 1_000 else 0
    return f"{value:.{digits}f}\u00a0{unit}"


def title_of(notebook: str) -> str:
    first = json.loads(notebook)["cells"][0]["source"]
    return "".join(first).partition("\n")[0].lstrip("# ")


def is_in_torch(notebook: str) -> bool:
    sources = ("".join(cell["source"]) for cell in json.loads(notebook)["cells"])
    return any(re.search(r"^import torch$", source, re.M) for source in sources)


def requirements(root: Path, torch: bool) -> str:
    """The lines of the course's requirements.txt that a notebook needs, PyTorch last."""
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    names = (*ALWAYS, "torch") if torch else ALWAYS
    found = {name: re.search(rf"^{name}==\S+$", text, re.M) for name in names}
    missing = [name for name, line in found.items() if line is None]
    if missing:
        raise ExtensionError(f"requirements.txt has no exact version of {', '.join(missing)}.")
    return "".join(f"{line[0]}\n" for line in found.values())


def zipped(files: dict[str, bytes]) -> list[tuple[zipfile.ZipInfo, bytes]]:
    """Entries of a zip file, all of the same time and readable by everybody."""
    entries = []
    for name, content in sorted(files.items()):
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        entries.append((entry, content))
    return entries


def write_zip(path: Path, name: str, notebook: str, wheel: Path, root: Path, site: str) -> None:
    """Write the zip of one assignment: everything in one folder of its name."""
    torch, title = is_in_torch(notebook), title_of(notebook)
    readme = README.format(
        title=title,
        line="=" * len(title),
        name=name,
        wheel=wheel.name,
        torch=TORCH if torch else "",
        address=f"\nThe course: {site}\n" if site else "",
    )
    files = {
        f"{name}.ipynb": notebook.encode(),
        "README.txt": readme.replace("\n", "\r\n").encode(),
        "requirements.txt": requirements(root, torch).encode(),
        wheel.name: wheel.read_bytes(),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in zipped({f"{name}/{file}": data for file, data in files.items()}):
            archive.writestr(entry, content)


def write(root: Path, html: Path, site: str) -> None:
    """Write ``get/`` and ``_downloads/notebooks/`` of a site; ``site`` is its address, or empty.

    Raises NoWheel.
    """
    folder = html / "get"
    wheel = write_wheel(root, folder, site)
    kept = {wheel}
    package = handed_out.wheel_address(site, root)
    for path in sorted((root / "notebooks").glob("*/*.ipynb")):
        if path.stem != path.parent.name:
            continue
        copy = handed_out.copy_of(path.read_text(encoding="utf-8"), package)
        copy = handed_out.away_from_pages(copy, site)
        target = html / "_downloads" / "notebooks" / path.stem / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(copy, encoding="utf-8", newline="\n")
        kept.add(archive := folder / f"{path.stem}.zip")
        write_zip(archive, path.stem, copy, wheel, root, site)
    for other in set(folder.iterdir()) - kept:
        other.unlink()  # of an earlier version, or of an assignment that is gone


def parts(app) -> dict | None:
    """What the pages load to run Python, None where this build has nothing of it."""
    file = Path(app.srcdir) / "_build" / "browser" / "run" / "parts.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def hand_out(app):
    """For Sphinx's ``builder-inited``: lay everything out, and say what kind of build this is."""
    if app.builder.format != "html":
        return
    try:
        write(Path(app.srcdir), Path(app.outdir), app.config.html_baseurl)
    except NoWheel as error:
        raise ExtensionError(str(error)) from error
    for name, is_so in (("python_in_page", parts(app)), ("with_address", app.gm_repository.site)):
        if is_so:
            app.tags.add(name)


def read_again(app, env, added, changed, removed):
    return [PAGE] if PAGE in env.found_docs else []


def above(docname: str) -> str:
    """The way from a page up to the site's root."""
    return "../" * docname.count("/")


def in_order(app) -> list[str]:
    """The assignments that have a page, in the order of the table of contents."""
    listed = (pattern.split("/") for pattern in app.config.include_patterns)
    return [parts[1] for parts in listed if parts[0] == "notebooks"]


class Handouts(Directive):
    """Every assignment with its page, its zip, its notebook, and where else it opens."""

    def run(self):
        env = self.state.document.settings.env
        app, up = env.app, above(env.docname)
        rows = "".join(self.row(app, up, name) for name in in_order(app))
        elsewhere = '<th scope="col">elsewhere</th>' if app.gm_repository.site else ""
        table = (
            '<div class="pst-scrollable-table-container" tabindex="0" role="region" '
            'aria-label="Assignments to download"><table class="table"><thead><tr>'
            '<th scope="col">assignment</th><th scope="col">with all it needs</th>'
            f'<th scope="col">the notebook alone</th>{elsewhere}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
        )
        return [nodes.raw("", table, format="html")]

    def row(self, app, up: str, name: str) -> str:
        notebook = f"_downloads/notebooks/{name}/{name}.ipynb"
        text = (Path(app.outdir) / notebook).read_text(encoding="utf-8")
        archive = (Path(app.outdir) / "get" / f"{name}.zip").stat().st_size
        places = ", ".join(
            f'<a href="{escape(url)}">{place}</a>'
            for place, url in app.gm_repository.launchers(f"notebooks/{name}/{name}.ipynb")
        )
        return (
            f'<tr><td><a href="{up}notebooks/{name}/{name}.html">{escape(title_of(text))}</a></td>'
            f'<td><a href="{up}get/{name}.zip" download>{name}.zip</a>, {size(archive)}</td>'
            f'<td><a href="{up}{notebook}" download>{name}.ipynb</a></td>'
            f"{f'<td>{places}</td>' if places else ''}</tr>"
        )


class Wheel(Directive):
    """The package: its file, and the line that installs it, from its address where that is known."""

    def run(self):
        env = self.state.document.settings.env
        (wheel,) = (Path(env.app.outdir) / "get").glob("*.whl")
        link = nodes.reference("", wheel.name, refuri=f"{above(env.docname)}get/{wheel.name}")
        told = nodes.paragraph("", "", link, nodes.Text(f", {size(wheel.stat().st_size)}."))
        source = handed_out.wheel_address(env.app.config.html_baseurl, Path(env.app.srcdir))
        command = f"python -m pip install {source or wheel.name}"
        return [told, nodes.literal_block(command, command, language="bash")]


def size_of_parts(name, rawtext, text, lineno, inliner, options=None, content=None):
    """The role ``{parts}``: how much the page loads before it can run Python."""
    told = parts(inliner.document.settings.env.app)
    total = sum(part["bytes"] for part in told["parts"]) if told else 0
    return [nodes.Text(size(total))], []


def setup(app):
    app.add_directive("handouts", Handouts)
    app.add_directive("the-wheel", Wheel)
    app.add_role("parts", size_of_parts)
    app.connect("builder-inited", hand_out)
    app.connect("env-get-outdated", read_again)
