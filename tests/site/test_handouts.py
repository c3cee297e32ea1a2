"""What the site hands out works where it is unpacked: wheel, zips, notebooks, and the page about them."""

import importlib
import json
import re
import zipfile
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from site_pages import EXERCISES, ROOT
from student_python import StudentPython

from autograder.material import handed_out, notebooks

SITE = "https://someone.github.io/gated-memory/"
NAMES = [name.rpartition("/")[2] for name in EXERCISES]
WHEEL = handed_out.wheel_name(ROOT)


@pytest.fixture(scope="module")
def extension():
    """A module of the site's own extension, by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "book" / "_ext"))
        yield importlib.import_module


@pytest.fixture(scope="module")
def laid_out(extension, once) -> Path:
    """A folder in which everything is laid out as the site with this address does it."""
    write = extension("handouts").write
    return once("handed-out", lambda folder: write(ROOT, folder, SITE))


def test_the_wheel_has_its_versions_name_and_the_same_bytes_each_time(
    extension, laid_out, tmp_path
):
    before = sorted(path.name for path in ROOT.iterdir())
    again = extension("course_wheel").write_wheel(ROOT, tmp_path, SITE)
    assert again.name == WHEEL
    assert again.read_bytes() == (laid_out / "get" / WHEEL).read_bytes()
    assert sorted(path.name for path in ROOT.iterdir()) == before
    files = zipfile.ZipFile(again)
    names = files.namelist()
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    assert f"Project-URL: Documentation, {SITE}\n" in files.read(metadata).decode()
    assert {"autograder/__init__.py", "autograder/course/recorded/public.npz"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_why_there_is_no_wheel_is_said(extension, tmp_path, monkeypatch):
    course_wheel = extension("course_wheel")
    monkeypatch.setattr(course_wheel, "BUILD", "import there_is_no_setuptools")
    with pytest.raises(course_wheel.NoWheel, match="pip install --upgrade setuptools"):
        course_wheel.write_wheel(ROOT, tmp_path / "none")
    assert list((tmp_path / "none").iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_zip_holds_what_one_assignment_needs(laid_out, name):
    with zipfile.ZipFile(laid_out / "get" / f"{name}.zip") as archive:
        assert set(archive.namelist()) == {
            f"{name}/{file}" for file in (f"{name}.ipynb", "README.txt", "requirements.txt", WHEEL)
        }
        notebook = archive.read(f"{name}/{name}.ipynb")
        readme = archive.read(f"{name}/README.txt").decode()
        needed = archive.read(f"{name}/requirements.txt").decode().split()
        assert archive.read(f"{name}/{WHEEL}") == (laid_out / "get" / WHEEL).read_bytes()
    alone = laid_out / "_downloads" / "notebooks" / name / f"{name}.ipynb"
    assert notebook == alone.read_bytes()
    assert f'PACKAGE = \\"{SITE}get/{WHEEL}\\"'.encode() in notebook
    assert b"](../" not in notebook and f"]({SITE}book/".encode() in notebook
    for line in (
        rf".venv\Scripts\python -m jupyter lab {name}.ipynb",
        f".venv/bin/python -m jupyter lab {name}.ipynb",
    ):
        assert line in readme
    assert readme.count("\r\n") == readme.count("\n")
    assert {line.partition("==")[0] for line in needed} >= {"numpy", "jupyterlab", "ipykernel"}
    released = notebooks.release_path(ROOT, name).read_text(encoding="utf-8")
    assert any(line.startswith("torch==") for line in needed) == ('"import torch' in released)
    assert set(needed) <= set((ROOT / "requirements.txt").read_text().split())


def cells(notebook: Path) -> dict[str, str]:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in content["cells"]}


def test_a_zip_unpacked_without_a_network_lets_one_work(laid_out, tmp_path):
    """With NumPy and Jupyter, and neither PyTorch nor Matplotlib."""
    student = StudentPython(tmp_path, without=("torch", "functorch", "matplotlib"))
    with zipfile.ZipFile(laid_out / "get" / "rnn.zip") as archive:
        archive.extractall(student.home)
    given = cells(student.home / "rnn" / "rnn.ipynb")
    source = json.loads(notebooks.source_notebook(ROOT, "rnn"))["cells"]
    solved = {cell["id"]: "".join(cell["source"]) for cell in source}
    said = student.run(
        given["setup"],
        given["rnn_step"],
        f"print({given['check-rnn_step']})",
        re.sub(r"### (BEGIN|END) SOLUTION", "", solved["rnn_step"]),
        f"print({given['check-rnn_step']})",
        at="rnn",
    )
    assert "rnn_step: not written yet, 0 of 2 points" in said, said
    assert "rnn_step: right, 2 of 2 points" in said, said


def test_what_is_no_longer_handed_out_goes(extension, tmp_path):
    folder = tmp_path / "get"
    folder.mkdir()
    old = [folder / "gated_memory-0.0.1-py3-none-any.whl", folder / "gone.zip"]
    for path in old:
        path.touch()
    extension("handouts").write(ROOT, tmp_path, "")
    assert not any(path.exists() for path in old)
    assert {path.name for path in folder.iterdir()} == {WHEEL, *(f"{n}.zip" for n in NAMES)}
    for name in NAMES:
        copy = tmp_path / "_downloads" / "notebooks" / name / f"{name}.ipynb"
        text = copy.read_text(encoding="utf-8")
        assert 'PACKAGE = \\"\\"' in text and "](../" not in text and ".md" not in text


@pytest.mark.parametrize(
    ("count", "said"),
    [(705_218, "705\u00a0kB"), (8_123_456, "8.1\u00a0MB"), (99, "99\u00a0bytes")],
)
def test_sizes_in_words(extension, count, said):
    assert extension("handouts").size(count) == said


PAGE = "book/start/get-the-course.html"


def page_of(html: Path) -> BeautifulSoup:
    return BeautifulSoup((html / PAGE).read_text(encoding="utf-8"), "html.parser").find("article")


def test_the_page_names_every_file_with_its_size(html, extension):
    page = page_of(html)
    size = extension("handouts").size
    for name in NAMES:
        link = page.find("a", href=f"../../get/{name}.zip")
        file = html / "get" / f"{name}.zip"
        assert link.parent.get_text() == f"{name}.zip, {size(file.stat().st_size)}"
        assert page.find("a", href=f"../../_downloads/notebooks/{name}/{name}.ipynb")
    assert page.find("a", href=f"../../get/{WHEEL}")


def test_the_page_says_what_this_build_can_do(html):
    text = page_of(html).get_text(" ", strip=True)
    with_python = (html / "run" / "parts.json").exists()
    assert ("Begin on the page itself" in text) == with_python
    assert ("was built without Python" in text) != with_python
    assert "knows of none" in text


def test_the_way_here_is_short(html):
    for page in ("book/index.html", "book/start/how-to.html", *(f"{n}.html" for n in EXERCISES)):
        article = BeautifulSoup((html / page).read_text(encoding="utf-8"), "html.parser").article
        hrefs = [a.get("href", "") for a in article.find_all("a")]
        assert any(href.endswith("get-the-course.html") for href in hrefs), page
