"""Make a mistake: wrong lines of code and the cards that the check gives to them, in the pages.

A page says ``<gm-mistake exercise="gru_step"></gm-mistake>`` where the cards belong; on the exercise
pages of ``FOLDED`` they stand folded above the first cell. Each line is put into the right function of
the package, the function is handed in as a student would hand it in, and what the check says of it
becomes part of the page. Nothing here holds a right line, and none is shown.

The markup needs no script: native radio buttons choose, the style sheet shows the card that belongs
to the chosen one. ``gm-mistake.js`` only tells a screen reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from html import escape

import numpy as np

from autograder.checking import courses
from autograder.checking.example import smallest
from autograder.checking.judge import Questions, decide
from autograder.checking.render import as_html, beside, points
from autograder.checking.through import is_tried_again
from autograder.checking.verdict import Verdict
from autograder.course.exercises.gradients.formulas import step_backward
from autograder.course.exercises.gru import right_cell as gru
from autograder.course.exercises.lstm import right_cell as lstm
from autograder.course.exercises.shared.wrong import affine, join, sigmoid

PLACE = re.compile(r'<gm-mistake exercise="(\w+)"></gm-mistake>')
RIGHT = "the right line, which you write"
FOLDED = {
    "rnn": "rnn_step",
    "lstm": "lstm_step",
    "gru": "gru_step",
    "gradients": "gru_step_backward",
}
"""Assignments whose pages have the cards above their first cell, and of which exercise."""
TOOLS = {"np": np, "sigmoid": sigmoid}


@dataclass(frozen=True)
class Line:
    """A wrong line: the code that is run, the catalogue's name of the mistake, the code that is shown."""

    code: str
    mistake: str
    shown: str = ""

    def value(self, names: dict):
        """What stands right of the first equals sign, computed from ``names``."""
        return eval(self.code.partition(" = ")[2], TOOLS, names)  # the lines stand in this file

    @property
    def target(self) -> str:
        """What stands left of it: a name of the right function's formulas."""
        return self.code.partition(" = ")[0]

    @property
    def text(self) -> str:
        """The line as a reader sees it."""
        return self.shown or self.code


def rnn_step(line: Line | None, x, h_prev, params):
    """One step of the vanilla RNN, (B, H), with one line exchanged."""
    names = {"x": x, "h_prev": h_prev, **params, "joined": join(h_prev, x)}
    if line is None:
        return np.tanh(affine(h_prev, x, params, "h"))
    if line.target == "joined":
        return np.tanh(line.value(names) @ params["W_h"].T + params["b_h"])
    return line.value(names)


def lstm_step(line: Line | None, x, h_prev, c_prev, params):
    """One step of the LSTM, ``(h, c)``, with one line exchanged."""
    changes = {line.target: lambda s: line.value(vars(s))} if line else None
    return lstm.right_step(x, h_prev, c_prev, params, changes)


def gru_step(line: Line | None, x, h_prev, params):
    """One step of the GRU, (B, H), with one line exchanged."""
    if line is None:
        return gru.right_step(x, h_prev, params)
    names = {"x": x, "h_prev": h_prev}
    names["z"] = gru.right_update(x, h_prev, params)
    names["r"] = gru.right_reset(x, h_prev, params)
    names["candidate"] = gru.right_candidate(x, h_prev, names["r"], params)
    return line.value(names)


def gru_step_backward(line: Line | None, dh, x, h_prev, params):
    """One step backward, ``(dx, dh_prev, grads)``, with one line exchanged."""

    def changed(s):
        return line.value({**vars(s), "h_prev": s.h, "candidate": s.c})

    return step_backward(dh, x, h_prev, params, {line.target: changed} if line else None)


LINES: dict[str, tuple[Callable, tuple[Line, ...]]] = {
    "rnn_step": (
        rnn_step,
        (
            Line("joined = np.concatenate([x, h_prev], axis=1)", "input and state in the wrong order"),
            Line("h = np.tanh(joined @ W_h.T)", "bias missing"),
            Line("h = np.tanh(joined @ W_h.T) + b_h", "bias outside tanh"),
            Line("h = np.maximum(joined @ W_h.T + b_h, 0)", "relu for tanh"),
            Line("h = sigmoid(joined @ W_h.T + b_h)", "sigmoid for tanh"),
            Line("h = joined @ W_h.T + b_h", "no tanh"),
        ),
    ),
    "lstm_step": (
        lstm_step,
        (
            Line("c = c_prev + i * candidate", "forget gate not applied"),
            Line("c = f * c_prev + candidate", "input gate not applied"),
            Line("c = i * c_prev + f * candidate", "forget and input gates exchanged"),
            Line("c = f * (c_prev + i * candidate)", "forget gate applied to the sum"),
            Line("h = o * c", "tanh missing on the cell"),
            Line("h = o * np.tanh(c_prev)", "tanh of the old cell"),
        ),
    ),
    "gru_step": (
        gru_step,
        (
            Line("h = h_prev + z * candidate", "old state not scaled"),
            Line("h = (1 - z) * r * h_prev + z * candidate", "reset state blended"),
            Line("h = 1 - z * h_prev + z * candidate", "parentheses forgotten"),
            Line("h = (1 - z) * h_prev + candidate", "candidate not scaled"),
            Line("h = z * candidate", "old state missing"),
            Line("h = candidate", "candidate returned as state"),
        ),
    ),
    "gru_step_backward": (
        gru_step_backward,
        (
            Line("direct = dh", "direct path not scaled", "dh_prev = dh + …"),
            Line("direct = z * dh", "z for 1 - z on the direct path", "dh_prev = z * dh + …"),
            Line("dc = dh", "candidate's gradient not scaled by z", "dcandidate = dh"),
            Line("da_z = dz", "update gate: sigmoid' missing", "dsum_z = dz"),
            Line("da_h = dc", "tanh' missing", "dsum = dcandidate"),
            Line("slope_h = 1 - c", "1 - tanh for tanh'", "dsum = dcandidate * (1 - candidate)"),
        ),
    ),
}  # fmt: skip


@cache
def verdicts(exercise: str) -> list[Verdict]:
    """What the check says of each wrong line's function, and last of the right one.

    As ``locally.judged`` does it, which would refuse a function that is put together from the package's.
    """
    step, lines = LINES[exercise]
    questions = Questions.prepare(courses.with_exercise(exercise).get(exercise))

    def handed_in(line: Line | None) -> Verdict:
        def code(**given):
            return step(line, **given)

        verdict = decide(questions, list(questions.exercise.play(code, questions.played)))
        if is_tried_again(verdict) and verdict.why.kind == "values":
            verdict = replace(verdict, example=smallest(questions.exercise, code))
        return verdict

    return [handed_in(line) for line in (*lines, None)]


def sentence(verdict: Verdict) -> str:
    """What a card says first, for those who hear it: the mistake by its name, or that it is right."""
    if verdict.passed:
        return f"Right: {points(verdict)}."
    assert verdict.mistake is not None
    return f"{points(verdict)}. {verdict.mistake.name}: {verdict.mistake.says}"


def bare(card: str) -> str:
    """A card without its style sheet, which stands on a page once, and without its announcement."""
    return re.sub(r"<style>.*?</style>", "", card, flags=re.S).replace(' role="status"', "", 1)


def figure(exercise: str) -> str:
    """The choice of a line and the card of each, as HTML; its links are by a notebook's folder."""
    found = verdicts(exercise)
    style = "".join(re.findall("<style>.*?</style>", as_html(found[0]), re.S))
    lines = [*(f"<code>{escape(line.text)}</code>" for line in LINES[exercise][1]), RIGHT]
    choices, cards = [], []
    for number, (line, verdict) in enumerate(zip(lines, found, strict=True)):
        name, chosen = f"gm-mistake-{exercise}", " checked" if number == 0 else ""
        choices.append(
            f'<label><input type="radio" name="{name}" value="{number}"{chosen} '
            f'data-says="{escape(sentence(verdict))}"><span>{line}</span></label>'
        )
        cards.append(f"<li><p>{line}</p>{bare(as_html(verdict, beside))}</li>")
    return (
        f'<gm-mistake data-exercise="{exercise}">{style}'
        f"<fieldset><legend>Make a mistake in <code>{exercise}</code></legend>"
        "<p>Choose a line; the card is what the check says to it.</p>"
        f"{''.join(choices)}</fieldset>"
        f'<ol>{"".join(cards)}</ol><div class="gm-unseen" role="status"></div></gm-mistake>'
    )


def above_the_first_cell(body: str, exercise: str) -> str:
    """An exercise page's text with the figure of ``exercise``, folded, before its first cell."""
    fold = (
        '<details class="gm-fold gm-mistakes"><summary>See how a check answers: make a mistake on '
        f"purpose</summary>{figure(exercise)}</details>\n"
    )
    return re.sub(r'(?=<div class="cell [^"]*\bgm-n-)', lambda _: fold, body, count=1)


def add_cards(app, pagename, templatename, context, doctree):
    """Fill the places of a page, and load the scripts they need where there are any."""
    if doctree is None:
        return
    for name in ("gm-trial", "gm-table"):
        if f"<{name}" in context["body"]:
            app.add_js_file(f"{name}.js", loading_method="defer")
    body = PLACE.sub(lambda found: figure(found[1]), context["body"])
    folder, _, name = pagename.rpartition("/")
    if folder == f"notebooks/{name}" and name in FOLDED:
        body = above_the_first_cell(body, FOLDED[name])
    if body != context["body"]:
        context["body"] = body
        app.add_js_file("gm-mistake.js", loading_method="defer")


def setup(app):
    # Before course_site, which makes the cards' links lead to pages.
    app.connect("html-page-context", add_cards, priority=400)
