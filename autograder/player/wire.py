"""How judge and player talk: frames of JSON and raw arrays over a socket.

A frame is ``GMw1``, the length of the JSON part and the length of the data part (both unsigned
32-bit, big endian), then the two parts. Arrays lie in the data part, one after the other, in C
order and little endian; in the JSON part each is ``{"~array": [dtype, shape, offset]}``. Only the
dtypes of ``DTYPES`` exist, so nothing that is read can run code, and everything that is read is
checked against limits before memory is taken for it.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Mapping

import numpy as np

MAGIC = b"GMw1"
HEAD = struct.Struct(">4sII")

MOST_JSON = 16 << 20
MOST_DATA = 64 << 20
"""Bytes of the two parts of a frame."""

MOST_OF_AN_ARRAY = 4 << 20
"""Bytes. A larger array, which no exercise asks for, travels as its shape and dtype alone."""

DTYPES = frozenset("?bBhHiIlLqQefdFD")
"""Characters of the NumPy dtypes that may travel: numbers of fixed size and truth values."""

_BY_NAME = {dtype.str: dtype for dtype in (np.dtype(c).newbyteorder("<") for c in DTYPES)}
"""The dtypes by their names on the wire."""


class WireError(Exception):
    """A frame that breaks the format; the other side can no longer be understood."""


class Closed(Exception):
    """The other side is gone."""


class TooLate(Exception):
    """The other side did not answer in time."""


def encode(message: Mapping) -> bytes:
    """A frame. ``message`` holds JSON values and, anywhere, arrays; tuples become lists."""
    parts: list[bytes] = []
    size = 0

    def plain(value):
        nonlocal size
        if isinstance(value, np.ndarray):
            if value.dtype.char not in DTYPES:  # long double and the like: the next best
                value = value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)
            dtype = value.dtype.newbyteorder("<")
            if value.nbytes > MOST_OF_AN_ARRAY:
                return {"~array": [dtype.str, value.shape, None]}
            parts.append(value.astype(dtype, order="C", copy=False).tobytes())
            size += len(parts[-1])
            return {"~array": [dtype.str, value.shape, size - len(parts[-1])]}
        if isinstance(value, Mapping):
            return dict(value)
        if isinstance(value, np.generic):
            return value.item()
        raise TypeError(f"a {type(value).__name__} in a message")

    text = json.dumps(message, default=plain).encode()
    return HEAD.pack(MAGIC, len(text), size) + text + b"".join(parts)


def decode(text: bytes, data: bytes) -> dict:
    """The message of a frame's two parts; raises WireError for everything that is not one."""

    def array(spec) -> np.ndarray:
        kind, shape, offset = spec
        dtype = _BY_NAME.get(kind)
        if dtype is None:
            raise WireError(f"an array of {kind!r:.40}")
        if len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
            raise WireError("an array of impossible shape")
        if offset is None:
            return np.broadcast_to(np.zeros((), dtype), shape)
        count = math.prod(shape)
        length = count * dtype.itemsize
        if type(offset) is not int or offset < 0 or offset + length > len(data):
            raise WireError("an array beyond the end of its frame")
        return np.frombuffer(data, dtype, count, offset).reshape(shape)

    def revive(found):
        return array(found["~array"]) if "~array" in found and len(found) == 1 else found

    try:
        message = json.loads(text, object_hook=revive)
    except WireError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise WireError(f"{type(error).__name__} in a frame") from error
    if not isinstance(message, dict):
        raise WireError("a frame without a message")
    return message


class Channel:
    """One end of a socket on which frames travel."""

    def __init__(self, end: socket.socket):
        self.socket = end
        self._read = bytearray()

    def send(self, message: Mapping, seconds: float | None = None) -> None:
        """Send a message; raises Closed or TooLate."""
        self.send_frame(encode(message), seconds)

    def send_frame(self, frame: bytes, seconds: float | None = None) -> None:
        """Send what ``encode`` made; raises Closed or TooLate."""
        self.socket.settimeout(seconds)
        try:
            self.socket.sendall(frame)
        except TimeoutError as error:
            raise TooLate from error
        except OSError as error:
            raise Closed from error

    def receive(self, seconds: float | None = None) -> dict:
        """The next message; raises Closed, TooLate (after ``seconds``) or WireError."""
        deadline = None if seconds is None else time.monotonic() + seconds
        magic, json_length, data_length = HEAD.unpack(self._exactly(HEAD.size, deadline))
        if magic != MAGIC or json_length > MOST_JSON or data_length > MOST_DATA:
            raise WireError("bytes that are no frame")
        text = self._exactly(json_length, deadline)
        return decode(text, self._exactly(data_length, deadline))

    def _exactly(self, length: int, deadline: float | None) -> bytes:
        while len(self._read) < length:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TooLate
            self.socket.settimeout(left)
            try:
                # More than is asked for: small frames come in bunches.
                piece = self.socket.recv(1 << 18)
            except TimeoutError as error:
                raise TooLate from error
            except OSError as error:
                raise Closed from error
            if not piece:
                raise Closed
            self._read += piece
        found = bytes(self._read[:length])
        del self._read[:length]
        return found

    def close(self) -> None:
        """Close the socket; the other side then gets Closed."""
        self.socket.close()
