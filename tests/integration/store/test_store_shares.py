"""One user's use is not everybody's limit: the queue, the history, the verification of packages."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.databases import OTHER, OWNER, Clock, Opener, a_request

from seatrial.domain.errors import QueueFull
from seatrial.domain.packages import NewPackage
from seatrial.domain.phases import Outcome
from seatrial.domain.tests import Completion, Test
from seatrial.store import SqlStore

LEASE = 3600.0


def a_package(sha256: str) -> NewPackage:
    return NewPackage("lambda", "a.zip", sha256, files=("a",), notes=(), content=b"x")


async def submit(store: SqlStore, owner: str) -> Test:
    """A new test where ten may wait, of one user three."""
    return await store.submit(owner, a_request(), max_queued=10, max_queued_per_user=3)


async def two_users(store: SqlStore) -> None:
    await store.ensure_user("alice")
    await store.ensure_user("bob")


async def ended(store: SqlStore, owner: str, size: int = 0) -> str:
    """A completed test of that owner and about that size."""
    test = await store.submit(owner, a_request("x" * size), max_queued=100)
    await store.claim("w", lease_seconds=LEASE, max_per_user=0, max_total=0, count=1)
    await store.complete(test.id, 1, Completion(outcome=Outcome.SUCCEEDED), [])
    return test.id


async def test_a_user_who_fills_the_share_leaves_room_for_the_others(store: SqlStore) -> None:
    await two_users(store)
    await store.renew("w", [], lease_seconds=LEASE, slots=1)
    mine = [await submit(store, OWNER) for _ in range(3)]
    with pytest.raises(QueueFull, match="3 of your tests") as refused:
        await submit(store, OWNER)
    assert refused.value.retry_after_seconds >= 1
    assert "seatrial tests stop" in refused.value.hint
    for _ in range(3):
        await submit(store, OTHER)
    await store.cancel(OWNER, mine[0].id)
    await submit(store, OWNER)


async def test_the_only_user_may_fill_the_queue(store: SqlStore) -> None:
    await store.ensure_user("me")
    for _ in range(10):
        await submit(store, OWNER)
    with pytest.raises(QueueFull, match="of all users"):
        await submit(store, OWNER)


async def test_a_share_holds_for_submissions_at_once_from_several_servers(opened: Opener) -> None:
    stores = [await opened(), await opened()]
    await two_users(stores[0])
    calls = [submit(store, OWNER) for store in stores * 4]
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(end, QueueFull) for end in ends) == 5
    assert (await stores[0].state()).queued == 3


async def test_the_history_of_who_takes_too_much_goes_first(store: SqlStore, clock: Clock) -> None:
    bobs = [await ended(store, OTHER, 10_000)]
    alices: list[str] = []
    for _ in range(6):
        clock.forward(60)
        alices.append(await ended(store, OWNER, 10_000))

    removed = await store.remove_beyond(45_000)

    assert len(removed) == 3
    assert [test.id for test in (await store.page(OTHER)).tests] == bobs
    assert {test.id for test in (await store.page(OWNER)).tests} == set(alices[3:])
    assert await store.remove_beyond(45_000) == []


async def test_verifications_take_turns_by_owner(store: SqlStore, clock: Clock) -> None:
    for n in range(3):
        clock.forward(1)
        test_id = await ended(store, OWNER)
        await store.keep_package(OWNER, test_id, a_package(f"a{n}"))
    clock.forward(1)
    await store.keep_package(OTHER, await ended(store, OTHER), a_package("yy"))
    turns: list[str] = []
    while claim := await store.claim_rehearsal(lease_seconds=60):
        turns.append(claim.owner)
        clock.forward(5)
        await store.rehearsed(claim, [])
    assert turns == [OWNER, OTHER, OWNER, OWNER]


async def test_making_a_package_again_gives_no_earlier_turn(store: SqlStore, clock: Clock) -> None:
    mine, others = await ended(store, OWNER), await ended(store, OTHER)
    await store.keep_package(OWNER, mine, a_package("xx"))
    await store.claim_rehearsal(lease_seconds=60)
    await store.keep_package(OWNER, mine, a_package("11"))
    clock.forward(1)
    await store.keep_package(OTHER, others, a_package("zz"))
    claim = await store.claim_rehearsal(lease_seconds=60)
    assert claim is not None
    assert claim.owner == OTHER
