"""The figure that listens: what its page is given, and what stands there without a script."""

import io
import json
import re

import matplotlib.image
import numpy as np
import pytest
import torch
from listening import FRAMES, NAMES, figure_data, reader

from experiments import listen_data, live_listen, models, readings, speech
from experiments.claims import Missing
from experiments.quantized import dequantize
from experiments.readings import held_against, said
from experiments.sound import Listener, read_wave


@pytest.fixture(scope="module")
def data() -> dict:
    return figure_data()


@pytest.mark.parametrize("cuts", [[], [17, 18, 240], [*range(64, FRAMES, 64)]])
def test_python_runs_a_net_as_the_readings_do(data, cuts):
    xs = live_listen.frames(data)
    for net in data["nets"].values():
        expected = said(reader(net), xs.astype(np.float32), cuts)
        assert live_listen.run(net, xs, cuts).probabilities == pytest.approx(expected, abs=1e-4)


def test_gates_and_state_are_those_of_the_walk(data):
    xs, net = live_listen.frames(data), data["nets"]["clips"]
    found = live_listen.run(net, xs)
    expected = readings.walk(reader(net).memory, torch.from_numpy(xs[None].astype(np.float32)))
    for name in "rzh":
        assert getattr(found, name) == pytest.approx(getattr(expected, name)[0].numpy(), abs=1e-4)


def test_the_other_voice_is_heard_word_by_word(data):
    xs, spans = live_listen.spoken(data)
    assert spans == [(0, 6, 0), (7, 15, 1)] and len(xs) == (2500 + 800) // 200
    alone = Listener().hear(np.frombuffer(live_listen.b64decode(data["sound"]["samples"]), "<i2")[:1100] / 32768)  # fmt: skip
    assert xs[:5] == pytest.approx((alone - 1) / 2)


def test_marks_agree_with_what_is_counted(data):
    excerpt = live_listen.Excerpt(data)
    held = held_against(excerpt.reports, excerpt.spans)
    right = [excerpt.right(k) for k in range(len(excerpt.reports))]
    assert sum(right) == len(held.late) and len(right) - sum(right) == held.alarms
    assert 0 < held.missed < len(excerpt.spans)
    looks = [excerpt.look(span) for span in excerpt.spans if span[1] + readings.LATE <= live_listen.SHOWN]  # fmt: skip
    assert {"found", "missed"} == set(looks)
    late = next(span for span in excerpt.spans if span[0] > live_listen.SHOWN)
    assert excerpt.look(late) == "said"


def test_a_picture_holds_its_numbers():
    values = np.linspace(-0.2, 1.2, 21).reshape(3, 7)
    file = live_listen.b64decode(live_listen.png(values).removeprefix("data:image/png;base64,"))
    found = matplotlib.image.imread(io.BytesIO(file), format="png")
    assert found.shape == (3, 7)
    assert found == pytest.approx(np.clip(values, 0, 1), abs=0.5 / 255 + 1e-6)


def test_the_drawing_shows_the_first_six_seconds(data):
    drawn = live_listen.listen(data)
    excerpt = live_listen.Excerpt(data)
    inside = re.search(r'<script type="application/json">(.*?)</script>', drawn)[1]
    assert json.loads(inside) == data
    lines = [line.split() for line in re.findall(r'points="([^"]+)"', drawn)]
    assert [len(line) for line in lines] == [240] * 3
    top, tall = live_listen.SCORE
    assert [float(at.split(",")[1]) for at in lines[2]] == pytest.approx(tall * (1 - excerpt.best[:240]), abs=1e-3)  # fmt: skip
    shown = [frame for frame, _ in excerpt.reports if frame < 240]
    assert drawn.count('r="8.5"') + drawn.count("M-5-5l10") == len(shown) > 3
    assert f"{len(excerpt.spans) - excerpt.held.missed} of {len(excerpt.spans)}" in drawn
    assert drawn.count("<mask") == drawn.count("data:image/png") == 2
    strong = live_listen.listen({**data, "threshold": 0.99})
    assert "–" in strong and 'r="8.5"' not in strong


# What the page is given


@pytest.fixture(scope="module")
def given() -> dict:
    return listen_data.listen_data(0.5, [60.0], [20.0])


def test_the_excerpt_is_of_the_voice_that_tests(given):
    run = models.run_of("listener")
    whole = speech.listened(run.seed)["test"]
    frames, spans = live_listen.frames(given), given["stream"]["spans"]
    assert 60 * 40 < len(frames) < 90 * 40 and len(spans) > 40
    assert [tuple(span) for span in spans] == list(whole.spans[: len(spans)])
    assert spans[-1][1] + readings.LATE == len(frames) <= whole.spans[len(spans)][0]
    step = np.abs(frames).max(0) / 127
    assert (np.abs(frames - whole.xs[: len(frames)]).max(0) <= 0.51 * step).all()


def test_what_the_listening_figure_is_given(given):
    assert len(json.dumps(given, separators=(",", ":"))) < 300_000
    assert set(given["nets"]) == {"listener", "clips"}
    for name, net in given["nets"].items():
        exact = models.loaded(name).state_dict()
        for part, q in net.items():
            weights = exact[NAMES[part]].numpy()
            assert dequantize(q) == pytest.approx(
                weights, abs=0.51 * float(np.abs(weights).max()) / 127
            )
    waves = np.frombuffer(live_listen.b64decode(given["sound"]["samples"]), "<i2")
    words = np.split(waves, np.cumsum(given["sound"]["lengths"]))
    for digit in range(10):
        path = speech.DATA / "sounds" / f"{digit}.wav"
        assert (words[digit] / 32768 == read_wave(path)).all()
    frames = speech.recordings()[0]
    mean, spread = speech.standard(frames, speech.parts(True, models.run_of("clips").seed)[0])
    assert given["mean"] == pytest.approx(mean, rel=1e-4)
    assert given["spread"] == pytest.approx(spread, rel=1e-4)


def test_nets_that_heard_other_voices_are_refused(monkeypatch):
    run = models.run_of("listener")
    other = type(run)(**{**vars(run), "seed": run.seed + 1})
    monkeypatch.setattr(models, "run_of", lambda name: other if name == "clips" else run)
    with pytest.raises(ValueError, match="the nets have seeds"):
        listen_data.listen_data(0.5, [60.0], [20.0])


def test_what_to_expect_comes_from_the_results(monkeypatch):
    key = models.run_of("listener").key
    read = {"carried_at": 2, "carried_misses": [1.0, 2.0, 30.0], "carried_alarms": [9.0, 8.0, 7.0]}
    monkeypatch.setattr(listen_data.results, "results", lambda: {key: read})
    monkeypatch.setattr(listen_data.results, "trial", lambda: None)
    monkeypatch.setattr(listen_data, "by_voice", lambda trial, name, who, value: (value(None, read),) * 6)  # fmt: skip
    assert listen_data.recorded() == {"threshold": readings.THRESHOLDS[2], "found": [70.0] * 6, "alarms": (7.0,) * 6}  # fmt: skip
    monkeypatch.setattr(listen_data.results, "results", dict)
    with pytest.raises(Missing, match="no result of the shipped listener"):
        listen_data.recorded()
