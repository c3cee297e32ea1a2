"""Spoken digits: sounds to frames, who is heard where, streams, and reports held against what was said."""

import json
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dct

from experiments import readings, sound, sounds, speech
from experiments.jobs import task_named
from experiments.models import FOLDER
from experiments.readings import cuts_of, held_against, read_listening, read_words, reports, said
from experiments.sound import FRAME, HOP, RATE, Listener, mfcc, read_wave
from experiments.speech import NOTHING, Stream
from experiments.training import Run, build, load

pytestmark = pytest.mark.usefixtures("one_thread")


def write_wave(path, samples, channels=1, rate=RATE, width=2):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes((np.asarray(samples) * 32767).astype("<i2").tobytes())
    return path


# From a sound to frames.


def test_a_tone_lies_in_the_band_of_its_frequency():
    seconds = np.arange(RATE) / RATE
    edges = 700 * (10 ** (np.linspace(0, sound.mel(RATE / 2), sound.BANDS + 2) / 2595) - 1)
    for hertz in (440, 1000, 2500):
        loud = sound.decibels(sound.cut(0.5 * np.sin(2 * np.pi * hertz * seconds)))[20]
        best = int(loud.argmax())
        assert edges[best] < hertz < edges[best + 2]


def test_the_cosine_transform_is_the_orthonormal_one_of_scipy():
    bands = np.random.default_rng(0).normal(size=(5, sound.BANDS))
    wanted = dct(bands, type=2, norm="ortho", axis=-1)[:, : sound.COEFFICIENTS]
    assert np.allclose(bands @ sound.cosines().T, wanted, atol=1e-12)


def test_librosa_s_coefficients_of_a_shipped_sound():
    """The first and the last frames of 7.wav as librosa 0.11 gives them (see the data's README)."""
    found = mfcc(read_wave(sounds.FOLDER / "7.wav"))
    golden = np.load(Path(__file__).with_name("librosa_7.npz"))
    assert found.shape == golden["mfcc"].shape
    assert np.abs(found - golden["mfcc"]).max() < 1e-3


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=12), st.integers(0, 9))
def test_a_listener_hears_the_same_in_pieces_as_at_once(sizes, seed):
    samples = np.random.default_rng(seed).normal(0, 0.1, sum(sizes))
    whole, piecewise = Listener(), Listener()
    pieces = np.split(samples, np.cumsum(sizes)[:-1])
    at_once = whole.hear(samples)
    assert np.allclose(np.concatenate([piecewise.hear(p) for p in pieces]), at_once, atol=1e-9)
    assert len(at_once) == len(samples) // HOP


def test_a_listener_agrees_with_the_whole_recording_once_it_has_heard_the_loudest():
    samples = read_wave(sounds.FOLDER / "7.wav")
    heard, whole = Listener().hear(samples), mfcc(samples)
    loud = sound.decibels(sound.cut(samples)).max(1)
    after = int(loud.argmax())
    assert np.abs(heard[after:] - whole[after : len(heard)]).max() < 1e-9
    assert np.abs(heard[:after] - whole[:after]).max() > 1


@pytest.mark.parametrize(
    "how,said", [
        ({"channels": 2}, "2 channels"), ({"rate": 16000}, "16000 Hz"), ({"width": 1}, "of 8 bits"),
    ],
)  # fmt: skip
def test_a_sound_of_another_kind_is_refused(tmp_path, how, said):
    with pytest.raises(ValueError, match=f"a.wav has .*{said}.*convert it"):
        read_wave(write_wave(tmp_path / "a.wav", np.zeros(800), **how))


def test_no_sound_too_short_a_sound_and_no_numbers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no sample"):
        read_wave(write_wave(tmp_path / "a.wav", []))
    with pytest.raises(ValueError, match="400 or more"):
        mfcc(np.zeros(FRAME - 1))
    with pytest.raises(ValueError, match="NaN or infinity"):
        mfcc(np.full(FRAME, np.nan))


# Who is heard where.


@pytest.mark.parametrize("seed", range(12))
def test_voices_keep_to_their_part(seed):
    voice = speech.recordings()[2]
    train, validation, test = speech.parts(True, seed)
    tested, chooses = speech.roles(seed)
    assert set(voice[test]) == {tested} and set(voice[validation]) == {chooses}
    assert set(voice[train]) == set(range(speech.VOICES)) - {tested, chooses}
    assert (len(train), len(validation), len(test)) == (2000, 500, 500)


def test_a_split_at_random_tests_the_same_recordings_whatever_the_seed():
    first, other = (speech.parts(False, seed) for seed in (0, 103))
    assert np.array_equal(first[2], other[2]) and not np.array_equal(first[0], other[0])
    for train, validation, test in (first, other):
        assert len(np.unique(np.concatenate([train, validation, test]))) == 3000
        assert (len(train), len(validation), len(test)) == (2000, 500, 500)


def test_six_seeds_in_a_row_test_every_voice_once_and_thirty_every_pair():
    for first in (0, 6, 600):
        assert {speech.roles(first + k)[0] for k in range(6)} == set(range(6))
    assert len({speech.roles(seed) for seed in range(30)}) == 30


def test_a_centered_recording_has_no_mean_and_a_shifted_one_another():
    raw, centered, shifted = (
        speech.words(True, features, 1, 2000) for features in ("raw", "centered", "shifted")
    )
    assert torch.equal(raw.test.xs, shifted.test.xs)
    moved = shifted.train.xs - raw.train.xs
    for x, length in zip(moved[:50], raw.train.lengths, strict=False):
        assert x[:length].std(0).max() < 1e-5 and not x[length:].any() and x[0].abs().max() > 0.1
    assert moved[:, 0].std().item() == pytest.approx(speech.SPREAD, rel=0.05)
    # Standardized by the training frames, so that the mean over all of a centered word is that of all.
    frames = speech.prepared("centered")
    assert np.abs(np.stack([x.mean(0) for x in frames])).max() < 1e-3
    assert not torch.equal(centered.test.xs, raw.test.xs)


def test_copies_of_a_word_are_shifted_each_in_its_own_way():
    split = speech.words(True, "shifted", 0, 4000)
    first, second = split.train.xs[:2000], split.train.xs[2000:]
    assert torch.equal(split.train.ys[:2000], split.train.ys[2000:])
    assert ((first - second)[:, 0].abs().amax(1) > 0.01).all()


# Streams.


@pytest.mark.parametrize("steps", [None, speech.CLIP, speech.STREAM])
def test_a_stream_says_its_digit_around_the_end_of_a_word_and_nothing_elsewhere(steps):
    frames, digit, voice = speech.recordings()
    rows = np.flatnonzero(voice == 2)[::25]
    xs, ys, spans = speech.laid_out(rows, np.random.default_rng(3), steps)
    assert len(xs) == len(ys) and (steps is None or len(xs) == steps)
    assert spans and (steps is not None or len(spans) == len(rows))
    marked = np.full(len(ys), NOTHING)
    for (start, end, said_there), row in zip(spans, rows, strict=False):
        assert said_there == digit[row] and np.array_equal(xs[start:end], frames[row])
        marked[max(start, end - speech.BEFORE) : end + speech.AFTER] = said_there
    assert np.array_equal(marked, ys)
    quiet = np.ones(len(xs), bool)
    for start, end, _ in spans:
        quiet[start:end] = False
    assert xs[quiet, 0].max() <= np.quantile(
        np.concatenate([frames[row] for row in np.flatnonzero(voice == 2)])[:, 0], speech.QUIET
    )


def test_what_is_listened_to_comes_from_voices_that_were_not_trained_on():
    streams = speech.listened(4)
    assert len(streams["test"].spans) == len(streams["validation"].spans) == 500
    minutes = len(streams["test"].xs) / sound.PER_SECOND / 60
    assert 9 < minutes < 14 and len(streams["quiet"].xs) == 600 * sound.PER_SECOND
    # The same voice tested by another seed is the same stream, standardized by other voices.
    other = speech.listened(10)
    assert speech.roles(4)[0] == speech.roles(10)[0]
    assert streams["test"].spans == other["test"].spans


# Reports.


def heard(pieces: list[tuple[int, float]], length: int) -> np.ndarray:
    """Probabilities (length, 11): nothing, but for single frames of a digit; (frame, digit + probability)."""
    found = np.zeros((length, speech.DIGITS + 1))
    found[:, -1] = 1
    for frame, value in pieces:
        found[frame, int(value)] = value % 1
        found[frame, -1] = 1 - value % 1
    return found


def test_reports_come_at_the_threshold_and_then_pause():
    p = heard([(5, 3.6), (6, 3.7), (5 + readings.PAUSE, 4.6), (60, 2.4)], 80)
    assert reports(p, 0.5) == [(5, 3), (5 + readings.PAUSE, 4)]
    assert reports(p, 0.65) == [(6, 3)]
    assert reports(p, 0.35)[-1] == (60, 2) and reports(p, 0.9) == []


def test_reports_are_held_against_words():
    spans = [(10, 20, 3), (50, 60, 4), (90, 100, 3)]
    late = readings.LATE
    found = held_against([(12, 3), (20 + late - 1, 3), (60 + late, 4), (95, 7), (99, 3)], spans)
    assert found.missed == 1 and found.alarms == 3 and found.late == (-8, -1)
    assert held_against([], spans).missed == 3
    assert held_against([(15, 3)], []).alarms == 1


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), st.floats(0.05, 0.9), st.floats(0.01, 0.09))
def test_counts_add_up_whatever_is_heard(seed, threshold, more):
    source = np.random.default_rng(seed)
    p = source.dirichlet(np.full(11, 0.3), 400)
    starts = np.cumsum(source.integers(20, 60, 6))
    spans = [(int(s), int(s) + 12, int(d)) for s, d in zip(starts, source.integers(0, 10, 6))]  # noqa: B905
    found = reports(p, threshold)
    counted = held_against(found, spans)
    assert counted.missed + len(counted.late) == len(spans)
    assert counted.alarms + len(counted.late) == len(found)
    frames = [frame for frame, _ in found]
    assert all(b - a >= readings.PAUSE for a, b in zip(frames, frames[1:], strict=False))
    assert not reports(p, 1.1) and reports(p, threshold + more) == reports(p, threshold + more)


def test_a_stream_cut_where_the_state_begins_anew_is_said_piece_by_piece():
    run = Run("streams", "gru", 0.01, 0, hidden=5)
    net = build(run, task_named("streams"), load(run))
    xs = np.random.default_rng(1).normal(size=(90, 13)).astype(np.float32)
    carried, cut = said(net, xs), said(net, xs, [40, 64])
    assert carried.shape == (90, 11) and np.allclose(carried.sum(1), 1, atol=1e-5)
    assert np.allclose(carried[:40], cut[:40], atol=1e-6)
    for start, end in ((40, 64), (64, 90)):
        assert np.allclose(cut[start:end], said(net, xs[start:end]), atol=1e-6)
    assert np.abs(carried[64:70] - cut[64:70]).max() > 1e-4


def test_the_state_begins_anew_in_gaps_or_every_so_often():
    stream = Stream(np.zeros((200, 13), np.float32), ((10, 20, 1), (60, 70, 2), (150, 160, 3)))
    assert cuts_of("carried", stream) == []
    assert cuts_of("words", stream) == [40, 110]
    assert cuts_of("chunks", stream) == [64, 128, 192]


@pytest.fixture
def short_streams(monkeypatch):
    """Streams of two minutes instead of eleven."""
    whole = speech.listened

    def short(seed):
        return {
            name: Stream(s.xs[:4800], tuple(span for span in s.spans if span[1] + 20 < 4800))
            for name, s in whole(seed).items()
        }

    monkeypatch.setattr(readings, "listened", short)
    return short


def test_who_hears_every_word_misses_none_and_raises_no_alarm(short_streams, monkeypatch):
    """A net that knows where words end; then one that hears a digit in everything else, too."""
    streams, noisy = short_streams(0), False

    def knows(net, xs, cuts=()):
        stream = next(s for s in streams.values() if np.array_equal(s.xs, xs))
        ends = [(end - 1, digit + 0.92) for _, end, digit in stream.spans]
        return heard(ends if stream.spans or not noisy else [(9, 7.9)], len(xs))

    monkeypatch.setattr(readings, "said", knows)
    split = load(Run("streams", "gru", 0.01, 0, count=8))
    found = read_listening(torch.nn.Identity(), task_named("streams"), split)
    for way in readings.WAYS:
        # All thresholds but the highest, which asks for more than 0.92.
        assert set(found[f"{way}_misses"][:-1]) == {0} and set(found[f"{way}_alarms"]) == {0}
        assert found[f"{way}_misses"][-1] == 100 and found[f"{way}_ends"] == 0
    assert found["late"] == [-1, -1] and found["quiet"] == found["speech"] == 0
    noisy = True
    found = read_listening(torch.nn.Identity(), task_named("streams"), split)
    assert found["quiet"] == found["speech"] == 3600 / (4800 / sound.PER_SECOND)


def test_a_net_for_words_is_asked_on_a_stream_and_by_a_stranger():
    run = Run("voice_raw", "gru", 0.01, 3, hidden=4, count=100)
    split = load(run)
    net = build(run, task_named("voice_raw"), split)
    found = read_words(net, task_named("voice_raw"), split)
    assert len(found["answers"]) == 10 and 0 <= found["strange"] <= 100
    assert {"carried", "fresh"} <= set(found)
    centered = replace(run, task="voice_centered")
    assert "carried" not in read_words(net, task_named("voice_centered"), load(centered))


def test_the_stranger_says_the_digits_in_order():
    part = speech.strange_words("raw", 0)
    assert part.ys.tolist() == list(range(10)) and part.lengths.max() <= speech.KEPT
    centered = speech.strange_words("centered", 0)
    assert not torch.equal(part.xs, centered.xs)


# The sounds in the repository.


def test_our_features_are_those_of_the_data_set():
    told = json.loads((FOLDER / "features.json").read_text())
    assert told["recordings"] == 3000 and told["frames"] == 53_999 and told["largest"] < 1e-3


def test_recordings_are_held_against_the_data_set_s_own_frames(tmp_path, monkeypatch):
    """One recording's worth of the command: what is equal is found equal, and what is not is found."""
    samples = read_wave(sounds.FOLDER / "3.wav")
    ours = mfcc(samples).astype(np.float32)
    monkeypatch.setattr(sounds, "recordings", lambda: ([ours], np.array([0]), np.array([0])))
    write_wave(tmp_path / "0_george_0.wav", samples * 32768 / 32767)
    assert sounds.held_against_recordings(tmp_path)["largest"] < 1e-3
    ours[3, 3] += 10
    assert sounds.held_against_recordings(tmp_path)["largest"] > 1e-3
    monkeypatch.setattr(sounds, "recordings", lambda: ([ours[1:]], np.array([0]), np.array([0])))
    with pytest.raises(ValueError, match="0_george_0.wav gives"):
        sounds.held_against_recordings(tmp_path)


def test_sounds_are_collected_from_a_folder(tmp_path):
    (tmp_path / "in/digits").mkdir(parents=True)
    for digit in range(10):
        (tmp_path / f"in/digits/{digit}.wav").write_bytes(
            (sounds.FOLDER / f"{digit}.wav").read_bytes()
        )
    with pytest.raises(FileNotFoundError, match="none of the announcements"):
        sounds.collect(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in/vm-intro.wav").write_bytes((sounds.FOLDER / "0.wav").read_bytes())
    seconds = sounds.collect(tmp_path / "in", tmp_path / "out")
    kept = np.load(tmp_path / "out/announcements.npz")
    assert kept["names"].tolist() == ["vm-intro.wav"] and len(kept["X"]) == 40 * seconds
    assert (tmp_path / "out/9.wav").exists()
