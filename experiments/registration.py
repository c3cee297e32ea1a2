"""What was fixed before the runs: the rules and the instrument, as digests of their code.

A digest is that of the code without comments and docstrings, so prose may be mended and the order of
things may not. Every result carries the digest of the rules and of the instrument it was made
under; a change of either asks for a new trial.
"""

import ast
import hashlib
from pathlib import Path

HERE = Path(__file__).parent
RULES = ("yardstick", "designs", "claims")
INSTRUMENT = ("tasks", "training", "baselines")


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


def current() -> dict[str, str]:
    """The digests of what is here."""
    return {"rules": digest(RULES), "instrument": digest(INSTRUMENT)}
