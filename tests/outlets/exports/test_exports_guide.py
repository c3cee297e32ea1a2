"""The page about learning platforms: its commands exist, and its scripts do what it says."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml
from exports_scene import WRITTEN, require_gradescopes_format

from autograder.outlets import exports

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")

PAGE = Path(__file__).parents[3] / "book" / "teach" / "lms.md"


def blocks() -> list[tuple[str, str, str]]:
    """Language, caption and text of every block of code on the page."""
    page = PAGE.read_text(encoding="utf-8")
    found = re.findall(
        r"^```(?:\{code-block\} )?(\w+)\n(?::caption: ([^\n]*)\n)?(.*?)^```$", page, re.M | re.S
    )
    boxes = len(re.findall(r"^```\{(?:admonition|code-cell)\}", page, re.M))
    assert 2 * (len(found) + boxes) == len(re.findall(r"^```", page, re.M))
    return found


def block(caption: str) -> str:
    (text,) = (text for _, found, text in blocks() if found == caption)
    return text


def workflow() -> dict:
    return yaml.safe_load(block(".github/workflows/classroom.yml"))


def scripts() -> list[str]:
    """Everything on the page that a shell runs."""
    found = [text for language, _, text in blocks() if language == "bash"]
    for language, _, text in blocks():
        if language == "console":
            lines = text.replace("\\\n", "\\\n$ ").splitlines()
            found.append("\n".join(line.removeprefix("$ ") for line in lines))
    steps = workflow()["jobs"]["autograding"]["steps"]
    return found + [step["run"] for step in steps if "run" in step]


def commands() -> list[list[str]]:
    """Every ``autograder …`` on the page, as words."""
    found = []
    for script in scripts():
        for line in script.replace("\\\n", " ").splitlines():
            words = shlex.split(line.split("||")[0], comments=True)
            if words and Path(words[0]).name == "autograder":
                found.append(words[1:])
    assert {words[0] for words in found} == {"export", "grade-one", "check"}
    return found


@pytest.mark.parametrize("script", scripts(), ids=lambda text: text[:40])
def test_shell_on_the_page_parses(script):
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    assert done.returncode == 0 and not done.stderr


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_on_the_page_exist(words):
    from autograder.cli import main

    with click.Context(main) as context:
        command = main.get_command(context, words[0])
        assert command is not None
        parser = command.make_parser(click.Context(command, parent=context))
        _, left, _ = parser.parse_args(words[1:])  # an unknown option is an error
    taken = [option for option in command.params if isinstance(option, click.Argument)]
    assert left == [] and len(taken) == (2 if words[0] == "export" else 1)


def test_options_in_the_prose_exist():
    from autograder.cli import main

    def options(command) -> set[str]:
        inner = command.commands.values() if isinstance(command, click.Group) else ()
        own = {name for option in command.params for name in option.opts}
        return own.union(*(options(one) for one in inner))

    ours = set(re.findall(r"`(--[a-z-]+)", PAGE.read_text(encoding="utf-8"))) - {"--add-file"}
    assert ours and ours <= options(main)


def test_the_workflow_hands_the_result_to_the_reporter():
    (job,) = workflow()["jobs"].values()
    *_, grade, report = job["steps"]
    (variable,) = report["env"]
    runner = report["with"]["runners"]
    assert runner == grade["id"] and variable == f"{runner.upper()}_RESULTS"
    assert report["env"][variable] == f"${{{{ steps.{runner}.outputs.result }}}}"
    assert 'echo "result=' in grade["run"]


def test_the_json_on_the_page_is_what_we_write(graded):
    (shown,) = (json.loads(text) for language, _, text in blocks() if language == "json")
    real = exports.verdicts_of(graded, {WRITTEN: 4.0})
    assert set(shown) <= set(real) and shown["schema_version"] == real["schema_version"]
    assert set(shown["tests"][0]) == set(real["tests"][0])
    assert shown["by_person"] == real["by_person"]
    assert shown["max_score"] == real["max_score"] > shown["score"]
    (test,) = shown["tests"]
    ours = next(t for t in real["tests"] if t["name"] == test["name"])
    assert {**test, "message": ""} == {**ours, "message": ""}
    assert ours["message"].startswith(test["message"].partition("\n")[0])


class Container:
    """Gradescope's folders, with a script from the page in them."""

    def __init__(self, root: Path, caption: str):
        self.root = root / "autograder"
        for name in ("submission", "results", "source/course"):
            (self.root / name).mkdir(parents=True)
        text = (
            block(caption)
            .replace("/autograder/", f"{self.root}/")
            .replace('"/autograder"', f'"{self.root}"')
        )
        self.script = self.root / "run_autograder"
        # The engine lies elsewhere: /opt/autograder/bin.
        self.script.write_text(text.replace(f"/opt{self.root}/", f"{root}/opt/"))
        self.engine = root / "opt" / "bin" / "autograder"
        self.engine.parent.mkdir(parents=True)

    def run(self) -> subprocess.CompletedProcess:
        first = self.script.read_text().partition("\n")[0]
        program = "bash" if first.endswith("bash") else sys.executable
        return subprocess.run([program, str(self.script)], text=True, capture_output=True)

    def results(self) -> dict | None:
        path = self.root / "results" / "results.json"
        return json.loads(path.read_text()) if path.exists() else None


ENGINE = """\
#!/usr/bin/env bash
echo "$PWD|$*" > {log}
while [ "$1" != --output ]; do shift; done
echo '{{"score": 1}}' > "$2"
exit {code}
"""


@pytest.mark.parametrize("code", [0, 1, 2])
def test_gradescope_gets_results_or_an_error(tmp_path, code):
    box = Container(tmp_path, "gradescope/run_autograder")
    box.engine.write_text(ENGINE.format(log=tmp_path / "log", code=code))
    box.engine.chmod(0o755)
    notebook = box.root / "submission" / "my gru.ipynb"
    notebook.write_text("{}")
    (box.root / "submission" / ".ipynb_checkpoints").mkdir()
    (box.root / "submission" / ".ipynb_checkpoints" / "gru.ipynb").write_text("{}")
    done = box.run()
    where, words = (tmp_path / "log").read_text().strip().split("|")
    assert where == str(box.root / "source" / "course")
    assert words.startswith(f"grade-one {notebook} --assignment gru")
    assert (done.returncode, box.results()) == ((2, None) if code == 2 else (0, {"score": 1}))


@pytest.mark.parametrize("number", [0, 2])
def test_gradescope_students_are_told_what_to_hand_in(tmp_path, number):
    box = Container(tmp_path, "gradescope/run_autograder")
    for n in range(number):
        (box.root / "submission" / f"{n}.ipynb").write_text("{}")
    assert box.run().returncode == 0
    require_gradescopes_format(box.results())
    assert box.results()["output"].endswith(f"Here are {number}.")


@pytest.mark.parametrize("email", ["ADA@example.org", "nobody@example.org"])
def test_results_from_home_are_handed_out(lessons, tmp_path, email):
    box = Container(tmp_path, "hand-out/run_autograder")
    exports.export(lessons.root, "gru", "gradescope", output=box.root / "source")
    users = [{"id": 1, "name": "Ada", "email": email}]
    (box.root / "submission_metadata.json").write_text(json.dumps({"users": users}))
    done = box.run()
    assert done.returncode == 0, done.stderr
    require_gradescopes_format({"score": 0} | box.results())
    if email.startswith("ADA"):
        assert box.results()["score"] == lessons.marks()["ada"].points
    else:
        assert box.results()["tests"][0]["status"] == "failed"
