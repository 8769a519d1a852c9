"""Reads usage from an answer that passes by, without touching a byte of it.

A tap gets every chunk after it was sent on. It keeps a bounded amount; what does not fit or
cannot be read is unknown, never guessed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from . import eventstream
from .providers.base import Read, Reading, merged, parse_object

MAX_BODY = 8 * 1024 * 1024
"""Bytes of a JSON answer that are kept to read its usage."""

MAX_LINE = 1024 * 1024
"""Bytes of one line of a stream that are kept."""


class Tap(Protocol):
    """Watches the body of one answer."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        ...

    def end(self) -> Reading:
        """What the answer said; call it once, after the last byte.

        `complete` is False only when a stream is known to lack its protocol's end.
        """
        ...


class BodyTap:
    """One JSON object."""

    def __init__(self, read: Read, *, delimited: bool = True) -> None:
        """`delimited` tells that HTTP itself knows whether the body is whole."""
        self._read = read
        self._delimited = delimited
        self._body = bytearray()
        self._fits = True

    def feed(self, chunk: bytes) -> None:
        """See Tap."""
        if self._fits and len(self._body) + len(chunk) <= MAX_BODY:
            self._body += chunk
        else:
            self._fits = False
            self._body.clear()

    def end(self) -> Reading:
        """See Tap. A body whose end is that of its connection is whole when it can be read."""
        value = parse_object(bytes(self._body)) if self._fits else None
        reading = self._read(value) if value is not None else Reading()
        whole = self._delimited or not self._fits or value is not None
        return replace(reading, complete=whole)


class LineTap:
    """A stream of lines, each of which may hold a JSON object: NDJSON, or SSE with `data:`."""

    def __init__(self, read: Read, *, sse: bool) -> None:
        self._read = read
        self._sse = sse
        self._line = bytearray()
        self._skipping = False
        self._blind = False
        self._reading = Reading()

    def feed(self, chunk: bytes) -> None:
        """See Tap."""
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            self._keep(piece)
            self._finish_line()
        self._keep(rest)

    def end(self) -> Reading:
        """See Tap. A line too long to be read may have been the end: then it counts as one."""
        self._finish_line()
        return merged(self._reading, Reading(complete=self._blind))

    def _keep(self, piece: bytes) -> None:
        if self._skipping or len(self._line) + len(piece) > MAX_LINE:
            self._skipping = self._blind = True
            self._line.clear()
        else:
            self._line += piece

    def _finish_line(self) -> None:
        line = bytes(self._line).strip()
        self._line.clear()
        self._skipping = False
        if self._sse:
            if not line.startswith(b"data:"):
                return
            line = line.removeprefix(b"data:").strip()
            if line == b"[DONE]":
                self._reading = merged(self._reading, Reading(complete=True))
                return
        value = parse_object(line)
        if value is not None:
            self._reading = merged(self._reading, self._read(value))


def tap_for(content_type: str, read: Read, *, delimited: bool = True) -> Tap | None:
    """The tap for an answer of that type; None when it is of no type that can be read.

    `delimited` tells that HTTP itself knows where the answer ends.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        return LineTap(read, sse=True)
    if kind in {"application/x-ndjson", "application/jsonl"}:
        return LineTap(read, sse=False)
    if kind == eventstream.CONTENT_TYPE:
        return eventstream.EventStreamTap(read)
    if kind == "application/json":
        return BodyTap(read, delimited=delimited)
    return None
