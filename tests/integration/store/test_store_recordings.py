"""Recordings in the database: an attempt's own, its test's owner's, gone with the test."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.databases import OTHER, OWNER, Clock, a_request

from seatrial.domain.errors import AttemptLost, NotFound
from seatrial.domain.phases import Outcome
from seatrial.domain.recordings import (
    RecordedAnswer,
    RecordedCall,
    RecordedUpstream,
    RecordingSetup,
)
from seatrial.domain.tests import Claim, Completion
from seatrial.store import SqlStore
from seatrial.store.tables import recorded_calls

SETUP = RecordingSetup(
    model="ollama:x", upstreams=(RecordedUpstream(provider="ollama", models=("x",)),)
)


def a_call(number: int, body: bytes = b'{"model": "x\\u0000"}') -> RecordedCall:
    return RecordedCall(
        number=number,
        provider="ollama",
        operation="chat",
        counted=True,
        model="x\0\ud800",
        method="POST",
        path="/api/chat",
        query="",
        headers=(("anthropic-beta", "a"),),
        body=body,
        answer=RecordedAnswer(200, "OK", (("X", "y"),), ((3, b"\xff\x00"), (9, b"b"))),
        started_at=datetime(2030, 1, 1, tzinfo=UTC),
        seconds=0.5,
        input_tokens=3,
    )


async def claimed(store: SqlStore) -> Claim:
    await store.submit(OWNER, a_request(), max_queued=10)
    [claim] = await store.claim("w", lease_seconds=20, max_per_user=9, max_total=9, count=1)
    return claim


async def test_calls_come_back_as_they_were_in_order_and_in_pages(store: SqlStore) -> None:
    claim = await claimed(store)
    calls = [a_call(number) for number in (1, 2, 3)]
    await store.start_recording(claim.test_id, 1, SETUP)
    await store.add_recorded(claim.test_id, 1, [calls[2], calls[0]], problem=None)
    # An answer to a commit can be lost: the same again is no error and no second call.
    await store.add_recorded(claim.test_id, 1, calls[1:], problem=None)

    assert list(await store.recorded_calls(OWNER, claim.test_id, limit=2)) == calls[:2]
    assert list(await store.recorded_calls(OWNER, claim.test_id, after=2)) == calls[2:]
    found = await store.recording(OWNER, claim.test_id)
    assert (found.setup, found.problem, found.bytes) == (SETUP, None, sum(c.size for c in calls))
    assert [(c.number, c.status, c.answer_bytes, c.pieces) for c in found.calls] == [
        (1, 200, 3, 2),
        (2, 200, 3, 2),
        (3, 200, 3, 2),
    ]


async def test_a_recording_is_its_owners_alone_and_there_only_when_one_was_begun(
    store: SqlStore,
) -> None:
    claim = await claimed(store)
    with pytest.raises(NotFound, match="no recording"):
        await store.recording(OWNER, claim.test_id)
    await store.start_recording(claim.test_id, 1, SETUP)
    assert (await store.recording(OWNER, claim.test_id)).calls == ()
    with pytest.raises(NotFound):
        await store.recording(OTHER, claim.test_id)
    with pytest.raises(NotFound):
        await store.recorded_calls(OTHER, claim.test_id)


async def test_only_the_attempt_that_holds_the_test_writes_and_the_last_one_counts(
    store: SqlStore, clock: Clock
) -> None:
    claim = await claimed(store)
    await store.start_recording(claim.test_id, 1, SETUP)
    await store.add_recorded(claim.test_id, 1, [a_call(1), a_call(2)], problem="cut")
    await store.requeue(claim.test_id, 1, reason="lost")
    await store.claim("w", lease_seconds=20, max_per_user=9, max_total=9, count=1)
    for late in (
        store.add_recorded(claim.test_id, 1, [a_call(3)], problem=None),
        store.start_recording(claim.test_id, 1, SETUP),
        store.continue_recording(claim.test_id, 1, "x"),
    ):
        with pytest.raises(AttemptLost):
            await late
    with pytest.raises(NotFound):
        await store.recording(OWNER, claim.test_id)
    await store.start_recording(claim.test_id, 2, SETUP)
    await store.add_recorded(claim.test_id, 2, [a_call(1, b"new")], problem=None)
    found = await store.recording(OWNER, claim.test_id)
    assert ([call.request_bytes for call in found.calls], found.problem) == ([3], None)


async def test_the_next_worker_goes_on_and_the_recording_says_that_it_may_lack_calls(
    store: SqlStore,
) -> None:
    claim = await claimed(store)
    await store.start_recording(claim.test_id, 1, SETUP)
    assert await store.continue_recording(claim.test_id, 1, "the worker was lost") == 0
    await store.add_recorded(claim.test_id, 1, [a_call(1), a_call(2)], problem=None)
    assert await store.continue_recording(claim.test_id, 1, "it was lost again") == 2
    await store.add_recorded(claim.test_id, 1, [], problem="too large")
    assert (await store.recording(OWNER, claim.test_id)).problem == "the worker was lost"


async def test_a_recording_goes_with_its_test(store: SqlStore, url: str) -> None:
    ids: list[str] = []
    for _ in range(2):
        claim = await claimed(store)
        await store.start_recording(claim.test_id, 1, SETUP)
        await store.add_recorded(claim.test_id, 1, [a_call(1)], problem=None)
        await store.complete(claim.test_id, 1, Completion(outcome=Outcome.SUCCEEDED), [])
        ids.append(claim.test_id)
    await store.delete(OWNER, ids[0])
    await store.clear(OWNER)
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        left = await connection.scalar(select(func.count()).select_from(recorded_calls))
    assert left == 0
