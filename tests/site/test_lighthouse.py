"""What the benchmark makes of Lighthouse's reports: it goes on where it was, and says what misses a goal."""

import importlib.util
import json
import sys

import pytest
from site_pages import NAMES, ROOT

REPORT = {
    "categories": {
        "seo": {"score": 0.9, "auditRefs": [{"id": "link-text", "weight": 1}]},
        "performance": {
            "score": 0.96,
            "auditRefs": [
                {"id": "dom-size", "weight": 0},
                {"id": "speed-index", "weight": 10},
                {"id": "old", "weight": 0, "group": "hidden"},
                {"id": "not-here", "weight": 0},
            ],
        },
    },
    "audits": {
        "link-text": {"score": 0, "displayValue": "1 link found"},
        "dom-size": {"score": 0.5, "displayValue": "2,168 elements"},
        "speed-index": {"score": 0.95},
        "old": {"score": 0},
        "not-here": {"score": None},
    },
}


@pytest.fixture
def page_load(tmp_path, monkeypatch):
    """The benchmark, which keeps what it is told in a folder of its own."""
    place = ROOT / "benchmarks" / "page_load.py"
    spec = importlib.util.spec_from_file_location("page_load_benchmark", place)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TOLD", tmp_path / "lighthouse.json")
    monkeypatch.setattr(module, "HTML", tmp_path)
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "site.css").write_text("a {}", encoding="utf-8")
    for page in ("one", "two"):
        (tmp_path / f"{page}.html").write_text(page, encoding="utf-8")
    return module


def test_what_costs_a_mark_is_named_and_what_performance_could_save(page_load):
    assert page_load.lost(REPORT) == [
        "seo: link-text 1 link found",
        "performance: dom-size 2,168 elements",
    ]


def test_a_page_is_judged_once_until_it_changes(page_load, monkeypatch, capsys):
    asked = []

    def judged(address, page, profile, kinds, chromium):
        if page == "two" and "two" not in asked:
            asked.append(page)
            raise RuntimeError("the browser went away")
        asked.append(page)
        marks = dict.fromkeys(kinds, 100) | ({"performance": 94} if page == "one" else {})
        metrics = {"cumulative-layout-shift": 0.06}
        return {"digest": page_load.digest(page), "marks": marks, "metrics": metrics, "lost": ["x"]}

    monkeypatch.setattr(page_load, "judged", judged)
    wanted = [("one", "mobile", ["seo", "performance"]), ("two", "mobile", ["seo"])]
    page_load.lighthouse("", wanted, "", again=False)
    said = capsys.readouterr().out
    assert "one mobile performance: performance, layout shift" in said
    assert "could not judge two" in said and "two mobile marks: not judged" in said
    assert list(json.loads(page_load.TOLD.read_text())) == ["one mobile performance"]
    page_load.lighthouse("", wanted, "", again=False)
    assert asked == ["one", "two", "two"]
    page_load.lighthouse("", wanted, "", again=False)
    assert asked == ["one", "two", "two"]
    (page_load.HTML / "one.html").write_text("changed", encoding="utf-8")
    page_load.lighthouse("", wanted, "", again=False)
    page_load.lighthouse("", wanted, "", again=True)
    assert asked == ["one", "two", "two", "one", "one", "two"]


def test_every_page_is_looked_at_once_and_each_kind_in_both_profiles(page_load):
    wanted = page_load.to_judge(NAMES, "all", [])
    assert {page for page, _, _ in wanted} == {*NAMES, "search", "404"}
    assert len(wanted) == len(set((page, profile) for page, profile, _ in wanted))
    with_performance = [page for page, profile, kinds in wanted if "performance" in kinds]
    assert sorted(set(with_performance)) == sorted(page_load.OF_EACH_KIND)
    assert len(with_performance) == 2 * len(page_load.OF_EACH_KIND)
    assert page_load.to_judge(NAMES, "some", ["a"]) == [
        ("a", profile, [*page_load.GOALS, "performance"]) for profile in ("mobile", "desktop")
    ]
