"""What a notebook that leaves the course folder needs to find the course's package again.

The first cell of every released notebook installs the package where it is missing: from a wheel
beside the notebook, else from ``PACKAGE``. Where the site's address is known, that is the wheel the
site hands out. A copy with another address there is still what was given out.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from autograder.checking.course import Course

FIRST_CELL = """\
# Run this cell first. It installs the course's package where that is missing.
PACKAGE = ""
try:
    import autograder
except ModuleNotFoundError:
    import importlib.util, pathlib, sys

    beside = sorted(pathlib.Path().glob("{wheels}"))
    package = beside[-1].name if beside else PACKAGE
    if package and sys.platform != "emscripten":
        alone = package.endswith(".whl") and importlib.util.find_spec("numpy")
        options = "--quiet --no-deps" if alone else "--quiet"
        get_ipython().run_line_magic("pip", f'install {{options}} "{{package}}"')
        importlib.invalidate_caches()
    if importlib.util.find_spec("autograder") is None:
        raise ModuleNotFoundError(
            "The course's package is not in this Python, and this cell could "
            "not install it. Unpack the assignment's zip from the course's site "
            "and open the notebook there: that needs no network. Or run "
            "`pip install -e .` in a copy of the repository. Where pip is "
            "missing, run `python -m ensurepip` first. Then restart the kernel."
        ) from None
    import autograder
"""
"""Runs in any kernel: it is plain Python, so that a page without IPython can run it too, and calls
``%pip`` by its function. Where NumPy is there, the wheel is installed alone: nothing but the exercise
in PyTorch needs more, and it takes seconds and no network."""

PAGE_LINK = re.compile(r"\[([^][]+)\]\(\.\./\.\./(book/[\w/-]+)\.md(#[\w-]+)?\)")
"""A link in a notebook's text to a page of the course, by its path from the notebook's folder."""

PACKAGE_LINE = re.compile(r'^PACKAGE = "[^"\\\n]*"$', re.MULTILINE)


def site_of(url: str) -> str:
    """Where GitHub Pages serves the site of a repository; empty where that is not known."""
    place = urlsplit(url.rstrip("/"))
    parts = place.path.strip("/").split("/")
    if place.netloc != "github.com" or len(parts) != 2:
        return ""
    owner, name = parts
    if name == f"{owner}.github.io":
        return f"https://{name}/"
    return f"https://{owner}.github.io/{name}/"


def wheel_name(folder: Path) -> str:
    """The name of the wheel that a checkout's ``pyproject.toml`` gives, with its version."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{_as_in_wheels(project['name'])}-{project['version']}-py3-none-any.whl"


def _as_in_wheels(package: str) -> str:
    return re.sub(r"[-_.]+", "_", package).lower()


def wheel_address(site: str, folder: Path) -> str:
    """Where a site hands out the wheel; empty for a site whose address is not known."""
    return f"{site}get/{wheel_name(folder)}" if site else ""


def package_of(folder: Path, course: Course) -> str:
    """What pip installs the course's package from, by the address in ``_config.yml``; else empty.

    The wheel of the site where the folder is the package's own checkout, else the repository.
    """
    import yaml

    config = folder / "_config.yml"
    settings = yaml.safe_load(config.read_text(encoding="utf-8")) if config.is_file() else {}
    repository = (settings or {}).get("repository") or {}
    url = (repository.get("url") or "").rstrip("/")
    by_hand = ((settings or {}).get("html") or {}).get("baseurl")
    site = by_hand or site_of(url)
    if site and (folder / "autograder" / "__init__.py").is_file():
        return wheel_address(f"{site.rstrip('/')}/", folder)
    branch = repository.get("branch") or "main"
    return f"{course.package} @ git+{url}@{branch}" if url else ""


def first_cell(folder: Path, course: Course) -> str:
    """The code that installs the package, for a course folder's notebooks."""
    text = FIRST_CELL.format(wheels=f"{_as_in_wheels(course.package)}-*.whl")
    return with_package(text, package_of(folder, course))


def with_package(source: str, package: str) -> str:
    """A cell with this as what its ``PACKAGE`` is; any other cell as it is."""
    return PACKAGE_LINE.sub(lambda _: f'PACKAGE = "{package}"', source)


def copy_of(notebook: str, package: str) -> str:
    """A released notebook, JSON, as a site hands it out: its first code cell knows the package's address."""
    content = json.loads(notebook)
    cell = next(cell for cell in content["cells"] if cell["cell_type"] == "code")
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    lines = with_package(source, package).splitlines(keepends=True)
    cell["source"] = lines if isinstance(cell["source"], list) else "".join(lines)
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def away_from_pages(notebook: str, site: str) -> str:
    """A notebook, JSON, as it leaves the pages it lies beside: its links lead to those of the site.

    Where the site's address is not known, the words of a link stay and lead nowhere.
    """

    def led(found: re.Match) -> str:
        text, page, label = found.groups()
        return f"[{text}]({site}{page}.html{label or ''})" if site else text

    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = PAGE_LINK.sub(led, "".join(cell["source"])).splitlines(keepends=True)
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
