"""Following a journal."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from seatrial.domain.errors import NotFound
from seatrial.domain.events import LogEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Completion
from seatrial.services.read_events import BATCH, follow, read_page
from seatrial.store import SqlStore

REQUEST = TestRequest(files={"agent.py": ""}, query="x")


async def submitted(store: SqlStore) -> tuple[str, str]:
    owner = (await store.ensure_user("ann")).id
    return owner, (await store.submit(owner, REQUEST, max_queued=10)).id


async def finished(store: SqlStore, test_id: str, logs: int) -> None:
    (claim,) = await store.claim("w", lease_seconds=60, max_per_user=1, max_total=1, count=1)
    events = [LogEvent(stream="stdout", text=str(n)) for n in range(logs)]
    await store.complete(test_id, claim.attempt, Completion(outcome=Outcome.SUCCEEDED), events)


async def followed(store: SqlStore, owner: str, test_id: str, after: int = 0) -> list[int]:
    async with asyncio.timeout(20), aclosing(follow(store, owner, test_id, after=after)) as all_:
        return [event.number async for batch in all_ for event in batch]


async def test_a_long_journal_comes_in_bounded_batches(store: SqlStore) -> None:
    owner, test_id = await submitted(store)
    await finished(store, test_id, logs=3 * BATCH)
    sizes = [len(batch) async for batch in follow(store, owner, test_id)]
    assert max(sizes) == BATCH
    assert sum(sizes) == (await store.test(owner, test_id)).last_event


async def test_following_ends_at_once_behind_the_last_event(store: SqlStore) -> None:
    owner, test_id = await submitted(store)
    await finished(store, test_id, logs=0)
    last = (await store.test(owner, test_id)).last_event
    assert await followed(store, owner, test_id, after=last) == []
    assert await followed(store, owner, test_id, after=last + 100) == []


async def test_a_follower_that_waits_at_the_end_sees_what_is_written_then(
    store: SqlStore,
) -> None:
    owner, test_id = await submitted(store)
    last = (await store.test(owner, test_id)).last_event
    waiting = asyncio.create_task(followed(store, owner, test_id, after=last))
    await asyncio.sleep(0)
    await finished(store, test_id, logs=2)
    end = (await store.test(owner, test_id)).last_event
    assert await waiting == list(range(last + 1, end + 1))


async def test_another_users_journal_is_not_found(store: SqlStore) -> None:
    _, test_id = await submitted(store)
    bob = (await store.ensure_user("bob")).id
    with pytest.raises(NotFound):
        await followed(store, bob, test_id)
    with pytest.raises(NotFound):
        await read_page(store, bob, test_id)
    with pytest.raises(NotFound):
        await read_page(store, bob, "no/such id\0")


async def test_the_journal_is_read_once_for_each_time_that_it_grew(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, test_id = await submitted(store)
    reads, read = 0, store.events

    async def counted(*which: Any, **bounds: Any) -> Any:
        nonlocal reads
        reads += 1
        return await read(*which, **bounds)

    monkeypatch.setattr(store, "events", counted)
    async with asyncio.timeout(20), aclosing(follow(store, owner, test_id)) as batches:
        await anext(batches)
        assert reads == 1
        more = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)
        await finished(store, test_id, logs=2)
        await more
    assert reads == 2
