"""From results to verdicts: the statistics by hand, every rule from end to end, every quote.

What each rule makes of which results is tried in ``test_rules``.
"""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import claims, costs, designs, results, show
from experiments.results import Difference, Missing, difference, epochs_to, tuned

ROOT = Path(__file__).parents[2]
NUMBERS = st.floats(0.1, 100, allow_nan=False)


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ((10, 11, 12, 13), (11, 12, 13, 14), "alike"),  # one point, margin two
        ((10, 11, 12, 13), (15, 16, 17, 18), "better"),
        ((15, 16, 17, 18), (10, 11, 12, 13), "worse"),
        ((10, 10, 30, 10), (14, 14, 14, 14), "better"),  # three of four agree
        ((10, 10, 30, 30, 8), (14, 14, 14, 14, 14), "unclear"),  # three of five do not
    ],
)
def test_words_of_a_difference(first, second, word):
    assert Difference("vowels", first, second, 2.0).word == word


@settings(deadline=None)  # the first call imports SciPy
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=9), st.floats(0.1, 5))
def test_turning_a_comparison_around_turns_its_words_around(pairs, margin):
    one, other = zip(*pairs, strict=True)
    there, back = Difference("vowels", one, other, margin), Difference("vowels", other, one, margin)
    turned = {"better": "worse", "worse": "better"}
    assert back.word == turned.get(there.word, there.word)
    assert back.median == -there.median
    low, high = there.interval
    assert low <= np.mean(there.each) + 1e-9 and np.mean(there.each) <= high + 1e-9


def test_the_interval_is_that_of_student():
    """Differences -1, 0, 1, 2: mean 0.5, standard error 0.6455, t(3) = 3.1824."""
    low, high = Difference("vowels", (0, 1, 2, 3), (1, 1, 1, 1), 2.0).interval
    assert (low, high) == pytest.approx((0.5 - 2.0543, 0.5 + 2.0543), abs=1e-3)


def frame(rows):
    base = {
        "task": "vowels",
        "count": 216,
        "delay": 0,
        "flipped": 0.0,
        "layers": 1,
        "size": "hidden",
    }
    return pd.DataFrame([base | row for row in rows])


def test_the_rate_is_chosen_by_validation_alone():
    rows = [
        {"family": family, "rate": rate, "seed": seed, "best": best, "test": test}
        for family, rate, best, test in (
            ("gru", 0.1, 1.0, 9.0), ("gru", 0.2, 2.0, 1.0), ("lstm", 0.1, 4.0, 5.0), ("lstm", 0.2, 3.0, 6.0),
        )
        for seed in (0, 1)
    ]  # fmt: skip
    best = tuned(frame(rows))
    assert set(zip(best["family"], best["rate"], strict=True)) == {("gru", 0.1), ("lstm", 0.2)}
    found = difference(best, results.GRU, results.LSTM)
    assert found.first == (9.0, 9.0) and found.second == (6.0, 6.0)


def test_a_comparison_on_unequal_terms_is_refused():
    rows = [{"family": "gru", "seed": 0, "test": 1.0}, {"family": "lstm", "seed": 1, "test": 1.0}]
    with pytest.raises(ValueError, match="different seeds"):
        difference(frame(rows), results.GRU, results.LSTM)
    with pytest.raises(ValueError, match="several runs for a seed"):
        difference(frame([rows[0], rows[0], rows[1]]), results.GRU, results.LSTM)
    with pytest.raises(Missing, match="no run with"):
        difference(frame(rows[:1]), results.GRU, results.LSTM)


@pytest.mark.parametrize(
    ("validation", "target", "looks", "epochs"),
    [([3, 2, 1], 2, 1, 2), ([3, 2, 1], 2, 4, 0.5), ([3, 3], 2, 1, 2), ([1], 2, 1, 1)],
)
def test_epochs_until_a_loss(validation, target, looks, epochs):
    assert epochs_to(validation, target, looks) == epochs


def test_missing_results_are_named(tmp_path):
    with pytest.raises(Missing, match="144 runs have no result.*make experiments"):
        results.table("rates", folder=tmp_path)
    with pytest.raises(Missing, match="make experiments"):
        results.costs(tmp_path)


# Every rule, end to end.


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with a tiny version of every experiment, made by the program itself."""
    folder = tmp_path_factory.mktemp("trial")
    done = subprocess.run(
        [sys.executable, "-m", "experiments", "--tiny", "--out", folder],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_a_tiny_version_of_every_experiment_gives_every_verdict(tiny):
    for claim in claims.CLAIMS:
        verdict = claims.judge(claim, tiny, tiny=True)
        assert verdict.word in (claims.HOLDS, claims.WHEN, claims.FAILS, claims.UNSETTLED)
        assert set(verdict.by_set) == {"A", "B"}
        assert verdict.finding.effects and all(map(np.isfinite, verdict.finding.effects.values()))
        assert len(verdict.finding.differences) in (0, 1, len(verdict.finding.effects))


def test_every_layer_is_timed_and_counted(tiny):
    found = results.costs(tiny)
    ways, families, threads, sizes = 3, 3, 2, 2
    assert len(found["steps"]) == len(costs.ROUNDS) * ways * families * threads * sizes
    assert all(row["training_ms"] > 0 and row["reading_ms"] > 0 for row in found["steps"])
    weights = {r["family"]: r["numbers"] for r in found["memory"] if r["what"] == "weights"}
    assert weights["gru"] * 4 == weights["lstm"] * 3 == weights["rnn"] * 12


@given(st.lists(st.floats(0.2, 5), min_size=1, max_size=8))
def test_ratios_hold_only_where_all_are_smaller(ratios):
    word = claims.by_ratio(ratios)
    less = [ratio < 0.95 for ratio in ratios]
    assert (word == claims.HOLDS) == all(less) and (word == claims.FAILS) == (not any(less))


# What stands in the repository, and what the pages quote of it.


def test_every_run_that_a_claim_needs_has_its_result():
    for claim in claims.CLAIMS:
        assert (
            len(results.table(*claim.designs)) == len(designs.runs_of(*claim.designs))
            or not claim.designs
        )


def test_the_rules_were_committed_before_the_runs():
    import json

    entries = json.loads((results.RESULTS / "provenance.json").read_text())
    used = {entry["by"] for entry in results.results().values()} | {results.costs()["by"]}
    for number in used:
        assert entries[number]["commit"] and not entries[number]["changed_since"]


def test_twenty_claims_each_with_a_box_or_a_record():
    listed = yaml.safe_load((ROOT / "book/back/claims.yml").read_text())
    assert [claim["id"] for claim in listed] == [f"C{n}" for n in range(1, 21)]
    derived = {claim["id"] for claim in listed if "sketch" in claim}
    assert derived | set(claims.BY_ID) == {claim["id"] for claim in listed}
    assert not derived & set(claims.BY_ID)


MEASURED = r"\b\d+\.\d+\b|\b\d+\s?%|\b\d+ percent"
TRIAL_PAGES = sorted((ROOT / "book/trial").glob("*.md"))


def prose(page: Path) -> str:
    """A page without code cells, equations, citations, links and its header.

    An item that begins with the paper it cites says what that paper printed.
    """
    text = page.read_text(encoding="utf-8").split("\n---\n", 1)[1]
    text = re.sub(r"^- \{cite:t\}`.*$", " ", text, flags=re.M)
    for noise in (r"```\{code-cell\}.*?```", r"\$\$.*?\$\$", r"\$[^$]*\$", r"\{cite:?\w*\}`[^`]*`",
                  r"\]\([^)]*\)", r"`[^`\n]*`"):  # fmt: skip
        text = re.sub(noise, " ", text, flags=re.S)
    return text


@pytest.mark.parametrize("page", TRIAL_PAGES, ids=lambda page: page.name)
def test_no_measured_number_is_typed_by_hand(page):
    """A decimal fraction or a percentage in prose has to come out of the results."""
    assert re.findall(MEASURED, prose(page)) == []


@pytest.mark.parametrize(
    "typed", ["by 0.43 points", "in 12 % of cases", "in 12% of cases", "12 percent"]
)
def test_a_number_typed_by_hand_would_be_seen(tmp_path, typed):
    page = tmp_path / "page.md"
    page.write_text(
        f"---\ntitle: x\n---\n\nThe GRU is ahead {typed}, {{glue:text}}`c9_alike:.2f`.\n"
    )
    assert len(re.findall(MEASURED, prose(page))) == 1


def test_the_numbers_a_page_may_quote_are_those_of_the_findings():
    for claim in claims.CLAIMS:
        name = claim.id.lower()
        fresh = claims.judge(claim)
        quoted = show.quotable(claim.id)
        assert quoted[f"{name}_word"] == fresh.word
        for fact, value in fresh.finding.facts.items():
            assert quoted[f"{name}_{fact}"] == value


@given(st.dictionaries(st.sampled_from(list(show.WHAT)), st.floats(-80, 80), min_size=1))
def test_a_strip_has_a_mark_for_every_effect_within_its_frame(effects):
    svg = show.strip(effects)
    assert svg.count("<title>") == len(effects)
    assert svg.count("<circle") == sum(abs(e) <= show.CLIP for e in effects.values())
    positions = [float(x) for x in re.findall(r'cx="([-\d.]+)"', svg)]
    assert all(0 < x < 220 for x in positions)


def test_a_strip_says_in_words_who_is_ahead():
    assert show.summary({"a": -3, "b": 0.5, "c": 2, "d": 9}) == (
        "GRU ahead in 1 of 4 settings, LSTM ahead in 2, alike in 1"
    )


def test_the_counts_of_a_claim_are_those_of_its_effects():
    for claim_id, verdict in claims.verdicts().items():
        counts = list(map(int, re.findall(r"\d+", show.tally(claim_id))))
        assert counts == list(show.counted(verdict.finding.effects))
        assert sum(counts) == len(verdict.finding.effects)
