"""Fetches NumPy's official file for browsers into ``_build/browser/official``.

Called by the workflow that publishes the site, from the root of the checkout, before ``make``:
``python book/_ext/official_numpy.py``. No package registry has that file; Pyodide's release on GitHub
has it, in one archive with every other package. GitHub's own command ``gh`` fetches the archive, and
the file is kept only where its sha256 is the one in Pyodide's lock, which npm brought by our own lock.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from run_parts import BUILT, NoParts, modules


def wanted() -> tuple[str, str, str]:
    """Pyodide's version, the name of NumPy's file in it, and its sha256. Raises NoParts."""
    pyodide = modules() / "pyodide"
    version = json.loads((pyodide / "package.json").read_text(encoding="utf-8"))["version"]
    lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    entry = lock["packages"]["numpy"]
    return version, entry["file_name"], entry["sha256"]


def download(version: str, folder: Path) -> Path:
    """Pyodide's release as one archive, some hundred megabytes. Raises NoParts."""
    name = f"pyodide-{version}.tar.bz2"
    command = ["gh", "release", "download", version, "--repo", "pyodide/pyodide"]
    try:
        subprocess.run([*command, "--pattern", name, "--dir", str(folder)], check=True)
    except FileNotFoundError as error:
        raise NoParts("`gh`, GitHub's own command, is not on this machine") from error
    except subprocess.CalledProcessError as error:
        raise NoParts(f"`{' '.join(command)}` failed; what it said stands above") from error
    return folder / name


def taken_from(archive: Path, name: str) -> bytes:
    """The file of this name in a compressed archive, which is read once. Raises NoParts."""
    with tarfile.open(archive, "r|bz2") as members:
        for member in members:
            if member.isfile() and Path(member.name).name == name:
                return members.extractfile(member).read()
    raise NoParts(f"{archive.name} holds no {name}")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetch() -> Path:
    """The file, where it lies already or after it is fetched. Raises NoParts."""
    version, name, sha256 = wanted()
    target = BUILT / "official" / name
    if target.is_file() and digest(target.read_bytes()) == sha256:
        return target
    with tempfile.TemporaryDirectory() as scratch:
        content = taken_from(download(version, Path(scratch)), name)
    if digest(content) != sha256:
        raise NoParts(f"{name} of the release has the sha256 {digest(content)}, the lock {sha256}")
    target.parent.mkdir(parents=True, exist_ok=True)
    for other in target.parent.iterdir():
        other.unlink()
    target.write_bytes(content)
    return target


def main() -> int:
    try:
        file = fetch()
    except NoParts as reason:
        print(f"NumPy's file for browsers is not there: {reason}.", file=sys.stderr)
        return 1
    print(f"{file.name}: {file.stat().st_size:,} bytes, as Pyodide's lock has it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
