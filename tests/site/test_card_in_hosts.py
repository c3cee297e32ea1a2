"""The card of a verdict can be read wherever it is shown, in Chromium as it paints it."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import unwatched
from bs4 import BeautifulSoup
from card_hosts import HOSTS
from contrast import contrast
from playwright.sync_api import Page

from autograder import check, grade
from autograder.checking.colors import DARK, LIGHT
from autograder.checking.verdict import Diagnosis
from autograder.course.diagrams.gru_diagram import GRU_PARTS
from autograder.course.diagrams.lstm_diagram import LSTM_PARTS
from autograder.course.diagrams.rnn_diagram import RNN_PARTS
from autograder.course.gated_memory import COURSE

ROOT = Path(__file__).parents[2]

DRAWN = {"gru_step": GRU_PARTS, "lstm_step": LSTM_PARTS, "rnn_step": RNN_PARTS}

MEASURE = """kind => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => a * c + (1 - a) * under[i]);
  const hex = color => "#" + color.map(c => Math.round(c).toString(16).padStart(2, "0")).join("");
  const drawn = e => e instanceof SVGElement && e.ownerSVGElement;
  // What one element paints under what lies on it: its background, or the inside of a shape.
  const paint = e => {
    const style = getComputedStyle(e);
    if (!drawn(e)) return rgba(style.backgroundColor);
    if (e instanceof SVGTextContentElement || style.fill === "none") return [0, 0, 0, 0];
    if (!/gm-(panel|paper)/.test(e.getAttribute("fill")) && style.fillOpacity === "1") return [0, 0, 0, 0];
    const [r, g, b, a] = rgba(style.fill);
    return [r, g, b, a * style.fillOpacity];
  };
  const behind = (e, x, y) => {
    const stack = document.elementsFromPoint(x, y), own = stack.indexOf(e);  // -1 without one
    if (own < 0 && e && !drawn(e)) throw new Error(`something covers ${e.outerHTML}`);
    return stack.slice(e && !drawn(e) ? own : own + 1).reverse().reduce(
      (under, one) => over(paint(one), under), rgba(getComputedStyle(document.documentElement).colorScheme === "dark" ? "#121212" : "Canvas").slice(0, 3));
  };
  const found = [];
  const tell = (card, e, kind, what, color, opacity, x, y) => {
    const ground = behind(e, x, y), [r, g, b, a] = rgba(color);
    found.push({ card: card.dataset.card, kind, what: what.trim().slice(0, 60),
                 ink: hex(over([r, g, b, a * opacity], ground)), ground: hex(ground) });
  };
  for (const card of document.querySelectorAll(`[data-card="${kind}"], ${kind ? "none" : "[data-card]"}`)) {
    card.querySelectorAll("details").forEach(e => { e.open = true; });
    const texts = document.createTreeWalker(card, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (texts.nextNode()) {
      const node = texts.currentNode, e = node.parentElement;
      if (!node.data.trim() || e.closest("style, title, desc") || !e.checkVisibility()) continue;
      e.scrollIntoView({ block: "center" });
      range.selectNodeContents(node);
      const box = range.getClientRects()[0], style = getComputedStyle(e);
      tell(card, e, "text", node.data, drawn(e) ? style.fill : style.color, style.opacity,
           box.x + box.width / 2, box.y + box.height / 2);
    }
    for (const e of card.querySelectorAll("svg [data-part] *")) {
      if (!(e instanceof SVGGeometryElement)) continue;
      const style = getComputedStyle(e), lined = e.hasAttribute("stroke") && style.stroke !== "none";
      const name = e.getAttribute(lined ? "stroke" : "fill") ?? "none";
      // Grounds, and the fine lines that only repeat where a ground ends.
      if (/gm-(panel|paper|line)|none/.test(name) || (!lined && style.fillOpacity !== "1")) continue;
      e.scrollIntoView({ block: "center" });
      const point = e.getPointAtLength(e.getTotalLength() / 3).matrixTransform(e.getScreenCTM());
      tell(card, e, "part", `${e.tagName} ${name}`, lined ? style.stroke : style.fill, 1, point.x, point.y);
    }
    const edge = card.querySelector(".gm-verdict");
    if (edge && getComputedStyle(edge).borderLeftStyle !== "none") {
      edge.scrollIntoView();
      const box = edge.getBoundingClientRect();
      tell(card, null, "part", "edge", getComputedStyle(edge).borderLeftColor, 1, box.x + 6, box.y + 6);
    }
  }
  return found;
}"""
"""Each word and each line of the cards, its color, and the color that is painted behind it."""


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def update_gate(x, h_prev, params):
    return sigmoid(np.concatenate([h_prev, x], axis=1) @ params["W_z"].T + params["b_z"])


def swapped(x, h_prev, params):
    return 1 - update_gate(x, h_prev, params)


def without_bias(x, h_prev, params):
    return sigmoid(np.concatenate([h_prev, x], axis=1) @ params["W_z"].T)


def too_large(x, h_prev, params):
    return update_gate(x, h_prev, params) + 0.1


def raises(x, h_prev, params):
    raise ValueError("no `such` gate")


def not_written(x, h_prev, params):
    raise NotImplementedError


@pytest.fixture(scope="module")
def cards() -> dict[str, str]:
    """The HTML of a card of every kind, each with what is to be seen on it."""
    step = COURSE.records["gru_step"]
    gate = next(m for m in step.mistakes if m.name == "in the reset gate: bias missing")
    shown = {
        "right": check(update_gate),
        "wrong": grade(swapped, "update_gate"),
        "partly": grade(without_bias, "update_gate"),
        "by hand": grade(too_large, "update_gate"),
        "traceback": grade(raises, "update_gate"),
        "open": grade(not_written, "update_gate"),
        "a part of a step": unwatched.grade(gate.wrong, step.name),
        "misuse": check(np.ones(3)),
    }
    named = shown["wrong"].mistake
    assert isinstance(named, Diagnosis) and shown["by hand"].example
    shown["all there is"] = dataclasses.replace(
        shown["by hand"],
        suspicions=(named,),
        notes=("A note.",),
        probes=tuple(
            dataclasses.replace(probe, part=part, passed=passed)
            for probe, part, passed in zip(
                shown["by hand"].probes, GRU_PARTS, (True, False, True, False), strict=False
            )
        ),
        part_names=tuple((part, f"the part {part}") for part in GRU_PARTS),
    )
    for name, parts in DRAWN.items():
        for part in parts:
            shown[f"{name}, {part}"] = dataclasses.replace(
                shown["traceback"], exercise=name, part=part
            )
    # In the folder of a notebook, beside whose course the pages to read again lie.
    with contextlib.chdir(ROOT / "notebooks" / "gru"):
        html = {name: card._repr_html_() for name, card in shown.items()}
    for name, sign in {
        "right": "✓ right",
        "wrong": "<a href",
        "partly": "0.75 of 2 points",
        "by hand": "By hand",
        "traceback": "<pre>",
        "open": "○",
        "all there is": '<li class="off">',
        "misuse": "without calling it",
        **{f"{name}, {part}": "<svg" for name, parts in DRAWN.items() for part in parts},
    }.items():
        assert sign in html[name]
    return html


@pytest.fixture
def show(browser, cards):
    """Open a host with all cards in it; no request leaves this machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(120_000)  # a busy machine takes its time

    def opened(host: str, system: str) -> Page:
        page = context.new_page()
        page.route("**/*", lambda route: route.abort())
        forced = "active" if HOSTS[host].forced else "none"
        page.emulate_media(color_scheme=system, forced_colors=forced)
        outputs = "".join(f'<div data-card="{name}">{card}</div>' for name, card in cards.items())
        page.set_content(HOSTS[host].page(outputs), wait_until="domcontentloaded")
        return page

    yield opened
    context.close()


def unreadable(found: list[dict]) -> list[str]:
    """What stands out too little from what is behind it, with how little."""
    told = []
    for one in found:
        ratio = contrast(one["ink"], one["ground"])
        if ratio < (4.5 if one["kind"] == "text" else 3):
            told.append(
                f"{one['card']}: {one['what']} {one['ink']} on {one['ground']}, {ratio:.2f}"
            )
    return told


# A card that follows its host is the same whatever the system prefers, see the test after this one.
CASES = [
    (name, system)
    for name, host in HOSTS.items()
    for system in ("light", "dark")
    if system != host.mode
]


@pytest.mark.parametrize("host, system", CASES)
def test_a_card_can_be_read_in_every_host(show, cards, host, system):
    page = show(host, system)
    found = page.evaluate(MEASURE)
    assert {one["card"] for one in found if one["kind"] == "text"} == cards.keys()
    if "GitHub" not in host:  # where no drawing is left
        lines = [one for one in found if one["kind"] == "part" and one["what"] != "edge"]
        assert {one["card"] for one in lines} >= {f"{n}, {p}" for n in DRAWN for p in DRAWN[n]}
    assert unreadable(found) == []
    # A link that is pointed at is colored by rules of its own.
    if page.locator("[data-card] a").count():
        page.locator("[data-card=wrong] a").hover()
        assert unreadable(page.evaluate(MEASURE, "wrong")) == []


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("host", [name for name, host in HOSTS.items() if host.mode])
def test_a_card_is_light_or_dark_as_its_host_is_whatever_the_system_says(show, host, system):
    page = show(host, system)
    grounds = page.evaluate("""() => [...document.querySelectorAll(".gm-verdict")]
        .map(e => getComputedStyle(e).backgroundColor)""")
    paper = {"light": LIGHT, "dark": DARK}[HOSTS[host].mode]["paper"]
    rgb = ", ".join(str(int(paper[i : i + 2], 16)) for i in (1, 3, 5))
    assert set(grounds) == {f"rgb({rgb})"}


def test_a_printed_card_is_light(show):
    page = show("JupyterLab, dark", "dark")
    page.emulate_media(media="print")
    ground = "getComputedStyle(document.querySelector('.gm-verdict')).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


def test_without_any_style_a_card_reads_as_a_text(cards):
    """What a viewer leaves that takes all style away: words apart, one thought a paragraph."""
    card = BeautifulSoup(cards["wrong"], "html.parser")
    for element in card.find_all(["style", "svg"]):
        element.decompose()
    first, *others = (p.get_text() for p in card.find_all("p"))
    assert first == "✗ not right yet update_gate 0 of 2 points"
    assert all(text.endswith((".", ":")) for text in others)
    assert [term.find_next_sibling().name for term in card.find_all("dt")] == ["dd"] * len(
        card.find_all("dt")
    )
