"""Registered before the runs: every result carries the digest of the rules that are here."""

import pytest

from experiments import designs, registration, results
from experiments.registration import INSTRUMENT, RULES, bare, digest

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
    assert made and {entry.get(part) for entry in made.values()} == {registration.current()[part]}


def test_everything_that_decides_is_registered():
    assert set(RULES) | set(INSTRUMENT) == {
        "yardstick",
        "designs",
        "claims",
        "tasks",
        "training",
        "baselines",
    }


def test_every_run_that_is_wanted_has_its_result():
    assert designs.missing(results.results(), looks=1) == []


def test_no_best_rate_stands_at_the_edge_of_its_grid():
    """But for one that stands at the end of the ladder: the page says so."""
    trial = results.trial()
    edges = [(name, who) for name in trial.settings for who in trial.tuned(name).edges]
    assert edges == [("recall, delay 80", (designs.GRU, "default"))]
    assert trial.tuned(edges[0][0]).chosen[edges[0][1]][1] == designs.LADDER[-1]
