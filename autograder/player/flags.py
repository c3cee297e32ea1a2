"""NumPy's warnings of overflow, division by zero and undefined results, where it cannot give them.

A processor raises a flag when a result overflows, and NumPy reads it. WebAssembly has no such flags, so
NumPy in a browser is silent about everything. Code that ``Watched`` has changed computes the same and
looks at each result of NumPy: it warns, or raises, as ``numpy.errstate`` says and in NumPy's words.
"""

from __future__ import annotations

import ast
import builtins
import copy
import operator
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import SourceFileLoader
from types import BuiltinFunctionType

import numpy as np

OPERATORS: dict[str, tuple[Callable, Callable, str]] = {
    "Add": (operator.add, operator.iadd, "add"),
    "Sub": (operator.sub, operator.isub, "subtract"),
    "Mult": (operator.mul, operator.imul, "multiply"),
    "Div": (operator.truediv, operator.itruediv, "divide"),
    "FloorDiv": (operator.floordiv, operator.ifloordiv, "floor_divide"),
    "Mod": (operator.mod, operator.imod, "remainder"),
    "Pow": (operator.pow, operator.ipow, "power"),
    "MatMult": (operator.matmul, operator.imatmul, "matmul"),
}
"""By the operator's name in ``ast``: the function, the same in place, and what NumPy calls it."""

_OF_OPERATOR = {plain: kind for kind, (plain, _, _) in OPERATORS.items()}

POLES: dict[str, Callable[..., np.ndarray]] = {
    "divide": lambda a, b: b == 0,
    "floor_divide": lambda a, b: b == 0,
    "power": lambda a, b: (a == 0) & (b < 0),
    "float_power": lambda a, b: (a == 0) & (b < 0),
    "reciprocal": lambda a: a == 0,
    "log": lambda a: a == 0,
    "log2": lambda a: a == 0,
    "log10": lambda a: a == 0,
    "log1p": lambda a: a == -1,
    "arctanh": lambda a: abs(a) == 1,
}
"""Where a function is infinite: an infinite result there is a division by zero, else an overflow."""

SAYS = {
    "divide": "divide by zero encountered in",
    "over": "overflow encountered in",
    "invalid": "invalid value encountered in",
}
"""What NumPy says of each flag, in its order. Of lost last digits ("underflow") it says nothing."""

PROMISE = b"silent=True"
"""How the source of a module says that the answers to its exercise must not make NumPy warn."""

error_state = np.geterr
"""What NumPy is to do about each flag."""

OPERATE, FUNCTION = "__gm_operate__", "__gm_function__"
"""What changed code calls, by names that it finds among the built-in ones."""


def are_missing() -> bool:
    """Whether NumPy is silent about a division by zero."""
    with warnings.catch_warnings(record=True) as heard, np.errstate(all="warn"):
        warnings.simplefilter("always")
        np.ones(1) / np.zeros(1)
    return not heard


def raised(name: str, inputs: Sequence, result: object) -> list[str]:
    """The flags, keys of ``SAYS``, that NumPy's function of this name raises on a processor.

    ``inputs`` are numbers or arrays, ``result`` is what came out.
    """
    name = name.removeprefix("scalar ")
    out, given = np.asarray(result), [np.asarray(one) for one in inputs]
    if any(array.dtype.kind not in "biuf" for array in (out, *given)):
        return []
    with np.errstate(all="ignore"):
        if out.dtype.kind != "f":
            divides = name in ("floor_divide", "remainder")
            return ["divide"] if divides and bool(np.any(given[1] == 0)) else []
        finite = _all(name, [np.isfinite(array) for array in given])
        defined = _all(name, [~np.isnan(array) for array in given])
        pole = POLES[name](*given) if name in POLES else np.False_
        infinite = np.isinf(out) & finite
        found = {
            "divide": np.any(infinite & pole),
            "over": np.any(infinite & ~pole),
            "invalid": np.any(np.isnan(out) & defined),
        }
    return [flag for flag, there in found.items() if there]


def _all(name: str, which: list[np.ndarray]) -> np.ndarray:
    """Where it holds for all inputs of a result; a sum of products has whole rows of them."""
    if name in ("matmul", "vecdot"):
        return np.logical_and.reduce([array.all() for array in which])
    return np.logical_and.reduce(np.broadcast_arrays(*which))


def tell(name: str, inputs: Sequence, result: object) -> None:
    """Warn of what an operation did, or raise FloatingPointError, as the error state in force says."""
    found = raised(name, inputs, result)
    if not found:
        return
    state = dict(error_state())
    for flag in found:
        says = f"{SAYS[flag]} {name}"
        if state[flag] == "raise":
            raise FloatingPointError(says)
        if state[flag] == "print":
            print(f"Warning: {says}")
        elif state[flag] != "ignore":
            warnings.warn(says, RuntimeWarning, stacklevel=3)


def operate(kind: str, in_place: bool, left, right):
    """``left`` and ``right`` joined by an operator, watched where NumPy does it."""
    plain, changing, name = OPERATORS[kind]
    join = changing if in_place else plain
    if not isinstance(left, np.ndarray | np.generic) and not isinstance(
        right, np.ndarray | np.generic
    ):
        return join(left, right)
    before = left.copy() if in_place and isinstance(left, np.ndarray) else left
    result = join(left, right)
    if isinstance(result, np.ndarray | np.generic):
        of_arrays = isinstance(left, np.ndarray) or isinstance(right, np.ndarray)
        tell(name if of_arrays else f"scalar {name}", (before, right), result)
    return result


def function(called):
    """What is called in place of ``called``: itself, but for an elementwise function of NumPy."""
    if not isinstance(called, np.ufunc):
        kind = _OF_OPERATOR.get(called) if isinstance(called, BuiltinFunctionType) else None
        return partial(operate, kind, False) if kind else called
    if called.nout != 1:
        return called

    def watched(*inputs, **options):
        kept = [one.copy() if isinstance(one, np.ndarray) else one for one in inputs[: called.nin]]
        result = called(*inputs, **options)
        if isinstance(result, np.ndarray | np.generic) and options.get("where", True) is True:
            tell(called.__name__, kept, result)
        return result

    return watched


class Watched(ast.NodeTransformer):
    """Changes code so that each operator and each call of it is watched."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """``a + b`` becomes a call of ``operate``."""
        self.generic_visit(node)
        return self._operated(node, node.op, False, node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """``a += b`` becomes ``a = operate(...)``, which changes an array in its place as before."""
        self.generic_visit(node)
        if type(node.op).__name__ not in OPERATORS or not _read_twice(node.target):
            return node
        read = copy.deepcopy(node.target)
        read.ctx = ast.Load()
        value = self._operated(node, node.op, True, read, node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """``f(x)`` becomes ``function(f)(x)``: nothing stands between most functions and their caller.

        What is passed on to another function, as in ``map(np.exp, a)``, is watched as well.
        """
        self.generic_visit(node)
        node.func = self._function(node.func)
        node.args = [self._function(one) if _may_be_one(one) else one for one in node.args]
        return node

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        """A pattern stays: it is no code that runs."""
        return node

    def _function(self, named: ast.expr) -> ast.expr:
        asked = ast.Call(ast.Name(FUNCTION, ast.Load()), [named], [])
        return ast.copy_location(asked, named)

    def _operated(self, node, op, in_place: bool, left, right) -> ast.expr:
        kind = type(op).__name__
        if kind not in OPERATORS:
            return node
        told = [ast.Constant(kind), ast.Constant(in_place), left, right]
        return ast.copy_location(ast.Call(ast.Name(OPERATE, ast.Load()), told, []), node)


def _may_be_one(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Name | ast.Attribute)


def _read_twice(target: ast.AST) -> bool:
    """Whether reading it does nothing else, so that it may be read once more."""
    return not any(
        isinstance(node, ast.Call | ast.NamedExpr | ast.Await | ast.Yield)
        for node in ast.walk(target)
    )


def watch(tree: ast.AST) -> ast.AST:
    """The tree, changed. ``stand_in`` has to have been called before it runs."""
    return ast.fix_missing_locations(Watched().visit(tree))


def stand_in() -> bool:
    """Where the flags are missing, let changed code run, and say that code has to be changed.

    Modules that promise silence are changed as they are imported from now on: what they declare is held
    against answers that are watched, and so has to be watched itself.
    """
    if not are_missing():
        return False
    setattr(builtins, OPERATE, operate)
    setattr(builtins, FUNCTION, function)
    plain = SourceFileLoader.source_to_code

    def source_to_code(self, data, path, **options):
        if PROMISE in bytes(data):
            data = watch(ast.parse(data, path))
        return plain(self, data, path, **options)

    SourceFileLoader.source_to_code = source_to_code  # type: ignore[method-assign]
    return True
