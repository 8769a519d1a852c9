"""The worker's side: the tests table is the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, update

from seatrial.domain.builds import Build, packed
from seatrial.domain.errors import AttemptLost
from seatrial.domain.estimates import LONGEST_LINE, Waiting
from seatrial.domain.events import EventData, PhaseEvent, QueueEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.ports import QueueState
from seatrial.domain.tests import Claim, Completion, Lease, QueuePlace

from . import convert, places, queries
from .claims import choose, record_worker
from .database import Lock, Writing
from .packages import keep_build
from .part import Part, journal_lines, repeated, write_lines
from .tables import bodies
from .tables import events as events_table
from .tests import end_as_cancelled
from .webhooks import webhook_due


class SqlQueue(Part):
    """Fulfils the port `Queue`."""

    @repeated
    async def claim(
        self, worker: str, *, lease_seconds: float, max_per_user: int, max_total: int, count: int
    ) -> Sequence[Claim]:
        """Take up to `count` tests in order of submission, skipping users at their cap."""
        async with self._database.writing(lock=Lock.CLAIM) as writing:
            await record_worker(
                writing, worker, lease_seconds, max_per_user=max_per_user, max_total=max_total
            )
            seqs = await choose(writing, max_per_user, max_total, count)
            if not seqs:
                return ()
            lease_until = writing.now + timedelta(seconds=lease_seconds)
            taken = await writing.rows(queries.take(seqs, worker, writing.now, lease_until))
            for row in taken:
                event = PhaseEvent(phase=Phase.BUILDING, attempt=row.attempt)
                await write_lines(writing, row.id, row, journal_lines([event]))
            rows = await writing.rows(queries.claimed(seqs))
        return tuple(convert.claim_of(row) for row in rows)

    @repeated
    async def renew(
        self,
        worker: str,
        held: Sequence[tuple[str, int]],
        *,
        lease_seconds: float,
        slots: int,
        trouble: str = "",
        engine: str = "",
    ) -> Sequence[Lease]:
        """Extend the leases of (test, attempt) and report each; also the worker's heartbeat."""
        async with self._database.writing(durable=False) as writing:
            await record_worker(
                writing,
                worker,
                lease_seconds,
                slots=slots,
                trouble=trouble,
                engine=engine or None,
            )
            rows: Sequence[Row[Any]] = ()
            if held:
                lease_until = writing.now + timedelta(seconds=lease_seconds)
                rows = await writing.rows(queries.extend(worker, held, lease_until))
        still = {(row.id, row.attempt): bool(row.cancel_requested) for row in rows}
        return tuple(
            Lease(
                test_id=test_id,
                attempt=attempt,
                held=(test_id, attempt) in still,
                cancel_requested=still.get((test_id, attempt), False),
            )
            for test_id, attempt in held
        )

    @repeated
    async def append(
        self,
        test_id: str,
        attempt: int,
        events: Sequence[EventData],
        *,
        frame: int | None = None,
        after: int | None = None,
    ) -> int:
        """Add events; the number of the journal's last event."""
        lines = journal_lines(events)
        room = queries.advance(lines) if frame is None else queries.advance_to_frame(lines, frame)
        if after is not None:
            room = queries.after_event(room, after)
        async with self._database.writing(durable=False) as writing:
            row = await writing.row(room, fenced_id=test_id, fenced_attempt=attempt)
            if row is not None:
                return await write_lines(writing, test_id, row, lines)
            state = await writing.row(queries.ATTEMPT, fenced_id=test_id, fenced_attempt=attempt)
            if state is None or not _holds_already(state, frame, after, len(lines)):
                raise _lost(test_id, attempt)
            return int(state.last_event)

    async def last_frame(self, test_id: str, attempt: int) -> int:
        """The last harness frame of this attempt that the journal holds, 0 for none."""
        async with self._database.reading() as reading:
            row = await reading.row(queries.ATTEMPT, fenced_id=test_id, fenced_attempt=attempt)
        if row is None:
            raise _lost(test_id, attempt)
        return int(row.last_frame)

    @repeated
    async def start_running(
        self, test_id: str, attempt: int, *, environment: str | None, build: Build | None = None
    ) -> int:
        """Enter the phase `running` on that build, which is kept; the journal's last number."""
        data = None if build is None else await asyncio.to_thread(packed, build)
        async with self._database.writing(durable=False) as writing:
            state = await writing.row(queries.ATTEMPT, fenced_id=test_id, fenced_attempt=attempt)
            if state is not None and state.phase == Phase.RUNNING:
                return int(state.last_event)
            event = PhaseEvent(phase=Phase.RUNNING, attempt=attempt)
            changes: dict[str, Any] = {
                "phase": Phase.RUNNING.value,
                "environment": environment,
            }
            row = await _write(writing, test_id, attempt, [event], changes)
            if data is not None:
                await keep_build(writing, row.seq, data)
            return int(row.last_event)

    @repeated
    async def complete(
        self, test_id: str, attempt: int, completion: Completion, events: Sequence[EventData]
    ) -> None:
        """Write the last events, then the final phase event, and set the outcome: once."""
        final = PhaseEvent(phase=Phase.COMPLETED, attempt=attempt, outcome=completion.outcome)
        failure = completion.failure
        changes: dict[str, Any] = {
            "phase": Phase.COMPLETED.value,
            "outcome": completion.outcome.value,
            "failure_code": None if failure is None else failure.code,
            "lease_until": None,
        }
        async with self._database.writing() as writing:
            changes["completed_at"] = writing.now
            seq = (await _write(writing, test_id, attempt, [*events, final], changes)).seq
            parts = {
                "result": completion.result,
                "failure": failure,
                "metrics": completion.metrics,
                "receipt": completion.receipt,
            }
            bodies_of = {
                name: None if part is None else convert.to_json(part)
                for name, part in parts.items()
            }
            changed = update(bodies).where(bodies.c.test_seq == seq).values(bodies_of)
            await writing.execute(changed, {})
            await webhook_due(writing, seq)
            writing.queue_changed()

    @repeated
    async def requeue(
        self, test_id: str, attempt: int, *, reason: str, events: Sequence[EventData] = ()
    ) -> None:
        """Give the test back to the front of the queue after a platform fault.

        One whose end was asked for is completed as cancelled instead: nobody shall run it again.
        """
        changes = {
            "phase": Phase.QUEUED.value,
            "worker": None,
            "lease_until": None,
            "claimed_at": None,
        }
        back = PhaseEvent(phase=Phase.QUEUED, attempt=attempt, message=reason)
        fence = {"fenced_id": test_id, "fenced_attempt": attempt}
        async with self._database.writing() as writing:
            state = await writing.row(queries.ATTEMPT_FOR_CHANGE, **fence)
            seq = (await _write(writing, test_id, attempt, [*events, back], changes)).seq
            writing.queue_changed()
            if state is not None and state.cancel_requested:
                await end_as_cancelled(writing, test_id, seq, attempt)

    async def expired(self, *, limit: int = 20) -> Sequence[Claim]:
        """Attempts whose lease has run out; the caller adopts, requeues or ends them."""
        async with self._database.reading() as reading:
            rows = await reading.rows(queries.EXPIRED, now=reading.now, limit=limit)
        return tuple(convert.claim_of(row) for row in rows)

    @repeated
    async def adopt(
        self, test_id: str, attempt: int, worker: str, *, lease_seconds: float
    ) -> Claim | None:
        """Take over an attempt of a former worker of the same engine without a new number."""
        async with self._database.writing() as writing:
            lease_until = writing.now + timedelta(seconds=lease_seconds)
            taken = queries.advance((), worker=worker, lease_until=lease_until)
            row = await writing.row(taken, fenced_id=test_id, fenced_attempt=attempt)
            if row is None:
                return None
            rows = await writing.rows(queries.claimed([row.seq]))
        return convert.claim_of(rows[0])

    async def unfinished_of(self, worker: str) -> Sequence[Claim]:
        """Attempts in `building` or `running` that the worker of that name holds by the table."""
        async with self._database.reading() as reading:
            rows = await reading.rows(queries.HELD_BY, worker=worker)
        return tuple(convert.claim_of(row) for row in sorted(rows, key=lambda row: row.seq))

    async def state(self, owner: str | None = None) -> QueueState:
        """Counts for `GET /queue`; slots of workers whose heartbeat is fresh."""
        async with self._database.reading() as reading:
            waiting = await reading.number(queries.QUEUED_COUNT)
            queued = await reading.number(queries.of(queries.QUEUED_COUNT, owner))
            running = await reading.number(queries.of(queries.HELD_COUNT, owner))
            possible = await places.capacity(reading)
            line = await places.waiting_line(reading)
            promised, kept = await places.promises(reading, owner)
            outcomes = await reading.rows(queries.of(queries.OUTCOMES, owner))
            workers = await places.workers(reading)
        new = possible.place([*line, Waiting("")], waiting + 1, "")
        return QueueState(
            queued=queued,
            running=running,
            slots=possible.slots,
            wait=new.wait,
            reason=new.reason,
            waits_measured=promised,
            waits_kept=kept,
            outcomes={Outcome(row.outcome): int(row.many) for row in outcomes},
            workers=workers,
            own=owner is not None,
        )

    @repeated
    async def refresh_places(self) -> int:
        """Write a `queue` event for each test in line whose place changed; how many."""
        # Under the claim lock: a claim passes over rows that somebody else has locked.
        async with self._database.writing(lock=Lock.CLAIM, durable=False) as writing:
            possible = await places.capacity(writing)
            rows = await writing.rows(queries.QUEUE_HEAD, limit=LONGEST_LINE)
            waits = possible.line([places.waiting(row) for row in rows]).waits()
            told = [
                (row, QueuePlace(position=at, wait=wait, reason=possible.reason(row.owner)))
                for at, (row, wait) in enumerate(zip(rows, waits, strict=True), start=1)
            ]
            moved = [(row, place) for row, place in told if places.has_moved(row, place)]
            if moved:
                await _write_places(writing, moved)
        return len(moved)

    def wakeups(self) -> AsyncGenerator[str]:
        """Yields what a worker should look at."""
        return self._database.hub.wakeups()


async def _write_places(writing: Writing, moved: Sequence[tuple[Row[Any], QueuePlace]]) -> None:
    rows = [
        {
            "moved_seq": row.seq,
            "new_place": place.position,
            "new_reason": place.reason,
            "new_high_ms": round(place.wait.high_seconds * 1000),
        }
        for row, place in moved
    ]
    await writing.execute(queries.MOVE, rows)
    lines = [
        {
            "test_seq": row.seq,
            "number": row.last_event + 1,
            "at": writing.now,
            "data": convert.event_data(QueueEvent(**place.model_dump())),
        }
        for row, place in moved
    ]
    await writing.execute(insert(events_table), lines)
    for row, _ in moved:
        writing.journal_grew(row.id)


async def _write(
    writing: Writing,
    test_id: str,
    attempt: int,
    events: Sequence[EventData],
    changes: dict[str, Any],
) -> Row[Any]:
    """Add events and change the row behind the fence; its numbers. AttemptLost."""
    lines = journal_lines(events)
    room = queries.advance(lines, **changes)
    row = await writing.row(room, fenced_id=test_id, fenced_attempt=attempt)
    if row is None:
        raise _lost(test_id, attempt)
    await write_lines(writing, test_id, row, lines)
    return row


def _holds_already(state: Row[Any], frame: int | None, after: int | None, added: int) -> bool:
    """Whether the journal has what was to be added: the answer was lost, not the call."""
    if frame is not None and state.last_frame >= frame:
        return True
    return after is not None and state.last_event == after + added


def _lost(test_id: str, attempt: int) -> AttemptLost:
    return AttemptLost(f"Attempt {attempt} of test {test_id} is no longer held.")
