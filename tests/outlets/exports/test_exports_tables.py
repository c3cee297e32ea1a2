"""CSV that no spreadsheet computes and every browser shows unchanged."""

import html
import re
import unicodedata

import pytest
from exports_scene import cells_seen_by_a_spreadsheet, computed, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.material.config import CourseError
from autograder.outlets import exports
from autograder.outlets.exports import DELIMITERS


@given(st.lists(st.lists(texts, min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_tables_survive_csv(table):
    for delimiter in DELIMITERS.values():
        assert exports.read_table(exports.write_table(table, delimiter), delimiter) == table


@given(st.lists(texts, min_size=3, max_size=3), texts, st.sampled_from(list(DELIMITERS.values())))
@settings(max_examples=500, deadline=None)
def test_no_spreadsheet_computes_a_name_or_a_diagnosis(names, diagnosis, delimiter):
    row = [*map(exports.plain, names), "2.5", exports.plain_html(diagnosis)]
    text = exports.write_table([row, row], delimiter)
    assert [cell for cell in cells_seen_by_a_spreadsheet(text) if computed(cell)] == []


@given(texts)
@settings(max_examples=300, deadline=None)
def test_a_browser_shows_the_diagnosis_unchanged(text):
    shown = html.unescape(exports.plain_html(text))
    kept = [a == b or unicodedata.category(b) == "Cc" for a, b in zip(shown, text, strict=True)]
    assert all(kept)


@pytest.mark.parametrize(
    "name", ["Ada", "O'Neil-Ødegård", "張偉", "Larsson, Ada", "-ada", "@b", ""]
)
def test_honest_names_stay_as_they_are(name):
    assert exports.plain(name) == name


@given(st.floats(0, 1e6, allow_nan=False))
def test_points_are_written_as_every_platform_reads_them(points):
    text = exports.number(points)
    assert re.fullmatch(r"\d+(\.\d{1,2})?", text)
    assert float(text) == pytest.approx(points, abs=0.005001)


def test_what_is_no_csv_is_explained():
    with pytest.raises(CourseError, match="no CSV file"):
        exports.read_table('"a"b,c\n')
