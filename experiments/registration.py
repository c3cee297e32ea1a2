"""What was fixed before the runs: the rules and the instrument, as digests of their code.

A digest is that of the code without comments and docstrings, so prose may be mended and the order of
things may not. Every result carries the digest of the rules and of the instrument it was made
under. Claims and tasks that are added later change both digests. So that earlier results stay what
they are, a registration that is closed is listed here, and `earlier.json` holds what shows that
nothing was changed but added: every finding it led to, which the present rules have to give again,
and runs that were repeated with the present instrument and, on the same machine, with the code of the
registration before it (`python -m experiments repeat`): another processor rounds otherwise.
"""

import ast
import functools
import hashlib
from pathlib import Path

HERE = Path(__file__).parent
RULES = ("yardstick", "designs", "claims")
INSTRUMENT = (
    "tasks", "sound", "speech", "translation", "translator", "aligned", "house",
    "house_baselines", "jobs", "training",
    "readings", "baselines",
)  # fmt: skip
# Registrations that are closed, in order: the trial of C5 to C19; C21 and C22, reviews and series;
# spoken digits; translation.
EARLIER = {
    "rules": ("688b23bf5222", "42bcba891abe", "de2c91109c20", "50028dc0c0cb"),
    "instrument": ("574505007bc8", "920694f09a36", "1fac6131aa6c", "3cea29950742"),
}


def bare(source: str) -> str:
    """Python without comments and docstrings, in one spelling."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def digest(modules: tuple[str, ...], folder: Path = HERE) -> str:
    """The first twelve hexadecimal digits of the SHA-256 of some modules of this package."""
    found = hashlib.sha256()
    for name in modules:
        found.update(bare((folder / f"{name}.py").read_text(encoding="utf-8")).encode())
    return found.hexdigest()[:12]


@functools.cache
def current() -> dict[str, str]:
    """The digests of what is here."""
    return {"rules": digest(RULES), "instrument": digest(INSTRUMENT)}
