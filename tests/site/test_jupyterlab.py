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
    page = context.new_page()
    page.goto(lab)
    yield page
    context.close()


def test_a_mistake_is_named(page):
    notebook = page.locator(".jp-NotebookPanel")
    expect(notebook.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_attached(
        timeout=120_000
    )
    cells = notebook.locator(".jp-CodeCell")

    def position(text: str) -> int:
        sources = [cell.locator(".cm-content").inner_text() for cell in cells.all()]
        return next(i for i, source in enumerate(sources) if text in source)

    def run(index: int):
        cell = cells.nth(index)
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        expect(cell.locator(".jp-InputPrompt")).to_have_text(
            re.compile(r"\[\d+\]:"), timeout=120_000
        )

    answer, check = position("def update_gate"), position("check(update_gate)")
    for index in range(answer):
        run(index)
    editor = cells.nth(answer).locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(SWAPPED)
    run(answer)
    run(check)

    verdict = cells.nth(check).locator(".jp-OutputArea-output")
    mistake = next(m for m in COURSE.get("update_gate").mistakes if m.name == "z and 1 - z swapped")
    expect(verdict.first).to_contain_text(mistake.says)
    expect(verdict.first).to_be_visible()
    assert verdict.first.locator("svg").count() >= 1
