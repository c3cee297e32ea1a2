"""What a page says that a paper found was checked, and how is written down."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
ROWS = yaml.safe_load((BOOK / "back" / "citations.yml").read_text(encoding="utf-8"))
KEYS = set(
    re.findall(r"^@\w+\{([^,\s]+),", (BOOK / "references.bib").read_text(encoding="utf-8"), re.M)
)


def cited(text: str) -> set[str]:
    """The keys of every ``cite`` role in a page."""
    lists = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text)
    return {key.strip() for keys in lists for key in keys.split(",")}


PAGES = {
    page.relative_to(ROOT).with_suffix("").as_posix(): cited(page.read_text(encoding="utf-8"))
    for folder, kind in (("book", "*.md"), ("notebooks", "*.ipynb"))
    for page in sorted((ROOT / folder).rglob(kind))
}


def test_every_source_that_a_page_cites_was_checked():
    everywhere = set().union(*PAGES.values())
    assert everywhere <= KEYS, "cited, and not in references.bib"
    unchecked = everywhere - {row["key"] for row in ROWS}
    assert not unchecked, f"say in book/back/citations.yml how you checked {sorted(unchecked)}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['key']}-{row['how']}")
def test_a_row_names_what_exists(row):
    assert set(row) == {"key", "page", "says", "how", "where"}
    assert row["key"] in KEYS
    assert row["key"] in PAGES[row["page"]], f"{row['page']} does not cite {row['key']}"
    assert row["how"] in ("copy", "abstract", "memory")
    assert row["says"] and bool(row["where"]) == (row["how"] != "memory")
