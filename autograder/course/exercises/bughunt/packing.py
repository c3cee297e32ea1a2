"""Cells as black boxes: lists of NumPy operations that a notebook runs without this package.

A cell of the catalogue is called once on arrays that note down what is done with them. What they
noted is data: it holds no name and no comment, works for every B, D and H, and travels in a
notebook, so that the boxes are at hand wherever the notebook runs, confined or not.
"""

from __future__ import annotations

import base64
import bz2
import json
from collections.abc import Callable, Mapping

import numpy as np

from autograder.course.exercises.gru.inputs import KEYS

_SIZES = {"B": 3, "D": 5, "H": 7}
"""Of the call that is noted down: different, so that a cut after H columns is known for one."""


class Untraceable(TypeError):
    """A cell does something that boxes have no word for."""


class _Noting(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that appends every operation on it to a list of steps."""

    def __init__(self, value: np.ndarray, steps: list, place: int):
        self.value, self.steps, self.place = value, steps, place

    def _noted(self, name: str, parts, value) -> _Noting:
        self.steps.append([name, *map(_part, parts)])
        return _Noting(value, self.steps, len(KEYS) + 1 + len(self.steps))

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__" or options:
            raise Untraceable(f"np.{ufunc.__name__} with {method} or {list(options)}")
        return self._noted(ufunc.__name__, inputs, ufunc(*map(_plain, inputs)))

    def __array_function__(self, function, types, arguments, options):
        if function is np.where and not options:
            return self._noted("where", arguments, np.where(*map(_plain, arguments)))
        if function is np.concatenate:
            axis = {0: "below", 1: "beside", -1: "beside"}[options["axis"]]
            (parts,) = arguments
            joined = np.concatenate([*map(_plain, parts)], axis=options["axis"])
            return self._noted(axis, parts, joined)
        raise Untraceable(f"np.{function.__name__}")

    def __getitem__(self, index):
        H = _SIZES["H"]
        names = {"first": np.s_[:, :H], "others": np.s_[:, H:]}
        for name, cut in names.items():
            if index == cut:
                return self._noted(name, [self], self.value[index])
        raise Untraceable(f"the index {index}")

    @property
    def T(self):
        return self._noted("T", [self], self.value.T)

    @property
    def shape(self):
        return self.value.shape


def _plain(part):
    return part.value if isinstance(part, _Noting) else part


def _part(part) -> int | float:
    """A step's operand: the place of an array, an int, or a number, a float."""
    return part.place if isinstance(part, _Noting) else float(part)


def steps_of(cell: Callable) -> list[list]:
    """What ``cell(x, h_prev, params)`` does, step by step. Raises Untraceable.

    Arrays are numbered: x, h_prev, the six of ``KEYS``, then the result of each step; the last
    one is the cell's. A step is the name of a NumPy function, or ``T``, ``beside`` and ``below``
    (concatenate), ``first`` and ``others`` (the first H columns and those after them).
    """
    B, D, H = _SIZES.values()
    rng = np.random.default_rng(0)
    shapes = [(B, D), (B, H)] + [(H, H + D) if key[0] == "W" else (H,) for key in KEYS]
    steps: list[list] = []
    arrays = [_Noting(rng.normal(size=shape), steps, i) for i, shape in enumerate(shapes)]
    x, h_prev, *params = arrays
    result = cell(x=x, h_prev=h_prev, params=dict(zip(KEYS, params, strict=True)))
    if not isinstance(result, _Noting) or result.place != len(KEYS) + 1 + len(steps):
        raise Untraceable("a result that is not that of the last step")
    return steps


def packed(cells: Mapping[str, Callable]) -> str:
    """All cells as one text of ASCII lines, which ``unpacked`` and the notebook read again.

    bz2, because it has one implementation: the same cells give the same text everywhere.
    """
    steps = {letter: steps_of(cell) for letter, cell in cells.items()}
    text = json.dumps(steps, separators=(",", ":")).encode()
    return base64.encodebytes(bz2.compress(text)).decode().strip()


def unpacked(text: str) -> dict[str, list[list]]:
    """The steps of all boxes by letter."""
    return json.loads(bz2.decompress(base64.decodebytes(text.encode())))
