"""Watched code warns of what NumPy warns of by itself, here where it can."""

import ast
import builtins
import functools
import operator
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.player import flags

NUMBERS = st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 2.5e-3, 800.0, -800.0, 1e200, -1e200, 1e308, np.inf, -np.inf, np.nan]
)  # fmt: skip
ARRAYS = st.lists(NUMBERS, min_size=3, max_size=3).map(np.array)
SMALL = ARRAYS.map(lambda a: np.clip(a, -3e38, 3e38).astype(np.float32))
VALUES = st.one_of(ARRAYS, NUMBERS.map(np.float64), SMALL)

EXPRESSIONS = [
    "a + b", "a - b", "a * b", "a / b", "a // b", "a ** b", "np.exp(a)", "np.exp(-a) + b", "np.log(a)",
    "np.log1p(a)", "np.sqrt(a)", "1 / (1 + np.exp(-a))", "np.exp(a) / (1 + np.exp(a))", "np.tanh(a)",
    "np.divide(a, b)", "np.power(a, b)", "np.reciprocal(a)", "np.where(a > 0, 1 / a, b)", "np.square(a)",
    "np.expm1(a)", "np.logaddexp(0, -a)", "np.sinh(a)", "np.cosh(a)", "np.log2(a)", "np.log10(a)",
    "(lambda f: f(a))(np.exp)", "[x * 2.0 for x in np.atleast_1d(a)]", "-a", "abs(a)", "np.maximum(a, b)",
    "np.arctan(a)", "np.multiply(a, b)", "list(map(np.exp, [a]))", "{'f': np.exp}['f'](a)",
    "functools.partial(np.exp, dtype=np.float64)(a)", "np.exp(a, where=True)", "operator.truediv(a, b)", "np.subtract(a, b)",
]  # fmt: skip

STATEMENTS = {
    "in place": "a = np.array(a)\na /= b\n",
    "in place, a part of it": "c = np.array([a, a])\nc[0] *= b\n",
    "in place, what is no array": "n = 3\nn += 4\ntext = 'a'\ntext *= 2\n",
    "a mask": "c = np.atleast_1d(a)\nc[c > 0] = 1 / c[c > 0]\n",
}


@pytest.fixture(autouse=True)
def watching(monkeypatch):
    monkeypatch.setattr(builtins, flags.OPERATE, flags.operate, raising=False)
    monkeypatch.setattr(builtins, flags.FUNCTION, flags.function, raising=False)


def said(code, names: dict) -> list[str]:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        exec(code, names)
    return [str(warning.message) for warning in heard if warning.category is RuntimeWarning]


def both(source: str, names: dict) -> tuple[set[str], set[str]]:
    """What NumPy says of this code, and what is said where NumPy is silent and the code is watched."""
    plain = said(compile(source, "plain", "exec"), dict(names))
    watched = compile(flags.watch(ast.parse(source)), "watched", "exec")
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(flags, "error_state", lambda: dict.fromkeys(flags.SAYS, "warn"))
        return set(plain), set(said(watched, dict(names)))


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.sampled_from([*EXPRESSIONS, *STATEMENTS.values()]), VALUES, VALUES)
def test_it_says_what_numpy_says(source, a, b):
    if "=" in source:
        a, b = (np.resize(one, 3).astype(np.float64) for one in (a, b))
    if "pow" in source or "**" in source:  # where libraries differ about infinite exponents
        a, b = (np.where(np.isinf(one), np.asarray(2, one.dtype), one) for one in (a, b))
    if "logaddexp" in source:  # and about comparing what is undefined
        a = np.nan_to_num(a)
    names = {"a": a, "b": b, "np": np, "functools": functools, "operator": operator}
    plain, watched = both(source, names)
    assert watched == plain


@pytest.mark.parametrize(
    "source", [*EXPRESSIONS, "a @ b", "np.add.reduce(a)", "np.divmod(a, b)[0]"]
)
def test_it_computes_the_same(source):
    rng = np.random.default_rng(3)
    names = {"a": rng.uniform(0.1, 2, 3), "b": rng.uniform(0.1, 2, 3), "np": np}
    names |= {"functools": functools, "operator": operator}
    plain = eval(source, names)
    watched = ast.Expression(flags.watch(ast.parse(source, mode="eval")).body)
    np.testing.assert_array_equal(eval(compile(watched, "watched", "eval"), names), plain)


KEPT = """\
class Base:
    def __init__(self, n):
        self.n = n
    def __len__(self):
        return self.n

class Own(Base):
    def __init__(self, n):
        super().__init__(n + 1)
        self.n += 1
        self.own = locals().keys()

def deep(n):
    return n if n == 0 else deep(n - 1)

found = len(Own(2)), deep(900), "%d-%s" % (3, "x"), [1] * 2 + [3], {**dict(a=1)}
"""


def test_code_without_numpy_stays_what_it_is():
    plain: dict = {}
    exec(KEPT, plain)
    watched: dict = {}
    exec(compile(flags.watch(ast.parse(KEPT)), "watched", "exec"), watched)
    assert watched["found"] == plain["found"] == (4, 0, "3-x", [1, 1, 3], {"a": 1})


def test_an_error_state_is_obeyed(monkeypatch):
    code = compile(flags.watch(ast.parse("1 / np.zeros(2)")), "watched", "exec")
    # What NumPy itself would do is switched off, as in a browser.
    state = {"divide": "raise", "over": "warn", "invalid": "warn"}
    monkeypatch.setattr(flags, "error_state", lambda: state)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="divide by zero"):
        exec(code, {"np": np})
    state["divide"] = "ignore"
    with np.errstate(all="ignore"):
        assert said(code, {"np": np}) == []


def test_a_warning_names_the_line_it_is_about():
    source = "import numpy as np\n\n\nx = 1 / np.zeros(2)\n"
    code = compile(flags.watch(ast.parse(source)), "<cell 3>", "exec")
    with warnings.catch_warnings(record=True) as heard, pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("always")
        patch.setattr(flags, "error_state", lambda: dict.fromkeys(flags.SAYS, "warn"))
        with np.errstate(all="ignore"):
            exec(code, {})
    assert [(w.filename, w.lineno) for w in heard] == [("<cell 3>", 4)]


def test_here_nothing_is_missing():
    assert not flags.are_missing()
