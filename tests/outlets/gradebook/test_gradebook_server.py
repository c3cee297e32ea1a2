"""The gradebook on a PostgreSQL server of our own."""

import os
import pwd
import random
import shutil
import subprocess
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from gradebook_scene import (
    DUE,
    EARLY,
    LATE,
    WRITTEN,
    both_at_once,
    give_points,
    grade_with_nbgrader,
    some_class,
    some_entry,
    tables,
)
from nbgrader.api import Gradebook
from pipeline_course import Course

from autograder.grading.graded import Entry
from autograder.material.config import CourseError, nbgrader_settings
from autograder.outlets.gradebook import Counts, Writer, gradebook_url, late_penalty, sync

# nbgrader's own way of adding a submission makes SQLAlchemy say this.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")


def postgres_programs() -> Path | None:
    """The folder with initdb and pg_ctl; Debian keeps them off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "pg_ctl").exists()), None)


@pytest.fixture(scope="module")
def server():
    """The address, without a database, of a PostgreSQL server of our own on a Unix socket."""
    pytest.importorskip("psycopg", reason='no driver: pip install "psycopg[binary]"')
    programs = postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    user = None
    if os.getuid() == 0:  # the server refuses to run as root
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = next((name for name in ("postgres", "nobody") if name in names), None)
        if user is None:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")
    # Not pytest's folder: it is closed to other users, and too long for the name of a socket.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data = folder / "data"
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(programs / program), "-D", str(data), *arguments],
            user=user,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout or (folder / "log").read_text()

    try:
        run("initdb", "-U", "teacher", "--auth=trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -k {folder} -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield lambda name: f"postgresql://teacher@/{name}?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def new_database(server, name: str, template: str = "template1") -> str:
    engine = sa.create_engine(server("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine.dispose()
    return server(name)


@pytest.fixture(scope="module")
def on_server(course, server, tmp_path_factory):
    """Call it for a new database in which nbgrader itself has registered the assignment."""
    folder = tmp_path_factory.mktemp("server")
    course = Course(folder)
    url = new_database(server, "registered")
    with (course.root / "nbgrader_config.py").open("a", encoding="utf-8") as settings:
        settings.write(f"c.CourseDirectory.db_url = {url!r}\n")
    course.run("nbgrader", "generate_assignment", "gru")
    assert not (course.root / "gradebook.db").exists()
    assert gradebook_url(course.root) == url
    with Gradebook(url, "gated-memory") as book:
        book.update_or_create_assignment("gru", duedate=DUE)
        book.add_student("ada", first_name="Ada", last_name="King", email="ada@example.org")
        book.add_student("zoe", first_name="Zoe", last_name="Never", lms_user_id="17")
    return lambda name: new_database(server, name, "registered")


def test_postgresql_gives_the_same_gradebook(course, fresh, on_server, released):
    here, there = fresh(), on_server("same")
    entries = some_class(20, str(course.root / "_build/release/gru/gru.ipynb"))
    rule = late_penalty(course.root)

    def both(*entries: Entry) -> Counts:
        counts = sync(here, "gru", entries, penalty=rule, batch=8)
        assert sync(there, "gru", entries, penalty=rule, batch=8) == counts
        assert tables(there) == tables(here)
        return counts

    assert both(*entries) == Counts(new=20)
    assert both(*(replace(entry, fresh=False) for entry in entries)) == Counts(unchanged=20)
    full = replace(entries[0], answered=dict.fromkeys(entries[0].answered, True))
    both(full)
    for url in (here, there):
        give_points(url, full.student, WRITTEN, 3.5, 0.25, "A fine answer.")
        with Gradebook(url) as book:
            book.grant_extension("gru", entries[1].student, hours=3)
    assert both(full) == Counts(changed=1)
    both(replace(entries[1], timestamp=LATE + timedelta(days=1)))


def test_postgresql_and_nbgrader_agree(on_server, released, tmp_path, course):
    theirs, ours = on_server("theirs"), on_server("ours")
    rng, config = random.Random(5), nbgrader_settings(course.root)
    for student, when in (("ada", EARLY), ("ben", LATE), ("ada", None)):
        entry = some_entry(rng, released, student, when)
        grade_with_nbgrader(theirs, released, entry, config, tmp_path)
        sync(ours, "gru", [entry], penalty=late_penalty(course.root))
        assert tables(ours) == tables(theirs)


def test_a_lock_on_the_server_is_waited_for(on_server, entry):
    url, said = on_server("locked"), []
    sync(url, "gru", [entry])
    changed = replace(entry, points={**entry.points, "check-gru_step": 0.5})
    engine = sa.create_engine(url)
    other = engine.connect()
    other.execute(sa.text("SELECT * FROM grade FOR UPDATE"))

    def say(sentence: str) -> None:
        said.append(sentence)
        other.rollback()

    with pytest.raises(CourseError, match="stayed locked .* The grades are safe"):
        sync(url, "gru", [changed], wait=0, say=lambda sentence: None)
    assert sync(url, "gru", [changed], say=say) == Counts(changed=1)
    assert len(said) == 1 and "Another program is writing" in said[0]
    other.close()
    engine.dispose()


def test_two_writers_at_once_on_a_server(course, fresh, on_server):
    notebook = str(course.root / "_build/release/gru/gru.ipynb")
    once, twice = fresh("once"), on_server("twice")
    sync(once, "gru", some_class(400, notebook))
    assert both_at_once(twice, notebook) == [0, 0]
    assert tables(twice) == tables(once)


def test_a_server_that_ends_in_mid_batch(on_server, entry):
    """The server drops the connection before the commit: the batch is not there, then it is."""
    url = on_server("dropped")
    before = tables(url)
    with Writer(url, "gru") as writer:

        def drop(connection, cursor, statement, *more) -> None:
            if statement.startswith("INSERT INTO comment"):
                pid = cursor.connection.info.backend_pid
                other = sa.create_engine(url)
                with other.connect() as killer:
                    killer.execute(sa.text(f"SELECT pg_terminate_backend({pid}, 10000)"))
                other.dispose()

        sa.event.listen(writer._engine, "before_cursor_execute", drop)
        with pytest.raises(CourseError, match="could not be read or written .*safe in autograded/"):
            writer.write([entry])
        sa.event.remove(writer._engine, "before_cursor_execute", drop)
        assert tables(url) == before
        assert writer.write([entry]) == Counts(new=1)


def test_no_server_no_tables(server, entry):
    with pytest.raises(CourseError, match="is no gradebook: it has no tables"):
        sync(new_database(server, "empty"), "gru", [entry])
    with pytest.raises(
        CourseError, match='could not be read or written .*"nowhere" does not exist'
    ):
        sync(server("nowhere"), "gru", [entry])
    with pytest.raises(CourseError, match="could not be read or written") as told:
        sync("postgresql://teacher:secret@127.0.0.1:1/grades", "gru", [entry])
    assert "secret" not in str(told.value)
