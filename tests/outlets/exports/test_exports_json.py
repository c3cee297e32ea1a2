"""Results for Gradescope, GitHub Classroom and other tools."""

import json
import re
from dataclasses import replace

import pytest
from exports_scene import (
    WRITTEN,
    awkward_class,
    require_gradescopes_format,
    texts,
    wrong,
)
from hypothesis import given, settings

from autograder.course.exercises import ASSIGNMENTS
from autograder.material.config import CourseError
from autograder.material.remarks import Remark
from autograder.outlets import exports

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")


def test_one_graded_notebook_for_gradescope(graded):
    results = exports.results_of(graded, {WRITTEN: 4.0})
    require_gradescopes_format(results)
    assert results["score"] == graded.points
    assert [test["name"] for test in results["tests"]] == [e.name for e in ASSIGNMENTS["gru"]]
    assert sum(test["max_score"] for test in results["tests"]) == graded.max_points
    failed = [t["name"] for t in results["tests"] if t["score"] < t["max_score"]]
    assert failed == wrong(graded)
    by_name = {test["name"]: test["output"] for test in results["tests"]}
    assert "z and 1 - z swapped" in by_name["gru_step"]
    assert results["output"] == (
        "Cell 3 did not end.\nGraded by a person, points not counted here: why-not-torch (4)."
    )
    assert "person" not in exports.results_of(graded)["output"]
    found = exports.results_of(replace(graded, written=((WRITTEN, True),)))
    assert found["output"].endswith(f"points not counted here: {WRITTEN}.")


@given(texts, texts)
@settings(max_examples=50, deadline=None)
def test_whatever_a_student_wrote_gradescope_can_read_it(graded, says, detail):
    verdict = next(v for v in graded.verdicts if v.failure)
    hostile = replace(verdict, failure=replace(verdict.failure, headline=says, lines=(detail,)))
    other = replace(graded, verdicts=(hostile,), remarks=(Remark("tamper", says + "\ud800"),))
    require_gradescopes_format(exports.results_of(other))
    json.dumps(exports.verdicts_of(other)).encode()


def test_a_folder_for_gradescope(tmp_path, gradebook, graded):
    room = awkward_class(tmp_path / "course", gradebook, graded)
    room.add("gus/../x", {}, written=0.0, email="gus@example.org")
    room.add("hal", {}, written=0.0, email="hal@example.org")
    room.add("ivo", {}, written=0.0, email="Hal@example.org")
    folder, written, said = exports.export(room.root, "gru", "gradescope")
    assert folder == room.root / "exports" / "gru-gradescope"
    found = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/*.json")}
    assert set(found) == {"ada", "ben", "cleo", "-dev", "hal", "ivo"} and written == 6
    for student, results in found.items():
        require_gradescopes_format(results)
        assert results["score"] == room.marks()[student].points
    assert found["ada"]["tests"][-1]["name"] == WRITTEN
    assert "Handed in late: 9 points less." in found["cleo"]["output"]
    emails = json.loads((folder / "emails.json").read_text())
    assert emails == {"ada@example.org": "ada", "cleo@example.org": "cleo"}
    assert "'gus/../x': not exported, no folder can have this name." in said
    assert "hal: Gradescope cannot know whose this is, more than one student has the email" in (
        "\n".join(said)
    )


def test_answers_that_wait_are_no_failed_tests(tiny):
    tiny.add("ben", {"update_gate": 2.0})
    folder, _, _ = exports.export(tiny.root, "gru", "gradescope", partial=True)
    results = json.loads((folder / "ben" / "results.json").read_text())
    require_gradescopes_format(results)
    assert WRITTEN not in {test["name"] for test in results["tests"]}
    assert f"{WRITTEN} waits for a person" in results["output"]


def test_an_export_of_nobody_and_an_unwritable_folder_are_explained(tiny, tmp_path):
    tiny.add("eli", "nothing")
    with pytest.raises(CourseError, match="Nobody .* has a grade for gru yet. eli: nothing"):
        exports.export(tiny.root, "gru", "canvas")
    tiny.add("ada", {}, written=0.0)
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="could not be written"):
        exports.export(tiny.root, "gru", "canvas", output=tmp_path / "file" / "out.csv")
    with pytest.raises(CourseError, match="could not be read"):
        exports.export(tiny.root, "gru", "canvas", roster=tmp_path / "missing.csv")


def test_verdicts_for_other_tools(graded):
    found = exports.verdicts_of(graded, {WRITTEN: 4.0})
    assert found == json.loads(json.dumps(found, allow_nan=False))
    assert found["schema_version"] == exports.SCHEMA_VERSION == 1
    assert set(found) == documented("top") and set(found["tests"][0]) == documented("tests")
    assert found["status"] == "fail" and found["needs_look"]
    by_name = {test["name"]: test for test in found["tests"]}
    assert [name for name, test in by_name.items() if test["status"] == "fail"] == wrong(graded)
    assert by_name["gru_step"]["mistake"] == "z and 1 - z swapped"
    assert by_name["candidate_state"]["kind"] == "exception"
    assert by_name["update_gate"]["kind"] is None
    assert found["by_person"] == [{"name": WRITTEN, "max_score": 4.0}]
    unknown = exports.verdicts_of(replace(graded, written=((WRITTEN, False),)))
    assert unknown["by_person"] == [{"name": WRITTEN, "max_score": None}]
    perfect = replace(graded, verdicts=tuple(v for v in graded.verdicts if v.passed))
    assert exports.verdicts_of(perfect)["status"] == "pass"


def documented(where: str) -> set[str]:
    """The keys that the docstring of ``verdicts_of`` names: of all, or of one test."""
    text = exports.verdicts_of.__doc__
    if where == "top":
        return set(re.findall(r"^    (\w+)  ", text, re.M)) | {"confinement"}
    line = re.search(r"^    tests .*\n((?:      .*\n)+)", text, re.M)[1]
    names = re.findall(r"^      ((?:\w+, )*\w+)(?:  |$)", line, re.M)
    return {name for group in names for name in group.split(", ")}


def test_githubs_reporter_finds_what_it_reads(graded):
    """``src/main.js``, ``console-results.js`` and ``notify-classroom.js`` of the reporter."""
    found = exports.verdicts_of(graded)
    assert found["status"] in ("pass", "fail", "error") and found["max_score"] > 0
    assert sum(test["score"] for test in found["tests"]) == pytest.approx(found["score"])
    for test in found["tests"]:
        assert test["name"] and test["status"] in ("pass", "fail", "error")
        assert test["line_no"] == 0 and not test.get("test_code")
