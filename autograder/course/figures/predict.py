"""Predict, then look: a question before a result, whose key the build computes from that result."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

RIGHT = '<b class="gm-right"><span aria-hidden="true">✓</span> Right.</b>'
WRONG = '<b class="gm-wrong"><span aria-hidden="true">✗</span> Not so.</b>'


@dataclass(frozen=True)
class Choice:
    """One thing that might happen.

    ``text`` says what (HTML allowed), ``when`` whether it does, as the page has computed it, and
    ``because`` explains this choice with the numbers that came out.
    """

    text: str
    when: bool
    because: str


def predict(question: str, choices: Sequence[Choice], look: str = ""):
    """A question to be answered before its result is seen, as ``IPython.display.HTML``.

    Two to four choices, in an order drawn from the question, so that no build changes it. ``look``
    is the id of the result on the page; without it the result is what stands right below.

    Raises ValueError, which names the question, unless exactly one choice comes true, every choice
    is explained and no two read the same.
    """
    from IPython.display import HTML

    return HTML(prediction_html(question, choices, look))


def prediction_html(question: str, choices: Sequence[Choice], look: str = "") -> str:
    """The text of `predict`: radio buttons for gm-predict.js, all answers folded below them."""
    _check(question, choices)
    name = "predict-" + hashlib.sha256(question.encode()).hexdigest()[:8]
    shown = list(choices)
    random.Random(question).shuffle(shown)
    buttons = "".join(
        f'<label><input type="radio" name="{name}" value="{n}" autocomplete="off"><span>{c.text}</span></label>'
        for n, c in enumerate(shown)
    )
    answers = "".join(
        f"<li><i>{c.text}</i>. {RIGHT if c.when else WRONG} <span>{c.because}</span></li>"
        for c in shown
    )
    below = "" if look else f'<span id="{name}" tabindex="-1"></span>'
    return (
        '<div class="gm-predict"><fieldset>'
        f"<legend><b>Predict, then look.</b> {question}</legend>{buttons}</fieldset>"
        f'<div class="gm-told" role="status" data-look="{look or name}"></div>'
        f"<details><summary>All answers</summary><ul>{answers}</ul></details></div>{below}"
    )


def _check(question: str, choices: Sequence[Choice]) -> None:
    true = [choice.text for choice in choices if bool(choice.when)]
    if len(true) != 1:
        raise ValueError(f"{question} has {len(true)} right choices, not one: {true}")
    if not 2 <= len(choices) <= 4:
        raise ValueError(f"{question} has {len(choices)} choices, not two to four.")
    if len({choice.text for choice in choices}) < len(choices):
        raise ValueError(f"{question} has the same choice twice.")
    if unexplained := [choice.text for choice in choices if not choice.because.strip()]:
        raise ValueError(f"{question} does not explain: {unexplained}")
