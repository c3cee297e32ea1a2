"""The nets that part V ships: they are the recorded runs, and quantizing changed little."""

import json

import numpy as np
import pytest

from experiments import designs, models, people, results
from experiments.claims import Missing
from experiments.jobs import LOAD_CUTS, PAGE_WORDS, load_kw
from experiments.models import FOLDER, MODELS, loaded, score, shipped, typical
from experiments.quantized import dequantize
from experiments.tasks import TASKS
from experiments.training import Run

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", MODELS)
def test_a_shipped_net_is_a_recorded_run_and_scores_what_its_record_says(name):
    told, run = shipped()[name], typical(MODELS[name])
    assert told["key"] == run.key and told["test"] == results.results()[run.key]["test"]
    file = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert Run(**file["run"]) == run
    assert told["bytes"] == (FOLDER / f"{name}.json").stat().st_size
    # Another processor may decide a passage or two otherwise.
    assert score(loaded(name), run) == pytest.approx(told["quantized"], rel=0.02, abs=0.5)
    margin = designs.margin(run.task)
    assert abs(told["quantized"] - told["test"]) < margin
    if MODELS[name].exact:
        assert told["quantized"] == pytest.approx(told["test"], rel=1e-6)


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.like])
def test_nets_that_are_shown_side_by_side_were_trained_on_the_same_voices(name):
    assert typical(MODELS[name]).seed == typical(MODELS[MODELS[name].like]).seed


def test_float32_weights_come_back_to_the_bit_and_8_bits_go_to_the_page():
    weights = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    entry = models.float32(weights)
    assert np.array_equal(models.array_of(entry), weights)
    page = models.net_for_page("listener")
    assert set(page) == set(models.NETS.values()) - {"embedding"}
    assert all("float32" not in entry for entry in page.values())


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if not model.like])
def test_a_shipped_net_is_the_median_of_the_first_look(name):
    trial, setting, who = results.trial(), MODELS[name].setting, MODELS[name].who
    values = sorted(
        trial.values(setting, who, designs.measured, trial.settings[setting].first_look)
    )
    assert len(values) in (6, 12)
    assert results.results()[typical(MODELS[name]).key]["test"] == values[(len(values) - 1) // 2]


def test_a_net_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Missing, match=r"era_gru.json is not there; .*experiments models"):
        loaded("era_gru", tmp_path)


def test_the_words_of_the_page_are_those_of_the_task():
    """A review of the test part, put into numbers with the page's words, is what the net was given."""
    import pandas as pd

    from experiments.tasks import DATA, LONGEST

    number = {word: place + 2 for place, word in enumerate(models.review_words())}
    table = pd.read_csv(DATA / "movie_snippets.tsv", sep="\t", quoting=3)
    words = table["text"].str.lower().str.findall(r"[a-z']+")
    test = TASKS["snippets"].load(0, 100).test
    for place, row in enumerate(people.tested_reviews()[:300]):
        known = [number.get(word, 1) for word in words[row][:LONGEST]]
        assert test.xs[place, : len(known)].tolist() == known


def test_what_the_review_figure_is_given():
    data = models.review_data(["A good film."])
    assert len(data["words"].split()) == PAGE_WORDS - 2 and data["examples"] == ["A good film."]
    assert data["net"]["embedding"]["shape"] == [PAGE_WORDS, 16]
    assert dequantize(data["bag"]["weights"]).shape == (PAGE_WORDS,)
    # What travels inside the page: the net's weights, and with the words and the bag all of it.
    assert len(json.dumps(data["net"])) < 50_000 and len(json.dumps(data)) < 64_000


def test_what_the_forecast_figure_is_given():
    data = models.forecast_data(["2014-03-03 00:00"])
    assert dequantize(data["linear"]["weights"]).shape == (24, 168)
    window = data["windows"][0]
    assert len(window["load"]) == 168 and len(window["next"]) == 24
    assert window["title"] == "Monday, March 10, 2014"
    assert data["mean"] == pytest.approx(load_kw()[: LOAD_CUTS[0]].mean())
    assert all(half > 0 for half in data["half"]) and len(json.dumps(data)) < 40_000


@pytest.mark.parametrize("begin", ["2012-01-02 00:00", "2014-12-30 00:00", "2020-01-01 00:00"])
def test_a_week_outside_the_test_part_is_refused(begin):
    with pytest.raises(ValueError, match="is not in the test part, which begins at 2013-12-30"):
        models.forecast_data([begin])


# What people reach.


def test_ratings_are_those_whose_mean_is_in_the_table():
    import pandas as pd

    from experiments.tasks import DATA

    table = pd.read_csv(DATA / "movie_snippets.tsv", sep="\t", quoting=3)
    values = people.ratings()
    assert np.abs(np.nanmean(values, 1) - table["mean_rating"]).max() < 0.001
    assert set(np.unique(values[np.isfinite(values)])) == set(range(-4, 5))


def test_one_rater_against_the_others_by_hand(monkeypatch):
    """Three say 2, one says -1, one takes no side: the fourth is wrong, the fifth half."""
    rows = np.array([[2, 2, 2, -1, 0, np.nan], [-1, -2, -3, np.nan, np.nan, np.nan]])
    monkeypatch.setattr(people, "ratings", lambda: rows)
    assert people.one_against_others().tolist() == pytest.approx([100 * 1.5 / 5, 0])


def test_the_test_part_is_the_same_reviews():
    import pandas as pd

    from experiments.tasks import DATA

    table = pd.read_csv(DATA / "movie_snippets.tsv", sep="\t", quoting=3)
    good = (table["mean_rating"].to_numpy() > 0)[people.tested_reviews()]
    assert np.array_equal(good, TASKS["snippets"].load(0, 10).test.ys.numpy() == 1)
