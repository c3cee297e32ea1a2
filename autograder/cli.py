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
def notebooks(
    course: Path | None, assignments: tuple[str, ...], check: bool, force: bool
) -> None:
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
