"""Predict, then look: one choice is right, each is explained, and every build asks alike."""

import re

import numpy as np
import pytest

from autograder.course.figures import Choice, predict
from autograder.course.figures.predict import prediction_html

QUESTION = "What happens to the gradient?"
SHRINKS = Choice("it shrinks", when=np.bool_(True), because="It falls to 0.1.")
GROWS = Choice("it grows", when=False, because="It would have to pass 1; it is 0.1.")
STAYS = Choice("it stays", when=False, because="It began at 1.")


def order(question, *choices):
    return re.findall(r"<label>.*?<span>(.*?)</span>", prediction_html(question, choices))


def test_one_choice_is_right_and_each_is_explained():
    text = predict(QUESTION, [SHRINKS, GROWS, STAYS]).data
    answers = re.findall(r"<li>(.*?)</li>", text)
    assert [("Right." in a) for a in answers] == [("shrinks" in a) for a in answers]
    for choice in (SHRINKS, GROWS, STAYS):
        assert text.count(choice.because) == 1
    assert re.search(r'data-look="(.*?)"', text)[1] in re.findall(r' id="(.*?)"', text)


def test_the_order_is_the_questions_own():
    drawn = {question: order(question, SHRINKS, GROWS, STAYS) for question in "ABCDEFGHIJKLMNOP"}
    assert len({tuple(found) for found in drawn.values()}) == 6
    assert all(order(question, SHRINKS, GROWS, STAYS) == drawn[question] for question in drawn)


@pytest.mark.parametrize(
    "choices",
    [
        [GROWS, STAYS],
        [SHRINKS, Choice("it halves", when=True, because="It is 0.5.")],
        [SHRINKS],
        [SHRINKS, *(Choice(f"{n}", when=False, because="No.") for n in range(4))],
        [SHRINKS, GROWS, GROWS],
        [SHRINKS, Choice("it grows", when=False, because=" ")],
    ],
)
def test_a_question_without_one_answer_does_not_build(choices):
    with pytest.raises(ValueError, match=re.escape(QUESTION)):
        predict(QUESTION, choices)


def test_a_result_that_stands_elsewhere_is_linked():
    text = prediction_html(QUESTION, [SHRINKS, GROWS], look="the-figure")
    assert 'data-look="the-figure"' in text and " id=" not in text
