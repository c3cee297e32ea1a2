"""Recorded outputs of libraries that are too heavy to install for every test.

A recording is one ``.npz`` file. It holds the versions it was made with and *cases*: the weights
of a layer as the library stores them, an input sequence, the initial state and the states the
library itself computed. The scripts in ``tests/course/recordings`` write them; tests and the
chapter on spellings read them. The answers in ``recorded``, with which students' functions are
compared where torch is missing, are none of these: see ``checking.answers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One layer run by its library.

    ``xs`` (T, B, D), ``h0`` (B, H), ``hs`` (T, B, H); an LSTM also has ``c0`` (B, H) and ``cs``,
    the last cell (B, H). ``weights`` lie in the containers of the spelling named ``spelling``.
    ``facts`` are strings: what the library says of itself.
    """

    spelling: str
    weights: dict[str, Any]
    arrays: dict[str, np.ndarray]
    facts: dict[str, str] = field(default_factory=dict)


def save(path: Path, versions: Mapping[str, str], cases: Mapping[str, Case]) -> None:
    """Write cases and versions; weights may be nested dicts of arrays."""
    flat = {f"versions/{name}": np.array(version) for name, version in versions.items()}
    for name, case in cases.items():
        flat[f"{name}/spelling"] = np.array(case.spelling)
        flat |= {f"{name}/facts/{key}": np.array(text) for key, text in case.facts.items()}
        flat |= {f"{name}/arrays/{key}": value for key, value in case.arrays.items()}
        flat |= {f"{name}/weights/{key}": value for key, value in _flatten(case.weights).items()}
    np.savez_compressed(path, **flat)  # type: ignore[arg-type]  # of other keywords


def load(path: Path) -> tuple[dict[str, str], dict[str, Case]]:
    """Versions and cases of a recording."""
    with np.load(path, allow_pickle=False) as stored:
        versions, cases = {}, {}
        for key in stored.files:
            name, kind, *rest = key.split("/")
            if name == "versions":
                versions[kind] = str(stored[key])
                continue
            case = cases.setdefault(
                name, {"weights": {}, "arrays": {}, "facts": {}, "spelling": ""}
            )
            if kind == "spelling":
                case["spelling"] = str(stored[key])
            elif kind == "facts":
                case["facts"][rest[0]] = str(stored[key])
            else:
                branch = case[kind]
                for part in rest[:-1]:
                    branch = branch.setdefault(part, {})
                branch[rest[-1]] = stored[key]
    return versions, {name: Case(**parts) for name, parts in cases.items()}


def _flatten(weights: Mapping[str, Any], prefix: str = "") -> dict[str, np.ndarray]:
    flat = {}
    for name, value in weights.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{name}/")
        else:
            flat[prefix + name] = np.asarray(value)
    return flat
