"""Submitting tests: the first event, the order, the cap and the keys."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from tests.support.databases import OTHER, OWNER, Clock, Opener, SqliteFiles, a_request

from seatrial.domain.errors import Conflict, NotFound, QueueFull, StoreFull
from seatrial.domain.events import CleanupEvent, PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.tests import Completion
from seatrial.store import SqlStore, open_store


async def test_a_submitted_test_waits_and_its_journal_says_so(store: SqlStore, clock: Clock):
    await store.renew("w", [], lease_seconds=20, slots=1)
    test = await store.submit(OWNER, a_request(), retry_of=None, max_queued=10)

    assert (test.phase, test.outcome, test.attempt) == (Phase.QUEUED, None, 0)
    assert test.created_at == clock.now
    assert test.request == a_request()
    (event,) = await store.events(OWNER, test.id)
    assert (event.number, event.at) == (1, clock.now)
    assert event.data == PhaseEvent(phase=Phase.QUEUED)


async def test_what_was_submitted_is_read_back_unchanged(store: SqlStore):
    request = a_request("a NUL \0, an emoji 🚢 and a quote ' \" \\", name="name\0")
    test = await store.submit(OWNER, request, max_queued=10)

    assert test.request == request
    assert await store.test(OWNER, test.id) == test


async def test_ids_sort_by_time(store: SqlStore, clock: Clock):
    ids: list[str] = []
    for _ in range(20):
        clock.forward(0.001)
        ids.append((await store.submit(OWNER, a_request(), max_queued=100)).id)

    assert ids == sorted(ids)
    assert len(set(ids)) == 20


@pytest.mark.spec("FR-004")
async def test_a_full_queue_refuses_and_says_when_to_come_back(store: SqlStore):
    for _ in range(3):
        await store.submit(OWNER, a_request(), max_queued=3)

    with pytest.raises(QueueFull) as refused:
        await store.submit(OTHER, a_request(), max_queued=3)
    assert refused.value.retry_after_seconds >= 1
    assert (await store.state()).queued == 3


async def test_the_time_to_come_back_follows_from_what_tests_took(store: SqlStore, clock: Clock):
    await store.renew("w", [], lease_seconds=1000, slots=1)
    for _ in range(6):
        await store.submit(OWNER, a_request(), max_queued=6)
    for last in (False, False, False, False, False, True):
        (claim,) = await store.claim("w", lease_seconds=99, max_per_user=0, max_total=1, count=1)
        clock.forward(10 if last else 30)
        if not last:
            await store.complete(claim.test_id, 1, Completion(outcome=Outcome.SUCCEEDED), [])
    await store.submit(OWNER, a_request(), max_queued=1)

    with pytest.raises(QueueFull) as refused:
        await store.submit(OWNER, a_request(), max_queued=1)
    assert refused.value.retry_after_seconds == 20  # tests take 30 s, this one is 10 s old


async def test_the_cap_holds_when_many_submit_at_once(store: SqlStore):
    answers = await asyncio.gather(
        *(store.submit(OWNER, a_request(), max_queued=5) for _ in range(20)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, QueueFull) for answer in answers) == 15
    assert (await store.state()).queued == 5


async def test_the_same_key_gives_the_same_test_for_a_day(store: SqlStore, clock: Clock):
    first = await store.submit(OWNER, a_request(), idempotency_key="k", max_queued=10)
    clock.forward(24 * 3600 - 1)
    again = await store.submit(OWNER, a_request(), idempotency_key="k", max_queued=10)
    clock.forward(2)
    next_day = await store.submit(OWNER, a_request(), idempotency_key="k", max_queued=10)

    assert again.id == first.id
    assert next_day.id != first.id


async def test_a_known_key_is_answered_although_the_queue_is_full(store: SqlStore):
    first = await store.submit(OWNER, a_request(), idempotency_key="k", max_queued=1)

    again = await store.submit(OWNER, a_request(), idempotency_key="k", max_queued=1)

    assert again.id == first.id


async def test_a_key_for_another_request_is_a_conflict(store: SqlStore):
    await store.submit(OWNER, a_request("one"), idempotency_key="k", max_queued=10)

    with pytest.raises(Conflict):
        await store.submit(OWNER, a_request("two"), idempotency_key="k", max_queued=10)
    assert (await store.state()).queued == 1


async def test_keys_of_different_owners_do_not_meet(store: SqlStore):
    mine = await store.submit(OWNER, a_request(), idempotency_key="k", max_queued=10)
    yours = await store.submit(OTHER, a_request("x"), idempotency_key="k", max_queued=10)

    assert mine.id != yours.id


async def test_the_order_of_files_does_not_make_another_request(store: SqlStore):
    one = a_request().model_copy(update={"files": {"agent.py": "1", "b.py": "2"}})
    two = a_request().model_copy(update={"files": {"b.py": "2", "agent.py": "1"}})
    first = await store.submit(OWNER, one, idempotency_key="k", max_queued=10)

    again = await store.submit(OWNER, two, idempotency_key="k", max_queued=10)

    assert again.id == first.id


async def test_one_key_submitted_many_times_at_once_makes_one_test(opened: Opener):
    stores = [await opened() for _ in range(4)]

    answers = await asyncio.gather(
        *(s.submit(OWNER, a_request(), idempotency_key="k", max_queued=10) for s in stores * 3)
    )

    assert len({answer.id for answer in answers}) == 1


@pytest.mark.parametrize("test_id", ["", "t", "x" * 21, "t" + "0" * 20, "t\0" + "0" * 19, "\ud800"])
async def test_an_id_that_nobody_gave_is_not_found(store: SqlStore, test_id: str):
    with pytest.raises(NotFound):
        await store.test(OWNER, test_id)
    with pytest.raises(NotFound):
        await store.events(OWNER, test_id)
    with pytest.raises(NotFound):
        await store.cancel(OWNER, test_id)
    with pytest.raises(NotFound):
        await store.delete(OWNER, test_id)


async def test_another_owners_test_does_not_exist(store: SqlStore):
    test = await store.submit(OWNER, a_request(), max_queued=10)

    for call in (store.test, store.events, store.cancel, store.delete):
        with pytest.raises(NotFound):
            await call(OTHER, test.id)
    assert (await store.test(OWNER, test.id)).outcome is None


@pytest.mark.spec("FR-011")
async def test_a_queued_test_is_cancelled_at_once(store: SqlStore, clock: Clock):
    await store.renew("w", [], lease_seconds=20, slots=1)
    test = await store.submit(OWNER, a_request(), max_queued=10)
    clock.forward(5)

    cancelled = await store.cancel(OWNER, test.id)

    assert (cancelled.phase, cancelled.outcome) == (Phase.COMPLETED, Outcome.CANCELLED)
    assert cancelled.completed_at == clock.now
    events = await store.events(OWNER, test.id)
    assert events[-1].data == PhaseEvent(phase=Phase.COMPLETED, outcome=Outcome.CANCELLED)
    assert events[-2].data == CleanupEvent(attempt=0, removed={})
    assert cancelled.last_event == len(events) == 3
    assert not await store.claim("w", lease_seconds=9, max_per_user=0, max_total=0, count=5)


async def test_a_completed_test_is_returned_as_it_is_when_cancelled(store: SqlStore):
    test = await store.submit(OWNER, a_request(), max_queued=10)
    first = await store.cancel(OWNER, test.id)

    assert await store.cancel(OWNER, test.id) == first


async def test_a_full_disk_refuses_what_is_new_and_keeps_what_is_there(sqlite_files: SqliteFiles):
    store = open_store(sqlite_files.migrated())
    await store.open()
    try:
        first = await store.submit(OWNER, a_request(), max_queued=99)
        async with store._database.writing() as writing:  # pyright: ignore[reportPrivateUsage]
            await writing.execute(text("PRAGMA max_page_count = 1"), {})
        large = a_request("x" * 90_000)
        with pytest.raises(StoreFull, match="full"):
            await store.submit(OWNER, large, max_queued=99)
        assert (await store.test(OWNER, first.id)).id == first.id
    finally:
        await store.aclose()
