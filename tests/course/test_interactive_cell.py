"""The interactive cell of the chapter computes what the reference computes."""

import json
from pathlib import Path

import pytest

from autograder.course.diagrams import gru_cell
from autograder.course.diagrams.pen import flow_width, written

torch = pytest.importorskip("torch")
sync_api = pytest.importorskip("playwright.sync_api")

STATIC = Path(__file__).parents[2] / "book" / "_static"
SCRIPTS = "gm-elements.js", "gru-cell.js"
BROWSER = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
CELL = {
    "x": 0.7, "h_prev": -0.4, "W_z": [0.5, 1.0], "b_z": -1.0, "W_r": [1.0, -0.5], "b_r": 1.0,
    "W_h": [1.5, 1.0], "b_h": 0.3,
}  # fmt: skip


def by_reference(cell: dict) -> dict[str, float]:
    from autograder.course import reference

    x, h_prev = (torch.tensor([[cell[name]]], dtype=torch.float64) for name in ("x", "h_prev"))
    params = {
        name: torch.tensor([value], dtype=torch.float64)
        for name, value in cell.items()
        if name.startswith(("W_", "b_"))
    }
    z = reference.update_gate(x, h_prev, params)
    r = reference.reset_gate(x, h_prev, params)
    candidate = reference.candidate_state(x, h_prev, r, params)
    h = reference.new_state(h_prev, candidate, z)
    return {"z": z.item(), "r": r.item(), "candidate": candidate.item(), "h": h.item()}


@pytest.fixture(scope="module")
def page():
    if not Path(BROWSER).exists():
        pytest.skip("no Chromium here")
    values = {"x": CELL["x"], "h_prev": CELL["h_prev"], **by_reference(CELL)}
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page()
        page.set_content(
            f"<gm-gru-cell stroke='1.8' cell='{json.dumps(CELL)}'>"
            f"{gru_cell(values=values)}</gm-gru-cell>"
        )
        for script in SCRIPTS:
            page.add_script_tag(path=STATIC / script)
        yield page
        browser.close()


def shown(page) -> dict[str, str]:
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-value]')]"
        ".map(e => [e.dataset.value, e.textContent]))"
    )


def expected(cell: dict) -> dict[str, str]:
    values = {"x": cell["x"], "h_prev": cell["h_prev"], **by_reference(cell)}
    return {name: written(value) for name, value in values.items()}


def set_slider(page, name: str, value: float) -> None:
    page.locator(f"input[name={name}]").fill(str(value))


def test_the_script_changes_nothing_at_the_start(page):
    assert shown(page) == expected(CELL)


def test_every_slider_moves_the_cell_as_the_reference_says(page):
    cell = dict(CELL)
    for name, value in {"x": -1.5, "h_prev": 0.9, "b_z": 4.0, "b_r": -5.0}.items():
        set_slider(page, name, value)
        cell[name] = value
        assert shown(page) == expected(cell), name
    z = by_reference(cell)["z"]
    width = float(page.locator("[data-flow=take]").first.get_attribute("stroke-width"))
    assert width == pytest.approx(1.8 * flow_width(z), rel=1e-9)
    page.get_by_role("button", name="Start again").click()
    assert shown(page) == expected(CELL)


def test_every_slider_has_a_name_and_follows_the_keyboard(page):
    sliders = page.get_by_role("slider")
    assert sliders.count() == 4
    for name in ("Input", "Old state", "Update bias", "Reset bias"):
        assert page.get_by_role("slider", name=name).count() == 1
    slider = page.get_by_role("slider", name="Update bias")
    slider.focus()
    slider.press("ArrowRight")
    assert shown(page) == expected(CELL | {"b_z": CELL["b_z"] + 0.1})
    assert "old state" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Start again").click()
