"""The rules of the house, held by reading the code: what may be named where, and how long it is."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course.gated_memory import COURSE

REPOSITORY = Path(__file__).parents[1]

PACKAGE = sorted((REPOSITORY / "autograder").rglob("*.py"))

CODE = sorted(
    path
    for folder in ("autograder", "experiments", "benchmarks", "tests", "book/_ext")
    for path in (REPOSITORY / folder).rglob("*.py")
)

MOST_LINES = 600
MOST_LINES_OF_A_FUNCTION = 60

REASON = "This file is long because"
"""Begins the sentence, in a module's docstring, that excuses a file of more than ``MOST_LINES``."""


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# What only the course may name

ORDINARY = {"gradients"}
"""Names of this course that are words of the language too; only whole texts are looked at."""

SYMBOLS = """
h_prev h0 hs h_last xs d_hs d_h_last hidden_size input_size W_z W_r W_h W_i W_f W_o W_c b_z b_r b_h
weight_ih weight_hh bias_ih bias_hh gru lstm rnn recurrent
""".split()

NAMES = {*COURSE.records, *COURSE.assignments, *SYMBOLS} - ORDINARY

OF_THE_COURSE = re.compile(rf"(?<![\w.])({'|'.join(sorted(NAMES))})(?!\w)", re.IGNORECASE)
"""Not behind a dot: ``torch.sigmoid`` is torch's."""

QUOTED = re.compile(rf"""(["'])({"|".join(ORDINARY)})\1""")


def outside_the_course() -> list[Path]:
    """Everything in the package but the course: code, templates, style sheets."""
    package = REPOSITORY / "autograder"
    return [
        path
        for path in sorted(package.rglob("*"))
        if path.suffix in (".py", ".j2", ".css") and path.relative_to(package).parts[0] != "course"
    ]


@pytest.mark.parametrize("path", outside_the_course(), ids=name_of)
def test_only_the_course_names_its_exercises_symbols_and_sizes(path):
    """In code, texts, comments and docstrings alike."""
    lines = enumerate(read(path).splitlines(), 1)
    named = [(n, line) for n, line in lines if OF_THE_COURSE.search(line) or QUOTED.search(line)]
    assert named == []


@pytest.mark.parametrize(
    "line",
    ["check(update_gate)", "# of h_prev", 'return "gradients"', "a GRU", "xs[0]", '"rnn_step"'],
)
def test_a_name_of_the_course_is_noticed(line):
    assert OF_THE_COURSE.search(line) or QUOTED.search(line)


@pytest.mark.parametrize("line", ["torch.sigmoid(x)", "all gradients", "class Gradients", "axis"])
def test_other_words_are_left_alone(line):
    assert not OF_THE_COURSE.search(line) and not QUOTED.search(line)


ALLOWED_IMPORTS = {"autograder/__init__.py": "autograder.course"}
"""``from autograder import convert`` is what students write."""


@pytest.mark.parametrize(
    "path", [p for p in outside_the_course() if p.suffix == ".py"], ids=name_of
)
def test_no_other_room_imports_the_course(path):
    found = set()
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    found = {name for name in found if re.match(r"autograder\.course(\.|$)", name)}
    assert {re.sub(r"\.convert$", "", name) for name in found} <= {
        ALLOWED_IMPORTS.get(name_of(path))
    }


AT_PLAY = {"numpy", "torch", "__future__", "collections", "dataclasses", "warnings"}


@pytest.mark.parametrize("module", COURSE.at_play)
def test_what_runs_in_players_imports_nothing_of_the_course(module):
    """The zygote refuses what is imported when it starts; this sees what functions import too."""
    path = REPOSITORY / f"{module.replace('.', '/')}.py"
    for node in ast.walk(ast.parse(read(path))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module]
        elif isinstance(node, ast.Name):
            assert node.id not in ("__import__", "importlib", "exec", "eval")
        for name in names:
            assert name.startswith("autograder.player.") or name.partition(".")[0] in AT_PLAY, name
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            assert node.name not in COURSE.records


# How long, and what is said


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_a_long_file_says_why(path):
    text = read(path)
    lines, excused = len(text.splitlines()), REASON in (ast.get_docstring(ast.parse(text)) or "")
    assert lines <= MOST_LINES or excused


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_no_function_is_long(path):
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions(path)}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def undocumented(tree: ast.AST, inside: str = "") -> Iterator[str]:
    """Public classes, functions and methods without a docstring, not those inside functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                yield f"{inside}{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node, f"{inside}{node.name}.")


@pytest.mark.parametrize("path", PACKAGE, ids=name_of)
def test_every_public_definition_says_what_it_is(path):
    tree = ast.parse(read(path))
    missing = list(undocumented(tree))
    if not ast.get_docstring(tree):
        missing.insert(0, "the module")
    assert missing == []


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_there_are_no_banners(path):
    tokens = tokenize.generate_tokens(io.StringIO(read(path)).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    assert [comment for comment in comments if re.search(r"([-=#*~])\1{3,}", comment)] == []
