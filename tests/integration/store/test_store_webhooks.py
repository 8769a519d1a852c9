"""Webhooks become due with the end of their test, and are taken by one sender at a time."""

from __future__ import annotations

import pytest
from tests.support.databases import OWNER, Clock, Opener, a_request

from seatrial.domain.errors import NotFound
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Completion, Test
from seatrial.domain.webhooks import Delivery
from seatrial.store import SqlStore

URL = "https://back.end/hook"


def told() -> TestRequest:
    return a_request().model_copy(update={"webhook": URL})


async def taken(store: SqlStore) -> list[Delivery]:
    return list(await store.due_webhooks(limit=10, hold_seconds=60))


async def ended(store: SqlStore, request: TestRequest) -> Test:
    test = await store.submit(OWNER, request, max_queued=9)
    await store.claim("w", lease_seconds=60, max_per_user=9, max_total=0, count=9)
    await store.complete(test.id, 1, Completion(outcome=Outcome.SUCCEEDED), [])
    return test


async def state_of(store: SqlStore, test: Test) -> tuple[str, int, int | None, str]:
    found = (await store.test(OWNER, test.id)).webhook
    assert found is not None
    return found.state, found.attempts, found.status, found.message


async def test_nobody_is_told_before_the_test_has_ended(store: SqlStore):
    test = await store.submit(OWNER, told(), max_queued=9)
    assert test.webhook is not None
    assert await state_of(store, test) == ("waiting", 0, None, "")
    assert await taken(store) == []


async def test_a_test_without_a_webhook_tells_nobody(store: SqlStore):
    test = await ended(store, a_request())
    assert await taken(store) == []
    assert (await store.test(OWNER, test.id)).webhook is None


async def test_the_end_makes_it_due_and_one_sender_takes_it(store: SqlStore, opened: Opener):
    test, other = await ended(store, told()), await opened()
    assert await taken(store) == [Delivery(test.id, OWNER, URL, attempt=1)]
    assert await taken(store) == []
    assert await state_of(other, test) == ("due", 1, None, "")


@pytest.mark.parametrize("running", [False, True])
async def test_a_cancelled_test_is_told_too(store: SqlStore, running: bool):
    test = await store.submit(OWNER, told(), max_queued=9)
    if running:
        await store.claim("w", lease_seconds=60, max_per_user=9, max_total=0, count=9)
    await store.cancel(OWNER, test.id)
    if running:
        await store.requeue(test.id, 1, reason="its worker was stopped")
    assert [delivery.test_id for delivery in await taken(store)] == [test.id]


async def test_what_was_delivered_is_not_due_again(store: SqlStore, clock: Clock):
    test = await ended(store, told())
    (delivery,) = await taken(store)
    await store.webhook_delivered(delivery, status=204)
    clock.forward(10**6)
    assert await taken(store) == []
    assert await state_of(store, test) == ("delivered", 1, 204, "")


async def test_what_failed_is_due_again_after_its_pause(store: SqlStore, clock: Clock):
    test = await ended(store, told())
    (delivery,) = await taken(store)
    await store.webhook_failed(delivery, "away", status=500, again_in=30)
    assert await state_of(store, test) == ("due", 1, 500, "away")
    clock.forward(29)
    assert await taken(store) == []
    clock.forward(2)
    assert [again.attempt for again in await taken(store)] == [2]


async def test_what_was_given_up_is_never_due(store: SqlStore, clock: Clock):
    test = await ended(store, told())
    (delivery,) = await taken(store)
    await store.webhook_failed(delivery, "gone", status=410, again_in=None)
    clock.forward(10**6)
    assert await taken(store) == []
    assert await state_of(store, test) == ("failed", 1, 410, "gone")


async def test_a_sender_that_was_lost_is_followed_and_no_longer_heard(
    store: SqlStore, clock: Clock
):
    test = await ended(store, told())
    (lost,) = await taken(store)
    clock.forward(61)
    (again,) = await taken(store)
    assert again.attempt == 2
    await store.webhook_failed(lost, "late", again_in=None)
    assert await state_of(store, test) == ("due", 2, None, "")


async def test_a_removed_test_tells_nobody(store: SqlStore):
    test = await ended(store, told())
    await store.delete(OWNER, test.id)
    assert await taken(store) == []
    with pytest.raises(NotFound):
        await store.test(OWNER, test.id)
