"""The class report: its numbers, its silence about names, its safety and its size."""

import dataclasses
import functools
import importlib
import math
import os
import random
import re
import statistics
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import grade
from autograder.checking.judge import _PLAIN_FAILURES
from autograder.checking.verdict import Diagnosis, Failure, Section, Verdict
from autograder.course.exercises import ASSIGNMENTS
from autograder.course.figures.palette import DARK, LIGHT
from autograder.grading.graded import LOOK, Graded, Remark
from autograder.outlets.report import FAILURES, LOOK_NAMES, class_report

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


# A class that did not exist: real verdicts on catalogued mistakes, invented students


def _unwritten(**inputs):
    raise NotImplementedError


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
        answers += [(_unwritten, 5.0), (_misspelled, 3.0), (_unknown_mistake(right), 3.0)]
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


@pytest.fixture(scope="module")
def records():
    return sample_class()


@pytest.fixture(scope="module")
def page(records):
    return page_of(records, when=WHEN)


# The numbers are those of the records


def test_the_sample_has_one_of_everything(records):
    wrong = [v for r in records for v in r.verdicts if not v.passed]
    assert any(v.mistake for v in wrong)
    assert any(v.suspicions and not v.mistake for v in wrong)
    assert {"not written", "exception", "values"} <= {
        v.failure.kind for v in wrong if not v.mistake and not v.suspicions
    }


def test_headline_facts(records, page):
    totals = [sum(v.points for v in r.verdicts) for r in records]
    full = sum(all(v.points == v.max_points for v in r.verdicts) for r in records)
    # Four have remarks; two pairs were made nearly alike, s00033 of which handed in the same file.
    look = {"s00003", "s00007", "s00012", "s00030", "s00005", "s00025", "s00011", "s00033"}
    assert facts_of(page) == {
        "Submissions": "42",
        "Median": f"{round(statistics.median(totals), 2):g}",
        "Full marks": str(full),
        "Need a look": str(len(look)),
    }
    assert "1 without a notebook" in words(page.find("dl", class_="facts"))
    assert ", ".join(CONFINED) in words(page)
    assert {row["href"] for row in page.select("a.flag")} == {"#look"}
    flagged = [words(a.parent).split()[0] for a in page.select("a.flag")]
    assert set(flagged) == look


def test_distribution_of_points(records, page):
    said = page.find("svg", class_="histogram")["aria-label"]
    bars = [
        (float(low), float(high), int(found))
        for low, high, found in re.findall(
            r"([\d.]+) to (?:less than )?([\d.]+) points: (\d+)", said
        )
    ]
    assert bars[0][0] == 0 and bars[-1][1] == 21
    assert all(one[1] == other[0] for one, other in zip(bars, bars[1:], strict=False))
    totals = [round(sum(v.points for v in r.verdicts), 2) for r in records]
    for low, high, found in bars:
        last = high == 21
        assert found == sum(low <= total < high or (last and total == high) for total in totals)
    assert sum(found for *_, found in bars) == len(records)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_assignment_has_bars_of_one_width(assignment):
    record = Graded(
        assignment,
        "one",
        "",
        "v1",
        tuple(
            Verdict(e.name, assignment, e.signature, True, e.points, e.points)
            for e in ASSIGNMENTS[assignment]
        ),
    )
    page = BeautifulSoup(class_report(assignment, [record]), "html.parser")
    edges = [float(text.string) for text in page.select("svg.histogram > text:not([class])")]
    assert len(edges) >= 6
    assert np.allclose(np.diff(edges), edges[1], atol=0.011)
    assert edges[-1] == record.max_points


def test_points_by_exercise(records, page):
    rows = rows_of(page.find(id="exercises"))
    assert [row[0] for row in rows] == [v.exercise for v in records[0].verdicts]
    for number, row in enumerate(rows):
        verdicts = [r.verdicts[number] for r in records]
        full = sum(v.points == v.max_points for v in verdicts)
        none = sum(v.points == 0 for v in verdicts)
        for cell, count in zip(row[1:4], (full, 42 - full - none, none), strict=True):
            assert cell == f"{count} {100 * count / 42:.0f} %"
        mean = sum(v.points for v in verdicts) / 42
        assert float(row[4].split()[0]) == pytest.approx(mean, abs=0.00501)
        assert row[4].endswith(f"of {verdicts[0].max_points:g}")
        widths = [
            float(rect["width"].rstrip("%"))
            for rect in page.find(id="exercises").find_all("svg")[number].find_all("rect")
        ]
        assert sum(widths) == pytest.approx(100, abs=0.02)


def test_sections_to_teach_again(records, page):
    """Students, not answers, are counted; suspicions stand apart from mistakes."""
    sure, maybe, mistakes, likely = {}, {}, Counter(), Counter()
    for r in records:
        for v in r.verdicts:
            if v.mistake:
                sure.setdefault(v.mistake.section.title, set()).add(r.student)
                mistakes[v.mistake.section.title, v.exercise, v.mistake.name] += 1
            else:
                for one in v.suspicions:
                    maybe.setdefault(one.section.title, set()).add(r.student)
                    likely[one.section.title, v.exercise, one.name] += 1
    articles = page.find(id="reteach").find_all("article")
    assert {words(a.h3) for a in articles} == sure.keys() | maybe.keys()
    shown = [int(words(a.find(class_="weight").b)) for a in articles]
    assert shown == sorted(shown, reverse=True)
    for article, count in zip(articles, shown, strict=True):
        title = words(article.h3)
        assert count == len(sure.get(title, ()))
        only = maybe.get(title, set()) - sure.get(title, set())
        weight = words(article.find(class_="weight"))
        assert f"{100 * count / 42:.0f} % of the class" in weight
        assert (f"and {len(only)}" in weight) == bool(only)
        seen, seen_likely = Counter(), Counter()
        for row in article.select("table.made tbody tr"):
            name = words(row.th).split(" ", 1)[0] and row.th.contents[0].strip()
            exercise = words(row.th.code)
            numbers = words(row.td)
            certain = re.match(r"\d+(?! looks)", numbers)
            guess = re.search(r"\+?(\d+) looks like", numbers)
            key = (title, exercise, name.lower())
            seen[key] = int(certain.group()) if certain else 0
            seen_likely[key] = int(guess.group(1)) if guess else 0
        expected = {(t, e, n.lower()) for t, e, n in mistakes | likely if t == title}
        assert seen.keys() == expected
        for t, e, n in mistakes | likely:
            if t == title:
                assert seen[t, e, n.lower()] == mistakes[t, e, n]
                assert seen_likely[t, e, n.lower()] == likely[t, e, n]
        who = {bdi.string for bdi in article.find(class_="who").find_all("bdi")}
        assert who == sure.get(title, set()) | only


def test_failures_without_a_name(records, page):
    kinds = {
        "Not written": "not written",
        "It raises an exception": "exception",
        "Wrong numbers, by a mistake that is not in the catalogue": "values",
    }
    left = [
        (r.student, v)
        for r in records
        for v in r.verdicts
        if not v.passed and not v.mistake and not v.suspicions
    ]
    rows = page.find(id="unnamed").select("tbody tr")
    assert len(rows) == len({v.failure.kind for _, v in left})
    for row in rows:
        kind = kinds[row.th.contents[0].strip()]
        found = [(student, v) for student, v in left if v.failure.kind == kind]
        answers, students = (int(words(cell)) for cell in row.find_all("td"))
        assert answers == len(found)
        assert students == len({student for student, _ in found})
        where = Counter(v.exercise for _, v in found)
        for exercise, count in where.items():
            assert f"{exercise} {count}" in words(row.th)
        if kind == "exception":
            assert f"NameError {answers}" in words(row.th)


def test_submissions_that_need_a_look(records, page):
    look = page.find(id="look")
    remarks, similar = look.find_all("table")
    assert [row[0] for row in rows_of(remarks)] == ["s00003", "s00007", "s00012", "s00030"]
    assert "It tried to open a network connection." in words(remarks)
    assert "Two deleted test cells" not in words(look)
    assert "2 notebooks had to be put in order" in words(look)
    assert rows_of(similar)[0] == ["s00011 , s00033", "the same file"]
    assert rows_of(similar)[1][0] == "s00005 , s00025"
    assert "no proof" in words(look)


def test_times(records, page):
    by_exercise, by_submission = page.find(id="time").find_all("table")
    for name, middle, slowest in rows_of(by_exercise):
        times = {r.student: dict(r.exercise_seconds).get(name) for r in records}
        times = {student: t for student, t in times.items() if t is not None}
        assert in_seconds(middle) == pytest.approx(statistics.median(times.values()), rel=0.06)
        assert in_seconds(slowest) == pytest.approx(max(times.values()), rel=0.06)
        assert slowest.split()[-1] == max(times, key=times.get)
    for row, values in zip(
        rows_of(by_submission),
        ([r.code_seconds for r in records], [r.seconds for r in records]),
        strict=True,
    ):
        expected = (statistics.median(values), max(values), sum(values))
        assert [in_seconds(cell) for cell in row[1:]] == pytest.approx(expected, rel=0.06)


def test_table_of_students(records, page):
    rows = rows_of(page.find(id="students"))
    assert [row[0].split()[0] for row in rows] == [r.student for r in records]
    for row, record in zip(rows, records, strict=True):
        assert float(row[1]) == pytest.approx(sum(v.points for v in record.verdicts), abs=0.006)
        for cell, verdict in zip(row[2:-1], record.verdicts, strict=True):
            unwritten = verdict.failure and verdict.failure.kind == "not written"
            assert cell == ("–" if unwritten else f"{verdict.points:g}")
        assert in_seconds(row[-1]) == pytest.approx(record.code_seconds, rel=0.06)


def test_every_kind_has_words():
    assert LOOK_NAMES.keys() == LOOK.keys()
    assert _PLAIN_FAILURES.keys() <= FAILURES.keys()


def test_what_confined_the_code_is_said(records):
    assert "Not confined" not in words(page_of(records))
    free = dataclasses.replace(records[0], confinement=())
    assert "Not confined (1 submission)" in words(page_of([free, *records[1:]]))
    other = dataclasses.replace(records[0], version="v2")
    assert "different versions" in words(page_of([other, *records[1:]]))


# Small classes, and records that do not belong together


def test_an_empty_class():
    page = page_of([])
    assert facts_of(page) == {
        "Submissions": "0",
        "Median": "–",
        "Full marks": "0",
        "Need a look": "0",
    }
    assert "Nobody has handed in anything yet" in words(page)
    assert not page.find_all("section")


def test_a_class_of_one(records):
    page = page_of(records[:1])
    assert facts_of(page)["Submissions"] == "1"
    assert "no two submissions to compare" in words(page)
    assert len(rows_of(page.find(id="students"))) == 1


def test_a_submission_that_gave_nothing(records):
    """Neither verdicts nor times: what a record holds when a notebook could not be read."""
    broken = Graded("lstm", "b", "", "v1", (), (Remark("unreadable", "It is no JSON."),))
    page = page_of([broken])
    assert "There are no points to show." in words(page)
    page = page_of([broken, *records[:3]])
    assert rows_of(page.find(id="students"))[0][2:-1] == ["–"] * 8


def test_records_that_do_not_belong_together_are_refused(records):
    with pytest.raises(ValueError, match="one of lstm, not of gru"):
        class_report("gru", records)
    with pytest.raises(ValueError, match="several grades of 's00000'"):
        class_report("lstm", [records[0], *records])


# The same input gives the same page


def test_order_of_the_records_does_not_matter(records):
    shuffled = list(records)
    random.Random(0).shuffle(shuffled)
    for hide in (False, True):
        once, again = (class_report("lstm", r, hide_names=hide) for r in (records, shuffled))
        assert once == again


def test_the_page_does_not_depend_on_hashing(records, tmp_path):
    (tmp_path / "class.txt").write_text("\n".join(r.to_json() for r in records), "utf-8")
    program = (
        "import sys; from pathlib import Path; from autograder.grading.graded import Graded;"
        "from autograder.outlets.report import class_report;"
        "records = [Graded.from_json(l) for l in Path(sys.argv[1]).read_text('utf-8').split('\\n')];"
        "sys.stdout.buffer.write(class_report('lstm', records).encode())"
    )
    pages = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "class.txt")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            cwd=ROOT,
        ).stdout
        for seed in ("1", "2")
    }
    assert pages == {class_report("lstm", records).encode()}


# Hidden names


def test_hidden_names_are_nowhere(records):
    names = sample_names(records)
    own = "class Amara_s00007(Exception)"
    leaky = [
        dataclasses.replace(
            r,
            remarks=(Remark("tamper", f"It opened /home/{r.student}/{names[r.student]}.txt"),),
            verdicts=tuple(
                dataclasses.replace(
                    v,
                    notes=(f"It printed {names[r.student]}",),
                    failure=v.failure
                    and dataclasses.replace(
                        v.failure, headline=f"It raises {own} {r.student}: {names[r.student]}"
                    ),
                )
                for v in r.verdicts
            ),
        )
        for r in records
    ]
    text = class_report("lstm", leaky, names=names, hide_names=True)
    for record in leaky:
        assert record.student not in text
        assert names[record.student] not in text
        assert record.digest == "" or record.digest not in text
        for part in names[record.student].split():
            assert not re.search(rf"\b{re.escape(part)}\b", text)
    assert "/home" not in text
    assert "Student 42" in text and "Student 43" not in text


def test_hidden_names_have_numbers_that_tell_nothing(records):
    """Neither the order of names, of points nor of the folder; and a newcomer changes no order."""

    def order(chosen):
        page = page_of(chosen, hide_names=True)
        return [tuple(row[1:]) for row in rows_of(page.find(id="students"))]

    marked = [
        dataclasses.replace(r, remarks=(), fingerprints=(), code_seconds=float(n + 1))
        for n, r in enumerate(records[:30])
    ]
    numbers = [in_seconds(row[-1]) for row in order(marked)]
    assert sorted(numbers) == [float(n) for n in range(1, 31)]
    assert abs(np.corrcoef(numbers, range(30))[0, 1]) < 0.5
    fewer = [in_seconds(row[-1]) for row in order(marked[:29])]
    assert [n for n in numbers if n != 30] == fewer
    # The files and the secret seed decide; the list of names alone does not.
    again = [dataclasses.replace(r, version="v2") for r in marked]
    assert [in_seconds(row[-1]) for row in order(again)] != numbers


# Hostile text


HOSTILE = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"><b id='reteach'>",
    "--><!-- ]]> &lt; &#60;",
    "half a pair \ud83d, nul \x00, escape \x1b[31m, \u202eright to left",
    "a\nb\tc\r\u2028d",
    "{{ names }} ${names} %s",
)


def _with_text(records, text):
    """A class of four in which the text stands wherever a record has text."""
    exception = Failure("exception", f"It raises {text}: {text}", text, text, text, (text,))
    section = Section("label", f"Title {text}", text)
    prose = text.replace("`", "'")  # in prose, backticks are markup
    mistake = Diagnosis(f"name {text}", prose, None, section)
    verdict = records[0].verdicts[0]
    wrong = dataclasses.replace(verdict, passed=False, points=0.0, mistake=None, suspicions=())
    return [
        dataclasses.replace(
            records[0],
            student=text or "empty",
            remarks=(Remark("timeout", text),),
            verdicts=(
                dataclasses.replace(wrong, failure=exception),
                dataclasses.replace(wrong, failure=exception, mistake=mistake),
            ),
            confinement=(text,),
        ),
        *(dataclasses.replace(r, verdicts=r.verdicts[:1]) for r in records[1:4]),
    ]


def _skeleton(html: str) -> list:
    """Tags and attributes in order, without the text between them."""
    return [(tag.name, sorted(tag.attrs)) for tag in BeautifulSoup(html, "html.parser").find_all()]


def _is_printable(html: str) -> bool:
    html.encode("utf-8")
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(records, text):
    usual = class_report("lstm", _with_text(records, "s00000"))
    hostile = class_report("lstm", _with_text(records, text), names={"s00001": text * 3})
    assert sorted(_skeleton(hostile)) == sorted(_skeleton(usual))  # names stand in their order
    assert _is_printable(hostile)
    assert "<script" not in hostile and "onerror=alert(1)>" not in hostile


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(st.characters(codec=None), max_size=80))
def test_any_text_stays_text(text):
    records = sample_class()
    # A name is compared as it is, so that one that equals another's would be shown with it.
    usual = class_report("lstm", _with_text(records, "0"))
    hostile = class_report("lstm", _with_text(records, f"0{text}"))
    assert _skeleton(hostile) == _skeleton(usual)
    assert _is_printable(hostile)


def test_the_assignment_is_text_too():
    text = class_report("<b>\x00", [], hide_names=True)
    assert "<b>\x00" not in text and "Class report: &lt;b&gt;\ufffd" in text


def test_students_of_one_name_can_be_told_apart(records):
    page = page_of(records[:2], names={r.student: "Kim Lee" for r in records})
    assert [row[0] for row in rows_of(page.find(id="students"))] == [
        "Kim Lee s00000",
        "Kim Lee s00001",
    ]


# One file, of sensible size


def test_nothing_is_loaded_from_elsewhere(records):
    text = class_report("lstm", records)
    page = BeautifulSoup(text, "html.parser")
    assert "default-src 'none'" in page.find("meta", attrs={"http-equiv": True})["content"]
    assert not page.find_all(["script", "img", "iframe", "object", "form", "base"])
    assert [link["href"] for link in page.find_all("link")] == ["data:,"]
    assert all(a["href"].startswith("#") for a in page.find_all("a"))
    ids = {tag["id"] for tag in page.find_all(id=True)}
    assert {a["href"][1:] for a in page.find_all("a")} <= ids
    assert set(re.findall(r"url\(\W*([a-z]+)", text)) == {"data"}
    assert not re.search(r"https?:|@import", text)


def test_a_large_class_gives_a_page_that_opens():
    records = sample_class(size=10_000)
    text = class_report("lstm", records)
    assert len(text.encode()) < 4_000_000
    students = BeautifulSoup(text[text.index('<section id="students"') :], "html.parser")
    assert students.details is not None and "open" not in students.details.attrs
    assert len(students.select("tbody tr")) == 10_000


def test_an_attack_by_everybody_gives_a_page_that_opens():
    remarks = tuple(Remark("tamper", f"{n} {'<' * 100_000}") for n in range(20))
    records = [dataclasses.replace(r, remarks=remarks) for r in sample_class(size=2_000)]
    text = class_report("lstm", records)
    assert len(text.encode()) < 6_000_000
    assert "1,600 more" in text


# The looks


def test_the_typeface_is_the_books():
    font = ROOT / "book/_static/fonts/instrument-sans-latin-wght-normal.woff2"
    style = (ROOT / "autograder/outlets/report_page/font.css").read_text("utf-8")
    assert b64encode(font.read_bytes()).decode() in style


def _mix(one: str, share: float, other: str) -> list[float]:
    """CSS's color-mix in srgb, 0 to 1."""
    return [
        share * int(one[i : i + 2], 16) / 255 + (1 - share) * int(other[i : i + 2], 16) / 255
        for i in (1, 3, 5)
    ]


def _contrast(one: list[float], other: list[float]) -> float:
    """WCAG 2's contrast ratio."""

    def luminance(color):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("accent", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_cells_can_be_read(colors, accent):
    style = (ROOT / "autograder/outlets/report_page/report.css").read_text("utf-8")
    tints = re.findall(
        r"^\.([fpz]) \{ background: color-mix\(in srgb, var\(--(accent|gm-update)\) (\d+)%",
        style,
        re.M,
    )
    assert [name for name, _, _ in tints] == ["f", "p", "z"]
    ink = _mix(colors["ink"], 1, colors["ink"])
    for _, name, percent in tints:
        tone = colors[accent] if name == "accent" else colors["update"]
        assert _contrast(ink, _mix(tone, int(percent) / 100, colors["paper"])) >= 4.5


def test_the_accent_is_that_of_the_model():
    for assignment, accent in (
        ("rnn", "rnn"),
        ("lstm", "lstm"),
        ("gradients", "gru"),
        ("bughunt", "gru"),
    ):
        assert f"--accent:var(--gm-{accent})" in class_report(assignment, [])
