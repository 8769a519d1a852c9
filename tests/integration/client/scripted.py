"""A small real HTTP server whose event stream does what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from seatrial.client import AsyncClient
from seatrial.client.follow import Patience
from seatrial.domain.events import Event, EventData, LogEvent, PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = Patience(first=0.001, longest=0.01, attempts=5, silence=5.0)


def journal(logs: int) -> list[Event]:
    """A journal of so many log events and its end."""
    data: list[EventData] = [LogEvent(stream="stdout", text=f"line {n}\n") for n in range(logs)]
    data.append(PhaseEvent(phase=Phase.COMPLETED, outcome=Outcome.SUCCEEDED))
    return [Event(number=number, at=NOW, data=one) for number, one in enumerate(data, 1)]


def as_stream(events: Sequence[Event]) -> bytes:
    """What the server sends for these events."""
    return b"".join(
        f"id: {event.number}\ndata: {event.model_dump_json()}\n\n".encode() for event in events
    )


Script = Callable[[int, int], bytes | int]
"""Told the number of the connection (from 0) and Last-Event-ID: the bytes to send before the
connection is cut, or the status to answer with."""


@dataclass
class Scripted:
    """The server's view: what the stream was asked for."""

    events: list[Event]
    script: Script
    completed: bool = True
    resumed_after: list[int] = field(default_factory=list[int])
    on_connection: Callable[[], None] = lambda: None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            if "accept: text/event-stream" in head:
                self._stream(head, writer)
            else:
                body = self._test().model_dump_json().encode()
                writer.write(_head(200, f"content-length: {len(body)}") + body)
            await writer.drain()
        finally:
            writer.close()

    def _stream(self, head: str, writer: asyncio.StreamWriter) -> None:
        after = int(head.partition("last-event-id: ")[2].partition("\r")[0])
        self.resumed_after.append(after)
        self.on_connection()
        sent = self.script(len(self.resumed_after) - 1, after)
        if isinstance(sent, int):
            writer.write(_head(sent, "content-length: 0"))
        else:
            writer.write(_head(200, "content-type: text/event-stream") + sent)

    def _test(self) -> Test:
        return Test(
            id="t1",
            owner="",
            request=TestRequest(files={"agent.py": ""}, query="q"),
            phase=Phase.COMPLETED if self.completed else Phase.RUNNING,
            last_event=len(self.events),
            created_at=NOW,
        )


def _head(status: int, header: str) -> bytes:
    return f"HTTP/1.1 {status} X\r\nconnection: close\r\n{header}\r\n\r\n".encode()


@asynccontextmanager
async def serving(
    scripted: Scripted, patience: Patience = QUICK
) -> AsyncGenerator[AsyncClient, None]:
    """A client of the scripted server."""
    server = await asyncio.start_server(scripted.answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with AsyncClient(f"http://127.0.0.1:{port}", patience=patience) as client:
            yield client
