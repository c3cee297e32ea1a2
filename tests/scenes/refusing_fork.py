"""Imported by the process that forks workers, it lets it fork a few, over all its lives, and then
refuses, as a machine does that has no room for another process, and says so in a named pipe."""

import errno
import os

_fork = os.fork
_told: list[int] = []
"""The named pipe's descriptor, kept open: what stands in it would be lost otherwise."""


def _fork_while_there_is_room() -> int:
    with open(os.environ["FORKS"], "r+b") as file:
        left = int(file.read())
        if not left:
            _told[:] = _told or [os.open(f"{file.name}.refused", os.O_RDWR)]
            os.write(_told[0], b".")
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        file.seek(0)
        file.write(str(left - 1).encode())
    return _fork()


if "FORKS" in os.environ:
    os.fork = _fork_while_there_is_room
