"""A hundred answers get the same verdict in a page, in JupyterLite and in Jupyter: the same words and card."""

import json
import re

import pytest
from hundred import cells, hundred
from jupyter_client.manager import start_new_kernel
from lite_notebook import Notebook, lay_out

ANSWERS = hundred()

OF_THE_PLACE = (
    (re.compile(r"(largest error |off by up to )[\de.+-]+"), r"\1..."),
    (re.compile(r"\bint(32|64)\b"), "int"),
    (re.compile(r'<a href="[^"]*#[^"]*">(.*?)</a>'), r"\1"),
)
"""What is about the machine and the folder: the last digits of a number, how wide its whole numbers are,
and whether the page to read again lies where a link can lead to it."""


def of_words(text: str) -> str:
    for pattern, instead in OF_THE_PLACE:
        text = pattern.sub(instead, text)
    return text


RUN = """async cells => {
  const said = await gmRun.run({ cells: cells.map((source, k) => ({ id: `cell ${k + 1}`, source })) });
  return said.cells;
}"""


@pytest.fixture(scope="module")
def in_a_page(visit, empty_page) -> list[dict]:
    """What a page says of each answer: the printed verdict and its card."""
    page = visit(empty_page, own=True).page
    said = []
    for answer, sources in zip(ANSWERS, cells(ANSWERS), strict=True):
        last = page.evaluate(RUN, sources)[-1]
        assert last["error"] is None, (answer, last)
        said.append({"text": last["printed"], "card": last["shown"]["value"]})
    return said


@pytest.fixture(scope="module")
def in_jupyter(in_a_page) -> list[dict]:
    """What a kernel of Jupyter says of each."""
    manager, client = start_new_kernel()
    try:
        return [said_by(client, sources) for sources in cells(ANSWERS)]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def in_jupyterlite(in_a_page, browser, parts, serve, tmp_path_factory) -> list[dict]:
    """What the kernel of JupyterLite says of each."""
    folder = tmp_path_factory.mktemp("site")
    lay_out(folder, parts)
    notebook = Notebook(browser.new_context(), f"{serve(folder)}lite/index.html?open=rnn").ready()
    said = []
    for sources in cells(ANSWERS):
        for source in sources:
            answer = notebook.say(source)
            assert answer["status"] == "ok", answer
        said.append(answer)
    notebook.context.close()
    return said


def said_by(client, sources: list[str]) -> dict:
    said = {"text": "", "card": ""}

    def hear(message):
        content = message["content"]
        if message["msg_type"] == "stream" and content["name"] == "stdout":
            said["text"] += content["text"]
        elif message["msg_type"] == "execute_result":
            said["card"] = content["data"]["text/html"]

    for source in sources:
        reply = client.execute_interactive(source, output_hook=hear, timeout=600)
        assert reply["content"]["status"] == "ok", reply["content"]
    return said


def test_there_are_a_hundred_right_and_wrong(in_a_page):
    right = [": right, " in said["text"].split("\n")[0] for said in in_a_page]
    assert len(ANSWERS) >= 100
    assert 20 <= sum(right) <= len(right) - 70
    assert len({answer.exercise for answer in ANSWERS}) >= 20
    assert sum("Mistake: " in said["text"] for said in in_a_page) >= 20  # known ones
    assert len({said["text"] for said in in_a_page}) >= 90


@pytest.mark.parametrize("place", ["in_a_page", "in_jupyterlite"])
@pytest.mark.parametrize("what", ["text", "card"])
def test_jupyter_says_the_same(place, what, request, in_jupyter):
    here = request.getfixturevalue(place)
    differ = [
        json.dumps([answer.exercise, said[what], theirs[what]], indent=1)
        for answer, said, theirs in zip(ANSWERS, here, in_jupyter, strict=True)
        if of_words(said[what]) != of_words(theirs[what])
    ]
    assert not differ, "\n".join(differ)
