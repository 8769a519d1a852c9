"""What the relay container and the worker say to each other over one pipe.

Pieces of many connections, each behind a header: what it is, which connection, how long. A
connection is opened by the relay (`OPEN`, with the name of the socket that it came in at) and
carries bytes both ways until each side has said `END`, or either says `CUT`. Each side may have
`WINDOW_BYTES` of a connection under way; `CREDIT` gives back what the other has written out, so
one that does not read holds up nothing but itself.
"""

import struct
from typing import NamedTuple

OPEN, DATA, END, CUT, CREDIT, BEAT, READY, SERVE, CLAIMED = range(1, 10)
"""OPEN and READY come from the relay only, SERVE and CLAIMED from the worker only.

SERVE carries the claim token: make it a file (none if it is empty), then open the sockets.
READY: they are open. CLAIMED: remove the file. BEAT: the worker lives.
"""

GATEWAY, CHANNEL = b"gateway", b"channel"
"""The sockets' names: each is served as `<name>.sock`."""

PIECE_BYTES = 64 * 1024
WINDOW_BYTES = 256 * 1024
BEAT_SECONDS = 2.0

_HEADER = struct.Struct(">BII")
_CREDIT = struct.Struct(">I")


class TunnelError(ValueError):
    """What came is not of this protocol."""


class Piece(NamedTuple):
    """One message."""

    kind: int
    stream: int
    data: bytes


def encode(kind: int, stream: int = 0, data: bytes = b"") -> bytes:
    """The message as bytes."""
    return _HEADER.pack(kind, stream, len(data)) + data


def credit(stream: int, size: int) -> bytes:
    """That so many bytes of a connection were written out."""
    return encode(CREDIT, stream, _CREDIT.pack(size))


def credited(data: bytes) -> int:
    """How many bytes a CREDIT gives back."""
    if len(data) != _CREDIT.size:
        raise TunnelError("a credit of a wrong length")
    return int(_CREDIT.unpack(data)[0])


class Decoder:
    """Bytes in, whole messages out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Piece]:
        """The messages that these bytes complete. TunnelError for what cannot be one."""
        self._buffer += data
        found: list[Piece] = []
        start = 0
        while len(self._buffer) - start >= _HEADER.size:
            kind, stream, size = _HEADER.unpack_from(self._buffer, start)
            if not OPEN <= kind <= CLAIMED or size > PIECE_BYTES:
                raise TunnelError(f"message {kind} of {size} bytes")
            end = start + _HEADER.size + size
            if len(self._buffer) < end:
                break
            found.append(Piece(kind, stream, bytes(self._buffer[start + _HEADER.size : end])))
            start = end
        del self._buffer[:start]
        return found


class Owed:
    """Counts what was written out of one connection and when to give it back."""

    def __init__(self) -> None:
        self._bytes = 0

    def add(self, size: int) -> int:
        """How much to give back now; small amounts wait for more."""
        self._bytes += size
        if self._bytes < WINDOW_BYTES // 4:
            return 0
        due, self._bytes = self._bytes, 0
        return due
