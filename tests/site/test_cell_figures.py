"""The cells and the curve of forgetting that can be touched: PyTorch's numbers, and everybody's hands."""

import gzip
import re

import numpy as np
import pytest
import torch
from site_pages import PHONE, assert_fits, extension, figure_page
from test_pages import AXE, RULES

from autograder.course import reference
from autograder.course.diagrams import cell_figures, forgetting_figure
from autograder.course.diagrams.pen import flow_width

lean_scripts = extension("lean_scripts")
elements, lean = lean_scripts.elements, lean_scripts.lean

NAMES = "gm-elements", "gm-sequence", "gru-cell", "lstm-cell", "gm-forgetting"
GRU, LSTM, FORGETTING = "gm-gru-cell", "gm-lstm-cell", "gm-forgetting"

MOST_BYTES = 40 * 1024
# They have a budget of their own, scripts and nets together: see test_live_language.py.
OF_THEIR_OWN = {"gm-translate", "gm-house"}


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """Where a page with the three figures and their scripts lies."""
    figures = [
        cell_figures.gru_figure(),
        cell_figures.lstm_figure(),
        forgetting_figure.forgetting_figure(),
    ]
    return figure_page(tmp_path_factory.mktemp("cells") / "page.html", "".join(figures), NAMES)


@pytest.fixture
def page(visit, address):
    """One visit for all that does not need its own, every figure as at the start."""
    seen = visit(address)
    seen.page.set_default_timeout(8000)
    assert seen.errors == []
    for element in (GRU, LSTM, FORGETTING):
        seen.page.locator(element).get_by_role("button", name="Start again").click()
    return seen.page


# The same numbers as PyTorch


def random_params(rng, gates: str, hidden: int, inputs: int) -> dict[str, np.ndarray]:
    return {f"W_{g}": rng.normal(size=(hidden, hidden + inputs)) for g in gates} | {
        f"b_{g}": rng.normal(size=hidden) for g in gates
    }


def lists(arrays: dict[str, np.ndarray]) -> dict[str, list]:
    return {name: array.tolist() for name, array in arrays.items()}


def tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(array) for name, array in arrays.items()}


CONVENTIONS = [(u, r) for u in reference.UPDATES for r in reference.RESETS]
RUN_GRU = "([p, xs, h0, u, r]) => customElements.get('gm-gru-cell').run(p, xs, h0, u, r)"
RUN_LSTM = "([p, xs, h0, c0, held]) => customElements.get('gm-lstm-cell').run(p, xs, h0, c0, held)"


def hidden(rows: list[dict], name: str = "h") -> np.ndarray:
    return np.array([row[name] for row in rows])


@pytest.mark.parametrize(("update", "reset"), CONVENTIONS)
def test_the_page_steps_a_gru_as_the_reference_does(page, update, reset):
    for seed, (H, D) in enumerate([(1, 1), (2, 1), (5, 3)]):
        rng = np.random.default_rng(seed)
        params = random_params(rng, "zrh", H, D)
        if reset == "after":
            params["b_hn"] = rng.normal(size=H)
        xs, h0 = rng.normal(size=(12, D)), rng.uniform(-1, 1, H)
        rows = page.evaluate(RUN_GRU, [lists(params), xs.tolist(), h0.tolist(), update, reset])
        weights, h_prev = tensors(params), torch.tensor(h0)[None]
        for row, x in zip(rows, torch.tensor(xs)[:, None], strict=True):
            z, r = (
                gate(x, h_prev, weights) for gate in (reference.update_gate, reference.reset_gate)
            )
            candidate = reference.candidate_state(x, h_prev, r, weights, reset)
            h = reference.new_state(h_prev, candidate, z, update)
            expected = {"h_prev": h_prev, "z": z, "r": r, "candidate": candidate, "h": h}
            for name, value in expected.items():
                assert row[name] == pytest.approx(value[0].tolist(), abs=1e-5), name
            h_prev = h


def test_the_page_steps_a_gru_as_torch_does(page):
    torch.manual_seed(0)
    layer, xs, h0 = torch.nn.GRU(3, 5).double(), torch.randn(12, 3).double(), torch.rand(5).double()
    with torch.no_grad():
        expected = layer(xs, h0[None])[0].numpy()
        params = {
            k: v.tolist() for k, v in reference.params_from_torch(*layer.parameters()).items()
        }
    rows = page.evaluate(RUN_GRU, [params, xs.tolist(), h0.tolist(), "keep", "after"])
    assert np.abs(hidden(rows) - expected).max() < 1e-5


@pytest.mark.parametrize("reset", reference.RESETS)
def test_keep_is_replace_with_the_other_sign(page, reset):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        params = random_params(rng, "zrh", 4, 2)
        turned = {**params, "W_z": -params["W_z"], "b_z": -params["b_z"]}
        xs, h0 = rng.normal(size=(20, 2)).tolist(), rng.uniform(-1, 1, 4).tolist()
        replace, same, other = (
            hidden(page.evaluate(RUN_GRU, [lists(p), xs, h0, update, reset]))
            for p, update in ((params, "replace"), (turned, "keep"), (params, "keep"))
        )
        assert np.abs(replace - same).max() < 1e-12 < 1e-2 < np.abs(replace - other).max()


def test_the_page_steps_an_lstm_as_torch_does(page):
    torch.manual_seed(1)
    for H, D in ((1, 1), (5, 3)):
        layer, xs = torch.nn.LSTM(D, H).double(), torch.randn(15, D).double()
        h, c = torch.rand(1, H).double(), torch.randn(1, H).double()
        with torch.no_grad():
            expected, (_, last) = layer(xs, (h, c))
            weights = reference.lstm_params_from_torch(*layer.parameters())
            _, cs = reference.lstm_forward(xs[:, None], h, c, weights)
        given = (
            {k: v.tolist() for k, v in weights.items()},
            xs.tolist(),
            h[0].tolist(),
            c[0].tolist(),
        )
        rows = page.evaluate(RUN_LSTM, [*given, {}])
        assert np.abs(hidden(rows) - expected.numpy()).max() < 1e-5
        assert np.abs(hidden(rows, "c") - cs[:, 0].numpy()).max() < 1e-5
        assert rows[-1]["c"] == pytest.approx(last[0].tolist(), abs=1e-5)
        still = page.evaluate(RUN_LSTM, [*given, {"f": 1, "i": 0, "o": 0.5}])
        assert np.ptp(hidden(still, "c"), axis=0).max() == 0
        assert hidden(still)[-1] == pytest.approx(0.5 * np.tanh(c[0].numpy()))


MADE = forgetting_figure.nets()
SETTINGS = [(start, scale, depth) for start in (0, 1) for depth in (1, 2, 3) for scale in (0.2, 1.0, 1.75, 3.0)]  # fmt: skip


def by_autograd(start: int, scale: float, depth: int) -> tuple[list, list]:
    return forgetting_figure.gradient_and_bound(MADE, forgetting_figure.STARTS[start], scale, depth)


def test_the_page_measures_what_autograd_measures(page):
    found = page.evaluate(
        "settings => { const { data } = document.querySelector('gm-forgetting'); return settings.map(([start, scale, depth]) => "
        "customElements.get('gm-forgetting').forgetting(data, { start, scale, depth })); }",
        SETTINGS,
    )
    for setting, answer in zip(SETTINGS, found, strict=True):
        norms, bound = by_autograd(*setting)
        assert answer["norms"] == pytest.approx(norms, rel=1e-5, abs=1e-300), setting
        assert answer["bounds"] == pytest.approx(bound, rel=1e-5), setting
        assert all(n <= b * (1 + 1e-9) for n, b in zip(norms, bound, strict=True)), setting


def test_one_layer_is_the_chapters_own_measure():
    for start, name in enumerate(forgetting_figure.STARTS):
        norms, bound = by_autograd(start, 1.5, 1)
        layer = MADE[name][0]
        W_h = torch.cat([1.5 * layer["W_hh"], layer["W_ih"]], dim=1)
        params = {"W_h": W_h, "b_h": layer["b"]}
        hs = reference.rnn_forward(MADE["xs"][:, None, None], torch.zeros(1, 16).double(), params)
        assert norms == pytest.approx(reference.gradient_by_lag(hs, params).tolist(), rel=1e-9)
        largest = float(torch.linalg.svdvals(1.5 * layer["W_hh"])[0])
        assert bound == pytest.approx([largest**k for k in range(len(bound))])


def test_the_orthogonal_start_is_orthogonal():
    for layer in MADE["orthogonal"]:
        assert torch.linalg.svdvals(layer["W_hh"]).numpy() == pytest.approx(np.ones(16), abs=1e-3)


# The drawing that stands there first


def shapes(page) -> list[list[float]]:
    found = page.evaluate("""() => [...document.querySelectorAll("main svg svg :is(polyline, rect:not([data-draw]))")]
      .map(e => e.getAttribute("points") ?? ["x", "y", "width", "height"].map(name => e.getAttribute(name)).join(" "))""")
    return [[float(n) for n in re.findall(r"-?[\d.]+", shape)] for shape in found]


def test_complete_without_javascript_and_the_script_draws_the_same(browser, address, page):
    context = browser.new_context(
        java_script_enabled=False, viewport=dict(zip(("width", "height"), PHONE, strict=True))
    )
    still = context.new_page()
    still.goto(address)
    assert still.get_by_role("img").count() == 5
    assert still.locator("button, input, select").count() == 0
    assert still.locator("figcaption").count() == 3
    written = still.locator("main svg text").all_text_contents()
    for text in ("candidate", "gradient norm", "10⁻⁴⁰", "forget f"):
        assert any(text in line for line in written), text
    before, after = shapes(still), shapes(page)
    assert len(before) == len(after) > 40
    for a, b in zip(before, after, strict=True):
        assert a == pytest.approx(b, abs=2e-3)
    assert_fits(still)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_a_phone_has_room(visit, address, scheme):
    seen = visit(address, scheme=scheme, size=PHONE, own=True)
    seen.page.evaluate(AXE)
    found = seen.page.evaluate(
        "tags => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", RULES
    )["violations"]
    assert [(p["id"], n["html"][:160]) for p in found for n in p["nodes"]] == []
    assert_fits(seen.page)
    assert seen.page.locator(".gm-live").evaluate_all(
        "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length"
    ) == 0  # fmt: skip


# What a reader can do


def numbers(page, element: str) -> dict[str, float]:
    texts = page.locator(element).evaluate(
        "e => [...e.querySelectorAll('[data-value]')].map(t => [t.dataset.value, t.textContent])"
    )
    return {name: float(text.replace("−", "-")) for name, text in texts}


def drawn(page, element: str) -> list[float]:
    return page.evaluate("name => document.querySelector(name).state.xs", element)


def says(page, element: str) -> str:
    return page.locator(f"{element} .gm-says").inner_text()


def choice(figure, name: str):
    return figure.get_by_role("combobox", name=name, exact=True)


def press(page, element: str, name: str, *keys: str) -> None:
    control = page.locator(element).get_by_role("slider", name=name)
    control.focus()
    for key in keys:
        page.keyboard.press(key)


def test_the_drawing_has_the_numbers_and_the_widths_of_its_step(page):
    cell = cell_figures.GRU | {"b_z": [2.0, 2.0]}
    page.evaluate("b_z => document.querySelector('gm-gru-cell').set({ b_z })", cell["b_z"])
    row = cell_figures.gru_rows(cell)[cell["at"]]
    assert numbers(page, GRU) == {name: round(value, 2) for name, value in row.items()}
    wide = page.locator(f"{GRU} [data-flow=take]").first.get_attribute("stroke-width")
    assert float(wide) == pytest.approx(1.8 * flow_width(row["z"]), rel=1e-9)
    row = cell_figures.lstm_rows(cell_figures.LSTM)[cell_figures.LSTM["at"]]
    assert numbers(page, LSTM) == {name: round(value, 2) for name, value in row.items()}
    wide = page.locator(f"{LSTM} [data-flow=f]").first.get_attribute("stroke-width")
    assert float(wide) == pytest.approx(1.8 * flow_width(row["f"]), rel=1e-9)


@pytest.mark.parametrize("element", [GRU, LSTM])
def test_a_sequence_is_drawn_and_stepped_by_keyboard(page, element):
    figure = page.locator(element)
    step = figure.get_by_role("slider", name="Step t")
    assert step.get_attribute("aria-valuetext") == "4"
    press(page, element, "Step t", "Home", "ArrowRight")
    press(page, element, "Input at this step", "End", "ArrowLeft")
    assert drawn(page, element)[1] == 1.9 and numbers(page, element)["x"] == 1.9
    assert choice(figure, "Input").evaluate("e => e.selectedOptions[0].text") == "yours"  # fmt: skip
    before = numbers(page, element)
    figure.get_by_role("button", name="Step", exact=True).focus()
    page.keyboard.press("Enter")
    after = numbers(page, element)
    assert after["h_prev"] == before["h"] and step.get_attribute("aria-valuetext") == "3"
    choice(figure, "Input").select_option("a wave")
    assert drawn(page, element)[2] == 1.5 == numbers(page, element)["x"]
    figure.get_by_role("button", name="To the end").click()
    assert step.get_attribute("aria-valuetext") == "16"
    assert figure.get_by_role("status").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("element", [GRU, LSTM])
def test_a_sequence_is_drawn_by_pointer(page, element):
    grip = page.locator(f"{element} [data-draw]")
    assert grip.evaluate("e => getComputedStyle(e).touchAction") == "none"
    grip.scroll_into_view_if_needed()
    box = page.locator(f"{element} .gm-traces").bounding_box()
    top = grip.bounding_box()["y"]
    column = box["width"] / 16
    page.mouse.move(box["x"] + 6.5 * column, top + 18)
    page.mouse.down()
    page.mouse.move(box["x"] + 7.5 * column, top + 54)
    page.mouse.move(box["x"] + 8.5 * column, top + 900)
    page.mouse.up()
    page.mouse.move(box["x"] + 10.5 * column, top + 10)
    assert drawn(page, element)[6:12] == [1, -1, -2, 0, 0, 0]
    assert numbers(page, element)["x"] == -2


def test_play_walks_through_the_steps_where_motion_is_welcome(browser, address):
    context = browser.new_context(reduced_motion="no-preference")
    moving = context.new_page()
    moving.clock.install()
    moving.goto(address)
    figure = moving.locator(GRU)
    play = figure.get_by_role("button", name="Play")
    play.click()
    step = figure.get_by_role("slider", name="Step t")
    assert step.get_attribute("aria-valuetext") == "1"
    moving.clock.run_for(1300)
    assert step.get_attribute("aria-valuetext") == "3"
    figure.get_by_role("button", name="Pause").click()
    moving.clock.run_for(3000)
    assert step.get_attribute("aria-valuetext") == "3"
    figure.get_by_role("button", name="Play").click()
    moving.clock.run_for(20000)
    assert step.get_attribute("aria-valuetext") == "16"
    assert figure.get_by_role("button", name="Play").count() == 1
    context.close()


def states(page) -> list[float]:
    return page.evaluate("() => { const e = document.querySelector('gm-gru-cell'); return e.run(e.state).rows.map(row => row.h); }")  # fmt: skip


def test_keep_is_take_in_disguise_and_after_is_not_before(page):
    figure = page.locator(GRU)
    choice(figure, "Input").select_option("noise")
    house = states(page)
    choice(figure, "z near 1").select_option("keeps the old state")
    assert np.abs(np.subtract(states(page), house)).max() > 0.1
    assert "another net" in says(page, GRU)
    figure.get_by_role("button", name="Change the sign").click()
    assert states(page) == pytest.approx(house, abs=1e-12)
    assert "disguise" in says(page, GRU)
    assert figure.get_by_role("slider", name="Update bias").input_value() == "1"
    assert figure.locator("[data-when=keep]").first.is_visible()
    assert not figure.locator("[data-when=replace]").first.is_visible()
    choice(figure, "r acts").select_option("after the matrix product")
    gap = np.abs(np.subtract(states(page), house)).max()
    assert gap > 0.1 and f"up to {gap:.2f} apart" in says(page, GRU)
    assert figure.locator("[data-when=after]").first.is_visible()


def test_a_percentage_never_contradicts_the_numbers(page):
    press(page, GRU, "Update bias", "Home")
    press(page, GRU, "Step t", "Home", *["ArrowRight"] * 2)
    shares = re.findall(r"([\d.]+)\s%", says(page, GRU))
    assert 0 < float(shares[1]) < 100 and 0 < float(shares[0]) < 100
    assert float(shares[0]) + float(shares[1]) == pytest.approx(100)
    wanted = {0: "0", 1: "100", 0.125: "13", 0.5: "50", 0.995: "99.5", 0.9975: "99.8", 0.0025: "0.3",
              0.9995: "99.95", 1e-5: "less than 0.01", 1 - 1e-5: "more than 99.99"}  # fmt: skip
    assert page.evaluate("all => all.map(GM.percent)", [*wanted]) == [
        f"{text}\u00a0%" for text in wanted.values()
    ]


def test_gates_are_held_by_hand_and_the_memory_with_them(page):
    figure = page.locator(LSTM)
    choice(figure, "Input").select_option("noise")
    press(page, LSTM, "Forget gate", "End")
    press(page, LSTM, "Input gate", "Home")
    held = figure.get_by_role("checkbox")
    assert [box.is_checked() for box in held.all()] == [True, True, False]
    assert "the cell state stays 0.50 at every step, whatever is read" in says(page, LSTM)
    cells = "() => { const e = document.querySelector('gm-lstm-cell'); return e.run(e.state).rows.map(row => row.c); }"
    assert page.evaluate(cells) == [0.5] * 16
    assert numbers(page, LSTM)["f"] == 1 and numbers(page, LSTM)["c"] == 0.5
    held.nth(0).focus()
    page.keyboard.press("Space")
    assert not held.nth(0).is_checked() and page.evaluate(cells)[-1] < 0.5
    assert numbers(page, LSTM)["f"] == 0.95


def test_the_curve_of_forgetting_follows_the_sliders(page):
    figure = page.locator(FORGETTING)
    curves = figure.locator("polyline")
    before = curves.evaluate_all("all => all.map(e => e.getAttribute('points'))")
    assert "vanishes all the same" in says(page, FORGETTING)
    press(page, FORGETTING, "Scale", "Home")
    assert "must vanish" in says(page, FORGETTING)
    press(page, FORGETTING, "Scale", "End")
    assert "explode" in says(page, FORGETTING)
    press(page, FORGETTING, "Layers", "ArrowRight")
    norms, bound = by_autograd(0, 3.0, 2)
    points = curves.evaluate_all("all => all.map(e => e.getAttribute('points'))")
    last = [float(line.split(",")[-1]) for line in points]
    down = forgetting_figure._down
    assert last == pytest.approx([down(bound[-1]), down(norms[-1])], abs=1e-2)
    choice(figure, "Start").select_option("PyTorch’s")
    figure.get_by_role("button", name="Start again").click()
    assert curves.evaluate_all("all => all.map(e => e.getAttribute('points'))") == before


def test_all_scripts_of_the_elements_together_stay_small():
    sizes = {p.stem: len(gzip.compress(lean(p.read_text("utf-8")).encode(), 9)) for p in elements()}
    assert {*NAMES, "gm-review", "gm-forecast", "gm-listen", "gm-ears"} <= sizes.keys()
    assert sizes.keys() > OF_THEIR_OWN
    assert sum(size for name, size in sizes.items() if name not in OF_THEIR_OWN) <= MOST_BYTES, (
        sizes
    )


def test_a_reader_gets_the_scripts_without_comments(html):
    for path in elements():
        served = (html / "_static" / path.name).read_text("utf-8")
        assert served == lean(path.read_text("utf-8")), path.name


def test_only_comments_are_left_out():
    script = "// A\nconst a = `\n  b // c`;\n  /** One. */\nf(); // d\n/** Two\n    lines. */\ng('//');\n"
    assert lean(script) == "const a = `\n  b // c`;\nf(); // d\ng('//');\n"
