"""``make gpu`` without a GPU: the way is gone on the CPU, and every GPU test carries its mark."""

from __future__ import annotations

import ast
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

TESTS = Path(__file__).parents[1]

ONLY_WITHOUT_A_GPU = {"test_wrong_calls_say_what_to_do"}
"""Tests that ask for a GPU in order to skip where there is one."""


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(TESTS.parent / "benchmarks"), *sys.path])
    import gpu

    return gpu


# The mark


def asks_for_a_gpu(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Attribute) and ast.unparse(part) == "torch.cuda.is_available"
        for part in ast.walk(node)
    )


def is_marked(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(mark) == "pytest.mark.gpu" for mark in function.decorator_list)


def those_where(says) -> set[tuple[str, str]]:
    """File and name of every test of which ``says(node)`` holds."""
    return {
        (str(path), node.name)
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and says(node)
    }


def test_every_test_that_asks_for_a_gpu_is_marked_and_no_other(gpu):
    asking = {found for found in those_where(asks_for_a_gpu) if found[1] not in ONLY_WITHOUT_A_GPU}
    assert asking == those_where(is_marked) != set()
    assert gpu.marked() == sorted({path for path, _ in asking})


# The whole way


@pytest.mark.slow
def test_every_step_runs_on_the_cpu(gpu, monkeypatch, tmp_path):
    patient = tuple(replace(step, limit=600) for step in gpu.STEPS)
    monkeypatch.setattr(gpu, "STEPS", patient)  # a busy machine is no failure
    out = tmp_path / "there" / "gpu.json"
    result = CliRunner().invoke(gpu.main, ["--device", "cpu", "--out", str(out)])
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert found["tiny"] and found["missing"] == []
    steps = found["steps"]
    assert {step["state"] for step in steps.values()} == {"done"}
    (machine,) = steps["machine"]["rows"]
    assert {"commit", "started", "device", "driver", "cuda", "tf32", "packages"} <= set(machine)
    assert {row["outcome"] for row in steps["tests"]["rows"]} == {"skipped"}
    assert {row["way"] for row in steps["steps"]["rows"]} == {"library", "unfused", "loop"}
    assert [row["assignment"] for row in steps["layers"]["rows"]] == list(gpu.EXERCISES)
    right, wrong = steps["check"]["rows"]
    assert right["passed"] and not wrong["passed"] and wrong["mistake"] == gpu.MISTAKE
    for title in ("The machine", "Tests that need a GPU", "claim C5", "Deviation", "GRULayer"):
        assert title in result.output
    assert "say nothing" in result.output and "Missing" not in result.output


def test_without_a_gpu_it_says_what_was_not_run(gpu, monkeypatch, tmp_path):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = CliRunner().invoke(gpu.main, ["--out", str(tmp_path / "gpu.json")])
    assert result.exit_code == 2
    assert "finds no GPU here, so none of this was run" in result.output
    assert all(step.title in result.output for step in gpu.STEPS[1:])
    assert "--device cpu" in result.output
    assert list(tmp_path.iterdir()) == []


def test_the_limits_add_up_to_less_than_ten_minutes(gpu):
    assert sum(step.limit for step in gpu.STEPS) < 600


# What goes wrong in a step. These run in processes of their own.


def fine(device, give):
    give([{"n": 1}], 1)
    return {}


def off(device, give):
    give([{"n": 1}], 1)
    return {"amiss": ["A figure is off"]}


def stuck(device, give):
    sleeper = subprocess.Popen(["sleep", "600"])
    give([{"n": 1, "sleeper": sleeper.pid}], 2)
    time.sleep(600)


def broken(device, give):
    raise ValueError("there is [no such] thing")


def gone(device, give):
    os._exit(7)


def interrupting(device, give):
    give([{"n": 1}], 2)
    time.sleep(1)
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(600)


def run(gpu, monkeypatch, folder, *plays, limit=300.0):
    """What the command makes of steps that do this: exit code, output, and its file."""
    steps = tuple(gpu.Step(play.__name__, f"{play.__name__} one", limit, play) for play in plays)
    monkeypatch.setattr(gpu, "STEPS", steps)
    out = folder / "gpu.json"
    result = CliRunner().invoke(gpu.main, ["--device", "cpu", "--out", str(out)])
    return result.exit_code, result.output, json.loads(out.read_text())


def ends(pid: int, within: float = 20.0) -> bool:
    """Whether the process has ended, or does so within seconds: a killed one may take a moment."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], within)[0])
    finally:
        os.close(watched)


def test_a_step_that_fails_takes_no_other_along(gpu, monkeypatch, tmp_path):
    code, output, found = run(gpu, monkeypatch, tmp_path, broken, gone, fine)
    assert code == 1
    assert found["missing"] == ["broken", "gone"]
    assert found["steps"]["fine"]["rows"] == [{"n": 1}]
    assert "Missing: broken one; ValueError: there is [no such] thing." in output
    assert "Missing: gone one; its process ended with code 7." in output
    assert "ValueError" in (tmp_path / "gpu.log").read_text()


def test_a_step_over_its_limit_is_ended_with_all_it_started(gpu, monkeypatch, tmp_path):
    code, output, found = run(gpu, monkeypatch, tmp_path, stuck, limit=4.0)
    assert code == 1 and "it took more than 4 seconds" in output
    assert found["steps"]["stuck"]["state"] == "time limit"
    # On a busy machine it may not have come so far.
    assert all(ends(row["sleeper"]) for row in found["steps"]["stuck"]["rows"])


def test_an_interruption_keeps_what_there_is_and_says_what_is_missing(gpu, monkeypatch, tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code, output, found = run(gpu, monkeypatch, tmp_path, fine, interrupting, off)
    finally:
        signal.signal(signal.SIGINT, before)
    assert code == 130
    assert found["missing"] == ["interrupting", "off"]
    assert [found["steps"][name].get("rows") for name in ("fine", "interrupting", "off")] == [
        [{"n": 1}], [{"n": 1}], None,
    ]  # fmt: skip
    assert "Missing: interrupting one; it was interrupted." in output
    assert "Missing: off one; its turn did not come." in output


def test_what_is_not_as_it_should_be_is_said(gpu, monkeypatch, tmp_path):
    code, output, found = run(gpu, monkeypatch, tmp_path, off)
    assert code == 1 and found["missing"] == []
    assert "Not as it should be: A figure is off" in output


# What only a GPU does, as far as it can be tried on torch's meta device


@pytest.mark.parametrize("assignment", ["rnn", "lstm", "gru", "gradients"])
def test_layers_make_no_tensor_on_another_device(gpu, assignment):
    from autograder.course.gated_memory import COURSE

    for name in gpu.EXERCISES[assignment]:
        exercise = COURSE.get(name)
        for inputs in exercise.draw(0):
            found = gpu.ANSWERS[name](gpu.moved(inputs, "meta"))
            expected = {key: value.shape for key, value in exercise.answer(inputs).items()}
            assert {key: tuple(value.shape) for key, value in found.items()} == expected
            assert {value.device.type for value in found.values()} == {"meta"}
    passes = gpu.both_ways(assignment, (3, 2, 4), "meta")()
    assert {value.device.type for value in passes.values()} == {"meta"}


def test_where_the_device_is_not_the_cpu_a_third_way_is_timed_too(gpu, monkeypatch):
    import torch

    from experiments import costs

    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(costs, "SIZES", (3, 4))
    monkeypatch.setattr(costs, "STEPS", 2)
    whole = costs.milliseconds
    monkeypatch.setattr(
        costs, "milliseconds", lambda tasks, repeats, device: whole(tasks, 1, device)
    )
    given = []
    result = gpu.training_steps("meta", lambda rows, pieces: given.append((len(rows), pieces)))
    assert given == [(9, 4)] * 4  # two rounds of two sizes: three families in three ways
    assert {f"{way}_min" for way in gpu.WAYS} <= set(result["facts"])


def test_a_deviation_is_measured_as_the_checks_do(gpu):
    import numpy as np
    import torch

    one = np.ones(3)
    found = {"hs": torch.tensor([1.0, 1.0, 1.5]), "dxs": torch.tensor([1.0, 2.0, float("nan")])}
    assert gpu.apart(found, {"hs": one, "dxs": one}) == {"values": 0.25, "gradients": np.inf}


def test_a_gpu_is_described_with_its_driver(gpu, monkeypatch, tmp_path):
    import torch

    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '550.54.15\\n550.54.15\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    properties = SimpleNamespace(total_memory=2**37, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A GPU")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: properties)
    given = []
    gpu.machine("cuda", lambda rows, pieces: given.extend(rows))
    (row,) = given
    assert (row["device"], row["driver"], row["gigabytes"]) == ("A GPU", "550.54.15", 128)
    assert row["compute_capability"] == "9.0"


def test_a_skipped_test_counts_as_not_run_where_there_is_a_gpu(gpu, monkeypatch):
    def skip_one(arguments, plugins):
        report = SimpleNamespace(
            when="setup", outcome="skipped", nodeid="test_it", duration=0.1,
            longrepr=("file", 1, "Skipped: no GPU"),
        )  # fmt: skip
        plugins[0].pytest_runtest_logreport(report)
        return pytest.ExitCode.OK

    monkeypatch.setattr(pytest, "main", skip_one)
    give = SimpleNamespace(rows=[])
    found = gpu.gpu_tests("cuda", lambda rows, pieces: give.rows.extend(rows))
    assert found == {"amiss": ["test_it: skipped"]}
    assert give.rows[0]["says"] == "Skipped: no GPU"
    assert gpu.gpu_tests("cpu", lambda rows, pieces: None) == {"amiss": []}


def test_both_times_of_a_layer_are_shown(gpu):
    row = {
        "assignment": "rnn", "shape": (50, 32, 128), "whole": {"values": 1e-15, "gradients": 2e-15},
        "probes": [{"exercise": "rnn_forward", "values": 3e-15}], "ms": {"cpu": 40.0, "cuda": 9.0},
    }  # fmt: skip
    shown = gpu.told_layers([row])
    assert [column.header for column in shown.columns][-2:] == ["ms, cpu", "ms, cuda"]
    assert [list(column.cells)[0] for column in shown.columns] == [
        "rnn", "rnn_forward", "3.0e-15", "2.0e-15", "40", "9",
    ]  # fmt: skip
