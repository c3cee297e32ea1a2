"""A reader writes a gate on the site alone: Python in the page, the real check, the real editor."""

import json
import re
from pathlib import Path

import pytest
from engine_scene import by_name, release, solved
from test_live_cells import EXAMPLE, FIRST, GRU, STEP, cell, downloaded, push, says
from test_live_elements import tab_to

RNN_STEP, RNN_FORWARD = 5, 11
"""Cells of the RNN notebook."""

BOXES = "notebooks/bughunt/bughunt.html"

GATE = """\
def update_gate(x, h_prev, params):
    joined = np.concatenate([h_prev, x], axis=1)
    return sigmoid(joined @ params["W_z"].T + params["b_z"])
"""


@pytest.fixture(scope="module")
def python(browser, address, html):
    """Opens pages that run Python, each as a reader who comes for the first time."""
    if not (html / "run" / "parts.json").exists():
        pytest.skip("this site was built without npm: its pages run no Python")
    made = []

    def opened(path: str, **how):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", **how)  # fmt: skip
        context.set_default_timeout(180_000)
        made.append(context)
        page = context.new_page()
        page.errors, page.hosts = [], set()
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("request", lambda request: page.hosts.add(request.url.split("/")[2]) if request.url.startswith("http") else None)  # fmt: skip
        page.goto(address + path)
        page.wait_for_load_state("load")
        return page

    yield opened
    for context in made:
        context.close()


@pytest.fixture(scope="module")
def gru(python):
    """One page for all tests that leave nothing behind that another could meet."""
    page = python(GRU)
    open_editor(page, FIRST)
    page.wait_for_function("gmRun.state === 'ready'")
    return page


def open_editor(page, number: int):
    start = cell(page, number).get_by_role("button", name=re.compile("Write your|Go on"))
    if start.count():
        start.click()
    cell(page, number).locator(".cm-content").wait_for()


def write(page, number: int, text: str):
    open_editor(page, number)
    cell(page, number).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)


def run(page, number: int, name: str = "Run") -> str:
    """Push a button and wait until it has run; what is then said."""
    push(page, number, name)
    page.wait_for_function(
        """n => {
          const box = document.querySelector(`.gm-n-${n} .gm-code`), told = box.querySelector(".gm-code-says").textContent;
          return told && !box.matches(".gm-runs") && !told.startsWith("Running");
        }""",
        arg=number,
    )
    return says(page, number)


def example(page, text: str) -> str:
    """Run a text in the cell of the first example."""
    if not cell(page, EXAMPLE).locator(".cm-content").count():
        run(page, EXAMPLE, "Run the example")
    write(page, EXAMPLE, text)
    return run(page, EXAMPLE)


def shown(page, number: int) -> str:
    return cell(page, number).locator(".gm-code-out").inner_text()


def test_a_gate_is_written_named_mended_and_ticked(gru):
    page = gru
    assert run(page, FIRST, "Check").startswith("Checked: 0 of 2 points")
    assert "not written yet" in shown(page, FIRST)
    write(page, FIRST, GATE.replace("[h_prev, x]", "[x, h_prev]"))
    assert "The card says what to look at" in run(page, FIRST, "Check")
    card = cell(page, FIRST).locator(".gm-verdict.wrong")
    assert "Input and state in the wrong order" in card.inner_text()
    assert card.locator("svg").is_visible()  # where to look
    link = card.get_by_role("link", name="The update gate")
    assert link.evaluate("a => new URL(a.href).pathname") == "/book/gru/two-gates.html"
    write(page, FIRST, GATE)
    assert run(page, FIRST, "Check") == "Right: 2 of 2 points."
    assert cell(page, FIRST).locator(".gm-code-tick").inner_text() == "✓ solved, 2 of 2 points"
    run(page, EXAMPLE, "Run the example")
    assert shown(page, EXAMPLE) == "[[0.7311 0.5   ]]"
    assert page.errors == [] and len(page.hosts) == 1


def test_the_card_looks_as_the_course_made_it(gru):
    write(gru, FIRST, GATE.replace("b_z", "b_r"))
    run(gru, FIRST, "Check")
    card = cell(gru, FIRST).locator(".gm-verdict")
    look = "e => { const s = getComputedStyle(e); return [s.borderLeftWidth, s.borderLeftColor !== s.borderTopColor]; }"
    assert card.evaluate(look) == ["4px", True]
    assert card.locator(".body").evaluate("e => getComputedStyle(e).display") == "flex"


def test_an_error_is_told_with_its_line(gru):
    write(gru, FIRST, GATE.replace("axis=1)", "axis=1"))
    assert "SyntaxError" in run(gru, FIRST)
    assert gru.locator(f".gm-n-{FIRST} .cm-wrong").inner_text().strip().startswith("joined =")
    write(gru, FIRST, GATE.replace("sigmoid(joined", "sigmoid(joint"))
    assert "NameError" in example(gru, "update_gate(tiny_x, tiny_h, tiny)")
    trace = shown(gru, EXAMPLE)
    assert "example 1, line 1" in trace and "update_gate, line 3" in trace
    assert "autograder" not in trace and "pyodide" not in trace
    assert "joint" in gru.locator(f".gm-n-{FIRST} .cm-wrong").inner_text()


def test_an_endless_loop_is_stopped_and_nothing_is_lost(gru):
    write(gru, FIRST, GATE)
    run(gru, FIRST)
    example(gru, "1")
    write(gru, EXAMPLE, "print('begun')\nwhile True:\n    pass")
    push(gru, EXAMPLE, "Run")
    cell(gru, EXAMPLE).get_by_role("button", name="Stop").click()
    gru.wait_for_function(f"/^Stopped/.test(document.querySelector('.gm-n-{EXAMPLE} .gm-code-says').textContent)")  # fmt: skip
    assert example(gru, "update_gate(tiny_x, tiny_h, tiny).round(4)").startswith("Done")
    assert "0.7311" in shown(gru, EXAMPLE)


def test_output_is_text_and_streams(gru):
    assert example(gru, "print('<img src=x onerror=\"window.hit = 1\">')\nprint('line\\n' * 200)").startswith("Done")  # fmt: skip
    assert shown(gru, EXAMPLE).startswith('<img src=x onerror="window.hit = 1">')
    assert "Show 202 lines" in shown(gru, EXAMPLE)
    assert gru.evaluate("window.hit") is None


def test_an_object_of_a_reader_runs_no_script_in_the_page(gru):
    text = """\
class Own:
    def _repr_html_(self):
        return "<img src=x onerror='window.hit = 1'><script>window.hit = 2</script><b onclick='window.hit = 3'>own</b>"
Own()"""
    assert example(gru, text).startswith("Done")
    assert cell(gru, EXAMPLE).locator(".gm-code-shown :is(img, script, [onclick])").count() == 0
    assert gru.evaluate("window.hit") is None and gru.errors == []


def test_a_check_that_lies_runs_no_script_in_the_page(gru):
    text = """\
from autograder.checking.render import Card
Card._repr_html_ = lambda self: "<div class='gm-verdict right'><span class=pts>9</span><img src=x onerror='window.hit = 1'></div>"
check(update_gate)"""
    assert example(gru, text).startswith("Done")
    assert cell(gru, EXAMPLE).locator(".gm-verdict").count() == 1
    assert cell(gru, EXAMPLE).locator(".gm-verdict img").count() == 0
    assert gru.evaluate("window.hit") is None


def test_the_editor_can_be_left_by_keyboard(gru):
    write(gru, FIRST, "")
    editor = cell(gru, FIRST).locator(".cm-content")
    editor.click()
    gru.keyboard.type("def f():")
    gru.keyboard.press("Enter")
    gru.keyboard.press("Tab")
    gru.keyboard.type("return 1")
    assert editor.inner_text().split("\n") == ["def f():", "        return 1"]
    gru.keyboard.press("Escape")
    gru.keyboard.press("Tab")
    assert gru.evaluate("document.activeElement.textContent") == "Run"
    gru.keyboard.press("Shift+Tab")
    gru.keyboard.press("Tab")  # a fresh stay in the editor: Tab indents again
    assert editor.evaluate("e => e.contains(document.activeElement)")
    name = editor.get_attribute("aria-label")
    assert "update_gate" in name and "Escape, then Tab" in name
    gru.keyboard.press("Shift+Enter")
    gru.wait_for_function(f"/runs/.test(document.querySelector('.gm-n-{FIRST} .gm-code-says').textContent)")  # fmt: skip
    gru.keyboard.press("Escape")
    tab_to(gru, cell(gru, FIRST).get_by_role("button", name="Reset"))


def test_every_key_reaches_the_editor(gru):
    """The site's search waits for some of them."""
    typed = "a / b, c = 1 // 2  # ? k"
    write(gru, FIRST, "")
    cell(gru, FIRST).locator(".cm-content").click()
    gru.keyboard.type(typed)
    assert cell(gru, FIRST).locator(".cm-content").inner_text() == typed


def test_what_is_typed_at_once_takes_the_place_of_the_line_that_raises(python):
    page = python(GRU)
    open_editor(page, FIRST)
    page.keyboard.type("return x")
    text = cell(page, FIRST).locator(".cm-content").inner_text()
    assert "NotImplementedError" not in text and text.split("\n")[-1] == "    return x"
    assert text.startswith("def update_gate(")


def test_one_bar_says_what_is_on_its_way(python):
    page = python(GRU)
    page.evaluate("() => { gmRun.load = () => new Promise(() => {}); }")
    open_editor(page, FIRST)
    push(page, FIRST, "Check")
    assert cell(page, FIRST).locator("progress").count() == 1


def test_a_box_is_probed_on_the_bug_hunt(python):
    page = python(BOXES)
    page.locator(".gm-n-16").get_by_role("button", name="Run this cell").click()
    page.locator(".gm-n-16 .gm-code-shown").get_by_text("right cell").wait_for()
    assert page.locator(".gm-n-16 .gm-code-shown").get_by_text("box A").is_visible()
    assert page.errors == []


HANDED_IN = {"rnn_step": RNN_STEP, "rnn_forward": RNN_FORWARD}


def test_a_notebook_from_the_page_gets_the_points_that_the_page_showed(python, engine):
    """Two functions, one right and one with a known mistake, written, checked and downloaded."""
    page = python("notebooks/rnn/rnn.html")
    right = {name: text for name, text in by_name(solved("rnn")).items() if name in HANDED_IN}
    wrong = right | {"rnn_forward": right["rnn_forward"].replace("return", "return np.zeros_like(h0), ")}  # fmt: skip
    assert wrong != right
    points = {}
    for name, number in HANDED_IN.items():
        write(page, number, wrong[name])
        run(page, number, "Check")
        told = cell(page, number).locator(".gm-verdict .pts").inner_text()
        points[name] = float(told.split(" of ")[0])
    assert points["rnn_step"] > 0
    page.get_by_role("textbox", name="Your answer").fill("Because of the slope of tanh.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download your notebook").click()
    content = Path(download.value.path()).read_bytes()
    graded = engine.grade(content, "rnn", "stranger", release("rnn"))
    assert {v.exercise: v.points for v in graded.verdicts if v.exercise in points} == points
    assert not graded.remarks
    assert "slope of tanh" in json.dumps(json.loads(content))


def test_work_survives_a_closed_tab(python):
    page = python(GRU)
    write(page, STEP, "def gru_step(x, h_prev, params):\n    return kept_here\n")
    context, address = page.context, page.url
    page.close()
    again = context.new_page()
    again.goto(address)
    assert "return kept_here" in cell(again, STEP).locator(".gm-code-kept").text_content()
    assert "return kept_here" in "".join(
        next(c for c in downloaded(again)["cells"] if c.get("id") == "gru_step")["source"]
    )
