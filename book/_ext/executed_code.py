"""Which files of this repository the executed pages depend on: ``make`` asks, one to a line.

    python3 book/_ext/executed_code.py

The results of executed cells are kept until one of these files changes. They are found by following
imports: from the cells of the pages, the source notebooks and the extension that reads them, through
every module of the repository that is imported on the way, at its top or within a function. A course
is found by its entry point rather than by an import, so entry points are followed too; of a package
that looks for its modules itself, all count. A package counts with the data files that lie in it.

Nothing is imported here and only the standard library is used: this runs before there is an
environment.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGES = ("autograder", "experiments")
_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_OPTION = re.compile(r"^:[a-z-]+:")
_OPTIONS = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
_MAGIC = re.compile(r"^\s*[%!]")
_LOOKS_ITSELF = re.compile(r"\b(?:iter_modules|walk_packages|import_module)\b")


def imported(source: str, module: str = "", package: bool = False) -> Iterator[str]:
    """Names that this code imports, relative ones made absolute, each of them maybe a module.

    ``from a import b`` gives ``a.b``, which is looked for as a module first and then as what
    ``a`` defines. Raises SyntaxError.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = module.split(".")[
                    : None if package and node.level == 1 else -node.level + package
                ]
                base = ".".join([*up, *([base] if base else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def cells(page: str) -> str:
    """The code of a page's executed cells."""
    bare = (_OPTIONS.sub("", code) for code in _CELL.findall(page))
    lines = (line for code in bare for line in code.splitlines())
    return "\n".join(line for line in lines if not _OPTION.match(line) and not _MAGIC.match(line))


def beginnings(root: Path) -> Iterator[str]:
    """Names that the pages, the source notebooks, the extension and the entry points start from."""
    for page in sorted(root.glob("book/**/*.md")):
        yield from imported(cells(page.read_text(encoding="utf-8")))
    for script in (*sorted(root.glob("solutions/*.py")), *sorted(root.glob("book/_ext/*.py"))):
        yield from imported(script.read_text(encoding="utf-8"))
    config = (root / "_config.yml").read_text(encoding="utf-8")
    yield from re.findall(rf"\b(?:{'|'.join(PACKAGES)})(?:\.\w+)+", config)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8")).get(
        "project", {}
    )
    for group in project.get("entry-points", {}).values():
        yield from (value.replace(":", ".") for value in group.values())


def modules(root: Path, names: Iterable[str]) -> dict[str, Path]:
    """Every module of the repository that importing these names imports, by name."""
    found: dict[str, Path] = {}
    waiting = list(names)
    while waiting:
        parts = waiting.pop().split(".")
        if parts[0] not in PACKAGES:
            continue
        for end in range(1, len(parts) + 1):
            name, place = ".".join(parts[:end]), root.joinpath(*parts[:end])
            is_package = (place / "__init__.py").is_file()
            file = place / "__init__.py" if is_package else place.with_suffix(".py")
            if name in found or not file.is_file():
                continue
            found[name] = file
            source = file.read_text(encoding="utf-8")
            waiting += imported(source, name, is_package)
            if is_package and name not in PACKAGES and _LOOKS_ITSELF.search(source):
                below = (path.relative_to(root).with_suffix("") for path in place.rglob("*.py"))
                waiting += (".".join(path.parts) for path in below)
    return found


def with_data(files: Iterable[Path]) -> set[Path]:
    """The files, and the data beside those that make a package."""
    found = set(files)
    for package in [file.parent for file in found if file.name == "__init__.py"]:
        found |= set(_data(package))
    return found


def _data(folder: Path) -> Iterator[Path]:
    """What lies in a folder and in the folders below that are no packages, code excepted."""
    for path in folder.iterdir():
        if path.is_dir():
            if path.name != "__pycache__" and not (path / "__init__.py").exists():
                yield from _data(path)
        elif path.suffix not in (".py", ".pyc"):
            yield path


def main() -> None:
    """Print the files, relative to the repository; words given are names to start from instead."""
    root = Path(__file__).parents[2]
    found = with_data(modules(root, sys.argv[1:] or beginnings(root)).values())
    print("\n".join(sorted(path.relative_to(root).as_posix() for path in found)))


if __name__ == "__main__":
    main()
