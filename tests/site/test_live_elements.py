"""The figures that can be touched: they compute what PyTorch computes, and everybody can use them."""

import re

import numpy as np
import pytest
import torch
from site_pages import STATIC, assert_fits, figure_page, milliseconds_of_work
from test_pages import AXE, RULES

from experiments.live import _percent, forecast_figure, forecasts, read_review, review_figure
from experiments.quantized import dequantize, quantize

PHONE, NARROW, DESKTOP = (360, 780), (320, 700), (1280, 900)
REVIEW, FORECAST = "gm-review", "gm-forecast"
SENTENCE = "Not bad at all, just a little too zigzaggy"
COMMON = (
    "the a of and not bad good at all just little too long it's don't film never boring".split()
)


def weights(rng: np.random.Generator, inputs: int, hidden: int, outputs: int) -> dict:
    shapes = {"weight_ih": (3 * hidden, inputs), "weight_hh": (3 * hidden, hidden),
              "bias_ih": (3 * hidden,), "bias_hh": (3 * hidden,),
              "readout_weight": (outputs, hidden), "readout_bias": (outputs,)}  # fmt: skip
    return {name: quantize(rng.uniform(-0.5, 0.5, shape)) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def review() -> dict:
    rng = np.random.default_rng(1)
    letters = np.array([*"abcdefghijklmnopqrstuvwxy"])
    made = ["".join(rng.choice(letters, rng.integers(2, 12))) for _ in range(1580)]
    words = list(dict.fromkeys([*COMMON, *made]))
    known, width = len(words) + 2, 32
    return {
        "words": " ".join(words), "longest": 32,
        "net": {"embedding": quantize(rng.normal(size=(known, width)))} | weights(rng, width, 64, 2),
        "bag": {"weights": quantize(rng.normal(size=known)), "bias": -0.25},
        "examples": [SENTENCE, "Good", "It's not a bad film </script>"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def electricity() -> dict:
    rng = np.random.default_rng(2)
    hours = np.arange(192)
    windows = []
    for day in (3, 10):
        load = 2500 + 900 * np.sin((hours - 8) * np.pi / 12) + 80 * rng.normal(size=192)
        windows.append({"title": f"Week of March {day}, 2014", "begins": f"2014-03-{day:02} 00:00",
                        "load": load[:168].tolist(), "next": load[168:].tolist()})  # fmt: skip
    linear = {"weights": rng.normal(size=(24, 168)) / 20, "bias": rng.normal(size=24) / 20}
    return {
        "net": weights(rng, 1, 64, 24), "mean": 2539.0, "scale": 992.1,
        "linear": {name: quantize(array) for name, array in linear.items()},
        "half": np.linspace(80, 260, 24).tolist(), "windows": windows,
    }  # fmt: skip


@pytest.fixture(scope="module")
def figures(review, electricity) -> dict[str, str]:
    return {REVIEW: review_figure(review, SENTENCE), FORECAST: forecast_figure(electricity)}


@pytest.fixture(scope="module")
def address(figures, tmp_path_factory):
    """Where a page with one of the figures lies, with its scripts or without."""
    folder = tmp_path_factory.mktemp("live")

    def at(element: str, scripts: bool = True) -> str:
        wanted = ("gm-elements", element) if scripts else ()
        return figure_page(folder / f"{element}-{scripts}.html", figures[element], wanted)

    return at


def opened(visit, url: str, **how):
    seen = visit(url, own=True, **how)
    assert seen.errors == []
    return seen.page


ASK = "text => customElements.get('gm-review').what(document.querySelector('gm-review').data, text)"

# The same numbers as PyTorch


def torch_gru(net: dict) -> tuple[torch.nn.GRU, dict[str, torch.Tensor]]:
    arrays = {name: torch.from_numpy(dequantize(q)).double() for name, q in net.items()}
    hidden, inputs = arrays["weight_hh"].shape[1], arrays["weight_ih"].shape[1]
    gru = torch.nn.GRU(inputs, hidden, batch_first=True).double()
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    gru.load_state_dict({f"{name}_l0": arrays[name] for name in names})
    return gru, arrays


def review_by_torch(data: dict, text: str) -> dict:
    gru, net = torch_gru(data["net"])
    number = {word: k + 2 for k, word in enumerate(data["words"].split())}
    tokens = re.findall(r"[a-z']+", text.lower())[:32]
    numbers = [number.get(word, 1) for word in tokens]
    with torch.no_grad():
        xs = net["embedding"][torch.tensor(numbers or [0])]
        hs = gru(xs[None])[0][0]
        before = torch.cat([torch.zeros_like(hs[:1]), hs[:-1]])
        of_input = (xs @ net["weight_ih"].T + net["bias_ih"]).chunk(3, -1)
        of_state = (before @ net["weight_hh"].T + net["bias_hh"]).chunk(3, -1)
        r, z = (torch.sigmoid(of_input[k] + of_state[k]) for k in (0, 1))
        logits = hs @ net["readout_weight"].T + net["readout_bias"]
        running = logits.softmax(-1)[:, 1]
        in_bag = dequantize(data["bag"]["weights"]).astype(float)[numbers]
        total = torch.tensor(data["bag"]["bias"] + in_bag.sum())
    return {
        "tokens": tokens, "known": [word in number for word in tokens],
        "z": z.mean(-1).tolist(), "r": r.mean(-1).tolist(), "move": (hs - before).norm(dim=-1).tolist(),
        "logits": logits[-1].tolist(), "probability": running[-1].item(), "running": running.tolist(),
        "bag": {"weights": in_bag.tolist(), "probability": torch.sigmoid(total).item()},
    }  # fmt: skip


def random_texts(data: dict, count: int) -> list[str]:
    rng = np.random.default_rng(3)
    texts = ["", "   ", "...!", "good", "zzz", "'", "It's NOT bad", "DON'T", "na\u00efve caf\u00e9", "\u0130stanbul \u212aelvin",
             "\u4e0d\u9519 \U0001f600 good", "a\nb\tc", "good" * 500, "not " * 33, "zebra-crossing, 3 of 4"]  # fmt: skip
    words = [*data["words"].split(), *["zz", "zip", "O'Zone", "\u00c9t\u00e9", "42"] * 80]
    while len(texts) < count:
        chosen = rng.choice(words, rng.integers(1, 45)).tolist()
        cased = [word.upper() if rng.random() < 0.2 else word for word in chosen]
        texts.append(str(rng.choice([" ", ", ", " \u2014 "])).join(cased))
    return texts


def assert_same(found: dict, expected: dict, what: str) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_same(found[name], value, what)
        elif name in ("tokens", "known"):
            assert found[name] == value, what
        else:
            assert found[name] == pytest.approx(value, abs=1e-5), (what, name)


def test_the_page_reads_as_pytorch_does(visit, address, review):
    texts = random_texts(review, 100)
    found = opened(visit, address(REVIEW)).evaluate(
        """texts => { const { data } = document.querySelector("gm-review");
          return texts.map(text => customElements.get("gm-review").read(data, text)); }""",
        texts,
    )
    for text, answer in zip(texts, found, strict=True):
        assert_same(answer, review_by_torch(review, text), text)


def test_python_reads_as_the_page_does(review):
    for text in random_texts(review, 30):
        found, expected = read_review(review, text), review_by_torch(review, text)
        for name in ("tokens", "known", "z", "r", "move", "running", "probability"):
            exact = name in ("tokens", "known")
            assert found[name] == (expected[name] if exact else pytest.approx(expected[name]))
        assert found["bag"] == pytest.approx(expected["bag"]["probability"])


def test_what_a_word_is_worth_is_what_is_lost_without_it(visit, address, review):
    page = opened(visit, address(REVIEW))
    for text in ("good", "not zz bad", " ".join(COMMON * 3)):
        tokens = text.split()
        found = page.evaluate(ASK.replace("what", "worth"), text)
        whole = review_by_torch(review, text)["probability"]
        rest = [" ".join(tokens[:k] + tokens[k + 1 :]) for k in range(min(len(tokens), 32))]
        lost = [whole - review_by_torch(review, without)["probability"] for without in rest]
        assert found == pytest.approx(lost, abs=1e-5)


def forecast_by_torch(data: dict, load: list[float]) -> dict[str, np.ndarray]:
    gru, net = torch_gru(data["net"])
    week = np.array(load)
    x = torch.from_numpy((week - data["mean"]) / data["scale"])
    linear = {name: torch.from_numpy(dequantize(q)).double() for name, q in data["linear"].items()}
    with torch.no_grad():
        h = gru(x[None, :, None])[0][0, -1]
        answers = {
            "net": net["readout_weight"] @ h + net["readout_bias"],
            "linear": linear["weights"] @ x + linear["bias"],
        }
    changed = {name: week[144:] + data["scale"] * y.numpy() for name, y in answers.items()}
    return changed | {"yesterday": week[144:], "lastWeek": week[:24]}


def random_loads(count: int) -> list[list[float]]:
    rng = np.random.default_rng(4)
    loads = [np.full(168, value) for value in (0.0, 2539.0, 1e6, -500.0)]
    loads += [1e6 * rng.normal(size=168), 1e-3 * rng.normal(size=168)]
    while len(loads) < count:
        walk = 2500 + 200 * rng.normal(size=168).cumsum()
        loads.append(rng.choice([walk, rng.uniform(0, 6000, 168)]))
    return [load.tolist() for load in loads]


def test_the_page_forecasts_as_pytorch_does(visit, address, electricity):
    loads = random_loads(100)
    found = opened(visit, address(FORECAST)).evaluate(
        """loads => { const { data } = document.querySelector("gm-forecast");
          return loads.map(load => customElements.get("gm-forecast").forecast(data, load)); }""",
        loads,
    )
    for load, answer in zip(loads, found, strict=True):
        expected = forecast_by_torch(electricity, load)
        in_python = forecasts(electricity, load)
        assert answer.keys() == expected.keys() == in_python.keys()
        for name, values in expected.items():
            near = pytest.approx(values.tolist(), abs=1e-5 * electricity["scale"], rel=0)
            assert answer[name] == near, name
            assert in_python[name].tolist() == near, name


def test_the_page_decodes_what_python_packs(visit, address):
    rng = np.random.default_rng(5)
    arrays = {"flat": rng.normal(size=7), "rows": rng.normal(size=(5, 3)) * [[1], [0], [1e-6], [1e6], [3]]}  # fmt: skip
    packed = {name: quantize(array) for name, array in arrays.items()}
    found = opened(visit, address(REVIEW)).evaluate(
        "packed => Object.fromEntries(Object.entries(GM.decodeAll(packed)).map(([k, v]) => [k, [...v.values]]))",
        packed,
    )
    for name, q in packed.items():
        assert found[name] == dequantize(q).ravel().astype(float).tolist()


# The drawing that stands there first


@pytest.mark.parametrize("element", [REVIEW, FORECAST])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_complete_without_javascript(browser, address, element, size):
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(java_script_enabled=False, viewport=viewport)
    page = context.new_page()
    page.goto(address(element))
    drawing = page.get_by_role("img")
    assert drawing.count() == 1 and drawing.is_visible()
    box = drawing.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= size[0] and box["height"] > 200
    assert page.locator("button, input, select, textarea").count() == 0
    wanted = {
        REVIEW: ["not", "zigzaggy", "The net says", "Verdict", "Taken"],
        FORECAST: ["GRU", "Same hour yesterday", "What happened", "Yesterday, Sun, Mar 9", "Today, Mon, Mar 10"],
    }  # fmt: skip
    for text in wanted[element]:
        assert drawing.get_by_text(text, exact=True).first.is_visible(), text
    assert page.locator("svg > title").count() == page.locator("svg > desc").count() == 1
    assert page.locator("figcaption").is_visible()
    context.close()


SHAPES = """() => [...document.querySelectorAll("main svg :is(rect:not([data-hour]), polyline, polygon)")]
  .map(e => e.getAttribute("points") ?? e.getAttribute("width") + " " + (e.getAttribute("x") ?? 0))"""


def numbers(shapes: list[str]) -> list[list[float]]:
    return [[float(n) for n in re.findall(r"-?[\d.]+", shape)] for shape in shapes]


@pytest.mark.parametrize("element", [REVIEW, FORECAST])
def test_the_script_draws_what_python_drew(visit, address, element):
    page = opened(visit, address(element, scripts=False))
    before = numbers(page.evaluate(SHAPES))
    for script in ("gm-elements", element):
        page.add_script_tag(path=STATIC / f"{script}.js")
    after = numbers(page.evaluate(SHAPES))
    assert len(before) == len(after) > 5
    for a, b in zip(before, after, strict=True):
        assert a == pytest.approx(b, abs=2e-3)


# What a reader can do with a review


def percents(page) -> tuple[str, str]:
    net, bag = page.locator(".verdicts b").all_inner_texts()
    return net, bag


def said(page, text: str) -> tuple[str, str]:
    """What stands in the two verdicts when the text is read."""
    answer = page.evaluate(ASK.replace("what", "read"), text)
    shares = answer["probability"], answer["bag"]["probability"]
    return tuple(f"{_percent(share)} good" for share in shares)


def words(page) -> list[str]:
    return page.locator("[role=option] > b").all_inner_texts()


def tab_to(page, where) -> None:
    """Press Tab until the focus is there, at most once around the page."""
    for _ in range(40):
        if where.evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {where}")


def test_a_review_is_typed_cut_and_turned_by_keyboard(visit, address):
    page = opened(visit, address(REVIEW))
    field = page.get_by_role("textbox", name="Write a review")
    tab_to(page, field)
    page.keyboard.press("Control+A")
    page.keyboard.type("Not a Bad film, never boring")
    assert words(page) == ["not", "a", "bad", "film", "never", "boring"]
    assert percents(page) == said(page, "Not a Bad film, never boring")

    options = page.get_by_role("listbox").get_by_role("option")
    tab_to(page, options.first)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert options.nth(2).get_attribute("aria-selected") == "true"
    page.keyboard.press("Delete")
    assert field.input_value() == "Not a film, never boring"
    assert options.nth(2).evaluate("e => e === document.activeElement")
    assert percents(page) == said(page, "not a film never boring")

    tab_to(page, page.get_by_role("button", name="Exchange with \u201cnever\u201d"))
    page.keyboard.press("Enter")
    assert field.input_value() == "Not a never, film boring"
    assert "does not see the order" in page.locator(".gm-says").inner_text()
    tab_to(page, page.get_by_role("button", name="Drop \u201cfilm\u201d"))
    page.keyboard.press("Space")
    assert words(page) == ["not", "a", "never", "boring"]

    asks = page.get_by_role("button", name="What is each word worth?")
    tab_to(page, asks)
    page.keyboard.press("Space")
    assert asks.get_attribute("aria-pressed") == "true"
    assert "points to the net" in options.first.inner_text()
    undo = page.get_by_role("button", name="Undo")
    tab_to(page, undo)
    for text in (
        "Not a never, film boring",
        "Not a film, never boring",
        "Not a Bad film, never boring",
        SENTENCE,
    ):
        page.keyboard.press("Enter")
        assert field.input_value() == text
    assert undo.get_attribute("aria-disabled") == "true"
    assert undo.evaluate("e => e === document.activeElement")


def test_an_example_is_chosen_by_keyboard_and_the_start_found_again(visit, address):
    page = opened(visit, address(REVIEW))
    tab_to(page, page.get_by_role("combobox", name="Example"))
    page.keyboard.press("ArrowDown")
    assert words(page) == ["good"]
    tab_to(page, page.get_by_role("button", name="Start again"))
    page.keyboard.press("Enter")
    assert page.get_by_role("textbox").input_value() == SENTENCE


def test_words_are_selected_by_pointer(visit, address):
    page = opened(visit, address(REVIEW), size=PHONE)
    page.get_by_role("listbox").get_by_role("option").nth(1).click()
    assert "\u201cbad\u201d" in page.locator(".gm-says").inner_text()
    page.get_by_role("button", name="Drop \u201cbad\u201d").click()
    assert words(page)[:2] == ["not", "at"]
    assert "Without \u201cbad\u201d" in page.locator(".gm-says").inner_text()


def test_strange_words_many_words_and_none_are_spoken_of(visit, address):
    page = opened(visit, address(REVIEW))
    note, field = page.locator(".gm-note"), page.get_by_role("textbox")
    assert "not in the vocabulary" in note.inner_text()
    assert (
        "not in the vocabulary"
        in page.get_by_role("listbox").get_by_role("option", name="zigzaggy").inner_text()
    )
    field.fill("good " * 35)
    assert len(words(page)) == 32 and "leaves out 3" in note.inner_text()
    field.fill("")
    assert words(page) == [] and "No word yet" in note.inner_text()
    assert percents(page) == said(page, "")


def test_a_tag_in_a_review_stays_a_text(visit, address):
    page = opened(visit, address(REVIEW))
    page.get_by_role("textbox").fill("<b>bad</b> <img src=x onerror=alert(1)>")
    assert words(page)[:3] == ["b", "bad", "b"]
    assert page.locator("main img").count() == 0


# What a reader can do with a forecast


def column(page, number: int) -> list[str]:
    return page.locator(f"[role=row]:not(.head, .band, .fact) > :nth-child({number})").all_inner_texts()  # fmt: skip


def drawn(page) -> dict[str, list]:
    return page.evaluate("() => { const { load, now } = document.querySelector('gm-forecast'); return { load, ...now }; }")  # fmt: skip


def test_yesterday_is_moved_by_keyboard(visit, address, electricity):
    page = opened(visit, address(FORECAST))
    before = drawn(page)
    hour = page.get_by_role("slider", name="Hour")
    tab_to(page, hour)
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert hour.get_attribute("aria-valuetext") == "05:00"
    tab_to(page, page.get_by_role("slider", name="Neighbors that follow"))
    page.keyboard.press("Home")
    level = page.get_by_role("slider", name="Load yesterday")
    level.focus()
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    after = drawn(page)
    moved = np.flatnonzero(np.array(after["load"]) - before["load"]).tolist()
    assert moved == [144 + 5]
    expected = forecast_by_torch(electricity, after["load"])
    assert after["net"] == pytest.approx(expected["net"].tolist())
    assert after["net"] != before["net"] and after["linear"] != before["linear"]
    assert after["yesterday"] != before["yesterday"] and after["lastWeek"] == before["lastWeek"]
    assert "You moved 05:00 yesterday by +" in page.locator(".gm-says").inner_text()
    tab_to(page, page.get_by_role("button", name="Start again"))
    page.keyboard.press("Enter")
    assert drawn(page) == before


def test_the_rest_of_the_forecast_is_reached_by_keyboard(visit, address, electricity):
    page = opened(visit, address(FORECAST))
    tells = page.get_by_role("button", name="What happened")
    tab_to(page, tells)
    page.keyboard.press("Space")
    assert tells.get_attribute("aria-pressed") == "true"
    errors = [np.abs(np.array(drawn(page)[way]) - electricity["windows"][0]["next"]).mean()
              for way in ("net", "linear", "yesterday", "lastWeek")]  # fmt: skip
    assert column(page, 4) == [f"{error:,.0f}" for error in errors]
    page.keyboard.press("Space")
    assert column(page, 4) == [""] * 4
    for name in ("Lift the evening", "Flatten the day"):
        before = drawn(page)
        tab_to(page, page.get_by_role("button", name=name))
        page.keyboard.press("Enter")
        assert drawn(page)["net"] != before["net"]
    assert len(set(drawn(page)["yesterday"])) == 1
    tab_to(page, page.get_by_role("combobox", name="Example"))
    page.keyboard.press("ArrowDown")
    assert drawn(page)["load"] == electricity["windows"][1]["load"]


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_dragging_moves_the_forecast(visit, address, electricity, size):
    page = opened(visit, address(FORECAST), size=size)
    before, grip = drawn(page), page.locator("rect[data-hour='9']")
    assert grip.evaluate("e => getComputedStyle(e).touchAction") == "none"
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    assert drawn(page)["load"] == before["load"]
    page.mouse.move(x + 30, y - 20)
    on_the_way = drawn(page)
    page.mouse.move(x + 30, y - 40)
    page.mouse.up()
    page.mouse.move(x, y)
    after = drawn(page)
    at = 144 + 9
    assert after["load"][at] > on_the_way["load"][at] > before["load"][at]
    assert np.argmax(np.array(after["load"]) - before["load"]) == at
    expected = forecast_by_torch(electricity, after["load"])
    for way in ("net", "linear", "yesterday", "lastWeek"):
        assert after[way] == pytest.approx(expected[way].tolist()), way
    by = after["load"][at] - before["load"][at]
    assert column(page, 5)[2] == f"+{by:,.0f}"
    assert column(page, 5)[3] == "0"


# For everybody, at once


EVERYTHING = {
    REVIEW: "() => { document.querySelectorAll('[role=option]')[1].focus(); document.querySelector('gm-review').ask(); }",
    FORECAST: "() => { const e = document.querySelector('gm-forecast'); e.tell(); e.set(18, 3000); }",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("element", [REVIEW, FORECAST])
def test_axe_finds_nothing(visit, address, element, scheme):
    page = opened(visit, address(element), scheme=scheme)
    page.evaluate(AXE)
    for change in ("() => {}", EVERYTHING[element]):
        page.evaluate(change)
        found = page.evaluate(
            "tags => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", RULES
        )["violations"]
        assert [(problem["id"], node["html"][:160]) for problem in found for node in problem["nodes"]] == []  # fmt: skip


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("size", [NARROW, PHONE])
@pytest.mark.parametrize("element", [REVIEW, FORECAST])
def test_fits_a_phone_in_letters_that_can_be_read(visit, address, element, size, scripts):
    page = opened(visit, address(element, scripts), size=size)
    for change in ("() => {}", EVERYTHING[element]) if scripts else ("() => {}",):
        page.evaluate(change)
        assert_fits(page)


HEADS = """() => {
  const boxes = [...document.querySelectorAll(".score svg text")].filter(e => e.textContent)
    .map(e => e.getBoundingClientRect());
  const cross = (a, b) => a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
  return boxes.flatMap((a, k) => boxes.slice(k + 1).filter(b => cross(a, b))).length;
}"""


def test_the_heads_of_the_columns_do_not_touch(visit, address):
    page = opened(visit, address(REVIEW), size=NARROW)
    assert page.evaluate(HEADS) == 0
    page.evaluate(EVERYTHING[REVIEW])
    assert page.evaluate(HEADS) == 0


CHANGES = {
    REVIEW: """k => {
      const element = document.querySelector("gm-review"), field = element.querySelector("textarea");
      if (!element.asked) element.ask();
      field.value = "not bad at all ".repeat(7) + "the film good " + "a".repeat(k);
      field.dispatchEvent(new Event("input"));
      element.getBoundingClientRect();
    }""",
    FORECAST: """k => {
      const element = document.querySelector("gm-forecast"), level = element.querySelector("[name=load]");
      level.value = 2000 + 50 * k;
      level.dispatchEvent(new Event("input"));
      element.getBoundingClientRect();
    }""",
}


@pytest.mark.parametrize("element", [REVIEW, FORECAST])
def test_the_answer_comes_within_a_frame(visit, address, element):
    assert milliseconds_of_work(opened(visit, address(element)), CHANGES[element]) < 16


def test_what_is_heard_follows_what_is_seen(visit, address):
    page = opened(visit, address(REVIEW))
    status = page.get_by_role("status")
    assert status.get_attribute("aria-live") == "polite"
    page.get_by_role("textbox").fill("good")
    seen = page.locator(".gm-says").inner_text()
    page.wait_for_function("text => document.querySelector('[role=status]').textContent === text", arg=seen)  # fmt: skip
