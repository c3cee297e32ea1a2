"""The instructor guide, followed word by word: its commands exist, run, and print what is quoted."""

from __future__ import annotations

import copy
import html
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import nbformat
import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.course.classroom import hand_in
from autograder.demo.run import DEMO_SEED
from autograder.grading import run as grading
from autograder.grading.stage import CELL_SECONDS
from autograder.outlets import report
from autograder.player.confine import LAYERS, MEANS
from autograder.player.observe import TIME_LIMIT

COURSE = Path(__file__).parents[2]
PAGES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((COURSE / "book" / "teach").glob("*.md"))
}
GUIDE, REPORT, SECURITY = (PAGES[p] for p in ("grade-a-class", "class-report", "security"))

NOT_RUN = {
    "make environment": "installs what the test runs in",
    "source .venv/bin/activate": "the same",
    "jupyter lab": "opens a browser",
}

EXIT_CODES = {"autograder check gru.ipynb": 1, "autograder grade gru": 1}
"""Commands that say by their exit code that something is not right; all others end with 0."""

IN_THIS_PROCESS = ("secret-seed", "report", "export")
"""Commands that need not be started anew: importing everything takes longer than they do."""

SCRIPT = "<script>document.title = 'script'</script>"


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def commands(block: str) -> list[str]:
    """The commands of a console block, those over several lines in one."""
    joined = re.sub(r"\\\n\s*(?:> )?", "", block)
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def quoted_commands() -> list[tuple[str, str, bool]]:
    """Page, command and whether it is complete: those in running text may be only named."""
    found = []
    for page, text in PAGES.items():
        for block in blocks(text, "console"):
            found += [(page, command, True) for command in commands(block)]
        prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        found += [
            (page, span, False)
            for span in re.findall(r"`([^`\n]+)`", prose)
            if re.match(r"(autograder|nbgrader) \w", span)
        ]
    return found


# Every command exists


def require_click(words: list[str], complete: bool) -> None:
    """Fail unless these words are a command of ``autograder``, with options that it has."""
    context = click.Context(main, info_name="autograder")
    _, words, _ = main.make_parser(context).parse_args(words)
    command = main.get_command(context, words[0])
    assert command, f"there is no autograder {words[0]}"
    given, left, _ = command.make_parser(click.Context(command)).parse_args(words[1:])
    assert not left, left
    for parameter in command.params:
        value = given.get(parameter.name)
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            assert value in parameter.type.choices
        if complete and parameter.required:
            assert isinstance(value, str | tuple), f"{parameter.name} is missing"


def require_nbgrader(words: list[str]) -> None:
    """Fail unless these words are a subcommand of ``nbgrader``, with options that it has."""
    from nbgrader.apps.nbgraderapp import NbGraderApp

    app = NbGraderApp
    while words and words[0] in (below := app().subcommands):
        app = below[words.pop(0)][0]
    assert app is not NbGraderApp, f"there is no nbgrader {words[0]}"
    assert not below or not words, f"there is no {words[0]}"
    known = {name for names in (*app().flags, *app().aliases) for name in _each(names)}
    for word in words:
        if word.startswith("--"):
            assert word[2:].partition("=")[0] in known, word


def _each(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


@pytest.mark.parametrize(("page", "command", "complete"), quoted_commands())
def test_the_command_exists(page, command, complete):
    program, *words = shlex.split(command, comments=True)
    if program == "autograder":
        require_click(words, complete)
    elif program == "nbgrader":
        require_nbgrader(words)
    else:
        assert complete


@pytest.mark.parametrize("words", ["frobnicate gru", "grade gru --fast", "export excel gru"])
def test_an_invented_command_is_noticed(words):
    with pytest.raises((AssertionError, click.UsageError)):
        require_click(words.split(), True)
    with pytest.raises(AssertionError):
        require_nbgrader(["autograde", "gru", "--fast"])


# The main path


class Followed:
    """The course after every command of the page, in its order, and what each of them said."""

    def __init__(self, folder: Path):
        make = runpy.run_path(str(COURSE / "tests" / "scenes" / "pipeline_course.py"))
        self.course = make["Course"](folder)
        self.root: Path = self.course.root
        self.said: dict[str, str] = {}
        self.quoted: list[tuple[str, str]] = []
        """a text block, and the command that it follows"""
        last = ""
        for kind, block in re.findall(
            r"^```(console|text)\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE
        ):
            if kind == "text":
                self.quoted.append((block, last))
                if block.startswith("id,"):
                    (self.root / "roster.csv").write_text(block, encoding="utf-8")
                continue
            for command in commands(block):
                last = command
                if command not in NOT_RUN:
                    self.said[command] = self.said.get(command, "") + self.run(command)

    def run(self, command: str) -> str:
        words = shlex.split(command)
        if command == "autograder grade gru":
            words += ["--cell-seconds", "5"]  # one notebook loops, and thirty seconds are long
        if words[1] == "check":
            shutil.copy(self.root / "submitted" / "cleo" / "gru" / "gru.ipynb", self.root)
        if words[0] == "autograder" and words[1] in IN_THIS_PROCESS:
            done = CliRunner().invoke(main, ["--course", str(self.root), *words[1:]])
            code, said = done.exit_code, done.output
        else:
            done = subprocess.run(
                [str(Path(sys.executable).parent / words[0]), *words[1:]],
                cwd=self.root,
                env=self.course.environment | {"COLUMNS": "80"},
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=300,
            )
            code, said = done.returncode, done.stdout
        assert code == EXIT_CODES.get(command, 0), f"{command}\n{said}"
        assert "Traceback" not in said, f"{command}\n{said}"
        if words[1] == "secret-seed":
            (self.root / "secret_seed.txt").write_text(DEMO_SEED + "\n", encoding="utf-8")
        if words[1] == "generate_assignment":
            self.hand_in()
        return said

    def hand_in(self) -> None:
        built = self.root / "_build"
        hand_in(*(built / k / "gru" / "gru.ipynb" for k in ("release", "source")), self.submitted)
        path = self.submitted / "ben" / "gru" / "gru.ipynb"
        paper = nbformat.read(path, as_version=4)
        paper.cells.append(nbformat.v4.new_markdown_cell(f"Dear grader, {SCRIPT}", id="script"))
        nbformat.write(paper, path)
        path = self.submitted / "hana" / "gru" / "gru.ipynb"
        busy = path.read_text(encoding="utf-8")
        idle = busy.replace("while t < len(xs):", "while not __import__('time').sleep(1):")
        assert idle != busy  # endless all the same, without keeping a core from the others
        path.write_text(idle, encoding="utf-8")

    @property
    def submitted(self) -> Path:
        return self.root / "submitted"

    def feedback(self, student: str) -> str:
        page = self.root / "feedback" / student / "gru" / "gru.html"
        return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Followed:
    return Followed(tmp_path_factory.mktemp("guide"))


def missing(quoted: str, said: str) -> list[str]:
    """The lines of a quotation that were not said; … stands for anything."""
    lines = [" ".join(line.split()) for line in said.splitlines()]
    wanted = [" ".join(line.split()) for line in quoted.splitlines()]
    patterns = {
        line: re.compile(".*".join(map(re.escape, line.split("…")))) for line in wanted if line
    }
    return [
        line
        for line, pattern in patterns.items()
        if not any(pattern.fullmatch(other) for other in lines)
    ]


def test_quoted_output_is_what_is_printed(followed):
    elsewhere = ("id,", "submitted/", "gru_step:", "Error:")
    compared = [(b, c) for b, c in followed.quoted if not b.startswith(elsewhere)]
    assert len(compared) >= 6
    for block, command in compared:
        assert missing(block, followed.said[command]) == [], command


def test_a_wrong_quotation_is_noticed():
    assert missing("gru: 17 graded, …\nben: gone", "gru: 17 graded, 0 unchanged\n") == ["ben: gone"]


def test_what_is_graded_is_not_graded_again(followed):
    said = followed.said["autograder grade gru"].splitlines()
    assert sum(line.startswith("gru: 17 graded") for line in said) == 1
    assert sum(line.startswith("gru: 0 graded, 17 unchanged") for line in said) == 1
    assert "gru: 1 graded" in followed.said["autograder grade gru --student ada --force"]


def test_files_lie_where_the_guide_says(followed):
    for path in re.findall(
        r"`((?:autograded|submitted|feedback|reports|exports)/[\w./-]+)`", GUIDE
    ):
        assert "STUDENT" in path or (followed.root / path).exists(), path
    for block, _ in followed.quoted:
        if block.startswith("submitted/"):
            assert all((followed.root / line).is_file() for line in block.splitlines())
    assert (followed.root / "grades.csv").is_file()


def test_the_quoted_verdict_is_on_the_feedback_page(followed):
    (verdict,) = [block for block, _ in followed.quoted if block.startswith("gru_step:")]
    page = " ".join(followed.feedback("cleo").split())
    assert html.escape(" ".join(verdict.split()), quote=False) in page


def test_a_script_in_markdown_does_not_run_on_the_feedback_page(followed):
    assert "Dear grader" in followed.feedback("ben")
    assert SCRIPT not in followed.feedback("ben")
    assert (
        "HTML in Markdown cells keeps the tags that format text; all others are shown as text"
        in " ".join(SECURITY.split())
    )


def test_missing_confinement_is_refused_in_the_quoted_words(followed, monkeypatch):
    (refusal,) = [block for block, _ in followed.quoted if block.startswith("Error:")]
    named = [layer for layer in LAYERS if f"  {layer}: " in refusal]
    monkeypatch.setattr(grading, "missing_layers", lambda: named)
    done = CliRunner().invoke(main, ["--course", str(followed.root), "grade", "gru"])
    assert done.exit_code == 2
    assert missing(refusal, done.output) == []


@pytest.mark.parametrize("words", ["grade nothing", "grade rnn", "grade gru --student zoe"])
def test_what_cannot_be_done_ends_with_2(followed, words):
    done = CliRunner().invoke(main, ["--course", str(followed.root), *words.split()])
    assert done.exit_code == 2
    assert done.output.startswith("Error: ")


# What the pages say in words


def test_limits_in_words_are_those_of_the_engine():
    assert "ended after ten seconds, a cell after thirty" in GUIDE
    assert (TIME_LIMIT, CELL_SECONDS) == (10, 30)
    wait = next(p for p in main.commands["grade"].params if p.name == "gradebook_wait")
    assert "The command waits for a minute." in GUIDE
    assert wait.default == 60


def test_messages_of_the_last_table_exist():
    package = Path(__import__("nbgrader").__file__).parent
    sources = [*(COURSE / "autograder").rglob("*.py"), *package.rglob("*.py")]
    sources.append(COURSE / "nbgrader_config.py")
    # Sentences are written over several lines of source.
    text = re.sub(r'["\']\s*\n\s*f?["\']', "", "\n".join(p.read_text("utf-8") for p in sources))
    rows = GUIDE.split("## When something goes wrong")[1]
    messages = re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^\| (.*?) \|", rows, re.MULTILINE)))
    assert len(messages) > 10
    for message in set(messages) - {"command not found", "GRULayer"}:  # the shell's, a name
        for piece in re.sub(r"\bgru\b", "…", message).split("…"):
            assert piece.strip() in text, message


def test_every_kind_of_remark_is_explained():
    rows = re.findall(r"^\| ([a-z ]+) \| ", REPORT.split("**Remarks**")[1], re.MULTILINE)
    assert rows[1:] == list(report.LOOK_NAMES.values())


def test_the_report_has_what_is_explained(followed):
    page = (followed.root / "reports" / "gru.html").read_text(encoding="utf-8")
    shown = html.unescape(re.sub(r"<[^>]+>", "", page)).casefold()
    titles = html.unescape("\n".join(re.findall(r"<h[23][^>]*>(.*?)</h[23]>", page)))
    for heading in ("What to teach again", "Failures without a name", "Time", "Students"):
        assert f"## {heading}" in REPORT
        assert heading in titles
    for words in ("makes this mistake", "looks like it", "nearly the same code"):
        assert words in shown
        assert words in REPORT.casefold()
    source = (Path(report.__file__).parent / "headline.html.j2").read_text(encoding="utf-8")
    for words in ("Not confined", "Graded by different versions"):
        assert f"**{words}**" in REPORT
        assert f"<strong>{words}</strong>" in source


def test_every_layer_is_explained():
    rows = re.findall(r"^\| \*\*(\w+)\*\* \|", SECURITY, re.MULTILINE)
    assert tuple(row.lower() for row in rows) == LAYERS == tuple(MEANS)


# The table of attacks


@pytest.fixture
def page_folder(tmp_path, monkeypatch):
    """A folder like that of the page, in which its cells can run on other results."""
    (tmp_path / "book" / "teach").mkdir(parents=True)
    (tmp_path / "book" / "data").mkdir()
    (tmp_path / "tests").symlink_to(COURSE / "tests")
    monkeypatch.chdir(tmp_path / "book" / "teach")
    theirs = {n: m for n, m in sys.modules.items() if n.partition(".")[0] == "attack_corpus"}
    yield tmp_path
    for name in [n for n in sys.modules if n.partition(".")[0] == "attack_corpus"]:
        del sys.modules[name]
    sys.modules.update(theirs)


def run_cells(results: dict) -> str:
    """The HTML of the page's cells."""
    Path("../data/attacks.json").write_text(json.dumps(results), encoding="utf-8")
    space: dict = {}
    shown = []
    for block in blocks(SECURITY, r"\{code-cell\} ipython3"):
        code, _, last = block.partition(":tags: [remove-input]\n")[2].rpartition("\nHTML(")
        exec(code, space)
        shown.append(eval(f"HTML({last}", space).data)
    return "\n".join(shown)


@pytest.fixture(scope="module")
def every_result() -> dict:
    """Results of all attacks of the corpus: each succeeds in stock, and none in the engine."""
    sys.path.insert(0, str(COURSE / "tests" / "attacks"))
    try:
        from attack_corpus import CORPUS
    finally:
        sys.path.pop(0)
    stock = {"points": 20.0, "damage": ["<b>a file</b> was read"], "ended": "graded"}
    engine = {"points": 0.0, "damage": [], "ended": "graded", "told": ["tamper"], "look": True}
    rows = [
        {k: getattr(a, k) for k in ("name", "family", "story", "limit")}
        | {"max_points": 20.0, "stock": stock, "engine": engine}
        for a in CORPUS
    ]
    return {"versions": {"python": "3", "system": "Linux", "nbgrader": "0"}, "attacks": rows}


def test_the_table_shows_every_attack(page_folder, every_result):
    results = every_result
    page = run_cells(results)
    said = "20 of 20 points; &lt;b&gt;a file&lt;/b&gt; was read"
    assert page.count(said) == len(results["attacks"])
    for row in results["attacks"]:
        assert html.escape(row["name"]) in page


@pytest.mark.parametrize("lost", ["row", "engine", "story"])
def test_the_table_refuses_to_be_incomplete(page_folder, every_result, lost):
    results = copy.deepcopy(every_result)
    row = results["attacks"][7]
    if lost == "row":
        results["attacks"].remove(row)
    elif lost == "story":
        row["story"] = "Another story."
    else:
        del row[lost]
    with pytest.raises(ValueError, match="does not show .* as the corpus has it"):
        run_cells(results)
