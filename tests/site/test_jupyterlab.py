"""A student in JupyterLab: open the released notebook, make a mistake, see it named."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect
from site_pages import ROOT

from autograder.course.gated_memory import COURSE

PATIENCE = 180_000
"""Milliseconds in which JupyterLab does what it is asked, on a busy machine too."""

expect.set_options(timeout=PATIENCE)

SWAPPED = """def update_gate(x, h_prev, params):
    a = np.concatenate([h_prev, x], axis=1) @ params["W_z"].T + params["b_z"]
    return 1 - sigmoid(a)
"""


@pytest.fixture
def lab(tmp_path):
    """A JupyterLab of its own on a copy of the assignment; yields the notebook's address."""
    shutil.copy(ROOT / "notebooks" / "gru" / "gru.ipynb", tmp_path / "gru.ipynb")
    config = tmp_path / ".config"
    # No question about news, which would ask another host; every cell drawn, seen or not.
    (config / "labconfig").mkdir(parents=True)
    (config / "labconfig" / "page_config.json").write_text(
        json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
    )
    settings = tmp_path / ".settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')

    server = subprocess.Popen(
        [
            Path(sys.executable).with_name("jupyter"),
            "lab",
            "--no-browser",
            "--ServerApp.port=0",
            "--ServerApp.allow_root=True",
            "--IdentityProvider.token=",
            f"--ServerApp.root_dir={tmp_path}",
        ],
        env={
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(config),
            "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / ".settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / ".workspaces"),
            "JUPYTER_RUNTIME_DIR": str(tmp_path / ".runtime"),
            "IPYTHONDIR": str(tmp_path / ".ipython"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    log = []
    for line in server.stderr:
        log.append(line)
        if found := re.search(r"(http://(?:127\.0\.0\.1|localhost):\d+)/lab", line):
            break
    else:
        pytest.fail("JupyterLab did not start:\n" + "".join(log))
    # Its further messages go nowhere; a full pipe would stop it.
    drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
    yield f"{found.group(1)}/lab/tree/gru.ipynb"
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:  # as it does now and then while a page is still connected
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    server.stderr.close()
    drain.wait()


@pytest.fixture
def page(lab, browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(lab)
    yield page
    context.close()


def code_cells() -> list[str]:
    """What stands in the code cells of the released notebook."""
    paper = json.loads((ROOT / "notebooks" / "gru" / "gru.ipynb").read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in paper["cells"] if c["cell_type"] == "code"]


def test_a_mistake_is_named(page):
    notebook = page.locator(".jp-NotebookPanel")
    expect(notebook.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_attached()
    sources = code_cells()
    cells = notebook.locator(".jp-CodeCell")
    expect(cells).to_have_count(len(sources))

    def position(text: str) -> int:
        """Of the first cell with this text, found in the file: the page draws cells one by one."""
        return next(i for i, source in enumerate(sources) if text in source)

    def editor(index: int):
        """The cell's editor, once the cell is drawn."""
        cells.nth(index).scroll_into_view_if_needed()
        drawn = cells.nth(index).locator(".cm-content")
        expect(drawn).to_contain_text(sources[index].splitlines()[0])
        return drawn

    def run(index: int):
        prompt = cells.nth(index).locator(".jp-InputPrompt")
        for last in (*[False] * 9, True):
            editor(index).click()
            page.keyboard.press("Control+Enter")
            try:
                # A key that is pressed before JupyterLab listens to it is lost.
                expect(prompt).not_to_have_text(re.compile(r"^\[\s*\]:"), timeout=10_000)
            except AssertionError:
                if last:
                    raise
            else:
                break
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))

    answer, check = position("def update_gate"), position("check(update_gate)")
    for index in range(answer):
        run(index)
    editor(answer).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(SWAPPED)
    sources[answer] = SWAPPED
    run(answer)
    run(check)

    verdict = cells.nth(check).locator(".jp-OutputArea-output")
    mistake = next(m for m in COURSE.get("update_gate").mistakes if m.name == "z and 1 - z swapped")
    expect(verdict.first).to_contain_text(mistake.says)
    expect(verdict.first).to_be_visible()
    expect(verdict.first.locator("svg").first).to_be_attached()
