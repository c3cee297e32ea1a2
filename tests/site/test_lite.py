"""JupyterLite beside the site: notebooks go in and out of it, and no work is lost on the way."""

import importlib
import json
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from engine_scene import by_name, code_cell, data, full, points, release, solved, untouched, written
from lite_notebook import Notebook, lay_out
from playwright.sync_api import expect
from site_pages import DESKTOP, PHONE, ROOT

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
OLD, NEW = "0.0.9-0000abcd", "0.1.0-1111abcd"


@pytest.fixture(scope="module")
def lite():
    """The module of the site's extension that writes JupyterLite."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "book" / "_ext"))
        yield importlib.import_module("lite")


@pytest.fixture(scope="module")
def lite_folder(parts, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    lay_out(folder, parts)
    return folder


@pytest.fixture(scope="module")
def lite_site(lite_folder, serve) -> str:
    return serve(lite_folder)


@pytest.fixture
def visitor(browser):
    """A browser in which nobody has been before; ``visitor()`` is another one."""
    contexts = []

    def new(size=DESKTOP, python=True, **options):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        if not python:  # the parts are on their way for as long as the test takes
            context.route(re.compile(r"/run/.*\.gz$"), lambda route: None)
        return context

    yield new
    for context in contexts:
        context.close()


def handed_in() -> dict:
    """The released notebook of ``rnn`` with every function right."""
    right = by_name(solved("rnn"))
    return written(untouched("rnn"), **{name: right[name] for name in full("rnn")})


def metadata(paper: dict) -> list[dict]:
    return [{**cell["metadata"], "id": cell["id"]} for cell in paper["cells"]]


# Files


def test_it_is_small_and_knows_no_other_place(lite_folder):
    folder = lite_folder / "lite"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20e6
    assert not [path for path in files if path.suffix == ".map" or path.name == "service-worker.js"]
    config = json.loads(next(folder.glob("*/jupyter-lite.json")).read_text(encoding="utf-8"))
    assert "://" not in json.dumps(config)


def test_without_parts_there_is_none(lite, lite_folder, tmp_path):
    shutil.copytree(lite_folder / "lite", tmp_path / "lite")
    assert lite.write(tmp_path) is None
    assert not (tmp_path / "lite").exists()


def test_the_same_is_not_written_twice(lite, lite_folder):
    page = lite_folder / "lite" / "index.html"
    before = page.stat().st_mtime_ns
    lite.write(lite_folder)
    assert page.stat().st_mtime_ns == before


def test_what_needs_torch_is_asked_of_the_course(lite, lite_folder):
    needing = {name: lite.in_torch(path) for name, path in lite.assignments(lite_folder).items()}
    assert {name for name, exercises in needing.items() if exercises} == {"gru"}
    assert needing["gru"] == ["GRULayer"]


# Work


def test_work_goes_in_is_run_comes_out_and_earns_full_points(lite_site, visitor, engine):
    context = visitor()
    page = context.new_page()
    page.goto(f"{lite_site}lite/index.html")
    paper = handed_in()
    assert page.evaluate("work => window.gmLite.put('rnn', work)", paper) is False
    address = page.evaluate("window.gmLite.url('rnn')")
    page.close()

    notebook = Notebook(context, address).ready()
    notebook.run("import autograder")
    assert "2 of 2 points" not in json.dumps(notebook.kept())
    notebook.run("def rnn_step")
    assert "2 of 2 points" in notebook.run("check(rnn_step)")
    notebook.keeps("2 of 2 points")
    kept = notebook.kept()

    nbformat.validate(kept)
    for found in (kept, notebook.download()):
        assert metadata(found) == metadata(paper)
        assert found["metadata"] == paper["metadata"]
        assert by_name(found) == by_name(paper)
        graded = engine.grade(data(found), "rnn", "somebody", release("rnn"))
        assert points(graded) == full("rnn")
    assert notebook.hosts <= {urlsplit(lite_site).netloc, ""}
    assert notebook.page.evaluate("navigator.serviceWorker.getRegistrations()") == []


def test_a_loop_is_stopped_much_memory_is_had_and_no_text_is_lost(lite_site, visitor):
    notebook = Notebook(visitor(), f"{lite_site}lite/index.html?open=rnn").ready()
    notebook.write("def rnn_step", "tries = 1\nwhile True:\n    tries += 1\n")
    notebook.begin("while True")
    expect(notebook.page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    notebook.page.get_by_role("button", name="Interrupt the kernel").click()
    expect(notebook.page.locator("#gm-strip")).to_contain_text("Python has started afresh")
    assert "tries += 1" in notebook.source("while True")

    notebook.write("while True", "import numpy as np\nnp.ones(13_000_000).nbytes")
    assert "104000000" in notebook.run("np.ones(13_000_000)")
    notebook.write("np.ones(13_000_000)", "[np.ones(100_000_000) for _ in range(9)]")
    assert "MemoryError" in notebook.run("np.ones(100_000_000)")
    notebook.write("np.ones(100_000_000)", "6 * 7")
    assert "42" in notebook.run("6 * 7")


def test_torch_is_missed_in_one_line(lite_site, visitor):
    notebook = Notebook(visitor(), f"{lite_site}lite/index.html?open=gru").ready()
    notebook.run("import autograder")
    for cell in ("import torch", "class GRULayer", "check(GRULayer)"):
        (output,) = json.loads(notebook.run(cell))
        (line,) = output["traceback"]
        assert line.startswith("PyTorch does not run in a browser")
    notebook.run("def gru_step_torch")
    assert "not written yet" in notebook.run("check(gru_step_torch)")


def test_a_closed_tab_takes_nothing_with_it(lite_site, visitor):
    context = visitor(python=False)
    notebook = Notebook(context, f"{lite_site}lite/index.html?open=rnn").shown()
    notebook.text.click()  # nobody who did nothing is asked
    notebook.write("def rnn_step", "mine = 1")
    with notebook.page.expect_event("dialog") as asked:
        notebook.page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    notebook.keeps("mine = 1")
    notebook.page.close(run_before_unload=True)  # and now nobody is
    again = Notebook(context, f"{lite_site}lite/index.html?open=rnn")
    expect(again.text).to_contain_text("mine = 1")


def test_without_a_network_work_goes_on_and_python_can_be_tried_again(lite_site, visitor):
    context = visitor()
    context.route(re.compile(r"/run/.*\.gz$"), lambda route: route.abort())
    notebook = Notebook(context, f"{lite_site}lite/index.html?open=rnn")
    strip = notebook.page.locator("#gm-strip")
    expect(strip).to_contain_text("Python did not start.")
    notebook.write("def rnn_step", "mine = 2")
    context.unroute_all()
    strip.get_by_role("button", name="Try again").click()
    notebook.ready()
    context.set_offline(True)
    notebook.write("mine = 2", "mine = 3\nmine * 7")
    assert "21" in notebook.run("mine = 3")
    notebook.keeps("mine = 3")


def test_where_nothing_is_kept_it_says_so_and_the_work_can_be_had(lite_site, visitor):
    context = visitor(python=False)
    context.add_init_script("""
      IDBFactory.prototype.open = () => { throw new DOMException("no", "SecurityError"); };
      for (const name of ["localStorage", "caches"]) {
        Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });
      }""")
    notebook = Notebook(context, f"{lite_site}lite/index.html?open=rnn")
    notebook.shown().text.click()
    notebook.write("def rnn_step", "mine = 4")
    expect(notebook.status).to_have_text("This browser keeps nothing: download before you leave")
    asked = []
    notebook.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    notebook.page.reload()
    assert asked == ["beforeunload"]  # answered: the work is given up
    notebook.shown().write("def rnn_step", "mine = 5")
    assert "mine = 5" in json.dumps(notebook.download())


def test_start_afresh_sets_work_aside(lite_site, visitor):
    context = visitor(python=False)
    page = context.new_page()
    page.goto(f"{lite_site}lite/index.html")
    mine = written(untouched("rnn"), rnn_step="mine = 6")
    page.evaluate("work => window.gmLite.put('rnn', work)", mine)
    other = written(untouched("rnn"), rnn_step="mine = 7")
    assert page.evaluate("work => window.gmLite.put('rnn', work)", other) is True
    page.close()

    notebook = Notebook(context, f"{lite_site}lite/index.html?open=rnn")
    expect(notebook.text).to_contain_text("mine = 7")
    notebook.page.get_by_role("button", name="Your work").click()
    dialog = notebook.page.get_by_role("dialog", name="Your work")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    notebook.page.add_script_tag(content=AXE)
    assert (
        notebook.page.evaluate("axe.run('#gm-dialog').then(({ violations }) => violations)") == []
    )
    with notebook.page.expect_navigation():
        dialog.get_by_role("button", name="Start afresh").click()
    assert "YOUR CODE HERE" in notebook.shown().source("def rnn_step")
    assert notebook.kept() is None
    aside = notebook.page.evaluate("""async () => Promise.all((await window.gmLite.works())
      .map(({ release, path }) => window.gmLite.read(release, path)))""")
    assert {by_name(paper)["rnn_step"] for paper in aside} == {"mine = 6", "mine = 7"}


def test_a_file_is_not_taken_at_its_word(lite_site, visitor):
    """Outputs of a file that calls itself trusted would run their scripts as soon as it is opened."""
    context = visitor(python=False)
    page = context.new_page()
    page.goto(f"{lite_site}lite/index.html")
    paper = untouched("rnn")
    cell = code_cell("1", "bad")
    script = "<img src='nothing' onerror='window.ran = 1'><b>shown</b>"
    cell["metadata"]["trusted"] = True
    cell["outputs"] = [
        {"output_type": "display_data", "data": {"text/html": script}, "metadata": {}}
    ]
    paper["cells"].insert(0, cell)
    page.evaluate("work => window.gmLite.put('rnn', work)", paper)
    page.close()
    notebook = Notebook(context, f"{lite_site}lite/index.html?open=rnn")
    expect(notebook.page.locator(".jp-OutputArea b")).to_have_text("shown")
    assert notebook.page.evaluate("window.ran") is None


def two_releases(lite, lite_folder: Path, folder: Path):
    """A site as it was released before, in ``old``, and as it is then, in ``new``."""
    for name, called in (("old", OLD), ("new", NEW)):
        parts = json.loads((lite_folder / "run" / "parts.json").read_text(encoding="utf-8"))
        shutil.copytree(lite_folder / "_static", folder / name / "_static")
        shutil.copytree(lite_folder / "run" / parts["release"], folder / name / "run" / called)
        told = json.dumps({**parts, "release": called})
        (folder / name / "run" / "parts.json").write_text(told, encoding="utf-8")
    paper = untouched("rnn")
    paper["cells"][0]["source"] = "# The text of the new release"
    handed_out = folder / "new" / "_downloads" / "notebooks" / "rnn" / "rnn.ipynb"
    handed_out.parent.mkdir(parents=True)
    handed_out.write_bytes(data(paper))
    for name in ("old", "new"):
        lite.write(folder / name)


def test_an_old_release_hides_no_new_one_and_its_work_is_offered(
    lite, lite_folder, serve, visitor, tmp_path
):
    two_releases(lite, lite_folder, tmp_path)
    (tmp_path / "now").symlink_to("old")
    address = f"{serve(tmp_path)}now/lite/index.html?open=rnn"
    context = visitor(python=False)
    old = Notebook(context, address)
    expect(old.text).to_contain_text("Build a vanilla RNN")
    old.write("def rnn_step", "mine = 8")
    old.keeps("mine = 8")
    old.page.close()

    (tmp_path / "now").unlink()
    (tmp_path / "now").symlink_to("new")
    new = Notebook(context, address)
    text = new.text
    expect(text).to_contain_text("The text of the new release")
    expect(text).not_to_contain_text("mine = 8")
    strip = new.page.locator("#gm-strip")
    expect(strip).to_contain_text("You have work from an earlier one")
    with new.page.expect_download() as begun:
        strip.get_by_role("button", name="Download it").click()
    assert "mine = 8" in Path(begun.value.path()).read_text(encoding="utf-8")
    assert new.page.evaluate("window.gmLite.releases()")[0]["release"] == OLD
    with new.page.expect_navigation():
        strip.get_by_role("button", name="Bring my answers over").click()
    expect(text).to_contain_text("mine = 8")
    expect(text).to_contain_text("The text of the new release")


# Looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_all_is_in_reach(lite_site, visitor, scheme):
    context = visitor(PHONE, python=False, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{lite_site}lite/index.html")
    page.add_script_tag(content=AXE)
    assert page.evaluate("axe.run().then(({ violations }) => violations)") == []
    page.close()

    notebook = Notebook(context, f"{lite_site}lite/index.html?open=rnn")
    expect(notebook.text).to_contain_text("YOUR CODE HERE")
    link = notebook.text.get_by_role("link", name="Why it forgets")
    with context.expect_page() as opened:
        link.click()
    assert urlsplit(opened.value.url).path == "/book/memory/why-it-forgets.html"
    opened.value.close()
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for width in (390, 320):
        notebook.page.set_viewport_size({"width": width, "height": 844})
        assert notebook.page.evaluate(wide) == 0
        for name in ("Download", "Your work"):
            expect(notebook.page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    expect(notebook.page.locator("body")).to_have_attribute(
        "data-jp-theme-light", "true" if scheme == "light" else "false"
    )
    notebook.page.add_script_tag(content=AXE)
    assert notebook.page.evaluate("axe.run('#gm-bar').then(({ violations }) => violations)") == []
