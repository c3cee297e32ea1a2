"""The numbers of the class report are those of the records."""

import dataclasses
import re
import statistics
from collections import Counter

import numpy as np
import pytest
from bs4 import BeautifulSoup
from report_scene import CONFINED, facts_of, in_seconds, page_of, rows_of, words

from autograder.checking.verdict import Verdict
from autograder.course.exercises import ASSIGNMENTS
from autograder.grading.graded import Graded
from autograder.grading.readings import AS_IT_STANDS
from autograder.material.remarks import LOOK, Remark
from autograder.outlets.report import LOOK_NAMES, class_report
from autograder.player.failures import FAILURES


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
        if v.wrong and not v.mistake and not v.suspicions
    ]
    rows = page.find(id="unnamed").find("table").select("tbody tr")
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


def test_what_several_have_in_common_is_shown_with_an_example(records, page):
    groups = Counter((v.exercise, v.behavior) for r in records for v in r.verdicts if v.behavior)
    shared = sorted((count for count in groups.values() if count > 1), reverse=True)
    assert shared, "the sample has answers that are wrong in the same way without a name"
    rows = page.find(id="unnamed").find_all("table")[1].select("tbody tr")
    assert [int(words(row.td)) for row in rows] == shared[: len(rows)]
    first = rows[0].th.find("code").string
    made = [v for r in records for v in r.verdicts if v.exercise == first and v.behavior]
    assert any(v.why.headline in words(rows[0].th) for v in made)


def test_submissions_that_need_a_look(records, page):
    look = page.find(id="look")
    remarks, done, similar = look.find_all("table")
    assert [row[0] for row in rows_of(remarks)] == ["s00003", "s00007", "s00012", "s00030"]
    assert "It tried to open a network connection." in words(remarks)
    assert "Two deleted test cells" not in words(remarks)
    assert "Two deleted test cells" in words(done) and len(rows_of(done)) == 2
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
    assert all(kind.called for kind in FAILURES.values())


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


def test_points_are_told_against_the_notebook_as_it_stands(records):
    """Not against whichever other reading earned least."""
    ways = (("in another order", 26.0), (AS_IT_STANDS, 12.0), ("at the checks", 9.0))
    right = max(records, key=lambda record: record.points)
    helped = dataclasses.replace(
        right,
        readings=tuple((name, right.points if i == 0 else p) for i, (name, p) in enumerate(ways)),
        remarks=(Remark("repaired", "read in another order"),),
    )
    others = [record for record in records if record.student != right.student]
    page = BeautifulSoup(class_report(right.assignment, [helped, *others]), "html.parser")
    assert "instead of 12" in words(page.find(id="look"))
    assert "instead of 9" not in words(page.find(id="look"))
