"""Tests as their owners see them: submitting, looking at one, asking for its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, update

from seatrial.domain.errors import Conflict, QueueFull
from seatrial.domain.events import PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test, WebhookState

from . import convert, places, queries
from .database import Lock, Reading, Writing
from .ids import is_test_id, new_test_id
from .part import Part, no_such_test, write_events
from .tables import bodies, idempotency, tests
from .webhooks import note_webhook, webhook_due

KEY_LIFETIME = timedelta(hours=24)
"""How long an idempotency key gives the same test again."""


class SqlTests(Part):
    """Fulfils the first half of the port `Tests`; the second is in `history`."""

    async def submit(
        self,
        owner: str,
        request: TestRequest,
        *,
        retry_of: str | None = None,
        idempotency_key: str | None = None,
        max_queued: int,
    ) -> Test:
        """Queue a new test and write its first event in one transaction."""
        key = None if idempotency_key is None else convert.text_hash(idempotency_key)
        # One submission at a time: the order in which they commit is the order of the queue.
        async with self._database.writing(lock=Lock.SUBMIT) as writing:
            known = None if key is None else await _test_of_key(writing, owner, key)
            if known is not None:
                if known.request_hash != convert.request_hash(request, retry_of):
                    raise Conflict("This idempotency key was used for another request.")
                return await _load(writing, owner, known.id)
            queued = await writing.number(queries.QUEUED_COUNT)
            possible = await places.capacity(writing)
            if queued >= max_queued:
                raise _queue_full(queued, possible)
            test_id = await _insert(writing, owner, request, retry_of, key)
            writing.queue_changed()
        return Test(
            id=test_id,
            owner=owner,
            name=_name(request),
            request=request,
            phase=Phase.QUEUED,
            retry_of=retry_of,
            webhook=WebhookState() if request.webhook else None,
            queue=possible.place(queued + 1, owner),
            last_event=1,
            created_at=writing.now,
        )

    async def test(self, owner: str, test_id: str) -> Test:
        """The test with its queue place while queued. NotFound."""
        async with self._database.reading() as reading:
            return await _load(reading, owner, test_id)

    async def cancel(self, owner: str, test_id: str) -> Test:
        """Ask for the test's end; a queued one is completed as cancelled at once."""
        async with self._database.writing() as writing:
            row = None
            if is_test_id(test_id):
                row = await writing.row(queries.TEST_FOR_CHANGE, id=test_id, owner=owner)
            if row is None:
                raise no_such_test(test_id)
            if row.phase == Phase.QUEUED:
                await end_as_cancelled(writing, test_id, row.seq, row.attempt)
            elif row.outcome is None:
                asked = update(tests).where(tests.c.seq == row.seq)
                await writing.execute(asked.values(cancel_requested=True), {})
                writing.cancel_requested(test_id)
            return await _load(writing, owner, test_id)


async def end_as_cancelled(writing: Writing, test_id: str, seq: int, attempt: int) -> None:
    """Complete a test that no worker holds as cancelled. Its row must be locked."""
    end = queries.advance_of(
        seq,
        1,
        phase=Phase.COMPLETED.value,
        outcome=Outcome.CANCELLED.value,
        cancel_requested=True,
        completed_at=writing.now,
        place=None,
        place_reason=None,
    )
    row = await writing.row(end)
    assert row is not None  # locked, so it is still there
    final = PhaseEvent(phase=Phase.COMPLETED, attempt=attempt, outcome=Outcome.CANCELLED)
    await write_events(writing, test_id, row, [final])
    await webhook_due(writing, seq)
    writing.queue_changed()


async def _test_of_key(writing: Writing, owner: str, key: str) -> Row[Any] | None:
    cutoff = writing.now - KEY_LIFETIME
    await writing.execute(queries.FORGET_KEYS, {"cutoff": cutoff})
    return await writing.row(queries.KNOWN_KEY, owner=owner, key=key)


def _queue_full(queued: int, possible: places.Capacity) -> QueueFull:
    message = f"{queued} tests wait already, which is as many as may."
    return QueueFull(message, retry_after_seconds=possible.seconds_to_free_place())


async def _insert(
    writing: Writing, owner: str, request: TestRequest, retry_of: str | None, key: str | None
) -> str:
    test_id = new_test_id(writing.now)
    new = insert(tests).values(_new_row(test_id, owner, request, retry_of, writing))
    row = await writing.row(new.returning(tests.c.seq, tests.c.last_event))
    assert row is not None  # an insert returns its row
    await writing.execute(
        insert(bodies), {"test_seq": row.seq, "request": convert.to_json(request)}
    )
    await write_events(writing, test_id, row, [PhaseEvent(phase=Phase.QUEUED)])
    await note_webhook(writing, row.seq, request)
    if key is not None:
        used_for = {
            "owner": owner,
            "key_hash": key,
            "request_hash": convert.request_hash(request, retry_of),
            "test_seq": row.seq,
            "created_at": writing.now,
        }
        await writing.execute(insert(idempotency), used_for)
    return test_id


def _new_row(
    test_id: str, owner: str, request: TestRequest, retry_of: str | None, writing: Writing
) -> dict[str, Any]:
    return {
        "id": test_id,
        "owner": owner,
        "name": _name(request),
        "query": convert.clean(request.query),
        "model": None if request.model is None else convert.clean(request.model),
        "search": convert.searched(request, test_id),
        "retry_of": retry_of,
        "phase": Phase.QUEUED.value,
        "attempt": 0,
        "cancel_requested": False,
        "last_event": 1,
        "last_frame": 0,
        "created_at": writing.now,
    }


def _name(request: TestRequest) -> str | None:
    return None if request.name is None else convert.clean(request.name)


async def _load(reading: Reading, owner: str, test_id: str) -> Test:
    row = None
    if is_test_id(test_id):
        row = await reading.row(queries.OWNED_TEST, id=test_id, owner=owner)
    if row is None:
        raise no_such_test(test_id)
    if row.phase != Phase.QUEUED:
        return convert.test_of(row, None)
    position = await reading.number(queries.POSITION, seq=row.seq)
    return convert.test_of(row, (await places.capacity(reading)).place(position, owner))
