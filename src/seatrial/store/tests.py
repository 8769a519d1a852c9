"""Tests as their owners see them: submitting, looking at one, asking for its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, update

from seatrial.domain.errors import Conflict, QueueFull
from seatrial.domain.estimates import Waiting
from seatrial.domain.events import CleanupEvent, EventData, PhaseEvent, QueueEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import QueuePlace, Test, WebhookState

from . import convert, places, queries
from .database import Lock, Reading, Writing
from .ids import is_test_id, new_test_id
from .part import Part, journal_lines, no_such_test, repeated, write_lines
from .tables import bodies, idempotency, tests
from .webhooks import note_webhook, webhook_due

KEY_LIFETIME = timedelta(hours=24)
"""How long an idempotency key gives the same test again."""


class SqlTests(Part):
    """Fulfils the first half of the port `Tests`; the second is in `history`."""

    @repeated
    async def submit(
        self,
        owner: str,
        request: TestRequest,
        *,
        retry_of: str | None = None,
        idempotency_key: str | None = None,
        max_queued: int,
        max_queued_per_user: int | None = None,
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
            line = await places.waiting_line(writing) if queued else []
            if max_queued_per_user is not None and queued >= max_queued_per_user:
                await _check_share(writing, owner, max_queued_per_user, possible, line)
            if queued >= max_queued:
                raise _queue_full(queued, possible)
            line.append(Waiting(owner, convert.likeness(request)))
            place = possible.place(line, queued + 1, owner)
            row = await _insert(writing, owner, request, retry_of, place)
            if key is not None:
                await _note_key(writing, owner, key, row, request, retry_of)
            writing.queue_changed()
        return Test(
            id=row.id,
            owner=owner,
            name=_name(request),
            request=request,
            phase=Phase.QUEUED,
            retry_of=retry_of,
            webhook=WebhookState() if request.webhook else None,
            queue=place,
            last_event=row.last_event,
            created_at=writing.now,
        )

    async def test(self, owner: str, test_id: str) -> Test:
        """The test with its queue place while queued. NotFound."""
        async with self._database.reading() as reading:
            return await _load(reading, owner, test_id)

    @repeated
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
    """Complete a test that no worker holds as cancelled. Its row must be locked.

    Every attempt has told already what it left; one that never was has left nothing.
    """
    final = PhaseEvent(phase=Phase.COMPLETED, attempt=attempt, outcome=Outcome.CANCELLED)
    nothing = [] if attempt else [CleanupEvent(attempt=0, removed={})]
    lines = journal_lines([*nothing, final])
    end = queries.advance_of(
        seq,
        lines,
        phase=Phase.COMPLETED.value,
        outcome=Outcome.CANCELLED.value,
        cancel_requested=True,
        completed_at=writing.now,
        place=None,
        place_reason=None,
        place_high_ms=None,
    )
    row = await writing.row(end)
    assert row is not None  # locked, so it is still there
    await write_lines(writing, test_id, row, lines)
    await webhook_due(writing, seq)
    writing.queue_changed()


async def _test_of_key(writing: Writing, owner: str, key: str) -> Row[Any] | None:
    cutoff = writing.now - KEY_LIFETIME
    await writing.execute(queries.FORGET_KEYS, {"cutoff": cutoff})
    return await writing.row(queries.KNOWN_KEY, owner=owner, key=key)


async def _check_share(
    writing: Writing, owner: str, most: int, possible: places.Capacity, line: list[Waiting]
) -> None:
    """QueueFull when so many of the owner's tests wait and there is somebody to leave room for."""
    mine = await writing.number(queries.QUEUED_OF, owner=owner)
    if mine < most or not await writing.number(queries.SEVERAL_USERS):
        return
    message = f"{mine:,} of your tests wait already, which is one user's share of the queue."
    seconds = possible.seconds_to_turn(line, owner)
    stop = "cancel one that waits: seatrial tests stop ID"
    raise QueueFull(message, retry_after_seconds=seconds, or_else=stop)


def _queue_full(queued: int, possible: places.Capacity) -> QueueFull:
    message = f"{queued:,} tests of all users wait already, which is the limit of this server."
    return QueueFull(message, retry_after_seconds=possible.seconds_to_free_place())


async def _insert(
    writing: Writing,
    owner: str,
    request: TestRequest,
    retry_of: str | None,
    place: QueuePlace,
) -> Row[Any]:
    """Write the test and its first events; its row. One that has to wait is told how long."""
    waits = place.position > 1 or bool(place.reason)
    first: list[EventData] = [PhaseEvent(phase=Phase.QUEUED)]
    lines = journal_lines([*first, QueueEvent(**place.model_dump())] if waits else first)
    body = convert.to_json(request)
    new = _new_row(new_test_id(writing.now), owner, request, retry_of, writing)
    counted = {"last_event": len(lines), "size": len(body) + sum(map(len, lines))}
    told = _told(place) if waits else {}
    made = insert(tests).values({**new, **counted, **told})
    row = await writing.row(made.returning(tests.c.seq, tests.c.id, tests.c.last_event))
    assert row is not None  # an insert returns its row
    await writing.execute(insert(bodies), {"test_seq": row.seq, "request": body})
    await write_lines(writing, row.id, row, lines)
    await note_webhook(writing, row.seq, request)
    return row


async def _note_key(
    writing: Writing,
    owner: str,
    key: str,
    row: Row[Any],
    request: TestRequest,
    retry_of: str | None,
) -> None:
    used_for = {
        "owner": owner,
        "key_hash": key,
        "request_hash": convert.request_hash(request, retry_of),
        "test_seq": row.seq,
        "created_at": writing.now,
    }
    await writing.execute(insert(idempotency), used_for)


def _told(place: QueuePlace) -> dict[str, Any]:
    """What the test is told of its wait, and will be measured by."""
    low, high = round(place.wait.low_seconds * 1000), round(place.wait.high_seconds * 1000)
    return {
        "place": place.position,
        "place_reason": place.reason,
        "place_high_ms": high,
        "promised_low_ms": low,
        "promised_high_ms": high,
    }


def _new_row(
    test_id: str, owner: str, request: TestRequest, retry_of: str | None, writing: Writing
) -> dict[str, Any]:
    return {
        "id": test_id,
        "owner": owner,
        "name": _name(request),
        "query": convert.clean(request.query),
        "model": None if request.model is None else convert.clean(request.model),
        "main_model": convert.main_model(request),
        "search": convert.searched(request, test_id),
        "likeness": convert.likeness(request),
        "retry_of": retry_of,
        "phase": Phase.QUEUED.value,
        "attempt": 0,
        "cancel_requested": False,
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
    line = await places.waiting_line(reading)
    # Between two looks the line may have moved: never look beyond what there is.
    possible = await places.capacity(reading)
    place = possible.place(line or [Waiting(owner, row.likeness)], position, owner)
    return convert.test_of(row, place)
