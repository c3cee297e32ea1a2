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
    """The digests a run was made under: the present ones for spoken digits by voice, those before them
    for the other jobs of part V and for reviews taken apart, and the first for the trial."""
    told = dict(part.split("=", 1) for part in key.split())
    if told["task"] in {setting.base.task for setting in designs.DESIGNS["voices"].settings}:
        return registration.current()
    of_part_five = told["task"] in JOBS or {"readout", "without", "reading"} & set(told)
    return {part: EARLIER[part][1 if of_part_five else 0] for part in EARLIER}


def test_runs_are_made_under_the_registration_of_their_design():
    for key, entry in results.results().items():
        if "rules" in entry:
            wanted = registered(key)
            assert {part: entry[part] for part in wanted} == wanted, key


# Claims whose rule asks for more than before; what it led to then stays on record.
JUDGED_ANEW = {"C17"}


def test_earlier_findings_come_out_again_under_the_present_rules():
    assert set(results.earlier()["findings"]) == set(claims.BY_ID)
    for name, was in results.earlier()["findings"].items():
        if name in JUDGED_ANEW:
            continue
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
    # Nine tasks of the trial and three jobs with three families each, four jobs with a GRU alone.
    assert len(pairs) == len(repeated["runs"]) == 40
    made = results.results()
    assert all(made[run["key"]]["instrument"] in EARLIER["instrument"] for run in repeated["runs"])


def test_everything_that_decides_is_registered():
    assert set(RULES) | set(INSTRUMENT) == {
        "yardstick",
        "designs",
        "claims",
        "tasks",
        "sound",
        "speech",
        "jobs",
        "training",
        "readings",
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
