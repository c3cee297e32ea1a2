"""Make a mistake: the card in the page is what the check says, and no right line is shown."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from site_pages import DESKTOP

import autograder
from autograder.checking import courses
from autograder.checking.judge import Questions, decide
from autograder.checking.render import as_html, as_text

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
mistake_cards = pytest.importorskip("mistake_cards")
EVERY = list(mistake_cards.LINES)
PAGES = {name: f"notebooks/{folder}/{folder}.html" for folder, name in mistake_cards.FOLDED.items()}
RIGHT = {
    "rnn_step": ("np.tanh(joined @ W_h.T + b_h)", "np.concatenate([h_prev, x]"),
    "lstm_step": ("f * c_prev + i * candidate", "o * np.tanh(c)"),
    "gru_step": ("(1 - z) * h_prev + z * candidate",),
    "gru_step_backward": ("(1 - z) * dh", "z * dh\n", "(candidate - h_prev) * dh"),
}


@pytest.mark.parametrize("name", EVERY)
def test_a_card_says_what_the_check_says_of_the_catalogue_s_own_wrong_function(name):
    exercise = courses.with_exercise(name).get(name)
    catalogue = {mistake.name: mistake for mistake in exercise.mistakes}
    questions = Questions.prepare(exercise)
    lines = mistake_cards.LINES[name][1]
    found = mistake_cards.verdicts(name)
    assert len(lines) == len({line.text for line in lines}) == 6
    for line, verdict in zip(lines, found, strict=False):
        wrong = catalogue[line.mistake].wrong
        expected = decide(questions, list(exercise.play(wrong, questions.played)))
        # The example by hand is worked out for the function itself; the next test has it.
        assert as_text(replace(verdict, example="")) == as_text(expected)
        assert verdict.mistake.name == line.mistake and not verdict.passed
    assert found[-1].passed and found[-1].points == exercise.points


def test_a_student_who_writes_the_line_reads_the_same_text():
    def rnn_step(x, h_prev, params):
        joined = np.concatenate([h_prev, x], axis=1)
        W_h, b_h = params["W_h"], params["b_h"]
        return np.tanh(joined @ W_h.T) + b_h

    place = [line.text for line in mistake_cards.LINES["rnn_step"][1]].index(
        "h = np.tanh(joined @ W_h.T) + b_h"
    )
    said = autograder.grade(rnn_step)
    assert as_text(said) == as_text(mistake_cards.verdicts("rnn_step")[place])


@pytest.mark.parametrize("name", EVERY)
def test_no_right_line_is_shown(name):
    shown = re.sub(r"<[^>]*>", "", mistake_cards.figure(name))
    shown += "".join(line.text + "\n" for line in mistake_cards.LINES[name][1])
    squeezed = re.sub(r"[ \t]", "", shown)
    for right in RIGHT[name]:
        assert right.replace(" ", "") not in squeezed


@pytest.mark.parametrize("name", EVERY)
def test_an_exercise_page_has_the_cards_folded_above_its_first_cell(html, name):
    text = (html / PAGES[name]).read_text(encoding="utf-8")
    fold = text.index('<details class="gm-fold gm-mistakes">')
    assert fold < text.index('<div class="cell gm-n-')
    assert text.count(f'<gm-mistake data-exercise="{name}">') == 1
    figure = text[fold : text.index("</gm-mistake>", fold)]
    assert figure.count('type="radio"') == figure.count('<div class="gm-verdict') == 7
    assert ".md#" not in figure  # the cards' links lead to pages


def shown(page):
    return page.locator("gm-mistake > ol > li").evaluate_all(
        "all => all.flatMap((li, n) => getComputedStyle(li).visibility === 'visible' ? [n] : [])"
    )


def words(text: str) -> str:
    return " ".join(text.split())


def test_lines_are_chosen_by_keyboard_and_each_card_is_the_check_s(visit, address):
    seen = visit(f"{address}book/index.html", own=True)
    page, found = seen.page, mistake_cards.verdicts("gru_step")
    buttons = page.get_by_role("radio")
    assert buttons.count() == 7 and shown(page) == [0]
    height = page.evaluate("document.documentElement.scrollHeight")
    buttons.first.focus()
    for number in range(1, 7):
        page.keyboard.press("ArrowDown")
        assert shown(page) == [number]
        card = page.locator("gm-mistake > ol > li").nth(number).locator(".gm-verdict")
        wanted = re.sub(r"<style>.*?</style>", "", as_html(found[number]), flags=re.S)
        plain = page.evaluate(
            "text => new DOMParser().parseFromString(text, 'text/html').body.textContent", wanted
        )
        assert words(card.evaluate("e => e.textContent")) == words(plain)
        told = page.locator("gm-mistake [role=status]").last.inner_text()
        assert told == mistake_cards.sentence(found[number])
    assert page.evaluate("document.documentElement.scrollHeight") == height  # nothing jumps
    assert seen.errors == []


def test_without_a_script_the_lines_can_be_chosen_too(browser, address):
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": DESKTOP[0], "height": DESKTOP[1]}
    )
    page = context.new_page()
    page.goto(f"{address}book/index.html")
    page.get_by_role("radio").nth(3).check()
    cards = page.locator("gm-mistake > ol > li")
    assert [cards.nth(k).is_visible() for k in range(7)] == [k == 3 for k in range(7)]
    context.close()
