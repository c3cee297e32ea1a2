"""A hundred answers, right and wrong, as text: one after the other, each with its notebook's others right.

The wrong ones are made from right ones by small changes that people make too: a sign, a transpose, an
axis, an order. They are drawn with a seed, so that every place that checks them checks the same. Then
follow answers of every form, and with results of every kind.
"""

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass

from engine_scene import by_name, solved
from sigmoids import FIRST, FORMS, RESULTS

from autograder.course.gated_memory import COURSE

ASSIGNMENTS = ("rnn", "lstm", "gru", "gradients")
OF_EACH = 5
"""Wrong answers for every exercise."""


@dataclass(frozen=True)
class Answer:
    """One answer to one exercise."""

    assignment: str
    exercise: str
    source: str


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """What can stand wrongly in place of an expression."""
    match node:
        case ast.BinOp(left, ast.Add(), right):
            yield ast.BinOp(left, ast.Sub(), right)
            yield left
        case ast.BinOp(left, ast.Sub(), right):
            yield ast.BinOp(right, ast.Sub(), left)
            yield ast.BinOp(left, ast.Add(), right)
        case ast.BinOp(left, ast.Mult(), right):
            yield ast.BinOp(left, ast.Add(), right)
            yield right
        case ast.BinOp(left, ast.MatMult(), right):
            yield ast.BinOp(right, ast.MatMult(), left)
            yield ast.BinOp(left, ast.Mult(), right)
        case ast.Attribute(value, "T"):
            yield value
        case ast.Constant(int(number)) if not isinstance(number, bool):
            yield ast.Constant(1 - number)
            yield ast.Constant(number + 1)
        case ast.List([first, second]):
            yield ast.List([second, first], ast.Load())
        case ast.Subscript(ast.Name(), ast.Constant(str())):
            yield ast.Name("nothing", ast.Load())
        case ast.Call(ast.Attribute(_, "tanh") as function, arguments):
            yield ast.Call(ast.Attribute(function.value, "sin", ast.Load()), arguments, [])
            yield arguments[0]


class Changed(ast.NodeTransformer):
    """Counts the changes that can be made, and makes one of them."""

    def __init__(self, which: int = -1):
        self.which, self.count = which, 0

    def visit(self, node: ast.AST) -> ast.AST:
        for other in changes(node):
            if self.count == self.which:
                self.count += 1
                return ast.copy_location(other, node)
            self.count += 1
        return self.generic_visit(node)


def body_changed(source: str, which: int) -> tuple[str, int]:
    """A function with one change in its body, and how many there are."""
    tree = ast.parse(source)
    (function,) = (n for n in tree.body if isinstance(n, ast.FunctionDef))
    changed = Changed(which)
    function.body = [changed.visit(statement) for statement in function.body]
    return ast.unparse(ast.fix_missing_locations(tree)), changed.count


def right(assignment: str) -> dict[str, str]:
    """The right answers in NumPy, by exercise, in the order of the notebook."""
    cells = by_name(solved(assignment))
    names = [exercise.name for exercise in COURSE.assignments[assignment]]
    return {n: cells[n] for n in names if n in cells and "torch" not in cells[n]}


def hundred() -> list[Answer]:
    """All of them; each exercise's right one comes first."""
    drawn, answers = random.Random(17), []
    for assignment in ASSIGNMENTS:
        for name, source in right(assignment).items():
            answers.append(Answer(assignment, name, source))
            count = body_changed(source, -1)[1]
            for which in sorted(drawn.sample(range(count), min(OF_EACH, count))):
                answers.append(Answer(assignment, name, body_changed(source, which)[0]))
    for source in (*RESULTS.values(), *FORMS.values()):
        if "torch" not in source and "sigmoid = 3" not in source:
            answers.append(Answer("lstm", "sigmoid", FIRST + source))
    return answers


def cells(answers: list[Answer]) -> Iterator[list[str]]:
    """For each answer the cells to run, in one session: its surroundings, itself, its check."""
    here = None
    for answer in answers:
        if answer.assignment != here:
            here = answer.assignment
            start = [by_name(solved(here))["setup"]]
        around = right(here)
        yield [
            *start,
            "\n\n".join(around.values()),
            answer.source,
            f"verdict = check({answer.exercise})\nprint(verdict)\nverdict",
        ]
        start = []
