"""Grades into nbgrader's gradebook, many at a time and all or nothing.

The grades of a class live as files, one for each submission; the gradebook is made to agree with
them. ``sync`` does it, ``Writer`` does it batch by batch: one transaction reads what the gradebook
has, compares, and writes what differs. A writer that is killed leaves whole batches, and running
it again writes the rest. Only one process needs to write; a second one waits for its turn.

What is written is what nbgrader 0.9.6 writes when it grades a submission
(``converters/autograde.py``, ``preprocessors/saveautogrades.py`` and ``latesubmissions.py``):

- the student, where unknown; names, e-mail and the rest of the roster are left alone;
- for a cell with tests its points, for an answer 0 where it was not changed, else nothing, so
  that it waits for a person; "No response." beside every solution cell that was not changed;
- when it was handed in, and the penalty for being late;
- points, extra credit and comments that a person gave stay. When a submission was graded anew,
  the cells with points from a person wait for that person again.

The last rule needs to know what "anew" is. nbgrader applies it whenever it runs. Here it applies
when the gradebook shows another hand-in time, another score or another "No response.", or when
``Entry.fresh`` says so. Otherwise every run would put the answers that a person has dealt with
back into the queue.

nbgrader's ``Gradebook`` class is not used, only its mapped classes: on opening, it creates the
tables where there are none, and it writes one row and one commit at a time.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    GradeCell,
    Notebook,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
    new_uuid,
)
from nbgrader.utils import parse_utc
from sqlalchemy import Connection, Engine, bindparam, create_engine, event, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from autograder.material.config import CourseError, nbgrader_settings

NO_RESPONSE = "No response."
"""nbgrader's comment beside a solution cell that was handed in as it was given out."""

SAFE = "The grades are safe in autograded/."

Penalty = Callable[[str, float, float], float | None]
"""Student, score, seconds late → points to take off, or None. See ``late_penalty``."""


@dataclass(frozen=True)
class Entry:
    """What one graded submission says, ready for the gradebook."""

    student: str
    points: Mapping[str, float]
    """score of each cell that is graded automatically, by its grade_id (``check-`` and its name)"""
    answered: Mapping[str, bool]
    """whether the student changed a solution cell, by its grade_id. Those graded by hand have to be
    there; of the others, those that are there get or lose nbgrader's "No response." """
    timestamp: datetime | None
    """when it was handed in: UTC and naive, as nbgrader stores it, or with a time zone. None, where
    that is not known, leaves what the gradebook has."""
    fresh: bool = False
    """graded since the gradebook last heard of it: what a person gave points to is to be looked at
    again"""
    missing: bool = False
    """there was no notebook: every cell has 0 points and waits for nobody"""


@dataclass
class Counts:
    """How many submissions were new to the gradebook, changed there, agreed with it, or refused."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.refused + other.refused,
        )


# Where the gradebook is, and what the course's settings say


def gradebook_url(course: Path) -> str:
    """The address of the course's gradebook, from its ``nbgrader_config.py``.

    Raises CourseError where it should be a file and there is none: opening it would make an
    empty one.
    """
    from nbgrader.coursedir import CourseDirectory

    configured = CourseDirectory(config=nbgrader_settings(course)).db_url
    url = _parsed(configured)
    if url.get_backend_name() != "sqlite" or not url.database:
        return configured
    url = url.set(database=os.path.abspath(course / url.database))
    _require_file(url)
    return url.render_as_string(hide_password=False)


def late_penalty(course: Path) -> Penalty | None:
    """The rule for late work that ``nbgrader_config.py`` sets, None where that step is disabled.

    It is nbgrader's ``AssignLatePenalties`` with the plugin configured for it, which may be a
    module in the course's folder. Raises CourseError where the plugin cannot be loaded.
    """
    from nbgrader.preprocessors import AssignLatePenalties

    # nbgrader's commands have the course's folder on the path, and plugins are kept there.
    sys.path.insert(0, str(course))
    try:
        step = AssignLatePenalties(config=nbgrader_settings(course))
        step.init_plugin()
    except Exception as error:  # whatever somebody's module raises while it is imported
        raise CourseError(
            f"The plugin for late work that nbgrader_config.py names could not be loaded: {error}"
        ) from error
    finally:
        sys.path.remove(str(course))
    if not step.enabled:
        return None
    plugin = step.plugin_inst

    def penalty(student: str, score: float, seconds_late: float) -> float | None:
        try:
            points = plugin.late_submission_penalty(student, score, seconds_late)
        except Exception as error:
            raise CourseError(
                f"The plugin for late work, {type(plugin).__name__}, failed for {student}: "
                f"{type(error).__name__}: {error}. {SAFE} Repair it in nbgrader_config.py and run "
                "again."
            ) from error
        if points is None:
            return None
        return 0.0 if points < 0 else min(float(points), score)

    return penalty


# Writing


def sync(
    url: str,
    assignment: str,
    entries: Iterable[Entry],
    *,
    penalty: Penalty | None = None,
    batch: int = 200,
    wait: float = 300.0,
    say: Callable[[str], None] | None = None,
) -> Counts:
    """Make the gradebook agree with ``entries``; see ``Writer`` for the arguments and errors.

    ``batch`` submissions are written in each transaction. Raises CourseError at the end for
    entries that do not fit the assignment as it is registered; all others are written then.
    """
    entries = iter(entries)
    counts = Counts()
    with Writer(url, assignment, penalty=penalty, wait=wait, say=say) as writer:
        while some := list(islice(entries, batch)):
            counts += writer.write(some)
        writer.finish()
    return counts


class Writer:
    """The gradebook of one assignment, open for writing.

    ``penalty`` is the rule for late work; None leaves penalties alone. Where another program is
    writing to the gradebook, ``say`` gets a sentence and the writer waits, up to ``wait`` seconds.

    Raises CourseError where there is no gradebook, it cannot be read or written, it is damaged, it
    stays locked, or the assignment is not registered in it. The batch that could not be written is
    then not in the gradebook at all.
    """

    def __init__(
        self,
        url: str,
        assignment: str,
        *,
        penalty: Penalty | None = None,
        wait: float = 300.0,
        say: Callable[[str], None] | None = None,
    ):
        self.assignment, self.penalty, self.wait = assignment, penalty, wait
        self.say = say or logging.getLogger(__name__).warning
        self.refused: dict[str, list[str]] = {}
        """the students whose entry does not fit the registered assignment, by the reason"""
        address = _parsed(url)
        self.where = address.database or address.render_as_string()
        if address.get_backend_name() == "sqlite":
            _require_file(address)
        else:
            self.where = address.render_as_string(hide_password=True)
        self._engine = _engine(address)
        try:
            self._transaction(self._registered)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Every batch that was written is in the gradebook already."""
        self._engine.dispose()

    def write(self, entries: Iterable[Entry]) -> Counts:
        """Write one batch: when this returns it is in the gradebook, all of it and for good.

        An entry that does not fit the registered assignment is left out; ``finish`` reports it. Of
        several entries for one student the last counts.
        """
        batch = {entry.student: entry for entry in entries}
        plan = self._transaction(lambda connection: self._plan(connection, batch))
        if plan.new or plan.changed:  # only now is it worth keeping others from writing
            plan = self._transaction(lambda connection: self._write(connection, batch), write=True)
        for student, reason in plan.refused.items():
            self.refused.setdefault(reason, []).append(student)
        agree = len(batch) - len(plan.new) - len(plan.changed) - len(plan.refused)
        return Counts(len(plan.new), len(plan.changed), agree, len(plan.refused))

    def missing(self, entries: Iterable[Entry]) -> list[Entry]:
        """The entries that the gradebook does not agree with. Nothing is written or locked."""
        entries, found = iter(entries), []
        while some := list(islice(entries, 500)):
            batch = {entry.student: entry for entry in some}
            plan = self._transaction(lambda connection, batch=batch: self._plan(connection, batch))
            differ = {*plan.new, *plan.changed, *plan.refused}
            found += [entry for student, entry in batch.items() if student in differ]
        return found

    def finish(self) -> None:
        """Raise CourseError where entries were refused: they do not fit what is registered."""
        if not self.refused:
            return
        reasons = "; ".join(f"{why} ({_names(who)})" for why, who in self.refused.items())
        raise CourseError(
            f"Not in the gradebook, because {self.assignment} has changed since it was registered: "
            f"{reasons}. {SAFE} Register the assignment again with `nbgrader generate_assignment "
            f"{self.assignment} --force` and run again. Where nbgrader refuses to add or remove "
            f"cells, forget the old one first, and with it the points given by hand: `nbgrader db "
            f"assignment remove {self.assignment} --force`."
        )

    def _transaction(self, work: Callable[[Connection], Any], write: bool = False) -> Any:
        """``work(connection)`` in one transaction, begun again while somebody else is writing."""
        deadline = None
        while True:
            try:
                with self._engine.connect() as connection:
                    connection = connection.execution_options(gradebook_write=write)
                    with connection.begin():
                        return work(connection)
            except DBAPIError as error:
                if not _is_lock(error):
                    raise CourseError(_explained(error, self.where, self.assignment)) from error
                now = time.monotonic()
                if deadline is None:
                    deadline = now + self.wait
                    self.say(
                        f"Another program is writing to the gradebook {self.where}; waiting for it "
                        f"up to {self.wait:g} seconds."
                    )
                elif now >= deadline:
                    raise CourseError(
                        f"The gradebook {self.where} stayed locked by another program for "
                        f"{self.wait:g} seconds. {SAFE} Let the other program finish, or close "
                        "it, and run again."
                    ) from error
                time.sleep(0.05)  # some locks are reported at once, without the driver's own wait
            except SQLAlchemyError as error:
                raise CourseError(_explained(error, self.where, self.assignment)) from error

    def _registered(self, connection: Connection) -> _Registered:
        """The assignment as ``nbgrader generate_assignment`` recorded it."""
        writing = connection.get_execution_options().get("gradebook_write")
        query = select(Assignment.__table__.c["id", "duedate"]).where(
            Assignment.__table__.c.name == self.assignment
        )
        # On a server this makes writers of one assignment take turns; SQLite does so by itself.
        found = connection.execute(query.with_for_update() if writing else query).first()
        remedy = f"Register it with: nbgrader generate_assignment {self.assignment}"
        if found is None:
            names = connection.scalars(select(Assignment.__table__.c.name)).all()
            known = ", ".join(sorted(names)) or "none"
            raise CourseError(
                f"The gradebook has no assignment {self.assignment} (it has: {known}). {remedy}"
            )
        notebooks = connection.scalars(
            select(Notebook.__table__.c.id).where(Notebook.__table__.c.assignment_id == found.id)
        ).all()
        if not notebooks:
            raise CourseError(f"{self.assignment} has no notebook in the gradebook. {remedy}")
        if len(notebooks) > 1:
            raise CourseError(
                f"{self.assignment} has {len(notebooks)} notebooks in the gradebook; assignments "
                "of this course have one. Remove the others with `nbgrader db assignment remove "
                f"{self.assignment}` and register it again."
            )
        (notebook,) = notebooks

        def cells(kind, *columns):
            query = select(kind.name, kind.id, *columns).where(kind.notebook_id == notebook)
            return connection.execute(query.order_by(kind.name)).all()

        solutions = {name: cell for name, cell in cells(SolutionCell)}
        graded = cells(GradeCell, GradeCell.max_score, GradeCell.cell_type)
        return _Registered(
            assignment=found.id,
            notebook=notebook,
            duedate=found.duedate,
            tested={
                name: (cell, most)
                for name, cell, most, kind in graded
                if name not in solutions and kind == "code"
            },
            by_hand={name: cell for name, cell, _, _ in graded if name in solutions},
            solutions=solutions,
            tasks={name: cell for name, cell in cells(TaskCell)},
        )

    def _plan(self, connection: Connection, batch: Mapping[str, Entry]) -> _Plan:
        """What to write so that the gradebook agrees with the batch."""
        registered = self._registered(connection)
        plan, fitting = _Plan(), []
        for student, entry in batch.items():
            if reason := registered.objection(entry):
                plan.refused[student] = reason
            else:
                fitting.append(entry)
        present = _present(connection, registered, [entry.student for entry in fitting])
        known = _known_students(
            connection, [e.student for e in fitting if e.student not in present]
        )
        for entry in fitting:
            there = present.get(entry.student)
            if there is None and entry.student not in known:
                plan.add(Student, id=entry.student)
            before = plan.size
            _compare(plan, entry, there or _Present(), registered, self.penalty)
            if there is None:
                plan.new.append(entry.student)
            elif plan.size > before:
                plan.changed.append(entry.student)
        return plan

    def _write(self, connection: Connection, batch: Mapping[str, Entry]) -> _Plan:
        plan = self._plan(connection, batch)
        plan.execute(connection)
        return plan


@dataclass(frozen=True)
class _Registered:
    """One assignment as it is registered: ids of its cells by grade_id."""

    assignment: str
    notebook: str
    duedate: datetime | None
    tested: dict[str, tuple[str, float]]
    """cells with tests, and the most points each gives"""
    by_hand: dict[str, str]
    solutions: dict[str, str]
    """cells to write in, those graded by hand among them; ids of their other half"""
    tasks: dict[str, str]
    """nbgrader's third kind, a description of work to be done in cells of one's own"""

    @property
    def graded(self) -> list[str]:
        return [
            *(cell for cell, _ in self.tested.values()),
            *self.by_hand.values(),
            *self.tasks.values(),
        ]

    @property
    def commented(self) -> list[str]:
        return [*self.solutions.values(), *self.tasks.values()]

    def objection(self, entry: Entry) -> str | None:
        """Why the entry cannot be written, None where it can."""
        try:
            entry.student.encode()
        except UnicodeEncodeError:
            return f"{entry.student!r} is no text that a database takes as a name"
        if not 0 < len(entry.student) <= 128:
            return "a student's id has 1 to 128 characters"
        unknown = (set(entry.points) - set(self.tested)) | (
            set(entry.answered) - set(self.solutions)
        )
        if unknown:
            return f"the gradebook does not know {_names(sorted(unknown))}"
        if entry.missing:
            return None
        lacking = (set(self.tested) - set(entry.points)) | (set(self.by_hand) - set(entry.answered))
        if lacking:
            return f"the gradebook also has {_names(sorted(lacking))}"
        for name, points in sorted(entry.points.items()):
            most = self.tested[name][1]
            if not 0 <= points <= most:  # also what is no number
                return f"{points:g} points for {name}, where the gradebook allows 0 to {most:g}"
        return None


@dataclass
class _Present:
    """What the gradebook has of one submission. The defaults: it has nothing."""

    id: str | None = None
    timestamp: datetime | None = None
    extension: timedelta | None = None
    notebook: str | None = None
    penalty: float | None = None
    grades: dict[str, Any] = field(default_factory=dict)
    """rows of table grade by cell id"""
    comments: dict[str, Any] = field(default_factory=dict)


def _present(
    connection: Connection, registered: _Registered, students: list[str]
) -> dict[str, _Present]:
    """What the gradebook has of these students' submissions, in three queries."""
    if not students:
        return {}
    handed, paper = SubmittedAssignment.__table__.c, SubmittedNotebook.__table__.c
    rows = connection.execute(
        select(
            handed.student_id,
            handed.id,
            handed.timestamp,
            handed.extension,
            paper.id,
            paper.late_submission_penalty,
        )
        .outerjoin_from(
            SubmittedAssignment.__table__,
            SubmittedNotebook.__table__,
            (paper.assignment_id == handed.id) & (paper.notebook_id == registered.notebook),
        )
        .where(handed.assignment_id == registered.assignment, handed.student_id.in_(students))
    )
    present = {student: _Present(*values) for student, *values in rows}
    papers = {there.notebook: there for there in present.values() if there.notebook}
    if papers:
        # Both conditions, because the gradebook's only index on these tables is on both columns.
        grade, comment = Grade.__table__.c, Comment.__table__.c
        columns = "notebook_id", "cell_id", "id", "auto_score", "manual_score", "extra_credit"
        query = select(*(grade[name] for name in columns), grade.needs_manual_grade).where(
            grade.cell_id.in_(registered.graded), grade.notebook_id.in_(papers)
        )
        if connection.get_execution_options().get("gradebook_write"):
            query = query.with_for_update()  # a person may be giving points at this moment
        for row in connection.execute(query):
            papers[row.notebook_id].grades[row.cell_id] = row
        query = select(comment["notebook_id", "cell_id", "id", "auto_comment"]).where(
            comment.cell_id.in_(registered.commented), comment.notebook_id.in_(papers)
        )
        for row in connection.execute(query):
            papers[row.notebook_id].comments[row.cell_id] = row
    return present


def _known_students(connection: Connection, students: list[str]) -> set[str]:
    if not students:
        return set()
    return set(connection.scalars(select(Student.id).where(Student.id.in_(students))))


class _Plan:
    """Rows to write, by table, and what becomes of which student."""

    def __init__(self):
        self.rows: dict[Any, list[dict]] = {
            mapped: []
            for mapped in (Student, SubmittedAssignment, SubmittedNotebook, Grade, Comment)
        }
        self.changes: dict[Any, list[dict]] = {mapped: [] for mapped in self.rows}
        self.size = 0
        self.new: list[str] = []
        self.changed: list[str] = []
        self.refused: dict[str, str] = {}

    def add(self, mapped, **row) -> str:
        row.setdefault("id", new_uuid())
        self.rows[mapped].append(row)
        self.size += 1
        return row["id"]

    def change(self, mapped, key: str, **values) -> None:
        self.changes[mapped].append({"key": key, **values})
        self.size += 1

    def execute(self, connection: Connection) -> None:
        for mapped, rows in self.rows.items():
            if rows:
                connection.execute(insert(mapped.__table__), rows)
        for mapped, rows in self.changes.items():
            if rows:
                table = mapped.__table__
                values = {name: bindparam(name) for name in rows[0] if name != "key"}
                statement = update(table).where(table.c.id == bindparam("key")).values(values)
                connection.execute(statement, rows)


def _compare(
    plan: _Plan, entry: Entry, there: _Present, registered: _Registered, penalty: Penalty | None
) -> None:
    """Add to the plan what nbgrader would make of the entry and the gradebook does not have."""
    timestamp = there.timestamp if entry.timestamp is None else parse_utc(entry.timestamp)
    scores, comments = _scores(entry, there, registered), _comments(entry, there, registered)
    anew = (
        entry.fresh
        or timestamp != there.timestamp
        or any(
            cell not in there.grades or there.grades[cell].auto_score != score
            for cell, score in scores.items()
        )
        or any(
            cell not in there.comments or there.comments[cell].auto_comment != text
            for cell, text in comments.items()
        )
    )

    submission, paper = there.id, there.notebook
    if submission is None:
        submission = plan.add(
            SubmittedAssignment,
            assignment_id=registered.assignment,
            student_id=entry.student,
            timestamp=timestamp,
        )
    elif timestamp != there.timestamp:
        plan.change(SubmittedAssignment, submission, timestamp=timestamp)

    total = []
    for cell, score in scores.items():
        row = there.grades.get(cell)
        manual, extra = (row.manual_score, row.extra_credit) if row else (None, None)
        total.append(_counted(score, manual, extra))

    late = _late(timestamp, there.extension, registered.duedate)
    points = there.penalty
    if penalty is not None and not entry.missing:
        points = penalty(entry.student, math.fsum(total), late) if late > 0 else None
    if paper is None:
        paper = plan.add(
            SubmittedNotebook,
            assignment_id=submission,
            notebook_id=registered.notebook,
            flagged=False,
            late_submission_penalty=points,
        )
    elif points != there.penalty:
        plan.change(SubmittedNotebook, paper, late_submission_penalty=points)

    tasks = set(registered.tasks.values())
    for cell, score in scores.items():
        row = there.grades.get(cell)
        needs = _needs(score, row, anew, entry.missing, cell in tasks)
        if row is None:
            plan.add(
                Grade,
                id=_id_in(paper, cell),
                cell_id=cell,
                notebook_id=paper,
                auto_score=score,
                needs_manual_grade=needs,
            )
        elif (score, needs) != (row.auto_score, row.needs_manual_grade):
            plan.change(Grade, row.id, auto_score=score, needs_manual_grade=needs)
    for cell, text in comments.items():
        row = there.comments.get(cell)
        if row is None:
            plan.add(
                Comment, id=_id_in(paper, cell), cell_id=cell, notebook_id=paper, auto_comment=text
            )
        elif text != row.auto_comment:
            plan.change(Comment, row.id, auto_comment=text)


def _id_in(paper: str, cell: str) -> str:
    """An id for a row of one cell in one submission's notebook.

    As random as nbgrader's, but the rows of a notebook lie side by side in the table's index:
    otherwise every row would touch a page of its own, and a large class would cost more a head.
    """
    return paper[:16] + cell[:16]


def _scores(entry: Entry, there: _Present, registered: _Registered) -> dict[str, float | None]:
    """The automatic score of every graded cell; None where a person has to give one."""
    if entry.missing:
        return dict.fromkeys(registered.graded, 0.0)
    scores: dict[str, float | None] = {
        cell: float(entry.points[name]) for name, (cell, _) in registered.tested.items()
    }
    for name, cell in registered.by_hand.items():
        scores[cell] = None if entry.answered[name] else 0.0
    for cell in registered.tasks.values():  # nbgrader never scores a task
        scores[cell] = there.grades[cell].auto_score if cell in there.grades else None
    return scores


def _comments(entry: Entry, there: _Present, registered: _Registered) -> dict[str, str | None]:
    """The automatic comment of every cell that has one."""
    comments = {}
    for name, cell in registered.solutions.items():
        row = there.comments.get(cell)
        comments[cell] = row.auto_comment if row else None
        if name in entry.answered and not entry.missing:
            comments[cell] = None if entry.answered[name] else NO_RESPONSE
    for cell in registered.tasks.values():
        comments[cell] = None
    return comments


def _needs(score: float | None, row, anew: bool, missing: bool, task: bool) -> bool:
    """Whether a cell waits for a person: ``SaveAutoGrades._add_score`` and ``autograde.py``."""
    if missing:
        return False
    if row is None:
        return score is None
    if task:
        return row.needs_manual_grade
    if row.manual_score is None:
        return score is None
    return anew or row.needs_manual_grade


def _counted(auto: float | None, manual: float | None, extra: float | None) -> float:
    """What counts: ``nbgrader.api.Grade.score``."""
    if manual is None and auto is None:
        return 0.0
    return (auto if manual is None else manual) + (extra or 0.0)


def _late(handed_in: datetime | None, extension: timedelta | None, due: datetime | None) -> float:
    """Seconds past the deadline: ``nbgrader.api.SubmittedAssignment.total_seconds_late``."""
    if handed_in is None or due is None:
        return 0.0
    return max(0.0, (handed_in - due - (extension or timedelta())).total_seconds())


# Opening the database, and what can go wrong with it


def _parsed(url: str):
    try:
        return make_url(url)
    except ArgumentError:
        raise CourseError(
            f"{url!r} is no address of a database. Set c.CourseDirectory.db_url in "
            "nbgrader_config.py, for instance to postgresql://user:password@host/database, or "
            "leave it out."
        ) from None


def _require_file(url) -> None:
    if not url.database or not os.path.isfile(url.database):
        raise CourseError(
            f"There is no gradebook {url.database or ''} yet. Register the assignment first: "
            "nbgrader generate_assignment NAME"
        )


def _engine(url) -> Engine:
    """An engine in which a transaction that writes keeps everybody else from writing."""
    backend = url.get_backend_name()
    options: dict[str, Any] = {"pool_pre_ping": True}
    if backend == "sqlite":
        # mode=rw: a file that vanishes is an error, where SQLite would make an empty one.
        path = quote(os.path.abspath(url.database))
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


def _is_lock(error: DBAPIError) -> bool:
    """Locked by another program: SQLITE_BUSY and SQLITE_LOCKED; PostgreSQL's lock timeout,
    deadlock and serialization failure."""
    code, state = _codes(error)
    return code in (5, 6) or state in ("55P03", "40P01", "40001")


def _explained(error: SQLAlchemyError, where: str, assignment: str) -> str:
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


def _names(names: list[str], most: int = 8) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
