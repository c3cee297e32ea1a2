"""A class with every accident: who is graded, what is said, and what is never lost."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from engine_scene import (
    Class,
    Command,
    Here,
    added,
    data,
    full,
    kinds,
    place,
    points,
    run,
    says,
    solved,
    untouched,
    without_times,
    written,
)
from run_scene import grade, locked

from autograder.cli import main
from autograder.grading.run import ClassRun, settings_for
from autograder.grading.workers import close_engine
from autograder.material import collect
from autograder.material.collect import submissions
from autograder.material.config import CourseError
from autograder.outlets.gradebook import Writer, gradebook_url

FULL = sum(full("lstm").values())


@pytest.fixture(scope="module", autouse=True)
def end_the_engine_of_this_process():
    yield
    close_engine()


# What is handed in


def crowd(course: Class) -> dict[str, tuple[float, str, str]]:
    """Hand in every kind of file. Returns points, the kind of remark and what has to be said."""
    expected = {}

    def add(student, content, points, kind="", words="", name=""):
        expected[student] = points, kind, words
        return course.hand_in(student, content, name)

    files(add)
    names(add)
    links_and_pipes(course, add)
    student = course.root / "submitted" / "19 linked folder"
    student.mkdir()
    (student / "lstm").symlink_to(course.root / "submitted/01 right/lstm")
    expected["19 linked folder"] = 0, "missing", "a link to another one, which is not followed"
    contents(add)
    return expected


def files(add) -> None:
    """What is no notebook, or hardly one."""
    right = data(solved())
    add("01 right", right, FULL)
    add("02 cut off", right[: len(right) // 2], 0, "unreadable", "no complete JSON")
    add("03 no JSON", b"see attachment", 0, "unreadable", "no complete JSON")
    add("04 empty file", b"", 0, "unreadable", "It is empty")
    add("05 version 99", data(solved() | {"nbformat": 99}), FULL)
    add(
        "06 not UTF-8",
        right.replace(b"You write", b"You wr\xefte"),
        FULL,
        "repaired",
        "saved in Windows-1252 instead of UTF-8",
    )
    add("07 nothing", None, 0, "missing", "no notebook in the folder")
    add("08 other files", b"%PDF", 0, "unreadable", "no notebook in the folder, but", "lstm.pdf")
    kernel = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    add("09 another kernel", data(solved() | {"metadata": kernel}), FULL)


def names(add) -> None:
    """Notebooks of other names, several of them, and modules beside them."""
    right = data(solved())
    add(
        "10 renamed",
        right,
        FULL,
        "repaired",
        "'lstm (1).ipynb' is graded as lstm.ipynb",
        "lstm (1).ipynb",
    )
    folder = add(
        "11 ten notebooks", right, FULL, "repaired", "There were 10 notebooks; lstm.ipynb is graded"
    )
    for number in range(9):
        (folder / f"copy {number}.ipynb").write_bytes(data(untouched()))
        os.utime(folder / f"copy {number}.ipynb", (2e9, 2e9))
    folder = add(
        "12 two others", data(untouched()), FULL, "repaired", "new.ipynb is graded", "old.ipynb"
    )
    os.utime(folder / "old.ipynb", (1e9, 1e9))
    (folder / "new.ipynb").write_bytes(right)
    folder = add("13 modules beside", right, FULL)
    for module in (
        "numpy",
        "torch",
        "autograder",
        "sitecustomize",
        "IPython",
        "json",
        "usercustomize",
    ):
        (folder / f"{module}.py").write_text("raise SystemExit('this is not the real one')\n")
    (folder / "numpy").mkdir()
    (folder / "numpy" / "__init__.py").write_text("1/0")


def links_and_pipes(course: Class, add) -> None:
    """Files that are none, and times that no calendar has."""
    right = data(solved())
    folder = add("14 link", None, 0, "missing", "a link to another file, which is not followed")
    (folder / "lstm.ipynb").symlink_to(course.root / "submitted/01 right/lstm/lstm.ipynb")
    folder = add("15 links beside", right, FULL)
    (folder / "solution.ipynb").symlink_to(course.root / "solutions/lstm.py")
    (folder / "timestamp.txt").symlink_to("/dev/zero")
    (folder / "submission_secret.txt").symlink_to(course.root / "planted.txt")
    (folder / "folder").symlink_to("/etc")
    folder = add("16 dead link", None, 0, "missing", "a link to another file")
    (folder / "lstm.ipynb").symlink_to("nowhere")
    folder = add("17 a folder instead", None, 0, "missing", "no notebook in the folder")
    (folder / "lstm.ipynb").mkdir()
    folder = add("18 a pipe instead", None, 0, "missing", "no notebook in the folder")
    os.mkfifo(folder / "lstm.ipynb")
    folder = add("20 wild times", right, FULL)
    (folder / "timestamp.txt").write_text("9" * 400)
    os.utime(folder / "lstm.ipynb", (2**40, 2**40))
    folder = add("21 pipes beside", right, FULL)
    os.mkfifo(folder / "timestamp.txt")


def contents(add) -> None:
    """Notebooks with too much in them, and names that are odd."""
    paper = solved()
    paper["cells"][place(paper, "sigmoid")]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "x" * (50 << 20)}
    ]
    add("22 much output", data(paper), FULL)
    paper = added(solved(), "")
    paper["cells"][-1]["source"] = "x = 1\n" * 5_000_000
    add("23 many lines", data(paper), FULL, "flood", "was not run")
    folder = add("24 too large", None, 0, "unreadable", "more than 100 megabytes")
    with (folder / "lstm.ipynb").open("wb") as file:
        file.truncate(3 << 30)
    add(
        "25 surrogates",
        data(added(solved(), "open(b'/etc/\\xff')", "'\\ud800'")),
        FULL,
        "tamper",
        "open /etc/",
    )
    add("26 an emoji 🎉\tname", data(solved()), FULL)
    add("27 untouched", data(untouched()), 0)


@pytest.fixture(scope="module")
def crowded(template, tmp_path_factory):
    """The class after its first run: course, expectations, summary, what was said."""
    root = tmp_path_factory.mktemp("crowd") / "course"
    shutil.copytree(template.root, root)
    course = Class(root)
    expected = crowd(course)
    summary, said = grade(course)
    return course, expected, summary, said


def test_everybody_is_graded_and_the_grade_says_what_was_wrong(crowded):
    course, expected, summary, _ = crowded
    unread = {student for student, (_, kind, _) in expected.items() if kind == "unreadable"}
    assert {problem.student for problem in summary.problems} == unread and summary.exit_code == 1
    assert sorted(summary.graded) == sorted(expected)
    found = course.grades()
    for student, (worth, kind, words) in expected.items():
        graded = found[student]
        assert graded.points == worth, (student, says(graded))
        assert kinds(graded) - {"repaired"} == {kind} - {"", "repaired"}, (student, graded.remarks)
        assert words in says(graded), student
        if kind == "repaired":
            assert kinds(graded) == {kind}
    course.agree()


def test_who_reads_the_graded_notebook_is_told_too(crowded):
    course, *_ = crowded
    for student, words in {
        "02 cut off": "could not be read as a notebook",
        "07 nothing": "There was no notebook in the folder",
        "14 link": "a link to another file",
        "24 too large": "more than 100 megabytes",
    }.items():
        assert words in (course.folder(student) / "lstm.ipynb").read_text(encoding="utf-8")


def test_what_deserves_a_look_is_said_while_grading_and_in_the_summary(crowded):
    _, expected, summary, said = crowded
    looked = {student for student, (_, kind, _) in expected.items() if kind not in ("", "repaired")}
    unread = {student for student, (_, kind, _) in expected.items() if kind == "unreadable"}
    assert set(summary.look) == looked - unread
    assert {line.partition(":")[0] for line in said} == looked


def test_nothing_that_came_along_goes_further_and_no_link_is_followed(crowded):
    course, *_ = crowded
    assert not (course.root / "planted.txt").exists()
    kept = {path.name for path in course.folder("13 modules beside").iterdir()}
    assert kept == {"lstm.ipynb", "grade.json"}
    folder = course.root / "submitted" / "15 links beside" / "lstm"
    for name in ("timestamp.txt", "submission_secret.txt"):  # for nbgrader release_feedback
        assert (folder / name).is_file() and not (folder / name).is_symlink()
    assert (folder / "solution.ipynb").is_symlink()


def test_who_is_missing_waits_for_nobody_and_what_is_unread_for_a_person(crowded):
    from nbgrader.api import Gradebook

    course, *_ = crowded
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        submission = gradebook.find_submission("lstm", "07 nothing")
        assert submission.score == 0 and not submission.needs_manual_grade
        unread = gradebook.find_submission("lstm", "03 no JSON")  # waits, without points
        scores = [grade.auto_score for paper in unread.notebooks for grade in paper.grades]
        assert unread.needs_manual_grade and set(scores) == {None}
        when = gradebook.find_submission("lstm", "20 wild times").timestamp
        assert isinstance(when, datetime)


def test_a_second_run_has_nothing_to_do(crowded):
    course, expected, *_ = crowded
    before = {student: without_times(graded) for student, graded in course.grades().items()}
    stamps = {path: path.stat().st_mtime_ns for path in course.root.glob("autograded/*/*/*")}
    summary, said = grade(course)
    assert summary.graded == [] and sorted(summary.unchanged) == sorted(expected)
    assert said == []
    assert {s: without_times(g) for s, g in course.grades().items()} == before
    assert {p: p.stat().st_mtime_ns for p in course.root.glob("autograded/*/*/*")} == stamps
    graded = {student: graded for student, graded in course.grades().items() if not graded.no_grade}
    assert summary.scores == {student: grade.points for student, grade in graded.items()}
    course.agree()


# What is graded again


def test_only_what_has_changed_is_graded_again(course):
    for name in ("ada", "ben", "cleo", "dev"):
        course.hand_in(name, solved())
    first, _ = grade(course)
    assert sorted(first.graded) == ["ada", "ben", "cleo", "dev"]
    course.hand_in("ben", written(solved(), sigmoid="def sigmoid(a):\n    return a"))
    (course.folder("cleo") / "grade.json").write_text('{"half": ')
    (course.folder("dev") / ".grade.json.123").write_text("from a run that was killed")
    os.utime(course.root / "submitted/ada/lstm/lstm.ipynb")
    course.hand_in("eli", None)
    second, _ = grade(course)
    assert sorted(second.graded) == ["ben", "cleo", "eli"] and second.unchanged == ["ada", "dev"]
    assert course.grade("ben").points < FULL == course.grade("cleo").points
    course.hand_in("eli", solved())
    third, _ = grade(course)
    assert third.graded == ["eli"] and course.grade("eli").points == FULL
    (course.root / "secret_seed.txt").write_text("7\n")
    fourth, _ = grade(course)
    assert len(fourth.graded) == 5 and not fourth.unchanged
    (course.folder("dev") / ".grade.json.123").unlink(missing_ok=True)
    assert len(grade(course)[0].unchanged) == 5
    assert len(grade(course, force=True)[0].graded) == 5
    course.agree()


def test_another_limit_of_time_is_another_grade(course):
    course.hand_in("ada", solved())
    assert grade(course, cell_seconds=30)[0].graded == ["ada"]
    assert grade(course, cell_seconds=30)[0].unchanged == ["ada"]
    code, out, err = run(course, "grade", "lstm", "--json", "--cell-seconds", "40")
    assert code == 0 and json.loads(out)["graded"] == ["ada"], err
    code, out, err = run(course, "grade", "lstm", "--json", "--cell-seconds", "40")
    assert code == 0 and json.loads(out)["unchanged"] == ["ada"], err


def test_a_gradebook_that_missed_a_run_catches_up(course):
    course.hand_in("ada", solved())
    grade(course, gradebook=False)
    assert course.in_gradebook() == {}
    summary, _ = grade(course)
    assert summary.graded == [] and summary.unchanged == ["ada"]
    assert course.in_gradebook() == {"ada": FULL}


def test_a_folder_whose_name_is_no_text_is_named_and_the_others_are_graded(course):
    course.hand_in("ada", solved())
    odd = os.fsencode(course.root / "submitted") + b"/m\xfcller"
    os.makedirs(odd + b"/lstm")
    Path(os.fsdecode(odd), "lstm", "lstm.ipynb").write_bytes(data(solved()))
    summary, said = grade(course)
    assert summary.graded == ["ada"] and summary.exit_code == 1
    assert "The name of the folder is no text in UTF-8" in said[0]
    code, out, err = run(course, "grade", "lstm", "--json", "--no-gradebook")
    assert code == 1, err
    assert "UTF-8" in json.loads(out)["problems"][0]["says"]


def test_nothing_handed_in_and_unknown_names_are_said(course):
    with pytest.raises(CourseError, match="nothing to grade: no folder submitted/STUDENT/lstm"):
        submissions(course.root, "lstm")
    with pytest.raises(CourseError, match="no solutions/nothing.py .assignments here: lstm"):
        settings_for(course.root, "nothing")
    course.hand_in("ada", solved())
    with pytest.raises(CourseError, match="Nothing was handed in by bob"):
        collect.only(submissions(course.root, "lstm"), ["bob", "ada"])
    (course.root / "secret_seed.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(CourseError, match="secret_seed.txt is no text"):
        settings_for(course.root, "lstm")


# Where the grades cannot go


def test_a_locked_gradebook_is_waited_for(course):
    course.hand_in("ada", solved())
    said = []
    with locked(course) as release_it:

        def say(sentence):
            said.append(sentence)
            release_it()

        summary, _ = grade(course, say=say)
    assert "Another program is writing to the gradebook" in said[0]
    assert summary.exit_code == 0
    course.agree()


def test_a_gradebook_that_stays_locked_costs_no_grade(course):
    course.hand_in("ada", solved())
    course.hand_in("ben", None)
    with locked(course):
        code, out, err = run(
            course, "grade", "lstm", "--json", "--gradebook-wait", "0.2", "--cell-seconds", "10"
        )
    assert code == 1, err
    summary = json.loads(out)
    assert sorted(summary["graded"]) == ["ada", "ben"] and summary["scores"] == {
        "ada": FULL,
        "ben": 0,
    }
    assert "stayed locked" in summary["gradebook"] and "run again" in summary["gradebook"]
    assert course.grade("ada").points == FULL and course.in_gradebook() == {}
    summary, _ = grade(course)
    assert summary.unchanged == ["ada", "ben"]
    course.agree()


def test_a_gradebook_that_gets_locked_while_grading_costs_no_grade(course):
    course.hand_in("ada", solved())
    settings = settings_for(course.root, "lstm", cell_seconds=10)
    said = []
    with Writer(gradebook_url(course.root), "lstm", wait=0.2, say=said.append) as writer:
        with locked(course):
            summary = ClassRun(course.root, settings, say=said.append, writer=writer).perform(
                submissions(course.root, "lstm"), Here()
            )
    assert summary.exit_code == 1 and "stayed locked" in summary.gradebook
    assert course.grade("ada").points == FULL


def test_without_a_gradebook_the_grades_are_files(course):
    course.hand_in("ada", solved())
    (course.root / "gradebook.db").unlink()
    code, out, err = run(course, "grade", "lstm")
    assert code == 1
    assert "nbgrader generate_assignment" in err and "Grading goes on" in err
    assert course.grade("ada").points == FULL
    assert not (course.root / "gradebook.db").exists()
    code, out, err = run(course, "grade", "lstm", "--no-gradebook")
    assert code == 0 and "1 unchanged" in out


def test_an_assignment_that_is_not_registered_is_graded_and_said(course):
    from nbgrader.api import Gradebook

    course.hand_in("ada", solved())
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        gradebook.remove_assignment("lstm")
    code, out, err = run(course, "grade", "lstm", "--json")
    assert code == 1
    assert "nbgrader generate_assignment lstm" in json.loads(out)["gradebook"]
    assert course.grade("ada").points == FULL


def test_a_gradebook_of_another_release_is_said(course):
    course.hand_in("ada", solved())
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as connection:
        connection.execute("UPDATE base_cell SET name = 'check-tanh' WHERE name = 'check-sigmoid'")
        connection.commit()
    summary, _ = grade(course)
    assert summary.graded == ["ada"] and summary.exit_code == 1
    assert "has changed since it was registered" in summary.gradebook


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_a_full_disk_costs_no_grade_that_was_there(course):
    for name in ("ada", "ben", "cleo"):
        course.hand_in(name, solved())
    folder = course.root / "autograded"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=True)
    try:
        summary, _ = grade(course)
        assert summary.exit_code == 0
        (folder / "filler").write_bytes(b"")
        with (folder / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        course.hand_in("ben", written(solved(), sigmoid="def sigmoid(a):\n    return a"))
        before = course.grades()
        summary, said = grade(course)
        assert summary.exit_code == 1 and summary.unchanged == ["ada", "cleo"]
        assert [problem.student for problem in summary.problems] == ["ben"]
        assert "ben: not graded. The grade could not be written: No space left on device." in said
        assert course.grades() == before
        assert {path.name for path in course.folder("ben").iterdir()} <= {
            "lstm.ipynb",
            "grade.json",
            "timestamp.txt",
            "submission_secret.txt",
        }
        (folder / "filler").unlink()
        summary, _ = grade(course)
        assert summary.graded == ["ben"] and summary.exit_code == 0
        course.agree()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def read_only(course: Class) -> tuple[str, ...]:
    """What to put before a command so that the course's folder is read-only for it."""
    if os.geteuid() == 0:
        script = (
            f"mount --bind {course.root} {course.root} && mount -o remount,bind,ro {course.root}"
        )
        return ("unshare", "-m", "sh", "-c", f'{script} && cd {course.root} && exec "$@"', "sh")
    for path in (course.root, *course.root.rglob("*")):
        if path.is_dir():
            path.chmod(0o555)
    return ()


def test_a_read_only_course_is_refused_before_anything_is_graded(course):
    course.hand_in("ada", solved())
    prefix = read_only(course)
    try:
        code, out, err = run(course, "grade", "lstm", prefix=prefix)
    finally:
        for path in (course.root, *course.root.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
    assert code == 2 and out == ""
    assert "Nothing can be written in" in err and "nothing was graded" in err
    assert "Traceback" not in err
    assert course.grades() == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="a bind mount takes root")
def test_read_only_submissions_are_graded_and_the_receipt_is_missed(course):
    course.hand_in("ada", solved())
    course.hand_in("ben", solved())
    folder = course.root / "submitted"
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        summary, said = grade(course)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert sorted(summary.graded) == ["ada", "ben"] and summary.exit_code == 0
    assert len(said) == 1 and "release_feedback will miss submission_secret.txt" in said[0]
    course.agree()


# What the commands print


def test_the_summary_is_a_table_for_people_and_json_for_programs(course):
    course.hand_in("ada", solved())
    course.hand_in("ben", written(solved(), input_gate="def input_gate(x, h_prev, params):\n    1"))
    course.hand_in("cleo", None)
    code, out, err = run(course, "grade", "lstm", "--workers", "1")
    assert code == 0, err
    assert "3 graded, 0 unchanged, 1 to look at" in out
    assert "input_gate" in out and "median" in out
    assert "cleo: There was no notebook in the folder." in err
    code, out, err = run(course, "grade", "lstm", "--json", "--student", "ada", "--force")
    summary = json.loads(out)
    assert code == 0 and summary["graded"] == ["ada"] and summary["scores"] == {"ada": FULL}
    assert summary["max_points"] == FULL and summary["gradebook"] == "up to date"
    code, out, err = here("--course", str(course.root), "grade", "nothing")
    assert code == 2 and "no solutions/nothing.py" in err


def test_a_machine_that_cannot_confine_is_refused_by_name_and_accepted_by_flag(course):
    course.hand_in("ada", solved())
    # Without user namespaces for it, and with a libseccomp that cannot be loaded.
    environment_without = Path(course.root.parent / "no" / "pyseccomp.py")
    environment_without.parent.mkdir()
    environment_without.write_text("raise ImportError('not installed here')\n")
    prefix = ("env", f"PYTHONPATH={environment_without.parent}")
    code, out, err = run(course, "grade", "lstm", prefix=prefix)
    assert code == 2 and out == "", err
    assert "Missing:\n  seccomp: submissions can make every system call" in err
    assert "--accept-less-confinement" in err
    assert course.grades() == {}
    code, out, err = run(course, "grade", "lstm", "--accept-less-confinement", prefix=prefix)
    assert code == 0, err
    assert "missing here: seccomp" in err
    assert course.grade("ada").points == FULL
    assert course.grade("ada").confinement == ("namespaces", "landlock", "limits")
    notebook = str(course.root / "submitted/ada/lstm/lstm.ipynb")
    assert run(course, "grade-one", notebook, prefix=prefix)[0] == 2
    assert run(course, "check", notebook, prefix=prefix)[0] == 0


def test_check_prints_the_verdicts_and_exits_truly(course):
    folder = course.hand_in("ada", solved())
    code, out, err = run(course, "check", str(folder / "lstm.ipynb"))
    assert (code, err) == (0, "")
    assert "sigmoid: right, 3 of 3 points" in out
    assert out.endswith(f"{FULL:g} of {FULL:g} points that checks give\n")


def here(*arguments: str) -> tuple[int, str, str]:
    """``autograder`` in this process: exit code, standard output, standard error."""
    done = CliRunner().invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_check_says_what_is_wrong_with_the_file(course):
    folder = course.hand_in(
        "ada", written(solved(), input_gate="def input_gate(*_):\n    return 1")
    )
    base = ("--course", str(course.root), "check", str(folder / "lstm.ipynb"))
    code, out, err = here(*base)
    assert code == 1 and "input_gate: not right yet" in out
    for content, words in (
        (b"{", "no complete JSON"),
        (b'{"nbformat":4,"cells":[]}', "--assignment"),
    ):
        course.hand_in("ada", content)
        code, out, err = here(*base)
        assert (code, out) == (2, "") and words in err


def test_grade_one_needs_no_course_and_exits_truly(course, tmp_path):
    notebook = tmp_path / "elsewhere" / "lstm.ipynb"
    notebook.parent.mkdir()
    notebook.write_bytes(data(solved()))
    outside = Class(notebook.parent)
    code, out, err = run(outside, "grade-one", str(notebook))
    assert code == 0, err
    assert json.loads(out)["score"] == FULL
    notebook.write_bytes(data(added(written(solved(), sigmoid="1/0"), "import os\nos._exit(3)")))
    arguments = ("--format", "gradescope", "--output", "results/results.json")
    code, out, err = run(outside, "grade-one", str(notebook), *arguments)
    assert code == 1 and "sigmoid: 0 of 3" in out and "ended its process (exit code 3)" in out
    assert json.loads((notebook.parent / "results/results.json").read_text())["tests"]
    code, out, err = here("grade-one", str(notebook), "--assignment", "nothing")
    assert code == 2 and "no assignment 'nothing'" in err
    code, out, err = here("grade-one", str(notebook), "--output", "/proc/results.json")
    assert code == 2 and "could not be written" in err


def test_a_run_gives_back_what_it_took(course):
    """Mounts, folders in /tmp and processes are as they were."""
    course.hand_in("ada", solved())
    before = set(Path("/tmp").glob("player-*"))
    with Command(course, "grade", "lstm") as command:
        code, _, err = command.finish()
        assert command.leftovers() == {}
    assert code == 0, err
    assert set(Path("/tmp").glob("player-*")) <= before
    assert points(course.grade("ada")) == full("lstm")
