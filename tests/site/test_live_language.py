"""The figures that translate and understand: they compute what PyTorch computes, and everybody can use them."""

import gzip
import json

import numpy as np
import pytest
import torch
from site_pages import PHONE, STATIC, assert_fits, figure_page
from test_live_elements import opened, tab_to
from test_pages import AXE, RULES

from experiments import house, live_house, live_translate, translator
from experiments.translation import german

TRANSLATE, HOUSE = "gm-translate", "gm-house"
NARROW, DESKTOP = (320, 700), (1280, 900)
NUMBER = "472816"
MOST_BYTES = 150 * 1000  # issue's budget for both, with their nets


@pytest.fixture(scope="module")
def data() -> dict[str, dict]:
    """What the figures are given: the nets that are shipped."""
    return {TRANSLATE: live_translate.translate_data(), HOUSE: live_house.house_data()}


@pytest.fixture(scope="module")
def figures(data) -> dict[str, str]:
    """The figures, complete without a script."""
    return {
        TRANSLATE: live_translate.translate(data[TRANSLATE], NUMBER),
        HOUSE: live_house.understand(data[HOUSE]),
    }


@pytest.fixture(scope="module")
def address(figures, tmp_path_factory):
    """Where a page with one of the figures lies, with its scripts or without."""
    folder = tmp_path_factory.mktemp("language")

    def at(element: str, scripts: bool = True) -> str:
        wanted = ("gm-elements", element) if scripts else ()
        path = folder / f"{element}-{scripts}.html"
        return figure_page(path, f"<h2>Live</h2>{figures[element]}", wanted)

    return at


@pytest.fixture
def translating(visit, address):
    return opened(visit, address(TRANSLATE), size=DESKTOP)


@pytest.fixture
def understanding(visit, address):
    return opened(visit, address(HOUSE), size=DESKTOP)


def says(page) -> str:
    return page.locator(".gm-says").inner_text().replace("\u00a0", " ")


# The same numbers as PyTorch


def hundred_numbers() -> list[str]:
    """A hundred numbers of one to nine digits, most of them as long as those that were trained."""
    source = np.random.default_rng(3)
    lengths = [1] * 5 + [2] * 10 + [3] * 20 + [4] * 20 + [5] * 20 + [6] * 20 + [7, 7, 8, 8, 9]
    return ["0", "1000", *(str(source.integers(10 ** (n - 1), 10**n)) for n in lengths[2:])]


def test_a_number_is_said_as_in_torch(translating, data):
    numbers = hundred_numbers()
    assert len(numbers) == 100
    net = live_translate.net_of(data[TRANSLATE])
    found = translating.evaluate(
        """numbers => { const { greedy, beam, german } = customElements.get("gm-translate"), { data } = document.querySelector("gm-translate");
          return numbers.map(digits => ({ said: greedy(data, digits).map(({ symbol, weights, logs }) => ({ symbol, weights, logs })),
            beams: beam(data, digits), right: german(Number(digits)) })); }""",
        numbers,
    )
    for number, here in zip(numbers, found, strict=True):
        xs, lengths = live_translate.digits_of(number)
        said, looked = translator.greedy(net, xs, lengths, data[TRANSLATE]["longest"])
        assert [step["symbol"] for step in here["said"]] == said[0].tolist(), number
        assert looked is not None
        weights = np.array([step["weights"] for step in here["said"]])
        assert weights == pytest.approx(looked[0].numpy(), abs=1e-4)
        with torch.no_grad():
            logs = net(xs, lengths, said)[0].log_softmax(-1).numpy()
        assert np.array([step["logs"] for step in here["said"]]) == pytest.approx(logs, abs=1e-3)
        scores = [step["logs"][step["symbol"]] for step in here["said"]]
        expected = np.take_along_axis(logs, said[0].numpy()[:, None], 1)[:, 0]
        assert scores == pytest.approx(expected, abs=1e-4)
        kept = translator.beam(net, xs, lengths, data[TRANSLATE]["longest"])
        assert len(here["beams"]) == len(kept.steps)
        for mine, (symbols, sums) in zip(here["beams"], kept.steps, strict=True):
            assert [one["sum"] for one in mine] == pytest.approx(sums[0].tolist(), abs=1e-3)
            assert mine[0]["symbols"] == symbols[0, 0].tolist()
        assert here["right"] == german(int(number))


def hundred_dialogues() -> list[list[str]]:
    """Fifty dialogues of the test part, and fifty with words that no net has seen."""
    drawn = house.dialogues(1, 1)["test"]
    plain = [[" ".join(turn.words) for turn in both] for _, *both in drawn[:50]]
    strange = [[f"{a.replace('the', 'zorbs', 1)} 50%", b.upper()] for a, b in
               ([" ".join(turn.words) for turn in both] for _, *both in drawn[50:98])]  # fmt: skip
    return [*plain, *strange, ["", ""], ["on " * 30, "Ünicode & <b>'quotes'</b> 21°"]]


@pytest.mark.parametrize("carry", [True, False])
def test_a_dialogue_means_what_it_means_in_torch(understanding, data, carry):
    dialogues = hundred_dialogues()
    assert len(dialogues) == 100
    found = understanding.evaluate(
        """([dialogues, carry]) => { const { understand } = customElements.get("gm-house"), { data } = document.querySelector("gm-house");
          return dialogues.map(texts => understand(data, texts, carry).map(at => ({ ...at, state: [...at.state] }))); }""",
        [dialogues, carry],
    )
    for texts, here in zip(dialogues, found, strict=True):
        for mine, there in zip(here, live_house.understood(data[HOUSE], texts, carry), strict=True):
            assert mine["words"] == there["words"]
            assert mine["known"] == there["known"]
            assert np.array(mine["logits"]) == pytest.approx(there["logits"], abs=1e-4)
            assert np.array(mine["state"]) == pytest.approx(there["state"], abs=1e-5)


def test_the_carried_state_changes_the_second_turn_and_only_that(understanding):
    page = understanding
    button = page.get_by_role("button", name="State carried on")
    turns = page.locator("gm-house .turn")
    before = turns.nth(0).inner_text(), turns.nth(1).inner_text()
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    after = turns.nth(0).inner_text(), turns.nth(1).inner_text()
    assert before[0] == after[0]
    assert before[1] != after[1]
    button.click()
    assert turns.nth(1).inner_text() == before[1]


# Hands


def test_a_number_is_typed_and_said_by_keyboard(translating):
    page = translating
    field = page.get_by_role("textbox", name="A number")
    tab_to(page, field)
    page.keyboard.press("Control+a")
    page.keyboard.type("0a21x")
    assert field.input_value() == "21"
    assert page.locator(".said").inner_text() == "einundzwanzig."
    assert "Right" in says(page)
    slider = page.get_by_role("slider", name="Pieces said")
    tab_to(page, slider)
    page.keyboard.press("Home")
    assert "Nothing is said" in says(page)
    page.keyboard.press("ArrowRight")
    assert page.locator(".said b").inner_text() == "ein"
    assert "looking at the" in says(page)
    page.get_by_role("button", name="One piece on").press("Enter")
    assert page.locator(".said").inner_text() == "einund"
    page.get_by_role("button", name="One back").press("Enter")
    assert page.locator(".said").inner_text() == "ein"
    assert page.locator("gm-translate li").count() == 4
    assert page.locator("gm-translate li.same").count() == 1


def test_saying_it_comes_to_the_end(translating):
    page = translating
    page.get_by_role("button", name="Say it").click()
    page.wait_for_function("document.querySelector('.said').textContent.endsWith('.')")
    assert not page.evaluate("document.querySelector('gm-translate').timer")


def test_a_number_that_is_too_long_is_called_so(translating):
    page = translating
    page.get_by_role("textbox", name="A number").fill("123456789012")
    assert page.get_by_role("textbox", name="A number").input_value() == "123456789"
    assert "No number of more than 6 digits was trained" in says(page)
    page.get_by_role("textbox", name="A number").fill("")
    assert "Type a number" in says(page)


def test_what_is_typed_to_the_house_is_read_at_once(understanding):
    page = understanding
    page.get_by_role("textbox", name="First turn").fill("turn on the flibbertigibbet")
    assert (
        page.locator("gm-house .turn")
        .nth(0)
        .locator("li.unknown")
        .inner_text()
        .startswith("flibbertigibbet")
    )
    assert "Words in italics" in page.locator(".gm-note").inner_text()
    assert says(page).startswith("First turn:")
    page.get_by_role("combobox", name="Example").select_option(index=2)
    assert (
        page.get_by_role("textbox", name="Second turn").input_value() == live_house.EXAMPLES[1][1]
    )
    assert says(page).startswith("Second turn:")


def test_a_name_of_the_list_is_read_as_its_kind(understanding, data):
    read = understanding.evaluate(
        """() => { const { understand } = customElements.get("gm-house"), { data } = document.querySelector("gm-house");
          return understand(data, ["open the garage door in the garage", ""])[0].read; }"""
    )
    assert read == house.looked_up("open the garage door in the garage".split())


@pytest.mark.parametrize("element", [TRANSLATE, HOUSE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, address, element, scheme):
    page = opened(visit, address(element), scheme=scheme, size=DESKTOP)
    page.evaluate(AXE)
    found = page.evaluate("tags => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", RULES)["violations"]  # fmt: skip
    assert [
        (problem["id"], node["html"][:160]) for problem in found for node in problem["nodes"]
    ] == []


@pytest.mark.parametrize("element", [TRANSLATE, HOUSE])
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("size", [NARROW, PHONE])
def test_fits_a_phone_in_letters_that_can_be_read(visit, address, element, scripts, size):
    assert_fits(opened(visit, address(element, scripts), size=size))


def test_without_a_script_one_example_stands_there(visit, address, data):
    page = opened(visit, address(TRANSLATE, False))
    assert german(int(NUMBER)) in page.locator("svg[role=img]").get_attribute("aria-label")
    page = opened(visit, address(HOUSE, False))
    label = page.locator("svg[role=img]").get_attribute("aria-label")
    assert all(turn in label for turn in data[HOUSE]["examples"][0])


def test_both_together_stay_within_their_budget(data):
    """Scripts and nets, gzipped; the language that all elements share is not counted."""
    sizes = {
        name: len(gzip.compress((STATIC / f"{name}.js").read_bytes(), 9))
        for name in (TRANSLATE, HOUSE)
    }
    sizes |= {
        f"{name} data": len(gzip.compress(json.dumps(those).encode(), 9))
        for name, those in data.items()
    }
    assert sum(sizes.values()) <= MOST_BYTES, sizes
