"""Writes one attempt's events and keeps the record that they add up to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from seatrial.domain.errors import StoreUnavailable
from seatrial.domain.events import EventData
from seatrial.domain.ports import Queue
from seatrial.domain.record import AttemptRecord

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0

Answer = TypeVar("Answer")


class AttemptJournal:
    """The journal as one attempt writes it: in order, and patient with a lost database.

    Every write raises AttemptLost when the attempt is no longer ours.
    """

    def __init__(
        self, queue: Queue, test_id: str, attempt: int, record: AttemptRecord | None = None
    ) -> None:
        """`record` is what a former worker's part of the journal adds up to."""
        self.record = record or AttemptRecord()
        self._queue = queue
        self._test_id = test_id
        self._attempt = attempt
        self._turn = asyncio.Lock()

    async def add(self, events: Sequence[EventData], *, frame: int | None = None) -> None:
        """Store the events, then fold them into the record."""
        if not events and frame is None:
            return
        async with self._turn:
            last = await patiently(
                lambda: self._queue.append(self._test_id, self._attempt, events, frame=frame)
            )
            first = last - len(events) + 1
            now = datetime.now(UTC)
            for number, data in enumerate(events, start=first):
                self.record = self.record.with_event(number, data, now)


async def patiently(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Repeat a call until the database answers and has room; the harness holds its output."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await call()
        except StoreUnavailable as error:
            if pause == _FIRST_PAUSE_SECONDS:
                log.warning("waiting for the database: %s", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
