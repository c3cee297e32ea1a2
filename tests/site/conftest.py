"""The built website, served on this machine, and a browser to look at it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from site_pages import DESKTOP

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of the built website; ``make`` builds it when it is missing."""
    (ROOT / "_build").mkdir(exist_ok=True)
    with FileLock(ROOT / "_build" / "site.lock"):
        if not (HTML / "book" / "index.html").exists():
            subprocess.run(["make", "site"], cwd=ROOT, check=True)
    return HTML


@pytest.fixture(scope="session")
def address(html, serve) -> str:
    return serve(html)


@pytest.fixture(scope="session")
def parts(root) -> Path:
    """The folder of the parts that run Python in a page; ``make`` writes it when it is missing."""
    (root / "_build").mkdir(exist_ok=True)
    folder = root / "_build" / "browser" / "run"
    with FileLock(root / "_build" / "parts.lock"):
        if not (folder / "parts.json").exists():
            if shutil.which("npm") is None:
                pytest.skip("no npm on this machine: its site runs no Python in its pages")
            subprocess.run([sys.executable, "book/_ext/run_parts.py"], cwd=root, check=True)
    assert (folder / "parts.json").exists()
    return folder


@pytest.fixture(scope="session")
def empty_page(root, parts, serve, tmp_path_factory) -> str:
    """The address of a page with nothing but ``gmRun`` in it."""
    folder = tmp_path_factory.mktemp("empty")
    (folder / "run").symlink_to(parts)
    (folder / "_static").symlink_to(root / "book" / "_static")
    (folder / "page.html").write_text(
        "<!doctype html><html lang='en' data-gm-run='run/parts.json'><meta charset='utf-8'>"
        "<title>Empty</title><link rel='icon' href='data:,'><script src='_static/gm-run.js'></script>",
        encoding="utf-8",
    )
    return serve(folder) + "page.html"


@pytest.fixture(scope="module")
def browser():
    """A browser for the tests of one file.

    It ends with them: while it lives, an event loop runs in this process, beside which neither
    kernels nor another browser can be started.
    """
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    own = next((path for name in names if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        if own is None and not Path(playwright.chromium.executable_path).exists():
            reason = "no Chromium on this machine; `make test` says how to get one"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        browser = playwright.chromium.launch(executable_path=own, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page in the browser, and what happened while it loaded."""

    page: Page
    context: BrowserContext
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def settle(self):
        """Wait until the page and its fonts are loaded."""
        self.page.wait_for_load_state("load")
        self.page.evaluate("() => document.fonts.ready.then(() => true)")


@pytest.fixture(scope="module")
def visit(browser: Browser):
    """Open an address in light or dark, wide or narrow, as one who comes for the first time.

    Tests that only look share one visit to a page; those that click ask for one of their own.
    """
    visits: dict[tuple, Visit] = {}

    def go(
        url: str, scheme: str = "light", size: tuple[int, int] = DESKTOP, own: bool = False
    ) -> Visit:
        key = (url, scheme, size)
        if key in visits and not own:
            return visits[key]
        context = browser.new_context(
            color_scheme=scheme,
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce",
        )
        context.set_default_timeout(120_000)  # a busy machine takes its time
        seen = Visit(context.new_page(), context)
        visits[(*key, len(visits)) if own else key] = seen
        page = seen.page
        page.on(
            "console",
            lambda m: seen.errors.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("requestfailed", lambda request: seen.errors.append(f"failed: {request.url}"))
        page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).netloc))
        page.goto(url)
        seen.settle()
        return seen

    yield go
    for seen in visits.values():
        seen.context.close()
