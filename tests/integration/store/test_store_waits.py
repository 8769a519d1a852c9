"""What a waiting test is told, whether it came true, and what hinders the workers."""

from __future__ import annotations

import pytest
from tests.support.databases import OTHER, OWNER, Clock, Opener, a_request

from seatrial.domain.events import QueueEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.tests import Completion, Test
from seatrial.store import SqlStore

LEASE = 1000.0
DONE = Completion(outcome=Outcome.SUCCEEDED)


async def submit(store: SqlStore, owner: str = OWNER) -> Test:
    return await store.submit(owner, a_request(), max_queued=99)


async def offer(store: SqlStore, slots: int, trouble: str = "") -> None:
    await store.renew("w", [], lease_seconds=LEASE, slots=slots, trouble=trouble)


async def claim(store: SqlStore, count: int = 1) -> list[str]:
    claims = await store.claim("w", lease_seconds=LEASE, max_per_user=0, max_total=0, count=count)
    return [claim.test_id for claim in claims]


async def told(store: SqlStore, test: Test) -> list[QueueEvent]:
    events = await store.events(OWNER, test.id)
    return [event.data for event in events if isinstance(event.data, QueueEvent)]


@pytest.fixture
async def busy(store: SqlStore) -> str:
    """One slot, and a test that holds it; its id."""
    await offer(store, 1)
    await submit(store)
    return (await claim(store))[0]


@pytest.mark.spec("US3-4", "FR-004")
async def test_a_test_that_has_to_wait_is_told_so_at_once(store: SqlStore, busy: str):
    test = await submit(store)
    assert test.queue is not None
    assert (test.queue.position, test.queue.reason) == (1, "every slot is busy")
    assert await told(store, test) == [QueueEvent(**test.queue.model_dump())]
    assert (await store.test(OWNER, test.id)).last_event == test.last_event == 2


async def test_a_test_that_starts_at_once_is_told_of_no_queue(store: SqlStore):
    await offer(store, 1)
    test = await submit(store)
    assert test.last_event == 1
    assert await told(store, test) == []


@pytest.mark.spec("US3-4", "edge-1")
async def test_without_a_worker_the_journal_says_that_there_is_none(store: SqlStore):
    test = await submit(store)
    assert [event.reason for event in await told(store, test)] == ["no worker is connected"]


@pytest.mark.spec("edge-1")
async def test_what_hinders_the_worker_is_what_the_test_waits_for(store: SqlStore):
    await offer(store, 1)
    test = await submit(store)
    await offer(store, 0, "the container engine does not answer")
    assert await store.refresh_places() == 1
    assert [e.reason for e in await told(store, test)] == ["the container engine does not answer"]
    assert (await store.state()).reason == "the container engine does not answer"
    await offer(store, 1)
    await store.refresh_places()
    assert (await told(store, test))[-1].reason == ""


async def test_a_wait_that_grows_is_told_again(store: SqlStore, clock: Clock, busy: str):
    for _ in range(9):
        clock.forward(10)
        await store.complete(busy, 1, DONE, [])
        await submit(store)
        (busy,) = await claim(store)
    test = await submit(store)
    clock.forward(100)
    assert await store.refresh_places() == 1
    first, second = await told(store, test)
    assert first.position == second.position == 1
    assert first.wait is not None
    assert second.wait is not None
    assert first.wait.high_seconds == 10
    assert second.wait.high_seconds > 30
    assert await store.refresh_places() == 0


@pytest.mark.spec("US3-4")
@pytest.mark.parametrize(("seconds", "hits"), [(10, 1), (3000, 0)])
async def test_announced_waits_are_measured_against_what_came(
    store: SqlStore, clock: Clock, busy: str, seconds: float, hits: int
):
    await submit(store)
    state = await store.state()
    assert (state.waits_measured, state.waits_kept) == (0, 0)
    clock.forward(seconds)
    await store.complete(busy, 1, DONE, [])
    await claim(store)
    state = await store.state()
    assert (state.waits_measured, state.waits_kept) == (1, hits)


async def test_a_test_that_gave_up_waiting_counts_neither_way(store: SqlStore, busy: str):
    await store.cancel(OWNER, (await submit(store)).id)
    assert (await store.state()).waits_measured == 0


async def test_everybody_sees_how_long_a_new_test_would_wait(store: SqlStore, busy: str):
    one_more = (await store.state()).wait.high_seconds
    for owner in (OWNER, OTHER, OTHER):
        await submit(store, owner)
    state = await store.state()
    assert state.reason == "every slot is busy"
    assert state.wait.high_seconds > one_more


async def test_a_line_of_thousands_is_answered_in_proportion(opened: Opener, clock: Clock):
    store = await opened(clock=clock)
    for _ in range(119):
        await store.submit(OWNER, a_request(), max_queued=999)
    last = await store.submit(OWNER, a_request(), max_queued=999)
    assert last.queue is not None
    assert last.queue.position == 120
    middle = await store.test(OWNER, (await store.page(OWNER, limit=60)).tests[-1].id)
    assert middle.queue is not None
    assert 0 < middle.queue.wait.high_seconds < last.queue.wait.high_seconds


@pytest.mark.spec("US4-6")
async def test_the_oldest_completed_tests_go_when_the_history_is_too_large(
    store: SqlStore, clock: Clock
):
    ids: list[str] = []
    for _ in range(6):
        clock.forward(60)
        test = await store.submit(OWNER, a_request("x" * 10_000), max_queued=99)
        await store.claim("w", lease_seconds=LEASE, max_per_user=0, max_total=0, count=1)
        await store.complete(test.id, 1, DONE, [])
        ids.append(test.id)
    waiting = await submit(store)
    removed = await store.remove_beyond(35_000)
    assert removed == sorted(removed)
    left = {test.id for test in (await store.page(OWNER)).tests}
    assert left == {*ids[3:], waiting.id}
    assert await store.remove_beyond(35_000) == []


async def test_unfinished_tests_stay_however_large_they_are(store: SqlStore):
    test = await submit(store)
    assert await store.remove_beyond(0) == []
    assert (await store.test(OWNER, test.id)).outcome is None
