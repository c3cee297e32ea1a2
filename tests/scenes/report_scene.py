"""A class for the report that did not exist, and how its page is read."""

import dataclasses
import functools
import importlib
import math
import random
from datetime import UTC, datetime
from pathlib import Path
from types import FunctionType

import numpy as np
from bs4 import BeautifulSoup
from unwatched import grade

from autograder.checking.verdict import Verdict
from autograder.course.exercises import ASSIGNMENTS
from autograder.grading.graded import Graded
from autograder.material.remarks import Remark
from autograder.outlets.report import class_report

ROOT = Path(__file__).parents[2]
WHEN = datetime(2026, 3, 4, 14, 30, tzinfo=UTC)
CONFINED = ("user namespace", "network namespace", "Landlock", "seccomp", "resource limits")

FIRST = (
    "Amara Bodhi Chiara Dmitri Élodie Farid Grace Hiroshi Ingrid João Keiko Liam Mei Noor Olu "
    "Priya Quentin Rosa Søren Tariq Uma Viktor Wanjiru Ximena Yusuf Zofia"
).split()
LAST = (
    "Adeyemi Berg Castillo Dubois Eriksen Fontana García Haddad Ito Jansen Kowalski Lindqvist "
    "Moreau Nakamura Okafor Petrov Quispe Rahman Silva Tanaka"
).split()


# Real verdicts on catalogued mistakes, invented students


def _unwritten(name):
    """The function of this name as it is given out: who calls it is told so by its name."""

    def stub(**inputs):
        raise NotImplementedError

    return FunctionType(stub.__code__.replace(co_name=name, co_qualname=name), {}, name)


def _misspelled(**inputs):
    return squash(inputs)  # noqa: F821


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


def _two_mistakes(x, h_prev, c_prev, params):
    """1 - f for f, and no tanh on the cell: no single mistake of the catalogue does both."""
    joined = np.concatenate([h_prev, x], axis=1)
    f, i, o, a = (joined @ params[f"W_{gate}"].T + params[f"b_{gate}"] for gate in "fioc")
    c = (1 - _sigmoid(f)) * c_prev + _sigmoid(i) * np.tanh(a)
    return _sigmoid(o) * c, c


def _unknown_mistake(right):
    def damped(**inputs):
        result = right(**inputs)
        return tuple(0.93 * part for part in result) if isinstance(result, tuple) else 0.93 * result

    return damped


@functools.cache
def verdicts_of(assignment: str) -> dict[str, list[tuple[Verdict, float]]]:
    """For each exercise: verdicts on answers of many kinds, each with how common it is."""
    found = {}
    for number, exercise in enumerate(ASSIGNMENTS[assignment]):
        right = _right(assignment)[exercise.name][0]
        step = max(1, len(exercise.mistakes) // 5)
        mistakes = exercise.mistakes[number % 3 :: step][:5]
        answers = [(right, 55.0)]
        answers += [
            (mistake.wrong, 14.0 / (1 + rank) ** 1.2) for rank, mistake in enumerate(mistakes)
        ]
        answers += [
            (_unwritten(exercise.name), 5.0),
            (_misspelled, 3.0),
            (_unknown_mistake(right), 3.0),
        ]
        if exercise.name == "lstm_step":
            answers.append((_two_mistakes, 8.0))
        found[exercise.name] = [(grade(code, exercise.name), often) for code, often in answers]
    return found


def _right(assignment: str) -> dict:
    return importlib.import_module(f"right_answers.{assignment}").RIGHT


@functools.cache
def sample_class(assignment: str = "lstm", size: int = 42, seed: int = 4) -> tuple[Graded, ...]:
    """A class in which some are good, some make the usual mistakes, and a few need a look."""
    rng = random.Random(seed)
    pools = verdicts_of(assignment)
    records = []
    for number in range(size):
        skill = rng.betavariate(2.2, 1.3)
        verdicts, times = [], []
        for name, pool in pools.items():
            weights = [often * (12 * skill**2 if v.passed else 1) for v, often in pool]
            verdict = rng.choices([v for v, _ in pool], weights)[0]
            verdicts.append(verdict)
            times.append((name, round(rng.lognormvariate(math.log(0.004), 1.1), 6)))
        own = [rng.getrandbits(64) for _ in range(60)]
        prints = tuple(sorted(own + [1000 + i for i in range(60) if rng.random() < 0.8]))
        code = round(sum(t for _, t in times) + rng.uniform(0.01, 0.05), 6)
        records.append(
            Graded(
                assignment,
                f"s{number:05d}",
                f"{rng.getrandbits(256):064x}",
                "v1",
                tuple(verdicts),
                seconds=round(code + rng.uniform(0.02, 0.06), 6),
                code_seconds=code,
                exercise_seconds=tuple(times),
                fingerprints=prints,
                confinement=CONFINED,
            )
        )
    for number, kind, says in (
        (3, "timeout", "lstm_forward did not finish within 10 seconds."),
        (7, "tamper", "It tried to open /home/instructor/course/solutions/lstm.py."),
        (7, "tamper", "It tried to open a network connection."),
        (12, "flood", "It printed 52,428,800 characters; the first 10,000 are kept."),
        (18, "repaired", "Two deleted test cells were put back."),
        (21, "repaired", "The notebook had lost its metadata."),
    ):
        if number < size:
            one = records[number]
            records[number] = dataclasses.replace(one, remarks=(*one.remarks, Remark(kind, says)))
    if size > 36:
        records[30] = dataclasses.replace(
            records[30],
            digest="",
            verdicts=tuple(_not_written(assignment)),
            remarks=(Remark("missing", "There is no lstm.ipynb in the folder."),),
            code_seconds=0.0,
            exercise_seconds=(),
            fingerprints=(),
        )
        copied = records[5].fingerprints
        records[25] = dataclasses.replace(
            records[25], fingerprints=(*copied[:-4], *records[25].fingerprints[-4:])
        )
        records[33] = dataclasses.replace(
            records[33], fingerprints=records[11].fingerprints, digest=records[11].digest
        )
    return tuple(records)


def _not_written(assignment: str) -> list[Verdict]:
    return [
        next(v for v, _ in pool if v.failure and v.failure.kind == "not written")
        for pool in verdicts_of(assignment).values()
    ]


def sample_names(records, seed: int = 4) -> dict[str, str]:
    rng = random.Random(seed)
    pairs = [f"{first} {last}" for first in FIRST for last in LAST]
    rng.shuffle(pairs)
    return {r.student: pairs[i % len(pairs)] for i, r in enumerate(records)}


# Reading a page


def page_of(records, **options) -> BeautifulSoup:
    return BeautifulSoup(class_report("lstm", records, **options), "html.parser")


def words(element) -> str:
    return " ".join(element.get_text(" ").split())


def rows_of(part) -> list[list[str]]:
    """The cells of every row of every table in a part of the page, as text."""
    return [
        [words(cell) for cell in row.find_all(["th", "td"], recursive=False)]
        for body in part.find_all("tbody")
        for row in body.find_all("tr")
    ]


def facts_of(page) -> dict[str, str]:
    return {
        words(fact.dt): words(fact.dd.b) for fact in page.find("dl", class_="facts").find_all("div")
    }


def in_seconds(text: str) -> float:
    number, unit = text.split()[:2]
    return float(number) * {"ms": 1e-3, "s": 1, "min": 60, "h": 3600}[unit]
