"""Writing batch by batch, each all or nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from nbgrader.api import Student
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from autograder.grading.graded import Entry
from autograder.material.config import CourseError
from autograder.outlets.gradebook.database import (
    SAFE,
    engine_for,
    explained,
    is_lock,
    named,
    parsed,
    require_file,
)
from autograder.outlets.gradebook.plan import Plan, compare
from autograder.outlets.gradebook.settings import Penalty
from autograder.outlets.gradebook.state import (
    Present,
    known_students,
    present_of,
    registered_as,
)


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
        address = parsed(url)
        self.where = address.database or address.render_as_string()
        if address.get_backend_name() == "sqlite":
            require_file(address)
        else:
            self.where = address.render_as_string(hide_password=True)
        self._engine = engine_for(address)
        try:
            self._transaction(lambda connection: registered_as(connection, assignment))
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
        writing = any(entry.fresh for entry in batch.values())  # they are sure to be written
        if not writing:
            plan = self._transaction(lambda connection: self._plan(connection, batch))
            writing = bool(plan.new or plan.changed)
        if writing:  # only now is it worth keeping others from writing
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
            plan = self._transaction(partial(self._plan, batch=batch))
            differ = {*plan.new, *plan.changed, *plan.refused}
            found += [entry for student, entry in batch.items() if student in differ]
        return found

    def finish(self) -> None:
        """Raise CourseError where entries were refused: they do not fit what is registered."""
        if not self.refused:
            return
        reasons = "; ".join(f"{why} ({named(who)})" for why, who in self.refused.items())
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
                if not is_lock(error):
                    raise CourseError(explained(error, self.where, self.assignment)) from error
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
                raise CourseError(explained(error, self.where, self.assignment)) from error

    def _plan(self, connection: Connection, batch: Mapping[str, Entry]) -> Plan:
        """What to write so that the gradebook agrees with the batch."""
        registered = registered_as(connection, self.assignment)
        plan, fitting = Plan(), []
        for student, entry in batch.items():
            if reason := registered.objection(entry):
                plan.refused[student] = reason
            else:
                fitting.append(entry)
        present = present_of(connection, registered, [entry.student for entry in fitting])
        known = known_students(connection, [e.student for e in fitting if e.student not in present])
        for entry in fitting:
            there = present.get(entry.student)
            if there is None and entry.student not in known:
                plan.add(Student, id=entry.student)
            before = plan.size
            compare(plan, entry, there or Present(), registered, self.penalty)
            if there is None:
                plan.new.append(entry.student)
            elif plan.size > before:
                plan.changed.append(entry.student)
        return plan

    def _write(self, connection: Connection, batch: Mapping[str, Entry]) -> Plan:
        plan = self._plan(connection, batch)
        plan.execute(connection)
        return plan
