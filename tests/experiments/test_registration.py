"""Registered before the runs: every result carries the digest of the rules that are here."""

import pytest

from experiments import claims, designs, registration, results
from experiments.jobs import JOBS
from experiments.registration import EARLIER, INSTRUMENT, RULES, bare, digest
from experiments.runner import plain

WHAT = "def f(x):\n    '''{doc}'''\n    {comment}\n    return x + {number}\n"


def test_prose_is_not_part_of_a_digest_and_numbers_are():
    same = [
        WHAT.format(doc=doc, comment=comment, number=1)
        for doc, comment in (("a", "# b"), ("c", ""))
    ]
    assert bare(same[0]) == bare(same[1]) != bare(WHAT.format(doc="a", comment="# b", number=2))


def test_a_function_with_nothing_but_a_docstring_stays_one():
    assert bare('class A:\n    """x"""\n') == "class A:\n    pass"


def test_a_changed_threshold_changes_the_digest(tmp_path):
    for name in RULES:
        (tmp_path / f"{name}.py").write_text((registration.HERE / f"{name}.py").read_text())
    assert digest(RULES, tmp_path) == digest(RULES)
    source = (tmp_path / "yardstick.py").read_text()
    (tmp_path / "yardstick.py").write_text(source.replace("SHARE = 0.02", "SHARE = 0.05"))
    assert digest(RULES, tmp_path) != digest(RULES)


@pytest.mark.parametrize("part", ["rules", "instrument"])
def test_no_rule_was_changed_after_the_runs_it_judges(part):
    # The digits after a silence are of the first trial; no rule judges them.
    made = {
        key: entry for key, entry in results.results().items() if not key.startswith("task=digits ")
    }
    known = {registration.current()[part], *EARLIER[part]}
    assert made and {entry.get(part) for entry in made.values()} == known


def registered(key: str) -> dict[str, str]:
    """The digests a run was made under: the present ones for the house, before them those of translation,
    of spoken digits by voice, of the other jobs of part V and of reviews taken apart, and of the trial."""
    told = dict(part.split("=", 1) for part in key.split())
    made_for = {s.base.task: name for name in LATER for s in designs.DESIGNS[name].settings}
    of_part_five = told["task"] in JOBS or {"readout", "without", "reading"} & set(told)
    number = LATER.get(made_for.get(told["task"], ""), 1 if of_part_five else 0)
    return {part: (*EARLIER[part], registration.current()[part])[number] for part in EARLIER}


# Which registration, from 0, a design belongs to that came after reviews and series.
LATER = {"voices": 2, "languages": 3, "houses": 4}


def test_runs_are_made_under_the_registration_of_their_design():
    for key, entry in results.results().items():
        if "rules" in entry:
            wanted = registered(key)
            assert {part: entry[part] for part in wanted} == wanted, key


def test_earlier_findings_come_out_again_under_the_present_rules():
    assert set(results.earlier()["findings"]) == set(claims.BY_ID)
    for name, was in results.earlier()["findings"].items():
        finding = results.finding(name)
        effects = {place: list(effect) for place, effect in finding.effects.items()}
        assert {
            "word": finding.word,
            "facts": plain(finding.facts),
            "effects": plain(effects),
        } == was


def test_earlier_runs_came_out_again_with_the_present_instrument():
    repeated = results.earlier()["repeated"]
    assert repeated["by"]["instrument"] == registration.current()["instrument"]
    assert all(run["same"] and run["was"] == run["is"] for run in repeated["runs"])
    pairs = {tuple(run["key"].split()[:2]) for run in repeated["runs"]}
    # Nine tasks of the trial, three jobs and four of another voice with three families each, two that
    # listen with two, and four jobs with a GRU alone.
    assert len(pairs) == len(repeated["runs"]) == 56
    made = results.results()
    assert all(made[run["key"]]["instrument"] in EARLIER["instrument"] for run in repeated["runs"])


def test_a_checkout_is_told_only_what_is_set():
    from experiments.__main__ import told
    from experiments.training import Run

    assert told(Run("vowels", "gru", 0.01, 0)) == {
        "task": "vowels",
        "family": "gru",
        "rate": 0.01,
        "seed": 0,
    }
    run = Run("era", "rnn", 0.03, 2, start="identity", net="attention")
    assert Run(**told(run)) == run and len(told(run)) == 6


def test_everything_that_decides_is_registered():
    assert set(RULES) | set(INSTRUMENT) == {
        "yardstick", "designs", "claims", "tasks", "sound", "speech", "translation", "translator", "aligned",
        "house", "house_baselines", "jobs", "training", "readings", "baselines",
    }  # fmt: skip


def test_every_run_that_is_wanted_has_its_result():
    assert designs.missing(results.results(), looks=1) == []


def test_no_best_rate_stands_at_the_edge_of_its_grid():
    """But for one that stands at the end of the ladder: the page says so."""
    trial = results.trial()
    edges = [(name, who) for name in trial.settings for who in trial.tuned(name).edges]
    assert edges == [("recall, delay 80", (designs.GRU, "default"))]
    assert trial.tuned(edges[0][0]).chosen[edges[0][1]][1] == designs.LADDER[-1]
