"""The figure that listens: it computes what Python computes, and everybody can use it.

This file is long because one figure has many ways to be touched: keys, buttons, menus, a slider, a microphone.
"""

import io
import re
import shutil
import wave
from base64 import b64decode
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from listening import FRAMES, figure_data, reader
from site_pages import STATIC, assert_fits, figure_page, milliseconds_of_work
from test_live_elements import opened, tab_to
from test_pages import AXE, RULES

from experiments import live_listen, readings
from experiments.sound import RATE, Listener, read_wave
from experiments.speech import Stream
from experiments.tasks import DATA

SCRIPTS = {name: STATIC / f"{name}.js" for name in ("gm-elements", "gm-ears", "gm-listen")}
PHONE, NARROW, DESKTOP = (360, 780), (320, 700), (1280, 1200)
ELEMENT = "document.querySelector('gm-listen')"
LISTEN = "customElements.get('gm-listen')"


@pytest.fixture(scope="module")
def data() -> dict:
    return figure_data()


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory) -> Path:
    """A folder with a page that shows the figure, once with its scripts and once without."""
    made = tmp_path_factory.mktemp("listen")
    (made / "_static").symlink_to(STATIC)
    for name, wanted in (("scripts", SCRIPTS), ("bare", ())):
        figure_page(made / f"{name}.html", live_listen.listen(data), wanted, "_static")
    return made


@pytest.fixture(scope="module")
def place(folder, serve):
    """The address of the page."""
    base = serve(folder)
    return lambda scripts=True: f"{base}{'scripts' if scripts else 'bare'}.html"


@pytest.fixture
def page(visit, place):
    return opened(visit, place(), size=DESKTOP)


def at(page) -> int:
    """How many frames the net has heard."""
    return page.evaluate(f"{ELEMENT}.at")


def runs(page) -> bool:
    return page.evaluate(f"Boolean({ELEMENT}.timer)")


def says(page) -> str:
    return page.locator(".gm-says").inner_text()


# The same numbers as Python


@pytest.mark.parametrize("net", ["listener", "clips"])
@pytest.mark.parametrize("cuts", [[], [17, 18, 240], [*range(64, FRAMES, 64)]])
def test_the_page_runs_a_net_as_the_readings_do(page, data, net, cuts):
    found = page.evaluate(
        f"""([net, cuts]) => {{ const {{ data, voice }} = {ELEMENT};
          return {LISTEN}.run(data.nets[net], voice.frames, cuts).map(({{ z, r, h, probabilities, digit, share }}) =>
            ({{ z, r, h: [...h], probabilities: [...probabilities], digit, share }})); }}""",
        [net, cuts],
    )
    xs = live_listen.frames(data)
    expected = live_listen.run(data["nets"][net], xs, cuts)
    in_torch = readings.said(reader(data["nets"][net]), xs.astype(np.float32), cuts)
    probabilities = np.array([step["probabilities"] for step in found])
    assert probabilities == pytest.approx(in_torch, abs=1e-4)
    assert probabilities == pytest.approx(expected.probabilities, abs=1e-9)
    assert np.array([step["h"] for step in found]) == pytest.approx(expected.h, abs=1e-9)
    for gate in "zr":
        means = getattr(expected, gate).mean(1)
        assert [step[gate] for step in found] == pytest.approx(means.tolist(), abs=1e-9)
    assert [step["digit"] for step in found] == expected.probabilities[:, :10].argmax(1).tolist()


def random_answers(count: int) -> list[np.ndarray]:
    """Probabilities along streams, some with ties, some that reach every threshold."""
    rng = np.random.default_rng(5)
    made = [np.full((40, 11), 1 / 11), np.eye(11)[np.arange(60) % 11]]
    while len(made) < count:
        logits = rng.normal(size=(200, 11)).cumsum(0) * rng.uniform(0.1, 1)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        made.append(shares / shares.sum(1, keepdims=True))
    return made


def test_reports_and_what_they_are_worth_are_those_of_python(page):
    rng = np.random.default_rng(6)
    halves = np.full((40, 11), 0.05)
    halves[20:, 3] = 0.5
    cases = [(halves.tolist(), 0.5, [[18, 24, 3]])]  # a threshold that is just reached
    for answers in random_answers(30):
        threshold = float(rng.choice(readings.THRESHOLDS))
        ends = np.cumsum(rng.integers(20, 45, 12))
        spans = [[int(end - 8), int(end), int(rng.integers(10))] for end in ends]
        cases.append((answers.tolist(), threshold, spans))
    found = page.evaluate(
        f"""cases => cases.map(([answers, threshold, spans]) => {{
          const {{ likeliest, reports, held }} = {LISTEN};
          const found = reports(answers.map((at) => likeliest(at)), threshold);
          return {{ found, ...held(found, spans) }}; }})""",
        cases,
    )
    some = 0
    for answer, (answers, threshold, spans) in zip(found, cases, strict=True):
        expected = readings.reports(np.array(answers), threshold)
        held = readings.held_against(expected, [tuple(span) for span in spans])
        assert answer["found"] == [list(report) for report in expected]
        assert (answer["missed"], answer["alarms"], tuple(answer["late"])) == (held.missed, held.alarms, held.late)  # fmt: skip
        assert sum(answer["right"]) == len(held.late) == sum(frame >= 0 for frame in answer["by"])
        some += len(held.late)
    assert some > 10


@pytest.mark.parametrize("way", readings.WAYS)
def test_the_state_begins_anew_where_the_readings_say(page, data, way):
    spans = data["stream"]["spans"]
    for length in (FRAMES, 64, 65, 128):
        found = page.evaluate(f"([way, length, spans]) => {LISTEN}.cutsOf(way, length, spans)", [way, length, spans])  # fmt: skip
        stream = Stream(np.zeros((length, 13)), tuple(map(tuple, spans)))
        assert found == readings.cuts_of(way, stream)


def sounds() -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    time = np.arange(3000) / RATE
    word = read_wave(DATA / "sounds" / "7.wav")[:4000]
    return [word, np.zeros(900), 0.3 * np.sin(2 * np.pi * 440 * time), rng.uniform(-1, 1, 1234), word[:399],
            np.concatenate([np.zeros(1000), 1e-4 * rng.normal(size=1000), word[2000:3000]])]  # fmt: skip


def test_the_page_hears_what_python_hears(page):
    for samples in sounds():
        expected = Listener().hear(samples)
        found = page.evaluate(f"samples => {LISTEN}.mfcc(samples).map((frame) => [...frame])", samples.tolist())  # fmt: skip
        assert len(found) == len(expected)
        assert np.array(found).reshape(-1, 13) == pytest.approx(expected, abs=1e-3)
        pieces = page.evaluate(
            """([samples, sizes]) => { const ear = new GM.Listener(), out = [];
              for (let at = 0, k = 0; at < samples.length; at += sizes[k++ % sizes.length])
                out.push(...ear.hear(samples.slice(at, at + sizes[k % sizes.length])));
              return out.map((frame) => [...frame]); }""",
            [samples.tolist(), [128, 1, 517]],
        )
        assert np.array(pieces).reshape(-1, 13) == pytest.approx(expected, abs=1e-3)


def test_the_other_voice_is_heard_as_in_python(page, data):
    xs, spans = live_listen.spoken(data)
    found = page.evaluate(f"(() => {{ const {{ frames, spans }} = {ELEMENT}.stranger; return [frames.map((frame) => [...frame]), spans]; }})()")  # fmt: skip
    assert np.array(found[0]) == pytest.approx(xs, abs=1e-3)
    assert found[1] == [list(span) for span in spans]


@pytest.mark.parametrize("rate", [44_100, 48_000, 16_000])
def test_a_microphone_at_another_rate_is_slowed_down(page, rate):
    time = np.arange(rate // 2) / rate

    def slowed(hertz: float) -> np.ndarray:
        return np.array(page.evaluate(
            """([samples, rate]) => { const slower = GM.resampler(rate), out = [];
              for (let at = 0; at < samples.length; at += 128) out.push(...slower(samples.slice(at, at + 128)));
              return out; }""",
            [np.sin(2 * np.pi * hertz * time).tolist(), rate],
        ))  # fmt: skip

    for hertz in (100, 1000, 3000):
        found = slowed(hertz)
        expected = np.sin(2 * np.pi * hertz * np.arange(len(found)) / RATE)
        assert len(found) == pytest.approx(RATE / 2, abs=40)
        assert found[100:] == pytest.approx(expected[100:], abs=0.02)
    for hertz in (4500, 6000, 7500):  # would come back as another tone
        assert np.abs(slowed(hertz)[100:]).max() < 0.02


# The drawing that stands there first


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_complete_without_javascript(browser, place, size):
    context = browser.new_context(java_script_enabled=False, viewport={"width": size[0], "height": size[1]})  # fmt: skip
    page = context.new_page()
    page.goto(place())
    drawing = page.get_by_role("img", name="A net listens to spoken digits")
    assert drawing.count() == 1 and drawing.is_visible()
    box = drawing.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= size[0] and box["height"] > 400
    assert page.locator("button, input, select, canvas").count() == 0
    for text in (
        "Words found",
        "False alarms",
        "Gates:",
        "State: 32 units",
        "Likeliest digit (dashed: threshold 0.30)",
    ):
        assert drawing.get_by_text(text, exact=True).is_visible(), text
    assert page.locator("figcaption").is_visible()
    context.close()


SHAPES = """() => [...document.querySelectorAll("main svg :is(rect:not([mask]), polyline, line, circle, path)")]
  .map(e => ["points", "x", "y", "width", "height", "x1", "y1", "y2", "r", "d"].map(name => e.getAttribute(name) ?? 0).join(" "))"""
WORDS = "() => [...document.querySelectorAll('gm-listen svg text')].map(e => e.textContent.trim())"


def numbers(shapes: list[str]) -> list[list[float]]:
    return [[float(n) for n in re.findall(r"-?[\d.]+", shape)] for shape in shapes]


def test_the_script_draws_what_python_drew(visit, place):
    page = opened(visit, place(scripts=False), size=DESKTOP)
    before, words = numbers(page.evaluate(SHAPES)), page.evaluate(WORDS)
    pictures = page.evaluate("() => [...document.querySelectorAll('image')].map(e => e.getAttribute('href'))")  # fmt: skip
    for script in SCRIPTS.values():
        page.add_script_tag(path=script)
    after = numbers(page.evaluate(SHAPES))
    assert len(before) == len(after) > 20
    for a, b in zip(sorted(before), sorted(after), strict=True):
        assert a == pytest.approx(b, abs=2e-3)
    drawn = page.evaluate(WORDS)
    assert sorted(words[9:]) == sorted(drawn) and words[:9] == re.split(r"\n+", page.locator(".counts").inner_text())  # fmt: skip
    shades = page.evaluate("""() => [...document.querySelectorAll("canvas")].map(({ width, height, ...rest }, k) => {
      const e = document.querySelectorAll("canvas")[k];
      return [e.height, e.width, [...e.getContext("2d").getImageData(0, 0, e.width, e.height).data].filter((_, n) => n % 4 === 3)]; })""")
    for picture, (rows, columns, alpha) in zip(pictures, shades, strict=True):
        file = b64decode(picture.removeprefix("data:image/png;base64,"))
        expected = 255 * matplotlib.image.imread(io.BytesIO(file), format="png")
        assert np.reshape(alpha, (rows, columns)) == pytest.approx(expected, abs=1.01)


# What a reader can do


@pytest.mark.parametrize("key", [" ", "l", "L"])
def test_it_listens_while_a_key_is_held(page, key):
    stage = page.get_by_role("application", name="What the net hears")
    tab_to(page, stage)
    start, top = at(page), page.evaluate("scrollY")
    page.keyboard.down(key)
    page.keyboard.down(key)  # as a keyboard repeats it
    page.wait_for_function(f"start => {ELEMENT}.at > start + 15", arg=start)
    assert runs(page)
    page.keyboard.up(key)
    assert not runs(page)
    stopped = at(page)
    page.wait_for_timeout(400)
    assert at(page) == stopped and page.evaluate("scrollY") == top
    assert says(page).startswith(f"At {stopped / 40:.1f}".rstrip())


def test_it_keeps_the_pace_of_speech(browser, place):
    context = browser.new_context(viewport={"width": 1280, "height": 1200})
    page = context.new_page()
    page.goto(place())
    page.get_by_role("application").focus()
    page.keyboard.down("l")
    measured = page.evaluate(f"""async () => {{
      const times = [];
      while (times.length < 40) {{
        await new Promise(requestAnimationFrame);
        times.push([performance.now(), {ELEMENT}.at]);
      }}
      return times; }}""")
    page.keyboard.up("l")
    elapsed, heard = np.array(measured[-1]) - measured[0]
    assert heard == pytest.approx(elapsed / 25, abs=2) and heard > 10
    assert len({frame for _, frame in measured}) > 0.5 * heard  # frame by frame
    context.close()


def test_less_motion_means_larger_steps_and_no_start_by_itself(page):
    start = at(page)
    page.wait_for_timeout(300)
    assert at(page) == start == live_listen.SHOWN and not runs(page)
    page.get_by_role("application").focus()
    page.keyboard.down("l")
    seen = page.evaluate(f"""async () => {{ const seen = new Set();
      while (seen.size < 4) {{ await new Promise(requestAnimationFrame); seen.add({ELEMENT}.at); }} return [...seen]; }}""")
    page.keyboard.up("l")
    assert min(np.diff(seen)) >= 10


def test_frames_one_by_one_and_the_start(page):
    page.get_by_role("application").focus()
    for key, expected in (("ArrowRight", 241), ("ArrowRight", 242), ("ArrowLeft", 241), ("Home", 0), ("ArrowLeft", 0), ("ArrowRight", 1)):  # fmt: skip
        page.keyboard.press(key)
        assert at(page) == expected
    page.get_by_role("button", name="One frame").click()
    assert at(page) == 2
    page.get_by_role("button", name="Restart").click()
    assert at(page) == 0 and page.locator("gm-listen circle").count() == 0


def test_other_fields_keep_their_keys(page):
    start = at(page)
    for role, name in (("combobox", "Listen to"), ("slider", "Threshold")):
        page.get_by_role(role, name=name).focus()
        for key in ("l", " ", "Escape"):
            page.keyboard.press(key)
            assert not runs(page)
    page.get_by_role("combobox", name="State").focus()
    page.keyboard.press("ArrowDown")
    assert at(page) == start and page.evaluate(f"{ELEMENT}.way") == "words"
    page.get_by_role("button", name="Restart").focus()
    page.keyboard.press("Space")
    assert at(page) == 0 and not runs(page)


def test_it_listens_while_the_button_is_held(page):
    button = page.get_by_role("button", name="Hold to listen")
    box = button.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    assert runs(page) and button.get_attribute("aria-pressed") == "true"
    page.mouse.move(box["x"] + 300, box["y"] - 200)
    assert runs(page)
    page.mouse.up()
    assert not runs(page) and button.get_attribute("aria-pressed") == "false"
    button.focus()
    page.keyboard.down("Space")
    assert runs(page)
    page.keyboard.up("Space")
    assert not runs(page)
    button.evaluate("e => e.click()")  # as a screen reader does
    assert runs(page)
    button.evaluate("e => e.click()")
    assert not runs(page)


def test_it_runs_on_for_those_who_cannot_hold_and_stops_at_the_end(page):
    switch = page.get_by_role("button", name="Keep running")
    tab_to(page, switch)
    page.keyboard.press("Enter")
    assert switch.get_attribute("aria-pressed") == "true" and runs(page)
    page.keyboard.press("Enter")
    assert switch.get_attribute("aria-pressed") == "false" and not runs(page)
    page.evaluate(f"{ELEMENT}.step({FRAMES - 12})")
    page.keyboard.press("Enter")
    page.wait_for_function(f"!{ELEMENT}.timer")
    assert at(page) == FRAMES and switch.get_attribute("aria-pressed") == "false"
    page.evaluate(f"{ELEMENT}.step({FRAMES - 12})")
    page.get_by_role("application").focus()
    page.keyboard.down("l")
    page.wait_for_function(f"!{ELEMENT}.timer")
    page.keyboard.down("l")  # held on, a key repeats itself
    assert at(page) == FRAMES and not runs(page)
    page.keyboard.up("l")
    switch.focus()
    page.keyboard.press("Enter")  # begins again
    assert at(page) < FRAMES and runs(page)
    page.evaluate("""() => { Object.defineProperty(document, "hidden", { get: () => true });
      document.dispatchEvent(new Event("visibilitychange")); }""")
    assert not runs(page)


def counts(page) -> list[str]:
    return page.locator(".counts").inner_text().replace("\u00a0", " ").replace("−", "-").split("\n")


def whole(value: float) -> str:
    """Without decimals, halves away from zero."""
    return f"{np.sign(value) * np.floor(abs(value) + 0.5):,.0f}"


def test_the_threshold_the_net_and_the_state_change_the_counts(page, data):
    xs, spans = live_listen.frames(data), [tuple(span) for span in data["stream"]["spans"]]
    stream = Stream(xs, tuple(spans))
    seen = set()
    for net, chosen in (("listener", "streams"), ("clips", "single words")):
        page.get_by_role("combobox", name="Net trained on").select_option(chosen)
        for way, state in zip(readings.WAYS, ("carried on", "reset before every word", "reset every 1.6 s"), strict=True):  # fmt: skip
            page.get_by_role("combobox", name="State").select_option(state)
            answers = live_listen.run(data["nets"][net], xs, readings.cuts_of(way, stream)).probabilities  # fmt: skip
            for threshold in (0.25, 0.4, 0.9):
                page.get_by_role("slider", name="Threshold").fill(str(threshold))
                held = readings.held_against(readings.reports(answers, threshold), spans)
                late = f"{whole(25 * np.median(held.late))} ms" if held.late else "–"
                expected = [f"{len(spans) - held.missed} of {len(spans)}", str(held.alarms),
                            f"{whole(readings.per_hour(held.alarms, FRAMES))} an hour", late]  # fmt: skip
                found = counts(page)
                assert [found[1], found[4], found[5], found[7]] == expected, (net, way, threshold)
                seen.add(tuple(found))
    assert len(seen) > 8


def test_marks_stand_where_the_reports_are(page, data):
    excerpt = live_listen.Excerpt(data)
    page.evaluate(f"{ELEMENT}.step(400)")
    shown = [k for k, (frame, _) in enumerate(excerpt.reports) if 160 <= frame < 400]
    right = sum(excerpt.right(k) for k in shown)
    assert page.locator("gm-listen circle").count() == right > 1
    assert page.locator("gm-listen path").count() == len(shown) - right > 1
    over = [span for span in excerpt.spans if span[1] > 160 and span[1] + readings.LATE <= 400]
    missed = [span for span in over if readings.held_against(excerpt.reports, [span]).missed]
    dashed = page.locator("gm-listen rect[stroke]")
    assert dashed.count() == len(missed) > 1
    page.evaluate(f"{ELEMENT}.step({missed[-1][1] + readings.LATE - 1})")  # a report may still come
    before = dashed.count()
    page.get_by_role("button", name="One frame").click()
    assert dashed.count() == before + 1


def test_what_is_heard_follows_what_is_seen(page):
    status = page.get_by_role("status")
    assert status.get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="One frame").click()
    text = says(page)
    page.wait_for_function("text => document.querySelector('[role=status]').textContent === text", arg=text)  # fmt: skip
    before = status.inner_text()
    page.get_by_role("application").focus()
    page.keyboard.down("l")
    page.wait_for_timeout(1200)
    assert status.inner_text() == before  # nothing is said while it runs
    page.keyboard.up("l")


def test_the_other_voice_is_played_in_step(page, data):
    page.evaluate("""() => { window.played = []; window.ended = 0;
      const { start } = AudioBufferSourceNode.prototype, { close } = AudioContext.prototype;
      AudioBufferSourceNode.prototype.start = function (...how) { played.push([this.buffer.length, this.buffer.sampleRate, ...how]); return start.apply(this, how); };
      AudioContext.prototype.close = function () { ended++; return close.apply(this); }; }""")
    page.get_by_role("combobox", name="Listen to").select_option("another voice, with sound")
    assert at(page) == 0 and "of 2" in counts(page)[1]
    page.get_by_role("application").focus()
    page.evaluate(f"{ELEMENT}.step(4)")
    page.keyboard.down("l")
    page.keyboard.up("l")
    assert page.evaluate("[played, ended]") == [[[2500 + 800, 8000, 0, 0.1]], 1]
    page.get_by_role("combobox", name="Listen to").select_option("a voice it never heard")
    page.keyboard.down("l")
    page.keyboard.up("l")
    assert page.evaluate("played.length") == 1


def test_colors_follow_the_page(page):
    shade = (
        "() => [...document.querySelector('canvas').getContext('2d').getImageData(9, 3, 1, 1).data]"
    )
    light = page.evaluate(shade)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"light => ({shade})().join() !== light.join()", arg=light)
    dark = page.evaluate(shade)
    assert sum(dark[:3]) > sum(light[:3]) and dark[3] == light[3]


# A microphone


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> tuple[Path, np.ndarray]:
    """A sound file with three digits of a voice that is in no training part."""
    path = tmp_path_factory.mktemp("sound") / "digits.wav"
    samples = np.concatenate([np.pad(read_wave(DATA / "sounds" / f"{digit}.wav"), (0, 3000)) for digit in (4, 7, 2)])  # fmt: skip
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((32767 * samples).astype("<i2").tobytes())
    return path, samples


@pytest.fixture(scope="module")
def ears(browser, digits):
    """A browser whose microphone plays that file, again and again."""
    own = next((path for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable") if (path := shutil.which(name))), None)  # fmt: skip
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={digits[0]}"]  # fmt: skip
    other = browser.browser_type.launch(executable_path=own, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", *fake])  # fmt: skip
    yield other
    other.close()


KEEP = """() => {
  window.heard = []; window.tracks = [];
  const { hear } = GM.Listener.prototype, ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  GM.Listener.prototype.hear = function (samples) { heard.push(...samples); return hear.call(this, samples); };
  navigator.mediaDevices.getUserMedia = async (what) => {
    window.asked = what;
    const stream = await ask(what);
    tracks.push(...stream.getTracks());
    return stream;
  };
}"""
OTHER_RATE = """() => { const Own = AudioContext;
  window.AudioContext = class extends Own {
    constructor(how = {}) { if (how.sampleRate) throw new DOMException("no", "NotSupportedError"); super(how); window.rate = this.sampleRate; }
  }; }"""


def likeness(found: np.ndarray, played: np.ndarray) -> float:
    """The largest correlation of what was heard with what was played, again and again, over all delays."""
    ring = np.tile(played, 2 + len(found) // len(played))
    size = 1 << int(np.ceil(np.log2(len(ring) + len(found))))
    products = np.fft.irfft(np.fft.rfft(ring, size) * np.fft.rfft(found, size).conj(), size)[: len(played)]  # fmt: skip
    squares = np.concatenate([[0], np.cumsum(ring**2)])
    energy = squares[len(found) : len(found) + len(played)] - squares[: len(played)]
    return float((products / np.sqrt(energy * np.sum(found**2))).max())


@pytest.mark.parametrize("other_rate", [False, True])
def test_a_microphone_is_heard_and_nothing_leaves_the_page(ears, place, digits, other_rate):
    context = ears.new_context(viewport={"width": 1280, "height": 1200})
    page, errors, requests = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None)
    page.goto(place())
    page.wait_for_load_state("networkidle")
    context.on("request", lambda request: requests.append(request.url))
    page.evaluate(KEEP)
    if other_rate:
        page.evaluate(OTHER_RATE)
    button = page.get_by_role("button", name="Listen to my microphone")
    button.click()
    page.wait_for_function(f"{ELEMENT}.steps.length > 150")
    stop = page.get_by_role("button", name="Stop the microphone")
    assert stop.get_attribute("aria-pressed") == "true"
    assert page.get_by_role("combobox", name="Listen to").input_value() == "2"
    page.wait_for_function(f"document.querySelector('.counts b').textContent === String({ELEMENT}.found.length)")  # fmt: skip
    stop.click()
    assert page.evaluate("tracks.map(({ readyState }) => readyState)") == ["ended"]
    assert "heard, " in says(page) and button.get_attribute("aria-pressed") == "false"
    length = page.evaluate(f"{ELEMENT}.steps.length")
    page.wait_for_timeout(400)
    assert page.evaluate(f"{ELEMENT}.steps.length") == length

    found = np.array(page.evaluate("heard"))
    assert length == len(found) // 200 == at(page)
    assert likeness(found[:20_000], digits[1]) > 0.95
    assert page.evaluate("asked.audio.noiseSuppression") is False
    expected = (Listener().hear(found) - 1) / 2
    frames = page.evaluate(f"{ELEMENT}.steps.map(({{ frame }}) => [...frame])")
    assert np.array(frames) == pytest.approx(expected, abs=1e-3)
    net = page.evaluate(f"{ELEMENT}.steps.map(({{ h }}) => [...h])")
    again = page.evaluate(f"(() => {{ const {{ data, source }} = {ELEMENT}; return {LISTEN}.run(data.nets.listener, source.frames).map(({{ h }}) => [...h]); }})()")  # fmt: skip
    assert np.array(net) == pytest.approx(np.array(again), abs=1e-12)
    assert [url for url in requests if not url.startswith("blob:")] == [] and errors == []
    if other_rate:
        assert page.evaluate("rate") > RATE
    page.get_by_role("application").focus()
    page.keyboard.down("l")  # back to the voice that is there
    assert page.evaluate(f"{ELEMENT}.number") == 0 and runs(page)
    context.close()


@pytest.fixture
def listening(ears, place):
    """A page that hears its microphone."""
    context = ears.new_context()
    page = context.new_page()
    page.goto(place())
    page.evaluate(KEEP)
    page.get_by_role("button", name="Listen to my microphone").click()
    page.wait_for_function(f"{ELEMENT}.steps.length > 10")
    yield page
    context.close()


def test_the_microphone_ends_when_nobody_looks(listening):
    listening.evaluate("""() => { Object.defineProperty(document, "hidden", { get: () => true });
      document.dispatchEvent(new Event("visibilitychange")); }""")
    assert listening.evaluate("tracks.map(({ readyState }) => readyState)") == ["ended"]
    assert listening.get_by_role("button", name="Listen to my microphone").is_visible()


def test_a_microphone_that_is_taken_away_is_missed(listening):
    listening.evaluate("tracks.forEach((track) => track.dispatchEvent(new Event('ended')))")
    assert "The microphone is gone." in says(listening)
    assert listening.get_by_role("button", name="Listen to my microphone").is_visible()


def test_a_long_talk_is_forgotten_in_time(page):
    lengths = page.evaluate(f"""() => {{ const e = {ELEMENT}, noise = () => Array.from({{ length: 200 }}, () => Float64Array.from({{ length: 13 }}, Math.random));
      e.choose ?? 0; e.open(2); e.way = "chunks"; const lengths = [];
      for (let k = 0; k < 60; k++) {{ e.hear(noise()); lengths.push(e.steps.length, e.source.frames.length); }}
      return lengths; }}""")
    assert max(lengths) <= 80 * 64 and lengths[0::2] == lengths[1::2]


@pytest.mark.parametrize(
    ("error", "text"),
    [("NotAllowedError", "was refused"), ("NotFoundError", "No microphone was found"), ("AbortError", "cannot be heard: it broke")],
)  # fmt: skip
def test_a_microphone_that_is_not_to_be_had_is_spoken_of(page, error, text):
    page.evaluate(
        "name => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('it broke', name)); }",
        error,
    )
    page.get_by_role("button", name="Listen to my microphone").click()
    page.wait_for_function("text => document.querySelector('.gm-says').textContent.includes(text)", arg=text)  # fmt: skip
    assert page.get_by_role("button", name="Listen to my microphone").get_attribute("aria-pressed") == "false"  # fmt: skip


def test_a_page_without_a_secure_connection_says_so(page):
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.get_by_role("button", name="Listen to my microphone").click()
    assert "https" in says(page)


def test_the_page_says_what_to_expect(page):
    text = page.locator("gm-listen .note").last.inner_text().replace("\u00a0", " ")
    assert "nothing leaves it" in text and "found 60 to 90 % of the words, with 20 to 100 false alarms" in text  # fmt: skip


# For everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, place, scheme):
    page = opened(visit, place(), scheme=scheme, size=DESKTOP)
    page.evaluate(AXE)
    for change in (f"{ELEMENT}.step(400)", f"{ELEMENT}.open(1)", f"{ELEMENT}.keep()"):
        page.evaluate(change)
        found = page.evaluate(
            "tags => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", RULES
        )["violations"]
        assert [(problem["id"], node["html"][:160]) for problem in found for node in problem["nodes"]] == []  # fmt: skip


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("size", [NARROW, PHONE])
def test_fits_a_phone_in_letters_that_can_be_read(visit, place, size, scripts):
    page = opened(visit, place(scripts), size=size)
    for change in (f"{ELEMENT}.step(0)", f"{ELEMENT}.step(397)") if scripts else ("0",):
        page.evaluate(change)
        assert_fits(page)


def test_the_focus_can_be_seen(page):
    stage = page.get_by_role("application")
    tab_to(page, stage)
    assert stage.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_the_answer_to_the_slider_comes_within_a_frame(page):
    change = """k => { const limit = document.querySelector("[name=threshold]");
      limit.value = 0.2 + k / 50;
      limit.dispatchEvent(new Event("input"));
      document.querySelector("gm-listen").getBoundingClientRect(); }"""
    assert milliseconds_of_work(page, change) < 16


def test_the_scripts_stay_small():
    assert SCRIPTS["gm-listen"].stat().st_size <= 20 * 1024
    assert SCRIPTS["gm-ears"].stat().st_size <= 8 * 1024
