"""The class report in a browser: alone, in light and dark, on a phone, and on paper."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from report_scene import WHEN, sample_class, sample_names
from site_pages import PHONE

from autograder.outlets.report import class_report

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = ("named", "hidden", "folded", "one", "empty")


@pytest.fixture(scope="module")
def reports(tmp_path_factory, serve) -> str:
    """The address of a folder with reports on a sample class."""
    records = sample_class()
    names = sample_names(records)
    folder = tmp_path_factory.mktemp("reports")
    for page, text in {
        "named": class_report("lstm", records, names=names, when=WHEN),
        "hidden": class_report("lstm", records, names=names, hide_names=True),
        "folded": class_report("lstm", sample_class(size=300)),
        "one": class_report("lstm", records[:1]),
        "empty": class_report("lstm", []),
    }.items():
        (folder / f"{page}.html").write_text(text, encoding="utf-8")
    return serve(folder)


@pytest.mark.parametrize("page", PAGES)
def test_loads_quietly_and_alone(visit, reports, page):
    seen = visit(f"{reports}{page}.html")
    assert seen.errors == []
    assert seen.hosts <= {urlsplit(reports).netloc, ""}
    loaded = seen.page.evaluate("performance.getEntriesByType('resource').map(r => r.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
    assert seen.page.evaluate("document.fonts.check('16px \"Instrument Sans\"')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_accessible(visit, reports, page, scheme):
    """axe finds nothing, with everything unfolded; and the two modes differ."""
    page = visit(f"{reports}{page}.html", scheme).page
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 27)"}[scheme]
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate(AXE)
    found = page.evaluate(
        "tags => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", RULES
    )["violations"]
    assert [
        f"{problem['id']}: {node['html'][:160]} — {node['failureSummary'][:300]}"
        for problem in found
        for node in problem["nodes"]
    ] == []


@pytest.mark.parametrize("page", PAGES)
def test_fits_a_phone(visit, reports, page):
    """Only tables of many columns are wider than the screen, and scroll in their boxes."""
    page = visit(f"{reports}{page}.html", size=PHONE).page
    found = page.evaluate("""() => ({
      page: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      wide: [...document.querySelectorAll(".box")].filter(b => b.scrollWidth > b.clientWidth + 1)
        .map(b => b.getAttribute("aria-label")).filter(name => name !== "Students"),
      small: [...document.querySelectorAll("main *, header *")].filter(e =>
        e.checkVisibility() && e.textContent.trim() && parseFloat(getComputedStyle(e).fontSize) < 10)
        .map(e => e.outerHTML.slice(0, 100)),
    })""")
    assert found == {"page": 0, "wide": [], "small": []}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_prints_on_white_with_what_is_folded(visit, reports, scheme):
    page = visit(f"{reports}named.html", scheme, own=True).page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 35, 39)"
    shown = page.evaluate("""() => {
      const details = document.querySelector("details.who");
      return [details.open, details.querySelector("p").getBoundingClientRect().height > 0];
    }""")
    assert shown == [False, True]
    assert not page.locator("nav").is_visible()


def test_the_table_of_a_large_class_unfolds(visit, reports):
    page = visit(f"{reports}folded.html", own=True).page
    row = page.locator("table.students tbody tr").first
    assert not row.is_visible()
    page.get_by_text("Show all 300 students").click()
    assert row.is_visible()
    assert page.locator("table.students tbody tr").count() == 300
