"""What of the installed packages a player may read: those of a list and what they depend on.

Everything else that is installed, an answer in another course's package above all, is not there.
"""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

ALWAYS = ("numpy", "torch", "matplotlib", "ipython")
"""The distributions that every notebook may count on, where they are installed."""


def with_dependencies(names: Iterable[str]) -> list[metadata.Distribution]:
    """These distributions and all that they need here, extras left out; who is missing is left out."""
    found: dict[str, metadata.Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-").replace(".", "-")
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        waiting += _needed(found[name])
    return list(found.values())


def counted_on(more: Iterable[str] = ()) -> list[tuple[str, str]]:
    """What notebooks may import in grading, for a page that says so: names and versions, sorted.

    ``more`` are the distributions that a course lists. Who is not installed here is left out; what
    these packages need themselves is there too, and not named.
    """
    found = []
    for name in sorted({*ALWAYS, *more}, key=str.lower):
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return found


def _needed(distribution: metadata.Distribution) -> Iterator[str]:
    for text in distribution.requires or ():
        try:
            wanted = Requirement(text)
        except InvalidRequirement:  # of a package made before there was a standard
            continue
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            yield wanted.name


def paths_of(distributions: Iterable[metadata.Distribution]) -> list[Path]:
    """The files and folders in a packages' folder that belong to these distributions."""
    found = set()
    for distribution in distributions:
        first = set(_top_level(distribution)) - {"..", "__pycache__"}
        found |= {Path(str(distribution.locate_file(part))) for part in first}
    return sorted({path.resolve() for path in found if path.suffix != ".pth" and path.exists()})


def _top_level(distribution: metadata.Distribution) -> Iterator[str]:
    """The first part of every installed file's path. Torch has ten thousand: no object for each."""
    record = distribution.read_text("RECORD")
    if record:
        return (line.partition(",")[0].partition("/")[0].strip('"') for line in record.splitlines())
    return (file.parts[0] for file in distribution.files or ())


def package_folders(beside: Iterable[Path] = ()) -> list[Path]:
    """Every folder in which packages are installed for some Python that a player could meet.

    ``beside`` are folders that players may read, in which such folders are looked for.
    """
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    folders = {Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")}
    folders |= {Path(sysconfig.get_path(key, vars=base)) for key in ("purelib", "platlib")}
    folders |= {Path(folder) for folder in site.getsitepackages({sys.prefix, sys.base_prefix})}
    of_the_user = site.getusersitepackages()
    if of_the_user is not None:  # as it is where there are no users, in a browser
        folders.add(Path(of_the_user))
    for folder in beside:
        folders |= {*folder.glob("python3*/*-packages"), *folder.glob("*-packages")}
    return sorted({folder.resolve() for folder in folders if folder.is_dir()})
