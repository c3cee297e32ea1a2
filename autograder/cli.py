"""The command ``autograder``: for whoever writes, releases and grades the exercises."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from autograder import notebooks as nb


class _Command(click.Group):
    """Shows a problem the user can fix as one sentence, never as a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except nb.CourseError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Command)
@click.option(
    "--course",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The course folder. By default the one that contains the current folder.",
)
@click.pass_context
def main(ctx: click.Context, course: Path | None) -> None:
    """Make the exercises of Gated Memory and grade a class."""
    ctx.obj = course


@main.command()
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option("--check", is_flag=True, help="Write nothing; fail when a notebook is not fresh.")
@click.option("--force", is_flag=True, help="Overwrite notebooks that somebody has worked in.")
@click.pass_obj
def notebooks(course: Path | None, assignments: tuple[str, ...], check: bool, force: bool) -> None:
    """Make notebooks/ from solutions/, all assignments or those named."""
    course = nb.find_course(course)
    names = assignments or nb.assignments(course)
    for name in names:
        nb.require_assignment(course, name)
    stale = []
    for number, name in enumerate(names, 1):
        target = nb.release_path(course, name).relative_to(course)
        click.echo(f"[{number}/{len(names)}] solutions/{name}.py -> {target} ", nl=False)
        if check:
            fresh = nb.is_fresh(course, name)
            click.echo("fresh" if fresh else "STALE")
            if not fresh:
                stale.append(name)
        elif nb.has_been_run(course / target) and not force:
            click.echo("kept")
            raise click.ClickException(
                f"{target} has been run: somebody's work may be in it. "
                "Copy it elsewhere, or overwrite it with --force."
            )
        else:
            nb.write_source(course, name)
            nb.write_release(course, name)
            click.echo("written")
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
    path = nb.find_course(course) / "secret_seed.txt"
    if path.exists() and not force:
        raise click.ClickException(
            f"{path.name} exists already. A new seed may change partial scores, so keep it for "
            "the whole class; replace it with --force."
        )
    path.write_text(f"{secrets.randbelow(2**63)}\n", encoding="utf-8")
    path.chmod(0o600)
    click.echo(f"Wrote {path.name}. Git ignores it; keep it to yourself.")


@main.command()
@click.option("--keep-closed", is_flag=True, help="Print where the result is; open no browser.")
@click.pass_obj
def demo(course: Path | None, keep_closed: bool) -> None:
    """Grade a small made-up class with nbgrader and show the result."""
    from autograder.demo import run

    run(nb.find_course(course), show=not keep_closed)


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; fail when the table is not fresh.")
@click.pass_obj
def mistakes(course: Path | None, check: bool) -> None:
    """Hand in every catalogued mistake and write down what the check calls it."""
    from autograder import catalogue
    from autograder.exercises import ASSIGNMENTS

    path = nb.find_course(course) / catalogue.TABLE
    rows = []
    for exercise in (exercise for group in ASSIGNMENTS.values() for exercise in group):
        found = catalogue.audit(exercise)
        named = sum(row.named == row.mistake for row in found)
        caught = sum(row.caught for row in found)
        click.echo(f"{exercise.name}: {len(found)} mistakes, {caught} caught, {named} named")
        rows += found
    text = catalogue.as_json(rows)
    if not check:
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        raise click.ClickException(f"{catalogue.TABLE} is stale. Run: autograder mistakes")


@main.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to write.")
@click.option("--seed", help="By default the seed in force: AUTOGRADER_SEED, else the public one.")
def record(output: Path | None, seed: str | None) -> None:
    """Record the reference's answers, so that checks run where torch is missing.

    Name the file in AUTOGRADER_RECORDING there; the one for the public seed is found by itself.
    """
    from autograder import answers
    from autograder.exercises import ASSIGNMENTS

    exercises = tuple(exercise for group in ASSIGNMENTS.values() for exercise in group)
    path = output or answers.PUBLIC_RECORDING
    number = answers.as_seed(seed) if seed else answers.seed()
    if output is None and number != answers.PUBLIC_SEED:
        raise click.ClickException("Name a file for a secret seed's answers: --output PATH")
    count = answers.record(exercises, number, path)
    click.echo(f"Recorded the answers to {count} probes in {path}")
