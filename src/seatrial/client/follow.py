"""Follows a test's journal over SSE: every event once and in order, across lost connections."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from seatrial.domain.errors import PlatformError
from seatrial.domain.events import Event, is_final

from .errors import ServerUnreachable, mapped
from .sse import EventStream
from .transport import Transport

Ended = Callable[[int], Awaitable[bool]]
"""Told the last event's number: whether the journal ends there."""


@dataclass(frozen=True)
class Patience:
    """How long a lost connection is sought again, in seconds.

    Waits double from `first` up to `longest`, with up to a quarter less at random so that many
    clients of a restarted server do not come at once. After `attempts` failures without one new
    event in between, the last error is raised. A connection silent for `silence` is lost: the
    server sends a keep-alive more often than that.
    """

    first: float = 0.2
    longest: float = 5.0
    attempts: int = 10
    silence: float = 45.0

    def wait(self, failures: int) -> float:
        """Seconds before the next try, after so many failures in a row (1 or more)."""
        full = min(self.longest, self.first * 2 ** min(failures - 1, 16))
        return full * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, keeps no secret


class Follower:
    """One run over one journal. `last` is the number of the last event given."""

    def __init__(
        self, transport: Transport, path: str, *, after: int, patience: Patience, ended: Ended
    ) -> None:
        """Starts behind event `after`."""
        self._transport = transport
        self._path = path
        self._patience = patience
        self._ended = ended
        self._connected = False
        self.last = after

    async def events(self) -> AsyncGenerator[Event, None]:
        """Every event after the first one's number, until the journal's last.

        The very first connection is not sought again: its failure is raised at once.
        """
        failures = 0
        while True:
            before = self.last
            try:
                async with aclosing(self._connection()) as connection:
                    async for event in connection:
                        yield event
                        if is_final(event):
                            return
                if await self._ended(self.last):
                    return
                lost: PlatformError = ServerUnreachable("The server ended the stream too early.")
            except PlatformError as error:
                if not (self._connected and error.retryable):
                    raise
                lost = error
            failures = 1 if self.last > before else failures + 1
            if failures > self._patience.attempts:
                raise lost
            await asyncio.sleep(self._patience.wait(failures))

    async def _connection(self) -> AsyncGenerator[Event, None]:
        """New events of one connection. Repeats are dropped; at a gap the connection is lost."""
        headers = {"accept": "text/event-stream", "last-event-id": str(self.last)}
        stream = EventStream()
        async with self._transport.stream(
            self._path,
            query={"after": self.last},
            headers=headers,
            silence_seconds=self._patience.silence,
        ) as chunks:
            self._connected = True
            async for chunk in chunks:
                for sent in stream.feed(chunk):
                    event = _read(sent.data)
                    if event.number > self.last + 1:
                        raise ServerUnreachable(
                            f"Event {event.number} came after event {self.last}."
                        )
                    if event.number == self.last + 1:
                        self.last = event.number
                        yield event


def _read(data: str) -> Event:
    with mapped():
        return Event.model_validate_json(data)
