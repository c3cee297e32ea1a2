"""The results that a page reads are those of the script beside them."""

import json
import runpy
from pathlib import Path

import pytest
import torch

from autograder.course import gradient_flow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(ROOT / "experiments" / "gradient_flow.py"))


@pytest.fixture(scope="module")
def results():
    return json.loads((ROOT / "book" / "data" / "gradient_flow.json").read_text())


def test_the_file_was_written_with_the_settings_of_the_script(script, results):
    assert results["task"]["length"] == script["LENGTH"]
    assert results["training"] == {
        "hidden_size": script["HIDDEN"],
        "batch": script["BATCH"],
        "updates": script["UPDATES"],
        "rates": list(script["RATES"]),
        "seeds": len(script["SEEDS"]),
    }
    assert [(c["family"], c["keep"]) for c in results["cells"]] == list(script["CELLS"])


@pytest.mark.parametrize("index", range(5))
def test_the_curves_before_training_come_out_again(script, results, index):
    cell = results["cells"][index]
    new, _ = script["adding"](1000, torch.Generator().manual_seed(77))
    fresh = script["fresh"](cell["family"], script["SEEDS"][0], cell["keep"])
    params = {name: value.double() for name, value in fresh.items()}
    found = gradient_flow.flow(cell["family"], new[:, :16].double(), params)
    for part, norms in found.items():
        assert norms.tolist() == pytest.approx(cell["before"][0][part], rel=0.01)
