"""Measure what a visit to each page costs: ``make bench-site``, or this file.

Each page is opened in a browser that has seen nothing yet, as a phone and over a slow line, from a server
that compresses as a real one does: its bytes, and how far its text moves while it loads.

With ``--lighthouse`` Lighthouse judges pages too (``npm`` fetches it into ``_build/lighthouse``): one page of
each kind as a phone and as a desk, with ``--lighthouse all`` also what does not depend on the machine on
every page. What it says is in ``_build/lighthouse.json``, written after every page, and a page that has not
changed since is not judged again; ``--again`` does.
"""

import argparse
import functools
import gzip
import hashlib
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

HERE = Path(__file__).parent
ROOT = HERE.parent
HTML = ROOT / "_build" / "html"
LANDING = "book/index"
OF_EACH_KIND = [
    LANDING,
    "book/gru/two-gates",
    "book/gru/gradients-through-gates",
    "notebooks/gru/gru",
    "book/work/speech",
    "book/trial/side-by-side",
    "book/back/mistakes",
    "book/back/glossary",
    "search",
    "404",
]
GOALS = {"accessibility": 100, "best-practices": 100, "seo": 100}
"""What every page has to reach; these marks are the same on any machine."""
FASTEST = {"mobile": 95, "desktop": 98}
"""The goals for the mark of performance, which is only worth something on an idle machine."""
SHIFT_BELOW = 0.05
METRICS = [
    "first-contentful-paint",
    "largest-contentful-paint",
    "total-blocking-time",
    "speed-index",
    "cumulative-layout-shift",
    "total-byte-weight",
]
"""Milliseconds, the shift without a unit, bytes."""
TOLD = ROOT / "_build" / "lighthouse.json"
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


def install() -> Path:
    """The command of Lighthouse, from npm the first time."""
    folder = ROOT / "_build" / "lighthouse"
    if not (folder / "node_modules").exists():
        shutil.copytree(ROOT / "benchmarks" / "lighthouse", folder, dirs_exist_ok=True)
        subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True)
    return folder / "node_modules" / ".bin" / "lighthouse"


def digest(page: str) -> str:
    """Changes with a page, with the style of all, and with Lighthouse's version."""
    parts = (HTML / f"{page}.html", HTML / "_static" / "site.css", HERE / "lighthouse/package.json")
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:16]


def lost(report: dict) -> list[str]:
    """What Lighthouse names: audits that cost a mark, and, for performance, the time each would save."""
    found = []
    for kind, category in report["categories"].items():
        for part in category["auditRefs"]:
            audit = report["audits"][part["id"]]
            if audit["score"] is None or audit["score"] >= 0.9 or part.get("group") == "hidden":
                continue
            if part["weight"] or kind == "performance":
                what = audit.get("displayValue") or ""
                found.append(" ".join(filter(None, (f"{kind}:", part["id"], what))))
    return found


def judged(address: str, page: str, profile: str, kinds: list[str], chromium: str) -> dict:
    """Lighthouse's marks of a page, its metrics, and what it names. Raises RuntimeError where it cannot."""
    command = [
        install(),
        f"{address}{page}.html",
        "--output=json",
        "--quiet",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        f"--only-categories={','.join(kinds)}",
    ]
    if profile == "desktop":
        command.append("--preset=desktop")
    if page == "404":  # is to be in no index, and says so
        command.append("--skip-audits=is-crawlable")
    done = subprocess.run(
        command, env=os.environ | {"CHROME_PATH": chromium}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-400:])
    report = json.loads(done.stdout)
    audits = report["audits"]
    return {
        "digest": digest(page),
        "marks": {
            kind: round(100 * (part["score"] or 0)) for kind, part in report["categories"].items()
        },
        "metrics": {
            name: round(audits[name]["numericValue"], 3) for name in METRICS if name in audits
        },
        "lost": lost(report),
    }


def below(profile: str, found: dict) -> list[str]:
    """Which goals a page misses."""
    goals = GOALS | {"performance": FASTEST[profile]}
    missed = [kind for kind, mark in found["marks"].items() if mark < goals[kind]]
    shift = found["metrics"].get("cumulative-layout-shift", 0)
    return [*missed, *(["layout shift"] if shift >= SHIFT_BELOW else [])]


def lighthouse(address: str, wanted: list[tuple[str, str, list[str]]], chromium: str, again: bool):
    """Judge pages, each by profile and kinds of marks; print each as it is done, and what misses a goal."""
    told = json.loads(TOLD.read_text(encoding="utf-8")) if TOLD.exists() else {}
    missed = []
    for number, (page, profile, kinds) in enumerate(wanted, 1):
        key = f"{page} {profile} {'performance' if 'performance' in kinds else 'marks'}"
        if again or told.get(key, {}).get("digest") != digest(page):
            try:
                told[key] = judged(address, page, profile, kinds, chromium)
            except RuntimeError as error:
                print(f"Lighthouse could not judge {page}: {error}", flush=True)
                missed.append(f"{key}: not judged")
                continue
            TOLD.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        found = told[key]
        marks = "  ".join(f"{kind} {mark}" for kind, mark in found["marks"].items())
        shift = found["metrics"].get("cumulative-layout-shift")
        moves = "" if shift is None else f"  shift {shift:.3f}"
        print(f"{number:3}/{len(wanted)}  {page:36} {profile:8} {marks}{moves}", flush=True)
        if short := below(profile, found):
            print(*(f"         {line}" for line in found["lost"]), sep="\n", flush=True)
            missed.append(f"{key}: {', '.join(short)}")
    print(
        "\n".join(["Below a goal:", *missed]) if missed else "Every goal of Lighthouse is reached."
    )


def to_judge(every: list[str], how: str, chosen: list[str]) -> list[tuple[str, str, list[str]]]:
    """What Lighthouse is to look at: pages, as what, and for which marks."""
    kinds = chosen or OF_EACH_KIND
    all_marks = [*GOALS, "performance"]
    wanted = [(page, profile, all_marks) for page in kinds for profile in FASTEST]
    if how == "all":
        wanted += [(page, "mobile", list(GOALS)) for page in every if page not in kinds]
    return wanted


def print_loads(playwright, chromium: str, address: str, names: list[str]) -> None:
    """Visit pages and print what they load, the heaviest first."""
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


def main():
    """Print every page's load, and on request what Lighthouse says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lighthouse", nargs="?", const="some", choices=["some", "all"])
    parser.add_argument("--again", action="store_true", help="judge pages that are unchanged, too")
    parser.add_argument(
        "--marks-only", action="store_true", help="Lighthouse alone, no page's load"
    )
    parser.add_argument("pages", nargs="*", help="names as in _toc.yml; without any, all")
    chosen = parser.parse_args()
    every = [str(name) for name in parse_toc_yaml(ROOT / "_toc.yml")]
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
        if not chosen.marks_only:
            print_loads(playwright, chromium, address, chosen.pages or every)
    if chosen.lighthouse and shutil.which("npm") is None:
        print("No npm on this machine, and so no Lighthouse.")
    elif chosen.lighthouse:
        wanted = to_judge(every, chosen.lighthouse, chosen.pages)
        lighthouse(address, wanted, chromium, chosen.again)


if __name__ == "__main__":
    main()
