"""Streams of server-sent events; most are a journal.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from seatrial.domain.errors import SeatrialError
from seatrial.domain.events import Event

from .deps import ServerDeps
from .metrics import ServerMetrics

_LOG = logging.getLogger(__name__)

_KEEP_ALIVE = b": keep-alive\n\n"
_START = b"retry: 1000\n\n"
_WRITE_BYTES = 64 * 1024
_GOODBYE_SECONDS = 1.0

T = TypeVar("T")


def encode(events: Sequence[Event]) -> Iterator[bytes]:
    """The events as few writes of about 64 KB.

    JSON has no raw line ends, so one `data:` line holds it all.
    """
    parts: list[str] = []
    size = 0
    for event in events:
        part = f"id: {event.number}\nevent: {event.data.kind}\ndata: {event.model_dump_json()}\n\n"
        parts.append(part)
        size += len(part)
        if size >= _WRITE_BYTES:
            yield "".join(parts).encode()
            parts, size = [], 0
    if parts:
        yield "".join(parts).encode()


class EventStream(Response, Generic[T]):
    """Sends batches as they come, until they end, the client leaves or the server stops.

    With `seconds`, no longer than that: then the leave to read it ends.

    A client that reads slowly holds up its own stream alone: nothing more is read
    until the last write has gone out. In silence, a comment is sent every so often.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        batches: AsyncGenerator[T, None],
        encode: Callable[[T], Iterable[bytes]],
        deps: ServerDeps,
        metrics: ServerMetrics,
        *,
        reader: str,
        seconds: float | None = None,
    ) -> None:
        """`batches` belongs to the response and is closed by it; `encode` writes one as events.

        `reader` is whose share of the open streams it takes.
        """
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._batches = batches
        self._encode = encode
        self._keep_alive = deps.keep_alive_seconds
        self._stopping = deps.stopping
        self._metrics = metrics
        self._open = deps.streams
        self._reader = reader
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request. Raises: StreamsShareFull, StreamsFull before the answer begins."""
        try:
            with self._open.one(self._reader), self._metrics.streams.track_inprogress():
                head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                await send(head)
                gone = await self._until_over(receive, send)
        finally:
            await self._batches.aclose()
        if not gone:
            # A client that does not read would hold up the server's end for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await send({"type": "http.response.body", "body": b""})

    async def _until_over(self, receive: Receive, send: Send) -> bool:
        """Stream until it is over; whether the client is gone."""
        pump = asyncio.create_task(self._pump(send))
        gone = asyncio.create_task(_disconnected(receive))
        stop = asyncio.create_task(self._stopping.wait())
        tasks = (pump, gone, stop)
        try:
            await asyncio.wait(tasks, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            return gone.done()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._batches.aclose()
            _tell(pump)

    async def _pump(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": _START, "more_body": True})
        while True:
            following = asyncio.ensure_future(anext(self._batches, None))
            try:
                batch = await self._patiently(following, send)
            finally:
                following.cancel()
                await asyncio.wait({following})
            if batch is None:
                return
            for chunk in self._encode(batch):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _patiently(self, following: asyncio.Future[T | None], send: Send) -> T | None:
        """The next batch; keep-alives while there is none."""
        while True:
            done, _ = await asyncio.wait({following}, timeout=self._keep_alive)
            if done:
                return following.result()
            await send({"type": "http.response.body", "body": _KEEP_ALIVE, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _tell(pump: asyncio.Task[None]) -> None:
    """What ended the stream early, if anything did. The client resumes behind its last event."""
    error = None if pump.cancelled() else pump.exception()
    if isinstance(error, SeatrialError | OSError):
        _LOG.info("an event stream ended early: %s", error)
    elif error is not None:
        _LOG.error("an event stream failed", exc_info=error)
