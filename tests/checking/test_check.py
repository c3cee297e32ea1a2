"""``check`` as a student and as nbgrader call it, and what the verdict says."""

import html
import json
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import unwatched
from right_answers.gru import RIGHT

import autograder
from autograder import check, grade
from autograder.checking import answers, courses
from autograder.checking.verdict import Verdict
from autograder.course.exercises import ASSIGNMENTS
from autograder.course.gated_memory import COURSE


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def join(left, right):
    return np.concatenate([left, right], axis=-1)


def affine(h, x, params, gate):
    return join(h, x) @ params[f"W_{gate}"].T + params[f"b_{gate}"]


def update_gate(x, h_prev, params):
    return sigmoid(affine(h_prev, x, params, "z"))


def swapped(x, h_prev, params):
    return 1 - update_gate(x, h_prev, params)


def python(code, **environment):
    """Run code in a fresh interpreter; its standard output."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PATH": "", "PYTHONUTF8": "1"} | environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_one_line_is_enough():
    verdict = check(update_gate)
    assert isinstance(verdict, Verdict) and verdict.passed
    assert verdict.largest_error < verdict.tolerance
    text = str(verdict)
    assert "right, 2 of 2 points" in text and "torch 2." in text and "tolerance" in text


def test_a_known_mistake_is_named_with_equation_hint_and_section():
    text = str(grade(swapped, "update_gate"))
    for part in (
        "0 of 2 points",
        "z differs from the reference",
        "Mistake: z and 1 - z swapped",
        "on every input tried",
        "z = σ([h_prev, x] W_zᵀ + b_z)",
        "“Two conventions for z” in the chapter “Two gates, one state”",
    ):
        assert part in text, text


def test_under_nbgrader_it_prints_the_diagnosis_and_returns_plain_points(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    points = check(swapped, "update_gate")
    assert type(points) is float and repr(points) == "0.0"
    assert type(check(update_gate)) is float
    printed = capsys.readouterr()
    assert "z and 1 - z swapped" in printed.out
    assert printed.err == ""


def test_a_function_that_calls_an_unwritten_one_is_told_which():
    def reset_gate(x, h_prev, params):
        raise NotImplementedError

    def gru_step(x, h_prev, params):
        return reset_gate(x, h_prev, params)

    verdict = grade(gru_step)
    assert verdict.failure.kind == "unfinished"
    assert "It calls reset_gate, which is not written yet." in str(verdict)
    assert "reset_gate" in verdict._repr_html_()


def test_points_are_the_share_of_probes_that_hold():
    def without_bias(x, h_prev, params):
        return sigmoid(join(h_prev, x) @ params["W_z"].T)

    verdict = grade(without_bias, "update_gate")
    held = sum(probe.passed for probe in verdict.probes)
    assert 0 < held < len(verdict.probes)
    assert verdict.points == round(2 * held / len(verdict.probes), 2)
    assert f"{held} of {len(verdict.probes)} kinds of input right" in str(verdict)


MISUSED = {
    "a call in place of the function": (np.ones(3), "check(the_function), without calling it"),
    "its name": ("update_gate", "check(update_gate), without quotes"),
    "another name": (
        lambda x, h_prev, params: x,
        'say which one it answers: check(<lambda>, "its name")',
    ),
}


@pytest.mark.parametrize("what", MISUSED)
def test_a_misuse_is_answered_in_one_line(what, monkeypatch, capsys):
    given, says = MISUSED[what]
    answer = check(given)
    assert says in repr(answer) and "\n" not in repr(answer)
    assert says.split(",")[0].partition('"')[0] in html.unescape(answer._repr_html_())
    assert answer.passed is False and answer.points == 0
    with pytest.raises((TypeError, LookupError)):
        grade(given)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert check(given) == 0.0 and says in capsys.readouterr().out


@pytest.mark.parametrize("exercise", COURSE.records.values(), ids=lambda e: e.name)
def test_a_verdict_as_text_has_at_most_fifteen_lines_and_says_nothing_twice(exercise):
    for mistake in exercise.mistakes:
        lines = str(unwatched.grade(mistake.wrong, exercise.name)).splitlines()
        assert len(lines) <= 15 and max(map(len, lines)) < 200
        assert len(set(lines)) == len(lines), lines


def test_a_verdict_is_data():
    for verdict in (grade(update_gate), grade(swapped, "update_gate")):
        stored = json.loads(json.dumps(verdict.to_dict()))
        assert stored["exercise"] == "update_gate"
        assert stored["points"] == verdict.points


class _Balanced(HTMLParser):
    VOID = {"br", "img", "meta", "path", "line", "circle", "rect", "input", "use", "polyline"}

    def __init__(self):
        super().__init__()
        self.open, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    "exercise", [e for g in ASSIGNMENTS.values() for e in g], ids=lambda e: e.name
)
def test_every_verdict_renders_as_sound_html(exercise):
    for mistake in exercise.mistakes[:4]:
        parser = _Balanced()
        parser.feed(unwatched.grade(mistake.wrong, exercise.name)._repr_html_())
        assert not parser.open
        assert "Compare with" in parser.text and exercise.name in parser.text


def test_student_text_is_escaped():
    def update_gate(x, h_prev, params):
        raise ValueError("<script>alert(1)</script>")

    card = grade(update_gate)._repr_html_()
    assert "<script>" not in card and "&lt;script&gt;" in card


def test_the_card_shows_where_to_look():
    card = grade(swapped, "update_gate")._repr_html_()
    assert "where to look" in card and "marked: update gate" in card
    assert "where to look" not in grade(update_gate)._repr_html_()


def test_the_card_leads_to_the_section_where_its_page_is_within_reach(tmp_path, monkeypatch):
    """Beside the notebook, on the published site, or nowhere: then its words stay."""
    verdict, said = grade(swapped, "update_gate"), "“Two conventions for z” in the chapter"
    folder = tmp_path / "notebooks" / "gru"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(courses, "pages", lambda name: "")
    assert said in verdict._repr_html_() and "<a " not in verdict._repr_html_()
    monkeypatch.setattr(courses, "pages", {"gated-memory": "https://there.example/"}.get)
    there = "https://there.example/book/gru/two-gates.html#two-conventions"
    assert f'<a href="{there}">{said}' in verdict._repr_html_()
    page = tmp_path / "book" / "gru" / "two-gates.md"
    page.parent.mkdir(parents=True)
    page.touch()
    assert f'<a href="../../book/gru/two-gates.md#two-conventions">{said}' in verdict._repr_html_()


def test_a_package_says_where_its_courses_pages_are(tmp_path, monkeypatch):
    urls = "Project-URL: Source, https://code.example\nProject-URL: Documentation, https://there.example/one\n"
    for name, told in (("with", urls), ("without", "")):
        folder = tmp_path / f"course_{name}-1.dist-info"
        folder.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: course-{name}\nVersion: 1\n{told}"
        (folder / "METADATA").write_text(metadata, encoding="utf-8")
        text = f"[autograder.courses]\n{name} = nowhere:COURSE\n"
        (folder / "entry_points.txt").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(courses, "installed", courses.installed.__wrapped__)
    assert courses.pages("with") == "https://there.example/one/"
    assert courses.pages("without") == courses.pages("not installed") == ""


def quickest(action) -> float:
    """Seconds of processor time that it takes, the least of five after the first time."""
    seconds = []
    for _ in range(6):
        start = time.process_time()
        action()
        seconds.append(time.process_time() - start)
    return min(seconds[1:])


def a_tenth_of_a_second() -> int:
    """A loop that takes about so long on an idle machine, and as much longer as others on a busy one."""
    return sum(number * number for number in range(1_600_000))


@pytest.mark.parametrize("name", [e.name for e in ASSIGNMENTS["gru"]])
def test_one_check_takes_about_a_tenth_of_a_second_after_the_first(name, one_thread):
    """Right and wrong answers, measured against a loop of Python in the same run.

    The factor leaves room for processors on which such a loop is quick and torch is not.
    """
    for code in (RIGHT[name][0], COURSE.get(name).mistakes[0].wrong):
        assert quickest(lambda code=code: grade(code, name)) < 4 * quickest(a_tenth_of_a_second)


def test_importing_the_package_does_not_import_torch():
    out = python(
        "import sys, autograder, autograder.course.exercises; print('torch' in sys.modules)"
    )
    assert out == "False\n"


WITHOUT_TORCH = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "torch" else find(name, *a)
sys.modules["torch"] = None  # importing it raises ImportError
"""

GRADE = """
import json
from autograder.checking.judge import judge
from autograder.course.gated_memory import COURSE
exercise = COURSE.get("gru_step")
for mistake in exercise.mistakes[:3]:
    verdict = judge(exercise, lambda drawn: exercise.play(mistake.wrong, drawn)).to_dict()
    verdict.pop("reference")
    print(json.dumps(verdict))
"""


LIVE = """
from autograder.checking import answers
answers.source = lambda *asked: answers.Live()
"""


def test_recorded_answers_give_the_same_verdicts_with_torch_and_without():
    live = python(LIVE + GRADE)
    assert python(WITHOUT_TORCH + GRADE) == live
    assert python(GRADE) == live


def test_a_check_of_a_numpy_function_does_not_import_torch():
    """Importing it takes most of the time that the first check in a fresh kernel takes."""
    out = python(
        "import sys\nimport numpy as np\nfrom autograder import check\n"
        "def sigmoid(a):\n    return 1 / (1 + np.exp(-a))\n"
        "print(check(sigmoid))\nprint('torch' in sys.modules)"
    )
    assert "exp overflows" in out
    assert out.rstrip().endswith("False")


def test_what_is_recorded_for_other_probes_or_another_torch_is_computed(monkeypatch):
    exercise = COURSE.get("gru_step")

    def source(seed=answers.PUBLIC_SEED, drawn=answers.PUBLIC_SEED):
        return type(answers.source(exercise, seed, exercise.draw(drawn)))

    assert source() is answers.Recorded
    assert source(drawn=5) is answers.Live
    assert source(seed=5, drawn=5) is answers.Live
    monkeypatch.setattr(answers, "installed_torch", lambda: "2.0.0")
    assert source() is answers.Live


def test_without_torch_a_torch_exercise_says_what_it_needs():
    out = python(
        WITHOUT_TORCH
        + "from autograder import grade\n"
        + "try: grade(object, 'GRULayer')\n"
        + "except Exception as error: print(type(error).__name__, error)"
    )
    assert "install torch" in out


def test_the_shipped_recording_is_what_the_reference_says_today():
    recorded, live = answers.Recorded(COURSE.recording), answers.Live()
    for exercises in ASSIGNMENTS.values():
        for exercise in exercises:
            if exercise.needs_torch:
                continue
            drawn = exercise.draw(answers.PUBLIC_SEED)
            pairs = zip(
                recorded.expected(exercise, drawn), live.expected(exercise, drawn), strict=True
            )
            for stored, computed in pairs:
                assert stored.keys() == computed.keys()
                for name, value in computed.items():
                    assert stored[name].dtype == value.dtype
                    np.testing.assert_allclose(stored[name], value, rtol=1e-12, atol=1e-14)


def test_a_recording_for_another_seed_is_refused(tmp_path):
    path = tmp_path / "other.npz"
    assert answers.record(ASSIGNMENTS["gru"], 5, path) > 40
    exercise = COURSE.get("gru_step")
    answers.Recorded(path).expected(exercise, exercise.draw(5))
    with pytest.raises(answers.RecordingError, match="another seed"):
        answers.Recorded(path).expected(exercise, exercise.draw(6))
    path.write_bytes(b"not a recording")
    with pytest.raises(answers.RecordingError, match="autograder record"):
        answers.Recorded(path)


def test_a_secret_seed_draws_fresh_probes(monkeypatch):
    monkeypatch.setenv(answers.SEED_VARIABLE, "our class of 2027")
    secret = answers.seed()
    assert secret not in (answers.PUBLIC_SEED, 0)
    assert grade(update_gate).passed
    assert grade(swapped, "update_gate").mistake.name == "z and 1 - z swapped"
    monkeypatch.setenv(answers.SEED_VARIABLE, "12")
    assert answers.seed() == 12
    monkeypatch.delenv(answers.SEED_VARIABLE)
    assert answers.seed() == answers.PUBLIC_SEED


def test_the_public_names_are_the_documented_ones():
    assert autograder.__all__ == ["begin", "check", "convert", "grade"]


def test_the_readme_quotes_a_real_verdict():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    quoted = readme.partition("```text\n")[2].partition("\n```")[0]
    assert quoted and quoted in str(grade(swapped, "update_gate"))
