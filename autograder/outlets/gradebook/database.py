"""Opening the gradebook's database, and what can go wrong with it."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from autograder.material.config import CourseError

SAFE = "The grades are safe in autograded/."
"""Said in every error after which the points are not lost."""


def parsed(url: str) -> URL:
    """The address in its parts; raises CourseError for what is none."""
    try:
        return make_url(url)
    except ArgumentError:
        raise CourseError(
            f"{url!r} is no address of a database. Set c.CourseDirectory.db_url in "
            "nbgrader_config.py, for instance to postgresql://user:password@host/database, or "
            "leave it out."
        ) from None


def require_file(url: URL) -> None:
    """Raise CourseError where the address is a file and there is none."""
    if not url.database or not os.path.isfile(url.database):
        raise CourseError(
            f"There is no gradebook {url.database or ''} yet. Register the assignment first: "
            "nbgrader generate_assignment NAME"
        )


def engine_for(url: URL) -> Engine:
    """An engine in which a transaction that writes keeps everybody else from writing."""
    backend = url.get_backend_name()
    options: dict[str, Any] = {"pool_pre_ping": True}
    if backend == "sqlite":
        # mode=rw: a file that vanishes is an error, where SQLite would make an empty one.
        path = quote(os.path.abspath(url.database or ""))
        url = url.set(database=f"file:{path}")
        url = url.update_query_dict({"mode": "rw", "uri": "true"})
        options = {"connect_args": {"timeout": 1.0}}
    try:
        engine = create_engine(url, **options)
    except ModuleNotFoundError as error:
        hint = ': pip install "psycopg[binary]"' if backend == "postgresql" else ""
        raise CourseError(
            f"The gradebook is a {backend} database, and its driver {error.name} is not "
            f"installed{hint}."
        ) from error
    except SQLAlchemyError as error:
        raise CourseError(f"The gradebook's address cannot be used: {error}") from error

    if backend == "sqlite":

        @event.listens_for(engine, "connect")
        def _settle(connection, record):
            # Python's driver would begin transactions by itself, and only before writing.
            connection.isolation_level = None
            # Every row has random ids and touches pages all over the file: with the usual 2 MB a
            # batch would be written out piece by piece.
            connection.execute("PRAGMA cache_size = -65536")

        @event.listens_for(engine, "begin")
        def _begin(connection):
            write = connection.get_execution_options().get("gradebook_write")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    elif backend == "postgresql":

        @event.listens_for(engine, "begin")
        def _limit(connection):
            connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")

    return engine


def _codes(error: SQLAlchemyError) -> tuple[int | None, str | None]:
    """SQLite's primary result code, and a server's SQLSTATE."""
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorcode", None)
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return (None if code is None else code & 0xFF), state


def is_lock(error: DBAPIError) -> bool:
    """Locked by another program: SQLITE_BUSY and SQLITE_LOCKED; PostgreSQL's lock timeout,
    deadlock and serialization failure."""
    code, state = _codes(error)
    return code in (5, 6) or state in ("55P03", "40P01", "40001")


def explained(error: SQLAlchemyError, where: str, assignment: str) -> str:
    """What went wrong with the database, and what to do."""
    code, state = _codes(error)
    said = (
        str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    ).splitlines()[0]
    if code in (11, 26):  # SQLITE_CORRUPT, SQLITE_NOTADB
        return (
            f"The gradebook {where} is damaged ({said}). {SAFE} Points given by hand are only in "
            "the gradebook: restore it from a backup. Without one, move it away, register the "
            f"assignment (nbgrader generate_assignment {assignment}) and run again."
        )
    if code in (3, 8, 14, 23) or state in ("25006", "42501"):  # PERM, READONLY, CANTOPEN, AUTH
        return (
            f"The gradebook {where} cannot be opened for writing ({said}). {SAFE} Give yourself "
            "the right to write to it and, where it is a file, to its folder; then run again."
        )
    if "no such table" in said or state == "42P01":
        return (
            f"{where} is no gradebook: it has no tables ({said}). {SAFE} Register the assignment "
            f"(nbgrader generate_assignment {assignment}) and run again."
        )
    if "no such column" in said or "has no column" in said or state == "42703":
        return (
            f"The gradebook {where} was made by another version of nbgrader ({said}). {SAFE} Make "
            "a backup, run `nbgrader db upgrade`, and run again."
        )
    return f"The gradebook {where} could not be read or written ({said}). {SAFE} Run again."


def named(names: list[str], most: int = 8) -> str:
    """The first of these names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
