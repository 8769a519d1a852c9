"""What happens beside a call's bytes: its budget, its credential's pauses, and word of slowness."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from seatrial.domain.door_limits import DoorLimits

from . import blame, keys
from .admission import Refusal
from .budget import Budget, BudgetSpent
from .exchange import Call, CallRecord
from .journal import DoorJournal
from .pauses import Pauses, PauseTooLong, Turn
from .retry_after import LIMITED, asked_wait

SLOW_SECONDS = 10.0
"""A call without a byte of its answer for so long is told of."""

_SLOW_TOLD = 20
"""Slow calls of one door that are told of."""


class Refused(Exception):
    """The call may not be made; `refusal` is the answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Watch:
    """One door's policy for calls that were admitted."""

    def __init__(self, limits: DoorLimits, pauses: Pauses, journal: DoorJournal) -> None:
        """The test's time runs from now."""
        self.budget = Budget(limits, journal)
        self._pauses = pauses
        self._journal = journal
        self._slow_told = 0
        seconds = limits.seconds or math.inf
        self._deadline = asyncio.get_running_loop().time() + seconds

    @asynccontextmanager
    async def over(self, call: Call, record: CallRecord) -> AsyncGenerator[CallWatch]:
        """Around one call: waits until it may be made, counts it, tells when it is slow.

        Refused when a limit of the test is used up, or the provider's pause is too long for it.
        """
        turn = await self._turn(call, record) if call.operation.counted else None
        watch = CallWatch(self.budget, record, turn)
        slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, self._tell_slow, call, record)
        try:
            self._spend(call, record)
            yield watch
        finally:
            slow.cancel()
            watch.end()

    async def _turn(self, call: Call, record: CallRecord) -> Turn:
        self._check()
        line = self._pauses.line(keys.identity(call.upstream))

        def on_wait(seconds: float) -> None:
            record.pausing = True
            self._tell_pause(record, seconds)

        began = asyncio.get_running_loop().time()
        try:
            turn = await line.take(self._deadline, on_wait)
        except PauseTooLong as error:
            raise Refused(_pause_too_long(record, error)) from None
        if record.pausing:
            record.waited = asyncio.get_running_loop().time() - began
            record.pausing = False
        return turn

    def _check(self) -> None:
        refusal = self.budget.refusal()
        if refusal is not None:
            raise Refused(refusal)

    def _spend(self, call: Call, record: CallRecord) -> None:
        """Count the call and its bytes. Refused; nothing was sent then."""
        if call.operation.counted:
            self._check()
        try:
            self.budget.add_bytes(len(call.body))
        except BudgetSpent:
            refusal = self.budget.refusal()
            assert refusal is not None
            raise Refused(refusal) from None
        if call.operation.counted:
            self.budget.add_call()
        record.sent_bytes = len(call.body)

    def _tell_pause(self, record: CallRecord, seconds: float) -> None:
        if seconds <= 0:
            return
        message = (
            f"{record.provider} asked the calls with this credential to pause: "
            f"a call to {record.model} waits up to {math.ceil(seconds)} s."
        )
        ends = round(asyncio.get_running_loop().time() + seconds)
        self._journal.add_notice("rate_limited", f"{record.provider} {ends}", message)

    def _tell_slow(self, call: Call, record: CallRecord) -> None:
        self._slow_told += 1
        if self._slow_told > _SLOW_TOLD or record.first_byte is not None:
            return
        message = (
            f"A call to {record.provider}:{record.model} ({call.operation.name}) is under way and "
            f"has had no answer for {SLOW_SECONDS:.0f} s."
        )
        self._journal.add_notice("model_slow", str(self._slow_told), message)


class CallWatch:
    """Watches one call; see seatrial.gateway.exchange.Watcher."""

    def __init__(self, budget: Budget, record: CallRecord, turn: Turn | None) -> None:
        self._budget = budget
        self._record = record
        self._turn = turn

    def passed(self, count: int) -> None:
        """See Watcher."""
        self._record.received_bytes += count
        self._budget.add_bytes(count)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """See Watcher. A used-up quota is no pause: waiting would not help."""
        wait = None
        if self._record.error != blame.QUOTA:
            wait = asked_wait(status, headers, datetime.now(UTC))
        if wait is not None and status in LIMITED:
            said = self._record.message
            self._record.message = f"{said} (asks for a pause of {math.ceil(wait)} s)"
        if self._turn is not None:
            self._turn.answered(wait)

    def end(self) -> None:
        """The call is over."""
        if self._turn is not None:
            self._turn.end()
        if self._record.counted and (self._record.status or 500) < 400:
            self._count_tokens()

    def _count_tokens(self) -> None:
        reading = self._record.reading
        counts = [n for n in (reading.input_tokens, reading.output_tokens) if n is not None]
        self._budget.add_tokens(sum(counts) if counts else None)


def _pause_too_long(record: CallRecord, error: PauseTooLong) -> Refusal:
    """403, not 429: SDKs would try again, and waiting cannot help this test."""
    message = (
        f"{record.provider} asked the calls with this credential to pause for another "
        f"{math.ceil(error.seconds)} s, which is longer than this test has left."
    )
    return Refusal(403, "rate_limited", message, "model.rate_limited", record.model)
