"""The class report is one file, the same each time, of sensible size, and it can be read."""

import dataclasses
import os
import random
import re
import subprocess
import sys
from base64 import b64encode

import pytest
from bs4 import BeautifulSoup
from report_scene import ROOT, sample_class

from autograder.checking.colors import DARK, LIGHT
from autograder.course.exercises import ASSIGNMENTS
from autograder.material.remarks import Remark
from autograder.outlets.report import class_report

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
    style = (ROOT / "autograder/outlets/report/font.css").read_text("utf-8")
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


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_cells_can_be_read(colors):
    style = (ROOT / "autograder/outlets/report/report.css").read_text("utf-8")
    tints = re.findall(
        r"^\.([fpz]) \{ background: color-mix\(in srgb, var\(--(accent|alarm)\) (\d+)%",
        style,
        re.M,
    )
    assert [name for name, _, _ in tints] == ["f", "p", "z"]
    ink = _mix(colors["ink"], 1, colors["ink"])
    for _, name, percent in tints:
        tone = colors["right" if name == "accent" else "wrong"]
        assert _contrast(ink, _mix(tone, int(percent) / 100, colors["paper"])) >= 4.5


def test_every_assignment_has_the_same_look():
    """The page knows no course: neither the colors of its models nor their names."""
    styles = {
        class_report(assignment, []).partition("<style>")[2].partition("</style>")[0]
        for assignment in [*ASSIGNMENTS, "of another course"]
    }
    (style,) = styles
    rules = style[style.index(":root") :]
    assert "--accent:var(--gm-right)" in rules
    defined = set(re.findall(r"(--[\w-]+) ?:", rules))
    assert set(re.findall(r"var\((--[\w-]+)\)", rules)) <= defined
    assert set(re.findall(r"--gm-(\w+):", rules)) == LIGHT.keys() == DARK.keys()
