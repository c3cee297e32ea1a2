"""What a student's function has to return, and how its answer becomes plain arrays.

Each class below describes one kind of answer. ``flatten`` turns the value a student
returned into named NumPy arrays, copied so that nothing can change them later, or raises
``Broken`` with a sentence for the student. Shapes, dtypes and values are compared elsewhere,
where the expected answer is known.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


class Broken(Exception):
    """The answer is not of the promised kind; ``kind`` is ``"none"``, ``"type"``, ``"missing"`` or
    ``"parameters"``.
    """

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


def describe(value: object) -> str:
    """A value in a few words: its type, and its shape and dtype where it has them."""
    module = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if module not in ("builtins", "__main__"):
        name = f"{module}.{name}"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{name} of shape {tuple(shape)}"
    if isinstance(value, list | tuple):
        inner = type(value[0]).__name__ if value else "nothing"
        return f"{name} of {len(value)} ({inner} first)"
    return name


def plain_array(value: object, what: str) -> np.ndarray:
    """A copy of ``value`` as a base-class array; raises Broken when it is not an array."""
    if value is None:
        raise Broken("none", f"{what} is None. Does the function end with `return`?")
    if isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray):
        if value.dtype.kind not in "fiubc":
            raise Broken("type", f"{what} holds {value.dtype} objects, not numbers.")
        return np.array(value, copy=True, subok=False)
    if type(value).__module__.partition(".")[0] == "torch":
        raise Broken(
            "type",
            f"{what} is a {describe(value)}. Torch is fine inside; return a NumPy array, "
            "for instance with `.numpy()`.",
        )
    if isinstance(value, list | tuple) and value and isinstance(value[0], numbers.Number):
        raise Broken(
            "type",
            f"{what} is a {describe(value)}. `np.array` makes a NumPy array of a list of numbers.",
        )
    if isinstance(value, tuple):
        raise Broken("type", f"{what} is a {describe(value)}. Return one NumPy array.")
    if isinstance(value, list):
        raise Broken(
            "type",
            f"{what} is a {describe(value)}. Return one NumPy array; `np.stack` joins a list "
            "of arrays of the same shape along a new first axis.",
        )
    raise Broken("type", f"{what} is a {describe(value)}; a NumPy array is expected.")


@dataclass(frozen=True)
class Array:
    """One NumPy array."""

    name: str

    def flatten(self, value: object) -> dict[str, np.ndarray]:
        """The array under its name; raises Broken for what is no array."""
        return {self.name: plain_array(value, "The result")}

    def build(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The value of which ``flatten`` makes these outputs."""
        return outputs[self.name]


@dataclass(frozen=True)
class FloatOrArray:
    """One NumPy array of any shape, or, where a single number is meant, a plain float."""

    name: str

    def flatten(self, value: object) -> dict[str, np.ndarray]:
        """The array or number under its name, a number without axes; raises Broken."""
        if isinstance(value, float | np.floating):
            return {self.name: np.asarray(value)}
        return {self.name: plain_array(value, "The result")}

    def build(self, outputs: Mapping[str, np.ndarray]) -> float | np.ndarray:
        """The value of which ``flatten`` makes these outputs."""
        value = outputs[self.name]
        return float(value) if value.ndim == 0 else value


@dataclass(frozen=True)
class Arrays:
    """A tuple of NumPy arrays in this order, as ``return h, c`` makes one.

    A list counts as a tuple; one array with the results stacked does not.
    """

    names: tuple[str, ...]

    def flatten(self, value: object) -> dict[str, np.ndarray]:
        """The arrays by their names; raises Broken for another number of them."""
        if value is None:
            raise Broken("none", "The result is None. Does the function end with `return`?")
        names = ", ".join(self.names)
        if not isinstance(value, list | tuple) or len(value) != len(self.names):
            raise Broken(
                "type",
                f"The result is a {describe(value)}; a tuple of {len(self.names)} is expected: "
                f"`return {names}`.",
            )
        return {
            name: plain_array(array, name) for name, array in zip(self.names, value, strict=True)
        }

    def build(self, outputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """The value of which ``flatten`` makes these outputs."""
        return tuple(outputs[name] for name in self.names)


@dataclass(frozen=True)
class Params:
    """A dict of NumPy arrays with at least these keys; more are ignored."""

    keys: tuple[str, ...]

    def flatten(self, value: object) -> dict[str, np.ndarray]:
        """The arrays under ``keys``; raises Broken where one is missing."""
        if value is None:
            raise Broken("none", "The result is None. Does the function end with `return`?")
        if not isinstance(value, Mapping):
            raise Broken("type", f"The result is a {describe(value)}; a dict is expected.")
        missing = [key for key in self.keys if key not in value]
        if missing:
            raise Broken("missing", f"The returned dict has no {' and no '.join(missing)}.")
        return {key: plain_array(value[key], f"Entry {key}") for key in self.keys}

    def build(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The value of which ``flatten`` makes these outputs."""
        return dict(outputs)


@dataclass(frozen=True)
class Gradients:
    """A tuple of NumPy arrays and, last, a dict with one gradient per parameter.

    For instance ``(dx, dh_prev, grads)``. A list counts as a tuple, more keys are ignored.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]

    def flatten(self, value: object) -> dict[str, np.ndarray]:
        """The arrays by their names, and the gradients by the names in ``keys``; raises Broken."""
        if value is None:
            raise Broken("none", "The result is None. Does the function end with `return`?")
        all_names = ", ".join((*self.names, "grads"))
        if not isinstance(value, list | tuple) or len(value) != len(self.names) + 1:
            raise Broken(
                "type",
                f"The result is a {describe(value)}; a tuple of {len(self.names) + 1} is "
                f"expected: {all_names}.",
            )
        *arrays, grads = value
        if not isinstance(grads, Mapping):
            raise Broken(
                "type", f"grads is a {describe(grads)}; a dict is expected, last in the tuple."
            )
        flat = {
            name: plain_array(array, name) for name, array in zip(self.names, arrays, strict=True)
        }
        missing = [f'"{key}"' for key in self.keys if key not in grads]
        if missing:
            raise Broken(
                "missing",
                f"grads has no {' and no '.join(missing)}; its keys are those of params.",
            )
        for key in self.keys:
            name = f'grads["{key}"]'
            flat[name] = plain_array(grads[key], name)
        return flat

    def build(self, outputs: Mapping[str, np.ndarray]) -> tuple:
        """The value of which ``flatten`` makes these outputs."""
        grads = {key: outputs[f'grads["{key}"]'] for key in self.keys}
        return (*(outputs[name] for name in self.names), grads)


@dataclass(frozen=True)
class Integer:
    """One whole number, Python's or NumPy's."""

    name: str

    def flatten(self, value: object) -> dict[str, np.ndarray]:
        """The count under its name, as int64 without axes; raises Broken, from 2^62 on as well."""
        if value is None:
            raise Broken("none", "The result is None. Does the function end with `return`?")
        if isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "iu":
            value = value.item()
        if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
            raise Broken(
                "type",
                f"The result is a {describe(value)} ({value!r:.40}); a count is an int. "
                "`//` divides whole numbers without leaving them.",
            )
        if abs(int(value)) >= 2**62:
            raise Broken("type", "The result is larger than any count of parameters.")
        return {self.name: np.asarray(int(value), dtype=np.int64)}

    def build(self, outputs: Mapping[str, np.ndarray]) -> int:
        """The value of which ``flatten`` makes these outputs."""
        return int(outputs[self.name])


def reference_to(thing: type | Callable) -> str:
    """Where a class or function is declared, ``module:name``: how it travels to a player."""
    return f"{thing.__module__}:{thing.__qualname__}"


def plain(returns: Any) -> dict:
    """A kind of answer as a dict of JSON values, from which ``revive`` makes it again."""
    return {"kind": reference_to(type(returns)), **asdict(returns)}


def revive(values: Mapping, find: Callable[[str], Callable]) -> object:
    """The kind of answer that ``plain`` described; ``find`` gives the class of a reference."""
    fields: dict[str, Any]
    fields = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    kind = fields.pop("kind")
    return find(kind)(**fields)
