"""Measure what a visit to each page costs: ``make bench-site``, or this file.

Each page is opened in a browser that has seen nothing yet, as a phone and over a slow line, from a server
that compresses as a real one does: its bytes, and how far its text moves while it loads. With
``--lighthouse`` a handful of pages, with ``--lighthouse all`` every page is judged by Lighthouse too, as a
phone and as a desk (``npm`` fetches it into ``_build/lighthouse``).
"""

import argparse
import functools
import gzip
import http.server
import json
import os
import shutil
import statistics
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
LANDING = "book/index"
HANDFUL = [
    LANDING,
    "book/gru/two-gates",
    "notebooks/gru/gru",
    "book/work/movie-reviews",
    "book/back/glossary",
]
TEXT = {".html", ".css", ".js", ".svg", ".json"}
SLOW_LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 200_000,
    "uploadThroughput": 90_000,
}
"""Bytes a second and milliseconds, as Lighthouse takes them for a phone."""

SHIFT = """() => new Promise(done => {
  let sum = 0;
  const observer = new PerformanceObserver(list => list.getEntries().forEach(entry => {
    if (!entry.hadRecentInput) sum += entry.value; }));
  observer.observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
})"""


@functools.cache
def packed(path: Path) -> bytes:
    """A file as it travels."""
    data = path.read_bytes()
    return gzip.compress(data) if path.suffix in TEXT else data


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves the site as a host does: compressed, on a connection that stays open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            return self.send_error(404)
        data = packed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "max-age=31536000")
        if path.suffix in TEXT:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@dataclass
class Load:
    page: str
    size: int
    shift: float


def visit(browser, address: str, page: str) -> Load:
    """Bytes of everything the page loads by itself, and its layout shift on a phone."""
    context = browser.new_context(
        viewport={"width": 412, "height": 823}, is_mobile=True, has_touch=True
    )
    tab = context.new_page()
    tab.set_default_timeout(120_000)
    asked: set[str] = set()
    tab.on("request", lambda request: asked.add(urlsplit(request.url).path))
    line = context.new_cdp_session(tab)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW_LINE)
    tab.goto(f"{address}{page}.html")
    tab.wait_for_load_state("networkidle")
    tab.evaluate("() => document.fonts.ready.then(() => true)")
    shift = tab.evaluate(SHIFT)
    context.close()
    return Load(page, sum(len(packed(HTML / path.lstrip("/"))) for path in asked), shift)


def lighthouse(address: str, page: str, chromium: str) -> None:
    """Print Lighthouse's four marks and its layout shift for a page, as a phone and as a desk."""
    folder = ROOT / "_build" / "lighthouse"
    if not (folder / "node_modules").exists():
        shutil.copytree(ROOT / "benchmarks" / "lighthouse", folder, dirs_exist_ok=True)
        subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True)
    for profile in ("mobile", "desktop"):
        command = [
            folder / "node_modules" / ".bin" / "lighthouse",
            f"{address}{page}.html",
            "--output=json",
            "--quiet",
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
            *(["--preset=desktop"] if profile == "desktop" else []),
        ]
        done = subprocess.run(
            command, env=os.environ | {"CHROME_PATH": chromium}, capture_output=True, text=True
        )
        if done.returncode:
            print(f"Lighthouse could not judge {page}: {done.stderr[-400:]}")
            continue
        report = json.loads(done.stdout)
        marks = {
            key: round(100 * (part["score"] or 0)) for key, part in report["categories"].items()
        }
        shift = report["audits"]["cumulative-layout-shift"]["numericValue"]
        print(f"{page:40} {profile:8} {marks}  shift {shift:.3f}")
        for key, part in report["categories"].items():
            lost = [
                f"{key}: {report['audits'][audit['id']]['title']}"
                for audit in part["auditRefs"]
                if audit["weight"] and (report["audits"][audit["id"]]["score"] or 1) < 0.9
            ]
            if key != "performance" and marks[key] < 100:
                print("    " + "; ".join(lost))


def main():
    """Print every page's load, and on request what Lighthouse says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lighthouse", nargs="?", const="some", choices=["some", "all"])
    parser.add_argument("pages", nargs="*", help="names as in _toc.yml; without any, all")
    chosen = parser.parse_args()
    every = [str(name) for name in parse_toc_yaml(ROOT / "_toc.yml")]
    names = chosen.pages or every
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Compressing, directory=str(HTML))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    own = next(
        (path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None
    )
    with sync_playwright() as playwright:
        chromium = own or playwright.chromium.executable_path
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        loads = [visit(browser, address, name) for name in names]
        browser.close()
    for load in sorted(loads, key=lambda load: -load.size):
        print(f"{load.size / 1000:6.0f} kB gzipped  shift {load.shift:.3f}  {load.page}")
    sizes = {load.page: load.size / 1000 for load in loads}
    landing = f", landing page {sizes[LANDING]:.0f}" if LANDING in sizes else ""
    print(
        f"A page's own load in kB, gzipped: median {statistics.median(sizes.values()):.0f},"
        f" worst {max(sizes.values()):.0f}{landing}; worst shift {max(load.shift for load in loads):.3f}"
    )
    if chosen.lighthouse:
        for name in every if chosen.lighthouse == "all" else chosen.pages or HANDFUL:
            lighthouse(address, name, chromium)


if __name__ == "__main__":
    main()
