"""The runner: nothing is lost, nothing is done twice, and a failure names its run."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import registration, runner
from experiments.runner import plain, read_lines, run_missing
from experiments.training import Run

FAST = [Run("vowels", "rnn", 0.01, seed, hidden=2, count=16, epochs=1) for seed in range(6)]


def test_every_run_once_in_order_with_its_provenance(tmp_path):
    told = []
    assert run_missing(FAST, tmp_path, jobs=2, tell=lambda *both: told.append(both)) == 6
    assert told == [(done, 6) for done in range(7)]
    keys = [json.loads(line)["key"] for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert keys == sorted(run.key for run in FAST)
    (where,) = json.loads((tmp_path / "provenance.json").read_text())
    assert where["packages"]["torch"].startswith("2.") and where["cores"] == os.cpu_count()
    assert where["processor"] and where["started"].endswith("+00:00")
    assert {entry["by"] for entry in read_lines(tmp_path / "runs.jsonl").values()} == {0}


def test_what_has_a_result_is_not_run_again(tmp_path):
    run_missing(FAST[:4], tmp_path, jobs=1)
    before = read_lines(tmp_path / "runs.jsonl")
    assert run_missing(FAST, tmp_path, jobs=1) == 2
    after = read_lines(tmp_path / "runs.jsonl")
    assert {key: after[key] for key in before} == before
    assert [after[run.key]["by"] for run in FAST] == [0] * 6
    assert run_missing(FAST, tmp_path, jobs=1) == 0
    assert len(json.loads((tmp_path / "provenance.json").read_text())) == 1


def test_again_gives_up_what_is_named_and_nothing_else(tmp_path):
    run_missing(FAST[:2], tmp_path, jobs=1)
    before = read_lines(tmp_path / "runs.jsonl")
    assert run_missing(FAST[:1], tmp_path, jobs=1, again=True) == 1
    after = read_lines(tmp_path / "runs.jsonl")
    assert after[FAST[1].key] == before[FAST[1].key]


def test_a_line_that_was_cut_off_is_run_again(tmp_path):
    run_missing(FAST[:3], tmp_path, jobs=1)
    file = tmp_path / "runs.jsonl"
    whole = file.read_text()
    file.write_text(whole[:-40])
    assert run_missing(FAST[:3], tmp_path, jobs=1) == 1
    again = [json.loads(line) for line in file.read_text().splitlines()]
    for now, then in zip(again, map(json.loads, whole.splitlines()), strict=True):
        assert now["training"] == then["training"] and now["test"] == then["test"]


def test_a_failing_run_is_named_and_the_others_are_kept(tmp_path):
    bad = replace(FAST[0], start="chrono")
    with pytest.raises(RuntimeError, match="start=chrono.* failed: no start 'chrono' for rnn"):
        run_missing([*FAST[:2], bad], tmp_path, jobs=1)
    assert run_missing(FAST[:2], tmp_path, jobs=1) <= 1


def test_every_result_says_under_which_rules_it_was_made(tmp_path):
    run_missing(FAST[:2], tmp_path, jobs=1)
    for entry in read_lines(tmp_path / "runs.jsonl").values():
        assert {name: entry[name] for name in ("rules", "instrument")} == registration.current()


def test_another_machine_or_other_rules_get_an_entry_of_their_own(tmp_path):
    first = runner.log_provenance(tmp_path, "cpu")
    entries = json.loads((tmp_path / "provenance.json").read_text())
    (tmp_path / "provenance.json").write_text(json.dumps([{**entries[0], "rules": "other"}]))
    assert first == 0 and runner.log_provenance(tmp_path, "cpu") == 1 == runner.log_provenance(
        tmp_path, "cpu"
    )


LONG = """
import sys
from pathlib import Path
from experiments.runner import run_missing
from experiments.training import Run
runs = [Run("vowels", "rnn", 0.01, seed, hidden=2, count=16, epochs=1) for seed in range(36)]
if __name__ == "__main__":
    print(run_missing(runs, Path(sys.argv[1]), jobs=1))
"""


def test_killed_in_the_middle_it_goes_on_where_it_stopped(tmp_path):
    """A whole program, killed without warning while it writes results."""
    program = tmp_path / "program.py"
    program.write_text(LONG)
    command = [sys.executable, program, tmp_path]
    root = Path(__file__).parents[2]
    place = {**os.environ, "PYTHONPATH": str(root)}
    victim = subprocess.Popen(command, cwd=root, env=place, start_new_session=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    file = tmp_path / "runs.jsonl"
    deadline = time.monotonic() + 600
    while not (file.exists() and file.read_text().count("\n") >= 5):
        assert victim.poll() is None and time.monotonic() < deadline
        os.sched_yield()
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    before = read_lines(file)
    assert 5 <= len(before) < 36
    done = subprocess.run(command, cwd=root, env=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 36 - len(before)
    after = read_lines(file)
    assert len(after) == 36 and all(after[key] == entry for key, entry in before.items())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "comparison"], "no design comparison. There are: compare, delay"),
        (["run", "--looks", "4"], "4 is not in the range 1<=x<=3"),
        (["run", "--device", "cuda"], "PyTorch finds no GPU here"),
    ],
)
def test_wrong_calls_say_what_to_do(words, message):
    import torch
    from click.testing import CliRunner

    from experiments.__main__ import main

    if "cuda" in words and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_numbers_keep_five_digits():
    assert plain({"a": [1.23456789, 3], "b": 123456.7, "c": True}) == {
        "a": [1.2346, 3],
        "b": 123460.0,
        "c": True,
    }


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "deeper" / "file.json"
    runner.replace_text(path, "one")
    runner.replace_text(path, "two")
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]
