"""Waiting: no growth is missed, workers are told, and a lost connection comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.databases import OWNER, Opener, PostgresDatabases, a_request

from seatrial.domain.events import LogEvent, is_final
from seatrial.domain.phases import Outcome
from seatrial.domain.tests import Completion
from seatrial.store import SqlStore, open_store

NEVER = 3600.0
"""A poll interval that no test lives to see: what wakes up was told."""

DONE = Completion(outcome=Outcome.SUCCEEDED)


async def _claimed(store: SqlStore) -> str:
    await store.renew("w", [], lease_seconds=20, slots=9)
    test = await store.submit(OWNER, a_request(), max_queued=99)
    await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)
    return test.id


async def _follow(store: SqlStore, test_id: str) -> list[int]:
    """The numbers of a test's events, read as they come until the last one."""
    numbers: list[int] = []
    async with aclosing(store.changes(test_id)) as changes:
        async for _ in changes:
            while more := await store.events(OWNER, test_id, after=len(numbers), limit=3):
                numbers += [event.number for event in more]
                if is_final(more[-1]):
                    return numbers
    raise AssertionError("changes ended by itself")


async def test_a_follower_sees_the_first_change_at_once(opened: Opener):
    store = await opened(poll_seconds=NEVER)
    test_id = await _claimed(store)

    async with aclosing(store.changes(test_id)) as changes:
        await asyncio.wait_for(anext(changes), 60)


async def test_followers_miss_nothing_although_nobody_polls(opened: Opener):
    store = await opened(poll_seconds=NEVER)
    test_id = await _claimed(store)
    followers = [asyncio.create_task(_follow(store, test_id)) for _ in range(5)]

    for number in range(60):
        await store.append(test_id, 1, [LogEvent(stream="stdout", text=str(number))])
        await asyncio.sleep(0)
    await store.complete(test_id, 1, DONE, [])

    for numbers in await asyncio.wait_for(asyncio.gather(*followers), 30):
        assert numbers == list(range(1, 64))


async def test_a_growth_between_looking_and_waiting_is_not_missed(opened: Opener):
    store = await opened(poll_seconds=NEVER)
    test_id = await _claimed(store)
    async with aclosing(store.changes(test_id)) as changes:
        await anext(changes)
        await store.append(test_id, 1, [LogEvent(stream="stdout", text="x")])

        await asyncio.wait_for(anext(changes), 60)


async def test_who_was_not_told_looks_all_the_same(opened: Opener):
    store = await opened(poll_seconds=0.01)
    test_id = await _claimed(store)

    async with aclosing(store.changes(test_id)) as changes:
        for _ in range(3):
            await asyncio.wait_for(anext(changes), 60)
    async with aclosing(store.wakeups()) as wakeups:
        seen = [await asyncio.wait_for(anext(wakeups), 60) for _ in range(3)]
    assert seen == ["queue", "tick", "tick"]


async def _until(wakeups: AsyncGenerator[str], wanted: str) -> None:
    async with asyncio.timeout(60):
        async for what in wakeups:
            if what == wanted:
                return


async def test_a_worker_is_told_what_it_should_look_at(opened: Opener):
    store = await opened(poll_seconds=NEVER)
    async with aclosing(store.wakeups()) as wakeups:
        await _until(wakeups, "queue")  # what was there before
        test_id = await _claimed(store)
        await _until(wakeups, "queue")
        await store.cancel(OWNER, test_id)
        await _until(wakeups, test_id)
        await store.complete(test_id, 1, DONE, [])
        await _until(wakeups, "queue")


@pytest.mark.postgres
async def test_another_process_is_told_over_postgresql(postgres_databases: PostgresDatabases):
    url = postgres_databases.migrated()
    here, there = open_store(url, poll_seconds=NEVER), open_store(url, poll_seconds=NEVER)
    await here.open()
    await there.open()
    try:
        test_id = await _claimed(here)
        follower = asyncio.create_task(_follow(there, test_id))
        async with aclosing(there.wakeups()) as wakeups:
            await _until(wakeups, "queue")
            await here.cancel(OWNER, test_id)
            await _until(wakeups, test_id)
            await here.complete(test_id, 1, DONE, [])
            assert await asyncio.wait_for(follower, 60) == [1, 2, 3]
    finally:
        await here.aclose()
        await there.aclose()


@pytest.mark.postgres
async def test_a_listener_that_lost_its_connection_comes_back_and_wakes_everybody(
    postgres_databases: PostgresDatabases,
):
    url = postgres_databases.migrated()
    store = open_store(url, poll_seconds=NEVER)
    await store.open()
    try:
        test_id = await _claimed(store)
        async with aclosing(store.changes(test_id)) as changes:
            await anext(changes)
            for _ in range(2):
                await _cut_every_connection(url)
                # Nothing was appended: only the return of the listener wakes this.
                await asyncio.wait_for(anext(changes), 60)
            await store.append(test_id, 1, [LogEvent(stream="stdout", text="x")])
            await asyncio.wait_for(anext(changes), 60)
    finally:
        await store.aclose()


async def _cut_every_connection(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await engine.dispose()
