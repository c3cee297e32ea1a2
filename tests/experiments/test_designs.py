"""What comes next: grids that grow until the best is inside, equal budgets, seeds until a name is found."""

from dataclasses import replace

import numpy as np
import pytest
from worlds import SETTINGS, result, told

from experiments import designs, results
from experiments.designs import GRU, LADDER, LSTM, RATES, RNN, Tuned
from experiments.training import STARTS, Run
from experiments.yardstick import EQUIVALENT, LOOKS, UNDECIDED

VOWELS = {"vowels": SETTINGS["vowels"]}


@pytest.mark.parametrize("best", [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3])
def test_the_grid_grows_until_the_best_rate_is_inside(best):
    tuned = told(lambda run: result(run, best_rate=best), VOWELS).tuned("vowels")
    assert not tuned.edges and tuned.rates[0] < best < tuned.rates[-1]
    assert all(rate == best for _, rate in tuned.chosen.values())
    assert set(RATES) <= set(tuned.rates)


def test_one_model_at_the_edge_extends_the_grid_of_all():
    trial = told(lambda run: result(run, best_rate=0.001 if run.family == "rnn" else 0.01), VOWELS)
    tuned = trial.tuned("vowels")
    assert tuned.rates == (0.0003, 0.001, 0.003, 0.01, 0.03)
    assert set(designs.tuning_budget(VOWELS["vowels"], tuned).values()) == {2 * 5, 2 * 5 * 3}


def test_an_edge_that_cannot_be_left_is_told():
    tuned = told(lambda run: result(run, best_rate=5.0), VOWELS).tuned("vowels")
    assert tuned.rates[-1] == LADDER[-1] and set(tuned.edges) == set(tuned.chosen)


def test_equal_budgets_for_every_family():
    assert {len(starts) for starts in STARTS.values()} == {3}
    for name, setting in SETTINGS.items():
        tuned = Tuned(RATES, {}, ())
        by_condition: dict[str, set[int]] = {}
        for (_, condition), count in designs.tuning_budget(setting, tuned).items():
            by_condition.setdefault(condition, set()).add(count)
        assert all(len(counts) == 1 for counts in by_condition.values()), name


def test_what_tuning_saw_is_not_what_is_compared():
    trial = told(lambda run: result(run), VOWELS)
    seeds = {run_seed(key) for key in trial.results}
    assert seeds == {*designs.TUNING_SEEDS, *range(LOOKS[0])}
    for who in VOWELS["vowels"].contestants:
        assert len(trial.values("vowels", who, designs.measured)) == LOOKS[0]


def run_seed(key: str) -> int:
    return int(dict(part.split("=") for part in key.split()).get("seed", 0))


@pytest.mark.parametrize(("spread", "seeds"), [(0.2, 12), (30.0, 36)])
def test_more_seeds_only_where_undecided(spread, seeds):
    trial = told(lambda run: result(run, spread=spread), VOWELS)
    assert len(trial.values("vowels", (GRU, "best"), designs.measured)) == seeds
    assert len(trial.values("vowels", (RNN, "best"), designs.measured)) == LOOKS[0]
    found = trial.compared("vowels", designs.both("best"))
    assert (found.outcome == EQUIVALENT) == (seeds == 12)


def test_the_looks_can_be_limited():
    trial = told(lambda run: result(run, spread=30.0), VOWELS, looks=2)
    assert len(trial.values("vowels", (LSTM, "best"), designs.measured)) == LOOKS[1]
    assert trial.compared("vowels", designs.both("best")).outcome == UNDECIDED


def test_the_start_is_chosen_by_validation():
    def world(run):
        found = result(run)
        shift = {"chrono": -0.5, "keep": 0.5}.get(run.start, 0.0)
        return found | {"validation": [loss + shift for loss in found["validation"]]}

    chosen = told(world, VOWELS).tuned("vowels").chosen
    assert chosen[GRU, "best"][0].start == chosen[LSTM, "best"][0].start == "chrono"
    assert chosen[GRU, "default"][0].start == "default" == chosen[RNN, "best"][0].start


def test_a_net_that_diverges_is_worth_the_trivial_predictor():
    run = Run("vowels", "gru", 0.01, 0)
    assert designs.measured(run, {"validation": [np.nan]}) == designs.SCALE["vowels"][0]
    assert designs.loss({"validation": [np.nan, np.inf]}) == np.inf


def test_of_two_rates_that_solve_a_task_the_faster_one_is_better():
    run = Run("recall", "gru", 0.01, 0, delay=40, target=0.1)
    quick, slow, never = (
        {"validation": v, "looks": 8} for v in ([2, 0.09], [2, 2, 0.05], [2] * 24)
    )
    assert designs.merit(run, quick) < designs.merit(run, slow) < 0 < designs.merit(run, never) == 2
    assert [designs.failed(run, r) for r in (quick, slow, never)] == [0, 0, 1]


def test_where_nothing_solves_the_task_there_is_no_rate_to_look_for():
    name = "recall, delay 80"
    trial = told(lambda run: result(run, solved=run.family != "rnn"), {name: SETTINGS[name]})
    assert trial.tuned(name).rates == RATES or set(RATES) < set(trial.tuned(name).rates)
    nobody = told(lambda run: result(run, solved=False), {name: SETTINGS[name]})
    assert nobody.tuned(name).rates == RATES and not nobody.tuned(name).edges


def test_margins_are_a_share_of_the_way_to_the_best_known():
    assert designs.margin("recall") == pytest.approx(0.02 * 87.5)
    assert all(trivial > best for trivial, best in designs.SCALE.values())


def test_an_unknown_design_is_named():
    with pytest.raises(ValueError, match="no design rates; there are: compare, delay"):
        designs.missing({}, ("rates",))


def test_a_tiny_run_is_the_same_in_small():
    run = Run("adding", "gru", 0.01, 0, delay=200)
    assert designs.tiny(run) == replace(run, count=320, hidden=4, epochs=1, delay=20)


def test_a_setting_takes_over_what_another_one_chose_and_begins_with_its_own_rates():
    trial = results.trial()
    shorter, tuned_as = trial.settings["shorter, attention"], trial.settings["numbers, attention"]
    assert shorter.tuned_as is tuned_as and trial.tuned(shorter.name) == trial.tuned(tuned_as.name)
    first = designs.tune(shorter, {})
    assert {run.task for run in first} == {"numbers"}
    assert {run.rate for run in first} == set(designs.TWO_RATES)
    assert (shorter.first_look, trial.settings["vowels"].first_look) == (
        designs.FEW_SEEDS,
        LOOKS[0],
    )
