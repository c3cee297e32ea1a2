"""Python in a page: what it loads and when, what stops it, what happens when something fails."""

import json
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page

START = "() => gmRun.load(p => { (window.told ??= []).push(p); }).then(() => 'ready', error => error.message)"
RUN = "source => gmRun.run({ cells: [{ id: 'a', source }] })"
MOST = 8_000_000
"""Bytes, gzipped, of all that a page loads on demand."""


def told(parts) -> dict:
    return json.loads((parts / "parts.json").read_text(encoding="utf-8"))


@pytest.fixture
def page(visit, empty_page) -> Page:
    """A visit of its own: nothing is kept from another."""
    return visit(empty_page, own=True).page


@pytest.fixture(scope="module")
def ready(visit, empty_page):
    """A page in which Python runs."""
    page = visit(empty_page, own=True).page
    assert page.evaluate(START) == "ready"
    return page


def value(page: Page, source: str) -> str:
    (result,) = page.evaluate(RUN, source)["cells"]
    assert result["error"] is None, result
    return result["shown"]["value"]


def test_all_that_is_loaded_is_small(parts):
    sizes = {part["name"]: part["bytes"] for part in told(parts)["parts"]}
    assert sum(sizes.values()) <= MOST, sizes
    folder = parts / told(parts)["release"]
    for part in told(parts)["parts"]:
        assert (folder / part["file"]).stat().st_size == part["bytes"]


def test_nothing_is_loaded_before_it_is_asked_for(visit, empty_page, parts):
    seen, asked = visit(empty_page, own=True), []
    seen.page.on("request", lambda request: asked.append(request.url))
    seen.page.reload()
    assert [url for url in asked if "/run/" in url or "worker" in url] == []
    assert seen.page.evaluate(START) == "ready"
    loaded = {url.rsplit("/", 1)[1] for url in asked if "/run/" in url}
    assert loaded == {"parts.json", *(p["file"] for p in told(parts)["parts"])} - {"editor.js.gz"}
    assert (
        len(seen.hosts - {""}) == 1
    )  # its own, for the page, the parts and what the worker asks for


def test_progress_is_told_up_to_the_end(ready, parts):
    said = ready.evaluate("told")
    total = sum(p["bytes"] for p in told(parts)["parts"] if p["name"] != "editor.js")
    fetching = [p for p in said if p["say"] == "Fetching Python"]
    assert {p["total"] for p in fetching} == {total} and fetching[-1]["loaded"] == total
    assert [p["loaded"] for p in fetching] == sorted(p["loaded"] for p in fetching)
    assert [p["say"] for p in said if p not in fetching] == [
        "Starting Python", "Starting NumPy", "Starting the checks",
    ]  # fmt: skip


def test_a_second_visit_fetches_no_part(visit, empty_page):
    seen = visit(empty_page, own=True)
    assert seen.page.evaluate(START) == "ready"
    asked = []
    seen.page.on("request", lambda request: asked.append(request.url))
    seen.page.reload()
    assert seen.page.evaluate(START) == "ready"
    assert [url for url in asked if url.endswith(".gz")] == []


def test_an_old_release_is_thrown_away(page):
    page.evaluate(
        """async () => {
          for (const name of ["gated-memory-run-0.0.1-old", "somebody-elses"]) {
            await (await caches.open(name)).put("/x", new Response("x"));
          }
        }"""
    )
    assert page.evaluate(START) == "ready"
    page.evaluate(
        """async () => { while ((await caches.keys()).includes("gated-memory-run-0.0.1-old"))
          await new Promise(requestAnimationFrame); }"""
    )
    assert "somebody-elses" in page.evaluate("caches.keys()")


def test_without_a_network_it_says_so_and_goes_on_where_it_was(page):
    page.route("**/numpy.zip.gz", lambda route: route.abort())
    assert page.evaluate(START) == "The connection broke off. What has arrived is kept: try again."
    assert page.evaluate("gmRun.state") == "idle"
    page.unroute("**/numpy.zip.gz")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    assert page.evaluate(START) == "ready"
    assert [url.rsplit("/", 1)[1] for url in asked if url.endswith(".gz")] == ["numpy.zip.gz"]


def test_without_a_connection_at_all(page):
    page.context.set_offline(True)
    assert "no connection to the site" in page.evaluate(START)
    page.context.set_offline(False)
    assert page.evaluate(START) == "ready"


def test_a_part_that_arrives_damaged_is_not_run(page):
    page.route("**/course.zip.gz", lambda route: route.fulfill(body=b"\x1f\x8b not this one"))
    assert page.evaluate(START) == "A part arrived damaged. Try again."
    page.unroute("**/course.zip.gz")
    assert page.evaluate(START) == "ready"


def test_a_site_that_has_changed_meanwhile_says_so(page):
    page.route("**/numpy.zip.gz", lambda route: route.fulfill(status=404))
    assert (
        page.evaluate(START) == "The site has changed since this page was opened. Reload the page."
    )


def test_where_nothing_can_be_kept_it_runs_all_the_same(page):
    page.evaluate("() => { Object.defineProperty(window, 'caches', { get() { throw new Error('private'); } }); }")  # fmt: skip
    assert page.evaluate(START) == "ready"
    assert value(page, "1 + 1") == "2"


def test_a_build_without_parts_says_so(visit, root, serve, tmp_path):
    (tmp_path / "_static").symlink_to(root / "book" / "_static")
    (tmp_path / "page.html").write_text(
        "<!doctype html><html lang='en'><title>None</title><link rel='icon' href='data:,'>"
        "<script src='_static/gm-run.js'></script>"
    )
    page = visit(serve(tmp_path) + "page.html", own=True).page
    assert page.evaluate("gmRun.available()") is False


def test_an_endless_loop_is_stopped_and_the_next_session_is_new(page):
    assert page.evaluate(START) == "ready"
    assert value(page, "kept = 3\nkept") == "3"
    session = page.evaluate("gmRun.session")
    page.evaluate(
        """() => { window.printed = ""; window.pending = gmRun.run({
          cells: [{ id: "a", source: "print('begun')\\nwhile True: pass" }, { id: "b", source: "1" }],
          onPrint: (id, text) => { window.printed += text; } }); }"""
    )
    page.wait_for_function("gmRun.state === 'running'")
    assert page.evaluate("() => { gmRun.stop(); return window.pending; }") == {
        "stopped": True,
        "cells": [],
    }
    assert page.evaluate("gmRun.state") == "idle" and page.evaluate("gmRun.session") > session
    (result,) = page.evaluate(RUN, "kept")["cells"]
    assert result["error"]["name"] == "NameError"


def test_stopped_while_it_loads_it_starts_again(page):
    first = page.evaluate(
        """async () => {
          const first = gmRun.load().then(() => "ready", error => error.message);
          await new Promise(done => setTimeout(done, 0));
          gmRun.stop();
          return first;
        }"""
    )
    assert first == "Stopped."
    assert page.evaluate(START) == "ready"
    assert value(page, "2 * 3") == "6"


def test_stopped_while_a_part_is_on_its_way(page):
    """At once, whatever the network does; and what was on its way is waited for, not asked for again."""
    held = []
    page.route("**/numpy.zip.gz", lambda route: held.append(route))
    with page.expect_request("**/numpy.zip.gz"):
        page.evaluate("() => { window.first = gmRun.load().catch(error => error.message); }")
    assert page.evaluate("() => { gmRun.stop(); return window.first; }") == "Stopped."
    page.evaluate("() => { window.second = gmRun.load().then(() => 'ready'); }")
    for route in held:
        route.continue_()
    assert page.evaluate("second") == "ready"
    assert len(held) == 1


def test_code_cannot_spoil_the_next_session(page):
    assert page.evaluate(START) == "ready"
    page.evaluate(RUN, "from pyodide.code import run_js\nrun_js('postMessage({ evil: 1 })')")
    page.evaluate("gmRun.stop()")
    assert page.evaluate(START) == "ready"
    assert value(page, "3") == "3"


def test_all_of_numpy_can_be_imported(ready):
    assert value(ready, "from numpy import *\nint(sum(ones(3)))") == "3"


def test_python_that_breaks_down_is_started_again(page):
    assert page.evaluate(START) == "ready"
    broken = page.evaluate(RUN, "import os\nos._exit(3)")
    assert broken["cells"] == [] and "exit" in broken["broken"]
    assert value(page, "5") == "5"


def test_a_hundred_megabytes_are_no_trouble_and_too_many_are_an_error(ready):
    assert value(ready, "kept = bytearray(100_000_000)\nlen(kept)") == "100000000"
    (result,) = ready.evaluate(RUN, "import numpy as np\n[np.empty(2 * 10**8) for _ in range(3)]")[
        "cells"
    ]
    assert "MemoryError" in result["error"]["name"]
    assert value(ready, "del kept\n1") == "1"


def test_what_a_loop_prints_arrives_while_it_runs_and_floods_nobody(ready):
    pieces = ready.evaluate(
        """async () => { const pieces = []; const ended = gmRun.run({
          cells: [{ id: "a", source: "for n in range(200_000): print(n)" }],
          onPrint: (id, text) => pieces.push(text) }); await ended; return pieces; }"""
    )
    assert "".join(pieces).startswith("0\n1\n2\n") and len(pieces) < 200
    assert "".join(pieces).endswith("not shown.\n")


def test_two_runs_do_not_mix(ready):
    said = ready.evaluate(
        """async () => { const first = gmRun.run({ cells: [{ id: "a", source: "1" }] });
          const second = await gmRun.run({ cells: [{ id: "b", source: "2" }] }).catch(error => error.message);
          return [await first, second]; }"""
    )
    assert said[0]["cells"][0]["shown"]["value"] == "1"
    assert said[1] == "Something is running already. Stop it first."


REACHES = """
import js
from pyodide.code import run_js
found = [name for name in ("document", "window", "localStorage", "parent", "frames") if hasattr(js, name)]
try:
    run_js("indexedDB.open('JupyterLite Storage')")
    found.append("indexedDB")
except Exception as error:
    assert "SecurityError" in str(error), error
found
"""

CONNECTS = {
    "fetch": "fetch(URL)",
    "an import": "import(URL)",
    "a script": "(async () => importScripts(URL))()",
    "an old request": "new Promise((done, no) => { const x = new XMLHttpRequest(); x.onload = done; x.onerror = no; x.open('GET', URL); x.send(); })",
    "a socket": "new Promise((done, no) => { const s = new WebSocket(URL.replace('http', 'ws')); s.onopen = done; s.onerror = no; })",
}  # fmt: skip


@pytest.fixture
def elsewhere():
    """A server of somebody else's that would answer everybody, and the paths it was asked for."""
    asked = []

    class Open(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Type", "text/javascript")
            self.end_headers()
            self.wfile.write(b"export default 1")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Open)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/asked", asked
    server.shutdown()
    server.server_close()


def test_a_readers_code_has_no_page_and_no_storage(ready):
    """It runs in a worker, in a frame that belongs to no site."""
    assert value(ready, REACHES) == "[]"


@pytest.mark.parametrize("way", CONNECTS)
def test_a_readers_code_can_connect_to_nobody(ready, elsewhere, way):
    url, asked = elsewhere
    script = CONNECTS[way].replace("URL", repr(url))
    ready.evaluate(RUN, f"from pyodide.code import run_js\nanswer = run_js({script!r})")
    # What was let out is there before the answer to a request of the page, which may ask whom it likes.
    assert value(ready, "1") == "1"
    ready.evaluate("url => fetch(url).then(answer => answer.text())", f"{url}?page")
    assert asked == ["/asked?page"]


def test_numpy_warns_as_elsewhere(ready):
    (result,) = ready.evaluate(RUN, "import numpy as np\nnp.exp(np.array([1000.0]))\n1")["cells"]
    assert re.search(r"RuntimeWarning: overflow encountered in exp", result["printed"])
