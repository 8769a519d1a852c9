"""Workers: leases, what they lost, what they may take over, and the state of the queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.databases import OTHER, OWNER, Clock, PostgresDatabases, a_request

from seatrial.domain.errors import AttemptLost
from seatrial.domain.events import QueueEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.ports import WorkerState
from seatrial.domain.tests import Completion, Lease
from seatrial.store import SqlStore, open_store

DONE = Completion(outcome=Outcome.SUCCEEDED)


async def _held(store: SqlStore, worker: str = "w", count: int = 1) -> list[str]:
    for _ in range(count):
        await store.submit(OWNER, a_request(), max_queued=99)
    claims = await store.claim(worker, lease_seconds=20, max_per_user=0, max_total=0, count=count)
    return [claim.test_id for claim in claims]


async def test_a_renewed_lease_does_not_run_out(store: SqlStore, clock: Clock):
    (test_id,) = await _held(store)
    for _ in range(5):
        clock.forward(15)
        (lease,) = await store.renew("w", [(test_id, 1)], lease_seconds=20, slots=1)
        assert lease == Lease(test_id=test_id, attempt=1, held=True, cancel_requested=False)

    assert await store.expired() == ()


async def test_a_lease_that_was_not_renewed_runs_out(store: SqlStore, clock: Clock):
    first, second = await _held(store, count=2)
    clock.forward(19)
    await store.renew("w", [(second, 1)], lease_seconds=20, slots=1)
    assert await store.expired() == ()
    clock.forward(2)

    (expired,) = await store.expired()

    assert (expired.test_id, expired.attempt) == (first, 1)
    assert expired.request == a_request()


async def test_renewing_tells_that_the_end_was_asked_for(store: SqlStore):
    (test_id,) = await _held(store)
    answer = await store.cancel(OWNER, test_id)
    assert answer.outcome is None
    assert answer.cancel_requested

    (lease,) = await store.renew("w", [(test_id, 1)], lease_seconds=20, slots=1)

    assert lease.held
    assert lease.cancel_requested


async def test_renewing_tells_what_is_no_longer_held_and_extends_nothing_of_it(
    store: SqlStore, clock: Clock
):
    ended, requeued, adopted, held = await _held(store, count=4)
    await store.complete(ended, 1, DONE, [])
    await store.adopt(adopted, 1, "other", lease_seconds=20)
    await store.requeue(requeued, 1, reason="x")
    clock.forward(15)

    asked = [(ended, 1), (requeued, 1), (adopted, 1), (held, 1), (held, 2)]
    leases = await store.renew("w", asked, lease_seconds=20, slots=1)

    assert [(lease.test_id, lease.attempt) for lease in leases] == asked
    assert [lease.held for lease in leases] == [False, False, False, True, False]
    clock.forward(10)
    assert [claim.test_id for claim in await store.expired()] == [adopted]


async def test_the_longest_expired_come_first_and_not_more_than_asked_for(
    store: SqlStore, clock: Clock
):
    ids: list[str] = []
    for _ in range(3):
        ids += await _held(store)
        clock.forward(1)
    clock.forward(60)

    assert [claim.test_id for claim in await store.expired(limit=2)] == ids[:2]


async def test_an_adopted_attempt_keeps_its_number_and_its_journal(store: SqlStore, clock: Clock):
    await store.renew("w", [], lease_seconds=20, slots=1)
    (test_id,) = await _held(store)
    await store.start_running(test_id, 1, environment=None)
    clock.forward(25)

    claim = await store.adopt(test_id, 1, "heir", lease_seconds=20)

    assert claim is not None
    assert (claim.test_id, claim.attempt, claim.owner) == (test_id, 1, OWNER)
    assert await store.expired() == ()
    assert [c.test_id for c in await store.unfinished_of("heir")] == [test_id]
    assert await store.unfinished_of("w") == ()
    assert await store.append(test_id, 1, []) == 3


async def test_what_has_ended_or_moved_on_cannot_be_adopted(store: SqlStore):
    ended, requeued, newer = await _held(store, count=3)
    await store.complete(ended, 1, DONE, [])
    await store.requeue(newer, 1, reason="x")
    await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)
    await store.requeue(requeued, 1, reason="x")

    for test_id in (ended, requeued, newer):
        assert await store.adopt(test_id, 1, "heir", lease_seconds=20) is None
    assert await store.unfinished_of("heir") == ()


async def test_a_worker_that_starts_again_finds_what_it_held(store: SqlStore):
    building, running, ended = await _held(store, count=3)
    await store.start_running(running, 1, environment=None)
    await store.complete(ended, 1, DONE, [])
    await _held(store, worker="other")

    assert [c.test_id for c in await store.unfinished_of("w")] == [building, running]


async def test_the_state_counts_what_waits_runs_and_ended(store: SqlStore, clock: Clock):
    first, second, _ = await _held(store, count=3)
    for _ in range(2):
        await store.submit(OTHER, a_request(), max_queued=99)
    await store.renew("w", [], lease_seconds=20, slots=4)
    await store.renew("v", [], lease_seconds=60, slots=3)
    await store.complete(first, 1, DONE, [])
    await store.complete(second, 1, DONE, [])

    counts = {Outcome.SUCCEEDED: 2}
    state = await store.state()
    assert (state.queued, state.running, state.slots, state.outcomes) == (2, 1, 7, counts)
    clock.forward(30)
    state = await store.state()
    assert (state.queued, state.running, state.slots, state.outcomes) == (2, 1, 3, counts)


async def test_live_workers_say_what_they_run_tests_on_and_what_keeps_them(
    store: SqlStore, clock: Clock
) -> None:
    await store.renew("b", [], lease_seconds=20, slots=4, engine="docker 1")
    await store.renew("a", [], lease_seconds=60, slots=0, trouble="it is away")
    await store.claim("b", lease_seconds=20, max_per_user=0, max_total=0, count=1)
    away, well = WorkerState("", 0, "it is away"), WorkerState("docker 1", 4)
    assert (await store.state()).workers == [away, well]

    await store.renew("b", [], lease_seconds=90, slots=4)
    clock.forward(61)
    assert (await store.state()).workers == [well]


async def test_without_a_worker_a_test_waits_for_one(store: SqlStore):
    test = await store.submit(OWNER, a_request(), max_queued=9)

    assert test.queue is not None
    assert (test.queue.position, test.queue.reason) == (1, "no worker is connected")


async def test_a_place_tells_position_wait_and_reason(store: SqlStore, clock: Clock):
    for _ in range(5):
        (done,) = await _held(store)
        clock.forward(10)
        await store.complete(done, 1, DONE, [])
    await _held(store)
    await store.renew("w", [], lease_seconds=20, slots=1)
    await store.submit(OTHER, a_request(), max_queued=9)
    test = await store.submit(OTHER, a_request(), max_queued=9)

    assert test.queue is not None
    assert (test.queue.position, test.queue.reason) == (2, "every slot is busy")
    assert (test.queue.wait.low_seconds, test.queue.wait.high_seconds) == (20.0, 20.0)


async def test_a_user_at_the_cap_is_told_so(store: SqlStore):
    for _ in range(3):
        await store.submit(OWNER, a_request(), max_queued=9)
    await store.renew("w", [], lease_seconds=20, slots=5)
    await store.claim("w", lease_seconds=20, max_per_user=2, max_total=5, count=5)

    (waiting,) = [t for t in (await store.page(OWNER)).tests if t.started_at is None]
    place = (await store.test(OWNER, waiting.id)).queue
    assert place is not None
    assert place.reason == "you already run 2 tests"


@pytest.mark.spec("US3-4")
async def test_places_are_written_down_when_they_change_and_only_then(store: SqlStore):
    first, second, third = [
        (await store.submit(OWNER, a_request(), max_queued=9)).id for _ in range(3)
    ]
    assert await store.refresh_places() == 0
    await store.cancel(OWNER, first)
    await store.renew("w", [], lease_seconds=20, slots=1)

    assert await store.refresh_places() == 2
    assert await store.refresh_places() == 0
    places = [
        [e.data.position for e in await store.events(OWNER, each) if isinstance(e.data, QueueEvent)]
        for each in (first, second, third)
    ]
    assert places == [[1], [2, 1], [3, 2]]
    assert (await store.test(OWNER, third)).last_event == 3


async def test_only_the_head_of_a_long_queue_is_told_its_places(store: SqlStore):
    for _ in range(110):
        await store.submit(OWNER, a_request(), max_queued=200)
    await store.renew("w", [], lease_seconds=20, slots=1)

    assert await store.refresh_places() == 100


async def test_a_test_that_returned_to_the_queue_is_told_its_place_again(store: SqlStore):
    test = await store.submit(OWNER, a_request(), max_queued=9)
    await store.refresh_places()
    await store.claim("w", lease_seconds=20, max_per_user=0, max_total=0, count=1)
    await store.requeue(test.id, 1, reason="x")

    assert await store.refresh_places() == 1
    with pytest.raises(AttemptLost):
        await store.append(test.id, 1, [])


class _Jumping(datetime):
    """This machine's clock, an hour off since somebody set it."""

    jump = timedelta()

    @classmethod
    def now(cls, tz: object = None) -> datetime:
        return datetime.now(UTC) + cls.jump


@pytest.mark.postgres
@pytest.mark.spec("SC-006")
@pytest.mark.parametrize("hours", [-1, 1])
async def test_setting_the_clock_of_a_workers_machine_moves_no_lease(
    postgres_databases: PostgresDatabases, monkeypatch: pytest.MonkeyPatch, hours: int
):
    store = open_store(postgres_databases.migrated())
    await store.open()
    try:
        (lasting,) = await _held(store, "other")
        monkeypatch.setattr(_Jumping, "jump", timedelta(hours=hours))
        monkeypatch.setattr("seatrial.store.database.datetime", _Jumping)
        assert await store.expired() == ()
        await store.renew("other", [(lasting, 1)], lease_seconds=0, slots=1)
        assert [claim.test_id for claim in await store.expired()] == [lasting]
    finally:
        await store.aclose()
