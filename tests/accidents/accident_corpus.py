"""Accidents that happen to right notebooks on their way from a student's screen to the gradebook.

Each is done to a complete, right solution of ``gru``; what comes out has to earn full marks. Where a
public tracker tells of it, the report is named.
"""

from __future__ import annotations

import copy
import io
import json
import os
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine_scene import added, by_name, code_cell, place, solved, text, untouched, written

ANSWER = (
    "In the textbook GRU the reset gate multiplies the old state before the recurrent product, in "
    "PyTorch it multiplies the product, bias included. So the weights mean something else."
)
QUESTION = "why-not-torch"
RIGHT = by_name(solved("gru"))


@dataclass(frozen=True)
class Accident:
    """What happens: to the notebook, or to its file."""

    name: str
    kind: str
    change: Callable[[dict], dict] = lambda paper: paper
    """the paper with the accident in it"""
    write: Callable[[Path, dict], None] | None = None
    """puts it into the folder that was handed in; by default as ``gru.ipynb``"""
    reported: str = ""
    """where people tell of it"""

    def hand_in(self, folder: Path) -> None:
        """Write the right solution with this accident into an empty folder."""
        folder.mkdir(parents=True, exist_ok=True)
        paper = self.change(complete())
        (self.write or _plainly)(folder, paper)


def complete() -> dict:
    """A right and complete solution, its written answer too."""
    return written(solved("gru"), **{QUESTION: ANSWER})


def as_given(name: str) -> dict:
    """A cell of the released notebook."""
    paper = untouched("gru")
    return copy.deepcopy(paper["cells"][place(paper, name)])


def _plainly(folder: Path, paper: dict) -> None:
    (folder / "gru.ipynb").write_text(json.dumps(paper), encoding="utf-8")


def _named(*names: str) -> Callable[[Path, dict], None]:
    """Writes the file under another name; folders are made."""

    def write(folder: Path, paper: dict) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(paper), encoding="utf-8")

    return write


def _encoded(encoding: str) -> Callable[[Path, dict], None]:
    def write(folder: Path, paper: dict) -> None:
        paper = added(paper, "# größer, Übung, naïve")
        content = json.dumps(paper, ensure_ascii=False).encode(encoding, "replace")
        (folder / "gru.ipynb").write_bytes(content)

    return write


def _beside(name: str, content: bytes | None = None) -> Callable[[Path, dict], None]:
    """The notebook lies beside a newer file; by default one as it was given out."""

    def write(folder: Path, paper: dict) -> None:
        _plainly(folder, paper)
        os.utime(folder / "gru.ipynb", (1_700_000_000, 1_700_000_000))
        other = json.dumps(untouched("gru")).encode() if content is None else content
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(other)

    return write


def _solved_beside_untouched(folder: Path, paper: dict) -> None:
    _plainly(folder, untouched("gru"))
    (folder / "gru-1.ipynb").write_text(json.dumps(paper), encoding="utf-8")


def _zipped(name: str) -> Callable[[Path, dict], None]:
    def write(folder: Path, paper: dict) -> None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/._gru.ipynb", b"\0\x05\x16\x07" + bytes(100))
            archive.writestr(name, json.dumps(paper))
        (folder / "gru.zip").write_bytes(content.getvalue())

    return write


def _conflict_in_file(folder: Path, paper: dict) -> None:
    """git merged two saves; the conflict is in a cell's source, line by line."""
    lines = json.dumps(paper, indent=1).splitlines()
    at = next(i for i, line in enumerate(lines) if '"nbformat_minor"' in line)
    mine = lines[at]
    lines[at : at + 1] = ["<<<<<<< HEAD", mine, "=======", mine, ">>>>>>> origin/main"]
    (folder / "gru.ipynb").write_text("\n".join(lines), encoding="utf-8")


def _of_format(major: int, minor: int) -> Callable[[Path, dict], None]:
    def write(folder: Path, paper: dict) -> None:
        import nbformat

        notebook = nbformat.reads(json.dumps(paper), as_version=4)
        if major == 4:
            for cell in notebook.cells:
                cell.pop("id", None)
            notebook.nbformat_minor = minor
            content = json.dumps(notebook)
        else:
            content = nbformat.writes(nbformat.convert(notebook, major), version=major)
        (folder / "gru.ipynb").write_text(content, encoding="utf-8")

    return write


# In the notebook


def _edit(name: str, extra: str) -> Callable[[dict], dict]:
    """Something is typed at the end of a cell."""
    return lambda paper: written(paper, **{name: by_name(paper)[name] + "\n" + extra})


def _helper_in_locked_cell(paper: dict) -> dict:
    paper = _edit("sigmoid", "def both(h, x):\n    return np.concatenate([h, x], axis=1)")(paper)
    gate = RIGHT["update_gate"].replace("np.concatenate([h_prev, x], axis=1)", "both(h_prev, x)")
    assert gate != RIGHT["update_gate"]
    return written(paper, update_gate=gate)


def _import_in_locked_cell(paper: dict) -> dict:
    paper = _edit("setup", "from numpy import concatenate as cat")(paper)
    return written(paper, update_gate=RIGHT["update_gate"].replace("np.concatenate", "cat"))


def _helper_in_a_check(paper: dict) -> dict:
    helper = "def both(h, x):\n    return np.concatenate([h, x], axis=1)\n"
    paper = written(paper, **{"check-update_gate": helper + "check(update_gate)"})
    gate = RIGHT["reset_gate"].replace("np.concatenate([h_prev, x], axis=1)", "both(h_prev, x)")
    return written(paper, reset_gate=gate)


def _without_metadata(paper: dict) -> dict:
    for cell in paper["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)
    return paper


def _by_colab(paper: dict) -> dict:
    for number, cell in enumerate(paper["cells"]):
        cell["metadata"] = {"id": f"kR{number}xQz", "colab": {"base_uri": "https://example.org"}}
        cell.pop("id", None)
    paper["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}}
    return paper


def _copy_below(name: str) -> Callable[[dict], dict]:
    """The cell is there a second time, as it was given out, with its grade_id."""

    def change(paper: dict) -> dict:
        paper["cells"].insert(place(paper, name) + 1, as_given(name))
        return paper

    return change


def _answer_in_a_new_cell(kind: str, source: str = ANSWER) -> Callable[[dict], dict]:
    def change(paper: dict) -> dict:
        at = place(paper, QUESTION)
        paper["cells"][at] = as_given(QUESTION)
        cell = code_cell(source, "answer") | {"cell_type": kind}
        if kind != "code":
            del cell["outputs"], cell["execution_count"]
        paper["cells"].insert(at + 1, cell)
        return paper

    return change


def _answer_in_the_question(paper: dict) -> dict:
    at = place(paper, QUESTION)
    paper["cells"][at] = as_given(QUESTION)
    paper["cells"][at - 1]["source"] = text(paper["cells"][at - 1]) + "\n\n" + ANSWER
    return paper


def _typed(kind: str, *names: str) -> Callable[[dict], dict]:
    def change(paper: dict) -> dict:
        for name in names:
            paper["cells"][place(paper, name)]["cell_type"] = kind
        return paper

    return change


def _through_a_file(paper: dict) -> dict:
    helper = "%%writefile helper.py\nimport numpy as np\n\ndef both(h, x):\n"
    helper += "    return np.concatenate([h, x], axis=1)\n"
    gate = RIGHT["update_gate"].replace("np.concatenate([h_prev, x], axis=1)", "both(h_prev, x)")
    paper = written(paper, update_gate="from helper import both\n\n" + gate)
    return added(paper, helper, before="update_gate")


def _moved(name: str, before: str) -> Callable[[dict], dict]:
    """A cell was moved, and run at its old place: the numbers beside the cells say so."""

    def change(paper: dict) -> dict:
        number = 0
        for cell in paper["cells"]:
            if cell["cell_type"] == "code":
                number += 1
                cell["execution_count"] = number
        cell = paper["cells"].pop(place(paper, name))
        paper["cells"].insert(place(paper, before), cell)
        return paper

    return change


def _constant_below(paper: dict) -> dict:
    """A function's default value comes from a cell that stands below, and was run first."""
    gate = RIGHT["update_gate"].replace("params: Params)", "params: Params, axis=AXIS)")
    gate = gate.replace("axis=1)", "axis=axis)")
    paper = added(written(paper, update_gate=gate), "AXIS = 1", before="reset_gate")
    counts = iter(range(2, 1000))
    for cell in paper["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1 if text(cell) == "AXIS = 1" else next(counts)
    setup = paper["cells"][place(paper, "setup")]
    setup["execution_count"] = 1
    next(c for c in paper["cells"] if text(c) == "AXIS = 1")["execution_count"] = 2
    for cell in paper["cells"]:
        if cell["cell_type"] == "code" and cell is not setup and text(cell) != "AXIS = 1":
            cell["execution_count"] += 1
    return paper


def _conflict_in_cell(paper: dict) -> dict:
    given = text(as_given("update_gate"))
    both = f"<<<<<<< HEAD\n{given}\n=======\n{RIGHT['update_gate']}\n>>>>>>> mine"
    return written(paper, update_gate=both)


def _windows(paper: dict) -> dict:
    for cell in paper["cells"]:
        cell["source"] = text(cell).replace("\n", "\r\n")
    return paper


def _loud(paper: dict) -> dict:
    cell = paper["cells"][place(paper, "update_gate")]
    line = ", ".join("0.125" for _ in range(20)) + "\n"
    cell["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": line * (50_000_000 // len(line))}
    ]
    return paper


def _last(*sources: str) -> Callable[[dict], dict]:
    return lambda paper: added(paper, *sources)


def _first(*sources: str) -> Callable[[dict], dict]:
    return lambda paper: added(paper, *sources, before="update_gate")


def _at(before: str, *sources: str) -> Callable[[dict], dict]:
    return lambda paper: added(paper, *sources, before=before)


NAMES = "A name is used again"
LOCKED = "A locked cell is typed into"
LOST = "An editor drops or copies"
WRITTEN = "The written answer"
FILES = "The file"
TOOLS = "What else people do in a notebook"
ORDER = "The order of cells"

PAPERS = [
    Accident(
        "from torch import sigmoid, tanh in exercise 8",
        NAMES,
        _at("GRULayer", "from torch import sigmoid, tanh"),
        reported="otter-grader 793, 890",
    ),
    Accident(
        "a scratch cell at the end: sigmoid = 3", NAMES, _last("sigmoid = sigmoid(np.zeros(3))")
    ),
    Accident(
        "a loop variable called reset_gate", NAMES, _last("for reset_gate in range(3):\n    pass")
    ),
    Accident("a loop variable called r", NAMES, _last("for r in range(3):\n    pass")),
    Accident("np is something else at the end", NAMES, _last("np = 3"), reported="otter-grader 30"),
    Accident("sum and list are names of results", NAMES, _last("sum = 3\nlist = [1]\nlen = 2")),
    Accident("a stub of gru_step pasted at the end", NAMES, _last("def gru_step():\n    pass")),
    Accident("%time sigmoid = 3", NAMES, _last("%time sigmoid = 3")),
    Accident("%%capture above sigmoid = 3", NAMES, _last("%%capture shown\nsigmoid = 3")),
    Accident(
        "as sigmoid, of an exception",
        NAMES,
        _last("try:\n    1 / 0\nexcept Exception as sigmoid:\n    pass"),
    ),
    Accident("%reset -f at the end", NAMES, _last("%reset -f")),
    Accident("del of what is no longer needed", NAMES, _last("del sigmoid, tiny")),
    Accident(
        "an import typed into a locked cell",
        LOCKED,
        _import_in_locked_cell,
        reported="nbgrader 500, 1372, 1882",
    ),
    Accident("a helper typed into a locked cell", LOCKED, _helper_in_locked_cell),
    Accident("a helper typed above a check", LOCKED, _helper_in_a_check),
    Accident(
        "cell metadata and ids are lost", LOST, _without_metadata, reported="nbgrader 424, 1398"
    ),
    Accident("saved by Colab", LOST, _by_colab),
    Accident(
        "an untouched copy of an answer below it, with its grade id",
        LOST,
        _copy_below("update_gate"),
        reported="nbgrader 108, 1083, grader-service 51",
    ),
    Accident("an untouched copy of the layer below it", LOST, _copy_below("GRULayer")),
    Accident("answers turned into text cells", LOST, _typed("markdown", "update_gate", "gru_step")),
    Accident("answers turned into raw cells", LOST, _typed("raw", "update_gate", "gru_step")),
    Accident("lines end as on Windows", LOST, _windows),
    Accident("a conflict of git in a cell", LOST, _conflict_in_cell),
    Accident("an untouched copy below the written answer", WRITTEN, _copy_below(QUESTION)),
    Accident(
        "written in a new cell below",
        WRITTEN,
        _answer_in_a_new_cell("markdown"),
        reported="resonance 109",
    ),
    Accident("written in a raw cell", WRITTEN, _answer_in_a_new_cell("raw")),
    Accident("written in a code cell, which fails", WRITTEN, _answer_in_a_new_cell("code")),
    Accident(
        "written as comments in a code cell",
        WRITTEN,
        _answer_in_a_new_cell("code", "# " + ANSWER.replace(". ", ".\n# ")),
    ),
    Accident("written below the question, in its cell", WRITTEN, _answer_in_the_question),
    Accident("its cell turned into code", WRITTEN, _typed("code", QUESTION)),
    Accident("a cell moved up after it was run", ORDER, _moved("gru_step", "reset_gate")),
    Accident("the first cell moved down after it was run", ORDER, _moved("setup", "gru_step")),
    Accident("a constant stands below, and was run first", ORDER, _constant_below),
    Accident(
        "%%writefile helper.py, then import helper",
        TOOLS,
        _through_a_file,
        reported="nbgrader 1876",
    ),
    Accident("from autograder import convert", TOOLS, _first("from autograder import convert")),
    Accident(
        "torch.compile is tried",
        TOOLS,
        _last("compiled = torch.compile(GRULayer(3, 5))\ncompiled(torch.zeros(2, 1, 3))"),
    ),
    Accident("import numpy.testing", TOOLS, _first("import numpy.testing as npt")),
    Accident(
        "check(f).passed is used",
        TOOLS,
        _at("reset_gate", "assert check(update_gate).passed\nprint(check(update_gate).points)"),
    ),
    Accident(
        "a file is written at os.devnull",
        TOOLS,
        lambda paper: written(
            paper,
            update_gate="import os\n"
            + RIGHT["update_gate"]
            .replace("    stacked", "    stacked")
            .replace("    joined =", '    print("z", file=open(os.devnull, "w"))\n    joined ='),
        ),
    ),
    Accident("!pip install in a cell", TOOLS, _first("!pip install --quiet numpy")),
    Accident("%pip install in a cell", TOOLS, _first("%pip install numpy")),
    Accident(
        "%matplotlib inline, %autoreload",
        TOOLS,
        _first("%matplotlib inline\n%load_ext autoreload\n%autoreload 2"),
    ),
    Accident(
        "%%time above an answer's use",
        TOOLS,
        _at("reset_gate", "%%time\nupdate_gate(tiny_x, tiny_h, tiny)"),
    ),
    Accident(
        "%timeit of an answer",
        TOOLS,
        _at("reset_gate", "%timeit -n1 -r1 update_gate(tiny_x, tiny_h, tiny)"),
    ),
    Accident(
        "a picture is saved",
        TOOLS,
        _last("import matplotlib.pyplot as plt\nplt.plot([1])\nplt.savefig('figure.png')"),
    ),
    Accident("a file is read that is not there", TOOLS, _last("open('data.csv')")),
    Accident("a package that is not there, in a scratch cell", TOOLS, _last("import seaborn")),
    Accident(
        "Google Drive is mounted",
        TOOLS,
        _first("from google.colab import drive\ndrive.mount('/content/drive')"),
    ),
    Accident("a cell that was never finished", TOOLS, _last("gru_step(tiny_x,")),
    Accident("fifty megabytes of output", TOOLS, _loud),
]

HANDED_IN = [
    Accident(
        "._gru.ipynb of a Mac's zip, newer than the notebook",
        FILES,
        write=_beside("._gru.ipynb", b"\0\x05\x16\x07" + bytes(200)),
        reported="codabench 1655",
    ),
    Accident("gru.ipynb.json", FILES, write=_named("gru.ipynb.json"), reported="notebook 1800"),
    Accident("gru.ipynb.txt", FILES, write=_named("gru.ipynb.txt"), reported="notebook 1800"),
    Accident("GRU.IPYNB", FILES, write=_named("GRU.IPYNB"), reported="nbgrader 796"),
    Accident("gru (1).ipynb", FILES, write=_named("gru (1).ipynb")),
    Accident("gru .ipynb", FILES, write=_named("gru .ipynb")),
    Accident(".gru.ipynb", FILES, write=_named(".gru.ipynb")),
    Accident("a path of Windows as a name", FILES, write=_named("abgabe\\gru.ipynb")),
    Accident(
        "a name in decomposed Unicode",
        FILES,
        write=_named(unicodedata.normalize("NFD", "gru für Zoë.ipynb")),
    ),
    Accident("a folder in the folder", FILES, write=_named("gru/gru.ipynb")),
    Accident("a folder in a folder in the folder", FILES, write=_named("Abgabe 1/gru/gru.ipynb")),
    Accident("a zip that was not unpacked", FILES, write=_zipped("gru/gru.ipynb")),
    Accident("an untouched gru.ipynb beside gru-1.ipynb", FILES, write=_solved_beside_untouched),
    Accident("a newer checkpoint", FILES, write=_beside(".ipynb_checkpoints/gru-checkpoint.ipynb")),
    Accident("an untouched copy, newer", FILES, write=_beside("gru-copy.ipynb")),
    Accident("UTF-16 with its mark", FILES, write=_encoded("utf-16"), reported="nbdime 506"),
    Accident("UTF-16 without a mark", FILES, write=_encoded("utf-16-le")),
    Accident("UTF-8 with a mark", FILES, write=_encoded("utf-8-sig")),
    Accident("Windows-1252", FILES, write=_encoded("cp1252")),
    Accident("a conflict of git in the file", FILES, write=_conflict_in_file),
    Accident("notebook format 3", FILES, write=_of_format(3, 0)),
    Accident("notebook format 4.0", FILES, write=_of_format(4, 0)),
]

CORPUS = [*PAPERS, *HANDED_IN]
