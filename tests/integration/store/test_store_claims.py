"""Claiming: exact order, the caps, and never one test twice."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.databases import OWNER, Clock, Opener, a_request

from seatrial.domain.events import PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.tests import Claim, Completion
from seatrial.store import SqlStore


async def _submit(store: SqlStore, *owners: str) -> list[str]:
    return [(await store.submit(each, a_request(), max_queued=9999)).id for each in owners]


async def _claim(
    store: SqlStore,
    count: int = 1,
    *,
    worker: str = "w",
    max_per_user: int = 0,
    max_total: int = 0,
) -> list[Claim]:
    return list(
        await store.claim(
            worker,
            lease_seconds=20,
            max_per_user=max_per_user,
            max_total=max_total,
            count=count,
        )
    )


def _ids(claims: list[Claim]) -> list[str]:
    return [claim.test_id for claim in claims]


async def test_a_claim_starts_the_first_attempt_and_writes_it_down(store: SqlStore, clock: Clock):
    await store.renew("w", [], lease_seconds=20, slots=1)
    (test_id,) = await _submit(store, OWNER)
    clock.forward(3)

    (claim,) = await _claim(store)

    assert (claim.test_id, claim.owner, claim.attempt) == (test_id, OWNER, 1)
    assert claim.request == a_request()
    test = await store.test(OWNER, test_id)
    assert (test.phase, test.attempt, test.started_at) == (Phase.BUILDING, 1, clock.now)
    events = await store.events(OWNER, test_id)
    assert events[-1].data == PhaseEvent(phase=Phase.BUILDING, attempt=1)
    assert test.last_event == events[-1].number == 2


@pytest.mark.spec("FR-004")
async def test_tests_are_claimed_in_the_order_of_their_submission(store: SqlStore):
    submitted = await _submit(store, *["a", "b", "a", "c", "a"] * 4)

    claimed: list[str] = []
    while batch := await _claim(store, 3):
        claimed += _ids(batch)

    assert claimed == submitted


async def test_order_holds_when_the_clock_goes_backwards(store: SqlStore, clock: Clock):
    submitted: list[str] = []
    for _ in range(5):
        clock.forward(-10)
        submitted += await _submit(store, OWNER)

    assert _ids(await _claim(store, 5)) == submitted


async def test_a_user_at_the_cap_is_skipped_and_the_others_keep_their_order(store: SqlStore):
    a1, a2, a3, b1, a4, c1, b2 = await _submit(store, *"aaabacb")

    assert _ids(await _claim(store, 10, max_per_user=2)) == [a1, a2, b1, c1, b2]
    assert await _claim(store, 10, max_per_user=2) == []
    await store.complete(a1, 1, Completion(outcome=Outcome.SUCCEEDED), [])
    assert _ids(await _claim(store, 10, max_per_user=2)) == [a3]
    assert _ids(await _claim(store, 10)) == [a4]


async def test_the_next_one_behind_a_long_line_of_a_user_at_the_cap_is_found(store: SqlStore):
    await _submit(store, *["a"] * 50)
    (last,) = await _submit(store, "b")
    await _claim(store, 1, max_per_user=1)

    assert _ids(await _claim(store, 1, max_per_user=1)) == [last]


async def test_no_more_run_than_the_cap_for_all_allows(store: SqlStore):
    submitted = await _submit(store, *"abcdef")

    assert _ids(await _claim(store, 10, max_total=4)) == submitted[:4]
    assert await _claim(store, 10, max_total=4) == []
    await store.complete(submitted[2], 1, Completion(outcome=Outcome.FAILED), [])
    assert _ids(await _claim(store, 10, max_total=4)) == submitted[4:5]


async def test_asking_for_none_takes_none(store: SqlStore):
    await _submit(store, "a")

    assert await _claim(store, 0) == []
    assert await _claim(store, -1) == []


async def test_a_requeued_test_goes_to_the_front(store: SqlStore):
    first, second, third = await _submit(store, "a", "a", "a")
    await _claim(store, 2)
    await store.requeue(second, 1, reason="the engine went away")
    await store.requeue(first, 1, reason="the engine went away")

    claims = await _claim(store, 3)

    assert _ids(claims) == [first, second, third]
    assert [claim.attempt for claim in claims] == [2, 2, 1]


async def test_four_that_claim_at_once_give_no_test_twice_and_keep_the_order(opened: Opener):
    stores = [await opened() for _ in range(4)]
    submitted = await _submit(stores[0], *[f"u{n % 7}" for n in range(120)])

    async def drain(store: SqlStore) -> list[list[str]]:
        batches: list[list[str]] = []
        while batch := await _claim(store, 3, worker=f"w{stores.index(store)}"):
            batches.append(_ids(batch))
        return batches

    each = await asyncio.gather(*(drain(store) for store in stores))

    place = {test_id: index for index, test_id in enumerate(submitted)}
    batches = [batch for batches in each for batch in batches]
    # Every claim took a run of neighbours, so no test overtook another.
    assert all(
        [place[x] for x in batch] == list(range(place[batch[0]], place[batch[0]] + len(batch)))
        for batch in batches
    )
    assert sorted(x for batch in batches for x in batch) == sorted(submitted)
    for batches in each:
        starts = [place[batch[0]] for batch in batches]
        assert starts == sorted(starts)


async def test_caps_hold_when_four_claim_at_once(opened: Opener):
    stores = [await opened() for _ in range(4)]
    await _submit(stores[0], *["a"] * 20, *["b"] * 20)

    taken = await asyncio.gather(
        *(_claim(s, 5, worker=f"w{n}", max_per_user=3, max_total=5) for n, s in enumerate(stores))
    )

    owners = [claim.owner for claims in taken for claim in claims]
    assert sorted(owners) == ["a"] * 3 + ["b"] * 2


async def test_a_claim_and_a_cancel_at_once_never_both_win(opened: Opener):
    one, two = await opened(), await opened()
    for _ in range(25):
        (test_id,) = await _submit(one, OWNER)
        claims, cancelled = await asyncio.gather(_claim(one), two.cancel(OWNER, test_id))

        if claims:
            assert cancelled.outcome is None
            assert cancelled.cancel_requested
            await one.complete(test_id, 1, Completion(outcome=Outcome.CANCELLED), [])
        else:
            assert cancelled.outcome is Outcome.CANCELLED
        phases = [e.data for e in await one.events(OWNER, test_id)]
        assert sum(isinstance(p, PhaseEvent) and p.outcome is not None for p in phases) == 1
