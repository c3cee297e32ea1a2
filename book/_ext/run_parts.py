"""Writes the parts with which a page of the site runs Python: ``_build/browser/run``.

Called by ``make``, from the root of the checkout: ``python book/_ext/run_parts.py``. Pyodide and the
editor come from npm as ``browser/package-lock.json`` pins them. NumPy's file for browsers is in no
registry under its own name. What a published site hands out is the official one, laid beforehand into
``_build/browser/official`` and held against the digest that Pyodide's own lock names; for trying the
site and testing it, a copy serves that an npm package happens to contain. With ``GM_PUBLISH`` set,
the copy is an error. Without npm there are no parts, and the pages say so.

Every part is one gzip file; what is inside an archive is stored uncompressed, so that all of it is
compressed together. A release is named by the digest of all parts and of the notebooks: another text
of either is another release, and a browser that kept an old one can tell.
"""

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path

from course_wheel import write_wheel

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "browser"
BUILT = ROOT / "_build" / "browser"
MODULES = BUILT / "node_modules"

ROOMS = ("checking", "course", "player")
"""The rooms of the package that a check needs, besides the package's own front door."""

OF_NO_USE = (
    # They listen on a network, start processes or draw a terminal: a browser lets nobody.
    r"(_pyrepl|ensurepip|idlelib|multiprocessing|wsgiref|xmlrpc)/",
    r"(ftplib|imaplib|mailbox|poplib|pty|smtplib|socketserver|tty)\.py$",
    r"pydoc_data/",
    # Character sets of single countries and machines.
    r"encodings/(?!(__init__|aliases|ascii|base64_codec|charmap|cp1252|cp437|hex_codec|idna|iso8859_1"
    r"|latin_1|punycode|raw_unicode_escape|unicode_escape|utf_\w+|zlib_codec)\.py)",
)
"""What of the standard library is left out, as patterns of paths."""

OF_NO_USE_OF_NUMPY = (
    r"(^|/)tests/",
    r"^numpy/(f2py|distutils|_pyinstaller)/",
    r"^numpy/(_core/include|_core/lib|random/lib|random/_examples)/",
    r"\.(pyi|pxd|pyx|a|c|h)$",
)
"""What of NumPy is left out: its tests, and what compiles other code against it."""


class NoParts(Exception):
    """Says in a sentence why no parts can be written."""


def modules() -> Path:
    """The npm packages, as the lock file pins them. Raises NoParts where npm is missing or fails."""
    npm = shutil.which("npm")
    if npm is None:
        raise NoParts("npm is not on this machine (it comes with Node.js)")
    lock = (SOURCES / "package-lock.json").read_bytes()
    kept = BUILT / "installed-lock.json"
    if MODULES.is_dir() and kept.is_file() and kept.read_bytes() == lock:
        return MODULES
    BUILT.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SOURCES / name, BUILT / name)
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=BUILT
    )
    if done.returncode:
        raise NoParts(f"`npm ci` in {BUILT.relative_to(ROOT)} failed; what it said stands above")
    kept.write_bytes(lock)
    return MODULES


def numpy_wheel(lock: dict) -> tuple[Path, str]:
    """NumPy's file for browsers, and whether it is "official" or a "registry copy".

    Raises NoParts where there is none, or where one is not what it should be.
    """
    entry = lock["packages"]["numpy"]
    official = BUILT / "official" / entry["file_name"]
    if official.is_file():
        found = hashlib.sha256(official.read_bytes()).hexdigest()
        if found != entry["sha256"]:
            raise NoParts(
                f"{official.relative_to(ROOT)} is not the official file: its sha256 is {found}, "
                f"Pyodide's lock says {entry['sha256']}"
            )
        return official, "official"
    if os.environ.get("GM_PUBLISH"):
        raise NoParts(f"a site that is published needs {official.relative_to(ROOT)}")
    copies = MODULES.glob(f"@bentopdf/pymupdf-wasm/assets/numpy-{entry['version']}-*.whl")
    copy = next(copies, None)
    if copy is None:
        raise NoParts(f"there is no copy of NumPy {entry['version']} for browsers")
    return copy, "registry copy"


def files_of(archive: Path, left_out: tuple[str, ...] = ()) -> Iterator[tuple[str, bytes]]:
    """The files of a zip file or wheel, without those whose path one of the patterns matches."""
    never = re.compile("|".join(left_out) or r"$^")
    with zipfile.ZipFile(archive) as source:
        for entry in sorted(source.infolist(), key=lambda entry: entry.filename):
            if not entry.is_dir() and not never.search(entry.filename):
                yield entry.filename, source.read(entry)


def of_the_rooms(path: str) -> bool:
    """Whether a file of the course's wheel is needed by a check."""
    parts = path.split("/")
    return parts[0].endswith(".dist-info") or (
        parts[0] == "autograder" and (len(parts) == 2 or parts[1] in ROOMS)
    )


def stored(files: Iterator[tuple[str, bytes]]) -> bytes:
    """A zip file of them, uncompressed and without times, so that equal files give equal bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content)
    return written.getvalue()


def lock_for_numpy(lock: dict) -> bytes:
    """Pyodide's lock with nothing in it: what a page needs, it brings itself."""
    return json.dumps({**lock, "packages": {}}).encode()


def bundled(entry: Path) -> bytes:
    """An ECMAScript module with all that it imports, in one file."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.js"
        shutil.copyfile(entry, BUILT / entry.name)  # beside the modules that it imports
        command = [str(MODULES / ".bin" / "esbuild"), str(BUILT / entry.name), "--bundle"]
        options = ["--format=esm", "--minify", "--log-level=warning", f"--outfile={out}"]
        subprocess.run([*command, *options], check=True)
        return out.read_bytes()


def contents() -> tuple[dict[str, bytes], str]:
    """The parts by their file's name, uncompressed, and where NumPy is from."""
    pyodide = modules() / "pyodide"
    lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    wheel, origin = numpy_wheel(lock)
    with tempfile.TemporaryDirectory() as scratch:
        course = dict(files_of(write_wheel(ROOT, Path(scratch))))
    parts = {
        name: (pyodide / name).read_bytes()
        for name in ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm")
    }
    parts["pyodide-lock.json"] = lock_for_numpy(lock)
    parts["python_stdlib.zip"] = stored(files_of(pyodide / "python_stdlib.zip", OF_NO_USE))
    numpy = dict(files_of(wheel, OF_NO_USE_OF_NUMPY))
    numpy["numpy/f2py/__init__.py"] = b""  # `from numpy import *` asks for it
    parts["numpy.zip"] = stored(iter(sorted(numpy.items())))
    needed = {name: content for name, content in course.items() if of_the_rooms(name)}
    needed |= {
        str(path): path.locate().read_bytes()
        for path in files("packaging") or ()
        if path.suffix == ".py"
    }
    parts["course.zip"] = stored(iter(needed.items()))
    parts["editor.js"] = bundled(SOURCES / "editor.js")
    return parts, origin


def version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["version"]


def write(folder: Path) -> dict:
    """Write all parts and ``parts.json`` into a folder, which is replaced as a whole."""
    parts, origin = contents()
    digest = hashlib.sha256()
    for content in parts.values():
        digest.update(hashlib.sha256(content).digest())
    for notebook in sorted((ROOT / "notebooks").glob("*/*.ipynb")):
        digest.update(notebook.read_bytes())
    release = f"{version()}-{digest.hexdigest()[:8]}"
    told = {"release": release, "numpy": origin, "parts": []}
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    (new / release).mkdir(parents=True)
    for name, content in parts.items():
        packed = gzip.compress(content, 9, mtime=0)
        (new / release / f"{name}.gz").write_bytes(packed)
        sha256 = hashlib.sha256(packed).hexdigest()
        told["parts"].append(
            {"name": name, "file": f"{name}.gz", "bytes": len(packed), "sha256": sha256}
        )
    (new / "parts.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return told


def main() -> int:
    folder = BUILT / "run"
    try:
        told = write(folder)
    except NoParts as reason:
        shutil.rmtree(folder, ignore_errors=True)
        print(f"  The pages will not run Python, and say so: {reason}.", file=sys.stderr)
        return 1 if os.environ.get("GM_PUBLISH") else 0
    total = sum(part["bytes"] for part in told["parts"]) / 1e6
    print(f"  {folder.relative_to(ROOT)}/{told['release']}: {total:.2f} MB, NumPy: {told['numpy']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
