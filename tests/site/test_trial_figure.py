"""The table of claims that can be asked, and the table of mistakes that can be searched."""

import json
import re
from pathlib import Path

import pytest
from site_pages import PHONE, least_letter

from experiments import board, results, show

BOOK = Path(__file__).parents[2] / "book"
INDEX, CLAIMS, MISTAKES = "book/index.html", "book/back/claims.html", "book/back/mistakes.html"


def test_a_row_has_the_claim_in_words_its_dots_and_its_verdict():
    html, said = board.board(), board.sentences()
    rows = re.findall(r"<li data-verdict=.*?</li>", html, re.S)
    assert len(rows) == len(results.findings())
    for row, (claim, finding) in zip(rows, results.findings().items(), strict=True):
        plain = re.sub(r"<title>.*?</title>|<[^>]*>", "", row, flags=re.S)
        assert said[claim] in plain.replace("&#x27;", "'")
        assert plain.endswith(show.word(finding))
        assert row.count("<title>") == row.count("data-task=") == len(finding.effects)
    for words in ("GRU ahead", "LSTM ahead", "equivalent", "undecided", *board.MEANINGS.values()):
        assert words in html


def test_a_dot_says_the_recorded_difference_its_seeds_start_and_budget():
    comparison = results.finding("C9").comparisons["vowels"]
    middle, low, high = comparison.in_margins
    said = board.said_of("C9", "vowels").replace("−", "-")
    assert re.findall(r"[-+]\d+\.?\d*", said)[:3] == [f"{v:+.2g}" for v in (middle, low, high)]
    assert f"from {len(comparison.first)} paired seeds" in said
    assert "GRU: start “" in said and "tuning runs" in said
    assert "rounds of measurement" in board.said_of("C7", "weights")
    assert "6 voices" in board.said_of("C17", "streams")
    assert "rounds" not in board.said_of("C19", "spoken, 100, dropout, GRU")


def test_every_dot_of_trained_nets_says_how_they_start_and_were_tuned():
    """Costs alone are of nets that were never tuned."""
    for claim, finding in results.findings().items():
        for name, comparison in finding.comparisons.items():
            told = board.conditions(claim, name)
            assert len(re.findall(r"start “[a-z 0-9,]+”, rate [\d.]+", told)) in (1, 2), (
                claim,
                name,
            )
            assert told.count("tuning runs") == told.count("start"), told
            assert comparison.first
    both = board.conditions("C19", "spoken, 100, dropout, GRU")
    assert re.fullmatch(
        r"With dropout: start .*, dropout 0\.\d+, the best of \d+ tuning runs; without: start .* runs",
        both,
    )
    assert board.conditions("C21", "reset left out").startswith("GRU: start")
    assert "; without the reset gate: start" in board.conditions("C21", "reset left out")


def test_claims_are_chosen_by_setting_and_verdict_and_dots_asked_by_keyboard(visit, address):
    seen = visit(address + INDEX, own=True)
    page = seen.page
    rows, says = page.locator("gm-trial li:visible"), page.locator(".gm-board-says")
    assert rows.count() == len(results.findings())
    page.locator("gm-trial select").nth(0).select_option("sunspots")
    claims = [
        claim for claim, finding in results.findings().items()
        if any(show.task_of(name) == "sunspots" for name in finding.effects)
    ]  # fmt: skip
    assert [text.split()[0] for text in rows.all_inner_texts()] == claims
    page.locator("gm-trial select").nth(1).select_option("fails")
    assert [text.split()[0] for text in rows.all_inner_texts()] == ["C9"]
    assert page.locator("gm-trial [role=status]").inner_text() == "1 of 14 claims, 1 dot"
    page.locator("gm-trial select").nth(0).select_option("")
    page.locator("gm-trial a:visible").first.focus()
    page.keyboard.press("Tab")
    told = [says.inner_text()]
    for _ in range(6):
        page.keyboard.press("ArrowRight")
        told.append(says.inner_text())
    assert set(told) == {board.said_of("C9", name) for name in results.finding("C9").effects}
    assert seen.errors == []


@pytest.mark.parametrize("path", [INDEX, CLAIMS])
def test_the_table_fits_a_phone_and_a_finger_finds_the_nearest_dot(visit, address, path):
    page = visit(address + path, "light", PHONE).page
    assert least_letter(page, "gm-trial") >= 10
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    strip = page.locator("gm-trial .gm-strip").nth(1)
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    strip.click(position={"x": 2, "y": box["height"] / 2})
    effects = results.finding("C6").effects
    least = min(effects, key=lambda name: effects[name][0])
    assert page.locator(".gm-board-says").inner_text() == board.said_of("C6", least)


def test_mistakes_are_found_by_word_and_by_exercise(visit, address):
    seen = visit(address + MISTAKES, own=True)
    page, told = seen.page, seen.page.locator("gm-table > [role=status]")
    rows = json.loads((BOOK / "back" / "mistakes.json").read_text(encoding="utf-8"))
    assert told.inner_text().startswith(f"{len(rows):,} mistakes in ")
    page.locator("gm-table input").fill("softmax sigmoid")

    def text(row):
        points = f"{row['points']:g} of {row['max_points']:g}"
        return " ".join([row["mistake"], row["says"], points, row["section"]]).lower()

    found = [row for row in rows if "softmax" in text(row) and "sigmoid" in text(row)]
    exercises = {row["exercise"] for row in found}
    assert told.inner_text() == f"{len(found)} mistakes in {len(exercises)} exercises"
    assert page.locator("gm-table tbody tr:visible").count() == len(found)
    page.locator("gm-table select").select_option("update_gate")
    mine = sum(row["exercise"] == "update_gate" for row in found)
    assert page.locator("gm-table tbody tr:visible").count() == mine > 0
    page.locator("gm-table input").fill("no such words")
    assert told.inner_text() == "No mistake has these words."
    widths = page.evaluate("[...document.querySelectorAll('gm-table thead tr')].at(0).cells.length")
    assert widths == 4 and seen.errors == []


def test_without_a_script_both_tables_are_whole(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + INDEX)
    assert page.locator("gm-trial li:visible").count() == len(results.findings())
    assert page.locator("gm-trial title").count() > 90 and not page.locator("select").count()
    page.goto(address + MISTAKES)
    page.locator("gm-table summary").first.click()
    assert page.locator("gm-table tbody tr").first.is_visible()
    context.close()
