"""Links inside the site lead somewhere; nothing points to an address that is not set."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from site_pages import EVERY_PAGE, EXERCISES, NAMES, ROOT
from test_handouts import NAMES as HANDED_OUT
from test_handouts import SITE, WHEEL, page_of


@cache
def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def anchors(path: Path) -> set[str]:
    return {tag["id"] for tag in soup(path).find_all(id=True)}


@pytest.mark.parametrize("page", [*EVERY_PAGE, "index.html"])
def test_internal_links_resolve(html, page):
    base = html if page in ("404.html", "index.html") else (html / page).parent
    dead = []
    for tag in soup(html / page).find_all(["a", "img", "link", "script"]):
        target = tag.get("href") or tag.get("src")
        if not target or target.startswith(("data:", "mailto:")) or urlsplit(target).netloc:
            continue
        path, fragment = urlsplit(target).path, unquote(urlsplit(target).fragment)
        file = (base / unquote(path)).resolve() if path else (html / page).resolve()
        if not file.is_file() or (
            fragment and file.suffix == ".html" and fragment not in anchors(file)
        ):
            dead.append(target)
    assert dead == []


def test_every_page_of_the_book_is_listed():
    written = {
        p.relative_to(ROOT).with_suffix("").as_posix()
        for p in (ROOT / "book").rglob("*.md")
        if p.name != "README.md" and not {"_static", "_ext"} & set(p.parts)
    }
    written |= {
        f"notebooks/{folder.name}/{folder.name}"
        for folder in (ROOT / "notebooks").iterdir()
        if folder.is_dir() and folder.name[0] != "."
    }
    assert written == set(NAMES)


def addresses(html: Path, which: str = "a[href]") -> list[str]:
    return [tag["href"] for page in EVERY_PAGE for tag in soup(html / page).select(which)]


def test_no_button_leads_nowhere(html):
    """While the repository's address is unset, no page offers the repository, Binder or Colab."""
    if yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]:
        pytest.skip("the repository's address is set")
    for word in ("mybinder", "colab", "github.com/executablebooks"):
        assert [link for link in addresses(html) if word in link] == []
    # A sentence may name somebody else's file or thread as its source; a button may not.
    for word in ("/blob/", "/edit/", "/issues"):
        assert [
            link for link in addresses(html, "a[href]:not(article.bd-article a)") if word in link
        ] == []
    for page in EVERY_PAGE:
        assert not [
            tag
            for tag in soup(html / page).find_all("a")
            if tag.get("href", "") in ("", "#")
            and not {"headerlink", "current"} & set(tag.get("class", []))
        ]


@pytest.fixture(scope="module")
def html_with_address(tmp_path_factory):
    """The site built as if it had an address; without executing, since no output depends on it."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["repository"]["url"] = "https://github.com/someone/gated-memory"
    config["execute"]["execute_notebooks"] = "off"
    folder = tmp_path_factory.mktemp("addressed")
    (folder / "_config.yml").write_text(yaml.safe_dump(config))
    # The local extension is named relative to the configuration file.
    (folder / "book").symlink_to(ROOT / "book")
    done = subprocess.run(
        [
            Path(sys.executable).with_name("jupyter-book"),
            "build",
            str(ROOT),
            "--config",
            str(folder / "_config.yml"),
            "--path-output",
            str(folder),
            "--quiet",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build" / "html"


def test_with_an_address_exercises_open_elsewhere(html_with_address):
    for name in EXERCISES:
        page = soup(html_with_address / f"{name}.html")
        links = [tag["href"] for tag in page.select(".gm-workplace a")]
        place = f"someone/gated-memory/{{}}main{{}}{name}.ipynb"
        assert any(
            link.startswith(
                "https://mybinder.org/v2/gh/someone/gated-memory/main?urlpath=lab%2Ftree%2F"
            )
            for link in links
        )
        assert f"https://colab.research.google.com/github/{place.format('blob/', '/')}" in links
        assert "https://github.com/someone/gated-memory" in [
            tag["href"] for tag in page.select(".bd-header-article a")
        ]


def test_with_an_address_a_shared_link_has_a_card(html_with_address):
    page = soup(html_with_address / "book" / "index.html")
    card = page.find("meta", property="og:image")["content"]
    assert card == "https://someone.github.io/gated-memory/_static/social-card.png"
    assert (html_with_address / "_static" / "social-card.png").is_file()
    assert (
        page.find("link", rel="canonical")["href"]
        == "https://someone.github.io/gated-memory/book/index.html"
    )
    base = soup(html_with_address / "404.html").find("base")["href"]
    assert base == "/gated-memory/"


def test_with_an_address_the_page_leads_to_other_machines(html_with_address):
    page = page_of(html_with_address)
    assert "knows of none" not in page.get_text()
    for name in HANDED_OUT:
        row = page.find("a", href=f"../../get/{name}.zip").find_parent("tr")
        links = [a["href"] for a in row.find_all("a")]
        assert any(link.startswith("https://mybinder.org/") for link in links)
        assert any(link.startswith("https://colab.research.google.com/") for link in links)
        copy = html_with_address / "_downloads" / "notebooks" / name / f"{name}.ipynb"
        assert f"{SITE}get/{WHEEL}" in copy.read_text(encoding="utf-8")
    assert f"pip install {SITE}get/{WHEEL}" in page.get_text()
    assert (html_with_address / "get" / WHEEL).is_file()
