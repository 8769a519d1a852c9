"""Reads `text/event-stream` as the HTML standard defines it, one chunk of bytes at a time.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from .errors import BadAnswer

MAX_EVENT_SIZE = 16 * 1024 * 1024
"""Most characters of one event; the largest of ours holds a response and its JSON escapes."""


@dataclass(frozen=True)
class ServerSentEvent:
    """One dispatched event. `id` is the last one that the stream gave, also by an earlier event."""

    data: str
    event: str = "message"
    id: str = ""


class EventStream:
    """Turns chunks of bytes into events, wherever the chunks are cut.

    `last_id` is the id to resume after; `retry_seconds` the reconnection time that the stream
    asked for, if it did. What no empty line ended when the stream ends is dropped, as the
    standard says.
    """

    def __init__(self, *, max_event_size: int = MAX_EVENT_SIZE) -> None:
        """`max_event_size` limits the lines of one event together, and so each line, too."""
        self.last_id = ""
        self.retry_seconds: float | None = None
        self._limit = max_event_size
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._at_start = True
        self._after_cr = False
        self._partial: list[str] = []
        self._partial_size = 0
        self._size = 0
        self._data: list[str] = []
        self._event = ""
        self._id = ""

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that this chunk completes, in order. BadAnswer when one is too large."""
        text = self._normal(self._decoder.decode(chunk))
        first, *others = text.split("\n")
        self._keep(first)
        if not others:
            return []
        lines = ["".join(self._partial), *others[:-1]]
        self._partial, self._partial_size = [], 0
        events = [event for line in lines if (event := self._take(line)) is not None]
        self._keep(others[-1])
        return events

    def _normal(self, text: str) -> str:
        """Every line end as LF, no byte order mark. CR LF may be cut between two chunks."""
        if not text:
            return ""
        if self._at_start:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        if self._after_cr:
            text = text.removeprefix("\n")
        self._after_cr = text.endswith("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _keep(self, part: str) -> None:
        self._partial.append(part)
        self._partial_size += len(part)
        self._check(self._partial_size + self._size)

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise BadAnswer(f"The server sent an event of more than {self._limit} characters.")

    def _take(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        if not line.startswith(":"):
            self._size += len(line)
            self._check(self._size)
            name, _, value = line.partition(":")
            self._field(name, value.removeprefix(" "))
        return None

    def _field(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_seconds = int(value[:9]) / 1000

    def _dispatch(self) -> ServerSentEvent | None:
        data, event = self._data, self._event
        self._data, self._event, self._size = [], "", 0
        self.last_id = self._id
        if not data:
            return None
        return ServerSentEvent(data="\n".join(data), event=event or "message", id=self._id)
