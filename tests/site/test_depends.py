"""``<gm-depends>``: what it computes is PyTorch's autograd, and everybody can use it."""

import re

import numpy as np
import pytest
from site_pages import STATIC, assert_fits, figure_page
from test_pages import AXE, RULES

from experiments import dependence
from experiments.dependence import FAMILIES, LONGEST, net_of, recorded, sensitivity
from experiments.live_depends import depends_data, depends_figure

SCRIPTS = "gm-elements", "gm-depends"
PHONE, DESKTOP = (360, 780), (1280, 900)
PASSAGES = [
    {"title": "A name", "text": "The White Whale, the White Whale!", "at": 29},
    {"title": "A mark", "text": '"Are you through?"\n', "at": 17},
]


@pytest.fixture(scope="module")
def address(one_thread, tmp_path_factory):
    """Where a page with the figure lies, with its scripts or without."""
    folder = tmp_path_factory.mktemp("depends")
    figure = depends_figure(depends_data(PASSAGES))

    def at(scripts: bool = True) -> str:
        return figure_page(folder / f"{scripts}.html", figure, SCRIPTS if scripts else ())

    return at


def opened(visit, url: str, **how):
    seen = visit(url, **how)
    assert seen.errors == []
    return seen.page


def random_places(count: int) -> list[tuple[str, int, bool]]:
    """Texts of the test part, places in them, and whether the first guess is asked about."""
    rng, book = np.random.default_rng(6), dependence.test_text()
    places = []
    for k in range(count):
        length = int(rng.integers(2, LONGEST + 1))
        start = int(rng.integers(0, len(book) - length))
        places.append((book[start : start + length], int(rng.integers(1, length)), k % 4 == 3))
    return places


def test_the_way_back_is_that_of_autograd(visit, address):
    places = random_places(20)
    found = opened(visit, address()).evaluate(
        """places => { const { data } = document.querySelector("gm-depends");
          return places.map(([text, at, first]) => customElements.get("gm-depends").read(data, text, at, first)
            .map(({ family, norms, probabilities }) => ({ family, norms: [...norms], probabilities: [...probabilities] }))); }""",
        places,
    )
    nets = {family: net_of(recorded()[family]) for family in FAMILIES}
    for (text, at, first), answers in zip(places, found, strict=True):
        assert [answer["family"] for answer in answers] == list(FAMILIES)
        for answer in answers:
            told = text[:at] if first else text
            norms, probabilities = sensitivity(nets[answer["family"]], told, at)
            assert answer["norms"] == pytest.approx(norms.tolist(), rel=1e-5, abs=1e-14)
            assert answer["probabilities"] == pytest.approx(probabilities.tolist(), rel=1e-5)


SHAPES = """() => [...document.querySelectorAll(".drawn :is(i, polyline, circle, .who span)")].map(e =>
  e.style.getPropertyValue("--v") || e.getAttribute("points") || e.getAttribute("cy") || e.textContent)"""


def test_the_script_draws_what_python_drew(visit, address):
    page = opened(visit, address(scripts=False), own=True)
    before, text = page.evaluate(SHAPES), page.locator(".drawn").inner_text()
    for script in SCRIPTS:
        page.add_script_tag(path=STATIC / f"{script}.js")
    after = page.evaluate(SHAPES)
    assert page.locator(".drawn").inner_text() == text
    assert len(before) == len(after) == 3 * (len(PASSAGES[0]["text"]) + 4)
    for a, b in zip(before, after, strict=True):
        numbers = [[float(n) for n in re.findall(r"-?\d+\.?\d*", shape)] for shape in (a, b)]
        assert numbers[0] == pytest.approx(numbers[1], abs=2e-3)
        assert re.sub(r"[\d.-]", "", a) == re.sub(r"[\d.-]", "", b)


def test_points_by_keyboard_finger_and_typing(visit, address):
    page = opened(visit, address(), own=True, size=PHONE)
    place, said = page.get_by_role("slider"), page.locator(".gm-says")
    pointed = page.locator("i.at")
    assert place.get_attribute("aria-valuetext") == "\u201ca\u201d, 30 of 33"
    assert re.match(r"Half of the sensitivity lies on the last \d characters? for the RNN, \d for the LSTM and \d for the GRU\. "
                    r"The largest gradient is on ", said.inner_text())  # fmt: skip
    place.focus()
    page.keyboard.press("ArrowLeft")
    assert pointed.all_inner_texts() == ["h"] * 3
    page.keyboard.press("Home")
    assert pointed.all_inner_texts() == ["h"] * 3 and place.input_value() == "1"
    assert "for all three" in said.inner_text()  # there is but one

    row = page.locator(".text").nth(2).locator("i")
    row.nth(9).click()
    assert place.input_value() == "9" and place.evaluate("e => e === document.activeElement")
    box = row.nth(20).bounding_box()
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    page.mouse.up()
    assert place.input_value() == "20"

    bars = "() => [...document.querySelectorAll('i')].map(e => Number(e.style.getPropertyValue('--v')))"
    plain = page.evaluate(bars)
    page.get_by_role("button", name="Logarithmic").click()
    assert sum(page.evaluate(bars)) > 1.5 * sum(plain)
    page.get_by_label("Gradient of").select_option("1")
    assert page.get_by_text("its first guess").count() == 3

    field = page.get_by_role("textbox")
    field.fill("na\u00efve \u4e0d <b>")
    assert page.locator(".text").first.inner_text().replace("\n", "") == "nave  b"
    assert "Left out, since the nets never saw them: \u00ef \u4e0d < >" in page.locator(".gm-note").inner_text()  # fmt: skip
    assert page.get_by_label("Passage").input_value() == str(len(PASSAGES))
    field.fill("\u00ef")
    assert "two characters at least" in said.inner_text()
    field.fill("a" * 80)
    assert page.locator(".text").first.locator("i").count() == LONGEST
    page.get_by_label("Passage").select_option("1")
    assert field.input_value() == PASSAGES[1]["text"] and pointed.first.inner_text() == '"'
    page.wait_for_function("() => document.querySelector('[role=status]').textContent === document.querySelector('.gm-says').textContent")  # fmt: skip


@pytest.mark.parametrize("scripts", [True, False])
def test_fits_a_phone_in_letters_that_can_be_read(visit, address, scripts):
    page = opened(visit, address(scripts), own=True, size=PHONE)
    assert_fits(page)
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('gm-depends :is(text, i, span, b)')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 12
    if not scripts:
        drawing = page.get_by_role("img")
        assert drawing.is_visible() and "The largest gradients: RNN" in drawing.get_attribute("aria-label")  # fmt: skip
        assert page.locator("gm-depends :is(button, input, select, textarea)").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, address, scheme):
    page = opened(visit, address(), scheme=scheme)
    page.evaluate(AXE)
    found = page.evaluate(
        "tags => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", RULES
    )["violations"]
    assert [(problem["id"], node["html"][:160]) for problem in found for node in problem["nodes"]] == []  # fmt: skip


def test_the_script_stays_small():
    import gzip

    assert len(gzip.compress((STATIC / "gm-depends.js").read_bytes(), 9)) <= 5 * 1024
