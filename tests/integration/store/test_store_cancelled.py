"""Who stops waiting for the store, at whatever moment, leaves it as usable as it was."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest
from tests.support.databases import OWNER, a_request

from seatrial.domain.events import LogEvent
from seatrial.store import SqlStore

ROUNDS = 150
LINE = [LogEvent(stream="stdout", text="x")]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", ["append", "read"])
async def test_a_call_that_is_cancelled_at_any_moment_holds_nothing_up(
    store: SqlStore, what: str
) -> None:
    await store.renew("w", [], lease_seconds=3600, slots=9)
    await store.submit(OWNER, a_request(), max_queued=9)
    (claim,) = await store.claim("w", lease_seconds=3600, max_per_user=0, max_total=0, count=1)
    moments = random.Random(7)
    for _ in range(ROUNDS):
        call = (
            store.append(claim.test_id, 1, LINE) if what == "append" else store.page(OWNER, limit=5)
        )
        task = asyncio.ensure_future(call)
        for _ in range(moments.randrange(40)):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        async with asyncio.timeout(10):  # before SQLite itself gives up on a lock
            await store.append(claim.test_id, 1, LINE)

    events = await store.events(OWNER, claim.test_id, limit=10_000)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert len(events) >= ROUNDS


async def test_a_change_is_made_whole_or_not_at_all_when_its_caller_goes(store: SqlStore) -> None:
    for wait in range(60):
        task = asyncio.ensure_future(store.submit(OWNER, a_request(), max_queued=99))
        for _ in range(wait):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    for test in (await store.page(OWNER, limit=100)).tests:
        assert [event.number for event in await store.events(OWNER, test.id)] == [1]
