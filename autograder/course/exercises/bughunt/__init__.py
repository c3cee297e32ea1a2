"""The assignment ``bughunt``: black boxes, and for each a report on what is wrong with it.

The boxes are cells of the catalogue of ``gru_step`` and two right cells that are written another
way. A report is ``(name, x, h_prev, params)``: the mistake's name in that catalogue, or
``CORRECT``, and the inputs that show it. It is not compared with a right answer, since there are
many. It is put to use: the box and the right cell are run on its inputs, and what comes out, a few
zeros and ones, is compared as any other result is.

A report on a broken box is to show the mistake with few numbers; one on a right box is to acquit
it, with inputs on which every suspect would have shown.
"""

from __future__ import annotations

from autograder.course.exercises.bughunt.records import RECORDS

EXERCISES = RECORDS
