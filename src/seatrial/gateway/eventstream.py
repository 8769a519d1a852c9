"""AWS event streams (`application/vnd.amazon.eventstream`): reads the messages as they pass.

A message is: total length and header length (4 bytes each, big endian), their CRC, headers,
payload, CRC of it all. The sums are left to the client: nothing here changes a byte.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

from .providers.base import JsonObject, Read, Reading, merged, parse_object

CONTENT_TYPE = "application/vnd.amazon.eventstream"

MAX_MESSAGE = 1024 * 1024
"""Bytes of a message that is read; a longer one passes unread."""

_PRELUDE = 12
_CRC = 4
_STRING = 7
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


class EventStreamTap:
    """See seatrial.gateway.taps.Tap. `read` gets each message as `{event type: payload}`."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._buffer = bytearray()
        self._skip = 0
        self._blind = False
        self._lost = False
        self._reading = Reading()

    def feed(self, chunk: bytes) -> None:
        """See Tap."""
        if self._lost:
            return
        skipped = min(self._skip, len(chunk))
        self._skip -= skipped
        self._buffer += chunk[skipped:]
        while len(self._buffer) >= _PRELUDE and not self._skip:
            total = int.from_bytes(self._buffer[:4], "big")
            if total < _PRELUDE + _CRC:
                self._give_up(0)
            elif total > MAX_MESSAGE:
                self._give_up(total)
            elif len(self._buffer) < total:
                return
            else:
                self._take(bytes(self._buffer[:total]))
                del self._buffer[:total]

    def end(self) -> Reading:
        """See Tap. A message that was cut is an end that is missing."""
        if self._blind and not self._skip:
            return replace(self._reading, complete=True)
        return replace(self._reading, complete=False) if self._cut else self._reading

    @property
    def _cut(self) -> bool:
        return bool(self._buffer or self._skip)

    def _give_up(self, total: int) -> None:
        """Pass over a message; over everything that follows when its length makes no sense."""
        self._blind = True
        self._lost = total == 0
        self._skip = max(0, total - len(self._buffer))
        del self._buffer[: total or len(self._buffer)]

    def _take(self, message: bytes) -> None:
        value = decoded(message)
        if value is not None:
            self._reading = merged(self._reading, self._read(value))


def decoded(message: bytes) -> JsonObject | None:
    """`{event type: payload}` of one whole message; an exception is under `exception`."""
    headers_length = int.from_bytes(message[4:8], "big")
    try:
        headers = _headers(message[_PRELUDE : _PRELUDE + headers_length])
    except (struct.error, KeyError, IndexError, UnicodeDecodeError):
        return None
    payload = parse_object(message[_PRELUDE + headers_length : -_CRC]) or {}
    if headers.get(":message-type") in {"exception", "error"}:
        kind = headers.get(":exception-type") or headers.get(":error-code") or "exception"
        message_text = payload.get("message") or headers.get(":error-message") or kind
        return {"exception": {"type": kind, "message": message_text}}
    return {headers.get(":event-type", ""): payload}


def _headers(data: bytes) -> Mapping[str, str]:
    """The string headers; those of other types are passed over."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        length = data[at]
        name = data[at + 1 : at + 1 + length].decode()
        kind = data[at + 1 + length]
        at += length + 2
        size = _SIZES.get(kind)
        if size is None:
            (size,) = struct.unpack_from("!H", data, at)
            at += 2
        if kind == _STRING:
            found[name] = data[at : at + size].decode()
        at += size
    return found
