"""What stands in the repository, and what the pages quote of it; the whole path on a small scale."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiments import claims, costs, designs, results, show, validation
from experiments.baselines import WITHOUT
from experiments.claims import Finding
from experiments.runner import RESULTS, read_lines, run_missing
from experiments.tasks import TASKS
from experiments.yardstick import BETTER, EQUIVALENT, UNDECIDED, WORSE

ROOT = Path(__file__).parents[2]


def test_missing_results_are_named(tmp_path):
    with pytest.raises(claims.Missing, match="make experiments"):
        results.finding("C5", tmp_path)
    assert len(designs.missing({})) > 500


def test_a_setting_from_its_first_run_to_its_name(tmp_path):
    """The runner, the designs and the yardstick together, with nets of four units."""
    whole = designs.DESIGNS["depth"].settings[0]
    setting = replace(whole, base=designs.tiny(whole.base))
    while wanted := designs.missing_in(setting, read_lines(tmp_path / "runs.jsonl"), looks=1):
        run_missing(wanted, tmp_path, jobs=2)
    trial = claims.Trial(read_lines(tmp_path / "runs.jsonl"), {setting.name: setting})
    found = trial.compared(setting.name, claims.BEST)
    assert len(found.each) == 12 and np.isfinite(found.each).all()
    assert found.outcome in (EQUIVALENT, BETTER, WORSE, UNDECIDED)


def test_every_layer_is_timed_and_counted():
    found = costs.measure(sizes=(8, 16), repeats=2)
    ways, families, threads, sizes = 3, 3, 2, 2
    assert len(found["steps"]) == len(costs.ROUNDS) * ways * families * threads * sizes
    assert all(row["training_ms"] > 0 and row["reading_ms"] > 0 for row in found["steps"])
    weights = {r["family"]: r["numbers"] for r in found["memory"] if r["what"] == "weights"}
    assert weights["gru"] * 4 == weights["lstm"] * 3 == weights["rnn"] * 12


# The yardstick on the results in the repository.


KNOWN = validation.KNOWN | validation.KNOWN_LATER


@pytest.mark.parametrize("name", KNOWN)
def test_a_vanilla_net_is_worse_where_it_is_known_to_be(name):
    assert results.trial().compared(name, KNOWN[name]).outcome == WORSE


LATER = [s.name for name in ("languages", "houses") for s in designs.DESIGNS[name].settings if len(s.contestants) == 3]  # fmt: skip


@pytest.mark.parametrize("task", [*designs.REAL, *LATER])
def test_an_lstm_is_not_called_different_from_itself(task):
    held = validation.held(results.trial(), task)
    # Five percent, the scatter of two thousand simulations, and that values are drawn from a few dozen.
    assert held.wrong < 0.08 and held.missed < 0.08


# What the pages quote.


def test_every_claim_has_a_derivation_or_a_record():
    listed = yaml.safe_load((ROOT / "book/back/claims.yml").read_text())
    assert [claim["id"] for claim in listed] == [f"C{n}" for n in range(1, 23)]
    derived = {claim["id"] for claim in listed if "sketch" in claim}
    assert derived | set(claims.BY_ID) == {claim["id"] for claim in listed}
    assert not derived & set(claims.BY_ID)


def test_the_first_trial_s_verdicts_stay_visible():
    first = results.first()["verdicts"]
    assert set(first) == set(claims.BY_ID) - {"C21", "C22"}
    words = {claims.HOLDS, claims.WHEN, claims.FAILS, claims.UNSETTLED}
    assert {entry["word"] for entry in first.values()} <= words
    page = show.before_and_after()
    for claim in claims.CLAIMS:
        assert (f">{claim.id}<" in page) == (claim.id in first)
        # A rule that is the same asks for nothing; a rule that was changed says what was wrong.
        assert bool(claim.before) == bool(claim.designs)


MEASURED = r"\b\d+\.\d+\b|\b\d+\s?%|\b\d+ percent"
TRIAL_PAGES = sorted(
    page for part in ("trial", "work") for page in (ROOT / "book" / part).glob("*.md")
)


def prose(page: Path) -> str:
    """A page without code cells, equations, citations, links and its header.

    An item that begins with the paper it cites says what that paper printed, and a question of
    "Check yourself" may make up its numbers.
    """
    text = page.read_text(encoding="utf-8").split("\n---\n", 1)[1]
    text = re.sub(r"^- \{cite:t\}`.*$", " ", text, flags=re.M)
    text = re.sub(r"^(:{3,}|`{3,})\{dropdown\}.*?^\1$", " ", text, flags=re.S | re.M)
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


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.id)
def test_the_numbers_a_page_may_quote_are_those_of_the_findings(claim):
    name = claim.id.lower()
    fresh = claims.judge(claim, results.trial(), results.costs())
    quoted = show.quotable(claim.id)
    assert quoted[f"{name}_word"] == fresh.word
    for fact, value in fresh.facts.items():
        assert quoted[f"{name}_{fact}"] == value
    counts = [quoted[f"{name}_{outcome}"] for outcome in (BETTER, EQUIVALENT, WORSE, UNDECIDED)]
    assert sum(counts) == len(fresh.effects) == quoted[f"{name}_settings"]
    shown = list(map(int, re.findall(r"\d+", show.tally(claim.id))))
    assert sorted(filter(None, shown)) == sorted(filter(None, counts))
    assert claim.question in show.record(claim.id).replace("&#x27;", "'")


def made_up(effects: dict[str, float]) -> Finding:
    """A finding of costs, whose two rounds agree."""
    return Finding(
        claims.HOLDS, {}, {name: (effect, effect, effect) for name, effect in effects.items()}
    )


@given(st.dictionaries(st.sampled_from(list(show.WHAT)), st.floats(-80, 80), min_size=1))
def test_a_strip_has_a_mark_for_every_effect_within_its_frame(effects):
    svg = show.strip(made_up(effects))
    assert svg.count("<title>") == len(effects)
    assert svg.count("<circle") == sum(abs(e) <= show.CLIP for e in effects.values())
    positions = [float(x) for x in re.findall(r'cx="([-\d.]+)"', svg)]
    assert all(0 < x < 220 for x in positions)


def test_a_strip_says_in_words_who_is_ahead():
    assert show.summary(made_up({"a": -3, "b": 0.5, "c": 2, "d": 9})) == (
        "GRU ahead in 1 of 4 settings, LSTM ahead in 2, equivalent in 1, undecided in 0"
    )


def test_two_rounds_that_disagree_are_undecided():
    finding = Finding(
        claims.WHEN,
        {},
        {"a": (1.2, 0.5, 1.9), "b": (2.0, 1.5, 2.5), "c": (-2, -3, -1.1), "d": (0, -1, 1)},
    )
    assert show.outcomes(finding) == {"a": UNDECIDED, "b": WORSE, "c": BETTER, "d": EQUIVALENT}
    assert "fill:none" in show.strip(finding)


@pytest.mark.parametrize(
    ("tasks", "words"),
    [((), "none"), (("vowels",), "vowels"), (("vowels", "moby_dick"), "vowels and Moby Dick"),
     (("vowels", "spoken", "snippets"), "vowels, spoken digits and reviews")],
)  # fmt: skip
def test_tasks_as_a_sentence_lists_them(tasks, words):
    assert show.listed(tasks) == words


@pytest.mark.parametrize("task", designs.REAL)
def test_a_baseline_has_the_seeds_of_the_first_look_and_is_compared_seed_by_seed(task):
    found = results.against_baseline(task, (designs.GRU, "best"))
    assert found.second == tuple(results.baselines()[task]) and len(found.each) == 12
    assert found.second[0] == pytest.approx(
        WITHOUT[task][1](TASKS[task].load(0, TASKS[task].count)), rel=0.02
    )


def test_results_stand_where_the_pages_look_for_them():
    assert (RESULTS / "first.json").exists() and (RESULTS / "costs.json").exists()
