"""Tables of text, and cells that no spreadsheet computes."""

from __future__ import annotations

import csv
import io
import re
from html import escape

from autograder.checking.points import rounded
from autograder.material.config import CourseError

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
"""The delimiters that Moodle's import offers and that spreadsheets write."""

Table = list[list[str]]
"""Rows of cells, all of them text; the first row names the columns."""


_TRIGGERS = "=+\\-@＝＋－＠"
_COMPUTED = re.compile(rf'(\A|[,;])(?=[\s"]*[{_TRIGGERS}])')
_COMPUTED_LINE = re.compile(rf'(?:\A|[,;\t\n])[\s"{_TRIGGERS}]+')
_HARMLESS = re.compile(r"[+\-@][\w.@+-]*")


def plain(text: str) -> str:
    """A name or an identifier as a cell that no spreadsheet computes.

    Where text begins with ``=``, ``+``, ``-`` or ``@`` an apostrophe goes before it, as OWASP
    advises; also after a comma and a semicolon, because a spreadsheet that expects the other
    delimiter begins a new cell there. Identifiers such as ``-ada`` or ``@ada`` stay as they are:
    they can do nothing, and with an apostrophe they would name nobody.
    """
    text = re.sub(r"\s", " ", printable(text))
    return text if _HARMLESS.fullmatch(text) else _COMPUTED.sub(r"\1'", text)


def plain_html(text: str) -> str:
    """Any text as HTML for a cell that no spreadsheet computes; a browser shows it unchanged.

    What could begin a computed cell, at the start and after every delimiter and line break, is
    written as a character reference.
    """

    def refer(found: re.Match) -> str:
        return re.sub(f"[{_TRIGGERS}]", lambda sign: f"&#{ord(sign[0])};", found[0])

    return _COMPUTED_LINE.sub(refer, escape(printable(text), quote=False))


def printable(text: str) -> str:
    """The text without control characters and halves of surrogate pairs, which a diagnosis may quote."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", " ", text)


def number(points: float) -> str:
    """Points as text: at most two decimals, as many as Canvas keeps, and a decimal point."""
    return f"{rounded(points):.10g}"


def write_table(table: Table, delimiter: str = ",") -> str:
    """The table as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(table)
    return text.getvalue()


def read_table(text: str, delimiter: str = ",") -> Table:
    """The table that ``write_table`` wrote; raises CourseError for what is no CSV."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise CourseError(f"This is no CSV file: {error}.") from error
