"""Writes one attempt's events and keeps the record that they add up to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from seatrial.domain.builds import Build
from seatrial.domain.errors import StoreUnavailable
from seatrial.domain.events import CleanupEvent, EventData, FailureEvent
from seatrial.domain.ports import Queue
from seatrial.domain.receipts import receipt_of
from seatrial.domain.record import AttemptRecord
from seatrial.domain.redaction import Redactor
from seatrial.domain.tests import Claim, Completion

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0

Answer = TypeVar("Answer")


class AttemptJournal:
    """The journal as one attempt writes it: in order, and patient with a lost database.

    Everything of the attempt that is stored goes through here and is redacted first. Every
    write raises AttemptLost when the attempt is no longer ours.
    """

    def __init__(
        self,
        queue: Queue,
        claim: Claim,
        redactor: Redactor,
        record: AttemptRecord | None = None,
        *,
        unenforced: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """`record` is what a former worker's part of the journal adds up to.

        `unenforced` returns the limits that the engine does not enforce, for the receipt.
        """
        self.record = record or AttemptRecord()
        self._queue = queue
        self._test_id = claim.test_id
        self._attempt = claim.attempt
        self._allow = claim.request.allow
        self._last: int | None = claim.last_event
        """The journal's last number; None while a call is under way that may be cancelled."""
        self._redactor = redactor
        self._unenforced = unenforced
        self._turn = asyncio.Lock()

    async def add(self, events: Sequence[EventData], *, frame: int | None = None) -> None:
        """Store the events, then fold them into the record.

        A piece of output that may begin a secret is stored with what follows it. Should this
        worker die meanwhile, that piece is lost.
        """
        if not events and frame is None:
            return
        async with self._turn:
            await self._store(self._redactor.clean(events), frame)

    async def flush(self) -> None:
        """Store what is held back: nothing follows it."""
        async with self._turn:
            if rest := self._redactor.end():
                await self._store(rest, None)

    def forget_build(self) -> None:
        """The environment stands: what its build said proves no failure any more."""
        self.record = replace(self.record, build_tail=())

    async def start_running(self, environment: str | None, build: Build | None = None) -> None:
        """Enter the phase `running` on that build."""
        async with self._turn:
            self._last = None
            self._last = await patiently(
                lambda: self._queue.start_running(
                    self._test_id, self._attempt, environment=environment, build=build
                )
            )

    async def complete(
        self, completion: Completion, cleanup: CleanupEvent, exposed: Mapping[str, str]
    ) -> None:
        """Write the end: the failure, what was removed, and the receipt.

        `exposed` are the variables in which the agent had stored secrets.
        """
        why = [FailureEvent(failure=completion.failure)] if completion.failure else []
        events = [*self._redactor.end(), *self._redactor.clean(why)]
        told = next((e.failure for e in events if isinstance(e, FailureEvent)), None)
        last = self._with_receipt(cleanup, exposed)
        ended = completion.model_copy(update={"failure": told, "receipt": last.receipt})
        await patiently(
            lambda: self._queue.complete(self._test_id, self._attempt, ended, [*events, last])
        )

    async def requeue(self, reason: str, cleanup: CleanupEvent, exposed: Mapping[str, str]) -> None:
        """Give the test back, with what was removed and the attempt's receipt.

        Not patient: StoreUnavailable is the caller's.
        """
        rest = self._redactor.end()
        told = self._redactor.text("failure", reason)
        events = [*rest, self._with_receipt(cleanup, exposed)]
        await self._queue.requeue(self._test_id, self._attempt, reason=told, events=events)

    def _with_receipt(self, cleanup: CleanupEvent, exposed: Mapping[str, str]) -> CleanupEvent:
        used = self.record.used_allowances
        receipt = receipt_of(
            self._redactor.leaks(),
            dict(exposed),
            removed=cleanup.removed,
            left=cleanup.left,
            allowed={entry: entry in used for entry in self._allow},
            unenforced=self._unenforced(),
        )
        return cleanup.model_copy(update={"receipt": receipt})

    async def _store(self, events: Sequence[EventData], frame: int | None) -> None:
        if not events and frame is None:
            return
        after, self._last = self._last, None
        last = await patiently(
            lambda: self._queue.append(
                self._test_id, self._attempt, events, frame=frame, after=after
            )
        )
        self._last, first = last, last - len(events) + 1
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
