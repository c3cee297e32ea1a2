"""Measure Python in a page, in the built site: ``make bench-site`` runs it after the build.

What a reader waits for: the first checked answer of a first visit, of a second one, the next answers, and
the answer after Stop. What is loaded for it. And what the first check and the first mistake that no catalogue
knows take once Python is there.
"""

import functools
import json
import shutil
import statistics
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from first_check import CHECK as FIRST
from first_check import RIGHT, UNKNOWN
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGE = "notebooks/rnn/rnn.html"

ANSWER = """\
import numpy as np
from autograder import check
def rnn_step(x, h_prev, params):
    joined = np.concatenate([h_prev, x], axis=1)
    return np.tanh(joined @ params["W_h"].T - params["b_h"])
check(rnn_step)
"""

CHECK = """async source => {
  const start = performance.now();
  const { cells: [result] } = await gmRun.run({ cells: [{ id: "answer", source }] });
  if (!result.shown?.value.includes("the equation adds it")) throw new Error(JSON.stringify(result));
  return (performance.now() - start) / 1000;
}"""


RUN = """async source => {
  const start = performance.now();
  const { cells: [result] } = await gmRun.run({ cells: [{ id: "answer", source }] });
  if (result.error) throw new Error(JSON.stringify(result));
  return (performance.now() - start) / 1000;
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def measured(url: str) -> list[tuple[str, float]]:
    """Seconds to a named mistake, each in a browser of its own where it is a first visit."""
    with sync_playwright() as playwright:
        own = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        firsts, seconds, later, stopped, fresh, unknown = [], [], [], [], [], []
        for _ in range(5):
            page = browser.new_context().new_page()
            page.goto(url)
            page.wait_for_function("() => window.gmRun")
            firsts.append(page.evaluate(CHECK, ANSWER))
            later += [page.evaluate(CHECK, ANSWER) for _ in range(10)]
            page.evaluate("gmRun.stop()")
            stopped.append(page.evaluate(CHECK, ANSWER))
            page.reload()
            page.wait_for_function("() => window.gmRun")
            seconds.append(page.evaluate(CHECK, ANSWER))
            page.context.close()
            page = browser.new_context().new_page()
            page.goto(url)
            page.wait_for_function("() => window.gmRun")
            page.evaluate(RUN, RIGHT)
            fresh.append(page.evaluate(RUN, FIRST))
            unknown.append(page.evaluate(RUN, UNKNOWN))
            page.context.close()
        browser.close()
    return [
        ("first result of a first visit", statistics.median(firsts)),
        ("first result of a second visit", statistics.median(seconds)),
        ("first result after Stop", statistics.median(stopped)),
        ("later results", statistics.median(later)),
        ("first check, Python being there", statistics.median(fresh)),
        ("first unknown mistake after it", statistics.median(unknown)),
    ]


def main():
    """Print the sizes of all parts and the seconds."""
    if not (HTML / "run" / "parts.json").is_file():
        sys.exit("This build runs no Python in its pages: `make` says why.")
    told = json.loads((HTML / "run" / "parts.json").read_text(encoding="utf-8"))
    for part in told["parts"]:
        print(f"  {part['name']:44} {part['bytes'] / 1e6:8.2f} MB gzipped")
    print(f"  {'all parts':44} {sum(p['bytes'] for p in told['parts']) / 1e6:8.2f} MB gzipped")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, seconds in measured(f"http://127.0.0.1:{server.server_port}/{PAGE}"):
        print(f"  {name:44} {seconds:8.2f} s, median")
    server.shutdown()


if __name__ == "__main__":
    main()
