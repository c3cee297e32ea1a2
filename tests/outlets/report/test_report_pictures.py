"""The pictures of a report in the guide: of the present style, small, and with their true sizes on the page."""

import json
import re
import struct

import pytest
from picture_the_report import FOLDER, ROOT, digest

PAGE = (ROOT / "book" / "teach" / "class-report.md").read_text(encoding="utf-8")
RECORD = json.loads((FOLDER / "class-report.json").read_text(encoding="utf-8"))


def test_they_show_the_present_style():
    assert RECORD["made_from"] == digest(), (
        "autograder demo --keep-closed && python tests/scenes/picture_the_report.py"
    )


@pytest.mark.parametrize("name", RECORD["sizes"])
def test_they_are_small_and_as_large_as_the_page_says(name):
    data = (FOLDER / name).read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    stated = RECORD["sizes"][name]
    assert len(data) <= 60_000
    assert stated == pytest.approx([width / 1.5, height / 1.5], abs=1)
    assert re.search(rf'pictures/{re.escape(name)}" width="{stated[0]}" height="{stated[1]}"', PAGE)


def test_they_load_late_and_say_what_they_show():
    images = re.findall(r"<img [^>]*>", PAGE)
    assert len(images) == len(RECORD["sizes"]) / 2
    assert all(
        'loading="lazy"' in image and len(re.search(r'alt="([^"]*)"', image)[1]) > 40
        for image in images
    )
