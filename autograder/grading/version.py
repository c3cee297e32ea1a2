"""The version of a grade: one number for everything but the submission that the grade depends on.

Two grades of one file with one version are equal, so a run grades again only what has another one.
The code that counts is found, not listed: from the modules that make a grade along all imports,
those inside functions too, without executing any. Data files beside these modules count as well.
A package that says ``IN_NO_GRADE = True`` draws or shows, and is left out with all that only it
imports.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from autograder.checking import courses
from autograder.checking.answers import RECORDING_VARIABLE
from autograder.checking.course import Course
from autograder.material.papers import Release
from autograder.player.confine import Limits

MAKERS = ("autograder.grading.engine", "autograder.player.zygote")
"""The modules that make a grade: the judge's side, and what a player's process begins with."""

LIBRARIES = ("numpy", "torch")
"""Libraries whose version can change a grade."""

_NO_GRADE = "IN_NO_GRADE"


def version(
    course: Course,
    seed: int,
    release: Release,
    *,
    cell_seconds: float,
    call_seconds: float,
    submission_seconds: float,
    limits: Limits,
    layers: Sequence[str],
) -> str:
    """A digest of code, libraries, seed, release and limits, as 16 hexadecimal digits.

    ``course`` declares the exercises. ``layers`` are the layers of confinement that are sure: a
    submission that takes all memory has another grade where nothing limits it. Raises LookupError
    where the course is not installed.
    """
    declared = (courses.declared_in(course.name), *course.at_play)
    depends_on = {
        "code": code_digest((*MAKERS, *declared)),
        "python": sys.version_info[:2],
        "libraries": [_installed(library) for library in LIBRARIES],
        "recording": _named_recording(),
        "seed": seed,
        "official": repr(sorted(release.official, key=lambda cell: cell.name)),
        "seconds": [float(s) for s in (cell_seconds, call_seconds, submission_seconds)],
        "limits": asdict(limits),
        "layers": sorted(layers),
    }
    return sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:16]


def _installed(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _named_recording() -> str:
    """Of the answers that the environment names in place of the reference's, if it does."""
    named = os.environ.get(RECORDING_VARIABLE)
    if not named:
        return ""
    return sha256(Path(named).read_bytes()).hexdigest() if Path(named).is_file() else "not there"


known_digests: dict[tuple[str, ...], str] = {}
"""What ``code_digest`` has found in this process, or was told by the process that started it."""


def code_digest(roots: tuple[str, ...]) -> str:
    """A digest of the installed modules that ``roots`` lead to, and of the data beside them."""
    if roots not in known_digests:
        packages = {root.partition(".")[0] for root in roots}
        found = sources(roots, {name: _place(name) for name in sorted(packages)})
        known_digests[roots] = digest_of(found)
    return known_digests[roots]


def digest_of(files: Mapping[str, Path]) -> str:
    """A digest of files and of the names that they go by."""
    digest = sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def sources(roots: Sequence[str], packages: Mapping[str, Path]) -> dict[str, Path]:
    """The files that ``roots`` and all that they import consist of, by module or by path.

    ``packages`` says where the packages (or single modules) lie in which imports are followed.
    Raises LookupError for a root that is not there.
    """
    found: dict[str, Path] = {}
    left_out: set[str] = set()
    waiting = list(roots)
    for root in roots:
        if _file_of(root, packages) is None:
            raise LookupError(f"There is no module {root} to grade with.")
    while waiting:
        name = waiting.pop()
        path = _file_of(name, packages)
        if path is None or name in found or name in left_out:
            continue
        above = name.rpartition(".")[0]
        if above and above not in found and above not in left_out:
            waiting += [name, above]  # importing a module imports the packages that it lies in
            continue
        tree = ast.parse(path.read_bytes(), str(path))
        if above in left_out or _is_in_no_grade(tree):
            left_out.add(name)
            continue
        found[name] = path
        waiting += _imported(tree, name, path.name == "__init__.py")
    for name, path in list(found.items()):
        if path.name == "__init__.py":
            found |= {f"{name}/{key}": file for key, file in _data_beside(path.parent)}
    return found


def _place(package: str) -> Path:
    """The folder of an installed package, or the file of a module. Imports nothing."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise LookupError(f"{package} is not installed.")
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(str(spec.origin))


def _file_of(name: str, packages: Mapping[str, Path]) -> Path | None:
    """The file of a module, None where it is none of these packages' modules."""
    package, *rest = name.split(".")
    place = packages.get(package)
    if place is None:
        return None
    if place.suffix == ".py":
        return place if not rest else None
    path = place.joinpath(*rest)
    for file in (path / "__init__.py", path.with_suffix(".py") if rest else None):
        if file is not None and file.is_file():
            return file
    return None


def _imported(tree: ast.Module, module: str, is_package: bool) -> Iterator[str]:
    """Every name that a module imports, wherever; of ``from a import b`` both a and a.b."""
    for statement in _statements(tree.body):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            package = statement.module or ""
            if statement.level:
                parts = module.split(".") if is_package else module.split(".")[:-1]
                parts = parts[: len(parts) + 1 - statement.level]
                package = ".".join([*parts, package] if package else parts)
            yield package
            yield from (f"{package}.{alias.name}" for alias in statement.names)


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements, those in functions and branches too; expressions hold no import."""
    for statement in body:
        yield statement
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(statement, part, ())
            for one in inner:
                yield from _statements([one] if isinstance(one, ast.stmt) else one.body)


def _is_in_no_grade(tree: ast.Module) -> bool:
    return any(
        isinstance(statement, ast.Assign)
        and [getattr(target, "id", "") for target in statement.targets] == [_NO_GRADE]
        and getattr(statement.value, "value", None) is True
        for statement in tree.body
    )


def _data_beside(folder: Path) -> Iterator[tuple[str, Path]]:
    """The data files of one package: those in its folder and in folders that are no packages."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if path.is_dir():
            if not (path / "__init__.py").exists():
                yield from ((f"{path.name}/{key}", file) for key, file in _data_beside(path))
        elif path.suffix not in (".py", ".pyc"):
            yield path.name, path
