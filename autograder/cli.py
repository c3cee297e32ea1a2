"""The command ``autograder``: for whoever writes, releases and grades the exercises."""

from __future__ import annotations

import json
import secrets
import sys
from contextlib import closing, nullcontext
from pathlib import Path

import click

from autograder.material import config
from autograder.material import notebooks as nb

ACCEPT_LESS = click.option(
    "--accept-less-confinement",
    is_flag=True,
    help="Grade also where this machine cannot confine submissions in full.",
)
CELL_SECONDS = click.option(
    "--cell-seconds",
    type=click.FloatRange(min=1),
    default=30,
    show_default=True,
    help="How long one cell may run.",
)


class _Problem(click.ClickException):
    """A problem the user can fix. Exit code 2 tells it from work that was done and not perfect."""

    exit_code = 2


class _Command(click.Group):
    """Shows a problem the user can fix as one sentence, never as a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except config.CourseError as error:
            raise _Problem(str(error)) from None
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            sys.exit(130)


@click.group(cls=_Command)
@click.option(
    "--course",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The course folder. By default the one that contains the current folder.",
)
@click.pass_context
def main(ctx: click.Context, course: Path | None) -> None:
    """Make the exercises of a course and grade a class."""
    ctx.obj = course


@main.command()
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option("--check", is_flag=True, help="Write nothing; fail when a notebook is not fresh.")
@click.option("--keep", is_flag=True, help="Pass over notebooks that somebody has worked in.")
@click.option("--force", is_flag=True, help="Overwrite notebooks that somebody has worked in.")
@click.pass_obj
def notebooks(
    course: Path | None, assignments: tuple[str, ...], check: bool, keep: bool, force: bool
) -> None:
    """Make notebooks/ from solutions/, all assignments or those named."""
    course = config.find_course(course)
    names = assignments or nb.assignments(course)
    for name in names:
        nb.require_assignment(course, name)
    stale = []
    for number, name in enumerate(names, 1):
        target = nb.release_path(course, name).relative_to(course)
        click.echo(f"[{number}/{len(names)}] solutions/{name}.py -> {target} ", nl=False)
        if check:
            fresh = nb.is_fresh(course, name)
            click.echo(f"fresh: {nb.contents(course, name)}" if fresh else "STALE")
            if not fresh:
                stale.append(name)
        elif not force and nb.is_worked_in(course, name):
            click.echo("kept: somebody has worked in it; --force gives that up")
            if not keep:
                raise click.ClickException(
                    f"{target} is not as it was given out: somebody's work may be in it. "
                    "Copy it elsewhere, or overwrite it with --force."
                )
        else:
            nb.write_source(course, name)
            nb.write_release(course, name)
            click.echo(f"written: {nb.contents(course, name)}")
    if stale:
        raise click.ClickException(
            f"Not what the source gives: {', '.join(stale)}. "
            f"Run: autograder notebooks {' '.join(stale)}"
        )


@main.command("secret-seed")
@click.option("--force", is_flag=True, help="Replace the seed that is there.")
@click.pass_obj
def secret_seed(course: Path | None, force: bool) -> None:
    """Write secret_seed.txt, so that grading draws inputs nobody has seen."""
    path = config.find_course(course) / "secret_seed.txt"
    if path.exists() and not force:
        raise click.ClickException(
            f"{path.name} exists already. A new seed may change partial scores, so keep it for "
            "the whole class; replace it with --force."
        )
    path.write_text(f"{secrets.randbelow(2**63)}\n", encoding="utf-8")
    path.chmod(0o600)
    click.echo(f"Wrote {path.name}. Git ignores it; keep it to yourself.")


@main.command()
@click.argument("assignment")
@click.option("--student", "students", multiple=True, help="Only this one; may be repeated.")
@click.option("--force", is_flag=True, help="Grade again what has not changed.")
@click.option(
    "--workers",
    "number",
    type=click.IntRange(min=1),
    help="Processes that grade side by side. [default: one for each core]",
)
@click.option("--scheduler", metavar="ADDRESS", help="Grade on the Dask cluster at this address.")
@click.option("--no-gradebook", is_flag=True, help="Leave nbgrader's gradebook alone.")
@click.option(
    "--gradebook-wait",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait while another program writes to the gradebook.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@ACCEPT_LESS
@CELL_SECONDS
@click.pass_obj
def grade(
    course: Path | None,
    assignment: str,
    students: tuple[str, ...],
    force: bool,
    number: int | None,
    scheduler: str | None,
    no_gradebook: bool,
    gradebook_wait: float,
    as_json: bool,
    accept_less_confinement: bool,
    cell_seconds: float,
) -> None:
    """Grade a class: submitted/STUDENT/ASSIGNMENT into autograded/ and the gradebook.

    Submissions that have not changed since they were graded are skipped, and a run that was
    interrupted goes on where it stopped. Exit code: 0, everything is graded; 1, something is not,
    each with a line that says why, or the gradebook is not up to date; 2, nothing was graded;
    130, interrupted.
    """
    from autograder.grading import workers

    if not scheduler:
        workers.start_early()
    from autograder.grading import keep
    from autograder.grading import run as grading
    from autograder.grading.lock import only_run
    from autograder.material import collect
    from autograder.terminal import Display, show_summary

    course = config.find_course(course)
    display = Display(assignment)
    settings = grading.settings_for(
        course,
        assignment,
        accept_less=accept_less_confinement,
        elsewhere=bool(scheduler),
        cell_seconds=cell_seconds,
    )
    found = collect.only(collect.submissions(course, assignment), students)
    keep.require_room(course)
    if not scheduler:
        _require_confinement(accept_less_confinement, display.say)
    with only_run(course, assignment, display.say):
        writer, trouble = None, ""
        if not no_gradebook:
            writer, trouble = _gradebook(course, assignment, gradebook_wait, display.say)
        run = grading.ClassRun(
            course, settings, say=display.say, progress=display.progress, writer=writer
        )
        run.summary.gradebook = trouble
        with closing(writer) if writer else nullcontext():
            team = _team(scheduler, min(number or grading.cores(), len(found)), display.say)
            summary = _performed(run, found, team, force, display)
    if as_json:
        click.echo(json.dumps(summary.to_dict(), ensure_ascii=False, indent=1))
    else:
        show_summary(summary)
    sys.exit(summary.exit_code)


def _gradebook(course: Path, assignment: str, wait: float, say):
    """What writes to the gradebook, and what stands in its way: one of the two is there."""
    from autograder.outlets.gradebook import Writer, gradebook_url, late_penalty

    try:
        url, penalty = gradebook_url(course), late_penalty(course)
        return Writer(url, assignment, penalty=penalty, wait=wait, say=say), ""
    except config.CourseError as error:  # the grades are files; the next run brings them there
        say(f"{error} Grading goes on without the gradebook.")
        return None, str(error)


def _team(scheduler: str | None, number: int, say):
    """Who grades."""
    from autograder.grading.cluster import DaskWorkers
    from autograder.grading.workers import LocalWorkers

    return DaskWorkers(scheduler, say) if scheduler else LocalWorkers(number)


def _performed(run, found, team, force: bool, display):
    """The summary of a run that is shown; no process is left behind, whatever happens."""
    try:
        with display.running():
            return run.perform(found, team, force)
    except BaseException:
        team.close(now=True)
        raise


def _require_confinement(accept_less: bool, say) -> None:
    """Say what is missing before anything is graded, and refuse unless that is accepted."""
    from autograder.grading import run as grading
    from autograder.grading.engine import ConfinementMissing

    missing = grading.missing_layers()
    if missing and not accept_less:
        raise _Problem(str(ConfinementMissing(missing)))
    if missing:
        say(f"Grading without full confinement; missing here: {', '.join(missing)}.")


@main.command()
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--assignment", help="By default the one whose functions the notebook defines.")
@CELL_SECONDS
@click.pass_obj
def check(course: Path | None, notebook: Path, assignment: str | None, cell_seconds: float) -> None:
    """Run a notebook and print the verdict on every exercise, as grading would.

    Exit code: 0, everything is right; 1, something is not; 2, it could not be checked.
    """
    from autograder.checking.render import as_text
    from autograder.terminal import printable

    graded = _grade_file(course, notebook, assignment, True, cell_seconds)
    for remark in graded.remarks:
        click.echo(printable(remark.says), err=True)
    for verdict in graded.verdicts:
        click.echo(printable(as_text(verdict)) + "\n")
    click.echo(f"{graded.points:g} of {graded.max_points:g} points that checks give")
    sys.exit(0 if graded.points == graded.max_points else 1)


@main.command("grade-one")
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--assignment", help="By default the one whose functions the notebook defines.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["gradescope", "json"]),
    default="json",
    show_default=True,
    help="What to write: Gradescope's results.json, or all verdicts as they are.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to write.")
@ACCEPT_LESS
@CELL_SECONDS
@click.pass_obj
def grade_one(
    course: Path | None,
    notebook: Path,
    assignment: str | None,
    kind: str,
    output: Path | None,
    accept_less_confinement: bool,
    cell_seconds: float,
) -> None:
    """Grade one notebook, for Gradescope, GitHub Classroom and other systems.

    Exit code: 0, full marks; 1, points are missing; 2, it could not be graded.
    """
    from autograder.outlets import exports
    from autograder.terminal import printable

    _require_confinement(accept_less_confinement, lambda text: click.echo(text, err=True))
    graded = _grade_file(course, notebook, assignment, accept_less_confinement, cell_seconds)
    made = exports.results_of(graded) if kind == "gradescope" else exports.verdicts_of(graded)
    text = json.dumps(made, ensure_ascii=False, indent=1) + "\n"
    if output:
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise _Problem(f"{output} could not be written: {error.strerror}.") from error
        for verdict in graded.verdicts:
            click.echo(f"{verdict.exercise}: {verdict.points:g} of {verdict.max_points:g}")
        for remark in graded.remarks:
            click.echo(printable(remark.says))
        click.echo(f"{graded.points:g} of {graded.max_points:g} points")
    else:
        click.echo(text, nl=False)
    sys.exit(0 if graded.points == graded.max_points else 1)


def _grade_file(
    course: Path | None, notebook: Path, assignment: str | None, accept_less: bool, seconds: float
):
    """The grade of one file, put in order by the release where there is a course folder."""
    from autograder.grading import run as grading
    from autograder.grading.engine import Engine
    from autograder.grading.stage import PlayersUnavailable
    from autograder.material import papers

    folder = _folder_if_any(course)
    declared = config.course_of(folder)
    asked = {name: [e.name for e in group] for name, group in declared.assignments.items()}
    if folder is not None:
        asked = {name: nb.functions_in(folder, name) for name in nb.assignments(folder)}
    try:
        data = papers.read_file(notebook.resolve())
        assignment = assignment or papers.assignment_of(papers.read(data), asked)
    except OSError as error:
        raise _Problem(f"{notebook} could not be read: {error.strerror}.") from error
    except papers.Unreadable as error:
        raise _Problem(f"{notebook} is no notebook. {error}") from error
    if assignment is None:
        raise _Problem(
            f"{notebook} defines no function of any assignment; name one with --assignment "
            f"({', '.join(asked)})."
        )
    if assignment not in asked:
        raise _Problem(f"There is no assignment {assignment!r}: {', '.join(asked)}.")
    release, seed = papers.NO_RELEASE, None
    if folder is not None:
        release, seed = papers.release_of(folder, assignment), grading.course_seed(folder)
    try:
        with Engine(declared, seed=seed, accept_less=accept_less, cell_seconds=seconds) as engine:
            return engine.grade(data, assignment, notebook.stem, release)
    except PlayersUnavailable as error:
        raise _Problem(str(error)) from error


def _folder_if_any(course: Path | None) -> Path | None:
    """The course folder around the current one, None outside. Raises CourseError for a named one."""
    try:
        return config.find_course(course)
    except config.CourseError:
        if course is not None:
            raise
        return None


@main.command()
@click.argument("assignment")
@click.option("--hide-names", is_flag=True, help="Number the students instead of naming them.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to write.")
@click.pass_obj
def report(course: Path | None, assignment: str, hide_names: bool, output: Path | None) -> None:
    """Write the class report, one HTML page: scores, mistakes, what to reteach, who to look at."""
    from datetime import datetime

    from autograder.grading import keep
    from autograder.outlets.report import class_report

    course = config.find_course(course)
    graded = list(keep.stored_grades(course, assignment))
    if not graded:
        nb.require_assignment(course, assignment)
        raise _Problem(f"Nothing of {assignment} is graded yet: autograder grade {assignment}")
    page = class_report(assignment, graded, hide_names=hide_names, when=datetime.now())
    path = output or course / "reports" / f"{assignment}.html"
    try:
        config.write(path, page)
    except OSError as error:
        raise _Problem(f"{path} could not be written: {error.strerror}.") from error
    click.echo(f"Wrote {path}, on {len(graded)} submissions")


@main.command()
@click.argument("platform", type=click.Choice(["canvas", "moodle", "gradescope"]))
@click.argument("assignment")
@click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Canvas: the gradebook exported from there, to be filled.",
)
@click.option("--assignment-name", "name", help="The column's name, where it is another.")
@click.option(
    "--identity",
    type=click.Choice(["username", "email", "id"]),
    default="username",
    show_default=True,
    help="Moodle: what identifies a student.",
)
@click.option(
    "--delimiter",
    type=click.Choice(["comma", "semicolon", "tab"]),
    default="comma",
    show_default=True,
    help="Between the cells of the table.",
)
@click.option("--partial", is_flag=True, help="Points so far, where answers wait for a person.")
@click.option("--missing-zero", is_flag=True, help="0 points for who handed in nothing.")
@click.option("--output", type=click.Path(path_type=Path), help="Where to write.")
@click.pass_obj
def export(course: Path | None, platform: str, assignment: str, **options) -> None:
    """Write the grades for Canvas, Moodle or Gradescope."""
    from autograder.outlets import exports
    from autograder.terminal import printable

    path, count, said = exports.export(config.find_course(course), assignment, platform, **options)
    for sentence in said:
        click.echo(printable(sentence), err=True)
    click.echo(f"Wrote {path}, {count} students")


@main.command()
@click.option("--keep-closed", is_flag=True, help="Print where the result is; open no browser.")
@click.pass_obj
def demo(course: Path | None, keep_closed: bool) -> None:
    """Grade a small made-up class with nbgrader and show the result."""
    from autograder.demo.run import run

    run(config.find_course(course), show=not keep_closed)


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; fail when the table is not fresh.")
@click.pass_obj
def mistakes(course: Path | None, check: bool) -> None:
    """Hand in every catalogued mistake and write down what the check calls it."""
    from autograder.checking import catalogue

    folder = config.find_course(course)
    path, rows = folder / catalogue.TABLE, []
    for exercise in config.course_of(folder).records.values():
        found = catalogue.audit(exercise)
        named = sum(row.named == row.mistake for row in found)
        caught = sum(row.caught for row in found)
        click.echo(f"{exercise.name}: {len(found)} mistakes, {caught} caught, {named} named")
        rows += found
    text = catalogue.as_json(rows)
    if not check:
        config.write(path, text)
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        raise click.ClickException(f"{catalogue.TABLE} is stale. Run: autograder mistakes")


@main.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to write.")
@click.option("--seed", help="By default the seed in force: AUTOGRADER_SEED, else the public one.")
@click.pass_obj
def record(course: Path | None, output: Path | None, seed: str | None) -> None:
    """Record the reference's answers, so that checks run where torch is missing.

    Name the file in AUTOGRADER_RECORDING there; the one for the public seed is found by itself.
    """
    from autograder.checking import answers

    declared = config.course_of(_folder_if_any(course))
    path = output or declared.recording
    if path is None:
        raise click.ClickException(
            f"{declared.name} ships no recording; name a file: --output PATH"
        )
    number = answers.as_seed(seed) if seed else answers.seed()
    if output is None and number != answers.PUBLIC_SEED:
        raise click.ClickException("Name a file for a secret seed's answers: --output PATH")
    count = answers.record(tuple(declared.records.values()), number, path)
    click.echo(f"Recorded the answers to {count} probes in {path}")
