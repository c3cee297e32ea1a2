"""The player: runs a student's code and reports plain data.

Nothing in this package knows a reference, an answer or a number of points; it imports only
``autograder.player.contract``. ``observe`` is all that a check in Jupyter needs; the rest runs whole
notebooks in a confined process, apart from the judge.
"""
