"""JupyterLite beside the site: whole notebooks, run by the parts that the pages run on.

Written at the end of a build into ``lite/<release>/`` of the site, where ``run/<release>/`` has the
parts. What JupyterLite keeps in a browser carries the release in its name, so that the work of an old
one never hides a new text; no service worker is left behind that could. By itself, for a site that is
already built: ``python book/_ext/lite.py _build/html``.
"""

import gzip
import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

import run_parts

from autograder.course.gated_memory import COURSE

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "browser" / "lite"
EXTENSION = Path(sys.prefix, "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension")

KERNEL = (
    "ipython",
    "ipython_pygments_lexers",
    "traitlets",
    "matplotlib-inline",
    "pygments",
    "stack-data",
    "executing",
    "asttokens",
    "pure-eval",
    "comm",
)
"""What the kernel of JupyterLite is made of, as it is installed here: none of it is compiled."""

OF_NO_USE = (
    r"(^|/)(tests?|__pycache__)/",
    r"^\.\./",
    r"\.(pyi|so)$|dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$",
    # IPython in a terminal, where only a terminal's own package is missing.
    r"^IPython/(sphinxext/|terminal/(?!__init__|pt_inputhooks/__init__))",
    # Colors for languages other than Python, and for papers other than HTML.
    r"^pygments/formatters/(?!__init__|_mapping|html|terminal|terminal256|other)\w+\.py",
    r"^pygments/lexers/(?!__init__|_mapping|python|special)\w+\.py",
)
"""What of those packages is left out, as patterns of paths."""

BEGIN = b"\nimport in_a_browser\n\nin_a_browser.begin(ipython_shell)\n"
"""What the kernel does last of all: ``browser/lite/kernel/in_a_browser.py``."""

DRIVERS = ["asyncStorage", "memoryStorageDriver"]
"""Where JupyterLite keeps work: in IndexedDB, else in the page's memory alone, which the bar says."""

NEVER_ASKED_FOR = (
    "**/*.map",
    "**/*.eot",
    "build/fa-*.svg",
    "build/fa-*.ttf",
    "build/fa-*.woff",
    "doc",
    "extensions/@jupyterlite/pyodide-kernel-extension/static/pypi",
    "icon-*.png",
    "manifest.webmanifest",
    "package.json",
    "notebooks/package.json",
    "service-worker.js",
    "build/service-worker.js",
)
"""What the builder of JupyterLite writes and no page of it asks for, as patterns of paths."""


def kernel_files() -> Iterator[tuple[str, bytes]]:
    """The files of the kernel by their path among Python's packages."""
    never = re.compile("|".join(OF_NO_USE))
    for name in KERNEL:
        for file in importlib.metadata.distribution(name).files or []:
            path = file.as_posix()
            if not never.search(path):
                yield path, Path(str(file.locate())).read_bytes()
    for name in ("pyodide_kernel", "ipykernel"):
        wheel = next((EXTENSION / "static" / "pypi").glob(f"{name}-*.whl"))
        for path, content in run_parts.files_of(wheel):
            yield path, content + BEGIN if path == "pyodide_kernel/__init__.py" else content
    for file in sorted((SOURCES / "kernel").rglob("*.py")):
        yield file.relative_to(SOURCES / "kernel").as_posix(), file.read_bytes()


def write_kernel(folder: Path) -> str:
    """Write the kernel as one part, as ``run_parts`` writes its own; the name of its file."""
    packed = gzip.compress(run_parts.stored(iter(sorted(kernel_files()))), 9, mtime=0)
    name = f"kernel.{hashlib.sha256(packed).hexdigest()[:8]}.zip.gz"
    (folder / name).write_bytes(packed)
    return name


def assignments(html: Path) -> dict[str, Path]:
    """The notebooks by the name of their assignment, in the course's order: as the site hands them out."""
    found = {}
    for name in COURSE.assignments:
        handed_out = html / "_downloads" / path_of(name)
        found[name] = handed_out if handed_out.is_file() else ROOT / path_of(name)
    return found


def in_torch(notebook: Path) -> list[str]:
    """The exercises of a notebook that need torch, asked of the course."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    names = [cell["metadata"].get("nbgrader", {}).get("grade_id", "") for cell in cells]
    asked = [COURSE.records[name] for name in names if name in COURSE.records]
    return [exercise.name for exercise in asked if exercise.needs_torch]


def assemble(scratch: Path, notebooks: dict[str, Path]) -> Path:
    """Have JupyterLite's own builder put the notebooks and its one app into a folder."""
    for name, notebook in notebooks.items():
        target = scratch / "files" / path_of(name)
        target.parent.mkdir(parents=True)
        shutil.copyfile(notebook, target)
    for name in ("jupyter-lite.json", "overrides.json"):
        shutil.copyfile(SOURCES / name, scratch / name)
    options = {
        "apps": ["notebooks"],
        "contents": ["files"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "ignore_sys_prefix": ["federated_extensions"],
        "federated_extensions": [str(EXTENSION)],
    }
    config = json.dumps({"LiteBuildConfig": options})
    (scratch / "jupyter_lite_config.json").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--output-dir", "out"]
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"JupyterLite was not built:\n{done.stdout}{done.stderr}")
    return scratch / "out"


def of_the_parts(told: dict) -> int:
    """The bytes of the parts that JupyterLite fetches, as ``parts.json`` tells them."""
    return sum(part["bytes"] for part in told["parts"] if part["name"] != "editor.js")


def settle(lite: Path, told: dict):
    """Make the folder this release's own: names of its stores, the bar, nothing that is not asked for."""
    release = told["release"]
    config_file = lite / "jupyter-lite.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    data = config["jupyter-config-data"]
    for store in ("contents", "settings", "workspaces"):
        data[f"{store}StorageName"] = f"Gated Memory {release}"
        data[f"{store}StorageDrivers"] = json.dumps(DRIVERS)
    data["fileTypes"] = {"ipynb": data["fileTypes"]["ipynb"]}
    plugin = data["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    plugin["pipliteUrls"] = []
    config_file.write_text(json.dumps(config), encoding="utf-8")

    boot = (SOURCES / "boot.js").read_text(encoding="utf-8")
    kernel = write_kernel(lite)
    fetched = (lite / kernel).stat().st_size + of_the_parts(told)
    boot = boot.replace("@kernel@", kernel).replace("@bytes@", str(fetched))
    (lite / "boot.js").write_text(boot, encoding="utf-8")
    page = lite / "notebooks" / "index.html"
    html = page.read_text(encoding="utf-8")
    html = re.sub(r'\s*<link rel="manifest"[^>]*>', "", html)
    html = html.replace("<html>", f'<html lang="en" data-gm-release="{release}">')
    html = html.replace(
        "<title>Jupyter Notebook - Notebooks</title>", "<title>Gated Memory</title>"
    )
    head = (SOURCES / "head.html").read_text(encoding="utf-8")
    page.write_text(html.replace("</head>", f"{head}</head>", 1), encoding="utf-8")
    for name in ("bar.js", "bar.css", "entrance.js"):
        shutil.copyfile(SOURCES / name, lite / name)
    for pattern in NEVER_ASKED_FOR:
        for path in lite.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def entrance(lite: Path, told: dict, notebooks: dict[str, Path]) -> str:
    """The page that leads to the notebooks."""
    release, items = told["release"], []
    for name, path in notebooks.items():
        text = path.read_text(encoding="utf-8")
        title = re.search(r"^# (.+)", "".join(json.loads(text)["cells"][0]["source"]), re.M)[1]
        left_out = " and ".join(in_torch(path))
        remark = f"{left_out} needs PyTorch, which no browser has; all else works here."
        items.append(
            f'<li><a data-name="{name}" href="{release}/notebooks/index.html?path={path_of(name)}">'
            f"{escape(title)}{f'<small>{remark}</small>' if left_out else ''}</a></li>"
        )
    fetched = of_the_parts(told) + sum(
        len(gzip.compress(file.read_bytes())) for file in on_load(lite)
    )
    html = (SOURCES / "entrance.html").read_text(encoding="utf-8")
    for place, value in {
        "release": release,
        "megabytes": str(round(fetched / 1e6)),
        "notebooks": "\n".join(items),
    }.items():
        html = html.replace(f"@{place}@", value)
    return html


def on_load(lite: Path) -> list[Path]:
    """Roughly what opening a notebook fetches of JupyterLite itself."""
    return [
        *lite.glob("kernel.*.zip.gz"),
        *lite.glob("build/*.js"),
        *lite.glob("build/notebooks/*.js"),
    ]


def path_of(name: str) -> str:
    """Where an assignment's notebook lies in JupyterLite, as in the course's own folder."""
    return f"notebooks/{name}/{name}.ipynb"


def digest(notebooks: dict[str, Path], told: dict) -> str:
    """Of all that a built folder depends on besides the release."""
    found = hashlib.sha256(EXTENSION.joinpath("package.json").read_bytes() + repr(told).encode())
    for name in ("jupyterlite-core", *KERNEL):
        found.update(importlib.metadata.version(name).encode())
    for path in (Path(__file__), *sorted(SOURCES.rglob("*.*")), *notebooks.values()):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(path.read_bytes())
    return found.hexdigest()


def write(html: Path) -> Path | None:
    """Write JupyterLite into a built site; the folder of its release, None where the site has no parts."""
    parts, target = html / "run" / "parts.json", html / "lite"
    if not parts.is_file():
        shutil.rmtree(target, ignore_errors=True)
        return None
    told = json.loads(parts.read_text(encoding="utf-8"))
    place, notebooks = target / told["release"], assignments(html)
    stamp, made_of = place / "made-of.txt", digest(notebooks, told)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == made_of:
        return place
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        lite = assemble(Path(scratch), notebooks)
        settle(lite, told)
        shutil.move(lite, place)
    (target / "index.html").write_text(entrance(place, told, notebooks), encoding="utf-8")
    stamp.write_text(made_of, encoding="utf-8")
    return place


def build(app, exception):
    """For Sphinx's ``build-finished``, after ``run/`` is in its place."""
    if exception is None and app.builder.format == "html":
        write(Path(app.outdir))


if __name__ == "__main__":
    print(write(Path(sys.argv[1])) or "This site has no parts, and so no JupyterLite.")
