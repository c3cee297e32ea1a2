"""Cells that a reader edits and runs: what runs, what is said, what is kept, and what never runs.

This file is long because one page has many ways to go wrong. A stand-in for gm-run.js answers here at
once; the worker itself is in test_first_gate.py.
"""

import json
import re
from pathlib import Path

import pytest
from test_cell_needs import data, pages  # noqa: F401  (a fixture)
from test_live_elements import tab_to
from test_pages import AXE, RULES

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "book" / "_static"
MOCK = (HERE / "mock_run.js").read_text(encoding="utf-8")
GRU, CHAPTER = "notebooks/gru/gru.html", "book/memory/why-it-forgets.html"
FORTH, BACK = 9, 11  # cells of the chapter: three steps by hand, and their derivatives
FIRST, EXAMPLE, SECOND, STEP, LAYER, QUESTION = 7, 9, 14, 28, 57, 73
"""Cells of the GRU notebook: update_gate and its example, reset_gate, gru_step, GRULayer, the question."""

RIGHT = '<style>.gm-verdict{color:red}</style><div class="gm-verdict right" role="status"><p class="head"><b>✓ right</b><span class="pts">2 of 2 points</span></p></div>'
WRONG = RIGHT.replace("right", "wrong").replace("2 of 2", "0.5 of 2")
DESKTOP, PHONE, NARROW = (1280, 900), (390, 844), (320, 700)


@pytest.fixture(scope="module")
def contexts(browser, address):
    """Browsers of readers, each with a storage of its own, whose pages have a stand-in for Python."""
    made = []

    def new(script: str = "", parts: bool = True, javascript: bool = True, **how):
        how = {"viewport": {"width": DESKTOP[0], "height": DESKTOP[1]}, "reduced_motion": "reduce"} | how  # fmt: skip
        context = browser.new_context(java_script_enabled=javascript, **how)
        context.set_default_timeout(60_000)
        made.append(context)
        with_parts = "document.documentElement.dataset.gmRun = '../../run/parts.json';"
        mock = with_parts + MOCK if parts else "delete document.documentElement.dataset.gmRun;"
        context.route("**/gm-run.js*", lambda route: route.fulfill(body=mock, content_type="text/javascript"))  # fmt: skip
        if script:
            context.add_init_script(script)
        return context

    yield new
    for context in made:
        context.close()


@pytest.fixture
def reader(contexts, address):
    """A page as a new reader opens it; ``page.errors`` are those of its scripts."""

    def opened(path: str = GRU, context=None, **how):
        page = (context or contexts(**how)).new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(address + path)
        page.wait_for_load_state("load")
        # What is far from the window has no text to read before it comes.
        if how.get("javascript", True):
            page.add_style_tag(content="section { content-visibility: visible !important }")
        return page

    return opened


def cell(page, number: int):
    return page.locator(f".gm-n-{number}")


def push(page, number: int, name: str):
    cell(page, number).get_by_role("button", name=name, exact=True).click()


def write(page, number: int, text: str):
    """Open a cell where it is not yet, and put a text into its editor."""
    start = cell(page, number).get_by_role("button", name=re.compile("Write your|Go on"))
    if start.count():
        start.click()
    cell(page, number).locator("textarea").fill(text)


def says(page, number: int) -> str:
    return cell(page, number).locator(".gm-code-says").inner_text()


def asked(page) -> list[list[str]]:
    """What was run, by name, each time."""
    return page.evaluate("mock.asked.map(cells => cells.map(({ id }) => id))")


def answers(page, script: str):
    """Say what cells give: the body of a function of ``id`` and ``source``."""
    page.evaluate(f"() => {{ mock.answer = ({{ id, source }}) => {{ {script} }}; }}")


def verdict(page, card: str):
    answers(page, f"return id === 'check' ? {{ shown: {{ kind: 'html', value: {json.dumps(card)} }} }} : {{}}")  # fmt: skip


def bar(page) -> str:
    return page.locator(".gm-code-sum").inner_text()


GATE = "def update_gate(x, h_prev, params):\n    return sigmoid(x)\n"


# What is there before anybody asks for it


def test_nothing_is_fetched_before_a_button_is_pressed(contexts, address):
    context = contexts()
    page, seen = context.new_page(), []
    page.on("request", lambda request: seen.append(request.url))
    for path in (GRU, CHAPTER):
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
    assert not [url for url in seen if "/run/" in url or "worker" in url or "/lite/" in url]
    assert not [url for url in seen if not url.startswith((address, "data:"))]
    assert page.evaluate("mock.asked.length === 0 && gmRun.state === 'idle'")


@pytest.mark.parametrize("path", [GRU, CHAPTER])
def test_without_javascript_the_page_is_as_ever(reader, path):
    page = reader(path, javascript=False)
    assert page.locator(".gm-code, .gm-code-words, .gm-code-sum").count() == 0
    assert page.locator("#gm-cells").count() == 1
    assert page.locator("details").count() == 0 or page.locator("details").first.is_visible()


def test_a_site_without_parts_says_so_in_one_line(reader):
    page = reader(parts=False)
    assert "without Python" in bar(page)
    assert page.get_by_role("button", name=re.compile("Run|Check|Write your")).count() == 0
    assert page.get_by_role("button", name="Download your notebook").is_visible()
    page = reader(CHAPTER, parts=False)
    assert page.get_by_text("without Python").count() == 1
    assert page.get_by_role("button", name=re.compile("^Run")).count() == 0


def test_a_torch_exercise_says_what_it_needs(reader):
    page = reader()
    told = cell(page, LAYER).locator(".gm-code-notes").inner_text()
    assert "needs PyTorch" in told and "Jupyter" in told
    assert cell(page, LAYER).get_by_role("link", name="download the notebook").count() == 1
    assert cell(page, LAYER).locator(".gm-code button:visible").count() == 0
    page = reader(CHAPTER)
    assert "needs torch" in cell(page, 42).locator(".gm-code-lacks").inner_text()


# What runs


def test_a_check_runs_what_its_answer_builds_on_in_the_order_of_the_page(reader):
    page = reader()
    write(page, FIRST, GATE)
    push(page, FIRST, "Check")
    assert asked(page) == [["setup", "sigmoid", "update_gate", "check"]]
    write(page, STEP, "def gru_step(x, h_prev, params):\n    z = update_gate(x, h_prev, params)\n    return z * reset_gate(x)\n")  # fmt: skip
    push(page, STEP, "Check")
    assert asked(page)[1] == ["reset_gate", "gru_step", "check"]  # the others have run
    write(page, FIRST, GATE + "\n# another way\n")
    push(page, STEP, "Run")
    assert asked(page)[2] == ["update_gate", "reset_gate", "gru_step"]  # from what has changed on
    push(page, EXAMPLE, "Run the example")
    assert asked(page)[3] == ["tiny-example", "update_gate", "example 1"]
    assert page.errors == []


def test_examples_get_the_examples_that_they_build_on(reader, pages):  # noqa: F811
    told = data(pages["notebooks/lstm/lstm"])["cells"]
    last = next(one for one in told if one["role"] == "try" and one["tries"])
    page = reader("notebooks/lstm/lstm.html")
    cell(page, last["n"]).get_by_role("button", name="Run the example").click()
    assert asked(page)[0][-1].startswith("example ") and asked(page)[0][-2].startswith("example ")


def test_a_broken_answer_beneath_is_named_and_led_to(reader):
    page = reader()
    write(page, FIRST, "BROKEN update_gate\ndef update_gate(): pass\n")
    write(page, STEP, "def gru_step(x, h_prev, params):\n    return update_gate(x)\n")
    push(page, STEP, "Run")
    assert says(page, STEP).startswith("This builds on update_gate, which fails: SyntaxError")
    assert asked(page)[-1][-1] == "gru_step"
    cell(page, STEP).get_by_role("link", name="update_gate").click()
    assert cell(page, FIRST).locator("textarea").evaluate("e => e === document.activeElement")
    assert cell(page, FIRST).locator("textarea").get_attribute("data-marked") == "1"
    page.keyboard.press("End")
    page.keyboard.type(" ")
    assert cell(page, FIRST).locator("textarea").get_attribute("data-marked") == ""


def test_an_untouched_stub_beneath_is_no_failure(reader):
    page = reader()
    verdict(page, RIGHT)
    write(page, STEP, "def gru_step(x, h_prev, params):\n    return update_gate(x)\n")
    push(page, STEP, "Check")
    assert "update_gate" in asked(page)[0]
    assert says(page, STEP) == "Right: 2 of 2 points."


def test_an_example_of_a_stub_says_what_is_not_written(reader):
    page = reader()
    answers(page, """return id !== 'example 1' ? {} : { error: { name: "NotImplementedError", message: "", cell: "update_gate",
      line: 8, trace: "example 1, line 1\\nupdate_gate, line 8, in update_gate\\nNotImplementedError" } }""")  # fmt: skip
    push(page, EXAMPLE, "Run the example")
    assert says(page, EXAMPLE).startswith("update_gate is not written yet")


def test_stop_ends_a_run_and_the_next_one_begins_afresh(reader):
    page = reader()
    write(page, FIRST, GATE)
    push(page, FIRST, "Run")
    page.evaluate("mock.holdsRun = true")
    push(page, FIRST, "Run")
    assert cell(page, FIRST).get_by_role("button", name="Run", exact=True).get_attribute("aria-disabled") == "true"  # fmt: skip
    push(page, EXAMPLE, "Run the example")
    assert says(page, EXAMPLE) == "Another cell is running: update_gate. Stop it first."
    push(page, FIRST, "Stop")
    assert says(page, FIRST).startswith("Stopped. The next run starts Python afresh")
    page.evaluate("mock.holdsRun = false")
    push(page, FIRST, "Run")
    assert asked(page)[-1] == ["setup", "sigmoid", "update_gate"]
    assert not cell(page, FIRST).get_by_role("button", name="Stop").is_visible()


def test_loading_shows_how_far_it_is_and_can_be_ended(reader):
    page = reader()
    page.evaluate("mock.holdsLoad = true")
    push(page, FIRST, "Write your answer here")
    load = cell(page, FIRST).locator(".gm-code-load")
    assert "2.0 of 8.0 MB" in load.inner_text()
    assert load.get_by_role("progressbar").get_attribute("value") == "0.25"
    load.get_by_role("button", name="Cancel").click()
    assert load.count() == 0 and says(page, FIRST) == "Stopped."
    page.evaluate("Object.assign(mock, { holdsLoad: false, fails: 'The connection broke off.' })")
    push(page, FIRST, "Run")
    assert says(page, FIRST) == "The connection broke off."
    page.evaluate("mock.fails = ''")
    push(page, FIRST, "Run")
    assert says(page, FIRST).startswith("It runs.")


# What is shown


def test_what_is_printed_is_text(reader):
    page = reader()
    answers(page, "return { printed: '<img src=x onerror=\"window.hit = 1\"> &amp;\\n', shown: { kind: 'text', value: '<b>7</b>' } }")  # fmt: skip
    push(page, EXAMPLE, "Run the example")
    out = cell(page, EXAMPLE).locator(".gm-code-out pre")
    assert out.inner_text() == '<img src=x onerror="window.hit = 1"> &amp;\n<b>7</b>'
    assert page.evaluate("window.hit") is None


@pytest.mark.parametrize(("lines", "least", "most"), [(30, 30, 30), (200, 24, 200), (10**6, 24, 1000)])  # fmt: skip
def test_long_output_is_folded_and_endless_output_is_cut(reader, lines, least, most):
    page = reader()
    answers(page, f"return {{ printed: 'a line\\n'.repeat({lines}) }}")
    push(page, EXAMPLE, "Run the example")
    box = cell(page, EXAMPLE).locator(".gm-code-out")
    box.locator("pre").wait_for()
    assert box.locator("pre").inner_text().count("a line") == least
    assert box.get_by_role("button").is_visible() == (least < most)
    if least < most:
        box.get_by_role("button", name=f"Show {most:,} lines").click()
        assert box.locator("pre").inner_text().count("a line") == most
    assert ("not shown" in box.inner_text()) == (lines > 1000)


HOSTILE = r"""<div class="gm-verdict"><script>window.hit = 1</script><img src=x onerror="window.hit = 2">
<p onclick="window.hit = 3" id="gm-cells" style="background:url(//elsewhere.example/x)">text</p>
<a href="javascript:window.hit = 4">one</a><a href="https://elsewhere.example/">two</a>
<a href="../../book/gru/two-gates.md#update-gate">three</a><iframe srcdoc="<script>top.hit = 5</script>"></iframe>
<svg><animate onbegin="window.hit = 6" attributeName="x" dur="1s"></animate><a xlink:href="javascript:1"><text>t</text></a>
<image href="//elsewhere.example/y"></image></svg><form action="//elsewhere.example"><button>b</button></form>
<style>body { display: none }</style><style>@import "//elsewhere.example/z.css"; .gm-verdict { color: red }</style>
<style>.gm-verdict { outline-width: 7px }</style><style>body:has(.gm-verdict) main { display: none }</style>
<b style="background:\75 rl(//elsewhere.example/a)">a</b><b style="background:u\72l(//elsewhere.example/b)">b</b>
<b style='background:\69mage-set("//elsewhere.example/c" 1x)'>c</b><b style='background:src("//elsewhere.example/d")'>d</b>
<svg><rect fill="\75 rl(//elsewhere.example/e)" width="9" height="9"></rect></svg>
<style>.gm-verdict { background: \75rl(//elsewhere.example/f) } @\69mport "//elsewhere.example/g";
@font-face { font-family: e; src: url(//elsewhere.example/h.woff2) } b { font-family: e }</style>
<b data-bs-toggle="collapse" data-bs-target="main">h</b><math><mtext></mtext></math><template><b>x</b></template></div>"""


def test_html_of_a_result_can_do_nothing(reader, address):
    page, seen = reader(), []
    page.on("request", lambda request: seen.append(request.url))
    verdict(page, HOSTILE)
    write(page, FIRST, GATE)
    push(page, FIRST, "Check")
    card = cell(page, FIRST).locator(".gm-verdict")
    card.get_by_text("text").click()
    assert page.evaluate("window.hit") is None
    # What comes into view brings the page's own picture and letters.
    own = [f"{address}_static/{part}" for part in ("logo.svg", "fonts/", "vendor/katex/fonts/")]
    assert [url for url in seen if not url.startswith(tuple(own))] == []
    assert card.locator("script, img, iframe, form, button, image, animate, math, template").count() == 0  # fmt: skip
    assert card.locator("[onclick], [id], [onbegin]").count() == 0
    links = card.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert links == [None, None, "../../book/gru/two-gates.html#update-gate", None]
    assert (
        card.locator("style, [data-bs-toggle]").count() == 0 and page.locator("main").is_visible()
    )
    assert card.evaluate("e => getComputedStyle(e).outlineWidth") != "7px"
    assert page.locator("#gm-cells").count() == 1


def test_what_is_written_while_a_check_runs_is_not_ticked(reader):
    page = reader()
    verdict(page, RIGHT)
    write(page, FIRST, GATE)
    page.evaluate(
        """() => { const run = gmRun.run; gmRun.run = async (...all) => {
          const said = await run(...all); await new Promise(done => { window.goOn = done; }); return said; }; }"""
    )
    push(page, FIRST, "Check")
    page.wait_for_function("() => Boolean(window.goOn)")
    cell(page, FIRST).locator("textarea").fill(f"{GATE}garbage(")
    page.evaluate("goOn()")
    assert cell(page, FIRST).locator(".gm-code-tick").inner_text() == "was solved, changed since"
    assert bar(page).startswith("0 of 8")


def test_a_tick_is_set_kept_and_belongs_to_the_text(reader, contexts):
    context = contexts()
    page = reader(context=context)
    assert bar(page).startswith("0 of 8 exercises solved")
    verdict(page, WRONG)
    write(page, FIRST, GATE)
    push(page, FIRST, "Check")
    tick = ".gm-code-tick"
    assert cell(page, FIRST).locator(tick).inner_text() == "0.5 of 2 points"
    assert bar(page).startswith("0 of 8 exercises solved, 0.5 points")
    verdict(page, RIGHT)
    push(page, FIRST, "Check")
    assert cell(page, FIRST).locator(tick).inner_text() == "✓ solved, 2 of 2 points"
    assert bar(page).startswith("1 of 8 exercises solved, 2 points. 1 more needs torch.")
    page.reload()
    assert cell(page, FIRST).locator(tick).inner_text() == "✓ solved, 2 of 2 points"
    write(page, FIRST, GATE + "#")
    assert cell(page, FIRST).locator(tick).inner_text() == "was solved, changed since"
    assert bar(page).startswith("0 of 8")
    write(page, FIRST, GATE)
    assert bar(page).startswith("1 of 8")


def test_hints_come_one_at_a_time(reader):
    page = reader()
    hints = page.locator("section#the-update-gate > details")
    assert hints.count() == 3 and all(hints.nth(k).is_visible() for k in range(3))
    push(page, FIRST, "Write your answer here")
    cell(page, FIRST).locator("textarea").wait_for()
    assert not any(hints.nth(k).is_visible() for k in range(3))
    for k in range(3):
        push(page, FIRST, f"Hint {k + 1} of 3")
        assert [hints.nth(i).is_visible() for i in range(3)] == [i <= k for i in range(3)]
        assert hints.nth(k).locator("summary").evaluate("e => e === document.activeElement")
    last = cell(page, FIRST).get_by_role("button", name="No more hints")
    assert last.get_attribute("aria-disabled") == "true"
    assert page.locator("section#the-reset-gate > details").first.is_visible()


def test_reset_asks_and_can_be_undone(reader):
    page = reader()
    write(page, FIRST, GATE)
    field, stub = cell(page, FIRST).locator("textarea"), "raise NotImplementedError()"
    push(page, FIRST, "Reset")
    push(page, FIRST, "Keep it")
    assert field.input_value() == GATE
    push(page, FIRST, "Reset")
    push(page, FIRST, "Throw it away")
    assert stub in field.input_value()
    push(page, FIRST, "Undo")
    assert field.input_value() == GATE
    page.reload()
    assert "return sigmoid(x)" in cell(page, FIRST).inner_text()


# What is kept


def keep(number_or_id: str, text: str, **more) -> str:
    """A script that has something kept before the page opens."""
    key = f"gm-work/notebooks/gru/gru/{number_or_id}"
    return f"localStorage.setItem({key!r}, {json.dumps(json.dumps({'text': text, **more}))});"


def test_what_is_kept_is_shown_and_not_run(reader, contexts):
    context = contexts(keep("update_gate", "<img src=x onerror='window.hit = 1'>print(1)", points="<b>9</b>"))  # fmt: skip
    page = reader(GRU + "?run=update_gate&code=print(2)#code=print(3)&update_gate", context)
    assert "<img src=x" in cell(page, FIRST).locator(".gm-code-kept").inner_text()
    assert not cell(page, FIRST).locator(".cell_input").is_visible()
    assert page.evaluate("window.hit") is None and asked(page) == []
    assert page.evaluate("gmRun.state") == "idle"
    push(page, FIRST, "Go on writing")
    cell(page, FIRST).locator("textarea").wait_for()
    assert asked(page) == [] and page.evaluate("window.hit") is None
    assert "print" not in page.evaluate("document.querySelector('main').innerText.replace(/print\\(1\\)/, '').slice(0, 3000)")  # fmt: skip
    assert page.errors == []


@pytest.mark.parametrize("text", ["", "{", "null", "7", '{"text": 5}', '["text"]'])
def test_what_is_kept_and_makes_no_sense_is_passed_over(reader, contexts, text):
    script = f"localStorage.setItem('gm-work/notebooks/gru/gru/update_gate', {text!r});"
    page = reader(context=contexts(script))
    assert page.get_by_role("button", name="Write your answer here").first.is_visible()
    assert page.errors == []


def test_a_task_that_changed_says_so_and_keeps_the_text(reader, contexts):
    context = contexts(keep("update_gate", GATE, stub="def update_gate(): ...", release="0.0.1"))
    page = reader(context=context)
    push(page, FIRST, "Go on writing")
    assert cell(page, FIRST).locator("textarea").input_value() == GATE
    notes = cell(page, FIRST).locator(".gm-code-notes")
    assert "The task has changed since you began with it (release 0.0.1)" in notes.inner_text()
    notes.get_by_text("The task as it is now").click()
    assert "raise NotImplementedError()" in notes.locator("pre").inner_text()


def test_a_question_about_two_tabs_that_is_passed_over_is_asked_again(reader, contexts):
    context = contexts()
    one, two = reader(context=context), reader(context=context)
    write(one, FIRST, "mine = 1\n")
    write(two, FIRST, "theirs = 2\n")
    write(one, FIRST, "mine = 3\n")
    question = cell(one, FIRST).get_by_role("group", name=re.compile("Another tab changed this"))
    question.wait_for()
    assert one.evaluate(
        "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    )  # it warns
    push(one, FIRST, "Reset")
    cell(one, FIRST).get_by_role("button", name="Keep it").click()
    cell(one, FIRST).locator("textarea").fill("mine = 4\n")
    question.get_by_role("button", name="Keep this one").click()
    assert "mine = 4" in one.evaluate(
        "localStorage.getItem('gm-work/notebooks/gru/gru/update_gate')"
    )


def test_two_tabs_do_not_overwrite_each_other_silently(reader, contexts):
    context = contexts()
    one, two = reader(context=context), reader(context=context)
    write(one, FIRST, "mine = 1\n")
    write(two, SECOND, "other_cell = 1\n")
    cell(two, FIRST).locator(".gm-code-kept").get_by_text("mine = 1").wait_for()  # shown, not run
    write(two, FIRST, "theirs = 2\n")
    question = cell(one, FIRST).get_by_role("group", name=re.compile("Another tab changed this"))
    question.wait_for()
    cell(one, FIRST).locator("textarea").fill("mine = 3\n")
    assert cell(two, FIRST).locator("textarea").input_value() == "theirs = 2\n"
    assert "theirs" in one.evaluate("localStorage.getItem('gm-work/notebooks/gru/gru/update_gate')")
    question.get_by_role("button", name="Take the other tab").click()
    assert cell(one, FIRST).locator("textarea").input_value() == "theirs = 2\n"
    write(one, FIRST, "mine = 4\n")
    answer = cell(two, FIRST).get_by_role("button", name="Keep this one")
    answer.click()
    # Another tab hears of it a moment later.
    one.wait_for_function(
        "localStorage.getItem('gm-work/notebooks/gru/gru/update_gate').includes('theirs')"
    )
    assert one.errors == two.errors == []


REFUSES = {
    "full": "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };",
    "none": "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });",
}


@pytest.mark.parametrize("way", REFUSES)
def test_a_browser_that_keeps_nothing_is_told_of(reader, way):
    page = reader(script=REFUSES[way] if way == "full" else "")
    if way == "none":
        page.evaluate(REFUSES[way])  # the theme's own scripts need it while the page loads
    write(page, FIRST, GATE)
    assert "This browser keeps nothing for this page" in bar(page)
    warned = []
    page.on("dialog", lambda dialog: (warned.append(dialog.type), dialog.accept()))
    page.close(run_before_unload=True)
    page.wait_for_event("close")
    assert warned == ["beforeunload"]


def test_who_wrote_nothing_or_whose_work_is_kept_is_not_held_back(reader):
    page = reader()
    write(page, FIRST, GATE)
    warned = []
    page.on("dialog", lambda dialog: (warned.append(dialog.type), dialog.accept()))
    page.goto("about:blank")
    assert warned == []


def test_an_answer_in_words_is_kept(reader):
    page = reader()
    field = page.get_by_role("textbox", name="Your answer: why not torch")
    field.fill("Because the product comes first.")
    page.reload()
    assert field.input_value() == "Because the product comes first."
    assert bar(page).startswith("0 of 8")


# Into a notebook and out of one


def released(html) -> dict:
    return json.loads((html / "_downloads" / "notebooks" / "gru" / "gru.ipynb").read_text("utf-8"))


def downloaded(page) -> dict:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download your notebook").click()
    assert download.value.suggested_filename == "gru.ipynb"
    return json.loads(Path(download.value.path()).read_text(encoding="utf-8"))


def of(notebook: dict, grade_id: str) -> dict:
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)  # fmt: skip


def test_a_downloaded_notebook_differs_in_the_texts_alone(reader, html):
    page = reader()
    assert downloaded(page) == released(html)
    write(page, FIRST, GATE)
    page.get_by_role("textbox", name="Your answer: why not torch").fill("Two\nlines")
    found, expected = downloaded(page), released(html)
    assert of(found, "update_gate")["source"] == GATE.splitlines(keepends=True)
    assert of(found, "why-not-torch")["source"] == ["Two\n", "lines"]
    for grade_id in ("update_gate", "why-not-torch"):
        of(expected, grade_id)["source"] = of(found, grade_id)["source"]
    assert found == expected


def open_file(page, name: str, content: str):
    page.get_by_label("Open a notebook").set_input_files({"name": name, "mimeType": "application/json", "buffer": content.encode()})  # fmt: skip
    page.wait_for_function("document.querySelector('.gm-code-file').value === ''")


def test_an_answer_that_no_browser_can_run_is_kept_all_the_same(reader, html):
    """It comes with a notebook and leaves with it, and what stands after it is read as well."""
    notebook = released(html)
    for name in ("GRULayer", "count_gru_parameters"):
        of(notebook, name)["source"] = [f"mine_of_{name} = 1"]
    page = reader()
    open_file(page, "gru.ipynb", json.dumps(notebook))
    assert "2 answers taken over: GRULayer, count_gru_parameters." in bar(page)
    assert downloaded(page) == notebook and page.errors == []


def test_a_second_tab_hands_out_what_the_first_one_wrote(reader, contexts):
    context = contexts()
    one, two = reader(context=context), reader(context=context)
    question = "Your answer"
    one.get_by_role("textbox", name=question).fill("Written in the first tab.")
    two.wait_for_function("text => [...document.querySelectorAll('textarea')].some(e => e.value === text)", arg="Written in the first tab.")  # fmt: skip
    assert "".join(of(downloaded(two), "why-not-torch")["source"]) == "Written in the first tab."


def test_a_notebook_is_read_back(reader, html):
    notebook = released(html)
    of(notebook, "update_gate")["source"] = "def update_gate(x):\n    return 1"
    of(notebook, "why-not-torch")["source"] = ["In ", "words"]
    page = reader()
    open_file(page, "gru.ipynb", json.dumps(notebook))
    assert "2 answers taken over: update_gate, why-not-torch." in bar(page)
    assert "return 1" in cell(page, FIRST).locator(".gm-code-kept").inner_text()
    assert asked(page) == []
    write(page, FIRST, GATE)
    open_file(page, "gru.ipynb", json.dumps(notebook))
    question = page.get_by_role("group", name="This page and the notebook differ: update_gate. Which one stays?")  # fmt: skip
    question.get_by_role("button", name="Keep this page").click()
    assert cell(page, FIRST).locator("textarea").input_value() == GATE
    open_file(page, "gru.ipynb", json.dumps(notebook))
    question.get_by_role("button", name="Take the notebook").click()
    assert (
        cell(page, FIRST).locator("textarea").input_value() == "def update_gate(x):\n    return 1"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("no notebook", "That file is not a notebook"),
        ("{}", "That file is not a notebook"),
        ('{"cells": [null, 7, {"metadata": {}}]}', "That notebook is another one"),
        ('{"cells": []}', "That notebook is another one"),
    ],
)
def test_a_file_that_is_no_notebook_of_this_page_is_told_of(reader, content, told):
    page = reader()
    open_file(page, "x.ipynb", content)
    assert told in bar(page)
    assert page.errors == []


LITE = """window.kept = null;
window.gmLite = { get: async () => window.kept, put: async (name, notebook) => { window.kept = notebook; window.put = name; },
  url: name => `#lite-${name}` };"""


def test_work_goes_to_jupyterlite_and_comes_back(contexts, reader):
    context = contexts()
    context.route("**/gm-lite.js*", lambda route: route.fulfill(body=LITE, content_type="text/javascript"))  # fmt: skip
    page = reader(context=context)
    page.get_by_role("button", name="Fetch from JupyterLite").click()
    assert "no work on this notebook" in bar(page)
    write(page, FIRST, GATE)
    page.get_by_role("button", name="Continue in JupyterLite").click()
    page.wait_for_function("location.hash === '#lite-gru'")
    assert of(page.evaluate("window.kept"), "update_gate")["source"] == GATE.splitlines(keepends=True)  # fmt: skip
    page.evaluate("kept.cells.find(c => c.metadata.nbgrader?.grade_id === 'update_gate').source = ['there = 1']")  # fmt: skip
    page.get_by_role("button", name="Continue in JupyterLite").click()
    page.get_by_role("button", name="Cancel").click()
    assert of(page.evaluate("window.kept"), "update_gate")["source"] == ["there = 1"]
    page.get_by_role("button", name="Fetch from JupyterLite").click()
    page.get_by_role("button", name="Take JupyterLite").click()
    assert cell(page, FIRST).locator("textarea").input_value() == "there = 1"


# Chapters


def test_a_snippet_runs_beside_the_output_of_the_build(reader):
    page = reader(CHAPTER)
    answers(page, "return { shown: { kind: 'text', value: `ran ${id}` } }")
    built = cell(page, BACK).locator(".cell_output").inner_text()
    cell(page, BACK).get_by_role("button", name="Run this cell").click()
    pair = cell(page, BACK).locator(".gm-code-pair")
    assert pair.locator(".cell_output").inner_text() == built
    assert pair.get_by_text("From the build").is_visible() and pair.get_by_text("Yours").is_visible()  # fmt: skip
    assert pair.locator(".gm-code-out pre").inner_text() == "ran this cell"
    ran = page.evaluate("mock.asked[0]")
    assert "import numpy as np" in ran[0]["source"] and "h0 = 0.5" in ran[1]["source"]
    fold = cell(page, BACK).locator("details.gm-fold")
    fold.get_by_text("What runs before this cell").click()
    assert ran[1]["source"] in fold.locator("pre").inner_text()


def test_a_snippet_goes_back_to_the_original(reader):
    page = reader(CHAPTER)
    cell(page, FORTH).get_by_role("button", name="Run this cell").click()
    field = cell(page, FORTH).locator("textarea")
    original = field.input_value()
    field.fill("w = 3")
    cell(page, BACK).get_by_role("button", name="Run this cell").click()
    assert [one["source"] for one in page.evaluate("mock.asked[1]")][1] == "w = 3"  # as edited
    push(page, FORTH, "Back to the original")
    assert field.input_value() == original
    push(page, FORTH, "Undo")
    assert field.input_value() == "w = 3"
    field.fill("BROKEN = 3")
    push(page, BACK, "Run")
    assert "which fails: SyntaxError" in says(page, BACK)


# For everybody


def test_the_keyboard_does_it_all(reader):
    page = reader()
    start = cell(page, FIRST).get_by_role("button", name="Write your answer here")
    start.focus()
    page.keyboard.press("Enter")
    field = cell(page, FIRST).locator("textarea")
    field.wait_for()
    page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("mock.asked.length === 1")
    for name in ("Run", "Check", "Hint 1 of 3"):
        tab_to(page, cell(page, FIRST).get_by_role("button", name=name, exact=True))
        page.keyboard.press("Enter")
    page.wait_for_function("mock.asked.length === 3")
    assert cell(page, FIRST).get_by_role("status").get_attribute("role") == "status"
    assert "Esc, then Tab, leaves the editor" in cell(page, FIRST).inner_text()


def everything(page, path):
    """Open whatever can be open."""
    if path == GRU:
        verdict(page, WRONG.replace("<style>.gm-verdict{color:red}</style>", ""))
        write(page, FIRST, GATE)
        push(page, FIRST, "Check")
        push(page, FIRST, "Reset")
        push(page, FIRST, "Hint 1 of 3")
        answers(page, "return { printed: 'a long line '.repeat(30) + '\\n' }")
        push(page, EXAMPLE, "Run the example")
        answers(page, "return { error: { name: 'ValueError', message: 'm', trace: 'line 1\\nValueError: m' } }")  # fmt: skip
        write(page, SECOND, GATE)
        push(page, SECOND, "Run")
        open_file(page, "x.ipynb", "{}")
    else:
        answers(page, "return { printed: 'a long line '.repeat(30) + '\\n' }")
        cell(page, BACK).get_by_role("button", name="Run this cell").click()
        cell(page, BACK).locator("summary").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [GRU, CHAPTER])
def test_axe_finds_nothing(reader, path, scheme):
    page = reader(path, color_scheme=scheme)
    page.evaluate(AXE)
    for change in (lambda *_: None, everything):
        change(page, path)
        found = page.evaluate(
            """tags => axe.run({ include: [...document.querySelectorAll("[class*='gm-code'], .gm-workplace")] },
              { runOnly: tags, resultTypes: ["violations"] })""",
            RULES,
        )["violations"]
        assert [(problem["id"], node["html"][:160]) for problem in found for node in problem["nodes"]] == []  # fmt: skip


@pytest.mark.parametrize("size", [NARROW, PHONE])
@pytest.mark.parametrize("path", [GRU, CHAPTER])
def test_fits_a_phone_and_a_finger(reader, path, size):
    viewport = {"width": size[0], "height": size[1]}
    page = reader(path, viewport=viewport, has_touch=True, is_mobile=True)
    for change in (lambda *_: None, everything):
        change(page, path)
        found = page.evaluate("""() => {
          const all = [...document.querySelectorAll("main :is([class*='gm-code'], .gm-workplace)")].filter(e => e.checkVisibility());
          const within = all.flatMap(e => [...e.querySelectorAll("*")]).filter(e => e.checkVisibility());
          return {
            page: document.documentElement.scrollWidth - innerWidth,
            wide: all.filter(e => !e.matches("pre, .gm-code-file") && e.getBoundingClientRect().right > innerWidth).map(e => e.className),
            letters: Math.min(...within.map(e => parseFloat(getComputedStyle(e).fontSize))),
            low: all.flatMap(e => [...e.querySelectorAll("button, label, .gm-button")]).filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.textContent),
          };
        }""")
        assert found["page"] == 0 and found["wide"] == [] and found["low"] == []
        assert found["letters"] >= 10


def test_the_files_stay_small():
    sizes = {name: (STATIC / name).stat().st_size for name in ("gm-cells.js", "gm-notebook.js", "gm-cells.css")}  # fmt: skip
    assert sizes["gm-cells.js"] <= 26 * 1024, sizes
    assert sizes["gm-notebook.js"] <= 8 * 1024, sizes
    assert sizes["gm-cells.css"] <= 6 * 1024, sizes
