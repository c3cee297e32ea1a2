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

from autograder.grading.graded import Entry
from autograder.outlets.gradebook.database import SAFE
from autograder.outlets.gradebook.plan import NO_RESPONSE
from autograder.outlets.gradebook.settings import Penalty, gradebook_url, late_penalty
from autograder.outlets.gradebook.writer import Counts, Writer, sync

__all__ = [
    "NO_RESPONSE",
    "SAFE",
    "Counts",
    "Entry",
    "Penalty",
    "Writer",
    "gradebook_url",
    "late_penalty",
    "sync",
]
