"""JupyterLite of the site, laid out by itself, and a notebook that is open in it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import expect
from site_pages import ROOT

PATIENCE = 180_000
"""Milliseconds in which JupyterLite does what it is asked, on a busy machine too."""

AT_REST = re.compile("^(Nothing to save yet|Saved in this browser)$")

CELL = """text => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCellIndex = content.widgets.findIndex(({ model }) =>
    model.type === "code" && model.sharedModel.getSource().includes(text));
  return content.activeCell;
}"""

SAY = """async code => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  const said = { text: "", card: "" }, asked = kernel.requestExecute({ code });
  asked.onIOPub = ({ header, content }) => {
    if (header.msg_type === "stream" && content.name === "stdout") said.text += content.text;
    if (header.msg_type === "execute_result") said.card = content.data["text/html"] ?? "";
  };
  const { content } = await asked.done;
  return { ...said, status: content.status };
}"""
"""What its kernel says of some code, past the notebook."""


def lay_out(folder: Path, parts: Path) -> None:
    """Write a site of which only what JupyterLite needs is there."""
    shutil.copytree(ROOT / "book" / "_static", folder / "_static")
    shutil.copytree(parts, folder / "run")
    subprocess.run([sys.executable, ROOT / "book" / "_ext" / "lite.py", folder], check=True)


class Notebook:
    """A notebook that is open in JupyterLite, and what its page asked the network for."""

    def __init__(self, context, address: str):
        expect.set_options(timeout=PATIENCE)
        context.set_default_timeout(PATIENCE)
        self.context, self.page = context, context.new_page()
        self.hosts: set[str] = set()
        context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.goto(address)

    @property
    def status(self):
        return self.page.locator("#gm-status")

    @property
    def text(self):
        return self.page.locator(".jp-Notebook")

    def ready(self) -> "Notebook":
        """Wait until Python is there."""
        expect(self.status).to_have_text(AT_REST)
        return self

    def shown(self) -> "Notebook":
        """Wait until the text is there."""
        expect(self.page.get_by_role("button", name="Your work")).to_be_enabled()
        return self

    def write(self, text: str, source: str):
        """Give the first code cell with this text another."""
        self.page.evaluate(
            f"([text, source]) => ({CELL})(text).model.sharedModel.setSource(source)",
            [text, source],
        )

    def begin(self, text: str):
        """Run the first code cell with this text, and do not wait for it."""
        self.page.evaluate(
            f"text => {{ ({CELL})(text); window.jupyterapp.commands.execute('notebook:run-cell'); }}",
            text,
        )

    def run(self, text: str) -> str:
        """Run it, and return its outputs as JSON."""
        return self.page.evaluate(
            f"""async text => {{
              const {{ model }} = ({CELL})(text);
              await window.jupyterapp.commands.execute("notebook:run-cell");
              return JSON.stringify(model.outputs.toJSON());
            }}""",
            text,
        )

    def source(self, text: str) -> str:
        return self.page.evaluate(f"text => ({CELL})(text).model.sharedModel.getSource()", text)

    def keeps(self, text: str):
        """This is in the browser's store, once what was written is saved."""
        expect(self.page.locator("#gm-bar")).to_have_attribute("data-saved", "yes")
        assert text in json.dumps(self.kept())

    def kept(self, name: str = "rnn") -> dict | None:
        return self.page.evaluate("name => window.gmLite.get(name)", name)

    def download(self) -> dict:
        with self.page.expect_download() as begun:
            self.page.locator("#gm-bar").get_by_role("button", name="Download").click()
        return json.loads(Path(begun.value.path()).read_text(encoding="utf-8"))

    def say(self, code: str) -> dict:
        """What the kernel says of some code: ``text``, ``card`` and ``status``."""
        return self.page.evaluate(SAY, code)
