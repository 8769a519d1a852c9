"""The wait that the queue announces."""

from __future__ import annotations

from seatrial.domain.requests import TestRequest
from seatrial.services.queue_state import queue_state
from seatrial.store import SqlStore

REQUEST = TestRequest(files={"agent.py": ""}, query="x")


async def high(store: SqlStore) -> float:
    wait = (await queue_state(store)).wait
    assert wait is not None
    return wait.high_seconds


async def submit(store: SqlStore, count: int) -> None:
    owner = (await store.ensure_user("ann")).id
    for _ in range(count):
        await store.submit(owner, REQUEST, max_queued=100)


async def offer(store: SqlStore, slots: int) -> None:
    await store.renew("w", [], lease_seconds=600, slots=slots)


async def test_a_free_slot_means_no_wait(store: SqlStore) -> None:
    await offer(store, slots=2)
    assert await high(store) == 0


async def test_a_busy_queue_means_a_wait_that_grows_with_it(store: SqlStore) -> None:
    await offer(store, slots=2)
    await submit(store, 2)
    await store.claim("w", lease_seconds=600, max_per_user=2, max_total=2, count=2)
    one_more = await high(store)
    await submit(store, 4)
    assert 0 < one_more < await high(store)


async def test_no_worker_at_all_is_no_free_slot(store: SqlStore) -> None:
    assert await high(store) > 0
