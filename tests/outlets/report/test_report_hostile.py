"""The class report's silence about names, and its safety from what submissions say."""

import dataclasses
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from report_scene import ROOT, in_seconds, page_of, rows_of, sample_class, sample_names

from autograder.checking.verdict import Diagnosis, Failure, Section
from autograder.material.remarks import Remark
from autograder.outlets.report import class_report

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


def test_only_the_style_is_not_escaped():
    """Whoever adds another exception has to say here why it is none that a student can use."""
    for folder in ("outlets", "demo"):
        for path in (ROOT / "autograder" / folder).rglob("*"):
            if path.suffix == ".j2":
                assert not re.search(r"\bsafe\b|autoescape", path.read_text("utf-8")), path
            if path.suffix == ".py" and path.parent.name != "report":
                assert "Markup" not in path.read_text("utf-8"), path
    report = ROOT / "autograder" / "outlets" / "report"
    code = {path.name: path.read_text("utf-8") for path in report.glob("*.py")}
    assert {name: text.count("Markup(") for name, text in code.items() if "Markup" in text} == {
        "__init__.py": 1
    }
